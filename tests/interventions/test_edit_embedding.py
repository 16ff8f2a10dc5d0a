from functools import partial

import pytest
import torch
from refusals import refuses
from torch import nn

from latent_anchors.interventions import (
    BoundedFalloff,
    Projection,
    Redirection,
    SiteLayers,
    attach,
    edit_embedding,
    intervene,
    orthogonalize,
    project_out,
)
from latent_anchors.models import NormalizedTransformer, Population, record

TOKENS = torch.tensor([[0, 3, 1], [2, 4, 0]])
AXIS = torch.eye(8, dtype=torch.float64)[0]
GATED = Redirection(AXIS, target=-AXIS, falloff=BoundedFalloff(threshold=0.0))


def transformer():
    return NormalizedTransformer(vocabulary=5, width=8, depth=2, heads=2, hidden=8).double()


@pytest.fixture(params=["model", "population"])
def model(request):
    torch.manual_seed(2)
    return transformer() if request.param == "model" else Population.make(transformer, seeds=[0, 1])


def stream(model, sites):
    with record(model, sites) as latents:
        model(TOKENS)
    return [latents[site] for site in sites]


def test_it_equals_the_edit_at_the_embedding_at_all_sites_behind_it(model):
    sites = transformer().sites
    new, old = stream(edit_embedding(model, GATED), sites), stream(model, sites)
    with intervene(model, GATED, at="embedding"):
        edited = stream(model, sites)
    for ours, theirs in zip(new, edited, strict=True):
        torch.testing.assert_close(ours, theirs)
    assert not torch.allclose(new[-1], old[-1])


def test_logits_from_the_rows_change_too():
    torch.manual_seed(2)
    model = transformer()
    with intervene(model, GATED, at="embedding"):
        edited = model(TOKENS)
    assert not torch.allclose(edit_embedding(model, GATED)(TOKENS), edited)


def test_an_axis_is_removed_by_weights_as_by_edits(model):
    blind = edit_embedding(model, Projection(AXIS[None]).keep_norm())
    for block in ("blocks.0", "blocks.1"):
        for writer in ("attention.out", "down"):
            layers = SiteLayers(f"{block}.{writer}", ())
            blind = orthogonalize(blind, AXIS, layers, side="writing")
    sites = transformer().sites
    handles = [attach(model, Projection(AXIS[None]).keep_norm(), at="embedding")]
    for block in ("blocks.0", "blocks.1"):
        for writer in ("attention", "down"):
            edit = partial(project_out, basis=AXIS[None])
            handles.append(attach(model, edit, at=f"{block}.{writer}"))
    edited = stream(model, sites)
    for handle in handles:
        handle.remove()
    for ours, theirs in zip(stream(blind, sites), edited, strict=True):
        torch.testing.assert_close(ours, theirs)
        assert ours[..., 0].abs().max() < 1e-12
    assert stream(model, sites)[-1][..., 0].abs().max() > 1e-3


def test_a_layer_that_is_not_an_embedding_is_refused():
    with refuses(ValueError, "'blocks' is of type .*ModuleList; expected a plain nn.Embedding"):
        edit_embedding(transformer(), GATED, "blocks")


def test_an_edit_that_changes_the_width_is_refused():
    with refuses(ValueError, r"of shape \(3, 2\) into \(3, 1\); expected the same shape"):
        edit_embedding(nn.Sequential(nn.Embedding(3, 2)), lambda z: z[..., :1], "0")
