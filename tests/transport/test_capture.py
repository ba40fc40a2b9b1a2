"""A capture sees every frame both ways, and changes nothing."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from scmictl.transport import Capture, Frame, Transport
from scmictl.transport.inprocess import InProcess
from scmictl.transport.queues import Choices

UPDATE = bytes.fromhex("01570000 00000000")


class Port:
    """Answers each frame with itself and says UPDATE once."""

    def __init__(self) -> None:
        self.due: list[tuple[int | None, bytes]] = [(None, UPDATE)]
        self.closed = False

    def handle(self, cookie: int, frame: bytes, room: int, now: float) -> bytes | None:
        return frame

    def poll(self, now: float) -> list[tuple[int | None, bytes]]:
        due, self.due = self.due, []
        return due

    def next_deadline(self) -> float | None:
        return 77.0

    def close(self) -> None:
        self.closed = True


def test_frames_are_seen_in_both_directions_with_queue_and_rising_time(
    drive: Callable[[Transport], Any],
) -> None:
    seen: list[Frame] = []
    port = Port()
    inner = InProcess(port, choices=Choices(queue_size=2, event_buffers=1), offered=1)
    capture = Capture(inner, seen.append)
    driver = drive(capture)
    assert capture.send(b"one! more", 5)
    assert not capture.send(b"no slot", 6)
    found = driver.look()
    assert [(f.data, f.queue, f.cookie) for f in found] == [(b"one! more", 0, 5), (UPDATE, 1, None)]
    assert [(f.data, f.outgoing, f.queue) for f in seen] == [
        (b"one! more", True, 0),
        (b"one! more", False, 0),
        (UPDATE, False, 1),
    ]
    times = [frame.time for frame in seen]
    assert times == sorted(times)


def test_everything_else_is_the_inner_transports(drive: Callable[[Transport], Any]) -> None:
    port = Port()
    inner = InProcess(port)
    capture = Capture(inner, lambda frame: None)
    driver = drive(capture)
    assert capture.link is inner.link
    assert capture.fileno() is None
    driver.look()
    driver.look()
    assert capture.next_deadline() == 77.0
    capture.close()
    assert port.closed


def test_a_capture_of_a_real_device_has_its_descriptor(
    hand_device: Any, attach: Callable[..., Any], drive: Callable[[Transport], Any]
) -> None:
    seen: list[Frame] = []
    inner = attach().transport
    driver = drive(Capture(inner, seen.append))
    assert driver.transport.fileno() == inner.fileno()
    driver.send("00400000")
    (found,) = driver.receive(1)
    assert [frame.data for frame in seen] == [bytes.fromhex("00400000"), found.data]
