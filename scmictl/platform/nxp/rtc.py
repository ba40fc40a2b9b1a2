"""A real-time clock: counts seconds and ticks from what it was set to, and has alarms.

Theory of operation: the platform's clock never goes back and is never set, so a time is kept as the
offset to it, in ticks. The seconds counter has so many bits; when it is full, it begins with 0
again. Alarms are in seconds, one for each owner; one whose time has come, or has been passed when
it or the clock was set, is due. Inside, the counter has no end, so nothing is missed by looking
late. The platform's clock comes in as the microseconds since it started.
"""

from __future__ import annotations

from scmictl.platform.board import SHORT, Table
from scmictl.protocols.nxp import bbm


class Rtc:
    """A real-time clock of the board; ``lost`` is whether its time was lost and not set since."""

    __slots__ = (
        "_alarms", "_laps", "_offset", "battery_low", "id", "lost", "name", "sec_width",
        "tick_width", "ticks",
    )  # fmt: skip

    def __init__(self, id: int, row: Table) -> None:
        self.id = id
        self.name = row.text("name", longest=SHORT)
        self.sec_width = row.integer("sec_width", 1, 48, 32)
        self.tick_width = row.integer("tick_width", 1, 16, 15)
        most = min(1 << self.tick_width, 0xFFFF)
        self.ticks = row.integer("ticks", 1, most, most)
        self.lost = row.flag("lost", False)
        self.battery_low = row.flag("battery_low", False)
        self._offset = row.integer("time", 0, self.seconds_end - 1, 0) * self.ticks
        self._laps = 0
        self._alarms: dict[int, int] = {}

    @property
    def seconds_end(self) -> int:
        """The number of seconds at which the counter begins again."""
        return 1 << self.sec_width

    @property
    def attributes(self) -> bbm.RtcAttributesWord:
        """How the clock counts, for BBM_RTC_ATTRIBUTES."""
        return bbm.RtcAttributesWord(
            sec_width=self.sec_width, tick_width=self.tick_width, ticks=self.ticks
        )

    def read(self, uptime_us: int) -> int:
        """Return the time in ticks."""
        return self._total(uptime_us) % self._lap

    def seconds(self, uptime_us: int) -> int:
        """Return the time in seconds."""
        return self.read(uptime_us) // self.ticks

    def set(self, ticks: int, uptime_us: int) -> None:
        """Set the time; it is known again."""
        self._offset = ticks - uptime_us * self.ticks // 1_000_000
        self._laps = 0
        self._alarms = {owner: time % self._lap for owner, time in self._alarms.items()}
        self.lost = False

    @property
    def alarms(self) -> dict[int, int]:
        """The seconds that the alarms are set to, by owner."""
        return {owner: time % self._lap // self.ticks for owner, time in self._alarms.items()}

    def set_alarm(self, owner: int, seconds: int, uptime_us: int) -> None:
        """Set the alarm of an owner."""
        lap = self._total(uptime_us) // self._lap
        self._alarms[owner] = lap * self._lap + seconds * self.ticks

    def clear_alarm(self, owner: int) -> None:
        """Switch the alarm of an owner off."""
        self._alarms.pop(owner, None)

    def due(self, uptime_us: int) -> tuple[list[int], bool]:
        """Return whose alarms are due, and whether the counter has begun again; once for each."""
        total = self._total(uptime_us)
        owners = [owner for owner, time in self._alarms.items() if time <= total]
        for owner in owners:
            del self._alarms[owner]
        rolled = total // self._lap > self._laps
        self._laps = total // self._lap
        return owners, rolled

    def next_us(self, uptime_us: int) -> int:
        """Return how many microseconds it takes until anything is due."""
        ahead = min([(self._laps + 1) * self._lap, *self._alarms.values()])
        left = -((self._offset - ahead) * 1_000_000 // self.ticks) - uptime_us
        return max(left, 0)

    def _total(self, uptime_us: int) -> int:
        """Return the ticks counted since the clock was set, as if the counter never ended."""
        return self._offset + uptime_us * self.ticks // 1_000_000

    @property
    def _lap(self) -> int:
        return self.seconds_end * self.ticks
