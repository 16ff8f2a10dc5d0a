"""What the modules on the way to a site are called with: the cache, and the attention mask."""

import inspect
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from latent_anchors._hooks._hook import (
    Hook,
    always_called,
    forward_hooks,
    forward_pre_hooks,
    that_take_names,
)
from latent_anchors._hooks._outputs import parameters_of
from latent_anchors._sites import Site

CACHES = ("cache", "past_key_values", "cache_params", "mems", "past_buckets_states")
"""What transformers calls the argument, since 5.20, before, and in some models."""

STATE = "state"
"""What it calls that of a recurrent network without such a cache."""


@dataclass(frozen=True)
class Call:
    """What a module on the way to a site was called with.

    ``cached`` positions come before this pass: 0 in the first one, None where nothing says so,
    though a recurrent state may say that the pass ``continues`` a line.
    """

    knows: bool
    cached: int | None
    masked: bool
    attention_mask: Tensor | None
    continues: bool = False
    position_ids: Tensor | None = None


NOTHING = Call(knows=False, cached=None, masked=False, attention_mask=None)


class _Watch(Hook):
    """Notes what a module on the way to a site is called with, while it runs."""

    def __init__(
        self, site: Site, owner: nn.Module, depth: int, running: dict[tuple[int, int], Call]
    ) -> None:
        super().__init__(site, owner, forward_pre_hooks(owner), that_take_names(owner))
        self.depth, self.running = depth, running
        self.names = frozenset(inspect.signature(owner.forward).parameters)
        self._by_position = parameters_of(owner.forward)

    def __call__(self, owner: nn.Module, args: Sequence[Any], named: Mapping[str, Any]) -> None:
        if not torch.compiler.is_compiling() and self.acts_in(owner):
            given = {**dict(zip(self._by_position, args, strict=False)), **named}
            self.running[threading.get_ident(), self.depth] = self._call(owner, args, given)

    def _call(self, owner: nn.Module, args: Sequence[Any], named: Mapping[str, Any]) -> Call:
        cache = next((e for e in (*named.values(), *args) if hasattr(e, "get_seq_length")), None)
        masks = "attention_mask" in named and "decoder_attention_mask" not in self.names
        # a mapping holds a mask for each kind of layer, which gets its own further down
        masked = masks and isinstance(named["attention_mask"], Tensor | None)
        knows = cache is not None or not self.names.isdisjoint((*CACHES, STATE))
        carried = named.get(STATE) is not None or (cache is None and _unmeasured(named))
        cached = 0 if _uses_cache(owner, named) and not carried else None
        if cache is not None:
            cached = _length_of(cache)
        continues = carried or bool(cached) or (cache is not None and cached is None)
        mask = named.get("attention_mask") if masked else None
        numbers = named.get("position_ids")
        positions = numbers if isinstance(numbers, Tensor) and numbers.ndim == 2 else None
        return Call(knows, cached, masked, mask, continues, positions)


class _WatchEnd(Hook):
    """Forgets what a module was called with, also when its pass fails."""

    def __init__(self, watch: _Watch, owner: nn.Module) -> None:
        super().__init__(watch.site, owner, forward_hooks(owner), always_called(owner))
        self.watch = watch

    def __call__(self, *_: object) -> None:
        if not torch.compiler.is_compiling():
            self.watch.running.pop((threading.get_ident(), self.watch.depth), None)


class Calls:
    """What runs on the way to a site, thread by thread, while a pass lasts.

    Args:
        way: The modules from the model down to the site's layer; none of a population.
        site: The site.
    """

    def __init__(self, way: Sequence[nn.Module], site: Site) -> None:
        self._running: dict[tuple[int, int], Call] = {}
        modules = dict(enumerate(dict.fromkeys(way)))
        begins = [_Watch(site, module, depth, self._running) for depth, module in modules.items()]
        self.take_cache: bool = any(not watch.names.isdisjoint(CACHES) for watch in begins)
        self.take_mask: bool = any("attention_mask" in watch.names for watch in begins)
        self.begins: Sequence[Hook] = begins
        self.ends: Sequence[Hook] = [_WatchEnd(w, modules[w.depth]) for w in begins]

    def running(self) -> list[Call]:
        """In this thread, from the model down."""
        here = threading.get_ident()
        return [call for (thread, _), call in sorted(self._running.items()) if thread == here]

    def outermost(self) -> Call:
        """That of the outermost module that knows caches, if there is one."""
        return next((call for call in self.running() if call.knows), NOTHING)


def _unmeasured(named: Mapping[str, Any]) -> bool:
    """Whether something is kept that does not say how long it is, as lists of tensors."""
    given = (named.get(name) for name in CACHES)  # some models take a switch, or an empty list
    return any(not isinstance(each, bool | None) and each not in ((), []) for each in given)


def _length_of(cache: Any) -> int | None:
    """How many positions a cache holds; None if some that layers of linear attention do not count.

    These keep a state instead.
    """
    try:
        return int(cache.get_seq_length())
    except ValueError:
        return None if cache.has_previous_state() else 0


def _uses_cache(owner: nn.Module, named: Mapping[str, Any]) -> bool:
    asked = named.get("use_cache")
    return bool(
        getattr(getattr(owner, "config", None), "use_cache", True) if asked is None else asked
    )
