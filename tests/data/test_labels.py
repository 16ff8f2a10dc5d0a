import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from refusals import refuses, unchecked

from latent_anchors.data import BernoulliLabels, LabelDraw, SoftLabels, noisy_or

DEGREES = torch.tensor([0.0, 0.25, 1.0])
ROWS = torch.tensor([[0, 1], [2, 1]])


@pytest.mark.parametrize("draw", [BernoulliLabels(DEGREES), SoftLabels(DEGREES)])
class TestEveryDraw:
    def test_gives_one_label_in_the_unit_interval_for_each_row(self, draw, generator):
        labels = draw.draw(ROWS, generator)
        assert labels.shape == ROWS.shape
        assert bool(((labels >= 0) & (labels <= 1)).all())

    def test_is_certain_of_what_has_no_chance_and_of_what_is_sure(self, draw, generator):
        labels = draw.draw(torch.tensor([0, 2]).expand(500, 2), generator)
        assert labels.unique(dim=0).tolist() == [[0.0, 1.0]]

    def test_keeps_to_the_family(self, draw, generator):
        assert isinstance(draw, LabelDraw)
        assert len(draw) == 3
        assert draw.draw(ROWS, generator).dtype == DEGREES.dtype

    def test_is_the_same_under_the_same_generator(self, draw):
        once, again = (draw.draw(ROWS, torch.Generator().manual_seed(5)) for _ in range(2))
        assert torch.equal(once, again)


@given(probability=st.floats(0.02, 0.98), seed=st.integers(0, 2**32))
def test_hard_labels_come_at_the_rate_that_was_asked_for(probability, seed):
    n = 4000
    rows = torch.zeros(n, dtype=torch.long)
    drawn = BernoulliLabels(torch.tensor([probability])).draw(
        rows, torch.Generator().manual_seed(seed)
    )
    five_sigma = 5 * math.sqrt(probability * (1 - probability) / n)
    assert abs(float(drawn.mean()) - probability) < five_sigma
    assert set(drawn.unique().tolist()) == {0.0, 1.0}


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_rare_labels_are_as_rare_in_half_precision(dtype, generator):
    draw = BernoulliLabels(torch.full((100_000,), 2.0**-12, dtype=dtype))
    labels = draw.draw(torch.arange(100_000), generator)
    assert labels.dtype == dtype
    assert 5 < labels.float().sum() < 55  # 24 expected; 200 and more from coarse chance


def test_hard_labels_differ_between_sights_of_a_sample_and_soft_ones_never_do(generator):
    same_row = torch.ones(200, dtype=torch.long)
    assert len(BernoulliLabels(DEGREES).draw(same_row, generator).unique()) == 2
    assert SoftLabels(DEGREES).draw(same_row, generator).unique().tolist() == [0.25]


def test_soft_labels_leave_the_generator_alone(generator):
    before = generator.get_state()
    SoftLabels(DEGREES).draw(ROWS, generator)
    assert torch.equal(generator.get_state(), before)
    BernoulliLabels(DEGREES).draw(ROWS, generator)
    assert not torch.equal(generator.get_state(), before)


@pytest.mark.parametrize("make", [BernoulliLabels, SoftLabels])
@pytest.mark.parametrize("values", [[-0.1, 0.5], [0.5, 1.1], [0.5, math.nan], [[0.5], [1.5]]])
def test_what_is_not_one_number_in_the_unit_interval_per_sample_is_refused(make, values):
    with refuses(ValueError, r"The (probability|label) has shape \(2.*expected one number from 0"):
        make(torch.tensor(values))


@pytest.mark.parametrize("make", [BernoulliLabels, SoftLabels])
def test_places_of_a_sample_may_have_labels_of_their_own(make, generator):
    by_place = torch.tensor([[[0.0, 1.0, 0.0]], [[1.0, 1.0, 0.0]]])
    drawn = make(by_place).draw(torch.tensor([[1, 0], [0, 0]]), generator)
    assert torch.equal(drawn, by_place[torch.tensor([[1, 0], [0, 0]])])


def test_places_are_drawn_apart_from_one_another(generator):
    drawn = BernoulliLabels(torch.full((1, 2), 0.5)).draw(torch.zeros(4000).long(), generator)
    assert 0.2 < float((drawn[:, 0] * drawn[:, 1]).mean()) < 0.3


@pytest.mark.parametrize("make", [BernoulliLabels, SoftLabels])
@pytest.mark.parametrize("values", [[0, 1], [True, False]])
def test_whole_numbers_are_no_degrees(make, values):
    with refuses(TypeError, r"is of type torch\.\w+; expected floating point. Use .float"):
        make(torch.tensor(values))


@pytest.mark.parametrize("make", [BernoulliLabels, SoftLabels])
def test_degrees_may_be_an_array_of_numpys_and_nothing_else(make, generator):
    with unchecked():
        drawn = make(np.array([0.0, 1.0])).draw(torch.tensor([1, 0]), generator)
    assert drawn.tolist() == [1.0, 0.0]
    with refuses(TypeError, r"The (probability|label) is of type list; expected a tensor"):
        make([0.0, 1.0])
    with refuses(ValueError, r"has shape \(\) .*; expected one number from 0 to 1"):
        make(torch.tensor(0.5))


def test_what_has_no_chance_is_never_drawn_even_if_chance_is_zero(monkeypatch, generator):
    monkeypatch.setattr(torch, "rand", lambda shape, **_: torch.zeros(shape))
    drawn = BernoulliLabels(DEGREES).draw(torch.arange(3), generator)
    assert drawn.tolist() == [0.0, 1.0, 1.0]


@given(p=st.floats(0, 1), q=st.floats(0, 1))
def test_at_least_one_of_two_draws_is_the_opposite_of_neither(p, q):
    first, second = torch.tensor(p, dtype=torch.float64), torch.tensor(q, dtype=torch.float64)
    assert float(noisy_or(first, second)) == pytest.approx(p + q - p * q, abs=1e-12)
