import pytest

from latent_anchors.colorspace import COLOR_NAMES
from latent_anchors.evaluation import metric_table, summarize
from latent_anchors.testbed import error_table

GROUPS = (*COLOR_NAMES, "grays", "far", "grid", "between")
METRICS = {
    **{f"error/baseline/{name}": summarize([0.0, 0.0004]) for name in GROUPS},
    **{f"error/muted/{name}": summarize([0.25, 0.75]) for name in GROUPS},
    "error/removed/red": summarize([None, None]),
    "alone": summarize([0.5]),
}


def test_a_table_has_a_row_for_each_group_and_a_column_for_each_condition():
    head, *rows = error_table(METRICS).splitlines()
    assert head.split() == [
        *("color", "baseline,", "mean", "(min", "to", "max)", "of", "2"),
        *("muted,", "mean", "(min", "to", "max)", "of", "2"),
    ]
    assert [row.split()[0] for row in rows] == [*GROUPS]
    cells = ("0.0002 (0.0000 to 0.0004)", "0.5000 (0.2500 to 0.7500)")
    assert rows[0].split() == f"red {cells[0]} {cells[1]}".split()
    assert len({row.index("0.5000") for row in rows} | {head.index("muted")}) == 1


def test_rows_and_columns_may_be_chosen():
    lines = error_table(METRICS, ["muted"], ["far", "red"]).splitlines()
    assert [line.split()[0] for line in lines] == ["color", "far", "red"]


def test_what_no_run_has_is_said_to_have_no_value():
    assert error_table(METRICS, ["removed"], ["red"]).splitlines()[1].split() == [
        *("red", "no", "value")
    ]
    assert metric_table(METRICS, ["error/removed/red"]) == "error/removed/red: no value"


def test_what_was_not_measured_cannot_be_shown():
    with pytest.raises(KeyError, match="error/removed/red"):
        error_table({}, ["removed"], ["red"])
    with pytest.raises(KeyError, match="nothing"):
        metric_table(METRICS, ["nothing"])


def test_a_measure_comes_with_its_spread_and_its_interval_if_there_is_one():
    several, alone = metric_table(METRICS, ["error/muted/red", "alone"]).splitlines()
    low, high = METRICS["error/muted/red"].ci95
    assert several.startswith("error/muted/red: 0.5 (std 0.3536, min 0.25, max 0.75, n 2, 95 %")
    assert several.endswith(f"{low:.4g} to {high:.4g})")
    assert alone == "alone: 0.5 (std 0, min 0.5, max 0.5, n 1)"
