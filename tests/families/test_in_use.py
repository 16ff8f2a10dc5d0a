"""What people do with a transformer, under an edit and while it is recorded."""

from contextlib import ExitStack
from typing import Any

import pytest
import torch
from families.test_contract import ANY, batch_of, concept_of, each_family, generated, logits, over
from families.zoo import FAMILIES, FEW, LINE, PREFILL, Batch, Family
from refusals import refuses
from torch import Tensor, nn

import latent_anchors as la

TRANSFORMERS = [family for family in FAMILIES if family.name not in ("ResNet", "LSTM")]
READS_WORDS = [family for family in TRANSFORMERS if family.name != "ViT"]
CAUSAL = [family for family in READS_WORDS if family.name not in ("BERT", "T5")]


def named(families: list[Family]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("family", families, ids=lambda family: family.name)


def only_stream(family: Family) -> Any:
    return next(iter(family.streams.values()))


def gradient(model: nn.Module, family: Family, batch: Batch) -> Tensor:
    """Of a loss and a penalty, under half an edit that is gone when ``backward()`` runs."""
    where = only_stream(family)
    concept = concept_of(where, ANY)
    torch.manual_seed(0)  # dropout
    with concept.muted(model, how="project", strength=0.5), la.record(model, where.sites) as z:
        loss = family.loss(model(**batch), batch)
        labels = where.labels(batch, z[where.sites[0]])
        loss = loss + concept.penalty(z, labels)
    loss.backward()
    parameters = model.parameters()
    return torch.cat([p.grad.flatten() for p in parameters if p.grad is not None])


@named(TRANSFORMERS)
@pytest.mark.parametrize("reentrant", [False, True])
def test_checkpointing_changes_no_gradient(family: Family, reentrant: bool):
    batch = batch_of(family)
    plain = gradient(family.seeded(0).train(), family, batch)
    model: Any = family.seeded(0).train()
    older = "gradient_checkpointing_enable"
    enable = getattr(model, "activation_checkpointing_enable", None) or getattr(model, older)
    enable({"use_reentrant": reentrant})
    runs: list[object] = []
    layer = model.get_submodule(only_stream(family).sites[0])
    leaf = next(each for each in layer.modules() if each._parameters)
    leaf.register_forward_hook(lambda *_: runs.append(None))
    torch.testing.assert_close(gradient(model, family, batch), plain, rtol=1e-4, atol=1e-6)
    assert len(runs) == 2


@named(READS_WORDS)
def test_given_embeddings_are_recorded_like_the_words_that_they_are_of(family: Family):
    model, batch = family.shared, batch_of(family)
    embed = model.get_input_embeddings()
    embedded = {name.replace("input_ids", "inputs_embeds"): embed(batch[name]) for name in batch}
    sites = [site for stream in family.streams.values() for site in stream.sites]
    with torch.no_grad(), la.record(model, sites) as z:
        model(**batch)
        by_words = {site: z[site] for site in sites}
        model(**embedded)
    assert all(torch.equal(z[site], by_words[site]) for site in sites)


def padded(ids: Tensor, by: int, word: int) -> Batch:
    mask = nn.functional.pad(torch.ones_like(ids), (by, 0))
    return {"input_ids": nn.functional.pad(ids, (by, 0), value=word), "attention_mask": mask}


@named(CAUSAL)
def test_what_stands_in_the_padding_has_no_influence(family: Family):
    model, concept = family.shared, concept_of(only_stream(family), ANY)
    ids = batch_of(family)["input_ids"]
    found = []
    for word in (2, 3):
        batch = padded(ids, by=4, word=word)
        with torch.no_grad(), la.record(model, concept.sites) as z:
            model(**batch)
        labels = (batch["input_ids"] < FEW).float()
        mask = batch["attention_mask"]
        found.append((concept.penalty(z, labels, mask), concept.penalty(z, labels)))
    (counted, every), (counted_again, every_again) = found
    torch.testing.assert_close(counted, counted_again, rtol=1e-5, atol=1e-6)
    assert not torch.isclose(every, every_again)


@named(CAUSAL)
def test_a_line_padded_on_the_left_goes_on_as_it_does_alone(family: Family):
    model, concept = family.shared, concept_of(only_stream(family), ANY)
    ids = batch_of(family)["input_ids"][:2]
    options = {"do_sample": False, "min_new_tokens": 5, "max_new_tokens": 5}
    with concept.muted(model, how="project"):
        alone = model.generate(ids, attention_mask=torch.ones_like(ids), **options)
        beside = model.generate(**padded(ids, by=4, word=0), **options)
    assert torch.equal(beside[:, 4:], alone)


@named(TRANSFORMERS)
@pytest.mark.parametrize("asked_before", [False, True])
def test_under_an_edit_the_models_own_hidden_states_are_the_edited_ones(family, asked_before: bool):
    where, batch = only_stream(family), batch_of(family)
    model: Any = family.seeded(0).eval()
    concept = concept_of(where, ANY)
    with torch.no_grad():
        unedited = model(**batch, output_hidden_states=asked_before)
        with concept.muted(model, how="project"):
            states = model(**batch, output_hidden_states=True)[where.states]
        after = model(**batch, output_hidden_states=True)
    assert (states[1] @ ANY).abs().max() < 1e-5
    assert (after[where.states][1] @ ANY).abs().max() > 1e-2
    assert torch.equal(logits(after), logits(unedited))


@each_family
def test_autocast_leaves_penalty_and_edit_as_they_are(family: Family):
    if family.name == "LSTM" and not torch.ops.mkldnn._is_mkldnn_bf16_supported():
        pytest.skip("torch has no LSTM in bfloat16 on this processor")
    where, model, batch = only_stream(family), family.shared, batch_of(family)
    concept = concept_of(where, ANY)
    with torch.no_grad(), torch.autocast("cpu", torch.bfloat16):
        before = logits(model(**batch))
        with concept.muted(model, how="project"), la.record(model, where.sites) as z:
            after = logits(model(**batch))
        labels = where.labels(batch, z[where.sites[0]])
        penalty = concept.penalty(z, labels)
    assert penalty.dtype == torch.float32
    assert not torch.allclose(before, after)
    for site in where.sites:
        left = (z[site].float() @ ANY).abs() / z[site].float().norm(dim=-1).clamp_min(1e-6)
        assert left.max() < 0.01  # bfloat16 has 8 bits


GENERATES = [
    (family, name)
    for family in TRANSFORMERS
    for name in family.streams
    if family.generates and name != "encoder"
]


@over(GENERATES)
def test_prefill_and_decoding_together_are_all_of_a_generation(family: Family, stream: str):
    model, batch = family.shared, batch_of(family)
    where = family.streams[stream]
    edit = concept_of(where, ANY).edit(how="project")

    def under(*passes: Any) -> list[Tensor]:
        with ExitStack() as stack:
            for each in passes:
                stack.enter_context(la.intervene(model, edit, where.sites, where=each))
            return list(generated(model, batch).logits)

    first, later = under("prefill"), under("decode")
    none, every, both = under(), under(None), under("prefill", "decode")
    assert all(torch.equal(one, other) for one, other in zip(every, both, strict=True))
    assert torch.equal(first[0], every[0])
    assert torch.equal(later[0], none[0])
    assert not torch.allclose(later[1], none[1])
    assert not torch.allclose(first[1], none[1])


@named(CAUSAL)
def test_a_mask_of_the_prompt_edits_it_and_nothing_that_follows(family: Family):
    model, batch = family.shared, batch_of(family)
    where = only_stream(family)
    edit = concept_of(where, ANY).edit(how="project")
    mask = torch.ones(3, LINE, dtype=torch.bool)
    with la.intervene(model, edit, where.sites, where=mask):
        by_mask = generated(model, batch)
    with la.intervene(model, edit, where.sites, where="prefill"):
        by_name = generated(model, batch)
    assert all(map(torch.equal, by_mask.logits, by_name.logits))
    with la.intervene(model, edit, where.sites, where=mask), refuses(ValueError, "leave the cache"):
        generated(model, batch, use_cache=False)


@named([family for family in FAMILIES if PREFILL in family.refused])
def test_an_encoder_has_no_prefill(family: Family):
    where = family.streams["encoder"]
    edit = concept_of(where, ANY).edit(how="project")
    with (
        refuses(RuntimeError, family.refused[PREFILL]),
        la.intervene(family.shared, edit, where.sites, where="prefill"),
    ):
        generated(family.shared, batch_of(family))
