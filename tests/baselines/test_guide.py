"""The page that compares methods runs as it stands."""

import pytest
import torch
from guides import GUIDES, run
from refusals import unchecked


def test_the_page_compares_every_method_on_one_task():
    with unchecked():  # six trainings
        names = run(GUIDES / "compare_with_others.rst")
    table, touched, found, z = (names[name] for name in ("table", "touched", "found", "z"))
    assert table.keys() == {"never seen", *names["rivals"]}
    red, elsewhere = table["anchor"]
    assert red > 0.05
    assert elsewhere < 0.01
    for name in ("mean difference", "probe", "LEACE", "fine-tuning", "UNDO"):
        assert table[name][0] > 0.05
    for name in ("mean difference", "probe", "LEACE"):
        assert table[name][1] > elsewhere
    assert table["never seen"][0] < 0.05
    removal, collateral = names["frontier"]["anchor"]
    assert [float(removal[-1]), float(collateral[-1])] == pytest.approx([red, elsewhere])
    assert names["frontier"].wins("anchor", 0.01)["LEACE"].tolist() == [True]
    assert torch.equal(touched, found.above(z["latent"]))
