"""What a transport is: it moves whole frames between an agent and a platform.

A transport knows queues and slots but not a single message. It has exactly the five methods of
:class:`Transport`, and the facts of its connection as data in ``link``.
"""

from __future__ import annotations

from typing import NamedTuple, Protocol

COMMANDS = 0
"""The queue of requests and responses."""
EVENTS = 1
"""The queue of notifications and delayed responses."""


class Received(NamedTuple):
    """A frame from the platform.

    ``cookie`` is what :meth:`Transport.send` was given for the request whose buffer this frame came
    back in; None on the event queue and where a transport has no such buffers.
    """

    data: bytes
    queue: int
    cookie: int | None


class Link(NamedTuple):
    """The facts of a connection.

    ``p2a`` says whether the platform can speak unasked: without it there are neither notifications
    nor delayed responses. ``message_size`` is the writable room of every response and event buffer
    in bytes; ``depth`` how many requests can be in flight.
    """

    uri: str
    kind: str
    p2a: bool
    message_size: int
    depth: int
    facts: dict[str, object]
    """More to show in `info`: features, queue sizes and the like, in the order to show them."""
    platform: object = None
    """The simulated platform itself, where it is in this process and so within reach of a hand."""


class Transport(Protocol):
    """A connection to one platform as one agent."""

    link: Link

    def send(self, frame: bytes, cookie: int) -> bool:
        """Queue a request frame; False when there is no free slot now.

        The frame leaves with the next :meth:`dispatch`, so several sent in a row go together.
        Raises LocalProtocolError when the frame is larger than ``link.message_size``.
        """

    def dispatch(self, now: float) -> list[Received]:
        """Send what is queued and return every frame that has come; never blocks.

        Raises DeviceGone when the connection is lost, RemoteProtocolError when the device broke the
        rules of the connection or (QueueBroken) of a queue. What had come by then was returned
        before.
        """

    def fileno(self) -> int | None:
        """Return one descriptor that is readable when :meth:`dispatch` has work, if there is one.

        Sleep on it only until :meth:`next_deadline`. It stays the transport's; do not close it.
        """

    def next_deadline(self) -> float | None:
        """Return when :meth:`dispatch` wants to be called even if nothing becomes readable.

        In the past: at once, because more may be there already.
        """

    def close(self) -> None:
        """Stop the queues and release everything; never raises, never blocks for long."""
