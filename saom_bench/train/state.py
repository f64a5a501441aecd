"""A run's folder: the configuration that says which run it is, its log, and the state from which it resumes.

``config.toml`` is the resolved recipe and a [run] table; ``log.jsonl`` has a line a step and a line a validation;
``state.safetensors`` holds the trained parameters, the optimizer's moments and the position, written whole or not at
all, with the moving average, the loss scale and the mask scorer where a recipe has them. There is no random state to
keep: all draws are functions of the seed, the epoch and the image.
"""

import json
import tomllib
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor, nn

from saom_bench.errors import SaomBenchError
from saom_bench.files import PARTIAL_SUFFIX, write_atomically, write_text_atomically
from saom_bench.train.ema import Average
from saom_bench.train.ranks import ALONE, Ranks
from saom_bench.train.recipe import Recipe

CONFIG, LOG, STATE, LOCK = "config.toml", "log.jsonl", "state.safetensors", ".lock"
STATE_FORMAT = "saom-train-state-1"
_MOMENTS = ("exp_avg", "exp_avg_sq", "step")
_SCORER = "scorer."
WITH_SCORER = "with its mask scorer"
"""What the log calls the model at the end of a run that has one."""
# What may differ between a run and its continuation: where things lie, and how they are run.
_FREE_RUN_KEYS = ("data", "val", "device", "command", "cache", "started", "machine", "packages", "git")
_FREE_RECIPE_KEYS = ("description", "prompts_per_chunk", "save_every_steps", "prefetch_images")


@dataclass
class Position:
    """How far a run has come, and the best validation so far."""

    step: int = 0
    """Steps done."""
    epoch: int = 0
    """Epochs done."""
    step_in_epoch: int = 0
    best_miou: float = -1.0
    base_scores: dict[str, float] = field(default_factory=dict)
    """Validation before the first step: the base model's."""
    last_scores: dict[str, float] = field(default_factory=dict)
    trained_s: float = 0.0
    stale: int = 0
    """Validations since the best one."""
    stopped: bool = False
    """Whether the recipe's early stop has ended the run."""
    scored: bool = False
    """Whether the mask scorer has learned, which comes after the last epoch."""
    scaler: dict[str, float] = field(default_factory=dict)
    """The loss scaler's state, for gradients in float16."""


def claim(out: Path, recipe: Recipe, run: Mapping[str, str]) -> bool:
    """Make ``out`` this run's folder, or find that it is; True when a state to resume from is there.

    Raises SaomBenchError when the folder holds another run, naming the first difference, or something else.
    """
    path = out / CONFIG
    if path.is_file() and (out / STATE).is_file():
        _require_same(path, recipe, run)
        return True
    # A run that failed before its first step leaves only a configuration, and nothing to lose.
    # A kill in the first save leaves a partial file beside it.
    harmless = {CONFIG, LOG, LOCK, *(name + PARTIAL_SUFFIX for name in (CONFIG, STATE))}
    if out.exists() and (not out.is_dir() or any(entry.name not in harmless for entry in out.iterdir())):
        raise SaomBenchError(f"{out} holds something that is no training run; choose a new or empty folder")
    table = "\n".join(f"{key} = {json.dumps(value, ensure_ascii=False)}" for key, value in run.items())
    write_text_atomically(path, f"{recipe.to_toml()}\n[run]\n{table}\n")
    return False


def _require_same(path: Path, recipe: Recipe, run: Mapping[str, str]) -> None:
    try:
        before = tomllib.loads(path.read_text("utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SaomBenchError(f"{path} is not valid TOML ({error}); choose another folder") from error
    run_before = before.pop("run", {})
    # A key that an older version did not know yet was at what is its default now.
    now, before = recipe.as_dict(), {**Recipe().as_dict(), **before}
    for new, old, free in ((now, before, _FREE_RECIPE_KEYS), (run, run_before, _FREE_RUN_KEYS)):
        for key, value in new.items():
            if key not in free and old.get(key) != value:
                raise SaomBenchError(
                    f"{path.parent} holds another run: its {key} is {old.get(key)!r}, not {value!r}; give the same "
                    "options to resume it, or choose another folder"
                )


def save_state(
    out: Path,
    parameters: Mapping[str, nn.Parameter],
    optimizer: torch.optim.Optimizer,
    at: Position,
    average: Average | None = None,
    scorer: nn.Module | None = None,
) -> None:
    """Write the resume state, whole or not at all. ``parameters`` are those of the optimizer, in its order, by name."""
    tensors: dict[str, Tensor] = {}
    for name, parameter in parameters.items():
        tensors[f"value.{name}"] = parameter.detach().cpu().contiguous()
        for moment, value in optimizer.state.get(parameter, {}).items():
            tensors[f"{moment}.{name}"] = value.detach().cpu().contiguous()
    for name, value in (average.values if average else {}).items():
        tensors[f"average.{name}"] = value.detach().cpu().contiguous()
    for name, value in (scorer.state_dict() if scorer else {}).items():
        tensors[f"{_SCORER}{name}"] = value.detach().cpu().contiguous()
    metadata = {"format": STATE_FORMAT, "position": json.dumps(asdict(at))}
    write_atomically(out / STATE, lambda partial: save_file(tensors, partial, metadata))


def load_state(
    out: Path,
    parameters: Mapping[str, nn.Parameter],
    optimizer: torch.optim.Optimizer,
    average: Average | None = None,
    ranks: Ranks = ALONE,
) -> tuple[Position, dict[str, Tensor]]:
    """Restore what ``save_state`` wrote, read by the first process for all; returns also the mask scorer's tensors.

    Raises SaomBenchError when the file is damaged or of other parameters.
    """
    path = out / STATE
    metadata, tensors = ranks.agree(_read_state(path) if ranks.first else ({}, {}))
    named = {key.removeprefix("value.") for key in tensors if key.startswith("value.")}
    averaged = {key.removeprefix("average.") for key in tensors if key.startswith("average.")}
    fits = named == set(parameters) and averaged == set(average.values if average else ())
    if metadata.get("format") != STATE_FORMAT or not fits:
        raise SaomBenchError(f"{path} is no state of this run; delete it to start this run over")
    for name, parameter in parameters.items():
        with torch.no_grad():
            parameter.copy_(tensors[f"value.{name}"])
        moments = {moment: tensors.get(f"{moment}.{name}") for moment in _MOMENTS}
        optimizer.state[parameter] = {
            # AdamW keeps its step count on the CPU, whatever the parameter's device.
            moment: value if moment == "step" else value.to(parameter.device)
            for moment, value in moments.items()
            if value is not None
        }
        if average is not None:
            average.values[name].copy_(tensors[f"average.{name}"])
    scorer = {name.removeprefix(_SCORER): value for name, value in tensors.items() if name.startswith(_SCORER)}
    return Position(**json.loads(metadata["position"])), scorer


def _read_state(path: Path) -> tuple[dict[str, str], dict[str, Tensor]]:
    try:
        with safe_open(path, framework="pt") as file:
            return file.metadata() or {}, {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except (OSError, SafetensorError) as error:
        raise SaomBenchError(f"{path} is damaged ({error}); delete it to start this run over") from error


class RunLog:
    """log.jsonl: opened at a position, it forgets what a killed run logged past that."""

    def __init__(self, out: Path, at: Position) -> None:
        self._path = out / LOG
        kept = [line for line in self._lines() if line["step"] <= at.step] if at.step or at.scored else []
        if not at.scored:  # what the mask scorer logs comes after the last step
            kept = [line for line in kept if line["kind"] != "scorer" and line.get("of") != WITH_SCORER]
        write_text_atomically(self._path, "".join(json.dumps(line) + "\n" for line in kept))

    def write(self, **values: Any) -> None:
        """Add a line; every line has a "step" and a "kind"."""
        with self._path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(values) + "\n")

    def _lines(self) -> list[dict[str, Any]]:
        lines = []
        if self._path.is_file():
            for text in self._path.read_text("utf-8").splitlines():
                try:
                    lines.append(json.loads(text))
                except json.JSONDecodeError:  # a kill may cut the last line short
                    break
        return lines


def read_log(out: Path) -> list[dict[str, Any]]:
    """The lines of a run's log."""
    return [json.loads(line) for line in (out / LOG).read_text("utf-8").splitlines()]
