import pytest
import torch
from refusals import refuses
from torch import nn

import latent_anchors as la
from latent_anchors import curriculum, interventions, models
from latent_anchors import regularizers as reg


def test_a_timeline_comes_back_equal(tmp_path):
    timeline = curriculum.read_dopesheet("STEP,lr,a\n0,1,2\n5,2,3\n").timeline()
    la.save(timeline, tmp_path)
    assert la.load(tmp_path) == timeline


def test_an_objective_comes_back_with_the_same_total(tmp_path, generator):
    objective = la.Objective(
        [
            la.Term("a", reg.Anchor([1.0, 0.0]), label="x", at=("p", "q"), track="weight"),
            la.Term("b", reg.unit_norm, at={"p": 2.0}),
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
    term = la.Term("pull", reg.Anchor([1.0, 0.0]), pool=pool, mask="inside")
    la.save(term, tmp_path)
    z = {"latent": torch.randn(4, 3, 2, generator=generator)}
    assert torch.equal(la.load(tmp_path).values(z), term.values(z))


def test_nothing_is_pickled(tmp_path):
    la.save(reg.Anchor([1.0, 2.0]), tmp_path / "made" / "with parents")
    files = (tmp_path / "made" / "with parents").iterdir()
    assert {path.name for path in files} == {"structure.json", "tensors.safetensors"}


def test_a_mapping_of_things_comes_back_with_its_keys(tmp_path):
    edits = {models.Site("a", axis=1): interventions.ZeroAblation([0]), "b": reg.SoftMinimum(0.5)}
    la.save(edits, tmp_path)
    again = la.load(tmp_path)
    assert list(again) == list(edits)
    assert repr(again) == repr(edits)


def test_a_class_of_yours_is_saved_once_it_has_a_name(tmp_path):
    class Scale(nn.Module):
        def __init__(self, by: float):
            super().__init__()
            self.by = by

    with refuses(TypeError, r"Scale is 'Scale' .* Decorate it with @latent_anchors.register"):
        la.save(Scale(2.0), tmp_path)
    la.register("tests.Scale")(Scale)
    la.save(Scale(2.0), tmp_path)
    assert la.load(tmp_path).by == 2.0


def test_what_cannot_be_named_is_refused_with_its_place(tmp_path):
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
