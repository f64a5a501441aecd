"""The page: whole, offline, escaped, legible; its pictures chosen by rule and kept; and how it behaves in a browser."""

import json
import re
import shutil
import subprocess
from html.parser import HTMLParser
from pathlib import Path

import pytest
import typer
from eval_results import make_result
from shards_fixture import make_shards
from typer.testing import CliRunner

from saom_bench.errors import SaomBenchError
from saom_benchmarks.boards import boards
from saom_benchmarks.cli import eval_, leaderboard
from saom_benchmarks.report import page as page_module
from saom_benchmarks.report.gallery import Gallery, load_gallery
from saom_benchmarks.report.page import page
from saom_benchmarks.report.view import hues_of, section
from saom_benchmarks.results import read_results

app = typer.Typer()
app.command("eval")(eval_)
app.command("leaderboard")(leaderboard)

SAM = make_result("SAM", {"A": 40, "B": 60, "C": 50}, kind="sam", base_weights_sha256="m")
SAOM = make_result("SAOM", {"A": 60, "B": 80, "C": 75}, base_weights_sha256="m")
WILD = make_result("<b>wild</b>", {"A": 10, "B": 90, "C": 70})
ORACLE = make_result("oracle", {"A": 100, "B": 100, "C": 100}, kind="control")
BROKEN = make_result("broken", {"A": 9}, failed=True).model_copy(update={"data": SAM.data})
OTHER = make_result("SAOM", {"A": 90, "B": 90}, fingerprint="0" * 64)
ALL = [SAM, SAOM, WILD, ORACLE, BROKEN, OTHER]


class _Page(HTMLParser):
    """Tags with attributes, texts, and the number of cells of each row."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.rows: list[list[int]] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        self.tags.append((tag, values))
        if tag == "table":
            self.rows.append([])
        elif tag == "tr":
            self.rows[-1].append(0)
        elif tag in {"td", "th"}:
            self.rows[-1][-1] += int(values.get("colspan") or 1)

    def attributes(self, name: str) -> list[str]:
        return [value for _, values in self.tags if (value := values.get(name)) is not None]


@pytest.fixture(scope="module")
def html() -> str:
    return page(boards(ALL), {}, Path())


def test_the_page_fetches_nothing_and_names_are_escaped(html: str) -> None:
    parsed = _Page(html)
    links = parsed.attributes("href") + parsed.attributes("src")
    assert links
    assert all(link.startswith(("#", "data:")) for link in links)
    assert not re.search(r"url\((?!data:)|@import|https?://", html)
    assert "<b>wild</b>" not in html
    assert "&lt;b&gt;wild&lt;/b&gt;" in html


def test_every_anchor_and_label_leads_somewhere(html: str) -> None:
    parsed = _Page(html)
    ids = parsed.attributes("id")
    assert len(ids) == len(set(ids))
    anchors = [link.removeprefix("#") for link in parsed.attributes("href")]
    assert set(anchors) | set(parsed.attributes("aria-labelledby")) <= set(ids)
    assert "table-1" in anchors
    for tag, values in parsed.tags:
        if values.get("role") in {"img", "region"}:
            assert values.get("aria-label"), (tag, values)


def test_rows_of_a_table_have_equal_cells(html: str) -> None:
    assert all(len(set(rows)) == 1 for rows in _Page(html).rows if rows)


def test_two_models_of_one_name_are_two_in_the_overview() -> None:
    twin = make_result("SAOM", {"A": 50, "B": 70, "C": 60}, checkpoint_sha256="0123456789")
    shown = page(boards([SAM, SAOM, twin]), {}, Path())
    overview = shown.partition('<table class="overview">')[2].partition("</table>")[0]
    assert overview.count("<tr>") - 1 == 3
    assert "fine-tuned here, 01234567<" in overview
    assert [f'<span class="num">{value}' in overview for value in ("71.7", "60.0", "50.0")] == [True] * 3


def test_failures_and_rows_apart_are_told(html: str) -> None:
    assert "failed on image FloorPlan1/000007: RuntimeError: out of memory" in html
    assert "Stands apart</b>, not ranked with the table above: other data (fingerprint) 000000000000" in html


def test_what_the_figures_say() -> None:
    main, *_ = boards(ALL)
    shown = section(main, 1, hues_of([main]))
    assert [(row.rank, row.entry.result.model.name) for row in shown.ranked] == [
        ("1", "SAOM"),
        ("2=", "SAM") if shown.ranked[1].entry.is_tied else ("2", "SAM"),
        ("3=", "<b>wild</b>"),
    ]
    first = shown.ranked[0]
    assert first.whisker is not None
    assert 0 <= first.whisker.low < first.whisker.value < first.whisker.high <= 100
    assert (first.delta.text, first.delta.tone) == ("+21.7", "win")
    # Pairs mirror each other; the plot has every model with a time, inside its axes.
    for i, cells in enumerate(shown.pairs):
        for j, cell in enumerate(cells):
            assert i == j or cell.sort == pytest.approx(-(shown.pairs[j][i].sort or 0))
    assert shown.plot is not None
    assert {dot.name for dot in shown.plot.dots} == {"SAOM", "SAM", "<b>wild</b>"}
    assert all(46 <= dot.x <= 546 and 14 <= dot.y <= 288 for dot in shown.plot.dots)
    assert [(heat.field, [row[0] for row in heat.rows]) for heat in shown.heats] == [("iou", ["Mug"])]


def test_colours_are_legible_in_both_themes() -> None:
    style = (Path(page_module.__file__).parent / "style.css").read_text()
    colors = re.findall(r"--([a-z0-9]+): light-dark\((#\w{6}), (#\w{6})\)", style)
    for theme in (1, 2):
        value = {found[0]: found[theme] for found in colors}
        for ground in ("paper", "card", "sunk"):
            for text in ("ink", "soft", "accent", "win", "loss"):
                assert _contrast(value[text], value[ground]) >= 4.5, (theme, text, ground)
        assert _contrast("#ffffff", value["heat"]) >= 4.5, theme  # numbers on the strongest cells of the heat map
        for hue in range(8):
            assert _contrast(value[f"m{hue}"], value["card"]) >= 3, (theme, hue)


def _contrast(one: str, other: str) -> float:
    """WCAG's contrast ratio of two colours."""

    def luminance(color: str) -> float:
        parts = [int(color[i : i + 2], 16) / 255 for i in (1, 3, 5)]
        linear = [x / 12.92 if x <= 0.04045 else ((x + 0.055) / 1.055) ** 2.4 for x in parts]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    low, high = sorted([luminance(one), luminance(other)])
    return (high + 0.05) / (low + 0.05)


def test_a_page_that_would_be_too_large_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(page_module, "MOST_BYTES", 1000)
    with pytest.raises(SaomBenchError, match="more than 5"):
        page(boards([SAM]), {}, Path())


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A results folder with pictures, and the page."""
    folder = tmp_path_factory.mktemp("page")
    data = make_shards(folder / "data", ("FloorPlan26", "FloorPlan27"), frames=3, split="test")
    out = folder / "results"
    for command in (
        ["eval", "--data", data, "--models", "grid-boxes,oracle", "--protocol", "everything", "--out", out],
        ["leaderboard", out, "--html", folder / "page.html", "--data", data],
    ):
        done = CliRunner().invoke(app, [str(word) for word in command])
        assert done.exit_code == 0, done.output
    return out, folder / "page.html"


def _gallery(out: Path) -> Gallery:
    (board,) = boards(read_results([out]))
    gallery = load_gallery(out, board)
    assert gallery is not None
    return gallery


def test_pictures_go_from_best_to_worst_with_every_model(made: tuple[Path, Path]) -> None:
    out, html = made
    gallery = _gallery(out)
    gains = [shot.gain for shot in gallery.shots]
    assert gains == sorted(gains, reverse=True)
    assert len(set(gains)) == 3
    assert [panel.name for shot in gallery.shots for panel in shot.panels] == ["grid-boxes"] * 3
    # The image once a shot, the truth's masks and the model's over it.
    images = [src for src in _Page(html.read_text()).attributes("src") if src.startswith("data:image/png")]
    assert len(images) == 3 * 2


def test_kept_pictures_serve_until_other_rows_come(made: tuple[Path, Path], tmp_path: Path) -> None:
    out, html = made
    again = tmp_path / "page.html"
    assert CliRunner().invoke(app, ["leaderboard", str(out), "--html", str(again)]).exit_code == 0
    assert again.read_text() == html.read_text()
    (board,) = boards([r for r in read_results([out]) if r.model.name == "oracle"])
    assert load_gallery(out, board) is None
    gallery = _gallery(out)
    with pytest.raises(SaomBenchError, match="is missing; make it again with --data"):
        page(boards(read_results([out])), {gallery.comparable: gallery}, tmp_path)


def test_the_committed_page_is_made_of_the_committed_rows() -> None:
    folder = Path(__file__).parents[2] / "data/results"
    html = (folder / "leaderboard.html").read_text()
    shown = boards(read_results([folder]))
    assert shown
    for board in shown:
        assert load_gallery(folder, board) is not None
        for entry in board.entries:
            assert entry.result.digest in html
    assert len(html.encode()) < 5 * 2**20


BROWSER = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")

_PROBE = """<script>
const table = document.querySelector("#table-1 table.ranks");
const names = () => [...table.tBodies[0].rows].map((row) => row.children[1].dataset.v);
const press = (n) => table.querySelectorAll("thead th")[n].querySelector("button").click();
const found = [names()];
press(1); found.push(names()); press(3); found.push(names()); press(3); found.push(names());
document.getElementById("theme").focus();
document.getElementById("theme").click();
found.push(document.documentElement.dataset.theme, document.activeElement.id);
found.push(document.documentElement.scrollWidth <= window.innerWidth, window.innerWidth);
document.body.innerHTML = ""; document.title = JSON.stringify(found);
</script>"""


@pytest.mark.slow
@pytest.mark.skipif(BROWSER is None, reason="no Chromium")
@pytest.mark.parametrize("width", [1400, 500])
def test_in_a_browser_it_sorts_and_fits(html: str, tmp_path: Path, width: int) -> None:
    file = tmp_path / "page.html"
    file.write_text(html.replace("</body>", _PROBE + "</body>"))
    options = ["--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={tmp_path / 'profile'}"]
    command = [str(BROWSER), *options, f"--window-size={width},900", "--dump-dom", file.as_uri()]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    title = re.search(r"<title>(.*?)</title>", done.stdout)
    assert title is not None, done.stderr[-1000:]
    by_rank, by_name, falling, rising, theme, focused, fits, inner = json.loads(
        title[1].replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
    )
    assert by_rank == ["SAOM", "SAM", "<b>wild</b>"]
    assert by_name == ["<b>wild</b>", "SAM", "SAOM"]
    assert falling == ["SAOM", "<b>wild</b>", "SAM"]
    assert rising == falling[::-1]
    assert (theme, focused) == ("dark", "theme")
    assert fits, inner
