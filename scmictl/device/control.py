"""The control socket of a served platform: whoever connects there changes the platform by hand.

Theory of operation. A request is one line of JSON, what :mod:`scmictl.platform.ask` says; it is
answered by a line ``{"record": {...}}`` for each record and a last one, ``{"done": COUNT}`` or
``{"error": {"message": ..., "hint": ...}}``. :class:`Control` is part of the server's poll loop: it
says what to wait for, and serves what is ready. Several visitors can be connected at a time.

No visitor can keep the others or the agents waiting. Of each no more is read while an answer waits
to be taken, an answer is made as it is taken, CHUNK bytes at a time, and a line that does not end
ends the connection. One that says nothing costs a descriptor; when there are too many, the one
that has been silent for the longest makes room.
"""

from __future__ import annotations

import json
import select
import socket
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from scmictl.errors import ScmictlError, TransportError, UsageError
from scmictl.platform import ask
from scmictl.platform.hand import Hand
from scmictl.vhost_user.listener import Listener

if TYPE_CHECKING:
    from scmictl.platform import Platform

MODE = 0o600
"""Who may change the platform: only who may also end its server."""
MOST_VISITORS = 16
LONGEST_LINE = 1 << 17
"""Bytes of a request: more than any that is right."""
CHUNK = 1 << 16
"""Bytes of an answer that are made before they are sent."""
ROUNDS = 8
"""How often in a row one visitor is served before the others get their turn."""
ACCEPT_AGAIN_S = 1.0


class Control:
    """A listening control socket and its visitors; ``log`` is told of every change."""

    def __init__(self, platform: Platform, path: str, *, log: Callable[[str], None]) -> None:
        """Listen on ``path``; raises TransportError if one cannot listen there."""
        self.listener = Listener(path, mode=MODE)
        self.hand = Hand(platform)
        self.log = log
        self.visitors: list[Visitor] = []
        """The one that has been silent for the longest is the first."""
        self._accept_at = 0.0

    @property
    def path(self) -> str:
        return self.listener.path

    def watch(self, poller: select.poll, now: float) -> float | None:
        """Say what to wait for; return when to come back although nothing is ready."""
        due = None
        if self._accept_at <= now:
            poller.register(self.listener.fileno(), select.POLLIN)
        else:
            due = self._accept_at
        for visitor in self.visitors:
            if visitor.busy:
                due = now
            else:
                poller.register(visitor.fileno(), visitor.awaits)
        return due

    def serve(self, ready: set[int], now: float) -> None:
        """Serve the visitors that are ready or have more to do, and let new ones in."""
        for visitor in list(self.visitors):
            if visitor.busy or visitor.fileno() in ready:
                self.visitors.remove(visitor)
                if visitor.serve(self.hand, now, self._note):
                    self.visitors.append(visitor)
                else:
                    visitor.close()
        if self.listener.fileno() in ready:
            self._accept(now)

    def _accept(self, now: float) -> None:
        try:
            sock = self.listener.take()
        except TransportError as error:
            self.log(error.message)
            self._accept_at = now + ACCEPT_AGAIN_S
            return
        if sock is None:
            return
        if len(self.visitors) >= MOST_VISITORS:
            self.visitors.pop(0).close()
        self.visitors.append(Visitor(sock))

    def _note(self, request: dict[str, Any]) -> None:
        if ask.changes(request):
            self.log(f"{self.path}: {ask.shown(request)}")

    def close(self) -> None:
        """Send everybody away and remove the socket. Repeatable."""
        for visitor in self.visitors:
            visitor.close()
        self.visitors.clear()
        self.listener.close()


class Visitor:
    """One connection to a control socket; it owns ``sock``."""

    def __init__(self, sock: socket.socket) -> None:
        sock.setblocking(False)
        self._socket = sock
        self._typed = bytearray()
        self._out = bytearray()
        self._records: Iterator[dict[str, Any]] | None = None
        self._count = 0
        self._ended = False
        """Nothing more will come; what has come is still answered."""
        self._lost = False
        """It has gone, and does not want the answer."""
        self.busy = False
        """There is more to do at once."""

    def fileno(self) -> int:
        return self._socket.fileno()

    def close(self) -> None:
        self._socket.close()

    @property
    def awaits(self) -> int:
        """What to poll for."""
        return select.POLLOUT if self._out else select.POLLIN

    def serve(self, hand: Hand, now: float, note: Callable[[dict[str, Any]], None]) -> bool:
        """Do what can be done without waiting; False when the connection is over."""
        if not self._out and not self.busy and not self._ended:
            self._receive()
        self.busy = False
        for _ in range(ROUNDS):
            if self._out and not self._send():
                return not self._lost
            if self._records is not None:
                self._fill()
            elif not self._answer(hand, now, note):
                return not self._ended
        self.busy = True
        return True

    def _receive(self) -> None:
        try:
            data = self._socket.recv(CHUNK)
        except BlockingIOError:
            return
        except OSError:
            data = b""  # it has gone; what it has asked before is still done
        self._ended = not data
        self._typed += data

    def _send(self) -> bool:
        """Send what waits; False if not all of it can be sent now, or ever."""
        try:
            sent = self._socket.send(self._out, socket.MSG_NOSIGNAL)
        except BlockingIOError:
            return False
        except OSError:
            self._lost = True
            return False
        del self._out[:sent]
        return not self._out

    def _answer(self, hand: Hand, now: float, note: Callable[[dict[str, Any]], None]) -> bool:
        """Begin to answer the next line; False if there is none."""
        end = self._typed.find(b"\n")
        if end < 0:
            begun = not self._typed or self._typed.startswith(b"{")
            if begun and len(self._typed) <= LONGEST_LINE:
                return False
            if len(self._typed) > LONGEST_LINE:
                self._fail(UsageError(f"found no end of the line in {LONGEST_LINE} bytes"))
            else:
                # Most likely a vhost-user frontend, which is not to wait for an answer.
                self._fail(_no_request())
            self._typed.clear()
            self._ended = True
            return True
        line = bytes(self._typed[:end])
        del self._typed[: end + 1]
        self._count = 0
        try:
            request = _request(line)
            self._records = hand.ask(request, now)
            note(request)
        except ScmictlError as error:
            self._fail(error)
        return True

    def _fill(self) -> None:
        """Make more of the answer, as much as is sent at a time."""
        assert self._records is not None
        for record in self._records:
            self._put({"record": record})
            self._count += 1
            if len(self._out) >= CHUNK:
                return
        self._records = None
        self._put({"done": self._count})

    def _fail(self, error: ScmictlError) -> None:
        self._put({"error": {"name": error.name, "message": error.message, "hint": error.hint}})

    def _put(self, line: dict[str, Any]) -> None:
        self._out += json.dumps(line, separators=(",", ":")).encode() + b"\n"


def _request(line: bytes) -> dict[str, Any]:
    """Return the request in a line; raises UsageError if it is none."""
    try:
        found = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise _no_request() from error
    if not isinstance(found, dict):
        raise UsageError(f"found {ask.brief(found)}, expected an object on each line")
    return found


def _no_request() -> UsageError:
    return UsageError(
        "found no JSON, expected a request on each line",
        hint="agents connect to the vhost-user socket, not to this one",
    )
