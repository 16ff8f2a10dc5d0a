"""Latents of a data set, in evaluation mode."""

from collections.abc import Mapping, Sequence
from typing import cast

from jaxtyping import Float
from torch import Tensor, nn

from latent_anchors._numerics import missing
from latent_anchors._runs import eval_mode, with_axis_of_runs
from latent_anchors._sites import At
from latent_anchors._typing import Inputs
from latent_anchors.models import record


def like(model: nn.Module, default: Tensor) -> Tensor:
    """A tensor of the type and device that a model's inputs should have."""
    floating = (each for each in model.parameters() if each.is_floating_point())
    return next(floating, default)


def latents(
    model: nn.Module, inputs: Inputs, at: At = "latent"
) -> Float[Tensor, "runs *samples dim"]:
    """Latents at a site, in evaluation mode; NaN where they are not finite.

    Args:
        model: A model (one run) or a population; edits in force count.
        inputs: What the model takes, such as colors ``(n, 3)``; a tuple of arguments, or a mapping
            of arguments by name. They are moved to the model's device and floating type.
        at: The site.

    Returns:
        ``(runs, ..., dim)``.

    Raises:
        ValueError: If the site does not exist.
        RuntimeError: If the site never ran.

    Examples:
        >>> import torch
        >>> from latent_anchors.models import SphericalAutoencoder
        >>> latents(SphericalAutoencoder(), torch.rand(5, 3)).shape
        torch.Size([1, 5, 4])
    """
    return latents_by_site(model, inputs, [at])[at]


def latents_by_site(
    model: nn.Module, inputs: Inputs, sites: Sequence[At]
) -> dict[At, Float[Tensor, "runs *samples dim"]]:
    """Latents at several sites, from one forward pass; see :func:`latents`.

    Args:
        model: A model (one run) or a population; edits in force count.
        inputs: What the model takes.
        sites: The sites.

    Returns:
        By site ``(runs, ..., dim)``.

    Raises:
        ValueError: If a site does not exist.
        RuntimeError: If a site never ran.

    Examples:
        >>> import torch
        >>> model = nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 2))
        >>> found = latents_by_site(model, torch.rand(5, 3), ["1", "2"])
        >>> {site: tuple(z.shape) for site, z in found.items()}
        {'1': (1, 5, 4), '2': (1, 5, 2)}
    """
    with eval_mode(model), record(model, sites) as recorded:
        _forward(model, inputs)
    return {site: with_axis_of_runs(model, missing(recorded[site])) for site in sites}


def predictions(model: nn.Module, inputs: Inputs) -> Float[Tensor, "runs *samples"]:
    """What a model puts out, in evaluation mode, run by run.

    Args:
        model: A model (one run) or a population that returns a tensor; edits in force count.
        inputs: What the model takes, as for :func:`latents`.

    Returns:
        ``(runs, ...)``, finite or not.

    Raises:
        TypeError: If the model returns something else than a tensor.

    Examples:
        >>> import torch
        >>> predictions(nn.Flatten(), torch.ones(2, 1, 3)).shape
        torch.Size([1, 2, 3])
    """
    with eval_mode(model):
        found = _forward(model, inputs)
    if not isinstance(found, Tensor):
        raise TypeError(
            f"The model returned {type(found).__name__}; expected a tensor. Wrap it in a module "
            "that returns the tensor, such as the logits."
        )
    return with_axis_of_runs(model, found)


def _forward(model: nn.Module, inputs: Inputs) -> object:
    if isinstance(inputs, Mapping):
        return model(**{name: _moved(model, given) for name, given in inputs.items()})
    given = (inputs,) if isinstance(inputs, Tensor) else inputs
    return model(*(_moved(model, each) for each in cast("tuple[Tensor, ...]", given)))


def _moved(model: nn.Module, given: Tensor) -> Tensor:
    """An input on the model's device; token ids and masks keep their type."""
    target = like(model, given)
    return given.to(target) if given.is_floating_point() else given.to(target.device)
