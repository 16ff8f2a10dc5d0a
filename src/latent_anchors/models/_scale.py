"""A learned gain."""

import torch
from torch import Tensor, nn
from typing_extensions import override


class Scale(nn.Module):
    r"""A learned factor whose rate of learning is set apart from its size.

    .. math:: x \mapsto \frac{s_0}{\sigma}\, s\, x

    with :math:`s` beginning at :math:`\sigma`, so that the factor begins at :math:`s_0`.

    References:
        Loshchilov et al., nGPT: Normalized Transformer with Representation Learning on the
        Hypersphere, 2024, section 2.5.
    """

    def __init__(self, begin: float, rate: float) -> None:
        super().__init__()
        self.ratio: float = begin / rate
        self.rate: float = rate
        self.s: nn.Parameter = nn.Parameter(torch.tensor(rate))

    def reset_parameters(self) -> None:
        """Begin anew, as torch's layers can."""
        nn.init.constant_(self.s, self.rate)

    @override
    def forward(self, x: Tensor) -> Tensor:
        return x * (self.ratio * self.s)
