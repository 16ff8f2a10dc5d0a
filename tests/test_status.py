"""What the status page and the gallery say of the stored runs."""

import importlib
import json
import re
from dataclasses import asdict
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"


@pytest.fixture
def results(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(str(DOCS))
    return importlib.import_module("results")


@pytest.fixture
def claims(results: ModuleType) -> ModuleType:
    del results  # which puts the folder on the path
    return importlib.import_module("claims")


def test_the_status_page_says_what_the_stored_files_say(results: ModuleType, claims: ModuleType):
    page = claims.page(DOCS / "results", results.digits)
    assert (DOCS / "status.rst").read_text() == page
    assert "{" not in page


def test_without_stored_runs_no_claim_holds(
    results: ModuleType, claims: ModuleType, tmp_path: Path
):
    page = claims.page(tmp_path, results.digits)
    assert page.count("- not measured") == len(claims.CLAIMS)
    assert all(claim.goals for claim in claims.CLAIMS)


def store(folder: Path, **values: list[float | None]) -> None:
    """As the file ``runs``."""
    summarize = importlib.import_module("results").summarize
    metrics = {name: asdict(summarize(per_seed)) for name, per_seed in values.items()}
    (folder / "runs.json").write_text(json.dumps({"metrics": metrics}))


@pytest.mark.parametrize(
    ("least", "most", "state"),
    [(0.1, 9, "holds"), (0.3, 9, "holds in part"), (0.3, 0.5, "does not hold")],
)
def test_a_claim_holds_as_far_as_its_goals_are_reached(
    least: float, most: float, state: str, claims: ModuleType, tmp_path: Path
):
    store(tmp_path, a=[0.2, 0.6])
    goals = claims.Goal("runs|a|min", least=least), claims.Goal("runs|a|max", most=most)
    assert claims.Claim("", "", "", goals).state(tmp_path) == state


def test_what_has_no_value_reaches_no_goal(claims: ModuleType, tmp_path: Path):
    store(tmp_path, a=[None], b=[1.0])
    assert not claims.Goal("runs|a|mean").is_reached(tmp_path)
    assert not claims.Goal("runs|b over a|mean", least=0.1).is_reached(tmp_path)
    assert claims.Goal("runs|b|mean").is_reached(tmp_path)
    store(tmp_path, a=[0.2, None])
    for which in ("mean", "min", "max"):
        assert not claims.Goal(f"runs|a|{which}", least=0.1).is_reached(tmp_path)
    assert claims.Goal("elsewhere|b|mean").is_reached(tmp_path) is None


def test_sentences_are_filled_from_stored_runs(results: ModuleType, tmp_path: Path):
    filled = importlib.import_module("opening").filled
    store(tmp_path, a=[0.2, 0.6, None], b=[0.1, 0.1, 0.1], c=[0.097777, 0.0981])
    for sentence, said in {
        "{runs|a|mean} of {runs|a|n}": "0.400 of 2",
        "{runs|a|least 0.5}, {runs|a|most 0.6}": "1 of 3, 2 of 3",
        "{runs|a over b|max}, {elsewhere|a|mean}": "6.00, (not run)",
        "{runs|c|min}, {runs|c|mean}, {runs|c|max}": "0.097, 0.098, 0.099",
    }.items():
        assert filled(sentence, tmp_path, results.digits) == said


def test_every_example_and_guide_says_what_came_out(results: ModuleType):
    outcomes, opening = (importlib.import_module(name) for name in ("outcomes", "opening"))
    scripts = {path.stem for path in (ROOT / "examples").glob("*.py")}
    scripts |= {path.stem for path in (DOCS / "guides").glob("*.py")}
    assert set(outcomes.OUTCOMES) == scripts
    for script, words in outcomes.OUTCOMES.items():
        said = opening.filled(words, DOCS / "results", results.digits)
        assert said.endswith("."), script
        assert "{" not in said, script
        assert not re.search(r"\d{3}", opening.FIGURE.sub("", words)), f"{script}: typed by hand"
