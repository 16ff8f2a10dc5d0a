"""What a trigger waits for in a measurement."""

from collections.abc import Callable
from dataclasses import dataclass

from latent_anchors._checks import check_between, check_count, check_finite, check_name

HIGHEST_SMOOTHING = 0.9999


@dataclass(frozen=True)
class Below:
    """The measurement is low, and has been for a while.

    It holds once ``patience`` observations in a row were below the threshold, and from then on
    until one is above ``clear``: what trembles around the threshold holds once, not often.

    Args:
        threshold: what to fall below.
        patience: how many observations in a row.
        clear: above what it is over; the threshold itself if None.
        smoothing: how much of the mean so far each observation leaves, from 0 (none: the
            measurement itself) to 0.9999. The mean weighs an observation ``n`` ago by
            ``smoothing**n``.

    Raises:
        TypeError: if the patience is no whole number.
        ValueError: if a number is out of its range, or ``clear`` is below the threshold.

    Examples:
        >>> Below(0.01, patience=3, clear=0.02).words
        'below 0.01 for 3 observations in a row'
    """

    threshold: float | int
    patience: int = 1
    clear: float | int | None = None
    smoothing: float | int = 0.0

    def __post_init__(self) -> None:
        _check_threshold(self)
        if self.clear is not None and self.clear < self.threshold:
            raise ValueError(
                f"Below({self.threshold}) is to clear above {self.clear}; expected at least "
                "the threshold."
            )

    @property
    def words(self) -> str:
        """What it waits for.

        Examples:
            >>> Below(0.01, smoothing=0.9).words
            'below 0.01, smoothed by 0.9'
        """
        return f"below {self.threshold:g}" + _for(self.patience) + _smoothed(self.smoothing)


@dataclass(frozen=True)
class Above:
    """The measurement is high, and has been for a while: the mirror image of :class:`Below`.

    Args:
        threshold: what to rise above.
        patience: how many observations in a row.
        clear: below what it is over; the threshold itself if None.
        smoothing: as in :class:`Below`.

    Raises:
        TypeError: if the patience is no whole number.
        ValueError: if a number is out of its range, or ``clear`` is above the threshold.

    Examples:
        >>> Above(0.9, patience=3, clear=0.8).words
        'above 0.9 for 3 observations in a row'
    """

    threshold: float | int
    patience: int = 1
    clear: float | int | None = None
    smoothing: float | int = 0.0

    def __post_init__(self) -> None:
        _check_threshold(self)
        if self.clear is not None and self.clear > self.threshold:
            raise ValueError(
                f"Above({self.threshold}) is to clear below {self.clear}; expected at most "
                "the threshold."
            )

    @property
    def words(self) -> str:
        """What it waits for.

        Examples:
            >>> Above(0.9).words
            'above 0.9'
        """
        return f"above {self.threshold:g}" + _for(self.patience) + _smoothed(self.smoothing)


@dataclass(frozen=True)
class Plateau:
    """The measurement does not get better any more.

    It holds once ``patience`` observations in a row were none better than the best before by
    more than ``margin``, until one is. When it has fired, the patience begins anew.

    Args:
        patience: how many observations in a row.
        margin: what counts as better, in units of the measurement.
        better: ``"lower"`` or ``"higher"``.
        smoothing: as in :class:`Below`.

    Raises:
        TypeError: if the patience is no whole number.
        ValueError: if a number is out of its range, or ``better`` is neither of the two.

    Examples:
        >>> Plateau(100, margin=1e-4).words
        'not lower by 0.0001 for 100 observations in a row'
    """

    patience: int
    margin: float | int = 0.0
    better: str = "lower"
    smoothing: float | int = 0.0

    def __post_init__(self) -> None:
        check_count("patience", self.patience)
        check_finite("margin", float(self.margin))
        check_between("margin", float(self.margin), 0.0, float("inf"))
        check_name("direction", self.better, ("lower", "higher"))
        check_between("smoothing", float(self.smoothing), 0.0, HIGHEST_SMOOTHING)

    @property
    def words(self) -> str:
        """What it waits for.

        Examples:
            >>> Plateau(5, better="higher").words
            'not higher for 5 observations in a row'
        """
        by = f" by {self.margin:g}" if self.margin else ""
        return f"not {self.better}{by}" + _for(self.patience) + _smoothed(self.smoothing)


@dataclass(frozen=True)
class Predicate:
    """Whatever you say of the measurement: a function of it that answers yes or no.

    It must give the same answer to the same number, or the play is not the same twice. It cannot
    be written down; the state of a playhead can, and is loaded into one with the same function.

    Args:
        predicate: a function of the measurement, smoothed or not.
        smoothing: as in :class:`Below`.

    Raises:
        TypeError: if ``predicate`` cannot be called.
        ValueError: if the smoothing is out of its range.

    Examples:
        >>> def even(value):
        ...     return value % 2 == 0
        >>> Predicate(even).words
        'even'
    """

    predicate: Callable[[float], bool]
    smoothing: float | int = 0.0

    def __post_init__(self) -> None:
        check_between("smoothing", float(self.smoothing), 0.0, HIGHEST_SMOOTHING)
        if not callable(self.predicate):
            raise TypeError(f"{self.predicate!r} is no predicate; expected a function of a number.")

    @property
    def words(self) -> str:
        """What it waits for: the name of the function.

        Examples:
            >>> Predicate(bool, smoothing=0.5).words
            'bool, smoothed by 0.5'
        """
        name = getattr(self.predicate, "__name__", type(self.predicate).__name__)
        return name + _smoothed(self.smoothing)

    def __repr__(self) -> str:
        return f"Predicate({self.words})"


Condition = Below | Above | Plateau | Predicate


def _check_threshold(condition: Below | Above) -> None:
    check_finite("threshold", float(condition.threshold))
    check_count("patience", condition.patience)
    check_between("smoothing", float(condition.smoothing), 0.0, HIGHEST_SMOOTHING)
    if condition.clear is not None:
        check_finite("clear", float(condition.clear))


def _for(patience: int) -> str:
    return f" for {patience} observations in a row" if patience > 1 else ""


def _smoothed(smoothing: float) -> str:
    return f", smoothed by {smoothing:g}" if smoothing else ""
