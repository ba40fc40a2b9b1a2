"""The agent's side of SCMI: transfers, the agent that drives them, discovery.

May import: ``transport``, ``protocols``, ``wire`` and ``errors``. :func:`connect` is the way in. To
extend: what is new about a single command belongs into ``transfers`` (no I/O there), what is new
about the connection into a file of its own beside it.
"""

from __future__ import annotations

from collections.abc import Callable

from scmictl import transport as transports
from scmictl.agent.agent import Agent, Held, Incident, Lost, Reconnected
from scmictl.agent.discovery import Discovery, Resource
from scmictl.agent.listing import Listing
from scmictl.agent.transfers import Event, Raw, Stray, Transfer, status_error
from scmictl.agent.wait import Interrupt, Waiter
from scmictl.transport import Capture, Frame, Link, Received, Transport

__all__ = [
    "Agent",
    "Discovery",
    "Event",
    "Frame",
    "Held",
    "Incident",
    "Interrupt",
    "Link",
    "Listing",
    "Lost",
    "Raw",
    "Received",
    "Reconnected",
    "Resource",
    "Stray",
    "Transfer",
    "Transport",
    "Waiter",
    "connect",
    "status_error",
]


def connect(
    uri: str = "sim:",
    *,
    timeout: float = 1.0,
    delayed_timeout: float = 2.0,
    versions: dict[int, int] | None = None,
    waiter: Waiter | None = None,
    sink: Callable[[Frame], None] | None = None,
) -> Agent:
    """Connect to the platform at ``uri`` and return the agent that talks to it.

    ``timeout`` and ``delayed_timeout`` are seconds; ``versions`` fixes protocol versions by
    protocol id; ``sink`` sees every frame both ways. Close the agent, or use it as a context
    manager. Raises
    UsageError, BoardError and ConnectError.
    """
    target = transports.parse(uri)
    waiter = waiter or Waiter()
    wake = waiter.interrupt.fileno() if waiter.interrupt is not None else None

    def open_transport() -> Transport:
        opened = transports.connect(target, wake=wake)
        return Capture(opened, sink) if sink is not None else opened

    return Agent(
        open_transport(),
        timeout=timeout,
        delayed_timeout=delayed_timeout,
        waiter=waiter,
        versions=versions,
        reopen=open_transport,
        reconnect=target.seconds("reconnect"),
    )
