"""Functional safety: states of environments, faults that are set, and who is told."""

from __future__ import annotations

from typing import Any

import pytest

from scmictl.errors import UsageError
from scmictl.protocols.common import NotifyEnable
from scmictl.protocols.nxp import fusa
from scmictl.protocols.nxp.fusa import FaultChange, FaultSetFlags, SeenvState
from scmictl.wire import Status

FUSA = 0x83 << 10
LOCKUP, NOC, SW0 = range(3)
ON, OFF = NotifyEnable(1), NotifyEnable(0)


@pytest.fixture
def secure(connect: Any, linux: Any) -> Any:
    """An agent that is no S-EENV."""
    return connect(linux.platform, "secure")


def fault(agent: Any, id: int) -> Any:
    return agent.platform.behaviours[fusa.ID].faults[id]


def change(id: int, what: int) -> fusa.FaultSet:
    return fusa.FaultSet(fault_id=id, flags=FaultSetFlags(what))


def watch(*agents: Any) -> None:
    for agent in agents:
        agent.ask(fusa.FaultGroupNotify(fault_id_first=0, notify_enable=0xFFFFFFFF))


def heard(agent: Any) -> list[tuple[int, int]]:
    return [(event.fault_id, event.flags.state) for event in agent.events()]


def test_faults_and_environments_are_counted(linux: Any, secure: Any) -> None:
    counts = 3 << 16 | 3 << 8 | 3
    assert linux.words(FUSA | 1) == secure.words(FUSA | 1) == [FUSA | 1, 0, counts, 0]


def test_all_but_the_counts_is_for_s_eenvs_only(secure: Any) -> None:
    for request in (
        fusa.FeenvStateGet(),
        fusa.FeenvStateNotify(notify_enable=ON),
        fusa.SeenvStateGet(seenv_id=0),
        fusa.SeenvStateSet(seenv_state=SeenvState.INIT, ping_cookie=0),
        fusa.FaultGet(fault_id=LOCKUP),
        change(LOCKUP, FaultChange.SET),
        fusa.FaultGroupNotify(fault_id_first=0, notify_enable=1),
        fusa.ScheckEvntrig(),
        fusa.ScheckTestExec(target_test_id=1),
    ):
        assert secure.status(request) is Status.NOT_SUPPORTED
    assert not fault(secure, LOCKUP).is_set
    # What is named is looked for first, and so are values.
    assert secure.status(fusa.FaultGet(fault_id=3)) is Status.NOT_FOUND
    assert secure.status(fusa.SeenvStateGet(seenv_id=fusa.SELF)) is Status.NOT_FOUND
    assert secure.status(change(LOCKUP, 4)) is Status.INVALID_PARAMETERS


# --- environments ---------------------------------------------------------------------------------


def test_the_state_of_the_f_eenv_is_read(linux: Any, spy: Any) -> None:
    assert linux.words(FUSA | 3) == [FUSA | 3, 0, 1, 2]
    assert spy.status(fusa.FeenvStateGet()) is Status.DENIED


def test_a_change_of_the_f_eenv_is_told(linux: Any, rtos: Any, spy: Any, hand: Any) -> None:
    linux.ask(fusa.FeenvStateNotify(notify_enable=ON))
    rtos.ask(fusa.FeenvStateNotify(notify_enable=ON))
    rtos.ask(fusa.FeenvStateNotify(notify_enable=OFF))
    assert spy.status(fusa.FeenvStateNotify(notify_enable=ON)) is Status.DENIED
    wrong = fusa.FeenvStateNotify(notify_enable=NotifyEnable(2))
    assert linux.status(wrong) is Status.INVALID_PARAMETERS
    hand(fusa.ID, "feenv", "state", "safety_runtime")
    hand(fusa.ID, "feenv", "state", "safety_runtime")
    hand(fusa.ID, "feenv", "msel", "1")
    assert [frame.hex(" ", 4) for frame in linux.poll()] == [
        "000f0200 02000000 02000000",
        "000f0200 02000000 01000000",
    ]
    assert rtos.events() == []
    assert linux.words(FUSA | 3) == [FUSA | 3, 0, 2, 1]


def test_an_s_eenv_is_read_by_number_or_as_oneself(linux: Any, rtos: Any, spy: Any) -> None:
    assert linux.words(FUSA | 6, 0) == [FUSA | 6, 0, 0, 2, 1]
    assert linux.words(FUSA | 6, 0xFFFFFFFF) == [FUSA | 6, 0, 1, 1, 2]
    assert rtos.ask(fusa.SeenvStateGet(seenv_id=fusa.SELF)).seenv_id == 0
    assert spy.ask(fusa.SeenvStateGet(seenv_id=1)).seenv_state == SeenvState.SAFETY_READY
    assert linux.status(fusa.SeenvStateGet(seenv_id=3)) is Status.NOT_FOUND


def test_an_s_eenv_reports_its_own_state(linux: Any, rtos: Any, state: Any) -> None:
    assert rtos.words(FUSA | 7, 3, 0x55) == [FUSA | 7, 0]
    assert linux.ask(fusa.SeenvStateGet(seenv_id=0)).seenv_state == SeenvState.SAFETY_RUNTIME
    assert linux.ask(fusa.SeenvStateGet(seenv_id=1)).seenv_state == SeenvState.SAFETY_READY
    assert state(fusa.ID, "seenv-rtos") == {
        "state": "safety_runtime", "lm_id": 2, "cookie": 0x55, "answered": False,
    }  # fmt: skip
    wrong = fusa.SeenvStateSet(seenv_state=5, ping_cookie=0)
    assert rtos.status(wrong) is Status.INVALID_PARAMETERS


def test_who_listens_is_asked_for_its_state(linux: Any, rtos: Any, hand: Any, state: Any) -> None:
    rtos.ask(fusa.FeenvStateNotify(notify_enable=ON))
    hand(fusa.ID, "feenv", "ask", "on")
    hand(fusa.ID, "feenv", "ask", "off")
    assert [frame.hex(" ", 4) for frame in rtos.poll()] == ["010f0200 01000000"]
    assert linux.events() == []
    rtos.ask(fusa.SeenvStateSet(seenv_state=SeenvState.SAFETY_READY, ping_cookie=1))
    assert state(fusa.ID, "seenv-rtos")["answered"]


def test_the_platform_asks_by_itself_while_anybody_listens(connect: Any) -> None:
    agent = connect('[nxp-fusa]\nping = "1s"\n[[nxp-fusa.seenv]]\nagent = "agent"\n')
    assert agent.port.next_deadline() is None
    agent.ask(fusa.FeenvStateNotify(notify_enable=ON))
    agent.now += 0.5
    agent.ask(fusa.FeenvStateNotify(notify_enable=ON))  # changes nothing
    assert agent.port.next_deadline() == agent.now + 0.5
    assert [event.ping_cookie for event in agent.events(agent.now + 0.5)] == [1]
    assert [event.ping_cookie for event in agent.events(agent.now + 1)] == [2]
    agent.ask(fusa.FeenvStateNotify(notify_enable=OFF))
    assert agent.port.next_deadline() is None
    assert agent.ask(fusa.SeenvStateGet(seenv_id=0)).lm_id == 0, "there are no machines"


# --- faults ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("id", [3, 0xFFFFFFFF])
def test_a_fault_that_is_not_there_is_not_found(linux: Any, id: int) -> None:
    assert linux.status(fusa.FaultGet(fault_id=id)) is Status.NOT_FOUND
    assert linux.status(change(id, 9)) is Status.NOT_FOUND
    group = fusa.FaultGroupNotify(fault_id_first=id, notify_enable=0)
    assert linux.status(group) is Status.NOT_FOUND


def test_a_fault_is_set_and_cleared_as_nxp_prints_it(linux: Any) -> None:
    assert linux.words(FUSA | 8, NOC) == [FUSA | 8, 0, 1]
    assert linux.words(FUSA | 9, NOC, 1) == [FUSA | 9, 0]
    assert linux.words(FUSA | 8, NOC) == [FUSA | 8, 0, 0]
    assert linux.words(FUSA | 9, NOC, 0) == [FUSA | 9, 0]
    assert linux.words(FUSA | 8, NOC) == [FUSA | 8, 0, 1]
    linux.ask(change(NOC, FaultChange.RECOVERED))
    assert not fault(linux, NOC).is_set
    linux.ask(change(NOC, FaultChange.NOT_RECOVERABLE))
    assert fault(linux, NOC).is_set


def test_changes_of_faults_are_told_to_all_who_listen(linux: Any, rtos: Any, hand: Any) -> None:
    watch(linux, rtos)
    linux.ask(change(LOCKUP, FaultChange.SET))
    linux.ask(change(LOCKUP, FaultChange.NOT_RECOVERABLE))
    assert [frame.hex(" ", 4) for frame in rtos.poll()] == ["020f0200 00000000 01000000"]
    linux.ask(change(LOCKUP, FaultChange.RECOVERED))
    hand(fusa.ID, "sw0", "set", "on")
    hand(fusa.ID, "sw0", "set", "on")
    assert heard(rtos) == [(LOCKUP, 0), (SW0, 1)]
    assert heard(linux) == [(LOCKUP, 1), (LOCKUP, 0), (SW0, 1)]
    linux.ask(change(NOC, FaultChange.CLEAR))
    assert heard(rtos) == [], "it has no right to listen to that"
    assert heard(linux) == [(NOC, 0)]


def test_faults_take_rights(rtos: Any) -> None:
    assert rtos.status(change(NOC, FaultChange.CLEAR)) is Status.DENIED
    assert rtos.ask(fusa.FaultGet(fault_id=NOC)).flags.set
    assert fault(rtos, NOC).is_set


def test_a_group_of_faults_is_switched_by_a_mask(linux: Any, rtos: Any) -> None:
    # first, mask, enable; the answer: first, what is on. There are only three faults.
    assert linux.words(FUSA | 0xA, 0, 0xFFFFFFFF, 0xFFFFFFFF) == [FUSA | 0xA, 0, 0, 7]
    assert linux.words(FUSA | 0xA, 1, 0b10, 0) == [FUSA | 0xA, 0, 1, 0b01]
    assert linux.words(FUSA | 0xA, 0, 0, 0xFFFFFFFF) == [FUSA | 0xA, 0, 0, 0b011]
    linux.ask(change(SW0, FaultChange.SET))
    assert heard(linux) == []
    # Some are permitted, then those are switched; none is DENIED.
    assert rtos.words(FUSA | 0xA, 0, 0b11, 0b11) == [FUSA | 0xA, 0, 0, 0b01]
    assert rtos.words(FUSA | 0xA, 1, 0b01, 0b01) == [FUSA | 0xA, 0xFFFFFFFD]
    assert rtos.words(FUSA | 0xA, 2, 0xFFFFFFFE, 0xFFFFFFFE) == [FUSA | 0xA, 0, 2, 0]


def test_a_group_whose_answer_has_no_room_is_left_as_it_is(linux: Any) -> None:
    group = fusa.FaultGroupNotify(fault_id_first=0, fault_mask=7, notify_enable=7)
    assert linux.status(group, 15) is Status.PROTOCOL_ERROR
    assert linux.words(FUSA | 0xA, 0, 0, 0) == [FUSA | 0xA, 0, 0, 0]
    assert linux.ask(group, 16).notify_enabled == 7


def test_resetting_an_agent_ends_its_listening_and_nothing_else(linux: Any, rtos: Any) -> None:
    watch(rtos)
    rtos.ask(change(LOCKUP, FaultChange.SET))
    rtos.ask(fusa.SeenvStateSet(seenv_state=SeenvState.TERMINAL, ping_cookie=0))
    rtos.poll()
    rtos.platform.reset_agent(3, rtos.now, permissions=False)
    linux.ask(change(LOCKUP, FaultChange.CLEAR))
    assert rtos.events() == []
    assert linux.ask(fusa.SeenvStateGet(seenv_id=0)).seenv_state == SeenvState.TERMINAL


def test_without_a_channel_nothing_can_be_listened_to(connect: Any, linux: Any) -> None:
    deaf = connect(linux.platform, "linux", events=False)
    assert deaf.status(fusa.FeenvStateNotify(notify_enable=ON)) is Status.NOT_SUPPORTED
    group = fusa.FaultGroupNotify(fault_id_first=0, notify_enable=1)
    assert deaf.status(group) is Status.NOT_SUPPORTED
    for message_id in (0x5, 0xA):
        asked = fusa.MessageAttributes(message_id=message_id)
        assert deaf.status(asked) is Status.NOT_FOUND
    assert linux.status(fusa.MessageAttributes(message_id=4)) is Status.NOT_FOUND


def test_safety_checks_are_recorded(linux: Any, spy: Any, state: Any) -> None:
    linux.ask(fusa.ScheckEvntrig())
    for number in (7, 9):
        linux.ask(fusa.ScheckTestExec(target_test_id=number))
    assert spy.status(fusa.ScheckEvntrig()) is Status.DENIED
    assert spy.status(fusa.ScheckTestExec(target_test_id=1)) is Status.DENIED
    assert state(fusa.ID, "feenv") == {
        "state": "pre_safety", "msel": 2, "cookie": 0, "triggers": 1, "tests": [7, 9],
    }  # fmt: skip


def test_the_state_of_a_fault_is_told(linux: Any, state: Any, hand: Any) -> None:
    assert state(fusa.ID, "lockup") == {"set": False, "change": None}
    linux.ask(change(LOCKUP, FaultChange.NOT_RECOVERABLE))
    assert state(fusa.ID, "lockup") == {"set": True, "change": "not_recoverable"}
    hand(fusa.ID, "seenv-rtos", "state", "disabled")
    assert linux.ask(fusa.SeenvStateGet(seenv_id=0)).seenv_state == SeenvState.DISABLED


@pytest.mark.parametrize(
    ("name", "key", "text", "message"),
    [
        ("lockup", "state", "on", "unknown key 'state', expected one of: set"),
        ("lockup", "set", "1", "unknown value '1', expected one of: on, off, true, false"),
        ("seenv-rtos", "set", "on", "unknown key 'set', expected one of: state"),
        ("seenv-rtos", "state", "dead", "unknown state 'dead', expected one of: disabled, init"),
        ("feenv", "ping", "1", "unknown key 'ping', expected one of: state, msel, ask"),
        ("feenv", "state", "off", "unknown state 'off', expected one of: init, pre_safety"),
        ("feenv", "msel", "-1", "msel is -1, expected 0 to 0xffffffff"),
    ],
)
def test_what_a_hand_cannot_do_changes_nothing(
    linux: Any, hand: Any, name: str, key: str, text: str, message: str
) -> None:
    before = [linux.platform.behaviours[fusa.ID].state(id) for id in range(7)]
    with pytest.raises(UsageError, match=message):
        hand(fusa.ID, name, key, text)
    assert [linux.platform.behaviours[fusa.ID].state(id) for id in range(7)] == before
