"""What must hold of sixty wheels that unfold."""

from evidence.results import metrics


def test_hardly_any_wheel_crumples_whether_its_hues_are_captured_or_given():
    found = metrics("smooth_curriculum")
    for variant in ("captured", "given"):
        assert sum(found[f"crumpled/{variant}/end"]["per_seed"]) < 0.05 * 60
        assert sum(found[f"disordered/{variant}/first_phase"]["per_seed"]) <= 3
