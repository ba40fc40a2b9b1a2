"""Printing above a prompt: text is collected, and goes out a few times a second.

Theory of operation. Between :meth:`Above.arm` and :meth:`Above.disarm` a prompt is on the terminal,
and its event loop runs. Text then waits for the next flush, for which the prompt is taken away and
drawn again: that is too slow to do for every line. Outside, text is printed at once.
"""

from __future__ import annotations

import asyncio
import io
import time
from collections import deque
from typing import TextIO, cast

from prompt_toolkit.application import run_in_terminal

from scmictl.console.terminal import write
from scmictl.errors import OutputError

FLUSHES = 20
"""How often a second the prompt is drawn anew for what is printed above it."""
PIECES = 500
"""Pieces of text, of a line each as a rule, printed at once; of more the oldest are left out."""


class Above:
    """Prints on ``terminal``, above the prompt if there is one."""

    def __init__(self, terminal: TextIO) -> None:
        self._terminal = terminal
        self._loop: asyncio.AbstractEventLoop | None = None
        self._pieces: deque[str] = deque()
        self._left_out = 0
        self._flushing = False
        self._last_flush = 0.0

    def arm(self) -> None:
        """Begin to collect, in the loop that runs."""
        self._loop = asyncio.get_running_loop()

    def disarm(self) -> None:
        """Print what is left, now that the prompt and its loop are over."""
        self._loop = None
        self._flushing = False
        self._print(self._take(whole=False))

    def stream(self, real: TextIO) -> TextIO:
        """Return a stream like ``real`` whose text goes above the prompt."""
        return cast("TextIO", _Stream(self, real))

    def add(self, text: str) -> None:
        """Print a piece of text, as soon as its line is complete."""
        if self._loop is None:
            self._print(text)
            return
        self._pieces.append(text)
        if len(self._pieces) > PIECES:
            self._pieces.popleft()
            self._left_out += 1
        self._schedule()

    def _schedule(self) -> None:
        if self._loop is not None and not self._flushing:
            self._flushing = True
            self._loop.call_at(self._last_flush + 1 / FLUSHES, self._flush)

    def _flush(self) -> None:
        """Print what has been collected, with the prompt out of the way for a moment."""
        if self._loop is None:
            return

        def show() -> None:
            self._last_flush = time.monotonic()
            self._print(self._take())

        def done(_: object) -> None:
            self._flushing = False
            if any("\n" in piece for piece in self._pieces):
                self._schedule()

        asyncio.ensure_future(run_in_terminal(show)).add_done_callback(done)

    def _take(self, *, whole: bool = True) -> str:
        """Return what has been collected; ``whole`` leaves a line that is not complete yet."""
        text = "".join(self._pieces)
        self._pieces.clear()
        if whole:
            text, end, rest = text.rpartition("\n")
            text += end
            if rest:
                self._pieces.append(rest)
        if self._left_out:
            text = f"… {self._left_out} lines left out\n{text}"
            self._left_out = 0
        return text

    def _print(self, text: str) -> None:
        try:
            write(self._terminal, text, flush=True)
        except (OutputError, BrokenPipeError):
            pass  # the terminal has gone, and the prompt will notice


class _Stream(io.TextIOBase):
    """What stands for stdout and stderr while a prompt is on the terminal."""

    def __init__(self, above: Above, real: TextIO) -> None:
        self._above = above
        self._real = real

    @property
    def encoding(self) -> str:  # type: ignore[override]  # a property here, a slot there
        return self._real.encoding

    def isatty(self) -> bool:
        return self._real.isatty()

    def fileno(self) -> int:
        return self._real.fileno()

    def write(self, text: str, /) -> int:
        self._above.add(text)
        return len(text)
