import pytest
from refusals import refuses

from latent_anchors.curriculum import Above, Below, Plateau, Predicate, Retarget


def test_conditions_describe_themselves():
    assert Below(0.01, 3, smoothing=0.9).words == (
        "below 0.01 for 3 observations in a row, smoothed by 0.9"
    )
    assert Above(2).words == "above 2"
    assert Plateau(2, 0.1, "higher").words == "not higher by 0.1 for 2 observations in a row"
    assert repr(Predicate(bool)) == "Predicate(bool)"


@pytest.mark.parametrize("kind", [Below, Above])
def test_a_threshold_is_finite_and_patience_a_positive_integer(kind):
    with refuses(ValueError, "threshold is nan; expected a finite number"):
        kind(float("nan"))
    with refuses(ValueError, "clear is inf; expected a finite number"):
        kind(1.0, clear=float("inf"))
    with refuses(ValueError, "patience is 0; expected at least 1"):
        kind(1.0, patience=0)
    with refuses(TypeError, "patience is 1.5; expected a whole number"):
        kind(1.0, patience=1.5)


def test_clear_is_not_on_the_wrong_side_of_the_threshold():
    with refuses(ValueError, r"Below\(0.2\) has clear=0.1; expected at least the thr"):
        Below(0.2, clear=0.1)
    with refuses(ValueError, r"Above\(0.2\) has clear=0.3; expected at most the thre"):
        Above(0.2, clear=0.3)


@pytest.mark.parametrize(
    "make",
    [
        lambda s: Below(1, smoothing=s),
        lambda s: Above(1, smoothing=s),
        lambda s: Plateau(1, smoothing=s),
        lambda s: Predicate(bool, smoothing=s),
    ],
)
@pytest.mark.parametrize("smoothing", [-0.1, 1.0])
def test_smoothing_is_below_one(make, smoothing):
    with refuses(ValueError, f"smoothing is {smoothing}; expected a number from 0.0 to 0.9999"):
        make(smoothing)


def test_a_plateau_has_a_valid_direction_and_margin():
    with refuses(ValueError, "Unknown direction 'up'; expected one of 'lower', 'higher'"):
        Plateau(3, better="up")
    with refuses(ValueError, "margin is -1.0; expected a number from 0.0"):
        Plateau(3, margin=-1)
    with refuses(ValueError, "margin is inf; expected a finite"):
        Plateau(3, margin=float("inf"))


def test_a_predicate_is_a_function():
    with refuses(TypeError, r"Predicate\('low'\) is not given a function; expected a function"):
        Predicate("low")


@pytest.mark.parametrize("text", ["0.2", b"1", True])
@pytest.mark.parametrize(
    "make",
    [
        lambda value: Below(value),
        lambda value: Above(0.0, clear=value),
        lambda value: Plateau(3, margin=value),
        lambda value: Predicate(bool, smoothing=value),
        lambda value: Retarget("anchor", value, over=3),
    ],
)
def test_text_and_truth_are_no_numbers(make, text):
    with refuses(TypeError, "expected a number"):
        make(text)
