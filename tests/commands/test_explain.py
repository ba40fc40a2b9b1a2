"""`explain`: messages with their layouts, status codes, headers and frames, all offline."""

from __future__ import annotations

import io
import json
from typing import Any

import pytest

from scmictl.commands import explain, layout, message
from scmictl.console import guide
from scmictl.console.environment import Environment
from scmictl.console.parser import Help, parse
from scmictl.console.session import Session
from scmictl.errors import UsageError
from scmictl.protocols import base, clock, sensor
from scmictl.wire import Message


def run(*words: str) -> str:
    stdout = io.StringIO()
    with Session(Environment(io.StringIO(), stdout, io.StringIO(), {}), {}) as session:
        session.words(["explain", *words])
        assert not session.contexts, "explain is offline"
    return stdout.getvalue()


def explained(*words: str) -> Any:
    return json.loads(run(*words, "--json"))


def rows(protocol: Any, kind: type[Message], frame: str) -> dict[str, layout.Row]:
    """The newest layout of a kind of frame, by field."""
    found = next(one for one in layout.layouts(protocol, kind) if one.frame == frame)
    return {row.field: row for row in found.rows}


def test_a_protocol_may_be_written_in_capitals_unless_that_is_a_message() -> None:
    assert run("CLOCK") == run("clock")
    assert run("RESET") != run("reset")


# --- messages -------------------------------------------------------------------------------------


def test_a_message_is_shown_with_meaning_effect_and_layout() -> None:
    text = run("CLOCK_RATE_SET").splitlines()
    assert text[:4] == [
        "CLOCK_RATE_SET: request 0x5 of the clock protocol (0x14), since version 1.0",
        "Set the rate of a clock.",
        "effect: write",
        "answered later by CLOCK_RATE_SET_COMPLETE if flags.async and not "
        "flags.ignore_delayed_response",
    ]
    assert "request CLOCK_RATE_SET (20 bytes)" in text
    assert "  12  u64  rate                       in Hz" in text
    assert "delayed response CLOCK_RATE_SET_COMPLETE (20 bytes)" in text


def test_offsets_are_those_of_the_frame() -> None:
    request = rows(clock.PROTOCOL, clock.RateSet, "request")
    assert {name: row.offset for name, row in request.items() if row.offset is not None} == {
        "header": 0, "flags": 4, "clock_id": 8, "rate": 12,
    }  # fmt: skip
    assert request["flags.async"].bits == "0"
    response = rows(clock.PROTOCOL, clock.Attributes, "response")
    assert (response["status"].offset, response["clock_name"].offset) == (4, 12)
    assert response["clock_name"].type == "u8[16]"
    assert response["clock_enable_delay"].when == "may be missing"


def test_elements_count_their_own_offsets_and_what_may_be_missing_says_when() -> None:
    found = rows(sensor.PROTOCOL, sensor.DescriptionGet, "response")
    # Reference B 3.2: 4-byte id, two words, the name at 12, then 28, 32, 36 and 44.
    offsets = [found[f"desc[].{name}"].offset for name in (
        "sensor_id", "sensor_name", "sensor_power", "sensor_resolution", "sensor_min_range",
        "sensor_max_range",
    )]  # fmt: skip
    assert offsets == [0, 12, 28, 32, 36, 44]
    assert found["desc[].sensor_power"].when == "sensor_attributes_low.extended_attributes"
    assert found["desc[].sensor_attributes_high.unit_exponent"].bits == "15:11"
    assert found["desc[].sensor_attributes_high.unit_exponent"].type == "signed"


def test_behind_a_list_there_is_no_offset() -> None:
    event = rows(base.PROTOCOL, base.ErrorEvent, "notification")
    assert event["msg_reports"].offset == 12
    assert rows(base.PROTOCOL, base.DiscoverListProtocols, "response")["protocols"].type == (
        "u8[num_protocols]"
    )


def test_versions_that_differ_are_shown_apart() -> None:
    record = explained("sensor.READING_GET")
    responses = [one for one in record["layouts"] if one["frame"] == "response"]
    assert [one["versions"] for one in responses] == [["2.0", "3.0", "3.1"], ["1.0"]]
    assert [one["size"] for one in responses] == [None, 16]
    text = run("sensor.READING_GET")
    assert "response SENSOR_READING_GET (16 bytes, version 1.0)" in text
    assert "response SENSOR_READING_GET (size varies, version 2.0 to 3.1)" in text


def test_a_notification_says_what_switches_it_and_a_switch_what_it_switches() -> None:
    assert "switched by SENSOR_CONTINUOUS_UPDATE_NOTIFY" in run("SENSOR_UPDATE")
    assert "switches CLOCK_RATE_CHANGED" in run("clock.rate_notify")
    assert "answers SENSOR_READING_GET" in run("SENSOR_READING_COMPLETE")


def test_what_hurts_says_when() -> None:
    record = explained("base.SET_DEVICE_PERMISSIONS")
    assert record["effect"] == "write, hurts if not flags.access_type"


def test_a_name_that_all_protocols_share_is_explained_once() -> None:
    assert explained("PROTOCOL_VERSION")["protocol"] == "base"
    assert explained("sensor.protocol_version")["protocol"] == "sensor"


def test_a_protocol_lists_its_messages() -> None:
    text = run("sensor")
    assert "SENSOR_READING_GET" in text
    assert "versions 1.0, 2.0, 3.0, 3.1" in text
    assert len(explained("clock")["messages"]) == 20


def test_every_message_can_be_explained() -> None:
    for protocol, kind in message.every(Message):
        text = explain.explained([message.qualified(protocol, kind)]).text
        assert text.startswith(f"{kind.SPEC}: ")


def test_what_is_different_in_older_versions_is_shown_below_the_newest() -> None:
    text = run("SENSOR_DESCRIPTION_GET")
    assert (
        "response SENSOR_DESCRIPTION_GET (size varies, version 2.0), as in 3.0 but\n"
        "  without desc[].sensor_attributes_low.extended_name\n"
    ) in text
    # A program gets every layout in full.
    full = [one for one in explained("SENSOR_DESCRIPTION_GET")["layouts"] if len(one["fields"]) > 3]
    assert [one["versions"] for one in full] == [["3.0", "3.1"], ["2.0"], ["1.0"]]


def test_a_delayed_response_is_no_older_than_its_command_can_ask_for_it() -> None:
    layouts = explained("VOLTAGE_LEVEL_SET")["layouts"]
    assert [one["versions"][0] for one in layouts if one["frame"] == "delayed_response"] == ["2.0"]


def test_a_protocol_of_a_vendor_lists_its_messages_by_its_name() -> None:
    text = run("nxp-misc")
    assert text.startswith("NXP ")
    assert "0x84 (nxp-misc)" in text
    assert "MISC_CONTROL_SET" in text


# --- status codes ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "words", [["DENIED"], ["denied"], ["-3"], ["0xfffffffd"], ["FFFFFFFD"], ["4294967293"]]
)
def test_a_status_is_known_by_name_number_and_word(words: list[str]) -> None:
    assert explained(*words) == {
        "status": "DENIED", "value": -3, "meaning": "this agent has no permission for it",
        "exit_code": 23,
    }  # fmt: skip


def test_success_and_codes_without_a_name_are_statuses_too() -> None:
    assert explained("0")["exit_code"] == 0
    assert explained("-12")["exit_code"] == 32
    assert explained("-130")["status"] == "VENDOR(-130)"
    assert explained("4294967166")["status"] == "VENDOR(-130)"
    assert explained("not-supported")["value"] == -1
    assert explained("-20")["meaning"].startswith("reserved")
    assert "exit code 39" in run("-20")


def test_a_status_of_a_vendors_own_is_known_by_the_vendor() -> None:
    own = "a code of the vendor's own"
    assert explained("-134")["meaning"] == f"{own}; NXP:IMX: a timeout"
    assert explained("-134", "--vendor", "NXP")["meaning"] == f"{own}; NXP:IMX: a timeout"
    assert explained("-134", "--vendor", "Arm")["meaning"] == own
    assert explained("-135")["meaning"] == own


# --- headers and frames ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    "words", [["0x00005403"], ["00005403"], ["03", "54", "00", "00"], ["0x5403"]]
)
def test_a_header_is_taken_apart(words: list[str]) -> None:
    assert explained(*words) == {
        "header": 0x5403, "protocol": "sensor", "message": "SENSOR_DESCRIPTION_GET",
        "type": "request or response", "token": 0, "reserved": 0,
    }  # fmt: skip


def test_the_fields_of_a_header_are_named_by_their_bits() -> None:
    text = run("0x1ffc5701")
    assert "[7:0]    message id    0x1  SENSOR_UPDATE" in text
    assert "[9:8]    message type  3  notification" in text
    assert "[27:18]  token         1023" in text
    assert "[31:28]  reserved      0x1, expected 0" in text


def test_a_frame_is_read_in_whichever_direction_it_fits() -> None:
    # Reference B 3.6: the command, then a reading of 45.5 degrees, as words.
    request = explained("00005403", "00000000")
    assert [reading["type"] for reading in request["readings"]] == ["request"]
    assert request["readings"][0]["fields"] == {"desc_index": 0}
    words = ["00005406", "00000000", "0000B1BC", "00000000", "000F4240", "00000000"]
    response = explained(*words)
    assert [reading["type"] for reading in response["readings"]] == ["response"]
    assert response["readings"][0]["fields"]["readings"] == [
        {"sensor_value": 45500, "timestamp": 1_000_000}
    ]


def test_a_frame_that_fits_both_ways_is_shown_both_ways() -> None:
    readings = explained("06500000 fcffffff")["readings"]
    assert [(one["type"], one["guess"]) for one in readings] == [
        ("request", True), ("response", True),
    ]  # fmt: skip


def test_a_frame_is_read_in_the_version_that_proto_says() -> None:
    words = ("07500000", "00000000", "01000000")
    old = explained(*words, "--proto", "clock=1.0")["readings"]
    assert [one["fields"].get("attributes") for one in old] == [{"enable": True}]


def test_a_frame_of_nobody_we_know_is_still_shown() -> None:
    text = run("0x00020c05", "0x11223344")
    assert "protocol id   0x83  vendor-0x83" in text
    assert "0x11223344" in text


@pytest.mark.parametrize("words", [["CLOCK_RATE_SEZ"], ["23"], ["0x123456789"], ["xyz", "abc"]])
def test_words_that_mean_nothing_are_a_usage_error(words: list[str]) -> None:
    with pytest.raises(UsageError, match="unknown message"):
        run(*words)


# --- help -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "words",
    [
        ["call", "CLOCK_RATE_SET", "--help"],
        ["call", "clock.0x5", "-h"],
        ["-t", "sim:demo", "call", "--help", "rate_set", "clock_id=3"],
        ["encode", "--as", "response", "clock.rate_set", "--help"],
    ],
)
def test_the_help_of_what_takes_a_message_ends_with_its_layout(words: list[str]) -> None:
    parsed = parse(words)
    assert isinstance(parsed, Help)
    usage, _, layouts = parsed.text.partition("\n\nCLOCK_RATE_SET: request 0x5 of the clock ")
    assert usage.startswith("Usage: scmictl ")
    assert "12  u64  rate                       in Hz" in layouts


@pytest.mark.parametrize("words", [["call", "--help"], ["call", "NOTHING", "--help"]])
def test_without_a_message_there_is_just_the_help(words: list[str]) -> None:
    parsed = parse(words)
    assert isinstance(parsed, Help)
    assert parsed.text.rstrip().endswith("scmictl --help lists them.")


def test_help_in_the_shell_shows_it_too() -> None:
    assert "12  u64  rate  " in guide.topic(["CLOCK_RATE_SET"])
    assert "12  u64  rate  " in guide.topic(["call", "CLOCK_RATE_SET"])
