"""One line for what came unasked: a notification, a stray frame, a loss, a reconnection."""

from __future__ import annotations

import time
from typing import Any

from scmictl import protocols, values
from scmictl.agent import Agent, Event, Incident, Lost, Reconnected, Stray
from scmictl.commands import event, reading
from scmictl.console.cell import compact
from scmictl.console.terminal import json_text, safe
from scmictl.console.view import View
from scmictl.protocols import sensor
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
    parts = [
        f"{field.key}={_field(field, plain.get(field.key), one, agent)}"
        for field in message.layout(one.version)
        if not (field.key == "agent_id" and not getattr(message, "agent_id", None))
    ]
    if isinstance(message, sensor.Update):
        parts = [*parts[:-1], *_readings(message, agent)]
    return f"{one.spec} {' '.join(parts)}"


def _field(field: Field, value: Any, one: Event, agent: Agent) -> str:
    protocol = one.protocol
    how = protocol.resources if protocol is not None else None
    text = compact(value, field.unit, "si")
    if how is None or protocol is None or field.key != how.id:
        return text
    name = _name(agent, protocol, value)
    return f"{text} ({safe(name)})" if name else text


def _name(agent: Agent, protocol: protocols.Protocol, number: int) -> str | None:
    found = agent.discovered(protocol)
    return None if found is None else found.name_of(number)


def _readings(message: sensor.Update, agent: Agent) -> list[str]:
    """Return the values in the sensor's unit, as far as it is known without asking."""
    raw = [r.sensor_value for r in message.readings]
    found = agent.discovered(sensor.PROTOCOL)
    known = found is not None and message.sensor_id < len(found.resources)
    resource = found.resources[message.sensor_id] if found is not None and known else None
    if resource is None or resource.description is None or reading.axis_count(resource):
        return [f"raw={','.join(map(str, raw))}"]
    high = resource.description.sensor_attributes_high
    measure = reading.Measure(high.sensor_type, high.unit_exponent)
    shown = [values.format_value(measure.value(value), measure.unit) for value in raw]
    return [f"value={', '.join(shown)}"]


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
