"""`sim` in one process: what a hand changes is what the other commands find, and are told."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from scmictl.console import batch
from scmictl.errors import NotOffered, Refused, StatusError, UsageError

Consoles = Callable[..., Any]


# --- state and values -----------------------------------------------------------------------------


def test_everything_is_an_array_with_the_protocol_of_each(console: Consoles) -> None:
    found = console().json("sim state")
    assert {record["protocol"] for record in found} >= {"base", "clock", "sensor"}
    (uart,) = [r for r in found if (r["protocol"], r["name"]) == ("clock", "uart0")]
    assert uart == {
        "protocol": "clock",
        "id": 1,
        "name": "uart0",
        "rate_hz": 24_000_000,
        "enabled": True,
        "parent": "pll-sys",
        "enabled_by": ["platform"],
    }


@pytest.mark.parametrize(
    ("words", "many"),
    [
        ("clock:uart0", False), ("clock:1", False), ("base:0", False), ("clock:uart0*", True),
        ("clock:all", True), ("clock", True), ("base", True), ("clock:uart0 clock:uart1", True),
    ],
)  # fmt: skip
def test_one_resource_is_an_object_and_what_can_be_several_an_array(
    console: Consoles, words: str, many: bool
) -> None:
    assert isinstance(console().json(f"sim state {words}"), list) is many


def test_a_terminal_gets_a_table_for_each_protocol(console: Consoles) -> None:
    text = console().text("sim state clock:uart* sensor:vdd-cpu sensor:fan0 -o table")
    first, second = text.split("\n\n")
    assert first.splitlines()[0].split() == [
        "PROTOCOL", "ID", "NAME", "RATE", "ENABLED", "PARENT",
    ]  # fmt: skip
    assert "24 MHz" in first
    assert second.splitlines()[0].split()[:5] == ["PROTOCOL", "ID", "NAME", "VALUE", "UNIT"]
    assert len(second.splitlines()) == 3


def test_fields_where_and_sort_work_on_the_state(console: Consoles) -> None:
    clocks = console()
    found = clocks.json("sim state clock --where rate_hz>=1GHz --fields name --sort name")
    assert [one["name"] for one in found] == ["cpu-big", "ddr", "pll-ddr", "pll-sys"]


def test_a_value_set_by_hand_is_what_is_read(console: Consoles) -> None:
    sensors = console()
    assert sensors.json("sim set sensor:soc-temp value=80C")["value"] == 80
    assert sensors.json("sensor read soc-temp")["value"] == 80
    assert "the simulated platform forgets this when the session ends" in sensors.said
    sensors.text("sim set sensor:soc-temp value=auto")
    assert sensors.json("sensor read soc-temp")["value"] != 80


def test_a_wrong_setting_leaves_the_right_ones_undone(console: Consoles) -> None:
    clocks = console()
    error, records = clocks.fails("sim set clock:uart0 rate=25MHz enabled=off colour=red")
    assert isinstance(error, UsageError)
    assert error.message.startswith("clock:uart0: unknown key 'colour', expected one of: rate, en")
    assert not records
    assert clocks.json("clock get uart0")["rate_hz"] == 24_000_000
    assert clocks.json("clock get uart0")["enabled"]


def test_a_setting_is_checked_before_anything_is_sent(console: Consoles) -> None:
    clocks = console()
    error, _ = clocks.fails("sim set clock:uart0 rate")
    assert error.message == "found 'rate', expected KEY=VALUE"
    assert not clocks.frames


# --- what follows from it -------------------------------------------------------------------------


def run(console: Any, text: str) -> list[Any]:
    """Run statements to a good end, and return the records they print."""
    start = console.stdout.tell()
    console.session.options["output"] = "jsonl"
    assert batch.run_text(console.session, text) == 0, console.said
    return [json.loads(line) for line in console.stdout.getvalue()[start:].splitlines()]


def test_a_batch_waits_for_what_its_hand_causes(console: Consoles) -> None:
    run(
        console(),
        "subscribe SENSOR_TRIP_POINT_EVENT soc-temp; "
        "sim set sensor:soc-temp value=70C trip.0=75C:rising; "
        "sim set sensor:soc-temp value=80C; "
        "wait SENSOR_TRIP_POINT_EVENT trip_point_desc.trip_point_id==0 within 5s; "
        "subscribe CLOCK_RATE_CHANGED apb; "
        "sim set clock:pll-sys rate=800MHz; "
        "wait CLOCK_RATE_CHANGED rate==100000000 within 5s; "
        "assert agent_id == 0",
    )


def test_a_fault_set_by_hand_strikes_the_next_command(console: Consoles) -> None:
    clocks = console()
    clocks.text("clock get uart0")
    (fault,) = clocks.json("sim fault busy:1@CLOCK_RATE_GET")
    assert fault == {
        "fault": "busy:1@CLOCK_RATE_GET", "kind": "busy", "met": 0, "struck": 0, "left": 1,
    }  # fmt: skip
    error, _ = clocks.fails("clock get uart0")
    assert isinstance(error, StatusError)
    assert error.name == "BUSY"
    assert clocks.json("clock get uart0")["rate_hz"] == 24_000_000
    assert [one["struck"] for one in clocks.json("sim fault")] == [1]
    assert len(clocks.json("sim fault late:5% lost@agent=guest")) == 3
    assert clocks.json("sim fault list") == clocks.json("sim fault")
    assert clocks.json("sim fault clear") == []


def test_a_fault_that_is_none_is_found_before_anything_is_sent(console: Consoles) -> None:
    clocks = console()
    assert "unknown kind 'frog'" in clocks.fails("sim fault busy,frog@agent=guest")[0].message
    assert "nothing behind list" in clocks.fails("sim fault list busy")[0].message
    assert not clocks.frames
    # Which agents there are, the platform knows.
    assert "unknown agent 'nobody'" in clocks.fails("sim fault busy@agent=nobody")[0].message


def test_a_permission_revoked_by_hand_holds_for_the_commands_that_follow(console: Consoles) -> None:
    clocks = console()
    clocks.text("clock get gpu")
    (found,) = clocks.json("sim perms deny ospm gpu:clock")
    assert found == {
        "agent_id": 1, "agent": "ospm", "device_id": 2, "device": "gpu", "protocol": "clock",
        "access": "deny",
    }  # fmt: skip
    error, _ = clocks.fails("call CLOCK_RATE_GET clock_id=10")
    assert error.name == "NOT_FOUND"
    clocks.text("sim perms allow 1 2")
    assert clocks.json("clock get gpu")["name"] == "gpu"
    clocks.text("sim perms deny all gpu")
    assert clocks.json("sim perms reset ospm")[0]["agent"] == "ospm"
    assert clocks.json("sim perms list ospm gpu")[0]["access"] == "allow"
    assert {one["access"] for one in clocks.json("sim perms list bmc gpu")} == {"deny"}
    assert len(clocks.json("sim perms")) > 30


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("sim perms deny guest", "sim perms deny, expected AGENT DEVICE[:PROTOCOL]"),
        ("sim perms allow", "sim perms allow, expected AGENT DEVICE[:PROTOCOL]"),
        ("sim perms reset", "sim perms reset, expected AGENT"),
        ("sim perms reset guest gpu", "found 'gpu', expected nothing behind the agent"),
        ("sim perms guest", "unknown value 'guest', expected one of: list, allow, deny, reset"),
        ("sim perms deny guest gpu:sensor", "unknown protocol 'sensor', expected one of: "),
    ],
)
def test_permissions_have_their_grammar(console: Consoles, line: str, found: str) -> None:
    assert found in console().fails(line)[0].message


# --- notifications --------------------------------------------------------------------------------


def test_a_notification_raised_by_hand_comes_like_any_other(console: Consoles) -> None:
    clocks = console()
    clocks.text("subscribe CLOCK_RATE_CHANGED uart0")
    assert clocks.json("sim notify clock.RATE_CHANGED clock_id=1 rate=3MHz") == {
        "message": "CLOCK_RATE_CHANGED",
        "fields": {"agent_id": 0, "clock_id": 1, "rate": 3_000_000},
        "sent": 1,
        "agents": ["ospm"],
    }
    assert clocks.json("clock get uart0")["rate_hz"] == 24_000_000
    assert clocks.json("sim notify CLOCK_RATE_CHANGED clock_id=1 rate=1 --to guest")["sent"] == 0
    assert "nobody who may have it has subscribed to this CLOCK_RATE_CHANGED" in clocks.said


def test_an_error_event_can_be_raised(console: Consoles) -> None:
    run(
        console(),
        "subscribe BASE_ERROR_EVENT; "
        "sim notify BASE_ERROR_EVENT agent_id=1 error_status.fatal=1 "
        "msg_reports[0].message_header=0x5014 msg_reports[0].status=-2; "
        "wait BASE_ERROR_EVENT error_status.fatal within 5s; "
        "assert agent_id == 1 and fields.error_status.cmd_count == 1",
    )


@pytest.mark.parametrize(
    ("line", "found"),
    [
        (
            "sim notify CLOCK_RATE_SET clock_id=1",
            "CLOCK_RATE_SET is no notification, expected one of: CLOCK_RATE_CHANGED, CLOCK_RATE_",
        ),
        ("sim notify clock.RATE_SET", "CLOCK_RATE_SET is no notification"),
        ("sim notify SENSOR_READING_COMPLETE", "is no notification"),
        ("sim notify CLOCK_RATE_CHANGD", "unknown notification 'CLOCK_RATE_CHANGD', expected a na"),
        ("sim notify CLOCK_RATE_CHANGED", "CLOCK_RATE_CHANGED: missing clock_id, rate"),
        ("sim notify CLOCK_RATE_CHANGED speed=1", "unknown field 'speed'"),
    ],
)
def test_what_is_no_notification_is_found_before_anything_is_sent(
    console: Consoles, line: str, found: str
) -> None:
    clocks = console()
    assert found in clocks.fails(line)[0].message
    assert not clocks.frames


def test_a_protocol_that_the_platform_lacks_has_no_notifications(
    console: Consoles, board: Callable[[str], str]
) -> None:
    clocks = console(board('[[clock]]\nname = "a"\nrate = 1\n'))
    error, _ = clocks.fails("sim notify SENSOR_TRIP_POINT_EVENT sensor_id=0 trip_point_desc=0")
    assert isinstance(error, NotOffered)
    assert error.message == "the platform has no sensor protocol"


def test_a_notification_is_laid_out_as_the_platforms_version_says(
    console: Consoles, board: Callable[[str], str]
) -> None:
    text = '[versions]\nclock = "1.0"\n[[clock]]\nname = "a"\nrate = 1\n'
    error, _ = console(board(text)).fails("sim notify CLOCK_RATE_CHANGED clock_id=0 rate=1")
    assert "exists from clock 2.0 on, the platform speaks 1.0" in error.message


# --- who may --------------------------------------------------------------------------------------

WRITES = (
    "sim set sensor:soc-temp value=80C",
    "sim fault busy:1",
    "sim fault clear",
    "sim perms deny guest gpu",
    "sim perms reset guest",
    "sim notify CLOCK_RATE_CHANGED clock_id=1 rate=1",
)


@pytest.mark.parametrize("line", WRITES)
def test_a_read_only_session_changes_nothing_by_hand(console: Consoles, line: str) -> None:
    error, _ = console().fails(f"{line} -r")
    assert isinstance(error, Refused)
    assert error.message.endswith("changes the platform, and this connection is read-only")


@pytest.mark.parametrize("line", WRITES)
def test_a_dry_run_shows_what_would_be_done(console: Consoles, line: str) -> None:
    (shown,) = console().json(f"{line} --dry-run")
    verb = " ".join(line.split()[:2])
    assert shown["message"] == verb
    assert shown["request"].startswith(verb.removeprefix("sim "))


@pytest.mark.parametrize("line", ["sim state clock:uart0", "sim fault", "sim perms list guest"])
def test_a_read_only_session_looks(console: Consoles, line: str) -> None:
    assert console().text(f"{line} -r")


def test_a_device_cannot_be_changed_by_hand(console: Consoles, serve: Callable[..., str]) -> None:
    error, _ = console(f"vhost-user:{serve()}").fails("sim state")
    assert isinstance(error, NotOffered)
    assert "expected sim:... (in this process), or control:PATH" in error.message


@pytest.mark.parametrize(
    ("target", "found"),
    [
        ("control:", "expected control:PATH"),
        ("control:/x?wait=3s", "control: has no option 'wait'"),
        ("control:/nonexistent/x", "no socket there"),
    ],
)
def test_a_control_socket_needs_a_path(console: Consoles, target: str, found: str) -> None:
    assert found in console(target).fails("sim state")[0].message
