"""A transformer as most are: each half of a block reads a normalized stream and adds to it."""

from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.nn.functional import gelu
from typing_extensions import override

from latent_anchors.models._attention import Attention
from latent_anchors.models._stream import begin_uniform, check_sizes, stream_sites


class PrenormTransformer(nn.Module):
    r"""A causal transformer as most are: every half of a block reads a normalized stream.

    .. math:: h \leftarrow h + f(\mathrm{norm}(h))

    for attention, then a perceptron with exact GELU; the norm is by root mean square. Logits are
    those of the embedding's own rows. No biases.

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
        Xiong et al., On Layer Normalization in the Transformer Architecture, 2020.

    Examples:
        >>> import torch
        >>> PrenormTransformer(vocabulary=12, depth=2)(torch.tensor([[0, 7, 1]])).shape
        torch.Size([1, 3, 12])
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
            PrenormBlock(width, heads, hidden) for _ in range(depth)
        )
        self.norm: nn.RMSNorm = nn.RMSNorm(width)
        begin_uniform(self)

    @property
    def sites(self) -> tuple[str, ...]:
        """Where the residual stream can be read: after the embedding and after each block.

        Examples:
            >>> PrenormTransformer(vocabulary=12, depth=1).sites
            ('embedding', 'blocks.0')
        """
        return stream_sites(self.blocks)

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
            >>> import torch
            >>> PrenormTransformer(vocabulary=12)(torch.tensor([3, 1])).shape
            torch.Size([2, 12])
        """
        h = self.embedding(tokens)
        for block in self.blocks:
            h = block(h)
        return self.norm(h) @ self.embedding.weight.T


class PrenormBlock(nn.Module):
    """Attention and a perceptron, each added to the stream."""

    def __init__(self, width: int, heads: int, hidden: int) -> None:
        super().__init__()
        self.before: nn.RMSNorm = nn.RMSNorm(width)
        self.attention: Attention = Attention(width, heads, normalized=False)
        self.between: nn.RMSNorm = nn.RMSNorm(width)
        self.up: nn.Linear = nn.Linear(width, hidden, bias=False)
        self.down: nn.Linear = nn.Linear(hidden, width, bias=False)

    @override
    def forward(self, h: Tensor) -> Tensor:
        h = h + self.attention(self.before(h))
        return h + self.down(gelu(self.up(self.between(h))))
