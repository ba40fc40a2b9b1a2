"""The kinds of field a message is declared with, and what each declaration knows.

A field specifier (``u32(unit="us")``) stands where a default value would stand in the class body;
:class:`~scmictl.wire.message.Struct` takes it away and keeps it as a :class:`Field`. The codec, the
construct schema, help, JSON and completion all read these objects and nothing else.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from enum import IntEnum
from typing import TYPE_CHECKING, Any, Final

from scmictl.wire.bits import Bits

if TYPE_CHECKING:
    import construct

MISSING: Final[Any] = object()
"""Marks a field without a default."""

SCALARS: Final = {"u8": "B", "u16": "H", "u32": "I", "i32": "i", "u64": "Q", "i64": "q"}
"""Integer kinds and their struct codes; 64-bit values are two words, low word first."""

SCALAR_SIZES: Final = {"u8": 1, "u16": 2, "u32": 4, "i32": 4, "u64": 8, "i64": 8}


class Field:
    """One declared field: its place in the message follows from the order of declaration.

    ``kind`` is one of the integer kinds, ``text``, ``word``, ``array``, ``packed`` or
    ``construct``. ``when`` are conditions (``"attributes.x"``, ``"not attributes.y"``,
    ``"attributes.z == 1"``) over earlier fields, all of which must hold for the field to be there.
    ``optional`` fields at the end may be missing from what a peer sends, one and all after it.
    """

    __slots__ = (
        "bits", "count", "default", "element", "enum", "factory", "key", "kind", "meaning",
        "minimum", "name", "optional", "since", "size", "unit", "until", "when",
    )  # fmt: skip

    def __init__(
        self,
        kind: str,
        meaning: str = "",
        *,
        default: Any = MISSING,
        unit: str | None = None,
        enum: type[IntEnum] | None = None,
        since: int = 0,
        until: int | None = None,
        optional: bool = False,
        when: Sequence[str] = (),
        size: int = 0,
        bits: type[Bits] | None = None,
        element: Any = None,
        count: str | int | None = None,
        minimum: int = 0,
        factory: Callable[[], construct.Construct[Any, Any]] | None = None,
    ) -> None:
        self.kind = kind
        self.meaning = meaning
        self.default = default
        self.unit = unit
        self.enum = enum
        self.since = since
        self.until = until
        self.optional = optional
        self.when = tuple(when)
        self.size = size or SCALAR_SIZES.get(kind, 0)
        self.bits = bits
        self.element = element
        self.count = count
        self.minimum = minimum
        self.factory = factory
        self.name = self.key = ""

    def bind(self, name: str) -> None:
        """Give the field its name; a trailing underscore is Python's, not the wire's."""
        self.name = name
        self.key = name.rstrip("_")

    def exists(self, version: int) -> bool:
        return self.since <= version and (self.until is None or version <= self.until)


def u8(meaning: str = "", *, default: Any = MISSING, **more: Any) -> Any:
    """An unsigned byte (only inside arrays and vendor messages)."""
    return Field("u8", meaning, default=default, **more)


def u16(meaning: str = "", *, default: Any = MISSING, **more: Any) -> Any:
    """An unsigned 16-bit value."""
    return Field("u16", meaning, default=default, **more)


def u32(meaning: str = "", *, default: Any = MISSING, **more: Any) -> Any:
    """An unsigned word."""
    return Field("u32", meaning, default=default, **more)


def i32(meaning: str = "", *, default: Any = MISSING, **more: Any) -> Any:
    """A signed word."""
    return Field("i32", meaning, default=default, **more)


def u64(meaning: str = "", *, default: Any = MISSING, **more: Any) -> Any:
    """An unsigned 64-bit value in two words, low word first."""
    return Field("u64", meaning, default=default, **more)


def i64(meaning: str = "", *, default: Any = MISSING, **more: Any) -> Any:
    """A signed 64-bit value in two words, low word first."""
    return Field("i64", meaning, default=default, **more)


def text(size: int, meaning: str = "", *, default: Any = MISSING, **more: Any) -> Any:
    """A NUL-terminated, zero-padded ASCII string in a field of ``size`` bytes."""
    return Field("text", meaning, size=size, default=default, **more)


def word(bits: type[Bits], meaning: str = "", *, default: Any = MISSING, **more: Any) -> Any:
    """A 32-bit word whose bits have names."""
    return Field("word", meaning, bits=bits, size=4, default=default, **more)


def array(
    element: Any,
    meaning: str = "",
    *,
    count: str | int | None = None,
    minimum: int = 0,
    default: Any = MISSING,
    **more: Any,
) -> Any:
    """A list of ``element``: the name of an integer kind, a Bits class or a Struct class.

    ``count`` is the path of the earlier field that holds the number of elements, or that number
    itself (of integers only); without it the list fills the rest of the message, and then at least
    ``minimum`` elements must be there.
    """
    size = count * SCALAR_SIZES[element] if isinstance(count, int) else 0
    return Field(
        "array", meaning, element=element, count=count, minimum=minimum, size=size,
        default=default, **more,
    )  # fmt: skip


def packed(meaning: str = "", *, count: str, default: Any = MISSING, **more: Any) -> Any:
    """A list of bytes, four to a word, the last word padded with zeros."""
    return Field("packed", meaning, count=count, default=default, **more)


def declared(
    factory: Callable[[], construct.Construct[Any, Any]],
    meaning: str = "",
    *,
    default: Any = MISSING,
    **more: Any,
) -> Any:
    """A field in any construct type, for layouts that no other kind covers.

    ``factory`` returns it; a message with such a field is parsed and built by construct itself,
    which is imported only then.
    """
    return Field("construct", meaning, factory=factory, default=default, **more)
