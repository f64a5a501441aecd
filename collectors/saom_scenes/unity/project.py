"""A Unity project on disk: which file bears which guid, and reading files with clear errors."""

import os
import re
from dataclasses import dataclass, field
from pathlib import Path

_GUID = re.compile(rb"guid: ([0-9a-f]{32})")
_LFS = b"version https://git-lfs.github.com"
_LARGEST_FILE_BYTES = 1 << 30


class UnityError(ValueError):
    """Something about a Unity project cannot be used; the message is one line."""


@dataclass
class UnityProject:
    """The folder ``Assets`` of a project."""

    assets: Path
    _paths: dict[str, Path] = field(default_factory=dict, repr=False)

    @classmethod
    def open(cls, folder: Path) -> "UnityProject":
        """The project in a folder: Unity's own, one with ``unity/Assets`` in it, or Assets itself; reads all guids."""
        for assets in (folder / "Assets", folder / "unity" / "Assets", folder):
            if (assets.name == "Assets" or assets != folder) and assets.is_dir():
                project = cls(assets)
                project._read_guids()
                return project
        raise UnityError(
            f"{folder} is no Unity project: it has no folder Assets (AI2-THOR's is in its repository's folder unity)"
        )

    def path(self, guid: str) -> Path | None:
        """The file of a guid, or None where the project has none."""
        return self._paths.get(guid)

    def name(self, path: Path) -> str:
        """A file's path below Assets."""
        return path.relative_to(self.assets).as_posix()

    def bytes_of(self, path: Path) -> bytes | None:
        """A file's bytes, or None where it is absent. Raises UnityError for one that Git LFS has not fetched."""
        try:
            if path.stat().st_size > _LARGEST_FILE_BYTES:
                raise UnityError(f"{self.name(path)} is larger than {_LARGEST_FILE_BYTES:,} bytes")
            content = path.read_bytes()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise UnityError(f"{path} cannot be read ({error.strerror or error})") from error
        if content.startswith(_LFS):
            raise UnityError(
                f"{self.name(path)} is a Git LFS pointer and not the file itself; run `git lfs pull` in the clone"
            )
        return content

    def text_of(self, path: Path) -> str | None:
        """A file's text, or None where it is absent."""
        content = self.bytes_of(path)
        return None if content is None else content.decode("utf-8", errors="replace")

    def scenes(self) -> dict[str, Path]:
        """Scene files by AI2-THOR's names: "FloorPlan1" is FloorPlan1_physics.unity."""
        files = sorted(self.assets.rglob("FloorPlan*_physics.unity"))
        return {path.stem.removesuffix("_physics"): path for path in files}

    def _read_guids(self) -> None:
        for folder, folders, files in os.walk(self.assets):
            folders.sort()
            for name in sorted(files):
                if name.endswith(".meta"):
                    path = Path(folder) / name
                    with path.open("rb") as file:
                        found = _GUID.search(file.read(512))
                    if found:
                        self._paths.setdefault(found[1].decode(), path.with_suffix(""))
