"""What an agent knows and remembers: versions, lists, names, subscriptions, reconnections."""

from __future__ import annotations

from typing import Any

import pytest

from scmictl.agent import Agent, Event, Lost, Reconnected, inbox
from scmictl.errors import ConnectError, DeviceGone, RemoteProtocolError
from scmictl.protocols import base, clock, pinctrl, sensor
from scmictl.protocols.common import NotifyEnable, Version
from scmictl.transport import Transport
from scmictl.transport.inprocess import InProcess
from scmictl.wire import codec

SUCCESS = bytes(4)
NOT_FOUND = bytes.fromhex("fcffffff")
UPDATE = bytes.fromhex("01570000 00000000 00000000 0100000000000000 0000000000000000")


def key(frame: bytes) -> tuple[int, int]:
    word = int.from_bytes(frame[:4], "little")
    return word >> 10 & 0xFF, word & 0xFF


class Table:
    """Answers by (protocol, message id); a list is used up one answer after the other."""

    def __init__(self, answers: dict[tuple[int, int], bytes | list[bytes]]) -> None:
        self.answers = answers

    def __call__(self, frame: bytes) -> bytes:
        answer = self.answers.get(key(frame), NOT_FOUND)
        if isinstance(answer, list):
            answer = answer.pop(0)
        return frame[:4] + answer


def word(value: int) -> bytes:
    return value.to_bytes(4, "little")


def test_a_version_is_asked_for_only_where_layouts_differ(agent: Any, peer: Any) -> None:
    peer.answer = Table({(0x14, 6): SUCCESS + bytes(8)})
    agent.call(clock.RateGet(clock_id=0))
    assert [key(frame) for frame in peer.frames] == [(0x14, 6)]


def test_the_layout_follows_the_reported_version_and_is_asked_for_once(
    agent: Any, peer: Any
) -> None:
    peer.answer = Table({(0x14, 0): SUCCESS + word(0x20000), (0x14, 7): SUCCESS})
    for _ in range(2):
        agent.call(clock.ConfigSet(clock_id=2, attributes=clock.ConfigSetAttributes(1)))
    assert [key(frame) for frame in peer.frames] == [(0x14, 0), (0x14, 7), (0x14, 7)]
    # Reference part A, section 11: the two-word form of clock 1.0 and 2.0.
    assert peer.frames[1][4:] == bytes.fromhex("02000000 01000000")


def test_a_version_given_by_the_user_is_not_asked_for(make: Any, peer: Any) -> None:
    agent = make(versions={0x14: 0x30000})
    peer.answer = Table({(0x14, 7): SUCCESS})
    agent.call(clock.ConfigSet(clock_id=2, attributes=clock.ConfigSetAttributes(1)))
    assert peer.frames[0][4:] == bytes.fromhex("02000000 01000000 00000000")


def test_a_platform_newer_than_we_are_is_asked_to_speak_our_version(agent: Any, peer: Any) -> None:
    peer.answer = Table({(0x14, 0): SUCCESS + word(0x50000), (0x14, 0x10): SUCCESS})
    assert agent.version(clock.PROTOCOL) == 0x30000
    assert peer.frames[1][4:] == word(0x30000)
    assert agent.reported[0x14] == 0x50000


def test_a_newer_platform_that_will_not_negotiate_gets_our_newest_layouts(
    agent: Any, peer: Any
) -> None:
    peer.answer = Table({(0x14, 0): SUCCESS + word(0x50000)})
    assert clock.ConfigSet.epoch(agent.version(clock.PROTOCOL)) == 0x20001


def test_a_newer_minor_version_is_taken_as_it_is(agent: Any, peer: Any) -> None:
    peer.answer = Table({(0x14, 0): SUCCESS + word(0x21000)})
    assert agent.version(clock.PROTOCOL) == 0x21000
    assert len(peer.frames) == 1


def test_a_negotiated_version_governs_what_is_said_afterwards(agent: Any, peer: Any) -> None:
    peer.answer = Table(
        {(0x14, 0): SUCCESS + word(0x30000), (0x14, 0x10): SUCCESS, (0x14, 7): SUCCESS}
    )
    agent.version(clock.PROTOCOL)
    agent.call(clock.NegotiateProtocolVersion(version=Version(0x10000)))
    agent.call(clock.ConfigSet(clock_id=2, attributes=clock.ConfigSetAttributes(1)))
    assert len(peer.frames[-1]) == 12


def rates(returned: int, remaining: int, *values: int) -> bytes:
    return (
        SUCCESS
        + word(returned | remaining << 16)
        + b"".join(v.to_bytes(8, "little") for v in values)
    )


def test_a_list_is_read_in_as_many_messages_as_it_takes(agent: Any, peer: Any) -> None:
    peer.answer = Table({(0x14, 4): [rates(2, 3, 1, 2), rates(2, 1, 3, 4), rates(1, 0, 5)]})
    listing = agent.listing(clock.DescribeRates(clock_id=7, rate_index=0))
    assert listing.all() == [1, 2, 3, 4, 5]
    assert [frame[4:] for frame in peer.frames] == [word(7) + word(n) for n in (0, 2, 4)]


def test_several_lists_are_read_in_step(agent: Any, peer: Any) -> None:
    peer.answer = Table({(0x14, 4): [rates(1, 1, 1), rates(1, 0, 9), rates(1, 0, 2)]})
    first, second = agent.listings(
        [clock.DescribeRates(clock_id=n, rate_index=0) for n in range(2)]
    )
    assert (first.all(), second.all()) == ([1, 2], [9])


def test_a_list_that_lies_about_its_length_keeps_the_good_rows(agent: Any, peer: Any) -> None:
    peer.answer = Table({(0x14, 4): [rates(2, 1, 1, 2), rates(200, 0, 3)]})
    listing = agent.listing(clock.DescribeRates(clock_id=7, rate_index=0))
    assert listing.items == [1, 2, 3]
    with pytest.raises(RemoteProtocolError, match=r"said to have 200 elements.*holds 1"):
        listing.all()


def test_a_list_whose_remainder_never_falls_ends_with_an_error(agent: Any, peer: Any) -> None:
    peer.answer = Table({(0x14, 4): rates(1, 5, 1)})
    listing = agent.listing(clock.DescribeRates(clock_id=7, rate_index=0))
    assert listing.items == [1, 1]
    with pytest.raises(RemoteProtocolError, match="5 elements remain after 1 more, expected 4"):
        listing.all()


def test_a_list_that_brings_nothing_but_goes_on_ends_with_an_error(agent: Any, peer: Any) -> None:
    peer.answer = Table({(0x14, 4): rates(0, 5)})
    with pytest.raises(RemoteProtocolError, match="0 elements returned although 5 remain"):
        agent.listing(clock.DescribeRates(clock_id=7, rate_index=0)).all()


def test_a_list_without_a_remainder_ends_with_the_first_empty_part(agent: Any, peer: Any) -> None:
    peer.answer = Table(
        {(0x10, 6): [SUCCESS + word(2) + bytes.fromhex("14150000"), SUCCESS + word(0)]}
    )
    assert agent.listing(base.DiscoverListProtocols(skip=0)).all() == [0x14, 0x15]
    assert peer.frames[1][4:] == word(2)


ALL_SETTINGS = pinctrl.SettingsGet(
    identifier=3,
    attributes=pinctrl.SettingsGetAttributes(config_flag=pinctrl.Wanted.ALL),
)


def settings(returned: int, remaining: int) -> bytes:
    pairs = b"".join(word(192) + word(n) for n in range(returned))
    return SUCCESS + word(0xFFFFFFFF) + word(remaining << 24 | returned) + pairs


def test_the_position_in_a_list_can_be_a_part_of_a_word(agent: Any, peer: Any) -> None:
    peer.answer = Table({(0x19, 5): [settings(2, 1), settings(1, 0)]})
    listing = agent.listing(ALL_SETTINGS)
    assert [setting.value for setting in listing.all()] == [0, 1, 0]
    assert [frame[4:] for frame in peer.frames] == [
        word(3) + word(1 << 18),
        word(3) + word(1 << 18 | 2 << 8),
    ]


def test_a_list_longer_than_a_request_can_count_keeps_the_good_rows(agent: Any, peer: Any) -> None:
    peer.answer = Table({(0x19, 5): [settings(200, 200), settings(100, 100)]})
    listing = agent.listing(ALL_SETTINGS)
    assert len(listing.items) == 300
    with pytest.raises(RemoteProtocolError, match="100 elements remain after 300, more than can"):
        listing.all()


def test_the_things_of_a_protocol_with_several_kinds_are_asked_for_by_their_kind(
    agent: Any, peer: Any
) -> None:
    group = pinctrl.PROTOCOL.kinds[1]
    assert codec.encode(group.describing(2), 0x10000) == word(2) + word(1)
    peer.answer = Table(
        {
            (0x19, 0): SUCCESS + word(0x10000),
            (0x19, 1): SUCCESS + word(0x00050001) + word(0),
            (0x19, 3): SUCCESS + word(1 << 31 | 1) + b"gpio-with-a-lon".ljust(16, b"\0"),
            (0x19, 9): SUCCESS + word(0) + b"gpio-with-a-long-name".ljust(64, b"\0"),
        }
    )
    assert agent.discover(pinctrl.PROTOCOL).names == ["gpio-with-a-long-name"]
    assert agent.discovered(pinctrl.PROTOCOL, group) is None
    groups = agent.discover(pinctrl.PROTOCOL, group)
    assert groups.names == ["gpio-with-a-long-name"] * 5
    assert agent.discover(pinctrl.PROTOCOL, group) is groups
    assert len(agent.discover(pinctrl.PROTOCOL).resources) == 1
    assert agent.discover(pinctrl.PROTOCOL, pinctrl.PROTOCOL.kind("functions")).names == []


def test_discovery_reads_every_clock_once_and_keeps_the_ones_that_fail(
    agent: Any, peer: Any
) -> None:
    attributes = SUCCESS + word(1) + b"uart0".ljust(16, b"\0") + word(0)
    peer.answer = Table(
        {
            (0x14, 0): SUCCESS + word(0x20000),
            (0x14, 1): SUCCESS + word(2),
            (0x14, 3): [attributes, NOT_FOUND],
        }
    )
    found = agent.discover(clock.PROTOCOL)
    assert agent.discover(clock.PROTOCOL) is found
    assert found.names == ["uart0", None]
    assert found.resources[1].error.name == "NOT_FOUND"
    assert len(peer.frames) == 4


def test_a_long_name_replaces_the_short_one(agent: Any, peer: Any) -> None:
    short = b"display-pixel-c".ljust(16, b"\0")
    peer.answer = Table(
        {
            (0x14, 0): SUCCESS + word(0x20000),
            (0x14, 1): SUCCESS + word(1),
            (0x14, 3): SUCCESS + word(1 << 29) + short + word(0),
            (0x14, 8): SUCCESS + word(0) + b"display-pixel-clock".ljust(64, b"\0"),
        }
    )
    assert agent.discover(clock.PROTOCOL).names == ["display-pixel-clock"]


def test_fewer_sensors_than_announced_is_an_error_of_the_missing_rows_only(
    agent: Any, peer: Any
) -> None:
    one = word(0) + word(0) + word(2) + b"soc".ljust(16, b"\0")
    peer.answer = Table(
        {
            (0x15, 0): SUCCESS + word(0x10000),
            (0x15, 1): SUCCESS + word(2) + bytes(12),
            (0x15, 3): SUCCESS + word(1) + one,
        }
    )
    found = agent.discover(sensor.PROTOCOL)
    assert found.names == ["soc", None]
    assert found.resources[1].error.exit_code == 5


def test_what_is_held_is_taken_back_when_the_agent_closes(agent: Any, peer: Any) -> None:
    peer.answer = Table({(0x15, 0xB): SUCCESS})
    agent.subscribe(sensor.ContinuousUpdateNotify(sensor_id=3, notify_enable=NotifyEnable(1)))
    agent.close()
    assert [frame[4:] for frame in peer.frames] == [word(3) + word(1), word(3) + word(0)]


def test_notifications_come_with_the_time_of_their_arrival(
    agent: Any, peer: Any, time: Any
) -> None:
    peer.event(UPDATE)
    event = next(agent.notifications(time.now() + 1))
    assert isinstance(event, Event)
    assert (event.spec, event.time) == ("SENSOR_UPDATE", 1.5)
    assert event.message == sensor.Update(
        agent_id=0, sensor_id=0, readings=[sensor.Reading(sensor_value=1, timestamp=0)]
    )


def test_waiting_for_notifications_ends_at_the_deadline(agent: Any, time: Any) -> None:
    assert list(agent.notifications(time.now() + 5)) == []
    assert time.now() == pytest.approx(1005.0)


def test_notifications_that_nobody_reads_are_counted(
    agent: Any, peer: Any, time: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(inbox, "LIMIT", 3)
    for _ in range(5):
        peer.event(UPDATE)
    happened = agent.dispatch(time.now())
    assert [type(item) for item in happened] == [Event, Event, Event, Lost]
    assert happened[-1] == Lost(2)


def reconnecting(peer: Any, time: Any, transports: list[Any], seconds: float = 5.0) -> Agent:
    def reopen() -> Transport:
        found = transports.pop(0)
        if isinstance(found, Exception):
            raise found
        return InProcess(found)

    return Agent(InProcess(peer), waiter=time, reopen=reopen, reconnect=seconds)


class Severed:
    """A far end whose connection is lost at the first request."""

    def __init__(self) -> None:
        self.frames: list[bytes] = []

    def handle(self, cookie: int, frame: bytes, room: int, now: float) -> bytes | None:
        self.frames.append(frame)
        if key(frame) == (0x14, 6):
            raise DeviceGone("the device hung up")
        return frame[:4] + SUCCESS + bytes(8)

    def poll(self, now: float) -> list[tuple[int | None, bytes]]:
        return []

    def next_deadline(self) -> float | None:
        return None

    def close(self) -> None:
        pass


def test_after_a_loss_what_was_pending_fails_and_what_was_held_is_renewed(
    peer: Any, time: Any
) -> None:
    peer.answer = Table({(0x15, 0xB): SUCCESS, (0x10, 0): SUCCESS + word(0x20000)})
    old = Severed()
    agent = reconnecting(old, time, [ConnectError("not yet"), peer])
    agent.subscribe(sensor.ContinuousUpdateNotify(sensor_id=3, notify_enable=NotifyEnable(1)))
    with pytest.raises(DeviceGone):
        agent.call(clock.RateGet(clock_id=0))
    assert agent.call(base.ProtocolVersion()).version == 0x20000
    assert [frame[4:] for frame in peer.frames] == [word(3) + word(1), b""]
    (event,) = agent.dispatch(time.now())
    assert isinstance(event, Reconnected)
    assert event.gap_s == pytest.approx(0.05), "two attempts, and no write sent again"


def test_a_device_that_does_not_come_back_in_time_is_gone(peer: Any, time: Any) -> None:
    agent = reconnecting(Severed(), time, [ConnectError("not yet")] * 100, seconds=1.0)
    with pytest.raises(DeviceGone):
        agent.call(clock.RateGet(clock_id=0))
    with pytest.raises(DeviceGone, match="hung up"):
        agent.call(base.ProtocolVersion())
    assert time.now() == pytest.approx(1001.0)


def test_without_reconnect_a_loss_is_final(time: Any) -> None:
    agent = Agent(InProcess(Severed()), waiter=time)
    with pytest.raises(DeviceGone):
        agent.call(clock.RateGet(clock_id=0))
    with pytest.raises(DeviceGone):
        agent.call(base.ProtocolVersion())
    agent.close()
