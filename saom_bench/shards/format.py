"""The words of the format "saom-shard", version 1: names, dtypes, limits, the root attributes, and its error.

``/images`` (N, H, W, 3) uint8 and ``/labels`` (N, H, W) uint16 hold one image a chunk; ``/frames`` has one row an
image, ``/instances`` one row an object in an image, by frame and label. ``/parts`` and ``/depth`` may be absent.
Panoramas add ``/panoramas`` (a row a frame), ``/sources`` (a row a view they were made of) and ``/owners``; the views
themselves may be kept as ``/source_images`` and ``/source_labels`` (M, h, w), in the order of ``/sources``.
Text has a fixed size in bytes (UTF-8): a reader then knows what it will allocate before it reads.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from saom_bench.classes import LabelSet
from saom_bench.errors import SaomBenchError

FORMAT = "saom-shard"
VERSION = 1
SHARD_SUFFIX = ".h5"

FRAME_DTYPE = np.dtype(
    [
        ("x", "<f8"),
        ("y", "<f8"),
        ("z", "<f8"),
        ("yaw_deg", "<f8"),
        ("horizon_deg", "<f8"),
        ("standing", "u1"),
        ("fov_deg", "<f8"),
        ("seed", "<i8"),
        ("kind", "S16"),
    ]
)
INSTANCE_DTYPE = np.dtype(
    [
        ("frame", "<u4"),
        ("label", "<u2"),
        ("object_id", "S256"),
        ("object_type", "S64"),
        ("class_index", "<u2"),
        ("area_px", "<u4"),
        ("box_xyxy", "<u4", (4,)),
    ]
)
PANORAMA_DTYPE = np.dtype([("frame", "<u4"), ("projection", "S16"), ("hfov_deg", "<f8"), ("blend", "S16")])
SOURCE_DTYPE = np.dtype(
    [
        ("frame", "<u4"),
        ("view", "<u2"),
        ("x", "<f8"),
        ("y", "<f8"),
        ("z", "<f8"),
        ("yaw_deg", "<f8"),
        ("horizon_deg", "<f8"),
        ("standing", "u1"),
        ("fov_deg", "<f8"),
        ("size_hw", "<u4", (2,)),
    ]
)
IMAGE_LAYERS = {"images": np.dtype("u1"), "labels": np.dtype("<u2")}
OPTIONAL_LAYERS = {"parts": np.dtype("<u2"), "depth": np.dtype("<f4"), "owners": np.dtype("u1")}
"""``/parts``: (N, H, W) uint16 part numbers. ``/depth``: (N, H, W) float32 metres: of a view along its axis, of a
panorama along each pixel's own ray (no axis is common to all of it). ``/owners``: (N, H, W) uint8 number of the view
that each pixel of a panorama was taken from, 255 for none."""
SOURCE_LAYERS = {"source_images": np.dtype("u1"), "source_labels": np.dtype("<u2")}
"""The views of panoramas; their labels are the panorama's. Both or neither."""
TABLES = {"frames": FRAME_DTYPE, "instances": INSTANCE_DTYPE}
OPTIONAL_TABLES = {"panoramas": PANORAMA_DTYPE, "sources": SOURCE_DTYPE}
"""Both or neither: of all frames or of none."""

MAX_SIDE_PX = 8192
MAX_FRAMES = 100_000
MAX_INSTANCES = 1_000_000
MAX_SOURCES = 1_000_000
MAX_ATTRIBUTE_BYTES = 60_000
TABLE_CHUNK_ROWS = 256
ZSTD_FILTER, FLETCHER_FILTER = 32015, 3
"""HDF5's registered numbers: every layer is compressed with zstd and carries a checksum."""


@dataclass(frozen=True)
class ShardHeader:
    """A shard's root attributes: what its frames show and how to make them again."""

    label_set: LabelSet
    scene: str
    split: str
    seed: int
    simulator: Mapping[str, Any]
    """At least "name", "version" and "arguments"."""
    command: str
    """The command that makes this shard again."""

    def to_attributes(self) -> dict[str, str]:
        """The attributes as text; what is not text is JSON with sorted keys."""
        return {
            "format": FORMAT,
            "version": str(VERSION),
            "label_set": self.label_set.name,
            "classes": json.dumps(list(self.label_set.classes)),
            "simulator": json.dumps(self.simulator, sort_keys=True),
            "scene": self.scene,
            "split": self.split,
            "seed": str(self.seed),
            "command": self.command,
        }

    @classmethod
    def from_attributes(cls, attributes: Mapping[str, str]) -> "ShardHeader":
        """Read what ``to_attributes`` wrote. Raises ValueError or KeyError when it is something else."""
        if attributes["format"] != FORMAT:
            raise ValueError(f"its format is {attributes['format']!r}, not {FORMAT!r}")
        if attributes["version"] != str(VERSION):
            raise ValueError(f"its format version is {attributes['version']}; this saom-bench reads {VERSION}")
        classes, simulator = json.loads(attributes["classes"]), json.loads(attributes["simulator"])
        if not isinstance(classes, list) or not all(isinstance(name, str) for name in classes):
            raise ValueError("its classes are not a list of names")
        if not isinstance(simulator, dict):
            raise ValueError("its simulator is not a table of values")
        return cls(
            label_set=LabelSet(attributes["label_set"], tuple(classes)),
            scene=attributes["scene"],
            split=attributes["split"],
            seed=int(attributes["seed"]),
            simulator=simulator,
            command=attributes["command"],
        )


def simulator_title(simulator: Mapping[str, Any]) -> str:
    """A simulator's name, version and, where it has several, geometry: "saom-player 0.1.0 packs"."""
    return " ".join(str(simulator[key]) for key in ("name", "version", "scenes") if key in simulator)


ATTRIBUTE_NAMES = ("format", "version", "label_set", "classes", "simulator", "scene", "split", "seed", "command")


def damaged(path: Path, reason: str) -> SaomBenchError:
    """The error for a shard that cannot be trusted, with the way to mend it."""
    return SaomBenchError(
        f"shard {path}: {reason}. Run the collect command of this folder again: it redoes only the scenes whose shard "
        "is missing or damaged"
    )
