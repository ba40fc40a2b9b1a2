"""CPUs: run, stop, sleep, where they start, and what is set for their sleep."""

from __future__ import annotations

from typing import Any

import pytest

from scmictl.errors import UsageError
from scmictl.protocols.nxp import cpu
from scmictl.protocols.nxp.cpu import LpmSetting, SleepFlags, SleepMode, VectorFlags
from scmictl.wire import Status

CPU = 0x82 << 10
A0, A1, M7P, SPARE = range(4)
RUN, HOLD, STOP, SLEEP = range(4)


def core(agent: Any, id: int) -> Any:
    return agent.platform.behaviours[cpu.ID].cores[id]


def vector(id: int, flags: VectorFlags | int, address: int) -> cpu.ResetVectorSet:
    return cpu.ResetVectorSet(cpu_id=id, flags=VectorFlags(flags), reset_vector=address)


def domains(id: int, *configs: tuple[int, int, int]) -> cpu.PdLpmConfigSet:
    return cpu.PdLpmConfigSet(
        cpu_id=id,
        num_configs=len(configs),
        configs=[
            cpu.PdLpmConfig(domain_id=domain, lpm_setting=setting, ret_mask=mask)
            for domain, setting, mask in configs
        ],
    )


def peripherals(id: int, *configs: tuple[int, int]) -> cpu.PerLpmConfigSet:
    return cpu.PerLpmConfigSet(
        cpu_id=id,
        num_configs=len(configs),
        configs=[cpu.PerLpmConfig(per_id=per, lpm_setting=setting) for per, setting in configs],
    )


def masks(kind: Any, id: int, first: int, *words: int) -> Any:
    return kind(cpu_id=id, mask_idx=first, num_mask=len(words), mask=list(words))


def test_cpus_are_counted_and_named(linux: Any) -> None:
    assert linux.words(CPU | 1) == [CPU | 1, 0, 4]
    assert linux.words(CPU | 3, M7P) == [CPU | 3, 0, 0, 0x70376D, 0, 0, 0]


def test_what_a_cpu_does_is_told(linux: Any) -> None:
    assert linux.words(CPU | 0xC, A0) == [CPU | 0xC, 0, RUN, 0, 0x1000, 8]
    assert linux.words(CPU | 0xC, SPARE) == [CPU | 0xC, 0, STOP, 0, 0, 0], "its machine is off"


@pytest.mark.parametrize("id", [4, 0xFFFFFFFF])
def test_a_cpu_that_is_not_there_is_not_found(linux: Any, id: int) -> None:
    for request in (
        cpu.Attributes(cpu_id=id),
        cpu.Start(cpu_id=id),
        cpu.Stop(cpu_id=id),
        vector(id, 2, 0),
        cpu.SleepModeSet(cpu_id=id, sleep_mode=9),
        masks(cpu.IrqWakeSet, id, 99),
        masks(cpu.NonIrqWakeSet, id, 99),
        domains(id, (99, 9, 0)),
        peripherals(id, (99, 9)),
        cpu.InfoGet(cpu_id=id),
    ):
        assert linux.status(request) is Status.NOT_FOUND


def test_a_cpu_is_stopped_and_started(linux: Any) -> None:
    assert linux.words(CPU | 5, A1) == [CPU | 5, 0]
    assert core(linux, A1).run_mode == STOP
    assert linux.words(CPU | 4, A1) == [CPU | 4, 0]
    assert core(linux, A1).run_mode == RUN


def test_what_changes_a_cpu_takes_all_rights_and_reading_none(rtos: Any) -> None:
    for request in (
        cpu.Start(cpu_id=A0),
        cpu.Stop(cpu_id=A0),
        vector(A0, VectorFlags(start=True), 4),
        cpu.SleepModeSet(cpu_id=A0, sleep_mode=SleepMode.STOP),
        masks(cpu.IrqWakeSet, A0, 0, 1),
        masks(cpu.NonIrqWakeSet, A0, 0, 1),
        domains(A0, (0, 1, 0)),
        peripherals(A0, (0, 1)),
    ):
        assert rtos.status(request) is Status.DENIED
    assert rtos.ask(cpu.InfoGet(cpu_id=A0)).run_mode == RUN
    found = core(rtos, A0).settings
    assert (found.start, found.sleep_mode, found.domains, found.peripherals) == (
        0x800001000,
        0,
        {},
        {},
    )
    assert found.irq == [0] * 24


def test_a_cpu_has_three_vectors(linux: Any) -> None:
    # 31 resume, 30 start, 29 boot.
    assert linux.words(CPU | 6, A0, 1 << 30, 0x40, 0) == [CPU | 6, 0]
    assert linux.words(CPU | 6, A0, 1 << 29, 0x20, 0) == [CPU | 6, 0]
    assert linux.ask(cpu.InfoGet(cpu_id=A0)).reset_vector == 0x800001000
    assert linux.words(CPU | 6, A0, 1 << 31, 0x80, 1) == [CPU | 6, 0]
    assert linux.ask(cpu.InfoGet(cpu_id=A0)).reset_vector == 0x1_0000_0080
    linux.ask(cpu.Stop(cpu_id=A0))
    linux.ask(cpu.Start(cpu_id=A0))
    assert linux.ask(cpu.InfoGet(cpu_id=A0)).reset_vector == 0x40
    linux.ask(vector(A0, 0, 0x99))
    own = core(linux, A0).settings
    assert (own.boot, own.start, own.vector) == (0x20, 0x40, 0x40)


@pytest.mark.parametrize(("id", "flags"), [(A0, 1), (A0, 2), (M7P, 1 << 28), (M7P, 0xFFFFFFFF)])
def test_a_vector_that_the_cpu_cannot_have_is_refused(linux: Any, id: int, flags: int) -> None:
    before = core(linux, id).settings.start
    assert linux.status(vector(id, flags | 1 << 30, 4)) is Status.INVALID_PARAMETERS
    assert core(linux, id).settings.start == before
    linux.ask(vector(M7P, VectorFlags(start=True, table=True), 8))
    assert core(linux, M7P).settings.start == 8


def test_a_sleep_mode_is_set_and_told(linux: Any) -> None:
    assert linux.words(CPU | 7, A0, 3, SleepMode.SUSPEND) == [CPU | 7, 0]
    assert linux.ask(cpu.InfoGet(cpu_id=A0)).sleep_mode == SleepMode.SUSPEND
    assert core(linux, A0).settings.flags == SleepFlags(irq_mux=True, platform_wake=True)
    compute = SleepFlags(lp_compute=True)
    linux.ask(cpu.SleepModeSet(cpu_id=A0, flags=compute, sleep_mode=SleepMode.RUN))
    for flags, mode in ((compute, 1), (SleepFlags(8), 1), (SleepFlags(0), 4)):
        request = cpu.SleepModeSet(cpu_id=A0, flags=flags, sleep_mode=mode)
        assert linux.status(request) is Status.INVALID_PARAMETERS
    assert core(linux, A0).settings.sleep_mode == SleepMode.RUN


@pytest.mark.parametrize("kind", [cpu.IrqWakeSet, cpu.NonIrqWakeSet])
def test_wake_masks_are_set_in_part(linux: Any, kind: Any) -> None:
    linux.ask(masks(kind, A1, 0, 0xF))
    found = core(linux, A1).settings
    own = found.irq if kind is cpu.IrqWakeSet else found.non_irq
    assert own == [0xF] + [0] * (len(own) - 1)
    for first, count in ((0, len(own) + 1), (len(own), 1), (0xFFFFFFFF, 1)):
        assert linux.status(masks(kind, A1, first, *[1] * count)) is Status.INVALID_PARAMETERS
    linux.ask(masks(kind, A1, len(own)))  # none: nothing happens
    assert own == [0xF] + [0] * (len(own) - 1)


def test_a_message_of_nxps_holds_22_words_of_a_mask(linux: Any) -> None:
    linux.ask(masks(cpu.IrqWakeSet, A0, 2, *range(22)))
    assert core(linux, A0).settings.irq == [0, 0, *range(22)]
    many = masks(cpu.IrqWakeSet, A0, 0, *range(23))
    assert linux.status(many) is Status.INVALID_PARAMETERS


def test_power_domains_and_peripherals_are_configured(linux: Any) -> None:
    linux.ask(domains(A0, (3, LpmSetting.ALWAYS, 0xF), (0, LpmSetting.RUN, 0)))
    linux.ask(peripherals(A0, (1, LpmSetting.RUN_WAIT)))
    assert core(linux, A0).settings.domains == {3: (4, 0xF), 0: (1, 0)}
    assert core(linux, A0).settings.peripherals == {1: 2}


def test_a_setting_that_cannot_be_changes_none_of_them(linux: Any) -> None:
    assert linux.status(domains(A0, (0, 1, 0), (4, 9, 0))) is Status.NOT_FOUND
    assert linux.status(domains(A0, (0, 1, 0), (3, 5, 0))) is Status.INVALID_PARAMETERS
    assert linux.status(domains(A0, *[(0, 1, 0)] * 8)) is Status.INVALID_PARAMETERS
    assert linux.status(peripherals(A0, (0, 1), (2, 9))) is Status.NOT_FOUND
    assert linux.status(peripherals(A0, (0, 1), (1, 5))) is Status.INVALID_PARAMETERS
    assert linux.status(peripherals(A0, *[(0, 1)] * 12)) is Status.INVALID_PARAMETERS
    assert linux.status(domains(A1, (0, 1, 0))) is Status.NOT_FOUND, "it has none"
    assert (core(linux, A0).settings.domains, core(linux, A0).settings.peripherals) == ({}, {})


def test_a_count_that_lies_is_a_protocol_error(linux: Any) -> None:
    assert linux.words(CPU | 8, A0, 0, 2, 1) == [CPU | 8, 0xFFFFFFF6]
    assert linux.words(CPU | 8, A0, 0, 1, 1, 1) == [CPU | 8, 0xFFFFFFF6]
    assert linux.words(CPU | 0xA, A0, 1, 0, 1) == [CPU | 0xA, 0xFFFFFFF6]


def test_resetting_an_agent_puts_its_settings_back_but_stops_nothing(linux: Any) -> None:
    linux.ask(vector(A0, VectorFlags(resume=True), 0x44))
    linux.ask(domains(A0, (0, 1, 0)))
    linux.ask(cpu.Stop(cpu_id=A1))
    linux.platform.reset_agent(2, linux.now, permissions=False)
    assert core(linux, A0).settings.vector == 0x44
    linux.platform.reset_agent(1, linux.now, permissions=False)
    assert (core(linux, A0).settings.vector, core(linux, A0).settings.domains) == (0x800001000, {})
    assert core(linux, A1).run_mode == STOP


def test_a_cpu_without_a_machine_is_by_itself(connect: Any) -> None:
    agent = connect('[[nxp-cpu]]\nname = "x"\nrun_mode = "hold"\n')
    assert agent.ask(cpu.InfoGet(cpu_id=0)).run_mode == HOLD
    agent.ask(cpu.Start(cpu_id=0))
    assert agent.platform.behaviours[cpu.ID].state(0)["machine"] is None
    assert core(agent, 0).run_mode == RUN


def test_the_power_domains_of_a_cpu_are_those_of_the_board(connect: Any) -> None:
    agent = connect('[[nxp-cpu]]\nname = "x"\n[[power]]\nname = "gpu"\n')
    agent.ask(domains(0, (0, LpmSetting.RUN, 0)))
    assert agent.status(domains(0, (1, LpmSetting.RUN, 0))) is Status.NOT_FOUND


def test_the_state_of_a_cpu_is_told_and_changed_by_hand(linux: Any, hand: Any, state: Any) -> None:
    hand(cpu.ID, "a1", "run_mode", "sleep")
    hand(cpu.ID, "a1", "sleep_mode", "wait")
    hand(cpu.ID, "a1", "reset_vector", "0x10")
    linux.ask(masks(cpu.NonIrqWakeSet, A1, 0, 5))
    found = state(cpu.ID, "a1")
    assert (found["run_mode"], found["sleep_mode"], found["reset_vector"]) == ("sleep", "wait", 16)
    assert (found["machine"], found["non_irq_wake"]) == ("ap", ["0x00000005"])
    linux.ask(domains(A0, (1, LpmSetting.RUN_WAIT_STOP, 3)))
    assert state(cpu.ID, "a0")["power_domains"] == [
        {"domain_id": 1, "lpm_setting": "run_wait_stop", "ret_mask": "0x00000003"}
    ]


@pytest.mark.parametrize(
    ("key", "text", "message"),
    [
        ("run_mode", "fly", "unknown run_mode 'fly', expected one of: run, hold, stop, sleep"),
        ("sleep_mode", "5", "unknown sleep_mode '5'"),
        ("reset_vector", "-4", "reset_vector is -4, expected 0 to 0xffffffffffffffff"),
        ("name", "x", "unknown key 'name', expected one of: run_mode, sleep_mode, reset_vector"),
    ],
)
def test_what_a_hand_cannot_do_changes_nothing(
    hand: Any, state: Any, key: str, text: str, message: str
) -> None:
    before = state(cpu.ID, "a0")
    with pytest.raises(UsageError, match=message):
        hand(cpu.ID, "a0", key, text)
    assert state(cpu.ID, "a0") == before
