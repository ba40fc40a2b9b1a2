"""The construct schema of every message, assembled from the same declarations as the codec.

This is the readable, checkable form: ``struct(clock.RateSet, 0x30000)`` is an ordinary construct
``Struct``. Messages with a field in a construct type of their own
(:func:`~scmictl.wire.declared`) are parsed and built here; for all others the generated codec is,
and must be, the same only faster.
construct is imported with this module and its containers never leave it.
"""

from __future__ import annotations

from operator import index
from typing import Any

import construct as c

from scmictl.errors import LocalProtocolError, RemoteProtocolError
from scmictl.wire import codec
from scmictl.wire.bits import Bits
from scmictl.wire.fields import Field
from scmictl.wire.message import Struct, holds

INTEGERS: dict[str, Any] = {
    "u8": c.Int8ul,
    "u16": c.Int16ul,
    "u32": c.Int32ul,
    "i32": c.Int32sl,
    "u64": c.Int64ul,
    "i64": c.Int64sl,
}


class Text(c.Adapter):  # type: ignore[type-arg]  # generic only in the type stubs
    """A fixed, zero-padded string of ``field.size`` bytes."""

    def __init__(self, field: Field) -> None:
        super().__init__(c.Bytes(field.size))
        self.field = field

    def _decode(self, obj: bytes, context: Any, path: Any) -> str:
        return codec.read_text(obj)

    def _encode(self, obj: str, context: Any, path: Any) -> bytes:
        return codec.write_text(obj, self.field).ljust(self.field.size, b"\0")


class Tail(c.Subconstruct):  # type: ignore[type-arg]  # generic only in the type stubs
    """A field that may be missing at the end, and is if the one named ``before`` is.

    construct's own ``Optional`` would also drop a value that it cannot build.
    """

    def __init__(self, subcon: Any, before: str | None) -> None:
        super().__init__(subcon)
        self.before = before

    def _parse(self, stream: Any, context: Any, path: Any) -> Any:
        if self._ended(context):
            return None
        return c.Optional(self.subcon)._parse(stream, context, path)

    def _build(self, obj: Any, stream: Any, context: Any, path: Any) -> Any:
        if obj is None:
            return None
        if self._ended(context):
            raise c.ValidationError(f"{self.before} is missing in front of a value", path)
        return self.subcon._build(obj, stream, context, path)

    def _ended(self, context: Any) -> bool:
        return self.before is not None and context[self.before] is None


class Rest(c.GreedyRange):  # type: ignore[type-arg]  # generic only in the type stubs
    """Elements up to the end of the message, ``minimum`` of them at least."""

    def __init__(self, subcon: Any, minimum: int) -> None:
        super().__init__(subcon)
        self.minimum = minimum

    def _parse(self, stream: Any, context: Any, path: Any) -> Any:
        return self._enough(super()._parse(stream, context, path), path)

    def _build(self, obj: Any, stream: Any, context: Any, path: Any) -> Any:
        return super()._build(self._enough(obj, path), stream, context, path)

    def _enough(self, items: Any, path: Any) -> Any:
        if len(items) < self.minimum:
            raise c.RangeError(f"{len(items)} elements, expected {self.minimum} or more", path)
        return items


def struct(cls: type[Struct], version: int) -> Any:
    """Return the construct ``Struct`` of ``cls`` in protocol ``version``."""
    parts = []
    before = None
    for field in cls.layout(version):
        parts.append(field.name / subcon(field, version, before))
        if field.optional:
            before = field.name
    return c.Struct(*parts)


def subcon(field: Field, version: int, before: str | None = None) -> Any:
    """Return the construct type of one field, its conditions and count included.

    ``before`` is the last optional field in front of it.
    """
    inner: Any
    if field.kind == "construct":
        assert field.factory is not None
        inner = field.factory()
    elif field.kind == "text":
        inner = Text(field)
    elif field.bits is not None:
        inner = word(field.bits, version)
    elif field.kind == "packed":
        inner = c.Aligned(4, c.Array(_count(field), c.Int8ul))
    elif field.kind == "array":
        element = field.element
        if isinstance(element, str):
            item = INTEGERS[element]
        elif issubclass(element, Bits):
            item = word(element, version)
        else:
            item = struct(element, version)
        inner = Rest(item, field.minimum) if field.count is None else c.Array(_count(field), item)
    else:
        inner = INTEGERS[field.kind]
    if field.when:
        inner = c.If(_condition(field.when), inner)
    return Tail(inner, before) if field.optional else inner


def word(bits: type[Bits], version: int) -> Any:
    """Return a little-endian 32-bit word as a bit struct, reserved stretches included."""
    parts: list[Any] = []
    position = bits.WIDTH
    for part in bits.at(version).PARTS:
        if part.high + 1 < position:
            parts.append(_reserved(position - 1, part.high + 1))
        parts.append(part.name / c.BitsInteger(part.width, signed=part.signed))
        position = part.low
    if position:
        parts.append(_reserved(position - 1, 0))
    return c.ByteSwapped(c.BitStruct(*parts))


def _reserved(high: int, low: int) -> Any:
    return f"reserved_{high}_{low}" / c.BitsInteger(high - low + 1)


def _count(field: Field) -> Any:
    path = field.count
    if isinstance(path, int):
        return path
    assert path is not None
    expression = c.this
    for name in path.split("."):
        expression = getattr(expression, name)
    return expression


def _condition(conditions: tuple[str, ...]) -> Any:
    def test(context: Any) -> bool:
        return holds(context, conditions)

    return test


def parse(cls: type[Struct], version: int, data: bytes) -> tuple[Struct, int]:
    """Parse a ``cls`` with construct; return it and the number of bytes it took.

    Raises RemoteProtocolError where construct cannot parse.
    """
    whole = c.Struct("value" / struct(cls, version), "end" / c.Tell)
    try:
        container = whole.parse(data)
    except c.ConstructError as error:
        raise RemoteProtocolError(f"{cls.__name__}: {_one_line(error)}") from error
    return _message(cls, version, container.value), container.end


def build(message: Struct, version: int) -> bytes:
    """Build the payload of ``message``; raises LocalProtocolError where construct cannot."""
    try:
        return bytes(struct(type(message), version).build(_plain(message, version)))
    except (c.ConstructError, TypeError, AttributeError, KeyError) as error:
        raise LocalProtocolError(f"{type(message).__name__}: {_one_line(error)}") from error


def functions(cls: type[Struct], version: int) -> tuple[codec.Decoder, codec.Encoder]:
    """Return decoder and encoder with the codec's signatures, run by construct."""

    def decode(data: bytes, at: int, end: int) -> tuple[Any, int]:
        message, used = parse(cls, version, data[at:end])
        return message, at + used

    def encode(message: Any) -> bytes:
        return build(message, version)

    return decode, encode


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())


def _value(field: Field, version: int, found: Any) -> Any:
    """Turn what construct parsed for ``field`` into the value our classes hold."""
    if found is None:
        return None
    if field.bits is not None:
        return _word_value(field.bits, version, found)
    if field.kind == "array" and isinstance(field.element, type):
        if issubclass(field.element, Bits):
            return [_word_value(field.element, version, item) for item in found]
        assert issubclass(field.element, Struct)
        return [_message(field.element, version, item) for item in found]
    return _bare(found)


def _bare(found: Any) -> Any:
    """Return ``found`` without construct's containers."""
    if isinstance(found, dict):
        return {name: _bare(value) for name, value in found.items() if name != "_io"}
    return [_bare(item) for item in found] if isinstance(found, list) else found


def _word_value(bits: type[Bits], version: int, container: Any) -> Bits:
    value = 0
    variant = bits.at(version)
    for name, part in container.items():
        if name.startswith("reserved_"):
            value |= part << int(name.rpartition("_")[2])
        elif name != "_io":
            value |= next(p for p in variant.PARTS if p.name == name).place(part)
    return variant(value)


def _message(cls: type[Struct], version: int, container: Any) -> Struct:
    message: Struct = object.__new__(cls)
    for field in cls.FIELDS:
        setattr(message, field.name, _value(field, version, container.get(field.name)))
    return message


def _plain(message: Struct, version: int) -> dict[str, Any]:
    """Return the nested dict construct builds ``message`` from."""
    return {
        field.name: _plain_value(field, version, getattr(message, field.name))
        for field in message.layout(version)
    }


def _plain_value(field: Field, version: int, value: Any) -> Any:
    if value is None:
        return None
    if field.bits is not None:
        return _plain_word(field.bits, version, value)
    if field.kind == "array" and isinstance(field.element, type):
        if issubclass(field.element, Bits):
            return [_plain_word(field.element, version, item) for item in value]
        return [_plain(item, version) for item in value]
    return value


def _plain_word(bits: type[Bits], version: int, value: int) -> dict[str, int]:
    """Split a word for construct's bit struct, reserved stretches included."""
    if not 0 <= index(value) < 1 << bits.WIDTH:
        raise LocalProtocolError(f"{value} does not fit into the {bits.WIDTH} bits of a word")
    plain = {}
    variant = bits.at(version)
    bound = variant(value)
    position = bits.WIDTH
    for part in (*variant.PARTS, None):
        high = -1 if part is None else part.high
        if high + 1 < position:
            stretch = (1 << position - high - 1) - 1
            plain[f"reserved_{position - 1}_{high + 1}"] = value >> high + 1 & stretch
        if part is not None:
            plain[part.name] = int(getattr(bound, part.name))
            position = part.low
    return plain
