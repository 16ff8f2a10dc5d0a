import copy

import numpy as np
import pytest
import torch
from refusals import refuses
from torch import nn
from torch.utils.checkpoint import checkpoint

from latent_anchors.interventions import (
    Onwards,
    Suppression,
    attach,
    constant_falloff,
    intervene,
)
from latent_anchors.models import Population, Site

IDS = torch.tensor([[1, 2, 3, 4], [5, 6, 7, 0]])
MASK = torch.tensor([[True, False, True, False], [False, False, False, True]])
MUTE = Suppression([1.0, 2.0, 0.0], constant_falloff)


class Cache:
    """The sum of all tokens so far, and how many there were."""

    def __init__(self):
        self.total, self.length = 0.0, 0

    def get_seq_length(self):
        return self.length


class Language(nn.Module):
    """Each position's output is the sum of all latents up to there."""

    def __init__(self):
        super().__init__()
        torch.manual_seed(0)
        self.embed = nn.Embedding(8, 3)
        self.fails = False

    def forward(self, ids, attention_mask=None, cache=None, use_cache=None):
        del attention_mask, use_cache
        sums = self.embed(ids).cumsum(1)
        if self.fails:
            raise ZeroDivisionError
        if cache is not None:
            sums = sums + cache.total
            cache.total, cache.length = sums[:, -1:], cache.length + ids.shape[1]
        return sums


@pytest.fixture
def model():
    return Language()


def generated(model, prompt=IDS[:, :2], rest=IDS[:, 2:]):
    """A prompt, then one token at a time, with a cache."""
    cache = Cache()
    parts = [prompt, *rest.split(1, dim=1)]
    return torch.cat([model(part, cache=cache) for part in parts], dim=1)


def expected(model, mask, edit=MUTE):
    """The same without hooks, by the definition of a mask."""
    z = model.embed(IDS)
    return torch.where(mask[..., None], edit(z), z).cumsum(1)


@pytest.mark.parametrize("given", [MASK, MASK.long(), MASK.numpy().astype(np.int64)])
def test_where_the_mask_is_true_latents_are_edited_and_elsewhere_not(given, model):
    z = model.embed(IDS)
    with intervene(model, MUTE, at="embed", where=given):
        edited = model.embed(IDS)
    assert torch.equal(edited[MASK], MUTE(z)[MASK])
    assert torch.equal(edited[~MASK], z[~MASK])
    assert not torch.allclose(edited[MASK], z[MASK])


def test_it_works_with_compositions_and_strengths_that_change(model):
    both = MUTE.then(Suppression([0.0, 0.0, 1.0])).at(0.5)
    by_hand = expected(model, MASK, both)
    with intervene(model, both, at="embed", where=MASK):
        torch.testing.assert_close(model(IDS), by_hand)
        both.strength.fill_(0.0)
        unedited = model(IDS)
    assert torch.equal(unedited, model(IDS))


def test_channels_may_be_on_another_axis_and_samples_may_have_no_positions():
    images, samples = torch.randn(2, 3, 4, 5), torch.randn(2, 3)
    layer = nn.Sequential(nn.Identity())
    left = torch.arange(5).expand(2, 4, 5) < 2
    with intervene(layer, torch.zeros_like, at=Site("0", axis=1), where=left):
        edited = layer(images)
    assert not edited[..., :2].any()
    assert torch.equal(edited[..., 2:], images[..., 2:])
    with intervene(layer, torch.zeros_like, at="0", where=torch.tensor([True, False])):
        assert layer(samples).any(-1).tolist() == [False, True]


def test_the_mask_of_a_prompt_leaves_what_is_generated_after_it(model):
    with intervene(model, MUTE, at="embed", where=MASK[:, :2]):
        found = generated(model)
    only = MASK & (torch.arange(4) < 2)
    torch.testing.assert_close(found, expected(model, only))
    with (
        refuses(ValueError, r"shape \(2, 2\), and the latents .* \(2, 1, 3\).*shape \(2, 3\)"),
        intervene(model, MUTE, at="embed", where=MASK[:, :2]),
    ):
        cache = Cache()
        cache.length = 2
        model(IDS[:, 2:3], cache=cache)


def test_a_mask_speaks_of_what_is_in_the_cache_too(model):
    cache = Cache()
    with intervene(model, MUTE, at="embed", where=MASK[:, :1]):
        first = model(IDS[:, :1], cache=cache)
    with intervene(model, MUTE, at="embed", where=MASK):
        second = model(IDS[:, 1:], cache=cache)
    torch.testing.assert_close(torch.cat([first, second], 1), expected(model, MASK))


@pytest.mark.parametrize("prompt", [1, 2])
def test_prefill_and_decoding_are_known_by_the_cache_and_not_by_the_length(prompt, model):
    begins = torch.arange(4).expand(2, 4) < prompt
    for where, mask in (("prefill", begins), ("decode", ~begins)):
        with intervene(model, MUTE, at="embed", where=where):
            found = generated(model, IDS[:, :prompt], IDS[:, prompt:])
        torch.testing.assert_close(found, expected(model, mask))


def test_the_last_position_is_that_of_each_pass(model):
    last = torch.arange(4).expand(2, 4) == 3
    with intervene(model, MUTE, at="embed", where="last"):
        whole, by_token = model(IDS), generated(model)
    torch.testing.assert_close(whole, expected(model, last))
    torch.testing.assert_close(by_token, expected(model, torch.arange(4) > 0))


RIGHT = torch.tensor([[1, 1, 1, 1], [1, 1, 0, 0]])


@pytest.mark.parametrize(
    "mask",
    [
        RIGHT,
        (RIGHT[:, None, None, :].bool() & torch.ones(4, 4).tril().bool()),
        (1.0 - RIGHT[:, None, None, :].float()) * -1e9,
    ],
    ids=["flat", "prepared", "added"],
)
def test_the_last_position_of_lines_that_end_in_padding_is_refused(mask, model):
    for args, named in (((IDS,), {"attention_mask": mask}), ((IDS, mask), {})):
        with (
            refuses(ValueError, "Line 1 ends in padding.*padding on the left for where='last'"),
            intervene(model, MUTE, at="embed", where="last"),
        ):
            model(*args, **named)
    with intervene(model, MUTE, at="embed", where="last"):
        model(IDS, attention_mask=mask.flip(-1))
        model(IDS, attention_mask=None)


def test_without_a_cache_prefill_and_decoding_are_refused(model):
    with (
        refuses(RuntimeError, "over 4 positions without a cache .* may be a prompt or a contin"),
        intervene(model, MUTE, at="embed", where="prefill"),
    ):
        model(IDS, use_cache=False)
    with (
        refuses(RuntimeError, "over 2 positions after 2 in the cache .* may be a prompt"),
        intervene(model, MUTE, at="embed", where="decode"),
    ):
        generated(model, IDS[:, :2], torch.zeros(2, 0, dtype=torch.long))
        cache = Cache()
        for part in (IDS[:, :2], IDS[:, 2:]):
            model(part, cache=cache)


def test_a_pass_that_failed_leaves_nothing_behind(model):
    model.fails = True
    with (
        refuses(RuntimeError, "over 1 positions without a cache"),
        intervene(model, MUTE, at="embed", where="prefill"),
    ):
        with pytest.raises(ZeroDivisionError):
            model(IDS, cache=Cache())
        model.embed(IDS[:, :1])


def test_an_edit_of_passes_that_never_came_is_refused(model):
    with (
        refuses(RuntimeError, "never acted within the block.* with where='decode'"),
        intervene(model, MUTE, at="embed", where="decode"),
    ):
        model(IDS)


@pytest.mark.parametrize(
    ("where", "error", "message"),
    [
        ("first", ValueError, "Unknown positions, where = 'first'; expected one of 'last'"),
        (MASK.float(), TypeError, "where is of type torch.float32; expected torch.bool"),
        (
            MASK[:, 1:],
            ValueError,
            r"shape \(2, 3\), .* \(2, 4, 3\) in this pass; expected.*\(2, 4\)",
        ),
        (MASK[:1], ValueError, r"shape \(1, 4\).* \(2, 4, 3\) .*repeat_interleave"),
    ],
)
def test_what_cannot_be_where_is_refused(where, error, message, model):
    with refuses(error, message), intervene(model, MUTE, at="embed", where=where):
        model(IDS)


def test_latents_without_positions_have_no_last_one():
    layer = nn.Sequential(nn.Identity())
    with (
        refuses(ValueError, r"have shape \(2, 3\); expected \(batch, position, dim\) for where='l"),
        intervene(layer, MUTE, at="0", where="last"),
    ):
        layer(torch.ones(2, 3))


def test_afterwards_and_in_a_copy_there_is_nothing(model):
    def kept(module):
        tables = ("_forward_pre_hooks", "_forward_hooks")
        flags = ("_forward_pre_hooks_with_kwargs", "_forward_hooks_always_called")
        return [
            len(getattr(layer, name)) for layer in module.modules() for name in (*tables, *flags)
        ]

    before = model(IDS)
    handle = attach(model, MUTE, at="embed", where="last")
    assert sum(kept(model)) > 2
    copied = copy.deepcopy(model)
    assert torch.equal(copied(IDS), before)
    handle.remove()
    assert not any(kept(model))
    with intervene(model, MUTE, at="embed", where="last"):
        model(IDS)
    assert not any(kept(model))
    assert torch.equal(model(IDS), before)


def test_runs_share_a_mask_or_have_one_each():
    models = Population.from_models([nn.Sequential(nn.Linear(3, 3)) for _ in range(2)])
    x = torch.randn(2, 4, 3)
    z, own = models(x), torch.stack([MASK, ~MASK])
    for where, mask in ((MASK, MASK.expand(2, 2, 4)), (own, own)):
        with intervene(models, MUTE, at="0", where=where):
            edited = models(x)
        torch.testing.assert_close(edited, torch.where(mask[..., None], MUTE(z), z))
    with intervene(models, MUTE, at="0", where="last"):
        edited = models(x)
    assert torch.equal(edited[:, :, :-1], z[:, :, :-1])
    assert not torch.equal(edited[:, :, -1], z[:, :, -1])


@pytest.mark.parametrize("reentrant", [True, False])
def test_a_checkpoint_recomputes_the_edit_at_the_same_positions(reentrant):
    layer = nn.Sequential(nn.Linear(3, 3), nn.Tanh())
    x = torch.randn(2, 4, 3, requires_grad=True)
    with intervene(layer, MUTE, at="0", where=MASK):
        (plain,) = torch.autograd.grad(layer(x).square().sum(), x)
        out = checkpoint(layer, x, use_reentrant=reentrant).square().sum()
    out.backward()
    torch.testing.assert_close(x.grad, plain)


@pytest.mark.parametrize("reentrant", [True, False])
@pytest.mark.parametrize("dtype", [torch.bool, torch.long])
def test_a_mask_written_to_before_backward_does_not_reach_what_is_run_again(reentrant, dtype):
    layer, mask = nn.Sequential(nn.Linear(3, 3), nn.Tanh()), MASK.to(dtype, copy=True)
    x = torch.randn(2, 4, 3, requires_grad=True)
    with intervene(layer, MUTE, at="0", where=mask):
        (plain,) = torch.autograd.grad(layer(x).square().sum(), x)
        out = checkpoint(layer, x, use_reentrant=reentrant).square().sum()
    mask.zero_()
    out.backward()
    torch.testing.assert_close(x.grad, plain)


@pytest.mark.parametrize("dtype", [torch.bool, torch.long])
def test_a_mask_written_to_within_the_block_is_refused_whatever_its_type(dtype):
    model, mask = nn.Sequential(nn.Identity()), MASK.to(dtype, copy=True)
    with intervene(model, MUTE, at="0", where=mask):
        model(torch.randn(2, 4, 3))
        mask.zero_()
        with refuses(
            RuntimeError, "mask of the edit at '0' was written to after it had been given"
        ):
            model(torch.randn(2, 4, 3))


def test_a_pass_while_torch_compiles_is_refused_in_a_model_that_takes_a_cache(model, monkeypatch):
    with attach(model, MUTE, at="embed", where=MASK):
        monkeypatch.setattr(torch.compiler, "is_compiling", lambda: True)
        with refuses(RuntimeError, "compiled code cannot follow in a model that takes a cache"):
            model(IDS)


@pytest.mark.compiled
@pytest.mark.filterwarnings("ignore:Dynamo does not know how to trace")
def test_compiled_code_that_takes_a_cache_is_refused(model):
    handle = attach(model, MUTE, at="embed", where=MASK)
    with (
        torch.no_grad(),
        refuses(Exception, "compiled code cannot follow in a model that takes a cache"),
    ):
        torch.compile(model, backend="eager")(IDS)
    handle.remove()
    plain = nn.Sequential(nn.Linear(3, 3))
    with torch.no_grad(), attach(plain, MUTE, at="0", where=MASK):
        x = torch.randn(2, 4, 3)
        assert not torch.equal(plain(x)[MASK], plain[0].forward(x)[MASK])
        torch.testing.assert_close(torch.compile(plain, backend="eager")(x), plain(x))
    torch.compiler.reset()


class Layered(nn.Module):
    """Its layer gets its own of the masks, as those of models with a sliding window do."""

    def __init__(self):
        super().__init__()
        self.language = Language()

    def forward(self, ids, attention_mask):
        return self.language(ids, attention_mask=attention_mask["full_attention"])


def test_a_mask_for_each_kind_of_layer_says_where_padding_is():
    layered, last = Layered(), torch.arange(4).expand(2, 4) == 3
    causal = torch.ones(4, 4).tril().bool().expand(2, 1, 4, 4)
    with intervene(layered, MUTE, at="language.embed", where="last"):
        edited = layered(IDS, attention_mask={"full_attention": causal})
        padded = {"full_attention": causal & (IDS > 0)[:, None, None]}
        with refuses(ValueError, "Line 1 ends in padding"):
            layered(IDS, attention_mask=padded)
    torch.testing.assert_close(edited, expected(layered.language, last))


def test_the_last_position_is_not_that_of_drafts_which_are_verified_together(model):
    with (
        refuses(RuntimeError, "over 2 positions after 2 in the cache .* may verify a draft"),
        intervene(model, MUTE, at="embed", where="last"),
    ):
        cache = Cache()
        for part in IDS.split(2, dim=1):
            model(part, cache=cache)


class Numbered(nn.Module):
    """It says where each line begins."""

    def __init__(self):
        super().__init__()
        self.embed = nn.Embedding(8, 3)

    def forward(self, ids, position_ids, attention_mask=None):
        del position_ids, attention_mask
        return self.embed(ids)


@pytest.mark.parametrize("where", ["last", Onwards(torch.ones(3), within=90)])
def test_rows_of_several_lines_are_refused_where_an_edit_is_about_one(where):
    packed = torch.tensor([[0, 1, 2, 3], [0, 1, 0, 1]])
    padded = torch.tensor([[0, 1, 2, 3], [1, 1, 0, 1]])
    real = torch.tensor([[1, 1, 1, 1], [0, 0, 1, 1]])
    numbered = Numbered()
    with intervene(numbered, MUTE, at="embed", where=where):
        numbered(IDS, position_ids=padded, attention_mask=real)
        with refuses(ValueError, "The position_ids of a row begin again, so that it holds several"):
            numbered(IDS, position_ids=packed)


def test_masks_for_more_runs_than_there_are_are_refused():
    models = Population.from_models(
        [nn.Sequential(nn.Identity(), nn.Linear(3, 1)) for _ in range(2)]
    )
    with (
        refuses(ValueError, "where holds masks for 3 runs at '0', and the population has 2"),
        intervene(models, torch.neg, at="0", where=torch.eye(3).bool()),
    ):
        models(torch.ones(3, 3))


class State(Cache):
    """That of layers of linear attention, which do not count positions."""

    def get_seq_length(self):
        raise ValueError("no layer counts")

    def has_previous_state(self):
        return self.length > 0


@pytest.mark.parametrize("prompt", [1, 2])
@pytest.mark.parametrize("where", ["prefill", "decode", "mask"])
def test_where_there_is_a_state_without_a_length_prompts_differ_from_what_follows(
    model, where, prompt
):
    cache, z = State(), model.embed(IDS)
    before = torch.arange(4)[:, None] < prompt
    changes = ~before if where == "decode" else before
    expected = torch.where(changes, MUTE(z), z).cumsum(1)
    given = torch.ones(2, prompt, dtype=torch.bool) if where == "mask" else where
    with intervene(model, MUTE, "embed", where=given):
        passes = [model(IDS[:, :prompt], cache=cache)]
        passes += [model(IDS[:, [k]], cache=cache) for k in range(prompt, 4)]
    torch.testing.assert_close(torch.cat(passes, 1), expected)


def test_a_mask_cannot_be_laid_on_a_state_that_began_elsewhere(model):
    cache = State()
    model(IDS[:, :2], cache=cache)
    refused = refuses(RuntimeError, "continues a state that does not say how many positions")
    with refused, intervene(model, MUTE, "embed", where=torch.ones(2, 1, dtype=torch.bool)):
        model(IDS[:, [2]], cache=cache)
