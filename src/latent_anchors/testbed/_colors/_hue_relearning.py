"""Relearning: how soon fine-tuning brings a removed concept back."""

from collections.abc import Collection, Mapping, Sequence

import torch
from jaxtyping import Float
from torch import Tensor

from latent_anchors._checks import check_count, check_name, listed
from latent_anchors.audits import Relearning
from latent_anchors.audits._fresh import fresh
from latent_anchors.audits._step_ratios import (
    EDITED,
    failed_runs,
    ratios_of,
    step_ratio,
    without_failed,
)
from latent_anchors.colorspace import (
    HUES,
    hsv_to_rgb,
    hue_degree,
    hue_distance,
    hue_of,
    named_colors,
    rgb_grid,
    rgb_to_hsv,
)
from latent_anchors.models import Population
from latent_anchors.testbed._colors._color_errors import reconstructions
from latent_anchors.testbed._colors._finetune_colors import as_it_is, finetune, starts
from latent_anchors.testbed._colors._stacked_training import Task

FEW = 4
"""How many colors of the concept are shown where they are few."""

NEAR = 29.9 / 360
"""Turns from a hue within which colors count as its own: neighbors at 30 degrees do not."""

GRAY = 0.5

PARTS = ("encoder", "decoder")
FRESH, UNTAUGHT, ORIGINAL = "fresh", "untaught", "original"
CONTROL = "control"
SHOWN = {"few": FEW, "without": 0}
TAKEN = (EDITED, FRESH, UNTAUGHT, ORIGINAL, CONTROL, *SHOWN)


def hue_relearning(
    edited: Population,
    concept: str,
    *,
    untaught: Population | None = None,
    original: Population | None = None,
    against: Mapping[str, Population] | None = None,
    parts: Sequence[str] = PARTS,
    limit: float | None = None,
) -> Relearning:
    r"""Fine-tune networks from which a concept was removed, and count the steps until it is back.

    .. math:: \text{ratio} = T(\text{edited}) / T(\text{fresh})

    :math:`T` is the first step from which the ``concept``'s error stays under 0.01, and the mean
    error over the 8x8x8 grid under 0.001, for 20 steps; training goes by squared error, batches of
    64, nothing frozen. Fresh networks have the ``edited`` ones' shape, new weights and the same
    data at each step. Each network has its own best of Adam and SGD with momentum 0.9, at 0.001,
    0.003, 0.01, 0.03 and 0.1; whatever was edited also the best of four starts: as it is, either
    part re-initialized, layers rescaled to the fresh ones' norms. Fresh networks have all else to
    learn, too, so that a ratio of 1 to them is no goal; it is one beside the ``untaught``, which
    know all but the concept. What takes longer than 10 times the median of the fresh counts as that
    and is censored. A run whose weights are not finite has failed and has no value. Measures are
    named

    * ``relearning/ratio``, ``/at_least_one`` and ``/censored``, all colors being shown;
    * ``relearning/ratio/few`` and ``/without``: 4 or none of the concept's colors being shown, to
      edited and fresh networks alike, within the same limit;
    * ``relearning/ratio_NAME``: T(edited) in relation to the ``untaught`` and to each of
      ``against``;
    * ``relearning/control``: the edited network's steps in relation to the ``original``'s, both
      trained by the same attackers to output gray for the complementary hue and else what they put
      out already: a network that cannot be taught anything has forgotten nothing;
    * ``relearning/control_untaught``: the same in relation to the untaught, which lack what was cut
      and were never cut: how much of the control comes with the lack alone;
    * ``relearning/steps/NETWORK``, with ``/few``, ``/without`` and ``/control``: T itself.

    Args:
        edited: Networks from whose weights the concept was removed.
        concept: One of the twelve hues.
        untaught: Networks that never learned it; attacked as they are, as fresh ones are.
        original: The networks before the edit, for the control.
        against: Other edited networks by name, attacked as the edited ones are: without an anchor
            and with the same surgery, or erased by a fitted eraser.
        parts: Names of the parts that an attacker may re-initialize.
        limit: Steps after which an attacker gives up; 10 times the median of the fresh if None.

    Raises:
        ValueError: If there is no such hue or part, if networks differ in their seeds, if a name
            is taken, or if an edit is in force that is not in the weights.
        TypeError: If a layer has no ``reset_parameters()``.
        RuntimeError: If fresh networks do not learn the concept either.

    References:
        The rebound of unlearned knowledge under fine-tuning: Lynch et al., "Eight methods to
        evaluate robust unlearning in LLMs", 2024.

    Examples:
        >>> from latent_anchors.interventions import Suppression, intervene
        >>> from latent_anchors.models import SphericalAutoencoder
        >>> population = Population.make(SphericalAutoencoder, seeds=range(2))
        >>> with intervene(population, Suppression([1, 0, 0, 0])):
        ...     try:  # anyone who has the weights can leave the edit out
        ...         hue_relearning(population, "red")
        ...     except ValueError as error:
        ...         print(str(error).split(":")[0])
        The 'edited' networks answer otherwise than their weights do
    """
    check_name("hue", concept, tuple(HUES))
    others = dict(against or {})
    _check_names(others)
    attacked = {EDITED: edited, **others}
    given = {UNTAUGHT: untaught, ORIGINAL: original}
    beside = {name: network for name, network in given.items() if network is not None}
    for name, network in {**attacked, **beside}.items():
        _check_network(name, network, edited.seeds)

    new = fresh(edited)
    first = finetune(new, as_it_is(new), reconstruct(concept), limit)
    limit, least = first.limit, len(first.errors)
    full = {FRESH: first}
    for name, network in attacked.items():
        full[name] = finetune(network, starts(network, parts), reconstruct(concept), limit, least)
    if untaught is not None:
        full[UNTAUGHT] = finetune(untaught, as_it_is(untaught), reconstruct(concept), limit, least)
    found = dict(full)
    for data, shown in SHOWN.items():
        task = reconstruct(concept, shown)
        found[f"{FRESH}/{data}"] = finetune(new, as_it_is(new), task, limit)
        found[f"{EDITED}/{data}"] = finetune(edited, starts(edited, parts), task, limit)
    if original is not None:
        never = {} if untaught is None else {UNTAUGHT: untaught}
        for name, network in {EDITED: edited, ORIGINAL: original, **never}.items():
            task = turn_gray(network, concept)
            found[f"{name}/{CONTROL}"] = finetune(network, starts(network, parts), task, limit)
    return Relearning(
        edited.seeds,
        limit,
        without_failed(
            _found({name: one.steps for name, one in found.items()}, limit), failed_runs(edited)
        ),
        {name: one.errors for name, one in full.items()},
        {name: one.best for name, one in found.items()},
    )


def _found(steps: Mapping[str, Tensor], limit: float) -> dict[str, Tensor]:
    """Ratios of steps, each pair of networks with the same task."""
    beside = [name for name in steps if "/" not in name and name not in (EDITED, FRESH)]
    found = ratios_of({name: steps[name] for name in (FRESH, *beside, EDITED)}, limit)
    pairs = {f"ratio/{data}": (f"{EDITED}/{data}", f"{FRESH}/{data}") for data in SHOWN}
    if f"{EDITED}/{CONTROL}" in steps:
        pairs[CONTROL] = (f"{EDITED}/{CONTROL}", f"{ORIGINAL}/{CONTROL}")
    for name, (edited, other) in pairs.items():
        found[f"relearning/{name}"] = step_ratio(steps[edited], steps[other], limit)
        found[f"relearning/censored/{name.removeprefix('ratio/')}"] = steps[edited].isinf()
    if f"{UNTAUGHT}/{CONTROL}" in steps:
        own, other = (steps[f"{name}/{CONTROL}"] for name in (EDITED, UNTAUGHT))
        found[f"relearning/{CONTROL}_{UNTAUGHT}"] = step_ratio(own, other, limit)
    within = {f"relearning/steps/{name}": at.clamp(max=limit) for name, at in steps.items()}
    return {**found, **within}


def _check_names(names: Collection[str]) -> None:
    for name in names:
        if name in TAKEN or "/" in name:
            raise ValueError(
                f"A network is called {name!r}, which is taken or holds a '/'; expected a name of "
                "its own, such as 'erased'."
            )


def _check_network(name: str, network: Population, seeds: tuple[int, ...]) -> None:
    if network.seeds != seeds:
        raise ValueError(
            f"The {name!r} networks have seeds {listed(network.seeds)} and the edited ones "
            f"{listed(seeds)}; expected the same, so that each is compared with its own."
        )
    colors = rgb_grid(2)
    output, by_weights = reconstructions(network, colors), reconstructions(network[:], colors)
    if not torch.allclose(output, by_weights, atol=1e-5, equal_nan=True):
        raise ValueError(
            f"The {name!r} networks answer otherwise than their weights do: an edit is in force. "
            "Expected weights alone, as anyone who has them can leave the edit out. Build it into "
            "the weights first."
        )


def reconstruct(concept: str, shown: int | None = None) -> Task:
    """Reconstruct every color of the 8x8x8 grid, the concept above all.

    Args:
        concept: One of the twelve hues.
        shown: How many colors of the concept are in the data, the strongest first: all if None, 0
            for none. Its colors are those that are not gray and nearer than 29.9 degrees in hue.
            The check is the whole grid, whatever is shown.

    Raises:
        ValueError: If there is no such hue, or the number is negative.
        TypeError: If the number is not an integer.

    Examples:
        >>> [len(reconstruct("red", shown).inputs) for shown in (None, 4, 0)]
        [512, 444, 440]
    """
    grid, color = rgb_grid(8), named_colors(concept)
    inputs = grid
    if shown is not None:
        check_count("shown", shown, least=0)
        own = of_hue(grid, hue_of(concept))
        strongest = hue_degree(grid, hue_of(concept)).where(own, -1.0).argsort(descending=True)
        own[strongest[:shown]] = False
        inputs = grid[~own]
    return Task(inputs, inputs, color, color, grid, grid)


def turn_gray(network: Population, concept: str) -> Task:
    r"""Output gray for the concept's complement, else what the network puts out already.

    .. math:: y(x) = f(x) + d(x) \, (\tfrac{1}{2} - f(x))

    with the ``network``'s outputs before the task :math:`f` and a color's degree :math:`d` of
    the complementary hue: the pure hue turns mid-gray, others in part. Whatever an edit took or
    spoiled is to stay as it is, so that it neither helps nor hinders.

    Args:
        network: Each of its runs has a task of its own.
        concept: One of the twelve hues.

    Raises:
        ValueError: If there is no such hue.

    References:
        The degree is that of :func:`latent_anchors.colorspace.hue_degree`.

    Examples:
        >>> from latent_anchors.models import SphericalAutoencoder
        >>> task = turn_gray(Population.make(SphericalAutoencoder, seeds=range(2)), "red")
        >>> task.goal.tolist(), task.targets.shape
        ([[0.0, 1.0, 1.0]], torch.Size([2, 512, 3]))
    """
    grid, complement = rgb_grid(8), (hue_of(concept) + 0.5) % 1.0
    output = reconstructions(network, grid)
    degree = hue_degree(grid, complement).to(output).unsqueeze(-1)
    targets = output + degree * (GRAY - output)
    color = hsv_to_rgb(torch.tensor([[complement, 1.0, 1.0]]))
    return Task(grid, targets, color, torch.full_like(color, GRAY), grid, targets)


def of_hue(colors: Float[Tensor, "n 3"], hue: float) -> Tensor:
    """Which colors ``(n, 3)`` are not gray and have a hue, give or take 29.9 degrees."""
    hues, saturations, _ = rgb_to_hsv(colors).unbind(-1)
    return (hue_distance(hues, hues.new_tensor(hue)) < NEAR) & (saturations > 1e-6)
