"""`reset`: what is listed, resets and held signals, and who is told of them."""

from __future__ import annotations

import struct
from collections.abc import Callable
from typing import Any

import pytest

from scmictl.agent import Agent
from scmictl.commands import Rows, Stream
from scmictl.commands.context import Context
from scmictl.console.parser import Invocation, parse
from scmictl.errors import NotOffered, Partial, Refused, StatusError, UsageError
from scmictl.platform import Platform
from scmictl.protocols import reset
from scmictl.protocols.common import NotifyEnable
from scmictl.transport.inprocess import InProcess

RESET = 0x16
BOARD = """
[[agent]]
name = "ospm"
[[agent]]
name = "guest"
denied = ["serial"]
[[device]]
name = "serial"
owns = ["reset:uart"]
[[reset]]
name = "pcie"
latency = "10us"
[[reset]]
name = "a-domain-with-a-long-name"
latency = "2ms"
[[reset]]
name = "uart"
async = false
notify = false
restrict = ["ospm"]
"""


@pytest.fixture
def resets(console: Callable[..., Any], board: Callable[[str], str]) -> Callable[..., Any]:
    """A function that makes consoles on the board, of any version and with any target options."""

    def make(version: str = "3.1", *, query: str = "", **more: Any) -> Any:
        return console(board(f'[versions]\nreset = "{version}"\n{BOARD}') + query, **more)

    return make


@pytest.fixture
def one(resets: Callable[..., Any]) -> Any:
    return resets()


def sent(console: Any) -> list[str]:
    """The RESET requests: domain, flags and reset state."""
    return [frame[12:] for frame in console.requests() if frame.startswith("04 58")]


def run(agent: Agent, line: str) -> Any:
    """Run a command for one agent of a platform that others use too."""
    invocation = parse(line.split())
    assert isinstance(invocation, Invocation)
    command = invocation.command
    assert command is not None and command.run is not None
    ctx = Context(lambda: agent)
    ctx.yes = True
    return command.run(ctx, invocation.arguments)


# --- reading --------------------------------------------------------------------------------------


def test_a_domain_has_the_keys_of_the_contract_first(one: Any) -> None:
    first, _, last = one.json("reset list")
    assert list(first)[:3] == ["id", "name", "latency_us"]
    assert first == {
        "id": 0, "name": "pcie", "latency_us": 10, "async": True, "notifications": True,
    }  # fmt: skip
    assert (last["latency_us"], last["async"], last["notifications"]) == (None, False, False)


@pytest.mark.parametrize(("version", "name"), [("1.0", "a-domain-with-a"), ("3.0", "")])
def test_a_long_name_is_shown_whole_where_the_version_has_it(
    resets: Callable[..., Any], version: str, name: str
) -> None:
    shown = resets(version).json("reset show 1")
    assert (shown["name"], shown["latency_us"]) == (name or "a-domain-with-a-long-name", 2000)


def test_a_list_takes_patterns_and_one_id_is_an_object(one: Any) -> None:
    assert [row["id"] for row in one.json("reset list u* 0")] == [2, 0]
    assert one.json("reset show PCIE")["id"] == 0
    assert [row["id"] for row in one.json("reset show all")] == [0, 1, 2]


def test_an_id_beyond_the_platforms_is_answered_by_the_platform(one: Any) -> None:
    for verb in ("show", "deassert"):
        error, _ = one.fails(f"reset {verb} 99")
        assert isinstance(error, StatusError)
        assert (error.name, error.exit_code) == ("NOT_FOUND", 24)
    error, _ = one.fails("reset show pci")
    assert isinstance(error, UsageError)
    assert error.hint == "did you mean pcie?"


def test_a_denied_domain_stays_in_the_list_as_an_error(resets: Callable[..., Any]) -> None:
    error, rows = resets(query="?agent=guest").fails("reset list")
    assert isinstance(error, Partial)
    assert [row.get("error") for row in rows] == [None, None, "NOT_FOUND"]
    assert rows[2] == {
        "id": 2, "name": None, "latency_us": None, "async": None, "notifications": None,
        "error": "NOT_FOUND",
    }  # fmt: skip


def test_a_list_is_read_once_and_in_bulk(one: Any) -> None:
    one.json("reset list")
    assert len([frame for frame in one.requests() if frame.startswith("03 58")]) == 3


def test_info_counts_the_domains(one: Any) -> None:
    shown = one.json("reset info")
    assert (shown["version"], shown["attributes"]) == ("3.1", {"num_reset_domains": 3})


def test_a_platform_without_resets_does_not_offer_them(
    console: Callable[..., Any], board: Callable[[str], str]
) -> None:
    target = board('[[clock]]\nname = "c"\nrate = 1\n')
    for verb in ("list", "pulse 0 -y", "watch"):
        error, _ = console(target).fails(f"reset {verb}")
        assert isinstance(error, NotOffered)


# --- resets ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(("verb", "flags"), [("deassert", "00"), ("pulse", "01"), ("assert", "02")])
def test_each_verb_sends_its_flags_and_prints_the_domain(one: Any, verb: str, flags: str) -> None:
    row = one.json(f"reset {verb} pcie -y")
    assert (row["id"], row["name"], row["latency_us"]) == (0, "pcie", 10)
    # By the reference: domain, flags, and the state of a cold reset.
    assert sent(one) == [f"00 00 00 00 {flags} 00 00 00 00 00 00 00"]


@pytest.mark.parametrize("verb", ["assert pcie", "pulse pcie", "pulse pcie --async"])
def test_what_puts_a_domain_into_reset_asks_first(resets: Callable[..., Any], verb: str) -> None:
    silent = resets()
    error, _ = silent.fails(f"reset {verb}")
    assert isinstance(error, Refused)
    assert error.message == (
        "reset domain 0 (pcie) goes into reset: what is in it stops: not confirmed"
    )
    assert sent(silent) == []
    asked = resets(answers="n\n")
    error, _ = asked.fails(f"reset {verb}")
    assert isinstance(error, Refused)
    assert sent(asked) == []
    agreed = resets(answers="y\n")
    agreed.text(f"reset {verb}")
    assert len(sent(agreed)) == 1


def test_a_deassertion_does_not_ask(one: Any) -> None:
    assert one.json("reset deassert pcie")["id"] == 0


def test_a_read_only_connection_resets_nothing(one: Any) -> None:
    for verb in ("assert", "deassert", "pulse"):
        error, _ = one.fails(f"reset {verb} pcie -r -y")
        assert isinstance(error, Refused), verb
    assert sent(one) == []


def test_a_dry_run_by_number_sends_nothing_at_all(one: Any) -> None:
    [row] = one.json("reset pulse 4 --async --dry-run --proto reset=3.1")
    assert row == {
        "message": "RESET",
        "request": "04 58 00 00 04 00 00 00 05 00 00 00 00 00 00 00",
    }
    assert one.frames == []


def test_what_is_held_and_let_go_is_so_on_the_platform() -> None:
    platform = Platform.from_text(BOARD)
    behaviour = platform.behaviours[RESET]
    with Agent(InProcess(platform.attach("ospm"))) as agent:
        output = run(agent, "reset assert pcie")
        assert isinstance(output, Rows)
        assert (output.many, output.records[0]["id"]) == (False, 0)
        assert behaviour.state(0)["held_by"] == "ospm"
        run(agent, "reset deassert pcie")
        run(agent, "reset pulse pcie")
        assert (behaviour.state(0)["state"], behaviour.state(0)["resets"]) == ("deasserted", 2)
        stream = run(agent, "reset pulse 1 --async")
        assert isinstance(stream, Stream)
        assert next(stream.records)["accepted"] is True
        assert "accepted" not in next(stream.records)
        assert behaviour.state(1)["resets"] == 1


def test_of_several_domains_those_that_refuse_say_so(one: Any) -> None:
    error, rows = one.fails("reset pulse * -y")
    assert isinstance(error, Partial)
    assert [row.get("error") for row in rows] == [None, None, "DENIED"]
    error, _ = one.fails("reset pulse uart -y")
    assert isinstance(error, StatusError)
    assert (error.name, error.exit_code, error.request) == ("DENIED", 23, "RESET")


# --- asynchronous resets --------------------------------------------------------------------------


def test_an_asynchronous_reset_is_accepted_first_and_shown_when_it_is_done(one: Any) -> None:
    accepted, done = one.lines("reset pulse 1 --async -y")
    assert (accepted["id"], accepted["accepted"]) == (1, True)
    assert (done["id"], done["latency_us"]) == (1, 2000)
    assert "accepted" not in done
    assert set(accepted) == {*done, "accepted"}


def test_one_domain_without_asynchronous_resets_does_not_offer_them(
    one: Any, resets: Callable[..., Any]
) -> None:
    error, _ = one.fails("reset pulse uart --async -y")
    assert isinstance(error, NotOffered)
    error, _ = resets(query="?features=-p2a").fails("reset pulse pcie --async -y")
    assert isinstance(error, NotOffered)
    assert sent(one) == []


def test_of_several_asynchronous_resets_those_that_are_refused_say_so(one: Any) -> None:
    error, rows = one.fails("reset pulse all --async -y")
    assert isinstance(error, Partial)
    assert error.message == "1 of 3 domains could not be reset"
    assert [(row["id"], row.get("accepted"), row.get("error")) for row in rows] == [
        (0, True, None), (1, True, None), (0, None, None), (1, None, None),
        (2, None, "NOT_SUPPORTED"),
    ]  # fmt: skip


# --- watch ----------------------------------------------------------------------------------------


def test_a_watch_streams_the_resets_of_the_domains_that_tell_them(one: Any) -> None:
    one.text("subscribe RESET_ISSUED pcie")
    one.text("reset pulse pcie -y")
    (record,) = one.lines("reset watch -n 1")
    assert (record["protocol"], record["event"], record["agent_id"]) == ("reset", "RESET_ISSUED", 1)
    assert record["fields"] == {
        "agent_id": 1, "domain_id": 0,
        "reset_state": {"reset_type": "architectural", "reset_id": 0},
    }  # fmt: skip
    assert (record["id"], record["name"]) == (0, "pcie")
    switched = [frame[12:] for frame in one.requests() if frame.startswith("05 58")]
    assert [(frame[0:2], frame[12:14]) for frame in switched] == [
        ("00", "01"), ("01", "01"), ("01", "00"),
    ]  # fmt: skip


def test_a_domain_that_tells_nothing_cannot_be_watched(one: Any) -> None:
    error, _ = one.fails("reset watch uart --for 1ms")
    assert isinstance(error, NotOffered)


def test_there_is_nothing_to_poll(one: Any) -> None:
    with pytest.raises(UsageError, match="--interval"):
        one.text("reset watch --interval 1s")


def test_what_another_agent_resets_is_told() -> None:
    platform = Platform.from_text(BOARD)
    guest = Agent(InProcess(platform.attach("guest")))
    with Agent(InProcess(platform.attach("ospm"))) as agent, guest:
        agent.call(reset.Notify(domain_id=0, notify_enable=NotifyEnable(1)))
        run(guest, "reset assert pcie")
        [record] = run(agent, "reset watch pcie -n 1").records
    assert (record["event"], record["agent_id"], record["name"]) == ("RESET_ISSUED", 2, "pcie")


# --- platforms of other makes ---------------------------------------------------------------------


def test_a_name_and_a_latency_come_as_the_platform_says(script: Any) -> None:
    described = struct.pack("<II16s", 1 << 30, 0xFFFFFFFF, b"gpu")
    answers = {
        (RESET, 0x0, None): struct.pack("<I", 0x30000),
        (RESET, 0x1, None): struct.pack("<I", 2),
        (RESET, 0x3, struct.pack("<I", 0)): described,
        (RESET, 0x3, struct.pack("<I", 1)): -9,
    }
    output = script(answers).run("reset list")
    assert output.records == [
        {"id": 0, "name": "gpu", "latency_us": None, "async": False, "notifications": True},
        {"id": 1, "name": None, "latency_us": None, "async": None, "notifications": None,
         "error": "HARDWARE_ERROR"},
    ]  # fmt: skip
