import pytest
from refusals import refuses

from latent_anchors.curriculum._cell import Cell, names_in, number_in


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


def test_commas_separate_actions_and_spaces_around_them_go():
    assert names_in(cell(" anchor , save all", "ACTION")) == ("anchor", "save all")


@pytest.mark.parametrize("text", ["anchor,,save", "anchor,", ","])
def test_an_action_without_a_name_is_refused(text):
    with refuses(ValueError, f"row 4, column 'ACTION': found '{text}'; expected names"):
        names_in(cell(text, "ACTION"))
