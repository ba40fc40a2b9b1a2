"""--trace prints one decoded line for each message, on stderr."""

from __future__ import annotations

import io
import json
from typing import NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scmictl.console.environment import Environment
from scmictl.console.trace import Trace
from scmictl.console.view import View


class Frame(NamedTuple):
    """What a capture hands out."""

    data: bytes
    outgoing: bool
    queue: int
    time: float


class Traced:
    """A trace to feed with frames in hexadecimal, and what it has said."""

    def __init__(self, environment: Environment, view: View, versions: dict[int, int]) -> None:
        self.environment = environment
        self.trace = Trace(versions, environment, view)

    def out(self, text: str, time: float = 0.0) -> None:
        self.trace(Frame(bytes.fromhex(text), True, 0, 100.0 + time))

    def back(self, text: str, time: float = 0.0, queue: int = 0) -> None:
        self.trace(Frame(bytes.fromhex(text), False, queue, 100.0 + time))

    @property
    def lines(self) -> list[str]:
        assert isinstance(self.environment.stderr, io.StringIO)
        return self.environment.stderr.getvalue().splitlines()


@pytest.fixture
def traced(environment: Environment) -> Traced:
    return Traced(environment, View(), {})


def test_a_request_and_its_response_have_time_token_and_latency(traced: Traced) -> None:
    # CLOCK_RATE_GET of clock 3 with token 3, answered with 24 MHz.
    traced.out("06 50 0c 00  03 00 00 00")
    traced.back("06 50 0c 00  00 00 00 00  00 36 6e 01 00 00 00 00", 0.000041)
    assert traced.lines == [
        "+0.000000 > cmdq   CLOCK_RATE_GET #3 clock_id=3",
        "+0.000041 < cmdq   CLOCK_RATE_GET #3 SUCCESS rate=24000000 (41 us)",
    ]


def test_a_status_is_shown_by_name(traced: Traced) -> None:
    traced.out("06 50 0c 00  03 00 00 00")
    traced.back("06 50 0c 00  fc ff ff ff", 0.001)
    assert traced.lines[1] == "+0.001000 < cmdq   CLOCK_RATE_GET #3 NOT_FOUND (1000 us)"


def test_a_name_that_all_protocols_have_comes_with_its_protocol(traced: Traced) -> None:
    traced.out("00 40 04 00")
    traced.back("00 40 04 00  00 00 00 00  01 00 02 00", 0.5)
    assert traced.lines == [
        "+0.000000 > cmdq   base.PROTOCOL_VERSION #1",
        "+0.500000 < cmdq   base.PROTOCOL_VERSION #1 SUCCESS version.minor=1 version.major=2 "
        "(500000 us)",
    ]


def test_an_asynchronous_command_is_followed_to_its_end(traced: Traced) -> None:
    traced.out("05 50 24 00  01 00 00 00  02 00 00 00  00 08 af 2f  00 00 00 00")
    traced.back("05 50 24 00  00 00 00 00", 0.00001)
    traced.back("05 52 24 00  00 00 00 00  02 00 00 00  00 08 af 2f  00 00 00 00", 0.00002, 1)
    assert traced.lines == [
        "+0.000000 > cmdq   CLOCK_RATE_SET #9 flags.async=true clock_id=2 rate=800000000",
        "+0.000010 < cmdq   CLOCK_RATE_SET #9 SUCCESS (10 us)",
        "+0.000020 < eventq CLOCK_RATE_SET_COMPLETE #9 SUCCESS clock_id=2 rate=800000000 (20 us)",
    ]


def test_a_notification_stands_out_and_has_no_token(traced: Traced) -> None:
    # SENSOR_UPDATE of vhost-device-scmi, one axis of it.
    traced.back("01 57 00 00  00 00 00 00  00 00 00 00  05 00 00 00 00 00 00 00" + "00" * 8, 0, 1)
    assert traced.lines == [
        "+0.000000 ! eventq SENSOR_UPDATE agent_id=0 sensor_id=0 "
        "readings[0].sensor_value=5 readings[0].timestamp=0"
    ]


def test_lists_and_words_without_set_flags_are_short(traced: Traced) -> None:
    # CLOCK_DESCRIBE_RATES as in the reference, and CLOCK_RATE_SET of clock 2 without any flag.
    traced.back(
        "04 50 1c 00  00 00 00 00  03 10 00 00  40 42 0f 00 00 00 00 00"
        "00 8c 86 47 00 00 00 00  e8 03 00 00 00 00 00 00"
    )
    traced.out("05 50 24 00  00 00 00 00  02 00 00 00  00 08 af 2f  00 00 00 00")
    assert traced.lines == [
        "+0.000000 < cmdq   CLOCK_DESCRIBE_RATES #7 SUCCESS num_rates_flags.num_returned=3 "
        "num_rates_flags.rate_format=triplet num_rates_flags.num_remaining=0 "
        "rates=[1000000,1200000000,1000]",
        "+0.000000 > cmdq   CLOCK_RATE_SET #9 flags=0 clock_id=2 rate=800000000",
    ]


def test_surplus_is_shown(traced: Traced) -> None:
    traced.back("0b 54 00 00  00 00 00 00  01 00 00 00")
    assert traced.lines == [
        "+0.000000 < cmdq   SENSOR_CONTINUOUS_UPDATE_NOTIFY #0 SUCCESS surplus=01000000"
    ]


def test_what_cannot_be_decoded_is_shown_in_hexadecimal_with_the_reason(traced: Traced) -> None:
    traced.out("06 50 0c 00  03 00 00 00")
    traced.back("06 50 0c 00  00 00 00 00  01 00 00 00", 0.00002)
    traced.back("06 50", 0.00003)
    assert traced.lines[1:] == [
        "+0.000020 < cmdq   CLOCK_RATE_GET #3 SUCCESS undecodable (4 bytes left for rate, "
        "expected 8): 06 50 0c 00 00 00 00 00 01 00 00 00 (20 us)",
        "+0.000030 < cmdq   undecodable (a frame of 2 bytes, expected at least the 4 of the "
        "header): 06 50",
    ]


def test_a_protocol_nobody_knows_is_shown_in_words(traced: Traced) -> None:
    traced.out("04 00 16 00  01 00 00 00  03 00 00 00")
    assert traced.lines == ["+0.000000 > cmdq   vendor-0x80.0x4 #5 words=[0x00000001,0x00000003]"]


def test_a_name_from_the_platform_cannot_break_the_line(traced: Traced) -> None:
    # CLOCK_ATTRIBUTES of an enabled clock whose name is an escape sequence and a line end.
    name = b"a\x1b[2J\nb c".ljust(16, b"\0").hex()
    traced.back("03 50 00 00  00 00 00 00  01 00 00 00" + name + "00 00 00 00")
    (line,) = traced.lines
    assert line == (
        "+0.000000 < cmdq   CLOCK_ATTRIBUTES #0 SUCCESS attributes.enabled=true "
        "clock_name='a\\x1b[2J\\nb c' clock_enable_delay=0"
    )


def test_versions_are_learned_as_the_frames_pass(traced: Traced) -> None:
    traced.out("00 50 04 00")
    traced.back("00 50 04 00  00 00 00 00  00 00 02 00")
    traced.out("07 50 28 00  02 00 00 00  01 00 00 00")
    assert traced.lines[2] == (
        "+0.000000 > cmdq   CLOCK_CONFIG_SET #10 clock_id=2 attributes.enable=true"
    )


def test_versions_that_are_fixed_are_used(environment: Environment) -> None:
    traced = Traced(environment, View(), {0x14: 0x10000})
    traced.out("07 50 28 00  02 00 00 00  01 00 00 00")
    assert traced.lines[0].endswith("clock_id=2 attributes.enable=true")


def test_a_response_without_its_request_has_no_latency(traced: Traced) -> None:
    traced.out("06 50 0c 00  03 00 00 00")
    traced.back("06 50 10 00  fc ff ff ff", 0.001)
    assert traced.lines[1] == "+0.001000 < cmdq   CLOCK_RATE_GET #4 NOT_FOUND"


def test_with_json_output_each_line_is_an_object(environment: Environment) -> None:
    traced = Traced(environment, View("jsonl"), {})
    traced.out("06 50 0c 00  03 00 00 00")
    traced.back("06 50 0c 00  00 00 00 00  00 36 6e 01 00 00 00 00", 0.000041)
    assert json.loads(traced.lines[1]) == {
        "trace": {
            "time_us": 41,
            "outgoing": False,
            "queue": "cmdq",
            "protocol": "clock",
            "message": "CLOCK_RATE_GET",
            "type": "response",
            "token": 3,
            "status": "SUCCESS",
            "fields": {"rate": 24000000},
            "surplus": "",
            "error": None,
            "latency_us": 41,
            "frame": "06500c000000000000366e0100000000",
        }
    }


def test_a_closed_stderr_does_not_stop_the_engine(environment: Environment) -> None:
    trace = Trace({}, environment)
    environment.stderr.close()
    trace(Frame(b"\x06\x50\x0c\x00\x03\x00\x00\x00", True, 0, 0.0))


@settings(max_examples=300, deadline=None)
@given(st.lists(st.tuples(st.binary(max_size=64), st.booleans()), max_size=5))
def test_no_frame_makes_it_fail_or_reach_the_terminal_untamed(
    frames: list[tuple[bytes, bool]],
) -> None:
    environment = Environment(io.StringIO(), io.StringIO(), io.StringIO(), {})
    trace = Trace({}, environment)
    for data, outgoing in frames:
        trace(Frame(data, outgoing, 0, 0.0))
    assert isinstance(environment.stderr, io.StringIO)
    said = environment.stderr.getvalue()
    assert said.count("\n") == len(frames)
    assert said.replace("\n", "").isprintable()
