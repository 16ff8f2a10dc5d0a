import math
from functools import cache

import torch
from refusals import refuses
from testbed.pictures.squares import squares

import latent_anchors as la
from latent_anchors import curriculum, data, testbed
from latent_anchors.models import PatchAutoencoder, record
from latent_anchors.testbed import Places

SITE = la.Site("latent", axis=1)
RED = la.Concept("red", la.axis(0, dim=6), at=SITE)
PLACES = Places(squares(*range(0, 360, 15)))
LABELED = PLACES.near("red", degrees=12)
GATE = 72
"""Degrees, between those within which red may lie and those beyond which others may."""


def network():
    return PatchAutoencoder(latent_dim=6, hidden=8)


@cache
def trained():
    """One network; tests leave it as it is."""
    fitted = la.fit(
        network,
        testbed.place_objective(RED),
        curriculum.stretch(curriculum.read_dopesheet(testbed.PLACE_SHEET).timeline(), 1200),
        testbed.place_sampler(PLACES, "red", LABELED),
        losses=testbed.place_losses(RED, PLACES),
        steps=300,
        progress=False,
        **testbed.place_options(),
    )
    return fitted.population[0].eval()


def test_places_of_the_hue_are_labeled_now_and_then_and_no_others():
    labels = testbed.place_sampler(PLACES, "red", LABELED).block(seed=0, index=0)
    red = (labels.inputs[..., :4, :4] == PLACES.pictures[0, :, :4, :4]).flatten(2).all(-1)
    given = labels.labels["red"]
    assert not given[~red].any()
    assert not given.flatten(2)[..., 1:].any()
    assert 0.2 < given[red][:, 0, 0].mean() < 0.4
    assert labels.extras["colored"].shape == given.shape


def test_there_is_one_choice_for_each_place():
    with refuses(ValueError, r"have shape \(24,\); expected \(24, 2, 2\)"):
        testbed.place_sampler(PLACES, "red", LABELED[:, 0, 0])


def test_all_places_are_kept_off_or_those_of_a_mask():
    (_, some), (_, every) = (testbed.place_objective(RED, mask=m).terms for m in ("colored", None))
    assert (some.mask, every.mask) == ("colored", None)


def test_red_comes_to_lie_near_its_axis_and_the_rest_away_from_it():
    model = trained()
    with record(model, SITE) as latents:
        model(PLACES.pictures)
    cosines = latents[SITE][:, 0, 0, 0]
    assert cosines[0] > math.cos(math.radians(GATE)) > cosines[2:-1].max()


def test_muted_red_says_gray_and_the_rest_what_it_said():
    model = trained()
    before = model(PLACES.pictures)
    with RED.muted(model, within=GATE, how="redirect"):
        after = model(PLACES.pictures)
    assert (after[0, :, :4, :4] - 0.5).abs().max() < 0.2
    assert torch.equal(after[2:-1], before[2:-1])


def healing_sampler():
    """The first place of the first picture is near the axis, that of the second in between."""
    degrees = torch.full_like(PLACES.chroma, 100.0)
    degrees[0, 0, 0], degrees[1, 0, 0] = GATE - 5, GATE + 5
    return testbed.place_healing_sampler(PLACES, degrees, width=GATE)


def test_healing_teaches_gray_near_the_axis_and_the_picture_elsewhere():
    again = healing_sampler()
    target = PLACES.pictures.clone()
    target[0, :, :4, :4] = 0.5
    assert torch.equal(again.extras["target"], target)
    assert again.weights.tolist() == [2.0] + [1.0] * (len(PLACES.pictures) - 1)
    assert not again.labels


def test_in_healing_what_lies_in_between_counts_for_nothing():
    again = healing_sampler()
    batch = data.LabeledBatch(PLACES.pictures, extras=again.extras)

    def loss(rows: slice, columns: slice) -> torch.Tensor:
        drawn = again.extras["target"].clone()
        drawn[:, :, rows, columns] += 1.0
        return testbed.place_healing_loss(lambda _: (drawn, {}), batch)

    assert loss(slice(0, 4), slice(0, 4)).tolist() == [0.25, 0.0] + [0.25] * (
        len(PLACES.pictures) - 2
    )
    assert (loss(slice(0, 4), slice(4, 8)) == 0.25).all()
