"""`system`: its state, and what it is asked for."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from scmictl.agent import Agent
from scmictl.commands.context import Context
from scmictl.console.parser import Invocation, parse
from scmictl.errors import NotOffered, Refused, StatusError, UsageError
from scmictl.platform import Platform
from scmictl.protocols import system
from scmictl.protocols.common import NotifyEnable
from scmictl.transport.inprocess import InProcess

BOARD = """
[[agent]]
name = "main"
trusted = true
[[agent]]
name = "viewer"
[system]
timeout = "10ms"
states = { hibernate = 0x80000001 }
restrict = ["viewer"]
"""


@pytest.fixture
def one(console: Callable[..., Any], board: Callable[[str], str]) -> Any:
    """A console on the board above."""
    return console(board(BOARD))


@pytest.fixture
def make(console: Callable[..., Any], board: Callable[[str], str]) -> Callable[..., Any]:
    """Return a function that makes consoles on boards with this [system]."""
    return lambda text="", query="": console(board(f"[system]\n{text}\n") + query)


def test_the_state_is_shown_by_name_and_number(one: Any) -> None:
    assert one.json("system get") == {"state": "power_up", "raw_state": 3}
    assert one.text("system get -o plain").split("\n")[0].split("\t") == ["state", "power_up"]


@pytest.mark.parametrize(
    ("word", "state", "raw"),
    [
        ("shutdown", "shutdown", 0), ("cold-reset", "power_up", 3), ("warm-reset", "power_up", 3),
        ("power-up", "power_up", 3), ("suspend", "suspend", 4), ("0x4", "suspend", 4),
        ("0x80000001", "0x80000001", 0x80000001),
    ],
)  # fmt: skip
def test_setting_shows_what_was_asked_for_and_what_became_of_it(
    one: Any, word: str, state: str, raw: int
) -> None:
    record = one.json(f"system set {word} -y")
    assert (record["state"], record["raw_state"], record["graceful"]) == (state, raw, False)
    assert record["requested"] == {"0x4": "suspend"}.get(word, word.replace("-", "_"))
    assert one.json("system get")["raw_state"] == raw


def test_the_request_has_the_words_of_the_reference(one: Any) -> None:
    one.json("system set cold-reset -y")
    one.json("system set shutdown --graceful -y")
    assert [text for text in one.requests() if text.startswith("03 48")] == [
        "03 48 00 00 00 00 00 00 01 00 00 00",
        "03 48 00 00 01 00 00 00 00 00 00 00",
    ]


def test_a_graceful_request_takes_its_time(one: Any) -> None:
    record = one.json("system set shutdown --graceful -y")
    assert (record["requested"], record["graceful"]) == ("shutdown", True)
    assert record["state"] in ("power_up", "shutdown")
    records = one.lines("watch --interval 2ms --until raw_state==0 --for 5s system get")
    assert records[-1]["state"] == "shutdown"


def test_everything_asks_first(
    one: Any, console: Callable[..., Any], board: Callable[[str], str]
) -> None:
    for word in ("shutdown", "power-up", "suspend", "0x80000001"):
        error, _ = one.fails(f"system set {word}")
        assert isinstance(error, Refused)
        assert "the whole system is asked for" in error.message
    error, _ = one.fails("system set shutdown -y -r")
    assert isinstance(error, Refused)
    assert one.json("system get")["state"] == "power_up"
    asked = console(board(BOARD), answers="y\n")
    asked.text("system set suspend")
    assert asked.json("system get")["state"] == "suspend"


@pytest.mark.parametrize("word", ["reboot", "SHUTDOWN", "-1", "0x100000000"])
def test_a_state_that_cannot_be_is_a_usage_error_before_anything_is_sent(
    one: Any, word: str
) -> None:
    error, _ = one.fails(f"system set {word} -y")
    assert isinstance(error, UsageError)
    assert one.frames == []


def test_a_word_that_is_no_state_is_told_the_states_there_are(one: Any) -> None:
    error, _ = one.fails("system set shutdwon -y")
    assert "shutdown, cold-reset, warm-reset, power-up, suspend, 0x…" in error.message
    assert "shutdown" in (error.hint or "")


def test_a_state_can_be_typed_as_it_is_printed(one: Any) -> None:
    one.json("system set suspend -y")
    record = one.json("system set power_up -y")
    assert (record["requested"], record["state"]) == ("power_up", "power_up")


def test_a_dry_run_sends_nothing_at_all(one: Any) -> None:
    assert one.json("system set suspend --graceful --dry-run --proto system=2.1") == [
        {"message": "SYSTEM_POWER_STATE_SET",
         "request": "03 48 00 00 01 00 00 00 04 00 00 00"},
    ]  # fmt: skip
    assert one.frames == []


def test_a_state_that_the_platform_says_it_lacks_is_not_asked_for(
    make: Callable[..., Any],
) -> None:
    console = make("warm_reset = false\nsuspend = false")
    for word in ("warm-reset", "suspend"):
        error, _ = console.fails(f"system set {word} -y")
        assert isinstance(error, NotOffered)
        assert f"no {word}" in error.message
    assert not any(text.startswith("03 48") for text in console.requests())


def test_other_refusals_are_the_platforms(
    console: Callable[..., Any], board: Callable[[str], str]
) -> None:
    viewer = console(board(BOARD) + "?agent=viewer")
    error, _ = viewer.fails("system set shutdown -y")
    assert isinstance(error, StatusError)
    assert (error.exit_code, error.name) == (23, "DENIED")
    error, _ = viewer.fails("system set 0x80000009 -y")
    assert (error.exit_code, error.name) == (21, "NOT_SUPPORTED")
    error, _ = viewer.fails("system set 5 -y")
    assert (error.exit_code, error.name) == (22, "INVALID_PARAMETERS")


def test_a_platform_that_does_not_tell_its_state_can_be_set_all_the_same(
    make: Callable[..., Any],
) -> None:
    console = make("state_get = false")
    error, _ = console.fails("system get")
    assert isinstance(error, NotOffered)
    record = console.json("system set shutdown -y")
    assert record == {
        "state": None, "raw_state": None, "requested": "shutdown", "graceful": False,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("fault", "name"), [("error:GENERIC_ERROR", "GENERIC_ERROR"), ("overdue:400ms", "TIMEOUT")]
)
def test_what_was_asked_for_is_shown_also_if_the_state_cannot_be_read_after_it(
    make: Callable[..., Any], fault: str, name: str
) -> None:
    console = make("", f"?fault={fault}@SYSTEM_POWER_STATE_GET")
    error, rows = console.fails("system set shutdown -y -T 100ms")
    assert error.exit_code == 8
    assert rows == [
        {"state": None, "raw_state": None, "error": name, "requested": "shutdown",
         "graceful": False},
    ]  # fmt: skip


def test_info_says_which_messages_there_are(make: Callable[..., Any]) -> None:
    found = make("state_get = false").json("system info")
    assert found["version"] == "2.1"
    assert found["messages"]["SYSTEM_POWER_STATE_SET"] is True
    assert found["messages"]["SYSTEM_POWER_STATE_GET"] is False
    without = make("", "?features=-p2a").json("system info")
    assert without["messages"]["SYSTEM_POWER_STATE_NOTIFY"] is False


def test_transitions_of_others_are_watched() -> None:
    platform = Platform.from_text("[system]\ntimeout = '7s'\n")
    behaviour: Any = platform.behaviours[system.ID]
    with Agent(InProcess(platform.attach())) as agent:
        agent.call(system.PowerStateNotify(notify_enable=NotifyEnable(1)))
        behaviour.adjust(0, "graceful", "shutdown", agent.waiter.now())
        behaviour.adjust(0, "state", "cold-reset", agent.waiter.now())
        invocation = parse(["system", "watch", "-n", "2", "--for", "5s"])
        assert isinstance(invocation, Invocation) and invocation.command is not None
        assert invocation.command.run is not None
        stream = invocation.command.run(Context(lambda: agent), invocation.arguments)
        records = list(stream.records)  # type: ignore[union-attr]
    assert [(record["event"], record["agent_id"]) for record in records] == [
        ("SYSTEM_POWER_STATE_NOTIFIER", 0)
    ] * 2
    assert [record["fields"] for record in records] == [
        {"agent_id": 0, "flags": {"graceful": True}, "system_state": "shutdown", "timeout": 7000},
        {"agent_id": 0, "flags": {"graceful": False}, "system_state": "cold_reset", "timeout": 0},
    ]


def test_without_notifications_there_is_nothing_to_watch(make: Callable[..., Any]) -> None:
    for board in ({"text": "notify = false"}, {"query": "?features=-p2a"}):
        error, _ = make(**board).fails("system watch -n 1 --for 1s")
        assert isinstance(error, NotOffered)
