"""Rewriting an embedding: an edit baked into what each token is."""

from typing import TypeVar

from torch import Tensor, nn

from latent_anchors._checks import listed
from latent_anchors._hooks import Edit, edited
from latent_anchors._sites import layers_of
from latent_anchors.interventions._surgery import Parameters, architecture, operate

_Model = TypeVar("_Model", bound=nn.Module)


def rewrite(model: _Model, edit: Edit, layer: str = "embedding") -> _Model:
    r"""An edit baked into an embedding: what it would do to a token, it does to the token's row.

    .. math:: E_v' = f(E_v)

    with the embedding's rows :math:`E_v` and the edit :math:`f`, which must treat each latent by
    itself. It equals the edit at the embedding's output: whatever is read from there on is the
    same. Where the rows are also what answers are read out with, answers that the edit moves are
    read out otherwise, too.

    Args:
        model: A model, or a population; it stays as it is.
        edit: Latents in, latents out ``(..., dim)``, such as a `Redirection`.
        layer: The embedding's name.

    Returns:
        A new model, or a population with the same seeds.

    Raises:
        ValueError: If the layer is no embedding, or the edit changes the shape.

    References:
        Ours: for static embeddings, of the kind of Bolukbasi et al., "Man is to Computer Programmer
        as Woman is to Homemaker?", 2016, section 6.

    Examples:
        >>> import torch
        >>> model = nn.Sequential(nn.Embedding.from_pretrained(torch.eye(2)), nn.Linear(2, 1))
        >>> rewrite(model, lambda z: z * torch.tensor([0.0, 1.0]), "0")[0].weight.tolist()
        [[0.0, 0.0], [0.0, 1.0]]
    """
    layers = layers_of(architecture(model))
    embeddings = [name for name, found in layers.items() if isinstance(found, nn.Embedding)]
    if layer not in embeddings:
        raise ValueError(
            f"The layer {layer!r} is no embedding; expected one of {listed(embeddings)}."
        )
    name = f"{layer}.weight"

    def surgery(parameters: Parameters) -> dict[str, Tensor]:
        return {name: edited(parameters[name], edit)}

    return operate(model, surgery)
