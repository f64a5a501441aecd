"""``saom-bench predict``: what it writes, and that a user's mistakes are found before anything is computed."""

import json
from pathlib import Path

import numpy as np
import pytest
import typer
from PIL import Image
from tiny_sam import tiny_sam
from typer.testing import CliRunner, Result

from saom_bench import predict as module
from saom_bench.errors import SaomBenchError
from saom_bench.masks import decode_rle
from saom_bench.predict import read_picture
from saom_bench.sam import checkpoint
from saom_bench.sam.checkpoint import save_checkpoint

app = typer.Typer()
app.command()(module.predict)


def _run(*arguments: object) -> Result:
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def _refused(*arguments: object) -> str:
    result = _run(*arguments)
    assert isinstance(result.exception, SaomBenchError), result.output
    return str(result.exception)


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    """A red box and a blue one on a grey wall, 120 x 90."""
    rgb = np.full((90, 120, 3), 190, np.uint8)
    rgb[20:70, 15:50] = (180, 30, 40)
    rgb[30:60, 70:105] = (30, 60, 170)
    path = tmp_path / "boxes.png"
    Image.fromarray(rgb).save(path)
    return path


@pytest.fixture
def tuned(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A tiny fine-tuned checkpoint with three classes, whose own preset is saomv2."""
    monkeypatch.setattr(checkpoint, "load_base", lambda name, device, weights: tiny_sam())
    save_checkpoint(tmp_path / "run" / "best.safetensors", tiny_sam(n_classes=3), {"everything_preset": "saomv2"})
    return tmp_path / "run"


def test_the_shipped_model_finds_both_boxes(picture: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    result = _run(picture, "--out", out, "--grid", "4x3")
    assert result.exit_code == 0, result.output
    assert "saom-bench predict" in result.output.split("next")[1]
    document = json.loads((out / "boxes.json").read_text())
    masks = [decode_rle(item["segmentation"]) for item in document["masks"]]
    for y, x in ((slice(20, 70), slice(15, 50)), (slice(30, 60), slice(70, 105))):
        truth = np.zeros((90, 120), np.bool_)
        truth[y, x] = True
        assert max((truth & mask).sum() / (truth | mask).sum() for mask in masks) > 0.95
    for item, mask in zip(document["masks"], masks, strict=True):
        x, y, width, height = item["bbox"]
        assert item["area"] == mask.sum() == mask[y : y + height, x : x + width].sum()
        assert "category" not in item
    assert document["settings"]["grid"] == [4, 3]
    assert document["model"] == "mobile-sam"
    overlay = np.asarray(Image.open(out / "boxes.png"))
    assert overlay.shape == (90, 120, 3)
    assert (overlay != np.asarray(Image.open(picture))).any()


def test_a_checkpoint_brings_its_classes_and_its_settings(picture: Path, tuned: Path, tmp_path: Path) -> None:
    other = tmp_path / "more" / "boxes.png"
    other.parent.mkdir()
    other.write_bytes(picture.read_bytes())
    out = tmp_path / "out"
    arguments = ("--model", tuned, "--grid", "3x2", "--pred-iou", 0, "--stability", 0, "--out", out)
    result = _run(picture, other.parent, *arguments)
    assert result.exit_code == 0, result.output
    assert sorted(path.name for path in out.iterdir()) == ["boxes-2.json", "boxes-2.png", "boxes.json", "boxes.png"]
    document = json.loads((out / "boxes.json").read_text())
    assert document["settings"]["min_area_px"] == 150
    assert document["settings"]["grid"] == [3, 2]
    assert document["settings"]["pred_iou"] == 0
    assert len(document["checkpoint_sha256"]) == 64
    assert {item["category"] for item in document["masks"]} <= {"class 0", "class 1", "class 2"}
    assert all(0 < item["category_score"] <= 1 for item in document["masks"])


def test_mistakes_are_found_before_anything_is_computed(
    picture: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("saom_bench.everything.generate.everything", lambda *_: pytest.fail("computed"))
    broken = tmp_path / "broken.png"
    broken.write_bytes(picture.read_bytes()[:200])
    text = tmp_path / "notes.txt"
    text.write_text("no picture")
    (tmp_path / "empty").mkdir()
    assert "the picture" in (message := _refused(picture, broken))
    assert "broken.png cannot be read" in message
    assert "notes.txt is no picture" in _refused(picture, text)
    assert "there is no picture" in _refused(tmp_path / "nowhere.png")
    assert "holds no pictures" in _refused(tmp_path / "empty")
    assert "did you mean 'saomv1'" in _refused(picture, "--preset", "saom1")
    assert "did you mean 'mobile-sam'" in _refused(picture, "--model", "mobilesam")
    assert "'5' is no grid" in _refused(picture, "--grid", "5")
    assert "box_nms is 2.0" in _refused(picture, "--nms", "2")
    assert "is a file" in _refused(picture, "--out", text)
    assert "overwritten" in _refused(picture, "--out", tmp_path)
    assert "there is no checkpoint" in _refused(picture, "--model", tmp_path / "empty")


def test_pictures_of_any_kind_become_rgb(tmp_path: Path) -> None:
    grey = Image.fromarray(np.arange(12, dtype=np.uint8).reshape(3, 4) * 20)
    turned = Image.Exif()
    turned[274] = 6  # a camera held upright: the rows are the picture's columns
    for name, image in (("grey.png", grey), ("palette.gif", grey.convert("P")), ("alpha.png", grey.convert("RGBA"))):
        image.save(tmp_path / name)
        assert read_picture(tmp_path / name).shape == (3, 4, 3)
    grey.convert("RGB").save(tmp_path / "turned.jpg", exif=turned)
    assert read_picture(tmp_path / "turned.jpg").shape == (4, 3, 3)
