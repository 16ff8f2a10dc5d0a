"""The reference's sheets, and the numbers that were measured or printed there."""

import copy
import io
import pickle
import string
import tempfile
from dataclasses import fields, replace

import numpy as np
import pytest
from curriculum.strategies import made, timelines
from hypothesis import given
from hypothesis import strategies as st
from refusals import refuses

from latent_anchors.curriculum import (
    Dopesheet,
    Keyframe,
    Phase,
    Timeline,
    Track,
    read_dopesheet,
)
from latent_anchors.curriculum._dopesheet import _sheet
from latent_anchors.curriculum._dopesheet._parse import parse
from latent_anchors.transitions import _easing_registry, register_easing

SMOOTH_COLOR = """\
STEP,PHASE,ACTION,lr,recon,separate,planar,norm,anchor,data-fraction
0,Primary & secondary,,,1,0,.2,,,
1200,,,,.8,.3,,,,
1800,,,,,,.4,.1,,
3000,All hues,anchor,,,0,,.25,0,0
3350,,,.01,,,,,,
6500,,,,.8,,0,,,
8600,,,,,,,,.3,
10000,Full color space,,,,,,,,.25
13000,,,,1,,,,.1,1
20000,,,.001,,,,,.75,
"""

SMOOTH_COLOR_VALUES = """\
0 .01 1 0 .2 .1 0 0
600 .01 .9 .15 .24198 .1 0 0
1200 .01 .8 .3 .35802 .1 0 0
2100 .01 .8 .15 .39906 .11553 0 0
2400 .01 .8 .06296 .39319 .175 0 0
3000 .01 .8 0 .35632 .25 0 0
4750 .00995 .8 0 .10833 .25 .054 .02588
6500 .00955 .8 0 0 .25 .21744 .125
10000 .00715 .91437 0 0 .25 .26241 .25
11500 .00568 .98314 0 0 .25 .14425 .625
16500 .00159 1 0 0 .25 .425 1
20000 .001 1 0 0 .25 .75 1
"""

SUPPRESSION = """\
STEP,lr,separate,anchor,subspace
0,1e-8,.01,.01,.01
+10,.01,,,
+0.5,,,,.1
750,.1,.01,.1,
+0.5,,,,.1
+0.9,.1,0,0,0
1500,.05,,,
"""

ABLATION = """\
STEP,lr,separate,anchor,anti-anchor,anti-subspace
0,1e-8,,0,0,.25
+10,.01,,,,
+0.33,,.01,.1,.05,
750,.1,.001,.1,,.003
+0.9,.1,0,0,0,0
1500,.05,,,,
"""

FIXTURE = """\
STEP,PHASE,ACTION,x:log,y,z::step-end
0,one,,0.01,,1
4,,,,0.8,2
10,two,save,0.001,,3
11,,,,0,4
12,,,,,
"""


def printed(value: float, golden: str) -> bool:
    """Whether a value would be printed like this, give or take its last digit's half."""
    digits = len(golden.partition(".")[2])
    return abs(value - float(golden)) <= 0.5000001 * 10.0**-digits


@pytest.mark.parametrize("line", SMOOTH_COLOR_VALUES.splitlines())
def test_the_smooth_color_schedule_has_its_published_values(line):
    step, *values = line.split()
    row = read_dopesheet(SMOOTH_COLOR).timeline()(int(step))
    # the published table is rounded to five decimals, without trailing zeros
    np.testing.assert_allclose(list(row.values()), [float(v) for v in values], atol=5.1e-6)


def test_the_smooth_color_schedule_has_its_phases_and_its_one_action():
    timeline = read_dopesheet(SMOOTH_COLOR).timeline()
    starts = {"Primary & secondary": 0, "All hues": 3000, "Full color space": 10000}
    assert timeline.phases == tuple(Phase(name, start) for name, start in starts.items())
    assert timeline.actions_by_step == {3000: ("anchor",)}
    assert len(timeline) == 20_001


@pytest.mark.parametrize(
    ("sheet", "track", "step", "golden"),
    [
        (SUPPRESSION, "lr", 5, "0.005"),
        (SUPPRESSION, "lr", 375, "0.05386"),
        (SUPPRESSION, "lr", 1462, "0.075625"),
        (ABLATION, "lr", 375, "0.05386"),
        (SUPPRESSION, "anchor", 375, "0.055"),
        (SUPPRESSION, "anchor", 1087, "0.050139"),
        (ABLATION, "anti-subspace", 375, "0.1265"),
        (ABLATION, "anti-anchor", 750, "0.031791"),
    ],
)
def test_the_measured_schedules_have_the_values_that_were_measured(sheet, track, step, golden):
    assert printed(read_dopesheet(sheet).timeline()[track](step), golden)


@pytest.mark.parametrize("sheet", [SUPPRESSION, ABLATION], ids=["suppression", "ablation"])
def test_the_measured_schedules_end_with_all_weights_at_zero(sheet):
    timeline = read_dopesheet(sheet).timeline()
    weights = [name for name in timeline.names if name != "lr"]
    assert len(timeline) == 1501
    assert all(timeline(1424)[name] > 0 for name in weights)
    assert all(timeline[name](step) == 0 for name in weights for step in range(1425, 1501))


def test_the_ablation_sheets_shares_fall_on_the_measured_steps():
    timeline = read_dopesheet(ABLATION).timeline()
    assert [key.step for key in timeline["anti-anchor"].keyframes] == [0, 248, 1425]


@pytest.mark.parametrize(
    ("track", "first", "values"),
    [
        (
            "x",
            0,
            ".01 .00980483 .00875145 .00686942 .0048146 .00316228 .00207702 .00145573 .00114267 "
            ".00101991 .001",
        ),
        ("y", 5, ".781389 .684239 .505694 .294306 .115761 .018611"),
        ("z", 0, "1 1 1 1 2 2 2 2 2 2 3 4 4"),
    ],
)
def test_log_linear_and_stepped_columns_have_the_fixtures_values(track, first, values):
    timeline = read_dopesheet(FIXTURE).timeline()
    steps = range(first, first + len(values.split()))
    golden = [float(value) for value in values.split()]
    np.testing.assert_allclose(timeline[track].table(steps), golden, rtol=0, atol=5e-7)


def test_a_row_without_keys_still_ends_the_sheet():
    assert len(read_dopesheet(FIXTURE).timeline()) == 13


def test_a_column_has_its_first_value_until_its_first_key():
    timeline = read_dopesheet(FIXTURE).timeline()
    assert [timeline["y"](step) for step in range(5)] == [0.8] * 5


def test_a_sheet_is_parsed_once(monkeypatch):
    calls = []
    monkeypatch.setattr(_sheet, "parse", lambda *given: calls.append(given) or parse(*given))
    sheet = Dopesheet(["STEP", "lr"], [["0", "1"]])
    assert sheet.timeline() is sheet.timeline()
    assert len(calls) == 1
    longer = replace(sheet, rows=[["0", "1"], ["9", "2"]])
    assert len(longer.timeline()) == 10


def test_the_parsed_timeline_is_not_part_of_the_sheets_identity():
    sheet = Dopesheet(["STEP", "lr"], [["0", "1"]])
    assert sheet == pickle.loads(pickle.dumps(sheet)) == copy.deepcopy(sheet)
    assert repr(sheet) == "Dopesheet(columns=('STEP', 'lr'), rows=(('0', '1'),), source='sheet')"
    assert {field.name for field in fields(sheet)} == {"columns", "rows", "source"}


def test_sheets_of_different_sources_can_be_equal():
    lists = [["STEP", "lr"], [["0", "1"]]]
    assert Dopesheet(*lists, source="a.csv") == Dopesheet(*lists, source="b.csv")
    assert Dopesheet(*lists).rows == (("0", "1"),)


TEXT = 'STEP,ACTION,lr\n0,,0.1\n+5,"anchor, save",0.2\n'


def test_text_path_and_open_file_give_the_same_sheet(tmp_path):
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
def test_line_ends_and_blank_lines_around_the_table_are_ignored(text):
    assert read_dopesheet(text) == read_dopesheet(TEXT)


def test_a_byte_order_mark_is_not_part_of_the_first_column(tmp_path):
    path = tmp_path / "plan.csv"
    path.write_text(TEXT, encoding="utf-8-sig")
    assert read_dopesheet(path) == read_dopesheet(TEXT)


def test_a_wrong_cell_is_refused_with_file_row_and_column(tmp_path):
    path = tmp_path / "plan.csv"
    path.write_text(TEXT.replace("0.2", "fast"))
    with refuses(ValueError, "plan.csv, row 3, column 'lr': found 'fast'; expected a number"):
        read_dopesheet(path)
    with refuses(ValueError, "^sheet, row 3, column 'lr'"):
        read_dopesheet(io.StringIO(path.read_text()))


@pytest.mark.parametrize("source", [[["STEP", "lr"], ["0", "1"]], {"STEP": [0]}, None, b"STEP,lr"])
def test_a_source_that_is_neither_file_nor_text_is_refused_with_what_to_write(source):
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


def test_a_missing_file_raises_file_not_found():
    with pytest.raises(FileNotFoundError):
        read_dopesheet("no such plan.csv")


@given(timeline=timelines())
def test_a_sheet_with_a_tracks_keys_is_parsed_into_the_same_keys(timeline):
    for track in (timeline[name] for name in timeline.names):
        leave = track.to_json()["keyframes"][0]["leave"]
        rows = "".join(f"{key.step},{key.value!r}\n" for key in track.keyframes)
        read = read_dopesheet(f"STEP,x:{track.space}:{leave}\n{rows}").timeline()["x"]
        assert read(track.keyframes[-1].step) == track.keyframes[-1].value
        assert [key.step for key in read.keyframes] == [key.step for key in track.keyframes]


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
def test_only_what_has_no_meaning_is_written_differently(read):
    assert read_dopesheet(read).to_csv() == WRITTEN


@pytest.mark.parametrize("mark", ["", "\N{BYTE ORDER MARK}"])
def test_a_file_that_is_read_and_written_is_unchanged(tmp_path, mark):
    read, written = tmp_path / "plan.csv", tmp_path / "copy.csv"
    read.write_bytes((mark + WRITTEN).encode())
    read_dopesheet(read).write(written)
    assert written.read_bytes() == WRITTEN.encode()


@given(phase=cells.filter(str.strip), action=cells.filter(lambda text: text.strip(' ,"\n\r\t')))
def test_a_sheet_with_odd_names_survives_a_round_trip(phase, action):
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


def test_every_column_is_printed_even_if_other_rows_are_shorter():
    sheet = Dopesheet(["STEP", "lr"], [[], ["0", "1"], []])
    assert [line for line in str(sheet).splitlines() if line] == ["STEP  lr", "0     1"]


def test_a_transition_of_a_users_that_has_an_old_name_is_the_one_that_a_sheet_means():
    def cubic(progress):
        return progress**3

    assert read_dopesheet("STEP,a::step\n0,0\n8,1\n").timeline()(4) == {"a": 0.0}
    register_easing("step", cubic, smoothness=0)
    try:
        timeline = Timeline({"a": Track([Keyframe(0, 0.0, cubic), Keyframe(8, 1.0)])})
        assert timeline(4) == {"a": 0.125}
        assert Dopesheet.from_timeline(timeline).timeline()(4) == {"a": 0.125}
    finally:
        del _easing_registry._entries["step"], _easing_registry._names[id(cubic)]
