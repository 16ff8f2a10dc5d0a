import csv
import io
import string

import pytest
from curriculum.strategies import made
from hypothesis import given
from hypothesis import strategies as st

from latent_anchors.curriculum import Dopesheet, read_dopesheet
from latent_anchors.curriculum._writing import as_csv

WRITTEN = """\
STEP, PHASE ,ACTION,lr:log
0,hues,,1e-2
+0.5, all ,"anchor, save",1.50e-2

,,,
20,,look,  0.1\t
"""

cells = st.text(string.ascii_letters + string.digits + ' ,"\n\r\t;é', max_size=6)


def test_what_was_read_is_written_character_for_character():
    assert read_dopesheet(WRITTEN).to_csv() == WRITTEN


@pytest.mark.parametrize(
    "read",
    [
        f"\n \n{WRITTEN}\n \n",
        WRITTEN.replace("\n", "\r\n"),
        WRITTEN.replace("hues", '"hues"'),
        WRITTEN.rstrip("\n"),
    ],
    ids=["blank lines around", "other line ends", "needless quotes", "no last line end"],
)
def test_only_what_says_nothing_is_written_otherwise(read):
    assert read_dopesheet(read).to_csv() == WRITTEN


@pytest.mark.parametrize("mark", ["", "\N{BYTE ORDER MARK}"])
def test_a_file_that_is_read_and_written_stays_as_it_is(tmp_path, mark):
    read, written = tmp_path / "plan.csv", tmp_path / "copy.csv"
    read.write_bytes((mark + WRITTEN).encode())
    read_dopesheet(read).write(written)
    assert written.read_bytes() == WRITTEN.encode()


@given(lines=st.lists(st.lists(cells, min_size=1, max_size=4), min_size=1, max_size=4))
def test_any_texts_are_read_as_they_were_written(lines):
    assert list(csv.reader(io.StringIO(as_csv(lines), newline=""), strict=True)) == lines


@given(phase=cells.filter(str.strip), action=cells.filter(lambda text: text.strip(' ,"\n\r\t')))
def test_a_sheet_of_odd_names_comes_back_as_it_was(phase, action):
    action = action.replace(",", "")
    sheet = made(Dopesheet, ["STEP", "PHASE", "ACTION"], [["0", phase, action], ["9", "", ""]])
    assert read_dopesheet(sheet.to_csv()) == sheet


def test_a_sheet_is_printed_as_a_table():
    assert str(read_dopesheet(WRITTEN)).splitlines() == [
        "STEP  PHASE  ACTION        lr:log",
        "0     hues                 1e-2",
        "+0.5  all    anchor, save  1.50e-2",
        "",
        "",
        "20           look          0.1",
    ]


def test_every_column_is_printed_however_short_the_rows_around_are():
    sheet = Dopesheet(["STEP", "lr"], [[], ["0", "1"], []])
    assert [line for line in str(sheet).splitlines() if line] == ["STEP  lr", "0     1"]
