"""Actions on ProcTHOR houses: CreateHouse."""

from typing import Any

from saom_player.arguments import ActionError, Handler
from saom_player.simulation import PROCEDURAL, Simulation


def create_house(sim: Simulation, house: dict[str, Any]) -> None:
    """Replace the empty scene, or the house in it, by a house of schema 1.0.0; a failure leaves it as it is."""
    if sim.place.scene.name != PROCEDURAL:
        raise ActionError(f"CreateHouse fills the scene {PROCEDURAL!r} alone; reset to it, or to the house, first")
    sim.create_house(house)


HOUSE_ACTIONS: dict[str, Handler] = {"CreateHouse": create_house}
