"""A client in the player's own process: sends actions, and keeps the events and pictures that come back."""

from typing import Any

import numpy as np
from tiny_room import NAMES, BoxRenderer, room

from saom_player.player import Player
from saom_player.protocol import ClientGone, Field, Metadata, Picture
from saom_player.scene import Scene
from saom_player.simulation import SceneSource

SIZE_HW = (24, 32)


class Table:
    """A client across the table: asks, and keeps the answers."""

    def __init__(self, source: SceneSource | None = None, **options: Any) -> None:
        self.renderers: list[BoxRenderer] = []
        source = source or SceneSource(lambda: NAMES, room, self._renderer)
        self.events: list[tuple[Metadata, dict[Field, list[np.ndarray]]]] = []
        self._player = Player(self, source, size_hw=SIZE_HW, **options)
        self._sequence = 0
        self.patches = 0

    def _renderer(self, scene: Scene) -> Any:
        self.renderers.append(BoxRenderer(scene))
        return self.renderers[-1]

    def send(self, metadata: Metadata, pictures: list[Picture]) -> None:
        fields: dict[Field, list[np.ndarray]] = {}
        for field, data in pictures:
            fields.setdefault(field, []).append(np.asarray(data))
        self.events.append((metadata, fields))

    def send_patch(self, patch: Metadata) -> None:
        """As the client: the last event again, with what the patch changes."""
        metadata, fields = self.events[-1]
        agents = [metadata["agents"][0] | patch]
        self.events.append((metadata | {"agents": agents, "sequenceId": self._sequence}, fields))
        self.patches += 1

    def receive(self) -> Metadata:
        raise ClientGone

    def do(self, action: str, **arguments: Any) -> dict[str, Any]:
        """The agent's event of one action."""
        self._sequence += 1
        self._player.serve({"action": action, "sequenceId": self._sequence, **arguments})
        assert self.events[-1][0]["sequenceId"] == self._sequence
        return self.event

    def start(self, scene: str = "FloorPlan1_physics", **initialize: Any) -> "Table":
        self.ok("Reset", sceneName=scene)
        self.ok("Initialize", **({"snapToGrid": False} | initialize))
        return self

    def ok(self, action: str, **arguments: Any) -> Any:
        """The actionReturn of an action that must succeed."""
        event = self.do(action, **arguments)
        assert event["lastActionSuccess"], event["errorMessage"]
        assert (event["errorMessage"], event["errorCode"], event["lastAction"]) == ("", None, action)
        return event["actionReturn"]

    def fails(self, action: str, code: str | None = None, **arguments: Any) -> str:
        """The message of an action that must fail."""
        event = self.do(action, **arguments)
        assert (event["lastActionSuccess"], event["errorCode"]) == (False, code)
        assert event["actionReturn"] is None
        assert event["errorMessage"]
        return str(event["errorMessage"])

    @property
    def event(self) -> dict[str, Any]:
        event: dict[str, Any] = self.events[-1][0]["agents"][0]
        return event

    @property
    def pictures(self) -> dict[Field, list[np.ndarray]]:
        return self.events[-1][1]

    @property
    def pose(self) -> tuple[float, ...]:
        agent = self.event["agent"]
        p = agent["position"]
        return round(p["x"], 4), round(p["z"], 4), agent["rotation"]["y"], agent["cameraHorizon"]

    def look_from(self, x: float, z: float, yaw: float, horizon: float = 0.0, **more: Any) -> None:
        self.ok(
            "TeleportFull",
            position={"x": x, "y": 0.9, "z": z},
            rotation={"x": 0, "y": yaw, "z": 0},
            horizon=horizon,
            standing=True,
            **more,
        )
