"""Which scenes a dataset shows: houses; scene packs, where there are any; else the player's own parametric scenes."""

from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

from saom_scenes.packs import PackFolder

PACKS, PARAMETRIC, HOUSES = "packs", "parametric", "houses"
MIXED = f"{PACKS} and {PARAMETRIC}"


def geometry_of(scenes: Collection[str], folder: PackFolder) -> str:
    """What a dataset of these scenes shows."""
    with_pack = set(folder.scenes())
    own = [scene in with_pack for scene in scenes]
    return PACKS if all(own) else MIXED if any(own) else PARAMETRIC


def of_scene(simulator: Mapping[str, Any], packs: Path | None, scene: str) -> dict[str, Any]:
    """A simulator's description for one scene: where a dataset is mixed, each shard says which it is."""
    if packs is None or simulator.get("scenes") != MIXED:
        return dict(simulator)
    return {**simulator, "scenes": geometry_of([scene], PackFolder(packs))}
