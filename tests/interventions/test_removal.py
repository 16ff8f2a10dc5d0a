"""Directions removed from all that writes into a stream, beside the edit that this equals."""

from contextlib import ExitStack

import pytest
import torch
from refusals import refuses
from torch import nn
from torch.nn import functional

import latent_anchors as la
from latent_anchors.interventions import (
    Projection,
    SiteLayers,
    ablate,
    attach,
    intervene,
    orthogonalize,
)
from latent_anchors.models import (
    NormalizedTransformer,
    Population,
    PrenormTransformer,
    Site,
    record,
)

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


def test_a_stream_that_is_kept_at_length_one_loses_it_too():
    torch.manual_seed(0)
    model = NormalizedTransformer(vocabulary=12, width=8, depth=2, heads=2, hidden=12)
    clean = orthogonalize(model, V, at=model.sites, example=TOKENS, side="both")
    with record(model, model.sites) as before, record(clean, model.sites) as after:
        model(TOKENS), clean(TOKENS)
    for site in model.sites:
        assert (before[site] @ V).abs().mean() > 0.1
        torch.testing.assert_close(after[site] @ V, torch.zeros(TOKENS.shape), atol=1e-5, rtol=0)
    torch.testing.assert_close(after["blocks.1"].norm(dim=-1), torch.ones(TOKENS.shape))
    for block in clean.blocks:
        for reader in (block.attention.qkv, block.up):
            torch.testing.assert_close(reader.weight @ V, torch.zeros(len(reader.weight)))


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


class Remembering(nn.Module):
    """Counts its passes, and keeps what it computed of its weight in the first."""

    def __init__(self):
        super().__init__()
        self.weight, self.doubled = nn.Parameter(torch.randn(8)), None
        self.register_buffer("passes", torch.zeros(()))

    def forward(self, h):
        self.passes += 1
        if self.doubled is None:
            self.doubled = 2 * self.weight
        return h + self.doubled


@pytest.mark.parametrize("inplace", [False, True])
def test_what_the_pass_on_the_example_leaves_behind_is_forgotten(inplace):
    model = stack(Block(), Remembering())
    clean = orthogonalize(model, V, "blocks.1", TOKENS, inplace=inplace)
    assert clean.blocks[1].passes == 0
    with record(clean, "blocks.1") as after:
        clean(TOKENS)
    torch.testing.assert_close(after["blocks.1"] @ V, torch.zeros(3, 5), atol=1e-5, rtol=0)


class Merging(nn.Linear):
    """Adds a shift to its bias while it is evaluated."""

    def __init__(self):
        super().__init__(8, 8)
        self.shift, self.merged = nn.Parameter(torch.randn(8)), False

    def train(self, mode=True):
        if self.merged == mode:
            self.bias.data += self.shift.detach() * (-1 if mode else 1)
            self.merged = not mode
        return super().train(mode)

    def forward(self, h):
        return h + super().forward(h) + (0 if self.merged else self.shift)


def test_weights_that_merge_themselves_in_evaluation_are_counted_once():
    model = stack(Block(), Merging())
    clean = orthogonalize(model, V, "blocks.1", TOKENS)
    for mode in (True, False):
        clean.train(mode)
        with record(clean, "blocks.1") as after:
            clean(TOKENS)
        torch.testing.assert_close(after["blocks.1"] @ V, torch.zeros(3, 5), atol=1e-4, rtol=0)


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


def read(model, inputs, rows, readers):
    """The output under an edit at the input of each of some layers, behind factors of norms."""
    with ExitStack() as edits:
        for name, scale in readers.items():

            def project(_, given, scale=scale):
                along = (given[0] / scale) @ rows.mT
                return (given[0] - along @ rows * scale,)

            hook = model.get_submodule(name).register_forward_pre_hook(project)
            edits.callback(hook.remove)
        return model(inputs)


class Gated(nn.Module):
    """Half of a transformer's block with a norm written out, as Gemma's is."""

    def __init__(self, width=8):
        super().__init__()
        self.weight = nn.Parameter(torch.randn(width))
        self.gate, self.up = nn.Linear(width, 6, bias=False), nn.Linear(width, 6)
        self.down = nn.Linear(6, width)

    def forward(self, h):
        x = h * (h.pow(2).mean(-1, keepdim=True) + 1e-6).rsqrt() * (1 + self.weight)
        return h + self.down(self.gate(x).sigmoid() * self.up(x))


@pytest.mark.parametrize("directions", [V / V.norm(), torch.eye(8)[[3, 6]]])
def test_no_layer_reads_along_directions_behind_norms_and_their_weights(directions):
    model = stack(nn.Identity(), Gated(), Block())
    nn.init.normal_(model.blocks[2].norm.weight)
    blind = orthogonalize(model, directions, "blocks.0", TOKENS, side="reading")
    gemma, layer = 1 + model.blocks[1].weight, model.blocks[2].norm.weight
    readers = {"blocks.1.gate": gemma, "blocks.1.up": gemma, "blocks.2.up": layer, "logits": 1.0}
    expected = read(model, TOKENS, directions.reshape(-1, 8), readers)
    torch.testing.assert_close(blind(TOKENS), expected)
    assert not torch.allclose(blind(TOKENS), model(TOKENS), atol=1e-2)


def test_both_sides_of_a_stream_without_centering_are_the_writing_side():
    model = stack(Gated(), Gated())
    both, writing = (
        orthogonalize(model, V, ["blocks.0", "blocks.1"], TOKENS, side=side)
        for side in ("both", "writing")
    )
    torch.testing.assert_close(both(TOKENS), writing(TOKENS))
    assert not torch.equal(both.blocks[1].up.weight, writing.blocks[1].up.weight)


class Odd(nn.Module):
    """A stream that something else than a linear layer reads."""

    def __init__(self, read):
        super().__init__()
        self.one, self.two, self.sum = nn.Linear(3, 8), nn.Linear(3, 8), nn.Identity()
        self.head, self.gain, self.read = nn.Linear(8, 2), nn.Parameter(torch.zeros(8)), read

    def forward(self, x):
        return self.read(self, self.sum(self.one(x) + self.two(x)))


X = torch.rand(4, 3, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize(
    ("reads", "match"),
    [
        (lambda m, z: (m.head(z), z), "reach the output of the model itself"),
        (lambda m, z: m.head(z.tanh()), "are read by 'tanh'"),
        (lambda m, z: m.head(z) + z.norm(dim=-1, keepdim=True), "are read by 'linalg_vector_norm'"),
        (lambda m, _: m.head(m.one.weight.mT), "are read by no weights"),
        (lambda m, z: m.head(z).sum() + z @ z.mT, "are multiplied by other values in 'mm'"),
        (lambda m, z: m.head(z).sum() + z @ m.one.weight, "are read by 'one.weight', which"),
        (lambda m, z: m.head(z) + m.head(z * m.gain), "are read by 'head.weight' in two ways"),
    ],
)
def test_a_stream_that_something_else_reads_is_refused(reads, match):
    with refuses(ValueError, f"The latents at 'sum' {match}.* Choose side='writing'"):
        orthogonalize(Odd(reads), V, "sum", X, side="reading")
    assert orthogonalize(Odd(reads), V, "sum", X) is not None


class Filtered(nn.Module):
    """A stream of images, and what reads it."""

    def __init__(self, read):
        super().__init__()
        self.one, self.two, self.sum = nn.Conv2d(3, 8, 3), nn.Conv2d(3, 8, 3), nn.Identity()
        self.narrow, self.wide = nn.Conv2d(8, 2, 1), nn.Conv2d(8, 2, 3, padding=1)
        self.grouped, self.upward = nn.Conv2d(8, 2, 1, groups=2), nn.ConvTranspose2d(8, 2, 1)
        self.read = read

    def forward(self, x):
        return self.read(self, self.sum(self.one(x) + self.two(x)))


IMAGES = torch.rand(2, 3, 6, 6, generator=torch.Generator().manual_seed(0))


def test_convolutions_read_nothing_along_the_direction():
    model, at = Filtered(lambda m, z: m.narrow(z) * m.wide(z)), Site("sum", axis=1)
    blind = orthogonalize(model, V, at, IMAGES, side="reading")
    torch.testing.assert_close(blind(IMAGES), edited(model, [at], V / V.norm(), IMAGES))
    assert not torch.allclose(blind(IMAGES), model(IMAGES), atol=1e-3)
    assert torch.equal(blind.one.weight, model.one.weight)


@pytest.mark.parametrize(
    "reads",
    [
        lambda m, z: m.narrow(z) + m.grouped(z),
        lambda m, z: m.narrow(z) + m.upward(z),
        lambda m, z: m.narrow(z).mean() + functional.conv2d(torch.ones(1, 8, 4, 4), z),
    ],
    ids=["of groups", "transposed", "with the stream as its weights"],
)
def test_convolutions_that_do_not_sum_over_all_channels_of_the_stream_are_refused(reads):
    with refuses(ValueError, "are read by 'convolution'.* Choose side='writing'"):
        orthogonalize(Filtered(reads), V, Site("sum", axis=1), IMAGES, side="reading")


def test_directions_off_the_axes_need_factors_other_than_zero_to_be_read():
    model = Odd(lambda m, z: m.head(z * m.gain))
    with refuses(ValueError, "'gain' let channels of the direction through to no reader"):
        orthogonalize(model, V, "sum", X, side="reading")
    assert not ablate(model, [1], "sum", X, side="reading").head.weight[:, 1].any()


class Counted(nn.Identity):
    """Counts its passes and copies, those of its copies included."""

    def __init__(self, passes, copies):
        super().__init__()
        self.passes, self.copies = passes, copies

    def forward(self, h):
        self.passes.append(1)
        return h

    def __deepcopy__(self, memo):
        self.copies.append(1)
        return Counted(self.passes, self.copies)


@pytest.mark.parametrize(("inplace", "copies"), [(False, 1), (True, 0)])
def test_a_stream_of_many_layers_takes_one_forward_pass_and_at_most_one_copy(inplace, copies):
    counted = Counted([], [])
    model = stack(counted, *(Block() for _ in range(12)))
    orthogonalize(model, V, "blocks.12", TOKENS, inplace=inplace)
    assert len(counted.passes) == 1
    assert len(counted.copies) == copies


def test_a_site_that_runs_several_times_counts_each_time():
    shared = Block()
    model = stack(shared, shared)
    clean = orthogonalize(model, V, "blocks.0", TOKENS)
    with record(clean, Site("blocks.0", every=True)) as z:
        clean(TOKENS)
    torch.testing.assert_close(
        z[Site("blocks.0", every=True)] @ V, torch.zeros(2, 3, 5), atol=1e-5, rtol=0
    )


def test_sites_that_are_no_stream_are_cut_one_by_one():
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(3, 8), nn.Identity(), nn.Linear(8, 8), nn.Identity())
    model.append(nn.Linear(8, 2))
    expected = orthogonalize(model, V, SiteLayers("0", ("2",)))
    expected = orthogonalize(expected, V, SiteLayers("2", ("4",)))
    assert orthogonalize(model, V, ["1", "3"], X, inplace=True) is model
    torch.testing.assert_close(model.state_dict(), expected.state_dict())


@pytest.mark.parametrize("inplace", [False, True])
def test_weights_that_are_not_here_are_refused_by_name(inplace):
    model = stack()
    model.blocks[1].down.to("meta")
    with refuses(ValueError, "'blocks.1.down.weight' has no values.* Gather"):
        orthogonalize(model, V, "blocks.1", TOKENS, inplace=inplace)


def test_weights_in_the_memory_of_others_are_refused():
    model = stack()
    model.logits.weight = nn.Parameter(model.tokens.weight.data)
    with refuses(ValueError, "'tokens.weight' lies in the same memory as 'logits.weight'"):
        orthogonalize(model, V, "blocks.1", TOKENS, inplace=True)
    clean = orthogonalize(model, V, "blocks.1", TOKENS)  # a copy has memory of its own
    assert torch.equal(clean.logits.weight, model.logits.weight)


def test_packed_weights_are_refused():
    class Unpacked(nn.Module):
        def __init__(self):
            super().__init__()
            self.register_buffer("packed", torch.ones(8, 8, dtype=torch.int8))

        def forward(self, h):
            return h + h @ (self.packed * 0.1).T

    with refuses(ValueError, "'blocks.0.packed', .* is packed; expected floating"):
        orthogonalize(stack(Unpacked()), V, "blocks.0", TOKENS)


def test_autocast_has_no_part_in_it():
    model = stack()
    with torch.autocast("cpu", dtype=torch.bfloat16):
        clean = orthogonalize(model, V, "blocks.1", TOKENS)
    expected = orthogonalize(model, V, "blocks.1", TOKENS).state_dict()
    torch.testing.assert_close(clean.state_dict(), expected, rtol=0, atol=0)
