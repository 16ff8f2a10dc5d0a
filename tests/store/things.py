"""One of each public class that is saved: what the contract of saving is held to."""

from functools import cache

import torch
from torch import nn

import latent_anchors as la
from latent_anchors import (
    audits,
    baselines,
    colorspace,
    concepts,
    curriculum,
    data,
    evaluation,
    interventions,
    models,
    testbed,
    training,
    transitions,
)
from latent_anchors import regularizers as reg

RED = [1.0, 2.0, 0.5]
FALLOFF = interventions.ConeFalloff(10.0, 20.0)
SITE = models.Site("encoder.2", axis=1, item="hidden")


@la.register("tests.tilted")
def tilted(row):
    """Sampling weights that follow a row."""
    return torch.tensor([1.0, row["tilt"], 1.0])


@la.register("tests.high")
def high(value: float) -> bool:
    """What a condition may ask."""
    return value > 0.5


@la.register("tests.TiedLines")
class TiedLines(nn.Module):
    """Logits by the embedding's own weight, its norm frozen."""

    def __init__(self, tokens: int = 5, width: int = 4) -> None:
        super().__init__()
        self.tokens, self.width = tokens, width
        self.embedding = nn.Embedding(tokens, width)
        self.norm = nn.LayerNorm(width)
        self.norm.requires_grad_(False)
        self.head = nn.Linear(width, tokens, bias=False)
        self.head.weight = self.embedding.weight

    def forward(self, x):
        return self.head(self.norm(self.embedding(x)))


def track(*values: float) -> curriculum.Track:
    return curriculum.Track([curriculum.Keyframe(3 * n, v) for n, v in enumerate(values)])


def timeline() -> curriculum.Timeline:
    phases = [curriculum.Phase("early", 0), curriculum.Phase("late", 3)]
    tracks = {"lr": track(0.1, 0.2, 0.1), "recon": track(1.0), "tilt": track(0.0, 2.0)}
    return curriculum.Timeline(tracks, phases, {4: ["look"]}, steps=9)


def score() -> concepts.Score:
    return concepts.Score(*[evaluation.summarize([0.5, 0.25])] * 3, n_with=3, n_without=5)


def played() -> curriculum.Playhead:
    rules = [
        curriculum.Trigger("recon", curriculum.Plateau(2), curriculum.Retarget("lr", 0.3, over=2)),
        curriculum.Trigger("recon", curriculum.Below(0.5), curriculum.EndPhase(), vote="any"),
    ]
    playhead = curriculum.Playhead(timeline(), rules, runs=2)
    for step, values in enumerate([[1.0, 2.0], [1.0, 1.0], [1.0, 0.2]]):
        playhead.observe(step, {"recon": values})
    return playhead


def moved() -> transitions.MovingValue:
    moving = transitions.MovingValue(0.1, space="log", bounds=(0.01, 2.0), overshoot="clamp")
    moving.retarget(2, 1.5, duration=9)
    moving.retarget(5, 0.2, duration=7)
    return moving


def sampler() -> data.Sampler:
    chance = torch.tensor([0.5, 1.0, 0.0])
    labels = {"a": data.BernoulliLabels(chance), "b": data.SoftLabels(chance)}
    weights = data.ScheduledWeights(tilted, timeline(), tracks=("tilt",))
    return data.Sampler(torch.eye(3), labels, 4, weights, {"row": torch.arange(3)})


def rare_labels() -> data.RareLabels:
    labels = {"a": data.BernoulliLabels(torch.tensor([0.5, 1.0, 0.0]))}
    return data.RareLabels(data.Sampler(torch.eye(3), labels, 4), steps=7, often={"a": 0.25})


def population() -> models.Population:
    return models.Population.make(models.SphericalAutoencoder, seeds=[5, 3])


def objective() -> la.Objective:
    shared = reg.Anchor(RED)
    terms = [
        la.Term("near", shared, label="red", at=[SITE, "latent"], track="w", pool=reg.min_pool),
        la.Term("again", shared, at={SITE: 2.0}, reduction="rate", rate=0.25),
        la.Term("unit", reg.unit_norm, mask="mask"),
    ]
    return la.Objective(
        terms,
        ["recon"],
        other_tracks=["lr"],
        constants={"recon": 1.0},
        reduce_mass=training.mean_over_processes,
    )


def trained(
    make=models.SphericalAutoencoder, steps: int = 5, execution="vmap"
) -> training.FitResult:
    parts = la.Objective([], ["recon"], other_tracks=["lr", "tilt"])
    colors = data.Sampler(torch.rand(9, 3, generator=torch.Generator().manual_seed(0)))
    options = {"seeds": (4, 2), "progress": False, "steps": steps, "execution": execution}
    options["actions"] = {"look": id}
    losses = {"recon": training.reconstruction}
    return la.fit(make, parts, timeline(), colors, losses=losses, **options)


def reduction() -> reg.Reduction:
    return reg.Term("unit", reg.unit_norm).reduce({"latent": torch.rand(4, 3)}, {})


LOSSES = testbed.TopicLosses(torch.ones(2), torch.tensor([1, 3]), ("animal", "act"))


@cache
def things() -> dict[str, list[object]]:
    """By public name, examples of each class that have something of everything in them."""
    part = training.ObjectivePart(*torch.tensor([0.5, 2.0, 3.0, 4.0]))
    floats = torch.tensor([0.25, float("nan")])
    edit = interventions.Suppression(RED, FALLOFF, strength=0.3)
    teacher = training.Teacher(population(), edit)
    fit = trained()
    metric = evaluation.summarize([0.1, None, 0.3])
    return {
        "transitions.MovingValue": [moved()],
        "curriculum.Above": [curriculum.Above(0.5, patience=2, clear=0.4, smoothing=0.5)],
        "curriculum.Below": [curriculum.Below(-1.0, smoothing=0.25)],
        "curriculum.Dopesheet": [curriculum.Dopesheet(["STEP", "lr"], [["0", "1"], ["+2", "3"]])],
        "curriculum.EndPhase": [curriculum.EndPhase()],
        "curriculum.ExtendPhase": [curriculum.ExtendPhase(3)],
        "curriculum.RunAction": [curriculum.RunAction("look")],
        "curriculum.Fired": [*played().log],
        "curriculum.Keyframe": [curriculum.Keyframe(3, 0.1, transitions.quintic, rest=True)],
        "curriculum.Phase": [curriculum.Phase("late", 9)],
        "curriculum.Plateau": [curriculum.Plateau(2, margin=0.1, better="higher")],
        "curriculum.Playhead": [played()],
        "curriculum.Retarget": [curriculum.Retarget("lr", 0.5, over=2, of="factor")],
        "curriculum.Stop": [curriculum.Stop()],
        "curriculum.Timeline": [timeline()],
        "curriculum.Track": [track(1.0, 2.0)],
        "curriculum.Trigger": [*played().triggers],
        "curriculum.Predicate": [curriculum.Predicate(high, smoothing=0.5)],
        "colorspace.HsvGrid": [colorspace.hsv_grid(3, 2, 2)],
        "regularizers.Anchor": [
            *(reg.Anchor(RED), reg.Anchor(torch.tensor(RED).double()), reg.Anchor(RED, within=40))
        ],
        "regularizers.AntiAnchor": [reg.AntiAnchor(RED), reg.AntiAnchor(RED, beyond=70, power=2.0)],
        "regularizers.AntiSubspace": [
            reg.AntiSubspace(basis=[RED, [0.0, 1.0, 3.0]]),
            reg.AntiSubspace(dims=[1], relative=True),
        ],
        "regularizers.EuclideanAnchor": [reg.EuclideanAnchor(RED)],
        "regularizers.EuclideanSeparation": [reg.EuclideanSeparation(0.01, chunk=3)],
        "regularizers.Reduction": [reduction()],
        "regularizers.Separation": [reg.Separation(50.0)],
        "regularizers.SoftMinimum": [reg.SoftMinimum(0.25)],
        "regularizers.Subspace": [reg.Subspace(dims=(0, 1)), reg.Subspace(basis=[RED])],
        "regularizers.Term": [*objective().terms],
        "models.Normalize": [models.Normalize(), models.Normalize(axis=1)],
        "models.NormalizedTransformer": [models.NormalizedTransformer(5, 8, 2, 2, 6)],
        "models.PatchAutoencoder": [
            models.PatchAutoencoder(latent_dim=2, hidden=3, patch=2, context=1).eval()
        ],
        "models.PlainAutoencoder": [models.PlainAutoencoder(normalize=True).double()],
        "models.Population": [
            population(),
            models.Population.make(lambda: models.PrenormTransformer(5, 8, 1, 2, 6), [1, 2]),
            models.Population.make(TiedLines, [1, 2]).eval(),
            models.Population.from_models([edit, edit.at(0.7)], seeds=[8, 9]),
        ],
        "models.PrenormTransformer": [models.PrenormTransformer(5, 8, 2, 2, 6).eval()],
        "models.Site": [SITE],
        "models.SphericalAutoencoder": [models.SphericalAutoencoder(latent_dim=5, depth=2)],
        "models.UnitNorm": [models.UnitNorm({"embedding.weight": -1})],
        "interventions.Amplification": [interventions.Amplification(RED, 3.0, FALLOFF)],
        "interventions.NormKeeping": [edit.keep_norm().at(0.5)],
        "interventions.BezierFalloff": [interventions.BezierFalloff(0.5, 4.0)],
        "interventions.BezierMapper": [interventions.BezierMapper()],
        "interventions.BoundedFalloff": [interventions.BoundedFalloff(0.5, 2.0)],
        "interventions.Composition": [
            edit.then(interventions.ZeroAblation([1])).then(edit).at(0.5)
        ],
        "interventions.ConeFalloff": [FALLOFF],
        "interventions.Erasure": [
            interventions.Erasure(torch.eye(3)[:, :1], torch.eye(3)[:1], torch.tensor(RED))
        ],
        "interventions.SiteLayers": [interventions.SiteLayers("encoder.2", ("decoder.0",))],
        "interventions.LinearMapper": [interventions.LinearMapper(0.1, 0.4)],
        "interventions.Projection": [interventions.Projection([RED], FALLOFF)],
        "interventions.Redirection": [
            interventions.Redirection(
                RED, [0.0, 1.0, 0.0], interventions.constant_falloff, path="arc"
            )
        ],
        "interventions.Repulsion": [interventions.Repulsion(RED, towards=[0.0, 0.0, 1.0])],
        "interventions.Steering": [interventions.Steering(RED, strength=0.125)],
        "interventions.Suppression": [edit, interventions.Suppression([0.1, 0.7, 3.0])],
        "interventions.ZeroAblation": [interventions.ZeroAblation([0, 2], strength=0.1)],
        "data.BernoulliLabels": [data.BernoulliLabels(torch.tensor([0.5, 1.0]))],
        "data.LabelCount": [data.LabelCount(torch.tensor([82.0]), 91)],
        "data.LabeledBatch": [data.LabeledBatch(torch.eye(2), {"a": floats}, {"1": floats})],
        "testbed.Definitions": [testbed.made_up_definitions(2)],
        "testbed.TopicLosses": [LOSSES],
        "testbed.TopicStudy": [
            testbed.TopicStudy("animal", LOSSES, LOSSES, {"x": LOSSES}),
            testbed.TopicStudy("animal", LOSSES, LOSSES, {}, LOSSES),
        ],
        "testbed.MixingLanguage": [testbed.MixingLanguage(3, ("+", "-"))],
        "testbed.MixingSplit": [
            testbed.MixingSplit(torch.ones(2, 2).long(), torch.zeros(1, 2).long())
        ],
        "data.RareLabels": [rare_labels()],
        "data.Sampler": [sampler()],
        "data.ScheduledWeights": [sampler().weights],
        "data.SoftLabels": [data.SoftLabels(torch.tensor([0.5, 1.0]))],
        "training.LatentMatchingLoss": [training.LatentMatchingLoss(teacher, SITE, power=0.5)],
        "training.Every": [training.Every(3, reg.unit_norm)],
        "training.Failure": [training.Failure(1, 3, "recon")],
        "training.EditedOutputLoss": [
            training.EditedOutputLoss(
                {SITE: edit}, torch.tensor(0.5), "red", error=training.TokenCrossEntropy(2)
            )
        ],
        "training.FitResult": [fit, trained(TiedTraining, execution="sequential")],
        "training.History": [fit.history],
        "training.DistillationLoss": [
            training.DistillationLoss(teacher),
            training.DistillationLoss(teacher, error=training.forward_kl),
        ],
        "training.NextToken": [training.NextToken((1, -1), "mask")],
        "training.Objective": [objective()],
        "training.ObjectivePart": [part],
        "training.ObjectiveOutput": [training.ObjectiveOutput(torch.tensor(1.0), {"recon": part})],
        "training.RetainLoss": [training.RetainLoss(training.reconstruction, edit, SITE, "red")],
        "training.UnderEdit": [training.UnderEdit(training.reconstruction, edit, SITE, "prevent")],
        "training.TrainState": [fit.state],
        "training.TokenCrossEntropy": [training.TokenCrossEntropy(-1)],
        "training.Teacher": [teacher],
        "concepts.Concept": [
            concepts.Concept("red", RED, at="0", pool=reg.mean_pool, mask="real"),
            concepts.Concept("hue", concepts.axis(0, 2, dim=3), at=["0", SITE]),
        ],
        "concepts.ConceptBank": [
            concepts.ConceptBank([concepts.Concept(name, RED, at="0") for name in ("red", "too")])
        ],
        "concepts.Score": [score()],
        "concepts.ScoreHistory": [concepts.ScoreHistory("red", (0, 100), (score(), score()))],
        "evaluation.DegreeBin": [evaluation.DegreeBin(0.0, 0.5, 3, None, (0.1, 0.2))],
        "evaluation.DoseResponse": [
            evaluation.DoseResponse((0.0, 1.0), (metric,) * 2, (metric,) * 2, None, ((), (1,)))
        ],
        "evaluation.Frontier": [evaluation.Frontier({"a": (torch.rand(3, 2), torch.rand(3, 2))})],
        "evaluation.Evaluation": [evaluation.Evaluation({"a/b": floats, "a": floats})],
        "testbed.LineAlignment": [
            testbed.LineAlignment(
                *(torch.rand(shape) for shape in (2, 2, (2, 1, 3), 2, 2, (2, 1, 4))),
                torch.tensor([True, False]),
            )
        ],
        "evaluation.Metric": [metric],
        "testbed.Bigrams": [testbed.Bigrams(torch.eye(3))],
        "testbed.MixingFloors": [testbed.MixingFloors(0.1, 0.2, 0.3, 4)],
        "testbed.MixingSize": [testbed.MixingSize(), testbed.MixingSize.of(full=True)],
        "testbed.SeedSplits": [testbed.SeedSplits((0, 1, 2), count=2)],
        "baselines.Cost": [baselines.Cost(0.5, 3, 9)],
        "baselines.Finding": [baselines.Finding("leace", at=("0", SITE))],
        "baselines.GradientRouting": [baselines.GradientRouting("0", (0, 2), l1=0.25, heal=3)],
        "baselines.KnownEdits": [baselines.KnownEdits({"0": edit, SITE: edit.at(0.5)})],
        "baselines.SelectiveMasking": [
            baselines.SelectiveMasking({"0.weight": torch.eye(3).bool()}, 0.5, ("1.bias",), 9)
        ],
        "baselines.Found": [
            baselines.mean_difference(torch.eye(3), torch.tensor([0.0, 1.0, 0.0])),
        ],
        "audits.Relearning": [
            audits.Relearning(
                (0, 1),
                9.0,
                evaluation.Evaluation({"a": floats}),
                {"a": floats[None]},
                {"a": ("x", "y")},
            )
        ],
    }


class TiedTraining(models.SphericalAutoencoder):
    """With a frozen encoder and two layers of one weight."""

    def __init__(self, latent_dim: int = 4) -> None:
        super().__init__(channels=4 - 1, latent_dim=latent_dim, hidden=latent_dim, depth=2)
        self.encoder.requires_grad_(False)
        self.decoder[2].weight = self.decoder[0].weight


la.register("tests.TiedTraining")(TiedTraining)
