"""The usual way to panoramas, for comparison: OpenCV's stitcher, which finds the views' poses by matching features.

It fails on plain walls, and what it makes has neither a known geometry nor labels: nothing to train on.
"""

import json
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from time import perf_counter

import cv2
import numpy as np

from saom_bench.errors import SaomBenchError
from saom_bench.files import write_text_atomically
from saom_bench.pictures import save
from saom_bench.types import RgbImage
from saom_collectors.collect import CollectConfig, chosen_views
from saom_collectors.panorama import PanoramaRules, heading, sweep
from saom_collectors.session import Session

REPORT = "features.json"
_REASONS = {
    cv2.Stitcher_ERR_NEED_MORE_IMGS: "too few matching features",
    cv2.Stitcher_ERR_HOMOGRAPHY_EST_FAIL: "no homography fits the matches",
    cv2.Stitcher_ERR_CAMERA_PARAMS_ADJUST_FAIL: "the cameras' parameters did not converge",
}


@dataclass(frozen=True)
class Attempt:
    """What became of one set of views."""

    scene: str
    number: int
    views: int
    views_used: int
    failure: str
    """Empty when all views were used."""
    seconds: float
    size_hw: tuple[int, int] = (0, 0)


def stitch_by_features(pictures: Sequence[RgbImage]) -> tuple[RgbImage | None, int, str]:
    """OpenCV's panorama of some views, how many of them it used, and why it failed; "" when it used all of them."""
    # Its estimates draw random samples: the same views shall give the same verdict.
    cv2.setRNGSeed(0)
    stitcher = cv2.Stitcher.create(cv2.Stitcher_PANORAMA)
    try:
        status, picture = stitcher.stitch([np.ascontiguousarray(p[..., ::-1]) for p in pictures])
    except cv2.error as error:
        return None, 0, f"OpenCV gave up: {str(error).splitlines()[0][:120]}"
    if status != cv2.Stitcher_OK:
        return None, 0, _REASONS.get(status, f"OpenCV's status {status}")
    used = len(stitcher.component())
    failure = "" if used == len(pictures) else f"only {used} of {len(pictures)} views fitted together"
    return np.ascontiguousarray(picture[..., ::-1]).astype(np.uint8), used, failure


def compare(
    session: Session, scenes: Sequence[str], config: CollectConfig, out: Path, advance: Callable[[int], None]
) -> list[Attempt]:
    """Stitch the views of the panoramas that ``config`` asks for by their features; writes a picture of each that came
    about, and a report. ``advance(n)`` is called as n more are done."""
    if config.panorama is None:
        raise SaomBenchError("--method features is for panoramas; add --kind panoramas")
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise SaomBenchError(f"{out} exists and is not empty; give a new folder for the comparison")
    attempts = []
    for scene in scenes:
        for number, pictures in enumerate(_sweeps(session, scene, config, config.panorama)):
            started = perf_counter()
            picture, used, failure = stitch_by_features(pictures)
            seconds = round(perf_counter() - started, 3)
            size_hw = (0, 0) if picture is None else picture.shape[:2]
            attempts.append(Attempt(scene, number, len(pictures), used, failure, seconds, size_hw))
            if picture is not None:
                save(out / f"{scene}-{number}.jpg", picture)
            advance(1)
    report = {"settings": config.settings(), "attempts": [asdict(attempt) for attempt in attempts]}
    write_text_atomically(out / REPORT, json.dumps(report, indent=1) + "\n")
    return attempts


def failures(attempts: Sequence[Attempt]) -> Counter[str]:
    """Failed attempts by reason."""
    return Counter(
        "not all views fitted together" if attempt.failure.startswith("only") else attempt.failure
        for attempt in attempts
        if attempt.failure
    )


def _sweeps(session: Session, scene: str, config: CollectConfig, rules: PanoramaRules) -> Iterator[list[RgbImage]]:
    cameras = rules.cameras(config.player.size_hw, config.player.fov_deg)
    for view in chosen_views(session, scene, config, Counter()):
        pose = replace(view.pose, yaw_deg=heading(view.seed))
        yield [look.rgb for look in sweep(session, pose, cameras)]
