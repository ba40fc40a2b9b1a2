"""Performance protocol behaviour: what the messages do to levels and limits.

What the reference leaves open is decided like this: a level past the end of the list is
INVALID_PARAMETERS, as Arm's test suite wants it. A limit may lie between two levels, a level may
not be set there (OUT_OF_RANGE). A level is reached before its command is answered, whatever its
latency. A single limit that contradicts the agent's other one is taken, and the upper one wins.
Where no level lies between the limits, the highest one below them is the one that can be set.
Both notifications go to the causing agent too, and only for a change of what holds.

The transport of this platform is virtio, without shared memory: there is no statistics region, and
fast channels are excluded. A board can nevertheless have domains that claim to have them, for
agents to be tested with; PERFORMANCE_DESCRIBE_FASTCHANNEL is answered NOT_SUPPORTED in any case.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

from scmictl import values
from scmictl.errors import UsageError
from scmictl.platform import ladder
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
from scmictl.platform.ladder import LEVEL, LIMITS, PLATFORM
from scmictl.protocols import perf
from scmictl.wire import Notification, Status

if TYPE_CHECKING:
    from scmictl.platform.board import Table
    from scmictl.platform.platform import Platform
    from scmictl.platform.port import Port
    from scmictl.protocols import common

MICROWATTS = KEEPING = 0x30000
"""From this version on power can be in microwatts, and a limit of 0 is to stay as it is."""
INDEXING = 0x40000
"""From this version on there is level indexing mode, and levels have five words."""
QUALITY = 0x40001
"""From this version on the attributes of a domain have three words more."""
LONG_ATTRIBUTES = 4 + 48
"""The room they take, with the header."""

FAST = (perf.LimitsSet, perf.LimitsGet, perf.LevelSet, perf.LevelGet)
"""The messages that a fast channel can replace."""
HAND = ("level", "min", "max")
"""What can be changed by hand."""


class Performance(Behaviour):
    """The performance protocol; ``domains`` are the performance domains by id."""

    PROTOCOL = perf.PROTOCOL
    NO_LONG_NAME = Status.NOT_SUPPORTED

    def __init__(self, platform: Platform, board: Table) -> None:
        super().__init__(platform, board)
        self.domains = ladder.read(board, platform.agent_id)
        self.unit = ladder.read_unit(board)
        self.names = [one.name for one in self.domains]
        self.fast = any(one.fast_channels for one in self.domains)

    def handlers(self) -> Mapping[Message, Handler]:
        return {
            perf.ProtocolAttributes: self.protocol_attributes,
            perf.DomainAttributes: self.domain_attributes,
            perf.DescribeLevels: self.describe_levels,
            perf.LimitsSet: self.limits_set,
            perf.LimitsGet: self.limits_get,
            perf.LevelSet: self.level_set,
            perf.LevelGet: self.level_get,
            perf.NotifyLimits: self.notify,
            perf.NotifyLevel: self.notify,
            perf.DescribeFastchannel: self.describe_fastchannel,
        }

    def needed(self) -> Mapping[Message, bool]:
        notify = any(one.notify for one in self.domains)
        return {perf.NotifyLimits: notify, perf.NotifyLevel: notify}

    def offers(self, message: Message, port: Port) -> bool:
        if message is perf.DescribeFastchannel:
            return self.fast
        return super().offers(message, port)

    def reset(self, agent: int, now: float) -> None:
        for id in self.forget(agent):
            one = self.domains[id]
            self.change(one, PLATFORM, partial(one.put_back, agent))

    # --- by hand ----------------------------------------------------------------------------------

    def state(self, resource: int) -> dict[str, Any]:
        one = self.domains[resource]
        low, high = one.bounds
        found: dict[str, Any] = {"level": one.level, "min": low, "max": high}
        if one.indexed:
            found["level_index"] = one.index(one.level)
        if one.rung.frequency_khz:
            found["frequency_khz"] = one.rung.frequency_khz
        found["limits"] = {
            self.platform.by_agent[agent].name if agent else "platform": {"min": low, "max": high}
            for agent, (low, high) in one.limits.items()
        }
        return found

    def adjust(self, resource: int, key: str, text: str, now: float) -> None:
        """Set the ``level``, or ``min`` or ``max``: the limits of the platform itself.

        To lift a limit, set it to the domain's lowest or highest level.
        """
        one = self.domains[resource]
        if key not in HAND:
            raise values.unknown("key", key, HAND)
        value = values.number(text)
        low, high = one.bounds if key == "level" else (one.levels[0], one.levels[-1])
        if not low <= value <= high or (key == "level" and value not in one.levels):
            what = "one of the levels" if key == "level" else "a level or what is between levels,"
            raise UsageError(f"{key} is {value}, expected {what} from {low} to {high}")
        if key == "level":
            self.change(one, PLATFORM, partial(one.ask, PLATFORM, value))
        elif key == "min":
            self.change(one, PLATFORM, partial(one.limit, PLATFORM, value, None))
        else:
            self.change(one, PLATFORM, partial(one.limit, PLATFORM, None, value))

    # --- what there is ----------------------------------------------------------------------------

    def message_attributes(
        self, call: Call, request: common.MessageAttributes
    ) -> common.MessageAttributesResponse:
        response = super().message_attributes(call, request)
        fast = self.fast and request.message_id in {message.MESSAGE_ID for message in FAST}
        response.attributes = int(call.known(perf.MessageAttributesWord(fastchannel=fast)))
        return response

    def protocol_attributes(
        self, call: Call, request: perf.ProtocolAttributes
    ) -> perf.ProtocolAttributesResponse:
        # Before 3.0 bit 16 says mW: it is the low bit of the unit, and uW are shown as mW.
        unit = self.unit if call.version >= MICROWATTS or not self.unit else 1
        return perf.ProtocolAttributesResponse(
            attributes=perf.ProtocolAttributesWord(
                power_unit=unit, num_performance_domains=len(self.domains)
            )
        )

    def domain_attributes(
        self, call: Call, request: perf.DomainAttributes
    ) -> perf.DomainAttributesResponse:
        one = self.find(call, request.domain_id)
        denied = one.restricted.get(call.agent, frozenset())
        notify = one.notify and call.port.events
        word = perf.AttributesWord(
            can_set_limits=LIMITS not in denied,
            can_set_level=LEVEL not in denied,
            limits_change_notifications=notify,
            level_change_notifications=notify,
            fastchannel=one.fast_channels,
            extended_name=len(one.name) > SHORT,
            level_indexing_mode=one.indexed,
        )
        response = perf.DomainAttributesResponse(
            attributes=call.known(word),
            rate_limit=perf.RateLimit(rate_limit_us=one.rate_limit_us),
            sustained_freq=one.sustained_khz,
            sustained_perf_level=one.sustained_level,
            name=one.name[:SHORT],
        )
        # An agent written for 4.0 has room for its layout only.
        if call.version >= QUALITY and call.room >= LONG_ATTRIBUTES:
            response.guaranteed_perf_level = one.guaranteed_level
            response.qos_capability_types = perf.QosCapabilityTypes(0)
            response.qos_parent_id = perf.NO_PARENT
        return response

    def describe_levels(
        self, call: Call, request: perf.DescribeLevels
    ) -> perf.DescribeLevelsResponse:
        one = self.find(call, request.domain_id)
        first = request.level_index
        require(first < len(one.rungs))
        room = call.fit(20 if call.version >= INDEXING else 12)
        shown = one.rungs[first : first + min(room, COUNT_BITS)]
        # Microwatts as milliwatts, rounded up: 0 would mean that the cost is not given.
        micro = self.unit == perf.PowerUnit.MICROWATT and call.version < MICROWATTS
        levels = [
            perf.Level(
                performance_level=rung.level,
                power_cost=-(-rung.power // 1000) if micro else rung.power,
                attributes=perf.LevelAttributes(transition_latency_us=rung.latency_us),
                indicative_frequency=rung.frequency_khz,
                level_index=one.first_index + position if one.indexed else 0,
            )
            for position, rung in enumerate(shown, first)
        ]
        left = len(one.rungs) - first - len(levels)
        return perf.DescribeLevelsResponse(
            num_levels=perf.NumLevels(num_returned=len(levels), num_remaining=left),
            perf_levels=levels,
        )

    def describe_fastchannel(self, call: Call, request: perf.DescribeFastchannel) -> None:
        self.find(call, request.domain_id)
        require(self.method(request.message_id, call.version), Status.NOT_FOUND)
        raise Refusal(Status.NOT_SUPPORTED)

    # --- limits -----------------------------------------------------------------------------------

    def limits_set(self, call: Call, request: perf.LimitsSet) -> None:
        one = self.find(call, request.domain_id)
        low = self.limit_of(one, request.range_min, call.version)
        high = self.limit_of(one, request.range_max, call.version)
        require(low is not None or high is not None, Status.OUT_OF_RANGE)
        require(low is None or high is None or low <= high)
        self.permit(call, one, LIMITS)
        self.remember(call.agent, one.id)
        self.change(one, call.agent, partial(one.limit, call.agent, low, high))

    def limit_of(self, one: ladder.Domain, word: int, version: int) -> int | None:
        """Return the level that a limit stands for, None for one that is to be left alone.

        Raises OUT_OF_RANGE.
        """
        if not word and version >= KEEPING:
            return None
        level = one.at(word) if one.indexed and version >= INDEXING else word
        require(level is not None and one.levels[0] <= level <= one.levels[-1], Status.OUT_OF_RANGE)
        return level

    def limits_get(self, call: Call, request: perf.LimitsGet) -> perf.LimitsGetResponse:
        one = self.find(call, request.domain_id)
        indexed = one.indexed and call.version >= INDEXING
        low, high = one.index_bounds() if indexed else one.bounds
        return perf.LimitsGetResponse(range_max=high, range_min=low)

    # --- levels -----------------------------------------------------------------------------------

    def level_set(self, call: Call, request: perf.LevelSet) -> None:
        one = self.find(call, request.domain_id)
        word = request.performance_level
        level = one.at(word) if one.indexed and call.version >= INDEXING else word
        require(level in one.levels, Status.OUT_OF_RANGE)
        assert level is not None
        require(one.allows(level), Status.OUT_OF_RANGE)
        self.permit(call, one, LEVEL)
        self.remember(call.agent, one.id)
        self.change(one, call.agent, partial(one.ask, call.agent, level))

    def level_get(self, call: Call, request: perf.LevelGet) -> perf.LevelGetResponse:
        one = self.find(call, request.domain_id)
        indexed = one.indexed and call.version >= INDEXING
        return perf.LevelGetResponse(
            performance_level=one.index(one.level) if indexed else one.level
        )

    # --- notifications ----------------------------------------------------------------------------

    def notify(self, call: Call, request: perf.NotifyLimits | perf.NotifyLevel) -> None:
        one = self.find(call, request.domain_id)
        self.switch(call, request, one.id, one.notify)

    def change(self, one: ladder.Domain, agent: int, work: Callable[[], None]) -> None:
        """Do ``work``, move the level into the limits, and tell what has changed for whom."""
        bounds, level = one.bounds, one.level
        work()
        one.clip()
        if one.bounds != bounds:
            self.tell(one, partial(limits_changed, one, agent))
        if one.level != level:
            self.tell(one, partial(level_changed, one, agent))

    def tell(self, one: ladder.Domain, make: Callable[[bool], Notification]) -> None:
        """Notify the subscribers; ``make`` takes whether levels are said as indices."""
        if not one.indexed:
            self.platform.notify(make(False), one.id)
            return
        # The version that an agent has negotiated decides what it understands.
        for indexed in (False, True):

            def understands(port: Port, indexed: bool = indexed) -> bool:
                return (port.versions[perf.ID] >= INDEXING) == indexed

            self.platform.notify(make(indexed), one.id, who=understands)

    # --- helpers ----------------------------------------------------------------------------------

    def find(self, call: Call, id: int) -> ladder.Domain:
        """Return the domain; raises NOT_FOUND if it does not exist for the agent."""
        return self.domains[self.resolve(call, id)]

    def permit(self, call: Call, one: ladder.Domain, control: str) -> None:
        """Raise DENIED unless the calling agent may set this of the domain."""
        require(control not in one.restricted.get(call.agent, ()), Status.DENIED)


def limits_changed(one: ladder.Domain, agent: int, indexed: bool) -> perf.LimitsChanged:
    """Return the notification of the limits that hold now."""
    low, high = one.index_bounds() if indexed else one.bounds
    return perf.LimitsChanged(agent_id=agent, domain_id=one.id, range_max=high, range_min=low)


def level_changed(one: ladder.Domain, agent: int, indexed: bool) -> perf.LevelChanged:
    """Return the notification of the level it has now."""
    level = one.index(one.level) if indexed else one.level
    return perf.LevelChanged(agent_id=agent, domain_id=one.id, performance_level=level)


BEHAVIOUR = Performance
