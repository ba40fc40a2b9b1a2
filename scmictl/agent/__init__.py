"""The agent's side of SCMI: transfers, the agent that drives them, discovery.

May import: ``transport``, ``protocols``, ``wire`` and ``errors``. :func:`connect` is the way in. To
extend: what is new about a single command belongs into ``transfers`` (no I/O there), what is new
about the connection into a file of its own beside it.
"""

from __future__ import annotations

from collections.abc import Callable

from scmictl import transport as transports
from scmictl.agent.agent import Agent, Timing
from scmictl.agent.discovery import Discovery, Resource
from scmictl.agent.held import Held
from scmictl.agent.identity import Identity, Owner
from scmictl.agent.inbox import Incident, Lost, Reconnected
from scmictl.agent.listing import Listing
from scmictl.agent.transfers import Event, Raw, Stray, Transfer, status_error
from scmictl.agent.wait import Interrupt, Waiter, at_once
from scmictl.errors import Interrupted, TransportError
from scmictl.transport import CONTROL, Capture, Frame, Link, Received, Target, Transport, parse

__all__ = [
    "CONTROL",
    "Agent",
    "Discovery",
    "Event",
    "Frame",
    "Held",
    "Identity",
    "Incident",
    "Interrupt",
    "Link",
    "Listing",
    "Lost",
    "Owner",
    "Raw",
    "Received",
    "Reconnected",
    "Resource",
    "Stray",
    "Timing",
    "Transfer",
    "Transport",
    "Waiter",
    "at_once",
    "connect",
    "parse",
    "status_error",
]


def connect(
    uri: str = "sim:",
    *,
    timeout: float = 1.0,
    delayed_timeout: float = 2.0,
    versions: dict[int, int] | None = None,
    vendor: Owner | None = None,
    waiter: Waiter | None = None,
    sink: Callable[[Frame], None] | None = None,
) -> Agent:
    """Connect to the platform at ``uri`` and return the agent that talks to it.

    ``timeout`` and ``delayed_timeout`` are seconds; ``versions`` fixes protocol versions by
    protocol id, ``vendor`` whose the protocols from 0x80 are (vendor and sub-vendor, None: any)
    instead of asking; ``sink`` sees every frame both ways. Close the agent, or use it as a context
    manager. Raises UsageError, BoardError, ConnectError, and what ``waiter`` may raise: Interrupted
    and TransferTimeout.
    """
    target = transports.parse(uri)
    reconnect = target.seconds("reconnect")
    # Reconnecting is waiting already, and no call may block as long as `wait` may take.
    again = target._replace(options={k: v for k, v in target.options.items() if k != "wait"})
    waiter = waiter or Waiter()

    def open_transport(to: Target) -> Transport:
        now = waiter.now()
        waiter.check(now)
        wake = waiter.interrupt.fileno() if waiter.interrupt is not None else None
        limit = None if waiter.deadline is None else waiter.deadline - now
        # Of a platform in this process, connecting is reading its board.
        local = waiter.interrupt if to.scheme == "sim" else None
        try:
            with at_once(local):
                opened = transports.connect(to, wake=wake, limit=limit)
        except (Interrupted, TransportError):
            # By which signal, or was it only the deadline of the run?
            waiter.check(waiter.now())
            raise
        return Capture(opened, sink) if sink is not None else opened

    return Agent(
        open_transport(target),
        timeout=timeout,
        delayed_timeout=delayed_timeout,
        waiter=waiter,
        versions=versions,
        vendor=vendor,
        reopen=lambda: open_transport(again),
        reconnect=reconnect,
    )
