"""Rewriting an embedding: an edit baked into what each token is."""

from typing import TypeVar

from torch import Tensor, nn

from latent_anchors._hooks import Edit, edited
from latent_anchors._numerics import in_full_precision, without_autocast
from latent_anchors._runs import architecture
from latent_anchors.interventions._surgery.apply_surgery import Parameters, apply_surgery
from latent_anchors.interventions._surgery.site_layers import own_layer

_Model = TypeVar("_Model", bound=nn.Module)


def edit_embedding(model: _Model, edit: Edit, layer: str = "embedding") -> _Model:
    r"""An edit baked into an embedding: what it would do to a token, it does to the token's row.

    .. math:: E_v' = f(E_v)

    with the embedding's rows :math:`E_v` and the edit :math:`f`, which must treat each latent by
    itself. It equals the edit at the embedding's output: whatever is read from there on is the
    same. An embedding that shares its weights with another layer is refused. Where a model's own
    ``forward`` reads answers out with the rows, which nothing tells from outside, answers that the
    edit moves are read out otherwise, too.

    Rows in half precision are edited in float32 and rounded once.

    Args:
        model: A model, or a population; it stays as it is.
        edit: Latents in, latents out ``(..., dim)``, such as a `Redirection`.
        layer: The embedding's name.

    Returns:
        A new model, or a population with the same seeds.

    Raises:
        ValueError: If the layer is not plainly an ``nn.Embedding`` (one that scales its output,
            renormalizes its rows, is wrapped, sharded or hooked), its weights are tied, or the edit
            changes the shape.

    References:
        Ours: for static embeddings, of the kind of Bolukbasi et al., "Man is to Computer Programmer
        as Woman is to Homemaker?", 2016, section 6.

    Examples:
        >>> import torch
        >>> model = nn.Sequential(nn.Embedding.from_pretrained(torch.eye(2)), nn.Linear(2, 1))
        >>> edit_embedding(model, lambda z: z * torch.tensor([0.0, 1.0]), "0")[0].weight.tolist()
        [[0.0, 0.0], [0.0, 1.0]]
    """
    name = f"{own_layer(architecture(model), layer, nn.Embedding)}.weight"

    def surgery(parameters: Parameters) -> dict[str, Tensor]:
        rows = parameters[name]
        with without_autocast(rows):
            new = edited(in_full_precision(rows), edit)
        return {name: new.to(rows.dtype)}

    return apply_surgery(model, surgery)
