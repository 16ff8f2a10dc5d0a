import pytest
import torch
from refusals import refuses

import latent_anchors as la
from latent_anchors import regularizers as reg
from latent_anchors.concepts import ConceptBank

ROWS = torch.randn(9, 5, generator=torch.Generator().manual_seed(0))


def concepts(**options):
    return [la.Concept(f"k{k}", row, **{"at": "0", **options}) for k, row in enumerate(ROWS)]


def z_and_labels(generator, shape=(6,)):
    z = torch.randn(*shape, 5, generator=generator, requires_grad=True)
    return z, (torch.rand(*shape, 9, generator=generator) > 0.5).float()


def test_a_bank_is_the_sum_of_its_concepts(generator):
    bank = ConceptBank(concepts())
    z, labels = z_and_labels(generator)
    by_name = dict(zip(bank, labels.unbind(-1), strict=True))
    alone = torch.stack([bank[name].penalty(z, by_name[name]) for name in bank])
    torch.testing.assert_close(bank.penalties(z, by_name), alone)
    torch.testing.assert_close(bank.penalty({"0": z}, labels), alone.sum())
    slopes = [torch.autograd.grad(s, z) for s in (bank.penalty(z, labels), alone.sum())]
    torch.testing.assert_close(*slopes)


def test_a_mask_leaves_positions_out_of_all(generator):
    bank = ConceptBank(concepts(pool=reg.mean_pool))
    z, _ = z_and_labels(generator, (4, 6))
    mask, labels = torch.rand(4, 6, generator=generator) > 0.5, torch.eye(4, 9)
    before = bank.penalties(z, labels, mask)
    spoiled = z.detach().masked_fill(~mask.unsqueeze(-1), torch.nan)
    torch.testing.assert_close(bank.penalties(spoiled, labels, mask), before.detach())
    assert not torch.equal(bank.penalties(z, labels), before)


def test_an_objective_takes_its_terms_and_keeps_out(generator, tmp_path):
    bank = ConceptBank(concepts())
    z, labels = z_and_labels(generator)
    objective = la.Objective([*bank.terms(track="anchors"), *bank.keep_out(track="away")])
    la.save(objective, tmp_path / "objective")
    loaded, given = la.load(tmp_path / "objective"), dict(zip(bank, labels.unbind(-1), strict=True))
    outputs = [each({"0": z}, given, {"anchors": 1.0, "away": 0.5}) for each in (objective, loaded)]
    towards = sum(concept.alignment(z).relu().square().mean() for concept in bank.values())
    torch.testing.assert_close(outputs[0].total, bank.penalty(z, labels) + 0.5 * towards)
    assert torch.equal(outputs[0].total, outputs[1].total)
    assert {"k3", "keep_out_k3"} <= set(outputs[0])


@pytest.mark.parametrize(
    ("made", "error", "says"),
    [
        (lambda: ConceptBank([]), ValueError, "at least one"),
        (lambda: ConceptBank(concepts()[:1] * 2), ValueError, "'k0'"),
        (lambda: ConceptBank([la.Concept("hue", ROWS[:2], "0")]), TypeError, "'hue'"),
        (lambda: ConceptBank([*concepts(), la.Concept("b", ROWS[0], "1")]), ValueError, "sites"),
        (lambda: ConceptBank([*concepts(), la.Concept("b", [1, 0], "0")]), ValueError, "width"),
        (lambda: ConceptBank(concepts()).penalty(torch.ones(2, 5), torch.ones(2)), ValueError, "9"),
    ],
)
def test_what_a_bank_cannot_be(made, error, says):
    with refuses(error, says):
        made()


def test_labels_of_numpys_are_moved_to_the_latents(generator):
    bank = ConceptBank(concepts())
    z, labels = z_and_labels(generator)
    assert torch.equal(bank.penalty(z, labels.numpy()), bank.penalty(z, labels))
    few = ConceptBank(concepts()[:3])  # where torch has no autocast, as on this device
    assert few.penalty(z.to("meta"), labels[:, :3].numpy()).is_meta
    with refuses(KeyError, "acts at '0'; recorded are '1'"):
        bank.penalty({"1": z}, labels)
