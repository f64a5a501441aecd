"""A built room as bytes and back: its meshes as flat arrays, all else as JSON; what the table says is left there."""

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict
from typing import Any

import numpy as np

from saom_player.rooms.furnishing import scene_object
from saom_player.scene import Box, Lamp, Scene, Shape, Structure, Sun, WindowOpening
from saom_player.shapes.mesh import Material, Mesh, Part
from saom_player.tables.layout import PlacedObject, placed_objects

_CORNER_VALUES = {"positions": 3, "normals": 3, "uvs": 2}
Bytes = bytes | memoryview


def packed(scene: Scene) -> bytes:
    """A scene as `load_scene` builds it: JSON, a line's end, then its triangles' positions, normals and uvs."""
    meshes = [part.mesh for instance in scene.instances() for part in instance.parts]
    materials = {mesh.material: asdict(mesh.material) for mesh in meshes}
    numbers = {material: number for number, material in enumerate(materials)}

    def told(parts: Sequence[Part]) -> list[Any]:
        return [(part.name, numbers[part.mesh.material], len(part.mesh)) for part in parts]

    head = {
        "materials": list(materials.values()),
        "objects": [(told(thing.parts), thing.shape is not None) for thing in scene.objects],
        "structures": [(s.name, told(s.parts), s.solid, s.object_type) for s in scene.structures],
        "lamps": [asdict(lamp) for lamp in scene.lamps],
        "windows": [asdict(window) for window in scene.windows],
        "sun": asdict(scene.sun) if scene.sun is not None else None,
        "bounds": asdict(scene.bounds),
        "agent_position": scene.agent_position,
    }
    columns = (getattr(mesh, name) for name in _CORNER_VALUES for mesh in meshes)
    return b"".join((json.dumps(head).encode(), b"\n", *(np.ascontiguousarray(column).tobytes() for column in columns)))


def unpacked(stored: Bytes, name: str, shape: Callable[[PlacedObject], Shape | None]) -> Scene:
    """The scene again; ``shape`` says how an object that can change is built anew."""
    line, _, arrays = bytes(stored).partition(b"\n")
    head = json.loads(line)
    meshes = _Meshes(arrays, [Material(**_as_tuples(told)) for told in head["materials"]])
    objects = tuple(
        scene_object(o, meshes.parts(told), shape(o) if changes else None)
        for o, (told, changes) in zip(placed_objects(name), head["objects"], strict=True)
    )
    return Scene(
        name=name,
        objects=objects,
        structures=tuple(Structure(n, meshes.parts(told), solid, kind) for n, told, solid, kind in head["structures"]),
        lamps=tuple(Lamp(**_as_tuples(lamp)) for lamp in head["lamps"]),
        windows=tuple(WindowOpening(**_as_tuples(window)) for window in head["windows"]),
        sun=Sun(**_as_tuples(head["sun"])) if head["sun"] is not None else None,
        bounds=Box(**_as_tuples(head["bounds"])),
        agent_position=tuple(head["agent_position"]),
    )


class _Meshes:
    """Takes parts off the flat arrays, in the order in which they were packed."""

    def __init__(self, arrays: bytes, materials: Sequence[Material]) -> None:
        values = np.frombuffer(arrays, np.float32)
        count = len(values) // (3 * sum(_CORNER_VALUES.values()))
        ends = np.cumsum([3 * count * width for width in _CORNER_VALUES.values()])
        flat = np.split(values, ends[:-1])
        self._columns = [c.reshape(count, 3, width) for c, width in zip(flat, _CORNER_VALUES.values(), strict=True)]
        self._materials = materials
        self._taken = 0

    def parts(self, told: Sequence[Any]) -> tuple[Part, ...]:
        """The next parts, as ``packed`` told of them: names, materials' numbers, triangles."""
        return tuple(Part(name, self._mesh(number, length)) for name, number, length in told)

    def _mesh(self, material: int, length: int) -> Mesh:
        own = slice(self._taken, self._taken + length)
        self._taken += length
        positions, normals, uvs = (column[own] for column in self._columns)
        return Mesh(positions, normals, uvs, self._materials[material])


def _as_tuples(told: dict[str, Any]) -> dict[str, Any]:
    return {name: tuple(value) if isinstance(value, list) else value for name, value in told.items()}
