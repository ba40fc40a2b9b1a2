"""Telemetry protocol behaviour: data events that are listed, enabled, read and updated.

Experimental, as the protocol is (SCMI 4.0). There is no shared memory: data come in the delayed
response of a single reading and in TELEMETRY_UPDATE, never on demand, so agents without a channel
have only the lists. There are no groups. What the reference leaves open is decided like this. Which
events are enabled, and how data are collected, belongs to the agent; an update goes to its
connection that asked last. Of the selectors only "all" configures, and "ungrouped" lists the same.
A list that begins past its end is OUT_OF_RANGE, except the beginning of an empty one. An interval
has to be one of the board's. Events that are denied to the agent are left out of the data; their
descriptors stay, so that positions are the same for all. A value is read when its line is made.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

from scmictl import values
from scmictl.errors import UsageError
from scmictl.platform import event, instrument, permission
from scmictl.platform.behaviour import (
    COUNT_BITS,
    Behaviour,
    Call,
    Handler,
    Malformed,
    Message,
    require,
)
from scmictl.platform.event import CLOCK_KHZ, Collection
from scmictl.platform.interval import Span
from scmictl.protocols import telemetry
from scmictl.protocols.telemetry import Control, DeMode, IntervalFormat, Mode, Selector, Thing
from scmictl.wire import Notification, Status

if TYPE_CHECKING:
    from scmictl.platform.board import Table
    from scmictl.platform.platform import Platform
    from scmictl.platform.port import Port

T = TypeVar("T")

NOWHERE = 0xFFFFFFFF
"""The shared memory area that means none."""
KEYS = ("value", "rate", "invalid")
"""What can be adjusted by hand."""
LISTENER = 1 << 32
"""Updates are of no data event in particular: this is a number beyond those of all."""
_SWITCH = {"on": True, "off": False, "true": True, "false": False}


class Telemetry(Behaviour):
    """The telemetry protocol; ``events`` are the data events by position."""

    PROTOCOL = telemetry.PROTOCOL

    def __init__(self, platform: Platform, board: Table) -> None:
        super().__init__(platform, board)
        own = board.table("telemetry").only(
            "event", "uuid", "intervals", "single_read", "continuous", "reset", "latency",
            "most_enabled", "restrict",
        )  # fmt: skip
        self.events = event.read(own, platform.seed)
        self.names = [one.name for one in self.events]
        self.positions = {one.de_id: one.id for one in self.events}
        self.uuid = event.uuid(own)
        self.intervals = instrument.read_intervals(own)
        self.single_read = own.flag("single_read", True)
        self.continuous = own.flag("continuous", self.intervals is not None)
        if self.continuous and self.intervals is None:
            raise own.error("continuous", "continuous updates only where there are intervals")
        self.resets = own.flag("reset", True)
        self.latency = own.time("latency").seconds if "latency" in own else 0.0
        self.most_enabled = own.integer("most_enabled", 1, 0xFFFF, 64)
        self.restricted = permission.restricted(own, platform.agent_id)
        self.collections: dict[int, Collection] = {}

    def handlers(self) -> Mapping[Message, Handler]:
        return {
            telemetry.ProtocolAttributes: self.protocol_attributes,
            telemetry.DeDescription: self.de_description,
            telemetry.ListUpdateIntervals: self.list_update_intervals,
            telemetry.DeConfigure: self.de_configure,
            telemetry.DeEnabledList: self.de_enabled_list,
            telemetry.ConfigSet: self.config_set,
            telemetry.ConfigGet: self.config_get,
            telemetry.Reset: self.reset_telemetry,
        }

    def needed(self) -> Mapping[Message, bool]:
        return {
            telemetry.ListUpdateIntervals: self.intervals is not None,
            telemetry.Reset: self.resets,
        }

    def reset(self, agent: int, now: float) -> None:
        collection = self.collections.pop(agent, None)
        if collection is not None:
            self.stop(collection)

    # --- what there is ----------------------------------------------------------------------------

    def protocol_attributes(
        self, call: Call, request: telemetry.ProtocolAttributes
    ) -> telemetry.ProtocolAttributesResponse:
        return telemetry.ProtocolAttributesResponse(
            de_num=len(self.events),
            groups_num=0,
            de_implementation_rev_dword=list(self.uuid),
            attributes_1=telemetry.ProtocolAttributesWord(
                single_read=self.can_read(call.port),
                continuous_update=self.continuous and call.port.events,
                reset=self.resets,
            ),
            default_blk_ts_rate=CLOCK_KHZ,
        )

    def de_description(
        self, call: Call, request: telemetry.DeDescription
    ) -> telemetry.DeDescriptionResponse:
        left = self.after(self.events, request.desc_index)
        room = call.room - 12
        found: list[telemetry.DataEvent] = []
        for one in left:
            room -= one.description_size
            if room < 0:
                break
            found.append(one.description)
        if left and not found:
            raise Malformed
        return telemetry.DeDescriptionResponse(
            num_desc=telemetry.NumDesc(returned=len(found), remaining=len(left) - len(found)),
            desc=found,
        )

    def list_update_intervals(
        self, call: Call, request: telemetry.ListUpdateIntervals
    ) -> telemetry.ListUpdateIntervalsResponse:
        assert self.intervals is not None
        require(not request.flags.reserved)
        require(request.flags.selector in (Selector.UNGROUPED, Selector.ALL))
        words = [
            telemetry.Interval(sec=span.sec, exponent=span.exponent)
            for span in self.intervals.spans
            if span is not None
        ]
        if self.intervals.steps.triplet:
            require(request.index < len(words), Status.OUT_OF_RANGE)
            call.fit(4 * len(words))
            flags = telemetry.NumIntervalsFlags(format=IntervalFormat.TRIPLET, returned=3)
            return telemetry.ListUpdateIntervalsResponse(flags=flags, intervals=words)
        left = self.after(words, request.index)
        page = left[: min(call.fit(4), COUNT_BITS)]
        return telemetry.ListUpdateIntervalsResponse(
            flags=telemetry.NumIntervalsFlags(returned=len(page), remaining=len(left) - len(page)),
            intervals=list(page),
        )

    # --- what is enabled --------------------------------------------------------------------------

    def de_configure(
        self, call: Call, request: telemetry.DeConfigure
    ) -> telemetry.DeConfigureResponse:
        flags = request.flags
        call.fit(4, 8)  # what cannot be answered is not done
        require(not flags.reserved and flags.mode in tuple(DeMode))
        enabled = self.of(call.agent).enabled
        if flags.disable_all:
            require(flags.mode == DeMode.DISABLED)
            enabled.clear()
        else:
            require(flags.selector == Thing.DE)  # there are no groups
            id = self.positions.get(request.identifier)
            require(id is not None and self.visible(call.agent, id))
            assert id is not None
            require(flags.mode != DeMode.ENABLED_WITH_TIMESTAMP or self.events[id].stamped)
            if flags.mode == DeMode.DISABLED:
                enabled.pop(id, None)
            else:
                room = id in enabled or len(enabled) < self.most_enabled
                require(room, Status.OUT_OF_RANGE)
                enabled[id] = flags.mode
        return telemetry.DeConfigureResponse(shmti_id=NOWHERE, shmti_de_offset=0, blk_ts_offset=0)

    def de_enabled_list(
        self, call: Call, request: telemetry.DeEnabledList
    ) -> telemetry.DeEnabledListResponse:
        require(not request.flags.reserved)
        enabled = self.of(call.agent).enabled if request.flags.selector == Thing.DE else {}
        there = [id for id in sorted(enabled) if self.visible(call.agent, id)]
        left = self.after(there, request.index)
        page = left[: call.fit(8)] if left else []
        return telemetry.DeEnabledListResponse(
            flags=telemetry.EnabledFlags(returned=len(page), remaining=len(left) - len(page)),
            array_=[
                telemetry.DeStatus(
                    id=self.events[id].de_id, mode=telemetry.DeStatusMode(mode=enabled[id])
                )
                for id in page
            ],
        )

    # --- collecting -------------------------------------------------------------------------------

    def config_set(self, call: Call, request: telemetry.ConfigSet) -> None:
        control, interval = request.control, request.sampling_rate
        require(not control.reserved and control.selector == Selector.ALL)
        collection = self.of(call.agent)
        if not control.enable:
            self.stop(collection)
            return
        require(not interval.reserved and self.offers_mode(call, control.mode))
        require(collection.enabled)
        if control.mode == Mode.SINGLE_READ:
            self.read_once(call, collection)
            self.stop(collection)
            collection.control = control
            return
        span = Span(interval.sec, interval.exponent)
        require(self.intervals is not None and span.sec and self.intervals.has(span))
        self.stop(collection)
        collection.control, collection.interval = control, interval
        collection.port = call.port
        self.platform.subscribe(call.port, telemetry.Update, LISTENER, True)
        self.schedule(collection, call.agent, call.now, span.seconds)

    def config_get(self, call: Call, request: telemetry.ConfigGet) -> telemetry.ConfigGetResponse:
        require(not request.flags.reserved and request.flags.selector == Selector.ALL)
        collection = self.of(call.agent)
        return telemetry.ConfigGetResponse(
            control=collection.control, sampling_rate=collection.interval
        )

    def reset_telemetry(self, call: Call, request: telemetry.Reset) -> None:
        require(not request.flags)
        require(call.agent not in self.restricted, Status.DENIED)
        self.reset(call.agent, call.now)

    def offers_mode(self, call: Call, mode: int) -> bool:
        """Return whether data can get to the agent that way."""
        if mode == Mode.SINGLE_READ:
            return self.can_read(call.port)
        return mode == Mode.NOTIFICATIONS and self.continuous and call.port.events

    def can_read(self, port: Port) -> bool:
        """Return whether data can be read once over this connection."""
        return self.single_read and self.max_async > 0 and port.events

    def lines(self, agent: int, now: float) -> list[int]:
        """Return the data lines of what the agent has enabled, in the order of the events."""
        uptime_us = self.platform.uptime_us(now)
        enabled = self.of(agent).enabled
        return [
            word
            for id in sorted(enabled)
            if self.visible(agent, id)
            for word in self.events[id].line(enabled[id], uptime_us)
        ]

    def read_once(self, call: Call, collection: Collection) -> None:
        """Have the data sent once, in the delayed response; raises BUSY."""
        agent = call.agent

        def work(now: float) -> telemetry.ReadingComplete:
            words = self.lines(agent, now)
            if collection.control.mode == Mode.SINGLE_READ:
                self.stop(collection)
            return telemetry.ReadingComplete(num_dwords=len(words), array_=words)

        call.port.defer(call, self.latency, self.max_async, work)

    def schedule(self, collection: Collection, agent: int, now: float, seconds: float) -> None:
        """Send an update after each interval, for as long as somebody listens."""

        def update(now: float) -> None:
            collection.timer = None
            port = collection.port
            if port is None or (telemetry.Update, LISTENER) not in port.subscriptions:
                self.stop(collection)
                return
            words = self.lines(agent, now)
            message = telemetry.Update(
                agent_id=0, status=Status.SUCCESS, num_dwords=len(words), array_=words
            )
            self.platform.notify(message, LISTENER, who=lambda other: other is port)
            self.schedule(collection, agent, now, seconds)

        collection.timer = self.platform.timers.add(now + seconds, update)

    def stop(self, collection: Collection) -> None:
        """End the collecting of data."""
        if collection.port is not None:
            self.platform.subscribe(collection.port, telemetry.Update, LISTENER, False)
            collection.port = None
        if collection.timer is not None:
            self.platform.timers.cancel(collection.timer)
            collection.timer = None
        collection.control = Control(selector=Selector.ALL)
        collection.interval = telemetry.Interval()

    # --- by hand ----------------------------------------------------------------------------------

    def state(self, resource: int) -> dict[str, Any]:
        one = self.events[resource]
        return {
            "de_id": one.de_id,
            "value": one.value(self.platform.uptime_us(self.platform.now)),
            "rate": one.rate,
            "invalid": one.invalid,
            "enabled": {
                self.platform.by_agent[agent].name: DeMode(made.enabled[resource]).name.lower()
                for agent, made in self.collections.items()
                if resource in made.enabled
            },
        }

    def subject(self, event: Notification) -> int:
        return LISTENER

    def adjust(self, resource: int, key: str, text: str, now: float) -> None:
        """Set the value that a data event moves around, how it grows, or make it invalid."""
        one = self.events[resource]
        if key == "invalid":
            if text not in _SWITCH:
                raise values.unknown("value", text, _SWITCH)
            one.invalid = _SWITCH[text]
            return
        if key not in KEYS:
            raise values.unknown("key", key, KEYS)
        number = values.number(text)
        if not 0 <= number <= one.wave.highest:
            raise UsageError(f"{key} is {text}, expected 0 to {one.wave.highest:#x}")
        if key == "value":
            one.wave.base = number
        else:
            one.rate = number

    # --- helpers ----------------------------------------------------------------------------------

    def of(self, agent: int) -> Collection:
        """Return what an agent has configured."""
        return self.collections.setdefault(agent, Collection())

    def after(self, items: Sequence[T], index: int) -> Sequence[T]:
        """Return what a list has from ``index`` on; raises OUT_OF_RANGE past its end."""
        require(index < len(items) or index == 0, Status.OUT_OF_RANGE)
        return items[index:]


BEHAVIOUR = Telemetry
