"""What a language model makes of definitions: cosines by topic and block, and continued lines."""

from collections.abc import Sequence
from contextlib import nullcontext
from typing import Any

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from latent_anchors.audits import leakage
from latent_anchors.concepts import Concept
from latent_anchors.evaluation import alignment, latched
from latent_anchors.testbed._words._tokens import LENGTH, TokenizedDefinitions
from latent_anchors.testbed._words._topic_losses import BatchEdit
from latent_anchors.testbed._words._word_models import word_cosines, word_latents


def topic_cosines(
    model: Any, words: TokenizedDefinitions, concept: Concept
) -> dict[str, Float[Tensor, " block"]]:
    """Each topic's mean cosine with a concept's direction behind the colon, block by block.

    Args:
        model: With ``model.model.layers``.
        words: Whose held-out lines are read.
        concept: With the direction.

    Examples:
        >>> from latent_anchors.testbed import made_up_definitions, small_llama
        >>> words = TokenizedDefinitions.of(made_up_definitions(40), held_out=30)
        >>> concept = Concept("animal", [1.0] + [0.0] * 95, at="model.layers.1")
        >>> topic_cosines(small_llama(words, 0), words, concept)["animal"].shape
        torch.Size([3])
    """
    held_out = range(words.held_out)
    blocks: list[tuple[Tensor, Tensor]] = []
    for block in range(len(model.model.layers)):
        latents, behind = word_latents(model, words, held_out, f"model.layers.{block}")
        blocks.append((alignment(latents, concept.direction), behind))
    chosen = {name: _lines_of(words, name) for name in {*words.topics}}
    return {
        name: torch.stack([cosines[own][behind[own]].mean() for cosines, behind in blocks])
        for name, own in chosen.items()
    }


def topic_latched(model: Any, words: TokenizedDefinitions, concept: Concept) -> Bool[Tensor, ""]:
    """Whether lines of other topics lie on a concept's direction, too.

    See :func:`~latent_anchors.evaluation.latched`.

    Args:
        model: The model.
        words: Whose held-out lines are read.
        concept: Named as its topic.

    Examples:
        >>> from latent_anchors.testbed import made_up_definitions, small_llama
        >>> words = TokenizedDefinitions.of(made_up_definitions(40), held_out=30)
        >>> concept = Concept("animal", [1.0] + [0.0] * 95, at="model.layers.1")
        >>> topic_latched(small_llama(words, 0), words, concept)
        tensor(False)
    """
    cosines, behind = word_cosines(model, words, range(words.held_out), concept)
    return latched(cosines, _lines_of(words, concept.name), behind)


def topic_leakage(model: Any, words: TokenizedDefinitions, concept: Concept) -> dict[str, Tensor]:
    """How well probes find a topic in the stream at a concept's site, pooled line by line.

    They learn from one half of the held-out lines and read the other.

    Args:
        model: The model.
        words: Whose held-out lines are read.
        concept: Named as its topic.

    Returns:
        R² by name, as :func:`~latent_anchors.audits.leakage` has it, of one run each ``()``.

    Examples:
        >>> from latent_anchors.testbed import made_up_definitions, small_llama
        >>> words = TokenizedDefinitions.of(made_up_definitions(100), held_out=80)
        >>> concept = Concept("animal", [1.0] + [0.0] * 95, at="model.layers.1")
        >>> sorted(topic_leakage(small_llama(words, 0), words, concept))[:2]
        ['leakage/linear', 'leakage/linear/shuffled']
    """
    latents, behind = word_latents(model, words, range(words.held_out), str(concept.at))
    counts = behind.unsqueeze(-1)
    z, middle = ((latents * counts).sum(1) / counts.sum(1)).unsqueeze(0), words.held_out // 2
    degrees = _lines_of(words, concept.name).float()
    found = leakage(z[:, :middle], degrees[:middle], z[:, middle:], degrees[middle:])
    return {name: values[0] for name, values in found.items()}


@torch.no_grad()
def continued(
    model: Any,
    words: TokenizedDefinitions,
    chosen: Sequence[int],
    edit: BatchEdit | None = None,
    given: int = 3,
) -> list[str]:
    """Lines as a model continues them, each token the likeliest.

    Args:
        model: With ``generate``.
        words: The definitions.
        chosen: The numbers of the lines.
        edit: From the model and a batch to a block in which an edit is in force.
        given: How many tokens behind the colon the model is given, at most all of a line's but the
            one that ends it.

    Examples:
        >>> from latent_anchors.testbed import made_up_definitions, small_llama
        >>> words = TokenizedDefinitions.of(made_up_definitions(40), held_out=30)
        >>> (line,) = continued(small_llama(words, 0), words, [0])
        >>> line.startswith(words.lines.texts[0][:8])
        True
    """
    return [_continued(model, words, k, edit, given) for k in chosen]


def _continued(
    model: Any, words: TokenizedDefinitions, line: int, edit: BatchEdit | None, given: int
) -> str:
    whole = words.pad(words.samples([line]))
    behind = int(whole["behind"][0].long().argmax()) + 1
    start = min(behind + given, whole["input_ids"].shape[1] - 1)  # not the token that ends it
    batch = {name: each[:, :start] for name, each in whole.items()}
    with nullcontext() if edit is None else edit(model, batch):
        ids = model.generate(
            batch["input_ids"], max_new_tokens=LENGTH - start, do_sample=False, use_cache=False
        )
    return words.tokenizer.decode(ids[0].tolist()).strip()


def _lines_of(words: TokenizedDefinitions, topic: str) -> Bool[Tensor, " line"]:
    return torch.tensor([each == topic for each in words.topics])
