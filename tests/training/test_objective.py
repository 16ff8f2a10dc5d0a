import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from refusals import refuses
from torch import multiprocessing
from training import ranks
from training.tiny import Dropped, Normed
from wrapping import Around

from latent_anchors import Objective, Term, record
from latent_anchors.data import LabeledBatch
from latent_anchors.models import SphericalAutoencoder
from latent_anchors.regularizers import Anchor, Subspace, separation

X = [1.0, 0.0, 0.0, 0.0]
LATENTS = {"latent": torch.linspace(-1, 1, 32, dtype=torch.float64).view(8, 4) ** 3 + 0.1}
RED = torch.tensor([1.0, 0.0, 0.5, 0.0, 0.0, 0.0, 1.0, 0.0], dtype=torch.float64)
LABELS = {"red": RED}
ANCHOR = Term("anchor", Anchor(X), label="red")
PLANE = Term("plane", Subspace(dims=(0, 1)))
LOSS = torch.linspace(0, 1, 8, dtype=torch.float64)
share = st.floats(0, 3)


def away(z):
    return 1 - z[:, 0] / z.norm(dim=-1)


@given(anchor=share, plane=share, recon=share)
def test_the_total_is_the_weighted_sum_of_the_means(anchor, plane, recon):
    row = {"anchor": anchor, "plane": plane, "recon": recon}
    parts = Objective([ANCHOR, PLANE], losses=["recon"])(LATENTS, LABELS, row, recon=LOSS)
    by_hand = (RED * away(LATENTS["latent"])).sum() / RED.sum()
    assert list(parts) == ["anchor", "plane", "recon"]
    torch.testing.assert_close(parts["anchor"].mean, by_hand)
    torch.testing.assert_close(parts["recon"].mean, LOSS.mean())
    expected = sum(row[name] * part.mean for name, part in parts.items())
    torch.testing.assert_close(parts.total, torch.as_tensor(expected).double())


def test_each_part_comes_with_its_weight_mass_and_count():
    row = {"anchor": 0.25, "recon": 2.0}
    parts = Objective([ANCHOR], losses=["recon"])(LATENTS, LABELS, row, recon=LOSS)
    anchor, recon = parts["anchor"], parts["recon"]
    assert [float(x) for x in (anchor.weight, anchor.mass, anchor.count)] == [0.25, 2.5, 8.0]
    assert [float(x) for x in (recon.weight, recon.mass, recon.count)] == [2.0, 8.0, 8.0]
    assert len(parts) == 2


def test_a_loss_may_be_a_mean_already_and_a_weight_a_tensor():
    objective = Objective([], losses=["recon"])
    row = {"recon": torch.tensor(0.5).double()}
    whole, mean = (objective({}, {}, row, recon=loss).total for loss in (LOSS, LOSS.mean()))
    torch.testing.assert_close(whole, mean)
    torch.testing.assert_close(whole, LOSS.mean() / 2)


def test_two_terms_may_share_a_track_and_their_values_add_up():
    one = Term("near", Anchor(X), label="red", track="pull")
    two = Term("flat", Subspace(dims=(0, 1)), track="pull")
    objective = Objective([one, two], tracks=["pull"])
    parts = objective(LATENTS, LABELS, {"pull": 0.5})
    torch.testing.assert_close(parts.total, 0.5 * (parts["near"].mean + parts["flat"].mean))
    assert (objective.names, objective.sites) == (("near", "flat"), ("latent",))


def test_constants_weigh_what_no_track_does():
    objective = Objective([ANCHOR], losses=["recon"], constants={"recon": 0.5}, tracks=["anchor"])
    parts = objective(LATENTS, LABELS, {"anchor": 1.0}, recon=LOSS)
    assert float(parts["recon"].weight) == 0.5
    torch.testing.assert_close(parts.total, parts["anchor"].mean + 0.5 * LOSS.mean())


def test_what_others_read_weighs_nothing():
    objective = Objective([], losses=["recon"], other_tracks=["lr"])
    assert float(objective({}, {}, {"lr": 9.0, "recon": 1.0}, recon=LOSS).total) == 0.5


@pytest.mark.parametrize("z", [LATENTS["latent"], torch.zeros(8, 4, dtype=torch.float64)])
def test_a_batch_in_which_nobody_has_a_label_is_exactly_0_with_exactly_no_gradient(z):
    z = z.clone().requires_grad_()
    objective = Objective([ANCHOR])
    parts = objective({"latent": z}, {"red": torch.zeros(8)}, {"anchor": 3.0})
    parts.total.backward()
    assert z.grad.tolist() == torch.zeros(8, 4).tolist()
    assert (parts.total.item(), parts["anchor"].mass.item()) == (0.0, 0.0)
    assert objective({"latent": z}, LABELS, {"anchor": 3.0}).total.item() > 0


def test_it_is_the_same_in_evaluation_mode():
    objective, row = Objective([ANCHOR, PLANE]), {"anchor": 1.0, "plane": 0.5}
    training = objective(LATENTS, LABELS, row).total
    assert torch.equal(objective.eval()(LATENTS, LABELS, row).total, training)


def test_the_tensors_of_its_penalties_travel_with_it():
    anchor = Anchor(X)
    objective = Objective([Term("anchor", anchor), Term("plain", separation)]).to(torch.float64)
    assert anchor.direction.dtype == torch.float64
    assert len(list(objective.buffers())) == 1


class TestMismatchesAreRefusedWithBothLists:
    def make(self, **changes):
        options = {"losses": ["recon"], "other_tracks": ["lr"], **changes}
        return Objective([ANCHOR], **options)

    @pytest.mark.parametrize(
        ("tracks", "words"),
        [
            (
                ["anchor", "lr"],
                "Missing weights: 'recon'; unused .* nothing.*tracks are 'anchor'",
            ),
            (["anchor", "recon"], "Missing weights: 'lr'; unused tracks: nothing"),
            (["anchor", "lr", "recon", "more"], "Missing weights: nothing; unused tracks: 'more'"),
            (
                ["anchr", "lr", "recon"],
                "weights: 'anchor'; unused tracks: 'anchr'.*need 'anchor', 'lr'",
            ),
        ],
    )
    def test_of_tracks(self, tracks, words):
        with refuses(ValueError, words):
            self.make(tracks=tracks)
        with refuses(ValueError, words):
            self.make()(LATENTS, LABELS, dict.fromkeys(tracks, 1.0), recon=LOSS)

    def test_of_tracks_after_a_row_that_did_fit(self):
        objective = self.make(other_tracks=[])
        objective(LATENTS, LABELS, {"anchor": 1.0, "recon": 1.0}, recon=LOSS)
        with refuses(ValueError, "Missing weights: 'recon'"):
            objective(LATENTS, LABELS, {"anchor": 1.0}, recon=LOSS)

    def test_of_a_constant_that_is_a_track_too(self):
        with refuses(ValueError, "weighed twice: 'recon'"):
            self.make(constants={"recon": 1.0}, tracks=["anchor", "lr", "recon"])

    def test_of_a_constant_that_nobody_reads(self):
        with refuses(ValueError, "unused tracks: 'more'.*the constants 'more'"):
            self.make(constants={"more": 1.0}, tracks=["anchor", "lr", "recon"])

    def test_of_names_that_recur(self):
        with refuses(ValueError, "recur among terms and losses: 'anchor'; .*other_tracks: nothing"):
            Objective([ANCHOR, ANCHOR])
        with refuses(ValueError, "recur among terms and losses: 'anchor'"):
            Objective([ANCHOR], losses=["anchor"])

    def test_of_a_weight_that_is_among_the_other_tracks_too(self):
        with refuses(ValueError, "both weights and among other_tracks: 'anchor'"):
            self.make(other_tracks=["anchor"])

    @pytest.mark.parametrize("losses", [{}, {"reckon": LOSS}, {"recon": LOSS, "more": LOSS}])
    def test_of_losses(self, losses):
        row = {"anchor": 1.0, "recon": 1.0, "lr": 1.0}
        with refuses(ValueError, "The losses passed are .*; the objective was made for 'recon'"):
            self.make()(LATENTS, LABELS, row, **losses)

    def test_of_labels(self):
        with refuses(KeyError, "Term 'anchor' needs label 'red'; the batch has 'blue'"):
            Objective([ANCHOR])(LATENTS, {"blue": RED}, {"anchor": 1.0})

    def test_of_sites(self):
        with refuses(KeyError, "Term 'anchor' acts at 'latent'; recorded are 'encoder'"):
            Objective([ANCHOR])({"encoder": LATENTS["latent"]}, LABELS, {"anchor": 1.0})


@pytest.mark.parametrize("weight", [-0.1, math.inf, math.nan])
def test_a_weight_is_finite_and_at_least_0(weight):
    with refuses(ValueError, f"The weight of 'anchor' is {weight}; expected a finite number of at"):
        Objective([ANCHOR])(LATENTS, LABELS, {"anchor": weight})
    with refuses(ValueError, f"The weight of 'anchor' is {weight}; expected a finite number of at"):
        Objective([ANCHOR], constants={"anchor": weight})


@pytest.mark.parametrize("weight", [-0.1, math.inf, math.nan])
def test_a_weight_that_is_a_tensor_is_checked_as_strictly(weight):
    given = torch.tensor(weight, dtype=torch.float64)
    with refuses(
        ValueError, "The weight of 'anchor' is .*; expected a finite number of at least 0"
    ):
        Objective([ANCHOR])(LATENTS, LABELS, {"anchor": given})
    mapped = torch.vmap(lambda w: Objective([ANCHOR])(LATENTS, LABELS, {"anchor": w}).total)
    totals = mapped(torch.tensor([weight, 0.0, 2.0]))
    assert totals.isnan().tolist() == [True, False, False]
    assert (
        Objective([ANCHOR])(LATENTS, LABELS, {"anchor": given}, look="never")["anchor"].weight
        is given
    )


def test_a_weight_is_one_number():
    with refuses(ValueError, r"The weight of 'anchor' has shape \(1,\); expected one number"):
        Objective([ANCHOR])(LATENTS, LABELS, {"anchor": torch.ones(1)})


NO_LABELS = {
    "runs from -100 to 1": RED.masked_fill(RED == 0, -100),
    "runs from 0 to 7": torch.arange(8),
    "is NaN at 1 of 8": RED.masked_fill(RED == 0.5, math.nan),
}


class TestLabelsAreChecked:
    @pytest.mark.parametrize("words", NO_LABELS)
    def test_at_every_door(self, words):
        red, objective = {"red": NO_LABELS[words]}, Objective([ANCHOR])
        row, batch = {"anchor": 1.0}, TestChecking().batch(labels=red)
        for door in (
            lambda: objective(LATENTS, red, row),
            lambda: objective(LATENTS, red, row, look="always"),
            lambda: ANCHOR.reduce(LATENTS, red),
            lambda: objective.check(Normed(), batch),
            lambda: objective.check_labels(red),
            lambda: Objective([]).check_labels(red),
        ):
            with refuses(ValueError, f"Label 'red'.* {words}"):
                door()

    @pytest.mark.parametrize("words", NO_LABELS)
    def test_mapped_over_runs_the_total_and_its_gradient_are_nan_in_that_run_alone(self, words):
        def total(z, red):
            return Objective([ANCHOR])({"latent": z}, {"red": red}, {"anchor": 1.0}).total

        z = LATENTS["latent"].expand(2, 8, 4)
        labels = torch.stack([RED, NO_LABELS[words].double()])
        slopes, totals = torch.vmap(torch.func.grad_and_value(total))(z, labels)
        assert totals.isnan().tolist() == [False, True]
        assert slopes.isnan().flatten(1).any(1).tolist() == [False, True]

    def test_but_not_where_they_were_before(self):
        assert (
            Objective([ANCHOR])(LATENTS, {"red": 2 * RED}, {"anchor": 1.0}, look="never").total > 0
        )

    def test_many_batches_at_once(self):
        masked = Term("anchor", Anchor(X), label="red", mask="there", ignore_index=-1)
        objective, there = Objective([masked]), torch.ones(3, 8) > 0
        there[2] = False
        red = RED.repeat(3, 1)
        red[2], red[1, 0] = math.nan, -1
        objective.check_labels({"red": red}, {"there": there})
        with refuses(ValueError, "Label 'red' of term 'anchor' is NaN at 8 of 23 places"):
            objective.check_labels({"red": red}, {"there": ~there | there})

    def test_first_everywhere_and_later_where_nothing_waits(self):
        looks = []

        class Watched(Term):
            def reduce(self, latents, labels, masks=None, look="always"):
                looks.append(look)
                return super().reduce(latents, labels, masks, look)

        objective = Objective([Watched("anchor", Anchor(X), label="red")])
        for _ in range(3):
            objective(LATENTS, LABELS, {"anchor": 1.0})
        assert looks == ["always", "freely", "freely"]


class TestWhatCannotBeRightIsNamed:
    def call(self, latents=LATENTS, labels=LABELS, **losses):
        objective = Objective([ANCHOR], losses=["lm"])
        return objective(latents, labels, {"anchor": 1.0, "lm": 1.0}, **{"lm": LOSS, **losses})

    def test_labels(self):
        with refuses(KeyError, "Term 'anchor' needs label 'red'; the batch has nothing"):
            self.call(labels=None)
        with refuses(TypeError, "needs label 'red'; the labels are of type Tensor, expected a map"):
            self.call(labels=RED)
        with refuses(TypeError, "Label 'red' of term 'anchor' is of type list; expected a tensor"):
            self.call(labels={"red": [1.0] * 8})
        with refuses(TypeError, "Label 'red' of term 'anchor' is None; expected a tensor"):
            self.call(labels={"red": None})
        with refuses(ValueError, "Label 'red' of term 'anchor' is on meta, .* on cpu"):
            self.call(labels={"red": RED.to("meta")})
        assert Objective([PLANE])(LATENTS, None, {"plane": 1.0}).total > 0

    def test_arrays_of_numpys_are_labels(self):
        labels = {"red": RED.numpy()}
        given = Objective([ANCHOR])(LATENTS, labels, {"anchor": 1.0}).total
        assert torch.equal(given, Objective([ANCHOR])(LATENTS, LABELS, {"anchor": 1.0}).total)

    @pytest.mark.parametrize(
        ("loss", "words"), [(None, "None"), (0.5, "0.5"), (torch.ones(2).long(), "of type torch.i")]
    )
    def test_losses(self, loss, words):
        with refuses(TypeError, f"Loss 'lm' is {words}.*; expected a tensor of floating point"):
            self.call(lm=loss)

    def test_latents(self):
        with refuses(TypeError, "acts at 'latent', whose latents are of type tuple; .*item=..."):
            self.call(latents={"latent": (LATENTS["latent"],)})
        with refuses(TypeError, "was given latents of type Tensor; expected a mapping"):
            self.call(latents=LATENTS["latent"])

    @pytest.mark.parametrize("name", ["latents", "labels", "row", "masks", "look"])
    def test_names_of_losses(self, name):
        with refuses(
            ValueError, f"Losses were named '{name}'; expected other names than 'latents'"
        ):
            Objective([], losses=["recon", name])

    def test_a_part_that_is_taken_for_a_number(self):
        with refuses(TypeError, r"A part is no number: .*float\(part.mean\)"):
            float(self.call()["anchor"])


class TestChecking:
    def batch(self, **changes):
        parts = {"labels": {"red": torch.zeros(8).double()}, "extras": {}, **changes}
        return LabeledBatch(torch.rand(8, 3, dtype=torch.float64), **parts)

    def test_lets_pass_what_fits(self):
        Objective([ANCHOR]).check(Normed(), self.batch())
        masked = Term("anchor", Anchor(X), mask="there")
        Objective([masked]).check(Normed(), self.batch(extras={"there": torch.ones(8) > 0}))

    def test_names_the_sites_that_exist(self):
        lost = Objective([Term("anchor", Anchor(X), at="latnt")])
        with refuses(ValueError, "Unknown site 'latnt'; expected one of .*Did you mean 'latent'"):
            lost.check(Normed(), self.batch())

    def test_names_the_labels_and_masks_that_exist(self):
        with refuses(KeyError, "Term 'anchor' needs label 'red'; the batch has 'blue'"):
            Objective([ANCHOR]).check(Normed(), self.batch(labels={"blue": RED}))
        masked = Objective([Term("anchor", Anchor(X), mask="there")])
        with refuses(KeyError, "needs mask 'there'; the batch has nothing"):
            masked.check(Normed(), self.batch())

    def test_names_the_shapes_that_do_not_match(self):
        with refuses(ValueError, r"label 'red' has shape \(4,\), the values have \(8,\)"):
            Objective([ANCHOR]).check(Normed(), self.batch(labels={"red": torch.zeros(4)}))
        narrow = Objective([Term("anchor", Anchor([1.0, 0.0]))])
        with refuses(ValueError, "made for 2 latent dimensions"):
            narrow.check(Normed(), self.batch())

    def test_leaves_model_and_generator_as_they_were(self):
        batch, lost = self.batch(), Objective([Term("anchor", Anchor(X), label="blue")])
        for model in (Normed(), Dropped()):
            before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
            generator = torch.get_rng_state()
            Objective([ANCHOR]).check(model, batch)
            with refuses(KeyError, "'blue'"):
                lost.check(model, batch)
            assert all(torch.equal(model.state_dict()[name], before[name]) for name in before)
            assert torch.equal(torch.get_rng_state(), generator)
            assert model.training


HALF_ROW = {"anchor": 1.0, "apart": 0.5, "recon": 1.0}


class TestUnderAutocast:
    """Half precision in the model, full precision in what is asked of its latents."""

    def objective(self):
        terms = [Term("anchor", Anchor(X), label="red"), Term("apart", separation)]
        return Objective(terms, losses=["recon"])

    def test_of_the_same_latents_every_part_is_that_of_full_precision(self):
        torch.manual_seed(0)
        half, labels = torch.randn(32, 4).bfloat16(), {"red": torch.rand(32)}
        gradients, totals = [], []
        for enabled, z in [(True, half.clone()), (False, half.float())]:
            z.requires_grad_()
            with torch.autocast("cpu", dtype=torch.bfloat16, enabled=enabled):
                parts = self.objective()({"latent": z}, labels, HALF_ROW, recon=z.sum(-1) * 0)
            parts.total.backward()
            gradients.append(z.grad.float())
            totals.append(torch.stack([part.mean for part in parts.values()]))
            assert {part.mean.dtype for part in parts.values()} == {torch.float32}
            assert parts.total.dtype == torch.float32
        torch.testing.assert_close(totals[0], totals[1])
        torch.testing.assert_close(gradients[0], gradients[1], rtol=0.01, atol=1e-5)

    def test_a_whole_step_is_close_to_full_precision(self):
        torch.manual_seed(0)
        model, colors = SphericalAutoencoder(hidden=8), torch.rand(32, 3)
        means = []
        for enabled in (True, False):
            with torch.autocast("cpu", dtype=torch.bfloat16, enabled=enabled):
                objective = self.objective()
                with record(model, objective.sites) as latents:
                    loss = (model(colors) - colors).square().mean(-1)
                parts = objective(latents, {"red": colors[:, 0]}, HALF_ROW, recon=loss)
            means.append(torch.stack([part.mean for part in parts.values()]))
        torch.testing.assert_close(means[0], means[1], rtol=0.05, atol=0.005)

    def test_a_loss_in_half_precision_is_averaged_in_full(self):
        loss = torch.ones(1001, dtype=torch.bfloat16)
        part = Objective([], losses=["recon"])({}, {}, {"recon": 1.0}, recon=loss)["recon"]
        assert (float(part.mean), float(part.count)) == (1.0, 1001.0)


label = st.floats(0, 1).map(lambda x: round(x, 3))
labels = st.lists(label, min_size=8, max_size=8)


def totals(objective, given_labels, halves):
    """Totals and gradients of the parts of a batch, added up."""
    z = LATENTS["latent"].clone().requires_grad_()
    red = torch.tensor(given_labels, dtype=torch.float64)
    total = sum(
        objective({"latent": z[part]}, {"red": red[part]}, {"anchor": 1.0, "recon": 1.0},
                  recon=z[part].square().sum(-1)).total / len(halves)
        for part in halves
    )  # fmt: skip
    total.backward()
    return torch.cat([total.detach().view(1), z.grad.flatten()])


WHOLE, HALVES = [slice(0, 8)], [slice(0, 4), slice(4, 8)]


@given(red=labels)
def test_with_a_declared_rate_two_halves_accumulate_to_the_whole(red):
    rated = Term("anchor", Anchor(X), label="red", reduction="rate", rate=0.2)
    objective = Objective([rated], losses=["recon"])
    halves, whole = totals(objective, red, HALVES), totals(objective, red, WHOLE)
    torch.testing.assert_close(halves, whole)


@given(red=labels)
def test_with_the_mass_of_the_whole_known_two_halves_accumulate_to_the_whole(red):
    mass = sum(red)
    mean_divisors = torch.tensor([mass / 2, 4.0], dtype=torch.float64)
    known = Objective([ANCHOR], losses=["recon"], reduce_mass=lambda _: mean_divisors)
    whole = totals(Objective([ANCHOR], losses=["recon"]), red, WHOLE)
    torch.testing.assert_close(totals(known, red, HALVES), whole, atol=1e-9, rtol=1e-6)


def test_without_it_a_half_with_all_the_labels_pulls_half_as_hard():
    objective = Objective([ANCHOR], losses=["recon"], constants={})
    red = [1.0, 1.0, 0.0, 1.0, 0.0, 0.0, 0.0, 0.0]
    assert not totals(objective, red, HALVES).allclose(totals(objective, red, WHOLE), rtol=0.01)


def test_divisors_are_reduced_as_one_vector_in_the_order_of_the_names():
    asked = []

    def remember(divisors):
        asked.append(divisors.tolist())
        return divisors * 2

    objective = Objective([ANCHOR, PLANE], losses=["recon"], reduce_mass=remember)
    row = dict.fromkeys(objective.names, 1.0)
    halved = objective(LATENTS, LABELS, row, recon=LOSS).total
    assert asked == [[2.5, 8.0, 8.0]]
    plain = Objective([ANCHOR, PLANE], losses=["recon"])(LATENTS, LABELS, row, recon=LOSS).total
    torch.testing.assert_close(halved, plain / 2)


def test_two_ranks_are_one_process_if_masses_are_averaged_over_them_and_only_then(tmp_path):
    multiprocessing.start_processes(
        ranks.train_on_rank, (str(tmp_path),), nprocs=2, start_method="fork"
    )
    (reduced, apart), on_the_other = (torch.load(tmp_path / f"{rank}.pt") for rank in (0, 1))
    assert torch.equal(reduced, on_the_other[0])
    alone = ranks.train(slice(0, 8))
    torch.testing.assert_close(reduced, alone)
    assert float((apart - alone).norm()) > 0.01


def test_a_wrapped_model_is_checked_like_the_model_itself():
    Objective([ANCHOR]).check(Around(Normed()), TestChecking().batch())
