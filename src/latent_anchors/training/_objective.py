"""Terms and losses, weighed by a row, in one total."""

from collections.abc import Callable, Generator, Iterable, Mapping
from contextlib import contextmanager

import torch
from jaxtyping import Float
from torch import Tensor, nn
from typing_extensions import override

from latent_anchors._checks import listed
from latent_anchors._sites import At, as_site, resolve
from latent_anchors._supervision import Given, Look, as_tensor, check_label
from latent_anchors.data import LabeledBatch
from latent_anchors.models import record
from latent_anchors.regularizers import Term, reduce_terms
from latent_anchors.training._objective_output import (
    TOTAL,
    ObjectiveOutput,
    check_weight,
    part_of,
    reduction_of_loss,
    weighted,
)

Row = Mapping[str, float | Tensor]
"""The values of all tracks at one step, by name."""

RESERVED = ("latents", "labels", "row", "masks", "look")
"""What an objective is called with beside its losses."""


class Objective(nn.Module):
    r"""Terms and losses, weighed by a row, in one total.

    .. math:: L = \sum_k w_k \frac{T_k}{D_k}

    with the weighted sum :math:`T_k` and divisor :math:`D_k` of each term or loss, and the weight
    :math:`w_k` that the row holds for its track. A part whose divisor is 0 is exactly 0. It takes
    a row and never a step; in evaluation mode it is the same.

    Every track has exactly one kind of consumer: terms, a loss, or a name in ``other_tracks``. A
    track without a consumer and a part without a weight are both refused.

    Args:
        terms: What acts on latents.
        losses: Names of the values that the caller passes by keyword.
        tracks: Names of the tracks that rows will hold; checked at the first row if None.
        other_tracks: Names in the row that others read, such as ``"lr"``.
        constants: Weights that never change, by track.
        reduce_mass: One function on the vector of divisors ``(parts,)``. Where gradients are
            averaged over processes, as they are under DDP, give :func:`mean_over_processes`.

    Raises:
        ValueError: If names recur, a loss has the name of an argument of :meth:`forward`, tracks
            and consumers do not match, or a constant is negative or not finite.

    References:
        The weighted sum of ``ex-preppy`` (2025), there with weight 1 for terms without a track.

    Examples:
        >>> from latent_anchors.regularizers import Anchor
        >>> objective = Objective([Term("anchor", Anchor([1, 0]), label="red")], losses=["recon"])
        >>> latents, labels = {"latent": torch.eye(2)}, {"red": torch.tensor([0.0, 1.0])}
        >>> row = {"anchor": 0.5, "recon": 1.0}
        >>> objective(latents, labels, row, recon=torch.tensor([0.1, 0.3])).total
        tensor(0.7000)
    """

    def __init__(
        self,
        terms: Iterable[Term],
        losses: Iterable[str] = (),
        tracks: Iterable[str] | None = None,
        other_tracks: Iterable[str] = (),
        constants: Mapping[str, float] | None = None,
        reduce_mass: Callable[[Float[Tensor, " parts"]], Float[Tensor, " parts"]] | None = None,
    ) -> None:
        super().__init__()
        self.terms: tuple[Term, ...] = tuple(terms)
        self.losses: tuple[str, ...] = tuple(losses)
        self.tracks: tuple[str, ...] | None = None if tracks is None else tuple(tracks)
        self.other_tracks: tuple[str, ...] = tuple(other_tracks)
        self.constants: dict[str, float] = dict(constants or {})
        for name, constant in self.constants.items():
            check_weight(name, constant)
        self.reduce_mass: Callable[[Tensor], Tensor] | None = reduce_mass
        # registered so that their tensors travel with the objective
        penalties = [term.penalty for term in self.terms]
        self.penalties: nn.ModuleList = nn.ModuleList(
            p for p in penalties if isinstance(p, nn.Module)
        )
        self.track_of: dict[str, str] = {term.name: term.track for term in self.terms}
        self.track_of |= {name: name for name in self.losses}
        self._check_names()
        self._checked: tuple[str, ...] | None = None
        self._looked: bool = False
        if self.tracks is not None:
            self.check_tracks(self.tracks)

    @property
    def sites(self) -> tuple[At, ...]:
        """Where terms act: what to record.

        Examples:
            >>> from latent_anchors.regularizers import unit_norm
            >>> Objective([Term("unit", unit_norm, at="encoder")]).sites
            ('encoder',)
        """
        return tuple(dict.fromkeys(at for term in self.terms for at in term.shares))

    @property
    def names(self) -> tuple[str, ...]:
        """Terms and losses, in order.

        Examples:
            >>> Objective([], losses=["recon"]).names
            ('recon',)
        """
        return tuple(self.track_of)

    @override
    def forward(
        self,
        latents: Mapping[At, Tensor],
        labels: Mapping[str, Given] | None,
        row: Row,
        masks: Mapping[str, Given] | None = None,
        look: Look | None = None,
        **losses: Tensor,
    ) -> ObjectiveOutput:
        """The total of one batch and its parts.

        Args:
            latents: What was recorded, by site ``(..., dim)``.
            labels: By name ``(...)``, in [0, 1]; tensors or arrays of numpy's.
            row: A weight for every track, at least 0.
            masks: By name ``(...)``, for terms with a ``mask``; bool, or whole numbers 0 and 1.
            look: When labels and weights that are tensors are looked at, as in
                :meth:`Term.reduce <latent_anchors.regularizers.Term.reduce>`; if None, always on
                the CPU, and once on a GPU, since it has to synchronize. Where one that was
                not looked at is none, the total is NaN.
            losses: By name, per sample ``(batch,)`` or a mean already ``()``.

        Returns:
            Total and parts, all ``()``.

        Raises:
            ValueError: If names in the row or of the losses do not match, a weight is negative or
                not finite, or a label or mask has the wrong shape, place or numbers.
            KeyError: If the batch lacks a label, a mask or the latents of a site.
            TypeError: If a label, a mask, latents or a loss are no tensor.

        Examples:
            >>> objective = Objective([], losses=["recon"])
            >>> objective({}, {}, {"recon": 2.0}, recon=torch.tensor(3.0)).total
            tensor(6.)
        """
        self.check_tracks(row)
        self._check_losses(losses)
        look = look or self._once()
        reduced = reduce_terms(self.terms, latents, labels, masks, look)
        sums = dict(zip([term.name for term in self.terms], reduced, strict=True))
        sums |= {name: reduction_of_loss(name, losses[name]) for name in self.losses}
        divisors = [reduction.divisor for reduction in sums.values()]
        if self.reduce_mass is not None:
            divisors = list(self.reduce_mass(torch.stack(divisors)))
        weights = {**self.constants, **row}
        parts = {
            name: part_of(name, reduction, divisor, weights[self.track_of[name]], look)
            for (name, reduction), divisor in zip(sums.items(), divisors, strict=True)
        }
        total = torch.stack([part.weight * part.mean for part in parts.values()]).sum()
        return ObjectiveOutput(total, parts)

    def check(self, model: nn.Module, batch: LabeledBatch) -> None:
        """Refuse early what does not fit: sites, labels, masks and shapes, tried on one batch.

        The model is left as it was, running averages included.

        Args:
            model: The one to be trained.
            batch: As the training will see it.

        Raises:
            ValueError: If a site does not exist, or a label or mask has the wrong shape, place or
                numbers.
            KeyError: If the batch lacks a label or a mask.
            TypeError: If a label or mask is no tensor.

        Examples:
            >>> from latent_anchors.regularizers import unit_norm
            >>> objective = Objective([Term("unit", unit_norm, at="1")])
            >>> objective.check(nn.Sequential(nn.Linear(3, 2)), LabeledBatch(torch.rand(4, 3)))
            Traceback (most recent call last):
                ...
            ValueError: Unknown site '1'; expected one of '0'.
        """
        for at in self.sites:
            resolve(model, as_site(at))
        with _left_as_it_was(model), record(model, self.sites) as latents:
            model(batch.inputs)
        for term in self.terms:
            term.reduce(latents, batch.labels, batch.extras)

    def check_labels(
        self, labels: Mapping[str, Given], masks: Mapping[str, Given] | None = None
    ) -> None:
        """Refuse labels that cannot be ones, of one batch or of many at once, without latents.

        Those that no term reads, as losses may, are from 0 to 1 everywhere.

        Args:
            labels: By name ``(...)``.
            masks: By name, as :meth:`forward` takes them.

        Raises:
            KeyError: If one that a term needs is not there.
            ValueError: If a label that counts is not from 0 to 1, or a mask is not 0 or 1.
            TypeError: If one is no tensor and no array of numpy's.

        Examples:
            >>> try:
            ...     Objective([]).check_labels({"red": torch.tensor([1.0, float("nan")])})
            ... except ValueError as error:
            ...     print(str(error).split(";")[0])
            Label 'red' is NaN at 1 of 2 places that count
        """
        for term in self.terms:
            term.check_labels(labels, masks)
        for name in {*labels} - {term.label for term in self.terms}:
            what = f"Label {name!r}"
            check_label(what, as_tensor(what, labels[name]), None, "always")

    def check_tracks(self, tracks: Iterable[str]) -> None:
        """Refuse tracks without a consumer, and parts without a weight.

        Args:
            tracks: The names that rows hold.

        Raises:
            ValueError: If tracks and consumers do not match; both lists are named.

        Examples:
            >>> try:
            ...     Objective([], losses=["recon"]).check_tracks(["recom"])
            ... except ValueError as error:
            ...     print(str(error).split(".")[0])
            Missing weights: 'recon'; unused tracks: 'recom'; weighed twice: nothing
        """
        given = tuple(tracks)
        if given == self._checked:
            return
        weighed = {*given, *self.constants}
        needed = {*self.track_of.values(), *self.other_tracks}
        if weighed != needed or set(given) & set(self.constants):
            raise ValueError(
                f"Missing weights: {listed(sorted(needed - weighed))}; "
                f"unused tracks: {listed(sorted(weighed - needed))}; "
                f"weighed twice: {listed(sorted(set(given) & set(self.constants)))}. "
                f"The tracks are {listed(given)}, the constants {listed(self.constants)}; terms, "
                f"losses and other_tracks need {listed(sorted(needed))}. Add a track or a constant "
                "for each part, and name what others read in other_tracks=['lr', ...]."
            )
        self._checked = given

    def _check_names(self) -> None:
        names = [*(term.name for term in self.terms), *self.losses]
        logged = {TOTAL, *map(weighted, names)}
        twice = sorted({name for name in names if names.count(name) > 1 or name in logged})
        both = sorted({*self.track_of.values()} & {*self.other_tracks})
        if twice or both:
            raise ValueError(
                f"Names that recur among terms and losses: {listed(twice)}; tracks that are both "
                f"weights and among other_tracks: {listed(both)}. Give each its own name; "
                f"{TOTAL!r} and '<name>/weighted' are numbers of means()."
            )
        taken = [name for name in self.losses if name in RESERVED]
        if taken:
            raise ValueError(
                f"Losses were named {listed(taken)}; expected other names than {listed(RESERVED)}, "
                "with which an objective is called. Rename the loss, and its track."
            )

    def _once(self) -> Look:
        """Check everything the first time, and later only what needs no synchronization."""
        if torch.compiler.is_compiling() or self._looked:
            return "freely"
        self._looked = True
        return "always"

    def _check_losses(self, losses: Mapping[str, Tensor]) -> None:
        if set(losses) != set(self.losses):
            raise ValueError(
                f"The losses passed are {listed(losses)}; the objective was made for "
                f"{listed(self.losses)}. Pass each by keyword, and declare it in losses=[...]."
            )


@contextmanager
def _left_as_it_was(model: nn.Module) -> Generator[None]:
    """Running averages and the global generator are put back."""
    buffers = {name: buffer.clone() for name, buffer in model.named_buffers()}
    with torch.random.fork_rng(), torch.no_grad():
        try:
            yield
        finally:
            for name, buffer in model.named_buffers():
                buffer.copy_(buffers[name])
