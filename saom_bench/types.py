"""The values that flow from scene to score, and the conventions they all keep.

* Images are (H, W, 3) uint8, RGB. Label maps are (H, W) uint16; label 0 means "no object of the label set".
* Points are (x, y) in pixels; (0, 0) is the image's top left corner, pixel centres lie at half-integers.
* Boxes are (x0, y0, x1, y1) in whole pixels, half open: x1 and y1 are one past the last pixel. In a panorama of the
  full circle an object may lie across the last and the first column: its x1 is then more than the width.
* Sizes are (H, W).
* World: metres and degrees in AI2-THOR's frame: left-handed, y up, yaw clockwise from +z, horizon positive down.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypedDict

import numpy as np
from numpy.typing import NDArray

RgbImage = NDArray[np.uint8]
LabelMap = NDArray[np.uint16]
BoolMask = NDArray[np.bool_]
FloatArray = NDArray[np.float32]
Box = tuple[int, int, int, int]
Size = tuple[int, int]


class Rle(TypedDict):
    """A COCO run-length mask: ``size`` is [H, W], ``counts`` COCO's compressed string."""

    size: list[int]
    counts: str


@dataclass(frozen=True)
class Pose:
    """Where an agent stands and looks: its position in metres, yaw and horizon in degrees."""

    x: float
    y: float
    z: float
    yaw_deg: float
    horizon_deg: float
    standing: bool = True


@dataclass(frozen=True)
class Instance:
    """One ground-truth object in one image; its mask is ``labels == label``."""

    label: int
    object_id: str
    object_type: str
    class_index: int
    area_px: int
    box_xyxy: Box


@dataclass(frozen=True)
class SourceView:
    """One of the flat views that a panorama was made of."""

    pose: Pose
    fov_deg: float
    """Vertical."""
    size_hw: Size


@dataclass(frozen=True)
class Panorama:
    """How a panorama was made. Its pose's yaw is the heading of its middle."""

    projection: str
    """"cylindrical", "equirectangular" or "planar"."""
    hfov_deg: float
    blend: str
    """How colours cross a seam: "nearest", "feather" or "multiband"."""
    views: tuple[SourceView, ...]

    @property
    def wraps(self) -> bool:
        """Whether the last column is the first one's neighbour."""
        return self.hfov_deg == 360.0


@dataclass(frozen=True)
class Capture:
    """What a collector brings home from one pose."""

    rgb: RgbImage
    labels: LabelMap
    instances: tuple[Instance, ...]
    pose: Pose
    fov_deg: float
    """Vertical field of view in degrees, as AI2-THOR's ``fieldOfView``."""
    seed: int = 0
    kind: str = "view"
    """"view" or "panorama"."""
    panorama: Panorama | None = None

    @property
    def wraps(self) -> bool:
        """Whether the last column is the first one's neighbour."""
        return self.panorama is not None and self.panorama.wraps


@dataclass(frozen=True)
class Sample:
    """One frame read from a shard. ``key`` is stable and unique in a dataset: "FloorPlan1/000003"."""

    key: str
    scene: str
    capture: Capture

    @property
    def rgb(self) -> RgbImage:
        """(H, W, 3) uint8."""
        return self.capture.rgb

    @property
    def labels(self) -> LabelMap:
        """(H, W) uint16; 0 is no object."""
        return self.capture.labels

    @property
    def instances(self) -> tuple[Instance, ...]:
        """Every object of the label set in this frame."""
        return self.capture.instances

    @property
    def size_hw(self) -> Size:
        """(H, W)."""
        height, width = self.capture.labels.shape
        return height, width


@dataclass(frozen=True)
class PointPrompts:
    """One point prompt per ground-truth object of an image: the result of the nearest neighbour assignment."""

    points_xy: FloatArray
    """(N, 2) pixels of the original image; each lies on the recipe's grid."""
    priors_xy: FloatArray
    """(N, 2) pixels: the location prior that the grid point is nearest to."""
    labels: NDArray[np.uint16]
    """(N,) the instance label that each point stands for."""
    no_cell: BoolMask
    """(N,) True where the mask covered no feature cell and the fallback chose the prior."""


@dataclass(frozen=True)
class Proposals:
    """What everything mode gives for one image, best first; all arrays have N rows."""

    size_hw: Size
    rles: tuple[Rle, ...]
    boxes_xyxy: NDArray[np.int32]
    predicted_iou: FloatArray
    stability: FloatArray
    points_xy: FloatArray
    class_index: NDArray[np.int64] | None = None
    """(N,) class of each mask, or None when the model knows no classes."""
    class_score: FloatArray | None = None
    """(N,) softmax probability of ``class_index``."""

    def __len__(self) -> int:
        return len(self.rles)

    def take(self, rows: Sequence[int]) -> "Proposals":
        """Some rows, in the given order."""
        at = np.asarray(rows, np.intp)
        return Proposals(
            size_hw=self.size_hw,
            rles=tuple(self.rles[i] for i in rows),
            boxes_xyxy=self.boxes_xyxy[at],
            predicted_iou=self.predicted_iou[at],
            stability=self.stability[at],
            points_xy=self.points_xy[at],
            class_index=None if self.class_index is None else self.class_index[at],
            class_score=None if self.class_score is None else self.class_score[at],
        )
