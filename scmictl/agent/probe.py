"""Why is there no answer: is the device slow with this command, or is its queue dead?

Theory of operation. No I/O and no clock. The first command that is overdue starts it (the agent has
just looked at the queue once more): one BASE PROTOCOL_VERSION, the *probe*, goes out on the same
queue with the same time limit, but with LEAST_S at least: no device answers in no time.

    idle -> waiting    no token or no slot is free for the probe; it waits as long as its own limit
         -> out        sent
         -> idle       answered: whatever is overdue ends with TransferTimeout, the device is slow
         -> idle       not answered, but what was overdue has been meanwhile: nothing was wrong
    waiting, out -> dead   not answered: DeviceGone
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from scmictl.agent.transfers import Transfer, Transfers
from scmictl.errors import DeviceGone, TransferTimeout
from scmictl.protocols import base

LEAST_S = 0.1
"""The least time after which silence says anything about a queue, however impatient we are."""


class Probe:
    """The probe of one connection, over its ``transfers``."""

    def __init__(self, transfers: Transfers) -> None:
        self.transfer: Transfer[Any] | None = None
        """The question that is out or waits for its turn."""
        self.out = False
        """Has it been sent?"""
        self._transfers = transfers
        self._limit = 0.0
        self._until = 0.0

    @property
    def deadline(self) -> float | None:
        """When :meth:`look` has to be called although no command becomes overdue."""
        return self._until if self.transfer is not None and not self.out else None

    def reset(self) -> None:
        """Forget it: the connection is gone."""
        self.transfer = None
        self.out = False

    def look(
        self, late: list[Transfer[Any]], now: float, send: Callable[[bytes, int], bool]
    ) -> list[Transfer[Any]]:
        """See how things are; return the transfers that this ends.

        ``late``: what has become overdue just now; ``send``: the transport's. Raises DeviceGone
        when the queue is dead.
        """
        if self.transfer is None:
            self.transfer = Transfer(base.ProtocolVersion(), 0)
            self._limit = max(LEAST_S, *(t.deadline - t.sent for t in late))
            self._until = now + self._limit
        probe = self.transfer
        overdue = [t for t in self._transfers.pending.values() if t.overdue and t is not probe]
        if not self.out:
            self._send(probe, overdue, now, send)
            return []
        if probe.overdue and not probe.answered and overdue:
            raise _dead(overdue, "and neither did it answer a BASE PROTOCOL_VERSION after that")
        if not probe.answered and not probe.overdue:
            return []
        if not probe.answered:
            self._transfers.give_up(probe, _timeout(probe))
        self.reset()
        for transfer in overdue:
            self._transfers.give_up(transfer, _timeout(transfer))
        return overdue

    def _send(
        self,
        probe: Transfer[Any],
        overdue: list[Transfer[Any]],
        now: float,
        send: Callable[[bytes, int], bool],
    ) -> None:
        if not overdue:
            self.reset()
            return
        if self._transfers.free:
            self._transfers.open(probe, now, self._limit, self._limit, probe=True)
            self.out = send(probe.frame, probe.token)
            if self.out:
                return
            self._transfers.withdraw(probe)
        if now >= self._until:
            raise _dead(overdue, "and its ring is full, so that it cannot be asked why")


def no_slot(transfer: Transfer[Any], seconds: float) -> DeviceGone:
    """Return what is wrong when a command could not even be sent in ``seconds``."""
    return _dead([transfer], f"no slot came free for it in {seconds:g} s")


def _dead(overdue: list[Transfer[Any]], seen: str) -> DeviceGone:
    return DeviceGone(
        f"the device did not answer {overdue[0].spec}, {seen}: its command queue is dead",
        hint="the connection itself still stands; a malformed message stops the queue of some "
        "devices until the next connection",
    )


def _timeout(transfer: Transfer[Any]) -> TransferTimeout:
    what = "delayed response" if transfer.awaiting else "response"
    limit = transfer.delayed_timeout if transfer.awaiting else transfer.deadline - transfer.sent
    option = "--delayed-timeout" if transfer.awaiting else "--timeout"
    return TransferTimeout(
        f"{transfer.spec}: no {what} within {limit:g} s, though the device answers others",
        hint=f"{option} gives it more time",
    )
