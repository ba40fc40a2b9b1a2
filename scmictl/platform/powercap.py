"""Power capping behaviour: domains and their limits, caps, averaging intervals, measured power.

What the reference leaves open is decided like this: the lowest cap that an agent asks for is in
force, 0 withdraws in every version; a cap or interval outside its range is OUT_OF_RANGE, one
between two steps INVALID_PARAMETERS, and NOT_SUPPORTED comes before both where nothing can be set;
while an asynchronous change waits, another change of the same limit is BUSY. A change of the cap in
force or of an interval is told to the causing agent too. Identifiers have 16 bits, what is above
them is ignored. A parent that an agent may not see is left out of the tree it is shown. Thresholds
that are both 0 are none in version 3.0, where the notification has another use. The FastChannels
that a board asks for are said to exist, but cannot be described: virtio has no memory for them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from scmictl.platform import allotment, capability, override
from scmictl.platform.behaviour import (
    COUNT_BITS,
    Behaviour,
    Call,
    Handler,
    Message,
    Refusal,
    require,
)
from scmictl.platform.budget import CAP, INTERVAL, LIMITS, MEASUREMENT, Domain, Limit, Range
from scmictl.platform.draw import Draw
from scmictl.platform.meter import Meter
from scmictl.protocols import powercap
from scmictl.wire import Notification, Status

if TYPE_CHECKING:
    from scmictl.platform.board import Table
    from scmictl.platform.platform import Platform
    from scmictl.platform.port import Port

BY_PLATFORM = 0
CPL_SIZE = 48
FAST = frozenset((powercap.CapGet, powercap.CapSet, powercap.PaiGet, powercap.PaiSet))
FAST_LATER = FAST | {powercap.CaiGet, powercap.CaiSet, powercap.MeasurementsGet}
"""The messages that can have FastChannels: up to version 2.0, and from 3.0 on."""


class Powercap(Behaviour):
    """The power capping protocol; ``domains`` are the domains by id."""

    PROTOCOL = powercap.PROTOCOL
    ID_BITS = 0xFFFF

    def __init__(self, platform: Platform, board: Table) -> None:
        super().__init__(platform, board)
        self.domains = allotment.read(board, platform.seed, platform.agent_id)
        self.names = [one.name for one in self.domains]
        self.draw = Draw()
        self.meter = Meter(platform, self.draw)

    def handlers(self) -> Mapping[Message, Handler]:
        return {
            powercap.ProtocolAttributes: self.protocol_attributes,
            powercap.MessageAttributes: self.describe_message,
            powercap.DomainAttributes: self.domain_attributes,
            powercap.CapGet: self.cap_get,
            powercap.CapSet: self.cap_set,
            powercap.PaiGet: self.pai_get,
            powercap.PaiSet: self.pai_set,
            powercap.MeasurementsGet: self.measurements_get,
            powercap.CapNotify: self.cap_notify,
            powercap.MeasurementsNotify: self.measurements_notify,
            powercap.DescribeFastchannel: self.describe_fastchannel,
            powercap.CpcAttributes: self.cpc_attributes,
            powercap.CaiGet: self.cai_get,
            powercap.CaiSet: self.cai_set,
        }

    def needed(self) -> Mapping[Message, bool]:
        return {
            powercap.CapNotify: any(one.notify for one in self.domains),
            powercap.MeasurementsNotify: any(one.notify and one.monitoring for one in self.domains),
        }

    def subscribed(self, event: type[Notification], resource: int, now: float) -> None:
        if event is powercap.MeasurementsChanged:
            self.meter.refresh(self.domains[resource])

    def reset(self, agent: int, now: float) -> None:
        for id in self.forget(agent):
            one = self.domains[id]
            for number, limit in enumerate(one.limits):
                cap, cai = limit.put_back(agent), limit.cai.put_back(agent)
                if cap or cai:
                    self.announce(one, number, BY_PLATFORM, cap=cap)
            if one.pai.put_back(agent):
                self.announce_pai(one, BY_PLATFORM, now)

    # --- what there is ----------------------------------------------------------------------------

    def protocol_attributes(
        self, call: Call, request: powercap.ProtocolAttributes
    ) -> powercap.ProtocolAttributesResponse:
        word = powercap.ProtocolAttributesWord(num_domains=len(self.domains))
        return powercap.ProtocolAttributesResponse(attributes=word)

    def describe_message(
        self, call: Call, request: powercap.MessageAttributes
    ) -> powercap.MessageAttributesResponse:
        found = self.method(request.message_id, call.version)
        require(found is not None and self.offers(found[0], call.port), Status.NOT_FOUND)
        assert found is not None
        can = FAST if call.version < LIMITS else FAST_LATER
        fast = found[0] in can and any(one.fastchannel for one in self.domains)
        return powercap.MessageAttributesResponse(
            attributes=powercap.MessageAttributesWord(fastchannel=fast)
        )

    def domain_attributes(
        self, call: Call, request: powercap.DomainAttributes
    ) -> powercap.DomainAttributesResponse:
        one = self.find(call, request.domain_id)
        parent = one.parent
        while parent is not None and not self.visible(call.agent, parent.id):
            parent = parent.parent
        return capability.describe(call, one, parent, self.can_defer(call, one))

    def describe_fastchannel(self, call: Call, request: powercap.DescribeFastchannel) -> None:
        self.find_number(call, request.domain_id, request.cpli)
        require(self.method(request.message_id, call.version) is not None, Status.NOT_FOUND)
        raise Refusal(Status.NOT_SUPPORTED)

    def cpc_attributes(
        self, call: Call, request: powercap.CpcAttributes
    ) -> powercap.CpcAttributesResponse:
        one = self.find(call, request.domain_id)
        require(one.limits, Status.NOT_SUPPORTED)
        require(request.desc_index < len(one.limits), Status.OUT_OF_RANGE)
        left = range(request.desc_index, len(one.limits))
        shown = left[: min(call.fit(CPL_SIZE), COUNT_BITS)]
        return powercap.CpcAttributesResponse(
            num_cpl=powercap.NumCpl(returned=len(shown), remaining=len(left) - len(shown)),
            desc=[capability.limit(number, one.limits[number]) for number in shown],
        )

    # --- caps -------------------------------------------------------------------------------------

    def cap_get(self, call: Call, request: powercap.CapGet) -> powercap.CapGetResponse:
        one, number = self.find_number(call, request.domain_id, request.cpli)
        return powercap.CapGetResponse(power_cap=limit_of(one, number).cap)

    def cap_set(self, call: Call, request: powercap.CapSet) -> None:
        one, number = self.find_number(call, request.domain_id, request.cpli)
        flags, cap = request.flags, request.power_cap
        require(not flags.reserved)
        limit = limit_of(one, number)
        require(limit.caps.configurable, Status.NOT_SUPPORTED)
        if cap:
            require(limit.caps.spans(cap), Status.OUT_OF_RANGE)
            require(limit.caps.has(cap))
        require(not flags.async_ or self.can_defer(call, one), Status.NOT_SUPPORTED)
        require(one.allows(call.agent, CAP), Status.DENIED)
        require(limit.pending is None, Status.BUSY)
        if flags.async_:
            self.accept(call, one, limit, cap, bool(flags.ignore_delayed_response))
        else:
            self.change(one, limit, cap, call.agent)

    def accept(self, call: Call, one: Domain, limit: Limit, cap: int, silent: bool) -> None:
        """Have the cap changed later; ``silent`` means that no delayed response is wanted."""
        agent = call.agent

        def work(now: float) -> powercap.CapSetComplete | None:
            limit.pending = None
            there = self.visible(agent, one.id)
            if there:
                self.change(one, limit, cap, agent)
            if silent:
                return None
            require(there, Status.NOT_FOUND)
            return powercap.CapSetComplete(
                domain_id=one.id, power_cap=limit.cap, cpli=one.limits.index(limit)
            )

        call.port.defer(call, one.latency, self.max_async, work)
        limit.pending = agent
        self.remember(agent, one.id)

    def change(self, one: Domain, limit: Limit, cap: int, agent: int) -> None:
        """Take note of what the agent wants, and tell the subscribers if that changes the cap."""
        self.remember(agent, one.id)
        if limit.ask(agent, cap):
            self.announce(one, one.limits.index(limit), agent)

    def announce(self, one: Domain, number: int, agent: int, *, cap: bool = True) -> None:
        """Tell the subscribers of a domain that the cap of a limit or its interval has changed.

        ``cap`` is whether the cap has, that of the first limit being all that older versions know.
        """
        self.draw.changed()
        limit = one.limits[number]
        event = powercap.CapChanged(
            agent_id=agent,
            domain_id=one.id,
            power_cap=limit.cap,
            pai=one.pai.us,
            cai=limit.cai.us,
            cpli=number,
        )
        known = cap and number == 0
        self.platform.notify(event, one.id, who=lambda port: known or knows_limits(port))

    def can_defer(self, call: Call, one: Domain) -> bool:
        """Return whether the cap can be set asynchronously over this connection."""
        return one.asynchronous and self.max_async > 0 and call.port.events

    # --- averaging intervals ----------------------------------------------------------------------

    def pai_get(self, call: Call, request: powercap.PaiGet) -> powercap.PaiGetResponse:
        return powercap.PaiGetResponse(pai=self.find(call, request.domain_id).pai.us)

    def pai_set(self, call: Call, request: powercap.PaiSet) -> None:
        one = self.find(call, request.domain_id)
        require(not request.flags and request.pai)
        self.require_interval(call, one, one.pai.range, request.pai)
        self.remember(call.agent, one.id)
        if one.pai.set(request.pai, call.agent):
            self.announce_pai(one, call.agent, call.now)

    def cai_get(self, call: Call, request: powercap.CaiGet) -> powercap.CaiGetResponse:
        one, number = self.find_number(call, request.domain_id, request.cpli)
        return powercap.CaiGetResponse(cai=limit_of(one, number).cai.us)

    def cai_set(self, call: Call, request: powercap.CaiSet) -> None:
        one, number = self.find_number(call, request.domain_id, request.cpli)
        require(not request.flags and request.cai)
        limit = limit_of(one, number)
        self.require_interval(call, one, limit.cai.range, request.cai)
        self.remember(call.agent, one.id)
        if limit.cai.set(request.cai, call.agent):
            self.announce(one, number, call.agent, cap=False)

    def require_interval(self, call: Call, one: Domain, range: Range, us: int) -> None:
        """Refuse an interval that the domain cannot have, or that the agent may not set."""
        require(range.configurable, Status.NOT_SUPPORTED)
        require(range.spans(us), Status.OUT_OF_RANGE)
        require(range.has(us))
        require(one.allows(call.agent, INTERVAL), Status.DENIED)

    def announce_pai(self, one: Domain, agent: int, now: float) -> None:
        """Tell the subscribers that the averaging interval has changed, each as its version does.

        From 3.0 on it is the measurement averaging interval, and told with the measurements.
        """
        cap = one.limits[0].cap if one.limits else 0
        event = powercap.CapChanged(agent_id=agent, domain_id=one.id, power_cap=cap, pai=one.pai.us)
        self.platform.notify(event, one.id, who=lambda port: not knows_limits(port))
        self.meter.tell(one, agent, self.power(one, now), knows_limits)

    # --- measurements and notifications -----------------------------------------------------------

    def measurements_get(
        self, call: Call, request: powercap.MeasurementsGet
    ) -> powercap.MeasurementsGetResponse:
        one = self.find(call, request.domain_id)
        require(one.monitoring, Status.NOT_SUPPORTED)
        require(one.allows(call.agent, MEASUREMENT), Status.DENIED)
        return powercap.MeasurementsGetResponse(power=self.power(one, call.now), pai=one.pai.us)

    def power(self, one: Domain, now: float) -> int:
        """Return the average power of a domain."""
        return self.draw.average(one, self.platform.uptime_us(now))

    def cap_notify(self, call: Call, request: powercap.CapNotify) -> None:
        one = self.find(call, request.domain_id)
        supported = one.notify and (call.version < LIMITS or bool(one.limits))
        self.switch(call, request, one.id, supported)

    def measurements_notify(self, call: Call, request: powercap.MeasurementsNotify) -> None:
        one = self.find(call, request.domain_id)
        low, high = request.power_thresh_low, request.power_thresh_high
        enable = bool(request.notify_enable.enable)
        require(not request.notify_enable.reserved and (not enable or low <= high))
        require(one.notify and one.monitoring and call.port.events, Status.NOT_SUPPORTED)
        require(one.allows(call.agent, MEASUREMENT), Status.DENIED)
        self.switch(call, request, one.id, True)
        if enable and (low or high or call.version < LIMITS):
            self.meter.watch(one, call.port, low, high, call.now)
        elif enable:
            self.meter.forget(one, call.port)

    # --- by hand ----------------------------------------------------------------------------------

    def state(self, resource: int) -> dict[str, Any]:
        one = self.domains[resource]
        return {"power": self.power(one, self.platform.now), **override.state(one)}

    def adjust(self, resource: int, key: str, text: str, now: float) -> None:
        one = self.domains[resource]
        change = override.read(one, key, text)
        if not change.apply():
            return
        self.draw.changed()
        if change.limit is not None:
            self.announce(one, change.limit, BY_PLATFORM, cap=key.endswith("cap"))
        elif key == "pai":
            self.announce_pai(one, BY_PLATFORM, now)

    # --- helpers ----------------------------------------------------------------------------------

    def find(self, call: Call, id: int) -> Domain:
        """Return the domain; raises NOT_FOUND if it does not exist for the agent."""
        return self.domains[self.resolve(call, id)]

    def find_number(self, call: Call, id: int, number: int | None) -> tuple[Domain, int]:
        """Return the domain and the number of one of its limits, 0 in versions without numbers.

        Raises NOT_FOUND if there is no such limit; 0 is allowed where there are none at all.
        """
        one = self.find(call, id)
        require((number or 0) < max(1, len(one.limits)), Status.NOT_FOUND)
        return one, number or 0


def knows_limits(port: Port) -> bool:
    """Return whether the version in force on a connection has several limits, and intervals."""
    return port.versions[powercap.ID] >= LIMITS


def limit_of(one: Domain, number: int) -> Limit:
    """Return a limit of the domain; raises NOT_SUPPORTED for a domain without any."""
    require(one.limits, Status.NOT_SUPPORTED)
    return one.limits[number]


BEHAVIOUR = Powercap
