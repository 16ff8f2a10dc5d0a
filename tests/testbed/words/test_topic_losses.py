import itertools
from contextlib import contextmanager
from dataclasses import replace
from types import SimpleNamespace

import pytest
import torch
from refusals import refuses
from torch import nn

from latent_anchors import testbed
from latent_anchors.audits import Relearning
from latent_anchors.evaluation import Evaluation
from latent_anchors.testbed import TopicLosses

TOPICS = ("animal", "food", "plant", "act", "animal")
IDS = torch.tensor([[1, 2, 3, 4], [1, 5, 6, 0], [1, 2, 0, 0], [1, 7, 7, 7], [1, 3, 2, 0]])
BATCHES = [
    {"input_ids": part, "labels": part.masked_fill(part == 0, -100)} for part in IDS.split(2)
]


class Bigrams(nn.Module):
    """Logits of the next token that depend on this one alone."""

    def __init__(self, seed):
        super().__init__()
        generator = torch.Generator().manual_seed(seed)
        self.table = nn.Parameter(torch.randn(8, 8, generator=generator))

    def forward(self, ids):
        return SimpleNamespace(logits=self.table[ids])


@contextmanager
def sharper(model, batch):
    assert set(batch) == {"input_ids", "labels"}
    with torch.no_grad():
        model.table.mul_(2)
    yield
    with torch.no_grad():
        model.table.div_(2)


def test_losses_are_those_of_each_token_but_padding():
    model = Bigrams(0)
    found = testbed.topic_losses(model, BATCHES, TOPICS)
    chances = model.table.log_softmax(-1)
    by_hand = [
        -sum(chances[a, b] for a, b in itertools.pairwise(line) if b) for line in IDS.tolist()
    ]
    torch.testing.assert_close(found.summed, torch.stack(by_hand).detach())
    assert found.tokens.tolist() == [3, 2, 1, 3, 2]
    mean = (found.summed[0] + found.summed[4]) / 5
    torch.testing.assert_close(found.mean(["animal"]), mean)
    assert found.groups("animal")["other"] == found.mean(["act"])


def test_a_name_is_no_collection_of_topics():
    losses = TopicLosses(torch.tensor([1.0, 9.0]), torch.tensor([1, 1]), ("artifact", "act"))
    assert losses.mean(["artifact"]).item() == 1.0
    with refuses(TypeError, "some is 'artifact'; expected names of topics"):
        losses.mean("artifact")


def test_losses_of_a_model_in_half_precision_are_those_of_its_logits():
    model = Bigrams(0).bfloat16()
    found = testbed.topic_losses(model, BATCHES, TOPICS)
    expected = testbed.topic_losses(model.float(), BATCHES, TOPICS)
    torch.testing.assert_close(found.summed, expected.summed)


def test_an_edit_is_in_force_for_each_batch_and_gone_after_it():
    model = Bigrams(0)
    plain = testbed.topic_losses(model, BATCHES, TOPICS)
    edited = testbed.topic_losses(model, BATCHES, TOPICS, sharper)
    with sharper(model, BATCHES[0]):
        expected = testbed.topic_losses(model, BATCHES, TOPICS)
    torch.testing.assert_close(edited.summed, expected.summed)
    assert torch.equal(testbed.topic_losses(model, BATCHES, TOPICS).summed, plain.summed)


def study(seed=0):
    edits = {"none": lambda *_: torch.no_grad(), "sharper": sharper}
    oracle, plain = (testbed.topic_losses(Bigrams(k), BATCHES, TOPICS) for k in (7, seed))
    return testbed.TopicStudy.of("animal", Bigrams(seed), oracle, BATCHES, edits, plain)


def test_forgetting_is_0_for_the_model_itself_and_1_for_the_oracle():
    found = study().curves()
    assert [float(curve[0]) for name, curve in found.items() if name != "adjacent"] == [0, 0]
    oracle = testbed.TopicStudy("animal", study().whole, study().oracle, {"it": study().oracle})
    assert oracle.curves()["forgetting"].item() == pytest.approx(1)
    assert oracle.curves()["adjacent"].item() == 0


def test_a_language_has_no_adjacent_topics_and_no_measure_of_them():
    one = testbed.TopicLosses(
        torch.tensor([4.0, 2.0]), torch.ones(2, dtype=torch.int), ("german", "english")
    )
    study = testbed.TopicStudy("german", one, one, {"x": one})
    assert [*one.groups("german").values()] == [4.0, 2.0]
    assert [*study.curves()] == ["forgetting", "other"]
    assert [*testbed.costs_at({"ours": [study]})] == ["cost/other/ours"]


def test_measures_of_one_edit_stand_beside_those_of_all():
    found = study().measures("sharper")
    assert found["forgetting"] == found["forgetting/sharper"] != found["forgetting/none"]
    assert found["price"] == 0
    whole = study().whole
    assert "price" not in testbed.TopicStudy("animal", whole, whole, {"x": whole}).measures("x")


def test_studies_are_joined_run_by_run_with_the_topics_by_what_the_oracle_lacks():
    runs = [study(0), study(1), study(2)]
    measures, curves, rises = testbed.join_studies(runs, "sharper")
    for k, one in enumerate(runs):
        assert measures["other"][k] == one.measures("sharper")["other"]
        assert torch.equal(curves["other"][:, k], one.curves()["other"])
        assert torch.equal(rises["act"][:, k], one.rises("sharper")["act"])
    assert [len(each["other"]) for each in testbed.join_studies(runs[:1], "none")[:2]] == [1, 2]
    never = [float(rise[1].mean()) for rise in rises.values()]
    assert never == sorted(never, reverse=True)
    assert set(rises) == set(TOPICS)


def test_between_two_edits_cost_and_forgetting_lie_on_the_line_that_joins_them():
    counts = torch.ones(4, dtype=torch.int)

    def losses(*summed):
        return testbed.TopicLosses(torch.tensor(summed), counts, ("animal", "food", "plant", "act"))

    whole, oracle = losses(4.0, 4.0, 4.0, 4.0), losses(5.0, 4.0, 4.0, 4.0)
    edits = {"weak": losses(4.5, 4.0, 4.0, 4.0), "strong": losses(6.0, 4.75, 4.0, 4.3)}
    study = testbed.TopicStudy("animal", whole, oracle, edits)
    costs = testbed.costs_at({"ours": [study, study]}, 1.0)
    assert costs["cost/adjacent/ours"].tolist() == pytest.approx([0.375 / 3] * 2)
    assert costs["cost/other/ours"].tolist() == pytest.approx([0.1, 0.1])
    assert float(testbed.costs_at({"ours": [study]}, 0.25)["cost/other/ours"]) == 0.0
    assert bool(testbed.costs_at({"ours": [study]}, 2.5)["cost/other/ours"].isnan())
    found = testbed.forgetting_at({"ours": [study, study]}, 0.15)
    assert found["forgetting_at_0.15/ours"].tolist() == pytest.approx([1.25, 1.25])
    assert float(testbed.forgetting_at({"ours": [study]}, 1.0)["forgetting_at_1/ours"]) == 2.0
    removal, collateral = testbed.frontier_of({"ours": [study, study]})["ours"]
    assert removal[:, 0].tolist() == [0.0, 0.5, 2.0]
    assert collateral[:, 1].tolist() == pytest.approx([0.0, 0.0, 0.3])


def audit(steps, ratio):
    found = Evaluation({"relearning/ratio": torch.tensor([ratio])})
    curve = torch.arange(float(steps)).unsqueeze(1)
    return Relearning((0,), 9.0, found, {"edited": curve}, {})


def test_audits_of_single_runs_are_joined_and_a_curve_lasts_until_the_longest():
    measures, curves = testbed.join_audits([audit(3, 0.5), audit(5, 2.0)])
    assert measures["relearning/ratio"].tolist() == [0.5, 2.0]
    assert curves["edited"].tolist() == [[0, 1, 2, 2, 2], [0, 1, 2, 3, 4]]
    measures, curves = testbed.join_audits([audit(3, 0.5)])
    assert measures["relearning/ratio"].tolist() == [0.5]
    assert curves["edited"].tolist() == [[0, 1, 2]]


def test_studies_and_audits_that_are_not_alike_are_joined_by_nobody():
    losses = testbed.topic_losses(Bigrams(0), BATCHES, TOPICS)
    edits = {"a": losses, "b": losses}
    study = testbed.TopicStudy("animal", losses, losses, edits)
    turned = testbed.TopicStudy("animal", losses, losses, dict(reversed(edits.items())))
    other = testbed.TopicStudy("plant", losses, losses, edits)
    for each in (turned, other):
        with refuses(ValueError, "The studies hold 'animal', 'a', 'b', and one"):
            testbed.join_studies([study, each], "a")
        with refuses(ValueError, "The studies hold 'animal', 'a', 'b', and one"):
            testbed.frontier_of({"ours": [study, each]})
    with refuses(ValueError, "The studies are none"):
        testbed.join_studies([], "a")
    with_control = replace(audit(3, 0.5), found=Evaluation({"relearning/control": torch.ones(1)}))
    with refuses(ValueError, "The audits hold 'relearning/ratio'"):
        testbed.join_audits([audit(3, 0.5), with_control])


class Noisy(Bigrams):
    """Another table at each pass in training mode."""

    def forward(self, ids):
        table = self.table + torch.randn(8, 8) * self.training
        return SimpleNamespace(logits=table[ids])


def test_losses_are_taken_in_evaluation_mode_and_the_mode_comes_back():
    model = Noisy(0).train()
    one, other = (testbed.topic_losses(model, BATCHES, TOPICS).summed for _ in range(2))
    assert torch.equal(one, other)
    assert model.training
