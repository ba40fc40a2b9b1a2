"""One line for what came unasked: a notification, a stray frame, a loss, a reconnection."""

from __future__ import annotations

import time
from typing import Any

from scmictl.agent import Agent, Event, Incident, Lost, Reconnected, Resource, Stray
from scmictl.commands import event
from scmictl.commands.watch import feed_of
from scmictl.console.cell import compact
from scmictl.console.terminal import json_text, safe
from scmictl.console.view import View
from scmictl.wire import Field
from scmictl.wire.record import record as fields_of


def line(one: Incident, agent: Agent, view: View, *, target: str = "") -> str:
    """Return the line for ``one``, safe for a terminal; JSON where that is the form.

    Names are those known already: nothing is sent. ``target`` says which connection it was.
    """
    if view.form in ("json", "jsonl"):
        return _json(one, target)
    where = f"{target}: " if target else ""
    if isinstance(one, Event):
        clock = time.strftime("%H:%M:%S", time.localtime(one.time))
        stamp = f"{clock}.{int(one.time % 1 * 1000):03d}"
        return f"{stamp} {safe(where)}{_event(one, agent)}"
    if isinstance(one, Stray):
        return safe(f"{where}stray frame: {one.reason}")
    if isinstance(one, Lost):
        return safe(f"{where}{one.number} notifications were lost: too many came at once")
    renewed = f"but not {'; '.join(one.refused)}" if one.refused else "subscriptions renewed"
    return safe(f"{where}reconnected after {one.gap_s:.3g} s, {renewed}")


def _event(one: Event, agent: Agent) -> str:
    message = one.message
    if message is None:
        why = f" ({one.error.message})" if one.error is not None else ""
        return safe(f"{one.spec} {one.payload.hex(' ')}{why}")
    plain = fields_of(message, one.version)
    resource = _resource(one, agent)
    said = feed_of(type(message)).line(resource, message) if resource is not None else {}
    parts = [
        safe(said[field.key])
        if field.key in said
        else f"{field.key}={_field(field, plain.get(field.key), one, resource)}"
        for field in message.layout(one.version)
        if not (field.key == "agent_id" and not getattr(message, "agent_id", None))
    ]
    return f"{one.spec} {' '.join(parts)}"


def _field(field: Field, value: Any, one: Event, resource: Resource | None) -> str:
    text = compact(value, field.unit, "si")
    if resource is None or not resource.name or field.key != _id(one):
        return text
    return f"{text} ({safe(resource.name)})"


def _id(one: Event) -> str | None:
    """Return the field with the number of what a notification is about."""
    how = one.protocol.resources if one.protocol is not None else None
    return how.id if how is not None else None


def _resource(one: Event, agent: Agent) -> Resource | None:
    """Return what a notification is about, as far as it is known already."""
    number = getattr(one.message, _id(one) or "", None)
    if one.protocol is None or number is None:
        return None
    found = agent.discovered(one.protocol)
    known = found.resources if found is not None else []
    return known[number] if number < len(known) else Resource(number)


def _json(one: Incident, target: str) -> str:
    import sys

    if isinstance(one, Event):
        record = event.event_record(one)
        record["time"] = event.iso(one.time)
    elif isinstance(one, Lost | Reconnected):
        record = event.incident_record(one, time.time())
        record["time"] = event.iso(record["time"])
    else:
        record = {"event": "stray", "fields": {"frame": one.data.hex(), "reason": one.reason}}
    return json_text({**({"target": target} if target else {}), **record}, sys.stdout)
