"""Removal against collateral: what each method takes out of a concept, and what it costs."""

from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from typing import TypeAlias, cast

import torch
from jaxtyping import Float
from torch import Tensor, nn

from latent_anchors._hooks import Edit
from latent_anchors._runs import eval_mode, one_for_each, seeds_of
from latent_anchors._sites import At
from latent_anchors.evaluation._dose_response import Measure
from latent_anchors.evaluation._frontier_record import Curve, Frontier
from latent_anchors.interventions import intervene

Edited: TypeAlias = (
    nn.Module | tuple[nn.Module, Mapping[At, Edit]] | Callable[[], AbstractContextManager[object]]
)
"""A model, one with edits by site, or what opens a block that yields one."""


def frontier(
    methods: Mapping[str, Sequence[Edited]],
    forget: Measure,
    retain: Measure,
) -> Frontier:
    """Measure what methods take out of a concept at several strengths, and what it costs elsewhere.

    Both measures are taken in evaluation mode, without gradients, of any model. For methods that
    train networks differently, let them be absolute, such as a loss: so what the training itself
    costs is counted, too. Give the unedited model as the first strength.

    Args:
        methods: By name, edited models from weak to strong: a model or a population whose weights
            were changed; a pair of a model and its edits by site, such as ``(model, {red.at:
            red.edit(strength=0.5)})``; or what opens a block that yields the model, called without
            arguments, such as ``removed`` of :class:`~latent_anchors.baselines.Placed`.
        forget: How much of the concept is gone: from a model to a number, or to one for each run of
            a population; the greater, the more.
        retain: The damage elsewhere, likewise.

    Returns:
        Removal and collateral by method, strength and run.

    Raises:
        ValueError: If there is no method, one has no strength, or methods differ in their runs; if
            a measure is not one number for each run.
        TypeError: If a block yields no model, a model stands in place of a list, or a strength is
            none of these.
        RuntimeError: If a model does not run while something is measured.

    References:
        Removal against utility over the strengths of each method: Lee et al., "Distillation
        robustifies unlearning", 2025.

    Examples:
        >>> from latent_anchors.interventions import Suppression
        >>> x, network = torch.tensor([3.0, 4.0]), nn.Sequential(nn.Identity())
        >>> edits = [Suppression([1, 0]).at(strength) for strength in (0.0, 0.5, 1.0)]
        >>> found = frontier(
        ...     {
        ...         "suppressed": [(network, {"0": edit}) for edit in edits],
        ...         "deleted": [network, nn.Sequential(nn.Tanh())],
        ...     },
        ...     forget=lambda model: 3 - model(x)[0],
        ...     retain=lambda model: 4 - model(x)[1],
        ... )
        >>> found["suppressed"][0].mT, found["suppressed"][1].mT
        (tensor([[0.0000, 1.5000, 3.0000]]), tensor([[0., 0., 0.]]))
        >>> found.wins("suppressed", collateral=0.5)
        {'deleted': tensor([True])}
    """
    measures = {"concept": forget, "rest": retain}
    curves: dict[str, Curve] = {}
    for name, strengths in methods.items():
        if isinstance(strengths, nn.Module) and not isinstance(strengths, nn.ModuleList):
            raise TypeError(
                f"{name!r} is a model; expected a list of models or pairs, one for each strength. "
                f"Write [model]: its {type(strengths).__name__} would be taken for such a list."
            )
        points = [_measured(name, each, measures) for each in strengths]
        runs = [each.shape[1] for each in points]
        if len({*runs}) != 1:
            raise ValueError(
                f"{name!r} has {runs} runs at its strengths; expected one strength at least, and "
                "always as many runs."
            )
        removal, collateral = torch.stack(points, 1).unbind()
        curves[name] = (removal, collateral)
    return Frontier(curves)


def _measured(
    name: str, edited: Edited, measures: Mapping[str, Measure]
) -> Float[Tensor, "2 runs"]:
    """Removal and collateral run by run."""
    with _opened(name, edited) as opened, eval_mode(opened):
        runs = len(seeds_of(opened))
        found = [one_for_each(of, measure(opened), runs) for of, measure in measures.items()]
        return torch.stack(found)


@contextmanager
def _opened(name: str, edited: Edited) -> Generator[nn.Module]:
    if isinstance(edited, nn.Module):
        yield edited
        return
    if not callable(edited):
        model, edits = _pair(name, edited)
        with intervene(model, edits):
            yield model
        return
    with edited() as given:
        if not isinstance(given, nn.Module):
            raise TypeError(
                f"The block of {name!r} yields {type(given).__name__}; expected the edited model. "
                "Give a pair in its place: the model, and its edits by site."
            )
        yield given


def _pair(name: str, edited: object) -> tuple[nn.Module, Mapping[At, Edit]]:
    pair = cast("tuple[object, ...]", edited) if isinstance(edited, tuple) else ()
    model, edits = pair if len(pair) == 2 else (None, None)
    if isinstance(model, nn.Module) and isinstance(edits, Mapping):
        return model, cast("Mapping[At, Edit]", edits)
    raise TypeError(
        f"A strength of {name!r} is {edited!r}; expected a model, a pair of a model and its edits "
        "by site, or what opens a block. Of what a rival's fit gave, list placed.removed; a single "
        "pair stands in a list, too."
    )
