"""Conditions on a measurement, for triggers."""

from collections.abc import Callable
from dataclasses import dataclass

from latent_anchors._checks import check_between, check_count, check_finite, check_name
from latent_anchors.curriculum._json import as_plain_numbers

HIGHEST_SMOOTHING = 0.9999


@dataclass(frozen=True)
class Below:
    """The measurement has been below a threshold for some observations in a row.

    The condition becomes true after ``patience`` observations below the threshold, and stays true
    until one is above ``clear``. So a measurement that fluctuates around the threshold fires once.

    Args:
        threshold: The measurement must be below it.
        patience: How many observations in a row.
        clear: Above this the condition becomes false; by default the threshold itself.
        smoothing: Decay of the exponential moving average that is compared with the threshold, from
            0 (the measurement itself) to 0.9999; the observation ``n`` before the latest has weight
            ``smoothing**n``.

    Raises:
        TypeError: If the patience is not an integer, or another number is none, such as text.
        ValueError: If a number is out of its range, or ``clear`` is below the threshold.

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
                f"Below({self.threshold}) has clear={self.clear}; expected at least the threshold."
            )

    @property
    def words(self) -> str:
        """The condition in words.

        Examples:
            >>> Below(0.01, smoothing=0.9).words
            'below 0.01, smoothed by 0.9'
        """
        return f"below {self.threshold:g}" + _for(self.patience) + _smoothed(self.smoothing)


@dataclass(frozen=True)
class Above:
    """The measurement has been above a threshold for some observations in a row.

    It mirrors :class:`Below`.

    Args:
        threshold: The measurement must be above it.
        patience: How many observations in a row.
        clear: Below this the condition becomes false; by default the threshold itself.
        smoothing: As in :class:`Below`.

    Raises:
        TypeError: If the patience is not an integer, or another number is none, such as text.
        ValueError: If a number is out of its range, or ``clear`` is above the threshold.

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
                f"Above({self.threshold}) has clear={self.clear}; expected at most the threshold."
            )

    @property
    def words(self) -> str:
        """The condition in words.

        Examples:
            >>> Above(0.9).words
            'above 0.9'
        """
        return f"above {self.threshold:g}" + _for(self.patience) + _smoothed(self.smoothing)


@dataclass(frozen=True)
class Plateau:
    """The measurement has not improved for some observations in a row.

    The condition becomes true after ``patience`` observations of which none improved on the best
    by more than ``margin``, and false when one does. After the trigger has fired, the count starts
    again.

    Args:
        patience: How many observations in a row.
        margin: The smallest improvement that counts, in units of the measurement.
        better: ``"lower"`` or ``"higher"``.
        smoothing: As in :class:`Below`.

    Raises:
        TypeError: If the patience is not an integer, or another number is none, such as text.
        ValueError: If a number is out of its range, or ``better`` is neither of the two.

    Examples:
        >>> Plateau(100, margin=1e-4).words
        'not lower by 0.0001 for 100 observations in a row'
    """

    patience: int
    margin: float | int = 0.0
    better: str = "lower"
    smoothing: float | int = 0.0

    def __post_init__(self) -> None:
        as_plain_numbers(self, "margin", "smoothing")
        check_count("patience", self.patience)
        check_finite("margin", float(self.margin))
        check_between("margin", float(self.margin), 0.0, float("inf"))
        check_name("direction", self.better, ("lower", "higher"))
        check_between("smoothing", float(self.smoothing), 0.0, HIGHEST_SMOOTHING)

    @property
    def words(self) -> str:
        """The condition in words.

        Examples:
            >>> Plateau(5, better="higher").words
            'not higher for 5 observations in a row'
        """
        by = f" by {self.margin:g}" if self.margin else ""
        return f"not {self.better}{by}" + _for(self.patience) + _smoothed(self.smoothing)


@dataclass(frozen=True)
class Predicate:
    """A custom condition: any function of the measurement that returns true or false.

    It must be deterministic, or playing is not reproducible. It cannot be written as JSON; the
    state of a playhead can, and is loaded into a playhead with the same function.

    Args:
        function: A function of the measurement, smoothed or not.
        smoothing: As in :class:`Below`.

    Raises:
        TypeError: If ``function`` cannot be called, or the smoothing is no number.
        ValueError: If the smoothing is out of its range.

    Examples:
        >>> def even(value):
        ...     return value % 2 == 0
        >>> Predicate(even).words
        'even'
    """

    function: Callable[[float], bool]
    smoothing: float | int = 0.0

    def __post_init__(self) -> None:
        as_plain_numbers(self, "smoothing")
        check_between("smoothing", float(self.smoothing), 0.0, HIGHEST_SMOOTHING)
        if not callable(self.function):
            raise TypeError(
                f"Predicate({self.function!r}) is not given a function; expected a function of one "
                "number, such as math.isnan."
            )

    @property
    def words(self) -> str:
        """The condition in words: the name of the function.

        Examples:
            >>> Predicate(bool, smoothing=0.5).words
            'bool, smoothed by 0.5'
        """
        name = getattr(self.function, "__name__", type(self.function).__name__)
        return name + _smoothed(self.smoothing)

    def __repr__(self) -> str:
        return f"Predicate({self.words})"


Condition = Below | Above | Plateau | Predicate


def _check_threshold(condition: Below | Above) -> None:
    as_plain_numbers(condition, "threshold", "clear", "smoothing")
    check_finite("threshold", float(condition.threshold))
    check_count("patience", condition.patience)
    check_between("smoothing", float(condition.smoothing), 0.0, HIGHEST_SMOOTHING)
    if condition.clear is not None:
        check_finite("clear", float(condition.clear))


def _for(patience: int) -> str:
    return f" for {patience} observations in a row" if patience > 1 else ""


def _smoothed(smoothing: float) -> str:
    return f", smoothed by {smoothing:g}" if smoothing else ""
