"""A folder of shards as one sequence of samples, opened lazily in each process."""

import hashlib
import json
import os
from collections import OrderedDict
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from saom_bench.classes import LabelSet
from saom_bench.errors import SaomBenchError, unknown
from saom_bench.shards.format import damaged
from saom_bench.shards.manifest import Manifest, ShardRecord, read_manifest
from saom_bench.shards.reader import ShardReader
from saom_bench.types import Instance, Sample, Size

_OPEN_SHARDS = 16


@dataclass(frozen=True)
class _Place:
    """Where a frame lies: its shard, its number in it, and its key in the dataset."""

    record: ShardRecord
    index: int
    key: str


class ShardDataset:
    """The samples of a dataset folder, in the order of scene and frame.

    It may be pickled and used after a fork: each process opens its own files, because an HDF5 handle that crosses a
    fork gives silently wrong data. Raises SaomBenchError when the folder is no dataset, or a shard is missing,
    truncated, or of another label set or split than the rest.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.manifest: Manifest = read_manifest(folder)
        if not self.manifest.shards:
            raise SaomBenchError(f"{folder} holds no finished shard; run its collect command again")
        self._check_sizes()
        self._places = _places(self.manifest.shards)
        self._readers: OrderedDict[str, ShardReader] = OrderedDict()
        self._owner_pid = os.getpid()
        first = self._reader(self.manifest.shards[0]).header
        self.label_set: LabelSet = first.label_set
        self.split: str = first.split
        # The manifest speaks of all shards; one of them may say which of several kinds its scene is.
        self.simulator: dict[str, Any] = dict(self.manifest.settings.get("simulator") or first.simulator)

    def __len__(self) -> int:
        return len(self._places)

    def __getitem__(self, index: int) -> Sample:
        place = self._places[index]
        return Sample(place.key, place.record.scene, self._reader(place.record).capture(place.index))

    def __iter__(self) -> Iterator[Sample]:
        return (self[i] for i in range(len(self)))

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_readers": OrderedDict(), "_owner_pid": -1}

    @property
    def keys(self) -> list[str]:
        """Each sample's stable key, such as "FloorPlan1/000003"."""
        return [place.key for place in self._places]

    @property
    def scenes(self) -> tuple[str, ...]:
        """The scenes, each once, in order."""
        return tuple(dict.fromkeys(place.record.scene for place in self._places))

    @property
    def shards(self) -> tuple[ShardRecord, ...]:
        """The shards that hold these samples."""
        return tuple(dict.fromkeys(place.record for place in self._places))

    @property
    def fingerprint(self) -> str:
        """Hex SHA-256 over the sorted shard hashes, label set and split; for a part of a shard, also its keys."""
        whole = sum(record.frames for record in self.shards) == len(self)
        parts = {
            "shards": sorted(record.sha256 for record in self.shards),
            "label_set": [self.label_set.name, *self.label_set.classes],
            "split": self.split,
            "keys": None if whole else self.keys,
        }
        return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()

    def scene_of(self, index: int) -> str:
        """The scene of a sample, without reading it."""
        return self._places[index].record.scene

    def size_of(self, index: int) -> Size:
        """(H, W) of a sample, without reading its pixels."""
        return self._reader(self._places[index].record).size_hw

    def layer(self, name: str, index: int) -> NDArray[Any] | None:
        """(H, W) an optional layer of a sample: "parts", "depth" or "owners"; None where its shard has none."""
        place = self._places[index]
        reader = self._reader(place.record)
        return reader.layer(name, place.index) if name in reader.layers else None

    def objects(self, index: int) -> tuple[Instance, ...]:
        """The objects in a sample, without reading its pixels."""
        place = self._places[index]
        return self._reader(place.record).objects(place.index)

    def only(self, scenes: Collection[str] | None = None, limit: int | None = None) -> "ShardDataset":
        """A view of some scenes, of at most ``limit`` samples spread evenly. Unknown scenes raise SaomBenchError."""
        for scene in scenes or ():
            if scene not in self.scenes:
                raise unknown(f"scene of {self.folder}", scene, self.scenes)
        places = [p for p in self._places if scenes is None or p.record.scene in scenes]
        if limit is not None and limit < 1:
            raise SaomBenchError(f"a limit of {limit} samples leaves nothing; give 1 or more")
        if limit is not None and limit < len(places):
            places = [places[i * len(places) // limit] for i in range(limit)]
        view = object.__new__(ShardDataset)
        view.__dict__.update(self.__getstate__(), _places=places)
        return view

    def close(self) -> None:
        """Close the files that this process has open; they open again when needed."""
        if self._owner_pid == os.getpid():
            for reader in self._readers.values():
                reader.close()
        self._readers = OrderedDict()

    def _reader(self, record: ShardRecord) -> ShardReader:
        if self._owner_pid != os.getpid():
            # Dropped, not closed: they are the parent's.
            self._readers, self._owner_pid = OrderedDict(), os.getpid()
        if record.file not in self._readers:
            self._readers[record.file] = self._open(record)
            if len(self._readers) > _OPEN_SHARDS:
                self._readers.popitem(last=False)[1].close()
        self._readers.move_to_end(record.file)
        return self._readers[record.file]

    def _open(self, record: ShardRecord) -> ShardReader:
        reader = ShardReader(self.folder / record.file)
        header = reader.header
        if (header.scene, len(reader), len(reader.instances)) != (record.scene, record.frames, record.instances):
            raise damaged(reader.path, "does not hold what the manifest says")
        # Before the first shard is open there is nothing to compare with.
        if hasattr(self, "split") and (header.label_set, header.split) != (self.label_set, self.split):
            raise damaged(
                reader.path,
                f"is of label set {header.label_set.name}, split {header.split}; the dataset is of "
                f"{self.label_set.name}, {self.split}",
            )
        return reader

    def _check_sizes(self) -> None:
        """Find missing and truncated shards when the dataset is opened, not an hour later."""
        for record in self.manifest.shards:
            path = self.folder / record.file
            if not path.is_file():
                raise damaged(path, "is missing")
            size = path.stat().st_size
            if size != record.size_bytes:
                raise damaged(path, f"has {size} bytes of {record.size_bytes}: it is truncated or was replaced")


def open_dataset(folder: Path) -> ShardDataset:
    """Open a dataset folder. Raises SaomBenchError when it is missing, empty, or has a truncated or damaged shard."""
    return ShardDataset(folder)


def _places(records: tuple[ShardRecord, ...]) -> list[_Place]:
    """Every frame in order; the numbers in keys run on over the shards of one scene."""
    counts: dict[str, int] = {}
    places = []
    for record in sorted(records, key=lambda r: (_scene_order(r.scene), r.file)):
        start = counts.get(record.scene, 0)
        counts[record.scene] = start + record.frames
        places += [_Place(record, i, f"{record.scene}/{start + i:06d}") for i in range(record.frames)]
    return places


def _scene_order(scene: str) -> tuple[str, int, str]:
    """FloorPlan2 before FloorPlan10."""
    stem = scene.rstrip("0123456789")
    digits = scene[len(stem) :]
    return stem, int(digits) if digits else -1, scene
