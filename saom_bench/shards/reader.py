"""Reading one shard, after refusing whatever is not exactly the format: a shard may come from a stranger."""

from pathlib import Path
from types import TracebackType
from typing import Any

import h5py
import hdf5plugin  # noqa: F401  # registers the zstd filter
import numpy as np
from numpy.typing import NDArray

from saom_bench.shards.format import IMAGE_LAYERS, OPTIONAL_LAYERS, ShardHeader, damaged
from saom_bench.shards.layout import check_layout, read_attributes
from saom_bench.types import Capture, Instance, LabelMap, Panorama, Pose, RgbImage, Size, SourceView


class ShardReader:
    """One open shard: ``len(reader)`` frames of ``size_hw``. Opening checks everything but the pixels.

    Raises SaomBenchError, naming the file, when it is missing, truncated, damaged, or not a shard.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        if not path.is_file():
            raise damaged(path, "is missing")
        try:
            self._file = h5py.File(path, "r")
        except OSError as error:
            raise damaged(
                path, f"cannot be opened as HDF5, it is truncated or damaged ({_first_line(error)})"
            ) from error
        try:
            self._open()
        except BaseException:
            self._file.close()
            raise

    def _open(self) -> None:
        try:
            self.header = ShardHeader.from_attributes(read_attributes(self._file))
            check_layout(self._file)
            self._frames: NDArray[np.void] = self._file["frames"][()]
            self._instances: NDArray[np.void] = self._file["instances"][()]
            self._starts = _starts(self._instances, len(self), "instances")
            self._panoramas: NDArray[np.void] | None = None
            if "panoramas" in self._file:
                self._panoramas = self._file["panoramas"][()]
                self._sources: NDArray[np.void] = self._file["sources"][()]
                self._source_starts = _starts(self._sources, len(self), "sources")
            self._check_rows()
        except (OSError, KeyError, ValueError, RuntimeError, TypeError) as error:
            raise damaged(self.path, f"is not a whole shard: {_first_line(error)}") from error

    def _check_rows(self) -> None:
        indices = self._instances["class_index"]
        if indices.size and int(indices.max()) >= len(self.header.label_set):
            raise ValueError("a class index is outside the label set")
        if self._panoramas is not None:
            if not np.array_equal(self._panoramas["frame"], np.arange(len(self))):
                raise ValueError("the rows of /panoramas are not those of /frames")
            if not np.all((self._panoramas["hfov_deg"] > 0) & (self._panoramas["hfov_deg"] <= 360)):
                raise ValueError("a panorama is of no possible angle")

    def __enter__(self) -> "ShardReader":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def __len__(self) -> int:
        return int(self._file["frames"].shape[0])

    @property
    def size_hw(self) -> Size:
        """(H, W) of every frame."""
        _, height, width = self._file["labels"].shape
        return int(height), int(width)

    @property
    def layers(self) -> tuple[str, ...]:
        """The layers present: "images", "labels" and any optional ones."""
        return tuple(name for name in (*IMAGE_LAYERS, *OPTIONAL_LAYERS) if name in self._file)

    @property
    def instances(self) -> NDArray[np.void]:
        """The flat table of all objects in all frames, as stored."""
        return self._instances

    def layer(self, name: str, index: int) -> NDArray[Any]:
        """One frame of a layer. Raises SaomBenchError when its bytes are damaged."""
        if not 0 <= index < len(self):
            raise IndexError(f"{self.path.name} has {len(self)} frames, not a frame {index}")
        return self._row(name, index)

    @property
    def has_sources(self) -> bool:
        """Whether the views that the panoramas were made of are kept."""
        return "source_images" in self._file

    def views_in(self, index: int) -> int:
        """How many views a frame was made of; 0 for one that is no panorama."""
        return int(self._source_starts[index + 1] - self._source_starts[index]) if self._panoramas is not None else 0

    def source(self, index: int, view: int) -> tuple[RgbImage, LabelMap]:
        """(h, w, 3) and (h, w): one view of a panorama that keeps them, with the panorama's labels."""
        at = int(self._source_starts[index]) + view
        if not self.has_sources or not self._source_starts[index] <= at < self._source_starts[index + 1]:
            raise IndexError(f"{self.path.name} keeps no view {view} of frame {index}")
        return self._row("source_images", at), self._row("source_labels", at)

    def rgb(self, index: int) -> RgbImage:
        """(H, W, 3) uint8."""
        return self.layer("images", index)

    def labels(self, index: int) -> LabelMap:
        """(H, W) uint16; 0 is no object."""
        return self.layer("labels", index)

    def objects(self, index: int) -> tuple[Instance, ...]:
        """The objects in one frame, by label, without reading its pixels."""
        rows = self._instances[self._starts[index] : self._starts[index + 1]]
        return tuple(_instance(row) for row in rows)

    def capture(self, index: int) -> Capture:
        """One whole frame."""
        rgb, labels = self.rgb(index), self.labels(index)
        row = self._frames[index]
        return Capture(
            rgb=rgb,
            labels=labels,
            instances=self.objects(index),
            pose=_pose(row),
            fov_deg=float(row["fov_deg"]),
            seed=int(row["seed"]),
            kind=row["kind"].decode(),
            panorama=self._panorama(index),
        )

    def _panorama(self, index: int) -> Panorama | None:
        if self._panoramas is None:
            return None
        row = self._panoramas[index]
        views = self._sources[self._source_starts[index] : self._source_starts[index + 1]]
        return Panorama(
            projection=row["projection"].decode(),
            hfov_deg=float(row["hfov_deg"]),
            blend=row["blend"].decode(),
            views=tuple(_source_view(view) for view in views),
        )

    def _row(self, name: str, index: int) -> NDArray[Any]:
        try:
            return np.asarray(self._file[name][index])
        except (OSError, RuntimeError) as error:
            raise damaged(self.path, f"frame {index} of /{name} is damaged ({_first_line(error)})") from error


def _source_view(row: np.void) -> SourceView:
    height, width = (int(n) for n in row["size_hw"])
    return SourceView(_pose(row), float(row["fov_deg"]), (height, width))


def _pose(row: np.void) -> Pose:
    x, y, z, yaw_deg, horizon_deg = (float(row[name]) for name in ("x", "y", "z", "yaw_deg", "horizon_deg"))
    return Pose(x, y, z, yaw_deg, horizon_deg, standing=bool(row["standing"]))


def _instance(row: np.void) -> Instance:
    x0, y0, x1, y1 = (int(n) for n in row["box_xyxy"])
    return Instance(
        label=int(row["label"]),
        object_id=row["object_id"].decode(),
        object_type=row["object_type"].decode(),
        class_index=int(row["class_index"]),
        area_px=int(row["area_px"]),
        box_xyxy=(x0, y0, x1, y1),
    )


def _starts(rows: NDArray[np.void], frames: int, name: str) -> NDArray[np.int64]:
    numbers = rows["frame"].astype(np.int64)
    if numbers.size and (np.any(np.diff(numbers) < 0) or numbers[-1] >= frames):
        raise ValueError(f"the rows of /{name} are not in the order of the frames")
    return np.searchsorted(numbers, np.arange(frames + 1))


def _first_line(error: BaseException) -> str:
    return str(error).split("\n", 1)[0][:200]
