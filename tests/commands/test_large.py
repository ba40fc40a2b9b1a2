"""A board with 10,000 clocks, 65,536 sensors and 1,000 of everything else: it loads, is listed
completely, answers; lists come in as many messages as the room demands, and work grows with size.

The platform is built once for all tests. Nothing here is timed: that work grows no faster than its
subject is shown by counting it.
"""

from __future__ import annotations

import gc
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from types import FrameType
from typing import Any

import pytest

from scmictl.agent import Agent, Frame, connect
from scmictl.commands import Rows
from scmictl.commands.context import Context
from scmictl.console.parser import Invocation, parse
from scmictl.errors import StatusError, UsageError
from scmictl.platform import Platform, generator
from scmictl.platform.specimen import Size
from scmictl.protocols import clock, perf, sensor, voltage
from scmictl.transport.capture import Capture
from scmictl.transport.inprocess import InProcess
from scmictl.transport.queues import Choices

KINDS = tuple(one.kind for one in generator.TABLES.values())
PINS = ("pin", "group", "function")
DOMAINS = tuple(kind for kind in KINDS if kind not in PINS)
NAMES = {one.kind: one.name for one in generator.TABLES.values()}
CLOCKS, SENSORS, OTHERS = 10_000, 65_536, 1_000
COUNTS = {
    **dict.fromkeys(KINDS, OTHERS),
    "clock": CLOCKS,
    "sensor": SENSORS,
    "device": 64,
}
SMALLEST, LARGEST = 136, 8192
"""The rooms that Linux leaves for a response, and that we do."""
DESCRIPTION_GET = 0x3 | 0x15 << 10


class Large:
    """A connection to the large platform; ``frames`` are those of SENSOR_DESCRIPTION_GET."""

    def __init__(self, platform: Platform, room: int) -> None:
        self.frames: list[bytes] = []
        transport = InProcess(platform.attach(), choices=Choices(message_size=room))
        self.agent = Agent(Capture(transport, self._see))
        self.agent.timings = []
        self.context = Context(lambda: self.agent)

    def _see(self, frame: Frame) -> None:
        word = int.from_bytes(frame.data[:4], "little")
        if not frame.outgoing and word & 0x3FFFF == DESCRIPTION_GET:
            self.frames.append(frame.data)

    def records(self, line: str) -> list[dict[str, Any]]:
        """Run a command and return its records."""
        invocation = parse(line.split())
        assert isinstance(invocation, Invocation)
        assert invocation.command is not None and invocation.command.run is not None
        found = invocation.command.run(self.context, invocation.arguments)
        assert isinstance(found, Rows)
        return list(found.records)

    @property
    def messages(self) -> int:
        assert self.agent.timings is not None
        return len(self.agent.timings)


@pytest.fixture(scope="module", autouse=True)
def without_collections() -> Iterator[None]:
    """No collections, as in the command itself: they would look at millions of things each time."""
    gc.disable()
    yield
    gc.enable()


@pytest.fixture(scope="module")
def platform() -> Platform:
    return Platform.from_text("".join(generator.generate(Size(COUNTS))))


@pytest.fixture(scope="module")
def large(platform: Platform) -> Iterator[Large]:
    large = Large(platform, LARGEST)
    yield large
    large.agent.close()


def descriptors(frame: bytes) -> list[bytes]:
    """The descriptors in a response (reference B, SENSOR_DESCRIPTION_GET: how to walk them)."""
    found, at = [], 12
    while at < len(frame):
        low, high = (int.from_bytes(frame[at + n : at + n + 4], "little") for n in (4, 8))
        size = 28 + (4 if low >> 8 & 1 else 0) + (20 if low >> 8 & 1 and not high >> 8 & 1 else 0)
        found.append(frame[at : at + size])
        at += size
    return found


def described(large: Large, count: int) -> None:
    """Check that sensors are described in as few messages as their sizes allow."""
    names = large.agent.discover(sensor.PROTOCOL).names
    assert names == [NAMES["sensor"](number) for number in range(count)]
    room = large.agent.link.message_size
    parts = [descriptors(frame) for frame in large.frames]
    ids = [int.from_bytes(one[:4], "little") for part in parts for one in part]
    assert ids == list(range(count))
    for frame, following in zip(large.frames, parts[1:], strict=False):
        assert len(frame) <= room < len(frame) + len(following[0])
    assert len(large.frames) > count * 28 // (room - 12)


def test_all_sensors_are_described_in_as_many_messages_as_the_room_demands(large: Large) -> None:
    described(large, SENSORS)


def test_with_the_room_that_linux_leaves_it_takes_the_more_messages() -> None:
    text = "".join(generator.generate(Size({"sensor": 2_000})))
    small = Large(Platform.from_text(text), SMALLEST)
    described(small, 2_000)
    small.agent.close()


def test_a_served_board_is_read_to_its_end_through_a_small_ring(
    serve: Callable[..., str], tmp_path: Path
) -> None:
    file = tmp_path / "board.toml"
    file.write_text("".join(generator.generate(Size({"sensor": 2_000, "clock": 500}))))
    target = f"vhost-user:{serve(str(file))}?message-size={SMALLEST}&queue-size=8"
    with connect(target) as agent:
        for kind, protocol, count in (
            ("sensor", sensor.PROTOCOL, 2_000),
            ("clock", clock.PROTOCOL, 500),
        ):
            found = agent.discover(protocol)
            assert found.names == [NAMES[kind](number) for number in range(count)]
            assert found.fault is None


def test_all_sensors_are_listed_with_a_message_for_the_state_of_each(large: Large) -> None:
    large.agent.discover(sensor.PROTOCOL)
    before = large.messages
    records = large.records("sensor list")
    assert [record["id"] for record in records] == list(range(SENSORS))
    assert not any(record.get("error") for record in records)
    axes = sum(record["axes"] > 0 for record in records)
    # Whether it is enabled; of those with axes these, and their long names.
    assert SENSORS + axes <= large.messages - before <= SENSORS + 2 * axes + 3


def test_the_last_sensor_answers_by_number_and_by_name(large: Large) -> None:
    large.agent.discover(sensor.PROTOCOL)
    before = large.messages
    [by_number] = large.records("sensor read 65535")
    [by_name] = large.records(f"sensor read {NAMES['sensor'](65535)}")
    assert by_number["name"] == by_name["name"] == NAMES["sensor"](65535)
    assert large.messages - before <= 6
    with pytest.raises(StatusError, match="NOT_FOUND"):
        large.records("sensor read 65536")
    with pytest.raises(UsageError, match=r"unknown sensor 'temp8192', .* and 65524 more"):
        large.records("sensor read temp8192")


def test_all_clocks_are_listed_and_the_last_one_answers(large: Large) -> None:
    records = large.records("clock list")
    assert [record["name"] for record in records] == [NAMES["clock"](n) for n in range(CLOCKS)]
    assert not any(record.get("error") for record in records)
    assert sum(record["parent"] is not None for record in records) == CLOCKS - 1
    last = NAMES["clock"](CLOCKS - 1)
    [shown] = large.records(f"clock show {last}")
    assert (shown["id"], shown["name"]) == (CLOCKS - 1, last)


@pytest.mark.parametrize("kind", [kind for kind in DOMAINS if kind not in ("clock", "sensor")])
def test_a_thousand_domains_of_each_kind_are_listed(large: Large, kind: str) -> None:
    records = large.records(f"{kind} list")
    assert [record["name"] for record in records] == [NAMES[kind](n) for n in range(OTHERS)]
    assert not any(record.get("error") for record in records)
    [shown] = large.records(f"{kind} show {NAMES[kind](OTHERS - 1)}")
    assert shown["id"] == OTHERS - 1


@pytest.mark.parametrize("kind", PINS)
def test_a_thousand_pins_groups_and_functions_are_listed(large: Large, kind: str) -> None:
    records = large.records(f"pinctrl list {kind}s")
    assert [record["name"] for record in records] == [NAMES[kind](n) for n in range(OTHERS)]
    assert not any(record.get("error") for record in records)


def test_levels_come_in_as_many_messages_as_the_room_demands(platform: Platform) -> None:
    small = Large(platform, SMALLEST)
    for protocol, request in (
        (perf.PROTOCOL, perf.DescribeLevels(domain_id=0, level_index=0)),
        (voltage.PROTOCOL, voltage.DescribeLevels(domain_id=0, level_index=0)),
    ):
        small.agent.version(protocol)
        asks = [type(request)(domain_id=n, level_index=0) for n in range(OTHERS)]
        before = small.messages
        listings = small.agent.listings(asks)
        assert all(listing.error is None for listing in listings)
        many = Counter(len(listing.items) for listing in listings)
        # A level takes 20 bytes in perf 4.0, 4 in voltage 2.1; before them there are 12.
        fit = (SMALLEST - 12) // (20 if protocol is perf.PROTOCOL else 4)
        wanted = sum(-(-length // fit) * count for length, count in many.items())
        assert small.messages - before == wanted
    small.agent.close()


# --- how work grows -------------------------------------------------------------------------------


def lines_run(work: Callable[[], object]) -> int:
    """How many lines of Python are run: work as no other load of the machine can change it."""
    count = 0

    def trace(frame: FrameType, event: str, arg: object) -> Any:
        nonlocal count
        count += event == "line"
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        work()
    finally:
        sys.settrace(before)
    return count


LISTS = (
    *(f"{kind} list" for kind in DOMAINS),
    *("clock show all", "clock parents all", "clock tree", "sensor read all", "sensor show all"),
    *("powercap tree", "powercap measure all", "perf levels all", "pinctrl list"),
)


FEW, MANY = 100, 300
MOST = 1.1 * MANY / FEW
"""How much more work three times as many things may be: quadratic work would be nine times."""


def board(many: int) -> str:
    counts = dict.fromkeys(KINDS, many)
    return "".join(generator.generate(Size({**counts, "agent": 2, "device": many // 10})))


@pytest.fixture(scope="module")
def both() -> tuple[Platform, Platform]:
    return Platform.from_text(board(FEW)), Platform.from_text(board(MANY))


@pytest.mark.parametrize("line", LISTS)
def test_three_times_as_many_things_are_three_times_the_work_and_the_messages(
    both: tuple[Platform, Platform], line: str
) -> None:
    work, messages = [], []
    for platform in both:
        small = Large(platform, SMALLEST)
        small.records(line)  # modules are loaded, and everything is discovered
        messages.append(small.messages)
        work.append(lines_run(partial(small.records, line)))
        small.agent.close()
    assert work[1] < MOST * work[0]
    assert messages[1] < MOST * messages[0]


def test_loading_three_times_as_many_things_is_three_times_the_work() -> None:
    work = []
    for many in (FEW, MANY):
        text = board(many)
        Platform.from_text(text)
        work.append(lines_run(partial(Platform.from_text, text)))
    assert work[1] < MOST * work[0]
