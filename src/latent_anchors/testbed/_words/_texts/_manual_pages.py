"""Sentences of manual pages in English and German: two languages on the same things."""

import gzip
import re
from collections.abc import Iterator
from pathlib import Path

from latent_anchors.testbed._words._texts._definitions import Definitions, shuffled

MANUAL = Path("/usr/share/man")
LANGUAGES = {"english": "", "german": "de"}
"""Folders of manual pages by language."""

PAGE = re.compile(r"(.+)\.[1-8][a-z]*")
FONT_REQUEST = re.compile(r"\.(B|I|BR|IR|RB|BI|IB|RI|SM)\s+(.*)")
"""Requests whose arguments are text; all others are left out, and end a paragraph."""

ARGUMENT = re.compile(r'"([^"]*)"|((?:\\ |\S)+)')
"""Of a request: in quotation marks, which may hold spaces, or without."""

ESCAPES = (
    (re.compile(r"\\[ ~0]"), " "),
    (re.compile(r"\\f(\[[^]]*\]|\(..|.)"), ""),
    (re.compile(r"\\\(aq"), "'"),
    (re.compile(r"\\\(..|\\\[[^]]*\]"), ""),
    (re.compile(r"\\-"), "-"),
    (re.compile(r"\\."), ""),
)
"""Of roff: fixed spaces, fonts, the apostrophe, other special characters, the minus, the rest."""

SENTENCE_END = re.compile(r"(?<=[.!?])\s+(?=[A-ZÄÖÜ])")
FEWEST_WORDS, MOST_WORDS, LEAST_LETTERS = 5, 30, 0.85


def read_manual_pages(folder: str | Path | None = None) -> Definitions:
    """Sentences ``page : sentence`` of the manual pages that exist in English and in German.

    Sentences have 5 to 30 words, most of their characters are letters, and they end with a period.
    The language is the topic.

    Args:
        folder: With ``man1`` and others, and their translations in ``de``; ``/usr/share/man`` if
            None.

    Raises:
        FileNotFoundError: If no page lies there in both languages.

    Examples:
        >>> try:
        ...     read_manual_pages("nowhere")
        ... except FileNotFoundError as error:
        ...     print(str(error)[:58])
        No manual page lies in nowhere in both English and German;
    """
    root = Path(folder or MANUAL)
    pages = {language: _pages(root / inside) for language, inside in LANGUAGES.items()}
    both = sorted(page for page in pages["english"] if page in pages["german"])
    if not both:
        raise FileNotFoundError(
            f"No manual page lies in {root} in both English and German; expected Debian's packages "
            "manpages and manpages-de. Install them, or say where they are: --folder FOLDER."
        )
    lines: dict[str, str] = {}
    for page in both:
        for language, paths in pages.items():
            for sentence in _sentences(_text(paths[page])):
                lines.setdefault(f"{page.split('.')[0]} : {sentence}".lower(), language)
    return shuffled([*lines.items()])


def _pages(folder: Path) -> dict[str, Path]:
    """Pages by name and section, such as ``ls.1``."""
    found = {path.name.removesuffix(".gz"): path for path in sorted(folder.glob("man[1-8]*/*"))}
    return {name: path for name, path in found.items() if PAGE.fullmatch(name)}


def _text(path: Path) -> str:
    raw = path.read_bytes()
    return (gzip.decompress(raw) if path.suffix == ".gz" else raw).decode("utf8", "replace")


def _sentences(roff: str) -> Iterator[str]:
    """The sentences of a page's paragraphs that are mostly words."""
    for paragraph in re.split(r"\n\s*\n", "\n".join(map(_plain, roff.splitlines()))):
        for sentence in SENTENCE_END.split(" ".join(paragraph.split())):
            letters = sum(each.isalpha() or each == " " for each in sentence)
            many = len(sentence.split())
            if letters < LEAST_LETTERS * len(sentence) or not sentence.endswith("."):
                continue
            if FEWEST_WORDS <= many <= MOST_WORDS:
                yield sentence


def _plain(line: str) -> str:
    """A line of roff as text; empty if it is a request without text."""
    if line.startswith((".", "'")):
        request = FONT_REQUEST.match(line)
        if request is None:
            return ""
        kind, text = request.groups()
        arguments = [quoted or bare for quoted, bare in ARGUMENT.findall(text)]
        # two fonts in turn: the arguments stand without a space between them
        line = ("" if len(kind) == 2 and kind != "SM" else " ").join(arguments)
    for escape, instead in ESCAPES:
        line = escape.sub(instead, line)
    return line.strip()
