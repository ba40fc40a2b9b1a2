"""`call` and `raw`: any message, its answer whatever it is, and the exit code of its status."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from scmictl.agent import Agent
from scmictl.commands import Arguments, Rows, call
from scmictl.commands.context import Context
from scmictl.errors import (
    NotOffered,
    Refused,
    RemoteProtocolError,
    StatusError,
    TransferTimeout,
    UsageError,
)
from scmictl.transport.inprocess import InProcess

Make = Callable[..., Any]

KEYS = ["message", "type", "status", "fields", "surplus", "latency_us"]


def words(*numbers: int) -> bytes:
    return b"".join(number.to_bytes(4, "little") for number in numbers)


@pytest.fixture
def demo(console: Make) -> Any:
    return console("sim:demo")


# --- call -----------------------------------------------------------------------------------------


def test_the_record_of_an_answer_is_that_of_the_contract(demo: Any) -> None:
    record = demo.json("call clock.RATE_GET clock_id=1")
    assert list(record) == KEYS
    assert record | {"latency_us": 0} == {
        "message": "CLOCK_RATE_GET", "type": "response", "status": "SUCCESS",
        "fields": {"rate": 24_000_000}, "surplus": "", "latency_us": 0,
    }  # fmt: skip
    assert isinstance(record["latency_us"], int)


def test_another_status_is_printed_and_is_the_exit_code(demo: Any) -> None:
    error, (record,) = demo.fails("call CLOCK_RATE_GET clock_id=99")
    assert isinstance(error, StatusError)
    assert (error.exit_code, record["status"], record["fields"]) == (24, "NOT_FOUND", {})


def test_bits_enumerations_and_units_reach_the_wire(demo: Any) -> None:
    demo.text("call clock.CONFIG_SET clock_id=1 attributes.state=disable")
    assert demo.requests()[-1] == "07 50 00 00 01 00 00 00 00 00 00 00 00 00 00 00"
    demo.text("call clock.RATE_SET clock_id=1 rate=48MHz flags.round_auto=1")
    assert demo.requests()[-1] == "05 50 00 00 08 00 00 00 01 00 00 00 00 6c dc 02 00 00 00 00"
    assert demo.json("clock get uart0")["rate_hz"] == 48_000_000


def test_an_asynchronous_message_gives_its_delayed_response_too(demo: Any) -> None:
    first, second = demo.lines("call clock.RATE_SET clock_id=1 rate=48MHz flags.async=1")
    assert [first["message"], first["type"], first["fields"]] == ["CLOCK_RATE_SET", "response", {}]
    assert second | {"latency_us": 0} == {
        "message": "CLOCK_RATE_SET_COMPLETE", "type": "delayed_response", "status": "SUCCESS",
        "fields": {"clock_id": 1, "rate": 48_000_000}, "surplus": "", "latency_us": 0,
    }  # fmt: skip
    assert second["latency_us"] > first["latency_us"]


def test_a_delayed_response_with_a_status_is_printed_and_raised(
    console: Make, board: Callable[[str], str]
) -> None:
    target = board(
        '[[sensor]]\nname = "hot"\ntype = "kelvin"\nasync = true\nfaulty = true\n'
        "[async]\nsensor = 1\n"
    )
    error, records = console(target).fails("call sensor.READING_GET sensor_id=0 flags.async=1")
    assert (error.exit_code, error.name) == (29, "HARDWARE_ERROR")
    assert [record["status"] for record in records] == ["SUCCESS", "HARDWARE_ERROR"]


def test_a_refused_asynchronous_message_has_one_record(demo: Any) -> None:
    error, records = demo.fails("call sensor.READING_GET sensor_id=7 flags.async=1")
    assert (error.name, len(records)) == ("NOT_SUPPORTED", 1)


def test_only_the_event_queue_is_checked(console: Make) -> None:
    deaf = console("sim:demo?features=-p2a")
    for line in (
        "call sensor.CONTINUOUS_UPDATE_NOTIFY sensor_id=0 notify_enable=1",
        "call sensor.READING_GET sensor_id=0 flags.async=1",
        "raw sensor 0xb --payload 0000000001000000",
    ):
        with pytest.raises(NotOffered, match="no event queue"):
            deaf.text(line)
    # What the platform does not have, it says itself.
    error, _ = deaf.fails("call sensor.CONTINUOUS_UPDATE_NOTIFY sensor_id=0 notify_enable=0")
    assert isinstance(error, StatusError)


def test_a_protocol_the_platform_lacks_has_its_say_on_the_message_itself(script: Any) -> None:
    output = script({}).run("call clock.CONFIG_SET clock_id=1 attributes.state=1")
    assert isinstance(output, Rows)
    assert output.records[0]["message"] == "CLOCK_CONFIG_SET"
    assert output.records[0]["status"] == "NOT_SUPPORTED"
    assert isinstance(output.error, StatusError)
    assert output.error.message.startswith("CLOCK_CONFIG_SET: NOT_SUPPORTED (-1)")


def test_surplus_bytes_are_shown_and_are_no_failure(script: Any) -> None:
    answers = {(0x15, 0xB, None): words(1)}
    output = script(answers).run("call SENSOR_CONTINUOUS_UPDATE_NOTIFY sensor_id=0 notify_enable=1")
    assert isinstance(output, Rows)
    assert (output.records[0]["surplus"], output.error) == ("01000000", None)


def test_an_answer_that_is_too_short_is_shown_as_far_as_it_goes(script: Any) -> None:
    output = script({(0x14, 0x6, None): words(24)}).run("call CLOCK_RATE_GET clock_id=0")
    assert isinstance(output, Rows)
    assert isinstance(output.error, RemoteProtocolError)
    assert (output.error.exit_code, output.records[0]["status"]) == (5, "SUCCESS")


def test_a_message_that_is_never_answered_is_a_timeout(console: Make, script: Any) -> None:
    class Mute(script):  # type: ignore[misc]  # the fixture is a class
        def handle(self, cookie: int, frame: bytes, room: int, now: float) -> bytes | None:
            return None if frame[:1] == b"\x06" else super().handle(cookie, frame, room, now)

    answers = {(0x10, 0x0, None): words(0x20000)}
    agent = Agent(InProcess(Mute(answers)), timeout=0.02)
    arguments = Arguments({"message": "CLOCK_RATE_GET", "assignments": ["clock_id=0"]})
    with pytest.raises(TransferTimeout, match="CLOCK_RATE_GET: no response within"):
        call.call(Context(lambda: agent), arguments)
    agent.close()


def test_a_read_only_connection_reads_and_refuses_the_rest(demo: Any) -> None:
    assert demo.json("call clock.RATE_GET clock_id=1 -r")["status"] == "SUCCESS"
    with pytest.raises(Refused, match="CLOCK_RATE_SET changes the platform"):
        demo.text("call clock.RATE_SET clock_id=1 rate=1MHz -r")


def test_what_hurts_is_asked_about(demo: Any, console: Make) -> None:
    line = "call base.RESET_AGENT_CONFIGURATION agent_id=1"
    with pytest.raises(Refused):
        demo.text(line)
    assert demo.json(f"{line} -y")["status"] == "SUCCESS"
    with pytest.raises(Refused, match="not confirmed"):
        console("sim:demo", answers="n\n").text(line)


def test_a_dry_run_shows_the_bytes_of_a_write(demo: Any) -> None:
    assert demo.json("call clock.RATE_SET clock_id=3 rate=24MHz --dry-run") == [
        {"message": "CLOCK_RATE_SET",
         "request": "05 50 00 00 00 00 00 00 03 00 00 00 00 36 6e 01 00 00 00 00"}
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("call CLOCK_RATE_GET", "missing clock_id"),
        (
            "call CLOCK_RATE_GET clock_id=0 rate=1",
            "unknown field 'rate', expected one of: clock_id",
        ),
        ("call CLOCK_RATE_GET clock_id=0x100000000", "expected 0 to 4294967295"),
        ("call CLOCK_RATE_GOT", "unknown message"),
        ("call CLOCK_RATE_CHANGED", "unknown message"),
        ("call PROTOCOL_VERSION", "ambiguous"),
    ],
)
def test_what_cannot_be_built_is_a_usage_error_before_anything_is_sent(
    demo: Any, line: str, found: str
) -> None:
    with pytest.raises(UsageError, match=found):
        demo.text(line)
    assert not demo.frames


def test_a_field_of_another_version_is_told_as_that(
    console: Make, board: Callable[[str], str]
) -> None:
    target = board('[versions]\nclock = "2.0"\n[[clock]]\nname = "a"\nrate = "1MHz"\n')
    with pytest.raises(UsageError) as raised:
        console(target).text("call clock.CONFIG_SET clock_id=0 attributes.state=1")
    assert "another version than 2.0" in str(raised.value.hint)


def test_a_count_that_is_not_that_of_its_array_is_a_usage_error(demo: Any) -> None:
    with pytest.raises(UsageError) as raised:
        demo.text(
            "call pinctrl.SETTINGS_CONFIGURE identifier=0 configs:=[] attributes.num_configs=3"
        )
    assert raised.value.message == (
        "PINCTRL_SETTINGS_CONFIGURE: configs has 0 elements, its count says 3"
    )


# --- raw ------------------------------------------------------------------------------------------


def test_raw_gives_the_bytes_and_what_they_mean(demo: Any) -> None:
    record = demo.json("raw 0x14 0x6 --payload 01000000")
    assert list(record) == [*KEYS, "payload"]
    assert record["payload"] == "0000000000366e0100000000"
    assert (record["message"], record["fields"]) == ("CLOCK_RATE_GET", {"rate": 24_000_000})


@pytest.mark.parametrize(
    "line",
    ["raw clock RATE_GET --payload 01000000", "raw 20 6 --payload 0x01,00:00_00",
     "raw CLOCK clock_rate_get --payload 01000000"],
)  # fmt: skip
def test_protocol_and_message_have_names_too(demo: Any, line: str) -> None:
    assert demo.json(line)["fields"] == {"rate": 24_000_000}


def test_raw_of_the_unknown_has_no_name_and_shows_words(script: Any) -> None:
    output = script({(0x82, 0x42, None): words(7, 0xFFFFFFFF)}).run("raw 0x82 0x42")
    assert isinstance(output, Rows)
    record = output.records[0]
    assert (record["message"], record["status"]) == (None, "SUCCESS")
    assert record["fields"] == {"words": ["0x00000007", "0xffffffff"]}
    assert record["payload"] == "0000000007000000ffffffff"


def test_raw_sends_what_no_message_would_be(demo: Any) -> None:
    error, (record,) = demo.fails("raw 0x14 0x6 --payload 0100000002")
    assert (error.name, record["status"]) == ("PROTOCOL_ERROR", "PROTOCOL_ERROR")
    assert demo.requests()[-1] == "06 50 00 00 01 00 00 00 02"


def test_raw_waits_for_the_delayed_response_of_a_whole_message(demo: Any) -> None:
    first, second = demo.lines("raw sensor READING_GET --payload 0000000001000000")
    assert (first["payload"], second["type"]) == ("00000000", "delayed_response")
    assert second["payload"].startswith("0000000000000000")
    assert second["fields"]["sensor_id"] == 0


def test_raw_takes_the_type_of_the_header(demo: Any) -> None:
    demo.fails("raw 0x14 0x6 --payload 01000000 --type 3")
    assert demo.requests()[-1] == "06 53 00 00 01 00 00 00"


def test_raw_reads_files_of_hex_and_of_bytes(demo: Any, tmp_path: Path) -> None:
    text, binary = tmp_path / "hex", tmp_path / "bin"
    text.write_text("01 00 00 00\n")
    binary.write_bytes(bytes([1, 0, 0, 0]))
    for file in (text, binary):
        assert demo.json(f"raw clock 6 --payload @{file}")["fields"] == {"rate": 24_000_000}


def test_raw_reads_standard_input(demo: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(b"01000000")))
    assert demo.json("raw clock 6 --payload -")["fields"] == {"rate": 24_000_000}


def test_raw_is_a_write_unless_its_message_is_known_to_read(demo: Any) -> None:
    assert json.loads(demo.text("raw clock 6 --payload 01000000 -r --json"))["status"] == "SUCCESS"
    for line in (
        "raw clock 5 --payload 0000000001000000004c6e0100000000 -r",
        "raw 0x99 6 -r",
        "raw clock 6 --payload 01000000 --type 1 -r",
    ):
        with pytest.raises(Refused):
            demo.text(line)


def test_raw_that_hurts_is_asked_about(demo: Any) -> None:
    with pytest.raises(Refused, match="not confirmed"):
        demo.text("raw base 0xb --payload 0100000000000000")
    with pytest.raises(Refused, match="not confirmed"):
        demo.text("raw base 0xb --payload 01")


def test_a_dry_run_of_raw_shows_the_frame(demo: Any) -> None:
    assert demo.json("raw 0x99 6 --payload 01000000 --dry-run") == [
        {"message": "raw", "request": "06 64 02 00 01 00 00 00"}
    ]


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("raw 0x100 6", "protocol is 0x100, expected 0 to 0xff"),
        ("raw clocks 6", "unknown protocol 'clocks'"),
        ("raw clock 0x100", "message is 0x100, expected 0 to 0xff"),
        ("raw clock RATE_GOT", "unknown message"),
        ("raw 0x99 NAME", "unknown protocol"),
        ("raw clock 6 --payload 123", "expected pairs of hex digits"),
        ("raw clock 6 --payload hello", "expected pairs of hex digits"),
        ("raw clock 6 --payload @/nonexistent", "cannot read /nonexistent"),
        ("raw clock 6 --type 4", "--type is 4, expected 0 to 3"),
    ],
)
def test_a_raw_message_that_cannot_be_is_a_usage_error(demo: Any, line: str, found: str) -> None:
    with pytest.raises(UsageError, match=found):
        demo.text(line)
