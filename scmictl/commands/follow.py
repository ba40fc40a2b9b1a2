"""Follows notifications: switches them on, yields a record for each, and switches them off again.

Theory of operation. :meth:`Follower.records` is a generator: notifications are on (`hold`) from its
first record to its end, which is that of the criteria, an error, or whoever reads it closing it.
What was subscribed to before is not shown, and stays on.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import NamedTuple

from scmictl.agent import Event, Lost, Reconnected, Resource, Stray
from scmictl.agent.discovery import refused
from scmictl.commands import allowance, event, gauge, reading, scale
from scmictl.commands.command import Arguments, Column, Record, Stream
from scmictl.commands.context import Context
from scmictl.commands.criteria import Criteria, Stamps
from scmictl.commands.event import Source, Switch
from scmictl.commands.hold import Holds, Pair
from scmictl.commands.power import state_record
from scmictl.errors import NotOffered, ScmictlError, StatusError
from scmictl.protocols import Protocol, perf, power, powercap, sensor


class Wish(NamedTuple):
    """A notification to watch, and of which resources (none: of all that send it)."""

    switch: Switch
    words: Sequence[str]


class Follower:
    """Watches notifications and yields their records; the times in them are seconds still.

    ``lenient`` leaves out what the platform does not offer, as long as something is left.
    """

    def __init__(
        self, ctx: Context, wishes: Sequence[Wish], criteria: Criteria, *, lenient: bool = False
    ) -> None:
        self.ctx = ctx
        self.wishes = wishes
        self.criteria = criteria
        self.lenient = lenient
        self.enable = False
        self.fields: Callable[[Resource], Mapping[str, int]] | None = None
        """Which further fields the request for a resource has, if it has any."""
        self.others = 0
        self.by_numbers = {
            (w.switch.protocol.id, w.switch.event.MESSAGE_ID): w.switch for w in wishes
        }

    def records(self) -> Iterator[Record]:
        """Switch on, yield what comes, switch off."""
        with Holds(self.ctx) as holds:
            sources = self._sources()
            self._prepare(holds, sources)
            self._subscribe(holds, sources)
            wanted = {(source.switch.event.SPEC, source.number) for source in sources}
            yield from self._follow(wanted)
        if self.others:
            are = "1 notification" if self.others == 1 else f"{self.others} notifications"
            self.ctx.notice(f"{are} of other subscriptions came meanwhile and went unseen")

    def _sources(self) -> list[Source]:
        found: list[Source] = []
        for wish in self.wishes:
            try:
                found += event.sources(self.ctx, wish.switch, wish.words)
            except (NotOffered, StatusError) as error:
                # A protocol that this agent may not use is not offered to it.
                if not self.lenient or not (isinstance(error, NotOffered) or refused(error)):
                    raise
        if not found:
            event.require_events(self.ctx, "watch")
            raise NotOffered("the platform offers no notifications")
        return found

    def _prepare(self, holds: Holds, sources: Sequence[Source]) -> None:
        """Enable sensors, or say that disabled ones will send nothing."""
        updates = [s for s in sources if s.switch.event is sensor.Update and s.resource]
        sensors = [s.resource for s in updates if s.resource is not None]
        if not sensors:
            return
        if self.enable:
            failed = gauge.turn_on(self.ctx, holds, sensors)
            self._refused(updates, [failed.get(s.id) for s in sensors], "enabled")
            return
        off = gauge.disabled(self.ctx, sensors)
        if off:
            several = f"{len(off)} of these sensors are disabled and send"
            what = f"{reading.called(off[0])} is disabled and sends" if len(off) == 1 else several
            self.ctx.notice(f"{what} nothing; `sensor watch --enable` turns on what is")

    def _subscribe(self, holds: Holds, sources: Sequence[Source]) -> None:
        # What lasts anyhow must not be switched off at the end.
        new = [
            source
            for source in sources
            if (source.switch.event.SPEC, source.number) not in self.ctx.subscriptions
        ]
        errors = holds.add([self._pair(source) for source in new])
        self._refused(new, errors, "watched")
        if len(new) == len(sources) and all(errors):
            raise next(error for error in errors if error is not None)

    def _pair(self, source: Source) -> Pair:
        more = None
        if self.fields is not None and source.resource is not None:
            more = self.fields(source.resource)
        return source.switch.pair(source.number, more)

    def _refused(
        self, sources: Sequence[Source], errors: Sequence[ScmictlError | None], what: str
    ) -> None:
        """Raise the error of what was named, and tell the others."""
        for source, error in zip(sources, errors, strict=True):
            if error is None:
                continue
            if source.named and not self.lenient:
                raise error
            called = source.switch.event.SPEC if source.resource is None else source.called
            self.ctx.notice(f"{called} is not {what}: {error.name}")

    def _follow(self, wanted: set[tuple[str, int | None]]) -> Iterator[Record]:
        agent, criteria = self.ctx.agent, self.criteria
        now = agent.waiter.now
        criteria.begin(now())
        while not criteria.over(now()):
            for incident in agent.notifications(criteria.limit()):
                if isinstance(incident, Stray):
                    self.ctx.notice(f"stray frame: {incident.reason}")
                elif isinstance(incident, Lost | Reconnected):
                    yield event.incident_record(incident, time.time())
                elif not self._is_wanted(incident, wanted):
                    self.others += 1
                else:
                    record = self._record(incident)
                    yield record
                    if criteria.take([record], now()):
                        return
                break  # the limit may have moved
        criteria.finish(now())

    def _is_wanted(self, incident: Event, wanted: set[tuple[str, int | None]]) -> bool:
        switch = self._switch(incident)
        if switch is None:
            return self.lenient
        if incident.message is None:
            return True  # it cannot be told of whom it is
        return (incident.message.SPEC, switch.number(incident.message)) in wanted

    def _switch(self, incident: Event) -> Switch | None:
        return self.by_numbers.get((incident.header.protocol_id, incident.header.message_id))

    def _record(self, incident: Event) -> Record:
        record = event.event_record(incident)
        switch = self._switch(incident)
        message = incident.message
        number = None if switch is None or message is None else switch.number(message)
        if switch is None or message is None or number is None:
            return record
        resource = resource_of(self.ctx, switch.protocol, number)
        record |= {"id": resource.id, "name": resource.name}
        if isinstance(message, sensor.Update):
            record |= reading.reading_record(self.ctx, resource, message.readings)
        elif isinstance(message, power.StateChanged | power.StateChangeRequested):
            record |= state_record(message.power_state)
        elif message.PROTOCOL_ID == perf.ID:
            record |= scale.meaning(self.ctx, resource, message)
        elif message.PROTOCOL_ID == powercap.ID:
            record |= allowance.reading_record(resource, message)
        return record


def resource_of(ctx: Context, protocol: Protocol, number: int) -> Resource:
    """Return what is known of a resource, asking again after a reconnection."""
    resources = ctx.discover(protocol).resources
    return resources[number] if number < len(resources) else Resource(number)


def stream(
    records: Iterator[Record],
    args: Arguments,
    columns: tuple[Column, ...],
    *,
    live: bool = False,
) -> Stream:
    stamps = Stamps(args.timestamps)

    def stamped() -> Iterator[Record]:
        try:
            for record in records:
                yield stamps.put(record)
        finally:
            close = getattr(records, "close", None)
            if close is not None:
                close()

    return Stream(stamped(), columns, live=live)
