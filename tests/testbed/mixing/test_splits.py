import torch

from latent_anchors.testbed import SeedSplits
from latent_anchors.training import Failure


def test_every_seed_belongs_to_one_split():
    splits = SeedSplits(tuple(range(500, 509)), count=3)
    assert sorted(seed for _, seeds in splits for seed in seeds) == list(splits.seeds)
    assert all(seed % 3 == number for number, seeds in splits for seed in seeds)


def test_splits_without_seeds_are_left_out():
    assert list(SeedSplits((4,), count=3)) == [(1, (4,))]


def test_with_one_split_all_seeds_are_on_it():
    assert list(SeedSplits((3, 4, 5))) == [(0, (3, 4, 5))]


def test_failures_are_renumbered_by_seed():
    splits = SeedSplits((500, 501, 502, 503), count=2)
    failed = [(Failure(run, 7, "tokens"),) for run in (0, 1)]
    assert splits.failures((501, 503), *failed) == [
        Failure(1, 7, "tokens"),
        Failure(3, 7, "tokens"),
    ]
    assert splits.failures((500, 502)) == []


def test_joined_measures_are_in_the_order_of_the_seeds():
    splits = SeedSplits(tuple(range(500, 507)), count=3)
    found = [{"seed": torch.tensor(seeds), "twice": 2 * torch.tensor(seeds)} for _, seeds in splits]
    joined = splits.join(found)
    assert joined["seed"].tolist() == list(range(500, 507))
    assert joined["twice"].tolist() == list(range(1000, 1014, 2))


def test_seeds_may_be_in_any_order():
    splits = SeedSplits((5, 0, 1), count=3)
    found = [{"seed": torch.tensor(seeds)} for _, seeds in splits]
    assert splits.join(found)["seed"].tolist() == [5, 0, 1]


def test_what_has_more_axes_is_joined_along_the_first():
    splits = SeedSplits((0, 1, 2), count=2)
    assert splits.join([{"z": torch.zeros(2, 5)}, {"z": torch.ones(1, 5)}])["z"].shape == (3, 5)
