"""Where inputs lie at a moment of a training, without noise of the model's own."""

from copy import deepcopy

import torch
from torch import Tensor

from latent_anchors._sites import At
from latent_anchors.models import Population, record


def still_latents(population: Population, inputs: Tensor, at: At) -> Tensor:
    """Latents ``(runs, n, ...)`` in evaluation mode; the population is left as it is."""
    # noise of the model's own would come from the global generator, and be remembered
    still = deepcopy(population).eval()
    with torch.no_grad(), record(still, at) as latents:
        still(inputs.to(next(population.parameters())))
    return latents[at].clone()
