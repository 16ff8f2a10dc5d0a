import math

import numpy as np
import pytest
from refusals import refuses

from latent_anchors.curriculum import Dopesheet, read_dopesheet

TEXT = "STEP,PHASE,lr:log,anchor\n0,hues,0.01,\n+0.5,,,1.0\n20,all,0.1,0.5\n"
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
    assert Dopesheet.from_records(given) == read_dopesheet(TEXT)


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
