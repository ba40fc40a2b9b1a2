"""Data events of the telemetry protocol: what they measure, their lines, who wants them how.

A data line is two words (what it is, whose it is) and the value, followed by a timestamp if the
line has one, all of which the reference calls TDCF (part B, 7.2).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from scmictl.platform.board import I64, SHORT, Table, unique
from scmictl.platform.timer import Timer
from scmictl.platform.waveform import Waveform
from scmictl.protocols import telemetry
from scmictl.protocols.telemetry import ComponentType, DeMode, DeType, Selector, Timestamp
from scmictl.protocols.unit import SensorType

if TYPE_CHECKING:
    from scmictl.platform.port import Port

MOST = 0xFFFF
U32 = 0xFFFFFFFF
CLOCK_KHZ = 1000
"""Timestamps count microseconds."""
TYPES = {kind.name.lower(): kind for kind in DeType}
COMPONENTS = {kind.name.lower(): kind for kind in ComponentType}
UNITS = {kind.name.lower(): kind for kind in SensorType}
INVALID = 1 << 0
TIMESTAMP_VALID = 1 << 1
EXTENDED = 1 << 2
"""Bits of the first word of a data line."""


class Event:
    """A data event; ``id`` is its position, ``de_id`` the number agents know it by.

    ``rate`` is by how much its value grows in a second, ``invalid`` whether its lines say that they
    are to be skipped.
    """

    __slots__ = (
        "_description",
        "de_id",
        "id",
        "invalid",
        "name",
        "rate",
        "size",
        "stamped",
        "wave",
    )

    def __init__(self, id: int, row: Table, seed: int) -> None:
        row.only(
            "name", "id", "type", "unit", "scale", "size", "component", "instance",
            "component_instance", "persistent", "timestamps", "value", "swing", "period", "noise",
            "rate", "invalid",
        )  # fmt: skip
        self.id = id
        self.name = row.text("name", longest=SHORT)
        self.de_id = row.integer("id", 0, U32, id)
        self.size = int(row.integer("size", 4, 8, 8))
        if self.size not in (4, 8):
            raise row.error("size", "4 or 8 bytes")
        self.stamped = row.flag("timestamps", False)
        self.invalid = row.flag("invalid", False)
        self.rate = row.integer("rate", 0, I64[1], 0)
        highest = (1 << 8 * self.size) - 1
        self.wave = Waveform(
            (seed, telemetry.ID, id),
            row.integer("value", 0, highest, 0),
            swing=row.integer("swing", 0, I64[1], 0),
            period_us=max(1, round(row.time("period", "60s").seconds * 1_000_000)),
            noise=row.integer("noise", 0, I64[1], 0),
            lowest=0,
            highest=highest,
        )
        self._description = telemetry.DataEvent(
            de_id=self.de_id,
            group_id=telemetry.NO_GROUP,
            data_sz=self.size,
            de_attributes_1=telemetry.DeAttributes1(
                name=True,
                type=TYPES[row.choice("type", tuple(TYPES), "unspecified")],
                persistent=row.flag("persistent", False),
                unit_exponent=row.integer("scale", -128, 127, 0),
                unit=UNITS[row.choice("unit", tuple(UNITS), "unspecified")],
                timestamp=Timestamp.LINE if self.stamped else Timestamp.NONE,
            ),
            de_attributes_2=telemetry.DeAttributes2(
                instance_id=row.integer("instance", 0, 0xFF, 0),
                component_instance_id=row.integer("component_instance", 0, 0xFFFF, 0),
                component_type=COMPONENTS[row.choice("component", tuple(COMPONENTS), "soc")],
            ),
            line_ts_rate=CLOCK_KHZ if self.stamped else None,
            name=self.name,
        )

    @property
    def description(self) -> telemetry.DataEvent:
        """Its descriptor, as TELEMETRY_DE_DESCRIPTION lists it."""
        return self._description

    @property
    def description_size(self) -> int:
        """The bytes of its descriptor."""
        return 24 + 16 + (4 if self.stamped else 0)

    def value(self, uptime_us: int) -> int:
        """Return what it shows; a value that grows begins again when its size is full."""
        grown = self.rate * uptime_us // 1_000_000
        return (self.wave.at(uptime_us) + grown) % (1 << 8 * self.size)

    def line(self, mode: int, uptime_us: int) -> list[int]:
        """Return the words of its data line."""
        value = self.value(uptime_us)
        stamped = mode == DeMode.ENABLED_WITH_TIMESTAMP
        meta = INVALID * self.invalid | (TIMESTAMP_VALID | EXTENDED) * stamped
        words = [meta, self.de_id, value & U32, value >> 32]
        return [*words, uptime_us & U32, uptime_us >> 32 & U32] if stamped else words


class Collection:
    """What one agent has configured: ``enabled`` maps positions of data events to their mode.

    ``port`` is the connection that updates go to.
    """

    __slots__ = ("control", "enabled", "interval", "port", "timer")

    def __init__(self) -> None:
        self.enabled: dict[int, int] = {}
        self.control = telemetry.Control(selector=Selector.ALL)
        self.interval = telemetry.Interval()
        self.port: Port | None = None
        self.timer: Timer | None = None


def read(own: Table, seed: int) -> list[Event]:
    """Read ``[[telemetry.event]]``; raises BoardError."""
    rows = own.tables("event")
    if len(rows) > MOST:
        raise own.error("event", f"at most {MOST} data events", str(len(rows)))
    events = [Event(id, row, seed) for id, row in enumerate(rows)]
    unique(zip(rows, (one.name for one in events), strict=True))
    unique(zip(rows, (str(one.de_id) for one in events), strict=True), "id")
    return events


def uuid(own: Table) -> tuple[int, ...]:
    """Take the UUID of the set of data events, as four words; raises BoardError."""
    text = own.text("uuid", "00000000-0000-0000-0000-000000000000")
    if not re.fullmatch("[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", text.lower()):
        raise own.error("uuid", "a UUID: 8-4-4-4-12 hexadecimal digits")
    number = int(text.replace("-", ""), 16)
    return tuple(number >> shift & 0xFFFFFFFF for shift in (96, 64, 32, 0))
