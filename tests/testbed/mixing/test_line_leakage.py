import pytest
import torch
from refusals import refuses
from torch import nn

from latent_anchors.colorspace import hue_degree, hue_of
from latent_anchors.models import Population
from latent_anchors.testbed import MixingLanguage, line_leakage

LANGUAGE = MixingLanguage(levels=5)
RED = hue_degree(LANGUAGE.colors, hue_of("red"))


class Lines(nn.Module):
    """A stream that holds chosen numbers for each color, and noise for other words."""

    def __init__(self, held):
        super().__init__()
        words = torch.zeros(len(LANGUAGE.vocabulary) - len(held), held.shape[1])
        self.embedding = nn.Embedding.from_pretrained(torch.cat([held, words]))

    def forward(self, tokens):
        return self.embedding(tokens)


def found(held):
    return line_leakage(Lines(held), LANGUAGE, "red", "embedding")


def test_a_stream_that_holds_redness_gives_it_away():
    assert float(found(RED.unsqueeze(1))["leakage/linear"]) > 0.999


def test_a_stream_of_raw_colors_gives_away_what_the_floor_does():
    colors = found(LANGUAGE.colors)
    torch.testing.assert_close(colors["leakage/linear"], colors["leakage/linear/floor"])
    assert 0.5 < float(colors["leakage/linear/floor"]) < 0.95


def test_a_stream_that_holds_nothing_of_colors_gives_nothing_away():
    noise = torch.randn(125, 3, generator=torch.Generator().manual_seed(0))
    for name in ("leakage/linear", "leakage/linear/shuffled"):
        assert float(found(noise)[name]) < 0.1


def test_each_run_of_a_population_is_probed_by_itself():
    noise = torch.randn(125, 1, generator=torch.Generator().manual_seed(0))
    runs = Population.from_models([Lines(RED.unsqueeze(1)), Lines(noise)], seeds=[0, 1])
    both = line_leakage(runs, LANGUAGE, "red", "embedding")["leakage/linear"]
    assert both[0] > 0.999
    assert both[1] < 0.1


def test_a_model_alone_is_a_run_of_seed_0():
    model = Lines(LANGUAGE.colors)
    run = Population.from_models([model], seeds=[0])
    shuffled = line_leakage(run, LANGUAGE, "red", "embedding")["leakage/linear/shuffled"]
    torch.testing.assert_close(found(LANGUAGE.colors)["leakage/linear/shuffled"], shuffled)


def test_the_concept_is_a_hue():
    with refuses(ValueError, "Unknown hue 'gray'"):
        line_leakage(Lines(LANGUAGE.colors), LANGUAGE, "gray", "embedding")


@pytest.mark.parametrize("levels", [2, 3, 6])
def test_any_language_has_colors_to_learn_from_and_to_read(levels):
    language = MixingLanguage(levels=levels)
    held = torch.cat([language.colors, torch.zeros(3, 3)])
    model = nn.Sequential(nn.Embedding.from_pretrained(held))
    assert line_leakage(model, language, "red", "0")["leakage/linear"].isfinite().all()
