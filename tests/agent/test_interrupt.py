"""Ctrl-C, SIGTERM and the deadline of a run: noticed in time, and nothing is left switched on."""

from __future__ import annotations

import os
import select
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from scmictl.agent import Interrupt, Waiter, at_once, connect
from scmictl.errors import ConnectError, Interrupted, TransferTimeout
from scmictl.protocols import base, clock, sensor
from scmictl.protocols.common import NotifyEnable

SUCCESS = bytes(4)
UPDATE = bytes.fromhex("01570000 00000000 00000000 0100000000000000 0000000000000000")
SUBSCRIBE = sensor.ContinuousUpdateNotify(sensor_id=3, notify_enable=NotifyEnable(1))
ON, OFF = bytes.fromhex("03000000 01000000"), bytes.fromhex("03000000 00000000")


@pytest.fixture
def interrupt() -> Iterator[Interrupt]:
    made = Interrupt()
    yield made
    made.close()


def sent(peer: Any) -> list[bytes]:
    return [frame[4:] for frame in peer.frames]


def test_where_every_answer_is_there_at_once_an_interrupt_stops_the_next_command(
    agent: Any, peer: Any, time: Any, interrupt: Interrupt
) -> None:
    time.interrupt = interrupt
    peer.answer = lambda frame: frame[:4] + SUCCESS + bytes(8)
    agent.call(clock.RateGet(clock_id=0))
    interrupt.set()
    with pytest.raises(Interrupted):
        agent.call(clock.RateGet(clock_id=0))
    assert len(peer.frames) == 1


def test_events_that_never_cease_do_not_drown_an_interrupt(
    agent: Any, peer: Any, time: Any, interrupt: Interrupt
) -> None:
    time.interrupt = interrupt
    seen = 0
    peer.event(UPDATE)
    with pytest.raises(Interrupted):
        for _ in agent.notifications():
            seen += 1
            peer.event(UPDATE)
            if seen == 10:
                interrupt.set()
        raise AssertionError("it ends only by the interrupt")
    assert seen == 10


def test_what_an_interrupted_command_may_have_switched_on_is_switched_off_at_the_end(
    agent: Any, peer: Any, time: Any, interrupt: Interrupt
) -> None:
    time.interrupt = interrupt
    time.on_wait = [interrupt.set]
    with pytest.raises(Interrupted):
        agent.subscribe(SUBSCRIBE)
    peer.answer = lambda frame: frame[:4] + SUCCESS
    agent.close()
    assert sent(peer) == [ON, OFF]


def test_what_was_refused_is_not_switched_off(agent: Any, peer: Any) -> None:
    peer.answer = lambda frame: frame[:4] + bytes.fromhex("fdffffff")
    with pytest.raises(Exception, match="DENIED"):
        agent.subscribe(SUBSCRIBE)
    agent.close()
    assert sent(peer) == [ON]


def test_an_interrupt_that_ends_a_with_block_still_switches_off_what_it_held(
    agent: Any, peer: Any, time: Any, interrupt: Interrupt
) -> None:
    time.interrupt = interrupt
    peer.answer = lambda frame: frame[:4] + SUCCESS
    with pytest.raises(Interrupted), agent, agent.subscribe(SUBSCRIBE):
        interrupt.set()
        list(agent.notifications())
    assert sent(peer) == [ON, OFF]


def test_a_second_interrupt_while_closing_gives_up_what_is_held(
    agent: Any, peer: Any, time: Any, interrupt: Interrupt
) -> None:
    time.interrupt = interrupt
    peer.answer = lambda frame: frame[:4] + SUCCESS if frame[4:] == ON else None
    agent.subscribe(SUBSCRIBE)
    time.on_wait = [interrupt.set]
    agent.close()
    agent.close()
    assert peer.closed


def test_closing_is_quick_although_a_patient_command_is_being_asked_about(
    agent: Any, peer: Any, time: Any
) -> None:
    peer.answer = lambda frame: frame[:4] + SUCCESS if frame[4:] == ON else None
    agent.subscribe(SUBSCRIBE)
    agent.submit(clock.RateGet(clock_id=0), timeout=100)
    agent.pause(101)
    now = time.now()
    agent.close()
    assert peer.closed
    assert time.now() - now <= 0.5


def test_an_unclaimed_transfer_that_is_collected_later_is_not_reported_again(
    agent: Any, peer: Any, time: Any
) -> None:
    peer.answer = lambda frame: frame[:4] + SUCCESS + bytes(8)
    early = agent.submit(clock.RateGet(clock_id=0))
    agent.call(base.ProtocolVersion())
    agent.collect([early])
    assert agent.dispatch(time.now()) == []


def test_a_submitted_command_is_a_reason_to_call_dispatch_at_once(
    agent: Any, peer: Any, time: Any
) -> None:
    agent.dispatch(time.now())
    agent.submit(clock.RateGet(clock_id=0))
    assert agent.next_deadline() <= time.now()
    agent.dispatch(time.now())
    assert len(peer.frames) == 1
    assert agent.next_deadline() == time.now() + 1.0


def test_more_events_than_buffers_are_a_reason_to_call_dispatch_at_once(
    make: Callable[..., Any], peer: Any, time: Any
) -> None:
    from scmictl.transport.queues import Choices

    agent = make(choices=Choices(event_buffers=1))
    for _ in range(3):
        peer.event(UPDATE)
    before = time.now()
    found = agent.notifications()
    assert [next(found).spec for _ in range(3)] == ["SENSOR_UPDATE"] * 3
    assert time.now() == before


def test_a_signal_between_the_look_and_the_poll_is_not_missed(interrupt: Interrupt) -> None:
    # What the interpreter does at once, and what the handler does later.
    os.write(interrupt.waker(), b"\2")
    waiter = Waiter(interrupt)
    waiter.wait(None, None)
    interrupt.set(143)
    waiter.wait(None, None)
    waiter.wait(None, None)
    with pytest.raises(Interrupted) as caught:
        waiter.check(waiter.now())
    assert caught.value.exit_code == 143


def test_another_signal_does_not_keep_anybody_awake(interrupt: Interrupt) -> None:
    os.write(interrupt.waker(), b"\x1c" * 100)
    waiter = Waiter(interrupt)
    waiter.wait(None, None)
    assert select.select([interrupt.fileno()], [], [], 0)[0] == []
    waiter.check(waiter.now())


@pytest.mark.parametrize("seconds", [1e7, 1e12, float("inf")])
def test_waiting_very_long_is_no_overflow(interrupt: Interrupt, seconds: float) -> None:
    interrupt.set()
    Waiter(interrupt).wait(None, seconds)


@pytest.mark.parametrize("code", [130, 143])
def test_waiting_for_a_device_ends_with_the_code_of_the_signal(
    tmp_path: Path, interrupt: Interrupt, code: int
) -> None:
    def on_signal(*_: object) -> None:
        interrupt.set(code)

    before = signal.signal(signal.SIGALRM, on_signal)
    try:
        signal.setitimer(signal.ITIMER_REAL, 0.1)
        with pytest.raises(Interrupted) as caught:
            connect(f"vhost-user:{tmp_path}/nobody.sock?wait=60s", waiter=Waiter(interrupt))
        assert caught.value.exit_code == code
    finally:
        signal.signal(signal.SIGALRM, before)


def test_waiting_for_a_device_ends_with_the_deadline_of_the_run(tmp_path: Path) -> None:
    waiter = Waiter()
    waiter.deadline = waiter.now() + 0.1
    with pytest.raises(TransferTimeout, match="deadline"):
        connect(f"vhost-user:{tmp_path}/nobody.sock?wait=60s", waiter=waiter)


def test_a_device_that_is_not_there_is_no_matter_of_the_deadline(tmp_path: Path) -> None:
    waiter = Waiter()
    waiter.deadline = waiter.now() + 60
    with pytest.raises(ConnectError):
        connect(f"vhost-user:{tmp_path}/nobody.sock", waiter=waiter)


def test_a_bad_option_is_found_before_anything_is_opened(hand_device: Any) -> None:
    before = len(os.listdir("/proc/self/fd"))
    with pytest.raises(Exception, match="reconnect"):
        connect(f"vhost-user:{hand_device.path}?reconnect=soon")
    assert len(os.listdir("/proc/self/fd")) == before
    assert hand_device.clients == 0


def test_work_that_never_looks_is_interrupted_where_it_is(interrupt: Interrupt) -> None:
    with pytest.raises(Interrupted) as stopped, at_once(interrupt):
        interrupt.set(143)
        raise AssertionError("it goes on")
    assert stopped.value.exit_code == 143
    interrupt.clear()
    interrupt.set()  # nobody is disturbed any more


def test_work_that_never_looks_does_not_begin_after_an_interrupt(interrupt: Interrupt) -> None:
    interrupt.set()
    with pytest.raises(Interrupted), at_once(interrupt):
        raise AssertionError("it has begun")
    assert not interrupt.raises


def test_without_anybody_who_could_interrupt_work_just_goes_on() -> None:
    with at_once(None):
        pass


def test_a_signal_ends_the_reading_of_a_board(tmp_path: Path) -> None:
    board = tmp_path / "board.toml"
    os.mkfifo(board)
    interrupt = Interrupt()
    before = signal.signal(signal.SIGALRM, lambda number, frame: interrupt.set(128 + number))
    try:
        signal.setitimer(signal.ITIMER_REAL, 0.05)
        # Nobody ever writes to the board, so only the signal can end this.
        with pytest.raises(Interrupted) as stopped:
            connect(f"sim:{board}", waiter=Waiter(interrupt))
    finally:
        signal.signal(signal.SIGALRM, before)
        interrupt.close()
    assert stopped.value.exit_code == 128 + signal.SIGALRM
