"""Each end against one that writes anything anywhere at any time.

Whatever the other side does, an end raises nothing but QueueBroken, comes back from every call
after a bounded number of steps, and writes only where it is its business to write.
"""

from __future__ import annotations

import struct
from collections.abc import Callable

from hypothesis import given, settings
from hypothesis import strategies as st

from scmictl.errors import QueueBroken
from scmictl.virtio.chain import Chain
from scmictl.virtio.device import DeviceQueue
from scmictl.virtio.driver import DriverQueue, EventQueue
from scmictl.virtio.fence import Fence
from scmictl.virtio.layout import QueuePlan, plan
from scmictl.virtio.memory import MemoryMap, Region

BUDGET = settings(max_examples=200, deadline=None, derandomize=True)

GUEST = 0x4000_0000
USER = 0x7F12_3400_0000
GUARD = 4096
SIZE = 8

U16 = st.one_of(st.integers(0, 20), st.integers(65520, 65535), st.integers(0, 65535))
U32 = st.one_of(st.integers(0, 20), st.sampled_from([2**31, 2**32 - 1]), st.integers(0, 2**32 - 1))
STARTS = st.sampled_from([0, 65530, 65535])


class Scribbling(Fence):
    """A barrier at which the other side writes something: between two reads of one call."""

    def __init__(self, scribble: Callable[[], None]) -> None:
        super().__init__()
        self.scribble = scribble

    def order(self) -> None:
        super().order()
        self.scribble()

    def full(self) -> None:
        super().full()
        self.scribble()


# the device is hostile

WRITES = st.one_of(
    st.tuples(st.just("idx"), U16, st.just(0)),
    st.tuples(st.just("step"), st.integers(0, 3), st.just(0)),
    st.tuples(st.just("entry"), st.one_of(st.integers(0, SIZE - 1), U32), U32),
    st.tuples(st.just("flags"), U16, U16),
    st.tuples(st.just("bytes"), st.integers(0), st.integers(0, 2**64 - 1)),
)
CALLS = st.sampled_from(["submit", "publish", "reap", "arm", "disarm"])
DRIVER_STEPS = st.lists(st.one_of(CALLS, WRITES), min_size=10, max_size=80)


@BUDGET
@given(
    event_idx=st.booleans(),
    indirect=st.booleans(),
    events=st.booleans(),
    start=STARTS,
    steps=DRIVER_STEPS,
    meanwhile=st.lists(WRITES, max_size=20),
)
def test_a_driver_survives_any_device(
    event_idx: bool,
    indirect: bool,
    events: bool,
    start: int,
    steps: list[str | tuple[str, int, int]],
    meanwhile: list[tuple[str, int, int]],
) -> None:
    whole = plan(SIZE, SIZE, event_buffers=5, request_room=16, response_room=24, indirect=indirect)
    assert whole.eventq is not None
    part, other = (whole.eventq, whole.cmdq) if events else (whole.cmdq, whole.eventq)
    backing = bytearray(b"\xa5" * (whole.size + 2 * GUARD))
    memory = memoryview(backing)[GUARD : GUARD + whole.size]
    queue: DriverQueue | EventQueue = (EventQueue if events else DriverQueue)(
        memory, part, GUEST, event_idx=event_idx, start=start
    )
    used = slice(part.used, part.used + 6 + 8 * SIZE)
    others = slice(other.desc, other.end)
    entry = start
    # What the device wrote itself, to tell it from what the driver must not write.
    expected_used = bytearray(memory[used])
    expected_others = bytearray(memory[others])

    def poke(at: int, data: bytes) -> None:
        memory[at : at + len(data)] = data
        expected_used[:] = memory[used]
        expected_others[:] = memory[others]

    def write(kind: str, one: int, two: int) -> None:
        nonlocal entry
        if kind == "idx":
            poke(part.used + 2, struct.pack("<H", one))
        elif kind == "step":
            entry = (entry + one) % 65536
            poke(part.used + 2, struct.pack("<H", entry))
        elif kind == "entry":
            # Mostly what a device could say: the heads are even without indirect tables.
            poke(part.used + 4 + 8 * (entry % SIZE), struct.pack("<II", one, two))
            entry = (entry + 1) % 65536
            poke(part.used + 2, struct.pack("<H", entry))
        elif kind == "flags":
            poke(part.used, struct.pack("<H", one))
            poke(part.used + 4 + 8 * SIZE, struct.pack("<H", two))
        else:
            poke(one % (whole.size - 8), struct.pack("<Q", two))

    turns = iter(meanwhile)

    def scribble() -> None:
        turn = next(turns, None)
        if turn is not None:
            write(*turn)

    queue._fence = Scribbling(scribble)
    cookie = 0
    outstanding: set[int] = set()
    for step in steps:
        frozen = bytes(memory) if queue.broken is not None else None
        try:
            if isinstance(step, tuple):
                write(*step)
                continue
            if step == "submit" and isinstance(queue, DriverQueue):
                if queue.submit(bytes([cookie % 256]) * 16, cookie):
                    outstanding.add(cookie)
                    cookie += 1
            elif step == "publish":
                queue.publish()
            elif step == "reap":
                for item in queue.reap():
                    data = item if isinstance(item, bytes) else item[1]
                    assert len(data) <= 24
                    if not isinstance(item, bytes):
                        outstanding.remove(item[0])
            elif step == "arm":
                queue.arm()
            elif step == "disarm":
                queue.disarm()
        except QueueBroken as fault:
            if isinstance(queue, DriverQueue) and isinstance(fault.partial, list):
                outstanding -= {item[0] for item in fault.partial}
            assert fault.message == queue.broken
            assert "expected" in fault.message
            assert "\n" not in fault.message
        if frozen is not None:
            assert bytes(memory) == frozen
        assert memory[used] == expected_used
        assert memory[others] == expected_others
    assert backing[:GUARD] == backing[-GUARD:] == b"\xa5" * GUARD
    if isinstance(queue, DriverQueue):
        assert set(queue.take_back()) == outstanding


# the driver is hostile

FLAGS = st.one_of(st.sampled_from([0, 1, 2, 3, 4]), st.integers(0, 65535))
PLACES = st.one_of(
    st.integers(0x300, 0x3000),  # buffers and tables
    st.integers(0xFF0, 0x1010),  # where the two regions touch
    st.integers(0, 0x300),  # the ring itself
    st.sampled_from([0x2FFF, 0x3000, -1, 0x4000, 2**64 - 8 - GUEST]),
)
LENGTHS = st.one_of(st.integers(0, 64), st.sampled_from([16, 32, 48, 2**32 - 16, 2**32 - 1]), U32)
ELEMENT = st.tuples(PLACES, LENGTHS, FLAGS, st.one_of(st.integers(0, 9), U16))
DRIVER_WRITES = st.one_of(
    st.tuples(st.just("describe"), st.integers(0, SIZE - 1), ELEMENT),
    st.tuples(st.just("table"), st.integers(0x300, 0x2F00), ELEMENT),
    st.tuples(st.just("offer"), st.one_of(st.integers(0, SIZE - 1), U16), st.none()),
    st.tuples(st.just("command"), st.integers(0, SIZE - 2), st.none()),
    st.tuples(st.just("idx"), U16, st.none()),
    st.tuples(st.just("flags"), U16, st.none()),
    st.tuples(st.just("bytes"), st.integers(0, 0x2FF0), st.none()),
)
DEVICE_CALLS = st.sampled_from(["pop", "push", "publish", "arm", "disarm"])
DEVICE_STEPS = st.lists(st.one_of(DEVICE_CALLS, DRIVER_WRITES), min_size=10, max_size=80)
Write = tuple[str, int, tuple[int, int, int, int] | None]
DESC, AVAIL, USED = 0, 0x100, 0x200


@BUDGET
@given(
    event_idx=st.booleans(),
    indirect=st.booleans(),
    start=STARTS,
    steps=DEVICE_STEPS,
    meanwhile=st.lists(DRIVER_WRITES, max_size=20),
    noise=st.binary(min_size=16, max_size=16),
)
def test_a_device_survives_any_driver(
    event_idx: bool,
    indirect: bool,
    start: int,
    steps: list[str | Write],
    meanwhile: list[Write],
    noise: bytes,
) -> None:
    backing = bytearray(b"\xa5" * (0x3000 + 2 * GUARD))
    memory = memoryview(backing)[GUARD : GUARD + 0x3000]
    memory[:] = bytes(0x3000)
    for at in (AVAIL + 2, USED + 2):
        struct.pack_into("<H", memory, at, start)
    regions = MemoryMap(
        [
            Region(GUEST, USER, 0x1000, memory[:0x1000]),
            Region(GUEST + 0x1000, USER + 0x8_0000, 0x2000, memory[0x1000:]),
        ]
    )
    rings = regions.rings(SIZE, USER + DESC, USER + AVAIL, USER + USED)
    queue = DeviceQueue(
        regions,
        SIZE,
        *rings[:3],
        next_avail=start,
        event_idx=event_idx,
        indirect=indirect,
        reserved=rings.reserved,
    )
    entry = start

    def describe(at: int, element: tuple[int, int, int, int]) -> None:
        place, length, flags, following = element
        addr = (GUEST + place) % 2**64
        struct.pack_into("<QIHH", memory, at, addr, length, flags, following)

    def write(kind: str, one: int, element: tuple[int, int, int, int] | None) -> None:
        nonlocal entry
        if kind == "describe" and element is not None:
            describe(DESC + 16 * one, element)
        elif kind == "table" and element is not None:
            describe(one, element)
        elif kind in ("offer", "command"):
            if kind == "command":
                describe(DESC + 16 * one, (0x400, 16, 1, one + 1))
                describe(DESC + 16 * one + 16, (0x800 + 64 * one, 64, 2, 0))
            struct.pack_into("<H", memory, AVAIL + 4 + 2 * (entry % SIZE), one)
            entry = (entry + 1) % 65536
            struct.pack_into("<H", memory, AVAIL + 2, entry)
        elif kind == "idx":
            struct.pack_into("<H", memory, AVAIL + 2, one)
        elif kind == "flags":
            struct.pack_into("<H", memory, AVAIL, one)
            struct.pack_into("<H", memory, AVAIL + 4 + 2 * SIZE, one)
        else:
            memory[one : one + 16] = noise

    turns = iter(meanwhile)
    mine = bytes(memory)

    def scribble() -> None:
        nonlocal mine
        turn = next(turns, None)
        if turn is not None:
            write(*turn)
            mine = bytes(memory)

    queue._fence = Scribbling(scribble)
    taken: list[Chain] = []
    for step in steps:
        if isinstance(step, tuple):
            write(*step)
            continue
        mine = bytes(memory)
        was_broken = queue.broken is not None
        allowed: set[int] = set()
        try:
            if step == "pop":
                chain = queue.pop()
                if chain is not None:
                    assert len(taken) < SIZE
                    assert len(chain.readable) <= 0x3000
                    taken.append(chain)
            elif step == "push" and taken:
                chain = taken.pop(0)
                assert queue.push(chain, b"\x5a" * 100) == min(chain.room, 100)
                for addr, length in chain._spans:
                    assert addr >= GUEST
                    assert addr + length <= GUEST + 0x3000
                    allowed |= set(range(addr - GUEST, addr - GUEST + length))
                allowed |= set(range(USED + 4, USED + 4 + 8 * SIZE))
            elif step == "publish":
                queue.publish()
                allowed = {USED + 2, USED + 3}
            elif step in ("arm", "disarm"):
                queue.arm() if step == "arm" else queue.disarm()
                event = USED + 4 + 8 * SIZE
                allowed = {event, event + 1} if event_idx else {USED, USED + 1}
        except QueueBroken as fault:
            assert fault.message == queue.broken
            assert "expected" in fault.message
            assert "\n" not in fault.message
        after = bytes(memory)
        if after != mine:
            assert not was_broken
            changed = {at for at in range(0x3000) if mine[at] != after[at]}
            # At the barrier in publish() the used index is stored, then the driver scribbles.
            assert changed <= allowed
    assert backing[:GUARD] == backing[-GUARD:] == b"\xa5" * GUARD
    queue.close()
    regions.release()


@BUDGET
@given(noise=st.binary(min_size=0x300, max_size=0x300), ahead=st.integers(1, SIZE))
def test_a_device_survives_rings_of_random_bytes(noise: bytes, ahead: int) -> None:
    memory = bytearray(0x3000)
    memory[:0x300] = noise
    (used_idx,) = struct.unpack_from("<H", noise, USED + 2)
    struct.pack_into("<H", memory, AVAIL + 2, (used_idx + ahead) % 65536)
    regions = MemoryMap([Region(0, USER, 0x3000, memoryview(memory))])
    queue = DeviceQueue(
        regions,
        SIZE,
        *regions.rings(SIZE, USER + DESC, USER + AVAIL, USER + USED)[:3],
        next_avail=used_idx,
        event_idx=True,
        indirect=True,
    )
    taken = 0
    try:
        while queue.pop() is not None:
            taken += 1
    except QueueBroken:
        assert queue.broken is not None
    assert taken <= ahead


def test_a_chain_that_loops_for_ever_on_the_largest_ring_ends() -> None:
    size = 32768
    whole: QueuePlan = plan(size, request_room=16, response_room=16, indirect=False).cmdq
    memory = memoryview(bytearray(whole.end))
    for index in range(size):
        following = (index + 1) % size
        struct.pack_into("<QIHH", memory, 16 * index, GUEST + whole.buffers, 1, 1, following)
    struct.pack_into("<HHH", memory, whole.avail, 0, 1, 5)
    regions = MemoryMap([Region(GUEST, USER, whole.end, memory)])
    rings = regions.rings(size, USER, USER + whole.avail, USER + whole.used)
    queue = DeviceQueue(regions, size, *rings[:3], event_idx=True, indirect=True)
    try:
        queue.pop()
    except QueueBroken as fault:
        assert "loops or has more than 32768 elements" in fault.message
    assert queue.broken is not None
