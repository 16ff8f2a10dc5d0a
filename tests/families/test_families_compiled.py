"""A family compiled within one record around the training, which is the way that works."""

import pytest
import torch
from families.test_contract import batch_of, concept_of
from families.zoo import FAMILIES, WIDTH, Batch

import latent_anchors as la

pytestmark = pytest.mark.compiled
(LLAMA,) = (family for family in FAMILIES if family.name == "Llama")


def losses(compiled: bool) -> list[float]:
    """Of four steps; what is compiled is made within the block, and called in it only."""
    where, model = LLAMA.streams["residual"], LLAMA.seeded(0).train()
    concept = concept_of(where, la.axis(0, dim=WIDTH))
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    found = []
    with la.record(model, where.sites) as z:
        run = torch.compile(model, backend="aot_eager") if compiled else model
        for step in range(4):
            batch: Batch = batch_of(LLAMA, step)
            loss = LLAMA.loss(run(**batch), batch)
            loss = loss + concept.penalty(z, where.labels(batch, z[where.sites[0]]))
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            found.append(loss.item())
    return found


def test_one_record_around_a_compiled_training_gives_the_losses_of_the_eager_one():
    torch.compiler.reset()
    eager = losses(compiled=False)
    assert losses(compiled=True) == pytest.approx(eager, rel=1e-4)
    assert eager[-1] < eager[0]
