"""The player's message loop: one action in, one event out, until the client leaves. No action can end it."""

import sys
import traceback
import weakref
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from weakref import WeakKeyDictionary

from saom_player.actions.table import handler_of
from saom_player.arguments import ActionError, bind
from saom_player.metadata import SceneMetadata, agent_event
from saom_player.pictures import PictureMaker, Taken
from saom_player.protocol import ClientGone, Transport
from saom_player.simulation import Agent, Place, SceneSource, Settings, Simulation, Size, ThirdPartyCamera

_State = tuple["weakref.ref[Place]", Agent, tuple[ThirdPartyCamera, ...], Settings, Size, bool, bool]


@dataclass(frozen=True)
class Outcome:
    """How an action went: as AI2-THOR, an error code is only there for some failures."""

    action: str
    result: Any = None
    error: str = ""
    code: str | None = None
    success: bool = True

    def told(self) -> dict[str, Any]:
        """Its fate, under the client's names."""
        return {
            "lastAction": self.action,
            "lastActionSuccess": self.success,
            "errorMessage": self.error,
            "errorCode": self.code,
            "actionReturn": self.result,
        }

    def failed(self, error: Exception) -> "Outcome":
        """The same action, failed."""
        if isinstance(error, ActionError):
            return Outcome(self.action, None, str(error), error.code, False)
        traceback.print_exception(error)
        sys.stderr.flush()
        return Outcome(
            self.action,
            None,
            f"the embedded player failed in {self.action}: {type(error).__name__}: {error}",
            None,
            False,
        )


class Player:
    """Serves one client."""

    def __init__(
        self, transport: Transport, source: SceneSource, size_hw: Size = (300, 300), send_pictures: bool = True
    ) -> None:
        """``send_pictures`` False: the client was started headless and reads none."""
        self._transport = transport
        self._sim = Simulation(source, size_hw)
        self._send_pictures = send_pictures
        # Weak keys: a scene goes before the next one is loaded, so that memory never holds two.
        self._shown: WeakKeyDictionary[Place, _Shown] = WeakKeyDictionary()
        self._sequence_id = 0
        self._sent: _State | None = None
        """Of the last whole event."""

    def run(self) -> None:
        """Say hello, and answer actions until the client leaves. Raises ProtocolError when it talks nonsense."""
        try:
            self._answer(Outcome("Initial"), {"renderImage": False})
            while True:
                self.serve(self._transport.receive())
        except ClientGone:
            return

    def serve(self, message: Mapping[str, Any]) -> None:
        """Do one action and send its event. Raises ClientGone."""
        self._sequence_id = message.get("sequenceId", self._sequence_id)
        self._answer(self._act(message), message)

    def _act(self, message: Mapping[str, Any]) -> Outcome:
        action = str(message.get("action"))
        outcome = Outcome(action)
        try:
            if message.get("agentId", 0) != 0:
                raise ActionError(f"there is no agent {message['agentId']}: the embedded player simulates one, agent 0")
            handler = handler_of(action)
            return Outcome(action, handler(self._sim, **bind(action, handler, message)))
        except Exception as error:
            return outcome.failed(error)

    def _answer(self, outcome: Outcome, message: Mapping[str, Any]) -> None:
        taken = Taken()
        wanted = message.get("renderImage") is not False and self._send_pictures
        instances = self._sim.settings.instances or message.get("renderInstanceSegmentation") is True
        place = self._sim.loaded
        state = self._state(wanted, instances)
        if self._sim.settings.fast_emit and state is not None and state == self._sent:
            self._transport.send_patch({**outcome.told(), "agentId": 0})
            return
        self._sent = state
        if place is not None and self._sim.initialized:
            try:
                maker = self._scene(place).pictures(place)
                taken = maker.take(self._sim, place, instances, wanted)
            except Exception as error:
                outcome, self._sent = outcome.failed(error), None
        self._transport.send(self._event(outcome, taken, instances and wanted), taken.pictures)

    def _state(self, wanted: bool, instances: bool) -> "_State | None":
        """All that an event's pictures and metadata follow from, but the action's fate; None without a scene."""
        sim = self._sim
        if sim.loaded is None or not sim.initialized:
            return None
        # A weak reference, so that a scene can go before the next one is loaded.
        place = weakref.ref(sim.loaded)
        return place, sim.loaded.agent, tuple(sim.loaded.cameras), sim.settings, sim.size_hw, wanted, instances

    def _event(self, outcome: Outcome, taken: Taken, send_colors: bool) -> dict[str, Any]:
        scene = self._scene(self._sim.loaded).metadata if self._sim.loaded else None
        agent = agent_event(self._sim, scene, taken.visible, send_colors or self._sim.settings.classes)
        agent |= {**taken.metadata, **outcome.told()}
        return {"agents": [agent], "thirdPartyCameras": None, "activeAgentId": 0, "sequenceId": self._sequence_id}

    def _scene(self, place: Place) -> "_Shown":
        if place not in self._shown:
            self._shown[place] = _Shown(place)
        return self._shown[place]


class _Shown:
    """What is made once for a loaded scene. It must not hold the scene's Place, or neither would ever go."""

    def __init__(self, place: Place) -> None:
        self.metadata = SceneMetadata(place.scene)
        self._pictures: PictureMaker | None = None

    def pictures(self, place: Place) -> PictureMaker:
        """Made on demand: it needs the renderer."""
        if self._pictures is None:
            self._pictures = PictureMaker(place)
        return self._pictures
