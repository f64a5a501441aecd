"""Masks that AI2-THOR's own player is known to draw wrong, by the names of their objects.

Source: AI2-THOR's issue tracker, by number. The embedded player does not share these faults.
"""

import re

_FAULTS = (
    ("FloorPlan401", r"Bathtub\|", "its mesh of light rays hides what stands behind it (#1089)"),
    ("", r"FP\d+:", "a piece of a door under a name of the scene's file (#1036)"),
)
"""Scene ("" is any), pattern of the objectId's beginning, and what is wrong."""


def known_fault(scene: str, object_id: str) -> str:
    """What is wrong with an object's mask, or "" when nothing is known."""
    for where, pattern, reason in _FAULTS:
        if where in ("", scene) and re.match(pattern, object_id):
            return reason
    return ""
