"""Every declaration against ``vectors/layouts.toml``, facts other people found; both directions."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from enum import IntEnum
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from scmictl import protocols
from scmictl.protocols import Protocol
from scmictl.protocols.unit import SYMBOLS, SensorType, symbol
from scmictl.wire import Bits, Field, Message, Request, Status, Struct, codec

FACTS = tomllib.loads((Path(__file__).parents[1] / "vectors" / "layouts.toml").read_text())
NAMES = [name for *_, name in (*protocols.STANDARD, *protocols.VENDOR)]
PROTOCOLS = {name: protocols.by_name(name) for name in NAMES}


class Row(NamedTuple):
    """One layout of the table."""

    protocol: str
    kind: str
    id: int
    spec: str
    first: int
    last: int
    fields: list[str]

    @property
    def message(self) -> tuple[str, str, int, str]:
        return self.protocol, self.kind, self.id, self.spec


ROWS = [Row(name, *row) for name in PROTOCOLS for row in FACTS[name]["layouts"]]


def declared(protocol: Protocol) -> Iterator[tuple[str, type[Message], type[Struct]]]:
    """The kind of each message, the class that knows its number and the class of its payload."""
    for request in protocol.requests:
        yield "request", request, request
        yield "response", request, request.RESPONSE
        if request.DELAYED is not None:
            yield "delayed", request.DELAYED, request.DELAYED
    for event in protocol.notifications:
        yield "notification", event, event


DECLARED = {
    (protocol.name, kind, message.MESSAGE_ID, message.SPEC): (message, payload)
    for protocol in PROTOCOLS.values()
    for kind, message, payload in declared(protocol)
}


def render(cls: type[Struct], version: int, start: int, prefix: str = "") -> list[str]:
    """The lines the table would have for ``cls``, its first field at byte ``start``."""
    lines = []
    at = start
    for field in cls.layout(version):
        line = f"{prefix}{at} {kind(field)} {field.key}"
        bits = field.element if field.kind == "array" else field.bits
        if isinstance(bits, type) and issubclass(bits, Bits):
            line += "".join(
                f" {part.high}{'' if part.width == 1 else f':{part.low}'}={part.key}"
                + "~" * part.signed
                for part in bits.at(version).PARTS
            )
        if field.when:
            line += f" if {' and '.join(field.when)}"
        lines.append(line)
        if isinstance(field.element, type) and issubclass(field.element, Struct):
            lines += render(field.element, version, 0, f"{field.key}+")
        at += field.size
    return lines


def kind(field: Field) -> str:
    if field.kind == "packed":
        return f"u8[{field.count}]/4"
    if field.kind == "array":
        element = field.element
        if not isinstance(element, str):
            element = "u32" if issubclass(element, Bits) else "{}"
        return f"{element}[{field.count or f'{field.minimum}..'}]"
    return {"word": "u32", "text": f"char[{field.size}]"}.get(field.kind, field.kind)


def test_the_protocols_and_their_versions_are_those_of_the_table() -> None:
    assert {name: protocol.id for name, protocol in PROTOCOLS.items()} == {
        name: FACTS[name]["id"] for name in FACTS["released"]
    }
    assert {name: list(p.versions) for name, p in PROTOCOLS.items()} == FACTS["released"]
    experimental = {name: sorted(p.experimental) for name, p in PROTOCOLS.items() if p.experimental}
    assert experimental == FACTS["experimental"]


def test_the_protocols_of_vendors_are_those_of_the_table() -> None:
    assert {name: [vendor, sub] for vendor, sub, _, name in protocols.VENDOR} == FACTS["vendors"]
    assert [PROTOCOLS[name].id for *_, name in protocols.VENDOR] == [
        number for *_, number, _ in protocols.VENDOR
    ]


def test_every_message_of_the_table_is_declared_and_no_other() -> None:
    assert set(DECLARED) == {row.message for row in ROWS}


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row.spec}-{row.kind}-{row.first:#x}")
def test_the_declared_layout_is_the_one_of_the_table(row: Row) -> None:
    _, payload = DECLARED[row.message]
    start = 4 if row.kind in ("response", "delayed") else 0
    versions = {row.first, row.last, *PROTOCOLS[row.protocol].versions}
    for change in payload.changes():
        versions |= {change - 1, change}
    for version in versions:
        if row.first <= version <= row.last:
            assert render(payload, version, start) == row.fields, f"version {version:#x}"


@pytest.mark.parametrize("key", DECLARED, ids=lambda key: f"{key[3]}-{key[1]}")
def test_a_message_exists_from_the_version_it_came_with_and_the_table_leaves_no_gap(
    key: tuple[str, str, int, str],
) -> None:
    message, _ = DECLARED[key]
    rows = [row for row in ROWS if row.message == key]
    assert PROTOCOLS[key[0]].id == message.PROTOCOL_ID
    if key[1] != "delayed":  # one exists wherever its command does
        assert rows[0].first == max(message.SINCE, 0x10000)
    for older, newer in pairwise(rows):
        assert newer.first == older.last + 1
    assert rows[-1].last == 0xFFFFFFFF


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row.spec}-{row.kind}-{row.first:#x}")
def test_the_size_of_a_fixed_payload_is_the_one_of_the_table(row: Row) -> None:
    size = 4 if row.kind in ("response", "delayed") else 0
    for line in row.fields:
        found = re.fullmatch(
            r"(\d+) (?:[ui](\d+)(?:\[(\d+)\])?|char\[(\d+)\]) \w+(?: \S+=\w+~?)*", line
        )
        if found is None:
            return
        at, width, count, length = (int(number or 0) for number in found.groups())
        size = at + (width // 8 * (count or 1) or length)
    _, payload = DECLARED[row.message]
    fixed = codec.fixed_size(payload, row.first)
    if fixed is None:  # the table does not know what may be missing at the end
        optional = sum(f.size for f in payload.layout(row.first) if f.optional)
        fixed = codec.minimum_size(payload, row.first) + optional
    assert fixed + (4 if row.kind in ("response", "delayed") else 0) == size


def test_lists_over_several_messages_are_read_as_the_table_says() -> None:
    found: dict[str, list[str]] = {}
    for (_, kind, _, spec), (message, _) in DECLARED.items():
        paging = getattr(message, "PAGING", None)
        if kind == "request" and paging is not None:
            response: type[Struct] = message.RESPONSE  # type: ignore[attr-defined]  # a Request
            assert paging.items in [field.name for field in response.FIELDS]
            places = [place(response, path) for path in (paging.returned, paging.remaining) if path]
            found[spec] = [place(message, paging.start), *places]
    assert found == FACTS["paging"]


def place(cls: type[Struct], path: str) -> str:
    """``flags.returned`` as ``flags 5:0``."""
    name, _, part = path.partition(".")
    field = next(field for field in cls.FIELDS if field.name == name)
    if not part:
        return name
    assert field.bits is not None
    found = next(bit for bit in field.bits.PARTS if bit.name == part)
    return f"{name} {found.high}:{found.low}"


def test_notifications_are_switched_by_the_commands_of_the_table() -> None:
    found: dict[str, str | list[str]] = {}
    for protocol in PROTOCOLS.values():
        for request in protocol.requests:
            if request.SUBSCRIBES is not None:
                event, place = request.SUBSCRIBES.SPEC, switched_at(request)
                found[request.SPEC] = event if place == "notify_enable 0:0" else [event, place]
    assert found == FACTS["switches"]


def switched_at(request: type[Request[Any]]) -> str:
    """The field that switches a notification, and which of its bits do."""
    switch = next(field for field in request.FIELDS if field.name == request.SWITCH)
    if switch.bits is None:
        return f"{switch.name} 31:0"
    return f"{switch.name} {switch.bits.PARTS[0].high}:{switch.bits.PARTS[-1].low}"


@pytest.mark.parametrize(
    ("kind", "spec", "path", "names"), FACTS["enumerations"]["parts"], ids=lambda value: str(value)
)
def test_the_values_of_a_part_mean_what_the_table_says(
    kind: str, spec: str, path: str, names: list[str] | dict[str, int]
) -> None:
    payload = next(
        payload
        for (protocol, found, _, name), (_, payload) in DECLARED.items()
        if (found, named(protocol, name)) == (kind, spec)
    )
    if isinstance(names, list):
        names = {name: value for value, name in enumerate(names)}
    assert {member.name.lower(): member.value for member in enumerated(payload)[path]} == names


def test_no_enumeration_is_missing_from_the_table() -> None:
    listed = {(kind, spec, path) for kind, spec, path, _ in FACTS["enumerations"]["parts"]}
    found = {
        (kind, named(protocol, spec), path)
        for (protocol, kind, _, spec), (_, payload) in DECLARED.items()
        for path in enumerated(payload)
    }
    assert found == listed


def named(protocol: str, spec: str) -> str:
    """How the table writes the name of a message: unambiguously."""
    return f"{protocol}.{spec}" if spec.startswith("PROTOCOL_") else spec


OWN_TABLES: tuple[type[IntEnum], ...] = (SensorType, Status)


def enumerated(cls: type[Struct]) -> dict[str, type[IntEnum]]:
    """What is enumerated in ``cls`` and in its lists: fields, and parts of words, by their path."""
    found = {}
    for field in cls.FIELDS:
        inner = field.element if field.kind == "array" else field.bits
        if field.enum is not None:
            found[field.key] = field.enum
        elif isinstance(inner, type) and issubclass(inner, Struct):
            found |= {f"{field.key}.{path}": enum for path, enum in enumerated(inner).items()}
        elif isinstance(inner, type) and issubclass(inner, Bits):
            found |= {f"{field.key}.{part.key}": part.enum for part in inner.PARTS if part.enum}
    return {path: enum for path, enum in found.items() if enum not in OWN_TABLES}


def test_the_status_codes_are_those_of_the_table() -> None:
    assert {status.name: status.value for status in Status} == FACTS["status_codes"]


OTHER_WORDS = {
    "Degrees C": "DEGREES_CELSIUS",
    "Degrees F": "DEGREES_FAHRENHEIT",
    "Volt-amperes (VA)": "VOLT_AMPERES",
    "kPa": "KILOPASCALS",
    "CFM (cubic feet per minute)": "CUBIC_FEET_PER_MINUTE",
    "PPM (parts per million)": "PARTS_PER_MILLION",
    "Color temperature, K": "COLOR_TEMPERATURE",
    "Overruns/overflows": "OVERRUNS",
}
"""Sensor types whose name the table abbreviates or explains."""


def test_the_sensor_types_are_those_of_the_table() -> None:
    expected: dict[str, Any] = {
        OTHER_WORDS.get(name, re.sub(r"\W+", "_", name).upper()): code
        for name, code in FACTS["sensor_types"].items()
    }
    assert {member.name: member.value for member in SensorType} == expected


def test_every_sensor_type_has_something_to_write_behind_a_value() -> None:
    assert symbol(SensorType.DEGREES_CELSIUS) == "°C"
    assert symbol(SensorType.NONE) == symbol(SensorType.UNSPECIFIED) == ""
    assert symbol(SensorType.PACKETS) == "packets"
    assert symbol(0x7F) == "type-0x7f"
    assert set(SYMBOLS) <= set(SensorType)


def test_every_protocol_of_the_specification_has_a_name() -> None:
    for number in FACTS["protocol_ids"]:
        assert not protocols.id_name(int(number, 16)).startswith(("vendor", "protocol"))
    assert protocols.id_name(0x1C) == "protocol-0x1c"
    assert protocols.id_name(0x80) == "vendor-0x80"
    assert protocols.id_name(0x80, "NXP", "IMX") == "nxp-lmm"
