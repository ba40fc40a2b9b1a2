"""The table of protocols, and that what a declaration points at is there."""

from __future__ import annotations

import pytest

from scmictl import protocols
from scmictl.errors import UsageError
from scmictl.protocols import Protocol, base, clock, sensor, version_text
from scmictl.wire import Bits, Field, Struct

PROTOCOLS = [protocols.by_name(name) for _, name in protocols.STANDARD]
every_protocol = pytest.mark.parametrize("protocol", PROTOCOLS, ids=lambda p: p.name)


def field(cls: type[Struct], name: str) -> Field:
    found = [field for field in cls.FIELDS if field.name == name]
    assert found, f"{cls.__name__} has no {name}"
    return found[0]


def check_path(cls: type[Struct], path: str) -> None:
    """Fail unless ``path`` leads to a number in ``cls``."""
    name, _, part = path.removeprefix("not ").partition(".")
    found = field(cls, name)
    if part:
        assert found.bits is not None
        assert part in [bit.name for bit in found.bits.PARTS]
    else:
        assert found.kind in ("u32", "word")


def structs(cls: type[Struct]) -> list[type[Struct]]:
    """``cls`` and the structures in its lists."""
    inner = [
        f.element
        for f in cls.FIELDS
        if isinstance(f.element, type) and issubclass(f.element, Struct)
    ]
    return [cls, *inner]


def test_protocols_are_found_by_number_and_by_name() -> None:
    assert protocols.by_id(0x14) is clock.PROTOCOL
    assert protocols.by_name("clock") is clock.PROTOCOL
    assert protocols.by_name("Sensor") is sensor.PROTOCOL
    assert protocols.by_name("0x10") is protocols.by_name("16") is base.PROTOCOL


def test_an_unknown_protocol_is_nobody_by_number_and_an_error_by_name() -> None:
    assert protocols.by_id(0x7F) is None
    with pytest.raises(UsageError, match="unknown protocol 'clok', expected one of: base, power"):
        protocols.by_name("clok")


def test_known_protocols_are_named_as_their_files_are() -> None:
    assert [protocols.id_name(number) for number, _ in protocols.STANDARD] == [
        name for _, name in protocols.STANDARD
    ]


def test_versions_are_written_the_way_people_do() -> None:
    assert version_text(0x30001) == "3.1"
    assert version_text(0x10000) == "1.0"


@pytest.mark.parametrize(
    ("reported", "used"),
    [
        (0x10000, 0x10000),
        (0x20001, 0x20001),
        (0x30000, 0x30000),
        (0x30007, 0x30007),
        (0x40000, 0x3FFFF),
        (0xFFFFFFFF, 0x3FFFF),
    ],
)
def test_the_layouts_are_those_of_the_reported_version_or_the_newest_known(
    reported: int, used: int
) -> None:
    assert clock.PROTOCOL.layout_version(reported) == used


@every_protocol
def test_messages_are_found_by_id_and_by_specification_name(protocol: Protocol) -> None:
    assert protocol.newest == max(protocol.versions)
    assert set(protocol.by_id.values()) == set(protocol.requests)
    assert set(protocol.events_by_id.values()) == set(protocol.notifications)
    for message in protocol.by_spec.values():
        assert protocol.by_spec[message.SPEC] is message
        assert protocol.id == message.PROTOCOL_ID


@every_protocol
def test_every_message_says_in_one_sentence_what_it_does_and_where_it_stands(
    protocol: Protocol,
) -> None:
    for message in protocol.by_spec.values():
        assert message.meaning().endswith("."), message.__name__
        assert message.SECTION.startswith(("A ", "B ")), message.__name__


@every_protocol
def test_classes_are_named_after_the_specification(protocol: Protocol) -> None:
    for message in protocol.by_spec.values():
        prefix = {"perf": "PERFORMANCE"}.get(protocol.name, protocol.name.upper())
        spec = message.SPEC.removeprefix(f"{prefix}_")
        spec = spec.removeprefix("PROTOCOL_") if spec == "PROTOCOL_MESSAGE_ATTRIBUTES" else spec
        assert message.__name__ == "".join(word.capitalize() for word in spec.split("_"))
        response = getattr(message, "RESPONSE", None)
        if response is not None:
            assert response.__name__ == f"{message.__name__}Response"


@every_protocol
def test_every_path_in_a_declaration_leads_somewhere(protocol: Protocol) -> None:
    for request in protocol.requests:
        for condition in (*request.HURTS_WHEN, *request.ASYNC_WHEN):
            check_path(request, condition)
        if request.PAGING is not None:
            paging = request.PAGING
            field(request, paging.start)
            check_path(request.RESPONSE, paging.returned)
            if paging.remaining is not None:
                check_path(request.RESPONSE, paging.remaining)
            assert field(request.RESPONSE, paging.items).count == paging.returned
        if request.SUBSCRIBES is not None:
            assert request.SUBSCRIBES in protocol.notifications
            check_path(request, f"{request.SWITCH}.enable")
        for payload in (request, request.RESPONSE, request.DELAYED):
            check_conditions(payload)
    for event in protocol.notifications:
        check_conditions(event)


def check_conditions(payload: type[Struct] | None) -> None:
    for cls in structs(payload) if payload is not None else []:
        for position, declared in enumerate(cls.FIELDS):
            earlier = [f.name for f in cls.FIELDS[:position]]
            for path in (*declared.when, *([declared.count] if declared.count else [])):
                check_path(cls, path)
                assert path.removeprefix("not ").partition(".")[0] in earlier


@every_protocol
def test_conditions_never_ask_for_bits_of_another_version(protocol: Protocol) -> None:
    """A field must not depend on a bit that its own version does not have."""
    for request in protocol.requests:
        for cls in structs(request.RESPONSE):
            for declared in cls.FIELDS:
                for condition in declared.when:
                    name, _, part = condition.removeprefix("not ").partition(".")
                    bits: type[Bits] | None = field(cls, name).bits
                    assert bits is not None
                    bit = next(bit for bit in bits.PARTS if bit.name == part)
                    assert bit.since <= max(declared.since, request.SINCE)


@every_protocol
def test_the_things_of_a_protocol_can_be_counted_and_named(protocol: Protocol) -> None:
    resources = protocol.resources
    if resources is None:
        return
    check_path(protocol.by_id[1].RESPONSE, resources.count)
    response = resources.describe.RESPONSE
    described = structs(response)[-1]
    assert field(described, resources.name).kind == "text"
    field(described if resources.describe.PAGING else resources.describe, resources.id)
    if resources.extended is not None:
        assert resources.name_get is not None
        check_path(described, resources.extended)
        field(resources.name_get, resources.id)
        assert field(resources.name_get.RESPONSE, "name").size == 64
