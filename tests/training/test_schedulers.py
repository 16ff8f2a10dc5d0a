import json

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from refusals import refuses
from torch import distributed
from torch.optim import SGD, Adam, RMSprop
from torch.optim.lr_scheduler import ChainedScheduler, ConstantLR, LRScheduler, SequentialLR

from latent_anchors.curriculum import Keyframe, Playhead, Timeline, Track
from latent_anchors.training import TimelineLR, apply_hyperparameters


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


TIMELINE = Timeline(
    {
        "lr": Track([Keyframe(0, 0.1), Keyframe(20, 0.001)], space="log"),
        "momentum": Track([Keyframe(5, 0.5), Keyframe(15, 0.9)]),
        "anchor": Track([Keyframe(0, 1.0)]),
    }
)
ALSO = ("momentum",)


def optimizer():
    weight = torch.zeros(2, requires_grad=True)
    weight.grad = torch.ones(2)
    return SGD([{"params": [weight]}, {"params": [torch.zeros(1)]}], lr=1.0, momentum=0.1)


def driven(steps, also=ALSO):
    """An optimizer and its scheduler after some steps."""
    sgd = optimizer()
    scheduler = TimelineLR(sgd, TIMELINE, also)
    advance(sgd, scheduler, steps)
    return sgd, scheduler


def advance(sgd, scheduler, steps):
    for _ in range(steps):
        sgd.step()
        scheduler.step()


def state(sgd):
    return {name: [group[name] for group in sgd.param_groups] for name in ("lr", "momentum")}


def at(step):
    return {name: [TIMELINE(step)[name]] * 2 for name in ("lr", "momentum")}


def test_it_is_one_of_torchs_own_schedulers():
    assert isinstance(driven(0)[1], LRScheduler)


@given(steps=st.integers(0, 30))
def test_after_so_many_steps_the_optimizer_has_the_values_of_that_step(steps):
    sgd, scheduler = driven(steps)
    assert state(sgd) == at(steps)
    assert scheduler.get_last_lr() == [TIMELINE(steps)["lr"]] * 2
    assert scheduler.last_epoch == steps


def test_only_what_is_named_is_driven():
    assert state(driven(7, also=())[0])["momentum"] == [0.1, 0.1]


def test_it_drives_as_a_scheduler_of_torchs_with_the_same_rates_does():
    lambdas = optimizer()
    theirs = torch.optim.lr_scheduler.LambdaLR(lambdas, lambda step: TIMELINE(step)["lr"])
    ours, scheduler = driven(0, also=())
    for _ in range(25):
        advance(lambdas, theirs, 1)
        advance(ours, scheduler, 1)
    weights = [each.param_groups[0]["params"][0] for each in (lambdas, ours)]
    assert torch.equal(*weights)


@given(steps=st.integers(0, 25))
def test_a_state_is_two_numbers_and_resumes_exactly(steps):
    saved = json.loads(json.dumps(driven(steps)[1].state_dict()))
    assert saved == {"last_epoch": steps, "_step_count": steps + 1}
    sgd, scheduler = driven(3)
    scheduler.load_state_dict(saved)
    assert state(sgd) == at(steps)
    assert scheduler.get_last_lr() == [TIMELINE(steps)["lr"]] * 2
    advance(sgd, scheduler, 2)
    assert state(sgd) == at(steps + 2)


@pytest.mark.parametrize("optimizer_first", [True, False])
def test_the_order_of_loading_does_not_matter(optimizer_first):
    sgd, scheduler = driven(9)
    saved = sgd.state_dict(), scheduler.state_dict()
    fresh, resumed = driven(0)
    loads = [lambda: fresh.load_state_dict(saved[0]), lambda: resumed.load_state_dict(saved[1])]
    for load in loads if optimizer_first else loads[::-1]:
        load()
    assert state(fresh) == at(9)
    advance(fresh, resumed, 1)
    assert state(fresh) == at(10)


def test_it_may_begin_at_any_step_without_a_state():
    sgd = optimizer()
    scheduler = TimelineLR(sgd, TIMELINE, ALSO, last_epoch=11)
    assert scheduler.last_epoch == 12
    assert state(sgd) == at(12)


def test_a_rate_that_is_a_tensor_is_written_in_place():
    rate = torch.tensor(1.0)
    adam = Adam([torch.zeros(1)], lr=rate, foreach=False)
    scheduler = TimelineLR(adam, TIMELINE)
    advance(adam, scheduler, 4)
    assert adam.param_groups[0]["lr"] is rate
    assert rate.item() == pytest.approx(TIMELINE(4)["lr"])
    scheduler.load_state_dict({"last_epoch": 20, "_step_count": 21})
    assert rate.item() == pytest.approx(0.001)


def test_torchs_own_compositions_accept_it():
    sgd = optimizer()
    parts = [ConstantLR(sgd, factor=0.5, total_iters=9), TimelineLR(sgd, TIMELINE, ALSO)]
    sequence = SequentialLR(sgd, parts, milestones=[3])
    rates = [sgd.param_groups[0]["lr"]]
    for _ in range(5):
        sgd.step()
        sequence.step()
        rates.append(sgd.param_groups[0]["lr"])
    assert rates == [0.5, 0.5, 0.5, *(TIMELINE(step)["lr"] for step in range(3))]
    chained = ChainedScheduler([TimelineLR(sgd, TIMELINE)])
    sgd.step()
    chained.step()
    assert chained.get_last_lr() == [TIMELINE(1)["lr"]] * 2


def test_a_step_taken_too_early_is_warned_of_as_torch_does():
    with pytest.warns(UserWarning, match=r"`lr_scheduler.step\(\)` before `optimizer.step\(\)`"):
        TimelineLR(optimizer(), TIMELINE).step()


@pytest.mark.parametrize(
    ("timeline", "also", "words"),
    [
        (Timeline({"rate": Track([Keyframe(0, 0.1)])}), (), "Unknown track 'lr'; expected one of"),
        (TIMELINE, ["weight_decay"], "Unknown track 'weight_decay'; expected one of 'lr',"),
        (TIMELINE, ["anchor"], "Unknown setting of SGD that is a plain number, 'anchor'"),
    ],
)
def test_tracks_and_settings_must_exist(timeline, also, words):
    with refuses(ValueError, words):
        TimelineLR(optimizer(), timeline, also)


def uneven(rate=0.25):
    sgd = optimizer()
    sgd.param_groups[1]["lr"] = rate
    return sgd


def test_groups_with_rates_of_their_own_are_refused_unless_the_track_is_a_factor():
    words = r"groups differ in 'lr': 1.0, 0.25.* give TimelineLR\(..., factors=\['lr'\]\)"
    with refuses(ValueError, words):
        TimelineLR(uneven(), TIMELINE)


@given(steps=st.integers(0, 25))
def test_a_factor_scales_what_each_group_began_with_as_torchs_own_does(steps):
    ours, theirs = uneven(), uneven()
    scheduler = TimelineLR(ours, TIMELINE, ALSO, factors=["lr"])
    other = torch.optim.lr_scheduler.LambdaLR(theirs, lambda step: TIMELINE(step)["lr"])
    advance(ours, scheduler, steps)
    advance(theirs, other, steps)
    assert state(ours)["lr"] == state(theirs)["lr"]
    assert state(ours)["momentum"] == at(steps)["momentum"]


def test_any_setting_that_is_driven_may_be_a_factor():
    sgd = uneven()
    sgd.param_groups[0]["momentum"] = 0.2
    scheduler = TimelineLR(sgd, TIMELINE, ALSO, factors=["momentum", "lr"])
    advance(sgd, scheduler, 15)
    assert state(sgd)["momentum"] == [0.2 * 0.9, 0.1 * 0.9]
    with refuses(ValueError, "Unknown factor 'momentum'; expected one of 'lr'"):
        TimelineLR(sgd, TIMELINE, factors=["momentum"])


@pytest.mark.parametrize("optimizer_first", [True, False])
def test_factors_resume_in_either_order_and_into_an_optimizer_that_has_other_rates(optimizer_first):
    sgd = uneven()
    scheduler = TimelineLR(sgd, TIMELINE, factors=["lr"])
    advance(sgd, scheduler, 9)
    saved = sgd.state_dict(), scheduler.state_dict()
    fresh = uneven(0.75)
    resumed = TimelineLR(fresh, TIMELINE, factors=["lr"])
    loads = [lambda: fresh.load_state_dict(saved[0]), lambda: resumed.load_state_dict(saved[1])]
    for load in loads if optimizer_first else loads[::-1]:
        load()
    assert state(fresh)["lr"] == [TIMELINE(9)["lr"], 0.25 * TIMELINE(9)["lr"]]
    advance(sgd, scheduler, 1)
    advance(fresh, resumed, 1)
    assert state(fresh) == state(sgd)


def test_a_group_that_joins_later_is_scaled_from_then_on():
    sgd = uneven()
    scheduler = TimelineLR(sgd, TIMELINE, factors=["lr"])
    sgd.add_param_group({"params": [torch.zeros(3)], "lr": 0.5})
    advance(sgd, scheduler, 3)
    assert state(sgd)["lr"] == [own * TIMELINE(3)["lr"] for own in (1.0, 0.25, 0.5)]


def test_a_factor_without_the_beginning_is_refused_rather_than_guessed():
    sgd = uneven()
    with refuses(ValueError, "begins after step 0 with a factor on 'lr'.*hold no 'initial_lr'"):
        TimelineLR(sgd, TIMELINE, last_epoch=11, factors=["lr"])
    for group, began in zip(sgd.param_groups, (4.0, 2.0), strict=True):
        group["initial_lr"] = began
    TimelineLR(sgd, TIMELINE, last_epoch=11, factors=["lr"])
    assert state(sgd)["lr"] == [4.0 * TIMELINE(12)["lr"], 2.0 * TIMELINE(12)["lr"]]


def test_a_factor_scales_a_rate_that_is_a_tensor_in_its_place():
    rate = torch.tensor(0.5)
    adam = Adam([torch.zeros(1)], lr=rate, foreach=False)
    scheduler = TimelineLR(adam, TIMELINE, factors=["lr"])
    advance(adam, scheduler, 4)
    assert adam.param_groups[0]["lr"] is rate
    assert rate.item() == pytest.approx(0.5 * TIMELINE(4)["lr"])


def test_a_rate_below_zero_is_refused_when_its_step_comes():
    timeline = Timeline({"lr": Track([Keyframe(0, 0.1), Keyframe(1, -0.1)])})
    sgd = optimizer()
    scheduler = TimelineLR(sgd, timeline)
    sgd.step()
    with refuses(ValueError, "lr is -0.1; expected a number from 0.0"):
        scheduler.step()


def test_a_beginning_that_is_no_step_is_refused():
    with refuses(TypeError, "last_epoch is 0.5; expected a whole number"):
        TimelineLR(optimizer(), TIMELINE, last_epoch=0.5)


def test_a_playhead_is_no_timeline():
    with refuses(
        TypeError,
        "TimelineLR was given a Playhead; expected a Timeline.*write apply_hyperparameters",
    ):
        TimelineLR(optimizer(), Playhead(TIMELINE))


def test_accelerate_may_prepare_it_in_one_process_only(monkeypatch):
    scheduler = driven(0)[1]
    assert getattr(scheduler, "_is_accelerate_prepared", False) is False
    monkeypatch.setattr(distributed, "is_initialized", lambda: True)
    for processes in (1, 2):
        monkeypatch.setattr(distributed, "get_world_size", lambda processes=processes: processes)
        if processes == 1:
            assert getattr(scheduler, "_is_accelerate_prepared", False) is False
    with refuses(
        RuntimeError, r"given to accelerator.prepare\(\) of 2 processes; expected to be left"
    ):
        getattr(scheduler, "_is_accelerate_prepared", False)


def test_the_state_of_another_scheduler_is_refused():
    sgd = optimizer()
    theirs = ConstantLR(optimizer()).state_dict()
    with refuses(ValueError, "The state holds 'factor', .*expected 'last_epoch', '_step_count'"):
        TimelineLR(sgd, TIMELINE).load_state_dict(theirs)


@pytest.mark.parametrize("setting", ["lr", "weight_decay"])
def test_a_group_that_came_later_with_a_setting_of_its_own_is_not_written_over(setting):
    first, second = (torch.nn.Parameter(torch.ones(1)) for _ in range(2))
    optimizer = torch.optim.AdamW([first], lr=0.5, weight_decay=0.5)
    tracks = {"lr": Track([Keyframe(0, 0.5)]), "weight_decay": Track([Keyframe(0, 0.5)])}
    scheduler = TimelineLR(optimizer, Timeline(tracks), also=["weight_decay"])
    group = {"params": [second], "lr": 0.5, "weight_decay": 0.5, setting: 0.0}
    optimizer.add_param_group(group)
    optimizer.step()
    with refuses(ValueError, f"groups differ in {setting!r}: '?0.5'?, '?0.0'?; expected one value"):
        scheduler.step()
