"""Networks of mixing lines that are trained so that red has units to itself."""

from functools import partial

import pytest
import torch

from latent_anchors import testbed

LANGUAGE = testbed.MixingLanguage(levels=3)
SAMPLER = testbed.red_sampler(LANGUAGE, LANGUAGE.pairs(), batch_size=64)
LINES = LANGUAGE.lines(LANGUAGE.pairs()[:20])


def fresh():
    torch.manual_seed(0)
    return testbed.MixingSize().network(LANGUAGE)()


@pytest.fixture(scope="module")
def rivals():
    model = fresh()
    task = partial(testbed.line_task, SAMPLER, 0, 20, 10, 0.01, model.constraint)
    return testbed.lines_trained_for_it(model, task)


def weights(model):
    return dict(model.named_parameters())


def test_each_rival_begins_with_red_and_takes_more_and_more_of_it_away(rivals):
    assert {name: len(some) for name, some in rivals.items()} == {
        "gradient routing": 5,
        "masking (SGTM)": 2,
    }
    for whole, *less in rivals.values():
        with torch.no_grad():
            logits = [whole(LINES)]
        for each in less:
            with torch.no_grad(), each() as model:
                logits.append(model(LINES))
        away = [(each - logits[0]).norm().item() for each in logits]
        assert away == sorted(away)
        assert away[1] > 0


def test_of_each_block_a_head_and_an_eighth_of_the_units_are_taken_away(rivals):
    whole, cut = rivals["masking (SGTM)"]
    before = weights(whole)
    with cut() as model:
        after = weights(model)
    changed = {name: (after[name] != each) for name, each in before.items()}
    blocks = fresh().sites[1:]
    expected = set()
    for block in blocks:
        rows = changed[f"{block}.attention.qkv.weight"].any(1).nonzero().flatten().tolist()
        assert rows == [*range(8), *range(32, 40), *range(64, 72)]
        columns = changed[f"{block}.attention.out.weight"].any(0).nonzero().flatten()
        assert columns.tolist() == [*range(8)]
        assert changed[f"{block}.up.weight"].any(1).nonzero().flatten().tolist() == [*range(16)]
        assert changed[f"{block}.down.weight"].any(0).nonzero().flatten().tolist() == [*range(16)]
        layers = ("attention.qkv", "attention.out", "up", "down")
        expected |= {f"{block}.{layer}.weight" for layer in layers}
    assert {name for name, each in changed.items() if each.any()} == expected
