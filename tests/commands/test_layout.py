"""The layouts that `explain` shows, against ``vectors/layouts.toml``, facts other people found."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from scmictl import protocols
from scmictl.commands import layout
from scmictl.commands.layout import Layout, Row
from scmictl.protocols import Protocol, sensor
from scmictl.wire import Delayed, Message

FACTS = tomllib.loads((Path(__file__).parents[1] / "vectors" / "layouts.toml").read_text())
PROTOCOLS = [protocols.by_name(name) for *_, name in (*protocols.STANDARD, *protocols.VENDOR)]
FRAMES = {"delayed": "delayed_response"}
"""What the table calls otherwise."""


class Fact(NamedTuple):
    """One layout of the table."""

    protocol: Protocol
    frame: str
    id: int
    spec: str
    first: int
    last: int
    fields: list[str]


TABLE = [
    Fact(protocol, FRAMES.get(kind, kind), *rest)
    for protocol in PROTOCOLS
    for kind, *rest in FACTS[protocol.name]["layouts"]
]


def kinds(protocol: Protocol) -> Iterator[type[Message]]:
    """Messages that have layouts of their own; a delayed response comes with its command."""
    return (kind for kind in protocol.by_spec.values() if not issubclass(kind, Delayed))


SHOWN: dict[tuple[str, str, int, str, int], Layout] = {
    (protocol.name, found.frame, kind.MESSAGE_ID, found.message, version): found
    for protocol in PROTOCOLS
    for kind in kinds(protocol)
    for found in layout.layouts(protocol, kind)
    for version in found.versions
}
"""By protocol, frame, message and version: what is shown."""


def lines(rows: tuple[Row, ...]) -> list[tuple[int | None, str]]:
    """The fields as the table writes them, offsets apart: they are of frames, not of payloads."""
    answer = len(rows) > 1 and rows[1].meaning.startswith("on any but SUCCESS")
    rows = rows[2 if answer else 1 :]
    found: list[tuple[int | None, str]] = []
    for row in rows:
        if row.bits is not None:
            at, line = found[-1]
            name, signed = row.field.rpartition(".")[2], "~" if row.type == "signed" else ""
            found[-1] = at, f"{line} {row.bits}={name}{signed}"
            continue
        inside = "[]." in row.field
        before = f"{row.field.partition('[]')[0]}+ " if inside else ""
        name = row.field.rpartition("[].")[2]
        at = row.offset if inside or row.offset is None else row.offset - 4
        found.append((at, f"{before}{row.type} {name}"))
    # Bits stand behind the field, and a condition behind the bits.
    words = [row for row in rows if row.bits is None]
    return [
        (at, f"{line} if {row.when}" if row.when and row.when != "may be missing" else line)
        for (at, line), row in zip(found, words, strict=True)
    ]


def told(line: str) -> tuple[int, str]:
    """A line of the table as `lines` writes it."""
    match = re.fullmatch(r"(?:(\w+)\+)?(\d+) (\S+) (.*)", line)
    assert match is not None, line
    before, at, kind, rest = match.groups()
    kind = kind.replace("char[", "u8[").replace("{}", "struct").removesuffix("/4")
    kind = re.sub(r"\[\d*\.\.\]", "[]", kind)
    return int(at), f"{f'{before}+ ' if before else ''}{kind} {rest}"


def without_underscores(text: str) -> str:
    """A trailing underscore is Python's, and in no text that is shown."""
    return re.sub(r"_(?=[\s.\]]|$)", "", text)


@pytest.mark.parametrize(
    "fact", TABLE, ids=lambda f: f"{f.protocol.name}.{f.spec}-{f.frame}-{f.first:#x}"
)
def test_every_field_is_shown_where_the_table_has_it(fact: Fact) -> None:
    versions = [v for v in fact.protocol.versions if fact.first <= v <= fact.last]
    assert versions
    for version in versions:
        shown = SHOWN[fact.protocol.name, fact.frame, fact.id, fact.spec, version]
        expected = [told(line) for line in fact.fields]
        found = lines(shown.rows)
        assert [text for _, text in found] == [without_underscores(text) for _, text in expected]
        for (offset, _), (known, _) in zip(found, expected, strict=True):
            # Behind something that may be missing nobody can say where a field is.
            assert offset in (known, None)


def test_nothing_is_shown_that_the_table_does_not_have() -> None:
    known = {(f.protocol.name, f.frame, f.id, f.spec) for f in TABLE}
    assert {key[:4] for key in SHOWN} == known
    for name, frame, number, spec, version in SHOWN:
        assert any(
            (f.protocol.name, f.frame, f.id, f.spec) == (name, frame, number, spec)
            and f.first <= version <= f.last
            for f in TABLE
        )


def test_the_offset_is_known_wherever_nothing_in_front_of_it_varies() -> None:
    for shown in SHOWN.values():
        for row in shown.rows:
            if row.bits is None and row.offset is None:
                before = shown.rows[: shown.rows.index(row)]
                assert any(r.when or r.type.endswith("]") for r in before), row


def test_the_header_of_every_frame_has_its_numbers() -> None:
    types = {"request": 0, "response": 0, "delayed_response": 2, "notification": 3}
    for (name, frame, number, _, _), shown in SHOWN.items():
        word = int(shown.rows[0].meaning.partition(",")[0], 16)
        protocol = protocols.by_name(name)
        assert word == number | types[frame] << 8 | protocol.id << 10


def test_the_values_of_every_enumeration_have_their_names() -> None:
    for kind, spec, path, names in FACTS["enumerations"]["parts"]:
        if isinstance(names, list):
            names = {name: value for value, name in enumerate(names)}
        frame = FRAMES.get(kind, kind)
        name, _, message = spec.rpartition(".")
        rows = [
            row
            for (protocol, found, _, called, _), shown in SHOWN.items()
            if (found, called) == (frame, message) and name in ("", protocol)
            for row in shown.rows
            if row.field.replace("[]", "") == path and row.values
        ]
        assert rows, (spec, path)
        assert all(row.values == names for row in rows)


def test_an_older_layout_is_told_by_what_is_different() -> None:
    found = [
        one for one in layout.layouts(sensor.PROTOCOL, sensor.DescriptionGet)
        if one.frame == "response"
    ]  # fmt: skip
    assert layout.lines(found[1], single=False, newer=found[0]) == [
        "response SENSOR_DESCRIPTION_GET (size varies, version 2.0), as in 3.0 but",
        "  without desc[].sensor_attributes_low.extended_name",
    ]
    # In 1.0 hardly anything is the same.
    oldest = layout.lines(found[2], single=False, newer=found[1])
    assert oldest == layout.lines(found[2], single=False)


def test_what_was_elsewhere_in_an_older_layout_is_shown_with_its_place() -> None:
    def made(version: int, *rows: Row) -> Layout:
        return Layout("request", "ONE", (version,), None, rows)

    same = [Row(at, f"field{at}", "u32") for at in range(0, 32, 4)]
    word, bit = Row(32, "word", "u32"), Row(None, "word.on", "flag", bits="0")
    newer = made(0x20000, *same, word, bit, Row(None, "word.off", "flag", bits="1"))
    older = made(0x10000, *same, word, Row(None, "word.on", "flag", bits="4"))
    assert layout.lines(older, single=False, newer=newer)[1:] == [
        "    [4]  word.on",
        "  without word.off",
    ]


def every_text() -> Iterator[Any]:
    for protocol in PROTOCOLS:
        for kind in kinds(protocol):
            found = layout.layouts(protocol, kind)
            yield from (layout.lines(one, single=False) for one in found)


def test_every_layout_can_be_shown_as_text_in_unicode_of_one_line_each() -> None:
    for text in every_text():
        assert len(text) >= 2
        assert all(line.isprintable() and line == line.rstrip() for line in text)
