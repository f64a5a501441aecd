"""``saom-bench collect``: from scenes to a dataset of shards."""

import os
import re
import shlex
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table

from saom_bench.classes import DEFAULT_LABEL_SET, label_set
from saom_bench.console import console, errors, next_steps
from saom_bench.errors import SaomBenchError

if TYPE_CHECKING:
    from saom_bench.types import Size
    from saom_collectors.collect import CollectConfig, Outcome
    from saom_collectors.views import ViewRules


def collect(
    out: Annotated[Path, typer.Argument(help="The dataset's folder; a collect that was broken off goes on here.")],
    scenes: Annotated[
        str | None, typer.Option(help="Scenes by name: FloorPlan1,FloorPlan2 or FloorPlan201-205.")
    ] = None,
    split: Annotated[
        str | None, typer.Option(help="All scenes of train (n % 100 in 1-20), val (21-25) or test (26-30).")
    ] = None,
    rooms: Annotated[
        str | None, typer.Option(help="Only these: kitchens,living-rooms,bedrooms,bathrooms; or robothor.")
    ] = None,
    houses: Annotated[
        Path | None, typer.Option(help="ProcTHOR houses, one as JSON a line (.jsonl or .jsonl.gz), as the scenes.")
    ] = None,
    limit_scenes: Annotated[
        int | None, typer.Option(help="At most this many scenes, in turn from each room type.")
    ] = None,
    views_per_scene: Annotated[int, typer.Option("--views-per-scene", "-n", help="Frames of each scene.")] = 12,
    kind: Annotated[str, typer.Option(help="views, or panoramas that are projected from them.")] = "views",
    size: Annotated[
        str | None, typer.Option(help="Width x height of a frame in pixels; else 640x480, panoramas 2560x512.")
    ] = None,
    fov: Annotated[float, typer.Option(help="Vertical field of view of a view in degrees.")] = 90.0,
    seed: Annotated[int, typer.Option(help="The same seed gives the same bytes.")] = 0,
    label_set_name: Annotated[
        str, typer.Option("--label-set", help="saom-54, saom-55 or saom-48.")
    ] = DEFAULT_LABEL_SET,
    player: Annotated[
        str, typer.Option(help="embedded (renders on any CPU) or unity (AI2-THOR's own build).")
    ] = "embedded",
    player_path: Annotated[Path | None, typer.Option(help="For --player unity: a build on this machine.")] = None,
    player_commit: Annotated[
        str | None, typer.Option(help="For --player unity: the commit of the build to fetch; else the client's own.")
    ] = None,
    packs: Annotated[
        Path | None, typer.Option(help="For --player embedded: a folder of scene packs, for the scenes it has.")
    ] = None,
    parts: Annotated[
        bool, typer.Option("--parts", help="For --player embedded: keep part ids, too (dataset /parts).")
    ] = False,
    workers: Annotated[int, typer.Option("--workers", "-j", help="Processes; 0 is one for each core.")] = 0,
    min_objects: Annotated[int, typer.Option(help="Prefer views that show at least this many objects.")] = 3,
    tries: Annotated[int, typer.Option(help="Candidate poses looked at for each view.")] = 8,
    strategy: Annotated[
        str, typer.Option(help="Where views are sought: reachable, orbit, trajectory or class-balanced.")
    ] = "reachable",
    horizon_jitter: Annotated[float, typer.Option(help="Shake the camera's tilt by up to so many degrees.")] = 0.0,
    crouch_rate: Annotated[float, typer.Option(help="Share of views from a crouching agent, 0 to 1.")] = 0.0,
    target_per_class: Annotated[
        int, typer.Option(help="class-balanced: stop seeking a class once so many views of a scene show it.")
    ] = 0,
    randomize: Annotated[
        str, typer.Option(help="Vary by seed: spawn (where objects are), materials, lighting; separated by commas.")
    ] = "",
    hfov: Annotated[
        float, typer.Option(help="Of panoramas: degrees from left to right; less than 360 is a partial sweep.")
    ] = 360.0,
    sweep_views: Annotated[int, typer.Option(help="Of panoramas: views in a row; 0 is one for every 30 degrees.")] = 0,
    pitch_rows: Annotated[str, typer.Option(help="Of panoramas: rows of views, degrees downwards: 0,-30,30.")] = "0",
    view_size: Annotated[
        str | None, typer.Option(help="Of panoramas: width x height of a view; else as fine as the panorama.")
    ] = None,
    projection: Annotated[
        str, typer.Option(help="Of panoramas: cylindrical, equirectangular or planar.")
    ] = "cylindrical",
    blend: Annotated[str, typer.Option(help="Of panoramas' colours: nearest, feather or multiband.")] = "feather",
    method: Annotated[
        str, typer.Option(help="Of panoramas: projection; or features, OpenCV's stitcher, to compare: no labels.")
    ] = "projection",
    keep_views: Annotated[
        bool, typer.Option("--keep-views", help="Of panoramas: keep the views in the shards, too.")
    ] = False,
    min_area: Annotated[int, typer.Option(help="Objects that show fewer pixels get no label; 0 keeps all.")] = 16,
    engine: Annotated[str, typer.Option(help="local, ray (tasks on a cluster) or slurm (a job a scene).")] = "local",
    engine_options: Annotated[
        str, typer.Option(help="ray: the cluster's address; slurm: slurm_partition=gpu,timeout_min=600.")
    ] = "",
    attempts: Annotated[int, typer.Option(help="Of a scene that fails, each with a fresh player.")] = 3,
    recycle_after: Annotated[int, typer.Option(help="Scenes of one worker process before a new one takes over.")] = 25,
    step_timeout: Annotated[float, typer.Option(help="Seconds after which a silent player counts as hung.")] = 120.0,
    status: Annotated[bool, typer.Option("--status", help="Say how the collect into OUT is getting on.")] = False,
    resume: Annotated[bool, typer.Option("--resume/--no-resume", help="Go on with a dataset begun before.")] = True,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would be collected, and write nothing.")] = False,
) -> None:
    """Collect RGB frames with instance masks from AI2-THOR scenes into HDF5 shards.

    [bold]Examples[/bold]

    saom-bench collect data/train --split train --views-per-scene 20

    saom-bench collect data/val --split val --rooms kitchens,bathrooms --size 512x512

    saom-bench collect data/few --scenes FloorPlan1,FloorPlan201-203 -n 4 --seed 7

    saom-bench collect data/train --split train --dry-run

    saom-bench collect data/panoramas --kind panoramas --split train --views-per-scene 4

    saom-bench collect data/rare --split train --strategy class-balanced --randomize spawn,materials,lighting

    saom-bench collect data/parts --split train --parts

    saom-bench collect data/houses --houses houses.jsonl --split train --views-per-scene 30

    saom-bench collect data/train --status

    saom-bench collect /shared/train --split train --engine slurm --engine-options slurm_partition=cpu --workers 64

    Ctrl-C, SIGTERM, a crash or a full disk lose nothing: the same command goes on, to the same bytes. A second Ctrl-C
    ends at once.
    """
    if status:
        _show_status(out)
        return
    from saom_collectors.catalogue import catalogue_of
    from saom_collectors.collect import CollectConfig, existing, pending
    from saom_collectors.collect import collect as run
    from saom_collectors.engines import engine_of
    from saom_collectors.jobs import JobRules
    from saom_collectors.panorama_cli import asked_for, check_method, compare_features
    from saom_collectors.session import PlayerOptions
    from saom_collectors.stopping import stop_on_signals
    from saom_collectors.thor import check_parts, open_player, simulator_of

    _check_numbers(views_per_scene=views_per_scene, tries=tries, attempts=attempts, recycle_after=recycle_after)
    if step_timeout <= 0:
        raise SaomBenchError(f"--step-timeout {step_timeout:g} leaves no time; give 1 or more seconds")
    panorama, picture_hw = asked_for(
        kind, size, _checked_fov(fov), hfov, sweep_views, pitch_rows, view_size, projection, blend, keep_views
    )
    options = PlayerOptions(
        player, picture_hw, fov, player_path, packs, houses, player_commit, step_timeout_s=step_timeout, parts=parts
    )
    check_parts(options)
    catalogue = catalogue_of(options)
    asked = catalogue.select(scenes, split, rooms, limit_scenes)
    config = CollectConfig(
        split=catalogue.split_of(asked[0]),
        simulator=simulator_of(options, asked),
        player=options,
        label_set=label_set(label_set_name).name,
        views_per_scene=views_per_scene,
        seed=seed,
        min_area_px=max(0, min_area),
        rules=_rules(tries, min_objects, strategy, horizon_jitter, crouch_rate, target_per_class, randomize),
        panorama=panorama,
    )
    check_method(method, panorama)
    manifest = existing(out, config) if method == "projection" else None
    if manifest is not None and not resume:
        raise SaomBenchError(f"{out} already holds this dataset; leave --no-resume away to go on with it")
    with open_player(options) as session:
        chosen = catalogue.select(scenes, split, rooms, limit_scenes, session.scenes())
    if packs is not None:
        _say_without_packs(chosen, packs)
    if player == "unity" and set(config.rules.randomize) - {"spawn"}:
        errors.print("AI2-THOR's own player has no seed for materials and lighting: these will differ from run to run")
    if dry_run:
        _show_plan(out, chosen, pending(out, chosen, manifest)[0], config)
        return
    if method == "features":
        compare_features(out, chosen, config, open_player)
        return
    processes = min(len(chosen), workers if workers > 0 else os.cpu_count() or 1)
    rules, where = JobRules(attempts, recycle_after), engine_of(engine, engine_options)
    with stop_on_signals() as stop:
        outcome = run(out, chosen, config, processes, open_player, rules, stop, where)
    if stop.is_requested:
        errors.print("stopped: finished scenes are kept; the same command goes on from here")
        raise typer.Exit(stop.exit_code)
    _show_outcome(out, outcome, config)
    if outcome.failures:
        raise typer.Exit(1)


def parse_size(text: str) -> "Size":
    """(H, W) of "WxH". Raises SaomBenchError for anything else, or a side outside 32 to 4096 pixels."""
    match = re.fullmatch(r"(\d{1,5})[xX](\d{1,5})", text.strip())
    if match is None:
        raise SaomBenchError(f"size {text!r} is not WIDTHxHEIGHT; write it as 640x480")
    width, height = int(match[1]), int(match[2])
    if not (32 <= width <= 4096 and 32 <= height <= 4096):
        raise SaomBenchError(f"size {text!r} has a side outside 32 to 4096 pixels")
    return height, width


def _checked_fov(degrees: float) -> float:
    if not 10 <= degrees <= 150:
        raise SaomBenchError(f"a field of view of {degrees:g} degrees is outside 10 to 150")
    return degrees


def _rules(
    tries: int, min_objects: int, strategy: str, jitter: float, crouch_rate: float, target: int, randomize: str
) -> "ViewRules":
    from saom_bench.errors import unknown
    from saom_collectors.strategies import strategy_of
    from saom_collectors.views import ViewRules

    strategy_of(strategy)
    if not 0 <= crouch_rate <= 1 or not 0 <= jitter <= 90 or target < 0:
        raise SaomBenchError(
            f"--crouch-rate {crouch_rate:g} must be 0 to 1, --horizon-jitter {jitter:g} 0 to 90 degrees, "
            f"--target-per-class {target} 0 or more"
        )
    wanted = tuple(sorted({name.strip() for name in randomize.split(",") if name.strip()}))
    for name in wanted:
        if name not in {"spawn", "materials", "lighting"}:
            raise unknown("randomisation", name, ["spawn", "materials", "lighting"])
    return ViewRules(tries, max(0, min_objects), strategy, jitter, crouch_rate, target, wanted)


def _check_numbers(**numbers: int) -> None:
    for name, value in numbers.items():
        if value < 1:
            raise SaomBenchError(f"--{name.replace('_', '-')} {value} is too few; give 1 or more")


def _say_without_packs(chosen: tuple[str, ...], packs: Path) -> None:
    from saom_scenes.packs import PackFolder

    without = [scene for scene in chosen if scene not in PackFolder(packs).scenes()]
    if without:
        some = ", ".join(without[:6]) + ", ..." * (len(without) > 6)
        errors.print(f"{len(without)} of {len(chosen)} scenes have no pack and are parametric: {some}")


def _show_plan(out: Path, chosen: tuple[str, ...], todo: list[str], config: "CollectConfig") -> None:
    from saom_bench.shards.format import simulator_title
    from saom_collectors.space import shard_bytes

    height, width = config.size_hw
    table = key_table("would collect")
    table.add_row("into", str(out))
    table.add_row("split", config.split)
    table.add_row(
        "scenes", f"{len(todo)} of {len(chosen)} still to do  {', '.join(todo[:8])}{' ...' * (len(todo) > 8)}"
    )
    frames = len(todo) * config.views_per_scene
    what = "panoramas" if config.panorama else "views"
    table.add_row("frames", f"{frames} of {width}x{height}, {config.rules.strategy} {what}")
    if config.panorama:
        table.add_row("each of", config.panorama.described(config.player.size_hw, config.player.fov_deg))
    varied = ", ".join(config.rules.randomize)
    table.add_row("varied", varied or "nothing")
    table.add_row("at most", f"{shard_bytes(frames, config.pixels_hw) / 1e6:.0f} MB")
    table.add_row("simulator", simulator_title(config.simulator))
    console.print(table)


def _show_outcome(out: Path, outcome: "Outcome", config: "CollectConfig") -> None:
    from saom_bench.shards.dataset import open_dataset
    from saom_bench.shards.format import simulator_title

    for failure in outcome.failures:
        where = f" (log: {out / failure.log})" if failure.log else ""
        errors.print("[red]put aside[/red]", end=" ")
        line = f"{failure.scene} after {failure.attempts} attempts: {failure.error}{where}"
        errors.print(line, soft_wrap=True, markup=False)
    if not (outcome.collected or outcome.kept):
        errors.print("no scene was collected")
        return
    dataset = open_dataset(out)
    fresh = sum(record.frames for record in outcome.collected)
    seen = {i.class_index for k in range(len(dataset)) for i in dataset.objects(k)}
    table = key_table(f"dataset {out}")
    kept = f" ({len(outcome.kept)} were there)" if outcome.kept else ""
    table.add_row("scenes", f"{len(dataset.scenes)} {config.split}{kept}, {len(outcome.failures)} failed")
    table.add_row("frames", f"{len(dataset)}")
    table.add_row("instances", f"{sum(record.instances for record in dataset.shards)}")
    table.add_row("classes seen", f"{len(seen)} of {len(dataset.label_set)} ({dataset.label_set.name})")
    rejected: Counter[str] = sum((Counter(r.rejected) for r in dataset.shards), Counter())
    table.add_row("turned down", ", ".join(f"{n} {why}" for why, n in rejected.most_common()) or "no view")
    table.add_row("bytes/frame", f"{sum(r.size_bytes for r in dataset.shards) / max(1, len(dataset)):,.0f}")
    table.add_row("speed", f"{fresh / max(outcome.seconds, 1e-9):.2f} frames/s ({fresh} in {outcome.seconds:.0f} s)")
    table.add_row("simulator", simulator_title(config.simulator))
    table.add_row("fingerprint", dataset.fingerprint[:16])
    console.print(table)
    next_steps(*_next_commands(out, config))


def _show_status(out: Path) -> None:
    """From the folder alone, so on any machine that sees it."""
    from saom_bench.shards.manifest import read_manifest
    from saom_collectors.status import read_status

    manifest, status = read_manifest(out), read_status(out)
    table = key_table(f"collect into {out}")
    frames = sum(record.frames for record in manifest.shards)
    table.add_row("sealed", f"{len(manifest.shards)} shards, {frames} frames")
    if status is not None:
        stale = f", but silent for {status.silence_s():.0f} s: it may have been killed" if status.is_stale() else ""
        table.add_row("state", f"{status.state}{stale}")
        table.add_row("this run", f"{status.scenes_done} of {status.scenes} scenes, {status.scenes_failed} put aside")
        table.add_row("frames", f"{status.frames_done} of {status.frames}")
        table.add_row("speed", f"{status.rate:.2f} frames/s")
        if status.state == "running" and status.eta_s is not None:
            table.add_row("to go", f"{status.eta_s / 60:.0f} min")
        table.add_row("on", f"{status.host}, process {status.pid}, {status.updated}")
        if status.note:
            table.add_row("waits", status.note)
    console.print(table)
    for failure in manifest.failures:
        where = f" (log: {out / failure.log})" if failure.log else ""
        console.print(
            f"put aside: {failure.scene}: {failure.error}{where}", style="yellow", soft_wrap=True, markup=False
        )


def _next_commands(out: Path, config: "CollectConfig") -> list[str]:
    preview = f"saom-bench shards preview {out} --out {out / 'preview.png'}"
    if config.player.houses is not None and config.split == "train":
        more = config.player.houses.with_name("val.jsonl")
        config = replace(config, player=replace(config.player, houses=more))
        make = [f"saom-bench scenes generate {shlex.quote(str(more))} --split val --rooms 1-6 --count 10"]
        return [preview, *make * (not more.exists()), *_toward_training(out, config)]
    if config.split == "train":
        return [preview, *_toward_training(out, config)]
    return [preview, f"saom-bench eval --data {out} --models sam:mobile-sam --out results"]


def _toward_training(out: Path, config: "CollectConfig") -> list[str]:
    val = out.with_name("val")
    return [
        f"saom-bench collect {val} --split val {shlex.join(config.options())}",
        f"saom-bench train runs/saomv1 --recipe saomv1-cpu --data {out} --val {val}",
    ]


def key_table(title: str) -> Table:
    """A table of one value a row, each with its name."""
    table = Table(title=title, title_justify="left", show_header=False, box=None, pad_edge=False)
    table.add_column(style="dim", no_wrap=True)
    table.add_column(overflow="fold")
    return table
