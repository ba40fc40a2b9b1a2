"""Times as SCMI counts them: a whole number of powers of ten of a second."""

from __future__ import annotations

from typing import NamedTuple

from scmictl.platform.steps import Round, Steps

SMALLEST = -16
"""The exponents of the wire have five bits, two's complement."""
LARGEST = 15
MOST = 0xFFFF
"""The numbers before them have 16 bits."""


class Span(NamedTuple):
    """``sec * 10 ** exponent`` seconds."""

    sec: int
    exponent: int

    @property
    def seconds(self) -> float:
        # One rounding instead of two: 100 * 10**-3 is 0.1 only as a division.
        if self.exponent < 0:
            return float(self.sec / 10**-self.exponent)
        return float(self.sec * 10**self.exponent)

    @property
    def ticks(self) -> int:
        """The time in the smallest unit the wire can say."""
        return int(self.sec * 10 ** (self.exponent - SMALLEST))


def span(ticks: int, exponent: int) -> Span | None:
    """Return ``ticks`` in units of ``10 ** exponent`` seconds, or in larger ones if it must be.

    None if the wire cannot say it without a rest.
    """
    while exponent <= LARGEST:
        sec, rest = divmod(ticks, 10 ** (exponent - SMALLEST))
        if rest:
            return None
        if sec <= MOST:
            return Span(sec, exponent)
        exponent += 1
    return None


def rough(exact: Span) -> Span:
    """Return a span that is not shorter and has a number of at most 31, for version 1.0."""
    sec, exponent = exact
    while sec > 31 or (sec and sec % 10 == 0):
        sec = -(-sec // 10)
        exponent += 1
    return Span(sec, exponent)


class Intervals:
    """The update intervals a sensor can have."""

    __slots__ = ("exponent", "steps")

    def __init__(self, spans: tuple[Span, ...], *, triplet: bool = False) -> None:
        self.exponent = min(item.exponent for item in spans)
        self.steps = Steps([item.ticks for item in spans], triplet=triplet)

    @property
    def spans(self) -> list[Span | None]:
        """What agents are shown: all intervals, or lowest, highest, step."""
        return [span(ticks, self.exponent) for ticks in self.steps.items]

    def sayable(self) -> bool:
        """Return whether the wire can say every interval there is."""
        # Between lowest and highest, every multiple of the smallest unit may occur.
        limit = MOST * 10 ** (self.exponent - SMALLEST)
        return None not in self.spans and (not self.steps.triplet or self.steps.highest <= limit)

    def round(self, wanted: Span, way: Round) -> Span | None:
        """Return the interval to use for ``wanted``, or None when there is none that way."""
        ticks = self.steps.round(wanted.ticks, way)
        return None if ticks is None else span(ticks, self.exponent)

    def has(self, wanted: Span) -> bool:
        """Return whether ``wanted`` is one of them."""
        return self.steps.round(wanted.ticks, Round.DOWN) == wanted.ticks
