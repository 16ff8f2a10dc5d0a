import math

import pytest
import torch
from refusals import refuses
from testbed.mixing import mixers
from torch import nn

from latent_anchors.colorspace import hsv_similarity, hue_degree, named_colors
from latent_anchors.data import noisy_or
from latent_anchors.models import Population
from latent_anchors.testbed import MixingLanguage, line_alignment, line_cosines
from latent_anchors.testbed._mixing import _line_alignment as module

FIVE = MixingLanguage(5)
PAIRS = FIVE.pairs()
LINES = FIVE.lines(PAIRS)
REDNESS = hue_degree(FIVE.colors, 0.0)
CHANCE = 0.04 * REDNESS**8
SIMILAR = hsv_similarity(FIVE.colors, named_colors("red")[0]) ** 1.5


def by_token(colors, sites=3, words=0.0):
    """Cosines that each token has wherever it stands, at all sites alike, of one run."""
    tokens = torch.cat([colors, torch.full((3,), words)])
    return tokens[LINES].expand(1, sites, -1, -1)


def aligned(cosines, chance=CHANCE, **settings):
    return line_alignment(cosines, FIVE, PAIRS, chance, "red", **settings)


def test_tokens_as_red_as_they_are_similar_to_red_are_graded_and_contrast():
    found = aligned(by_token(SIMILAR))
    assert found.grading.item() == pytest.approx(1.0, abs=1e-4)
    assert found.containment.item() == pytest.approx(SIMILAR.mean().item(), abs=1e-5)
    assert found.contrast.item() > 0.5
    assert found.margin.item() > 0.2
    assert not found.latched.item()


def test_tokens_that_flee_red_have_no_grading_and_no_margin():
    found = aligned(by_token(-SIMILAR, words=-1.0))
    assert found.grading.item() == 0.0
    assert found.containment.item() < 0
    assert found.margin.item() < 1e-6
    assert found.contrast.item() < 0


def test_the_margin_is_that_of_a_loop_over_sites_and_positions():
    torch.manual_seed(0)
    cosines = 2 * torch.rand(2, 3, len(LINES), 6) - 1
    weight = noisy_or(*CHANCE[PAIRS].unbind(1))
    for run, found in enumerate(aligned(cosines).margin):
        best = [
            max(
                ((weight * site[:, t]).sum() / weight.sum() - site[:, t].mean()).item()
                for t in range(4)
            )
            for site in cosines[run]
        ]
        assert found.item() == pytest.approx(sum(best) / 3, abs=1e-5)


def test_alignment_that_cancels_is_contained_by_its_mean_and_not_by_its_square():
    sign = torch.where(torch.arange(125) % 2 == 0, 1.0, -1.0)
    found = aligned(by_token(0.5 * sign))
    assert abs(found.containment.item()) < 0.01
    torch.testing.assert_close(found.rms[0, :, [0, 2, 4]], torch.full((3, 3), 0.5))
    assert found.rms[0, :, [1, 3, 5]].amax() == 0.0


def test_drift_of_one_word_at_one_site_shows_at_its_position_only():
    cosines = by_token(SIMILAR).clone()
    cosines[:, 2, :, 3] = 0.4
    measures = aligned(cosines).evaluation()
    assert measures["rms/equals"].item() == pytest.approx(0.4)
    assert measures["rms/operation"].item() == 0.0


@pytest.mark.parametrize("position", [1, 3])
def test_a_run_whose_pull_goes_to_plus_or_equals_past_the_embedding_is_latched(position):
    cosines = by_token(0.0 * SIMILAR).clone()
    cosines[:, 0, :, position] = 1.0
    assert aligned(cosines).latched.tolist() == [False]
    cosines[:, 1, :, position] = 1.0
    both = torch.cat([cosines, by_token(SIMILAR)])
    assert aligned(both).latched.tolist() == [True, False]
    assert aligned(both).evaluation().metrics()["latched"].ci95 is not None


def test_a_run_that_failed_counts_as_latched():
    assert aligned(by_token(SIMILAR) * torch.nan).latched.tolist() == [True]


def test_weights_sum_to_1_and_are_those_of_the_labeled_lines():
    chance = (torch.arange(125) == FIVE.token("red")).float() * 0.5
    found = aligned(by_token((torch.arange(125) == FIVE.token("red")).float()), chance)
    torch.testing.assert_close(found.weights.sum(-1), torch.ones(1, 3))
    e = math.exp(10)
    one, both = noisy_or(torch.tensor(0.5), torch.tensor(0.0)), noisy_or(*torch.tensor([0.5, 0.5]))
    partners = int((PAIRS[:, 0] == FIVE.token("red")).sum()) - 1
    first = partners * one * (e + 1) / (e + 3) + both * e / (2 * e + 2)
    expected = first / (2 * partners * one + both)
    assert found.weights[0, 0, 0].item() == pytest.approx(expected.item(), rel=1e-4)


def test_a_pull_that_cannot_tell_the_operands_apart_has_no_contrast():
    flat = torch.full((1, 3, len(LINES), 4), 0.3)
    found = aligned(flat)
    assert found.contrast.item() == pytest.approx(0.0, abs=1e-5)
    assert found.margin.item() == pytest.approx(0.0, abs=1e-5)
    torch.testing.assert_close(found.weights, torch.full((1, 3, 4), 0.25))


def test_a_high_temperature_takes_the_contrast_away():
    cosines = by_token(SIMILAR)
    contrasts = [aligned(cosines, temperature=t).contrast.item() for t in (0.03, 0.1, 0.5, 2.5)]
    assert contrasts == sorted(contrasts, reverse=True)
    assert contrasts[-1] < 0.1


def test_lines_in_another_order_are_aligned_alike():
    torch.manual_seed(0)
    cosines, order = by_token(SIMILAR), torch.randperm(len(LINES))
    shuffled = line_alignment(cosines[:, :, order], FIVE, PAIRS[order], CHANCE, "red")
    for name, value in aligned(cosines).evaluation().items():
        torch.testing.assert_close(shuffled.evaluation()[name], value)


def test_what_cannot_be_aligned_is_refused():
    cosines = by_token(SIMILAR)
    for wrong in (cosines[:, :1], cosines[:, :, 1:], cosines[..., :3]):
        with refuses(ValueError, r"There are .*expected a pair for each line, at least the 4"):
            aligned(wrong)
    for chance in (torch.zeros(125), torch.ones(125)):
        with refuses(ValueError, "No line can be labeled for the sake of one operand alone"):
            aligned(cosines, chance)
    with refuses(ValueError, "The temperature is 0.0; expected a number from 1e-12"):
        aligned(cosines, temperature=0.0)
    with refuses(ValueError, "Unknown color 'redd'; .*Did you mean 'red'"):
        line_alignment(cosines, FIVE, PAIRS, CHANCE, "redd")


class Stream(nn.Module):
    """Embeds tokens at an angle that follows redness, and doubles the angle in its block."""

    def __init__(self, slope):
        super().__init__()
        self.register_buffer("angle", slope * torch.cat([REDNESS, torch.zeros(3)]))
        self.embedding, self.block = nn.Identity(), nn.Identity()

    def forward(self, tokens):
        angle = self.angle[tokens]
        self.embedding(3 * torch.stack([angle.sin(), angle.cos()], dim=-1))
        return self.block(torch.stack([(2 * angle).sin(), (2 * angle).cos()], dim=-1))


def test_cosines_are_those_of_each_site_and_token_in_pieces_or_at_once(monkeypatch):
    sites = ["embedding", "block"]
    at_once = line_cosines(Stream(0.5), LINES, [2.0, 0.0], sites)
    angle = 0.5 * torch.cat([REDNESS, torch.zeros(3)])[LINES]
    torch.testing.assert_close(at_once, torch.stack([angle.sin(), (2 * angle).sin()])[None])
    monkeypatch.setattr(module, "AT_ONCE", 700)
    assert torch.equal(line_cosines(Stream(0.5), LINES, [2.0, 0.0], sites), at_once)
    population = Population.from_models([Stream(0.5), Stream(-0.5)])
    both = line_cosines(population, LINES, [2.0, 0.0], sites)
    torch.testing.assert_close(both, torch.cat([at_once, -at_once]))


def test_a_direction_or_a_site_that_is_none_is_refused():
    with refuses(ValueError, "points nowhere"):
        line_cosines(Stream(1.0), LINES, [0.0, 0.0], ["block"])
    with refuses(ValueError, "Unknown site 'blok'"):
        line_cosines(mixers.oracle(FIVE), LINES, [1.0, 0.0], ["blok"])
