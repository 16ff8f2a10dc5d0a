"""Layers at which nothing that is attached would run, as they are never called: refuse them."""

from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import nn

from latent_anchors._sites import has_forward


def refuse_uncalled(way: Sequence[nn.Module], name: str) -> None:
    """Raise if the last module on a way runs without being called, or never.

    Args:
        way: The modules from the model down to a site's layer.
        name: The site's.
    """
    why = _never(way[-1]) or _of_attention(way) or _scripted(way)
    if why:
        raise ValueError(
            f"Site {name!r} is {why}, so that nothing attached there would run; expected a layer "
            "that its model calls. la.sites(model) lists layers."
        )


def refuse_data_parallel(way: Sequence[nn.Module]) -> None:
    """Raise if copies of the model would run in its place."""
    if any(isinstance(module, nn.DataParallel) for module in way):
        raise RuntimeError(
            "The model is wrapped in nn.DataParallel, whose replicas each see a part of the batch; "
            "expected the model itself. Use DistributedDataParallel, or model.module on one GPU."
        )


def _never(layer: nn.Module) -> str:
    if has_forward(layer) or "forward" in vars(layer):
        return ""
    return f"a {type(layer).__name__}, which holds others and has no forward pass of its own"


def _of_attention(way: Sequence[nn.Module]) -> str:
    """Torch's attention uses the weights of its last layer without calling it."""
    for outer, inner in pairwise(way):
        plain = getattr(type(outer), "forward", None) is nn.MultiheadAttention.forward
        if plain and inner is getattr(outer, "out_proj", None):
            return "a part of nn.MultiheadAttention, which uses its weights without calling it"
    return ""


def _scripted(way: Sequence[nn.Module]) -> str:
    """Whether a module on the way was compiled to TorchScript, with all that lies in it."""
    inside = any(isinstance(outer, torch.jit.ScriptModule) for outer in way[:-1])
    return "within a module of TorchScript, which runs without Python" if inside else ""
