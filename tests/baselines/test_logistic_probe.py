import pytest
import torch
from refusals import refuses
from torch.nn.functional import cosine_similarity

from latent_anchors.baselines import logistic_probe, mean_difference


def gaussians(n, generator):
    """Two correlated Gaussians, and the best boundary between them in closed form."""
    mixing = torch.tensor([[1.0, 0.0, 0.0], [1.5, 1.0, 0.0], [0.0, -0.5, 0.3]]).double()
    shift = torch.tensor([1.0, 0.5, 0.2]).double()
    concept = (torch.arange(n) % 4 == 0).double()
    z = torch.randn(n, 3, generator=generator).double() @ mixing + concept[:, None] * shift
    return z, concept, torch.linalg.solve(mixing.mT @ mixing, shift)


def test_in_the_limit_it_is_the_boundary_between_gaussians_which_the_mean_difference_is_not(
    generator,
):
    z, concept, best = gaussians(40_000, generator)
    probe, difference = (
        find.direction
        for find in (logistic_probe(z, concept, ridge=1e-6), mean_difference(z, concept))
    )
    assert cosine_similarity(probe, best, dim=0) > 0.999
    assert cosine_similarity(difference, best, dim=0) < 0.9


@pytest.mark.parametrize("ridge", [1e-4, 0.01, 1.0])
def test_the_gradient_of_its_loss_is_zero_at_the_optimum_and_nowhere_beside_it(ridge, generator):
    z, concept, _ = gaussians(500, generator)
    spread = z.std(0, correction=0)
    x, normal = (z - z.mean(0)) / spread, logistic_probe(z, concept, ridge=ridge).direction * spread
    weight = torch.where(concept == 1, 0.5 / concept.sum(), 0.5 / (1 - concept).sum())

    def steepest(normal):
        """The largest slope of the loss at the best length and offset of a normal."""
        size, features = torch.zeros(2).double(), torch.stack([x @ normal, torch.ones(len(x))], 1)
        penalty = ridge * torch.stack([normal @ normal, torch.tensor(0.0)])
        for _ in range(50):  # Newton's method in two numbers
            chance = torch.sigmoid(features @ size)
            slope = features.mT @ (weight * (chance - concept)) + penalty * size
            bend = (features * (weight * chance * (1 - chance))[:, None]).mT @ features
            size = size - torch.linalg.solve(bend + penalty.diag(), slope)
        slope = weight * (torch.sigmoid(features @ size) - concept)
        return (x.mT @ slope + ridge * size[0] * normal).abs().max()

    assert steepest(normal) < 1e-7
    assert steepest(normal + 0.01 * normal.norm() * torch.eye(3)[0]) > 1e-5


def test_a_ridge_of_0_is_refused():
    with refuses(ValueError, "ridge is 0 .*; expected a ridge above 0"):
        logistic_probe(torch.eye(4), torch.tensor([0, 0, 1, 1]), ridge=0.0)
