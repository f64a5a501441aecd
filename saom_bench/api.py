"""Everything mode in three lines of Python, for pictures of any kind; the command line stands on it.

from saom_bench.api import load
found = load("mobile-sam")("kitchen.jpg", mode="fast")
found.save("overlay.png")  # and found.masks, found.names, found.proposals
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from saom_bench.errors import SaomBenchError, unknown
from saom_bench.everything.config import DEFAULT_PRESET, EverythingConfig, settings_of
from saom_bench.everything.config import preset as preset_of

if TYPE_CHECKING:
    from saom_bench.pictures import Color
    from saom_bench.sam.model import Sam
    from saom_bench.types import BoolMask, Proposals, RgbImage

NAMED_ABOVE = 0.5
"""Masks whose class scores lower carry no name in an overlay: a class head knows no "something else", a scorer does."""
STYLES = {"filled": 0.5, "outlines": 0.0, "flat": 1.0}
"""Overlays by name, and how much of the picture their masks hide."""


@dataclass(frozen=True)
class Found:
    """What everything mode found in one picture."""

    rgb: "RgbImage"
    proposals: "Proposals"
    class_names: tuple[str, ...] | None

    @cached_property
    def masks(self) -> "list[BoolMask]":
        """N masks of (H, W), best first."""
        from saom_bench.masks import decode_rle

        return [decode_rle(rle) for rle in self.proposals.rles]

    @property
    def names(self) -> list[str | None]:
        """N class names; None where the class is uncertain or the model knows none."""
        proposals = self.proposals
        if self.class_names is None or proposals.class_index is None or proposals.class_score is None:
            return [None] * len(proposals)
        certain = proposals.class_score >= NAMED_ABOVE
        return [self.class_names[k] if sure else None for k, sure in zip(proposals.class_index, certain, strict=True)]

    def only(self, classes: Sequence[str]) -> "Found":
        """The masks of some classes. Raises SaomBenchError for classes that the model does not know."""
        check_classes(self.class_names, classes)
        names = self.names
        return replace(self, proposals=self.proposals.take([i for i, name in enumerate(names) if name in classes]))

    def overlay(self, style: str = "filled", colors: "Sequence[Color] | None" = None) -> "RgbImage":
        """The picture with its masks drawn in one of STYLES, named where a class is certain."""
        from saom_bench.pictures import overlay

        if style not in STYLES:
            raise unknown("style", style, STYLES)
        return overlay(self.rgb, self.masks, self.names, colors, alpha=STYLES[style])

    def save(self, path: Path | str, style: str = "filled") -> None:
        """Write the overlay as a PNG or JPEG."""
        from saom_bench import pictures

        pictures.save(Path(path), self.overlay(style))


@dataclass(frozen=True)
class Segmenter:
    """A model and its own everything mode settings; call it with pictures."""

    spec: str
    sam: "Sam"
    settings: EverythingConfig

    def __call__(
        self,
        image: "Path | str | RgbImage",
        progress: Callable[[int], None] | None = None,
        wraps: bool = False,
        **settings: Any,
    ) -> Found:
        """Segment everything in a picture file or an (H, W, 3) uint8 array.

        Args:
            progress: called with the number of grid points after each batch of them.
            wraps: whether it is a panorama of the full circle.
            settings: fields of EverythingConfig that replace the model's own, such as ``mode="fast"``.
        """
        from saom_bench.everything import everything

        rgb = read_picture(Path(image)) if isinstance(image, (str, Path)) else image
        proposals = everything(self.sam, rgb, changed(self.settings, **settings), progress, wraps)
        return Found(rgb, proposals, self.sam.class_names)


def load(
    spec: str = "mobile-sam", device: str = "auto", preset: str | None = None, weights: Path | None = None
) -> Segmenter:
    """A model by name, checkpoint or training run, with a preset or else its own settings."""
    from saom_bench.sam.registry import load_model

    settings = settings_for(spec, preset)
    return Segmenter(spec, load_model(spec, device, weights), settings)


def compare(
    image: "Path | str | RgbImage", models: Sequence[str], style: str = "filled", device: str = "auto", **settings: Any
) -> "RgbImage":
    """One picture of what several models find in an image: the image, then each model's overlay, with captions."""
    return side_by_side(image, [load(spec, device) for spec in models], style, **settings)


def side_by_side(
    image: "Path | str | RgbImage",
    models: Sequence[Segmenter],
    style: str = "filled",
    progress: Callable[[int], None] | None = None,
    **settings: Any,
) -> "RgbImage":
    """As ``compare``, with models that are loaded already."""
    from saom_bench.pictures import captioned, sheet

    rgb = read_picture(Path(image)) if isinstance(image, (str, Path)) else image
    tiles = [captioned(rgb, "image")]
    for model in models:
        found = model(rgb, progress, **settings)
        tiles.append(captioned(found.overlay(style), f"{model.spec}: {len(found.proposals)} masks"))
    columns = len(tiles) if len(tiles) < 4 else -(-len(tiles) // 2)
    return sheet(tiles, columns)


def settings_for(spec: str, preset: str | None = None) -> EverythingConfig:
    """The preset that is asked for, else what a checkpoint wants for itself, else segment-anything's own."""
    from saom_bench.sam.checkpoint import read_metadata
    from saom_bench.sam.registry import checkpoint_path

    if preset is not None:
        return preset_of(preset)
    path = checkpoint_path(spec)
    return preset_of(DEFAULT_PRESET) if path is None else settings_of(read_metadata(path), spec)


def check_classes(known: tuple[str, ...] | None, classes: Sequence[str]) -> None:
    """Raises SaomBenchError where a model has not all of these classes."""
    if known is None:
        raise SaomBenchError("this model has no classes to choose from; classes come with a fine-tuned checkpoint")
    for name in classes:
        if name not in known:
            raise unknown("class", name, known)


def changed(settings: EverythingConfig, **changes: Any) -> EverythingConfig:
    """Settings with some replaced. Raises SaomBenchError for unknown ones."""
    for name in changes:
        if name not in vars(settings):
            raise unknown("everything mode setting", name, vars(settings))
    return replace(settings, **changes)


def read_picture(path: Path) -> "RgbImage":
    """An image file as (H, W, 3) uint8, turned as its EXIF says. Raises SaomBenchError naming an unreadable one."""
    import numpy as np
    from PIL import Image, ImageOps, UnidentifiedImageError

    try:
        with Image.open(path) as image:
            return np.asarray(ImageOps.exif_transpose(image).convert("RGB"))
    except UnidentifiedImageError as error:
        raise SaomBenchError(f"{path} is no picture that can be read; give a PNG or JPEG") from error
    except FileNotFoundError as error:
        raise SaomBenchError(f"there is no picture {path}") from error
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        raise SaomBenchError(f"the picture {path} cannot be read ({error}); it may be cut short") from error
