"""Refusing an HDF5 file that is not exactly a shard, from its headers alone: nothing is read before this has passed.

The file may come from a stranger: links and external storage would read other files, and 2 KB can declare a terabyte.
"""

import os

import h5py

from saom_bench.shards.format import (
    ATTRIBUTE_NAMES,
    FLETCHER_FILTER,
    IMAGE_LAYERS,
    MAX_ATTRIBUTE_BYTES,
    MAX_FRAMES,
    MAX_INSTANCES,
    MAX_SIDE_PX,
    MAX_SOURCES,
    OPTIONAL_LAYERS,
    OPTIONAL_TABLES,
    SOURCE_LAYERS,
    TABLE_CHUNK_ROWS,
    TABLES,
    ZSTD_FILTER,
)


def read_attributes(file: h5py.File) -> dict[str, str]:
    """The root attributes as text. Raises ValueError when one is missing or is no short text."""
    texts = {}
    for name in ATTRIBUTE_NAMES:
        if name not in file.attrs:
            raise ValueError(f"the root attribute {name!r} is missing")
        handle = file.attrs.get_id(name)
        # Only fixed-size text: the storage size is then what reading allocates.
        if handle.dtype.kind != "S" or handle.shape != () or handle.get_storage_size() > MAX_ATTRIBUTE_BYTES:
            raise ValueError(f"the root attribute {name!r} is no short text")
        texts[name] = bytes(file.attrs[name]).decode()
    return texts


def check_layout(file: h5py.File) -> None:
    """Raise ValueError, saying what is wrong, unless names, types, shapes and storage are exactly the format's."""
    dtypes = {**IMAGE_LAYERS, **OPTIONAL_LAYERS, **SOURCE_LAYERS, **TABLES, **OPTIONAL_TABLES}
    required = {*IMAGE_LAYERS, *TABLES}
    names = set(file)
    if not required <= names <= set(dtypes):
        raise ValueError(f"it holds {sorted(names)[:8]}, where a shard holds {sorted(required)}")
    for group in (set(OPTIONAL_TABLES), set(SOURCE_LAYERS)):
        if names & group and not group <= names:
            raise ValueError(f"it holds {sorted(names & group)} without {sorted(group - names)}")
    for name in names:
        if not isinstance(file.get(name, getlink=True), h5py.HardLink):
            raise ValueError(f"/{name} is a link to elsewhere")
    for name in names:
        dataset = file[name]
        if not isinstance(dataset, h5py.Dataset):
            raise ValueError(f"/{name} is not a dataset")
        if dataset.external is not None or dataset.is_virtual:
            raise ValueError(f"/{name} keeps its data in other files")
        if dataset.dtype != dtypes[name]:
            raise ValueError(f"/{name} has dtype {dataset.dtype}, not {dtypes[name]}")
    _check_shapes(file, names)
    for name in names:
        _check_storage(file, name)


def _check_shapes(file: h5py.File, names: set[str]) -> None:
    shape = file["labels"].shape
    if len(shape) != 3:
        raise ValueError(f"/labels has shape {shape}, not (N, H, W)")
    frames, height, width = shape
    if frames > MAX_FRAMES or not (0 < height <= MAX_SIDE_PX and 0 < width <= MAX_SIDE_PX):
        raise ValueError(f"/labels declares {shape}, over the limit of {MAX_FRAMES} frames of {MAX_SIDE_PX} px")
    expected = dict.fromkeys({"labels", *OPTIONAL_LAYERS} & names, shape)
    expected |= {"images": (*shape, 3), "frames": (frames,)}
    for name, limit in (("instances", MAX_INSTANCES), ("sources", MAX_SOURCES)):
        if name in names and (len(file[name].shape) != 1 or file[name].shape[0] > limit):
            raise ValueError(f"/{name} declares {file[name].shape}, over the limit of {limit} rows")
    if "panoramas" in names:
        expected["panoramas"] = (frames,)
    if "source_labels" in names:
        expected |= _source_shapes(file, names)
    for name, wanted in expected.items():
        if file[name].shape != wanted:
            raise ValueError(f"/{name} has shape {file[name].shape}, not {wanted}")


def _source_shapes(file: h5py.File, names: set[str]) -> dict[str, tuple[int, ...]]:
    """What the shapes of the views' layers must be: one picture a row of /sources."""
    shape = file["source_labels"].shape
    if "sources" not in names or len(shape) != 3 or not all(0 < side <= MAX_SIDE_PX for side in shape[1:]):
        raise ValueError(f"/source_labels of shape {shape} are not pictures of /sources")
    sides = (int(shape[1]), int(shape[2]))
    count = int(file["sources"].shape[0])
    return {"source_labels": (count, *sides), "source_images": (count, *sides, 3)}


def _check_storage(file: h5py.File, name: str) -> None:
    """Chunks as the writer makes them, all of them present: a small file cannot stand for a terabyte of fill values."""
    dataset = file[name]
    wanted = (TABLE_CHUNK_ROWS,) if name in {*TABLES, *OPTIONAL_TABLES} else (1, *dataset.shape[1:])
    if dataset.chunks != wanted:
        raise ValueError(f"/{name} has chunks {dataset.chunks}, not {wanted}")
    creation = dataset.id.get_create_plist()
    filters = {creation.get_filter(i)[0] for i in range(creation.get_nfilters())}
    if filters != {ZSTD_FILTER, FLETCHER_FILTER}:
        raise ValueError(f"/{name} is stored with the filters {sorted(filters)}, not with zstd and a checksum")
    count = -(-dataset.shape[0] // wanted[0])
    if dataset.id.get_num_chunks() != count:
        raise ValueError(f"/{name} holds {dataset.id.get_num_chunks()} chunks of {count}")
    # Chunks that overlap or reach past the end would let a small file claim more bytes than it has.
    stored = sum(dataset.id.get_chunk_info(i).size for i in range(count))
    if stored > os.path.getsize(file.filename):
        raise ValueError(f"/{name} claims more bytes than the file has")
