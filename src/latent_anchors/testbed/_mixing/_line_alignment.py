"""How selectively a concept was anchored in lines of tokens: one record for each condition."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

from latent_anchors._checks import check_between
from latent_anchors._sites import At
from latent_anchors._vectors import as_direction
from latent_anchors.colorspace import hsv_similarity, named_colors
from latent_anchors.data import noisy_or
from latent_anchors.evaluation import Evaluation, alignment, latents_by_site, squared_correlation
from latent_anchors.testbed._mixing._answers import PROMPT
from latent_anchors.testbed._mixing._language import MixingLanguage

FIRST, SIGN, SECOND, EQUALS = range(PROMPT)
ROLES = ("first", "operation", "second", "equals")
POWER = 1.5
"""Of the similarity that grading holds cosines against."""


@dataclass(frozen=True, eq=False)
class LineAlignment:
    """Alignment of tokens with an anchor, run by run.

    Attributes:
        margin: ``(runs,)``: labeled lines' cosine above that of all lines, at the best position of
            the prompt, mean over sites.
        containment: ``(runs,)``: signed mean over colors and sites of the first operand's cosine.
        rms: ``(runs, sites, positions)``: root mean square of the cosine over all lines.
        grading: ``(runs,)``: share of the variance of the colors' mean cosines, at the first
            operand, that similarity to the concept explains; 0 if they fall with it.
        contrast: ``(runs,)``: by how much more the second operand is pulled where it bears the
            label than where the first does, mean over the sites past the first; from -1 to 1.
        weights: ``(runs, sites, positions)``: how labeled lines' pull is shared out between the
            positions of the prompt.
        latched: ``(runs,)``: whether past the first site most of it goes to ``+``, or to ``=``.

    Examples:
        >>> one = torch.ones(1)
        >>> share = torch.full((1, 2, 4), 0.25)
        >>> LineAlignment(one, one, share, one, one, share, one > 1).evaluation()["rms/equals"]
        tensor([0.2500])
    """

    margin: Float[Tensor, " runs"]
    containment: Float[Tensor, " runs"]
    rms: Float[Tensor, "runs sites positions"]
    grading: Float[Tensor, " runs"]
    contrast: Float[Tensor, " runs"]
    weights: Float[Tensor, "runs sites prompt"]
    latched: Bool[Tensor, " runs"]

    def evaluation(self) -> Evaluation:
        """One number per run of each; ``rms/<role>`` is that of the worst site.

        Examples:
            >>> one, share = torch.ones(1), torch.full((1, 2, 4), 0.25)
            >>> [*LineAlignment(one, one, share, one, one, share, one > 1).evaluation()][:3]
            ['margin', 'containment', 'grading']
        """
        whole = {name: getattr(self, name) for name in ("margin", "containment", "grading")}
        worst = self.rms[..., :PROMPT].amax(1).unbind(1)
        rms = {f"rms/{role}": value for role, value in zip(ROLES, worst, strict=True)}
        return Evaluation({**whole, "contrast": self.contrast, **rms, "latched": self.latched})


def line_alignment(
    cosines: Float[Tensor, "runs sites lines positions"],
    language: MixingLanguage,
    pairs: Int[Tensor, "lines 2"],
    chance: Float[Tensor, " colors"],
    concept: str,
    temperature: float = 0.1,
) -> LineAlignment:
    r"""Margin, containment, grading, contrast and weights of a concept's anchor.

    .. math:: m = \operatorname{mean}_\ell \max_{t \in S} \Big( \sum_n w_n c_{\ell n t} -
        \operatorname{mean}_n c_{\ell n t} \Big), \qquad
        \pi_{\ell n t} = \operatorname{softmax}_{t \in S} (c_{\ell n t} / \tau)

    with the ``cosines`` :math:`c` at site :math:`\ell`, line n and position t, the prompt
    :math:`S`, the ``temperature`` :math:`\tau`, and :math:`w_n` in proportion to the chance that
    a line is labeled, which it is if either operand draws its label.

    Args:
        cosines: ``(runs, sites, lines, positions)``, the first four positions ``a + b =``.
        language: Whose colors these are.
        pairs: The lines' operands ``(lines, 2)``.
        chance: That a color draws the label ``(colors,)``, from 0 to 1.
        concept: The color that grading compares with; one of the named ones.
        temperature: Of the soft minimum that lines are pooled with, above 0.

    Returns:
        The record, every number run by run.

    Raises:
        ValueError: If there are fewer positions than a prompt has, a single site, other pairs than
            lines, chances under which no line can be labeled by one operand alone, no
            such color, or the temperature is not from 1e-12 to 1e12.

    References:
        The measures of ``sca2`` (2026); root mean squares by position are ours.

    Examples:
        >>> language = MixingLanguage(levels=3)
        >>> pairs, red = language.pairs(), (torch.arange(27) == 18).float()
        >>> at_red = (language.lines(pairs) == 18).float()[None, None].expand(1, 2, -1, -1)
        >>> found = line_alignment(at_red, language, pairs, red, "red")
        >>> found.latched, found.contrast.round(decimals=2)
        (tensor([False]), tensor([1.]))
    """
    check_between("The temperature", temperature, 1e-12, 1e12)
    alike = hsv_similarity(language.colors, named_colors(concept)[0]) ** POWER
    _check_lines(cosines, pairs)
    first, second = chance.to(cosines)[pairs].unbind(1)
    labeled, only_first, only_second = (
        _shares(weight)
        for weight in (noisy_or(first, second), first * (1 - second), second * (1 - first))
    )
    prompt = cosines[..., :PROMPT]
    pull = (prompt / temperature).softmax(-1)
    weights = _weighed(pull, labeled)
    lines = pairs[:, 0].bincount(minlength=len(alike))
    by_color = _by_color(prompt[..., FIRST], pairs[:, 0], lines)
    graded = by_color.mean(1)
    return LineAlignment(
        margin=(_weighed(prompt, labeled) - prompt.mean(-2)).amax(-1).mean(-1),
        containment=by_color.mean((1, 2)),
        rms=cosines.square().mean(-2).sqrt(),
        grading=squared_correlation(graded, alike[lines > 0].to(graded).expand_as(graded)),
        contrast=_weighed(pull, only_second)[:, 1:, SECOND].mean(-1)
        - _weighed(pull, only_first)[:, 1:, SECOND].mean(-1),
        weights=weights,
        latched=~(weights[:, 1:, [SIGN, EQUALS]] <= 0.5).flatten(1).all(1),  # NaN, too
    )


def _weighed(values: Tensor, shares: Tensor) -> Float[Tensor, "runs sites positions"]:
    return torch.einsum("rslt,l->rst", values, shares)


def _by_color(cosines: Tensor, colors: Tensor, lines: Tensor) -> Float[Tensor, "runs sites colors"]:
    """Mean over the lines that begin with each color that any line begins with."""
    sums = cosines.new_zeros(*cosines.shape[:2], len(lines)).index_add(2, colors, cosines)
    return (sums / lines.clamp(min=1))[..., lines > 0]


def _shares(weights: Tensor) -> Tensor:
    if not float(weights.sum()) > 0:
        raise ValueError(
            "No line can be labeled for the sake of one operand alone; expected chances from 0 to "
            "1, above 0 for some color and below 1 for some, such as 0.04 * degree**8."
        )
    return weights / weights.sum()


def _check_lines(cosines: Tensor, pairs: Tensor) -> None:
    _, sites, lines, positions = cosines.shape
    if sites < 2 or lines != len(pairs) or positions < PROMPT:
        raise ValueError(
            f"There are {lines} lines of {positions} positions at {sites} sites, and {len(pairs)} "
            f"pairs; expected a pair for each line, at least the {PROMPT} positions of 'a + b =', "
            "and two sites or more."
        )


AT_ONCE = 4096
"""Lines in one pass, so that the latents of all lines need not be held."""


def line_cosines(
    model: nn.Module,
    lines: Int[Tensor, "lines positions"],
    direction: Sequence[float] | Tensor,
    at: Sequence[At],
) -> Float[Tensor, "runs sites lines positions"]:
    """Cosine between an anchor and each token's latent, in evaluation mode.

    Args:
        model: A model (one run) or a population, from tokens to anything; edits in force count.
        lines: Tokens ``(lines, positions)``.
        direction: The anchor ``(dim,)``.
        at: The sites, from the first to the last.

    Returns:
        ``(runs, sites, lines, positions)``, from -1 to 1, on the CPU.

    Raises:
        ValueError: If a site does not exist, or the direction is zero or not finite.
        RuntimeError: If a site never ran.

    Examples:
        >>> model = nn.Sequential(nn.Embedding.from_pretrained(torch.tensor([[1.0, 0], [0, 2]])))
        >>> line_cosines(model, torch.tensor([[0, 1, 1]]), [1, 0], at=["0"]).tolist()
        [[[[1.0, 0.0, 0.0]]]]
    """
    anchor = as_direction(direction)
    found: list[Tensor] = []
    for some in torch.split(lines, AT_ONCE):
        z = latents_by_site(model, some, at)
        found.append(torch.stack([alignment(z[site], anchor).cpu() for site in at], dim=1))
    return torch.cat(found, dim=2)
