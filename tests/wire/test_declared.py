"""Layouts that no protocol of ours has yet, declared here: what a vendor's messages may need."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Any

import pytest

from scmictl.errors import LocalProtocolError, RemoteProtocolError
from scmictl.protocols import clock, sensor
from scmictl.wire import (
    Bits,
    Request,
    Response,
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


class CapSetFlags(Bits):
    ignore_delayed = flag(1)
    async_ = flag(0)


class CapSetResponse(Response):
    """The cap is set."""


class CapSet(
    Request[CapSetResponse],
    protocol=0x18,
    id=0x5,
    spec="POWERCAP_CAP_SET",
    orders={0x30000: ("domain_id", "cpli", "flags", "power_cap")},
):
    """Set a power cap; 3.0 puts the limit's number in front of the flags (reference B, 5.4)."""

    domain_id: int = u32()
    flags: CapSetFlags = word(CapSetFlags, default=0)
    power_cap: int = u32()
    cpli: int | None = u32(since=0x30000, default=0)


def test_a_version_can_put_the_fields_into_another_order() -> None:
    message = CapSet(domain_id=1, cpli=2, flags=CapSetFlags(async_=True), power_cap=4)
    assert codec.encode(message, 0x20000) == words(1, 1, 4)
    assert codec.encode(message, 0x2FFFF) == words(1, 1, 4)
    assert codec.encode(message, 0x30000) == words(1, 2, 1, 4)
    assert codec.encode(message, 0x30001) == words(1, 2, 1, 4)


@pytest.mark.parametrize(("version", "payload"), [(0x20000, (1, 1, 4)), (0x30000, (1, 2, 1, 4))])
def test_construct_follows_the_order_of_the_version(version: int, payload: tuple[int, ...]) -> None:
    raw = words(*payload)
    message, used = schema.parse(CapSet, version, raw)
    assert used == len(raw)
    assert message == codec.decode(CapSet, version, raw)
    assert schema.build(message, version) == raw


def test_a_record_names_the_fields_in_the_order_of_the_version() -> None:
    message = CapSet(domain_id=1, cpli=2, power_cap=4)
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
