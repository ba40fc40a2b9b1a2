"""Builds a message from what a person types: ``clock_id=3 rate=24MHz attributes.enabled=1``.

Theory of operation. The words become a tree, one node per field, bit or element; text behind ``=``
and values in JSON behind ``:=`` meet in the same tree. Then the message's declaration is walked
over the tree, and every value is checked where it is used. What is missing is collected, so that
one error names all of it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from enum import IntEnum
from typing import Any, TypeVar

from scmictl import values
from scmictl.errors import LocalProtocolError, UsageError
from scmictl.protocols import Protocol, version_text
from scmictl.wire import Bit, Bits, Field, Message, Struct, codec
from scmictl.wire.fields import MISSING, SCALARS

S = TypeVar("S", bound=Struct)

RESERVED = "reserved"
"""The name under which a word shows the bits without meaning, and takes them."""
LONGEST = 0xFFFF
"""Elements of a typed array."""

_WORD = re.compile(r"(?P<path>[A-Za-z_][^=:]*)(?P<json>:?)=(?P<value>.*)", re.DOTALL)
_STEP = re.compile(r"\.?(?P<name>[A-Za-z_][A-Za-z0-9_]*)|\[(?P<index>[0-9]{1,9})\]")


class _Node:
    """What was given for one field: a value of its own, or parts (by name or by index)."""

    __slots__ = ("listed", "parts", "path", "value")

    def __init__(self, path: str) -> None:
        self.path = path
        self.value: Any = MISSING
        self.parts: dict[str | int, _Node] = {}
        self.listed = False

    def part(self, step: str | int) -> _Node:
        """Return the part ``step``, which from now on is given."""
        if isinstance(step, int):
            path = f"{self.path}[{step}]"
            self.listed = True
        else:
            path = f"{self.path}.{step}" if self.path else step
        return self.parts.setdefault(step, _Node(path))

    def put(self, value: Any) -> None:
        """Take a value from JSON or from behind the ``=``."""
        if isinstance(value, dict):
            for name, inner in value.items():
                self.part(str(name)).put(inner)
        elif isinstance(value, list):
            self.listed = True
            for index, inner in enumerate(value):
                self.part(index).put(inner)
        elif self.value is MISSING:
            self.value = value
        else:
            raise UsageError(f"{self.path} is given twice")


def build(cls: type[S], words: Sequence[str], version: int, *, name: str = "") -> S:
    """Return the payload that ``words`` describe, as it is in ``version``.

    ``name`` is what errors call it, by default the specification's name of the message.

    Raises UsageError for a word that is no assignment, unknown fields (with those there are),
    values that do not parse or fit, and for missing fields, all of them at once.
    """
    root = _tree(words)
    name = name or (cls.SPEC if issubclass(cls, Message) else cls.__name__)
    builder = _Builder(name, version)
    message = builder.struct(cls, root)
    if builder.missing:
        raise UsageError(
            f"{name}: missing {', '.join(builder.missing)}",
            hint=f"it takes: {usage(cls, version)}",
        )
    assert isinstance(message, cls)
    return message


def payload(message: Struct, version: int, name: str) -> bytes:
    """Return the payload of a message that was built; ``name`` is what errors call it.

    Raises UsageError for parts that each fit and do not go together, such as a wrong count.
    """
    try:
        return codec.encode(message, version)
    except LocalProtocolError as error:
        # A class of our own is nothing that was typed.
        text = error.message.removeprefix(f"{type(message).__name__}: ")
        raise UsageError(f"{name}: {text}") from error


def check(cls: type[Struct], words: Sequence[str], protocol: Protocol, *, name: str = "") -> None:
    """Raise UsageError if ``words`` describe the payload in no version of its protocol."""
    first: UsageError | None = None
    for version in reversed(protocol.versions):
        try:
            build(cls, words, version, name=name)
            return
        except UsageError as error:
            first = first or error
        if not cls.changes():
            break
    assert first is not None
    raise first


def usage(cls: type[Struct], version: int) -> str:
    """Return the fields of a message as they are typed: ``clock_id=N rate=Hz [flags.{async}=N]``.

    What has a default is in brackets.
    """
    texts = []
    for field in cls.layout(version):
        bits = field.bits.at(version).PARTS if field.bits is not None else ()
        key = f"{field.key}.{{{'|'.join(b.key for b in reversed(bits))}}}" if bits else field.key
        text = f"{key}={_kind(field)}"
        texts.append(text if _is_required(field) else f"[{text}]")
    return " ".join(texts) or "no fields"


def _is_required(field: Field) -> bool:
    """Return whether a field has to be given in a version that has it."""
    # None is the default of what other versions do not have, too.
    absent = field.default is None and not (field.optional or field.when)
    return absent or field.default is MISSING


def _kind(field: Field) -> str:
    if field.enum is not None:
        return "|".join(member.name.lower() for member in field.enum)
    return field.unit or {"array": "[...]", "packed": "[...]", "text": "TEXT"}.get(field.kind, "N")


def _tree(words: Sequence[str]) -> _Node:
    root = _Node("")
    for word in words:
        match = _WORD.fullmatch(word)
        if match is None:
            raise UsageError(f"found {word!r}, expected FIELD=VALUE or FIELD:=JSON")
        node = root
        for step in _steps(match["path"], word):
            node = node.part(step)
        try:
            node.put(_json(match["value"], node.path) if match["json"] else match["value"])
        except RecursionError as error:
            raise UsageError(f"{node.path}: too many levels of JSON") from error
    return root


def _steps(path: str, word: str) -> list[str | int]:
    steps: list[str | int] = []
    at = 0
    while at < len(path):
        step = _STEP.match(path, at)
        if step is None:
            raise UsageError(f"found {word!r}, expected a field such as a.b or a[0].b before the =")
        steps.append(int(step["index"]) if step["index"] else step["name"])
        at = step.end()
    return steps


def _json(text: str, path: str) -> Any:
    from json import loads  # only for := words

    try:
        return loads(text)
    except ValueError as error:
        raise UsageError(f"{path}: {error}, expected JSON behind :=") from error


class _Builder:
    """Walks a declaration over the tree; ``missing`` collects what nothing was said of."""

    def __init__(self, name: str, version: int) -> None:
        self.name = name
        self.version = version
        self.missing: list[str] = []

    def struct(self, cls: type[Struct], node: _Node) -> Struct | None:
        """Return the struct that ``node`` describes; None when something of it is missing."""
        if node.value is not MISSING or node.listed:
            raise UsageError(f"{node.path}: found {_found(node)}, expected an object with fields")
        layout = {field.key: field for field in cls.layout(self.version)}
        for name in node.parts:
            if name not in layout:
                raise self._unknown_field(cls, str(name), node, list(layout))
        self._count(layout, node)
        before = len(self.missing)
        given = {}
        for key, field in layout.items():
            part = node.parts.get(key)
            # What may be missing is null where it is: a record that was decoded can be given back.
            if part is not None and (part.value is not None or field.default is not None):
                given[field.name] = self.field(field, part)
            elif _is_required(field):
                self.missing.append(f"{node.path}.{key}" if node.path else key)
        return cls(**given) if len(self.missing) == before else None

    def field(self, field: Field, node: _Node) -> Any:
        """Return the value of one field."""
        if field.bits is not None:
            return self.word(field.bits, node)
        if field.kind == "array":
            return [self.element(field, item) for item in self.items(node)]
        if field.kind == "packed":
            return [_integer(item, 8, False) for item in self.items(node)]
        if field.kind == "construct":
            return _plain(node)
        if field.kind == "text":
            if not isinstance(node.value, str):
                raise UsageError(f"{node.path}: found {_found(node)}, expected a text")
            return node.value
        return _integer(node, field.size * 8, SCALARS[field.kind].islower(), field.unit, field.enum)

    def element(self, field: Field, node: _Node) -> Any:
        """Return one element of an array field."""
        kind = field.element
        if isinstance(kind, str):
            size = {"B": 8, "H": 16, "I": 32, "Q": 64}[SCALARS[kind].upper()]
            return _integer(node, size, SCALARS[kind].islower(), field.unit, field.enum)
        return self.word(kind, node) if issubclass(kind, Bits) else self.struct(kind, node)

    def items(self, node: _Node) -> list[_Node]:
        """Return the elements of an array in order; raises UsageError for gaps."""
        if not node.listed or node.value is not MISSING:
            raise UsageError(
                f"{node.path}: found {_found(node)}, expected elements",
                hint=f"say {node.path}[0]=… or {node.path}:='[…]'",
            )
        count = max((int(step) for step in node.parts), default=-1) + 1
        if count > LONGEST:
            raise UsageError(f"{node.path} has {count} elements, expected at most {LONGEST}")
        for index in range(count):
            if index not in node.parts:
                raise UsageError(f"{node.path}[{index}] is missing, though a later one is given")
        return [node.parts[index] for index in range(count)]

    def word(self, kind: type[Bits], node: _Node) -> Bits:
        """Return a word with named bits: the whole number first, then the bits named."""
        bits = kind.at(self.version)
        if node.listed:
            raise UsageError(f"{node.path}: found {_found(node)}, expected a word with bits")
        word = 0 if node.value is MISSING else _integer(_only_value(node), 32, False)
        for name, part in node.parts.items():
            if name == RESERVED:
                word |= _integer(part, 32, False)
                continue
            bit = next((b for b in bits.PARTS if b.key == name), None)
            if bit is None:
                names = [b.key for b in reversed(bits.PARTS)] or [RESERVED]
                error = values.unknown(f"bits in {node.path}", str(name), names, limit=len(names))
                raise self._in_version(error, any(b.key == name for b in kind.PARTS))
            word = word & ~(bit.mask << bit.low) | _bit(bit, part)
        return kind(word)

    def _count(self, layout: dict[str, Field], node: _Node) -> None:
        """Fill in the number of elements where an array is given and its count is not."""
        for key, field in layout.items():
            if not isinstance(field.count, str) or key not in node.parts:
                continue
            number = len(self.items(node.parts[key]))
            holder = node
            for name in field.count.split("."):
                if holder is not node and holder.value is not MISSING:
                    break  # the whole word was given
                holder = holder.part(name.rstrip("_"))
            else:
                if holder.value is MISSING:
                    holder.value = number

    def _unknown_field(
        self, cls: type[Struct], name: str, node: _Node, known: list[str]
    ) -> UsageError:
        where = f"{self.name}: " if not node.path else f"{node.path}: "
        error = values.unknown("field", name, known, limit=len(known))
        error.message = where + error.message
        return self._in_version(error, any(field.key == name for field in cls.FIELDS))

    def _in_version(self, error: UsageError, elsewhere: bool) -> UsageError:
        if not elsewhere:
            return UsageError(error.message, hint=error.hint)
        text = f"it exists in another version than {version_text(self.version)}, which is in use"
        return UsageError(error.message, hint=text)


def _only_value(node: _Node) -> _Node:
    """Return the value of a node without its parts."""
    alone = _Node(node.path)
    alone.value = node.value
    return alone


def _bit(bit: Bit[Any], node: _Node) -> int:
    """Return the value of a named part of a word, at its place."""
    value = node.value
    if bit.is_flag and isinstance(value, str) and value.lower() in values.TRUTHS:
        return int(values.TRUTHS[value.lower()]) << bit.low
    try:
        return bit.place(_number(node, None, bit.enum))
    except LocalProtocolError as error:
        raise UsageError(f"{node.path} {error.message.partition(' ')[2]}") from error


def _integer(
    node: _Node,
    size: int,
    signed: bool,
    unit: str | None = None,
    enum: type[IntEnum] | None = None,
) -> int:
    """Return a number that fits ``size`` bits; raises UsageError."""
    value = _number(node, unit, enum)
    low, high = (-(1 << size - 1), (1 << size - 1) - 1) if signed else (0, (1 << size) - 1)
    if not low <= value <= high:
        raise UsageError(f"{node.path} is {value}, expected {low} to {high}")
    return value


def _number(node: _Node, unit: str | None, enum: type[IntEnum] | None) -> int:
    value = node.value
    if node.parts or node.listed:
        raise UsageError(f"{node.path}: found {_found(node)}, expected a number")
    if isinstance(value, bool | int):
        return int(value)
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if not isinstance(value, str):
        raise UsageError(f"{node.path}: found {_found(node)}, expected a number")
    try:
        return int(values.enum_value(value, enum)) if enum else values.number(value, unit)
    except UsageError as error:
        raise UsageError(f"{node.path}: {error.message}", hint=error.hint) from error


def _found(node: _Node) -> str:
    if node.value is not MISSING:
        return "null" if node.value is None else repr(node.value)
    return "an array" if node.listed else "parts"


def _plain(node: _Node) -> Any:
    """Return a node as the Python value that JSON means."""
    if node.value is not MISSING:
        return node.value
    if node.listed:
        return [_plain(node.parts[index]) for index in sorted(node.parts, key=str)]
    return {name: _plain(part) for name, part in node.parts.items()}
