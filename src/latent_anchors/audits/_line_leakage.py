"""Leakage from lines of tokens: how much of a concept can still be read off a color's latents."""

from jaxtyping import Int
from torch import Tensor, nn

from latent_anchors._checks import check_name
from latent_anchors._sites import At
from latent_anchors.audits._leakage import probe_degrees
from latent_anchors.colorspace import HUES, hue_degree, hue_of
from latent_anchors.data import MixingLanguage
from latent_anchors.evaluation import Evaluation, line_latents
from latent_anchors.models import Population


def line_leakage(model: nn.Module, language: MixingLanguage, concept: str, at: At) -> Evaluation:
    r"""How much of a concept's degree can be read off the first color of a line, at a site.

    Of the colors, every second one teaches a probe, the others are told: R², at most 1. Nothing
    stands before the first token, so that this is all that the stream holds of the color. Redness
    is part of what a color is, whether or not anyone kept a place for it; so beside
    ``leakage/linear`` and ``leakage/nonlinear`` stand

    * ``/shuffled``: learnt from shuffled degrees; chance;
    * ``/floor``: the same probe on the raw RGB values.

    Args:
        model: A model (one run) or a population, from tokens to anything; edits in force count.
        language: Whose tokens these are.
        concept: One of the twelve hues.
        at: The site, such as ``"embedding"``.

    Returns:
        By name ``(runs,)``.

    Raises:
        ValueError: If there is no such hue or site.
        RuntimeError: If the site never ran.

    References:
        Alain and Bengio, "Understanding intermediate layers using linear classifier probes", 2016.

    Examples:
        >>> from latent_anchors.models import NormalizedTransformer
        >>> language = MixingLanguage(levels=5)
        >>> model = NormalizedTransformer(len(language.vocabulary), 16, 1, 2, 32)
        >>> found = line_leakage(model, language, "red", "embedding")
        >>> sorted(found)[:2], bool(found["leakage/linear/floor"] > 0.5)
        (['leakage/linear', 'leakage/linear/floor'], True)
    """
    check_name("hue", concept, tuple(HUES))
    degree, colors = hue_degree(language.colors, hue_of(concept)), language.colors
    taught, told = _halves(language)
    tokens = language.encode(" ".join(language.vocabulary[: len(colors)])).unsqueeze(1)
    seeds = model.seeds if isinstance(model, Population) else (0,)
    z, z_new = (line_latents(model, tokens[half], at)[..., 0, :] for half in (taught, told))
    found = dict(probe_degrees(z, degree[taught].to(z), z_new, degree[told].to(z), seeds))
    floor = probe_degrees(colors[taught][None], degree[taught], colors[told][None], degree[told])
    found |= {f"{name}/floor": floor[name] for name in ("linear", "nonlinear")}
    return Evaluation({f"leakage/{k}": score.to(z).expand(len(z)) for k, score in found.items()})


def _halves(language: MixingLanguage) -> tuple[Int[Tensor, " n"], Int[Tensor, " m"]]:
    """Colors whose levels add up to an even number, and the others: a checkerboard in RGB."""
    odd = (language.colors * (language.levels - 1)).sum(-1).round() % 2
    return (odd == 0).nonzero()[:, 0], (odd == 1).nonzero()[:, 0]
