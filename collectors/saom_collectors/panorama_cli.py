"""What ``collect --kind panoramas`` asks for, from its options; and the comparison with stitching by features."""

import math
from contextlib import closing
from pathlib import Path

from saom_bench.console import console, progress
from saom_bench.errors import SaomBenchError, unknown
from saom_bench.types import Size
from saom_collectors.cli import key_table, parse_size
from saom_collectors.collect import CollectConfig, Opener
from saom_collectors.features import REPORT, compare, failures
from saom_collectors.panorama import STEP_DEG, PanoramaRules


def asked_for(
    kind: str,
    size: str | None,
    fov_deg: float,
    hfov_deg: float,
    views: int,
    rows: str,
    view_size: str | None,
    projection: str,
    blend: str,
    keep_views: bool,
) -> tuple[PanoramaRules | None, Size]:
    """What panoramas are made of, None for single views, and the size of the player's pictures."""
    if kind not in {"views", "panoramas"}:
        raise unknown("kind", kind, ["views", "panoramas"])
    if kind == "views":
        return None, parse_size(size or "640x480")
    if not 0 < hfov_deg <= 360:
        raise SaomBenchError(f"--hfov {hfov_deg:g} is no sweep; give more than 0, at most 360 degrees")
    try:
        horizons = tuple(float(text) for text in rows.split(","))
    except ValueError:
        raise SaomBenchError(f"--pitch-rows {rows!r} are no degrees; write them as 0,-30,30") from None
    # The default height keeps the scale of the preset: 512 rows to 2560 columns of the full circle.
    size_hw = parse_size(size) if size else (512, 16 * round(160 * hfov_deg / 360))
    rules = PanoramaRules(
        size_hw, projection, hfov_deg, views or math.ceil(hfov_deg / STEP_DEG), horizons, blend, keep_views
    )
    view_hw = parse_size(view_size) if view_size else rules.view_size(fov_deg)
    rules.stitching(view_hw, fov_deg)
    return rules, view_hw


def check_method(method: str, panorama: PanoramaRules | None) -> None:
    """Raise SaomBenchError for an unknown method, or one that is not for single views."""
    if method not in {"projection", "features"}:
        raise unknown("method", method, ["projection", "features"])
    if method == "features" and panorama is None:
        raise SaomBenchError("--method features is for panoramas; add --kind panoramas")


def compare_features(out: Path, chosen: tuple[str, ...], config: CollectConfig, opener: Opener) -> None:
    """Stitch by features instead, and print how that went."""
    with closing(opener(config.player)) as session, progress() as bar:
        task = bar.add_task("features", total=len(chosen) * config.views_per_scene, unit="panoramas", note="")
        attempts = compare(session, chosen, config, out, lambda n: bar.advance(task, n))
    failed = [attempt for attempt in attempts if attempt.failure]
    table = key_table("OpenCV's feature stitcher")
    table.add_row("panoramas", f"{len(attempts) - len(failed)} whole of {len(attempts)}")
    for why, count in failures(attempts).most_common():
        table.add_row("failed", f"{count} {why}")
    table.add_row(
        "seconds", f"{sum(a.seconds for a in attempts) / max(1, len(attempts)):.2f} a panorama, stitching alone"
    )
    table.add_row("labels", "none: it makes no dataset")
    table.add_row("report", str(out / REPORT))
    console.print(table)
