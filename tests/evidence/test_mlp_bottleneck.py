"""What must hold of sixty seeds of a latent circle, none left out."""

from evidence.results import metrics


def test_every_seed_finds_the_wheel_with_a_gap_where_hues_were_held_out():
    found = metrics("mlp_bottleneck")
    assert found["disordered/shown"]["max"] == 0
    assert found["gap/at_band"]["mean"] == 1
    assert found["gap/band"]["min"] >= 60
    assert found["gap/band"]["n"] == 60
