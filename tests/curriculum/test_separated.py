"""Cells of comma-separated values, against Python's own reader where that reads them, too."""

import csv
import io
import string

import pytest
from hypothesis import given
from hypothesis import strategies as st
from refusals import refuses

from latent_anchors.curriculum import read_dopesheet
from latent_anchors.curriculum._separated import separated

HEADER = ["STEP", "one", "two"]

cells = st.text(string.ascii_letters + ' ,"\n\r\té', max_size=6)
tables = st.lists(st.lists(cells, min_size=2, max_size=4), max_size=4)
blanks = st.text(" \N{NO-BREAK SPACE}", max_size=2)
ends = st.sampled_from(["\n", "\r\n", "\r"])
commas = st.sampled_from([",", "\t"])


@given(rows=tables, comma=commas, quoting=st.sampled_from([csv.QUOTE_ALL, csv.QUOTE_MINIMAL]))
def test_what_python_writes_is_read(rows, comma, quoting):
    file = io.StringIO()
    csv.writer(file, delimiter=comma, quoting=quoting).writerows([HEADER, *rows])
    assert separated(file.getvalue(), "sheet") == [HEADER, *rows]


@given(rows=tables, comma=commas, end=ends, before=blanks, after=blanks)
def test_spaces_around_quotation_marks_say_nothing(rows, comma, end, before, after):
    def written(cell: str) -> str:
        return before + '"' + cell.replace('"', '""') + '"' + after

    lines = [comma.join(map(written, row)) for row in rows]
    assert separated(end.join([comma.join(HEADER), *lines]), "sheet") == [HEADER, *rows]


@given(
    rows=st.lists(st.lists(st.text("ab ", max_size=3), min_size=2, max_size=3), max_size=4),
    blank=st.integers(0, 3),
    end=ends,
)
def test_with_and_without_quotation_marks_a_table_is_read_alike(rows, blank, end):
    lines = [",".join(row) for row in [HEADER, *rows]]
    lines[blank:blank] = [""]
    plain = separated(end.join([*lines, "x,y"]), "sheet")
    assert separated(end.join([*lines, '"x",y']), "sheet") == plain
    assert plain == [line.split(",") if line else [] for line in lines if line or blank] + [
        ["x", "y"]
    ]


def test_a_quoted_cell_may_hold_all_that_separates_others():
    written = 'STEP, ACTION , "lr"\n0, "save, eval" ,0.1\n10,"two\n""lines""",\n'
    assert separated(written, "sheet") == [
        ["STEP", " ACTION ", "lr"],
        ["0", "save, eval", "0.1"],
        ["10", 'two\n"lines"', ""],
    ]


def test_marks_after_a_space_are_no_part_of_any_name():
    sheet = read_dopesheet('STEP, PHASE, "ACTION", "lr"\n0, "warm up", "save, eval", "0.1"\n')
    timeline = sheet.timeline()
    assert (timeline.phase(0).name, timeline.actions(0)) == ("warm up", ("save", "eval"))
    assert timeline.names == ("lr",)


@pytest.mark.parametrize(
    ("text", "where", "found"),
    [
        ('STEP,lr\n0,"0.1\n5,0.2\n', "row 2, column 'lr'", '"0.1'),
        ('STEP,PHASE\n0,5" gun\n', "row 2, column 'PHASE'", '5" gun'),
        ('STEP,PHASE\n0,"5" gun\n', "row 2, column 'PHASE'", '"5" gun'),
        ('STEP, PHASE \n\n0,"5""\n', "row 3, column 'PHASE'", '"5""'),
        ('STEP,"a"b\n0,1\n', "row 1, column 2", '"a"b'),
        ('STEP,a\n0,1,2"\n', "row 2, column 3", '2"'),
        ('STEP\ta\n0\t1"\n', "row 2, column 'a'", '1"'),
    ],
)
def test_a_mark_that_has_no_partner_is_refused_where_it_stands(text, where, found):
    with refuses(ValueError, f"sheet, {where}: found '{found}'; expected quotation marks around"):
        separated(text, "sheet")


@pytest.mark.parametrize(
    ("text", "rows"),
    [
        ("", []),
        (" \n\r\n ", []),
        ("\n \r\n STEP\n0\n\n \n9\n \n\n", [[" STEP"], ["0"], [], [" "], ["9"]]),
        ('STEP\n""', [["STEP"], [""]]),
        ('STEP,a\n"",\n', [["STEP", "a"], ["", ""]]),
        ("STEP,a\n0,\n", [["STEP", "a"], ["0", ""]]),
    ],
)
def test_blank_lines_around_the_table_go_and_those_within_have_no_cells(text, rows):
    assert separated(text, "sheet") == rows
