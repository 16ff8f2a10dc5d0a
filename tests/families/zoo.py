"""Eleven families of models, tiny, with random weights: how each is made, called and read.

Nothing is downloaded: every model is made from a configuration. A family's record says where its
residual streams are, what it is given, and which parts of the contract it refuses, in the words of
the error.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property, partial
from typing import Any

import torch
import transformers
from torch import Tensor, nn

import latent_anchors as la

WORDS, WIDTH, LAYERS, LINE = 64, 32, 2, 10
FEW = 8
"""So many words, those with the lowest numbers, have the concept."""
RED = 2.0
"""So much brighter is the first channel of an image that has it."""

Batch = Mapping[str, Tensor]
Labels = Callable[[Batch, Tensor], Tensor]


@dataclass(frozen=True, eq=False)
class Stream:
    """A residual stream, or what corresponds to it: the sites, and what is labeled there.

    Attributes:
        sites: Layer by layer.
        labels: From the inputs and the latents ``(..., dim)`` to labels ``(...)``.
        states: The output's field with all hidden states, if the family offers one.
        last: The site of the last hidden state, where it is not the last layer's output.
    """

    sites: tuple[Any, ...]
    labels: Labels
    states: str | None = None
    last: str | None = None


@dataclass(frozen=True, eq=False)
class Family:
    """What the contract knows of a family.

    Attributes:
        name: As the docs spell it.
        make: A new model, whose weights depend on torch's seed.
        inputs: A batch from a generator.
        streams: By name; most have one.
        loss: What it is trained for, from its output and the batch.
        generates: Whether it has ``generate``.
        written: Where the edit acts that the removal by weights equals: what adds to the streams,
            and the head, where it is tied to the embedding. Empty where removal is refused.
        refused: What does not work, and the words of the refusal.
    """

    name: str
    make: Callable[[], nn.Module]
    inputs: Callable[[torch.Generator], Batch]
    streams: Mapping[str, Stream]
    loss: Callable[[Any, Batch], Tensor]
    generates: bool = False
    written: tuple[Any, ...] = ()
    refused: Mapping[str, str] = field(default_factory=dict)

    @cached_property
    def shared(self) -> Any:
        """One model for the tests that do not train it, in evaluation mode."""
        return self.seeded(0).eval()

    def seeded(self, seed: int) -> nn.Module:
        torch.manual_seed(seed)
        return self.make()


def logits(output: Any) -> Tensor:
    """What the model says in the end."""
    return output if isinstance(output, Tensor) else output.logits


# what they are given, and what is labeled


def words(generator: torch.Generator, lines: int = 8, **also: int) -> Batch:
    """Lines of words; ``also`` names further lines and says how long they are."""
    lengths = {"input_ids": LINE, **also}
    shapes = {name: (lines, length) for name, length in lengths.items()}
    return {
        name: torch.randint(2, WORDS, shape, generator=generator) for name, shape in shapes.items()
    }


def images(name: str, generator: torch.Generator) -> Batch:
    """Images of noise; in every other one the first channel is brighter."""
    noise = torch.randn(16, 3, 16, 16, generator=generator)
    noise[::2, 0] += RED
    return {name: noise}


def is_low(name: str, batch: Batch, _: Tensor) -> Tensor:
    """Which words have the concept."""
    return (batch[name] < FEW).float()


def is_bright(name: str, batch: Batch, z: Tensor) -> Tensor:
    """Which images have it, at every place of them."""
    bright = (batch[name][:, 0].mean((1, 2)) > RED / 2).float()
    return bright.reshape(-1, *[1] * (z.ndim - 2)).expand(z.shape[:-1])


# what they are trained for


def next_word(output: Any, batch: Batch) -> Tensor:
    z = logits(output)[:, :-1]
    return nn.functional.cross_entropy(z.flatten(0, 1), batch["input_ids"][:, 1:].flatten())


def same_word(name: str, output: Any, batch: Batch) -> Tensor:
    return nn.functional.cross_entropy(logits(output).flatten(0, 1), batch[name].flatten())


def brightness(name: str, output: Any, batch: Batch) -> Tensor:
    """Which of the other two channels is brighter."""
    _, green, blue = batch[name].mean((2, 3)).unbind(1)
    return nn.functional.cross_entropy(logits(output), (green > blue).long())


# two of our own


class Block(nn.Module):
    """A residual block as torchvision builds it: every ReLU and the sum in place."""

    def __init__(self, channels: int, width: int, stride: int = 1) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(channels, width, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.relu = nn.ReLU(inplace=True)
        self.conv2 = nn.Conv2d(width, width, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(width)
        self.downsample = None
        if stride > 1 or channels != width:
            shortcut = nn.Conv2d(channels, width, 1, stride, bias=False)
            self.downsample = nn.Sequential(shortcut, nn.BatchNorm2d(width))

    def forward(self, x: Tensor) -> Tensor:
        shortcut = x if self.downsample is None else self.downsample(x)
        x = self.bn2(self.conv2(self.relu(self.bn1(self.conv1(x)))))
        x += shortcut
        return self.relu(x)


class ResNet(nn.Module):
    """A residual network of two stages, with the names of torchvision's and timm's."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(3, 16, 3, 1, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(16)
        self.relu = nn.ReLU(inplace=True)
        self.layer1 = nn.Sequential(Block(16, 16))
        self.layer2 = nn.Sequential(Block(16, WIDTH, stride=2), Block(WIDTH, WIDTH))
        self.avgpool = nn.AdaptiveAvgPool2d((1, 1))
        self.fc = nn.Linear(WIDTH, 4)

    def forward(self, x: Tensor) -> Tensor:
        x = self.layer2(self.layer1(self.relu(self.bn1(self.conv1(x)))))
        return self.fc(self.avgpool(x).flatten(1))


class Recurrent(nn.Module):
    """A language model of two layers of LSTM."""

    def __init__(self) -> None:
        super().__init__()
        self.embedding = nn.Embedding(WORDS, WIDTH)
        self.lstm = nn.LSTM(WIDTH, WIDTH, num_layers=2, batch_first=True)
        self.head = nn.Linear(WIDTH, WORDS)

    def forward(self, input_ids: Tensor) -> Tensor:
        return self.head(self.lstm(self.embedding(input_ids))[0])


# the families

SIZES = {
    "vocab_size": WORDS,
    "hidden_size": WIDTH,
    "intermediate_size": 2 * WIDTH,
    "num_hidden_layers": LAYERS,
    "num_attention_heads": 4,
    "max_position_embeddings": 64,
    "pad_token_id": 0,
    "bos_token_id": 1,
    "eos_token_id": 1,
}
GROUPED = {**SIZES, "num_key_value_heads": 2}


def made(model: str, config: str, **options: Any) -> nn.Module:
    return getattr(transformers, model)(getattr(transformers, config)(**options))


def layers(prefix: str, *within: str) -> tuple[str, ...]:
    """The layers, or parts of each."""
    ends = [f".{name}" for name in within] or [""]
    return tuple(f"{prefix}.{k}{end}" for k in range(LAYERS) for end in ends)


TIED_HEAD = la.Site("lm_head", side="input")
AXES_ONLY = "remove any direction"
BY_WEIGHTS = "remove by weights"
ONE_STACK = "remove from one stack alone"
PREFILL = "where='prefill' in the encoder"
BY_KIND = "la.sites(model, 'residual')"
AXES = {AXES_ONLY: "each channel is changed by itself"}


def causal(
    name: str,
    kind: str,
    within: str,
    last: str,
    written: tuple[Any, ...],
    config: str = "",
    refused: Mapping[str, str] | None = None,
    **options: Any,
) -> Family:
    """A causal language model of transformers, whose last hidden state has gone through a norm."""
    low = partial(is_low, "input_ids")
    return Family(
        name,
        partial(made, f"{kind}ForCausalLM", f"{config or kind}Config", **options),
        words,
        {"residual": Stream(layers(within), low, "hidden_states", last)},
        next_word,
        generates=True,
        written=written,
        refused=refused or {},
    )


SMALL_GPT2 = {
    "vocab_size": WORDS,
    "n_positions": 64,
    "n_embd": WIDTH,
    "n_layer": LAYERS,
    "n_head": 4,
    "pad_token_id": 0,
    "bos_token_id": 1,
    "eos_token_id": 1,
}

FAMILIES = (
    Family(
        "GPT-2",
        partial(made, "GPT2LMHeadModel", "GPT2Config", **SMALL_GPT2),
        words,
        {
            "residual": Stream(
                layers("transformer.h"),
                partial(is_low, "input_ids"),
                "hidden_states",
                "transformer.ln_f",
            )
        },
        next_word,
        generates=True,
        written=(
            "transformer.wte",
            "transformer.wpe",
            *layers("transformer.h", "attn.c_proj", "mlp.c_proj"),
            TIED_HEAD,
        ),
    ),
    causal(
        "Llama",
        "Llama",
        "model.layers",
        "model.norm",
        ("model.embed_tokens", *layers("model.layers", "self_attn.o_proj", "mlp.down_proj")),
        **GROUPED,
    ),
    causal(
        "Qwen2",
        "Qwen2",
        "model.layers",
        "model.norm",
        ("model.embed_tokens", *layers("model.layers", "self_attn.o_proj", "mlp.down_proj")),
        **GROUPED,
    ),
    causal(
        "Gemma 3",
        "Gemma3",
        "model.layers",
        "model.norm",
        (
            "model.embed_tokens",
            *layers("model.layers", "post_attention_layernorm", "post_feedforward_layernorm"),
            TIED_HEAD,
        ),
        config="Gemma3Text",
        refused=AXES,
        **GROUPED,
        head_dim=8,
        sliding_window=8,
    ),
    causal(
        "Mixtral",
        "Mixtral",
        "model.layers",
        "model.norm",
        ("model.embed_tokens", *layers("model.layers", "self_attn.o_proj", "mlp.experts")),
        **GROUPED,
        num_local_experts=4,
    ),
    causal(
        "GPT-NeoX",
        "GPTNeoX",
        "gpt_neox.layers",
        "gpt_neox.final_layer_norm",
        (
            "gpt_neox.embed_in",
            *layers("gpt_neox.layers", "attention.dense", "mlp.dense_4h_to_h"),
        ),
        **SIZES,
    ),
    Family(
        "BERT",
        partial(made, "BertForMaskedLM", "BertConfig", **SIZES),
        words,
        {
            "residual": Stream(
                layers("bert.encoder.layer"), partial(is_low, "input_ids"), "hidden_states"
            )
        },
        partial(same_word, "input_ids"),
        written=layers("bert.encoder.layer"),
        refused=AXES,
    ),
    Family(
        "T5",
        partial(
            made,
            "T5ForConditionalGeneration",
            "T5Config",
            vocab_size=WORDS,
            d_model=WIDTH,
            d_ff=2 * WIDTH,
            d_kv=8,
            num_layers=LAYERS,
            num_heads=4,
            decoder_start_token_id=0,
        ),
        partial(words, decoder_input_ids=LINE - 3),
        {
            "encoder": Stream(
                layers("encoder.block"),
                partial(is_low, "input_ids"),
                "encoder_hidden_states",
                "encoder.final_layer_norm",
            ),
            "decoder": Stream(
                layers("decoder.block"),
                partial(is_low, "decoder_input_ids"),
                "decoder_hidden_states",
                "decoder.final_layer_norm",
            ),
        },
        partial(same_word, "decoder_input_ids"),
        generates=True,
        written=(
            "encoder.embed_tokens",
            "decoder.embed_tokens",
            *layers("encoder.block", "layer.0.SelfAttention.o", "layer.1.DenseReluDense.wo"),
            *layers(
                "decoder.block",
                "layer.0.SelfAttention.o",
                "layer.1.EncDecAttention.o",
                "layer.2.DenseReluDense.wo",
            ),
            TIED_HEAD,
        ),
        refused={
            ONE_STACK: "is also used by",
            PREFILL: "without a cache at 'encoder.block.0' may be a prompt",
        },
    ),
    Family(
        "ViT",
        partial(
            made,
            "ViTForImageClassification",
            "ViTConfig",
            hidden_size=WIDTH,
            intermediate_size=2 * WIDTH,
            num_hidden_layers=LAYERS,
            num_attention_heads=4,
            image_size=16,
            patch_size=4,
            num_labels=4,
        ),
        partial(images, "pixel_values"),
        {
            "residual": Stream(
                layers("vit.layers"), partial(is_bright, "pixel_values"), "hidden_states"
            )
        },
        partial(brightness, "pixel_values"),
        written=("vit.embeddings", *layers("vit.layers", "attention.o_proj", "mlp.fc2")),
    ),
    Family(
        "ResNet",
        ResNet,
        partial(images, "x"),
        {
            "residual": Stream(
                (la.Site("layer2.0", axis=1), la.Site("layer2.1", axis=1)),
                partial(is_bright, "x"),
            )
        },
        partial(brightness, "x"),
        written=tuple(
            la.Site(f"layer2.{name}", axis=1) for name in ("0.downsample.1", "0.bn2", "1.bn2")
        ),
        refused={**AXES, BY_KIND: "holds attention"},
    ),
    Family(
        "LSTM",
        Recurrent,
        words,
        {"states": Stream(("lstm",), partial(is_low, "input_ids"))},
        next_word,
        refused={
            BY_KIND: "no list of blocks was found",
            BY_WEIGHTS: "none writes the latents at 'lstm'",
        },
    ),
)
