"""Below ``testbed``, no code knows a color or a line of mixtures; ``colorspace`` alone does."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from refusals import SOURCE

from latent_anchors.colorspace import COLOR_NAMES

ALLOWED = {"colorspace", "testbed", "viz"}
WORDS = {"color", "colors", "hue", "hues", "rgb", "hsv", "mixing", "mixture", "mixtures"}
WORDS |= set(COLOR_NAMES)
ROOMS = {"colorspace", "testbed"}


def below() -> list[Path]:
    return [
        path
        for path in sorted(SOURCE.rglob("*.py"))
        if path.parent != SOURCE and path.relative_to(SOURCE).parts[0] not in ALLOWED
    ]


def docstrings(tree: ast.AST) -> set[int]:
    return {
        id(node.value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    }


def named(tree: ast.AST) -> Iterator[str]:
    """Names in the code and whole strings, without docstrings and messages."""
    prose = docstrings(tree)
    for node in ast.walk(tree):
        for field in ("id", "attr", "arg", "name", "module"):
            if isinstance(given := getattr(node, field, None), str):
                yield given
        text = getattr(node, "value", None) if isinstance(node, ast.Constant) else None
        if isinstance(text, str) and id(node) not in prose and re.fullmatch(r"\w+", text):
            yield text


def colored(source: str) -> set[str]:
    names = set(named(ast.parse(source)))
    return {
        name
        for name in names
        if WORDS & set(re.split(r"[_.\W]+", name.lower())) or ROOMS & set(name.split("."))
    }


@pytest.mark.parametrize("path", below(), ids=lambda path: str(path.relative_to(SOURCE)))
def test_no_code_below_testbed_knows_a_color(path: Path):
    assert not colored(path.read_text())


@pytest.mark.parametrize(
    "source",
    [
        "from latent_anchors.colorspace import hue_of",
        "from latent_anchors import testbed",
        "x = named('red')",
        "def hue_error(model): ...",
    ],
)
def test_a_color_is_found(source: str):
    assert colored(source)
