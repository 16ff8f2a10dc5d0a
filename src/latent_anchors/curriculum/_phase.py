"""A named stretch of a training."""

from dataclasses import dataclass

from latent_anchors._checks import check_count


@dataclass(frozen=True)
class Phase:
    """A named stretch of a training, from its start until the next phase's.

    A name may come again later, as another phase.

    Raises:
        TypeError: if the start is no whole number.
        ValueError: if the start is negative, or there is no name.

    Examples:
        >>> Phase("All hues", start=3000)
        Phase(name='All hues', start=3000)
    """

    name: str
    start: int

    def __post_init__(self) -> None:
        check_count(f"The start of phase {self.name!r}", self.start, least=0)
        if not self.name:
            raise ValueError(f"The phase at step {self.start} has no name; give it one.")
