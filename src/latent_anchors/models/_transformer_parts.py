"""Parts that both transformers share: learned scales, initialization, sites, checks of sizes."""

import torch
from torch import Tensor, nn
from typing_extensions import override

from latent_anchors._checks import check_count


class LearnedScale(nn.Module):
    r"""A learned scalar factor whose effective learning rate is independent of its size.

    .. math:: x \mapsto \frac{s_0}{\sigma}\, s\, x

    The parameter :math:`s` is initialized to :math:`\sigma`, so the factor to :math:`s_0`.

    References:
        Loshchilov et al., nGPT: Normalized Transformer with Representation Learning on the
        Hypersphere, 2024, section 2.5.
    """

    def __init__(self, initial: float, rate: float) -> None:
        super().__init__()
        self.ratio: float = initial / rate
        self.rate: float = rate
        self.s: nn.Parameter = nn.Parameter(torch.tensor(rate))

    def reset_parameters(self) -> None:
        """Initialize the parameter again, as torch's layers can."""
        nn.init.constant_(self.s, self.rate)

    @override
    def forward(self, x: Tensor) -> Tensor:
        return x * (self.ratio * self.s)


def residual_sites(blocks: nn.ModuleList) -> tuple[str, ...]:
    """The names of the embedding and the blocks, whose outputs are the residual stream."""
    return ("embedding", *(f"blocks.{index}" for index in range(len(blocks))))


def init_uniform(model: nn.Module) -> None:
    """Initialize every matrix as linear layers are: uniform within 1 / sqrt(inputs)."""
    for name, weight in model.named_parameters():
        if name.endswith("weight") and weight.ndim == 2:
            bound = weight.shape[-1] ** -0.5
            nn.init.uniform_(weight, -bound, bound)


def check_sizes(vocabulary: int, width: int, depth: int, heads: int, hidden: int) -> None:
    """Refuse sizes below 1, and a width that cannot be split among the heads."""
    given = {"width": width, "depth": depth, "heads": heads, "hidden": hidden}
    for name, size in {"vocabulary": vocabulary, **given}.items():
        check_count(name, size)
    if width % (2 * heads):
        raise ValueError(
            f"The width is {width} and there are {heads} heads; expected a width that is a "
            f"multiple of {2 * heads}, twice the heads, as rotary embeddings rotate pairs of "
            "channels."
        )
