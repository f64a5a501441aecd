"""A frame and its objects as JSON: what travels beside the pictures in every format but HDF5."""

from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError

from saom_bench.shards.dataset import ShardDataset
from saom_bench.types import Capture, Instance, LabelMap, Panorama, Pose, RgbImage, Sample, SourceView


class _Strict(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class ObjectRecord(_Strict):
    """One object in one frame; its mask is where the label map holds ``label``. Its box may wrap, see types.py."""

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


class SourceRecord(_Strict):
    """A view that a panorama was made of, as types.SourceView."""

    pose: PoseRecord
    fov_deg: float
    size_hw: tuple[int, int]


class PanoramaRecord(_Strict):
    """As types.Panorama."""

    projection: str
    hfov_deg: float
    blend: str
    views: tuple[SourceRecord, ...]

    def panorama(self) -> Panorama:
        """The value again."""
        views = tuple(SourceView(Pose(**v.pose.model_dump()), v.fov_deg, v.size_hw) for v in self.views)
        return Panorama(self.projection, self.hfov_deg, self.blend, views)


class FrameRecord(_Strict):
    """Everything about a frame but its pixels."""

    key: str
    scene: str
    kind: str
    pose: PoseRecord
    fov_deg: float
    seed: int
    objects: tuple[ObjectRecord, ...] = ()
    panorama: PanoramaRecord | None = None

    def values(self) -> dict[str, Any]:
        """What a Capture holds beside its pixels and objects."""
        return {
            "pose": Pose(**self.pose.model_dump()),
            "fov_deg": self.fov_deg,
            "seed": self.seed,
            "kind": self.kind,
            "panorama": self.panorama.panorama() if self.panorama else None,
        }

    def capture(self, rgb: RgbImage, labels: LabelMap) -> Capture:
        """The frame again, with its pixels."""
        return Capture(
            rgb=rgb,
            labels=labels,
            instances=tuple(Instance(**each.model_dump()) for each in self.objects),
            **self.values(),
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
        panorama=_panorama_record(capture.panorama) if capture.panorama else None,
    )


def _panorama_record(panorama: Panorama) -> PanoramaRecord:
    views = tuple(
        SourceRecord(pose=PoseRecord(**vars(v.pose)), fov_deg=v.fov_deg, size_hw=v.size_hw) for v in panorama.views
    )
    return PanoramaRecord(projection=panorama.projection, hfov_deg=panorama.hfov_deg, blend=panorama.blend, views=views)


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
