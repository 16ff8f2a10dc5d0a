"""Types and shapes are checked however a function is wrapped, but not where checks are off."""

from collections.abc import Callable, Mapping
from typing import Any

import jaxtyping
import pytest
import torch
from beartype import beartype
from jaxtyping import Float, TypeCheckError
from refusals import refuses
from shape_checks import checked, has_shapes
from torch import Tensor

Row = Float[Tensor, " n"]


@pytest.mark.parametrize(
    ("annotation", "expected"),
    [
        (int, False),
        (Mapping[str, Tensor | None], False),
        (Row, True),
        (Mapping[str, list[Row]] | None, True),
        (Callable[[Row], int], True),
        ("Row", True),
        (Any, False),
    ],
)
def test_a_type_has_shapes_if_something_in_it_has(annotation: Any, expected: bool):
    assert has_shapes(annotation) is expected


@checked(typechecker=beartype)
def doubled(count: int) -> int:
    return 2 * count if count != 100 else "many"


@checked(typechecker=beartype)
def summed(a: Row, b: Row) -> Row:
    return a + b


def test_wrong_types_are_refused_on_the_way_in_and_out():
    assert doubled(2) == 4
    for wrong in ("2", 100):
        with pytest.raises(TypeCheckError):
            doubled(wrong)


def test_wrong_shapes_are_refused_across_arguments():
    assert summed(torch.ones(2), torch.ones(2)).tolist() == [2, 2]
    with pytest.raises(TypeCheckError):
        summed(torch.ones(2), torch.ones(1))


def test_the_library_is_checked_in_this_suite():
    from latent_anchors._checks import check_count

    with pytest.raises(TypeCheckError):
        check_count("steps", "1")
    with refuses(TypeError, "steps is '1'; expected a whole number"):
        check_count("steps", "1")  # off where a refusal is read


def test_nothing_is_checked_where_checks_are_off(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(jaxtyping.config, "jaxtyping_disable", True)
    assert doubled("2") == "22"
