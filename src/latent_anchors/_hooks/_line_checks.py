"""What a pass says of its lines: where they are padding, and whether each has a row of its own."""

import torch
from torch import Tensor

from latent_anchors._hooks._calls import Calls


def refuse_padding(calls: Calls, z: Tensor, name: str) -> None:
    """Refuse lines that end in padding, whose last token is elsewhere."""
    padded = None if torch.compiler.is_compiling() else _ends_in_padding(calls, z)
    if padded is not None and bool(padded.any()):
        raise ValueError(
            f"Line {int(padded.nonzero()[0])} ends in padding, so that the last position at "
            f"{name!r} is not its last token; expected padding on the left for where='last'. Give "
            "a mask: where=torch.arange(n) == attention_mask.sum(1, keepdim=True) - 1."
        )


def refuse_drafts(calls: Calls, z: Tensor, name: str) -> None:
    """Refuse a pass over several tokens after a cache, as drafts are verified by."""
    before = 0 if torch.compiler.is_compiling() else calls.outermost().cached
    if before and z.shape[1] > 1:
        raise RuntimeError(
            f"A pass over {z.shape[1]} positions after {before} in the cache at {name!r} may "
            "verify a draft, of which where='last' would edit one position; expected one position "
            "at a time. Generate without an assistant, or give a mask of the positions."
        )


def refuse_packed(calls: Calls, z: Tensor, where: object, name: str) -> None:
    """Refuse rows of several lines, in which positions begin again."""
    running = [] if torch.compiler.is_compiling() else calls.running()
    ids = next((call.position_ids for call in running if call.position_ids is not None), None)
    mask = next((call.attention_mask for call in running if call.masked), None)
    if ids is None or ids.shape[1] != z.shape[1] or not (mask is None or _is_flat(mask, z)):
        return  # a mask of another shape does not say what is padding, where numbers may be any
    again = ids[:, 1:] <= ids[:, :-1]
    if mask is not None:
        again = again & (mask[:, 1:] != 0) & (mask[:, :-1] != 0)
    if bool(again.any()):
        raise ValueError(
            f"The position_ids of a row begin again, so that it holds several lines, and "
            f"where={where!r} at {name!r} is about one; expected a line for each row. Give a mask "
            "of the positions instead."
        )


def real_tokens(calls: Calls, z: Tensor, where: object, name: str) -> Tensor | None:
    """The attention mask of this pass, if the model is called with one for each token."""
    masks = [call.attention_mask for call in calls.running() if call.masked]
    found = next((mask for mask in masks if mask is not None and _is_flat(mask, z)), None)
    if found is None and masks and masks[0] is not None and masks[0].ndim == 4:
        raise ValueError(
            f"The attention mask has shape {tuple(masks[0].shape)}, which does not say what is "
            f"padding at {name!r}; expected {tuple(z.shape[:2])} for where={where!r}. Give a mask "
            "instead: where=gate.opened(latents, real)."
        )
    return found


def _is_flat(mask: Tensor, z: Tensor) -> bool:
    return mask.shape == z.shape[:2]


def _ends_in_padding(calls: Calls, z: Tensor) -> Tensor | None:
    masks = [call.attention_mask for call in reversed(calls.running()) if call.masked]
    flat = next((mask for mask in masks if mask is None or mask.ndim == 2), None)
    if flat is not None:
        return flat[:, -1] == 0 if len(flat) == len(z) else None
    prepared = next((mask for mask in masks if mask is not None and mask.ndim == 4), None)
    if prepared is None or len(prepared) != len(z):
        return None
    own = min((calls.outermost().cached or 0) + z.shape[1], prepared.shape[-1]) - 1
    seen = prepared[:, 0, -1, own]
    return ~seen if seen.dtype == torch.bool else seen < 0
