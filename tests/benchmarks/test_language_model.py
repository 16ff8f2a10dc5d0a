"""What an anchor and an edit at every layer add to a small Llama, on one thread."""

from typing import Any

import pytest
import torch
from side_by_side import upper_ends
from torch import nn

import latent_anchors as la
from latent_anchors import interventions

transformers: Any = pytest.importorskip("transformers")

LAYERS, WIDTH, LINES, POSITIONS, TOKENS = 6, 256, 8, 128, 64
PAIRS = 50

pytestmark = pytest.mark.usefixtures("alike")


def llama() -> nn.Module:
    torch.manual_seed(0)
    config = transformers.LlamaConfig(
        vocab_size=TOKENS,
        hidden_size=WIDTH,
        intermediate_size=4 * WIDTH,
        num_hidden_layers=LAYERS,
        num_attention_heads=8,
        max_position_embeddings=POSITIONS,
    )
    return transformers.LlamaForCausalLM(config)


MODEL = llama()
SITES = [f"model.layers.{layer}" for layer in range(LAYERS)]
X = torch.randint(TOKENS, (LINES, POSITIONS))
IS_RED = (torch.rand(LINES, POSITIONS) < 0.05).float()
DIRECTION = torch.randn(WIDTH)
RED = [la.Concept(f"red {k}", DIRECTION, at=site) for k, site in enumerate(SITES)]
OBJECTIVE = la.Objective([red.term(track="red") for red in RED], losses=["task"])
LABELS = {red.name: IS_RED for red in RED}
EDIT = interventions.Suppression(DIRECTION)


def training() -> None:
    MODEL.zero_grad()
    MODEL(X, labels=X).loss.backward()


def anchored() -> None:
    MODEL.zero_grad()
    with la.record(MODEL, OBJECTIVE.sites) as latents:
        task = MODEL(X, labels=X).loss
    OBJECTIVE(latents, LABELS, {"red": 0.1, "task": 1.0}, task=task).total.backward()


def recorded() -> None:
    MODEL.zero_grad()
    with la.record(MODEL, SITES):
        MODEL(X, labels=X).loss.backward()


def inference() -> None:
    with torch.no_grad():
        MODEL(X)


def edited() -> None:
    with la.intervene(MODEL, EDIT, at=SITES):
        inference()


def test_an_anchor_at_every_layer_adds_at_most_five_percent_to_training(told: dict[str, object]):
    MODEL.train()
    sites, anchors = upper_ends(PAIRS, training, recorded=recorded, anchored=anchored)
    told.update(recorded=sites, anchored=anchors)
    assert sites < 5
    assert anchors < 5


def test_an_edit_at_every_layer_adds_at_most_five_percent_to_inference(told: dict[str, object]):
    MODEL.eval()
    (edits,) = upper_ends(PAIRS, inference, edited=edited)
    told.update(edited=edits)
    assert edits < 5
