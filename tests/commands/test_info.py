"""`info`: one screen about the target, whatever the platform is."""

from __future__ import annotations

import struct
from collections.abc import Callable
from typing import Any

import pytest

from scmictl.errors import NotOffered

BOARD = """
[platform]
vendor = "acme"

[[clock]]
name = "osc"
rates = ["24MHz"]
rate = "24MHz"

[[clock]]
name = "uart"
rates = ["24MHz"]
rate = "24MHz"
"""

BASE, CLOCK = 0x10, 0x14


def word(*numbers: int) -> bytes:
    return struct.pack(f"<{len(numbers)}I", *numbers)


def platform(*protocols: int, **more: Any) -> dict[Any, Any]:
    """A platform of the least kind with these protocols."""
    return {
        (BASE, 0x0, None): word(0x20000),
        (BASE, 0x1, None): word(len(protocols)),
        (BASE, 0x3, None): b"acme".ljust(16, b"\0"),
        (BASE, 0x5, None): word(1),
        (BASE, 0x6, word(0)): word(len(protocols)) + bytes(protocols).ljust(4, b"\0"),
    }


@pytest.fixture
def one(console: Callable[..., Any], board: Callable[[str], str]) -> Any:
    """A console on the board above."""
    return console(board(BOARD))


def test_info_has_the_keys_of_the_contract(one: Any) -> None:
    row = one.json("info")
    assert list(row) == ["target", "transport", "features", "base", "protocols"]
    assert row["target"].endswith("board.toml")
    assert row["transport"]["kind"] == "sim"
    assert row["transport"]["message_size"] == 8192
    assert "version-1" in row["features"]
    assert (row["base"]["vendor"], row["base"]["version"]) == ("acme", "2.1")
    assert row["base"]["agents"] == [{"id": 1, "name": "agent", "self": True}]
    assert list(row["protocols"][0].items())[:3] == [
        ("name", "clock"), ("version", "3.0"), ("count", 2),
    ]  # fmt: skip


def test_features_that_were_declined_are_not_listed(
    console: Callable[..., Any], board: Callable[[str], str]
) -> None:
    row = console(board(BOARD) + "?features=-p2a").json("info")
    assert "p2a" not in row["features"]
    assert row["transport"]["p2a"] is False


def test_protocols_that_we_do_not_speak_are_listed_without_a_count(script: Any) -> None:
    answers = {
        **platform(0x11, 0x1F, 0xC0),
        (0x11, 0x0, None): word(0x30001),
        (0x1F, 0x0, None): word(0x10000),
        (0xC0, 0x0, None): word(0x20005),
    }
    output = script(answers).run("info")
    [row] = output.records
    assert row["protocols"] == [
        {"name": "power", "version": "3.1", "count": None, "id": 0x11},
        {"name": "protocol-0x1f", "version": "1.0", "count": None, "id": 0x1F},
        {"name": "vendor-0xc0", "version": "2.5", "count": None, "id": 0xC0},
    ]
    assert "error" not in row


def test_a_protocol_that_is_listed_and_denied_marks_the_record(script: Any) -> None:
    answers = {**platform(0x14), (CLOCK, 0x0, None): -3, (CLOCK, 0x1, None): -3}
    [row] = script(answers).run("info").records
    assert row["protocols"] == [{"name": "clock", "version": None, "count": None, "id": 0x14}]
    assert row["error"] == "DENIED"


def test_a_platform_that_is_newer_than_we_are_shows_its_own_version(script: Any) -> None:
    answers = {
        **platform(0x14),
        (CLOCK, 0x0, None): word(0x50002),
        (CLOCK, 0x1, None): word(7),
        (CLOCK, 0x2, None): word(0),
    }
    [row] = script(answers).run("info").records
    assert row["protocols"][0]["version"] == "5.2"
    [row] = script(answers).run("clock info").records
    assert row["version"] == "5.2"
    assert row["in_use"].startswith("3.")
    assert row["attributes"]["num_clocks"] == 7


def test_messages_are_there_or_not_and_never_guessed(script: Any) -> None:
    answers = {
        (CLOCK, 0x0, None): word(0x30000),
        (CLOCK, 0x1, None): word(0),
        (CLOCK, 0x2, None): -4,
        (CLOCK, 0x2, word(0x5)): word(0),
        (CLOCK, 0x2, word(0x6)): b"",
    }
    [row] = script(answers).run("clock info").records
    assert row["messages"]["CLOCK_RATE_SET"] is True
    assert row["messages"]["CLOCK_CONFIG_SET"] is False
    assert row["messages"]["CLOCK_RATE_GET"] is None
    assert row["error"] == "REMOTE_PROTOCOL"


def test_a_group_whose_protocol_is_not_there_is_exit_7(script: Any) -> None:
    with pytest.raises(NotOffered, match="no clock protocol"):
        script(platform()).run("clock info")


def test_on_a_terminal_it_fits_one_screen(console: Callable[..., Any]) -> None:
    lines = console("sim:").text("info -o table").splitlines()
    assert len(lines) < 25
    assert max(map(len, lines)) <= 80
