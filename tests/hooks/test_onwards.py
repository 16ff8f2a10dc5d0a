import math
from functools import partial

import pytest
import torch
from hooks.test_positions import IDS, Cache, Language
from refusals import refuses
from torch import nn

from latent_anchors.evaluation import opening_angles
from latent_anchors.interventions import Onwards, Suppression, constant_falloff, intervene
from latent_anchors.models import Population

V = torch.tensor([1.0, 2.0, 0.0])
MUTE = Suppression(V, constant_falloff)


def by_hand(z, within, among=None, averaged=False):
    """The definition, line by line."""
    opened = torch.zeros(z.shape[:2], dtype=torch.bool)
    for line in range(z.shape[0]):
        so_far = []
        for position in range(z.shape[1]):
            if among is not None and not among[line, position]:
                continue
            so_far = [*(so_far if averaged else []), z[line, position]]
            cosine = torch.cosine_similarity(torch.stack(so_far).mean(0), V, dim=0)
            if cosine > math.cos(math.radians(within)):
                opened[line, position:] = True
    return opened


@pytest.mark.parametrize("within", [40.0, 80.0, 120.0])
@pytest.mark.parametrize("among", [None, torch.tensor([[0, 1, 1, 1], [0, 0, 1, 1]])])
@pytest.mark.parametrize("averaged", [False, True])
def test_an_edit_acts_from_the_first_position_near_the_direction_onwards(within, among, averaged):
    model = Language()
    z = model.embed(IDS)
    gate = by_hand(z, within, among, averaged)
    with intervene(model, MUTE, at="embed", where=Onwards(V, within, among, averaged=averaged)):
        found = model.embed(IDS)
    assert torch.equal(found, torch.where(gate[..., None], MUTE(z), z))


def test_a_gate_that_opened_is_wider_than_one_that_looks_at_each_position():
    z = torch.randn(20, 30, 3, generator=torch.Generator().manual_seed(3))
    each = torch.cosine_similarity(z, V, dim=-1) > math.cos(math.radians(30))
    opened = Onwards(V, 30).opened(z)
    assert (opened >= each).all()
    assert opened.sum() > 2 * each.sum()


def test_one_position_near_the_direction_after_others_opens_no_averaged_gate():
    line = torch.tensor([[[-2.0, 1.0, 0.0]] * 3 + [[1.0, 2.0, 0.0]] + [[-2.0, 1.0, 0.0]]])
    assert Onwards(V, 40).opened(line).tolist() == [[False, False, False, True, True]]
    assert not Onwards(V, 40, averaged=True).opened(line).any()


def test_what_is_not_finite_before_the_prompt_leaves_an_averaged_gate_as_it_is():
    z = torch.randn(1, 6, 3, generator=torch.Generator().manual_seed(5))
    among = torch.tensor([[0, 0, 1, 1, 1, 1]])
    broken = torch.cat([z[:, :2] * torch.nan, z[:, 2:]], 1)
    gate = Onwards(V, 60, among, averaged=True)
    assert torch.equal(gate.opened(broken), gate.opened(z))


@pytest.mark.parametrize("averaged", [False, True])
def test_a_share_of_positions_is_open_at_that_quantile_of_opening_angles(averaged):
    lines = 40
    z = torch.randn(lines, 9, 3, generator=torch.Generator().manual_seed(6))
    among = torch.arange(9).expand(lines, 9) > 1
    gate = partial(Onwards, V, among=among, averaged=averaged)
    angles = opening_angles(gate(180).cosines(z), among)
    for share in (0.2, 0.7):
        opened = gate(float(angles.nanquantile(share)) + 1e-3).opened(z)[among]
        assert abs(float(opened.float().mean()) - share) <= 1 / lines  # positions open together


@pytest.mark.parametrize("dtype", [torch.bool, torch.long])
def test_what_it_was_given_may_be_written_to_afterwards(dtype):
    direction, among = V.clone(), torch.zeros(2, 4).to(dtype)
    gate = Onwards(direction, 90, among)
    direction.zero_()
    among.fill_(1)
    assert not gate.opened(V.expand(2, 4, 3)).any()


def test_positions_after_those_of_a_prompt_may_open_it():
    z = torch.randn(4, 6, 3, generator=torch.Generator().manual_seed(5))
    prompt = torch.zeros(4, 3, dtype=torch.bool)
    whole = torch.cat([prompt, torch.ones(4, 3, dtype=torch.bool)], 1)
    assert torch.equal(Onwards(V, 60, prompt).opened(z), Onwards(V, 60, whole).opened(z))
    assert not torch.equal(Onwards(V, 60).opened(z), Onwards(V, 60, whole).opened(z))


def test_lengths_of_latents_and_precision_do_not_count():
    z = torch.randn(4, 9, 3, generator=torch.Generator().manual_seed(4))
    assert torch.equal(Onwards(V, 50).opened(100 * z), Onwards(V, 50).opened(z))
    assert torch.equal(
        Onwards(V, 50).opened(z.bfloat16()), Onwards(V, 50).opened(z.bfloat16().float())
    )


@pytest.mark.parametrize("within", [20, 100])
@pytest.mark.parametrize("averaged", [False, True])
def test_padding_opens_nothing(within, averaged):
    model = Language()
    with torch.no_grad():
        model.embed.weight[0] = V
    ids = torch.tensor([[0, 1, 2, 3]])
    counts = (ids > 0).long()
    with intervene(model, MUTE, at="embed", where=Onwards(V, within, averaged=averaged)):
        seen, unmasked = model(ids, attention_mask=counts), model(ids)
        assert torch.equal(model(ids, counts), seen)  # by position
    gate = by_hand(model.embed(ids), within, counts, averaged)
    z = model.embed(ids)
    torch.testing.assert_close(seen, torch.where(gate[..., None], MUTE(z), z).cumsum(1))
    assert not torch.equal(seen, unmasked)


@pytest.mark.parametrize("averaged", [False, True])
def test_runs_of_a_population_open_their_own_gates(averaged):
    def make():
        return nn.Sequential(nn.Embedding(8, 3))

    population = Population.make(make, seeds=[0, 1])
    with intervene(population, MUTE, at="0", where=Onwards(V, 60, averaged=averaged)):
        together = population(IDS)
    for run in range(2):
        alone = population[run]
        with intervene(alone, MUTE, at="0", where=Onwards(V, 60, averaged=averaged)):
            torch.testing.assert_close(together[run], alone(IDS))


def test_a_pass_that_continues_a_cache_is_refused():
    model, cache = Language(), Cache()
    with intervene(model, MUTE, at="embed", where=Onwards(V, 40)):
        model(IDS[:, :2], cache=cache)
        with refuses(RuntimeError, "continues a cache, and where=Onwards.within=40. has to see"):
            model(IDS[:, 2:], cache=cache)


class States(Cache):
    """What layers of linear attention keep: it does not say how long it is."""

    def get_seq_length(self):
        raise ValueError

    def has_previous_state(self):
        return self.length > 0


class Recurrent(Language):
    """It carries the sum of all tokens so far under another name."""

    def forward(self, ids, state=None):
        sums = self.embed(ids).cumsum(1)
        return sums if state is None else sums + state


@pytest.mark.parametrize(
    ("model", "first", "then"),
    [
        (Recurrent(), {}, {"state": torch.ones(2, 1, 3)}),
        (Language(), {"cache": States()}, {}),
    ],
)
def test_a_pass_that_continues_a_state_is_refused(model, first, then):
    with intervene(model, MUTE, at="embed", where=Onwards(V, 40)):
        model(IDS[:, :2], **first)
        with refuses(RuntimeError, "continues a cache, and where=Onwards"):
            model(IDS[:, 2:], **first | then)


def test_an_attention_mask_that_does_not_say_what_is_padding_is_refused():
    model, mask = Language(), torch.ones(2, 1, 4, 4, dtype=torch.bool).tril()
    with intervene(model, MUTE, at="embed", where=Onwards(V, 40)):
        model(IDS, attention_mask=mask[:, 0, -1])
        with refuses(ValueError, r"shape \(2, 1, 4, 4\), which does not say what is padding"):
            model(IDS, attention_mask=mask)


@pytest.mark.parametrize(
    ("gate", "says"),
    [
        (lambda: Onwards(V, 200), "within is 200"),
        (lambda: Onwards(V, 0), "within is 0 degrees, which nothing lies within"),
        (lambda: Onwards(V, 20).opened(torch.zeros(2, 3)), r"expected \(batch, position, dim\)"),
        (lambda: Onwards([0, 0, 0], 20), "points nowhere"),
        (lambda: Onwards(V, 20).opened(torch.zeros(1, 2, 5)), "Onwards was made for 3"),
        (
            lambda: Onwards(V, 20, torch.ones(3, 3, dtype=torch.bool)).opened(torch.zeros(1, 2, 3)),
            r"among has shape \(3, 3\) and the latents \(1, 2, 3\)",
        ),
    ],
)
def test_a_gate_that_fits_nothing_is_refused(gate, says):
    with refuses(ValueError, says):
        gate()


def test_latents_without_positions_are_refused():
    model = nn.Sequential(nn.Identity())
    with intervene(model, MUTE, at="0", where=Onwards(V, 20)):
        model(torch.zeros(1, 2, 3))
        with refuses(ValueError, r"expected \(batch, position, dim\) for where=Onwards"):
            model(torch.zeros(2, 3))


def test_compiled_code_does_not_say_which_positions_are_padding(monkeypatch):
    class Masked(nn.Module):
        def __init__(self):
            super().__init__()
            self.embed = nn.Embedding(8, 3)

        def forward(self, ids, attention_mask=None):
            del attention_mask
            return self.embed(ids)

    model = Masked()
    with intervene(model, MUTE, at="embed", where=Onwards(V, 20)):
        model(IDS)
        monkeypatch.setattr(torch.compiler, "is_compiling", lambda: True)
        with refuses(RuntimeError, "has to know which positions are padding"):
            model(IDS)


class Named(nn.Module):
    """It carries what came before under another name."""

    def __init__(self, name):
        super().__init__()
        self.embed, self.name = nn.Embedding(8, 3), name

    def forward(self, ids, cache_params=None, mems=None, kv=None):
        del cache_params, mems, kv
        return self.embed(ids)


@pytest.mark.parametrize(
    ("name", "before"),
    [("cache_params", Cache()), ("kv", Cache()), ("mems", [torch.ones(2, 1, 3)])],
)
def test_a_cache_is_known_whatever_its_name(name, before):
    model = Named(name)
    if isinstance(before, Cache):
        before.length = 2
    with intervene(model, MUTE, at="embed", where=Onwards(V, 40)):
        model(IDS, mems=[])
        with refuses(RuntimeError, "continues a cache, and where=Onwards"):
            model(IDS, **{name: before})
