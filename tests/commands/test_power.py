"""`power`: states of domains, in every version, with and without waiting."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from scmictl.agent import Agent
from scmictl.commands import Rows
from scmictl.commands.context import Context
from scmictl.console.parser import Invocation, parse
from scmictl.errors import (
    CriteriaNotMet,
    NotOffered,
    Partial,
    Refused,
    StatusError,
    TransferTimeout,
    UsageError,
)
from scmictl.platform import Platform
from scmictl.protocols import power as protocol
from scmictl.transport.inprocess import InProcess

BOARD = """
[[agent]]
name = "main"
trusted = true
[[agent]]
name = "guest"
denied = ["secret"]

[[device]]
name = "secret"
owns = ["power:usb"]

[[power]]
name = "gpu"
latency = "20ms"

[[power]]
name = "display"
state = "off"

[[power]]
name = "usb"

[[power]]
name = "video-codec-cluster"
states = { on = 0x0, nap = 0x7, off = 0x40000000 }
state = "nap"
async = false
notify = false

[[power]]
name = "radio"
sync = false
latency = "5ms"

[[power]]
name = "rom"
sync = false
async = false

[[power]]
name = "modem"
faulty = true
"""


@pytest.fixture
def power(console: Callable[..., Any], board: Callable[[str], str]) -> Callable[..., Any]:
    """Return a function that makes consoles on the board above."""

    def make(version: str = "3.1", *, query: str = "", **more: Any) -> Any:
        return console(board(f'[versions]\npower = "{version}"\n{BOARD}') + query, **more)

    return make


@pytest.fixture
def one(power: Callable[..., Any]) -> Any:
    """A console on the newest version of the board."""
    return power()


# --- reading --------------------------------------------------------------------------------------


def test_the_list_has_the_keys_of_the_contract(one: Any) -> None:
    rows = one.json("power list")
    assert rows[0] == {"id": 0, "name": "gpu", "state": "on", "raw_state": 0}
    assert rows[1] == {"id": 1, "name": "display", "state": "off", "raw_state": 0x40000000}
    assert rows[3] == {"id": 3, "name": "video-codec-cluster", "state": "0x7", "raw_state": 7}
    assert [row["id"] for row in rows] == list(range(7))


def test_the_list_is_read_in_bulk_and_takes_patterns(one: Any) -> None:
    assert [row["name"] for row in one.json("power list *d*")] == [
        "display", "video-codec-cluster", "radio", "modem",
    ]  # fmt: skip
    assert [row["name"] for row in one.json("power list 2 gpu")] == ["usb", "gpu"]


def test_the_table_shows_names_and_states(one: Any) -> None:
    lines = one.text("power list -o table").splitlines()
    assert [line.split() for line in lines[:3]] == [
        ["ID", "NAME", "STATE"], ["0", "gpu", "on"], ["1", "display", "off"],
    ]  # fmt: skip


@pytest.mark.parametrize("version", ["1.0", "2.0", "3.0", "3.1"])
def test_every_version_is_listed(power: Callable[..., Any], version: str) -> None:
    rows = power(version).json("power list")
    assert [row["raw_state"] for row in rows] == [0, 0x40000000, 0, 7, 0, 0, 0]
    # Only from 3.0 on there are longer names.
    whole = "video-codec-cluster" if version >= "3" else "video-codec-clu"
    assert rows[3]["name"] == whole


def test_a_domain_that_is_denied_stays_in_the_list(power: Callable[..., Any]) -> None:
    console = power(query="?agent=guest")
    error, rows = console.fails("power list")
    assert isinstance(error, Partial)
    assert rows[2] == {
        "id": 2, "name": None, "state": None, "raw_state": None, "error": "NOT_FOUND",
    }  # fmt: skip
    assert rows[1]["state"] == "off"
    error, _ = console.fails("power get 2")
    assert (error.exit_code, error.name) == (24, "NOT_FOUND")


def test_one_domain_is_an_object_and_several_are_an_array(one: Any) -> None:
    assert one.json("power get gpu")["state"] == "on"
    assert [row["state"] for row in one.json("power get [dg]*")] == ["on", "off"]


def test_a_number_beyond_the_count_is_the_platforms_to_answer(one: Any) -> None:
    error, _ = one.fails("power get 9")
    assert isinstance(error, StatusError)
    assert error.exit_code == 24


def test_showing_a_domain_tells_how_it_can_be_set(one: Any) -> None:
    assert one.json("power show gpu") == {
        "id": 0, "name": "gpu", "state": "on", "raw_state": 0, "state_set_sync": True,
        "state_set_async": True, "notifications": ["state_changed", "state_change_requested"],
    }  # fmt: skip
    shown = one.json("power show video-codec-cluster")
    assert (shown["state_set_async"], shown["notifications"]) == (False, [])
    assert "can be set, and waited for" in one.text("power show radio -o table")


def test_info_says_which_messages_there_are(one: Any) -> None:
    found = one.json("power info")
    assert (found["version"], found["attributes"]) == ("3.1", {"num_power_domains": 7})
    assert found["messages"]["POWER_STATE_CHANGE_REQUESTED_NOTIFY"] is True


def test_a_platform_without_the_protocol_does_not_offer_it(
    console: Callable[..., Any], board: Callable[[str], str]
) -> None:
    error, _ = console(board('[[clock]]\nname = "c"\nrate = 1\n')).fails("power list")
    assert isinstance(error, NotOffered)


def test_a_name_that_had_no_room_to_be_read_may_well_exist(power: Callable[..., Any]) -> None:
    error, _ = power(query="?message-size=24").fails("power get gpu")
    assert (error.exit_code, error.name) == (30, "PROTOCOL_ERROR")


# --- statistics -----------------------------------------------------------------------------------


def test_without_a_statistics_region_there_are_no_statistics(one: Any) -> None:
    error, rows = one.fails("power stats")
    assert isinstance(error, NotOffered)
    assert (rows, "statistics_len is 0" in error.message) == ([], True)


def test_of_a_statistics_region_only_its_place_is_known(script: Any) -> None:
    answers = {
        (0x11, 0x0, None): bytes.fromhex("01000300"),
        # One domain; address 0x1_8000_0000, 0x200 bytes.
        (0x11, 0x1, None): bytes.fromhex("01000000 00000080 01000000 00020000"),
    }
    output = script(answers).run("power stats")
    assert output.records == [
        {
            "address": 0x180000000,
            "length_bytes": 0x200,
            "shared_memory_id": 1,
        }
    ]


# --- setting --------------------------------------------------------------------------------------


def test_setting_waits_for_the_state_and_prints_it(one: Any) -> None:
    row = one.json("power set gpu off -y")
    assert row == {"id": 0, "name": "gpu", "state": "off", "raw_state": 0x40000000}
    assert one.json("power get gpu")["state"] == "off"
    assert one.json("power set gpu on")["state"] == "on"


def test_the_request_has_the_bytes_of_the_reference(one: Any) -> None:
    one.json("power set 3 off -y")
    assert "04 44 00 00 00 00 00 00 03 00 00 00 00 00 00 40" in one.requests()


def test_a_state_of_the_platforms_own_is_set_by_number(one: Any) -> None:
    assert one.json("power set 3 0")["raw_state"] == 0
    assert one.json("power set 3 0x7") == {
        "id": 3, "name": "video-codec-cluster", "state": "0x7", "raw_state": 7,
    }  # fmt: skip
    error, _ = one.fails("power set 3 0x8")
    assert (error.exit_code, error.name) == (22, "INVALID_PARAMETERS")
    assert one.json("power get 3")["raw_state"] == 7


@pytest.mark.parametrize("state", ["of", "ON", "-1", "0x100000000", "1.5"])
def test_a_state_that_cannot_be_is_a_usage_error_before_anything_is_sent(
    one: Any, state: str
) -> None:
    error, _ = one.fails(f"power set gpu {state}")
    assert isinstance(error, UsageError)
    assert one.frames == []


def test_a_word_that_is_no_state_is_told_the_states_there_are(one: Any) -> None:
    error, _ = one.fails("power set gpu of")
    assert "'of', expected one of: on, off, 0x…" in error.message


@pytest.mark.parametrize("state", ["off", "0x40000001"])
def test_losing_the_context_is_asked_about(power: Callable[..., Any], state: str) -> None:
    console = power()
    error, _ = console.fails(f"power set gpu {state}")
    assert isinstance(error, Refused)
    assert "power domain 0 (gpu) loses its context" in error.message
    console = power(answers="n\n")
    error, _ = console.fails("power set gpu off")
    assert isinstance(error, Refused)
    assert console.json("power get gpu")["state"] == "on"
    console = power(answers="y\n")
    console.text("power set gpu off")
    assert console.json("power get gpu")["state"] == "off"


def test_a_read_only_connection_sets_nothing(one: Any) -> None:
    for words in ("off -y", "on", "on --async"):
        error, _ = one.fails(f"power set display {words} -r")
        assert isinstance(error, Refused), words
    assert one.json("power get display")["state"] == "off"


def test_a_dry_run_by_number_and_version_sends_nothing_at_all(one: Any) -> None:
    assert one.json("power set 3 off --async --dry-run --proto power=3.1") == [
        {
            "message": "POWER_STATE_SET",
            "request": "04 44 00 00 01 00 00 00 03 00 00 00 00 00 00 40",
        }
    ]
    assert one.frames == []


def test_of_several_domains_those_that_refuse_say_so(one: Any) -> None:
    error, rows = one.fails("power set all off -y")
    assert isinstance(error, Partial)
    assert [(row["state"], row.get("error")) for row in rows] == [
        ("off", None), ("off", None), ("off", None), ("off", None), ("on", "NOT_SUPPORTED"),
        ("on", "NOT_SUPPORTED"), ("on", "GENERIC_ERROR"),
    ]  # fmt: skip


def test_a_domain_is_only_set_in_the_ways_it_says(one: Any) -> None:
    for line, says in [
        ("power set radio off -y", "has only asynchronous changes"),
        ("power set 3 on --async", "has no asynchronous changes"),
        ("power set rom off -y", "cannot be set by this agent"),
    ]:
        error, _ = one.fails(line)
        assert isinstance(error, NotOffered)
        assert says in error.message
    assert not any(text.startswith("04 44") for text in one.requests())


def test_a_transition_that_fails_is_the_platforms_status(one: Any) -> None:
    error, _ = one.fails("power set modem off -y")
    assert (error.exit_code, error.name) == (28, "GENERIC_ERROR")


def test_a_shared_domain_that_another_agent_needs_stays_on_and_that_is_said() -> None:
    platform = Platform.from_text(
        '[[agent]]\nname = "main"\n[[agent]]\nname = "guest"\n'
        '[[power]]\nname = "bus"\nshared = true\n'
    )
    said: list[str] = []
    invocation = parse(["power", "set", "bus", "off"])
    assert isinstance(invocation, Invocation) and invocation.command is not None
    assert invocation.command.run is not None
    guest = Agent(InProcess(platform.attach("guest")))
    with Agent(InProcess(platform.attach("main"))) as agent, guest:
        guest.call(protocol.StateSet(domain_id=0, power_state=protocol.PowerState(0)))
        ctx = Context(lambda: agent, notice=said.append)
        ctx.yes = True
        output = invocation.command.run(ctx, invocation.arguments)
    assert isinstance(output, Rows)
    assert output.records[0]["state"] == "on"
    assert said[1:] == [
        "power domain 0 (bus) is on, not off: another agent needs it, or has changed it since"
    ]


# --- without waiting ------------------------------------------------------------------------------


def test_an_asynchronous_change_is_accepted_first_and_shown_when_it_is_there(one: Any) -> None:
    accepted, done = one.lines("power set radio off --async -y")
    assert accepted == {
        "id": 4, "name": "radio", "state": None, "raw_state": None, "accepted": True,
    }  # fmt: skip
    assert done == {"id": 4, "name": "radio", "state": "off", "raw_state": 0x40000000}


def test_several_are_all_accepted_before_the_first_is_shown(one: Any) -> None:
    error, rows = one.fails("power set [grv]* on --async")
    assert isinstance(error, Partial)
    assert [(row["name"], row.get("accepted"), row.get("error")) for row in rows] == [
        ("gpu", True, None), ("radio", True, None),
        ("gpu", None, None), ("video-codec-cluster", None, "NOT_SUPPORTED"),
        ("radio", None, None), ("rom", None, "NOT_SUPPORTED"),
    ]  # fmt: skip


def test_a_change_that_does_not_come_is_a_timeout(one: Any) -> None:
    error, rows = one.fails("power set gpu off --async -y --delayed-timeout 5ms")
    assert isinstance(error, TransferTimeout)
    assert error.exit_code == 4
    assert "power domain 0 (gpu) is still on after 0.005 s, expected off" in error.message
    assert [row.get("accepted") for row in rows] == [True]


def test_while_a_change_goes_on_another_is_busy_and_can_be_tried_again(one: Any) -> None:
    one.fails("power set gpu off --async -y --delayed-timeout 1ms")
    error, _ = one.fails("power set gpu on")
    assert (error.exit_code, error.name) == (26, "BUSY")
    assert one.json("power set gpu on --retry-busy 20")["state"] == "on"


def test_without_a_way_back_there_are_no_asynchronous_changes(power: Callable[..., Any]) -> None:
    console = power(query="?features=-p2a")
    error, _ = console.fails("power set gpu off --async -y")
    assert isinstance(error, NotOffered)
    assert console.json("power set gpu off -y")["state"] == "off"


# --- watching -------------------------------------------------------------------------------------


def test_changes_are_watched_with_their_states(one: Any) -> None:
    one.text("subscribe POWER_STATE_CHANGED gpu")
    one.text("power set gpu off -y")
    (record,) = one.lines("power watch gpu -n 1 --for 5s")
    assert (record["event"], record["agent_id"]) == ("POWER_STATE_CHANGED", 1)
    assert record["fields"] == {
        "agent_id": 1, "domain_id": 0,
        "power_state": {"state_id": 0, "state_type": "context_lost"},
    }  # fmt: skip
    assert [record[key] for key in ("id", "name", "state", "raw_state")] == [
        0, "gpu", "off", 0x40000000,
    ]  # fmt: skip


def test_a_watch_shows_the_state_and_who_caused_it(one: Any) -> None:
    one.text("subscribe POWER_STATE_CHANGED gpu")
    one.text("power set gpu off -y")
    heading, row = one.text("power watch gpu -n 1 --for 5s -o plain").splitlines()
    assert heading.split("\t") == ["time", "event", "name", "state", "agent_id"]
    assert row.split("\t")[1:] == ["POWER_STATE_CHANGED", "gpu", "off", "1"]


def test_a_watch_waits_for_a_state(one: Any) -> None:
    one.text("subscribe POWER_STATE_CHANGED")
    for line in ("display on", "gpu off -y", "display off -y"):
        one.text(f"power set {line}")
    records = one.lines("power watch --until state==off --for 5s")
    assert [(record["name"], record["state"]) for record in records] == [
        ("display", "on"), ("gpu", "off"),
    ]  # fmt: skip


def test_a_watch_shows_who_changed_which_domain_to_what(one: Any) -> None:
    one.text("subscribe POWER_STATE_CHANGED gpu")
    one.text("power set gpu off -y")
    heading, line = one.text("power watch gpu -n 1 --for 5s -o plain").splitlines()
    assert heading.split("\t") == ["time", "event", "name", "state", "agent_id"]
    assert line.split("\t")[1:] == ["POWER_STATE_CHANGED", "gpu", "off", "1"]


def test_only_what_says_it_tells_is_watched(one: Any) -> None:
    error, _ = one.fails("power watch 3 -n 1")
    assert isinstance(error, NotOffered)
    error, _ = one.fails("power watch -n 1 --for 1ms")
    assert isinstance(error, CriteriaNotMet)
    on = [text for text in one.requests() if text.startswith("06 44 00 00")]
    assert {text[12:14] for text in on} == {"00", "01", "02", "04", "05", "06"}
    assert len(on) == 12, "each is switched off again"


@pytest.mark.parametrize("version", ["2.0", "3.1"])
def test_requests_are_watched_also_before_domains_could_say_that_they_tell_them(
    power: Callable[..., Any], version: str
) -> None:
    console = power(version)
    error, _ = console.fails("power watch gpu --requested -n 1 --for 1ms")
    assert isinstance(error, CriteriaNotMet)
    assert [text[:23] for text in console.requests() if text.startswith("07 44")] == [
        "07 44 00 00 00 00 00 00"
    ] * 2


def test_before_requests_were_told_they_cannot_be_watched(power: Callable[..., Any]) -> None:
    error, _ = power("1.0").fails("power watch --requested -n 1")
    assert isinstance(error, NotOffered)


def test_states_can_be_polled(one: Any) -> None:
    records = one.lines("power watch gpu display --interval 1ms -n 2")
    assert [(record["event"], record["name"], record["state"]) for record in records] == [
        ("POWER_STATE_GET", "gpu", "on"), ("POWER_STATE_GET", "display", "off"),
    ] * 2  # fmt: skip
