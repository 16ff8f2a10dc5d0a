"""A bench for tracing: a trial copy that is run again and again, with edits, and watched."""

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
    InFull,
    Trial,
    check_said,
    trial,
)
from latent_anchors.interventions._surgery.site_layers import linear_layers

_Use: TypeAlias = tuple[object, Any, Tensor]
"""A function that used a weight, its first argument, its result."""


class Pass(NamedTuple):
    """What one forward pass showed: the latents, linear layers' inputs and outputs, the output.

    ``inputs`` and ``outputs`` hold layers that ran once and whose weights nothing else used.
    """

    z: Tensor
    inputs: Mapping[str, Tensor]
    outputs: Mapping[str, Tensor]
    said: list[Tensor]


class Bench:
    """A trial copy of one run, a site in it, and what a pass without edits showed."""

    def __init__(self, model: nn.Module, at: At, example: Example | None) -> None:
        self.at: At = at
        self.trial: Trial = trial(model, example)
        self.linear: dict[str, nn.Linear] = linear_layers(self.trial.model)
        self.base: Pass = self.run()

    def run(self, *edits: tuple[At, Edit]) -> Pass:
        """One forward pass with edits in force."""
        latents: list[Tensor] = []
        with ExitStack() as stack:
            for at, edit in edits:
                stack.enter_context(attach_edit(self.trial.model, at, edit))
            # last, so that it sees an edit of the same layer under another axis
            stack.enter_context(attach_recorder(self.trial.model, self.at, latents.append))
            uses = stack.enter_context(_Uses(self.trial.model, self.linear))
            said = self._said()
        if len(latents) != 1:
            raise ValueError(
                f"The site {self.at!r} ran {len(latents)} times on the example; expected once. "
                f"{NAME_THEM}"
            )
        check_said([*latents, *said])
        plain = dict(uses.plain())
        inputs = {name: use[1] for name, use in plain.items()}
        outputs = {name: use[2] for name, use in plain.items()}
        return Pass(latents[0], inputs, outputs, said)

    def _said(self) -> list[Tensor]:
        try:
            return self.trial.said()
        except (RuntimeError, IndexError) as error:
            raise ValueError(
                f"The model does not run on the example, in a copy in full precision: {error} "
                f"Pass what it takes: example=... {NAME_THEM}"
            ) from error


class _Uses(InFull):
    """Which functions use the weights of linear layers, by whatever name they have."""

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
        if isinstance(result, Tensor):  # not: asking for a weight's device
            for name in self._named([*args, *(kwargs or {}).values()]):
                self.uses[name].append((func, args[0], result))
        return result

    def _named(self, given: Sequence[object]) -> Iterator[str]:
        """The layers whose weights are among a function's arguments, or in a list of them."""
        for value in given:
            yield from self.owners.get(id(value), ())
            if isinstance(value, list | tuple):
                yield from self._named(cast("Sequence[object]", value))

    def plain(self) -> Iterator[tuple[str, _Use]]:
        """Layers whose weights one function used once: the linear one."""
        for name, uses in self.uses.items():
            if len(uses) == 1 and uses[0][0] is functional.linear:
                yield name, uses[0]
