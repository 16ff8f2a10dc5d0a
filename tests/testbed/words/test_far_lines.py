"""Lines that lie too far from a direction to be about its topic."""

import math

import pytest
import torch
from refusals import refuses

import latent_anchors as la
from latent_anchors import testbed

CONCEPT = la.Concept("animal", la.axis(0, dim=96), at="model.layers.1")
WORDS = testbed.TokenizedDefinitions.of(testbed.made_up_definitions(200), held_out=40)
ASIDE = WORDS.labeled("animal", 0, chance=0.4, aside=True)


@pytest.fixture
def model():
    return testbed.small_llama(WORDS, 0).eval()


def nearness_of(model, lines):
    """Line by line, each without padding."""
    found = []
    for line in lines:
        batch = WORDS.pad(WORDS.samples([line]))
        with torch.no_grad(), la.record(model, CONCEPT.at) as recorded:
            model(batch["input_ids"])
        cosines = CONCEPT.alignment(recorded[CONCEPT.at])[0]
        found.append(float(cosines[batch["behind"][0]].mean()))
    return found


@pytest.mark.parametrize("caught", [0.0, 0.5, 0.9, 1.0])
def test_far_lines_are_farther_than_so_many_of_those_put_aside(model, caught):
    far = testbed.far_lines(model, WORDS, CONCEPT, ASIDE, caught)
    own = sorted(nearness_of(model, ASIDE), reverse=True)
    limit = own[max(math.ceil(caught * len(own)), 1) - 1]
    expected = [line for line in WORDS.seen() if line not in {*ASIDE}]
    near = dict(zip(expected, nearness_of(model, expected), strict=True))
    clear = [line for line in expected if abs(near[line] - limit) > 1e-5]
    assert [line for line in clear if near[line] < limit] == [k for k in far if k in {*clear}]
    assert not {*far} & {*ASIDE}


def test_a_limit_that_nobody_knows_is_refused(model):
    with refuses(ValueError, "No line was put aside; expected some hundred"):
        testbed.far_lines(model, WORDS, CONCEPT, [])
    with refuses(ValueError, "caught is 1.5; expected a number from 0.0 to 1.0"):
        testbed.far_lines(model, WORDS, CONCEPT, ASIDE, 1.5)
    with torch.no_grad():
        model.get_parameter("model.norm.weight").fill_(torch.nan)
        model.get_parameter("model.layers.0.mlp.down_proj.weight").fill_(torch.nan)
    with refuses(ValueError, "Latents are not finite.*Look at its losses"):
        testbed.far_lines(model, WORDS, CONCEPT, ASIDE)
