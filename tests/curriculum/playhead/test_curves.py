import pytest

from latent_anchors.curriculum import Keyframe, Track
from latent_anchors.curriculum._playhead._curves import Planned
from latent_anchors.transitions import step_end


@pytest.mark.parametrize("space", ["linear", "log"])
@pytest.mark.parametrize("step", [1, 2, 4, 6, 9, 11])
def test_a_planned_track_moves_by_the_derivatives_of_its_path(step, space):
    start, end, span, shift = 1.0, 3.0, 12, 7
    path = Planned(Track([Keyframe(0, start), Keyframe(span, end)], space), shift)
    change = 2.0 if space == "linear" else 1.0986122886681098
    tau = step / span
    velocity, acceleration = path.motion(step + shift)
    assert velocity == pytest.approx(change / span * 30 * tau**2 * (1 - tau) ** 2, rel=1e-6)
    bend = 60 * tau * (1 - tau) * (1 - 2 * tau)
    assert acceleration == pytest.approx(change / span**2 * bend, rel=1e-4, abs=1e-9)


@pytest.mark.parametrize("at", [0, 5, 20])
def test_before_its_first_key_between_jumps_and_after_its_last_key_it_rests(at):
    track = Track([Keyframe(3, 1.0, step_end), Keyframe(9, 2.0)])
    assert Planned(track).motion(at) == (0.0, 0.0)
