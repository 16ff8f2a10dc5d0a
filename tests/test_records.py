import json
import math
from dataclasses import dataclass

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from refusals import refuses

from latent_anchors._records import plain, write_json

json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=20,
)


@dataclass(frozen=True)
class Inner:
    values: tuple[float, ...]


@dataclass(frozen=True)
class Outer:
    name: str
    inner: Inner
    table: dict[int, Inner]


@given(value=json_values)
def test_what_is_json_already_stays_as_it_is(value):
    assert plain(value) == value
    assert json.loads(json.dumps(plain(value), allow_nan=False)) == value


def test_records_become_objects_all_the_way_down():
    record = Outer("a", Inner((1.0,)), {3: Inner(())})
    assert plain(record) == {
        "name": "a",
        "inner": {"values": [1.0]},
        "table": {"3": {"values": []}},
    }


@pytest.mark.parametrize("missing", [math.nan, math.inf, -math.inf])
def test_numbers_that_do_not_exist_are_null(missing):
    assert plain({"per_seed": [0.1, missing]}) == {"per_seed": [0.1, None]}


def test_a_record_written_can_be_read_and_its_folder_is_made(tmp_path):
    path = tmp_path / "new" / "results.json"
    write_json(path, Outer("ä", Inner((math.nan,)), {}))
    read = json.loads(path.read_text(encoding="utf-8"))
    assert read == {"name": "ä", "inner": {"values": [None]}, "table": {}}


@pytest.mark.parametrize("value", [torch.zeros(2), {1, 2}, Inner, object()])
def test_what_json_cannot_hold_is_refused(value):
    with refuses(TypeError, "cannot be written as JSON; expected numbers.*Turn tensors into lists"):
        plain({"value": value})
