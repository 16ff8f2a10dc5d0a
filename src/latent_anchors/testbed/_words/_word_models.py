"""The language model of the examples about words, and how it is trained."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn

from latent_anchors.concepts import Concept
from latent_anchors.evaluation import alignment
from latent_anchors.models import record
from latent_anchors.testbed._words._tokens import BEGIN, END, LENGTH, PAD, TokenizedDefinitions

if TYPE_CHECKING:
    from transformers.models.llama import LlamaForCausalLM

WORD_OPTIONS: dict[str, Any] = {
    "per_device_train_batch_size": 64,
    "weight_decay": 0.01,
    "adam_beta2": 0.95,
    "max_grad_norm": 0.0,
    "save_strategy": "no",
    "report_to": [],
    "use_cpu": True,
    "disable_tqdm": True,
}
"""Arguments of ``transformers.TrainingArguments``, but for the folder, the seed and the steps."""


def small_llama(words: TokenizedDefinitions, seed: int) -> "LlamaForCausalLM":
    """A Llama of three blocks of four heads, 96 wide and 288 inside, with tied embeddings.

    A seed gives the same weights.

    Args:
        words: Whose tokens it reads.
        seed: Of the weights.

    Examples:
        >>> from latent_anchors.testbed import made_up_definitions
        >>> words = TokenizedDefinitions.of(made_up_definitions(40), held_out=8)
        >>> len(small_llama(words, seed=0).model.layers)
        3
    """
    from transformers.models.llama import LlamaConfig, LlamaForCausalLM

    torch.manual_seed(seed)
    config = LlamaConfig(
        vocab_size=words.tokenizer.get_vocab_size(),
        hidden_size=96,
        intermediate_size=288,
        num_hidden_layers=3,
        num_attention_heads=4,
        max_position_embeddings=LENGTH,
        tie_word_embeddings=True,
        pad_token_id=PAD,
        bos_token_id=BEGIN,
        eos_token_id=END,
    )
    return LlamaForCausalLM(config)


def topic_sheet(steps: int, pull: float = 0.04) -> str:
    """A dope sheet: the pull to the axis, and all lines kept off it, which fade as training ends.

    The values are those that did best on the topic *food* with seeds from 500. What keeps all lines
    off the axis holds those of the topic back, too: where half of them have it, it takes more pull.

    Args:
        steps: Of the training, from 15 on.
        pull: Weight of labeled lines, at most; a quarter of it is left at the end.

    Examples:
        >>> print(topic_sheet(1500))
        STEP, lr,   task, anchor, away
        0,    1e-5, 1,    0,      0
        100,  2e-3, ,     0.04,   0.15
        500,  2e-3, ,     0.04,   0.15
        1500, 5e-5, ,     0.01,   0.04
        <BLANKLINE>
    """
    return f"""\
STEP, lr,   task, anchor, away
0,    1e-5, 1,    0,      0
{f"{steps // 15},":<6}2e-3, ,     {f"{pull:g},":<8}0.15
{f"{steps // 3},":<6}2e-3, ,     {f"{pull:g},":<8}0.15
{f"{steps},":<6}5e-5, ,     {f"{pull / 4:g},":<8}0.04
"""


@torch.no_grad()
def word_latents(
    model: nn.Module, words: TokenizedDefinitions, chosen: Sequence[int], at: str
) -> tuple[Float[Tensor, "line position dim"], Bool[Tensor, "line position"]]:
    """Latents of some lines at a site, and which positions are behind the colon.

    Args:
        model: That reads them.
        words: The definitions.
        chosen: Their numbers.
        at: The site.

    Examples:
        >>> from latent_anchors.testbed import made_up_definitions
        >>> words = TokenizedDefinitions.of(made_up_definitions(40), held_out=8)
        >>> latents, behind = word_latents(small_llama(words, 0), words, range(3), "model.layers.1")
        >>> latents.shape, behind.shape
        (torch.Size([3, 24, 96]), torch.Size([3, 24]))
    """
    parts = words.batches(chosen)
    found: list[Tensor] = []
    for part in parts:
        with record(model, at) as z:
            model(part["input_ids"], logits_to_keep=1)  # most of the time would go to others
        found.append(nn.functional.pad(z[at], (0, 0, 0, LENGTH - z[at].shape[1])))
    masks = [
        nn.functional.pad(each["behind"], (0, LENGTH - each["behind"].shape[1])) for each in parts
    ]
    return torch.cat(found), torch.cat(masks)


def word_cosines(
    model: nn.Module, words: TokenizedDefinitions, chosen: Sequence[int], concept: Concept
) -> tuple[Float[Tensor, "line position"], Bool[Tensor, "line position"]]:
    """Cosines of some lines with a concept's direction, and which positions are behind the colon.

    Lines are read in parts, as latents of all of them are many.

    Args:
        model: That reads them.
        words: The definitions.
        chosen: Their numbers.
        concept: With the direction and the site.

    Examples:
        >>> from latent_anchors.testbed import made_up_definitions
        >>> words = TokenizedDefinitions.of(made_up_definitions(40), held_out=8)
        >>> concept = Concept("animal", [1.0] + [0.0] * 95, at="model.layers.1")
        >>> cosines, behind = word_cosines(small_llama(words, 0), words, range(3), concept)
        >>> cosines.shape, behind.shape
        (torch.Size([3, 24]), torch.Size([3, 24]))
    """
    cosines: list[Tensor] = []
    masks: list[Tensor] = []
    for start in range(0, len(chosen), 1000):
        part = chosen[start : start + 1000]
        latents, behind = word_latents(model, words, part, str(concept.at))
        cosines.append(alignment(latents, concept.direction))
        masks.append(behind)
    return torch.cat(cosines), torch.cat(masks)
