"""Every object and every proposal of a result as Parquet tables: to recompute any number offline, or ask for others.

The masks are COCO run lengths of the frame's size. Needs pyarrow (the extra "parquet").
"""

from pathlib import Path
from typing import Any

from saom_bench.errors import SaomBenchError
from saom_bench.files import write_atomically
from saom_benchmarks.compare import read_frames
from saom_benchmarks.results import Result


def require_pyarrow() -> None:
    """Raise SaomBenchError where it is not installed."""
    try:
        import pyarrow.parquet  # noqa: F401
    except ImportError as error:
        raise SaomBenchError("--parquet needs pyarrow: pip install 'saom-bench[parquet]'") from error


def write_tables(out: Path, result: Result) -> list[Path]:
    """Write ``STEM.objects.parquet`` and, of everything mode, ``STEM.proposals.parquet``; returns their paths.

    Raises SaomBenchError without pyarrow, or when the result's records are gone. A failed result has no tables.
    """
    require_pyarrow()
    import pyarrow as pa
    import pyarrow.parquet as pq

    if result.status != "complete":
        return []
    paths = []
    for name, rows in _rows(out, result).items():
        if rows:
            path = out / "frames" / f"{result.stem}.{name}.parquet"
            table = pa.Table.from_pylist(rows)
            write_atomically(path, lambda partial, table=table: pq.write_table(table, partial))  # type: ignore[misc]
            paths.append(path)
    return paths


def _rows(out: Path, result: Result) -> dict[str, list[dict[str, Any]]]:
    classes = result.data.classes
    objects: list[dict[str, Any]] = []
    proposals: list[dict[str, Any]] = []
    for frame in read_frames(out, result).values():
        where = {"key": frame.key, "scene": frame.scene, "height": frame.size_hw[0], "width": frame.size_hw[1]}
        for item in frame.objects:
            values = item.model_dump(exclude={"boundary"})
            objects.append(
                {
                    **where,
                    **values,
                    "class_name": classes[item.class_index],
                    "iou": item.iou,
                    "boundary_iou": item.boundary_iou,
                }
            )
        for place, proposal in enumerate(frame.proposals or ()):
            values = proposal.model_dump()
            for name in ("shared", "visible_shared"):
                values[name] = [{"label": label, "px": px} for label, px in values[name]]
            proposals.append({**where, "place": place, **values})
    return {"objects": objects, "proposals": proposals}
