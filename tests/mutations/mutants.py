"""Mutants of a file: where, and what stands in whose place; and a fixed sample of them."""

import ast
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256

from mutations.changes import changes, left_alone

SHOWN = 72
"""Characters of the code around a change, by which it is shown and known."""

NO_LINES_OF_THEIR_OWN = ast.FunctionDef | ast.ClassDef | ast.Module


@dataclass(frozen=True)
class Mutant:
    """One change: ``text`` in the place of the bytes from ``start`` to ``end``."""

    file: str
    function: str
    before: str
    after: str
    line: int
    lines: range  # those of the statement, or of the function whose default it is
    start: int
    end: int
    text: str
    inside: bool  # of a function's body, so that importing the file does not run it
    nth: int = 0  # among those that look the same

    @property
    def key(self) -> tuple[str, str, str, str]:
        """What stays when other lines change."""
        return self.file, self.function, self.before, self.after

    def order(self, seed: int) -> str:
        """A place in the sample that depends on nothing else in the room."""
        return sha256(repr((seed, *self.key, self.nth)).encode()).hexdigest()

    def within(self, source: str) -> str:
        """The file with this mistake in it, every other line where it was."""
        data = source.encode()
        lost = data[self.start : self.end].count(b"\n") - self.text.count("\n")
        text = self.text if not lost else f"({self.text}{chr(10) * lost})"
        if self.text in {"pass", "break", "continue"}:
            text = self.text + "\n" * lost
        return (data[: self.start] + text.encode() + data[self.end :]).decode()


def sample(mutants: list[Mutant], count: int, seed: int) -> list[Mutant]:
    """So many of them, always the same ones."""
    return sorted(mutants, key=lambda mutant: mutant.order(seed))[:count]


def mutants_of(file: str, source: str) -> list[Mutant]:
    """Every mutant of a file, in the order of its text."""
    found: dict[tuple[int, int, str], Mutant] = {}
    seen: Counter[tuple[str, str, str, str]] = Counter()
    text = _Text(source)
    for path, node, replacement in _changed(ast.parse(source), ()):
        mutant = _mutant(file, text, path, node, replacement)
        place = (mutant.start, mutant.end, mutant.text)
        if place not in found:
            found[place] = _numbered(mutant, seen[mutant.key])
            seen[mutant.key] += 1
    return list(found.values())


def _numbered(mutant: Mutant, nth: int) -> Mutant:
    return Mutant(**{**mutant.__dict__, "nth": nth})


def _changed(
    node: ast.AST, above: tuple[ast.AST, ...]
) -> Iterator[tuple[tuple[ast.AST, ...], ast.AST, str]]:
    """The nodes above one that changes, it, and the text in its place."""
    for changed, text in changes(node):
        yield (*above, *_between(node, changed)), changed, text
    for child in ast.iter_child_nodes(node):
        if not left_alone(child, node):
            yield from _changed(child, (*above, node))


def _between(node: ast.AST, inner: ast.AST) -> list[ast.AST]:
    """The nodes from one down to a node inside it, which is left out."""
    if node is inner:
        return []
    for child in ast.iter_child_nodes(node):
        if child is inner or any(each is inner for each in ast.walk(child)):
            return [node, *_between(child, inner)]
    return []


class _Text:
    """A file's bytes, by line and column as the syntax tree counts them."""

    def __init__(self, source: str) -> None:
        self.data = source.encode()
        self.starts = [0]
        for line in self.data.splitlines(keepends=True):
            self.starts.append(self.starts[-1] + len(line))

    def place(self, node: ast.AST) -> tuple[int, int]:
        start = self.starts[node.lineno - 1] + node.col_offset
        end = self.starts[node.end_lineno - 1] + node.end_col_offset
        return start, end

    def between(self, start: int, end: int) -> str:
        return " ".join(self.data[start:end].decode().split())


def _mutant(
    file: str, text: _Text, path: tuple[ast.AST, ...], node: ast.AST, replacement: str
) -> Mutant:
    start, end = text.place(node)
    first, last = _around(text, path, node)
    named = [each for each in path if isinstance(each, ast.FunctionDef | ast.ClassDef)]
    return Mutant(
        file=file,
        function=".".join(each.name for each in named),
        before=text.between(first, last),
        after=" ".join(
            (text.data[first:start] + replacement.encode() + text.data[end:last]).decode().split()
        ),
        line=node.lineno,
        lines=_lines(path, node),
        start=start,
        end=end,
        text=replacement,
        inside=_is_inside(path, node),
    )


def _around(text: _Text, path: tuple[ast.AST, ...], node: ast.AST) -> tuple[int, int]:
    """As much of the code around as can be read at a glance."""
    start, end = text.place(node)
    for above in reversed(path):
        if isinstance(above, ast.arguments):
            return _argument(text, above, start), end
        if isinstance(above, ast.stmt) and hasattr(above, "body"):
            break
        if hasattr(above, "lineno"):
            low, high = text.place(above)
            if len(text.between(low, high)) > SHOWN:
                break
            start, end = low, high
    return start, end


def _argument(text: _Text, arguments: ast.arguments, default: int) -> int:
    """Where the argument begins that a default belongs to."""
    every = [text.place(arg)[0] for arg in ast.walk(arguments) if isinstance(arg, ast.arg)]
    return max(start for start in every if start <= default)


def _lines(path: tuple[ast.AST, ...], node: ast.AST) -> range:
    """Lines that run when the change acts."""
    for above in reversed((*path, node)):
        if isinstance(above, ast.stmt):
            whole = isinstance(above, ast.FunctionDef) or not hasattr(above, "body")
            last = above.end_lineno if whole else above.body[0].lineno - 1
            return range(above.lineno, max(above.lineno, last or 0) + 1)
    raise AssertionError("Every change is in a statement.")


def _is_inside(path: tuple[ast.AST, ...], node: ast.AST) -> bool:
    functions = [place for place, each in enumerate(path) if isinstance(each, ast.FunctionDef)]
    if not functions:
        return False
    below = [*path, node][functions[0] + 1]
    return not isinstance(below, ast.arguments)
