"""Orthogonalize weights against directions, so that they neither write nor read them."""

from collections.abc import Iterable, Sequence
from functools import partial

import torch
from jaxtyping import Float
from torch import Tensor

from latent_anchors._numerics import in_full_precision, without_autocast
from latent_anchors._sites import At
from latent_anchors._vectors import as_basis, as_direction, as_numbers
from latent_anchors.interventions._surgery._stream.removal import without_stream
from latent_anchors.interventions._surgery.apply_surgery import Model, Parameters, apply_all
from latent_anchors.interventions._surgery.find_layers import resolve_all
from latent_anchors.interventions._surgery.random_copy import Example
from latent_anchors.interventions._surgery.site_layers import Side, SiteLayers


def orthogonalize(
    model: Model,
    directions: Sequence[float] | Sequence[Sequence[float]] | Tensor,
    at: At | Iterable[At] | SiteLayers = "latent",
    example: Example | None = None,
    side: Side | None = None,
    inplace: bool = False,
) -> Model:
    r"""Directional ablation in the weights: they no longer write or read along directions.

    .. math:: W_p' = W_p - V^\top V W_p, \qquad b_p' = b_p - V^\top V b_p, \qquad
        W_c' = W_c - W_c V^\top V

    with the producer's :math:`W_p, b_p`, the consumers' :math:`W_c` and orthonormal rows :math:`V`
    that span the ``directions``. This equals an edit that removes the projection onto them, without
    renormalizing: for ``"writing"`` at the producer's output, and a normalization that follows
    rescales the rest to full length; for ``"reading"`` at the consumers' input. ``"both"`` acts
    like ``"writing"``. Along axes it is :func:`ablate`.

    **A residual stream** is a sum of what many layers write. Everything that goes into the latents
    at the sites is changed, however early in the model: embeddings of tokens and positions, class
    tokens, the last layers of attention and MLPs with their biases, experts, low-rank adapters
    (base and second factor). This equals the edit at the output of each of these layers, so that no
    latents at the sites, nor what is read of the stream before, have a component along a direction.
    What later layers write is left alone: name the last site, or all sites, of a stream to remove a
    direction from the whole.

    * Of an embedding that is tied to the unembedding, both change: the edit acts at the input of
      the unembedding, too; and so for a layer that writes with the weights with which one reads.
    * Weights that the example does not reach are not seen. Those beside the ones that write, such
      as idle experts or cross attention, are refused; others keep the direction (a token for
      masked patches, a projector of images). Pass an example that reaches them.
    * A norm with weights whose output is added to the stream or is the stream (Gemma's norms after
      attention, those of BERT, batch norms) scales each channel by itself. Along axes its weight
      and bias are silenced, which equals the edit at its output. Other directions are refused.
    * Weights in half precision are changed in float32 and rounded once.

    With ``"reading"``, all linear layers behind the sites that read the stream are changed. This
    equals the edit at their inputs, where norms' weights :math:`w` between them and the stream turn
    the projection into :math:`x - (x / w) V^\top V w`. ``"both"`` does one and the other.

    Args:
        model: A model, or a population; it is not changed unless ``inplace``.
        directions: One direction ``(dim,)``, or linearly independent rows ``(n, dim)``.
        at: The sites. Those of a residual stream are found in one forward pass, otherwise the
            layers around each with :func:`find_layers`; or the layers.
        example: What the model takes: ``(...)``, a tuple of arguments, or a mapping by name.
        side: Which weights change; by default both, of a residual stream those that write.
        inplace: Change the model itself, after all checks, instead of a copy.

    Returns:
        A new model, or a population with the same seeds; the model itself if ``inplace``.

    Raises:
        ValueError: If the directions have another width, are zero, linearly dependent or not
            finite, the layers are ambiguous, there is an activation between a layer and the
            site, or something else than weights goes into a stream.

    References:
        Arditi et al., "Refusal in Language Models Is Mediated by a Single Direction" (2024), eq. 5.

    Examples:
        >>> from torch import nn
        >>> model = nn.Sequential(nn.Linear(3, 2), nn.Identity(), nn.Linear(2, 1))
        >>> blind = orthogonalize(model, [1, -1], at="1", side="reading")
        >>> bool((blind[2].weight[0, 0] - blind[2].weight[0, 1]).abs() < 1e-6)
        True
    """
    new = without_stream(
        model, at, example, side, inplace, lambda width: as_rows(directions, width)
    )
    if new is not None:
        return new
    around = resolve_all(model, at, example, side, any_direction=True)
    rows = [as_rows(directions, width) for _, width in around]
    surgeries = [
        partial(_orthogonalized, basis=basis, layers=layers)
        for basis, (layers, _) in zip(rows, around, strict=True)
    ]
    return apply_all(model, surgeries, inplace)


def as_rows(
    directions: Sequence[float] | Sequence[Sequence[float]] | Tensor, width: int
) -> Float[Tensor, "n dim"]:
    """Orthonormal rows in float64 that span one or several directions of the given width."""
    given = as_numbers(directions).to(torch.float64)
    rows = as_direction(given).unsqueeze(0) if given.ndim == 1 else as_basis(given)
    if rows.shape[1] != width:
        raise ValueError(
            f"The directions have {rows.shape[1]} numbers each; expected {width}, one per latent "
            "dimension."
        )
    return rows


def projected(x: Tensor, basis: Float[Tensor, "n dim"]) -> Tensor:
    """The projection ``(..., dim)`` of vectors onto the span of orthonormal rows."""
    rows = basis.to(x.dtype).to(x.device)
    with without_autocast(x):
        return x @ rows.mT @ rows


def _orthogonalized(
    parameters: Parameters, basis: Float[Tensor, "n dim"], layers: SiteLayers
) -> Parameters:
    """Weights that neither write nor read in the span of orthonormal rows."""
    new: dict[str, Tensor] = {}
    weight, bias = f"{layers.producer}.weight", f"{layers.producer}.bias"
    if weight in parameters:
        new[weight] = _without(parameters[weight].mT, basis).mT
    if bias in parameters:
        new[bias] = _without(parameters[bias], basis)
    for name in layers.consumers:
        new[f"{name}.weight"] = _without(parameters[f"{name}.weight"], basis)
    return new


def _without(x: Tensor, basis: Float[Tensor, "n dim"]) -> Tensor:
    full = in_full_precision(x)
    return (full - projected(full, basis)).to(x.dtype)
