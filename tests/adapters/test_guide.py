"""The guide to transformers, whose blocks run as they stand."""

from pathlib import Path

from guides import GUIDES, run


def test_the_guide_to_transformers_runs(tmp_path: Path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    names = run(GUIDES / "with_transformers.rst")
    assert names["last"] < names["first"] / 2
