import numpy as np
import torch
from refusals import refuses

from latent_anchors.evaluation import summarize
from latent_anchors.viz._means import (
    as_metrics,
    ends_of,
    intervals_of,
    means_of,
    seeds_of,
    words_of_failures,
    words_of_runs,
)

SOME = {"a": [[1.0, 3.0], [None, 5.0]], "b": torch.tensor([[0.0, 1.0], [torch.nan, torch.nan]])}


def test_rows_are_summed_up_as_results_are():
    metrics = as_metrics(SOME, 2, ["b"])
    assert metrics["a"] == [summarize([1.0, 3.0]), summarize([None, 5.0])]
    assert metrics["b"] == [summarize([0.0, 1.0], share=True), summarize([None, None])]


def test_what_does_not_exist_is_left_out_or_not_a_number():
    rows = as_metrics(SOME, 2, [])
    assert [seeds_of(row).tolist() for row in rows["a"]] == [[1.0, 3.0], [5.0]]
    np.testing.assert_array_equal(means_of(rows["b"]), [0.5, np.nan])
    np.testing.assert_array_equal(np.isnan(intervals_of(rows["a"])), [[False] * 2, [True] * 2])


def test_an_axis_holds_every_seed_and_every_interval():
    low, high = ends_of(as_metrics(SOME, 2, [])["a"])
    wide = summarize([1.0, 3.0]).ci95
    assert low < wide[0] < wide[1] < high
    low, high = ends_of(as_metrics({"a": [[2.0]]}, 1, [])["a"])
    assert low < 2.0 < high


def test_the_number_of_runs_of_a_mean_is_named():
    assert (
        words_of_runs(as_metrics({"a": [[1, 2, 3]]}, 1, [])) == "mean and 95 % interval of 3 runs"
    )
    assert words_of_runs(as_metrics(SOME, 2, [])) == "mean and 95 % interval of 0 to 2 of 2 runs"
    assert words_of_failures(as_metrics(SOME, 2, [])) == " 3 of 8 values failed."
    assert not words_of_failures(as_metrics({"a": [[1, 2, 3]]}, 1, []))
    assert words_of_runs(as_metrics({"a": [[2.0]]}, 1, [])) == "a single run"


def test_what_is_no_measure_is_refused():
    with refuses(ValueError, "number of rows is 0"):
        as_metrics({"a": []}, 0, [])
    with refuses(ValueError, "number of measures is 0"):
        as_metrics({}, 2, [])
    with refuses(ValueError, "Unknown measure in shares 'c'"):
        as_metrics(SOME, 2, ["c"])
    with refuses(ValueError, r"values\['a'\] has shape \(2, 2\); expected \(3, runs\)"):
        as_metrics(SOME, 3, [])
    with refuses(ValueError, r"values\['a'\] holds NaN or infinity"):
        as_metrics({"a": [[np.inf]]}, 1, [])
    with refuses(ValueError, "values of a share run from 1 to 3; expected 0 or 1 for each run"):
        as_metrics(SOME, 2, ["a"])
