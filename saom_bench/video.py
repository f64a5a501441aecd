"""Videos frame by frame: read through OpenCV, overlays written as a video or as pictures, colours kept from frame to
frame."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

import cv2
import numpy as np
from numpy.typing import NDArray

from saom_bench import pictures
from saom_bench.errors import SaomBenchError
from saom_bench.pictures import Color, color_of
from saom_bench.types import RgbImage

SUFFIXES = (".avi", ".m4v", ".mkv", ".mov", ".mp4", ".webm")
_SAME_IOU = 0.5


@dataclass(frozen=True)
class Video:
    """What is known of a video before it is read."""

    path: Path
    frames: int
    """As the file says; it may hold fewer."""
    fps: float

    def __iter__(self) -> Iterator[RgbImage]:
        """Its frames, (H, W, 3) RGB."""
        capture = cv2.VideoCapture(str(self.path))
        try:
            while True:
                read, bgr = capture.read()
                if not read:
                    return
                yield np.ascontiguousarray(bgr[..., ::-1])
        finally:
            capture.release()


def open_video(path: Path) -> Video:
    """Look into a video. Raises SaomBenchError for one that OpenCV cannot read."""
    if not path.is_file():
        raise SaomBenchError(f"there is no video {path}")
    capture = cv2.VideoCapture(str(path))
    try:
        frames, fps = int(capture.get(cv2.CAP_PROP_FRAME_COUNT)), float(capture.get(cv2.CAP_PROP_FPS))
        if not capture.isOpened() or not capture.read()[0]:
            raise SaomBenchError(f"the video {path} cannot be read; it may be cut short, or of an unknown codec")
    finally:
        capture.release()
    return Video(path, max(1, frames), fps if 0 < fps < 1000 else 25.0)


class VideoWriter:
    """Writes RGB frames of one size as an MP4; use as a context. The file appears under its name once it is whole."""

    def __init__(self, path: Path, fps: float) -> None:
        self.path, self._fps = path, fps
        self._partial = path.with_name(f".{path.stem}.part.mp4")
        self._writer: cv2.VideoWriter | None = None

    def write(self, rgb: RgbImage) -> None:
        """Add a frame. Raises SaomBenchError where OpenCV has no encoder."""
        if self._writer is None:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            size_wh = rgb.shape[1], rgb.shape[0]
            self._writer = cv2.VideoWriter(str(self._partial), cv2.VideoWriter.fourcc(*"mp4v"), self._fps, size_wh)
            if not self._writer.isOpened():
                raise SaomBenchError(f"OpenCV cannot write {self.path}; use --frames to get a picture a frame")
        self._writer.write(np.ascontiguousarray(rgb[..., ::-1]))

    def __enter__(self) -> "VideoWriter":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if self._writer is not None:
            self._writer.release()
        if kind is None and self._writer is not None:
            self._partial.replace(self.path)
        else:
            self._partial.unlink(missing_ok=True)


class FrameWriter:
    """Writes each frame as a PNG in a folder; in the place of a VideoWriter."""

    def __init__(self, folder: Path) -> None:
        self.path, self._count = folder, 0

    def write(self, rgb: RgbImage) -> None:
        """Add a frame."""
        pictures.save(self.path / f"{self._count:06d}.png", rgb)
        self._count += 1

    def __enter__(self) -> "FrameWriter":
        return self

    def __exit__(self, *_: object) -> None:
        pass


class Palette:
    """Colours that stay with an object as long as its box moves little from frame to frame."""

    def __init__(self) -> None:
        self._boxes: NDArray[np.int32] = np.zeros((0, 4), np.int32)
        self._indices: list[int] = []
        self._next = 0

    def colors(self, boxes_xyxy: NDArray[np.int32]) -> list[Color]:
        """A colour for each of a frame's (N, 4) boxes: that of the last frame's box which it overlaps most."""
        free = np.ones(len(self._boxes), np.bool_)
        indices = []
        for box in boxes_xyxy:
            iou = np.where(free, _iou(box, self._boxes), 0)
            best = int(iou.argmax()) if iou.size else -1
            if best >= 0 and iou[best] >= _SAME_IOU:
                free[best] = False
                indices.append(self._indices[best])
            else:
                indices.append(self._next)
                self._next += 1
        self._boxes, self._indices = boxes_xyxy, indices
        return [color_of(index) for index in indices]


def _iou(box: NDArray[np.int32], others: NDArray[np.int32]) -> NDArray[np.float64]:
    sides = np.minimum(box[2:], others[:, 2:]) - np.maximum(box[:2], others[:, :2])
    overlap = np.maximum(sides, 0).prod(axis=1)
    areas = (others[:, 2:] - others[:, :2]).prod(axis=1) + (box[2:] - box[:2]).prod()
    return np.asarray(overlap / np.maximum(areas - overlap, 1))
