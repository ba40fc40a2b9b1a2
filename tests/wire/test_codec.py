"""What the codec does with single fields, with too few bytes and with too many."""

from __future__ import annotations

import struct

import pytest

from scmictl.errors import LocalProtocolError, RemoteProtocolError
from scmictl.protocols import base, clock, perf, sensor
from scmictl.wire import Struct, codec, i32, schema, text, u32, u64, word
from scmictl.wire.record import record


def words(*values: int) -> bytes:
    return struct.pack(f"<{len(values)}I", *(value & 0xFFFFFFFF for value in values))


def vendor(raw: bytes) -> str:
    return codec.decode(base.DiscoverVendorResponse, 0x20000, raw).vendor_identifier


def test_text_ends_at_its_first_nul() -> None:
    assert vendor(b"arm\0bleed\0\0\0\0\0\0\0") == "arm"
    assert vendor(bytes(16)) == ""


def test_text_without_a_nul_is_read_whole() -> None:
    assert vendor(b"0123456789abcdef") == "0123456789abcdef"


def test_bytes_outside_ascii_are_shown_as_what_they_are() -> None:
    assert vendor(b"caf\xc3\xa9\xff".ljust(16, b"\0")) == "caf\\xc3\\xa9\\xff"


def test_a_newline_in_a_name_is_kept_for_whoever_prints_it() -> None:
    """Sysfs names keep theirs on vhost-device-scmi."""
    assert vendor(b"lsm6\n".ljust(16, b"\0")) == "lsm6\n"


def test_text_is_padded_with_zeros() -> None:
    message = base.DiscoverVendorResponse(vendor_identifier="abc")
    assert codec.encode(message, 0x20000) == b"abc".ljust(16, b"\0")


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("0123456789abcdef", "expected at most 15 characters without NUL"),
        ("a\0b", "expected at most 15 characters without NUL"),
        ("café", "expected ASCII"),
    ],
)
def test_text_that_does_not_fit_is_refused(value: str, expected: str) -> None:
    message = base.DiscoverVendorResponse(vendor_identifier=value)
    with pytest.raises(LocalProtocolError, match=f"vendor_identifier is .*{expected}"):
        codec.encode(message, 0x20000)


@pytest.mark.parametrize(
    ("message", "version", "expected"),
    [
        (
            clock.RateGet(clock_id=1 << 32),
            0x30000,
            "CLOCK_RATE_GET: clock_id is 4294967296, expected 0 to 4294967295",
        ),
        (
            clock.RateSet(clock_id=1, rate=-1),
            0x30000,
            "CLOCK_RATE_SET: rate is -1, expected 0 to 18446744073709551615",
        ),
        (
            base.ErrorReport(message_header=0, status=1 << 31),
            0x20000,
            "ErrorReport: status is 2147483648, expected -2147483648 to 2147483647",
        ),
        (
            base.DiscoverAgentResponse(name="arm"),
            0x20000,
            "DiscoverAgentResponse: agent_id is None, expected an integer",
        ),
        (
            sensor.ReadingGetResponse(readings=[]),
            0x20000,
            "ReadingGetResponse: readings has 0 elements, expected 1 or more",
        ),
        (
            base.DiscoverListProtocolsResponse(num_protocols=1, protocols=[256]),
            0x20000,
            "DiscoverListProtocolsResponse: bytes must be in range",
        ),
        (
            clock.DescribeRatesResponse(num_rates_flags=clock.NumRatesFlags(2), rates=[1]),
            0x30000,
            "DescribeRatesResponse: rates has 1 elements, its count says 2",
        ),
    ],
)
def test_a_value_that_does_not_fit_is_named_with_its_field_and_its_range(
    message: Struct, version: int, expected: str
) -> None:
    with pytest.raises(LocalProtocolError, match=expected):
        codec.encode(message, version)


def test_a_message_that_is_cut_short_keeps_every_field_it_has() -> None:
    payload = words(0x8000_0001) + b"cpu\0"
    with pytest.raises(RemoteProtocolError) as caught:
        codec.decode(clock.AttributesResponse, 0x30000, payload)
    assert str(caught.value) == "AttributesResponse: 4 bytes left for clock_name, expected 16"
    assert isinstance(caught.value.partial, clock.AttributesResponse)
    assert record(caught.value.partial, 0x30000) == {
        "attributes": {
            "enabled": True, "restricted": False, "extended_config": False,
            "parent_ids_available": False, "extended_name": False,
            "rate_change_requested_notifications": False, "rate_changed_notifications": True,
        }
    }  # fmt: skip


def test_what_is_cut_short_keeps_its_sign_and_the_bits_of_its_version() -> None:
    class Mixed(Struct):
        below: int = i32()
        flags: clock.ConfigSetAttributes = word(clock.ConfigSetAttributes)
        name: str = text(8)
        last: int = u32()

    with pytest.raises(RemoteProtocolError, match="3 bytes left for last") as caught:
        codec.decode(Mixed, 0x10000, words(-5, 1) + b"a\0zzzzzz" + b"\1\1\1")
    assert record(caught.value.partial, 0x10000) == {  # type: ignore[arg-type]  # it is a Mixed
        "below": -5, "flags": {"enable": True}, "name": "a",
    }  # fmt: skip


def test_an_empty_answer_keeps_an_empty_message() -> None:
    with pytest.raises(RemoteProtocolError, match="0 bytes left for rate, expected 8") as caught:
        codec.decode(clock.RateGetResponse, 0x30000, b"")
    assert repr(caught.value.partial) == "RateGetResponse(rate=None)"


def test_a_count_that_promises_too_much_keeps_the_elements_that_are_there() -> None:
    with pytest.raises(RemoteProtocolError) as caught:
        codec.decode(clock.DescribeRatesResponse, 0x30000, words(3, 10, 0, 20, 0, 30))
    assert (
        str(caught.value)
        == "DescribeRatesResponse: rates is said to have 3 elements, the message holds 2"
    )
    assert isinstance(caught.value.partial, clock.DescribeRatesResponse)
    assert caught.value.partial.rates == [10, 20]


def test_a_lying_count_of_words_keeps_their_bits() -> None:
    with pytest.raises(RemoteProtocolError) as caught:
        codec.decode(sensor.ListUpdateIntervalsResponse, 0x20000, words(0xFFF, 0x0C9D))
    assert isinstance(caught.value.partial, sensor.ListUpdateIntervalsResponse)
    assert [(i.sec, i.exponent) for i in caught.value.partial.intervals] == [(100, -3)]


def test_a_lying_count_of_structures_keeps_the_whole_ones() -> None:
    one = words(7, 0, 0) + b"cpu".ljust(16, b"\0")
    with pytest.raises(RemoteProtocolError, match="desc is said to have 3 elements") as caught:
        codec.decode(sensor.DescriptionGetResponse, 0x30000, words(3) + one + one[:20])
    assert isinstance(caught.value.partial, sensor.DescriptionGetResponse)
    assert [item.sensor_id for item in caught.value.partial.desc] == [7]


def test_a_lying_count_of_packed_bytes_keeps_those_of_whole_words() -> None:
    with pytest.raises(RemoteProtocolError) as caught:
        codec.decode(base.DiscoverListProtocolsResponse, 0x20000, words(6, 0x14131211) + b"\x15")
    assert isinstance(caught.value.partial, base.DiscoverListProtocolsResponse)
    assert caught.value.partial.protocols == [0x11, 0x12, 0x13, 0x14]


def test_the_biggest_count_a_peer_can_send_costs_nothing() -> None:
    with pytest.raises(RemoteProtocolError, match="said to have 4294967295 elements"):
        codec.decode(base.DiscoverListProtocolsResponse, 0x20000, words(0xFFFFFFFF))


def test_a_reading_needs_at_least_one_value() -> None:
    with pytest.raises(RemoteProtocolError, match="15 bytes left for readings, expected 16"):
        codec.decode(sensor.ReadingGetResponse, 0x30000, bytes(15))


def test_surplus_is_kept_but_is_no_part_of_the_message() -> None:
    message = codec.decode(clock.RateGetResponse, 0x30000, words(1, 0, 0xDEADBEEF))
    assert (message.rate, message.surplus) == (1, words(0xDEADBEEF))
    assert codec.encode(message, 0x30000) == words(1, 0)


def test_a_message_without_surplus_says_so() -> None:
    assert codec.decode(clock.RateGetResponse, 0x30000, words(1, 0)).surplus == b""


def test_decoding_can_start_behind_the_status() -> None:
    message = codec.decode(clock.RateGetResponse, 0x30000, words(0, 5, 0), 4)
    assert (message.rate, message.surplus) == (5, b"")


def test_a_platform_of_2_0_may_leave_the_enable_delay_out() -> None:
    """OP-TEE reports clock 0x20000 and sends 24 bytes (reference A, CLOCK_ATTRIBUTES)."""
    payload = words(1) + b"uart".ljust(16, b"\0")
    message = codec.decode(clock.AttributesResponse, 0x20000, payload)
    assert message.clock_enable_delay is None
    assert message.surplus == b""
    assert codec.encode(message, 0x20000) == payload


def test_half_an_optional_field_is_surplus() -> None:
    payload = words(1) + b"uart".ljust(16, b"\0") + b"\5\0"
    message = codec.decode(clock.AttributesResponse, 0x20000, payload)
    assert (message.clock_enable_delay, message.surplus) == (None, b"\5\0")


def test_a_platform_of_perf_4_1_may_give_the_attributes_of_4_0_only() -> None:
    """It should where the agent has no room for more (reference A, PERFORMANCE_DOMAIN_ATTRIBUTES).

    What is known of 4.1 is of low confidence, so an answer between the two is read as far as it
    goes.
    """
    payload = words(0x8000_0000, 0, 0, 0) + b"big".ljust(16, b"\0")
    more = words(7, 0x0001_0002, 0xFFFF_FFFF)
    whole = codec.decode(perf.DomainAttributesResponse, 0x40001, payload + more)
    assert (whole.guaranteed_perf_level, whole.qos_parent_id) == (7, perf.NO_PARENT)
    assert whole.qos_capability_types == perf.QosCapabilityTypes(oem_types=1, architected_types=2)
    assert codec.encode(whole, 0x40001) == payload + more
    assert codec.decode(perf.DomainAttributesResponse, 0x40000, payload + more).surplus == more
    for count, known in enumerate([(None, None, None), (7, None, None), (7, 0x10002, None)]):
        part = codec.decode(perf.DomainAttributesResponse, 0x40001, payload + more[: 4 * count])
        found = (part.guaranteed_perf_level, part.qos_capability_types, part.qos_parent_id)
        assert (found, part.surplus) == (known, b"")
        assert codec.encode(part, 0x40001) == payload + more[: 4 * count]


class Tailed(Struct):
    first: int = u32()
    second: int | None = u64(optional=True, default=None)
    third: int | None = u32(optional=True, default=None)


def test_behind_an_optional_field_that_is_missing_nothing_is_read() -> None:
    payload = words(1, 2)
    message = codec.decode(Tailed, 0x10000, payload)
    assert (message.second, message.third, message.surplus) == (None, None, words(2))
    parsed, used = schema.parse(Tailed, 0x10000, payload)
    assert (parsed, used) == (Tailed(first=1), 4)


def test_behind_an_optional_field_that_is_missing_nothing_can_be_built() -> None:
    message = Tailed(first=1, third=3)
    with pytest.raises(LocalProtocolError, match="Tailed: second is missing, expected a value in"):
        codec.encode(message, 0x10000)
    with pytest.raises(LocalProtocolError, match="second is missing in front of a value"):
        schema.build(message, 0x10000)


def test_a_field_whose_condition_fails_is_neither_read_nor_written() -> None:
    message = sensor.Description(
        sensor_id=1,
        sensor_attributes_low=sensor.AttributesLow(extended_attributes=True),
        sensor_attributes_high=sensor.AttributesHigh(axis_support=True, num_axes=3),
        sensor_name="imu",
        sensor_power=150,
        sensor_min_range=-5,
    )
    payload = codec.encode(message, 0x30000)
    assert payload == schema.build(message, 0x30000)
    assert len(payload) == 32
    assert codec.decode(sensor.Description, 0x30000, payload).sensor_min_range is None


def test_frames_and_answers_are_put_together() -> None:
    assert codec.frame(clock.RateGet(clock_id=2), 0x30000, token=3) == words(0x000C_5006, 2)
    assert codec.answer(clock.RateGetResponse(rate=1 << 32), 0x30000) == words(0, 0, 1)


def test_an_optional_value_that_does_not_fit_is_refused_by_both() -> None:
    for build in (codec.encode, schema.build):
        message = clock.AttributesResponse(
            attributes=clock.AttributesWord(), clock_name="x", clock_enable_delay=1 << 32
        )
        with pytest.raises(LocalProtocolError):
            build(message, 0x20000)


def test_sizes_are_known_without_a_message() -> None:
    assert codec.fixed_size(clock.RateSet, 0x30000) == 16
    assert codec.fixed_size(clock.ConfigSet, 0x20000) == 8
    assert codec.fixed_size(clock.ConfigSet, 0x20001) == 12
    assert codec.fixed_size(clock.AttributesResponse, 0x30000) is None
    assert codec.minimum_size(clock.AttributesResponse, 0x30000) == 20
    assert codec.minimum_size(sensor.ReadingGetResponse, 0x30000) == 16
    assert codec.minimum_size(sensor.ReadingGetResponse, 0x10000) == 8
    assert codec.minimum_size(sensor.DescriptionGetResponse, 0x30000) == 4
