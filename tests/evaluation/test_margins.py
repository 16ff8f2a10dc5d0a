import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from refusals import refuses, unchecked
from scipy import stats

from latent_anchors.evaluation import auc, margin
from latent_anchors.evaluation._margins import correlation

FEW = st.lists(st.integers(-3, 3).map(float), min_size=1, max_size=8).map(torch.tensor)
"""Scores with many ties."""


class TestAuc:
    @given(concept=FEW, others=FEW)
    def test_counts_pairs_and_half_of_the_ties(self, concept, others):
        pairs = [float(c > o) + 0.5 * float(c == o) for c in concept for o in others]
        assert auc(concept, others).item() == pytest.approx(sum(pairs) / len(pairs))

    @given(concept=FEW, others=FEW)
    def test_is_the_statistic_of_mann_and_whitney_over_the_pairs(self, concept, others):
        u = stats.mannwhitneyu(concept.numpy(), others.numpy()).statistic
        assert auc(concept, others).item() == pytest.approx(u / (len(concept) * len(others)))

    @given(concept=FEW, others=FEW)
    def test_of_the_sides_exchanged_or_scores_turned_is_the_rest(self, concept, others):
        found = auc(concept, others).item()
        assert auc(others, concept).item() == pytest.approx(1 - found)
        assert auc(-concept, -others).item() == pytest.approx(1 - found)

    @given(concept=FEW, others=FEW)
    def test_knows_order_alone(self, concept, others):
        bent = auc(concept.exp(), others.exp())
        assert bent.item() == pytest.approx(auc(concept, others).item())

    def test_of_half_of_a_million_scores_takes_no_table_of_pairs(self):
        scores = torch.arange(500_000.0)
        assert auc(scores[::2] + 1, scores[::2]).item() == pytest.approx(0.5, abs=1e-5)


class TestMargin:
    def test_of_everything_is_the_gap_between_the_nearest(self):
        concept, others = torch.tensor([0.9, 0.8, 0.6]), torch.tensor([-0.2, 0.1, 0.4])
        assert margin(concept, others, share=1.0).item() == pytest.approx(0.2)
        assert margin(concept, others, share=0.5).item() == pytest.approx(0.7)

    def test_leaves_out_a_few_on_either_side(self):
        concept, others = torch.ones(101), torch.zeros(101)
        concept[0], others[0] = -5.0, 5.0
        assert margin(concept, others).item() == 1.0
        assert margin(concept, others, share=1.0).item() == -10.0

    def test_tells_apart_what_auc_cannot(self):
        concept, others = torch.linspace(0.1, 1, 50), torch.linspace(-1, 0, 50)
        near = margin(concept * 1e-3, others * 1e-3).item()
        assert auc(concept, others) == auc(concept * 1e-3, others * 1e-3) == 1.0
        assert 0 < near < 1e-3 < margin(concept, others).item()

    @given(concept=FEW, others=FEW, share=st.floats(0.5, 1.0))
    def test_is_the_same_seen_from_the_other_side(self, concept, others, share):
        found = margin(concept, others, share).item()
        assert margin(-others, -concept, share).item() == pytest.approx(found, abs=1e-5)

    @pytest.mark.parametrize("share", [0.4, 1.1, math.nan])
    def test_is_of_a_share_of_at_least_a_half(self, share):
        with refuses(ValueError, f"share is {share}; expected a number from 0.5 to 1.0"):
            margin(torch.ones(2), torch.zeros(2), share)


@pytest.mark.parametrize("measure", [auc, margin])
class TestBoth:
    def test_of_many_runs_are_those_of_each(self, measure):
        chance = torch.Generator().manual_seed(0)
        concept, others = (torch.randn(3, n, generator=chance) for n in (7, 11))
        each = torch.stack([measure(*sides) for sides in zip(concept, others, strict=True)])
        torch.testing.assert_close(measure(concept, others), each)

    def test_do_not_mind_the_order_in_which_scores_come(self, measure):
        concept, others = torch.tensor([0.3, 0.9, 0.5]), torch.tensor([0.4, 0.1])
        assert measure(concept.flip(0), others.flip(0)) == measure(concept, others)

    @pytest.mark.parametrize("side", [0, 1])
    def test_scores_that_are_not_there_have_none(self, measure, side):
        sides = [torch.ones(2, 3), torch.zeros(2, 3)]
        sides[side][0, 1] = math.nan
        assert measure(*sides).isnan().tolist() == [True, False]

    def test_an_empty_side_is_refused(self, measure):
        with refuses(ValueError, "0 scores of the concept and 3 of the others; expected at least"):
            measure(torch.ones(0), torch.ones(3))
        with refuses(ValueError, "2 scores of the concept and 0 of the others"):
            measure(torch.ones(2), torch.ones(0))

    @pytest.mark.parametrize("unit", [1e-20, 1e20])
    def test_have_the_unit_of_the_scores_or_none(self, measure, unit):
        concept, others = torch.rand(2, 3, 9, generator=torch.Generator().manual_seed(0))
        found = measure(unit * concept, unit * others) / (unit if measure is margin else 1.0)
        torch.testing.assert_close(found, measure(concept, others))


def test_a_correlation_of_half_precision_is_that_of_the_same_numbers_in_full():
    x = torch.randn(2, 50, generator=torch.Generator().manual_seed(0)).add(3.0).bfloat16()
    in_full = correlation(*x.float())
    torch.testing.assert_close(correlation(*x), in_full, rtol=0, atol=1e-6)


def test_values_that_do_not_stand_beside_each_other_are_refused():
    with unchecked(), refuses(ValueError, r"shapes \(3,\) and \(3, 1\); expected as many along"):
        correlation(torch.arange(3.0), torch.arange(3.0)[:, None])


@pytest.mark.parametrize("function", [margin, correlation])
def test_whole_numbers_are_refused_in_words(function):
    with refuses(TypeError, f"{function.__name__} was given (scores|values) of type torch.int64"):
        function(torch.arange(4), torch.arange(4))
