"""Recipes that the transformer examples share: sizes, sampler, terms and how they are trained."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from latent_anchors import regularizers as reg
from latent_anchors.colorspace import hsv_similarity, named_colors
from latent_anchors.data import LabelDraw, Sampler
from latent_anchors.models import NormalizedTransformer
from latent_anchors.regularizers import Term
from latent_anchors.testbed._mixing._language import MixingLanguage


@dataclass(frozen=True)
class MixingSize:
    """Size of a language of mixtures and of the transformer that learns it.

    Attributes:
        levels: Levels of each color channel.
        batch_size: Lines per batch.
        width: Of the residual stream.
        depth: Number of blocks.
        heads: Attention heads per block.
        hidden: Width inside the blocks' MLPs.

    Examples:
        >>> MixingSize.of(full=True).levels, MixingSize.of(full=False).width
        (7, 32)
    """

    levels: int = 5
    batch_size: int = 128
    width: int = 32
    depth: int = 2
    heads: int = 4
    hidden: int = 128

    @classmethod
    def of(cls, full: bool) -> "MixingSize":
        """The full size, or that of a sketch which trains in less than a minute.

        Args:
            full: Whether it is the full one.

        Examples:
            >>> MixingSize.of(full=True).depth
            4
        """
        return cls(7, 256, 64, 4, 8, 256) if full else cls()

    def network(
        self, language: MixingLanguage, kind: Callable[..., nn.Module] = NormalizedTransformer
    ) -> Callable[[], nn.Module]:
        """What makes transformers of this size for a language.

        Args:
            language: Sets the number of tokens.
            kind: The class of the transformer.

        Examples:
            >>> make_model = MixingSize().network(MixingLanguage(levels=3))
            >>> len(make_model().sites)
            3
        """
        return partial(
            kind, len(language.vocabulary), self.width, self.depth, self.heads, self.hidden
        )


def mixing_sampler(
    lines: Int[Tensor, "lines 6"], labels: Mapping[str, LabelDraw], batch_size: int
) -> Sampler:
    """Lines ``a + b = c`` with labels, and masks for the prompt and for the two signs.

    Args:
        lines: Tokens, ``(lines, 6)``.
        labels: What is drawn for each line, by name.
        batch_size: Lines per batch.

    Examples:
        >>> language = MixingLanguage(levels=3)
        >>> sampler = mixing_sampler(language.lines(language.pairs()), {}, batch_size=2)
        >>> sampler.batch(seed=0, step=0).extras["signs"][0]
        tensor([False,  True, False,  True, False, False])
    """
    position = torch.arange(lines.shape[1]).expand_as(lines)
    extras = {
        "prompt": position < 4,
        "signs": (position == 1) | (position == 3),
        "equals": position == 3,
    }
    return Sampler(lines, labels, batch_size, extras=extras)


def red_chance(language: MixingLanguage) -> Float[Tensor, " colors"]:
    """Probability of labeling a line "red" because of one of its colors, for each color.

    Args:
        language: Its colors.

    Examples:
        >>> language = MixingLanguage(levels=3)
        >>> red_chance(language)[language.token("red")]
        tensor(0.3000)
    """
    return 0.3 * hsv_similarity(language.colors, named_colors("red")[0]) ** 11


def red_terms(sites: Sequence[str], axis: Float[Tensor, " dim"]) -> list[Term]:
    """Red on an axis of the residual stream, and everything else off it.

    In a line labeled red something in the prompt lies near the axis, at the embedding and after
    each block. Everything stays off the axis: hardly so at the embedding, where shades between red
    and the rest differ by their own vectors alone; the signs, which occur in every line, most.

    Args:
        sites: Where the stream is read, the embedding first.
        axis: The direction for red, ``(dim,)``: dimension 0.

    Examples:
        >>> [term.name for term in red_terms(["embedding", "blocks.0"], torch.eye(8)[0])]
        ['anchor', 'away', 'apart', 'signs']
    """
    nearest, off_axis = reg.SoftMinimum(temperature=0.1), reg.AntiSubspace(dims=[0])
    return [
        Term("anchor", reg.Anchor(axis), at=sites, label="red", mask="prompt", pool=nearest),
        Term("away", off_axis, at=sites[1:]),
        Term("apart", off_axis, at=sites[0]),
        Term("signs", off_axis, at=sites, mask="signs"),
    ]


def transformer_options(make_model: Callable[[], nn.Module], fused: bool = True) -> dict[str, Any]:
    """How the transformers of the examples are trained, as arguments of :func:`latent_anchors.fit`.

    AdamW without weight decay, the model's own constraint on its weights, and the GPU if there is
    one.

    Args:
        make_model: Makes the transformer.
        fused: Whether the optimizer's own loop is fused.

    Examples:
        >>> options = transformer_options(MixingSize().network(MixingLanguage(levels=3)))
        >>> sorted(options)
        ['backend', 'constraint', 'device', 'optimizer']
    """
    device = "cuda" if torch.cuda.is_available() else "cpu"
    return {
        "optimizer": partial(
            torch.optim.AdamW, betas=(0.9, 0.95), weight_decay=0.0, fused=fused or None
        ),
        "constraint": getattr(make_model(), "constraint", None),
        "device": device,
        "backend": "cuda_graph" if device == "cuda" else "eager",
    }
