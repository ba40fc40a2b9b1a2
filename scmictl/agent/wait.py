"""Waiting: the only place where an agent spends time, and where Ctrl-C is noticed.

A signal never raises inside the engine. Its handler calls :meth:`Interrupt.set`, which sets a flag
and makes a descriptor readable; a :class:`Waiter` polls that descriptor beside the transport's, and
the agent raises ``Interrupted`` where its own state is whole. Between a look at the flag and the
poll a signal can come whose handler has not run yet, so the interpreter has to write to the
descriptor as well, at once: :meth:`Interrupt.waker` is for ``signal.set_wakeup_fd``.
"""

from __future__ import annotations

import os
import select
import time
from collections.abc import Iterator
from contextlib import contextmanager

from scmictl.errors import Interrupted, TransferTimeout

SPIN_S = 50e-6
"""How long to look at the queues before blocking, where another CPU may answer meanwhile."""

LONGEST_S = 1e6
"""The longest single wait: poll takes no more than some 24 days."""

GIVE_UP_S = 1.0
"""A second interrupt within this time means: do not even clean up."""


class Interrupt:
    """A request to stop, safe to set from a signal handler."""

    def __init__(self) -> None:
        self.pending = False
        self.give_up = False
        self.exit_code = 130
        self.raises = False
        """Whether :meth:`set` raises Interrupted by itself; see :func:`at_once`."""
        self._last = float("-inf")
        self._read, self._write = os.pipe()
        os.set_blocking(self._read, False)
        os.set_blocking(self._write, False)

    def fileno(self) -> int:
        return self._read

    def waker(self) -> int:
        """Return the descriptor that makes :meth:`fileno` readable when it is written to."""
        return self._write

    def set(self, exit_code: int = 130) -> None:
        """Ask to stop; the second call within a second also sets ``give_up``.

        Raises Interrupted inside :func:`at_once`.
        """
        now = time.monotonic()
        self.give_up = now - self._last < GIVE_UP_S
        self._last = now
        self.pending = True
        self.exit_code = exit_code
        self._wake()
        if self.raises:
            raise Interrupted(exit_code=exit_code)

    def clear(self) -> None:
        """Forget the request: it has been acted upon."""
        self.pending = False
        self.calm()

    def calm(self) -> None:
        """Make the descriptor quiet again if nobody has asked to stop."""
        try:
            while os.read(self._read, 64):
                pass
        except BlockingIOError:
            pass
        if self.pending:  # or somebody did just now
            self._wake()

    def _wake(self) -> None:
        try:
            os.write(self._write, b"!")
        except BlockingIOError:
            pass  # already readable

    def close(self) -> None:
        os.close(self._read)
        os.close(self._write)


@contextmanager
def at_once(interrupt: Interrupt | None) -> Iterator[None]:
    """Let a request to stop raise Interrupted wherever the program is just then.

    For work that takes long, never looks, and leaves nothing half done behind: a large board is
    read and checked for seconds. Never around anything that speaks to a device.
    """
    if interrupt is None:
        yield
        return
    interrupt.raises = True
    try:
        if interrupt.pending:
            raise Interrupted(exit_code=interrupt.exit_code)
        yield
    finally:
        interrupt.raises = False


class Waiter:
    """Real time and a real poll; a test passes an object with the same methods."""

    def __init__(self, interrupt: Interrupt | None = None, deadline: float | None = None) -> None:
        """``deadline``: monotonic seconds after which nothing is waited for any more."""
        self.interrupt = interrupt
        self.deadline = deadline
        self._spin_s = SPIN_S if _usable_cpus() > 1 else 0.0

    def now(self) -> float:
        """Return monotonic seconds."""
        return time.monotonic()

    def check(self, now: float) -> None:
        """Raise Interrupted if somebody asked to stop, TransferTimeout after ``deadline``."""
        if self.interrupt is not None and self.interrupt.pending:
            raise Interrupted(exit_code=self.interrupt.exit_code)
        if self.deadline is not None and now >= self.deadline:
            raise TransferTimeout("the deadline of the whole run has passed")

    def resume(self) -> bool:
        """Forget that somebody asked to stop, to clean up; False if even that is not wanted."""
        self.deadline = None
        if self.interrupt is not None and self.interrupt.pending:
            if self.interrupt.give_up:
                return False
            self.interrupt.clear()
        return True

    def spin(self) -> float:
        """Return how many seconds to look at the queues before a :meth:`wait`."""
        return self._spin_s

    def wait(self, fileno: int | None, until: float | None) -> None:
        """Block until ``fileno`` is readable, ``until`` has come or somebody interrupts."""
        poller = select.poll()
        if fileno is not None:
            poller.register(fileno, select.POLLIN)
        if self.interrupt is not None:
            poller.register(self.interrupt.fileno(), select.POLLIN)
        if self.deadline is not None:
            until = self.deadline if until is None else min(until, self.deadline)
        timeout = None
        if until is not None:
            # Rounded up, so that nobody wakes a moment early and spins until the deadline.
            left = min(until - time.monotonic(), LONGEST_S)
            timeout = int(left * 1000) + 1 if left > 0 else 0
        ready = poller.poll(timeout)
        if self.interrupt is not None and any(fd == self.interrupt.fileno() for fd, _ in ready):
            # Some other signal, whose handler asks nobody to stop, must not keep us awake.
            self.interrupt.calm()


def _usable_cpus() -> int:
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:  # not Linux
        return os.cpu_count() or 1
