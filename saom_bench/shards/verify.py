"""Checking a dataset to the last pixel: hashes against the manifest, and every frame's objects against its labels."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from saom_bench.errors import SaomBenchError
from saom_bench.files import PARTIAL_SUFFIX, sha256_file
from saom_bench.masks import areas_and_boxes
from saom_bench.shards.format import SHARD_SUFFIX, damaged
from saom_bench.shards.manifest import Manifest, ShardRecord
from saom_bench.shards.reader import ShardReader


@dataclass(frozen=True)
class Findings:
    """What a check found: shards that are damaged, and files that no reader will ever open."""

    problems: tuple[str, ...]
    strays: tuple[str, ...]


def verify_dataset(folder: Path, manifest: Manifest, advance: Callable[[int], None]) -> Findings:
    """Check every shard; ``advance(n)`` is called as n more frames are done. Damage is listed, not raised."""
    problems = []
    for record in manifest.shards:
        try:
            verify_shard(folder, record, manifest, advance)
        except SaomBenchError as error:
            problems.append(str(error))
    listed = {record.file for record in manifest.shards}
    shards = {path.name for path in folder.glob("*" + SHARD_SUFFIX)}
    partial = {path.name for path in folder.glob("*" + PARTIAL_SUFFIX)}
    return Findings(tuple(problems), tuple(sorted((shards - listed) | partial)))


def verify_shard(folder: Path, record: ShardRecord, manifest: Manifest, advance: Callable[[int], None]) -> None:
    """Check one shard. Raises SaomBenchError at the first thing that is wrong."""
    path = folder / record.file
    with ShardReader(path) as reader:
        if sha256_file(path) != record.sha256:
            raise damaged(path, "does not have the hash that the manifest gives it")
        header = reader.header
        if (header.scene, len(reader), len(reader.instances)) != (record.scene, record.frames, record.instances):
            raise damaged(path, "does not hold what the manifest says")
        if (header.split, header.label_set.name) != (manifest.settings["split"], manifest.settings["label_set"]):
            raise damaged(path, f"is of split {header.split} and label set {header.label_set.name}, unlike its dataset")
        for index in range(len(reader)):
            verify_frame(reader, index)
            advance(1)


def verify_frame(reader: ShardReader, index: int) -> None:
    """Hold a frame's label map against the objects listed for it. Raises SaomBenchError on a difference."""
    capture = reader.capture(index)
    stated = {i.label: (i.area_px, i.box_xyxy) for i in capture.instances}
    if areas_and_boxes(capture.labels, capture.wraps) != stated or len(stated) != len(capture.instances):
        raise damaged(reader.path, f"the objects listed for frame {index} are not those in its label map")
    for instance in capture.instances:
        if reader.header.label_set.index_of(instance.object_type) != instance.class_index:
            raise damaged(reader.path, f"{instance.object_id} in frame {index} does not have its type's class index")
