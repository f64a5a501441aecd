"""The errors that users see: one line that says what, which value, and what to do; the CLI exits with 2."""

from collections.abc import Iterable
from difflib import get_close_matches


class SaomBenchError(Exception):
    """A mistake the user can mend. The CLI prints its message on one line, without a traceback, and exits 2."""


def unknown(kind: str, value: str, options: Iterable[str]) -> SaomBenchError:
    """The error for a name that is in no registry: names the value, the nearest option, and all of a short list."""
    names = sorted(options)
    near = get_close_matches(value, names, n=1, cutoff=0.5)
    hint = f" did you mean {near[0]!r}?" if near else ""
    listing = f" Known: {', '.join(names)}." if len(names) <= 20 else f" {len(names)} are known."
    return SaomBenchError(
        f"unknown {kind} {value!r};{hint}{listing}" if hint else f"unknown {kind} {value!r}.{listing}"
    )
