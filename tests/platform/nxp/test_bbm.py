"""The battery backed module: clocks that count, alarms that go off, the button, stored words."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scmictl.errors import UsageError
from scmictl.platform.board import parse
from scmictl.platform.nxp.rtc import Rtc
from scmictl.protocols.nxp import bbm
from scmictl.protocols.nxp.bbm import AlarmFlags, ButtonNotifyFlags, RtcNotifyFlags, TimeFlags
from scmictl.wire import Status

BBM = 0x81 << 10
BBNSM, SHORT = 0, 1
TICKS = TimeFlags(ticks=True)
ALL = RtcNotifyFlags(7)
ALARM, ROLLOVER, UPDATED = 1, 2, 4


def rtc(agent: Any, id: int) -> Any:
    return agent.platform.behaviours[bbm.ID].rtcs[id]


def seconds(agent: Any, id: int = BBNSM) -> int:
    return int(agent.ask(bbm.RtcTimeGet(rtc_id=id)).time)


def alarm(time: int, id: int = BBNSM, *, enable: bool = True) -> bbm.RtcAlarmSet:
    return bbm.RtcAlarmSet(rtc_id=id, flags=AlarmFlags(enable=enable), time=time)


def watch(*agents: Any, id: int = BBNSM, flags: RtcNotifyFlags = ALL) -> None:
    for agent in agents:
        agent.ask(bbm.RtcNotify(rtc_id=id, flags=flags))


def heard(agent: Any, now: float | None = None) -> list[int]:
    return [int(event.flags) for event in agent.events(now)]


def test_clocks_and_words_are_counted(linux: Any) -> None:
    assert linux.words(BBM | 1) == [BBM | 1, 0, 2 << 16 | 4]


def test_a_clock_is_described(linux: Any) -> None:
    assert linux.words(BBM | 5, BBNSM) == [
        BBM | 5, 0, 32 << 24 | 15 << 16 | 32768, 0x736E6262, 0x6D, 0, 0,
    ]  # fmt: skip
    assert linux.ask(bbm.RtcAttributes(rtc_id=SHORT)).attributes == 4 << 24 | 4 << 16 | 10


@pytest.mark.parametrize("id", [2, 0xFFFFFFFF])
def test_a_clock_that_is_not_there_is_not_found(linux: Any, id: int) -> None:
    for request in (
        bbm.RtcAttributes(rtc_id=id),
        bbm.RtcTimeSet(rtc_id=id, flags=TimeFlags(2), time=0),
        bbm.RtcTimeGet(rtc_id=id, flags=TimeFlags(2)),
        bbm.RtcAlarmSet(rtc_id=id, flags=AlarmFlags(2), time=0),
        bbm.RtcNotify(rtc_id=id, flags=RtcNotifyFlags(8)),
        bbm.RtcState(rtc_id=id),
    ):
        assert linux.status(request) is Status.NOT_FOUND


@pytest.mark.parametrize("index", [4, 0xFFFFFFFF])
def test_a_word_that_is_not_there_is_not_found(linux: Any, index: int) -> None:
    assert linux.status(bbm.GprGet(index=index)) is Status.NOT_FOUND
    assert linux.status(bbm.GprSet(index=index, value=1)) is Status.NOT_FOUND


# --- time -----------------------------------------------------------------------------------------


def test_a_clock_counts_seconds_and_ticks(linux: Any) -> None:
    assert linux.words(BBM | 7, BBNSM, 0) == [BBM | 7, 0, 1000, 0]
    linux.now += 2.5
    assert linux.words(BBM | 7, BBNSM, 0) == [BBM | 7, 0, 1002, 0]
    ticks = 1002 * 32768 + 16384
    assert linux.words(BBM | 7, BBNSM, 1) == [BBM | 7, 0, ticks, 0]


def test_a_clock_is_set_in_seconds_or_ticks(linux: Any) -> None:
    linux.now += 1.25
    assert linux.words(BBM | 6, BBNSM, 0, 0xFFFFFFF0, 0) == [BBM | 6, 0]
    assert linux.words(BBM | 7, BBNSM, 1) == [
        BBM | 7,
        0,
        0xFFF80000,
        0x7FFF,
    ]
    linux.ask(bbm.RtcTimeSet(rtc_id=BBNSM, flags=TICKS, time=5 * 32768 + 32767))
    assert seconds(linux) == 5
    linux.now += 0.0001
    assert seconds(linux) == 6


def test_a_time_out_of_range_is_refused(linux: Any) -> None:
    for flags, time in ((TimeFlags(0), 1 << 32), (TICKS, 1 << 47), (TimeFlags(2), 5)):
        request = bbm.RtcTimeSet(rtc_id=BBNSM, flags=flags, time=time)
        assert linux.status(request) is Status.INVALID_PARAMETERS
    assert linux.status(bbm.RtcTimeSet(rtc_id=SHORT, time=16)) is Status.INVALID_PARAMETERS
    assert linux.status(bbm.RtcTimeGet(rtc_id=0, flags=TimeFlags(2))) is Status.INVALID_PARAMETERS
    assert linux.status(alarm(1 << 32)) is Status.INVALID_PARAMETERS
    linux.ask(alarm(1 << 32, enable=False))
    assert seconds(linux) == 1000


def test_setting_a_clock_takes_all_rights_and_an_alarm_fewer(rtos: Any, spy: Any) -> None:
    assert rtos.status(bbm.RtcTimeSet(rtc_id=BBNSM, time=5)) is Status.DENIED
    assert rtos.status(bbm.RtcTimeSet(rtc_id=BBNSM, time=1 << 32)) is Status.INVALID_PARAMETERS
    rtos.ask(alarm(2000))
    assert spy.status(alarm(2000)) is Status.DENIED
    assert spy.status(bbm.RtcNotify(rtc_id=BBNSM, flags=ALL)) is Status.DENIED
    assert seconds(spy) == 1000


def test_a_clock_that_lost_its_time_says_so_until_it_is_set(linux: Any, hand: Any) -> None:
    assert linux.words(BBM | 0xC, SHORT) == [BBM | 0xC, 0, 1]
    linux.ask(bbm.RtcTimeSet(rtc_id=SHORT, time=3))
    assert linux.words(BBM | 0xC, SHORT) == [BBM | 0xC, 0, 0]
    hand(bbm.ID, "short", "battery_low", "on")
    hand(bbm.ID, "short", "lost", "on")
    assert linux.words(BBM | 0xC, SHORT) == [BBM | 0xC, 0, 3]


def test_others_are_told_that_a_clock_was_set(linux: Any, rtos: Any) -> None:
    watch(linux, rtos)
    linux.ask(bbm.RtcTimeSet(rtc_id=BBNSM, time=5))
    assert [frame.hex(" ", 4) for frame in rtos.poll()] == ["00070200 04000000"]
    assert heard(linux) == []
    watch(rtos, flags=RtcNotifyFlags(ALARM | ROLLOVER))
    linux.ask(bbm.RtcTimeSet(rtc_id=BBNSM, time=6))
    assert heard(rtos) == []


# --- alarms and rollover --------------------------------------------------------------------------


def test_an_alarm_goes_off_once_for_the_agents_of_its_machine(
    linux: Any, rtos: Any, connect: Any
) -> None:
    secure = connect(linux.platform, "secure")
    watch(linux, secure, rtos)
    secure.ask(alarm(1005))
    assert heard(linux, linux.now + 4.999) == []
    assert heard(linux, linux.now + 0.002) == [ALARM]
    assert heard(secure) == [ALARM], "the same machine"
    assert heard(rtos) == []
    assert heard(linux, linux.now + 10_000) == []


def test_each_machine_has_one_alarm(linux: Any, rtos: Any, connect: Any) -> None:
    secure = connect(linux.platform, "secure")
    watch(linux, rtos)
    linux.ask(alarm(1005))
    rtos.ask(alarm(1003))
    secure.ask(alarm(1010))  # instead of 1005
    assert heard(rtos, rtos.now + 3.1) == [ALARM]
    assert heard(linux, linux.now + 9) == []
    assert heard(linux, linux.now + 1.1) == [ALARM]
    rtos.ask(alarm(2000))
    rtos.ask(alarm(0, enable=False))
    assert heard(rtos, rtos.now + 3000) == []


def test_a_deadline_says_when_the_alarm_is(linux: Any) -> None:
    linux.ask(alarm(1005))
    due = linux.port.next_deadline()
    assert linux.now + 5 <= due <= linux.now + 5.001
    watch(linux)
    assert heard(linux, due) == [ALARM]


def test_an_alarm_whose_time_has_passed_goes_off_at_once(linux: Any, hand: Any) -> None:
    watch(linux)
    linux.ask(alarm(1000))
    assert heard(linux) == [ALARM]
    linux.ask(alarm(5000))
    hand(bbm.ID, "bbnsm", "time", "6000")
    assert heard(linux) == [UPDATED, ALARM]
    assert linux.port.next_deadline() is not None
    assert rtc(linux, BBNSM).alarms == {}


def test_a_full_counter_begins_again(linux: Any, rtos: Any) -> None:
    watch(linux, rtos, id=SHORT)
    linux.ask(alarm(3, SHORT))
    linux.ask(bbm.RtcTimeSet(rtc_id=SHORT, time=15))
    assert heard(rtos) == [1 << 24 | UPDATED]
    assert heard(linux) == [1 << 24 | ALARM], "3 is past"
    assert heard(linux, linux.now + 0.99) == []
    linux.ask(alarm(15, SHORT))
    assert heard(linux) == [1 << 24 | ALARM], "it is 15"
    assert heard(linux, linux.now + 0.02) == [1 << 24 | ROLLOVER]
    assert seconds(linux, SHORT) == 0
    linux.ask(alarm(2, SHORT))
    assert heard(linux, linux.now + 2.1) == [1 << 24 | ALARM]
    assert heard(rtos) == [1 << 24 | ROLLOVER]


def test_a_clock_that_was_not_looked_at_has_missed_nothing(linux: Any) -> None:
    watch(linux, id=SHORT)
    linux.ask(alarm(12, SHORT))
    assert heard(linux, linux.now + 100) == [1 << 24 | ALARM, 1 << 24 | ROLLOVER]
    assert seconds(linux, SHORT) == 100 % 16


def test_what_has_passed_before_anybody_listened_is_not_told(linux: Any, rtos: Any) -> None:
    assert seconds(linux, SHORT) == 0
    linux.now += 20  # a lap of 16 seconds and more
    watch(linux, id=SHORT)
    assert heard(linux) == []
    watch(linux, id=SHORT, flags=RtcNotifyFlags(0))
    linux.now = rtos.now = linux.now + 16
    watch(rtos, id=SHORT)
    assert heard(rtos) == []
    assert heard(rtos, rtos.now + 16) == [1 << 24 | ROLLOVER]


def test_nothing_waits_where_nobody_listens(linux: Any) -> None:
    linux.ask(bbm.RtcTimeSet(rtc_id=BBNSM, time=5))
    assert linux.port.next_deadline() is None
    watch(linux)
    assert linux.port.next_deadline() is not None
    watch(linux, flags=RtcNotifyFlags(0))
    assert len(linux.platform.timers) == 0


def test_resetting_an_agent_switches_off_the_alarm_it_has_set(linux: Any, rtos: Any) -> None:
    rtos.ask(alarm(1005))
    linux.ask(alarm(1006))
    linux.ask(bbm.GprSet(index=1, value=9))
    linux.platform.reset_agent(1, linux.now, permissions=False)
    assert rtc(linux, BBNSM).alarms == {2: 1005}
    assert linux.ask(bbm.GprGet(index=1)).value == 9, "that is what it is for"


def test_without_machines_each_agent_has_an_alarm(connect: Any) -> None:
    agent = connect(
        '[[agent]]\nname = "a"\n[[agent]]\nname = "b"\n[[nxp-bbm.rtc]]\nname = "r"\n', "a"
    )
    other = connect(agent.platform, "b")
    watch(agent, other)
    agent.ask(alarm(3))
    other.ask(alarm(4))
    assert agent.platform.behaviours[bbm.ID].state(0)["alarms_s"] == {"a": 3, "b": 4}
    assert heard(agent, agent.now + 3.1) == [ALARM]
    assert heard(other, other.now + 3.1) == []


@given(
    st.integers(1, 6), st.integers(1, 10), st.lists(st.integers(0, 5_000_000), max_size=12),
    st.integers(0, 63),
)  # fmt: skip
def test_a_clock_counts_without_gaps_however_it_is_looked_at(
    width: int, ticks: int, steps: list[int], wanted: int
) -> None:
    text = f'name = "r"\nsec_width = {width}\ntick_width = 4\nticks = {ticks}\n'
    one = Rtc(0, parse(text, "test"))
    wanted %= 1 << width
    one.set_alarm(0, wanted, 0)
    now = rollovers = rings = 0
    for step in steps:
        ahead = one.next_us(now)
        now += step
        owners, rolled = one.due(now)
        assert bool(owners or rolled) == (step >= ahead)
        rollovers += rolled
        rings += len(owners)
        assert one.read(now) == now * ticks // 1_000_000 % (ticks << width)
        assert one.seconds(now) == one.read(now) // ticks
    assert rings == (bool(steps) and now * ticks // 1_000_000 >= wanted * ticks)
    assert rollovers <= now // (1_000_000 << width)


# --- storage and the button -----------------------------------------------------------------------


def test_words_keep_what_is_written(linux: Any, rtos: Any, spy: Any) -> None:
    assert linux.words(BBM | 3, 3, 0xCAFEF00D) == [BBM | 3, 0]
    assert rtos.words(BBM | 4, 3) == [BBM | 4, 0, 0xCAFEF00D]
    assert rtos.status(bbm.GprSet(index=3, value=0)) is Status.DENIED
    assert spy.status(bbm.GprGet(index=3)) is Status.DENIED
    assert linux.ask(bbm.GprGet(index=3)).value == 0xCAFEF00D
    assert linux.ask(bbm.GprGet(index=2)).value == 0


def test_the_button_is_read_and_its_changes_are_told(
    linux: Any, rtos: Any, spy: Any, hand: Any
) -> None:
    on = bbm.ButtonNotify(flags=ButtonNotifyFlags(enable=1))
    linux.ask(on)
    assert spy.status(on) is Status.DENIED
    wrong = bbm.ButtonNotify(flags=ButtonNotifyFlags(3))
    assert linux.status(wrong) is Status.INVALID_PARAMETERS
    assert linux.words(BBM | 9) == [BBM | 9, 0, 0]
    hand(bbm.ID, "button", "state", "on")
    hand(bbm.ID, "button", "state", "on")
    assert linux.words(BBM | 9) == [BBM | 9, 0, 1]
    assert spy.ask(bbm.ButtonGet()).state == 1
    hand(bbm.ID, "button", "state", "off")
    assert [frame.hex(" ", 4) for frame in linux.poll()] == ["01070200 01000000"] * 2
    linux.ask(bbm.ButtonNotify(flags=ButtonNotifyFlags(enable=0)))
    hand(bbm.ID, "button", "state", "on")
    assert linux.events() == rtos.events() == []


def test_without_a_channel_nothing_can_be_listened_to(connect: Any, linux: Any) -> None:
    deaf = connect(linux.platform, "linux", events=False)
    assert deaf.status(bbm.RtcNotify(rtc_id=0, flags=ALL)) is Status.NOT_SUPPORTED
    button = bbm.ButtonNotify(flags=ButtonNotifyFlags(enable=1))
    assert deaf.status(button) is Status.NOT_SUPPORTED
    for message_id in (0xA, 0xB):
        asked = bbm.MessageAttributes(message_id=message_id)
        assert deaf.status(asked) is Status.NOT_FOUND


# --- by hand --------------------------------------------------------------------------------------


def test_the_state_of_everything_is_told(linux: Any, rtos: Any, state: Any, hand: Any) -> None:
    rtos.ask(alarm(1005))
    rtos.ask(alarm(1005, SHORT, enable=False))
    linux.now += 2
    linux.poll()
    assert state(bbm.ID, "bbnsm") == {
        "time_s": 1002, "lost": False, "battery_low": False, "alarms_s": {"m7": 1005},
    }  # fmt: skip
    hand(bbm.ID, "gpr2", "value", "0x10")
    assert state(bbm.ID, "gpr2") == {"value": 16}
    assert state(bbm.ID, "button") == {"state": "off"}


@pytest.mark.parametrize(
    ("name", "key", "text", "message"),
    [
        ("bbnsm", "state", "on", "unknown key 'state', expected one of: time, lost, battery_low"),
        ("bbnsm", "time", "0x100000000", "time is 0x100000000, expected 0 to 0xffffffff"),
        ("bbnsm", "lost", "maybe", "unknown value 'maybe', expected one of: on, off"),
        ("gpr0", "state", "1", "unknown key 'state', expected one of: value"),
        ("gpr0", "value", "-1", "value is -1, expected 0 to 0xffffffff"),
        ("button", "value", "1", "unknown key 'value', expected one of: state"),
        ("button", "state", "2", "unknown value '2'"),
    ],
)
def test_what_a_hand_cannot_do_changes_nothing(
    linux: Any, hand: Any, name: str, key: str, text: str, message: str
) -> None:
    before = [linux.platform.behaviours[bbm.ID].state(id) for id in range(7)]
    with pytest.raises(UsageError, match=message):
        hand(bbm.ID, name, key, text)
    assert [linux.platform.behaviours[bbm.ID].state(id) for id in range(7)] == before
