"""Lines of a file or of standard input, in bounded memory, read so that a signal can end it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import NamedTuple

from scmictl import values
from scmictl.agent import Interrupt, Waiter
from scmictl.errors import UsageError

CHUNK = 65_536
LONGEST_LINE = 0x80000
"""Characters of a line: a frame of 64 KiB fits, however it is written down."""
_STDIN = 0
_MARK = "\ufeff"
"""What some editors put in front of a text in UTF-8."""


class Line(NamedTuple):
    """One line, without its end. ``whole`` is False where it was longer than it may be."""

    number: int
    text: str
    whole: bool = True


class Source:
    """A file that is open for reading, or standard input for the name ``-``; a context manager.

    Everything raises UsageError for what cannot be read, Interrupted when somebody wants to stop
    and TransferTimeout at the ``deadline``. Text is taken as UTF-8; what is not UTF-8 stands there
    as a replacement character.
    """

    def __init__(
        self, name: str, interrupt: Interrupt | None = None, deadline: float | None = None
    ) -> None:
        self.title = "standard input" if name == "-" else values.shown(name)
        self._waiter = Waiter(interrupt, deadline)
        self._data = b""
        self._ended = False
        self._own = name != "-"
        try:
            self._fd = os.open(name, os.O_RDONLY | os.O_CLOEXEC) if self._own else _STDIN
        except (OSError, ValueError) as error:
            raise self._unreadable(error) from error

    def beginning(self, size: int) -> bytes:
        """Return what comes first, ``size`` bytes unless there are fewer; it is kept for `lines`.

        Of what comes bit by bit, as from a pipe, the first line is enough.
        """
        while len(self._data) < size and b"\n" not in self._data and not self._ended:
            self._data += self._more()
        return self._data[:size]

    def everything(self, limit: int) -> bytes:
        """Return all there is, but no more than ``limit`` + 1 bytes."""
        while len(self._data) <= limit and not self._ended:
            self._data += self._more()
        return self._data[: limit + 1]

    def lines(self) -> Iterator[Line]:
        """Yield the lines as they come."""
        number = 0
        rest, self._data = self._data, b""
        skipping = False
        while rest or not self._ended:
            *ready, rest = rest.split(b"\n")
            for raw in ready:
                if skipping:
                    skipping = False  # that was the end of the long one
                    continue
                number += 1
                yield _line(number, raw)
            if len(rest) > LONGEST_LINE:
                if not skipping:
                    number += 1
                    yield _line(number, rest)
                    skipping = True
                rest = b""
            if not self._ended:
                rest += self._more()
            elif rest:
                if not skipping:
                    yield _line(number + 1, rest)
                return

    def _more(self) -> bytes:
        self._waiter.wait(self._fd, None)
        self._waiter.check(self._waiter.now())
        try:
            data = os.read(self._fd, CHUNK)
        except BlockingIOError:
            return b""  # somebody has made it non-blocking, and a signal woke us
        except OSError as error:
            raise self._unreadable(error) from error
        self._ended = not data
        return data

    def _unreadable(self, error: Exception) -> UsageError:
        reason = error.strerror if isinstance(error, OSError) else str(error)
        return UsageError(f"cannot read {self.title}: {reason}")

    def __enter__(self) -> Source:
        return self

    def __exit__(self, *_: object) -> None:
        if self._own:
            os.close(self._fd)


def _line(number: int, raw: bytes) -> Line:
    whole = len(raw) <= LONGEST_LINE
    text = raw[:LONGEST_LINE].decode("utf-8", "replace")
    if number == 1:
        text = text.removeprefix(_MARK)
    return Line(number, text.removesuffix("\r"), whole)
