"""`pinctrl` against simulated platforms: what is read, what is changed, who claims what."""

from __future__ import annotations

import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from scmictl.agent import Agent
from scmictl.commands.context import Context
from scmictl.console.parser import Invocation, parse
from scmictl.errors import NotOffered, Partial, Refused, StatusError, UsageError
from scmictl.platform import Platform
from scmictl.protocols import pinctrl
from scmictl.transport.inprocess import InProcess

BOARD = (Path(__file__).parent / "pins.toml").read_text()
PINCTRL = 0x19
CONFIGURE = "06 64 00 00"


@pytest.fixture
def one(console: Callable[..., Any], board: Callable[[str], str]) -> Any:
    """A console on the board in pins.toml."""
    return console(board(BOARD))


@pytest.fixture
def guest(console: Callable[..., Any], board: Callable[[str], str]) -> Any:
    """The same for the agent that may do less."""
    return console(board(BOARD) + "?agent=guest")


def word(*numbers: int) -> bytes:
    return struct.pack(f"<{len(numbers)}I", *numbers)


# --- list -----------------------------------------------------------------------------------------


def test_a_pin_has_the_keys_of_the_contract_first(one: Any) -> None:
    first, *_ = one.json("pinctrl list pins")
    assert list(first)[:3] == ["id", "kind", "name"]
    assert first == {
        "id": 0,
        "kind": "pin",
        "name": "tx",
        "function": "serial",
        "function_id": 0,
        "elements": 1,
        "gpio": None,
        "pin_only": None,
    }


def test_each_kind_is_listed_with_its_own_numbers(one: Any) -> None:
    def listed(kind: str) -> Any:
        return [(row["id"], row["kind"], row["name"]) for row in one.json(f"pinctrl list {kind}")]

    pins = [
        (0, "pin", "tx"),
        (1, "pin", "rx"),
        (2, "pin", "a-pin-with-a-long-name"),
        (3, "pin", "led"),
    ]
    groups = [(0, "group", "uart"), (1, "group", "leds")]
    functions = [(0, "function", "serial"), (1, "function", "gpio"), (2, "function", "debug")]
    assert (listed("pins"), listed("groups"), listed("functions")) == (pins, groups, functions)
    assert listed("") == pins + groups + functions


def test_functions_say_what_they_are_for(one: Any) -> None:
    serial, gpio, _ = one.json("pinctrl list functions")
    assert (serial["elements"], serial["gpio"], serial["pin_only"]) == (2, False, False)
    assert (gpio["elements"], gpio["gpio"], gpio["pin_only"]) == (2, True, True)
    assert gpio["function"] is None


def test_a_list_takes_patterns_behind_its_kind(one: Any) -> None:
    assert [row["name"] for row in one.json("pinctrl list pins [rt]x led")] == ["tx", "rx", "led"]
    assert [row["name"] for row in one.json("pinctrl list group le*")] == ["leds"]
    error, _ = one.fails("pinctrl list tx")
    assert isinstance(error, UsageError)
    assert "expected one of: pins, groups, functions" in error.message
    error, _ = one.fails("pinctrl list groups tx")
    assert "unknown group 'tx', expected one of: uart, leds" in error.message


def test_a_group_whose_pins_differ_has_no_function(one: Any) -> None:
    assert [row["function"] for row in one.json("pinctrl list groups")] == ["serial", None]


def test_what_an_agent_may_not_see_stays_in_the_list(guest: Any) -> None:
    error, rows = guest.fails("pinctrl list pins")
    assert isinstance(error, Partial)
    assert [row.get("error") for row in rows] == [None, "NOT_FOUND", None, None]
    assert (rows[1]["id"], rows[1]["kind"], rows[1]["name"]) == (1, "pin", None)


def test_pins_are_read_in_bulk(one: Any) -> None:
    one.json("pinctrl list pins")
    asked = [f.outgoing for f in one.frames if f.data[:2] == b"\x05\x64"]
    assert asked == [True] * 4 + [False] * 4


def test_a_platform_without_pins_is_exit_7(script: Any) -> None:
    with pytest.raises(NotOffered, match="no pinctrl protocol"):
        script({}).run("pinctrl list")


# --- show, assoc, config get ----------------------------------------------------------------------


def test_all_that_can_be_known_of_a_pin(one: Any) -> None:
    assert one.json("pinctrl show pin rx") == {
        "id": 1,
        "kind": "pin",
        "name": "rx",
        "function": "serial",
        "function_id": 0,
        "elements": 1,
        "gpio": None,
        "pin_only": None,
        "settings": {"bias_pull_up_ohm": 10000, "vendor_0xc1": 7},
        "groups": [{"id": 0, "name": "uart"}],
        "functions": [],
    }
    assert one.json("pinctrl show pin led")["functions"] == [{"id": 1, "name": "gpio"}]


def test_all_that_can_be_known_of_a_group_and_of_a_function(one: Any) -> None:
    group = one.json("pinctrl show group uart")
    assert group["pins"] == [{"id": 0, "name": "tx"}, {"id": 1, "name": "rx"}]
    assert group["functions"] == [{"id": 0, "name": "serial"}, {"id": 2, "name": "debug"}]
    assert group["settings"] == {"bias_pull_up_ohm": 10000}
    function = one.json("pinctrl show functions serial")
    assert function["groups"] == [{"id": 0, "name": "uart"}, {"id": 1, "name": "leds"}]
    assert "settings" not in function
    assert [row["name"] for row in one.json("pinctrl show group all")] == ["uart", "leds"]


def test_what_is_denied_does_not_hide_what_is_not(guest: Any) -> None:
    pin = guest.json("pinctrl show pin tx")
    assert pin["groups"] == [{"id": 0, "name": "uart"}]
    assert "error" not in pin
    error, rows = guest.fails("pinctrl show pin 1")
    assert (error.exit_code, rows) == (24, [])


def test_associations_are_pins_or_groups(one: Any) -> None:
    assert one.json("pinctrl assoc group uart") == {
        "id": 0,
        "kind": "group",
        "name": "uart",
        "pins": [{"id": 0, "name": "tx"}, {"id": 1, "name": "rx"}],
        "groups": None,
    }
    serial, gpio, debug = one.json("pinctrl assoc function all")
    assert (serial["pins"], [g["name"] for g in serial["groups"]]) == (None, ["uart", "leds"])
    assert [pin["id"] for pin in gpio["pins"]] == [2, 3]
    assert gpio["groups"] is None
    assert debug["groups"] == [{"id": 0, "name": "uart"}]


def test_a_pin_has_no_associations_says_the_platform(one: Any) -> None:
    error, _ = one.fails("pinctrl assoc pin tx")
    assert isinstance(error, StatusError)
    assert (error.name, error.exit_code) == ("NOT_SUPPORTED", 21)


def test_settings_are_named_with_their_units(one: Any) -> None:
    assert one.json("pinctrl config get pin tx") == {
        "id": 0,
        "kind": "pin",
        "name": "tx",
        "function": "serial",
        "function_id": 0,
        "settings": {"bias_pull_up_ohm": 10000, "drive_strength_ma": 4},
    }
    assert one.json("pinctrl config get group uart")["settings"] == {"bias_pull_up_ohm": 10000}
    assert [row["name"] for row in one.json("pinctrl config get pin ?x")] == ["tx", "rx"]


def test_settings_that_take_several_messages_are_put_together(script: Any) -> None:
    all_settings = 1 << 18
    platform = script(
        {
            (PINCTRL, 0x0, None): word(0x10000),
            (PINCTRL, 0x1, None): word(1, 0),
            (PINCTRL, 0x2, None): word(0),
            (PINCTRL, 0x3, None): word(1) + b"a".ljust(16, b"\0"),
            (PINCTRL, 0x5, word(0, all_settings)): word(0xFFFFFFFF, 1 << 24 | 1, 4, 100),
            (PINCTRL, 0x5, word(0, all_settings | 1 << 8)): word(0xFFFFFFFF, 1, 0xC0, 5),
        }
    )
    [row] = platform.run("pinctrl config get pin a").records
    assert row["settings"] == {"bias_pull_up_ohm": 100, "vendor_0xc0": 5}
    assert (row["function"], row["function_id"]) == (None, None)


def test_a_platform_that_lies_about_its_settings_keeps_the_good_ones(script: Any) -> None:
    platform = script(
        {
            (PINCTRL, 0x0, None): word(0x10000),
            (PINCTRL, 0x1, None): word(1, 0),
            (PINCTRL, 0x2, None): word(0),
            (PINCTRL, 0x3, None): word(1) + b"a".ljust(16, b"\0"),
            (PINCTRL, 0x5, None): word(0xFFFFFFFF, 9 << 24 | 1, 4, 100),
        }
    )
    [row] = platform.run("pinctrl config get pin a").records
    assert row["settings"] == {"bias_pull_up_ohm": 100}
    assert row["error"] == "REMOTE_PROTOCOL"


def test_a_platform_without_associations_is_exit_7(
    console: Callable[..., Any], board: Callable[[str], str]
) -> None:
    pins = console(board('[[pinctrl.pin]]\nname = "a"\n'))
    error, _ = pins.fails("pinctrl assoc group 0")
    assert isinstance(error, NotOffered)
    shown = pins.json("pinctrl show pin a")
    assert shown["settings"] == {}
    assert "groups" not in shown


# --- config set -----------------------------------------------------------------------------------


def test_settings_are_sent_in_one_message_by_type_and_read_back(one: Any) -> None:
    line = "pinctrl config set pin tx 0xc1=0x10 drive-strength=8mA bias_pull_down=50kohm"
    error, _ = one.fails(line)
    assert error.exit_code == 21  # only rx has the vendor's type
    row = one.json("pinctrl config set pin rx 0xc1=0x10 drive-strength=8mA bias_pull_down=50kohm")
    assert row["settings"] == {
        "bias_pull_down_ohm": 50000,
        "drive_strength_ma": 8,
        "vendor_0xc1": 16,
    }
    # Three settings of a pin (bits 9:2 and 1:0), in ascending order of their types.
    sent = [request for request in one.requests() if request.startswith(CONFIGURE)]
    assert sent[1:] == [
        f"{CONFIGURE} 01 00 00 00 ff ff ff ff 0c 00 00 00 "
        "06 00 00 00 50 c3 00 00 0a 00 00 00 08 00 00 00 c1 00 00 00 10 00 00 00"
    ]
    assert one.json("pinctrl config get pin tx")["settings"]["bias_pull_up_ohm"] == 10000


def test_a_group_sets_all_its_pins(one: Any) -> None:
    one.text("pinctrl config set group uart slew-rate=2 bias-disable=on")
    for pin in one.json("pinctrl config get pin ?x"):
        assert pin["settings"]["slew_rate"] == 2
        assert pin["settings"]["bias_disable"] == 1


def test_of_several_pins_those_that_refuse_say_so(one: Any) -> None:
    error, rows = one.fails("pinctrl config set pin * bias-disable=on")
    assert isinstance(error, Partial)
    assert [row.get("error") for row in rows] == [None, None, None, "NOT_SUPPORTED"]
    assert rows[0]["settings"] == {"bias_disable": 1, "drive_strength_ma": 4}


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ("drive-strength", "expected TYPE=VALUE"),
        ("drive-strength=4V", "found the unit 'V'"),
        ("drive-strength=on", "expected a number"),
        ("drive-strength=-1", "expected 0 to 0xffffffff"),
        ("drive-strength=0x100000000", "expected 0 to 0xffffffff"),
        ("drive-strenght=4", "did you mean drive_strength?"),
        ("0x100=4", "expected 0 to 0xff"),
        ("slew-rate=1 slew_rate=2", "found slew-rate twice"),
    ],
)
def test_a_setting_that_cannot_be_is_a_usage_error_before_anything_is_sent(
    one: Any, setting: str, message: str
) -> None:
    error, _ = one.fails(f"pinctrl config set pin tx {setting}")
    assert error.exit_code == 2
    assert message in f"{error.message} {error.hint}"
    assert one.frames == []


@pytest.mark.parametrize("verb", ["config get", "config set", "select", "request", "release"])
def test_a_function_has_no_settings_and_no_claims(one: Any, verb: str) -> None:
    more = {"config set": " slew-rate=1", "select": " gpio"}.get(verb, "")
    error, _ = one.fails(f"pinctrl {verb} function gpio{more}")
    assert isinstance(error, UsageError)
    assert "expected one of: pin, group" in error.message
    error, _ = one.fails(f"pinctrl {verb} clock gpio{more}")
    assert "unknown kind 'clock', expected one of: pin, group" in error.message
    assert one.frames == []


def test_a_dry_run_by_number_sends_nothing_at_all(one: Any) -> None:
    line = "pinctrl config set group 1 drive-strength=4 --dry-run --proto pinctrl=1.0"
    assert one.json(line) == [
        {
            "message": "PINCTRL_SETTINGS_CONFIGURE",
            "request": f"{CONFIGURE} 01 00 00 00 ff ff ff ff 05 00 00 00 0a 00 00 00 04 00 00 00",
        }
    ]
    assert one.frames == []


def test_a_read_only_connection_changes_nothing(one: Any) -> None:
    for line in (
        "config set pin tx slew-rate=1",
        "select pin led gpio",
        "request pin tx",
        "release pin tx",
    ):
        error, _ = one.fails(f"pinctrl {line} -r")
        assert isinstance(error, Refused), line
    assert "slew_rate" not in one.json("pinctrl config get pin tx")["settings"]


# --- select ---------------------------------------------------------------------------------------


def test_a_function_is_selected_by_name_or_number_and_taken_away(one: Any) -> None:
    row = one.json("pinctrl select group uart debug")
    assert (row["kind"], row["function"], row["function_id"]) == ("group", "debug", 2)
    assert one.json("pinctrl list pins tx")[0]["function"] == "debug"
    assert one.json("pinctrl select group uart 0")["function"] == "serial"
    assert one.json("pinctrl select group uart none")["function"] is None
    # The bit function_valid (10), without settings.
    assert f"{CONFIGURE} 00 00 00 00 ff ff ff ff 01 04 00 00" in one.requests()


def test_a_function_that_does_not_go_there_is_the_platforms_answer(one: Any) -> None:
    error, _ = one.fails("pinctrl select pin led serial")
    assert (error.name, error.exit_code) == ("NOT_SUPPORTED", 21)
    error, _ = one.fails("pinctrl select pin led 99")
    assert (error.name, error.exit_code) == ("NOT_FOUND", 24)
    error, _ = one.fails("pinctrl select pin led gpios")
    assert error.hint == "did you mean gpio?"


# --- claims ---------------------------------------------------------------------------------------


def run(platform: Platform, agent: str, line: str) -> Any:
    """Run a command as one of the agents of a platform, and return its only record."""
    invocation = parse(line.split())
    assert isinstance(invocation, Invocation)
    command = invocation.command
    assert command is not None and command.run is not None
    with Agent(InProcess(platform.attach(agent))) as connected:
        output: Any = command.run(Context(lambda: connected), invocation.arguments)
    [record] = output.records
    return record


def test_what_is_claimed_is_in_use_for_another_agent_until_it_is_released() -> None:
    platform = Platform.from_text(BOARD)
    claimed = run(platform, "main", "pinctrl request group uart")
    assert (claimed["id"], claimed["kind"], claimed["claimed"]) == (0, "group", True)
    pads = platform.behaviours[pinctrl.ID].pads  # type: ignore[attr-defined]
    assert [pin.owner for pin in pads.pins] == [1, 1, None, None]
    for line in ("request pin tx", "config set pin tx slew-rate=1", "release pin tx"):
        with pytest.raises(StatusError) as raised:
            run(platform, "guest", f"pinctrl {line}")
        assert (raised.value.name, raised.value.exit_code) == ("IN_USE", 31)
    assert run(platform, "main", "pinctrl release group uart")["claimed"] is False
    assert run(platform, "guest", "pinctrl request pin tx")["claimed"] is True
    assert pads.pins[0].owner == 2


def test_of_several_pins_only_those_are_claimed_that_may_be(guest: Any) -> None:
    error, rows = guest.fails("pinctrl request pin *")
    assert isinstance(error, Partial)
    assert [(row["claimed"], row.get("error")) for row in rows] == [
        (True, None),
        (None, "NOT_FOUND"),
        (True, None),
        (None, "DENIED"),
    ]
    error, _ = guest.fails("pinctrl request group uart")
    assert (error.name, error.exit_code) == ("DENIED", 23)


def test_an_id_beyond_the_platforms_is_answered_by_the_platform(one: Any) -> None:
    for line in ("show pin 99", "request group 99", "release pin 0x63", "config get group 2"):
        error, _ = one.fails(f"pinctrl {line}")
        assert (error.name, error.exit_code) == ("NOT_FOUND", 24), line


# --- every message by its name --------------------------------------------------------------------


def test_the_messages_can_be_called_with_enumerations_by_name(one: Any) -> None:
    fields = one.json(
        "call PINCTRL_SETTINGS_GET identifier=0 attributes.config_flag=all attributes.selector=pin"
    )["fields"]
    assert fields["function_selected"] == 0
    assert fields["configs"] == [
        {"type": "bias_pull_up", "value": 10000},
        {"type": "drive_strength", "value": 4},
    ]
    called = one.json("call pinctrl.PINCTRL_ATTRIBUTES identifier=1 flags.selector=function")
    assert called["fields"]["attributes"]["gpio_function"] is True


def test_the_group_says_what_the_platform_has(one: Any) -> None:
    info = one.json("pinctrl info")
    assert info["attributes_low"] == {"num_pins": 4, "num_groups": 2}
    assert info["messages"]["PINCTRL_LIST_ASSOCIATIONS"] is True
    assert info["messages"]["PINCTRL_SET_PERMISSIONS"] is False
    [counted] = [p for p in one.json("info")["protocols"] if p["name"] == "pinctrl"]
    assert (counted["version"], counted["count"]) == ("1.0", 4)


def test_a_board_counts_its_pins(tmp_path: Path, console: Callable[..., Any]) -> None:
    (tmp_path / "pins.toml").write_text(BOARD)
    checked = console().json(f"board check {tmp_path / 'pins.toml'}")
    assert checked["counts"] == {"pinctrl": 4, "pinctrl.group": 2, "pinctrl.function": 3}
