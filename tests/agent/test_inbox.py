"""What comes unasked: kept in order, within limits, and what is lost is counted."""

from __future__ import annotations

from scmictl.agent import Lost, Stray, inbox
from scmictl.agent.inbox import Inbox


def stray(size: int) -> Stray:
    return Stray(bytes(size), "a test")


def test_incidents_come_out_in_their_order_and_losses_after_what_was_kept() -> None:
    box = Inbox()
    for size in range(3):
        box.put(stray(size))
    assert box
    assert box.take_all() == [stray(0), stray(1), stray(2)]
    assert not box
    assert box.take() is None


def test_a_flood_of_large_frames_is_limited_by_its_bytes() -> None:
    box = Inbox()
    large = stray(1 << 20)
    for _ in range(20):
        box.put(large)
    found = box.take_all()
    assert found == [large] * 8 + [Lost(12)]
    assert inbox.LIMIT_BYTES == 8 << 20


def test_a_flood_of_small_frames_is_limited_by_their_number() -> None:
    box = Inbox()
    for _ in range(inbox.LIMIT + 5):
        box.put(stray(0))
    found = box.take_all()
    assert len(found) == inbox.LIMIT + 1
    assert found[-1] == Lost(5)


def test_what_is_read_makes_room_again() -> None:
    box = Inbox()
    large = stray(1 << 20)
    for _ in range(9):
        box.put(large)
    box.take()
    box.put(large)
    assert box.take_all() == [large] * 8 + [Lost(1)]
    box.put(large)
    assert box.take_all() == [large]
