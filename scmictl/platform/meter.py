"""Watches the power of domains for agents that want to know when it leaves their thresholds.

Theory of operation: every connection has thresholds of its own for a domain. While there are any,
the domain has a timer; its period is the averaging interval, but at least ``FASTEST`` and at most
``SLOWEST``. An average below the lower or above the upper threshold is told once, and again after
it has been between them or beyond the other one. The first look is one period after the thresholds
were set, and also tells of a power that was out of them before.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from scmictl.platform.budget import Domain
from scmictl.platform.draw import Draw
from scmictl.platform.timer import Timer
from scmictl.protocols import powercap

if TYPE_CHECKING:
    from scmictl.platform.platform import Platform
    from scmictl.platform.port import Port

FASTEST = 0.01
SLOWEST = 1.0
"""Seconds between two looks at a domain's power."""
BY_PLATFORM = 0
"""The agent id in notifications that no agent has caused."""


class _Thresholds:
    """What one connection wants to know of a domain, and on which side its power was last seen."""

    __slots__ = ("high", "low", "side")

    def __init__(self, low: int, high: int) -> None:
        self.low = low
        self.high = high
        self.side = 0

    def left(self, power: int) -> bool:
        """Take note of the power; return whether it has just gone below or above."""
        side = (power > self.high) - (power < self.low)
        before, self.side = self.side, side
        return side not in (0, before)


class Meter:
    """The thresholds of all connections, and the timers of the domains they are for."""

    def __init__(self, platform: Platform, draw: Draw) -> None:
        self.platform = platform
        self.draw = draw
        self._wanted: dict[int, dict[Port, _Thresholds]] = {}
        self._timers: dict[int, Timer] = {}

    def __len__(self) -> int:
        """Return how many domains are being watched."""
        return len(self._timers)

    def watch(self, domain: Domain, port: Port, low: int, high: int, now: float) -> None:
        """Tell ``port`` from now on when the power is below ``low`` or above ``high``."""
        self._wanted.setdefault(domain.id, {})[port] = _Thresholds(low, high)
        if domain.id not in self._timers:
            self._later(domain, now)

    def forget(self, domain: Domain, port: Port) -> None:
        """Tell ``port`` nothing more of the domain's power."""
        wanted = self._wanted.get(domain.id, {})
        wanted.pop(port, None)
        self._tidy(domain)

    def refresh(self, domain: Domain) -> None:
        """Drop the thresholds of those who have ceased to listen."""
        key = powercap.MeasurementsChanged, domain.id
        wanted = self._wanted.get(domain.id, {})
        for port in [port for port in wanted if key not in port.subscriptions]:
            del wanted[port]
        self._tidy(domain)

    def tell(self, domain: Domain, agent: int, power: int, who: Callable[[Port], bool]) -> None:
        """Send a domain's power to those who listen and for whom ``who`` holds."""
        event = powercap.MeasurementsChanged(
            agent_id=agent, domain_id=domain.id, power=power, mai=domain.pai.us
        )
        self.platform.notify(event, domain.id, who=who)

    def _tidy(self, domain: Domain) -> None:
        if not self._wanted.get(domain.id):
            self._wanted.pop(domain.id, None)
            timer = self._timers.pop(domain.id, None)
            if timer is not None:
                self.platform.timers.cancel(timer)

    def _later(self, domain: Domain, now: float) -> None:
        period = min(max(domain.pai.us / 1_000_000, FASTEST), SLOWEST)
        self._timers[domain.id] = self.platform.timers.add(
            now + period, lambda now: self._look(domain, now)
        )

    def _look(self, domain: Domain, now: float) -> None:
        power = self.draw.average(domain, self.platform.uptime_us(now))
        wanted = self._wanted[domain.id]
        leaving = {port for port, thresholds in wanted.items() if thresholds.left(power)}
        if leaving:
            self.tell(domain, BY_PLATFORM, power, lambda port: port in leaving)
        self._later(domain, now)
