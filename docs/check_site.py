"""`python -m docs.check_site build/docs`: every link and anchor of the built pages leads somewhere, and no page fetches
anything from another host. Links to other hosts are listed, never followed."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

FETCHED = {("script", "src"), ("img", "src"), ("link", "href"), ("source", "src"), ("iframe", "src"), ("embed", "src"),
           ("object", "data"), ("video", "src"), ("audio", "src")}  # fmt: skip
"""What a browser gets by itself."""
_CSS = re.compile(r"(?:url\(|@import\s+)\s*['\"]?([^'\")\s]+)")


class Page(HTMLParser):
    """Links, fetched addresses and anchors of a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.links: list[str] = []
        self.fetched: list[str] = []
        self.anchors: set[str] = set()
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        for name, value in attrs:
            if value is None:
                continue
            if name == "id" or (tag == "a" and name == "name"):
                self.anchors.add(value)
            elif (tag, name) in FETCHED:
                self.fetched.append(value)
            elif tag == "a" and name == "href":
                self.links.append(value)


def problems(folder: Path) -> Iterator[str]:
    """One line for each link that leads nowhere, and for each asset of another host."""
    pages = {path: Page(path.read_text(encoding="utf-8")) for path in sorted(folder.rglob("*.html"))}
    if not pages:
        yield f"{folder}: holds no page; build them first"
    for path, page in pages.items():
        where = path.relative_to(folder)
        for address in [*page.fetched, *page.links]:
            split = urlsplit(address)
            if split.scheme or split.netloc:
                if address in page.fetched and split.scheme != "data":
                    yield f"{where}: fetches {address}; put it into docs/_static"
                continue
            target = (path.parent / unquote(split.path)).resolve() if split.path else path
            if target.is_dir():
                target /= "index.html"
            if not target.exists():
                yield f"{where}: {address} leads to no file"
            elif split.fragment and target in pages and unquote(split.fragment) not in pages[target].anchors:
                yield f"{where}: {address}: no such anchor"
    for path in sorted(folder.rglob("*.css")):
        for address in _CSS.findall(path.read_text(encoding="utf-8", errors="replace")):
            if urlsplit(address).netloc:
                yield f"{path.relative_to(folder)}: fetches {address}"


def elsewhere(folder: Path) -> list[str]:
    """Addresses on other hosts, each once."""
    found = {link for path in folder.rglob("*.html") for link in Page(path.read_text(encoding="utf-8")).links}
    return sorted(link for link in found if urlsplit(link).scheme in ("http", "https"))


def main(folder: Path) -> int:
    """Print what is wrong; 1 when anything is."""
    folder = folder.resolve()
    wrong = list(problems(folder))
    print("\n".join(wrong) or f"{folder / 'index.html'}: every link and anchor leads somewhere")
    others = elsewhere(folder)
    print(f"{len(others)} links to other hosts, not followed")
    for link in others:
        print(f"  {link}")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
