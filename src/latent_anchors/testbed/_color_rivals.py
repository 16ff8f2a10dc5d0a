"""What rivals on colors are given: labels that are rare or wrong, a task, gates, a fallback."""

from collections.abc import Callable, Sequence
from functools import partial
from math import ceil

import torch
from jaxtyping import Float
from torch import Tensor, nn

from latent_anchors._checks import check_between, check_count
from latent_anchors._numerics import dot
from latent_anchors._supervision import Given
from latent_anchors._typing import Latents
from latent_anchors.baselines import Found, Task
from latent_anchors.colorspace import rgb_grid
from latent_anchors.curriculum import read_dopesheet
from latent_anchors.data import BernoulliLabels, LabeledBatch, Sampler
from latent_anchors.testbed._color_recipes import POLE_SHEET, pole_chances

FALLBACK = 0.1
"""The weight of the fallback, which is the greatest that it has in the recipe of the pole."""


def rare_labels_sampler(
    concept: str, rate: float = 1.0, wrong: float = 0.0, anchored: bool = False
) -> Sampler:
    r"""The colors of :func:`pole_sampler`, with labels for a hue that are rarer, or wrong.

    .. math:: p = (1 - w) \, r \, d^{12} + w \, \overline{r \, d^{12}}

    is the chance of a label each time a color of degree :math:`d` is sampled, with the ``rate``
    :math:`r` and the share :math:`w` of labels that are ``wrong``, on any color. The colors that
    are drawn, and the labels for the hue, are the same whether ``anchored`` or not.

    Args:
        concept: Name of the hue, which is the label's, too.
        rate: How often the pure hue is labeled, above 0 and at most 1.
        wrong: From 0 to 1.
        anchored: Whether there are the recipe's other labels, too, for the opposite hue, vivid
            colors and grays; they are as rare and as wrong.

    Raises:
        ValueError: If there is no such hue, or a number is out of its range.

    References:
        The labels of the color experiments of ``ex-preppy`` (2025); Shilov et al., "Beyond data
        filtering", 2025, vary how many labels are missing.

    Examples:
        >>> rare_labels_sampler("red", rate=0.1).labels["red"].probability.max()
        tensor(0.1000)
    """
    check_between("rate", rate, 1e-9, 1.0)
    check_between("wrong", wrong, 0.0, 1.0)
    scaled = {name: rate * each for name, each in pole_chances(concept, often=1.0).items()}
    kept = scaled if anchored else {concept: scaled[concept]}
    labels = {n: BernoulliLabels((1 - wrong) * p + wrong * p.mean()) for n, p in kept.items()}
    return Sampler(rgb_grid(8), labels, batch_size=64)


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
    found: Found, latents: Latents, labels: Given, shares: Sequence[float], erased: bool = False
) -> list[Callable[[Latents], Latents]]:
    """Edits that act on what reads most along a direction that was found, from weak to strong.

    Args:
        found: The direction, and what erases along it.
        latents: Of samples ``(n, dim)``.
        labels: Which of them are labeled ``(n,)``.
        shares: How many of the labeled latents each gate is to let through, above 0, at most 1.
        erased: Whether what is let through is erased, or sent to the origin.

    Raises:
        ValueError: If a share is out of its range, or nothing is labeled.

    Examples:
        >>> from latent_anchors.baselines import mean_difference
        >>> z, labels = torch.tensor([[0.0], [2.0], [4.0]]), torch.tensor([0, 1, 1])
        >>> edits = gated_edits(mean_difference(z, labels), z, labels, [0.5, 1.0])
        >>> [edit(z).flatten().tolist() for edit in edits]
        [[0.0, 2.0, 0.0], [0.0, 0.0, 0.0]]
    """
    reads = dot(latents, found.direction)[torch.as_tensor(labels) > 0].sort().values
    if not len(reads):
        raise ValueError("No latent is labeled; expected one at least, to set the gates by.")
    for share in shares:
        check_between("share", share, 1e-9, 1.0)
    least = [reads[len(reads) - ceil(share * len(reads))] for share in shares]
    return [partial(_gated, found=found, least=each, erased=erased) for each in least]


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


def _gated(z: Latents, found: Found, least: Tensor, erased: bool) -> Latents:
    reads_enough = (dot(z, found.direction) >= least).unsqueeze(-1)
    return torch.where(reads_enough, found.edit(z) if erased else torch.zeros_like(z), z)


def _loss(model: nn.Module, batch: LabeledBatch) -> Float[Tensor, " batch"]:
    gray = (model.get_submodule("decoder")(torch.zeros(1, 4)) - 0.5).square().mean()
    return (model(batch.inputs) - batch.inputs).square().mean(-1) + FALLBACK * gray
