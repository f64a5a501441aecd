"""A frame and its objects as JSON: what travels beside the pictures in every format but HDF5."""

from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError

from saom_bench.shards.dataset import ShardDataset
from saom_bench.types import Capture, Instance, LabelMap, Pose, RgbImage, Sample


class _Strict(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class ObjectRecord(_Strict):
    """One object in one frame; its mask is where the label map holds ``label``."""

    label: int
    object_id: str
    object_type: str
    class_index: int
    area_px: int
    box_xyxy: tuple[int, int, int, int]


class PoseRecord(_Strict):
    """Metres and degrees, as types.Pose."""

    x: float
    y: float
    z: float
    yaw_deg: float
    horizon_deg: float
    standing: bool


class FrameRecord(_Strict):
    """Everything about a frame but its pixels."""

    key: str
    scene: str
    kind: str
    pose: PoseRecord
    fov_deg: float
    seed: int
    objects: tuple[ObjectRecord, ...] = ()

    def capture(self, rgb: RgbImage, labels: LabelMap) -> Capture:
        """The frame again, with its pixels."""
        return Capture(
            rgb=rgb,
            labels=labels,
            instances=tuple(Instance(**each.model_dump()) for each in self.objects),
            pose=Pose(**self.pose.model_dump()),
            fov_deg=self.fov_deg,
            seed=self.seed,
            kind=self.kind,
        )


def frame_record(sample: Sample) -> FrameRecord:
    """A sample without its pixels."""
    capture = sample.capture
    return FrameRecord(
        key=sample.key,
        scene=sample.scene,
        kind=capture.kind,
        pose=PoseRecord(**vars(capture.pose)),
        fov_deg=capture.fov_deg,
        seed=capture.seed,
        objects=tuple(ObjectRecord(**vars(each)) for each in capture.instances),
    )


def read_frame_record(values: Any) -> FrameRecord:
    """A frame's record from JSON. Raises ValueError, naming the first wrong field."""
    try:
        return FrameRecord.model_validate(values)
    except ValidationError as error:
        first = error.errors()[0]
        raise ValueError(f"{'.'.join(map(str, first['loc']))}: {first['msg']}") from error


def dataset_record(dataset: ShardDataset) -> dict[str, Any]:
    """What all frames of a dataset share, with the fingerprint of what was exported."""
    return {
        "label_set": dataset.label_set.name,
        "classes": list(dataset.label_set.classes),
        "split": dataset.split,
        "simulator": dataset.simulator,
        "fingerprint": dataset.fingerprint,
        "frames": len(dataset),
        "scenes": list(dataset.scenes),
    }


def file_stem(sample: Sample) -> str:
    """A sample's key as a file name: "FloorPlan1-000003"."""
    return sample.key.replace("/", "-")
