"""The device end against a driver written by hand, byte by byte from the reference."""

from __future__ import annotations

import struct
import sys

import pytest

from scmictl.errors import LocalProtocolError, QueueBroken
from scmictl.virtio.chain import Chain
from scmictl.virtio.device import DeviceQueue
from scmictl.virtio.memory import MemoryMap, Region

GUEST = 0x4000_0000
USER = 0x7F00_0000_0000
SIZE = 8
DESC, AVAIL, USED = 0x000, 0x080, 0x100
LOW_SIZE = 0x4000
HIGH = GUEST + LOW_SIZE
HIGH_SIZE = 0x20000
NEXT, WRITE, INDIRECT = 1, 2, 4

Element = tuple[int, int, int, int]


class HandDriver:
    """A driver that does as it is told. Its memory: two regions that touch in guest addresses,
    apart in user addresses, with a guard between and around them."""

    def __init__(
        self, *, event_idx: bool = True, indirect: bool = True, start: int = 0, size: int = SIZE
    ) -> None:
        self.backing = bytearray(b"\xa5" * (LOW_SIZE + HIGH_SIZE + 0x3000))
        whole = memoryview(self.backing)
        self.low = whole[0x1000 : 0x1000 + LOW_SIZE]
        self.high = whole[0x2000 + LOW_SIZE : 0x2000 + LOW_SIZE + HIGH_SIZE]
        self.low[:] = bytes(LOW_SIZE)
        self.high[:] = bytes(HIGH_SIZE)
        self.size = size
        self.start = self.idx = start
        self.put_u16(AVAIL + 2, start)
        self.put_u16(USED + 2, start)
        self.memory = MemoryMap(
            [
                Region(GUEST, USER, LOW_SIZE, self.low[:]),
                Region(HIGH, USER + 0x100_0000, HIGH_SIZE, self.high[:]),
            ]
        )
        rings = self.memory.rings(size, USER + DESC, USER + AVAIL, USER + USED)
        self.queue = DeviceQueue(
            self.memory,
            size,
            rings.desc,
            rings.avail,
            rings.used,
            next_avail=start,
            event_idx=event_idx,
            indirect=indirect,
            reserved=rings.reserved,
            name="cmdq",
        )

    def u16(self, at: int) -> int:
        return int(struct.unpack_from("<H", self.low, at)[0])

    def put_u16(self, at: int, value: int) -> None:
        struct.pack_into("<H", self.low, at, value)

    def put(self, addr: int, data: bytes) -> None:
        for offset, byte in enumerate(data):
            at = addr + offset - GUEST
            if at < LOW_SIZE:
                self.low[at] = byte
            else:
                self.high[at - LOW_SIZE] = byte

    def get(self, addr: int, length: int) -> bytes:
        both = bytes(self.low) + bytes(self.high)
        return both[addr - GUEST : addr - GUEST + length]

    def describe(self, *elements: Element, at: int = GUEST + DESC) -> None:
        """Write descriptors from the first entry of a table on."""
        for index, element in enumerate(elements):
            self.put(at + 16 * index, struct.pack("<QIHH", *element))

    def offer(self, *heads: int) -> None:
        for head in heads:
            self.put_u16(AVAIL + 4 + 2 * (self.idx % self.size), head)
            self.idx = (self.idx + 1) % 65536
        self.put_u16(AVAIL + 2, self.idx)

    def used(self) -> list[tuple[int, int]]:
        """All used entries so far (id, len)."""
        count = (self.u16(USED + 2) - self.start) % 65536
        found = []
        for entry in range(self.start, self.start + count):
            at = USED + 4 + 8 * (entry % self.size)
            head, length = struct.unpack_from("<II", self.low, at)
            found.append((head, length))
        return found

    def take(self) -> Chain:
        chain = self.queue.pop()
        assert chain is not None
        return chain


REQUEST = GUEST + 0x400
RESPONSE = GUEST + 0x800


def command(driver: HandDriver, index: int = 0, *, request: bytes = b"ask!", room: int = 64) -> int:
    """A plain command in the descriptors ``index`` and ``index + 1``; returns its head."""
    addr = REQUEST + 16 * index
    driver.put(addr, request)
    driver.describe(
        (addr, len(request), NEXT, index + 1),
        (RESPONSE + 64 * index, room, WRITE, 0),
        at=GUEST + DESC + 16 * index,
    )
    return index


# chains that are right


def test_a_command_comes_out_and_its_answer_goes_back() -> None:
    driver = HandDriver()
    driver.offer(command(driver))
    chain = driver.take()
    assert (chain.head, chain.readable, chain.length, chain.room) == (0, b"ask!", 4, 64)
    assert driver.queue.in_flight == 1
    assert driver.queue.pop() is None
    assert driver.queue.push(chain, b"answer") == 6
    assert driver.used() == []
    driver.queue.publish()
    assert driver.used() == [(0, 6)]
    assert driver.get(RESPONSE, 7) == b"answer\0"
    assert driver.queue.in_flight == 0


def test_making_a_queue_writes_nothing() -> None:
    driver = HandDriver(start=77)
    before = bytes(driver.backing)
    rings = driver.memory.rings(SIZE, USER + DESC, USER + AVAIL, USER + USED)
    DeviceQueue(driver.memory, SIZE, *rings[:3], next_avail=77, event_idx=True, indirect=True)
    assert bytes(driver.backing) == before


def test_chains_are_given_back_in_any_order() -> None:
    driver = HandDriver()
    driver.offer(command(driver, 0), command(driver, 2), command(driver, 4))
    chains = [driver.take() for _ in range(3)]
    for chain in (chains[1], chains[2], chains[0]):
        driver.queue.push(chain, b"%d" % chain.head)
    driver.queue.publish()
    assert driver.used() == [(2, 1), (4, 1), (0, 1)]
    assert [driver.get(RESPONSE + 64 * head, 1) for head in (0, 2, 4)] == [b"0", b"2", b"4"]


def test_a_header_split_over_elements_is_joined_and_the_answer_spread() -> None:
    driver = HandDriver()
    driver.put(REQUEST, b"ab")
    driver.put(REQUEST + 0x20, b"c")
    driver.put(REQUEST + 0x40, b"defgh")
    driver.describe(
        (REQUEST, 2, NEXT, 2),
        (RESPONSE + 0x40, 4, WRITE | NEXT, 5),
        (REQUEST + 0x20, 1, NEXT, 3),
        (REQUEST + 0x40, 5, NEXT, 4),
        (RESPONSE, 3, WRITE | NEXT, 1),
        (RESPONSE + 0x80, 9, WRITE, 0),
    )
    driver.offer(0)
    chain = driver.take()
    assert chain.readable == b"abcdefgh"
    assert chain.room == 16
    driver.queue.push(chain, b"0123456789")
    driver.queue.publish()
    assert driver.used() == [(0, 10)]
    assert driver.get(RESPONSE, 4) == b"012\0"
    assert driver.get(RESPONSE + 0x40, 5) == b"3456\0"
    assert driver.get(RESPONSE + 0x80, 4) == b"789\0"


def test_an_answer_longer_than_the_room_is_cut_to_it() -> None:
    driver = HandDriver()
    driver.offer(command(driver, 0, room=8))
    assert driver.queue.push(driver.take(), b"0123456789") == 8
    driver.describe((RESPONSE, 2, WRITE | NEXT, 1), (RESPONSE + 0x40, 3, WRITE, 0))
    driver.offer(0)
    assert driver.queue.push(driver.take(), b"abcdefgh") == 5
    driver.queue.publish()
    assert driver.used() == [(0, 8), (0, 5)]
    assert driver.get(RESPONSE, 9) == b"ab234567\0"
    assert driver.get(RESPONSE + 0x40, 4) == b"cde\0"


def test_an_indirect_table_is_followed_from_its_first_entry() -> None:
    driver = HandDriver()
    table = GUEST + 0x1008  # no alignment rule for tables
    driver.put(REQUEST, b"ask!")
    driver.describe((REQUEST, 4, NEXT, 2), (0, 0, 0, 0), (RESPONSE, 64, WRITE, 0), at=table)
    driver.describe((0, 0, 0, 0), (table, 48, INDIRECT | WRITE, 9))
    driver.offer(1)
    chain = driver.take()
    assert (chain.head, chain.readable, chain.room) == (1, b"ask!", 64)
    driver.queue.push(chain, b"fine")
    driver.queue.publish()
    assert driver.used() == [(1, 4)]


def test_direct_descriptors_may_be_followed_by_one_indirect_last() -> None:
    driver = HandDriver()
    table = GUEST + 0x1000
    driver.put(REQUEST, b"ask!")
    driver.put(REQUEST + 0x10, b"more")
    driver.describe((REQUEST + 0x10, 4, NEXT, 1), (RESPONSE, 64, WRITE, 0), at=table)
    driver.describe((REQUEST, 4, NEXT, 1), (table, 32, INDIRECT, 0))
    driver.offer(0)
    chain = driver.take()
    assert (chain.readable, chain.room) == (b"ask!more", 64)


def test_buffers_and_tables_may_cross_into_a_touching_region() -> None:
    driver = HandDriver()
    table = HIGH - 16
    driver.put(HIGH - 0x102, b"crossing")
    driver.describe((HIGH - 0x102, 4, NEXT, 1), (HIGH - 0x42, 0x44, WRITE, 0), at=table)
    driver.describe((table, 32, INDIRECT, 0))
    driver.offer(0)
    chain = driver.take()
    assert chain.readable == b"cros"
    driver.describe((HIGH - 2, 4, NEXT, 1), (RESPONSE, 64, WRITE, 0), at=GUEST + DESC + 16)
    driver.put(HIGH - 2, b"wxyz")
    driver.describe((HIGH - 2, 4, NEXT, 2), (RESPONSE, 64, WRITE, 0), at=GUEST + DESC + 16)
    driver.offer(1)
    assert driver.take().readable == b"wxyz"
    driver.queue.push(chain, bytes(range(1, 0x45)))
    assert driver.get(HIGH - 0x42, 0x44) == bytes(range(1, 0x45))


def test_a_ring_of_one_entry_carries_commands_in_indirect_tables() -> None:
    driver = HandDriver(size=1)
    table = GUEST + 0x1000
    driver.put(REQUEST, b"ask!")
    driver.describe((REQUEST, 4, NEXT, 1), (RESPONSE, 64, WRITE, 0), at=table)
    driver.describe((table, 32, INDIRECT, 0))
    for _ in range(3):
        driver.offer(0)
        driver.queue.push(driver.take(), b"fine")
        driver.queue.publish()
    assert driver.u16(USED + 2) == 3


def test_a_chain_as_long_as_the_ring_is_accepted() -> None:
    driver = HandDriver()
    driver.put(REQUEST, b"abcdefg")
    driver.describe(*[(REQUEST + i, 1, NEXT, i + 1) for i in range(7)], (RESPONSE, 64, WRITE, 0))
    driver.offer(0)
    assert driver.take().readable == b"abcdefg"


# commands that are odd but no fault of the ring


def test_a_command_without_a_writable_part_is_handed_out_and_given_back_empty() -> None:
    driver = HandDriver()
    driver.put(REQUEST, b"ask!")
    driver.describe((REQUEST, 4, 0, 0))
    driver.offer(0)
    chain = driver.take()
    assert (chain.readable, chain.room) == (b"ask!", 0)
    assert driver.queue.push(chain, b"answer") == 0
    driver.queue.publish()
    assert driver.used() == [(0, 0)]
    assert driver.queue.broken is None


def test_a_command_without_a_readable_part_is_handed_out() -> None:
    driver = HandDriver()
    driver.describe((RESPONSE, 64, WRITE, 0))
    driver.offer(0)
    chain = driver.take()
    assert (chain.readable, chain.length, chain.room) == (b"", 0, 64)


def test_of_a_huge_readable_part_only_64_kib_are_copied() -> None:
    driver = HandDriver()
    driver.put(HIGH, b"head")
    driver.describe((REQUEST, 4, NEXT, 1), (HIGH, 0x18000, NEXT, 2), (RESPONSE, 64, WRITE, 0))
    driver.offer(0)
    chain = driver.take()
    assert chain.length == 0x18004
    assert len(chain.readable) == 0x10000
    assert chain.readable[4:8] == b"head"


def test_a_writable_part_over_the_own_readable_one_answers_what_was_asked() -> None:
    driver = HandDriver()
    driver.put(REQUEST, b"ask!")
    driver.describe((REQUEST, 4, NEXT, 1), (REQUEST, 64, WRITE, 0))
    driver.offer(0)
    chain = driver.take()
    driver.queue.push(chain, b"overwritten")
    assert chain.readable == b"ask!"


def test_a_request_changed_after_it_was_taken_stays_what_it_was() -> None:
    driver = HandDriver()
    driver.offer(command(driver))
    chain = driver.take()
    driver.put(REQUEST, b"EVIL")
    driver.describe((REQUEST, 4, NEXT, 1), (REQUEST, 4, WRITE, 0))
    assert chain.readable == b"ask!"
    driver.queue.push(chain, b"answer")
    assert driver.get(RESPONSE, 6) == b"answer"
    assert driver.get(REQUEST, 4) == b"EVIL"


# ring faults


def broken(driver: HandDriver, text: str) -> None:
    """The next pop breaks the queue with ``text``; it stays so, and no byte changes."""
    before = bytes(driver.backing)
    with pytest.raises(QueueBroken, match=text) as caught:
        driver.queue.pop()
    assert "\n" not in caught.value.message
    assert "expected" in caught.value.message
    assert driver.queue.broken == caught.value.message
    chain = Chain(0, b"", 0, 0, [], [])
    for call in (
        driver.queue.pop,
        driver.queue.publish,
        driver.queue.arm,
        driver.queue.disarm,
        driver.queue.rearm,
        lambda: driver.queue.push(chain, b"x"),
    ):
        with pytest.raises(QueueBroken) as again:
            call()
        assert again.value.message == caught.value.message
    assert bytes(driver.backing) == before


@pytest.mark.parametrize("jump", [9, 1000, 32768, 65535])
def test_an_available_index_too_far_ahead_or_moving_back_is_detected(jump: int) -> None:
    driver = HandDriver()
    driver.put_u16(AVAIL + 2, jump)
    broken(driver, f"cmdq: avail.idx went from 0 to {jump}, expected 8 .queue size. or fewer more")


@pytest.mark.parametrize("head", [8, 9, 0xFFFF])
def test_a_head_beyond_the_queue_size_is_detected(head: int) -> None:
    driver = HandDriver()
    driver.offer(head)
    broken(driver, f"available entry 0 has head {head}, expected less than 8")


def test_the_same_head_twice_in_flight_is_detected() -> None:
    driver = HandDriver()
    driver.offer(command(driver), 0)
    driver.take()
    broken(driver, "available entry 1 has head 0 again, expected one not in flight")


def test_a_head_given_back_may_come_again() -> None:
    driver = HandDriver()
    for _ in range(20):
        driver.offer(command(driver))
        driver.queue.push(driver.take(), b"x")
        driver.queue.publish()
    assert driver.queue.broken is None


INNER = GUEST + 0x1000
READ4 = (REQUEST, 4, NEXT, 1)


@pytest.mark.parametrize(
    ("elements", "inner", "text"),
    [
        pytest.param([(REQUEST, 4, NEXT, 8)], [], "next 8, expected less than 8", id="next"),
        pytest.param([(REQUEST, 4, NEXT, 65535)], [], "next 65535, expected less", id="next-far"),
        pytest.param([(REQUEST, 4, NEXT, 0)], [], "loops or has more than 8 elements", id="self"),
        pytest.param(
            [READ4, (REQUEST, 4, NEXT, 0)], [], "loops or has more than 8 elements", id="loop"
        ),
        pytest.param(
            [(GUEST, 0, 0, 0)], [], "descriptor 0 has length 0, expected at least 1", id="empty"
        ),
        pytest.param(
            [READ4, (RESPONSE, 0, WRITE, 0)], [], "descriptor 1 has length 0", id="empty-writable"
        ),
        pytest.param(
            [(RESPONSE, 64, WRITE | NEXT, 1), (REQUEST, 4, 0, 0)],
            [],
            "descriptor 1 is readable after a writable one, expected the readable ones first",
            id="order",
        ),
        pytest.param(
            [READ4, (GUEST + 0x10_0000, 64, WRITE, 0)],
            [],
            "64 bytes at guest address 0x40100000: 0x40100000 lies outside memory",
            id="outside",
        ),
        pytest.param([(0, 4, 0, 0)], [], "guest address 0x0: 0x0 lies outside", id="null"),
        pytest.param([(USER, 4, 0, 0)], [], "lies outside memory", id="user-address"),
        pytest.param([(2**64 - 2, 4, 0, 0)], [], "0xfffffffffffffffe lies outside", id="overflow"),
        pytest.param(
            [(HIGH + HIGH_SIZE - 2, 4, 0, 0)], [], "0x40024000 lies outside", id="over-the-end"
        ),
        pytest.param(
            [(REQUEST, 2**32 - 1, NEXT, 1), (RESPONSE, 64, WRITE, 0)],
            [],
            "4294967295 bytes at guest address 0x40000400",
            id="too-long",
        ),
        pytest.param(
            [READ4, (GUEST + USED, 64, WRITE, 0)], [], "overlap the ring itself", id="used-ring"
        ),
        pytest.param(
            [READ4, (GUEST + AVAIL + 21, 1, WRITE, 0)], [], "overlap the ring itself", id="avail"
        ),
        pytest.param(
            [READ4, (GUEST + DESC, 1, WRITE, 0)], [], "overlap the ring itself", id="descriptors"
        ),
        pytest.param(
            [(INNER, 32, INDIRECT | NEXT, 1)],
            [READ4, (RESPONSE, 64, WRITE, 0)],
            "the flags INDIRECT and NEXT, expected one of them",
            id="indirect-next",
        ),
        pytest.param(
            [(INNER, 32, INDIRECT, 0)],
            [READ4, (INNER, 32, INDIRECT, 0)],
            "entry 1 of an indirect table has the flag INDIRECT, expected it in the ring only",
            id="nested",
        ),
        pytest.param(
            [(INNER, 0, INDIRECT, 0)], [], "table of 0 bytes, expected a multiple", id="no-table"
        ),
        pytest.param(
            [(INNER, 24, INDIRECT, 0)], [], "table of 24 bytes, expected a multiple", id="odd-table"
        ),
        pytest.param(
            [(INNER, 0xFFFF_FFF0, INDIRECT, 0)],
            [],
            "table of 4294967280 bytes, expected 1048576 or fewer",
            id="huge-table",
        ),
        pytest.param(
            [(GUEST + 0x10_0000, 32, INDIRECT, 0)], [], "lies outside memory", id="table-outside"
        ),
        pytest.param(
            [(HIGH + HIGH_SIZE - 16, 32, INDIRECT, 0)],
            [],
            "0x40024000 lies outside",
            id="table-half-outside",
        ),
        pytest.param(
            [(INNER, 32, INDIRECT, 0)],
            [(REQUEST, 4, NEXT, 2)],
            "next 2, expected less than 2 .indirect table length.",
            id="next-in-table",
        ),
        pytest.param(
            [(INNER, 32, INDIRECT, 0)],
            [(REQUEST, 4, NEXT, 0)],
            "loops or has more than 8 elements",
            id="loop-in-table",
        ),
        pytest.param(
            [(INNER, 16 * 9, INDIRECT, 0)],
            [*[(REQUEST, 4, NEXT, i + 1) for i in range(8)], (RESPONSE, 64, WRITE, 0)],
            "has more than 8 elements, expected 8 .queue size. or fewer",
            id="long-table",
        ),
        pytest.param(
            [READ4, (INNER, 16 * 8, INDIRECT, 0)],
            [*[(REQUEST, 4, NEXT, i + 1) for i in range(7)], (RESPONSE, 64, WRITE, 0)],
            "has more than 8 elements",
            id="long-direct-and-table",
        ),
    ],
)
def test_a_chain_that_breaks_a_rule_is_detected_and_named(
    elements: list[Element], inner: list[Element], text: str
) -> None:
    driver = HandDriver()
    driver.describe(*elements)
    driver.describe(*inner, at=INNER)
    driver.offer(0)
    broken(driver, f"cmdq: chain 0: .*{text}")


def test_an_indirect_table_that_was_not_negotiated_is_detected() -> None:
    driver = HandDriver(indirect=False)
    driver.describe(READ4, (RESPONSE, 64, WRITE, 0), at=INNER)
    driver.describe((INNER, 32, INDIRECT, 0))
    driver.offer(0)
    broken(driver, "flag INDIRECT, expected none: INDIRECT_DESC is not negotiated")


def test_a_chain_of_four_gibibytes_is_detected_before_it_is_looked_for() -> None:
    driver = HandDriver()
    driver.describe((HIGH, 0x1_0000, NEXT, 1), (HIGH, 0xFFFF_0000, WRITE, 0))
    driver.offer(0)
    broken(driver, r"4294967296 bytes in all, expected less than 2\^32")


def test_what_was_taken_before_a_fault_cannot_be_given_back_any_more() -> None:
    driver = HandDriver()
    driver.offer(command(driver), 9)
    chain = driver.take()
    broken(driver, "available entry 1 has head 9")
    with pytest.raises(QueueBroken, match="head 9"):
        driver.queue.push(chain, b"answer")
    assert driver.get(RESPONSE, 6) == bytes(6)


# giving back


def test_a_chain_given_back_twice_is_our_own_fault() -> None:
    driver = HandDriver()
    driver.offer(command(driver))
    chain = driver.take()
    driver.queue.push(chain, b"x")
    with pytest.raises(LocalProtocolError, match="chain 0 is given back, expected one that is"):
        driver.queue.push(chain, b"x")
    driver.queue.publish()
    assert driver.used() == [(0, 1)]


def test_a_chain_of_another_queue_is_not_given_back_here() -> None:
    one, other = HandDriver(), HandDriver()
    for driver in (one, other):
        driver.offer(command(driver))
    one.take()
    with pytest.raises(LocalProtocolError, match="expected one that is in flight"):
        one.queue.push(other.take(), b"x")


# telling each other


def answered(driver: HandDriver, index: int = 0) -> bool:
    driver.offer(command(driver, index))
    driver.queue.push(driver.take(), b"x")
    return driver.queue.publish()


@pytest.mark.parametrize("event_idx", [False, True])
def test_the_first_publish_asks_for_a_signal_whatever_the_driver_says(event_idx: bool) -> None:
    driver = HandDriver(event_idx=event_idx, start=300)
    driver.put_u16(AVAIL, 1)
    driver.put_u16(AVAIL + 4 + 2 * SIZE, 5)
    assert answered(driver)
    assert not answered(driver)
    driver.queue.rearm()
    assert not driver.queue.publish()
    assert answered(driver)
    assert not answered(driver)


def test_without_event_idx_the_flag_alone_suppresses_the_signal() -> None:
    driver = HandDriver(event_idx=False)
    answered(driver)
    driver.put_u16(AVAIL, 1)
    driver.put_u16(AVAIL + 4 + 2 * SIZE, 1)
    assert not answered(driver)
    driver.put_u16(AVAIL, 0xFFFE)
    assert answered(driver)


def test_with_event_idx_the_event_alone_suppresses_the_signal() -> None:
    driver = HandDriver(event_idx=True, start=65534)
    answered(driver)
    driver.put_u16(AVAIL, 1)
    driver.put_u16(AVAIL + 4 + 2 * SIZE, 0)
    assert not answered(driver)
    assert answered(driver)
    assert not answered(driver)


def test_a_batch_that_passes_the_event_asks_for_one_signal() -> None:
    driver = HandDriver(event_idx=True, start=65534)
    answered(driver)
    driver.put_u16(AVAIL + 4 + 2 * SIZE, 0)
    driver.offer(command(driver, 0), command(driver, 2))
    for _ in range(2):
        driver.queue.push(driver.take(), b"x")
    assert driver.queue.publish()
    assert not driver.queue.publish()


@pytest.mark.parametrize("event_idx", [False, True])
def test_arming_says_whether_something_came_before_it(event_idx: bool) -> None:
    driver = HandDriver(event_idx=event_idx)
    assert not driver.queue.arm()
    driver.offer(command(driver))
    assert driver.queue.arm()
    driver.take()
    assert not driver.queue.arm()


def test_arming_and_disarming_move_the_flag_or_the_event() -> None:
    plain = HandDriver(event_idx=False)
    plain.queue.disarm()
    assert plain.u16(USED) == 1
    plain.queue.arm()
    assert plain.u16(USED) == 0
    assert plain.u16(USED + 4 + 8 * SIZE) == 0
    event = HandDriver(event_idx=True, start=65535)
    event.offer(command(event))
    event.take()
    event.queue.arm()
    assert event.u16(USED + 4 + 8 * SIZE) == 0
    event.queue.disarm()
    assert event.u16(USED + 4 + 8 * SIZE) == 65535
    assert event.u16(USED) == 0


# restart and new memory tables


def test_a_new_queue_goes_on_where_the_used_index_in_memory_is() -> None:
    driver = HandDriver(start=65535)
    answered(driver)
    answered(driver)
    assert driver.queue.next_avail == 1
    driver.queue.close()
    assert driver.queue.next_avail == 1
    rings = driver.memory.rings(SIZE, USER + DESC, USER + AVAIL, USER + USED)
    driver.queue = DeviceQueue(
        driver.memory, SIZE, *rings[:3], next_avail=1, event_idx=True, indirect=True
    )
    assert answered(driver)
    assert driver.u16(USED + 2) == 2
    assert len(driver.used()) == 3


def test_a_new_memory_table_moves_the_queue_and_the_chains_in_flight() -> None:
    driver = HandDriver()
    driver.offer(command(driver))
    chain = driver.take()
    # The same bytes in one region, at the same guest and other user addresses.
    moved = bytearray(bytes(driver.low) + bytes(driver.high))
    old = bytes(driver.backing)
    memory = MemoryMap([Region(GUEST, 0x5000_0000, len(moved), memoryview(moved))])
    rings = memory.rings(SIZE, 0x5000_0000 + DESC, 0x5000_0000 + AVAIL, 0x5000_0000 + USED)
    driver.queue.replace_memory(memory, rings[:3], rings.reserved)
    driver.queue.push(chain, b"answer")
    driver.queue.publish()
    assert bytes(driver.backing) == old
    assert moved[0x800:0x806] == b"answer"
    assert struct.unpack_from("<HII", moved, USED + 2) == (1, 0, 6)
    driver.memory.release()


def test_a_new_memory_table_without_a_chain_in_flight_breaks_the_queue() -> None:
    driver = HandDriver()
    driver.describe((REQUEST, 4, NEXT, 1), (HIGH, 64, WRITE, 0))
    driver.offer(0)
    chain = driver.take()
    memory = MemoryMap([Region(GUEST, USER, LOW_SIZE, driver.low[:])])
    rings = memory.rings(SIZE, USER + DESC, USER + AVAIL, USER + USED)
    with pytest.raises(QueueBroken, match=r"chain 0, in flight: 64 bytes .* outside memory"):
        driver.queue.replace_memory(memory, rings[:3], rings.reserved)
    with pytest.raises(QueueBroken, match="chain 0, in flight"):
        driver.queue.push(chain, b"x")


def test_a_closed_queue_keeps_no_memory_and_no_chain() -> None:
    driver = HandDriver()
    driver.offer(command(driver))
    chain = driver.take()
    driver.queue.close()
    driver.queue.close()
    driver.memory.release()
    driver.low.release()
    driver.high.release()
    driver.backing.append(0)  # a BufferError if any view were left
    with pytest.raises(LocalProtocolError, match="the queue is closed"):
        driver.queue.push(chain, b"x")
    with pytest.raises(LocalProtocolError, match="the queue is closed"):
        driver.queue.pop()


def test_after_a_fault_the_memory_can_be_let_go_of_while_the_error_is_handled() -> None:
    driver = HandDriver()
    driver.describe(READ4, (0, 64, WRITE, 0))
    driver.offer(0)
    with pytest.raises(QueueBroken) as caught:
        driver.queue.pop()
    assert caught.value.__context__ is None
    driver.queue.close()
    driver.memory.release()


# what cannot work


def test_a_big_endian_machine_is_told_so_when_the_queue_is_made(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sys, "byteorder", "big")
    with pytest.raises(LocalProtocolError, match="big-endian, expected a little-endian one"):
        HandDriver()


def test_ring_parts_too_small_for_the_queue_size_are_refused() -> None:
    driver = HandDriver()
    views = [memoryview(bytearray(length)) for length in (128, 22, 70)]
    for short, name in enumerate(["descriptor table", "available ring", "used ring"]):
        parts = [view[:-2] if i == short else view for i, view in enumerate(views)]
        with pytest.raises(LocalProtocolError, match=f"{name} of .* bytes, expected"):
            DeviceQueue(driver.memory, SIZE, *parts, event_idx=True, indirect=True)
