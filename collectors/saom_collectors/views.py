"""Choosing where to stand and look: seeded poses that show enough objects, and other ones than the poses before.

A strategy (strategies.py) proposes candidates; they are judged on small pictures. View k of a scene depends on the
seed, the scene and the views before it, so asking for more views only adds to the earlier ones.
"""

import hashlib
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from itertools import islice

import numpy as np
from numpy.typing import NDArray

from saom_bench.classes import LabelSet
from saom_bench.errors import SaomBenchError
from saom_bench.types import Pose, Size
from saom_collectors.decode import decode
from saom_collectors.session import ActionFailed, Session, View
from saom_collectors.strategies import Surroundings, strategy_of

_SCOUT_SIDE_PX = 160
_SIGNATURE_HW = (24, 32)
_NEAR_M, _NEAR_YAW_DEG = 0.6, 40.0
_MIN_SHARE, _FULL_SHARE = 0.0005, 0.01
"""Of the picture: smaller objects do not count as seen; from the second on, size no longer makes one count more."""
_TOO_CLOSE = 0.5
"""Of the picture: an object larger than this hides the room."""
_SAME_SHARE = 0.95
"""Of the pixels: a view that shows the same objects in so many of them is a duplicate."""
BLOCKED, CROWDED, POOR, DUPLICATE = "no room to stand", "one object fills it", "too few objects", "like an earlier view"


Scout = Callable[[Session, Pose], tuple[Pose, View]]
"""Looks from a proposed pose; gives the pose that counts, and what it shows. Raises ActionFailed where there is no
room."""


@dataclass(frozen=True)
class ViewRules:
    """How poses are chosen, and how the scene is varied."""

    tries: int = 8
    """Candidates looked at for each view."""
    min_objects: int = 3
    """A candidate that shows fewer is taken only when none shows more."""
    strategy: str = "reachable"
    """Of strategies.py."""
    horizon_jitter_deg: float = 0.0
    crouch_rate: float = 0.0
    """Share of views from a crouching agent, whose camera is lower."""
    target_per_class: int = 0
    """class-balanced: views of a scene that shall show each class; 0 goes on for ever."""
    randomize: tuple[str, ...] = ()
    """"spawn" once a scene; "materials" and "lighting" anew for each view."""


@dataclass(frozen=True)
class ChosenView:
    """A pose, the seed it came from, and the objects that it was seen to show, each with its share of the picture."""

    pose: Pose
    seed: int
    seen: Mapping[str, float]
    signature: NDArray[np.uint32] = field(repr=False, compare=False)
    """The small picture's ids, smaller still: to tell duplicates."""


@dataclass(frozen=True)
class Choice:
    """The views of a scene, and the candidates and views that were turned down, by reason."""

    views: tuple[ChosenView, ...]
    rejected: Mapping[str, int]


def view_seed(seed: int, scene: str, view: int) -> int:
    """The seed of one view: stable over machines and Python versions."""
    text = f"{seed}/{scene}/{view}"
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:7], "big")


def scout_size(size_hw: Size) -> Size:
    """The small size, of about the same aspect, at which candidates are judged."""
    scale = min(1.0, _SCOUT_SIDE_PX / max(size_hw))
    return max(16, round(size_hw[0] * scale)), max(16, round(size_hw[1] * scale))


def straight(session: Session, pose: Pose) -> tuple[Pose, View]:
    """The scout of single views: one look."""
    return pose, session.look(pose)


def choose_views(
    session: Session,
    scene: str,
    count: int,
    seed: int,
    label_set: LabelSet,
    rules: ViewRules,
    scout: Scout = straight,
) -> Choice:
    """Choose up to ``count`` views of the scene that the session has loaded, at the session's present (small) size.

    A view of which every candidate looks like an earlier view is left out. Raises SaomBenchError when no candidate of
    a view can be stood at.
    """
    around = _surroundings(session, scene, seed, label_set, rules)
    propose = strategy_of(rules.strategy)
    chosen: list[ChosenView] = []
    rejected: Counter[str] = Counter()
    for view in range(count):
        number = view_seed(seed, scene, view)
        rng = np.random.default_rng(number)
        candidates = []
        for pose in islice(propose(around, view, rng), rules.tries):
            try:
                candidates.append(_scouted(*scout(session, pose), number, label_set))
            except ActionFailed:
                rejected[BLOCKED] += 1
        if not candidates:
            raise SaomBenchError(f"view {view} of {scene}: none of {rules.tries} poses can be stood at")
        best = max(candidates, key=lambda c: _merit(c, chosen, around.shown, rules))
        rejected += _reasons(candidates, chosen, rules)
        if any(_alike(best, other) for other in chosen):
            continue
        chosen.append(best)
        around.shown.update(best.seen.keys())
    return Choice(tuple(chosen), dict(rejected))


def _surroundings(session: Session, scene: str, seed: int, label_set: LabelSet, rules: ViewRules) -> Surroundings:
    places = session.reachable()
    if not places:
        raise SaomBenchError(f"{scene} has no place where an agent can stand")
    things = tuple(thing for thing in session.objects() if label_set.index_of(thing.object_type) is not None)
    return Surroundings(
        places,
        things,
        view_seed(seed, scene, -1),
        rules.crouch_rate,
        rules.horizon_jitter_deg,
        rules.target_per_class,
    )


def _scouted(pose: Pose, view: View, seed: int, label_set: LabelSet) -> ChosenView:
    """The objects of the label set in sight from a pose; none when one object fills the picture."""
    _, instances = decode(view.ids, view.keys, view.types, label_set)
    shares = {i.object_id: i.area_px / view.ids.size for i in instances}
    if max(shares.values(), default=0.0) > _TOO_CLOSE:
        shares = {}
    seen = {name: share for name, share in shares.items() if share >= _MIN_SHARE}
    rows, columns = (np.arange(n) * side // n for n, side in zip(_SIGNATURE_HW, view.ids.shape, strict=True))
    return ChosenView(pose, seed, seen, view.ids[rows[:, None], columns[None, :]].copy())


def _merit(
    candidate: ChosenView, chosen: list[ChosenView], shown: Counter[str], rules: ViewRules
) -> tuple[bool, bool, bool, float]:
    """No duplicate first, then enough objects, then a new place or direction, then objects that few views have shown,
    large ones more."""
    new = not any(_alike(candidate, other) for other in chosen)
    enough = len(candidate.seen) >= rules.min_objects
    fresh = not any(_near(candidate.pose, other.pose) for other in chosen)
    novelty = sum(min(1.0, (share / _FULL_SHARE) ** 0.5) / (1 + shown[name]) for name, share in candidate.seen.items())
    return new, enough, fresh, novelty


def _reasons(candidates: list[ChosenView], chosen: list[ChosenView], rules: ViewRules) -> Counter[str]:
    """Why candidates of one view were no good, each counted once."""
    reasons: Counter[str] = Counter()
    for candidate in candidates:
        if any(_alike(candidate, other) for other in chosen):
            reasons[DUPLICATE] += 1
        elif not candidate.seen:
            reasons[CROWDED] += 1
        elif len(candidate.seen) < rules.min_objects:
            reasons[POOR] += 1
    return reasons


def _alike(a: ChosenView, b: ChosenView) -> bool:
    return float((a.signature == b.signature).mean()) >= _SAME_SHARE


def _near(a: Pose, b: Pose) -> bool:
    turn = abs((a.yaw_deg - b.yaw_deg + 180) % 360 - 180)
    return bool(np.hypot(a.x - b.x, a.z - b.z) < _NEAR_M and turn < _NEAR_YAW_DEG)
