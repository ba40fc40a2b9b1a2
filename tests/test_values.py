"""Numbers, units, durations, ids and variables as people type them."""

from __future__ import annotations

from enum import IntEnum

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scmictl import values
from scmictl.errors import UsageError
from scmictl.protocols.unit import SYMBOLS

quick = settings(derandomize=True, deadline=None)
CLOCKS = ["uart0", "uart1", "Soc", "SOC", "cpu[0]", None, "3v3-rail", "dup", "dup", "Big"]


class State(IntEnum):
    COLD_RESET = 1
    SUSPEND = 4
    ASYNC_ = 7


@pytest.mark.parametrize(
    ("text", "unit", "expected"),
    [
        ("3", None, 3),
        ("-3", None, -3),
        ("+3", None, 3),
        ("010", None, 10),
        ("1_000_000", None, 1000000),
        ("0x1F", None, 31),
        ("-0x10", None, -16),
        ("0b1010_0101", None, 0xA5),
        ("0xFFFF_FFFF_FFFF_FFFF", None, 2**64 - 1),
        ("1.5k", None, 1500),
        ("24MHz", "Hz", 24000000),
        ("24 MHz", "Hz", 24000000),
        ("24M", "Hz", 24000000),
        ("24000000", "Hz", 24000000),
        ("1.2GHz", "Hz", 1200000000),
        ("32.768kHz", "Hz", 32768),
        ("32.768KHz", "Hz", 32768),
        ("0.000000001GHz", "Hz", 1),
        ("-850mV", "uV", -850000),
        (".85V", "uV", 850000),
        ("5W", "mW", 5000),
        ("5W", "uW", 5000000),
        ("40C", "°C", 40),
        ("40°C", "°C", 40),
        ("40C", "m°C", 40000),
        ("3C", "C", 3),
        ("500us", "us", 500),
        ("500µs", "us", 500),
        ("500μs", "us", 500),
        ("1.5ms", "us", 1500),
        ("2min", "ms", 120000),
        ("2m", "s", 120),
        ("1h", "s", 3600),
        ("2m", "m", 2),
        ("5%", "%", 5),
        ("2m/s2", "m/s²", 2),
        ("2kPa", "Pa", 2000),
        ("2", "kPa", 2),
    ],
)
def test_a_number_is_read_in_the_unit_of_its_field(
    text: str, unit: str | None, expected: int
) -> None:
    assert values.number(text, unit) == expected


@pytest.mark.parametrize("symbol", sorted(set(SYMBOLS.values())))
def test_every_unit_a_sensor_can_have_is_understood_behind_a_number(symbol: str) -> None:
    assert values.number(f"5{symbol}", symbol) == 5
    assert values.number(values.format_si(5, symbol), symbol) == 5


def test_no_digit_is_lost_where_a_float_would_lose_it() -> None:
    assert values.number("9007.199254740993THz", "Hz") == 2**53 + 1
    assert values.number("18446744073.709551615GHz", "Hz") == 2**64 - 1


@pytest.mark.parametrize(
    ("text", "unit", "found"),
    [
        ("", None, "expected a number"),
        (".", None, "expected a number"),
        ("-", "Hz", "expected a number"),
        ("fast", "Hz", "found 'fast', expected a number"),
        ("1.5", None, "found '1.5', expected a whole number"),
        ("0.5Hz", "Hz", "expected a whole number of Hz"),
        ("5W", "Hz", "found the unit 'W' in '5W', expected Hz"),
        ("5W", None, "found the unit 'W' in '5W', expected a plain number"),
        ("40K", "°C", "found the unit 'K'"),
        ("15k", "mW", "expected mW or W with another prefix"),
        ("2km²", "m²", "found the unit"),
        ("1__0", None, "found the unit '__0'"),
        ("0x10MHz", "Hz", "found 'MHz' after the digits"),
        ("0b12", None, "found '2' after the digits"),
        ("9" * 5000, None, "found 5000 characters, expected a number"),
    ],
)
def test_what_is_no_number_of_that_unit_says_found_and_expected(
    text: str, unit: str | None, found: str
) -> None:
    with pytest.raises(UsageError) as caught:
        values.number(text, unit)
    assert found in caught.value.message


def test_a_unit_in_the_wrong_case_is_refused_with_a_hint() -> None:
    with pytest.raises(UsageError) as caught:
        values.number("24mhz", "Hz")
    assert caught.value.hint == "did you mean mHz or MHz?"


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("10ms", 0.01),
        ("5s", 5.0),
        ("5", 5.0),
        (".5", 0.5),
        ("2m", 120.0),
        ("2min", 120.0),
        ("1h", 3600.0),
        ("1us", 1e-6),
        ("0", 0.0),
    ],
)
def test_a_duration_is_seconds_unless_it_says_otherwise(text: str, seconds: float) -> None:
    assert values.duration(text) == seconds


@pytest.mark.parametrize("text", ["-1", "-1ms", "nan", "inf", "", "10k", "5W", "99999h", "soon"])
def test_a_duration_that_cannot_be_waited_for_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="expected a time"):
        values.duration(text)


@pytest.mark.parametrize(
    ("value", "unit", "expected"),
    [
        (24000000, "Hz", "24 MHz"),
        (24576000, "Hz", "24.576 MHz"),
        (24000001, "Hz", "24000001 Hz"),
        (999999, "Hz", "999.999 kHz"),
        (0, "Hz", "0 Hz"),
        (0, "uV", "0 V"),
        (850000, "uV", "850 mV"),
        (-850000, "uV", "-850 mV"),
        (1, "uV", "1 uV"),
        (15000, "mW", "15 W"),
        (1500, "us", "1.5 ms"),
        (7200, "s", "7200 s"),
        (40000, "m°C", "40 °C"),
        (1.25, "°C", "1.25 °C"),
        (0.05, "°C", "0.05 °C"),
        (0.0125, "V", "12.5 mV"),
        (1e-07, "V", "100 nV"),
        (99, "%", "99 %"),
        (1500, "RPM", "1500 RPM"),
        (3, None, "3"),
        (float("nan"), "V", "nan V"),
        (10**30, "Hz", f"{10**30} Hz"),
    ],
)
def test_a_value_is_shown_with_the_prefix_that_makes_it_short(
    value: float, unit: str | None, expected: str
) -> None:
    assert values.format_si(value, unit) == expected


def test_the_three_styles_of_units() -> None:
    assert values.format_value(24000000, "Hz", "si") == "24 MHz"
    assert values.format_value(24000000, "Hz", "raw") == "24000000"
    assert values.format_value(24000000, "Hz", "hex") == "0x16e3600"
    assert values.format_value(1.25, "°C", "hex") == "1.25"


@pytest.mark.parametrize(
    ("pattern", "ids"),
    [
        ("3", [3]),
        ("0x3", [3]),
        ("0b11", [3]),
        ("99", [99]),
        ("uart1", [1]),
        ("Soc", [2]),
        ("BIG", [9]),
        ("uart*", [0, 1]),
        ("uart[0-9]", [0, 1]),
        ("?oc", [2]),
        ("cpu[0]", [4]),
        ("3v3-rail", [6]),
        ("3v*", [6]),
        ("*", list(range(10))),
        ("all", list(range(10))),
    ],
)
def test_an_id_a_name_and_a_glob_select(pattern: str, ids: list[int]) -> None:
    assert values.select(pattern, CLOCKS) == ids


def test_all_of_nothing_is_nothing() -> None:
    assert values.select("all", []) == []


def test_an_unknown_name_lists_what_there_is() -> None:
    with pytest.raises(UsageError) as caught:
        values.select("uart9", ["uart0", "spi0"], kind="clock")
    assert caught.value.message == "unknown clock 'uart9', expected one of: uart0, spi0"
    assert caught.value.hint == "did you mean uart0?"
    with pytest.raises(UsageError, match="and 88 more"):
        values.select("nothing", [f"clk{i}" for i in range(100)])
    with pytest.raises(UsageError, match="unknown resource 'x'"):
        values.select("x", [])


def test_an_ambiguous_name_lists_the_ids() -> None:
    with pytest.raises(UsageError, match=r"'dup' is ambiguous: it is the name of 7 \(dup\), 8"):
        values.select("dup", CLOCKS)
    with pytest.raises(UsageError, match=r"'soc' is ambiguous: it is the name of 2 \(Soc\), 3"):
        values.select("soc", CLOCKS)


@pytest.mark.parametrize("pattern", ["-1", "0x1_0000_0000"])
def test_an_id_that_no_message_could_carry_is_refused(pattern: str) -> None:
    with pytest.raises(UsageError, match="expected 0 to 0xffffffff"):
        values.select(pattern, CLOCKS)


def test_a_hostile_name_does_not_reach_the_terminal_as_it_is() -> None:
    with pytest.raises(UsageError) as caught:
        values.select("x", ["\x1b[2Jevil\n"])
    assert caught.value.message.isprintable()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("cold-reset", State.COLD_RESET),
        ("COLD_RESET", State.COLD_RESET),
        ("async", State.ASYNC_),
        ("4", State.SUSPEND),
        ("0x80000000", 0x80000000),
        ("-2", -2),
    ],
)
def test_a_member_is_found_by_name_or_number(text: str, expected: int) -> None:
    assert values.enum_value(text, State) == expected


def test_a_known_number_is_the_member_itself() -> None:
    assert values.enum_value("4", State) is State.SUSPEND


@pytest.mark.parametrize("text", ["warm", "4W", "4.0", ""])
def test_an_unknown_member_lists_the_members(text: str) -> None:
    with pytest.raises(UsageError, match="expected one of: cold_reset, suspend, async"):
        values.enum_value(text, State)


def test_references_are_replaced() -> None:
    parts = [
        values.Part("a-"),
        values.Part("rate", kind="variable"),
        values.Part("CI", kind="env"),
    ]
    assert values.expand(parts, {"rate": "24MHz"}, {"CI": "7"}) == "a-24MHz7"
    with pytest.raises(UsageError) as caught:
        values.expand(parts, {"rat": "", "x": ""}, {})
    assert caught.value.message == "unknown variable 'rate', expected one of: rat, x"
    with pytest.raises(UsageError, match="the environment variable CI is not set"):
        values.expand(parts, {"rate": ""}, {"SECRET": "x"})
    with pytest.raises(UsageError, match="there are none"):
        values.expand(parts, {}, {})


def test_a_reference_that_is_not_finished_is_not_taken_for_text() -> None:
    part, end = values.reference("${rate", 0, False)
    assert end == 2
    with pytest.raises(UsageError, match="expected"):
        values.expand([part], {"rate": "1"}, {})


UNITS = st.sampled_from([None, "Hz", "uV", "mW", "us", "s", "°C", "%", "m/s²", "rpm", "kPa", ""])
NUMBERS = st.from_regex(r"[+-]?[0-9_x.]{0,6}[ ]?[a-zA-Zµ°%/]{0,4}", fullmatch=True)


@quick
@given(text=st.text() | NUMBERS, unit=UNITS)
def test_any_text_is_a_number_or_a_usage_error(text: str, unit: str | None) -> None:
    try:
        values.number(text, unit)
    except UsageError as error:
        assert error.message.isprintable()


@quick
@given(text=st.text() | NUMBERS)
def test_any_text_is_a_time_or_a_usage_error(text: str) -> None:
    try:
        assert 0 <= values.duration(text) <= values.LONGEST_DURATION
    except UsageError:
        pass


@quick
@given(pattern=st.text() | st.text("[]*?!-ab\\"), names=st.lists(st.none() | st.text()))
def test_any_pattern_selects_or_is_a_usage_error(pattern: str, names: list[str | None]) -> None:
    try:
        ids = values.select(pattern, names)
    except UsageError:
        return
    assert ids == sorted(set(ids))


@quick
@given(value=st.integers(-(2**64), 2**64), unit=st.sampled_from(["Hz", "uV", "mW", "us", "ms"]))
def test_what_is_shown_can_be_typed_again(value: int, unit: str) -> None:
    assert values.number(values.format_si(value, unit), unit) == value


@quick
@given(value=st.floats(), unit=UNITS)
def test_any_float_can_be_shown(value: float, unit: str | None) -> None:
    assert values.format_si(value, unit)
