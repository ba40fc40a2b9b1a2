"""NXP's CPU protocol behaviour: CPUs that run, stop and sleep, and what is set for their sleep.

What the reference leaves open is decided like this. A CPU has three vectors: boot, from which it
starts with its machine, start, for CPU_START (booting sets it to the boot vector), and the one in
force, which CPU_INFO_GET tells and which the resume bit sets at once. The board says what all three
are at first. Setting none of them changes nothing.
The sleep mode, wake masks and settings of power domains and peripherals are kept, and shown by
`sim state`; nothing sleeps because of them. A mask longer than what the CPU has, an index beyond
it, and more settings than NXP's messages can hold are INVALID_PARAMETERS. lp_compute is for the
sleep mode run only. Resetting an agent puts back what it has set last, but starts and stops
nothing: whether a CPU runs is not a setting.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from scmictl import values
from scmictl.platform.behaviour import Behaviour, Call, Handler, Message, require
from scmictl.platform.nxp import access, core, machine
from scmictl.platform.nxp.access import Right
from scmictl.platform.nxp.core import MODES, U64, Cpu
from scmictl.protocols.nxp import cpu
from scmictl.protocols.nxp.cpu import LpmSetting, RunMode, SleepMode
from scmictl.wire import Status

if TYPE_CHECKING:
    from scmictl.platform.board import Table
    from scmictl.platform.platform import Platform

MOST_MASKS = 22
MOST_DOMAINS = 7
MOST_PERIPHERALS = 11
"""What fits into NXP's messages of 100 bytes."""
KEYS = ("run_mode", "sleep_mode", "reset_vector")
"""What can be adjusted by hand."""


class Cpus(Behaviour):
    """The CPU protocol; ``cores`` are the CPUs by id."""

    PROTOCOL = cpu.PROTOCOL

    def __init__(self, platform: Platform, board: Table) -> None:
        super().__init__(platform, board)
        self.machines = machine.of(platform)
        self.cores = core.read(board, platform, self.machines)
        self.names = [one.name for one in self.cores]

    def handlers(self) -> Mapping[Message, Handler]:
        return {
            cpu.ProtocolAttributes: self.protocol_attributes,
            cpu.Attributes: self.attributes,
            cpu.Start: self.start,
            cpu.Stop: self.stop,
            cpu.ResetVectorSet: self.reset_vector_set,
            cpu.SleepModeSet: self.sleep_mode_set,
            cpu.IrqWakeSet: self.wake_set,
            cpu.NonIrqWakeSet: self.wake_set,
            cpu.PdLpmConfigSet: self.domains_set,
            cpu.PerLpmConfigSet: self.peripherals_set,
            cpu.InfoGet: self.info_get,
        }

    def reset(self, agent: int, now: float) -> None:
        for one in self.cores:
            if one.set_by == agent:
                one.settings = one.fresh()
                one.set_by = 0

    # --- what there is ----------------------------------------------------------------------------

    def protocol_attributes(
        self, call: Call, request: cpu.ProtocolAttributes
    ) -> cpu.ProtocolAttributesResponse:
        return cpu.ProtocolAttributesResponse(
            attributes=cpu.ProtocolAttributesWord(num_cpus=len(self.cores))
        )

    def attributes(self, call: Call, request: cpu.Attributes) -> cpu.AttributesResponse:
        return cpu.AttributesResponse(name=self.find(call, request.cpu_id).name)

    def info_get(self, call: Call, request: cpu.InfoGet) -> cpu.InfoGetResponse:
        one = self.find(call, request.cpu_id)
        return cpu.InfoGetResponse(
            run_mode=one.run_mode,
            sleep_mode=one.settings.sleep_mode,
            reset_vector=one.settings.vector,
        )

    # --- running ----------------------------------------------------------------------------------

    def start(self, call: Call, request: cpu.Start) -> None:
        one = self.find(call, request.cpu_id)
        one.rights.check(call, Right.EXCLUSIVE)
        if not one.active:
            one.settings.vector = one.settings.start
            self.enter(one, RunMode.RUN)

    def stop(self, call: Call, request: cpu.Stop) -> None:
        one = self.find(call, request.cpu_id)
        one.rights.check(call, Right.EXCLUSIVE)
        self.enter(one, RunMode.STOP)

    def enter(self, one: Cpu, mode: int) -> None:
        """Let a CPU do something else, which may suspend or wake its machine."""
        one.run_mode = mode
        if self.machines is not None and one.machine is not None:
            active = any(other.active for other in self.of(one.machine))
            self.machines.cpus_changed(one.machine, active)

    def of(self, machine: int) -> list[Cpu]:
        """Return the CPUs of a logical machine."""
        return [one for one in self.cores if one.machine == machine]

    # --- for the machines -------------------------------------------------------------------------

    def boot(self, machine: int) -> None:
        """Start the CPUs that start with their machine, at their boot vectors."""
        for one in self.of(machine):
            one.settings.start = one.settings.boot
            if one.boots:
                one.settings.vector = one.settings.boot
                one.run_mode = RunMode.RUN

    def stop_all(self, machine: int) -> None:
        """Stop the CPUs of a machine."""
        for one in self.of(machine):
            one.run_mode = RunMode.STOP

    def sleep_all(self, machine: int) -> None:
        """Let those CPUs of a machine that run fall asleep."""
        for one in self.of(machine):
            if one.active:
                one.run_mode = RunMode.SLEEP

    def wake_all(self, machine: int) -> None:
        """Let those CPUs of a machine that sleep run."""
        for one in self.of(machine):
            if one.run_mode == RunMode.SLEEP:
                one.run_mode = RunMode.RUN

    # --- settings ---------------------------------------------------------------------------------

    def reset_vector_set(self, call: Call, request: cpu.ResetVectorSet) -> None:
        one = self.find(call, request.cpu_id)
        flags = request.flags
        require(not flags.reserved and (one.tables or not flags.table))
        one.rights.check(call, Right.EXCLUSIVE)
        self.set_vectors(
            one,
            call.agent,
            request.reset_vector,
            boot=flags.boot,
            start=flags.start,
            resume=flags.resume,
        )

    def set_vectors(
        self,
        one: Cpu,
        agent: int,
        vector: int,
        *,
        boot: bool = False,
        start: bool = False,
        resume: bool = False,
    ) -> None:
        """Set some of the vectors of a CPU."""
        one.set_by = agent
        if boot:
            one.settings.boot = vector
        if start:
            one.settings.start = vector
        if resume:
            one.settings.vector = vector

    def sleep_mode_set(self, call: Call, request: cpu.SleepModeSet) -> None:
        one = self.find(call, request.cpu_id)
        flags, mode = request.flags, request.sleep_mode
        require(not flags.reserved and mode <= max(SleepMode))
        require(mode == SleepMode.RUN or not flags.lp_compute)
        one.rights.check(call, Right.EXCLUSIVE)
        one.set_by = call.agent
        one.settings.flags, one.settings.sleep_mode = flags, mode

    def wake_set(self, call: Call, request: cpu.IrqWakeSet | cpu.NonIrqWakeSet) -> None:
        one = self.find(call, request.cpu_id)
        settings = one.settings
        masks = settings.irq if isinstance(request, cpu.IrqWakeSet) else settings.non_irq
        first, count = request.mask_idx, request.num_mask
        require(count <= MOST_MASKS and first + count <= len(masks))
        one.rights.check(call, Right.EXCLUSIVE)
        one.set_by = call.agent
        masks[first : first + count] = request.mask

    def domains_set(self, call: Call, request: cpu.PdLpmConfigSet) -> None:
        one = self.find(call, request.cpu_id)
        configs = request.configs
        require(all(config.domain_id < one.domains for config in configs), Status.NOT_FOUND)
        require(len(configs) <= MOST_DOMAINS)
        require(all(config.lpm_setting <= max(LpmSetting) for config in configs))
        one.rights.check(call, Right.EXCLUSIVE)
        one.set_by = call.agent
        for config in configs:
            one.settings.domains[config.domain_id] = config.lpm_setting, config.ret_mask

    def peripherals_set(self, call: Call, request: cpu.PerLpmConfigSet) -> None:
        one = self.find(call, request.cpu_id)
        configs = request.configs
        require(all(config.per_id < one.peripherals for config in configs), Status.NOT_FOUND)
        require(len(configs) <= MOST_PERIPHERALS)
        require(all(config.lpm_setting <= max(LpmSetting) for config in configs))
        one.rights.check(call, Right.EXCLUSIVE)
        one.set_by = call.agent
        for config in configs:
            one.settings.peripherals[config.per_id] = config.lpm_setting

    # --- by hand ----------------------------------------------------------------------------------

    def state(self, resource: int) -> dict[str, Any]:
        one = self.cores[resource]
        own = one.settings
        return {
            "run_mode": RunMode(one.run_mode).name.lower(),
            "sleep_mode": SleepMode(own.sleep_mode).name.lower(),
            "sleep_flags": f"{int(own.flags):#x}",
            "reset_vector": own.vector,
            "boot_vector": own.boot,
            "start_vector": own.start,
            "machine": None
            if self.machines is None or one.machine is None
            else self.machines.names[one.machine],
            "irq_wake": [f"{word:#010x}" for word in own.irq],
            "non_irq_wake": [f"{word:#010x}" for word in own.non_irq],
            "power_domains": [
                {
                    "domain_id": id,
                    "lpm_setting": LpmSetting(setting).name.lower(),
                    "ret_mask": f"{mask:#010x}",
                }
                for id, (setting, mask) in own.domains.items()
            ],
            "peripherals": [
                {"per_id": id, "lpm_setting": LpmSetting(setting).name.lower()}
                for id, setting in own.peripherals.items()
            ],
        }

    def adjust(self, resource: int, key: str, text: str, now: float) -> None:
        one = self.cores[resource]
        if key == "run_mode":
            if text not in MODES:
                raise values.unknown("run_mode", text, MODES)
            self.enter(one, MODES[text])
        elif key == "sleep_mode":
            modes = {mode.name.lower(): mode for mode in SleepMode}
            if text not in modes:
                raise values.unknown("sleep_mode", text, modes)
            one.settings.sleep_mode = modes[text]
        elif key == "reset_vector":
            one.settings.vector = access.number(key, text, U64)
        else:
            raise values.unknown("key", key, KEYS)

    # --- helpers ----------------------------------------------------------------------------------

    def find(self, call: Call, id: int) -> Cpu:
        """Return the CPU; raises NOT_FOUND if it does not exist for the agent."""
        self.check(call, id, len(self.cores))
        return self.cores[id]


BEHAVIOUR = Cpus
