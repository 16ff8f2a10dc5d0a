"""Terms: a penalty, where it acts, on whom, and how it is averaged."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias, get_args

import torch
from jaxtyping import Bool
from torch import Tensor

from latent_anchors._checks import check_between, check_finite, check_name, listed
from latent_anchors._sites import At
from latent_anchors._typing import PerSample
from latent_anchors.regularizers._reduction import Reduction

Penalty: TypeAlias = Callable[[Tensor], Tensor]
"""Latents ``(..., dim)`` to one non-negative number per sample ``(...)``."""

Pooling: TypeAlias = Callable[[Tensor, Tensor | None], Tensor]
"""Values ``(..., position)`` and a mask of the same shape to one value per line ``(...)``."""

Normalizer: TypeAlias = Literal["mass", "count", "rate"]


@dataclass(frozen=True, eq=False)
class Term:
    """A penalty in an objective: what, where, on whom, and under which name.

    Attributes:
        name: What it is called in histories and errors; also its track unless ``track`` is given.
        penalty: Latents ``(..., dim)`` to non-negative values ``(...)``.
        at: A site, several (their mean), or a mapping from sites to shares.
        label: Samples it acts on, in proportion to this label; every sample if None.
        where: A mask in the batch; samples outside of it do not count at all.
        pool: Several positions' values to one per line, at each site; the mask goes to the pooling,
            and a line without any position that counts does not count either.
        track: The track that weighs it; several terms may share one.
        normalizer: What the sum is divided by: ``"mass"``, the batch's own sum of labels;
            ``"count"``, the number of samples, so that soft labels act softly; ``"rate"``, the
            count times the declared ``rate``, which is additive over parts of a batch.
        rate: The share of samples that is labeled, for ``normalizer="rate"``.
        over: The axis whose members a coupling compares.

    Raises:
        ValueError: If an option is unknown, no site is given, or rate and normalizer do not fit.

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
    where: str | None = None
    pool: Pooling | None = None
    track: str = ""
    normalizer: Normalizer = "mass"
    rate: float | None = None
    over: Literal["batch", "position"] = "batch"

    def __post_init__(self) -> None:
        check_name(f"normalizer of term {self.name!r}", self.normalizer, get_args(Normalizer))
        check_name(f"axis of term {self.name!r}", self.over, ("batch", "position"))
        if (self.rate is None) == (self.normalizer == "rate"):
            raise ValueError(
                f"Term {self.name!r} has normalizer={self.normalizer!r} and rate={self.rate!r}; "
                "expected a rate with normalizer='rate', and only there. "
                "Declare the share of labeled samples, such as rate=0.001."
            )
        if self.rate is not None:
            check_between(f"The rate of term {self.name!r}", self.rate, 1e-12, 1.0)
        if not self.shares:
            raise ValueError(
                f"Term {self.name!r} acts at no site; expected at least one, such as at='latent'."
            )
        for share in self.shares.values():
            check_finite(f"A share of term {self.name!r}", share)
            check_between(f"A share of term {self.name!r}", share, 0.0, math.inf)
        object.__setattr__(self, "track", self.track or self.name)

    @property
    def shares(self) -> Mapping[At, float]:
        """Each site's share in the term; they need not add up to 1.

        Examples:
            >>> from latent_anchors.regularizers import Unitarity
            >>> Term("unit", Unitarity(), at=["a", "b"]).shares
            {'a': 0.5, 'b': 0.5}
        """
        if isinstance(self.at, Mapping):
            return self.at
        sites = [self.at] if isinstance(self.at, At) else list(self.at)
        return {site: 1.0 / len(sites) for site in sites}

    def values(
        self, latents: Mapping[At, Tensor], mask: Bool[Tensor, "*values"] | None = None
    ) -> PerSample:
        """The penalty at each sample: positions pooled at each site, then the sites' shares.

        Args:
            latents: By site ``(..., dim)``.
            mask: Which positions count ``(...)``; used by the pooling only.

        Returns:
            ``(...)``, at least 0.

        Raises:
            ValueError: If the mask has another shape than the values before pooling.

        Examples:
            >>> import torch
            >>> from latent_anchors.regularizers import Unitarity
            >>> Term("unit", Unitarity()).values({"latent": torch.zeros(2, 4)})
            tensor([1., 1.])
        """
        # each site is pooled by itself: a soft minimum's position may differ from site to site
        parts = [
            self._pooled(self._at_site(latents[at]), mask) * share
            for at, share in self.shares.items()
        ]
        return torch.stack(parts).sum(0) if len(parts) > 1 else parts[0]

    def _pooled(self, values: Tensor, mask: Tensor | None) -> Tensor:
        if self.pool is None:
            return values
        return self.pool(values, mask if mask is None else self._fitting("mask", mask, values))

    def _at_site(self, z: Tensor) -> Tensor:
        try:
            if self.over == "position" or z.ndim <= 2:
                return self.penalty(z)
            return self.penalty(z.movedim(0, -2)).movedim(-1, 0)
        except Exception as error:
            error.add_note(f"This happened in term {self.name!r}.")
            raise

    def reduce(
        self,
        latents: Mapping[At, Tensor],
        labels: Mapping[str, Tensor],
        masks: Mapping[str, Tensor] | None = None,
    ) -> Reduction:
        r"""The weighted sum over the batch and its divisor; the objective takes the mean, once.

        .. math:: \textstyle T = \sum_i m_i l_i \Omega_i, \qquad
            D = \sum_i m_i l_i \text{ or } \sum_i m_i \text{ or } \rho \sum_i m_i

        with :math:`l` the label, :math:`m` the mask, :math:`\rho` the ``rate``; :math:`D` by the
        normalizer.

        Args:
            latents: By site ``(..., dim)``.
            labels: By name, of exactly the shape of the values ``(...)``, in [0, 1].
            masks: By name, of the shape of the values before pooling ``(...)``.

        Returns:
            Sum, divisor, label mass and count, all ``()``.

        Raises:
            KeyError: If the batch lacks the site, label or mask.
            ValueError: If a label or mask has another shape than the values.

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
        self._check_sites(latents)
        mask = None if self.where is None else self._found("mask", self.where, masks or {})
        values = self.values(latents, mask)
        weight = torch.ones_like(values)
        if mask is not None:
            pooled = mask if self.pool is None else mask.any(-1)
            weight = weight * self._fitting("mask", pooled, values).to(values)
        count = weight.sum()
        if self.label is not None:
            label = self._found("label", self.label, labels)
            weight = weight * self._fitting("label", label, values).to(values)
        mass = weight.sum()
        divisor = mass if self.normalizer == "mass" else count * (self.rate or 1.0)
        return Reduction((weight * values).sum(), divisor, mass, count)

    def _check_sites(self, latents: Mapping[At, Tensor]) -> None:
        for at in self.shares:
            if at not in latents:
                raise KeyError(
                    f"Term {self.name!r} acts at {at!r}; recorded are {listed(latents)}. "
                    "Record objective.sites."
                )

    def _found(self, kind: str, name: str, among: Mapping[str, Tensor]) -> Tensor:
        if name not in among:
            raise KeyError(
                f"Term {self.name!r} needs {kind} {name!r}; the batch has {listed(among)}."
            )
        return among[name]

    def _fitting(self, kind: Literal["label", "mask"], given: Tensor, values: Tensor) -> Tensor:
        if given.shape != values.shape:
            name = self.label if kind == "label" else self.where
            raise ValueError(
                f"Term {self.name!r}: {kind} {name!r} has shape {tuple(given.shape)}, the values "
                f"have {tuple(values.shape)}; expected exactly that, since nothing is broadcast. "
                "Pool positions, or give one label for each value."
            )
        return given
