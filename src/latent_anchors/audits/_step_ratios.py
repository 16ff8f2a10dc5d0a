"""Ratios of steps: how much longer an edited network takes than others, run by run."""

from collections.abc import Mapping

import torch
from jaxtyping import Bool
from torch import Tensor, nn

from latent_anchors._runs import architecture, seeds_of
from latent_anchors.evaluation import Evaluation

EDITED = "edited"
"""What the network is called whose steps are divided by those of the others."""


def ratios_of(steps: Mapping[str, Tensor], limit: float, least: float = 1.0) -> dict[str, Tensor]:
    """Ratios, whether the first is 1 or more, who came too late, and steps; references first."""
    first, *others = (name for name in steps if name != EDITED)
    beside = {"ratio": first, **{f"ratio_{name}": name for name in others}}
    found = {
        key: step_ratio(steps[EDITED], steps[name], limit, least) for key, name in beside.items()
    }
    found["at_least_one"] = found["ratio"] >= 1
    late = {"censored" if name == EDITED else f"censored/{name}": name for name in steps}
    found |= {key: steps[name].isinf() for key, name in late.items()}
    found |= {f"steps/{name}": at.clamp(max=limit) for name, at in steps.items()}
    return {f"relearning/{key}": values for key, values in found.items()}


def step_ratio(edited: Tensor, other: Tensor, limit: float, least: float = 1.0) -> Tensor:
    """Steps beside steps, infinite ones as the limit; NaN if both are infinite, 1 if both are 0."""
    within = edited.clamp(max=limit) / other.clamp(least, limit)
    within = within.masked_fill((edited == 0) & (other == 0), 1.0)
    return within.masked_fill(edited.isinf() & other.isinf(), torch.nan)


def failed_runs(network: nn.Module) -> Bool[Tensor, " runs"]:
    """Which runs have weights that are not finite, or a buffer that is not a number.

    Infinite buffers are on purpose, as in a causal mask.
    """
    model, runs = architecture(network), len(seeds_of(network))
    sound = [each.isfinite() for each in model.parameters()]
    sound += [~each.isnan() for each in model.buffers() if each.is_floating_point()]
    # of an ordinary model, all numbers are those of its one run
    return ~torch.stack([each.reshape(runs, -1).all(1).cpu() for each in sound]).all(0)


def without_failed(found: Mapping[str, Tensor], failed: Bool[Tensor, " runs"]) -> Evaluation:
    """No number of a failed run is left, so that it counts in no share either."""
    return Evaluation(
        {
            name: values
            if values.dtype == torch.bool
            else values.masked_fill(failed.to(values.device), torch.nan)
            for name, values in found.items()
        }
    )
