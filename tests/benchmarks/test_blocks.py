"""What recording, a term and an edit add to a step of a transformer block, on one thread."""

from collections.abc import Callable
from functools import partial

import pytest
import torch
from side_by_side import medians, upper_ends
from torch import nn
from torch.nn import functional as F

import latent_anchors as la
from latent_anchors import interventions
from latent_anchors import regularizers as reg

LINES, POSITIONS, WIDTH, HEADS = 32, 128, 512, 8

pytestmark = pytest.mark.usefixtures("alike")


class Block(nn.Module):
    """Pre-norm attention and MLP, of stock parts."""

    def __init__(self) -> None:
        super().__init__()
        self.norms = nn.ModuleList([nn.LayerNorm(WIDTH), nn.LayerNorm(WIDTH)])
        self.project, self.out = nn.Linear(WIDTH, 3 * WIDTH), nn.Linear(WIDTH, WIDTH)
        self.mlp = nn.Sequential(
            nn.Linear(WIDTH, 4 * WIDTH), nn.GELU(), nn.Linear(4 * WIDTH, WIDTH)
        )

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        projected = self.project(self.norms[0](x)).unflatten(-1, (3 * HEADS, -1))
        q, k, v = projected.transpose(1, 2).chunk(3, 1)
        mixed = F.scaled_dot_product_attention(q, k, v, is_causal=True)
        x = x + self.out(mixed.transpose(1, 2).flatten(2))
        return x + self.mlp(self.norms[1](x))


torch.manual_seed(0)
MODEL = nn.Sequential(Block())
X, Y = torch.randn(2, LINES, POSITIONS, WIDTH)
DIRECTION = torch.randn(WIDTH)
LABELS = {"red": (torch.arange(LINES) % 5 == 0).float()}


def mean_of_positions(values: torch.Tensor, _mask: torch.Tensor | None) -> torch.Tensor:
    return values.mean(-1)


def anchors(count: int) -> la.Objective:
    """An objective of so many anchors, all at one site."""
    pointed = reg.Anchor(DIRECTION)
    terms = [
        la.Term(f"anchor {i}", pointed, at="0", label="red", pool=mean_of_positions)
        for i in range(count)
    ]
    return la.Objective(terms, losses=["fit"])


def row(objective: la.Objective) -> dict[str, float]:
    return dict.fromkeys(objective.names, 0.1)


def training() -> None:
    MODEL.zero_grad()
    F.mse_loss(MODEL(X), Y).backward()


def anchored(objective: la.Objective) -> None:
    MODEL.zero_grad()
    with la.record(MODEL, objective.sites) as latents:
        output = MODEL(X)
    objective(latents, LABELS, row(objective), fit=F.mse_loss(output, Y)).total.backward()


def edited(step: Callable[[], None], edit: interventions.EditModule) -> None:
    with la.intervene(MODEL, edit, at="0"):
        step()


def inference() -> None:
    with torch.no_grad():
        MODEL(X)


GATE = interventions.Suppression(DIRECTION)
LINEAR = interventions.Suppression(DIRECTION, interventions.BoundedFalloff(power=1.0))


def test_an_anchor_adds_under_three_percent_and_an_edit_under_two(told: dict[str, object]):
    objective = anchors(1)
    anchor, *edits = upper_ends(
        60,
        training,
        anchored=lambda: anchored(objective),
        gated=lambda: edited(training, GATE),
        graded=lambda: edited(training, LINEAR),
    )
    told.update(anchored=anchor, edited=max(edits))
    assert anchor < 3
    assert max(edits) < 2


def test_an_edit_adds_under_two_percent_to_inference(told: dict[str, object]):
    gated, graded = (partial(edited, inference, edit) for edit in (GATE, LINEAR))
    told["edited"] = most = max(upper_ends(180, inference, gated=gated, graded=graded))
    assert most < 2


def test_a_further_term_on_a_recorded_site_costs_no_more_than_the_first():
    z = torch.randn(LINES, POSITIONS, WIDTH, requires_grad=True)

    def arithmetic(count: int) -> Callable[[], None]:
        objective = anchors(count)

        def run() -> None:
            z.grad = None
            fit = z.new_zeros(())
            objective({"0": z}, LABELS, row(objective), fit=fit).total.backward()

        return run

    step, one, two, four = medians(training, *map(arithmetic, (1, 2, 4)))
    percent = ", ".join(f"{100 * taken / step:.2f}" for taken in (one, two, four))
    print(f"\none, two, four anchors: {percent} % of a step")
    assert four < 4.4 * one


def test_a_recorded_site_costs_a_hook():
    deep, x = nn.Sequential(*(nn.Identity() for _ in range(48))), torch.ones(1)

    def recorded(sites: int) -> Callable[[], None]:
        names = [str(i) for i in range(sites)]

        def run() -> None:
            with la.record(deep, names):
                deep(x)

        return run

    few, many = medians(recorded(1), recorded(48), rounds=200)
    print(
        f"\nrecording: {1e6 * few:.0f} us for a site of 48, {1e6 * many / 48:.0f} us each for all"
    )
    assert many < 48 * few
