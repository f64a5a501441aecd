"""Writing a shard: into a partial file, checked by reading it back, then sealed by rename. Same frames, same bytes."""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any

import h5py
import hdf5plugin
import numpy as np
from numpy.typing import NDArray

from saom_bench.errors import SaomBenchError
from saom_bench.files import PARTIAL_SUFFIX, seal, sha256_file
from saom_bench.masks import areas_and_boxes
from saom_bench.shards.format import (
    FRAME_DTYPE,
    IMAGE_LAYERS,
    INSTANCE_DTYPE,
    MAX_ATTRIBUTE_BYTES,
    OPTIONAL_LAYERS,
    PANORAMA_DTYPE,
    SHARD_SUFFIX,
    SOURCE_DTYPE,
    SOURCE_LAYERS,
    TABLE_CHUNK_ROWS,
    ShardHeader,
    damaged,
)
from saom_bench.shards.manifest import ShardRecord
from saom_bench.shards.reader import ShardReader
from saom_bench.types import Capture, Instance, LabelMap, Panorama, RgbImage, Size, SourceView

_ZSTD_LEVEL = 3


class ShardWriter:
    """Writes one shard. Use it as a context manager: leaving without ``seal()`` deletes the partial file.

    ``layers`` names the optional layers ("parts", "depth", "owners") that every ``add`` must then bring; with
    ``source_size_hw`` it must also bring the views of that size that a panorama was made of.
    """

    def __init__(
        self,
        folder: Path,
        header: ShardHeader,
        size_hw: Size,
        name: str | None = None,
        layers: tuple[str, ...] = (),
        source_size_hw: Size | None = None,
    ) -> None:
        self.path = folder / ((name or header.scene) + SHARD_SUFFIX)
        self.header = header
        self.size_hw = size_hw
        self._partial = self.path.with_name(self.path.name + PARTIAL_SUFFIX)
        self._layer_names = ("images", "labels", *layers)
        self._frames: list[NDArray[np.void]] = []
        self._instances: list[NDArray[np.void]] = []
        self._panoramas: list[NDArray[np.void]] = []
        self._sources: list[NDArray[np.void]] = []
        self._source_size_hw = source_size_hw
        self._source_digests: list[bytes] = []
        self._digests: list[bytes] = []
        folder.mkdir(parents=True, exist_ok=True)
        self._file = h5py.File(self._partial, "w")
        for name_, text in header.to_attributes().items():
            self._file.attrs.create(name_, _attribute(name_, text))
        for layer in self._layer_names:
            self._create_layer(layer, size_hw)
        for layer in SOURCE_LAYERS if source_size_hw else ():
            self._create_layer(layer, source_size_hw or size_hw)

    def __enter__(self) -> "ShardWriter":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()
        self._partial.unlink(missing_ok=True)

    def add(
        self,
        capture: Capture,
        layers: Mapping[str, NDArray[Any]] | None = None,
        sources: Sequence[tuple[RgbImage, LabelMap]] = (),
    ) -> None:
        """Append a frame, and the pictures and labels of the views it was made of where they are kept.

        Raises SaomBenchError when it has another size, or objects that its labels do not show.
        """
        arrays: dict[str, NDArray[Any]] = {"images": capture.rgb, "labels": capture.labels, **(layers or {})}
        self._check(capture, arrays)
        index = len(self._frames)
        for name in self._layer_names:
            dataset = self._file[name]
            dataset.resize(index + 1, axis=0)
            dataset[index] = arrays[name]
        self._digests.append(digest(arrays[name] for name in self._layer_names))
        if capture.panorama is not None:
            self._add_panorama(index, capture.panorama, sources)
        self._frames.append(_frame_row(capture))
        self._instances.extend(_instance_row(index, i) for i in sorted(capture.instances, key=lambda i: i.label))

    def seal(self, duration_s: float = 0.0, rejected: Mapping[str, int] | None = None) -> ShardRecord:
        """Close, read back and compare every frame, give the file its name; returns its line for the manifest.

        ``duration_s`` and ``rejected`` (views turned down, by reason) are for that line alone.
        """
        tables = [("frames", self._frames, FRAME_DTYPE), ("instances", self._instances, INSTANCE_DTYPE)]
        if self._panoramas:
            tables += [("panoramas", self._panoramas, PANORAMA_DTYPE), ("sources", self._sources, SOURCE_DTYPE)]
        for name, rows, dtype in tables:
            self._create_table(name, np.array(rows, dtype))
        self._file.close()
        self._compare()
        seal(self._partial, self.path)
        return ShardRecord(
            file=self.path.name,
            scene=self.header.scene,
            sha256=sha256_file(self.path),
            size_bytes=self.path.stat().st_size,
            frames=len(self._frames),
            instances=len(self._instances),
            duration_s=round(duration_s, 3),
            rejected=dict(sorted((rejected or {}).items())),
        )

    def _add_panorama(self, index: int, panorama: Panorama, sources: Sequence[tuple[RgbImage, LabelMap]]) -> None:
        self._panoramas.append(_panorama_row(index, panorama))
        self._sources.extend(_source_row(index, number, view) for number, view in enumerate(panorama.views))
        if self._source_size_hw is None:
            return
        kept = [view.size_hw for view in panorama.views]
        if [labels.shape for _, labels in sources] != kept or set(kept) != {self._source_size_hw}:
            raise SaomBenchError(f"panorama {index} of {self.path.name} does not bring the views it was made of")
        for picture, labels in sources:
            at = len(self._source_digests)
            for name, array in (("source_images", picture), ("source_labels", labels)):
                self._file[name].resize(at + 1, axis=0)
                self._file[name][at] = array
            self._source_digests.append(digest((picture, labels)))

    def _create_layer(self, layer: str, size_hw: Size) -> None:
        shape = (*size_hw, 3) if layer.endswith("images") else size_hw
        self._file.create_dataset(
            layer,
            shape=(0, *shape),
            maxshape=(None, *shape),
            chunks=(1, *shape),
            dtype={**IMAGE_LAYERS, **OPTIONAL_LAYERS, **SOURCE_LAYERS}[layer],
            compression=hdf5plugin.Zstd(clevel=_ZSTD_LEVEL),
            fletcher32=True,
            track_times=False,
        )

    def _create_table(self, name: str, rows: NDArray[np.void]) -> None:
        self._file.create_dataset(
            name,
            data=rows,
            maxshape=(None,),
            chunks=(TABLE_CHUNK_ROWS,),
            compression=hdf5plugin.Zstd(clevel=_ZSTD_LEVEL),
            fletcher32=True,
            track_times=False,
        )

    def _check(self, capture: Capture, arrays: Mapping[str, NDArray[Any]]) -> None:
        if set(arrays) != set(self._layer_names):
            raise SaomBenchError(
                f"a frame of {self.path.name} brings {sorted(arrays)}, not {sorted(self._layer_names)}"
            )
        for name, array in arrays.items():
            expected = (*self.size_hw, 3) if name == "images" else self.size_hw
            dtype = {**IMAGE_LAYERS, **OPTIONAL_LAYERS}[name]
            if array.shape != expected or array.dtype != dtype:
                raise SaomBenchError(
                    f"{name} of a frame of {self.path.name} are {array.dtype} {array.shape}, not {dtype} {expected}"
                )
        if self._frames and (capture.panorama is not None) != bool(self._panoramas):
            raise SaomBenchError(f"{self.path.name} holds either panoramas or other views, not both")
        found = areas_and_boxes(capture.labels, capture.wraps)
        stated = {i.label: (i.area_px, i.box_xyxy) for i in capture.instances}
        if found != stated or len(stated) != len(capture.instances):
            raise SaomBenchError(f"a frame of {self.path.name} lists objects that differ from those in its label map")
        for instance in capture.instances:
            if self.header.label_set.index_of(instance.object_type) != instance.class_index:
                raise SaomBenchError(
                    f"{instance.object_id} of type {instance.object_type} has class {instance.class_index}, which is "
                    f"not its class in {self.header.label_set.name}"
                )

    def _compare(self) -> None:
        with ShardReader(self._partial) as reader:
            if len(reader) != len(self._digests):
                raise damaged(self._partial, f"{len(reader)} frames came back of {len(self._digests)} written")
            for i, expected in enumerate(self._digests):
                if digest(reader.layer(name, i) for name in self._layer_names) != expected:
                    raise damaged(self._partial, f"frame {i} did not come back as it was written")
            places = ((i, k) for i in range(len(reader)) for k in range(reader.views_in(i)))
            for (i, k), expected in zip(places, self._source_digests, strict=self._source_size_hw is not None):
                if digest(reader.source(i, k)) != expected:
                    raise damaged(self._partial, f"view {k} of frame {i} did not come back as it was written")


def digest(arrays: Iterable[NDArray[Any]]) -> bytes:
    """A hash of the bytes of several arrays, one after the other."""
    running = hashlib.sha256()
    for array in arrays:
        running.update(np.ascontiguousarray(array).data)
    return running.digest()


def _attribute(name: str, text: str) -> np.bytes_:
    encoded = text.encode()
    if not 0 < len(encoded) <= MAX_ATTRIBUTE_BYTES or encoded.endswith(b"\0"):
        raise SaomBenchError(f"a shard's {name} must have 1 to {MAX_ATTRIBUTE_BYTES} bytes, and has {len(encoded)}")
    return np.bytes_(encoded)


def _text(value: str, dtype: np.dtype[Any], field: str) -> bytes:
    encoded = value.encode()
    if len(encoded) > dtype.itemsize or encoded.endswith(b"\0"):
        raise SaomBenchError(f"{field} {value!r} does not fit a shard: at most {dtype.itemsize} bytes, no final NUL")
    return encoded


def _frame_row(capture: Capture) -> NDArray[np.void]:
    pose = capture.pose
    kind = _text(capture.kind, FRAME_DTYPE["kind"], "kind")
    place = (pose.x, pose.y, pose.z, pose.yaw_deg, pose.horizon_deg, pose.standing)
    return np.array((*place, capture.fov_deg, capture.seed, kind), FRAME_DTYPE)


def _panorama_row(frame: int, panorama: Panorama) -> NDArray[np.void]:
    projection = _text(panorama.projection, PANORAMA_DTYPE["projection"], "projection")
    blend = _text(panorama.blend, PANORAMA_DTYPE["blend"], "blend")
    return np.array((frame, projection, panorama.hfov_deg, blend), PANORAMA_DTYPE)


def _source_row(frame: int, number: int, view: SourceView) -> NDArray[np.void]:
    pose = view.pose
    place = (pose.x, pose.y, pose.z, pose.yaw_deg, pose.horizon_deg, pose.standing)
    return np.array((frame, number, *place, view.fov_deg, view.size_hw), SOURCE_DTYPE)


def _instance_row(frame: int, instance: Instance) -> NDArray[np.void]:
    object_id = _text(instance.object_id, INSTANCE_DTYPE["object_id"], "object id")
    object_type = _text(instance.object_type, INSTANCE_DTYPE["object_type"], "object type")
    numbers = (instance.class_index, instance.area_px, instance.box_xyxy)
    return np.array((frame, instance.label, object_id, object_type, *numbers), INSTANCE_DTYPE)
