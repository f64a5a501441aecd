"""``saom-bench models``: which base models there are, fetching their weights, and export to other programs."""

from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from saom_bench.console import console, next_steps

app = typer.Typer(
    help="List base models, fetch their weights, export models.", no_args_is_help=True, rich_markup_mode="rich"
)


@app.command("list")
def list_() -> None:
    """List the base models: size, speed, and whether their weights are here.

    [bold]Example[/bold]

    saom-bench models list
    """
    from saom_bench.sam.download import cached, weights_folder
    from saom_bench.sam.specs import DEFAULT_MODEL, MODELS

    table = Table(title="base models", title_justify="left", box=None, header_style="dim", padding=(0, 2, 0, 0))
    for column in ("name", "encoder", "size", "on 2 CPU cores", "weights"):
        table.add_column(column, no_wrap=True)
    for spec in MODELS.values():
        if spec.download is None:
            where = "[green]here[/green], built in"
        elif cached(spec.download) is not None:
            where = "[green]here[/green]"
        else:
            where = f"[yellow]not here[/yellow], {spec.download.megabytes} MB"
        name = f"[bold]{spec.name}[/bold]" if spec.name == DEFAULT_MODEL else spec.name
        table.add_row(name, spec.encoder, spec.parameters, spec.speed, where)
    console.print(table)
    console.print(f"\nfetched weights are kept in {weights_folder()}", soft_wrap=True, markup=False)
    next_steps(f"saom-bench predict IMAGE --model {DEFAULT_MODEL}", "saom-bench models get sam-vit-b")


@app.command()
def get(
    name: Annotated[str, typer.Argument(help="A name from saom-bench models list.")],
    weights: Annotated[
        Path | None, typer.Option(help="The official file, fetched elsewhere: check it and copy it into the cache.")
    ] = None,
) -> None:
    """Fetch a model's weights from their official address, or take them from a file; SHA-256 is checked.

    An interrupted download goes on where it stopped. The cache is $SAOM_BENCH_CACHE, else ~/.cache/saom-bench.

    [bold]Examples[/bold]

    saom-bench models get sam-vit-b

    saom-bench models get sam-vit-h --weights sam_vit_h_4b8939.pth
    """
    from saom_bench.errors import SaomBenchError
    from saom_bench.sam.download import adopt, fetch
    from saom_bench.sam.specs import model_spec

    spec = model_spec(name.removeprefix("sam:"))
    if spec.download is None:
        if weights is not None:
            raise SaomBenchError(f"{spec.name} ships with its weights; --weights is for the sam-vit models")
        console.print(f"{spec.name} is built in; there is nothing to fetch")
    else:
        path = fetch(spec.download, spec.name) if weights is None else adopt(spec.download, weights, spec.name)
        console.print(f"[green]here:[/green] {path}", soft_wrap=True)
    next_steps(f"saom-bench predict IMAGE --model {spec.name} --out predictions")


@app.command()
def export(
    model: Annotated[str, typer.Argument(help="A base model, a checkpoint, or a training run's folder.")],
    out: Annotated[Path, typer.Argument(help="The new folder.")],
    form: Annotated[
        str, typer.Option("--format", help="onnx: for onnxruntime; hf: transformers' SamModel; full: all weights.")
    ] = "onnx",
    weights: Annotated[
        Path | None, typer.Option(help="Weights file of a sam-vit model, instead of a download.")
    ] = None,
) -> None:
    """Write a model for other programs, with a model card; what was written is checked against the model.

    [bold]Examples[/bold]

    saom-bench models export runs/v1 exported --format onnx

    saom-bench models export runs/v1/best.safetensors exported --format hf
    """
    from saom_bench.sam.checkpoint import read_metadata
    from saom_bench.sam.export import export as write
    from saom_bench.sam.registry import checkpoint_path, load_model

    path = checkpoint_path(model)
    metadata = {} if path is None else read_metadata(path)
    differs = write(load_model(model, "cpu", weights), out, form, metadata)
    for file in sorted(out.iterdir()):
        console.print(f"{file.stat().st_size / 2**20:8.1f} MiB  {file}", soft_wrap=True, markup=False)
    if form != "full":
        console.print(f"checked: outputs differ by {differs:.0e} of their largest")
