"""What power capping domains draw: what they need, as far as the caps above them allow it.

A domain needs something itself (a moving value of the board) and what its children need. Its cap
bounds the sum. Where a cap leaves less than is needed, everything below is cut in proportion, so
that at any moment the children of a domain never draw more than it does. An agent is told the
average over the domain's averaging interval, of a few moments of it, with the caps as they are now.
"""

from __future__ import annotations

from collections.abc import Sequence

from scmictl.platform.budget import U32, Domain
from scmictl.platform.waveform import NOISE_US

SAMPLES = 4
"""How many moments of an interval an average is made of."""
KEPT = 1 << 16
"""How many powers are remembered; who reads all domains asks for the same few moments."""


class Draw:
    """The powers of all domains; pure but for what it remembers."""

    def __init__(self) -> None:
        self._known: dict[tuple[int, int], dict[int, int]] = {}
        self._size = 0

    def changed(self) -> None:
        """Forget everything, because a cap or a need is another now."""
        self._known.clear()
        self._size = 0

    def average(self, domain: Domain, uptime_us: int) -> int:
        """Return the average power of the interval that ends now, in the domain's unit."""
        total = 0
        for part in range(SAMPLES):
            moment = (uptime_us - domain.pai.us * part // SAMPLES) // NOISE_US
            total += self._at(domain.family, moment)[domain.id]
        return min(total // (SAMPLES * domain.scale), U32)

    def _at(self, family: Sequence[Domain], moment: int) -> dict[int, int]:
        key = family[0].id, moment
        found = self._known.get(key)
        if found is None:
            if self._size >= KEPT:
                self.changed()
            self._size += len(family)
            found = self._known[key] = spread(family, moment * NOISE_US)
        return found


def spread(family: Sequence[Domain], uptime_us: int) -> dict[int, int]:
    """Return what each domain of a tree draws at a moment, in microwatts (or the abstract scale).

    ``family`` has every parent before its children.
    """
    below = dict.fromkeys((domain.id for domain in family), 0)
    wanted: dict[int, int] = {}
    needed: dict[int, int] = {}
    for domain in reversed(family):
        total = domain.wave.at(uptime_us) * domain.scale + below[domain.id]
        ceiling = domain.ceiling
        wanted[domain.id] = total
        needed[domain.id] = total if ceiling is None else min(total, ceiling * domain.scale)
        if domain.parent is not None:
            below[domain.parent.id] += needed[domain.id]
    drawn: dict[int, int] = {}
    for domain in family:
        need = needed[domain.id]
        if domain.parent is not None:
            granted, total = drawn[domain.parent.id], wanted[domain.parent.id]
            if granted < total:
                need = need * granted // total
        drawn[domain.id] = need
    return drawn
