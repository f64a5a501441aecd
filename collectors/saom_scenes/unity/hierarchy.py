"""Where a scene's objects are, which of them are there at all, and to which simulation object each belongs."""

import re
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal

import numpy as np
from numpy.typing import NDArray

from saom_scenes.unity.prefabs import GAME_OBJECT, RECT_TRANSFORM, SCRIPT, TRANSFORM, Objects, UnityObject
from saom_scenes.unity.yaml_text import number_of, reference, text_of

Floats = NDArray[np.float64]
# The agent, its canvas and what runs the simulation: nothing of a room.
_NO_ROOM = re.compile(r"FPSController|DebugCanvas|PhysicsSceneManager|^Hide ?And ?Seek", re.I)
_FARTHEST_M = 1e4
_WITH_PARENTS_ID = ("BathtubBasin", "SinkBasin")


@dataclass(frozen=True)
class Place:
    """Where one object is."""

    matrix: Floats
    """(4, 4) to the world."""
    active: bool
    owner: int
    """The nearest game object from here up that is a simulation object; 0 for none."""


_NOWHERE = Place(np.eye(4), False, 0)


class Hierarchy:
    """Places of a scene's game objects by their ids."""

    def __init__(self, objects: Objects, sim_script: str) -> None:
        self._games = {k: o for k, o in objects.items() if o.kind == GAME_OBJECT}
        self._transforms = {k: o for k, o in objects.items() if o.kind in (TRANSFORM, RECT_TRANSFORM)}
        self._of_game = {o.link("m_GameObject"): k for k, o in self._transforms.items()}
        self.sims = {
            o.link("m_GameObject"): o
            for o in objects.values()
            if o.kind == SCRIPT and reference(o.values.get("m_Script")).guid == sim_script
        }
        """The component of each simulation object by its game object's id."""
        self._places: dict[int, Place] = {}

    def place(self, game: int) -> Place:
        """A game object's place; an inactive one where it has none, or where its numbers are none."""
        transform = self._of_game.get(game)
        return _NOWHERE if transform is None else self._place(transform)

    def name(self, game: int) -> str:
        """A game object's name."""
        return text_of(self._games[game].values.get("m_Name")) if game in self._games else ""

    def layer(self, game: int) -> int:
        """The layer that it is drawn in, 0 to 31."""
        return min(max(int(number_of(self._games[game].values, "m_Layer", 0)), 0), 31) if game in self._games else 0

    def owner_above(self, game: int) -> int:
        """The nearest simulation object above a game object; 0 for none."""
        above = self._transforms[self._of_game[game]].link("m_Father")
        return self._place(above).owner if above in self._transforms else 0

    def _place(self, transform: int) -> Place:
        """From the nearest known place down, without recursion: a chain may be long, or bite its own tail."""
        chain: list[int] = []
        at = transform
        while at in self._transforms and at not in self._places and len(chain) <= len(self._transforms):
            chain.append(at)
            at = self._transforms[at].link("m_Father")
        above = self._places.get(at, Place(np.eye(4), len(chain) <= len(self._transforms), 0))
        for k in reversed(chain):
            above = self._places[k] = self._below(above, self._transforms[k])
        return self._places[transform]

    def _below(self, above: Place, transform: UnityObject) -> Place:
        game = transform.link("m_GameObject")
        matrix = above.matrix @ local_matrix(transform.values)
        sound = bool(np.isfinite(matrix).all() and np.abs(matrix).max() < _FARTHEST_M)
        thing = self._games.get(game)
        there = thing is not None and thing.values.get("m_IsActive", "1") == "1"
        there = there and not _NO_ROOM.search(self.name(game))
        owner = game if game in self.sims else above.owner
        return Place(matrix if sound else np.eye(4), above.active and there and sound, owner)


def local_matrix(values: dict[str, str]) -> Floats:
    """(4, 4) of a Transform's fields."""
    x, y, z, w = (number_of(values, f"m_LocalRotation.{k}", d) for k, d in zip("xyzw", (0, 0, 0, 1), strict=True))
    matrix = np.eye(4)
    matrix[:3, :3] = _rotation(x, y, z, w) * [number_of(values, f"m_LocalScale.{k}", 1.0) for k in "xyz"]
    matrix[:3, 3] = [number_of(values, f"m_LocalPosition.{k}", 0.0) for k in "xyz"]
    return matrix


def _rotation(x: float, y: float, z: float, w: float) -> Floats:
    """(3, 3) of a quaternion of any length."""
    size = x * x + y * y + z * z + w * w
    s = 2 / size if size > 0 else 0.0
    return np.array(
        [
            [1 - s * (y * y + z * z), s * (x * y - z * w), s * (x * z + y * w)],
            [s * (x * y + z * w), 1 - s * (x * x + z * z), s * (y * z - x * w)],
            [s * (x * z - y * w), s * (y * z + x * w), 1 - s * (x * x + y * y)],
        ]
    )


def object_id(kind: str, position: Floats, parents_id: str = "") -> str:
    """AI2-THOR's id of an object: type and position; for basins, that of the sink or bathtub and the type."""
    if kind in _WITH_PARENTS_ID and parents_id:
        return f"{parents_id}|{kind}"
    return "|".join([kind, *(_coordinate(float(v)) for v in position)])


def _coordinate(metres: float) -> str:
    """Two and two digits as C# rounds a float: ties away from zero; a negative number that becomes 0 has no sign."""
    digits = Decimal(f"{abs(metres):.7g}").quantize(Decimal("0.01"), ROUND_HALF_UP)
    sign = "+" if metres >= 0 else "-" if digits else ""
    return f"{sign}{digits:05.2f}"
