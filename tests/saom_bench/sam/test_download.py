"""Downloads against a local server: resumed, checked, one clear line when they fail."""

import hashlib
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from saom_bench.errors import SaomBenchError
from saom_bench.sam import cli, specs
from saom_bench.sam.download import Download, adopt, cached, fetch

BYTES = np.random.default_rng(0).integers(0, 255, 3_000_000, dtype=np.uint8).tobytes()
SHA256 = hashlib.sha256(BYTES).hexdigest()


@dataclass
class Server:
    """A file server whose manners a test sets."""

    url: str = ""
    knows_ranges: bool = True
    cut_after: int | None = None
    asked: list[str | None] = field(default_factory=list)


@pytest.fixture
def server() -> Iterator[Server]:
    state = Server()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            wanted = self.headers.get("Range")
            state.asked.append(wanted)
            start = int(wanted.removeprefix("bytes=").rstrip("-")) if wanted and state.knows_ranges else 0
            if start >= len(BYTES):
                self.send_error(416)
                return
            self.send_response(206 if start else 200)
            self.send_header("Content-Length", str(len(BYTES) - start))
            self.end_headers()
            self.wfile.write(BYTES[start : state.cut_after])

        def log_message(self, *_: object) -> None:
            pass

    http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=http.serve_forever)
    thread.start()
    state.url = f"http://127.0.0.1:{http.server_port}/weights.pth"
    yield state
    http.shutdown()
    http.server_close()
    thread.join()


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("SAOM_BENCH_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    return tmp_path / "cache" / "weights"


def test_a_file_is_fetched_once(server: Server, cache: Path) -> None:
    download = Download(server.url, "weights.pth", SHA256, 3)
    assert cached(download) is None
    assert fetch(download, "model").read_bytes() == BYTES
    assert fetch(download, "model") == cached(download) == cache / "weights.pth"
    assert len(server.asked) == 1


def test_a_broken_download_goes_on_where_it_stopped(server: Server, cache: Path) -> None:
    download = Download(server.url, "weights.pth", SHA256, 3)
    server.cut_after = 1_234_567
    with pytest.raises(SaomBenchError, match=r"could not be fetched.*run the command again to resume.*--weights FILE"):
        fetch(download, "model")
    assert cached(download) is None
    server.cut_after = None
    assert fetch(download, "model").read_bytes() == BYTES
    assert server.asked == [None, "bytes=1234567-"]


def test_a_server_without_ranges_sends_it_all_again(server: Server, cache: Path) -> None:
    cache.mkdir(parents=True)
    (cache / "weights.pth.part").write_bytes(b"x" * 1000)
    server.knows_ranges = False
    assert fetch(Download(server.url, "weights.pth", SHA256, 3), "model").read_bytes() == BYTES


def test_a_partial_file_that_is_whole_is_only_checked(server: Server, cache: Path) -> None:
    cache.mkdir(parents=True)
    (cache / "weights.pth.part").write_bytes(BYTES)
    assert fetch(Download(server.url, "weights.pth", SHA256, 3), "model").read_bytes() == BYTES


def test_a_file_of_another_hash_is_deleted(server: Server, cache: Path) -> None:
    with pytest.raises(SaomBenchError, match="came with SHA-256"):
        fetch(Download(server.url, "weights.pth", "0" * 64, 3), "model")
    assert [path.name for path in cache.iterdir() if path.suffix != ".lock"] == []


def test_offline_is_one_clear_line(cache: Path) -> None:
    with pytest.raises(SaomBenchError, match=r"weights of sam-vit-b could not be fetched.*--weights FILE") as caught:
        fetch(Download("http://127.0.0.1:9/weights.pth", "weights.pth", SHA256, 3), "sam-vit-b")
    assert "\n" not in str(caught.value)


def test_a_file_from_elsewhere_is_checked_and_copied(tmp_path: Path, cache: Path) -> None:
    download = Download("http://127.0.0.1:9/weights.pth", "weights.pth", SHA256, 3)
    source = tmp_path / "mine.pth"
    with pytest.raises(SaomBenchError, match="there is no file"):
        adopt(download, source, "model")
    source.write_bytes(BYTES[:-1])
    with pytest.raises(SaomBenchError, match="is not the official file of model"):
        adopt(download, source, "model")
    assert cached(download) is None
    source.write_bytes(BYTES)
    assert adopt(download, source, "model").read_bytes() == BYTES
    assert fetch(download, "model") == cache / "weights.pth"


def test_models_list_says_what_is_here(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "100")
    cache.mkdir(parents=True)
    (cache / "sam_vit_l_0b3195.pth").write_bytes(b"")
    lines = {line.split()[0]: line for line in CliRunner().invoke(cli.app, ["list"]).output.splitlines() if line}
    assert "built in" in lines["mobile-sam"]
    assert "not here, 375 MB" in lines["sam-vit-b"]
    assert "not here" not in lines["sam-vit-l"]


def test_models_get(server: Server, cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    spec = specs.MODELS["sam-vit-b"]
    mine = specs.ModelSpec(**{**vars(spec), "download": Download(server.url, "weights.pth", SHA256, 3)})
    monkeypatch.setitem(specs.MODELS, "sam-vit-b", mine)
    result = CliRunner().invoke(cli.app, ["get", "sam-vit-b"])
    assert result.exit_code == 0, result.output
    assert (cache / "weights.pth").read_bytes() == BYTES
    assert "built" in CliRunner().invoke(cli.app, ["get", "mobile-sam"]).output
    wrong = CliRunner().invoke(cli.app, ["get", "sam-vit-x"]).exception
    assert "did you mean" in str(wrong)
