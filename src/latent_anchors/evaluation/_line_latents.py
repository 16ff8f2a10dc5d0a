"""The latents of lines of tokens at a site."""

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from latent_anchors._numerics import missing
from latent_anchors._runs import with_axis_of_runs
from latent_anchors._sites import At
from latent_anchors.evaluation._latents import as_evaluated, like
from latent_anchors.models import record


def line_latents(
    model: nn.Module, lines: Int[Tensor, "lines positions"], at: At
) -> Float[Tensor, "runs lines positions dim"]:
    """What a site holds at each token of some lines, in evaluation mode; NaN if not finite.

    Args:
        model: A model (one run) or a population, from tokens to anything; edits in force count.
        lines: Tokens ``(lines, positions)``, all in one pass.
        at: The site.

    Returns:
        ``(runs, lines, positions, dim)``, on the CPU.

    Raises:
        ValueError: If the site does not exist.
        RuntimeError: If it never ran.

    Examples:
        >>> model = nn.Sequential(nn.Embedding.from_pretrained(torch.tensor([[1.0, 0], [0, 2]])))
        >>> line_latents(model, torch.tensor([[0, 1]]), at="0").tolist()
        [[[[1.0, 0.0], [0.0, 2.0]]]]
    """
    with as_evaluated(model), record(model, [at]) as recorded:
        model(lines.to(like(model, torch.empty(0)).device))
    z = missing(recorded[at]).cpu()
    return with_axis_of_runs(model, z)
