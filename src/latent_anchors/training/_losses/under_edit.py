"""A loss of forward passes under an edit, whose strength may follow a track."""

from collections.abc import Iterable, Mapping

from jaxtyping import Float
from torch import Tensor

from latent_anchors._checks import listed
from latent_anchors._hooks import Edit
from latent_anchors._numerics import in_full_precision
from latent_anchors._runs import as_function
from latent_anchors._sites import At
from latent_anchors._supervision import check_label, or_nan
from latent_anchors.data import LabeledBatch
from latent_anchors.interventions import EditModule
from latent_anchors.training._losses.forward import Forward, Loss


class UnderEdit:
    r"""A loss, taken while an edit is in force: what an edit does in training, within ``fit``.

    .. math:: \ell_i(\theta) = \ell_i\big(f_{E(b_i)}(\cdot\,; \theta)\big), \qquad b_i = b\, w\, l_i

    with the forward pass :math:`f` under the ``edit`` :math:`E`, its strength :math:`b`, the value
    :math:`w` of the ``track`` at this step and the sample's ``label`` :math:`l_i`; both are 1 where
    they are not given. Terms see the latents without the edit. In a loop of your own,
    :func:`~latent_anchors.intervene` around the forward pass does the same.

    With :class:`~latent_anchors.interventions.Steering` along a concept that the data would teach,
    the weights need not move there, and without the edit afterwards the concept is not there
    (preventative steering). With :class:`~latent_anchors.interventions.Projection` nothing can be
    learned through the direction (ablation during fine-tuning).

    Args:
        loss: The loss.
        edit: An edit with a strength.
        at: The site.
        track: A track from 0 to 1 that scales the strength; among the objective's
            ``other_tracks``.
        label: A label of the batch from 0 to 1 that scales it, sample by sample.

    Raises:
        TypeError: If the edit has no strength, or is a population of edits.

    References:
        Chen et al., "Persona vectors: monitoring and controlling character traits in language
        models", 2025, section 5, for steering; Casademunt et al., "Steering out-of-distribution
        generalization with concept ablation fine-tuning", 2025, for ablation.

    Examples:
        >>> import torch
        >>> from latent_anchors.interventions import ZeroAblation
        >>> from latent_anchors.training import reconstruction
        >>> def forward(inputs, edits=None, record=()):
        ...     return edits["z"](inputs), {}
        >>> loss = UnderEdit(reconstruction, ZeroAblation([0]), at="z")
        >>> loss(forward, LabeledBatch(torch.ones(3, 2)))
        tensor([0.5000, 0.5000, 0.5000])
    """

    def __init__(
        self,
        loss: Loss,
        edit: EditModule,
        at: At,
        track: str | None = None,
        label: str | None = None,
    ) -> None:
        if not isinstance(edit, EditModule):  # pyright: ignore[reportUnnecessaryIsInstance] -- users pass plain functions all the same
            raise TypeError(
                f"The edit is {edit!r}; expected one with a strength, the same for all runs, such "
                "as Steering. Make yours a subclass of EditModule."
            )
        self.loss: Loss = loss
        self.edit: EditModule = edit
        self.at: At = at
        self.track: str | None = track
        self.label: str | None = label

    def __call__(self, forward: Forward, batch: LabeledBatch) -> Float[Tensor, " n"]:
        """The loss of each sample under the edit.

        Args:
            forward: A pure forward pass; with a track, one of :func:`~latent_anchors.fit`.
            batch: Its inputs ``(n, ...)`` and the label.

        Returns:
            ``(n,)``.

        Raises:
            KeyError: If the batch lacks the label, or the row the track.
            ValueError: If the loss edits the site, too, or a label is not from 0 to 1.

        Examples:
            >>> import torch
            >>> from latent_anchors.interventions import ZeroAblation
            >>> from latent_anchors.training import reconstruction
            >>> def forward(inputs, edits=None, record=()):
            ...     return edits["z"](inputs), {}
            >>> loss = UnderEdit(reconstruction, ZeroAblation([0]), at="z", label="red")
            >>> loss(forward, LabeledBatch(torch.ones(2, 2), {"red": torch.tensor([1, 0])}))
            tensor([0.5000, 0.0000])
        """
        edit = self._edit(forward, batch)

        def under_edit(
            inputs: Tensor, edits: Mapping[At, Edit] | None = None, record: Iterable[At] = ()
        ) -> tuple[Tensor, Mapping[At, Tensor]]:
            if self.at in (edits or {}):
                raise ValueError(
                    f"The loss edits {self.at!r} itself; expected another site than that of "
                    "UnderEdit. Join the two with edit.then(edit)."
                )
            return forward(inputs, {self.at: edit, **(edits or {})}, record)

        return self.loss(under_edit, batch)

    def _edit(self, forward: Forward, batch: LabeledBatch) -> Edit:
        scale, row = self.edit.strength.to(batch.inputs.device), getattr(forward, "row", {})
        if self.track is not None:
            scale = scale * _named("track", self.track, row)
        if self.label is None:
            return as_function(self.edit, {"strength": scale})
        label = _named("label", self.label, batch.labels)
        check_label(f"The label {self.label!r} of UnderEdit", label, None, "freely")

        def edited(z: Tensor) -> Tensor:
            own = or_nan(label.to(in_full_precision(z))).reshape(-1, *[1] * (z.ndim - 2))
            return as_function(self.edit, {"strength": scale * own})(z)

        return edited


def _named(kind: str, name: str, given: Mapping[str, Tensor]) -> Tensor:
    if name not in given:
        raise KeyError(
            f"UnderEdit needs {kind} {name!r}; there is {listed(given)}. A track must be of the "
            "timeline that fit plays, and among the objective's other_tracks; in a loop of your "
            "own, write into edit.strength."
        )
    return given[name]
