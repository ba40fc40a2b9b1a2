"""Rings that no device should run: every set-up of reference section 19 that must be refused.

The frontend (conftest.Peer) sends bytes from the reference, and asks to be told.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Callable
from typing import Any

import pytest

from scmictl.errors import RemoteProtocolError

# conftest.Peer, which a test module cannot import.
Peer = Any
EventFd = Callable[[], int]

MemoryFile = Callable[..., int]

GUEST, USER, SIZE = 0x4000_0000, 0x7F00_0000_0000, 0x10000
DESC, AVAIL, USED = 0x0000, 0x1000, 0x2000
"""Offsets in the memory file, for queue 0; queue 1 lies 0x4000 further on."""
FEATURES = 0x170000001


def frame(number: int, payload: bytes = b"", flags: int = 1) -> bytes:
    return struct.pack("<III", number, flags, len(payload)) + payload


def state(index: int, num: int) -> bytes:
    return struct.pack("<II", index, num)


def u64(value: int) -> bytes:
    return struct.pack("<Q", value)


def addresses(index: int, desc: int, avail: int, used: int, flags: int = 0) -> bytes:
    return struct.pack("<IIQQQQ", index, flags, desc, used, avail, 0)


def places(index: int) -> bytes:
    base = USER + 0x4000 * index
    return addresses(index, base + DESC, base + AVAIL, base + USED)


@pytest.mark.parametrize("index", [2, 3, 255])
def test_there_are_two_queues(peer: Peer, eventfd: EventFd, index: int) -> None:
    assert peer.say(2, u64(FEATURES))
    assert peer.share()
    assert not peer.say(8, state(index, 4))
    assert not peer.say(10, state(index, 0))
    assert not peer.enable(index)
    assert not peer.say(9, addresses(index, USER, USER + AVAIL, USER + USED))
    for number in (12, 13, 14):
        assert not peer.say(number, u64(index), [eventfd()])
        assert not peer.say(number, u64(index | 0x100))
    assert all(f"queue {index} found, expected 0 to 1" in t for t in peer.backend.refusals)
    peer.far.send(frame(11, state(index, 0)))
    with pytest.raises(RemoteProtocolError, match=f"queue {index} found, expected 0 to 1"):
        peer.backend.receive(0.0)


@pytest.mark.parametrize("index", [0x100, 0x80000000, 0xFFFFFFFF])
def test_a_queue_index_has_32_bits(peer: Peer, index: int) -> None:
    assert not peer.say(8, state(index, 4))
    assert not peer.say(9, addresses(index, USER, USER + AVAIL, USER + USED))


@pytest.mark.parametrize("size", [0, 3, 5, 6, 255, 257, 32767, 32769, 65536, 0xFFFFFFFF])
def test_a_size_is_a_power_of_two_up_to_32768(peer: Peer, size: int) -> None:
    assert not peer.say(8, state(0, size))
    assert f"size {size} found" in peer.backend.refusals[0]


@pytest.mark.parametrize("size", [1, 2, 1024, 32768])
def test_every_power_of_two_up_to_32768_is_a_size(peer: Peer, size: int) -> None:
    assert peer.say(8, state(0, size))


@pytest.mark.parametrize("base", [0x10000, 0xFFFFFFFF])
def test_a_base_has_16_bits(peer: Peer, base: int) -> None:
    assert not peer.say(10, state(0, base))
    assert peer.say(10, state(0, 0xFFFF))


@pytest.mark.parametrize("num", [2, 0xFFFFFFFF])
def test_enable_is_0_or_1(peer: Peer, num: int) -> None:
    assert peer.say(2, u64(FEATURES))
    assert not peer.say(18, state(0, num))
    assert not peer.backend.rings[0].enabled


def test_enable_needs_bit_30(peer: Peer) -> None:
    assert not peer.enable(0)
    assert "expected bit 30" in peer.backend.refusals[0]


def test_addresses_need_memory(peer: Peer) -> None:
    assert not peer.say(9, places(0))
    assert "expected the memory table first" in peer.backend.refusals[0]


@pytest.mark.parametrize("missing", ["features", "memory", "size", "addresses"])
def test_a_ring_is_started_when_it_is_complete(peer: Peer, eventfd: EventFd, missing: str) -> None:
    if missing != "features":
        assert peer.say(2, u64(FEATURES))
    assert peer.share()
    if missing != "size":
        assert peer.say(8, state(0, 4))
    if missing != "addresses":
        assert peer.say(9, places(0))
    if missing == "memory":
        region = bytes(8) + struct.pack("<QQQQ", GUEST, SIZE, USER, 0)
        assert peer.say(38, region)
    assert not peer.kick(0, eventfd())
    assert not peer.backend.rings[0].started
    assert peer.backend.rings[0].kick is None


@pytest.mark.parametrize(
    ("desc", "avail", "used"),
    [
        (USER + DESC + 8, USER + AVAIL, USER + USED),  # not aligned to 16
        (USER + DESC, USER + AVAIL + 1, USER + USED),  # … 2
        (USER + DESC, USER + AVAIL, USER + USED + 2),  # … 4
        (GUEST + DESC, GUEST + AVAIL, GUEST + USED),  # guest addresses
        (0, USER + AVAIL, USER + USED),
        (USER + DESC, 0, USER + USED),
        (USER + DESC, USER + AVAIL, 0),
        (USER - 16, USER + AVAIL, USER + USED),  # begins before the region
        (USER + SIZE - 48, USER + AVAIL, USER + USED),  # ends after it
        (USER + DESC, USER + SIZE - 12, USER + USED),
        (USER + DESC, USER + AVAIL, USER + SIZE - 36),
        ((1 << 64) - 16, USER + AVAIL, USER + USED),
        (USER + DESC, USER + DESC + 32, USER + USED),  # avail inside desc
        (USER + DESC, USER + USED + 4, USER + USED),  # avail inside used
        (USER + DESC, USER + AVAIL, USER + DESC),
    ],
)
@pytest.mark.parametrize("size_first", [True, False])
def test_ring_parts_are_aligned_apart_and_in_one_region(
    peer: Peer, eventfd: EventFd, desc: int, avail: int, used: int, size_first: bool
) -> None:
    assert peer.say(2, u64(FEATURES))
    assert peer.share()
    if size_first:
        assert peer.say(8, state(0, 4))
        assert not peer.say(9, addresses(0, desc, avail, used))
    else:
        assert peer.say(9, addresses(0, desc, avail, used))
        assert peer.say(8, state(0, 4))
    assert not peer.kick(0, eventfd())
    assert not peer.backend.rings[0].started


def test_the_parts_of_a_ring_may_be_anywhere_in_the_region(peer: Peer, eventfd: EventFd) -> None:
    assert peer.say(2, u64(FEATURES))
    assert peer.share()
    assert peer.say(8, state(0, 4))
    # 64, 14 and 38 bytes, each up to the very end of what follows it.
    where = addresses(0, USER + SIZE - 64, USER + SIZE - 64 - 40 - 14, USER + SIZE - 64 - 40)
    assert peer.say(9, where)
    assert peer.kick(0, eventfd())


def test_a_part_of_a_ring_does_not_cross_regions_even_where_they_touch(
    peer: Peer, memory_file: MemoryFile, eventfd: EventFd
) -> None:
    table = struct.pack("<II", 2, 0)
    for i in range(2):
        table += struct.pack("<QQQQ", GUEST + i * SIZE, SIZE, USER + i * SIZE, 0)
    assert peer.say(2, u64(FEATURES))
    assert peer.say(5, table, [peer.fd, memory_file(SIZE)])
    assert peer.say(8, state(0, 4))
    assert not peer.say(9, addresses(0, USER + SIZE - 32, USER + AVAIL, USER + USED))
    # Each part may be in another one.
    assert peer.say(9, addresses(0, USER + SIZE, USER + AVAIL, USER + SIZE + USED))
    assert peer.kick(0, eventfd())


def test_a_region_at_an_odd_address_does_not_make_an_odd_access(
    peer: Peer, eventfd: EventFd
) -> None:
    odd = struct.pack("<IIQQQQ", 1, 0, GUEST, SIZE, USER + 1, 0)
    assert peer.say(2, u64(FEATURES))
    assert peer.say(5, odd, [peer.fd])
    assert peer.say(8, state(0, 4))
    assert not peer.say(9, addresses(0, USER + 16, USER + AVAIL, USER + USED))


@pytest.mark.parametrize("flags", [1, 2, 0x80000000])
def test_logging_was_not_offered(peer: Peer, flags: int) -> None:
    assert peer.share()
    where = addresses(0, USER, USER + AVAIL, USER + USED, flags)
    assert not peer.say(9, where)
    assert "expected 0: logging was not offered" in peer.backend.refusals[0]


def test_a_started_ring_keeps_what_it_was_started_with(peer: Peer, eventfd: EventFd) -> None:
    peer.prepare()
    assert peer.kick(0, eventfd())
    assert not peer.say(8, state(0, 8))
    assert not peer.say(10, state(0, 1))
    assert not peer.say(9, addresses(0, USER, USER + AVAIL, USER + USED + 64))
    assert not peer.say(2, u64(1 << 32))
    # Saying the same again is no change.
    assert peer.say(8, state(0, 4))
    assert peer.say(9, places(0))
    assert peer.say(2, u64(FEATURES))
    assert all("to be stopped first" in text for text in peer.backend.refusals)
    peer.stop(0)
    assert peer.say(8, state(0, 8))
    assert peer.say(2, u64(1 << 32))


def test_a_file_that_has_shrunk_is_noticed_before_its_ring_is_started(
    peer: Peer, eventfd: EventFd
) -> None:
    peer.prepare()
    os.ftruncate(peer.fd, 0)
    assert not peer.kick(0, eventfd())
    assert "a file of 0x0 bytes found" in peer.backend.refusals[0]
