"""Directions removed from all that writes into a stream, beside the edit that this equals."""

from contextlib import ExitStack

import pytest
import torch
from refusals import refuses
from torch import nn

import latent_anchors as la
from latent_anchors.interventions import Projection, ablate, attach, intervene, orthogonalize
from latent_anchors.models import Population, PrenormTransformer, Site, record

TOKENS = torch.randint(0, 12, (3, 5), generator=torch.Generator().manual_seed(0))
V = torch.randn(8, generator=torch.Generator().manual_seed(1))
PLANE = torch.randn(2, 8, generator=torch.Generator().manual_seed(2))


class Block(nn.Module):
    """Half a transformer: a norm, and a layer that adds to the stream."""

    def __init__(self, width=8):
        super().__init__()
        self.norm, self.up = nn.LayerNorm(width), nn.Linear(width, 12)
        self.down = nn.Linear(12, width)

    def forward(self, h):
        return h + self.down(self.up(self.norm(h)).relu())


class Stack(nn.Module):
    """Tokens, positions, blocks, logits."""

    def __init__(self, *blocks, scale=1.0):
        super().__init__()
        self.tokens, self.positions = nn.Embedding(12, 8), nn.Parameter(torch.randn(5, 8))
        self.blocks = nn.Sequential(*(blocks or (Block(), Block())))
        self.logits, self.scale = nn.Linear(8, 12), scale

    def forward(self, tokens):
        h = self.tokens(tokens) * self.scale + self.positions
        return self.logits(self.blocks(h))


def stack(*blocks, **kwargs):
    torch.manual_seed(0)
    return Stack(*blocks, **kwargs)


def edited(model, sites, directions=V, inputs=TOKENS):
    """The output under the projection at each of some sites."""
    edit = Projection(directions.reshape(-1, directions.shape[-1]))
    with ExitStack() as edits:
        for site in sites:
            edits.enter_context(intervene(model, edit, site))
        return model(inputs)


WRITERS = ["tokens", "blocks.0.down", "blocks.1.down"]


def with_positions(model):
    """The same model, with a site where all embeddings are added up."""
    model.blocks.insert(0, nn.Identity())
    return model


SITES = ["blocks.0", "blocks.1.down", "blocks.2.down"]


@pytest.mark.parametrize("directions", [V, PLANE, torch.eye(8)[3]])
def test_all_that_writes_into_a_stream_no_longer_writes_along_directions(directions):
    model = with_positions(stack())
    clean = orthogonalize(model, directions, at="blocks.2", example=TOKENS)
    torch.testing.assert_close(clean(TOKENS), edited(model, SITES, directions))
    assert not torch.allclose(clean(TOKENS), model(TOKENS), atol=1e-2)


def test_no_latents_at_the_sites_lie_along_it_and_they_did_before():
    model, sites = stack(), ["blocks.0", "blocks.1"]
    clean = orthogonalize(model, V, at=sites, example=TOKENS)
    with record(model, sites) as before, record(clean, sites) as after:
        model(TOKENS), clean(TOKENS)
    for site in sites:
        assert (before[site] @ V).abs().mean() > 0.5
        torch.testing.assert_close(after[site] @ V, torch.zeros(3, 5), atol=1e-5, rtol=0)


def test_what_is_written_behind_the_last_site_is_left_alone():
    model = stack()
    clean = orthogonalize(model, V, at="blocks.0", example=TOKENS)
    assert torch.equal(clean.blocks[1].down.weight, model.blocks[1].down.weight)
    assert not torch.equal(clean.blocks[0].down.weight, model.blocks[0].down.weight)


def test_in_place_no_copy_is_made():
    model, expected = stack(), orthogonalize(stack(), V, "blocks.1", TOKENS)
    weight = model.tokens.weight
    assert orthogonalize(model, V, "blocks.1", TOKENS, inplace=True) is model
    assert model.tokens.weight is weight
    torch.testing.assert_close(model.state_dict(), expected.state_dict())


def test_in_place_is_refused_while_an_edit_is_in_force():
    model = stack()
    handle = attach(model, Projection([[1.0] * 8]), "blocks.0")
    with refuses(ValueError, "The edit .*is in force in the model; expected none"):
        orthogonalize(model, V, "blocks.1", TOKENS, inplace=True)
    handle.remove()


def test_a_refusal_leaves_the_model_as_it_was():
    model = stack(Block(), nn.LayerNorm(8))
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    with refuses(ValueError, r"is changed by itself \('blocks.1.weight'\), .*la.axis"):
        orthogonalize(model, V, ["blocks.0", "blocks.1"], TOKENS, inplace=True)
    torch.testing.assert_close(model.state_dict(), before, rtol=0, atol=0)
    assert model.training


def test_a_norm_that_writes_is_silenced_along_axes():
    model = stack(Block(), nn.LayerNorm(8))
    nn.init.normal_(model.blocks[1].bias)
    clean = ablate(model, [2, 5], "blocks.1", TOKENS)
    torch.testing.assert_close(clean(TOKENS), edited(model, ["blocks.1"], torch.eye(8)[[2, 5]]))
    assert torch.equal(clean.tokens.weight, model.tokens.weight)


def test_a_tied_embedding_also_reads_nothing_along_it():
    torch.manual_seed(0)
    model = PrenormTransformer(vocabulary=12, width=8, depth=2, heads=2, hidden=12)
    nn.init.normal_(model.norm.weight)
    clean = la.Concept("it", V, at=model.sites).removed(model, example=TOKENS)
    writers = ["embedding", "blocks.0.attention", "blocks.0.down"]
    writers += ["blocks.1.attention", "blocks.1.down"]
    expected = edited(model, [*writers, "norm"])
    torch.testing.assert_close(clean(TOKENS), expected)
    assert not torch.allclose(edited(model, writers), expected, atol=1e-4)


def test_weights_in_half_precision_are_rounded_once():
    full = stack().bfloat16().float()
    clean = orthogonalize(full, V, "blocks.1", TOKENS)
    half = orthogonalize(stack().bfloat16(), V, "blocks.1", TOKENS)
    for name, tensor in half.state_dict().items():
        assert torch.equal(tensor, clean.state_dict()[name].bfloat16())


def test_each_run_of_a_population_loses_it():
    runs = Population.make(stack, seeds=range(2))
    for inplace in (False, True):
        expected = [orthogonalize(run, V, "blocks.1", TOKENS).state_dict() for run in runs]
        clean = orthogonalize(runs, V, "blocks.1", TOKENS, inplace=inplace)
        for k, alone in enumerate(expected):
            torch.testing.assert_close(clean[k].state_dict(), alone)


def test_channels_of_convolutions_are_removed():
    torch.manual_seed(0)

    class Residual(nn.Module):
        def __init__(self):
            super().__init__()
            self.conv, self.other = nn.Conv2d(3, 8, 3), nn.Conv2d(8, 8, 3, padding=1)
            self.sum, self.head = nn.Identity(), nn.Linear(8, 2)

        def forward(self, x):
            x = self.conv(x)
            return self.head(self.sum(x + self.other(x).relu() + self.other(x)).mean((2, 3)))

    images, at = torch.rand(2, 3, 6, 6), Site("sum", axis=1)
    model = Residual()
    clean = ablate(model, [1], at, images)
    expected = edited(model, [Site("conv", axis=1), Site("other", axis=1)], torch.eye(8)[1], images)
    torch.testing.assert_close(clean(images), expected)
    with refuses(ValueError, r"changed by itself \('relu' after 'other.weight'\)"):
        orthogonalize(model, V, at, images)
