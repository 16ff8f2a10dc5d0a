"""The page on writing an edit, which runs as it stands."""

import torch
from guides import GUIDES, run_script
from refusals import unchecked

from latent_anchors.interventions import intervene


def test_the_edit_of_the_page_keeps_its_promises_and_the_hasty_one_does_not():
    with unchecked():  # a training
        names = run_script(GUIDES / "write_an_edit.py")
    broken, direction = names["broken"], names["direction"]
    near, far = names["near"], names["far"]
    assert broken(names["HastyCap"](direction, 0.3), near, far) == [
        "what is far stays, bit for bit",
        "half precision is computed in single",
        "tensors are buffers, which move and are saved",
    ]
    assert broken(names["Cap"](direction, 0.3), near, far) == []
    cap, red, colors = names["cap"], names["red"], names["colors"]
    encoder = names["model"].encoder
    with intervene(encoder, cap, at="2"):
        along = encoder(colors) @ red.direction
    assert (encoder(colors) @ red.direction).max() > 1
    assert along.max() < 0.3001
    assert torch.stack(names["lengths"]).diff().max() < 0
