"""Concept: one object for what is placed, measured, muted and removed."""

import math
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Literal, TypeAlias, TypeVar, get_args

import torch
from jaxtyping import Float
from torch import Tensor, nn

from latent_anchors import audits, evaluation, interventions, regularizers
from latent_anchors._checks import check_between, check_finite, check_name, listed
from latent_anchors._hooks import Handle, Where
from latent_anchors._runs import seeds_of
from latent_anchors._sites import At, as_site, as_sites
from latent_anchors._supervision import Given, as_mask, as_tensor
from latent_anchors._typing import Inputs
from latent_anchors.concepts._concept_directions import Method, as_rows, axes_of, found_direction
from latent_anchors.concepts._muting import How, amplifier_of, edit_of
from latent_anchors.concepts._score import Score, flattened, pooled_alignment, score_of
from latent_anchors.regularizers import Pooling, Term

Cut: TypeAlias = Literal["orthogonalize", "ablate", "prune"]
"""Ways to remove: from the weights around the site, on its axes, or with the axes."""

_Pair: TypeAlias = tuple[Term, Term]
"""A term as it is, and with a mask."""

_Model = TypeVar("_Model", bound=nn.Module)


@dataclass(frozen=True, eq=False, repr=False)
class Concept:
    """A concept: its name, its direction or plane, and the sites where it lies.

    It holds no model and changes none; each method calls one function of the rooms below with the
    direction and the sites filled in.

    Attributes:
        name: Also the name of its label and of its term's track.
        direction: A unit vector ``(dim,)``, or orthonormal rows ``(n, dim)`` of a plane; given at
            any length.
        at: The site, or several.
        pool: From the values of several positions to one per line, for labels of whole lines; see
            :func:`~latent_anchors.regularizers.mean_pool`.
        mask: The name of a mask in the batch, for :meth:`term`; a loop of your own passes the mask
            itself to :meth:`penalty`.

    Raises:
        ValueError: If the name is empty, no site is given, one comes twice or is a pattern, or
            the direction is zero, not finite or has dependent rows.
        TypeError: If a site is neither a name nor a :class:`~latent_anchors.Site`.

    Examples:
        >>> red = Concept("red", direction=[1, 0, 0], at="encoder.3")
        >>> red
        Concept('red', a direction in 3 dimensions, at='encoder.3')
        >>> z = torch.tensor([[0.0, 1.0, 0.0]]).repeat(4, 1)
        >>> red.penalty(z, labels=torch.tensor([0, 1, 0, 0]))
        tensor(1.)
    """

    name: str
    direction: Tensor
    at: At | tuple[At, ...]
    pool: Pooling | None = None
    mask: str | None = None

    def __init__(
        self,
        name: str,
        direction: Sequence[float] | Sequence[Sequence[float]] | Sequence[Tensor] | Tensor,
        at: At | Sequence[At],
        pool: Pooling | None = None,
        mask: str | None = None,
    ) -> None:
        if not name:
            raise ValueError("The name is empty; expected a word for the concept, such as 'red'.")
        sites = as_sites(at)
        if not sites or len({as_site(site) for site in sites}) < len(sites):
            raise ValueError(
                f"The sites of concept {name!r} are {listed(sites)}; expected at least one, each "
                "once, such as at='encoder.3'."
            )
        alone = isinstance(at, At)
        for field, value in (
            ("name", name),
            ("direction", as_rows(direction)),
            ("at", at if alone else tuple(sites)),
            ("pool", pool),
            ("mask", mask),
        ):
            object.__setattr__(self, field, value)

    @classmethod
    def found(
        cls,
        name: str,
        latents: Float[Tensor, "*samples dim"],
        labels: Float[Tensor, "*samples"] | Tensor,
        at: At | Sequence[At],
        method: Method = "mean_difference",
    ) -> "Concept":
        """A concept whose direction is fitted to labeled latents of a trained model.

        Placed and found concepts have the same methods, so that the same code compares them. The
        direction points to the samples with the concept.

        Args:
            name: As for a placed concept.
            latents: ``(..., dim)``; of lines, each position is a sample. Leave out padding:
                ``z[mask]``.
            labels: ``(...)``, from 0 to 1.
            at: The site that the latents come from, or several.
            method: ``"mean_difference"``, ``"cav"`` or ``"leace"``; see
                :func:`~latent_anchors.interventions.fit_mean_difference`,
                :func:`~latent_anchors.interventions.fit_cav` and
                :func:`~latent_anchors.interventions.fit_leace`.

        Raises:
            ValueError: If the method is unknown, or nothing can be fitted on these samples.

        Examples:
            >>> z = torch.tensor([[0.0, 1.0], [0.0, 3.0], [4.0, 1.0], [4.0, 3.0]])
            >>> Concept.found("red", z, torch.tensor([0, 0, 1, 1]), at="0").direction
            tensor([1., 0.])
        """
        return cls(name, found_direction(latents, labels, method), at)

    @property
    def dim(self) -> int:
        """How many latent dimensions there are.

        Examples:
            >>> Concept("red", [1, 0, 0], at="0").dim
            3
        """
        return self.direction.shape[-1]

    @property
    def sites(self) -> tuple[At, ...]:
        """The sites, as a tuple also where there is one.

        Examples:
            >>> Concept("red", [1, 0, 0], at="0").sites
            ('0',)
        """
        return tuple(as_sites(self.at))

    def term(
        self,
        track: str = "",
        reduction: Literal["mass", "count", "rate"] = "mass",
        rate: float | None = None,
        ignore_index: int | float | None = None,
    ) -> Term:
        """The penalty as a scheduled term of an objective, on the samples labeled ``name``.

        Args:
            track: The track that weighs it; ``name`` by default.
            reduction: See :class:`~latent_anchors.regularizers.Term`, as for the rest.
            rate: The share of labeled samples, for ``reduction="rate"``.
            ignore_index: A label that means "not counted".

        Raises:
            ValueError: If the options do not fit together.

        Examples:
            >>> Concept("red", [1, 0, 0], at="0").term().label
            'red'
        """
        return Term(
            self.name,
            self._penalty,
            at=self.at,
            label=self.name,
            mask=self.mask,
            pool=self.pool,
            track=track,
            reduction=reduction,
            rate=rate,
            ignore_index=ignore_index,
        )

    def keep_out(self, label: str | None = None, name: str = "", track: str = "") -> Term:
        """A scheduled term that keeps samples out of the direction or plane.

        Its value is the squared cosine with the direction where that is positive, or with the
        plane, so that neither depends on the length of latents. It is weighed lightly beside
        :meth:`term` when it acts on all samples: those with the concept are pulled in by the other
        term.

        Args:
            label: A label of samples that must not lie there, of lines if the concept pools; all
                samples if None.
            name: ``"keep_out_"`` and the concept's name by default.
            track: The track that weighs it; ``name`` by default.

        Examples:
            >>> Concept("red", [1, 0, 0], at="0").keep_out().name
            'keep_out_red'
        """
        penalty = self._avoidance(power=2.0)
        name = name or f"keep_out_{self.name}"
        # labels of lines need one value for each, as those of the concept itself
        pool = regularizers.mean_pool if label and self.pool is not None else None
        return Term(name, penalty, at=self.at, label=label, mask=self.mask, track=track, pool=pool)

    def penalty(
        self,
        latents: Mapping[At, Tensor] | Tensor,
        labels: Given,
        mask: Given | None = None,
        others: float = 0.0,
    ) -> Float[Tensor, ""]:
        r"""How far the labeled samples are from the direction: one number to add to a loss.

        .. math:: \frac{\sum_i l_i (1 - \cos(z_i, v))}{\sum_i l_i} +
            \beta \frac{\sum_i (1 - l_i) \max(0, \cos(z_i, v))}{\sum_i (1 - l_i)}

        with labels :math:`l`, the direction :math:`v` and ``others`` :math:`\beta`. Each mean is
        exactly 0, with zero gradient, where nobody has weight in it; several sites count equally.
        Of a plane the first mean is of the squared sine of the angle to it, the second of the
        squared cosine (:func:`~latent_anchors.regularizers.subspace`, relative).

        With ``others=0`` nothing is asked of samples without a label. In a network that can move
        everything at once, such as a transformer with a residual stream, they land on the direction
        too; ``others=1`` keeps them away. A sample that has the concept and no label is pushed
        away as well: where most such samples are unlabeled, use a small number.

        Args:
            latents: What :func:`~latent_anchors.record` recorded, or the latents ``(..., dim)`` at
                the only site.
            labels: ``(...)``, from 0 to 1; 0 means "not labeled". One per line with ``pool``.
            mask: Which positions count ``(...)``, bool or 0 and 1.
            others: The weight of what keeps samples without a label away, at least 0. With ``pool``
                it is the mean over their lines of each line's mean over its positions.

        Returns:
            ``()``, at least 0.

        Raises:
            ValueError: If latents, labels or mask have shapes that do not fit, a label is not from
                0 to 1, or ``others`` is negative or not finite.
            KeyError: If a site was not recorded.
            TypeError: If the labels are no tensor and no array of numpy's, or latents are integers.

        References:
            The mean over labeled samples of ``ex-preppy`` (2025), with the penalty of
            :func:`~latent_anchors.regularizers.anti_anchor` for the others.

        Examples:
            >>> red = Concept("red", [1, 0], at="0")
            >>> z = torch.tensor([[1.0, 0.0], [0.0, 1.0], [0.0, 2.0]])
            >>> red.penalty(z, torch.tensor([1.0, 1.0, 0.0]))
            tensor(0.5000)
            >>> red.penalty(z, torch.zeros(3))
            tensor(0.)
            >>> red.penalty(z, torch.tensor([0.0, 1.0, 0.0]), others=1.0)
            tensor(1.5000)
        """
        given = by_site(self.name, self.sites, latents)
        pull = self._mean(self._pull, given, labels, mask)
        if not others:
            return pull
        check_finite("others", others)
        check_between("others", others, 0.0, math.inf)
        label = as_tensor(f"Label {self.name!r}", labels, given[self.sites[0]].device)
        unlabeled = 1 - (label if label.is_floating_point() else label.float())
        return pull + others * self._mean(self._push, given, unlabeled, mask)

    def _mean(
        self, terms: _Pair, latents: Mapping[At, Tensor], labels: Given, mask: Given | None
    ) -> Tensor:
        """The mean of a term over samples weighed by labels."""
        term = terms[mask is not None]
        masks = {} if mask is None or term.mask is None else {term.mask: mask}
        reduced = term.reduce(latents, {self.name: labels}, masks)
        return regularizers.mean(reduced.total, reduced.divisor)

    def edit(
        self, within: int | float | None = None, how: How = "suppress", strength: float = 1.0
    ) -> interventions.EditModule:
        """An edit that takes the concept out of latents.

        Args:
            within: Degrees from the direction within which it acts. By default ``"suppress"`` and
                ``"redirect"`` act within 90 degrees, ``"project"`` everywhere. For ``"repel"`` the
                angle that is kept free, 60 degrees by default.
            how: ``"suppress"``: the part along the direction is gone
                (:class:`~latent_anchors.interventions.Suppression`). ``"project"``: the projection
                onto the direction or plane, either sign
                (:class:`~latent_anchors.interventions.Projection`). ``"repel"``: turned away,
                lengths kept (:class:`~latent_anchors.interventions.Repulsion`). ``"redirect"``:
                turned to the opposite pole
                (:class:`~latent_anchors.interventions.Redirection`). A plane is projected out.
            strength: From 0 to 1.

        Raises:
            ValueError: If ``how`` is unknown or needs a direction and the concept is a plane, or
                the angle or the strength is out of its range.

        Examples:
            >>> red = Concept("red", [1, 0], at="0")
            >>> red.edit(within=18)(torch.tensor([[3.0, 0.1], [3.0, 3.0]]))
            tensor([[0.0000, 0.1000],
                    [3.0000, 3.0000]])
        """
        return edit_of(self.name, self.direction, within, how, strength)

    def muted(
        self,
        model: nn.Module,
        within: int | float | None = None,
        how: How = "suppress",
        strength: float = 1.0,
        where: Where | None = None,
    ) -> AbstractContextManager[dict[At, Handle]]:
        """Mute the concept at its sites for the length of a ``with`` block, in this thread.

        See :meth:`edit` for the arguments and :func:`~latent_anchors.intervene` for the block.

        Args:
            model: Any module, or a population.
            within: Degrees from the direction within which it acts.
            how: The kind of edit.
            strength: From 0 to 1.
            where: On which positions: a mask ``(batch, position)``, ``"last"``, ``"prefill"`` or
                ``"decode"``; on all if None.

        Raises:
            ValueError: If a site does not exist, an argument is out of its range, or, in a pass,
                the mask has another shape.
            RuntimeError: If the edit never acted within the block.

        Examples:
            >>> model = nn.Sequential(nn.Identity())
            >>> red = Concept("red", [1, 0], at="0")
            >>> with red.muted(model):
            ...     model(torch.tensor([3.0, 4.0]))
            tensor([0., 4.])
        """
        edit = self.edit(within, how, strength)
        return interventions.intervene(model, edit, self.sites, where)

    def amplified(
        self,
        model: nn.Module,
        factor: float = 2.0,
        within: int | float = 90,
        strength: float = 1.0,
        where: Where | None = None,
    ) -> AbstractContextManager[dict[At, Handle]]:
        """Steer the concept up at its sites for the length of a ``with`` block.

        What latents have of the direction is multiplied, so that samples without the concept stay
        as they are (:class:`~latent_anchors.interventions.Amplification`). To put the concept into
        all samples alike, add its direction with :class:`~latent_anchors.interventions.Steering`.

        Args:
            model: Any module, or a population.
            factor: Of the component along the direction, at strength 1.
            within: Degrees from the direction within which it acts.
            strength: Fraction of the change, from 0 to 1.
            where: On which positions; see :meth:`muted`.

        Raises:
            ValueError: If a site does not exist, the concept is a plane, or an argument is out of
                its range.
            RuntimeError: If the edit never acted within the block.

        Examples:
            >>> model = nn.Sequential(nn.Identity())
            >>> red = Concept("red", [1, 0], at="0")
            >>> with red.amplified(model, factor=3.0):
            ...     model(torch.tensor([3.0, 4.0]))
            tensor([9., 4.])
        """
        edit = amplifier_of(self.name, self.direction, factor, within, strength)
        return interventions.intervene(model, edit, self.sites, where)

    def removed(
        self,
        model: _Model,
        example: Inputs | None = None,
        how: Cut = "orthogonalize",
        side: Literal["both", "writing", "reading"] | None = None,
        inplace: bool = False,
    ) -> _Model:
        """A new model whose weights no longer write or read the direction at the sites.

        Of sites on a residual stream, everything that writes into them is changed, in one call; see
        :func:`~latent_anchors.interventions.orthogonalize` for the edit that this equals.

        Of two concepts that are not orthogonal, removing the second puts a part of the first back:
        remove the plane of both, as one concept.

        Args:
            model: A model, or a population; it stays as it is unless ``inplace``.
            example: What the model takes ``(...)``, a tuple of arguments, or a mapping by name, to
                find the layers around the sites.
            how: ``"orthogonalize"``, for any direction or plane; along axes also ``"ablate"``, or
                ``"prune"``, which makes the layers narrower. See
                :func:`~latent_anchors.interventions.orthogonalize`,
                :func:`~latent_anchors.interventions.ablate` and
                :func:`~latent_anchors.interventions.prune`.
            side: ``"writing"``, ``"reading"`` or ``"both"``; by default both, of a residual stream
                writing.
            inplace: Change the model itself, after all checks, instead of a copy; not for pruning.

        Returns:
            A new model, or a population with the same seeds; the model itself if ``inplace``.

        Raises:
            ValueError: If ``how`` is unknown or needs axes and the direction is not along one, the
                layers around a site are ambiguous, or one side or ``inplace`` is asked of pruning.

        Examples:
            >>> model = nn.Sequential(nn.Linear(3, 2), nn.Identity(), nn.Linear(2, 1))
            >>> red = Concept("red", [1, 0], at="1")
            >>> clean = red.removed(model, example=torch.rand(5, 3))
            >>> clean[0].weight[0]
            tensor([0., 0., 0.], grad_fn=<SelectBackward0>)
        """
        check_name("how to remove", how, get_args(Cut))
        if how == "orthogonalize":
            return interventions.orthogonalize(
                model, self.direction, self.sites, example, side, inplace
            )
        dims = axes_of(self.name, self._basis, how)
        if how == "ablate":
            return interventions.ablate(model, dims, self.sites, example, side, inplace)
        if inplace or side not in {None, "both"}:
            raise ValueError(
                f"how is 'prune', with side={side!r} and inplace={inplace}; expected neither, as "
                "layers become narrower on both sides. Use how='ablate'."
            )
        for site in self._apart(model, example):
            model = interventions.prune(model, dims, site, example)
        return model

    def _apart(self, model: nn.Module, example: Inputs | None) -> list[At]:
        """Sites between different layers: what was pruned at one is gone at the others, too."""
        sites: dict[interventions.SiteLayers, At] = {}
        for site in self.sites:
            sites.setdefault(interventions.find_layers(model, site, example), site)
        return [*sites.values()]

    def alignment(
        self, latents: Mapping[At, Tensor] | Tensor, mask: Given | None = None
    ) -> Float[Tensor, "*samples"]:
        """How far each sample lies along the direction; pooled and averaged over the sites.

        Args:
            latents: What :func:`~latent_anchors.record` recorded, or the latents ``(..., dim)`` at
                the only site.
            mask: Which positions count, of the shape of the latents without ``dim``.

        Returns:
            ``(...)``, from -1 to 1; of a plane from 0 to 1. NaN for positions, or lines, that do
            not count. See :func:`~latent_anchors.evaluation.alignment`.

        Raises:
            ValueError: If the latents have another width, or the mask has another shape.

        Examples:
            >>> Concept("red", [1, 0], at="0").alignment(torch.tensor([[3.0, 4.0]]))
            tensor([0.6000])
        """
        given = by_site(self.name, self.sites, latents)
        sites = [given[site] for site in self.sites]
        return pooled_alignment(sites, self.direction, self.pool, self._mask(mask, sites[0]))

    def score(
        self,
        model: nn.Module,
        inputs: Inputs,
        has_it: Given,
        mask: Given | None = None,
    ) -> Score:
        """How well the alignment separates samples with the concept from those without it.

        Args:
            model: A model, or a population, which gives intervals over its runs.
            inputs: What the model takes: a tensor, a tuple of arguments, or a mapping by name.
            has_it: Whether each sample has the concept ``(...)``, bool or 0 and 1. One per line
                with ``pool``.
            mask: Which positions count ``(...)``, bool or 0 and 1; with ``pool`` a line without any
                does not count.

        Raises:
            ValueError: If labels or mask have another shape than the alignments, are not 0 and 1,
                or only one kind of sample is there; or a site does not exist.
            TypeError: If the mask is of floating point.

        Examples:
            >>> model = nn.Sequential(nn.Identity())
            >>> x = torch.tensor([[1.0, 0.0], [0.6, 0.8], [0.0, 1.0], [-1.0, 0.0]])
            >>> red = Concept("red", [1, 0], at="0")
            >>> red.score(model, x, has_it=torch.tensor([1, 1, 0, 0]))
            Score(auc=1.000, margin=0.670, alignment=0.800)
        """
        found = evaluation.latents_by_site(model, inputs, self.sites)
        sites = [found[site] for site in self.sites]
        counted = self._mask(mask, sites[0])
        # run by run: a pooling that somebody wrote may expect batches of lines and no other axis
        runs = zip(*sites, strict=True)
        alignments = torch.stack(
            [pooled_alignment(run, self.direction, self.pool, counted) for run in runs]
        )
        if counted is not None and self.pool is not None:
            counted = counted.any(-1)
        return score_of(self.name, alignments, has_it, counted)

    def audit(
        self,
        model: nn.Module,
        inputs: Inputs,
        degrees: Given,
        new_inputs: Inputs,
        new_degrees: Given,
        mask: Given | None = None,
        new_mask: Given | None = None,
    ) -> evaluation.Evaluation:
        """How well probes can still read the concept off the latents at its sites.

        Probes look in all directions, where :meth:`score` looks along one. Under :meth:`muted`, or
        of a model from which the concept was :meth:`removed`, they say what is left of it. Whether
        it comes back by fine-tuning or by noise in the weights, which have no direction, is asked
        by :func:`~latent_anchors.audits.relearning` and
        :func:`~latent_anchors.audits.perturbation`.

        Args:
            model: A model, or a population; edits in force count.
            inputs: What the probes learn from: a tensor, a tuple of arguments, or a mapping.
            degrees: How much of the concept each sample has, one for each position of lines, of the
                shape of the latents without ``dim``.
            new_inputs: What the probes read.
            new_degrees: How much of the concept each has.
            mask: Which positions of ``inputs`` count, bool or 0 and 1; all if None.
            new_mask: Which positions of ``new_inputs`` count.

        Returns:
            What :func:`~latent_anchors.audits.leakage` gives, on the latents of all sites together.

        Raises:
            ValueError: If there is not one degree for each sample, all degrees to be found are
                alike, sites have latents of different shapes, or a site does not exist.

        Examples:
            >>> x = torch.randn(200, 2, generator=torch.Generator().manual_seed(0))
            >>> red, model = Concept("red", [1, 0], at="0"), nn.Sequential(nn.Identity())
            >>> found = red.audit(model, x[:100], x[:100, 0], x[100:], x[100:, 0])
            >>> round(float(found["leakage/linear"]), 3)
            1.0
        """
        given: list[Tensor] = []
        both = ((inputs, degrees, mask), (new_inputs, new_degrees, new_mask))
        for samples, known, counted in both:
            by_site = evaluation.latents_by_site(model, samples, self.sites)
            sites = [by_site[site] for site in self.sites]
            parts, kept = flattened(self.name, sites, known, self._mask(counted, sites[0]))
            given += [torch.cat(parts, dim=-1), kept]
        return audits.leakage(*given, seeds=seeds_of(model))

    @cached_property
    def _pull(self) -> _Pair:
        return _with_mask(self.term())

    @cached_property
    def _push(self) -> _Pair:
        penalty = self._avoidance(power=1.0)
        pool = None if self.pool is None else regularizers.mean_pool
        name = f"others of {self.name}"
        return _with_mask(
            Term(name, penalty, at=self.at, label=self.name, mask=self.mask, pool=pool)
        )

    def _mask(self, mask: Given | None, like: Tensor) -> Tensor | None:
        what = f"The mask of concept {self.name!r}"
        return None if mask is None else as_mask(what, mask, like.device)

    @property
    def _basis(self) -> Float[Tensor, "n dim"]:
        return self.direction.reshape(-1, self.dim)

    @property
    def _penalty(self) -> nn.Module:
        if self.direction.ndim == 1:
            return regularizers.Anchor(self.direction)
        return regularizers.Subspace(basis=self.direction, relative=True)

    def _avoidance(self, power: float) -> nn.Module:
        """What keeps latents away, at any length: from one side of a direction, or from a plane."""
        if self.direction.ndim == 1:
            return regularizers.AntiAnchor(self.direction, power=power)
        return regularizers.AntiSubspace(basis=self.direction, relative=True)

    def __repr__(self) -> str:
        plane = self.direction.ndim == 2
        what = f"a plane of {len(self.direction)}" if plane else "a direction"
        return f"Concept({self.name!r}, {what} in {self.dim} dimensions, at={self.at!r})"


def by_site(
    name: str, sites: Sequence[At], latents: Mapping[At, Tensor] | Tensor
) -> Mapping[At, Tensor]:
    """The latents of a concept, or of a bank of them: a recording, or a tensor at the only site."""
    if isinstance(latents, Mapping):
        return latents
    if not isinstance(latents, Tensor):  # pyright: ignore[reportUnnecessaryIsInstance] -- users mix up arguments
        raise TypeError(
            f"The latents of concept {name!r} are of type {type(latents).__name__}; "
            "expected what la.record(model, concept.at) recorded, or a tensor. Mind the order: "
            "latents, labels."
        )
    if len(sites) > 1:
        raise ValueError(
            f"Concept {name!r} lies at {len(sites)} sites, and one tensor was given; "
            "expected the latents of each. Pass what la.record(model, concept.at) recorded."
        )
    return dict.fromkeys(sites, latents)


def _with_mask(term: Term) -> _Pair:
    return term, replace(term, mask=term.mask or "mask")
