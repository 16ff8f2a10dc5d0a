"""The contract on models that PEFT has wrapped: LoRA on Llama and GPT-2, its factors not zero."""

from functools import cache
from pathlib import Path
from typing import Any

import peft
import pytest
import torch
from families.test_contract import ANY, batch_of, concept_of, generated, said
from families.test_in_use import only_stream
from families.zoo import FAMILIES, Family

import latent_anchors as la

# PEFT asks transformers for an attribute that has a new name
pytestmark = pytest.mark.filterwarnings("ignore:`is_gradient_checkpointing`:FutureWarning")

TARGETS = {
    "GPT-2": ["c_attn", "c_proj", "c_fc"],
    "Llama": ["q_proj", "v_proj", "o_proj", "down_proj"],
}
each = pytest.mark.parametrize(
    "family", [family for family in FAMILIES if family.name in TARGETS], ids=lambda f: f.name
)


def wrapped(family: Family) -> Any:
    options = peft.LoraConfig(
        r=4,
        target_modules=TARGETS[family.name],
        task_type="CAUSAL_LM",
        fan_in_fan_out=family.name == "GPT-2",
    )
    model = peft.get_peft_model(family.seeded(0).eval(), options).eval()
    generator = torch.Generator().manual_seed(3)
    for name, factor in model.named_parameters():
        if "lora_B" in name:  # zero at first
            factor.data = torch.randn(factor.shape, generator=generator) / 10
    return model


shared = cache(wrapped)


@each
def test_the_names_of_the_base_model_find_the_same_sites(family: Family):
    model, batch = shared(family), batch_of(family)
    where = only_stream(family)
    full = [f"base_model.model.{site}" for site in where.sites]
    with torch.no_grad(), la.record(model, where.sites) as z, la.record(model, full) as same:
        states = model(**batch, output_hidden_states=True).hidden_states
    assert torch.equal(z[where.sites[0]], states[1])
    assert all(torch.equal(z[one], same[two]) for one, two in zip(where.sites, full, strict=True))


@each
def test_a_penalty_trains_the_factors_only(family: Family):
    model, batch = wrapped(family).train(), batch_of(family)
    where = only_stream(family)
    concept = concept_of(where, ANY)
    with la.record(model, where.sites) as z:
        model(**batch)
    concept.penalty(z, where.labels(batch, z[where.sites[0]])).backward()
    trained = {name for name, p in model.named_parameters() if p.grad is not None}
    assert trained
    assert all("lora_" in name for name in trained)
    assert all(model.get_parameter(name).grad.abs().max() > 0 for name in trained)


@each
def test_an_edit_acts_on_the_wrapped_model_as_on_the_merged_one(family: Family):
    model, batch = wrapped(family), batch_of(family)
    concept = concept_of(only_stream(family), ANY)
    before = said(model, batch)
    with concept.muted(model, how="project"):
        during, words = said(model, batch), generated(model, batch).sequences
    merged = model.merge_and_unload()
    with concept.muted(merged, how="project"):
        torch.testing.assert_close(said(merged, batch), during, rtol=1e-4, atol=1e-5)
        assert torch.equal(generated(merged, batch).sequences, words)
    assert not torch.allclose(during, before)


@each
def test_concept_and_adapter_are_saved_beside_each_other(family: Family, tmp_path: Path):
    model, batch = shared(family), batch_of(family)
    concept = concept_of(only_stream(family), ANY)
    model.save_pretrained(tmp_path / "adapter")
    la.save(concept, tmp_path / "concept")
    loaded = peft.PeftModel.from_pretrained(family.seeded(0).eval(), tmp_path / "adapter").eval()
    again = la.load(tmp_path / "concept")
    with concept.muted(model, how="project"):
        before = said(model, batch)
    with again.muted(loaded, how="project"):
        assert torch.equal(said(loaded, batch), before)


@each
def test_removal_from_base_and_factors_is_removal_from_the_merged_weights(family: Family):
    model, batch = wrapped(family), batch_of(family)
    concept = concept_of(only_stream(family), ANY)
    before = said(model, batch)
    clean = concept.removed(model, example=dict(batch))
    assert torch.equal(said(model, batch), before)
    merged = concept.removed(model.merge_and_unload(), example=dict(batch))
    torch.testing.assert_close(said(clean, batch), said(merged, batch), rtol=1e-5, atol=1e-5)
    assert not torch.allclose(said(clean, batch), before, atol=1e-4)
    with torch.no_grad(), la.record(clean, concept.sites) as z:
        clean(**batch)
    assert all((z[site] @ ANY).abs().max() < 1e-5 for site in concept.sites)
