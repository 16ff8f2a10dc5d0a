"""A concept in one direction: found before it is projected out, and not after; and the opposite."""

from functools import cache

import pytest
import torch
from refusals import refuses

from latent_anchors.audits import _probes, leakage, linear_probe, nonlinear_probe
from latent_anchors.audits._probes import r_squared

DIM = 5
PROBES = {"linear": linear_probe, "nonlinear": nonlinear_probe}


def world(runs=1):
    """Latents that hold a degree along one direction of each run, and nothing of it elsewhere."""
    generator = torch.Generator().manual_seed(0)
    degrees = torch.rand(600, generator=generator)
    v = torch.nn.functional.normalize(torch.randn(runs, DIM, generator=generator), dim=1)
    rest = project(torch.randn(runs, 600, DIM, generator=generator), v)
    return rest + 2 * degrees[:, None] * v[:, None], degrees, v


def project(z, v):
    return z - (z * v[:, None]).sum(-1, keepdim=True) * v[:, None]


def score(probe, z, degrees):
    said = PROBES[probe](z[:, :400], degrees[:400, None], z[:, 400:])
    return float(r_squared(said[..., 0], degrees[400:]))


@pytest.mark.parametrize("probe", PROBES)
def test_a_probe_finds_a_concept_before_its_direction_is_projected_out_and_not_after(probe: str):
    z, degrees, v = world()
    assert score(probe, z, degrees) > 0.95
    assert score(probe, project(z, v), degrees) < 0.05


@pytest.mark.parametrize("probe", PROBES)
def test_a_probe_still_finds_it_when_another_direction_is_projected_out(probe: str):
    z, degrees, v = world()
    other = torch.nn.functional.normalize(project(torch.eye(DIM)[:1][None], v)[0], dim=1)
    assert score(probe, project(z, other), degrees) > 0.95


def test_only_the_small_network_finds_what_lies_on_no_line():
    z, _, v = world()
    hidden = (z * v[:, None]).sum(-1)[0].sub(1).square()
    assert score("nonlinear", z, hidden) > 0.9
    assert score("linear", z, hidden) < 0.1


@cache
def leakage_of_eight_runs():
    z, degrees, _ = world(runs=8)
    return leakage(z[:, :400], degrees[:400], z[:, 400:], degrees[400:], seeds=range(8))


@pytest.mark.parametrize("probe", ["linear", "nonlinear"])
def test_what_is_learned_from_shuffled_degrees_is_chance(probe: str):
    found = leakage_of_eight_runs()
    assert (found[f"leakage/{probe}"] > 0.95).all()
    assert found[f"leakage/{probe}/shuffled"].mean() < 0.05


@pytest.mark.parametrize("probe", PROBES)
def test_a_run_is_probed_alone_as_among_others(probe: str):
    z, degrees, _ = world(runs=3)
    more = {"seeds": (5, 6, 7)} if probe == "nonlinear" else {}
    one = {"seeds": (6,)} if probe == "nonlinear" else {}
    together = PROBES[probe](z, degrees[:, None], z, **more)[1]
    assert torch.allclose(
        together, PROBES[probe](z[1:2], degrees[:, None], z[1:2], **one)[0], atol=1e-4
    )


def test_the_linear_probe_is_least_squares_where_there_is_much_to_learn_from():
    z, degrees, _ = world()
    columns = torch.cat([z[0], torch.ones(600, 1)], dim=1)
    w = torch.linalg.lstsq(columns, degrees[:, None]).solution
    assert torch.allclose(linear_probe(z, degrees[:, None], z)[0], columns @ w, atol=1e-4)


def test_the_linear_probe_is_ridge_regression_with_a_millionth_of_the_variance():
    z, degrees, _ = world()
    z = z.double() * torch.tensor([1.0, 1.0, 1.0, 1.0, 1e-3]) + 3  # one dimension near the ridge
    centered, y = z[0] - z[0].mean(0), degrees.double()
    ridge = 1e-6 * centered.square().sum() / DIM * torch.eye(DIM, dtype=torch.float64)
    w = torch.linalg.solve(centered.mT @ centered + ridge, centered.mT @ (y - y.mean()))
    said = linear_probe(z, y[:, None], z)[0, :, 0]
    torch.testing.assert_close(said, y.mean() + centered @ w, atol=1e-9, rtol=0)
    least = torch.linalg.lstsq(centered, (y - y.mean())[:, None]).solution[:, 0]
    assert (said - y.mean() - centered @ least).abs().max() > 1e-6


def test_the_small_network_begins_within_one_over_the_root_of_its_width(generator):
    like = torch.randn(1, 1, 9, generator=generator)
    weights = _probes._first_weights([0, 1], 9, 400, like)
    for name, bound in {"w1": 1 / 3, "w2": 1 / 4, "b2": 1 / 4}.items():
        assert 0.9 * bound < weights[name].abs().max() <= bound
    assert not torch.equal(*weights["w1"])


def test_the_small_network_is_trained_by_adam_with_a_falling_rate(monkeypatch, generator):
    monkeypatch.setattr(_probes, "STEPS", 5)
    x = torch.randn(1, 30, 3, generator=generator, dtype=torch.float64)
    first = _probes._first_weights([0], 3, 1, x)
    y = x[0, :, :1].square()
    leaves = {name: weight.clone().requires_grad_() for name, weight in first.items()}
    adam = torch.optim.Adam(leaves.values(), lr=_probes.RATE)
    falling = torch.optim.lr_scheduler.LambdaLR(adam, lambda step: 1 - step / 5)
    for _ in range(5):
        adam.zero_grad()
        (_probes._output(leaves, x) - y).square().mean().backward()
        adam.step()
        falling.step()
    for name, weight in _probes._trained(first, x, y).items():
        torch.testing.assert_close(weight, leaves[name].detach())


def test_what_rounding_leaves_of_a_direction_is_not_read():
    z, degrees, v = world()
    rest = project(z, v) + 1e-7 * degrees[:, None] * v[:, None]
    assert score("linear", rest, degrees) < 0.05


def test_probes_leave_what_they_are_given(monkeypatch):
    monkeypatch.setattr(_probes, "STEPS", 5)
    z, degrees, _ = world()
    before = z.clone()
    leakage(z, degrees, z, degrees)
    assert torch.equal(z, before)
    assert not z.requires_grad


@pytest.mark.parametrize("z", [torch.zeros(4, 3), torch.zeros(1, 5, 3)])
def test_latents_without_an_axis_of_runs_or_of_another_number_are_refused(z: torch.Tensor):
    with refuses(ValueError, r"expected \(runs, n, dim\) and \(n, k\)"):
        linear_probe(z, torch.zeros(4, 1), z)


def test_one_seed_is_needed_for_each_run():
    z = torch.zeros(2, 4, 3)
    with refuses(ValueError, r"There are 1 seeds and 2 runs"):
        nonlinear_probe(z, torch.zeros(4, 1), z)


def test_what_does_not_differ_cannot_be_found():
    with refuses(ValueError, r"All true values are alike"):
        r_squared(torch.zeros(1, 3), torch.ones(3))


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("n", [2, 10, 1000])
@pytest.mark.parametrize("value", [0.1, 0.3, 0.7])
def test_targets_that_are_all_alike_are_refused_though_their_mean_is_rounded(value, n, dtype):
    with refuses(ValueError, "All true values are alike"):
        r_squared(torch.rand(1, n, dtype=dtype), torch.full((n,), value, dtype=dtype))


@pytest.mark.parametrize("unit", [1e-20, 1e20])
def test_the_share_that_was_found_does_not_depend_on_the_unit(unit, generator):
    said, true = torch.rand(3, 20, generator=generator), torch.rand(20, generator=generator)
    torch.testing.assert_close(r_squared(unit * said, unit * true), r_squared(said, true))


@pytest.fixture
def soon(monkeypatch):
    """A nonlinear probe that is trained for a fifth of its steps."""
    monkeypatch.setattr(_probes, "STEPS", 100)


@pytest.mark.parametrize("unit", [1e-20, 1e20])
@pytest.mark.usefixtures("soon")
@pytest.mark.parametrize("probe", [linear_probe, nonlinear_probe])
def test_what_a_probe_finds_does_not_depend_on_the_unit_of_latents_and_targets(
    probe, unit, generator
):
    z = torch.randn(1, 60, 3, generator=generator)
    y = z[0, :, :1].square() + z[0, :, 1:2]
    said = probe(z, y, z)
    for found in (probe(unit * z, y, unit * z), probe(z, unit * y, z) / unit):
        torch.testing.assert_close(found, said, atol=1e-2, rtol=1e-2)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
@pytest.mark.usefixtures("soon")
@pytest.mark.parametrize("probe", [linear_probe, nonlinear_probe])
def test_latents_of_half_precision_are_read_in_float32(probe, dtype, generator):
    z = (300 + torch.randn(1, 60, 3, generator=generator)).to(dtype)
    assert torch.equal(probe(z, z[0].float(), z), probe(z.float(), z[0].float(), z.float()))


@pytest.mark.parametrize("constant", [0.0, 0.1, 1e20])
@pytest.mark.usefixtures("soon")
@pytest.mark.parametrize("probe", [linear_probe, nonlinear_probe])
def test_a_constant_is_found_by_its_mean_and_tells_nothing(probe, constant, generator):
    z, y = torch.randn(1, 60, 3, generator=generator), torch.full((60, 1), constant)
    torch.testing.assert_close(probe(z, y, z)[0], y)
    # latents that are all alike
    alike = torch.full_like(z, constant)
    said = probe(alike, z[0, :, :1], alike)
    torch.testing.assert_close(said, z[0, :, :1].mean().expand_as(said), atol=1e-2, rtol=0)


@pytest.mark.parametrize("probe", [*PROBES])
def test_inference_mode_and_the_default_type_change_nothing(probe, monkeypatch):
    monkeypatch.setattr(_probes, "STEPS", 10)
    z, degrees, _ = world()
    given = (z[:, :400], degrees[:400, None], z[:, 400:])
    expected = PROBES[probe](*given)
    with torch.inference_mode():
        within = PROBES[probe](*(each.clone() for each in given))
    torch.set_default_dtype(torch.float64)
    try:
        other = PROBES[probe](*given)
    finally:
        torch.set_default_dtype(torch.float32)
    assert torch.equal(within, expected)
    torch.testing.assert_close(other, expected)
