"""The leaderboard ranks what compares, sets the rest apart, and takes differences to the right SAM."""

import pytest
from eval_results import make_result
from rich.console import Console

from saom_bench.errors import SaomBenchError
from saom_benchmarks.boards import Board, boards
from saom_benchmarks.leaderboard import markdown, percent, render
from saom_benchmarks.results import Result

SAM = make_result("SAM", {"A": 40, "B": 60}, kind="sam", base_weights_sha256="m")
SAOM = make_result("SAOM", {"A": 60, "B": 80}, base_weights_sha256="m")


def _ranks(board: Board) -> list[tuple[int | None, str]]:
    return [(entry.rank, entry.result.model.name) for entry in board.entries]


def _text(results: list[Result], width: int = 120) -> str:
    console = Console(width=width, record=True, file=None, quiet=False)
    with console.capture() as captured:
        console.print(render(boards(results), width))
    return captured.get()


def test_rows_are_sorted_by_miou_and_compared_with_sam() -> None:
    (board,) = boards([SAM, SAOM])
    assert _ranks(board) == [(1, "SAOM"), (2, "SAM")]
    delta = board.entries[0].delta
    assert delta is not None
    # Each scene gains 20 points: the paired difference has no spread.
    assert (delta.value, delta.low, delta.high) == (pytest.approx(20), pytest.approx(20), pytest.approx(20))
    assert board.entries[1].delta is None


def test_the_lower_end_of_the_interval_ranks() -> None:
    steady = make_result("steady", {"A": 50, "B": 50, "C": 50})
    wild = make_result("wild", {"A": 20, "B": 60, "C": 90})
    (board,) = boards([wild, steady])
    assert wild.metrics["miou"].value > steady.metrics["miou"].value
    assert _ranks(board) == [(1, "steady"), (2, "wild")]
    # Two of three scenes gain and one loses: the paired interval holds 0.
    assert [entry.is_tied for entry in board.entries] == [False, True]
    assert not any(entry.is_tied for entry in boards([SAM, SAOM])[0].entries)


def test_rows_that_stand_apart_say_why() -> None:
    other = make_result("SAOM", {"A": 90, "B": 90}, fingerprint="0" * 64)
    coarse = make_result("SAM", {"A": 90, "B": 90}, parameters={"grid": [64, 64]})
    main, *rest = boards([other, SAM, SAOM, coarse])
    assert main.apart == ""
    assert sorted(board.apart for board in rest) == [
        "other data (fingerprint) 000000000000, not ffffffffffff",
        "other grid [64, 64], not [32, 32]",
    ]
    assert "stands apart: other data (fingerprint)" in _text([other, SAM, SAOM])


@pytest.mark.parametrize(
    "other",
    [
        {"fingerprint": "0" * 64},
        {"protocol": "everything"},
        {"parameters": {"grid": [64, 64]}},
    ],
)
def test_other_data_and_tasks_are_never_ranked_together(other: dict[str, object]) -> None:
    apart = make_result("SAOM", {"A": 90, "B": 90}, base_weights_sha256="m", **other)  # type: ignore[arg-type]
    shown = boards([SAM, apart])
    assert len(shown) == 2
    assert all(len(board.entries) == 1 and board.entries[0].delta is None for board in shown)
    assert "not ranked together" in _text([SAM, apart])


def test_another_label_set_or_other_images_stand_apart() -> None:
    for change in ({"label_set": "other"}, {"frames_sha256": "1"}):
        apart = SAOM.model_copy(update={"data": SAOM.data.model_copy(update=change)})
        assert len(boards([SAM, apart])) == 2


def test_controls_and_failures_are_not_ranked() -> None:
    oracle = make_result("oracle", {"A": 100, "B": 100}, kind="control")
    broken = make_result("broken", {"A": 100}, failed=True)
    # A failed row keeps the identity of the images that it was to score.
    broken = broken.model_copy(update={"data": SAM.data})
    (board,) = boards([oracle, broken, SAM])
    assert _ranks(board) == [(1, "SAM"), (None, "oracle"), (None, "broken")]
    assert "failed on image FloorPlan1/000007: RuntimeError: out of memory" in _text([oracle, broken, SAM])


def test_rows_of_other_geometry_have_a_table_of_their_own_that_says_so() -> None:
    """The same scenes and settings, once parametric and once from packs: other images, hence another fingerprint."""
    drawn = [
        result.model_copy(update={"data": result.data.model_copy(update={"simulator": simulator, "fingerprint": mark})})
        for result in (SAM, SAOM)
        for mark, simulator in (
            ("p" * 64, {"name": "saom-player", "version": "1", "scenes": "parametric"}),
            ("q" * 64, {"name": "saom-player", "version": "1", "scenes": "packs", "packs": "f" * 64}),
        )
    ]
    made = boards(drawn)
    assert [[entry.result.model.name for entry in board.entries] for board in made] == [["SAOM", "SAM"]] * 2
    assert {"saom-player 1 parametric" in b.subtitle for b in made} == {True, False}
    assert {"saom-player 1 packs" in b.subtitle for b in made} == {True, False}


def test_the_baseline_has_the_same_base_weights() -> None:
    large = make_result("SAM-L", {"A": 50, "B": 70}, kind="sam", base_weights_sha256="l")
    tuned = make_result("SAOM-L", {"A": 80, "B": 80}, base_weights_sha256="l")
    (board,) = boards([SAM, SAOM, large, tuned])
    delta = {entry.result.model.name: entry.delta and entry.delta.value for entry in board.entries}
    assert delta == {
        "SAOM-L": pytest.approx(20),
        "SAOM": pytest.approx(20),
        "SAM-L": None,
        "SAM": None,
    }


def test_any_model_can_be_the_baseline() -> None:
    (board,) = boards([SAM, SAOM], baseline="SAOM")
    assert [entry.delta and entry.delta.value for entry in board.entries] == [None, pytest.approx(-20)]
    assert "| Δ SAOM |" in markdown([board])
    assert "| Δ SAM |" in markdown(boards([SAM, SAOM]))
    with pytest.raises(SaomBenchError, match="called 'nobody'"):
        boards([SAM], baseline="nobody")


def test_training_scenes_are_told() -> None:
    seen = make_result("SAOM", {"A": 60, "B": 80}, base_weights_sha256="m", train_scenes=("A",))
    assert "SAOM: was trained on 1 of these 2 scenes" in _text([SAM, seen])


def test_a_narrow_terminal_keeps_whole_values() -> None:
    wide, narrow = _text([SAM, SAOM]), _text([SAM, SAOM], width=60)
    assert "instance mIoU" in wide
    assert "instance mIoU" not in narrow
    for text in (wide, narrow):
        assert "70.0 [60.0, 80.0]" in text
        assert "+20.0 [+20.0, +20.0]" in text


def test_markdown_has_settings_classes_and_absent_ones() -> None:
    page = markdown(boards([SAM, SAOM.model_copy(update={"model": SAOM.model.model_copy(update={"name": "a|b"})})]))
    assert "## oracle-point@1, grid 32x32" in page
    assert "| 1 | a\\|b | 70.0 [60.0, 80.0] | +20.0 [+20.0, +20.0] |" in page
    assert "device cpu, grid 8x8" in page
    assert "| Mug | 2 | 70.0 | 50.0 |" in page
    assert "in no mean: Sofa, Vase." in page
    # Every line of a table has the same number of cells.
    table = [line.replace("\\|", "") for line in page.splitlines() if line.startswith("|")]
    assert len({line.count("|") for line in table[:4]}) == 1


def test_a_single_scene_shows_no_interval() -> None:
    assert percent(make_result("a", {"A": 50}).metrics["miou"]) == "50.0"
