"""Frames between queues and a port: late answers, event buffers that are few, small or missing."""

from __future__ import annotations

import pytest

from scmictl.device import pump
from scmictl.errors import DeviceGone
from scmictl.transport.inprocess import InProcess
from scmictl.transport.queues import Choices

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
