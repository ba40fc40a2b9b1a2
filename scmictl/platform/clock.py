"""Clock protocol behaviour: what the messages do to the clock tree.

What the reference leaves open is decided like this: a rate outside a clock's rates is
INVALID_PARAMETERS whatever the rounding; a triplet is whole for the indices 0 to 2 and OUT_OF_RANGE
from 3; a parent that cannot change is NOT_SUPPORTED; asynchronous changes count per connection;
CLOCK_RATE_CHANGED goes to the causing agent too, CLOCK_RATE_CHANGE_REQUESTED never, and the latter
is raised for every permitted request for another rate, also if the needs of others then forbid it.
Changing a follower's rate takes permission for the clocks it follows.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from scmictl.platform import tree, tuning
from scmictl.platform.behaviour import (
    COUNT_BITS,
    Behaviour,
    Call,
    Handler,
    Message,
    Refusal,
    require,
)
from scmictl.platform.board import SHORT
from scmictl.platform.steps import Round
from scmictl.platform.tree import PARENT, RATE, STATE
from scmictl.protocols import clock
from scmictl.wire import Status

if TYPE_CHECKING:
    from scmictl.platform.board import Table
    from scmictl.platform.platform import Platform


class Clock(Behaviour):
    """The clock protocol; ``clocks`` are the clocks by id."""

    PROTOCOL = clock.PROTOCOL
    NO_LONG_NAME = Status.NOT_SUPPORTED

    def __init__(self, platform: Platform, board: Table) -> None:
        super().__init__(platform, board)
        self.clocks = tree.read(board, platform.agent_id)
        self.names = [one.name for one in self.clocks]

    def handlers(self) -> Mapping[Message, Handler]:
        return {
            clock.ProtocolAttributes: self.protocol_attributes,
            clock.Attributes: self.attributes,
            clock.DescribeRates: self.describe_rates,
            clock.RateSet: self.rate_set,
            clock.RateGet: self.rate_get,
            clock.ConfigSet: self.config_set,
            clock.RateNotify: self.rate_notify,
            clock.RateChangeRequestedNotify: self.rate_notify,
            clock.ConfigGet: self.config_get,
            clock.PossibleParentsGet: self.possible_parents_get,
            clock.ParentSet: self.parent_set,
            clock.ParentGet: self.parent_get,
            clock.GetPermissions: self.get_permissions,
        }

    def needed(self) -> Mapping[Message, bool]:
        notify = any(one.notify for one in self.clocks)
        parents = any(one.parents for one in self.clocks)
        return {
            clock.RateNotify: notify,
            clock.RateChangeRequestedNotify: notify,
            clock.PossibleParentsGet: parents,
            clock.ParentGet: parents,
            clock.ParentSet: any(one.divides for one in self.clocks),
            clock.GetPermissions: any(one.restricted or one.divider for one in self.clocks),
        }

    def reset(self, agent: int, now: float) -> None:
        for id in self.forget(agent):
            self.announce(tree.put_back(self.clocks[id], agent), 0)

    def state(self, resource: int) -> dict[str, Any]:
        agents = {id: agent.name for id, agent in self.platform.by_agent.items()}
        return tuning.state(self.clocks[resource], agents)

    def adjust(self, resource: int, key: str, text: str, now: float) -> None:
        self.announce(tuning.adjust(self.clocks[resource], key, text), tuning.HAND)

    def behind(self, resource: int) -> Iterable[object]:
        return (self.clocks[resource],)

    # --- what there is ----------------------------------------------------------------------------

    def protocol_attributes(
        self, call: Call, request: clock.ProtocolAttributes
    ) -> clock.ProtocolAttributesResponse:
        return clock.ProtocolAttributesResponse(
            attributes=clock.ProtocolAttributesWord(
                max_async_rate_changes=self.max_async if call.port.events else 0,
                num_clocks=len(self.clocks),
            )
        )

    def attributes(self, call: Call, request: clock.Attributes) -> clock.AttributesResponse:
        one = self.find(call, request.clock_id)
        word = clock.AttributesWord(
            rate_changed_notifications=one.notify and call.port.events,
            rate_change_requested_notifications=one.notify and call.port.events,
            extended_name=len(one.name) > SHORT,
            parent_ids_available=bool(one.parents),
            extended_config=one.duty_cycle is not None,
            restricted=bool(self.denied(call.agent, one)),
            enabled=one.enabled,
        )
        return clock.AttributesResponse(
            attributes=call.known(word),
            clock_name=one.name[:SHORT],
            clock_enable_delay=one.enable_delay_us,
        )

    def get_permissions(
        self, call: Call, request: clock.GetPermissions
    ) -> clock.GetPermissionsResponse:
        denied = self.denied(call.agent, self.find(call, request.clock_id))
        return clock.GetPermissionsResponse(
            permissions=clock.Permissions(
                state_control_allowed=STATE not in denied,
                parent_control_allowed=PARENT not in denied,
                rate_control_allowed=RATE not in denied,
            )
        )

    # --- rates ------------------------------------------------------------------------------------

    def describe_rates(
        self, call: Call, request: clock.DescribeRates
    ) -> clock.DescribeRatesResponse:
        steps = self.find(call, request.clock_id).steps
        require(request.rate_index < len(steps.items), Status.OUT_OF_RANGE)
        if steps.triplet:
            call.fit(8 * 3)
            flags = clock.NumRatesFlags(rate_format=clock.RateFormat.TRIPLET, num_returned=3)
            return clock.DescribeRatesResponse(num_rates_flags=flags, rates=list(steps.items))
        left = steps.items[request.rate_index :]
        rates = list(left[: min(call.fit(8), COUNT_BITS)])
        flags = clock.NumRatesFlags(num_returned=len(rates), num_remaining=len(left) - len(rates))
        return clock.DescribeRatesResponse(num_rates_flags=flags, rates=rates)

    def rate_get(self, call: Call, request: clock.RateGet) -> clock.RateGetResponse:
        return clock.RateGetResponse(rate=self.find(call, request.clock_id).rate)

    def rate_set(self, call: Call, request: clock.RateSet) -> None:
        one = self.find(call, request.clock_id)
        flags = request.flags
        require(not flags.reserved)
        way = Round.UP if flags.round_up else Round.DOWN
        rate = one.steps.round(request.rate, Round.NEAREST if flags.round_auto else way)
        require(rate is not None and one.steps.lowest <= request.rate <= one.steps.highest)
        assert rate is not None
        # What the parent allows may have changed when an asynchronous change is made.
        require(flags.async_ or self.reachable(one, rate))
        require(not flags.async_ or (self.max_async and call.port.events), Status.NOT_SUPPORTED)
        self.permit(call, one, RATE)
        differs = rate != one.rate
        if flags.async_:
            self.accept(call, one, rate, bool(flags.ignore_delayed_response))
        if differs:
            asked = clock.RateChangeRequested(
                agent_id=call.agent, clock_id=one.id, rate=request.rate
            )
            self.platform.notify(asked, one.id, but=call.agent)
        if not flags.async_:
            self.change(one, rate, call.agent)

    def accept(self, call: Call, one: tree.Clock, rate: int, silent: bool) -> None:
        """Have the rate changed later; ``silent`` means that no delayed response is wanted."""
        agent = call.agent

        def work(now: float) -> clock.RateSetComplete | None:
            try:
                require(self.visible(agent, one.id), Status.NOT_FOUND)
                self.change(one, rate, agent)
            except Refusal:
                if silent:
                    return None
                raise
            return None if silent else clock.RateSetComplete(clock_id=one.id, rate=one.rate)

        call.port.defer(call, one.latency, self.max_async, work)

    def change(self, one: tree.Clock, rate: int, agent: int) -> None:
        """Change the rate of a clock and of all that follow the same one.

        Raises INVALID_PARAMETERS if its parent is too slow, DENIED if children need more.
        """
        source, needed = one.source, tree.scaled(one, rate)
        require(self.reachable(one, rate))
        require(not tree.forbidden(source, needed), Status.DENIED)
        self.remember(agent, source.id)
        self.announce(tree.set_rate(source, needed, agent), agent)

    def reachable(self, one: tree.Clock, rate: int) -> bool:
        """Return whether the parent that is selected is fast enough for a rate of the clock."""
        source = one.source
        divided = source.parent if source.divides else None
        return divided is None or tree.scaled(one, rate) <= divided.rate

    def announce(self, changed: list[tree.Clock], agent: int) -> None:
        """Tell the subscribers of clocks whose rate has changed."""
        for one in changed:
            if self.platform.listened(clock.RateChanged, one.id):
                event = clock.RateChanged(agent_id=agent, clock_id=one.id, rate=one.rate)
                self.platform.notify(event, one.id)

    def rate_notify(
        self, call: Call, request: clock.RateNotify | clock.RateChangeRequestedNotify
    ) -> None:
        one = self.find(call, request.clock_id)
        self.switch(call, request, one.id, one.notify)

    # --- gates ------------------------------------------------------------------------------------

    def config_set(self, call: Call, request: clock.ConfigSet) -> None:
        one = self.find(call, request.clock_id)
        word = request.attributes
        require(not word.reserved)
        if call.version < 0x30000:
            self.permit(call, one, STATE)
            self.gate(one, call.agent, bool(word.enable))
            return
        kind, percent = word.extended_config_type, request.extended_config_val or 0
        require(word.state != clock.State.RESERVED)
        require(word.state != clock.State.UNCHANGED or kind != clock.ExtendedConfig.NONE)
        require(kind != clock.ExtendedConfig.DUTY_CYCLE or percent <= 100)
        self.require_extended(one, kind)
        self.permit(call, one, STATE)
        if word.state != clock.State.UNCHANGED:
            self.gate(one, call.agent, word.state == clock.State.ENABLE)
        if kind != clock.ExtendedConfig.NONE:
            self.remember(call.agent, one.id)
            tree.set_duty_cycle(one, percent, call.agent)

    def config_get(self, call: Call, request: clock.ConfigGet) -> clock.ConfigGetResponse:
        one = self.find(call, request.clock_id)
        require(not request.flags.reserved)
        kind = request.flags.extended_config_type
        self.require_extended(one, kind)
        value = one.duty_cycle if kind != clock.ExtendedConfig.NONE else 0
        return clock.ConfigGetResponse(
            config=clock.ConfigWord(enabled=one.enabled), extended_config_val=value or 0
        )

    def gate(self, one: tree.Clock, agent: int, enable: bool) -> None:
        """Enable or disable a clock for an agent; it stays on while anybody needs it."""
        self.remember(agent, one.id)
        tree.vote(one, agent, enable)

    def require_extended(self, one: tree.Clock, kind: int) -> None:
        """Refuse an extended configuration that the clock does not have."""
        if kind == clock.ExtendedConfig.NONE:
            return
        require(kind in list(clock.ExtendedConfig) or kind >= clock.VENDOR_CONFIG)
        require(one.duty_cycle is not None, Status.NOT_SUPPORTED)
        require(kind == clock.ExtendedConfig.DUTY_CYCLE)

    # --- parents ----------------------------------------------------------------------------------

    def possible_parents_get(
        self, call: Call, request: clock.PossibleParentsGet
    ) -> clock.PossibleParentsGetResponse:
        one = self.find(call, request.clock_id)
        require(one.parents, Status.NOT_SUPPORTED)
        require(request.skip_parents < len(one.parents), Status.OUT_OF_RANGE)
        left = one.parents[request.skip_parents :]
        ids = [parent.id for parent in left[: call.fit(4)]]
        return clock.PossibleParentsGetResponse(
            num_parent_flags=clock.NumParentFlags(
                num_returned=len(ids), num_remaining=len(left) - len(ids)
            ),
            possible_parents=ids,
        )

    def parent_get(self, call: Call, request: clock.ParentGet) -> clock.ParentGetResponse:
        parent = self.find(call, request.clock_id).parent
        require(parent is not None, Status.NOT_SUPPORTED)
        assert parent is not None
        return clock.ParentGetResponse(parent_id=parent.id)

    def parent_set(self, call: Call, request: clock.ParentSet) -> None:
        one = self.find(call, request.clock_id)
        parent = self.find(call, request.parent_id)
        require(one.divides, Status.NOT_SUPPORTED)
        require(parent in one.parents)
        # The rate stays, so the new parent has to be fast enough for it.
        require(one.rate <= parent.rate, Status.OUT_OF_RANGE)
        self.permit(call, one, PARENT)
        self.remember(call.agent, one.id)
        tree.set_parent(one, parent, call.agent)

    # --- helpers ----------------------------------------------------------------------------------

    def find(self, call: Call, id: int) -> tree.Clock:
        """Return the clock; raises NOT_FOUND if it does not exist for the agent."""
        return self.clocks[self.resolve(call, id)]

    def denied(self, agent: int, one: tree.Clock) -> frozenset[str]:
        """Return the controls of a clock that the agent does not have."""
        own = one.restricted.get(agent, frozenset())
        for above in one.chain():
            if RATE in above.restricted.get(agent, ()) or not self.visible(agent, above.id):
                return own | {RATE}
        return own

    def permit(self, call: Call, one: tree.Clock, control: str) -> None:
        """Raise DENIED unless the calling agent has this control of the clock."""
        require(control not in self.denied(call.agent, one), Status.DENIED)


BEHAVIOUR = Clock
