"""Collecting a dataset: which scenes are still to do, one shard a scene from worker processes, and the manifest.

A run that ends early, however it ends, leaves whole shards and partial files; the next run removes the partial files
and does the scenes whose shard is missing or damaged.
"""

import os
import shlex
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from saom_bench.classes import label_set
from saom_bench.console import progress
from saom_bench.errors import SaomBenchError
from saom_bench.files import PARTIAL_SUFFIX, sha256_file
from saom_bench.shards.format import ShardHeader
from saom_bench.shards.manifest import (
    MANIFEST,
    FailureRecord,
    Manifest,
    ShardRecord,
    create_manifest,
    read_manifest,
)
from saom_bench.shards.writer import ShardWriter
from saom_bench.types import Capture, Size
from saom_collectors.decode import decode
from saom_collectors.geometry import of_scene
from saom_collectors.jobs import Engine, JobRules, run_jobs
from saom_collectors.panorama import Cut, PanoramaRules, Shot, heading, look_around, shoot
from saom_collectors.runlog import RunLog
from saom_collectors.session import PlayerOptions, Session
from saom_collectors.space import DiskGate, check_space
from saom_collectors.stopping import Stop
from saom_collectors.supervised import SupervisedSession
from saom_collectors.views import ChosenView, ViewRules, choose_views, scout_size, straight, view_seed
from saom_collectors.worker import Report, sweep_scratch

Opener = Callable[[PlayerOptions], Session]
_LOCK = ".lock"
FAULTY = "masks known to be wrong"
_SEAL_S = 600.0


@dataclass(frozen=True)
class CollectConfig:
    """What all shards of a dataset share."""

    split: str
    simulator: dict[str, Any]
    player: PlayerOptions = field(default_factory=PlayerOptions)
    label_set: str = "saom-54"
    views_per_scene: int = 12
    seed: int = 0
    min_area_px: int = 16
    """Objects that show fewer pixels get no label; 0 keeps all."""
    rules: ViewRules = field(default_factory=ViewRules)
    panorama: PanoramaRules | None = None
    """For panoramas: the player's pictures are then the views that they are made of."""

    @property
    def size_hw(self) -> Size:
        """(H, W) of a frame."""
        return self.panorama.size_hw if self.panorama else self.player.size_hw

    @property
    def pixels_hw(self) -> Size:
        """A picture with as many pixels as all that is stored of one frame."""
        if self.panorama is None or not self.panorama.keep_views:
            return self.size_hw
        height, width = self.player.size_hw
        kept = height * width * len(self.panorama.horizons_deg) * self.panorama.views
        return self.size_hw[0], self.size_hw[1] + -(-kept // self.size_hw[0])

    def settings(self) -> dict[str, Any]:
        """What must agree before shards may join a dataset."""
        return {
            **({"panorama": self.panorama.settings()} if self.panorama else {}),
            **({"parts": True} if self.player.parts else {}),
            "label_set": self.label_set,
            "split": self.split,
            "size_hw": list(self.player.size_hw),
            "fov_deg": self.player.fov_deg,
            "views_per_scene": self.views_per_scene,
            "seed": self.seed,
            "min_area_px": self.min_area_px,
            "rules": {**asdict(self.rules), "randomize": list(self.rules.randomize)},
            "simulator": self.simulator,
        }

    def command(self, scene: str) -> str:
        """The command that makes one scene's shard again, in any folder."""
        return shlex.join(["saom-bench", "collect", "OUT", "--scenes", scene, *self.options()])

    def options(self) -> list[str]:
        """The command line's options, all but the choice of scenes."""
        options = {
            "--views-per-scene": self.views_per_scene,
            "--size": f"{self.size_hw[1]}x{self.size_hw[0]}",
            "--fov": f"{self.player.fov_deg:g}",
            "--seed": self.seed,
            "--label-set": self.label_set,
            "--min-area": self.min_area_px,
            "--min-objects": self.rules.min_objects,
            "--tries": self.rules.tries,
            "--strategy": self.rules.strategy,
            "--player": self.player.kind,
        }
        for name, value, default in (
            ("--horizon-jitter", self.rules.horizon_jitter_deg, 0.0),
            ("--crouch-rate", self.rules.crouch_rate, 0.0),
            ("--target-per-class", self.rules.target_per_class, 0),
            ("--randomize", ",".join(self.rules.randomize), ""),
            ("--player-commit", self.player.commit or "", ""),
        ):
            if value != default:
                options[name] = f"{value:g}" if isinstance(value, float) else value
        if self.player.packs is not None:
            options["--packs"] = str(self.player.packs)
        if self.player.houses is not None:
            options["--houses"] = str(self.player.houses)
        written = [str(part) for pair in options.items() for part in pair] + ["--parts"] * self.player.parts
        return [*written, *self.panorama.options(self.player.size_hw)] if self.panorama else written

    def header(self, scene: str) -> ShardHeader:
        """The root attributes of one scene's shard."""
        classes = label_set(self.label_set)
        simulator = of_scene(self.simulator, self.player.packs, scene)
        return ShardHeader(classes, scene, self.split, self.seed, simulator, self.command(scene))


@dataclass
class SceneWorker:
    """Collects whole scenes in a worker process; the player stays up between scenes until one fails."""

    folder: Path
    config: CollectConfig
    open_session: Opener
    player: PlayerOptions | None = None
    """The config's player with whole paths, for workers in another folder; None is as the config has it."""
    _session: Session | None = None

    def run(self, scene: str, report: Report) -> ShardRecord:
        """Collect one scene into its sealed shard; reports each frame. A failure takes the player's log along."""
        started = time.monotonic()
        options = self.player or self.config.player
        if self._session is None:
            report.expect("the player's start", options.start_timeout_s * 2)
            self._session = self.open_session(options)
        try:
            rejected: Counter[str] = Counter()
            session = SupervisedSession(self._session, options, report)
            header, panorama = self.config.header(scene), self.config.panorama
            layers = ("owners",) * bool(panorama) + ("parts",) * options.parts
            kept = options.size_hw if panorama and panorama.keep_views else None
            with ShardWriter(self.folder, header, self.config.size_hw, layers=layers, source_size_hw=kept) as writer:
                for shot in shots(session, scene, self.config, rejected):
                    writer.add(shot.capture, shot.layers, shot.sources)
                    report(1)
                report.finish()
                report.expect("the seal of the shard", _SEAL_S)
                return writer.seal(time.monotonic() - started, rejected)
        except BaseException as error:
            error.add_note(f"The player's log ends:\n{self._session.log()}")
            self.close()
            raise

    def close(self) -> None:
        """End the player."""
        session, self._session = self._session, None
        if session is not None:
            session.close()


def shots(session: Session, scene: str, config: CollectConfig, rejected: Counter[str]) -> Iterator[Shot]:
    """The frames of one scene; ``rejected`` counts the candidates that were turned down, by reason."""
    for view in chosen_views(session, scene, config, rejected):
        yield take(session, view, config, rejected)


def chosen_views(session: Session, scene: str, config: CollectConfig, rejected: Counter[str]) -> Iterator[ChosenView]:
    """Load a scene and choose poses on small pictures; as each is given out, the session is ready to take it."""
    classes = label_set(config.label_set)
    session.resize(scout_size(config.player.size_hw))
    session.reset(scene)
    if "spawn" in config.rules.randomize:
        session.randomize("spawn", view_seed(config.seed, scene, -1))
    scout = look_around if config.panorama else straight
    choice = choose_views(session, scene, config.views_per_scene, config.seed, classes, config.rules, scout)
    rejected.update(choice.rejected)
    session.resize(config.player.size_hw)
    for view in choice.views:
        for what in ("materials", "lighting"):
            if what in config.rules.randomize:
                session.randomize(what, view.seed)
        yield view


def take(session: Session, view: ChosenView, config: CollectConfig, rejected: Counter[str]) -> Shot:
    """One frame at the session's present size; ``rejected`` counts the masks that are known to be wrong."""
    if config.panorama is not None:
        cut = Cut(config.player.size_hw, config.player.fov_deg, label_set(config.label_set), config.min_area_px)
        pose = replace(view.pose, yaw_deg=heading(view.seed))
        shot = shoot(session, pose, config.panorama, cut, view.seed)
        if shot.faulty:
            rejected[FAULTY] += len(shot.faulty)
        return shot
    seen = session.look(view.pose)
    if seen.faulty:
        rejected[FAULTY] += len(seen.faulty)
    labels, instances = decode(seen.ids, seen.keys, seen.types, label_set(config.label_set), config.min_area_px)
    layers = {} if seen.parts is None else {"parts": seen.parts}
    return Shot(Capture(seen.rgb, labels, instances, seen.pose, config.player.fov_deg, seed=view.seed), layers)


@dataclass(frozen=True)
class Outcome:
    """What a run of ``collect`` did."""

    collected: tuple[ShardRecord, ...]
    kept: tuple[ShardRecord, ...]
    """Shards that were there and whole."""
    failures: tuple[FailureRecord, ...]
    seconds: float


def existing(folder: Path, config: CollectConfig) -> Manifest | None:
    """The dataset already in ``folder``, or None when there is none. Raises SaomBenchError, and touches nothing, when
    the folder holds something else."""
    if folder.exists() and not folder.is_dir():
        raise SaomBenchError(f"{folder} is a file; give a folder for the dataset")
    if not (folder / MANIFEST).exists():
        others = [p.name for p in folder.iterdir() if p.name != _LOCK] if folder.exists() else []
        if others:
            raise SaomBenchError(f"{folder} is not empty and holds no dataset ({others[0]}, ...); give a new folder")
        return None
    manifest = read_manifest(folder)
    found, wanted = _flat(manifest.settings), _flat(config.settings())
    for name in (*wanted, *found):
        if found.get(name) != wanted.get(name):
            raise SaomBenchError(
                f"{folder} holds another dataset: its {name} is {found.get(name)}, this command's is "
                f"{wanted.get(name)}. Give another folder, or the options that the dataset was begun with"
            )
    return manifest


def _flat(settings: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Nested settings under dotted names, such as "simulator.version"."""
    flat: dict[str, Any] = {}
    for name, value in settings.items():
        flat.update(_flat(value, f"{prefix}{name}.") if isinstance(value, Mapping) else {prefix + name: value})
    return flat


def pending(folder: Path, scenes: tuple[str, ...], manifest: Manifest | None) -> tuple[list[str], list[ShardRecord]]:
    """The scenes still to do, and the whole shards of the others: sealed, listed, and with the hash listed."""
    records = {record.scene: record for record in manifest.shards} if manifest else {}
    kept = [records[s] for s in scenes if s in records and _is_whole(folder, records[s])]
    done = {record.scene for record in kept}
    return [scene for scene in scenes if scene not in done], kept


def collect(
    folder: Path,
    scenes: tuple[str, ...],
    config: CollectConfig,
    workers: int,
    open_session: Opener,
    rules: JobRules = JobRules(),
    stop: Stop | None = None,
    engine: Engine = run_jobs,
) -> Outcome:
    """Collect what ``folder`` still lacks of ``scenes``.

    A scene that fails is tried again, with a fresh player, as often as ``rules`` allow; then it is put aside with its
    log, and the others go on. A stop that is requested ends the run in good order: what is complete is sealed.

    Raises SaomBenchError, before anything is written, when the folder holds another dataset, another collect is
    writing to it, or the disk is too full.
    """
    unfinished, _ = pending(folder, scenes, existing(folder, config))
    check_space(folder, len(unfinished) * config.views_per_scene, config.pixels_hw)
    started = time.monotonic()
    with _locked(folder):
        manifest = existing(folder, config)
        if manifest is None:
            create_manifest(folder, config.settings())
        _remove_partials(folder)
        sweep_scratch()
        todo, kept = pending(folder, scenes, manifest)
        # Whole paths: a worker process may have another working folder. The shards tell of those that were given.
        worker = SceneWorker(folder.resolve(), config, open_session, config.player.anywhere())
        try:
            collected, failures = _run(worker, _failed_last(todo, manifest), config, workers, rules, stop, engine)
        finally:
            _remove_partials(folder)
    return Outcome(tuple(collected), tuple(kept), tuple(failures), time.monotonic() - started)


def _failed_last(todo: list[str], manifest: Manifest | None) -> list[str]:
    """Scenes that failed before come last: they must not hold up the others."""
    failed = {failure.scene for failure in manifest.failures} if manifest else set()
    return sorted(todo, key=lambda scene: scene in failed)


def _run(
    worker: SceneWorker,
    todo: list[str],
    config: CollectConfig,
    workers: int,
    rules: JobRules,
    stop: Stop | None,
    engine: Engine,
) -> tuple[list[ShardRecord], list[FailureRecord]]:
    if not todo:
        return [], []
    processes = min(workers, len(todo))
    room = DiskGate(worker.folder, processes * config.views_per_scene, config.pixels_hw)
    jobs = engine(worker, todo, processes, rules, stop, room)
    with progress() as bar, closing(jobs) as events:
        log = RunLog(worker.folder, todo, config.views_per_scene, bar, config.player.longest_call_s)
        for event in events:
            log.heard(event)
        log.ended(was_stopped=stop is not None and stop.is_requested)
    return log.collected, log.failures


def _is_whole(folder: Path, record: ShardRecord) -> bool:
    path = folder / record.file
    return path.is_file() and path.stat().st_size == record.size_bytes and sha256_file(path) == record.sha256


def _remove_partials(folder: Path) -> None:
    for path in folder.glob("*" + PARTIAL_SUFFIX):
        path.unlink()


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise SaomBenchError(f"{folder} cannot be made ({error.strerror}); give another folder") from error
    if not os.access(folder, os.W_OK):
        raise SaomBenchError(f"{folder} cannot be written to; give another folder")
    try:
        with FileLock(folder / _LOCK, timeout=0):
            yield
    except Timeout as error:
        raise SaomBenchError(f"another collect is writing to {folder}; wait for it, or give another folder") from error
