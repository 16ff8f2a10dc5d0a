import pytest
import torch
from refusals import refuses
from torch.optim import SGD, Adam, RMSprop

from latent_anchors.curriculum import Keyframe, Timeline, Track
from latent_anchors.training import apply_hyperparameters


def sgd(**changes):
    groups = [{"params": [torch.ones(1)]}, {"params": [torch.ones(1)], **changes}]
    return SGD(groups, lr=1.0, momentum=0.9, weight_decay=0.1)


def settings(optimizer, name):
    return [group[name] for group in optimizer.param_groups]


def test_every_group_has_the_values_of_the_row():
    optimizer = sgd()
    apply_hyperparameters(optimizer, {"lr": 0.5, "momentum": 0.25, "weight_decay": 0.0})
    for name, value in {"lr": 0.5, "momentum": 0.25, "weight_decay": 0.0}.items():
        assert settings(optimizer, name) == [value, value]


def test_a_timeline_drives_a_loop_of_ones_own():
    timeline = Timeline(
        {"lr": Track([Keyframe(0, 0.5), Keyframe(2, 0.0)]), "anchor": Track([Keyframe(0, 3.0)])}
    )
    weight = torch.zeros(1, requires_grad=True)
    weight.grad = torch.ones(1)
    optimizer = SGD([weight], lr=9.0)
    for step in range(3):
        apply_hyperparameters(optimizer, timeline(step), ["lr"])
        optimizer.step()
    assert weight.item() == -0.75


def test_a_rate_that_is_a_tensor_keeps_its_place():
    rate = torch.tensor(0.1)
    optimizer = Adam([torch.ones(1)], lr=rate, capturable=False, foreach=False)
    apply_hyperparameters(optimizer, {"lr": 0.5})
    assert optimizer.param_groups[0]["lr"] is rate
    assert rate.item() == 0.5


@pytest.mark.parametrize("name", ["anchor", "betas", "nesterov", "maximize", "params", "foreach"])
@pytest.mark.parametrize("make", [Adam, RMSprop, SGD])
def test_what_is_no_plain_number_is_refused_with_what_is(make, name):
    optimizer = make([torch.ones(1)], lr=0.1)
    words = f"Unknown setting of {make.__name__} that is a plain number, '{name}'; .*'weight_decay'"
    with refuses(ValueError, words):
        apply_hyperparameters(optimizer, {"lr": 0.5, name: 0.5})
    assert settings(optimizer, "lr") == [0.1]


def test_a_name_that_the_row_lacks_is_refused():
    with refuses(ValueError, "Unknown value of the row 'momentum'; expected one of 'lr', 'anchor'"):
        apply_hyperparameters(sgd(), {"lr": 0.1, "anchor": 1.0}, ["lr", "momentum"])


@pytest.mark.parametrize(
    ("value", "words"), [(-0.1, "lr is -0.1; expected a number from 0.0"), (torch.nan, "lr is nan")]
)
def test_a_rate_that_is_none_is_refused(value, words):
    with refuses(ValueError, words):
        apply_hyperparameters(sgd(), {"lr": value})


def test_groups_that_differ_are_refused_for_that_setting_alone():
    optimizer = sgd(weight_decay=0.0)
    apply_hyperparameters(optimizer, {"lr": 0.5})
    with refuses(ValueError, "groups differ in 'weight_decay': 0.1, 0.0; expected one value"):
        apply_hyperparameters(optimizer, {"lr": 0.25, "weight_decay": 0.2})
    assert settings(optimizer, "weight_decay") == [0.1, 0.0]
    assert settings(optimizer, "lr") == [0.5, 0.5]
