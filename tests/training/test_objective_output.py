import pytest
import torch
from refusals import refuses

from latent_anchors import Objective, Term
from latent_anchors.regularizers import Anchor, Subspace

LATENTS = {"latent": torch.linspace(-1, 1, 32, dtype=torch.float64).view(8, 4) ** 3 + 0.1}
RED = torch.tensor([1.0, 0.0, 0.5, 0.0, 0.0, 0.0, 1.0, 0.0], dtype=torch.float64)
TERMS = [
    Term("red", Anchor([1.0, 0.0, 0.0, 0.0]), label="red"),
    Term("flat", Subspace(dims=(0, 1))),
]
ROW = {"red": 0.25, "flat": 3.0, "recon": 1.5}


def output(red=RED):
    latents = {"latent": LATENTS["latent"].clone().requires_grad_()}
    return Objective(TERMS, ["recon"])(latents, {"red": red}, ROW, recon=RED - 2 * RED**3 + 1)


def test_the_means_to_log_are_those_of_the_parts_and_their_shares_add_up_to_the_total():
    found = output()
    means = found.means()
    assert list(means) == ["total"] + [
        key for name in ("red", "flat", "recon") for key in (name, f"{name}/weighted")
    ]
    for name in ("red", "flat", "recon"):
        assert float(means[name]) == float(found[name].mean.detach()) != 0
        assert float(means[f"{name}/weighted"]) == pytest.approx(ROW[name] * float(means[name]))
    shares = sum(value for name, value in means.items() if name.endswith("/weighted"))
    torch.testing.assert_close(shares, means["total"])
    assert torch.equal(means["total"], found.total.detach())


def test_means_hold_no_graph_and_leave_the_totals_own_as_it_is():
    found = output()
    assert not any(value.requires_grad for value in found.means().values())
    assert found.total.requires_grad


def test_a_part_that_nobody_has_a_label_for_is_logged_as_0():
    means = output(torch.zeros(8)).means()
    assert float(means["red"]) == float(means["red/weighted"]) == 0
    assert float(means["flat"]) > 0


@pytest.mark.parametrize("losses", [["total"], ["red/weighted"]])
def test_no_part_is_called_as_another_number_that_is_logged(losses):
    words = f"recur among terms and losses: '{losses[0]}'; .*'total' and '<name>/weighted' are"
    with refuses(ValueError, words):
        Objective(TERMS, losses)
