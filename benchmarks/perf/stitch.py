"""Time our stitching against OpenCV's feature stitcher on the same views, and resampling against py360convert.

    python benchmarks/perf/stitch.py [--rooms 50] [--size 2560x512] [--scene FloorPlan10] [--json OUT]

Each way makes colours; ours makes labels and depth in the same time. All run in this process, on one core. With --rooms
the views of one panorama of each of so many rooms, of all four types, go to both stitchers: what each fails on is said.
Ctrl-C ends that early; the figures are then those of the rooms so far.
"""

import argparse
import json
import os
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from time import perf_counter
from typing import Any

import cv2
import numpy as np
from rich.table import Table

from saom_bench.console import console, progress
from saom_bench.errors import SaomBenchError
from saom_bench.panoramas.blending import BLENDS, colors
from saom_bench.panoramas.lenses import Camera, Lens, Sphere
from saom_bench.panoramas.stitch import Stitching
from saom_bench.panoramas.unproject import unproject
from saom_collectors.cli import parse_size
from saom_collectors.collect import CollectConfig, chosen_views
from saom_collectors.features import Attempt, failures, stitch_by_features
from saom_collectors.panorama import PanoramaRules, sweep
from saom_collectors.scenes import all_scenes, select
from saom_collectors.session import PlayerOptions, View
from saom_collectors.thor import ThorSession, open_player, simulator_of
from saom_collectors.views import ViewRules

try:
    import py360convert
except ImportError:
    py360convert = None
FOV_DEG = 90.0


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--rooms", type=int, default=0)
    parser.add_argument("--size", default="2560x512")
    parser.add_argument("--scene", default="FloorPlan10")
    parser.add_argument("--json", type=Path, help="write the figures here too")
    arguments = parser.parse_args()
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})  # inherited by the player
    cv2.setNumThreads(1)
    rules = PanoramaRules(parse_size(arguments.size))
    figures: dict[str, Any] = {"size": arguments.size, "views": rules.views, "view": rules.view_size(FOV_DEG)}
    with open_player(PlayerOptions(size_hw=rules.view_size(FOV_DEG))) as session:
        views = _views(session, arguments.scene, rules)
        figures |= _stitching(rules, views)
        figures |= _resampling(views)
        if arguments.rooms:
            figures |= _rooms(session, arguments.rooms, rules)
    console.print(_table(figures))
    if arguments.json:
        arguments.json.write_text(json.dumps(figures, indent=1) + "\n")


def _views(session: ThorSession, scene: str, rules: PanoramaRules) -> list[View]:
    """The views of the first panorama that a collect of this scene would take."""
    options = PlayerOptions(size_hw=rules.view_size(FOV_DEG))
    config = CollectConfig(
        "train", simulator_of(options), options, views_per_scene=1, rules=ViewRules(tries=2), panorama=rules
    )
    chosen = next(iter(chosen_views(session, scene, config, Counter())))
    return sweep(session, chosen.pose, rules.cameras(options.size_hw, FOV_DEG))


def _stitching(rules: PanoramaRules, views: list[View]) -> dict[str, Any]:
    """Seconds a panorama, ours and OpenCV's, from the same views."""
    size_hw = rules.view_size(FOV_DEG)
    started = perf_counter()
    stitched = Stitching(rules.cameras(size_hw, FOV_DEG), rules.target())
    rgb, ids = [view.rgb for view in views], [view.ids for view in views]
    colors(stitched, rgb)
    figures: dict[str, Any] = {"maps, s once": perf_counter() - started}
    # Any numbers will do for depth: what is copied does not change the time.
    depth = [view.ids.astype(np.float32) for view in views]

    def whole(blend: str) -> None:
        colors(stitched, rgb, blend)
        stitched.nearest(ids)
        stitched.nearest(depth)

    for blend in BLENDS:
        figures[f"ours {blend}, s"] = _best(lambda blend=blend: whole(blend))  # type: ignore[misc]
    started = perf_counter()
    _, used, failure = stitch_by_features(rgb)
    figures |= {"opencv, s": perf_counter() - started, "opencv used": used, "opencv failure": failure}
    return figures


def _resampling(views: list[View]) -> dict[str, Any]:
    """Seconds for colours alone: a view cut out of a sphere, and six views laid on one."""
    sphere = Sphere((1280, 2560))
    turns = ((0.0, 0.0), (90.0, 0.0), (180.0, 0.0), (270.0, 0.0), (0.0, -90.0), (0.0, 90.0))
    cube: tuple[Lens, ...] = tuple(Camera((640, 640), yaw, horizon) for yaw, horizon in turns)
    faces = [np.ascontiguousarray(cv2.resize(view.rgb, (640, 640))).astype(np.uint8) for view in views[:6]]
    laid = Stitching(cube, sphere)
    picture = colors(laid, faces, "nearest", equalise=False)
    view = Camera((816, 816), 40.0, 10.0)
    figures: dict[str, Any] = {
        "cut ours, s": _best(lambda: unproject(sphere, picture, [], view)),
        "lay ours, s": _best(lambda: colors(laid, faces, "nearest", equalise=False)),
    }
    if py360convert is None:
        return figures
    # Its elevation is positive upwards; its faces are front, right, back, left, up, down.
    cut = py360convert.e2p(picture, FOV_DEG, 40.0, -10.0, (816, 816))
    ours, _, _ = unproject(sphere, picture, [], view)
    figures |= {
        "cut py360convert, s": _best(lambda: py360convert.e2p(picture, FOV_DEG, 40.0, -10.0, (816, 816))),
        "lay py360convert, s": _best(lambda: py360convert.c2e(faces, 1280, 2560, cube_format="list")),
        "cut, mean difference of grey levels": float(np.abs(cut.astype(float) - ours).mean()),
    }
    return figures


def _rooms(session: ThorSession, count: int, rules: PanoramaRules) -> dict[str, Any]:
    """What each stitcher fails on, a panorama a room, and the feature stitcher's seconds."""
    attempts: list[Attempt] = []
    ours_failed: list[str] = []
    stitched = rules.stitching(rules.view_size(FOV_DEG), FOV_DEG)
    with suppress(KeyboardInterrupt), progress() as bar:
        scenes = select(all_scenes(), None, "train", None, count)
        for scene in bar.track(scenes, task_id=bar.add_task("rooms", unit="rooms", note="")):
            try:
                views = _views(session, scene, rules)
                colors(stitched, [view.rgb for view in views])
            except SaomBenchError as error:
                ours_failed.append(f"{scene}: {error}")
                continue
            started = perf_counter()
            _, used, failure = stitch_by_features([view.rgb for view in views])
            attempts.append(Attempt(scene, 0, len(views), used, failure, round(perf_counter() - started, 3)))
    return {
        "rooms": len(attempts) + len(ours_failed),
        "ours failed": ours_failed,
        "opencv failed": {attempt.scene: attempt.failure for attempt in attempts if attempt.failure},
        "opencv failed, why": dict(failures(attempts)),
        "opencv, s a room": float(np.mean([attempt.seconds for attempt in attempts])) if attempts else 0.0,
    }


def _best(run: Callable[[], object], turns: int = 7) -> float:
    """Seconds of the best of some turns, since cores are shared."""
    seconds = []
    for _ in range(turns):
        started = perf_counter()
        run()
        seconds.append(perf_counter() - started)
    return min(seconds)


def _table(figures: dict[str, Any]) -> Table:
    title = f"{figures['views']} views of {figures['view'][1]}x{figures['view'][0]} to {figures['size']}, one core"
    table = Table("what", "ours", "theirs", "ratio", title=title)
    opencv = figures["opencv, s"]
    for blend in BLENDS:
        ours = figures[f"ours {blend}, s"]
        row = (f"{1 / ours:.1f}/s", f"{1 / opencv:.2f}/s", f"{opencv / ours:.0f}x")
        table.add_row(f"colours ({blend}), labels, depth; OpenCV's stitcher: colours", *row)
    table.add_row("maps, once for each geometry", f"{figures['maps, s once']:.2f} s", "", "")
    for what, name in (("cut", "a view of 816x816 out of a sphere"), ("lay", "six views laid on a sphere")):
        ours, theirs = figures[f"{what} ours, s"], figures.get(f"{what} py360convert, s")
        there = (f"{1000 * theirs:.0f} ms", f"{theirs / ours:.0f}x") if theirs else ("py360convert is missing", "")
        table.add_row(f"{name}, colours alone; py360convert", f"{1000 * ours:.0f} ms", *there)
    if "rooms" in figures:
        failed, theirs = len(figures["ours failed"]), len(figures["opencv failed"])
        table.add_row(f"rooms of {figures['rooms']} that fail", str(failed), str(theirs), "")
        for why, count in figures["opencv failed, why"].items():
            table.add_row(f"  {why}", "", str(count), "")
    return table


if __name__ == "__main__":
    main()
