"""Which layers write the residual stream: repeated blocks, and the attention and MLP within each.

The rule looks at modules and weights, not at the names of classes. Attention counts its heads: it
has weights, and a whole number as an attribute whose name says ``head``. Blocks are the members of
a list of modules that hold attention. What is left of a block's matrices is its MLP.
"""

from collections.abc import Iterator, Sequence
from typing import Any, Literal, TypeAlias, cast

from torch import nn

from latent_anchors._checks import listed
from latent_anchors._sites import has_forward, innermost, layers_of

Kind: TypeAlias = Literal["residual", "attention", "mlp"]


def layers_of_kind(
    model: nn.Module, kind: Kind, without_attention: bool = False
) -> dict[str, int | None]:
    """The layers of a kind by name, in the model's order, and the width of their stream.

    ``without_attention`` takes a single list of blocks that hold none for a residual stream.
    """
    model = innermost(model)
    blocks = _blocks(model, without_attention)
    find = {"residual": _itself, "attention": _attention_in, "mlp": _mlp_in}[kind]
    names = {id(layer): name for name, layer in layers_of(model).items()}
    return {
        names[id(layer)]: _stream_width(block) for block in blocks for layer in find(model, block)
    }


def width_of(layer: nn.Module) -> int | None:
    """How many channels a single layer gives, where its weights say so."""
    norm = _gain(layer)
    return norm if norm is not None else _shape(layer)[1]


def last_width(layer: nn.Module) -> int | None:
    """How many channels the last matrix or convolution in a layer gives."""
    matrices = [*_matrices(layer)]
    return _shape(matrices[-1])[1] if matrices else None


def _stream_width(block: nn.Module) -> int | None:
    """The width of the stream that a block writes: that of its norms, or of its last matrix."""
    norms = [_gain(child) for child in block.children()]
    return next((width for width in norms if width is not None), last_width(block))


def channels_first(layer: nn.Module) -> bool:
    """Whether all weights are of convolutions and their norms, so that axis 1 holds channels."""
    if getattr(layer, "axis", None) == 1:
        return True  # a layer of this library that says so, such as Normalize
    owners = [each for each in layer.modules() if [*each.parameters(recurse=False)]]
    return bool(owners) and all(_is_spatial(each) for each in owners)


def _blocks(model: nn.Module, without_attention: bool) -> list[nn.Module]:
    lists = [each for each in model.modules() if isinstance(each, nn.ModuleList | nn.Sequential)]
    holding = [each for each in lists if any(map(_holds_attention, each.children()))]
    # a list of stages gives way to the lists of blocks in them; parts of a block are no blocks
    inner = [each for each in holding if not any(_all_hold(o) for o in _within(each, holding))]
    inner = [each for each in inner if not _surrounds_a_stack(each, holding)]
    stacks = [each for each in inner if not any(each in _within(other, inner) for other in inner)]
    if not stacks:
        stacks = _plain_stacks(model, lists, without_attention)
    blocks = [block for stack in stacks for block in stack.children()]
    if not all(map(has_forward, blocks)):
        raise ValueError(_no_blocks(model, "its blocks are lists without a forward pass"))
    return blocks


def _plain_stacks(
    model: nn.Module, lists: Sequence[nn.Module], allowed: bool
) -> Sequence[nn.Module]:
    """The only list of alike blocks that hold no attention."""
    alike = [each for each in lists if _are_alike([*each.children()])]
    outer = [each for each in alike if not any(each in _within(other, alike) for other in alike)]
    if len(outer) == 1 and allowed:
        return outer
    names = {id(layer): name for name, layer in layers_of(model).items()}
    patterns = listed(f"{names[id(each)]}.*" for each in outer)
    if not outer:
        raise ValueError(_no_blocks(model, "no list of blocks was found in it"))
    why = f"none of its lists of blocks ({patterns}) holds attention"
    if len(outer) == 1:
        raise ValueError(
            f"{_no_blocks(model, why)} Or give example=, to try whether what leaves each block "
            "enters the next."
        )
    raise ValueError(_no_blocks(model, why))


def _within(outside: nn.Module, lists: Sequence[nn.Module]) -> list[nn.Module]:
    inside = {id(module) for module in outside.modules()}
    return [each for each in lists if each is not outside and id(each) in inside]


def _surrounds_a_stack(outside: nn.Module, holding: Sequence[nn.Module]) -> bool:
    """Whether a stack is one part of a list, as between an embedding and a head."""
    parts = [*outside.children()]
    attending = [each for each in parts if _holds_attention(each)]
    if len(attending) != 1:
        return False
    # a list of a single block is a stack; what such a block keeps in a list are its own parts
    return attending[0] in holding or (len(parts) > 1 and bool(_within(attending[0], holding)))


def _all_hold(stack: nn.Module) -> bool:
    return all(map(_holds_attention, stack.children()))


def _are_alike(blocks: Sequence[nn.Module]) -> bool:
    composite = [*map(_is_composite, blocks)]
    attention = any(map(_counts_heads, blocks))
    return len({type(b) for b in blocks}) == 1 and all(composite) and not attention


def _is_composite(block: nn.Module) -> bool:
    return len([*block.modules()]) > 1 and any(True for _ in _matrices(block))


def _holds_attention(block: nn.Module) -> bool:
    return any(each is not block and _counts_heads(each) for each in block.modules())


def _counts_heads(layer: nn.Module) -> bool:
    numbers = [name for name, value in vars(layer).items() if type(value) is int]
    convolves = any("conv" in name for name, _ in layer.named_children())  # state-space layers
    has_weights = any(True for _ in layer.parameters())
    return has_weights and not convolves and any("head" in name for name in numbers)


def _itself(_model: nn.Module, block: nn.Module) -> list[nn.Module]:
    return [block]


def _attention_in(model: nn.Module, block: nn.Module) -> list[nn.Module]:
    """The attention of a block, without a shortcut or a norm that its layer may add."""
    heads = [each for each in block.modules() if each is not block and _counts_heads(each)]
    inner = [each for each in heads if not any(o in heads for o in each.modules() if o is not each)]
    if not inner:
        raise ValueError(_no_blocks(model, "its blocks hold no attention"))
    return [_with_projection(block, attention) for attention in inner]


def _with_projection(block: nn.Module, attention: nn.Module) -> nn.Module:
    """Attention, or the projection after it where that is the part of a layer around both."""
    own = [*_matrices(attention)]
    for around in _around(block, attention):
        others = [each for each in _matrices(around) if each not in own]
        if len(others) == 1 and has_forward(around):
            return others[0] if _has_norm(around, attention) else around
        if others:
            return attention
    return attention


def _around(block: nn.Module, layer: nn.Module) -> list[nn.Module]:
    """The modules between a block and a layer in it, from the inside out."""
    holding = [each for each in block.modules() if layer in each.modules()]
    return [each for each in reversed(holding) if each is not block and each is not layer]


def _has_norm(around: nn.Module, attention: nn.Module) -> bool:
    inside = [*attention.modules()]
    return any(_gain(each) is not None for each in around.modules() if each not in inside)


def _mlp_in(model: nn.Module, block: nn.Module) -> list[nn.Module]:
    """The layer that holds all matrices but those of attention, or the last of these matrices."""
    attention = _attention_in(model, block) if _holds_attention(block) else []
    taken = {id(each) for layer in attention for each in layer.modules()}
    taken |= {id(m) for head in block.modules() if _counts_heads(head) for m in head.modules()}
    matrices = [each for each in _matrices(block) if id(each) not in taken]
    if not matrices:
        raise ValueError(_no_blocks(model, "its blocks hold no MLP"))
    layer = _smallest_with(block, matrices)
    if layer is not block and has_forward(layer) and not _holds_attention(layer):
        return [layer]
    return [_last_of(model, matrices)]


def _smallest_with(block: nn.Module, matrices: Sequence[nn.Module]) -> nn.Module:
    for child in block.children():
        inside = [*child.modules()]
        if all(each in inside for each in matrices):
            return _smallest_with(child, matrices)
    return block


def _last_of(model: nn.Module, matrices: Sequence[nn.Module]) -> nn.Module:
    """Of matrices that stand side by side in a block: the one that writes the stream's width."""
    shapes = [_shape(each) for each in matrices]
    width = shapes[0][0]
    into = [m for m, (given, made) in zip(matrices, shapes, strict=True) if made == width != given]
    # between the stream and one hidden width, and nowhere else
    if len({frozenset(shape) for shape in shapes}) == 1 and (len(into) == 1 or len(matrices) == 2):
        return (into or matrices)[-1]
    raise ValueError(_no_blocks(model, "which matrices of its blocks are the MLP is unclear"))


def _matrices(layer: nn.Module) -> Iterator[nn.Module]:
    """Layers with matrices of their own, in order; an adapted one counts as one."""
    if hasattr(layer, "base_layer") or any(p.ndim > 1 for p in layer.parameters(recurse=False)):
        if not isinstance(layer, nn.Embedding):
            yield layer
        return
    for child in layer.children():
        yield from _matrices(child)


def _gain(layer: nn.Module) -> int | None:
    """The width of a norm, which has only vectors."""
    own = [*layer.parameters(recurse=False)]
    vectors = bool(own) and all(p.ndim == 1 for p in own) and not [*layer.children()]
    return len(own[0]) if vectors and len(own[0]) > 1 else None


def _shape(layer: nn.Module) -> tuple[int | None, int | None]:
    """How many channels a layer takes and gives."""
    some: Any = layer
    for given, made in (("in_features", "out_features"), ("in_channels", "out_channels")):
        if hasattr(some, made):  # a bilinear layer takes two, of widths of their own
            return getattr(some, given, None), getattr(some, made)
    if hasattr(some, "embedding_dim"):
        return None, some.embedding_dim
    if hasattr(some, "nf"):  # GPT-2's, whose matrix is transposed
        return cast("tuple[int, int]", tuple(some.weight.shape))
    return None, None


def _is_spatial(layer: nn.Module) -> bool:
    weight = getattr(layer, "weight", None)
    convolves = hasattr(layer, "kernel_size") and getattr(weight, "ndim", 0) > 2
    return convolves or isinstance(layer, nn.GroupNorm) or hasattr(layer, "running_mean")


def _no_blocks(model: nn.Module, why: str) -> str:
    return (
        f"The sites of this kind are not known in {type(model).__name__}: {why}; expected blocks "
        "in an nn.ModuleList or nn.Sequential, as transformers have them. la.sites(model) lists "
        "all layers; name yours by a pattern, such as la.sites(model, 'layers.*')."
    )
