"""The base class of edits: a strength that can be changed in place; composition; kept norms."""

from abc import ABC, abstractmethod
from copy import deepcopy
from typing import TypeVar

import torch
from jaxtyping import Float
from torch import Tensor, nn
from typing_extensions import override

from latent_anchors._checks import check_between
from latent_anchors._numerics import NOISE, in_full_precision, length
from latent_anchors._typing import Latents

_Edit = TypeVar("_Edit", bound="EditModule")


def check_strength(strength: float | Tensor) -> None:
    """Refuse a number that is no share of an edit; a tensor may be traced, and passes."""
    if not isinstance(strength, Tensor):
        check_between("strength", strength, 0.0, 1.0)


class EditModule(nn.Module, ABC):
    """Base class of edits with a strength from 0 (no change) to 1, kept in a tensor ``()``.

    The strength can be changed in place, also while the edit is in force. Latents ``(..., dim)``
    become latents of the same shape.

    To write an edit, subclass this and define ``_edited(z, strength)``. It must not modify ``z`` in
    place, and must return it unchanged at strength 0. Keep the constructor's arguments as
    attributes, so that the edit can be saved.

    Args:
        strength: From 0 to 1.

    Raises:
        ValueError: If the strength is not from 0 to 1, or the latents do not have the width that
            the edit was made for.
        TypeError: If the latents are integers.

    Examples:
        >>> class Darken(EditModule):
        ...     def _edited(self, z, strength):
        ...         return z * (1 - strength)
        >>> Darken(0.5)(torch.tensor([3.0, 4.0]))
        tensor([1.5000, 2.0000])
    """

    strength: Float[Tensor, "*runs"]

    def __init__(self, strength: float = 1.0) -> None:
        super().__init__()
        check_between("strength", strength, 0.0, 1.0)
        self.register_buffer("strength", torch.tensor(float(strength)))

    @abstractmethod
    def _edited(self, z: Latents, strength: Tensor) -> Latents:
        """The latents after the edit at a strength, possibly another than ``self.strength``."""

    @override
    def forward(self, z: Latents) -> Latents:
        """The latents ``(..., dim)`` after the edit."""
        return self._edited(z, self.strength)

    def at(self: _Edit, strength: float) -> _Edit:
        """A copy of the edit at another strength.

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

    def then(self, edit: "EditModule") -> "Composition":
        """This edit followed by another one.

        Raises:
            TypeError: If the other one has no strength.

        Examples:
            >>> from latent_anchors.interventions import Suppression
            >>> Suppression([1, 0]).then(Suppression([0, 1]))(torch.tensor([3.0, 4.0]))
            tensor([0., 0.])
        """
        return Composition(self, edit)

    def keep_norm(self) -> "NormKeeping":
        """This edit, after which each latent is rescaled to the length that it had.

        Examples:
            >>> from latent_anchors.interventions import Projection
            >>> Projection([1, 0]).keep_norm()(torch.tensor([3.0, 4.0]))
            tensor([0., 5.])
        """
        return NormKeeping(self)

    @override
    def extra_repr(self) -> str:
        per_run = "one per run" if self.strength.ndim else f"{float(self.strength):g}"
        return ", ".join([*self._settings(), f"strength={per_run}"])

    def _settings(self) -> list[str]:
        """Settings printed before the strength."""
        return []


class Composition(EditModule):
    """One edit after another; see :meth:`EditModule.then`.

    Its strength is multiplied with that of each part: 0 is the identity, 1 leaves both as they are.

    Args:
        first: Acts first.
        second: Acts on the result of the first.
        strength: From 0 to 1.

    Raises:
        TypeError: If a part is not an edit with a strength.
        ValueError: If the strength is not from 0 to 1.

    Examples:
        >>> from latent_anchors.interventions import Suppression
        >>> both = Composition(Suppression([1, 0]), Suppression([0, 1], strength=0.5))
        >>> both.at(0.5)(torch.tensor([4.0, 4.0]))
        tensor([2., 3.])
    """

    def __init__(self, first: EditModule, second: EditModule, strength: float = 1.0) -> None:
        super().__init__(strength)
        for edit in (first, second):
            _check_part(edit, "a composition")
        self.first: EditModule = first
        self.second: EditModule = second

    @override
    def _edited(self, z: Latents, strength: Tensor) -> Latents:
        # half precision is rounded once, at the end
        between = self.first._edited(in_full_precision(z), strength * self.first.strength)
        return self.second._edited(between, strength * self.second.strength).to(z.dtype)


class NormKeeping(EditModule):
    r"""An edit after which each latent has the length that it had before.

    .. math:: z' = \frac{\lVert z \rVert}{\lVert h(z) \rVert} \, h(z)

    with the ``edit`` :math:`h`, whose strength is multiplied with that of this one. Where nothing
    is left of a latent but rounding errors, there is no direction to rescale: it stays what the
    edit made of it. A latent at the origin stays there. Made by :meth:`EditModule.keep_norm`.

    Args:
        edit: The edit.
        strength: From 0 to 1.

    Raises:
        TypeError: If it is not an edit with a strength.
        ValueError: If the strength is not from 0 to 1.

    References:
        Norm-preserving ablation, as used with language models whose layers are sensitive to the
        length of the residual stream: ``p-e-w/heretic``, pull request 52, 2025.

    Examples:
        >>> from latent_anchors.interventions import Steering
        >>> NormKeeping(Steering([0, 5]))(torch.tensor([[5.0, 0.0], [0.0, 1.0]]))
        tensor([[3.5355, 3.5355],
                [0.0000, 1.0000]])
    """

    def __init__(self, edit: EditModule, strength: float = 1.0) -> None:
        super().__init__(strength)
        _check_part(edit, "a norm-keeping edit")
        self.edit: EditModule = edit

    @override
    def _edited(self, z: Latents, strength: Tensor) -> Latents:
        full = in_full_precision(z)
        rest = self.edit._edited(full, strength * self.edit.strength)
        # a direction in float32 leaves as much of float64 latents
        held = [t for name, t in self.edit.named_buffers() if not name.endswith("strength")]
        floats = [t.dtype for t in (full, *held) if t.is_floating_point()]
        coarsest = max(torch.finfo(dtype).eps for dtype in floats)
        return _as_long_as(full, rest, NOISE * coarsest).to(z.dtype)


def _as_long_as(z: Latents, rest: Latents, noise: float) -> Latents:
    """The rest at the length of z; unchanged where it is as long already, or only rounding."""
    before, left = length(z), length(rest)
    stretched = (left > noise * before) & (left != before)
    stretch = torch.where(stretched, before / torch.where(stretched, left, 1.0), 1.0)
    return rest * stretch.unsqueeze(-1)


def _check_part(edit: object, of: str) -> None:
    if not isinstance(edit, EditModule):
        raise TypeError(
            f"{edit!r} cannot be part of {of}; expected an edit with a strength. "
            "Make it a subclass of EditModule, or attach one after the other."
        )
