"""The reproduction: its matrix, the commands it makes, what counts as done, and the table with its gaps."""

import json
import re
from pathlib import Path

import pytest
import typer
from eval_results import make_result
from shards_fixture import make_shards

from saom_bench.cli import app
from saom_bench.errors import SaomBenchError
from saom_benchmarks.reproduce import __main__ as command
from saom_benchmarks.reproduce import drive
from saom_benchmarks.reproduce.drive import carry_out, steps
from saom_benchmarks.reproduce.matrix import EMBEDDED, PACKS, PANORAMAS, RECIPES, SAM, VAL, Run, Size, runs, scored_on
from saom_benchmarks.reproduce.page import write_page
from saom_benchmarks.reproduce.report import ablation_table, results_by_place, spread, tables
from saom_benchmarks.reproduce.steps import Step, Wanted, Workplace, score, scored, train
from saom_benchmarks.reproduce.times import TIMES, minutes
from saom_benchmarks.results import write_result

ALL = Wanted(tuple(recipe.name for recipe in RECIPES), (0, 1, 2))
ONE = Wanted(("saomv1-cpu",), (0, 1), ablations=False)


def _place(tmp_path: Path, packs: bool = True) -> Workplace:
    return Workplace(tmp_path / "out", tmp_path if packs else None, Size())


def test_runs_have_names_of_their_own_and_come_in_order_of_weight() -> None:
    every = runs([recipe.name for recipe in RECIPES], (0, 1, 2), (EMBEDDED, PACKS, PANORAMAS), ablations=True)
    names = [run.name for run in every]
    assert len(set(names)) == len(names) == 3 * (2 + 2 + 1) + 7
    assert names[0] == "saomv1-cpu.packs.seed0"
    assert names[-1] == "saomv1-cpu.packs.mask_choice-predicted-iou.seed0"
    assert [bool(run.change) for run in every] == [False] * 15 + [True] * 7


def test_without_packs_no_run_needs_them(tmp_path) -> None:
    place = _place(tmp_path, packs=False)
    assert {run.source for run in ALL.runs(place)} == {EMBEDDED, PANORAMAS}
    assert not [step.name for step in steps(place, ALL) if PACKS in step.name]


def test_a_recipe_is_scored_on_the_source_it_did_not_train_on_too() -> None:
    assert scored_on(Run("saomv1-cpu", PACKS, 0), (EMBEDDED, PACKS)) == [PACKS, EMBEDDED]
    assert scored_on(Run("panosam-cpu", PANORAMAS, 0), (EMBEDDED, PACKS, PANORAMAS)) == [PANORAMAS]
    assert scored_on(Run("saomv1-cpu", PACKS, 0, "prior=image"), (EMBEDDED, PACKS)) == [PACKS]


def test_every_command_is_one_that_the_command_line_takes(tmp_path) -> None:
    root = typer.main.get_command(app)
    verbs = set()
    for step in steps(_place(tmp_path), ALL):
        verb, *arguments = step.command
        root.commands[verb].make_context(verb, list(arguments), resilient_parsing=False)  # type: ignore[attr-defined]
        assert step.seconds > 0
        verbs.add(verb)
    assert verbs == {"collect", "train", "eval"}


def test_an_ablation_changes_one_setting_of_its_training(tmp_path) -> None:
    place = _place(tmp_path)
    plain = train(place, Run("saomv1-cpu", PACKS, 0)).command
    ablated = train(place, Run("saomv1-cpu", PACKS, 0, "iou_weight=0.0")).command
    assert [part for part in ablated if part not in plain] == [
        str(place.out / "runs" / "saomv1-cpu.packs.iou_weight-0.0.seed0"),
        "iou_weight=0.0",
    ]


def test_only_results_of_the_data_and_images_that_are_there_count_as_done(tmp_path) -> None:
    place = _place(tmp_path)
    assert scored(place, PACKS) == {}
    make_shards(place.data(PACKS, VAL), ("FloorPlan21",), frames=1, size_hw=(48, 64), split="val")
    fingerprint = next(iter(_fingerprints(place)))
    kept = make_result(SAM, {"A": 50}, kind="sam", fingerprint=fingerprint)
    write_result(place.results(PACKS), kept)
    write_result(place.results(PACKS), make_result("old", {"A": 50}, kind="sam"))
    # Its checkpoint is gone.
    write_result(place.results(PACKS), make_result("x", {"A": 5}, fingerprint=fingerprint, checkpoint_sha256="c" * 64))
    # Scored on more images than the data has, or with another grid than now.
    more = make_result("more", {"A": 50, "B": 50}, kind="sam", fingerprint=fingerprint)
    coarse = make_result(SAM, {"A": 50}, kind="sam", fingerprint=fingerprint, protocol="everything")
    for other in (more, coarse):
        write_result(place.results(PACKS), other)
    assert scored(place, PACKS) == {"oracle-point": {SAM}}


def _fingerprints(place: Workplace) -> set[str]:
    from saom_bench.shards.dataset import open_dataset

    return {open_dataset(place.data(PACKS, VAL)).fingerprint}


def test_steps_that_are_done_are_left_out(tmp_path, monkeypatch) -> None:
    place = _place(tmp_path, packs=False)
    monkeypatch.setattr(drive, "is_trained", lambda place, run: run.seed == 0)
    done = {"oracle-point": {SAM, "saomv1-cpu.embedded.seed0"}, "everything": {SAM, "saomv1-cpu.embedded.seed0"}}
    monkeypatch.setattr(drive, "scored", lambda place, source: done)
    left = [step.name for step in steps(place, ONE)]
    assert left[:2] == ["collect embedded-train", "collect embedded-val"]
    assert [name for name in left if name.startswith("train")] == ["train saomv1-cpu.embedded.seed1"]
    assert left[-1] == "score saomv1-cpu.embedded.seed1 on embedded-val"


def test_seeds_are_scored_together_to_share_embeddings(tmp_path) -> None:
    step = score(_place(tmp_path), EMBEDDED, [Run("saomv1-cpu", EMBEDDED, seed) for seed in (0, 1)])
    assert step.command[step.command.index("--names") + 1] == "saomv1-cpu.embedded.seed0,saomv1-cpu.embedded.seed1"
    assert step.command[step.command.index("--models") + 1].count("last.safetensors") == 2


def test_mean_and_spread_by_hand() -> None:
    # Mean 52, deviations -2, 0, 2: sqrt((4 + 0 + 4) / 2) = 2.
    assert spread([50.0, 52.0, 54.0]) == "52.0 ± 2.0"
    assert spread([1.25], signed=True) == "+1.2"
    assert spread([]) == ""


def _results(*values: int) -> dict[str, list]:
    sam = make_result(SAM, {"A": 40}, kind="sam")
    trained = [make_result(Run("saomv1-cpu", EMBEDDED, seed).name, {"A": v}) for seed, v in enumerate(values)]
    failed = make_result(Run("saomv1-cpu", EMBEDDED, 2).name, {"A": 99}, failed=True)
    return {EMBEDDED: [sam, *trained, failed]}


def test_the_table_gives_mean_spread_and_gain_and_says_what_was_not_run() -> None:
    text = tables(results_by_place(_results(50, 54)), (EMBEDDED, PACKS), ("saomv1-cpu", "saomv2-cpu"), (0, 1, 2))
    oracle = text.split("### everything")[0]
    (line,) = re.findall(r"\| saomv1-cpu \| embedded \|.*", oracle)
    assert "| 2 of 3 | 52.0 ± 2.8 |" in line
    assert line.count("+12.0 ± 2.8") == 3
    assert re.search(r"\| SAM \|  \|  \| 40.0 \|", oracle)
    assert re.search(r"\| saomv2-cpu \| packs \| not run \|", oracle)
    assert "99" not in text


def test_ablations_stand_beside_the_recipe_as_it_is() -> None:
    results = _results(50)
    results[EMBEDDED].append(make_result(Run("saomv1-cpu", EMBEDDED, 0, "iou_weight=0.0").name, {"A": 45}))
    text = ablation_table(results_by_place(results), (EMBEDDED,), 0)
    assert re.search(r"saomv1-cpu as it is \| embedded \| 1 \| 50.0", text)
    assert re.search(r"`iou_weight=0.0`.* \| 1 \| 45.0", text)
    assert re.search(r"`prior=image`.* \| not run \|", text)


def test_the_page_names_data_times_and_what_is_left_out(tmp_path) -> None:
    place = _place(tmp_path, packs=False)
    make_shards(place.data(EMBEDDED, VAL), ("FloorPlan21",), frames=1, size_hw=(48, 64), split="val")
    for result in _results(50)[EMBEDDED]:
        write_result(place.results(EMBEDDED), result)
    (place.out / TIMES).write_text('{"step": "train x", "seconds": 90.0}\n{"step": "train y", "seconds": 30.0}\n')
    page = tmp_path / "REPRODUCE.md"
    write_page(place, ONE, page, "make reproduce-cpu")
    text = page.read_text()
    assert "`make reproduce-cpu`" in text
    assert "Without a folder of packs" in text
    assert "| embedded-val | 1 | 1 |" in text
    assert "train 2" in text
    rows = [json.loads(line) for line in page.with_suffix(".jsonl").read_text().splitlines()]
    assert [row["metrics"]["miou"] for row in rows] == [40.0, 50.0]


def test_a_failed_step_is_named_and_a_done_one_is_timed(tmp_path, capfd) -> None:
    place = _place(tmp_path)
    place.out.mkdir()
    with pytest.raises(SaomBenchError, match=r"'train x' ended with exit code 2.*goes on"):
        carry_out(place, Step("train x", ("train", "--no-such-option"), 1.0))
    assert minutes(place.out) == {}
    carry_out(place, Step("recipes x", ("recipes", "list"), 1.0))
    assert list(minutes(place.out)) == ["recipes"]
    assert "saomv1-cpu" in capfd.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--recipes", "saomv1-cp"], "did you mean 'saomv1-cpu'"),
        (["--seeds", "a,b"], "gives no seeds"),
        (["--packs", "nowhere"], "no folder of packs nowhere"),
    ],
)
def test_mistakes_are_one_line_and_exit_2(arguments, message, monkeypatch, capsys) -> None:
    monkeypatch.setattr("sys.argv", ["reproduce", *arguments])
    with pytest.raises(SystemExit) as stopped:
        command.main()
    assert stopped.value.code == 2
    assert message in " ".join(capsys.readouterr().err.split())


def _run_all(monkeypatch, place: Workplace, page: Path, *, dry_run: bool = False, page_only: bool = False) -> list[str]:
    """Run all with commands that only leave what a scoring leaves; returns the verbs in order."""
    verbs: list[str] = []

    def leave(place: Workplace, step: Step) -> None:
        verbs.append(step.command[0])
        if step.command[0] == "collect":
            split = step.command[step.command.index("--split") + 1]
            scene = "FloorPlan1" if split == "train" else "FloorPlan21"
            make_shards(Path(step.command[1]), (scene,), frames=1, size_hw=(48, 64), split=split)
        if step.command[0] == "eval":
            for name in step.command[step.command.index("--names") + 1].split(","):
                write_result(place.results(EMBEDDED), make_result(name, {"A": 50}, kind="sam", checkpoint_sha256=name))

    monkeypatch.setattr(drive, "carry_out", leave)
    drive.run_all(place, ONE, page, "make reproduce-cpu", dry_run, page_only)
    return verbs


def test_running_all_collects_trains_scores_and_writes_the_page(tmp_path, monkeypatch) -> None:
    place, page = _place(tmp_path, packs=False), tmp_path / "page" / "REPRODUCE.md"
    verbs = _run_all(monkeypatch, place, page)
    # SAM, SAM with low thresholds, two seeds, and both seeds scored together.
    assert verbs == ["collect", "collect", "eval", "eval", "train", "train", "eval"]
    assert re.search(r"\| saomv1-cpu \| embedded \| 2 of 2 \| 50.0 ± 0.0", page.read_text())


def test_a_run_that_is_stopped_says_how_to_go_on(tmp_path, monkeypatch, capsys) -> None:
    def stopped(place: Workplace, step: Step) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(drive, "carry_out", stopped)
    with pytest.raises(typer.Exit) as stop:
        drive.run_all(_place(tmp_path, packs=False), ONE, tmp_path / "page.md", "make", dry_run=False, page_only=False)
    assert stop.value.exit_code == 130
    assert "the same command goes on" in capsys.readouterr().out


def test_a_dry_run_says_how_long_it_takes_and_writes_nothing(tmp_path, monkeypatch, capsys) -> None:
    place, page = _place(tmp_path, packs=False), tmp_path / "REPRODUCE.md"
    assert _run_all(monkeypatch, place, page, dry_run=True) == []
    assert re.search(r"together.*\d\.\d h on two idle cores", capsys.readouterr().out)
    assert not page.exists()
    assert not place.out.exists()


def test_the_page_alone_can_be_written_before_anything_is_run(tmp_path, monkeypatch) -> None:
    place, page = _place(tmp_path, packs=False), tmp_path / "REPRODUCE.md"
    assert _run_all(monkeypatch, place, page, page_only=True) == []
    assert "| saomv1-cpu | embedded | not run |" in page.read_text()
    assert re.search(r"\| SAM \|  \| not run \|", page.read_text())


def test_the_options_are_the_sizes_they_name(tmp_path, monkeypatch) -> None:
    places: list[Workplace] = []
    monkeypatch.setattr(drive, "run_all", lambda place, *_: places.append(place))
    monkeypatch.setattr("sys.argv", [*"reproduce --train-scenes 9 --train-views 2 --val-views 3".split()])
    with pytest.raises(SystemExit):
        command.main()
    assert places[0].size == Size(train_scenes=9, train_views=2, val_views=3)
