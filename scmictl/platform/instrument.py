"""A sensor of the board: what it measures, how it is configured, what it reads at a given time.

A sensor has one channel, or one per axis. Its configuration (enabled, update interval, timestamps)
and its trip points belong to the sensor, not to an agent: the last who sets them wins, and is
remembered so that an agent's configuration can be put back. A faulty sensor cannot be read.
"""

from __future__ import annotations

from scmictl.platform import permission
from scmictl.platform.board import I64, Table, unique
from scmictl.platform.interval import Intervals, Span
from scmictl.platform.steps import Round
from scmictl.platform.waveform import Waveform
from scmictl.protocols.sensor import TripEvent
from scmictl.protocols.unit import SensorType

MOST_SENSORS = 1 << 16
MOST_AXES = 63
MOST_INTERVALS = 0xFFF
MOST_RESOLUTION = (1 << 27) - 1

TYPES = {kind.name.lower(): kind for kind in SensorType}


class Channel:
    """One value of a sensor; ``scale`` is the power of ten its raw value counts its unit in.

    ``resolution`` is in raw units, 0 if unknown; ``described`` tells whether resolution or range
    were given.
    """

    __slots__ = ("described", "kind", "name", "resolution", "scale", "wave")

    def __init__(self, row: Table, name: str, key: tuple[int, ...]) -> None:
        self.name = name
        self.kind = TYPES[row.choice("type", tuple(TYPES))]
        self.scale = row.integer("scale", -16, 15, 0)
        self.resolution = 0
        if "resolution" in row:
            self.resolution = row.integer("resolution", 1, MOST_RESOLUTION)
        lowest, highest = I64
        if "range" in row:
            limits = row.each("range", "two integers: lowest and highest value")
            if len(limits.values) != 2:
                raise row.error("range", "two integers: lowest and highest value")
            lowest = limits.integer(0, *I64)
            highest = limits.integer(1, lowest, I64[1])
        self.described = "range" in row or "resolution" in row
        period = row.time("period", "60s")
        self.wave = Waveform(
            key,
            row.integer("value", lowest, highest, min(max(0, lowest), highest)),
            swing=row.integer("swing", 0, I64[1], 0),
            period_us=max(1, round(period.seconds * 1_000_000)),
            noise=row.integer("noise", 0, I64[1], 0),
            lowest=lowest,
            highest=highest,
        )


class Trip:
    """One trip point; ``set_by`` is the agent that set it, or 0."""

    __slots__ = ("event", "set_by", "value")

    def __init__(self) -> None:
        self.event = TripEvent.DISABLE
        self.value = 0
        self.set_by = 0

    def crossed(self, before: int, after: int) -> bool | None:
        """Return True if the value rose to the trip point, False if it fell below it, or None.

        Only crossings that the trip point is set to count.
        """
        if before < self.value <= after and self.event in (TripEvent.RISING, TripEvent.BOTH):
            return True
        if after < self.value <= before and self.event in (TripEvent.FALLING, TripEvent.BOTH):
            return False
        return None


class Sensor:
    """One sensor, as :func:`read` makes it from the board."""

    __slots__ = (
        "asynchronous", "axes", "channels", "configured_by", "continuous", "described", "enabled",
        "faulty", "id", "interval", "intervals", "latency", "name", "power_uw", "read_only",
        "start", "timestamp_exponent", "timestamps", "trips",
    )  # fmt: skip

    def __init__(self, id: int, row: Table, seed: int) -> None:
        self.id = id
        self.name = row.text("name")
        rows = row.tables("axis")
        if len(rows) > MOST_AXES:
            raise row.error("axis", f"at most {MOST_AXES} axes")
        self.axes = bool(rows)
        if rows:
            for key in CHANNEL_KEYS:
                if key in row:
                    raise row.error(key, "this key only in the axes of a sensor that has axes")
            names = [axis.only("name", *CHANNEL_KEYS).text("name") for axis in rows]
            unique(zip(rows, names, strict=True))
            self.channels = tuple(
                Channel(axis, name, (seed, id, index))
                for index, (axis, name) in enumerate(zip(rows, names, strict=True))
            )
        else:
            self.channels = (Channel(row, self.name, (seed, id, 0)),)
        self.power_uw = row.integer("power_uw", 0, 0xFFFFFFFF, 0)
        self.described = "power_uw" in row or (not rows and self.channels[0].described)
        if rows and "trip_points" in row:
            raise row.error("trip_points", "trip points only for a sensor without axes")
        self.trips = tuple(Trip() for _ in range(row.integer("trip_points", 0, 255, 0)))
        self.timestamp_exponent: int | None = None
        if "timestamp_exponent" in row:
            self.timestamp_exponent = row.integer("timestamp_exponent", -16, 15)
        self.timestamps = False
        self.intervals = read_intervals(row)
        self.interval = _interval(row, self.intervals)
        self.continuous = row.flag("continuous", False)
        if self.continuous and self.intervals is None:
            raise row.error("continuous", "continuous updates only where there are intervals")
        self.asynchronous = row.flag("async", False)
        self.latency = row.time("latency", "1ms").seconds
        self.faulty = row.flag("faulty", False)
        self.enabled = row.flag("enabled", True)
        self.read_only: frozenset[int] = frozenset()
        """The agents that may not configure it."""
        self.start = self.enabled, self.interval
        self.configured_by = 0

    def values(self, uptime_us: int) -> list[int]:
        """Return the value of every channel at that time."""
        return [channel.wave.at(uptime_us) for channel in self.channels]

    def timestamp(self, uptime_us: int) -> int:
        """Return the time in ticks of the sensor, or 0 if its readings carry none."""
        if not self.timestamps or self.timestamp_exponent is None:
            return 0
        # Microseconds are as fine as the platform's clock is taken.
        shift = -6 - self.timestamp_exponent
        ticks: int = uptime_us * 10**shift if shift >= 0 else uptime_us // 10**-shift
        return ticks & (1 << 64) - 1

    def put_back(self, agent: int) -> None:
        """Undo what the agent has set."""
        if self.configured_by == agent:
            self.enabled, self.interval = self.start
            self.timestamps = False
            self.configured_by = 0
        for trip in self.trips:
            if trip.set_by == agent:
                trip.event = TripEvent.DISABLE
                trip.value = trip.set_by = 0


# --- the board ------------------------------------------------------------------------------------

CHANNEL_KEYS = ("type", "scale", "value", "swing", "period", "noise", "range", "resolution")
KEYS = (
    "name", *CHANNEL_KEYS, "power_uw", "trip_points", "timestamp_exponent", "intervals",
    "interval", "continuous", "async", "latency", "enabled", "faulty", "restrict", "axis",
)  # fmt: skip


def read(board: Table, seed: int, agent_id: permission.AgentId) -> list[Sensor]:
    """Read the ``[[sensor]]`` tables of a board; raises BoardError.

    ``agent_id`` finds an agent by the name that stands at a key of a table.
    """
    rows = [row.only(*KEYS) for row in board.tables("sensor")]
    if len(rows) > MOST_SENSORS:
        raise board.error("sensor", f"at most {MOST_SENSORS} sensors")
    sensors = []
    for id, row in enumerate(rows):
        sensor = Sensor(id, row, seed)
        sensor.read_only = permission.restricted(row, agent_id)
        sensors.append(sensor)
    unique((row, sensor.name) for row, sensor in zip(rows, sensors, strict=True))
    return sensors


def read_intervals(row: Table) -> Intervals | None:
    """Take the key ``intervals``, None where it is not there; raises BoardError."""
    if "intervals" not in row:
        return None
    if isinstance(row.values["intervals"], dict):
        table = row.table("intervals").only("lowest", "highest", "step")
        lowest, highest, step = (table.time(key) for key in ("lowest", "highest", "step"))
        reach = highest.ticks - lowest.ticks
        if reach < 0 or reach % step.ticks:
            raise table.error("highest", "lowest plus a whole number of steps")
        found = Intervals((lowest, highest, step), triplet=True)
    else:
        entries = row.each("intervals", "a list, or lowest, highest and step")
        spans = tuple(entries.time(position) for position in entries.values)
        if not 1 <= len(spans) <= MOST_INTERVALS:
            raise row.error("intervals", f"1 to {MOST_INTERVALS} intervals")
        for position in range(1, len(spans)):
            if spans[position].ticks <= spans[position - 1].ticks:
                raise entries.error(position, "more than the interval before it")
        found = Intervals(spans)
    if not found.sayable():
        raise row.error("intervals", "times that fit 16 bits in their smallest common unit")
    return found


def _interval(row: Table, intervals: Intervals | None) -> Span | None:
    if intervals is None:
        if "interval" in row:
            raise row.error("interval", "an interval only where there are intervals")
        return None
    if "interval" not in row:
        return intervals.spans[0]
    wanted = row.time("interval")
    if not intervals.has(wanted):
        raise row.error("interval", "one of the sensor's intervals")
    return intervals.round(wanted, Round.DOWN)
