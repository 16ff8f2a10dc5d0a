"""What figures accept, and in which words they refuse the rest."""

import numpy as np
import pytest
import torch
from refusals import refuses

from latent_anchors.colorspace import COLOR_NAMES, HUES, named_colors
from latent_anchors.viz._arrays import (
    as_array,
    as_colors,
    as_runs,
    color_name,
    counted,
    edges,
    hue_name,
    joined,
)


@pytest.mark.parametrize(
    "values",
    [[[1, 2]], np.array([[1, 2]]), torch.tensor([[1, 2]]), torch.tensor([[1.0, 2.0]]).bfloat16()],
)
def test_lists_arrays_and_tensors_are_alike(values: object):
    assert as_array("z", values, "n", 2).tolist() == [[1.0, 2.0]]


def test_an_array_is_a_copy():
    given = torch.zeros(2, dtype=torch.float64)
    as_array("hues", given, "n")[0] = 1
    assert given.tolist() == [0, 0]


@pytest.mark.parametrize("shape", [(3,), (3, 5), (1, 3, 4), (0, 4)])
def test_another_shape_is_refused(shape: tuple[int, ...]):
    with refuses(ValueError, r"z has shape .*; expected \(n, 4\), not empty.* choose one"):
        as_array("z", torch.zeros(shape), "n", 4)


@pytest.mark.parametrize("value", [torch.nan, torch.inf])
def test_numbers_that_are_not_finite_are_refused(value: float):
    with refuses(ValueError, "hues holds NaN or infinity; expected finite.*runs that failed"):
        as_array("hues", [0.0, value], "n")


@pytest.mark.parametrize("value", [-0.1, 1.1])
def test_what_is_no_color_is_refused(value: float):
    with refuses(ValueError, "colors reaches from .* expected colors from 0 to 1.*evaluation mode"):
        as_colors("colors", [[0.0, 0.5, 1.0], [0.5, value, 0.5]], "n")


def test_the_rounding_of_a_conversion_is_forgiven():
    assert as_colors("colors", [[-1e-7, 0.5, 1 + 1e-7]], "n").tolist() == [[0.0, 0.5, 1.0]]


def test_a_single_run_is_a_row():
    assert as_runs("errors", torch.zeros(5), 5).shape == (1, 5)
    assert as_runs("errors", torch.zeros(3, 5), 5).shape == (3, 5)


def test_one_is_not_several():
    assert [counted(n, "run") for n in (0, 1, 2, 1500)] == [
        "0 runs",
        "1 run",
        "2 runs",
        "1,500 runs",
    ]


def test_the_last_of_several_is_joined_with_and():
    assert [joined(list(parts)) for parts in ("a", "ab", "abc")] == ["a", "a and b", "a, b and c"]


@pytest.mark.parametrize("name", COLOR_NAMES)
def test_a_color_near_a_named_one_has_its_name(name: str):
    near = 0.9 * named_colors(name).double().numpy()[0] + 0.05
    assert color_name(near) == name.replace("_", " ")


@pytest.mark.parametrize("name", HUES)
def test_a_hue_near_a_named_one_has_its_name_on_every_turn(name: str):
    assert {
        hue_name(HUES[name] + away + turn) for away in (-0.04, 0.04) for turn in (-1, 0, 1)
    } == {name}


def test_colors_at_the_edges_are_named_as_they_are_seen():
    z = np.array([[1.0, 0, 0], [-1, 0, 0], [0, 1, 0], [0, -1, 0]])
    colors = named_colors("red", "cyan", "lime", "violet").double().numpy()
    words = "red at the top, lime at the right, cyan at the bottom and violet at the left"
    assert edges(z, colors, (1, 0, 2)) == words
