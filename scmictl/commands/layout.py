"""The wire layout of a message in plain values: every field, where it lies and what it means.

Offsets count from the start of the frame, the header included; they are None behind a part whose
size varies, and begin with 0 again in each element of a list.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import IntEnum
from typing import Any, NamedTuple

from scmictl.protocols import Protocol, version_text
from scmictl.wire import Bit, Bits, Delayed, Field, Message, Notification, Request, Struct, header
from scmictl.wire.codec import fixed_size


class Row(NamedTuple):
    """One line of a layout: a field, or some bits of the word above it (then ``bits`` is set)."""

    offset: int | None
    field: str
    type: str
    bits: str | None = None
    unit: str | None = None
    meaning: str = ""
    values: dict[str, int] | None = None
    when: str | None = None

    def record(self) -> dict[str, Any]:
        """Return the row as JSON has it."""
        return self._asdict()


class Layout(NamedTuple):
    """One kind of frame in some versions; ``size`` is None if it varies."""

    frame: str
    message: str
    versions: tuple[int, ...]
    size: int | None
    rows: tuple[Row, ...]

    def record(self) -> dict[str, Any]:
        """Return the layout as JSON has it."""
        return {
            "frame": self.frame,
            "message": self.message,
            "versions": [version_text(version) for version in self.versions],
            "size": self.size,
            "fields": [row.record() for row in self.rows],
        }


def layouts(protocol: Protocol, kind: type[Message]) -> list[Layout]:
    """Return the layouts of a message: request, response and delayed response, or what it is.

    Versions that agree share a layout, newest first.
    """
    if issubclass(kind, Request):
        frames: list[tuple[str, type[Message], type[Struct]]] = [
            ("request", kind, kind),
            ("response", kind, kind.RESPONSE),
        ]
        if kind.DELAYED is not None:
            frames.append(("delayed_response", kind.DELAYED, kind.DELAYED))
    else:
        name = "delayed_response" if issubclass(kind, Delayed) else "notification"
        frames = [(name, kind, kind)]
    found = []
    for name, message, struct in frames:
        since = max(kind.SINCE, message.SINCE)  # a delayed response can be younger than its command
        groups: dict[int, list[int]] = {}
        for version in protocol.versions:
            if version < since:
                continue
            groups.setdefault(struct.epoch(version), []).append(version)
        for _, group in sorted(groups.items(), reverse=True):
            found.append(_layout(name, message, struct, group))
    return found


def _layout(
    frame: str, message: type[Message], struct: type[Struct], versions: Sequence[int]
) -> Layout:
    kind = header.NOTIFICATION if issubclass(message, Notification) else header.COMMAND
    if frame == "delayed_response":
        kind = header.DELAYED
    word = header.pack(message.MESSAGE_ID, kind, message.PROTOCOL_ID, 0)
    rows = [Row(0, "header", "u32", meaning=f"{word:#010x}, the token in bits 27:18")]
    at = header.SIZE
    if frame in ("response", "delayed_response"):
        rows.append(Row(at, "status", "i32", meaning="on any but SUCCESS nothing follows"))
        at += 4
    size = fixed_size(struct, versions[-1])
    _struct(rows, struct, versions[-1], at, "")
    return Layout(
        frame,
        message.SPEC,
        tuple(versions),
        None if size is None else at + size,
        tuple(rows),
    )


def _struct(rows: list[Row], struct: type[Struct], version: int, start: int, prefix: str) -> None:
    at: int | None = start
    before: set[str] = set()
    for field in struct.layout(version):
        if not before <= set(field.when):
            at = None  # what stands before may be missing
        before = set(field.when)
        name = f"{prefix}{field.key}"
        rows.append(_row(field, name, at))
        if field.bits is not None:
            _bits(rows, field.bits, version, name)
        element = field.element
        if isinstance(element, type):
            if issubclass(element, Bits):
                _bits(rows, element, version, f"{name}[]")
            elif issubclass(element, Struct):
                _struct(rows, element, version, 0, f"{name}[].")
        at = None if at is None or not field.size else at + field.size


def _row(field: Field, name: str, at: int | None) -> Row:
    when = conditions(field.when) or ("may be missing" if field.optional else None)
    return Row(
        at,
        name,
        _type(field),
        unit=field.unit,
        meaning=field.meaning,
        values=_members(field.enum),
        when=when,
    )


def conditions(paths: Sequence[str]) -> str:
    """Return conditions as they are typed: ``flags.async and not flags.late``."""
    return " and ".join(path.rstrip("_") for path in paths)


def _type(field: Field) -> str:
    if field.kind == "text":
        return f"u8[{field.size}]"
    if field.kind == "packed":
        return f"u8[{field.count}]"
    if field.kind == "word":
        return "u32"
    if field.kind == "array":
        if isinstance(field.element, str):
            element = field.element
        else:
            element = "u32" if issubclass(field.element, Bits) else "struct"
        return f"{element}[{field.count or ''}]"
    return field.kind


def _bits(rows: list[Row], kind: type[Bits], version: int, name: str) -> None:
    rows += [_bit(part, name) for part in kind.at(version).PARTS]


def _bit(part: Bit[Any], name: str) -> Row:
    place = str(part.high) if part.high == part.low else f"{part.high}:{part.low}"
    return Row(
        None,
        f"{name}.{part.key}",
        "flag" if part.is_flag else "signed" if part.signed else "unsigned",
        bits=place,
        meaning=part.meaning,
        values=_members(part.enum),
    )


def _members(enum: type[IntEnum] | None) -> dict[str, int] | None:
    return {member.name.lower(): int(member) for member in enum} if enum is not None else None


def lines(layout: Layout, *, single: bool, newer: Layout | None = None) -> list[str]:
    """Return a layout as lines for people; ``single``: it is the same in all versions.

    Of one that is much like a ``newer`` one, only what is different.
    """
    size = "size varies" if layout.size is None else f"{layout.size} bytes"
    versions = "" if single else f", version {_span(layout.versions)}"
    title = f"{layout.frame.replace('_', ' ')} {layout.message} ({size}{versions})"
    if newer is None:
        return [title, *_table(layout.rows)]
    changed = [row for row in layout.rows if row not in newer.rows]
    names = {row.field for row in layout.rows}
    gone = [row.field for row in newer.rows if row.field not in names]
    if 2 * (len(changed) + len(gone)) > len(layout.rows):
        return [title, *_table(layout.rows)]
    return [
        f"{title}, as in {version_text(newer.versions[0])} but",
        *_table(changed),
        *(f"  without {name}" for name in gone),
    ]


def _table(rows: Sequence[Row]) -> list[str]:
    cells = [
        (
            ""
            if row.offset is None
            else f"+{row.offset}"
            if "[]" in row.field
            else str(row.offset),
            f"[{row.bits}]" if row.bits else row.type,
            _name(row, rows),
            _explained(row),
        )
        for row in rows
    ]
    widths = [max(len(row[column]) for row in cells) if cells else 0 for column in range(3)]
    return [
        f"  {offset:>{widths[0]}}  {kind:<{widths[1]}}  {name:<{widths[2]}}  {meaning}".rstrip()
        for offset, kind, name, meaning in cells
    ]


def _name(row: Row, rows: Sequence[Row]) -> str:
    """Return the name of a field; that of bits stands below their word's, if that is there too."""
    word, _, bits = row.field.rpartition(".")
    return f"  {bits}" if row.bits and any(other.field == word for other in rows) else row.field


def _span(versions: Sequence[int]) -> str:
    first, last = version_text(versions[0]), version_text(versions[-1])
    return first if first == last else f"{first} to {last}"


def _explained(row: Row) -> str:
    parts = [f"in {row.unit}" if row.unit else "", row.meaning]
    if row.values:
        # A unit has a hundred values, which nobody reads in a line.
        members = list(row.values.items())
        parts.append(
            ", ".join(f"{value} {name}" for name, value in members[:8])
            + (f", ... {len(members)} in all" if len(members) > 8 else "")
        )
    if row.type == "signed":
        parts.append("signed")
    if row.when:
        parts.append(row.when if row.when == "may be missing" else f"only if {row.when}")
    return "; ".join(part for part in parts if part)


def protocol_lines(protocol: Protocol) -> list[str]:
    """Return one line for each message of a protocol."""
    cells = [
        (f"{message.MESSAGE_ID:#x}", _sort(message), message.SPEC, message.meaning())
        for message in protocol.by_spec.values()
    ]
    widths = [max(len(row[column]) for row in cells) for column in range(3)]
    versions = ", ".join(protocol.called(version) for version in protocol.versions)
    title = f"{protocol.title} protocol {protocol.id:#x} ({protocol.name}), "
    return [
        f"{title}versions {versions}",
        *(
            f"  {number:>{widths[0]}}  {sort:<{widths[1]}}  {name:<{widths[2]}}  {meaning}"
            for number, sort, name, meaning in cells
        ),
    ]


def _sort(message: type[Message]) -> str:
    if issubclass(message, Request):
        return "command"
    return "delayed" if issubclass(message, Delayed) else "event"
