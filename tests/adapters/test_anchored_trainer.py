"""Hugging Face's Trainer, with an objective and a timeline."""

import copy
import sys
from pathlib import Path

import pytest
import torch
from adapters import two_processes
from adapters.small_models import SITE, UP, gradients, lines, llama, objective, padded, timeline
from refusals import refuses
from torch import Tensor, nn
from torch.multiprocessing import start_processes
from wrapping import Around

import latent_anchors as la
from latent_anchors import adapters, concepts, curriculum, interventions, training
from latent_anchors import regularizers as reg
from latent_anchors.data import LabeledBatch

SUPERVISED = ("animal", "topic")
"""Columns for terms, which no model takes."""


def trainer(folder: Path, model: nn.Module | None = None, **options) -> adapters.AnchoredTrainer:
    from transformers import TrainingArguments

    given = {
        "max_steps": 1,
        "per_device_train_batch_size": 8,
        "max_grad_norm": 0,
        "report_to": [],
        "use_cpu": True,
        "disable_tqdm": True,
        "save_strategy": "no",
        "optim": "sgd",
        "logging_steps": 1,
    }
    names = TrainingArguments.__dataclass_fields__
    given |= {name: options.pop(name) for name in list(options) if name in names}
    return adapters.AnchoredTrainer(
        model=llama() if model is None else model,
        args=TrainingArguments(str(folder), **given),
        data_collator=options.pop("data_collator", padded),
        train_dataset=options.pop("train_dataset", lines()),
        objective=options.pop("objective", None) or objective(),
        timeline=options.pop("timeline", None) or timeline(),
        **options,
    )


def step_of_trainer(folder: Path, **options) -> Tensor:
    """How one step moves all parameters, with SGD at a rate of 0.5."""
    model = llama()
    before = nn.utils.parameters_to_vector(model.parameters()).detach().clone()
    trainer(folder, model, **options).train()
    return nn.utils.parameters_to_vector(model.parameters()).detach() - before


def step_of_a_loop(rows: list[dict]) -> Tensor:
    """The same, on the whole batch, in plain PyTorch."""
    model, batch = llama(), padded(rows)
    given = {name: batch[name] for name in ("input_ids", "attention_mask", "labels")}
    with la.record(model, objective().sites) as latents:
        task = model(**given).loss
    total = objective()(latents, batch, timeline()(0), batch, task=task).total
    total.backward()
    return -0.5 * gradients(model)


@pytest.mark.parametrize("accumulated", [1, 4])
def test_a_step_is_that_of_a_plain_loop_on_the_whole_batch(tmp_path: Path, accumulated: int):
    options = {
        "per_device_train_batch_size": 8 // accumulated,
        "gradient_accumulation_steps": accumulated,
        "train_dataset": lines(8),
    }
    found = step_of_trainer(tmp_path, **options)
    torch.testing.assert_close(found, step_of_a_loop(lines(8)), atol=1e-6, rtol=0)


def test_two_processes_with_two_micro_batches_make_the_same_step(tmp_path: Path):
    trainer(tmp_path)  # everything is imported before the processes part
    start_processes(two_processes.trainer_step, (tmp_path,), nprocs=2, start_method="fork")
    for rank in range(2):
        found = torch.load(tmp_path / f"{rank}.pt")
        torch.testing.assert_close(found, step_of_a_loop(lines(8)), atol=1e-6, rtol=0)


def classes(n: int) -> list[dict]:
    return [
        {"x": torch.randn(4), "labels": torch.tensor(k % 3), "red": torch.tensor(k % 5 / 4)}
        for k in range(n)
    ]


class Classifier(nn.Module):
    """Takes no number of items, so that Trainer takes the mean of its losses."""

    main_input_name = "x"

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.latent, self.head = nn.Linear(4, 3), nn.Linear(3, 3)

    def forward(self, x: Tensor, labels: Tensor | None = None) -> dict[str, Tensor]:
        logits = self.head(self.latent(x))
        given = {} if labels is None else {"loss": nn.functional.cross_entropy(logits, labels)}
        return {**given, "logits": logits}


def constant(*names: str) -> curriculum.Timeline:
    return curriculum.Timeline({n: curriculum.Track([curriculum.Keyframe(0, 0.5)]) for n in names})


def test_uneven_micro_batches_of_a_model_with_means_are_the_whole_batch(tmp_path: Path):
    samples = classes(7)
    red = la.Term("red", reg.Anchor(UP[:3]), label="red")
    settled = la.Objective([red], losses=["task"], other_tracks=["lr"])
    plan, model, whole = constant("task", "red", "lr"), Classifier(), Classifier()
    before = nn.utils.parameters_to_vector(model.parameters()).detach().clone()
    options = {"per_device_train_batch_size": 2, "gradient_accumulation_steps": 4}
    options |= {"objective": settled, "timeline": plan, "train_dataset": samples}
    trainer(tmp_path, model, data_collator=None, **options).train()
    batch = torch.utils.data.default_collate(samples)
    with la.record(whole) as latents:
        task = whole(batch["x"], batch["labels"])["loss"]
    settled(latents, batch, plan(0), task=task).total.backward()
    moved = nn.utils.parameters_to_vector(model.parameters()).detach() - before
    torch.testing.assert_close(moved, -0.5 * gradients(whole), atol=1e-6, rtol=0)


class Wrapped(Around):
    """Around a model that takes its batch by name."""

    def forward(self, **batch):
        return self.module(**batch)


@pytest.mark.parametrize("wrap", [lambda model: model, Wrapped])
def test_a_batch_that_is_no_trainings_has_the_objective_of_a_whole_batch(tmp_path: Path, wrap):
    def size(forward, batch: LabeledBatch) -> Tensor:
        return forward(batch.inputs)[0].square().mean()

    red = la.Term("red", reg.Anchor(UP[:3]), label="red")
    settled = la.Objective([red], losses=["task", "size"], other_tracks=["lr"])
    plan, model = constant("task", "red", "size", "lr"), Classifier()
    options = {"objective": settled, "timeline": plan, "losses": {"size": size}}
    made = trainer(tmp_path, model, train_dataset=classes(4), **options)
    batch = torch.utils.data.default_collate(classes(5))
    found = made.compute_loss(wrap(model).train(), batch)
    with la.record(model) as latents:
        output = model(batch["x"], batch["labels"])
    losses = {"task": output["loss"], "size": output["logits"].square().mean()}
    torch.testing.assert_close(found, settled(latents, batch, plan(0), **losses).total)


class MeansOfTokens(nn.Module):
    """A causal language model that takes no number of items, as many that read images."""

    main_input_name, loss_type = "input_ids", "ForCausalLM"

    def __init__(self) -> None:
        super().__init__()
        self.inner = llama()
        self.config = self.inner.config

    def forward(
        self,
        input_ids: Tensor,
        attention_mask: Tensor,
        labels: Tensor | None = None,
        shift_labels: Tensor | None = None,
    ):
        given = {"labels": labels, "shift_labels": shift_labels}
        return self.inner(input_ids=input_ids, attention_mask=attention_mask, **given)


def with_next_tokens(rows: list[dict]) -> dict[str, Tensor]:
    """A collator that says itself what each token predicts: some lines, nothing."""
    batch = padded(rows)
    following = nn.functional.pad(batch["labels"][:, 1:], (0, 1), value=-100)
    return batch | {"shift_labels": following.masked_fill(batch["topic"][:, None] > 0, -100)}


@pytest.mark.parametrize("collated", [padded, with_next_tokens])
def test_a_mean_over_tokens_is_over_those_that_are_predicted(tmp_path: Path, collated):
    model, whole, rows = MeansOfTokens(), MeansOfTokens(), lines(8)
    options = {"objective": la.Objective([], losses=["task"], other_tracks=["lr"])}
    options |= {"timeline": constant("task", "lr"), "train_dataset": rows}
    options |= {"extras": ["animal", "topic"], "data_collator": collated}
    options |= {"per_device_train_batch_size": 2, "gradient_accumulation_steps": 4}
    before = nn.utils.parameters_to_vector(model.parameters()).detach().clone()
    trainer(tmp_path, model, **options).train()
    moved = nn.utils.parameters_to_vector(model.parameters()).detach() - before
    given = {name: column for name, column in collated(rows).items() if name not in SUPERVISED}
    (0.5 * whole(**given).loss).backward()
    torch.testing.assert_close(moved, -0.5 * gradients(whole), atol=1e-6, rtol=0)


@pytest.mark.parametrize("kinds", [1, 3])  # of one the loss is a squared error
def test_a_loss_that_no_number_of_items_divides_is_that_of_the_whole_batch(
    tmp_path: Path, kinds: int
):
    from transformers import LlamaForSequenceClassification

    def classified(rows: list[dict]) -> dict[str, Tensor]:
        labels = torch.tensor([len(row["input_ids"]) % 3 for row in rows])
        batch = {name: padded(rows)[name] for name in ("input_ids", "attention_mask")}
        return batch | {"labels": labels if kinds > 1 else labels.float()}

    config, rows = llama().config, lines(7)
    config.num_labels = kinds
    model = LlamaForSequenceClassification(config)
    whole = copy.deepcopy(model)
    options = {"objective": la.Objective([], losses=["task"], other_tracks=["lr"])}
    options |= {"timeline": constant("task", "lr"), "train_dataset": rows}
    options |= {"extras": ["animal", "topic"], "data_collator": classified}
    options |= {"per_device_train_batch_size": 2, "gradient_accumulation_steps": 4}
    before = nn.utils.parameters_to_vector(model.parameters()).detach().clone()
    trainer(tmp_path, model, **options).train()
    moved = nn.utils.parameters_to_vector(model.parameters()).detach() - before
    (0.5 * whole(**classified(rows)).loss).backward()
    torch.testing.assert_close(moved, -0.5 * gradients(whole), atol=1e-6, rtol=0)


def trained(folder: Path, steps: int, resume: bool = False, **options) -> list[Tensor]:
    """Parameters and the optimizer's moments after some steps; a checkpoint at step 3."""
    model = llama()
    options = {"max_steps": steps, "save_strategy": "steps", "save_steps": 3, **options}
    options = {"optim": "adamw_torch", "logging_steps": 3, "timeline": played(), **options}
    made = trainer(folder, model, **options)
    made.train(resume_from_checkpoint=str(folder / "checkpoint-3") if resume else None)
    moments = [each["exp_avg"] for each in made.optimizer.state_dict()["state"].values()]
    return [*model.parameters(), *moments]


def played() -> curriculum.Playhead:
    """A trigger fires at step 1 and moves a weight, and the rate, for the next five steps."""
    rules = [
        curriculum.Trigger("task", curriculum.Above(0.0, patience=2), then)
        for then in (
            curriculum.Retarget("animal", 2.0, over=5),
            curriculum.Retarget("lr", 0.01, over=0),
        )
    ]
    return curriculum.Playhead(timeline(), rules)


def test_a_training_resumes_bit_for_bit_with_its_playhead(tmp_path: Path):
    whole = trained(tmp_path / "whole", 6)
    trained(tmp_path / "parts", 3)
    resumed = trained(tmp_path / "parts", 6, resume=True)
    assert all(map(torch.equal, whole, resumed))
    untriggered = trained(tmp_path / "other", 6, timeline=timeline())
    assert not all(map(torch.equal, whole, untriggered))


def test_the_rate_and_the_weights_are_those_of_the_timeline(tmp_path: Path):
    made = trainer(tmp_path, max_steps=4, gradient_accumulation_steps=2)
    made.train()
    logs = [log for log in made.state.log_history if "loss" in log]
    for step, log in enumerate(logs):
        row = timeline()(step)
        assert log["learning_rate"] == row["lr"]
        shares = [log[f"objective/{name}/weighted"] for name in ("task", "animal", "topic")]
        means = [row[name] * log[f"objective/{name}"] for name in ("task", "animal", "topic")]
        assert shares == pytest.approx(means, rel=1e-5)
        assert log["loss"] == pytest.approx(sum(shares), rel=1e-4)
        assert log["objective/total"] == pytest.approx(sum(shares), rel=1e-5)
    assert len(logs) == 4


def test_a_trigger_ends_the_training(tmp_path: Path):
    rule = curriculum.Trigger("task", curriculum.Above(0.0, patience=2), curriculum.Stop())
    made = trainer(tmp_path, timeline=curriculum.Playhead(timeline(), [rule]), max_steps=9)
    assert made.train().global_step == 2


def test_a_training_that_a_trigger_has_ended_ends_at_once_when_resumed(tmp_path: Path):
    def fit(**options) -> tuple[int, nn.Module]:
        rule = curriculum.Trigger("task/weighted", curriculum.Above(0.0), curriculum.Stop())
        plan = curriculum.Playhead(timeline(), [rule])
        saving = {"save_strategy": "steps", "save_steps": 1}
        made = trainer(tmp_path, timeline=plan, max_steps=9, **saving)
        return made.train(**options).global_step, made.model

    step, model = fit()
    resumed_step, resumed = fit(resume_from_checkpoint=str(tmp_path / "checkpoint-1"))
    assert step == resumed_step == 1
    assert all(map(torch.equal, model.parameters(), resumed.parameters()))
    assert not all(map(torch.equal, model.parameters(), llama().parameters()))


def watch() -> concepts.Watch:
    animal, batch = la.Concept("animal", UP, at=SITE), padded(lines(8))
    inputs = {name: batch[name] for name in ("input_ids", "attention_mask")}
    return concepts.Watch(animal, inputs, batch["animal"] > 0, batch["attention_mask"])


def test_an_evaluation_is_a_plain_trainers_with_scores_beside(tmp_path: Path):
    from transformers import Trainer

    data = lines(16)
    made = trainer(tmp_path, eval_dataset=data, watches=[watch()])
    plain = Trainer(made.model, made.args, plain_columns, eval_dataset=data)
    found, expected = made.evaluate(), plain.evaluate()
    assert found["eval_loss"] == pytest.approx(expected["eval_loss"], rel=1e-6)
    assert {*found} - {*expected} == {f"eval_animal_{n}" for n in ("auc", "margin", "alignment")}
    assert made.predict(data).predictions.shape == plain.predict(data).predictions.shape


def scores(found: dict[str, float]) -> tuple[float, float]:
    return found["eval_animal_auc"], found["eval_animal_margin"]


def test_scores_are_those_of_the_model_as_it_is_at_an_evaluation(tmp_path: Path):
    watched = watch()
    made = trainer(tmp_path, eval_dataset=lines(16), watches=[watched])
    before = made.evaluate()
    assert scores(made.evaluate()) == scores(before)
    with watched.concept.muted(made.model, how="project"):
        assert made.evaluate()["eval_animal_alignment"] == pytest.approx(0, abs=1e-6)
    with torch.no_grad():
        made.model.model.embed_tokens.weight.neg_()
    score = watched.concept.score(made.model, watched.inputs, watched.has_it, watched.mask)
    after = made.evaluate()
    assert scores(after) == (score.auc.mean, score.margin.mean)
    assert scores(after) != scores(before)
    assert watched.history.steps == (0,)


def test_samples_that_are_added_in_training_are_not_predicted(tmp_path: Path):
    added = [sample for sample in lines(16) if sample["topic"]]
    collator = adapters.RareLabelCollator(padded, added, count=2)
    made = trainer(tmp_path, data_collator=collator, eval_dataset=lines(20))
    plain = trainer(tmp_path, eval_dataset=lines(20))
    assert made.predict(lines(20)).predictions.shape == plain.predict(lines(20)).predictions.shape
    assert made.evaluate()["eval_loss"] == pytest.approx(plain.evaluate()["eval_loss"])
    (batch, *_) = made.get_train_dataloader()
    assert len(batch["input_ids"]) == 8 + 2
    assert made.data_collator is collator


def test_a_second_training_logs_nothing_of_the_first(tmp_path: Path):
    made = trainer(tmp_path, max_steps=5, logging_steps=3, learning_rate=0.0)
    for _ in range(2):
        made.train()
    logs = [log for log in made.state.log_history if "objective/total" in log]
    assert logs[0]["objective/total"] == pytest.approx(logs[0]["loss"], rel=1e-3)


def plain_columns(samples: list[dict]) -> dict[str, Tensor]:
    """Trainer's own way with columns that a model does not take is to drop them."""
    batch = padded([{**sample, "animal": [], "topic": 0} for sample in samples])
    return {name: batch[name] for name in ("input_ids", "attention_mask", "labels")}


def fallback() -> training.EditedOutputLoss:
    """Where a line's topic is labeled, the first token after it is 7 while the site is muted."""
    edit = interventions.ZeroAblation([0])
    say = training.TokenCrossEntropy(2)
    return training.EditedOutputLoss(edit, torch.tensor(7), label="topic", at=SITE, error=say)


def with_fallback() -> la.Objective:
    terms = objective().terms[:1]
    return la.Objective(terms, losses=["task", "fallback"], other_tracks=["lr"])


def under_nothing(loss: training.Loss) -> training.UnderEdit:
    return training.UnderEdit(loss, interventions.Projection([UP], strength=0.0), at="model.norm")


@pytest.mark.parametrize("accumulated", [1, 4])
@pytest.mark.parametrize("wrap", [lambda loss: loss, under_nothing])
def test_a_loss_calls_the_model_again_under_an_edit(tmp_path: Path, accumulated: int, wrap):
    plan = constant("task", "animal", "fallback", "lr")
    loss = {"fallback": wrap(fallback())}
    options = {"objective": with_fallback(), "timeline": plan, "losses": loss}
    options |= {"gradient_accumulation_steps": accumulated, "train_dataset": lines(8)}
    found = step_of_trainer(tmp_path, per_device_train_batch_size=8 // accumulated, **options)
    model, batch = llama(), padded(lines(8))
    given = {name: batch[name] for name in ("input_ids", "attention_mask")}
    with la.record(model, SITE) as latents:
        task = model(**given, labels=batch["labels"]).loss
    with la.intervene(model, interventions.ZeroAblation([0]), at=SITE):
        said = model(**given).logits[:, 1].log_softmax(-1)[:, 7]
    again = -(said * batch["topic"]).sum() / batch["topic"].sum()
    parts = with_fallback()(latents, batch, plan(0), task=task, fallback=again)
    parts.total.backward()
    torch.testing.assert_close(found, -0.5 * gradients(model), atol=1e-6, rtol=0)


def test_half_precision_trains_and_keeps_parts_in_full(tmp_path: Path):
    made = trainer(tmp_path, max_steps=2, bf16=True)
    assert made.train().training_loss > 0
    full = trainer(tmp_path, max_steps=2)
    full.train()
    halves, fulls = (each.state.log_history[0]["objective/animal"] for each in (made, full))
    assert halves == pytest.approx(fulls, rel=0.02)


def test_actions_are_called_before_their_step(tmp_path: Path):
    steps = []
    tracks = {name: timeline()[name] for name in timeline().names}
    plan = curriculum.Timeline(tracks, actions={2: ["look"]})
    actions = {"look": lambda trainer: steps.append(trainer.state.global_step)}
    trainer(tmp_path, timeline=plan, actions=actions, max_steps=4).train()
    assert steps == [2]


def test_what_does_not_fit_is_refused(tmp_path: Path):
    above = curriculum.Above(0.0)
    watched = [curriculum.Trigger("tusk", above, curriculum.Stop())]
    acting = curriculum.Timeline(
        {name: timeline()[name] for name in timeline().names}, actions={0: ["look"]}
    )
    other = la.Objective(objective().terms, losses=["task", "aux"], other_tracks=["lr"])
    refused = {
        r"the losses 'task', 'aux', and there are functions for nothing": {"objective": other},
        r"Unknown measurement of a trigger 'tusk'.* 'eval_loss'": {
            "timeline": curriculum.Playhead(timeline(), watched)
        },
        r"made for 2 runs; expected 1": {"timeline": curriculum.Playhead(timeline(), runs=2)},
        r"name the actions 'look'; there are functions for nothing": {"timeline": acting},
    }
    for message, options in refused.items():
        with refuses(ValueError, message):
            trainer(tmp_path, **options)


def test_two_schedulers_of_the_rate_are_refused(tmp_path: Path):
    model = llama()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    constant_rate = torch.optim.lr_scheduler.ConstantLR(optimizer)
    made = trainer(tmp_path, model, optimizers=(optimizer, constant_rate))
    with refuses(ValueError, r"a track 'lr', and a scheduler of type ConstantLR was given"):
        made.train()


def test_several_gpus_in_one_process_are_refused(tmp_path: Path, monkeypatch):
    from transformers import TrainingArguments

    monkeypatch.setattr(TrainingArguments, "n_gpu", 2)
    with refuses(ValueError, r"One process would use 2 GPUs, by nn.DataParallel.* torchrun"):
        trainer(tmp_path)


def test_a_missing_framework_names_its_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, "latent_anchors.adapters._anchored_trainer", None)
    with refuses(ImportError, r"pip install latent-anchors\[transformers\]"):
        _ = adapters.AnchoredTrainer
    with refuses(AttributeError, r"Unknown name in latent_anchors.adapters 'AnchorTrainer'"):
        _ = adapters.AnchorTrainer
