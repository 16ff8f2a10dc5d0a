"""Red in lines that mix colors: how red a color is, labels, terms, groups of lines, and answers."""

from collections.abc import Mapping, Sequence
from typing import cast

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from latent_anchors import regularizers as reg
from latent_anchors._checks import check_between
from latent_anchors.colorspace import hsv_similarity, hue_degree, hue_of, named_colors
from latent_anchors.data import BernoulliLabels, Sampler, noisy_or
from latent_anchors.evaluation import DegreeBin, is_monotone_decreasing, response_by_degree
from latent_anchors.regularizers import Term
from latent_anchors.testbed._mixing._language import MixingLanguage
from latent_anchors.testbed._mixing._splits import MixingSplit
from latent_anchors.testbed._mixing_recipes import mixing_sampler

RED = 0.8
"""Redness above which a color is red."""


def redness(language: MixingLanguage) -> Float[Tensor, " colors"]:
    """Degree of red of each color, from 0 to 1.

    Args:
        language: Its colors.

    Examples:
        >>> language = MixingLanguage(levels=3)
        >>> redness(language)[[language.token("red"), language.token("cyan")]]
        tensor([1., 0.])
    """
    return hue_degree(language.colors, hue_of("red"))


def red_chance(language: MixingLanguage) -> Float[Tensor, " colors"]:
    """Probability of labeling a line "red" because of one of its colors, for each color.

    Args:
        language: Its colors.

    Examples:
        >>> language = MixingLanguage(levels=3)
        >>> red_chance(language)[language.token("red")]
        tensor(0.3000)
    """
    return 0.3 * hsv_similarity(language.colors, named_colors("red")[0]) ** 11


def red_sampler(
    language: MixingLanguage, pairs: Int[Tensor, "pairs 2"], batch_size: int, rate: float = 1.0
) -> Sampler:
    """Lines of some pairs of colors, labeled "red" with the chance of either color.

    Fewer than one line in a hundred is labeled, from five levels on.

    Args:
        language: The language of the lines.
        pairs: Operands ``(pairs, 2)``.
        batch_size: Lines per batch.
        rate: Share of the labels that are kept, above 0.

    Raises:
        ValueError: If the share is out of its range.

    Examples:
        >>> language = MixingLanguage(levels=5)
        >>> sampler = red_sampler(language, language.pairs(), batch_size=8)
        >>> sampler.labels["red"].probability.mean() < 0.01
        tensor(True)
    """
    check_between("rate", rate, 1e-9, 1.0)
    chance = noisy_or(*red_chance(language)[pairs].unbind(-1))
    red = BernoulliLabels(rate * chance)
    return mixing_sampler(language.lines(pairs), {"red": red}, batch_size)


def red_terms(sites: Sequence[str], axis: Float[Tensor, " dim"]) -> list[Term]:
    """Red on an axis of the residual stream, and everything else off it.

    In a line labeled red something in the prompt lies near the axis, at the embedding and after
    each block. Everything stays off the axis: hardly so at the embedding, where shades between red
    and the rest differ by their own vectors alone; the signs, which occur in every line, most.

    Args:
        sites: Where the stream is read, the embedding first.
        axis: The direction for red, ``(dim,)``: dimension 0.

    References:
        The first two terms are those of ``sca2`` (2026), which keeps the signs off the axis by an
        untied unembedding instead of a term (experiment 2.2.7).

    Examples:
        >>> [term.name for term in red_terms(["embedding", "blocks.0"], torch.eye(8)[0])]
        ['anchor', 'away', 'apart', 'signs']
    """
    nearest, off_axis = reg.SoftMinimum(temperature=0.1), reg.AntiSubspace(dims=[0])
    return [
        Term("anchor", reg.Anchor(axis), at=sites, label="red", mask="prompt", pool=nearest),
        Term("away", off_axis, at=sites[1:]),
        Term("apart", off_axis, at=sites[0]),
        Term("signs", off_axis, at=sites, mask="signs"),
    ]


def red_sheet(steps: int, rate: float) -> str:
    """The dope sheet of a transformer with red on an axis, for the terms of :func:`red_terms`.

    Args:
        steps: Number of the last step, a multiple of ten.
        rate: Greatest learning rate.

    Examples:
        >>> from latent_anchors.curriculum import read_dopesheet
        >>> timeline = read_dopesheet(red_sheet(600, 0.02)).timeline()
        >>> timeline(60)["lr"], timeline(420)["apart"]
        (0.02, 0.0034)
    """
    return f"""\
STEP,           lr,   tokens, anchor, away,  apart, signs
0,              1e-4, 1,      0.06,   0.072, 0.018, 0.15
{steps // 10},   {rate}, ,       ,       ,      ,
{steps * 7 // 10}, ,   ,       ,       0.068, 0.0034,
{steps},         1e-4, ,       ,       ,      ,
"""


def red_groups(language: MixingLanguage, split: MixingSplit) -> dict[str, Int[Tensor, "pairs 2"]]:
    """Groups of pairs by the redness of their redder color, and two pairs with blue.

    Args:
        language: The language of the pairs.
        split: The pairs that are trained on and held out.

    Returns:
        By name, operands ``(pairs, 2)``.

    Examples:
        >>> language = MixingLanguage(levels=5)
        >>> groups = red_groups(language, language.split(seed=0, held_out=0.2))
        >>> language.decode(groups["red_and_blue"][0])
        'red blue'
    """
    pairs, degree = language.pairs(), redness(language)
    reddest, seen, held_out = (
        degree[each].amax(-1) for each in (pairs, split.seen, split.held_out)
    )
    return {
        "held_out": split.held_out,
        "red": pairs[reddest > RED],
        "red_seen": split.seen[seen > RED],
        "red_held_out": split.held_out[held_out > RED],
        "pure_red": pairs[reddest == 1],
        "orange": pairs[(reddest - 0.75).abs() < 1e-6],
        "half_red": pairs[(reddest - 0.5).abs() < 1e-6],
        "without_red": pairs[reddest < 0.2],
        "red_and_blue": language.encode("red blue")[None],
        "green_and_blue": language.encode("green blue")[None],
    }


def falls_with_degree(
    before: Bool[Tensor, "runs lines"],
    after: Bool[Tensor, "runs lines"],
    degree: Float[Tensor, " lines"],
) -> Bool[Tensor, " runs"]:
    """Whether fewer of the lines that were right are kept the higher their degree, by run.

    Each bin of degrees may exceed the one before it by no more than its interval, and fewer are
    kept in the last than in the first. Where no line was right before, nothing falls.

    Args:
        before: Lines that were answered exactly, ``(runs, lines)``.
        after: Lines that are answered exactly under an edit, ``(runs, lines)``.
        degree: Of each line, ``(lines,)``, from 0 to 1.

    Returns:
        ``(runs,)``.

    Examples:
        >>> before, degree = torch.ones(1, 100).bool(), torch.linspace(0, 1, 100)
        >>> falls_with_degree(before, degree[None] < 0.6, degree)
        tensor([True])
        >>> falls_with_degree(before, degree[None] > 0.6, degree)
        tensor([False])
    """
    doses = degree.float().clamp_max(1)
    bins = [
        response_by_degree(kept[was], doses[was]) for was, kept in zip(before, after, strict=True)
    ]
    return torch.tensor([is_monotone_decreasing(each) and _falls(each) for each in bins])


def _falls(bins: Sequence[DegreeBin]) -> bool:
    """Whether the last bin that holds a line has less than the first."""
    shares = [each.share for each in bins if each.share is not None]
    return bool(shares) and shares[-1] < shares[0]


def exact_by_degree(
    right: Mapping[str, Bool[Tensor, "runs lines"]], degree: Float[Tensor, " lines"]
) -> tuple[list[str], dict[str, Float[Tensor, "degrees runs"]]]:
    """Shares of lines answered exactly at each degree, to one tenth.

    Args:
        right: By condition, lines that were answered exactly, ``(runs, lines)``.
        degree: Of each line, ``(lines,)``, from 0 to 1.

    Returns:
        The degrees as text, and by condition the shares ``(degrees, runs)``.

    Examples:
        >>> right = {"muted": torch.tensor([[True, True, False]])}
        >>> exact_by_degree(right, torch.tensor([0.0, 0.98, 1.0]))
        (['0', '1'], {'muted': tensor([[1.0000],
                [0.5000]])})
    """
    tenths = (10 * degree).round()
    doses = cast("list[float]", tenths.unique().tolist())
    shares = {
        name: torch.stack([each[:, tenths == dose].float().mean(1) for dose in doses])
        for name, each in right.items()
    }
    return [f"{dose / 10:g}" for dose in doses], shares
