"""Version 3.0 of power capping (experimental): several limits, their intervals, older agents."""

from __future__ import annotations

from typing import Any

import pytest

from scmictl.protocols import base, powercap
from scmictl.protocols.common import NotifyEnable, Version
from scmictl.wire import Status

BOARD = """
[versions]
powercap = "3.0"
[[agent]]
name = "boss"
trusted = true
[[agent]]
name = "guest"
[[powercap]]
name = "soc"
caps = { lowest = 1000, highest = 30000, step = 100 }
cap = 15000
cais = { lowest = "1ms", highest = "10ms", step = "1ms" }
cai = "4ms"
pais = { lowest = "10ms", highest = "1s", step = "10ms" }
pai = "100ms"
power = 20000
async = true
restrict = { guest = ["interval"] }
[[powercap.limit]]
name = "battery"
caps = { lowest = 2000, highest = 20000, step = 500 }
cais = { lowest = "10ms", highest = "90ms", step = "20ms" }
[[powercap.limit]]
name = "regulator-output-stage"
cap = 25000
cai = "1us"
[[powercap]]
name = "plain"
caps = { lowest = 1, highest = 9, step = 1 }
[[powercap]]
name = "monitor"
power = 7
"""
SOC, PLAIN, MONITOR = range(3)
ON = NotifyEnable(1)


@pytest.fixture
def boss(connect: Any) -> Any:
    return connect(BOARD, "boss")


@pytest.fixture
def older(connect: Any, boss: Any) -> Any:
    agent = connect(boss.platform, "guest")
    agent.ask(powercap.NegotiateProtocolVersion(version=Version(0x20000)))
    return agent


def set_cap(number: int, cap: int, id: int = SOC, **flags: bool) -> powercap.CapSet:
    word = powercap.CapSetFlags(**flags)
    return powercap.CapSet(domain_id=id, cpli=number, flags=word, power_cap=cap)


def cap(agent: Any, number: int) -> int:
    found: int = agent.ask(powercap.CapGet(domain_id=SOC, cpli=number)).power_cap
    return found


def test_the_version_is_only_there_where_the_board_chooses_it(connect: Any, boss: Any) -> None:
    assert boss.words(0x6000) == [0x6000, 0, 0x30000]
    newest = connect(BOARD.replace('[versions]\npowercap = "3.0"', ""))
    assert newest.words(0x6000) == [0x6000, 0, 0x20000]
    assert newest.status(powercap.NegotiateProtocolVersion(version=Version(0x30000))) is (
        Status.NOT_SUPPORTED
    )
    assert newest.words(0x600D, 0, 0) == [0x600D, 0xFFFFFFFC]


def test_a_domain_is_described_by_seventy_two_bytes(boss: Any) -> None:
    # 31 MAI change, 30 measurements, 29 async, 27 cap, 26 monitoring, 25 MAI, 24:23 mW, 21 cap
    # change, 20 CAI, 19 CAI change, 18:15 three limits.
    attributes = 0xEF000000 | 1 << 21 | 1 << 20 | 1 << 19 | 3 << 15
    words = boss.words(0x6003, SOC)
    assert words[2] == attributes
    assert words[7:] == [
        10_000, 1_000_000, 10_000, 1000, 30_000, 100, 0, 0, 0xFFFFFFFF, 1000, 10_000, 1000,
    ]  # fmt: skip
    plain = boss.ask(powercap.DomainAttributes(domain_id=PLAIN)).attributes
    assert int(plain) == 0x4D000000 | 1 << 21 | 1 << 15
    monitor = boss.ask(powercap.DomainAttributes(domain_id=MONITOR))
    assert int(monitor.attributes) == 0x45000000
    assert (monitor.min_cai, monitor.max_cai) == (100_000, 100_000)


def test_limits_are_listed_in_their_order(boss: Any) -> None:
    found = boss.every(powercap.CpcAttributes(domain_id=SOC, desc_index=0), 12 + 48)
    assert [(one.cpli, one.name, int(one.flags)) for one in found] == [
        (0, "soc", 1), (1, "battery", 1), (2, "regulator-outpu", 0),
    ]  # fmt: skip
    assert [(one.min_power_cap, one.max_power_cap, one.power_cap_step) for one in found] == [
        (1000, 30_000, 100), (2000, 20_000, 500), (25_000, 25_000, 0),
    ]  # fmt: skip
    assert [(one.min_cai, one.max_cai, one.cai_step) for one in found] == [
        (1000, 10_000, 1000), (10_000, 90_000, 20_000), (1, 1, 0),
    ]  # fmt: skip
    page = boss.ask(powercap.CpcAttributes(domain_id=SOC, desc_index=1), 12 + 48)
    assert int(page.num_cpl) == 1 << 16 | 1


@pytest.mark.parametrize(
    ("id", "index", "room", "status"),
    [
        (SOC, 3, 8192, Status.OUT_OF_RANGE),
        (MONITOR, 0, 8192, Status.NOT_SUPPORTED),
        (3, 0, 8192, Status.NOT_FOUND),
        (SOC, 0, 12 + 47, Status.PROTOCOL_ERROR),
    ],
)
def test_a_list_that_cannot_be_is_refused(
    boss: Any, id: int, index: int, room: int, status: Status
) -> None:
    asked = powercap.CpcAttributes(domain_id=id, desc_index=index)
    assert boss.status(asked, room) is status


def test_the_number_of_the_limit_is_the_second_word_of_a_cap_set(boss: Any) -> None:
    assert boss.words(0x6005, SOC, 1, 0, 8000) == [0x6005, 0]
    assert boss.words(0x6004, SOC, 1) == [0x6004, 0, 8000]
    assert [cap(boss, number) for number in range(3)] == [15_000, 8000, 25_000]


def test_the_lowest_of_all_limits_bounds_the_power(boss: Any, older: Any) -> None:
    boss.ask(set_cap(1, 8000))
    assert boss.ask(powercap.MeasurementsGet(domain_id=SOC)).power == 8000
    boss.ask(set_cap(1, 0))
    assert boss.ask(powercap.MeasurementsGet(domain_id=SOC)).power == 15_000
    boss.ask(set_cap(0, 0))
    assert older.ask(powercap.MeasurementsGet(domain_id=SOC)).power == 20_000


@pytest.mark.parametrize("number", [3, 0xFFFFFFFF])
def test_a_limit_that_is_not_there_is_not_found(boss: Any, number: int) -> None:
    for request in (
        powercap.CapGet(domain_id=SOC, cpli=number),
        set_cap(number, 0),
        powercap.CaiGet(domain_id=SOC, cpli=number),
        powercap.CaiSet(domain_id=SOC, cai=1000, cpli=number),
        powercap.CapGet(domain_id=MONITOR, cpli=1),
        powercap.DescribeFastchannel(domain_id=SOC, message_id=4, cpli=number),
    ):
        assert boss.status(request) is Status.NOT_FOUND


def test_a_fixed_limit_cannot_be_set(boss: Any) -> None:
    assert boss.status(set_cap(2, 25_000)) is Status.NOT_SUPPORTED
    assert boss.status(set_cap(1, 25_000)) is Status.OUT_OF_RANGE


def test_limits_wait_for_their_own_changes_only(boss: Any) -> None:
    boss.ask(set_cap(1, 8000, async_=True))
    boss.ask(set_cap(0, 5000))
    assert boss.status(set_cap(1, 9000)) is Status.BUSY
    assert [frame.hex(" ", 4)[9:] for frame in boss.poll(boss.now + 1)] == [
        "00000000 00000000 401f0000 01000000"
    ]


# --- intervals ------------------------------------------------------------------------------------


def test_the_number_of_the_limit_is_the_last_word_of_a_cai_set(boss: Any) -> None:
    assert boss.words(0x600F, SOC, 0, 50_000, 1) == [0x600F, 0]
    assert boss.words(0x600E, SOC, 1) == [0x600E, 0, 50_000]
    assert boss.words(0x600E, SOC, 0) == [0x600E, 0, 4000]


@pytest.mark.parametrize(
    ("request_", "status"),
    [
        (powercap.CaiSet(domain_id=SOC, flags=1, cai=5000), Status.INVALID_PARAMETERS),
        (powercap.CaiSet(domain_id=SOC, cai=0), Status.INVALID_PARAMETERS),
        (powercap.CaiSet(domain_id=SOC, cai=1500), Status.INVALID_PARAMETERS),
        (powercap.CaiSet(domain_id=SOC, cai=11_000), Status.OUT_OF_RANGE),
        (powercap.CaiSet(domain_id=SOC, cai=1, cpli=2), Status.NOT_SUPPORTED),
        (powercap.CaiSet(domain_id=PLAIN, cai=100_000), Status.NOT_SUPPORTED),
        (powercap.CaiSet(domain_id=MONITOR, cai=100_000), Status.NOT_SUPPORTED),
        (powercap.CaiGet(domain_id=MONITOR), Status.NOT_SUPPORTED),
    ],
)
def test_an_interval_that_cannot_be_is_refused(boss: Any, request_: Any, status: Status) -> None:
    assert boss.status(request_) is status
    assert boss.ask(powercap.CaiGet(domain_id=SOC)).cai == 4000


def test_who_may_not_set_an_interval_is_denied(connect: Any, boss: Any) -> None:
    guest = connect(boss.platform, "guest")
    assert guest.status(powercap.CaiSet(domain_id=SOC, cai=5000)) is Status.DENIED


# --- notifications --------------------------------------------------------------------------------


def listen(agent: Any) -> None:
    agent.ask(powercap.CapNotify(domain_id=SOC, notify_enable=ON))
    agent.ask(
        powercap.MeasurementsNotify(
            domain_id=SOC, notify_enable=ON, power_thresh_low=0, power_thresh_high=0xFFFFFFFF
        )
    )


def test_a_change_is_told_in_twenty_bytes_and_to_older_agents_in_sixteen(
    boss: Any, older: Any
) -> None:
    listen(boss)
    listen(older)
    boss.ask(set_cap(0, 5000))
    assert [frame.hex(" ", 4) for frame in boss.poll()] == [
        "00630000 01000000 00000000 88130000 a00f0000 00000000"
    ]
    assert [frame.hex(" ", 4) for frame in older.poll()] == [
        "00630000 01000000 00000000 88130000 a0860100"
    ]


def test_older_agents_hear_of_the_first_limit_only(boss: Any, older: Any) -> None:
    listen(boss)
    listen(older)
    boss.ask(set_cap(1, 8000))
    boss.ask(powercap.CaiSet(domain_id=SOC, cai=50_000, cpli=1))
    boss.ask(powercap.CaiSet(domain_id=SOC, cai=5000))  # an interval that they do not know
    assert [(e.power_cap, e.cai, e.cpli) for e in boss.events()] == [
        (8000, 10_000, 1), (8000, 50_000, 1), (15_000, 5000, 0),
    ]  # fmt: skip
    assert older.events() == []


def test_a_new_measurement_interval_is_told_with_the_measurement(boss: Any, older: Any) -> None:
    listen(boss)
    listen(older)
    boss.ask(powercap.PaiSet(domain_id=SOC, pai=200_000))
    assert [frame.hex(" ", 4) for frame in boss.poll()] == [
        "01630000 01000000 00000000 983a0000 400d0300"
    ]
    [event] = older.events()
    assert isinstance(event, powercap.CapChanged)
    assert (event.power_cap, event.pai) == (15_000, 200_000)


def test_thresholds_of_nothing_leave_only_the_interval(boss: Any) -> None:
    asked = powercap.MeasurementsNotify(domain_id=SOC, notify_enable=ON)
    boss.ask(asked)
    assert boss.events(boss.now + 5) == []
    boss.ask(powercap.PaiSet(domain_id=SOC, pai=200_000))
    assert [event.mai for event in boss.events()] == [200_000]


def test_without_a_cap_there_are_no_changes_of_it(boss: Any, older: Any) -> None:
    asked = powercap.CapNotify(domain_id=MONITOR, notify_enable=ON)
    assert boss.status(asked) is Status.NOT_SUPPORTED
    older.ask(asked)


# --- resets and hands -----------------------------------------------------------------------------


def test_resetting_an_agent_gives_back_every_limit(boss: Any) -> None:
    boss.ask(set_cap(1, 8000))
    boss.ask(powercap.CaiSet(domain_id=SOC, cai=50_000, cpli=1))
    boss.ask(base.ResetAgentConfiguration(agent_id=1))
    assert cap(boss, 1) == 20_000
    assert boss.ask(powercap.CaiGet(domain_id=SOC, cpli=1)).cai == 10_000


def test_a_hand_reaches_every_limit_by_its_name(boss: Any) -> None:
    boss.ask(powercap.ProtocolVersion())
    behaviour = boss.platform.behaviours[powercap.ID]
    behaviour.adjust(SOC, "battery.cap", "8W", boss.now)
    behaviour.adjust(SOC, "battery.cai", "90ms", boss.now)
    behaviour.adjust(SOC, "cai", "9ms", boss.now)
    assert cap(boss, 1) == 8000
    assert [limit["cai_us"] for limit in behaviour.state(SOC)["limits"]] == [9000, 90_000, 1]


def test_more_messages_have_fastchannels(connect: Any) -> None:
    agent = connect(BOARD.replace('name = "plain"', 'name = "plain"\nfast_channels = true'))
    fast = [number for number in range(0x10) if agent.words(0x6002, number)[2:] == [1]]
    assert fast == [4, 5, 6, 7, 9, 0xE, 0xF]
