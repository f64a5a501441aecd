"""What an event of the AI2-THOR client shows: the picture, whose pixel is whose, where the agent stands, parts."""

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from saom_bench.errors import SaomBenchError
from saom_bench.types import Pose
from saom_collectors.known_faults import known_fault
from saom_collectors.session import PlayerLost, PlayerOptions, View


def view_of(event: Any, options: PlayerOptions, scene: str) -> View:
    """The view of an event in a scene. Raises PlayerLost where the player sent less than it was asked for."""
    masks = event.instance_masks
    if event.frame is None or not hasattr(masks, "instance_segmentation_frame_uint32"):
        raise PlayerLost(f"the {options.kind} player sent no picture or no instance masks in {scene}")
    keys = keys_of(masks)
    ids = masks.instance_segmentation_frame_uint32
    wrong = [name for name in keys if options.kind == "unity" and known_fault(scene, name)]
    faulty = tuple(name for name in wrong if (ids == keys.pop(name)).any())
    agent = event.metadata["agent"]
    x, y, z = (_tidy(agent["position"][axis]) for axis in "xyz")
    return View(
        rgb=np.ascontiguousarray(event.frame[..., :3]),
        ids=ids,
        keys=keys,
        types={str(o["objectId"]): str(o["objectType"]) for o in event.metadata["objects"]},
        pose=Pose(
            x,
            y,
            z,
            yaw_deg=_tidy(agent["rotation"]["y"]) % 360.0,
            horizon_deg=_tidy(agent["cameraHorizon"]),
            standing=bool(agent.get("isStanding", True)),
        ),
        parts=_parts_in(event.metadata) if options.parts else None,
        faulty=faulty,
    )


def keys_of(masks: Any) -> dict[str, int]:
    """Each object's value in the id frame of the client's ``event.instance_masks``."""
    return {name: int(masks._integer_color_key(list(color))) for name, color in masks.instance_colors.items()}


def _parts_in(event: Mapping[str, Any]) -> NDArray[np.uint16]:
    """(H, W) the part ids of an event's metadata."""
    told = event.get("partSegmentation")
    if told is None:
        raise PlayerLost("the player sent no part ids, though it was asked for them")
    if told["dtype"] != "<u2":
        raise SaomBenchError("the scene has more than 65,535 parts, which no shard can tell apart; leave --parts away")
    return np.frombuffer(told["data"], told["dtype"]).reshape(told["shape"])


def _tidy(value: float) -> float:
    """Six decimals: below any meaning, and above the noise of another machine's arithmetic; never -0."""
    rounded = round(float(value), 6)
    return 0.0 if math.isclose(rounded, 0.0, abs_tol=1e-9) else rounded
