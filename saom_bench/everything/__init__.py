"""Everything mode: ``config`` (settings, presets; light), ``generate`` (the mode itself; loads torch).

``exact`` and ``fast`` are its two modes on one encoded picture, both through ``decoding``; ``choice`` and ``merging``
make the second fast; ``crops`` and ``panorama`` cut a picture into several; ``kept`` and ``boxes`` hold and suppress
masks.
"""

from typing import TYPE_CHECKING, Any

from saom_bench.everything.config import DEFAULT_PRESET, PRESETS, EverythingConfig, parse_grid, preset, settings_of

if TYPE_CHECKING:
    from saom_bench.everything.generate import everything

__all__ = ["DEFAULT_PRESET", "PRESETS", "EverythingConfig", "everything", "parse_grid", "preset", "settings_of"]


def __getattr__(name: str) -> Any:
    """Load torch only when the mode itself is asked for, so that settings stay cheap to import."""
    if name == "everything":
        from saom_bench.everything.generate import everything

        return everything
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
