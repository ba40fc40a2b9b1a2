"""Notifications: which there are, which resources can send them, and how one reads as a record."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from scmictl import protocols, values
from scmictl.agent import Event, Incident, Lost, Reconnected, Resource
from scmictl.commands import message
from scmictl.commands.command import Record
from scmictl.commands.context import Context
from scmictl.commands.hold import Pair
from scmictl.commands.subject import Subjects, called
from scmictl.commands.survey import Survey
from scmictl.errors import NotOffered, RemoteProtocolError, StatusError, UsageError
from scmictl.protocols import Protocol
from scmictl.wire import Bits, Notification, Request, follow
from scmictl.wire.fields import MISSING
from scmictl.wire.record import record as fields_of


class Switch(NamedTuple):
    """A notification and the request that switches it; ``id`` is the field with the resource.

    ``id`` is None where the notification is about the platform as a whole.
    """

    protocol: Protocol
    request: type[Request[Any]]
    event: type[Notification]
    id: str | None

    def pair(self, number: int | None, more: Mapping[str, int] | None = None) -> Pair:
        """Return how to switch the notification of a resource on (all of it) and off.

        ``more`` are further fields of the request that switches it on.
        """
        given = {} if self.id is None else {self.id: number}
        switch = next(f for f in self.request.FIELDS if f.name == self.request.SWITCH)
        on = 1 if switch.bits is None else switch.bits.at(self.protocol.newest).KNOWN
        return Pair(
            self.request(**given, **{switch.name: on}, **(more or {})),
            self.request(**given, **{switch.name: 0}),
        )

    @property
    def simple(self) -> bool:
        """Whether nothing has to be said but on or off, and of which of the protocol's things."""
        own = (self.request.SWITCH, self.id)
        more = [f for f in self.request.FIELDS if f.name not in own and f.default is MISSING]
        how = self.protocol.resources
        # What is listed in pages has its id in the list, under another name.
        known = how is not None and (how.describe.PAGING is not None or how.id == self.id)
        return not more and (self.id is None or known)

    def number(self, message: Notification) -> int | None:
        """Return which resource a notification is about; None: the platform as a whole."""
        if self.id is None:
            return None
        found = follow(message, message.ABOUT or self.id)
        assert isinstance(found, int)
        return found

    def offered(self, resource: Resource) -> bool:
        """Return whether a resource says that it sends this; one that says nothing may."""
        if resource.description is None:
            return resource.error is None
        said = [_says(resource.description, path) for path in self.request.OFFERED]
        return any(said) or all(one is None for one in said)


def _says(description: Any, path: str) -> bool | None:
    """Return what a path in a description says; None for a bit that its version does not have."""
    holder, _, name = path.rpartition(".")
    word = follow(description, holder) if holder else description
    if isinstance(word, Bits) and all(part.name != name for part in word.PARTS):
        return None
    said = getattr(word, name)
    return None if said is None else bool(said)


def switches(among: Iterable[Protocol] | None = None) -> Iterator[Switch]:
    """Yield every notification that can be switched; ``among``: of these protocols only."""
    for protocol, request in message.every(Request, among):
        if request.SUBSCRIBES is not None:
            yield _switch(protocol, request)


def switches_of(ctx: Context) -> list[Switch]:
    """Return the notifications that the platform could send: the standard ones and its vendor's."""
    among = list(protocols.standard())
    survey = Survey(ctx)
    try:
        listed = survey.protocol_ids(survey.attributes().num_protocols)
    except (StatusError, RemoteProtocolError):
        listed = []  # it tells nobody what it has, or not so that one could read it
    for number in listed:
        protocol = ctx.agent.protocols.by_id(number)
        if protocol is not None and protocol not in among:
            among.append(protocol)
    return [switch for switch in switches(among) if switch.simple]


def switch_of(event: type[Notification]) -> Switch:
    """Return what switches ``event``; there has to be something."""
    protocol = protocols.of(event)
    assert protocol is not None
    return next(switch for switch in switches([protocol]) if switch.event is event)


def find(text: str) -> Switch:
    """Return the notification that ``text`` names; raises UsageError, also if it takes a `call`."""
    switch = _find(text, further=True)
    if switch is None:
        names = [switch.event.SPEC for switch in switches()]
        raise values.unknown("event", text, names, limit=len(names))
    if not switch.simple:
        raise UsageError(
            f"{switch.request.SPEC}, which switches {switch.event.SPEC}, takes more than an id",
            hint=f"call {message.qualified(switch.protocol, switch.request)} sends it",
        )
    return switch


def is_event(text: str) -> bool:
    """Return whether ``text`` names a notification."""
    # The name of a clock should not send anybody looking for vendors and packages.
    return _find(text, further="_" in text or "." in text) is not None


def _find(text: str, *, further: bool) -> Switch | None:
    try:
        protocol, event = message.find(text, Notification, further=further)
    except UsageError:
        return None
    return next((switch for switch in switches([protocol]) if switch.event is event), None)


def _switch(protocol: Protocol, request: type[Request[Any]]) -> Switch:
    assert request.SUBSCRIBES is not None
    own = [field.name for field in request.FIELDS if field.name != request.SWITCH]
    return Switch(protocol, request, request.SUBSCRIBES, own[0] if own else None)


# --- who sends it ---------------------------------------------------------------------------------


class Source(NamedTuple):
    """A notification of one resource (None: of the platform).

    ``named`` tells whether the user meant this very one, so that a refusal is an error.
    """

    switch: Switch
    resource: Resource | None
    named: bool

    @property
    def number(self) -> int | None:
        return None if self.resource is None else self.resource.id

    @property
    def called(self) -> str:
        """The resource for people: ``sensor 3 (acc0)``."""
        how = self.switch.protocol.resources
        if self.resource is None or how is None:
            return "the platform"
        return called(how.noun, self.resource)


def require_events(ctx: Context, what: str) -> None:
    """Raise NotOffered on a connection that has no event queue."""
    if not ctx.agent.link.p2a:
        raise NotOffered(
            f"{what}: this connection has no event queue, and so no notifications",
            hint="the device did not offer (or was not asked for) VIRTIO_SCMI_F_P2A_CHANNELS",
        )


def sources(ctx: Context, switch: Switch, words: Sequence[str]) -> list[Source]:
    """Return which resources to switch: those ``words`` name, or all that offer the event.

    Raises NotOffered where the connection, the platform or a resource that was named does not
    offer it, and where none does.
    """
    require_events(ctx, switch.event.SPEC)
    ctx.require(switch.request)
    if switch.id is None:
        if words:
            raise UsageError(f"{switch.event.SPEC} is about the platform: it takes no ids")
        return [Source(switch, None, True)]
    found: dict[int, Source] = {}
    for word in words or ["all"]:
        chosen = Subjects(ctx, switch.protocol, [word])
        for resource in chosen.resources:
            source = Source(switch, resource, not chosen.many)
            if switch.offered(resource):
                found.setdefault(resource.id, source)
            elif source.named:
                raise NotOffered(f"{source.called} does not offer {switch.event.SPEC}")
    if not found:
        how = switch.protocol.resources
        assert how is not None
        raise NotOffered(f"no {how.noun} {'of these ' if words else ''}offers {switch.event.SPEC}")
    return list(found.values())


# --- what comes -----------------------------------------------------------------------------------


def iso(seconds: float) -> str:
    """Return wall-clock seconds as ISO 8601 in UTC with microseconds."""
    whole, micro = divmod(round(seconds * 1_000_000), 1_000_000)
    return f"{time.strftime('%Y-%m-%dT%H:%M:%S', time.gmtime(whole))}.{micro:06d}Z"


def event_record(event: Event) -> Record:
    """Return a notification with the keys of `watch`; its time still in seconds."""
    message_ = event.message
    record: Record = {
        "time": event.time,
        "protocol": _protocol_name(event),
        "event": event.spec,
        "agent_id": getattr(message_, "agent_id", None),
        "fields": {} if message_ is None else fields_of(message_, event.version),
    }
    if message_ is None:
        record |= {
            "payload": event.payload.hex(),
            "error": event.error.message if event.error else "unknown notification",
        }
    elif message_.surplus:
        record["surplus"] = message_.surplus.hex()
    return record


def _protocol_name(event: Event) -> str:
    if event.protocol is not None:
        return event.protocol.name
    return protocols.id_name(event.header.protocol_id)


def incident_record(incident: Incident, now: float) -> Record:
    """Return what happened to the connection at ``now`` as a record; raises for a notification."""
    fields: Record
    if isinstance(incident, Lost):
        name, fields = "lost", {"count": incident.number}
    elif isinstance(incident, Reconnected):
        name = "reconnected"
        fields = {"gap_s": round(incident.gap_s, 6), "refused": list(incident.refused)}
    else:
        raise TypeError(incident)
    return {"time": now, "protocol": None, "event": name, "agent_id": None, "fields": fields}
