"""Passes of a model that takes its batch by name."""

import torch
from adapters.small_models import SITE, llama
from refusals import refuses

import latent_anchors as la
from latent_anchors.adapters._batch_forward import BatchForward, BatchLosses, batch_for
from latent_anchors.interventions import ZeroAblation
from latent_anchors.training import (
    DistillationLoss,
    EditedOutputLoss,
    Loss,
    Objective,
    RetainLoss,
    Teacher,
    TokenCrossEntropy,
    UnderEdit,
    forward_kl,
    reconstruction,
)

IDS = torch.tensor([[3, 4, 5, 0]])
GIVEN = {"input_ids": IDS, "attention_mask": (IDS > 0).long()}


def forward() -> tuple[BatchForward, torch.Tensor]:
    model = llama().eval()
    with torch.no_grad(), la.record(model, SITE) as latents:
        output = model(**GIVEN)
    return BatchForward(model, GIVEN, "input_ids", (output, {SITE: latents[SITE]})), output.logits


def test_the_plain_pass_is_not_made_again():
    made, logits = forward()
    made.model = None
    found, latents = made(IDS)
    assert found is logits
    assert latents[SITE].shape == (1, 4, 16)


@torch.no_grad()
def test_other_passes_have_their_edits_sites_and_inputs():
    made, logits = forward()
    edited, latents = made(IDS, {SITE: torch.zeros_like})
    assert not torch.equal(edited, logits)
    assert latents[SITE].abs().max() == 0
    more, latents = made(IDS, record=["model.norm"])
    torch.testing.assert_close(more, logits)
    assert {*latents} == {SITE, "model.norm"}
    # other tokens are given without the batch's mask
    other, _ = made(torch.tensor([[3, 4]]))
    torch.testing.assert_close(other, logits[:, :2])


def test_a_batch_for_losses_tells_labels_from_the_rest():
    columns = {**GIVEN, "animal": torch.ones(1, 4), "text": ["a cat"]}
    batch = batch_for(IDS, columns, ["animal", "topic"])
    assert ({*batch.labels}, {*batch.extras}) == ({"animal"}, {"input_ids", "attention_mask"})


def test_scores_are_the_logits_or_what_a_plain_model_returns():
    scores = torch.randn(2, 3)
    for output in (scores, {"loss": torch.tensor(1.0), "logits": scores}):
        assert BatchForward(torch.nn.Identity(), GIVEN, "input_ids", (output, {})).output is scores


def test_a_model_without_logits_is_refused():
    hidden = {"loss": torch.tensor(1.0), "last_hidden_state": torch.ones(1, 4, 16)}
    with refuses(TypeError, r"returned a dict of 'loss', 'last_hidden_state'; expected logits"):
        BatchForward(torch.nn.Identity(), GIVEN, "input_ids", (hidden, {}))


def test_a_loss_is_divided_by_those_that_it_is_a_mean_over() -> None:
    edit = ZeroAblation([0])
    functions = {
        "retain": RetainLoss(reconstruction, edit, at="0", label="red"),
        "under": UnderEdit(reconstruction, edit, at="0", label="red"),
        "fallback": EditedOutputLoss(edit, torch.zeros(()), label="red", at="0"),
    }
    functions |= {
        "both": UnderEdit(functions["fallback"], edit, at="1", label="blue"),
        "kept": UnderEdit(functions["retain"], edit, at="1"),
        "plain": reconstruction,
    }
    losses = BatchLosses(Objective([], losses=[*functions]), functions)
    found, batch = losses.divisors(lambda _: None), {"red": torch.tensor([1.0, 0.25, 0.0, 0.0])}
    assert [found[name](batch) for name in functions] == [2.75, None, 1.25, 1.25, 2.75, None]
    assert {*losses.labels} == {"red", "blue"}


def test_a_mean_over_samples_with_one_label_and_without_another_is_refused():
    edit = ZeroAblation([0])
    fallback = EditedOutputLoss(edit, torch.zeros(()), label="red", at="0")
    functions = {
        "retain": RetainLoss(UnderEdit(fallback, edit, at="1"), edit, at="2", label="blue")
    }
    losses = BatchLosses(Objective([], losses=["retain"]), functions)
    with refuses(ValueError, "A RetainLoss of the label 'blue' holds a loss of the label 'red'"):
        losses.divisors(lambda _: None)


def padded(side: str) -> dict[str, torch.Tensor]:
    ids = torch.tensor([[3, 4, 5, 0], [6, 7, 8, 9]] if side == "right" else [[0, 3, 4, 5]])
    return {"input_ids": ids, "attention_mask": (ids > 0).long()}


def of_batch(loss: Loss, given: dict[str, torch.Tensor]) -> torch.Tensor:
    model = llama().eval()
    losses = BatchLosses(Objective([], losses=["own", "it"]), {"it": loss})
    with torch.no_grad():
        return losses(model, given, given, (model(**given), {}))["it"]


def test_a_position_that_is_another_token_in_padded_lines_is_refused():
    def says(position: int) -> Loss:
        error = TokenCrossEntropy(position)
        said = EditedOutputLoss(torch.zeros_like, say=torch.tensor(7), at=SITE, error=error)
        return UnderEdit(said, ZeroAblation([0]), "model.norm")

    with refuses(ValueError, "A line ends in padding, and the loss 'it' reads position -1.*left"):
        of_batch(says(-1), padded("right"))
    with refuses(ValueError, "A line begins with padding, and the loss 'it' reads position 2"):
        of_batch(says(2), padded("left"))
    with refuses(ValueError, "reads position -3"):  # which is a token, but not the third last
        of_batch(says(-3), padded("right"))
    for position, side in ((-1, "left"), (2, "right")):
        assert of_batch(says(position), padded(side)).isfinite().all()


class Logits(torch.nn.Module):
    """What a teacher has to be: tokens to logits."""

    def __init__(self, model: torch.nn.Module) -> None:
        super().__init__()
        self.model = model

    def forward(self, ids: torch.Tensor) -> torch.Tensor:
        return self.model(ids).logits


def test_a_teacher_that_would_read_padding_is_refused_and_one_without_logits_named():
    loss = DistillationLoss(Teacher(Logits(llama())), error=forward_kl)
    with refuses(ValueError, "The batch has padding, which the teacher of the loss 'it' would"):
        of_batch(loss, padded("right"))
    whole = torch.tensor([[3, 4, 5]])
    same = of_batch(loss, {"input_ids": whole, "attention_mask": torch.ones_like(whole)})
    torch.testing.assert_close(same, torch.zeros(1), atol=1e-6, rtol=0)
    with refuses(TypeError, "The teacher returned a CausalLMOutputWithPast; expected a tensor"):
        of_batch(DistillationLoss(Teacher(llama()), error=forward_kl), {"input_ids": whole})
