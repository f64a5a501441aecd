"""Time our collector against the plain way on the same player, side by side in one run; and what tracking costs.

    python benchmarks/perf/collect.py [--frames 12] [--size 1024x1024] [--scene FloorPlan10] [--json OUT]

The plain way is what the published dataset's layout needs: the client's own ``instance_masks``, a PNG of three channels
for each object of a class, and one for the picture. Both ways drive a player of their own to the same poses, in turns,
on one core; what is counted are processor seconds, of this process and the player, so that others on the machine do not
matter. "decode" is one frame's masks alone, from the same event: ours against the client's, which must be equal.
"""

import argparse
import json
import os
import tempfile
from collections import Counter
from functools import partial
from pathlib import Path
from time import perf_counter, process_time
from typing import Any

import cv2
import h5py
import numpy as np
from rich.progress import Progress
from rich.table import Table

from saom_bench.classes import LabelSet, label_set
from saom_bench.console import console
from saom_bench.shards.format import ShardHeader
from saom_bench.shards.manifest import ShardRecord, create_manifest
from saom_bench.shards.writer import ShardWriter
from saom_bench.types import Capture, Pose
from saom_collectors.cli import parse_size
from saom_collectors.decode import decode
from saom_collectors.jobs import Done
from saom_collectors.runlog import RunLog
from saom_collectors.session import PlayerOptions
from saom_collectors.thor import ThorSession, open_player, simulator_of
from saom_collectors.thor_view import keys_of, view_of
from saom_collectors.views import ViewRules, choose_views, scout_size

CLASSES = label_set("saom-54")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--frames", type=int, default=12)
    parser.add_argument("--size", default="1024x1024")
    parser.add_argument("--scene", default="FloorPlan10")
    parser.add_argument("--json", type=Path, help="write the figures here too")
    arguments = parser.parse_args()
    one_core = {min(os.sched_getaffinity(0))}
    os.sched_setaffinity(0, one_core)  # inherited by the players
    options = PlayerOptions(size_hw=parse_size(arguments.size))
    with tempfile.TemporaryDirectory() as name, open_player(options) as ours, open_player(options) as plain:
        poses = _poses(ours, arguments.scene, arguments.frames)
        plain.reset(arguments.scene)
        figures = _race(Path(name), ours, plain, poses, arguments.scene)
        figures |= _tracking(Path(name))
    console.print(_table(figures, arguments.size))
    if arguments.json:
        arguments.json.write_text(json.dumps(figures, indent=1) + "\n")


def _poses(session: ThorSession, scene: str, frames: int) -> list[Pose]:
    session.resize(scout_size(session.options.size_hw))
    session.reset(scene)
    choice = choose_views(session, scene, frames, 0, CLASSES, ViewRules(tries=4))
    session.resize(session.options.size_hw)
    return [view.pose for view in choice.views]


def _race(folder: Path, ours: ThorSession, plain: ThorSession, poses: list[Pose], scene: str) -> dict[str, float]:
    seconds: Counter[str] = Counter()
    simulator = simulator_of(ours.options)
    header = ShardHeader(CLASSES, scene, "train", 0, simulator, "benchmark")
    # The first picture of a scene bakes its light: not what is measured.
    for session in (ours, plain):
        session.look(poses[0])
        session.look(poses[-1])
    with ShardWriter(folder / "ours", header, ours.options.size_hw) as writer:
        for number, pose in enumerate(poses):
            ways = {
                "ours": partial(_our_frame, ours, writer, pose),
                "plain": partial(_plain_frame, plain, folder / "plain", f"{scene}-{number}", pose),
            }
            for name in sorted(ways, reverse=bool(number % 2)):
                clock = partial(_busy_s, ours if name == "ours" else plain)
                started = clock()
                waited = ways[name]()
                seconds[name] += clock() - started
                seconds[f"player {name}"] += waited
            for name, value in _decoding(plain).items():
                seconds[name] += value
        started = process_time()
        record = writer.seal()
        seconds["ours"] += process_time() - started
    count = len(poses)
    files = list((folder / "plain").iterdir())
    masks = [path.stat().st_size for path in files if path.stem.count("-") > 1]
    with h5py.File(folder / "ours" / record.file) as shard:
        labels = shard["labels"].id.get_storage_size()
    return {
        "frames": count,
        "masks a frame": len(masks) / count,
        **{f"{name}, s a frame": value / count for name, value in seconds.items()},
        "ours, bytes a frame": record.size_bytes / count,
        "plain, bytes a frame": sum(path.stat().st_size for path in files) / count,
        "ours, label bytes a frame": labels / count,
        "plain, label bytes a frame": sum(masks) / count,
    }


def _our_frame(session: ThorSession, writer: ShardWriter, pose: Pose) -> float:
    """Take one frame; returns the seconds of the player and of its client."""
    started = _busy_s(session)
    event = _teleported(session, pose)
    waited = _busy_s(session) - started
    view = view_of(event, session.options, "")  # a scene matters for faults of Unity's player alone
    labels, instances = decode(view.ids, view.keys, view.types, CLASSES)
    writer.add(Capture(view.rgb, labels, instances, view.pose, session.options.fov_deg))
    return waited


def _plain_frame(session: ThorSession, folder: Path, stem: str, pose: Pose) -> float:
    """Take one frame; returns the seconds of the player and of its client."""
    folder.mkdir(exist_ok=True)
    started = _busy_s(session)
    event = _teleported(session, pose)
    waited = _busy_s(session) - started
    cv2.imwrite(str(folder / f"{stem}.png"), event.cv2img)
    types = {o["objectId"]: o["objectType"] for o in event.metadata["objects"]}
    for number, (name, mask) in enumerate(event.instance_masks.items()):
        if CLASSES.index_of(types.get(name, "")) is not None and mask.any():
            picture = np.repeat(mask[:, :, None].astype(np.uint8) * 255, 3, axis=2)
            cv2.imwrite(str(folder / f"{stem}-{types[name]}_{number:08x}.png"), picture)
    return waited


def _decoding(session: ThorSession, repeats: int = 5) -> dict[str, float]:
    """Seconds of both decoders on the frame that the session shows: the best of some turns, since cores are shared."""
    turns = [_decoded(session) for _ in range(repeats)]
    return {name: min(turn[name] for turn in turns) for name in turns[0]}


def _decoded(session: ThorSession) -> dict[str, float]:
    """One turn of both, each from the event as it arrived, to masks that must be equal."""
    event = session.step("Pass")
    every = LabelSet("every", tuple(sorted({o["objectType"] for o in event.metadata["objects"]})))
    types = {o["objectId"]: o["objectType"] for o in event.metadata["objects"]}
    started = process_time()
    masks: dict[str, Any] = dict(event.instance_masks.items())
    middle = process_time()
    ids = event.instance_masks.instance_segmentation_frame_uint32
    labels, instances = decode(ids, keys_of(event.instance_masks), types, every)
    ended = process_time()
    for instance in instances:
        if not np.array_equal(labels == instance.label, masks[instance.object_id]):
            raise SystemExit(f"the masks of {instance.object_id} differ")
    return {"decode ours": ended - middle, "decode plain": middle - started}


def _busy_s(session: ThorSession) -> float:
    """Processor seconds of this process and the session's player: on one core, what a frame takes when nobody else is
    there."""
    player = session._controller.server.unity_proc.pid
    fields = Path(f"/proc/{player}/stat").read_text().rsplit(")", 1)[1].split()
    return process_time() + (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _teleported(session: ThorSession, pose: Pose) -> Any:
    return session.step(
        "TeleportFull",
        position={"x": pose.x, "y": pose.y, "z": pose.z},
        rotation={"x": 0.0, "y": pose.yaw_deg, "z": 0.0},
        horizon=pose.horizon_deg,
        standing=pose.standing,
    )


def _tracking(folder: Path, scenes: int = 1000, share: int = 100) -> dict[str, float]:
    """Seconds that the manifest and the status cost a scene, for the first and the last of a thousand."""
    create_manifest(folder / "many", {})
    names = [f"FloorPlan{n}" for n in range(scenes)]
    marks = []
    with Progress(console=console, disable=True) as bar:
        log = RunLog(folder / "many", names, 1, bar, PlayerOptions().longest_call_s)
        for name in names:
            record = ShardRecord(f"{name}.h5", name, "0" * 64, 1, 1, 1)
            started = perf_counter()
            log.heard(Done(name, record))
            marks.append(perf_counter() - started)
    return {
        "tracking, s a scene, first 100": float(np.median(marks[:share])),
        "tracking, s a scene, last 100": float(np.median(marks[-share:])),
    }


def _table(figures: dict[str, float], size: str) -> Table:
    title = f"{figures['frames']:.0f} frames of {size} with {figures['masks a frame']:.0f} masks each, one core"
    table = Table("what", "plain", "ours", "ratio", title=title)
    both = {way: figures[f"{way}, s a frame"] for way in ("plain", "ours")}
    own = {way: both[way] - figures[f"player {way}, s a frame"] for way in both}
    masks = {way: figures[f"decode {way}, s a frame"] for way in both}
    table.add_row("whole collector (frames/s)", *(f"{1 / v:.2f}" for v in both.values()), _ratio(both))
    for what, values in (("without the player's rendering", own), ("decoding the masks alone", masks)):
        table.add_row(f"{what} (ms a frame)", *(f"{1000 * v:.1f}" for v in values.values()), _ratio(values))
    for what in ("bytes", "label bytes"):
        sizes = {way: figures[f"{way}, {what} a frame"] for way in both}
        table.add_row(f"{what} a frame", *(f"{v:,.0f}" for v in sizes.values()), _ratio(sizes))
    first, last = (figures[f"tracking, s a scene, {which} 100"] for which in ("first", "last"))
    table.add_row("tracking 1,000 scenes (ms a scene)", f"first {1e3 * first:.2f}", f"last {1e3 * last:.2f}", "")
    return table


def _ratio(values: dict[str, float]) -> str:
    return f"{values['plain'] / values['ours']:.1f}x"


if __name__ == "__main__":
    main()
