"""`sensor trip`: the values at whose crossing a sensor tells."""

from __future__ import annotations

from scmictl import values
from scmictl.agent import Resource
from scmictl.commands import reading
from scmictl.commands.command import Arguments, Column, Output, Record, Rows
from scmictl.commands.context import Context
from scmictl.errors import NotOffered, UsageError
from scmictl.protocols import sensor
from scmictl.protocols.unit import steps

_COLUMNS = (
    Column("id", "ID"),
    Column("name", "NAME"),
    Column("trip_point", "POINT"),
    Column("event", "EVENT"),
    Column("value", "VALUE"),
    Column("unit", "UNIT"),
    Column("raw", "RAW"),
)
_TRIP_IDS = 0xFF


def set_(ctx: Context, args: Arguments) -> Output:
    """Set a trip point of a sensor."""
    event = _event(args)
    point = _point(args)
    resource = _with_trips(ctx, args)
    unit = reading.measure(ctx, resource)
    raw = steps(args.value, unit.unit, unit.scale)
    _send_trip(ctx, resource, point, event, raw)
    return _trip(resource, point, event, unit, raw)


def clear(ctx: Context, args: Arguments) -> Output:
    """Switch a trip point of a sensor off."""
    point = _point(args)
    resource = _with_trips(ctx, args)
    unit = reading.measure(ctx, resource)
    # The value means nothing, but platforms check that it is in the sensor's range.
    raw = _in_range(resource)
    _send_trip(ctx, resource, point, sensor.TripEvent.DISABLE, raw)
    return _trip(resource, point, sensor.TripEvent.DISABLE, unit, None)


def _in_range(resource: Resource) -> int:
    description = resource.description
    if description is None or description.sensor_min_range is None:
        return 0
    low, high = description.sensor_min_range, description.sensor_max_range
    return min(max(0, int(low)), int(high))


def _send_trip(
    ctx: Context, resource: Resource, point: int, event: sensor.TripEvent, raw: int
) -> None:
    word = sensor.TripPointEvCtrl(trip_point_id=point, event=event)
    ctx.call(
        sensor.TripPointConfig(sensor_id=resource.id, trip_point_ev_ctrl=word, trip_point_val=raw)
    )


def _trip(
    resource: Resource,
    point: int,
    event: sensor.TripEvent,
    unit: reading.Measure,
    raw: int | None,
) -> Rows:
    # No message reads a trip point back: this is what was sent.
    record: Record = {
        "id": resource.id,
        "name": resource.name,
        "trip_point": point,
        "event": event.name.lower(),
        "value": None if raw is None else unit.value(raw),
        "unit": unit.unit,
        "raw": raw,
    }
    return Rows([record], _COLUMNS, many=False)


def _with_trips(ctx: Context, args: Arguments) -> Resource:
    """Return the sensor meant; raises NotOffered if it has no trip points."""
    ctx.require(sensor.TripPointConfig)
    resource = ctx.one(sensor.PROTOCOL, args.id)
    if resource.description is not None and not reading.has(resource, "num_trip_points"):
        raise NotOffered(f"{reading.called(resource)} has no trip points")
    return resource


def _point(args: Arguments) -> int:
    point = values.number(args.point)
    if not 0 <= point <= _TRIP_IDS:
        raise UsageError(f"POINT is {args.point}, expected 0 to {_TRIP_IDS}")
    return point


def _event(args: Arguments) -> sensor.TripEvent:
    """Return which crossings count; both where nothing is said."""
    given = [name for name in ("rising", "falling", "both") if getattr(args, name)]
    if len(given) > 1:
        raise UsageError(f"--{given[0]} and --{given[1]} exclude each other")
    return sensor.TripEvent[given[0].upper()] if given else sensor.TripEvent.BOTH


def check(args: Arguments) -> None:
    """Raise UsageError for a point, value or event that cannot be."""
    _point(args)
    _event(args)
    values.quantity(args.value)


def check_point(args: Arguments) -> None:
    """Raise UsageError for a trip point that cannot be."""
    _point(args)
