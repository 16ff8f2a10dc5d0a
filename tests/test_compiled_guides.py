"""Pages that compile run without the shape checks, which break torch.compile."""

import pytest
import torch
from guides import GUIDES, run

# torch's compiler and Lightning warn of their own insides
pytestmark = [
    pytest.mark.compiled,
    pytest.mark.filterwarnings("ignore::UserWarning", "ignore::FutureWarning"),
]


@pytest.fixture(autouse=True)
def forgotten():
    torch.compiler.reset()
    yield
    torch.compiler.reset()


def test_the_page_on_compiled_models_places_the_concept_and_mutes_it():
    names = run(GUIDES / "in_a_compiled_model.rst")
    red, model, colors = names["red"], names["model"], names["colors"]
    assert red.score(model, colors, names["is_red"] > 0).alignment.mean > 0.9
    assert (names["muted"] - model(colors)).abs().max() > 0.1


def test_the_page_on_lightning_places_the_concept_and_compiles():
    names = run(GUIDES / "with_lightning.rst")
    red = names["is_red"] > 0
    assert names["alignment"][red].mean() > 0.9
    assert names["alignment"][~red].mean() < 0.6
    assert names["trainer"].global_step == 3
    assert {"objective/total", "objective/red", "objective/task"} <= {*names["logged"]}
