"""What the platform does later: actions in the order in which they fall due.

Theory of operation: times are those of the caller's clock and are only compared. ``run`` performs
what is due; what an action adds meanwhile waits for the next ``run``, so a run always ends. A
cancelled entry stays in the heap until it comes up or until half of the heap is dead, whichever is
first: subscribing and unsubscribing for ever costs no memory.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable

Action = Callable[[float], None]
"""Takes the current time, which may be later than the time it was due."""


class Timer:
    """One action to come; ``action`` is None once it ran or was cancelled."""

    __slots__ = ("action", "due")

    def __init__(self, due: float, action: Action) -> None:
        self.due = due
        self.action: Action | None = action


class Timers:
    """A heap of (due, order of adding, timer)."""

    def __init__(self) -> None:
        self._heap: list[tuple[float, int, Timer]] = []
        self._aside: list[tuple[float, int, Timer]] = []
        """What this run has found due, but the next one is to perform."""
        self._added = 0
        self._dead = 0

    def __len__(self) -> int:
        """Return how many actions are still to come."""
        return len(self._heap) + len(self._aside) - self._dead

    def add(self, due: float, action: Action) -> Timer:
        """Have ``action(now)`` called by the first ``run`` at ``due`` or later."""
        timer = Timer(due, action)
        heapq.heappush(self._heap, (due, self._added, timer))
        self._added += 1
        return timer

    def cancel(self, timer: Timer) -> None:
        """Forget ``timer``; nothing happens if it has already run or been cancelled."""
        if timer.action is None:
            return
        timer.action = None
        self._dead += 1
        if self._dead * 2 > len(self._heap):
            self._heap = [entry for entry in self._heap if entry[2].action is not None]
            self._aside = [entry for entry in self._aside if entry[2].action is not None]
            heapq.heapify(self._heap)
            self._dead = 0

    def next_due(self) -> float | None:
        """Return when the next action is due, or None if there is none."""
        while self._heap and self._heap[0][2].action is None:
            heapq.heappop(self._heap)
            self._dead -= 1
        return self._heap[0][0] if self._heap else None

    def run(self, now: float) -> None:
        """Perform what is due at ``now``, earliest first."""
        fence = self._added
        while (due := self.next_due()) is not None and due <= now:
            entry = heapq.heappop(self._heap)
            if entry[1] >= fence:
                self._aside.append(entry)
                continue
            action, entry[2].action = entry[2].action, None
            assert action is not None
            action(now)
        while self._aside:
            heapq.heappush(self._heap, self._aside.pop())
