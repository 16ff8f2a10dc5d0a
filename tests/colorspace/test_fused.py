"""By hand and by formula are one; and where somebody watches, it is the formula."""

from contextlib import nullcontext

import pytest
import torch
from colors import argument, hard_colors
from torch.autograd import forward_ad
from torch.fx.experimental.proxy_tensor import make_fx

from latent_anchors import colorspace
from latent_anchors.colorspace import _fused, _hsv_hsl, _lab
from latent_anchors.colorspace._fused import FusedKernel, convert

FORMULAS = {
    "rgb_to_hsv": _hsv_hsl._to_hsv,
    "hsv_to_rgb": _hsv_hsl._to_rgb,
    "rgb_to_lab": _lab._to_lab,
    "lab_to_rgb": _lab._to_rgb,
}

every_name = pytest.mark.parametrize("name", FORMULAS)
# Of torch's own, when it first differentiates forward.
forward_mode = pytest.mark.filterwarnings("ignore:`torch.jit.script`:DeprecationWarning")
every_dtype = pytest.mark.parametrize("dtype", [torch.float32, torch.float64])


def fused(name):
    return getattr(colorspace, name)


def colors_for(name, dtype, generator):
    """Hard ones, a grid with all its ties, and many in and out of gamut."""
    anywhere = 3 * torch.rand(500, 3, dtype=torch.float64, generator=generator) - 1
    rgb = torch.cat([hard_colors(dtype), colorspace.rgb_grid(5).to(dtype), anywhere.to(dtype)])
    # Where sRGB has its kink, rounding decides between two slopes.
    return argument(name, rgb[(rgb != 0.04045).all(-1)])


def same(actual, expected):
    """Up to rounding; a and b are small differences of large numbers far out of gamut."""
    exact = actual.dtype is torch.float64
    rtol, atol = (1e-9, 1e-9) if exact else (1e-4, 1e-4)
    torch.testing.assert_close(actual, expected, rtol=rtol, atol=atol)


def gradient(function, colors, upstream, **options):
    colors = colors.detach().requires_grad_()
    return torch.autograd.grad(function(colors), colors, upstream, **options)[0]


@every_name
@every_dtype
def test_the_colors_are_those_of_the_formula(name, dtype, generator):
    colors = colors_for(name, dtype, generator)
    ours, expected = fused(name)(colors), FORMULAS[name](colors)
    if name == "rgb_to_hsv":  # Just below a whole turn is just above none.
        away = colorspace.hue_distance(ours[:, 0], expected[:, 0])
        assert away.max() < 4 * torch.finfo(dtype).eps
        ours, expected = ours[:, 1:], expected[:, 1:]
    same(ours, expected)


@every_name
@every_dtype
def test_the_gradient_is_that_of_the_formula(name, dtype, generator):
    colors = colors_for(name, dtype, generator)
    upstream = torch.randn(colors.shape, dtype=dtype, generator=generator)
    expected = gradient(FORMULAS[name], colors, upstream)
    scale = expected.abs().amax(-1, keepdim=True) + 1
    same(gradient(fused(name), colors, upstream) / scale, expected / scale)


@forward_mode
@every_name
def test_second_derivatives_and_forward_mode_are_there(name, generator):
    rgb = 0.1 + 0.8 * torch.rand(3, 3, dtype=torch.float64, generator=generator)
    colors = argument(name, rgb).detach().requires_grad_()
    assert torch.autograd.gradgradcheck(fused(name), colors)
    assert torch.autograd.gradcheck(
        fused(name), colors, check_forward_ad=True, check_batched_grad=True
    )


@every_name
def test_transformed_and_traced_gradients_are_the_same(name, generator):
    colors = argument(name, torch.rand(4, 3, dtype=torch.float64, generator=generator))
    expected = gradient(fused(name), colors, torch.ones_like(colors))

    def total(color):
        return fused(name)(color).sum()

    slopes = torch.func.vmap(torch.func.grad(total))
    same(slopes(colors), expected)
    same(make_fx(slopes)(colors)(colors), expected)

    def slopes_of_autograd(colors):
        return gradient(fused(name), colors, torch.ones_like(colors))

    same(make_fx(slopes_of_autograd)(colors)(colors), expected)


@pytest.mark.compiled
@every_name
def test_compiled_it_is_the_same(name, generator):
    torch.compiler.reset()
    colors = argument(name, torch.rand(4, 3, dtype=torch.float64, generator=generator))
    compiled = torch.compile(fused(name), backend="aot_eager", fullgraph=True)
    same(compiled(colors), fused(name)(colors))
    upstream = torch.ones_like(colors)
    same(gradient(compiled, colors, upstream), gradient(fused(name), colors, upstream))


@every_name
@pytest.mark.parametrize("shape", [(3,), (0, 3), (2, 0, 3), (11, 3), (2, 4, 3)])
def test_block_by_block_is_at_once(name, shape, generator, monkeypatch):
    colors = argument(name, torch.rand(shape, dtype=torch.float64, generator=generator))
    upstream = torch.rand(shape, dtype=torch.float64, generator=generator)
    at_once = fused(name)(colors), gradient(fused(name), colors, upstream)
    monkeypatch.setattr(_fused, "BLOCK", 5)
    same(fused(name)(colors), at_once[0])
    same(gradient(fused(name), colors, upstream), at_once[1])


@every_name
def test_strides_do_not_matter_and_results_are_contiguous(name, generator):
    colors = argument(name, torch.rand(6, 3, generator=generator)).mT.contiguous().mT
    upstream = torch.ones(1).expand(6, 3)
    ours, back = fused(name)(colors), gradient(fused(name), colors, upstream)
    assert ours.is_contiguous()
    assert back.is_contiguous()
    same(ours, fused(name)(colors.contiguous()))
    same(back, gradient(fused(name), colors.contiguous(), upstream.contiguous()))


@every_name
def test_a_retained_graph_goes_back_twice(name, generator):
    colors = argument(name, torch.rand(6, 3, generator=generator)).detach().requires_grad_()
    converted, upstream = fused(name)(colors), torch.rand(6, 3, generator=generator)
    once, again = (
        torch.autograd.grad(converted, colors, upstream, retain_graph=True)[0] for _ in range(2)
    )
    assert torch.equal(once, again)


@every_name
def test_colors_changed_before_the_way_back_are_noticed(name):
    colors = torch.rand(6, 3, requires_grad=True)
    converted = fused(name)(given := colors * 1)
    given.mul_(0.5)
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        converted.sum().backward()


def test_a_result_changed_does_not_change_the_way_back(generator):
    rgb, upstream = torch.rand(2, 6, 3, generator=generator)
    for name in FORMULAS:
        colors = argument(name, rgb).detach().requires_grad_()
        converted = fused(name)(colors).mul_(2.0)
        (passed,) = torch.autograd.grad(converted, colors, upstream)
        same(passed, 2 * gradient(fused(name), colors, upstream))


class TakenError(Exception):
    pass


def taken(*_):
    raise TakenError


SPY = FusedKernel(taken, taken)


class Special(torch.Tensor):
    pass


def negative(colors):
    return -colors


def fused_or_not(colors):
    return convert(colors, negative, SPY)


ORDINARY = {
    "plain": lambda: torch.ones(2, 3),
    "double": lambda: torch.ones(2, 3).double(),
    "recorded": lambda: torch.ones(2, 3, requires_grad=True),
    "a parameter": lambda: torch.nn.Parameter(torch.ones(2, 3)),
}
WATCHED = {
    "half": lambda: torch.ones(2, 3).half(),
    "a subclass": lambda: torch.ones(2, 3).as_subclass(Special),
    "without memory": lambda: torch.ones(2, 3, device="meta"),
}


@pytest.mark.parametrize("kind", ORDINARY)
@pytest.mark.parametrize("mode", [nullcontext, torch.no_grad, torch.inference_mode])
def test_ordinary_tensors_take_the_kernel(kind, mode):
    with mode(), pytest.raises(TakenError):
        fused_or_not(ORDINARY[kind]())


@pytest.mark.parametrize("kind", WATCHED)
def test_other_tensors_take_the_formula(kind):
    colors = WATCHED[kind]()
    converted = fused_or_not(colors)
    assert converted.dtype is colors.dtype
    assert converted.shape == colors.shape


@forward_mode
def test_under_transforms_every_tensor_takes_the_formula():
    outside = torch.ones(2, 3, requires_grad=True)
    torch.func.vmap(lambda x: x + fused_or_not(outside).sum())(torch.ones(2))
    torch.func.vmap(fused_or_not)(torch.ones(2, 3))
    torch.func.grad(lambda x: fused_or_not(x).sum())(torch.ones(2, 3))
    torch.func.jvp(fused_or_not, (torch.ones(2, 3),), (torch.ones(2, 3),))


@forward_mode
def test_tangents_take_the_formula():
    with forward_ad.dual_level():
        dual = forward_ad.make_dual(torch.ones(2, 3), torch.ones(2, 3))
        tangent = forward_ad.unpack_dual(fused_or_not(dual)).tangent
        assert torch.equal(tangent, -torch.ones(2, 3))


def test_where_matrix_products_would_lose_digits_the_formula_is_taken(monkeypatch):
    with torch.autocast("cpu", dtype=torch.bfloat16):
        fused_or_not(torch.ones(2, 3))
    monkeypatch.setattr(torch, "get_float32_matmul_precision", lambda: "medium")
    fused_or_not(torch.ones(2, 3))


def test_where_torchs_two_settings_of_precision_are_mixed_the_formula_runs(monkeypatch):
    def mixed():
        raise RuntimeError("PyTorch is checking whether allow_tf32 is enabled")

    colors = torch.rand(5, 3, generator=torch.Generator().manual_seed(0))
    expected = colorspace.rgb_to_lab(colors)
    monkeypatch.setattr(torch, "get_float32_matmul_precision", mixed)
    torch.testing.assert_close(colorspace.rgb_to_lab(colors), expected, atol=1e-4, rtol=1e-4)
