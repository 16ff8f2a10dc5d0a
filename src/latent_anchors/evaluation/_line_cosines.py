"""Where the tokens of lines lie relative to an anchor, at several sites."""

from collections.abc import Sequence

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from latent_anchors._numerics import cosine, missing, ordinary
from latent_anchors._sites import At
from latent_anchors._vectors import as_direction
from latent_anchors.evaluation._latents import as_evaluated, like
from latent_anchors.models import Population, record

AT_ONCE = 4096
"""Lines in one pass, so that the latents of all lines need not be held."""


def line_cosines(
    model: nn.Module,
    lines: Int[Tensor, "lines positions"],
    direction: Sequence[float] | Tensor,
    at: Sequence[At],
) -> Float[Tensor, "runs sites lines positions"]:
    """Cosine between an anchor and each token's latent, in evaluation mode.

    Args:
        model: A model (one run) or a population, from tokens to anything; edits in force count.
        lines: Tokens ``(lines, positions)``.
        direction: The anchor ``(dim,)``.
        at: The sites, from the first to the last.

    Returns:
        ``(runs, sites, lines, positions)``, from -1 to 1, on the CPU.

    Raises:
        ValueError: If a site does not exist, or the direction is zero or not finite.
        RuntimeError: If a site never ran.

    Examples:
        >>> model = nn.Sequential(nn.Embedding.from_pretrained(torch.tensor([[1.0, 0], [0, 2]])))
        >>> line_cosines(model, torch.tensor([[0, 1, 1]]), [1, 0], at=["0"]).tolist()
        [[[[1.0, 0.0, 0.0]]]]
    """
    anchor, place = as_direction(direction), like(model, torch.empty(0)).device
    found: list[Tensor] = []
    for some in torch.split(lines, AT_ONCE):
        with as_evaluated(model), record(model, at) as recorded:
            model(some.to(place))
        by_site = [cosine(ordinary(missing(recorded[site])), anchor).cpu() for site in at]
        found.append(torch.stack(by_site, dim=-3 if isinstance(model, Population) else 0))
    cosines = torch.cat(found, dim=-2)
    return cosines if isinstance(model, Population) else cosines.unsqueeze(0)
