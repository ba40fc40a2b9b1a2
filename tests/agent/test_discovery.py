"""What a platform says it has, where its counts cannot say it, or say what cannot be."""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from scmictl.agent import Agent, Discovery, Transfer, status_error
from scmictl.errors import RemoteProtocolError
from scmictl.protocols import power, sensor, telemetry
from scmictl.wire import Status

SENSOR = 0x15
PAGE = 250
"""Descriptors in a response of 8 KiB."""


def sensors(count: int, listed: int) -> Callable[[bytes], bytes]:
    """A platform that counts ``count`` sensors and lists ``listed`` (reference B, 0x15)."""

    def answer(frame: bytes) -> bytes:
        word, *payload = struct.unpack(f"<{len(frame) // 4}I", frame)
        head = frame[:4] + bytes(4)
        if word & 0xFF == 0x0:
            return head + struct.pack("<I", 0x30000)
        if word & 0xFF == 0x1:
            return head + struct.pack("<4I", count, 0, 0, 0)
        (start,) = payload
        here = range(start, min(start + PAGE, listed))
        flags = (listed - here.stop & 0xFFFF) << 16 | len(here)
        names = (struct.pack("<3I16s", n, 0, 2, b"s%d" % n) for n in here)
        return head + struct.pack("<I", flags) + b"".join(names)

    return answer


@pytest.mark.parametrize("listed", [65535, 65536])
def test_of_as_many_sensors_as_can_be_counted_the_list_says_whether_there_is_one_more(
    agent: Agent, peer: Any, listed: int
) -> None:
    peer.answer = sensors(65535, listed)
    found = agent.discover(sensor.PROTOCOL)
    assert (len(found.resources), found.fault) == (listed, None)
    assert [found.name_of(n) for n in (0, 65534, listed - 1)] == ["s0", "s65534", f"s{listed - 1}"]
    assert found.name_of(listed) is None
    assert len(found.names) == listed


def test_a_list_can_never_be_longer_than_ids_go(agent: Agent, peer: Any) -> None:
    # The first of two parts says that 65,535 remain: more than there can be together.
    peer.answer = sensors(65535, 65536 + PAGE - 1)
    found = agent.discover(sensor.PROTOCOL)
    assert len(found.resources) == 65536
    assert isinstance(found.fault, RemoteProtocolError)
    assert "65785 sensors listed, expected the 65535 of PROTOCOL_ATTRIBUTES" in found.fault.message


def test_a_count_that_is_not_full_is_believed(agent: Agent, peer: Any) -> None:
    peer.answer = sensors(3, 4)
    found = agent.discover(sensor.PROTOCOL)
    assert found.names == ["s0", "s1", "s2"]
    assert isinstance(found.fault, RemoteProtocolError)


def answers(many: int, last: Status) -> Iterator[Transfer[Any]]:
    """The descriptions of ``many`` power domains, and ``last`` for one more."""
    response = power.DomainAttributesResponse(attributes=power.AttributesWord(), name="d")
    for number in range(many + 1):
        transfer: Transfer[Any] = Transfer(power.DomainAttributes(domain_id=number), 0x30001)
        transfer.response = response
        if number == many and last:
            transfer.fail(status_error(last, transfer.spec))
        yield transfer


@pytest.mark.parametrize(
    ("last", "there"), [(Status.SUCCESS, 65536), (Status.NOT_FOUND, 65535), (Status.BUSY, 65536)]
)
def test_of_as_many_domains_as_can_be_counted_the_next_is_asked_for(
    last: Status, there: int
) -> None:
    word = power.ProtocolAttributesWord(num_power_domains=65535)
    told = power.ProtocolAttributesResponse(attributes=word, statistics_address=0, statistics_len=0)
    assert power.PROTOCOL.resources is not None
    found = Discovery(power.PROTOCOL.resources, told)
    asked = found.describing()
    assert len(asked) == 65536
    assert asked[-1] == power.DomainAttributes(domain_id=65535)
    found.take_each(list(answers(65535, last)))
    assert len(found.resources) == there
    # It may well be there, only nothing is known of it.
    assert (found.fault is not None) == (last is Status.BUSY)


def test_a_count_of_billions_takes_no_memory() -> None:
    told = telemetry.ProtocolAttributesResponse(
        de_num=0xFFFFFFFF,
        groups_num=0,
        de_implementation_rev_dword=[0] * 4,
        attributes_1=telemetry.ProtocolAttributesWord(),
        default_blk_ts_rate=0,
    )
    assert telemetry.PROTOCOL.resources is not None
    found = Discovery(telemetry.PROTOCOL.resources, told)
    assert len(found.resources) == 65536
    assert isinstance(found.error, RemoteProtocolError)
    assert "4294967295 data events, expected 65536 at most" in found.error.message
