"""Terms: a penalty, where it acts, on whom, and how it is averaged."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, TypeAlias, get_args

import torch
from jaxtyping import Bool, Integer
from torch import Tensor

from latent_anchors._checks import check_between, check_finite, check_name
from latent_anchors._sites import At, as_sites
from latent_anchors._supervision import Given, Look, as_mask, can_look
from latent_anchors._typing import PerSample
from latent_anchors.regularizers._applying import (
    applied,
    check_penalty_apart,
    check_pool_apart,
    sites_of,
    takes_mask,
)
from latent_anchors.regularizers._counting import (
    Counting,
    Reduction,
    check_shape,
    counting,
    tensor_of,
)

Penalty: TypeAlias = Callable[[Tensor], Tensor]
"""Latents ``(..., dim)`` to one non-negative number per sample ``(...)``."""

Pooling: TypeAlias = Callable[[Tensor, Tensor | None], Tensor]
"""Values ``(..., position)`` and a mask of the same shape to one value per line ``(...)``."""

ReducedBy: TypeAlias = Literal["mass", "count", "rate"]


@dataclass(frozen=True, eq=False)
class Term:
    """A penalty in an objective: what, where, on whom, and under which name.

    Attributes:
        name: What it is called in histories and errors; also its track unless ``track`` is given.
        penalty: Latents ``(..., dim)`` to non-negative values ``(...)``.
        at: A site, several (their mean), or a mapping from sites to shares. For patterns, write
            ``at=la.sites(model, "model.layers.*")``.
        label: Samples it acts on, in proportion to this label; every sample if None.
        mask: A mask in the batch; samples outside of it do not count at all, were they NaN.
        pool: Several positions' values to one per line, at each site; the mask goes to the pooling,
            and a line without any position that counts does not count either.
        track: The track that weighs it; several terms may share one.
        reduction: What the sum is divided by: ``"mass"``, the batch's own sum of labels;
            ``"count"``, the number of samples, so that soft labels act softly; ``"rate"``, the
            count times the declared ``rate``, which is additive over parts of a batch.
        rate: The share of samples that is labeled, for ``reduction="rate"``.
        set_axis: The axis whose members a set penalty compares.
        ignore_index: A label that says "does not count", such as -100, with which collators pad.
        compares: Whether the penalty is a set penalty that takes a mask.
        apart: Whether it was tried that nothing sees what does not count.

    Raises:
        ValueError: If an option is unknown, no site is given or one is a pattern, rate and
            reduction do not fit, or the label to be ignored could be one.
        TypeError: If a site is neither a name nor a :class:`~latent_anchors.Site`.

    Examples:
        >>> from latent_anchors.regularizers import Anchor
        >>> term = Term("anchor", Anchor([1, 0]), label="red")
        >>> term.track
        'anchor'
    """

    name: str
    penalty: Penalty
    at: At | Sequence[At] | Mapping[At, float] = "latent"
    label: str | None = None
    mask: str | None = None
    pool: Pooling | None = None
    track: str = ""
    reduction: ReducedBy = "mass"
    rate: float | None = None
    set_axis: Literal["batch", "position"] = "batch"
    ignore_index: int | float | None = None
    compares: bool = field(init=False, repr=False)
    apart: bool = field(init=False, repr=False, default=False)

    def __post_init__(self) -> None:
        check_name(f"reduction of term {self.name!r}", self.reduction, get_args(ReducedBy))
        check_name(f"set_axis of term {self.name!r}", self.set_axis, ("batch", "position"))
        if (self.rate is None) == (self.reduction == "rate"):
            raise ValueError(
                f"Term {self.name!r} has reduction={self.reduction!r} and rate={self.rate!r}; "
                "expected a rate with reduction='rate', and only there. "
                "Declare the share of labeled samples, such as rate=0.001."
            )
        sites = as_sites(self.at)
        if isinstance(self.at, Sequence) and not isinstance(self.at, str | list):
            object.__setattr__(self, "at", tuple(sites))
        if self.rate is not None:
            check_between(f"The rate of term {self.name!r}", self.rate, 1e-12, 1.0)
        if not self.shares:
            raise ValueError(
                f"Term {self.name!r} acts at no site; expected at least one, such as at='latent'."
            )
        self._check_ignored()
        for share in self.shares.values():
            check_finite(f"A share of term {self.name!r}", share)
            check_between(f"A share of term {self.name!r}", share, 0.0, math.inf)
        object.__setattr__(self, "track", self.track or self.name)
        object.__setattr__(self, "compares", takes_mask(self.penalty))

    def _check_ignored(self) -> None:
        if self.ignore_index is None:
            return
        check_finite(f"ignore_index of term {self.name!r}", float(self.ignore_index))
        if self.label is None or 0 <= self.ignore_index <= 1:
            raise ValueError(
                f"Term {self.name!r} has ignore_index={self.ignore_index!r} and "
                f"label={self.label!r}; expected a number outside of 0 to 1, and a label that may "
                "have it. Collators pad with -100; samples without a label have label 0."
            )

    @property
    def shares(self) -> Mapping[At, float]:
        """Each site's share in the term; they need not add up to 1.

        Examples:
            >>> from latent_anchors.regularizers import unit_norm
            >>> Term("unit", unit_norm, at=["a", "b"]).shares
            {'a': 0.5, 'b': 0.5}
        """
        if isinstance(self.at, Mapping):
            return self.at
        sites = [self.at] if isinstance(self.at, At) else list(self.at)
        return {site: 1.0 / len(sites) for site in sites}

    def values(
        self,
        latents: Mapping[At, Tensor],
        mask: Bool[Tensor, "*values"] | Integer[Tensor, "*values"] | None = None,
    ) -> PerSample:
        """The penalty at each sample: positions pooled at each site, then the sites' shares.

        Args:
            latents: By site ``(..., dim)``.
            mask: Which positions count ``(...)``; the values of others are 0 where nothing is
                pooled.

        Returns:
            ``(...)``, at least 0.

        Raises:
            ValueError: If the mask has another shape than the values before pooling.

        Examples:
            >>> import torch
            >>> from latent_anchors.regularizers import unit_norm
            >>> Term("unit", unit_norm).values({"latent": torch.zeros(2, 4)})
            tensor([1., 1.])
        """
        sites = sites_of(self.name, self.shares, latents)
        if mask is not None:
            mask = as_mask(f"The mask of term {self.name!r}", mask, sites[0].device)
            for z in sites:
                check_shape(self.name, "mask", self.mask, mask, z.shape[:-1])
            self._check_apart(sites[0])
        return self._values(sites, Counting(mask))[0]

    def reduce(
        self,
        latents: Mapping[At, Tensor],
        labels: Mapping[str, Given] | None,
        masks: Mapping[str, Given] | None = None,
        look: Look = "always",
    ) -> Reduction:
        r"""The weighted sum over the batch and its divisor; the objective takes the mean, once.

        .. math:: \textstyle T = \sum_i m_i l_i \Omega_i, \qquad
            D = \sum_i m_i l_i \text{ or } \sum_i m_i \text{ or } \rho \sum_i m_i

        with :math:`l` the label, :math:`m` the mask, :math:`\rho` the ``rate``; :math:`D` by the
        ``reduction``. What lies where :math:`m` or :math:`l` is 0 has no influence, NaN included;
        set penalties compare with those without a label, too.

        Args:
            latents: By site ``(..., dim)``.
            labels: By name, of exactly the shape of the values ``(...)``, in [0, 1].
            masks: By name, of the shape of the values before pooling ``(...)``, bool or 0 and 1.
            look: When labels are looked at: ``"always"``; only where no GPU has to be waited for,
                ``"freely"``; or ``"never"``, where they were before. In a function that is
                compiled or mapped none are. Where one that was not looked at lies outside of
                [0, 1], the sum is NaN. With ``"never"``, labels are trusted, and latents that are
                not finite are seen where nobody is labeled, too.

        Returns:
            Sum, divisor, label mass and count, all ``()``.

        Raises:
            KeyError: If the batch lacks the site, label or mask.
            ValueError: If a label or mask has another shape than the values, is elsewhere than
                they are, or has numbers that it cannot have.
            TypeError: If one is no tensor and no array of numpy's, or the penalty returns none.

        References:
            The mean over labeled samples of ``ex-preppy`` (2025) is ``"mass"``.

        Examples:
            >>> import torch
            >>> from latent_anchors.regularizers import Anchor
            >>> term = Term("anchor", Anchor([1, 0]), label="red")
            >>> red = {"red": torch.tensor([1.0, 0.0])}
            >>> term.reduce({"latent": torch.eye(2)}, red).total
            tensor(0.)
        """
        sites = sites_of(self.name, self.shares, latents)
        mask, label = self._entered(labels, masks, sites[0].device, look)
        for places in [z.shape[:-1] for z in sites]:
            self._check_places(mask, label, places)
        counting = self._counting(mask, label, look)
        if not counting.of_all and look != "never":
            self._check_apart(sites[0])
        values, counted = self._values(sites, counting)
        check_shape(self.name, "label", self.label, label, values.shape)
        count = _number(values) if counted is None else counted.to(values).sum()
        weight = counting.weight(values)
        mass = count if weight is None else weight.sum()
        # values are 0 where they do not count
        total = values.sum() if weight is None else (weight * values).sum()
        return Reduction(total, self._divided_by(mass, count), mass, count)

    def divisor(
        self, labels: Mapping[str, Given] | None, masks: Mapping[str, Given] | None = None
    ) -> Tensor | None:
        """What the weighted sum is divided by, known before the model runs.

        So the divisor of a batch that is passed through the model in parts can be summed up before
        the first of them.

        Args:
            labels: By name ``(...)``.
            masks: By name ``(...)``, with an axis of positions besides where the term pools.

        Returns:
            ``()``; None for a term without label and mask, which counts whatever leaves its site.

        Raises:
            KeyError: If the batch lacks the label or mask.
            ValueError: If one has numbers that it cannot have.
            TypeError: If one is no tensor and no array of numpy's.

        Examples:
            >>> import torch
            >>> from latent_anchors.regularizers import unit_norm
            >>> Term("unit", unit_norm, label="red").divisor({"red": torch.tensor([1.0, 0.5])})
            tensor(1.5000)
        """
        mask, label = self._entered(labels, masks, None, "freely")
        if mask is None and label is None:
            return None
        counting = self._counting(mask, label, "freely")
        ones = self._ones(mask, label)
        lines = counting.lines(ones.ndim)
        weight = counting.weight(ones)
        count = _number(ones) if lines is None else lines.to(ones).sum()
        return self._divided_by(count if weight is None else weight.sum(), count)

    def _ones(self, mask: Tensor | None, label: Tensor | None) -> Tensor:
        """Of the values' shape."""
        if label is not None:
            return torch.ones(label.shape, device=label.device)
        assert mask is not None
        ones = torch.ones(mask.shape, device=mask.device)
        return ones if self.pool is None else self.pool(ones, mask)

    def _divided_by(self, mass: Tensor, count: Tensor) -> Tensor:
        return mass if self.reduction == "mass" else count * (self.rate or 1.0)

    def check_labels(
        self, labels: Mapping[str, Given] | None, masks: Mapping[str, Given] | None = None
    ) -> None:
        """Refuse labels that cannot be ones, of one batch or of several at once, without latents.

        Args:
            labels: By name ``(...)``.
            masks: By name, with an axis of positions besides where the term pools.

        Raises:
            KeyError: If the label or mask is not there.
            ValueError: If a label that counts is not from 0 to 1, or a mask has other whole numbers
                than 0 and 1.
            TypeError: If one is no tensor and no array of numpy's.

        Examples:
            >>> from latent_anchors.regularizers import unit_norm
            >>> try:
            ...     Term("unit", unit_norm, label="red").check_labels({"red": torch.tensor([9])})
            ... except ValueError as error:
            ...     print(str(error).split(";")[0])
            Label 'red' of term 'unit' runs from 9 to 9
        """
        self._counting(*self._entered(labels, masks, None, "always"), "always")

    def _entered(
        self, labels: object, masks: object, device: torch.device | None, look: Look
    ) -> tuple[Tensor | None, Tensor | None]:
        """The mask and the label as tensors."""
        mask = tensor_of(self.name, "mask", self.mask, masks, device, look)
        return mask, tensor_of(self.name, "label", self.label, labels, device, look)

    def _check_places(self, mask: Tensor | None, label: Tensor | None, places: torch.Size) -> None:
        """Refuse other shapes than the penalty's values will have at a site."""
        check_shape(self.name, "mask", self.mask, mask, places)
        # pooled, lines have a leading part of the shape of their places
        lines = places if self.pool is None or label is None else places[: label.ndim]
        check_shape(self.name, "label", self.label, label, lines)

    def _counting(self, mask: Tensor | None, label: Tensor | None, look: Look) -> Counting:
        what = f"Label {self.label!r} of term {self.name!r}"
        return counting(mask, label, self.ignore_index, what, look)

    def _values(self, sites: Sequence[Tensor], counting: Counting) -> tuple[Tensor, Tensor | None]:
        """Values, 0 where they do not count, and which do."""
        # each site is pooled by itself: a soft minimum's position may differ from site to site
        parts = [self._at_site(z, counting) for z in sites]
        shares = list(self.shares.values())
        if shares == [1.0]:
            values = parts[0]
        else:
            weighed = [part * share for part, share in zip(parts, shares, strict=True)]
            values = torch.stack(weighed).sum(0)
        lines = counting.lines(values.ndim)
        check_shape(self.name, "mask", self.mask, lines, values.shape)
        return values if lines is None else values.masked_fill(~lines, 0.0), lines

    def _at_site(self, z: Tensor, counting: Counting) -> Tensor:
        try:
            values = applied(self.penalty, z, counting, self.set_axis == "batch", self.compares)
        except Exception as error:
            error.add_note(f"This happened in term {self.name!r}.")
            raise
        return values if self.pool is None else self.pool(values, counting.inside(values.shape))

    def _check_apart(self, z: Tensor) -> None:
        """Refuse, once, a penalty or a pooling that would see what does not count."""
        if not self.apart and z.shape[:-1].numel() > 1 and can_look(z, "always"):
            check_penalty_apart(self.name, self.penalty, self.compares, z, self.set_axis == "batch")
            # without a mask, a pooling is never given one
            if self.pool is not None and (self.mask or self.ignore_index is not None):
                check_pool_apart(self.name, self.pool, z[..., 0])
            object.__setattr__(self, "apart", True)


def _number(values: Tensor) -> Tensor:
    """How many there are, made so that a trace knows it for a constant."""
    return torch.full((), values.numel(), dtype=values.dtype, device=values.device)
