"""From the bytes of a file to its text: in UTF-8, or as a byte-order mark says; never guessed."""

import codecs
from typing import NoReturn

MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),  # begins as that of UTF-16 does
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
"""With what files begin that say how they are encoded, as those of spreadsheets do."""

LINE = "\n"

REMEDY = "Save it as 'CSV UTF-8', or say how it is encoded, such as encoding={!r}."


def decoded(content: bytes, name: str, encoding: str | None) -> str:
    """The text of a file."""
    try:
        return content.decode(_encoding_of(content, name) if encoding is None else encoding)
    except UnicodeDecodeError as error:
        refuse(error, name)
    except LookupError:
        raise ValueError(
            f"Unknown encoding {encoding!r} of {name}; expected one that Python knows, such as "
            "'utf-8', 'utf-16' or 'cp1252'."
        ) from None


def refuse(error: UnicodeDecodeError, name: str) -> NoReturn:
    """Say where a text ends that can be read, and what to do."""
    before = error.object[: error.start].decode(error.encoding, "replace")
    found = error.object[error.start : error.start + 1].hex()
    raise ValueError(
        f"{name}, line {before.count(LINE) + 1}: found the byte 0x{found} after "
        f"{before.rpartition(LINE)[2]!r}, which is no text in {error.encoding}; expected UTF-8, or "
        "UTF-16 with a byte-order mark. " + REMEDY.format("cp1252")
    ) from error


def _encoding_of(content: bytes, name: str) -> str:
    for mark, encoding in MARKS:
        if content.startswith(mark):
            return encoding
    # No header has a zero within its first two characters.
    if 0 in content[:2]:
        raise ValueError(
            f"{name} begins with the bytes {content[:2]!r}, as UTF-16 without a byte-order mark "
            "does; expected UTF-8, or UTF-16 with the mark. "
            + REMEDY.format("utf-16-be" if content[0] == 0 else "utf-16-le")
        )
    return "utf-8"
