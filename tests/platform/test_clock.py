"""Clock protocol: descriptions, rates and their changes, in every version."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

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


# --- descriptions ---------------------------------------------------------------------------------


def test_the_counts_are_those_of_the_board(boss: Any) -> None:
    attributes = boss.ask(clock.ProtocolAttributes()).attributes
    assert (attributes.num_clocks, attributes.max_async_rate_changes) == (7, 2)


def test_a_clock_is_described_by_its_bits_its_name_and_its_delay(boss: Any) -> None:
    # The bits are those of the reference: 31 and 30 notifications, 28 parents, 0 enabled.
    assert boss.words(0x5003, PLL) == [0x5003, 0, 0xD0000001, 0x6C6C70, 0, 0, 0, 250]
    pixel = boss.ask(clock.Attributes(clock_id=PIXEL))
    assert int(pixel.attributes) == 1 << 31 | 1 << 30 | 1 << 29 | 1 << 27
    assert pixel.clock_name == "display-pixel-c"
    assert int(boss.ask(clock.Attributes(clock_id=QUIET)).attributes) == 0


def test_only_the_restricted_agent_sees_the_restriction(boss: Any, guest: Any) -> None:
    assert not boss.ask(clock.Attributes(clock_id=PLL)).attributes.restricted
    assert guest.ask(clock.Attributes(clock_id=PLL)).attributes.restricted
    assert guest.words(0x500F, PLL) == [0x500F, 0, 1 << 30]
    assert boss.words(0x500F, PLL) == [0x500F, 0, 7 << 29]
    # What follows the PLL has no rate of its own to control.
    assert guest.words(0x500F, SLOW_BUS) == [0x500F, 0, 1 << 31 | 1 << 30]


def test_the_whole_name_exists_only_where_the_short_one_is_cut(boss: Any) -> None:
    assert boss.ask(clock.NameGet(clock_id=PIXEL)).name == "display-pixel-clock"
    assert boss.status(clock.NameGet(clock_id=UART)) is Status.NOT_SUPPORTED


@pytest.mark.parametrize("id", [7, 0xFFFF, 0xFFFFFFFF])
def test_a_clock_that_is_not_there_is_not_found(boss: Any, id: int) -> None:
    for request in (
        clock.Attributes(clock_id=id),
        clock.DescribeRates(clock_id=id, rate_index=0),
        clock.RateSet(clock_id=id, rate=1),
        clock.RateGet(clock_id=id),
        enable(id),
        clock.NameGet(clock_id=id),
        clock.RateNotify(clock_id=id, notify_enable=NotifyEnable(1)),
        clock.RateChangeRequestedNotify(clock_id=id, notify_enable=NotifyEnable(1)),
        clock.ConfigGet(clock_id=id),
        clock.PossibleParentsGet(clock_id=id, skip_parents=0),
        clock.ParentSet(clock_id=id, parent_id=OSC),
        clock.ParentSet(clock_id=UART, parent_id=id),
        clock.ParentGet(clock_id=id),
        clock.GetPermissions(clock_id=id),
    ):
        assert boss.status(request) is Status.NOT_FOUND


# --- rates ----------------------------------------------------------------------------------------


def test_rates_are_served_from_any_index_in_any_order(boss: Any) -> None:
    last = boss.ask(clock.DescribeRates(clock_id=PLL, rate_index=2))
    assert (last.rates, int(last.num_rates_flags)) == ([1200 * MHZ], 1)
    all_rates = boss.ask(clock.DescribeRates(clock_id=PLL, rate_index=0))
    assert all_rates.rates == [600 * MHZ, 800 * MHZ, 1200 * MHZ]
    first = boss.ask(clock.DescribeRates(clock_id=PLL, rate_index=0), 20)
    assert int(first.num_rates_flags) == 2 << 16 | 1
    for index in (3, 0xFFFFFFFF):
        request = clock.DescribeRates(clock_id=PLL, rate_index=index)
        assert boss.status(request) is Status.OUT_OF_RANGE


def test_a_triplet_is_always_whole(boss: Any) -> None:
    for index in (0, 1, 2):
        found = boss.ask(clock.DescribeRates(clock_id=UART, rate_index=index))
        assert found.rates == [1 * MHZ, 100 * MHZ, 250_000]
        assert int(found.num_rates_flags) == 1 << 12 | 3
    request = clock.DescribeRates(clock_id=UART, rate_index=3)
    assert boss.status(request) is Status.OUT_OF_RANGE


def test_what_follows_a_clock_has_its_rates_divided(boss: Any) -> None:
    found = boss.ask(clock.DescribeRates(clock_id=SLOW_BUS, rate_index=0))
    assert found.rates == [75 * MHZ, 100 * MHZ, 150 * MHZ]


@pytest.mark.parametrize(
    ("id", "asked", "flags", "got"),
    [
        (PIXEL, 20 * MHZ, {}, 20 * MHZ),
        (PIXEL, 29 * MHZ, {}, 20 * MHZ),
        (PIXEL, 21 * MHZ, {"round_up": True}, 40 * MHZ),
        (PIXEL, 31 * MHZ, {"round_auto": True}, 40 * MHZ),
        (PIXEL, 30 * MHZ, {"round_auto": True, "round_up": True}, 20 * MHZ),
        (PIXEL, 40 * MHZ, {"round_up": True}, 40 * MHZ),
        (UART, 1_300_000, {}, 1_250_000),
        (UART, 1_300_000, {"round_up": True}, 1_500_000),
        (UART, 1_300_000, {"round_auto": True}, 1_250_000),
        (UART, 1_400_000, {"round_auto": True}, 1_500_000),
    ],
)
def test_a_rate_is_rounded_as_asked(
    boss: Any, id: int, asked: int, flags: dict[str, bool], got: int
) -> None:
    boss.ask(rate(id, asked, **flags))
    assert clocks(boss)[id].rate == got
    assert boss.ask(clock.RateGet(clock_id=id)).rate == got


@pytest.mark.parametrize(
    ("id", "hz"),
    [
        (PIXEL, 10 * MHZ - 1),
        (PIXEL, 40 * MHZ + 1),
        (PIXEL, 0),
        (PIXEL, (1 << 64) - 1),
        (UART, 999_999),
        (UART, 100 * MHZ + 1),
        (OSC, 25 * MHZ),
    ],
)
def test_a_rate_outside_what_the_clock_can_do_is_invalid(boss: Any, id: int, hz: int) -> None:
    before = clocks(boss)[id].rate
    for flags in ({}, {"round_up": True}, {"round_auto": True}):
        assert boss.status(rate(id, hz, **flags)) is Status.INVALID_PARAMETERS
    assert clocks(boss)[id].rate == before


def test_reserved_flags_are_invalid(boss: Any) -> None:
    for flags in (0x10, 0x80000000):
        request = clock.RateSet(flags=clock.RateSetFlags(flags), clock_id=PIXEL, rate=20 * MHZ)
        assert boss.status(request) is Status.INVALID_PARAMETERS
    assert clocks(boss)[PIXEL].rate == 10 * MHZ


def test_rates_follow_the_parent_and_a_followers_rate_sets_it(boss: Any) -> None:
    boss.ask(rate(PLL, 800 * MHZ))
    assert [clocks(boss)[id].rate for id in (PLL, BUS, SLOW_BUS)] == [
        800 * MHZ,
        200 * MHZ,
        100 * MHZ,
    ]
    boss.ask(rate(SLOW_BUS, 150 * MHZ))
    assert [clocks(boss)[id].rate for id in (PLL, BUS)] == [1200 * MHZ, 300 * MHZ]


def test_a_forbidden_rate_is_denied_also_by_way_of_a_follower(boss: Any, guest: Any) -> None:
    assert guest.status(rate(PLL, 800 * MHZ)) is Status.DENIED
    assert guest.status(rate(SLOW_BUS, 100 * MHZ)) is Status.DENIED
    boss.ask(
        base.SetDevicePermissions(agent_id=1, device_id=0, flags=base.AccessFlags(access_type=0))
    )
    assert boss.status(rate(SLOW_BUS, 100 * MHZ)) is Status.DENIED
    assert clocks(boss)[PLL].rate == 600 * MHZ


def test_a_parent_is_not_made_slower_than_a_child_needs(connect: Any) -> None:
    agent = connect(
        '[[clock]]\nname = "pll"\nrates = ["40MHz", "80MHz"]\nrate = "80MHz"\n'
        '[[clock]]\nname = "half"\nparent = "pll"\ndivider = 2\n'
        '[[clock]]\nname = "osc"\nrate = "24MHz"\n'
        '[[clock]]\nname = "spi"\nparents = ["half", "osc"]\n'
        'rates = ["20MHz", "30MHz", "50MHz"]\nrate = "30MHz"\n'
    )
    assert agent.status(rate(0, 40 * MHZ)) is Status.DENIED
    assert agent.status(rate(3, 50 * MHZ)) is Status.INVALID_PARAMETERS  # its parent has 40
    assert agent.status(clock.ParentSet(clock_id=3, parent_id=2)) is Status.OUT_OF_RANGE
    agent.ask(rate(3, 20 * MHZ))
    agent.ask(rate(0, 40 * MHZ))
    agent.ask(clock.ParentSet(clock_id=3, parent_id=2))
    assert clocks(agent)[3].rate == 20 * MHZ
    assert clocks(agent)[3].parent is clocks(agent)[2]


# --- asynchronous changes -------------------------------------------------------------------------


def test_an_asynchronous_change_happens_later_and_says_so(boss: Any, guest: Any) -> None:
    guest.ask(clock.RateNotify(clock_id=BUS, notify_enable=NotifyEnable(1)))
    boss.ask(rate(BUS, 290 * MHZ, async_=True))
    due = boss.port.next_deadline()
    assert due == boss.now + 0.001
    assert boss.poll() == []
    assert clocks(boss)[BUS].rate == 150 * MHZ
    assert boss.events(due) == [clock.RateSetComplete(clock_id=BUS, rate=200 * MHZ)]
    assert clocks(boss)[PLL].rate == 800 * MHZ
    assert guest.events(due) == [clock.RateChanged(agent_id=1, clock_id=BUS, rate=200 * MHZ)]


def test_it_has_happened_for_whoever_asks_after_its_time(boss: Any, guest: Any) -> None:
    boss.ask(rate(PIXEL, 40 * MHZ, async_=True))
    guest.now += 0.02
    assert guest.ask(clock.RateGet(clock_id=PIXEL)).rate == 40 * MHZ
    assert boss.events(guest.now) == [clock.RateSetComplete(clock_id=PIXEL, rate=40 * MHZ)]


def test_the_delayed_response_is_left_out_if_nobody_wants_it(boss: Any) -> None:
    frame = boss.send(rate(PIXEL, 40 * MHZ, async_=True, ignore_delayed_response=True))
    assert frame[4:] == bytes(4)
    assert boss.events(boss.now + 1) == []
    assert clocks(boss)[PIXEL].rate == 40 * MHZ


def test_more_than_may_be_outstanding_is_busy_per_connection(boss: Any, guest: Any) -> None:
    boss.ask(rate(PIXEL, 40 * MHZ, async_=True))
    boss.ask(rate(PIXEL, 20 * MHZ, async_=True))
    assert boss.status(rate(UART, 2 * MHZ, async_=True)) is Status.BUSY
    boss.ask(rate(UART, 2 * MHZ))  # a synchronous one does not wait
    guest.ask(rate(UART, 3 * MHZ, async_=True))
    assert [event.rate for event in boss.events(boss.now + 0.02)] == [40 * MHZ, 20 * MHZ]
    boss.ask(rate(UART, 4 * MHZ, async_=True))


def test_a_change_that_becomes_impossible_fails_in_the_delayed_response(
    boss: Any, guest: Any
) -> None:
    boss.ask(clock.ParentSet(clock_id=UART, parent_id=PLL))
    boss.ask(rate(UART, 90 * MHZ, async_=True))
    boss.ask(clock.ParentSet(clock_id=UART, parent_id=OSC))
    guest.ask(rate(PIXEL, 40 * MHZ, async_=True))
    assert boss.events(boss.now + 1) == [Status.INVALID_PARAMETERS]
    assert clocks(boss)[UART].rate == 24 * MHZ


def test_a_clock_that_is_taken_away_meanwhile_is_not_found(boss: Any) -> None:
    boss.ask(rate(PLL, 800 * MHZ, async_=True))
    boss.ask(
        base.SetDevicePermissions(agent_id=1, device_id=0, flags=base.AccessFlags(access_type=0))
    )
    assert boss.events(boss.now + 1) == [Status.NOT_FOUND]
    assert clocks(boss)[PLL].rate == 600 * MHZ


def test_after_a_refusal_no_delayed_response_follows(boss: Any, guest: Any) -> None:
    assert boss.status(rate(PIXEL, 1, async_=True)) is Status.INVALID_PARAMETERS
    assert guest.status(rate(PLL, 800 * MHZ, async_=True)) is Status.DENIED
    assert boss.port.next_deadline() is None


def test_a_board_without_asynchronous_changes_says_so(connect: Any) -> None:
    agent = connect("[async]\nclock = 0\n" + BOARD.replace("[async]\nclock = 2\n", ""))
    assert agent.ask(clock.ProtocolAttributes()).attributes.max_async_rate_changes == 0
    assert agent.status(rate(PIXEL, 40 * MHZ, async_=True)) is Status.NOT_SUPPORTED


def test_an_accepted_change_outlives_the_connection_but_its_answer_does_not(
    boss: Any, guest: Any
) -> None:
    boss.ask(rate(PIXEL, 40 * MHZ, async_=True))
    boss.port.close()
    guest.now += 1
    assert guest.ask(clock.RateGet(clock_id=PIXEL)).rate == 40 * MHZ
    assert boss.poll(guest.now) == []
    assert boss.port.next_deadline() is None


# --- versions -------------------------------------------------------------------------------------


def test_version_1_has_the_short_description_and_five_commands(connect: Any) -> None:
    agent = connect('[versions]\nclock = "1.0"\n' + BOARD, "guest")
    assert agent.words(0x5000) == [0x5000, 0, 0x10000]
    assert agent.words(0x5003, PLL) == [0x5003, 0, 1, 0x6C6C70, 0, 0, 0]
    assert [agent.words(0x5002, id) for id in range(0x8, 0x11)] == [[0x5002, 0xFFFFFFFC]] * 9
    assert agent.words(0x5007, PIXEL, 1) == [0x5007, 0]
    assert clocks(agent)[PIXEL].enabled
    assert agent.words(0x5007, PIXEL, 2) == [0x5007, 0xFFFFFFFE]
    assert agent.words(0x5007, PIXEL, 0) == [0x5007, 0]
    assert not clocks(agent)[PIXEL].enabled
    assert agent.status(rate(PLL, 800 * MHZ)) is Status.DENIED


def test_version_2_has_notifications_and_names_but_no_parents(connect: Any) -> None:
    agent = connect('[versions]\nclock = "2.0"\n' + BOARD)
    pixel = agent.ask(clock.Attributes(clock_id=PIXEL))
    assert int(pixel.attributes) == 7 << 29
    assert pixel.clock_enable_delay == 0
    there = [id for id in range(0x20) if agent.words(0x5002, id)[1] == 0]
    assert there == list(range(0xB))
    agent.ask(clock.RateNotify(clock_id=PLL, notify_enable=NotifyEnable(1)))
    agent.ask(rate(PLL, 800 * MHZ))
    assert [event.rate for event in agent.events()] == [800 * MHZ]


def test_negotiation_changes_the_layouts_of_one_connection_only(boss: Any, guest: Any) -> None:
    assert guest.words(0x5010, 0x10000) == [0x5010, 0]
    assert len(guest.send(clock.Attributes(clock_id=PLL))) == 4 + 24
    assert len(boss.send(clock.Attributes(clock_id=PLL))) == 4 + 28
    # What the platform reports stays the newest version it speaks, and one may come back.
    assert guest.words(0x5000) == [0x5000, 0, 0x30000]
    assert guest.words(0x5002, 0x10) == [0x5002, 0, 0]
    assert guest.words(0x500B, PLL, 0) == [0x500B, 0xFFFFFFFC]
    assert guest.words(0x5010, 0x30000) == [0x5010, 0]
    assert guest.words(0x500B, PLL, 0) == [0x500B, 0, 0, 1, 0]


@pytest.mark.parametrize("version", [0, 0x20001, 0x30001, 0x40000, 0xFFFFFFFF])
def test_a_version_that_does_not_exist_cannot_be_negotiated(boss: Any, version: int) -> None:
    assert boss.words(0x5010, version) == [0x5010, 0xFFFFFFFF]
    assert boss.port.versions[clock.ID] == 0x30000


def test_an_older_platform_does_not_negotiate(connect: Any) -> None:
    agent = connect('[versions]\nclock = "2.0"\n' + BOARD)
    assert agent.words(0x5010, 0x10000) == [0x5010, 0xFFFFFFFC]


def test_after_negotiating_down_a_notification_of_newer_versions_stays_away(boss: Any) -> None:
    boss.ask(clock.RateNotify(clock_id=PLL, notify_enable=NotifyEnable(1)))
    boss.words(0x5010, 0x10000)
    boss.ask(rate(PLL, 800 * MHZ))
    assert boss.poll() == []


# --- no channel to the agent ----------------------------------------------------------------------


def test_without_a_channel_nothing_is_offered_that_needs_one(connect: Any) -> None:
    agent = connect(BOARD, "boss", events=False)
    assert agent.ask(clock.ProtocolAttributes()).attributes.max_async_rate_changes == 0
    word = agent.ask(clock.Attributes(clock_id=PLL)).attributes
    assert not word.rate_changed_notifications
    assert not word.rate_change_requested_notifications
    for message in (clock.RateNotify, clock.RateChangeRequestedNotify):
        asked = clock.MessageAttributes(message_id=message.MESSAGE_ID)
        assert agent.status(asked) is Status.NOT_FOUND
        request = message(clock_id=PLL, notify_enable=NotifyEnable(1))
        assert agent.status(request) is Status.NOT_SUPPORTED
    assert agent.status(rate(PIXEL, 40 * MHZ, async_=True)) is Status.NOT_SUPPORTED
    silent = rate(PIXEL, 40 * MHZ, async_=True, ignore_delayed_response=True)
    assert agent.status(silent) is Status.NOT_SUPPORTED
    assert agent.status(base.NotifyErrors(notify_enable=NotifyEnable(1))) is Status.NOT_SUPPORTED
    assert agent.status(base.MessageAttributes(message_id=8)) is Status.NOT_FOUND
    assert clocks(agent)[PIXEL].rate == 10 * MHZ
    assert agent.port.next_deadline() is None


# --- what a board does not need is not there ------------------------------------------------------


def test_a_board_of_plain_clocks_has_no_conditional_messages(connect: Any) -> None:
    agent = connect('[[clock]]\nname = "c"\nrate = "1MHz"\nnotify = false\n')
    for id in (0x8, 0x9, 0xA, 0xC, 0xD, 0xE, 0xF):
        assert agent.words(0x5002, id) == [0x5002, 0xFFFFFFFC]
    assert agent.words(0x5008, 0) == [0x5008, 0xFFFFFFFC]
    assert agent.words(0x500E, 0) == [0x500E, 0xFFFFFFFC]
    assert agent.words(0x500B, 0, 0) == [0x500B, 0, 0, 0, 0]
