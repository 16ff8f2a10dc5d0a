from latent_anchors import testbed


def test_made_up_definitions_say_what_they_are_about():
    lines = testbed.made_up_definitions(300)
    assert len(lines) == 300
    assert {*lines.topics} == {"animal", "plant", "food", "person", "artifact", "act"}
    eats = ["that eats" in text for text in lines.texts]
    assert eats == [topic == "animal" for topic in lines.topics]


def test_made_up_sentences_are_in_one_language_each():
    lines = testbed.topic_lines("german", made_up=True)
    german = [" steht " in text for text in lines.texts]
    assert german == [topic == "german" for topic in lines.topics]
    assert {*lines.topics} == {"english", "german"}
