"""Where an edit acts within a pass: at masked positions, the last one, in prefill or in decoding.

What a pass continues is read where it begins: watches at the modules on the way to a site look at
the cache and the attention mask that these are called with.
"""

import inspect
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias, cast, get_args

import torch
from torch import Tensor, nn

from latent_anchors._checks import unknown
from latent_anchors._hooks._hook import (
    Hook,
    always_called,
    forward_hooks,
    forward_pre_hooks,
    that_take_names,
)
from latent_anchors._hooks._onwards import Onwards
from latent_anchors._hooks._outputs import parameters_of
from latent_anchors._hooks._readings import version_of
from latent_anchors._sites import Site
from latent_anchors._supervision import Given, as_mask

Part: TypeAlias = Literal["last", "prefill", "decode"]
"""The last position of each pass; passes over a prompt; passes that decode one token."""

Where: TypeAlias = Given | Part | Onwards
"""A mask of positions, a part of a generation, or from where a concept shows onwards."""

CACHES = ("cache", "past_key_values")
"""What transformers calls the argument, since 5.20 and before."""

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
        found = [named.get(name) for name in CACHES] + [*args]
        cache = next((each for each in found if hasattr(each, "get_seq_length")), None)
        masks = "attention_mask" in named and "decoder_attention_mask" not in self.names
        # a mapping holds a mask for each kind of layer, which gets its own further down
        masked = masks and isinstance(named["attention_mask"], Tensor | None)
        knows = cache is not None or not self.names.isdisjoint((*CACHES, STATE))
        carried = named.get(STATE) is not None
        cached = 0 if _uses_cache(owner, named) and not carried else None
        if cache is not None:
            cached = _length_of(cache)
        continues = carried or bool(cached) or (cache is not None and cached is None)
        mask = named.get("attention_mask") if masked else None
        return Call(knows, cached, masked, mask, continues)


class _WatchEnd(Hook):
    """Forgets what a module was called with, also when its pass fails."""

    def __init__(self, watch: _Watch, owner: nn.Module) -> None:
        super().__init__(watch.site, owner, forward_hooks(owner), always_called(owner))
        self.watch = watch

    def __call__(self, *_: object) -> None:
        if not torch.compiler.is_compiling():
            self.watch.running.pop((threading.get_ident(), self.watch.depth), None)


class Positions:
    """The latents that an edit acts on, pass by pass.

    Args:
        where: A mask of the shape of the latents without ``dim``, a part, or a gate.
        way: The modules from the model down to the site's layer; none of a population.
    """

    def __init__(self, where: Where, way: Sequence[nn.Module], site: Site) -> None:
        self.where: Tensor | Part | Onwards = _checked(where)
        self._given = where
        self._version = version_of(where) if isinstance(where, Tensor) else None
        self.site = site
        self._running: dict[tuple[int, int], Call] = {}
        self._begun = False
        modules = dict(enumerate(dict.fromkeys(way)))
        begins = [_Watch(site, module, depth, self._running) for depth, module in modules.items()]
        self._takes_cache = any(not watch.names.isdisjoint(CACHES) for watch in begins)
        self._takes_mask = any("attention_mask" in watch.names for watch in begins)
        self.begins: Sequence[Hook] = begins
        self.ends: Sequence[Hook] = [_WatchEnd(w, modules[w.depth]) for w in begins]

    def chosen(self, z: Tensor, run: Tensor | None = None) -> Tensor | bool:
        """Which positions of this pass: all, none, or those of a mask ``(...)``.

        Args:
            z: The latents, of one run.
            run: Of a population, the run ``()``, whose own mask it may be.
        """
        if isinstance(self.where, Tensor):
            self._refuse_written()
            mask = self.where.to(z.device)
            if run is not None and mask.ndim == z.ndim:
                # torch 2.6 cannot map mask[run] over runs
                mask = mask.index_select(0, run.reshape(1)).squeeze(0)
            return self._within_mask(mask, z)
        if z.ndim != 3:
            raise ValueError(
                f"The latents at {self.site.name!r} have shape {tuple(z.shape)}; expected (batch, "
                f"position, dim) for where={self.where!r}. Give a mask of shape "
                f"{tuple(z.shape[:-1])}."
            )
        if isinstance(self.where, Onwards):
            return self._opened(self.where, z)
        if self.where == "last":
            self._refuse_padding(z)
            return torch.arange(z.shape[1], device=z.device).expand(z.shape[:2]) == z.shape[1] - 1
        return self._is_decoding(z.shape[1]) == (self.where == "decode")

    def _refuse_written(self) -> None:
        """Refuse a mask that was written to, which may have been meant either way."""
        if self._version is None or torch.compiler.is_compiling():
            return
        if version_of(cast("Tensor", self._given)) != self._version:
            raise RuntimeError(
                f"The mask of the edit at {self.site.name!r} was written to after it had been "
                "given; expected it unchanged, since a pass may be run again in backward(). Give "
                "each batch its own mask, in a block of its own."
            )

    def _within_mask(self, mask: Tensor, z: Tensor) -> Tensor | bool:
        if z.ndim != 3 or mask.ndim != 2:
            return self._fitting(mask, z, z.shape[:-1])
        before = self._before() or 0
        if self._begun and len(mask) == len(z) and mask.shape[1] <= before:
            return False  # it speaks of the prompt, all of which is in the cache
        fitting = self._fitting(mask, z, (z.shape[0], before + z.shape[1]))
        self._begun = True
        return fitting[:, before:]

    def _opened(self, gate: Onwards, z: Tensor) -> Tensor:
        self._before()  # refuses compiled code
        if self._outermost().continues:
            raise RuntimeError(
                f"A pass at {self.site.name!r} continues a cache, and where={gate!r} has to see "
                "the whole line; expected lines from their beginning. Generate with "
                "use_cache=False."
            )
        if torch.compiler.is_compiling() and self._takes_mask:
            raise RuntimeError(
                f"where={gate!r} at {self.site.name!r} has to know which positions are padding, "
                "which compiled code does not say; expected the model as it is. Give a mask "
                "instead: where=gate.opened(latents)."
            )
        return gate.opened(z, self._tokens(z))

    def _tokens(self, z: Tensor) -> Tensor | None:
        """The attention mask of this pass, if the model is called with one for each token."""
        masks = [call.attention_mask for call in self._calls() if call.masked]
        fitting = (m for m in masks if m is not None and m.shape == z.shape[:2])
        found = next(fitting, None)
        if found is None and masks and masks[0] is not None and masks[0].ndim == 4:
            raise ValueError(
                f"The attention mask has shape {tuple(masks[0].shape)}, which does not say what is "
                f"padding at {self.site.name!r}; expected {tuple(z.shape[:2])} for "
                f"where={self.where!r}. Give a mask instead: where=gate.opened(latents, real)."
            )
        return found

    def _fitting(self, mask: Tensor, z: Tensor, expected: Sequence[int]) -> Tensor:
        if tuple(mask.shape) == tuple(expected):
            return mask.to(z.device)
        raise ValueError(
            f"where is a mask of shape {tuple(mask.shape)}, and the latents at {self.site.name!r} "
            f"have shape {tuple(z.shape)} in this pass; expected a mask of shape "
            f"{tuple(expected)}, one value for each position of the sequence. To generate, give "
            "the mask of the prompt and leave the cache on; for beams or several returned "
            "sequences, write mask.repeat_interleave(num_beams, 0)."
        )

    def _before(self) -> int | None:
        """How many positions come before this pass, if the outermost that knows caches says so."""
        # of compiled code, not even the layer itself was noted
        if self._takes_cache and (torch.compiler.is_compiling() or not self._calls()):
            raise RuntimeError(
                f"The edit at {self.site.name!r} acts where={self._name}, which compiled code "
                "cannot follow in a model that takes a cache; expected the model as it is. "
                "Generate with disable_compile=True, or leave where out."
            )
        return self._outermost().cached

    def _outermost(self) -> Call:
        return next((call for call in self._calls() if call.knows), NOTHING)

    def _is_decoding(self, positions: int) -> bool:
        before = self._before()
        if before is None or (before > 0 and positions > 1):
            what = "without a cache" if before is None else f"after {before} in the cache"
            raise RuntimeError(
                f"A pass over {positions} positions {what} at {self.site.name!r} may be a prompt "
                f"or a continuation, which where={self.where!r} has to tell apart; expected a "
                "prompt that begins a cache, then one position at a time. Leave the cache on "
                "(use_cache=True), or give a mask of the positions; in an encoder, leave where out."
            )
        return before > 0

    def _refuse_padding(self, z: Tensor) -> None:
        """Refuse lines that end in padding, whose last token is elsewhere."""
        padded = None if torch.compiler.is_compiling() else self._ends_in_padding(z)
        if padded is not None and bool(padded.any()):
            raise ValueError(
                f"Line {int(padded.nonzero()[0])} ends in padding, so that the last position at "
                f"{self.site.name!r} is not its last token; expected padding on the left for "
                "where='last'. Give a mask: "
                "where=torch.arange(n) == attention_mask.sum(1, keepdim=True) - 1."
            )

    def _ends_in_padding(self, z: Tensor) -> Tensor | None:
        masks = [call.attention_mask for call in reversed(self._calls()) if call.masked]
        flat = next((mask for mask in masks if mask is None or mask.ndim == 2), None)
        if flat is not None:
            return flat[:, -1] == 0 if len(flat) == len(z) else None
        prepared = next((mask for mask in masks if mask is not None and mask.ndim == 4), None)
        if prepared is None or len(prepared) != len(z):
            return None
        own = min((self._before() or 0) + z.shape[1], prepared.shape[-1]) - 1
        seen = prepared[:, 0, -1, own]
        return ~seen if seen.dtype == torch.bool else seen < 0

    def _calls(self) -> list[Call]:
        """What is running in this thread, from the model down."""
        here = threading.get_ident()
        return [call for (thread, _), call in sorted(self._running.items()) if thread == here]

    @property
    def _name(self) -> str:
        return "a mask" if isinstance(self.where, Tensor) else repr(self.where)


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


def _checked(where: Where) -> Tensor | Part | Onwards:
    if isinstance(where, Onwards):
        return where
    if not isinstance(where, str):
        return as_mask("where", where).clone()
    if where not in get_args(Part):
        raise ValueError(unknown("positions, where =", where, get_args(Part)))
    return where
