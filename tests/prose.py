"""Sentences that people read: of pages, of the README, and of scripts between their code."""

import ast
import re
from pathlib import Path

ROLE = re.compile(r":[\w:]+:`~?([^`<]+?)(?:\s*<[^`]*>)?`|``[^`]*``|`([^`<]+?)\s*(?:<[^`]*>)?`_*")
"""Names and code within a line, each of which is read as a word or as the words that it shows."""

END = re.compile(r"(?<=[.!?])[)\"*]*\s+(?=[^a-z\s])")
"""Where one sentence ends and the next begins."""

FENCE = re.compile(r"^```.*?^```$|^<.*?>$|<!--.*?-->", re.M | re.S)
"""What Markdown shows as it stands: code and pictures."""

AS_IT_IS = re.compile(r"^( *)(?:\.\. \S+::.*|.*::)\n(?:(?:\1 +\S.*)?\n)*", re.M)
"""A directive with all that it holds, and a block of code behind two colons."""

OTHER = re.compile(r"^\s*(\||=+$|-+$|\^+$|\.\. |\$|:\w+:|!?\[.*\]\(.*\)$|#+ ).*$", re.M)
"""Lines of tables, underlines, targets and headings."""

ITEM = re.compile(r"^\s*(?:[-*] |#\. |\d+\. )", re.M)
"""The beginning of an item of a list."""


def sentences(path: Path) -> list[str]:
    """Those of a page or a script, without code, tables and headings."""
    text = path.read_text()
    if path.suffix == ".py":
        text = commented(text)
    text = AS_IT_IS.sub("\n\n", FENCE.sub("\n\n", text))
    text = OTHER.sub("\n", ITEM.sub("\n\n", ROLE.sub(word, text)))
    blocks = [" ".join(block.split()) for block in re.split(r"\n\s*\n", text)]
    said = [sentence for block in blocks for sentence in END.split(block)]
    return [sentence for sentence in said if " " in sentence and sentence[-1] in ".!?:"]


def word(found: re.Match[str]) -> str:
    """What is read of a name or of code; a sentence may begin with it."""
    shown = found[1] or found[2] or "code"
    return shown[0].upper() + shown[1:]


def commented(script: str) -> str:
    """The docstring of a script, and its blocks of comments."""
    blocks = re.findall(r"^# %%\n((?:#.*\n)+)", script, re.M)
    prose = [re.sub(r"^# ?", "", block, flags=re.M) for block in blocks]
    return "\n\n".join([ast.get_docstring(ast.parse(script)) or "", *prose])


def length(sentence: str) -> int:
    """Words of a sentence."""
    return len([each for each in sentence.split() if re.search(r"\w", each)])
