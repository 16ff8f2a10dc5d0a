import pytest
from refusals import refuses

from latent_anchors import transitions
from latent_anchors.curriculum import Keyframe, Phase, Timeline, Track
from latent_anchors.curriculum._dopesheet._cells import Cell
from latent_anchors.curriculum._dopesheet._parse import Column, columns_in, parse
from latent_anchors.transitions import linear


def test_a_table_of_texts_is_parsed_into_tracks_phases_and_actions():
    timeline = parse(
        ["STEP", "PHASE", "ACTION", "lr:log:linear", "anchor"],
        [
            ["0", "", "", "0.01", ""],
            ["+4", "hues", "", "", "1"],
            ["10", "all", "anchor, save", "0.1", ""],
            ["12", "", "", "", ""],
        ],
        "sheet",
    )
    lr = Track([Keyframe(0, 0.01, leave=linear), Keyframe(10, 0.1, leave=linear)], space="log")
    assert timeline == Timeline(
        {"lr": lr, "anchor": Track([Keyframe(4, 1.0)])},
        [Phase("hues", 4), Phase("all", 10)],
        {10: ["anchor", "save"]},
        steps=13,
    )


def test_rows_are_played_in_the_order_of_their_steps():
    written = parse(["STEP", "lr"], [["10", "3"], ["0", "1"], ["+15", "4"], ["5", "2"]], "sheet")
    assert [key.value for key in written["lr"].keyframes] == [1, 2, 3, 4]


@pytest.mark.parametrize("separator", [[], [" "], ["", ""]])
def test_an_empty_row_only_separates_others_but_is_counted(separator):
    with_gap = parse(["STEP", "lr"], [["0", "1"], separator, ["5", "2"]], "sheet")
    assert with_gap == parse(["STEP", "lr"], [["0", "1"], ["5", "2"]], "sheet")
    with refuses(ValueError, "sheet, row 4, column 'lr': found 'x'"):
        parse(["STEP", "lr"], [["0", "1"], separator, ["5", "x"]], "sheet")


@pytest.mark.parametrize(("row", "column"), [(["0"], 2), (["0", "1", "2"], 3)])
def test_a_ragged_row_is_refused(row, column):
    with refuses(ValueError, f"row 3, column {column}: found a row of {len(row)} cells, .* 2, one"):
        parse(["STEP", "lr"], [["9", "1"], row], "sheet")


def test_a_column_without_keys_is_refused():
    with refuses(ValueError, "row 1, column 3: found 'anchor:log'; expected a number in one"):
        parse(["STEP", "lr", "anchor:log"], [["0", "1", ""]], "sheet")


@pytest.mark.parametrize("rows", [[], [[], ["", ""]]])
def test_a_sheet_without_rows_is_refused(rows):
    with refuses(ValueError, "sheet, row 2: found no row with text; expected a step, such as 0"):
        parse(["STEP", "lr"], rows, "sheet")


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
def test_a_header_has_a_name_a_space_and_an_easing(header, column):
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
