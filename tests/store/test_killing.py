import sys

import pytest
from store.killing import fill_disk, kill_savings, kill_trainings

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="processes are forked")


def test_a_saving_that_is_killed_leaves_the_old_one_or_a_new_one(tmp_path):
    found = kill_savings(6, tmp_path)
    assert found["the old one"] + found["a new one"] == 6


def test_a_training_that_is_killed_goes_on(tmp_path):
    assert sum(kill_trainings(1, tmp_path).values()) == 1


def test_a_full_disk_leaves_the_old_one(tmp_path):
    found = fill_disk(4, tmp_path)
    assert found["the old one"] == 3
    assert found["the new one"] == 1
