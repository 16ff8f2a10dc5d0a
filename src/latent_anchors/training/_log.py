"""The tensors that a training writes into."""

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

from latent_anchors.models import Population
from latent_anchors.training._history import History


class Log:
    """What was written so far, ``(steps, parts or tracks, runs)``, with room for what is to come.

    In the type and place of the population's parameters; the rows in float64 on the CPU.
    """

    def __init__(
        self, tracks: Sequence[str], track_of: Mapping[str, str], population: Population
    ) -> None:
        self.tracks, self.track_of = tracks, track_of
        like = next(iter(population.parameters())).detach()
        self.means = like.new_empty(0, len(track_of), len(population))
        self.masses = self.means.clone()
        self.table = torch.empty(0, len(tracks), len(population), dtype=torch.float64)

    def room(self, steps: int) -> None:
        """Make it long enough for so many steps."""
        if steps > len(self.means):
            self.means = _longer(self.means, steps)
            self.masses = _longer(self.masses, steps)
            self.table = _longer(self.table, steps)

    def until(self, step: int) -> History:
        """What was written so far."""
        return History(
            {name: self.means[:step, i] for i, name in enumerate(self.track_of)},
            {name: self.masses[:step, i] for i, name in enumerate(self.track_of)},
            {name: self.table[:step, i] for i, name in enumerate(self.tracks)},
            self.track_of,
        )

    def recall(self, history: History, steps: int) -> None:
        """Go on from an earlier history of so many steps."""
        self.room(steps)
        for i, name in enumerate(self.track_of):
            self.means[:steps, i] = history.means[name]
            self.masses[:steps, i] = history.masses[name]
        for i, name in enumerate(self.tracks):
            self.table[:steps, i] = history.rows[name]


def _longer(tensor: Tensor, steps: int) -> Tensor:
    longer = tensor.new_full((steps, *tensor.shape[1:]), torch.nan)
    longer[: len(tensor)] = tensor
    return longer
