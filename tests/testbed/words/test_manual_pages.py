import gzip

import pytest
from refusals import refuses

from latent_anchors import testbed

ENGLISH = """\
.\\" a comment that says something about this page.
.TH LS 1
.SH NAME
ls \\- list directory contents
.PP
List information about the \\fIFILE\\fPs in some order. Do
.B not
list any hidden files at all. Too short.
.TP
.BR \\-a ,
--all -l -s -t -u 1 2 3 4 5 and so on 6 7 8.
"""
GERMAN = """\
.SH BEZEICHNUNG
Zeigt die Namen aller Dateien \\(aqim\\(aq Ordner.
\\(bu \\[u00DC]Unten \\fBin\\fP der Datei steht hier nichts.
"""


@pytest.fixture
def manual(tmp_path):
    for folder in ("man1", "de/man1"):
        (tmp_path / folder).mkdir(parents=True)
    (tmp_path / "man1" / "ls.1.gz").write_bytes(gzip.compress(ENGLISH.encode()))
    (tmp_path / "de" / "man1" / "ls.1").write_text(GERMAN)
    (tmp_path / "man1" / "cat.1").write_text("This page was never translated into any language.")
    (tmp_path / "de" / "man1" / "README").write_text("Das hier ist gar keine Seite davon.")
    return tmp_path


def test_sentences_of_pages_in_both_languages_without_their_markup(manual):
    found = testbed.read_manual_pages(manual)
    assert dict(zip(found.texts, found.topics, strict=True)) == {
        "ls : list information about the files in some order.": "english",
        "ls : do not list any hidden files at all.": "english",
        "ls : zeigt die namen aller dateien 'im' ordner.": "german",
        "ls : unten in der datei steht hier nichts.": "german",
    }
    assert found == testbed.read_manual_pages(manual)


def test_sentences_of_5_to_30_words_are_read_if_most_of_it_is_letters(manual):
    def read(*sentences):
        page = "\n\n".join(("The page in another language says this.", *sentences))
        (manual / "man1" / "ls.1.gz").write_bytes(gzip.compress(page.encode()))
        found = testbed.read_manual_pages(manual)
        texts = zip(found.texts, found.topics, strict=True)
        return {text.split(" : ")[1] for text, topic in texts if topic == "english"} - {
            "the page in another language says this."
        }

    words = {many: " ".join(["word"] * many) + "." for many in (4, 5, 30, 31)}
    assert read(*words.values()) == {words[5], words[30]}
    letters = {many: "a b c " + "d" * (94 - many - 1) + "1" * many + " e." for many in (5, 11, 30)}
    assert read(*letters.values()) == {letters[5], letters[11]}
    assert read("It has words enough but no end", "It ends with a colon:") == set()


def test_arguments_of_two_fonts_stand_together_and_those_of_one_apart(manual):
    page = """\
See the pages
.BR ls (1)
and
.B dir cat
and
.SM ABC DEF
for more of it.
"""
    (manual / "man1" / "ls.1.gz").write_bytes(gzip.compress(page.encode()))
    found = testbed.read_manual_pages(manual).texts
    assert "ls : see the pages ls(1) and dir cat and abc def for more of it." in found


def test_spaces_are_kept_within_quotation_marks_and_where_no_line_may_break(manual):
    page = """\
They say that
.BR "many\\ whole words" ;
.IR one\\ two (3)
and 900\\~bytes are not joined.
"""
    (manual / "man1" / "ls.1.gz").write_bytes(gzip.compress(page.encode()))
    found = testbed.read_manual_pages(manual).texts
    expected = "they say that many whole words; one two(3) and 900 bytes are not joined."
    assert f"ls : {expected}" in found


def test_where_no_page_is_in_both_languages_the_error_names_the_packages(tmp_path):
    with refuses(
        FileNotFoundError, "expected Debian's packages manpages and manpages-de.*--folder"
    ):
        testbed.read_manual_pages(tmp_path)
