from refusals import unreached


def test_every_raise_in_the_source_is_reached_by_a_test_that_matches_its_message():
    assert unreached() == []
