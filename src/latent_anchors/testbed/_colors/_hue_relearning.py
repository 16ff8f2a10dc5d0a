"""Relearning: how soon fine-tuning brings a removed concept back."""

from collections.abc import Collection, Mapping, Sequence

import torch
from jaxtyping import Float
from torch import Tensor

from latent_anchors._checks import check_count, check_name, listed
from latent_anchors.audits import Relearning
from latent_anchors.audits._lessons import Lesson
from latent_anchors.audits._races import race
from latent_anchors.audits._starts import as_it_is, fresh, starts
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
from latent_anchors.evaluation import Evaluation
from latent_anchors.models import Population
from latent_anchors.testbed._colors._color_errors import reconstructions

FEW = 4
"""How many colors of the concept are shown where they are few."""

PARTS = ("encoder", "decoder")
EDITED, FRESH, UNTAUGHT, ORIGINAL = "edited", "fresh", "untaught", "original"
CONTROL = "control"
SHOWN = {"few": FEW, "without": 0}


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
    part re-initialized, layers rescaled to the fresh ones' norms. Who is not there within 10 times
    the median of the fresh counts as that, and is noted as censored. Measures are named

    * ``relearning/ratio``, ``/at_least_one`` and ``/censored``, all colors being shown;
    * ``relearning/ratio/few`` and ``/without``: 4 or none of the concept's colors being shown, to
      edited and fresh networks alike, within the same limit;
    * ``relearning/ratio_NAME``: T(edited) in relation to the ``untaught`` and to each of
      ``against``;
    * ``relearning/control``: the edited network's steps in relation to the ``original``'s, both
      taught by the same attacker to say gray for the complementary hue and else what they say
      already: a network that nobody can teach anything has forgotten nothing;
    * ``relearning/steps/NETWORK``, with ``/few``, ``/without`` and ``/control``: T itself.

    Args:
        edited: Networks from whose weights the concept was removed.
        concept: One of the twelve hues.
        untaught: Networks that never learnt it; attacked as they are, as fresh ones are.
        original: The networks before the edit, for the control.
        against: Other edited networks by name, attacked as the edited ones are: without an anchor
            and with the same surgery, or erased by a fitted eraser.
        parts: Names of the parts that an attacker may re-initialize.
        limit: Steps after which an attacker gives up; 10 times the median of the fresh if None.

    Raises:
        ValueError: If there is no such hue or part, if networks differ in their seeds, if a name
            is taken, or if an edit is in force that the weights know nothing of.
        TypeError: If a layer does not tell how to make new weights.
        RuntimeError: If fresh networks do not learn the concept either.

    References:
        The rebound of unlearnt knowledge under fine-tuning: Lynch et al., "Eight methods to
        evaluate robust unlearning in LLMs", 2024.

    Examples:
        >>> from latent_anchors.interventions import Suppression, intervene
        >>> from latent_anchors.models import SphericalAutoencoder
        >>> population = Population.make(SphericalAutoencoder, seeds=range(2))
        >>> with intervene(population, Suppression([1, 0, 0, 0])):
        ...     try:  # whoever has the weights need not use the edit
        ...         hue_relearning(population, "red")
        ...     except ValueError as error:
        ...         print(str(error).split(":")[0])
        The 'edited' networks say something else than their weights do
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
    first = race(new, as_it_is(new), reconstruct(concept), limit)
    limit, least = first.limit, len(first.errors)
    full = {FRESH: first}
    for name, network in attacked.items():
        full[name] = race(network, starts(network, parts), reconstruct(concept), limit, least)
    if untaught is not None:
        full[UNTAUGHT] = race(untaught, as_it_is(untaught), reconstruct(concept), limit, least)
    races = dict(full)
    for data, shown in SHOWN.items():
        lesson = reconstruct(concept, shown)
        races[f"{FRESH}/{data}"] = race(new, as_it_is(new), lesson, limit)
        races[f"{EDITED}/{data}"] = race(edited, starts(edited, parts), lesson, limit)
    if original is not None:
        for name, network in {EDITED: edited, ORIGINAL: original}.items():
            lesson = turn_gray(network, concept)
            races[f"{name}/{CONTROL}"] = race(network, starts(network, parts), lesson, limit)
    return Relearning(
        edited.seeds,
        limit,
        _found({name: one.steps for name, one in races.items()}, limit),
        {name: one.errors for name, one in full.items()},
        {name: one.best for name, one in races.items()},
    )


def _found(arrived: Mapping[str, Tensor], limit: float) -> Evaluation:
    """Ratios of steps, each pair of networks with the same lesson."""
    steps = {name: at.clamp(max=limit) for name, at in arrived.items()}
    found: dict[str, Tensor] = {"relearning/ratio": steps[EDITED] / steps[FRESH]}
    found["relearning/at_least_one"] = found["relearning/ratio"] >= 1
    found["relearning/censored"] = arrived[EDITED].isinf()
    for data in SHOWN:
        edited = f"{EDITED}/{data}"
        found[f"relearning/ratio/{data}"] = steps[edited] / steps[f"{FRESH}/{data}"]
        found[f"relearning/censored/{data}"] = arrived[edited].isinf()
    for name in steps:
        if "/" not in name and name not in (EDITED, FRESH):
            found[f"relearning/ratio_{name}"] = steps[EDITED] / steps[name]
    if f"{EDITED}/{CONTROL}" in steps:
        edited, original = (f"{name}/{CONTROL}" for name in (EDITED, ORIGINAL))
        found["relearning/control"] = steps[edited] / steps[original]
        found["relearning/censored/control"] = arrived[edited].isinf()
    return Evaluation({**found, **{f"relearning/steps/{name}": at for name, at in steps.items()}})


def _check_names(names: Collection[str]) -> None:
    for name in names:
        if name in (EDITED, FRESH, UNTAUGHT, ORIGINAL) or "/" in name:
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
    said, by_weights = reconstructions(network, colors), reconstructions(network[:], colors)
    if not torch.allclose(said, by_weights, atol=1e-5, equal_nan=True):
        raise ValueError(
            f"The {name!r} networks say something else than their weights do: an edit is in force. "
            "Expected weights alone, as whoever has them can leave the edit out. Build it into "
            "the weights first."
        )


NEAR = 29.9 / 360
"""Turns from a hue within which colors count as its own: neighbors at 30 degrees do not."""

GRAY = 0.5


def reconstruct(concept: str, shown: int | None = None) -> Lesson:
    """Say every color of the 8x8x8 grid, the concept above all.

    Args:
        concept: One of the twelve hues.
        shown: How many colors of the concept are in the data, the strongest first: all if None, 0
            for none. Its colors are those that are not gray and nearer than 29.9 degrees in hue.
            The exam is the whole grid, whatever is shown.

    Raises:
        ValueError: If there is no such hue, or the number is negative.
        TypeError: If the number is not a whole one.

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
    return Lesson(inputs, inputs, color, color, grid, grid)


def turn_gray(network: Population, concept: str) -> Lesson:
    r"""Say gray for the concept's complement, else what the network says already.

    .. math:: y(x) = f(x) + d(x) \, (\tfrac{1}{2} - f(x))

    with what the ``network`` says before the lesson, :math:`f`, and a color's degree :math:`d` of
    the complementary hue: the pure hue turns mid-gray, others in part. Whatever an edit took or
    spoiled is to stay as it is, so that it neither helps nor hinders.

    Args:
        network: Each of its runs has a lesson of its own.
        concept: One of the twelve hues.

    Raises:
        ValueError: If there is no such hue.

    References:
        The degree is that of :func:`latent_anchors.colorspace.hue_degree`.

    Examples:
        >>> from latent_anchors.models import SphericalAutoencoder
        >>> lesson = turn_gray(Population.make(SphericalAutoencoder, seeds=range(2)), "red")
        >>> lesson.goal.tolist(), lesson.targets.shape
        ([[0.0, 1.0, 1.0]], torch.Size([2, 512, 3]))
    """
    grid, complement = rgb_grid(8), (hue_of(concept) + 0.5) % 1.0
    said = reconstructions(network, grid)
    degree = hue_degree(grid, complement).to(said).unsqueeze(-1)
    targets = said + degree * (GRAY - said)
    color = hsv_to_rgb(torch.tensor([[complement, 1.0, 1.0]]))
    return Lesson(grid, targets, color, torch.full_like(color, GRAY), grid, targets)


def of_hue(colors: Float[Tensor, "n 3"], hue: float) -> Tensor:
    """Which colors ``(n, 3)`` are not gray and have a hue, give or take 29.9 degrees."""
    hues, saturations, _ = rgb_to_hsv(colors).unbind(-1)
    return (hue_distance(hues, hues.new_tensor(hue)) < NEAR) & (saturations > 1e-6)
