"""In which encodings a sheet is read, and what is said of the others."""

import io

import pytest
from curriculum.strategies import made
from hypothesis import given
from hypothesis import strategies as st
from refusals import refuses

from latent_anchors.curriculum import Dopesheet, read_dopesheet

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
def test_what_says_its_encoding_is_read_by_every_door(door, content, path):
    path.write_bytes(content)
    assert door(path) == SHEET


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
def test_a_mark_is_no_part_of_what_was_decoded_already(encoding, path):
    text = TEXT.replace(" Ω", "")
    mark = "" if encoding == "cp1252" else "\N{BYTE ORDER MARK}"
    path.write_text(mark + text, encoding=encoding)
    with path.open(encoding=encoding) as file:
        assert read_dopesheet(file) == read_dopesheet(text)
    assert read_dopesheet(path.read_text(encoding=encoding)) == read_dopesheet(text)


@every_door
def test_another_encoding_is_refused_by_line_and_byte_with_what_to_do(door, path):
    path.write_bytes(TEXT.replace(" Ω", "").encode("cp1252"))
    found = "line 2: found the byte 0xe9 after '0,', which is no text in utf-8; expected UTF-8"
    with refuses(ValueError, f"^(.*plan.csv|sheet), {found}.*'CSV UTF-8'.*encoding='cp1252'"):
        door(path)


def test_a_text_file_that_was_opened_in_another_encoding_is_refused_likewise(path):
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
def test_utf_16_without_a_mark_is_refused_by_its_name(encoding, path):
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
def test_any_name_returns_from_every_encoding(phase, encoding):
    sheet = made(Dopesheet, ["STEP", "PHASE"], [["0", phase], ["9", ""]])
    assert made(read_dopesheet, io.BytesIO(sheet.to_csv().encode(encoding))) == sheet
