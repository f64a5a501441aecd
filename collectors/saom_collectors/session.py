"""What collecting needs of a simulator, whichever it is; thor.py provides it, tests bring a small fake."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from saom_bench.errors import SaomBenchError
from saom_bench.types import Pose, RgbImage, Size

Position = tuple[float, float, float]


class ActionFailed(SaomBenchError):
    """The simulator refused an action, such as standing where there is no room; it can go on."""


class PlayerLost(SaomBenchError):
    """The simulator ended, hung or never started; a new one is needed."""


@dataclass(frozen=True)
class PlayerOptions:
    """Which simulator to start, and the pictures it should take."""

    kind: str = "embedded"
    """"embedded" (renders on a CPU) or "unity" (AI2-THOR's own build)."""
    size_hw: Size = (480, 640)
    fov_deg: float = 90.0
    executable: Path | None = None
    """For "unity": a build on this machine; None has the client find or download its own."""
    packs: Path | None = None
    """For "embedded": a folder of scene packs, used for the scenes that it has."""
    houses: Path | None = None
    """A file of ProcTHOR houses, which are then the scenes."""
    commit: str | None = None
    """For "unity": the commit of the build that the client shall find; None is the one it was made for."""
    start_timeout_s: float = 120.0
    reset_timeout_s: float = 300.0
    step_timeout_s: float = 120.0
    parts: bool = False
    """For "embedded": part ids with every picture."""

    @property
    def longest_call_s(self) -> float:
        """How long a player may say nothing."""
        return max(self.start_timeout_s, self.reset_timeout_s, self.step_timeout_s)

    def anywhere(self) -> "PlayerOptions":
        """The same with whole paths: right in any working folder."""
        named = {name: getattr(self, name) for name in ("executable", "packs", "houses")}
        return replace(self, **{name: path and path.resolve() for name, path in named.items()})


@dataclass(frozen=True)
class PlacedObject:
    """An object of the loaded scene: its id, AI2-THOR objectType, and the middle of its box in metres."""

    object_id: str
    object_type: str
    center: Position


@dataclass(frozen=True)
class View:
    """What the simulator shows from a pose: the picture, and which object each pixel belongs to."""

    rgb: RgbImage
    ids: NDArray[np.uint32]
    """(H, W) colour keys; an object's pixels are ``ids == keys[object_id]``."""
    keys: Mapping[str, int]
    """Colour key of each object that can have a mask."""
    types: Mapping[str, str]
    """AI2-THOR objectType of each object in the scene."""
    pose: Pose
    """Where the agent really stands, as the simulator says."""
    parts: NDArray[np.uint16] | None = None
    """(H, W) part numbers, the same in all views of a scene, 0 for nothing; None where they were not asked for."""
    faulty: tuple[str, ...] = ()
    """Objects in the picture that were left out of ``keys``, since their masks are known to be wrong."""


class Session(Protocol):
    """A running simulator."""

    def scenes(self) -> tuple[str, ...]:
        """The scenes it has."""
        ...

    def reset(self, scene: str) -> None:
        """Load a scene."""
        ...

    def resize(self, size_hw: Size) -> None:
        """Take pictures of another size from now on."""
        ...

    def reachable(self) -> tuple[Position, ...]:
        """Where the agent can stand, in metres, sorted."""
        ...

    def objects(self) -> tuple[PlacedObject, ...]:
        """The objects of the scene as they are now, sorted by id."""
        ...

    def randomize(self, what: str, seed: int) -> None:
        """Change the scene by a seed: its "spawn", "materials" or "lighting", until the next reset.

        Raises ActionFailed when the simulator refuses. AI2-THOR's own player has no seed but for spawn.
        """
        ...

    def look(self, pose: Pose) -> View:
        """Stand and look somewhere. Raises ActionFailed when there is no room."""
        ...

    def log(self) -> str:
        """The end of what the simulator has printed; empty when it printed nothing."""
        ...

    def close(self) -> None:
        """End the simulator."""
        ...
