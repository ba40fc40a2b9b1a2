"""Commands that the platform was too busy for: each is tried again, after a pause that doubles.

Theory of operation. No I/O and no clock. A command answered with BUSY has changed nothing, so it
can be sent again whatever it is. Its transfer goes back to what it was before it was sent, and the
agent opens it anew once it is due; whoever waits for it notices nothing but the time. When the
tries are used up, BUSY is its answer. A delayed response that says BUSY is the end of its command.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from scmictl.agent.transfers import Transfer, Transfers
from scmictl.errors import ScmictlError
from scmictl.wire import Status

FIRST_PAUSE_S = 0.01
"""The pause before the first retry; it doubles each time."""
LONGEST_PAUSE_S = 1.0
AGAIN_S = 0.001
"""How soon to look again when there was no room to send."""


class Retries:
    """Those of ``transfers`` that wait for another try; ``limit`` is how many each of them has."""

    def __init__(self, transfers: Transfers) -> None:
        self.limit = 0
        self._transfers = transfers
        self._waiting: list[tuple[float, Transfer[Any]]] = []

    def __len__(self) -> int:
        return len(self._waiting)

    @property
    def deadline(self) -> float | None:
        """When the next of them is due."""
        return min((due for due, _ in self._waiting), default=None)

    def take(self, transfer: Transfer[Any], now: float) -> bool:
        """Take a transfer that has ended, if it is to be tried again."""
        busy = transfer.status == Status.BUSY and transfer.payload and not transfer.awaiting
        if not busy or transfer.tries >= self.limit:
            return False
        pause = min(FIRST_PAUSE_S * 2**transfer.tries, LONGEST_PAUSE_S)
        transfer.tries += 1
        transfer.recall()
        self._waiting.append((now + pause, transfer))
        return True

    def send(self, now: float, send: Callable[[bytes, int], bool]) -> None:
        """Open and ``send`` those that are due; where there is no room, a moment later."""
        due = [transfer for when, transfer in self._waiting if when <= now]
        self._waiting = [one for one in self._waiting if one[0] > now]
        for transfer in due:
            if not self._transfers.full:
                limits = transfer.timeout, transfer.delayed_timeout
                self._transfers.open(transfer, now, *limits)
                if send(transfer.frame, transfer.token):
                    continue
                self._transfers.withdraw(transfer)
            self._waiting.append((now + AGAIN_S, transfer))

    def fail_all(self, error: ScmictlError) -> list[Transfer[Any]]:
        """End them all with ``error`` and return them."""
        failed = [transfer for _, transfer in self._waiting]
        self._waiting.clear()
        for transfer in failed:
            transfer.fail(error)
        return failed
