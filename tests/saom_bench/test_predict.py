"""``saom-bench predict``: what it writes, and that a user's mistakes are found before anything is computed."""

import json
from pathlib import Path

import numpy as np
import pytest
import typer
from PIL import Image
from tiny_sam import tiny_sam
from typer.testing import CliRunner, Result
from video_support import moving_box, write_video

from saom_bench import predict as module
from saom_bench.api import load
from saom_bench.errors import SaomBenchError
from saom_bench.masks import decode_rle
from saom_bench.predict import read_picture
from saom_bench.sam import checkpoint
from saom_bench.sam.checkpoint import save_checkpoint
from saom_bench.video import open_video

app = typer.Typer()
app.command()(module.predict)
compare_app = typer.Typer()
compare_app.command()(module.compare)


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
    assert "did you mean 'fast'" in _refused(picture, "--mode", "fats")
    assert "did you mean 'filled'" in _refused(picture, "--style", "fill")
    assert "no classes to choose from" in _refused(picture, "--classes", "Sofa")
    assert "--every is 0" in _refused(picture, "--every", 0)
    assert "box_nms is 2.0" in _refused(picture, "--nms", "2")
    assert "is a file" in _refused(picture, "--out", text)
    assert "overwritten" in _refused(picture, "--out", tmp_path)
    assert "there is no checkpoint" in _refused(picture, "--model", tmp_path / "empty")


def test_videos_become_overlays_and_a_line_a_frame(tuned: Path, tmp_path: Path) -> None:
    folder = tmp_path / "videos"
    folder.mkdir()
    write_video(folder / "box.mp4", moving_box())
    shared = (folder, "--model", tuned, "--grid", "2x2", "--pred-iou", 0, "--stability", 0, "--every", 2)
    result = _run(*shared, "--out", tmp_path / "out", "--style", "outlines")
    assert result.exit_code == 0, result.output
    video = open_video(tmp_path / "out" / "box.mp4")
    assert (len(list(video)), video.fps) == (3, 5)
    first, *lines = [json.loads(line) for line in (tmp_path / "out" / "box.jsonl").read_text().splitlines()]
    assert first["settings"]["grid"] == [2, 2]
    assert [line["frame"] for line in lines] == [0, 2, 4]
    assert all(line["size_hw"] == [64, 96] for line in lines)
    result = _run(*shared, "--out", tmp_path / "frames", "--frames", "--classes", "class 1")
    assert result.exit_code == 0, result.output
    assert len(list((tmp_path / "frames" / "box").glob("*.png"))) == 3
    lines = [json.loads(line) for line in (tmp_path / "frames" / "box.jsonl").read_text().splitlines()[1:]]
    assert {item["category"] for line in lines for item in line["masks"]} <= {"class 1"}


def test_models_side_by_side(picture: Path, tuned: Path, tmp_path: Path) -> None:
    both = f"{tuned},{tuned / 'best.safetensors'}"
    result = CliRunner().invoke(
        compare_app, [str(picture), "--models", both, "--out", str(tmp_path / "both.png"), "--grid", "2x2"]
    )
    assert result.exit_code == 0, result.output
    width, height = Image.open(tmp_path / "both.png").size
    assert width > 3 * 120
    assert height > 90
    for arguments, message in (
        (("--models", ","), "no model given"),
        (("--models", "mobilesam"), "did you mean 'mobile-sam'"),
        (("--models", both, "--out", str(tmp_path)), "is no name for a picture"),
        (("--models", both, "--out", str(picture)), "would be overwritten"),
        (("--models", both, "--style", "fill"), "did you mean 'filled'"),
    ):
        refused = CliRunner().invoke(compare_app, [str(picture), *arguments])
        assert isinstance(refused.exception, SaomBenchError)
        assert message in str(refused.exception)


def test_three_lines_of_python(picture: Path, tuned: Path, tmp_path: Path) -> None:
    found = load(str(tuned), device="cpu")(picture, grid=(3, 2), pred_iou=0.0, stability=0.0)
    found.save(tmp_path / "overlay.png", style="flat")
    assert np.asarray(Image.open(tmp_path / "overlay.png")).shape == (90, 120, 3)
    assert len(found.masks) == len(found.names) == len(found.proposals) > 0
    assert found.masks[0].shape == (90, 120)
    with pytest.raises(SaomBenchError, match="did you mean 'grid'"):
        load(str(tuned))(picture, gird=(3, 2))
    with pytest.raises(SaomBenchError, match="did you mean 'class 0'"):
        found.only(["clas 0"])


def test_pictures_of_any_kind_become_rgb(tmp_path: Path) -> None:
    grey = Image.fromarray(np.arange(12, dtype=np.uint8).reshape(3, 4) * 20)
    turned = Image.Exif()
    turned[274] = 6  # a camera held upright: the rows are the picture's columns
    for name, image in (("grey.png", grey), ("palette.gif", grey.convert("P")), ("alpha.png", grey.convert("RGBA"))):
        image.save(tmp_path / name)
        assert read_picture(tmp_path / name).shape == (3, 4, 3)
    grey.convert("RGB").save(tmp_path / "turned.jpg", exif=turned)
    assert read_picture(tmp_path / "turned.jpg").shape == (4, 3, 3)
