"""A house as values: what schema 1.0.0 says, less what only Unity needs."""

from dataclasses import dataclass, field
from math import hypot

from saom_scenes.houses.assets import Rgb

SCHEMA = "1.0.0"
EXTERIOR = "exterior"
"""The room of walls that are seen from outside."""
Vector = tuple[float, float, float]
Point = tuple[float, float]
"""x and z on the floor plan."""


class HouseError(ValueError):
    """A house that cannot be built: what is wrong, where, and the value, in one line."""


@dataclass(frozen=True)
class Surface:
    """What a wall, a floor or a ceiling is made of, by AI2-THOR's name; a paint's colour is sRGB in 0..1."""

    name: str
    color: Rgb | None = None


@dataclass(frozen=True)
class Room:
    """One room: its outline on the floor plan, in order, either way round."""

    room_id: str
    room_type: str
    outline: tuple[Point, ...]
    floor: Surface
    ceiling: Surface


@dataclass(frozen=True)
class Wall:
    """A wall as one room sees it. Positions along it count from ``start``."""

    wall_id: str
    room_id: str
    """EXTERIOR for one that is seen from outside."""
    start: Point
    end: Point
    base_y: float
    height: float
    surface: Surface
    empty: bool = False
    """Whether there is nothing: two rooms are open to each other."""

    @property
    def length(self) -> float:
        """From end to end."""
        return hypot(self.end[0] - self.start[0], self.end[1] - self.start[1])

    def at(self, along: float) -> Point:
        """The point so many metres along it."""
        share = along / self.length
        x, z = (a + (b - a) * share for a, b in zip(self.start, self.end, strict=True))
        return x, z


@dataclass(frozen=True)
class Opening:
    """A door or a window in a wall, seen from both of its sides."""

    opening_id: str
    asset_id: str
    walls: tuple[str, ...]
    """The walls that it is cut out of; its measures are along the first."""
    low: tuple[float, float]
    """Where the hole begins: along the wall, and above its base."""
    high: tuple[float, float]
    position: tuple[float, float]
    """The middle of the asset's box: along the wall, and above its base."""
    openness: float = 0.0


@dataclass(frozen=True)
class Item:
    """An object, and what lies on or in it."""

    item_id: str
    asset_id: str
    position: Vector
    """The middle of its box."""
    rotation_deg: Vector
    children: tuple["Item", ...] = ()
    openness: float | None = None
    """None: as it comes."""
    is_on: bool | None = None
    is_dirty: bool | None = None


@dataclass(frozen=True)
class Light:
    """A lamp ("point", "spot", "area") or the sun ("directional")."""

    light_id: str
    kind: str
    position: Vector
    rotation_deg: Vector
    color: Rgb
    intensity: float


@dataclass(frozen=True)
class AgentStart:
    """Where the house wants its agent."""

    position: Vector
    yaw_deg: float
    horizon_deg: float = 0.0


@dataclass(frozen=True)
class House:
    """All of a house."""

    rooms: tuple[Room, ...]
    walls: tuple[Wall, ...]
    doors: tuple[Opening, ...] = ()
    windows: tuple[Opening, ...] = ()
    items: tuple[Item, ...] = ()
    lights: tuple[Light, ...] = ()
    skybox: str = ""
    start: AgentStart | None = None
    name: str = field(default="", compare=False)
    """See naming.house_name."""

    def everything(self) -> list[tuple[Item, Item | None]]:
        """Each object with the one it lies on, parents first."""
        found: list[tuple[Item, Item | None]] = []
        queue: list[tuple[Item, Item | None]] = [(item, None) for item in reversed(self.items)]
        while queue:
            item, parent = queue.pop()
            found.append((item, parent))
            queue += [(child, item) for child in reversed(item.children)]
        return found
