import pytest
import torch
from refusals import refuses
from torch import nn
from training.tiny import COLORS, network, timeline, train

from latent_anchors.data import LabeledBatch
from latent_anchors.interventions import Steering, Suppression
from latent_anchors.models import Population, SphericalAutoencoder
from latent_anchors.training import EditedOutputLoss, Every, Forward, Loss, Teacher, reconstruction
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
    pictures = torch.tensor([0.0, 2.0, 4.0]).reshape(3, 1, 1, 1).expand(3, 3, 2, 2)
    assert reconstruction(halved, LabeledBatch(pictures)).tolist() == [0.0, 1.0, 4.0]


def test_reconstruction_of_half_precision_is_computed_in_full():
    batch = LabeledBatch(torch.tensor([[300.0, 0.0]]).half())
    assert reconstruction(lambda x, *_: (-x, {}), batch).tolist() == [180000.0]


def test_an_output_that_would_be_broadcast_to_the_input_is_refused():
    with refuses(ValueError, r"The output has shape \(2, 1\), the input \(2, 3\)"):
        reconstruction(lambda inputs: (inputs[:, :1], {}), LabeledBatch(torch.ones(2, 3)))


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


SEEDS = (3, 1, 4)
GRAY = torch.full((3,), 0.5)
POPULATION = Population.make(network, SEEDS)
X = [1.0, 0.0, 0.0, 0.0]
STEERED = Population.from_models([Steering([k, 0.0, 0.0, 0.0]).double() for k in (1.0, 2.0, 3.0)])


def fit(fallback, **options):
    losses = {"recon": reconstruction, "fallback": fallback}
    options = {"seeds": SEEDS, "terms": (), "losses": losses, **options}
    time = timeline(options.get("steps", 20), fallback=1.0, **options.pop("changes", {}))
    names = ("lr", "recon", "fallback")
    return train(time=type(time)({n: time[n] for n in names}, steps=time.steps), **options)


def with_edits(edits, at="latent"):
    return [
        lambda: EditedOutputLoss(edits, GRAY, at=at),
        lambda: Teacher(POPULATION, edits, at=at),
    ]


@pytest.mark.parametrize("make", [*with_edits({}), *with_edits({"latent": torch.neg}, "encoder")])
def test_edits_by_site_say_all_sites_themselves(make):
    with refuses(ValueError, r"Edits were given for the sites .* Leave `at` out"):
        make()


@pytest.mark.parametrize("make", with_edits(STEERED[:2]))
def test_edits_of_another_number_of_runs_are_refused(make):
    with refuses(ValueError, r"edit at 'latent' has 2 runs and 3 are to be trained.* Give one for"):
        make().begin(POPULATION)


def test_a_batch_without_the_runs_row_is_refused():
    with refuses(KeyError, r"The batch's extras hold no row of the 3 runs .* begin\(population\)"):
        Teacher(POPULATION).output(LabeledBatch(COLORS))


@pytest.mark.parametrize("execution", ["vmap", "sequential"])
def test_of_a_population_of_edits_each_run_has_its_own(execution):
    among = fit(EditedOutputLoss(STEERED, GRAY), steps=3, execution=execution)
    for run, seed in enumerate(SEEDS):
        alone = fit(EditedOutputLoss(STEERED[run], GRAY), steps=3, seeds=[seed]).history["fallback"]
        torch.testing.assert_close(among.history["fallback"][:, run], alone[:, 0])
    others = fit(EditedOutputLoss(STEERED[0], GRAY), steps=3).history["fallback"]
    assert not bool(torch.isclose(among.history["fallback"][0, 1:], others[0, 1:]).any())


def test_edits_with_tensors_act_alike_with_vmap_and_sequentially(
    monkeypatch,
):
    monkeypatch.setattr("latent_anchors.training._fit.step.UNTRACED", 2)
    edits = {"encoder": Suppression(X, strength=0.5), "latent": nn.Linear(4, 4).double()}
    together, sequential = (
        fit(EditedOutputLoss(edits, GRAY), steps=5, execution=how) for how in ("vmap", "sequential")
    )
    torch.testing.assert_close(together.history["fallback"], sequential.history["fallback"])


def test_what_an_edit_holds_is_not_trained_and_gets_no_gradient():
    edit = nn.Linear(4, 4).double()
    before = edit.weight.clone()
    fit(EditedOutputLoss(edit, GRAY), steps=3, execution="sequential", seeds=[3])
    assert torch.equal(edit.weight, before)
    assert edit.weight.grad is None


@pytest.mark.parametrize(
    "make", [lambda edit: edit, lambda edit: Population.from_models([edit] * 3)]
)
def test_a_strength_written_in_place_is_heeded_also_by_a_trace(make, monkeypatch):
    monkeypatch.setattr("latent_anchors.training._fit.step.UNTRACED", 2)
    edit = make(Suppression(X).double())
    (strength,) = (tensor for name, tensor in edit.state_dict().items() if "strength" in name)
    options = {"steps": 8, "changes": {"lr": 0.0}}
    ends = Every(5, lambda _: strength.fill_(0.0))
    edited = fit(EditedOutputLoss(edit, GRAY), callbacks=[ends], **options).history["fallback"]
    plain = fit(EditedOutputLoss(torch.clone, GRAY), **options).history["fallback"]
    torch.testing.assert_close(edited[5:], plain[5:])
    assert not bool(torch.isclose(edited[:5], plain[:5]).any())


def test_two_losses_of_one_kind_keep_their_tensors_apart():
    one, other = EditedOutputLoss(STEERED, GRAY), EditedOutputLoss(STEERED, GRAY)
    assert len({*one.memory(), *other.memory()}) == 2 * len(one.memory()) > 0
