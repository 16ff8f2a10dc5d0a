"""The page on writing an adapter, which runs as it stands."""

from guides import GUIDES, run_script
from refusals import unchecked


def test_parts_make_the_whole_in_the_adapter_of_the_page_and_not_in_the_hasty_one():
    with unchecked():  # nine trainings
        names = run_script(GUIDES / "write_an_adapter.py")
        assert names["difference"](names["Adapter"]) < 1e-5
        assert names["difference"](names["HastyAdapter"]) > 1e-2
    red, trainer = names["red"], names["trainer"]
    score = red.score(trainer.model, names["colors"], names["is_red"] > 0)
    assert score.auc.mean > 0.95
    assert names["objective"].reduce_mass is None
