"""The clock tree: gates and parents, and who hears of what happens in it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from scmictl.platform import Platform
from scmictl.protocols import base, clock
from scmictl.protocols.common import NotifyEnable
from scmictl.wire import Status

BOARD = Path(__file__).with_name("clocks.toml").read_text()
OSC, PLL, BUS, SLOW_BUS, UART, PIXEL, QUIET = range(7)
MHZ = 1_000_000


@pytest.fixture
def boss(connect: Any) -> Any:
    return connect(BOARD, "boss")


@pytest.fixture
def guest(connect: Any, boss: Any) -> Any:
    return connect(boss.platform, "guest")


def clocks(agent: Any) -> Any:
    return agent.platform.behaviours[clock.ID].clocks


def enable(id: int, state: int = 1) -> clock.ConfigSet:
    return clock.ConfigSet(clock_id=id, attributes=clock.ConfigSetAttributes(state=state))


def rate(id: int, hz: int, **flags: bool) -> clock.RateSet:
    return clock.RateSet(flags=clock.RateSetFlags(**flags), clock_id=id, rate=hz)


# --- notifications --------------------------------------------------------------------------------


def test_everybody_who_subscribed_hears_of_a_change_the_causing_agent_too(
    boss: Any, guest: Any
) -> None:
    for agent in (boss, guest):
        agent.ask(clock.RateNotify(clock_id=SLOW_BUS, notify_enable=NotifyEnable(1)))
        agent.ask(clock.RateNotify(clock_id=SLOW_BUS, notify_enable=NotifyEnable(1)))
    boss.ask(rate(PLL, 800 * MHZ))
    for agent in (boss, guest):
        # header 0x00005300: type 3, protocol 0x14, message 0; then agent, clock, rate
        assert [frame.hex(" ", 4) for frame in agent.poll()] == [
            "00530000 01000000 03000000 00e1f505 00000000"
        ]
    boss.ask(rate(PLL, 800 * MHZ))
    assert guest.poll() == []  # nothing has changed
    guest.ask(clock.RateNotify(clock_id=SLOW_BUS, notify_enable=NotifyEnable(0)))
    boss.ask(rate(PLL, 600 * MHZ))
    assert guest.poll() == []
    assert [event.rate for event in boss.events()] == [75 * MHZ]


def test_a_request_for_another_rate_is_told_to_all_but_the_one_who_asks(
    boss: Any, guest: Any
) -> None:
    for agent in (boss, guest):
        agent.ask(clock.RateChangeRequestedNotify(clock_id=PIXEL, notify_enable=NotifyEnable(1)))
    guest.ask(rate(PIXEL, 21 * MHZ))
    guest.ask(rate(PIXEL, 20 * MHZ))  # no other rate than it has
    assert boss.events() == [clock.RateChangeRequested(agent_id=2, clock_id=PIXEL, rate=21 * MHZ)]
    assert guest.poll() == []


def test_a_request_that_others_forbid_is_told_to_them(boss: Any, guest: Any) -> None:
    guest.ask(clock.ParentSet(clock_id=UART, parent_id=PLL))
    guest.ask(clock.RateChangeRequestedNotify(clock_id=PLL, notify_enable=NotifyEnable(1)))
    clocks(boss)[UART].own_rate = 700 * MHZ
    boss.ask(rate(PLL, 800 * MHZ))
    assert boss.status(rate(PLL, 600 * MHZ)) is Status.DENIED
    assert [event.rate for event in guest.events()] == [800 * MHZ, 600 * MHZ]


def test_subscribing_needs_a_clock_that_notifies_and_clean_bits(boss: Any) -> None:
    for message in (clock.RateNotify, clock.RateChangeRequestedNotify):
        request = message(clock_id=QUIET, notify_enable=NotifyEnable(1))
        assert boss.status(request) is Status.NOT_SUPPORTED
        request = message(clock_id=OSC, notify_enable=NotifyEnable(2))
        assert boss.status(request) is Status.INVALID_PARAMETERS


def test_what_is_taken_away_is_not_heard_of_any_more(boss: Any, guest: Any) -> None:
    guest.ask(clock.RateNotify(clock_id=PLL, notify_enable=NotifyEnable(1)))
    deny = base.SetDevicePermissions(agent_id=2, device_id=0, flags=base.AccessFlags(0))
    boss.ask(deny)
    boss.ask(rate(PLL, 800 * MHZ))
    assert guest.poll() == []


def test_a_closed_connection_is_unsubscribed_and_its_settings_stay(boss: Any, guest: Any) -> None:
    guest.ask(clock.RateNotify(clock_id=PIXEL, notify_enable=NotifyEnable(1)))
    guest.ask(enable(PIXEL))
    guest.port.close()
    guest.port.close()
    assert guest.send(clock.ProtocolVersion()) is None
    boss.ask(rate(PIXEL, 40 * MHZ))
    assert guest.poll() == []
    assert not boss.platform.listened(clock.RateChanged, PIXEL)
    assert clocks(boss)[PIXEL].enabled


def test_notifications_nobody_takes_are_dropped_oldest_first(boss: Any, guest: Any) -> None:
    guest.ask(clock.RateNotify(clock_id=PIXEL, notify_enable=NotifyEnable(1)))
    guest.ask(rate(UART, 2 * MHZ, async_=True))
    for _ in range(600):
        boss.ask(rate(PIXEL, 20 * MHZ))
        boss.ask(rate(PIXEL, 40 * MHZ))
        boss.now += 0.01
    assert guest.port.dropped == 1200 - 1024
    events = guest.events(boss.now)
    # The delayed response among them is kept.
    assert sum(isinstance(event, clock.RateSetComplete) for event in events) == 1
    assert len(events) == 1025
    assert events[-1].rate == 40 * MHZ


# --- gates ----------------------------------------------------------------------------------------


def test_a_shared_clock_stays_on_while_any_agent_wants_it_on(boss: Any, guest: Any) -> None:
    for _ in range(2):  # a vote, not a count
        boss.ask(enable(PIXEL))
    guest.ask(enable(PIXEL))
    boss.ask(enable(PIXEL, 0))
    assert boss.ask(clock.Attributes(clock_id=PIXEL)).attributes.enabled
    guest.ask(enable(PIXEL, 0))
    assert not boss.ask(clock.ConfigGet(clock_id=PIXEL)).config.enabled
    assert not clocks(boss)[PIXEL].enabled


def test_what_was_on_at_start_goes_off_when_the_first_agent_disables_it(boss: Any) -> None:
    boss.ask(enable(PLL, 0))
    assert not clocks(boss)[PLL].enabled
    boss.ask(base.ResetAgentConfiguration(agent_id=1))
    assert clocks(boss)[PLL].enabled


def test_a_critical_clock_stays_on(boss: Any) -> None:
    boss.ask(enable(OSC, 0))
    assert clocks(boss)[OSC].enabled


def test_a_parent_is_on_while_a_child_is(boss: Any) -> None:
    boss.ask(enable(SLOW_BUS))
    boss.ask(enable(PLL, 0))
    assert [clocks(boss)[id].enabled for id in (PLL, BUS, SLOW_BUS)] == [True, True, True]
    boss.ask(enable(SLOW_BUS, 0))
    assert [clocks(boss)[id].enabled for id in (PLL, BUS, SLOW_BUS)] == [False, False, False]
    boss.ask(enable(UART))
    boss.ask(clock.ParentSet(clock_id=UART, parent_id=PLL))
    assert clocks(boss)[PLL].enabled
    boss.ask(clock.ParentSet(clock_id=UART, parent_id=OSC))
    assert not clocks(boss)[PLL].enabled


def test_a_forbidden_gate_is_denied(guest: Any) -> None:
    assert guest.status(enable(PLL, 0)) is Status.DENIED
    assert clocks(guest)[PLL].enabled


@pytest.mark.parametrize(
    ("attributes", "value", "status"),
    [
        (2, 0, Status.INVALID_PARAMETERS),
        (3, 0, Status.INVALID_PARAMETERS),
        (0x4, 0, Status.INVALID_PARAMETERS),
        (0x01000001, 0, Status.INVALID_PARAMETERS),
        (0x00020001, 10, Status.INVALID_PARAMETERS),
        (0x00800001, 10, Status.INVALID_PARAMETERS),
        (0x00010001, 101, Status.INVALID_PARAMETERS),
        (0x00010002, 10, Status.INVALID_PARAMETERS),
    ],
)
def test_a_configuration_that_makes_no_sense_changes_nothing(
    boss: Any, attributes: int, value: int, status: Status
) -> None:
    request = clock.ConfigSet(
        clock_id=PIXEL, attributes=clock.ConfigSetAttributes(attributes), extended_config_val=value
    )
    assert boss.status(request) is status
    assert not clocks(boss)[PIXEL].enabled
    assert clocks(boss)[PIXEL].duty_cycle == 50


def test_the_duty_cycle_is_the_extended_configuration(boss: Any) -> None:
    # state 3 leaves the gate alone; type 1 is in bits 23:16, and in bits 7:0 when reading
    assert boss.words(0x5007, PIXEL, 0x00010003, 33) == [0x5007, 0]
    assert not clocks(boss)[PIXEL].enabled
    assert boss.words(0x500B, PIXEL, 1) == [0x500B, 0, 0, 0, 33]
    assert boss.words(0x5007, PIXEL, 0x00010001, 100) == [0x5007, 0]
    assert boss.words(0x500B, PIXEL, 1) == [0x500B, 0, 0, 1, 100]
    assert boss.words(0x500B, PIXEL, 0) == [0x500B, 0, 0, 1, 0]
    assert boss.words(0x5007, PIXEL, 0x00000000, 77) == [0x5007, 0]  # type 0: value ignored
    assert clocks(boss)[PIXEL].duty_cycle == 100


def test_a_clock_without_extended_configuration_does_not_support_it(boss: Any) -> None:
    assert boss.words(0x5007, UART, 0x00010001, 50)[1] == 0xFFFFFFFF
    assert boss.words(0x500B, UART, 1) == [0x500B, 0xFFFFFFFF]
    assert boss.words(0x500B, PIXEL, 2) == [0x500B, 0xFFFFFFFE]
    assert boss.words(0x500B, PIXEL, 0x100) == [0x500B, 0xFFFFFFFE]
    assert not clocks(boss)[UART].enabled


# --- parents --------------------------------------------------------------------------------------


def test_parents_are_listed_in_the_boards_order_from_any_position(boss: Any) -> None:
    assert boss.words(0x500C, UART, 0) == [0x500C, 0, 2, OSC, PLL]
    assert boss.words(0x500C, UART, 1) == [0x500C, 0, 1, PLL]
    assert boss.words(0x500C, BUS, 0) == [0x500C, 0, 1, PLL]
    first = boss.ask(clock.PossibleParentsGet(clock_id=UART, skip_parents=0), 16)
    assert int(first.num_parent_flags) == 1 << 24 | 1
    past = clock.PossibleParentsGet(clock_id=UART, skip_parents=2)
    assert boss.status(past) is Status.OUT_OF_RANGE


def test_a_clock_without_parents_does_not_support_them(boss: Any) -> None:
    for request in (
        clock.PossibleParentsGet(clock_id=OSC, skip_parents=0),
        clock.ParentGet(clock_id=OSC),
        clock.ParentSet(clock_id=OSC, parent_id=PLL),
        clock.ParentSet(clock_id=BUS, parent_id=PLL),  # it has one, but no choice
    ):
        assert boss.status(request) is Status.NOT_SUPPORTED


def test_selecting_a_parent_keeps_the_rate(boss: Any) -> None:
    assert boss.ask(clock.ParentGet(clock_id=UART)).parent_id == OSC
    boss.ask(clock.ParentSet(clock_id=UART, parent_id=PLL))
    assert boss.ask(clock.ParentGet(clock_id=UART)).parent_id == PLL
    assert clocks(boss)[UART].rate == 24 * MHZ
    boss.ask(rate(UART, 90 * MHZ))
    impossible = clock.ParentSet(clock_id=UART, parent_id=OSC)
    assert boss.status(impossible) is Status.OUT_OF_RANGE
    other = clock.ParentSet(clock_id=UART, parent_id=BUS)
    assert boss.status(other) is Status.INVALID_PARAMETERS
    assert clocks(boss)[UART].parent is clocks(boss)[PLL]
    boss.ask(base.ResetAgentConfiguration(agent_id=1))
    assert clocks(boss)[UART].parent is clocks(boss)[OSC]
    assert clocks(boss)[UART].rate == 24 * MHZ


def test_a_forbidden_parent_is_denied(connect: Any) -> None:
    text = BOARD.replace('name = "uart"', 'name = "uart"\nrestrict = { guest = ["parent"] }')
    agent = connect(text, "guest")
    assert agent.status(clock.ParentSet(clock_id=UART, parent_id=PLL)) is Status.DENIED
    assert clocks(agent)[UART].parent is clocks(agent)[OSC]


def test_agents_of_one_platform_share_it(connect: Any) -> None:
    platform = Platform.from_text(BOARD)
    first, second = connect(platform, "boss"), connect(platform, "boss")
    first.ask(clock.RateNotify(clock_id=PIXEL, notify_enable=NotifyEnable(1)))
    second.ask(rate(PIXEL, 20 * MHZ))
    assert [event.rate for event in first.events()] == [20 * MHZ]
    assert second.poll() == []
