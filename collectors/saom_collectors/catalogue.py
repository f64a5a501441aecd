"""Where a collection's scenes are listed: AI2-THOR's by name, or a file of houses. Both are chosen from in one way."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Protocol

from saom_bench.errors import SaomBenchError, unknown
from saom_collectors import scenes as named
from saom_collectors.session import PlayerOptions
from saom_scenes.houses.files import HouseFile
from saom_scenes.houses.model import HouseError


class Catalogue(Protocol):
    """Scenes that can be asked for."""

    def select(
        self,
        names: str | None,
        split: str | None,
        rooms: str | None,
        limit: int | None,
        available: Collection[str] | None = None,
    ) -> tuple[str, ...]:
        """The scenes of a selection, in order; all of one split. ``available``: those that the player has; None: all.

        Raises SaomBenchError when that cannot be.
        """
        ...

    def split_of(self, scene: str) -> str:
        """The split that a scene belongs to."""
        ...


def catalogue_of(options: PlayerOptions) -> Catalogue:
    """The catalogue that a player's scenes are in. Raises SaomBenchError for a file of houses that cannot be used."""
    if options.houses is None:
        return NamedScenes()
    if options.packs is not None:
        raise SaomBenchError("--packs are of AI2-THOR's own rooms, --houses are others; give one of the two")
    try:
        file = HouseFile(options.houses)
        return Houses(file, file.names)
    except HouseError as error:
        raise SaomBenchError(str(error)) from error


class NamedScenes:
    """AI2-THOR's scenes, see scenes.py."""

    def select(
        self,
        names: str | None,
        split: str | None,
        rooms: str | None,
        limit: int | None,
        available: Collection[str] | None = None,
    ) -> tuple[str, ...]:
        """See Catalogue."""
        return named.select(named.all_scenes() if available is None else available, names, split, rooms, limit)

    def split_of(self, scene: str) -> str:
        """See Catalogue."""
        return named.split_of(scene)


@dataclass(frozen=True)
class Houses:
    """The houses of a file, by their names."""

    file: HouseFile
    every: tuple[str, ...]

    def select(
        self,
        names: str | None,
        split: str | None,
        rooms: str | None,
        limit: int | None,
        available: Collection[str] | None = None,
    ) -> tuple[str, ...]:
        """See Catalogue. In the order of the file, whatever order they are named in."""
        if rooms is not None:
            raise SaomBenchError(f"--rooms {rooms} chooses among AI2-THOR's rooms; houses have several. Leave it away")
        if split is not None and split not in named.SPLITS:
            raise unknown("split", split, named.SPLITS)
        if limit is not None and limit < 1:
            raise SaomBenchError(f"a limit of {limit} scenes leaves nothing; give 1 or more")
        asked = self.every if names is None else self._named(names)
        chosen = [scene for scene in asked if split in (None, self.split_of(scene))]
        if not chosen:
            have = ", ".join(sorted({self.split_of(scene) for scene in self.every}))
            raise SaomBenchError(f"{self.file.path} has no house in --split {split}; its houses are of: {have}")
        splits = sorted({self.split_of(scene) for scene in chosen})
        if len(splits) > 1:
            raise SaomBenchError(
                f"a dataset holds one split, and the houses of {self.file.path} are of several ({', '.join(splits)}); "
                f"give --split {splits[-1]}"
            )
        return tuple(chosen[:limit])

    def split_of(self, scene: str) -> str:
        """See Catalogue."""
        return self.file.split_of(scene)

    def _named(self, text: str) -> list[str]:
        wanted = {name.strip() for name in text.split(",") if name.strip()}
        if not wanted:
            raise SaomBenchError(
                f"--scenes {text!r} names no house; give names, such as {self.every[0]}, or leave it away"
            )
        for name in sorted(wanted):
            if name not in self.every:
                raise unknown("house", name, self.every)
        return [scene for scene in self.every if scene in wanted]
