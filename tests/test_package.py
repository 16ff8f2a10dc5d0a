"""What goes out to users: the page of the package index, metadata, the workflow to publish."""

import ast
import os
import re
import shutil
import subprocess
import sys
import tomllib
from importlib.resources import files
from pathlib import Path

import pytest
import yaml
from test_readme import README, ROOT

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
CITATION = yaml.safe_load((ROOT / "CITATION.cff").read_text())
CHANGELOG = (ROOT / "CHANGELOG.md").read_text()
JOBS = yaml.safe_load((ROOT / ".github" / "workflows" / "publish.yml").read_text())["jobs"]


@pytest.fixture(scope="module")
def shown() -> str:
    """The long description, as the build makes it of README.md."""
    making = [sys.executable, "-m", "hatch_fancy_pypi_readme"]
    return subprocess.run(making, cwd=ROOT, capture_output=True, text=True, check=True).stdout


def without_brackets(paragraph: str) -> str:
    """The words of a paragraph, links' targets left out."""
    return re.sub(r"\]\([^)]*\)|[\[\]]", "", paragraph)


def test_the_package_index_gets_no_picture_and_no_link_into_the_repository(shown: str):
    assert not re.search(r"<(picture|source|img)\b|!\[", shown)
    assert re.findall(r"\]\((.*?)\)", shown) == ["https://github.com/z0u/ex-preppy"]


def test_all_else_that_it_gets_is_the_readme_word_for_word(shown: str):
    paragraphs = [each for each in README.strip().split("\n\n") if each[:2] not in ("<p", "![")]
    seen = shown.strip().split("\n\n")
    assert [*map(without_brackets, seen)] == [*map(without_brackets, paragraphs)]
    code = re.compile(r"```.*?```", re.DOTALL)
    assert code.findall(shown) == code.findall(README)


def test_no_sentence_speaks_of_a_picture_that_is_not_there(shown: str):
    assert not re.search(r"\b(this|the) (figure|picture)\b", shown, re.IGNORECASE)


def test_the_build_makes_the_long_description_by_the_same_rules():
    build = tomllib.loads((ROOT / "pyproject.toml").read_text())["build-system"]
    assert any(each.startswith("hatch-fancy-pypi-readme") for each in build["requires"])
    assert PROJECT["dynamic"] == ["readme"]


def test_type_checkers_are_invited_by_what_is_installed():
    assert files("latent_anchors").joinpath("py.typed").is_file()
    assert "Typing :: Typed" in PROJECT["classifiers"]


def test_the_license_is_an_expression_and_no_classifier():
    assert PROJECT["license"] == CITATION["license"] == "MIT"
    assert not [each for each in PROJECT["classifiers"] if each.startswith("License")]


def test_each_python_that_is_named_is_tried_by_a_session_and_before_publishing():
    named = [each.rpartition(" ")[2] for each in PROJECT["classifiers"] if " :: 3." in each]
    (written,) = re.findall(r"^PYTHONS = (.*)$", (ROOT / "noxfile.py").read_text(), re.M)
    tried = JOBS["try"]["strategy"]["matrix"]
    assert named == [*ast.literal_eval(written)] == tried["python"]
    assert tried["kind"] == ["whl", "tar.gz"]


def test_the_citation_is_of_this_version_with_the_same_keywords():
    assert CITATION["version"] == PROJECT["version"]
    assert CITATION["title"] == PROJECT["name"]
    assert CITATION["keywords"] == PROJECT["keywords"]


def test_the_changelog_begins_with_this_version_and_the_citation_has_its_date():
    version, date = re.findall(r"^## (\S+) - (\S+)$", CHANGELOG, re.M)[0]
    assert version == PROJECT["version"]
    assert str(CITATION.get("date-released", "Unreleased")) == date


def tagged(folder: Path, tag: str, changelog: str, citation: str) -> tuple[int, str]:
    """What the workflow says of a tag, by its step before the build."""
    (step,) = (each["run"] for each in JOBS["build"]["steps"] if "GITHUB_REF_NAME" in str(each))
    shutil.copy(ROOT / "pyproject.toml", folder)
    (folder / "CHANGELOG.md").write_text(changelog)
    (folder / "CITATION.cff").write_text(citation)
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    given = {**os.environ, "GITHUB_REF_NAME": tag, "PATH": path}
    shell = ["bash", "-e", "-c", step]
    done = subprocess.run(shell, cwd=folder, env=given, capture_output=True, text=True)
    return done.returncode, done.stdout


HEADING = f"# Changelog\n\n## {PROJECT['version']} - 2027-01-31\n"
DATED = "cff-version: 1.2.0\ndate-released: 2027-01-31\n"


def test_a_tag_of_this_version_with_its_date_in_both_files_is_published(tmp_path: Path):
    assert tagged(tmp_path, f"v{PROJECT['version']}", HEADING, DATED) == (0, "")


@pytest.mark.parametrize(
    ("tag", "changelog", "citation", "said"),
    [
        ("v9.9.9", HEADING, DATED, "pyproject.toml asks for v"),
        ("", HEADING.replace("2027-01-31", "Unreleased"), DATED, "- YYYY-MM-DD'."),
        ("", HEADING.replace(" - ", " -- "), DATED, "CHANGELOG.md needs the heading"),
        ("", HEADING, DATED.replace("31", "30"), "needs 'date-released: 2027-01-31'"),
        ("", HEADING, "cff-version: 1.2.0\n", "CITATION.cff needs"),
    ],
)
def test_another_tag_or_one_without_a_date_is_refused(
    tmp_path: Path, tag: str, changelog: str, citation: str, said: str
):
    status, words = tagged(tmp_path, tag or f"v{PROJECT['version']}", changelog, citation)
    assert status == 1
    assert said in words
