"""``saom-bench eval``, ``saom-bench tasks`` and ``saom-bench leaderboard``."""

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from saom_bench.console import console, errors, next_steps, progress

if TYPE_CHECKING:
    from saom_bench.shards.dataset import ShardDataset
    from saom_benchmarks.boards import Board
    from saom_benchmarks.models import Model
    from saom_benchmarks.results import Result

DEFAULT_MARKDOWN = "LEADERBOARD.md"
DEFAULT_PROTOCOLS = ("oracle-point", "everything")


def eval_(
    data: Annotated[Path, typer.Option(help="Dataset folder to score on.")],
    models: Annotated[
        str,
        typer.Option(
            help="Models, separated by commas: names, checkpoints, run folders; oracle, grid-boxes, part-merge; "
            "hf:FOLDER for a model of transformers."
        ),
    ] = "",
    task: Annotated[
        str | None, typer.Option(help="A task by name, such as embedded-views@1 (see saom-bench tasks).")
    ] = None,
    protocol: Annotated[
        str | None,
        typer.Option(
            help="Protocols, separated by commas: oracle-point, oracle-point-published, everything. By default the "
            "task's own, or oracle-point,everything."
        ),
    ] = None,
    out: Annotated[Path, typer.Option(help="Folder for the results, one JSON a model and task.")] = Path("results"),
    names: Annotated[
        str | None, typer.Option(help="What to call the models, separated by commas, in the order of --models.")
    ] = None,
    limit: Annotated[int | None, typer.Option(help="Score at most this many images, evenly spread.")] = None,
    everything_limit: Annotated[
        int | None, typer.Option(help="Of those, at most this many in everything mode, which takes longest.")
    ] = None,
    grid: Annotated[
        str | None, typer.Option(help="Points along x and y for oracle-point; by default the task's own, or 32x32.")
    ] = None,
    prior: Annotated[str | None, typer.Option(help="oracle-point: seek the prior in the mask or the image.")] = None,
    everything_grid: Annotated[
        str | None, typer.Option(help="Points along x and y in everything mode, for every model; else their presets.")
    ] = None,
    pred_iou: Annotated[float | None, typer.Option(help="Everything mode, every model: least predicted IoU.")] = None,
    stability: Annotated[float | None, typer.Option(help="Everything mode, every model: least stability.")] = None,
    nms: Annotated[float | None, typer.Option(help="Everything mode, every model: box NMS threshold.")] = None,
    min_area: Annotated[int | None, typer.Option(help="Everything mode, every model: least region, px.")] = None,
    pictures: Annotated[Path | None, typer.Option(help="Write side-by-side pictures to this folder.")] = None,
    pictures_count: Annotated[int, typer.Option(min=1, help="Pictures a task, from best to worst gain.")] = 3,
    weights: Annotated[Path | None, typer.Option(help="Weights file of a sam-vit model.")] = None,
    device: Annotated[str, typer.Option(help="auto, cpu, cuda or cuda:N.")] = "auto",
    seed: Annotated[int, typer.Option(min=0, help="Seeds the bootstrap over scenes.")] = 0,
    fresh: Annotated[bool, typer.Option("--fresh", help="Ignore what an interrupted run has measured.")] = False,
    workers: Annotated[
        int, typer.Option("--workers", "-j", min=1, help="Processes that score side by side; each loads the models.")
    ] = 1,
    engine: Annotated[
        str, typer.Option(help="Where the workers run: local, or ray (RAY_ADDRESS names a cluster).")
    ] = "local",
    batch: Annotated[int, typer.Option(min=1, help="Images asked of a worker at a time.")] = 1,
    timed: Annotated[
        bool, typer.Option("--times/--no-times", help="Leave times out: on a busy machine they say nothing.")
    ] = True,
    parquet: Annotated[
        bool, typer.Option("--parquet", help="Write every object and proposal as Parquet too (extra: parquet).")
    ] = False,
    repro: Annotated[
        Path | None, typer.Option(help="Measure this result again, on --data, and compare; --models if it has moved.")
    ] = None,
) -> None:
    """Score models on a dataset: one JSON a model and protocol, then the leaderboard of these rows.

    An interrupted run goes on where it stopped. A model that fails on an image gets a failed row that names the image,
    and the exit code is 1. Numbers do not depend on the number of workers; under torchrun every process takes its
    share.

    [bold]Examples[/bold]

    saom-bench eval --data data/test --models sam:mobile-sam,runs/v1/best.safetensors --names SAM,SAOM

    saom-bench eval --task embedded-views@1 --data data/test --models sam:mobile-sam,runs/v1,oracle --workers 2

    saom-bench eval --data data/test --models oracle --protocol oracle-point --limit 20 --out results

    saom-bench eval --data data/test --repro results/oracle-point--saomv1--0123456789.json

    torchrun --nproc-per-node 4 -m saom_bench eval --data data/test --models runs/v1
    """
    if repro is not None:
        fixed: dict[str, Any] = {
            "--task": task,
            "--protocol": protocol,
            "--names": names,
            "--limit": limit,
            "--grid": grid,
        }
        fixed |= {"--everything-limit": everything_limit, "--everything-grid": everything_grid, "--prior": prior}
        fixed |= {"--pred-iou": pred_iou, "--stability": stability, "--nms": nms, "--min-area": min_area}
        _refuse_with_repro({**fixed, "--pictures": pictures, "--workers": None if workers == 1 else workers})
        _repeat(repro, data, models, device, weights)
        return
    from saom_bench.everything.config import parse_grid
    from saom_bench.files import require_place
    from saom_bench.shards.dataset import open_dataset
    from saom_benchmarks.boards import boards
    from saom_benchmarks.crew import Order, rank
    from saom_benchmarks.evaluate import evaluate, plan
    from saom_benchmarks.leaderboard import render
    from saom_benchmarks.models import EverythingOverrides, load_models
    from saom_benchmarks.protocols import protocols
    from saom_benchmarks.tables import require_pyarrow, write_tables
    from saom_benchmarks.tasks import task_of

    # What would fail after the scoring is found now.
    require_place(out, "--out")
    if pictures is not None:
        require_place(pictures, "--pictures")
    if parquet:
        require_pyarrow()
    asked = None if task is None else task_of(task)
    names_of = _split(protocol) if protocol is not None else list(asked.protocols if asked else DEFAULT_PROTOCOLS)
    points = parse_grid(grid) if grid is not None else asked.grid if asked else None
    wanted = protocols(names_of, grid=points, prior=_prior(prior))
    overrides = EverythingOverrides(
        grid=None if everything_grid is None else parse_grid(everything_grid),
        pred_iou=pred_iou,
        stability=stability,
        box_nms=nms,
        min_area_px=min_area,
    )
    dataset, title = open_dataset(data), ""
    if asked is not None:
        asked.check(dataset)
        # Fewer images are another table, without the task's name.
        title = asked.title if limit is None and everything_limit is None else ""
        everything_limit = everything_limit or asked.everything_images
    plans = plan(dataset, wanted, limit, everything_limit, title)
    if asked is not None:
        # So are other points, and protocols that the task has not.
        own = protocols(list(asked.protocols), grid=asked.grid)
        plans = [each if each.protocol in own else replace(each, benchmark="") for each in plans]
    specs, called = tuple(_split(models)), None if names is None else tuple(_split(names))
    loaded, shared = load_models(specs, called, device, overrides, weights)
    if (rank() or (1, 1))[0] == 1:
        _announce(dataset, loaded, [f"{each.protocol.name} on {len(each.indices)} images" for each in plans])
    with progress() as bar:
        order = Order(data, specs, device, overrides, weights, called, workers, batch, engine)
        results = evaluate(dataset, loaded, plans, out, bar, lambda: shared.saved_s, seed, fresh, order, timed)
    if not results:  # another process of torchrun has them
        return
    console.print()
    console.print(render(boards(results), console.width))
    if pictures is not None:
        _draw(pictures, dataset, out, results, pictures_count)
    for result in results if parquet else ():
        for path in write_tables(out, result):
            console.print(f"table: {path}", soft_wrap=True, markup=False)
    console.print(f"results: {out}", soft_wrap=True, markup=False)
    next_steps(f"saom-bench leaderboard {out}", *_repro_hint(data, out, results))
    if any(result.status == "failed" for result in results):
        raise typer.Exit(1)


def tasks() -> None:
    """List the tasks: what each is made of, and the command that makes its data.

    [bold]Example[/bold]

    saom-bench tasks
    """
    from saom_benchmarks.tasks import TASKS

    for item in TASKS.values():
        fixed = f"fingerprint {item.fingerprint[:12]}" if item.fingerprint else "fingerprint: the data's own"
        console.print(f"[bold]{item.title}[/bold]  {item.description}", soft_wrap=True)
        console.print(f"  {item.split}, {item.label_set or 'any label set'}, {fixed}", style="dim", soft_wrap=True)
        console.print(f"  {item.recipe}", style="green", soft_wrap=True, markup=False)
    next_steps("saom-bench eval --task embedded-views@1 --data DATA --models sam:mobile-sam")


def leaderboard(
    folders: Annotated[list[Path], typer.Argument(help="Result folders or files, as saom-bench eval makes them.")],
    markdown: Annotated[
        Path | None,
        typer.Option(help=f"Where to write the Markdown page; else {DEFAULT_MARKDOWN} in the first folder."),
    ] = None,
    baseline: Annotated[
        str | None, typer.Option(help="Model that differences are taken to; else SAM with the same base weights.")
    ] = None,
    html: Annotated[
        Path | None, typer.Option(help="Write the page: one offline HTML file with plots, class tables, pictures.")
    ] = None,
    data: Annotated[
        list[Path] | None,
        typer.Option(help="Dataset folders whose images the page may show; else those kept beside the results."),
    ] = None,
    skip_damaged: Annotated[
        bool, typer.Option("--skip-damaged", help="Name damaged results and go on, instead of stopping.")
    ] = False,
) -> None:
    """Rank results: a table for each task and data, with intervals and paired differences to SAM.

    Rows are ranked together only if task, label set, dataset fingerprint and images are the same; the rank is by the
    lower end of the interval.

    [bold]Examples[/bold]

    saom-bench leaderboard results --markdown LEADERBOARD.md

    saom-bench leaderboard results --html page.html --data data/test
    """
    from saom_bench.errors import SaomBenchError
    from saom_bench.files import require_place, write_text_atomically
    from saom_benchmarks.boards import boards
    from saom_benchmarks.leaderboard import markdown as to_markdown
    from saom_benchmarks.leaderboard import render
    from saom_benchmarks.results import read_results

    for path, option in ((markdown, "--markdown"), (html, "--html")):
        if path is not None:
            require_place(path, option, is_folder=False)

    def warn(problem: SaomBenchError) -> None:
        if not skip_damaged:
            raise problem
        errors.print(f"[yellow]skipped:[/yellow] {problem}", soft_wrap=True)

    results = read_results(folders, warn)
    if not results:
        raise SaomBenchError(f"no results in {', '.join(map(str, folders))}; saom-bench eval --out makes them")
    shown = boards(results, baseline)
    console.print(render(shown, console.width))
    first = folders[0] if folders[0].is_dir() else folders[0].parent
    page = markdown if markdown is not None else first / DEFAULT_MARKDOWN
    write_text_atomically(page, to_markdown(shown))
    console.print(f"Markdown: {page}", soft_wrap=True, markup=False)
    if html is not None:
        _write_page(html, shown, folders, data or [])


def _write_page(path: Path, shown: list["Board"], folders: list[Path], data: list[Path]) -> None:
    """The HTML page, with pictures where there are any; those drawn anew are kept in the first folder."""
    from saom_bench.files import write_text_atomically
    from saom_bench.shards.dataset import open_dataset
    from saom_benchmarks.report.gallery import load_gallery, make_gallery
    from saom_benchmarks.report.page import page

    places = [folder if folder.is_dir() else folder.parent for folder in folders]
    datasets = {dataset.fingerprint: dataset for dataset in map(open_dataset, data)}
    galleries = {}
    for board in shown:
        dataset = datasets.get(board.first.data.fingerprint)
        gallery = make_gallery(places[0], board, places, dataset) if dataset else load_gallery(places[0], board)
        if gallery is not None:
            galleries[board.first.comparable] = gallery
        else:
            console.print(f"no pictures of {board.title}: give its images with --data", style="dim", soft_wrap=True)
    write_text_atomically(path, page(shown, galleries, places[0]))
    console.print(f"page: {path} ({path.stat().st_size / 2**20:.1f} MB)", soft_wrap=True, markup=False)


def _repeat(path: Path, data: Path, models: str, device: str, weights: Path | None) -> None:
    """Measure a result again and say what differs; exits with 1 when something does."""
    from saom_bench.shards.dataset import open_dataset
    from saom_benchmarks.repeat import differences, repeat
    from saom_benchmarks.results import read_result

    stated = read_result(path)
    with progress() as bar:
        again = repeat(stated, open_dataset(data), models or stated.model.spec, device, weights, bar)
    found = differences(stated, again)
    for line in found:
        errors.print(line, style="yellow", soft_wrap=True, markup=False)
    if found:
        errors.print(f"[red]differs[/red] from {path}", soft_wrap=True)
        raise typer.Exit(1)
    console.print(
        f"[green]the same[/green] in all {len(stated.metrics)} metrics and {len(stated.tallies)} scenes: {path}"
    )


def _refuse_with_repro(options: dict[str, Any]) -> None:
    from saom_bench.errors import SaomBenchError

    for option, value in options.items():
        if value is not None:
            raise SaomBenchError(f"--repro measures by the result's own settings, in one process; leave {option} out")


def _repro_hint(data: Path, out: Path, results: list["Result"]) -> list[str]:
    from saom_benchmarks.results import RESULT_SUFFIX

    complete = [result for result in results if result.status == "complete"]
    return [f"saom-bench eval --data {data} --repro {out / (r.stem + RESULT_SUFFIX)}" for r in complete[:1]]


def _split(text: str) -> list[str]:
    return [part.strip() for part in text.split(",") if part.strip()]


def _prior(value: str | None) -> Any:
    from saom_bench.errors import unknown

    if value not in {None, "mask", "image"}:
        raise unknown("prior", str(value), ["mask", "image"])
    return value


def _announce(dataset: "ShardDataset", models: list["Model"], tasks: list[str]) -> None:
    console.print(
        f"{dataset.folder}: {len(dataset)} images of {len(dataset.scenes)} {dataset.split} scenes; {'; '.join(tasks)}",
        soft_wrap=True,
        markup=False,
    )
    for model in models:
        seen = sorted(set(model.card.train_scenes) & set(dataset.scenes))
        if seen:
            console.print(
                f"warning: {model.card.name} was trained on {len(seen)} of these scenes, such as {seen[0]}",
                style="yellow",
                soft_wrap=True,
                markup=False,
            )


def _draw(folder: Path, dataset: "ShardDataset", out: Path, results: list["Result"], count: int) -> None:
    from saom_benchmarks.compare import write_comparisons

    for path in write_comparisons(folder, dataset, out, results, count):
        console.print(f"picture: {path}", soft_wrap=True, markup=False)
