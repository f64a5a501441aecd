"""How true scenes are to the metadata, on one scene of each kind; benchmarks/fidelity/scenes.py does all of them."""

import numpy as np
import pytest
from tiny_room import CRATE, MUG, TABLE, room

from saom_bench.classes import label_set
from saom_player.fidelity import fidelity
from saom_player.layouts import load_scene

TYPES = label_set("saom-55").classes
# AI2-THOR has no mesh for basins but for a few, so its camera never shows them: their sink or bathtub is drawn.
WITHOUT_MESH = {"SinkBasin", "BathtubBasin"}


@pytest.mark.parametrize("name", ["FloorPlan11", "FloorPlan221", "FloorPlan305", "FloorPlan429"])
def test_objects_are_there_fill_their_boxes_and_can_be_seen(name: str) -> None:
    found = fidelity(load_scene(name), TYPES)
    assert found.drawn >= 0.9 * found.objects
    assert np.median([fit.farthest_face_m for fit in found.fits]) < 0.02
    assert set(found.missing) <= WITHOUT_MESH
    assert found.reachable > 10


def test_every_scene_lists_every_object_of_the_metadata() -> None:
    from saom_player.layout_table import placed_objects

    for name in ("FloorPlan1", "FloorPlan430"):
        assert [o.object_id for o in load_scene(name).objects] == [o.object_id for o in placed_objects(name)]


def test_what_is_measured_is_what_is_there() -> None:
    found = fidelity(room(), ("Mug", "Box", "Bed"))
    assert (found.objects, found.drawn) == (3, 3)
    assert {fit.object_id for fit in found.fits} == {TABLE, MUG, CRATE}
    assert max(fit.farthest_face_m for fit in found.fits) < 1e-6
    assert (found.types, found.seen, found.missing) == ({"Mug", "Box"}, {"Mug", "Box"}, ())
