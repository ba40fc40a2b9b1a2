"""One connection of one agent to the platform: frames in, frames out.

Theory of operation: ``handle`` takes a command and returns its response. What comes by itself
(delayed responses, notifications) collects in the port until ``poll`` takes it, so it can never
overtake the response of the command it belongs to, as long as the caller sends what ``handle``
returned before it polls again. ``next_deadline`` is when to poll; what one port does can put
frames into others, so whoever serves several ports asks all of them after each command.

A port keeps what belongs to the connection: the negotiated versions, the subscriptions, the
commands outstanding. Closing it ends these. What the agent has set (rates, gates, sensor
configurations) stays until somebody changes it or resets the agent's configuration, and an
accepted asynchronous change still happens; only its answer has nowhere to go.

A command that takes its time although it is not asynchronous is held: ``handle`` returns None, and
``poll`` gives its response, the status alone, with the cookie when the work is done.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING

from scmictl.platform import dispatch
from scmictl.platform.behaviour import Refusal
from scmictl.platform.timer import Timer
from scmictl.wire import Delayed, Notification, Status, codec, header, status

if TYPE_CHECKING:
    from scmictl.platform.behaviour import Call
    from scmictl.platform.platform import Platform

MOST_NOTIFICATIONS = 1024
"""Notifications kept for a caller that does not poll; then the oldest go."""

_TYPE = 0x3 << 8


class Held:
    """A command whose response has yet to come; made by :meth:`Port.hold`."""

    __slots__ = ("_cookie", "_port", "_word")

    def __init__(self, port: Port, cookie: int, word: int) -> None:
        self._port = port
        self._cookie = cookie
        self._word = word

    def answer(self, code: Status = Status.SUCCESS) -> None:
        """Give the response; only the first one counts."""
        self._port.release(
            self, self._cookie, header.WORD.pack(self._word) + status.WORD.pack(code)
        )


class Port:
    """Made by :meth:`Platform.attach`; ``events`` tells whether frames can go to the agent.

    ``agent`` is the agent's id; ``readonly`` means that it may change nothing over this connection;
    ``dropped`` counts notifications lost because nobody polled.
    """

    def __init__(self, platform: Platform, agent: int, *, events: bool) -> None:
        self.platform = platform
        self.agent = agent
        self.events = events
        self.readonly = False
        self.versions = {id: behaviour.version for id, behaviour in platform.behaviours.items()}
        self.subscriptions: dict[tuple[type[Notification], int], None] = {}
        self.dropped = 0
        self.closed = False
        self._outbox: deque[tuple[int | None, bytes, bool]] = deque()
        self._held: dict[Held, None] = {}
        self._notifications = 0
        self._since = 0.0
        self._outstanding: dict[int, dict[Timer, None]] = {}

    def handle(self, cookie: int, frame: bytes, room: int, now: float) -> bytes | None:
        """Return the response to a command, at most ``room`` bytes long.

        None if it gets none at once: ``poll`` then gives it together with ``cookie``, or there is
        nothing to answer (no header, no room for a status, a closed port).
        """
        if self.closed:
            return None
        return dispatch.respond(self, cookie, frame, room, self.platform.advance(now))

    def poll(self, now: float) -> list[tuple[int | None, bytes]]:
        """Return what has become due: (cookie, response), (None, delayed or notification)."""
        if self.closed:
            return []
        self.platform.advance(now)
        due = [(cookie, frame) for cookie, frame, _ in self._outbox]
        self._outbox.clear()
        self._notifications = 0
        return due

    def next_deadline(self) -> float | None:
        """Return when to poll next (past times mean now), or None if nothing is to come."""
        if self.closed:
            return None
        return self._since if self._outbox else self.platform.timers.next_due()

    def close(self) -> None:
        """End the connection; a second time does nothing."""
        if not self.closed:
            self.closed = True
            self.platform.detach(self)
            self._outbox.clear()
            self._held.clear()

    # --- for the platform -------------------------------------------------------------------------

    @property
    def busy(self) -> bool:
        """Whether accepted asynchronous commands are not done yet."""
        return any(self._outstanding.values())

    def notify(self, event: Notification) -> bool:
        """Put a notification into the outbox; False if the version in force does not have it."""
        version = self.versions[event.PROTOCOL_ID]
        if version < event.SINCE:
            return False
        if self._notifications >= MOST_NOTIFICATIONS:
            oldest = next(i for i, entry in enumerate(self._outbox) if entry[2])
            del self._outbox[oldest]
            self._notifications -= 1
            self.dropped += 1
        self._notifications += 1
        self._put(codec.frame(event, version), True)
        return True

    def defer(
        self, call: Call, latency: float, limit: int, work: Callable[[float], Delayed | None]
    ) -> None:
        """Accept an asynchronous command: do ``work(now)`` after ``latency`` seconds.

        What it returns (or the Refusal it raises) becomes the delayed response; None means that the
        command wanted none. Raises BUSY when ``limit`` commands of the protocol are outstanding.
        """
        protocol = header.unpack(call.word).protocol_id
        outstanding = self._outstanding.setdefault(protocol, {})
        if len(outstanding) >= limit:
            raise Refusal(Status.BUSY)

        def finish(now: float) -> None:
            del outstanding[timer]
            try:
                result = work(now)
                payload = b"" if result is None else codec.answer(result, self.versions[protocol])
            except Refusal as refusal:
                payload = status.WORD.pack(refusal.status)
            if payload and not self.closed:
                word = call.word & ~_TYPE | header.DELAYED << 8
                self._put(header.WORD.pack(word) + payload, False)

        timer = self.platform.timers.add(call.now + latency, finish)
        outstanding[timer] = None

    def hold(self, call: Call) -> Held:
        """Keep the response of a command back; its method then returns ``LATER``."""
        held = Held(self, call.cookie, call.word)
        self._held[held] = None
        return held

    def release(self, held: Held, cookie: int, frame: bytes) -> None:
        """Put the response of a held command into the outbox, unless it has had one."""
        if held in self._held:
            del self._held[held]
            self._put(frame, False, cookie)

    def abandon(self) -> None:
        """Forget all outstanding asynchronous commands, undone and unanswered.

        What is held gets GENERIC_ERROR: its sender's buffer has to come back.
        """
        for held in list(self._held):
            held.answer(Status.GENERIC_ERROR)
        for outstanding in self._outstanding.values():
            for timer in outstanding:
                self.platform.timers.cancel(timer)
            outstanding.clear()

    def _put(self, frame: bytes, notification: bool, cookie: int | None = None) -> None:
        if not self._outbox:
            self._since = self.platform.now
        self._outbox.append((cookie, frame, notification))
