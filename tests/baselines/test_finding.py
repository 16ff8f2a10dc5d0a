import pytest
import torch
from baselines import problem
from baselines.problem import BATCH, LABEL, X
from refusals import refuses, unchecked

import latent_anchors as la
from latent_anchors import baselines
from latent_anchors.data import LabeledBatch


@pytest.mark.parametrize("method", ["mean_difference", "logistic_probe", "leace"])
def test_it_is_what_the_function_finds_on_the_latents_of_all_batches(method):
    halves = [LabeledBatch(X[k::2], {"first": LABEL[k::2]}) for k in range(2)]
    member = baselines.Finding(method, at="0")
    model = problem.start(member)
    placed = member.fit(model, problem.task(2, batches=lambda step: halves[step]))
    with la.record(model, "0") as z:
        model(X)
    expected = getattr(baselines, method)(z["0"], LABEL).edit
    torch.testing.assert_close(
        placed.edits["0"](X @ X.new_ones(6, 10)), expected(X @ X.new_ones(6, 10))
    )


def test_each_site_has_an_edit_of_its_own():
    member = baselines.Finding("leace", at=["0", "1"])
    edits = member.fit(problem.start(member), problem.task(1)).edits
    assert [edits[at].left.shape for at in ("0", "1")] == [(10, 1), (6, 1)]


def test_lines_of_different_lengths_and_padding_are_gathered():
    member, model = baselines.Finding("mean_difference", at="blocks.0"), problem.language_model()
    lines = problem.LINES.masked_fill(~problem.REAL, 0)
    labels = {"first": (torch.arange(24) % 4 == 0).float()}

    def fitted(*widths):
        batches = [
            LabeledBatch(lines[:, :w], labels, {"real": problem.REAL[:, :w]}) for w in widths
        ]
        task = problem.task(
            len(batches), loss=problem.surprise, batches=lambda step: batches[step], mask="real"
        )
        return member.fit(model, task).edits["blocks.0"].right

    assert fitted(5, 4).shape == (1, 16)
    padded = torch.nn.functional.pad(lines, (0, 2))
    batch = LabeledBatch(padded, labels, {"real": torch.nn.functional.pad(problem.REAL, (0, 2))})
    task = problem.task(1, loss=problem.surprise, batches=lambda _: batch, mask="real")
    longer = member.fit(model, task).edits["blocks.0"].right
    torch.testing.assert_close(longer, fitted(5))


def test_an_unknown_method_is_refused():
    with refuses(ValueError, "Unknown method 'lease'; .* Did you mean 'leace'"):
        baselines.Finding("lease", at="0")
    assert len(BATCH.inputs) == 96


class Drawing(torch.nn.Module):
    """Adds noise in evaluation mode, too."""

    def forward(self, x):
        return x + torch.randn_like(x)


def test_a_model_that_draws_is_looked_at_under_the_seed_of_the_task():
    model = torch.nn.Sequential(Drawing(), torch.nn.Linear(6, 6))
    state = torch.random.get_rng_state()
    member = baselines.Finding("mean_difference", at="0")
    one, two = (member.fit(model, problem.task(2)).edits["0"] for _ in range(2))
    assert torch.equal(one.left, two.left)
    assert torch.equal(torch.random.get_rng_state(), state)
    other = member.fit(model, problem.task(2, seed=1)).edits["0"]
    assert not torch.equal(one.left, other.left)


@pytest.mark.parametrize(
    "make",
    [
        lambda at: baselines.Finding("leace", at=at),
        lambda at: baselines.GradientRouting(at=at, dims=[0]),
    ],
)
def test_sites_do_not_run_out_and_there_is_one_at_least(make):
    with unchecked():
        member = make(name for name in ["0"])
    for _ in range(2):
        assert [*member.fit(problem.start(member), problem.task(2)).edits] == ["0"]
    with refuses(ValueError, "one site at least"):
        make([])


def test_labels_of_padding_are_not_looked_at():
    labels = torch.where(problem.REAL, (torch.arange(24) % 4 == 0).float()[:, None], -100.0)
    batch = LabeledBatch(problem.LINES, {"first": labels}, {"real": problem.REAL})
    task = problem.task(1, loss=problem.surprise, batches=lambda _: batch, mask="real")
    member = baselines.Finding("leace", at="blocks.0")
    found = member.fit(problem.language_model(), task).edits["blocks.0"]
    clean = LabeledBatch(problem.LINES, {"first": labels.clamp(0)}, {"real": problem.REAL})
    task = problem.task(1, loss=problem.surprise, batches=lambda _: clean, mask="real")
    expected = member.fit(problem.language_model(), task).edits["blocks.0"]
    torch.testing.assert_close(found.left, expected.left)
