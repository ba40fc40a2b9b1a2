"""Every command under every fault: the documented outcome, and nothing wrong without a word.

The verbs come from the table of commands: those that read, of every group that the demo board has,
with the first resource for every id. What needs other words has them in WORDS.
"""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Iterator
from functools import cache
from typing import Any, NamedTuple

import pytest

from scmictl.agent import Agent, Frame
from scmictl.commands import TABLE, Command
from scmictl.commands.context import Context
from scmictl.console.environment import Environment
from scmictl.console.session import Session
from scmictl.errors import CriteriaNotMet, DeviceGone, RemoteProtocolError, ScmictlError, UsageError
from scmictl.platform import Platform, Table
from scmictl.platform import board as boards
from scmictl.transport import Capture
from scmictl.transport.inprocess import InProcess
from scmictl.wire import Effect

WORDS = {
    "clock parents": "display-pixel-clock",
    "clock parent get": "display-pixel-clock",
    "sensor axes": "acc0",
}
"""What to say to a verb where the first resource (or choice) will not do."""

MORE = (
    "info",
    "clock list --where enabled",
    "clock get uart*",
    "sensor list soc*",
    "sensor read 0",
    "sensor read all",
    "call CLOCK_RATE_GET clock_id=0",
    "raw 0x14 0x6 --payload 00000000",
)
"""What reads besides the verbs of groups, and with other words."""

WRITES = (
    "clock set uart0 25MHz",
    "clock set uart0 25MHz --async",
    "clock enable uart1",
    "clock disable uart0",
    "clock parent set display-pixel-clock pll-sys",
    "sensor config set soc-temp enable",
    "sensor read acc0 --enable",
    "sensor trip set soc-temp 0 50C",
    "base reset-agent 1",
    "base perms device 2 2 allow",
    "base perms protocol 2 2 clock allow",
    "clock config set display-pixel-clock duty_cycle=40",
    "sensor trip clear soc-temp 0",
    "power set gpu off",
    "power set gpu off --async",
    "system set shutdown",
    "system set shutdown --graceful",
    "perf level set big 600000",
    "perf limits set big 600000 1000000",
    "reset assert pcie",
    "reset deassert usb",
    "reset pulse pcie",
    "reset pulse pcie --async",
    "voltage set vdd-cpu 900mV",
    "voltage enable vdd-gpu",
    "voltage disable vdd-cpu",
    "powercap set cpu 5W",
    "powercap set soc 5W --async",
    "powercap pai set soc 20ms",
    "pinctrl config set pin gpio2 bias-pull-up=10kohm",
    "pinctrl select group i2c0 i2c0",
    "pinctrl request group i2c0",
    "pinctrl release pin gpio0",
)

NOT_WHOLE = {"sensor read all": 8, "power stats": 7, "perf stats": 7}
"""What does not succeed even so: some sensors are off, and statistics need shared memory."""

HARMLESS = (
    "late:20ms",
    "early",
    "long",
    "duplicate",
    "duplicate-delayed",
    "duplicate-notification",
    "lost",
    "storm:20x",
)
"""Faults that no command may be hurt by."""

FATAL = {
    "overdue": (4, "TIMEOUT"),
    "wrong-token": (5, "REMOTE_PROTOCOL"),
    "wrong-type": (5, "REMOTE_PROTOCOL"),
    "short": (5, "REMOTE_PROTOCOL"),
    "short:12B": (5, "REMOTE_PROTOCOL"),
    "error": (28, "GENERIC_ERROR"),
    "busy": (26, "BUSY"),
    "dead": (12, "DEVICE_GONE"),
    "disconnect": (12, "DEVICE_GONE"),
}
"""Faults that end a command which they strike from the first message on: how."""


class Outcome(NamedTuple):
    """What a command came to; ``sent`` is how many messages it sent."""

    code: int
    error: ScmictlError | None
    records: list[dict[str, Any]]
    said: str
    sent: int

    @property
    def told(self) -> list[dict[str, Any]]:
        """What the records are about, and which keys have a value: the values change with time."""
        same = ("id", "name", "error")
        return [{k: v if k in same else v is None for k, v in r.items()} for r in self.records]


def on_demo() -> Iterator[Command]:
    """The commands of all groups that the demo board has, but for those that stream for ever."""
    platform = Platform.from_board("demo")
    there = {behaviour.PROTOCOL.name for behaviour in platform.behaviours.values()}
    for entry in TABLE:
        if entry.group and entry.name in there:
            yield from (command for command in entry.load().values() if command.connects)


def words_of(command: Command) -> str | None:
    """Return a line for a command, None if its arguments cannot be made up."""
    if command.name in WORDS:
        return f"{command.name} {WORDS[command.name]}"
    line = command.name
    for arg in command.args:
        if not arg.required:
            continue
        if arg.kind not in ("id", "ids") and not arg.choices:
            return None
        line += f" {arg.choices[0] if arg.choices else 0}"
    return line


READING = [c for c in on_demo() if c.effect is Effect.READ and not c.lasting]
READS = (*(line for c in READING if (line := words_of(c)) is not None), *MORE)
LINES = (*READS, *WRITES)
every_line = pytest.mark.parametrize("line", LINES)


def test_every_verb_that_changes_something_has_its_line_here() -> None:
    writes = [c.name for c in on_demo() if c.effect >= Effect.WRITE and c.verb != "watch"]
    assert [
        name for name in writes if not any(f"{w} ".startswith(f"{name} ") for w in WRITES)
    ] == []


@cache
def demo() -> Table:
    """Return the demo board, read once for all the platforms of these tests."""
    return boards.load("demo")


@pytest.fixture
def run(time: Any) -> Callable[..., Outcome]:
    """Return a function that runs a line on the demo board with faults, in passed time."""

    def one(line: str, faults: str = "none", *, retry_busy: int = 0, **more: Any) -> Outcome:
        uri = "sim:demo"
        environment = Environment(io.StringIO(), io.StringIO(), io.StringIO(), {})
        options = {"target": uri, "output": "jsonl", "yes": True, "retry_busy": str(retry_busy)}
        frames: list[Frame] = []
        with Session(environment, {**options, **more}, lasting=True) as session:

            def reach() -> Agent:
                platform = Platform(demo(), seed=1, faults=faults)
                transport = Capture(InProcess(platform.attach()), frames.append)
                agent = Agent(transport, waiter=time)
                agent.retry_busy = retry_busy
                return agent

            session.contexts[uri] = Context(reach, notice=session.notice, said=session.said)
            error = None
            try:
                session.words(line.split())
            except ScmictlError as caught:
                error = caught
        assert isinstance(environment.stdout, io.StringIO)
        assert isinstance(environment.stderr, io.StringIO)
        return Outcome(
            0 if error is None else error.exit_code,
            error,
            [json.loads(text) for text in environment.stdout.getvalue().splitlines()],
            environment.stderr.getvalue(),
            sum(frame.outgoing for frame in frames),
        )

    return one


Run = Callable[..., Outcome]
_sound: dict[str, Outcome] = {}


def sound(run: Run, line: str) -> Outcome:
    """Return what a line comes to without any fault."""
    if line not in _sound:
        _sound[line] = run(line)
    return _sound[line]


# --- from the first message on --------------------------------------------------------------------


def test_every_verb_that_reads_can_be_tried() -> None:
    lacking = [c.name for c in READING if words_of(c) is None]
    assert lacking == [], "these need a line in WORDS"


@every_line
def test_without_a_fault_every_command_succeeds(run: Run, line: str) -> None:
    assert sound(run, line).code == NOT_WHOLE.get(line, 0)


@every_line
@pytest.mark.parametrize("fault", HARMLESS)
def test_no_command_is_hurt_by_what_is_only_odd(run: Run, line: str, fault: str) -> None:
    expected, found = sound(run, line), run(line, fault)
    assert found.code == expected.code
    if fault == "long" and line.split()[0] in ("call", "raw"):
        assert found.records[0]["surplus"] == "a5a5a5a5"
    else:
        assert found.told == expected.told
    if fault == "duplicate":
        assert "stray frame: message type 0 (command) on the event queue" in found.said


@every_line
@pytest.mark.parametrize("fault", FATAL)
def test_every_command_ends_with_what_the_manual_says(run: Run, line: str, fault: str) -> None:
    code, name = FATAL[fault]
    found = run(line, fault)
    assert (found.code, found.error.name if found.error else "") == (code, name)
    assert found.error is not None
    assert "\n" not in found.error.message
    # The answer of these is shown whatever it is.
    assert not found.records or line.split()[0] in ("call", "raw")


@every_line
def test_every_command_can_wait_until_the_platform_is_not_busy(run: Run, line: str) -> None:
    expected = sound(run, line)
    found = run(line, "busy:2,busy:20%", retry_busy=20)
    assert (found.code, found.told) == (expected.code, expected.told)
    assert found.sent > expected.sent
    assert run(line, "busy:3", retry_busy=2).code == 26


# --- at each of the messages in turn --------------------------------------------------------------


def errors(found: Outcome) -> list[str]:
    return [record["error"] for record in found.records if record.get("error")]


def positions(count: int) -> list[int]:
    """Return the messages to try: of many that are alike, the first and the last will do."""
    return sorted({*range(min(count, 6)), *range(max(0, count - 6), count)})


@every_line
@pytest.mark.parametrize("fault", ["overdue", "error"])
def test_a_fault_at_any_message_is_an_error_or_changes_nothing(
    run: Run, line: str, fault: str
) -> None:
    code, name = FATAL[fault]
    expected = sound(run, line)
    for position in positions(expected.sent):
        found = run(line, f"{fault}:1:+{position}")
        if found.code == code or (found.code == 8 and name in errors(found)):
            continue
        # Nothing that the command needed; names that are missing or cut short are told.
        assert found.code == expected.code, f"message {position}"
        same = found.told == expected.told
        assert same or "short name" in found.said or "not every" in found.said


@every_line
def test_a_device_that_hangs_up_at_any_message_is_gone(run: Run, line: str) -> None:
    for position in positions(sound(run, line).sent):
        assert run(line, f"disconnect:1:+{position}").code == 12, f"message {position}"


def test_names_that_could_not_be_looked_up_are_not_unknown(run: Run) -> None:
    assert run("clock get uart0", "overdue@CLOCK_ATTRIBUTES").code == 4
    assert run("clock get uart0", "busy@CLOCK_ATTRIBUTES").code == 26
    assert run("sensor read soc-temp", "short@SENSOR_DESCRIPTION_GET").code in (0, 5)
    assert run("sensor read acc0", "wrong-token@SENSOR_DESCRIPTION_GET").code == 5
    assert run("clock get nosuch", "error:DENIED:1@CLOCK_ATTRIBUTES").code == 2
    assert run("base reset-agent bmc", "wrong-token@BASE_DISCOVER_AGENT").code == 5


def test_a_pattern_over_names_that_are_not_all_known_says_so(run: Run) -> None:
    found = run("clock get uart*", "overdue:1:+1@CLOCK_ATTRIBUTES")
    assert (found.code, [record["name"] for record in found.records]) == (0, ["uart1"])
    assert "not every clock could be described (CLOCK_ATTRIBUTES: no response" in found.said


def test_a_name_that_is_cut_short_is_told(run: Run) -> None:
    found = run("clock list", "overdue@CLOCK_NAME_GET")
    assert (found.code, found.records[14]["name"]) == (0, "display-pixel-c")
    assert "clock 14 is shown with its short name (CLOCK_NAME_GET: no response" in found.said
    found = run("sensor axes acc0", "busy@SENSOR_AXIS_NAME_GET")
    assert found.code == 0


def test_a_list_keeps_every_good_row(run: Run) -> None:
    found = run("clock list", "wrong-token:1:+3@CLOCK_ATTRIBUTES")
    assert found.code == 8
    bad = [record for record in found.records if "error" in record]
    assert [(record["id"], record["error"]) for record in bad] == [(3, "REMOTE_PROTOCOL")]
    assert len(found.records) == len(sound(run, "clock list").records)


# --- numbers that would be wrong ------------------------------------------------------------------


def test_a_reading_whose_scale_is_not_known_has_no_value(run: Run) -> None:
    found = run("sensor read 0", "overdue@SENSOR_DESCRIPTION_GET")
    assert (found.code, found.records) == (4, [])
    found = run("sensor read acc0 --enable", "error@SENSOR_AXIS_DESCRIPTION_GET")
    assert (found.code, found.records) == (28, [])
    found = run("sensor read all", "overdue@SENSOR_AXIS_DESCRIPTION_GET")
    assert found.code == 8
    assert {r["error"] for r in found.records if r["name"] == "gyro0"} <= {
        "TIMEOUT",
        "PROTOCOL_ERROR",
    }


def test_a_reading_that_lacks_an_axis_is_broken(run: Run) -> None:
    found = run("sensor read acc0 --enable", "short@SENSOR_READING_GET")
    assert isinstance(found.error, RemoteProtocolError)
    assert found.error.message == "SENSOR_READING_GET: 2 readings, expected 3: an axis each"


def test_a_sensor_whose_state_cannot_be_read_is_not_configured(run: Run) -> None:
    found = run("sensor config set soc-temp enable", "overdue:1@SENSOR_CONFIG_GET")
    assert found.code == 4
    found = run("sensor read acc0 --enable", "error@SENSOR_CONFIG_GET")
    assert (found.code, found.records) == (28, [])


# --- streams --------------------------------------------------------------------------------------


def test_a_watch_whose_notifications_are_lost_does_not_meet_its_number(run: Run) -> None:
    found = run("sensor watch soc-temp -n 2 --for 10s", "lost")
    assert isinstance(found.error, CriteriaNotMet)
    found = run("sensor watch soc-temp -n 2 --for 10s", "lost:3")
    assert (found.code, len(found.records)) == (0, 2)


def test_a_watch_sees_a_notification_twice_that_comes_twice(run: Run) -> None:
    found = run("sensor watch soc-temp -n 2", "duplicate-notification")
    first, second = (record["fields"] for record in found.records)
    assert (found.code, first) == (0, second)


def test_a_watch_is_not_disturbed_by_a_storm_of_something_else(run: Run) -> None:
    found = run("sensor watch soc-temp -n 3", "storm:1:500x@SENSOR_CONTINUOUS_UPDATE_NOTIFY")
    assert (found.code, len(found.records)) == (0, 3)
    assert "500 notifications of other subscriptions came meanwhile and went unseen" in found.said


def test_a_watch_survives_a_storm_of_its_own(run: Run) -> None:
    found = run("sensor watch soc-temp -n 400", "storm:1:1000x@SENSOR_UPDATE")
    assert (found.code, len(found.records)) == (0, 400)


@pytest.mark.parametrize("fault", ["disconnect", "dead"])
def test_a_watch_ends_with_its_device(run: Run, fault: str) -> None:
    found = run("watch --interval 1s clock get uart0", f"{fault}:1:+3@CLOCK_RATE_GET")
    assert isinstance(found.error, DeviceGone)
    assert len(found.records) == 3


# --- what is wrong with a fault -------------------------------------------------------------------


def test_a_fault_that_cannot_be_is_a_usage_error(run: Run) -> None:
    found = run("clock list", "late:5%,bussy:2")
    assert isinstance(found.error, UsageError)
    assert found.error.message.startswith("fault bussy:2: unknown kind 'bussy', expected one of: ")
    assert found.error.hint == "did you mean busy?"


# --- over a socket --------------------------------------------------------------------------------

SERVED = ("info", "clock get uart0", "sensor list", "call CLOCK_RATE_GET clock_id=0")


@pytest.mark.parametrize("line", SERVED)
@pytest.mark.parametrize("fault", [*HARMLESS, *FATAL])
def test_over_a_socket_every_outcome_is_the_same(
    console: Callable[..., Any], serve: Callable[..., str], line: str, fault: str
) -> None:
    # No limit but that of what is struck: nothing here waits in vain.
    limit = "100ms" if fault in ("overdue", "dead") else "10s"
    one = console(f"vhost-user:{serve(faults=fault)}")
    words = f"{line} --timeout {limit}"
    if fault in FATAL:
        error, _ = one.fails(words)
        assert (error.exit_code, error.name) == FATAL[fault]
    else:
        assert one.json(words)
