"""Sizes and offsets of a split ring (reference section 14), and a driver's plan of its memory."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scmictl.errors import LocalProtocolError
from scmictl.virtio.layout import QueuePlan, RingLayout, plan

BUDGET = settings(max_examples=150, deadline=None, derandomize=True)


def test_a_ring_of_256_entries_has_the_sizes_of_the_virtio_text() -> None:
    ring = RingLayout(256)
    assert (ring.desc_size, ring.avail_size, ring.used_size) == (4096, 518, 2054)
    assert ring.used_event == 4 + 2 * 256
    assert ring.avail_event == 4 + 8 * 256


def test_the_smallest_ring_keeps_the_bytes_of_both_events() -> None:
    ring = RingLayout(1)
    assert (ring.desc_size, ring.avail_size, ring.used_size) == (16, 8, 14)


@pytest.mark.parametrize("size", [-1, 0, 3, 6, 100, 32767, 65536])
def test_a_size_that_is_no_power_of_two_up_to_32768_is_refused(size: int) -> None:
    with pytest.raises(LocalProtocolError, match=f"queue size {size}, expected a power of two"):
        RingLayout(size)
    with pytest.raises(LocalProtocolError, match="expected a power of two"):
        plan(size, request_room=128, response_room=128, indirect=True)


def parts(queue: QueuePlan) -> list[tuple[int, int]]:
    """(start, end) of everything in a queue, from the formulas of the reference."""
    found = [
        (queue.desc, queue.desc + 16 * queue.size),
        (queue.avail, queue.avail + 6 + 2 * queue.size),
        (queue.used, queue.used + 6 + 8 * queue.size),
    ]
    if queue.table:
        found.append((queue.table, queue.table + 32 * queue.slots))
    for slot in range(queue.slots):
        if queue.request_room:
            found.append((queue.request_at(slot), queue.request_at(slot) + queue.request_room))
        found.append((queue.response_at(slot), queue.response_at(slot) + queue.response_room))
    return found


@BUDGET
@given(
    cmdq=st.sampled_from([2, 4, 32, 128]),
    eventq=st.sampled_from([0, 1, 8, 64]),
    buffers=st.integers(0, 64),
    request=st.integers(4, 300),
    response=st.integers(8, 9000),
    indirect=st.booleans(),
)
def test_all_parts_of_a_plan_are_apart_aligned_and_inside_the_region(
    cmdq: int, eventq: int, buffers: int, request: int, response: int, indirect: bool
) -> None:
    buffers = min(buffers, eventq)
    whole = plan(
        cmdq,
        eventq,
        event_buffers=buffers,
        request_room=request,
        response_room=response,
        indirect=indirect,
    )
    queues = [whole.cmdq] + ([whole.eventq] if whole.eventq else [])
    assert (whole.eventq is not None) == (eventq > 0)
    found = sorted(part for queue in queues for part in parts(queue))
    for (_, end), (start, _) in pairwise(found):
        assert end <= start
    assert found[-1][1] <= whole.size
    assert whole.size % 4096 == 0
    for queue in queues:
        assert queue.desc % 4096 == 0
        assert queue.avail % 2 == 0
        assert queue.used % 4 == 0
        assert queue.table % 16 == 0
    assert whole.cmdq.slots == (cmdq if indirect else cmdq // 2)
    if whole.eventq:
        assert whole.eventq.slots == buffers


@pytest.mark.parametrize(("size", "indirect"), [(1024, True), (2048, False), (32768, True)])
def test_no_queue_size_lets_more_than_1024_commands_be_in_flight(size: int, indirect: bool) -> None:
    assert plan(size, request_room=16, response_room=16, indirect=indirect).cmdq.slots == 1024


def test_a_queue_of_one_entry_holds_a_command_only_with_indirect_descriptors() -> None:
    assert plan(1, request_room=16, response_room=16, indirect=True).cmdq.slots == 1
    with pytest.raises(LocalProtocolError, match="queue size 1, expected at least 2"):
        plan(1, request_room=16, response_room=16, indirect=False)


def test_more_event_buffers_than_entries_are_refused() -> None:
    with pytest.raises(LocalProtocolError, match="65 event buffers, expected 0 to 64"):
        plan(64, 64, event_buffers=65, request_room=16, response_room=16, indirect=False)


@pytest.mark.parametrize(("request_room", "response_room"), [(3, 8), (4, 7), (0, 0)])
def test_a_room_below_header_and_status_is_refused(request_room: int, response_room: int) -> None:
    with pytest.raises(LocalProtocolError, match="expected at least 4 and 8"):
        plan(8, request_room=request_room, response_room=response_room, indirect=False)


def test_a_chain_of_four_gibibytes_is_refused() -> None:
    with pytest.raises(LocalProtocolError, match=r"expected less than 2\^32"):
        plan(8, request_room=2**31, response_room=2**31, indirect=False)
