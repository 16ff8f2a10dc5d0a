import pytest
import torch

from latent_anchors.interventions import Suppression, attach, constant_falloff
from latent_anchors.models import SphericalAutoencoder

pytestmark = [
    pytest.mark.compiled,
    pytest.mark.filterwarnings("ignore:`torch.jit:DeprecationWarning"),  # of torch's own compiler
]


def test_an_edit_attached_first_acts_in_the_compiled_model_and_so_does_its_strength(generator):
    model, colors = SphericalAutoencoder(), torch.rand(8, 3, generator=generator)
    mute = Suppression([1.0, 0.0, 0.0, 0.0], constant_falloff)
    z = model.latent(model.encoder(colors))
    attach(model, mute)
    compiled = torch.compile(model, backend="aot_eager")
    for strength in (1.0, 0.5, 0.0, 1.0):
        mute.strength.fill_(strength)
        expected = model.decoder(mute(z))
        torch.testing.assert_close(compiled(colors), expected)
