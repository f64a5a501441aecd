"""Panoptic quality (Kirillov et al., CVPR 2019) of everything mode: one flat picture of segments against the objects.

Proposals are laid down by falling score, each on what is still free; one of which less than half is left is dropped.
A segment and an object that overlap by an IoU over .5 belong together (there can be no other pair). Segments that lie
mostly where the ground truth has no object count neither for nor against.

    PQ = sum of the IoUs of pairs / (pairs + half of the lone segments + half of the lone objects)

By hand: objects of 10 and 10 px; a segment has 8 px of the first, another 3 px of the second. Pair: IoU .8; lone: one
segment, one object. PQ = .8 / (1 + .5 + .5) = 40.
"""

from collections import Counter
from dataclasses import dataclass

from saom_benchmarks.scores import FrameScore, ProposalScore

_PAIR_IOU = 0.5
_LEAST_ON_OBJECTS = 0.5


@dataclass(frozen=True)
class Panoptic:
    """Counts of one frame by class index: of objects for ``pairs`` and ``iou``; see ``panoptic`` for the segments."""

    pairs: Counter[int]
    iou: dict[int, float]
    lone_segments: Counter[int]


def panoptic(frame: FrameScore, of_classes: bool) -> Panoptic:
    """Pair the visible segments of a frame with its objects.

    With ``of_classes`` a pair needs the right class too, and a lone segment counts for the class that it claims; else
    for the class of the object that it covers most.
    """
    classes = {item.label: item.class_index for item in frame.objects}
    truth = {item.label: item.truth_px for item in frame.objects}
    pairs, iou, lone = Counter[int](), dict[int, float](), Counter[int]()
    for segment in frame.proposals or ():
        shared = {label: pixels for label, pixels in segment.visible_shared if label in classes}
        if not segment.visible_px or sum(shared.values()) < _LEAST_ON_OBJECTS * segment.visible_px:
            continue
        label = max(shared, key=lambda name: (shared[name], -name))
        overlap = shared[label] / (segment.visible_px + truth[label] - shared[label])
        claimed = _claimed(segment, classes[label], of_classes)
        if overlap > _PAIR_IOU and claimed == classes[label]:
            pairs[claimed] += 1
            iou[claimed] = iou.get(claimed, 0.0) + overlap
        else:
            lone[claimed] += 1
    return Panoptic(pairs, iou, lone)


def _claimed(segment: ProposalScore, covered: int, of_classes: bool) -> int:
    return segment.predicted_class if of_classes and segment.predicted_class is not None else covered
