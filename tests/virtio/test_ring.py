"""The notify formula (reference section 16), and the barriers where section 15 has them."""

from __future__ import annotations

import struct
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scmictl.virtio.device import DeviceQueue
from scmictl.virtio.driver import DriverQueue
from scmictl.virtio.fence import Fence
from scmictl.virtio.layout import plan
from scmictl.virtio.memory import MemoryMap, Region
from scmictl.virtio.ring import wanted

BUDGET = settings(max_examples=200, deadline=None, derandomize=True)


@pytest.mark.parametrize(
    ("event", "old", "new", "answer"),
    [(5, 5, 6, True), (6, 5, 6, False), (65535, 65534, 1, True)],
)
def test_the_notify_formula_gives_the_answers_of_the_reference(
    event: int, old: int, new: int, answer: bool
) -> None:
    assert wanted(event, old, new) is answer


@BUDGET
@given(event=st.integers(0, 65535), old=st.integers(0, 65535), added=st.integers(0, 32768))
def test_to_notify_is_wanted_exactly_when_the_event_is_among_the_added(
    event: int, old: int, added: int
) -> None:
    among = event in {(old + i) % 65536 for i in range(added)}
    assert wanted(event, old, (old + added) % 65536) is among


@pytest.mark.parametrize("processor", ["x86_64", "aarch64", ""])
def test_a_barrier_left_taken_by_an_interrupt_neither_blocks_nor_fails(processor: str) -> None:
    fence = Fence(processor)
    fence._lock.acquire()
    fence.full()
    assert not fence._lock.locked()
    fence._lock.acquire()
    fence.order()
    fence.full()
    assert not fence._lock.locked()


def test_only_x86_is_trusted_to_keep_stores_in_order() -> None:
    assert Fence("x86_64").strong
    assert not Fence("aarch64").strong
    assert not Fence("").strong


# Where the barriers are: at each one the other side does something, through plain memory, and
# what the end does next shows on which side of the barrier its accesses are.

GUEST = 0x4000_0000
PART = plan(8, request_room=16, response_room=16, indirect=False).cmdq
AVAIL_IDX = PART.avail + 2
USED_IDX = PART.used + 2
USED_EVENT = PART.avail + 4 + 2 * 8
AVAIL_EVENT = PART.used + 4 + 8 * 8


class Watched(Fence):
    """A barrier at which something happens, once for each kind."""

    def __init__(
        self,
        order: Callable[[], None] = lambda: None,
        full: Callable[[], None] = lambda: None,
    ) -> None:
        super().__init__()
        self.at_order = order
        self.at_full = full

    def order(self) -> None:
        self.at_order()

    def full(self) -> None:
        self.at_full()


class Ends:
    """Both ends of a command queue, past their first (unconditional) telling."""

    def __init__(self, event_idx: bool) -> None:
        self.memory = memoryview(bytearray(PART.end))
        self.driver = DriverQueue(self.memory, PART, GUEST, event_idx=event_idx)
        regions = MemoryMap([Region(GUEST, GUEST, PART.end, self.memory[:])])
        rings = regions.rings(8, GUEST, GUEST + PART.avail, GUEST + PART.used)
        self.device = DeviceQueue(
            regions, 8, *rings[:3], event_idx=event_idx, indirect=False, reserved=rings.reserved
        )
        self.driver.submit(b"ask!", 1)
        self.driver.publish()
        self.answer()
        self.device.publish()
        self.driver.reap()

    def answer(self) -> None:
        chain = self.device.pop()
        assert chain is not None
        self.device.push(chain, b"fine")

    def u16(self, at: int) -> int:
        return int(struct.unpack_from("<H", self.memory, at)[0])

    def put_u16(self, at: int, value: int) -> None:
        struct.pack_into("<H", self.memory, at, value)


BOTH = pytest.mark.parametrize("event_idx", [False, True])


@BOTH
def test_the_index_is_stored_after_the_entries_and_before_the_event_is_read(
    event_idx: bool,
) -> None:
    ends = Ends(event_idx)
    seen: list[tuple[str, int]] = []

    def ask_for_a_kick() -> None:
        seen.append(("full", ends.u16(AVAIL_IDX)))
        ends.put_u16(PART.used, 0)
        ends.put_u16(AVAIL_EVENT, 1)

    def ask_for_a_signal() -> None:
        seen.append(("full", ends.u16(USED_IDX)))
        ends.put_u16(PART.avail, 0)
        ends.put_u16(USED_EVENT, 1)

    ends.device.disarm()
    ends.driver.disarm()
    ends.driver._fence = Watched(
        lambda: seen.append(("order", ends.u16(AVAIL_IDX))), ask_for_a_kick
    )
    ends.driver.submit(b"ask!", 2)
    assert ends.driver.publish()
    assert seen == [("order", 1), ("full", 2)]
    seen.clear()
    ends.answer()
    ends.device._fence = Watched(
        lambda: seen.append(("order", ends.u16(USED_IDX))), ask_for_a_signal
    )
    assert ends.device.publish()
    assert seen == [("order", 1), ("full", 2)]


@BOTH
def test_arming_is_stored_before_the_index_is_looked_at_again(event_idx: bool) -> None:
    ends = Ends(event_idx)
    seen: list[tuple[int, int]] = []

    def another_command() -> None:
        seen.append((ends.u16(PART.used), ends.u16(AVAIL_EVENT)))
        ends.put_u16(AVAIL_IDX, 2)

    def another_answer() -> None:
        seen.append((ends.u16(PART.avail), ends.u16(USED_EVENT)))
        ends.put_u16(USED_IDX, 2)

    ends.device.disarm()
    ends.driver.disarm()
    ends.device._fence = Watched(full=another_command)
    assert ends.device.arm()
    ends.driver._fence = Watched(full=another_answer)
    assert ends.driver.arm()
    assert seen == [(0, 1 if event_idx else 0)] * 2


def test_entries_and_buffers_are_read_after_the_index() -> None:
    ends = Ends(False)

    def write_the_request() -> None:
        (head,) = struct.unpack_from("<H", ends.memory, PART.avail + 4 + 2 * 1)
        at = PART.request_at(head // 2)
        ends.memory[at : at + 4] = b"late"

    def write_the_answer() -> None:
        (head,) = struct.unpack_from("<I", ends.memory, PART.used + 4 + 8 * 1)
        at = PART.response_at(head // 2)
        ends.memory[at : at + 4] = b"LATE"

    ends.driver.submit(b"ask!", 2)
    ends.driver.publish()
    ends.device._fence = Watched(write_the_request)
    chain = ends.device.pop()
    assert chain is not None
    assert chain.readable == b"late"
    ends.device.push(chain, b"fine")
    ends.device._fence = Fence()
    ends.device.publish()
    ends.driver._fence = Watched(write_the_answer)
    assert ends.driver.reap() == [(2, b"LATE")]
