"""Probe a model around a site: run a random copy with edits, and see what linear layers compute."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from typing import Any, NamedTuple, TypeAlias, cast

from torch import Tensor, nn
from torch.nn import functional
from typing_extensions import override

from latent_anchors._hooks import Edit, attach_edit, attach_recorder
from latent_anchors._sites import At
from latent_anchors.interventions._surgery.random_copy import (
    NAME_THEM,
    Example,
    RandomCopy,
    WithoutAutocast,
    check_outputs,
    random_copy,
)
from latent_anchors.interventions._surgery.site_layers import linear_layers

_Use: TypeAlias = tuple[object, Any, Tensor]
"""A function that used a weight, its first argument, its result."""


class Pass(NamedTuple):
    """One forward pass: the latents, inputs and outputs of linear layers, the model's output.

    ``layer_inputs`` and ``layer_outputs`` hold layers that ran once and whose weights no other
    function used.
    """

    z: Tensor
    layer_inputs: Mapping[str, Tensor]
    layer_outputs: Mapping[str, Tensor]
    outputs: list[Tensor]


class Probe:
    """A random copy of one run, a site in it, and a forward pass without edits."""

    def __init__(self, model: nn.Module, at: At, example: Example | None) -> None:
        self.at: At = at
        self.copy: RandomCopy = random_copy(model, example)
        self.linear: dict[str, nn.Linear] = linear_layers(self.copy.model)
        self.base: Pass = self.run()

    def run(self, *edits: tuple[At, Edit]) -> Pass:
        """One forward pass with edits in force."""
        latents: list[Tensor] = []
        with ExitStack() as stack:
            for at, edit in edits:
                stack.enter_context(attach_edit(self.copy.model, at, edit))
            # last, so that it sees an edit of the same layer under another axis
            stack.enter_context(attach_recorder(self.copy.model, self.at, latents.append))
            uses = stack.enter_context(_WeightUses(self.copy.model, self.linear))
            outputs = self._outputs()
        if len(latents) != 1:
            raise ValueError(
                f"The site {self.at!r} ran {len(latents)} times on the example; expected once. "
                f"{NAME_THEM}"
            )
        check_outputs([*latents, *outputs])
        linear = dict(uses.linear())
        layer_inputs = {name: use[1] for name, use in linear.items()}
        layer_outputs = {name: use[2] for name, use in linear.items()}
        return Pass(latents[0], layer_inputs, layer_outputs, outputs)

    def _outputs(self) -> list[Tensor]:
        try:
            return self.copy.outputs()
        except (RuntimeError, IndexError) as error:
            raise ValueError(
                f"The model does not run on the example, in a copy in full precision: {error} "
                f"Pass what the model takes: example=... {NAME_THEM}"
            ) from error


class _WeightUses(WithoutAutocast):
    """Records which functions use the weights of linear layers, under whatever name."""

    def __init__(self, model: nn.Module, layers: Mapping[str, nn.Linear]) -> None:
        super().__init__(model)
        self.owners: dict[int, list[str]] = defaultdict(list)
        self.uses: dict[str, list[_Use]] = defaultdict(list)
        for name, layer in layers.items():
            self.owners[id(getattr(layer, "weight", None))].append(name)

    @override
    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Iterable[type],
        args: tuple[Any, ...] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> object:
        result = super().__torch_function__(func, types, args, kwargs)
        if isinstance(result, Tensor):  # not when a weight is asked for its device
            for name in self._owners([*args, *(kwargs or {}).values()]):
                self.uses[name].append((func, args[0], result))
        return result

    def _owners(self, given: Sequence[object]) -> Iterator[str]:
        """The layers whose weights are among a function's arguments, or in a list of them."""
        for value in given:
            yield from self.owners.get(id(value), ())
            if isinstance(value, list | tuple):
                yield from self._owners(cast("Sequence[object]", value))

    def linear(self) -> Iterator[tuple[str, _Use]]:
        """Layers whose weights were used once, by the linear function."""
        for name, uses in self.uses.items():
            if len(uses) == 1 and uses[0][0] is functional.linear:
                yield name, uses[0]
