"""Perturbation: whether small random changes of the weights bring a concept back."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from copy import deepcopy
from functools import partial

import torch
from torch import Tensor, nn

from latent_anchors._checks import check_between, check_count, listed
from latent_anchors._hooks import in_force
from latent_anchors._numerics import in_full_precision
from latent_anchors._runs import architecture, eval_mode, one_for_each, seeds_of, with_axis_of_runs
from latent_anchors._streams import stream
from latent_anchors.evaluation import Evaluation

SIZES = (0.0, 0.01, 0.03, 0.1, 0.3, 1.0)


def perturbation(
    model: nn.Module,
    measure: Callable[[nn.Module], Mapping[str, Tensor]],
    sizes: Sequence[float] = SIZES,
    draws: int = 16,
) -> Evaluation:
    r"""Measure a network while noise is added to its weights.

    .. math:: W' = W + \varepsilon \, \frac{\lVert W \rVert_2}{\sqrt{\lvert W \rvert}} \, \xi,
        \qquad \xi \sim \mathcal{N}(0, I)

    for each layer's weights and biases :math:`W` together, :math:`|W|` numbers in all, and the
    relative size :math:`\varepsilon`. Weights that surgery set to zero get noise like the others.
    A concept that a small size brings back was hidden, not removed; measure something else too, to
    see what the noise does to a network anyway.

    Args:
        model: A network or a population; unchanged.
        measure: From a network in evaluation mode to numbers by name, each ``(runs,)``, such as an
            error on the concept and on everything.
        sizes: Of the noise, in relation to each layer's own weights.
        draws: How many draws the numbers are averaged over; they are the same for every size.

    Returns:
        By name ``(runs,)``: ``perturbation/NAME/SIZE``.

    Raises:
        ValueError: If there is no size or no draw, a size is negative or there twice, an edit is in
            force, which the weights lack, or a measure is not one number for each run.
        TypeError: If the number of draws is not an integer.

    References:
        Tice et al., "Noise injection reveals hidden capabilities of sandbagging language models",
        2024.

    Examples:
        >>> x = torch.ones(5, 2)
        >>> def measure(model): return {"bias": model(x).mean()}
        >>> found = perturbation(nn.Linear(2, 1), measure, sizes=(0.0, 0.1), draws=2)
        >>> list(found), found["perturbation/bias/0"].shape
        (['perturbation/bias/0', 'perturbation/bias/0.1'], torch.Size([1]))
    """
    check_no_edits(model)
    check_count("The number of sizes", len(sizes))
    check_count("draws", draws)
    for size in sizes:
        check_between("size", size, 0.0, torch.inf)
    if len({f"{size:g}" for size in sizes}) < len(sizes):
        raise ValueError(f"The sizes are {listed(sizes)}; expected each once, to six digits.")
    found: dict[str, Tensor] = {}
    for size in sizes:
        measured = [_measured(measure, _with_noise(model, size, draw)) for draw in range(draws)]
        for name in measured[0]:
            mean = torch.stack([each[name] for each in measured]).mean(0).float()
            found[f"perturbation/{name}/{size:g}"] = mean
    return Evaluation(found)


def check_no_edits(model: nn.Module) -> None:
    """Refuse edits in force, which copies do not have."""
    edits = in_force(model)
    if edits:
        raise ValueError(
            f"The edit {edits[0].edit!r} is in force at {edits[0].site.name!r}; expected weights "
            "alone, since noise is added to copies, which carry no edits. Build it into the "
            "weights first, such as with red.removed(model) or edit_embedding."
        )


def _measured(
    measure: Callable[[nn.Module], Mapping[str, Tensor]], model: nn.Module
) -> dict[str, Tensor]:
    with eval_mode(model):
        runs = len(seeds_of(model))
        return {
            name: one_for_each(name, torch.as_tensor(values).reshape(-1), runs)
            for name, values in measure(model).items()
        }


def _with_noise(model: nn.Module, size: float, draw: int) -> nn.Module:
    other = deepcopy(model)
    parameters = parameters_of(other)
    generators = [stream(seed, "perturbation", draw) for seed in seeds_of(model)]
    for names in by_layer(parameters).values():
        count = sum(parameters[name][0].numel() for name in names)
        rms = norm([parameters[name] for name in names]) / count**0.5
        for name in names:
            p = parameters[name]
            drawn = partial(torch.randn, p.shape[1:], dtype=torch.float32)
            noise = torch.stack([drawn(generator=each) for each in generators])
            p += size * per_run(rms, p) * noise.to(p)
    return other


def parameters_of(model: nn.Module) -> dict[str, Tensor]:
    """Parameters ``(runs, ...)``, frozen ones too, sharing the model's memory."""
    return {
        name: with_axis_of_runs(model, p.detach())
        for name, p in architecture(model).named_parameters()
    }


def by_layer(names: Iterable[str]) -> dict[str, list[str]]:
    """Names of parameters by the layer that owns them."""
    found: dict[str, list[str]] = {}
    for name in names:
        found.setdefault(name.rpartition(".")[0], []).append(name)
    return found


def norm(tensors: Sequence[Tensor]) -> Tensor:
    """Length of each run's part of a layer, all its parameters together ``(runs,)``."""
    # squares of small weights would vanish in half precision
    squares = (in_full_precision(tensor).flatten(1).square().sum(1) for tensor in tensors)
    return torch.stack([*squares]).sum(0).sqrt()


def per_run(values: Tensor, tensor: Tensor) -> Tensor:
    """One value per run, shaped to be multiplied with a stacked tensor."""
    return values.view(-1, *[1] * (tensor.ndim - 1))
