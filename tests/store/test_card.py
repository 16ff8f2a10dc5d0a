import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from refusals import refuses
from torch import nn

import latent_anchors as la
from latent_anchors._store._card import CARD, is_card
from latent_anchors._store._folder import STRUCTURE, TENSORS
from latent_anchors.interventions import Suppression

RED = la.Concept("red", [1.0, 0.0, 0.0, 0.0], at=["0", "1"])
NOTE = "Wines, graded.\n\n```\nnever closed"


def card_of(folder: Path, thing: object = RED, **options: object) -> str:
    la.save(thing, folder, card=True, **options)
    return (folder / CARD).read_text()


def code_in(card: str) -> str:
    (code,) = re.findall(r"```python\n(.*?)```", card, re.DOTALL)
    return code


def test_it_says_what_is_there_for_which_model_and_by_what(tmp_path):
    model = nn.Sequential(nn.Linear(3, 4), nn.ReLU())
    card = card_of(tmp_path, {"warm": RED, "edit": Suppression([1.0])}, model=model, note=NOTE)
    front, heading = re.findall(r"\A---\n(.*?)---\n\n# (.*?)\n", card, re.DOTALL)[0]
    assert front.splitlines()[0] == "library_name: latent-anchors"
    assert heading == "red, edit"
    assert "| red | `concepts.Concept` |\n| edit | `interventions.Suppression` |" in card
    assert "| `0` | 4 |\n| `1` | 4 |" in card
    assert "class `Sequential`" in card
    assert la.provenance(tmp_path).fingerprint in card
    assert f"latent-anchors {la.__version__}" in card
    assert NOTE in card


def test_its_code_runs_as_it_is(tmp_path):
    code = code_in(card_of(tmp_path, note=NOTE))
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.stdout.startswith("Concept('red', a direction in 4 dimensions"), done.stderr


def test_its_code_imports_what_registers_types_of_others(tmp_path):
    @la.register("tests.Carded")
    class Carded(nn.Module):
        pass

    line = f"import {__name__}  # registers 'tests.Carded'\nimport latent_anchors as la"
    assert line in code_in(card_of(tmp_path, [Carded(), RED]))


@pytest.mark.parametrize(
    "thing", [3, [], {"a": 1, 2: (RED,)}, la.Concept("a|`b`\n<x>", [1.0], "0")]
)
def test_whatever_is_saved_has_one(thing: object, tmp_path):
    card = card_of(tmp_path, thing)
    assert is_card(card.encode())
    assert "<x>" not in card


def test_it_goes_with_what_was_saved(tmp_path):
    card_of(tmp_path)
    assert "# blue" in card_of(tmp_path, la.Concept("blue", [1.0], at="0"))
    la.save(RED, tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == {STRUCTURE, TENSORS}


@pytest.mark.parametrize("pattern", ["^.*$", "red", r"<!--.*-->\n"])
def test_what_somebody_wrote_is_never_replaced(pattern: str, tmp_path):
    mine = re.sub(pattern, "mine", card_of(tmp_path), flags=re.DOTALL)
    (tmp_path / CARD).write_text(mine)
    before = (tmp_path / STRUCTURE).read_bytes()
    with refuses(
        ValueError, r"README.md is no card .* or was edited since; .* Rename it, or leave"
    ):
        la.save(la.Concept("blue", [1.0], at="0"), tmp_path, card=True)
    assert (tmp_path / STRUCTURE).read_bytes() == before
    la.save(la.Concept("blue", [1.0], at="0"), tmp_path)
    assert (tmp_path / CARD).read_text() == mine
    assert la.load(tmp_path).name == "blue"


class Stop(Exception):
    """At one call to the system."""


@pytest.mark.parametrize("call", ["fsync", "replace"])
def test_an_interruption_leaves_a_whole_card_and_the_next_saving_its_own(
    call: str, tmp_path, monkeypatch
):
    cards = {
        card_of(tmp_path / "old"),
        card_of(tmp_path / "new", la.Concept("blue", [1.0], at="0")),
    }
    for stop in range(9):
        folder, left = tmp_path / f"{stop}", [stop]
        card_of(folder)
        real = getattr(os, call)

        def stopping(*args, left=left, real=real):
            left[0] -= 1
            if left[0] < 0:
                raise Stop
            return real(*args)

        with monkeypatch.context() as patch:
            patch.setattr(os, call, stopping)
            try:
                card_of(folder, la.Concept("blue", [1.0], at="0"))
            except Stop:
                assert (folder / CARD).read_text() in cards
                assert la.load(folder).name in ("red", "blue")
        assert "# red\n" in card_of(folder)
        assert {path.name for path in folder.iterdir()} == {STRUCTURE, TENSORS, CARD}
    assert stop == 8


def test_what_a_hub_adds_is_not_read(tmp_path):
    shared, blobs = tmp_path / "snapshots", tmp_path / "blobs"
    card_of(blobs)
    shared.mkdir()
    for path in blobs.iterdir():  # a hub's cache holds links
        (shared / path.name).symlink_to(path)
    (shared / ".gitattributes").write_text("*.safetensors filter=lfs\n")
    for folder in (".git", ".cache"):
        (shared / folder).mkdir()
    (shared / "config.json").write_text("{")
    assert la.load(shared).name == "red"
    assert {path.name for path in shared.iterdir()} > {".git", ".cache", "config.json"}
