import pytest
import torch
from baselines import problem
from baselines.problem import BATCH, LABEL, X
from refusals import refuses

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
