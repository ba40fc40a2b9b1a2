"""What a sensor's numbers mean: its types, units and axes, and its readings as records.

Values are exact: a raw integer times a power of ten. Axes are read in bulk, once per connection.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple
from weakref import WeakKeyDictionary

from scmictl import values
from scmictl.agent import Discovery, Resource
from scmictl.agent.discovery import refused
from scmictl.commands import subject
from scmictl.commands.command import Record
from scmictl.commands.context import Context
from scmictl.errors import RemoteProtocolError, ScmictlError
from scmictl.protocols import sensor
from scmictl.protocols.unit import SensorType, scaled, symbol
from scmictl.wire.record import enum_name


class Measure(NamedTuple):
    """In which unit a value counts: the sensor type's code, and the power of ten applied to it."""

    code: int
    scale: int

    @property
    def type(self) -> int | str:
        """The type's name; the code where it has none."""
        return enum_name(SensorType, self.code)

    @property
    def unit(self) -> str:
        """The symbol to write behind a value; empty where there is no unit."""
        return symbol(self.code)

    def value(self, raw: int) -> int | float:
        """Return ``raw`` in the unit."""
        return scaled(raw, self.scale)


class Axis(NamedTuple):
    """One axis of a sensor; ``description`` is what the platform says of it."""

    id: int
    name: str
    measure: Measure
    description: sensor.AxisDescription


NOTHING = Measure(SensorType.NONE, 0)

_known: WeakKeyDictionary[Discovery, dict[int, list[Axis] | ScmictlError]] = WeakKeyDictionary()
"""The axes read so far; they are forgotten with the discovery of the connection."""
_broken: WeakKeyDictionary[Discovery, dict[int, ScmictlError]] = WeakKeyDictionary()
"""Why lists of axes are not complete, by sensor id."""


def has(resource: Resource, ability: str) -> bool:
    """Return whether the sensor's attributes say that it has an ability."""
    description = resource.description
    return description is not None and bool(getattr(description.sensor_attributes_low, ability))


def called(resource: Resource) -> str:
    """Return a sensor for people: ``sensor 9 (acc0)``."""
    return subject.called("sensor", resource)


def axis_count(resource: Resource) -> int:
    """Return how many axes a sensor has: 0 for a scalar sensor."""
    description = resource.description
    if description is None or not description.sensor_attributes_high.axis_support:
        return 0
    return int(description.sensor_attributes_high.num_axes)


def measure(ctx: Context, resource: Resource) -> Measure:
    """Return in which unit a sensor counts.

    The type of a sensor with axes is that of its axes, if they agree.
    """
    if axis_count(resource):
        measures = {axis.measure for axis in axes(ctx, resource)}
        return measures.pop() if len(measures) == 1 else NOTHING
    description = resource.description
    if description is None:
        return NOTHING
    high = description.sensor_attributes_high
    return Measure(high.sensor_type, high.unit_exponent)


def axes(ctx: Context, resource: Resource) -> list[Axis]:
    """Return the axes of a sensor as far as they are known; none for a scalar sensor."""
    found = all_axes(ctx, [resource])[resource.id]
    return found if isinstance(found, list) else []


def axes_error(ctx: Context, resource: Resource) -> ScmictlError | None:
    """Return why the axes of a sensor are not all known, if some of them are."""
    return _broken.get(ctx.discover(sensor.PROTOCOL), {}).get(resource.id)


def all_axes(ctx: Context, resources: Iterable[Resource]) -> dict[int, list[Axis] | ScmictlError]:
    """Return the axes of many sensors by sensor id, or why they could not be read."""
    cache = _known.setdefault(ctx.discover(sensor.PROTOCOL), {})
    wanted = [r for r in resources if r.id not in cache]
    having = [r for r in wanted if axis_count(r)]
    cache.update({r.id: [] for r in wanted if not axis_count(r)})
    if having:
        asked = [sensor.AxisDescriptionGet(sensor_id=r.id, axis_desc_index=0) for r in having]
        for resource, listing in zip(having, ctx.agent.listings(asked), strict=True):
            if listing.error is not None and not listing.items:
                cache[resource.id] = listing.error
                continue
            cache[resource.id] = [_axis(description) for description in listing.items]
            error = listing.error
            if error is None and len(listing.items) != axis_count(resource):
                error = RemoteProtocolError(
                    f"{sensor.AxisDescriptionGet.SPEC}: {len(listing.items)} axes listed, expected "
                    f"the {axis_count(resource)} of the descriptor"
                )
            if error is not None:
                _broken.setdefault(ctx.discover(sensor.PROTOCOL), {})[resource.id] = error
        _read_names(ctx, having, cache)
    return cache


def fault(ctx: Context, resource: Resource) -> ScmictlError | None:
    """Return why unit and scale of a sensor (or of its axes) are not known.

    None if they are, and where the platform does not tell them: then the numbers are all there is.
    """
    found = all_axes(ctx, [resource])[resource.id]
    if resource.error is not None:
        return resource.error
    if isinstance(found, ScmictlError):
        return None if refused(found) else found
    if len(found) < axis_count(resource):
        return RemoteProtocolError(
            f"{sensor.AxisDescriptionGet.SPEC}: {len(found)} of {axis_count(resource)} axes of "
            f"{called(resource)} could be read"
        )
    return None


def _axis(description: sensor.AxisDescription) -> Axis:
    high = description.axis_attributes_high
    return Axis(
        description.axis_id,
        description.axis_name,
        Measure(high.sensor_type, high.unit_exponent),
        description,
    )


def _read_names(
    ctx: Context, resources: Sequence[Resource], cache: dict[int, list[Axis] | ScmictlError]
) -> None:
    """Fetch the long names of axes; where that fails the short ones stay."""
    longer = []
    for resource in resources:
        found = cache[resource.id]
        if isinstance(found, list) and any(
            axis.description.axis_attributes_low.extended_axis_name for axis in found
        ):
            longer.append(resource)
    asked = [sensor.AxisNameGet(sensor_id=r.id, axis_id=0) for r in longer]
    for resource, listing in zip(longer, ctx.agent.listings(asked), strict=True):
        if listing.error is not None:
            why = listing.error.message
            ctx.notice(f"the axes of {called(resource)} are shown with short names ({why})")
        names = {item.axis_id: item.axis_name for item in listing.items}
        found = cache[resource.id]
        assert isinstance(found, list)
        cache[resource.id] = [a._replace(name=names.get(a.id) or a.name) for a in found]


# --- readings -------------------------------------------------------------------------------------


def reading_record(
    ctx: Context, resource: Resource, readings: Sequence[sensor.Reading] | int | None
) -> Record:
    """Return value, unit, raw, timestamp and axes of a reading (an int: one of version 1.0).

    None stands for a reading that could not be had.
    """
    unit = measure(ctx, resource)
    record: Record = {
        "value": None,
        "unit": unit.unit,
        "raw": None,
        "timestamp": None,
        "axes": [],
    }
    known = resource.description is not None
    if isinstance(readings, int):
        record |= {"value": unit.value(readings) if known else None, "raw": readings}
    elif readings and axis_count(resource):
        record["axes"] = _axis_records(ctx, resource, readings)
    elif readings:
        first = readings[0]
        record |= {
            "value": unit.value(first.sensor_value) if known else None,
            "raw": first.sensor_value,
            "timestamp": timestamp(resource, first.timestamp),
        }
    return record


def brief(resource: Resource, response: Any) -> str:
    """Return a reading in words, as far as its unit is known without asking."""
    if axis_count(resource):
        return f"{len(response.readings or ())} axes"
    raw = response.sensor_value
    if raw is None:
        raw = response.readings[0].sensor_value
    if resource.description is None:
        return str(raw)
    high = resource.description.sensor_attributes_high
    unit = Measure(high.sensor_type, high.unit_exponent)
    return values.format_value(unit.value(raw), unit.unit)


def line(resource: Resource, message: sensor.Update) -> dict[str, str]:
    """Return the values of a notification in the sensor's unit, as far as it is known."""
    raw = [reading.sensor_value for reading in message.readings]
    if resource.description is None or axis_count(resource):
        return {"readings": f"raw={','.join(map(str, raw))}"}
    high = resource.description.sensor_attributes_high
    unit = Measure(high.sensor_type, high.unit_exponent)
    shown = [values.format_value(unit.value(value), unit.unit) for value in raw]
    return {"readings": f"value={', '.join(shown)}"}


def _axis_records(
    ctx: Context, resource: Resource, readings: Sequence[sensor.Reading]
) -> list[Record]:
    known = axes(ctx, resource)
    failed = fault(ctx, resource) is not None
    records = []
    for position, reading in enumerate(readings):
        axis = known[position] if position < len(known) else None
        unit = axis.measure if axis else NOTHING
        records.append(
            {
                "id": axis.id if axis else position,
                "name": axis.name if axis else None,
                "value": None if failed and not axis else unit.value(reading.sensor_value),
                "raw": reading.sensor_value,
                "unit": unit.unit,
                "timestamp": timestamp(resource, reading.timestamp),
            }
        )
    return records


def timestamp(resource: Resource, ticks: int) -> int | float | None:
    """Return a timestamp in seconds; None where none is collected."""
    if not ticks or not has(resource, "timestamp_support"):
        return None
    return scaled(ticks, resource.description.sensor_attributes_low.timestamp_exponent)


# --- descriptions ---------------------------------------------------------------------------------


def limits(resolution: Any, minimum: int | None, maximum: int | None, unit: Measure) -> Record:
    """Return resolution and range of a sensor or an axis in its unit; None where unknown."""
    known = resolution is not None and resolution.resolution
    return {
        "resolution": scaled(resolution.resolution, resolution.exponent) if known else None,
        "min": None if minimum in (None, sensor.UNKNOWN_MINIMUM) else unit.value(minimum or 0),
        "max": None if maximum in (None, sensor.UNKNOWN_MAXIMUM) else unit.value(maximum or 0),
    }


def axis_record(axis: Axis) -> Record:
    """Return what is known of an axis."""
    description = axis.description
    return {
        "id": axis.id,
        "name": axis.name,
        "type": axis.measure.type,
        "unit": axis.measure.unit,
        "scale": axis.measure.scale,
        **limits(
            description.axis_resolution,
            description.axis_min_range,
            description.axis_max_range,
            axis.measure,
        ),
    }
