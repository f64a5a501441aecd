"""A hand-made scene for the embedded player's tests: a 4 m by 4 m room, a table in the middle, a mug on it, a box.

Run as a program, it is the player with this scene instead of the product's; the renderer stays the product's.
"""

import sys
from dataclasses import dataclass, replace

import numpy as np

from saom_player.arguments import ActionError
from saom_player.scene import Box, Lamp, Scene, SceneObject, Structure, Vector
from saom_player.shapes import primitives as shapes
from saom_player.shapes.mesh import Material, Mesh, Part
from saom_player.simulation import SceneSource, Size

GREY = Material(tint=(0.6, 0.6, 0.6))
NAMES = ["FloorPlan1", "FloorPlan2"]
TABLE, MUG, CRATE = "DiningTable|+00.00|+00.40|+00.00", "Mug|+00.20|+00.85|-00.10", "Box|+01.50|+00.20|+01.50"


def placed(size: Vector, center: Vector, color: tuple[float, float, float] = (0.6, 0.6, 0.6)) -> Mesh:
    """A box by its centre."""
    mesh = shapes.box(size, Material(tint=color))
    corners = mesh.positions.reshape(-1, 3)
    middle = (corners.min(axis=0) + corners.max(axis=0)) / 2
    return replace(mesh, positions=(mesh.positions + (np.array(center) - middle)).astype(np.float32))


def thing(
    object_id: str, size: Vector, center: Vector, color: tuple[float, float, float], flags: str, **more: object
) -> SceneObject:
    """A simulation object that is one box."""
    kind = object_id.split("|")[0]
    part = Part("body", placed(size, center, color))
    return SceneObject(
        object_id,
        kind,
        f"{kind}_1",
        center,
        (0, 0, 0),
        Box(center, size),
        (part,),
        flags=frozenset(flags.split()),
        **more,
    )  # type: ignore[arg-type]


def room(name: str = "FloorPlan1") -> Scene:
    """The scene. Walls at x, z = -2 and 2; FloorPlan2 has no crate."""
    if name not in NAMES:
        raise ActionError(f"unknown scene {name!r}")
    objects = [
        thing(TABLE, (1.0, 0.8, 1.0), (0.0, 0.4, 0.0), (0.6, 0.4, 0.2), "receptacle moveable", mass=20.0),
        thing(MUG, (0.1, 0.1, 0.1), (0.2, 0.85, -0.1), (0.9, 0.1, 0.1), "pickupable", parent_receptacles=(TABLE,)),
        thing(CRATE, (0.4, 0.4, 0.4), (1.5, 0.2, 1.5), (0.1, 0.2, 0.9), "openable isOpen"),
    ]
    sides = {
        "Wall|1": ((4.2, 2.5, 0.1), (0, 1.25, 2.05)),
        "Wall|2": ((4.2, 2.5, 0.1), (0, 1.25, -2.05)),
        "Wall|3": ((0.1, 2.5, 4.2), (2.05, 1.25, 0)),
        "Wall|4": ((0.1, 2.5, 4.2), (-2.05, 1.25, 0)),
        "Floor": ((4, 0.1, 4), (0, -0.05, 0)),
        "Ceiling": ((4, 0.1, 4), (0, 2.55, 0)),
    }
    structures = tuple(Structure(n, (Part("body", placed(s, c)),)) for n, (s, c) in sides.items())
    return Scene(
        name,
        tuple(objects if name == "FloorPlan1" else objects[:2]),
        structures,
        lamps=(Lamp((0, 2.3, 0), (2, 2, 2)),),
        bounds=Box((0, 1.25, 0), (4.2, 2.6, 4.2)),
        agent_position=(0.0, 0.9, -1.25),
    )


@dataclass(frozen=True)
class Picture:
    """As the renderer's Frame."""

    rgb: np.ndarray | None
    instances: np.ndarray
    parts: np.ndarray
    depth: np.ndarray
    normals: np.ndarray | None = None


class BoxRenderer:
    """Draws the bounding boxes of a scene's parts, without Embree; counts what it does."""

    def __init__(self, scene: Scene) -> None:
        corners = [
            (number, part.mesh.positions.reshape(-1, 3))
            for number, instance in enumerate(scene.instances(), 1)
            for part in instance.parts
        ]
        self._boxes = [(number, p.min(axis=0), p.max(axis=0)) for number, p in corners]
        self.calls: list[tuple[object, Size, bool]] = []

    def render(self, camera: object, size_hw: Size, rgb: bool = True, normals: bool = False) -> Picture:
        from saom_player.render.camera import PixelRays

        self.calls.append((camera, size_hw, rgb))
        rays = PixelRays(camera, size_hw)  # type: ignore[arg-type]
        directions = rays.rows(0, size_hw[0]).T.astype(np.float64)
        depth = np.full(len(directions), 1e4)
        instances = np.zeros(len(directions), np.int32)
        for number, low, high in self._boxes:
            with np.errstate(divide="ignore", invalid="ignore"):
                near, far = (low - rays.origin) / directions, (high - rays.origin) / directions
            enter, leave = np.minimum(near, far).max(axis=1), np.maximum(near, far).min(axis=1)
            hit = (enter < leave) & (enter > 0) & (enter < depth)
            depth[hit], instances[hit] = enter[hit], number
        instances, depth = instances.reshape(size_hw), depth.reshape(size_hw).astype(np.float32)
        shade = np.stack([instances * 20, instances * 7, 255 - instances * 9], axis=-1).astype(np.uint8)
        return Picture(shade if rgb else None, instances, instances, depth)


def box_source() -> SceneSource:
    """The tiny room without Embree."""
    return SceneSource(lambda: NAMES, room, BoxRenderer)  # type: ignore[arg-type]


if __name__ == "__main__":
    from saom_player.__main__ import embree_renderer, main

    sys.exit(main(source=SceneSource(lambda: NAMES, room, embree_renderer)))
