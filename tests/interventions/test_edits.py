import math

import pytest
import torch
from refusals import refuses

from latent_anchors.interventions import Suppression

Z = torch.tensor([[3.0, 4.0], [-3.0, 4.0]])


def test_at_another_strength_is_another_edit_and_the_first_stays():
    mute = Suppression([1.0, 0.0], strength=1.0)
    half = mute.at(0.5)
    assert half(Z).tolist() == [[1.5, 4.0], [-3.0, 4.0]]
    assert mute(Z).tolist() == [[0.0, 4.0], [-3.0, 4.0]]
    assert mute.strength == 1


def test_a_strength_written_in_place_acts_at_once():
    mute = Suppression([1.0, 0.0])
    mute.strength.fill_(0.0)
    assert torch.equal(mute(Z), Z)


def test_a_strength_is_saved_with_the_edit():
    mute, other = Suppression([1.0, 0.0], strength=0.25), Suppression([0.0, 1.0])
    other.load_state_dict(mute.state_dict())
    assert torch.equal(other(Z), mute(Z))


def test_then_is_one_edit_after_the_other():
    first, second = Suppression([1.0, 0.0]), Suppression([1.0, 1.0])
    torch.testing.assert_close(first.then(second)(Z), second(first(Z)))
    assert not torch.allclose(first.then(second)(Z), second.then(first)(Z))


@pytest.mark.parametrize("strength", [-0.1, 1.1, math.nan])
def test_strengths_outside_of_0_to_1_are_refused(strength):
    with refuses(ValueError, "strength is .*; expected a number from 0.0 to 1.0"):
        Suppression([1.0, 0.0]).at(strength)
