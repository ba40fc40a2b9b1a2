"""Power domain protocol: descriptions, states, transitions that take time, and who shares them."""

from __future__ import annotations

from typing import Any

import pytest

from scmictl.errors import BoardError, UsageError
from scmictl.platform import Platform
from scmictl.protocols import base, power
from scmictl.protocols.common import NotifyEnable
from scmictl.wire import Status

BOARD = """
[[agent]]
name = "boss"
trusted = true
[[agent]]
name = "guest"
denied = ["secret"]
[[agent]]
name = "third"

[[device]]
id = 4
name = "secret"
owns = ["power:vault"]

[[power]]
name = "gpu"
latency = { on = "2ms", off = "500us" }

[[power]]
name = "display"
state = "off"

[[power]]
name = "video-codec-cluster"
states = { on = 0x0, retention = 0x2, off = 0x40000000 }
state = "retention"
async = false
notify = false
restrict = ["guest"]

[[power]]
name = "bus"
shared = true
states = { on = 0x0, slow = 0x1, off = 0x40000000 }
latency = "1ms"

[[power]]
name = "vault"
sync = false
latency = "1ms"

[[power]]
name = "broken"
faulty = true
"""
GPU, DISPLAY, VIDEO, BUS, VAULT, BROKEN = range(6)
ON, OFF, SLOW, RETENTION = 0x0, 0x40000000, 0x1, 0x2
AT_ONCE = power.StateSetFlags(async_=True)


@pytest.fixture
def boss(connect: Any) -> Any:
    return connect(BOARD, "boss")


@pytest.fixture
def guest(connect: Any, boss: Any) -> Any:
    return connect(boss.platform, "guest")


@pytest.fixture
def third(connect: Any, boss: Any) -> Any:
    return connect(boss.platform, "third")


def domain(agent: Any, id: int) -> Any:
    return agent.platform.behaviours[power.ID].domains[id]


def to(id: int, state: int, flags: int = 0) -> power.StateSet:
    return power.StateSet(
        flags=power.StateSetFlags(flags), domain_id=id, power_state=power.PowerState(state)
    )


def listen(id: int, enable: int = 1) -> power.StateNotify:
    return power.StateNotify(domain_id=id, notify_enable=NotifyEnable(enable))


def overhear(id: int, enable: int = 1) -> power.StateChangeRequestedNotify:
    return power.StateChangeRequestedNotify(domain_id=id, notify_enable=NotifyEnable(enable))


def now_in(agent: Any, id: int) -> int:
    """Ask for the state of a domain."""
    return int(agent.ask(power.StateGet(domain_id=id)).power_state)


def told(agent: Any, now: float | None = None) -> list[tuple[str, int, int, int]]:
    """Return the notifications that have come: kind, agent, domain, state."""
    return [
        (type(event).__name__, event.agent_id, event.domain_id, int(event.power_state))
        for event in agent.events(now)
    ]


# --- bytes of the reference, part A sections 4 and 11 ---------------------------------------------


def test_a_domain_that_is_not_there_is_answered_as_in_the_reference(connect: Any) -> None:
    agent = connect('[[power]]\nname = "gpu"\n')
    asked = agent.raw("04 44 14 00  00 00 00 00  03 00 00 00  00 00 00 40")
    assert asked == "04441400 fcffffff"


def test_switching_off_and_reading_it_back_has_the_bytes_of_the_reference(boss: Any) -> None:
    boss.raw("04 44 14 00  00 00 00 00  01 00 00 00  00 00 00 00")
    assert boss.raw("05 44 00 00  01 00 00 00") == "05440000 00000000 00000000"
    boss.raw("04 44 14 00  00 00 00 00  01 00 00 00  00 00 00 40")
    assert boss.raw("05 44 00 00  01 00 00 00") == "05440000 00000000 00000040"


def test_a_change_is_told_as_linux_has_seen_it(boss: Any) -> None:
    # Raw mode of a Linux guest: agent 1 switches domain 1 on.
    boss.ask(listen(DISPLAY))
    boss.ask(to(DISPLAY, ON))
    assert [frame.hex(" ", 4) for frame in boss.poll()] == ["00470000 01000000 01000000 00000000"]


# --- descriptions ---------------------------------------------------------------------------------


def test_there_is_no_statistics_region_on_virtio(boss: Any) -> None:
    assert boss.words(0x4401) == [0x4401, 0, 6, 0, 0, 0]


def test_a_domain_is_described_by_its_bits_and_its_name(boss: Any) -> None:
    # By the reference: 31 notifications, 30 async, 29 sync, 28 requests, 27 a longer name.
    assert boss.words(0x4403, GPU) == [0x4403, 0, 0xF0000000, 0x757067, 0, 0, 0]
    video = boss.ask(power.DomainAttributes(domain_id=VIDEO))
    assert int(video.attributes) == 1 << 29 | 1 << 27
    assert video.name == "video-codec-clu"
    assert int(boss.ask(power.DomainAttributes(domain_id=VAULT)).attributes) == 0xD0000000


def test_who_may_not_set_a_domain_sees_no_way_to_set_it(boss: Any, guest: Any) -> None:
    assert int(guest.ask(power.DomainAttributes(domain_id=VIDEO)).attributes) == 1 << 27
    assert guest.status(to(VIDEO, ON)) is Status.DENIED
    assert domain(guest, VIDEO).state == RETENTION
    boss.ask(to(VIDEO, ON))
    assert now_in(guest, VIDEO) == ON


def test_the_whole_name_exists_only_where_the_short_one_is_cut(boss: Any) -> None:
    name = boss.ask(power.DomainNameGet(domain_id=VIDEO))
    assert (name.flags, name.name) == (0, "video-codec-cluster")
    assert boss.status(power.DomainNameGet(domain_id=GPU)) is Status.NOT_SUPPORTED


@pytest.mark.parametrize("id", [6, 0x7FFF, 0xFFFF, 0x10006, 0xFFFFFFFF])
def test_a_domain_that_is_not_there_is_not_found(boss: Any, id: int) -> None:
    for request in (
        power.DomainAttributes(domain_id=id),
        to(id, ON),
        power.StateGet(domain_id=id),
        listen(id),
        overhear(id),
        power.DomainNameGet(domain_id=id),
    ):
        assert boss.status(request) is Status.NOT_FOUND


def test_the_upper_half_of_a_domain_id_does_not_count(boss: Any) -> None:
    assert now_in(boss, 0xABCD0000 | DISPLAY) == OFF
    assert boss.ask(power.DomainNameGet(domain_id=0x10000 | VIDEO)).name == "video-codec-cluster"
    boss.ask(to(0x10000 | DISPLAY, ON))
    assert domain(boss, DISPLAY).state == ON


def test_a_denied_domain_is_not_found_and_keeps_its_number(boss: Any, guest: Any) -> None:
    assert guest.ask(power.ProtocolAttributes()).attributes.num_power_domains == 6
    for request in (power.DomainAttributes(domain_id=VAULT), to(VAULT, OFF, 1), listen(VAULT)):
        assert guest.status(request) is Status.NOT_FOUND
    assert boss.ask(power.DomainAttributes(domain_id=VAULT)).name == "vault"


@pytest.mark.parametrize(
    ("version", "bits", "messages"),
    [
        ("1.0", 0xE0000000, {0, 1, 2, 3, 4, 5, 6}),
        ("2.0", 0xE0000000, {0, 1, 2, 3, 4, 5, 6, 7}),
        ("3.0", 0xF0000000, {0, 1, 2, 3, 4, 5, 6, 7, 8}),
        ("3.1", 0xF0000000, {0, 1, 2, 3, 4, 5, 6, 7, 8, 16}),
    ],
)
def test_a_version_has_its_messages_and_its_bits(
    connect: Any, version: str, bits: int, messages: set[int]
) -> None:
    agent = connect(f'[versions]\npower = "{version}"\n{BOARD}')
    major, minor = map(int, version.split("."))
    assert agent.words(0x4400) == [0x4400, 0, major << 16 | minor]
    assert int(agent.ask(power.DomainAttributes(domain_id=GPU)).attributes) == bits
    there = {n for n in range(32) if agent.words(0x4402, n) == [0x4402, 0, 0]}
    assert there == messages


def test_messages_that_no_domain_needs_are_not_there(connect: Any) -> None:
    agent = connect('[[power]]\nname = "gpu"\nnotify = false\n')
    for message in (0x6, 0x7, 0x8):
        assert agent.status(power.MessageAttributes(message_id=message)) is Status.NOT_FOUND
    assert agent.status(listen(0)) is Status.NOT_FOUND


# --- setting states -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("id", "state"),
    [
        (GPU, 1), (GPU, OFF | 1), (GPU, 1 << 31), (GPU, 1 << 28), (GPU, 1 << 29 | OFF),
        (VIDEO, 3), (VIDEO, OFF | 2),
    ],
)  # fmt: skip
def test_what_is_no_state_of_the_domain_is_an_invalid_parameter(
    boss: Any, id: int, state: int
) -> None:
    before = domain(boss, id).state
    assert boss.status(to(id, state)) is Status.INVALID_PARAMETERS
    assert (domain(boss, id).state, domain(boss, id).transition) == (before, None)


def test_reserved_flags_are_an_invalid_parameter(boss: Any) -> None:
    for flags in (2, 1 << 31, 3):
        assert boss.status(to(DISPLAY, ON, flags)) is Status.INVALID_PARAMETERS
    assert domain(boss, DISPLAY).state == OFF


def test_a_domain_is_only_set_in_the_ways_it_has(boss: Any) -> None:
    assert boss.status(to(VIDEO, ON, 1)) is Status.NOT_SUPPORTED
    assert boss.status(to(VAULT, OFF)) is Status.NOT_SUPPORTED
    assert (domain(boss, VIDEO).state, domain(boss, VAULT).state) == (RETENTION, ON)


def test_every_state_of_the_board_can_be_set(boss: Any) -> None:
    for state in (ON, OFF, RETENTION):
        boss.ask(to(VIDEO, state))
        assert now_in(boss, VIDEO) == state


def test_a_faulty_domain_stays_where_it_is(boss: Any, guest: Any) -> None:
    guest.ask(overhear(BROKEN))
    for flags in (0, 1):
        assert boss.status(to(BROKEN, OFF, flags)) is Status.GENERIC_ERROR
    boss.ask(to(BROKEN, ON))
    assert domain(boss, BROKEN).state == ON
    assert guest.events() == []


# --- transitions that take time -------------------------------------------------------------------


def test_a_synchronous_request_is_answered_when_the_state_is_reached(boss: Any) -> None:
    start = boss.now
    boss.ask(listen(GPU))
    assert boss.send(to(GPU, OFF)) is None
    token = boss.token
    # Other commands are answered meanwhile; what is told is the current state.
    assert now_in(boss, GPU) == ON
    assert boss.events(start + 0.0004) == []
    assert boss.late == []
    assert boss.port.next_deadline() == start + 0.0005
    assert told(boss, start + 0.0005) == [("StateChanged", 1, GPU, OFF)]
    assert boss.late == [(token, Status.SUCCESS)]
    assert now_in(boss, GPU) == OFF
    assert boss.port.next_deadline() is None


def test_a_late_response_has_the_header_of_its_command_and_its_cookie(boss: Any) -> None:
    frame = bytes.fromhex("04441400 00000000 00000000 00000040")
    assert boss.port.handle(77, frame, 8, boss.now) is None
    assert boss.port.poll(boss.now + 1) == [(77, bytes.fromhex("04441400 00000000"))]


def test_each_direction_has_its_own_latency(boss: Any) -> None:
    assert boss.send(to(GPU, OFF)) is None
    boss.events(boss.now + 0.0005)
    assert boss.send(to(GPU, ON)) is None
    boss.events(boss.now + 0.0019)
    assert now_in(boss, GPU) == OFF
    boss.events(boss.now + 0.0001)
    assert now_in(boss, GPU) == ON


def test_an_asynchronous_request_is_answered_at_once_and_has_no_delayed_response(boss: Any) -> None:
    start = boss.now
    boss.ask(to(GPU, OFF, 1))
    assert now_in(boss, GPU) == ON
    assert boss.events(start + 0.0005) == []
    assert boss.late == []
    assert now_in(boss, GPU) == OFF


def test_what_is_there_already_is_answered_at_once(boss: Any) -> None:
    boss.ask(listen(GPU))
    boss.ask(to(GPU, ON))
    boss.ask(to(GPU, ON, 1))
    assert boss.events() == []


def test_while_a_domain_is_on_its_way_nobody_can_send_it_elsewhere(boss: Any, guest: Any) -> None:
    start = boss.now
    boss.ask(to(GPU, OFF, 1))
    for agent in (boss, guest):
        for flags in (0, 1):
            assert agent.status(to(GPU, ON, flags)) is Status.BUSY
    boss.events(start + 0.0005)
    assert domain(boss, GPU).state == OFF
    guest.now = boss.now
    assert guest.send(to(GPU, ON)) is None


def test_who_asks_for_the_same_state_waits_for_the_same_transition(boss: Any, guest: Any) -> None:
    start = boss.now
    boss.ask(listen(GPU))
    assert boss.send(to(GPU, OFF)) is None
    guest.now = start + 0.0004
    assert guest.send(to(GPU, OFF)) is None
    assert told(boss, start + 0.0005) == [("StateChanged", 1, GPU, OFF)]
    assert guest.events(start + 0.0005) == []
    assert [code for _, code in boss.late + guest.late] == [Status.SUCCESS] * 2


def test_who_leaves_has_nothing_coming_and_the_transition_goes_on(boss: Any, guest: Any) -> None:
    assert boss.send(to(GPU, OFF)) is None
    boss.port.close()
    assert boss.port.poll(boss.now + 1) == []
    guest.events(guest.now + 1)
    assert now_in(guest, GPU) == OFF


# --- notifications --------------------------------------------------------------------------------


def test_a_change_is_told_to_all_who_listen_also_to_who_caused_it(boss: Any, guest: Any) -> None:
    for agent in (boss, guest):
        agent.ask(listen(DISPLAY))
    guest.ask(to(DISPLAY, ON))
    assert told(boss) == told(guest) == [("StateChanged", 2, DISPLAY, ON)]
    guest.ask(listen(DISPLAY, 0))
    guest.ask(to(DISPLAY, OFF, 1))
    assert told(boss) == [("StateChanged", 2, DISPLAY, OFF)]
    assert told(guest) == []


def test_a_request_is_told_to_the_others_when_it_is_made(boss: Any, guest: Any) -> None:
    for agent in (boss, guest):
        agent.ask(overhear(GPU))
    boss.ask(to(GPU, OFF, 1))
    assert told(guest) == [("StateChangeRequested", 1, GPU, OFF)]
    # Where it is, or is on its way to, is no request for a change.
    boss.ask(to(GPU, OFF, 1))
    assert boss.status(to(GPU, ON)) is Status.BUSY
    assert told(guest) == []
    boss.events(boss.now + 1)
    boss.ask(to(GPU, OFF))
    assert told(boss) == told(guest) == []


def test_before_version_2_there_is_no_telling_of_requests(connect: Any) -> None:
    agent = connect('[versions]\npower = "1.0"\n' + BOARD, "boss")
    assert agent.words(0x4407, GPU, 1) == [0x4407, 0xFFFFFFFC]


def test_only_one_bit_of_a_switch_counts_and_only_where_there_is_something(boss: Any) -> None:
    for request in (listen, overhear):
        assert boss.status(request(GPU, 2)) is Status.INVALID_PARAMETERS
        assert boss.status(request(VIDEO)) is Status.NOT_SUPPORTED


def test_without_a_way_back_nothing_is_offered_that_needs_one(connect: Any) -> None:
    agent = connect(BOARD, "boss", events=False)
    word = agent.ask(power.DomainAttributes(domain_id=GPU)).attributes
    assert int(word) == 1 << 29
    for message in (0x6, 0x7):
        assert agent.status(power.MessageAttributes(message_id=message)) is Status.NOT_FOUND
    for request in (listen(GPU), overhear(GPU), to(GPU, OFF, 1)):
        assert agent.status(request) is Status.NOT_SUPPORTED
    # A late response comes through the queue of the command.
    assert agent.send(to(GPU, OFF)) is None
    agent.events(agent.now + 1)
    assert [code for _, code in agent.late] == [Status.SUCCESS]


def test_who_is_denied_a_domain_hears_no_more_of_it(boss: Any, third: Any) -> None:
    third.ask(listen(VAULT))
    deny = base.SetDevicePermissions(agent_id=3, device_id=4, flags=base.AccessFlags(0))
    boss.ask(deny)
    boss.ask(to(VAULT, OFF, 1))
    assert told(third, third.now + 1) == []
    assert domain(boss, VAULT).state == OFF


# --- shared domains -------------------------------------------------------------------------------


def settle(*agents: Any) -> None:
    """Let all transitions end."""
    for agent in agents:
        agent.events(agent.now + 1)


def test_a_shared_domain_is_as_powered_as_anybody_needs_it(
    boss: Any, guest: Any, third: Any
) -> None:
    steps = [
        (boss, OFF, OFF), (guest, SLOW, SLOW), (third, ON, ON), (guest, OFF, ON), (boss, SLOW, ON),
        (third, OFF, SLOW), (boss, OFF, OFF),
    ]  # fmt: skip
    for agent, asked, became in steps:
        agent.ask(to(BUS, asked, 1))
        settle(boss, guest, third)
        assert now_in(boss, BUS) == became


def test_a_vote_that_others_outvote_is_answered_at_once_and_told_as_a_request(
    boss: Any, guest: Any
) -> None:
    boss.ask(overhear(BUS))
    boss.ask(listen(BUS))
    boss.ask(to(BUS, ON))
    guest.ask(to(BUS, OFF))
    assert told(boss) == [("StateChangeRequested", 2, BUS, OFF)]
    assert now_in(boss, BUS) == ON
    # The vote counts once the other agrees, and it was the other who caused that.
    assert boss.send(to(BUS, OFF)) is None
    assert told(boss, boss.now + 0.001) == [("StateChanged", 1, BUS, OFF)]


def test_a_shared_domain_on_its_way_can_be_busy_too(boss: Any, guest: Any) -> None:
    boss.ask(to(BUS, OFF, 1))
    assert guest.status(to(BUS, ON, 1)) is Status.BUSY
    assert domain(boss, BUS).votes == {1: OFF}
    settle(boss, guest)
    guest.ask(to(BUS, ON, 1))
    # It is on its way to what the guest needs; what the boss needs does not change that.
    boss.ask(to(BUS, SLOW))
    settle(boss, guest)
    assert (now_in(boss, BUS), domain(boss, BUS).votes) == (ON, {1: SLOW, 2: ON})


# --- putting back ---------------------------------------------------------------------------------


def reset(agent: int) -> base.ResetAgentConfiguration:
    return base.ResetAgentConfiguration(agent_id=agent)


def test_resetting_an_agent_puts_its_domains_back_in_the_platforms_name(
    boss: Any, guest: Any
) -> None:
    guest.ask(to(DISPLAY, ON))
    guest.ask(to(GPU, OFF, 1))
    settle(boss, guest)
    for id in (GPU, DISPLAY):
        boss.ask(listen(id))
    boss.ask(reset(2))
    # That takes its time as well.
    assert told(boss) == [("StateChanged", 0, DISPLAY, OFF)]
    assert now_in(boss, GPU) == OFF
    assert told(boss, boss.now + 0.002) == [("StateChanged", 0, GPU, ON)]


def test_what_another_agent_has_set_since_stays(boss: Any, guest: Any) -> None:
    guest.ask(to(DISPLAY, ON))
    boss.ask(to(DISPLAY, ON))
    boss.ask(reset(2))
    assert now_in(boss, DISPLAY) == ON
    boss.ask(reset(1))
    assert now_in(boss, DISPLAY) == OFF


def test_what_a_hand_has_done_since_stays(boss: Any, guest: Any) -> None:
    guest.ask(to(DISPLAY, ON))
    hand(boss, DISPLAY, "state", "off")
    guest.ask(to(DISPLAY, ON))
    hand(boss, DISPLAY, "state", "on")
    boss.ask(reset(2))
    assert now_in(boss, DISPLAY) == ON


def test_resetting_an_agent_takes_its_vote_back(boss: Any, guest: Any) -> None:
    boss.ask(to(BUS, OFF, 1))
    settle(boss, guest)
    guest.ask(to(BUS, SLOW, 1))
    settle(boss, guest)
    boss.ask(reset(2))
    settle(boss, guest)
    assert (now_in(boss, BUS), domain(boss, BUS).votes) == (OFF, {1: OFF})
    boss.ask(reset(1))
    settle(boss, guest)
    assert now_in(boss, BUS) == ON, "without a vote it is as at the start"


def test_resetting_an_agent_stops_the_transition_it_waits_for(boss: Any, guest: Any) -> None:
    boss.ask(listen(GPU))
    assert guest.send(to(GPU, OFF)) is None
    boss.ask(reset(2))
    guest.events()
    assert [code for _, code in guest.late] == [Status.GENERIC_ERROR]
    assert told(boss, boss.now + 1) == []
    guest.events(guest.now + 1)
    assert len(guest.late) == 1
    assert now_in(boss, GPU) == ON


# --- by hand --------------------------------------------------------------------------------------


def hand(agent: Any, id: int, key: str, text: str) -> None:
    agent.platform.behaviours[power.ID].adjust(id, key, text, agent.now)


def test_a_hand_puts_a_domain_into_a_state_at_once(boss: Any) -> None:
    boss.ask(listen(GPU))
    hand(boss, GPU, "state", "off")
    assert told(boss) == [("StateChanged", 0, GPU, OFF)]
    hand(boss, GPU, "state", "0x40000000")
    assert told(boss) == []
    assert now_in(boss, GPU) == OFF


def test_a_hand_stops_a_transition_or_ends_it_early(boss: Any) -> None:
    boss.ask(listen(GPU))
    assert boss.send(to(GPU, OFF)) is None
    hand(boss, GPU, "state", "on")
    assert told(boss) == []
    assert [code for _, code in boss.late] == [Status.GENERIC_ERROR]
    assert boss.send(to(GPU, OFF)) is None
    hand(boss, GPU, "state", "off")
    assert told(boss) == [("StateChanged", 1, GPU, OFF)]
    assert [code for _, code in boss.late[1:]] == [Status.SUCCESS]
    assert boss.port.next_deadline() is None


def test_a_hand_changes_latency_and_fault(boss: Any) -> None:
    hand(boss, GPU, "latency", "0")
    boss.ask(to(GPU, OFF))
    hand(boss, GPU, "faulty", "on")
    assert boss.status(to(GPU, ON)) is Status.GENERIC_ERROR
    hand(boss, GPU, "faulty", "off")
    hand(boss, GPU, "latency", "3ms")
    assert boss.send(to(GPU, ON)) is None
    assert boss.port.next_deadline() == pytest.approx(boss.now + 0.003)


@pytest.mark.parametrize(
    ("key", "text", "says"),
    [
        ("state", "retention", "unknown state 'retention', expected one of: on, off"),
        ("state", "0x2", "unknown state '0x2'"),
        ("latency", "soon", "found 'soon', expected a time"),
        ("faulty", "perhaps", "unknown value 'perhaps', expected one of: on, off, true, false"),
        ("voltage", "1", "unknown key 'voltage', expected one of: state, latency, faulty"),
    ],
)
def test_what_a_hand_cannot_do_changes_nothing(boss: Any, key: str, text: str, says: str) -> None:
    before = boss.platform.behaviours[power.ID].state(GPU)
    with pytest.raises(UsageError, match=says):
        hand(boss, GPU, key, text)
    assert boss.platform.behaviours[power.ID].state(GPU) == before


def test_the_state_of_a_domain_is_told_whoever_may_see_it(boss: Any, guest: Any) -> None:
    guest.ask(to(BUS, SLOW, 1))
    assert boss.platform.behaviours[power.ID].state(BUS) == {
        "state": "on",
        "raw_state": 0,
        "target": "slow",
        "votes": {"guest": "slow"},
        "latency_us": {"on": 1000, "slow": 1000, "off": 1000},
        "faulty": False,
    }


# --- the board ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ('states = { on = 0x10000000 }', "power[0].states.on: found 0x10000000, expected a power"),
        ('states = { on = -1 }', "power[0].states.on: found -1, expected an integer from 0 to"),
        ('states = { on = 0, up = 0 }', "power[0].states.up: found 0x0, expected a power state of"),
        ('states = { "" = 0 }', "power[0].states.'': found '', expected a name of 1 to 15"),
        ('states = {}', "power[0].states: found a table, expected at least one state"),
        ('state = "slow"', "power[0].state: found 'slow', expected one of: on, off"),
        ('latency = "0ms"', "power[0].latency: found '0ms', expected a time"),
        ('latency = { up = "1ms" }', "power[0].latency.up: found an unknown key, expected one of:"),
        ('restrict = ["nobody"]', "power[0].restrict[0]: found 'nobody', expected one of the agen"),
        ('shared = 1', "power[0].shared: found 1, expected true or false"),
        ('volts = 1', "power[0].volts: found an unknown key"),
        ('[[power]]\nname = "gpu"', "power[1].name: found 'gpu', which is also the name of number"),
    ],
)  # fmt: skip
def test_what_is_wrong_with_a_domain_is_said_with_its_place(text: str, says: str) -> None:
    with pytest.raises(BoardError) as caught:
        Platform.from_text(f'[[power]]\nname = "gpu"\n{text}\n', "test.toml")
    assert caught.value.message.startswith(f"test.toml: {says}")


def test_a_thousand_domains_are_listed_and_set(connect: Any) -> None:
    agent = connect("".join(f'[[power]]\nname = "d{n}"\n' for n in range(1000)))
    assert agent.ask(power.ProtocolAttributes()).attributes.num_power_domains == 1000
    assert agent.ask(power.DomainAttributes(domain_id=999)).name == "d999"
    agent.ask(to(999, OFF))
    assert [now_in(agent, id) for id in (998, 999)] == [ON, OFF]
