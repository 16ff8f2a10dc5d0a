"""Leakage from lines of tokens: how much of a concept can still be read off a color's latents."""

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from latent_anchors._checks import check_name
from latent_anchors._sites import At
from latent_anchors._streams import stream
from latent_anchors.audits import linear_probe
from latent_anchors.audits._leakage import of_finite
from latent_anchors.audits._probes import r_squared
from latent_anchors.colorspace import HUES, hue_degree, hue_of
from latent_anchors.evaluation import Evaluation, latents
from latent_anchors.models import Population
from latent_anchors.testbed._mixing._language import MixingLanguage

FOLDS = 5
"""Parts of the colors; each is read by a probe that learned from the others."""


def line_leakage(model: nn.Module, language: MixingLanguage, concept: str, at: At) -> Evaluation:
    r"""How much of a concept's degree can be read off the first color of a line, at a site.

    A linear probe learns from four fifths of the colors and reads the last, each in turn: R² over
    all, at most 1. Nothing stands before the first token, so that this is all that the stream holds
    of the color. Redness is part of what a color is, whether or not anyone kept a place for it; so
    beside ``leakage/linear`` stand

    * ``/shuffled``: the same of latents that are shuffled among the colors; chance;
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
        >>> [*found], bool(found["leakage/linear/floor"] > 0.5)
        (['leakage/linear', 'leakage/linear/shuffled', 'leakage/linear/floor'], True)
    """
    check_name("hue", concept, tuple(HUES))
    colors, degree = language.colors, hue_degree(language.colors, hue_of(concept))
    z = latents(model, torch.arange(len(colors)).unsqueeze(1), at)[..., 0, :].cpu()
    seeds = model.seeds if isinstance(model, Population) else (0,) * len(z)
    mixed_up = torch.stack(
        [run[_shuffled(len(run), seed)] for run, seed in zip(z, seeds, strict=True)]
    )
    known = {"": z, "/shuffled": mixed_up, "/floor": colors[None].to(z)}
    found = {
        f"linear{name}": r_squared(_predicted(held, degree.to(z)), degree.to(z))
        for name, held in known.items()
    }
    return of_finite(found, z)


def _predicted(
    z: Float[Tensor, "runs n dim"], degree: Float[Tensor, " n"]
) -> Float[Tensor, "runs n"]:
    """Predictions of each color by a probe that has not seen it."""
    fold, said = _shuffled(len(degree), 0) % FOLDS, z.new_zeros(z.shape[:2])
    for k in range(FOLDS):
        new = fold == k
        said[:, new] = linear_probe(z[:, ~new], degree[~new, None], z[:, new])[..., 0]
    return said


def _shuffled(n: int, seed: int) -> Int[Tensor, " n"]:
    return torch.randperm(n, generator=stream(seed, "shuffled colors"))
