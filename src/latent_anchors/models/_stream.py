"""What both transformers share: the sites of their stream, how weights begin, which sizes fit."""

from torch import nn

from latent_anchors._checks import check_count


def stream_sites(blocks: nn.ModuleList) -> tuple[str, ...]:
    """The embedding's and the blocks' names."""
    return ("embedding", *(f"blocks.{index}" for index in range(len(blocks))))


def begin_uniform(model: nn.Module) -> None:
    """Every matrix uniform within one by the root of its inputs, as linear layers begin."""
    for name, weight in model.named_parameters():
        if name.endswith("weight") and weight.ndim == 2:
            bound = weight.shape[-1] ** -0.5
            nn.init.uniform_(weight, -bound, bound)


def check_sizes(vocabulary: int, width: int, depth: int, heads: int, hidden: int) -> None:
    """Refuse sizes that make no transformer."""
    given = {"width": width, "depth": depth, "heads": heads, "hidden": hidden}
    for name, size in {"vocabulary": vocabulary, **given}.items():
        check_count(name, size)
    if width % (2 * heads):
        raise ValueError(
            f"The width is {width} and there are {heads} heads; expected a width that is a "
            f"multiple of {2 * heads}, twice the heads, since positions turn pairs of channels."
        )
