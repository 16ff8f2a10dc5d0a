import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from refusals import refuses
from torch.nn.functional import gelu, normalize, scaled_dot_product_attention

from latent_anchors.models import NormalizedTransformer, Population, PrenormTransformer, record
from latent_anchors.models._attention import rotary
from latent_anchors.models._transformer_parts import LearnedScale

both = pytest.mark.parametrize("kind", [NormalizedTransformer, PrenormTransformer])

SIZES = {"vocabulary": 12, "width": 16, "depth": 2, "heads": 2, "hidden": 32}


@pytest.fixture
def tokens(generator):
    return torch.randint(12, (5, 6), generator=generator)


@both
def test_logits_do_not_depend_on_later_positions(kind, tokens):
    model = kind(**SIZES)
    later = tokens.clone()
    later[:, 4] = (later[:, 4] + 1) % 12
    torch.testing.assert_close(model(later)[:, :4], model(tokens)[:, :4])
    assert (model(later)[:, 4] - model(tokens)[:, 4]).abs().max() > 1e-3


@both
def test_logits_depend_on_the_order_of_earlier_positions(kind, tokens):
    model = kind(**SIZES)
    swapped = tokens[:, [1, 0, 2, 3, 4, 5]]
    assert (model(swapped)[:, 5] - model(tokens)[:, 5]).abs().max() > 1e-4


@both
def test_any_leading_axes_work(kind, tokens):
    model = kind(**SIZES)
    torch.testing.assert_close(model(tokens.view(5, 1, 6))[:, 0], model(tokens))
    torch.testing.assert_close(model(tokens[0]), model(tokens)[0])


@both
def test_logits_are_those_of_the_last_sites_stream(kind, tokens):
    model = kind(**SIZES)
    with record(model, model.sites) as latents:
        logits = model(tokens)
    stream = latents[model.sites[-1]]
    norm = model.logits if kind is NormalizedTransformer else model.norm
    torch.testing.assert_close(logits, norm(stream) @ model.embedding.weight.T)


def test_the_residual_stream_is_normalized_at_every_site_of_the_normalized_transformer_only(tokens):
    model, other = NormalizedTransformer(**SIZES), PrenormTransformer(**SIZES)
    with record(model, model.sites) as on, record(other, other.sites) as off:
        model(tokens)
        other(tokens)
    for site in model.sites:
        torch.testing.assert_close(on[site].norm(dim=-1), torch.ones(5, 6))
        assert (off[site].norm(dim=-1) - 1).abs().max() > 0.01


def test_a_rotated_residual_stream_gives_the_same_logits(tokens):
    model = NormalizedTransformer(**SIZES).double()
    turn, _ = torch.linalg.qr(torch.randn(16, 16, dtype=torch.float64))
    before = model(tokens)
    with torch.no_grad():
        for name, weight in model.named_parameters():
            if name.endswith(("out.weight", "down.weight")):
                weight.copy_(turn.T @ weight)
            elif weight.ndim == 2:
                weight.copy_(weight @ turn)
    torch.testing.assert_close(model(tokens), before)


def test_a_new_network_fulfills_its_constraint():
    model = NormalizedTransformer(**SIZES)
    weights = dict(model.named_parameters())
    held = model.constraint(weights)
    assert set(weights) - set(held) == {name for name in weights if name.endswith(".s")}
    for name, weight in held.items():
        torch.testing.assert_close(weight, weights[name])
        torch.testing.assert_close(model.constraint({**weights, name: 3 * weight})[name], weight)


@given(shift=st.integers(0, 20))
def test_inner_products_of_rotary_vectors_depend_on_position_differences(shift):
    q, k = torch.randn(2, 8, generator=torch.Generator().manual_seed(0)).double()
    turned_q, turned_k = rotary(q.expand(24, 8)), rotary(k.expand(24, 8))
    torch.testing.assert_close(turned_q[shift + 3] @ turned_k[shift], turned_q[3] @ turned_k[0])
    assert abs(turned_q[3] @ turned_k[0] - turned_q[0] @ turned_k[0]) > 1e-3


def test_the_first_position_is_not_rotated():
    x = torch.randn(1, 8)
    torch.testing.assert_close(rotary(x), x)


def test_attention_equals_a_loop_over_heads():
    attention = PrenormTransformer(**SIZES).blocks[0].attention
    h = torch.randn(5, 6, 16)
    heads = []
    for q, k, v in zip(*(part.chunk(2, -1) for part in attention.qkv(h).chunk(3, -1)), strict=True):
        heads.append(scaled_dot_product_attention(rotary(q), rotary(k), v, is_causal=True))
    torch.testing.assert_close(attention(h), attention.out(torch.cat(heads, -1)))


def test_a_block_on_the_sphere_steps_towards_unit_results_by_its_share_of_the_depth():
    block = NormalizedTransformer(**SIZES).blocks[0]
    before = h = normalize(torch.randn(6, 16), dim=-1)
    parts = block.attention.qkv(h).chunk(3, -1)
    q, k, v = (part.unflatten(-1, (2, 8)).transpose(0, 1) for part in parts)
    q, k = (rotary(normalize(each, dim=-1)) for each in (q, k))
    z = scaled_dot_product_attention(q, k, v, is_causal=True, scale=8**0.5)
    for change in (
        lambda _: block.attention.out(z.transpose(0, 1).flatten(-2)),
        lambda h: block.down(gelu(16**0.5 * block.up(h))),
    ):
        h = normalize(h + (normalize(change(h), dim=-1) - h) / 2, dim=-1)
    torch.testing.assert_close(block(before), h)


def test_scales_learn_at_their_own_rates():
    model = NormalizedTransformer(**SIZES).requires_grad_(False)
    block = model.blocks[0]
    gains = {block.attention.scale: 8**0.5, model.logits: 1.0, block.gain: 16**0.5}
    rates = {block.attention.scale: 16**-0.5, model.logits: 16**-0.5, block.gain: 16**0.5}
    for gain, begin in gains.items():
        assert float(gain(torch.ones(()))) == pytest.approx(begin)
        assert float(gain.s) == pytest.approx(rates[gain])


def test_a_scale_is_proportional_to_its_parameter():
    gain = LearnedScale(3.0, 0.5)
    torch.testing.assert_close(gain(torch.ones(2)), torch.full((2,), 3.0))
    torch.nn.init.constant_(gain.s, 1.5)
    torch.testing.assert_close(gain(torch.ones(2)), torch.full((2,), 9.0))


def test_matrices_are_initialized_like_linear_layers():
    weights = PrenormTransformer(vocabulary=100, width=64, depth=1).named_parameters()
    for weight in (weight for _, weight in weights if weight.ndim == 2):
        reach = weight.abs().max() * weight.shape[-1] ** 0.5
        assert 0.99 < reach <= 1.0


@both
def test_the_defaults_are_four_blocks_of_eight_heads(kind):
    model = kind(vocabulary=3)
    assert (model.width, model.depth, model.heads, model.hidden) == (64, 4, 8, 256)


@both
def test_run_k_alone_equals_run_k_among_several(kind, tokens):
    population = Population.make(lambda: kind(**SIZES), seeds=[3, 4])
    for run, alone in zip(population(tokens), population, strict=True):
        torch.testing.assert_close(run, alone(tokens))


@both
@pytest.mark.parametrize("name", list(SIZES))
def test_sizes_below_1_and_fractions_are_refused(kind, name):
    with refuses(ValueError, f"{name} is 0; expected at least 1"):
        kind(**{**SIZES, name: 0})


@both
def test_a_width_that_is_not_a_multiple_of_twice_the_heads_is_refused(kind):
    with refuses(ValueError, "multiple of 4, twice the heads"):
        kind(**{**SIZES, "width": 18})
    assert kind(**{**SIZES, "width": 12}).width == 12


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_positions_differ_in_half_precision(dtype):
    """Whole numbers above 256 are no numbers of bfloat16."""
    x = torch.ones(600, 8)
    exact = rotary(x.double())
    torch.testing.assert_close(rotary(x.to(dtype)).double(), exact, atol=0.01, rtol=0.0)
    assert rotary(x.to(dtype)).dtype == dtype
    assert len(torch.unique(rotary(x.to(dtype))[500:520], dim=0)) == 20
