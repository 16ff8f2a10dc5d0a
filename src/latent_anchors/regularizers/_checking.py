"""Whether a function of a user's own keeps what every penalty promises."""

from latent_anchors._checks import check_count
from latent_anchors.regularizers._promises import OF_COUPLINGS, OF_PENALTIES, complaints, draw
from latent_anchors.regularizers._terms import Penalty


def check(penalty: Penalty, dim: int, coupling: bool = False) -> None:
    """Refuse a penalty that breaks a promise of its family, and say which and what to do.

    A penalty maps ``(..., dim)`` to ``(...)``, a coupling ``(..., n, dim)`` to ``(..., n)`` and
    takes ``mask=None``, which says for each member ``(..., n)`` whether it counts. Both are
    non-negative; finite with finite gradients, at the origin, on coincident latents and in a
    batch of one too; in full precision, even under autocast; free of side effects and of control
    flow that depends on values. Samples never interact, and one that is NaN harms no other; in a
    coupling the members of one set do: shuffling them shuffles the values, their number does not
    change the scale, one alone gives 0, and those that do not count have no influence, NaN
    included.

    The function is tried on the CPU. An error that it raises on ordinary latents passes through.

    Args:
        penalty: Any function or module.
        dim: Dimensions of the latents that it is tried on.
        coupling: Whether it compares the members of a set.

    Raises:
        ValueError: If promises are broken; all are listed.
        TypeError: If the number of dimensions is not a whole number.

    Examples:
        >>> from latent_anchors.regularizers import Anchor, separation
        >>> check(Anchor([1, 0, 0]), dim=3)
        >>> check(separation, dim=3, coupling=True)
        >>> def squared_length(z):
        ...     return z.float().square().sum(-1)
        >>> try:
        ...     check(squared_length, dim=3)
        ... except ValueError as error:
        ...     print(error)
        squared_length breaks promises of a penalty:
        - float64 stays float64: it gave torch.float32. Call z.float() on half precision only.
    """
    check_count("dim", dim)
    penalty(draw(5, dim))
    broken = complaints(OF_COUPLINGS if coupling else OF_PENALTIES, penalty, dim)
    if broken:
        name = getattr(penalty, "__name__", None) or repr(penalty)
        family = "coupling" if coupling else "penalty"
        raise ValueError("\n".join([f"{name} breaks promises of a {family}:", *broken]))
