"""A transformer whose residual stream is normalized (nGPT)."""

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.nn.functional import gelu
from typing_extensions import override

from latent_anchors._numerics import unit
from latent_anchors.models._attention import Attention
from latent_anchors.models._transformer_parts import (
    LearnedScale,
    check_sizes,
    init_uniform,
    residual_sites,
)
from latent_anchors.models._unit_norm import UnitNorm

WRITES = ("out.weight", "down.weight")
"""Name endings of the matrices whose columns write to the residual stream."""


class NormalizedTransformer(nn.Module):
    r"""A causal transformer whose residual stream is kept at length 1, a simplified nGPT.

    It maps tokens ``(..., position)`` to logits. Each half of a block (attention, then an MLP with
    exact GELU) takes a step towards its result:

    .. math:: h \leftarrow n\big(h + \alpha\,(n(f(h)) - h)\big), \quad n(x) = x / \lVert x \rVert

    with :math:`\alpha = 1 / \mathtt{depth}`. Queries and keys are unit vectors; logits are
    :math:`s_z h E^\top` with the unit rows :math:`E` of the embedding. There are no biases. After
    each optimizer step, apply :attr:`constraint` to scale the weights to length 1 again.

    Sites: ``"embedding"``, ``"blocks.0"`` and so on, listed by :attr:`sites`.

    Args:
        vocabulary: Number of tokens.
        width: Dimension of the residual stream.
        depth: Number of blocks.
        heads: Attention heads; the width must be a multiple of twice this number.
        hidden: Width of the MLPs.

    Raises:
        ValueError: If a size is less than 1, or the width is not a multiple of twice the heads.
        TypeError: If a size is not a whole number.

    References:
        Loshchilov et al., nGPT: Normalized Transformer with Representation Learning on the
        Hypersphere, 2024. Simplified: one scale for all channels, and a fixed step.

    Examples:
        >>> model = NormalizedTransformer(vocabulary=12, width=16, depth=2, heads=2, hidden=32)
        >>> model(torch.tensor([[0, 7, 1]])).shape, model.sites
        (torch.Size([1, 3, 12]), ('embedding', 'blocks.0', 'blocks.1'))
    """

    def __init__(
        self, vocabulary: int, width: int = 64, depth: int = 4, heads: int = 8, hidden: int = 256
    ) -> None:
        super().__init__()
        check_sizes(vocabulary, width, depth, heads, hidden)
        self.vocabulary: int = vocabulary
        self.width: int = width
        self.depth: int = depth
        self.heads: int = heads
        self.hidden: int = hidden
        self.embedding: nn.Embedding = nn.Embedding(vocabulary, width)
        self.blocks: nn.ModuleList = nn.ModuleList(
            NormalizedBlock(width, heads, hidden, 1.0 / depth) for _ in range(depth)
        )
        self.logits: LearnedScale = LearnedScale(1.0, width**-0.5)
        init_uniform(self)
        self.load_state_dict(self.constraint(dict(self.named_parameters())), strict=False)

    @property
    def sites(self) -> tuple[str, ...]:
        """Sites of the residual stream: the outputs of the embedding and of each block.

        Examples:
            >>> NormalizedTransformer(vocabulary=12, depth=1).sites
            ('embedding', 'blocks.0')
        """
        return residual_sites(self.blocks)

    @property
    def constraint(self) -> UnitNorm:
        """The constraint that rows that read from the stream and columns that write to it are unit.

        It includes the rows of the embedding, but not the scales.

        Examples:
            >>> NormalizedTransformer(vocabulary=12, depth=1).constraint.axes["blocks.0.up.weight"]
            -1
        """
        return UnitNorm(
            {
                name: -2 if name.endswith(WRITES) else -1
                for name, parameter in self.named_parameters()
                if parameter.ndim == 2
            }
        )

    @override
    def forward(
        self, tokens: Int[Tensor, "*batch position"]
    ) -> Float[Tensor, "*batch position vocabulary"]:
        """Logits ``(..., position, vocabulary)`` of the next token at every position."""
        h = self.embedding(tokens)
        for block in self.blocks:
            h = block(h)
        return self.logits(h) @ self.embedding.weight.T


class NormalizedBlock(nn.Module):
    """Attention and an MLP, each followed by a normalized step towards its result."""

    def __init__(self, width: int, heads: int, hidden: int, step: float) -> None:
        super().__init__()
        self.step: float = step
        self.attention: Attention = Attention(width, heads, normalized=True)
        self.up: nn.Linear = nn.Linear(width, hidden, bias=False)
        self.gain: LearnedScale = LearnedScale(width**0.5, width**0.5)
        self.down: nn.Linear = nn.Linear(hidden, width, bias=False)

    @override
    def forward(self, h: Tensor) -> Tensor:
        h = self._step_towards(h, self.attention(h))
        return self._step_towards(h, self.down(gelu(self.gain(self.up(h)))))

    def _step_towards(self, h: Tensor, result: Tensor) -> Tensor:
        return unit(torch.lerp(h, unit(result), self.step))
