"""Every method on a causal language model of Hugging Face, and with constrained weights."""

import pytest
import torch
from baselines import problem
from torch.nn.functional import cross_entropy

from latent_anchors import baselines, interventions, models, training
from latent_anchors.data import LabeledBatch

LINES = problem.LINES.masked_fill(~problem.REAL, 0)
BATCH = LabeledBatch(
    LINES,
    {"first": (torch.arange(24) % 4 == 0).float()},
    {"labels": LINES.masked_fill(~problem.REAL, -100), "real": problem.REAL},
)
NAMES = [*problem.members()]


def llama():
    transformers = pytest.importorskip("transformers")
    torch.manual_seed(0)
    config = transformers.LlamaConfig(
        vocab_size=problem.TOKENS,
        hidden_size=16,
        intermediate_size=24,
        num_hidden_layers=2,
        num_attention_heads=2,
        max_position_embeddings=8,
        pad_token_id=0,
        bos_token_id=1,
        eos_token_id=2,
    )
    return transformers.LlamaForCausalLM(config)


def own_loss(model, batch):
    """The model's own, over what is no padding."""
    return model(
        input_ids=batch.inputs, attention_mask=batch.extras["real"], labels=batch.extras["labels"]
    ).loss


def logits_of(model, batch):
    """At every position."""
    return model(input_ids=batch.inputs, attention_mask=batch.extras["real"]).logits


def of_llama(name, model):
    mlp, sites = "model.layers.1.mlp", ["model.layers.0", "model.layers.1"]
    units = baselines.reserved_units(
        model, [0, 1], outputs=[f"{mlp}.gate_proj", f"{mlp}.up_proj"], inputs=[f"{mlp}.down_proj"]
    )
    known = baselines.KnownEdits({sites[0]: interventions.ZeroAblation([0])})
    tuned = baselines.FineTuning(own_loss)
    return {
        "gradient_routing": baselines.GradientRouting(sites, dims=[0, 1], heal=2),
        "selective_masking": baselines.SelectiveMasking(units),
        "fine_tuning": tuned,
        "known_edits": known,
        "undo": baselines.Undo(known, training.forward_kl, output=logits_of),
        "undo_of_fine_tuning": baselines.Undo(tuned, training.forward_kl, output=logits_of),
    }.get(name) or baselines.Finding(name, at=sites)


@pytest.mark.parametrize("name", NAMES)
def test_a_llama_is_fitted_by_its_own_loss(name):
    model = llama()
    task = baselines.Task(own_loss, lambda _: BATCH, "first", steps=3, mask="real")
    placed = of_llama(name, model).fit(model, task)
    with placed.removed() as cut, torch.no_grad():
        after, before = (logits_of(each, BATCH)[problem.REAL] for each in (cut, model))
    assert after.isfinite().all()
    assert not torch.equal(after, before)


def test_what_is_padding_changes_nothing_that_is_found():
    found = []
    for filler in (0, 5):
        lines = problem.LINES.masked_fill(~problem.REAL, filler)
        batch = LabeledBatch(lines, BATCH.labels, BATCH.extras)
        task = baselines.Task(own_loss, lambda _, b=batch: b, "first", steps=1, mask="real")
        model = llama()
        found.append(of_llama("leace", model).fit(model, task).edits["model.layers.1"].right)
    torch.testing.assert_close(*found)


@pytest.mark.parametrize("name", ["gradient_routing", "selective_masking", "undo"])
def test_weights_stay_normalized_where_the_task_says_so(name):
    torch.manual_seed(0)
    model = models.NormalizedTransformer(problem.TOKENS, 16, 1, 2, 32)

    def loss(network, batch):
        logits = network(batch.inputs)[:, :-1].flatten(0, 1)
        return cross_entropy(logits, batch.extras["labels"][:, 1:].flatten(), ignore_index=-100)

    site = "blocks.0"
    member = {
        "gradient_routing": baselines.GradientRouting(site, dims=[0]),
        "selective_masking": baselines.SelectiveMasking(
            {"embedding.weight": torch.arange(16).expand(problem.TOKENS, 16) < 2}
        ),
        "undo": baselines.Undo(
            baselines.KnownEdits({site: interventions.ZeroAblation([0])}), training.forward_kl
        ),
    }[name]
    task = baselines.Task(
        loss, lambda _: BATCH, "first", steps=3, mask="real", constraint=model.constraint
    )
    placed = member.fit(model, task)
    trained = placed.cut if name == "undo" else placed.model
    lengths = trained.embedding.weight.norm(dim=-1)
    torch.testing.assert_close(lengths, torch.ones_like(lengths))
