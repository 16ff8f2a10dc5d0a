from fractions import Fraction
from time import process_time

import pytest
from hypothesis import given
from hypothesis import strategies as st
from refusals import refuses

from latent_anchors.curriculum._dopesheet._cells import Cell, _steps, names_in, number_in, steps_in


def cell(text: str, column: str = "lr") -> Cell:
    return Cell(text, "plan.csv", 4, column)


@pytest.mark.parametrize(("text", "number"), [("1", 1.0), ("-.5", -0.5), ("1e-8", 1e-8)])
def test_a_cell_keys_a_number(text, number):
    assert number_in(cell(text), "linear") == number


def test_a_word_is_no_number():
    with refuses(ValueError, "plan.csv, row 4, column 'lr': found 'fast'; expected a number"):
        number_in(cell("fast"), "linear")


@pytest.mark.parametrize("text", ["1_000", "0.0_1", "1e1_0", "\uff11\uff12", "\u0663", "1.\uff15"])
def test_a_number_has_plain_digits(text):
    with refuses(ValueError, f"row 4, column 'lr': found '{text}'; expected a number in plain"):
        number_in(cell(text), "linear")


@pytest.mark.parametrize("text", ["nan", "inf", "-inf", "1e999"])
def test_a_number_is_finite(text):
    with refuses(ValueError, f"row 4, column 'lr': found '{text}'; expected a finite number"):
        number_in(cell(text), "linear")


@pytest.mark.parametrize("text", ["0", "-1"])
def test_a_number_in_log_space_is_positive(text):
    with refuses(ValueError, f"row 4, column 'lr': found '{text}'; expected a number above 0"):
        number_in(cell(text), "log")


def test_commas_separate_actions_and_spaces_around_them_are_ignored():
    assert names_in(cell(" anchor , save all", "ACTION")) == ("anchor", "save all")


@pytest.mark.parametrize("text", ["anchor,,save", "anchor,", ","])
def test_an_action_without_a_name_is_refused(text):
    with refuses(ValueError, f"row 4, column 'ACTION': found '{text}'; expected names"):
        names_in(cell(text, "ACTION"))


def placed(*texts: str) -> list[int]:
    return [*steps_in(dict(enumerate(texts, 2)), "sheet")]


@pytest.mark.parametrize(
    ("written", "steps"),
    [
        (["0", "10"], [0, 10]),
        (["10", "0"], [10, 0]),
        (["0", "+5"], [0, 5]),
        (["0", "+5", "+7"], [0, 5, 7]),
        (["0", "+15", "10"], [0, 15, 10]),
        (["-5", "10"], [5, 10]),
        (["0", "-3", "-2", "10"], [0, 7, 8, 10]),
        (["0", "+3", "-3", "10", "+3"], [0, 3, 7, 10, 13]),
        (["10", "+0.25", "-0.25", "30"], [10, 15, 25, 30]),
        (["10", "+.25", "-.25", "30"], [10, 15, 25, 30]),
        (["30", "+0.25", "10"], [30, 25, 10]),
        (["0", "+0.33", "750", "+0.5", "+0.9", "1500"], [0, 248, 750, 1125, 1425, 1500]),
    ],
)
def test_relative_steps_refer_to_the_nearest_absolute_rows(written, steps):
    assert placed(*written) == steps


@pytest.mark.parametrize(
    ("above", "share", "below", "step"),
    [(0, "+0.5", 5, 2), (0, "+0.5", 7, 4), (1, "+0.5", 4, 2), (1, "-0.5", 6, 4), (0, "-0.1", 5, 4)],
)
def test_half_a_step_is_rounded_to_the_even_one(above, share, below, step):
    assert placed(str(above), share, str(below))[1] == step


@given(above=st.integers(0, 1000), gap=st.integers(100, 1000), percent=st.integers(1, 99))
def test_a_share_from_above_meets_the_rest_from_below(above, gap, percent):
    forward, backward = f"+{percent / 100:.2f}", f"-{1 - percent / 100:.2f}"
    down = placed(str(above), forward, str(above + gap))[1]
    up = placed(str(above), backward, str(above + gap))[1]
    assert above <= down == up <= above + gap


rows = st.one_of(
    st.integers(0, 999).map(str),
    st.integers(1, 99).map("+{}".format),
    st.integers(1, 99).map("-{}".format),
    st.integers(1, 99).map("+0.{:02}".format),
    st.integers(1, 99).map("-0.{:02}".format),
)


@given(texts=st.lists(rows, max_size=12))
def test_a_row_is_at_the_step_that_a_search_for_the_nearest_absolute_rows_finds(texts):
    def nearest(lines: list[str]) -> int:
        return next(int(text) for text in lines if text.isdecimal())

    def step(row: int) -> int:
        text, down, up = texts[row], texts[row:], texts[row::-1]
        if text.isdecimal():
            return int(text)
        if "." not in text:
            return nearest(up if text[0] == "+" else down) + int(text)
        above, below = nearest(up), nearest(down)
        return round((above if text[0] == "+" else below) + Fraction(text) * (below - above))

    try:
        expected = [step(row) for row in range(len(texts))]
    except StopIteration:
        expected = []
    if len({*expected}) < len(texts) or min(expected, default=0) < 0:
        with refuses(ValueError, "sheet, row .*, column 'STEP': found"):
            placed(*texts)
    else:
        assert placed(*texts) == expected


@pytest.mark.parametrize("relative", ["+", "-"])
@pytest.mark.parametrize("every", [3, 10**9], ids=["many absolute rows", "two absolute rows"])
def test_sixteen_times_the_rows_take_about_sixteen_times_as_long(relative, every):
    def took(rows: int) -> float:
        between = [f"{k}" if k % every == 0 else f"{relative}{k}" for k in range(1, rows)]
        texts = dict(enumerate(["0", *between, f"{9 * rows}"], 2))
        begun = process_time()
        _steps(texts, "sheet")
        return process_time() - begun

    # if each row looked for its neighbors, it would take 256 times as long
    assert took(16000) < 64 * max(min(took(1000) for _ in range(3)), 1e-3)


@pytest.mark.parametrize(
    "text",
    ["", "+abc", "-", "+", "1.5", "+1.5", "+1.0", "+0.0", "+0", "-0", "+05", "++5", "1e3", "+ 5"],
)
def test_a_malformed_step_is_refused(text):
    with refuses(ValueError, "sheet, row 3, column 'STEP': found .*; expected a step such as 10"):
        placed("0", text, "9")


@pytest.mark.parametrize(("texts", "where"), [(["+5", "10"], "above"), (["10", "-5"], "below")])
def test_counting_needs_an_absolute_row_to_count_from(texts, where):
    with refuses(ValueError, f"found '[+-]5'; expected a row {where} with an absolute step"):
        placed(*texts)


@pytest.mark.parametrize("texts", [["+0.5", "10"], ["10", "+0.5"], ["-0.5", "10"], ["10", "-0.5"]])
def test_a_share_needs_absolute_rows_on_both_sides(texts):
    with refuses(ValueError, "found '[+-]0.5'; expected rows with absolute steps above and below"):
        placed(*texts)


def test_no_row_lies_before_the_first_step():
    with refuses(ValueError, "row 2, .* found '-11'; expected at most 10 steps before step 10"):
        placed("-11", "10")


@pytest.mark.parametrize("texts", [["0", "5", "5"], ["0", "+5", "5"], ["5", "9", "05"]])
def test_two_rows_at_one_step_are_refused(texts):
    with refuses(ValueError, "row 4, .*; expected another step, since row [23] is at step 5"):
        placed(*texts)
