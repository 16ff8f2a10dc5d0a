"""A small Llama and ragged lines of tokens, with labels for tokens and for lines."""

import torch
from torch import Tensor, nn

import latent_anchors as la
from latent_anchors import curriculum
from latent_anchors import regularizers as reg

SITE = "model.layers.1"
DIM = 16
UP = [1.0] + [0.0] * (DIM - 1)
SHEET = "STEP,lr,task,animal,topic\n0,0.5,1,0.7,0.3\n10,0.05,1,0.2,0.9\n"


def llama() -> nn.Module:
    from transformers import LlamaConfig, LlamaForCausalLM

    torch.manual_seed(0)
    config = LlamaConfig(
        vocab_size=31,
        hidden_size=DIM,
        intermediate_size=24,
        num_hidden_layers=2,
        num_attention_heads=2,
        pad_token_id=0,
    )
    return LlamaForCausalLM(config)


def timeline() -> curriculum.Timeline:
    return curriculum.read_dopesheet(SHEET).timeline()


def objective() -> la.Objective:
    terms = [
        la.Term("animal", reg.Anchor(UP), at=SITE, label="animal"),
        la.Term(
            "topic",
            reg.Anchor(UP),
            at=SITE,
            label="topic",
            mask="attention_mask",
            pool=reg.SoftMinimum(0.1),
        ),
    ]
    return la.Objective(terms, losses=["task"], other_tracks=["lr"])


def lines(n: int = 64) -> list[dict[str, list[int]]]:
    """Of 4 to 9 tokens, each with its label for the model, for the concept, and for the line."""
    generator = torch.Generator().manual_seed(3)
    found = []
    for index in range(n):
        length = int(torch.randint(4, 10, (), generator=generator))
        ids = torch.randint(1, 31, (length,), generator=generator).tolist()
        found.append(
            {
                "input_ids": ids,
                "labels": ids,
                "animal": [float(token < 5) for token in ids],
                "topic": float(index % 3 == 0),
            }
        )
    return found


def padded(samples: list[dict[str, list[int]]]) -> dict[str, Tensor]:
    """The whole batch, padded at the right."""
    longest = max(len(sample["input_ids"]) for sample in samples)

    def filled(name: str, value: float) -> Tensor:
        rows = [[*s[name], *[value] * (longest - len(s[name]))] for s in samples]
        return torch.tensor(rows)

    mask = [[1] * len(s["input_ids"]) + [0] * (longest - len(s["input_ids"])) for s in samples]
    return {
        "input_ids": filled("input_ids", 0),
        "attention_mask": torch.tensor(mask),
        "labels": filled("labels", -100),
        "animal": filled("animal", 0.0),
        "topic": torch.tensor([s["topic"] for s in samples]),
    }


def gradients(model: nn.Module) -> Tensor:
    return torch.cat([p.grad.flatten() for p in model.parameters() if p.grad is not None])
