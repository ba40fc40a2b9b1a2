"""What comes unasked, kept until somebody reads it: in order, within limits, losses counted.

A platform can send notifications faster than anybody reads them, and whoever only calls commands
never reads them at all. So there is a limit to their number and, because decoded they take many
times the room of their frames, to the bytes of those; what does not fit is counted.
"""

from __future__ import annotations

from collections import deque
from typing import NamedTuple

from scmictl.agent.transfers import Event, Stray

LIMIT = 65_536
"""How many are kept."""
LIMIT_BYTES = 8 << 20
"""How many bytes their frames may have together."""


class Lost(NamedTuple):
    """So many notifications could not be kept because nobody read them."""

    number: int


class Reconnected(NamedTuple):
    """The connection was lost and is back after ``gap_s`` seconds, with nothing remembered.

    ``refused`` says, a line each, what was held (a subscription, say) and could not be had again.
    """

    gap_s: float
    refused: tuple[str, ...] = ()


Incident = Event | Stray | Lost | Reconnected
"""What happens without having been asked for just now."""


class Inbox:
    """True while there is something to take."""

    def __init__(self) -> None:
        self._kept: deque[Incident] = deque()
        self._bytes = 0
        self._lost = 0

    def __bool__(self) -> bool:
        return bool(self._kept or self._lost)

    def put(self, incident: Incident) -> None:
        """Keep ``incident`` if there is room."""
        size = _size(incident)
        if len(self._kept) >= LIMIT or self._bytes + size > LIMIT_BYTES:
            self._lost += 1
            return
        self._bytes += size
        self._kept.append(incident)

    def take(self) -> Incident | None:
        """Return the oldest, or what was lost after all of them; None if there is nothing."""
        if self._kept:
            incident = self._kept.popleft()
            self._bytes -= _size(incident)
            return incident
        if self._lost:
            lost, self._lost = self._lost, 0
            return Lost(lost)
        return None

    def take_all(self) -> list[Incident]:
        """Return everything there is, in order."""
        found: list[Incident] = []
        while (incident := self.take()) is not None:
            found.append(incident)
        return found


def _size(incident: Incident) -> int:
    if isinstance(incident, Event):
        return len(incident.payload)
    return len(incident.data) if isinstance(incident, Stray) else 0
