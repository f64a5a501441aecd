"""The real client and the player as a program, with a folder of packs: one of them is damaged."""

from pathlib import Path

import pytest
from pack_files import sound_pack

from saom_bench.types import Pose
from saom_collectors.session import ActionFailed, PlayerOptions
from saom_collectors.thor import open_player
from saom_scenes.packs import write_pack

PLATE = "Plate|+00.00|+01.00|+00.00"


def test_a_damaged_pack_fails_its_reset_and_no_other(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    packs = tmp_path / "packs"
    for name in ("FloorPlan901", "FloorPlan902"):
        write_pack(packs / f"{name}.npz", sound_pack(name))
    (packs / "FloorPlan901.npz").write_bytes(b"PK\x03\x04")
    with open_player(PlayerOptions("embedded", (48, 64), packs=packs)) as session:
        for _ in range(2):
            with pytest.raises(ActionFailed, match=r"FloorPlan901.*the scene's pack cannot be used: .*no scene pack"):
                session.reset("FloorPlan901")
            session.reset("FloorPlan902")
        view = session.look(Pose(0.0, 0.9, -1.5, 0.0, 30.0))
        assert PLATE in view.types
        assert "FloorPlan902: from its pack, 1 of 1 objects" in session.log()
