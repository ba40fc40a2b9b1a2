"""`base`, against the simulated platform and against platforms that lack or twist things."""

from __future__ import annotations

import struct
from collections.abc import Callable
from typing import Any

import pytest

from scmictl.commands.base import COMMANDS
from scmictl.errors import NotOffered, Refused, StatusError, UsageError

BOARD = """
[platform]
vendor = "acme"
sub_vendor = "roadrunner"
implementation_version = 0x10203

[[agent]]
name = "main"
trusted = true

[[agent]]
name = "guest"

[[device]]
id = 7
name = "serial"
owns = ["clock:uart", "sensor:temp"]

[[clock]]
name = "osc"
rates = ["24MHz"]
rate = "24MHz"

[[clock]]
name = "uart"
rates = ["24MHz"]
rate = "24MHz"

[[sensor]]
name = "temp"
type = "degrees_celsius"
value = 40
"""

BASE = 0x10


def word(*numbers: int) -> bytes:
    return struct.pack(f"<{len(numbers)}I", *numbers)


def name(text: str) -> bytes:
    return text.encode().ljust(16, b"\0")


PLATFORM: dict[Any, Any] = {
    (BASE, 0x0, None): word(0x20000),
    (BASE, 0x1, None): word(2 << 8 | 4),
    (BASE, 0x3, None): name("acme"),
    (BASE, 0x5, None): word(3),
    (BASE, 0x6, word(0)): word(3) + bytes((0x13, 0x14, 0x15, 0)),
    (BASE, 0x6, word(3)): word(1) + bytes((0x81, 0, 0, 0)),
    (BASE, 0x7, word(1)): word(1) + name("one"),
    (BASE, 0x7, word(2)): word(2) + name("two"),
    (BASE, 0x7, word(0xFFFFFFFF)): word(2) + name("two"),
    (0x13, 0x0, None): word(0x40000),
    (0x14, 0x0, None): word(0x30000),
    (0x15, 0x0, None): word(0x30001),
    (0x81, 0x0, None): word(0x10007),
}


@pytest.fixture
def one(console: Callable[..., Any], board: Callable[[str], str]) -> Any:
    """A console on the board above."""
    return console(board(BOARD))


# --- reading --------------------------------------------------------------------------------------


def test_info_has_the_keys_of_the_contract_first(one: Any) -> None:
    row = one.json("base info")
    assert list(row)[:6] == [
        "vendor", "sub_vendor", "version", "implementation_version", "agents", "protocols",
    ]  # fmt: skip
    assert (row["vendor"], row["sub_vendor"]) == ("acme", "roadrunner")
    assert (row["version"], row["implementation_version"]) == ("2.1", 0x10203)
    assert [(agent["id"], agent["name"]) for agent in row["agents"]] == [(1, "main"), (2, "guest")]
    clock, sensor = row["protocols"]
    assert clock == {"id": 20, "name": "clock", "version": "3.0"}
    assert (sensor["id"], sensor["name"]) == (21, "sensor")
    assert row["attributes"] == {"num_protocols": 2, "num_agents": 2}
    assert row["messages"]["BASE_DISCOVER_AGENT"] is True


def test_agents_say_who_we_are(console: Callable[..., Any], board: Callable[[str], str]) -> None:
    assert console(board(BOARD) + "?agent=guest").json("base agents") == [
        {"id": 1, "name": "main", "self": False},
        {"id": 2, "name": "guest", "self": True},
    ]


def test_a_1_0_platform_does_not_say_who_we_are(script: Any) -> None:
    platform = script(
        {
            **PLATFORM,
            (BASE, 0x0, None): word(0x10000),
            (BASE, 0x7, word(1)): name("one"),
            (BASE, 0x7, word(2)): name("two"),
        }
    )
    rows = platform.run("base agents").records
    assert rows == [
        {"id": 1, "name": "one", "self": None},
        {"id": 2, "name": "two", "self": None},
    ]
    assert (BASE, 0x7, word(0xFFFFFFFF)) not in platform.asked


def test_protocols_are_listed_by_number_where_they_have_no_name(script: Any) -> None:
    platform = script(PLATFORM)
    rows = platform.run("base protocols").records
    assert rows == [
        {"id": 0x13, "name": "perf", "version": "4.0"},
        {"id": 0x14, "name": "clock", "version": "3.0"},
        {"id": 0x15, "name": "sensor", "version": "3.1"},
        {"id": 0x81, "name": "vendor-0x81", "version": "1.7"},
    ]
    # What is past the end is answered differently by different platforms, so it is not asked for.
    assert [asked for asked in platform.asked if asked[1] == 0x6] == [
        (BASE, 0x6, word(0)),
        (BASE, 0x6, word(3)),
    ]


def test_a_protocol_list_that_ends_early_ends(script: Any) -> None:
    platform = script({**PLATFORM, (BASE, 0x6, word(3)): word(0)})
    assert len(platform.run("base protocols").records) == 3


def test_a_platform_without_agent_discovery_and_sub_vendor_is_told_all_the_same(
    script: Any,
) -> None:
    # As vhost-device-scmi 0.4.0: one protocol, no agents, and NOT_SUPPORTED for the sub-vendor.
    platform = script(
        {
            **PLATFORM,
            (BASE, 0x1, None): word(1),
            (BASE, 0x6, word(0)): word(1) + bytes((0x15, 0, 0, 0)),
        }
    )
    output = platform.run("base info")
    [row] = output.records
    assert (row["sub_vendor"], row["agents"]) == (None, [])
    assert [protocol["name"] for protocol in row["protocols"]] == ["sensor"]
    assert "error" not in row
    assert not any(asked[1] == 0x7 for asked in platform.asked)


def test_a_platform_that_names_no_agents_has_an_empty_list(script: Any) -> None:
    platform = script({**PLATFORM, (BASE, 0x1, None): word(4)})
    assert list(platform.run("base agents").records) == []


def test_what_is_not_read_for_another_reason_marks_the_record(script: Any) -> None:
    platform = script({**PLATFORM, (BASE, 0x3, None): name("acme")[:7], (0x81, 0x0, None): b""})
    [row] = platform.run("base info").records
    assert (row["vendor"], row["protocols"][3]["version"]) == (None, None)
    assert row["error"] == "REMOTE_PROTOCOL"
    assert row["implementation_version"] == 3


# --- permissions ----------------------------------------------------------------------------------


def test_denying_a_device_takes_what_it_owns_from_the_agent(one: Any) -> None:
    assert one.json("base perms device main 7 deny -y") == {
        "agent_id": 1, "agent": "main", "device_id": 7, "access": "deny",
    }  # fmt: skip
    # By the reference: header 0x4009, agent, device, flags 0.
    assert "09 40 00 00 01 00 00 00 07 00 00 00 00 00 00 00" in one.requests()
    error, _ = one.fails("clock get 1")
    assert error.name == "NOT_FOUND"
    one.json("base perms device 1 7 allow")
    assert one.json("clock get 1")["name"] == "uart"


def test_denying_a_protocol_takes_only_that(one: Any) -> None:
    assert one.json("base perms protocol main 7 clock deny -y") == {
        "agent_id": 1, "agent": "main", "device_id": 7, "protocol": "clock", "access": "deny",
    }  # fmt: skip
    assert "0a 40 00 00 01 00 00 00 07 00 00 00 14 00 00 00 00 00 00 00" in one.requests()
    assert one.fails("clock get 1")[0].name == "NOT_FOUND"
    one.json("base perms protocol 1 7 0x14 allow")
    assert one.json("clock get 1")["name"] == "uart"


def test_denying_has_to_be_confirmed_and_allowing_has_not(one: Any) -> None:
    for line in ("device guest 7 deny", "protocol guest 7 sensor deny"):
        error, _ = one.fails(f"base perms {line}")
        assert isinstance(error, Refused)
        assert "agent 2 (guest) loses" in error.message
    one.json("base perms device guest 7 allow")


def test_an_agent_that_may_not_change_permissions_is_denied_by_the_platform(
    console: Callable[..., Any], board: Callable[[str], str]
) -> None:
    error, _ = console(board(BOARD) + "?agent=guest").fails("base perms device main 7 deny -y")
    assert isinstance(error, StatusError)
    assert error.exit_code == 23


@pytest.mark.parametrize(
    ("line", "part"),
    [
        ("perms device nobody 7 deny", "unknown agent 'nobody', expected one of: main, guest"),
        ("perms device * 7 deny", "'*' can mean several agents, expected one"),
        ("perms device main serial deny", "device: found 'serial', expected a number"),
        ("perms device main 7 maybe", "access: unknown value 'maybe'"),
        ("perms protocol main 7 clocks deny", "unknown protocol 'clocks'"),
        ("perms protocol main 7 300 deny", "expected 0 to 0xff"),
        ("reset-agent nobody", "unknown agent 'nobody'"),
    ],
)
def test_words_that_mean_nothing_are_usage_errors(one: Any, line: str, part: str) -> None:
    error, _ = one.fails(f"base {line}")
    assert isinstance(error, UsageError)
    assert part in error.message
    assert not any(frame[:2] in ("09", "0a", "0b") for frame in one.requests())


def test_an_agent_number_nobody_knows_is_the_platforms_to_refuse(one: Any) -> None:
    error, _ = one.fails("base perms device 9 7 allow")
    assert error.name == "NOT_FOUND"


def test_what_the_platform_lacks_is_exit_7(script: Any) -> None:
    for line in ("perms device 1 7 deny", "perms protocol 1 7 clock deny", "reset-agent 1"):
        with pytest.raises(NotOffered):
            script(PLATFORM).run(f"base {line}")


def test_resetting_an_agent_puts_its_settings_back(
    console: Callable[..., Any], board: Callable[[str], str]
) -> None:
    platform = console(board(BOARD))
    platform.text("clock enable uart")
    error, _ = platform.fails("base reset-agent main")
    assert isinstance(error, Refused)
    assert platform.json("base reset-agent main -y") == {
        "agent_id": 1, "agent": "main", "reset": True, "permissions_reset": False,
    }  # fmt: skip
    assert "0b 40 00 00 01 00 00 00 00 00 00 00" in platform.requests()
    assert platform.json("clock get uart")["enabled"] is False


def test_resetting_an_agent_with_its_permissions(one: Any) -> None:
    one.text("base perms device main 7 deny -y")
    one.text("base reset-agent main --permissions -y")
    assert "0b 40 00 00 01 00 00 00 01 00 00 00" in one.requests()
    assert one.json("clock get 1")["name"] == "uart"


def test_a_dry_run_by_number_shows_the_bytes_and_asks_nothing(one: Any) -> None:
    line = "base perms protocol 2 7 clock deny --dry-run --proto base=2.0"
    [row] = one.json(line)
    assert row == {
        "message": "BASE_SET_PROTOCOL_PERMISSIONS",
        "request": "0a 40 00 00 02 00 00 00 07 00 00 00 14 00 00 00 00 00 00 00",
    }
    assert one.frames == []


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command.verb)
def test_every_verb_is_found_and_helped_with(one: Any, command: Any) -> None:
    text = one.text(f"base {command.verb} --help")
    assert text.startswith(f"Usage: scmictl base {command.verb}")
    assert command.help[1:] in " ".join(text.split())
