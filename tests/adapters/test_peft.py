"""PEFT: names with and without its prefix, adapters beside concepts, edits with adapters off."""

import pytest
import torch
from adapters.small_models import DIM, SITE, UP, llama
from refusals import refuses

import latent_anchors as la

# PEFT asks transformers for an attribute that has a new name
pytestmark = pytest.mark.filterwarnings("ignore:.is_gradient_checkpointing. is deprecated")
PREFIX = "base_model.model."
IDS = torch.randint(1, 31, (3, 7), generator=torch.Generator().manual_seed(6))
UP_AXIS = la.axis(0, dim=DIM)


def adapted():
    from peft import LoraConfig, get_peft_model

    config = LoraConfig(r=2, target_modules=["q_proj", "down_proj"], task_type="CAUSAL_LM")
    torch.manual_seed(1)
    model = get_peft_model(llama(), config)
    for name, parameter in model.named_parameters():
        if "lora_B" in name:  # which begins at 0
            torch.nn.init.normal_(parameter, std=0.3)
    return model.eval()


def logits(model, **given):
    with torch.no_grad():
        return model(input_ids=IDS, **given).logits


def concept(at):
    return la.Concept("animal", UP_AXIS, at=at)


@pytest.mark.parametrize("make", [llama, adapted])
def test_a_concept_is_found_on_either_model_under_either_name(make):
    model = make().eval()
    found, muted = [], []
    for at in (SITE, PREFIX + SITE):
        animal = concept(at)
        objective = la.Objective([animal.term()], losses=["task"])
        with torch.no_grad(), la.record(model, objective.sites) as latents:
            model(input_ids=IDS)
        label = {"animal": torch.ones(IDS.shape)}
        row = {"animal": 1.0, "task": 0.0}
        found.append(objective(latents, label, row, task=torch.zeros(())).total)
        with animal.muted(model):
            muted.append(logits(model))
    assert torch.equal(*found)
    assert torch.equal(*muted)
    assert not torch.allclose(muted[0], logits(model), atol=1e-4)


def test_an_adapter_and_a_concept_in_one_folder_give_the_same_outputs(tmp_path):
    from peft import PeftModel

    model, animal = adapted(), concept(PREFIX + SITE)
    model.save_pretrained(tmp_path)
    la.save(animal, tmp_path / "concept")
    again = PeftModel.from_pretrained(llama(), tmp_path).eval()
    loaded = la.load(tmp_path / "concept")
    with animal.muted(model), loaded.muted(again):
        torch.testing.assert_close(logits(again), logits(model))
    torch.testing.assert_close(logits(again), logits(model))
    assert not torch.allclose(logits(model), logits(llama().eval()), atol=1e-3)


def test_an_edit_acts_with_the_adapter_off_and_on_the_merged_model():
    model, animal = adapted(), concept(SITE)
    with model.disable_adapter(), animal.muted(model):
        off = logits(model)
    base = llama().eval()
    with animal.muted(base):
        torch.testing.assert_close(off, logits(base))
    with animal.muted(model):
        on = logits(model)
    merged = model.merge_and_unload()
    with animal.muted(merged):
        torch.testing.assert_close(logits(merged), on, rtol=1e-4, atol=1e-5)
    assert not torch.allclose(on, off, atol=1e-3)


def test_generation_is_edited_and_as_before_afterwards():
    model = adapted()
    given = {"max_new_tokens": 4, "do_sample": False, "pad_token_id": 0, "eos_token_id": None}
    before = model.generate(input_ids=IDS, **given)
    steering = la.interventions.Steering([50.0 * x for x in UP])
    with la.intervene(model, steering, at=SITE):
        edited = model.generate(input_ids=IDS, **given)
    assert torch.equal(model.generate(input_ids=IDS, **given), before)
    assert not torch.equal(edited, before)


def test_weights_that_an_adapter_keeps_aside_are_not_left_with_the_concept():
    from peft import LoraConfig, get_peft_model

    config = LoraConfig(r=2, target_modules=["o_proj"], modules_to_save=["embed_tokens"])
    model = get_peft_model(llama(), config).eval()
    with refuses(ValueError, "'.*original_module.weight' were not used.*merge_and_unload"):
        concept(SITE).removed(model, example={"input_ids": IDS})
    whole = model.merge_and_unload()
    clean = concept(SITE).removed(whole, example={"input_ids": IDS})
    with torch.no_grad(), la.record(clean, SITE) as latents:
        clean(input_ids=IDS)
    assert (latents[SITE] @ UP_AXIS).abs().max() < 1e-6


def test_sites_of_prompts_that_were_learned_have_the_plain_models_names():
    from peft import PromptTuningConfig, get_peft_model

    plain = llama()
    prompted = get_peft_model(llama(), PromptTuningConfig("CAUSAL_LM", num_virtual_tokens=3))
    assert la.sites(prompted, "residual").names == la.sites(plain, "residual").names
    pattern = "model.layers.*"
    assert la.sites(prompted, pattern).names == la.sites(plain, pattern).names
    (name, *_) = la.sites(plain, pattern).names
    assert la.sites(prompted, f"base_model.{name}").names == la.sites(prompted, name).names
