"""A Unity project on disk: which file bears which guid, and reading files with clear errors."""

import os
import re
from dataclasses import dataclass, field
from pathlib import Path

_GUID = re.compile(rb"guid: ([0-9a-f]{32})")
_EDITOR = re.compile(r"m_EditorVersion: (\S+)")
_SCENE = re.compile(r"^FloorPlan(\d+_physics|_\w+\d+_\d+)$")
_LFS = b"version https://git-lfs.github.com"
_LARGEST_FILE_BYTES = 1 << 30
_LARGEST_TEXT_BYTES = 256 << 20


class UnityError(ValueError):
    """Something about a Unity project cannot be used; the message is one line."""


class NotFetched(UnityError):
    """A file is a Git LFS pointer: every other one is likely to be, too."""


@dataclass
class UnityProject:
    """The folder ``Assets`` of a project."""

    assets: Path
    _paths: dict[str, Path] = field(default_factory=dict, repr=False)
    _names: dict[str, list[tuple[str, Path]]] = field(default_factory=dict, repr=False)

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

    def find(self, name: str) -> tuple[str, Path] | None:
        """The guid and path of the first file of a name; None where there is none."""
        return next(iter(self.find_all(name)), None)

    def find_all(self, name: str) -> list[tuple[str, Path]]:
        """The guids and paths of all files of a name."""
        if not self._names:
            for guid, path in self._paths.items():
                self._names.setdefault(path.name, []).append((guid, path))
        return self._names.get(name, [])

    def name(self, path: Path) -> str:
        """A file's path below Assets."""
        return path.relative_to(self.assets).as_posix()

    def bytes_of(self, path: Path, most: int = _LARGEST_FILE_BYTES) -> bytes | None:
        """A file's bytes, or None where it is absent. Raises NotFetched for one that Git LFS has not fetched."""
        try:
            if path.stat().st_size > most:
                raise UnityError(f"{self.name(path)} is larger than {most:,} bytes; no file of the kind is")
            content = path.read_bytes()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise UnityError(f"{path} cannot be read ({error.strerror or error})") from error
        if content.startswith(_LFS):
            raise NotFetched(
                f"{self.name(path)} is a Git LFS pointer and not the file itself; run `git lfs pull` in the clone"
            )
        return content

    def text_of(self, path: Path) -> str | None:
        """A file's text, or None where it is absent."""
        content = self.bytes_of(path, _LARGEST_TEXT_BYTES)
        return None if content is None else content.decode("utf-8", errors="replace")

    def scenes(self) -> dict[str, Path]:
        """Scene files by AI2-THOR's names: "FloorPlan1" is FloorPlan1_physics.unity; RoboTHOR's bear their own."""
        files = sorted(self.assets.rglob("FloorPlan*.unity"), key=lambda path: (path.name, path.as_posix()))
        found: dict[str, Path] = {}
        for path in files:
            if _SCENE.match(path.stem):
                found.setdefault(path.stem.removesuffix("_physics"), path)
        return found

    def unity_version(self) -> str:
        """The editor's version that the project was saved by; "" where it does not say."""
        try:
            text = (self.assets.parent / "ProjectSettings" / "ProjectVersion.txt").read_text("utf-8", "replace")
        except OSError:
            return ""
        found = _EDITOR.search(text)
        return found[1] if found else ""

    def _read_guids(self) -> None:
        for folder, folders, files in os.walk(self.assets):
            folders.sort()
            for name in sorted(files):
                if name.endswith(".meta"):
                    path = Path(folder) / name
                    try:
                        with path.open("rb") as file:
                            found = _GUID.search(file.read(512))
                    except OSError as error:
                        raise UnityError(f"{path} cannot be read ({error.strerror or error})") from error
                    if found:
                        self._paths.setdefault(found[1].decode(), path.with_suffix(""))
