"""Counters: slabs cut round sinks and stoves, and the carcass below them.

The metadata gives a counter one box. Of an L- or U-shaped one it also covers floor where people walk. Such counters run
along their box's sides: where cabinets and drawers stand below a side, or things lie on it, there is slab.
"""

from collections.abc import Iterable, Sequence

import numpy as np

from saom_player.rooms.facing import front_strip
from saom_player.rooms.outline import footprint
from saom_player.rooms.stove import stove_plan
from saom_player.scene import Box, Structure
from saom_player.shapes.blocks import upright
from saom_player.shapes.mesh import Part
from saom_player.shapes.rectangles import Rectangle, area, clipped, cut, grown, overlap
from saom_player.surfaces.materials import Palette
from saom_player.tables.layout import PlacedObject

SLAB_M = 0.04
_DEEPEST_STRIP_M = 0.95
_ISLAND_WIDTH_M = 1.5
_COUNTER_DEPTH_M = 0.66
_GAP_M = 0.75
_TO_END_M = 0.5
_TOE_M = 0.08
_SETBACK_M = 0.05
_THINNEST_M = 0.01
_BODY_M, _RAIL_GAP_M, _APRON_M = 0.2, 0.003, 0.015
_STANDS_ABOVE_M, _BOWL_WALL_M = 0.06, 0.015
# Their boxes reach below what they lie on.
_LIE_ASKEW = {"Apple", "Candle", "Egg", "HandTowel", "Ladle", "Lettuce"}
_BESIDE_FRONT_M = 0.004
_Block = tuple[Rectangle, float, float]
"""A floor rectangle, and from which height to which."""


def slab_plan(counter: PlacedObject, objects: Sequence[PlacedObject], room: Sequence[Rectangle]) -> list[Rectangle]:
    """Where a counter's slab is on the floor plan."""
    whole = footprint(counter)
    top = counter.extent()[1][1]
    sinks = [o for o in objects if o.object_type == "Sink" and _cuts(o, whole, top)]
    # The deck of a sink lies on the edge of its hole; of one that stands on the counter, the bowl alone goes through.
    stands = [o.extent()[1][1] > top + _STANDS_ABOVE_M for o in sinks]
    holes = [_bowl(o, objects) if high else grown(footprint(o), -0.02) for o, high in zip(sinks, stands, strict=True)]
    holes += [grown(footprint(o), 0.01) for o in objects if _pierces(o, counter, top)]
    stove = stove_plan(objects)
    if stove is not None and overlap(stove, whole) > 0.02:
        holes.append(stove)
    wholes = [whole]
    if min(whole[2] - whole[0], whole[3] - whole[1]) > _narrowest_hull_m(whole, room):
        wholes = _strips(whole, _on_or_below(counter, objects, top))
        wholes = [*wholes, *_bodies_below(counter, objects, top)] or [whole]
    return clipped(cut(wholes, holes), room)


def _narrowest_hull_m(whole: Rectangle, room: Sequence[Rectangle]) -> float:
    """From which width on a box must hold more than counter: an island may be wide."""
    outer = [f(r[k] for r in room) for k, f in enumerate((min, min, max, max))]
    free = all(abs(whole[k] - outer[k]) > _COUNTER_DEPTH_M for k in range(4))
    return _ISLAND_WIDTH_M if free else _DEEPEST_STRIP_M


def _cuts(sink: PlacedObject, whole: Rectangle, top: float) -> bool:
    low, high = sink.extent()
    return overlap(footprint(sink), whole) > 0.01 and low[1] < top and high[1] > top - 0.3


def _pierces(o: PlacedObject, counter: PlacedObject, top: float) -> bool:
    """Whether something stands on the floor and rises above the slab: a fridge, a shelf, a tall cabinet."""
    if (
        o.object_type in {"Sink", "Floor", "CounterTop", "Drawer", "Curtains", "Window"}
        or counter.object_id in o.parents
    ):
        return False
    low, high = o.extent()
    return low[1] < top - 0.35 and high[1] > top + 0.05 and overlap(footprint(o), footprint(counter)) > 0.005


def _bodies_below(counter: PlacedObject, objects: Iterable[PlacedObject], top: float) -> list[Rectangle]:
    """Where a counter has slab away from its box's sides, too: over cabinets, and over drawers where things lie."""
    objects = tuple(objects)
    lying = [footprint(o) for o in objects if counter.object_id in o.parents]
    near = [o for o in objects if top - 0.2 < o.extent()[1][1] < top + 0.02]
    below = [footprint(o) for o in near if o.object_type == "Cabinet"]
    # A drawer's front is as wide as its box: what is under the slab is narrower, or their sides would lie in one plane.
    drawers = [grown(footprint(o), -_BESIDE_FRONT_M) for o in near if o.object_type == "Drawer"]
    below += [r for r in drawers if any(overlap(r, thing) > 0 for thing in lying)]
    inner = [r for r in below if overlap(r, footprint(counter)) > 0.9 * area(r)]
    return [r for r in inner if min(r[2] - r[0], r[3] - r[1]) > _BODY_M]


def _on_or_below(counter: PlacedObject, objects: Iterable[PlacedObject], top: float) -> list[Rectangle]:
    """Footprints of what shows that there is counter."""
    found = []
    for o in objects:
        low, high = o.extent()
        below = o.object_type in {"Cabinet", "Drawer"} and top - 0.5 < high[1] < top + 0.02
        lies = counter.object_id in o.parents or abs(low[1] - top) < 0.04
        if (below or lies or o.object_type == "Sink") and area(footprint(o)) < 1.0:
            found.append(footprint(o))
    return [r for r in found if overlap(r, footprint(counter)) > 0.5 * area(r)]


def _strips(whole: Rectangle, shown: Sequence[Rectangle]) -> list[Rectangle]:
    """The parts of a box along its sides that what is shown takes up."""
    strips = []
    for side in range(4):
        axis, near = side % 2, side < 2
        band = _band(whole, side, _COUNTER_DEPTH_M)
        here = [r for r in shown if overlap(r, band) > 0.5 * area(r)]
        low_end, high_end = whole[1 - axis], whole[3 - axis]
        for low, high in _runs([(r[1 - axis], r[3 - axis]) for r in here]):
            low = low_end if low - low_end < _TO_END_M else low - 0.03
            high = high_end if high_end - high < _TO_END_M else high + 0.03
            within = [r for r in here if r[1 - axis] < high and r[3 - axis] > low]
            reach = max(r[axis + 2] - whole[axis] if near else whole[axis + 2] - r[axis] for r in within)
            band = _band(whole, side, float(np.clip(reach + 0.03, 0.5, _COUNTER_DEPTH_M)))
            strips.append((band[0], low, band[2], high) if axis == 0 else (low, band[1], high, band[3]))
    return strips


def _band(whole: Rectangle, side: int, depth: float) -> Rectangle:
    """The band of a rectangle along one of its sides: west, south, east, north."""
    x0, z0, x1, z1 = whole
    return (
        (x0, z0, min(x1, x0 + depth), z1),
        (x0, z0, x1, min(z1, z0 + depth)),
        (max(x0, x1 - depth), z0, x1, z1),
        (x0, max(z0, z1 - depth), x1, z1),
    )[side]


def _runs(spans: Iterable[tuple[float, float]]) -> list[tuple[float, float]]:
    """Spans joined over small gaps."""
    runs: list[tuple[float, float]] = []
    for low, high in sorted(spans):
        if runs and low - runs[-1][1] < _GAP_M:
            runs[-1] = (runs[-1][0], max(runs[-1][1], high))
        else:
            runs.append((low, high))
    return runs


def slab_parts(
    rectangles: Sequence[Rectangle], bottom: float, top: float, rng: np.random.Generator
) -> tuple[Part, ...]:
    """The slab of a counter, in the world."""
    palette = Palette(rng)
    material = palette.stone() if rng.random() < 0.65 else palette.wood()
    return tuple(Part(f"slab {i + 1}", upright(r, bottom, top, material)) for i, r in enumerate(rectangles))


def slab_heights(counter: PlacedObject, objects: Sequence[PlacedObject]) -> tuple[float, float]:
    """From where to where a counter's slab reaches.

    The metadata's box holds a rim or backsplash too: its surface is where things lie, often 18 mm below its top.
    """
    counters = {o.object_id: o.extent()[1][1] for o in objects if o.object_type == "CounterTop"}
    sunk: dict[str, list[float]] = {name: [] for name in counters}
    for o in objects:
        if "pickupable" in o.flags and o.object_type not in _LIE_ASKEW:
            for name in sunk.keys() & set(o.parents):
                sunk[name].append(counters[name] - o.extent()[0][1])
    # Counters of one room are made alike.
    known = sunk[counter.object_id] or [depth for depths in sunk.values() for depth in depths]
    usual = [depth for depth in known if 0 <= depth < SLAB_M]
    top = counter.extent()[1][1]
    return top - SLAB_M, top - min(float(np.median(usual)) if usual else 0.0, SLAB_M - _THINNEST_M)


def carcass(
    counter: PlacedObject,
    objects: Sequence[PlacedObject],
    room: Sequence[Rectangle],
    floor_y: float,
    fronts: Sequence[Box],
    rng: np.random.Generator,
) -> Structure | None:
    """What carries a slab: set back, cut where the fronts of cabinets and drawers are, lower under sinks."""
    top = counter.extent()[1][1]
    slabs = slab_plan(counter, objects, room)
    if top - SLAB_M - floor_y < 0.3 or not slabs:
        return None
    palette = Palette(rng)
    body, toe = palette.cabinetry(), palette.paint((0.16, 0.15, 0.14))
    before = [front_strip(box) for box in fronts if box.center[1] < top]
    sinks = [o for o in objects if o.object_type == "Sink" and _cuts(o, footprint(counter), top)]
    # A board stays before a bowl, and behind it.
    bowls = [_within(_bowl(o, objects), slabs, _SETBACK_M + _APRON_M) for o in sinks]
    below = [(r, o.extent()[0][1] - 0.01) for r, o in zip(bowls, sinks, strict=True)]
    whole = _shrunk([*slabs, *(_within(footprint(o), slabs, 0.0) for o in sinks)])
    pieces = [(r, top - SLAB_M) for r in cut(whole, [*before, *(r for r, _ in below)])]
    pieces += [(r, high) for sink, high in below for r in cut(clipped([sink], whole), before)]
    parts = []
    inside = [_cabinet_inside(o, objects) for o in objects if o.object_type == "Cabinet" and o.extent()[1][1] < top]
    for i, (r, high) in enumerate(pieces):
        if high < floor_y + 2 * _TOE_M:
            continue
        for k, (q, bottom, up) in enumerate(_without(r, floor_y + _TOE_M, high, inside)):
            parts.append(Part(f"carcass {i + 1}.{k + 1}" if k else f"carcass {i + 1}", upright(q, bottom, up, body)))
        for k, (q, bottom, up) in enumerate(_without(grown(r, -0.01), floor_y, floor_y + _TOE_M, inside)):
            name = f"plinth {i + 1}.{k + 1}" if k else f"plinth {i + 1}"
            parts.append(Part(name, upright(q, bottom, up, toe)))
    rails = _rails([box for box in fronts if box.center[1] < top], whole, top - SLAB_M, [r for r, _ in below])
    parts += [Part(f"rail {i + 1}", upright(q, low, up, body)) for i, (q, low, up) in enumerate(rails)]
    return Structure("CounterBase", tuple(parts)) if parts else None


def _rails(fronts: Sequence[Box], whole: Sequence[Rectangle], top: float, holes: Sequence[Rectangle]) -> list[_Block]:
    """What closes the gap between the highest fronts and the slab."""
    found: list[_Block] = []
    higher = list(holes)
    for box in sorted(fronts, key=lambda box: -(box.center[1] + box.size[1] / 2)):
        strip, low = front_strip(box), box.center[1] + box.size[1] / 2 + _RAIL_GAP_M
        if top - low > _THINNEST_M:
            found += [(q, low, top) for q in cut(clipped(whole, [strip]), higher)]
        higher.append(strip)
    return found


def _cabinet_inside(cabinet: PlacedObject, objects: Iterable[PlacedObject]) -> _Block:
    """What must be free for a cabinet whose door may open: its box, which may be the door's alone, and its contents."""
    held = [o for o in objects if cabinet.object_id in o.parents]
    low = min(o.extent()[0][1] for o in (cabinet, *held))
    around = [grown(footprint(cabinet), -0.003), *(grown(footprint(o), 0.01) for o in held)]
    x0, z0, x1, z1 = (f(r[k] for r in around) for k, f in enumerate((min, min, max, max)))
    return (x0, z0, x1, z1), low + (0.003 if not held else -0.003), cabinet.extent()[1][1] - 0.003


def _without(r: Rectangle, low: float, high: float, holes: Sequence[_Block]) -> list[_Block]:
    """An upright block cut round others: beside them it is whole, above and below them what is left of it."""
    blocks = [(q, low, high) for q in cut([r], [hole for hole, _, _ in holes])]
    for hole, bottom, top in holes:
        for q in clipped([r], [hole]):
            blocks += [(q, a, b) for a, b in ((low, bottom), (top, high)) if b - a > _THINNEST_M]
    return blocks


def _bowl(sink: PlacedObject, objects: Iterable[PlacedObject]) -> Rectangle:
    """What of the floor plan a sink's bowl takes up: its basin, where the metadata has one."""
    basins = (o for o in objects if o.object_id.startswith(f"{sink.object_id}|"))
    basin = next(basins, None)
    return footprint(sink) if basin is None else grown(footprint(basin), _BOWL_WALL_M)


def _within(r: Rectangle, slabs: Sequence[Rectangle], inset: float) -> Rectangle:
    """The part of a rectangle that is so far within the outer sides of a counter."""
    x0, z0, x1, z1 = (f(q[k] for q in slabs) for k, f in enumerate((min, min, max, max)))
    inner = grown((x0, z0, x1, z1), -inset)
    return max(inner[0], r[0]), max(inner[1], r[1]), min(inner[2], r[2]), min(inner[3], r[3])


def _shrunk(rectangles: Sequence[Rectangle]) -> list[Rectangle]:
    """The union of rectangles, drawn in from its outline alone."""
    if not rectangles:
        return []
    around = tuple(f(r[k] for r in rectangles) for k, f in enumerate((min, min, max, max)))
    frame = grown((around[0], around[1], around[2], around[3]), 0.2)
    outside = [grown(r, _SETBACK_M) for r in cut([frame], rectangles)]
    return cut(rectangles, outside)
