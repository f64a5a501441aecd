"""One-pass decoding gives the client's own masks, for any frame."""

import hashlib
from types import SimpleNamespace

import numpy as np
from ai2thor.server import LazyInstanceSegmentationMasks
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from saom_bench.classes import label_set
from saom_bench.masks import areas_and_boxes
from saom_collectors.decode import decode

CLASSES = label_set("saom-54")
TYPES = {
    "Sofa|+01.00": "Sofa",
    "Mug|-00.20": "Mug",
    "Sink|+00.10|SinkBasin": "SinkBasin",
    "Painting|+01.10": "Painting",
    "Bed|+00.00": "Bed",
}
NAMES = (*TYPES, "wall|0|+00.00", "nothing")


def color(name: str) -> list[int]:
    return list(hashlib.md5(name.encode()).digest()[:3])


def client_masks(numbers: np.ndarray) -> LazyInstanceSegmentationMasks:
    """The client's view of an (H, W) map of positions in NAMES; rows go over the wire from the bottom up."""
    palette = np.array([[*color(name), 255] for name in NAMES], np.uint8)
    height, width = numbers.shape
    colors = [{"name": name, "color": color(name)} for name in NAMES if name != "nothing"]
    data = palette[numbers][::-1].tobytes()
    return LazyInstanceSegmentationMasks(data, {"screenWidth": width, "screenHeight": height, "colors": colors})


def parts_of(masks: LazyInstanceSegmentationMasks) -> SimpleNamespace:
    keys = {name: int(masks._integer_color_key(c)) for name, c in masks.instance_colors.items()}
    return SimpleNamespace(ids=masks.instance_segmentation_frame_uint32, keys=keys)


@settings(max_examples=100, deadline=None)
@given(
    numbers=arrays.arrays(
        np.int64,
        arrays.array_shapes(min_dims=2, max_dims=2, min_side=2, max_side=12),
        elements=st.integers(0, len(NAMES) - 1),
    )
)
def test_masks_equal_the_clients_for_every_object_of_the_label_set(numbers: np.ndarray) -> None:
    masks = client_masks(numbers)
    view = parts_of(masks)
    labels, instances = decode(view.ids, view.keys, TYPES, CLASSES)
    expected = {name: mask for name, mask in masks.items() if CLASSES.index_of(TYPES.get(name, "")) is not None}
    assert [i.object_id for i in instances] == sorted(expected)
    assert [i.label for i in instances] == list(range(1, len(expected) + 1))
    for instance in instances:
        np.testing.assert_array_equal(labels == instance.label, expected[instance.object_id])
        assert instance.class_index == CLASSES.index_of(TYPES[instance.object_id])
    stated = {i.label: (i.area_px, i.box_xyxy) for i in instances}
    assert areas_and_boxes(labels) == stated
    assert labels.dtype == np.uint16


def test_the_class_comes_from_the_type_not_from_the_id() -> None:
    view = parts_of(client_masks(np.full((4, 4), NAMES.index("Sink|+00.10|SinkBasin"))))
    _, (only,) = decode(view.ids, view.keys, TYPES, CLASSES)
    assert CLASSES.classes[only.class_index] == "SinkBasin"


def test_small_objects_are_left_out_and_numbers_close_up() -> None:
    numbers = np.full((10, 10), NAMES.index("nothing"))
    numbers[:2] = NAMES.index("Sofa|+01.00")
    numbers[5, :9] = NAMES.index("Bed|+00.00")
    view = parts_of(client_masks(numbers))
    labels, (only,) = decode(view.ids, view.keys, TYPES, CLASSES, min_area_px=10)
    assert (only.object_id, only.label, only.area_px, only.box_xyxy) == ("Sofa|+01.00", 1, 20, (0, 0, 10, 2))
    assert not labels[5].any()


def test_objects_whose_colours_collide_get_no_label() -> None:
    ids = np.array([[1, 1, 2]], np.uint32)
    keys, types = {"Mug|1": 1, "wall|1": 1, "Bed|2": 2}, {"Mug|1": "Mug", "Bed|2": "Bed"}
    labels, instances = decode(ids, keys, types, CLASSES)
    assert [i.object_id for i in instances] == ["Bed|2"]
    np.testing.assert_array_equal(labels, [[0, 0, 1]])
