"""What is kept of one model on one image: pixel counts of every object and every proposal, enough for all metrics.

Counts are whole numbers, so every metric can be computed again without pictures or models, and comes out equal.
"""

from pydantic import BaseModel, ConfigDict

Shares = tuple[tuple[int, int], ...]
"""((label, pixels), ...) of the objects that a mask touches."""


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class ObjectScore(_Frozen):
    """One ground-truth object against its prediction: pixel counts and the chosen mask."""

    label: int
    class_index: int
    truth_px: int
    predicted_px: int = 0
    """Pixels of the mask that counts as the prediction; 0 when there is none."""
    intersection_px: int = 0
    best_predicted_px: int = 0
    """Pixels of the candidate with the highest true IoU."""
    best_intersection_px: int = 0
    boundary: tuple[int, int, int] | None = None
    """Pixels of the true boundary, of the prediction's, and of both; None without a prediction."""
    over_segmented: bool = False
    under_segmented: bool = False
    dropped: bool = False
    """The published method would make no prompt for this object."""
    predicted_class: int | None = None
    """The class head's answer; -1 where a model with a class head gave no mask, None without a class head."""
    counts: str | None = None
    """The predicted mask as COCO run lengths of the frame's size."""

    @property
    def iou(self) -> float:
        """Intersection over union of this object and its prediction, 0 to 1."""
        return self.intersection_px / max(self.truth_px + self.predicted_px - self.intersection_px, 1)

    @property
    def boundary_iou(self) -> float:
        """Intersection over union of the two boundaries, 0 to 1."""
        if self.boundary is None:
            return 0.0
        truth, predicted, both = self.boundary
        return both / max(truth + predicted - both, 1)


class ProposalScore(_Frozen):
    """One mask of everything mode, the one of the highest score first."""

    score: float
    """Its predicted IoU."""
    px: int
    shared: Shares = ()
    visible_px: int = 0
    """What masks of a higher score leave of it; 0 when that is less than half: it is then in no panoptic score."""
    visible_shared: Shares = ()
    predicted_class: int | None = None
    class_score: float | None = None


class FrameScore(_Frozen):
    """One model on one image under one protocol: a line of the record from which an evaluation resumes."""

    key: str
    scene: str
    size_hw: tuple[int, int]
    objects: tuple[ObjectScore, ...]
    proposals: tuple[ProposalScore, ...] | None = None
    """Everything mode's masks; None for point prompts."""
    seconds: float
    """Prediction only: encoding included, even when the embedding was shared with another model; scoring excluded."""
