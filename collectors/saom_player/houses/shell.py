"""A house's shell: floors and ceilings of any outline, walls, skirting boards, lamps at ceilings."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from saom_player.houses.looks import floor_material, repeat_of, wall_material
from saom_player.houses.walls import WallFrame, baseboards, holes_of, wall_structure
from saom_player.scene import Lamp, Structure, Sun, Vector, WindowOpening
from saom_player.shapes.mesh import Material, Part, Rgb
from saom_player.shapes.primitives import cylinder
from saom_player.shapes.rectangles import Rectangle
from saom_player.shapes.smoothing import mesh_from_faces
from saom_player.shapes.transforms import moved, rotation
from saom_player.surfaces.materials import Palette
from saom_scenes.houses.model import EXTERIOR, House, Light, Opening, Room
from saom_scenes.houses.plan import area_of, centroid, inside, pieces

FLOOR = "Floor"
_BASEBOARD_M = (0.012, 0.09)
_LAMP_BELOW_M = 0.12
_SUN: Rgb = (4.2, 3.7, 2.9)
_LAMP: Rgb = (1.35, 1.3, 1.22)
_WARM: Rgb = (1.0, 0.855, 0.722)
_USUAL_INTENSITY, _USUAL_SUN = 0.75, 0.35


def floor_y(house: House) -> float:
    """The height of all floors: where the walls stand."""
    return min((wall.base_y for wall in house.walls), default=0.0)


def ceiling_y(house: House, room: Room) -> float:
    """The height of a room's ceiling: where the highest of its walls ends."""
    return max(wall.base_y + wall.height for wall in house.walls if wall.room_id == room.room_id)


def shell(house: House, frames: Mapping[str, WallFrame]) -> list[Structure]:
    """All that is built, each under its own id."""
    openings = (*house.doors, *house.windows)
    holes = {name: holes_of(frame, openings, dict(frames)) for name, frame in frames.items()}
    built = [_floor(house, room) for room in house.rooms]
    built += [_ceiling(house, room) for room in house.rooms]
    built += [_wall(frame, holes[name]) for name, frame in frames.items() if not frame.wall.empty]
    built.append(_skirting(frames, holes))
    return [structure for structure in built if structure.parts]


def _floor(house: House, room: Room) -> Structure:
    y, material = floor_y(house), floor_material(room.floor)
    return Structure(room.room_id, _level("floor", room, y, True, material), object_type=FLOOR)


def _ceiling(house: House, room: Room) -> Structure:
    y, material = ceiling_y(house, room), wall_material(room.ceiling)
    fitting = cylinder(0.19, 0.07, Palette(np.random.default_rng(0)).glow((1.0, 0.96, 0.88), 1.0), sides=24, bevel=0.02)
    lamps = [
        Part(f"ceiling lamp {k}", moved(fitting, light.position[0], y - 0.07, light.position[2]))
        for k, light in enumerate(_lights_of(house, room), start=1)
    ]
    parts = (*_level("ceiling", room, y, False, material), *lamps)
    return Structure(f"Ceiling_{room.room_id}", parts, solid=False, object_type="Ceiling")


def _level(name: str, room: Room, y: float, up: bool, material: Material) -> tuple[Part, ...]:
    """A polygon on the floor plan as sheets at a height, seen from above or from below alone."""
    seen = replace(material, one_sided=True)
    faces = [[0, 2, 1], [0, 3, 2]] if up else [[0, 1, 2], [0, 2, 3]]
    found = []
    for k, quad in enumerate(pieces(room.outline), start=1):
        corners = [(x, y, z) for x, z in quad]
        mesh = mesh_from_faces(corners, faces, seen, crease_deg=0, uv_scale=repeat_of(material))
        found.append(Part(f"{name} {k}", mesh))
    return tuple(found)


def _wall(frame: WallFrame, holes: Sequence[Rectangle]) -> Structure:
    material = wall_material(frame.wall.surface)
    return wall_structure(frame, holes, material, repeat_of(material))


def _skirting(frames: Mapping[str, WallFrame], holes: Mapping[str, Sequence[Rectangle]]) -> Structure:
    material = Material("plain", (0.92, 0.92, 0.9), 0.07, 35)
    meshes = [
        mesh
        for name, frame in frames.items()
        if frame.wall.room_id != EXTERIOR and not frame.wall.empty
        for mesh in baseboards(frame, holes[name], material, _BASEBOARD_M)
    ]
    return Structure("Baseboard", tuple(Part(f"baseboard {k}", m) for k, m in enumerate(meshes, start=1)), solid=False)


def lamps(house: House) -> tuple[Lamp, ...]:
    """Lamps at the ceilings, as bright as their rooms are large; a house without lights gets one a room."""
    found = []
    for room in house.rooms:
        lights = _lights_of(house, room)
        power = float(np.clip(area_of(room.outline) / 9.0, 0.7, 2.6)) / max(len(lights), 1)
        for light in lights:
            strength = power * light.intensity / _USUAL_INTENSITY
            color = tuple(a * b * strength for a, b in zip(_LAMP, light.color, strict=True))
            x, y, z = light.position
            y = min(y, ceiling_y(house, room) - _LAMP_BELOW_M)
            found.append(Lamp((x, y, z), (color[0], color[1], color[2]), 0.2))
    return tuple(found)


def _lights_of(house: House, room: Room) -> list[Light]:
    """The lamps within a room; one in its middle where the house says nothing of light."""
    if not house.lights:
        x, z = centroid(room.outline)
        return [Light("light", "point", (x, ceiling_y(house, room), z), (0.0, 0.0, 0.0), _WARM, _USUAL_INTENSITY)]
    return [
        light
        for light in house.lights
        if light.kind != "directional" and light.intensity > 0 and inside(_flat(light.position), room.outline)
    ]


def _flat(position: Vector) -> tuple[float, float]:
    return position[0], position[2]


def sun(house: House, windows: Sequence[WindowOpening]) -> Sun | None:
    """The first directional light, if there are windows that it can come in through."""
    light = next((light for light in house.lights if light.kind == "directional" and light.intensity > 0), None)
    if light is None or not windows:
        return None
    pitch, yaw, roll = light.rotation_deg
    x, y, z = -rotation(x_deg=pitch, y_deg=yaw, z_deg=roll)[:, 2]
    if y < 0.05:
        return None  # It shines from below the horizon.
    strength = float(np.clip(0.7 * light.intensity / _USUAL_SUN, 0.0, 1.2))
    red, green, blue = (a * b * strength for a, b in zip(_SUN, light.color, strict=True))
    return Sun((float(x), float(y), float(z)), (red, green, blue))


def window_opening(opening: Opening, frames: Mapping[str, WallFrame]) -> WindowOpening | None:
    """A window as light comes in through it; None for one between two rooms."""
    frame = next((frames[name] for name in opening.walls if frames[name].wall.room_id != EXTERIOR), None)
    rooms = [name for name in opening.walls if frames[name].wall.room_id != EXTERIOR]
    if frame is None or len(rooms) > 1:
        return None
    a, bottom, b, top = holes_of(frame, [opening], dict(frames))[0]
    half, rise = (b - a) / 2, (top - bottom) / 2
    return WindowOpening(
        frame.point((a + b) / 2, (bottom + top) / 2),
        (frame.ahead[0] * half, 0.0, frame.ahead[1] * half),
        (0.0, rise, 0.0),
        (frame.inward[0], 0.0, frame.inward[1]),
    )
