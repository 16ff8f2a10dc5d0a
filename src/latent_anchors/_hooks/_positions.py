"""Where an edit acts within a pass: at masked positions, the last one, a prompt, or in decoding."""

from collections.abc import Sequence
from typing import Literal, TypeAlias, cast, get_args

import torch
from torch import Tensor, nn

from latent_anchors._checks import unknown
from latent_anchors._hooks._calls import Calls
from latent_anchors._hooks._hook import Hook
from latent_anchors._hooks._line_checks import (
    real_tokens,
    refuse_drafts,
    refuse_packed,
    refuse_padding,
)
from latent_anchors._hooks._onwards import Onwards
from latent_anchors._hooks._readings import version_of
from latent_anchors._sites import Site
from latent_anchors._supervision import Given, as_mask

Part: TypeAlias = Literal["last", "prefill", "decode"]
"""The last position of each pass; passes over a prompt; passes that decode one token."""

Where: TypeAlias = Given | Part | Onwards
"""A mask of positions, a part of a generation, or from where a concept shows onwards."""


class Positions:
    """The latents that an edit acts on, pass by pass.

    Args:
        where: A mask of the shape of the latents without ``dim``, a part, or a gate.
        way: The modules from the model down to the site's layer; none of a population.
        runs: How many a population has.
    """

    def __init__(
        self, where: Where, way: Sequence[nn.Module], site: Site, runs: int | None = None
    ) -> None:
        self.where: Tensor | Part | Onwards = _checked(where)
        self._given = where
        self._version = version_of(where) if isinstance(where, Tensor) else None
        self.site, self.runs = site, runs
        self._begun = False
        self._calls = Calls(way, site)
        self.begins: Sequence[Hook] = self._calls.begins
        self.ends: Sequence[Hook] = self._calls.ends

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
                self._refuse_other_runs(len(mask))
                # torch 2.6 cannot map mask[run] over runs
                mask = mask.index_select(0, run.reshape(1)).squeeze(0)
            return self._within_mask(mask, z)
        if z.ndim != 3:
            raise ValueError(
                f"The latents at {self.site.name!r} have shape {tuple(z.shape)}; expected (batch, "
                f"position, dim) for where={self.where!r}. Give a mask of shape "
                f"{tuple(z.shape[:-1])}."
            )
        if self.where not in ("prefill", "decode"):
            refuse_packed(self._calls, z, self.where, self.site.name)
        if isinstance(self.where, Onwards):
            return self._opened(self.where, z)
        if self.where == "last":
            refuse_padding(self._calls, z, self.site.name)
            refuse_drafts(self._calls, z, self.site.name)
            return torch.arange(z.shape[1], device=z.device).expand(z.shape[:2]) == z.shape[1] - 1
        return self._is_decoding(z.shape[1]) == (self.where == "decode")

    def _refuse_other_runs(self, masks: int) -> None:
        if masks != self.runs:
            raise ValueError(
                f"where holds masks for {masks} runs at {self.site.name!r}, and the population has "
                f"{self.runs}; expected one for each, or one for all. Of a part of a population "
                "give that part's masks."
            )

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
        before = self._before()
        onwards = before is None and self._calls.outermost().continues
        if onwards and not self._begun:
            raise RuntimeError(
                f"A pass at {self.site.name!r} continues a state that does not say how many "
                "positions came before, so that a mask cannot be laid on it; expected the prompt "
                "first, within the block. Run the line from its beginning."
            )
        before = before or 0
        if self._begun and len(mask) == len(z) and (onwards or mask.shape[1] <= before):
            return False  # it speaks of the prompt, all of which is in the cache
        fitting = self._fitting(mask, z, (z.shape[0], before + z.shape[1]))
        self._begun = True
        return fitting[:, before:]

    def _opened(self, gate: Onwards, z: Tensor) -> Tensor:
        self._before()  # refuses compiled code
        if self._calls.outermost().continues:
            raise RuntimeError(
                f"A pass at {self.site.name!r} continues a cache, and where={gate!r} has to see "
                "the whole line; expected lines from their beginning. Generate with "
                "use_cache=False."
            )
        if torch.compiler.is_compiling() and self._calls.take_mask:
            raise RuntimeError(
                f"where={gate!r} at {self.site.name!r} has to know which positions are padding, "
                "which compiled code does not say; expected the model as it is. Give a mask "
                "instead: where=gate.opened(latents)."
            )
        return gate.opened(z, real_tokens(self._calls, z, gate, self.site.name))

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
        if self._calls.take_cache and (torch.compiler.is_compiling() or not self._calls.running()):
            raise RuntimeError(
                f"The edit at {self.site.name!r} acts where={self._name}, which compiled code "
                "cannot follow in a model that takes a cache; expected the model as it is. "
                "Generate with disable_compile=True, or leave where out."
            )
        return self._calls.outermost().cached

    def _is_decoding(self, positions: int) -> bool:
        before = self._before()
        if before is None and positions == 1 and self._calls.outermost().continues:
            return True
        if before is None or (before > 0 and positions > 1):
            what = "without a cache" if before is None else f"after {before} in the cache"
            raise RuntimeError(
                f"A pass over {positions} positions {what} at {self.site.name!r} may be a prompt "
                f"or a continuation, which where={self.where!r} has to tell apart; expected a "
                "prompt that begins a cache, then one position at a time. Leave the cache on "
                "(use_cache=True), or give a mask of the positions; in an encoder, leave where out."
            )
        return before > 0

    @property
    def _name(self) -> str:
        return "a mask" if isinstance(self.where, Tensor) else repr(self.where)


def _checked(where: Where) -> Tensor | Part | Onwards:
    if isinstance(where, Onwards):
        return where
    if not isinstance(where, str):
        return as_mask("where", where).clone()
    if where not in get_args(Part):
        raise ValueError(unknown("positions, where =", where, get_args(Part)))
    return where
