"""`watch`, `subscribe`, `unsubscribe` and the watch of the groups: what comes, and how it ends."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from scmictl import protocols
from scmictl.agent import Agent, Interrupt, Waiter, inbox
from scmictl.commands import Stream, event, verbs
from scmictl.commands.context import Context
from scmictl.commands.plot import lines
from scmictl.commands.series import ASCII_BARS, Series, sparkline
from scmictl.console.parser import Invocation, parse
from scmictl.errors import (
    CriteriaNotMet,
    DeviceGone,
    ExpectationFailed,
    Interrupted,
    NotOffered,
    OutputError,
    Refused,
    StatusError,
    UsageError,
)
from scmictl.platform import Platform
from scmictl.protocols import clock
from scmictl.transport.inprocess import InProcess

Make = Callable[..., Any]

KEYS = ["time", "protocol", "event", "agent_id", "fields"]
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z")

CLOCKS = """
[[clock]]
name = "osc"
rate = "24MHz"

[[clock]]
name = "uart"
rates = ["12MHz", "24MHz", "48MHz"]
rate = "24MHz"
"""


@pytest.fixture
def watching(console: Make, board: Callable[[str], str]) -> Make:
    """Return a function that makes consoles on a board with sensors and two clocks."""
    text = (Path(__file__).parent / "sensors.toml").read_text()

    def make(*, query: str = "", head: str = "", **more: Any) -> Any:
        return console(board(head + text + CLOCKS) + query, **more)

    return make


def switched(console: Any, message: int, protocol: int = 0x15) -> list[tuple[int, int]]:
    """Return the id and the switch of every request that switched a notification."""
    found = []
    for text in console.requests():
        frame = bytes.fromhex(text)
        word = int.from_bytes(frame[:4], "little")
        if word & 0xFF == message and word >> 10 & 0xFF == protocol:
            found.append((frame[4], frame[8]))
    return found


# --- what comes -----------------------------------------------------------------------------------


def test_the_record_of_an_update_is_that_of_the_contract(watching: Make) -> None:
    (record,) = watching().lines("sensor watch temp -n 1")
    assert list(record)[:5] == KEYS
    assert TIME.fullmatch(record["time"])
    assert record["protocol"] == "sensor"
    assert record["event"] == "SENSOR_UPDATE"
    assert record["agent_id"] == 0
    assert record["fields"] == {
        "agent_id": 0, "sensor_id": 0, "readings": [{"sensor_value": 45500, "timestamp": 0}],
    }  # fmt: skip
    assert (record["name"], record["value"], record["unit"]) == ("temp", 45.5, "°C")


def test_json_of_a_stream_is_a_line_for_each_record(watching: Make) -> None:
    text = watching().text("sensor watch temp -n 3 --json")
    assert len(text.splitlines()) == 3
    assert text.startswith('{"time": ')


def test_axes_carry_their_values(watching: Make) -> None:
    console = watching()
    (record,) = console.lines("sensor watch acc --enable -n 1")
    assert record["value"] is None
    assert [axis["value"] for axis in record["axes"]] == [0.5, -0.25, 9.807]
    assert console.json("sensor config get acc")["enabled"] is False, "it is put back"


def test_without_ids_everything_that_can_is_watched(watching: Make) -> None:
    console = watching()
    console.text("sensor watch -n 1")
    assert switched(console, 0xB) == [(0, 1), (2, 1), (2, 0), (0, 0)]
    assert "sensor 2 (acc) is disabled and sends nothing" in console.said


def test_a_resource_that_was_named_must_offer_it(watching: Make) -> None:
    console = watching()
    with pytest.raises(NotOffered, match=r"sensor 1 \(rail\) does not offer SENSOR_UPDATE"):
        console.text("sensor watch rail -n 1")
    with pytest.raises(NotOffered, match="no sensor of these offers SENSOR_UPDATE"):
        console.text("sensor watch r* -n 1")
    assert not switched(console, 0xB)
    with pytest.raises(StatusError, match="NOT_FOUND"):
        console.text("sensor watch 9 -n 1")


def test_a_glob_leaves_out_what_does_not_offer_it(watching: Make) -> None:
    console = watching()
    console.text("sensor watch * -n 1")
    assert switched(console, 0xB) == [(0, 1), (2, 1), (2, 0), (0, 0)]


def test_a_connection_without_event_queue_has_no_watch(watching: Make) -> None:
    console = watching(query="?features=-p2a")
    for line in ("sensor watch", "watch", "clock watch uart", "subscribe SENSOR_UPDATE",
                 "base watch"):  # fmt: skip
        with pytest.raises(NotOffered, match="no event queue"):
            console.text(line)


def test_versions_without_the_notification_do_not_offer_it(watching: Make) -> None:
    console = watching(head='[versions]\nsensor = "1.0"\nclock = "1.0"\n')
    for line in ("sensor watch", "clock watch"):
        with pytest.raises(NotOffered, match=r"exists from \w+ 2\.0 on"):
            console.text(line)


def test_clock_watch_shows_what_a_rate_becomes(watching: Make) -> None:
    console = watching()
    console.text("subscribe CLOCK_RATE_CHANGED uart")
    console.text("clock set uart 12MHz")
    (record,) = console.lines("clock watch uart -n 1")
    assert (record["event"], record["agent_id"]) == ("CLOCK_RATE_CHANGED", 1)
    assert record["fields"] == {"agent_id": 1, "clock_id": 1, "rate": 12_000_000}
    assert (record["id"], record["name"]) == (1, "uart")
    assert switched(console, 0x9, 0x14) == [(1, 1)], "what lasts is left on"


def test_what_is_requested_is_another_notification(watching: Make) -> None:
    console = watching()
    console.text("clock watch uart --requested --for 1ms")
    assert switched(console, 0xA, 0x14) == [(1, 1), (1, 0)]
    assert not switched(console, 0x9, 0x14)


def test_what_another_agent_causes_is_seen() -> None:
    text = (Path(__file__).parent / "sensors.toml").read_text()
    platform = Platform.from_text(text + CLOCKS)
    guest = Agent(InProcess(platform.attach("guest")))
    with Agent(InProcess(platform.attach("ospm"))) as agent, guest:
        stream = watch(agent, [], "watch SENSOR_UPDATE temp CLOCK_RATE_CHANGE_REQUESTED uart")
        next(stream)
        guest.call(clock.RateSet(clock_id=1, rate=48_000_000))
        record = next(r for r in stream if r["protocol"] == "clock")
        stream.close()
    assert (record["event"], record["agent_id"]) == ("CLOCK_RATE_CHANGE_REQUESTED", 2)
    assert record["fields"]["rate"] == 48_000_000


def test_the_tool_watches_several_events_of_several_resources(watching: Make) -> None:
    console = watching()
    records = console.lines("watch SENSOR_UPDATE temp sensor.TRIP_POINT_EVENT rail 0 -n 2")
    assert [record["name"] for record in records] == ["temp", "temp"]
    assert switched(console, 0x4) == [(1, 1), (0, 1), (0, 0), (1, 0)]


def test_the_tool_without_words_watches_all_that_is_offered(watching: Make) -> None:
    console = watching()
    assert console.lines("watch -n 1")[0]["event"] == "SENSOR_UPDATE"
    assert switched(console, 0x9, 0x14) == [(0, 1), (1, 1), (1, 0), (0, 0)]
    assert switched(console, 0xB) == [(0, 1), (2, 1), (2, 0), (0, 0)]


@pytest.mark.parametrize("protocol", list(protocols.standard()), ids=lambda one: one.name)
def test_a_group_watches_every_notification_that_can_be_switched_by_an_id_or_none(
    protocol: protocols.Protocol,
) -> None:
    """The crossings of trip points are the exception: they have no value to show."""
    watch = verbs(protocol).get("watch")
    feeds = watch.feeds if watch is not None else ()
    switches = [switch for switch in event.switches([protocol]) if switch.simple]
    watched = {feed.event.SPEC for feed in feeds}
    assert watched == {one.event.SPEC for one in switches} - {"SENSOR_TRIP_POINT_EVENT"}
    for feed in feeds:
        assert protocols.of(feed.event) is protocol
        if feed.read is not None:
            assert protocols.of(feed.read) is protocol
            assert protocol.resources is not None
            assert protocol.resources.id in [field.name for field in feed.read.FIELDS]
        for option in feed.options:
            assert watch is not None and option in watch.options


# --- how it ends ----------------------------------------------------------------------------------


def test_the_tool_leaves_out_a_protocol_that_the_agent_may_not_use(watching: Make) -> None:
    head = """
    [[agent]]
    name = "outsider"
    denied = ["clocks"]
    [[device]]
    name = "clocks"
    owns = ["clock:osc", "clock:uart"]
    """
    console = watching(head=head, query="?agent=outsider")
    assert console.fails("watch CLOCK_RATE_CHANGED -n 1")[0].name == "DENIED"
    (record,) = console.lines("watch -n 1 --for 5s")
    assert record["protocol"] == "sensor"


def test_a_count_ends_a_watch(watching: Make) -> None:
    assert len(watching().lines("sensor watch temp -n 4")) == 4


def test_a_time_alone_ends_it_well_and_with_a_count_that_was_not_reached_not(
    watching: Make,
) -> None:
    console = watching()
    assert console.lines("clock watch --for 1ms") == []
    error, records = console.fails("clock watch --for 1ms -n 1")
    assert isinstance(error, CriteriaNotMet)
    assert (error.exit_code, records) == (10, [])
    assert error.message.startswith("0 of 1 records came in 0.0")


def test_idleness_ends_it_but_only_after_the_last_record(watching: Make) -> None:
    console = watching()
    assert console.lines("clock watch --idle 1ms") == []
    # Updates come every 2 ms, so that 1 s of idleness never is.
    assert len(console.lines("sensor watch temp --idle 1s -n 5")) == 5


def test_until_ends_it_with_the_first_record_that_fits(watching: Make) -> None:
    console = watching()
    assert len(console.lines("sensor watch temp --until value==45500mC -n 9")) == 1
    assert len(console.lines("watch SENSOR_UPDATE --until fields.sensor_id==0 -n 9")) == 1
    error, records = console.fails("sensor watch temp --until value>50 -n 2")
    assert isinstance(error, CriteriaNotMet)
    assert (error.message, len(records)) == ("--until did not hold within 2 records", 2)
    error, _ = console.fails("sensor watch temp --until value>50 --for 5ms")
    assert isinstance(error, CriteriaNotMet)


def test_until_names_the_keys_there_are_when_one_is_unknown(watching: Make) -> None:
    error, _ = watching().fails("sensor watch temp --until rate>50")
    assert isinstance(error, ExpectationFailed)
    assert "expected one of: time, protocol, event" in error.message


def test_until_waits_for_the_record_it_is_about(watching: Make) -> None:
    console = watching()
    console.text("subscribe CLOCK_RATE_CHANGED uart")
    console.text("clock set uart 48MHz")
    line = "watch SENSOR_UPDATE CLOCK_RATE_CHANGED --until fields.rate==48MHz --for 30s"
    assert console.lines(line)[-1]["event"] == "CLOCK_RATE_CHANGED"
    # Volts are never 45.5 degrees, which is no mistake.
    console.text("sensor config set acc enable")
    assert console.lines("sensor watch --until value>45C -n 50")


def test_whatever_ends_it_subscriptions_are_taken_back(watching: Make) -> None:
    for line in ("-n 1", "--for 1ms", "--until nothing", "-n 1 --sort value"):
        console = watching()
        try:
            console.text(f"sensor watch temp {line}")
        except (ExpectationFailed, UsageError):
            pass
        assert switched(console, 0xB) in ([(0, 1), (0, 0)], [])


def test_closing_the_stream_takes_subscriptions_back(watching: Make) -> None:
    console = watching()
    stream = start(console, "sensor watch acc --enable")
    next(stream)
    assert switched(console, 0xB) == [(2, 1)]
    stream.close()
    assert switched(console, 0xB) == [(2, 1), (2, 0)]
    assert console.json("sensor config get acc")["enabled"] is False


def start(console: Any, line: str) -> Any:
    """Run a command that gives a stream, and return its records."""
    invocation = parse(line.split())
    assert isinstance(invocation, Invocation)
    command = invocation.command
    assert command is not None and command.run is not None
    context = console.session.context(console.session.options)
    output = command.run(context, invocation.arguments)
    assert isinstance(output, Stream)
    return output.records


def test_enable_needs_the_permission_to_write(watching: Make) -> None:
    console = watching()
    assert console.lines("sensor watch temp -n 1 -r")
    with pytest.raises(Refused):
        console.text("sensor watch acc --enable -n 1 -r")


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("sensor watch -n 0", "--count is 0, expected 1 or more"),
        ("sensor watch -n many", "expected a number"),
        ("sensor watch --for soon", "expected a time"),
        ("sensor watch --interval 0", "expected some time"),
        ("sensor watch --until value>", "expected"),
        ("sensor watch nothing", "unknown sensor 'nothing'"),
        ("sensor watch --timestamps now", "expected one of: abs, delta, zero"),
        ("base watch --interval 1s", "no such option"),
        ("watch SENSOR_UPDATES", "expected one of: BASE_ERROR_EVENT, POWER_STATE_CHANGED"),
        ("watch BASE_ERROR_EVENT 3", "takes no ids"),
        ("watch --interval 1s", "polls a command"),
        ("watch --interval 1s SENSOR_UPDATE", "comes by itself"),
        ("watch --interval 1s nothing", "unknown command 'nothing'"),
        ("watch --interval 1s clock", "unknown verb of clock"),
        ("watch --interval 1s clock set 0 1MHz", "clock set changes the platform"),
        ("watch --interval 1s call clock.RATE_SET clock_id=0 rate=1", "call changes the platform"),
        ("watch --interval 1s explain DENIED", "does not ask the platform"),
        ("watch --interval 1s clock get", "clock get needs ID"),
        ("watch --interval 1s clock get 0 1", "clock get does not take '1'"),
        ("watch --interval 1s -- sensor read 0 --enabel", "did you mean|unknown option"),
        ("subscribe NOTHING", "unknown event 'NOTHING'"),
        ("subscribe BASE_ERROR_EVENT 3", "takes no ids"),
    ],
)
def test_what_cannot_be_watched_is_a_usage_error(watching: Make, line: str, found: str) -> None:
    with pytest.raises(UsageError, match=found):
        watching().text(line)


# --- time stamps, plotting ------------------------------------------------------------------------


def test_times_are_absolute_or_since_the_last_or_the_first_record(watching: Make) -> None:
    console = watching()
    delta = [r["time"] for r in console.lines("sensor watch temp -n 3 --timestamps delta")]
    assert delta[0] == 0
    assert all(0 < time < 1 for time in delta[1:])
    zero = [r["time"] for r in console.lines("sensor watch temp -n 3 --timestamps zero")]
    assert zero == sorted(zero)
    assert zero[0] == 0


def test_plot_appends_lines_for_gnuplot(watching: Make, tmp_path: Path) -> None:
    file = tmp_path / "values.csv"
    console = watching()
    console.text(f"sensor watch temp -n 2 --plot {file} --timestamps delta")
    console.text(f"sensor watch acc --enable -n 1 --plot {file}")
    heading, *rows = file.read_text().splitlines()
    assert heading == "# time_s,value,name,unit"
    assert [row.split(",")[1:] for row in rows] == [
        ["45.5", "temp", "°C"], ["45.5", "temp", "°C"], ["0.5", "acc.acc_X", "m/s²"],
        ["-0.25", "acc.acc_Y", "m/s²"], ["9.807", "acc.acc_Z_with_a_name_that_is_long", "m/s²"],
    ]  # fmt: skip
    assert all(re.fullmatch(r"\d{10}\.\d{6}", row.split(",")[0]) for row in rows)


def test_a_plot_that_cannot_be_written_ends_the_watch_before_it_begins(watching: Make) -> None:
    console = watching()
    with pytest.raises(OutputError, match="cannot write /nonexistent/plot"):
        console.text("sensor watch temp -n 1 --plot /nonexistent/plot")
    assert not switched(console, 0xB)


def test_no_name_breaks_out_of_its_cell() -> None:
    record = {"time": 1.5, "name": 'a,"\nb', "value": 3, "unit": "V", "axes": []}
    assert list(lines(record)) == ["1.500000,3,a___b,V\n"]


# --- polling --------------------------------------------------------------------------------------


def test_a_sensor_without_notifications_can_be_polled(watching: Make) -> None:
    console = watching()
    records = console.lines("sensor watch rail temp --interval 1ms -n 2")
    assert [record["name"] for record in records] == ["rail", "temp"] * 2
    assert list(records[0])[:5] == KEYS
    assert records[0]["event"] == "SENSOR_READING_GET"
    assert records[0]["fields"]["sensor_id"] == 1
    assert (records[0]["value"], records[0]["unit"]) == (0.85, "V")
    assert not switched(console, 0xB)


def test_polling_enables_for_its_time(watching: Make) -> None:
    console = watching()
    (record,) = console.lines("sensor watch acc --enable --interval 1ms -n 1")
    assert record["axes"][0]["value"] == 0.5
    assert console.json("sensor config get acc")["enabled"] is False
    error, _ = console.fails("sensor watch acc --interval 1ms -n 1")
    assert "--enable" in str(error.hint)


def test_polling_all_keeps_the_rows_that_cannot_be_read(watching: Make) -> None:
    records = watching().lines("sensor watch --interval 1ms -n 1")
    assert [record.get("error") for record in records] == [
        None, None, "PROTOCOL_ERROR", "HARDWARE_ERROR", None,
    ]  # fmt: skip


def test_clocks_are_polled_by_their_rate(watching: Make) -> None:
    records = watching().lines("clock watch uart --interval 1ms -n 1 --until fields.rate>1MHz")
    assert records[0]["event"] == "CLOCK_RATE_GET"
    assert records[0]["fields"] == {"clock_id": 1, "rate": 24_000_000}


def test_any_command_that_reads_can_be_polled(watching: Make) -> None:
    console = watching()
    records = console.lines("watch --interval 1ms -n 2 clock get uart")
    assert [(r["name"], r["rate_hz"]) for r in records] == [("uart", 24_000_000)] * 2
    assert TIME.fullmatch(records[0]["time"])
    assert "9.807" in console.text("-o jsonl watch --interval 1ms -n 1 -- sensor read acc --enable")
    records = console.lines("watch --interval 1ms --until enabled -n 3 sensor config get temp")
    assert len(records) == 1
    assert len(console.lines("watch --interval 1ms -n 1 call clock.RATE_GET clock_id=0")) == 1


def test_polling_ends_by_the_same_criteria(watching: Make) -> None:
    error, records = watching().fails("watch --interval 1h --for 1ms -n 2 clock get uart")
    assert isinstance(error, CriteriaNotMet)
    assert len(records) == 1


# --- subscribe and unsubscribe --------------------------------------------------------------------


def test_a_subscription_lasts_until_it_is_undone(watching: Make) -> None:
    console = watching()
    assert console.json("subscribe SENSOR_UPDATE temp") == [
        {"event": "SENSOR_UPDATE", "id": 0, "name": "temp", "subscribed": True}
    ]
    console.text("sensor list")
    assert switched(console, 0xB) == [(0, 1)]
    console.text("subscribe SENSOR_UPDATE temp")
    assert switched(console, 0xB) == [(0, 1)], "once is enough"
    assert console.json("unsubscribe SENSOR_UPDATE temp") == [
        {"event": "SENSOR_UPDATE", "id": 0, "name": "temp", "subscribed": False}
    ]
    assert switched(console, 0xB) == [(0, 1), (0, 0)]


def test_unsubscribe_without_words_undoes_everything(watching: Make) -> None:
    console = watching()
    console.text("subscribe SENSOR_UPDATE")
    console.text("subscribe BASE_ERROR_EVENT")
    console.text("subscribe SENSOR_TRIP_POINT_EVENT rail")
    assert [row["event"] for row in console.json("unsubscribe SENSOR_UPDATE")] == [
        "SENSOR_UPDATE", "SENSOR_UPDATE",
    ]  # fmt: skip
    assert {row["event"] for row in console.json("unsubscribe")} == {
        "BASE_ERROR_EVENT", "SENSOR_TRIP_POINT_EVENT",
    }  # fmt: skip
    assert console.json("unsubscribe") == []


def test_what_was_switched_on_by_other_means_can_be_switched_off(watching: Make) -> None:
    console = watching()
    console.text("call sensor.CONTINUOUS_UPDATE_NOTIFY sensor_id=0 notify_enable=1")
    console.text("unsubscribe SENSOR_UPDATE temp")
    assert switched(console, 0xB) == [(0, 1), (0, 0)]


def test_a_watch_leaves_subscriptions_of_others_on_and_does_not_show_them(watching: Make) -> None:
    console = watching()
    console.text("subscribe SENSOR_UPDATE temp")
    console.lines("clock watch --for 10ms")
    assert switched(console, 0xB) == [(0, 1)]
    assert "of other subscriptions came meanwhile" in console.said


def test_a_one_shot_has_no_use_for_a_subscription(watching: Make) -> None:
    console = watching()
    console.session.lasting = False
    with pytest.raises(UsageError, match="a one-shot"):
        console.text("subscribe SENSOR_UPDATE")


# --- what platforms and connections do ------------------------------------------------------------


def words(*numbers: int) -> bytes:
    return b"".join(number.to_bytes(4, "little") for number in numbers)


def update(value: int) -> bytes:
    return words(0x5701, 0, 0, value, 0, 0, 0)


ANSWERS = {
    (0x15, 0x0, None): words(0x30000),
    (0x15, 0x1, None): words(1, 0, 0, 0),
    (0x15, 0x2, None): words(0),
    (0x15, 0x3, None): words(1, 0, 1 << 30, 0) + b"foo" + bytes(13),
    (0x15, 0x9, None): words(1),
    (0x15, 0xA, None): b"",
    (0x15, 0xB, None): b"",
}


@pytest.fixture
def device(script: Any) -> type[Any]:
    """Return the class of scripted platforms that send something once they are subscribed to.

    ``news`` are frames, and functions that are called in their place.
    """

    class Device(script):  # type: ignore[misc]  # the fixture is a class
        def __init__(self, *news: Any) -> None:
            super().__init__(ANSWERS)
            self.news = deque(news)

        def poll(self, now: float) -> list[tuple[int | None, bytes]]:
            due: list[tuple[int | None, bytes]] = []
            while self.news and any(asked[1] == 0xB for asked in self.asked):
                piece = self.news.popleft()
                if callable(piece):
                    piece()
                    break
                due.append((None, piece))
            return due

        def next_deadline(self) -> float | None:
            return 0.0 if self.news else None

        @property
        def switches(self) -> list[int]:
            return [asked[2][4] for asked in self.asked if asked[1] == 0xB]

    return Device


def watch(agent: Agent, said: list[str], line: str = "sensor watch foo") -> Any:
    """Run a watch on an agent and return its records."""
    invocation = parse(line.split())
    assert isinstance(invocation, Invocation)
    command = invocation.command
    assert command is not None and command.run is not None
    output = command.run(Context(lambda: agent, notice=said.append), invocation.arguments)
    assert isinstance(output, Stream)
    return output.records


def test_notifications_that_were_lost_are_counted_in_the_stream(
    device: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(inbox, "LIMIT", 2)
    with Agent(InProcess(device(*map(update, range(5))))) as agent:
        records = list(watch(agent, [], "sensor watch foo --idle 1ms"))
    assert [record["event"] for record in records] == ["SENSOR_UPDATE", "SENSOR_UPDATE", "lost"]
    assert list(records[2]) == KEYS
    assert records[2]["fields"] == {"count": 3}


def test_a_frame_nobody_waits_for_is_a_notice(device: Any) -> None:
    said: list[str] = []
    stray = words(0x00405606, 0)  # a delayed SENSOR_READING_COMPLETE
    with Agent(InProcess(device(stray, update(7)))) as agent:
        (record,) = watch(agent, said, "sensor watch foo -n 1")
    assert record["value"] == 7
    assert said == ["stray frame: a delayed_response that nobody waits for (token 16)"]


def test_a_notification_that_cannot_be_decoded_is_shown_with_its_bytes(device: Any) -> None:
    with Agent(InProcess(device(words(0x5701, 0, 0)))) as agent:
        (record,) = watch(agent, [], "sensor watch foo -n 1")
    assert (record["event"], record["fields"]) == ("notification 0x15/0x1", {})
    assert record["payload"] == "0000000000000000"
    assert "SENSOR_UPDATE" in record["error"]


def test_surplus_bytes_of_a_notification_are_shown(device: Any) -> None:
    with Agent(InProcess(device(words(0x5701, 0, 0, 5, 0, 0, 0, 0xFF)))) as agent:
        (record,) = watch(agent, [], "sensor watch foo -n 1")
    assert record["surplus"] == "ff000000"


def test_ctrl_c_ends_a_watch_and_takes_the_subscription_back(device: Any) -> None:
    interrupt = Interrupt()
    platform = device(update(1))
    with Agent(InProcess(platform), waiter=Waiter(interrupt)) as agent:
        stream = watch(agent, [])
        assert next(stream)["value"] == 1
        platform.news.append(interrupt.set)
        with pytest.raises(Interrupted):
            next(stream)
        assert platform.switches == [1, 0]
        assert agent.held == []
    interrupt.close()


def test_ctrl_c_twice_gives_up_at_once(device: Any) -> None:
    interrupt = Interrupt()
    platform = device(update(1))
    with Agent(InProcess(platform), waiter=Waiter(interrupt)) as agent:
        stream = watch(agent, [])
        next(stream)
        interrupt.set()
        interrupt.set()
        with pytest.raises(Interrupted):
            next(stream)
        assert platform.switches == [1]
    interrupt.close()


def gone() -> None:
    raise DeviceGone("the device hung up")


def test_a_device_that_hangs_up_ends_the_watch(device: Any) -> None:
    platform = device(update(1))
    with Agent(InProcess(platform)) as agent:
        stream = watch(agent, [], "sensor watch foo --enable")
        assert next(stream)["value"] == 1
        platform.news.append(gone)
        with pytest.raises(DeviceGone):
            next(stream)


def test_a_reconnection_renews_everything_and_shows_in_the_stream(device: Any) -> None:
    first, second = device(update(1)), device(lambda: None, update(2))
    for platform in (first, second):
        platform.answers = {**ANSWERS, (0x15, 0x9, None): words(0)}
    agent = Agent(InProcess(first), reopen=lambda: InProcess(second), reconnect=5.0)
    with agent:
        stream = watch(agent, [], "sensor watch foo --enable -n 2")
        records = [next(stream)]
        first.news.append(gone)
        records += stream
    assert [r["event"] for r in records] == ["SENSOR_UPDATE", "reconnected", "SENSOR_UPDATE"]
    assert list(records[1]) == KEYS
    assert records[1]["fields"]["gap_s"] >= 0
    assert second.switches == [1, 0]
    sets = [asked[2] for asked in second.asked if asked[1] == 0xA]
    assert sets == [words(0, 1), words(0, 0)], "enabled, then put back"
    assert records[2]["name"] == "foo", "names are read again"


def test_a_platform_that_refuses_one_of_all_is_told_and_the_others_are_watched(
    device: Any,
) -> None:
    platform = device(update(1))
    two = words(2, 0, 1 << 30, 0) + b"foo" + bytes(13) + words(1, 1 << 30, 0) + b"bar" + bytes(13)
    platform.answers = {
        **ANSWERS,
        (0x15, 0x1, None): words(2, 0, 0, 0),
        (0x15, 0x3, None): two,
        (0x15, 0xB, words(1, 1)): -3,
    }
    said: list[str] = []
    with Agent(InProcess(platform)) as agent:
        (record,) = watch(agent, said, "sensor watch -n 1")
    assert record["name"] == "foo"
    assert said == ["sensor 1 (bar) is not watched: DENIED"]
    platform.answers[0x15, 0xB, None] = -3
    with Agent(InProcess(platform)) as agent, pytest.raises(StatusError, match="DENIED"):
        list(watch(agent, said, "sensor watch -n 1"))


# --- the past of a value --------------------------------------------------------------------------


def test_a_series_knows_its_extremes_and_its_rate() -> None:
    series = Series(kept=3)
    assert (series.minimum, series.maximum, series.last, series.rate) == (None, None, None, None)
    for time, value in ((0.0, 9), (0.5, 1), (1.0, 5), (1.5, 4)):
        series.add(time, value)
    assert (series.minimum, series.maximum, series.last) == (1, 9, 4), "extremes are of all"
    assert series.rate == 2.0
    assert series.count == 4


def test_values_of_one_moment_have_no_rate() -> None:
    series = Series()
    series.add(1.0, 1)
    series.add(1.0, 2)
    assert series.rate is None


def test_a_sparkline_lies_between_the_lowest_and_the_highest() -> None:
    assert sparkline([0, 1, 2, 3, 4, 5, 6, 7]) == "▁▂▃▄▅▆▇█"
    assert sparkline([-5, 5], ASCII_BARS) == "_#"
    assert sparkline([3, 3, 3]) == "▁▁▁"
    assert sparkline([]) == ""
    series = Series()
    for time, value in enumerate((100, 0, 7)):
        series.add(float(time), value)
    assert series.sparkline(2) == "▁█"
    assert series.sparkline(0) == ""
