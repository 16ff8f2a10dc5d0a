"""A transition at many points at once."""

import numpy as np
from numpy.typing import NDArray

from latent_anchors.transitions._easing import cosine, linear, minimum_jerk, smoothstep, step_end
from latent_anchors.transitions._passing import pchip, quintic
from latent_anchors.transitions._transition import Transition


def tabulate(transition: Transition, progress: NDArray[np.float64]) -> NDArray[np.float64]:
    """The values of any transition on an array; ours in one go, a user's one by one.

    Args:
        transition: a function of one number.
        progress: of shape ``(...)``, from 0 to 1.

    Returns:
        Progress made, of shape ``(...)``.

    Examples:
        >>> tabulate(lambda progress: progress**2, np.array([0.0, 0.5, 1.0])).tolist()
        [0.0, 0.25, 1.0]
    """
    points = progress.ravel()
    for easing in (linear, smoothstep, minimum_jerk, cosine, step_end, pchip, quintic):
        if transition is easing:
            return easing(points).reshape(progress.shape)
    values = [float(transition(tau)) for tau in points.tolist()]
    return np.array(values, dtype=np.float64).reshape(progress.shape)
