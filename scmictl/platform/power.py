"""Power domain protocol behaviour: descriptions, states, and the transitions between them.

What the reference leaves open is decided like this. A synchronous POWER_STATE_SET of a domain that
takes its time is answered when the state is reached: the port holds the response until then, and
answers other commands meanwhile. While a domain is on its way to one state, a request that would
send it to another is BUSY, whoever makes it; one for the same state waits for the same transition.
In a shared domain SUCCESS means that the vote counts: the domain stays where it is as long as
others need more, and follows once they do not. POWER_STATE_CHANGED goes to the causing agent too,
POWER_STATE_CHANGE_REQUESTED never; the latter is raised for every accepted request for a state that
the domain is neither in nor on its way to, also if the votes of others then forbid it. A transition
that is stopped, by a hand or because its agent is reset, answers those who waited for it with
GENERIC_ERROR, as does a faulty domain, at once, for every state but its own. Resetting an agent
puts the domains that it set last, or has a vote in, back by transitions of the platform's own.

Of a domain id only the lower 16 bits count, as the specification has it. Without a channel to the
agent there are no asynchronous changes. The domains are those of devices: what an application
processor needs beyond this (its own wish to sleep) has no counterpart here. The statistics region
would be virtio shared memory, which our device does not have: its address and length are 0.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from scmictl import values
from scmictl.errors import UsageError
from scmictl.platform import transition
from scmictl.platform.behaviour import LATER, Behaviour, Call, Handler, Message, require
from scmictl.platform.board import SHORT
from scmictl.platform.transition import PLATFORM, Domain, Transition
from scmictl.protocols import power
from scmictl.wire import Response, Status

if TYPE_CHECKING:
    from scmictl.platform.board import Table
    from scmictl.platform.platform import Platform

KEYS = ("state", "latency", "faulty")
"""What can be adjusted by hand."""
_SWITCH = {"on": True, "off": False, "true": True, "false": False}


class Power(Behaviour):
    """The power domain protocol; ``domains`` are the domains by id."""

    PROTOCOL = power.PROTOCOL
    ID_BITS = 0xFFFF
    NO_LONG_NAME = Status.NOT_SUPPORTED

    def __init__(self, platform: Platform, board: Table) -> None:
        super().__init__(platform, board)
        self.domains = transition.read(board, platform.agent_id)
        self.names = [one.name for one in self.domains]

    def handlers(self) -> Mapping[Message, Handler]:
        return {
            power.ProtocolAttributes: self.protocol_attributes,
            power.DomainAttributes: self.domain_attributes,
            power.StateSet: self.state_set,
            power.StateGet: self.state_get,
            power.StateNotify: self.state_notify,
            power.StateChangeRequestedNotify: self.state_notify,
        }

    def needed(self) -> Mapping[Message, bool]:
        notify = any(one.notify for one in self.domains)
        return {power.StateNotify: notify, power.StateChangeRequestedNotify: notify}

    def reset(self, agent: int, now: float) -> None:
        for id in self.forget(agent):
            one = self.domains[id]
            target = one.disclaim(agent)
            if target != one.goal:
                self.stop(one)
                self.move(one, target, PLATFORM, now)

    # --- what there is ----------------------------------------------------------------------------

    def protocol_attributes(
        self, call: Call, request: power.ProtocolAttributes
    ) -> power.ProtocolAttributesResponse:
        return power.ProtocolAttributesResponse(
            attributes=power.ProtocolAttributesWord(num_power_domains=len(self.domains)),
            statistics_address=0,
            statistics_len=0,
        )

    def domain_attributes(
        self, call: Call, request: power.DomainAttributes
    ) -> power.DomainAttributesResponse:
        one = self.find(call, request.domain_id)
        settable = call.agent not in one.read_only
        word = power.AttributesWord(
            state_change_notifications=one.notify and call.port.events,
            state_set_async=settable and one.asynchronous and call.port.events,
            state_set_sync=settable and one.sync,
            state_change_requested_notifications=one.notify and call.port.events,
            extended_name=len(one.name) > SHORT,
        )
        return power.DomainAttributesResponse(attributes=call.known(word), name=one.name[:SHORT])

    # --- states -----------------------------------------------------------------------------------

    def state_get(self, call: Call, request: power.StateGet) -> power.StateGetResponse:
        one = self.find(call, request.domain_id)
        return power.StateGetResponse(power_state=power.PowerState(one.state))

    def state_set(self, call: Call, request: power.StateSet) -> Response | None:
        one = self.find(call, request.domain_id)
        flags, state = request.flags, int(request.power_state)
        require(not flags.reserved and state in one.states.values())
        able = one.asynchronous and call.port.events if flags.async_ else one.sync
        require(able, Status.NOT_SUPPORTED)
        require(call.agent not in one.read_only, Status.DENIED)
        target = one.wanted(call.agent, state)
        require(one.transition is None or target == one.goal, Status.BUSY)
        require(not one.faulty or target == one.state, Status.GENERIC_ERROR)
        self.remember(call.agent, one.id)
        differs = state != one.goal
        one.claim(call.agent, state)
        if differs:
            asked = power.StateChangeRequested(
                agent_id=call.agent, domain_id=one.id, power_state=power.PowerState(state)
            )
            self.platform.notify(asked, one.id, but=call.agent)
        self.move(one, target, call.agent, call.now)
        # A vote that does not decide has nothing to wait for, even if others are on their way.
        if flags.async_ or one.transition is None or state != target:
            return None
        one.transition.held.append(call.port.hold(call))
        return LATER

    def move(self, one: Domain, target: int, agent: int, now: float) -> None:
        """Send a domain to a state, on account of ``agent``; it may be there or underway."""
        if target == one.goal:
            return
        latency = one.latencies[target]
        if latency:
            timer = self.platform.timers.add(now + latency, lambda _: self.arrive(one))
            one.transition = Transition(target, agent, timer)
        else:
            self.enter(one, target, agent)

    def arrive(self, one: Domain) -> None:
        """End the transition of a domain in the state it was for."""
        done, one.transition = one.transition, None
        assert done is not None
        done.end(Status.SUCCESS)
        self.enter(one, done.target, done.agent)

    def stop(self, one: Domain) -> None:
        """End the transition of a domain, if there is one, in the state it came from."""
        if one.transition is not None:
            self.platform.timers.cancel(one.transition.timer)
            one.transition.end(Status.GENERIC_ERROR)
            one.transition = None

    def enter(self, one: Domain, state: int, agent: int) -> None:
        """Put a domain into a state, and tell those who listen."""
        one.state = state
        event = power.StateChanged(
            agent_id=agent, domain_id=one.id, power_state=power.PowerState(state)
        )
        self.platform.notify(event, one.id)

    def state_notify(
        self, call: Call, request: power.StateNotify | power.StateChangeRequestedNotify
    ) -> None:
        one = self.find(call, request.domain_id)
        self.switch(call, request, one.id, one.notify)

    # --- by hand ----------------------------------------------------------------------------------

    def state(self, resource: int) -> dict[str, Any]:
        one = self.domains[resource]
        agents = self.platform.by_agent
        return {
            "state": one.called(one.state),
            "raw_state": one.state,
            "target": None if one.transition is None else one.called(one.transition.target),
            "votes": {agents[agent].name: one.called(vote) for agent, vote in one.votes.items()},
            "latency_us": {
                name: round(one.latencies[state] * 1_000_000) for name, state in one.states.items()
            },
            "faulty": one.faulty,
        }

    def adjust(self, resource: int, key: str, text: str, now: float) -> None:
        one = self.domains[resource]
        if key == "state":
            state = _state(one, text)
            if one.transition is not None and one.transition.target == state:
                self.platform.timers.cancel(one.transition.timer)
                self.arrive(one)
                return
            self.stop(one)
            one.set_by = PLATFORM
            if state != one.state:
                self.enter(one, state, PLATFORM)
        elif key == "latency":
            one.latencies = dict.fromkeys(one.states.values(), values.duration(text))
        elif key == "faulty":
            if text not in _SWITCH:
                raise values.unknown("value", text, _SWITCH)
            one.faulty = _SWITCH[text]
        else:
            raise values.unknown("key", key, KEYS)

    # --- helpers ----------------------------------------------------------------------------------

    def find(self, call: Call, id: int) -> Domain:
        """Return the domain; raises NOT_FOUND if it does not exist for the agent."""
        return self.domains[self.resolve(call, id)]


def _state(one: Domain, text: str) -> int:
    """Return the state of a domain that ``text`` names; raises UsageError."""
    if text in one.states:
        return one.states[text]
    try:
        state = values.number(text)
    except UsageError:
        state = -1
    if state not in one.states.values():
        raise values.unknown("state", text, one.states)
    return state


BEHAVIOUR = Power
