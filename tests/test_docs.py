"""What the documentation says of the code and of its results."""

import ast
import importlib
import json
import re
import shutil
import tomllib
from collections.abc import Iterator
from dataclasses import asdict
from functools import cache
from pathlib import Path
from types import ModuleType

import pytest
from prose import length, sentences
from refusals import SOURCE
from test_public_api import ROOMS

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
STORED = sorted((DOCS / "results").rglob("*.json"))
EXAMPLES = {path.stem for path in (ROOT / "examples").glob("*.py")}
TRAINS = EXAMPLES - {"color_data", "parameter_transitions"}


@pytest.fixture
def results(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(str(DOCS))
    return importlib.import_module("results")


def test_the_results_page_says_what_the_stored_files_say(results: ModuleType):
    assert (DOCS / "results.rst").read_text() == results.page(DOCS / "results")


MADE = {"_build", "_templates", "api", "gallery", "guide"}
READ = [
    *(path for path in DOCS.rglob("*.rst") if not MADE & {*path.relative_to(DOCS).parts}),
    *(ROOT / "README.md", ROOT / "examples" / "GALLERY_HEADER.rst"),
    *(DOCS / "guides").glob("*.py"),
    *(ROOT / "examples").glob("*.py"),
]


@pytest.mark.parametrize("path", READ, ids=lambda path: path.name)
def test_sentences_are_short(path: Path):
    lengths = {sentence: length(sentence) for sentence in sentences(path)}
    # the changelog's page holds no sentence of its own
    assert lengths or path.name == "changelog.rst"
    assert [sentence for sentence, words in lengths.items() if words > 40] == []
    assert sum(lengths.values()) <= 25 * len(lengths)


PROSE = {
    "page.rst": "Title\n=====\n\nOne ``code.here``. :doc:`Two words </a>` and three.\n\n"
    "- An item, and it\n  goes on.\n\n.. code-block:: python\n\n   x = 1. Not read.\n\n"
    "Last::\n\n   No.\n",
    "page.md": "# Title\n\nOne `code.here`. Two words and three.\n\n"
    "- An item, and it\n  goes on.\n\n```python\nNot read.\n```\n",
    "page.py": '"""Title\n=====\n\nOne ``code.here``. Two words and three.\n"""\n\n# Not read.\n\n'
    "# %%\n# An item, and it\n# goes on.\n\nx = 1  # Not read.\n",
}


@pytest.mark.parametrize("name", PROSE)
def test_of_a_page_its_sentences_are_read_and_no_code(name: str, tmp_path: Path):
    path = tmp_path / name
    path.write_text(PROSE[name])
    said = sentences(path)
    assert said[1:] == ["Two words and three.", "An item, and it goes on."]
    assert [*map(length, said)] == [2, 4, 6]


@pytest.mark.parametrize("path", STORED, ids=lambda path: path.stem)
def test_a_stored_mean_follows_from_its_runs(path: Path, results: ModuleType):
    stored = json.loads(path.read_text())
    for name, metric in stored["metrics"].items():
        of = results.summarize_ratios if results.Line("", name).is_ratio else results.summarize
        again = of(metric["per_seed"])
        assert again.n == metric["n"], name
        if again.n:
            assert again.mean == pytest.approx(metric["mean"], rel=1e-5), name
        else:
            assert again.mean is metric["mean"] is None, name
        assert len(metric["per_seed"]) == len(stored["seeds"]), name


@pytest.mark.parametrize("path", STORED, ids=lambda path: path.stem)
def test_whichever_number_is_changed_is_noticed(path: Path, tmp_path: Path, results: ModuleType):
    folder = shutil.copytree(DOCS / "results", tmp_path / "results")
    file, stored = path.relative_to(DOCS / "results"), json.loads(path.read_text())
    own = [each for each in results.SECTIONS if each.file == file.with_suffix("").as_posix()]

    def shown() -> Iterator[str]:
        """What the page makes of the file: a section, or the table of hues, which takes longer."""
        yield from (results.section_of(each, stored) for each in own)
        yield from results.hues(folder)

    page = (DOCS / "results.rst").read_text()
    assert all(text in page for text in shown())
    for name, metric in stored["metrics"].items():
        values = metric["per_seed"]
        k = next((k for k, value in enumerate(values) if value is not None), 0)
        before, values[k] = values[k], 1 - (values[k] or 0.0)
        (folder / file).write_text(json.dumps(stored))
        assert not all(text in page for text in shown()), name
        values[k] = before


def test_seeds_are_a_range_or_all_are_named(results: ModuleType):
    assert results.extent([3, 4, 5]) == "3 to 5"
    assert results.extent([0, 3, 6]) == "0, 3, 6"


def test_shares_are_recognized_by_their_interval(results: ModuleType):
    ones = [1.0] * 9
    share, number = (asdict(results.summarize(ones, share=each)) for each in (True, False))
    assert results.is_share(share)
    assert not results.is_share(number)
    assert results.cells(share)[0] == "9 of 9"
    assert results.cells(number)[0].startswith("1.00 ± 0")
    assert not results.is_share(asdict(results.summarize([None])))


def as_stored(**values: list[float | None]) -> dict[str, dict]:
    return {name: {"per_seed": per_seed} for name, per_seed in values.items()}


def test_of_a_ratio_the_mean_is_geometric_and_its_inverse_has_the_inverse(results: ModuleType):
    line = results.Line("ratio", "relearning/ratio")
    half, twice = [0.25, 1.0, None, 0.5], [4.0, 1.0, None, 2.0]
    mean, interval, extent = results.cells_of(line, {line.metric: {"per_seed": half}})
    assert (mean, extent) == ("0.500, factor 2.00 (3 of 4)", "0.250 to 1.00")
    low, high = map(float, interval.split(" to "))
    assert low * high == pytest.approx(0.25, rel=0.01)
    _, inverse, _ = results.cells_of(line, {line.metric: {"per_seed": twice}})
    assert [*map(float, inverse.split(" to "))] == pytest.approx([1 / high, 1 / low], rel=0.01)


def test_without_a_positive_ratio_there_is_no_geometric_mean(results: ModuleType):
    assert results.ratio_cells([0.0, 2.0]) == ("no geometric mean", "", "0.00 to 2.00")
    assert results.ratio_cells([None, None]) == ("no value", "", "")
    assert results.ratio_cells([2.0]) == ("2.00, factor 1.00", "", "2.00 to 2.00")


def test_a_line_of_two_measures_divides_them_seed_by_seed(results: ModuleType):
    metrics = as_stored(a=[3.0, 8.0, 1.0, None], b=[1.0, 2.0, 0.0, 1.0])
    mean, _, extent = results.cells_of(results.Line("a / b", "a", over="b"), metrics)
    assert (mean, extent) == ("3.46, factor 1.23 (2 of 4)", "3.00 to 4.00")


def test_a_line_with_a_bound_counts_the_seeds_that_reach_it(results: ModuleType):
    metrics = as_stored(a=[0.5, 1.0, 3.0, None])
    assert results.cells_of(results.Line("a", "a", at_least=1), metrics)[0] == "2 of 3"


def test_every_example_that_trains_has_a_section(results: ModuleType):
    told = {section.file.split("/")[0] for section in results.SECTIONS}
    variants = {"mute_red_graded", "color_mixing_prenorm", "pictures_removed", "words_wrong"}
    variants |= {"compare_mixing_rivals", "compare_mixing_labels", "words_rivals", "words_longer"}
    variants |= {"words_pull", "oracle_mixing_attacks"}
    assert told - variants == TRAINS


def test_a_section_without_stored_runs_says_so(results: ModuleType, tmp_path: Path):
    page = results.page(tmp_path)
    assert page.count("No runs are stored yet") == len(results.SECTIONS)


def test_the_readme_names_every_example():
    named = re.findall(r"`(\w+)\.py`|examples/(\w+)\.py", (ROOT / "README.md").read_text())
    assert {"".join(name) for name in named} == EXAMPLES


def test_every_room_has_a_page():
    _, table = (DOCS / "reference.rst").read_text().split(":template: room.rst")
    assert set(ROOMS) == set(re.findall(r"^   (\w+)$", table, re.M))


def test_the_quick_start_is_the_program_of_the_readme():
    program = re.findall(r"```python\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)[1]
    typed = [line for line in program.splitlines() if line]
    lines = iter((DOCS / "guides" / "quickstart.py").read_text().splitlines())
    assert [line for line in typed if line not in lines] == []


PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]


@pytest.mark.parametrize("page", [ROOT / "README.md", DOCS / "guides" / "quickstart.py"])
def test_the_versions_that_are_asked_for_are_those_of_the_metadata(page: Path):
    (torch,) = (line for line in PROJECT["dependencies"] if line.startswith("torch>="))
    least = torch.removeprefix("torch>="), PROJECT["requires-python"].removeprefix(">=")
    assert "Python {1} or later, PyTorch {0} or later.".format(*least) in page.read_text()


@cache
def texts() -> list[str]:
    """Every string of the source, with a gap for each value in it."""
    trees = [ast.parse(path.read_text()) for path in SOURCE.rglob("*.py")]
    nodes = [node for tree in trees for node in ast.walk(tree)]
    whole = [node.value for node in nodes if isinstance(node, ast.Constant)]
    joined = [
        "".join(str(each.value) if isinstance(each, ast.Constant) else "\0" for each in node.values)
        for node in nodes
        if isinstance(node, ast.JoinedStr)
    ]
    return [*joined, *(each for each in whole if isinstance(each, str))]


def is_said(message: str, among: list[str]) -> bool:
    """Whether a string has the words of a message in their order, with values between them."""
    words = [re.escape(part.strip()) for part in message.split("...") if part.strip()]
    return any(re.search(".*?\0.*?".join(words), text) for text in among)


MESSAGES = re.findall(
    r'"([^"]{9,})"', "\n".join(re.findall(r'^".*$', (DOCS / "messages.rst").read_text(), re.M))
)


def test_messages_on_the_page_of_errors_are_those_of_the_source():
    among = texts()
    assert len(MESSAGES) >= 30
    assert [message for message in MESSAGES if not is_said(message, among)] == []


def test_a_message_that_nobody_raises_is_noticed():
    assert is_said("Site ... ran ... times", ["Site \0 ran \0 times since"])
    assert not is_said("Site ... ran ... times", ["Site \0 ran once"])
    assert not is_said("Site ... ran", ["Site ran"])


DIRECTIVE = re.compile(r"^( *)\.\. (?:image|figure):: (\S+)\n((?:\1 +\S.*\n)*)", re.M)
"""A picture in reStructuredText, and its options."""


def undescribed(text: str) -> list[str]:
    """Pictures without words for those who do not see them."""
    found = [name for _, name, options in DIRECTIVE.findall(text) if not spoken(options)]
    found += re.findall(r"!\[\s*\]\((.*?)\)", text)
    tags = re.findall(r"<img\b[^>]*>", text)
    return found + [tag for tag in tags if not re.search(r'\balt="[^"]*\w[^"]*"', tag)]


def spoken(options: str) -> bool:
    return bool(re.search(r":alt:\s*\w", options))


def test_every_picture_in_readme_pages_and_examples_is_said_in_words():
    made = {"_build", "api", "gallery", "guide"}
    pages = [*DOCS.rglob("*.rst"), *DOCS.rglob("*.py"), *(ROOT / "examples").glob("*.*")]
    pages = [page for page in pages if not made & {*page.relative_to(ROOT).parts}]
    texts = {path: path.read_text() for path in [ROOT / "README.md", *pages]}
    assert sum(len(DIRECTIVE.findall(text)) for text in texts.values()) >= 2
    assert {path.name: undescribed(text) for path, text in texts.items() if undescribed(text)} == {}


@pytest.mark.parametrize(
    "text",
    [
        ".. image:: a.png\n   :class: figure\n",
        "   .. figure:: a.png\n      :alt:\n\n      A caption.\n",
        "![](a.png)",
        '<img src="a.png" alt="">',
        '<img src="a.png">',
    ],
)
def test_a_picture_without_words_is_found(text: str):
    assert len(undescribed(text)) == 1
    assert not undescribed(".. image:: a.png\n   :alt: A circle\n         of colors.\n")
