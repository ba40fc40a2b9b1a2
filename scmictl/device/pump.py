"""The pump: moves frames between a device's two queues and one port of the platform.

Theory of operation. ``process`` takes every available command, hands it to the port and gives the
chain back with the response; a command the port answers later keeps its chain until then. After
that it asks the port what has become due and writes it into event buffers. Who owns the rings
decides when to call: after a kick, and at ``next_deadline``. There is no socket and no clock here.

Event buffers that are too small for a notification wait for a smaller one (virtio lets the device
omit it); notifications that find no buffer for too long are dropped and counted. Delayed responses
are never dropped: their number is limited by the asynchronous commands the platform accepts.

The two queues are two ways: a driver that looks into its eventq first meets a quick delayed
response before the response it belongs to (Linux calls that an error). So with ``patience``
nothing goes into the eventq, once a delayed response is among it, until the driver has taken what
is in the cmdq, or until so much time has passed.
"""

from __future__ import annotations

from collections import deque
from typing import Protocol

from scmictl.errors import DeviceGone
from scmictl.virtio.chain import Chain
from scmictl.virtio.device import DeviceQueue
from scmictl.wire import header

BACKLOG = 1024
"""Notifications kept while there is no event buffer."""

LOOK_S = 0.0005
"""How often to look whether the driver has taken its responses: it does not say so by itself."""

SMALLEST_ANSWER = 8
"""Header and status: a chain with less room can carry no response at all."""


class Port(Protocol):
    """One connection of one agent to a platform, as the pump sees it."""

    def handle(self, cookie: int, frame: bytes, room: int, now: float) -> bytes | None:
        """Answer a request frame with at most ``room`` bytes; None: later, by :meth:`poll`.

        Raises DeviceGone if the device is to hang up now.
        """

    def poll(self, now: float) -> list[tuple[int | None, bytes]]:
        """Return what is due: late responses by cookie, and with None what goes to the eventq."""

    def next_deadline(self) -> float | None:
        """Return when :meth:`poll` will have something, as far as is known."""

    def close(self) -> None:
        """The connection is over."""


def simulate(
    board: str, *, agent: str | None, seed: int | None, faults: str | None, events: bool
) -> Port:
    """Return a port of a simulated platform of its own.

    ``board`` is a built-in board's name or a file, ``agent`` the name to attach as (the board's
    first), ``events`` whether there is an eventq; ``seed`` and ``faults`` replace the board's.
    Raises BoardError and UsageError.
    """
    from scmictl.platform import Platform

    return Platform.from_board(board, seed=seed, faults=faults).attach(agent, events=events)


class Pump:
    """Serves one port through whatever rings it is given."""

    def __init__(self, port: Port, *, patience: float = 0.0) -> None:
        """``patience`` is in seconds."""
        self.port = port
        self.patience = patience
        self.dropped = 0
        """Notifications given up for want of an event buffer."""
        self._held: dict[int, tuple[DeviceQueue, Chain]] = {}
        self._cookie = 0
        self._events: deque[bytes] = deque()
        self._buffers: list[Chain] = []
        self._roomiest = 0
        """At least the room of every one of them."""
        self._eventq: DeviceQueue | None = None
        self._look_at: float | None = None
        """When to look again whether a delayed response may go, if one is held back."""
        self._until = 0.0
        """When it goes in any case."""

    def process(
        self, cmdq: DeviceQueue | None, eventq: DeviceQueue | None, now: float
    ) -> tuple[bool, bool]:
        """Do all there is to do; return whether to signal the cmdq and the eventq.

        A queue that is None is not running: its requests or buffers stay where they are. Raises
        QueueBroken when the driver broke the rules of a ring, and DeviceGone when the port wants to
        hang up; what it has answered before is then in the cmdq.
        """
        if cmdq is not None:
            try:
                self._commands(cmdq, now)
            except DeviceGone:
                cmdq.publish()
                raise
        for cookie, frame in self.port.poll(now):
            if cookie is None:
                if self.patience and self._look_at is None and not _is_notification(frame):
                    self._look_at, self._until = now, now + self.patience
                self._events.append(frame)
            else:
                self._answer_late(cookie, frame)
        # Asked also while no eventq runs: the time that something may be held back goes by.
        waits = self._waits(cmdq, now)
        if eventq is not None and not waits:
            self._deliver(eventq)
        self._trim()
        return (
            cmdq is not None and cmdq.publish(),
            eventq is not None and eventq.publish(),
        )

    def arm(self, cmdq: DeviceQueue | None, eventq: DeviceQueue | None) -> bool:
        """Ask to be kicked from now on; True if there is work already (process, arm again)."""
        again = cmdq is not None and cmdq.arm()
        if eventq is not None:
            # Buffers that nobody needs yet are no work; a kick for them is only spurious.
            if self._events and self._look_at is None:
                again = eventq.arm() or again
            else:
                eventq.disarm()
        return again

    def next_deadline(self) -> float | None:
        """Return when :meth:`process` is due without a kick."""
        due = self.port.next_deadline()
        if self._look_at is not None:
            return self._look_at if due is None else min(due, self._look_at)
        return due

    def forget(self, queue: DeviceQueue) -> None:
        """Drop everything kept for ``queue``, which has stopped: its chains are void."""
        self._held = {c: held for c, held in self._held.items() if held[0] is not queue}
        if queue is self._eventq:
            self._buffers.clear()
            self._eventq = None

    def close(self) -> None:
        """End the port's connection."""
        self.port.close()

    def _commands(self, cmdq: DeviceQueue, now: float) -> None:
        handle = self.port.handle
        # A ring's worth at most: a driver that never stops must not keep the rest waiting. What is
        # left is found when the ring is armed.
        for _ in range(cmdq.size):
            chain = cmdq.pop()
            if chain is None:
                return
            self._cookie = cookie = self._cookie + 1
            answer = handle(cookie, chain.readable, chain.room, now)
            if answer is None and (
                len(chain.readable) < header.SIZE or chain.room < SMALLEST_ANSWER
            ):
                # Nothing legal can be said, but the driver gets its buffer back.
                answer = b""
            if answer is None:
                self._held[cookie] = (cmdq, chain)
            else:
                cmdq.push(chain, answer)

    def _waits(self, cmdq: DeviceQueue | None, now: float) -> bool:
        """Return whether a delayed response has to wait for the driver to take its response."""
        if self._look_at is None:
            return False
        if cmdq is None or cmdq.taken or now >= self._until:
            self._look_at = None
            return False
        self._look_at = now + LOOK_S
        return True

    def _answer_late(self, cookie: int, frame: bytes) -> None:
        held = self._held.pop(cookie, None)
        if held is not None:
            held[0].push(held[1], frame)

    def _deliver(self, eventq: DeviceQueue) -> None:
        """Write what waits into event buffers, each frame into the first it fits."""
        if eventq is not self._eventq:
            self._buffers.clear()
            self._eventq = eventq
        waiting: deque[bytes] = deque()
        while self._events:
            frame = self._events.popleft()
            chain = self._buffer(eventq, len(frame))
            if chain is None:
                waiting.append(frame)
                if not self._buffers:
                    break  # none left at all; the order of the rest is kept
            else:
                eventq.push(chain, frame)
        waiting.extend(self._events)
        self._events = waiting

    def _buffer(self, eventq: DeviceQueue, size: int) -> Chain | None:
        # Many frames that fit nowhere must not cost a search each.
        if size <= self._roomiest:
            for place, chain in enumerate(self._buffers):
                if chain.room >= size:
                    return self._buffers.pop(place)
            self._roomiest = size - 1
        while (found := eventq.pop()) is not None:
            if found.room >= size:
                return found
            self._buffers.append(found)
            self._roomiest = max(self._roomiest, found.room)
        return None

    def _trim(self) -> None:
        """Drop the oldest notifications beyond the backlog."""
        excess = len(self._events) - BACKLOG
        if excess <= 0:
            return
        kept: deque[bytes] = deque()
        for frame in self._events:
            if excess > 0 and _is_notification(frame):
                excess -= 1
                self.dropped += 1
            else:
                kept.append(frame)
        self._events = kept


def _is_notification(frame: bytes) -> bool:
    return header.unpack(header.WORD.unpack_from(frame)[0]).message_type == header.NOTIFICATION
