"""Hold latents: penalize their distance from where they were when they were captured."""

from collections.abc import Mapping

import torch
from jaxtyping import Float
from torch import Tensor

from latent_anchors._checks import check_name, listed
from latent_anchors._numerics import in_full_precision
from latent_anchors._sites import At
from latent_anchors.data import LabeledBatch
from latent_anchors.models import Population
from latent_anchors.training._callbacks import Progress, latents_in_eval_mode
from latent_anchors.training._losses.forward import Forward


class LatentHoldLoss:
    r"""Squared distance of some inputs' latents from those that were captured earlier.

    .. math:: \ell_k = \tfrac{1}{d} \lVert z(x_k) - c_k \rVert_2^2

    with the latents :math:`z` of the ``inputs`` :math:`x_k` and the captured ones :math:`c_k`,
    separately for each run. It keeps a structure that training has found by itself. Give
    ``losses={"hold": captured}`` and ``actions={"capture": captured.capture}`` to :func:`fit`, and
    let the timeline say when. Until then it is exactly 0, but for ``latents`` that were given:
    these are held from the beginning, and no capture changes them. What one training captured, the
    next one holds from its beginning, too; make a new loss to begin anew.

    Args:
        inputs: Whose latents are held ``(n, ...)``.
        at: The site.
        name: Its name among the batches' extras; different for each such loss.
        latents: Target latents ``(runs, n, dim)``, NaN where they are to be captured; all of
            it if None.

    References:
        The captured anchors of the color experiments 1.5 and 1.6 of ``ex-preppy`` (2025).

    Examples:
        >>> from latent_anchors.models import SphericalAutoencoder
        >>> captured = LatentHoldLoss(torch.eye(3))
        >>> captured.begin(Population.make(SphericalAutoencoder, seeds=range(2)))
        >>> captured.memory()["captured"].shape
        torch.Size([2, 3, 4])
    """

    def __init__(
        self,
        inputs: Tensor,
        at: At = "latent",
        name: str = "captured",
        latents: Float[Tensor, "runs n dim"] | None = None,
    ) -> None:
        self.inputs: Tensor = inputs
        self.at: At = at
        self.name: str = name
        self.latents: Tensor | None = latents
        self._given: Tensor | None = latents

    def begin(self, population: Population) -> None:
        """Allocate the captured latents, unless an earlier training captured them.

        Args:
            population: The runs to be trained.

        Raises:
            ValueError: If another number of runs, inputs or dimensions was captured or given.

        Examples:
            >>> from latent_anchors.models import SphericalAutoencoder
            >>> captured = LatentHoldLoss(torch.eye(3))
            >>> captured.begin(Population.make(SphericalAutoencoder, seeds=[0]))
            >>> captured.latents.shape
            torch.Size([1, 3, 4])
        """
        room = torch.full_like(latents_in_eval_mode(population, self.inputs, self.at), torch.nan)
        if self.latents is None:
            self.latents = room
        elif self.latents.shape != room.shape:
            raise ValueError(
                f"{self.name!r} holds latents of shape {tuple(self.latents.shape)}; expected "
                f"{tuple(room.shape)}, for {len(population)} runs. Make a new LatentHoldLoss."
            )
        self.latents = self.latents.to(room)

    def capture(self, progress: Progress) -> None:
        """Capture the inputs' current latents, as an action of a timeline.

        Args:
            progress: As :func:`fit` gives it.

        Examples:
            >>> from latent_anchors.models import SphericalAutoencoder
            >>> from latent_anchors.training import History
            >>> population = Population.make(SphericalAutoencoder, seeds=range(2))
            >>> captured = LatentHoldLoss(torch.eye(3))
            >>> captured.capture(Progress(5, population, History({}, {}, {}, {})))
            >>> captured.latents.shape
            torch.Size([2, 3, 4])
        """
        now = latents_in_eval_mode(progress.population, self.inputs, self.at)
        given = torch.full_like(now, torch.nan) if self._given is None else self._given.to(now)
        self.latents = torch.where(given.isnan(), now, given)

    def memory(self) -> dict[str, Tensor]:
        """The captured latents by the loss's name; NaN before they are captured.

        Returns:
            ``(runs, n, dim)``.

        Examples:
            >>> LatentHoldLoss(torch.eye(3)).memory()
            {}
        """
        return {} if self.latents is None else {self.name: self.latents}

    def recall(self, memory: Mapping[str, Tensor]) -> None:
        """Go on from what :meth:`memory` gave.

        Args:
            memory: By name, among which its own ``(runs, n, dim)``.

        Raises:
            ValueError: If its name is not among them.

        Examples:
            >>> captured = LatentHoldLoss(torch.eye(3))
            >>> captured.recall({"captured": torch.zeros(1, 3, 4)})
            >>> captured.latents.shape
            torch.Size([1, 3, 4])
        """
        check_name("memory", self.name, tuple(memory))
        self.latents = memory[self.name].to(self.inputs.device)

    def __call__(self, forward: Forward, batch: LabeledBatch) -> Float[Tensor, " n"]:
        """Squared distance of each input's latent from the captured one.

        Args:
            forward: A pure forward pass.
            batch: Its extras hold what was captured ``(n, dim)``.

        Returns:
            ``(n,)``, at least 0.

        Raises:
            KeyError: If nothing was captured, or under another name.

        Examples:
            >>> captured = LatentHoldLoss(torch.ones(1, 2), at="z")
            >>> batch = LabeledBatch(torch.ones(1, 2), extras={"captured": torch.zeros(1, 2)})
            >>> def forward(inputs, edits=None, record=()):
            ...     return inputs, {"z": inputs}
            >>> captured(forward, batch)
            tensor([1.])
        """
        if self.name not in batch.extras:
            raise KeyError(
                f"{self.name!r} was not captured; the batch has extras {listed(batch.extras)}. "
                "Let fit hold it, or call begin(population) and add memory() to the extras."
            )
        _, latents = forward(self.inputs.to(batch.inputs), record=[self.at])
        now, then = (in_full_precision(z) for z in (latents[self.at], batch.extras[self.name]))
        known = ~then.isnan()
        return torch.where(known, now - then.nan_to_num(), 0.0).square().mean(-1)
