"""Faults: how they are written, which frames they strike, and what becomes of those."""

from __future__ import annotations

from typing import Any

import pytest

from scmictl.errors import BoardError, DeviceGone, UsageError
from scmictl.platform import Platform
from scmictl.platform.fault import KINDS, Fault, Faults, describe, parse
from scmictl.protocols import base, clock
from scmictl.protocols.common import NotifyEnable
from scmictl.wire import header

AGENTS = {1: "main", 2: "guest"}
CLOCKS = """
[[agent]]
name = "main"

[[agent]]
name = "guest"

[[clock]]
name = "osc"
rate = "24MHz"

[[clock]]
name = "uart"
rates = ["12MHz", "24MHz"]
rate = "24MHz"
latency = "5ms"
"""
RATE = "06500000 00000000"
"""CLOCK_RATE_GET of clock 0, token 0 (reference A 1.1: id 6, protocol 0x14)."""
ANSWER = "06500000 00000000 00366e01 00000000"
VERSION = "00400000"
"""BASE PROTOCOL_VERSION, token 0."""


def platform(faults: str | None = None, *, board: str = CLOCKS, **more: Any) -> Platform:
    return Platform.from_text(board, "test.toml", faults=faults, **more)


def one(text: str) -> Fault:
    [found] = parse(text, AGENTS)
    return found


# --- the grammar ----------------------------------------------------------------------------------


def test_the_faults_of_the_manual_are_understood() -> None:
    late, busy = parse("late:5%,busy:2", AGENTS)
    assert (late.kind.name, late.percent, late.most, late.own) == ("late", 5.0, None, 0.1)
    assert (busy.kind.name, busy.percent, busy.most, busy.own) == ("busy", None, 2, None)


def test_everything_can_be_said_about_one_fault_in_any_order() -> None:
    found = one("late:2.5%:3:+10:20ms@agent=guest@clock.rate_get")
    assert found[2:] == (2.5, 3, 10, 0.02, 0x14, 0x6, False, 2)
    assert one("late:20ms:+10:3:2.5%@0x14.6@agent=2")[2:] == found[2:]


@pytest.mark.parametrize(
    ("what", "place"),
    [
        ("clock", (0x14, None, False)),
        ("0x80", (0x80, None, False)),
        ("0x80.0x3", (0x80, 0x3, False)),
        ("CLOCK_RATE_GET", (0x14, 0x6, False)),
        ("clock.RATE_GET", (0x14, 0x6, False)),
        ("clock.PROTOCOL_VERSION", (0x14, 0x0, False)),
        ("base.0x0", (0x10, 0x0, False)),
        ("nxp-misc.0x3", (0x84, 0x3, False)),
    ],
)
def test_a_fault_can_be_for_one_protocol_or_message(what: str, place: Any) -> None:
    assert one(f"busy@{what}")[6:9] == place


def test_a_number_means_a_notification_where_only_those_can_be_struck() -> None:
    assert one("lost@clock.0x0")[6:9] == one("lost@CLOCK_RATE_CHANGED")[6:9] == (0x14, 0x0, True)
    assert one("storm@CLOCK_RATE_CHANGED").event
    assert not one("storm@CLOCK_RATE_GET").event
    assert one("early@clock.RATE_SET_COMPLETE")[6:9] == (0x14, 0x5, False)


@pytest.mark.parametrize("name", KINDS)
def test_every_kind_can_be_asked_for_by_its_name_alone(name: str) -> None:
    found = one(name)
    assert found.kind.name == name
    assert (found.own is not None) == bool(found.kind.takes[0])
    assert f"{name}" in describe()


@pytest.mark.parametrize("spec", ["", "none", " none "])
def test_no_fault_at_all_can_be_asked_for(spec: str) -> None:
    assert parse(spec, AGENTS) == []


@pytest.mark.parametrize(
    ("spec", "reason"),
    [
        ("nosuch", "unknown kind 'nosuch', expected one of: late, overdue"),
        ("lat:5%", "unknown kind 'lat'"),
        ("late:x", "found 'x', expected a share such as 5%, a count from 1 on"),
        ("late:0", "found '0'"),
        ("late:0.5", "found '0.5'"),
        ("late:-5ms", "found '-5ms'"),
        ("late:0%", "found '0%'"),
        ("late:101%", "found '101%'"),
        ("late:1e2%", "found '1e2%'"),
        ("late:", "found ''"),
        ("late:4B", "found '4B', expected .* a time such as 20ms"),
        ("late:5%:6%", "found '6%' as well"),
        ("late:1ms:2ms", "found '2ms' as well"),
        ("busy:2:3", "found '3' as well"),
        ("busy:20ms", "found '20ms', expected a share such as 5%, a count from 1 on, [+]N$"),
        ("short:0B", "found '0B'"),
        ("long:70000B", "found '70000B'"),
        ("storm:0x", "found '0x'"),
        ("storm:2000000x", "found '2000000x'"),
        ("error:NOSUCH", "found 'NOSUCH'"),
        ("error:SUCCESS", "found 'SUCCESS'"),
        ("busy@nosuch", "unknown command 'nosuch'"),
        ("busy@nosuch.RATE_GET", "unknown protocol 'nosuch'"),
        ("busy@clock.NOSUCH", "unknown command 'NOSUCH'"),
        ("busy@CLOCK_RATE_CHANGED", "unknown command 'CLOCK_RATE_CHANGED'"),
        ("lost@CLOCK_RATE_GET", "unknown notification 'CLOCK_RATE_GET'"),
        ("busy@PROTOCOL_VERSION", "ambiguous"),
        ("busy@0x100", "found the number 0x100"),
        ("busy@clock@base", "found '@base' as well"),
        ("busy@", "unknown command ''"),
        ("busy@agent=nobody", "unknown agent 'nobody', expected one of: main, guest"),
        ("busy@agent=3", "unknown agent '3'"),
        ("busy,,late", "unknown kind ''"),
        ("late:\x1b[1m", "found"),
    ],
)
def test_what_cannot_be_understood_is_one_line_that_names_it(spec: str, reason: str) -> None:
    with pytest.raises(UsageError, match=reason) as caught:
        parse(spec, AGENTS)
    assert caught.value.exit_code == 2
    assert caught.value.message.startswith("fault ")
    assert caught.value.message.isprintable()


# --- where they come from -------------------------------------------------------------------------


def test_a_board_can_have_faults_and_a_target_replaces_them() -> None:
    board = '[platform]\nfaults = ["busy:2@clock", "late:5%"]\n' + CLOCKS
    assert [row["fault"] for row in platform(board=board).faults.list()] == [
        "busy:2@clock", "late:5%",
    ]  # fmt: skip
    assert [row["fault"] for row in platform("dead", board=board).faults.list()] == ["dead"]
    assert platform("none", board=board).faults.list() == []


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ('faults = "late"', "platform.faults: found 'late', expected a list such as"),
        ("faults = [3]", r"platform.faults\[0\]: found 3"),
        ('faults = ["busy", "nosuch"]', r"platform.faults\[1\]: found 'nosuch', expected a fault"),
        ('faults = ["busy@agent=x"]', "unknown agent 'x', expected one of: main, guest"),
    ],
)
def test_a_wrong_fault_of_a_board_is_named_with_its_place(line: str, reason: str) -> None:
    with pytest.raises(BoardError, match=reason) as caught:
        platform(board=f"[platform]\n{line}\n{CLOCKS}")
    assert caught.value.message.startswith("test.toml: ")


def test_faults_are_changed_while_the_platform_runs(connect: Any) -> None:
    main = connect(platform())
    assert main.raw(RATE) is not None
    faults = main.platform.faults
    faults.set("busy:2")
    assert main.raw(RATE) == "06500000 faffffff"
    assert faults.list() == [
        {"fault": "busy:2", "kind": "busy", "met": 1, "struck": 1, "left": 1},
    ]
    faults.add("error:DENIED:1")
    with pytest.raises(UsageError):
        faults.set("busy,nosuch")
    with pytest.raises(UsageError):
        faults.add("busy,nosuch")
    assert [row["fault"] for row in faults.list()] == ["busy:2", "error:DENIED:1"]
    faults.clear()
    assert faults.list() == []
    assert main.raw(RATE) == ANSWER.replace("  ", " ")


# --- which frames they strike ---------------------------------------------------------------------


def pattern(faults: Faults, times: int = 200) -> list[bool]:
    head = header.Header(0x6, 0, 0x14, 0)
    return [bool(list(faults.strike("command", 1, head))) for _ in range(times)]


def test_the_same_seed_gives_the_same_faults_and_another_seed_others() -> None:
    made = []
    for seed in (7, 7, 8):
        made.append(Faults(seed, AGENTS))
        made[-1].set("late:20%")
    first, again, other = (pattern(faults) for faults in made)
    assert first == again != other
    assert 10 < sum(first) < 80


def test_faults_that_are_set_again_begin_anew() -> None:
    faults = Faults(7, AGENTS)
    faults.set("late:20%:5")
    first = pattern(faults)
    faults.set("late:20%:5")
    assert pattern(faults) == first


def test_a_fault_more_does_not_move_the_others() -> None:
    alone, both = Faults(7, AGENTS), Faults(7, AGENTS)
    alone.set("late:20%")
    both.set("late:20%,busy:30%@agent=guest")
    assert pattern(alone) == pattern(both)


def test_a_count_ends_a_fault_and_a_plus_begins_it_later() -> None:
    faults = Faults(7, AGENTS)
    faults.set("busy:2:+3")
    assert pattern(faults, 8) == [False] * 3 + [True] * 2 + [False] * 3
    [row] = faults.list()
    assert (row["met"], row["struck"], row["left"]) == (8, 2, 0)


def test_only_the_chosen_agent_and_message_are_struck(connect: Any) -> None:
    board = platform("busy@CLOCK_RATE_GET@agent=guest")
    main, guest = connect(board, "main"), connect(board, "guest")
    assert main.raw(RATE).startswith("06500000 00000000")
    assert guest.raw(RATE) == "06500000 faffffff"
    assert guest.raw("00500000").startswith("00500000 00000000")


def test_the_version_of_base_is_never_overdue_unless_it_is_named(connect: Any) -> None:
    main = connect(platform("overdue"))
    assert main.raw(VERSION) is not None
    assert main.raw(RATE) is None
    main = connect(platform("overdue@base"))
    assert main.raw(VERSION) is None


# --- what becomes of a command --------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fault", "expected"),
    [
        ("wrong-token", "0650fc0f 00000000 00366e01 00000000"),
        ("wrong-type", "06520000 00000000 00366e01 00000000"),
        ("short", "06500000 00000000 00366e01"),
        ("short:7B", "06500000 00000000 00"),
        ("short:100B", ""),
        ("long", "06500000 00000000 00366e01 00000000 a5a5a5a5"),
        ("long:2B", "06500000 00000000 00366e01 00000000 a5a5"),
        ("error", "06500000 f8ffffff 00366e01 00000000"),
        ("error:hardware-error", "06500000 f7ffffff 00366e01 00000000"),
        ("busy", "06500000 faffffff"),
        ("long:1,wrong-token", "0650fc0f 00000000 00366e01 00000000 a5a5a5a5"),
    ],
)
def test_a_response_is_changed_in_its_bytes(connect: Any, fault: str, expected: str) -> None:
    main = connect(platform(f"{fault}:1@clock"))
    assert main.port.handle(0, bytes.fromhex(RATE), 8192, main.now) == bytes.fromhex(expected)
    assert main.port.handle(0, bytes.fromhex(RATE), 8192, main.now) == bytes.fromhex(ANSWER)


def test_a_response_is_never_longer_than_its_room(connect: Any) -> None:
    main = connect(platform("long:100B"))
    assert len(main.port.handle(0, bytes.fromhex(RATE), 18, main.now)) == 18


def test_a_command_that_is_busy_is_not_done_and_one_with_an_error_is(connect: Any) -> None:
    faster = clock.RateSet(flags=clock.RateSetFlags(), clock_id=1, rate=12000000)
    for fault, rate in (("busy:1", 24000000), ("error:1", 12000000)):
        main = connect(platform(fault))
        assert main.send(faster)[4:8] != bytes(4)
        assert main.ask(clock.RateGet(clock_id=1)).rate == rate


@pytest.mark.parametrize(("fault", "delay"), [("late", 0.1), ("late:20ms", 0.02), ("overdue", 1.5)])
def test_a_late_response_comes_with_its_cookie_when_it_is_due(
    connect: Any, fault: str, delay: float
) -> None:
    main = connect(platform(f"{fault}:1"))
    assert main.port.handle(77, bytes.fromhex(RATE), 8192, main.now) is None
    due = main.port.next_deadline()
    assert due == pytest.approx(main.now + delay)
    assert main.port.poll(due - 0.001) == []
    assert main.port.poll(due) == [(77, bytes.fromhex(ANSWER))]
    assert main.port.next_deadline() is None


def test_late_responses_come_in_the_order_in_which_they_are_due(connect: Any) -> None:
    main = connect(platform("late:20ms:1,late:10ms:1:+1"))
    for cookie in (1, 2):
        assert main.port.handle(cookie, bytes.fromhex(RATE), 8192, main.now) is None
    assert [cookie for cookie, _ in main.port.poll(main.now + 1)] == [2, 1]


def test_a_second_response_comes_in_an_event_buffer_right_behind_the_first(connect: Any) -> None:
    main = connect(platform("duplicate"))
    assert main.raw(RATE) == ANSWER
    assert main.port.next_deadline() <= main.now
    assert main.poll() == [bytes.fromhex(ANSWER)]
    silent = connect(platform("duplicate"), events=False)
    silent.raw(RATE)
    assert silent.poll() == []


def later(rate: int = 12000000) -> clock.RateSet:
    flags = clock.RateSetFlags(async_=True)
    return clock.RateSet(flags=flags, clock_id=1, rate=rate)


def test_a_delayed_response_can_come_before_its_response(connect: Any) -> None:
    main = connect(platform("early:20ms"))
    assert main.raw(RATE) == ANSWER
    assert main.send(later()) is None
    token, start = main.token, main.now
    [(cookie, delayed)] = main.port.poll(start + 0.005)
    assert cookie is None
    assert delayed[:2] == bytes.fromhex("0552")
    due = main.port.next_deadline()
    assert due == pytest.approx(start + 0.025)
    [(cookie, response)] = main.port.poll(due)
    assert cookie == token
    assert response == header.frame(0x5, 0, 0x14, token, bytes(4))


def test_a_refused_command_has_no_delayed_response_to_wait_for(connect: Any) -> None:
    main = connect(platform("early"))
    wrong = clock.RateSet(flags=clock.RateSetFlags(async_=True), clock_id=9, rate=1)
    assert main.send(wrong)[4:] == bytes.fromhex("fcffffff")


def test_a_delayed_response_can_come_twice(connect: Any) -> None:
    main = connect(platform("duplicate-delayed:1"))
    main.send(later())
    first, second = main.poll(main.now + 0.005)
    assert first == second
    assert first[:2] == bytes.fromhex("0552")
    main.send(later(24000000))
    assert len(main.poll(main.now + 0.005)) == 1


# --- notifications --------------------------------------------------------------------------------


def changes(connect: Any, fault: str, times: int = 2) -> list[int]:
    """Have a rate changed ``times`` times, and return the rates that are told."""
    main = connect(platform(fault))
    main.ask(clock.RateNotify(clock_id=1, notify_enable=NotifyEnable(1)))
    told = []
    for number in range(times):
        rate = 24000000 if number % 2 else 12000000
        main.ask(clock.RateSet(flags=clock.RateSetFlags(), clock_id=1, rate=rate))
        told += [event.rate for event in main.events()]
    return told


def test_a_notification_is_lost_or_comes_twice(connect: Any) -> None:
    assert changes(connect, "none") == [12000000, 24000000]
    assert changes(connect, "lost:1") == [24000000]
    assert changes(connect, "lost@CLOCK_RATE_CHANGED") == []
    assert changes(connect, "lost@SENSOR_UPDATE") == [12000000, 24000000]
    assert changes(connect, "duplicate-notification:1") == [12000000, 12000000, 24000000]


def test_a_notification_storms(connect: Any) -> None:
    assert changes(connect, "storm:1:5x@CLOCK_RATE_CHANGED", 1) == [12000000] * 6


def test_a_storm_goes_out_in_bursts_however_long_it_is(connect: Any) -> None:
    main = connect(platform("storm:1:1000x"))
    assert main.raw(RATE) == ANSWER
    sizes = []
    while main.port.next_deadline() is not None:
        sizes.append(len(main.poll()))
    assert sum(sizes) == 1000
    assert max(sizes) <= 64
    assert main.raw(RATE) == ANSWER
    assert main.poll() == []


def test_a_storm_is_of_errors_that_nobody_has_made(connect: Any) -> None:
    main = connect(platform("storm:1:1x"))
    main.raw(RATE)
    assert main.poll() == [bytes.fromhex("00430000 00000000 00000000")]
    main.platform.faults.set("storm:1:1x")
    main.raw(RATE)
    [event] = main.events()
    assert isinstance(event, base.ErrorEvent)
    assert not event.msg_reports


def test_without_an_event_queue_there_is_no_storm(connect: Any) -> None:
    main = connect(platform("storm"), events=False)
    main.raw(RATE)
    assert main.port.next_deadline() is None
    assert main.poll() == []


# --- the queue and the connection -----------------------------------------------------------------


def test_a_dead_queue_gives_nothing_back_until_the_connection_ends(connect: Any) -> None:
    board = platform("dead:1:+1")
    main = connect(board)
    main.ask(clock.RateNotify(clock_id=1, notify_enable=NotifyEnable(1)))
    assert main.raw(RATE) is None
    assert main.raw(RATE) is None
    other = connect(board)
    other.ask(clock.RateSet(flags=clock.RateSetFlags(), clock_id=1, rate=12000000))
    assert main.poll() == []
    assert main.port.next_deadline() is None
    board.faults.clear()
    assert main.raw(RATE) is None
    assert connect(board).raw(RATE) == ANSWER


def test_a_disconnection_is_for_whoever_owns_the_connection_to_make(connect: Any) -> None:
    main = connect(platform("disconnect:1:+1"))
    assert main.raw(RATE) == ANSWER
    with pytest.raises(DeviceGone, match="hung up"):
        main.raw(RATE)


def test_a_frame_that_cannot_be_answered_meets_no_fault(connect: Any) -> None:
    main = connect(platform("disconnect"))
    assert main.raw("0650") is None
    assert main.raw(RATE, room=7) is None


def test_a_closed_port_has_nothing_late_any_more(connect: Any) -> None:
    main = connect(platform("late,storm,duplicate"))
    main.raw(RATE)
    main.port.close()
    assert main.port.poll(main.now + 10) == []
    assert main.port.next_deadline() is None
    assert main.raw(RATE) is None
