import pytest
from refusals import refuses

from latent_anchors.curriculum import Phase


@pytest.mark.parametrize(("start", "error"), [(-1, ValueError), (0.5, TypeError)])
def test_a_phase_starts_at_a_whole_step_that_is_not_negative(start, error):
    with refuses(error, f"The start of phase 'hues' is {start}"):
        Phase("hues", start)


def test_a_phase_has_a_name():
    with refuses(ValueError, "The phase at step 4 has no name"):
        Phase("", 4)
