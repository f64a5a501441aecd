"""Results made up for the tests of the leaderboard: objects of 100 px, one a scene."""

from typing import Any

from saom_benchmarks.bootstrap import LEVEL, RESAMPLES, intervals
from saom_benchmarks.metrics import COLUMNS, sum_by_scene
from saom_benchmarks.models import ModelCard
from saom_benchmarks.results import Bootstrap, DataInfo, Failure, Result, SceneTally, Speed, TaskInfo, class_rows
from saom_benchmarks.scores import FrameScore, ObjectScore

CLASSES = ["Mug", "Sofa", "Vase"]


def make_result(
    name: str,
    ious: dict[str, int],
    *,
    kind: str = "checkpoint",
    fingerprint: str = "f" * 64,
    protocol: str = "oracle-point",
    failed: bool = False,
    parameters: dict[str, Any] | None = None,
    **card: Any,
) -> Result:
    """A result with one Mug a scene, of which ``ious`` percent are predicted; Sofa and Vase are absent."""
    frames = [
        FrameScore(
            key=f"{scene}/0",
            scene=scene,
            size_hw=(10, 10),
            objects=(ObjectScore(label=1, class_index=0, truth_px=100, predicted_px=value, intersection_px=value),),
            seconds=0.5,
        )
        for scene, value in ious.items()
    ]
    sums = sum_by_scene(frames, len(CLASSES))
    rows, absent = class_rows(sums, CLASSES)
    tallies = {
        scene: SceneTally(images=1, proposals=None, classes={"Mug": sums.values[i, 0].tolist()})
        for i, scene in enumerate(sums.scenes)
    }
    return Result(
        status="failed" if failed else "complete",
        task=TaskInfo(protocol=protocol, version=1, parameters=parameters or {"grid": [32, 32]}, description="A test."),
        data=DataInfo(
            fingerprint=fingerprint,
            label_set="mugs",
            classes=CLASSES,
            split="test",
            scenes=sorted(ious),
            images=len(ious),
            frames_sha256="0",
            simulator={"name": "fixture", "version": "1"},
        ),
        model=ModelCard(name=name, kind=kind, spec=name, base=name, **card),
        settings={"device": "cpu", "grid": [8, 8]},
        failures=[Failure(key="FloorPlan1/000007", error="RuntimeError: out of memory")] if failed else [],
        metrics={} if failed else intervals(sums, ["miou", "macc", "instance_miou"], 0),
        per_image={} if failed else {"objects": 1.0},
        classes=rows,
        absent=absent,
        bootstrap=Bootstrap(seed=0, resamples=RESAMPLES, level=LEVEL),
        tally_columns=list(COLUMNS),
        tallies=tallies,
        speed=Speed(mean_s=0.5, median_s=0.5),
        packages={"saom-bench": "0"},
        git=None,
        created="2026-01-01T00:00:00+00:00",
        command="saom-bench eval",
    )
