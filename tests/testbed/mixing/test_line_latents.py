import torch
from refusals import refuses

from latent_anchors.evaluation import line_latents
from latent_anchors.interventions import intervene
from latent_anchors.models import NormalizedTransformer, Population

LINES = torch.tensor([[0, 3, 1, 4], [2, 3, 2, 4]])
RUNS = Population.make(lambda: NormalizedTransformer(8, 16, 1, 2, 32), seeds=[0, 1])


def test_at_the_embedding_they_are_what_each_token_is():
    expected = torch.stack([run.embedding(LINES) for run in RUNS])
    torch.testing.assert_close(line_latents(RUNS, LINES, "embedding"), expected)


def test_a_model_is_one_run():
    alone = line_latents(RUNS[1], LINES, "blocks.0")
    torch.testing.assert_close(alone, line_latents(RUNS, LINES, "blocks.0")[1:])


def test_edits_in_force_count():
    with intervene(RUNS, torch.neg, at="blocks.0"):
        edited = line_latents(RUNS, LINES, "blocks.0")
    torch.testing.assert_close(edited, -line_latents(RUNS, LINES, "blocks.0"))


def test_a_site_is_there():
    with refuses(ValueError, "Unknown site 'blocks.1'"):
        line_latents(RUNS, LINES, "blocks.1")
