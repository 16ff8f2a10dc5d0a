import os
from contextlib import ExitStack

import pytest
import torch
from interrupting import Interrupted, interrupt_at
from refusals import refuses
from torch import nn

from latent_anchors.interventions import attach, intervene
from latent_anchors.models import Population, record


def make(population):
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(2, 3), nn.Identity())
    return Population.from_models([model, model]) if population else model


def hooks(model):
    layers = [*model.modules()]
    tables = [table for m in layers for table in (m._forward_hooks, m._forward_pre_hooks)]
    return sum(map(len, tables)) + len(getattr(model, "_hooks", ()))


def nested(model, x):
    with intervene(model, torch.neg, "1"), record(model, "1") as outer:
        with intervene(model, {"1": torch.exp, "0": torch.neg}), record(model, ["0", "1"]) as inner:
            model(x)
        return inner["0"], outer["1"]


STRIDE = 1 if "EVERY_LINE" in os.environ else 17
"""`nox -s interrupts` tries every line event."""


@pytest.mark.parametrize("population", [False, True], ids=["model", "population"])
def test_an_interrupt_at_any_line_of_nested_blocks_leaves_nothing(population):
    model, x = make(population), torch.ones(4, 2)
    before = model(x)
    nested(model, x)
    with interrupt_at(None) as lines:
        nested(model, x)
    for line in range(1, lines[0] + 1, STRIDE):
        try:
            with interrupt_at(line):
                nested(model, x)
        except Interrupted:
            assert hooks(model) == 0, f"within the handler, line event {line}"
        assert hooks(model) == 0, f"line event {line}"
        assert torch.equal(model(x), before), f"line event {line}"


def test_an_interrupt_while_attaching_leaves_nothing_and_removing_can_be_repeated():
    model = make(False)
    with interrupt_at(None) as lines:
        attach(model, torch.neg, "1").remove()
    for line in range(1, lines[0] + 1):
        handle = None
        try:
            with interrupt_at(line):
                handle = attach(model, torch.neg, "1")
                handle.remove()
        except Interrupted:
            if handle is not None:
                handle.remove()
        assert hooks(model) == 0, f"line event {line}"


def test_blocks_end_in_an_exit_stack_too():
    model, x = make(False), torch.ones(1, 2)
    before = model(x)
    with ExitStack() as stack:
        latents = stack.enter_context(record(model, "1"))
        stack.enter_context(intervene(model, torch.neg, "1"))
        model(x)
    assert torch.equal(latents["1"], -before)
    assert hooks(model) == 0
    stack = ExitStack()
    stack.enter_context(attach(model, torch.neg, "1"))
    stack.close()
    assert hooks(model) == 0


def test_a_block_ends_with_the_statement_however_long_its_manager_lives():
    model, x = make(False), torch.ones(1, 2)
    manager = intervene(model, torch.neg, "1")
    for _ in range(2):  # and may be used again
        with manager:
            assert hooks(model) == 1
            model(x)
        assert hooks(model) == 0


def test_a_generator_that_is_dropped_within_a_block_ends_it():
    model = make(False)

    def within():
        with intervene(model, torch.neg, "1"):
            yield

    generator = within()
    next(generator)
    assert hooks(model) == 1
    del generator
    assert hooks(model) == 0


def test_a_block_that_begins_while_torch_compiles_is_refused(monkeypatch):
    model = nn.Sequential(nn.Linear(2, 2))
    monkeypatch.setattr(torch.compiler, "is_compiling", lambda: True)
    with refuses(RuntimeError, "within a function that torch compiles"), record(model, "0"):
        pass
