"""Actions that tell of the parts that objects are made of; the embedded player's own.

With Initialize's ``renderPartSegmentation``, every event with pictures holds ``partSegmentation`` in its metadata, and
``thirdPartyPartSegmentations``, one for each camera; see ``pictures.part_metadata``. The client passes them through.
"""

from saom_player.arguments import Handler
from saom_player.metadata import instance_name
from saom_player.simulation import Simulation


def get_parts(sim: Simulation) -> list[dict[str, object]]:
    """Every part's number in part images, with its name and the id of what it is a part of."""
    names = [(instance_name(thing), part.name) for thing in sim.place.scene.instances() for part in thing.parts]
    return [{"part": number, "objectId": owner, "name": name} for number, (owner, name) in enumerate(names, 1)]


PART_ACTIONS: dict[str, Handler] = {"GetParts": get_parts}
