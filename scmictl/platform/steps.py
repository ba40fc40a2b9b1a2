"""The values a setting can have: a list, or lowest, highest and step.

Clock rates and update intervals are both described to agents in one of these two forms, and both
are rounded to what there is.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from enum import IntEnum


class Round(IntEnum):
    """What to do with a value that lies between two possible ones."""

    DOWN = 0
    UP = 1
    NEAREST = 2


class Steps:
    """Possible values in ascending order; ``triplet`` tells which form ``items`` has.

    ``items`` is what agents are shown: all values, or lowest, highest, step. The step must be at
    least 1 and lead from lowest to highest.
    """

    __slots__ = ("items", "triplet")

    def __init__(self, items: Sequence[int], *, triplet: bool = False) -> None:
        self.items = tuple(items)
        self.triplet = triplet

    @property
    def lowest(self) -> int:
        return self.items[0]

    @property
    def highest(self) -> int:
        return self.items[1] if self.triplet else self.items[-1]

    def round(self, value: int, way: Round) -> int | None:
        """Return the possible value for ``value``, or None when there is none in that direction.

        A value half-way between two possible ones is rounded down to the nearest.
        """
        below, above = self._around(value)
        if below == value or way is Round.DOWN:
            return below
        if way is Round.UP:
            return above
        if below is None or above is None:
            return above if below is None else below
        return below if value - below <= above - value else above

    def divided(self, divider: int) -> Steps | None:
        """Return the steps divided by ``divider``, or None where that leaves a rest."""
        if any(item % divider for item in self.items):
            return None
        return Steps([item // divider for item in self.items], triplet=self.triplet)

    def _around(self, value: int) -> tuple[int | None, int | None]:
        """Return the highest possible value up to ``value`` and the lowest one above it."""
        if value < self.lowest:
            return None, self.lowest
        if value >= self.highest:
            return self.highest, None
        if self.triplet:
            below = value - (value - self.lowest) % self.items[2]
            return below, below + self.items[2]
        index = bisect_right(self.items, value)
        return self.items[index - 1], self.items[index]
