"""Descriptors of sensors and axes: what SENSOR_DESCRIPTION_GET shows an agent in its version."""

from __future__ import annotations

from scmictl.platform.behaviour import Call
from scmictl.platform.board import SHORT
from scmictl.platform.instrument import Channel, Sensor
from scmictl.platform.interval import Span, rough
from scmictl.protocols import sensor


def hidden(id: int) -> sensor.Description:
    """Return what keeps the place of a sensor that does not exist for the agent."""
    return sensor.Description(
        sensor_id=id,
        sensor_attributes_low=sensor.AttributesLow(),
        sensor_attributes_high=sensor.AttributesHigh(),
        sensor_name="",
    )


def describe(call: Call, one: Sensor, async_read: bool) -> sensor.Description:
    """Return the descriptor of a sensor; ``async_read`` is whether this connection can do that."""
    first = one.channels[0]
    low = sensor.AttributesLow(
        async_read=async_read,
        continuous_update_notify=one.continuous and call.port.events,
        extended_name=len(one.name) > SHORT,
        timestamp_exponent=one.timestamp_exponent or 0,
        timestamp_support=one.timestamp_exponent is not None,
        extended_attributes=one.described,
        num_trip_points=len(one.trips) if call.port.events else 0,
    )
    if call.version < 0x20000:
        interval = rough(one.interval) if one.interval else Span(0, 0)
        high = sensor.AttributesHigh(
            update_interval=interval.sec,
            update_interval_exp=interval.exponent,
            unit_exponent=first.scale,
            sensor_type=first.kind,
        )
    elif one.axes:
        high = sensor.AttributesHigh(num_axes=len(one.channels), axis_support=True)
    else:
        high = sensor.AttributesHigh(unit_exponent=first.scale, sensor_type=first.kind)
    return sensor.Description(
        sensor_id=one.id,
        sensor_attributes_low=call.known(low),
        sensor_attributes_high=high,
        sensor_name=one.name[:SHORT],
        sensor_power=one.power_uw,
        sensor_resolution=resolution(first),
        sensor_min_range=first.wave.lowest,
        sensor_max_range=first.wave.highest,
    )


def describe_axis(call: Call, id: int, channel: Channel) -> sensor.AxisDescription:
    """Return the descriptor of an axis."""
    low = sensor.AxisAttributesLow(
        extended_axis_name=len(channel.name) > SHORT, extended_attributes=channel.described
    )
    return sensor.AxisDescription(
        axis_id=id,
        axis_attributes_low=call.known(low),
        axis_attributes_high=sensor.AxisAttributesHigh(
            unit_exponent=channel.scale, sensor_type=channel.kind
        ),
        axis_name=channel.name[:SHORT],
        axis_resolution=resolution(channel),
        axis_min_range=channel.wave.lowest,
        axis_max_range=channel.wave.highest,
    )


def resolution(channel: Channel) -> sensor.Resolution:
    """Return the resolution word of a channel."""
    if not channel.resolution:
        return sensor.Resolution()
    return sensor.Resolution(exponent=channel.scale, resolution=channel.resolution)
