"""Wavefront OBJ files: polygons by group. Materials count as slots, in the order of their first use."""

from dataclasses import dataclass, field

import numpy as np

from saom_scenes.unity.polygons import Polygons, smooth_normals, triangles_of

_MOST_LINES = 20_000_000


@dataclass
class _Group:
    """Corners of one group's polygons as numbers of position, texture coordinate and normal; -1 for none."""

    corners: list[tuple[int, int, int]] = field(default_factory=list)
    sizes: list[int] = field(default_factory=list)
    slots: list[int] = field(default_factory=list)
    materials: dict[str, int] = field(default_factory=dict)


def read_obj(text: str) -> dict[str, Polygons]:
    """The polygons of each group (or object) that has any. Raises ValueError or IndexError for a damaged file."""
    lists: dict[str, list[list[float]]] = {"v": [], "vt": [], "vn": []}
    groups: dict[str, _Group] = {}
    group, material = groups.setdefault("default", _Group()), ""
    for line in text.replace("\\\n", " ").split("\n", _MOST_LINES):
        key, _, rest = line.strip().partition(" ")
        if key in lists:
            lists[key].append([float(word) for word in rest.split()[:3]])
        elif key in ("g", "o"):
            group = groups.setdefault(rest.strip() or "default", _Group())
        elif key == "usemtl":
            material = rest.strip()
        elif key == "f":
            words = rest.split()
            group.corners += [_corner(word, lists) for word in words]
            group.sizes.append(len(words))
            group.slots.append(group.materials.setdefault(material, len(group.materials)))
    return {name: _polygons(each, lists) for name, each in groups.items() if each.sizes}


def _corner(word: str, lists: dict[str, list[list[float]]]) -> tuple[int, int, int]:
    numbers = [int(part) if part else 0 for part in f"{word}//".split("/")[:3]]
    # Counted from 1, or backwards from the last one so far; 0 is none.
    v, vt, vn = (
        n - 1 if n > 0 else n + len(lists[kind]) if n < 0 else -1
        for n, kind in zip(numbers, ("v", "vt", "vn"), strict=True)
    )
    return v, vt, vn


def _polygons(group: _Group, lists: dict[str, list[list[float]]]) -> Polygons:
    positions = np.array(lists["v"], np.float64).reshape(-1, 3)
    corners, sizes = np.array(group.corners, np.int64).reshape(-1, 3), np.array(group.sizes, np.int64)
    point = corners[:, 0]
    if point.min() < 0 or point.max() >= len(positions):
        raise IndexError("its polygons name points that are not there")
    starts = np.concatenate([[0], np.cumsum(sizes)[:-1]])
    triangles = triangles_of(positions[point], starts, sizes)
    uvs, normals = np.zeros((len(corners), 2)), smooth_normals(positions, point, triangles)
    for column, values, into in ((1, lists["vt"], uvs), (2, lists["vn"], normals)):
        there = corners[:, column] >= 0
        if there.any():
            width = into.shape[1]
            into[there] = np.array([v[:width] for v in values], np.float64)[corners[there, column]]
    slot = np.repeat(np.array(group.slots, np.int64), sizes)
    return Polygons(positions, point, normals, uvs, triangles, slot[triangles[:, 0]])
