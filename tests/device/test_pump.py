"""Frames between queues and a port: late answers, event buffers that are few, small or missing."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from scmictl.device import pump
from scmictl.errors import DeviceGone
from scmictl.transport.inprocess import InProcess
from scmictl.transport.queues import GUEST_BASE, USER_BASE, Choices, Queues
from scmictl.virtio import layout
from scmictl.virtio.device import DeviceQueue
from scmictl.virtio.memory import MemoryMap, Region

DELAYED = bytes.fromhex("05520000 00000000")


def notification(number: int, size: int = 8) -> bytes:
    return bytes.fromhex("00570000") + number.to_bytes(4, "little").ljust(size - 4, b"\0")


class Port:
    """Answers what the test puts into ``answers`` and says what it puts into ``due``."""

    def __init__(self) -> None:
        self.answers: list[bytes | None] = []
        self.due: list[tuple[int | None, bytes]] = []
        self.cookies: list[int] = []

    def handle(self, cookie: int, frame: bytes, room: int, now: float) -> bytes | None:
        self.cookies.append(cookie)
        return self.answers.pop(0)

    def poll(self, now: float) -> list[tuple[int | None, bytes]]:
        due, self.due = self.due, []
        return due

    def next_deadline(self) -> float | None:
        return None

    def close(self) -> None:
        pass


def received(transport: InProcess) -> list[bytes]:
    return [frame.data for frame in transport.dispatch(0.0)]


def test_a_command_answered_later_keeps_its_buffer_until_then() -> None:
    port = Port()
    transport = InProcess(port)
    port.answers = [None, b"second??"]
    transport.send(b"one!", 11)
    transport.send(b"two!", 22)
    assert [(f.cookie, f.data) for f in transport.dispatch(0.0)] == [(22, b"second??")]
    port.due = [(port.cookies[0], b"first???")]
    assert [(f.cookie, f.data) for f in transport.dispatch(0.0)] == [(11, b"first???")]


def test_a_request_too_short_for_a_header_gets_its_buffer_back_empty() -> None:
    port = Port()
    transport = InProcess(port)
    port.answers = [None]
    transport.send(b"\1\2", 5)
    assert [(f.cookie, f.data) for f in transport.dispatch(0.0)] == [(5, b"")]


def test_a_second_late_answer_to_the_same_command_goes_nowhere() -> None:
    port = Port()
    transport = InProcess(port)
    port.answers = [None]
    transport.send(b"one!", 1)
    transport.dispatch(0.0)
    port.due = [(port.cookies[0], b"answer!!"), (port.cookies[0], b"again!!!")]
    assert received(transport) == [b"answer!!"]


def test_notifications_wait_for_event_buffers_in_their_order() -> None:
    port = Port()
    transport = InProcess(port, choices=Choices(event_buffers=2))
    port.due = [(None, notification(n)) for n in range(5)]
    seen = []
    while found := received(transport):
        assert len(found) <= 2
        seen += found
    assert seen == [notification(n) for n in range(5)]


def test_a_notification_too_large_for_the_buffers_does_not_hold_up_the_others() -> None:
    port = Port()
    transport = InProcess(port, choices=Choices(message_size=16, event_buffers=4))
    port.due = [(None, notification(1, size=17)), (None, notification(2))]
    assert received(transport) == [notification(2)]
    port.due = [(None, notification(3))]
    assert received(transport) == [notification(3)]


def test_notifications_beyond_the_backlog_are_dropped_oldest_first_and_counted() -> None:
    port = Port()
    transport = InProcess(port, choices=Choices(event_buffers=1))
    extra = 10
    port.due = [(None, notification(n)) for n in range(pump.BACKLOG + extra + 1)]
    first = received(transport)
    assert first == [notification(0)]
    assert transport._pump.dropped == extra
    assert received(transport) == [notification(extra + 1)]


def test_a_delayed_response_is_never_dropped() -> None:
    port = Port()
    transport = InProcess(port, choices=Choices(event_buffers=1))
    port.due = [
        (None, DELAYED),
        (None, DELAYED),
        *((None, notification(n)) for n in range(2 * pump.BACKLOG)),
    ]
    assert received(transport) == [DELAYED]
    assert received(transport) == [DELAYED]


def test_what_was_answered_before_the_port_hangs_up_is_given_back_first() -> None:
    class Leaving(Port):
        def handle(self, cookie: int, frame: bytes, room: int, now: float) -> bytes | None:
            if frame == b"bye!":
                raise DeviceGone("the device hung up")
            return frame

    transport = InProcess(Leaving())
    for number, frame in enumerate((b"one!", b"two!", b"bye!", b"four")):
        transport.send(frame, number)
    assert received(transport) == [b"one!", b"two!"]
    assert transport.next_deadline() == 0.0
    for _ in range(2):
        with pytest.raises(DeviceGone, match="hung up"):
            transport.dispatch(0.0)


class Bench:
    """A driver's two queues and the pump behind them, with nobody to run either by itself."""

    def __init__(self, port: Port, *, event_idx: bool = True, patience: float = 0.01) -> None:
        wanted = (layout.F_P2A_CHANNELS, layout.F_VERSION_1, *([layout.F_EVENT_IDX] * event_idx))
        self.driver = Queues(Choices(), sum(1 << bit for bit in wanted))
        memory = memoryview(bytearray(self.driver.plan.size))
        self.driver.build(memory)
        self.driver.publish()
        table = MemoryMap([Region(GUEST_BASE, USER_BASE, len(memory), memory)])
        queues = []
        for plan in (self.driver.plan.cmdq, self.driver.plan.eventq):
            assert plan is not None
            places = (USER_BASE + at for at in (plan.desc, plan.avail, plan.used))
            rings = table.rings(plan.size, *places)
            queues.append(
                DeviceQueue(
                    table, plan.size, rings.desc, rings.avail, rings.used,
                    event_idx=event_idx, indirect=False,
                )
            )  # fmt: skip
        self.queues = queues[0], queues[1]
        self.pump = pump.Pump(port, patience=patience)

    def process(self, now: float) -> None:
        self.pump.process(*self.queues, now)

    def answer_with_a_quick_delayed_response(self, port: Port) -> None:
        port.answers = [b"response"]
        port.due = [(None, DELAYED)]
        assert self.driver.send(b"one!", 1)
        self.driver.publish()
        self.process(1.0)

    def events(self) -> list[bytes]:
        assert self.driver.eventq is not None
        return self.driver.eventq.reap()

    def commands(self) -> list[bytes]:
        assert self.driver.cmdq is not None
        return [data for _, data in self.driver.cmdq.reap()]


def test_a_delayed_response_waits_until_the_driver_has_taken_the_response_before_it() -> None:
    port = Port()
    bench = Bench(port)
    bench.answer_with_a_quick_delayed_response(port)
    assert bench.events() == []
    assert bench.pump.next_deadline() == pytest.approx(1.0 + pump.LOOK_S)
    assert not bench.pump.arm(*bench.queues)  # nothing a kick would help with
    assert bench.commands() == [b"response"]
    bench.process(1.001)
    assert bench.events() == []  # it has not said that it has
    bench.driver.arm()
    bench.process(1.002)
    assert bench.events() == [DELAYED]
    assert bench.pump.next_deadline() is None


def _never(bench: Bench) -> None:
    pass


def _takes(bench: Bench) -> None:
    bench.commands()
    bench.driver.arm()


@pytest.mark.parametrize(("event_idx", "driver"), [(True, _never), (False, _takes)])
def test_a_driver_that_does_not_say_what_it_has_taken_holds_it_up_for_a_moment_only(
    event_idx: bool, driver: Callable[[Bench], None]
) -> None:
    port = Port()
    bench = Bench(port, event_idx=event_idx)
    bench.answer_with_a_quick_delayed_response(port)
    driver(bench)
    bench.process(1.009)
    assert bench.events() == []
    bench.process(1.0101)
    assert bench.events() == [DELAYED]


def test_a_delayed_response_that_no_eventq_takes_asks_for_no_looking_without_end() -> None:
    port = Port()
    bench = Bench(port)
    port.answers = [b"response"]
    port.due = [(None, DELAYED)]
    assert bench.driver.send(b"one!", 1)
    bench.driver.publish()
    for now in (1.0, 1.02):
        bench.pump.process(bench.queues[0], None, now)
    assert bench.pump.next_deadline() is None
    bench.process(1.03)
    assert bench.events() == [DELAYED]


def test_notifications_do_not_wait_for_the_driver_to_take_its_responses() -> None:
    port = Port()
    bench = Bench(port)
    port.due = [(None, notification(1))]
    bench.process(1.0)
    assert bench.events() == [notification(1)]
