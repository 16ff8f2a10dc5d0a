import torch
from refusals import refuses
from testbed.pictures.squares import squares

from latent_anchors.testbed import Places, evaluate_places, place_sweep

PLACES = Places(squares(0, 10, 120, 180))
GROUPS = {"red": PLACES.near("red"), "far": PLACES.away_from("red")}


def outputs():
    """Of two runs: exact, and with red muted to mid-gray in the second run alone."""
    base = PLACES.pictures.expand(2, -1, -1, -1, -1).clone()
    muted = base.clone()
    muted[1, :2, :, :4, :4] = 0.5
    return {"baseline": base, "muted": muted}


def test_what_is_muted_has_the_error_of_gray_and_the_rest_none():
    found = evaluate_places(PLACES, outputs(), GROUPS)
    gray = found["error/gray/red"]
    assert found["error/muted/red"].tolist() == [0.0, gray[1]]
    assert found["touched/muted/red"].tolist() == found["to_gray/muted"].tolist() == [0.0, 1.0]
    assert found["error/muted/far"].tolist() == found["touched/muted/far"].tolist() == [0.0, 0.0]
    assert found["touched/muted/all"].tolist() == [0.0, 2 / 16]


def test_one_changed_pixel_is_a_touched_place():
    said = outputs()
    said["muted"][0, 2, 1, 3, 3] += 1e-6
    assert evaluate_places(PLACES, said, GROUPS)["touched/muted/far"].tolist() == [0.5, 0.0]


def test_reconstruction_is_compared_with_that_of_plain_networks():
    said = {"baseline": outputs()["baseline"] + 0.2, "plain": outputs()["baseline"] + 0.1}
    ratio = evaluate_places(PLACES, said, GROUPS)["reconstruction/ratio"]
    torch.testing.assert_close(ratio, torch.tensor([4.0, 4.0]))
    assert "reconstruction/ratio" not in evaluate_places(PLACES, outputs(), GROUPS)


def test_errors_by_hue_are_those_of_the_nearest_bin():
    hues, errors = place_sweep(PLACES, outputs(), bins=12)
    assert (12 * hues).round().tolist() == [0, 4, 6]
    gray = (PLACES.colors[:2, 0, 0] - 0.5).square().mean()
    torch.testing.assert_close(errors["muted"], torch.tensor([[0.0, 0, 0], [float(gray), 0, 0]]))
    with refuses(ValueError, "bins is 0; expected at least 1"):
        place_sweep(PLACES, outputs(), bins=0)


def test_a_group_without_a_place_has_no_errors_to_give():
    none = {**GROUPS, "pale": PLACES.chroma < 0}
    with refuses(ValueError, r"without any place are \['pale'\] of \['red', 'far', 'pale'\]"):
        evaluate_places(PLACES, outputs(), none)
    with refuses(ValueError, r"without any place are \[\] of \[\]; expected the concept"):
        evaluate_places(PLACES, outputs(), {})
