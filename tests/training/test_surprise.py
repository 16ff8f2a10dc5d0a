import pytest
import torch
from refusals import refuses
from torch.nn.functional import cross_entropy
from training.tiny import COLORS

from latent_anchors.data import LabeledBatch
from latent_anchors.training import EditedOutputLoss, NextToken, TokenCrossEntropy

LOGITS = torch.randn(5, 6, 8, generator=torch.Generator().manual_seed(0)).double()
TOKENS = torch.tensor([1, 7, 0, 3, 3])


@pytest.mark.parametrize("position", [1, 4, -1, -2])
def test_it_is_the_cross_entropy_of_the_logits_before(position):
    expected = cross_entropy(LOGITS[:, position - 1], TOKENS, reduction="none")
    torch.testing.assert_close(TokenCrossEntropy(position)(LOGITS, TOKENS), expected)


def test_of_the_token_that_stands_there_it_is_that_of_the_next_token():
    lines = TOKENS.expand(6, 5).T.contiguous()
    as_next = NextToken([4])(lambda *_: (LOGITS, {}), LabeledBatch(lines))
    torch.testing.assert_close(TokenCrossEntropy(4)(LOGITS, TOKENS), as_next)


def test_one_token_is_said_by_all_lines():
    alone = TokenCrossEntropy(4)(LOGITS, torch.tensor(3))
    torch.testing.assert_close(alone, TokenCrossEntropy(4)(LOGITS, torch.full((5,), 3)))
    assert not torch.allclose(alone, TokenCrossEntropy(4)(LOGITS, torch.tensor(2)))


def test_it_is_a_fallbacks_error():
    label = {"red": torch.tensor([1.0, 0, 0, 0, 1]).double()}

    def forward(_, edits, *, record=()):
        return edits["latent"](LOGITS), {*record}

    fallback = EditedOutputLoss(torch.neg, torch.tensor(3), label="red", error=TokenCrossEntropy(4))
    values = fallback(forward, LabeledBatch(COLORS[:5], label))
    surprise = TokenCrossEntropy(4)(-LOGITS, torch.tensor(3))
    torch.testing.assert_close(values.mean(), surprise[[0, 4]].mean())


def test_the_first_token_cannot_be_predicted():
    with refuses(ValueError, "position 0; expected at least 1"):
        TokenCrossEntropy(0)


def test_a_token_is_a_whole_number():
    with refuses(TypeError, "float64 was given; expected a whole number"):
        TokenCrossEntropy(1)(LOGITS, TOKENS.double())


@pytest.mark.parametrize("position", [6, -6])
def test_a_position_is_within_the_line(position):
    with refuses(ValueError, f"Position {position} was given for lines of 6 tokens"):
        TokenCrossEntropy(position)(LOGITS, TOKENS)
