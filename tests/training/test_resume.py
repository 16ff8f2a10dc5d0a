"""A training goes on with what it was made of; anything else is refused by name."""

import os
import subprocess
import sys
from functools import cache, partial

import pytest
from refusals import refuses
from torch import optim
from training.changing import Gained, Layered, Weighed
from training.played import play
from training.tiny import COLORS, network, same, timeline, train

import latent_anchors as la
from latent_anchors import Term
from latent_anchors.curriculum import Keyframe, Timeline, Track
from latent_anchors.data import BernoulliLabels, Sampler
from latent_anchors.models import UnitNorm
from latent_anchors.regularizers import Anchor, Separation
from latent_anchors.training import Every, reconstruction
from latent_anchors.training._fit.resume import check_made_alike

STOP = 7


def terms(power=3.0, direction=(1.0, 0.0, 0.0, 0.0)):
    return (Term("anchor", Anchor(list(direction)), label="red"), Term("sep", Separation(power)))


def sampler(batch_size=8, share=0.6, n=27):
    labels = {"red": BernoulliLabels(share * COLORS[:n, 0])}
    return Sampler(COLORS[:n], labels, batch_size=batch_size)


class OfSeedAndBlock:
    """Batches of a user's."""

    def __init__(self, batch_size=8):
        self.batches = sampler(batch_size)

    def block(self, seed, index):
        return self.batches.block(seed, index)


def times(factor):
    return {"recon": lambda forward, batch: factor * reconstruction(forward, batch)}


def another_code():
    return {"recon": lambda forward, batch: reconstruction(forward, batch) + 1.0}


def adam(betas=(0.9, 0.999), lr=0.001):
    return partial(optim.Adam, betas=betas, lr=lr)


def go(start=network, **options):
    options = {"batches": sampler(), "terms": terms(), "losses": times(1.0), **options}
    return train(start, **{"time": timeline(sep=0.1), "optimizer": adam(), **options})


def later(lr):
    """The same up to the step at which the training was stopped."""
    plain = timeline(sep=0.1)
    tracks = {name: plain[name] for name in plain.names}
    rate = Track([Keyframe(0, 0.02), Keyframe(STOP + 3, 0.02), Keyframe(STOP + 9, lr)])
    return Timeline({**tracks, "lr": rate}, steps=20)


@cache
def stopped():
    return go(steps=STOP)


OTHERS = {
    "batch size": ({"batches": sampler(batch_size=5)}, "batches.batch_size was 8 and is 5"),
    "labels": ({"batches": sampler(share=0.3)}, r"batches.labels\['red'\].probability.* was "),
    "data": ({"batches": sampler(n=20)}, "batches.inputs was float64 .27, 3. .* float64 .20, 3."),
    "kind of batches": ({"batches": OfSeedAndBlock(5)}, "of the latest batches was float64 .7, 8"),
    "power": ({"terms": terms(power=7.0)}, r"terms\['sep'\].penalty.power was 3.0 and is 7.0"),
    "direction": ({"terms": terms(direction=(0.0, 1.0, 0.0, 0.0))}, r"\['anchor'\].*direction"),
    "values played": ({"time": timeline(sep=0.1, lr=0.05)}, "Track 'lr' was 0.02, .* at step 0"),
    "loss": ({"losses": times(2.0)}, r"losses\['recon'\].factor was 1.0 and is 2.0"),
    "code of a loss": ({"losses": another_code()}, r"the code of losses\['recon'\] was"),
    "betas": ({"optimizer": adam(betas=(0.5, 0.999))}, r"Adam with betas=\[0.9.* now it is \[0.5"),
    "constraint": (
        {"constraint": UnitNorm({"encoder.0.weight": -1})},
        "constraint was nothing and is",
    ),
}


@pytest.mark.parametrize("what", OTHERS)
def test_something_else_is_refused_and_named(what):
    other, words = OTHERS[what]
    with refuses(ValueError, f"{words}.*Give "):
        go(stopped(), **other)


def test_code_is_held_against_that_of_the_same_version_of_python_only():
    place, given = "the code of losses['recon']", "3.11:0a1b"
    check_made_alike({place: given}, {place: "3.12:2c3d"})
    for other in ("3.11:2c3d", "nothing"):
        with refuses(ValueError, f"the code of .* was {given} and is {other}.*Give "):
            check_made_alike({place: given}, {place: other})
    with refuses(ValueError, "batches was 3.11:0a1b and is 3.12:2c3d"):
        check_made_alike({"batches": given}, {"batches": "3.12:2c3d"})


def test_the_period_of_measure_and_what_is_measured_are_kept():
    first = play("sequential", steps=9)[0]
    with refuses(ValueError, "the period of measure was 4 and is 5"):
        play("sequential", first, measure=Every(5, print))


def test_what_was_changed_on_the_way_has_to_stand_as_it_was_then():
    loss = Weighed()
    change = Every(3, lambda _: vars(loss).update(factor=4.0))
    first = go(losses={"recon": loss}, steps=STOP, callbacks=[change])
    assert same(go(first, losses={"recon": loss}, steps=STOP).population, first.population)
    with refuses(ValueError, r"\['recon'\].factor was 4.0 and is 1.0; .*as it was then"):
        go(first, losses={"recon": Weighed()})


def test_a_setting_of_the_model_that_no_longer_stands_is_refused():
    first = train(lambda: Layered(Gained()), steps=STOP)
    first.population.stacked.first.gain = 2.0
    with refuses(ValueError, "model.first.gain was 1.0 and is 2.0"):
        train(first)


SAFE = {
    "everything made anew": {},
    "a learning rate that the timeline writes anyway": {"optimizer": adam(lr=0.5)},
    "other callbacks": {"callbacks": [Every(2, print)]},
}


@pytest.mark.parametrize("what", SAFE)
def test_what_makes_no_difference_is_accepted(what, tmp_path):
    la.save(stopped(), tmp_path)
    assert same(go(la.load(tmp_path), **SAFE[what]).population, go().population)


def test_from_here_on_the_timeline_may_differ():
    ours, whole = go(stopped(), time=later(0.1)), go(time=later(0.1))
    assert same(ours.population, whole.population)
    assert not same(ours.population, go().population)


def test_what_it_was_made_of_reads_the_same_in_each_process():
    script = (
        "import sys; sys.path.insert(0, 'tests')\n"
        "from training.test_resume import go, stopped\n"
        "print(sorted(stopped().state.made_of.items()))"
    )
    environment = {**os.environ, "PYTHONHASHSEED": "7"}
    process = subprocess.run(
        [sys.executable, "-c", script], env=environment, capture_output=True, text=True, check=True
    )
    assert process.stdout.strip() == str(sorted(stopped().state.made_of.items()))


class Backwards(optim.Adam):
    """Another optimizer with the same settings."""


def test_another_optimizer_with_the_same_settings_is_refused():
    stopped = go(steps=STOP)
    other = partial(Backwards, betas=(0.9, 0.999), lr=0.001)
    with refuses(ValueError, r"the optimizer was torch.optim.adam.Adam and is .*Backwards"):
        go(stopped, optimizer=other)
