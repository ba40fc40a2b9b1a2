"""The other end of a control socket: asks a served platform what is asked of one by hand.

Theory of operation. One request is under way at a time, and :meth:`Remote.ask` returns when its
answer is complete. A connection that the server has ended meanwhile is made anew when the next
request finds that out as it is sent, because then it has surely not been done; after that it is
never sent twice. What went wrong in the middle of an answer ends the connection for good.
"""

from __future__ import annotations

import json
import select
import socket
from collections.abc import Mapping
from typing import Any, Protocol

from scmictl.errors import (
    ConnectError,
    DeviceGone,
    RemoteProtocolError,
    TransferTimeout,
    UsageError,
)
from scmictl.vhost_user import address

Record = dict[str, Any]

LONGEST_LINE = 1 << 24
"""Bytes of one record: a clock may list ten thousand children."""
MOST_RECORDS = 1 << 20
_CHUNK = 1 << 18
_HINT = "start it: scmictl serve BOARD --socket PATH --control PATH"


class Waiting(Protocol):
    """How to spend time: what an agent waits with does it."""

    def now(self) -> float:
        """Return monotonic seconds."""

    def check(self, now: float) -> None:
        """Raise if somebody wants to stop."""

    def wait(self, fileno: int | None, until: float | None) -> None:
        """Block until the descriptor is readable or the time has come."""


class Remote:
    """A connection to the control socket at ``path``; ``timeout`` is for each part of an answer."""

    def __init__(self, path: str, *, waiting: Waiting, timeout: float = 1.0) -> None:
        """Connect; raises ConnectError."""
        address.check(path)
        self.path = path
        self.timeout = timeout
        self.waiting = waiting
        self._read = bytearray()
        self._socket = self._connect()

    def ask(self, request: Mapping[str, Any]) -> list[Record]:
        """Have the platform do what ``request`` says; return the records of its answer.

        Raises UsageError as the platform does, TransferTimeout, DeviceGone when the server has
        ended, RemoteProtocolError if the answer makes no sense, and Interrupted. After any but the
        first the connection must be closed.
        """
        line = json.dumps(request).encode() + b"\n"
        try:
            self._send(line)
        except ConnectionError:
            self.close()
            self._read.clear()
            self._socket = self._connect()
            try:
                self._send(line)
            except ConnectionError as error:
                raise self._gone() from error
        records: list[Record] = []
        while True:
            kind, value = self._answer()
            if kind == "record" and isinstance(value, dict) and len(records) < MOST_RECORDS:
                records.append(value)
            elif kind == "done":
                return records
            elif kind == "error" and isinstance(value, dict):
                hint = value.get("hint")
                raise UsageError(
                    str(value.get("message")), hint=hint if isinstance(hint, str) else None
                )
            else:
                raise self._nonsense()

    def close(self) -> None:
        """End the connection. Repeatable."""
        self._socket.close()

    def _connect(self) -> socket.socket:
        sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            sock.setblocking(False)
            sock.connect(self.path)
        except OSError as error:
            sock.close()
            found = address.unreachable(self.path, error)
            raise ConnectError(found.message, hint=_HINT) from error
        return sock

    def _send(self, data: bytes) -> None:
        until = self.waiting.now() + self.timeout
        while data:
            try:
                data = data[self._socket.send(data, socket.MSG_NOSIGNAL) :]
            except BlockingIOError:
                # It takes nothing: whatever there is to be read now is no answer of ours.
                self._pause(until, select.POLLOUT)

    def _pause(self, until: float, event: int) -> None:
        now = self.waiting.now()
        self.waiting.check(now)
        if now >= until:
            raise TransferTimeout(
                f"control:{self.path}: no answer within {self.timeout:g} s",
                hint="is it the control socket of scmictl serve? --timeout waits for longer",
            )
        if event == select.POLLIN:
            self.waiting.wait(self._socket.fileno(), until)
            return
        poller = select.poll()
        poller.register(self._socket, event)
        poller.poll(50)

    def _answer(self) -> tuple[str, Any]:
        """Return the next line of an answer: what it is, and its value."""
        line = self._line()
        try:
            found = json.loads(line)
        except (ValueError, RecursionError) as error:
            raise self._nonsense() from error
        if not isinstance(found, dict) or len(found) != 1:
            raise self._nonsense()
        ((kind, value),) = found.items()
        return str(kind), value

    def _line(self) -> bytes:
        until = self.waiting.now() + self.timeout
        searched = 0
        while (end := self._read.find(b"\n", searched)) < 0:
            searched = len(self._read)
            if searched > LONGEST_LINE:
                raise self._nonsense()
            try:
                data = self._socket.recv(_CHUNK)
            except BlockingIOError:
                self._pause(until, select.POLLIN)
                continue
            except ConnectionError as error:
                raise self._gone() from error
            if not data:
                raise self._gone()
            self._read += data
        line = bytes(self._read[:end])
        del self._read[: end + 1]
        return line

    def _gone(self) -> DeviceGone:
        return DeviceGone(
            f"control:{self.path}: the server hung up before it had answered",
            hint="a vhost-user socket is another one: see `scmictl serve --control`",
        )

    def _nonsense(self) -> RemoteProtocolError:
        return RemoteProtocolError(
            f"control:{self.path}: found an answer that makes no sense, expected lines of JSON",
            hint="is it the control socket of scmictl serve?",
        )
