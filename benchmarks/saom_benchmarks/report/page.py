"""Writing the page: one HTML file with its style, script and pictures inside, and nothing fetched from anywhere."""

import base64
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape

from saom_bench import __version__
from saom_bench.errors import SaomBenchError
from saom_benchmarks.boards import Board
from saom_benchmarks.report.gallery import FOLDER, Gallery
from saom_benchmarks.report.view import PLOT_WH, Row, Section, hues_of, provenance, section

MOST_BYTES = 5 * 2**20
_TYPES = {".webp": "image/webp", ".png": "image/png"}


def page(boards: Sequence[Board], galleries: Mapping[str, Gallery], folder: Path) -> str:
    """The HTML of ranked tables.

    Args:
        galleries: pictures by ``Result.comparable``.
        folder: where the galleries' files lie, under pictures/.

    Raises:
        SaomBenchError: a picture is missing, or the page would be larger than 5 MB.
    """
    hues = hues_of(boards)
    sections = [section(board, place, hues) for place, board in enumerate(boards, 1)]
    files = {name for gallery in galleries.values() for name in _files(gallery)}
    html: str = _template().render(
        sections=sections,
        main=[each for each in sections if not each.board.apart],
        apart=[each for each in sections if each.board.apart],
        overview=_overview(sections),
        galleries=galleries,
        hues=hues,
        data_uri={name: _data_uri(folder / FOLDER / name) for name in sorted(files)},
        provenance=provenance,
        plot_wh=PLOT_WH,
        version=__version__,
        facts=_facts(boards),
    )
    size = len(html.encode())
    if size > MOST_BYTES:
        raise SaomBenchError(f"the page would have {size / 2**20:.1f} MB, more than 5; give fewer result folders")
    return html


def _template() -> Any:
    loader = PackageLoader("saom_benchmarks", "report")
    environment = Environment(
        loader=loader,
        autoescape=select_autoescape(("html", "j2")),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template("page.html.j2")


@dataclass(frozen=True)
class _Summary:
    """One model over all main tables."""

    name: str
    note: str
    """What tells it from another of its name; "" where the name does."""
    hue: int
    kind: str
    rows: tuple[Row | None, ...]
    """Its row in each main table."""


def _overview(sections: Sequence[Section]) -> list[_Summary]:
    """Every model of the main tables, in the order of their best rank."""
    tables = [_by_model(each) for each in sections if not each.board.apart]
    found = {key: tuple(table.get(key) for table in tables) for key in dict.fromkeys(k for t in tables for k in t)}
    shared = Counter(name for name, _, _ in found)

    def order(rows: tuple[Row | None, ...]) -> tuple[int, int]:
        known = [row.entry.rank for row in rows if row is not None and row.entry.rank is not None]
        return (0 if known else 1, min(known, default=0))

    summaries = []
    for rows in sorted(found.values(), key=order):
        first = next(row for row in rows if row is not None)
        card = first.entry.result.model
        note = (card.checkpoint_sha256 or card.base_weights_sha256 or card.spec)[:8] if shared[card.name] > 1 else ""
        summaries.append(_Summary(card.name, note, first.hue, card.kind, rows))
    return summaries


def _by_model(each: Section) -> dict[tuple[str, tuple[str | None, ...], int], Row]:
    """Rows by name and identity, and the how-manieth of these, since one model may stand with several settings."""
    rows: dict[tuple[str, tuple[str | None, ...], int], Row] = {}
    for row in (*each.ranked, *each.unranked):
        card = row.entry.result.model
        key = card.name, tuple(card.identity)
        rows[*key, sum(1 for other in rows if other[:2] == key)] = row
    return rows


def _facts(boards: Sequence[Board]) -> list[tuple[int, str]]:
    results = [entry.result for board in boards for entry in board.entries]
    images = {(r.data.fingerprint, r.data.frames_sha256): r.data.images for r in results}
    fingerprints: dict[str, int] = {}
    for (fingerprint, _), count in images.items():
        fingerprints[fingerprint] = max(count, fingerprints.get(fingerprint, 0))
    scenes = {(r.data.fingerprint, scene) for r in results for scene in r.data.scenes}
    ranked = sum(entry.rank is not None for board in boards for entry in board.entries)
    return [
        (ranked, "ranked rows"),
        (len({r.model.name for r in results if r.model.kind != "control"}), "models"),
        (len(scenes), "scenes"),
        (sum(fingerprints.values()), "images"),
    ]


def _files(gallery: Gallery) -> list[str]:
    return [name for shot in gallery.shots for name in (shot.photo, shot.truth, *(p.mask for p in shot.panels))]


def _data_uri(path: Path) -> str:
    try:
        content = path.read_bytes()
    except OSError as error:
        raise SaomBenchError(f"the page's picture {path} is missing; make it again with --data") from error
    return f"data:{_TYPES[path.suffix]};base64,{base64.b64encode(content).decode()}"
