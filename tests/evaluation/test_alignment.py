import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from refusals import refuses
from torch import nn

from latent_anchors import intervene
from latent_anchors.colorspace import rgb_grid
from latent_anchors.evaluation import alignment, displacement, latents, squared_correlation
from latent_anchors.interventions import Suppression
from latent_anchors.models import Population
from latent_anchors.testbed import color_errors

Z = torch.randn(50, 5, generator=torch.Generator().manual_seed(0), dtype=torch.float64)


def test_with_a_direction_is_the_cosine_whatever_its_length():
    v = torch.randn(5, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    expected = torch.cosine_similarity(Z, v, dim=-1)
    for length in (1e-200, 1.0, 1e200):
        torch.testing.assert_close(alignment(Z, length * v), expected)


@given(st.floats(-math.pi, math.pi))
def test_with_a_plane_is_the_cosine_with_the_nearest_vector_in_it(angle):
    plane = torch.eye(5, dtype=torch.float64)[:2]
    v = math.cos(angle) * plane[0] + math.sin(angle) * plane[1]
    found = alignment(Z, plane)
    assert (alignment(Z, v) <= found + 1e-12).all()
    nearest = Z @ plane.mT @ plane
    torch.testing.assert_close(torch.cosine_similarity(Z, nearest, dim=-1), found)


def test_with_a_plane_does_not_depend_on_the_rows_that_span_it():
    rows = torch.tensor([[1.0, 0, 0, 0, 0], [1, 1, 0, 0, 0]], dtype=torch.float64)
    torch.testing.assert_close(alignment(Z, rows), alignment(Z, torch.eye(5)[:2].double()))


def test_of_the_origin_is_zero_and_of_what_is_missing_is_missing():
    z = torch.tensor([[0.0, 0.0], [math.nan, 1.0]])
    for direction in ([1.0, 0.0], [[1.0, 0.0], [0.0, 1.0]]):
        found = alignment(z, direction)
        assert found[0] == 0
        assert found[1].isnan()


@pytest.mark.parametrize("direction", [[1.0, 0.0], [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]]])
def test_refuses_another_width(direction):
    with refuses(ValueError, "The alignment was made for . latent dimensions"):
        alignment(Z, direction)


MUTE = Suppression([1.0, 0.0, 0.0])
rows = st.lists(st.floats(0.1, 5).map(lambda x: round(x, 2)), min_size=3, max_size=3)


class Through(nn.Module):
    """Colors are latents, and what is left of them comes out."""

    def __init__(self):
        super().__init__()
        self.latent = nn.Identity()

    def forward(self, x):
        return self.latent(x)


class TestDisplacement:
    def test_is_the_square_of_what_an_edit_takes_away(self):
        z = torch.randn(2, 5, 3)
        expected = z[..., 0].clamp_min(0).square()
        torch.testing.assert_close(displacement(z, MUTE), expected)

    def test_of_half_precision_is_that_of_the_same_numbers_in_full(self):
        z = torch.tensor([[300.0, 1.0]]).half()
        assert displacement(z, Suppression([1.0, 0.0])).tolist() == [90000.0]

    def test_of_an_edit_without_strength_is_none(self):
        assert not displacement(torch.randn(5, 3), MUTE.at(0.0)).any()

    def test_is_measured_before_the_edit_acts(self):
        z = torch.ones(1, 3)
        displacement(z, MUTE)
        assert torch.equal(z, torch.ones(1, 3))

    def test_of_a_population_of_edits_is_refused(self):
        edits = Population.from_models([Suppression([1.0, 0.0, 0.0])] * 2)
        with refuses(ValueError, r"shape \(2, 2, 5, 3\) out of \(2, 5, 3\).*each run's latents"):
            displacement(torch.randn(2, 5, 3), edits)


class TestPrediction:
    def test_is_perfect_where_the_decoder_passes_latents_on(self):
        model, grid = Through(), rgb_grid(8)
        predicted = displacement(latents(model, grid), MUTE)
        with intervene(model, MUTE):
            found = squared_correlation(color_errors(model, grid), predicted)
        assert found.item() == pytest.approx(1.0, abs=1e-5)

    def test_is_none_with_damage_elsewhere(self):
        model, grid = Through(), rgb_grid(8)
        predicted = displacement(latents(model, grid), MUTE)
        with intervene(model, Suppression([0.0, 1.0, 0.0])):
            found = squared_correlation(color_errors(model, grid), predicted)
        assert found.item() == pytest.approx(0.0, abs=1e-5)

    def test_is_none_where_nothing_was_predicted(self):
        assert squared_correlation(torch.ones(3), torch.zeros(3)).item() == 0.0

    def test_is_of_each_run(self):
        predicted, observed = torch.rand(2, 3, 27).double()
        found = squared_correlation(observed, predicted)
        for run in range(3):
            alone = squared_correlation(observed[run], predicted[run])
            torch.testing.assert_close(found[run], alone)

    @pytest.mark.parametrize("unit", [1e-20, 1e20])
    def test_has_no_unit(self, unit, generator):
        predicted, observed = torch.rand(2, 27, generator=generator)
        expected = squared_correlation(observed, predicted)
        torch.testing.assert_close(squared_correlation(unit * observed, predicted), expected)
        torch.testing.assert_close(squared_correlation(observed, unit * predicted), expected)


def test_no_cosine_is_beyond_1_by_rounding():
    for seed in range(50):
        v = torch.randn(7, generator=torch.Generator().manual_seed(seed))
        assert alignment(3 * v, v) <= 1.0
        assert alignment(3 * v, v[None]) <= 1.0
