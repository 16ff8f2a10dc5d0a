"""Gradients of micro-batches add up to that of the whole batch."""

import pytest
import torch
from refusals import refuses
from torch import Tensor, nn

from latent_anchors import Objective, Term
from latent_anchors import regularizers as reg
from latent_anchors.adapters._whole_batch import WholeBatch

TERMS = [
    Term("mass", reg.Anchor([1.0, 0.0]), label="token"),
    Term("count", reg.Anchor([0.0, 1.0]), label="padded", reduction="count", ignore_index=-100),
    Term("rate", reg.unit_norm, label="token", mask="mask", reduction="rate", rate=0.3),
    Term("line", reg.Anchor([1.0, 1.0]), label="line", mask="mask", pool=reg.mean_pool),
    Term("pooled", reg.unit_norm, mask="mask", pool=reg.mean_pool),
    Term("every", reg.unit_norm),
]
NAMES = [term.name for term in TERMS]
ROW = {name: 0.3 + index for index, name in enumerate([*NAMES, "samples", "tokens"])}


def batch(rows: int = 7) -> dict[str, Tensor]:
    """Of lines of five tokens, some of which count; in the last line, nobody has a label."""
    mask = torch.rand(rows, 5) > 0.4
    token = torch.rand(rows, 5) * (torch.arange(rows) < rows - 2)[:, None]
    return {
        "x": torch.randn(rows, 5, 3),
        "mask": mask,
        "token": token,
        "padded": token.masked_fill(~mask, -100),
        "line": (torch.arange(rows) % 3 == 0).float(),
    }


def losses(latents: Tensor, part: dict[str, Tensor]) -> dict[str, Tensor]:
    """One mean over samples, and one over the tokens that count."""
    tokens = latents.square().sum(-1)
    return {"samples": tokens.sum(-1).mean(), "tokens": tokens[part["mask"]].mean()}


def gradient(parts: list[dict[str, Tensor]], averaged: int) -> Tensor:
    torch.manual_seed(0)
    model = nn.Linear(3, 2)
    objective = Objective(TERMS, losses=["samples", "tokens"])
    weigh = WholeBatch(objective, {"tokens": lambda part: part["mask"].sum()})
    weigh.begin(parts, averaged)
    for part in parts:
        z = model(part["x"])
        given = {"latents": {"latent": z}, "row": ROW, **losses(z, part)}
        (weigh(part, **given).total / averaged).backward()
    return torch.cat([each.grad.flatten() for each in model.parameters()])


def plain(whole: dict[str, Tensor]) -> Tensor:
    torch.manual_seed(0)
    model = nn.Linear(3, 2)
    z = model(whole["x"])
    objective = Objective(TERMS, losses=["samples", "tokens"])
    objective({"latent": z}, whole, ROW, whole, **losses(z, whole)).total.backward()
    return torch.cat([each.grad.flatten() for each in model.parameters()])


@pytest.mark.parametrize("averaged", [1, 3])
def test_uneven_micro_batches_add_up_to_the_whole(averaged: int):
    whole = batch()
    cuts = [slice(0, 3), slice(3, 5), slice(5, 7)]
    parts = [{name: column[cut] for name, column in whole.items()} for cut in cuts]
    torch.testing.assert_close(gradient(parts, averaged), plain(whole), atol=1e-6, rtol=1e-6)
    # own divisors, as without the whole batch's, lead elsewhere
    apart = sum(gradient([part], 1) for part in parts) / 3
    assert (apart - plain(whole)).abs().max() > 0.05


def test_samples_may_be_single_numbers_such_as_the_tokens_of_a_table():
    torch.manual_seed(0)
    table, ids = nn.Embedding(9, 2), torch.tensor([1, 4, 4, 0, 8])
    weigh = WholeBatch(Objective([Term("every", reg.unit_norm)]))
    weigh.begin([{"ids": ids[:2]}, {"ids": ids[2:]}], averaged=1)
    parts = [
        weigh({"ids": part}, latents={"latent": table(part)}, row={"every": 1.0}).total
        for part in (ids[:2], ids[2:])
    ]
    torch.testing.assert_close(sum(parts), reg.unit_norm(table(ids)).mean())


def test_the_objective_given_stays_as_it_was():
    objective = Objective(TERMS)
    weigh = WholeBatch(objective)
    assert objective.reduce_mass is None
    assert weigh.objective.terms is objective.terms


def test_a_reduction_of_its_own_is_refused():
    with refuses(ValueError, r"has a reduce_mass of its own; .* Leave reduce_mass out"):
        WholeBatch(Objective(TERMS, reduce_mass=lambda masses: masses))


def test_samples_of_several_sizes_need_a_mask():
    parts = [{"x": torch.ones(2, 3)}, {"x": torch.ones(2, 5)}]
    free = Objective([Term("every", reg.unit_norm)])
    with refuses(ValueError, r"Terms 'every' have neither label nor mask, .* from 3 to 5 numbers"):
        WholeBatch(free).begin(parts, averaged=2)
    WholeBatch(Objective([], losses=["task"])).begin(parts, averaged=2)


def test_samples_of_one_size_are_never_refused_for_rounding_or_for_being_none():
    free = WholeBatch(Objective([Term("every", reg.unit_norm)]))
    many = 2**24 + 1  # has no float32 of its own
    free.begin([{"x": torch.zeros(()).expand(1, many)}], averaged=1)
    free.begin([{"x": torch.ones(0, 3)}], averaged=1)
    nobody = {"latents": {"latent": torch.ones(0, 2)}, "row": {"every": 1.0}}
    assert free({"x": torch.ones(0, 3)}, **nobody).total == 0
