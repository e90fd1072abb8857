"""Documents of a journal: what may stand in a line, from the types that read and write it."""

from __future__ import annotations

import ast
import inspect
from collections.abc import Iterator
from typing import Any, get_type_hints

import msgspec

from docs.generate.models import kind, word
from docs.generate.words import code, keys_told, page, prose, table, text
from rig.evidence import documents, journal


def journal_format() -> str:
    """The page."""
    facts = list(_below(documents.Fact))
    values = list(_below(documents.Value))
    blocks = [
        prose(journal.__doc__),
        prose(documents.__doc__),
        "What is asked of a run is judged from these lines alone; [evidence](../evidence.md) says what is beside them "
        "in a run's folder.",
        "## Documents",
    ]
    for one in facts:
        blocks += [f"### {one.__name__}", text(keys_told(one.__doc__, one.__annotations__)[0]), _fields(one)]
    blocks.append("## Values in documents")
    for one in values:
        blocks += [f"### {one.__name__}", text(keys_told(one.__doc__, one.__annotations__)[0]), _fields(one)]
    return page("Journal", *blocks)


def _below(base: type) -> Iterator[type]:
    """Documents in the order of their file."""
    found = [
        one for one in vars(documents).values() if inspect.isclass(one) and issubclass(one, base) and one is not base
    ]
    yield from found


def _fields(of: type) -> str:
    hints, said = get_type_hints(of), {**keys_told(of.__doc__, of.__annotations__)[1], **_attribute_words(of)}
    rows = []
    for one in msgspec.structs.fields(of):
        default = "**always**" if one.required else _default(one)
        rows.append((code(one.encode_name), _kind(hints[one.name]), default, text(said.get(one.name, ""))))
    return table(("key", "type", "default", ""), rows)


def _kind(hint: Any) -> str:
    return code(hint.__name__) if isinstance(hint, type) and issubclass(hint, msgspec.Struct) else kind(hint)


def _default(one: Any) -> str:
    if one.default_factory is not msgspec.NODEFAULT:
        return "-"
    empty = one.default is None or one.default == "" or one.default == () or isinstance(one.default, msgspec.Struct)
    return "-" if empty else code(word(one.default))


def _attribute_words(of: type) -> dict[str, str]:
    """Texts that stand right below a field."""
    body = ast.parse(inspect.getsource(of)).body[0]
    assert isinstance(body, ast.ClassDef)
    said = {}
    for field, below in zip(body.body, body.body[1:], strict=False):
        match field, below:
            case ast.AnnAssign(target=ast.Name(id=name)), ast.Expr(value=ast.Constant(value=str(words))):
                said[name] = " ".join(words.split())
    return said
