"""Losing a device and finding it again, when it is lost once more and when somebody interrupts."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from scmictl.agent import Agent, Event, Interrupt, Reconnected, Waiter, connect
from scmictl.errors import (
    ConnectError,
    DeviceGone,
    Interrupted,
    RemoteProtocolError,
    ScmictlError,
)
from scmictl.protocols import base, sensor
from scmictl.protocols.common import NotifyEnable
from scmictl.transport import Transport
from scmictl.transport.inprocess import InProcess

SUCCESS = bytes(4)
VERSION = bytes.fromhex("00000000 00000200")
SUBSCRIBE = [
    sensor.ContinuousUpdateNotify(sensor_id=n, notify_enable=NotifyEnable(1)) for n in range(2)
]
ON = [bytes.fromhex("00000000 01000000"), bytes.fromhex("01000000 01000000")]
OFF = [bytes.fromhex("00000000 00000000"), bytes.fromhex("01000000 00000000")]
UPDATE = bytes.fromhex("01570000 00000000 00000000 0100000000000000 0000000000000000")


class Platform:
    """Answers everything with SUCCESS and a version, until it is lost at a frame."""

    def __init__(self, lost_at: bytes | None = None) -> None:
        self.frames: list[bytes] = []
        self.lost_at = lost_at
        self.on_frame: Callable[[bytes], None] = lambda frame: None

    def handle(self, cookie: int, frame: bytes, room: int, now: float) -> bytes | None:
        self.frames.append(frame[4:])
        self.on_frame(frame[4:])
        if frame[4:] == self.lost_at:
            raise DeviceGone("the device hung up")
        return frame[:4] + VERSION

    def poll(self, now: float) -> list[tuple[int | None, bytes]]:
        return []

    def next_deadline(self) -> float | None:
        return None

    def close(self) -> None:
        pass


def chain(time: Any, *platforms: Any, seconds: float = 5.0) -> Agent:
    """Connect to the first platform; each loss leads to the next, exceptions are failures."""
    left = list(platforms)

    def reopen() -> Transport:
        found = left.pop(0)
        if isinstance(found, Exception):
            raise found
        return InProcess(found)

    return Agent(reopen(), waiter=time, reopen=reopen, reconnect=seconds)


def lose(agent: Agent, platform: Platform) -> None:
    platform.lost_at = b""
    with pytest.raises(DeviceGone):
        agent.call(base.ProtocolVersion())


def test_a_device_lost_again_while_it_is_renewed_is_found_again(time: Any) -> None:
    first, second, third = Platform(), Platform(lost_at=ON[1]), Platform()
    agent = chain(time, first, second, third)
    for request in SUBSCRIBE:
        agent.subscribe(request)
    lose(agent, first)
    assert agent.call(base.ProtocolVersion()).version == 0x20000
    assert second.frames == ON
    assert third.frames == [*ON, b""]
    (event,) = agent.dispatch(time.now())
    assert isinstance(event, Reconnected), "one gap, whatever happened in it"


def test_a_device_that_is_lost_at_every_renewal_is_given_up_in_time(time: Any) -> None:
    first = Platform()
    agent = chain(time, first, *(Platform(lost_at=ON[0]) for _ in range(1000)), seconds=2.0)
    agent.subscribe(SUBSCRIBE[0])
    lose(agent, first)
    with pytest.raises(DeviceGone):
        agent.call(base.ProtocolVersion())
    assert time.now() == pytest.approx(1002.0)


def test_a_device_that_comes_up_speaking_nonsense_is_tried_again(time: Any) -> None:
    first, second = Platform(), Platform()
    agent = chain(time, first, RemoteProtocolError("half a message"), second)
    lose(agent, first)
    assert agent.call(base.ProtocolVersion()).version == 0x20000


@pytest.fixture
def interrupt() -> Iterator[Interrupt]:
    made = Interrupt()
    yield made
    made.close()


def test_a_renewal_that_is_interrupted_begins_anew_and_forgets_nothing(
    time: Any, interrupt: Interrupt
) -> None:
    time.interrupt = interrupt
    first, second, third = Platform(), Platform(), Platform()
    agent = chain(time, first, second, third)
    for request in SUBSCRIBE:
        agent.subscribe(request)
    second.on_frame = lambda frame: interrupt.set()
    lose(agent, first)
    with pytest.raises(Interrupted):
        agent.call(base.ProtocolVersion())
    interrupt.clear()
    agent.call(base.ProtocolVersion())
    assert third.frames == [*ON, b""]
    agent.close()
    assert third.frames == [*ON, b"", *reversed(OFF)]


def test_closing_while_the_device_is_gone_sends_nothing_and_does_not_wait(time: Any) -> None:
    first = Platform()
    agent = chain(time, first, *[ConnectError("not there")] * 1000, seconds=1000.0)
    agent.subscribe(SUBSCRIBE[0])
    lose(agent, first)
    now = time.now()
    assert agent.fileno() is None
    agent.close()
    agent.close()
    assert time.now() == now
    with pytest.raises(ScmictlError):
        agent.call(base.ProtocolVersion())


def test_what_is_collected_over_a_loss_ends_with_errors_and_the_connection_goes_on(
    time: Any,
) -> None:
    first, second = Platform(lost_at=b""), Platform()
    agent = chain(time, first, second)
    transfers = [agent.submit(base.ProtocolVersion()) for _ in range(5)]
    agent.collect(transfers)
    assert {type(t.error) for t in transfers} == {DeviceGone}
    assert agent.call(base.ProtocolVersion()).version == 0x20000
    assert second.frames == [b""], "nothing is sent twice"


def subscribable(asked: Any) -> None:
    asked.answer(VERSION)


def test_a_watch_over_a_real_socket_goes_on_after_the_device_has_hung_up(
    hand_device: Any,
) -> None:
    hand_device.on_command = subscribable
    with connect(f"vhost-user:{hand_device.path}?reconnect=10s&wait=60s") as agent:
        agent.subscribe(SUBSCRIBE[0])
        seen: list[object] = []
        hand_device.event(UPDATE)
        for incident in agent.notifications(Waiter().now() + 20):
            seen.append(type(incident))
            if len(seen) == 1:
                hand_device.hang_up()
            elif len(seen) == 2:
                hand_device.event(UPDATE)
            else:
                break
        assert seen == [Event, Reconnected, Event]
        assert hand_device.clients == 2


def test_a_queue_that_a_device_broke_is_a_loss_to_recover_from(hand_device: Any) -> None:
    hand_device.on_command = lambda asked: asked.ring.put(0xFFFF, 8)
    with connect(f"vhost-user:{hand_device.path}?reconnect=10s") as agent:
        with pytest.raises(RemoteProtocolError, match="id 65535"):
            agent.call(base.ProtocolVersion())
        hand_device.do(lambda: setattr(hand_device, "on_command", subscribable))
        assert agent.call(base.ProtocolVersion()).version == 0x20000


def test_without_reconnect_what_comes_after_a_loss_fails_at_once(hand_device: Any) -> None:
    hand_device.on_command = subscribable
    with connect(f"vhost-user:{hand_device.path}") as agent:
        agent.call(base.ProtocolVersion())
        hand_device.hang_up()
        with pytest.raises(DeviceGone, match="hung up"):
            next(agent.notifications())
        with pytest.raises(DeviceGone):
            next(agent.notifications())
        with pytest.raises(DeviceGone):
            agent.call(base.ProtocolVersion())
        assert agent.fileno() is None


def test_what_comes_while_subscriptions_are_renewed_comes_after_the_gap(hand_device: Any) -> None:
    def command(asked: Any) -> None:
        if hand_device.clients == 2:
            hand_device.rings[1].take().give(UPDATE)
        asked.answer(VERSION)

    hand_device.on_command = command
    with connect(f"vhost-user:{hand_device.path}?reconnect=10s") as agent:
        agent.subscribe(SUBSCRIBE[0])
        hand_device.hang_up()
        found = agent.notifications(Waiter().now() + 20)
        assert [type(next(found)) for _ in range(2)] == [Reconnected, Event]
