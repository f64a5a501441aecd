"""The state of one simulation: a scene, the agent in it, extra cameras, and what the client asked to be rendered."""

import re
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, Protocol

from saom_player.arguments import ActionError
from saom_player.physics.navigation import Navigation
from saom_player.scene import Scene, Vector

if TYPE_CHECKING:
    # Whatever draws pictures loads Embree: not before the first picture is wanted.
    from saom_player.render.renderer import Camera, Frame

Size = tuple[int, int]
"""(H, W) in pixels."""
SCENE_SUFFIX = "_physics"
"""iTHOR's scenes are "FloorPlan1" to people, and "FloorPlan1_physics" between client and player."""
PROCEDURAL = "Procedural"
"""The empty scene that CreateHouse fills; a house goes by its name, too."""
_ITHOR_SCENE = re.compile(r"FloorPlan\d+")
CAMERA_ABOVE_AGENT_M = 0.675
"""Of a standing agent's camera; a crouching one's is at its position."""
MAX_UP_DEG = 30.0
MAX_DOWN_DEG = 60.0
MAX_SIDE_PX = 4096
NEAR_PLANE_M = 0.1
FAR_PLANE_M = 20.0


def client_name(scene: str) -> str:
    """A scene's name between client and player; RoboTHOR's FloorPlan_Train1_1 and houses go by their own."""
    return scene + SCENE_SUFFIX if _ITHOR_SCENE.fullmatch(scene) else scene


class Renderer(Protocol):
    """Draws one scene."""

    def render(self, camera: "Camera", size_hw: Size, rgb: bool = True, normals: bool = False) -> "Frame":
        """Draw a view; without ``rgb`` only instances, parts and depth, and normals where asked for."""
        ...


@dataclass(frozen=True)
class SceneSource:
    """Where scenes and their pictures come from."""

    names: Callable[[], list[str]]
    load: Callable[[str], Scene]
    """Raises ActionError for an unknown name."""
    renderer: Callable[[Scene], Renderer]
    house: Callable[[dict[str, Any]], Scene] | None = None
    """The scene of a ProcTHOR house; raises ActionError for a malformed one."""
    navigation: Callable[[Scene], Navigation] = Navigation
    """Of a scene as it was loaded; changed ones are mapped anew."""


@dataclass(frozen=True)
class Settings:
    """What Initialize sets; AI2-THOR's defaults."""

    grid_size_m: float = 0.25
    snap_to_grid: bool = True
    fov_deg: float = 90.0
    visibility_distance_m: float = 1.5
    rotate_step_deg: float = 90.0
    depth: bool = False
    instances: bool = False
    classes: bool = False
    normals: bool = False
    parts: bool = False
    """The embedded player's own: part ids in every event's metadata."""
    fast_emit: bool = False
    """Send nothing again that the client has."""


@dataclass(frozen=True)
class Agent:
    """Where the agent is, and where it looks: yaw clockwise from +z, horizon positive down."""

    position: Vector
    yaw_deg: float = 0.0
    horizon_deg: float = 0.0
    standing: bool = True

    @property
    def camera_position(self) -> Vector:
        """The camera's place in the world."""
        x, y, z = self.position
        return x, y + (CAMERA_ABOVE_AGENT_M if self.standing else 0.0), z


@dataclass(frozen=True)
class ThirdPartyCamera:
    """A camera of its own; its rotation as Unity Euler angles."""

    position: Vector
    rotation_deg: Vector
    fov_deg: float


@dataclass(eq=False)
class Place:
    """A scene as it is now, who is in it; its map and its renderer on demand. A changed scene is another Place."""

    scene: Scene
    source: SceneSource
    original: Scene
    """The scene as it was loaded: what Reset* actions go back to."""
    agent: Agent
    cameras: list[ThirdPartyCamera] = field(default_factory=list)
    first: "Place | None" = field(default=None, repr=False)
    """The place as it was loaded, with its map and renderer; None for that one itself."""

    @classmethod
    def of(cls, scene: Scene, source: SceneSource, grid_size_m: float) -> "Place":
        """A scene with the agent at its start."""
        return cls(scene, source, scene, Agent(scene.agent_position)).at_start(grid_size_m)

    def at_start(self, grid_size_m: float) -> "Place":
        """The same, with the agent where the scene wants it, or as near as it can be."""
        start = Agent(self.scene.agent_position, self.scene.agent_yaw_deg % 360.0)
        self.agent = replace(start, position=self.navigation.start(grid_size_m))
        return self

    def changed(self, scene: Scene) -> "Place":
        """The same place with other contents: the agent and the cameras stay."""
        return Place(scene, self.source, self.original, self.agent, self.cameras, self.first or self)

    def anew(self, grid_size_m: float) -> "Place":
        """The place as it was loaded, with the agent at its start; map and renderer are kept."""
        first = self.first or self
        place = Place(first.scene, first.source, first.scene, first.agent)
        for name in ("navigation", "renderer"):
            if name in vars(first):
                vars(place)[name] = getattr(first, name)
        return place.at_start(grid_size_m)

    @cached_property
    def navigation(self) -> Navigation:
        """Where the agent can go."""
        return self.source.navigation(self.scene) if self.first is None else Navigation(self.scene)

    @cached_property
    def renderer(self) -> Renderer:
        """Draws this scene."""
        return self.source.renderer(self.scene)


class Simulation:
    """All that actions read and change."""

    def __init__(self, source: SceneSource, size_hw: Size = (300, 300)) -> None:
        self.source = source
        self.size_hw = size_hw
        self.settings = Settings()
        self.initialized = False
        """Between a reset and Initialize nobody looks at pictures: the client replaces that event at once."""
        self.loaded: Place | None = None
        self._loaded_name: str | None = None
        self._why_empty = "no scene is loaded; reset to one first"

    @property
    def place(self) -> Place:
        """The loaded scene. Raises ActionError when there is none."""
        if self.loaded is None:
            raise ActionError(self._why_empty)
        return self.loaded

    @property
    def agent(self) -> Agent:
        """The agent. Raises ActionError when there is no scene for it."""
        return self.place.agent

    @agent.setter
    def agent(self, agent: Agent) -> None:
        self.place.agent = agent

    def load(self, name: str) -> None:
        """Replace the scene, and put the agent at its start. Raises ActionError; then no scene is loaded.

        A scene's name says all about it: the loaded one is not built again.
        """
        same = self.loaded if name == self._loaded_name else None
        self.unload("")
        if same is not None:
            self.loaded, self._loaded_name = same.anew(self.settings.grid_size_m), name
            return
        try:
            place = Place.of(self.source.load(name), self.source, self.settings.grid_size_m)
        except ActionError as error:
            self.unload(str(error))
            raise
        except Exception as error:
            self.unload(f"the scene {name!r} could not be loaded: {type(error).__name__}: {error}")
            raise
        self.loaded, self._loaded_name = place, name

    def load_empty(self) -> None:
        """Replace the scene by the one without anything that a house is made in."""
        self.unload("")
        self.loaded = Place.of(Scene(PROCEDURAL, (), ()), self.source, self.settings.grid_size_m)

    def create_house(self, data: dict[str, Any]) -> None:
        """Replace the empty scene by a house's, with the agent at its start. Raises ActionError; then it stays."""
        if self.source.house is None:
            raise ActionError("this player has no houses")
        self.loaded = Place.of(self.source.house(data), self.source, self.settings.grid_size_m)

    def unload(self, why: str) -> None:
        """Forget the scene; whatever needs one fails with ``why`` from now on.

        The client does not look at whether its Reset succeeded: going on in the old scene would deceive it.
        """
        self.loaded = self._loaded_name = None
        self.settings, self.initialized = Settings(), False
        self._why_empty = why

    def change(self, scene: Scene) -> None:
        """Replace the scene's contents; pictures, metadata and the map follow."""
        self.loaded = self.place.changed(scene)

    def stand_at(self, x: float, z: float) -> None:
        """Move the agent without asking what is there."""
        self.agent = replace(self.agent, position=(x, self.agent.position[1], z))

    def snapped(self, value: float) -> float:
        """A coordinate on the grid, if the agent keeps to it."""
        if not self.settings.snap_to_grid:
            return value
        return round(round(value / self.settings.grid_size_m) * self.settings.grid_size_m, 6)
