"""Causal self-attention with rotary position embeddings (RoPE)."""

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.nn.functional import scaled_dot_product_attention
from typing_extensions import override

from latent_anchors._numerics import in_full_precision, unit
from latent_anchors.models._transformer_parts import LearnedScale


def rotary(x: Float[Tensor, "*batch position dim"]) -> Float[Tensor, "*batch position dim"]:
    r"""Rotary position embedding: rotate vectors by angles proportional to their position.

    .. math:: (x_i, x_{i + d/2}) \mapsto R(t\,10^{-8 i / d})\,(x_i, x_{i + d/2})

    with the position :math:`t`, the dimension :math:`d` and the rotation :math:`R` of a plane.
    Inner products of two rotated vectors depend only on the difference of their positions.

    References:
        Su et al., RoFormer: Enhanced Transformer with Rotary Position Embedding, 2021, eq. 34.
    """
    positions, dim = x.shape[-2:]
    a, b = in_full_precision(x).chunk(2, -1)  # half precision has no whole numbers above 256
    rate = 10_000.0 ** (-2.0 * torch.arange(dim // 2, device=x.device, dtype=a.dtype) / dim)
    angle = torch.arange(positions, device=x.device, dtype=a.dtype)[:, None] * rate
    cos, sin = angle.cos(), angle.sin()
    return torch.cat([a * cos - b * sin, a * sin + b * cos], -1).to(x.dtype)


class Attention(nn.Module):
    r"""Causal multi-head attention without biases.

    .. math:: \mathrm{softmax}(s\, q k^\top)\, v

    where :math:`s` is :math:`1/\sqrt{d}` for heads of dimension :math:`d`; if ``normalized``,
    queries and keys are unit vectors and :math:`s` is learned, initially :math:`\sqrt{d}`.
    """

    def __init__(self, width: int, heads: int, normalized: bool) -> None:
        super().__init__()
        self.heads: int = heads
        self.qkv: nn.Linear = nn.Linear(width, 3 * width, bias=False)
        self.out: nn.Linear = nn.Linear(width, width, bias=False)
        dim = width // heads
        self.scale: LearnedScale | None = (
            LearnedScale(dim**0.5, width**-0.5) if normalized else None
        )

    @override
    def forward(self, h: Float[Tensor, "*batch position width"]) -> Tensor:
        q, k, v = self.qkv(h).unflatten(-1, (3, self.heads, -1)).movedim((-3, -2), (0, -3))
        if self.scale is None:
            z = attend(rotary(q), rotary(k), v)
        else:
            z = attend(rotary(self.scale(unit(q))), rotary(unit(k)), v, scale=1.0)
        return self.out(z.movedim(-3, -2).flatten(-2))


def attend(q: Tensor, k: Tensor, v: Tensor, scale: float | None = None) -> Tensor:
    """Causal attention with the math kernel, the only one that works under vmap over runs."""
    with sdpa_kernel(SDPBackend.MATH):
        return scaled_dot_product_attention(q, k, v, is_causal=True, scale=scale)
