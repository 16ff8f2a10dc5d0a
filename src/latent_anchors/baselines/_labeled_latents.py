"""Recorded latents, labels and a mask of any shape, to one row and one label for each sample."""

import torch
from jaxtyping import Float
from torch import Tensor

from latent_anchors._supervision import Given, as_mask, as_tensor, check_label
from latent_anchors._typing import Latents
from latent_anchors._vectors import check_floating


def labeled(
    latents: Latents, labels: Given, mask: Given | None
) -> tuple[Float[Tensor, "n dim"], Float[Tensor, " n"]]:
    """The samples that count ``(n, dim)`` and their labels ``(n,)``, checked; some of each kind."""
    z, each = flattened(latents, labels, mask)
    _check_samples(z, each)
    return z, each


def flattened(
    latents: Latents, labels: Given, mask: Given | None
) -> tuple[Float[Tensor, "n dim"], Float[Tensor, " n"]]:
    """The samples that count and their labels, of whatever kinds."""
    check_floating("A baseline", latents)
    label = as_tensor("The labels", labels, latents.device)
    counted = None if mask is None else as_mask("The mask", mask, latents.device)
    check_shapes(latents.shape[:-1], label.shape, counted)
    z, each = latents.detach(), by_position(label.detach(), latents.shape[:-1])
    inside = torch.ones_like(each, dtype=torch.bool) if counted is None else counted
    z, each = z[inside], each[inside]
    check_label("The labels", each, None, "always")
    return z, each.double()


def by_position(labels: Tensor, samples: torch.Size) -> Tensor:
    """Labels of lines as those of their positions."""
    return labels.reshape(*labels.shape, *[1] * (len(samples) - labels.ndim)).expand(samples)


def check_shapes(samples: torch.Size, labels: torch.Size, mask: Tensor | None) -> None:
    """Refuse labels and a mask that do not fit the samples."""
    if not 0 < len(labels) <= len(samples) or labels != samples[: len(labels)]:
        raise ValueError(
            f"The labels have shape {tuple(labels)} and the latents {(*samples, 'dim')}; expected "
            "one label for each sample, or for each line of several positions."
        )
    if mask is not None and mask.shape != samples:
        raise ValueError(
            f"The mask has shape {tuple(mask.shape)} and the latents {(*samples, 'dim')}; expected "
            f"{tuple(samples)}: whether each position counts."
        )


def _check_samples(z: Tensor, labels: Tensor) -> None:
    with_it, without = float(labels.sum()), float((1 - labels).sum())
    if not with_it > 0 or not without > 0:
        raise ValueError(
            f"Of {len(z)} samples that count, {with_it:g} have the concept and {without:g} do not; "
            "expected some of each. Give samples of both kinds, and mind the mask."
        )
    if not bool(z.isfinite().all()):
        raise ValueError(
            f"Of {len(z)} latents that count, {int((~z.isfinite()).any(-1).sum())} are not finite; "
            "expected finite numbers. Leave padding out with mask=."
        )
