"""A session that says before each call how long it may take, so that a watcher outside can end one that hangs."""

from saom_bench.types import Pose, Size
from saom_collectors.session import PlacedObject, PlayerOptions, Position, Session, View
from saom_collectors.worker import Report

_MARGIN_S = 15.0
"""Beyond the limits that the session keeps itself: what it notices comes with the player's last words."""


class SupervisedSession:
    """Passes calls on to another session; see the Session protocol for what they do."""

    def __init__(self, session: Session, options: PlayerOptions, report: Report) -> None:
        self._session, self._options, self._report = session, options, report

    def scenes(self) -> tuple[str, ...]:
        """As the session's."""
        self._expect("GetScenesInBuild", self._options.step_timeout_s)
        return self._session.scenes()

    def reset(self, scene: str) -> None:
        """As the session's."""
        self._expect(f"the reset to {scene}", self._options.reset_timeout_s)
        self._session.reset(scene)

    def resize(self, size_hw: Size) -> None:
        """As the session's."""
        self._expect("ChangeResolution", self._options.step_timeout_s)
        self._session.resize(size_hw)

    def reachable(self) -> tuple[Position, ...]:
        """As the session's."""
        self._expect("GetReachablePositions", self._options.step_timeout_s)
        return self._session.reachable()

    def objects(self) -> tuple[PlacedObject, ...]:
        """As the session's."""
        self._expect("the objects", self._options.step_timeout_s)
        return self._session.objects()

    def randomize(self, what: str, seed: int) -> None:
        """As the session's."""
        self._expect(f"a change of the {what}", self._options.reset_timeout_s)
        self._session.randomize(what, seed)

    def look(self, pose: Pose) -> View:
        """As the session's."""
        self._expect("a look", self._options.step_timeout_s)
        return self._session.look(pose)

    def log(self) -> str:
        """As the session's."""
        return self._session.log()

    def close(self) -> None:
        """As the session's."""
        self._session.close()

    def _expect(self, what: str, within_s: float) -> None:
        self._report.expect(what, within_s + _MARGIN_S)
