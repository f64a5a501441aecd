"""How far a panorama is from rays cast in its own geometry: the same scene, point and light, without any stitching.

The tests ask this of small rooms. Run by hand it measures whole ones at the preset's size, and keeps the pictures:

    python tests/panorama_truth.py [--packs DIR] [--size 2560x512] [--out DIR] FloorPlan1 FloorPlan201 ...
"""

import argparse
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from ring_room import EYE, FEET, RoomSession
from round_cameras import direct

from saom_bench.classes import LabelSet
from saom_bench.panoramas.stitch import stitching
from saom_bench.types import Pose
from saom_collectors.panorama import Cut, PanoramaRules, Shot, shoot
from saom_player.render.renderer import FAR_M, Camera, Frame, Renderer

FOV_DEG = 90.0
AT_M = (4.5, 5.5)


@dataclass(frozen=True)
class Agreement:
    """Of a panorama and its own rays. Labels, parts and depth outside a border of one pixel."""

    labels: float
    """Share of pixels with the same object."""
    parts: float
    """The same of part ids."""
    core: float
    """Share of pixels outside the borders of parts and objects."""
    same_objects: bool
    """Whether just the objects that the rays meet have labels."""
    psnr_db: float
    psnr_core_db: float
    """Outside the border."""
    depth_m: tuple[float, float]
    """Median and 95th percentile of what depth is off where it is about 5 m; nan where nothing is as far."""
    depth_share: tuple[float, float]
    """The same as shares of the distance, everywhere."""


def measure(
    renderer: Renderer, rules: PanoramaRules, feet: tuple[float, float, float] = FEET, yaw_deg: float = 0.0
) -> tuple[Agreement, Shot, Frame]:
    """Take a panorama, cast its rays, and compare; with every object in a class of its own, however small."""
    session = RoomSession(renderer, rules.view_size(FOV_DEG))
    names = [o.object_id for o in renderer.scene.objects]
    every = LabelSet("every", tuple(dict.fromkeys(name.split("|")[0] for name in names)))
    shot = shoot(session, Pose(*feet, yaw_deg, 0.0), rules, Cut(session.size_hw, FOV_DEG, every))
    eye = (feet[0], feet[1] + EYE[1] - FEET[1], feet[2])
    is_sphere = rules.projection == "equirectangular"
    frame, distance_m = direct(renderer, eye, yaw_deg, rules.size_hw, is_sphere, rules.hfov_deg)
    found, truth = _numbered(shot, names), np.where(frame.instances <= len(names), frame.instances, 0)
    core = inside(frame.instances, shot.capture.wraps) & inside(frame.parts, shot.capture.wraps)
    error = shot.capture.rgb.astype(float) - frame.rgb
    off_m = np.abs(_depth(renderer, rules, eye, yaw_deg) - distance_m)
    far = core & (distance_m > AT_M[0]) & (distance_m < AT_M[1])
    agreement = Agreement(
        labels=float((found == truth)[core].mean()),
        parts=float((shot.layers["parts"] == frame.parts)[core].mean()),
        core=float(core.mean()),
        same_objects=set(np.unique(found[core])) == set(np.unique(truth[core])),
        psnr_db=_psnr(error),
        psnr_core_db=_psnr(error[core]),
        depth_m=_spread(off_m[far]),
        depth_share=_spread((off_m / distance_m)[core & (frame.depth < FAR_M)]),
    )
    return agreement, shot, frame


def inside(labels: np.ndarray, wraps: bool) -> np.ndarray:
    """Pixels that are not within one pixel of another label."""
    padded = np.pad(labels.astype(np.float32), ((1, 1), (1, 1)), mode="edge")
    if wraps:
        padded[:, 0], padded[:, -1] = padded[:, -2], padded[:, 1]
    return np.asarray(cv2.morphologyEx(padded, cv2.MORPH_GRADIENT, np.ones((3, 3)))[1:-1, 1:-1] == 0)


def _numbered(shot: Shot, names: list[str]) -> np.ndarray:
    """(H, W) the objects' numbers, as the renderer counts them."""
    numbers = np.zeros(len(shot.capture.instances) + 1, np.int32)
    for instance in shot.capture.instances:
        numbers[instance.label] = names.index(instance.object_id) + 1
    return numbers[shot.capture.labels]


def _depth(renderer: Renderer, rules: PanoramaRules, eye: tuple[float, float, float], yaw_deg: float) -> np.ndarray:
    """(H, W) metres along each pixel's ray, stitched from the views."""
    size_hw = rules.view_size(FOV_DEG)
    cameras = rules.cameras(size_hw, FOV_DEG)
    views = [
        renderer.render(Camera(eye, yaw_deg + c.yaw_deg, c.horizon_deg, FOV_DEG), size_hw, rgb=False) for c in cameras
    ]
    layers = [(c.range_factors() * v.depth).astype(np.float32) for c, v in zip(cameras, views, strict=True)]
    return stitching(cameras, rules.target()).nearest(layers)


def _psnr(error: np.ndarray) -> float:
    return float(10 * np.log10(255**2 / (error**2).mean()))


def _spread(values: np.ndarray) -> tuple[float, float]:
    return (float(np.median(values)), float(np.percentile(values, 95))) if values.size else (np.nan, np.nan)


def _main() -> None:
    from saom_bench.pictures import save
    from saom_collectors.cli import parse_size
    from saom_player.packs.build import PackScenes
    from saom_player.rooms.layouts import load_scene

    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("scenes", nargs="+")
    parser.add_argument("--packs", type=Path)
    parser.add_argument("--size", default="2560x512")
    parser.add_argument("--out", type=Path)
    arguments = parser.parse_args()
    rules = PanoramaRules(parse_size(arguments.size))
    packs = PackScenes(arguments.packs) if arguments.packs else None
    for number, name in enumerate(arguments.scenes):
        scene = packs.load(name).scene if packs else load_scene(name)
        found, shot, frame = measure(Renderer(scene), rules, scene.agent_position, 35.0 * number)
        metres, share = (tuple(100 * n for n in pair) for pair in (found.depth_m, found.depth_share))
        print(
            f"{name}: labels {100 * found.labels:.2f} %, parts {100 * found.parts:.2f} % of {100 * found.core:.0f} % "
            f"of the pixels; PSNR {found.psnr_db:.1f} dB, {found.psnr_core_db:.1f} dB of these; depth at 5 m off by "
            f"{metres[0]:.2f} cm (median), {metres[1]:.2f} cm (95 %); {share[0]:.3f} % and {share[1]:.3f} % anywhere",
            flush=True,
        )
        if arguments.out:
            save(arguments.out / f"{name}.jpg", shot.capture.rgb)
            assert frame.rgb is not None
            save(arguments.out / f"{name}-rays.png", frame.rgb)
            save(arguments.out / f"{name}.png", shot.capture.rgb)


if __name__ == "__main__":
    _main()
