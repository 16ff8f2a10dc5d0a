"""Files and words: names that a stranger can guess, sizes, and plain English."""

import ast
import io
import re
import tokenize
from collections import Counter
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
from refusals import SOURCE

PROJECT = Path(__file__).parents[1]
SMALL = 25
ENTRIES = 14
FREE = {"colorspace", "viz"}
BANNED = re.compile(
    r"\b((fore|un)?told(?!/)|ought to|whoever|(bring|brings|bringing|brought) along"
    r"|(come|comes|came) to know|at (each|every|first) sight|learnt|of one's own|one's own"
    r"|refuses? to be|as things stand|pupils?|lanes?)\b",
    re.IGNORECASE,
)
SPLIT = re.compile(r"[_\W]+")


def sources() -> list[Path]:
    return sorted(SOURCE.rglob("*.py"))


@cache
def parts(path: Path) -> tuple[int, int]:
    """Lines of code and lines of imports, without docstrings, comments and blank lines."""
    text = path.read_text()
    skipped = {tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT}
    skipped |= {tokenize.ENDMARKER}
    code = {
        line
        for token in tokenize.generate_tokens(io.StringIO(text).readline)
        if token.type not in skipped
        for line in range(token.start[0], token.end[0] + 1)
    }
    tree = ast.parse(text)
    imports = lines_of(node for node in ast.walk(tree) if isinstance(node, _IMPORTS))
    prose = lines_of(
        node
        for node in ast.walk(tree)
        if isinstance(node, ast.Expr)
        and isinstance(node.value, ast.Constant)
        and isinstance(node.value.value, str)
    )
    return len(code - imports - prose), len(imports)


_IMPORTS = (ast.Import, ast.ImportFrom)


def lines_of(nodes: Iterator[ast.stmt]) -> set[int]:
    return {line for node in nodes for line in range(node.lineno, (node.end_lineno or 0) + 1)}


@cache
def importers() -> dict[Path, set[Path]]:
    """Every file of the package, with the files that import it."""
    dotted = {
        ".".join(path.relative_to(SOURCE.parent).with_suffix("").parts): path for path in sources()
    }
    found: dict[Path, set[Path]] = {path: set() for path in sources()}
    for path in sources():
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.ImportFrom):
                for name in (node.module, *(f"{node.module}.{alias.name}" for alias in node.names)):
                    if name in dotted:
                        found[dotted[name]].add(path)
    return found


def test_no_base_name_occurs_twice():
    names = Counter(path.name for path in sources() if path.name != "__init__.py")
    assert not {name for name, count in names.items() if count > 1}


def test_a_small_file_is_not_there_for_one_other_file():
    lonely = {
        path.relative_to(SOURCE).as_posix()
        for path, by in importers().items()
        if path.name != "__init__.py"
        and parts(path)[0] < SMALL
        and len(by) == 1
        and next(iter(by)).name != "__init__.py"
    }
    assert not lonely


def test_no_folder_has_more_than_fourteen_entries():
    folders = {path.parent for path in sources()} - {SOURCE}
    entries = {
        folder.relative_to(SOURCE).as_posix(): [
            entry
            for entry in folder.iterdir()
            if entry.suffix == ".py" or (entry / "__init__.py").exists()
        ]
        for folder in folders
    }
    assert not {
        name: len(found)
        for name, found in entries.items()
        if len(found) > ENTRIES and name not in FREE
    }


def test_imports_are_a_small_share_of_the_code():
    counted = [parts(path) for path in sources()]
    code, imports = (sum(column) for column in zip(*counted, strict=True))
    assert imports <= 0.185 * code, (imports, code)


def written() -> list[Path]:
    """What people read: source, docs, examples, README."""
    docs = [*(PROJECT / "docs").rglob("*.rst"), *(PROJECT / "docs").rglob("*.py")]
    docs = [path for path in docs if "_build" not in path.parts and "auto" not in path.parts]
    return [*sources(), *docs, *(PROJECT / "examples").glob("*"), PROJECT / "README.md"]


def places(path: Path) -> list[str]:
    lines = path.read_text().splitlines()
    name = path.relative_to(PROJECT)
    return [
        f"{name}:{at}: {line.strip()}" for at, line in enumerate(lines, 1) if BANNED.search(line)
    ]


def test_source_docs_and_examples_are_in_plain_english():
    files = [path for path in written() if path.suffix in {".py", ".rst", ".md", ".csv"}]
    assert not [place for path in files for place in places(path)]


@pytest.mark.parametrize("text", ["What is told", "An ought_to", "Learnt."])
def test_words_of_a_private_idiom_are_found(text: str):
    assert BANNED.search(SPLIT.sub(" ", text))


def test_names_of_tests_are_in_plain_english():
    for path in (PROJECT / "tests").rglob("test_*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.FunctionDef):
                assert not BANNED.search(SPLIT.sub(" ", node.name)), f"{path}: {node.name}"


def test_most_public_names_are_used_where_people_read():
    guides = [*(PROJECT / "docs" / "guides").glob("*.*"), *(PROJECT / "examples").glob("*.py")]
    words = set(
        re.findall(r"\w+", "\n".join(p.read_text() for p in [*guides, PROJECT / "README.md"]))
    )
    names = {line.rpartition(".")[2] for line in INVENTORY.read_text().split()}
    unused = sorted(names - words)
    assert len(unused) <= 0.1 * len(names), f"{len(unused)} of {len(names)}: {unused}"


INVENTORY = Path(__file__).with_name("inventory.txt")
