"""Label sets: sizes as published, order fixed, unknown names helped."""

import pytest

from saom_bench.classes import DEFAULT_LABEL_SET, LABEL_SETS, label_set
from saom_bench.errors import SaomBenchError


def test_sizes_are_in_the_names() -> None:
    for name, labels in LABEL_SETS.items():
        assert len(labels) == int(name.removeprefix("saom-"))
        assert labels.classes == tuple(sorted(set(labels.classes)))
        assert [labels.index_of(c) for c in labels.classes] == list(range(len(labels)))


def test_the_default_leaves_out_bathtub_basin_only() -> None:
    difference = set(label_set("saom-55").classes) - set(label_set(DEFAULT_LABEL_SET).classes)
    assert difference == {"BathtubBasin"}


def test_the_class_is_the_whole_type_name() -> None:
    labels = label_set("saom-55")
    assert labels.index_of("Bathtub") != labels.index_of("BathtubBasin")
    assert labels.index_of("Chair") is None
    assert labels.index_of("Bathtub|1|2|3") is None


def test_unknown_name_suggests_the_nearest() -> None:
    with pytest.raises(SaomBenchError, match=r"unknown label set 'saom54'; did you mean 'saom-54'\?"):
        label_set("saom54")
