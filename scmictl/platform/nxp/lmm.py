"""NXP's LMM protocol behaviour: logical machines that boot, reset, suspend and wake.

What the reference leaves open is decided like this. A machine that is already as it is wanted, or
cannot get there (one that is off cannot be suspended), stays as it is, with SUCCESS. One that is
powered on without being booted is off in LMM_ATTRIBUTES. Who shuts down or resets a machine is
announced to its agents by SYSTEM_POWER_STATE_NOTIFIER, if the board has the system power protocol;
by force it is done at once, gracefully when the machine has taken its time (``latency``), as are
suspending and waking. A later request for the same machine takes the place of one that is still
pending. What the agents of a machine have configured is put back when it shuts down, as for an
agent that has restarted; they are not simulated otherwise, and their connections stay. The CPUs of
a machine start, stop, sleep and wake with it, and a machine whose last running CPU stops is
suspended until one runs. The platform's own machine is DENIED to everybody. LMM_EVENT goes to
the agents of other machines only, those of the one that caused it among them; what a hand does is
caused by the platform's machine. The last error of a machine changes by hand only.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from scmictl import values
from scmictl.errors import UsageError
from scmictl.platform.behaviour import Call, Handler, Message, Refusal, require
from scmictl.platform.nxp import reason
from scmictl.platform.nxp.access import Right
from scmictl.platform.nxp.cpu import Cpus
from scmictl.platform.nxp.machine import (
    BOOT,
    PLATFORM,
    SHUTDOWN,
    STATES,
    SUSPEND,
    WAKE,
    Machine,
    Machines,
)
from scmictl.platform.nxp.reason import History, Reason
from scmictl.protocols import system
from scmictl.protocols.nxp import cpu, lmm
from scmictl.protocols.nxp.lmm import State
from scmictl.protocols.system import SystemState
from scmictl.wire import Status

ALL = 0
"""The machine id of LMM_NOTIFY that means all which the agent may watch."""
KEYS = ("state", "err_status", "latency")
"""What can be adjusted by hand."""


class Lmm(Machines):
    """The LMM protocol."""

    def handlers(self) -> Mapping[Message, Handler]:
        return {
            lmm.ProtocolAttributes: self.protocol_attributes,
            lmm.Attributes: self.attributes,
            lmm.Boot: self.boot,
            lmm.Reset: self.reset_machine,
            lmm.Shutdown: self.shutdown,
            lmm.Wake: self.wake,
            lmm.Suspend: self.suspend,
            lmm.Notify: self.notify,
            lmm.ResetReason: self.reset_reason,
            lmm.PowerOn: self.power_on,
            lmm.ResetVectorSet: self.reset_vector_set,
        }

    def reset(self, agent: int, now: float) -> None:
        for one in self.machines:
            if one.pending is not None and one.pending[1] == agent:
                self.withdraw(one)

    # --- what there is ----------------------------------------------------------------------------

    def protocol_attributes(
        self, call: Call, request: lmm.ProtocolAttributes
    ) -> lmm.ProtocolAttributesResponse:
        return lmm.ProtocolAttributesResponse(
            attributes=lmm.ProtocolAttributesWord(num_lm=len(self.machines))
        )

    def attributes(self, call: Call, request: lmm.Attributes) -> lmm.AttributesResponse:
        own = self.homes[call.agent]
        id = own if request.lm_id == lmm.SELF else request.lm_id
        one = self.find(call, id)
        if id != own:
            one.rights.check(call, Right.GET)
        return lmm.AttributesResponse(
            lm_id=id,
            attributes=lmm.AttributesWord(num_agents=len(one.agents)),
            state=one.state,
            err_status=one.err_status,
            name=one.name,
        )

    def reset_reason(self, call: Call, request: lmm.ResetReason) -> lmm.ResetReasonResponse:
        one = self.find(call, request.lm_id)
        one.rights.check(call, Right.GET)
        return lmm.ResetReasonResponse(**one.history.words())

    # --- requests ---------------------------------------------------------------------------------

    def boot(self, call: Call, request: lmm.Boot) -> None:
        one = self.other(call, request.lm_id, Right.EXCLUSIVE)
        self.withdraw(one)
        self.start(one, self.homes[call.agent])

    def power_on(self, call: Call, request: lmm.PowerOn) -> None:
        one = self.other(call, request.lm_id, Right.EXCLUSIVE)
        self.withdraw(one)
        one.powered = one.powered or one.state == State.OFF

    def shutdown(self, call: Call, request: lmm.Shutdown) -> None:
        one = self.other(call, request.lm_id, Right.EXCLUSIVE, request.flags)
        origin = self.homes[call.agent]
        if one.state == State.OFF:
            self.withdraw(one)
            one.powered = False
            return
        self.ask(one, call, "shutdown", request.flags, lambda now: self.stop(one, origin, now))

    def reset_machine(self, call: Call, request: lmm.Reset) -> None:
        one = self.other(call, request.lm_id, Right.EXCLUSIVE, request.flags)
        origin = self.homes[call.agent]
        if one.state == State.OFF:
            self.withdraw(one)
            self.start(one, origin)
            return

        def work(now: float) -> None:
            self.stop(one, origin, now)
            self.start(one, origin)

        self.ask(one, call, "reset", request.flags, work)

    def suspend(self, call: Call, request: lmm.Suspend) -> None:
        one = self.other(call, request.lm_id, Right.EXCLUSIVE)
        origin = self.homes[call.agent]
        if one.state == State.ON:
            graceful = lmm.Graceful(graceful=True)
            self.ask(one, call, "suspend", graceful, lambda now: self.sleep(one, origin))
        elif one.pending is not None and one.pending[0] == "wake":
            self.withdraw(one)

    def wake(self, call: Call, request: lmm.Wake) -> None:
        one = self.other(call, request.lm_id, Right.SET)
        origin = self.homes[call.agent]
        if one.state == State.SUSPENDED:
            self.later(one, "wake", call.agent, call.now, lambda now: self.resume(one, origin))
        elif one.pending is not None and one.pending[0] == "suspend":
            self.withdraw(one)

    def reset_vector_set(self, call: Call, request: lmm.ResetVectorSet) -> None:
        one = self.find(call, request.lm_id)
        cpus = self.cpus()
        require(cpus is not None, Status.NOT_FOUND)
        assert cpus is not None
        core = cpus.find(call, request.cpu_id)
        require(not request.flags.reserved)
        require(core.tables or not request.flags.table)
        own = one.id == self.homes[call.agent]
        self.permit(call, one, Right.PRIV if own else Right.EXCLUSIVE)
        require(core.machine == one.id, Status.DENIED)
        cpus.set_vectors(core, call.agent, request.reset_vector, boot=True)

    # --- what happens to machines -----------------------------------------------------------------

    def ask(
        self,
        one: Machine,
        call: Call,
        what: str,
        flags: lmm.Graceful,
        work: Callable[[float], None],
    ) -> None:
        """Announce to the agents of a machine what is to be done, and do it."""
        waits = flags.graceful and one.latency
        state = {"shutdown": SystemState.SHUTDOWN, "suspend": SystemState.SUSPEND}.get(
            what, SystemState.COLD_RESET
        )
        timed = waits and state == SystemState.SHUTDOWN
        event = system.PowerStateNotifier(
            agent_id=call.agent,
            flags=system.Flags(graceful=flags.graceful),
            system_state=state,
            timeout=min(round(one.latency * 1000), 0xFFFFFFFF) if timed else 0,
        )
        self.platform.notify(event, 0, who=lambda port: port.agent in one.agents)
        if waits:
            self.later(one, what, call.agent, call.now, work)
        else:
            self.withdraw(one)
            work(call.now)

    def later(
        self, one: Machine, what: str, agent: int, now: float, work: Callable[[float], None]
    ) -> None:
        """Do something when the machine has taken its time, unless something else is asked for."""
        self.withdraw(one)

        def finish(now: float) -> None:
            one.pending = None
            work(now)

        if one.latency:
            one.pending = what, agent, self.platform.timers.add(now + one.latency, finish)
        else:
            work(now)

    def withdraw(self, one: Machine) -> None:
        """Forget what the machine was asked to do."""
        if one.pending is not None:
            self.platform.timers.cancel(one.pending[2])
            one.pending = None

    def start(self, one: Machine, origin: int) -> None:
        """Boot a machine that is off, on account of the machine ``origin``."""
        if one.state != State.OFF:
            return
        self.become(one, State.ON, origin, BOOT)
        one.powered = False
        one.history = one.history._replace(boot=Reason(reason.SW, origin))
        self.each_cpu(one, Cpus.boot)

    def stop(self, one: Machine, origin: int, now: float) -> None:
        """Shut down a machine that is not off, on account of the machine ``origin``."""
        one.powered = False
        if one.state == State.OFF:
            return
        for agent in one.agents:
            self.platform.reset_agent(agent, now, permissions=False)
        self.become(one, State.OFF, origin, SHUTDOWN)
        one.history = History(None, Reason(reason.SW, origin))
        self.each_cpu(one, Cpus.stop_all)

    def sleep(self, one: Machine, origin: int) -> None:
        """Suspend a machine that is on."""
        if one.state == State.ON:
            self.become(one, State.SUSPENDED, origin, SUSPEND)
            self.each_cpu(one, Cpus.sleep_all)

    def resume(self, one: Machine, origin: int) -> None:
        """Wake a machine that is suspended."""
        if one.state == State.SUSPENDED:
            self.become(one, State.ON, origin, WAKE)
            self.each_cpu(one, Cpus.wake_all)

    def each_cpu(self, one: Machine, work: Callable[[Cpus, int], None]) -> None:
        """Do something with the CPUs of a machine, if the board has any."""
        cpus = self.cpus()
        if cpus is not None:
            work(cpus, one.id)

    # --- notifications ----------------------------------------------------------------------------

    def notify(self, call: Call, request: lmm.Notify) -> None:
        if request.lm_id != ALL:
            self.find(call, request.lm_id)
        require(not request.flags.reserved)
        require(call.port.events, Status.NOT_SUPPORTED)
        if request.lm_id != ALL:
            self.machines[request.lm_id].rights.check(call, Right.NOTIFY)
            self.wishes.switch(call.port, lmm.Event, request.lm_id, request.flags)
            return
        for one in self.machines:
            if self.visible(call.agent, one.id) and one.rights.of(call.agent) >= Right.NOTIFY:
                self.wishes.switch(call.port, lmm.Event, one.id, request.flags)

    # --- by hand ----------------------------------------------------------------------------------

    def state(self, resource: int) -> dict[str, Any]:
        one = self.machines[resource]
        boot, shutdown = one.history
        return {
            "state": one.state.name.lower(),
            "powered": one.powered or one.state != State.OFF,
            "pending": None if one.pending is None else one.pending[0],
            "err_status": one.err_status,
            "agents": [self.platform.by_agent[agent].name for agent in sorted(one.agents)],
            "latency_us": round(one.latency * 1_000_000),
            "boot": boot and boot.record(),
            "shutdown": shutdown and shutdown.record(),
        }

    def adjust(self, resource: int, key: str, text: str, now: float) -> None:
        one = self.machines[resource]
        if key == "err_status":
            value = values.number(text)
            if not -(1 << 31) <= value < 1 << 31:
                raise UsageError(f"err_status is {value}, expected a status of 32 bits")
            one.err_status = value
        elif key == "latency":
            one.latency = values.duration(text)
        elif key == "state":
            if text not in STATES:
                raise values.unknown("state", text, STATES)
            if one.id == PLATFORM and STATES[text] != State.ON:
                raise UsageError("the platform's own machine is always on")
            self.put(one, STATES[text], now)
        else:
            raise values.unknown("key", key, KEYS)

    def put(self, one: Machine, state: State, now: float) -> None:
        """Bring a machine into a state by hand, through the states on the way."""
        self.withdraw(one)
        if state == State.OFF:
            self.stop(one, PLATFORM, now)
            return
        self.start(one, PLATFORM)
        if state == State.SUSPENDED:
            self.sleep(one, PLATFORM)
        else:
            self.resume(one, PLATFORM)

    # --- helpers ----------------------------------------------------------------------------------

    def find(self, call: Call, id: int) -> Machine:
        """Return the machine; raises NOT_FOUND if it does not exist for the agent."""
        self.check(call, id, len(self.machines))
        return self.machines[id]

    def other(
        self, call: Call, id: int, right: Right, flags: lmm.Graceful | None = None
    ) -> Machine:
        """Return a machine that is not the caller's own, and which it may do this to."""
        one = self.find(call, id)
        require(id != self.homes[call.agent] and not (flags is not None and flags.reserved))
        self.permit(call, one, right)
        return one

    def permit(self, call: Call, one: Machine, right: Right) -> None:
        """Raise DENIED unless the agent has the right, and the machine is not the platform's."""
        if one.id == PLATFORM:
            raise Refusal(Status.DENIED)
        one.rights.check(call, right)

    def cpus(self) -> Cpus | None:
        """Return the CPUs of the board."""
        found = self.platform.behaviours.get(cpu.ID)
        return found if isinstance(found, Cpus) else None


BEHAVIOUR = Lmm
