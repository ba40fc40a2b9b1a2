"""The recent past of a value: minimum, maximum, rate and a sparkline. No terminal code."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence

BARS = "▁▂▃▄▅▆▇█"
ASCII_BARS = "_.-=+*%#"
KEPT = 120
"""Values kept for the sparkline and the rate; minimum and maximum are of all."""


class Series:
    """The values of one sensor or axis as they come."""

    def __init__(self, kept: int = KEPT) -> None:
        self.values: deque[float] = deque(maxlen=kept)
        self.times: deque[float] = deque(maxlen=kept)
        self.count = 0
        self.minimum: int | float | None = None
        self.maximum: int | float | None = None

    def add(self, time: float, value: int | float) -> None:
        """Take a value that came at ``time`` (seconds)."""
        self.values.append(value)
        self.times.append(time)
        self.count += 1
        self.minimum = value if self.minimum is None else min(self.minimum, value)
        self.maximum = value if self.maximum is None else max(self.maximum, value)

    @property
    def last(self) -> int | float | None:
        return self.values[-1] if self.values else None

    @property
    def rate(self) -> float | None:
        """Values per second, over what is kept; None before there are two."""
        if len(self.times) < 2:
            return None
        span = self.times[-1] - self.times[0]
        return (len(self.times) - 1) / span if span > 0 else None

    def sparkline(self, width: int, bars: str = BARS) -> str:
        """Return the last ``width`` values as bars, the lowest of them at the bottom."""
        return sparkline(list(self.values)[-width:] if width > 0 else [], bars)


def sparkline(values: Sequence[float], bars: str = BARS) -> str:
    """Return values as bars between the lowest and the highest of them; a flat line is low."""
    if not values:
        return ""
    low, high = min(values), max(values)
    if high == low:
        return bars[0] * len(values)
    steps = len(bars) - 1
    return "".join(bars[round((value - low) / (high - low) * steps)] for value in values)
