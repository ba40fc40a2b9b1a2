"""A transport around another one that shows every frame to somebody, in both directions.

Decoding is left to who looks: a capture knows bytes, direction, queue and time.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import NamedTuple

from scmictl.transport.base import COMMANDS, Received, Transport


class Frame(NamedTuple):
    """One frame that went by; ``time`` is monotonic seconds."""

    data: bytes
    outgoing: bool
    queue: int
    time: float


class Capture:
    """Passes everything through to ``inner``, which it owns, and to ``sink``."""

    def __init__(self, inner: Transport, sink: Callable[[Frame], None]) -> None:
        self.inner = inner
        self.sink = sink
        self.link = inner.link

    def send(self, frame: bytes, cookie: int) -> bool:
        sent = self.inner.send(frame, cookie)
        if sent:
            self.sink(Frame(frame, True, COMMANDS, time.monotonic()))
        return sent

    def dispatch(self, now: float) -> list[Received]:
        received = self.inner.dispatch(now)
        if received:
            # The time of the dispatch is older than what it sent and received.
            came = time.monotonic()
            for frame in received:
                self.sink(Frame(frame.data, False, frame.queue, came))
        return received

    def fileno(self) -> int | None:
        return self.inner.fileno()

    def next_deadline(self) -> float | None:
        return self.inner.next_deadline()

    def close(self) -> None:
        self.inner.close()
