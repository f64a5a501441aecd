"""One result = one model on one task: a JSON file of format "saom-result", version 2, that can be checked and repeated.

Beside the metrics a file holds the sums of every scene and class that they follow from, and a digest of all of it. On
reading, metrics are computed again from those sums and the digest is compared, so a number edited by hand, or a file
damaged in part, is found and named. ``benchmarks/result.schema.json`` is its JSON schema.
"""

import hashlib
import json
import math
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, ValidationError

from saom_bench.errors import SaomBenchError
from saom_bench.files import write_text_atomically
from saom_benchmarks.bootstrap import Interval
from saom_benchmarks.metrics import COLUMNS, SceneSums, class_acc, class_iou, summarise
from saom_benchmarks.models import ModelCard

FORMAT: Literal["saom-result"] = "saom-result"
VERSION: Literal[2] = 2
RESULT_SUFFIX = ".json"
_NUMBERS = re.compile(r"\[\n([-\d.,e\s]+?)\n\s*\]")


class _Strict(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class TaskInfo(_Strict):
    """The protocol with everything that fixes it."""

    benchmark: str = ""
    """The task of tasks.py, such as "embedded-views@1"; "" for a local one."""
    protocol: str
    version: int
    parameters: dict[str, Any]
    description: str


class DataInfo(_Strict):
    """The images that were scored."""

    fingerprint: str
    label_set: str
    classes: list[str]
    split: str
    scenes: list[str]
    images: int
    frames_sha256: str
    """Hash of the keys of the images: a part of a dataset is not the whole."""
    limits: tuple[int | None, int | None] = (None, None)
    """At most so many images of the dataset, and of those in everything mode; None for all."""
    simulator: dict[str, Any]


class Failure(_Strict):
    """An image on which the model raised."""

    key: str
    error: str


class ClassRow(_Strict):
    """One class that occurs in the ground truth; percent."""

    name: str
    objects: int
    truth_px: int
    iou: float
    acc: float
    instance_iou: float
    recall_50: float
    over_segmented: float
    under_segmented: float


class SceneTally(_Strict):
    """One scene's sums: ``classes`` maps a class to the values of ``tally_columns``."""

    images: int
    proposals: int | None
    classes: dict[str, list[float]]


class Speed(_Strict):
    """Prediction time, encoding included, on the device of ``settings``."""

    mean_s: float
    median_s: float
    machine: str = ""
    """Its processor, and its GPU where it has one."""
    peak_memory_mb: float | None = None
    """Of the largest process, all models of the run together."""
    peak_gpu_memory_mb: float | None = None


class Paired(_Strict):
    """How this row differs from another of its run, scene by scene, in points."""

    model: str
    metrics: dict[str, Interval]


class Bootstrap(_Strict):
    """How the intervals were drawn."""

    seed: int
    resamples: int
    level: float
    unit: Literal["scene"] = "scene"


class Result(_Strict):
    """One row of a leaderboard."""

    format: Literal["saom-result"] = FORMAT
    version: Literal[2] = VERSION
    status: Literal["complete", "failed"]
    task: TaskInfo
    data: DataInfo
    model: ModelCard
    settings: dict[str, Any]
    """Device, dtype, and for everything mode its grid and thresholds."""
    failures: list[Failure]
    metrics: dict[str, Interval]
    """Percent; empty when the row failed."""
    differences: list[Paired] = []
    """To every other row of the same run, task and images; the metrics that follow from sums."""
    per_image: dict[str, float]
    """Means over images that are no percentages, such as the number of proposals."""
    classes: list[ClassRow]
    absent: list[str]
    """Classes of the label set that do not occur in the ground truth: in no mean."""
    bootstrap: Bootstrap
    tally_columns: list[str]
    tallies: dict[str, SceneTally]
    speed: Speed | None
    packages: dict[str, str]
    git: str | None
    created: str
    command: str
    digest: str = ""
    """SHA-256 of everything else; set when the result is written."""

    @property
    def comparable(self) -> str:
        """Rows are ranked together only if this is equal: the task, its parameters, and the very same images."""
        return _digest([self.task.model_dump(exclude={"description", "benchmark"}), _data_identity(self.data)])

    @property
    def seen_scenes(self) -> list[str]:
        """The scored scenes that the model was trained on: such a row says nothing about new scenes."""
        return sorted(set(self.data.scenes) & set(self.model.train_scenes))

    @property
    def selection_scenes(self) -> list[str]:
        """The scored scenes on which the checkpoint was chosen among others of its run."""
        return sorted(set(self.data.scenes) & set(self.model.val_scenes))

    @property
    def stem(self) -> str:
        """The file's name without its ending: readable, and different for different models, tasks, data, settings."""
        return result_stem(self.task, self.data, self.model, self.settings)

    def sums(self) -> SceneSums:
        """The sums by scene and class that every metric of this row follows from."""
        return sums_of(self.tallies, self.data.classes)


def result_stem(task: TaskInfo, data: DataInfo, model: ModelCard, settings: dict[str, Any]) -> str:
    """A name for the files of one row, the same for the same work."""
    work = [task.model_dump(exclude={"benchmark"}), _data_identity(data), model.identity, settings]
    name = "".join(c if c.isalnum() or c in "-." else "-" for c in model.recipe or model.base or model.spec).strip("-.")
    return f"{task.protocol}--{name[:60] or 'model'}--{_digest(work)[:10]}"


def sums_of(tallies: dict[str, SceneTally], classes: list[str]) -> SceneSums:
    """Tallies as arrays; scenes in sorted order. Raises KeyError or ValueError for tallies of another shape."""
    scenes = tuple(sorted(tallies))
    index = {name: i for i, name in enumerate(classes)}
    values = np.zeros((len(scenes), len(classes), len(COLUMNS)))
    for i, scene in enumerate(scenes):
        for name, counts in tallies[scene].classes.items():
            if len(counts) != len(COLUMNS):  # numpy would broadcast a single number
                raise ValueError(f"{scene}, {name} has {len(counts)} values of {len(COLUMNS)}")
            values[i, index[name]] = counts
    return SceneSums(scenes, values)


def class_rows(sums: SceneSums, classes: list[str]) -> tuple[list[ClassRow], list[str]]:
    """The per-class table, and the names of the absent classes."""
    total = sums.total()
    iou, acc = class_iou(total), class_acc(total)
    objects, truth = total.column("objects"), total.column("truth_px")
    shares = {
        name: 100 * total.column(column) / np.maximum(objects, 1)
        for name, column in (
            ("instance_iou", "iou_sum"),
            ("recall_50", "recalled"),
            ("over_segmented", "over_segmented"),
            ("under_segmented", "under_segmented"),
        )
    }
    rows = [
        ClassRow(
            name=name,
            objects=int(objects[i]),
            truth_px=int(truth[i]),
            iou=100 * float(iou[i]),
            acc=100 * float(acc[i]),
            **{share: float(values[i]) for share, values in shares.items()},
        )
        for i, name in enumerate(classes)
        if truth[i] > 0
    ]
    return rows, [name for i, name in enumerate(classes) if truth[i] <= 0]


def write_result(folder: Path, result: Result) -> Path:
    """Write a result under its own name; returns the path."""
    path = folder / (result.stem + RESULT_SUFFIX)
    result = result.model_copy(update={"digest": digest_of(result)})
    # Tallies are long lists of numbers: one line each keeps the file readable and its diffs small.
    text = _NUMBERS.sub(lambda m: f"[{' '.join(m[1].split())}]", result.model_dump_json(indent=1))
    write_text_atomically(path, text + "\n")
    return path


def read_result(path: Path) -> Result:
    """Read and check a result.

    Raises SaomBenchError, naming the file, when it is no result, of another version, or its metrics do not follow from
    its own tallies.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise SaomBenchError(f"result {path} cannot be read as JSON ({error}); delete it or run eval again") from error
    if not isinstance(content, dict) or content.get("format") != FORMAT:
        raise SaomBenchError(f"{path} is not a result of saom-bench eval; move it out of the results folder")
    if content.get("version") != VERSION:
        raise SaomBenchError(f"result {path} is of version {content.get('version')}; this saom-bench reads {VERSION}")
    try:
        result = Result.model_validate(content)
        problem = _inconsistency(result)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise SaomBenchError(f"result {path} is damaged at {where}: {first['msg']}; run eval again") from error
    except (ValueError, KeyError) as error:
        raise SaomBenchError(f"result {path} has damaged tallies ({error}); run eval again") from error
    if problem:
        raise SaomBenchError(f"result {path} was changed or damaged: {problem}; run eval again")
    return result


def digest_of(result: Result) -> str:
    """SHA-256 of a result's content without its own digest."""
    return _digest(result.model_dump(mode="json", exclude={"digest"}))


def read_results(folders: list[Path], on_bad: Callable[[SaomBenchError], None] | None = None) -> list[Result]:
    """Every result in the folders, sorted by path.

    Raises SaomBenchError for a missing folder; a bad file is raised too, or given to ``on_bad``, which may go on.
    """
    results = []
    for folder in folders:
        if not folder.exists():
            raise SaomBenchError(f"no results folder {folder}; saom-bench eval --out makes one")
        for path in sorted(folder.glob("*" + RESULT_SUFFIX)) if folder.is_dir() else [folder]:
            try:
                results.append(read_result(path))
            except SaomBenchError as problem:
                if on_bad is None:
                    raise
                on_bad(problem)
    return results


def _inconsistency(result: Result) -> str | None:
    """What in a result does not follow from its tallies, or None."""
    if result.status == "failed":
        return None if result.digest == digest_of(result) else "its content is not what its digest was made of"
    if tuple(result.tally_columns) != COLUMNS:
        return f"its tally columns are {result.tally_columns}"
    images = sum(tally.images for tally in result.tallies.values())
    if images != result.data.images or sorted(result.tallies) != result.data.scenes:
        return "its tallies do not cover its images"
    if "miou" not in result.metrics:
        return "it has no mIoU"
    sums = result.sums()
    for name, value in summarise(sums.total(), list(result.metrics)).items():
        stated = result.metrics[name].value
        if not math.isclose(stated, float(value), rel_tol=1e-9, abs_tol=1e-9):
            return f"{name} is given as {stated:.4f}, its tallies give {float(value):.4f}"
    for stated_row, row in zip(result.classes, class_rows(sums, result.data.classes)[0], strict=True):
        if stated_row.name != row.name or not math.isclose(stated_row.iou, row.iou, rel_tol=1e-9, abs_tol=1e-9):
            return f"the IoU of {stated_row.name} is given as {stated_row.iou:.4f}, its tallies give {row.iou:.4f}"
    return None if result.digest == digest_of(result) else "its content is not what its digest was made of"


def _data_identity(data: DataInfo) -> list[str]:
    return [data.fingerprint, data.label_set, data.frames_sha256]


def _digest(content: Any) -> str:
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()
