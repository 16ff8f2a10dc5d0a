"""Sites of a model by kind and pattern, held against what models say of themselves."""

from collections import OrderedDict

import pytest
import torch
from refusals import refuses
from torch import nn
from wrapping import Around

import latent_anchors as la
from latent_anchors.models import (
    NormalizedTransformer,
    PatchAutoencoder,
    Population,
    PrenormTransformer,
    Sites,
    record,
    sites,
)

TOKENS = torch.arange(6).reshape(2, 3)


def transformer():
    return PrenormTransformer(vocabulary=12, width=16, depth=3, heads=2, hidden=24)


def encoder():
    return nn.TransformerEncoder(nn.TransformerEncoderLayer(16, 2, 32, batch_first=True), 2)


class Attention(nn.Module):
    """As in timm."""

    def __init__(self, width=16):
        super().__init__()
        self.num_heads = 2
        self.qkv, self.q_norm, self.proj = (
            nn.Linear(width, 3 * width),
            nn.Identity(),
            nn.Linear(width, width),
        )

    def forward(self, x):
        return self.proj(self.qkv(x)[..., :16])


class Block(nn.Module):
    """As in timm's ViT, whose blocks are a Sequential."""

    def __init__(self, shortcut=True):
        super().__init__()
        self.norm1, self.attn, self.norm2 = nn.LayerNorm(16), Attention(), nn.LayerNorm(16)
        layers = [("fc1", nn.Linear(16, 24)), ("act", nn.GELU()), ("fc2", nn.Linear(24, 16))]
        self.mlp = nn.Sequential(OrderedDict(layers))
        self.shortcut = shortcut

    def forward(self, x):
        x = x + self.attn(self.norm1(x))
        return self.shortcut * x + self.mlp(self.norm2(x))


class Stages(nn.Module):
    """A list of stages, each a list of blocks, as in hierarchical vision transformers."""

    def __init__(self):
        super().__init__()
        self.stages = nn.ModuleList(nn.Sequential(Block(), Block()) for _ in range(2))

    def forward(self, x):
        for stage in self.stages:
            x = stage(x)
        return x


FOUND = {
    "ours": (transformer, ["blocks.0"], ["blocks.0.attention"], ["blocks.0.down"]),
    "normalized": (
        lambda: NormalizedTransformer(vocabulary=12, width=16, depth=2, heads=2, hidden=24),
        *(["blocks.0"], ["blocks.0.attention"], ["blocks.0.down"]),
    ),
    "torch": (encoder, ["layers.0"], ["layers.0.self_attn"], ["layers.0.linear2"]),
    "vision": (
        lambda: nn.Sequential(OrderedDict(blocks=nn.Sequential(Block(), Block()))),
        *(["blocks.0"], ["blocks.0.attn"], ["blocks.0.mlp"]),
    ),
    "stages": (Stages, ["stages.0.0"], ["stages.0.0.attn"], ["stages.0.0.mlp"]),
}


@pytest.mark.parametrize("kind", ["residual", "attention", "mlp"])
@pytest.mark.parametrize("family", FOUND)
def test_kinds_are_found_by_a_rule_on_modules(family, kind):
    make, *first = FOUND[family]
    model = make()
    found = la.sites(model, kind)
    expected = first[["residual", "attention", "mlp"].index(kind)]
    assert list(found.names[: len(expected)]) == expected
    blocks = {name.removesuffix(expected[0].removeprefix(first[0][0])) for name in found.names}
    assert blocks == set(la.sites(model, "residual").names)
    assert set(found.widths) == {16}


def test_what_leaves_the_residual_sites_is_what_enters_the_next():
    model = transformer()
    residual = la.sites(model, "residual", example=TOKENS)
    assert residual.names == tuple(f"blocks.{k}" for k in range(3))
    into = [la.Site(site.name, side="input") for site in residual]
    with la.record(model, [*residual, *into]) as z:
        model(TOKENS)
    assert torch.equal(z[into[0]], model.embedding(TOKENS))
    for before, after in zip(residual[:-1], into[1:], strict=True):
        assert torch.equal(z[before], z[after])


def test_blocks_whose_shortcuts_are_outside_are_refused_where_an_example_shows_it():
    class Outside(nn.Module):
        def __init__(self):
            super().__init__()
            self.blocks = nn.ModuleList(Block() for _ in range(3))

        def forward(self, x):
            for block in self.blocks:
                x = x + block(x)
            return x

    x = torch.rand(2, 3, 16)
    with refuses(ValueError, "What leaves 'blocks.0' is not what enters 'blocks.1'"):
        la.sites(Outside(), "residual", example=x)


class Residual(nn.Module):
    def __init__(self):
        super().__init__()
        self.linear = nn.Linear(8, 8)

    def forward(self, x):
        return x + self.linear(x)


def test_blocks_without_attention_need_an_example():
    model = nn.Sequential(nn.Linear(3, 8), nn.Sequential(Residual(), Residual()))
    with refuses(ValueError, r"lists of blocks \('1.\*'\) holds attention.*Or give example="):
        la.sites(model, "residual")
    found = la.sites(model, "residual", example=(torch.rand(2, 3),))
    assert (found.names, found.widths) == (("1.0", "1.1"), (8, 8))
    with refuses(ValueError, "its blocks hold no attention"):
        la.sites(model, "attention", example=torch.rand(2, 3))


class Mixer(nn.Module):
    """A block without attention, as a state-space model's."""

    def __init__(self):
        super().__init__()
        self.norm, self.linear = nn.LayerNorm(16), nn.Linear(16, 16)

    def forward(self, x):
        return x + self.linear(self.norm(x))


class Attending(Mixer):
    """A layer around attention, its norm and its shortcut."""

    def __init__(self):
        super().__init__()
        self.linear = Attention()


class Tower(nn.Module):
    """Blocks that are called one after another."""

    def __init__(self, *blocks):
        super().__init__()
        self.blocks = nn.ModuleList(blocks)

    def forward(self, x):
        for block in self.blocks:
            x = block(x)
        return x


def test_blocks_of_a_hybrid_are_a_stack_though_only_some_hold_attention():
    hybrid = Tower(Mixer(), Block(), Mixer())
    expected = tuple(f"blocks.{k}" for k in range(3))
    assert la.sites(hybrid, "residual").names == expected
    # what stands before and after the stack is none of its blocks
    for part, names in ((hybrid, "1.blocks"), (nn.Sequential(*hybrid.blocks), "1")):
        model = nn.Sequential(nn.Embedding(9, 16), part, nn.Linear(16, 9))
        assert la.sites(model, "residual").names == tuple(f"{names}.{k}" for k in range(3))
    with refuses(ValueError, "lists of blocks .* holds attention"):
        la.sites(Tower(Mixer(), Mixer()), "residual")


@pytest.mark.parametrize("depth", [1, 2])
def test_what_a_block_keeps_in_a_list_are_parts_and_no_blocks(depth):
    model = Tower(*(Tower(Attending(), Mixer()) for _ in range(depth)))
    assert la.sites(model, "residual").names == tuple(f"blocks.{k}" for k in range(depth))
    assert la.sites(model.blocks[0], "residual").names == ("blocks.0", "blocks.1")


def test_kinds_that_a_model_does_not_have_are_refused_with_words():
    stages = nn.Sequential(*(nn.Sequential(Residual(), Residual()) for _ in range(2)))
    with refuses(ValueError, r"not known in Sequential: none of its lists of blocks.*by a pattern"):
        la.sites(nn.Sequential(nn.Identity(), *stages), "residual")
    with refuses(ValueError, "not known in LSTM: no list of blocks was found"):
        la.sites(nn.LSTM(3, 4), "residual")
    pairs = nn.ModuleList(nn.ModuleList([Block(), nn.Linear(16, 16)]) for _ in range(2))
    with refuses(ValueError, "its blocks are lists without a forward pass"):
        la.sites(nn.ModuleDict({"layers": pairs}), "residual")
    only = nn.Sequential(OrderedDict(blocks=nn.Sequential(nn.Sequential(Attention()))))
    with refuses(ValueError, "its blocks hold no MLP"):
        la.sites(only, "mlp")
    third = Block()
    third.extra = nn.Linear(16, 16)
    with refuses(ValueError, "which matrices of its blocks are the MLP is unclear"):
        la.sites(nn.Sequential(OrderedDict(blocks=nn.Sequential(third))), "mlp")
    with refuses(ValueError, "Unknown kind or pattern of sites 'residul'.*Did you mean 'residual'"):
        la.sites(transformer(), "residul")


@pytest.mark.filterwarnings("ignore:`torch.jit:DeprecationWarning")  # of torch's own compiler
@pytest.mark.parametrize("kind", ["residual", "attention", "mlp"])
def test_wrappers_and_populations_do_not_change_the_names(kind):
    model = transformer()
    expected = la.sites(model, kind).names
    for around in (Population.from_models([model, model]), torch.compile(model), Around(model)):
        assert la.sites(around, kind).names == expected
    assert la.sites(Around(model), f"module.{expected[0]}").names == expected[:1]


def test_a_part_that_is_called_module_is_a_part_among_others():
    model = Around(nn.Linear(2, 2))
    model.head = nn.Linear(2, 1)
    assert la.sites(model).names == ("module", "head")


def test_a_pattern_means_each_layer_once_in_the_models_order():
    model = nn.Sequential(*(nn.Sequential(nn.Linear(2, 2), nn.ReLU()) for _ in range(11)))
    model.append(model[0])
    assert la.sites(model, "*").names == tuple(str(k) for k in range(11))
    assert la.sites(model, "[0-2].1").names == ("0.1", "1.1", "2.1")
    with refuses(ValueError, r"Unknown pattern of sites 'layer.\*'; expected one of 36.*one part"):
        la.sites(model, "layer.*")


def test_without_a_kind_all_layers_are_listed_as_a_table():
    model = nn.Sequential(nn.Conv2d(3, 7, 1), nn.BatchNorm2d(7), nn.Flatten(), nn.Linear(7, 2))
    assert repr(la.sites(model)).splitlines() == [
        "site        layer        width  kind",
        "0 (axis=1)  Conv2d       7",
        "1 (axis=1)  BatchNorm2d  7",
        "2           Flatten",
        "3           Linear       2",
    ]
    assert la.sites(model, example=torch.rand(2, 3, 1, 1)).widths == (7, 7, 7, 2)


def test_it_is_a_sequence_of_sites_that_can_be_given_wherever_sites_are():
    model = transformer()
    residual = la.sites(model, "residual")
    assert isinstance(residual, Sites)
    assert list(residual[1:]) == [la.Site("blocks.1"), la.Site("blocks.2")]
    concept = la.Concept("c", la.axis(0, dim=16), at=residual)
    assert concept.sites == tuple(residual)
    term = la.Term("t", lambda z: z.square().sum(-1), at=residual)
    assert term.at == tuple(residual)
    with la.record(model, residual) as z, la.intervene(model, torch.neg, residual):
        model(TOKENS)
    assert len(z) == 3
    with la.record(model, "blocks.*") as by_name:
        model(TOKENS)
    assert list(by_name) == ["blocks.0", "blocks.1", "blocks.2"]


@pytest.mark.parametrize(
    "make", [lambda at: la.Concept("c", [1, 0], at), lambda at: la.Term("c", abs, at)]
)
def test_what_is_kept_takes_no_patterns(make):
    for at in ("layers.*", ["a", "layers.*"], la.Site("layers.*", axis=1)):
        with refuses(ValueError, r"is a pattern.*at=la.sites\(model, 'layers.\*'\)"):
            make(at)


def test_layers_of_pictures_have_their_channels_on_axis_1():
    net = nn.Sequential(nn.Conv2d(3, 8, 3), nn.GroupNorm(2, 8), nn.ReLU(), nn.Conv2d(8, 4, 3))
    assert [site.axis for site in sites(net)] == [1, 1, -1, 1]
    whole = PatchAutoencoder()
    assert whole.latent.axis == 1
    assert [site.axis for site in sites(whole, "latent")] == [1]


def test_of_pictures_without_weights_nobody_says_how_wide_they_are():
    net = nn.Sequential(nn.Conv2d(3, 6, 3), nn.ReLU())
    assert sites(net, example=torch.rand(1, 3, 9, 9)).widths == (6, None)


class Patches(nn.Module):
    """A convolution whose layer gives a row of vectors."""

    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 6, 4, stride=4)

    def forward(self, x):
        return self.conv(x).flatten(2).mT


def test_a_pass_shows_that_a_convolutions_layer_gives_rows_of_vectors():
    net, pictures = nn.Sequential(Patches(), nn.Linear(6, 2)), torch.rand(2, 3, 16, 16)
    found = sites(net, example=pictures)
    assert [site.axis for site in found[:1]] == [-1]
    assert found.widths == (6, 6, 2)
    assert found[1].axis == 1
    with record(net, found[0]) as z:
        net(pictures)
    assert z[found[0]].shape == (2, 16, 6)


def test_a_number_for_all_channels_is_no_width_and_a_bilinear_layer_gives_its_outputs():
    class Pair(nn.Module):
        def __init__(self):
            super().__init__()
            self.first, self.act, self.both = nn.Linear(3, 8), nn.PReLU(), nn.Bilinear(8, 8, 5)

        def forward(self, x):
            z = self.act(self.first(x))
            return self.both(z, z)

    assert sites(Pair()).widths == (8, None, 5)
