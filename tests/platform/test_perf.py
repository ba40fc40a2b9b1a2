"""Performance protocol: descriptions, levels, limits of several agents, in every version."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scmictl.errors import UsageError
from scmictl.platform import Platform
from scmictl.protocols import base, perf
from scmictl.protocols.common import NotifyEnable, Version
from scmictl.wire import Status

BOARD = Path(__file__).with_name("perf.toml").read_text()
BIG, GPU, MEMORY, MODEM = range(4)
PERF = 0x13 << 10
"""The header of message 0 of the protocol, with token 0."""


@pytest.fixture
def boss(connect: Any) -> Any:
    return connect(BOARD, "boss")


@pytest.fixture
def guest(connect: Any, boss: Any) -> Any:
    return connect(boss.platform, "guest")


def in_version(text: str) -> str:
    return f'[versions]\nperf = "{text}"\n{BOARD}'


def domain(agent: Any, id: int) -> Any:
    return agent.platform.behaviours[perf.ID].domains[id]


def level(id: int, number: int) -> perf.LevelSet:
    return perf.LevelSet(domain_id=id, performance_level=number)


def limits(id: int, low: int, high: int) -> perf.LimitsSet:
    return perf.LimitsSet(domain_id=id, range_max=high, range_min=low)


def listen(*agents: Any, id: int = BIG) -> None:
    for agent in agents:
        agent.ask(perf.NotifyLimits(domain_id=id, notify_enable=NotifyEnable(1)))
        agent.ask(perf.NotifyLevel(domain_id=id, notify_enable=NotifyEnable(1)))


def heard(agent: Any) -> list[tuple[int, ...]]:
    """The events that have come: agent, then the level, or the lowest and the highest one."""
    return [
        (event.agent_id, event.performance_level)
        if isinstance(event, perf.LevelChanged)
        else (event.agent_id, event.range_min, event.range_max)
        for event in agent.events()
    ]


# --- descriptions ---------------------------------------------------------------------------------


def test_domains_are_counted_and_have_no_statistics(boss: Any) -> None:
    # 1 in bits 17:16: milliwatts.
    assert boss.words(PERF | 1) == [PERF | 1, 0, 1 << 16 | 4, 0, 0, 0]


def test_a_domain_is_described_by_its_bits_its_name_and_what_it_sustains(boss: Any) -> None:
    # 31 limits and 30 level can be set, 29 and 28 notifications.
    assert boss.words(PERF | 3, BIG) == [
        PERF | 3, 0, 0xF0000000, 500, 1_200_000, 1500, 0x676962, 0, 0, 0,
    ]  # fmt: skip
    assert boss.ask(perf.DomainAttributes(domain_id=GPU)).attributes == 0xF2000000
    memory = boss.ask(perf.DomainAttributes(domain_id=MEMORY))
    assert (memory.attributes, memory.name) == (0xC4000000, "memory-controll")


@pytest.mark.parametrize(
    ("version", "bits"),
    [("1.0", 0xC0000000), ("2.0", 0xC0000000), ("3.0", 0xC4000000), ("4.0", 0xC4000000)],
)
def test_older_versions_have_fewer_bits(connect: Any, version: str, bits: int) -> None:
    agent = connect(in_version(version))
    assert agent.words(PERF | 3, MEMORY)[2] == bits
    indexed = 1 << 25 if version == "4.0" else 0
    assert agent.words(PERF | 3, GPU)[2] == 0xF0000000 | indexed


def test_an_agent_sees_in_the_bits_what_it_may_set(guest: Any) -> None:
    assert guest.ask(perf.DomainAttributes(domain_id=BIG)).attributes == 0x70000000
    assert guest.ask(perf.DomainAttributes(domain_id=MEMORY)).attributes == 0x04000000


def test_the_whole_name_exists_only_where_the_short_one_is_cut(boss: Any) -> None:
    assert boss.ask(perf.DomainNameGet(domain_id=MEMORY)).name == "memory-controller"
    assert boss.status(perf.DomainNameGet(domain_id=BIG)) is Status.NOT_SUPPORTED


@pytest.mark.parametrize("id", [4, 0xFFFF, 0xFFFFFFFF])
def test_a_domain_that_is_not_there_is_not_found(boss: Any, id: int) -> None:
    for request in (
        perf.DomainAttributes(domain_id=id),
        perf.DescribeLevels(domain_id=id, level_index=0),
        limits(id, 1, 1),
        perf.LimitsGet(domain_id=id),
        level(id, 1),
        perf.LevelGet(domain_id=id),
        perf.NotifyLimits(domain_id=id, notify_enable=NotifyEnable(2)),
        perf.NotifyLevel(domain_id=id, notify_enable=NotifyEnable(2)),
        perf.DescribeFastchannel(domain_id=id, message_id=7),
        perf.DomainNameGet(domain_id=id),
    ):
        assert boss.status(request) is Status.NOT_FOUND


def test_a_denied_domain_is_not_found_and_keeps_its_number(boss: Any, guest: Any) -> None:
    listen(guest, id=MODEM)
    boss.ask(base.SetDevicePermissions(agent_id=2, device_id=0, flags=base.AccessFlags(0)))
    assert guest.status(perf.LevelGet(domain_id=MODEM)) is Status.NOT_FOUND
    assert guest.ask(perf.ProtocolAttributes()).attributes.num_performance_domains == 4
    boss.ask(level(MODEM, 2))
    assert heard(guest) == []


def test_the_attributes_of_4_1_are_longer_where_there_is_room_for_them(connect: Any) -> None:
    agent = connect(in_version("4.1"))
    found = agent.ask(perf.DomainAttributes(domain_id=BIG), 52)
    assert (found.guaranteed_perf_level, found.qos_parent_id) == (600, perf.NO_PARENT)
    assert found.qos_capability_types == 0
    # Linux before 2026 offers room for the layout of 4.0 only.
    request = perf.DomainAttributes(domain_id=BIG)
    for room in (40, 51):
        frame = agent.send(request, room)
        assert len(frame) == 40
        assert frame[4:8] == bytes(4)
    assert agent.status(request, 39) is Status.PROTOCOL_ERROR


# --- levels ---------------------------------------------------------------------------------------


def test_levels_have_five_words_from_4_0_on_and_three_before(connect: Any) -> None:
    assert connect(BOARD).words(PERF | 4, BIG, 3) == [
        PERF | 4, 0, 2, 1500, 612, 150, 1_500_000, 0, 2000, 1140, 1, 0, 0,
    ]  # fmt: skip
    for version in ("1.0", "2.0", "3.0"):
        assert connect(in_version(version)).words(PERF | 4, BIG, 3) == [
            PERF | 4, 0, 2, 1500, 612, 150, 2000, 1140, 1,
        ]  # fmt: skip


def test_in_level_indexing_mode_a_level_has_an_index_from_1_on(boss: Any) -> None:
    found = boss.ask(perf.DescribeLevels(domain_id=GPU, level_index=1)).perf_levels
    assert [(one.level_index, one.indicative_frequency) for one in found] == [
        (2, 400_000), (3, 600_000), (4, 800_000),
    ]  # fmt: skip


def test_levels_are_listed_in_as_many_messages_as_the_room_demands(connect: Any) -> None:
    many = ", ".join(str(number) for number in range(1, 41))
    board = f'[[perf]]\nname = "p"\nlevels = [{many}]\n'
    for version, count in (("4.0", 6), ("3.0", 10)):
        agent = connect(f'[versions]\nperf = "{version}"\n' + board)
        page = agent.ask(perf.DescribeLevels(domain_id=0, level_index=0), 136)
        assert len(page.perf_levels) == page.num_levels.num_returned == count
        assert page.num_levels.num_remaining == 40 - count
        request = perf.DescribeLevels(domain_id=0, level_index=0)
        for room in (12 + 20, 136, 8192):
            found = agent.every(request, room)
            assert [one.performance_level for one in found] == list(range(1, 41))
        assert agent.status(request, 12 + 11) is Status.PROTOCOL_ERROR


@pytest.mark.parametrize("index", [5, 6, 0xFFFFFFFF])
def test_a_list_does_not_begin_past_its_end(boss: Any, index: int) -> None:
    request = perf.DescribeLevels(domain_id=BIG, level_index=index)
    assert boss.status(request) is Status.INVALID_PARAMETERS


@pytest.mark.parametrize("version", ["1.0", "2.0"])
def test_microwatts_are_shown_as_milliwatts_where_they_cannot_be_said(
    connect: Any, version: str
) -> None:
    board = """
[[perf]]
name = "p"
power_unit = "uW"
levels = [{ level = 1 }, { level = 2, power = 1 }, { level = 3, power = 5000 }]
"""
    agent = connect(board)
    assert agent.words(PERF | 1)[2] == 2 << 16 | 1
    found = agent.every(perf.DescribeLevels(domain_id=0, level_index=0))
    assert [one.power_cost for one in found] == [0, 1, 5000]
    older = connect(f'[versions]\nperf = "{version}"\n' + board)
    assert older.words(PERF | 1)[2] == 1 << 16 | 1
    found = older.every(perf.DescribeLevels(domain_id=0, level_index=0))
    assert [one.power_cost for one in found] == [0, 1, 5]


def test_a_level_is_set_and_read(boss: Any) -> None:
    assert boss.words(PERF | 8, BIG) == [PERF | 8, 0, 1500]
    assert boss.words(PERF | 7, BIG, 600) == [PERF | 7, 0]
    assert domain(boss, BIG).level == 600
    assert boss.words(PERF | 8, BIG) == [PERF | 8, 0, 600]


@pytest.mark.parametrize("number", [0, 299, 301, 1499, 2001, 0xFFFFFFFF])
def test_what_is_no_level_cannot_be_set(boss: Any, number: int) -> None:
    assert boss.status(level(BIG, number)) is Status.OUT_OF_RANGE
    assert domain(boss, BIG).level == 1500


def test_a_level_outside_the_limits_cannot_be_set(boss: Any, guest: Any) -> None:
    boss.ask(limits(BIG, 600, 1500))
    for number in (300, 2000):
        assert guest.status(level(BIG, number)) is Status.OUT_OF_RANGE
    for number in (600, 1500):
        guest.ask(level(BIG, number))
        assert domain(boss, BIG).level == number


def test_between_levels_the_one_that_is_allowed_can_be_set(boss: Any, guest: Any) -> None:
    # No level lies between these limits; the one that holds instead is no error to ask for.
    boss.ask(limits(BIG, 1100, 1400))
    boss.ask(level(BIG, 1000))
    # Limits that contradict each other leave one level too: the upper one wins.
    guest.ask(limits(GPU, 3, 3))
    boss.ask(limits(GPU, 1, 2))
    assert boss.words(PERF | 6, GPU) == [PERF | 6, 0, 2, 2]
    boss.ask(level(GPU, 2))
    for number in (1, 3):
        assert boss.status(level(GPU, number)) is Status.OUT_OF_RANGE
    for number in (600, 1500):
        assert boss.status(level(BIG, number)) is Status.OUT_OF_RANGE
    assert (domain(boss, BIG).level, domain(boss, GPU).level) == (1000, 40)


def test_an_agent_sets_only_what_it_may(guest: Any) -> None:
    guest.ask(level(BIG, 300))
    assert guest.status(limits(BIG, 300, 600)) is Status.DENIED
    assert guest.status(limits(MEMORY, 800, 800)) is Status.DENIED
    assert guest.status(level(MEMORY, 1600)) is Status.DENIED
    assert domain(guest, MEMORY).level == 800
    assert domain(guest, BIG).bounds == (300, 2000)
    # The value is looked at before the permission.
    assert guest.status(level(MEMORY, 801)) is Status.OUT_OF_RANGE


def test_in_level_indexing_mode_levels_and_limits_are_indices(boss: Any) -> None:
    assert boss.words(PERF | 8, GPU) == [PERF | 8, 0, 2]
    assert boss.words(PERF | 6, GPU) == [PERF | 6, 0, 3, 1]
    boss.ask(level(GPU, 3))
    assert domain(boss, GPU).level == 60
    boss.ask(limits(GPU, 1, 2))
    assert domain(boss, GPU).bounds == (20, 40)
    assert domain(boss, GPU).level == 40
    for number in (0, 3, 4, 5, 40):  # beyond the limits, and no index at all
        assert boss.status(level(GPU, number)) is Status.OUT_OF_RANGE
    for number in (5, 40):
        assert boss.status(limits(GPU, 1, number)) is Status.OUT_OF_RANGE


def test_an_agent_of_3_0_knows_no_indices(boss: Any, connect: Any) -> None:
    older = connect(boss.platform, "guest")
    older.ask(perf.NegotiateProtocolVersion(version=Version(0x30000)))
    listen(boss, older, id=GPU)
    assert not older.ask(perf.DomainAttributes(domain_id=GPU)).attributes & 1 << 25
    older.ask(level(GPU, 60))
    older.ask(limits(GPU, 30, 50))  # between levels
    assert older.words(PERF | 6, GPU) == [PERF | 6, 0, 50, 30]
    assert boss.words(PERF | 6, GPU) == [PERF | 6, 0, 2, 2]
    assert heard(older) == [(2, 60), (2, 30, 50), (2, 40)]
    assert heard(boss) == [(2, 3), (2, 2, 2), (2, 2)]


def test_indices_may_begin_with_0_as_some_platforms_have_them(connect: Any) -> None:
    board = BOARD.replace("level_indexing = true", "level_indexing = true\nfirst_index = 0")
    agent = connect(board)
    agent.ask(level(GPU, 0))
    assert domain(agent, GPU).level == 20
    # As a limit, 0 leaves the limit as it is.
    assert agent.status(limits(GPU, 0, 0)) is Status.OUT_OF_RANGE
    agent.ask(limits(GPU, 0, 1))
    assert domain(agent, GPU).bounds == (20, 40)


# --- limits ---------------------------------------------------------------------------------------


def test_limits_are_set_highest_first_and_move_the_level(boss: Any) -> None:
    assert boss.words(PERF | 6, BIG) == [PERF | 6, 0, 2000, 300]
    assert boss.words(PERF | 5, BIG, 1000, 600) == [PERF | 5, 0]
    assert boss.words(PERF | 6, BIG) == [PERF | 6, 0, 1000, 600]
    assert domain(boss, BIG).level == 1000
    boss.ask(limits(BIG, 300, 2000))
    assert domain(boss, BIG).level == 1000  # nobody has asked for another
    boss.ask(limits(BIG, 1100, 2000))
    assert domain(boss, BIG).level == 1500


def test_between_levels_the_level_moves_to_one_inside(boss: Any) -> None:
    boss.ask(limits(BIG, 300, 1400))
    assert domain(boss, BIG).level == 1000
    assert boss.words(PERF | 6, BIG) == [PERF | 6, 0, 1400, 300]
    boss.ask(limits(BIG, 1100, 1400))  # with no level at all between them the upper one wins
    assert domain(boss, BIG).level == 1000


@pytest.mark.parametrize(
    ("low", "high", "status"),
    [
        (299, 1000, Status.OUT_OF_RANGE),
        (300, 2001, Status.OUT_OF_RANGE),
        (0, 0, Status.OUT_OF_RANGE),
        (1000, 600, Status.INVALID_PARAMETERS),
    ],
)
def test_limits_that_cannot_be_are_refused(boss: Any, low: int, high: int, status: Status) -> None:
    assert boss.status(limits(BIG, low, high)) is status
    assert domain(boss, BIG).bounds == (300, 2000)
    assert domain(boss, BIG).level == 1500


def test_from_3_0_on_a_limit_of_0_stays_as_it_is(boss: Any) -> None:
    boss.ask(limits(BIG, 600, 1500))
    boss.ask(limits(BIG, 0, 1000))
    assert domain(boss, BIG).bounds == (600, 1000)
    boss.ask(limits(BIG, 300, 0))
    assert domain(boss, BIG).bounds == (300, 1000)
    boss.ask(limits(BIG, 600, 1000))
    boss.ask(limits(BIG, 0, 300))  # below the agent's own lower limit: the upper one wins
    assert domain(boss, BIG).bounds == (300, 300)
    assert domain(boss, BIG).level == 300


@pytest.mark.parametrize("version", ["1.0", "2.0"])
def test_before_3_0_a_limit_of_0_is_out_of_range(connect: Any, version: str) -> None:
    agent = connect(in_version(version))
    for low, high in ((0, 1000), (600, 0), (0, 0)):
        assert agent.status(limits(BIG, low, high)) is Status.OUT_OF_RANGE
    assert domain(agent, BIG).bounds == (300, 2000)


@pytest.fixture
def third(connect: Any) -> tuple[Any, Any, Any]:
    """Three agents that may all set everything."""
    agents = "".join(f'[[agent]]\nname = "{name}"\n' for name in "abc")
    first = connect(agents + '[[perf]]\nname = "p"\nlevels = [1, 2, 3, 4, 5]\nlevel = 3\n', "a")
    return first, connect(first.platform, "b"), connect(first.platform, "c")


def test_the_limits_of_all_agents_hold_together(third: tuple[Any, Any, Any]) -> None:
    a, b, c = third
    a.ask(limits(0, 2, 4))
    b.ask(limits(0, 1, 5))
    assert domain(a, 0).bounds == (2, 4)
    c.ask(limits(0, 3, 3))
    assert domain(a, 0).bounds == (3, 3)
    assert c.words(PERF | 6, 0) == [PERF | 6, 0, 3, 3]
    c.ask(limits(0, 1, 5))
    assert domain(a, 0).bounds == (2, 4)
    a.ask(limits(0, 5, 5))
    b.ask(limits(0, 1, 2))  # they contradict each other: the upper one wins
    assert domain(a, 0).bounds == (2, 2)
    assert domain(a, 0).level == 2


# --- notifications --------------------------------------------------------------------------------


def test_a_level_of_the_reference_is_announced_byte_by_byte(connect: Any) -> None:
    agent = connect('[[perf]]\nname = "p"\nlevels = [900000, 1800000]\n')
    listen(agent, id=0)
    agent.ask(level(0, 1_800_000))
    # Reference part A, section 11.
    assert [frame.hex(" ", 4) for frame in agent.poll()] == ["014f0000 01000000 00000000 40771b00"]


def test_whoever_listens_is_told_of_changes_also_the_agent_that_causes_them(
    boss: Any, guest: Any
) -> None:
    listen(boss, guest)
    boss.ask(limits(BIG, 600, 1000))
    assert heard(boss) == heard(guest) == [(1, 600, 1000), (1, 1000)]
    guest.ask(level(BIG, 600))
    assert heard(boss) == heard(guest) == [(2, 600)]


def test_what_stays_as_it_is_is_not_announced(boss: Any) -> None:
    listen(boss)
    boss.ask(level(BIG, 1500))
    boss.ask(limits(BIG, 300, 2000))
    assert boss.status(limits(BIG, 2000, 300)) is Status.INVALID_PARAMETERS
    boss.ask(level(GPU, 1))
    assert heard(boss) == []


def test_limits_within_those_of_others_change_nothing_and_are_not_announced(
    third: tuple[Any, Any, Any],
) -> None:
    a, b, c = third
    a.ask(limits(0, 2, 3))
    listen(c, id=0)
    b.ask(limits(0, 1, 4))
    assert heard(c) == []
    a.ask(limits(0, 1, 5))
    assert heard(c) == [(1, 1, 4)]


def test_each_notification_is_switched_for_itself(boss: Any) -> None:
    boss.ask(perf.NotifyLevel(domain_id=BIG, notify_enable=NotifyEnable(1)))
    boss.ask(limits(BIG, 300, 1000))
    assert heard(boss) == [(1, 1000)]
    boss.ask(perf.NotifyLevel(domain_id=BIG, notify_enable=NotifyEnable(0)))
    boss.ask(level(BIG, 300))
    assert heard(boss) == []


@pytest.mark.parametrize("request_class", [perf.NotifyLimits, perf.NotifyLevel])
def test_a_switch_has_no_other_bits_and_needs_a_domain_that_notifies(
    boss: Any, request_class: Any
) -> None:
    bits = request_class(domain_id=BIG, notify_enable=NotifyEnable(3))
    assert boss.status(bits) is Status.INVALID_PARAMETERS
    silent = request_class(domain_id=MEMORY, notify_enable=NotifyEnable(1))
    assert boss.status(silent) is Status.NOT_SUPPORTED


def test_without_an_event_queue_no_notification_is_offered(connect: Any) -> None:
    agent = connect(BOARD, events=False)
    assert agent.ask(perf.DomainAttributes(domain_id=BIG)).attributes == 0xC0000000
    for message in (perf.NotifyLimits, perf.NotifyLevel):
        asking = perf.MessageAttributes(message_id=message.MESSAGE_ID)
        assert agent.status(asking) is Status.NOT_FOUND
        request: Any = message(domain_id=BIG, notify_enable=NotifyEnable(1))
        assert agent.status(request) is Status.NOT_SUPPORTED


def test_where_no_domain_needs_them_messages_are_left_out(connect: Any) -> None:
    agent = connect('[[perf]]\nname = "p"\nlevels = [1]\nnotify = false\n')
    for message in (perf.NotifyLimits, perf.NotifyLevel, perf.DomainNameGet):
        word = PERF | message.MESSAGE_ID
        assert agent.words(word, 0, 1)[1] == 0xFFFFFFFC
        assert agent.status(perf.MessageAttributes(message_id=message.MESSAGE_ID)) is (
            Status.NOT_FOUND
        )


# --- fast channels --------------------------------------------------------------------------------


def test_fast_channels_are_excluded_by_virtio(boss: Any) -> None:
    for message_id in (5, 6, 7, 8):
        assert boss.words(PERF | 2, message_id) == [PERF | 2, 0, 0]
        request = perf.DescribeFastchannel(domain_id=BIG, message_id=message_id)
        assert boss.status(request) is Status.NOT_SUPPORTED
    assert boss.status(perf.MessageAttributes(message_id=0xB)) is Status.NOT_FOUND
    # Other messages have none anyway; what is no message is not found.
    assert boss.status(perf.DescribeFastchannel(domain_id=0, message_id=3)) is Status.NOT_SUPPORTED
    assert boss.status(perf.DescribeFastchannel(domain_id=0, message_id=13)) is Status.NOT_FOUND


def test_a_board_can_claim_fast_channels_that_are_not_supported(connect: Any) -> None:
    board = (
        '[[perf]]\nname = "p"\nlevels = [1]\nfast_channels = true\n'
        '[[perf]]\nname = "q"\nlevels = [1]\n'
    )
    agent = connect(board)
    assert agent.ask(perf.DomainAttributes(domain_id=0)).attributes == 0xF8000000
    assert agent.ask(perf.DomainAttributes(domain_id=1)).attributes == 0xF0000000
    bits = [agent.words(PERF | 2, message_id)[2] for message_id in range(0xC)]
    assert bits == [0, 0, 0, 0, 0, 1, 1, 1, 1, 0, 0, 0]
    for message_id in range(0xC):
        request = perf.DescribeFastchannel(domain_id=0, message_id=message_id)
        assert agent.status(request) is Status.NOT_SUPPORTED
    oldest = connect('[versions]\nperf = "1.0"\n' + board)
    assert oldest.ask(perf.DomainAttributes(domain_id=0)).attributes == 0xF0000000
    assert oldest.words(PERF | 2, 7) == [PERF | 2, 0, 0]
    assert oldest.words(PERF | 0xB, 0, 7) == [PERF | 0xB, 0xFFFFFFFC]


# --- reset, and by hand ---------------------------------------------------------------------------


def test_a_reset_puts_back_the_agents_limits_and_the_level_it_asked_for(
    boss: Any, guest: Any
) -> None:
    boss.ask(limits(BIG, 300, 1000))
    guest.ask(level(BIG, 600))
    listen(guest)
    boss.ask(base.ResetAgentConfiguration(agent_id=1, flags=base.ResetFlags(0)))
    assert domain(boss, BIG).bounds == (300, 2000)
    assert domain(boss, BIG).level == 600  # that is the guest's
    assert heard(guest) == [(0, 300, 2000)]
    boss.ask(base.ResetAgentConfiguration(agent_id=2, flags=base.ResetFlags(0)))
    assert domain(boss, BIG).level == 1500


def test_what_was_put_back_stays_within_the_limits_of_others(third: tuple[Any, Any, Any]) -> None:
    a, b, _ = third
    a.ask(level(0, 2))
    b.ask(limits(0, 1, 2))
    a.ask(base.ResetAgentConfiguration(agent_id=1, flags=base.ResetFlags(0)))
    assert domain(a, 0).level == 2


def test_the_hardware_can_clamp_a_domain_and_everybody_is_told(boss: Any, guest: Any) -> None:
    listen(boss, guest)
    behaviour = boss.platform.behaviours[perf.ID]
    behaviour.adjust(BIG, "max", "1_000", boss.now)
    assert heard(boss) == heard(guest) == [(0, 300, 1000), (0, 1000)]
    assert boss.status(level(BIG, 1500)) is Status.OUT_OF_RANGE
    boss.ask(limits(BIG, 600, 2000))  # which does not lift the clamp
    assert heard(guest) == [(1, 600, 1000)]
    behaviour.adjust(BIG, "level", "600", boss.now)
    behaviour.adjust(BIG, "min", "700", boss.now)
    assert heard(guest) == [(0, 600), (0, 700, 1000), (0, 1000)]
    assert behaviour.state(BIG) == {
        "level": 1000,
        "min": 700,
        "max": 1000,
        "limits": {"platform": {"min": 700, "max": 1000}, "boss": {"min": 600, "max": 2000}},
    }


def test_the_state_of_a_domain_with_indices_has_the_index_and_the_frequency(boss: Any) -> None:
    assert boss.platform.behaviours[perf.ID].state(GPU) == {
        "level": 40,
        "min": 20,
        "max": 60,
        "level_index": 2,
        "frequency_khz": 400_000,
        "limits": {"platform": {"min": 20, "max": 60}},
    }


@pytest.mark.parametrize(
    ("key", "text", "message"),
    [
        ("level", "700", "level is 700, expected one of the levels from 300 to 2000"),
        ("level", "4000", "level is 4000, expected one of the levels from 300 to 2000"),
        ("max", "0", "max is 0, expected a level or what is between levels, from 300 to 2000"),
        ("min", "much", "expected a number"),
        ("state", "1", "expected one of: level, min, max"),
    ],
)
def test_what_cannot_be_set_by_hand_changes_nothing(
    boss: Any, key: str, text: str, message: str
) -> None:
    listen(boss)
    behaviour = boss.platform.behaviours[perf.ID]
    before = behaviour.state(BIG)
    with pytest.raises(UsageError, match=message):
        behaviour.adjust(BIG, key, text, boss.now)
    assert behaviour.state(BIG) == before
    assert heard(boss) == []


# --- hostile words --------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def platform() -> Platform:
    return Platform.from_text(BOARD, "hostile")


word = st.one_of(
    st.integers(0, 5), st.sampled_from([300, 600, 1500, 2000]), st.integers(0, 2**32 - 1)
)


@settings(max_examples=300, deadline=None)
@given(message=st.integers(0, 0x11), words=st.lists(word, max_size=4), version=st.integers(0, 4))
def test_whatever_is_asked_for_the_level_stays_one_of_the_levels_and_within_the_limits(
    platform: Platform, message: int, words: list[int], version: int
) -> None:
    port = platform.attach("boss")
    port.versions[perf.ID] = perf.PROTOCOL.versions[version]
    frame = b"".join(value.to_bytes(4, "little") for value in (PERF | message, *words))
    answer = port.handle(0, frame, 136, 0.0)
    assert answer is not None and answer[:4] == frame[:4]
    assert answer[4:8] == bytes(4) or len(answer) == 8
    behaviour: Any = platform.behaviours[perf.ID]
    for one in behaviour.domains:
        low, high = one.bounds
        assert one.levels[0] <= low <= high <= one.levels[-1]
        assert one.level in one.levels
        assert one.level <= high
        assert one.level >= low or not any(low <= other <= high for other in one.levels)
    port.close()
