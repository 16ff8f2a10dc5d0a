"""A transformer with normalization before each half of a block (pre-norm), as most have."""

from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.nn.functional import gelu
from typing_extensions import override

from latent_anchors.models._attention import Attention
from latent_anchors.models._transformer_parts import check_sizes, init_uniform, residual_sites


class PrenormTransformer(nn.Module):
    r"""A causal pre-norm transformer.

    .. math:: h \leftarrow h + f(\mathrm{norm}(h))

    for attention, then for an MLP with exact GELU, with RMS norms. It maps tokens
    ``(..., position)`` to logits, which are computed with the rows of the embedding (tied). There
    are no biases.

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
        init_uniform(self)

    @property
    def sites(self) -> tuple[str, ...]:
        """Sites of the residual stream: the outputs of the embedding and of each block.

        Examples:
            >>> PrenormTransformer(vocabulary=12, depth=1).sites
            ('embedding', 'blocks.0')
        """
        return residual_sites(self.blocks)

    @override
    def forward(
        self, tokens: Int[Tensor, "*batch position"]
    ) -> Float[Tensor, "*batch position vocabulary"]:
        """Logits ``(..., position, vocabulary)`` of the next token at every position."""
        h = self.embedding(tokens)
        for block in self.blocks:
            h = block(h)
        return self.norm(h) @ self.embedding.weight.T


class PrenormBlock(nn.Module):
    """Attention and an MLP, each added to the residual stream."""

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
