"""A page read with the standard library's parser: elements by class, id and attribute, and their text."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from html.parser import HTMLParser

VOID = frozenset({"meta", "input", "br", "link", "img", "hr"})


@dataclass
class Element:
    """children: elements and pieces of text, in order."""

    tag: str
    attributes: dict[str, str]
    children: list[Element | str] = field(default_factory=list)

    def __iter__(self) -> Iterator[Element]:
        """Every element below this one."""
        for child in self.children:
            if isinstance(child, Element):
                yield child
                yield from child

    @property
    def text(self) -> str:
        """With one space between pieces."""
        pieces = [child if isinstance(child, str) else child.text for child in self.children]
        return " ".join(" ".join(pieces).split())

    def all(self, tag: str = "", cls: str = "") -> list[Element]:
        """Elements of a tag, of a class, or both."""
        return [
            one
            for one in self
            if (not tag or one.tag == tag) and (not cls or cls in one.attributes.get("class", "").split())
        ]

    def id(self, name: str) -> Element:
        """The one element of that id."""
        (found,) = [one for one in self if one.attributes.get("id") == name]
        return found


class _Builder(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.top = Element("", {})
        self.open = [self.top]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        element = Element(tag, {key: value or "" for key, value in attrs})
        self.open[-1].children.append(element)
        if tag not in VOID:
            self.open.append(element)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.open[-1].children.append(Element(tag, {key: value or "" for key, value in attrs}))

    def handle_endtag(self, tag: str) -> None:
        assert self.open[-1].tag == tag, f"</{tag}> closes <{self.open[-1].tag}>"
        self.open.pop()

    def handle_data(self, data: str) -> None:
        self.open[-1].children.append(data)


def parse(text: str) -> Element:
    """The page. AssertionError when an element is closed by another's end."""
    builder = _Builder()
    builder.feed(text)
    builder.close()
    assert builder.open == [builder.top], f"<{builder.open[-1].tag}> is never closed"
    return builder.top
