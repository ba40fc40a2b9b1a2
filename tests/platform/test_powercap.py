"""Power capping protocol: descriptions, caps, averaging intervals, and what changes tell."""

from __future__ import annotations

import struct
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scmictl.errors import UsageError
from scmictl.platform import Platform, Port
from scmictl.protocols import base, powercap
from scmictl.protocols.common import NotifyEnable
from scmictl.wire import Status

BOARD = Path(__file__).with_name("powercaps.toml").read_text()
SOC, CPU, GPU, MEMORY, NPU, FAN = range(6)
ON = NotifyEnable(1)


@pytest.fixture
def boss(connect: Any) -> Any:
    return connect(BOARD, "boss")


@pytest.fixture
def guest(connect: Any, boss: Any) -> Any:
    return connect(boss.platform, "guest")


@pytest.fixture
def spy(connect: Any, boss: Any) -> Any:
    return connect(boss.platform, "spy")


def domains(agent: Any) -> Any:
    return agent.platform.behaviours[powercap.ID].domains


def set_cap(id: int, cap: int, **flags: bool) -> powercap.CapSet:
    return powercap.CapSet(domain_id=id, flags=powercap.CapSetFlags(**flags), power_cap=cap)


def cap(agent: Any, id: int) -> int:
    found: int = agent.ask(powercap.CapGet(domain_id=id)).power_cap
    return found


def listen(agent: Any, id: int) -> None:
    agent.ask(powercap.CapNotify(domain_id=id, notify_enable=ON))


# --- descriptions ---------------------------------------------------------------------------------


def test_there_are_as_many_domains_as_on_the_board(boss: Any) -> None:
    assert boss.words(0x6001) == [0x6001, 0, 6]


def test_the_attributes_are_those_of_the_example_of_the_reference(connect: Any) -> None:
    agent = connect(
        '[[powercap]]\nname = "d"\ncaps = { lowest = 1, highest = 9, step = 1 }\nnotify = false\n'
    )
    assert agent.words(0x6003, 0)[2] == 0x0D000000


def test_a_domain_is_described_by_sixty_bytes(boss: Any) -> None:
    assert boss.words(0x6003, SOC) == [
        0x6003, 0, 0xEF000000, *(int.from_bytes(b"soc\0", "little"), 0, 0, 0),
        10_000, 1_000_000, 10_000, 1000, 30_000, 100, 12_000, 2500, 0xFFFFFFFF,
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("id", "attributes", "caps", "parent"),
    [
        (CPU, 0xCD000000, (500, 10_000, 50), SOC),
        (GPU, 0xEC800000, (1_000_000, 8_000_000, 1000), CPU),
        (MEMORY, 0x15000000, (3000, 3000, 0), SOC),
        (NPU, 0x88000000, (10, 100, 10), 0xFFFFFFFF),
        (FAN, 0xC5000000, (950, 950, 0), 0xFFFFFFFF),
    ],
)
def test_the_bits_tell_what_a_domain_can_do(
    boss: Any, id: int, attributes: int, caps: tuple[int, ...], parent: int
) -> None:
    one = boss.ask(powercap.DomainAttributes(domain_id=id))
    assert int(one.attributes) == attributes
    assert (one.min_power_cap, one.max_power_cap, one.power_cap_step) == caps
    assert (one.min_pai, one.max_pai, one.pai_step) == (
        (10_000, 1_000_000, 10_000) if id == SOC else (100_000, 100_000, 0)
    )
    assert one.parent_id == parent


def test_the_whole_name_exists_only_where_the_short_one_is_cut(boss: Any) -> None:
    assert boss.ask(powercap.DomainAttributes(domain_id=MEMORY)).name == "memory-subsyste"
    assert boss.ask(powercap.DomainNameGet(domain_id=MEMORY)).name == "memory-subsystem"
    assert boss.status(powercap.DomainNameGet(domain_id=SOC)) is Status.NOT_FOUND


def test_a_platform_without_long_names_has_no_message_for_them(connect: Any) -> None:
    agent = connect('[[powercap]]\nname = "d"\ncap = 5\nnotify = false\n')
    for request in (
        powercap.DomainNameGet(domain_id=0),
        powercap.CapNotify(domain_id=0, notify_enable=ON),
        powercap.MeasurementsNotify(domain_id=0, notify_enable=ON),
    ):
        assert agent.status(request) is Status.NOT_FOUND
        asked = powercap.MessageAttributes(message_id=request.MESSAGE_ID)
        assert agent.status(asked) is Status.NOT_FOUND


@pytest.mark.parametrize("id", [6, 0xFFFF, 0x1_0006])
def test_a_domain_that_is_not_there_is_not_found(boss: Any, id: int) -> None:
    for request in (
        powercap.DomainAttributes(domain_id=id),
        powercap.CapGet(domain_id=id),
        powercap.CapSet(domain_id=id, flags=powercap.CapSetFlags(0xFFFFFFFF), power_cap=0),
        powercap.PaiGet(domain_id=id),
        powercap.PaiSet(domain_id=id, flags=1, pai=0),
        powercap.DomainNameGet(domain_id=id),
        powercap.MeasurementsGet(domain_id=id),
        powercap.CapNotify(domain_id=id, notify_enable=NotifyEnable(3)),
        powercap.MeasurementsNotify(domain_id=id, notify_enable=NotifyEnable(3)),
        powercap.DescribeFastchannel(domain_id=id, message_id=4),
    ):
        assert boss.status(request) is Status.NOT_FOUND


def test_only_sixteen_bits_of_an_identifier_count(boss: Any) -> None:
    assert boss.words(0x6004, 0xABCD_0000 | SOC) == [0x6004, 0, 15_000]


def test_a_denied_domain_is_not_found_and_left_out_of_the_tree(guest: Any) -> None:
    assert guest.status(powercap.DomainAttributes(domain_id=CPU)) is Status.NOT_FOUND
    assert guest.status(set_cap(CPU, 500)) is Status.NOT_FOUND
    assert guest.ask(powercap.DomainAttributes(domain_id=GPU)).parent_id == SOC
    assert int(guest.ask(powercap.ProtocolAttributes()).attributes) == 6


def test_without_a_channel_back_nothing_is_offered_that_needs_it(connect: Any) -> None:
    agent = connect(BOARD, "boss", events=False)
    assert int(agent.ask(powercap.DomainAttributes(domain_id=SOC)).attributes) == 0x0F000000
    for message_id in (0xA, 0xB):
        asked = powercap.MessageAttributes(message_id=message_id)
        assert agent.status(asked) is Status.NOT_FOUND
    assert agent.status(set_cap(SOC, 5000, async_=True)) is Status.NOT_SUPPORTED
    notify = powercap.CapNotify(domain_id=SOC, notify_enable=ON)
    assert agent.status(notify) is Status.NOT_SUPPORTED
    assert cap(agent, SOC) == 15_000


def test_what_linux_wants_of_a_capped_domain_fits_its_room(boss: Any) -> None:
    """The checks and the reply sizes of its driver; of a board with `fan` it would refuse all."""
    boss.ask(powercap.ProtocolAttributes(), 12)
    for message_id in (0xA, 0xB):
        boss.ask(powercap.MessageAttributes(message_id=message_id), 12)
    for id in (SOC, CPU, GPU, MEMORY):
        one = boss.ask(powercap.DomainAttributes(domain_id=id), 64)
        for low, high, step, configurable in (
            (one.min_pai, one.max_pai, one.pai_step, one.attributes.pai_configurable),
            (
                one.min_power_cap,
                one.max_power_cap,
                one.power_cap_step,
                one.attributes.cap_configurable,
            ),
        ):
            assert low
            assert (low != high) == bool(step) == configurable
        assert one.parent_id == powercap.NO_PARENT or one.parent_id != id
        boss.ask(powercap.CapGet(domain_id=id), 12)


# --- FastChannels ---------------------------------------------------------------------------------

FAST = (
    '[[powercap]]\nname = "d"\ncap = 5\nfast_channels = true\n[[powercap]]\nname = "e"\ncap = 5\n'
)


def test_a_board_can_have_fastchannels_reported_but_never_described(connect: Any) -> None:
    agent = connect(FAST)
    assert agent.ask(powercap.DomainAttributes(domain_id=0)).attributes.fastchannel
    assert not agent.ask(powercap.DomainAttributes(domain_id=1)).attributes.fastchannel
    found = {number: agent.words(0x6002, number) for number in range(0x11)}
    assert [number for number, words in found.items() if words == [0x6002, 0, 1]] == [4, 5, 6, 7]
    assert [number for number, words in found.items() if words == [0x6002, 0, 0]] == [
        0, 1, 2, 3, 9, 0xA, 0xB, 0xC, 0x10,
    ]  # fmt: skip
    for message_id in (4, 9):
        asked = powercap.DescribeFastchannel(domain_id=0, message_id=message_id)
        assert agent.status(asked) is Status.NOT_SUPPORTED
    asked = powercap.DescribeFastchannel(domain_id=0, message_id=0x77)
    assert agent.status(asked) is Status.NOT_FOUND


# --- caps -----------------------------------------------------------------------------------------


def test_a_cap_is_set_in_the_words_of_the_reference(boss: Any) -> None:
    assert boss.words(0x6005, SOC, 0, 5000) == [0x6005, 0]
    assert domains(boss)[SOC].limits[0].cap == 5000
    assert boss.words(0x6004, SOC) == [0x6004, 0, 5000]


@pytest.mark.parametrize(
    ("request_", "status"),
    [
        (
            powercap.CapSet(domain_id=SOC, flags=powercap.CapSetFlags(4), power_cap=5000),
            Status.INVALID_PARAMETERS,
        ),
        (set_cap(SOC, 999), Status.OUT_OF_RANGE),
        (set_cap(SOC, 30_001), Status.OUT_OF_RANGE),
        (set_cap(SOC, 0xFFFFFFFF), Status.OUT_OF_RANGE),
        (set_cap(SOC, 5050), Status.INVALID_PARAMETERS),
        (set_cap(CPU, 5000, async_=True), Status.NOT_SUPPORTED),
        (set_cap(MEMORY, 3000), Status.NOT_SUPPORTED),
        (set_cap(MEMORY, 0), Status.NOT_SUPPORTED),
        (set_cap(FAN, 700), Status.NOT_SUPPORTED),
        (
            powercap.CapSet(domain_id=FAN, flags=powercap.CapSetFlags(4), power_cap=700),
            Status.INVALID_PARAMETERS,
        ),
    ],
)
def test_a_cap_that_cannot_be_is_refused_and_changes_nothing(
    boss: Any, request_: powercap.CapSet, status: Status
) -> None:
    listen(boss, SOC)
    before = [[limit.cap for limit in one.limits] for one in domains(boss)]
    assert boss.status(request_) is status
    assert [[limit.cap for limit in one.limits] for one in domains(boss)] == before
    assert boss.events() == []


def test_who_may_not_set_a_cap_is_denied_after_all_other_checks_but_busy(guest: Any) -> None:
    assert guest.status(set_cap(SOC, 5000)) is Status.DENIED
    assert guest.status(set_cap(SOC, 5050)) is Status.INVALID_PARAMETERS
    assert cap(guest, SOC) == 15_000


def test_a_fixed_cap_can_be_read_and_a_missing_one_is_not_supported(boss: Any) -> None:
    assert cap(boss, MEMORY) == 3000
    assert boss.status(powercap.CapGet(domain_id=FAN)) is Status.NOT_SUPPORTED


def test_the_lowest_cap_that_anybody_asks_for_is_in_force(boss: Any, spy: Any) -> None:
    boss.ask(set_cap(SOC, 20_000))
    assert cap(boss, SOC) == 20_000  # what the board began with counts until somebody asks
    spy.ask(set_cap(SOC, 8000))
    boss.ask(set_cap(SOC, 25_000))
    assert cap(boss, SOC) == cap(spy, SOC) == 8000
    spy.ask(set_cap(SOC, 0))
    assert cap(spy, SOC) == 25_000
    boss.ask(set_cap(SOC, 0))
    assert cap(boss, SOC) == 0


@pytest.mark.parametrize("version", ["1.0", "2.0"])
def test_a_cap_of_nothing_switches_capping_off_in_every_version(connect: Any, version: str) -> None:
    agent = connect(f'[versions]\npowercap = "{version}"\n{BOARD}', "boss")
    agent.ask(set_cap(SOC, 0))
    assert cap(agent, SOC) == 0


def test_resetting_an_agent_gives_back_what_it_has_set(boss: Any, spy: Any) -> None:
    listen(boss, SOC)
    spy.ask(set_cap(SOC, 8000))
    spy.ask(powercap.PaiSet(domain_id=SOC, pai=20_000))
    boss.events()
    boss.ask(base.ResetAgentConfiguration(agent_id=3))
    assert cap(boss, SOC) == 15_000
    assert boss.ask(powercap.PaiGet(domain_id=SOC)).pai == 100_000
    assert [(e.agent_id, e.power_cap, e.pai) for e in boss.events()] == [
        (0, 15_000, 20_000), (0, 15_000, 100_000),
    ]  # fmt: skip


def test_what_another_agent_has_set_since_is_not_given_back(boss: Any, spy: Any) -> None:
    spy.ask(set_cap(SOC, 8000))
    spy.ask(powercap.PaiSet(domain_id=SOC, pai=20_000))
    boss.ask(set_cap(SOC, 10_000))
    boss.ask(powercap.PaiSet(domain_id=SOC, pai=30_000))
    boss.ask(base.ResetAgentConfiguration(agent_id=3))
    assert cap(boss, SOC) == 10_000
    assert boss.ask(powercap.PaiGet(domain_id=SOC)).pai == 30_000


# --- asynchronous changes -------------------------------------------------------------------------


def test_an_asynchronous_cap_is_set_later_and_answered_then(boss: Any) -> None:
    assert boss.words(0x6005, SOC, 2, 5000) == [0x6005, 0]
    assert cap(boss, SOC) == 15_000
    boss.now = boss.port.next_deadline()
    assert boss.poll() == [bytes.fromhex("05620000 00000000 00000000 88130000")]
    assert cap(boss, SOC) == 5000


def test_the_delayed_response_tells_the_cap_in_force(boss: Any, spy: Any) -> None:
    spy.ask(set_cap(SOC, 4000))
    boss.ask(set_cap(SOC, 9000, async_=True))
    [done] = boss.events(boss.now + 1)
    assert (done.domain_id, done.power_cap) == (SOC, 4000)


def test_who_wants_no_delayed_response_gets_none(boss: Any) -> None:
    boss.ask(set_cap(SOC, 5000, async_=True, ignore_delayed_response=True))
    assert boss.events(boss.now + 1) == []
    assert cap(boss, SOC) == 5000


def test_without_async_the_other_flag_means_nothing(boss: Any) -> None:
    boss.ask(set_cap(SOC, 5000, ignore_delayed_response=True))
    assert cap(boss, SOC) == 5000


def test_while_a_change_waits_another_one_of_the_same_cap_is_busy(boss: Any, spy: Any) -> None:
    boss.ask(set_cap(SOC, 5000, async_=True))
    assert boss.status(set_cap(SOC, 6000, async_=True)) is Status.BUSY
    assert spy.status(set_cap(SOC, 6000)) is Status.BUSY
    boss.ask(set_cap(CPU, 6000))
    boss.events(boss.now + 1)
    boss.ask(set_cap(SOC, 6000))
    assert cap(boss, SOC) == 6000


def test_a_connection_has_only_so_many_changes_outstanding(connect: Any) -> None:
    row = (
        '[[powercap]]\nname = "{}"\ncaps = {{ lowest = 1, highest = 9, step = 1 }}\nasync = true\n'
    )
    agent = connect("[async]\npowercap = 2\n" + "".join(row.format(name) for name in "abc"))
    agent.ask(set_cap(0, 5, async_=True))
    agent.ask(set_cap(1, 5, async_=True))
    assert agent.status(set_cap(2, 5, async_=True)) is Status.BUSY
    agent.ask(set_cap(2, 4))  # refused means that nothing waits
    assert len(agent.events(agent.now + 1)) == 2


def test_a_reset_drops_the_change_that_waits(boss: Any, spy: Any) -> None:
    spy.ask(set_cap(SOC, 5000, async_=True))
    boss.ask(base.ResetAgentConfiguration(agent_id=3))
    assert spy.events(spy.now + 1) == []
    assert cap(boss, SOC) == 15_000
    boss.ask(set_cap(SOC, 5000))


def test_a_permission_that_goes_meanwhile_stops_the_change(boss: Any, connect: Any) -> None:
    board = BOARD.replace('"powercap:cpu"', '"powercap:gpu"').replace('denied = ["rack"]', "")
    owner = connect(board, "boss")
    guest = connect(owner.platform, "guest")
    guest.ask(set_cap(GPU, 2_000_000, async_=True))
    owner.ask(base.SetDevicePermissions(agent_id=2, device_id=0, flags=base.AccessFlags(0)))
    assert guest.events(guest.now + 1) == [Status.NOT_FOUND]
    assert cap(owner, GPU) == 0


# --- averaging intervals --------------------------------------------------------------------------


def test_an_averaging_interval_is_set_for_all(boss: Any, spy: Any) -> None:
    assert boss.words(0x6007, SOC, 0, 250_000) == [0x6007, 0]
    assert spy.words(0x6006, SOC) == [0x6006, 0, 250_000]
    assert spy.ask(powercap.PaiGet(domain_id=FAN)).pai == 100_000


@pytest.mark.parametrize(
    ("id", "flags", "pai", "status"),
    [
        (SOC, 1, 20_000, Status.INVALID_PARAMETERS),
        (SOC, 0, 0, Status.INVALID_PARAMETERS),
        (SOC, 0, 9_999, Status.OUT_OF_RANGE),
        (SOC, 0, 1_000_001, Status.OUT_OF_RANGE),
        (SOC, 0, 10_001, Status.INVALID_PARAMETERS),
        (CPU, 0, 100_000, Status.NOT_SUPPORTED),
    ],
)
def test_an_interval_that_cannot_be_is_refused(
    boss: Any, id: int, flags: int, pai: int, status: Status
) -> None:
    assert boss.status(powercap.PaiSet(domain_id=id, flags=flags, pai=pai)) is status
    assert [one.pai.us for one in domains(boss)] == [100_000] * 6


def test_who_may_not_set_an_interval_is_denied(guest: Any) -> None:
    assert guest.status(powercap.PaiSet(domain_id=SOC, pai=20_000)) is Status.DENIED
    assert domains(guest)[SOC].pai.us == 100_000


# --- notifications --------------------------------------------------------------------------------


def test_a_change_of_cap_or_interval_is_told_in_sixteen_bytes(boss: Any, spy: Any) -> None:
    listen(boss, SOC)
    spy.ask(set_cap(SOC, 5000))
    spy.ask(powercap.PaiSet(domain_id=SOC, pai=20_000))
    assert [frame.hex(" ", 4) for frame in boss.poll()] == [
        "00630000 03000000 00000000 88130000 a0860100",
        "00630000 03000000 00000000 88130000 204e0000",
    ]
    assert spy.events() == []


def test_only_what_changes_is_told_and_also_to_who_has_caused_it(boss: Any, spy: Any) -> None:
    listen(boss, SOC)
    boss.ask(set_cap(SOC, 15_000))
    boss.ask(powercap.PaiSet(domain_id=SOC, pai=100_000))
    assert boss.events() == []
    boss.ask(set_cap(SOC, 5000))
    spy.ask(set_cap(SOC, 6000))
    assert [(event.agent_id, event.power_cap) for event in boss.events()] == [(1, 5000)]


def test_an_asynchronous_change_is_told_when_it_is_made(boss: Any) -> None:
    listen(boss, SOC)
    boss.ask(set_cap(SOC, 5000, async_=True))
    assert boss.events() == []
    event, done = boss.events(boss.now + 1)
    assert isinstance(event, powercap.CapChanged)
    assert isinstance(done, powercap.CapSetComplete)


def test_a_notification_that_is_switched_off_does_not_come(boss: Any) -> None:
    listen(boss, SOC)
    boss.ask(powercap.CapNotify(domain_id=SOC, notify_enable=NotifyEnable(0)))
    boss.ask(set_cap(SOC, 5000))
    assert boss.events() == []


@pytest.mark.parametrize(
    ("id", "word", "status"),
    [(SOC, 2, Status.INVALID_PARAMETERS), (MEMORY, 1, Status.NOT_SUPPORTED)],
)
def test_a_notification_that_cannot_be_is_refused(
    boss: Any, id: int, word: int, status: Status
) -> None:
    for request in (powercap.CapNotify, powercap.MeasurementsNotify):
        asked = request(domain_id=id, notify_enable=NotifyEnable(word))
        assert boss.status(asked) is status


# --- hostile bytes --------------------------------------------------------------------------------


@pytest.mark.parametrize("version", ["1.0", "2.0", "3.0"])
@given(
    message_id=st.integers(0, 0x11),
    words=st.lists(
        st.one_of(st.integers(0, 7), st.integers(500, 20_000), st.integers(0, 0xFFFFFFFF)),
        max_size=5,
    ),
    late=st.floats(0, 0.1),
)
def test_whatever_comes_is_answered_and_every_cap_stays_possible(
    hostile: dict[str, list[Port]], version: str, message_id: int, words: list[int], late: float
) -> None:
    for port in hostile[version]:
        now = port.platform.now + late
        frame = struct.pack(f"<{1 + len(words)}I", 0x6000 | message_id, *words)
        answer = port.handle(0, frame, 8192, now)
        assert answer is not None
        status = int.from_bytes(answer[4:8], "little", signed=True)
        assert status == 0 or (-11 <= status < 0 and len(answer) == 8)
        assert all(event[1] & 3 in (2, 3) for _, event in port.poll(now))
        for one in port.platform.behaviours[powercap.ID].domains:  # type: ignore[attr-defined]
            assert one.pai.range.has(one.pai.us)
            assert all(limit.cap == 0 or limit.caps.has(limit.cap) for limit in one.limits)


@pytest.fixture(scope="module")
def hostile() -> dict[str, list[Port]]:
    """Two agents on a platform of each version."""
    found = {}
    for version in ("1.0", "2.0", "3.0"):
        platform = Platform.from_text(f'[versions]\npowercap = "{version}"\n{BOARD}')
        found[version] = [platform.attach("boss"), platform.attach("guest")]
    return found


# --- by hand --------------------------------------------------------------------------------------


def test_the_state_of_a_domain_is_there_for_whoever_looks(boss: Any) -> None:
    behaviour = boss.platform.behaviours[powercap.ID]
    boss.ask(powercap.ProtocolVersion())
    assert behaviour.state(MEMORY) == {
        "power": 1000, "cap": 3000, "need": 1000, "unit": "mW", "pai_us": 100_000,
        "limits": [{"name": "memory-subsystem", "cap": 3000, "cai_us": 100_000}],
    }  # fmt: skip
    assert behaviour.state(NPU)["unit"] == ""
    assert behaviour.state(FAN)["cap"] is None


def test_a_hand_changes_caps_intervals_and_needs_and_the_platform_tells(boss: Any) -> None:
    behaviour = boss.platform.behaviours[powercap.ID]
    listen(boss, SOC)
    boss.ask(set_cap(SOC, 5000))
    boss.events()
    behaviour.adjust(SOC, "cap", "10W", boss.now)
    behaviour.adjust(SOC, "pai", "20ms", boss.now)
    assert [(e.agent_id, e.power_cap, e.pai) for e in boss.events()] == [
        (0, 10_000, 100_000), (0, 10_000, 20_000),
    ]  # fmt: skip
    behaviour.adjust(SOC, "cap", "off", boss.now)
    assert cap(boss, SOC) == 0
    behaviour.adjust(MEMORY, "power", "2500mW", boss.now)
    assert boss.ask(powercap.MeasurementsGet(domain_id=MEMORY)).power == 2500
    behaviour.adjust(SOC, "cap", "10W", boss.now)
    boss.ask(set_cap(SOC, 4000))
    boss.ask(base.ResetAgentConfiguration(agent_id=1))
    assert cap(boss, SOC) == 10_000  # what the hand has set is what there was before


@pytest.mark.parametrize(
    ("id", "key", "text"),
    [
        (SOC, "cap", "10V"),
        (SOC, "cap", "50W"),
        (SOC, "cap", "10.05W"),
        (SOC, "cap", "-1"),
        (SOC, "pai", "10001us"),
        (SOC, "pai", "1.5us"),
        (SOC, "colour", "red"),
        (SOC, "power", "5000W0"),
        (SOC, "power", "0x1_0000_0000"),
        (MEMORY, "cap", "off"),
        (MEMORY, "cap", "2W"),
        (MEMORY, "pai", "20ms"),
        (NPU, "cap", "20mW"),
        (FAN, "cap", "1W"),
    ],
)
def test_what_a_hand_cannot_do_is_a_usage_error_and_changes_nothing(
    boss: Any, id: int, key: str, text: str
) -> None:
    boss.ask(powercap.ProtocolVersion())
    behaviour = boss.platform.behaviours[powercap.ID]
    before = behaviour.state(id)
    with pytest.raises(UsageError):
        behaviour.adjust(id, key, text, boss.now)
    assert behaviour.state(id) == before
