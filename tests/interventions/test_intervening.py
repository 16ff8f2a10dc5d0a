from collections import OrderedDict
from dataclasses import dataclass
from functools import partial
from typing import NamedTuple

import pytest
import torch
from refusals import refuses
from torch import nn

from latent_anchors.interventions import (
    Steering,
    Suppression,
    attach,
    constant_falloff,
    intervene,
)
from latent_anchors.models import Population, Site, SphericalAutoencoder

MUTE = Suppression([1.0, 0.0, 0.0, 0.0], constant_falloff)  # acts on all latents


@pytest.fixture
def model():
    torch.manual_seed(0)
    return SphericalAutoencoder()


@pytest.fixture
def colors(generator):
    return torch.rand(8, 3, generator=generator)


def hooks(model):
    return sum(len(layer._forward_hooks) for layer in model.modules())


def decoded(model, colors, edit):
    """What the decoder says to edited latents, without any hook."""
    return model.decoder(edit(model.latent(model.encoder(colors))))


def test_an_edit_acts_within_its_block_and_not_after(model, colors):
    before = model(colors)
    with intervene(model, MUTE):
        within = model(colors)
    assert torch.equal(within, decoded(model, colors, MUTE))
    assert not torch.equal(within, before)
    assert torch.equal(model(colors), before)
    assert hooks(model) == 0


def test_an_edit_ends_when_its_block_fails(model):
    with pytest.raises(ZeroDivisionError), intervene(model, MUTE):
        _ = hooks(model) / 0
    assert hooks(model) == 0


def test_edits_act_in_the_order_in_which_they_were_attached(model, colors):
    def shift(z):
        return z + 1.0

    with intervene(model, shift), intervene(model, torch.neg):
        within = model(colors)
    assert torch.equal(within, decoded(model, colors, lambda z: -(z + 1.0)))


@pytest.mark.parametrize("gone", [0, 1, 2])
def test_removing_one_handle_leaves_the_others(gone, model, colors):
    edits = [MUTE, lambda z: z + 1.0, lambda z: 2.0 * z]
    first, second = [edit for k, edit in enumerate(edits) if k != gone]
    expected = decoded(model, colors, lambda z: second(first(z)))
    handles = [attach(model, edit) for edit in edits]
    handles[gone].remove()
    handles[gone].remove()
    assert torch.equal(model(colors), expected)
    for handle in handles:
        handle.remove()
    assert hooks(model) == 0


def test_other_hooks_stay(model, colors):
    seen = []
    model.latent.register_forward_hook(lambda *_: seen.append(1))
    with intervene(model, MUTE):
        model(colors)
    model(colors)
    assert len(seen) == 2


def test_a_handle_is_a_context_manager_too(model, colors):
    with attach(model, MUTE) as handle:
        model(colors)
    assert handle.acted
    assert hooks(model) == 0


def test_the_strength_can_be_changed_while_in_force(model, colors):
    mute = MUTE.at(1.0)
    with intervene(model, mute):
        at_one = model(colors)
        mute.strength.fill_(0.0)
        at_zero = model(colors)
    assert torch.equal(at_zero, model(colors))
    assert not torch.equal(at_one, at_zero)


def test_gradients_flow_through_an_edit(model, colors):
    with intervene(model, MUTE):
        model(colors).sum().backward()
    assert model.encoder[0].weight.grad.any()


def test_channels_on_a_middle_axis_are_edited(generator):
    images = torch.rand(2, 3, 5, 6, generator=generator)
    model, mute = nn.Sequential(nn.Identity()), Suppression([0.0, 1.0, 0.0])
    with intervene(model, mute, at=Site("0", axis=1)):
        edited = model(images)
    assert not edited[:, 1].any()
    assert torch.equal(edited[:, [0, 2]], images[:, [0, 2]])


def test_a_block_in_which_the_edit_never_acted_is_refused(model, colors):
    with refuses(RuntimeError, "The edit at 'latent' never acted"), intervene(model, MUTE):
        SphericalAutoencoder()(colors)
    assert hooks(model) == 0


def test_an_unknown_site_is_refused_before_anything_is_attached(model):
    with refuses(ValueError, "Unknown site 'nowhere'; expected one of 'encoder'"):
        attach(model, MUTE, at="nowhere")
    assert hooks(model) == 0


def test_an_edit_that_drops_dimensions_is_refused(model, colors):
    with (
        refuses(ValueError, r"turned latents of shape \(8, 4\) into \(8, 3\).*use surgery"),
        intervene(model, lambda z: z[:, 1:]),
    ):
        model(colors)


def test_one_edit_acts_at_several_sites(model, colors):
    with intervene(model, torch.neg, at=["encoder", Site("latent")]) as handles:
        within = model(colors)
    expected = model.decoder(-model.latent(-model.encoder(colors)))
    assert torch.equal(within, expected)
    assert list(handles) == ["encoder", Site("latent")]
    assert hooks(model) == 0


def test_an_edit_acts_wherever_a_pattern_matches_and_at_layers_themselves(model, colors):
    with intervene(model, torch.neg, at=[model.encoder, "latent*"]) as handles:
        within = model(colors)
    with intervene(model, {model.encoder: torch.neg, "laten?": torch.neg}):
        assert torch.equal(model(colors), within)
    expected = model.decoder(-model.latent(-model.encoder(colors)))
    assert torch.equal(within, expected)
    assert list(handles) == ["encoder", "latent"]
    with refuses(ValueError, r"The sites are \['latent', 'latent'\]; expected .* each once"):
        intervene(model, torch.neg, at=["latent", model.latent]).__enter__()
    handle = attach(model, torch.neg, at=model.latent)
    assert handle.site == Site("latent")
    handle.remove()
    with refuses(ValueError, r"'\*coder' means 2 sites; expected one.*such as 'encoder'"):
        attach(model, torch.neg, at="*coder")


def test_each_site_may_have_its_own_edit(model, colors):
    with intervene(model, {"latent": MUTE, "encoder": torch.exp}):
        within = model(colors)
    assert torch.equal(within, model.decoder(MUTE(model.latent(model.encoder(colors).exp()))))


def test_removing_the_edit_of_one_site_leaves_the_other(model, colors):
    with intervene(model, torch.neg, at=["encoder", "latent"]) as handles:
        model(colors)
        handles["encoder"].remove()
        within = model(colors)
    assert torch.equal(within, decoded(model, colors, torch.neg))


def test_if_one_of_several_sites_is_unknown_nothing_stays_attached(model):
    with (
        refuses(ValueError, "Unknown site 'nowhere'"),
        intervene(model, MUTE, at=["latent", "nowhere"]),
    ):
        pass
    assert hooks(model) == 0


def test_of_several_sites_one_that_never_ran_is_named(model, colors):
    with (
        refuses(RuntimeError, "The edit at 'decoder' never acted"),
        intervene(model, torch.neg, at=["encoder", "decoder"]),
    ):
        model.encoder(colors)


@pytest.mark.parametrize("sites", [[], ["latent", "latent"]])
def test_no_sites_and_repeated_sites_are_refused(sites, model):
    with (
        refuses(ValueError, r"The sites are \[.*\]; expected at least one, each once"),
        intervene(model, MUTE, at=sites),
    ):
        pass


def test_one_place_under_two_of_its_names_is_refused_where_an_edit_would_act_twice():
    shared = nn.Identity()
    model = nn.Sequential(OrderedDict(left=shared, right=shared, other=nn.Identity()))
    around = nn.Sequential(OrderedDict(module=model))
    for net, at in (
        (model, ["left", "right"]),
        (around, ["other", "module.other"]),
        (Population.from_models([model]), ["left", "right"]),
    ):
        edits = dict.fromkeys(at, torch.neg)
        for given in ((torch.neg, at), (edits,)):
            with refuses(ValueError, "each once, under one of its names"):
                intervene(net, *given).__enter__()
    both = ["left", Site("left", side="input"), "other"]
    with intervene(model, Steering([1.0]), at=both):
        assert model(torch.zeros(1, 1)).tolist() == [[5.0]]  # the shared layer runs twice


@pytest.mark.parametrize(("edits", "at"), [({}, "latent"), ({"latent": MUTE}, "encoder")])
def test_edits_by_site_together_with_at_are_refused(edits, at, model):
    with (
        refuses(ValueError, "Edits were given for the sites .*Leave at out"),
        intervene(model, edits, at=at),
    ):
        pass


class Pair(NamedTuple):
    z: torch.Tensor
    other: str


@dataclass(frozen=True)
class Output:
    z: torch.Tensor
    other: str


@pytest.mark.parametrize(
    ("wrap", "item"),
    [
        (lambda z: (z, "kept"), 0),
        (lambda z: ["kept", z], 1),
        (lambda z: Pair(z, "kept"), 0),
        (lambda z: {"z": z, "other": "kept"}, "z"),
        (lambda z: Output(z, "kept"), "z"),
    ],
)
def test_the_latents_may_be_one_part_of_an_output(wrap, item):
    class Wrapped(nn.Module):
        def forward(self, z):
            return wrap(z)

    model, z = nn.Sequential(Wrapped()), torch.tensor([3.0, 4.0, 5.0, 6.0])
    with intervene(model, MUTE, at=Site("0", item=item)):
        within = model(z)
    expected = wrap(MUTE(z))
    assert type(within) is type(expected)
    assert str(within) == str(expected)


PROMPT = torch.tensor([[1, 2, 3, 4], [5, 6, 7, 8]])
FIRST_TWO = torch.tensor([[1, 1, 0, 0], [1, 1, 0, 0]])
"""As HF's attention masks are written."""


@pytest.fixture(scope="module")
def llama():
    transformers = pytest.importorskip("transformers")
    torch.manual_seed(0)
    sizes = {"hidden_size": 16, "intermediate_size": 32, "num_attention_heads": 2}
    config = transformers.LlamaConfig(vocab_size=50, num_hidden_layers=2, **sizes)
    return transformers.LlamaForCausalLM(config).eval()


def answers(llama, where, edit, **options):
    """The logits of each token generated under an edit; always the same tokens."""
    rows = 2 * options.get("num_beams", 1)
    if isinstance(where, torch.Tensor):
        where = where.repeat_interleave(rows // 2, 0)
    with intervene(llama, edit, at="model.layers.0", where=where):
        made = llama.generate(
            PROMPT,
            max_new_tokens=3,
            do_sample=False,
            pad_token_id=0,
            eos_token_id=None,
            output_logits=True,
            return_dict_in_generate=True,
            **options,
        )
    return torch.stack(made.logits, 1)


def by_hand(llama, edited, edit):
    """Three passes without a cache, in which the edit acts where `edited` says."""
    sequence, logits = PROMPT, []
    for _ in range(3):
        with intervene(llama, partial(chosen, edited, edit), at="model.layers.0"):
            logits.append(llama(sequence).logits[:, -1])
        sequence = torch.cat([sequence, logits[-1].argmax(-1, keepdim=True)], 1)
    return torch.stack(logits, 1)


def chosen(edited, edit, z):
    return torch.where(edited[:, : z.shape[1], None], edit(z), z)


PLACES = torch.arange(7).expand(2, 7)


@pytest.mark.parametrize(
    ("where", "edited"),
    [
        ("last", PLACES >= 3),
        ("prefill", PLACES < 4),
        ("decode", PLACES >= 4),
        (FIRST_TWO, PLACES < 2),
    ],
    ids=["last", "prefill", "decode", "mask"],
)
def test_generation_is_edited_where_asked_with_every_cache_and_with_beams(where, edited, llama):
    vector = torch.linspace(-2, 2, 16)
    expected = by_hand(llama, edited, lambda z: z + vector)
    for cache in ("dynamic", "static"):
        found = answers(llama, where, lambda z: z + vector, cache_implementation=cache)
        torch.testing.assert_close(found, expected, atol=1e-5, rtol=1e-4)
    plain = by_hand(llama, edited, lambda z: z)
    assert not torch.allclose(expected, plain, atol=1e-2)
    beams = answers(llama, where, lambda z: z + vector, num_beams=2)[::2]
    torch.testing.assert_close(beams[:, 0], expected[:, 0], atol=1e-5, rtol=1e-4)


def test_the_last_position_of_lines_padded_on_the_left_is_their_last_token(llama):
    padded = torch.cat([torch.zeros(2, 2).long(), PROMPT], 1)
    mask = (padded > 0).long()
    with intervene(llama, torch.zeros_like, at="model.layers.0", where="last"):
        alone, left = llama(PROMPT).logits[:, -1], llama(padded, attention_mask=mask).logits[:, -1]
    torch.testing.assert_close(left, alone, atol=1e-5, rtol=1e-4)
    with (
        refuses(ValueError, "Line 0 ends in padding"),
        intervene(llama, torch.zeros_like, at="model.layers.0", where="last"),
    ):
        llama(padded.flip(1), attention_mask=mask.flip(1))


@pytest.mark.parametrize(
    "at",
    [
        ["0", Site("0", every=True)],
        ["0", Site("0", axis=1)],
        [Site("0", side="input"), Site("0", side="input", item="input")],
    ],
)
def test_one_place_by_two_spellings_is_refused(at):
    net = nn.Sequential(nn.Linear(2, 2))
    with (
        refuses(ValueError, "The sites are .*; expected at least one, each once"),
        intervene(net, torch.neg, at),
    ):
        net(torch.ones(1, 2))
