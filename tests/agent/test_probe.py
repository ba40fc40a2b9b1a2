"""No answer: a slow device is told from a dead queue, however full ring and token space are."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from scmictl.errors import DeviceGone, LocalProtocolError, TransferTimeout
from scmictl.protocols import base, clock
from scmictl.transport.queues import Choices

SUCCESS = bytes(4)
RATE = SUCCESS + bytes(8)
ONE_SLOT = Choices(queue_size=2, event_buffers=1)
NO_INDIRECT = ~(1 << 28)


def only_versions(frame: bytes) -> bytes | None:
    """Answer BASE PROTOCOL_VERSION and nothing else."""
    if int.from_bytes(frame[:4], "little") & 0x3FCFF == 0x10 << 10:
        return frame[:4] + SUCCESS + bytes.fromhex("00000200")
    return None


def test_a_slow_answer_frees_the_only_slot_and_is_still_good(
    make: Callable[..., Any], peer: Any, time: Any
) -> None:
    agent = make(choices=ONE_SLOT, offered=NO_INDIRECT)
    assert agent.link.depth == 1
    peer.answer = only_versions

    def pass_the_deadline() -> None:
        time.time += 1.0

    time.on_wait = [pass_the_deadline, lambda: peer.respond(RATE)]
    assert agent.call(clock.RateGet(clock_id=3)).rate == 0
    assert agent.call(base.ProtocolVersion()).version == 0x20000


def test_a_ring_that_stays_full_is_a_dead_queue_after_a_second_time_limit(
    make: Callable[..., Any], peer: Any, time: Any
) -> None:
    agent = make(choices=ONE_SLOT, offered=NO_INDIRECT)
    with pytest.raises(DeviceGone, match="CLOCK_RATE_GET, and its ring is full") as caught:
        agent.call(clock.RateGet(clock_id=3))
    assert caught.value.exit_code == 12
    assert time.now() == pytest.approx(1002.0)


def test_a_full_ring_that_moves_again_lets_the_device_be_asked(
    make: Callable[..., Any], peer: Any, time: Any
) -> None:
    agent = make(choices=Choices(queue_size=4, event_buffers=1), offered=NO_INDIRECT)
    assert agent.link.depth == 2
    peer.answer = only_versions
    slow, other = (agent.submit(clock.RateGet(clock_id=n)) for n in range(2))

    def pass_the_deadline() -> None:
        time.time += 1.0

    time.on_wait = [pass_the_deadline, lambda: peer.respond(RATE, to=1)]
    agent.collect([slow, other])
    assert other.result().rate == 0
    with pytest.raises(TransferTimeout, match="no response within 1 s"):
        slow.result()


def test_the_time_of_a_command_begins_when_it_leaves_not_while_it_waits_for_a_slot(
    make: Callable[..., Any], peer: Any, time: Any
) -> None:
    agent = make(choices=ONE_SLOT, offered=NO_INDIRECT)
    patient = agent.submit(clock.RateGet(clock_id=1), timeout=60)

    def pass_time() -> None:
        time.time += 1.5

    def answer_first() -> None:
        peer.respond(RATE)

    def answer_second() -> None:
        time.time += 0.9
        peer.respond(RATE)

    time.on_wait = [pass_time, answer_first, answer_second]
    assert agent.call(clock.RateGet(clock_id=2)).rate == 0
    assert patient.result().rate == 0


def test_a_command_for_which_no_slot_comes_free_says_so(
    make: Callable[..., Any], peer: Any, time: Any
) -> None:
    agent = make(choices=ONE_SLOT, offered=NO_INDIRECT)
    agent.submit(clock.RateGet(clock_id=1), timeout=60)
    with pytest.raises(DeviceGone, match="no slot came free for it in 2 s"):
        agent.submit(clock.RateGet(clock_id=2))
    assert agent.in_flight == 1


def test_more_commands_than_there_are_tokens_wait_for_one(
    make: Callable[..., Any], peer: Any
) -> None:
    agent = make(choices=Choices(queue_size=1024, event_buffers=1, message_size=64))
    assert agent.link.depth == 1024
    peer.answer = lambda frame: frame[:4] + RATE
    transfers = [agent.submit(clock.RateGet(clock_id=n)) for n in range(3000)]
    agent.collect(transfers)
    assert all(t.result().rate == 0 for t in transfers)


def test_a_dead_queue_with_every_token_in_use_is_a_dead_queue(
    make: Callable[..., Any], peer: Any, time: Any
) -> None:
    agent = make(choices=Choices(queue_size=1024, event_buffers=1, message_size=64))
    # One token is kept, so that it can be asked about.
    transfers = [agent.submit(clock.RateGet(clock_id=n)) for n in range(1023)]
    with pytest.raises(DeviceGone, match="its command queue is dead"):
        agent.collect(transfers)
    assert {type(t.error) for t in transfers} == {DeviceGone}


def test_tokens_that_are_all_in_quarantine_are_reported(
    make: Callable[..., Any], peer: Any, time: Any
) -> None:
    agent = make(versions={0x14: 0x30000}, delayed_timeout=1.0)
    peer.answer = lambda frame: only_versions(frame) or frame[:4] + SUCCESS
    asynchronous = clock.RateSet(flags=clock.RateSetFlags(async_=True), clock_id=2, rate=1)
    for _ in range(4):
        transfers = [agent.submit(asynchronous) for _ in range(250)]
        agent.collect(transfers)
        assert {type(t.error) for t in transfers} == {TransferTimeout}
    with pytest.raises(LocalProtocolError, match="1023 of 1024 belong to commands"):
        for _ in range(25):
            agent.submit(asynchronous)


def test_a_late_response_alone_does_not_free_a_token_that_a_delayed_response_may_carry(
    make: Callable[..., Any], peer: Any, time: Any
) -> None:
    agent = make(versions={0x14: 0x30000})
    peer.answer = only_versions
    asynchronous = clock.RateSet(flags=clock.RateSetFlags(async_=True), clock_id=2, rate=1)
    with pytest.raises(TransferTimeout):
        agent.complete(asynchronous)
    first = peer.tokens[0]
    peer.respond(SUCCESS)
    agent.dispatch(time.now())
    for _ in range(1023):
        agent.call(base.ProtocolVersion())
    assert peer.tokens.count(first) == 1
    word = (int.from_bytes(peer.frames[0][:4], "little") | 2 << 8).to_bytes(4, "little")
    peer.event(word + SUCCESS + bytes(12))
    agent.dispatch(time.now())
    for _ in range(1024):
        agent.call(base.ProtocolVersion())
    assert peer.tokens.count(first) == 2


def test_an_event_does_not_free_the_token_of_a_command_whose_buffer_is_still_out(
    agent: Any, peer: Any, time: Any
) -> None:
    peer.answer = only_versions
    with pytest.raises(TransferTimeout):
        agent.call(clock.RateGet(clock_id=3))
    word = (int.from_bytes(peer.frames[0][:4], "little") | 2 << 8).to_bytes(4, "little")
    peer.event(word + SUCCESS)
    agent.dispatch(time.now())
    for _ in range(1024):
        agent.call(base.ProtocolVersion())
    assert peer.tokens.count(peer.tokens[0]) == 1
