"""Logical machines: who may do what to which, what becomes of it, and who is told."""

from __future__ import annotations

from typing import Any

import pytest

from scmictl.errors import UsageError
from scmictl.platform.timer import Timers
from scmictl.protocols import system
from scmictl.protocols.common import NotifyEnable
from scmictl.protocols.nxp import bbm, cpu, lmm
from scmictl.protocols.nxp.lmm import EventFlags, Graceful, State
from scmictl.wire import Status

LMM = 0x80 << 10
SM, AP, M7, IDLE = range(4)
ON, OFF, SUSPENDED = State.ON, State.OFF, State.SUSPENDED
ALL = EventFlags(0xF)
BOOT, SHUTDOWN, SUSPEND, WAKE = (EventFlags(1 << bit) for bit in range(4))
GRACEFUL = Graceful(graceful=True)


def machine(agent: Any, id: int) -> Any:
    return agent.platform.behaviours[lmm.ID].machines[id]


def watch(*agents: Any, id: int = 0, flags: EventFlags = ALL) -> None:
    for agent in agents:
        agent.ask(lmm.Notify(lm_id=id, flags=flags))


def heard(agent: Any, now: float | None = None) -> list[tuple[int, int, int]]:
    return [(event.lm_id, event.event_lm, event.flags) for event in agent.events(now)]


# --- what there is --------------------------------------------------------------------------------


def test_machines_are_counted(linux: Any) -> None:
    assert linux.words(LMM | 1) == [LMM | 1, 0, 4]


def test_a_machine_is_described_and_self_is_the_callers_own(linux: Any, rtos: Any) -> None:
    # lm_id, agents, on, no error, "ap"
    described = [LMM | 3, 0, AP, 2, 1, 0, 0x7061, 0, 0, 0]
    assert linux.words(LMM | 3, AP) == described
    assert linux.words(LMM | 3, 0xFFFFFFFF) == described
    assert rtos.ask(lmm.Attributes(lm_id=lmm.SELF)).lm_id == M7
    assert linux.ask(lmm.Attributes(lm_id=IDLE)).state == OFF


def test_another_machine_is_described_to_who_may_get(linux: Any, rtos: Any, spy: Any) -> None:
    assert rtos.status(lmm.Attributes(lm_id=IDLE)) is Status.DENIED
    assert rtos.ask(lmm.Attributes(lm_id=AP)).name == "ap"
    assert spy.ask(lmm.Attributes(lm_id=IDLE)).name == "idle", "its own"
    assert spy.ask(lmm.Attributes(lm_id=M7)).name == "m7"


@pytest.mark.parametrize("id", [4, 0xFFFF, 0xFFFFFFFE])
def test_a_machine_that_is_not_there_is_not_found(linux: Any, id: int) -> None:
    for request in (
        lmm.Attributes(lm_id=id),
        lmm.Boot(lm_id=id),
        lmm.Reset(lm_id=id, flags=Graceful(0xFF)),
        lmm.Shutdown(lm_id=id),
        lmm.Wake(lm_id=id),
        lmm.Suspend(lm_id=id),
        lmm.Notify(lm_id=id, flags=EventFlags(0xFFF)),
        lmm.ResetReason(lm_id=id),
        lmm.PowerOn(lm_id=id),
        lmm.ResetVectorSet(lm_id=id, cpu_id=0, reset_vector=0),
    ):
        assert linux.status(request) is Status.NOT_FOUND


@pytest.mark.parametrize("kind", [lmm.Boot, lmm.Reset, lmm.Shutdown, lmm.Wake, lmm.Suspend])
def test_nobody_does_it_to_the_machine_it_runs_in(linux: Any, rtos: Any, kind: Any) -> None:
    assert linux.status(kind(lm_id=AP)) is Status.INVALID_PARAMETERS
    # The value is looked at before the right.
    assert rtos.status(kind(lm_id=M7)) is Status.INVALID_PARAMETERS
    assert (machine(linux, AP).state, machine(linux, M7).state) == (ON, ON)


@pytest.mark.parametrize("kind", [lmm.Boot, lmm.Reset, lmm.Shutdown, lmm.Suspend, lmm.PowerOn])
def test_a_foreign_machine_takes_all_rights_and_the_platforms_is_nobodys(
    linux: Any, rtos: Any, spy: Any, kind: Any
) -> None:
    assert rtos.status(kind(lm_id=AP)) is Status.DENIED
    assert rtos.status(kind(lm_id=IDLE)) is Status.DENIED
    assert spy.status(kind(lm_id=M7)) is Status.DENIED
    assert linux.status(kind(lm_id=SM)) is Status.DENIED
    assert [machine(linux, id).state for id in range(4)] == [ON, ON, ON, OFF]
    assert not machine(linux, IDLE).powered


@pytest.mark.parametrize("kind", [lmm.Reset, lmm.Shutdown])
def test_reserved_flags_are_refused(linux: Any, kind: Any) -> None:
    assert linux.status(kind(lm_id=M7, flags=Graceful(2))) is Status.INVALID_PARAMETERS
    assert machine(linux, M7).state == ON


# --- boot, shutdown, reset ------------------------------------------------------------------------


def test_a_machine_boots_and_its_reason_says_who_wanted_it(linux: Any, rtos: Any, spy: Any) -> None:
    watch(linux, rtos, spy)
    assert linux.words(LMM | 4, IDLE) == [LMM | 4, 0]
    assert machine(linux, IDLE).state == ON
    # Valid, origin valid, machine 1, reason 16: software; no shutdown before.
    assert linux.words(LMM | 0xA, IDLE) == [LMM | 0xA, 0, 1 << 31 | 1 << 28 | AP << 24 | 16, 0]
    assert heard(linux) == [(AP, IDLE, BOOT)]
    assert heard(rtos) == [], "it has no right to that machine"
    assert heard(spy) == [], "it is its own machine"
    linux.ask(lmm.Boot(lm_id=IDLE))
    assert heard(linux) == [], "it is on already"


def test_a_notification_has_three_words_and_no_agent(linux: Any) -> None:
    watch(linux, id=IDLE, flags=BOOT)
    linux.ask(lmm.Boot(lm_id=IDLE))
    assert [frame.hex(" ", 4) for frame in linux.poll()] == [
        "00030200 01000000 03000000 01000000",
    ]


def test_a_machine_that_is_powered_on_is_not_booted(linux: Any, state: Any) -> None:
    watch(linux)
    linux.ask(lmm.PowerOn(lm_id=IDLE))
    assert linux.ask(lmm.Attributes(lm_id=IDLE)).state == OFF
    assert state(lmm.ID, "idle")["powered"]
    assert heard(linux) == []
    linux.ask(lmm.Shutdown(lm_id=IDLE))
    assert not state(lmm.ID, "idle")["powered"]
    linux.ask(lmm.PowerOn(lm_id=M7))
    assert machine(linux, M7).state == ON


def test_a_shutdown_by_force_is_done_at_once(linux: Any, spy: Any) -> None:
    watch(linux, spy)
    linux.ask(lmm.Shutdown(lm_id=M7))
    assert machine(linux, M7).state == OFF
    assert heard(linux) == heard(spy) == [(AP, M7, SHUTDOWN)]
    reason = linux.ask(lmm.ResetReason(lm_id=M7))
    assert (reason.boot_flags, reason.ext_info) == (0, [])
    assert (reason.shutdown_flags.origin, reason.shutdown_flags.reason) == (AP, 16)
    linux.ask(lmm.Shutdown(lm_id=M7))
    assert heard(linux) == []


def test_a_graceful_shutdown_takes_the_machines_time(linux: Any, state: Any) -> None:
    watch(linux)
    linux.ask(lmm.Shutdown(lm_id=M7, flags=GRACEFUL))
    assert machine(linux, M7).state == ON
    assert state(lmm.ID, "m7")["pending"] == "shutdown"
    assert heard(linux, linux.now + 0.049) == []
    assert heard(linux, linux.now + 0.001) == [(AP, M7, SHUTDOWN)]
    assert state(lmm.ID, "m7")["pending"] is None


def test_a_later_request_takes_the_place_of_a_pending_one(linux: Any, state: Any) -> None:
    watch(linux)
    linux.ask(lmm.Shutdown(lm_id=M7, flags=GRACEFUL))
    linux.ask(lmm.Suspend(lm_id=M7))
    assert state(lmm.ID, "m7")["pending"] == "suspend"
    assert heard(linux, linux.now + 1) == [(AP, M7, SUSPEND)]
    linux.ask(lmm.Shutdown(lm_id=M7, flags=GRACEFUL))
    linux.ask(lmm.Shutdown(lm_id=M7))
    assert heard(linux) == [(AP, M7, SHUTDOWN)]
    assert heard(linux, linux.now + 1) == []


def test_a_reset_is_a_shutdown_and_a_boot(linux: Any) -> None:
    watch(linux)
    linux.ask(lmm.Reset(lm_id=M7))
    assert heard(linux) == [(AP, M7, SHUTDOWN), (AP, M7, BOOT)]
    assert machine(linux, M7).state == ON
    reason = linux.ask(lmm.ResetReason(lm_id=M7))
    assert (reason.boot_flags.reason, reason.shutdown_flags.reason) == (16, 16)
    linux.ask(lmm.Reset(lm_id=M7, flags=GRACEFUL))
    assert heard(linux) == []
    assert heard(linux, linux.now + 0.05) == [(AP, M7, SHUTDOWN), (AP, M7, BOOT)]
    linux.ask(lmm.Reset(lm_id=IDLE))
    assert heard(linux) == [(AP, IDLE, BOOT)], "it was off"


def test_resetting_an_agent_withdraws_what_it_has_asked_for(linux: Any) -> None:
    linux.ask(lmm.Shutdown(lm_id=M7, flags=GRACEFUL))
    linux.platform.reset_agent(2, linux.now, permissions=False)
    assert machine(linux, M7).pending is not None
    linux.platform.reset_agent(1, linux.now, permissions=False)
    linux.poll(linux.now + 1)
    assert machine(linux, M7).state == ON


def test_the_agents_of_a_machine_that_shuts_down_have_nothing_configured(
    linux: Any, rtos: Any
) -> None:
    watch(rtos)
    rtos.ask(bbm.RtcAlarmSet(rtc_id=0, flags=bbm.AlarmFlags(enable=True), time=2000))
    linux.ask(lmm.Reset(lm_id=M7))
    linux.ask(lmm.Boot(lm_id=IDLE))
    assert rtos.events() == []
    assert not linux.platform.behaviours[bbm.ID].rtcs[0].alarms
    assert rtos.ask(lmm.Attributes(lm_id=M7)).name == "m7", "the connection stays"


# --- suspend and wake -----------------------------------------------------------------------------


def test_a_machine_is_suspended_and_woken_in_its_time(linux: Any, spy: Any) -> None:
    watch(linux, spy)
    linux.ask(lmm.Suspend(lm_id=M7))
    assert machine(linux, M7).state == ON
    assert heard(linux, linux.now + 0.05) == [(AP, M7, SUSPEND)]
    assert linux.ask(lmm.Attributes(lm_id=M7)).state == SUSPENDED
    linux.ask(lmm.Wake(lm_id=M7))
    assert heard(linux, linux.now + 0.05) == [(AP, M7, WAKE)]
    assert machine(linux, M7).state == ON
    assert heard(spy) == [(AP, M7, SUSPEND), (AP, M7, WAKE)]


def test_waking_takes_the_right_to_set_only(linux: Any, rtos: Any, spy: Any, hand: Any) -> None:
    hand(lmm.ID, "ap", "state", "suspended")
    assert spy.ask(lmm.Attributes(lm_id=AP)).state == SUSPENDED
    rtos.ask(lmm.Wake(lm_id=AP))
    assert machine(linux, AP).state == ON
    assert spy.status(lmm.Wake(lm_id=M7)) is Status.DENIED


def test_waking_in_time_prevents_the_suspend(linux: Any) -> None:
    watch(linux)
    linux.ask(lmm.Suspend(lm_id=M7))
    linux.ask(lmm.Wake(lm_id=M7))
    assert heard(linux, linux.now + 1) == []
    assert machine(linux, M7).state == ON


def test_suspending_in_time_prevents_the_waking(linux: Any, hand: Any) -> None:
    hand(lmm.ID, "m7", "state", "suspended")
    watch(linux)
    linux.ask(lmm.Wake(lm_id=M7))
    linux.ask(lmm.Suspend(lm_id=M7))
    assert heard(linux, linux.now + 1) == []
    assert machine(linux, M7).state == SUSPENDED


def test_what_is_off_is_neither_suspended_nor_woken(linux: Any) -> None:
    watch(linux)
    linux.ask(lmm.Suspend(lm_id=IDLE))
    linux.ask(lmm.Wake(lm_id=IDLE))
    assert machine(linux, IDLE).state == OFF
    assert heard(linux) == []


# --- its CPUs -------------------------------------------------------------------------------------


def modes(agent: Any) -> list[str]:
    names = {0: "run", 1: "hold", 2: "stop", 3: "sleep"}
    return [names[core.run_mode] for core in agent.platform.behaviours[cpu.ID].cores]


def test_the_cpus_of_a_machine_go_with_it(linux: Any, rtos: Any, hand: Any) -> None:
    assert modes(linux) == ["run", "run", "run", "stop"]
    hand(lmm.ID, "ap", "state", "suspended")
    assert modes(linux) == ["sleep", "sleep", "run", "stop"]
    hand(lmm.ID, "ap", "state", "on")
    assert modes(linux) == ["run", "run", "run", "stop"]
    hand(lmm.ID, "ap", "state", "off")
    assert modes(linux) == ["stop", "stop", "run", "stop"]
    hand(lmm.ID, "ap", "state", "on")
    assert modes(linux) == ["run", "stop", "run", "stop"], "the second one is started by others"


def test_a_machine_without_a_running_cpu_is_suspended(linux: Any, rtos: Any) -> None:
    watch(rtos, id=AP)
    linux.ask(cpu.Stop(cpu_id=0))
    assert machine(linux, AP).state == ON
    linux.ask(cpu.Stop(cpu_id=1))
    assert machine(linux, AP).state == SUSPENDED
    linux.ask(cpu.Start(cpu_id=1))
    assert machine(linux, AP).state == ON
    assert heard(rtos) == [(AP, AP, SUSPEND), (AP, AP, WAKE)]


def test_the_reset_vector_of_a_machines_cpu_is_where_it_boots(linux: Any) -> None:
    assert linux.words(LMM | 0xC, M7, 2, 1, 0x2000, 0xF) == [LMM | 0xC, 0]
    assert linux.ask(cpu.InfoGet(cpu_id=2)).reset_vector == 0
    linux.ask(lmm.Reset(lm_id=M7))
    assert linux.ask(cpu.InfoGet(cpu_id=2)).reset_vector == 0xF_0000_2000


def test_a_reset_vector_is_checked_in_order(linux: Any, rtos: Any, spy: Any) -> None:
    def vector(lm_id: int, cpu_id: int, flags: int = 0) -> lmm.ResetVectorSet:
        return lmm.ResetVectorSet(
            lm_id=lm_id, cpu_id=cpu_id, flags=lmm.VectorFlags(flags), reset_vector=4
        )

    assert linux.status(vector(M7, 4)) is Status.NOT_FOUND
    assert linux.status(vector(M7, 2, 2)) is Status.INVALID_PARAMETERS
    assert linux.status(vector(AP, 0, 1)) is Status.INVALID_PARAMETERS, "it has no tables"
    assert linux.status(vector(M7, 0)) is Status.DENIED, "it is not the machine's"
    assert spy.status(vector(M7, 2)) is Status.DENIED
    assert linux.status(vector(SM, 2)) is Status.DENIED
    rtos.ask(vector(M7, 2))  # its own: PRIV is enough


# --- notifications --------------------------------------------------------------------------------


def test_only_the_events_asked_for_come(linux: Any) -> None:
    watch(linux, id=M7, flags=EventFlags(SHUTDOWN | WAKE))
    linux.ask(lmm.Reset(lm_id=M7))
    assert heard(linux) == [(AP, M7, SHUTDOWN)]
    watch(linux, id=M7, flags=EventFlags(0))
    linux.ask(lmm.Reset(lm_id=M7))
    assert heard(linux) == []


def test_listening_takes_a_right_and_all_means_what_one_has(rtos: Any, spy: Any) -> None:
    assert rtos.status(lmm.Notify(lm_id=IDLE, flags=ALL)) is Status.DENIED
    assert spy.status(lmm.Notify(lm_id=M7, flags=EventFlags(0x10))) is Status.INVALID_PARAMETERS
    rtos.ask(lmm.Notify(lm_id=0, flags=ALL))
    assert {resource for _, resource in rtos.port.subscriptions} == {SM, AP, M7}


def test_without_a_channel_nobody_listens(connect: Any, linux: Any) -> None:
    deaf = connect(linux.platform, "linux", events=False)
    assert deaf.status(lmm.Notify(lm_id=M7, flags=ALL)) is Status.NOT_SUPPORTED
    assert deaf.status(lmm.MessageAttributes(message_id=9)) is Status.NOT_FOUND


# --- what its agents are told ---------------------------------------------------------------------


def test_the_agents_of_a_machine_are_told_what_is_to_be_done(connect: Any, board: str) -> None:
    agent = connect(board + "[system]\n", "linux")
    rtos, spy = (connect(agent.platform, name) for name in ("rtos", "spy"))
    for one in (agent, rtos, spy):
        one.ask(system.PowerStateNotify(notify_enable=NotifyEnable(1)))
    agent.ask(lmm.Suspend(lm_id=M7))
    agent.ask(lmm.Shutdown(lm_id=M7, flags=GRACEFUL))
    # Suspend is 4, shutdown 0; bit 0 is graceful; only the shutdown has a time, 50 ms.
    assert [frame.hex(" ", 4) for frame in rtos.poll()] == [
        "004b0000 01000000 01000000 04000000 00000000",
        "004b0000 01000000 01000000 00000000 32000000",
    ]
    assert agent.events() == spy.events() == []


# --- by hand --------------------------------------------------------------------------------------


def test_a_hand_is_the_platforms_machine(linux: Any, hand: Any, state: Any) -> None:
    watch(linux)
    for text in ("suspended", "off", "suspended"):
        hand(lmm.ID, "m7", "state", text)
    assert heard(linux) == [
        (SM, M7, SUSPEND),
        (SM, M7, SHUTDOWN),
        (SM, M7, BOOT),
        (SM, M7, SUSPEND),
    ]
    assert state(lmm.ID, "m7") == {
        "state": "suspended",
        "powered": True,
        "pending": None,
        "err_status": 0,
        "agents": ["rtos"],
        "latency_us": 50_000,
        "boot": {"reason": "sw", "origin": 0},
        "shutdown": {"reason": "sw", "origin": 0},
    }
    assert state(lmm.ID, "idle")["boot"] is None


def test_a_hand_sets_the_last_error_and_the_time_it_takes(linux: Any, hand: Any) -> None:
    hand(lmm.ID, "m7", "err_status", "-130")
    assert linux.ask(lmm.Attributes(lm_id=M7)).err_status == -130
    hand(lmm.ID, "m7", "latency", "0s")
    linux.ask(lmm.Suspend(lm_id=M7))
    assert machine(linux, M7).state == SUSPENDED


@pytest.mark.parametrize(
    ("name", "key", "text", "message"),
    [
        ("m7", "colour", "red", "unknown key 'colour', expected one of: state, err_status"),
        ("m7", "state", "up", "unknown state 'up', expected one of: off, on, suspended"),
        ("sm", "state", "off", "the platform's own machine is always on"),
        ("m7", "err_status", "0x80000000", "err_status is 2147483648, expected a status"),
    ],
)
def test_what_a_hand_cannot_do_changes_nothing(
    linux: Any, hand: Any, name: str, key: str, text: str, message: str
) -> None:
    with pytest.raises(UsageError, match=message):
        hand(lmm.ID, name, key, text)
    assert [machine(linux, id).state for id in range(4)] == [ON, ON, ON, OFF]
    assert isinstance(linux.platform.timers, Timers)
    assert len(linux.platform.timers) == 0
