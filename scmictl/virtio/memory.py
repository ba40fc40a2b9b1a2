"""Shared memory as the other side addresses it: which byte a guest or user address means.

Theory of operation: a map is built once from the regions of one memory table and does not
change; when the table changes, a new map is built and the queues get that one. Both kinds of
address come from the other side, so nothing is assumed about them: an address that is not
wholly inside the table raises ``QueueBroken`` and no memory is touched. What lies behind the
views (an mmap, a bytearray) belongs to whoever made the regions.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable
from itertools import pairwise
from typing import NamedTuple

from scmictl.errors import LocalProtocolError, QueueBroken, RemoteProtocolError

from .layout import RingLayout


class Region(NamedTuple):
    """A piece of shared memory, and where each side thinks it is."""

    guest: int
    """The address descriptors use."""
    user: int
    """The address SET_VRING_ADDR uses: the frontend's own, opaque to everyone else."""
    size: int
    """Bytes."""
    view: memoryview
    """Writable bytes, ``size`` of them or more."""


class Rings(NamedTuple):
    """The three parts of one ring, and the guest addresses no buffer may lie in."""

    desc: memoryview
    avail: memoryview
    used: memoryview
    reserved: tuple[tuple[int, int], ...] = ()
    """(first byte, first byte after) of each part, as guest addresses."""


class MemoryMap:
    """All regions of one memory table.

    Raises RemoteProtocolError when regions are empty, overflow 64 bits, or overlap, and
    LocalProtocolError when a view is not writable bytes or smaller than its region.
    """

    __slots__ = ("_hit", "_regions", "_starts")

    def __init__(self, regions: Iterable[Region]) -> None:
        self._regions = sorted(regions, key=lambda region: region.guest)
        self._starts = [region.guest for region in self._regions]
        for region in self._regions:
            _check_region(region)
        _check_apart("guest", [(region.guest, region.size) for region in self._regions])
        _check_apart("user", sorted((region.user, region.size) for region in self._regions))
        # The region found last: nearly always the next one as well. (start, end, bytes)
        self._hit: tuple[int, int, memoryview] = (1, 0, memoryview(b""))

    @property
    def regions(self) -> tuple[Region, ...]:
        """The regions by ascending guest address."""
        return tuple(self._regions)

    def guest(self, addr: int, length: int) -> list[memoryview]:
        """The bytes at guest address ``addr``: one view, or more where touching regions meet.

        Raises QueueBroken when any of the ``length`` bytes (at least 1) lies outside.
        """
        start, end, view = self._hit
        if start <= addr and addr + length <= end:
            addr -= start
            return [view[addr : addr + length]]
        return self._search(addr, length)

    def user(self, addr: int, length: int) -> memoryview:
        """The bytes at user address ``addr``, which have to lie in one region.

        Raises QueueBroken when they do not.
        """
        region = self._user_region(addr, length)
        offset = addr - region.user
        return region.view[offset : offset + length]

    def rings(self, size: int, desc: int, avail: int, used: int) -> Rings:
        """The parts of a ring with ``size`` entries at three user addresses.

        Raises QueueBroken when a part is misaligned, leaves its region, or overlaps another;
        LocalProtocolError for a bad ``size``.
        """
        layout = RingLayout(size)
        views = []
        spans = []
        for name, addr, length, alignment in (
            ("descriptor table", desc, layout.desc_size, 16),
            ("available ring", avail, layout.avail_size, 2),
            ("used ring", used, layout.used_size, 4),
        ):
            region = self._user_region(addr, length)
            offset = addr - region.user
            # The address is what the rule is about, the offset what makes an access whole.
            if addr % alignment or offset % alignment:
                raise QueueBroken(
                    f"{name} at user address {addr:#x} (offset {offset:#x} of its region), "
                    f"expected a multiple of {alignment}"
                )
            views.append(region.view[offset : offset + length])
            spans.append((region.guest + offset, region.guest + offset + length))
        ordered = sorted(spans)
        for (_, end), (start, _) in pairwise(ordered):
            if start < end:
                raise QueueBroken(
                    f"ring parts overlap at guest address {start:#x}, "
                    f"expected {end:#x} or more for the second one"
                )
        return Rings(views[0], views[1], views[2], tuple(spans))

    def release(self) -> None:
        """Let go of all views, so that the memory behind them can be unmapped. Repeatable."""
        for region in self._regions:
            region.view.release()
        self._regions = []
        self._starts = []
        self._hit = (1, 0, memoryview(b""))

    def _search(self, addr: int, length: int) -> list[memoryview]:
        pieces: list[memoryview] = []
        at = addr
        left = length
        place = bisect_right(self._starts, at) - 1
        while left > 0:
            region = self._regions[place] if 0 <= place < len(self._regions) else None
            if region is None or not region.guest <= at < region.guest + region.size:
                raise QueueBroken(
                    f"{length} bytes at guest address {addr:#x}: {at:#x} lies outside memory, "
                    f"expected one of {self._extent()}"
                )
            offset = at - region.guest
            count = min(left, region.size - offset)
            pieces.append(region.view[offset : offset + count])
            self._hit = (region.guest, region.guest + region.size, region.view)
            at += count
            left -= count
            place += 1
        return pieces

    def _user_region(self, addr: int, length: int) -> Region:
        for region in self._regions:
            if region.user <= addr and addr + length <= region.user + region.size:
                return region
        extent = ", ".join(f"{r.user:#x}..{r.user + r.size - 1:#x}" for r in self._regions)
        raise QueueBroken(
            f"{length} bytes at user address {addr:#x} do not lie in one region, "
            f"expected one of {extent or 'no regions'}"
        )

    def _extent(self) -> str:
        return (
            ", ".join(f"{r.guest:#x}..{r.guest + r.size - 1:#x}" for r in self._regions)
            or "no regions"
        )


def _check_region(region: Region) -> None:
    if region.size <= 0:
        raise RemoteProtocolError(
            f"memory region at {region.guest:#x} of {region.size} bytes, expected at least 1"
        )
    if max(region.guest, region.user) + region.size > 1 << 64:
        raise RemoteProtocolError(
            f"memory region guest {region.guest:#x}, user {region.user:#x}, size {region.size:#x}"
            " passes 2^64, expected less"
        )
    view = region.view
    if view.readonly or view.format != "B" or view.nbytes < region.size:
        raise LocalProtocolError(
            f"memory region of {region.size} bytes over a view of {view.nbytes} bytes "
            f"(format {view.format}, readonly {view.readonly}), expected as many writable bytes"
        )


def _check_apart(kind: str, spans: list[tuple[int, int]]) -> None:
    for (first, size), (second, _) in pairwise(spans):
        if second < first + size:
            raise RemoteProtocolError(
                f"memory regions overlap: {kind} address {second:#x}, "
                f"expected {first + size:#x} or more"
            )
