"""What edits share: a strength that can be written in place, copies at another one, composition."""

from copy import deepcopy
from typing import TypeVar

import torch
from jaxtyping import Float
from torch import Tensor, nn

from latent_anchors._checks import check_between

_Edit = TypeVar("_Edit", bound="EditModule")


class EditModule(nn.Module):
    """An edit with a strength from 0 (nothing happens) to 1, kept in a tensor ``()``."""

    strength: Float[Tensor, ""]

    def __init__(self, strength: float) -> None:
        super().__init__()
        check_between("strength", strength, 0.0, 1.0)
        self.register_buffer("strength", torch.tensor(float(strength)))

    def at(self: _Edit, strength: float) -> _Edit:
        """The same edit at another strength; this one stays as it is.

        Raises:
            ValueError: If the strength is not from 0 to 1.

        Examples:
            >>> from latent_anchors.interventions import Suppression
            >>> Suppression([1, 0]).at(0.0)(torch.tensor([3.0, 4.0]))
            tensor([3., 4.])
        """
        check_between("strength", strength, 0.0, 1.0)
        other = deepcopy(self)
        other.strength.fill_(strength)
        return other

    def then(self, edit: nn.Module) -> nn.Sequential:
        """This edit, and another one after it.

        Examples:
            >>> from latent_anchors.interventions import Suppression
            >>> Suppression([1, 0]).then(Suppression([0, 1]))(torch.tensor([3.0, 4.0]))
            tensor([0., 0.])
        """
        return nn.Sequential(self, edit)
