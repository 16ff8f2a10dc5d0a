import pytest
from refusals import refuses

from latent_anchors import testbed

RECORDS = """\
  1 This software and database is being provided to you, the LICENSEE, by
00015388 05 n 01 Animal 0 001 @ 00004475 n 0000 | a living organism; "a wild animal" characterized
00017222 20 n 02 plant_life 0 flora 0 001 @ 00004475 n 0000 | (botany) a living "so to say" organism
02958343 06 n 01 car 0 001 @ 03791235 n 0000 | a motor vehicle with four wheels; usually propelled
"""


@pytest.fixture
def wordnet(tmp_path):
    (tmp_path / "data.noun").write_text(RECORDS, encoding="latin1")
    return tmp_path


def test_a_definition_is_a_word_and_its_first_clause_with_the_topic_of_its_file(wordnet):
    found = testbed.read_definitions(wordnet)
    assert dict(zip(found.texts, found.topics, strict=True)) == {
        "animal : a living organism": "animal",
        "plant life : (botany) a living  organism": "plant",
        "car : a motor vehicle with four wheels": "artifact",
    }
    assert found == testbed.read_definitions(wordnet)


def test_where_wordnet_is_not_installed_the_error_names_the_package_and_the_option(tmp_path):
    with refuses(FileNotFoundError, "data.noun; expected WordNet 3.0.*wordnet-base.*--folder"):
        testbed.read_definitions(tmp_path)


def test_topics_of_nouns_have_two_others_beside_them_and_languages_have_none():
    for topic, adjacent in testbed.ADJACENT.items():
        assert len({topic, *adjacent} & {*testbed.TOPICS}) in (3, 0)
        assert (topic in testbed.TOPICS) == bool(adjacent)
