"""Reading sites for as long as a ``with`` block lasts."""

from collections.abc import Generator, Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager

import torch
from torch import Tensor, nn

from latent_anchors._checks import listed
from latent_anchors._hooks import Recorder, attach_recorder
from latent_anchors._sites import At


class Recording(Mapping[At, Tensor]):
    """The latents of each site at the latest forward pass, by site.

    Nothing is detached or copied.

    Args:
        latents: By site ``(..., dim)``, filled as sites run.

    Raises:
        KeyError: If a site is asked for that was not recorded, or has not run yet.

    Examples:
        >>> import torch
        >>> model = torch.nn.Sequential(torch.nn.ReLU())
        >>> with record(model, "0") as latents:
        ...     try:
        ...         latents["0"]
        ...     except KeyError as error:
        ...         print(error)
        ...     output = model(torch.ones(1))
        "Nothing has left site '0' yet; recorded so far: nothing. Call the model first."
    """

    def __init__(self, latents: dict[At, Tensor]) -> None:
        self._latents = latents

    def __getitem__(self, at: At) -> Tensor:
        if at not in self._latents:
            raise KeyError(
                f"Nothing has left site {at!r} yet; recorded so far: {listed(self._latents)}. "
                "Call the model first."
            )
        return self._latents[at]

    def __iter__(self) -> Iterator[At]:
        return iter(self._latents)

    def __len__(self) -> int:
        return len(self._latents)


def _keeper(latents: dict[At, Tensor], at: At, gradients_expected: bool) -> Recorder:
    """What keeps the latents of one site, and refuses those that lost their gradient."""

    def keep(z: Tensor) -> None:
        if gradients_expected and not torch.is_grad_enabled():
            raise RuntimeError(
                f"The latents at {at!r} cannot carry a gradient, though the model is being "
                "trained: the site ran with gradients off, as under reentrant checkpointing. "
                "Use checkpoint(..., use_reentrant=False), or record within torch.no_grad()."
            )
        latents[at] = z

    return keep


@contextmanager
def record(model: nn.Module, at: At | Iterable[At] = "latent") -> Generator[Recording]:
    """Record what leaves one or several sites, for the length of a block.

    Latents keep their gradients, so penalties can be taken of them; a later forward pass replaces
    those of an earlier one. Edits in force are included. A population gives ``(runs, ..., dim)``.

    Args:
        model: Any module, or a population.
        at: One site or several.

    Raises:
        ValueError: If a site does not exist.
        RuntimeError: If the model is compiled already, if a site never ran within the block, or if
            latents lost their gradient during training.

    Examples:
        >>> import torch
        >>> from latent_anchors.models import SphericalAutoencoder
        >>> model = SphericalAutoencoder(channels=3, latent_dim=4)
        >>> with record(model) as latents:
        ...     output = model(torch.rand(8, 3))
        >>> latents["latent"].shape
        torch.Size([8, 4])
    """
    sites = [at] if isinstance(at, At) else list(at)
    gradients_expected = torch.is_grad_enabled() and model.training and _is_trained(model)
    latents: dict[At, Tensor] = {}
    with ExitStack() as handles:
        for site in sites:
            keep = _keeper(latents, site, gradients_expected)
            handles.enter_context(attach_recorder(model, site, keep))
        yield Recording(latents)
    silent = [site for site in sites if site not in latents]
    if silent:
        raise RuntimeError(
            f"Nothing left {listed(silent)} within the block; expected the model to run. Call this "
            "very model (not a copy, nor a function compiled before) in the block, on a path that "
            "passes the site."
        )


def _is_trained(model: nn.Module) -> bool:
    return any(parameter.requires_grad for parameter in model.parameters())
