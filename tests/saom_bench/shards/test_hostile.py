"""Files that are truncated, damaged, or made to do harm are refused by name, before anything in them is read."""

from collections.abc import Callable
from pathlib import Path

import h5py
import numpy as np
import pytest
from shards_fixture import make_shards

from saom_bench.errors import SaomBenchError
from saom_bench.shards.dataset import open_dataset
from saom_bench.shards.format import INSTANCE_DTYPE
from saom_bench.shards.manifest import MANIFEST
from saom_bench.shards.reader import ShardReader


@pytest.fixture
def shard(tmp_path: Path) -> Path:
    return make_shards(tmp_path / "data") / "FloorPlan1.h5"


@pytest.mark.parametrize("keep", [0.0, 0.01, 0.3, 0.7, 0.999])
def test_a_truncated_shard_is_named_with_the_remedy(shard: Path, keep: float) -> None:
    data = shard.read_bytes()
    shard.write_bytes(data[: int(len(data) * keep)])
    with pytest.raises(SaomBenchError, match=r"FloorPlan1\.h5.*collect"):
        open_dataset(shard.parent)
    with pytest.raises(SaomBenchError, match=r"FloorPlan1\.h5.*collect"):
        ShardReader(shard)


def test_a_flipped_byte_in_a_picture_is_an_error_never_another_picture(shard: Path) -> None:
    with h5py.File(shard) as file:
        place = file["images"].id.get_chunk_info(1).byte_offset + 100
    data = bytearray(shard.read_bytes())
    data[place] ^= 0xFF
    shard.write_bytes(data)
    dataset = open_dataset(shard.parent)
    assert dataset[0].size_hw == (96, 128)
    with pytest.raises(SaomBenchError, match=r"FloorPlan1\.h5.*frame 1 of /images is damaged"):
        dataset[1]


def _external_link(file: h5py.File) -> None:
    del file["images"]
    file["images"] = h5py.ExternalLink("/etc/passwd", "/images")


def _soft_link(file: h5py.File) -> None:
    del file["labels"]
    file["labels"] = h5py.SoftLink("/images")


def _external_storage(file: h5py.File) -> None:
    del file["labels"]
    file.create_dataset("labels", (3, 96, 128), "<u2", external=[("/etc/passwd", 0, 3 * 96 * 128 * 2)])


def _virtual(file: h5py.File) -> None:
    del file["labels"]
    layout = h5py.VirtualLayout((3, 96, 128), "<u2")
    layout[:] = h5py.VirtualSource("elsewhere.h5", "labels", (3, 96, 128))
    file.create_virtual_dataset("labels", layout)


def _a_terabyte(file: h5py.File) -> None:
    for name in ("images", "labels", "frames"):
        file[name].resize(90_000, axis=0)


def _a_wide_picture(file: h5py.File) -> None:
    del file["labels"]
    file.create_dataset("labels", (1, 10**6, 10**6), "<u2", chunks=(1, 1024, 1024))


def _many_rows(file: h5py.File) -> None:
    file["instances"].resize(10**9, axis=0)


def _other_dtype(file: h5py.File) -> None:
    del file["labels"]
    file.create_dataset("labels", (3, 96, 128), h5py.special_dtype(vlen=np.uint16))


def _a_group(file: h5py.File) -> None:
    del file["labels"]
    file.create_group("labels")


def _foreign_name(file: h5py.File) -> None:
    file.create_group("surprise")


def _no_frames(file: h5py.File) -> None:
    del file["frames"]


def _long_attribute(file: h5py.File) -> None:
    file.attrs["command"] = "x" * 10  # Variable length: its size is not known before it is read.


def _other_version(file: h5py.File) -> None:
    file.attrs["version"] = np.bytes_("2")


def _no_json(file: h5py.File) -> None:
    file.attrs["classes"] = np.bytes_("[oops")


def _stray_class(file: h5py.File) -> None:
    rows = file["instances"][()]
    rows["class_index"][0] = 54
    file["instances"][...] = rows


def _stray_frame(file: h5py.File) -> None:
    rows = file["instances"][()]
    rows["frame"][-1] = 3
    file["instances"][...] = rows


def _plain_storage(file: h5py.File) -> None:
    del file["instances"]
    file.create_dataset("instances", data=np.zeros(2, INSTANCE_DTYPE))


@pytest.mark.parametrize(
    "spoil",
    [
        _external_link,
        _soft_link,
        _external_storage,
        _virtual,
        _a_terabyte,
        _a_wide_picture,
        _many_rows,
        _other_dtype,
        _a_group,
        _foreign_name,
        _no_frames,
        _long_attribute,
        _other_version,
        _no_json,
        _stray_class,
        _stray_frame,
        _plain_storage,
    ],
)
def test_what_is_not_exactly_a_shard_is_refused(shard: Path, spoil: Callable[[h5py.File], None]) -> None:
    with h5py.File(shard, "r+") as file:
        spoil(file)
    with pytest.raises(SaomBenchError, match=r"FloorPlan1\.h5: is not a whole shard"):
        ShardReader(shard)


def test_a_manifest_cannot_point_outside_its_folder(shard: Path) -> None:
    manifest = shard.parent / MANIFEST
    manifest.write_text(manifest.read_text().replace("FloorPlan1.h5", "../FloorPlan1.h5"))
    with pytest.raises(SaomBenchError, match="not in this folder"):
        open_dataset(shard.parent)
