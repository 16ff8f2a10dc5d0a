import pytest
from refusals import refuses

from latent_anchors import transitions
from latent_anchors.curriculum._cell import Cell
from latent_anchors.curriculum._column import Column, columns_in


def read(*texts: str) -> list[Column]:
    return columns_in([Cell(text, "sheet", 1, n) for n, text in enumerate(texts, 1)], "sheet")


@pytest.mark.parametrize(
    ("header", "column"),
    [
        ("lr", Column("lr")),
        ("lr:", Column("lr")),
        ("lr::", Column("lr")),
        ("lr:log", Column("lr", "log")),
        ("lr:linear", Column("lr")),
        ("z::step-end", Column("z", leave=transitions.step_end)),
        ("lr:log:cosine", Column("lr", "log", transitions.cosine)),
        ("z::step", Column("z", leave=transitions.step_end)),
        ("lr:log:minjerk", Column("lr", "log")),
        (" lr : log : linear ", Column("lr", "log", transitions.linear)),
    ],
)
def test_a_header_tells_a_name_a_space_and_an_easing(header, column):
    assert read("STEP", header)[1] == column


@pytest.mark.parametrize("header", ["", ":log", "lr:log:linear:more", "PHASE:log"])
def test_a_header_of_another_form_is_refused(header):
    with refuses(ValueError, f"row 1, column 2: found '{header}'; expected name"):
        read("STEP", header)


def test_an_unknown_space_is_refused():
    with refuses(ValueError, "row 1, column 2: found 'lr:cubic'; .* one of 'linear', 'log'"):
        read("STEP", "lr:cubic")


def test_an_unknown_easing_is_refused_with_those_that_exist():
    with refuses(ValueError, "row 1, column 2: found 'lr::cosin'. .* 'minimum-jerk', 'cosine'"):
        read("STEP", "lr::cosin")


@pytest.mark.parametrize("header", ["lr", "lr:log"])
def test_one_name_has_one_column(header):
    with refuses(ValueError, f"column 3: found '{header}'; expected a name .* in column 2"):
        read("STEP", "lr", header)


def test_a_sheet_without_steps_is_refused():
    with refuses(ValueError, "sheet, row 1: found the columns 'step', 'lr'; expected 'STEP'"):
        read("step", "lr")
