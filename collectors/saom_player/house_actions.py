"""Actions on ProcTHOR houses: CreateHouse."""

from typing import Any

from saom_player.arguments import ActionError, Handler
from saom_player.simulation import PROCEDURAL, Simulation


def create_house(sim: Simulation, house: dict[str, Any]) -> None:
    """Fill the empty scene with a house of schema 1.0.0, the agent at its start; a failure leaves the scene empty."""
    if sim.place.scene.name != PROCEDURAL:
        raise ActionError(f"CreateHouse fills the scene {PROCEDURAL!r} alone; reset to it, or to the house, first")
    sim.create_house(house)


HOUSE_ACTIONS: dict[str, Handler] = {"CreateHouse": create_house}
