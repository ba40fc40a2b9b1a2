"""What is read by `clock`, from simulated platforms of every version and from scripted ones."""

from __future__ import annotations

import struct
from collections.abc import Callable
from typing import Any

import pytest

from scmictl.commands import Rows
from scmictl.commands.clock import COMMANDS
from scmictl.commands.forest import tree
from scmictl.errors import (
    NotOffered,
    Partial,
    RemoteProtocolError,
    StatusError,
    UsageError,
)

CLOCK = 0x14
VERSION_3 = {(CLOCK, 0x0, None): struct.pack("<I", 0x30000)}
PARENTS = 1 << 28
"""The attribute bit parent_ids_available."""


def word(*numbers: int) -> bytes:
    return struct.pack(f"<{len(numbers)}I", *numbers)


def described(name: str, attributes: int = 0) -> bytes:
    """A CLOCK_ATTRIBUTES response of 2.0 and later, without its status."""
    return word(attributes) + name.encode().ljust(16, b"\0") + word(0)


@pytest.fixture
def one(clocks: Callable[..., Any]) -> Any:
    """A console on the newest version of the board."""
    return clocks()


# --- list and get ---------------------------------------------------------------------------------


def test_a_clock_has_the_keys_of_the_contract_first(one: Any) -> None:
    first, pll, *_ = one.json("clock list")
    assert list(first)[:5] == ["id", "name", "enabled", "rate_hz", "parent"]
    assert (first["id"], first["name"], first["enabled"]) == (0, "osc", True)
    assert (first["rate_hz"], first["parent"]) == (24000000, None)
    assert (pll["parent"], pll["parent_name"]) == (0, "osc")


def test_a_long_name_is_shown_whole(one: Any) -> None:
    assert one.json("clock get 3")["name"] == "a-clock-with-a-long-name"


def test_a_list_takes_patterns(one: Any) -> None:
    assert [row["id"] for row in one.json("clock list p* 0")] == [1, 4, 0]


def test_one_literal_id_is_an_object_and_a_glob_an_array(one: Any) -> None:
    assert one.json("clock get pll")["rate_hz"] == 800000000
    assert one.json("clock get 0x1")["rate_hz"] == 800000000
    assert [row["name"] for row in one.json("clock get pl*")] == ["pll"]
    assert len(one.json("clock get all")) == 5


def test_an_unknown_name_is_a_usage_error_with_the_candidates(one: Any) -> None:
    error, _ = one.fails("clock get uarf")
    assert isinstance(error, UsageError)
    assert "osc, pll, uart" in error.message
    assert error.hint == "did you mean uart?"


def test_an_id_beyond_the_platforms_is_answered_by_the_platform(one: Any) -> None:
    error, _ = one.fails("clock get 99")
    assert isinstance(error, StatusError)
    assert (error.name, error.exit_code) == ("NOT_FOUND", 24)


def test_a_clock_that_cannot_be_read_stays_in_the_list(clocks: Callable[..., Any]) -> None:
    error, rows = clocks(query="?agent=guest").fails("clock list")
    assert isinstance(error, Partial)
    assert [row.get("error") for row in rows] == [None, None, "NOT_FOUND", None, None]
    assert (rows[2]["id"], rows[2]["name"], rows[2]["rate_hz"]) == (2, None, None)


@pytest.mark.parametrize("version", ["1.0", "2.0"])
def test_an_older_platform_has_no_parents(clocks: Callable[..., Any], version: str) -> None:
    rows = clocks(version).json("clock list")
    assert [row["rate_hz"] for row in rows] == [24000000, 800000000, 12000000, 2000, 1000000]
    assert {row["parent"] for row in rows} == {None}


def test_clocks_are_read_in_bulk(one: Any) -> None:
    one.json("clock list")
    rate_get = [frame for frame in one.frames if frame.data[:1] == b"\x06"]
    assert [frame.outgoing for frame in rate_get] == [True] * 5 + [False] * 5


def test_a_list_shows_what_a_command_before_it_has_changed(one: Any) -> None:
    assert one.json("clock list uart")[0]["enabled"] is False
    one.text("clock enable uart")
    assert one.json("clock list uart")[0]["enabled"] is True


def test_a_platform_without_clocks_is_exit_7(script: Any) -> None:
    with pytest.raises(NotOffered, match="no clock protocol"):
        script({}).run("clock list")


def test_a_rate_that_is_refused_alone_leaves_the_rest_of_its_row(script: Any) -> None:
    platform = script(
        {
            **VERSION_3,
            (CLOCK, 0x1, None): word(1),
            (CLOCK, 0x3, None): described("a", 1),
            (CLOCK, 0x6, None): -3,
        }
    )
    [row] = platform.run("clock list").records
    assert (row["name"], row["enabled"], row["rate_hz"], row["error"]) == (
        "a",
        True,
        None,
        "DENIED",
    )
    with pytest.raises(StatusError, match="DENIED"):
        platform.run("clock get a")


def test_a_2_0_platform_may_leave_out_the_enable_delay(script: Any) -> None:
    # As OP-TEE does: 24 bytes, although 2.0 has 28.
    platform = script(
        {
            (CLOCK, 0x0, None): word(0x20000),
            (CLOCK, 0x1, None): word(1),
            (CLOCK, 0x3, None): described("a", 1)[:-4],
            (CLOCK, 0x4, None): word(0),
            (CLOCK, 0x6, None): word(32768, 0),
        }
    )
    [row] = platform.run("clock show a").records
    assert (row["rate_hz"], row["enable_delay_us"], row.get("error")) == (32768, None, None)


# --- rates ----------------------------------------------------------------------------------------


def test_a_list_of_rates(one: Any) -> None:
    row = one.json("clock rates pll")
    assert row["format"] == "list"
    assert row["rates_hz"] == [600000000, 800000000, 1200000000]
    assert (row["lowest_hz"], row["highest_hz"], row["step_hz"]) == (600000000, 1200000000, None)


def test_a_range_of_rates(one: Any) -> None:
    row = one.json("clock rates uart")
    assert row["format"] == "range"
    assert (row["lowest_hz"], row["highest_hz"], row["step_hz"]) == (1000000, 48000000, 1000000)
    assert row["rates_hz"] is None


def test_rates_over_several_messages_are_read_to_the_end(
    console: Callable[..., Any], board: Callable[[str], str]
) -> None:
    rates = ", ".join(f'"{n}kHz"' for n in range(1, 21))
    text = f'[[clock]]\nname = "many"\nrates = [{rates}]\nrate = "1kHz"\n'
    row = console(board(text) + "?message-size=48").json("clock rates many")
    assert row["rates_hz"] == [1000 * n for n in range(1, 21)]


def rated(first: bytes, **more: Any) -> dict[Any, Any]:
    """A platform with one clock, whose rates begin with ``first``."""
    return {
        **VERSION_3,
        (CLOCK, 0x1, None): word(1),
        (CLOCK, 0x3, None): described("a"),
        (CLOCK, 0x4, word(0, 0)): first,
    }


def test_a_clock_without_rates_may_answer_out_of_range(script: Any) -> None:
    output = script({**rated(b""), (CLOCK, 0x4, word(0, 0)): -5}).run("clock rates a")
    assert output.records[0]["rates_hz"] == []
    assert "error" not in output.records[0]


def test_a_range_of_two_values_is_the_peers_fault(script: Any) -> None:
    first = word(1 << 12 | 2) + struct.pack("<2Q", 1, 2)
    output = script(rated(first)).run("clock rates a")
    assert isinstance(output, Rows)
    assert output.records[0]["format"] == "range"
    assert output.records[0]["error"] == RemoteProtocolError.name


def test_rates_that_were_read_before_an_error_are_kept(script: Any) -> None:
    first = word(5 << 16 | 2) + struct.pack("<2Q", 1, 2)
    output = script(rated(first)).run("clock rates a")
    assert output.records[0]["rates_hz"] == [1, 2]
    assert output.records[0]["error"] == "NOT_SUPPORTED"


def test_a_single_clock_whose_rates_are_refused_is_an_error(script: Any) -> None:
    with pytest.raises(StatusError, match="NOT_SUPPORTED"):
        script({**rated(b""), (CLOCK, 0x4, word(0, 0)): -1}).run("clock rates a")


# --- everything at once ---------------------------------------------------------------------------


def test_show_knows_everything(one: Any) -> None:
    row = one.json("clock show uart")
    assert row["enable_delay_us"] == 250
    assert row["notifications"] == ["rate_changed", "rate_change_requested"]
    assert row["restricted"] is False
    assert row["rates"]["step_hz"] == 1000000
    assert [parent["name"] for parent in row["parents"]] == ["pll", "osc"]
    assert row["permissions"]["state_control_allowed"] is True
    assert row["config"] == {"enabled": False, "duty_cycle_percent": None, "phase": None}
    assert "error" not in row


@pytest.mark.parametrize("version", ["1.0", "2.0"])
def test_show_of_an_older_platform_has_null_for_what_it_lacks(
    clocks: Callable[..., Any], version: str
) -> None:
    row = clocks(version).json("clock show uart")
    assert row["rates"]["lowest_hz"] == 1000000
    assert (row["parents"], row["permissions"], row["config"]) == (None, None, None)
    assert row["enable_delay_us"] == (None if version == "1.0" else 250)


def test_the_tree_stands_below_its_roots(one: Any) -> None:
    rows = one.json("clock tree")
    assert [(row["name"], row["depth"]) for row in rows] == [
        ("osc", 0), ("pll", 1), ("uart", 2), ("a-clock-with-a-long-name", 0), ("pwm", 0),
    ]  # fmt: skip


def test_the_plain_tree_is_indented(one: Any) -> None:
    lines = one.text("clock tree -o plain --no-headers").splitlines()
    assert [line.split("\t")[1] for line in lines[:3]] == ["osc", "  pll", "    uart"]


def test_clocks_that_are_each_others_parents_are_shown_once() -> None:
    rows = [
        {"id": 0, "parent": 1},
        {"id": 1, "parent": 0},
        {"id": 2, "parent": 2},
        {"id": 3, "parent": 9},
        {"id": 4, "parent": 1},
    ]
    assert [(row["id"], row["depth"]) for row in tree(rows)] == [
        (3, 0), (0, 0), (1, 1), (4, 2), (2, 0),
    ]  # fmt: skip


def test_a_chain_of_all_the_clocks_there_can_be_is_no_problem() -> None:
    rows = [{"id": n, "parent": n - 1 if n else None} for n in range(1 << 16)]
    assert tree(rows)[-1]["depth"] == (1 << 16) - 1


def test_info_says_what_the_platform_implements(one: Any) -> None:
    row = one.json("clock info")
    assert (row["name"], row["id"], row["version"]) == ("clock", 20, "3.0")
    assert row["attributes"] == {"num_clocks": 5, "max_async_rate_changes": 8}
    assert row["messages"]["CLOCK_PARENT_SET"] is True


def test_info_does_not_ask_an_old_platform_for_new_messages(clocks: Callable[..., Any]) -> None:
    platform = clocks("1.0")
    messages = platform.json("clock info")["messages"]
    assert messages["CLOCK_RATE_SET"] is True
    assert messages["CLOCK_CONFIG_GET"] is messages["CLOCK_NAME_GET"] is False
    asked = [frame[12:14] for frame in platform.requests() if frame.startswith("02 50")]
    assert asked == ["00", "01", "02", "03", "04", "05", "06", "07"]


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command.verb)
def test_every_verb_is_found_and_helped_with(one: Any, command: Any) -> None:
    text = one.text(f"clock {command.verb} --help")
    assert text.startswith(f"Usage: scmictl clock {command.verb}")
    assert command.help[1:] in " ".join(text.split())
