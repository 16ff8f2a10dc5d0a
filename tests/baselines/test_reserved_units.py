"""Masks of the weights that belong to some units."""

import numpy as np
import torch
from refusals import refuses, unchecked
from torch import nn

from latent_anchors.baselines import reserved_units


def test_units_are_rows_and_biases_of_what_writes_and_columns_of_what_reads():
    model = nn.Sequential(nn.Linear(3, 4), nn.Linear(4, 2, bias=False))
    masks = reserved_units(model, [1, 3], outputs=["0"], inputs=["1"])
    assert set(masks) == {"0.weight", "0.bias", "1.weight"}
    assert masks["0.weight"][:, 0].tolist() == [False, True, False, True]
    assert masks["0.bias"].tolist() == [False, True, False, True]
    assert masks["1.weight"][0].tolist() == [False, True, False, True]


def test_a_layer_that_writes_and_reads_the_same_units_has_rows_and_columns():
    masks = reserved_units(nn.Sequential(nn.Linear(3, 3)), [0], outputs=["0"], inputs=["0"])
    assert masks["0.weight"].sum() == 5


def test_layers_and_units_that_are_not_there_are_refused():
    model = nn.Sequential(nn.Linear(3, 4), nn.Embedding(4, 2))
    with refuses(ValueError, "The layer '1' is of type Embedding; expected nn.Linear"):
        reserved_units(model, [0], outputs=["1"])
    with refuses(ValueError, "The units are 4, and the layer '0' has 4 of them"):
        reserved_units(model, [4], outputs=["0"])
    with refuses(ValueError, "The units are -1, 2, and the layer '0' has 4 of them"):
        reserved_units(model, [-1, 2], outputs=["0"])
    with refuses(ValueError, "The units are nothing, and the layer '0'"):
        reserved_units(model, [], outputs=["0"])


def test_layers_of_several_widths_are_refused_as_heads_that_share_keys_have_them():
    model = nn.ModuleDict({"q": nn.Linear(8, 8), "k": nn.Linear(8, 4), "o": nn.Linear(8, 8)})
    with refuses(ValueError, "By the layers 'q', 'k', 'o' the hidden layer has 8, 4, 8 units"):
        reserved_units(model, [2, 3], outputs=["q", "k"], inputs=["o"])
    queries = reserved_units(model, [2, 3], outputs=["q"], inputs=["o"])
    assert {**queries, **reserved_units(model, [0, 1], outputs=["k"])}.keys() > queries.keys()


def test_the_first_and_the_last_unit_may_be_reserved():
    masks = reserved_units(nn.Sequential(nn.Linear(3, 4)), [0, 3], outputs=["0"])
    assert masks["0.bias"].tolist() == [True, False, False, True]


def test_units_are_whole_numbers_of_any_kind_and_no_mask():
    model = nn.Sequential(nn.Linear(3, 4))
    listed = reserved_units(model, [0, 2], outputs=["0"])
    for units in (torch.tensor([0, 2]), np.array([0, 2]), iter([0, 2])):
        with unchecked():
            masks = reserved_units(model, units, outputs=["0"])
        assert all(torch.equal(masks[name], mask) for name, mask in listed.items())
    with refuses(TypeError, "units has True; expected whole numbers"):
        reserved_units(model, [True, False, True, False], outputs=["0"])


def test_one_string_in_place_of_names_is_refused():
    model = nn.Sequential(*(nn.Linear(2, 2) for _ in range(13)))
    with refuses(TypeError, r"The layers are '12'.*Write \['12'\]"):
        reserved_units(model, [0], outputs="12")


def test_masks_bear_the_names_that_parameters_have():
    model = nn.ModuleDict({"first": nn.Linear(2, 2), "second": nn.Linear(2, 2)})
    model["second"].weight = model["first"].weight
    masks = reserved_units(model, [1], outputs=["first"], inputs=["second"])
    assert set(masks) == {"first.weight", "first.bias"}
    assert masks["first.weight"].tolist() == [[False, True], [True, True]]
