"""Recipes: the files in the package, settings, round trips, and the refusals."""

import tomllib

import pytest

from saom_bench.errors import SaomBenchError
from saom_bench.train.recipe import Recipe, build_recipe, load_recipe, recipe_names


def test_every_recipe_in_the_package_loads_and_describes_itself() -> None:
    families = {"saomv1", "saomv2", "panosam"}
    assert set(recipe_names()) == families | {f"{name}-cpu" for name in families} | {"paper"}
    for name in recipe_names():
        recipe = load_recipe(name)
        assert recipe.name == name
        assert recipe.description


def test_grids_and_schedule_are_the_published_ones() -> None:
    assert [load_recipe(name).grid for name in ("saomv1", "saomv2", "panosam")] == [(32, 32), (64, 64), (320, 64)]
    for name in ("saomv1", "saomv2", "panosam"):
        assert load_recipe(f"{name}-cpu").grid == load_recipe(name).grid
    v1 = load_recipe("saomv1")
    assert (v1.learning_rate, v1.adam_eps, v1.epochs, v1.seed) == (1e-3, 1e-4, 500, 42)
    assert (v1.dice_weight, v1.focal_weight, v1.class_weight, v1.iou_weight) == (1.0, 1.0, 1.0, 0.0)


def test_settings_change_single_keys() -> None:
    recipe = load_recipe("saomv1", ["grid=[8, 4]", "learning_rate=2e-4", "prior=image", "flip=true", "name=a = b"])
    assert (recipe.grid, recipe.learning_rate, recipe.prior, recipe.flip) == ((8, 4), 2e-4, "image", True)
    assert recipe.name == "a = b"


def test_a_recipe_written_as_toml_reads_back_equal(tmp_path) -> None:
    recipe = load_recipe(
        "saomv1-cpu", ["adam_eps=1e-9", "everything={pred_iou=0.5, box_nms=0.6}", 'description="quotes \\" and ä"']
    )
    path = tmp_path / "mine.toml"
    path.write_text(recipe.to_toml() + '\n[run]\ndata = "somewhere"\n', encoding="utf-8")
    assert load_recipe(str(path)) == recipe


def test_every_key_carries_its_meaning() -> None:
    lines = Recipe().to_toml().splitlines()
    keys = [i for i, line in enumerate(lines) if " = " in line and not line.startswith("#")]
    assert len(keys) == len(tomllib.loads("\n".join(lines)))
    assert all(lines[i - 1].startswith("# ") and len(lines[i - 1]) > 10 for i in keys)


def test_a_file_takes_its_name_from_its_stem(tmp_path) -> None:
    (tmp_path / "mine.toml").write_text("epochs = 3\n")
    assert load_recipe(str(tmp_path / "mine.toml")).name == "mine"


@pytest.mark.parametrize(
    ("name", "settings", "message"),
    [
        ("saomv3", [], "did you mean 'saomv"),
        ("nowhere.toml", [], "does not exist"),
        ("saomv1", ["learning_rat=1"], "did you mean 'learning_rate'"),
        ("saomv1", ["epochs"], "not key=value"),
        ("saomv1", ["epochs=0"], "epochs = 0 will not do"),
        ("saomv1", ["prior=nowhere"], "prior = 'nowhere' will not do"),
        ("saomv1", ["grid=[32]"], "grid"),
        ("saomv1", ["everything={iou=1}"], "everything"),
        ("saomv1", ["grid=[0, 32]"], "grid"),
    ],
)
def test_what_is_unknown_or_wrong_is_refused_in_one_line(name, settings, message) -> None:
    with pytest.raises(SaomBenchError, match=message) as caught:
        load_recipe(name, settings)
    assert "\n" not in str(caught.value)


def test_broken_toml_is_refused(tmp_path) -> None:
    (tmp_path / "broken.toml").write_text("epochs = = 3")
    with pytest.raises(SaomBenchError, match="not valid TOML"):
        load_recipe(str(tmp_path / "broken.toml"))


def test_an_unknown_key_in_a_file_is_named() -> None:
    with pytest.raises(SaomBenchError, match="'lr'"):
        build_recipe({"lr": 1}, "mine.toml")
