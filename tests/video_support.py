"""A small moving picture for tests."""

from pathlib import Path

import numpy as np

from saom_bench.types import RgbImage
from saom_bench.video import VideoWriter


def moving_box(frames: int = 6) -> list[RgbImage]:
    """A red box that moves right on grey, 96 x 64."""
    made = []
    for i in range(frames):
        rgb = np.full((64, 96, 3), 180, np.uint8)
        rgb[16:48, 8 + 4 * i : 40 + 4 * i] = (200, 20, 20)
        made.append(rgb)
    return made


def write_video(path: Path, frames: list[RgbImage], fps: float = 10) -> Path:
    with VideoWriter(path, fps) as writer:
        for rgb in frames:
            writer.write(rgb)
    return path
