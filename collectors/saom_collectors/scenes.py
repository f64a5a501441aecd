"""The 120 scenes of iTHOR and the 75 of RoboTHOR: room types, splits, and the selections that people type."""

import re
from collections.abc import Collection
from functools import cache

from saom_bench.errors import SaomBenchError, unknown

_ITHOR = {"kitchens": 0, "living-rooms": 200, "bedrooms": 300, "bathrooms": 400}
"""Room type to the number before its first scene."""
ROBOTHOR = "robothor"
ROOMS = (*_ITHOR, ROBOTHOR)
"""Room types; RoboTHOR's apartments are one of their own."""
SPLITS = {"train": range(1, 21), "val": range(21, 26), "test": range(26, 31)}
"""Split to the numbers within an iTHOR room type: AI2-THOR's own convention. Splits are by scene, never by frame.

RoboTHOR's names say theirs, and its test scenes are not public.
"""
_NAME = "FloorPlan"
_APARTMENTS = {"train": ("Train", 12), "val": ("Val", 3)}
_VARIATIONS = 5


@cache
def all_scenes() -> tuple[str, ...]:
    """The names of all 195 scenes: iTHOR's by number, then RoboTHOR's in AI2-THOR's order."""
    ithor = [f"{_NAME}{first + n}" for first in _ITHOR.values() for n in range(1, 31)]
    robothor = [
        f"{_NAME}_{stage}{n}_{k}"
        for stage, count in _APARTMENTS.values()
        for n in range(1, count + 1)
        for k in range(1, _VARIATIONS + 1)
    ]
    return (*ithor, *robothor)


def place_of(scene: str) -> int:
    """A scene's place in the order of all scenes."""
    return _places()[scene]


@cache
def _places() -> dict[str, int]:
    return {scene: place for place, scene in enumerate(all_scenes())}


def _number_of(scene: str) -> int:
    """The number in an iTHOR scene's name."""
    return int(scene.removeprefix(_NAME))


def split_of(scene: str) -> str:
    """The split that a scene belongs to."""
    if room_of(scene) == ROBOTHOR:
        return next(split for split, (stage, _) in _APARTMENTS.items() if scene.startswith(f"{_NAME}_{stage}"))
    return next(split for split, numbers in SPLITS.items() if _number_of(scene) % 100 in numbers)


def room_of(scene: str) -> str:
    """The room type of a scene."""
    if scene.startswith(f"{_NAME}_"):
        return ROBOTHOR
    return next(room for room, first in _ITHOR.items() if first < _number_of(scene) <= first + 30)


def select(
    available: Collection[str],
    names: str | None = None,
    split: str | None = None,
    rooms: str | None = None,
    limit: int | None = None,
) -> tuple[str, ...]:
    """The scenes of a selection, in order; all of one split. Raises SaomBenchError when that cannot be.

    ``names`` lists scenes and ranges ("FloorPlan1,FloorPlan21-25"); without it, all available scenes of ``split`` and
    ``rooms`` (comma-separated; without them iTHOR's four types, since RoboTHOR is a data set of its own). ``limit``
    keeps that many, taken in turn from the room types.
    """
    if names is None and split is None:
        raise SaomBenchError("which scenes? Give --split train (or val, test), or --scenes FloorPlan1,FloorPlan2")
    if split is not None and split not in SPLITS:
        raise unknown("split", split, SPLITS)
    wanted_rooms = _rooms(rooms, list(ROOMS if names else _ITHOR))
    available = set(all_scenes()) & set(available)  # A player may have houses and other worlds besides.
    chosen = _named(names, available) if names else [s for s in all_scenes() if s in available]
    chosen = [s for s in chosen if room_of(s) in wanted_rooms and split in (None, split_of(s))]
    if not chosen:
        raise SaomBenchError(_nothing(names, split, rooms, available))
    _refuse_mixed(chosen)
    return tuple(_in_turn(chosen, limit))


def _rooms(text: str | None, without: list[str]) -> set[str]:
    names = [name.strip() for name in text.split(",")] if text else without
    for name in names:
        if name not in ROOMS:
            raise unknown("room type", name, ROOMS)
    return set(names)


def _named(text: str, available: Collection[str]) -> list[str]:
    names = dict.fromkeys(name for item in text.split(",") if item.strip() for name in _expand(item.strip()))
    if not names:
        raise SaomBenchError("--scenes names no scene; give for example --scenes FloorPlan1,FloorPlan2")
    known = set(all_scenes())
    for name in names:
        if name not in known:
            raise unknown("scene", name, known)
        if name not in available:
            raise SaomBenchError(
                f"scene {name} exists in AI2-THOR, but this player does not have it; it has {_listing(available)}"
            )
    return sorted(names, key=place_of)


def _expand(item: str) -> list[str]:
    """ "FloorPlan1-5" and "FloorPlan1-FloorPlan5" are ranges, and "FloorPlan_Val2_1-5" is one."""
    parts = re.fullmatch(rf"({_NAME}(?:_[A-Z][a-z]+\d+_)?)(\d+)-(?:\1)?(\d+)", item)
    if parts is None:
        return [item]
    stem, first, last = parts[1], int(parts[2]), int(parts[3])
    if not first <= last < first + 1000:
        raise SaomBenchError(f"the range of scenes {item!r} is empty or too long; write it as {_NAME}1-5")
    return [f"{stem}{n}" for n in range(first, last + 1)]


def _refuse_mixed(scenes: list[str]) -> None:
    by_split: dict[str, list[str]] = {}
    for scene in scenes:
        by_split.setdefault(split_of(scene), []).append(scene)
    if len(by_split) > 1:
        what = "; ".join(f"{split}: {', '.join(names[:3])}" for split, names in by_split.items())
        raise SaomBenchError(f"a dataset holds one split, and these scenes are of several ({what}); collect each apart")


def _in_turn(scenes: list[str], limit: int | None) -> list[str]:
    if limit is None:
        return scenes
    if limit < 1:
        raise SaomBenchError(f"a limit of {limit} scenes leaves nothing; give 1 or more")
    by_room: dict[str, list[str]] = {}
    for scene in scenes:
        by_room.setdefault(room_of(scene), []).append(scene)
    order = sorted((place, place_of(scene), scene) for names in by_room.values() for place, scene in enumerate(names))
    return sorted((scene for _, _, scene in order[:limit]), key=place_of)


def _nothing(names: str | None, split: str | None, rooms: str | None, available: Collection[str]) -> str:
    asked = ", ".join(
        f"{option} {value}"
        for option, value in (("--scenes", names), ("--split", split), ("--rooms", rooms))
        if value is not None
    )
    return f"no scene of this player is in {asked}; it has {_listing(available)}"


def _listing(available: Collection[str]) -> str:
    names = sorted(available, key=place_of)
    return ", ".join(names[:24]) + (f" and {len(names) - 24} more" if len(names) > 24 else "")
