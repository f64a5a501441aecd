"""A room with things all round the agent, one of them right behind it, and a session that draws it in this process."""

from dataclasses import dataclass, field, replace

import numpy as np
import tiny_room

from saom_bench.types import Pose, Size
from saom_collectors.session import ActionFailed, PlacedObject, Position, View
from saom_player.render.renderer import Camera, Renderer
from saom_player.scene import Scene

EYE = (0.0, 1.575, 0.0)
FEET = (0.0, 0.9, 0.0)
BEHIND = "Bed|+00.00|+01.20|-01.80"
"""As seen by an agent that looks along +z."""
_KINDS = ("Sofa", "Mug", "Laptop", "Bowl", "Box", "ArmChair", "Vase")


def room() -> Scene:
    """The tiny room with its own things gone, seven others round its middle, and the bed behind."""
    things = [tiny_room.thing(BEHIND, (0.9, 0.7, 0.2), (0.0, 1.2, -1.8), (0.2, 0.5, 0.9), "moveable")]
    for k, kind in enumerate(_KINDS):
        angle = np.radians(20 + 45 * k)
        x, z = 1.6 * float(np.sin(angle)), 1.6 * float(np.cos(angle))
        y = 0.9 + 0.18 * k
        color = (0.2 + 0.1 * k, 0.8 - 0.1 * k, 0.3 + 0.3 * (k % 3) / 2)
        things.append(
            tiny_room.thing(f"{kind}|{x:+06.2f}|{y:+06.2f}|{z:+06.2f}", (0.4, 0.35, 0.3), (x, y, z), color, "")
        )
    return replace(tiny_room.room(), objects=tuple(things))


@dataclass
class RoomSession:
    """Looks into the ring room with the player's own renderer; an object's colour key is its number."""

    renderer: Renderer
    size_hw: Size
    fov_deg: float = 90.0
    looks: list[Pose] = field(default_factory=list)

    def scenes(self) -> tuple[str, ...]:
        return ("FloorPlan1",)

    def reset(self, scene: str) -> None:
        return

    def resize(self, size_hw: Size) -> None:
        self.size_hw = size_hw

    def reachable(self) -> tuple[Position, ...]:
        return (FEET,)

    def objects(self) -> tuple[PlacedObject, ...]:
        return tuple(PlacedObject(o.object_id, o.object_type, o.box.center) for o in self.renderer.scene.objects)

    def randomize(self, what: str, seed: int) -> None:
        return

    def look(self, pose: Pose) -> View:
        self.looks.append(pose)
        eye = (pose.x, pose.y + EYE[1] - FEET[1], pose.z)
        frame = self.renderer.render(Camera(eye, pose.yaw_deg, pose.horizon_deg, self.fov_deg), self.size_hw)
        assert frame.rgb is not None
        names = [o.object_id for o in self.renderer.scene.objects]
        return View(
            rgb=frame.rgb,
            ids=frame.instances.astype(np.uint32),
            keys={name: k for k, name in enumerate(names, 1)},
            types={name: name.split("|")[0] for name in names},
            pose=pose,
            parts=frame.parts.astype(np.uint16),
        )

    def log(self) -> str:
        return ""

    def close(self) -> None:
        return


@dataclass
class Clumsy:
    """Passes on to a session, but at one look something is wrong: drift, a turn, a thing that moved, no room."""

    session: RoomSession
    fault: str
    at: int = 4

    def look(self, pose: Pose) -> View:
        is_now = len(self.session.looks) == self.at
        if is_now and self.fault == "missing":
            raise ActionFailed("TeleportFull failed: a chair is in the way")
        view = self.session.look(pose)
        if is_now and self.fault == "drift":
            return replace(view, pose=replace(pose, x=pose.x + 0.012))
        if is_now and self.fault == "turn":
            return replace(view, pose=replace(pose, yaw_deg=pose.yaw_deg + 0.2))
        return view

    def objects(self) -> tuple[PlacedObject, ...]:
        things = self.session.objects()
        if self.fault == "gone" and len(self.session.looks) > self.at:
            return things[1:]
        if self.fault == "moved" and len(self.session.looks) > self.at:
            x, y, z = things[2].center
            return (*things[:2], replace(things[2], center=(x, y - 0.03, z)), *things[3:])
        return things
