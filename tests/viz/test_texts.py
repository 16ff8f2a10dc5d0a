import pytest
from hypothesis import given
from hypothesis import strategies as st

from latent_anchors.viz._texts import text_width, within


@pytest.mark.parametrize("words", ["", " ", "\n"])
def test_what_cannot_be_seen_has_no_width(words: str):
    assert text_width(words, 8.0) == 0.0


def test_words_are_as_wide_as_their_longest_line_dollar_signs_included():
    m, plain, at_end, both = (text_width(each, 8.0) for each in ("mm", "mm$", "m$m$", "$m$m$"))
    assert text_width("a\nmm\na", 8.0) == m < plain < at_end < both
    assert text_width("mm", 8.0, "bold") > m
    assert text_width("mm", 16.0) == pytest.approx(2 * m)


@given(st.lists(st.sampled_from(["a", "long", "$x$", "remarkably"]), min_size=1, max_size=5))
def test_lines_are_as_wide_as_asked_unless_a_word_is_wider(words: list[str]):
    lines = within(" ".join(words), 100.0, 12.0).splitlines()
    assert " ".join(lines).split() == words
    assert all(text_width(line, 12.0) <= 100 for line in lines)


def test_what_fits_stays_as_it_is_and_a_word_stays_whole():
    assert within("one  line", 100.0, 12.0) == "one  line"
    assert within("indivisible", 10.0, 12.0) == "indivisible"
