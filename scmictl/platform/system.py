"""System power protocol behaviour: the state of the whole system, and requests to change it.

The platform records transitions and goes on answering: nothing is switched off, no other protocol
is put back. What the reference leaves open is decided like this. After a cold or warm reset the
system is powered up again; a request for the state it is in already (shutdown, power-up, suspend)
succeeds and is none. A vendor's state has to be one of the board's, else it is NOT_SUPPORTED, and
is entered every time it is asked for. SYSTEM_POWER_STATE_NOTIFIER never goes to the agent that
asked. A forceful request is announced and done at once. A graceful one is announced, and done when
the time of the board has passed, whether anybody listens or not; the time is told for a shutdown
only, as the reference says. Until then another graceful request is BUSY, while a forceful one is
done at once and takes the place of the graceful. Resetting the agent that made it ends it. All
agents see the same system; those the board restricts may read, but not set it. Who runs on it is
not simulated, so a suspend is never DENIED because of others.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from scmictl import values
from scmictl.errors import UsageError
from scmictl.platform import permission
from scmictl.platform.behaviour import Behaviour, Call, Handler, Message, Refusal, require
from scmictl.platform.timer import Timer
from scmictl.protocols import system
from scmictl.protocols.system import SystemState
from scmictl.wire import Status
from scmictl.wire.record import enum_name

if TYPE_CHECKING:
    from scmictl.platform.board import Table
    from scmictl.platform.platform import Platform

SYSTEM = 0
"""The number of the one resource there is: the system."""
PLATFORM = 0
"""The agent of what no agent has asked for."""
VENDOR = 0x80000000
"""The states from here on are the vendor's own."""
REMEMBERED = 256
"""Transitions kept; the older ones go."""
KEYS = ("state", "graceful", "timeout")
"""What can be adjusted by hand."""
_RESETS = (SystemState.COLD_RESET, SystemState.WARM_RESET)


class Transition(NamedTuple):
    """What the system has done: which state was asked for by whom, and when it was done."""

    state: int
    agent: int
    graceful: bool
    uptime_us: int


class Pending(NamedTuple):
    """A graceful request whose time has not passed yet."""

    state: int
    agent: int
    timer: Timer


class System(Behaviour):
    """The system power protocol; ``transitions`` are the recorded ones, the oldest first."""

    PROTOCOL = system.PROTOCOL

    def __init__(self, platform: Platform, board: Table) -> None:
        super().__init__(platform, board)
        row = board.table("system").only(
            "warm_reset", "suspend", "states", "state_get", "notify", "timeout", "restrict"
        )
        self.names = ["system"]
        self.vendor = _vendor_states(row)
        """The vendor's states by name."""
        self.warm_reset = row.flag("warm_reset", True)
        self.suspend = row.flag("suspend", True)
        self.notifies = row.flag("notify", True)
        # Rounded up: nobody shall have less than the told time.
        self.timeout_ms = -(-row.time("timeout", "10s").ticks // 10**13)
        if self.timeout_ms > 0xFFFFFFFF:
            raise row.error("timeout", "at most 4294967295 ms")
        self.readable = row.flag("state_get", True)
        self.read_only = permission.restricted(row, platform.agent_id)
        self.current: int = SystemState.POWER_UP
        self.pending: Pending | None = None
        self.transitions: deque[Transition] = deque(maxlen=REMEMBERED)

    def handlers(self) -> Mapping[Message, Handler]:
        return {
            system.ProtocolAttributes: self.protocol_attributes,
            system.MessageAttributes: self.message_attributes_,
            system.PowerStateSet: self.power_state_set,
            system.PowerStateGet: self.power_state_get,
            system.PowerStateNotify: self.power_state_notify,
        }

    def needed(self) -> Mapping[Message, bool]:
        return {system.PowerStateGet: self.readable, system.PowerStateNotify: self.notifies}

    def reset(self, agent: int, now: float) -> None:
        if self.pending is not None and self.pending.agent == agent:
            self.withdraw()

    # --- what there is ----------------------------------------------------------------------------

    def protocol_attributes(
        self, call: Call, request: system.ProtocolAttributes
    ) -> system.ProtocolAttributesResponse:
        return system.ProtocolAttributesResponse(attributes=0)

    def message_attributes_(
        self, call: Call, request: system.MessageAttributes
    ) -> system.MessageAttributesResponse:
        found = self.method(request.message_id, call.version)
        if found is None or not self.offers(found[0], call.port):
            # Arm's test suite wants the absence of this one told in its own way.
            notify = request.message_id == system.PowerStateNotify.MESSAGE_ID
            raise Refusal(Status.NOT_SUPPORTED if notify else Status.NOT_FOUND)
        if found[0] is not system.PowerStateSet:
            return system.MessageAttributesResponse(attributes=system.MessageAttributesWord(0))
        word = system.MessageAttributesWord(warm_reset=self.warm_reset, suspend=self.suspend)
        return system.MessageAttributesResponse(attributes=word)

    # --- states -----------------------------------------------------------------------------------

    def power_state_get(
        self, call: Call, request: system.PowerStateGet
    ) -> system.PowerStateGetResponse:
        return system.PowerStateGetResponse(system_state=self.current)

    def power_state_set(self, call: Call, request: system.PowerStateSet) -> None:
        state = request.system_state
        require(not request.flags.reserved)
        require(state <= max(SystemState) or state >= VENDOR)
        require(self.supports(state), Status.NOT_SUPPORTED)
        require(call.agent not in self.read_only, Status.DENIED)
        graceful = request.flags.graceful and state != SystemState.POWER_UP
        require(not graceful or self.pending is None, Status.BUSY)
        self.request(state, call.agent, graceful, call.now)

    def supports(self, state: int) -> bool:
        """Return whether the system has a state that is not reserved."""
        if state >= VENDOR:
            return state in self.vendor.values()
        return {SystemState.WARM_RESET: self.warm_reset, SystemState.SUSPEND: self.suspend}.get(
            SystemState(state), True
        )

    def power_state_notify(self, call: Call, request: system.PowerStateNotify) -> None:
        self.switch(call, request, SYSTEM, self.notifies)

    # --- transitions ------------------------------------------------------------------------------

    def request(self, state: int, agent: int, graceful: bool, now: float) -> None:
        """Announce a transition, and do it at once or, if graceful, when the time has passed."""
        if state == self.current and state < VENDOR:
            return
        timed = graceful and state == SystemState.SHUTDOWN
        event = system.PowerStateNotifier(
            agent_id=agent,
            flags=system.Flags(graceful=graceful),
            system_state=state,
            timeout=self.timeout_ms if timed else 0,
        )
        # No agent has the platform's number: what nobody has asked for goes to all.
        self.platform.notify(event, SYSTEM, but=agent)
        self.withdraw()
        if graceful:
            timer = self.platform.timers.add(now + self.timeout_ms / 1000, self.time_out)
            self.pending = Pending(state, agent, timer)
        else:
            self.enter(state, agent, False, now)

    def withdraw(self) -> None:
        """End a graceful request undone, if there is one."""
        if self.pending is not None:
            self.platform.timers.cancel(self.pending.timer)
            self.pending = None

    def time_out(self, now: float) -> None:
        """Do what was asked for gracefully."""
        done, self.pending = self.pending, None
        assert done is not None
        self.enter(done.state, done.agent, True, now)

    def enter(self, state: int, agent: int, graceful: bool, now: float) -> None:
        """Record a transition, and be in the state it leads to."""
        self.current = SystemState.POWER_UP if state in _RESETS else state
        uptime_us = self.platform.uptime_us(now)
        self.transitions.append(Transition(state, agent, graceful, uptime_us))

    # --- by hand ----------------------------------------------------------------------------------

    def state(self, resource: int) -> dict[str, Any]:
        pending = self.pending
        return {
            "state": self.called(self.current),
            "raw_state": int(self.current),
            "pending": pending and {"state": self.called(pending.state), "agent_id": pending.agent},
            "timeout_ms": self.timeout_ms,
            "transitions": [
                {
                    "state": self.called(done.state),
                    "raw_state": int(done.state),
                    "agent_id": done.agent,
                    "graceful": done.graceful,
                    "uptime_us": done.uptime_us,
                }
                for done in self.transitions
            ],
        }

    def adjust(self, resource: int, key: str, text: str, now: float) -> None:
        if key == "timeout":
            timeout_ms = round(values.duration(text) * 1000)
            if not 1 <= timeout_ms <= 0xFFFFFFFF:
                raise UsageError(f"found {text!r}, expected a time of 1 to 4294967295 ms")
            self.timeout_ms = timeout_ms
        elif key == "state":
            self.request(self.named(text), PLATFORM, False, now)
        elif key == "graceful":
            state = self.named(text)
            self.request(state, PLATFORM, state != SystemState.POWER_UP, now)
        else:
            raise values.unknown("key", key, KEYS)

    def called(self, state: int) -> str:
        """Return the name of a state."""
        for name, value in self.vendor.items():
            if value == state:
                return name
        return str(enum_name(SystemState, state))

    def named(self, text: str) -> int:
        """Return the state that ``text`` names; raises UsageError."""
        if text in self.vendor:
            return self.vendor[text]
        known = [state.name.lower() for state in SystemState if self.supports(state)]
        try:
            state = int(values.enum_value(text, SystemState))
        except UsageError:
            state = -1
        reserved = not (0 <= state <= max(SystemState) or state >= VENDOR)
        if reserved or not self.supports(state):
            raise values.unknown("state", text, [*known, *self.vendor])
        return state


def _vendor_states(row: Table) -> dict[str, int]:
    table = row.table("states")
    states: dict[str, int] = {}
    taken = [state.name for state in SystemState]
    for name in table.values:
        if str(name).upper().replace("-", "_") in taken:
            raise table.error(name, "a name that is not one of the specification's", repr(name))
        value = table.integer(name, VENDOR, 0xFFFFFFFF)
        if value in states.values():
            raise table.error(name, "a state of its own", f"{value:#x}")
        states[name] = value
    return states


BEHAVIOUR = System
