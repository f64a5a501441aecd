"""Actions on ProcTHOR houses: CreateHouse."""

from typing import Any

from saom_player.arguments import ActionError, Handler
from saom_player.simulation import Simulation


def create_house(sim: Simulation, house: dict[str, Any]) -> None:
    """ProcTHOR houses are not simulated yet."""
    raise ActionError("a ProcTHOR house is not simulated by the embedded player; AI2-THOR's own player has it")


HOUSE_ACTIONS: dict[str, Handler] = {"CreateHouse": create_house}
