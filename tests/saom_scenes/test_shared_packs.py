"""Packs of AI2-THOR's own rooms, where this machine has some: against the object metadata that the player ships.

The same is tested on a synthetic project in test_unity_import.py and saom_player/test_packs.py, which need nothing.
"""

from pathlib import Path

import numpy as np
import pytest

from saom_player.packs.build import PackScenes
from saom_player.tables.layout import placed_objects

FOLDER = Path(__file__).resolve().parents[3] / "shared" / "packs"


@pytest.mark.skipif(not (FOLDER / "FloorPlan1.npz").exists(), reason="this machine has no packs of AI2-THOR's rooms")
@pytest.mark.parametrize("name", ["FloorPlan1", "FloorPlan205", "FloorPlan310", "FloorPlan415"])
def test_real_rooms_agree_with_their_metadata(name: str) -> None:
    loaded = PackScenes(FOLDER).load(name)
    placed = {o.object_id: o for o in placed_objects(name)}
    assert set(placed) <= {o.object_id for o in loaded.scene.objects}
    real = [o for o in loaded.scene.objects if o.parts and o.object_id not in loaded.stand_ins]
    assert len(real) > 0.75 * len(placed)
    apart = []
    for thing in real:
        points = np.concatenate([p.mesh.positions.reshape(-1, 3) for p in thing.parts])
        low, high = placed[thing.object_id].extent()
        apart.append(np.abs((points.min(axis=0) + points.max(axis=0)) / 2 - np.add(low, high) / 2).max())
    assert np.median(apart) < 0.02
