"""Follows notifications: switches them on, yields a record for each, and switches them off again.

Theory of operation. :meth:`Follower.records` is a generator: notifications are on (`hold`) from its
first record to its end, which is that of the criteria, an error, or whoever reads it closing it.
What was subscribed to before is not shown, and stays on.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from scmictl.agent import Event, Lost, Reconnected, Resource, Stray
from scmictl.agent.discovery import refused
from scmictl.commands import event
from scmictl.commands.command import Arguments, Column, Record, Stream
from scmictl.commands.context import Context
from scmictl.commands.criteria import Criteria, Stamps
from scmictl.commands.event import Source, Switch
from scmictl.commands.hold import Holds, Pair
from scmictl.commands.watch import Feed, feed_of
from scmictl.errors import NotOffered, ScmictlError, StatusError
from scmictl.protocols import Protocol


class Wish(NamedTuple):
    """A notification to watch, and of which resources (none: of all that send it)."""

    switch: Switch
    words: Sequence[str]
    feed: Feed


class Follower:
    """Watches notifications and yields their records; the times in them are seconds still.

    ``args`` are those of the watch. ``lenient`` leaves out what the platform does not offer, as
    long as something is left.
    """

    def __init__(
        self,
        ctx: Context,
        args: Arguments,
        wishes: Sequence[Wish],
        criteria: Criteria,
        *,
        lenient: bool = False,
    ) -> None:
        self.ctx = ctx
        self.args = args
        self.wishes = wishes
        self.criteria = criteria
        self.lenient = lenient
        self.others = 0
        self.by_numbers = {(w.switch.protocol.id, w.switch.event.MESSAGE_ID): w for w in wishes}

    def records(self) -> Iterator[Record]:
        """Switch on, yield what comes, switch off."""
        with Holds(self.ctx) as holds:
            found = self._sources()
            for wish, sources in found:
                self._enable(holds, wish, sources)
            self._subscribe(holds, found)
            wanted = {(s.switch.event.SPEC, s.number) for _, sources in found for s in sources}
            yield from self._follow(wanted)
        if self.others:
            are = "1 notification" if self.others == 1 else f"{self.others} notifications"
            self.ctx.notice(f"{are} of other subscriptions came meanwhile and went unseen")

    def _sources(self) -> list[tuple[Wish, list[Source]]]:
        found: list[tuple[Wish, list[Source]]] = []
        for wish in self.wishes:
            try:
                found.append((wish, event.sources(self.ctx, wish.switch, wish.words)))
            except (NotOffered, StatusError) as error:
                # A protocol that this agent may not use is not offered to it.
                if not self.lenient or not (isinstance(error, NotOffered) or refused(error)):
                    raise
        if not found:
            event.require_events(self.ctx, "watch")
            raise NotOffered("the platform offers no notifications")
        return found

    def _enable(self, holds: Holds, wish: Wish, sources: Sequence[Source]) -> None:
        things = [source.resource for source in sources if source.resource is not None]
        if things:
            failed = wish.feed.enable(self.ctx, self.args, holds, things)
            self._refused(sources, [failed.get(thing.id) for thing in things], "enabled")

    def _subscribe(self, holds: Holds, found: Sequence[tuple[Wish, list[Source]]]) -> None:
        # What lasts anyhow must not be switched off at the end.
        every = [(wish, source) for wish, sources in found for source in sources]
        new = [
            (wish, source)
            for wish, source in every
            if (source.switch.event.SPEC, source.number) not in self.ctx.subscriptions
        ]
        errors = holds.add([self._pair(wish, source) for wish, source in new])
        self._refused([source for _, source in new], errors, "watched")
        if len(new) == len(every) and all(errors):
            raise next(error for error in errors if error is not None)

    def _pair(self, wish: Wish, source: Source) -> Pair:
        if source.resource is None:
            return wish.switch.pair(None)
        return wish.switch.pair(source.number, wish.feed.fields(self.args, source.resource))

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
        wish = self._wish(incident)
        if wish is None:
            return self.lenient
        if incident.message is None:
            return True  # it cannot be told of whom it is
        return (incident.message.SPEC, wish.switch.number(incident.message)) in wanted

    def _wish(self, incident: Event) -> Wish | None:
        return self.by_numbers.get((incident.header.protocol_id, incident.header.message_id))

    def _record(self, incident: Event) -> Record:
        wish = self._wish(incident)
        if wish is None:
            return event.event_record(incident)
        return told(self.ctx, incident, wish.switch, wish.feed)


def read(ctx: Context, incident: Event) -> Record:
    """Return the record of any notification as the watch of its group has it.

    Raises what :func:`told` raises.
    """
    message = incident.message
    if message is not None and incident.protocol is not None:
        for switch in event.switches([incident.protocol]):
            if switch.event is type(message) and switch.simple:
                return told(ctx, incident, switch, feed_of(switch.event))
    return event.event_record(incident)


def told(ctx: Context, incident: Event, switch: Switch, feed: Feed) -> Record:
    """Return the record of a notification that ``feed`` streams.

    Asks for what is not known yet of the resource; raises what that raises.
    """
    record = event.event_record(incident)
    message = incident.message
    number = None if message is None else switch.number(message)
    if message is None or number is None:
        return record
    resource = resource_of(ctx, switch.protocol, number)
    record |= {"id": resource.id, "name": resource.name}
    return record | feed.meaning(ctx, resource, message)


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
