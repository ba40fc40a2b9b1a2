"""Samples the sensors somebody listens to, and sends what comes of it.

Theory of operation: a sensor is sampled while it is enabled and somebody has subscribed to its
updates, or to its trip points while one is set; then, and only then, it has a timer. The period is
its update interval, at least ``FASTEST``, or ``PLAIN`` if it has none. Each sample is compared with
the one before for crossed trip points and sent as SENSOR_UPDATE. A sample that comes late is one
sample: those that were missed are not made up for. A faulty sensor sends nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from scmictl.platform.instrument import Sensor
from scmictl.platform.timer import Timer
from scmictl.protocols import sensor as messages

if TYPE_CHECKING:
    from scmictl.platform.platform import Platform

FASTEST = 0.001
"""Seconds between two samples at least, whatever the interval."""
PLAIN = 0.1
"""Seconds between the samples of a sensor without an update interval."""
BY_PLATFORM = 0
"""The agent id in notifications that no agent has caused."""


class _Run:
    """A sensor that is being sampled: the next sample, and the value of the last."""

    __slots__ = ("before", "period", "timer")

    def __init__(self, period: float, timer: Timer, before: int) -> None:
        self.period = period
        self.timer = timer
        self.before = before


class Sampler:
    """The sampling of all sensors of a platform."""

    def __init__(self, platform: Platform) -> None:
        self.platform = platform
        self._runs: dict[int, _Run] = {}

    def __len__(self) -> int:
        """Return how many sensors are being sampled."""
        return len(self._runs)

    def refresh(self, sensor: Sensor, now: float) -> None:
        """Begin, change or end the sampling of a sensor after anything about it has changed."""
        run = self._runs.get(sensor.id)
        period = max(FASTEST, sensor.interval.seconds) if sensor.interval else PLAIN
        if not self._wanted(sensor):
            if run is not None:
                self.platform.timers.cancel(run.timer)
                del self._runs[sensor.id]
        elif run is None:
            before = sensor.values(self.platform.uptime_us(now))[0]
            self._runs[sensor.id] = _Run(period, self._later(sensor, now + period), before)
        elif run.period != period:
            self.platform.timers.cancel(run.timer)
            run.period = period
            run.timer = self._later(sensor, now + period)

    def changed(self, sensor: Sensor, now: float) -> None:
        """Take a sample at once of a sensor that reads something else, if it is being sampled."""
        if sensor.id in self._runs:
            self._take(sensor, now)

    def _wanted(self, sensor: Sensor) -> bool:
        listened = self.platform.listened
        return sensor.enabled and (
            listened(messages.Update, sensor.id)
            or (
                listened(messages.TripPointEvent, sensor.id)
                and any(trip.event for trip in sensor.trips)
            )
        )

    def _later(self, sensor: Sensor, due: float) -> Timer:
        return self.platform.timers.add(due, lambda now: self._sample(sensor, due, now))

    def _sample(self, sensor: Sensor, due: float, now: float) -> None:
        run = self._runs[sensor.id]
        self._take(sensor, now)
        # In step while the caller is about in time; else not sooner than an interval from now.
        due = due + run.period if now - due < run.period / 2 else now + run.period
        run.timer = self._later(sensor, due)

    def _take(self, sensor: Sensor, now: float) -> None:
        if sensor.faulty:
            return
        run = self._runs[sensor.id]
        values = sensor.values(self.platform.uptime_us(now))
        self._trip(sensor, run.before, values[0])
        run.before = values[0]
        if self.platform.listened(messages.Update, sensor.id):
            readings = self.readings(sensor, values, now)
            event = messages.Update(agent_id=BY_PLATFORM, sensor_id=sensor.id, readings=readings)
            self.platform.notify(event, sensor.id)

    def _trip(self, sensor: Sensor, before: int, after: int) -> None:
        for id, trip in enumerate(sensor.trips):
            direction = trip.crossed(before, after)
            if direction is not None:
                word = messages.TripPointDesc(direction=direction, trip_point_id=id)
                event = messages.TripPointEvent(
                    agent_id=BY_PLATFORM, sensor_id=sensor.id, trip_point_desc=word
                )
                self.platform.notify(event, sensor.id)

    def readings(self, sensor: Sensor, values: list[int], now: float) -> list[messages.Reading]:
        """Return values as they go on the wire from version 2.0 on."""
        timestamp = sensor.timestamp(self.platform.uptime_us(now))
        return [messages.Reading(sensor_value=value, timestamp=timestamp) for value in values]
