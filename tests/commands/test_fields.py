"""Building messages from words: names, units, bits, arrays, JSON, and what is wrong with them."""

from __future__ import annotations

from enum import IntEnum
from typing import Any

import pytest

from scmictl.commands import fields, message
from scmictl.errors import UsageError
from scmictl.protocols import clock, sensor
from scmictl.wire import (
    Bits,
    Notification,
    Request,
    Response,
    Struct,
    array,
    bits,
    codec,
    flag,
    i32,
    packed,
    text,
    u8,
    u16,
    u32,
    word,
)


class Kind(IntEnum):
    NONE = 0
    PULL_UP = 7


class Flags(Bits):
    """Bits of several kinds."""

    level = bits(15, 8, signed=True)
    kind = bits(7, 4, enum=Kind)
    on = flag(0)
    async_ = flag(1)
    late = flag(2, since=0x20000)


class Pair(Struct):
    """An element with a number and a word."""

    type: int = u32(enum=Kind)
    value: int = u32(unit="uV")
    flags: Flags = word(Flags, default=0)


class Counts(Bits):
    """Two counts in a word."""

    configs = bits(9, 2)
    mode = bits(1, 0)


class Answer(Response):
    """Nothing."""


class Everything(Request[Answer], protocol=0x7F, id=0x42, spec="EVERYTHING"):
    """A message with a field of every kind."""

    counts: Counts = word(Counts)
    configs: list[Pair] = array(Pair, count="counts.configs")
    signed: int = i32(default=0)
    small: int = u16(default=0)
    label: str = text(8, default="")
    num_bytes: int = u32(default=0)
    raw: list[int] = packed(count="num_bytes", default=[])
    words: list[Flags] = array(Flags, default=[])


def build(*words_: str, version: int = 0x20000) -> Any:
    return fields.build(Everything, words_, version)


# --- values ---------------------------------------------------------------------------------------


def test_numbers_take_the_unit_of_their_field() -> None:
    request = fields.build(clock.RateSet, ["clock_id=3", "rate=24MHz"], 0x30000)
    assert isinstance(request, clock.RateSet)
    # Reference A: the rate in two words, low word first.
    assert codec.encode(request, 0x30000).hex() == "000000000300000000366e0100000000"


def test_a_64_bit_value_is_one_word_and_may_be_negative() -> None:
    request = fields.build(
        sensor.TripPointConfig,
        ["sensor_id=0", "trip_point_ev_ctrl.event=falling", "trip_point_val=-40000"],
        0x30000,
    )
    assert request.trip_point_val == -40000
    assert int(request.trip_point_ev_ctrl) == 2


def test_a_word_takes_its_number_then_its_bits() -> None:
    request = build("counts=0", "configs:=[]", "words[0]=0x00ff", "words[0].level=-1")
    assert [int(word_) for word_ in request.words] == [0xFFFF]
    request = build("configs:=[]", "words[0].on=yes", "words[0].kind=pull-up", "words[0].async=1")
    assert int(request.words[0]) == 0x73


def test_reserved_bits_are_taken_under_the_name_they_are_shown_with() -> None:
    assert int(build("configs:=[]", "words[0].reserved=0x80000000").words[0]) == 0x8000_0000


def test_enumerations_take_their_name_or_a_number() -> None:
    request = build("configs[0].type=PULL_UP", "configs[0].value=1", "configs[1].type=9",
                    "configs[1].value=2mV")  # fmt: skip
    assert [(pair.type, pair.value) for pair in request.configs] == [(7, 1), (9, 2000)]


def test_an_array_brings_its_count_along() -> None:
    request = build("configs[0].type=none", "configs[0].value=0", "counts.mode=2")
    assert (request.counts.configs, request.counts.mode) == (1, 2)
    assert build("configs:=[]", "raw:=[1,2,3]").num_bytes == 3


def test_a_count_that_was_given_stays_even_if_it_is_wrong() -> None:
    assert build("configs:=[]", "counts=0x14").counts.configs == 5
    assert build("configs:=[]", "counts.configs=2").counts.configs == 2


def test_json_and_words_meet_in_the_same_array() -> None:
    request = build(
        'configs:=[{"type": "pull_up", "value": "850mV", "flags": {"on": true, "level": -2}}]',
        "configs[1].type=0",
        "configs[1].value=4",
        "configs[1].flags=1",
    )
    assert [(int(p.type), p.value, int(p.flags)) for p in request.configs] == [
        (7, 850_000, 0xFE01), (0, 4, 1),
    ]  # fmt: skip


def test_text_and_small_fields_are_what_they_are() -> None:
    request = build("configs:=[]", "label=a=b", "small=65535", "signed=-0x10")
    assert (request.label, request.small, request.signed) == ("a=b", 65535, -16)


def test_what_was_printed_can_be_typed_again() -> None:
    from json import dumps

    from scmictl.wire.record import record

    request = build("configs[0].type=pull_up", "configs[0].value=3", "words[0]=0xf0000033")
    printed = [f"{key}:={dumps(value)}" for key, value in record(request, 0x20000).items()]
    again = build(*printed)
    assert codec.encode(again, 0x20000) == codec.encode(request, 0x20000)


# --- mistakes -------------------------------------------------------------------------------------


def test_everything_missing_is_named_at_once() -> None:
    with pytest.raises(UsageError) as raised:
        fields.build(clock.RateSet, [], 0x30000)
    assert raised.value.message == "CLOCK_RATE_SET: missing clock_id, rate"
    assert "rate=Hz" in str(raised.value.hint)
    with pytest.raises(UsageError, match="missing counts, configs"):
        build("small=1")
    with pytest.raises(UsageError, match=r"missing configs\[0\].value, configs\[1\].value"):
        build("configs[0].type=0", "configs[1].type=0")


@pytest.mark.parametrize(
    ("given", "found"),
    [
        ("rate", "expected FIELD=VALUE"),
        ("=5", "expected FIELD=VALUE"),
        ("a b=5", "expected a field such as"),
        ("configs[x].type=1", "expected a field such as"),
        ("nothing=1", "unknown field 'nothing', expected one of: counts, configs, signed"),
        ("configs[0].typ=1", "unknown field 'typ', expected one of: type, value, flags"),
        ("counts.mod=1", "unknown bits in counts 'mod', expected one of: mode, configs"),
        ("small=65536", "small is 65536, expected 0 to 65535"),
        ("signed=0x80000000", "signed is 2147483648, expected -2147483648 to 2147483647"),
        ("counts=0x100000000", "counts is 4294967296, expected 0 to 4294967295"),
        ("counts.mode=4", "counts.mode is 4, expected 0 to 3"),
        ("words[0].on=2", r"words\[0\].on is 2, expected 0 to 1"),
        ("words[0].level=128", r"words\[0\].level is 128, expected -128 to 127"),
        ("small=ten", "small: found 'ten', expected a number"),
        ("small=5mV", "small: found the unit 'mV'"),
        ("configs[0].value=5Hz", r"configs\[0\].value: found the unit 'Hz'"),
        ("configs[0].type=pull_sideways", "expected one of: none, pull_up"),
        ("configs[1].type=1", r"configs\[0\] is missing"),
        ("configs=1", "configs: found '1', expected elements"),
        ("configs[999999999].type=1", "expected at most 65535"),
        ("small[0]=1", "small: found an array, expected a number"),
        ("small.part=1", "small: found parts, expected a number"),
        ("counts[0]=1", "counts: found an array, expected a word with bits"),
        ("configs[0]=1", r"configs\[0\]: found '1', expected an object"),
        ("label[0]=x", "label: found an array, expected a text"),
        ("label:=5", "label: found 5, expected a text"),
        ("small:=null", "small: found null, expected a number"),
        ("small:=1.5", "small: found 1.5, expected a number"),
        ("small:=[", "small: .* expected JSON behind :="),
        ("raw:=[256]", r"raw\[0\] is 256, expected 0 to 255"),
        ("label:=" + "[" * 2000 + "]" * 2000, "too many levels"),
    ],
)  # fmt: skip
def test_a_mistake_is_told_with_what_was_found_and_expected(given: str, found: str) -> None:
    with pytest.raises(UsageError, match=found):
        build(given)


def test_a_field_is_given_once() -> None:
    with pytest.raises(UsageError, match="small is given twice"):
        build("small=1", "small=2")


def test_what_another_version_has_is_told_as_that() -> None:
    with pytest.raises(UsageError) as raised:
        build("configs:=[]", "words[0].late=1", version=0x10000)
    assert "another version than 1.0" in str(raised.value.hint)
    with pytest.raises(UsageError) as raised:
        words_ = ["clock_id=0", "attributes.enable=1", "extended_config_val=0"]
        fields.build(clock.ConfigSet, words_, 0x20000)
    assert "another version than 2.0" in str(raised.value.hint)


def test_check_accepts_what_fits_any_version_and_names_the_newest_otherwise() -> None:
    fields.check(clock.ConfigSet, ["clock_id=0", "attributes.state=enable"], clock.PROTOCOL)
    fields.check(clock.ConfigSet, ["clock_id=0", "attributes.enable=1"], clock.PROTOCOL)
    with pytest.raises(UsageError, match="expected one of: state, extended_config_type"):
        fields.check(clock.ConfigSet, ["clock_id=0", "attributes.open=1"], clock.PROTOCOL)


def test_elements_of_every_integer_kind_are_checked_by_their_size() -> None:
    class Bytes(Request[Answer], protocol=0x7F, id=0x43, spec="BYTES"):
        """Bytes."""

        data: list[int] = array("u8", default=[])
        big: list[int] = array("i64", default=[])

    assert u8().kind == "u8"
    assert fields.build(Bytes, ["data[0]=0xff", "big[0]=-1"], 0).big == [-1]
    with pytest.raises(UsageError, match=r"data\[0\] is 256"):
        fields.build(Bytes, ["data[0]=256"], 0)


# --- names of messages ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name",
    ["CLOCK_RATE_SET", "clock_rate_set", "clock.CLOCK_RATE_SET", "clock.RATE_SET", "rate-set",
     "clock.0x5", "0x14.rate_set"],
)  # fmt: skip
def test_a_message_is_found_by_each_of_its_names(name: str) -> None:
    assert message.find(name, Request)[1] is clock.RateSet


def test_names_that_all_protocols_share_need_the_protocol() -> None:
    with pytest.raises(
        UsageError, match=r"ambiguous, expected one of: base.PROTOCOL_VERSION, power"
    ):
        message.find("PROTOCOL_VERSION", Request)
    assert message.find("sensor.protocol_version", Request)[1] is sensor.ProtocolVersion
    assert message.find("clock.attributes", Request)[1] is clock.Attributes
    assert message.find("clock.version", Request)[1] is clock.ProtocolVersion


def test_an_unknown_message_is_told_with_what_is_near() -> None:
    with pytest.raises(UsageError) as raised:
        message.find("CLOCK_RATE_SEZ", Request)
    assert "CLOCK_RATE_SET" in str(raised.value.hint)
    with pytest.raises(UsageError, match="unknown protocol"):
        message.find("cloc.RATE_SET", Request)
    with pytest.raises(UsageError, match="no message 0x77"):
        message.find("clock.0x77", Request)


def test_notifications_are_another_number_space() -> None:
    assert message.find("sensor.0x1", Notification)[1] is sensor.Update
    assert message.find("sensor.0x1", Request)[1] is sensor.ProtocolAttributes
