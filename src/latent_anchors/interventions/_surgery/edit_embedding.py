"""Apply an edit to the rows of an embedding."""

from torch import Tensor, nn

from latent_anchors._hooks import Edit, edited
from latent_anchors._numerics import in_full_precision, without_autocast
from latent_anchors._runs import architecture
from latent_anchors.interventions._surgery.apply_surgery import Model, Parameters, apply_surgery
from latent_anchors.interventions._surgery.site_layers import plain_untied_layer


def edit_embedding(model: Model, edit: Edit, layer: str = "embedding") -> Model:
    r"""Apply an edit to each row of an embedding, so that it is part of the weights.

    .. math:: E_v' = f(E_v)

    with the embedding's rows :math:`E_v` and the edit :math:`f`, which must treat each latent by
    itself. This equals the edit at the embedding's output. An embedding that shares its weights
    with another layer is refused. If the model's own ``forward`` uses the rows for the logits, too
    (which cannot be detected), those change as well.

    Rows in half precision are edited in float32 and rounded once.

    Args:
        model: A model, or a population; it is not changed.
        edit: Maps latents ``(..., dim)`` to latents, such as a :class:`Redirection`.
        layer: The embedding's name.

    Returns:
        A new model, or a population with the same seeds.

    Raises:
        ValueError: If the layer is not a plain ``nn.Embedding`` (it scales its output,
            renormalizes its rows, or is wrapped, sharded or hooked), its weights are tied, or the
            edit changes the shape.

    References:
        Ours. For static word embeddings, compare Bolukbasi et al., "Man is to Computer Programmer
        as Woman is to Homemaker?", 2016, section 6.

    Examples:
        >>> import torch
        >>> model = nn.Sequential(nn.Embedding.from_pretrained(torch.eye(2)), nn.Linear(2, 1))
        >>> edit_embedding(model, lambda z: z * torch.tensor([0.0, 1.0]), "0")[0].weight.tolist()
        [[0.0, 0.0], [0.0, 1.0]]
    """
    name = f"{plain_untied_layer(architecture(model), layer, nn.Embedding)}.weight"

    def surgery(parameters: Parameters) -> dict[str, Tensor]:
        rows = parameters[name]
        with without_autocast(rows):
            new = edited(in_full_precision(rows), edit)
        return {name: new.to(rows.dtype)}

    return apply_surgery(model, surgery)
