import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from refusals import refuses

from latent_anchors.colorspace import COLOR_NAMES, hue_degree, named_colors
from latent_anchors.data import BernoulliLabels, Sampler, noisy_or
from latent_anchors.testbed import MixingLanguage

BOTH = ("+", "-")
SEVEN = MixingLanguage(7, BOTH)
languages = pytest.mark.parametrize("language", [MixingLanguage(n, BOTH) for n in range(2, 7)])
operations = pytest.mark.parametrize("operation", BOTH)


def unordered(pairs):
    return pairs[pairs[:, 0] < pairs[:, 1]]


@pytest.mark.parametrize(
    ("levels", "colors", "pairs"),
    [(3, 27, 49), (4, 64, 224), (5, 125, 1036), (6, 216, 2808), (7, 343, 7641)],
)
def test_a_grid_has_so_many_colors_and_closed_pairs_of_two(levels, colors, pairs):
    language = MixingLanguage(levels)
    assert len(language.colors) == colors
    assert len(unordered(language.pairs())) == pairs


def test_of_seven_levels_few_pairs_have_a_very_red_color_and_many_have_none():
    redness = hue_degree(SEVEN.colors, 0.0)[unordered(SEVEN.pairs())]
    assert int((redness.amax(1) > 0.8).sum()) == 362
    assert int((redness < 0.2).all(1).sum()) == 1850


@languages
@operations
def test_closed_pairs_mix_to_a_color_of_the_grid_and_open_ones_to_none(language, operation):
    closed, open_ones = language.pairs(operation), language.open_pairs(operation)
    assert len(closed) + len(open_ones) == len(language.colors) ** 2
    answers = language.colors[language.answers(closed, operation)]
    torch.testing.assert_close(answers, language.mixtures(closed, operation))
    if len(open_ones):
        distances = torch.cdist(language.mixtures(open_ones, operation), language.colors)
        assert distances.amin() > 0.4 / (language.levels - 1)


@languages
def test_a_mixture_is_the_midpoint_of_the_first_and_the_second_or_its_complement(language):
    pairs = language.open_pairs("+")[:50]
    first, second = language.colors[pairs].unbind(1)
    torch.testing.assert_close(language.mixtures(pairs, "+"), (first + second) / 2)
    torch.testing.assert_close(language.mixtures(pairs, "-"), (first + 1 - second) / 2)


@pytest.mark.parametrize("levels", [3, 5, 7])
def test_both_operations_close_the_same_pairs_where_levels_are_odd(levels):
    language = MixingLanguage(levels, BOTH)
    assert torch.equal(language.pairs("+"), language.pairs("-"))


def test_seven_levels_and_addition_unless_said_otherwise():
    assert MixingLanguage() == MixingLanguage(7, ("+",))


def test_subtraction_closes_other_pairs_where_levels_are_even():
    language = MixingLanguage(6, BOTH)
    both = torch.cat([language.pairs("+"), language.pairs("-")])
    assert len(both.unique(dim=0)) == len(both)


@pytest.mark.parametrize(
    "sentence",
    ["red + blue = purple", "green + blue = dark_cyan", "red - blue = orange", "red + red = red"],
)
def test_a_sentence_is_a_line_of_the_language(sentence):
    tokens = SEVEN.encode(sentence)
    lines = SEVEN.lines(tokens[None, [0, 2]], SEVEN.vocabulary[tokens[1]])
    assert SEVEN.decode(lines[0]) == sentence + "\n"
    assert torch.equal(SEVEN.encode(sentence + "\n"), lines[0])


def test_red_and_blue_have_no_answer_on_a_grid_of_six_levels():
    language = MixingLanguage(6)
    with refuses(ValueError, r"1 of 1 pairs have no answer.*'red \+ blue' among them.*closed"):
        language.lines(language.encode("red blue")[None])


@languages
def test_every_word_is_another_and_its_token_finds_it(language):
    words = language.vocabulary
    assert len(set(words)) == len(words) == len(language.colors) + 4
    assert [language.token(word) for word in words] == list(range(len(words)))


@languages
def test_colors_bear_the_names_that_they_have_elsewhere(language):
    words = language.vocabulary
    shared = [name for name in COLOR_NAMES if name in words]
    found = language.colors[[language.token(name) for name in shared]]
    torch.testing.assert_close(found, named_colors(*shared))
    assert len(shared) == (15 if language.levels % 2 else 8)


@pytest.mark.parametrize("levels", range(2, 8))
def test_halves_have_names_and_every_other_color_its_digits(levels):
    language = MixingLanguage(levels)
    digits = [word for word in language.vocabulary if word[0] == "#"]
    assert len(language.colors) - len(digits) == (27 if levels % 2 else 8)
    for word in digits:
        color = language.colors[language.token(word)] * (levels - 1)
        assert "#" + "".join(f"{step:.0f}" for step in color.tolist()) == word


@given(tokens=st.lists(st.integers(0, 346), max_size=20))
def test_what_is_decoded_is_encoded_again(tokens):
    assert SEVEN.encode(SEVEN.decode(torch.tensor(tokens, dtype=torch.long))).tolist() == tokens


@languages
@given(seed=st.integers(0, 10**6), share=st.floats(0, 1))
@settings(max_examples=20)
def test_a_split_parts_the_pairs_and_keeps_both_orders_and_likes_together(seed, share, language):
    split = language.split(seed, share)
    both = torch.cat([split.seen, split.held_out])
    assert torch.equal(both.unique(dim=0), language.pairs())
    assert len(both) == len(language.pairs())
    out = set(map(tuple, split.held_out.tolist()))
    assert out == {(b, a) for a, b in out}
    assert not any(a == b for a, b in out)
    assert len(out) == 2 * round(share * len(unordered(language.pairs())))


def test_a_split_is_a_function_of_its_seed_and_seeds_differ():
    one, again, other = (SEVEN.split(seed).held_out for seed in (3, 3, 4))
    assert torch.equal(one, again)
    assert not torch.equal(one, other)


@pytest.mark.parametrize("seed", range(3))
def test_what_is_always_held_out_is_whatever_the_seed_and_the_share(seed):
    red, blue = SEVEN.token("red"), SEVEN.token("blue")
    for share, count in [(0.2, 1528), (0.0, 1)]:
        held = SEVEN.split(seed, share, always=[("blue", "red")]).held_out.tolist()
        assert [red, blue] in held
        assert [blue, red] in held
        assert len(held) == 2 * count


def test_a_seed_holds_out_the_same_pairs_of_both_operations():
    held = [SEVEN.split(0, operation=operation).held_out for operation in BOTH]
    assert torch.equal(*held)


def test_lines_are_sampled_with_labels_that_do_not_tell_which_color_is_meant():
    language = MixingLanguage(3)
    pairs = language.pairs()
    red = (torch.arange(27) == language.token("red")).float()
    labels = BernoulliLabels(noisy_or(red[pairs[:, 0]], red[pairs[:, 1]]))
    batch = Sampler(language.lines(pairs), {"red": labels}, batch_size=64).batch(seed=0, step=0)
    has_red = (batch.inputs[:, [0, 2]] == language.token("red")).any(1)
    assert torch.equal(batch.labels["red"] == 1, has_red)


@given(p=st.floats(0, 1), q=st.floats(0, 1))
def test_either_is_symmetric_and_no_less_than_one_alone(p, q):
    p, q = torch.tensor([p, q], dtype=torch.float64)
    found = noisy_or(p, q)
    torch.testing.assert_close(found, p + q - p * q)
    torch.testing.assert_close(found, noisy_or(q, p))
    assert bool(found >= torch.maximum(p, q) - 1e-12)


def test_a_language_is_a_value():
    assert MixingLanguage(5) == MixingLanguage(5, ("+",)) != SEVEN
    language = MixingLanguage(5)
    language.colors.zero_()
    assert language.colors.amax() == 1


def test_a_language_that_cannot_be_is_refused():
    with refuses(TypeError, "levels is 7.0; expected a whole number"):
        MixingLanguage(7.0)
    with refuses(ValueError, "levels is 1; expected at least 2"):
        MixingLanguage(1)
    with refuses(ValueError, "levels is 17; expected at most 16"):
        MixingLanguage(17)
    with refuses(ValueError, r"Unknown operation '\*'; expected one of '\+', '-'"):
        MixingLanguage(7, ("*",))
    for operations in ((), ("+", "+")):
        with refuses(ValueError, "The operations are .*expected at least one, each once"):
            MixingLanguage(7, operations)


def test_unknown_words_and_operations_are_refused():
    with refuses(ValueError, "Unknown word 'purpel'.* Did you mean 'purple'"):
        SEVEN.encode("red + blue = purpel")
    with refuses(ValueError, r"Unknown operation '-'; expected one of '\+'"):
        MixingLanguage(7).pairs("-")


def test_a_split_that_cannot_be_is_refused():
    with refuses(ValueError, "held_out is 1.5; expected a number from 0.0 to 1.0"):
        SEVEN.split(0, 1.5)
    with refuses(ValueError, "Unknown color '=';"):
        SEVEN.split(0, always=[("red", "=")])
    for language, pair in [(MixingLanguage(6), ("red", "blue")), (SEVEN, ("red", "red"))]:
        with refuses(ValueError, "were to be held out always, but are no closed pair of two"):
            language.split(0, always=[pair])
