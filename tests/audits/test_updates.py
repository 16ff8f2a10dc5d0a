"""Each run moves as torch's own optimizer would move it alone."""

import pytest
import torch

from latent_anchors.audits._updates import Rules, State, update


@pytest.mark.parametrize("rate", [0.001, 0.1])
@pytest.mark.parametrize("adam", [True, False])
def test_a_run_moves_as_under_torchs_optimizer_whatever_its_neighbor_does(adam: bool, rate: float):
    start = torch.linspace(-1.0, 2.0, 12, dtype=torch.float64).reshape(2, 2, 3)
    alone = start[0].clone().requires_grad_()
    make = torch.optim.Adam if adam else torch.optim.SGD
    optimizer = make([alone], lr=rate, **({} if adam else {"momentum": 0.9}))
    rules = Rules(torch.tensor([adam, not adam]), torch.tensor([rate, 0.05], dtype=torch.float64))
    state = State.begin({"w": start})
    for step in range(1, 6):
        state = update(state, {"w": slope(state.parameters["w"], step)}, rules, step)
        alone.grad = slope(alone.detach(), step)
        optimizer.step()
    assert torch.allclose(state.parameters["w"][0], alone.detach(), rtol=1e-12, atol=1e-12)


def slope(w: torch.Tensor, step: int) -> torch.Tensor:
    return w**3 - 0.3 * step


def test_what_leaves_takes_its_moments_along():
    w = torch.arange(6.0).reshape(3, 2)
    state = State(parameters={"w": w}, first={"w": w + 10}, second={"w": w + 20})
    kept = state.keep(torch.tensor([2, 0]))
    parts = (kept.parameters, kept.first, kept.second)
    assert [part["w"][:, 0].tolist() for part in parts] == [[4.0, 0.0], [14.0, 10.0], [24.0, 20.0]]
