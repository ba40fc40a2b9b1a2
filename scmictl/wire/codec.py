"""The fast codec, derived once per layout from the declarations.

For every (class, epoch) two functions are generated on first use: one reads a run of fixed fields
with a single ``struct`` call, the other writes it. They give the same results as the construct
schema of the same class (:mod:`scmictl.wire.schema`), which a test shows for every message, and are
what keeps construct out of start-up and of the ring's hot path.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from typing import Any, TypeVar

from scmictl.errors import LocalProtocolError, RemoteProtocolError
from scmictl.wire import header, status
from scmictl.wire.bits import Bits
from scmictl.wire.fields import SCALAR_SIZES, SCALARS, Field
from scmictl.wire.message import Message, Response, Struct

S = TypeVar("S", bound=Struct)

Decoder = Callable[[bytes, int, int], tuple[Any, int]]
Encoder = Callable[[Any], bytes]

_cache: dict[tuple[type[Struct], int], tuple[Decoder, Encoder]] = {}


def decode(cls: type[S], version: int, payload: bytes, start: int = 0) -> S:
    """Read a ``cls`` of protocol ``version`` from ``payload[start:]``.

    Bytes after the known layout are kept in ``surplus``. Raises RemoteProtocolError when the
    payload is shorter than its fixed part or a count promises more than there is; its ``partial``
    then is the message with everything that could be read.
    """
    message, at = functions(cls, version)[0](payload, start, len(payload))
    if at < len(payload):
        message.surplus = payload[at:]
    return message  # type: ignore[no-any-return]  # the decoder of cls makes a cls


def encode(message: Struct, version: int) -> bytes:
    """Return the payload of ``message`` in protocol ``version``.

    Raises LocalProtocolError when a value does not fit its field.
    """
    return functions(type(message), version)[1](message)


def frame(message: Message, version: int, token: int = 0) -> bytes:
    """Return a request or a notification as a whole frame, header included."""
    return header.frame(
        message.MESSAGE_ID, message.TYPE, message.PROTOCOL_ID, token, encode(message, version)
    )


def answer(message: Response | Message, version: int) -> bytes:
    """Return the payload of a successful response or delayed response: status, then the fields."""
    return b"\0\0\0\0" + encode(message, version)


def read_status(payload: bytes, what: str) -> int:
    """Return the status word at the start of ``payload``; raises RemoteProtocolError if missing."""
    if len(payload) < 4:
        raise RemoteProtocolError(
            f"{what}: the answer has {len(payload)} payload bytes, expected at least the 4 of the "
            "status"
        )
    return int(status.WORD.unpack_from(payload)[0])


def read_text(raw: bytes) -> str:
    """Return a wire string up to its NUL; bytes outside ASCII become ``\\xNN``."""
    return raw.partition(b"\0")[0].decode("ascii", "backslashreplace")


def write_text(value: str, field: Field) -> bytes:
    """Return ``value`` as the bytes of ``field``; raises LocalProtocolError if it does not fit."""
    try:
        raw = value.encode("ascii")
    except UnicodeEncodeError:
        raise LocalProtocolError(f"{field.key} is {value!r}, expected ASCII") from None
    if len(raw) >= field.size or b"\0" in raw:
        raise LocalProtocolError(
            f"{field.key} is {value!r}, expected at most {field.size - 1} characters without NUL"
        )
    return raw


def functions(cls: type[Struct], version: int) -> tuple[Decoder, Encoder]:
    """Return the decoder and encoder of ``cls`` in ``version``, generating them the first time."""
    found = _cache.get((cls, version))
    if found is None:
        epoch = (cls, cls.epoch(version))
        if epoch not in _cache:
            _cache[epoch] = _generate(cls, version)
        found = _cache[(cls, version)] = _cache[epoch]
    return found


def fixed_size(cls: type[Struct], version: int) -> int | None:
    """Return the size of ``cls`` in bytes, or None if it varies."""
    total = 0
    for field in cls.layout(version):
        if field.when or field.optional or not field.size:
            return None
        total += field.size
    return total


def minimum_size(cls: type[Struct], version: int) -> int:
    """Return the number of bytes that any ``cls`` of this version has at least."""
    total = 0
    for field in cls.layout(version):
        if field.kind == "array" and field.count is None and field.minimum:
            total += field.minimum * element_size(field, version)
        elif not (field.when or field.optional):
            total += field.size
    return total


def element_size(field: Field, version: int) -> int:
    """Return the (smallest) size of an element of an array field."""
    if isinstance(field.element, str):
        return SCALAR_SIZES[field.element]
    if issubclass(field.element, Bits):
        return 4
    return minimum_size(field.element, version)


def _generate(cls: type[Struct], version: int) -> tuple[Decoder, Encoder]:
    layout = cls.layout(version)
    if any(field.kind == "construct" for field in layout):
        from scmictl.wire import schema

        return schema.functions(cls, version)
    source = _Source(cls, version)
    for run in _runs(layout):
        if run[0].kind == "array":
            source.array(run[0])
        elif run[0].kind == "packed":
            source.packed(run[0])
        else:
            source.fixed(run)
    return source.compile()


def _runs(layout: tuple[Field, ...]) -> list[list[Field]]:
    """Group neighbouring fixed fields under the same condition; optional ones stand alone."""
    runs: list[list[Field]] = []
    for field in layout:
        last = runs[-1][-1] if runs else None
        if (
            last is not None
            and not {field.kind, last.kind} & {"array", "packed"}
            and field.when == last.when
            and not field.optional
            and not last.optional
        ):
            runs[-1].append(field)
        else:
            runs.append([field])
    return runs


def _short(message: Struct, field: str, found: int, expected: int) -> RemoteProtocolError:
    return RemoteProtocolError(
        f"{type(message).__name__}: {max(found, 0)} bytes left for {field}, expected {expected}",
        partial=message,
    )


def _cut(
    message: Struct, run: list[Field], version: int, data: bytes, at: int, end: int
) -> RemoteProtocolError:
    """Read what is there of a run that is cut short; name the first field that is missing."""
    for field in run:
        if end - at < field.size:
            break
        raw = bytes(data[at : at + field.size])
        if field.kind == "text":
            value: Any = read_text(raw)
        else:
            value = int.from_bytes(raw, "little", signed=field.kind in ("i32", "i64"))
        setattr(message, field.name, value if field.bits is None else field.bits.at(version)(value))
        at += field.size
    return _short(message, field.key, end - at, field.size)


def _lies(message: Struct, field: str, found: int, expected: int) -> RemoteProtocolError:
    return RemoteProtocolError(
        f"{type(message).__name__}: {field} is said to have {expected} elements, "
        f"the message holds {found}",
        partial=message,
    )


class _Source:
    """Collects the source text of one decoder and one encoder."""

    def __init__(self, cls: type[Struct], version: int) -> None:
        self.cls = cls
        self.version = version
        self.names: dict[str, Any] = {
            "cls": cls,
            "new": object.__new__,
            "newint": int.__new__,
            "text": read_text,
            "short": _short,
            "cut": _cut,
            "lies": _lies,
            "unpack": struct.unpack_from,
            "pack": struct.pack,
            "misfit": _misfit,
            "counted": _counted,
            "enough": _enough,
            "gap": _gap,
            "write_text": write_text,
            "Bad": (struct.error, TypeError, ValueError, AttributeError),
            "RemoteProtocolError": RemoteProtocolError,
        }
        present = {field.name for field in cls.layout(version)}
        absent = [field.name for field in cls.FIELDS if field.name not in present]
        self.decoder = ["def decode(data, at, end):", "  o = new(cls)"]
        self.decoder += [f"  o.{name} = None" for name in absent]
        self.encoder = ["def encode(o):", " try:", "  out = b''"]
        self.counter = 0
        self.tail: Field | None = None

    def name(self, prefix: str, value: Any) -> str:
        self.counter += 1
        name = f"{prefix}{self.counter}"
        self.names[name] = value
        return name

    def compile(self) -> tuple[Decoder, Encoder]:
        self.decoder.append("  return o, at")
        self.encoder += [
            "  return out",
            " except Bad as error:",
            "  raise misfit(o, VERSION, error)",
        ]
        self.names["VERSION"] = self.version
        code = compile(
            "\n".join([*self.decoder, *self.encoder]), f"<codec {self.cls.__name__}>", "exec"
        )
        exec(code, self.names)  # nothing in the text comes from outside the declarations
        return self.names["decode"], self.names["encode"]

    def bits(self, bits: type[Bits]) -> str:
        return self.name("B", bits.at(self.version))

    def fixed(self, run: list[Field]) -> None:
        """Emit one struct call for neighbouring fixed-size fields."""
        codes = ""
        readers = []
        writers = []
        for field in run:
            if field.kind == "text":
                codes += f"{field.size}s"
                readers.append("text({})")
                writers.append(f"write_text(o.{field.name}, {self.name('F', field)})")
            elif field.bits is not None:
                codes += "I"
                readers.append(f"newint({self.bits(field.bits)}, {{}})")
                writers.append(f"o.{field.name}")
            else:
                codes += SCALARS[field.kind]
                readers.append("{}")
                writers.append(f"o.{field.name}")
        packer = struct.Struct("<" + codes)
        unpack, pack = self.name("U", packer.unpack_from), self.name("P", packer.pack)
        read = [f"  {', '.join(f'v{i}' for i in range(len(run)))}, = {unpack}(data, at)"]
        read.append(f"  at += {packer.size}")
        read += [
            f"  o.{field.name} = {reader.format(f'v{i}')}"
            for i, (field, reader) in enumerate(zip(run, readers, strict=True))
        ]
        check = f"  if end - at < {packer.size}:"
        failure = f"   raise cut(o, {self.name('R', run)}, VERSION, data, at, end)"
        write = f"  out += {pack}({', '.join(writers)})"
        nothing = [f"  o.{field.name} = None" for field in run]
        if run[0].optional:
            # What is too short for one field has none of those after it either.
            self.decoder += [check, *(" " + line for line in nothing), "   end = at", "  else:"]
            self.decoder += [" " + line for line in read]
            self.encoder.append(f"  if o.{run[0].name} is not None:")
            if self.tail is not None:
                self.encoder.append(f"   if o.{self.tail.name} is None:")
                self.encoder.append(f"    gap(o, {run[0].key!r}, {self.tail.key!r})")
            self.encoder.append(" " + write)
            self.tail = run[0]
        elif run[0].when:
            test = f"  if {_condition(run[0].when)}:"
            self.decoder += [test, *(" " + line for line in (check, failure, *read)), "  else:"]
            self.decoder += [" " + line for line in nothing]
            self.encoder += [test, " " + write]
        else:
            self.decoder += [check, failure, *read]
            self.encoder.append(write)

    def array(self, field: Field) -> None:
        """Emit a loop (or one struct call, for plain integers) over a list's elements."""
        name, key, element = field.name, field.key, field.element
        size = element_size(field, self.version)
        plain = isinstance(element, str) or issubclass(element, Bits)
        fits = f"(end - at) // {size}"
        if isinstance(field.count, int):
            self.decoder += [f"  n = {field.count}", f"  if end - at < {field.size}:"]
            self.decoder.append(
                f"   o.{name} = []; raise short(o, {key!r}, end - at, {field.size})"
            )
            self.encoder.append(f"  counted(o, {key!r}, len(o.{name}), {field.count})")
        elif field.count is not None:
            self.decoder.append(f"  n = o.{field.count}")
            self.encoder.append(f"  counted(o, {key!r}, len(o.{name}), o.{field.count})")
        elif plain or fixed_size(element, self.version) is not None:
            self.decoder.append(f"  n = {fits}")
        else:
            raise TypeError(f"{self.cls.__name__}.{name}: a list to the end needs a fixed size")
        if field.minimum:
            self.decoder.append(f"  if n < {field.minimum}:")
            self.decoder.append(
                f"   o.{name} = []; raise short(o, {key!r}, end - at, {size * field.minimum})"
            )
            self.encoder.append(f"  enough(o, {key!r}, len(o.{name}), {field.minimum})")
        if plain:
            code = SCALARS[element] if isinstance(element, str) else "I"
            self.decoder += [
                f"  k = min(n, {fits})",
                f"  o.{name} = list(unpack('<%d{code}' % k, data, at))",
                f"  at += {size} * k",
            ]
            if not isinstance(element, str):
                self.decoder.append(
                    f"  o.{name} = [newint({self.bits(element)}, v) for v in o.{name}]"
                )
            self.decoder += ["  if k < n:", f"   raise lies(o, {key!r}, k, n)"]
            self.encoder.append(f"  out += pack('<%d{code}' % len(o.{name}), *o.{name})")
            return
        decoder, encoder = functions(element, self.version)
        self.decoder += [
            "  items = []",
            f"  o.{name} = items",
            "  for _ in range(n):",
            "   try:",
            f"    item, at = {self.name('D', decoder)}(data, at, end)",
            "   except RemoteProtocolError as error:",
            f"    raise lies(o, {key!r}, len(items), n) from error",
            "   items.append(item)",
        ]
        self.encoder += [
            f"  for item in o.{name}:",
            f"   out += {self.name('E', encoder)}(item)",
        ]

    def packed(self, field: Field) -> None:
        """Emit a list of bytes padded to whole words."""
        name, key = field.name, field.key
        self.decoder += [
            f"  n = o.{field.count}",
            "  k = min(n, (end - at) // 4 * 4)",
            f"  o.{name} = list(data[at:at + k])",
            "  at += (k + 3) // 4 * 4",
            "  if k < n:",
            f"   raise lies(o, {key!r}, k, n)",
        ]
        self.encoder += [
            f"  counted(o, {key!r}, len(o.{name}), o.{field.count})",
            f"  out += bytes(o.{name}) + bytes(-len(o.{name}) % 4)",
        ]


def _condition(conditions: tuple[str, ...]) -> str:
    """Return the source of :func:`~scmictl.wire.message.holds` for an ``o``."""
    return " and ".join(f"not o.{c[4:]}" if c.startswith("not ") else f"o.{c}" for c in conditions)


def _counted(message: Struct, key: str, found: int, expected: int) -> None:
    if found != expected:
        raise LocalProtocolError(
            f"{type(message).__name__}: {key} has {found} elements, its count says {expected}"
        )


def _enough(message: Struct, key: str, found: int, expected: int) -> None:
    if found < expected:
        raise LocalProtocolError(
            f"{type(message).__name__}: {key} has {found} elements, expected {expected} or more"
        )


def _gap(message: Struct, key: str, missing: str) -> None:
    raise LocalProtocolError(
        f"{type(message).__name__}: {missing} is missing, expected a value in front of {key}"
    )


def _misfit(message: Struct, version: int, error: Exception) -> LocalProtocolError:
    """Return the error that names the field at fault after an encoder failed."""
    name = getattr(message, "SPEC", "") or type(message).__name__
    for field in message.layout(version):
        value = getattr(message, field.name, None)
        code = SCALARS.get(field.kind) or ("I" if field.bits is not None else None)
        if code is None or (value is None and (field.when or field.optional)):
            continue
        if not isinstance(value, int):
            return LocalProtocolError(f"{name}: {field.key} is {value!r}, expected an integer")
        try:
            struct.pack("<" + code, value)
        except struct.error:
            width = field.size * 8
            low, high = (-(1 << width - 1), (1 << width - 1) - 1) if code.islower() else (0, 0)
            high = high or (1 << width) - 1
            return LocalProtocolError(f"{name}: {field.key} is {value}, expected {low} to {high}")
    return LocalProtocolError(f"{name}: {error}")
