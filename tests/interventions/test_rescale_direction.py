import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from refusals import refuses, unchecked
from torch import nn

from latent_anchors.interventions import (
    SiteLayers,
    ablate,
    intervene,
    orthogonalize,
    rescale_direction,
)
from latent_anchors.models import Population, SphericalAutoencoder, record

X = torch.rand(16, 3, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
V = torch.tensor([1.0, 2.0, -2.0, 0.0], dtype=torch.float64) / 3
AXIS = torch.eye(4, dtype=torch.float64)[2]
AROUND = SiteLayers("encoder.2", ("decoder.0",))  # spares the trace, which has tests of its own
finite = st.floats(-3, 3)


def moved(v, scale, offset):
    return lambda h: h + ((scale - 1) * (h @ v) + offset).unsqueeze(-1) * v


def under(model, edit, at):
    with intervene(model, edit, at):
        return model(X)


@settings(max_examples=20)
@given(scale=finite, offset=finite, oblique=st.booleans())
def test_it_equals_scaling_and_moving_what_is_written(scale, offset, oblique):
    model, v = SphericalAutoencoder().double(), V if oblique else AXIS
    remapped = rescale_direction(model, 2 * V if oblique else 2, scale, offset, AROUND)
    expected = under(model, moved(v, scale, offset), "encoder")
    torch.testing.assert_close(remapped(X), expected)


def test_it_does_not_equal_the_same_edit_after_the_normalization():
    model = SphericalAutoencoder().double()
    after = under(model, moved(AXIS, 0.0, 1.0), "latent")
    assert not torch.allclose(rescale_direction(model, 2, 0.0, 1.0, AROUND)(X), after)


def test_a_reflection_turns_one_coordinate_round_and_keeps_the_length():
    model = Population.make(lambda: SphericalAutoencoder().double(), seeds=range(3))
    mirrored = rescale_direction(model, 0, -1.0, at=AROUND)
    with record(model) as before, record(mirrored) as after:
        model(X), mirrored(X)
    flip = torch.tensor([-1.0, 1.0, 1.0, 1.0])
    torch.testing.assert_close(after["latent"], before["latent"] * flip)
    torch.testing.assert_close(rescale_direction(mirrored, 0, -1.0, at=AROUND)(X), model(X))


def test_scale_0_writes_the_offset_whatever_comes_in():
    remapped = rescale_direction(SphericalAutoencoder().double(), V, 0.0, 0.7, AROUND)
    with record(remapped, "encoder") as h:
        remapped(X)
    torch.testing.assert_close(h["encoder"] @ V, torch.full((16,), 0.7, dtype=torch.float64))


def test_scale_0_is_ablating_or_orthogonalizing_what_is_written():
    model = SphericalAutoencoder().double()
    on_axis = rescale_direction(model, 2, 0.0, at=AROUND).state_dict()
    torch.testing.assert_close(on_axis, ablate(model, [2], AROUND, side="writing").state_dict())
    oblique = rescale_direction(model, V, 0.0, at=AROUND).state_dict()
    torch.testing.assert_close(
        oblique, orthogonalize(model, V, AROUND, side="writing").state_dict()
    )


def test_scale_1_changes_nothing():
    model = SphericalAutoencoder()
    assert torch.equal(rescale_direction(model, V, 1.0, at=AROUND)(X.float()), model(X.float()))


def test_an_axis_survives_an_activation_and_a_direction_does_not():
    model = nn.Sequential(nn.Linear(3, 4), nn.GELU(), nn.Linear(4, 2)).double()
    remapped = rescale_direction(model, 2, -1.0, 0.5, at="1")(X)
    torch.testing.assert_close(remapped, under(model, moved(AXIS, -1.0, 0.5), "0"))
    with refuses(ValueError, "Between '0' and the site '1' an activation changes each channel"):
        rescale_direction(model, V, -1.0, at="1")


def test_without_a_bias_nothing_can_be_moved():
    model = nn.Sequential(nn.Linear(3, 4, bias=False), nn.Identity(), nn.Linear(4, 2)).double()
    torch.testing.assert_close(
        rescale_direction(model, 2, -1.0, at="1")(X), under(model, moved(AXIS, -1.0, 0.0), "1")
    )
    with refuses(ValueError, "offset is 0.5, and '0' has no bias to add it to"):
        rescale_direction(model, 2, -1.0, 0.5, at="1")


@pytest.mark.parametrize("name", ["scale", "offset"])
def test_numbers_that_are_not_finite_are_refused(name):
    with refuses(ValueError, f"{name} is nan; expected a finite number"):
        rescale_direction(SphericalAutoencoder(), 0, **{"scale": 1.0, name: float("nan")})


def test_what_to_remap_must_exist():
    with refuses(ValueError, r"dims is \[4\]; expected .* 0 to 3"):
        rescale_direction(SphericalAutoencoder(), 4, -1.0, at=AROUND)
    with refuses(ValueError, "The directions have 2 numbers each; expected 4"):
        rescale_direction(SphericalAutoencoder(), [1.0, 0.0], -1.0, at=AROUND)


def test_a_plane_is_no_direction_to_rescale():
    with refuses(ValueError, "along has 2 rows; expected one direction"):
        rescale_direction(SphericalAutoencoder(), torch.eye(4)[:2], 0.0, at=AROUND)


@pytest.mark.parametrize("along", [np.int64(1), torch.tensor(1)])
def test_the_number_of_a_dimension_may_be_any_whole_one(along):
    model = SphericalAutoencoder().double()
    with unchecked():
        one, other = (rescale_direction(model, each, scale=-1.0, at=AROUND) for each in (along, 1))
    assert torch.equal(one.encoder[2].weight, other.encoder[2].weight)
