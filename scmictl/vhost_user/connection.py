"""One vhost-user message at a time over one Unix stream socket, with the descriptors it carries.

Theory of operation
-------------------
A message is a 12-byte header and a payload; its descriptors ride on the first byte. The sender
puts all of it into one ``sendmsg``. The receiver never asks the socket for more bytes than the
message at hand still lacks, so a message's descriptors cannot be mixed up with the next one's.

``read(now, check)`` takes what is there and returns a Message once it is whole, else None; what
is there of it is kept. ``check`` judges the header before the payload is waited for. From the
first byte on a message has ``half_message`` seconds to become whole (``deadline``): a peer that
sends half of one and falls silent breaks the protocol, it does not block us. ``receive`` is
``read`` with waiting.

Who owns descriptors: a Message owns what it brought until ``take``; the Connection owns those of
a message that is not whole yet, and its socket. Descriptors are close-on-exec. Those to be sent
stay the caller's.

The peer hanging up between two messages is a ConnectionError (in the middle of one it is a
RemoteProtocolError), waiting in vain a TimeoutError: frontend and backend, which know what that
means, turn both into words. After anything raised here the connection must be closed.
"""

from __future__ import annotations

import array
import errno
import math
import os
import select
import socket
import time
from collections.abc import Callable, Sequence

from scmictl.errors import Interrupted, RemoteProtocolError, TransportError
from scmictl.vhost_user import messages
from scmictl.vhost_user.messages import Header

#: Descriptors accepted with one message. Memory tables have at most 8 by the specification.
MAX_FDS = 32

_INT = array.array("i").itemsize


class Message:
    """A message as it was received. It owns its descriptors: ``take`` them or ``close`` it."""

    __slots__ = ("_fds", "flags", "payload", "request")

    def __init__(self, request: int, flags: int, payload: bytes, fds: list[int]) -> None:
        self.request = request
        self.flags = flags
        self.payload = payload
        self._fds = fds

    @property
    def fds(self) -> int:
        """How many descriptors are left to take."""
        return len(self._fds)

    def take(self) -> list[int]:
        """Hand the descriptors over to the caller, in the order of the message."""
        fds, self._fds = self._fds, []
        return fds

    def close(self) -> None:
        """Close the descriptors that nobody took."""
        close_all(self.take())


class Connection:
    """One end of a connected Unix stream socket, which it owns."""

    def __init__(
        self, sock: socket.socket, *, half_message: float = 5.0, wake: int | None = None
    ) -> None:
        """``wake``: a descriptor (the caller's) that ends every wait when it becomes readable."""
        sock.setblocking(False)
        self._socket = sock
        #: Seconds in which a message that has begun must be whole.
        self.half_message = half_message
        self._wake = wake
        self._room = socket.CMSG_SPACE(MAX_FDS * _INT)
        self._header: Header | None = None
        self._data = bytearray()
        self._fds: list[int] = []
        #: When the message that has begun must be whole, in seconds of the caller's ``now``.
        self.deadline: float | None = None

    def fileno(self) -> int:
        """The socket, for poll; -1 once closed."""
        return self._socket.fileno()

    def close(self) -> None:
        """Close the socket and every descriptor received but not handed out. Idempotent."""
        self._forget()
        self._socket.close()

    def send(
        self,
        request: int,
        payload: bytes = b"",
        *,
        flags: int = messages.VERSION,
        fds: Sequence[int] = (),
        deadline: float | None = None,
    ) -> None:
        """Send one message; ``fds`` stay the caller's.

        Waits until ``deadline`` (time.monotonic) for room in the socket, not at all if None.
        Raises ConnectionError if the peer is gone, TimeoutError if there was no room in time.
        """
        data = messages.pack(request, payload, flags)
        ancillary = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", fds))] if fds else []
        while data:
            try:
                sent = self._socket.sendmsg([data], ancillary, socket.MSG_NOSIGNAL)
            except BlockingIOError:
                self._wait(select.POLLOUT, deadline)
                continue
            data = data[sent:]
            ancillary = []

    def receive(self, check: Callable[[Header], None], deadline: float) -> Message:
        """Wait for a whole message until ``deadline`` (time.monotonic).

        Raises TimeoutError if nothing came, and otherwise what ``read`` raises.
        """
        while True:
            message = self.read(time.monotonic(), check)
            if message is not None:
                return message
            if self.deadline is None:
                self._wait(select.POLLIN, deadline)
                continue
            # A message that has begun has its own deadline; read() knows what to say about it.
            try:
                self._wait(select.POLLIN, self.deadline)
            except TimeoutError:
                pass

    def read(self, now: float, check: Callable[[Header], None]) -> Message | None:
        """Take what is there; return the message if that makes it whole. Never blocks.

        ``check`` is called with each header and raises if it will not do. Raises
        ConnectionError if the peer hung up between messages; RemoteProtocolError if it hung up
        or fell silent inside one, or if descriptors came anywhere but with its first byte, or
        more than MAX_FDS of them; TransportError if this process may have no more of them.
        """
        try:
            while True:
                if self._header is None and len(self._data) == messages.HEADER_SIZE:
                    self._header = messages.unpack_header(self._data)
                    check(self._header)
                if self._header is not None and self._lacking == 0:
                    return self._whole(self._header)
                data = self._chunk(self._lacking)
                if data is None:
                    break
                if not self._data:
                    self.deadline = now + self.half_message
                self._data += data
            if self.deadline is not None and now >= self.deadline:
                raise RemoteProtocolError(
                    f"{self._found()} and then nothing for {self.half_message:g} s"
                )
        except BaseException:
            self._forget()
            raise
        return None

    def idle(self) -> bool:
        """Is nothing waiting to be read? Never blocks and takes nothing from the socket.

        Raises ConnectionError if the peer hung up.
        """
        try:
            waiting = self._socket.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT)
        except BlockingIOError:
            return True
        if not waiting:
            raise ConnectionResetError(errno.ECONNRESET, "the peer hung up")
        return False

    @property
    def _lacking(self) -> int:
        size = 0 if self._header is None else self._header.size
        return messages.HEADER_SIZE + size - len(self._data)

    def _chunk(self, size: int) -> bytes | None:
        """Up to ``size`` bytes of the message at hand, or None if there are none now."""
        ask = socket.MSG_DONTWAIT | socket.MSG_CMSG_CLOEXEC
        try:
            data, ancillary, flags, _ = self._socket.recvmsg(size, self._room, ask)
        except BlockingIOError:
            return None
        except ConnectionError:
            # A peer that closes with something of ours unread resets the connection.
            data, ancillary, flags = b"", [], 0
        fds = array.array("i")
        for level, kind, value in ancillary:
            if level == socket.SOL_SOCKET and kind == socket.SCM_RIGHTS:
                fds.frombytes(value[: len(value) - len(value) % _INT])
        first = not self._data
        self._fds += fds
        if flags & socket.MSG_CTRUNC:
            if len(fds) >= MAX_FDS:
                raise RemoteProtocolError(
                    f"more than {MAX_FDS} file descriptors found with one message,"
                    f" expected at most {MAX_FDS}"
                )
            raise TransportError(
                "file descriptors of a message were lost: this process may open no more",
                hint="see ulimit -n",
            )
        if fds and not first:
            raise RemoteProtocolError(
                f"{self._found()}, then file descriptors, expected them with the first byte"
            )
        if not data:
            if first:
                raise ConnectionResetError(errno.ECONNRESET, "the peer hung up")
            raise RemoteProtocolError(f"{self._found()} and then the end of the connection")
        return data

    def _whole(self, header: Header) -> Message:
        payload = bytes(self._data[messages.HEADER_SIZE :])
        fds, self._fds = self._fds, []
        self._forget()
        return Message(header.request, header.flags, payload, fds)

    def _forget(self) -> None:
        close_all(self._fds)
        self._fds = []
        self._header = None
        self._data.clear()
        self.deadline = None

    def _found(self) -> str:
        if self._header is None:
            return f"{len(self._data)} of {messages.HEADER_SIZE} header bytes"
        return (
            f"{messages.name(self._header.request)}:"
            f" {len(self._data) - messages.HEADER_SIZE} of {self._header.size} payload bytes"
        )

    def _wait(self, events: int, deadline: float | None) -> None:
        left = 0.0 if deadline is None else deadline - time.monotonic()
        if not _poll(self.fileno(), events, left, self._wake):
            raise TimeoutError


def pause(seconds: float, wake: int | None) -> None:
    """Do nothing for ``seconds``. Raises Interrupted if ``wake`` is or becomes readable."""
    _poll(None, 0, seconds, wake)


def close_all(fds: Sequence[int]) -> None:
    """Close each of ``fds``."""
    for fd in fds:
        os.close(fd)


def _poll(fd: int | None, events: int, seconds: float, wake: int | None) -> bool:
    """Wait for ``events`` on ``fd``; False if there were none in time.

    Raises Interrupted if ``wake`` is readable, which is left as it is: its owner clears it.
    """
    poll = select.poll()
    if fd is not None:
        poll.register(fd, events)
    if wake is not None:
        poll.register(wake, select.POLLIN)
    # Rounded up: poll counts milliseconds, and waking early would make the caller spin. It takes
    # no more than some 24 days, which stand for any longer time.
    ready = poll.poll(math.ceil(1000 * min(max(seconds, 0.0), 2e6)))
    if any(found == wake for found, _ in ready):
        raise Interrupted()
    return bool(ready)
