"""Who counts in a term, and how much: its mask and its label, as a batch holds them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, cast

import torch
from jaxtyping import Float
from torch import Tensor

from latent_anchors._checks import listed
from latent_anchors._supervision import (
    Look,
    as_mask,
    as_tensor,
    can_look,
    check_label,
    or_nan,
    squares_finite,
)


@dataclass(frozen=True, eq=False)
class Counting:
    """What counts before pooling, and the weight of each value after it.

    A *place* is where a penalty gives a value. Where places are pooled, some make a line; else each
    is a line.
    """

    mask: Tensor | None = None
    """Places that count."""
    kept: Tensor | None = None
    """Lines whose label is not to be ignored."""
    label: Tensor | None = None
    """Of each line; 0 where it does not count."""
    look: Look = "always"
    """When numbers are looked at."""

    @property
    def of_all(self) -> bool:
        """Whether every place counts, and alike."""
        return self.mask is None and self.label is None

    def inside(self, places: torch.Size) -> Tensor | None:
        """Which places count; None where all do."""
        if self.kept is None:
            return self.mask
        kept = _spread(self.kept, len(places)).expand(places)
        return kept if self.mask is None else self.mask & kept

    def filled(self, z: Tensor) -> Tensor:
        """Latents with ones wherever the term has no say, so that nothing comes back from there.

        To multiply by 0 would not do: what is NaN there would stay so, in gradients too.
        """
        idle = self.idle(z, z.ndim - 1)
        return z if idle is None else z.masked_fill(idle.unsqueeze(-1), 1.0)

    def idle(self, z: Tensor, axes: int) -> Tensor | None:
        """Where the term has no say, with so many axes of places; None if it may be seen."""
        if self.of_all or (self.mask is None and self.kept is None and self._surely_finite(z)):
            return None
        return self._idle(axes)

    def _surely_finite(self, z: Tensor) -> bool:
        """Whether to multiply by labels will do; where nobody looks, NaN is not to be hidden.

        Squares, too: 0 times a distance that overflows is NaN.
        """
        return self.look == "never" or (can_look(z, "freely") and squares_finite(z))

    def _idle(self, axes: int) -> Tensor:
        if self.label is None:
            return ~cast("Tensor", self.mask)
        unlabeled = _spread(self.label == 0, axes)
        if self.mask is None or self.mask.ndim == self.label.ndim:
            return unlabeled  # the label of a place is 0 already where the mask is
        return unlabeled | ~self.mask

    def lines(self, axes: int) -> Tensor | None:
        """Which lines count: those with a place that does; None where all do."""
        if self.mask is None:
            return self.kept
        any_place = self.mask.flatten(axes).any(-1) if self.mask.ndim > axes else self.mask
        return any_place if self.kept is None else any_place & self.kept

    def weight(self, values: Tensor) -> Tensor | None:
        """The label of each value, NaN where it turns out to be none; None without a label."""
        if self.label is None:
            return None
        label = self.label.to(values)
        known = self.look == "never" or can_look(self.label, self.look)
        return label if known else or_nan(label)


def counting(
    mask: Tensor | None,
    label: Tensor | None,
    ignore_index: int | float | None,
    what: str,
    look: Look,
) -> Counting:
    """Mask and label, once the label is checked wherever it counts."""
    if label is None:
        return Counting(mask)
    kept = None if ignore_index is None else label != ignore_index
    lines = Counting(mask, kept).lines(label.ndim)
    check_label(what, label, lines, look)
    label = label if lines is None else label.masked_fill(~lines, 0)
    return Counting(mask, kept, label, look)


def tensor_of(
    term: str,
    kind: Literal["label", "mask"],
    name: str | None,
    among: object,
    device: torch.device | None,
    look: Look,
) -> Tensor | None:
    """A label or a mask of a batch, if the term has one: a tensor where the values are."""
    if name is None:
        return None
    given = _found(term, kind, name, among)
    what = f"{kind.capitalize()} {name!r} of term {term!r}"
    return as_mask(what, given, device, look) if kind == "mask" else as_tensor(what, given, device)


def _found(term: str, kind: str, name: str, among: object) -> object:
    given: object = {} if among is None else among
    if not isinstance(given, Mapping):
        raise TypeError(
            f"Term {term!r} needs {kind} {name!r}; the {kind}s are of type "
            f"{type(given).__name__}, expected a mapping. Write {{{name!r}: ...}}."
        )
    named = cast("Mapping[str, object]", given)
    if name not in named:
        raise KeyError(f"Term {term!r} needs {kind} {name!r}; the batch has {listed(named)}.")
    return named[name]


def check_shape(
    term: str,
    kind: Literal["label", "mask"],
    name: str | None,
    given: Tensor | None,
    expected: torch.Size,
) -> None:
    """Refuse a label or a mask, if there is one, of another shape than the values."""
    if given is not None and given.shape != expected:
        raise ValueError(
            f"Term {term!r}: {kind} {name!r} has shape {tuple(given.shape)}, the values have "
            f"{tuple(expected)}; expected exactly that, since nothing is broadcast. "
            "Pool positions, or give one label for each value."
        )


def _spread(lines: Tensor, axes: int) -> Tensor:
    """Lines with an axis of length 1 for each axis of places that they lack."""
    lacking = axes - lines.ndim
    return lines.reshape(*lines.shape, *[1] * lacking) if lacking else lines


@dataclass(frozen=True, eq=False)
class Reduction:
    """A term's weighted sum over a batch, and what it is to be divided by.

    Sums and masses of parts of a batch add up to those of the whole, but for set penalties.

    Attributes:
        total: Sum of the values ``()``, each weighed by its label.
        divisor: What the sum is to be divided by ``()``, after the term's ``reduction``.
        mass: Sum of the labels ``()``: how much supervision there was.
        count: Number of samples that count ``()``.

    Examples:
        >>> import torch
        >>> Reduction(*torch.tensor([3.0, 2.0, 2.0, 64.0])).mass
        tensor(2.)
    """

    total: Tensor
    divisor: Tensor
    mass: Tensor
    count: Tensor


def mean(total: Float[Tensor, ""], divisor: Float[Tensor, ""]) -> Float[Tensor, ""]:
    """The one mean: an exact zero, with zero gradient, where nobody counts.

    Args:
        total: Weighted sum over the batch ``()``.
        divisor: What it is divided by ``()``, at least 0.

    Returns:
        ``()``, at least 0.

    Examples:
        >>> import torch
        >>> mean(torch.tensor(0.0), torch.tensor(0.0))
        tensor(0.)
    """
    return total / torch.threshold(divisor, 0.0, 1.0)
