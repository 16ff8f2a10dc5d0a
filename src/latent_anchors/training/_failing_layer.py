"""Which layer or term stands in the way when runs cannot be stepped together."""

from collections.abc import Callable, Generator
from contextlib import contextmanager

from torch import nn
from torch.utils.hooks import RemovableHandle

from latent_anchors._sites import layers_of
from latent_anchors.training._backends import Backend


@contextmanager
def naming_the_layer(model: nn.Module, backend: Backend = "eager") -> Generator[None]:
    """Errors in the block name the layer that was running, and say what to do."""
    running: list[str] = []
    handles: list[RemovableHandle] = []
    for name, layer in layers_of(model).items():
        handles.append(layer.register_forward_pre_hook(_entering(running, name, layer)))
        handles.append(layer.register_forward_hook(_leaving(running)))
    try:
        yield
    except (RuntimeError, ValueError) as error:
        where = f"layer {running[-1]}" if running else "a term or loss"
        notes = " ".join(getattr(error, "__notes__", []))
        plainly = "" if backend == "eager" else f" Leave backend={backend!r} out there."
        raise RuntimeError(
            f"The runs cannot be stepped together because of {where}: {error} {notes} "
            f"Use execution='sequential', which trains one run after another.{plainly}"
        ) from error
    finally:
        for handle in handles:
            handle.remove()


def _entering(running: list[str], name: str, layer: nn.Module) -> Callable[..., None]:
    def enter(*_: object) -> None:
        running.append(f"{name!r} ({type(layer).__name__})")

    return enter


def _leaving(running: list[str]) -> Callable[..., None]:
    def leave(*_: object) -> None:
        running.pop()

    return leave
