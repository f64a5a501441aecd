"""Videos in and out, and colours that stay with their objects."""

from pathlib import Path

import numpy as np
import pytest
from video_support import moving_box, write_video

from saom_bench.errors import SaomBenchError
from saom_bench.video import Palette, VideoWriter, open_video


def test_frames_come_back_in_order_and_colour(tmp_path: Path) -> None:
    frames = moving_box()
    video = open_video(write_video(tmp_path / "box.mp4", frames))
    assert (video.frames, video.fps) == (6, 10)
    for read, written in zip(video, frames, strict=True):
        assert np.abs(read.astype(int) - written).mean() < 8
    assert [path.name for path in tmp_path.iterdir()] == ["box.mp4"]


def test_a_video_that_was_broken_off_leaves_nothing(tmp_path: Path) -> None:
    writer = VideoWriter(tmp_path / "box.mp4", 10)
    writer.write(moving_box()[0])
    writer.__exit__(KeyboardInterrupt, None, None)
    assert not list(tmp_path.iterdir())


def test_what_is_no_video_is_named(tmp_path: Path) -> None:
    (tmp_path / "notes.mp4").write_text("no video")
    with pytest.raises(SaomBenchError, match=r"notes\.mp4 cannot be read"):
        open_video(tmp_path / "notes.mp4")
    with pytest.raises(SaomBenchError, match="there is no video"):
        open_video(tmp_path / "nowhere.mp4")


def test_colours_stay_with_their_objects() -> None:
    palette = Palette()
    first = palette.colors(np.array([[0, 0, 20, 20], [50, 0, 80, 20]], np.int32))
    assert len(set(first)) == 2
    moved = palette.colors(np.array([[52, 1, 82, 21], [1, 0, 21, 20], [0, 40, 20, 60]], np.int32))
    assert moved[:2] == first[::-1]
    assert moved[2] not in first
