"""The pages that compare methods, and on writing one, run as they stand."""

import pytest
import torch
from guides import GUIDES, run, run_script
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


def test_the_methods_of_the_page_on_writing_one_keep_the_contract():
    with unchecked():  # twenty trainings
        names = run_script(GUIDES / "write_a_baseline.py")
        broken, network, task = (names[name] for name in ("broken", "network", "task"))
        assert broken(names["Ascent"](0.2), network, task) == ["no labels are refused"]
        for method in (names["ErasedMean"]("latent"), names["CheckedAscent"](0.2)):
            assert broken(method, network, task) == []
    frontier = names["frontier"]
    for name in ("mean difference", "erased mean", "ascent"):
        removal, collateral = (each.flatten() for each in frontier[name])
        assert removal[-1] > 20 * removal[0]
        assert removal[-1] > 2 * collateral[-1]
    assert frontier.wins("ascent", collateral=0.01)["erased mean"].tolist() == [True]
