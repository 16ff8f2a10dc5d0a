"""What left a site at one pass, and whether it was written to since.

An operation in place behind a site, such as ``ReLU(inplace=True)`` or ``x += shortcut``, would
write into what was recorded. Where that happens, the model goes on with a copy. Whether it does is
seen at a layer's first pass, which is always handed on as a copy; torch counts how often a tensor
was written to.
"""

from typing import Any, cast
from weakref import WeakKeyDictionary

import torch
from torch import Tensor, nn

from latent_anchors._sites import Site

_written: WeakKeyDictionary[nn.Module, dict[tuple[object, ...], bool]] = WeakKeyDictionary()
"""By layer: whether what leaves it is written to behind, in training and in evaluation."""


class Reading:
    """The latents that left a site at one pass.

    Attributes:
        z: The latents.
        handed_on: What the model goes on with: the same, or a copy.
    """

    def __init__(self, z: Tensor, site: Site, layer: nn.Module | None = None) -> None:
        self.z: Tensor = z
        self.handed_on: Tensor = z
        self.site = site
        self._seen: dict[tuple[object, ...], bool] | None = None
        if layer is None:
            return  # nothing runs behind
        if torch.compiler.is_compiling() or z.is_inference():
            self.handed_on = z.clone()  # nobody counts there
            return
        self._seen = _written.setdefault(layer, {})
        self._case = (site.item, layer.training)
        if self._seen.get(self._case, True):
            self.handed_on = z.clone()
        self._watched = _innermost(self.handed_on)
        self._version = self._watched._version

    def latents(self) -> Tensor:
        """The latents as they left the site; raises where they are lost."""
        if self._settle() and self.handed_on is self.z:
            raise RuntimeError(
                f"The latents of site {self.site.name!r} were changed in place after they had been "
                "recorded, by an operation behind the site such as ReLU(inplace=True) or `x += y`, "
                "which no pass had done before; expected them as they left. Run the model again: "
                "from now on it goes on with a copy."
            )
        return self.z

    def _settle(self) -> bool:
        """Whether what was handed on was written to, noted for the layer's next pass."""
        if self._seen is None:
            return False
        written = self._watched._version != self._version
        self._seen[self._case] = written or self._seen.get(self._case, False)
        return written


def version_of(z: Tensor) -> int | None:
    """How often a tensor was written to, under vmap and grad, too; None where nobody counts."""
    inner = _innermost(z)
    return None if inner.is_inference() else inner._version


def _innermost(z: Tensor) -> Tensor:
    """The tensor within the wrappers of vmap and grad."""
    functorch = cast("Any", torch)._C._functorch  # no public name for it
    while functorch.is_functorch_wrapped_tensor(z):
        z = functorch.get_unwrapped(z)
    return z
