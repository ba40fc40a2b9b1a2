"""Sensors as a hand finds and changes them: what one is like, and what can be set of it.

A value that a hand has set is held, neither wave nor noise move it, until it is given back with
``auto``. Values are typed in the sensor's unit, and shown in it.
"""

from __future__ import annotations

from typing import Any

from scmictl import values
from scmictl.errors import UsageError
from scmictl.platform import interval
from scmictl.platform.instrument import Channel, Sensor
from scmictl.platform.interval import SMALLEST
from scmictl.protocols.sensor import TripEvent
from scmictl.protocols.unit import scaled, steps, symbol

AUTO = "auto"
OFF = "off"


def state(one: Sensor, uptime_us: int) -> dict[str, Any]:
    """Return what a sensor is like, ``uptime_us`` after the start."""
    measured = one.values(uptime_us)
    found: dict[str, Any] = dict.fromkeys(("value", "unit", "raw", "held"))
    if not one.axes:
        found = _value(one.channels[0], measured[0])
    found |= {
        "enabled": one.enabled,
        "interval_s": None,
        "timestamps": one.timestamps,
        "faulty": one.faulty,
    }
    if one.interval is not None:
        found["interval_s"] = scaled(one.interval.sec, one.interval.exponent)
    if one.axes:
        found["axes"] = [
            {"name": channel.name, **_value(channel, raw)}
            for channel, raw in zip(one.channels, measured, strict=True)
        ]
    if one.trips:
        found["trips"] = [
            {
                "id": id,
                "event": trip.event.name.lower(),
                "value": scaled(trip.value, one.channels[0].scale) if trip.event else None,
            }
            for id, trip in enumerate(one.trips)
        ]
    return found


def _value(channel: Channel, raw: int) -> dict[str, Any]:
    return {
        "value": scaled(raw, channel.scale),
        "unit": symbol(channel.kind),
        "raw": raw,
        "held": channel.wave.held is not None,
    }


def adjust(one: Sensor, key: str, text: str) -> None:
    """Set one thing of a sensor; raises UsageError for what cannot be, and changes nothing then."""
    channels = _channels(one)
    trips = {f"trip.{id}": trip for id, trip in enumerate(one.trips)}
    if key in channels:
        channel = channels[key]
        channel.wave.held = None if text == AUTO else _raw(channel, text)
    elif key == "value" and one.axes and text == AUTO:
        for channel in one.channels:
            channel.wave.held = None
    elif key == "enabled":
        one.enabled = values.truth(text)
    elif key == "faulty":
        one.faulty = values.truth(text)
    elif key == "interval" and one.intervals is not None:
        one.interval = _interval(one, text)
    elif key == "timestamps" and one.timestamp_exponent is not None:
        one.timestamps = values.truth(text)
    elif key in trips:
        trip = trips[key]
        trip.event, trip.value = _trip(one.channels[0], text)
        trip.set_by = 0
    else:
        raise values.unknown("key", key, _keys(one, [*channels, *trips]))


def _keys(one: Sensor, own: list[str]) -> list[str]:
    found = [*own, "enabled", "faulty"]
    if one.intervals is not None:
        found.append("interval")
    if one.timestamp_exponent is not None:
        found.append("timestamps")
    return found


def _channels(one: Sensor) -> dict[str, Channel]:
    if not one.axes:
        return {"value": one.channels[0]}
    return {f"value.{channel.name}": channel for channel in one.channels}


def _raw(channel: Channel, text: str) -> int:
    unit = symbol(channel.kind)
    raw = steps(text, unit, channel.scale)
    if not channel.wave.lowest <= raw <= channel.wave.highest:
        low, high = (scaled(r, channel.scale) for r in (channel.wave.lowest, channel.wave.highest))
        raise UsageError(f"value is {text}, expected {low} to {high} {unit}".rstrip())
    return raw


def _interval(one: Sensor, text: str) -> interval.Span:
    assert one.intervals is not None
    numerator, denominator = values.quantity(text).convert("s")
    ticks, rest = divmod(numerator * 10**-SMALLEST, denominator)
    found = interval.span(ticks, SMALLEST) if ticks > 0 and not rest else None
    if found is None or not one.intervals.has(found):
        raise UsageError(f"found the interval {text!r}, expected {_intervals(one)}")
    return found


def _intervals(one: Sensor) -> str:
    assert one.intervals is not None
    texts = [f"{scaled(s.sec, s.exponent)} s" for s in one.intervals.spans if s is not None]
    if one.intervals.steps.triplet:
        return f"{texts[0]} to {texts[1]} in steps of {texts[2]}"
    return values.listing(texts)


def _trip(channel: Channel, text: str) -> tuple[TripEvent, int]:
    """Read ``off``, ``80C`` (both directions) or ``80C:rising``."""
    if text == OFF:
        return TripEvent.DISABLE, 0
    value, _, direction = text.partition(":")
    events = {event.name.lower(): event for event in TripEvent if event}
    if (direction or "both") not in events:
        raise values.unknown("direction", direction, events)
    return events[direction or "both"], _raw(channel, value)
