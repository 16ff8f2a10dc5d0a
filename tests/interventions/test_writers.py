"""What writes into a stream: found under many operations; refused where it cannot change."""

import pytest
import torch
from refusals import refuses
from torch import nn
from torch.nn import functional

from latent_anchors.interventions import Projection, ablate, intervene, orthogonalize

X = torch.rand(2, 4, 3, generator=torch.Generator().manual_seed(0))
V = torch.randn(8, generator=torch.Generator().manual_seed(1))
EDIT = Projection(V.unsqueeze(0))


class Wired(nn.Module):
    """Two layers that write, wired by a function; the site is where their sum goes."""

    def __init__(self, wires, **more):
        super().__init__()
        self.one, self.two, self.sum = nn.Linear(3, 8), nn.Linear(3, 8), nn.Identity()
        self.head, self.gain = nn.Linear(8, 2), nn.Parameter(torch.rand(8) + 0.5)
        self.table, self.wires = nn.Embedding(5, 8), wires
        self.register_buffer("saved", torch.randn(8))
        self.register_buffer("unsaved", torch.randn(8), persistent=False)
        for name, layer in more.items():
            setattr(self, name, layer)
        self.anew = nn.Parameter(torch.randn(8), requires_grad=False)
        self._keys_to_ignore_on_save = ["anew"]  # as in transformers, which makes it anew

    def forward(self, x):
        return self.head(self.sum(self.wires(self, x)))


def wired(wires, **more):
    torch.manual_seed(0)
    return Wired(wires, **more)


def masked_in_place(m, x):
    h = m.one(x)
    h[:, 1:] += m.two(x)[:, 1:]
    h[:, 0].mul_(2.0)
    h[h.sum(-1) > 0] = m.two(x)[h.sum(-1) > 0]
    h[x[..., 0] > 0.7] = m.gain
    return h


def through_a_view(m, x):
    h = torch.zeros(2, 4, 8)
    flat, before = h.view(8, 8), h[:, 2]
    flat.add_(m.one(x).flatten(0, 1))
    flat[3].copy_(m.two(x)[0, 1])
    return h + before.unsqueeze(1)


def through_an_older_view(m, x):
    h = torch.zeros(2, 4, 8)
    before = h.view(2, 4, 8)
    h.add_(m.one(x))
    return before + m.two(x)


def sorted_rows(m, x):
    order = torch.tensor([2, 0, 3, 1])
    out = torch.zeros(4, 8).index_add_(0, order, m.one(x)[0][order])
    return torch.stack([out.index_select(0, order), m.two(x)[1]])


def attended(m, x):
    weights = torch.softmax(torch.einsum("bik,bjk->bij", x, x), -1)
    return m.one(x) + torch.einsum("bij,bjd->bid", weights, m.two(x))


def chosen(m, x):
    chosen = torch.where(x[..., :1] > 0.5, m.one(x), m.two(x))
    return chosen.masked_fill(x[..., 1:2] > 0.9, 0.0) + m.table(torch.arange(4))


def cut_and_joined(m, x):
    first, rest = m.one(x).split([1, 3], dim=1)
    rolled = m.two(x).roll(1, dims=1).flip(0).unsqueeze(1).squeeze()
    whole = torch.cat([first.expand(2, 2, 8), rest[:, 1:]], 1)
    whole = whole.unsqueeze(0).squeeze((0, 1))
    return functional.pad(whole + rolled, (0, 0, 1, 1)).unbind(0)[0].unsqueeze(0).mean(0, True)


def images(m, x):
    planes = m.one(x).transpose(1, 2).reshape(2, 8, 2, 2)
    pooled = functional.avg_pool2d(planes, 2)
    return (pooled + planes.cumsum(2)).flatten(2).permute(0, 2, 1) + m.two(x)


def normalized(m, x):
    return functional.rms_norm(m.one(x), (8,)) + m.two(x) / (1 + x.norm(dim=-1, keepdim=True))


def added_without_return(m, x):
    total = m.one(x).detach() + m.gain
    torch._foreach_add_([total], [m.two(x).detach()])
    return total + m.gain


WAYS = {
    "parameters and buffers": lambda m, x: m.one(x) + m.gain - m.saved + m.two(x) * 2,
    "in place": masked_in_place,
    "through a view": through_a_view,
    "through an older view": through_an_older_view,
    "rows in another order": sorted_rows,
    "attention": attended,
    "choices": chosen,
    "parts": cut_and_joined,
    "images": images,
    "norms": normalized,
    "means": lambda m, x: m.one(x).lerp(m.two(x), 0.3) + torch.lerp(m.two(x), m.one(x), x[..., :1]),
    "weights made of others": lambda m, x: (
        m.one(x) + functional.linear(x, m.two.weight + m.one.weight.detach().clone())
    ),
}


@pytest.mark.parametrize("wires", WAYS.values(), ids=WAYS)
def test_a_sum_of_any_wiring_loses_the_direction_and_nothing_else(wires):
    model = wired(wires)
    clean = orthogonalize(model, V, "sum", X)
    seen = []
    clean.sum.register_forward_hook(lambda _, __, z: seen.append(z @ V))
    clean(X)
    torch.testing.assert_close(seen[0], torch.zeros_like(seen[0]), atol=1e-5, rtol=0)
    if wires is not normalized:  # everything else is linear, so that an edit of the sum is the same
        with intervene(model, EDIT, "sum"):
            torch.testing.assert_close(clean(X), model(X))


@pytest.mark.parametrize(
    ("wires", "match"),
    [
        (lambda m, x: m.one(x) + 1, "come from 'add' after .*writes the same number into all"),
        (lambda m, x: m.one(x) + m.two(x)[..., :1], "come from 'add'.* same number into all"),
        (lambda m, x: m.one(x) + m.two(x).sigmoid(), "come from 'sigmoid' .*does more than"),
        (lambda m, x: m.one(x) + m.one(x) * m.two(x), "'mul' .*scales each channel by itself"),
        (
            lambda m, x: m.one(x) + m.one(x).lerp(m.two(x), m.saved),
            "'lerp' .*scales each channel by itself",
        ),
        (lambda m, x: m.one(x) + m.two(x).flip(-1), "'flip' .*only some of the channels"),
        (lambda m, x: m.one(x) + m.two(x).view(2, 8, 4).mT.reshape(2, 4, 8), "'view' .*only some"),
        (lambda m, x: m.one(x) + torch.cat([x, x, x[..., :2]], -1), "'cat'.*only some"),
        (lambda m, x: m.one(x) + m.two(x).half().view(torch.bfloat16), "'view' .*does more than"),
        (lambda m, x: m.one(x) + m.two(x).div(0.1, rounding_mode="floor"), "'div' .*does more"),
        (lambda m, x: m.one(x) + m.two(x).long().float(), "'_to_copy' .*does more than"),
        (lambda m, x: m.one(x) + m.unsaved, "are sums with 'unsaved' .*not saved"),
        (lambda m, x: m.one(x) + m.anew, "are sums with 'anew' .*not saved"),
        (added_without_return, "come from '_foreach_add' after '"),
        (lambda m, x: m.one(x) + torch.randn(8), "'randn'|with 'an input or a constant'"),
        (lambda m, x: m.one(x) + m.two(x) * m.gain + m.gain, "'gain' .* in two ways"),
        (lambda m, x: m.one(x) + m.two(x) * m.gain * m.gain, "'gain' .* is also used by 'mul'"),
        (lambda m, x: m.one(x) + x @ m.one.weight.square().mT, "'pow' after 'one.weight'"),
    ],
)
def test_what_does_not_lose_the_direction_with_the_weights_is_refused(wires, match):
    with refuses(ValueError, f"({match}).*intervene"):
        orthogonalize(wired(wires), V, "sum", X)


def test_cross_attention_and_embeddings_that_the_example_did_not_reach_are_refused():
    layer = nn.ModuleDict({"mlp": nn.Linear(3, 8), "cross": nn.Linear(5, 8)})

    def routed(m, x, memory=None):
        h = m.two(x) + m.layers[0].mlp(x)
        return h if memory is None else h + m.layers[0].cross(memory)

    with refuses(ValueError, r"'layers.0.cross.weight'.* were not used on the example"):
        orthogonalize(wired(routed, layers=nn.ModuleList([layer])), V, "sum", X)

    def spoken(m, x, language=None):
        h = m.two(x) + m.table(torch.arange(4))
        return h if language is None else h + m.languages(language)

    with refuses(ValueError, r"'languages.weight'.* were not used on the example"):
        orthogonalize(wired(spoken, languages=nn.Embedding(3, 8)), V, "sum", X)


def test_experts_that_the_example_did_not_reach_are_refused():
    experts = nn.ModuleList(nn.Linear(3, 8) for _ in range(3))

    def routed(m, x):
        chosen = sorted({int(10 * value) % 3 for value in x[:, 0, 0]})
        return m.two(x) + sum(m.experts[k](x) for k in chosen)

    with refuses(ValueError, r"'experts.\d.weight', .* were not used on the example"):
        orthogonalize(wired(routed, experts=experts), V, "sum", X[:1])
    every = torch.tensor([0.05, 0.15, 0.25]).reshape(3, 1, 1).expand(3, 1, 3)
    assert orthogonalize(wired(routed, experts=experts), V, "sum", every) is not None


NORMS = {
    "layer norm": lambda m, x: m.norm(m.one(x)) + m.two(x),
    "a factor": lambda m, x: m.one(x).relu() * (1 + m.gain) * 3 + m.two(x),
    "a scaled summand of a factor": lambda m, x: (
        m.one(x) * torch.add(m.gain, 1, alpha=3) + m.two(x)
    ),
    "groups of a convolution": lambda m, x: m.groups(m.one(x).mT).mT + m.two(x),
    "weights of an RMS norm": lambda m, x: m.rms(m.one(x)) + m.two(x),
    "batch norm": lambda m, x: m.batch(m.one(x).mT).mT + m.two(x),
}


@pytest.mark.parametrize("wires", NORMS.values(), ids=NORMS)
def test_norms_and_factors_are_silenced_along_axes_and_refused_off_them(wires):
    model = wired(wires, norm=nn.LayerNorm(8), rms=nn.RMSNorm(8), batch=nn.BatchNorm1d(8)).eval()
    model.groups = nn.Conv1d(8, 8, 3, padding=1, groups=4)
    for name in ("norm", "rms", "batch"):
        nn.init.normal_(getattr(model, name).weight)
    nn.init.ones_(model.norm.bias)
    with refuses(ValueError, "each channel is changed by itself"):
        orthogonalize(model, V, "sum", X)
    with intervene(model, Projection([[0.0, 1.0] + [0.0] * 6]), "sum"):
        torch.testing.assert_close(ablate(model, [1], "sum", X)(X), model(X))
