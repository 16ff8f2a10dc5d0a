import torch
from refusals import refuses
from torch import nn

from latent_anchors.data import LabeledBatch
from latent_anchors.models import SphericalAutoencoder
from latent_anchors.training import Forward, Loss, reconstruction
from latent_anchors.training._losses.forward import OneRun


def counted_run():
    """A pure forward pass, and how often the model ran in it."""
    model, calls = SphericalAutoencoder(hidden=4), []
    model.register_forward_pre_hook(lambda *_: calls.append(1))
    return OneRun(model, dict(model.named_parameters()), ("latent",)), calls


def test_reconstruction_is_the_mean_squared_error_of_each_sample():
    def halved(inputs):
        return inputs / 2, {}

    errors = reconstruction(halved, LabeledBatch(torch.tensor([[0.0, 0.0], [2.0, 4.0]])))
    assert errors.tolist() == [0.0, (1 + 4) / 2]


def test_functions_keep_to_their_families():
    forward, _ = counted_run()
    assert isinstance(forward, Forward)
    assert isinstance(reconstruction, Loss)


def test_the_plain_pass_on_a_batch_is_made_once():
    forward, calls = counted_run()
    inputs = torch.rand(5, 3)
    first, again = forward(inputs), forward(inputs)
    assert first[0] is again[0]
    assert len(calls) == 1
    forward(torch.rand(5, 3))
    assert len(calls) == 2


def test_an_edited_pass_is_made_anew_and_is_not_kept():
    forward, _ = counted_run()
    inputs = torch.rand(5, 3)
    plain, latents = forward(inputs)
    edited, mirrored = forward(inputs, {"latent": torch.neg})
    assert torch.equal(mirrored["latent"], -latents["latent"])
    assert not torch.equal(edited, plain)
    assert forward(inputs)[0] is plain


def test_parameters_are_those_that_were_given():
    model = nn.Sequential(nn.Linear(2, 2, bias=False))
    output, _ = OneRun(model, {"0.weight": 3 * torch.eye(2)}, ())(torch.ones(2))
    assert output.tolist() == [3.0, 3.0]


def test_edits_stand_at_sites():
    forward, _ = counted_run()
    with refuses(
        TypeError, r"edits of type builtin_function_or_method; .*edits=\{'latent': edit\}"
    ):
        forward(torch.rand(5, 3), torch.neg)
