"""The AI2-THOR client, made for the embedded player or for a Unity build; the only module that imports ai2thor."""

import os
import shlex
import sys
from pathlib import Path
from typing import Any

import ai2thor.build
import ai2thor.controller
import ai2thor.platform

from saom_bench.types import Size
from saom_collectors.leash import leashed
from saom_collectors.session import PlayerOptions


def build_commit(options: PlayerOptions) -> str:
    """The commit of AI2-THOR's build that ``options`` ask for; by default the one that the client was made for."""
    return options.commit or str(ai2thor.build.COMMIT_ID)


def client_of(options: PlayerOptions, size_hw: Size, folder: Path) -> Any:
    """A controller that has not started its player yet, for pictures of (H, W).

    Args:
        folder: where the files of a program of our choice lie; AI2-THOR's own build is in the client's own place.
    """
    height, width = size_hw
    common = {
        "download_only": True,
        "width": width,
        "height": height,
        "server_timeout": max(options.reset_timeout_s, options.step_timeout_s),
        "server_start_timeout": options.start_timeout_s,
    }
    command = f"{shlex.quote(sys.executable)} -m saom_player"
    if options.packs is not None:
        command += f" -packs {shlex.quote(str(options.packs.resolve()))}"
    if options.kind == "unity":
        if options.executable is None:
            chosen = {"commit_id": options.commit} if options.commit else {}
            return _client_class(None)(platform=ai2thor.platform.CloudRendering, **chosen, **common)
        command = shlex.quote(str(options.executable))
    # The client needs some display's name, whether or not the player opens it.
    display = os.environ.get("DISPLAY") or "0"
    return _client_class(folder)(local_executable_path=command, x_display=display, **common)


def end_player(controller: Any) -> None:
    """End a controller's player, and let go of its pipes and folder; harmless when there is none, or done twice."""
    server = getattr(controller, "server", None)
    player = getattr(server, "unity_proc", None)
    if player is not None and player.poll() is None:
        player.kill()
        player.wait(10)
    for pipe in (getattr(server, "client_pipe", None), getattr(server, "server_pipe", None)):
        if pipe is not None:
            _close_quietly(pipe)
    if server is not None and hasattr(server, "tmp_dir"):
        server.tmp_dir.cleanup()


def _client_class(folder: Path | None) -> type[Any]:
    """The client, whose players end with this process. With a folder its files lie there: a program of our choice must
    not touch or prune ~/.ai2thor."""

    class Client(ai2thor.controller.Controller):  # type: ignore[misc]
        @property
        def base_dir(self) -> str:
            return str(folder or super().base_dir)

        def unity_command(self, width: int, height: int, headless: bool) -> list[str]:
            return leashed(list(super().unity_command(width, height, headless)))

    return Client


def _close_quietly(pipe: Any) -> None:
    try:
        pipe.close()
    except OSError:
        return
