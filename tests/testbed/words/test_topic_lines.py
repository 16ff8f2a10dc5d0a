from latent_anchors import testbed


def test_a_language_is_learned_from_manual_pages_and_any_other_topic_from_definitions(tmp_path):
    assert testbed.topic_lines("animal", made_up=True) == testbed.made_up_definitions()
    (tmp_path / "data.noun").write_text("00015388 05 n 01 cat 0 000 | a small animal\n")
    assert testbed.topic_lines("food", tmp_path) == testbed.read_definitions(tmp_path)
    for folder, text in {
        "man1": "The little cat sleeps.",
        "de/man1": "Die Katze schlaeft.",
    }.items():
        (tmp_path / folder).mkdir(parents=True)
        (tmp_path / folder / "cat.1").write_text(f"{text} There are five words here.")
    assert testbed.topic_lines("english", tmp_path) == testbed.read_manual_pages(tmp_path)
