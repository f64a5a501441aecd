"""Files are whole or absent, and leave no partial file behind."""

import hashlib
from pathlib import Path

import pytest

from saom_bench.files import sha256_file, write_atomically, write_text_atomically


def test_a_written_file_is_whole_and_alone(tmp_path: Path) -> None:
    target = tmp_path / "new" / "file.txt"
    write_text_atomically(target, "héllo")
    assert target.read_text(encoding="utf-8") == "héllo"
    assert [p.name for p in target.parent.iterdir()] == ["file.txt"]
    assert sha256_file(target) == hashlib.sha256("héllo".encode()).hexdigest()


def test_a_failed_write_keeps_the_old_file(tmp_path: Path) -> None:
    target = tmp_path / "file.txt"
    write_text_atomically(target, "old")

    def fail(partial: Path) -> None:
        partial.write_text("half")
        raise OSError("disk full")

    with pytest.raises(OSError, match="disk full"):
        write_atomically(target, fail)
    assert target.read_text() == "old"
    assert [p.name for p in tmp_path.iterdir()] == ["file.txt"]
