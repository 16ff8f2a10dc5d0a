"""What rivals on colors are given: labels that are rare or wrong, a task, gates, a fallback."""

from collections.abc import Sequence
from functools import partial

import torch
from jaxtyping import Float
from torch import Tensor, nn

from latent_anchors._checks import check_between, check_count
from latent_anchors._numerics import dot
from latent_anchors._typing import Direction, Latents
from latent_anchors._vectors import as_direction
from latent_anchors.baselines import Task
from latent_anchors.colorspace import rgb_grid
from latent_anchors.curriculum import read_dopesheet
from latent_anchors.data import BernoulliLabels, LabeledBatch, RareLabels, Sampler
from latent_anchors.interventions import Edit
from latent_anchors.testbed._color_recipes import POLE_SHEET, pole_chances

FALLBACK = 0.1
"""The weight of the fallback, which is the greatest that it has in the recipe of the pole."""


def rare_labels_sampler(concept: str, rate: float = 1.0, wrong: float = 0.0) -> Sampler:
    r"""The colors of :func:`pole_sampler`, with labels for a hue that are rarer, or wrong.

    .. math:: p = (1 - w) \, r \, d^{12} + w \, \overline{r \, d^{12}}

    is the chance of a label each time a color of degree :math:`d` is sampled, with the ``rate``
    :math:`r` and the share :math:`w` of labels that are ``wrong``, on any color.

    Args:
        concept: Name of the hue, which is the label's, too.
        rate: How often the pure hue is labeled, above 0 and at most 1.
        wrong: From 0 to 1.

    Raises:
        ValueError: If there is no such hue, or a number is out of its range.

    References:
        The labels of the color experiments of ``ex-preppy`` (2025); Shilov et al., "Beyond data
        filtering", 2025, vary how many labels are missing.

    Examples:
        >>> rare_labels_sampler("red", rate=0.1).labels["red"].probability.max()
        tensor(0.1000)
    """
    return _labeled_sampler([concept], concept, rate, wrong)


def repeated_labels(
    concept: str, rate: float = 1.0, wrong: float = 0.0, steps: int = 3000
) -> RareLabels:
    """The labels of :func:`rare_labels_sampler` for the recipe of the pole, and its other ones.

    Those for the opposite hue, vivid colors and grays are as rare and as wrong. Each kind is drawn
    as often as in :func:`pole_sampler`, so that the recipe needs no other weights. Vivid reds bring
    both labels: with labels that are not rare, red comes up to a tenth more often than there.

    Args:
        concept: Name of the hue, which is the label's, too.
        rate: How often the pure hue is labeled, above 0 and at most 1.
        wrong: From 0 to 1.
        steps: Of the training.

    Raises:
        ValueError: If there is no such hue, there is no step, or a number is out of its range.

    Examples:
        >>> sorted(repeated_labels("red", rate=0.01).often)
        ['gray', 'opposite', 'red', 'vibrant']
    """
    often = {name: float(chance.mean()) for name, chance in pole_chances(concept).items()}
    return RareLabels(_labeled_sampler([*often], concept, rate, wrong), steps, often)


def samples_seen(batches: Sampler, seed: int, steps: int) -> LabeledBatch:
    """All samples of a run as one batch, in the order in which they are drawn.

    Args:
        batches: Where they come from.
        seed: The run's.
        steps: How many batches.

    Examples:
        >>> samples_seen(rare_labels_sampler("red"), seed=0, steps=5).inputs.shape
        torch.Size([320, 3])
    """
    drawn = [batches.batch(seed, step) for step in range(steps)]
    labels = {name: torch.cat([each.labels[name] for each in drawn]) for name in drawn[0].labels}
    return LabeledBatch(torch.cat([each.inputs for each in drawn]), labels)


def color_task(
    concept: str, batches: Sampler, seed: int, steps: int = 3000, rate: float | None = None
) -> Task:
    """What a rival on colors is given, with a ``SphericalAutoencoder`` of four dimensions.

    The loss is that of the recipe of the pole without its terms: reconstruction, and mid-gray at
    the origin of the latents.

    Args:
        concept: The label's name.
        batches: Such as :func:`rare_labels_sampler`.
        seed: The run's.
        steps: How many.
        rate: The learning rate from which it falls to 0; that of the recipe's schedule if None.

    Raises:
        ValueError: If there is no step, or the rate is not from 0 to 1.

    Examples:
        >>> color_task("red", rare_labels_sampler("red"), seed=0, steps=4, rate=0.01).rate(2)
        0.005
    """
    check_count("steps", steps)
    if rate is not None:
        check_between("rate", rate, 0.0, 1.0)
    row = read_dopesheet(POLE_SHEET).timeline()
    rates = [
        row(step)["lr"] if rate is None else rate * (1 - step / steps) for step in range(steps)
    ]
    drawn, adam = partial(batches.batch, seed), partial(torch.optim.Adam, fused=True)
    return Task(_loss, drawn, concept, steps, seed, adam, rates.__getitem__)


def gated_edits(
    direction: Direction,
    latents: Latents,
    shares: Sequence[float],
    edit: Edit | None = None,
) -> list[Edit]:
    """Edits of what reads most along a direction, from weak to strong; the rest is unchanged.

    Args:
        direction: ``(dim,)``, of any length; a latent reads its inner product with it.
        latents: Of all colors ``(n, dim)``.
        shares: Which share of them each is to act on, above 0, at most 1; one latent at least, and
            those that read as much as the last one.
        edit: What is done to them; they are sent to the origin if None.

    Raises:
        ValueError: If a share is out of its range, the direction is zero, or the latents are those
            of a population, which has a gate for each run.

    Examples:
        >>> z = torch.tensor([[0.0], [2.0], [4.0]])
        >>> edits = gated_edits(torch.tensor([1.0]), z, shares=[1 / 3, 2 / 3])
        >>> [each(z).flatten().tolist() for each in edits]
        [[0.0, 2.0, 0.0], [0.0, 0.0, 0.0]]
    """
    for share in shares:
        check_between("share", share, 1e-9, 1.0)
    if latents.ndim != 2:
        raise ValueError(
            f"The latents have shape {tuple(latents.shape)}; expected (n, dim), those of one run. "
            "Write [gated_edits(direction, z, ...) for z in latents]."
        )
    v = as_direction(direction)
    reads = dot(latents, v).sort(descending=True).values
    least = [reads[max(round(share * len(reads)), 1) - 1] for share in shares]
    return [partial(_gated, direction=v, least=each, edit=edit) for each in least]


def say_gray(model: nn.Module, batch: LabeledBatch) -> Float[Tensor, " batch"]:
    """How far outputs are from mid-gray: a fallback for fine-tuning.

    Args:
        model: An autoencoder of colors.
        batch: Colors.

    Examples:
        >>> say_gray(nn.Identity(), LabeledBatch(torch.ones(1, 3)))
        tensor([0.2500])
    """
    return (model(batch.inputs) - 0.5).square().mean(-1)


def _labeled_sampler(names: Sequence[str], concept: str, rate: float, wrong: float) -> Sampler:
    check_between("rate", rate, 1e-9, 1.0)
    check_between("wrong", wrong, 0.0, 1.0)
    chances = pole_chances(concept, often=1.0)
    scaled = {name: rate * chances[name] for name in names}
    labels = {n: BernoulliLabels((1 - wrong) * p + wrong * p.mean()) for n, p in scaled.items()}
    return Sampler(rgb_grid(8), labels, batch_size=64)


def _gated(z: Latents, direction: Direction, least: Tensor, edit: Edit | None) -> Latents:
    reads_enough = (dot(z, direction) >= least).unsqueeze(-1)
    return torch.where(reads_enough, torch.zeros_like(z) if edit is None else edit(z), z)


def _loss(model: nn.Module, batch: LabeledBatch) -> Float[Tensor, " batch"]:
    gray = (model.get_submodule("decoder")(torch.zeros(1, 4)) - 0.5).square().mean()
    return (model(batch.inputs) - batch.inputs).square().mean(-1) + FALLBACK * gray
