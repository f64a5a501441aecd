"""The door to AI2-THOR: starts a player through its client, and makes every failure an error.

The client itself is thor_client.py's, what its events show is thor_view.py's. Where the client would wait for a player
that has died, watch.py wakes it.
"""

import shutil
import sys
import tempfile
from collections.abc import Collection, Iterator
from contextlib import contextmanager, redirect_stdout
from functools import cached_property
from importlib import metadata
from pathlib import Path
from types import TracebackType
from typing import Any

from saom_bench.errors import SaomBenchError, unknown
from saom_bench.types import Pose, Size
from saom_collectors.geometry import HOUSES, PARAMETRIC, geometry_of
from saom_collectors.session import ActionFailed, PlacedObject, PlayerLost, PlayerOptions, Position, View
from saom_collectors.thor_client import build_commit, client_of, end_player
from saom_collectors.thor_view import view_of
from saom_collectors.watch import Watch
from saom_scenes.houses.files import HouseFile
from saom_scenes.houses.model import HouseError
from saom_scenes.packs import PackError, PackFolder

PLAYERS = ("embedded", "unity")
_PHYSICS = "_physics"
_INITIALIZE = {
    "gridSize": 0.25,
    "snapToGrid": False,
    "visibilityDistance": 1.5,
    "renderInstanceSegmentation": True,
}
_RANDOMIZE: dict[str, tuple[str, dict[str, Any]]] = {
    "spawn": ("InitialRandomSpawn", {"forceVisible": False, "numPlacementAttempts": 5, "placeStationary": True}),
    "materials": ("RandomizeMaterials", {}),
    "lighting": ("RandomizeLighting", {"synchronized": False}),
}
"""Only spawn has a seed in AI2-THOR; the embedded player takes one everywhere."""
_LOG_BYTES = 20_000


def open_player(options: PlayerOptions) -> "ThorSession":
    """Start a simulator. Raises SaomBenchError for an unknown kind, PlayerLost when it does not start."""
    if options.kind not in PLAYERS:
        raise unknown("player", options.kind, PLAYERS)
    if options.packs is not None:
        pack_folder(options)
    check_parts(options)
    return ThorSession(options)


def simulator_of(options: PlayerOptions, scenes: Collection[str] = ()) -> dict[str, Any]:
    """Name, version, geometry and arguments of the simulator that ``options`` start, as shards and results state them.

    ``scenes`` are those to come: with packs, each may be a pack's or parametric.
    """
    if options.kind not in PLAYERS:
        raise unknown("player", options.kind, PLAYERS)
    client = metadata.version("ai2thor")
    embedded = options.kind == "embedded"
    shown: dict[str, Any] = {"scenes": PARAMETRIC} if embedded else {}
    if options.packs is not None:
        folder = pack_folder(options)
        shown = {"scenes": geometry_of(scenes, folder), "packs": folder.fingerprint()}
    if not embedded:
        own = options.executable and f"local: {options.executable.name}"
        shown = {"build": own or build_commit(options)}
    if options.houses is not None:
        shown["scenes"] = HOUSES
    return {
        "name": "saom-player" if embedded else "ai2thor-unity",
        "version": metadata.version("saom-bench") if embedded else client,
        "client": f"ai2thor {client}",
        **shown,
        "arguments": {**_INITIALIZE, "fieldOfView": options.fov_deg, "size_hw": list(options.size_hw)},
    }


def check_parts(options: PlayerOptions) -> None:
    """Raises SaomBenchError where ``options`` ask for part ids of a player that has none."""
    if options.parts and options.kind != "embedded":
        raise SaomBenchError(
            f"--player {options.kind} has no part ids: AI2-THOR's objects are one piece each; leave --parts away, or "
            "use --player embedded"
        )


def pack_folder(options: PlayerOptions) -> PackFolder:
    """The folder of packs that ``options`` name. Raises SaomBenchError when it cannot be used."""
    if options.kind != "embedded":
        raise SaomBenchError(f"scene packs are for the embedded player; --player {options.kind} has AI2-THOR's rooms")
    try:
        return PackFolder(options.packs or Path())
    except PackError as error:
        raise SaomBenchError(str(error)) from error


class ThorSession:
    """A running AI2-THOR player. Use it as a context manager: the player never outlives it."""

    def __init__(self, options: PlayerOptions) -> None:
        self.options = options
        self._size_hw = options.size_hw
        self._scene: str | None = None
        self._folder = Path(tempfile.mkdtemp(prefix="saom-player-"))
        self._controller: Any = None
        self._watch: Watch | None = None
        try:
            self._start()
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> "ThorSession":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def scenes(self) -> tuple[str, ...]:
        """The scenes the player has, without their "_physics"."""
        if self.houses is not None:
            return self.houses.names
        found = self.step("GetScenesInBuild").metadata["actionReturn"] or []
        return tuple(sorted(str(name).removesuffix(_PHYSICS) for name in found))

    def reset(self, scene: str) -> None:
        """Load a scene. Raises PlayerLost when the player fails, ActionFailed when it refuses."""
        height, width = self._size_hw
        house = None if self.houses is None else self._house(scene)
        self._scene = None  # What fails from here on is no fault of the scene before.
        with self._calls(f"Reset {scene}"):
            event = self._controller.reset(house or scene, width=width, height=height)
            planes = event.metadata["actionReturn"]
            if planes:
                self._controller.server.set_init_params(planes)
        if house is not None:
            self._enter(event, house, scene)
        self._scene = scene

    @cached_property
    def houses(self) -> HouseFile | None:
        """The houses that are its scenes; None where the player's own are. Raises SaomBenchError for a bad file."""
        if self.options.houses is None:
            return None
        try:
            return HouseFile(self.options.houses)
        except HouseError as error:
            raise SaomBenchError(str(error)) from error

    def _house(self, scene: str) -> dict[str, Any]:
        try:
            return self.houses.read(scene) if self.houses else {}
        except HouseError as error:
            raise ActionFailed(f"Reset {scene} failed: {error}") from error

    def _enter(self, event: Any, house: dict[str, Any], scene: str) -> None:
        """Check what the client does not, whether the house came about; AI2-THOR leaves the agent outside it."""
        if not event.metadata["lastActionSuccess"]:
            reason = " ".join(str(event.metadata.get("errorMessage") or "it gave no reason").split())
            raise ActionFailed(f"CreateHouse failed in {scene}: {reason}")
        start = (house.get("metadata") or {}).get("agent")
        if self.options.kind == "unity" and start:
            self.step("TeleportFull", **start, forceAction=True)

    def resize(self, size_hw: Size) -> None:
        """Take pictures of (H, W) from now on."""
        if size_hw != self._size_hw:
            self._size_hw = size_hw
            if self._scene is not None:
                self.step("ChangeResolution", x=size_hw[1], y=size_hw[0])

    def step(self, action: str, **arguments: Any) -> Any:
        """Do one action and return the client's event. Raises ActionFailed when the player refuses it."""
        with self._calls(action):
            event = self._controller.step(action=action, **arguments)
        if not event.metadata["lastActionSuccess"]:
            reason = event.metadata.get("errorMessage") or "it gave no reason"
            raise ActionFailed(f"{action} failed{self._where()}: {reason}")
        return event

    def reachable(self) -> tuple[Position, ...]:
        """Where the agent can stand, in metres, sorted."""
        found = self.step("GetReachablePositions").metadata["actionReturn"] or []
        return tuple(sorted((float(p["x"]), float(p["y"]), float(p["z"])) for p in found))

    def objects(self) -> tuple[PlacedObject, ...]:
        """The objects of the scene as the last event tells them, sorted by id."""
        found = self._controller.last_event.metadata["objects"]
        return tuple(
            PlacedObject(str(o["objectId"]), str(o["objectType"]), (float(c["x"]), float(c["y"]), float(c["z"])))
            for o in sorted(found, key=lambda o: str(o["objectId"]))
            for c in (o["axisAlignedBoundingBox"]["center"],)
        )

    def randomize(self, what: str, seed: int) -> None:
        """Change the scene's "spawn", "materials" or "lighting" by a seed. Raises ActionFailed when it is refused."""
        if what not in _RANDOMIZE:
            raise unknown("randomisation", what, _RANDOMIZE)
        action, arguments = _RANDOMIZE[what]
        if what == "spawn":
            arguments = arguments | {"randomSeed": seed % 2**31}
        elif self.options.kind == "embedded":
            arguments = arguments | {"seed": seed % 2**31}
        self.step(action, **arguments)

    def look(self, pose: Pose) -> View:
        """Stand and look somewhere. Raises ActionFailed when there is no room."""
        event = self.step(
            "TeleportFull",
            position={"x": pose.x, "y": pose.y, "z": pose.z},
            rotation={"x": 0.0, "y": pose.yaw_deg, "z": 0.0},
            horizon=pose.horizon_deg,
            standing=pose.standing,
        )
        return view_of(event, self.options, self._scene or "")

    def log(self) -> str:
        """The end of the player's own log."""
        path = self._folder / "log" / "unity.log"
        return path.read_bytes()[-_LOG_BYTES:].decode(errors="replace") if path.is_file() else ""

    def close(self) -> None:
        """End the player and remove its folder; harmless when done twice."""
        if self._watch is not None:
            self._watch.stop()
        end_player(self._controller)
        shutil.rmtree(self._folder, ignore_errors=True)

    def _start(self) -> None:
        with self._calls("start"):
            # The client announces downloads on standard output.
            with redirect_stdout(sys.stderr):
                self._controller = client_of(self.options, self._size_hw, self._folder)
            # In two steps, so that the watch stands before the player runs, and no scene loads unasked.
            parts = {"renderPartSegmentation": True} if self.options.parts else {}
            self._controller.initialization_parameters = {**_INITIALIZE, "fieldOfView": self.options.fov_deg, **parts}
            self._watch = Watch(self._controller, self.options.start_timeout_s)
            height, width = self._size_hw
            self._controller.start(width=width, height=height)
            self._watch.started()

    @contextmanager
    def _calls(self, what: str) -> Iterator[None]:
        """Turn whatever the client raises into one of two errors: the action was refused, or the player is lost."""
        try:
            yield
        except (ActionFailed, PlayerLost, KeyboardInterrupt):
            raise
        except Exception as error:
            if self._refused(error):
                raise ActionFailed(f"{what} failed{self._where()}: {_short(error)}") from error
            raise PlayerLost(self._obituary(what, error)) from error

    def _refused(self, error: Exception) -> bool:
        """Whether the player lives and answered "no": only then may the session go on."""
        event = getattr(self._controller, "last_event", None)
        alive = self._watch is not None and self._watch.alive()
        refused = event is not None and not event.metadata["lastActionSuccess"]
        return (
            alive
            and refused
            and isinstance(error, (ValueError, RuntimeError))
            and "Error encountered" not in str(error)
        )

    def _where(self) -> str:
        return f" in {self._scene}" if self._scene else ""

    def _obituary(self, what: str, error: Exception) -> str:
        verdict = self._watch.verdict() if self._watch is not None else ""
        if not verdict and isinstance(error, TimeoutError):
            verdict = "it did not answer in time"
        lines = [f"the {self.options.kind} player failed at {what}{self._where()}: {verdict or _short(error)}"]
        tail = self.log().strip().splitlines()[-1:]
        lines += [f"its last words: {line[:300]}" for line in tail]
        if self.options.kind == "unity" and what == "start":
            lines.append(
                "the Unity player needs a GPU with Vulkan and, once, the network for its build (about 1 GB); on a "
                "machine without, use --player embedded"
            )
        return "; ".join(lines)


def _short(error: BaseException) -> str:
    lines = str(error).strip().splitlines()
    return lines[0][:300] if lines else type(error).__name__
