import math

import pytest
from refusals import refuses

from latent_anchors._checks import (
    MANY,
    check_angle,
    check_between,
    check_count,
    check_finite,
    check_name,
    listed,
    unknown,
)


def test_names_are_listed_as_a_person_would():
    assert listed(["a", "b"]) == "'a', 'b'"
    assert listed([]) == "nothing"


def test_the_nearest_name_is_suggested_and_a_far_one_is_not():
    known = ["linear", "cosine"]
    assert unknown("easing", "cosin", known).endswith("Did you mean 'cosine'?")
    assert unknown("easing", "x", known) == (
        "Unknown easing 'x'; expected one of 'linear', 'cosine'."
    )


def test_a_dozen_names_are_listed_and_of_more_only_some():
    names = [f"name{k}" for k in range(MANY + 1)]
    assert MANY == 12
    assert all(repr(name) in unknown("track", "x", names[:MANY]) for name in names[:MANY])
    assert unknown("track", "x", names) == (
        "Unknown track 'x'; expected one of 13, such as 'name0', 'name1', 'name2'."
    )


def test_names_that_exist_pass_and_others_are_refused():
    check_name("easing", "linear", ["linear"])
    with refuses(ValueError, "Unknown easing 'x'; expected one of 'linear'"):
        check_name("easing", "x", ["linear"])


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_finite_numbers_pass_and_others_are_refused(value):
    check_finite("weight", -1e300)
    with refuses(ValueError, f"weight is {value}; expected a finite number"):
        check_finite("weight", value)


@pytest.mark.parametrize("value", [-1e-9, 1 + 1e-9, math.nan])
def test_both_ends_are_between_and_beyond_them_it_is_refused(value):
    check_between("share", 0.0, 0.0, 1.0)
    check_between("share", 1.0, 0.0, 1.0)
    with refuses(ValueError, "share is .*; expected a number from 0.0 to 1.0"):
        check_between("share", value, 0.0, 1.0)


def test_nothing_lies_within_an_angle_of_0():
    check_angle("within", 180.0, 180.0)
    with refuses(ValueError, "within is 0 degrees, which nothing lies within"):
        check_angle("within", 0.0, 180.0)


@pytest.mark.parametrize("value", [2.0, True, "2", None])
def test_only_whole_numbers_count(value):
    check_count("seeds", 2)
    with refuses(TypeError, "seeds is .*; expected a whole number, such as 1"):
        check_count("seeds", value)


def test_counts_have_a_least_value():
    check_count("warm-up", 0, least=0)
    with refuses(ValueError, "seeds is 0; expected at least 1"):
        check_count("seeds", 0)
