"""Devices that write anything into the rings: each ends in the right error, and nothing hangs."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from scmictl.agent import Agent, Event, Lost, Stray, connect, inbox
from scmictl.errors import DeviceGone, QueueBroken, RemoteProtocolError, ScmictlError
from scmictl.protocols import base, clock
from scmictl.transport import queues

VERSION = bytes.fromhex("00000000 00000200")
UPDATE = bytes.fromhex("01570000 00000000 00000000 0100000000000000 0000000000000000")
RATE = clock.RateGet(clock_id=3)


@pytest.fixture
def reach(hand_device: Any) -> Iterator[Callable[..., Agent]]:
    """Return a function that connects an agent to the device written by hand."""
    opened: list[Agent] = []

    def connect_to(options: str = "", **more: Any) -> Agent:
        uri = f"vhost-user:{hand_device.path}{options and '?' + options}"
        opened.append(connect(uri, **more))
        return opened[-1]

    yield connect_to
    while opened:  # an agent that met a fault remembers it, and with it whoever saw it
        opened.pop().close()


def raises(agent: Agent, kind: type[ScmictlError], code: int, words: str) -> None:
    """Call a command that has to fail in one line of these words."""
    with pytest.raises(kind) as caught:
        agent.call(RATE)
    assert type(caught.value) is kind
    assert caught.value.exit_code == code
    assert re.search(words, caught.value.message), caught.value.message
    assert "\n" not in caught.value.message


# --- the used ring --------------------------------------------------------------------------------


def jump(asked: Any) -> None:
    asked.ring.put(asked.head, 8, at=asked.ring.used + 6)


def back(asked: Any) -> None:
    asked.ring.show(0xFFFF)


def outside(asked: Any) -> None:
    asked.ring.put(256, 8)


def enormous(asked: Any) -> None:
    asked.ring.put(0xFFFF_FFFF, 8)


def free(asked: Any) -> None:
    asked.ring.put(asked.head + 2 & 0xFF, 8)


BROKEN = [
    (jump, r"used\.idx went from 0 to 6, expected 1 or fewer more"),
    (back, r"used\.idx went from 0 to 65535, expected 1 or fewer more"),
    (outside, r"id 256, expected less than 256"),
    (enormous, r"id 4294967295, expected less than 256"),
    (free, r"expected the head of a chain in flight"),
]


@pytest.mark.parametrize(("deed", "words"), BROKEN, ids=[deed.__name__ for deed, _ in BROKEN])
@pytest.mark.parametrize("signal", [True, False], ids=["signalled", "silent"])
def test_a_used_ring_that_breaks_the_rules_breaks_the_queue(
    hand_device: Any, reach: Callable[..., Agent], deed: Any, words: str, signal: bool
) -> None:
    def command(asked: Any) -> None:
        deed(asked)
        if signal:
            asked.ring.signal()

    hand_device.on_command = command
    agent = reach()
    raises(agent, QueueBroken, 5, words)
    # What is broken stays broken, and is told at once.
    raises(agent, DeviceGone, 12, words)
    assert agent.fileno() is None


def test_what_came_before_a_fault_is_handed_out_before_the_fault(
    hand_device: Any, reach: Callable[..., Agent]
) -> None:
    kept: list[Any] = []

    def command(asked: Any) -> None:
        kept.append(asked)
        if len(kept) == 3:
            for one in kept[:2]:
                one.answer(VERSION, signal=False)
            kept[0].ring.put(kept[0].head, 12)  # the first one again
            kept[0].ring.signal()

    hand_device.on_command = command
    agent = reach()
    transfers = [agent.submit(base.ProtocolVersion()) for _ in range(3)]
    with pytest.raises(QueueBroken, match="expected the head of a chain in flight"):
        agent.collect(transfers)
    assert [t.result().version for t in transfers[:2]] == [0x20000] * 2
    assert isinstance(transfers[2].error, QueueBroken)


def test_an_event_queue_that_breaks_the_rules_ends_the_connection_after_what_came_before(
    hand_device: Any, reach: Callable[..., Agent]
) -> None:
    agent = reach()
    agent.call(base.ProtocolVersion())

    def misbehave() -> None:
        ring = hand_device.rings[1]
        first = ring.take()
        first.give(UPDATE, signal=False)
        ring.put(first.head, len(UPDATE))
        ring.signal()

    hand_device.do(misbehave)
    found = agent.notifications()
    assert isinstance(next(found), Event)
    with pytest.raises(QueueBroken, match="eventq: used entry 1"):
        next(found)


def test_an_entry_for_an_event_buffer_that_was_never_posted_breaks_the_queue(
    hand_device: Any, reach: Callable[..., Agent]
) -> None:
    agent = reach("event-buffers=4")
    agent.call(base.ProtocolVersion())

    def misbehave() -> None:
        hand_device.rings[1].put(4, 8)
        hand_device.rings[1].signal()

    hand_device.do(misbehave)
    with pytest.raises(QueueBroken, match="id 4, expected the head of a chain in flight"):
        next(agent.notifications())


def test_a_length_beyond_the_buffer_is_cut_to_the_buffer(
    hand_device: Any, reach: Callable[..., Agent]
) -> None:
    hand_device.on_command = lambda asked: asked.give(asked.frame[:4] + VERSION, length=0xFFFF_FFFF)
    agent = reach("message-size=64")
    response = agent.call(base.ProtocolVersion())
    assert response.version == 0x20000
    assert response.surplus == bytes(52)


def test_what_an_answer_left_behind_is_not_read_as_the_next_one(
    hand_device: Any, reach: Callable[..., Agent]
) -> None:
    agent = reach("queue-size=2&features=-indirect&event-buffers=1")
    assert agent.call(base.ProtocolVersion()).version == 0x20000
    hand_device.do(
        lambda: setattr(hand_device, "on_command", lambda asked: asked.give(b"", length=12))
    )
    with pytest.raises(RemoteProtocolError) as caught:
        agent.call(base.ProtocolVersion())
    assert caught.value.exit_code == 5


# --- responses ------------------------------------------------------------------------------------


def flipped(bit: int) -> Callable[[Any], None]:
    def command(asked: Any) -> None:
        word = int.from_bytes(asked.frame[:4], "little") ^ bit
        asked.give(word.to_bytes(4, "little") + VERSION)

    return command


def cut(length: int) -> Callable[[Any], None]:
    return lambda asked: asked.give((asked.frame[:4] + bytes(12))[:length])


RESPONSES = [
    (cut(0), r"a frame of 0 bytes, expected at least the 4 of the header"),
    (cut(3), r"a frame of 3 bytes, expected at least the 4 of the header"),
    (cut(4), r"expected"),
    (cut(7), r"expected"),
    (cut(8), r"expected"),
    (cut(15), r"expected"),
    (flipped(1 << 18), r"has token 0x1, expected 0x0"),
    (flipped(1 << 10), r"has protocol 0x15, expected 0x14"),
    (flipped(1 << 0), r"has message id 0x7, expected 0x6"),
    (flipped(1 << 8), r"has message type 0x1, expected 0x0"),
    (flipped(3 << 8), r"has message type 0x3, expected 0x0"),
]


@pytest.mark.parametrize(("command", "words"), RESPONSES)
def test_a_response_that_is_wrong_fails_its_command_and_no_other(
    hand_device: Any, reach: Callable[..., Agent], command: Any, words: str
) -> None:
    hand_device.on_command = command
    agent = reach()
    raises(agent, RemoteProtocolError, 5, words)
    hand_device.do(lambda: setattr(hand_device, "on_command", lambda asked: asked.answer(VERSION)))
    assert agent.call(base.ProtocolVersion()).version == 0x20000


def test_surplus_bytes_are_kept(hand_device: Any, reach: Callable[..., Agent]) -> None:
    hand_device.on_command = lambda asked: asked.answer(VERSION + b"more")
    assert reach().call(base.ProtocolVersion()).surplus == b"more"


def test_a_command_that_is_never_answered_on_a_living_queue_is_a_timeout(
    hand_device: Any, reach: Callable[..., Agent]
) -> None:
    def command(asked: Any) -> None:
        if asked.key == (0x10, 0):
            asked.answer(VERSION)

    hand_device.on_command = command
    agent = reach(timeout=0.05)
    with pytest.raises(ScmictlError) as caught:
        agent.call(RATE)
    assert (caught.value.name, caught.value.exit_code) == ("TIMEOUT", 4)
    assert agent.call(base.ProtocolVersion()).version == 0x20000


@pytest.mark.parametrize("shape", ["", "queue-size=2&features=-indirect&event-buffers=1"])
def test_a_queue_that_never_moves_is_dead(
    hand_device: Any, reach: Callable[..., Agent], shape: str
) -> None:
    hand_device.on_command = lambda asked: None
    agent = reach(shape, timeout=0.05)
    raises(agent, DeviceGone, 12, "its command queue is dead")


# --- events ---------------------------------------------------------------------------------------

GARBAGE = [
    (b"", 0),
    (b"\1\2\3", 3),
    (bytes(8), 8),  # a response
    (bytes.fromhex("00510000"), 4),  # the reserved type
    (bytes.fromhex("05520000") + bytes(16), 20),  # a delayed response nobody waits for
    (bytes.fromhex("ffff ff0f") + b"\xff" * 60, 64),
    (UPDATE, 0xFFFF_FFFF),
]


@pytest.mark.parametrize(("frame", "length"), GARBAGE)
def test_garbage_on_the_event_queue_is_reported_and_harms_nothing(
    hand_device: Any, reach: Callable[..., Agent], frame: bytes, length: int
) -> None:
    agent = reach("event-buffers=2&message-size=64")
    agent.call(base.ProtocolVersion())
    for _ in range(3):  # more than there are buffers: each is posted again
        hand_device.event(frame, length=length)
        assert isinstance(next(agent.notifications()), Stray | Event)
    assert agent.call(base.ProtocolVersion()).version == 0x20000


def test_an_event_storm_neither_starves_a_command_nor_fills_the_memory(
    hand_device: Any, reach: Callable[..., Agent], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(inbox, "LIMIT", 50)

    def command(asked: Any) -> None:
        # As fast as buffers are posted, and all of them before the answer.
        ring = hand_device.rings[1]
        while (buffer := ring.take()) is not None:
            buffer.give(UPDATE, signal=False)
        ring.signal()
        asked.answer(VERSION)

    hand_device.on_command = command
    agent = reach("event-buffers=16")
    for _ in range(20):
        assert agent.call(base.ProtocolVersion()).version == 0x20000
    happened = agent.dispatch(agent.waiter.now())
    assert len(happened) <= 51
    assert isinstance(happened[-1], Lost)


def test_an_event_buffer_is_posted_again_at_once_and_kicked(
    hand_device: Any, reach: Callable[..., Agent]
) -> None:
    agent = reach("event-buffers=1")
    agent.call(base.ProtocolVersion())
    for _ in range(50):
        hand_device.event(UPDATE)
        assert isinstance(next(agent.notifications()), Event)


# --- the ends of the queues themselves ------------------------------------------------------------


def test_a_fault_of_one_queue_is_not_raised_before_what_the_other_brought() -> None:
    from scmictl.virtio import layout

    made = queues.Queues(queues.Choices(queue_size=4, event_buffers=2, message_size=16), 1)
    view = memoryview(bytearray(made.plan.size))
    made.build(view)
    assert made.plan.eventq is not None
    assert made.send(b"one!", 7)
    made.publish()
    for plan, entries in ((made.plan.cmdq, [(0, 4)]), (made.plan.eventq, [(1, 0), (3, 0)])):
        ring = view[plan.used : plan.used + layout.RingLayout(plan.size).used_size]
        for place, (head, length) in enumerate(entries):
            ring.cast("B")[4 + 8 * place : 12 + 8 * place] = head.to_bytes(
                4, "little"
            ) + length.to_bytes(4, "little")
        ring[2:4] = len(entries).to_bytes(2, "little")
    found = made.reap()
    assert [(f.queue, f.cookie) for f in found] == [(0, 7), (1, None)]
    assert made.publish() == (False, False)
    made.disarm()
    assert made.arm(), "there is something to come for"
    for _ in range(2):
        with pytest.raises(QueueBroken, match="eventq: used entry 1 has id 3"):
            made.reap()
    made.close()
    made.close()
    with pytest.raises(DeviceGone):
        made.send(b"two!", 8)
