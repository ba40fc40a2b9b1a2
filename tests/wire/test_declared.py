"""Rare layouts: those few protocols have, and those that only a vendor's messages may need."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Any

import pytest

from scmictl.errors import LocalProtocolError, RemoteProtocolError
from scmictl.protocols import clock, pinctrl, powercap, sensor, telemetry
from scmictl.wire import (
    Bits,
    Struct,
    array,
    bits,
    codec,
    declared,
    flag,
    schema,
    u8,
    u16,
    u32,
    word,
)
from scmictl.wire.record import record

if TYPE_CHECKING:
    import construct


def words(*values: int) -> bytes:
    return struct.pack(f"<{len(values)}I", *values)


def test_a_version_can_put_the_fields_into_another_order() -> None:
    """3.0 puts the limit's number in front of the flags (reference B, 5.4)."""
    flags = powercap.CapSetFlags(async_=True)
    message = powercap.CapSet(domain_id=1, cpli=3, flags=flags, power_cap=4)
    assert codec.encode(message, 0x20000) == words(1, 2, 4)
    assert codec.encode(message, 0x2FFFF) == words(1, 2, 4)
    assert codec.encode(message, 0x30000) == words(1, 3, 2, 4)
    assert codec.encode(message, 0x30001) == words(1, 3, 2, 4)


@pytest.mark.parametrize(("version", "payload"), [(0x20000, (1, 2, 4)), (0x30000, (1, 3, 2, 4))])
def test_construct_follows_the_order_of_the_version(version: int, payload: tuple[int, ...]) -> None:
    raw = words(*payload)
    message, used = schema.parse(powercap.CapSet, version, raw)
    assert used == len(raw)
    assert message == codec.decode(powercap.CapSet, version, raw)
    assert schema.build(message, version) == raw


def test_a_record_names_the_fields_in_the_order_of_the_version() -> None:
    message = powercap.CapSet(domain_id=1, cpli=2, power_cap=4)
    assert list(record(message, 0x20000)) == ["domain_id", "flags", "power_cap"]
    assert list(record(message, 0x30000)) == ["domain_id", "cpli", "flags", "power_cap"]


class Small(Struct):
    """Sizes that only vendor messages use."""

    tag: int = u8()
    pad: int = u8(default=0)
    length: int = u16()
    ids: list[int] = array("u16", count="length")


def test_small_integers_are_packed_without_padding() -> None:
    message = Small(tag=1, length=3, ids=[1, 2, 0xFFFF])
    raw = bytes.fromhex("01 00 0300 0100 0200 ffff")
    assert codec.encode(message, 0x10000) == schema.build(message, 0x10000) == raw
    assert codec.decode(Small, 0x10000, raw) == schema.parse(Small, 0x10000, raw)[0] == message


def test_a_list_of_structures_without_a_count_needs_elements_of_one_size() -> None:
    class Endless(Struct):
        items: list[sensor.Description] = array(sensor.Description)

    with pytest.raises(TypeError, match="a list to the end needs a fixed size"):
        codec.decode(Endless, 0x30000, b"")


def prefixed() -> construct.Construct[Any, Any]:
    import construct

    return construct.PrefixedArray(construct.Int8ul, construct.Struct("id" / construct.Int16ul))


class Odd(Struct):
    """A vendor's message that no kind of field covers."""

    before: int = u32()
    entries: list[dict[str, int]] = declared(prefixed)
    after: int | None = u32(default=None, optional=True)


class OddList(Struct):
    count: int = u32()
    items: list[Odd] = array(Odd, count="count")


def test_a_field_of_any_construct_type_is_parsed_and_built_by_construct() -> None:
    message = Odd(before=1, entries=[{"id": 2}, {"id": 3}], after=4)
    raw = words(1) + bytes.fromhex("02 0200 0300") + words(4)
    assert codec.encode(message, 0x10000) == raw
    assert codec.decode(Odd, 0x10000, raw) == message
    assert codec.fixed_size(Odd, 0x10000) is None


def test_constructs_containers_do_not_leave_the_wire_layer() -> None:
    message = codec.decode(Odd, 0x10000, words(1) + b"\1\2\0")
    assert type(message.entries) is list
    assert type(message.entries[0]) is dict
    assert message.entries == [{"id": 2}]


def test_a_field_of_any_construct_type_keeps_surplus_and_can_stand_in_a_list() -> None:
    one = words(1) + b"\1\2\0" + words(9)
    assert codec.decode(Odd, 0x10000, one + b"\7").surplus == b"\7"
    several = codec.decode(OddList, 0x10000, words(2) + one + one)
    assert [item.after for item in several.items] == [9, 9]
    assert codec.encode(several, 0x10000) == words(2) + one + one


def test_a_field_of_any_construct_type_that_cannot_be_read_or_built_is_an_error_of_ours() -> None:
    with pytest.raises(RemoteProtocolError, match="Odd: "):
        codec.decode(Odd, 0x10000, words(1) + b"\2\2\0")
    with pytest.raises(LocalProtocolError, match="Odd: "):
        codec.encode(Odd(before=1, entries=[{"id": 1 << 16}]), 0x10000)
    with pytest.raises(RemoteProtocolError, match="items is said to have 2 elements") as caught:
        codec.decode(OddList, 0x10000, words(2, 1) + b"\0" + words(5, 1))
    assert isinstance(caught.value.partial, OddList)
    assert len(caught.value.partial.items) == 1


def test_the_schema_is_an_ordinary_construct() -> None:
    parsed = schema.struct(clock.RateSet, 0x30000).parse(words(9, 2, 800_000_000, 0))
    assert (parsed.clock_id, parsed.rate) == (2, 800_000_000)
    assert (parsed.flags.round_auto, parsed.flags.async_) == (1, 1)


def test_bits_that_are_reused_or_dropped_are_read_by_version() -> None:
    class Mode(Bits):
        wide = bits(1, 0, since=0x30000)
        narrow = flag(0, until=0x1FFFF)

    class Message(Struct):
        mode: Mode = word(Mode)
        gone: int | None = u32(until=0x24FFF, default=None)

    found = [
        codec.decode(Message, version, words(3, 7)).mode
        for version in (0x10000, 0x20000, 0x25000, 0x30000)
    ]
    assert [mode.narrow for mode in found] == [True, False, False, False]
    assert [mode.wide for mode in found] == [0, 0, 0, 3]
    assert [mode.reserved for mode in found] == [2, 3, 3, 0]
    assert codec.decode(Message, 0x24FFF, words(3, 7)).gone == 7
    assert codec.decode(Message, 0x25000, words(3, 7)).surplus == words(7)


@pytest.mark.parametrize(
    ("attributes", "tail", "expected"),
    [
        ({}, b"", (None, None, None, None)),
        ({"timestamp": telemetry.Timestamp.BLOCK}, b"", (None, None, None, None)),
        ({"timestamp": telemetry.Timestamp.LINE}, words(24000), (24000, None, None, None)),
        ({"fastchannel": True}, words(0x1000, 1, 16), (None, 0x1_0000_1000, 16, None)),
        ({"name": True}, b"soc-energy".ljust(16, b"\0"), (None, None, None, "soc-energy")),
        (
            {"timestamp": 1, "fastchannel": True, "name": True},
            words(1, 2, 0, 8) + b"x".ljust(16, b"\0"),
            (1, 2, 8, "x"),
        ),
    ],
)
def test_a_condition_can_compare_with_a_number(
    attributes: dict[str, int], tail: bytes, expected: tuple[Any, ...]
) -> None:
    """The stride of a data event: 24, and 4, 12 and 16 more (reference B, 7.4, 0x4)."""
    word = telemetry.DeAttributes1(**attributes)
    raw = words(0xA000, 0xFFFFFFFF, 8, word, 0x10, 0) + tail
    one = codec.decode(telemetry.DataEvent, 0x10000, raw)
    assert (one.line_ts_rate, one.fc_addr, one.fc_size, one.name) == expected
    assert one.surplus == b""
    assert schema.parse(telemetry.DataEvent, 0x10000, raw) == (one, len(raw))
    assert codec.encode(one, 0x10000) == schema.build(one, 0x10000) == raw
    several = codec.decode(telemetry.DeDescriptionResponse, 0x10000, words(2) + raw + raw)
    assert several.desc == [one, one]


TELEMETRY = words(3, 1, 0x01234567, 0x89ABCDEF, 0x01234567, 0x89ABCDEF, 0x80000002, 1000)


def test_a_list_can_have_a_fixed_length() -> None:
    message = codec.decode(telemetry.ProtocolAttributesResponse, 0x10000, TELEMETRY)
    assert message.de_implementation_rev_dword == [0x01234567, 0x89ABCDEF] * 2
    assert message.attributes_1.num_shmti == 2
    assert codec.encode(message, 0x10000) == schema.build(message, 0x10000) == TELEMETRY
    assert codec.fixed_size(telemetry.ProtocolAttributesResponse, 0x10000) == len(TELEMETRY)


def test_a_list_of_fixed_length_is_neither_read_nor_written_shorter() -> None:
    expected = "12 bytes left for de_implementation_rev_dword, expected 16"
    with pytest.raises(RemoteProtocolError, match=expected) as caught:
        codec.decode(telemetry.ProtocolAttributesResponse, 0x10000, TELEMETRY[:20])
    assert isinstance(caught.value.partial, telemetry.ProtocolAttributesResponse)
    assert caught.value.partial.groups_num == 1
    message = codec.decode(telemetry.ProtocolAttributesResponse, 0x10000, TELEMETRY)
    message.de_implementation_rev_dword = [1, 2, 3]
    with pytest.raises(LocalProtocolError, match="has 3 elements, its count says 4"):
        codec.encode(message, 0x10000)


def test_16_bit_identifiers_stand_two_to_a_word_and_may_be_padded() -> None:
    """EPAM's platform pads to whole words; the count is what matters (reference B, 6.4, 0x4)."""
    raw = words(0x00010003) + bytes.fromhex("0100 0200 ff01")
    message = codec.decode(pinctrl.ListAssociationsResponse, 0x10000, raw)
    assert (message.array_, message.flags.remaining) == ([1, 2, 0x1FF], 1)
    assert codec.encode(message, 0x10000) == raw
    padded = codec.decode(pinctrl.ListAssociationsResponse, 0x10000, raw + b"\0\0")
    assert (padded.array_, padded.surplus) == ([1, 2, 0x1FF], b"\0\0")
    with pytest.raises(RemoteProtocolError, match=r"array is said to have 3 elements.* holds 2"):
        codec.decode(pinctrl.ListAssociationsResponse, 0x10000, raw[:-1])
