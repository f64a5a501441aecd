"""Parametric objects made of parts: ``build`` turns an AI2-THOR object type and a box into named, coloured pieces.

Every builder fills its box exactly: a picture's masks then agree with the metadata's boxes.
"""

import numpy as np

from saom_player.objects import (
    appliances,
    bathroom,
    bedroom,
    bottles,
    containers,
    decor,
    electronics,
    fallback,
    fixtures,
    food,
    kitchen,
    laundry,
    leisure,
    lighting,
    paper,
    passages,
    plants,
    seating,
    shower,
    statues,
    storage,
    tables,
    tableware,
    washing,
    worktops,
)
from saom_player.objects.workbench import Bench, Builder, Order
from saom_player.scene import Vector
from saom_player.shapes.mesh import Part
from saom_player.shapes.transforms import fitting, transformed

BUILDERS: dict[str, Builder] = {
    object_type: builder
    for family in (
        appliances, bathroom, bedroom, bottles, containers, decor, electronics, fixtures, food, kitchen, laundry,
        leisure, lighting, paper, passages, plants, seating, shower, statues, storage, tables, tableware, washing,
        worktops,
    )
    for object_type, builder in family.BUILDERS.items()
}  # fmt: skip
"""Builders by AI2-THOR object type; other types get ``fallback.furniture``."""

AS_BOXED = Order()
# Builders never see an axis below this: the fit squashes their work to the real size.
_LEAST_BUILD_M, _MOST_BUILD_M = 0.004, 20.0


def build(object_type: str, size: Vector, rng: np.random.Generator, order: Order = AS_BOXED) -> tuple[Part, ...]:
    """Parts of an object about the origin, extent exactly ``size`` metres (axes under 1 mm count as 1 mm).

    Front towards +z, up +y. The style and colours come from ``rng``: equal generators give equal parts, and whatever
    the ``order``'s openness is, the same style. Away from the state of its box an object may reach beyond the box.
    Any size is accepted; not-a-numbers count as 1 mm.
    """
    wanted = np.clip(np.nan_to_num(np.asarray(size, np.float64), nan=0.0), 0.0, _MOST_BUILD_M)
    w, h, d = (float(max(s, _LEAST_BUILD_M)) for s in wanted)
    bench = Bench(object_type, (w, h, d), rng, order)
    BUILDERS.get(object_type, fallback.furniture)(bench)
    box = (float(wanted[0]), float(wanted[1]), float(wanted[2]))
    fitted = [part for part, beyond in zip(bench.parts, bench.beyond, strict=True) if not beyond]
    factors, offset = fitting(fitted, box)
    still = np.concatenate([np.diag(factors), offset[:, None]], axis=1)
    made = [Part(part.name, transformed(part.mesh, still)) for part in bench.parts]
    return tuple(
        part if motion is None else Part(part.name, motion.fitted(factors, offset).applied(part.mesh))
        for part, motion in zip(made, bench.motions, strict=True)
    )
