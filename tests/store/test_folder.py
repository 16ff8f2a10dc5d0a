import json
import os
from pathlib import Path

import pytest
from refusals import refuses
from store.forging import forged, thing_of

import latent_anchors as la
from latent_anchors import _store
from latent_anchors._store import LoadingError
from latent_anchors._store._folder import STRUCTURE, TENSORS, read
from latent_anchors.interventions import ConeFalloff, Suppression

OLD = Suppression([1.0, 0.0], strength=0.25)
NEW = Suppression([0.0, 1.0], ConeFalloff(10.0, 20.0))


def state(folder: Path) -> list[object]:
    edit = la.load(folder)
    return [edit.direction.tolist(), float(edit.strength), repr(edit.falloff)]


def states(folder: Path) -> list[list[object]]:
    """What the two savings load as."""
    found = []
    for name, edit in (("old", OLD), ("new", NEW)):
        la.save(edit, folder / name)
        found.append(state(folder / name))
    return found


class Stop(Exception):
    """At one call to the system."""


@pytest.mark.parametrize("call", ["fsync", "replace"])
def test_it_is_old_or_new_wherever_it_stops(call: str, tmp_path, monkeypatch):
    old, new = states(tmp_path)
    found = []
    for stop in range(9):
        folder, left = tmp_path / f"{call}{stop}", [stop]
        la.save(OLD, folder)
        real = getattr(os, call)

        def stopping(*args, left=left, real=real):
            left[0] -= 1
            if left[0] < 0:
                raise Stop
            return real(*args)

        with monkeypatch.context() as patch:
            patch.setattr(os, call, stopping)
            try:
                la.save(NEW, folder)
            except Stop:
                found.append(state(folder))
            else:
                assert state(folder) == new
                break
        la.save(OLD, folder)
        assert {path.name for path in folder.iterdir()} == {STRUCTURE, TENSORS}
        assert state(folder) == old
    assert old in found
    assert new in found
    assert all(one in (old, new) for one in found)


def test_a_full_disk_leaves_the_old_one(tmp_path, monkeypatch):
    la.save(OLD, tmp_path)
    before = state(tmp_path)

    def full(_tensors, path):
        path.write_bytes(b"some")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(_store, "save_file", full)
    with pytest.raises(OSError, match="No space left"):
        la.save(NEW, tmp_path)
    assert state(tmp_path) == before
    assert len([*tmp_path.iterdir()]) == 2


def test_a_reader_gets_one_of_two_while_the_other_is_written(tmp_path, monkeypatch):
    folder = tmp_path / "read"
    old, new = states(tmp_path)
    for moment in range(4):
        la.save(OLD, folder)
        left, real = [moment], Path.read_bytes

        def reading(path, left=left, real=real):
            left[0] -= 1
            if left[0] == -1:
                la.save(NEW, folder)
            return real(path)

        with monkeypatch.context() as patch:
            patch.setattr(Path, "read_bytes", reading)
            assert state(folder) in (old, new)


def test_links_are_replaced_and_not_followed(tmp_path):
    elsewhere, folder = tmp_path / "elsewhere", tmp_path / "saving"
    folder.mkdir()
    for name in (STRUCTURE, TENSORS, f"{STRUCTURE}.part", f"{TENSORS}.part"):
        (folder / name).symlink_to(elsewhere)
    elsewhere.write_text("mine")
    la.save(NEW, folder)
    assert elsewhere.read_text() == "mine"
    assert not any(path.is_symlink() for path in folder.iterdir())


def test_only_leftovers_are_swept_away(tmp_path):
    mine = ["notes.txt", "tensors.safetensors.old", "tensors.abc.safetensors", "structure.part"]
    left = [f"{TENSORS}.part", f"tensors.{'0f' * 32}.safetensors"]
    for name in mine + left:
        (tmp_path / name).write_text("?")
    la.save(OLD, tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == {*mine, STRUCTURE, TENSORS}


def test_tensors_beside_stay_while_nobody_knows_whose_they_are(tmp_path):
    la.save(OLD, tmp_path)
    beside = tmp_path / f"tensors.{'0f' * 32}.safetensors"
    beside.write_text("?")
    (tmp_path / STRUCTURE).write_text("{")
    with pytest.raises(TypeError):
        la.save(lambda: None, tmp_path)
    assert beside.exists()


def test_what_cannot_be_saved_leaves_the_old_one(tmp_path):
    la.save(OLD, tmp_path)
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    for thing in (lambda: None, [OLD, object()]):
        with pytest.raises(TypeError):
            la.save(thing, tmp_path)
    assert before == {path.name: path.read_bytes() for path in tmp_path.iterdir()}


@pytest.mark.parametrize("name", [STRUCTURE, TENSORS])
def test_a_flipped_bit_is_noticed(name: str, tmp_path):
    la.save(OLD, tmp_path)
    original, data = state(tmp_path), (tmp_path / name).read_bytes()
    for place in range(0, len(data), 5):
        (tmp_path / name).write_bytes(flipped(data, place))
        assert loaded_or_said(tmp_path) in (original, str(tmp_path / name))


def loaded_or_said(folder: Path) -> object:
    """What it loads as (a bit of the layout does not matter), or the file that is at fault."""
    try:
        return state(folder)
    except LoadingError as error:
        return str(error).split(": ")[0]


def flipped(data: bytes, place: int) -> bytes:
    return data[:place] + bytes([data[place] ^ 1 << place % 8]) + data[place + 1 :]


def test_a_folder_without_a_saving_is_refused(tmp_path):
    with refuses(FileNotFoundError, r"nothing holds no structure.json.* Mind the path"):
        la.load(tmp_path / "nothing")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", r"structure.json: it is no JSON"),
        ("[" * 9999, r"structure.json: it is no JSON"),
        ("[]", r"structure.json: it is no object"),
        ('{"format": 99}', r"was saved in format 99; this version reads 3. Use the version"),
        ('{"thing": 1}', r"structure.json: it is damaged or was changed: its checksum"),
    ],
)
def test_a_damaged_structure_is_refused(text: str, message: str, tmp_path):
    la.save(OLD, tmp_path)
    (tmp_path / STRUCTURE).write_text(text)
    with refuses(ValueError, message):
        la.load(tmp_path)


def test_damaged_tensors_are_refused(tmp_path):
    la.save(OLD, tmp_path)
    (tmp_path / TENSORS).unlink()
    with refuses(ValueError, r"tensors.safetensors: it is missing or damaged"):
        la.load(tmp_path)
    forged(tmp_path, thing_of(tmp_path), b"\xff" * 9)
    with refuses(ValueError, r"tensors.safetensors: it holds no tensors .* Save it again"):
        la.load(tmp_path)


def test_a_structure_may_be_laid_out_anew(tmp_path):
    la.save(OLD, tmp_path)
    content = json.loads((tmp_path / STRUCTURE).read_text())
    (tmp_path / STRUCTURE).write_text(json.dumps(content))
    assert read(tmp_path)[0].thing == content["thing"]
