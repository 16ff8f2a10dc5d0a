"""What a stream's weights lose along a direction, and the rows of tokens."""

import pytest
import torch
from refusals import refuses
from torch import nn

from latent_anchors.interventions import SiteLayers, ablate, orthogonalize, part_along
from latent_anchors.models import (
    NormalizedTransformer,
    Population,
    PrenormTransformer,
    SphericalAutoencoder,
)

TOKENS = torch.tensor([[0, 4, 1, 3]])
V = torch.tensor([1.0, 2.0, -2.0, 0.0, 0.0, 0.0, 0.0, 0.0]) / 3
AXIS = torch.eye(8)[2]
MOVED = torch.arange(5) == 3


def transformer(kind=NormalizedTransformer):
    torch.manual_seed(0)
    return kind(vocabulary=5, width=8, depth=2, heads=2, hidden=12)


def part_of(model, directions, **given):
    return part_along(model, directions, at=model.sites, example=TOKENS, **given)


def parts(model, part):
    return {name: part(name, each) for name, each in model.named_parameters()}


@pytest.mark.parametrize("kind", [NormalizedTransformer, PrenormTransformer])
def test_it_is_what_orthogonalizing_both_sides_takes_away(kind):
    model = transformer(kind)
    cut = orthogonalize(model, AXIS, at=model.sites, example=TOKENS, side="both")
    lost = parts(model, part_of(model, AXIS))
    for name, before in model.named_parameters():
        torch.testing.assert_close(before - lost[name], cut.get_parameter(name))
    matrices = {name for name, each in model.named_parameters() if each.ndim > 1}
    assert {name for name, each in lost.items() if bool(each.any())} == matrices


@pytest.mark.parametrize("rows", [None, {"embedding": MOVED}])
@pytest.mark.parametrize("directions", [V, torch.stack([V, AXIS + V])])
def test_the_part_of_the_part_is_the_part(directions, rows):
    model = transformer().double()
    part = part_of(model, directions, rows=rows)
    for name, each in model.named_parameters():
        once = part(name, each)
        torch.testing.assert_close(part(name, once), once)
        assert not torch.allclose(once, each.detach())


def test_the_part_of_a_sum_is_the_sum_of_the_parts():
    model = transformer().double()
    part = part_of(model, V, rows={"embedding": MOVED})
    for name, each in model.named_parameters():
        noise = torch.randn_like(each)
        torch.testing.assert_close(
            part(name, 2 * each + noise), 2 * part(name, each) + part(name, noise)
        )


def test_of_layers_that_write_it_is_a_row_and_of_those_that_read_a_column():
    model = transformer()
    part = part_of(model, AXIS)
    for name, each in model.named_parameters():
        kept = each.detach().clone()
        if each.ndim > 1:
            writes = name.endswith(("out.weight", "down.weight"))
            kept.select(0 if writes else 1, 2).zero_()
        assert torch.equal(each - part(name, each), kept)


def test_rows_of_tokens_belong_to_it_as_a_whole_and_those_of_others_do_not():
    model = transformer()
    rows, embedding = {"embedding": MOVED}, model.embedding.weight
    part, without = part_of(model, AXIS, rows=rows), part_of(model, AXIS)
    lost, less = (each("embedding.weight", embedding) for each in (part, without))
    assert torch.equal(lost[MOVED], embedding[MOVED])
    assert torch.equal(lost[~MOVED], less[~MOVED])
    assert not torch.equal(less[MOVED], embedding[MOVED])
    assert torch.equal(embedding, transformer().embedding.weight)


def test_random_directions_give_another_part_of_the_same_rank():
    model = transformer().double()
    weight, name = model.blocks[0].up.weight, "blocks.0.up.weight"
    one, other = (part_of(model, v)(name, weight) for v in (AXIS, torch.randn(8)))
    assert torch.linalg.matrix_rank(one) == torch.linalg.matrix_rank(other) == 1
    assert not torch.allclose(one, other, atol=0.1)


@pytest.mark.parametrize("side", ["writing", "reading", "both"])
def test_around_a_site_that_is_no_stream_it_is_that_of_the_two_layers(side):
    torch.manual_seed(0)
    model = SphericalAutoencoder()
    direction = torch.tensor([1.0, 2.0, -2.0, 0.0])
    part = part_along(model, direction, side=side)
    cut = orthogonalize(model, direction, side=side)
    for name, each in model.named_parameters():
        torch.testing.assert_close(each - part(name, each), cut.get_parameter(name))
    assert bool(part("encoder.2.weight", model.encoder[2].weight).any()) == (side != "reading")


def test_a_layer_between_two_sites_has_a_part_on_both_sides():
    model = nn.Sequential(*(nn.Linear(3, 3) for _ in range(3)))
    part = part_along(model, torch.eye(3)[0], at=["0", "1"])
    cut = ablate(ablate(model, [0], at="0"), [0], at="1")
    between = model[1].weight
    assert torch.equal(between - part("1.weight", between), cut[1].weight)


def test_norms_with_weights_are_taken_into_account_where_layers_read_behind_them():
    model = nn.Sequential(Sum(), nn.LayerNorm(4, elementwise_affine=True), nn.Linear(4, 3))
    with torch.no_grad():
        model[1].weight.copy_(torch.tensor([1.0, 2.0, 3.0, 4.0]))
    v, tokens = torch.tensor([1.0, 1.0, 0.0, 0.0]), torch.arange(3)
    part = part_along(model, v, at="0", example=tokens, side="reading")
    weight = model[2].weight
    kept = weight - part("2.weight", weight)
    torch.testing.assert_close(kept @ (model[1].weight * v), torch.zeros(3))
    assert (weight @ (model[1].weight * v)).abs().min() > 0.01


class Sum(nn.Module):
    def __init__(self):
        super().__init__()
        self.one, self.other = nn.Embedding(3, 4), nn.Embedding(3, 4)

    def forward(self, tokens):
        return self.one(tokens) + self.other(tokens)


def test_names_that_no_parameter_has_are_refused():
    part = part_along(SphericalAutoencoder(), torch.eye(4)[0])
    with refuses(ValueError, "Unknown parameter 'module.encoder.0.weight'"):
        part("module.encoder.0.weight", torch.zeros(2, 2))


def test_rows_are_those_of_an_embedding_one_number_for_each_token():
    model = transformer()
    with refuses(ValueError, "Unknown embedding 'blocks.0.up'"):
        part_of(model, AXIS, rows={"blocks.0.up": MOVED})
    with refuses(ValueError, r"rows of 'embedding' has shape \(4,\); expected \(5,\)"):
        part_of(model, AXIS, rows={"embedding": MOVED[1:]})
    with refuses(TypeError, "rows of 'embedding' is of type torch.float32"):
        part_of(model, AXIS, rows={"embedding": MOVED.float()})


def test_a_population_is_refused():
    population = Population.make(SphericalAutoencoder, seeds=range(2))
    with refuses(TypeError, "population of 2 runs was given; expected one model"):
        part_along(population, torch.eye(4)[0])


def test_layers_may_be_named_instead_of_a_site():
    model, direction = SphericalAutoencoder(), torch.eye(4)[1]
    named = SiteLayers("encoder.2", ("decoder.0",))
    found = (parts(model, part_along(model, direction, at)) for at in (named, "latent"))
    for one, other in zip(*(each.values() for each in found), strict=True):
        assert torch.equal(one, other)


class Shifted(nn.Module):
    """A norm that scales by 1 + w, as Gemma's do."""

    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(8))

    def forward(self, z):
        return z * (z.square().mean(-1, keepdim=True) + 1e-6).rsqrt() * (1.0 + self.weight)


class Postnormed(nn.Module):
    """A residual block whose result goes through such a norm."""

    def __init__(self):
        super().__init__()
        self.embed, self.layer, self.norm = nn.Linear(3, 8), nn.Linear(8, 8), Shifted()
        self.stream, self.head = nn.Identity(), nn.Linear(8, 2)

    def forward(self, x):
        h = self.embed(x)
        return self.head(self.stream(h + self.norm(self.layer(h))))


def test_a_norm_that_is_silent_at_another_number_than_zero_is_refused():
    model, example = Postnormed(), torch.randn(2, 3)
    cut = orthogonalize(model, AXIS, at="stream", example=example, side="writing")
    assert cut.norm.weight[2] == -1
    with refuses(ValueError, r"'norm.weight' scales the latents by 1 \+ w.*orthogonalize"):
        part_along(model, AXIS, at="stream", example=example, side="writing")
