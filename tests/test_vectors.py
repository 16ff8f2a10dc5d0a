import inspect
import math

import pytest
import torch
from hypothesis import assume, given
from hypothesis import strategies as st
from refusals import refuses
from torch import nn

from latent_anchors import (
    audits,
    baselines,
    concepts,
    data,
    evaluation,
    models,
    testbed,
    training,
    viz,
)
from latent_anchors import interventions as edits
from latent_anchors import regularizers as reg
from latent_anchors._streams import seeded
from latent_anchors._vectors import (
    as_basis,
    as_direction,
    as_vector,
    check_floating,
    check_width,
    listed_numbers,
)

numbers = st.lists(st.floats(-100, 100), min_size=1, max_size=5)


@given(values=numbers)
def test_a_direction_has_length_one_and_points_as_given(values):
    length = math.hypot(*values)
    assume(length > 1e-6)
    direction = as_direction(torch.tensor(values, dtype=torch.float64))
    expected = torch.tensor([value / length for value in values], dtype=torch.float64)
    torch.testing.assert_close(direction, expected)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_a_tensor_keeps_its_precision_and_its_memory(dtype):
    values = torch.ones(3, dtype=dtype, requires_grad=True)
    made = as_vector("point", values)
    assert made.dtype == as_direction(values).dtype == as_basis(values[None]).dtype == dtype
    assert not made.requires_grad
    assert made.data_ptr() != values.data_ptr()


def test_a_length_that_is_off_by_eight_roundings_stays_and_one_by_nine_does_not():
    eight, nine = (torch.tensor([1.0, math.sqrt(n * 2**-23)]) for n in (8, 9))
    assert torch.equal(as_direction(eight), eight)
    assert not torch.equal(as_direction(nine), nine)


def test_whole_numbers_become_floats():
    whole = torch.tensor([3, 4])
    assert as_vector("point", whole).tolist() == [3.0, 4.0]
    assert as_direction(whole).tolist() == pytest.approx([0.6, 0.8])
    assert as_basis(whole[None]).dtype == torch.float32


@pytest.mark.parametrize(
    "values", [[math.nan, 1.0], [math.inf, 0.0], [], torch.zeros(2, 2), torch.tensor(1.0)]
)
def test_what_is_no_vector_is_refused(values):
    with refuses(
        ValueError, "(?s)The point is .*; expected one finite number per latent dimension"
    ):
        as_vector("point", values)


@pytest.mark.parametrize("values", [[0.0, 0.0, 0.0], torch.zeros(2, dtype=torch.float16)])
def test_a_direction_of_no_length_is_refused(values):
    with refuses(ValueError, "points nowhere"):
        as_direction(values)


def test_rows_are_made_orthonormal_and_span_what_they_spanned(generator):
    rows = torch.randn(3, 5, generator=generator, dtype=torch.float64)
    basis = as_basis(rows)
    torch.testing.assert_close(basis @ basis.mT, torch.eye(3, dtype=torch.float64))
    torch.testing.assert_close(rows @ basis.mT @ basis, rows)


@pytest.mark.parametrize("scale", [1e-8, 1.0, 1e8])
def test_how_long_the_rows_are_does_not_matter(scale, generator):
    rows = torch.randn(2, 4, generator=generator, dtype=torch.float64)
    torch.testing.assert_close(as_basis(scale * rows), as_basis(rows))


@pytest.mark.parametrize(
    "rows", [torch.zeros(3), torch.zeros(0, 3), [[math.nan, 1.0]], torch.zeros(2, 2, 2)]
)
def test_what_is_no_set_of_rows_is_refused(rows):
    with refuses(ValueError, "The basis has shape .*; expected rows of finite numbers"):
        as_basis(rows)


@pytest.mark.parametrize(
    "rows",
    [
        [[1.0, 0.0], [2.0, 0.0]],
        [[0.0, 0.0]],
        [[1.0, 0.0], [0.0, 1.0], [1.0, 1.0]],
        [[1.0, 0.0, 0.0], [1.0, 1e-6, 0.0]],
    ],
    ids=["parallel", "zero", "more than dimensions", "nearly parallel"],
)
def test_rows_that_depend_on_each_other_are_refused(rows):
    with refuses(ValueError, "rows of the basis are not independent directions"):
        as_basis(rows)


def test_a_row_counts_from_a_hundred_thousandth_of_its_length_on():
    assert as_basis([[1.0, 0.0, 0.0], [3.0, 4.5e-5, 0.0]]).shape == (2, 3)
    with refuses(ValueError, "rows of the basis are not independent directions"):
        as_basis([[1.0, 0.0, 0.0], [3.0, 2.5e-5, 0.0]])


def test_latents_of_the_right_width_pass_and_others_are_refused():
    check_width("Anchor", torch.zeros(2, 5, 3), 3)
    for shape in [(2, 4), (3, 1), ()]:
        with refuses(ValueError, "Anchor was made for 3 latent dimensions"):
            check_width("Anchor", torch.zeros(shape), 3)


def test_integer_latents_are_refused():
    check_floating("Anchor", torch.zeros(1, dtype=torch.bfloat16))
    with refuses(TypeError, "Anchor was given latents of type torch.uint8"):
        check_floating("Anchor", torch.zeros(2, 3, dtype=torch.uint8))


def test_numbers_are_listed_briefly():
    assert listed_numbers(torch.tensor([1.0, 0.0, -0.25])) == "1, 0, -0.25"


# Powers of two and their sums, which every precision holds exactly, whatever power scales them.
DIRECTION, BESIDE = torch.tensor([1.0, -0.5, 0.25, 2.0]), torch.tensor([0.5, 2.0, 1.0, 0.0])
Z = torch.randn(64, 4, generator=torch.Generator().manual_seed(0))
ON_IT = torch.cat([Z, DIRECTION[None]])
ERASURE = edits.Erasure(torch.eye(4)[:, :1], torch.eye(4)[:1], torch.zeros(4))
WORDS = nn.Sequential(nn.Embedding.from_pretrained(torch.eye(4)))
LANGUAGE = testbed.MixingLanguage(levels=3)
MIXING = nn.Sequential()
MIXING.add_module("embedding", nn.Embedding.from_pretrained(Z[:30]))
AROUND = edits.SiteLayers("0", ("2",))
with seeded(0, "vectors"):  # the same whatever was imported before
    COLORS = models.SphericalAutoencoder()
    LINEAR = nn.Sequential(nn.Linear(3, 4), nn.Identity(), nn.Linear(4, 2))
    Z_SEEN, TOKENS = torch.randn(5, 3), torch.arange(4)[None]


def _rows(v, other):
    return torch.stack([v, other])


POINTED = {
    "Anchor": lambda v, _: reg.Anchor(v)(Z),
    "AntiAnchor": lambda v, _: reg.AntiAnchor(v)(Z),
    "anchor": lambda v, _: reg.anchor(Z, v),
    "anti_anchor": lambda v, _: reg.anti_anchor(Z, v),
    "Subspace": lambda v, other: reg.Subspace(basis=_rows(v, other))(Z),
    "AntiSubspace": lambda v, other: reg.AntiSubspace(basis=_rows(v, other))(Z),
    "Suppression": lambda v, _: edits.Suppression(v)(Z),
    "suppress": lambda v, _: edits.suppress(Z, v),
    "amplify": lambda v, _: edits.amplify(Z, v),
    "Amplification": lambda v, _: edits.Amplification(v)(Z),
    "Onwards": lambda v, _: edits.Onwards(v, within=80).opened(Z.reshape(1, *Z.shape)).to(Z),
    "Projection": lambda v, other: edits.Projection(_rows(v, other))(Z),
    "Redirection": lambda v, other: edits.Redirection(v, other, path="arc")(Z),
    "redirect": lambda v, other: edits.redirect(Z, v, other, path="arc"),
    "Repulsion": lambda v, other: edits.Repulsion(v, towards=other)(
        torch.cat([Z, DIRECTION[None]])
    ),
    "repel": lambda v, other: edits.repel(ON_IT, v, towards=other),
    "orthogonalize": lambda v, other: torch.cat(
        [edits.orthogonalize(LINEAR, rows, at=AROUND)(Z_SEEN) for rows in (v, _rows(v, other))]
    ),
    "part_along": lambda v, other: torch.cat(
        [
            edits.part_along(LINEAR, rows, at=AROUND)(name, each).flatten()
            for rows in (v, _rows(v, other))
            for name, each in LINEAR.named_parameters()
            if each.ndim == 2
        ]
    ),
    "rescale_direction": lambda v, _: edits.rescale_direction(
        LINEAR, v, scale=-1.0, offset=0.5, at=AROUND
    )(Z_SEEN),
    "gated_edits": lambda v, _: testbed.gated_edits(v, Z, [0.5])[0](Z),
    "turned_colors": lambda v, _: testbed.turned_colors(MIXING, LANGUAGE, v, [9])[0](
        MIXING(torch.arange(27)[:, None])
    ),
    "anchor_angle": lambda v, _: testbed.anchor_angle(COLORS, "red", v),
    "alignment": lambda v, _: evaluation.alignment(Z, v),
    "Concept": lambda v, _: concepts.Concept("c", v, at="0").alignment(Z),
    "color_alignment": lambda v, _: testbed.color_alignment(COLORS, "red", v),
    "hue_alignments": lambda v, _: torch.cat([*testbed.hue_alignments(COLORS, v).values()]),
    "Found": lambda v, _: baselines.Found(v, ERASURE, 0.1).direction,
    "line_cosines": lambda v, _: testbed.line_cosines(WORDS, TOKENS, v, at=["0"]),
}
"""Whatever takes directions of any length, by name: from two of them to what comes of it."""

LENGTHS_COUNT = {"steer", "Steering"}
UNIT_ROWS_ONLY = {"project_out", "subspace", "anti_subspace"}
"""Their basis is orthonormal already, which is what they document."""
DRAWN = {"plot_edit_polar"}
"""Numpy arrays in float64, made unit as all others; a drawing takes long."""

ROOMS = (reg, edits, evaluation, audits, baselines, concepts, data, models, training, testbed, viz)


def takes_a_direction(value):
    named = {"direction", "directions", "basis", "towards", "along", "vector"}
    try:
        return callable(value) and not named.isdisjoint(inspect.signature(value).parameters)
    except ValueError:  # an alias of a type
        return False


def test_whatever_takes_a_direction_is_among_those_tried_below():
    found = {
        name for room in ROOMS for name in room.__all__ if takes_a_direction(getattr(room, name))
    }
    assert found == set(POINTED) | LENGTHS_COUNT | UNIT_ROWS_ONLY | DRAWN


def exponents(dtype):
    """The least and the greatest that leave all numbers of a direction normal."""
    numbers = torch.finfo(dtype)
    return [math.frexp(numbers.tiny)[1] + 2, math.frexp(numbers.max)[1] - 3]


@pytest.mark.parametrize(
    "dtype", [torch.float16, torch.bfloat16, torch.float32, torch.float64], ids=str
)
@pytest.mark.parametrize("name", POINTED)
def test_how_long_a_direction_is_does_not_matter_in_any_precision(name, dtype):
    with torch.no_grad():
        wanted = POINTED[name](DIRECTION, BESIDE)
        for exponent in exponents(dtype):
            scaled = ((v.double() * 2.0**exponent).to(dtype) for v in (DIRECTION, BESIDE))
            found = POINTED[name](*scaled)
            torch.testing.assert_close(found, wanted, atol=1e-5, rtol=1e-5, check_dtype=False)
    assert wanted.abs().amax() > 0.01


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@given(st.integers(0, 10**6), st.integers(1, 4))
def test_normalized_twice_is_normalized_once_to_the_bit(dtype, seed, n):
    rows = torch.randn(n, 5, generator=torch.Generator().manual_seed(seed), dtype=dtype)
    for normalized in (as_direction, as_basis):
        once = normalized(rows[0] if normalized is as_direction else rows)
        assert torch.equal(normalized(once), once)
        near = normalized(once * (1 + 1e-3))
        torch.testing.assert_close(near, once)
        assert not torch.equal(near, once * (1 + 1e-3))


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_directions_points_and_rows_of_half_precision_are_kept_in_float32(dtype):
    given = torch.tensor([300.0, 400.0]).to(dtype)
    made = (as_vector("point", given), as_direction(given), as_basis(given[None]))
    assert {each.dtype for each in made} == {torch.float32}
    assert as_direction(given).norm().item() == pytest.approx(1.0, abs=1e-7)


def test_a_direction_can_be_learned_whatever_its_length():
    short, long = (
        torch.autograd.grad(reg.anchor(Z, v).sum(), v)[0]
        for v in (DIRECTION.clone().requires_grad_(), (DIRECTION * 2.0**90).requires_grad_())
    )
    torch.testing.assert_close(long * 2.0**90, short)


@pytest.mark.parametrize("make", [as_direction, lambda v: as_basis(v[None])])
def test_complex_numbers_are_refused(make):
    with refuses(TypeError, "complex numbers .*expected real ones"):
        make(torch.tensor([1j, 1.0]))
