import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from refusals import refuses
from testbed.colors.stubs import Broken, Damaged
from torch import nn

from latent_anchors.colorspace import hsv_similarity, named_colors, rgb_grid, vibrancy
from latent_anchors.evaluation import correlation, squared_correlation
from latent_anchors.models import Population, SphericalAutoencoder
from latent_anchors.testbed import color_errors, selectivity_r2, vibrancy_r2

vectors = st.lists(st.floats(-5, 5).map(lambda x: round(x, 2)), min_size=3, max_size=3)


@pytest.mark.parametrize("power", [2.0, 3.0])
def test_damage_that_follows_similarity_is_explained_by_it(power):
    found = selectivity_r2(Damaged(power), "red", power).item()
    assert found == pytest.approx(1.0, abs=1e-4)
    assert selectivity_r2(Damaged(power), "red", 5.0 - power).item() < 0.99
    assert selectivity_r2(Damaged(power), "cyan", power).item() < 0.2


def test_damage_that_flees_the_concept_is_not_selective():
    model = Damaged(2, flees=True)
    errors, grid = color_errors(model, rgb_grid(8))[0], rgb_grid(8)
    r = correlation(errors, hsv_similarity(grid, named_colors("red")) ** 2)
    assert r.item() < -0.5
    assert selectivity_r2(model, "red").item() == 0.0


@pytest.mark.parametrize("exponent", [1.0, 2.0, 3.0])
def test_selectivity_is_the_squared_correlation_of_numpy(exponent):
    model, grid = Broken(named_colors("red", "orange")), rgb_grid(8)
    similarity = hsv_similarity(grid, named_colors("red")).double() ** exponent
    r = np.corrcoef(color_errors(model, grid)[0].detach().double(), similarity)[0, 1]
    assert r > 0
    assert selectivity_r2(model, "red", exponent).item() == pytest.approx(r**2, rel=1e-3)


def test_of_a_population_it_is_that_of_each_run():
    models = [SphericalAutoencoder(hidden=4) for _ in range(3)]
    each = torch.cat([selectivity_r2(model, "red") for model in models])
    torch.testing.assert_close(selectivity_r2(Population.from_models(models), "red"), each)


def test_without_any_damage_there_is_nothing_to_select():
    assert selectivity_r2(nn.Identity(), "red").tolist() == [0.0]


class Faded(nn.Module):
    """Off in every channel by an amount that follows vibrancy."""

    def __init__(self, power, flees=False):
        super().__init__()
        self.power, self.flees = power, flees

    def forward(self, x):
        vivid = 1 - vibrancy(x) if self.flees else vibrancy(x)
        inward = torch.where(x < 0.5, 1.0, -1.0)
        return x + 0.3 * inward * (vivid ** (self.power / 2)).unsqueeze(-1)


def test_damage_that_follows_vibrancy_is_explained_by_it():
    assert vibrancy_r2(Faded(2.3)).item() == pytest.approx(1.0, abs=1e-4)
    assert vibrancy_r2(Faded(1.0), 1.0).item() == pytest.approx(1.0, abs=1e-4)
    assert vibrancy_r2(Faded(2.3), 0.5).item() < 0.95
    assert vibrancy_r2(Faded(2.3, flees=True)).item() == 0.0
    assert vibrancy_r2(Damaged(3)).item() < 0.5
    assert vibrancy_r2(nn.Identity()).tolist() == [0.0]


def test_of_a_population_vibrancy_explains_that_of_each_run():
    models = [SphericalAutoencoder(hidden=4) for _ in range(3)]
    each = torch.cat([vibrancy_r2(model) for model in models])
    torch.testing.assert_close(vibrancy_r2(Population.from_models(models)), each)


@given(errors=vectors, predictor=vectors)
def test_a_predictor_explains_the_square_of_a_positive_correlation_only(errors, predictor):
    errors, predictor = torch.tensor(errors).double(), torch.tensor(predictor).double()
    both = squared_correlation(errors, predictor) + squared_correlation(errors, -predictor)
    assert both.item() == pytest.approx(correlation(errors, predictor).item() ** 2)


def test_the_exponent_is_finite_and_the_concept_a_color():
    with refuses(ValueError, "exponent is inf; expected a finite number"):
        selectivity_r2(nn.Identity(), "red", math.inf)
    with refuses(ValueError, "exponent is nan; expected a finite number"):
        vibrancy_r2(nn.Identity(), math.nan)
    with refuses(ValueError, "Unknown color 'redd'; .*Did you mean 'red'"):
        selectivity_r2(nn.Identity(), "redd")


@given(x=st.lists(vectors, min_size=2, max_size=4), y=vectors)
def test_a_correlation_is_that_of_numpy_row_by_row(x, y):
    rows, other = torch.tensor(x, dtype=torch.float64), torch.tensor(y, dtype=torch.float64)
    for row, r in zip(rows, correlation(rows, other.expand_as(rows)), strict=True):
        if row.std() < 1e-9 or other.std() < 1e-9:
            assert abs(r) <= 1
        else:
            assert r.item() == pytest.approx(np.corrcoef(row, other)[0, 1], abs=1e-9)


def test_a_constant_correlates_with_nothing():
    x = torch.tensor([0.5, 0.5, 0.5])
    assert correlation(x, torch.tensor([0.0, 1.0, 2.0])).item() == 0.0
    assert correlation(torch.tensor([0.0, 1.0, 2.0]), x).item() == 0.0
    assert correlation(x, x).item() == 0.0


@given(x=vectors.filter(lambda x: len(set(x)) > 1), slope=st.floats(0.1, 9))
def test_a_correlation_never_exceeds_1(x, slope):
    x = torch.tensor(x)
    assert 0.999 < correlation(x, slope * x).item() <= 1.0
    assert -1.0 <= correlation(x, -slope * x).item() < -0.999


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("n", [7, 100, 1448])
@pytest.mark.parametrize(("one", "other"), [(0.1, 0.2), (0.7, 0.576), (1.81, 0.9)])
def test_constants_have_no_correlation_though_their_means_are_rounded(one, other, n, dtype):
    x, y = torch.full((n,), one, dtype=dtype), torch.full((n,), other, dtype=dtype)
    rising = torch.linspace(0, 1, n, dtype=dtype)
    for pair in ((x, y), (x, rising), (rising, y)):
        assert correlation(*pair) == squared_correlation(*pair) == 0
    assert correlation(rising, rising) > 0.99


@pytest.mark.parametrize("unit", [1e-20, 1e-6, 1e6, 1e20])
def test_a_correlation_does_not_depend_on_the_unit(unit, generator):
    x, y = torch.rand(2, 50, generator=generator)
    torch.testing.assert_close(correlation(unit * x, y), correlation(x, y), atol=1e-5, rtol=1e-5)
    torch.testing.assert_close(correlation(y, unit * x), correlation(x, y), atol=1e-5, rtol=1e-5)


def test_the_correlation_with_a_constant_has_a_finite_gradient():
    x = torch.full((5,), 0.1, requires_grad=True)
    correlation(x, torch.linspace(0, 1, 5)).backward()
    assert x.grad.isfinite().all()
