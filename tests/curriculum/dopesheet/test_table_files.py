"""Cells of comma-separated values, against Python's own reader where that reads them, too."""

import csv
import io
import math
import string

import numpy as np
import pytest
from curriculum.strategies import made
from hypothesis import given
from hypothesis import strategies as st
from refusals import refuses, unchecked

from latent_anchors.curriculum import Dopesheet, read_dopesheet
from latent_anchors.curriculum._dopesheet._table_files import as_csv, cells_in

HEADER = ("STEP", "one", "two")

cells = st.text(string.ascii_letters + ' ,"\n\r\té', max_size=6)
tables = st.lists(st.lists(cells, min_size=2, max_size=4).map(tuple), max_size=4)
odd_cells = st.text(string.ascii_letters + string.digits + ' ,"\n\r\t;é', max_size=6)
blanks = st.text(" \N{NO-BREAK SPACE}", max_size=2)
ends = st.sampled_from(["\n", "\r\n", "\r"])
commas = st.sampled_from([",", "\t"])


@given(rows=tables, comma=commas, quoting=st.sampled_from([csv.QUOTE_ALL, csv.QUOTE_MINIMAL]))
def test_what_python_writes_is_read(rows, comma, quoting):
    file = io.StringIO()
    csv.writer(file, delimiter=comma, quoting=quoting).writerows([HEADER, *rows])
    assert cells_in(file.getvalue(), "sheet") == [HEADER, *rows]


@given(rows=tables, comma=commas, end=ends, before=blanks, after=blanks)
def test_spaces_around_quotation_marks_are_ignored(rows, comma, end, before, after):
    def written(cell: str) -> str:
        return before + '"' + cell.replace('"', '""') + '"' + after

    lines = [comma.join(map(written, row)) for row in rows]
    assert cells_in(end.join([comma.join(HEADER), *lines]), "sheet") == [HEADER, *rows]


@given(
    rows=st.lists(st.lists(st.text("ab ", max_size=3), min_size=2, max_size=3), max_size=4),
    blank=st.integers(0, 3),
    end=ends,
)
def test_quotation_marks_do_not_change_what_is_read(rows, blank, end):
    lines = [",".join(row) for row in [HEADER, *rows]]
    lines[blank:blank] = [""]
    plain = cells_in(end.join([*lines, "x,y"]), "sheet")
    assert cells_in(end.join([*lines, '"x",y']), "sheet") == plain
    assert plain == [tuple(line.split(",")) if line else () for line in lines if line or blank] + [
        ("x", "y")
    ]


def test_a_quoted_cell_can_contain_separators():
    written = 'STEP, ACTION , "lr"\n0, "save, eval" ,0.1\n10,"two\n""lines""",\n'
    assert cells_in(written, "sheet") == [
        ("STEP", " ACTION ", "lr"),
        ("0", "save, eval", "0.1"),
        ("10", 'two\n"lines"', ""),
    ]


def test_quotation_marks_after_a_space_are_not_part_of_a_name():
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
def test_an_unpaired_quotation_mark_is_refused_with_its_place(text, where, found):
    with refuses(ValueError, f"sheet, {where}: found '{found}'; expected quotation marks around"):
        cells_in(text, "sheet")


@pytest.mark.parametrize(
    ("text", "rows"),
    [
        ("", []),
        (" \n\r\n ", []),
        ("\n \r\n STEP\n0\n\n \n9\n \n\n", [(" STEP",), ("0",), (), (" ",), ("9",)]),
        ('STEP\n""', [("STEP",), ("",)]),
        ('STEP,a\n"",\n', [("STEP", "a"), ("", "")]),
        ("STEP,a\n0,\n", [("STEP", "a"), ("0", "")]),
    ],
)
def test_blank_lines_around_the_table_are_dropped_and_those_within_have_no_cells(text, rows):
    assert cells_in(text, "sheet") == rows


TEXT = "STEP,PHASE,lr\n0,été Ω,0.1\n10,,0.2\n"
SHEET = read_dopesheet(TEXT)

MARKED = {
    "UTF-8": TEXT.encode(),
    "UTF-8 with a mark": TEXT.encode("utf-8-sig"),
    "UTF-16": b"\xff\xfe" + TEXT.encode("utf-16-le"),
    "UTF-16, the other way round": b"\xfe\xff" + TEXT.encode("utf-16-be"),
    "UTF-32": b"\xff\xfe\0\0" + TEXT.encode("utf-32-le"),
    "what a spreadsheet calls Unicode text": TEXT.replace(",", "\t").encode("utf-16"),
}


def opened(path):
    with path.open("rb") as file:
        return read_dopesheet(file)


DOORS = {
    "path": lambda path: read_dopesheet(path),
    "path as text": lambda path: read_dopesheet(str(path)),
    "file of bytes": opened,
    "bytes in memory": lambda path: read_dopesheet(io.BytesIO(path.read_bytes())),
}

every_door = pytest.mark.parametrize("door", DOORS.values(), ids=DOORS)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "plan.csv"


@every_door
@pytest.mark.parametrize("content", MARKED.values(), ids=MARKED)
def test_a_file_with_a_known_encoding_is_read_from_every_kind_of_source(door, content, path):
    path.write_bytes(content)
    assert door(path) == SHEET


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
def test_a_byte_order_mark_in_decoded_text_is_ignored(encoding, path):
    text = TEXT.replace(" Ω", "")
    mark = "" if encoding == "cp1252" else "\N{BYTE ORDER MARK}"
    path.write_text(mark + text, encoding=encoding)
    with path.open(encoding=encoding) as file:
        assert read_dopesheet(file) == read_dopesheet(text)
    assert read_dopesheet(path.read_text(encoding=encoding)) == read_dopesheet(text)


@every_door
def test_another_encoding_is_refused_with_line_and_byte_and_what_to_do(door, path):
    path.write_bytes(TEXT.replace(" Ω", "").encode("cp1252"))
    found = "line 2: found the byte 0xe9 after '0,', which is not valid utf-8; expected UTF-8"
    with refuses(ValueError, f"^(.*plan.csv|sheet), {found}.*'CSV UTF-8'.*encoding='cp1252'"):
        door(path)


def test_a_text_file_opened_with_the_wrong_encoding_is_refused_too(path):
    path.write_bytes(TEXT.replace(" Ω", "").encode("cp1252"))
    with (
        path.open(encoding="utf-8") as file,
        refuses(ValueError, "plan.csv, line 2: found the byte 0xe9 after '0,'"),
    ):
        read_dopesheet(file)


@pytest.mark.parametrize("encoding", ["cp1252", "utf-16-le", "utf-16-be", "mac-roman"])
def test_an_encoding_can_be_given(encoding, path):
    text = TEXT.replace("Ω", "ä")
    path.write_bytes(text.encode(encoding))
    assert read_dopesheet(path, encoding=encoding) == read_dopesheet(text)


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
def test_utf_16_without_a_mark_is_refused_with_its_name(encoding, path):
    path.write_bytes(TEXT.encode(encoding))
    with refuses(ValueError, f"UTF-16 without a byte-order mark.*encoding='{encoding}'"):
        read_dopesheet(path)


def test_an_encoding_that_does_not_fit_is_refused(path):
    path.write_bytes(TEXT.encode("utf-16")[:-1])
    with refuses(ValueError, "plan.csv, line 3: found the byte 0x0a after '10,,0.2'.*utf-16"):
        read_dopesheet(path)
    with refuses(ValueError, "Unknown encoding 'latin-wan' of .*plan.csv; expected .*'cp1252'"):
        read_dopesheet(path, encoding="latin-wan")


@pytest.mark.parametrize("source", [TEXT, io.StringIO(TEXT)])
def test_a_text_has_no_encoding(source):
    with refuses(TypeError, "encoding is 'cp1252', but sheet is given as text.*Leave encoding out"):
        read_dopesheet(source, encoding="cp1252")


@given(
    phase=st.text(st.characters(exclude_categories=["Cs"]), min_size=1).filter(str.strip),
    encoding=st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "utf-32"]),
)
def test_any_name_survives_every_encoding(phase, encoding):
    sheet = made(Dopesheet, ["STEP", "PHASE"], [["0", phase], ["9", ""]])
    assert made(read_dopesheet, io.BytesIO(sheet.to_csv().encode(encoding))) == sheet


@given(lines=st.lists(st.lists(odd_cells, min_size=1, max_size=4), min_size=1, max_size=4))
def test_pythons_reader_reads_any_texts_back(lines):
    assert list(csv.reader(io.StringIO(as_csv(lines), newline=""), strict=True)) == lines


def test_only_cells_that_need_quotation_marks_get_them():
    rows = [["a b", " c", "d;", "e\t"], ["f,", 'g"', "h\n", "i\r"], [""], ["", ""], []]
    quoted = '"f,","g""","h\n","i\r"'
    assert as_csv(rows) == f'a b, c,d;,e\t\n{quoted}\n""\n,\n\n'


FRAME_TEXT = "STEP,PHASE,lr:log,anchor\n0,hues,0.01,\n+0.5,,,1.0\n20,all,0.1,0.5\n"
RECORDS = [
    {"STEP": 0, "PHASE": "hues", "lr:log": 0.01},
    {"STEP": "+0.5", "anchor": 1.0},
    {"STEP": 20, "PHASE": "all", "lr:log": 0.1, "anchor": 0.5},
]


class NAType:
    """As pandas' missing value: neither true nor false."""

    def __bool__(self):
        raise TypeError


class Pandas:
    def to_dict(self, orient):
        assert orient == "records"
        return [
            {"STEP": 0.0, "PHASE": "hues", "lr:log": 0.01, "anchor": math.nan},
            {
                "STEP": "+0.5",
                "PHASE": NAType(),
                "lr:log": np.float64("nan"),
                "anchor": np.float64(1),
            },
            {"STEP": np.int64(20), "PHASE": "all", "lr:log": np.float64(0.1), "anchor": 0.5},
        ]


class Polars:
    def to_dict(self):
        raise AssertionError("a polars frame answers with columns here")

    def to_dicts(self):
        return [dict.fromkeys(["STEP", "PHASE", "lr:log", "anchor"]) | row for row in RECORDS]


@pytest.mark.parametrize("given", [RECORDS, tuple(RECORDS), iter(RECORDS), Pandas(), Polars()])
def test_dicts_and_frames_make_the_same_sheet_as_text(given):
    assert Dopesheet.from_records(given) == read_dopesheet(FRAME_TEXT)


def test_numbers_are_written_without_loss():
    value = 0.1 + 0.2
    sheet = Dopesheet.from_records([{"STEP": 0, "lr": value}, {"STEP": 5, "lr": np.float32(0.5)}])
    assert [key.value for key in sheet.timeline()["lr"].keyframes] == [value, 0.5]


def test_a_wrong_record_is_refused_with_row_and_column():
    with refuses(ValueError, "plan, row 3, column 'STEP': found '1.5'; expected a step"):
        Dopesheet.from_records([{"STEP": 0, "lr": 1}, {"STEP": 1.5}], source="plan")


@pytest.mark.parametrize("value", [True, [1], 1j])
def test_a_cell_is_a_number_text_or_empty(value):
    with refuses(TypeError, "records, row 2, column 'lr': found .*; expected a number, a text, or"):
        Dopesheet.from_records([{"STEP": 0, "lr": value}])


def test_a_column_has_a_name():
    with refuses(TypeError, "records, row 1, column 2: found 0; expected a name"):
        Dopesheet.from_records([{"STEP": 0, 0: 0.1}])


@pytest.mark.parametrize("given", [[], {"STEP": [0]}, "STEP,lr", [["STEP"], [0]]])
def test_records_must_be_dicts_or_a_frame(given):
    with refuses(TypeError, "records are .*; expected dicts, such as .*frame"):
        Dopesheet.from_records(given)


def test_a_nan_of_any_type_is_an_empty_cell():
    rows = [{"STEP": 0, "PHASE": "a", "lr": 0.5}, {"STEP": 5, "PHASE": np.float32("nan"), "lr": 1}]
    with unchecked():
        assert [phase.name for phase in Dopesheet.from_records(rows).timeline().phases] == ["a"]
