"""A folder of packs: which scenes it has, and one fingerprint for all of them."""

import hashlib
from dataclasses import dataclass
from pathlib import Path

from saom_scenes.packs.model import Pack, PackError
from saom_scenes.packs.reader import read_pack

SUFFIX = ".npz"


@dataclass(frozen=True)
class PackFolder:
    """Packs by scene name; a file's name is its scene's."""

    path: Path

    def __post_init__(self) -> None:
        """Raises PackError for a path that is no folder, or holds no pack."""
        if not self.path.is_dir():
            raise PackError(
                f"{self.path}: there is no such folder of scene packs; `saom-bench scenes import` makes one"
            )
        if not self.scenes():
            raise PackError(f"{self.path}: it holds no scene packs (*{SUFFIX}); `saom-bench scenes import` makes them")

    def scenes(self) -> list[str]:
        """The names of its scenes, sorted."""
        return sorted(p.stem for p in self.path.glob(f"*{SUFFIX}") if p.is_file())

    def read(self, scene: str) -> Pack:
        """A scene's pack. Raises PackError."""
        path = self.path / f"{scene}{SUFFIX}"
        pack = read_pack(path)
        if pack.scene != scene:
            raise PackError(f"{path}: it holds {pack.scene}; a pack's file must bear its scene's name")
        return pack

    def fingerprint(self) -> str:
        """A hash of all files' names and bytes: what else the folder holds, and where it is, do not matter."""
        digest = hashlib.sha256()
        for scene in self.scenes():
            try:
                content = (self.path / f"{scene}{SUFFIX}").read_bytes()
            except OSError as error:
                raise PackError(f"{self.path}: {scene}{SUFFIX} cannot be read ({error.strerror})") from error
            digest.update(scene.encode() + b"\0" + hashlib.sha256(content).digest())
        return digest.hexdigest()
