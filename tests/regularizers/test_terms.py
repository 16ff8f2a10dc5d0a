import math
from functools import partial

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from poolings import POOLINGS
from refusals import refuses
from torch import nn

from latent_anchors.models import Site
from latent_anchors.regularizers import (
    Anchor,
    Separation,
    Term,
    anchor,
    mean,
    mean_pool,
    min_pool,
    separation,
    unit_norm,
)

RED = torch.tensor([1.0, 0.0])
labels = st.lists(st.sampled_from([0.0, 0.01, 0.5, 1.0]), min_size=1, max_size=6)


@pytest.fixture
def z(generator):
    return torch.randn(4, 2, generator=generator)


def term(**options):
    return Term("anchor", Anchor([1.0, 0.0]), **options)


def averaged(a_term, z, **given):
    reduction = a_term.reduce({"latent": z}, given)
    return mean(reduction.total, reduction.divisor)


def test_a_term_without_a_label_is_a_plain_mean(z):
    reduction = term().reduce({"latent": z}, {})
    assert reduction.mass == reduction.count == reduction.divisor == 4
    torch.testing.assert_close(averaged(term(), z), anchor(z, RED).mean())


def test_those_without_a_label_have_no_say(z):
    only_the_third = torch.tensor([0.0, 0.0, 1.0, 0.0])
    value = averaged(term(label="red"), z, red=only_the_third)
    torch.testing.assert_close(value, anchor(z[2], RED))


@pytest.mark.parametrize(
    ("options", "share"),
    [
        ({"reduction": "mass"}, 1.0),
        ({"reduction": "count"}, 0.01),
        ({"reduction": "rate", "rate": 0.01}, 1.0),
        ({"reduction": "rate", "rate": 0.1}, 0.1),
    ],
)
def test_soft_labels_all_round_act_fully_by_mass_and_softly_by_count(options, share, z):
    value = averaged(term(label="red", **options), z, red=torch.full((4,), 0.01))
    torch.testing.assert_close(value, share * anchor(z, RED).mean())


reductions = pytest.mark.parametrize(
    "options",
    [{"reduction": "mass"}, {"reduction": "count"}, {"reduction": "rate", "rate": 0.001}],
    ids=["mass", "count", "rate"],
)


@reductions
def test_a_batch_in_which_nobody_has_a_label_gives_exactly_zero_and_no_gradient(options, z):
    z.requires_grad_()
    value = averaged(term(label="red", **options), z, red=torch.zeros(4))
    (slope,) = torch.autograd.grad(value, z)
    assert value == 0
    assert not slope.any()


@reductions
def test_somebody_with_a_label_is_pulled(options, z):
    z.requires_grad_()
    value = averaged(term(label="red", **options), z, red=torch.tensor([0.0, 1.0, 0.0, 0.0]))
    (slope,) = torch.autograd.grad(value, z)
    assert slope.any(-1).tolist() == [False, True, False, False]


@reductions
@given(first=labels, second=labels)
def test_two_halves_reduced_together_equal_the_whole(options, first, second):
    of = Term("unit", unit_norm, label="red", **options)
    red = torch.tensor([*first, *second], dtype=torch.float64)
    z = torch.arange(2.0 * len(red), dtype=torch.float64).reshape(-1, 2)
    n = len(first)
    halves = [
        of.reduce({"latent": z[part]}, {"red": red[part]}) for part in (slice(n), slice(n, None))
    ]
    together = mean(sum(h.total for h in halves), sum(h.divisor for h in halves))
    torch.testing.assert_close(together, averaged(of, z, red=red))


def test_means_of_halves_are_not_the_mean_of_the_whole(z):
    red = torch.tensor([1.0, 0.0, 0.0, 0.0])
    of = term(label="red")
    halves = [averaged(of, z[:2], red=red[:2]), averaged(of, z[2:], red=red[2:])]
    torch.testing.assert_close(sum(halves) / 2, averaged(of, z, red=red) / 2)


def test_a_batch_of_nobody_gives_exactly_zero():
    assert averaged(term(), torch.zeros(0, 2)) == 0


def test_labels_may_be_whole_numbers_and_stay_what_they_are(z):
    red = torch.tensor([1, 0, 0, 1])
    assert averaged(term(label="red"), z, red=red) == averaged(
        term(label="red"), z, red=red.float()
    )
    assert red.dtype == torch.int64


def test_labels_in_double_precision_do_not_make_the_sum_double(z):
    red = torch.ones(4, dtype=torch.float64)
    assert averaged(term(label="red"), z, red=red).dtype == torch.float32


def test_outside_of_the_mask_nobody_counts(z):
    inside = torch.tensor([True, False, True, False])
    reduction = term(mask="inside").reduce({"latent": z}, {}, {"inside": inside})
    assert reduction.count == 2
    torch.testing.assert_close(reduction.total, anchor(z, RED)[inside].sum())


def test_labels_outside_of_the_mask_have_no_mass(z):
    masks, red = {"inside": torch.tensor([True, False, False, False])}, torch.ones(4)
    reduction = term(mask="inside", label="red").reduce({"latent": z}, {"red": red}, masks)
    assert reduction.mass == 1


def test_several_sites_count_equally_and_shares_as_they_say(z):
    latents = {"a": z, Site("b"): -z}
    both = term(at=["a", Site("b")]).values(latents)
    torch.testing.assert_close(both, torch.ones(4))
    shared = term(at={"a": 1.0, Site("b"): 0.5}).values(latents)
    torch.testing.assert_close(shared, anchor(z, RED) + 0.5 * anchor(-z, RED))
    torch.testing.assert_close(term(at={"a": 0.5}).values(latents), 0.5 * anchor(z, RED))


def last_of_the_masked(values, mask):
    return torch.where(mask, values, -math.inf).amax(-1).nan_to_num(neginf=0.0)


def test_positions_are_pooled_before_labels_and_a_line_without_any_does_not_count(generator):
    z = torch.randn(2, 3, 2, generator=generator)
    masks = {"inside": torch.tensor([[True, True, False], [False, False, False]])}
    pooled = term(pool=last_of_the_masked, mask="inside", label="red")
    reduction = pooled.reduce({"latent": z}, {"red": torch.ones(2)}, masks)
    assert reduction.count == reduction.mass == 1
    torch.testing.assert_close(reduction.total, anchor(z[0, :2], RED).max())


def test_each_site_is_pooled_by_itself():
    near, far = torch.tensor([1.0, 0.0]), torch.tensor([-1.0, 0.0])
    latents = {"a": torch.stack([near, far])[None], "b": torch.stack([far, near])[None]}
    least = term(pool=min_pool, at=["a", "b"]).values(latents)
    assert least.tolist() == [0]
    assert term(at=["a", "b"]).values(latents).tolist() == [[1, 1]]


def test_for_the_mean_it_does_not_matter_whether_sites_or_positions_come_first(generator):
    latents = {site: torch.randn(4, 3, 2, generator=generator) for site in "ab"}
    mask = torch.rand(4, 3, generator=generator) > 0.5
    sites = {"a": 0.2, "b": 3.0}
    pooled = term(pool=mean_pool, at=sites).values(latents, mask)
    torch.testing.assert_close(pooled, mean_pool(term(at=sites).values(latents), mask))


@pytest.mark.parametrize("pool", POOLINGS.values(), ids=POOLINGS)
@reductions
def test_a_line_without_any_position_pulls_nobody_and_has_no_mass(options, pool, generator):
    z = torch.randn(3, 4, 2, generator=generator, requires_grad=True)
    inside = torch.tensor([[True, True, False, True], [False] * 4, [True, False, False, False]])
    pooled = term(pool=pool, mask="inside", label="red", at=["a", "b"], **options)
    red = torch.tensor([0.5, 1.0, 1.0])
    whole = pooled.reduce({"a": z, "b": z.flip(-1)}, {"red": red}, {"inside": inside})
    some = torch.tensor([0, 2])
    without = {"a": z[some], "b": z[some].flip(-1)}
    part = pooled.reduce(without, {"red": red[some]}, {"inside": inside[some]})
    (slope,) = torch.autograd.grad(whole.total, z)
    assert not slope[1].any()
    assert slope[0].any()
    assert (whole.mass, whole.count) == (1.5, 2)
    torch.testing.assert_close([*vars(whole).values()], [*vars(part).values()])


def test_without_a_label_or_a_pooling_every_position_inside_counts(generator):
    z = torch.randn(4, 3, 2, generator=generator)
    inside = torch.rand(4, 3, generator=generator) > 0.5
    reduction = term(mask="inside").reduce({"latent": z}, {}, {"inside": inside})
    assert reduction.count == reduction.mass == inside.sum()
    torch.testing.assert_close(reduction.total, anchor(z, RED)[inside].sum())


def test_a_set_penalty_compares_the_batch_or_the_positions_as_the_term_says(generator):
    z = torch.randn(4, 3, 2, generator=generator)
    couple = Separation(power=2.0)
    over_batch = Term("apart", couple).values({"latent": z})
    over_positions = Term("apart", couple, set_axis="position").values({"latent": z})
    for position in range(3):
        torch.testing.assert_close(over_batch[:, position], couple(z[:, position]))
    torch.testing.assert_close(over_positions, torch.stack([couple(line) for line in z]))


def test_a_term_is_weighed_by_the_track_of_its_name_unless_it_says_otherwise():
    assert term().track == "anchor"
    assert term(track="structure").track == "structure"


def test_an_error_within_says_in_which_term_it_happened():
    with pytest.raises(ValueError, match="made for 2 latent dimensions") as caught:
        term().values({"latent": torch.zeros(4, 3)})
    assert caught.value.__notes__ == ["This happened in term 'anchor'."]


def test_unknown_options_are_refused_with_the_known_ones():
    with refuses(ValueError, "Unknown reduction of term 'anchor' 'sum'; expected one of 'mass'"):
        term(reduction="sum")
    with refuses(ValueError, "Unknown set_axis of term 'anchor' 'runs'"):
        term(set_axis="runs")


@pytest.mark.parametrize("options", [{"reduction": "rate"}, {"rate": 0.1}])
def test_a_rate_comes_with_its_reduction_and_the_other_way_round(options):
    with refuses(ValueError, "expected a rate with reduction='rate', and only there"):
        term(**options)


@pytest.mark.parametrize("rate", [0.0, 1.5, math.nan])
def test_rates_outside_of_0_to_1_are_refused(rate):
    with refuses(ValueError, "The rate of term 'anchor' is"):
        term(reduction="rate", rate=rate)


@pytest.mark.parametrize("at", [[], {}])
def test_a_term_acts_somewhere(at):
    with refuses(ValueError, "acts at no site"):
        term(at=at)


@pytest.mark.parametrize("share", [math.nan, math.inf, -1.0])
def test_a_share_is_finite_and_not_negative(share):
    with refuses(ValueError, "A share of term 'anchor' is"):
        term(at={"a": share})


def test_what_the_batch_lacks_is_named_with_what_it_has(z):
    with refuses(KeyError, r"'anchor' needs label 'red'; the batch has 'blue'"):
        term(label="red").reduce({"latent": z}, {"blue": torch.ones(4)})
    with refuses(KeyError, r"'anchor' needs mask 'inside'; the batch has nothing"):
        term(mask="inside").reduce({"latent": z}, {})
    with refuses(KeyError, r"'anchor' acts at 'latent'; recorded are 'encoder'"):
        term().reduce({"encoder": z}, {})


@pytest.mark.parametrize("shape", [(), (1,), (3,), (4, 1), (4, 4)])
def test_a_label_has_exactly_the_shape_of_the_values(shape, z):
    with refuses(ValueError, r"label 'red' has shape .*, the values have \(4,\)"):
        term(label="red").reduce({"latent": z}, {"red": torch.ones(shape)})


def test_a_label_per_line_is_not_spread_over_positions():
    z = torch.ones(4, 4, 2)
    with refuses(ValueError, r"label 'red' has shape \(4,\), the values have \(4, 4\)"):
        term(label="red").reduce({"latent": z}, {"red": torch.ones(4)})


def test_a_mask_has_exactly_the_shape_of_the_values(z):
    masks = {"inside": torch.tensor([True])}
    with refuses(ValueError, r"mask 'inside' has shape \(1,\)"):
        term(mask="inside").reduce({"latent": z}, {}, masks)
    with refuses(ValueError, r"mask 'inside' has shape \(4,\), the values have \(4, 4\)"):
        term(mask="inside", pool=last_of_the_masked).reduce(
            {"latent": torch.ones(4, 4, 2)}, {}, {"inside": torch.ones(4, dtype=torch.bool)}
        )


def test_a_pooling_gives_one_value_for_each_line():
    over_lines = term(mask="inside", pool=lambda values, mask: values[mask].mean().reshape(1))
    inside = {"inside": torch.ones(4, 3, dtype=torch.bool)}
    with refuses(ValueError, r"mask 'inside' has shape \(4,\), the values have \(1,\)"):
        over_lines.reduce({"latent": torch.ones(4, 3, 2)}, {}, inside)


@pytest.mark.parametrize("ignore_index", [0, 1, 0.5])
def test_a_label_to_be_ignored_is_none_that_could_be_meant(ignore_index):
    with refuses(ValueError, f"has ignore_index={ignore_index}.*outside of 0 to 1"):
        term(label="red", ignore_index=ignore_index)
    with refuses(ValueError, "has ignore_index=-100 and label=None; expected .*and a label"):
        term(ignore_index=-100)
    with refuses(ValueError, "ignore_index of term 'anchor' is nan; expected a finite number"):
        term(label="red", ignore_index=math.nan)


@pytest.mark.parametrize("gave", [None, torch.tensor(1.0), torch.ones(4, 2)])
def test_a_penalty_gives_one_value_for_each_sample(gave, z):
    with refuses(ValueError, r"A penalty gave .* expected one value for each sample \(4,\)"):
        Term("odd", lambda _: gave).values({"latent": z})


class Compiled(nn.Module):
    """A module as torch.compile wraps it."""

    def __init__(self, module):
        super().__init__()
        self._orig_mod = module

    def forward(self, *args, **kwargs):
        return self._orig_mod(*args, **kwargs)


def test_a_set_penalty_is_known_by_its_mask():
    assert Term("it", Separation()).compares
    assert Term("it", Compiled(Separation())).compares
    assert Term("it", partial(separation, exponent=2.0)).compares
    assert not term().compares
    assert not Term("it", torch.sum).compares
