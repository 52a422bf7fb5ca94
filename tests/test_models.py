"""Models by name: which one is found, and what is told of it."""

import json
import shutil

import pytest

from musicgen.errors import ModelError
from musicgen.networks import Model
from musicgen.workflows import find_model, list_models, model_info
from musicgen.workflows import models as places


@pytest.fixture
def home(models, tmp_path, monkeypatch):
    """Here: a model of one's own. Shipped: irish with its card, events, and a broken file."""
    here, shipped = tmp_path / "here", tmp_path / "package"
    for folder, names in ((here / "models", ["mine"]), (shipped, ["irish", "events"])):
        folder.mkdir(parents=True)
        for name in names:
            known = "tokens" if name == "irish" else "events"
            shutil.copy(models(known), folder / f"{name}.safetensors")
    (shipped / "irish.md").write_text("# Irish tunes\n\nA small model of scales.\n")
    (shipped / "events.md").write_text("# Events\n")
    (shipped / "broken.safetensors").write_bytes(b"ABC")
    shutil.copy(shipped / "events.safetensors", here / "models" / "mine.last.safetensors")
    monkeypatch.setattr(places, "SHIPPED", shipped)
    monkeypatch.chdir(here)
    return here


def test_a_path_comes_before_names_and_ones_own_before_the_shipped(home):
    own, shipped = places.MODELS / "mine.safetensors", places.SHIPPED / "irish.safetensors"
    assert find_model("mine") == own
    assert find_model(own) == find_model(str(own)) == own
    assert find_model("irish") == shipped
    shutil.copy(own, places.MODELS / "irish.safetensors")
    assert find_model("irish") == find_model() == places.MODELS / "irish.safetensors"
    shutil.copy(own, "irish")
    assert str(find_model("irish")) == "irish"


def test_irish_is_the_default(home, musicgen):
    assert find_model() == places.SHIPPED / "irish.safetensors"
    done = musicgen("sample", "--seed", 1, "--json", "--pictures", 0)
    said = json.loads(done.stdout)
    assert said["model"] == str(places.SHIPPED / "irish.safetensors")
    assert said["samples"][0]["files"] == ["samples/irish-1-1.abc"]


def test_a_name_that_there_is_not(home):
    with pytest.raises(ModelError, match=r"no model morse, .* there are: broken, events, irish, m"):
        find_model("morse")
    with pytest.raises(ModelError, match=r"no model none, and no models/none\.safetensors"):
        find_model("none")


def test_nothing_there_at_all(tmp_path, monkeypatch, refused):
    monkeypatch.setattr(places, "SHIPPED", tmp_path)
    message = refused("sample", cwd=tmp_path)
    assert "there is no model irish" in message
    assert "none yet" in message


def test_the_list(home, musicgen):
    assert [report.name for report in list_models()] == ["events", "irish", "mine"]
    lines = musicgen("models", "list").stdout.splitlines()
    assert lines[0].split() == ["name", "encoding", "weights", "MB", "validation", "corpus"]
    assert [line.split()[:2] for line in lines[1:]] == [
        ["events", "events"], ["irish", "tokens"], ["mine", "events"],
    ]  # fmt: skip
    assert ["(yours)" in line for line in lines[1:]] == [False, False, True]
    said = json.loads(musicgen("models", "list", "--json").stdout)
    assert [(one["name"], one["shipped"]) for one in said] == [
        ("events", True), ("irish", True), ("mine", False),
    ]  # fmt: skip


def test_the_facts_of_one(home, musicgen):
    loaded = Model.load(find_model("irish"))
    report = model_info("irish")
    assert report.card == places.SHIPPED / "irish.md"
    assert report.bytes == report.path.stat().st_size
    assert (report.encoding, report.kind) == ("tokens", "Tune")
    shown = musicgen("models", "info", "irish").stdout
    assert shown.startswith("# Irish tunes\n\nA small model of scales.\n\nfile: ")
    assert f"{loaded.network.size:,} weights" in shown
    assert f"validation:  {loaded.facts['validation']:.4f} bits a token" in shown
    assert "12 pieces, sha256" in shown
    assert "epochs 30" in shown
    said = json.loads(musicgen("models", "info", "irish", "--json").stdout)
    assert said["weights"] == loaded.network.size
    assert said["architecture"]["cell"] == "lstm"
    assert said["facts"] == loaded.facts


def test_inspect_tells_the_same(home, musicgen):
    path = places.MODELS / "mine.safetensors"
    assert musicgen("inspect", path).stdout == musicgen("models", "info", path).stdout
    assert "#" not in musicgen("inspect", path).stdout
