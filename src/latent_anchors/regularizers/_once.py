"""Gradients written out by hand, which have none of their own: to be taken once."""

import torch
from torch import Tensor


def check_once(gradient: Tensor | None) -> None:
    """Refuse, in a backward pass, a gradient for an output that nobody but that pass has used.

    ``once_differentiable`` would let a second derivative through that lacks a part of it.
    """
    # a compiler fills in zeros, and refuses second derivatives itself
    if gradient is not None and not torch.compiler.is_compiling():
        raise RuntimeError(
            "Separation was differentiated twice; expected once, since its gradient is written "
            "out by hand. Leave the term out of what is differentiated again."
        )
