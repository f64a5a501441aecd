"""Actions on the whole scene: where objects are, what they are made of, how it is lit."""

from saom_player.arguments import Handler

SCENE_ACTIONS: dict[str, Handler] = {}
