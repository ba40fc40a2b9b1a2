"""Telemetry: data events that are listed, enabled, read once and updated."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scmictl import protocols
from scmictl.errors import BoardError, UsageError
from scmictl.platform import Platform
from scmictl.protocols import telemetry
from scmictl.protocols.telemetry import Control, DeConfigureFlags, DeMode, Interval, Mode, Selector
from scmictl.wire import Status

TELEMETRY = 0x1B << 10
HEAD = """
[[agent]]
name = "boss"
[[agent]]
name = "guest"
denied = ["secret"]
[[device]]
name = "secret"
owns = ["telemetry:temp"]
"""
BOARD = (
    HEAD
    + """
[telemetry]
uuid = "00112233-4455-6677-8899-aabbccddeeff"
intervals = ["100ms", "1s"]
latency = "10ms"
most_enabled = 2
restrict = ["guest"]

[[telemetry.event]]
name = "energy"
id = 0xA000
type = "accumulating_other"
unit = "joules"
scale = -3
instance = 2
component_instance = 3
persistent = true
timestamps = true
value = 0x1_0000_0000
rate = 1000

[[telemetry.event]]
name = "temp"
id = 0xA005
type = "average"
component = "cpu"
unit = "degrees_celsius"
scale = -3
size = 4
value = 55000

[[telemetry.event]]
name = "throttled"
id = 7
"""
)
ENERGY, TEMP, THROTTLED = 0xA000, 0xA005, 7
OFF, ON, STAMPED = DeMode
NOWHERE = 0xFFFFFFFF
JOULES = 8


@pytest.fixture
def boss(connect: Any) -> Any:
    return connect(BOARD, "boss")


@pytest.fixture
def guest(connect: Any, boss: Any) -> Any:
    return connect(boss.platform, "guest")


def configure(id: int, mode: int = ON, **more: Any) -> telemetry.DeConfigure:
    return telemetry.DeConfigure(identifier=id, flags=DeConfigureFlags(mode=mode, **more))


def collect(mode: int, ms: int = 0, **more: Any) -> telemetry.ConfigSet:
    word = {"selector": Selector.ALL, "mode": mode, "enable": True, **more}
    rate = Interval(sec=ms, exponent=-3) if ms else Interval()
    return telemetry.ConfigSet(control=Control(**word), sampling_rate=rate)


def enabled(agent: Any) -> dict[int, int]:
    listed = agent.every(telemetry.DeEnabledList(index=0), 8192)
    return {one.id: one.mode.mode for one in listed}


# --- what there is --------------------------------------------------------------------------------


def test_data_events_are_counted_and_their_set_has_a_uuid(boss: Any, connect: Any) -> None:
    bits = 1 << 31 | 1 << 30 | 1 << 17
    uuid = [0x00112233, 0x44556677, 0x8899AABB, 0xCCDDEEFF]
    assert boss.words(TELEMETRY | 1) == [TELEMETRY | 1, 0, 3, 0, *uuid, bits, 1000]
    deaf = connect(boss.platform, "boss", events=False)
    assert deaf.ask(telemetry.ProtocolAttributes()).attributes_1 == 1 << 17


def test_a_data_event_is_described(boss: Any) -> None:
    # A name, type 3, persistent, 10^-3 joules, its own timestamps at 1000 kHz.
    first = 1 << 31 | 3 << 22 | 1 << 21 | 0xFD << 13 | JOULES << 5 | 1
    assert boss.words(TELEMETRY | 4, 0)[:10] == [
        TELEMETRY | 4, 0, 3,
        ENERGY, 0xFFFFFFFF, 8, first, 2 << 24 | 3 << 8 | 0x10, 0, 1000,
    ]  # fmt: skip
    described = boss.every(telemetry.DeDescription(desc_index=0))
    assert [one.name for one in described] == ["energy", "temp", "throttled"]
    assert [one.data_sz for one in described] == [8, 4, 8]
    assert described[0].de_attributes_1.unit_exponent == -3
    assert described[1].de_attributes_2.component_type == telemetry.ComponentType.CPU
    assert described[1].line_ts_rate is None


def test_a_list_has_as_many_descriptors_as_fit(boss: Any) -> None:
    request = telemetry.DeDescription(desc_index=0)
    assert boss.status(request, 12 + 43) is Status.PROTOCOL_ERROR
    page = boss.ask(request, 12 + 44 + 40)
    assert (page.num_desc.returned, page.num_desc.remaining) == (2, 1)
    for room in (12 + 44, 12 + 44 + 39, 136):
        assert len(boss.every(telemetry.DeDescription(desc_index=0), room)) == 3


@pytest.mark.parametrize("index", [3, 0xFFFFFFFF])
def test_a_list_does_not_begin_past_its_end(boss: Any, index: int) -> None:
    past = Status.OUT_OF_RANGE
    assert boss.status(telemetry.DeDescription(desc_index=index)) is past
    assert boss.status(telemetry.DeEnabledList(index=index)) is past
    intervals = telemetry.ListUpdateIntervals(
        index=index, flags=telemetry.ListFlags(selector=Selector.ALL)
    )
    assert boss.status(intervals) is past


def test_intervals_are_listed(boss: Any, connect: Any) -> None:
    # None remaining, a list, 2 of them; both in milliseconds.
    found = boss.words(TELEMETRY | 5, 0, NOWHERE, 2)
    assert found == [TELEMETRY | 5, 0, 2, 100 << 5 | 0x1D, 1000 << 5 | 0x1D]
    assert boss.words(TELEMETRY | 5, 1, NOWHERE, 0) == [TELEMETRY | 5, 0, 1, 1000 << 5 | 0x1D]
    for flags in (1, 3, 0x10):
        assert boss.words(TELEMETRY | 5, 0, 0, flags) == [TELEMETRY | 5, 0xFFFFFFFE]
    board = '[telemetry]\nintervals = { lowest = "10ms", highest = "1s", step = "10ms" }\n'
    triplet = connect(board).words(TELEMETRY | 5, 0, NOWHERE, 2)
    assert triplet[2:] == [1 << 12 | 3, 10 << 5 | 0x1D, 1000 << 5 | 0x1D, 10 << 5 | 0x1D]


def test_there_is_no_shared_memory(boss: Any) -> None:
    assert boss.words(TELEMETRY | 3, 0) == [TELEMETRY | 3, 0xFFFFFFFC]
    assert boss.status(telemetry.MessageAttributes(message_id=3)) is Status.NOT_FOUND


# --- enabling -------------------------------------------------------------------------------------


def test_data_events_are_enabled_for_an_agent(boss: Any, guest: Any) -> None:
    assert boss.words(TELEMETRY | 6, ENERGY, STAMPED) == [TELEMETRY | 6, 0, NOWHERE, 0, 0]
    boss.ask(configure(TEMP))
    assert boss.words(TELEMETRY | 7, 0, 0) == [TELEMETRY | 7, 0, 2, ENERGY, 2, TEMP, 1]
    assert boss.words(TELEMETRY | 7, 0, 1) == [TELEMETRY | 7, 0, 0], "groups"
    assert guest.ask(telemetry.DeEnabledList(index=0)).array_ == []
    boss.ask(configure(TEMP, OFF))
    assert enabled(boss) == {ENERGY: STAMPED}
    boss.ask(configure(0x999, OFF, disable_all=True))
    assert boss.ask(telemetry.DeEnabledList(index=0)).array_ == []


def test_what_cannot_be_enabled_is_refused(boss: Any, guest: Any) -> None:
    boss.ask(configure(TEMP))
    for request in (
        configure(8),
        configure(ENERGY, 3),
        configure(TEMP, STAMPED),  # it has no timestamps
        configure(0, selector=1),  # there are no groups
        configure(TEMP, ON, disable_all=True),
        telemetry.DeConfigure(identifier=TEMP, flags=DeConfigureFlags(0x10)),
    ):
        assert boss.status(request) is Status.INVALID_PARAMETERS
    assert guest.status(configure(TEMP)) is Status.INVALID_PARAMETERS, "it is not there for it"
    boss.ask(configure(ENERGY))
    assert boss.status(configure(THROTTLED)) is Status.OUT_OF_RANGE, "two are the most"
    boss.ask(configure(ENERGY, STAMPED))
    assert enabled(boss) == {ENERGY: STAMPED, TEMP: ON}


def test_what_has_no_room_for_its_answer_is_not_enabled(boss: Any) -> None:
    assert boss.status(configure(TEMP), 19) is Status.PROTOCOL_ERROR
    assert boss.ask(telemetry.DeEnabledList(index=0)).array_ == []
    boss.ask(configure(TEMP), 20)
    assert enabled(boss) == {TEMP: ON}


# --- reading --------------------------------------------------------------------------------------


def test_a_single_reading_has_a_line_for_each_event(boss: Any) -> None:
    boss.ask(configure(ENERGY, STAMPED))
    boss.ask(configure(TEMP))
    boss.now += 2
    boss.ask(collect(Mode.SINGLE_READ))
    assert boss.events() == []
    (reading,) = boss.events(boss.now + 0.01)
    # Meta: the line is extended and its timestamp is valid; then id, value, microseconds.
    assert reading.array_ == [
        6, ENERGY, 2010, 1, 2_010_000, 0,
        0, TEMP, 55000, 0,
    ]  # fmt: skip
    assert reading.num_dwords == 10


def test_the_bytes_of_a_reading(boss: Any) -> None:
    boss.ask(configure(THROTTLED))
    assert boss.raw("08 6c 00 00 ff ff ff ff 45 00 00 00 00 00 00 00") == "086c0000 00000000"
    assert [frame.hex(" ", 4) for frame in boss.poll(boss.now + 1)] == [
        "086e0000 00000000 04000000 00000000 07000000 00000000 00000000"
    ]


def test_nothing_collects_after_a_single_reading(boss: Any) -> None:
    boss.ask(configure(TEMP))
    boss.ask(collect(Mode.NOTIFICATIONS, 100))
    boss.ask(collect(Mode.SINGLE_READ))
    current = telemetry.ConfigGet(flags=telemetry.ConfigGetFlags(selector=Selector.ALL))
    assert boss.ask(current).control == 2 << 5 | 2 << 1 | 1
    assert len(boss.events(boss.now + 5)) == 1
    assert boss.ask(current).control == 2 << 5
    assert boss.port.next_deadline() is None


def test_only_so_many_readings_are_outstanding(connect: Any) -> None:
    agent = connect("[async]\ntelemetry = 1\n" + BOARD, "boss")
    agent.ask(configure(TEMP))
    agent.ask(collect(Mode.SINGLE_READ))
    assert agent.status(collect(Mode.SINGLE_READ)) is Status.BUSY
    assert len(agent.events(agent.now + 1)) == 1


def test_an_event_that_is_invalid_or_denied(boss: Any, guest: Any) -> None:
    behaviour = boss.platform.behaviours[telemetry.ID]
    guest.ask(configure(THROTTLED))
    behaviour.collections[2].enabled[1] = ON  # denied since
    behaviour.adjust(2, "invalid", "on", 0)
    guest.ask(collect(Mode.SINGLE_READ))
    (reading,) = guest.events(guest.now + 1)
    assert reading.array_ == [1, THROTTLED, 0, 0]
    assert enabled(guest) == {THROTTLED: ON}, "nor is it listed"


# --- updates --------------------------------------------------------------------------------------


def test_updates_come_at_every_interval(boss: Any, guest: Any, connect: Any) -> None:
    second = connect(boss.platform, "boss")
    boss.ask(configure(ENERGY))
    boss.ask(collect(Mode.NOTIFICATIONS, 100))
    first, *more = boss.events(boss.now + 0.1)
    assert (first.agent_id, first.status, first.array_) == (0, 0, [0, ENERGY, 100, 1])
    assert more == []
    (update,) = boss.events(boss.now + 0.1)
    assert update.array_[2] == 200
    assert second.events() == guest.events() == []
    second.ask(collect(Mode.NOTIFICATIONS, 1000))
    assert boss.events(boss.now + 0.9) == [], "the other connection has asked since"
    assert len(second.events(boss.now + 0.2)) == 1


def test_updates_end_when_they_are_switched_off_or_the_connection_ends(boss: Any) -> None:
    boss.ask(configure(ENERGY))
    boss.ask(collect(Mode.NOTIFICATIONS, 100))
    boss.ask(collect(9, enable=False))
    assert boss.events(boss.now + 1) == []
    boss.ask(collect(Mode.NOTIFICATIONS, 100))
    platform = boss.platform
    boss.port.close()
    platform.advance(boss.now + 1)
    assert len(platform.timers) == 0


def test_what_cannot_be_collected_is_refused(boss: Any, connect: Any) -> None:
    bad = Status.INVALID_PARAMETERS
    assert boss.status(collect(Mode.SINGLE_READ)) is bad, "nothing is enabled"
    boss.ask(configure(TEMP))
    for request in (
        collect(Mode.ON_DEMAND, 100),
        collect(3, 100),
        collect(Mode.NOTIFICATIONS, 100, selector=Selector.UNGROUPED),
        collect(Mode.NOTIFICATIONS, 150),
        collect(Mode.NOTIFICATIONS),
        telemetry.ConfigSet(
            control=Control(1 << 9 | 0x43), sampling_rate=Interval(100 << 5 | 0x1D)
        ),
        telemetry.ConfigSet(
            control=Control(0x43), sampling_rate=Interval(1 << 21 | 100 << 5 | 0x1D)
        ),
    ):
        assert boss.status(request) is bad
    for flags in (0, 1, 3, 0x12):
        current = telemetry.ConfigGet(flags=telemetry.ConfigGetFlags(flags))
        assert boss.status(current) is bad
    deaf = connect(boss.platform, "boss", events=False)
    for mode in (Mode.SINGLE_READ, Mode.NOTIFICATIONS):
        assert deaf.status(collect(mode, 100)) is bad
    assert boss.port.next_deadline() is None


def test_what_an_agent_collects_is_told(boss: Any, guest: Any) -> None:
    boss.ask(configure(TEMP))
    boss.ask(collect(Mode.NOTIFICATIONS, 1000))
    rate = 1000 << 5 | 0x1D
    assert boss.words(TELEMETRY | 9, 0, 2) == [TELEMETRY | 9, 0, 2 << 5 | 1 << 1 | 1, rate]
    assert guest.words(TELEMETRY | 9, 0, 2) == [TELEMETRY | 9, 0, 2 << 5, 0]


# --- reset ----------------------------------------------------------------------------------------


def test_a_reset_puts_back_what_the_agent_has_configured(boss: Any, guest: Any) -> None:
    for agent in (boss, guest):
        agent.ask(configure(THROTTLED))
        agent.ask(collect(Mode.NOTIFICATIONS, 100))
    assert boss.status(telemetry.Reset(flags=1)) is Status.INVALID_PARAMETERS
    assert guest.status(telemetry.Reset()) is Status.DENIED
    boss.ask(telemetry.Reset())
    assert boss.events(boss.now + 0.1) == []
    assert len(guest.events(guest.now + 0.1)) == 1
    guest.platform.reset_agent(2, guest.now, permissions=False)
    assert guest.events(guest.now + 1) == []
    assert guest.ask(telemetry.DeEnabledList(index=0)).array_ == []


def test_what_a_board_does_not_offer(connect: Any) -> None:
    agent = connect("[telemetry]\nreset = false\nsingle_read = false\n")
    assert agent.ask(telemetry.ProtocolAttributes()).attributes_1 == 0
    assert agent.status(telemetry.Reset()) is Status.NOT_FOUND
    assert agent.words(TELEMETRY | 5, 0, NOWHERE, 2) == [TELEMETRY | 5, 0xFFFFFFFC]
    assert agent.ask(telemetry.DeDescription(desc_index=0)).desc == []


# --- by hand, and the board -----------------------------------------------------------------------


def test_a_hand_changes_what_is_measured(boss: Any) -> None:
    behaviour = boss.platform.behaviours[telemetry.ID]
    boss.ask(configure(TEMP))
    behaviour.adjust(1, "value", "60000", 0)
    behaviour.adjust(1, "rate", "1", 0)
    boss.now += 3
    boss.poll()
    assert behaviour.state(1) == {
        "de_id": TEMP, "value": 60003, "rate": 1, "invalid": False, "enabled": {"boss": "enabled"},
    }  # fmt: skip


@pytest.mark.parametrize(
    ("key", "text", "message"),
    [
        ("size", "4", "unknown key 'size', expected one of: value, rate, invalid"),
        ("value", "0x100000000", "value is 0x100000000, expected 0 to 0xffffffff"),
        ("rate", "-1", "rate is -1, expected 0 to 0xffffffff"),
        ("invalid", "2", "unknown value '2', expected one of: on, off"),
    ],
)
def test_what_a_hand_cannot_do_changes_nothing(
    boss: Any, key: str, text: str, message: str
) -> None:
    behaviour = boss.platform.behaviours[telemetry.ID]
    before = behaviour.state(1)
    with pytest.raises(UsageError, match=message):
        behaviour.adjust(1, key, text, 0)
    assert behaviour.state(1) == before


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('uuid = "1"', "telemetry.uuid: found '1', expected a UUID"),
        ("continuous = true", "telemetry.continuous: found true, expected continuous updates only"),
        ("areas = 1", "telemetry.areas: found an unknown key"),
        ('event = [{ name = "a", size = 5 }]', "telemetry.event[0].size: found 5, expected 4 or 8"),
        (
            'event = [{ name = "a", size = 4, value = 4294967296 }]',
            "telemetry.event[0].value: found 4294967296, expected an integer from 0 to 4294967295",
        ),
        (
            'event = [{ name = "a", id = 1 }, { name = "b" }]',
            "telemetry.event[1].id: found '1', which is also the name of number 0",
        ),
        (
            'event = [{ name = "a", component = "cow" }]',
            "telemetry.event[0].component: found 'cow'",
        ),
    ],
)
def test_what_is_wrong_on_a_board_is_one_line(text: str, message: str) -> None:
    with pytest.raises(BoardError) as raised:
        Platform.from_text(f"[telemetry]\n{text}\n", "test.toml")
    assert raised.value.message.startswith(f"test.toml: {message}")


def test_every_command_has_exactly_its_size(boss: Any) -> None:
    for request in protocols.by_name("telemetry").requests:
        if request is telemetry.ListShmti:
            continue
        word = TELEMETRY | request.MESSAGE_ID
        count = sum(field.size for field in request.layout(0x10000)) // 4
        for wrong in {0, 1, 2, 3, 4} - {count}:
            assert boss.words(word, *[0xFFFFFFFF] * wrong) == [word, 0xFFFFFFF6]
        assert boss.words(word, *[0] * count)[1] != 0xFFFFFFF6


@settings(max_examples=300, deadline=None)
@given(
    st.integers(0, 0x11),
    st.lists(st.integers(0, 0x50) | st.integers(0, 0xFFFFFFFF), max_size=4),
    st.integers(8, 136),
)
def test_arbitrary_words_get_a_legal_answer(message: int, words: list[int], room: int) -> None:
    platform = Platform.from_text(BOARD, "test.toml")
    port = platform.attach()
    frame = b"".join(word.to_bytes(4, "little") for word in (TELEMETRY | message, *words))
    answer = port.handle(0, frame, room, 1.0)
    assert answer is not None
    assert 8 <= len(answer) <= room
    status = int.from_bytes(answer[4:8], "little", signed=True)
    assert -12 <= status <= 0
    assert status == 0 or len(answer) == 8
    port.poll(2.0)
