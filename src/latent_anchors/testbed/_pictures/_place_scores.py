"""How well places of pictures are reconstructed: near a hue, away from it, and by hue."""

from collections.abc import Mapping

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from latent_anchors._checks import check_count
from latent_anchors.colorspace import hue_distance, rgb_to_hsv
from latent_anchors.evaluation import Evaluation
from latent_anchors.testbed._pictures._places import GRAY, VIVID, Places, place_errors


def evaluate_places(
    places: Places,
    outputs: Mapping[str, Float[Tensor, "runs n 3 height width"]],
    groups: Mapping[str, Bool[Tensor, "n rows columns"]],
) -> Evaluation:
    """Errors of a concept's places and of others, and how many of them muting touched.

    Args:
        places: Of the pictures that were given to the networks.
        outputs: By condition what came out, ``(runs, n, 3, height, width)``, from 0 to 1: as
            trained, ``"baseline"``, and others such as ``"muted"``, ``"removed"``, or ``"plain"``,
            networks without anchors that learned the same batches.
        groups: By name the places that belong to it ``(n, rows, columns)``; the first is the
            concept. ``all`` is added.

    Returns:
        Each ``(runs,)``: ``error/<condition>/<group>``; ``error/gray/<concept>``, of showing the
        concept as mid-gray, and ``to_gray/<condition>``, the concept's error as a share of that;
        where there is ``"muted"``, ``touched/muted/<group>``, the share of places whose output
        changed at all; where there is ``"plain"``, ``reconstruction/ratio``, the error of all
        places by that of plain networks.

    Raises:
        ValueError: If there is no group, or one has no place.
        KeyError: If there is no ``"baseline"``.

    Examples:
        >>> pictures = torch.tensor([1.0, 0.0, 0.0]).reshape(1, 3, 1, 1).expand(1, 3, 4, 4)
        >>> outputs = {"baseline": pictures[None], "muted": 1 - pictures[None]}
        >>> places = Places(pictures)
        >>> found = evaluate_places(places, outputs, {"red": places.near("red")})
        >>> found["error/muted/red"], found["touched/muted/red"]
        (tensor([1.]), tensor([1.]))
    """
    concept = _check_groups(groups)
    groups = {**groups, "all": torch.ones_like(groups[concept])}
    found: dict[str, Tensor] = {}
    for name, said in outputs.items():
        found |= _means(f"error/{name}", place_errors(said, places.pictures, places.patch), groups)
    base = outputs["baseline"]
    gray = place_errors(base.new_full((), GRAY).expand_as(base), places.pictures, places.patch)
    found |= _means("error/gray", gray, {concept: groups[concept]})
    to_gray = found[f"error/gray/{concept}"]
    found |= {f"to_gray/{name}": found[f"error/{name}/{concept}"] / to_gray for name in outputs}
    if "muted" in outputs:
        changed = place_errors(
            (outputs["muted"] != base).to(base), base.new_zeros(()), places.patch
        )
        found |= _means("touched/muted", (changed > 0).to(base), groups)
    if "plain" in outputs:
        found["reconstruction/ratio"] = found["error/baseline/all"] / found["error/plain/all"]
    return Evaluation(found)


def place_sweep(
    places: Places,
    outputs: Mapping[str, Float[Tensor, "runs n 3 height width"]],
    bins: int = 24,
) -> tuple[Float[Tensor, " hues"], dict[str, Float[Tensor, "runs hues"]]]:
    """Mean error of vivid places by their hue, for :func:`latent_anchors.viz.plot_error_by_hue`.

    Args:
        places: Of the pictures that were given to the networks.
        outputs: By condition what came out, ``(runs, n, 3, height, width)``.
        bins: How many hues, evenly spaced; those without any vivid place are left out.

    Returns:
        The hues in turns ``(hues,)``, and by condition errors ``(runs, hues)``.

    Raises:
        ValueError: If there is less than one bin.

    Examples:
        >>> pictures = torch.eye(3).reshape(3, 3, 1, 1).expand(3, 3, 4, 4)
        >>> hues, errors = place_sweep(Places(pictures), {"inverted": 1 - pictures[None]})
        >>> (24 * hues).tolist(), errors
        ([0.0, 8.0, 16.0], {'inverted': tensor([[1., 1., 1.]])})
    """
    check_count("bins", bins)
    own = rgb_to_hsv(places.colors)[..., 0]
    near = {
        k: (places.chroma > VIVID) & (hue_distance(own, k / bins) <= 0.5 / bins)
        for k in range(bins)
    }
    some = {k: group for k, group in near.items() if bool(group.any())}
    errors = {
        name: place_errors(said, places.pictures, places.patch) for name, said in outputs.items()
    }
    by_hue = {
        name: torch.stack([each[:, group].mean(-1) for group in some.values()], -1)
        for name, each in errors.items()
    }
    return torch.tensor([*some]) / bins, by_hue


def _check_groups(groups: Mapping[str, Tensor]) -> str:
    """The first group's name, where every group has a place."""
    empty = [name for name, group in groups.items() if not bool(group.any())]
    if empty or not groups:
        raise ValueError(
            f"The groups without any place are {empty} of {[*groups]}; expected the concept and "
            "others, each with some place. Leave out what these pictures do not have."
        )
    return next(iter(groups))


def _means(
    name: str, values: Float[Tensor, "runs n rows columns"], groups: Mapping[str, Tensor]
) -> dict[str, Tensor]:
    return {f"{name}/{of}": values[:, group].mean(-1) for of, group in groups.items()}
