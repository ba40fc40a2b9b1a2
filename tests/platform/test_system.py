"""System power protocol: requests, forceful and graceful, and the record of what was done."""

from __future__ import annotations

from typing import Any

import pytest

from scmictl.errors import BoardError, UsageError
from scmictl.platform import Platform
from scmictl.protocols import base, system
from scmictl.protocols.common import NotifyEnable
from scmictl.wire import Status

BOARD = """
[[agent]]
name = "boss"
trusted = true
[[agent]]
name = "guest"
[[agent]]
name = "viewer"

[system]
timeout = "30s"
states = { hibernate = 0x80000001 }
restrict = ["viewer"]
"""
SHUTDOWN, COLD, WARM, UP, SUSPEND, HIBERNATE = 0, 1, 2, 3, 4, 0x80000001
GRACEFUL = 1


@pytest.fixture
def boss(connect: Any) -> Any:
    return connect(BOARD, "boss")


@pytest.fixture
def guest(connect: Any, boss: Any) -> Any:
    return connect(boss.platform, "guest")


@pytest.fixture
def viewer(connect: Any, boss: Any) -> Any:
    return connect(boss.platform, "viewer")


def to(state: int, flags: int = 0) -> system.PowerStateSet:
    return system.PowerStateSet(flags=system.Flags(flags), system_state=state)


def listen(enable: int = 1) -> system.PowerStateNotify:
    return system.PowerStateNotify(notify_enable=NotifyEnable(enable))


def behaviour(agent: Any) -> Any:
    return agent.platform.behaviours[system.ID]


def done(agent: Any) -> list[tuple[int, int, bool]]:
    """Return what the platform has recorded: state, agent, graceful."""
    return [(one.state, one.agent, one.graceful) for one in behaviour(agent).transitions]


def told(agent: Any, now: float | None = None) -> list[tuple[int, int, int, int | None]]:
    """Return the notifications that have come: agent, flags, state, timeout."""
    return [
        (event.agent_id, int(event.flags), event.system_state, event.timeout)
        for event in agent.events(now)
    ]


# --- what there is --------------------------------------------------------------------------------


def test_the_attributes_are_all_reserved(boss: Any) -> None:
    assert boss.words(0x4801) == [0x4801, 0, 0]


def test_only_setting_has_attributes_of_its_own(boss: Any, connect: Any) -> None:
    # By the reference: bit 31 warm reset, bit 30 suspend.
    assert boss.words(0x4802, 0x3) == [0x4802, 0, 0xC0000000]
    for message in (0x0, 0x1, 0x2, 0x4, 0x5, 0x10):
        assert boss.words(0x4802, message) == [0x4802, 0, 0]
    assert connect("[system]\nsuspend = false\n").words(0x4802, 0x3) == [0x4802, 0, 1 << 31]
    assert connect("[system]\nwarm_reset = false\n").words(0x4802, 0x3) == [0x4802, 0, 1 << 30]


@pytest.mark.parametrize(
    ("version", "messages"),
    [
        ("1.0", {0, 1, 2, 3, 4, 5}),
        ("2.0", {0, 1, 2, 3, 4, 5}),
        ("2.1", {0, 1, 2, 3, 4, 5, 16}),
    ],
)
def test_a_version_has_its_messages(connect: Any, version: str, messages: set[int]) -> None:
    agent = connect(f'[versions]\nsystem = "{version}"\n')
    major, minor = map(int, version.split("."))
    assert agent.words(0x4800) == [0x4800, 0, major << 16 | minor]
    assert {n for n in range(32) if agent.words(0x4802, n)[1] == 0} == messages
    assert agent.words(0x4802, 6) == [0x4802, 0xFFFFFFFC]


def test_what_linux_asks_in_its_probe_succeeds(boss: Any) -> None:
    assert boss.words(0x4800) == [0x4800, 0, 0x20001]
    assert boss.words(0x4802, 5) == [0x4802, 0, 0]
    assert boss.words(0x4805, 1) == [0x4805, 0]


def test_absent_notifications_are_not_supported_rather_than_not_found(connect: Any) -> None:
    # Arm's test suite, test_s007.
    for agent in (connect("[system]\nnotify = false\n"), connect("[system]\n", events=False)):
        assert agent.words(0x4802, 5) == [0x4802, 0xFFFFFFFF]
    assert connect("[system]\n", events=False).status(listen()) is Status.NOT_SUPPORTED


def test_a_platform_may_leave_the_reading_out(connect: Any) -> None:
    agent = connect("[system]\nstate_get = false\n")
    assert agent.status(system.MessageAttributes(message_id=4)) is Status.NOT_FOUND
    assert agent.status(system.PowerStateGet()) is Status.NOT_FOUND


# --- forceful requests ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("state", "became"),
    [
        (SHUTDOWN, SHUTDOWN), (COLD, UP), (WARM, UP), (SUSPEND, SUSPEND), (HIBERNATE, HIBERNATE),
    ],
)  # fmt: skip
def test_a_forceful_request_is_done_at_once_and_recorded(
    boss: Any, guest: Any, state: int, became: int
) -> None:
    guest.ask(listen())
    assert boss.words(0x4803, 0, state) == [0x4803, 0]
    assert done(guest) == [(state, 1, False)]
    assert guest.words(0x4804) == [0x4804, 0, became]
    assert told(guest) == [(1, 0, state, 0)]


def test_the_platform_answers_on_and_is_powered_up_again(boss: Any, guest: Any) -> None:
    boss.ask(to(SHUTDOWN))
    assert guest.words(0x4000) is not None
    guest.ask(to(UP, GRACEFUL))
    assert boss.ask(system.PowerStateGet()).system_state == UP
    assert done(boss) == [(SHUTDOWN, 1, False), (UP, 2, False)]


def test_a_request_for_where_the_system_is_changes_nothing(boss: Any, guest: Any) -> None:
    guest.ask(listen())
    boss.ask(to(UP))
    boss.ask(to(SUSPEND))
    boss.ask(to(SUSPEND))
    boss.ask(to(SUSPEND, GRACEFUL))
    assert done(boss) == [(SUSPEND, 1, False)]
    assert len(told(guest)) == 1
    # A reset, or what the vendor means by a state, can be done again and again.
    for state in (COLD, COLD, HIBERNATE, HIBERNATE):
        boss.ask(to(state))
    assert len(done(boss)) == 5


def test_who_asks_is_not_told(boss: Any, guest: Any) -> None:
    for agent in (boss, guest):
        agent.ask(listen())
    guest.ask(to(COLD))
    assert told(boss) == [(2, 0, COLD, 0)]
    assert told(guest) == []
    boss.ask(listen(0))
    guest.ask(to(COLD))
    assert told(boss) == []


@pytest.mark.parametrize("state", [5, 6, 0x7FFFFFFF])
def test_reserved_states_are_invalid_parameters(boss: Any, state: int) -> None:
    assert boss.status(to(state)) is Status.INVALID_PARAMETERS


@pytest.mark.parametrize("flags", [2, 3, 1 << 31])
def test_reserved_flags_are_invalid_parameters(boss: Any, flags: int) -> None:
    for state in (SHUTDOWN, UP):
        assert boss.status(to(state, flags)) is Status.INVALID_PARAMETERS
    assert boss.status(listen(2)) is Status.INVALID_PARAMETERS
    assert done(boss) == []


def test_states_that_the_board_lacks_are_not_supported(connect: Any) -> None:
    agent = connect("[system]\nwarm_reset = false\nsuspend = false\n")
    for state in (WARM, SUSPEND, HIBERNATE, 0xFFFFFFFF):
        assert agent.status(to(state)) is Status.NOT_SUPPORTED
    assert done(agent) == []


def test_who_may_not_set_the_system_may_still_read_and_listen(boss: Any, viewer: Any) -> None:
    viewer.ask(listen())
    for flags in (0, GRACEFUL):
        assert viewer.status(to(SHUTDOWN, flags)) is Status.DENIED
    assert done(boss) == []
    boss.ask(to(SHUTDOWN))
    assert viewer.ask(system.PowerStateGet()).system_state == SHUTDOWN
    assert told(viewer) == [(1, 0, SHUTDOWN, 0)]


def test_a_board_can_deny_the_whole_protocol(connect: Any) -> None:
    board = """
[system]
[[agent]]
name = "boss"
[[agent]]
name = "guest"
denied = ["board"]
[[device]]
name = "board"
owns = ["system:system"]
"""
    boss = connect(board, "boss")
    guest = connect(boss.platform, "guest")
    assert guest.words(0x4800) == [0x4800, 0xFFFFFFFD]
    assert boss.words(0x4800) == [0x4800, 0, 0x20001]


# --- graceful requests ----------------------------------------------------------------------------


def test_a_graceful_shutdown_is_told_as_in_the_reference(boss: Any) -> None:
    boss.ask(listen())
    behaviour(boss).adjust(0, "graceful", "shutdown", boss.now)
    # Reference part A, section 11: by the platform, 30 s.
    assert [frame.hex(" ", 4) for frame in boss.poll()] == [
        "004b0000 00000000 01000000 00000000 30750000"
    ]


def test_before_version_2_no_time_is_told(connect: Any) -> None:
    agent = connect('[versions]\nsystem = "1.0"\n[system]\n')
    agent.ask(listen())
    behaviour(agent).adjust(0, "graceful", "shutdown", agent.now)
    assert [frame.hex(" ", 4) for frame in agent.poll()] == ["004b0000 00000000 01000000 00000000"]


def test_a_graceful_request_is_done_when_its_time_has_passed(boss: Any, guest: Any) -> None:
    start = boss.now
    guest.ask(listen())
    boss.ask(to(SHUTDOWN, GRACEFUL))
    assert told(guest) == [(1, GRACEFUL, SHUTDOWN, 30000)]
    assert boss.port.next_deadline() == start + 30
    assert told(guest, start + 29.999) == []
    assert (behaviour(boss).current, done(boss)) == (UP, [])
    assert told(guest, start + 30) == [], "it has been told already"
    assert (behaviour(boss).current, done(boss)) == (SHUTDOWN, [(SHUTDOWN, 1, True)])
    assert behaviour(boss).transitions[0].uptime_us == 30_000_000


@pytest.mark.parametrize("state", [COLD, WARM, SUSPEND, HIBERNATE])
def test_only_a_shutdown_tells_its_time(boss: Any, guest: Any, state: int) -> None:
    guest.ask(listen())
    boss.ask(to(state, GRACEFUL))
    assert told(guest) == [(1, GRACEFUL, state, 0)]
    assert done(boss) == []
    boss.events(boss.now + 30)
    assert done(boss) == [(state, 1, True)]


def test_a_second_graceful_request_is_busy_a_forceful_one_is_done(boss: Any, guest: Any) -> None:
    guest.ask(listen())
    boss.ask(to(SHUTDOWN, GRACEFUL))
    told(guest)
    for agent in (boss, guest):
        assert agent.status(to(SUSPEND, GRACEFUL)) is Status.BUSY
    boss.ask(to(UP))
    assert done(boss) == []
    boss.ask(to(COLD))
    assert told(guest) == [(1, 0, COLD, 0)]
    boss.events(boss.now + 60)
    assert done(boss) == [(COLD, 1, False)]
    boss.ask(to(SHUTDOWN, GRACEFUL))


def test_resetting_the_agent_that_asked_ends_its_graceful_request(boss: Any, guest: Any) -> None:
    guest.ask(to(SHUTDOWN, GRACEFUL))
    boss.ask(base.ResetAgentConfiguration(agent_id=1))
    assert behaviour(boss).pending is not None
    boss.ask(base.ResetAgentConfiguration(agent_id=2))
    boss.events(boss.now + 60)
    assert (behaviour(boss).pending, done(boss)) == (None, [])


# --- by hand --------------------------------------------------------------------------------------


def test_a_hand_tells_everybody_in_the_platforms_name(boss: Any, guest: Any) -> None:
    for agent in (boss, guest):
        agent.ask(listen())
    behaviour(boss).adjust(0, "state", "shutdown", boss.now)
    assert told(boss) == told(guest) == [(0, 0, SHUTDOWN, 0)]
    behaviour(boss).adjust(0, "timeout", "1.5s", boss.now)
    behaviour(boss).adjust(0, "state", "power-up", boss.now)
    behaviour(boss).adjust(0, "graceful", "shutdown", boss.now)
    assert told(boss) == [(0, 0, UP, 0), (0, GRACEFUL, SHUTDOWN, 1500)]
    assert told(guest, boss.now + 1.5)[-1] == (0, GRACEFUL, SHUTDOWN, 1500)
    assert done(boss) == [(SHUTDOWN, 0, False), (UP, 0, False), (SHUTDOWN, 0, True)]


def test_a_hand_knows_the_vendors_states(boss: Any) -> None:
    for text in ("hibernate", "0x80000001"):
        behaviour(boss).adjust(0, "state", text, boss.now)
        assert behaviour(boss).state(0)["state"] == "hibernate"


@pytest.mark.parametrize(
    ("key", "text", "says"),
    [
        ("state", "sleep", "unknown state 'sleep', expected one of: shutdown, cold_reset"),
        ("graceful", "5", "unknown state '5'"),
        ("state", "0x80000002", "unknown state '0x80000002'"),
        ("state", "-1", "unknown state '-1'"),
        ("timeout", "0", "found '0', expected a time of 1 to 4294967295 ms"),
        ("volts", "1", "unknown key 'volts', expected one of: state, graceful, timeout"),
    ],
)
def test_what_a_hand_cannot_do_changes_nothing(boss: Any, key: str, text: str, says: str) -> None:
    before = behaviour(boss).state(0)
    with pytest.raises(UsageError, match=says):
        behaviour(boss).adjust(0, key, text, boss.now)
    assert behaviour(boss).state(0) == before


def test_the_state_tells_what_was_done_and_what_is_to_come(boss: Any, guest: Any) -> None:
    boss.ask(to(WARM))
    guest.ask(to(SHUTDOWN, GRACEFUL))
    assert behaviour(boss).state(0) == {
        "state": "power_up",
        "raw_state": 3,
        "pending": {"state": "shutdown", "agent_id": 2},
        "timeout_ms": 30000,
        "transitions": [
            {
                "state": "warm_reset", "raw_state": 2, "agent_id": 1, "graceful": False,
                "uptime_us": 0,
            }
        ],
    }  # fmt: skip


# --- the board ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("timeout = 3", "system.timeout: found 3, expected a time"),
        ('timeout = "4294968s"', "system.timeout: found '4294968s', expected at most"),
        ("suspend = 1", "system.suspend: found 1, expected true or false"),
        ("states = { x = 4 }", "system.states.x: found 4, expected an integer from 2147483648"),
        ("states = { suspend = 0x80000000 }", "system.states.suspend: found 'suspend', expected a"),
        ("states = { a = 0x80000000, b = 0x80000000 }", "system.states.b: found 0x80000000, expe"),
        ('restrict = ["x"]', "system.restrict[0]: found 'x', expected one of the agents"),
        ("power = 1", "system.power: found an unknown key"),
    ],
)  # fmt: skip
def test_what_is_wrong_with_the_system_is_said_with_its_place(text: str, says: str) -> None:
    with pytest.raises(BoardError) as caught:
        Platform.from_text(f"[system]\n{text}\n", "test.toml")
    assert caught.value.message.startswith(f"test.toml: {says}")
