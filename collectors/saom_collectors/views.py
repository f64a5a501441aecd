"""Choosing where to stand and look: seeded poses that show enough objects, and other ones than the poses before.

Candidates are judged on small pictures. View k of a scene depends on the seed, the scene and the views before it, so
asking for more views only adds to the earlier ones.
"""

import hashlib
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from saom_bench.classes import LabelSet
from saom_bench.errors import SaomBenchError
from saom_bench.types import Pose, Size
from saom_collectors.decode import decode
from saom_collectors.session import ActionFailed, Position, Session

_YAW_STEP_DEG = 15
_HORIZONS_DEG = (-10.0, 0.0, 10.0, 20.0, 30.0)
_SCOUT_SIDE_PX = 160
_NEAR_M, _NEAR_YAW_DEG = 0.6, 40.0
_MIN_SHARE, _FULL_SHARE = 0.0005, 0.01
"""Of the picture: smaller objects do not count as seen; from the second on, size no longer makes one count more."""
_TOO_CLOSE = 0.5
"""Of the picture: an object larger than this hides the room."""


@dataclass(frozen=True)
class ViewRules:
    """How poses are chosen."""

    tries: int = 8
    """Candidates looked at for each view."""
    min_objects: int = 3
    """A candidate that shows fewer is taken only when none shows more."""


@dataclass(frozen=True)
class ChosenView:
    """A pose, the seed it came from, and the objects that it was seen to show, each with its share of the picture."""

    pose: Pose
    seed: int
    seen: Mapping[str, float]


def view_seed(seed: int, scene: str, view: int) -> int:
    """The seed of one view: stable over machines and Python versions."""
    text = f"{seed}/{scene}/{view}"
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:7], "big")


def scout_size(size_hw: Size) -> Size:
    """The small size, of about the same aspect, at which candidates are judged."""
    scale = min(1.0, _SCOUT_SIDE_PX / max(size_hw))
    return max(16, round(size_hw[0] * scale)), max(16, round(size_hw[1] * scale))


def choose_views(
    session: Session, scene: str, count: int, seed: int, label_set: LabelSet, rules: ViewRules
) -> list[ChosenView]:
    """Choose ``count`` views of the scene that the session has loaded, at the session's present (small) size.

    Raises SaomBenchError when no candidate of a view can be stood at.
    """
    places = session.reachable()
    if not places:
        raise SaomBenchError(f"{scene} has no place where an agent can stand")
    chosen: list[ChosenView] = []
    shown: Counter[str] = Counter()
    for view in range(count):
        number = view_seed(seed, scene, view)
        rng = np.random.default_rng(number)
        candidates = []
        for _ in range(rules.tries):
            pose = _draw_pose(rng, places)
            try:
                candidates.append(ChosenView(pose, number, _seen(session, pose, label_set)))
            except ActionFailed:
                continue
        if not candidates:
            raise SaomBenchError(f"view {view} of {scene}: none of {rules.tries} poses can be stood at")
        best = max(candidates, key=lambda c: _merit(c, chosen, shown, rules))
        chosen.append(best)
        shown.update(best.seen.keys())
    return chosen


def _draw_pose(rng: np.random.Generator, places: tuple[Position, ...]) -> Pose:
    x, y, z = places[int(rng.integers(len(places)))]
    yaw = float(rng.integers(360 // _YAW_STEP_DEG) * _YAW_STEP_DEG)
    return Pose(x, y, z, yaw, float(rng.choice(_HORIZONS_DEG)))


def _seen(session: Session, pose: Pose, label_set: LabelSet) -> dict[str, float]:
    """The objects of the label set in sight; none when one object fills the picture."""
    view = session.look(pose)
    _, instances = decode(view.ids, view.keys, view.types, label_set)
    shares = {i.object_id: i.area_px / view.ids.size for i in instances}
    if max(shares.values(), default=0.0) > _TOO_CLOSE:
        return {}
    return {name: share for name, share in shares.items() if share >= _MIN_SHARE}


def _merit(
    candidate: ChosenView, chosen: list[ChosenView], shown: Counter[str], rules: ViewRules
) -> tuple[bool, bool, float]:
    """Enough objects first, then a new place or direction, then objects that few views have shown, large ones more."""
    enough = len(candidate.seen) >= rules.min_objects
    fresh = not any(_near(candidate.pose, other.pose) for other in chosen)
    novelty = sum(min(1.0, (share / _FULL_SHARE) ** 0.5) / (1 + shown[name]) for name, share in candidate.seen.items())
    return enough, fresh, novelty


def _near(a: Pose, b: Pose) -> bool:
    turn = abs((a.yaw_deg - b.yaw_deg + 180) % 360 - 180)
    return bool(np.hypot(a.x - b.x, a.z - b.z) < _NEAR_M and turn < _NEAR_YAW_DEG)
