import pytest
import torch
from refusals import refuses
from testbed.colors.stubs import Broken

from latent_anchors.colorspace import named_colors
from latent_anchors.models import Population, SphericalAutoencoder
from latent_anchors.testbed import error_groups, evaluate_colors, selectivity_r2

MODEL = SphericalAutoencoder(hidden=4)


@pytest.mark.parametrize("runs", [1, 2])
def test_every_measure_has_its_name_and_a_value_for_each_run(runs):
    model = MODEL if runs == 1 else Population.from_models([MODEL, MODEL])
    found = evaluate_colors(model, "lime", "muted", exponent=2.0)
    groups = error_groups(model, "lime")
    assert list(found) == [*(f"error/muted/{name}" for name in groups), "selectivity_r2/muted"]
    for name, errors in groups.items():
        assert torch.equal(found[f"error/muted/{name}"], errors)
    assert torch.equal(found["selectivity_r2/muted"], selectivity_r2(model, "lime", 2.0))
    assert {values.shape for values in found.values()} == {(runs,)}


def test_selectivity_is_measured_where_it_is_asked_for():
    found = evaluate_colors(Broken(named_colors("red")), "red")
    assert [name for name in found if not name.startswith("error/baseline/")] == []
    assert found["error/baseline/red"].item() == 1.0


def test_a_concept_is_a_hue():
    with refuses(ValueError, "Unknown hue 'rad'.*Did you mean 'red'"):
        evaluate_colors(MODEL, "rad")
