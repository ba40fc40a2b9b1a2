"""Where things lie: the numbers of a split ring, and the plan of a driver's shared memory."""

from __future__ import annotations

import struct
from typing import NamedTuple

from scmictl.errors import LocalProtocolError

DESC_NEXT = 1
"""Descriptor flag: the field ``next`` is valid."""
DESC_WRITE = 2
"""Descriptor flag: for the device to write; otherwise for the device to read."""
DESC_INDIRECT = 4
"""Descriptor flag: addr and len give a table of descriptors."""

AVAIL_NO_INTERRUPT = 1
"""avail.flags: the driver asks for no signals."""
USED_NO_NOTIFY = 1
"""used.flags: the device asks for no kicks."""

F_P2A_CHANNELS = 0
F_SHARED_MEMORY = 1
F_NOTIFY_ON_EMPTY = 24
F_INDIRECT_DESC = 28
F_EVENT_IDX = 29
F_VERSION_1 = 32
F_ACCESS_PLATFORM = 33
F_RING_PACKED = 34
F_IN_ORDER = 35
F_ORDER_PLATFORM = 36
F_RING_RESET = 40

CMDQ = 0
EVENTQ = 1

DESCRIPTOR = struct.Struct("<QIHH")
"""One descriptor: addr, len, flags, next. Only for entries that are not published (writing)
or into private memory (reading); shared indices and flags go through ``memoryview.cast``."""

MAX_QUEUE_SIZE = 32768
MAX_IN_FLIGHT = 1024
"""Commands in flight at most: the SCMI token has 10 bits."""
PAGE = 4096
SMALLEST_REQUEST = 4
"""A header."""
SMALLEST_RESPONSE = 8
"""A header and a status."""


class RingLayout:
    """Sizes and offsets (bytes) of the three parts of a split ring with ``size`` entries.

    Raises LocalProtocolError when ``size`` is not a power of two from 1 to 32768.
    """

    __slots__ = (
        "avail_event",
        "avail_offset",
        "avail_size",
        "desc_size",
        "size",
        "total",
        "used_event",
        "used_offset",
        "used_size",
    )

    def __init__(self, size: int) -> None:
        if not 1 <= size <= MAX_QUEUE_SIZE or size & (size - 1):
            raise LocalProtocolError(
                f"queue size {size}, expected a power of two from 1 to {MAX_QUEUE_SIZE}"
            )
        self.size = size
        self.desc_size = 16 * size
        self.avail_size = 6 + 2 * size
        self.used_size = 6 + 8 * size
        self.used_event = 4 + 2 * size
        """Offset of used_event within the available ring."""
        self.avail_event = 4 + 8 * size
        """Offset of avail_event within the used ring."""
        self.avail_offset = self.desc_size
        """Offset of the available ring when the parts follow each other from a page on."""
        self.used_offset = align(self.avail_offset + self.avail_size, 4)
        self.total = self.used_offset + self.used_size


class QueuePlan(NamedTuple):
    """Where one queue and its buffers lie, in bytes from the start of the region."""

    size: int
    """Entries of the ring."""
    desc: int
    avail: int
    used: int
    table: int
    """The indirect tables, two descriptors (32 bytes) for each slot; 0: direct descriptors."""
    slots: int
    """Buffers, and with that chains in flight at most."""
    buffers: int
    """The first slot: its request part, then its response part."""
    stride: int
    """From one slot to the next."""
    request_room: int
    """Bytes the device may read; 0 on the eventq."""
    response_room: int
    """Bytes the device may write."""
    end: int
    """The first byte after the last slot."""

    def request_at(self, slot: int) -> int:
        """Offset of the readable part of ``slot``."""
        return self.buffers + slot * self.stride

    def response_at(self, slot: int) -> int:
        """Offset of the writable part of ``slot``."""
        return self.buffers + slot * self.stride + align(self.request_room, 16)


class Plan(NamedTuple):
    """One region that holds everything a driver shares with its device."""

    size: int
    """Bytes, a multiple of the page size."""
    cmdq: QueuePlan
    eventq: QueuePlan | None


def plan(
    cmdq_size: int,
    eventq_size: int = 0,
    *,
    event_buffers: int = 0,
    request_room: int,
    response_room: int,
    indirect: bool,
) -> Plan:
    """Plan the shared memory of a driver.

    ``cmdq_size``, ``eventq_size``: ring entries, 0 for no eventq. ``event_buffers``: how many
    buffers of ``response_room`` bytes the eventq holds (ignored without one).
    ``request_room``, ``response_room``: bytes of each command's readable and writable part.
    ``indirect``: use indirect tables, which lets as many commands be in flight as the ring
    has entries instead of half of it.

    Raises LocalProtocolError when a size is not a power of two from 1 to 32768, when the cmdq
    cannot hold one command, when there are more buffers than entries, or a room is too small.
    """
    if request_room < SMALLEST_REQUEST or response_room < SMALLEST_RESPONSE:
        raise LocalProtocolError(
            f"room for {request_room} bytes of request and {response_room} of response, "
            f"expected at least {SMALLEST_REQUEST} and {SMALLEST_RESPONSE}"
        )
    if request_room + response_room >= 1 << 32:
        raise LocalProtocolError(
            f"{request_room + response_room} bytes for a command, expected less than 2^32"
        )
    entries = RingLayout(cmdq_size).size
    slots = min(entries if indirect else entries // 2, MAX_IN_FLIGHT)
    if not slots:
        raise LocalProtocolError(
            "queue size 1, expected at least 2: a command takes two descriptors",
            hint="a queue of size 1 needs a device that offers INDIRECT_DESC",
        )
    cmdq = _queue(0, cmdq_size, slots, request_room, response_room, indirect)
    eventq = None
    if eventq_size:
        if not 0 <= event_buffers <= eventq_size:
            raise LocalProtocolError(
                f"{event_buffers} event buffers, expected 0 to {eventq_size} (the queue size)"
            )
        eventq = _queue(cmdq.end, eventq_size, event_buffers, 0, response_room, False)
    return Plan(align((eventq or cmdq).end, PAGE), cmdq, eventq)


def _queue(
    start: int, size: int, slots: int, request: int, response: int, tables: bool
) -> QueuePlan:
    desc = align(start, PAGE)
    ring = RingLayout(size)
    table = align(desc + ring.total, 16)
    buffers = align(table + 32 * slots if tables else table, PAGE)
    stride = align(request, 16) + align(response, 16)
    return QueuePlan(
        size=size,
        desc=desc,
        avail=desc + ring.avail_offset,
        used=desc + ring.used_offset,
        table=table if tables else 0,
        slots=slots,
        buffers=buffers,
        stride=stride,
        request_room=request,
        response_room=response,
        end=buffers + slots * stride,
    )


def align(value: int, to: int) -> int:
    """The smallest multiple of ``to`` (a power of two) that is at least ``value``."""
    return (value + to - 1) & -to
