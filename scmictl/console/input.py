"""Standard input, read so that a signal can end it: reading alone is not ended by Ctrl-C."""

from __future__ import annotations

import os
from typing import TextIO

from scmictl.agent import Waiter
from scmictl.errors import UsageError

CHUNK = 65_536


class Input:
    """Reads ``stream`` as UTF-8, waiting with ``waiter``; nobody else may read it any more.

    Every read raises what the waiter does (Interrupted, TransferTimeout at the run's deadline), and
    UsageError for what is not text. A stream without a descriptor is read as it is.
    """

    def __init__(self, stream: TextIO, waiter: Waiter) -> None:
        self._stream = stream
        self._waiter = waiter
        self._data = b""
        self._ended = False
        try:
            self._fd = stream.fileno()
        except (OSError, ValueError):
            self._fd = -1

    def read(self) -> str:
        """Return everything up to the end."""
        if self._fd < 0:
            return self._stream.read()
        parts = [self._data]
        while not self._ended:
            parts.append(self._more())
        self._data = b""
        return _text(b"".join(parts))

    def readline(self) -> str:
        """Return the next line with its end; without one only the last line is, "" the end."""
        if self._fd < 0:
            return self._stream.readline()
        while b"\n" not in self._data and not self._ended:
            self._data += self._more()
        line, end, self._data = self._data.partition(b"\n")
        return _text(line + end)

    def _more(self) -> bytes:
        self._waiter.wait(self._fd, None)
        self._waiter.check(self._waiter.now())
        try:
            data = os.read(self._fd, CHUNK)
        except BlockingIOError:
            return b""  # somebody has made it non-blocking, and a signal woke us
        except OSError as error:
            raise UsageError(f"cannot read standard input: {error.strerror}") from error
        self._ended = not data
        return data


def _text(data: bytes) -> str:
    try:
        return data.decode().replace("\r\n", "\n")
    except UnicodeDecodeError as error:
        raise UsageError(f"cannot read standard input: not UTF-8 ({error.reason})") from error
