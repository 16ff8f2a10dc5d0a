"""Displacement: how far an edit moves latents, which predicts its damage before any output."""

from latent_anchors._typing import Latents, PerSample
from latent_anchors.interventions import Edit


def displacement(z: Latents, edit: Edit) -> PerSample:
    r"""How far an edit will move each latent: the damage to expect, up to a factor.

    .. math:: d = \lVert h(z) - z \rVert_2^2

    with the ``edit`` :math:`h`. A decoder that is smooth near the latents answers a small move with
    an error in proportion to it, so samples of no displacement are safe, and no decoder is needed.
    How well it predicts: :func:`squared_correlation` of the errors and the displacement.

    Args:
        z: Latents before the edit, ``(..., dim)``, of one run or of all.
        edit: Latents ``(..., dim)`` to latents of the same shape.

    Returns:
        ``(...)``, at least 0.

    Raises:
        ValueError: If the edit changes the shape, as a population of edits does.

    References:
        Ours: the first term of the decoder's Taylor series, its slope taken to be the same
        everywhere and in every direction.

    Examples:
        >>> import torch
        >>> from latent_anchors.interventions import Suppression
        >>> displacement(torch.tensor([[0.8, 0.6], [-1.0, 0.0]]), Suppression([1, 0]))
        tensor([0.6400, 0.0000])
    """
    edited = edit(z)
    if edited.shape != z.shape:
        raise ValueError(
            f"The edit made latents of shape {tuple(edited.shape)} out of {tuple(z.shape)}; "
            "expected the same shape. Give each run's latents to its own edit."
        )
    return (edited - z).square().sum(-1)
