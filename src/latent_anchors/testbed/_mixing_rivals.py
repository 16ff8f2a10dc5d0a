"""What rivals on mixing lines are given: lines, labels that come again, and a fallback."""

from collections.abc import Callable, Sequence
from functools import partial

import torch
from jaxtyping import Float
from torch import Tensor, nn

from latent_anchors._checks import check_count
from latent_anchors._numerics import length
from latent_anchors._runs import StackedRuns
from latent_anchors._streams import stream
from latent_anchors._typing import Direction, Latents
from latent_anchors._vectors import as_direction
from latent_anchors.baselines import FineTuning, Task
from latent_anchors.curriculum import read_dopesheet
from latent_anchors.data import LabeledBatch, Sampler
from latent_anchors.evaluation import latents
from latent_anchors.evaluation._removal_frontier import Edited
from latent_anchors.interventions import Edit
from latent_anchors.testbed._color_rivals import gated_edits, samples_seen
from latent_anchors.testbed._mixing._answers import PROMPT
from latent_anchors.testbed._mixing._language import MixingLanguage
from latent_anchors.testbed._mixing._line_alignment import FIRST, SECOND
from latent_anchors.training import Constraint, TokenCrossEntropy


def turned_colors(
    model: nn.Module, language: MixingLanguage, direction: Direction, counts: Sequence[int]
) -> list[Edit]:
    """Edits of the embedding that send colors to a direction's other pole, from few to many.

    So many pass that lie farthest along it, where they stand as operands; signs and answers stay,
    and so does a color's length.

    Args:
        model: A transformer of mixing lines, one run.
        language: Whose colors these are.
        direction: ``(dim,)``, of any length.
        counts: How many colors are to pass; those that exceed the language's are left out.

    Raises:
        ValueError: If a count is less than 1, or the direction is zero.
        TypeError: If a population is given.

    Examples:
        >>> language = MixingLanguage(levels=3)
        >>> words = nn.Sequential(nn.Embedding.from_pretrained(torch.eye(len(language.vocabulary))))
        >>> model = nn.ModuleDict({"embedding": words[0]})
        >>> model.forward = lambda tokens: words(tokens)
        >>> edit, *_ = turned_colors(model, language, torch.eye(30)[4], counts=[1])
        >>> edit(words(torch.tensor([4, 4])))[:, 4]
        tensor([-1.,  1.])
    """
    if isinstance(model, StackedRuns):
        raise TypeError(
            f"A population of {len(model)} runs was given; expected one: each has its own colors. "
            "Write [turned_colors(one, ...) for one in population]."
        )
    for count in counts:
        check_count("count", count)
    n, v = len(language.colors), as_direction(direction)
    colors = latents(model, torch.arange(n)[:, None], "embedding")[0, :, 0]
    shares = [count / n for count in counts if count <= n]
    edits = gated_edits(v, colors, shares, partial(_to_pole, pole=-v))
    return [partial(_at_operands, edit=edit) for edit in edits]


def _to_pole(z: Latents, pole: Direction) -> Latents:
    return length(z).unsqueeze(-1) * pole


def _at_operands(z: Latents, edit: Edit) -> Latents:
    position = torch.arange(z.shape[-2], device=z.device).unsqueeze(-1)
    operand = (position == FIRST) | (position == SECOND)
    return torch.where(operand, edit(z), z)


def line_task(
    sampler: Sampler,
    seed: int,
    seen: int,
    steps: int,
    rate: float,
    constraint: Constraint | None = None,
    beside: int = 16,
) -> Task:
    """What a rival is given: mixing lines, and beside each batch some that are labeled.

    Fewer than one line in a hundred is labeled. All that are labeled in a training as long as the
    recipe's come again and again beside the batches. The rate rises for a tenth of the steps, then
    falls to 1e-4.

    Args:
        sampler: That of :func:`red_sampler`, with which the transformer was trained.
        seed: The run's.
        seen: In how many of its steps labels are gathered.
        steps: How many the rival has, from 10 on.
        rate: Greatest learning rate.
        constraint: Of the transformer's weights.
        beside: How many labeled lines are beside each batch.

    Raises:
        ValueError: If there are fewer than 10 steps, none beside a batch, or no line is labeled in
            those seen.

    Examples:
        >>> from latent_anchors.testbed import red_sampler
        >>> language = MixingLanguage(levels=3)
        >>> sampler = red_sampler(language, language.pairs(), batch_size=64)
        >>> task = line_task(sampler, seed=0, seen=20, steps=10, rate=0.002)
        >>> len(task.batches(0).inputs), task.rate(1)
        (80, 0.002)
    """
    check_count("steps", steps, least=10)
    check_count("beside", beside)
    drawn = samples_seen(sampler, seed, seen)
    labeled = drawn.inputs[drawn.labels["red"] > 0]
    if not len(labeled):
        raise ValueError(
            f"Of {len(drawn.inputs)} lines none is labeled; expected some. Give more steps seen."
        )
    also = torch.randint(
        len(labeled), (steps, beside), generator=stream(seed, "testbed/beside lines")
    )

    def batches(step: int) -> LabeledBatch:
        own, more = sampler.batch(seed, step), labeled[also[step]]
        label = torch.cat([own.labels["red"], torch.ones(len(more))])
        return LabeledBatch(torch.cat([own.inputs, more]), {"red": label})

    row = read_dopesheet(f"STEP, lr\n0, 1e-4\n{steps // 10}, {rate}\n{steps}, 1e-4\n").timeline()
    adamw = partial(torch.optim.AdamW, betas=(0.9, 0.95), weight_decay=0.0)
    rates = [row(step)["lr"] for step in range(steps)]
    return Task(_loss, batches, "red", steps, seed, adamw, rates.__getitem__, constraint)


def lines_fine_tuned(
    model: nn.Module, language: MixingLanguage, task: Task, weights: Sequence[float]
) -> list[Edited]:
    """The transformer, and others that were fine-tuned to answer gray where a line is labeled.

    Args:
        model: A transformer of mixing lines; unchanged.
        language: Whose token gray is.
        task: That of :func:`line_task`.
        weights: Of the error against gray, one for each.

    Examples:
        >>> from latent_anchors.testbed import MixingSize, red_sampler
        >>> language = MixingLanguage(levels=3)
        >>> sampler = red_sampler(language, language.pairs(), batch_size=64)
        >>> task = line_task(sampler, seed=0, seen=20, steps=10, rate=0.002)
        >>> model = MixingSize().network(language)()
        >>> len(lines_fine_tuned(model, language, task, weights=[0.3, 1.0]))
        3
    """
    gray = say_gray_line(language)
    return [model, *(FineTuning(gray, weight).fit(model, task).removed for weight in weights)]


def say_gray_line(language: MixingLanguage) -> Callable[[nn.Module, LabeledBatch], Tensor]:
    """How far the answers of lines are from gray: a fallback for fine-tuning.

    Args:
        language: Whose token gray is.

    Examples:
        >>> language = MixingLanguage(levels=3)
        >>> lines = LabeledBatch(language.lines(language.pairs()[:1]))
        >>> words = len(language.vocabulary)
        >>> say_gray_line(language)(nn.Embedding.from_pretrained(torch.eye(words)), lines)
        tensor([3.4569])
    """
    gray, error = torch.tensor(language.token("gray")), TokenCrossEntropy(position=PROMPT)

    def say_gray(model: nn.Module, batch: LabeledBatch) -> Float[Tensor, " batch"]:
        return error(model(batch.inputs), gray)

    return say_gray


def _loss(model: nn.Module, batch: LabeledBatch) -> Float[Tensor, " batch"]:
    """Nats for each token, line by line."""
    logits, words = model(batch.inputs)[:, :-1], batch.inputs[:, 1:]
    return nn.functional.cross_entropy(logits.mT, words, reduction="none").mean(1)
