"""`python -m saom_player`: the program that an AI2-THOR controller starts through local_executable_path.

It takes the Unity player's command line and environment. What it prints ends up in the client's unity.log.
"""

import argparse
import os
import signal
import sys
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from saom_player.arguments import ActionError
from saom_player.disk_cache import DiskCache
from saom_player.memory import keep_freed_memory
from saom_player.physics.navigation import Navigation
from saom_player.player import Player
from saom_player.protocol import ClientGone, FifoTransport, ProtocolError
from saom_player.scene import Scene
from saom_player.simulation import MAX_SIDE_PX, Renderer, SceneSource, Size

_PIPES = ("AI2THOR_FIFO_SERVER_PIPE_PATH", "AI2THOR_FIFO_CLIENT_PIPE_PATH")
_NO_EMBREE = (
    "the embedded player draws with embreex, which is not installed: it has no packages for Linux on ARM (aarch64); "
    "elsewhere, `pip install embreex` mends this. AI2-THOR's own player does without it"
)
_DEFAULT_SIDE_PX = 300


def main(arguments: Sequence[str] | None = None, source: SceneSource | None = None) -> int:
    """Serve one client, and return the exit code. ``source`` replaces the product's own scenes and renderer."""
    options = _parse(sys.argv[1:] if arguments is None else arguments)
    problem = _problem()
    if problem:
        print(f"saom_player: {problem}", file=sys.stderr)
        return 2
    try:
        transport = FifoTransport(*(Path(os.environ[name]) for name in _PIPES))
    except ClientGone:
        return 0
    except OSError as error:
        print(f"saom_player: the client's pipes cannot be opened: {error}", file=sys.stderr)
        return 2
    # An interrupt at the client's terminal reaches its children too; whether it ends anything is the client's choice.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    scenes = source or product_scenes(options.packs)
    player = Player(transport, scenes, _size_hw(options), send_pictures=not options.nographics)
    try:
        player.run()
    except ProtocolError as error:
        print(f"saom_player: {error}", file=sys.stderr)
        return 1
    return 0


def cache_folder() -> Path:
    """Where what is slow to make is kept between runs: the user's cache, by the XDG convention."""
    root = os.environ.get("XDG_CACHE_HOME") or ""
    # The convention says to ignore relative paths.
    base = Path(root) if os.path.isabs(root) else Path.home() / ".cache"
    return base / "saom-bench" / "player"


def _parse(arguments: Sequence[str]) -> argparse.Namespace:
    """Unity's options; those that mean nothing here, and any others, are passed over as Unity does."""
    parser = argparse.ArgumentParser("saom_player", description=__doc__, allow_abbrev=False)
    parser.add_argument("-screen-width", type=int, default=_DEFAULT_SIDE_PX, help="picture width in pixels")
    parser.add_argument("-screen-height", type=int, default=_DEFAULT_SIDE_PX, help="picture height in pixels")
    parser.add_argument("-nographics", action="store_true", help="send no pictures")
    parser.add_argument("-packs", type=Path, help="a folder of scene packs, used for the scenes that it has")
    return parser.parse_known_args(arguments)[0]


def _problem() -> str:
    """Why the player cannot serve; empty when it can."""
    if any(name not in os.environ for name in _PIPES):
        kind = os.environ.get("AI2THOR_SERVER_TYPE", "FIFO")
        if kind != "FIFO":
            return f"it speaks AI2-THOR's FIFO protocol, not {kind}: leave the controller's server_class alone"
        return (
            "this program is started by an AI2-THOR controller: "
            'Controller(local_executable_path="python -m saom_player", x_display="0")'
        )
    return ""


def _size_hw(options: argparse.Namespace) -> Size:
    """A size out of range is not taken: the client then asks for it with ChangeResolution, and gets an answer."""
    sides = options.screen_height, options.screen_width
    if all(1 <= side <= MAX_SIDE_PX for side in sides):
        return sides
    return _DEFAULT_SIDE_PX, _DEFAULT_SIDE_PX


def product_scenes(packs: Path | None = None) -> SceneSource:
    """The product's scenes and renderer, each imported when first needed; a folder's ``packs`` come before scenes."""
    if find_spec("embreex") is None:
        print(f"saom_player: {_NO_EMBREE}", file=sys.stderr, flush=True)
        return SceneSource(_names, _without_embree, embree_renderer, _without_embree)
    source = SceneSource(_names, _load, embree_renderer, _load_house, _mapped)
    if packs is None:
        return source
    from saom_player.packs.build import with_packs

    return with_packs(packs, source)


def _names() -> list[str]:
    from saom_player.rooms.layouts import scene_names

    return scene_names()


def _load(name: str) -> Scene:
    from saom_player.rooms.layouts import UnknownScene, load_scene

    try:
        return load_scene(name, cache=DiskCache(cache_folder()))
    except UnknownScene as error:
        raise ActionError(str(error)) from error


def _mapped(scene: Scene) -> Navigation:
    return Navigation(scene, DiskCache(cache_folder()))


def _load_house(data: dict[str, Any]) -> Scene:
    from saom_player.houses.build import load_house

    return load_house(data)


def _without_embree(asked: object) -> Scene:
    """Fails every reset, so that the client's user reads why; ending here would leave an old client waiting."""
    raise ActionError(_NO_EMBREE)


def embree_renderer(scene: Scene) -> Renderer:
    """The product's renderer of a scene."""
    from saom_player.render.renderer import Renderer as EmbreeRenderer

    return EmbreeRenderer(scene, cache_dir=cache_folder())


if __name__ == "__main__":
    keep_freed_memory()
    sys.exit(main())
