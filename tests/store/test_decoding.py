import math
from copy import deepcopy

import pytest
import torch
from refusals import refuses
from safetensors.torch import load_file
from store.forging import forged, thing_of
from store.things import played

import latent_anchors as la
from latent_anchors import models
from latent_anchors.interventions import Suppression

ANCHOR = {"type": "regularizers.Anchor", "arguments": {}}


def call(name: str, /, **arguments: object) -> dict[str, object]:
    return {"type": name, "arguments": arguments, "state": {"mapping": []}, "training": True}


@pytest.mark.parametrize(
    ("thing", "message"),
    [
        (call("os.system", command="true"), r"Unknown registered type 'os.system'.* Import the"),
        (call("curriculum.read_dopesheet", source="x"), r"is no class that is saved"),
        (call("transitions.register_easing", name="x"), r"is no class that is saved"),
        (call("colorspace.HUES"), r"is no class that is saved"),
        (call("interventions.Falloff"), r"is no class that is saved"),
        (call("interventions.EditModule"), r"is no class that is saved"),
        (call("interventions.Handle"), r"is no class that is saved"),
        (call("viz.Motion"), r"Unknown registered type 'viz.Motion'"),
        (call("curriculum.Keyframe", step=0, value=0), r"in another way than it is saved"),
        (call("models.Population", stacked=None, seeds=None), r"another way than it is saved"),
        ({"function": "curriculum.read_dopesheet"}, r"is no function that is saved as a value"),
        ({"function": "regularizers.Anchor"}, r"is no function that is saved as a value"),
        ({"json": "regularizers.Anchor", "content": {}}, r"in another way than it is saved"),
        ({"json": "curriculum.Track", "content": {}}, r"thing cannot be made: .*Missing: 'space'"),
        ({"json": "curriculum.Track", "content": []}, r"thing cannot be made: "),
        (
            {"type": "models.Site", "arguments": {"nome": "x"}},
            r"has the arguments .*; expected some of 'name'",
        ),
        (call("models.Site", name="x"), r"has the keys 'type', 'arguments', 'state'"),
        (ANCHOR, r"has the keys 'type', 'arguments'; expected 'state'|'training'"),
        ([], r"thing is no value, or lies too deep"),
        ({"list": 3}, r"thing has 3; expected a list"),
        ({"list": [], "more": 3}, r"thing has the keys 'list', 'more', which no kind of value has"),
        ({"nothing": 3}, r"thing has the keys 'nothing', which no kind of value has"),
        ({"mapping": [[1, 2], [True, 2]]}, r"thing has a key twice"),
        ({"mapping": [[1, 2, 3]]}, r"has something else than pairs"),
        ({"mapping": [[{"list": []}, 1]]}, r"cannot be made: unhashable"),
        ({"again": 0}, r"repeats thing 0, which was not made before"),
        ({"tensor": "x", "dtype": "float32", "shape": []}, r"is the tensor 'x', which is not"),
        (
            {"population": "models.Population", "models": {"list": []}, "seeds": [1]}
            | {"training": True},
            r"has the seeds \[1\]; expected a whole number for each",
        ),
    ],
)
def test_what_no_saving_holds_is_refused(thing: object, message: str, tmp_path):
    forged(tmp_path, thing)
    with refuses(ValueError, rf"structure.json: .*{message}"):
        la.load(tmp_path)


def test_it_is_refused_however_deep_it_lies(tmp_path):
    thing: object = 1
    for _ in range(80):
        thing = {"list": [thing]}
    forged(tmp_path, thing)
    with refuses(ValueError, r"is no value, or lies too deep"):
        la.load(tmp_path)


STATE = [
    (lambda state, _: state.pop(0), r"lacks 'strength' and has nothing besides"),
    (lambda state, _: state.clear(), r"lacks 'direction', 'strength' and has nothing besides"),
    (lambda state, _: state.append(["zzz", state[0][1]]), r"lacks nothing and has 'zzz' besides"),
    (lambda state, _: state.append([1, 2]), r"something else in its state than tensors by name"),
    (lambda _, t: t.update({min(t): t[min(t)][:1].clone()}), r"by the structure, and float32"),
    (lambda _, t: t.update({min(t): t[min(t)].double()}), r"by the structure, and float64"),
    (lambda _, t: t.pop(min(t)), r"is the tensor '0:.*', which is not there"),
    (lambda _, t: t.update(more=torch.ones(1)), r"the tensors 'more' belong to nothing"),
]


@pytest.mark.parametrize(("change", "message"), STATE)
def test_a_state_is_compared_name_by_name(change, message: str, tmp_path):
    la.save(Suppression([1.0, 0.0]), tmp_path)
    thing, tensors = thing_of(tmp_path), load_file(tmp_path / "tensors.safetensors")
    change(thing["state"]["mapping"], tensors)
    forged(tmp_path, thing, tensors)
    with refuses(ValueError, message):
        la.load(tmp_path)


@pytest.mark.parametrize("flag", ["parameter", "shape", "dtype"])
def test_a_buffer_is_no_parameter_and_keeps_shape_and_type(flag: str, tmp_path):
    la.save(Suppression([1.0, 0.0]), tmp_path)
    thing, tensors = thing_of(tmp_path), load_file(tmp_path / "tensors.safetensors")
    node = next(node for name, node in thing["state"]["mapping"] if name == "strength")
    name = node["tensor"]
    if flag == "parameter":
        node["parameter"] = True
    elif flag == "shape":
        node["shape"], tensors[name] = [1], tensors[name].reshape(1)
    else:
        node["dtype"], tensors[name] = "int64", tensors[name].long()
    forged(tmp_path, thing, tensors)
    with refuses(ValueError, r"thing.strength is .*; Suppression has torch.float32 of shape \(\)"):
        la.load(tmp_path)


def test_a_forger_is_found_out_by_what_would_be_saved_again(tmp_path):
    la.save(Suppression([1.0, 0.0], strength=0.5), tmp_path)
    thing = thing_of(tmp_path)
    thing["arguments"]["strength"] = 0.25  # the tensor says 0.5
    forged(tmp_path, thing)
    with refuses(ValueError, r"the Suppression that it makes differs from the one that was saved"):
        la.load(tmp_path)


@pytest.mark.parametrize("argument", ["latent_dim", "depth", "hidden"])
def test_a_small_file_asks_for_no_memory(argument: str, tmp_path):
    la.save(models.SphericalAutoencoder(), tmp_path)
    thing = thing_of(tmp_path)
    thing["arguments"][argument] = 10**10
    forged(tmp_path, thing)
    with refuses(ValueError, r"thing cannot be made: its sizes make"):
        la.load(tmp_path)


def test_no_room_is_made_for_runs_that_a_playhead_does_not_remember(tmp_path):
    la.save(played(), tmp_path)
    thing = thing_of(tmp_path)
    thing["content"]["state"]["runs"] = 10**10
    forged(tmp_path, thing)
    with refuses(ValueError, r"The state has \[2, 2\] runs for its triggers"):
        la.load(tmp_path)


@pytest.mark.parametrize("modes", [["zzz"], "all", None])
def test_only_parts_that_are_there_have_a_mode(modes: object, tmp_path):
    la.save(models.SphericalAutoencoder(), tmp_path)
    thing = deepcopy(thing_of(tmp_path))
    thing["training"] = modes
    forged(tmp_path, thing)
    with refuses(ValueError, r"The parts in training mode are "):
        la.load(tmp_path)


def test_whatever_fits_nothing_is_refused(tmp_path):
    whole = {"tensor": "x", "dtype": "int64", "shape": [1], "requires_grad": True}
    forged(tmp_path, whole, {"x": torch.ones(1).long()})
    with refuses(ValueError, r"structure.json: what it holds fits nothing \(RuntimeError"):
        la.load(tmp_path)


def test_numbers_that_are_no_numbers_come_back(tmp_path):
    la.save({"a": math.nan, "b": [-math.inf, 1.5], "c": (True, 1, "1", None)}, tmp_path)
    again = la.load(tmp_path)
    assert math.isnan(again["a"])
    assert again["b"] == [-math.inf, 1.5]
    assert [type(item) for item in again["c"]] == [bool, int, str, type(None)]
