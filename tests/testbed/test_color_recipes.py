import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from latent_anchors import colorspace, curriculum, data, interventions, testbed, training
from latent_anchors.models import Population, SphericalAutoencoder


def label_chance(sampler, label, color):
    row = (sampler.inputs == colorspace.named_colors(color)).all(-1)
    return sampler.labels[label].probability[row].item()


@pytest.mark.parametrize("concept", colorspace.HUES)
def test_the_tracks_of_the_sheet_are_those_that_the_objective_reads(concept):
    tracks = curriculum.read_dopesheet(testbed.POLE_SHEET).timeline().names
    testbed.pole_objective(concept).check_tracks(tracks)
    assert set(testbed.pole_losses()) == set(testbed.pole_objective(concept).losses)


def test_labels_follow_the_hue_and_its_opposite():
    sampler = testbed.pole_sampler("red")
    assert label_chance(sampler, "red", "red") == pytest.approx(0.24)
    assert label_chance(sampler, "opposite", "cyan") == pytest.approx(0.24)
    assert label_chance(sampler, "red", "cyan") == label_chance(sampler, "vibrant", "black") == 0
    assert label_chance(sampler, "gray", "white") == pytest.approx(0.02)


def test_fewer_than_two_samples_in_a_thousand_are_labeled_with_the_hue():
    sampler = testbed.pole_sampler("red")
    assert 0.001 < sampler.labels["red"].probability.mean() < 0.002


def test_where_muting_leads_networks_are_to_say_gray():
    fallback, batch = testbed.pole_losses(3)["fallback"], data.LabeledBatch(torch.rand(5, 3))

    def says(offset):
        def forward(inputs, edits):
            return edits["latent"](7.0 * torch.ones(len(inputs), 3)) + offset, {}

        return fallback(forward, batch).tolist()

    assert (says(0.5), says(0.75), says(0.0)) == ([0.0], [0.0625], [0.25])


@given(degrees=st.floats(1, 30))
def test_networks_are_kept_from_laying_colors_a_few_degrees_apart(degrees):
    apart = math.radians(degrees)
    latents = torch.tensor([[1.0, 0.0], [math.cos(apart), math.sin(apart)]], dtype=torch.float64)
    term = next(term for term in testbed.pole_objective("red").terms if term.name == "separate")
    half_angle = math.cos(apart / 2) ** 200  # (1 + cos) / 2 is the square of the half angle's
    assert term.penalty(latents).tolist() == pytest.approx([half_angle] * 2, rel=1e-4)


@pytest.mark.parametrize(
    "make",
    [lambda: testbed.pole_sampler("red"), testbed.few_labels_sampler],
    ids=["pole", "few labels"],
)
def test_a_step_sees_sixty_four_colors(make):
    assert make().batch(seed=0, step=3).inputs.shape == (64, 3)


def test_healing_is_repeatable_and_leaves_the_cut_networks_alone():
    whole = Population.make(SphericalAutoencoder, seeds=[0, 1])
    cut = interventions.prune(whole, [0])
    before = {name: tensor.clone() for name, tensor in cut.tensors().items()}
    teacher = training.Teacher(whole, interventions.Suppression([1.0, 0.0, 0.0, 0.0]))
    first, second = (testbed.heal(cut, teacher, steps=3).population.tensors() for _ in range(2))
    assert all(torch.equal(first[name], second[name]) for name in first)
    assert all(torch.equal(before[name], tensor) for name, tensor in cut.tensors().items())
    assert any(not torch.equal(first[name], before[name]) for name in first)


def test_the_healing_sheet_weighs_both_losses():
    names = curriculum.read_dopesheet(testbed.HEALING_SHEET).timeline().names
    assert set(names) == {"lr", "imitate", "collapse"}


def test_at_the_full_rate_pure_colors_are_labeled_every_other_time():
    sampler = testbed.few_labels_sampler()
    assert label_chance(sampler, "red", "red") == pytest.approx(0.5)
    assert 1 / label_chance(sampler, "red", "orange") == pytest.approx(36, abs=0.6)
    for hue in colorspace.HUES:
        assert label_chance(sampler, "vivid", hue) == pytest.approx(0.5)


def test_at_a_lower_rate_labels_are_some_of_those_at_a_higher_one():
    few, more = (testbed.few_labels_sampler(rate) for rate in (1 / 16, 1 / 4))
    for step in range(200):
        a, b = few.batch(seed=0, step=step), more.batch(seed=0, step=step)
        assert torch.equal(a.inputs, b.inputs)
        assert (a.labels["vivid"] <= b.labels["vivid"]).all()
    assert few.labels["red"].probability.max() == 1 / 32
