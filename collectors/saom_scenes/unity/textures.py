"""Textures of a Unity project, made small and encoded; what is damaged or hostile is left out and said."""

import io
from dataclasses import dataclass, field

from saom_scenes.unity.project import UnityProject

_FORMATS = ("PNG", "JPEG", "TGA", "PSD", "TIFF", "BMP", "GIF")
_LARGEST_SIDE_PX = 16384
_MOST_PIXELS = 8192 * 8192
_QUALITY = 88
_ALPHA_MODES = ("RGBA", "LA", "PA")


@dataclass
class Textures:
    """Encoded pictures by the guids of their files, each made once."""

    project: UnityProject
    side_px: int = 256
    """The longer side of a picture at most."""
    missing: dict[str, str] = field(default_factory=dict)
    """Files that could not be read, and why; their surfaces have a plain colour."""
    _made: dict[tuple[str, bool], bytes | None] = field(default_factory=dict, repr=False)

    def encoded(self, guid: str, with_alpha: bool) -> bytes | None:
        """A JPEG, or a WebP where alpha is wanted and there; None for what cannot be read.

        Raises UnityError for files that Git LFS has not fetched.
        """
        if (guid, with_alpha) not in self._made:
            self._made[guid, with_alpha] = self._encode(guid, with_alpha)
        return self._made[guid, with_alpha]

    def name(self, guid: str) -> str:
        """The file's path below Assets."""
        path = self.project.path(guid)
        return self.project.name(path) if path else f"guid {guid}"

    def _encode(self, guid: str, with_alpha: bool) -> bytes | None:
        path = self.project.path(guid)
        data = self.project.bytes_of(path) if path else None
        if data is None:
            self.missing[self.name(guid)] = "it is not in the project"
            return None
        try:
            return _shrunk(data, self.side_px, with_alpha)
        except Exception as error:  # Pillow's readers raise many kinds for damaged files
            self.missing[self.name(guid)] = f"it cannot be read as a picture ({type(error).__name__}: {error})"
            return None


def _shrunk(data: bytes, side_px: int, with_alpha: bool) -> bytes:
    import warnings

    from PIL import Image

    with warnings.catch_warnings():
        # The size is checked here, more strictly, before anything is unpacked.
        warnings.simplefilter("ignore", Image.DecompressionBombWarning)
        image = Image.open(io.BytesIO(data), formats=_FORMATS)
    with image:
        width, height = image.size
        if max(width, height) > _LARGEST_SIDE_PX or width * height > _MOST_PIXELS:
            raise ValueError(f"{width} x {height} pixels are too many")
        image.thumbnail((side_px, side_px), Image.Resampling.LANCZOS)
        alpha = with_alpha and (image.mode in _ALPHA_MODES or "transparency" in image.info)
        encoded = io.BytesIO()
        if alpha:
            image.convert("RGBA").save(encoded, "WEBP", quality=_QUALITY, method=4)
        else:
            image.convert("RGB").save(encoded, "JPEG", quality=_QUALITY)
        return encoded.getvalue()
