import json
import math
import statistics

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from refusals import refuses, unchecked

from latent_anchors._records import plain
from latent_anchors.evaluation import (
    Evaluation,
    metric_table,
    summarize,
    summarize_ratios,
    t_interval,
    wilson_interval,
)

missing = st.sampled_from([None, math.nan, math.inf, -math.inf])
value = st.floats(-10, 10)


def strictly(text):
    """JSON without the extensions that Python lets pass."""

    def refuse(name):
        raise AssertionError(f"{name} is not JSON")

    return json.loads(text, parse_constant=refuse)


@given(per_seed=st.lists(st.one_of(value, missing), max_size=12))
def test_a_summary_is_of_the_values_that_exist(per_seed):
    there = [value for value in per_seed if value is not None and math.isfinite(value)]
    found = summarize(per_seed)
    assert found.n == len(there)
    assert len(found.per_seed) == len(per_seed)
    assert [value for value in found.per_seed if value is not None] == there
    if not there:
        assert {found.mean, found.std, found.min, found.max, found.ci95} == {None}
        return
    assert (found.min, found.max) == (min(there), max(there))
    assert found.mean == pytest.approx(sum(there) / len(there))
    assert found.std == (statistics.stdev(there) if len(there) > 1 else 0.0)
    assert found.ci95 == t_interval(found.mean, found.std, found.n)


@given(per_seed=st.lists(st.one_of(value, missing), max_size=12))
def test_a_metric_is_strict_json_with_its_seeds_in_order(per_seed):
    metric = summarize(per_seed)
    read = strictly(json.dumps(plain(metric), allow_nan=False))
    assert set(read) == {"per_seed", "mean", "std", "min", "max", "n", "ci95"}
    assert read["per_seed"] == list(metric.per_seed)


def test_a_single_value_has_no_spread_to_tell_an_interval_from():
    found = summarize([0.25, None])
    assert (found.mean, found.std, found.n, found.ci95) == (0.25, 0.0, 1, None)


def test_a_share_has_another_interval_than_a_mean():
    per_seed = [0.0, 0.0, 1.0, 0.0]
    assert summarize(per_seed, share=True).ci95 == wilson_interval(0.25, 4)
    assert summarize(per_seed).ci95 == t_interval(0.25, 0.5, 4)


FOUND = Evaluation(
    {"error": torch.tensor([0.5, 0.25, 1.0]), "crumpled": torch.tensor([False, True, False])}
)


def test_an_evaluation_is_a_mapping():
    assert (list(FOUND), len(FOUND)) == (["error", "crumpled"], 2)
    assert "error" in FOUND
    assert "errors" not in FOUND
    assert FOUND.get("errors") is None
    assert FOUND["error"].tolist() == [0.5, 0.25, 1.0]


def test_evaluations_join_and_keep_their_order():
    more = FOUND | {"alignment": torch.ones(3)} | Evaluation({"other": torch.zeros(3)})
    assert list(more) == ["error", "crumpled", "alignment", "other"]
    assert len(FOUND) == 2


def test_each_measure_is_summed_up_over_the_runs_that_did_not_fail():
    metrics = FOUND.metrics(failed={1})
    assert metrics["error"] == summarize([0.5, None, 1.0])
    assert metrics["crumpled"] == summarize([0.0, None, 0.0], share=True)
    second = Evaluation({"audit/censored/few": torch.tensor([False, True])}).metrics()
    assert second["audit/censored/few"] == summarize([0.0, 1.0], share=True)
    assert FOUND.metrics()["error"].n == 3


def test_an_unknown_measure_is_refused_with_those_that_exist():
    with refuses(KeyError, "Unknown measure 'errors'; expected one of 'error', 'crumpled'"):
        FOUND["errors"]


ratios = st.lists(st.floats(0.01, 100), min_size=2, max_size=9)


@given(per_seed=ratios)
def test_the_summary_of_inverses_is_the_inverse_of_the_summary(per_seed):
    found, inverse = summarize_ratios(per_seed), summarize_ratios([1 / x for x in per_seed])
    assert found.mean * inverse.mean == pytest.approx(1)
    assert found.std == pytest.approx(inverse.std)
    assert found.ci95[0] * inverse.ci95[1] == pytest.approx(1)
    assert found.min <= found.mean * (1 + 1e-9)
    # an arithmetic mean lacks all that, and is never less
    assert summarize(per_seed).mean >= found.mean * (1 - 1e-9)


def test_where_a_ratio_is_nothing_there_is_no_geometric_mean():
    found = summarize_ratios([0.0, 2.0, None])
    assert (found.mean, found.std, found.ci95) == (None, None, None)
    assert (found.n, found.min, found.max) == (2, 0.0, 2.0)
    assert summarize_ratios([None]).mean is summarize_ratios([-1.0, 2.0]).mean is None


def test_a_single_ratio_is_its_own_mean_without_an_interval():
    found = summarize_ratios([3.0])
    assert found.mean == pytest.approx(3)
    assert (found.std, found.ci95) == (1.0, None)


def test_a_table_says_of_ratios_that_their_spread_is_a_factor():
    ratios, zero = summarize_ratios([1.0, 4.0]), summarize_ratios([0.0, 2.0])
    rows = metric_table({"a": ratios, "b": zero, "c": summarize([1.0, 4.0])}, ["a", "b", "c"])
    first, second, third = rows.split("\n")
    assert first.startswith("a: 2 (factor 2.665, min 1, max 4, n 2, 95 % interval of the mean ")
    assert second == "b: no geometric mean (min 0, max 2, n 2)"
    assert third.startswith("c: 2.5 (std ")


def test_values_of_a_share_are_0_or_1():
    with refuses(
        ValueError, "values of a share run from 0.89 to 0.91; expected 0 or 1 for each run"
    ):
        summarize([0.90, 0.91, 0.89], share=True)
    assert summarize([1.0, None, 0.0], share=True).n == 2


@pytest.mark.parametrize("failed", [torch.tensor([2]), np.array([2]), [np.int64(2)], (2,), {2}])
def test_runs_that_failed_are_named_by_their_numbers_of_any_type(failed):
    found = Evaluation({"a": torch.tensor([1.0, 3.0, 100.0])})
    with unchecked():
        assert found.metrics(failed=failed)["a"].mean == 2.0


@pytest.mark.parametrize(
    ("failed", "error", "says"),
    [
        ([False, False, True], TypeError, "failed holds False; expected numbers of runs"),
        (np.array([True]), TypeError, "failed holds .*True"),
        (torch.tensor([True]), TypeError, "failed holds .*True"),
        ([1.0], TypeError, "failed holds 1.0"),
        ([3], ValueError, "failed names run 3, and there are 3"),
        ([-1], ValueError, "failed names run -1"),
    ],
)
def test_a_mask_of_failed_runs_and_runs_that_are_not_there_are_refused(failed, error, says):
    with unchecked(), refuses(error, says):
        Evaluation({"a": torch.tensor([1.0, 3.0, 100.0])}).metrics(failed=failed)


def test_ratios_may_be_named_as_they_come():
    found = Evaluation({"ratio": torch.tensor([4.0, 0.25])})
    with unchecked():
        assert found.metrics(ratios=(name for name in ["ratio"]))["ratio"].mean == 1.0


def test_an_interval_beyond_the_largest_number_does_not_exist():
    found = summarize_ratios([1e-30, 1e30])
    assert found.mean == pytest.approx(1.0)
    assert found.ci95 is None
