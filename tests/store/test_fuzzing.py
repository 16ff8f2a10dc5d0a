from store.fuzzing import fuzz


def test_damaged_savings_load_as_they_were_or_are_refused(tmp_path):
    outcomes, wrong = fuzz(range(120), tmp_path)
    assert wrong == []
    assert outcomes["careless: refused"] > 40
    assert outcomes["careful: refused"] > 40
