"""ConceptBank: many concepts at the same sites, whose penalties take one product."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor
from typing_extensions import override

from latent_anchors import regularizers
from latent_anchors._checks import listed
from latent_anchors._sites import At, as_site
from latent_anchors._supervision import Given, as_tensor
from latent_anchors.concepts._concept import Concept, by_site
from latent_anchors.regularizers import Term


@dataclass(frozen=True, eq=False, repr=False)
class ConceptBank(Mapping[str, Concept]):
    """Many concepts at the same sites: each with its own label, all in one call.

    Fifty concepts cost little more than one product of the latents with fifty directions. Their
    values, gradients and parts are those of fifty concepts, to rounding. It maps names to concepts.

    Attributes:
        concepts: Those that it holds, each with a direction of its own; :meth:`penalty` takes
            labels in their order.

    Raises:
        ValueError: If there is none, names recur, or they differ in sites, width, pooling or mask.
        TypeError: If one is a plane, which is one penalty already.

    Examples:
        >>> rows = torch.eye(3)
        >>> bank = ConceptBank([Concept("red", rows[0], "0"), Concept("blue", rows[2], "0")])
        >>> bank
        ConceptBank(2 concepts in 3 dimensions, at='0': 'red', 'blue')
        >>> z = torch.tensor([[0.0, 1.0, 0.0], [0.0, 0.0, 1.0]])
        >>> bank.penalty(z, {"red": torch.tensor([1, 0]), "blue": torch.tensor([0, 1])})
        tensor(1.)
    """

    concepts: tuple[Concept, ...]

    def __init__(self, concepts: Iterable[Concept]) -> None:
        object.__setattr__(self, "concepts", tuple(concepts))
        names = [concept.name for concept in self.concepts]
        twice = sorted({name for name in names if names.count(name) > 1})
        if not names or twice:
            raise ValueError(
                f"The names of the concepts are {listed(names)}, several times {listed(twice)}; "
                "expected at least one concept, and each name once."
            )
        planes = [concept.name for concept in self.concepts if concept.direction.ndim > 1]
        if planes:
            raise TypeError(
                f"In a bank of concepts, {listed(planes)} are planes; expected a direction each. "
                "A plane is one penalty already: plane.penalty(latents, labels), plane.term()."
            )
        self._check_alike()

    def _check_alike(self) -> None:
        for concept in self.concepts[1:]:
            for what, one, other in zip(
                ("sites", "width", "pooling", "mask"),
                _place(self.concepts[0]),
                _place(concept),
                strict=True,
            ):
                if one != other:
                    raise ValueError(
                        f"Concepts {self.concepts[0].name!r} and {concept.name!r} of a bank differ "
                        f"in their {what}: {one} and {other}; expected the same. Make a bank for "
                        "each."
                    )

    @property
    def at(self) -> At | tuple[At, ...]:
        """The site, or several: what to record.

        Examples:
            >>> ConceptBank([Concept("red", [1, 0], at="0")]).at
            '0'
        """
        return self.concepts[0].at

    def terms(
        self,
        track: str = "",
        reduction: Literal["mass", "count", "rate"] = "mass",
        rate: float | None = None,
        ignore_index: int | float | None = None,
    ) -> list[Term]:
        """A scheduled term for each concept, which an objective computes together.

        Each has its part, and its track, unless they share one.

        Args:
            track: The track that weighs them all; by default each has its name's.
            reduction: See :class:`~latent_anchors.regularizers.Term`, as for the rest.
            rate: The share of labeled samples, for ``reduction="rate"``.
            ignore_index: A label that means "not counted".

        Raises:
            ValueError: If the options do not fit together.

        Examples:
            >>> bank = ConceptBank([Concept("red", [1, 0], "0"), Concept("blue", [0, 1], "0")])
            >>> [(term.name, term.track) for term in bank.terms(track="anchors")]
            [('red', 'anchors'), ('blue', 'anchors')]
        """
        return [each.term(track, reduction, rate, ignore_index) for each in self.concepts]

    def keep_out(self, track: str = "") -> list[Term]:
        """Scheduled terms that keep all samples out of each direction; see :meth:`terms`.

        Args:
            track: The track that weighs them all; by default each has its name's.

        Examples:
            >>> bank = ConceptBank([Concept("red", [1, 0], "0"), Concept("blue", [0, 1], "0")])
            >>> [term.name for term in bank.keep_out(track="away")]
            ['keep_out_red', 'keep_out_blue']
        """
        return [each.keep_out(track=track) for each in self.concepts]

    def penalty(
        self,
        latents: Mapping[At, Tensor] | Tensor,
        labels: Mapping[str, Given] | Given,
        mask: Given | None = None,
    ) -> Float[Tensor, ""]:
        """The sum of the concepts' penalties: one number to add to a loss.

        See :meth:`penalties` for the arguments and :meth:`Concept.penalty` for each summand.

        Args:
            latents: What :func:`~latent_anchors.record` recorded, or the latents ``(..., dim)``.
            labels: By name ``(...)``, or one tensor ``(..., concepts)``.
            mask: Which positions count ``(...)``, bool or 0 and 1.

        Raises:
            ValueError: If shapes do not fit, or a label is not from 0 to 1.
            KeyError: If a site was not recorded, or a label is missing.
            TypeError: If labels are no tensors and no arrays of numpy's.

        Examples:
            >>> bank = ConceptBank([Concept("red", [1, 0], "0"), Concept("blue", [0, 1], "0")])
            >>> bank.penalty(torch.tensor([[3.0, 0.0]]), torch.tensor([[1.0, 1.0]]))
            tensor(1.)
        """
        return self.penalties(latents, labels, mask).sum()

    def penalties(
        self,
        latents: Mapping[At, Tensor] | Tensor,
        labels: Mapping[str, Given] | Given,
        mask: Given | None = None,
    ) -> Float[Tensor, " concepts"]:
        """How far each concept's labeled samples are from its direction.

        Each is the mean over the samples labeled with that concept, and exactly 0 where nobody is.

        Args:
            latents: What :func:`~latent_anchors.record` recorded, or the latents ``(..., dim)`` at
                the only site.
            labels: By name ``(...)``, or one tensor ``(..., concepts)``, from 0 to 1. One per line
                with a pooling.
            mask: Which positions count ``(...)``, bool or 0 and 1.

        Returns:
            ``(concepts,)``, in their order, each at least 0.

        Raises:
            ValueError: If shapes do not fit, or a label is not from 0 to 1.
            KeyError: If a site was not recorded, or a label is missing.
            TypeError: If labels are no tensors and no arrays of numpy's.

        Examples:
            >>> bank = ConceptBank([Concept("red", [1, 0], "0"), Concept("blue", [0, 1], "0")])
            >>> bank.penalties(torch.tensor([[3.0, 0.0]]), torch.tensor([[1.0, 1.0]]))
            tensor([0., 1.])
        """
        given = by_site(next(iter(self)), self.concepts[0].sites, latents)
        device = getattr(given.get(self.concepts[0].sites[0]), "device", None)
        known = labels if isinstance(labels, Mapping) else self._by_name(labels, device)
        terms = self._unmasked if mask is None else self._masked
        masks = {} if mask is None else {str(terms[0].mask): mask}
        reduced = regularizers.reduce_terms(terms, given, known, masks)
        return torch.stack([regularizers.mean(each.total, each.divisor) for each in reduced])

    def _by_name(self, labels: Given, device: torch.device | None) -> dict[str, Tensor]:
        """Labels ``(..., concepts)`` one by one, arrays of numpy's where the latents are."""
        tensor = as_tensor("The labels of a bank of concepts", labels, device)
        if tensor.ndim == 0 or tensor.shape[-1] != len(self.concepts):
            raise ValueError(
                f"The labels of a bank of {len(self.concepts)} concepts have shape "
                f"{tuple(tensor.shape)}; expected (..., {len(self.concepts)}), in their order, "
                "or a mapping by name."
            )
        return dict(zip(self, tensor.unbind(-1), strict=True))

    @cached_property
    def _unmasked(self) -> list[Term]:
        return self.terms()

    @cached_property
    def _masked(self) -> list[Term]:
        return [replace(term, mask=term.mask or "mask") for term in self._unmasked]

    @override
    def __getitem__(self, name: str) -> Concept:
        return self._named[name]

    @override
    def __iter__(self) -> Iterator[str]:
        return iter(self._named)

    @override
    def __len__(self) -> int:
        return len(self.concepts)

    @cached_property
    def _named(self) -> dict[str, Concept]:
        return {concept.name: concept for concept in self.concepts}

    @override
    def __repr__(self) -> str:
        kind = f"{len(self)} concepts in {self.concepts[0].dim} dimensions, at={self.at!r}"
        return f"ConceptBank({kind}: {listed(self)})"


def _place(concept: Concept) -> tuple[object, ...]:
    """What the concepts of a bank have in common."""
    sites = [as_site(at) for at in concept.sites]
    return sites, concept.dim, repr(concept.pool), concept.mask
