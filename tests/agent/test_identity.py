"""Whose a platform is decides what its numbers from 0x80 mean; asked once, and only for them."""

from __future__ import annotations

import struct
from collections.abc import Callable
from typing import Any

import pytest

from scmictl.agent import Agent, Event, Raw
from scmictl.errors import DeviceGone, StatusError
from scmictl.protocols import base
from scmictl.protocols.nxp import lmm

# Reference part A, 4: BASE_DISCOVER_VENDOR and SUB_VENDOR; part B, 8.1: LMM_EVENT.
VENDOR, SUB_VENDOR = (0x10, 0x3), (0x10, 0x4)
LMM_EVENT = bytes.fromhex("00030200 01000000 02000000 01000000")
NOT_SUPPORTED, BUSY, DENIED = (struct.pack("<i", code) for code in (-1, -6, -3))


def named(name: bytes) -> bytes:
    return bytes(4) + name.ljust(16, bytes(1))


NXP = {
    VENDOR: named(b"NXP"),
    SUB_VENDOR: named(b"IMX"),
    (0x10, 0x0): bytes.fromhex("0000000000000200"),
}
Says = Callable[..., None]


@pytest.fixture
def says(peer: Any) -> Says:
    """Return a function that makes the platform answer so; what it does not know it keeps."""

    def say(answers: dict[tuple[int, int], bytes | None]) -> None:
        def answer(frame: bytes) -> bytes | None:
            word = int.from_bytes(frame[:4], "little")
            payload = answers.get((word >> 10 & 0xFF, word & 0xFF), bytes(4))
            return None if payload is None else frame[:4] + payload

        peer.answer = answer

    return say


def asked(peer: Any) -> list[tuple[int, int]]:
    """Protocol and message of every request so far."""
    words = [int.from_bytes(frame[:4], "little") for frame in peer.frames]
    return [(word >> 10 & 0xFF, word & 0xFF) for word in words]


def test_standard_protocols_need_no_vendor(agent: Agent, peer: Any, says: Says) -> None:
    says(NXP)
    agent.call(base.ProtocolVersion())
    assert agent.protocols.by_id(0x14) is not None
    assert agent.protocols.id_name(0x15) == "sensor"
    assert VENDOR not in asked(peer)
    assert agent.protocols.owner == (None, None)


def test_a_vendors_number_is_asked_for_once(agent: Agent, peer: Any, says: Says) -> None:
    says(NXP)
    assert agent.protocols.by_id(0x80) is lmm.PROTOCOL
    agent.call(lmm.Boot(lm_id=2))
    assert agent.protocols.id_name(0x81) == "nxp-bbm"
    assert asked(peer) == [VENDOR, SUB_VENDOR, (0x80, 0x4)]
    assert peer.frames[2][4:] == bytes.fromhex("02000000")


@pytest.mark.parametrize("request_", [lmm.Boot(lm_id=2), Raw(0x80, 0x4, b"\2\0\0\0")])
def test_it_is_asked_for_before_the_first_message_of_a_vendor(
    agent: Agent, peer: Any, says: Says, request_: Any
) -> None:
    says(NXP)
    agent.collect([agent.submit(request_)])
    assert asked(peer) == [VENDOR, SUB_VENDOR, (0x80, 0x4)]


def test_a_vendors_notification_is_decoded_like_any(agent: Agent, peer: Any, says: Says) -> None:
    says(NXP)
    agent.subscribe(lmm.Notify(lm_id=2, flags=lmm.EventFlags(1)))
    peer.event(LMM_EVENT)
    (event,) = agent.dispatch(agent.waiter.now())
    assert isinstance(event, Event)
    assert event.protocol is lmm.PROTOCOL
    assert event.message == lmm.Event(lm_id=1, event_lm=2, flags=lmm.EventFlags(1))


def test_one_that_comes_before_anybody_has_asked_is_decoded_when_it_is_read(
    agent: Agent, peer: Any, says: Says
) -> None:
    says(NXP)
    peer.event(LMM_EVENT)
    event = next(agent.notifications(agent.waiter.now() + 1))
    assert isinstance(event, Event)
    assert event.spec == "LMM_EVENT"
    assert event.time == 1.5
    assert asked(peer) == [VENDOR, SUB_VENDOR]


def test_of_another_vendor_it_stays_raw(agent: Agent, peer: Any, says: Says) -> None:
    says({**NXP, VENDOR: named(b"Arm")})
    peer.event(LMM_EVENT)
    event = next(agent.notifications(agent.waiter.now() + 1))
    assert isinstance(event, Event)
    assert (event.message, event.error, event.protocol) == (None, None, None)
    assert event.payload == LMM_EVENT[4:]
    assert agent.protocols.id_name(0x80) == "vendor-0x80"


@pytest.mark.parametrize(
    ("sub_vendor", "error"),
    [
        (NOT_SUPPORTED, "NOT_SUPPORTED"),
        (DENIED, "DENIED"),
        (None, "TIMEOUT"),
        (bytes(4) + b"IMX", "REMOTE_PROTOCOL"),
        (b"", "REMOTE_PROTOCOL"),
        (named(b"S32"), None),
        (named(b"\xff\x1b[31mIMX"), None),
        (named(b""), None),
    ],
    ids=["refused", "denied", "silent", "short", "empty", "other", "garbage", "nameless"],
)
def test_without_the_right_sub_vendor_its_protocols_are_not_spoken(
    agent: Agent, peer: Any, says: Says, sub_vendor: bytes | None, error: str | None
) -> None:
    says({**NXP, SUB_VENDOR: sub_vendor})
    assert agent.protocols.by_id(0x80) is None
    assert agent.protocols.id_name(0x80) == "vendor-0x80"
    identity = agent.protocols.identity()
    assert identity.vendor == "NXP"
    assert [found.name for found in identity.errors] == ([error] if error else [])
    before = len(peer.frames)
    assert agent.protocols.by_id(0x81) is None
    assert len(peer.frames) == before, "it is not asked again"
    # And the connection goes on.
    assert agent.call(base.ProtocolVersion()).version == 0x20000


def test_a_platform_without_a_vendor_has_no_protocols_of_one(agent: Agent, says: Says) -> None:
    says({**NXP, VENDOR: NOT_SUPPORTED})
    assert agent.protocols.by_id(0x80) is None
    assert str(agent.protocols.identity()) == "unknown"


def test_a_platform_that_was_busy_is_asked_again(agent: Agent, says: Says) -> None:
    says({**NXP, SUB_VENDOR: BUSY})
    assert agent.protocols.by_id(0x80) is None
    says(NXP)
    assert agent.protocols.by_id(0x80) is lmm.PROTOCOL


def test_a_platform_that_does_not_answer_at_all_is_gone(agent: Agent, says: Says) -> None:
    says({VENDOR: None, SUB_VENDOR: None, (0x10, 0x0): None})
    with pytest.raises(DeviceGone, match="did not answer BASE_DISCOVER_VENDOR"):
        agent.call(lmm.Boot(lm_id=0))


def test_what_is_given_counts_and_nobody_is_asked(
    make: Callable[..., Agent], peer: Any, says: Says
) -> None:
    agent = make(vendor=("nxp", None))
    says({**NXP, VENDOR: named(b"Arm")})
    assert agent.protocols.by_id(0x80) is lmm.PROTOCOL
    agent.call(lmm.Boot(lm_id=2))
    assert asked(peer) == [(0x80, 0x4)]
    agent.protocols.given = None
    assert agent.protocols.by_id(0x80) is None


def test_a_message_that_was_asked_for_is_sent_whoever_the_platform_is(
    agent: Agent, peer: Any, says: Says
) -> None:
    says({**NXP, VENDOR: named(b"Arm"), (0x80, 0x4): NOT_SUPPORTED})
    with pytest.raises(StatusError, match="LMM_BOOT: NOT_SUPPORTED"):
        agent.call(lmm.Boot(lm_id=2))
    assert asked(peer)[-1] == (0x80, 0x4)


def test_after_a_reconnection_it_may_be_another_platform(
    make: Callable[..., Agent], peer: Any, says: Says
) -> None:
    from scmictl.transport.inprocess import InProcess

    agent = make(reopen=lambda: InProcess(peer), reconnect=5.0)
    says(NXP)
    assert agent.protocols.by_id(0x80) is lmm.PROTOCOL
    says({**NXP, VENDOR: named(b"Arm"), (0x15, 0x6): None, (0x10, 0x0): None})
    agent.submit(Raw(0x15, 0x6, b""))
    agent.pause(3.0)  # nothing is answered any more: the queue is dead, and made anew
    says({**NXP, VENDOR: named(b"Arm")})
    assert agent.protocols.by_id(0x80) is None
