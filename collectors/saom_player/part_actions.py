"""Actions that tell of the parts that objects are made of; the embedded player's own."""

from saom_player.arguments import Handler

PART_ACTIONS: dict[str, Handler] = {}
