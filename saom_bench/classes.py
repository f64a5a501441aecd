"""Label sets: which AI2-THOR object types are classes, in which order.

The class of an object comes from its ``objectType``, never from its id. Index i of a label set is the i-th name in
alphabetical order; the order is part of the format, so lists are never edited, only added under new names.
"""

from dataclasses import dataclass
from functools import cached_property

from saom_bench.errors import unknown

# The 55 names of the published trainer (mariiak2021/SAOMv1-SAOMv2-and-PanoSAM, finetuneSAM.py:312).
_SAOM_55 = (
    "AlarmClock ArmChair BaseballBat BasketBall Bathtub BathtubBasin Bed Blinds Book Bowl Box Bread Cabinet "
    "CoffeeTable CounterTop Cup Desk DiningTable DishSponge Drawer Dresser Fridge GarbageCan Laptop LaundryHamper "
    "Microwave Mug Newspaper Ottoman Pan PaperTowelRoll Plate Plunger Pot Safe ScrubBrush Shelf ShowerCurtain "
    "ShowerDoor SideTable Sink SinkBasin SoapBar SoapBottle Sofa SprayBottle Statue StoveBurner TVStand TissueBox "
    "Toilet ToiletPaper ToiletPaperHanger Vase WateringCan"
).split()

# Not in the published evaluation's list of 48 (eval_miou.py).
_NOT_IN_48 = {"BathtubBasin", "Bread", "Cup", "DishSponge", "SinkBasin", "SoapBar", "SprayBottle"}


@dataclass(frozen=True)
class LabelSet:
    """A named, ordered list of classes; ``class_index`` everywhere is a position in ``classes``."""

    name: str
    classes: tuple[str, ...]

    def index_of(self, object_type: str) -> int | None:
        """The class index of an AI2-THOR object type, or None when the type is not a class."""
        return self._indices.get(object_type)

    @cached_property
    def _indices(self) -> dict[str, int]:
        return {name: i for i, name in enumerate(self.classes)}

    def __len__(self) -> int:
        return len(self.classes)


# The paper says 54 and does not say which 54. BathtubBasin is left out by default: it is a part of Bathtub, and in
# AI2-THOR 2.4.1's geometry of all 120 rooms it has no visible mesh, so it can have no mask.
LABEL_SETS: dict[str, LabelSet] = {
    "saom-54": LabelSet("saom-54", tuple(sorted(set(_SAOM_55) - {"BathtubBasin"}))),
    "saom-55": LabelSet("saom-55", tuple(sorted(_SAOM_55))),
    "saom-48": LabelSet("saom-48", tuple(sorted(set(_SAOM_55) - _NOT_IN_48))),
}
DEFAULT_LABEL_SET = "saom-54"


def label_set(name: str) -> LabelSet:
    """Look a label set up by name. Raises SaomBenchError for an unknown one."""
    if name not in LABEL_SETS:
        raise unknown("label set", name, LABEL_SETS)
    return LABEL_SETS[name]
