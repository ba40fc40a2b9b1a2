"""The driver end against a device written by hand, byte by byte from the reference."""

from __future__ import annotations

import struct
import sys

import pytest

from scmictl.errors import LocalProtocolError, QueueBroken
from scmictl.virtio.driver import DriverEnd, DriverQueue, EventQueue
from scmictl.virtio.layout import QueuePlan, plan

BASE = 0x4000_0000


class HandDevice:
    """A device that does as it is told: it knows the ring's offsets and no rule at all."""

    def __init__(self, memory: memoryview, queue: QueuePlan, start: int = 0) -> None:
        self.memory = memory
        self.queue = queue
        self.idx = start

    def u16(self, at: int) -> int:
        return int(struct.unpack_from("<H", self.memory, at)[0])

    def put_u16(self, at: int, value: int) -> None:
        struct.pack_into("<H", self.memory, at, value)

    @property
    def avail_flags(self) -> int:
        return self.u16(self.queue.avail)

    @property
    def avail_idx(self) -> int:
        return self.u16(self.queue.avail + 2)

    @property
    def used_event(self) -> int:
        return self.u16(self.queue.avail + 4 + 2 * self.queue.size)

    def set_avail_event(self, value: int) -> None:
        self.put_u16(self.queue.used + 4 + 8 * self.queue.size, value)

    def set_used_flags(self, value: int) -> None:
        self.put_u16(self.queue.used, value)

    def set_used_idx(self, value: int) -> None:
        self.put_u16(self.queue.used + 2, value)

    def head(self, entry: int) -> int:
        return self.u16(self.queue.avail + 4 + 2 * (entry % self.queue.size))

    def descriptor(self, at: int) -> tuple[int, int, int, int]:
        addr, length, flags, following = struct.unpack_from("<QIHH", self.memory, at)
        return addr, length, flags, following

    def chain(self, head: int) -> list[tuple[int, int, int, int]]:
        """The descriptors of a chain, out of an indirect table if it has one."""
        table = self.queue.desc
        first = self.descriptor(table + 16 * head)
        if first[2] & 4:
            table, first = first[0] - BASE, self.descriptor(first[0] - BASE)
        found = [first]
        while found[-1][2] & 1:
            found.append(self.descriptor(table + 16 * found[-1][3]))
        return found

    def request(self, head: int) -> bytes:
        addr, length, _, _ = self.chain(head)[0]
        return self.memory[addr - BASE : addr - BASE + length].tobytes()

    def write(self, head: int, data: bytes) -> None:
        """Write into the last element: the writable one."""
        addr = self.chain(head)[-1][0] - BASE
        self.memory[addr : addr + len(data)] = data

    def use(self, head: int, length: int) -> None:
        at = self.queue.used + 4 + 8 * (self.idx % self.queue.size)
        struct.pack_into("<II", self.memory, at, head, length)
        self.idx = (self.idx + 1) % 65536
        self.set_used_idx(self.idx)

    def answer(self, head: int, data: bytes) -> None:
        self.write(head, data)
        self.use(head, len(data))


def command_end(
    size: int = 8,
    *,
    event_idx: bool = True,
    indirect: bool = False,
    start: int = 0,
    room: int = 64,
) -> tuple[DriverQueue, HandDevice]:
    part = plan(size, request_room=32, response_room=room, indirect=indirect).cmdq
    memory = memoryview(bytearray(part.end))
    queue = DriverQueue(memory, part, BASE, event_idx=event_idx, start=start)
    return queue, HandDevice(memory, part, start)


def event_end(
    size: int = 8, buffers: int = 4, *, event_idx: bool = True, start: int = 0
) -> tuple[EventQueue, HandDevice]:
    part = plan(
        2, size, event_buffers=buffers, request_room=32, response_room=64, indirect=False
    ).eventq
    assert part is not None
    memory = memoryview(bytearray(part.end))
    queue = EventQueue(memory, part, BASE, event_idx=event_idx, start=start)
    return queue, HandDevice(memory, part, start)


# what is in memory


def test_a_command_is_a_readable_descriptor_then_a_writable_one() -> None:
    queue, device = command_end()
    assert queue.submit(b"request!", 7)
    queue.publish()
    head = device.head(0)
    readable, writable = device.chain(head)
    assert readable == (BASE + device.queue.request_at(head // 2), 8, 1, head + 1)
    assert writable == (BASE + device.queue.response_at(head // 2), 64, 2, 0)
    assert device.request(head) == b"request!"


def test_with_indirect_a_command_is_one_descriptor_that_gives_a_table_of_two() -> None:
    queue, device = command_end(indirect=True)
    queue.submit(b"request!", 7)
    queue.publish()
    head = device.head(0)
    addr, length, flags, _ = device.descriptor(device.queue.desc + 16 * head)
    assert (addr, length, flags) == (BASE + device.queue.table + 32 * head, 32, 4)
    readable, writable = device.chain(head)
    assert readable == (BASE + device.queue.request_at(head), 8, 1, 1)
    assert writable == (BASE + device.queue.response_at(head), 64, 2, 0)


def test_the_length_of_the_request_is_exactly_that_of_the_frame_each_time() -> None:
    queue, device = command_end(2)
    for entry, frame in enumerate([b"12345678", b"1234", b"123456789012"]):
        queue.submit(frame, entry)
        queue.publish()
        assert device.request(device.head(entry)) == frame
        device.answer(device.head(entry), b"answer")
        assert queue.reap() == [(entry, b"answer")]


def test_a_submitted_command_is_shown_only_by_publish() -> None:
    queue, device = command_end()
    queue.submit(b"aaaa", 1)
    queue.submit(b"bbbb", 2)
    assert device.avail_idx == 0
    queue.publish()
    assert device.avail_idx == 2


def test_both_rings_begin_at_the_index_given() -> None:
    queue, device = command_end(start=65535)
    assert device.avail_idx == 65535
    assert device.u16(device.queue.used + 2) == 65535
    queue.submit(b"aaaa", 1)
    queue.submit(b"bbbb", 2)
    queue.publish()
    assert device.avail_idx == 1
    device.answer(device.head(65535), b"A")
    device.answer(device.head(0), b"B")
    assert queue.reap() == [(1, b"A"), (2, b"B")]


# how many, and in which order


@pytest.mark.parametrize(("indirect", "capacity"), [(False, 4), (True, 8)])
def test_a_full_ring_refuses_the_next_command_until_one_comes_back(
    indirect: bool, capacity: int
) -> None:
    queue, device = command_end(8, indirect=indirect)
    assert queue.capacity == capacity
    for cookie in range(capacity):
        assert queue.submit(b"aaaa", cookie)
    assert not queue.submit(b"aaaa", 99)
    queue.publish()
    device.answer(device.head(2), b"x")
    queue.reap()
    assert queue.submit(b"aaaa", 99)
    assert not queue.submit(b"aaaa", 100)


def test_answers_carry_their_cookies_in_whatever_order_they_come() -> None:
    queue, device = command_end()
    for cookie in (10, 20, 30, 40):
        queue.submit(b"ask %d" % cookie, cookie)
    queue.publish()
    for entry in (2, 0, 3, 1):
        device.answer(device.head(entry), b"re " + device.request(device.head(entry)))
    assert queue.reap() == [
        (30, b"re ask 30"),
        (10, b"re ask 10"),
        (40, b"re ask 40"),
        (20, b"re ask 20"),
    ]
    assert queue.pending == []


def test_a_frame_that_does_not_fit_or_is_empty_is_refused() -> None:
    queue, _ = command_end()
    for frame in (b"", bytes(33)):
        with pytest.raises(LocalProtocolError, match=f"frame of {len(frame)} bytes, expected 1"):
            queue.submit(frame, 1)
    assert queue.pending == []


def test_commands_in_flight_are_taken_back_oldest_first_when_closing() -> None:
    queue, device = command_end()
    for cookie in (5, 3, 9):
        queue.submit(b"aaaa", cookie)
    queue.publish()
    device.answer(device.head(1), b"x")
    queue.reap()
    queue.submit(b"aaaa", 1)
    assert queue.pending == [5, 9, 1]
    assert queue.take_back() == [5, 9, 1]
    assert queue.take_back() == []
    with pytest.raises(LocalProtocolError, match="the queue is closed"):
        queue.submit(b"aaaa", 1)
    with pytest.raises(LocalProtocolError, match="the queue is closed"):
        queue.reap()


def test_a_closed_queue_lets_go_of_the_memory() -> None:
    part = plan(8, request_room=32, response_room=64, indirect=False).cmdq
    backing = bytearray(part.end)
    view = memoryview(backing)
    queue = DriverQueue(view, part, BASE, event_idx=True)
    queue.close()
    queue.close()
    view.release()
    backing.append(0)


# what is read


def test_exactly_as_many_bytes_are_read_as_the_device_says_it_wrote() -> None:
    queue, device = command_end()
    queue.submit(b"aaaa", 1)
    queue.publish()
    device.write(device.head(0), b"0123456789")
    device.use(device.head(0), 6)
    assert queue.reap() == [(1, b"012345")]


def test_an_answer_shorter_than_a_status_is_handed_over_as_it_is() -> None:
    queue, device = command_end()
    queue.submit(b"aaaa", 1)
    queue.submit(b"aaaa", 2)
    queue.publish()
    device.use(device.head(0), 0)
    device.answer(device.head(1), b"abc")
    assert queue.reap() == [(1, b""), (2, b"abc")]


def test_a_length_beyond_the_room_is_clamped_to_it() -> None:
    queue, device = command_end(room=16)
    queue.submit(b"aaaa", 1)
    queue.publish()
    device.write(device.head(0), b"0123456789abcdef")
    device.use(device.head(0), 0xFFFF_FFFF)
    assert queue.reap() == [(1, b"0123456789abcdef")]


def test_a_device_that_writes_nothing_does_not_get_an_older_answer_read() -> None:
    queue, device = command_end(2)
    queue.submit(b"aaaa", 1)
    queue.publish()
    device.answer(device.head(0), b"OLDSTATUS")
    queue.reap()
    queue.submit(b"aaaa", 2)
    queue.publish()
    device.use(device.head(1), 8)
    assert queue.reap() == [(2, bytes(8))]


def test_an_answer_is_a_copy_that_the_device_cannot_change_any_more() -> None:
    queue, device = command_end()
    queue.submit(b"aaaa", 1)
    queue.publish()
    device.answer(device.head(0), b"before")
    [(_, data)] = queue.reap()
    device.write(device.head(0), b"after!")
    assert data == b"before"


# telling each other


def test_the_first_publish_asks_for_a_kick_whatever_the_device_says() -> None:
    for event_idx in (False, True):
        queue, device = command_end(event_idx=event_idx)
        device.set_used_flags(1)
        device.set_avail_event(1000)
        queue.submit(b"aaaa", 1)
        assert queue.publish()


def test_publishing_nothing_new_asks_for_nothing() -> None:
    queue, _ = command_end()
    assert not queue.publish()
    queue.submit(b"aaaa", 1)
    queue.publish()
    assert not queue.publish()


def test_without_event_idx_the_flag_alone_suppresses_the_kick() -> None:
    queue, device = command_end(event_idx=False)
    queue.submit(b"aaaa", 1)
    queue.publish()
    device.set_used_flags(1)
    device.set_avail_event(1)
    queue.submit(b"aaaa", 2)
    assert not queue.publish()
    device.set_used_flags(0)
    queue.submit(b"aaaa", 3)
    assert queue.publish()


def test_with_event_idx_the_event_alone_suppresses_the_kick() -> None:
    queue, device = command_end(event_idx=True)
    queue.submit(b"aaaa", 1)
    queue.publish()
    device.set_used_flags(1)
    device.set_avail_event(1)
    queue.submit(b"aaaa", 2)
    assert queue.publish()
    queue.submit(b"aaaa", 3)
    assert not queue.publish()


def test_unknown_bits_in_the_flags_mean_nothing() -> None:
    queue, device = command_end(event_idx=False)
    queue.submit(b"aaaa", 1)
    queue.publish()
    device.set_used_flags(0xFFFE)
    queue.submit(b"aaaa", 2)
    assert queue.publish()


def test_arming_says_whether_something_came_before_it() -> None:
    for event_idx in (False, True):
        queue, device = command_end(event_idx=event_idx)
        queue.submit(b"aaaa", 1)
        queue.publish()
        assert not queue.arm()
        device.answer(device.head(0), b"x")
        assert queue.arm()
        queue.reap()
        assert not queue.arm()


def test_without_event_idx_arming_and_disarming_move_the_flag_only() -> None:
    queue, device = command_end(event_idx=False, start=10)
    assert (device.avail_flags, device.used_event) == (1, 0)
    queue.arm()
    assert (device.avail_flags, device.used_event) == (0, 0)
    queue.disarm()
    assert (device.avail_flags, device.used_event) == (1, 0)


def test_with_event_idx_arming_and_disarming_move_the_event_only() -> None:
    queue, device = command_end(event_idx=True, start=0)
    assert (device.avail_flags, device.used_event) == (0, 65535)
    queue.arm()
    assert (device.avail_flags, device.used_event) == (0, 0)
    queue.submit(b"aaaa", 1)
    queue.publish()
    device.answer(device.head(0), b"x")
    queue.reap()
    queue.arm()
    assert device.used_event == 1
    queue.disarm()
    assert (device.avail_flags, device.used_event) == (0, 0)


def test_a_driver_that_only_polls_never_asks_to_be_told() -> None:
    queue, device = command_end(event_idx=False)
    for entry in range(20):
        queue.submit(b"aaaa", entry)
        queue.publish()
        assert queue.reap() == []
        device.answer(device.head(entry), b"x")
        assert queue.reap() == [(entry, b"x")]
        assert device.avail_flags == 1


# a hostile device


def in_flight(**options: bool) -> tuple[DriverQueue, HandDevice]:
    """Two commands that the device was shown and one that it was not, cookies 1, 2, 3."""
    queue, device = command_end(**options)
    queue.submit(b"aaaa", 1)
    queue.submit(b"bbbb", 2)
    queue.publish()
    queue.submit(b"cccc", 3)
    return queue, device


def broken(queue: DriverQueue, text: str) -> QueueBroken:
    """The queue breaks with ``text``, and stays so without touching memory."""
    with pytest.raises(QueueBroken, match=text) as caught:
        queue.reap()
    assert "\n" not in caught.value.message
    assert "expected" in caught.value.message
    assert queue.broken == caught.value.message
    before = bytes(queue._memory)
    for call in (queue.reap, queue.publish, queue.arm, queue.disarm):
        with pytest.raises(QueueBroken) as again:
            call()
        assert again.value.message == caught.value.message
    with pytest.raises(QueueBroken, match=text):
        queue.submit(b"aaaa", 9)
    assert bytes(queue._memory) == before
    return caught.value


@pytest.mark.parametrize("indirect", [False, True])
def test_a_used_index_beyond_the_chains_in_flight_is_detected(indirect: bool) -> None:
    queue, device = in_flight(indirect=indirect)
    device.set_used_idx(3)
    broken(queue, "cmdq: used.idx went from 0 to 3, expected 2 or fewer more")


def test_a_used_index_that_moves_back_is_detected() -> None:
    queue, device = in_flight()
    device.answer(device.head(0), b"x")
    queue.reap()
    device.set_used_idx(0)
    broken(queue, "used.idx went from 1 to 0")


def test_a_used_index_that_moves_with_nothing_in_flight_is_detected() -> None:
    queue, device = command_end()
    device.use(0, 8)
    broken(queue, "expected 0 or fewer more")


@pytest.mark.parametrize("head", [8, 9, 0xFFFF, 0x10000, 0xFFFF_FFFF])
def test_a_used_id_beyond_the_queue_size_is_detected(head: int) -> None:
    queue, device = in_flight()
    device.use(head, 8)
    broken(queue, f"used entry 0 has id {head}, expected less than 8")


def test_a_used_id_in_the_middle_of_a_chain_is_detected() -> None:
    queue, device = in_flight()
    device.use(device.head(0) + 1, 8)
    broken(queue, "expected the head of a chain in flight")


def test_a_used_id_of_a_free_chain_is_detected() -> None:
    queue, device = in_flight()
    device.use(6, 8)
    broken(queue, "used entry 0 has id 6, expected the head of a chain in flight")


def test_a_used_id_of_a_chain_not_yet_shown_is_detected() -> None:
    queue, device = in_flight()
    device.use(device.head(2), 8)
    broken(queue, "expected the head of a chain in flight")


@pytest.mark.parametrize("indirect", [False, True])
def test_a_chain_used_twice_is_detected_and_the_first_answer_kept(indirect: bool) -> None:
    queue, device = in_flight(indirect=indirect)
    device.answer(device.head(1), b"once")
    device.use(device.head(1), 4)
    fault = broken(queue, "used entry 1 has id")
    assert fault.partial == [(2, b"once")]
    assert queue.take_back() == [1, 3]
    with pytest.raises(QueueBroken, match="used entry 1 has id"):
        queue.reap()


def test_a_chain_used_again_later_is_detected() -> None:
    queue, device = in_flight()
    device.answer(device.head(0), b"x")
    assert queue.reap() == [(1, b"x")]
    device.use(device.head(0), 1)
    broken(queue, "used entry 1 has id .*, expected the head of a chain in flight")


def test_descriptors_overwritten_by_the_device_do_not_move_what_the_driver_reads() -> None:
    queue, device = command_end()
    queue.submit(b"aaaa", 1)
    queue.publish()
    head = device.head(0)
    device.write(head, b"answer")
    device.memory[: device.queue.avail] = b"\xff" * device.queue.avail
    device.use(head, 6)
    assert queue.reap() == [(1, b"answer")]


# events


def test_every_event_buffer_is_posted_at_once_as_one_writable_descriptor() -> None:
    queue, device = event_end(8, 4)
    assert queue.publish()
    assert device.avail_idx == 4
    heads = {device.head(entry) for entry in range(4)}
    assert len(heads) == 4
    for head in heads:
        [(addr, length, flags, _)] = device.chain(head)
        assert (addr, length, flags) == (BASE + device.queue.response_at(head), 64, 2)


def test_an_event_is_handed_over_and_its_buffer_posted_again() -> None:
    queue, device = event_end(4, 2, start=65534)
    queue.publish()
    entry = 65534
    for number in range(10):
        head = device.head(entry % 65536)
        device.answer(head, b"event %d" % number)
        assert queue.reap() == [b"event %d" % number]
        queue.publish()
        entry += 1
        assert device.avail_idx == (entry + 2) % 65536
    assert queue.reap() == []


def test_events_come_in_the_order_in_which_the_buffers_were_used() -> None:
    queue, device = event_end()
    queue.publish()
    for entry in (3, 1, 0):
        device.answer(device.head(entry), b"%d" % entry)
    assert queue.reap() == [b"3", b"1", b"0"]


def test_an_event_longer_than_its_buffer_is_clamped_and_an_empty_one_empty() -> None:
    queue, device = event_end()
    queue.publish()
    device.write(device.head(0), bytes(range(64)))
    device.use(device.head(0), 1000)
    device.use(device.head(1), 0)
    assert queue.reap() == [bytes(range(64)), b""]


def test_an_event_in_a_buffer_that_was_never_posted_is_detected() -> None:
    queue, device = event_end(8, 4)
    queue.publish()
    device.use(5, 8)
    with pytest.raises(QueueBroken, match="eventq: used entry 0 has id 5, expected the head"):
        queue.reap()
    with pytest.raises(QueueBroken, match="eventq: used entry 0 has id 5, expected the head"):
        queue.publish()


def test_the_events_before_a_fault_are_not_lost() -> None:
    queue, device = event_end()
    queue.publish()
    device.answer(device.head(0), b"good")
    device.use(device.head(0), 4)
    with pytest.raises(QueueBroken) as caught:
        queue.reap()
    assert caught.value.partial == [b"good"]


def test_an_event_queue_may_have_no_buffers_at_all() -> None:
    queue, device = event_end(8, 0)
    assert not queue.publish()
    assert queue.reap() == []
    assert not queue.arm()
    device.use(0, 8)
    with pytest.raises(QueueBroken, match="expected 0 or fewer more"):
        queue.reap()


# what cannot work


def test_a_big_endian_machine_is_told_so_when_the_queue_is_made(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sys, "byteorder", "big")
    with pytest.raises(LocalProtocolError, match="big-endian, expected a little-endian one"):
        command_end()


def test_memory_smaller_than_the_plan_or_not_writable_is_refused() -> None:
    part = plan(8, request_room=32, response_room=64, indirect=False).cmdq
    for memory in (memoryview(bytearray(part.end - 1)), memoryview(bytes(part.end))):
        with pytest.raises(LocalProtocolError, match=f"expected at least {part.end} writable"):
            DriverEnd(memory, part, BASE, event_idx=True, name="cmdq")
