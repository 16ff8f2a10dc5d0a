"""One forward pass of a model: its operations, and the latents at some sites."""

from collections.abc import Generator, Sequence
from contextlib import ExitStack, contextmanager
from functools import partial

import torch
from torch import Tensor, nn

from latent_anchors._hooks import attach_recorder
from latent_anchors._sites import At, layers_of
from latent_anchors._streams import seeded
from latent_anchors.interventions._surgery._stream.channels import Source
from latent_anchors.interventions._surgery._stream.graph import Graph, Value
from latent_anchors.interventions._surgery.compare_outputs import tensors_in
from latent_anchors.interventions._surgery.random_copy import Example, WithoutAutocast, call_of


class Trace:
    """What one forward pass in evaluation mode showed.

    Attributes:
        graph: The operations.
        outputs: The values in the model's output.
        latents: For each site, its latents, once for each time that it ran.
    """

    def __init__(self, model: nn.Module, sites: Sequence[At], example: Example | None) -> None:
        call = call_of(model, example)
        self.graph: Graph = Graph(model)
        self.latents: dict[At, list[Source]] = {site: [] for site in sites}
        with ExitStack() as stack:
            stack.enter_context(seeded(0, "surgery"))  # a model may draw in its pass
            stack.enter_context(_evaluated(model))
            # after train(False), which may merge adapters into weights and remember that
            stack.enter_context(_left_as_it_was(model))
            stack.enter_context(_without_fast_path())
            stack.enter_context(WithoutAutocast(model))
            for site in sites:
                stack.enter_context(attach_recorder(model, site, partial(self._note, site)))
            stack.enter_context(self.graph)
            output = call.run(model)
        self.outputs: set[Value] = {self.graph.value(part) for part in tensors_in(output)}

    def _note(self, site: At, z: Tensor) -> None:
        self.latents[site].append((self.graph.value(z), z.ndim - 1))


@contextmanager
def _evaluated(model: nn.Module) -> Generator[None]:
    """Evaluation mode without gradients; afterwards each layer's own flag, not by ``train()``.

    That would take apart what layers merged into the weights that were seen, which are to be cut.
    """
    modes = {layer: layer.training for layer in model.modules()}
    model.train(False)
    try:
        with torch.no_grad():
            yield
    finally:
        for layer, before in modes.items():
            layer.training = before


@contextmanager
def _without_fast_path() -> Generator[None]:
    """Attention of torch in single operations, instead of one for a whole layer."""
    before = torch.backends.mha.get_fastpath_enabled()
    torch.backends.mha.set_fastpath_enabled(False)
    try:
        yield
    finally:
        torch.backends.mha.set_fastpath_enabled(before)


@contextmanager
def _left_as_it_was(model: nn.Module) -> Generator[None]:
    """Forget what the pass leaves in layers: counters, and what was computed of old weights."""
    layers = list(layers_of(model).values())
    held = [(vars(layer), layer._buffers) for layer in layers]  # pyright: ignore[reportPrivateUsage] -- torch has no other way to put a buffer back
    before = [(dict(attributes), dict(buffers)) for attributes, buffers in held]
    values = [(buffer, buffer.detach().clone()) for buffer in model.buffers()]
    try:
        yield
    finally:
        for now, then in zip(held, before, strict=True):
            for each, kept in zip(now, then, strict=True):
                for name in each.keys() - kept.keys():
                    del each[name]
                each.update(kept)
        with torch.no_grad():
            for buffer, value in values:
                if not torch.equal(buffer, value):
                    buffer.copy_(value)
