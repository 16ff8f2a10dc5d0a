import math

import pytest
import torch
from refusals import refuses
from torch import nn
from torch.nn.functional import cross_entropy
from training.tiny import COLORS, close, weights

from latent_anchors import Objective, Term, fit
from latent_anchors.curriculum import Keyframe, Timeline, Track
from latent_anchors.data import LabeledBatch, Sampler
from latent_anchors.models import UnitNorm
from latent_anchors.regularizers import Anchor, SoftMinimum
from latent_anchors.training import EditedOutputLoss, Loss, NextToken, TokenCrossEntropy, next_token

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


LINES = torch.tensor([[0, 1, 2, 3], [3, 2, 1, 0], [0, 0, 3, 3], [1, 2, 2, 1], [2, 3, 0, 1]])
INSIDE = torch.tensor([[True] * 4, [False, True, True, True], [False] * 4, [True] * 4, [True] * 4])
LOSSES = [next_token, NextToken([-1]), NextToken([1, 3]), NextToken(mask="inside")]


class Language(nn.Module):
    """Tokens to logits, of those before and at each position."""

    def __init__(self):
        super().__init__()
        self.embedding = nn.Embedding(4, 6)
        self.latent = nn.Linear(6, 6)
        self.head = nn.Linear(6, 4)
        self.double()

    def forward(self, tokens):
        return self.head(torch.tanh(self.latent(self.embedding(tokens))).cumsum(-2))


def drawn(generator):
    logits = torch.randn(5, 4, 4, generator=generator)
    return lambda *_, **__: (logits, {})


def by_hand(logits, tokens, positions):
    chances = logits.softmax(-1)
    values = [-math.log(chances[p - 1, tokens[p]]) for p in positions]
    return sum(values) / len(values) if values else 0.0


def test_each_token_is_predicted_from_the_position_before(generator):
    forward = drawn(generator)
    logits, _ = forward()
    expected = [by_hand(*pair, [1, 2, 3]) for pair in zip(logits, LINES, strict=True)]
    torch.testing.assert_close(next_token(forward, LabeledBatch(LINES)), torch.tensor(expected))


@pytest.mark.parametrize("positions", [[1], [3, 1], [-1], [-3, 3]])
def test_some_positions_only(positions, generator):
    forward = drawn(generator)
    chosen = [p % 4 for p in positions]
    expected = [by_hand(*pair, chosen) for pair in zip(forward()[0], LINES, strict=True)]
    values = NextToken(positions)(forward, LabeledBatch(LINES))
    torch.testing.assert_close(values, torch.tensor(expected))


@pytest.mark.parametrize("positions", [None, [1, 2]])
def test_padding_does_not_count(positions, generator):
    forward = drawn(generator)
    given = zip(forward()[0], LINES, INSIDE, strict=True)
    expected = [
        by_hand(logits, line, [p for p in positions or [1, 2, 3] if inside[p]])
        for logits, line, inside in given
    ]
    batch = LabeledBatch(LINES, extras={"inside": INSIDE})
    values = NextToken(positions, mask="inside")(forward, batch)
    torch.testing.assert_close(values, torch.tensor(expected))


@pytest.mark.parametrize("positions", [None, [1, 2]])
@pytest.mark.parametrize("dtype", [torch.bool, torch.int64])
def test_what_is_padding_has_no_influence(positions, dtype, generator):
    loss, logits = NextToken(positions, mask="inside"), drawn(generator)()[0]
    batch = LabeledBatch(LINES, extras={"inside": INSIDE.to(dtype)})
    before = INSIDE.roll(-1, 1)
    before[:, -1] = False
    padded = LabeledBatch(LINES.masked_fill(~INSIDE, -100), extras=batch.extras)
    slopes, values = [], []
    for given, full in (
        (batch, logits),
        (padded, logits.masked_fill(~before[..., None], math.nan)),
    ):
        leaf = full.clone().requires_grad_()
        values.append(loss(lambda *_, leaf=leaf: (leaf, {}), given))
        slopes += torch.autograd.grad(values[-1].sum(), leaf)
    assert torch.equal(*values)
    assert torch.equal(*slopes)
    assert not slopes[1][~before].any()


def test_a_mask_of_another_shape_or_kind_is_refused(generator):
    loss = NextToken(mask="inside")
    with refuses(
        ValueError, r"Extra 'inside' of NextToken has shape \(5, 3\), the tokens have \(5, 4"
    ):
        loss(drawn(generator), LabeledBatch(LINES, extras={"inside": INSIDE[:, 1:]}))
    with refuses(TypeError, "Extra 'inside' of NextToken is of type torch.float32"):
        loss(drawn(generator), LabeledBatch(LINES, extras={"inside": INSIDE.float()}))


def test_without_options_it_is_the_plain_loss(generator):
    forward, batch = drawn(generator), LabeledBatch(LINES)
    torch.testing.assert_close(NextToken()(forward, batch), next_token(forward, batch))


def test_the_last_position_predicts_nothing(generator):
    logits = drawn(generator)()[0].requires_grad_()
    values = next_token(lambda _: (logits, {}), LabeledBatch(LINES))
    (slope,) = torch.autograd.grad(values.sum(), logits)
    assert not slope[:, -1].any()
    assert slope[:, :-1].any(-1).all()


def test_half_precision_is_made_full(generator):
    logits = drawn(generator)()[0].bfloat16()
    values = [
        next_token(lambda _, given=given: (given, {}), LabeledBatch(LINES))
        for given in (logits, logits.float())
    ]
    assert torch.equal(*values)


@pytest.mark.parametrize("loss", LOSSES)
def test_it_keeps_to_the_family_of_losses(loss):
    assert isinstance(loss, Loss)


def train_language(loss=next_token, steps=60, **options):
    term = Term("pull", Anchor([1.0] + [0.0] * 5), mask="inside", pool=SoftMinimum(0.1))
    objective = Objective([term], losses=["tokens"], other_tracks=["lr"])
    values = {"lr": 0.02, "pull": 0.1, "tokens": 1.0}
    tracks = {name: Track([Keyframe(0, value)]) for name, value in values.items()}
    batches = Sampler(LINES, batch_size=4, extras={"inside": INSIDE})
    return fit(
        Language,
        objective,
        Timeline(tracks, steps=steps),
        batches,
        losses={"tokens": loss},
        seeds=(3, 1),
        progress=False,
        **options,
    )


@pytest.mark.parametrize("loss", LOSSES)
def test_tokens_train_with_vmap_as_sequentially(loss):
    options = {"constraint": UnitNorm({"embedding.weight": -1}), "loss": loss}
    together, sequential = (
        train_language(execution=how, **options) for how in ("vmap", "sequential")
    )
    assert close(together.population, sequential.population)
    assert together.history["pull"].allclose(sequential.history["pull"], atol=1e-9)
    assert (together.history["tokens"][-5:].mean(0) < together.history["tokens"][:5].mean(0)).all()


def test_a_traced_step_is_the_plain_one_bit_for_bit(monkeypatch):
    traced = train_language()
    monkeypatch.setattr("latent_anchors.training._fit.step.UNTRACED", 1000)
    plain = train_language()
    for run in (0, 1):
        assert torch.equal(weights(traced.population, run), weights(plain.population, run))


def test_positions_have_a_token_before_them():
    for positions in ([0, 1], []):
        with refuses(ValueError, "expected at least one, and not 0"):
            NextToken(positions)


@pytest.mark.parametrize("position", [4, -4, 9])
def test_a_position_outside_of_the_line_is_refused(position, generator):
    with refuses(
        ValueError, f"Position {position} was given for lines of 4 tokens; expected one from 1 to 3"
    ):
        NextToken([position])(drawn(generator), LabeledBatch(LINES))


def test_a_mask_that_the_batch_lacks_is_named(generator):
    with refuses(KeyError, "NextToken needs extra 'inside'; the batch has nothing"):
        NextToken(mask="inside")(drawn(generator), LabeledBatch(LINES))


def test_tokens_are_whole_numbers(generator):
    with refuses(TypeError, "Tokens of type torch.float32 were given"):
        next_token(drawn(generator), LabeledBatch(LINES.float()))


@pytest.mark.parametrize("n", [2, 3])
def test_a_line_may_be_as_short_as_two_tokens(n, generator):
    logits = torch.randn(5, n, 8, generator=generator)
    lines = torch.arange(5 * n).reshape(5, n) % 8
    alone = [cross_entropy(row[:-1], line[1:]) for row, line in zip(logits, lines, strict=True)]
    found = next_token(lambda *_: (logits, {}), LabeledBatch(lines))
    torch.testing.assert_close(found, torch.stack(alone))


def test_logits_stand_at_every_position(generator):
    forward = drawn(generator)
    for tokens in (LINES[:, :1], LINES[:, :3], LINES[0]):
        with refuses(ValueError, "Let the model return logits at every position"):
            next_token(forward, LabeledBatch(tokens))
