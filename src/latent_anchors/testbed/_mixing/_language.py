"""The color-mixing language: lines such as ``red + blue = purple``, a token for each word."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import cast

import torch
from jaxtyping import Float, Int
from torch import Tensor

from latent_anchors._checks import check_count, check_name
from latent_anchors.colorspace import GRAYS, HUES, named_colors, rgb_grid
from latent_anchors.testbed._mixing._splits import MixingSplit, split_pairs

OPERATIONS = ("+", "-")
"""Midpoint of two colors; midpoint of the first and the second's complement."""

MOST_LEVELS = 16
"""Levels that one hexadecimal digit can tell apart."""

_DARK_AND_LIGHT: dict[str, tuple[float, float, float]] = {
    "maroon": (0.5, 0.0, 0.0),
    "olive": (0.5, 0.5, 0.0),
    "dark_green": (0.0, 0.5, 0.0),
    "dark_cyan": (0.0, 0.5, 0.5),
    "navy": (0.0, 0.0, 0.5),
    "purple": (0.5, 0.0, 0.5),
    "pink": (1.0, 0.5, 0.5),
    "light_yellow": (1.0, 1.0, 0.5),
    "light_green": (0.5, 1.0, 0.5),
    "light_cyan": (0.5, 1.0, 1.0),
    "light_blue": (0.5, 0.5, 1.0),
    "light_magenta": (1.0, 0.5, 1.0),
}


@dataclass(frozen=True)
class MixingLanguage:
    r"""Colors of a grid, and the lines ``a + b = c`` that have an exact answer on it.

    .. math:: a + b = \frac{a + b}{2}, \qquad a - b = \frac{a + (1 - b)}{2}

    on the left in the language, on the right in RGB. A pair is *closed* if its answer is on the
    grid: if in every channel the levels' indices are both even or both odd (under ``-`` one of
    each, where the number of levels is even). A line is six tokens, ``a + b = c \n``.

    Tokens are the colors, red changing slowest, then the operations, ``=`` and the end of a line.

    Args:
        levels: Per channel, from 0 to 1, both included; from 2 to 16.
        operations: Some of ``+`` and ``-``, each once.

    Raises:
        TypeError: If the number of levels is not a whole number.
        ValueError: If there are too few or too many levels, or an operation is unknown, given
            twice, or none is.

    References:
        The word-level mixing language of ``sca2`` (2026), here without its rounding; the
        subtraction is ours.

    Examples:
        >>> language = MixingLanguage(levels=7, operations=("+", "-"))
        >>> language.decode(language.lines(language.encode("red blue")[None], "-")[0, :5])
        'red - blue = orange'
        >>> len(language.colors), len(language.pairs())
        (343, 15625)
    """

    levels: int = 7
    operations: tuple[str, ...] = ("+",)

    def __post_init__(self) -> None:
        check_count("levels", self.levels, least=2)
        if self.levels > MOST_LEVELS:
            raise ValueError(
                f"levels is {self.levels}; expected at most {MOST_LEVELS}, which one digit can "
                "tell apart."
            )
        for operation in self.operations:
            check_name("operation", operation, OPERATIONS)
        if not self.operations or len(set(self.operations)) < len(self.operations):
            raise ValueError(
                f"The operations are {self.operations!r}; expected at least one, each once, such "
                "as ('+', '-')."
            )

    @property
    def colors(self) -> Float[Tensor, "colors 3"]:
        """RGB of each color token, in order.

        Examples:
            >>> MixingLanguage(levels=3).colors[1].tolist()
            [0.0, 0.0, 0.5]
        """
        return rgb_grid(self.levels)

    @cached_property
    def vocabulary(self) -> tuple[str, ...]:
        """The word of each token: classic names, or digits of levels such as ``#623``."""
        return (*color_words(self.levels), *self.operations, "=", "\n")

    @cached_property
    def _tokens(self) -> dict[str, int]:
        return {word: token for token, word in enumerate(self.vocabulary)}

    def token(self, name: str) -> int:
        r"""The token of a word.

        Args:
            name: A color, an operation, ``=`` or ``\n``.

        Raises:
            ValueError: If there is no such word; the message tells the nearest.

        Examples:
            >>> MixingLanguage(levels=3).token("white")
            26
        """
        check_name("word", name, self.vocabulary)
        return self._tokens[name]

    def encode(self, text: str) -> Int[Tensor, " tokens"]:
        """The tokens of words with spaces between; the end of a line is a word.

        Raises:
            ValueError: If there is no such word.

        Examples:
            >>> MixingLanguage(levels=3).encode("black + white =").tolist()
            [0, 27, 26, 28]
        """
        words = text.replace("\n", " \n ").split(" ")
        return torch.tensor([self.token(word) for word in words if word], dtype=torch.long)

    def decode(self, tokens: Int[Tensor, " tokens"]) -> str:
        """The words of tokens, as :meth:`encode` reads them.

        Args:
            tokens: ``(tokens,)``.

        Examples:
            >>> MixingLanguage(levels=3).decode(torch.tensor([0, 27, 26, 28, 13]))
            'black + white = gray'
        """
        text = " ".join(self.vocabulary[token] for token in cast("list[int]", tokens.tolist()))
        return text.replace(" \n", "\n").replace("\n ", "\n")

    def pairs(self, operation: str = "+") -> Int[Tensor, "pairs 2"]:
        """All ordered pairs whose answer is on the grid, a color with itself included.

        Args:
            operation: One of the language's.

        Returns:
            Color indices ``(pairs, 2)``.

        Raises:
            ValueError: If the language lacks the operation.

        Examples:
            >>> len(MixingLanguage(levels=6).pairs())
            5832
        """
        every = self._every()
        return every[self._closed(every, operation)]

    def open_pairs(self, operation: str = "+") -> Int[Tensor, "pairs 2"]:
        """All ordered pairs whose answer lies between colors of the grid.

        Args:
            operation: One of the language's.

        Returns:
            Color indices ``(pairs, 2)``.

        Raises:
            ValueError: If the language lacks the operation.

        Examples:
            >>> len(MixingLanguage(levels=6).open_pairs())
            40824
        """
        every = self._every()
        return every[~self._closed(every, operation)]

    def mixtures(
        self, pairs: Int[Tensor, "pairs 2"], operation: str = "+"
    ) -> Float[Tensor, "pairs 3"]:
        """RGB of what pairs mix to, on the grid or not.

        Args:
            pairs: Color indices ``(pairs, 2)``.
            operation: One of the language's.

        Returns:
            ``(pairs, 3)``, from 0 to 1.

        Raises:
            ValueError: If the language lacks the operation.

        Examples:
            >>> MixingLanguage(levels=2).mixtures(torch.tensor([[4, 1]])).tolist()
            [[0.5, 0.0, 0.5]]
        """
        twice = self._twice(pairs, operation)
        return twice.to(torch.get_default_dtype()) / (2 * (self.levels - 1))

    def answers(self, pairs: Int[Tensor, "pairs 2"], operation: str = "+") -> Int[Tensor, " pairs"]:
        """The color that each closed pair mixes to.

        Args:
            pairs: Color indices ``(pairs, 2)``.
            operation: One of the language's.

        Returns:
            Color indices ``(pairs,)``.

        Raises:
            ValueError: If a pair is open, or the language lacks the operation.

        Examples:
            >>> MixingLanguage(levels=3).answers(torch.tensor([[0, 26]])).tolist()
            [13]
        """
        twice = self._twice(pairs, operation)
        open_ones = pairs[(twice % 2 != 0).any(1)]
        if len(open_ones):
            a, b = (self.vocabulary[int(color)] for color in open_ones[0])
            raise ValueError(
                f"{len(open_ones)} of {len(pairs)} pairs have no answer on the grid, '{a} "
                f"{operation} {b}' among them; expected closed pairs, such as those of `pairs`."
            )
        return (twice // 2) @ self._place()

    def lines(self, pairs: Int[Tensor, "pairs 2"], operation: str = "+") -> Int[Tensor, "pairs 6"]:
        r"""Whole lines, ready for a sampler.

        Args:
            pairs: Color indices of closed pairs ``(pairs, 2)``.
            operation: One of the language's.

        Returns:
            Tokens ``(pairs, 6)``.

        Raises:
            ValueError: If a pair is open, or the language lacks the operation.

        Examples:
            >>> language = MixingLanguage(levels=3)
            >>> language.decode(language.lines(torch.tensor([[18, 2]]))[0])
            'red + blue = purple\n'
        """
        answers = self.answers(pairs, operation)
        words = [self.token(word) for word in (operation, "=", "\n")]
        sign, equals, end = (answers.new_full(answers.shape, word) for word in words)
        return torch.stack([pairs[:, 0], sign, pairs[:, 1], equals, answers, end], dim=1)

    def split(
        self,
        seed: int,
        held_out: float = 0.2,
        always: Sequence[tuple[str, str]] = (),
        operation: str = "+",
    ) -> MixingSplit:
        """Hold out a share of the closed pairs of two colors, both orders together.

        Where the number of levels is odd, one seed holds out the same pairs of both operations.

        Args:
            seed: Of the split; nothing else decides.
            held_out: The share, from 0 to 1, of unordered pairs; those of ``always`` count.
            always: Pairs that are held out whatever the seed, by the colors' names.
            operation: One of the language's.

        Returns:
            What is seen, each color with itself included, and what is held out.

        Raises:
            ValueError: If the share is not from 0 to 1, there is no such color or operation, or a
                pair to be held out is open or a color with itself.

        Examples:
            >>> split = MixingLanguage(levels=7).split(seed=0, always=[("red", "blue")])
            >>> len(split.held_out) // 2
            1528
        """
        named = [[self._color(name) for name in pair] for pair in always]
        held = torch.tensor(named, dtype=torch.long).reshape(-1, 2)
        return split_pairs(self.pairs(operation), seed, held_out, held)

    def _color(self, name: str) -> int:
        check_name("color", name, self.vocabulary[: self.levels**3])
        return self.token(name)

    def _every(self) -> Int[Tensor, "pairs 2"]:
        return torch.cartesian_prod(*[torch.arange(self.levels**3)] * 2)

    def _closed(self, pairs: Int[Tensor, "pairs 2"], operation: str) -> Tensor:
        return (self._twice(pairs, operation) % 2 == 0).all(1)

    def _twice(self, pairs: Int[Tensor, "pairs 2"], operation: str) -> Int[Tensor, "pairs 3"]:
        """Twice the mixture, in steps of the grid: exact."""
        check_name("operation", operation, self.operations)
        a, b = (pairs.unsqueeze(-1) // self._place() % self.levels).unbind(1)
        return a + b if operation == "+" else a + (self.levels - 1 - b)

    def _place(self) -> Int[Tensor, " 3"]:
        """What a step of each channel adds to a color's index."""
        return torch.tensor([self.levels**2, self.levels, 1])


def color_words(levels: int) -> list[str]:
    """A name for each point of the grid, red slowest: ``purple``, or digits such as ``#623``."""
    steps = [(r, g, b) for r in range(levels) for g in range(levels) for b in range(levels)]
    classic = _classic(levels - 1)
    return [classic.get(point) or f"#{point[0]:x}{point[1]:x}{point[2]:x}" for point in steps]


def _classic(top: int) -> dict[tuple[int, ...], str]:
    """Names of the points of {0, 1/2, 1} cubed that lie on a grid from 0 to ``top``."""
    names = [*HUES, *(gray for gray, value in GRAYS.items() if (2 * value).is_integer())]
    known = cast("list[tuple[float, ...]]", named_colors(*names).tolist())
    points = {**dict(zip(names, known, strict=True)), **_DARK_AND_LIGHT}
    return {
        tuple(int(x * top) for x in point): name
        for name, point in points.items()
        if all((x * top).is_integer() for x in point)
    }
