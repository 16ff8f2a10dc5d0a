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


def test_where_no_page_is_in_both_languages_the_error_names_the_packages(tmp_path):
    with refuses(
        FileNotFoundError, "expected Debian's packages manpages and manpages-de.*--folder"
    ):
        testbed.read_manual_pages(tmp_path)
