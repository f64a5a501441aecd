"""Any model by what a user types: a base model's name, or the path of a fine-tuned checkpoint."""

from pathlib import Path

from saom_bench.errors import unknown
from saom_bench.sam.checkpoint import load_checkpoint
from saom_bench.sam.model import Sam
from saom_bench.sam.specs import MODELS, ModelSpec
from saom_bench.sam.zoo import load_base

__all__ = ["MODELS", "ModelSpec", "checkpoint_path", "load_model"]


def load_model(spec: str, device: str = "cpu", weights: Path | None = None) -> Sam:
    """Load "mobile-sam", "sam:mobile-sam", a .safetensors file, or a training run's folder (its best checkpoint).

    Raises SaomBenchError for an unknown name, and for weights or checkpoints that cannot be used.
    """
    path = checkpoint_path(spec)
    if path is not None:
        return load_checkpoint(path, device, weights)
    name = spec.removeprefix("sam:")
    if name not in MODELS:
        raise unknown("model", spec, MODELS)
    return load_base(name, device, weights)


def checkpoint_path(spec: str) -> Path | None:
    """The checkpoint file that a model spec means, or None for a base model's name."""
    if spec.removeprefix("sam:") in MODELS:
        return None
    path = Path(spec)
    if path.is_dir():
        return path / "best.safetensors"
    return path if path.suffix or path.exists() else None
