import json

import pytest
import torch
from refusals import refuses
from store.forging import forged
from torch import nn

import latent_anchors as la
from latent_anchors import curriculum, interventions, models
from latent_anchors import regularizers as reg

MODULES = [
    reg.Anchor([1.0, 2.0]),
    reg.AntiAnchor([1.0, 0.0]),
    reg.EuclideanAnchor([3.0, 4.0]),
    reg.Unitarity(),
    reg.Subspace(dims=(0, 1)),
    reg.Subspace(basis=[[1.0, 1.0, 0.0], [0.0, 1.0, 3.0]]),
    reg.AntiSubspace(dims=[1]),
    reg.Separation(50.0),
    reg.EuclideanSeparation(0.01),
    reg.MeanPool(),
    reg.MaxPool(),
    reg.MinPool(),
    reg.SoftMinimum(0.25),
    interventions.Suppression([1.0, 1.0], interventions.BoundedFalloff(0.5, 2.0), strength=0.25),
    models.SphericalAutoencoder(latent_dim=5, depth=2),
    models.PlainAutoencoder(normalize=True),
    models.Population.make(models.SphericalAutoencoder, range(3)),
    models.Population.from_models(
        [interventions.Suppression([1.0, 0.0]), interventions.Suppression([0.0, 2.0], strength=0.5)]
    ),
]


@pytest.mark.parametrize("thing", MODULES, ids=lambda thing: type(thing).__name__)
def test_a_module_comes_back_bit_for_bit(thing: nn.Module, tmp_path):
    la.save(thing, tmp_path)
    again = la.load(tmp_path)
    assert repr(again) == repr(thing)
    assert thing.state_dict().keys() == again.state_dict().keys()
    for name, tensor in thing.state_dict().items():
        assert torch.equal(tensor, again.state_dict()[name])


def test_a_timeline_comes_back_equal(tmp_path):
    timeline = curriculum.read_dopesheet("STEP,lr,a\n0,1,2\n5,2,3\n").timeline()
    la.save(timeline, tmp_path)
    assert la.load(tmp_path) == timeline


def test_an_objective_comes_back_with_the_same_total(tmp_path, generator):
    objective = la.Objective(
        [
            la.Term("a", reg.Anchor([1.0, 0.0]), label="x", at=("p", "q"), track="weight"),
            la.Term("b", reg.unitarity, at={"p": 2.0}),
        ],
        losses=["recon"],
        constants={"b": 1.0, "recon": 1.0},
    )
    la.save(objective, tmp_path)
    latents = {site: torch.randn(4, 2, generator=generator) for site in ("p", "q")}
    given = (latents, {"x": torch.ones(4)}, {"weight": 0.5})
    expected = objective(*given, recon=torch.tensor(2.0)).total
    assert torch.equal(la.load(tmp_path)(*given, recon=torch.tensor(2.0)).total, expected)


@pytest.mark.parametrize("pool", [reg.SoftMinimum(0.5), reg.mean_pool, reg.soft_minimum])
def test_a_term_comes_back_with_its_pooling(pool, tmp_path, generator):
    term = la.Term("pull", reg.Anchor([1.0, 0.0]), pool=pool, where="inside")
    la.save(term, tmp_path)
    z = {"latent": torch.randn(4, 3, 2, generator=generator)}
    assert torch.equal(la.load(tmp_path).values(z), term.values(z))


def test_nothing_is_pickled(tmp_path):
    la.save(MODULES[0], tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == {"structure.json", "tensors.safetensors"}


def test_a_class_of_ones_own_is_saved_once_it_has_a_name(tmp_path):
    class Scale(nn.Module):
        def __init__(self, by: float):
            super().__init__()
            self.by = by

    with refuses(TypeError, r"Scale is 'Scale' .* Decorate it with @latent_anchors.register"):
        la.save(Scale(2.0), tmp_path)
    la.register("tests.Scale")(Scale)
    la.save(Scale(2.0), tmp_path)
    assert la.load(tmp_path).by == 2.0


def test_what_cannot_be_named_is_told_with_its_place(tmp_path):
    term = la.Term("mine", lambda z: z.sum(-1))
    with refuses(TypeError, r"Term.penalty is '<lambda>'"):
        la.save(term, tmp_path)


def test_a_taken_name_is_refused():
    with refuses(ValueError, r"The name 'regularizers.Anchor' is taken"):
        la.register("regularizers.Anchor")


def test_a_constructor_whose_arguments_are_not_kept_is_refused(tmp_path):
    @la.register("tests.Forgetful")
    class Forgetful(nn.Module):
        def __init__(self, by: float):
            super().__init__()
            self.twice = 2 * by

    with refuses(TypeError, r"Forgetful does not keep its argument 'by'.* Set self.by = by"):
        la.save(Forgetful(1.0), tmp_path)


def test_a_later_format_and_an_unknown_type_are_refused(tmp_path):
    la.save(MODULES[0], tmp_path)
    path = tmp_path / "structure.json"
    structure = json.loads(path.read_text())
    path.write_text(json.dumps(structure | {"format": 99}))
    with refuses(ValueError, r"was saved in format 99; this version reads 2"):
        la.load(tmp_path)
    forged(tmp_path, {"type": "os.system", "arguments": {}})
    with refuses(ValueError, r"Unknown registered type 'os.system'.* Import the module"):
        la.load(tmp_path)
