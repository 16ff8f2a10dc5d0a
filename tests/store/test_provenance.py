import platform

import pytest
import torch
from refusals import refuses
from store.forging import PROVENANCE, forged, thing_of
from torch import nn

import latent_anchors as la
from latent_anchors import interventions, models
from latent_anchors import regularizers as reg


def network(width: int = 4, then: type[nn.Module] = nn.ReLU) -> nn.Sequential:
    return nn.Sequential(nn.Linear(3, width), then(), nn.Linear(width, 2))


RED = la.Concept("red", [1.0, 0.0, 0.0, 0.0], at="0")


def test_it_says_what_wrote_it_and_for_what(tmp_path):
    la.save(RED, tmp_path, model=network(), note="Grades of wines.\nThird try: ✓")
    found = la.provenance(tmp_path)
    assert found.versions["python"] == platform.python_version()
    assert found.versions["torch"] == torch.__version__
    assert found.versions["latent_anchors"] == la.__version__
    assert found.sites == {"0": 4}
    assert found.model == "Sequential"
    assert [*found.configuration] == ["0", "1", "2"]
    assert found.note == "Grades of wines.\nThird try: ✓"


def test_it_is_read_without_making_anything(tmp_path):
    forged(tmp_path, {"type": "os.system", "arguments": {"command": "true"}}, b"no tensors")
    assert la.provenance(tmp_path).note == "By a forger."
    with refuses(ValueError, r"Unknown registered type|holds no tensors"):
        la.load(tmp_path)


EDIT = interventions.Suppression([1.0, 0.0, 0.0])
SITE = models.Site("a.1", axis=1)


@pytest.mark.parametrize(
    ("thing", "sites"),
    [
        (RED, {"0": 4}),
        ([RED, la.Concept("hue", la.axis(0, dim=2), at=["1", "0"])], {"0": 4, "1": 2}),
        (la.Term("unit", reg.unit_norm, at={"x": 2.0}), {"x": None}),
        (
            la.Objective([la.Term("p", reg.Anchor([1.0, 0.0]), at=["x", SITE])]),
            {"x": 2, repr(SITE): 2},
        ),
        ({SITE: EDIT}, {repr(SITE): 3}),
        ({"edit": EDIT}, {}),
        (la.training.EditedOutputLoss({"b": EDIT}, torch.zeros(2)), {"b": 3}),
        (la.training.EditedOutputLoss(EDIT, torch.zeros(2), at="b"), {"b": None}),
        (reg.Anchor([1.0, 0.0]), {}),
    ],
)
def test_it_names_the_sites_with_their_widths(thing: object, sites: dict, tmp_path):
    la.save(thing, tmp_path)
    assert la.provenance(tmp_path).sites == sites


def test_what_it_is_saved_for_is_what_it_loads_on(tmp_path):
    la.save(RED, tmp_path, model=network())
    trained = network().double().eval()
    with torch.no_grad():
        trained[0].weight.add_(1.0)
    assert la.load(tmp_path, model=trained).at == "0"
    assert la.load(tmp_path, model=nn.DataParallel(trained)).at == "0"
    assert la.load(tmp_path, model=models.Population.make(network, [1, 2])).at == "0"


@pytest.mark.parametrize(
    ("model", "message"),
    [
        (network(5), r"0 was Linear of 16 .* is Linear of 20 .*the width at site '0' was 4 and is"),
        (network(then=nn.Tanh), r"1 was ReLU of 0 parameters, \w+ and is Tanh .* Leave out model="),
        (
            network()[:2],
            r"2 was Linear of 10 parameters, \w+ and is not there. Leave out model=",
        ),
        (nn.ModuleDict({"0": network()}), r"its class was Sequential and is ModuleDict"),
        (nn.ModuleDict({"1": network()}), r"Unknown site '0'; expected one of '1', .*; or|. Leave"),
    ],
)
def test_another_model_is_refused_with_all_that_differs(model: nn.Module, message: str, tmp_path):
    la.save(RED, tmp_path, model=network())
    with refuses(ValueError, rf"structure.json: it does not fit this model: .*{message}"):
        la.load(tmp_path, model=model)
    assert la.load(tmp_path).at == "0"


def test_many_differences_are_counted(tmp_path):
    la.save(RED, tmp_path, model=nn.Sequential(*[nn.Linear(4, 4) for _ in range(9)]))
    with refuses(ValueError, r"; 3 more settings differ\. Leave out"):
        la.load(tmp_path, model=nn.Sequential(*[nn.Linear(4, 4, bias=False) for _ in range(9)]))


def test_without_a_model_at_saving_the_sites_are_compared_all_the_same(tmp_path):
    la.save(RED, tmp_path)
    assert la.provenance(tmp_path).fingerprint == ""
    assert la.load(tmp_path, model=network(then=nn.Tanh)).at == "0"
    with refuses(ValueError, r"the width at site '0' was 4 and is 5"):
        la.load(tmp_path, model=network(5))


def test_a_width_is_that_of_the_side_and_not_known_of_a_part(tmp_path):
    entering = models.Site("2", side="input")
    for at in (entering, models.Site("2", item=1), models.Site("1")):
        la.save(la.Concept("red", la.axis(0, dim=4), at=at), tmp_path, model=network())
    with refuses(ValueError, r"the width at site '2' was 2 and is 4"):
        la.save(la.Concept("red", la.axis(0, dim=2), at=entering), tmp_path, model=network())


def test_what_does_not_fit_its_own_model_is_not_saved(tmp_path):
    with refuses(ValueError, r"This Concept: it does not fit this model: the width at site '0'"):
        la.save(RED, tmp_path / "new", model=network(5))
    assert not (tmp_path / "new").exists()


def test_what_is_no_model_or_no_text_is_refused(tmp_path):
    with refuses(TypeError, r"model is of type str; expected an nn.Module"):
        la.save(RED, tmp_path, model="gpt2")
    with refuses(TypeError, r"note is of type dict; expected text. Use str\(note\)"):
        la.save(RED, tmp_path, note={"seed": 1})


@pytest.mark.parametrize(
    "change",
    [
        {"versions": None},
        {"versions": {"torch": 2}},
        {"sites": {"0": "4"}},
        {"sites": {"0": True}},
        {"model": 3},
        {"configuration": []},
        {"note": None},
        {"more": 1},
    ],
)
def test_a_forged_one_is_refused(change: dict, tmp_path):
    la.save(RED, tmp_path)
    forged(tmp_path, thing_of(tmp_path), provenance={**PROVENANCE, **change})
    for read in (la.load, la.provenance):
        with refuses(ValueError, r"structure.json: its provenance is .*, which no save writes"):
            read(tmp_path)
