"""A concept composes what exists: each method equals the calls that it stands for."""

import math

import numpy as np
import pytest
import torch
from refusals import refuses, unchecked
from torch import nn

import latent_anchors as la
from latent_anchors import Concept, audits, axis, evaluation, interventions
from latent_anchors import regularizers as reg
from latent_anchors.models import Population, Site

Z = torch.randn(6, 4, generator=torch.Generator().manual_seed(0))
LABELS = torch.tensor([1.0, 0.0, 0.5, 0.0, 1.0, 0.0])
V = [0.0, 3.0, 4.0, 0.0]
PLANE = [[1.0, 0.0, 0.0, 0.0], [1.0, 1.0, 0.0, 0.0]]


def model():
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(3, 4), nn.Linear(4, 4), nn.Linear(4, 2))


def mean_of(penalty, labels=LABELS):
    return (penalty(Z) * labels).sum() / labels.sum()


class TestPenalty:
    def test_of_a_direction_is_the_anchor_and_of_a_plane_the_subspace(self):
        v, plane = Concept("c", V, at="0"), Concept("c", PLANE, at="0")
        torch.testing.assert_close(v.penalty(Z, LABELS), mean_of(reg.Anchor(V)))
        torch.testing.assert_close(
            plane.penalty(Z, LABELS), mean_of(reg.Subspace(basis=PLANE, relative=True))
        )

    @pytest.mark.parametrize("direction", [V, PLANE])
    def test_is_exactly_zero_with_zero_gradient_where_nobody_is_labeled(self, direction):
        z = Z.clone().requires_grad_()
        penalty = Concept("c", direction, at="0").penalty(z, torch.zeros(6))
        penalty.backward()
        assert penalty == 0
        assert z.grad is not None
        assert (z.grad == 0).all()

    def test_pulls_the_labeled_and_no_others(self):
        z = Z.clone().requires_grad_()
        Concept("c", V, at="0").penalty(z, LABELS).backward()
        assert ((z.grad != 0).any(-1) == (LABELS > 0)).all()

    def test_does_not_see_what_a_mask_excludes(self):
        mask = torch.tensor([1, 1, 1, 0, 0, 1])
        lost = Z.clone()
        lost[3:5] = math.nan
        red = Concept("c", V, at="0")
        expected = red.penalty(Z[mask == 1], LABELS[mask == 1])
        torch.testing.assert_close(red.penalty(lost, LABELS, mask), expected)

    @pytest.mark.parametrize("labels", [LABELS, LABELS > 0, (LABELS > 0).long()])
    def test_may_keep_those_without_a_label_away(self, labels):
        red, has_it = Concept("c", V, at="0"), labels.float()
        cosine = evaluation.alignment(Z, V)
        expected = (has_it * (1 - cosine)).sum() / has_it.sum()
        no = 1 - has_it
        expected = expected + 0.3 * (no * cosine.clamp_min(0)).sum() / no.sum()
        torch.testing.assert_close(red.penalty(Z, labels, others=0.3), expected)
        mask = torch.tensor([1, 1, 1, 0, 0, 1])
        seen = red.penalty(Z[mask == 1], labels[mask == 1], others=0.3)
        torch.testing.assert_close(red.penalty(Z, labels, mask, others=0.3), seen)

    def test_keeps_nobody_away_where_everybody_is_labeled(self):
        red = Concept("c", V, at="0")
        assert red.penalty(Z, torch.ones(6), others=5.0) == red.penalty(Z, torch.ones(6))
        assert red.penalty(torch.tensor([V]), torch.zeros(1), others=5.0) == pytest.approx(5.0)

    def test_keeps_every_position_of_a_line_away(self):
        red = Concept("c", V, at="0", pool=reg.SoftMinimum(0.1))
        v = torch.tensor(V)
        z = torch.stack([torch.stack([v, -v]), torch.stack([-v, -v])])
        assert red.penalty(z, torch.zeros(2), others=1.0) == pytest.approx(0.25)

    @pytest.mark.parametrize("weight", [-1.0, math.inf, math.nan])
    def test_keeps_away_by_a_finite_weight(self, weight):
        with refuses(ValueError, "others is"):
            Concept("c", V, at="0").penalty(Z, LABELS, others=weight)

    @pytest.mark.parametrize("rows", [1, 2])
    def test_and_keep_out_do_not_depend_on_the_length_of_latents(self, rows):
        concept = Concept("c", torch.eye(4)[:rows].squeeze(0), at="0")
        term = concept.keep_out()
        for z in (Z, 100 * Z):
            found = concept.penalty(z, LABELS, others=0.7), term.reduce({"0": z}, {}).total
            torch.testing.assert_close(
                found, (concept.penalty(Z, LABELS, others=0.7), term.reduce({"0": Z}, {}).total)
            )

    def test_of_recorded_latents_at_several_sites_is_their_mean(self):
        red, net, x = Concept("c", V, at=["0", "1"]), model(), torch.rand(6, 3)
        with la.record(net, red.at) as z:
            net(x)
        each = [Concept("c", V, at=site).penalty(z[site], LABELS) for site in ("0", "1")]
        torch.testing.assert_close(red.penalty(z, LABELS), sum(each) / 2)

    def test_of_lines_is_pooled_over_the_positions_that_count(self):
        red = Concept("c", V, at="0", pool=reg.mean_pool)
        z, mask = torch.randn(2, 3, 4), torch.tensor([[1, 1, 0], [1, 0, 0]])
        anchored = reg.Anchor(V)(z)
        expected = (anchored[0, :2].mean() + anchored[1, 0]) / 2
        torch.testing.assert_close(red.penalty(z, torch.ones(2), mask), expected)

    def test_takes_numpy_labels(self):
        red = Concept("c", V, at="0")
        assert torch.equal(red.penalty(Z, LABELS.numpy()), red.penalty(Z, LABELS))
        elsewhere = Z.to("meta")  # as on a GPU, numpy's arrays are moved to the latents
        assert red.penalty(elsewhere, LABELS.numpy(), others=1.0).is_meta
        assert red.penalty(Z, np.array([True] * 6)) > 0

    def test_of_swapped_arguments_and_wrong_shapes_is_refused(self):
        red, two = Concept("c", V, at="0"), Concept("c", V, at=["0", "1"])
        with refuses(ValueError, "has shape"):
            red.penalty(LABELS, Z)
        with refuses(ValueError, "Term 'c': label 'c' has shape"):
            red.penalty(Z, LABELS[:3])
        with refuses(TypeError, "are of type list; expected what la.record"):
            red.penalty([1.0], LABELS)
        with refuses(ValueError, "lies at 2 sites, and one tensor was given"):
            two.penalty(Z, LABELS)
        with refuses(ValueError, "made for 4 latent dimensions.*shape \\(6, 3\\)"):
            red.penalty(Z[:, :3], LABELS)
        with refuses(ValueError, "runs from 0 to 7"):
            red.penalty(Z, torch.tensor([0, 7, 0, 0, 0, 0]))

    def test_with_a_named_mask_needs_it(self):
        with refuses(KeyError, "mask 'real'"):
            Concept("c", V, at="0", mask="real").penalty(Z, LABELS)


class TestTerms:
    def test_the_term_is_the_penalty_in_an_objective(self):
        red = Concept("red", V, at="0", mask="real")
        term = red.term(track="pull")
        assert (term.name, term.label, term.track, term.at) == ("red", "red", "pull", "0")
        every = torch.ones(6, dtype=torch.bool)
        reduced = term.reduce({"0": Z}, {"red": LABELS}, {"real": every})
        mean = reg.mean(reduced.total, reduced.divisor)
        torch.testing.assert_close(mean, red.penalty(Z, LABELS, every))

    def test_keep_out_acts_on_all_or_on_a_label(self):
        red = Concept("red", V, at="0")
        everyone, some = red.keep_out(), red.keep_out(label="gray", name="gray")
        assert (everyone.name, everyone.label) == ("keep_out_red", None)
        assert (some.name, some.label, some.track) == ("gray", "gray", "gray")
        expected = red.alignment(Z).relu().square().sum()
        torch.testing.assert_close(everyone.reduce({"0": Z}, {}).total, expected)

    def test_keep_out_of_a_plane_is_the_squared_cosine_with_it(self):
        red = Concept("red", torch.eye(4)[:2], at="0")
        expected = red.alignment(Z).square().sum()
        torch.testing.assert_close(red.keep_out().reduce({"0": Z}, {}).total, expected)


class TestEdit:
    @pytest.mark.parametrize(
        ("how", "within", "same"),
        [
            ("suppress", None, interventions.Suppression(V)),
            (
                "suppress",
                30,
                interventions.Suppression(
                    V, interventions.BoundedFalloff(math.cos(math.radians(30)))
                ),
            ),
            ("project", None, interventions.Projection([V])),
            ("repel", 50, interventions.Repulsion(V, interventions.LinearMapper(0.0, 0.6427876))),
            ("repel", None, interventions.Repulsion(V)),
            ("redirect", None, interventions.Redirection(V, [-v for v in V], path="arc")),
        ],
    )
    def test_is_the_named_edit(self, how, within, same):
        nearly_orthogonal = [100.0, 0.6, 0.8, 0.0]
        z = torch.cat([Z, torch.tensor([V, [-v for v in V], nearly_orthogonal])])
        found = Concept("c", V, at="0").edit(within, how)
        torch.testing.assert_close(found(z), same(z))
        torch.testing.assert_close(found.at(0.0)(z), z)

    def test_of_a_plane_is_its_projection(self):
        plane = Concept("c", PLANE, at="0")
        torch.testing.assert_close(plane.edit()(Z), interventions.Projection(PLANE)(Z))
        with refuses(ValueError, "is a plane of 2 directions, and how='repel' needs one"):
            plane.edit(how="repel")

    def test_refuses_other_ways_and_angles(self):
        red = Concept("c", V, at="0")
        with refuses(ValueError, "Unknown how to mute 'mute'"):
            red.edit(how="mute")
        for within, how in ((0, "suppress"), (180, "suppress"), (90, "repel"), (-3, "project")):
            with refuses(ValueError, "expected 0.02 or more and below"):
                red.edit(within, how)

    def test_mutes_at_every_site_for_the_length_of_the_block(self):
        red, net, x = Concept("c", V, at=["0", "1"]), model(), torch.rand(5, 3)
        before = net(x)
        edit = red.edit(how="project", strength=0.5)
        with la.intervene(net, edit, at=["0", "1"]):
            expected = net(x)
        with red.muted(net, how="project", strength=0.5):
            torch.testing.assert_close(net(x), expected)
        assert torch.equal(net(x), before)
        assert not torch.equal(expected, before)

    def test_mutes_at_some_positions(self):
        red, net, x = Concept("c", V, at="0"), nn.Sequential(nn.Identity()), torch.rand(2, 5, 4)
        mask = torch.rand(2, 5) > 0.5
        with red.muted(net, how="project", where=mask):
            muted = net(x)
        assert torch.equal(muted[~mask], x[~mask])
        torch.testing.assert_close(muted[mask], red.edit(how="project")(x[mask]))

    def test_amplifies_what_points_along_the_direction_and_leaves_the_rest(self):
        red, net, x = Concept("c", V, at="0"), nn.Sequential(nn.Identity()), torch.randn(9, 4)
        v, along = red.direction, x @ red.direction
        with red.amplified(net, factor=3.0, where=torch.arange(9) > 0):
            found = net(x) @ v
        assert found[0] == along[0]
        torch.testing.assert_close(found[1:], (along + 2 * along.relu())[1:])
        with refuses(ValueError, "is a plane of 2 directions, and amplifying needs one"):
            Concept("c", PLANE, at="0").amplified(net)


def over_axis_1(values, mask):
    """A pooling of one's own that knows batches of lines and no axis of runs."""
    return values.mean(1) if mask is None else (values * mask).sum(1) / mask.sum(1)


def test_a_pooling_of_ones_own_is_given_one_run_and_one_direction_at_a_time():
    lines, has_it = torch.randn(5, 5, 4), torch.tensor([1, 0, 1, 0, 1])
    net, mask = nn.Sequential(nn.Identity()), torch.rand(5, 5) < 0.7
    own, ours = (Concept("c", V, at="0", pool=pool) for pool in (over_axis_1, reg.mean_pool))
    for given in (None, mask):
        found, expected = (each.score(net, lines, has_it, given) for each in (own, ours))
        assert found.auc.mean == expected.auc.mean
    terms = [
        [
            Concept(f"c{k}", row, at="0", pool=pool).term()
            for k, row in enumerate(torch.eye(4).repeat(3, 1))
        ]
        for pool in (over_axis_1, reg.mean_pool)
    ]
    labels = {f"c{k}": has_it.float() for k in range(12)}
    totals = [
        [each.total for each in reg.reduce_terms(some, {"0": lines}, labels)] for some in terms
    ]
    torch.testing.assert_close(*totals)


class TestRemoval:
    @pytest.mark.parametrize("direction", [V, PLANE])
    def test_orthogonalizes_at_every_site(self, direction):
        net, x = model(), torch.rand(5, 3)
        clean = Concept("c", direction, at=["0", "1"]).removed(net, example=x)
        expected = interventions.orthogonalize(net, direction, "0", x)
        expected = interventions.orthogonalize(expected, direction, "1", x)
        assert torch.equal(clean(x), expected(x))
        assert not torch.equal(clean(x), net(x))

    def test_along_axes_ablates_or_prunes(self):
        net, x = model(), torch.rand(5, 3)
        for direction, dims in ((axis(2, dim=4), [2]), (axis(0, 3, dim=4), [0, 3])):
            red = Concept("c", direction, at="0")
            for how in ("ablate", "prune"):
                same = getattr(interventions, how)(net, dims, at="0")
                assert torch.equal(red.removed(net, x, how)(x), same(x))

    def test_prunes_once_where_two_sites_lie_between_the_same_layers(self):
        torch.manual_seed(0)
        net = nn.Sequential(nn.Linear(3, 4), nn.Identity(), nn.Linear(4, 2), nn.Linear(2, 2))
        x, red = torch.rand(5, 3), Concept("c", axis(1, dim=4), at=["0", "1"])
        pruned = red.removed(net, x, how="prune")
        assert pruned[0].out_features == 3
        torch.testing.assert_close(pruned(x), red.removed(net, x, how="ablate")(x))

    def test_prunes_at_each_of_two_sites_in_a_row(self):
        x, red = torch.rand(5, 3), Concept("c", axis(1, dim=4), at=["0", "1"])
        pruned = red.removed(model(), x, how="prune")
        assert [layer.out_features for layer in pruned] == [3, 3, 2]
        torch.testing.assert_close(pruned(x), red.removed(model(), x, how="ablate")(x))

    def test_of_one_side_or_in_place(self):
        x, red = torch.rand(5, 3), Concept("c", V, at="0")
        for how in ("orthogonalize", "ablate"):
            given = Concept("c", axis(1, dim=4), at="0") if how == "ablate" else red
            net, clean = model(), given.removed(model(), x, how, side="writing")
            assert given.removed(net, x, how, side="writing", inplace=True) is net
            torch.testing.assert_close(net.state_dict(), clean.state_dict())
            assert torch.equal(clean[1].weight, model()[1].weight)

    @pytest.mark.parametrize("given", [{"side": "writing"}, {"inplace": True}])
    def test_by_pruning_is_of_both_sides_and_of_a_copy(self, given):
        with refuses(ValueError, "how is 'prune', with .*expected neither"):
            Concept("c", axis(1, dim=4), at="0").removed(model(), None, "prune", **given)

    @pytest.mark.parametrize("direction", [V, [[1.0, 0.0, 0.0, 0.0], V]])
    def test_of_another_direction_cannot_prune(self, direction):
        red = Concept("c", direction, at="0")
        with refuses(ValueError, "does not lie along axes, which how='prune' needs"):
            red.removed(model(), torch.rand(5, 3), how="prune")
        with refuses(ValueError, "Unknown how to remove 'cut'"):
            red.removed(model(), torch.rand(5, 3), how="cut")


class TestScore:
    def test_is_of_the_mean_alignment_over_the_sites(self):
        red = Concept("c", V, at=["0", "1"])
        latents = {"0": Z, "1": -2 * Z.roll(1, 0), "2": Z}
        each = [evaluation.alignment(latents[site], V) for site in red.sites]
        torch.testing.assert_close(red.alignment(latents), sum(each) / 2)

    def test_of_lines_is_of_their_mean_alignment_over_the_positions_that_count(self):
        red = Concept("c", V, at="0", pool=reg.mean_pool)
        z, mask = torch.randn(2, 3, 4), torch.tensor([[1, 1, 0], [0, 0, 1]])
        cosines = evaluation.alignment(z, V)
        torch.testing.assert_close(red.alignment(z), cosines.mean(-1))
        masked = torch.stack([cosines[0, :2].mean(), cosines[1, 2]])
        torch.testing.assert_close(red.alignment(z, mask), masked)

    def test_is_auc_margin_and_alignment_of_each_run(self):
        nets = Population.make(model, seeds=range(3))
        x, has_it = torch.rand(40, 3), torch.arange(40) % 3 == 0
        found = Concept("c", V, at="0").score(nets, x, has_it)
        cosines = evaluation.alignment(evaluation.latents(nets, x, "0"), V)
        yes, no = cosines[:, has_it], cosines[:, ~has_it]
        assert found.auc.per_seed == pytest.approx(evaluation.auc(yes, no).tolist())
        assert found.margin.per_seed == pytest.approx(evaluation.margin(yes, no).tolist())
        assert found.alignment.per_seed == pytest.approx(yes.mean(-1).tolist())
        assert (found.auc.n, found.n_with, found.n_without) == (3, 14, 26)

    def test_of_an_ordinary_model_is_that_of_its_run_in_a_population(self):
        nets = Population.make(model, seeds=range(2))
        x, has_it = torch.rand(10, 3), torch.arange(10) < 4
        red = Concept("c", V, at="1")
        both = red.score(nets, x, has_it).auc.per_seed
        assert [red.score(net, x, has_it).auc.mean for net in nets] == pytest.approx(both)

    def test_of_lines_and_of_positions(self):
        torch.manual_seed(0)
        net, tokens = nn.Sequential(nn.Embedding(9, 4)), torch.randint(9, (8, 5))
        mask = torch.ones(8, 5, dtype=torch.int64)
        mask[:, 3:] = 0
        lines = Concept("c", V, at="0", pool=reg.mean_pool)
        has_it = torch.arange(8) < 4
        cosines = evaluation.alignment(evaluation.latents(net, tokens, "0"), V)[0]
        pooled = cosines[:, :3].mean(-1)
        expected = evaluation.auc(pooled[has_it], pooled[~has_it])
        assert lines.score(net, tokens, has_it, mask).auc.mean == pytest.approx(float(expected))
        each, counted = (tokens < 3), mask > 0
        places = Concept("c", V, at="0").score(net, tokens, each, mask)
        expected = evaluation.auc(cosines[each & counted], cosines[~each & counted])
        assert places.auc.mean == pytest.approx(float(expected))
        assert places.n_with + places.n_without == 24

    def test_leaves_out_what_the_mask_excludes_and_lines_without_any_position(self):
        red = Concept("c", V, at="0", pool=reg.mean_pool)
        z = torch.randn(5, 3, 4)
        mask = torch.ones(5, 3, dtype=torch.bool)
        mask[1] = False
        z[1], z[2, 2], mask[2, 2] = math.nan, math.nan, False
        kept = [0, 2, 3, 4]
        found = red.alignment(z, mask)
        assert found[1].isnan()
        assert found[kept].isfinite().all()
        torch.testing.assert_close(found[2], evaluation.alignment(z[2, :2], V).mean())
        net, has_it = nn.Sequential(nn.Identity()), torch.tensor([1, 1, 0, 0, 1])
        score = red.score(net, z, has_it, mask)
        assert (score.n_with, score.n_without) == (2, 2)
        assert score == red.score(net, z[kept], has_it[kept], mask[kept])
        places = Concept("c", V, at="0").alignment(z, mask)
        assert torch.equal(places.isfinite(), mask)

    def test_broadcasts_no_mask_and_takes_no_soft_one(self):
        red, z = Concept("c", V, at="0", pool=reg.mean_pool), torch.randn(5, 3, 4)
        with refuses(ValueError, r"The mask has shape \(3,\), the alignments have \(5, 3\)"):
            red.alignment(z, torch.ones(3, dtype=torch.bool))
        with refuses(TypeError, "The mask of concept 'c' is of type torch.float32"):
            red.alignment(z, torch.ones(5, 3))

    def test_leaves_the_mode_and_the_gradients_alone(self):
        net = model().train()
        Concept("c", V, at="0").score(net, torch.rand(4, 3), torch.tensor([1, 1, 0, 0]))
        assert net.training
        assert all(parameter.grad is None for parameter in net.parameters())

    def test_needs_a_yes_or_no_for_each_and_some_of_both(self):
        red, x = Concept("c", V, at="0"), torch.rand(4, 3)
        with refuses(ValueError, "has_it of concept 'c' has shape \\(3,\\), the alignments"):
            red.score(model(), x, torch.ones(3))
        with refuses(ValueError, "other values than 0 and 1.*degree > 0.5"):
            red.score(model(), x, torch.tensor([0.0, 0.5, 1.0, 1.0]))
        with refuses(ValueError, "says yes for 4 samples and no for 0"):
            red.score(model(), x, torch.ones(4))
        with refuses(ValueError, "Unknown site 'zero'"):
            Concept("c", V, at="zero").score(model(), x, torch.ones(4))

    def test_of_a_failed_run_is_no_value(self):
        nets = Population.make(model, seeds=range(2))
        nets.stacked[0].weight.data[1] = math.nan
        found = Concept("c", V, at="0").score(nets, torch.rand(4, 3), torch.tensor([1, 1, 0, 0]))
        for metric in (found.auc, found.margin, found.alignment):
            assert metric.per_seed[0] is not None
            assert metric.per_seed[1] is None
        nets.stacked[0].weight.data[0] = math.nan
        lost = Concept("c", V, at="0").score(nets, torch.rand(4, 3), torch.tensor([1, 1, 0, 0]))
        assert "auc=no value" in repr(lost)

    def test_shows_intervals_over_runs(self):
        nets = Population.make(model, seeds=range(3))
        found = Concept("c", V, at="0").score(nets, torch.rand(4, 3), torch.tensor([1, 1, 0, 0]))
        assert "[" in repr(found)


class TestFound:
    @pytest.mark.parametrize("method", ["mean_difference", "cav", "leace"])
    def test_points_to_the_samples_with_the_concept(self, method):
        z = torch.randn(400, 4, generator=torch.Generator().manual_seed(1))
        has_it = z[:, 1] - 0.5 * z[:, 2] > 0.8
        for labels, sign in ((has_it, 1.0), (~has_it, -1.0)):
            red = Concept.found("red", z, labels.float(), at="0", method=method)
            target = torch.tensor([0.0, sign, -0.5 * sign, 0.0])
            assert evaluation.alignment(red.direction, target) > 0.95
            assert red.direction.norm().item() == pytest.approx(1.0)

    def test_is_the_fitted_direction(self):
        has_it = Z[:, 0] > 0
        erasure = interventions.fit_mean_difference(Z, has_it)
        found = Concept.found("red", Z, has_it, at="0")
        torch.testing.assert_close(found.direction, erasure.right[0])

    def test_each_position_of_lines_is_a_sample(self):
        by_line = Concept.found("red", Z.reshape(2, -1, 4), (Z[:, 0] > 0).reshape(2, -1), at="0")
        one_by_one = Concept.found("red", Z, Z[:, 0] > 0, at="0")
        assert torch.equal(by_line.direction, one_by_one.direction)

    @pytest.mark.parametrize("method", ["mean_difference", "cav", "leace"])
    def test_refuses_labels_of_another_shape_than_the_samples(self, method):
        # a column would be multiplied with all samples, which leaves the sign to rounding
        for labels in (Z[:, :1] > 0, Z > 0):
            with refuses(ValueError, r"labels have shape .*one label for each sample.*\[:, 0\]"):
                Concept.found("red", Z, labels, at="0", method=method)

    def test_points_from_the_mean_without_the_concept_to_that_with_it(self):
        one_far = torch.tensor([[60.0, 0.1], [-1.0, 0.1], [-1.0, -0.1], [-1.0, 0.1], [-1.0, -0.2]])
        z, has_it = torch.cat([one_far, -one_far]), torch.tensor([1.0] * 5 + [0.0] * 5)
        direction = Concept.found("red", z, has_it, at="0").direction
        assert float(one_far.mean(0) @ direction) > 0

    def test_refuses_an_unknown_method(self):
        with refuses(ValueError, "Unknown method 'probe'"):
            Concept.found("red", Z, Z[:, 0] > 0, at="0", method="probe")


class TestConstruction:
    def test_a_direction_of_any_length_becomes_a_unit_vector_and_a_plane_orthonormal(self):
        v, plane = Concept("c", V, at="0"), Concept("c", PLANE, at="0")
        torch.testing.assert_close(v.direction, torch.tensor([0.0, 0.6, 0.8, 0.0]))
        torch.testing.assert_close(plane.direction @ plane.direction.mT, torch.eye(2))
        assert Concept("c", [V], at="0").direction.ndim == 1
        assert torch.equal(Concept("c", axis(0, 2, dim=4), at="0").direction, torch.eye(4)[[0, 2]])

    def test_is_frozen(self):
        with pytest.raises(AttributeError):
            Concept("c", V, at="0").name = "d"

    def test_sites_are_as_they_were_spelled(self):
        one, several = Concept("c", V, at="0"), Concept("c", V, at=["0", Site("1", axis=1)])
        assert (one.at, one.sites) == ("0", ("0",))
        assert several.at == several.sites == ("0", Site("1", axis=1))
        assert "at=('0', Site(" in repr(several)
        assert "a plane of 2 in 4 dimensions" in repr(Concept("c", PLANE, at="0"))

    def test_refuses_what_is_no_concept(self):
        with refuses(ValueError, "The name is empty"):
            Concept("", V, at="0")
        for at in ([], ["0", "0"], ["0", Site("0")]):
            with refuses(ValueError, "expected at least one, each once"):
                Concept("c", V, at=at)
        with refuses(TypeError, "The site is a module, Linear"):
            Concept("c", V, at=nn.Linear(1, 1))
        with refuses(ValueError, "points nowhere"):
            Concept("c", [0.0, 0.0], at="0")
        with refuses(ValueError, "not independent directions"):
            Concept("c", [[1.0, 0.0], [2.0, 0.0]], at="0")

    def test_axes_are_distinct_dimensions(self):
        assert torch.equal(axis(2, 0, dim=3), torch.eye(3)[[2, 0]])
        for indices in ((), (3,), (-1,), (0, 0)):
            with refuses(ValueError, "expected distinct ones from 0 to 2"):
                axis(*indices, dim=3)


class TestAudit:
    X = torch.randn(80, 3, generator=torch.Generator().manual_seed(1))

    def audit(self, concept, net, degrees):
        half = (self.X[:40], degrees[:40], self.X[40:], degrees[40:])
        return concept.audit(net, *half)

    def test_is_the_leakage_of_the_latents_at_its_sites_together(self):
        net, degrees = Population.make(model, seeds=[3, 5]), self.X[:, 0].sigmoid()
        z = torch.cat([evaluation.latents(net, self.X, at=site) for site in ("0", "1")], -1)
        halves = (z[:, :40], degrees[:40], z[:, 40:], degrees[40:])
        expected = audits.leakage(*halves, seeds=[3, 5])
        found = self.audit(Concept("c", V, at=["0", "1"]), net, degrees)
        torch.testing.assert_close(dict(found), dict(expected))

    def test_finds_nothing_of_what_was_projected_out_and_everything_before(self):
        red, net = Concept("c", axis(0, dim=3), at="0"), nn.Sequential(nn.Identity())
        assert self.audit(red, net, self.X[:, 0])["leakage/linear"] > 0.99
        with red.muted(net, how="project"):
            assert self.audit(red, net, self.X[:, 0])["leakage/linear"] < 0.2

    def test_degrees_are_not_rounded_to_the_latents_precision(self):
        red, net = Concept("c", axis(0, dim=3), at="0"), nn.Sequential(nn.Identity())
        years = 1000.0 + self.X[:, 0]
        x = self.X.bfloat16()
        found = red.audit(net, x[:40], years[:40], x[40:], years[40:])
        assert found["leakage/linear"] > 0.98

    def test_takes_yes_and_no_and_numpy(self):
        red, net, yes = Concept("c", V, at="0"), model(), self.X[:, 0] > 0
        found = self.audit(red, net, yes.numpy())
        torch.testing.assert_close(dict(found), dict(self.audit(red, net, yes.float())))

    def test_positions_that_count_are_samples(self):
        red, net, degrees = Concept("c", V, at=["0", "1"]), model(), self.X[:, 0].sigmoid()
        lines, mask = torch.randn(40, 5, 3), torch.zeros(40, 5, dtype=torch.bool)
        lines[:, 2], mask[:, 2] = self.X[:40], True
        spread = torch.full((40, 5), torch.nan)
        spread[:, 2] = degrees[:40]
        found = red.audit(net, lines, spread, self.X[40:, None], degrees[40:, None], mask=mask)
        torch.testing.assert_close(dict(found), dict(self.audit(red, net, degrees)))

    def test_refuses_degrees_of_other_places(self):
        red, net = Concept("c", V, at="0"), model()
        lines, degrees = torch.randn(40, 5, 3), torch.rand(40, 5)
        with refuses(ValueError, "The degrees have shape .40,., and the latents"):
            red.audit(net, lines, degrees[:, 0], lines, degrees)
        with refuses(ValueError, "The mask has shape .40, 1., and the latents"):
            red.audit(net, lines, degrees, lines, degrees, new_mask=torch.ones(40, 1) > 0)


def test_a_plane_may_be_a_list_of_directions():
    plane = Concept("p", [axis(0, dim=3), axis(2, dim=3)], at="0")
    assert torch.equal(plane.direction, Concept("p", torch.eye(3)[[0, 2]], at="0").direction)


def test_a_direction_is_found_with_labels_of_numpy():
    z, labels = (
        torch.tensor([[0.0, 1.0], [0.0, 3.0], [4.0, 1.0], [4.0, 3.0]]),
        np.array([0, 0, 1, 1]),
    )
    with unchecked():
        found = Concept.found("red", z, labels, at="0")
    assert found.direction.tolist() == [1.0, 0.0]


def test_lines_of_a_concept_that_pools_are_kept_out_by_a_label_of_lines():
    topic = Concept("topic", [1.0, 0.0], at="0", pool=reg.mean_pool)
    z, label = (
        torch.tensor([[[1.0, 0.0], [0.0, 1.0]], [[1.0, 0.0], [1.0, 0.0]]]),
        {"no": torch.eye(2)[0]},
    )
    reduced = topic.keep_out(label="no").reduce({"0": z}, label, {})
    assert float(reduced.total / reduced.divisor) == pytest.approx(0.5)
