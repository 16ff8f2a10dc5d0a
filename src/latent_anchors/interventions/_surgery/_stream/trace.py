"""One forward pass of a model: its operations, the latents at some sites, its layers' outputs."""

from collections.abc import Generator, Sequence
from contextlib import ExitStack, contextmanager
from functools import partial
from typing import cast

import torch
from torch import Tensor, nn

from latent_anchors._eval_mode import eval_mode
from latent_anchors._hooks import attach_recorder
from latent_anchors._sites import At, layers_of
from latent_anchors.interventions._surgery._stream.channels import Source
from latent_anchors.interventions._surgery._stream.graph import Graph, Value
from latent_anchors.interventions._surgery.random_copy import Example, call_of


class Trace:
    """What one forward pass in evaluation mode showed.

    Attributes:
        graph: The operations.
        latents: For each site, its latents, once for each time that it ran.
        outputs: The values that left each layer, by the layer's name.
    """

    def __init__(self, model: nn.Module, sites: Sequence[At], example: Example | None) -> None:
        call = call_of(model, example)
        self.graph: Graph = Graph(model)
        self.latents: dict[At, list[Source]] = {site: [] for site in sites}
        self.outputs: dict[str, list[Value]] = {}
        with ExitStack() as stack:
            stack.enter_context(eval_mode(model))
            stack.enter_context(_without_fast_path())
            for site in sites:
                stack.enter_context(attach_recorder(model, site, partial(self._note, site)))
            for name, layer in layers_of(model).items():
                hook = layer.register_forward_hook(partial(self._leave, name))
                stack.callback(hook.remove)
            stack.enter_context(self.graph)
            call.run(model)

    def _note(self, site: At, z: Tensor) -> None:
        self.latents[site].append((self.graph.value(z), z.ndim - 1))

    def _leave(self, name: str, *passed: object) -> None:
        output = passed[-1]
        whole = cast("tuple[object, ...]", output if isinstance(output, tuple) else (output,))
        if whole and isinstance(whole[0], Tensor):
            self.outputs.setdefault(name, []).append(self.graph.value(whole[0]))


@contextmanager
def _without_fast_path() -> Generator[None]:
    """Attention of torch in single operations, instead of one for a whole layer."""
    before = torch.backends.mha.get_fastpath_enabled()
    torch.backends.mha.set_fastpath_enabled(False)
    try:
        yield
    finally:
        torch.backends.mha.set_fastpath_enabled(before)
