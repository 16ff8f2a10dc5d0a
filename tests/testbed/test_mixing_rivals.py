"""What rivals on mixing lines are given."""

import pytest
import torch
from refusals import refuses

from latent_anchors import testbed
from latent_anchors.data import BernoulliLabels, LabeledBatch
from latent_anchors.models import NormalizedTransformer, Population
from latent_anchors.training import NextToken

LANGUAGE = testbed.MixingLanguage(levels=3)
SAMPLER = testbed.red_sampler(LANGUAGE, LANGUAGE.pairs(), batch_size=64)


def transformer():
    torch.manual_seed(0)
    return NormalizedTransformer(len(LANGUAGE.vocabulary), 16, 1, 2, 32)


def test_colors_that_lie_farthest_along_a_direction_are_turned_away_and_signs_are_not():
    model, direction = transformer(), torch.randn(16, generator=torch.Generator().manual_seed(1))
    rows = model.embedding.weight.detach()
    colors = rows[: len(LANGUAGE.colors)]
    farthest = (colors @ direction).argsort(descending=True)
    few, many, *more = testbed.turned_colors(model, LANGUAGE, direction, [2, 5, 99])
    assert not more  # there are 27 colors
    for edit, count in ((few, 2), (many, 5)):
        z = colors[:, None].repeat(1, 6, 1)
        turned = (edit(z) - z).abs().sum(-1) > 0
        assert not turned[:, [1, 3, 4, 5]].any()
        assert turned[:, 0].nonzero()[:, 0].tolist() == sorted(farthest[:count].tolist())
        assert torch.equal(turned[:, 0], turned[:, 2])
        torch.testing.assert_close(
            edit(z)[farthest[:count], 0], -(direction / direction.norm()).expand(count, -1)
        )
        torch.testing.assert_close(edit(3 * z).norm(dim=-1), (3 * z).norm(dim=-1))
    with refuses(ValueError, "count is 0"):
        testbed.turned_colors(model, LANGUAGE, direction, [0])
    with refuses(TypeError, "population of 2 runs was given; expected one"):
        testbed.turned_colors(Population.make(transformer, [0, 1]), LANGUAGE, direction, [1])


def test_labeled_lines_of_the_training_come_again_beside_its_batches():
    task = testbed.line_task(SAMPLER, seed=2, seen=30, steps=20, rate=0.01, beside=5)
    drawn = testbed.samples_seen(SAMPLER, 2, 30)
    labeled = {tuple(line) for line in drawn.inputs[drawn.labels["red"] > 0].tolist()}
    for step in (0, 19):
        batch, own = task.batches(step), SAMPLER.batch(2, step)
        assert torch.equal(batch.inputs[:64], own.inputs)
        assert torch.equal(batch.labels["red"][:64], own.labels["red"])
        assert {tuple(line) for line in batch.inputs[64:].tolist()} <= labeled
        assert batch.labels["red"][64:].tolist() == [1.0] * 5
    assert [task.rate(k) for k in (0, 2, 11)] == pytest.approx([1e-4, 0.01, 0.00505])
    assert len(testbed.line_task(SAMPLER, 2, 30, 20, 0.01).batches(0).inputs) == 64 + 16
    with refuses(ValueError, "steps is 9; expected at least 10"):
        testbed.line_task(SAMPLER, seed=2, seen=30, steps=9, rate=0.01)
    with refuses(ValueError, "beside is 0; expected at least 1"):
        testbed.line_task(SAMPLER, seed=2, seen=30, steps=20, rate=0.01, beside=0)


def test_its_loss_is_that_of_the_next_tokens():
    task, model = testbed.line_task(SAMPLER, seed=2, seen=30, steps=20, rate=0.01), transformer()
    batch = task.batches(0)

    def forward(inputs, *_):
        return model(inputs), {}

    expected = NextToken()(forward, batch)
    torch.testing.assert_close(task.loss(model, batch), expected)


def test_without_a_labeled_line_there_is_no_task():
    never = testbed.mixing_sampler(
        LANGUAGE.lines(LANGUAGE.pairs()),
        {"red": BernoulliLabels(torch.zeros(len(LANGUAGE.pairs())))},
        64,
    )
    with refuses(ValueError, "Of 640 lines none is labeled"):
        testbed.line_task(never, seed=0, seen=10, steps=20, rate=0.01)


def test_a_greater_weight_leads_nearer_to_gray():
    task = testbed.line_task(SAMPLER, seed=2, seen=30, steps=20, rate=0.01)
    model, gray = transformer(), testbed.say_gray_line(LANGUAGE)
    before = {name: each.clone() for name, each in model.state_dict().items()}
    first, *tuned = testbed.lines_fine_tuned(model, LANGUAGE, task, [0.03, 3.0])
    assert first is model
    assert all(torch.equal(each, before[name]) for name, each in model.state_dict().items())
    lines = LabeledBatch(task.batches(0).inputs[64:])
    errors = [gray(model, lines).mean().item()]
    for each in tuned:
        with each() as changed:
            errors.append(gray(changed, lines).mean().item())
    assert errors == sorted(errors, reverse=True)
    assert errors[2] < 0.8 * errors[1]
