"""Plain attributes of a model are each run's own, also where runs are trained in turn."""

import pytest
import torch
from refusals import refuses
from torch import nn
from training.changing import Counting, Gained, Layered, counter_of_a_loss, plain_counter
from training.tiny import train, weights

from latent_anchors.training._python_state.watched import (
    copied,
    in_words,
    is_plain,
    restore,
    settings_of,
)


def test_a_counter_of_one_run_does_not_go_on_in_the_next():
    among, alone = plain_counter("sequential"), plain_counter("sequential", seeds=[4])
    assert torch.equal(weights(among.population, 2), weights(alone.population, 0))
    assert among.population.stacked.first.count == alone.population.stacked.first.count == 20


def test_what_a_loss_carries_from_run_to_run_is_refused():
    with refuses(RuntimeError, "After run 1, .*factor from 21.0 to 41.0.*one run at a time"):
        counter_of_a_loss("sequential")


def test_what_a_model_carries_in_an_object_is_refused_and_a_buffer_advised():
    class Held:
        count = 0

    class Holding(nn.Module):
        def __init__(self):
            super().__init__()
            self.held = Held()

        def forward(self, x):
            self.held.count += 1
            return x

    with refuses(RuntimeError, r"model.first.held.count from 20 to 40.*Register it as a buffer"):
        train(lambda: Layered(Holding()), execution="sequential")
    counted = train(lambda: Layered(Counting(buffer=True)), execution="sequential").population
    assert counted.tensors()["first.count"].tolist() == [20.0] * 3


def test_settings_are_put_back_layer_by_layer():
    model = Layered(Gained())
    model.widths = [1, {"two": 2}]
    before = settings_of([model])
    model.first.gain, model.widths[1]["two"] = 3.0, 5
    restore(before)
    assert (model.first.gain, model.widths) == (1.0, [1, {"two": 2}])


@pytest.mark.parametrize("value", [1, "a", None, (1, [2]), {"a": {1}}, frozenset({1}), range(3)])
def test_a_plain_value_is_copied(value):
    assert is_plain(value)
    assert copied(value) == value


@pytest.mark.parametrize("value", [torch.zeros(1), [object()], {"a": nn.ReLU()}, print])
def test_anything_else_is_no_plain_value(value):
    assert not is_plain(value)


@pytest.mark.parametrize(
    ("places", "words"),
    [("a", "a moved"), ("abc", "a moved, b moved, c moved")]
    + [("abc" + more, f"a moved, b moved, c moved and {len(more)} more") for more in ("d", "de")],
)
def test_of_many_differences_the_first_three_are_named_and_the_others_counted(places, words):
    assert in_words(dict.fromkeys(places, "moved")) == words
