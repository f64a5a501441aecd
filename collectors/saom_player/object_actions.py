"""Actions on single objects: opening and closing them, switching them on and off."""

from saom_player.arguments import Handler

OBJECT_ACTIONS: dict[str, Handler] = {}
