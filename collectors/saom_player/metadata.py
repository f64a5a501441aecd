"""What the player tells about a scene and its agent, under AI2-THOR's field names."""

import hashlib
import math
from collections.abc import Collection
from typing import Any

import numpy as np

from saom_player.scene import Box, Scene, SceneObject, Structure, Vector
from saom_player.simulation import Agent, Simulation, ThirdPartyCamera, client_name

ColorRgb = tuple[int, int, int]
_STATES = (
    "receptacle toggleable isToggled breakable isBroken canFillWithLiquid isFilledWithLiquid dirtyable isDirty "
    "canBeUsedUp isUsedUp cookable isCooked isHeatSource isColdSource sliceable isSliced openable isOpen pickupable "
    "isPickedUp moveable isMoving"
).split()
"""The booleans that a SceneObject's flags name."""
_NOWHERE = Agent((0.0, 0.0, 0.0))


def color_of(name: str) -> ColorRgb:
    """The colour of an id or class in segmentation pictures: AI2-THOR's, the first three bytes of its MD5."""
    red, green, blue = hashlib.md5(name.encode(), usedforsecurity=False).digest()[:3]
    return red, green, blue


def instance_name(instance: SceneObject | Structure) -> str:
    """What an instance is called in the colour table: an object by its id."""
    return instance.object_id if isinstance(instance, SceneObject) else instance.name


def class_name(instance: SceneObject | Structure) -> str:
    """What an instance's class is called in the colour table."""
    return instance.object_type or instance.name.split("|")[0]


def vector_metadata(vector: Vector) -> dict[str, float]:
    """A vector as the client reads it."""
    return {"x": float(vector[0]), "y": float(vector[1]), "z": float(vector[2])}


def bounds_metadata(center: Vector, size: Vector) -> dict[str, Any]:
    """An axis-aligned box as the client reads it: its corners run with z fastest, from + to -."""
    half = np.array(size) / 2
    corners = [center + half * (i, j, k) for i in (1, -1) for j in (1, -1) for k in (1, -1)]
    return {
        "cornerPoints": [corner.tolist() for corner in corners],
        "center": vector_metadata(center),
        "size": vector_metadata(size),
    }


class SceneMetadata:
    """The metadata of one scene: all that does not change is made once."""

    def __init__(self, scene: Scene) -> None:
        inside: dict[str, list[str]] = {}
        for thing in scene.objects:
            for receptacle in thing.parent_receptacles:
                inside.setdefault(receptacle, []).append(thing.object_id)
        self._fixed = [_object_metadata(thing, inside.get(thing.object_id, [])) for thing in scene.objects]
        self._positions = np.array([thing.position for thing in scene.objects]).reshape(-1, 3)
        self.colors = _color_table(scene)
        self.bounds = bounds_metadata(scene.bounds.center, scene.bounds.size)
        self.name = client_name(scene.name)

    def objects(self, agent: Agent, visible: Collection[int]) -> list[dict[str, Any]]:
        """All objects, from where the agent is; ``visible`` holds 1-based instances."""
        distances = np.linalg.norm(self._positions - agent.position, axis=1).tolist()
        return [
            {**fixed, "visible": number in visible, "isInteractable": number in visible, "distance": distance}
            for number, (fixed, distance) in enumerate(zip(self._fixed, distances, strict=True), 1)
        ]


def agent_event(
    sim: Simulation, scene: SceneMetadata | None, visible: Collection[int], send_colors: bool
) -> dict[str, Any]:
    """Everything about the simulation in an event; the last action's fate is for the caller to add."""
    agent = sim.loaded.agent if sim.loaded else _NOWHERE
    cameras = sim.loaded.cameras if sim.loaded else []
    return {
        "objects": scene.objects(agent, visible) if scene else [],
        "isSceneAtRest": True,
        "agent": _agent_metadata(agent),
        "heldObjectPose": _hand_metadata(agent),
        "arm": None,
        "fov": sim.settings.fov_deg,
        "cameraPosition": vector_metadata(agent.camera_position),
        "cameraOrthSize": -1.0,
        "thirdPartyCameras": [_camera_metadata(number, camera) for number, camera in enumerate(cameras)],
        "collided": False,
        "collidedObjects": [],
        "inventoryObjects": [],
        "sceneName": scene.name if scene else "",
        "screenWidth": sim.size_hw[1],
        "screenHeight": sim.size_hw[0],
        "agentId": 0,
        "depthFormat": "Meters",
        "colors": scene.colors if scene and send_colors else None,
        "sceneBounds": scene.bounds if scene else bounds_metadata((0.0, 0.0, 0.0), (0.0, 0.0, 0.0)),
        **_EXTRAS,
    }


_EXTRAS: dict[str, Any] = {
    "colorBounds": None,
    "flatSurfacesOnGrid": [],
    "distances": [],
    "normals": [],
    "isOpenableGrid": [],
    "segmentedObjectIds": [],
    "objectIdsInBox": [],
    "actionIntReturn": 0,
    "actionFloatReturn": 0.0,
    "actionStringsReturn": [],
    "actionFloatsReturn": [],
    "actionVector3sReturn": [],
    "visibleRange": None,
    # A simulation without physics has no clock, and a wall clock would make equal commands give unequal bytes.
    "currentTime": 0.0,
}
"""Fields that AI2-THOR fills for actions that this player does not have."""


def _object_metadata(thing: SceneObject, contents: list[str]) -> dict[str, Any]:
    is_open = "isOpen" in thing.flags
    return {
        "name": thing.name,
        "position": vector_metadata(thing.position),
        "rotation": vector_metadata(thing.rotation_deg),
        "visible": False,
        "isInteractable": False,
        "obstructed": False,
        **{state: state in thing.flags for state in _STATES},
        "openness": float(thing.openness) if is_open else 0.0,
        "fillLiquid": None,
        "temperature": "RoomTemp",
        "mass": float(thing.mass),
        "salientMaterials": list(thing.salient_materials) or None,
        "receptacleObjectIds": contents if "receptacle" in thing.flags else None,
        "distance": 0.0,
        "objectType": thing.object_type,
        "objectId": thing.object_id,
        "assetId": thing.asset_id,
        "parentReceptacles": list(thing.parent_receptacles) or None,
        "controlledObjects": None,
        "axisAlignedBoundingBox": _aligned_box(thing.box),
        "objectOrientedBoundingBox": {"cornerPoints": thing.box.corners().tolist()},
    }


def _aligned_box(box: Box) -> dict[str, Any]:
    corners = box.corners()
    low, high = corners.min(axis=0), corners.max(axis=0)
    return bounds_metadata(tuple(((low + high) / 2).tolist()), tuple((high - low).tolist()))


def _color_table(scene: Scene) -> list[dict[str, Any]]:
    """Colours of ids and of classes. Where two names share a colour, the client could not tell them apart anyway."""
    names = dict.fromkeys(
        name for instance in scene.instances() for name in (instance_name(instance), class_name(instance))
    )
    return [{"color": list(color_of(name)), "name": name} for name in names]


def _agent_metadata(agent: Agent) -> dict[str, Any]:
    return {
        "name": "agent",
        "position": vector_metadata(agent.position),
        "rotation": vector_metadata((0.0, agent.yaw_deg, 0.0)),
        "cameraHorizon": float(agent.horizon_deg),
        "isStanding": agent.standing,
        "inHighFrictionArea": False,
    }


def _hand_metadata(agent: Agent) -> dict[str, Any]:
    """The empty hand: where AI2-THOR's default agent carries things, in front of its camera."""
    local = (0.0, -0.16, 0.38)
    turn = math.radians(agent.yaw_deg)
    x, y, z = agent.camera_position
    held = (x + local[2] * math.sin(turn), y + local[1], z + local[2] * math.cos(turn))
    return {
        "position": vector_metadata(held),
        "rotation": vector_metadata((0.0, agent.yaw_deg, 0.0)),
        "localPosition": vector_metadata(local),
        "localRotation": vector_metadata((0.0, 0.0, 0.0)),
    }


def _camera_metadata(number: int, camera: ThirdPartyCamera) -> dict[str, Any]:
    return {
        "thirdPartyCameraId": number,
        "position": vector_metadata(camera.position),
        "rotation": vector_metadata(camera.rotation_deg),
        "fieldOfView": camera.fov_deg,
    }
