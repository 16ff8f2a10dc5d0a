"""The latents of one pass, protected from in-place operations of later layers.

An in-place operation after a site, such as ``ReLU(inplace=True)`` or ``x += shortcut``, would
overwrite what was recorded. Where that happens, later layers get a copy. Whether it does is seen
in a layer's first pass, which always passes on a copy: torch counts the writes to a tensor
(``Tensor._version``). A layer's input is never exchanged for a copy, as its caller may rely
on the layer's writing into it; there the recording keeps the copy.
"""

from collections.abc import Mapping
from typing import Any, cast
from weakref import WeakKeyDictionary

import torch
from torch import Tensor, nn

from latent_anchors._sites import Site, layers_of

_written: WeakKeyDictionary[nn.Module, dict[tuple[object, ...], bool]] = WeakKeyDictionary()
"""By layer: whether its output or input is overwritten, in training and in evaluation mode."""


class Reading:
    """The latents at a site in one pass.

    Attributes:
        z: The latents.
        passed_on: What later layers get, or the layer itself: the same tensor, or a copy.
    """

    def __init__(self, z: Tensor, site: Site, layer: nn.Module | None = None) -> None:
        self.z: Tensor = z
        self.passed_on: Tensor = z
        self.site = site
        self._spare: Tensor | None = None
        self._seen: dict[tuple[object, ...], bool] | None = None
        if layer is None:
            return  # no layer runs afterwards
        # no version counter there; copies made in inference mode have none either
        if torch.compiler.is_compiling() or z.is_inference() or torch.is_inference_mode_enabled():
            self._keep_apart(site.side)
            self.z = z if self._spare is None else self._spare
            return
        self._seen = _written.setdefault(layer, {})
        self._case = (site.side, site.item, layer.training)
        if self._seen.get(self._case, True):
            self._keep_apart(site.side)
        self._watched = _innermost(self.passed_on)
        self._version = self._watched._version

    def latents(self) -> Tensor:
        """The latents as they left the site; raises if they were overwritten."""
        written = self._settle()
        if written and self._spare is not None:
            return self._spare
        if written and self.passed_on is self.z:
            raise RuntimeError(
                f"The latents of site {self.site.name!r} were changed in place after they had been "
                "recorded, by an operation behind the site such as ReLU(inplace=True) or `x += y`, "
                "which no pass had done before; expected them as they left. Run the model again: "
                "from now on it goes on with a copy."
            )
        return self.z

    def _keep_apart(self, side: str) -> None:
        """Make a copy, for what comes after an output or for the recording of an input."""
        if side == "output":
            self.passed_on = self.z.clone()
        else:
            self._spare = self.z.clone()

    def _settle(self) -> bool:
        """Whether what was passed on was written to, noted for the layer's next pass."""
        if self._seen is None:
            return False
        written = self._watched._version != self._version
        self._seen[self._case] = written or self._seen.get(self._case, False)
        return written


def version_of(z: Tensor) -> int | None:
    """A tensor's version counter, under vmap and grad, too; None in inference mode."""
    inner = _innermost(z)
    return None if inner.is_inference() else inner._version


def _innermost(z: Tensor) -> Tensor:
    """The tensor within the wrappers of vmap and grad."""
    functorch = cast("Any", torch)._C._functorch  # no public name for it
    while functorch.is_functorch_wrapped_tensor(z):
        z = functorch.get_unwrapped(z)
    return z


def known_writes(model: nn.Module) -> dict[str, dict[tuple[object, ...], bool]]:
    """What was seen of each layer so far, by name, for a training that goes on elsewhere.

    There, too, a layer's first pass would pass on a copy; gradients that meet at its output would
    be added in another order, and differ from those of a training that was never interrupted in
    their last bit.
    """
    layers = layers_of(model).items()
    return {name: {**_written[layer]} for name, layer in layers if layer in _written}


def recall_writes(model: nn.Module, known: Mapping[str, Mapping[tuple[object, ...], bool]]) -> None:
    """Know what was seen of the layers of another model of the same names."""
    layers = layers_of(model)
    for name in known.keys() & layers.keys():
        _written.setdefault(layers[name], {}).update(known[name])
