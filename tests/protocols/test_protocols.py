"""The table of protocols, and that what a declaration points at is there."""

from __future__ import annotations

import pytest

from scmictl import protocols
from scmictl.errors import UsageError
from scmictl.protocols import (
    Protocol,
    base,
    clock,
    pinctrl,
    powercap,
    sensor,
    telemetry,
    version_text,
)
from scmictl.protocols.nxp import lmm, misc
from scmictl.wire import Bits, Field, Struct

PROTOCOLS = [protocols.by_name(name) for *_, name in (*protocols.STANDARD, *protocols.VENDOR)]
every_protocol = pytest.mark.parametrize("protocol", PROTOCOLS, ids=lambda p: p.name)


def field(cls: type[Struct], name: str) -> Field:
    found = [field for field in cls.FIELDS if field.name == name]
    assert found, f"{cls.__name__} has no {name}"
    return found[0]


def check_path(cls: type[Struct], path: str) -> None:
    """Fail unless ``path`` leads to a number in ``cls``."""
    name, _, part = bare(path).partition(".")
    found = field(cls, name)
    if part:
        assert found.bits is not None
        assert part in [bit.name for bit in found.bits.PARTS]
    else:
        assert found.kind in ("u32", "word")


def bare(condition: str) -> str:
    """The path in ``not flags.x`` or ``flags.x == 1``."""
    return condition.removeprefix("not ").partition(" == ")[0]


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


def test_the_protocol_of_a_vendor_is_found_by_vendor_sub_vendor_and_number_together() -> None:
    assert protocols.by_id(0x80, "NXP", "IMX") is lmm.PROTOCOL
    assert protocols.by_id(0x84, "nxp", "imx") is misc.PROTOCOL
    assert protocols.by_id(0x80) is None
    assert protocols.by_id(0x80, "NXP", "S32") is None
    assert protocols.by_id(0x80, "NXP", "") is None
    assert protocols.by_id(0x80, "Arm", "IMX") is None
    assert protocols.by_id(0x85, "NXP", "IMX") is None
    assert protocols.by_id(0x14, "NXP", "IMX") is clock.PROTOCOL


def test_of_a_vendor_whose_sub_vendor_nobody_asked_for_any_will_do() -> None:
    assert protocols.by_id(0x80, "NXP") is lmm.PROTOCOL
    assert protocols.by_id(0x80, None, "IMX") is None
    assert protocols.id_name(0x81, "NXP") == "nxp-bbm"
    assert protocols.id_name(0x81, "Arm") == "vendor-0x81"
    assert protocols.id_name(0x81) == "vendor-0x81"


def test_the_protocol_of_a_vendor_is_found_by_its_name_or_the_vendor_and_its_number() -> None:
    assert protocols.by_name("nxp-lmm") is protocols.by_name("NXP-LMM") is lmm.PROTOCOL
    assert protocols.by_name("0x80", "NXP", "IMX") is lmm.PROTOCOL
    assert protocols.by_name("128", "NXP") is lmm.PROTOCOL
    with pytest.raises(UsageError, match=r"unknown protocol '0x80', expected one of: .*nxp-lmm"):
        protocols.by_name("0x80")


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
    assert list(protocol.versions) == sorted(protocol.versions)
    assert protocol.newest in protocol.versions
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
        name = protocol.name.rpartition("-")[2]  # nxp-lmm has LMM_BOOT
        prefix = {"perf": "PERFORMANCE"}.get(name, name.upper())
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
            check_path(request, paging.start)
            check_path(request.RESPONSE, paging.returned)
            if paging.remaining is not None:
                check_path(request.RESPONSE, paging.remaining)
            assert field(request.RESPONSE, paging.items).count == paging.returned
        if request.SUBSCRIBES is not None:
            assert request.SUBSCRIBES in protocol.notifications
            assert field(request, request.SWITCH).kind in ("u32", "word")
        for path in request.OFFERED:
            assert protocol.resources is not None
            check_path(structs(protocol.resources.describe.RESPONSE)[-1], path)
        for payload in (request, request.RESPONSE, request.DELAYED):
            check_conditions(payload)
    for event in protocol.notifications:
        check_conditions(event)


def check_conditions(payload: type[Struct] | None) -> None:
    for cls in structs(payload) if payload is not None else []:
        for position, declared in enumerate(cls.FIELDS):
            earlier = [f.name for f in cls.FIELDS[:position]]
            counts = [declared.count] if isinstance(declared.count, str) else []
            for path in (*declared.when, *counts):
                check_path(cls, path)
                assert bare(path).partition(".")[0] in earlier


@every_protocol
def test_conditions_never_ask_for_bits_of_another_version(protocol: Protocol) -> None:
    """A field must not depend on a bit that its own version does not have."""
    for request in protocol.requests:
        for cls in structs(request.RESPONSE):
            for declared in cls.FIELDS:
                for condition in declared.when:
                    name, _, part = bare(condition).partition(".")
                    bits: type[Bits] | None = field(cls, name).bits
                    assert bits is not None
                    bit = next(bit for bit in bits.PARTS if bit.name == part)
                    assert bit.since <= max(declared.since, request.SINCE)


@every_protocol
def test_the_things_of_a_protocol_can_be_counted_and_named(protocol: Protocol) -> None:
    for kind in protocol.kinds:
        check_path(protocol.by_id[1].RESPONSE, kind.count)
        described = structs(kind.describe.RESPONSE)[-1]
        assert field(described, kind.name).kind == "text"
        if kind.describe.PAGING is None:
            assert getattr(kind.describing(7), kind.id) == 7
        else:
            field(described, kind.id)
        if kind.extended is not None:
            check_path(described, kind.extended)
            assert kind.name_get is not None
            assert getattr(kind.naming(7), kind.id) == 7
            assert field(kind.name_get.RESPONSE, "name").size == 64


def test_a_protocol_can_have_several_kinds_of_things() -> None:
    assert [kind.noun for kind in pinctrl.PROTOCOL.kinds] == ["pin", "group", "function"]
    assert pinctrl.PROTOCOL.resources is pinctrl.PROTOCOL.kinds[0]
    group = pinctrl.PROTOCOL.kinds[1]
    flags = pinctrl.SelectorFlags(selector=pinctrl.Selector.GROUP)
    assert group.describing(3) == pinctrl.Attributes(identifier=3, flags=flags)
    assert group.naming(3) == pinctrl.NameGet(identifier=3, flags=flags)
    assert base.PROTOCOL.kinds == ()
    assert base.PROTOCOL.resources is None


def test_a_kind_of_things_has_a_label_among_those_of_all_protocols() -> None:
    labels = [pinctrl.PROTOCOL.label(kind) for kind in pinctrl.PROTOCOL.kinds]
    assert labels == ["pinctrl", "pinctrl.group", "pinctrl.function"]
    for label, kind in zip(labels, pinctrl.PROTOCOL.kinds, strict=True):
        assert protocols.by_label(label) == (pinctrl.PROTOCOL, kind)
    assert pinctrl.PROTOCOL.kind("Groups") is pinctrl.GROUPS
    assert pinctrl.PROTOCOL.kind("clock") is None
    for wrong in ("base", "pinctrl.", "pinctrl.clock", "clock.pin", "agent"):
        with pytest.raises(UsageError):
            protocols.by_label(wrong)


def test_an_experimental_version_is_spoken_only_with_a_platform_that_has_it() -> None:
    assert powercap.PROTOCOL.newest == 0x20000
    assert powercap.PROTOCOL.layout_version(0x20000) == 0x20000
    assert powercap.PROTOCOL.layout_version(0x30000) == 0x30000
    assert powercap.PROTOCOL.layout_version(0x40000) == 0x3FFFF
    assert telemetry.PROTOCOL.newest == 0x10000  # there is no other
