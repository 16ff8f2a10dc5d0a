"""Gates that open by position: an edit acts from where a concept first shows in a line onwards."""

import math
from collections.abc import Sequence

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn

from latent_anchors._checks import check_angle
from latent_anchors._numerics import cosine, in_full_precision
from latent_anchors._supervision import Given, as_mask
from latent_anchors._typing import Direction
from latent_anchors._vectors import as_direction, check_width


class Onwards:
    r"""From the first position of a line that lies near a direction onwards, as ``where=``.

    .. math:: m_t = \big[\max_{s \le t,\, s \in A} \cos(y_s, v) > \cos \theta\big], \quad
        y_s = z_s \text{ or } \textstyle\sum_{r \le s,\, r \in A} z_r

    at position :math:`t`, with the ``direction`` :math:`v`, ``within`` :math:`\theta` and the
    positions :math:`A` ``among`` which it may open. Once a model knows what a line is about, later
    positions need not show it as clearly, one by one; a gate that stays open reaches them at a
    narrower angle, with fewer false alarms in other lines. With ``averaged``, a position that
    happens to lie near the direction weighs the less, the more came before it. The alignment is
    that of the latents before the edit. Padding, as far as the model is called with an
    ``attention_mask``, opens nothing.

    Args:
        direction: The concept's direction ``(dim,)``.
        within: Degrees from the direction, above 0 and at most 180.
        among: Which positions may open the gate ``(batch, position)``, bool or 0 and 1, such as
            those that the concept was anchored at; all if None. Positions beyond it may, such as
            those generated after a prompt.
        averaged: Whether the mean of the latents so far has to lie near the direction, in place of
            one of them. For a concept that was anchored by the mean over a line.

    Raises:
        ValueError: If the direction is zero or not finite, or the angle is out of its range. In a
            pass: if latents are not ``(batch, position, dim)`` of this width, or ``among`` has
            another shape.
        TypeError: If ``among`` is soft.
        RuntimeError: In a pass that continues a cache, since what came before is not seen again.

    References:
        Lee et al., "Programming refusal with conditional activation steering", 2024, for a gate
        that compares a cosine with a threshold; there on the prompt as a whole.

    Examples:
        >>> from latent_anchors.interventions import Suppression, intervene
        >>> model = torch.nn.Sequential(torch.nn.Identity())
        >>> line = torch.tensor([[[1.0, 9.0], [9.0, 1.0], [1.0, 9.0]]])
        >>> red = torch.tensor([1.0, 0.0])
        >>> with intervene(model, Suppression(red), at="0", where=Onwards(red, within=30)):
        ...     model(line)
        tensor([[[1., 9.],
                 [0., 1.],
                 [0., 9.]]])
    """

    def __init__(
        self,
        direction: Sequence[float] | Tensor,
        within: int | float,
        among: Given | None = None,
        *,
        averaged: bool = False,
    ) -> None:
        self.direction: Direction = as_direction(direction)
        self.within: float = float(within)
        check_angle("within", self.within, 180.0)
        self.among: Tensor | None = None if among is None else as_mask("among", among).clone()
        self.averaged: bool = averaged

    def opened(
        self, z: Float[Tensor, "batch position dim"], real: Tensor | None = None
    ) -> Bool[Tensor, "batch position"]:
        """Which positions lie at or after the first one near the direction.

        Args:
            z: Latents before the edit ``(batch, position, dim)``.
            real: Which positions are no padding ``(batch, position)``; all if None.

        Returns:
            ``(batch, position)``.

        Raises:
            ValueError: If they are not ``(batch, position, dim)``, have another width, or ``among``
                another shape.

        Examples:
            >>> line = torch.tensor([[[0.0, 1.0], [1.0, 0.0], [0.0, 1.0]]])
            >>> Onwards([1, 0], within=30).opened(line)
            tensor([[False,  True,  True]])
        """
        near = self.cosines(z, real) > math.cos(math.radians(self.within))  # false where NaN
        return near.long().cumsum(-1) > 0

    def cosines(
        self, z: Float[Tensor, "batch position dim"], real: Tensor | None = None
    ) -> Float[Tensor, "batch position"]:
        """What is compared with the angle: cosines of positions, or of the means so far.

        The width at which the gate is open at a share of the positions of some lines is a quantile
        of :func:`~latent_anchors.evaluation.opening_angles` of these, with the mask of the
        positions that may open it.

        Args:
            z: Latents before the edit ``(batch, position, dim)``.
            real: Which positions are no padding ``(batch, position)``; all if None.

        Returns:
            ``(batch, position)``, NaN where a position may not open it; of means so far also from
            a counted position onwards that is not finite.

        Raises:
            ValueError: If they are not ``(batch, position, dim)``, have another width, or ``among``
                another shape.

        Examples:
            >>> line = torch.tensor([[[1.0, 0.0], [0.0, 1.0]]])
            >>> Onwards([1, 0], within=30).cosines(line)
            tensor([[1., 0.]])
            >>> Onwards([1, 0], within=30, averaged=True).cosines(line)
            tensor([[1.0000, 0.7071]])
        """
        check_width("Onwards", z, len(self.direction))
        if z.ndim != 3:
            raise ValueError(
                f"The latents have shape {tuple(z.shape)}; expected (batch, position, dim), since "
                "a gate opens along positions. Of one line, give z.unsqueeze(0)."
            )
        counts = self._counts(z, real)
        full = in_full_precision(z.detach())  # saves nothing that a recomputation would miss
        if self.averaged:
            full = torch.where(counts.unsqueeze(-1), full, 0.0).cumsum(1)
        return cosine(full, self.direction.to(full)).masked_fill(~counts, torch.nan)

    def _counts(self, z: Tensor, real: Tensor | None) -> Tensor:
        counts = torch.ones_like(z[..., 0], dtype=torch.bool)
        if self.among is not None:
            counts = counts & self._fitting(self.among, z)
        return counts if real is None else counts & (real != 0)

    def _fitting(self, among: Tensor, z: Tensor) -> Tensor:
        if among.ndim != 2 or len(among) != len(z) or among.shape[1] > z.shape[1]:
            raise ValueError(
                f"among has shape {tuple(among.shape)} and the latents {tuple(z.shape)}; expected "
                f"{tuple(z.shape[:-1])}, one value for each position of this pass, or fewer: those "
                "of a prompt."
            )
        return nn.functional.pad(among, (0, z.shape[1] - among.shape[1]), value=True).to(z.device)

    def __repr__(self) -> str:
        among = "" if self.among is None else f", among {int(self.among.sum())} positions"
        averaged = ", averaged" if self.averaged else ""
        return f"Onwards(within={self.within:g}{among}{averaged})"
