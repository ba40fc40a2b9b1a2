"""Translation of guest and user addresses, all of them hostile."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scmictl.errors import LocalProtocolError, QueueBroken, RemoteProtocolError
from scmictl.virtio.memory import MemoryMap, Region

BUDGET = settings(max_examples=200, deadline=None, derandomize=True)


def region(guest: int, user: int, fill: bytes, size: int | None = None) -> Region:
    return Region(guest, user, len(fill) if size is None else size, memoryview(bytearray(fill)))


def letters() -> MemoryMap:
    """Two touching regions and one apart; in user addresses they lie the other way round."""
    return MemoryMap(
        [
            region(0x2000, 0x9000, b"ABCDEFGH"),
            region(0x1000, 0xA000, b"abcdefgh" * 512),
            region(0x8000, 0x7000, b"01234567"),
        ]
    )


def test_a_guest_address_inside_one_region_is_one_view_of_it() -> None:
    [piece] = letters().guest(0x2002, 3)
    assert piece.tobytes() == b"CDE"


def test_a_user_address_is_not_a_guest_address() -> None:
    memory = letters()
    assert memory.user(0x9002, 3).tobytes() == b"CDE"
    with pytest.raises(QueueBroken, match="outside memory"):
        memory.guest(0x9002, 3)
    with pytest.raises(QueueBroken, match="do not lie in one region"):
        memory.user(0x2002, 3)


def test_a_buffer_crosses_from_one_region_into_the_touching_one() -> None:
    pieces = letters().guest(0x1FFE, 5)
    assert [piece.tobytes() for piece in pieces] == [b"gh", b"ABC"]


def test_writing_through_a_view_reaches_the_memory() -> None:
    memory = letters()
    memory.guest(0x8000, 2)[0][:] = b"xy"
    assert memory.user(0x7000, 8).tobytes() == b"xy234567"


@pytest.mark.parametrize(
    ("addr", "length"),
    [
        (0xFFF, 1),
        (0xFFF, 2),
        (0x2007, 2),
        (0x2008, 1),
        (0x7FFF, 2),
        (0x8000, 9),
        (0x1000, 2**32 - 1),
        (2**64 - 1, 1),
        (2**64 - 4, 8),
        (0, 1),
    ],
)
def test_a_guest_range_not_wholly_inside_is_refused_naming_it(addr: int, length: int) -> None:
    with pytest.raises(QueueBroken, match=f"{length} bytes at guest address {addr:#x}"):
        letters().guest(addr, length)


def test_a_user_range_must_lie_in_a_single_region() -> None:
    touching = MemoryMap([region(0x1000, 0x1000, b"abcd"), region(0x1004, 0x1004, b"efgh")])
    assert touching.guest(0x1003, 2) != []
    with pytest.raises(QueueBroken, match="do not lie in one region"):
        touching.user(0x1003, 2)


def test_an_empty_table_has_no_address() -> None:
    empty = MemoryMap([])
    with pytest.raises(QueueBroken, match="no regions"):
        empty.guest(0x1000, 1)
    with pytest.raises(QueueBroken, match="no regions"):
        empty.user(0x1000, 1)


@BUDGET
@given(
    addr=st.one_of(st.integers(0x0FF8, 0x1008), st.integers(0x1FF8, 0x2010)),
    length=st.integers(1, 24),
)
def test_every_range_is_translated_byte_for_byte_or_refused(addr: int, length: int) -> None:
    byte = {0x1000 + i: b"abcdefgh"[i % 8] for i in range(4096)}
    byte |= {0x2000 + i: b"ABCDEFGH"[i] for i in range(8)}
    wanted = [byte.get(addr + i) for i in range(length)]
    memory = letters()
    for _ in range(2):  # the second time through what the first one remembered
        if None in wanted:
            with pytest.raises(QueueBroken):
                memory.guest(addr, length)
        else:
            assert list(b"".join(memory.guest(addr, length))) == wanted


@pytest.mark.parametrize(
    ("regions", "text"),
    [
        ([region(0x1000, 0x1000, b"")], "of 0 bytes, expected at least 1"),
        ([region(2**64 - 4, 0, b"abcdefgh")], "passes 2"),
        ([region(0, 2**64 - 4, b"abcdefgh")], "passes 2"),
        ([region(0, 0x100, b"abcd"), region(3, 0x200, b"abcd")], "overlap: guest address 0x3"),
        ([region(0, 0x100, b"abcd"), region(8, 0x103, b"abcd")], "overlap: user address 0x103"),
    ],
)
def test_regions_that_cannot_be_true_are_refused(regions: list[Region], text: str) -> None:
    with pytest.raises(RemoteProtocolError, match=text):
        MemoryMap(regions)


def test_a_view_that_is_too_small_or_read_only_is_our_own_fault() -> None:
    with pytest.raises(LocalProtocolError, match="9 bytes over a view of 8"):
        MemoryMap([region(0, 0, b"abcdefgh", size=9)])
    with pytest.raises(LocalProtocolError, match="readonly True"):
        MemoryMap([Region(0, 0, 4, memoryview(b"abcd"))])


def test_a_region_ends_where_it_says_even_if_the_view_goes_on() -> None:
    memory = MemoryMap([region(0x1000, 0x1000, b"abcdefgh", size=4)])
    with pytest.raises(QueueBroken):
        memory.guest(0x1000, 5)
    with pytest.raises(QueueBroken):
        memory.user(0x1003, 2)


def test_ring_parts_come_with_the_guest_addresses_no_buffer_may_touch() -> None:
    memory = MemoryMap([region(0x40000, 0x70000, bytes(0x1000))])
    rings = memory.rings(8, 0x70000, 0x70080, 0x70100)
    assert (rings.desc.nbytes, rings.avail.nbytes, rings.used.nbytes) == (128, 22, 70)
    assert rings.reserved == ((0x40000, 0x40080), (0x40080, 0x40096), (0x40100, 0x40146))


@pytest.mark.parametrize(
    ("desc", "avail", "used", "text"),
    [
        (0x70008, 0x70100, 0x70200, "descriptor table .* expected a multiple of 16"),
        (0x70000, 0x70101, 0x70200, "available ring .* expected a multiple of 2"),
        (0x70000, 0x70100, 0x70202, "used ring .* expected a multiple of 4"),
        (0x70000, 0x70040, 0x70200, "ring parts overlap at guest address 0x40040"),
        (0x70000, 0x70100, 0x70100, "ring parts overlap at guest address 0x40100"),
        (0x70000, 0x70100, 0x70FFC, "70 bytes at user address 0x70ffc"),
        (0x6FFF0, 0x70100, 0x70200, "128 bytes at user address 0x6fff0"),
    ],
)
def test_ring_parts_misaligned_overlapping_or_unmapped_are_refused(
    desc: int, avail: int, used: int, text: str
) -> None:
    memory = MemoryMap([region(0x40000, 0x70000, bytes(0x1000))])
    with pytest.raises(QueueBroken, match=text):
        memory.rings(8, desc, avail, used)


def test_a_user_address_that_is_aligned_where_its_memory_is_not_is_refused() -> None:
    memory = MemoryMap([region(0x40000, 0x70001, bytes(0x1000))])
    with pytest.raises(QueueBroken, match=r"0x70100 \(offset 0xff of its region\)"):
        memory.rings(8, 0x70100, 0x70200, 0x70300)


def test_release_lets_the_memory_be_resized() -> None:
    backing = bytearray(16)
    memory = MemoryMap([Region(0, 0, 16, memoryview(backing))])
    memory.guest(0, 8)
    with pytest.raises(BufferError):
        backing.append(0)
    memory.release()
    memory.release()
    backing.append(0)
    with pytest.raises(QueueBroken):
        memory.guest(0, 8)
