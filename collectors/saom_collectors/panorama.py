"""Panoramas: where the agent stands, the views it takes as it turns, and the one frame they make.

The agent itself turns. Third-party cameras would do in the embedded player, but in AI2-THOR each of them is drawn again
at every later step, and they bring no colour table of their own; the agent's eye lies on the axis it turns about.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from saom_bench.classes import LabelSet
from saom_bench.errors import SaomBenchError, unknown
from saom_bench.masks import areas_and_boxes
from saom_bench.panoramas.blending import BLENDS, colors
from saom_bench.panoramas.lenses import Camera, Lens, surface, turn_between
from saom_bench.panoramas.stitch import Stitching, stitching
from saom_bench.types import Capture, Instance, LabelMap, Panorama, Pose, RgbImage, Size, SourceView
from saom_collectors.decode import decode
from saom_collectors.session import ActionFailed, PlacedObject, Session, View

STEP_DEG = 30.0
"""Between the views of PanoSAM's sweeps."""
LOWEST_DEG, HIGHEST_DEG = -30.0, 60.0
"""The horizons that AI2-THOR's agent can look at."""
DRIFT_M, DRIFT_DEG, MOVED_M = 0.005, 0.05, 0.01
"""Further apart, views share no centre; further turned, they are a third of a pixel off; further moved, an object would
be seen twice."""
SCOUT_YAWS_DEG = (0.0, 90.0, 180.0, 270.0)


@dataclass(frozen=True)
class PanoramaRules:
    """What panoramas are made of; the views' size and field of view are the player's."""

    size_hw: Size = (512, 2560)
    projection: str = "cylindrical"
    hfov_deg: float = 360.0
    views: int = 12
    """In each row."""
    horizons_deg: tuple[float, ...] = (0.0,)
    """One row of views each; positive looks down."""
    blend: str = "feather"
    keep_views: bool = False
    """Keep the views beside the panorama."""

    def cameras(self, size_hw: Size, fov_deg: float) -> tuple[Camera, ...]:
        """The views, row by row, as seen from the middle of the panorama: its heading counts as yaw 0."""
        step = self.hfov_deg / self.views
        first = 0.0 if self.hfov_deg == 360.0 else (step - self.hfov_deg) / 2
        return tuple(
            Camera(size_hw, first + k * step, horizon, fov_deg)
            for horizon in self.horizons_deg
            for k in range(self.views)
        )

    def target(self) -> Lens:
        """What the views are laid on."""
        return surface(self.projection, self.size_hw, self.hfov_deg)

    def stitching(self, size_hw: Size, fov_deg: float) -> Stitching:
        """How views of ``size_hw`` make the panorama. Raises SaomBenchError for impossible rules, and for views that do
        not cover all of it."""
        self._check()
        return _covering(self.cameras(size_hw, fov_deg), self.target())

    def view_size(self, fov_deg: float) -> Size:
        """The square views that are as fine in their middle as the panorama is in its own."""
        side = 2 * self.target().focal_px * math.tan(math.radians(fov_deg) / 2)
        even = 16 * math.ceil(side / 16 - 1e-6)
        return even, even

    def settings(self) -> dict[str, Any]:
        """As JSON gives it back."""
        return {**asdict(self), "size_hw": list(self.size_hw), "horizons_deg": list(self.horizons_deg)}

    def described(self, view_size_hw: Size, fov_deg: float) -> str:
        """For people: what one panorama takes."""
        rows = f" in {len(self.horizons_deg)} rows" if len(self.horizons_deg) > 1 else ""
        views = f"{self.views * len(self.horizons_deg)} views of {view_size_hw[1]}x{view_size_hw[0]}{rows}"
        return (
            f"{views}, {self.hfov_deg / self.views:g} degrees apart, {fov_deg:g} wide; {self.projection}, {self.blend}"
        )

    def options(self, view_size_hw: Size) -> list[str]:
        """The command line's options that ask for these panoramas, but for their size."""
        rows = ",".join(f"{horizon:g}" for horizon in self.horizons_deg)
        options = {
            "--kind": "panoramas",
            "--view-size": f"{view_size_hw[1]}x{view_size_hw[0]}",
            "--projection": self.projection,
            "--hfov": f"{self.hfov_deg:g}",
            "--sweep-views": str(self.views),
            "--pitch-rows": rows,
            "--blend": self.blend,
        }
        written = [f"{name}={value}" for name, value in options.items()]
        return [*written, "--keep-views"] if self.keep_views else written

    def _check(self) -> None:
        if self.views < 1 or not self.horizons_deg:
            raise SaomBenchError(f"a panorama of {self.views} views is empty; PanoSAM takes 12")
        if self.blend not in BLENDS:
            raise unknown("blend", self.blend, BLENDS)
        for horizon in self.horizons_deg:
            if not LOWEST_DEG <= horizon <= HIGHEST_DEG:
                raise SaomBenchError(
                    f"a row of views at {horizon:g} degrees: AI2-THOR's agent looks from 30 up to 60 down"
                )


@dataclass(frozen=True)
class Cut:
    """What the views of panoramas look like, and which objects in them count."""

    view_size_hw: Size
    fov_deg: float
    label_set: LabelSet
    min_area_px: int = 0


@dataclass(frozen=True)
class Shot:
    """What goes into a shard for one frame."""

    capture: Capture
    layers: Mapping[str, NDArray[Any]] = field(default_factory=dict)
    sources: tuple[tuple[RgbImage, LabelMap], ...] = ()
    """The views that a panorama was made of, with its labels; empty where they are not kept."""
    faulty: tuple[str, ...] = ()
    """Of a panorama: objects in it that were left out, since their masks are known to be wrong."""


def look_around(session: Session, pose: Pose) -> tuple[Pose, View]:
    """A scout of places: four looks as one wide picture, roughly what a panorama would show. No direction counts."""
    place = replace(pose, yaw_deg=0.0, horizon_deg=0.0)
    looks = [session.look(replace(place, yaw_deg=yaw)) for yaw in SCOUT_YAWS_DEG]
    rgb, ids = (np.concatenate([getattr(look, name) for look in looks], axis=1) for name in ("rgb", "ids"))
    return place, replace(looks[0], rgb=rgb, ids=ids, keys=_merged([look.keys for look in looks]), parts=None)


def heading(seed: int) -> float:
    """Degrees of yaw of a panorama's middle: any, or every room's walls would lie in the same columns."""
    return float(np.random.default_rng(seed).integers(360))


def sweep(session: Session, pose: Pose, cameras: Sequence[Camera]) -> list[View]:
    """The views of a panorama whose middle is at the pose's heading.

    Raises SaomBenchError, with figures, when a view is missing, the agent did not turn on the spot, or an object moved
    meanwhile.
    """
    looks: list[View] = []
    before: tuple[PlacedObject, ...] = ()
    for number, camera in enumerate(cameras):
        wanted = replace(pose, yaw_deg=(pose.yaw_deg + camera.yaw_deg) % 360.0, horizon_deg=camera.horizon_deg)
        where = f"view {number} of {len(cameras)}, at a heading of {wanted.yaw_deg:g} degrees,"
        try:
            look = session.look(wanted)
        except ActionFailed as error:
            raise SaomBenchError(f"{where} is missing: {error}") from error
        looks.append(look)
        _check_pose(look.pose, wanted, looks[0].pose, where)
        now = session.objects()
        _check_still(before, now, where)
        before = before or now
    return looks


def shoot(session: Session, pose: Pose, rules: PanoramaRules, cut: Cut, seed: int = 0) -> Shot:
    """Take a panorama at the session's present size of views, which is the cut's."""
    stitched = rules.stitching(cut.view_size_hw, cut.fov_deg)
    looks = sweep(session, pose, rules.cameras(cut.view_size_hw, cut.fov_deg))
    keys = _merged([look.keys for look in looks])
    ids = stitched.nearest([look.ids for look in looks])
    labels, found = decode(ids, keys, looks[0].types, cut.label_set, cut.min_area_px)
    boxes = areas_and_boxes(labels, stitched.target.wraps)
    instances = tuple(replace(each, box_xyxy=boxes[each.label][1]) for each in found)
    views = tuple(SourceView(look.pose, cut.fov_deg, cut.view_size_hw) for look in looks)
    capture = Capture(
        rgb=colors(stitched, [look.rgb for look in looks], rules.blend),
        labels=labels,
        instances=instances,
        pose=replace(looks[0].pose, yaw_deg=pose.yaw_deg, horizon_deg=0.0),
        fov_deg=stitched.target.fov_deg,
        seed=seed,
        kind="panorama",
        panorama=Panorama(rules.projection, rules.hfov_deg, rules.blend, views),
    )
    kept = tuple((look.rgb, _relabelled(look.ids, keys, instances)) for look in looks) if rules.keep_views else ()
    faulty = tuple(sorted({name for look in looks for name in look.faulty}))
    return Shot(capture, {"owners": stitched.owners} | _parts(stitched, looks), kept, faulty)


def _parts(stitched: Stitching, looks: Sequence[View]) -> dict[str, NDArray[Any]]:
    """The layer of part ids, where the session gives any."""
    found = [look.parts for look in looks if look.parts is not None]
    return {"parts": stitched.nearest(found)} if found else {}


def _merged(tables: Sequence[Mapping[str, int]]) -> dict[str, int]:
    return {name: key for table in tables for name, key in table.items()}


def _check_pose(is_at: Pose, wanted: Pose, first: Pose, where: str) -> None:
    off_m = math.dist((is_at.x, is_at.y, is_at.z), (first.x, first.y, first.z))
    turned = max(turn_between(is_at.yaw_deg, wanted.yaw_deg), abs(is_at.horizon_deg - wanted.horizon_deg))
    if off_m > DRIFT_M or turned > DRIFT_DEG:
        raise SaomBenchError(
            f"{where} was taken {1000 * off_m:.1f} mm from the first view and {turned:.3f} degrees off its direction; "
            f"a panorama allows {1000 * DRIFT_M:g} mm and {DRIFT_DEG:g} degrees"
        )


def _check_still(before: tuple[PlacedObject, ...], now: tuple[PlacedObject, ...], where: str) -> None:
    places = {thing.object_id: thing.center for thing in now}
    for thing in before:
        there = places.get(thing.object_id)
        moved_m = math.dist(thing.center, there) if there else math.inf
        if moved_m > MOVED_M:
            how = f"had moved by {100 * moved_m:.1f} cm" if there else "was gone"
            raise SaomBenchError(
                f"{thing.object_id} {how} at {where} after the first; a panorama needs a scene at rest"
            )


@lru_cache(maxsize=4)
def _covering(cameras: tuple[Camera, ...], target: Lens) -> Stitching:
    stitched = stitching(cameras, target)
    stitched.check_coverage()
    return stitched


def _relabelled(ids: NDArray[np.uint32], keys: Mapping[str, int], instances: Sequence[Instance]) -> LabelMap:
    """(h, w) a view's pixels with the panorama's labels; 0 for what is no object in the panorama."""
    values = np.array([keys[i.object_id] for i in instances], np.uint32)
    order = np.argsort(values)
    labels = np.array([i.label for i in instances], np.uint16)[order]
    values = values[order]
    if not len(values):
        return np.zeros(ids.shape, np.uint16)
    places = np.minimum(np.searchsorted(values, ids), len(values) - 1)
    return np.where(values[places] == ids, labels[places], 0).astype(np.uint16)
