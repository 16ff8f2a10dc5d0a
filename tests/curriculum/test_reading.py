import io
import tempfile

import pytest
from curriculum.strategies import timelines
from hypothesis import given
from refusals import refuses

from latent_anchors.curriculum import read_dopesheet

TEXT = 'STEP,ACTION,lr\n0,,0.1\n+5,"anchor, save",0.2\n'


def test_a_text_a_path_and_an_open_file_read_alike(tmp_path):
    path = tmp_path / "plan.csv"
    path.write_text(TEXT)
    sheet = read_dopesheet(TEXT)
    assert read_dopesheet(path) == read_dopesheet(str(path)) == sheet
    assert read_dopesheet(io.StringIO(TEXT)) == sheet
    with path.open() as file:
        assert read_dopesheet(file) == sheet


def test_a_sheet_keeps_what_was_written():
    sheet = read_dopesheet(TEXT)
    assert sheet.columns == ("STEP", "ACTION", "lr")
    assert sheet.rows == (("0", "", "0.1"), ("+5", "anchor, save", "0.2"))


@pytest.mark.parametrize(
    "text", [f"\n\n{TEXT}\n\n", TEXT.replace("\n", "\r\n"), TEXT.rstrip()], ids=repr
)
def test_line_ends_and_blank_lines_around_the_table_do_not_matter(text):
    assert read_dopesheet(text) == read_dopesheet(TEXT)


def test_a_spreadsheets_byte_order_mark_is_no_part_of_the_first_column(tmp_path):
    path = tmp_path / "plan.csv"
    path.write_text(TEXT, encoding="utf-8-sig")
    assert read_dopesheet(path) == read_dopesheet(TEXT)


def test_a_wrong_cell_is_told_by_file_row_and_column(tmp_path):
    path = tmp_path / "plan.csv"
    path.write_text(TEXT.replace("0.2", "fast"))
    with refuses(ValueError, "plan.csv, row 3, column 'lr': found 'fast'; expected a number"):
        read_dopesheet(path)
    with refuses(ValueError, "^sheet, row 3, column 'lr'"):
        read_dopesheet(io.StringIO(path.read_text()))


@pytest.mark.parametrize("source", [[["STEP", "lr"], ["0", "1"]], {"STEP": [0]}, None, b"STEP,lr"])
def test_what_is_no_file_and_no_text_is_refused_with_what_to_write(source):
    with refuses(TypeError, "The sheet is .*; expected a path.*Dopesheet.from_records"):
        read_dopesheet(source)


def test_a_file_without_a_name_is_called_a_sheet():
    with tempfile.TemporaryFile("w+") as file, refuses(ValueError, r"^(sheet|\d+), row 1: found"):
        read_dopesheet(file)
    with tempfile.SpooledTemporaryFile() as file, refuses(ValueError, "^sheet, row 1: found"):
        read_dopesheet(file)


def test_an_empty_text_is_refused():
    with refuses(ValueError, "sheet, row 1: found the columns nothing; expected 'STEP'"):
        read_dopesheet("\n")


def test_a_missing_file_is_missing():
    with pytest.raises(FileNotFoundError):
        read_dopesheet("no such plan.csv")


@given(timeline=timelines())
def test_an_absolute_sheet_of_a_timelines_keys_means_its_tracks(timeline):
    for track in (timeline[name] for name in timeline.names):
        leave = track.to_json()["keyframes"][0]["leave"]
        rows = "".join(f"{key.step},{key.value!r}\n" for key in track.keyframes)
        read = read_dopesheet(f"STEP,x:{track.space}:{leave}\n{rows}").timeline()["x"]
        assert read(track.keyframes[-1].step) == track.keyframes[-1].value
        assert [key.step for key in read.keyframes] == [key.step for key in track.keyframes]
