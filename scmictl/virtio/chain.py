"""Reads one chain of descriptors, checking all of it before anything is made of it.

The driver is hostile: it can write any descriptor, and change it at any time. So each
descriptor is read once, into private memory, and what is checked is what is used. A chain
that breaks a rule of the ring raises ``QueueBroken``. An odd command (no writable part, too
little of it, nothing readable) breaks none: whoever answers it has to cope.
"""

from __future__ import annotations

from scmictl.errors import QueueBroken

from .layout import DESC_INDIRECT, DESC_NEXT, DESC_WRITE, DESCRIPTOR
from .memory import MemoryMap

READABLE_LIMIT = 64 * 1024
"""Bytes of a readable part that are copied; no SCMI frame is as long."""
TABLE_LIMIT = 65536
"""Entries of an indirect table: ``next`` reaches no further."""


class Chain:
    """One chain in flight: what the driver asks, and the room for the answer."""

    __slots__ = ("_pieces", "_spans", "head", "length", "readable", "room")

    def __init__(
        self,
        head: int,
        readable: bytes,
        length: int,
        room: int,
        spans: list[tuple[int, int]],
        pieces: list[memoryview],
    ) -> None:
        self.head = head
        """Index of its first descriptor in the ring's table."""
        self.readable = readable
        """The readable elements joined, copied once, at most 64 KiB of them."""
        self.length = length
        """Bytes of all readable elements, copied or not."""
        self.room = room
        """Bytes of all writable elements; 0 if there are none."""
        self._spans = spans
        self._pieces = pieces

    def write(self, data: bytes) -> int:
        """Write ``data`` over the writable elements as far as they reach; returns how much."""
        pieces = self._pieces
        length = len(data)
        if length <= self.room and len(pieces) == 1:
            pieces[0][:length] = data
            return length
        done = 0
        for piece in pieces:
            part = data[done : done + piece.nbytes]
            piece[: len(part)] = part
            done += len(part)
        return done

    def move(self, memory: MemoryMap) -> None:
        """Find the writable elements in another memory table. Raises QueueBroken."""
        self.release()
        for addr, length in self._spans:
            self._pieces += memory.guest(addr, length)

    def release(self) -> None:
        """Let go of the memory; nothing can be written any more. Repeatable."""
        for piece in self._pieces:
            piece.release()
        self._pieces.clear()


class ChainReader:
    """Reads the chains of one ring.

    ``desc``: the bytes of the descriptor table with ``size`` entries. ``indirect``: whether
    INDIRECT_DESC is negotiated. ``reserved``: (first, first after) of guest addresses that no
    buffer may touch, those of the ring itself.
    """

    __slots__ = (
        "_desc",
        "_indirect",
        "_memory",
        "_reserved",
        "_reserved_end",
        "_reserved_start",
        "_size",
    )

    def __init__(
        self,
        memory: MemoryMap,
        size: int,
        desc: memoryview,
        *,
        indirect: bool,
        reserved: tuple[tuple[int, int], ...],
    ) -> None:
        self._memory = memory
        self._size = size
        self._desc = desc[: 16 * size]
        self._indirect = indirect
        self._reserved = reserved
        # Most buffers are outside of what spans all parts, which takes one look to see.
        self._reserved_start = min([start for start, _ in reserved], default=1)
        self._reserved_end = max([end for _, end in reserved], default=0)

    def read(self, head: int) -> Chain:
        """Read the chain that begins at descriptor ``head`` (less than ``size``).

        Raises QueueBroken when it loops, is longer than the ring, leaves its table or the
        memory, overlaps the ring, has an empty element, a readable one after a writable one,
        4 GiB or more, or an indirect table that is not negotiated or malformed.
        """
        memory = self._memory
        unpack = DESCRIPTOR.unpack_from
        table: memoryview | bytes = self._desc
        entries = limit = self._size
        inside = False
        index = head
        count = total = readable_length = 0
        readable: list[memoryview] = []
        spans: list[tuple[int, int]] = []
        pieces: list[memoryview] = []
        while True:
            addr, length, flags, following = unpack(table, index << 4)
            if flags & DESC_INDIRECT:
                if inside:
                    raise QueueBroken(
                        f"entry {index} of an indirect table has the flag INDIRECT, "
                        "expected it in the ring only"
                    )
                table = self._table(addr, length, flags)
                inside = True
                entries = len(table) >> 4
                # A command takes two elements, also on a ring that has a single entry.
                limit = max(limit, 2)
                index = 0
                continue
            count += 1
            if count > limit:
                raise QueueBroken(
                    f"it loops or has more than {limit} elements, "
                    f"expected {limit} (queue size) or fewer"
                )
            if not length:
                raise QueueBroken(f"descriptor {index} has length 0, expected at least 1")
            total += length
            if total >> 32:
                raise QueueBroken(f"{total} bytes in all, expected less than 2^32")
            if addr < self._reserved_end and addr + length > self._reserved_start:
                self._check_reserved(addr, length)
            if flags & DESC_WRITE:
                spans.append((addr, length))
                pieces += memory.guest(addr, length)
            elif spans:
                raise QueueBroken(
                    f"descriptor {index} is readable after a writable one, "
                    "expected the readable ones first"
                )
            else:
                readable_length += length
                readable += memory.guest(addr, length)
            if not flags & DESC_NEXT:
                break
            if following >= entries:
                raise QueueBroken(
                    f"descriptor {index} has next {following}, expected less than {entries} "
                    f"({'indirect table length' if inside else 'queue size'})"
                )
            index = following
        if readable_length > READABLE_LIMIT:
            readable = _first(readable, READABLE_LIMIT)
        room = total - readable_length
        return Chain(head, b"".join(readable), readable_length, room, spans, pieces)

    def release(self) -> None:
        """Let go of the descriptor table. Repeatable."""
        self._desc.release()

    def _table(self, addr: int, length: int, flags: int) -> memoryview | bytes:
        """The indirect table at guest address ``addr``, bounded and inside memory."""
        if not self._indirect:
            raise QueueBroken(
                "a descriptor has the flag INDIRECT, expected none: INDIRECT_DESC is not negotiated"
            )
        if flags & DESC_NEXT:
            raise QueueBroken("a descriptor has the flags INDIRECT and NEXT, expected one of them")
        if not length or length % 16:
            raise QueueBroken(
                f"an indirect table of {length} bytes, expected a multiple of 16, at least 16"
            )
        if length > 16 * TABLE_LIMIT:
            raise QueueBroken(
                f"an indirect table of {length} bytes, expected {16 * TABLE_LIMIT} or fewer"
            )
        pieces = self._memory.guest(addr, length)
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)

    def _check_reserved(self, addr: int, length: int) -> None:
        for start, end in self._reserved:
            if addr < end and addr + length > start:
                raise QueueBroken(
                    f"{length} bytes at guest address {addr:#x} overlap the ring itself "
                    f"({start:#x}..{end - 1:#x}), expected a buffer outside of it"
                )


def _first(pieces: list[memoryview], limit: int) -> list[memoryview]:
    """The first ``limit`` bytes of ``pieces``."""
    kept: list[memoryview] = []
    for piece in pieces:
        kept.append(piece[:limit])
        limit -= kept[-1].nbytes
        if not limit:
            break
    return kept
