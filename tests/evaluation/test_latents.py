import torch
from refusals import refuses
from testbed.colors.stubs import Broken
from torch import nn

from latent_anchors import intervene
from latent_anchors.colorspace import rgb_grid
from latent_anchors.evaluation import latents, latents_by_site, predictions
from latent_anchors.models import Population, SphericalAutoencoder

IDENTITY = Broken(torch.empty(0, 3))


class TestLatents:
    def test_have_an_axis_of_runs(self):
        models = [SphericalAutoencoder(hidden=4) for _ in range(2)]
        population = Population.from_models(models)
        assert latents(models[0], rgb_grid(2)).shape == (1, 8, 4)
        each = torch.cat([latents(model, rgb_grid(2)) for model in models])
        torch.testing.assert_close(latents(population, rgb_grid(2)), each)

    def test_are_read_at_any_site_in_evaluation_mode_without_gradient(self):
        model = SphericalAutoencoder(hidden=4)
        z = latents(model, rgb_grid(2), at="encoder")
        assert z.shape == (1, 8, 4)
        assert not z.requires_grad
        assert model.training

    def test_of_a_model_without_parameters_are_read_too(self):
        model = torch.nn.Sequential(torch.nn.Identity())
        assert torch.equal(latents(model, rgb_grid(2), at="0")[0], rgb_grid(2))

    def test_inputs_take_the_type_of_the_first_weights_that_are_no_whole_numbers(self):
        model = torch.nn.Sequential(torch.nn.Linear(3, 2).double())
        model.register_parameter("calls", torch.nn.Parameter(torch.tensor(0), requires_grad=False))
        assert not next(model.parameters()).is_floating_point()
        expected = model[0](rgb_grid(2).double())
        assert torch.equal(latents(model, rgb_grid(2), at="0")[0], expected)

    def test_are_those_after_an_edit(self):
        with intervene(IDENTITY, torch.neg):
            assert torch.equal(latents(IDENTITY, rgb_grid(2))[0], -rgb_grid(2))

    def test_of_a_site_that_does_not_exist_are_refused(self):
        with refuses(ValueError, "Unknown site 'latnt'.*Did you mean 'latent'"):
            latents(IDENTITY, rgb_grid(2), at="latnt")

    def test_of_arguments_by_position_and_by_name_are_the_same(self):
        model = nn.Bilinear(2, 3, 4)
        wrapped = nn.Sequential(nn.Identity())
        x, y = torch.rand(5, 2, dtype=torch.float64), torch.rand(5, 3)
        expected = model(x.float(), y)
        del wrapped
        by_name = {"input1": x, "input2": y}
        for inputs in ((x, y), by_name):
            torch.testing.assert_close(latents(model, inputs, at="")[0], expected)

    def test_of_token_ids_keep_their_type(self):
        model = nn.Sequential(nn.Embedding(7, 3), nn.Linear(3, 2))
        assert latents(model, torch.tensor([[1, 2, 6]]), at="0").shape == (1, 1, 3, 3)

    def test_at_several_sites_come_from_one_pass(self):
        passes = []
        model = nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 2))
        model.register_forward_pre_hook(lambda *_: passes.append(1))
        found = latents_by_site(model, rgb_grid(2), ["0", "2"])
        assert len(passes) == 1
        for site, z in found.items():
            assert torch.equal(z, latents(model, rgb_grid(2), site))


class TestPredictions:
    def test_are_the_outputs_in_evaluation_mode_with_an_axis_of_runs(self):
        model, x = nn.Sequential(nn.Linear(3, 2), nn.Dropout(0.5)), torch.rand(5, 3)
        torch.testing.assert_close(predictions(model, x)[0], model.eval()(x))
        several = Population.from_models([model, model])
        torch.testing.assert_close(predictions(several, x), several(x))

    def test_of_a_model_that_returns_more_than_a_tensor_are_refused(self):
        with refuses(TypeError, "returned tuple; expected a tensor"):
            predictions(nn.LSTM(3, 2), torch.rand(4, 3))
