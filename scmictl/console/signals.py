"""Ctrl-C and SIGTERM: turned into a flag the engine looks at, never raised inside it."""

from __future__ import annotations

import os
import signal
from types import FrameType

from scmictl.agent import Interrupt


def install(interrupt: Interrupt) -> None:
    """Let SIGINT and SIGTERM set ``interrupt``; a third within a second ends the process.

    Whoever takes signals for a while (a prompt with its event loop does) calls this again after.

    SIGPIPE stays ignored, as Python has it: a closed stdout is noticed where it is written to.
    """

    def on_signal(number: int, _: FrameType | None) -> None:
        code = 128 + number
        if interrupt.pending and interrupt.give_up:
            os._exit(code)
        interrupt.set(code)

    # The handler runs between two steps of the interpreter, which may be about to sleep.
    signal.set_wakeup_fd(interrupt.waker(), warn_on_full_buffer=False)
    signal.signal(signal.SIGINT, on_signal)
    signal.signal(signal.SIGTERM, on_signal)
