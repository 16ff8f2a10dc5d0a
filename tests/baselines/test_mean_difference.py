import torch

from latent_anchors.baselines import mean_difference

SHIFT = torch.tensor([3.0, -1.0, 0.5, 0.0]).double()


def shifted(n, generator):
    """Gaussians of one spread, of which every third is shifted."""
    concept = (torch.arange(n) % 3 == 0).double()
    noise = torch.randn(n, 4, generator=generator).double()
    return 2.0 + noise + concept[:, None] * SHIFT, concept


def test_it_recovers_the_shift_between_gaussians_and_nothing_where_labels_are_shuffled(generator):
    z, concept = shifted(20_000, generator)
    shuffled = concept[torch.randperm(len(z), generator=generator)]
    right, wrong = (mean_difference(z, y).direction for y in (concept, shuffled))
    assert right @ SHIFT / SHIFT.norm() > 0.999
    assert (z @ right)[concept == 1].mean() - (z @ right)[concept == 0].mean() > 3
    assert abs((z @ wrong)[shuffled == 1].mean() - (z @ wrong)[shuffled == 0].mean()) < 0.1


def test_the_error_shrinks_with_the_root_of_the_number_of_samples(generator):
    def error(n):
        return 1 - float(mean_difference(*shifted(n, generator)).direction @ SHIFT / SHIFT.norm())

    few, many = (sum(error(n) for _ in range(20)) / 20 for n in (300, 30_000))
    assert 30 < few / many < 300  # the angle's square falls like 1 / n


def test_a_soft_label_counts_as_that_share_of_a_sample(generator):
    z, _ = shifted(300, generator)
    quarters = torch.randint(0, 5, (300,), generator=generator).double() / 4
    repeated = torch.cat([(quarters > k / 4).double() for k in range(4)])
    torch.testing.assert_close(
        mean_difference(z, quarters).direction,
        mean_difference(z.repeat(4, 1), repeated).direction,
    )
