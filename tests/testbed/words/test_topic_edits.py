"""Edits that mute a topic, and how wide their gates are."""

from itertools import islice

import pytest
import torch
from refusals import refuses

import latent_anchors as la
from latent_anchors import evaluation, testbed

CONCEPT = la.Concept("animal", la.axis(0, dim=96), at="model.layers.1")


@pytest.fixture(scope="module")
def words():
    return testbed.TokenizedDefinitions.of(testbed.made_up_definitions(200), held_out=40)


@pytest.fixture(scope="module")
def model(words):
    """Trained a little, so that there is something to lose."""
    model = testbed.small_llama(words, 0)
    optimizer = torch.optim.AdamW(model.parameters(), lr=3e-3)
    for batch in islice(words.drawn_batches(words.seen(), seed=0), 40):
        model(batch["input_ids"], labels=batch["labels"]).loss.backward()
        optimizer.step()
        optimizer.zero_grad()
    return model.eval()


@pytest.fixture(scope="module")
def aside(words):
    return words.labeled("animal", 0, chance=0.4, aside=True)


def loss(model, words, lines, edit=None):
    batches = [words.pad(words.samples(lines))]
    return float(testbed.topic_losses(model, batches, ["x"] * len(lines), edit).mean(["x"]))


@pytest.mark.parametrize("share", [0.25, 0.75])
def test_a_gate_by_share_is_open_at_that_share_of_labeled_positions(words, model, aside, share):
    edit = testbed.edit_by_share(model, words, CONCEPT, aside, share)
    latents, behind = testbed.word_latents(model, words, aside, CONCEPT.at)
    needed = evaluation.opening_angles(evaluation.alignment(latents, CONCEPT.direction), behind)
    width = edit.keywords["degrees"]
    narrower, wider = (float((needed[behind] <= width + d).float().mean()) for d in (-1e-3, 1e-3))
    assert narrower <= share <= wider  # many of these lines are alike
    assert wider - narrower < 0.2


def test_an_edit_turns_over_what_points_along_the_axis_behind_the_colon(words, model):
    batch = words.pad(words.samples([0, 1]))
    with la.record(model, CONCEPT.at) as z:
        model(batch["input_ids"])
    with testbed.topic_edit(CONCEPT, 180)(model, batch), la.record(model, CONCEPT.at) as edited:
        model(batch["input_ids"])
    before, after = z[CONCEPT.at], edited[CONCEPT.at]
    turned = batch["behind"] & (before[..., 0] > 0)
    assert 0 < turned.sum() < batch["behind"].sum()
    torch.testing.assert_close(after[..., 0][turned], -8 * before[..., 0][turned])
    assert torch.equal(after[~turned], before[~turned])
    torch.testing.assert_close(after[..., 1:], before[..., 1:])


@pytest.mark.parametrize("part", [0.2, 0.6])
def test_lines_put_aside_lose_what_was_asked_for(words, model, aside, part):
    free, most = (
        loss(model, words, aside, edit) for edit in (None, testbed.topic_edit(CONCEPT, 180))
    )
    lost = part * (most - free)
    edit = testbed.edit_by_loss(model, words, CONCEPT, aside, lost)
    found = loss(model, words, aside, edit) - free
    narrower = testbed.topic_edit(CONCEPT, edit.keywords["degrees"] - 0.1)
    assert lost <= found
    assert loss(model, words, aside, narrower) - free < lost


def test_more_than_an_open_gate_takes_is_refused(words, model, aside):
    with refuses(ValueError, r"'animal' lose less than 50 nats.*Train longer"):
        testbed.edit_by_loss(model, words, CONCEPT, aside, lost=50)


@pytest.mark.parametrize("lost", [0, -1.0, float("nan")])
def test_what_is_to_be_lost_is_above_0(words, model, aside, lost):
    with refuses(ValueError, f"lost is {lost}.* above 0"):
        testbed.edit_by_loss(model, words, CONCEPT, aside, lost)


def test_a_model_that_failed_has_no_expected_lack(words, aside):
    for name in ("model.norm.weight", "model.layers.0.mlp.down_proj.weight"):
        broken = testbed.small_llama(words, 0).eval()
        with torch.no_grad():
            broken.get_parameter(name).fill_(torch.nan)
        assert bool(testbed.expected_lack(broken, words, CONCEPT, aside).isnan())


def onto_the_axis(words, topic):
    """A hook that lays the lines of a topic on the axis after the second block."""
    known = {tuple(words.ids[k].tolist()): each for k, each in enumerate(words.lines.topics)}

    def moved(module, inputs, output):
        del module, inputs
        states = output.clone()
        states[:, :, 0] = torch.where(moved.lines, 1e3, -1e3)[:, None]
        return states

    def before(module, args, kwargs):
        del module
        ids = args[0] if args else kwargs["input_ids"]
        rows = [tuple(int(k) for k in row if k) for row in ids]
        moved.lines = torch.tensor([known[row] == topic for row in rows])

    return before, moved


def knows_all(module, args, kwargs, output):
    """A hook after which each next token is certain."""
    ids = args[0] if args else kwargs["input_ids"]
    size = module.config.vocab_size
    return type(output)(logits=50.0 * torch.nn.functional.one_hot(ids.roll(-1, 1), size))


@pytest.mark.parametrize("learned", [True, False])
def test_the_expected_lack_is_what_bigrams_without_the_topic_lose_above_all_or_the_model(
    words, aside, learned
):
    model = testbed.small_llama(words, 0).eval()
    before, moved = onto_the_axis(words, "animal")
    model.register_forward_pre_hook(before, with_kwargs=True)
    model.model.layers[1].register_forward_hook(moved)
    if learned:
        model.register_forward_hook(knows_all, with_kwargs=True)
    rest = [k for k in words.seen() if k not in aside]
    others = [k for k in rest if words.lines.topics[k] != "animal"]
    asked, seen, left = ([words.ids[k] for k in some] for some in (aside, rest, others))
    size = words.tokenizer.get_vocab_size()
    by_all, by_others = (float(testbed.Bigrams.of(some, size).loss(asked)) for some in (seen, left))
    assert by_others > by_all + 0.2
    assert (loss(model, words, aside) < by_all) == learned
    found = float(testbed.expected_lack(model, words, CONCEPT, aside))
    known = by_all if learned else loss(model, words, aside)
    assert found == pytest.approx(by_others - known, abs=0.05 * (by_others - by_all))
