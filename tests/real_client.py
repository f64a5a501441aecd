"""The unmodified ai2thor client for tests, and the names that its users find in what it tells."""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import ai2thor.controller
import pytest

# Of AI2-THOR 5.0.0, as its client and its documentation name them.
OBJECT_FIELDS = set(
    "name position rotation visible isInteractable receptacle toggleable isToggled breakable isBroken "
    "canFillWithLiquid isFilledWithLiquid fillLiquid dirtyable isDirty canBeUsedUp isUsedUp cookable isCooked "
    "temperature isHeatSource isColdSource sliceable isSliced openable isOpen openness pickupable isPickedUp moveable "
    "mass salientMaterials receptacleObjectIds distance objectType objectId assetId parentReceptacles "
    "controlledObjects isMoving axisAlignedBoundingBox objectOrientedBoundingBox".split()
)
EVENT_FIELDS = set(
    "objects isSceneAtRest agent heldObjectPose arm fov cameraPosition cameraOrthSize thirdPartyCameras collided "
    "collidedObjects inventoryObjects sceneName lastAction errorMessage errorCode lastActionSuccess screenWidth "
    "screenHeight agentId colors colorBounds flatSurfacesOnGrid distances normals isOpenableGrid segmentedObjectIds "
    "objectIdsInBox actionIntReturn actionFloatReturn actionStringsReturn actionFloatsReturn actionVector3sReturn "
    "visibleRange currentTime sceneBounds actionReturn".split()
)
AGENT_FIELDS = {"name", "position", "rotation", "cameraHorizon", "isStanding", "inHighFrictionArea"}


@contextmanager
def controller(home: Path, **options: Any) -> Iterator[Any]:
    with pytest.MonkeyPatch.context() as patch:
        # The client keeps builds under the home folder, and prunes them.
        patch.setenv("HOME", str(home))
        patch.setenv("XDG_CACHE_HOME", str(home / "cache"))
        patch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
        client = ai2thor.controller.Controller(
            **{
                "x_display": "0",
                "width": 300,
                "height": 300,
                "server_timeout": 60.0,
                "snapToGrid": False,
                "renderInstanceSegmentation": True,
                "renderDepthImage": True,
            }
            | options
        )
        try:
            yield client
        finally:
            client.stop()
            client.server.unity_proc.wait(10)


def md5_color(name: str) -> tuple[int, ...]:
    """AI2-THOR's colour of an id or a class."""
    return tuple(hashlib.md5(name.encode()).digest()[:3])
