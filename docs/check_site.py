"""Whether the built site is complete in itself: links lead somewhere, pictures have words.

``python docs/check_site.py docs/_build/html`` prints what is wrong, and fails if anything is.
"""

import sys
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

LOADED = {"script": "src", "img": "src", "link": "href", "iframe": "src", "source": "src"}
"""What a browser fetches by itself, by tag."""


class Page(HTMLParser):
    """What one page refers to, and which places in it can be referred to."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.path = path
        self.places: set[str] = {""}
        self.links: list[str] = []
        self.wrong: list[str] = []
        self.feed(path.read_text())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note links and places; refuse what comes from elsewhere and pictures without words."""
        given = {name: value or "" for name, value in attrs}
        self.places |= {given[name] for name in ("id", "name") if name in given}
        loaded = given.get(LOADED.get(tag, ""), "")
        if urlsplit(loaded).netloc:
            self.wrong.append(f"fetches {loaded}")
        # a thumbnail stands beside its title
        if tag == "img" and not given.get("alt", "").strip() and "thumb" not in loaded:
            self.wrong.append(f"no words for {loaded}")
        self.links += filter(None, [loaded, given.get("href", "") if tag == "a" else ""])


def check(site: Path) -> list[str]:
    """What is wrong, in words."""
    pages = {path.resolve(): Page(path) for path in site.rglob("*.html")}
    found = [f"{path}: {word}" for path, page in pages.items() for word in page.wrong]
    for path, page in pages.items():
        for link in page.links:
            there = urlsplit(link)
            if there.scheme or there.netloc:
                continue
            target = (path.parent / unquote(there.path)).resolve() if there.path else path
            known = pages[target].places if target in pages else {""}
            if not target.exists() or (there.fragment and unquote(there.fragment) not in known):
                found.append(f"{path}: {link} leads nowhere")
    return found


if __name__ == "__main__":
    complaints = check(Path(sys.argv[1]))
    print("\n".join(complaints) or "every link leads somewhere")
    sys.exit(bool(complaints))
