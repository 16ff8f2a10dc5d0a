"""Bigrams with absolute discounting, against sums by hand."""

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from refusals import refuses

from latent_anchors.testbed import Bigrams

lines = st.lists(
    st.lists(st.integers(0, 4), min_size=2, max_size=6).map(torch.tensor), min_size=1, max_size=5
)


def share_by_hand(pairs, before, after, tokens, discount=0.75):
    """The chance of a token after another one, as the formula has it."""
    total, kinds = len(pairs), len({b for _, b in pairs})
    alone = max(sum(b == after for _, b in pairs) - discount, 0)
    alone = (alone + discount * kinds / tokens) / total
    behind = [b for a, b in pairs if a == before]
    if not behind:
        return alone
    own = max(behind.count(after) - discount, 0)
    return (own + discount * len(set(behind)) * alone) / len(behind)


@given(lines, lines)
def test_the_loss_is_the_mean_surprise_of_the_formula(seen, asked):
    pairs, wanted = (
        [pair for line in some for pair in zip(line.tolist(), line.tolist()[1:], strict=False)]
        for some in (seen, asked)
    )
    expected = [-math.log(share_by_hand(pairs, a, b, 5)) for a, b in wanted]
    found = float(Bigrams.of(seen, tokens=5).loss(asked))
    assert found == pytest.approx(sum(expected) / len(expected), rel=1e-4)


@given(lines)
def test_shares_behind_each_token_sum_to_1(seen):
    bigrams = Bigrams.of(seen, tokens=5)
    for before in range(5):
        shares = [bigrams.loss([torch.tensor([before, after])]).neg().exp() for after in range(5)]
        assert float(sum(shares)) == pytest.approx(1, abs=1e-5)


@pytest.mark.parametrize(("token", "told"), [(4, "1 to 4"), (-100, "-100 to 1")])
def test_numbers_of_no_token_are_refused_as_they_would_count_for_other_pairs(token, told):
    line = [torch.tensor([1, token])]
    with refuses(ValueError, f"run from {told}; expected numbers from 0 to 3"):
        Bigrams.of(line, tokens=4)
    with refuses(ValueError, f"run from {told}.*padding"):
        Bigrams.of([torch.tensor([1, 2])], tokens=4).loss(line)
