"""Sensor protocol behaviour: descriptions, readings, configuration, trip points.

What the reference leaves open is decided like this: trip point ids count from 0; an axis index past
the end is INVALID_PARAMETERS, an interval index past the end OUT_OF_RANGE, and with a triplet the
index is ignored; SENSOR_AXIS_NAME_GET lists the names of all axes; asynchronous reads count per
connection. An interval that a sensor does not have is rounded, INVALID_PARAMETERS if there is none
in that direction. Timestamps count from the platform's start. A sensor denied to an agent keeps its
place in the list, without name, type or abilities, because ids must be contiguous; asking for it is
NOT_FOUND. To an agent of version 1.0 a sensor with axes is its first axis, and every sensor can be
read whether it is enabled or not.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from scmictl.platform import descriptor, fixture, instrument
from scmictl.platform.behaviour import (
    COUNT_BITS,
    Behaviour,
    Call,
    Handler,
    Malformed,
    Message,
    require,
)
from scmictl.platform.board import SHORT
from scmictl.platform.instrument import Sensor
from scmictl.platform.interval import Span
from scmictl.platform.port import Port
from scmictl.platform.sampler import Sampler
from scmictl.platform.steps import Round
from scmictl.protocols import sensor
from scmictl.wire import Notification, Status, codec

if TYPE_CHECKING:
    from scmictl.platform.board import Table
    from scmictl.platform.platform import Platform

TRIPS = (sensor.TripPointNotify, sensor.TripPointConfig)


class Sensors(Behaviour):
    """The sensor protocol; ``sensors`` are the sensors by id."""

    PROTOCOL = sensor.PROTOCOL

    def __init__(self, platform: Platform, board: Table) -> None:
        super().__init__(platform, board)
        self.sensors = instrument.read(board, platform.seed, platform.agent_id)
        self.names = [one.name for one in self.sensors]
        self.sampler = Sampler(platform)
        if not any(one.asynchronous for one in self.sensors):
            self.max_async = 0

    def handlers(self) -> Mapping[Message, Handler]:
        return {
            sensor.ProtocolAttributes: self.protocol_attributes,
            sensor.DescriptionGet: self.description_get,
            sensor.TripPointNotify: self.trip_point_notify,
            sensor.TripPointConfig: self.trip_point_config,
            sensor.ReadingGet: self.reading_get,
            sensor.AxisDescriptionGet: self.axis_description_get,
            sensor.ListUpdateIntervals: self.list_update_intervals,
            sensor.ConfigGet: self.config_get,
            sensor.ConfigSet: self.config_set,
            sensor.ContinuousUpdateNotify: self.continuous_update_notify,
            sensor.AxisNameGet: self.axis_name_get,
        }

    def needed(self) -> Mapping[Message, bool]:
        axes = [channel for one in self.sensors if one.axes for channel in one.channels]
        trips = any(one.trips for one in self.sensors)
        return {
            **dict.fromkeys(TRIPS, trips),
            sensor.AxisDescriptionGet: bool(axes),
            sensor.ListUpdateIntervals: any(one.intervals for one in self.sensors),
            sensor.ContinuousUpdateNotify: any(one.continuous for one in self.sensors),
            sensor.AxisNameGet: any(len(channel.name) > SHORT for channel in axes),
        }

    def offers(self, message: Message, port: Port) -> bool:
        # A trip point can only be noticed by its notification.
        return port.events if message in TRIPS else super().offers(message, port)

    def subscribed(self, event: type[Notification], resource: int, now: float) -> None:
        self.sampler.refresh(self.sensors[resource], now)

    def reset(self, agent: int, now: float) -> None:
        for id in self.forget(agent):
            self.sensors[id].put_back(agent)
            self.sampler.refresh(self.sensors[id], now)

    def state(self, resource: int) -> dict[str, Any]:
        uptime_us = self.platform.uptime_us(self.platform.now)
        return fixture.state(self.sensors[resource], uptime_us)

    def adjust(self, resource: int, key: str, text: str, now: float) -> None:
        one = self.sensors[resource]
        fixture.adjust(one, key, text)
        self.sampler.refresh(one, now)
        if key.startswith("value"):
            self.sampler.changed(one, now)

    def behind(self, resource: int) -> Iterable[object]:
        return self.sensors[resource], self.sampler

    # --- what there is ----------------------------------------------------------------------------

    def protocol_attributes(
        self, call: Call, request: sensor.ProtocolAttributes
    ) -> sensor.ProtocolAttributesResponse:
        return sensor.ProtocolAttributesResponse(
            attributes=sensor.ProtocolAttributesWord(
                max_async=self.max_async if call.port.events else 0,
                num_sensors=min(len(self.sensors), 0xFFFF),
            )
        )

    def description_get(
        self, call: Call, request: sensor.DescriptionGet
    ) -> sensor.DescriptionGetResponse:
        require(request.desc_index < len(self.sensors))
        left = len(self.sensors) - request.desc_index
        room = call.room - 12
        found: list[sensor.Description] = []
        for id in range(
            request.desc_index, min(len(self.sensors), request.desc_index + COUNT_BITS)
        ):
            description = self.describe(call, id)
            room -= len(codec.encode(description, call.version))
            if room < 0:
                break
            found.append(description)
        if not found:
            raise Malformed
        # With 65536 sensors and one returned, the count of the rest just fits.
        flags = sensor.NumSensorFlags(returned=len(found), remaining=left - len(found))
        return sensor.DescriptionGetResponse(num_sensor_flags=flags, desc=found)

    def describe(self, call: Call, id: int) -> sensor.Description:
        """Return the descriptor of a sensor as the calling agent may see it."""
        if not self.visible(call.agent, id):
            return descriptor.hidden(id)
        return descriptor.describe(call, self.sensors[id], self.can_defer(call, self.sensors[id]))

    def axis_description_get(
        self, call: Call, request: sensor.AxisDescriptionGet
    ) -> sensor.AxisDescriptionGetResponse:
        one = self.find(call, request.sensor_id)
        require(one.axes, Status.NOT_SUPPORTED)
        require(request.axis_desc_index < len(one.channels))
        room = call.room - 12
        found: list[sensor.AxisDescription] = []
        for id in range(request.axis_desc_index, len(one.channels)):
            description = descriptor.describe_axis(call, id, one.channels[id])
            room -= len(codec.encode(description, call.version))
            if room < 0:
                break
            found.append(description)
        if not found:
            raise Malformed
        left = len(one.channels) - request.axis_desc_index
        flags = sensor.NumAxisFlags(returned=len(found), remaining=left - len(found))
        return sensor.AxisDescriptionGetResponse(num_axis_flags=flags, desc=found)

    def axis_name_get(self, call: Call, request: sensor.AxisNameGet) -> sensor.AxisNameGetResponse:
        one = self.find(call, request.sensor_id)
        require(one.axes, Status.NOT_SUPPORTED)
        require(request.axis_id < len(one.channels), Status.NOT_FOUND)
        left = range(request.axis_id, len(one.channels))
        names = [
            sensor.AxisName(axis_id=id, axis_name=one.channels[id].name)
            for id in left[: call.fit(68)]
        ]
        return sensor.AxisNameGetResponse(
            flags=sensor.NumAxisFlags(returned=len(names), remaining=len(left) - len(names)),
            desc=names,
        )

    def list_update_intervals(
        self, call: Call, request: sensor.ListUpdateIntervals
    ) -> sensor.ListUpdateIntervalsResponse:
        intervals = self.find(call, request.sensor_id).intervals
        require(intervals is not None, Status.NOT_SUPPORTED)
        assert intervals is not None
        words = [
            sensor.Interval(sec=span.sec, exponent=span.exponent)
            for span in intervals.spans
            if span is not None
        ]
        if intervals.steps.triplet:
            call.fit(4 * 3)
            flags = sensor.NumIntervalsFlags(format=sensor.IntervalFormat.TRIPLET, returned=3)
            return sensor.ListUpdateIntervalsResponse(num_intervals_flags=flags, intervals=words)
        require(request.index < len(words), Status.OUT_OF_RANGE)
        left = words[request.index :]
        shown = left[: call.fit(4)]
        flags = sensor.NumIntervalsFlags(returned=len(shown), remaining=len(left) - len(shown))
        return sensor.ListUpdateIntervalsResponse(num_intervals_flags=flags, intervals=shown)

    # --- readings ---------------------------------------------------------------------------------

    def reading_get(
        self, call: Call, request: sensor.ReadingGet
    ) -> sensor.ReadingGetResponse | None:
        one = self.find(call, request.sensor_id)
        require(not request.flags.reserved)
        require(not request.flags.async_ or self.can_defer(call, one), Status.NOT_SUPPORTED)
        require(one.enabled or call.version < 0x20000, Status.PROTOCOL_ERROR)
        if request.flags.async_:
            port, agent = call.port, call.agent

            def work(now: float) -> sensor.ReadingComplete:
                require(self.visible(agent, one.id), Status.NOT_FOUND)
                value, readings = self.measure(one, port.versions[self.PROTOCOL.id], now)
                return sensor.ReadingComplete(
                    sensor_id=one.id, sensor_value=value, readings=readings
                )

            port.defer(call, one.latency, self.max_async, work)
            return None
        value, readings = self.measure(one, call.version, call.now)
        return sensor.ReadingGetResponse(sensor_value=value, readings=readings)

    def measure(
        self, one: Sensor, version: int, now: float
    ) -> tuple[int | None, list[sensor.Reading] | None]:
        """Return the reading in the form of this version; raises HARDWARE_ERROR."""
        require(not one.faulty, Status.HARDWARE_ERROR)
        values = one.values(self.platform.uptime_us(now))
        if version < 0x20000:
            return values[0], None
        return None, self.sampler.readings(one, values, now)

    def can_defer(self, call: Call, one: Sensor) -> bool:
        """Return whether the sensor can be read asynchronously over this connection."""
        return one.asynchronous and self.max_async > 0 and call.port.events

    # --- configuration ----------------------------------------------------------------------------

    def config_get(self, call: Call, request: sensor.ConfigGet) -> sensor.ConfigGetResponse:
        one = self.find(call, request.sensor_id)
        interval = one.interval or Span(0, 0)
        return sensor.ConfigGetResponse(
            sensor_config=sensor.Config(
                sec=interval.sec,
                exponent=interval.exponent,
                timestamp=one.timestamps,
                enabled=one.enabled,
            )
        )

    def config_set(self, call: Call, request: sensor.ConfigSet) -> None:
        one = self.find(call, request.sensor_id)
        word = request.sensor_config
        require(not word.reserved)
        # An interval of 0 is none, however it would be rounded.
        require(word.sec or not word.exponent)
        interval = one.interval
        if word.sec:
            require(one.intervals is not None, Status.NOT_SUPPORTED)
            assert one.intervals is not None
            way = Round(min(word.rounding, Round.NEAREST))
            interval = one.intervals.round(Span(word.sec, word.exponent), way)
            require(interval is not None)
        stamps = word.timestamp_enable
        require(not stamps or one.timestamp_exponent is not None, Status.NOT_SUPPORTED)
        require(call.agent not in one.read_only, Status.DENIED)
        one.interval = interval
        one.timestamps = stamps
        one.enabled = word.sensor_enable
        one.configured_by = call.agent
        self.touch(call, one)

    def continuous_update_notify(self, call: Call, request: sensor.ContinuousUpdateNotify) -> None:
        one = self.find(call, request.sensor_id)
        self.switch(call, request, one.id, one.continuous)

    def trip_point_notify(self, call: Call, request: sensor.TripPointNotify) -> None:
        one = self.find(call, request.sensor_id)
        self.switch(call, request, one.id, bool(one.trips))

    def trip_point_config(self, call: Call, request: sensor.TripPointConfig) -> None:
        one = self.find(call, request.sensor_id)
        word = request.trip_point_ev_ctrl
        require(not word.reserved)
        require(one.trips, Status.NOT_SUPPORTED)
        wave = one.channels[0].wave
        require(word.trip_point_id < len(one.trips))
        require(not word.event or wave.lowest <= request.trip_point_val <= wave.highest)
        require(call.port.events, Status.NOT_SUPPORTED)
        require(call.agent not in one.read_only, Status.DENIED)
        trip = one.trips[word.trip_point_id]
        trip.event = sensor.TripEvent(word.event)
        trip.value = request.trip_point_val
        trip.set_by = call.agent
        self.touch(call, one)

    # --- helpers ----------------------------------------------------------------------------------

    def find(self, call: Call, id: int) -> Sensor:
        """Return the sensor; raises NOT_FOUND if it does not exist for the agent."""
        return self.sensors[self.resolve(call, id)]

    def touch(self, call: Call, one: Sensor) -> None:
        """Remember that the agent has set something of the sensor, and sample it accordingly."""
        self.remember(call.agent, one.id)
        self.sampler.refresh(one, call.now)


BEHAVIOUR = Sensors
