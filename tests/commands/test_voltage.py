"""`voltage`: levels and modes, read and set, on simulated and on scripted platforms."""

from __future__ import annotations

import struct
from collections.abc import Callable
from typing import Any

import pytest

from scmictl.agent import Agent
from scmictl.commands.command import Arguments
from scmictl.commands.context import Context
from scmictl.commands.voltage import COMMANDS
from scmictl.errors import (
    NotOffered,
    Partial,
    Refused,
    RemoteProtocolError,
    StatusError,
    UsageError,
)
from scmictl.platform import Platform
from scmictl.transport.inprocess import InProcess

VOLTAGE = 0x17
BOARD = """
[[agent]]
name = "ospm"
[[agent]]
name = "guest"
denied = ["chip"]
[[device]]
name = "chip"
owns = ["voltage:vdd-io"]
[[voltage]]
name = "vdd-cpu"
levels = { lowest = "600mV", highest = "1.1V", step = "12500uV" }
level = "850mV"
enabled = true
[[voltage]]
name = "vdd-gpu"
levels = ["700mV", "850mV", "1V"]
restrict = { ospm = ["level"] }
[[voltage]]
name = "vdd-io"
level = "1.8V"
modes = ["on"]
[[voltage]]
name = "bias-behind-the-back-gate"
levels = { lowest = "-1V", highest = "0V", step = "50mV" }
modes = [0x9, "off"]
"""
KEYS = ["id", "name", "enabled", "level_uv"]


@pytest.fixture
def voltages(console: Callable[..., Any], board: Callable[[str], str]) -> Callable[..., Any]:
    """A function that makes consoles on the board, of any version and with any target options."""

    def make(version: str = "2.1", *, query: str = "", **more: Any) -> Any:
        return console(board(f'[versions]\nvoltage = "{version}"\n{BOARD}') + query, **more)

    return make


@pytest.fixture
def one(voltages: Callable[..., Any]) -> Any:
    return voltages()


def sent(console: Any, message: int) -> list[str]:
    """The payloads of all requests of one message."""
    return [frame[12:] for frame in console.requests() if frame.startswith(f"{message:02x} 5c")]


# --- reading --------------------------------------------------------------------------------------


def test_a_domain_has_the_keys_of_the_contract_first(one: Any) -> None:
    rows = one.json("voltage list")
    assert list(rows[0])[:4] == KEYS
    assert [[row[key] for key in KEYS] for row in rows] == [
        [0, "vdd-cpu", True, 850000],
        [1, "vdd-gpu", False, 700000],
        [2, "vdd-io", True, 1800000],
        [3, "bias-behind-the-back-gate", True, -1000000],
    ]
    assert [row["mode"] for row in rows] == ["on", "off", "on", "0x9"]


def test_one_id_is_an_object_and_a_glob_an_array(one: Any) -> None:
    assert one.json("voltage get vdd-cpu")["level_uv"] == 850000
    assert [row["id"] for row in one.json("voltage get vdd-*")] == [0, 1, 2]
    assert [row["id"] for row in one.json("voltage list *cpu 3")] == [0, 3]


@pytest.mark.parametrize(("version", "name"), [("1.0", "bias-behind-the"), ("2.0", None)])
def test_a_long_name_is_shown_whole_where_the_version_has_it(
    voltages: Callable[..., Any], version: str, name: str | None
) -> None:
    shown = voltages(version).json("voltage show 3")
    assert shown["name"] == (name or "bias-behind-the-back-gate")
    assert shown["async_level_set"] is (name is None)


def test_levels_are_a_range_or_a_list(one: Any) -> None:
    assert one.json("voltage levels vdd-cpu") == {
        "id": 0, "name": "vdd-cpu", "format": "range", "lowest_uv": 600000,
        "highest_uv": 1100000, "step_uv": 12500, "count": None, "levels_uv": None,
    }  # fmt: skip
    found = one.json("voltage levels 1")
    assert (found["format"], found["count"], found["step_uv"]) == ("list", 3, None)
    assert found["levels_uv"] == [700000, 850000, 1000000]
    assert (found["lowest_uv"], found["highest_uv"]) == (700000, 1000000)
    assert one.json("voltage levels 3")["lowest_uv"] == -1000000


def test_show_tells_all_of_it(one: Any) -> None:
    shown = one.json("voltage show vdd-cpu")
    assert [shown[key] for key in KEYS] == [0, "vdd-cpu", True, 850000]
    assert shown["async_level_set"] is True
    assert (shown["levels"]["format"], shown["levels"]["step_uv"]) == ("range", 12500)
    assert "850 mV" in one.text("voltage show vdd-cpu -o table")


def test_levels_of_a_long_list_come_in_as_many_messages_as_the_room_demands(
    console: Callable[..., Any], board: Callable[[str], str]
) -> None:
    text = f'[[voltage]]\nname = "v"\nlevels = {list(range(-50, 50))}\n'
    narrow = console(board(text) + "?message-size=136")
    assert narrow.json("voltage levels v")["levels_uv"] == list(range(-50, 50))
    # 136 bytes hold 31 levels behind header, status and flags.
    assert [int(payload[12:14], 16) for payload in sent(narrow, 4)] == [0, 31, 62, 93]


def test_what_is_not_there_is_the_platforms_answer(one: Any) -> None:
    for line in ("get 99", "show 99", "levels 99", "set 99 1V", "enable 99"):
        error, _ = one.fails(f"voltage {line}")
        assert isinstance(error, StatusError)
        assert error.name == "NOT_FOUND"
    error, _ = one.fails("voltage get vdd")
    assert isinstance(error, UsageError)


def test_a_denied_domain_stays_in_the_list_as_an_error(voltages: Callable[..., Any]) -> None:
    error, rows = voltages(query="?agent=guest").fails("voltage list")
    assert isinstance(error, Partial)
    assert [row.get("error") for row in rows] == [None, None, "NOT_FOUND", None]
    assert [rows[2][key] for key in KEYS] == [2, None, None, None]


def test_a_platform_without_voltages_does_not_offer_them(
    console: Callable[..., Any], board: Callable[[str], str]
) -> None:
    error, _ = console(board('[[clock]]\nname = "c"\nrate = 1\n')).fails("voltage list")
    assert isinstance(error, NotOffered)


def test_there_is_no_watch_because_there_are_no_notifications() -> None:
    assert "watch" not in {command.verb for command in COMMANDS}


# --- writing --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("id", "level", "became", "word"),
    [
        ("0", "0.85V", 850000, "50 f8 0c 00"),
        ("vdd-cpu", "900mV", 900000, "a0 bb 0d 00"),
        ("0", "1100000", 1100000, "e0 c8 10 00"),
        ("0", "612500uV", 612500, "94 58 09 00"),
        ("3", "-850mV", -850000, "b0 07 f3 ff"),
        ("3", "-0.2V", -200000, "c0 f2 fc ff"),
        ("3", "0", 0, "00 00 00 00"),
    ],
)
def test_a_level_is_set_in_any_unit_of_voltage(
    one: Any, id: str, level: str, became: int, word: str
) -> None:
    row = one.json(f"voltage set {id} {level}")
    assert row["level_uv"] == became
    # By the reference: domain, flags 0, and the level in microvolts, signed.
    assert sent(one, 7) == [f"0{row['id']} 00 00 00 00 00 00 00 {word}"]
    assert one.json(f"voltage get {id}")["level_uv"] == became


@pytest.mark.parametrize("level", ["much", "900mA", "0.85", "1.5uV", "3kV", "-2147483649"])
def test_a_level_that_is_none_is_a_usage_error_and_not_sent(one: Any, level: str) -> None:
    error, _ = one.fails(f"voltage set vdd-cpu {level}")
    assert error.exit_code == 2
    assert "LevelSet" not in error.message
    assert sent(one, 7) == []


@pytest.mark.parametrize(
    ("id", "level", "status"),
    [("vdd-cpu", "2V", "INVALID_PARAMETERS"), ("vdd-cpu", "-850mV", "INVALID_PARAMETERS"),
     ("vdd-gpu", "1V", "DENIED"), ("vdd-io", "1.8V", "NOT_SUPPORTED")],
)  # fmt: skip
def test_a_level_that_cannot_be_is_the_platforms_answer(
    one: Any, id: str, level: str, status: str
) -> None:
    error, _ = one.fails(f"voltage set {id} {level}")
    assert isinstance(error, StatusError)
    assert (error.name, error.request) == (status, "VOLTAGE_LEVEL_SET")


def test_of_several_domains_those_that_refuse_say_so(one: Any) -> None:
    error, rows = one.fails("voltage set all 700mV")
    assert isinstance(error, Partial)
    assert error.message == "3 of 4 rows could not be changed"
    assert [row.get("error") for row in rows] == [
        None, "DENIED", "INVALID_PARAMETERS", "INVALID_PARAMETERS",
    ]  # fmt: skip
    assert [row["level_uv"] for row in rows] == [700000, 700000, 1800000, -1000000]


def test_a_domain_is_switched_off_and_on_without_asking(one: Any) -> None:
    off = one.json("voltage disable vdd-cpu")
    assert (off["enabled"], off["mode"], off["level_uv"]) == (False, "off", 850000)
    assert one.json("voltage enable vdd-cpu")["enabled"] is True
    assert sent(one, 5) == ["00 00 00 00 00 00 00 00", "00 00 00 00 07 00 00 00"]


def test_a_mode_that_the_domain_does_not_have_is_the_platforms_answer(one: Any) -> None:
    for line in ("disable vdd-io", "enable 3"):
        error, _ = one.fails(f"voltage {line}")
        assert isinstance(error, StatusError)
        assert error.name == "INVALID_PARAMETERS"


def test_what_is_set_is_so_on_the_platform() -> None:
    platform = Platform.from_text(BOARD)
    verbs = {command.verb: command.run for command in COMMANDS}
    with Agent(InProcess(platform.attach("ospm"))) as agent:
        ctx = Context(lambda: agent)
        for verb, words in (("set", {"id": "0", "level": "1V"}), ("disable", {"id": "0"})):
            run = verbs[verb]
            assert run is not None
            run(ctx, Arguments(words))
    assert platform.behaviours[VOLTAGE].state(0) == {
        "enabled": False, "mode": "off", "level_uv": 1000000,
    }  # fmt: skip


def test_a_read_only_connection_changes_nothing(one: Any) -> None:
    for line in ("set 0 1V", "enable 0", "disable 0"):
        error, _ = one.fails(f"voltage {line} -r")
        assert isinstance(error, Refused), line
    assert one.json("voltage get 0")["level_uv"] == 850000


def test_a_dry_run_by_number_and_version_sends_nothing_at_all(one: Any) -> None:
    rows = one.json("voltage set 3 -850mV --dry-run --proto voltage=2.1")
    assert rows == [
        {
            "message": "VOLTAGE_LEVEL_SET",
            "request": "07 5c 00 00 03 00 00 00 00 00 00 00 b0 07 f3 ff",
        }
    ]
    assert one.frames == []


# --- platforms of other makes ---------------------------------------------------------------------


def scripted(**answers: Any) -> dict[Any, Any]:
    """One domain of version 2.0; the answers by message: mode, level, levels."""
    numbers = {"levels": 0x4, "mode": 0x6, "level": 0x8}
    return {
        (VOLTAGE, 0x0, None): struct.pack("<I", 0x20000),
        (VOLTAGE, 0x1, None): struct.pack("<I", 1),
        (VOLTAGE, 0x3, None): struct.pack("<I16s", 0, b"rail"),
        **{(VOLTAGE, numbers[key], None): answer for key, answer in answers.items()},
    }


def test_a_domain_that_only_describes_its_levels_has_no_mode_and_no_level(script: Any) -> None:
    answers = scripted(levels=struct.pack("<Ii", 1, 900000), mode=-1, level=-1)
    [record] = script(answers).run("voltage list").records
    assert record == {"id": 0, "name": "rail", "enabled": None, "level_uv": None, "mode": None}
    [shown] = script(answers).run("voltage show rail").records
    assert shown["levels"]["levels_uv"] == [900000]
    assert "error" not in shown


def test_a_level_that_cannot_be_read_marks_the_row(script: Any) -> None:
    [record] = script(scripted(mode=struct.pack("<I", 7), level=-9)).run("voltage list").records
    assert (record["enabled"], record["level_uv"]) == (True, None)
    assert record["error"] == "HARDWARE_ERROR"


@pytest.mark.parametrize(
    ("answer", "format", "count"), [(-5, "list", 0), (-1, None, None), (bytes(4), "list", 0)]
)
def test_a_domain_without_levels_has_an_empty_list_or_none(
    script: Any, answer: Any, format: str | None, count: int | None
) -> None:
    [record] = script(scripted(levels=answer)).run("voltage levels all").records
    assert (record["format"], record["count"]) == (format, count)
    assert "error" not in record


def test_a_range_that_is_not_three_values_is_the_platforms_fault(script: Any) -> None:
    answer = struct.pack("<Iii", 1 << 12 | 2, 1, 2)
    [record] = script(scripted(levels=answer)).run("voltage levels all").records
    assert (record["format"], record["lowest_uv"]) == ("range", None)
    assert record["error"] == RemoteProtocolError("").name


def test_a_list_that_ends_early_keeps_what_came(script: Any) -> None:
    answer = struct.pack("<Iii", 5, 700000, 800000)
    [record] = script(scripted(levels=answer)).run("voltage levels all").records
    assert record["levels_uv"] == [700000, 800000]
    assert record["error"] == RemoteProtocolError("").name
