"""What is replayed is what Python would have done, or it is refused."""

import pytest
import torch
from refusals import refuses
from training.changing import CHANGED_BETWEEN_STEPS, CHANGED_BY_A_STEP
from training.tiny import close, timeline, train, trained

from latent_anchors.curriculum import Timeline
from latent_anchors.training import Every, reconstruction
from latent_anchors.training._fit.replay import Replaying


def named(training):
    return training.__name__


@pytest.mark.parametrize("training", CHANGED_BETWEEN_STEPS, ids=named)
def test_what_changes_between_steps_counts_with_vmap_as_sequentially(training):
    together, sequential = training("vmap"), training("sequential")
    assert close(together.population, sequential.population)
    torch.testing.assert_close(together.history["recon"], sequential.history["recon"])
    assert not together.history["recon"].allclose(trained().history["recon"], atol=1e-4)


@pytest.mark.parametrize("training", CHANGED_BY_A_STEP, ids=named)
def test_what_a_step_changes_is_refused_together(training):
    with refuses(RuntimeError, CHANGED_BY_A_STEP[training]):
        training("vmap")


@pytest.mark.parametrize("training", CHANGED_BY_A_STEP, ids=named)
def test_one_run_sequentially_may_change_what_it_likes(training):
    assert training("sequential", seeds=[3]).history["recon"].isfinite().all()


def test_what_a_last_callback_changes_comes_too_late_to_matter():
    factor = {"now": 1.0}
    loss = {"recon": lambda forward, batch: factor["now"] * reconstruction(forward, batch)}
    late = Every(20, lambda _: factor.update(now=50.0))
    assert close(train(losses=loss, callbacks=[late]).population, trained().population, 0.0)


def test_a_hidden_change_is_found_some_steps_after_an_action(monkeypatch, tmp_path):
    """A file is nothing that can be looked at: only the numbers show it."""
    monkeypatch.setattr("latent_anchors.training._fit.replay.EVENTS", 3)
    file = tmp_path / "factor"
    file.write_text("1.0")

    def loss(forward, batch):
        return float(file.read_text()) * reconstruction(forward, batch)

    steps = []

    def change(progress):
        steps.append(progress.step)
        file.write_text(str(float(progress.step)))

    with refuses(RuntimeError, "'recon' of run 0 is .*such as a random number .* or a file"):
        train(losses={"recon": loss}, callbacks=[Every(4, change)])
    assert steps[-1] < 20


@pytest.mark.parametrize(("acting", "expected"), [((8, 12, 16), {8, 12, 16, 20}), ((), {20})])
def test_comparisons_follow_actions_and_the_end(acting, expected, monkeypatch):
    compared, compare = set(), Replaying.compare

    def noted(self):
        compared.add(self._steps)
        compare(self)

    monkeypatch.setattr(Replaying, "compare", noted)
    monkeypatch.setattr("latent_anchors.training._fit.replay.EVENTS", 2)
    plain = timeline()
    tracks = {name: plain[name] for name in plain.names}
    time = Timeline(tracks, actions={at: ["act"] for at in acting}, steps=20)
    train(time=time, actions={"act": id} if acting else {})
    assert compared == expected


def test_what_is_not_read_may_come_and_go():
    """A model that keeps its latest activations trains together."""
    kept = []

    def loss(forward, batch):
        kept[:] = [object()]
        return reconstruction(forward, batch)

    assert close(train(losses={"recon": loss}).population, trained().population, 0.0)
