"""Both ends against each other over one buffer: nothing lost, nothing twice, nobody asleep."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from itertools import cycle

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scmictl.virtio.chain import Chain
from scmictl.virtio.device import DeviceQueue
from scmictl.virtio.driver import DriverQueue, EventQueue
from scmictl.virtio.fence import Fence
from scmictl.virtio.layout import QueuePlan, plan
from scmictl.virtio.memory import MemoryMap, Region

BUDGET = settings(max_examples=120, deadline=None, derandomize=True)

GUEST = 0x4000_0000
USER = 0x7F12_3400_0000
GUARD = 4096

STARTS = st.sampled_from([0, 1, 32767, 65528, 65533, 65534, 65535])
SIZES = st.sampled_from([2, 4, 16])


class Pair:
    """The driver and the device ends of both queues, with guards around their memory."""

    def __init__(
        self,
        size: int = 4,
        *,
        event_idx: bool = True,
        indirect: bool = False,
        start: int = 0,
        buffers: int = 2,
    ) -> None:
        whole = plan(
            size, size, event_buffers=buffers, request_room=24, response_room=40, indirect=indirect
        )
        assert whole.eventq is not None
        self.backing = bytearray(b"\xa5" * (whole.size + 2 * GUARD))
        view = memoryview(self.backing)[GUARD : GUARD + whole.size]
        self.driver = DriverQueue(view, whole.cmdq, GUEST, event_idx=event_idx, start=start)
        self.events = EventQueue(view, whole.eventq, GUEST, event_idx=event_idx, start=start)
        self.memory = MemoryMap([Region(GUEST, USER, whole.size, view[:])])

        def device(part: QueuePlan) -> DeviceQueue:
            rings = self.memory.rings(size, USER + part.desc, USER + part.avail, USER + part.used)
            return DeviceQueue(
                self.memory,
                size,
                rings.desc,
                rings.avail,
                rings.used,
                next_avail=start,
                event_idx=event_idx,
                indirect=indirect,
                reserved=rings.reserved,
            )

        self.device = device(whole.cmdq)
        self.source = device(whole.eventq)

    def guards_are_whole(self) -> bool:
        return self.backing[:GUARD] == b"\xa5" * GUARD and self.backing[-GUARD:] == b"\xa5" * GUARD


def frame(cookie: int) -> bytes:
    """A request that tells which it is, of a length that depends on it."""
    return cookie.to_bytes(4, "little") + bytes([cookie % 251]) * (cookie % 20)


def answer(request: bytes) -> bytes:
    return b"re:" + request[:24][::-1]


STEPS = st.lists(
    st.tuples(st.sampled_from(["submit", "show", "pop", "push", "return", "reap"]), st.integers(0)),
    min_size=20,
    max_size=200,
)


@BUDGET
@given(size=SIZES, event_idx=st.booleans(), indirect=st.booleans(), start=STARTS, steps=STEPS)
def test_commands_are_conserved_and_answered_once_in_whatever_order(
    size: int, event_idx: bool, indirect: bool, start: int, steps: list[tuple[str, int]]
) -> None:
    pair = Pair(size, event_idx=event_idx, indirect=indirect, start=start)
    driver, device = pair.driver, pair.device
    capacity = size if indirect else size // 2
    assert driver.capacity == capacity
    asked = 0
    waiting: list[int] = []
    taken: list[Chain] = []
    answers: dict[int, bytes] = {}

    def submit() -> None:
        nonlocal asked
        accepted = driver.submit(frame(asked), asked)
        assert accepted is (len(waiting) < capacity)
        if accepted:
            waiting.append(asked)
            asked += 1

    def pop() -> None:
        chain = device.pop()
        if chain is not None:
            assert chain.room == 40
            taken.append(chain)

    def push(choice: int) -> None:
        if taken:
            chain = taken.pop(choice % len(taken))
            device.push(chain, answer(chain.readable))

    def reap() -> None:
        for cookie, data in driver.reap():
            assert cookie not in answers
            answers[cookie] = data
            waiting.remove(cookie)

    for step, choice in steps:
        if step == "submit":
            submit()
        elif step == "show":
            driver.publish()
        elif step == "pop":
            pop()
        elif step == "push":
            push(choice)
        elif step == "return":
            device.publish()
        else:
            reap()
        assert driver.pending == waiting
        assert device.in_flight == len(taken)

    driver.publish()
    while waiting:
        pop()
        push(0)
        device.publish()
        reap()
    assert answers == {cookie: answer(frame(cookie)) for cookie in range(asked)}
    assert device.next_avail == (start + asked) % 65536
    # Every descriptor is free again: the ring takes exactly as many as at first.
    for cookie in range(capacity):
        assert driver.submit(b"full", cookie)
    assert not driver.submit(b"over", capacity)
    assert pair.guards_are_whole()


@BUDGET
@given(
    size=SIZES,
    event_idx=st.booleans(),
    start=STARTS,
    buffers=st.integers(0, 16),
    bursts=st.lists(st.tuples(st.integers(0, 20), st.booleans()), min_size=1, max_size=40),
)
def test_events_arrive_in_order_and_their_buffers_are_there_again(
    size: int, event_idx: bool, start: int, buffers: int, bursts: list[tuple[int, bool]]
) -> None:
    buffers = min(buffers, size)
    pair = Pair(size, event_idx=event_idx, start=start, buffers=buffers)
    sent: list[bytes] = []
    got: list[bytes] = []
    pair.events.publish()
    room = buffers
    for count, newest_first in bursts:
        chains: list[Chain] = []
        while len(chains) < count:
            chain = pair.source.pop()
            if chain is None:
                break
            assert (chain.readable, chain.room) == (b"", 40)
            chains.append(chain)
        assert len(chains) == min(count, room)
        for chain in reversed(chains) if newest_first else chains:
            sent.append(b"event %d" % len(sent))
            pair.source.push(chain, sent[-1])
        pair.source.publish()
        got += pair.events.reap()
        pair.events.publish()
        assert got == sent
    assert pair.guards_are_whole()


@pytest.mark.parametrize("event_idx", [False, True])
@pytest.mark.parametrize("indirect", [False, True])
def test_a_queue_works_all_the_way_around_the_16_bit_indices(
    event_idx: bool, indirect: bool
) -> None:
    pair = Pair(16, event_idx=event_idx, indirect=indirect, start=40000)
    driver, device = pair.driver, pair.device
    window = driver.capacity
    cookie = 0
    while cookie < 70000:
        for number in range(cookie, cookie + window):
            assert driver.submit(number.to_bytes(4, "little"), number)
        driver.publish()
        chains = [device.pop() for _ in range(window)]
        for chain in reversed(chains):
            assert chain is not None
            device.push(chain, chain.readable)
        device.publish()
        done = driver.reap()
        assert sorted(done) == [
            (number, number.to_bytes(4, "little")) for number in range(cookie, cookie + window)
        ]
        cookie += window


# wake-ups


class Interleaving(Fence):
    """A barrier at which the other side gets to run: the very place where wake-ups are lost."""

    def __init__(self, meanwhile: Callable[[], None]) -> None:
        super().__init__()
        self.meanwhile = meanwhile

    def full(self) -> None:
        super().full()
        self.meanwhile()


class Life:
    """One side's program, which stops at each ``yield`` and sleeps after yielding "sleep"."""

    def __init__(self, program: Iterator[str]) -> None:
        self.program = program
        self.asleep = False
        self.told = False
        self.over = False
        self.running = False

    def step(self) -> bool:
        """Run to the next yield; False if it cannot run (asleep and not told, or over)."""
        if self.over or self.running or (self.asleep and not self.told):
            return False
        if self.asleep:
            self.asleep = self.told = False
        self.running = True
        try:
            self.asleep = next(self.program) == "sleep"
        except StopIteration:
            self.over = True
        finally:
            self.running = False
        return True


@settings(max_examples=300, deadline=None, derandomize=True)
@given(
    size=SIZES,
    event_idx=st.booleans(),
    indirect=st.booleans(),
    start=STARTS,
    batches=st.lists(st.integers(1, 5), min_size=1, max_size=8),
    hold=st.lists(st.integers(0, 3), max_size=8),
    schedule=st.lists(st.booleans(), max_size=60),
    between=st.lists(st.integers(0, 6), min_size=1, max_size=20),
)
def test_two_ends_that_sleep_unless_told_still_drain_everything(
    size: int,
    event_idx: bool,
    indirect: bool,
    start: int,
    batches: list[int],
    hold: list[int],
    schedule: list[bool],
    between: list[int],
) -> None:
    pair = Pair(size, event_idx=event_idx, indirect=indirect, start=start)
    driver, device = pair.driver, pair.device
    total = sum(batches) * 3
    answers: list[int] = []

    def drive() -> Iterator[str]:
        asked = 0
        sizes = deque(batches)
        while len(answers) < total:
            driver.disarm()
            for _ in range(sizes[0]):
                if asked < total and driver.submit(frame(asked), asked):
                    asked += 1
            sizes.rotate()
            if driver.publish():
                device_life.told = True
            yield "submitted"
            done = driver.reap()
            answers.extend(cookie for cookie, _ in done)
            yield "reaped"
            room = asked < total and len(driver.pending) < driver.capacity
            if done or room or driver.arm():
                continue
            yield "sleep"

    def serve() -> Iterator[str]:
        held: deque[Chain] = deque()
        holding = deque([*hold, 0])
        while True:
            device.disarm()
            while (chain := device.pop()) is not None:
                held.append(chain)
            yield "taken"
            keep = holding[0]
            holding.rotate()
            while len(held) > keep:
                done = held.pop()
                device.push(done, answer(done.readable))
                yield "answered"
            if device.publish():
                driver_life.told = True
            yield "published"
            if device.arm():
                continue
            # What is held back is due some time later, without being told.
            yield "wait" if held else "sleep"

    driver_life = Life(drive())
    device_life = Life(serve())
    steps = cycle(between)

    def meanwhile() -> None:
        other = device_life if driver_life.running else driver_life
        for _ in range(next(steps)):
            other.step()

    driver._fence = Interleaving(meanwhile)
    device._fence = Interleaving(meanwhile)
    for turn in schedule:
        (driver_life if turn else device_life).step()
    for _ in range(10_000):
        if not (driver_life.step() | device_life.step()):
            break
    else:
        pytest.fail("the two ends keep running without getting anywhere")
    assert driver_life.over, "both ends sleep, and something is left to do"
    assert sorted(answers) == list(range(total))


@pytest.mark.parametrize("event_idx", [False, True])
def test_a_busy_pair_tells_each_other_hardly_ever(event_idx: bool) -> None:
    pair = Pair(16, event_idx=event_idx, start=65500)
    kicks = signals = 0
    pair.device.disarm()
    for cookie in range(1000):
        pair.driver.submit(b"ask!", cookie)
        kicks += pair.driver.publish()
        chain = pair.device.pop()
        assert chain is not None
        pair.device.push(chain, b"fine")
        signals += pair.device.publish()
        assert pair.driver.reap() == [(cookie, b"fine")]
    assert (kicks, signals) == (1, 1)
