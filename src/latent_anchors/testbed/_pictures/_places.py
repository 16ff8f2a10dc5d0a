"""The places of pictures: squares of pixels, their mean colors, and their errors."""

from dataclasses import dataclass
from functools import cached_property

from jaxtyping import Bool, Float
from torch import Tensor
from torch.nn import functional

from latent_anchors._checks import check_count
from latent_anchors.colorspace import hue_distance, hue_of, rgb_to_hsv

VIVID, COLORED = 0.5, 0.35
"""Chroma above which a place is vivid: its hue is plain to see, whatever else is in the square; and
above which it is colored at all."""

GRAY = 0.5
"""Mid-gray, which is shown where a hue is muted."""

TURN = 360.0


@dataclass(frozen=True, eq=False)
class Places:
    """The squares of pixels that pictures are made of, by their mean colors.

    Attributes:
        pictures: RGB ``(n, 3, height, width)``, from 0 to 1.
        patch: Pixels along a square's side.

    Raises:
        ValueError: If height or width is no multiple of the patch.

    Examples:
        >>> import torch
        >>> red = torch.tensor([1.0, 0.0, 0.0]).reshape(1, 3, 1, 1).expand(1, 3, 8, 8)
        >>> places = Places(red)
        >>> places.colors.shape, places.near("red").all(), places.away_from("red").any()
        (torch.Size([1, 2, 2, 3]), tensor(True), tensor(False))
    """

    pictures: Float[Tensor, "n 3 height width"]
    patch: int = 4

    def __post_init__(self) -> None:
        _check_patch(self.pictures, self.patch)

    @cached_property
    def colors(self) -> Float[Tensor, "n rows columns 3"]:
        """Mean color of each place.

        Examples:
            >>> import torch
            >>> Places(torch.zeros(2, 3, 32, 32)).colors.shape
            torch.Size([2, 8, 8, 3])
        """
        return functional.avg_pool2d(self.pictures, self.patch).movedim(1, -1)

    @cached_property
    def chroma(self) -> Float[Tensor, "n rows columns"]:
        """How colorful each place is: the greatest channel less the least, from 0 to 1.

        Examples:
            >>> import torch
            >>> Places(torch.ones(1, 3, 4, 4)).chroma
            tensor([[[0.]]])
        """
        return self.colors.amax(-1) - self.colors.amin(-1)

    @property
    def colored(self) -> Bool[Tensor, "n rows columns"]:
        """Places with some color, which need not be vivid.

        Examples:
            >>> import torch
            >>> Places(torch.ones(1, 3, 4, 4)).colored
            tensor([[[False]]])
        """
        return self.chroma > COLORED

    def near(self, concept: str, degrees: int | float = 7.5) -> Bool[Tensor, "n rows columns"]:
        """Vivid places whose hue is at most some degrees away from a named one.

        Args:
            concept: One of the twelve hues.
            degrees: At most so far away.

        Returns:
            ``(n, rows, columns)``.

        Raises:
            ValueError: If there is no such hue.

        Examples:
            >>> import torch
            >>> Places(torch.ones(1, 3, 4, 4)).near("red")
            tensor([[[False]]])
        """
        return (self.chroma > VIVID) & (self._degrees_from(hue_of(concept)) <= degrees)

    def away_from(
        self, concept: str, degrees: int | float = 25.0
    ) -> Bool[Tensor, "n rows columns"]:
        """Vivid places whose hue is at least some degrees away from a named one.

        Args:
            concept: One of the twelve hues.
            degrees: At least so far away.

        Returns:
            ``(n, rows, columns)``.

        Raises:
            ValueError: If there is no such hue.

        Examples:
            >>> import torch
            >>> blue = torch.tensor([0.0, 0.0, 1.0]).reshape(1, 3, 1, 1).expand(1, 3, 4, 4)
            >>> Places(blue).away_from("red")
            tensor([[[True]]])
        """
        return (self.chroma > VIVID) & (self._degrees_from(hue_of(concept)) >= degrees)

    def _degrees_from(self, hue: float) -> Float[Tensor, "n rows columns"]:
        return TURN * hue_distance(rgb_to_hsv(self.colors)[..., 0], hue)


def place_errors(
    output: Float[Tensor, "*batch 3 height width"], target: Tensor, patch: int = 4
) -> Float[Tensor, "*batch rows columns"]:
    r"""Mean squared error of each place, over its pixels and channels.

    .. math:: e = \tfrac{1}{3 p^2} \lVert y - x \rVert_2^2

    with the outputs :math:`y` and the target :math:`x` within the square of :math:`p \times p`
    pixels.

    Args:
        output: ``(..., 3, height, width)``.
        target: What it should be ``(...)``, broadcast to the output, such as a gray ``()``.
        patch: Pixels :math:`p` along a square's side.

    Returns:
        ``(..., rows, columns)``.

    Raises:
        ValueError: If height or width is no multiple of the patch.

    References:
        The usual loss of an autoencoder: Hinton and Salakhutdinov, Science, 2006.

    Examples:
        >>> import torch
        >>> place_errors(torch.ones(1, 3, 4, 8), torch.tensor(0.5))
        tensor([[[0.2500, 0.2500]]])
    """
    _check_patch(output, patch)
    errors = (output - target).square().mean(-3, keepdim=True)
    pooled = functional.avg_pool2d(errors.flatten(0, -4), patch)
    return pooled.reshape(*errors.shape[:-3], *pooled.shape[-2:])


def _check_patch(pictures: Tensor, patch: int) -> None:
    check_count("patch", patch)
    height, width = pictures.shape[-2:]
    if height % patch or width % patch:
        raise ValueError(
            f"The pictures are {height} by {width} pixels; expected multiples of the patch, "
            f"{patch}. Resize them, or choose another patch."
        )
