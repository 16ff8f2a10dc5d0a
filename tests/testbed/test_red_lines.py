import pytest
import torch
from refusals import refuses

from latent_anchors import colorspace, testbed

LANGUAGE = testbed.MixingLanguage(levels=5)
SPLIT = LANGUAGE.split(seed=0, held_out=0.2, always=[("red", "blue")])


def test_red_is_labeled_most_often_and_cyan_never():
    chance = testbed.red_chance(LANGUAGE)
    assert chance.argmax() == LANGUAGE.token("red")
    assert chance[LANGUAGE.token("cyan")] == 0


def test_terms_share_the_axis_and_name_their_own_tracks():
    terms = testbed.red_terms(["embedding", "blocks.0", "blocks.1"], torch.eye(8)[0])
    assert [term.track for term in terms] == [term.name for term in terms]
    on_axis = torch.eye(8)[:1]
    assert [term.penalty(on_axis).item() for term in terms] == [0, 1, 1, 1]


def test_a_line_is_labeled_with_the_chance_of_either_color():
    pairs = torch.stack([LANGUAGE.encode(text) for text in ("red red", "red cyan", "cyan blue")])
    labels = testbed.red_sampler(LANGUAGE, pairs, batch_size=2).labels["red"].probability
    assert labels.tolist() == pytest.approx([1 - 0.7**2, 0.3, 0.0])
    fewer = testbed.red_sampler(LANGUAGE, pairs, batch_size=2, rate=0.01).labels["red"].probability
    assert fewer.tolist() == pytest.approx([0.01 * (1 - 0.7**2), 0.003, 0.0])
    with refuses(ValueError, match=r"rate is 0; expected"):
        testbed.red_sampler(LANGUAGE, pairs, batch_size=2, rate=0)


def test_redness_is_the_degree_of_the_hue():
    expected = colorspace.hue_degree(LANGUAGE.colors, 0.0)
    assert torch.equal(testbed.redness(LANGUAGE), expected)


def test_groups_are_those_of_the_redder_color():
    groups = testbed.red_groups(LANGUAGE, SPLIT)
    degree = testbed.redness(LANGUAGE)
    reddest = {name: degree[pairs].amax(-1) for name, pairs in groups.items()}
    assert reddest["red"].min() > 0.8
    assert reddest["without_red"].max() < 0.2
    assert (reddest["pure_red"] == 1).all()
    assert len(groups["red_seen"]) + len(groups["red_held_out"]) == len(groups["red"])
    assert torch.equal(groups["held_out"], SPLIT.held_out)
    assert all(len(groups[name]) == 1 for name in ("red_and_blue", "green_and_blue"))


def test_answers_that_were_wrong_before_do_not_count():
    degree = torch.linspace(0, 1, 200)
    after = degree[None] < 0.5
    before = torch.ones(1, 200).bool()
    assert testbed.falls_with_degree(before, after, degree).tolist() == [True]
    rising = degree[None] > 0.5
    assert testbed.falls_with_degree(rising | before, rising, degree).tolist() == [False]
    nothing = torch.zeros_like(before)
    for was, kept in ((rising, rising), (before, before), (before, nothing), (nothing, nothing)):
        assert testbed.falls_with_degree(was, kept, degree).tolist() == [False]


def test_shares_are_those_of_the_lines_at_each_tenth():
    degree = torch.tensor([0.0, 0.02, 0.5, 1.0])
    right = {"plain": torch.tensor([[True, False, True, True], [True, True, False, False]])}
    tenths, shares = testbed.exact_by_degree(right, degree)
    assert tenths == ["0", "0.5", "1"]
    assert shares["plain"].tolist() == [[0.5, 1.0], [1.0, 0.0], [1.0, 0.0]]
