"""A transformer whose residual stream lies on the unit sphere."""

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.nn.functional import gelu
from typing_extensions import override

from latent_anchors._numerics import unit
from latent_anchors.models._attention import Attention
from latent_anchors.models._scale import Scale
from latent_anchors.models._stream import begin_uniform, check_sizes, stream_sites
from latent_anchors.models._unit_norm import UnitNorm

WRITES = ("out.weight", "down.weight")
"""How the matrices end whose columns write to the stream."""


class NormalizedTransformer(nn.Module):
    r"""A causal transformer whose residual stream lies on the unit sphere.

    Each half of a block (attention, then a perceptron with exact GELU) steps towards its result:

    .. math:: h \leftarrow n\big(h + \alpha\,(n(f(h)) - h)\big), \quad n(x) = x / \lVert x \rVert

    with :math:`\alpha` one by the ``depth``; attention compares unit queries and keys; logits are
    :math:`s_z h E^\top` with the embedding's own unit rows :math:`E`. No biases. After each
    optimizer step :attr:`constraint` must put the weights back to length 1.

    Sites: ``"embedding"``, ``"blocks.0"`` and so on, told by :attr:`sites`.

    Args:
        vocabulary: How many tokens there are.
        width: Of the residual stream.
        depth: Blocks.
        heads: Of each attention; the width is a multiple of twice as many.
        hidden: Width of the perceptrons.

    Raises:
        ValueError: If a size is less than 1, or the heads do not divide the width.
        TypeError: If a size is not a whole number.

    References:
        Loshchilov et al., nGPT: Normalized Transformer with Representation Learning on the
        Hypersphere, 2024; simpler by one gain for all channels, and a step that is not learned.

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
        self.logits: Scale = Scale(1.0, width**-0.5)
        begin_uniform(self)
        self.load_state_dict(self.constraint(dict(self.named_parameters())), strict=False)

    @property
    def sites(self) -> tuple[str, ...]:
        """Where the residual stream can be read: after the embedding and after each block.

        Examples:
            >>> NormalizedTransformer(vocabulary=12, depth=1).sites
            ('embedding', 'blocks.0')
        """
        return stream_sites(self.blocks)

    @property
    def constraint(self) -> UnitNorm:
        """Rows that read from the stream, and columns that write to it, at length 1.

        The embedding's rows are among them, gains are not.

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
        """Logits of the next token, at every position.

        Args:
            tokens: Of each line ``(..., position)``, from 0.

        Returns:
            ``(..., position, vocabulary)``.

        Examples:
            >>> NormalizedTransformer(vocabulary=12)(torch.tensor([3, 1])).shape
            torch.Size([2, 12])
        """
        h = self.embedding(tokens)
        for block in self.blocks:
            h = block(h)
        return self.logits(h) @ self.embedding.weight.T


class NormalizedBlock(nn.Module):
    """Attention and a perceptron, each a step along the sphere."""

    def __init__(self, width: int, heads: int, hidden: int, step: float) -> None:
        super().__init__()
        self.step: float = step
        self.attention: Attention = Attention(width, heads, normalized=True)
        self.up: nn.Linear = nn.Linear(width, hidden, bias=False)
        self.gain: Scale = Scale(width**0.5, width**0.5)
        self.down: nn.Linear = nn.Linear(hidden, width, bias=False)

    @override
    def forward(self, h: Tensor) -> Tensor:
        h = self._towards(h, self.attention(h))
        return self._towards(h, self.down(gelu(self.gain(self.up(h)))))

    def _towards(self, h: Tensor, result: Tensor) -> Tensor:
        return unit(torch.lerp(h, unit(result), self.step))
