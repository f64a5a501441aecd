"""``saom-bench scenes import|show|preview``: packs of AI2-THOR's own rooms, made from its Unity project."""

import re
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table

from saom_bench.console import console, errors, next_steps, progress
from saom_bench.errors import SaomBenchError, unknown

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from saom_scenes.packs import Pack
    from saom_scenes.unity import Assets, Imported

_RANGE = re.compile(r"^(?:FloorPlan)?(\d+)-(?:FloorPlan)?(\d+)$")
_SMALLEST_PX, _LARGEST_PX = 16, 2048
_TILE_PX, _TITLE_PX, _COLUMNS, _MOST_TILES = 360, 26, 4, 24


def import_(
    unity_project: Annotated[Path, typer.Option(help="A clone of AI2-THOR's repository, or its folder unity.")],
    out: Annotated[Path, typer.Option(help="The folder of packs; an import that was broken off goes on here.")],
    scenes: Annotated[
        str | None, typer.Option(help="Scenes by name: FloorPlan1,FloorPlan201-205; else all of the project.")
    ] = None,
    texture_size: Annotated[int, typer.Option(help="Longer side of a texture in pixels; the player draws 256.")] = 256,
    redo: Annotated[bool, typer.Option("--redo", help="Make packs anew that are there already.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would be imported, and write nothing.")] = False,
) -> None:
    """Make scene packs from a clone of AI2-THOR's Unity project: its own rooms, for the embedded player on a CPU.

    A pack holds a scene's meshes, textures, objects with their ids, parts and lights. Scenes whose pack is there and
    whole are left alone. What the clone lacks is listed by object type at the end. collectors/PACKS.md says which
    folders of the project are needed, and describes the format.

    [bold]Examples[/bold]

    saom-bench scenes import --unity-project ai2thor --out packs

    saom-bench scenes import --unity-project ai2thor --out packs --scenes FloorPlan1-5,FloorPlan201
    """
    from filelock import FileLock, Timeout

    from saom_scenes.packs import PackError
    from saom_scenes.unity import UnityError

    if not _SMALLEST_PX <= texture_size <= _LARGEST_PX:
        raise SaomBenchError(f"--texture-size {texture_size} is outside {_SMALLEST_PX} to {_LARGEST_PX} pixels")
    try:
        assets, chosen = _opened(unity_project, scenes, texture_size)
        if dry_run:
            console.print(f"would import {len(chosen)} scenes: {', '.join(chosen)}", soft_wrap=True, markup=False)
            return
        out.mkdir(parents=True, exist_ok=True)
        with FileLock(out / ".lock", timeout=0):
            outcomes = _import(assets, chosen, out, redo)
    except (UnityError, PackError) as error:
        raise SaomBenchError(str(error)) from error
    except KeyboardInterrupt as stop:
        errors.print("stopped: finished packs are kept; the same command goes on from here")
        raise typer.Exit(130) from stop
    except Timeout as error:
        raise SaomBenchError(f"another import is writing to {out}; wait for it, or give another folder") from error
    except OSError as error:
        raise SaomBenchError(f"{out} cannot be written to ({error.strerror}); give another folder") from error
    _summary(assets, outcomes, out)
    if any(o.error for o in outcomes):
        raise typer.Exit(1)


def _opened(folder: Path, names: str | None, texture_px: int) -> "tuple[Assets, dict[str, Path]]":
    from saom_scenes.unity import Assets, UnityProject

    if not folder.is_dir():
        raise SaomBenchError(f"{folder} is no folder; clone AI2-THOR's repository there (see collectors/PACKS.md)")
    with console.status("reading which file is which"):
        project = UnityProject.open(folder)
        available = project.scenes()
        if not available:
            raise SaomBenchError(
                f"{project.assets} holds no scenes (FloorPlan*_physics.unity): a clone without unity/Assets/Scenes?"
            )
        assets = Assets.open(project, texture_px)
    return assets, _chosen(names, available)


def _chosen(names: str | None, available: Mapping[str, Path]) -> dict[str, Path]:
    """The scenes that are asked for, in the order of their numbers."""
    wanted: set[str] = set()
    for name in (part.strip() for part in (names or "").split(",")):
        match = _RANGE.match(name)
        if match:
            low, high = int(match[1]), int(match[2])
            wanted |= {scene for scene in available if (n := _number(scene)) is not None and low <= n <= high}
        elif name:
            wanted.add(name)
    missing = sorted(wanted.difference(available))
    if missing:
        raise unknown("scene of the project", missing[0], available)
    if names and not wanted:
        raise SaomBenchError(f"--scenes {names} names no scene of the project; it has {len(available)}")
    return {name: available[name] for name in sorted(wanted or available, key=_order)}


def _order(name: str) -> tuple[bool, int, str]:
    number = _number(name)
    return number is None, number or 0, name


def _number(name: str) -> int | None:
    """The number of an iTHOR scene; None of any other."""
    number = name.removeprefix("FloorPlan")
    return int(number) if number.isdecimal() else None


def _import(assets: "Assets", chosen: Mapping[str, Path], out: Path, redo: bool) -> "list[Imported]":
    from saom_scenes.unity import import_scenes

    outcomes: list[Imported] = []
    with progress() as bar:
        task = bar.add_task("import", total=len(chosen), unit="scenes", note="")
        for outcome in import_scenes(assets, chosen, out, redo):
            outcomes.append(outcome)
            bar.update(task, advance=1, note=outcome.scene)
            if outcome.error:
                errors.print(f"{outcome.scene} was not imported: {outcome.error}", soft_wrap=True, markup=False)
    return outcomes


def _summary(assets: "Assets", outcomes: "list[Imported]", out: Path) -> None:
    done = [o for o in outcomes if not o.error]
    kept = sum(o.kept for o in done)
    table = _table(f"packs {out}")
    table.add_row("scenes", f"{len(done)}, {kept} of them were there already, {len(outcomes) - len(done)} failed")
    table.add_row("objects", f"{sum(o.objects for o in done):,}")
    table.add_row("triangles", f"{sum(o.triangles for o in done):,}")
    table.add_row("size", f"{sum(o.size_bytes for o in done) / 1e6:,.1f} MB")
    console.print(table)
    lacking: Counter[str] = Counter()
    for outcome in done:
        lacking.update(outcome.missing or {})
    _list("objects that lack meshes, by type", {k: f"{n} times" for k, n in lacking.most_common()})
    _list("models that could not be read", assets.damaged)
    _list("prefabs that are not in the project", {k: f"{n} times" for k, n in assets.prefabs.missing.items()})
    _list("materials that are grey instead", {k: f"{n} times" for k, n in assets.surfaces.missing.items()})
    _list("textures that are a plain colour instead", assets.textures.missing)
    if done:
        first = done[0].scene
        next_steps(
            f"saom-bench scenes show {out}",
            f"saom-bench scenes preview {out} --out packs.png",
            f"saom-bench collect data/packs --scenes {first} --packs {out}",
        )


def _list(title: str, entries: Mapping[str, str], most: int = 12) -> None:
    if not entries:
        return
    errors.print(f"{title}:", style="yellow", soft_wrap=True)
    for name, what in list(entries.items())[:most]:
        line = what if name and name in what else f"{name}: {what}"
        errors.print(f"  {line}", soft_wrap=True, markup=False)
    if len(entries) > most:
        errors.print(f"  and {len(entries) - most} more")


def show(
    packs: Annotated[Path, typer.Argument(help="A folder of packs, or one pack.")],
) -> None:
    """Say what packs hold: scenes, objects by type, triangles, parts, textures, lights, what is missing.

    [bold]Examples[/bold]

    saom-bench scenes show packs

    saom-bench scenes show packs/FloorPlan1.npz
    """
    sound: list[Pack] = []
    table = Table(box=None, pad_edge=False)
    for title in ("scene", "objects", "with meshes", "parts", "triangles", "textures", "lights", "MB"):
        table.add_column(title, justify="left" if title == "scene" else "right")
    paths = _paths(packs)
    for path in paths:
        pack = _read(path)
        if pack is not None:
            sound.append(pack)
            table.add_row(pack.scene, *_row(pack), f"{path.stat().st_size / 1e6:.2f}")
    console.print(table)
    if sound:
        console.print(_details(sound))
    if len(sound) < len(paths):
        raise typer.Exit(2)
    if packs.is_dir():
        next_steps(f"saom-bench scenes preview {packs} --out packs.png")


def _row(pack: "Pack") -> list[str]:
    seen = len(set(pack.instance_of().tolist()) - {0})
    counts = (len(pack.instances) - 1, seen, len(pack.parts), len(pack.triangles), len(pack.textures), len(pack.lights))
    return [f"{n:,}" for n in counts]


def _details(packs: "list[Pack]") -> Table:
    types = Counter(i.object_type for p in packs for i in p.instances[1:])
    lacking = Counter(i.object_type for p in packs for i in p.instances[1:] if i.missing)
    stand_ins = Counter(i.object_type for p in packs for i in p.instances[1:] if i.substitute)
    table = _table("")
    table.add_row("types", f"{len(types)}: " + _listing(types))
    if lacking:
        table.add_row("lacking meshes", _listing(lacking))
    if stand_ins:
        table.add_row("substitutes", _listing(stand_ins))
    for name, value in (packs[0].source if len(packs) == 1 else {}).items():
        table.add_row(name, value)
    versions = sorted({p.version for p in packs})
    table.add_row("format", f"saom-scene-pack, version {', '.join(map(str, versions))}")
    return table


def _listing(counts: Counter[str]) -> str:
    return ", ".join(f"{name} {count}" for name, count in sorted(counts.items(), key=lambda item: (-item[1], item[0])))


def preview(
    packs: Annotated[Path, typer.Argument(help="A folder of packs, or one pack.")],
    out: Annotated[Path, typer.Option(help="The picture to write; .png or .jpg.")] = Path("packs.png"),
    scenes: Annotated[int, typer.Option(help="How many scenes of a folder, spread over all of them.")] = 12,
) -> None:
    """Draw rooms from above, without a renderer: are they whole, the right way round, in colour?

    [bold]Examples[/bold]

    saom-bench scenes preview packs --out packs.png --scenes 24

    saom-bench scenes preview packs/FloorPlan1.npz --out kitchen.png
    """
    import numpy as np

    from saom_bench.pictures import save
    from saom_scenes.packs.plan import plan_view

    if out.suffix.lower() not in {".png", ".jpg", ".jpeg"}:
        raise SaomBenchError(f"{out} ends in no picture format that is known; end it in .png or .jpg")
    if not 1 <= scenes <= _MOST_TILES:
        raise SaomBenchError(f"--scenes {scenes} is outside 1 to {_MOST_TILES}")
    paths = _paths(packs)
    places = np.linspace(0, len(paths) - 1, min(scenes, len(paths))).round().astype(int)
    picked = [paths[k] for k in places.tolist()]
    read = [pack for pack in map(_read, picked) if pack is not None]
    if not read:
        raise SaomBenchError(f"{packs} holds no pack that can be read")
    tiles = [_titled(plan_view(pack, _TILE_PX if len(picked) > 1 else 2 * _TILE_PX), pack.scene) for pack in read]
    columns = min(_COLUMNS, len(tiles))
    tiles += [np.full_like(tiles[0], 255)] * (-len(tiles) % columns)
    rows = [np.concatenate(tiles[k : k + columns], axis=1) for k in range(0, len(tiles), columns)]
    picture = np.concatenate(rows)
    save(out, picture)
    console.print(f"wrote {out} ({picture.shape[1]}x{picture.shape[0]})", soft_wrap=True)


def _titled(picture: "NDArray[np.uint8]", title: str) -> "NDArray[np.uint8]":
    import cv2
    import numpy as np

    strip = np.full((_TITLE_PX, *picture.shape[1:]), 255, np.uint8)
    cv2.putText(strip, title, (8, _TITLE_PX - 8), cv2.FONT_HERSHEY_SIMPLEX, 0.5, (20, 20, 20), 1, cv2.LINE_AA)
    return np.concatenate([strip, picture])


def _paths(packs: Path) -> list[Path]:
    from saom_scenes.packs import PackError, PackFolder

    if packs.is_file():
        return [packs]
    try:
        names = PackFolder(packs).scenes()
    except PackError as error:
        raise SaomBenchError(str(error)) from error
    return [packs / f"{name}.npz" for name in sorted(names, key=_order)]


def _read(path: Path) -> "Pack | None":
    """A pack; None, with a line, for a damaged one."""
    from saom_scenes.packs import PackError, read_pack

    try:
        return read_pack(path)
    except PackError as error:
        errors.print("[red]error:[/red]", end=" ")
        errors.print(str(error), soft_wrap=True, markup=False)
        return None


def _table(title: str) -> Table:
    table = Table(title=title or None, title_justify="left", show_header=False, box=None, pad_edge=False)
    table.add_column(style="dim", no_wrap=True)
    table.add_column(overflow="fold")
    return table
