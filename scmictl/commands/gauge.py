"""What can be known of sensors, read of many at once: state, readings, intervals, configuration.

Each function takes sensors and returns a row for each of them, in the same order. What a sensor
does not have is None; see :class:`~scmictl.commands.subject.Row` for what could not be read.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from scmictl.agent import Listing, Resource, Transfer
from scmictl.commands import reading
from scmictl.commands.command import Arguments, Record
from scmictl.commands.context import Context
from scmictl.commands.hold import Holds, Pair
from scmictl.commands.span import Keys, span_row
from scmictl.commands.subject import Row, ask
from scmictl.errors import RemoteProtocolError, ScmictlError, StatusError
from scmictl.protocols import sensor
from scmictl.protocols.unit import scaled
from scmictl.wire import Request, Status

DISABLED = (Status.PROTOCOL_ERROR, Status.INVALID_PARAMETERS)
"""What a disabled sensor is answered with: by the specification, and by vhost-device-scmi."""
NO_LIST = (Status.NOT_SUPPORTED, Status.NOT_FOUND)
"""What a sensor without update intervals, or without a configuration, answers for them."""

_INTERVALS = Keys("intervals", "s", counted=False)


def configurable(ctx: Context) -> bool:
    """Return whether sensors can be asked how they are configured."""
    version = ctx.version(sensor.PROTOCOL)
    return version >= sensor.ConfigGet.SINCE and ctx.agent.implements(sensor.ConfigGet)


def states(ctx: Context, sensors: Sequence[Resource]) -> list[Row]:
    """Read id, name, type, unit, scale, axes and whether it is enabled: the record of a sensor."""
    requests: dict[int, Request[Any]] = {}
    if configurable(ctx):
        requests = {s.id: sensor.ConfigGet(sensor_id=s.id) for s in sensors if not s.error}
    else:
        # Somebody has to say whether there is such a sensor.
        requests = {
            s.id: sensor.ReadingGet(sensor_id=s.id)
            for s in sensors
            if s.description is None and not s.error
        }
    found = ask(ctx, requests)
    reading.all_axes(ctx, sensors)
    rows = []
    for resource in sensors:
        row = Row(resource)
        row.fail(reading.fault(ctx, resource))
        transfer = found.get(resource.id)
        enabled = None
        if transfer is not None and transfer.error is not None:
            row.fail(transfer.error)
        elif transfer is not None and isinstance(transfer.response, sensor.ConfigGetResponse):
            enabled = transfer.response.sensor_config.enabled
        known = resource.description is not None
        unit = reading.measure(ctx, resource)
        row.record |= {
            "type": unit.type if known else None,
            "unit": unit.unit if known else None,
            "scale": unit.scale if known else None,
            "axes": reading.axis_count(resource) if known else None,
            "enabled": enabled,
        }
        rows.append(row)
    return rows


# --- readings -------------------------------------------------------------------------------------


def readings(ctx: Context, sensors: Sequence[Resource]) -> list[Row]:
    """Read the value of each sensor: value, unit, raw, timestamp and axes."""
    reading.all_axes(ctx, sensors)
    found = ask(ctx, {s.id: sensor.ReadingGet(sensor_id=s.id) for s in sensors})
    return [reading_row(ctx, resource, found[resource.id]) for resource in sensors]


def reading_row(ctx: Context, resource: Resource, transfer: Transfer[Any]) -> Row:
    """Return the row of a reading from its response, or its delayed response if there is one."""
    row = Row(resource)
    row.fail(transfer.error)
    # Without its unit and scale, a number is no reading.
    row.fail(reading.fault(ctx, resource))
    answer = (transfer.delayed or transfer.response) if transfer.error is None else None
    row.record |= meaning(ctx, resource, answer)
    if answer is None:
        row.record |= {"unit": None, "axes": None}
        return row
    found, axes = _values(answer), reading.axis_count(resource)
    if isinstance(found, list) and len(found) < axes:
        row.fail(
            RemoteProtocolError(
                f"{transfer.spec}: {len(found)} readings, expected {axes}: an axis each"
            )
        )
    return row


def meaning(ctx: Context, resource: Resource, message: Any) -> Record:
    """Return value, unit, raw, timestamp and axes as a message tells them; None: nothing is."""
    return reading.reading_record(ctx, resource, _values(message))


def _values(message: Any) -> Any:
    """Return the readings in a message; a number is that of version 1.0."""
    if isinstance(message, sensor.ReadingGetResponse | sensor.ReadingComplete):
        return message.sensor_value if message.readings is None else message.readings
    return message.readings if isinstance(message, sensor.Update) else None


# --- what is off ----------------------------------------------------------------------------------


def turn_on(ctx: Context, holds: Holds, sensors: Sequence[Resource]) -> dict[int, ScmictlError]:
    """Enable those of the sensors that are disabled, for the time of ``holds``.

    Return by id what could not be enabled, and why. In version 1.0 every sensor is on. Raises
    NotOffered, Refused and DryRun.
    """
    if ctx.version(sensor.PROTOCOL) < sensor.ConfigSet.SINCE:
        return {}
    found = ask(ctx, {s.id: sensor.ConfigGet(sensor_id=s.id) for s in sensors})
    failed = {
        number: transfer.error
        for number, transfer in found.items()
        # A sensor that cannot be configured is on; one that does not exist is not read either.
        if transfer.error is not None and not says(transfer.error, NO_LIST)
    }
    pairs: dict[int, Pair] = {}
    for number, transfer in found.items():
        response = transfer.response
        if transfer.error is None and response and not response.sensor_config.enabled:
            # Interval 0 leaves the interval alone.
            stamps = response.sensor_config.timestamp
            on, off = (
                sensor.ConfigSetWord(sensor_enable=state, timestamp_enable=stamps)
                for state in (1, 0)
            )
            pairs[number] = Pair(
                sensor.ConfigSet(sensor_id=number, sensor_config=on),
                sensor.ConfigSet(sensor_id=number, sensor_config=off),
            )
    if not pairs:
        return failed
    ctx.require(sensor.ConfigSet)
    errors = holds.add(list(pairs.values()))
    return failed | {n: error for n, error in zip(pairs, errors, strict=True) if error is not None}


def disabled(ctx: Context, sensors: Sequence[Resource]) -> list[Resource]:
    """Return those of the sensors that say that they are disabled."""
    described = [s for s in sensors if s.description is not None]
    if not described or not configurable(ctx):
        return []
    found = ask(ctx, {s.id: sensor.ConfigGet(sensor_id=s.id) for s in described})
    return [
        s
        for s in described
        if found[s.id].error is None and not found[s.id].result().sensor_config.enabled
    ]


def enable(
    ctx: Context, args: Arguments, holds: Holds, sensors: list[Resource]
) -> dict[int, ScmictlError]:
    """Enable disabled sensors for a watch (--enable), or say that they will send nothing."""
    given = args.given()
    if "enable" in given:
        return turn_on(ctx, holds, sensors)
    off = disabled(ctx, sensors) if "interval" not in given else []
    if off:
        what, them = f"{len(off)} of these sensors are disabled and send", "them"
        if len(off) == 1:
            what, them = f"{reading.called(off[0])} is disabled and sends", "it"
        ctx.notice(f"{what} nothing; `sensor watch --enable` turns {them} on meanwhile")
    return {}


def hint(ctx: Context, row: Row) -> None:
    """Say of --enable if the only sensor of a watch cannot be read because it is disabled."""
    with_hint(ctx, [row], many=False)


def with_hint(ctx: Context, rows: Sequence[Row], *, many: bool) -> None:
    """Say of --enable where readings failed because sensors are disabled."""
    suspects = [
        row for row in rows if isinstance(row.error, StatusError) and row.error.status in DISABLED
    ]
    if not suspects:
        return
    off = disabled(ctx, [row.resource for row in suspects])
    if many and off:
        are, them = ("1 sensor is", "it") if len(off) == 1 else (f"{len(off)} sensors are", "them")
        ctx.notice(f"{are} disabled; --enable turns {them} on for the time of the reading")
    elif off and suspects[0].error is not None:
        suspects[
            0
        ].error.hint = "the sensor is disabled; --enable turns it on for the time of the reading"


# --- intervals and configuration ------------------------------------------------------------------


def intervals(ctx: Context, sensors: Sequence[Resource]) -> list[Row]:
    """Read the update intervals of each sensor: a list, or lowest, highest and the step between."""
    listings = ctx.agent.listings(
        [sensor.ListUpdateIntervals(sensor_id=s.id, index=0) for s in sensors]
    )
    return [_intervals(resource, one) for resource, one in zip(sensors, listings, strict=True)]


def _intervals(resource: Resource, listing: Listing) -> Row:
    first = listing.first
    triplet = (
        isinstance(first, sensor.ListUpdateIntervalsResponse)
        and first.num_intervals_flags.format == sensor.IntervalFormat.TRIPLET
    )
    seconds = [scaled(item.sec, item.exponent) for item in listing.items]
    return span_row(resource, listing, _INTERVALS, seconds, triplet=triplet)


def configs(ctx: Context, sensors: Sequence[Resource]) -> list[Row]:
    """Read the configuration of each sensor."""
    found = ask(ctx, {s.id: sensor.ConfigGet(sensor_id=s.id) for s in sensors})
    rows = []
    for resource in sensors:
        row = Row(resource)
        config = row.read(found[resource.id], "sensor_config")
        row.record |= config_record(config)
        rows.append(row)
    return rows


def config_record(config: sensor.Config | None) -> Record:
    """Return a configuration; no interval is None."""
    if config is None:
        return {"enabled": None, "interval_s": None, "timestamps": None}
    return {
        "enabled": config.enabled,
        "interval_s": scaled(config.sec, config.exponent) if config.sec else None,
        "timestamps": config.timestamp,
    }


# --- everything -----------------------------------------------------------------------------------


def whole(ctx: Context, sensors: Sequence[Resource]) -> list[Row]:
    """Read all that can be known of each sensor."""
    rows = states(ctx, sensors)
    there = [row.resource for row in rows if row.error is None]
    values = {row.resource.id: row for row in readings(ctx, there)}
    newer = ctx.version(sensor.PROTOCOL) >= sensor.ConfigGet.SINCE
    settings = {}
    if newer and configurable(ctx):
        settings = {row.resource.id: row for row in configs(ctx, there)}
    spans = {}
    if newer and ctx.agent.implements(sensor.ListUpdateIntervals):
        spans = {row.resource.id: row for row in intervals(ctx, there)}
    for row in rows:
        resource = row.resource
        row.record |= _described(ctx, resource)
        row.fail(reading.axes_error(ctx, resource))
        setting = settings.get(resource.id)
        if setting is not None:
            row.fail(setting.error)
            row.record |= {k: setting.record[k] for k in ("interval_s", "timestamps")}
        span = spans.get(resource.id)
        if span is not None and span.error is None:
            row.record["intervals"] = {
                k: v for k, v in span.record.items() if k not in ("id", "name")
            }
        elif span is not None and not says(span.error, NO_LIST):
            row.fail(span.error)
        value = values.get(resource.id)
        if value is not None:
            row.record["reading"] = _reading(value)
            if not isinstance(value.error, StatusError):
                row.fail(value.error)
    return rows


def says(error: ScmictlError | None, statuses: Sequence[int]) -> bool:
    """Return whether an error is one of these statuses."""
    return isinstance(error, StatusError) and error.status in statuses


def _reading(row: Row) -> Record:
    if row.error is not None:
        # That a sensor cannot be read now is something that can be known of it.
        return {"status": row.error.name}
    keys = ("value", "raw", "timestamp", "axes")
    return {"status": "SUCCESS", **{key: row.record[key] for key in keys}}


def _described(ctx: Context, resource: Resource) -> Record:
    """Return what the descriptor says beyond the record of a list."""
    description = resource.description
    record: Record = {
        "interval_s": None,
        "timestamps": None,
        "intervals": None,
        "reading": None,
        "async_read": None,
        "continuous_update": None,
        "trip_points": None,
        "timestamp_exponent": None,
        "power_uw": None,
        "resolution": None,
        "min": None,
        "max": None,
        "axis_list": [],
    }
    if description is None:
        return record
    low, high = description.sensor_attributes_low, description.sensor_attributes_high
    if high.update_interval:
        record["interval_s"] = scaled(high.update_interval, high.update_interval_exp)
    record |= {
        "async_read": low.async_read,
        "continuous_update": low.continuous_update_notify,
        "trip_points": low.num_trip_points,
        "timestamp_exponent": low.timestamp_exponent if low.timestamp_support else None,
        "power_uw": description.sensor_power or None,
        "axis_list": [reading.axis_record(axis) for axis in reading.axes(ctx, resource)],
        **reading.limits(
            description.sensor_resolution,
            description.sensor_min_range,
            description.sensor_max_range,
            reading.measure(ctx, resource),
        ),
    }
    return record
