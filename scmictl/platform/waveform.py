"""Values that move: a function of seed, place and time, and of nothing else.

A base value, plus a slow wave, plus noise, all in integers: the same seed gives the same readings
on every machine and in whatever order they are taken.
"""

from __future__ import annotations

_MASK = (1 << 64) - 1
NOISE_US = 10_000
"""How long a noise value lasts."""


def mix(*parts: int) -> int:
    """Return 64 well-mixed bits of ``parts`` (the finalizer of splitmix64, chained)."""
    state = 0
    for part in parts:
        state = (state + 0x9E3779B97F4A7C15 ^ part) & _MASK
        state = (state ^ state >> 30) * 0xBF58476D1CE4E5B9 & _MASK
        state = (state ^ state >> 27) * 0x94D049BB133111EB & _MASK
        state ^= state >> 31
    return state


def wave(position: int, period: int) -> tuple[int, int]:
    """Return the sine of ``position / period`` turns as a fraction: (numerator, denominator).

    Bhaskara's approximation, in integers and true to 0.2 %.
    """
    half = period  # in half positions, so that an odd period has a middle as well
    x = 2 * (position % period)
    sign = 1
    if x >= half:
        x -= half
        sign = -1
    product = x * (half - x)
    return sign * 16 * product, 5 * half * half - 4 * product


class Waveform:
    """One moving value; ``base`` may be changed at any time.

    ``swing`` and ``noise`` are how far the wave and the noise lead away from the base; ``lowest``
    and ``highest`` are never passed. A value that is ``held`` does not move.
    """

    __slots__ = (
        "_key", "_phase", "base", "held", "highest", "lowest", "noise", "period_us", "swing",
    )  # fmt: skip

    def __init__(
        self,
        key: tuple[int, ...],
        base: int,
        *,
        swing: int = 0,
        period_us: int = 60_000_000,
        noise: int = 0,
        lowest: int,
        highest: int,
    ) -> None:
        self._key = key
        self._phase = mix(*key) % period_us
        self.base = base
        self.held: int | None = None
        self.swing = swing
        self.period_us = period_us
        self.noise = noise
        self.lowest = lowest
        self.highest = highest

    def at(self, time_us: int) -> int:
        """Return the value ``time_us`` microseconds after the platform started."""
        if self.held is not None:
            return self.held
        value = self.base
        if self.swing:
            numerator, denominator = wave(time_us + self._phase, self.period_us)
            value += self.swing * numerator // denominator
        if self.noise:
            drawn = mix(*self._key, time_us // NOISE_US)
            value += drawn % (2 * self.noise + 1) - self.noise
        return min(max(value, self.lowest), self.highest)
