"""Reading lines where there is no terminal, or one that can do nothing."""

from __future__ import annotations

from collections.abc import Callable

from scmictl.agent import Waiter
from scmictl.console.session import Session
from scmictl.console.terminal import write


class Plain:
    """Reads lines from stdin; ``message`` gives the prompt, for where somebody sees it."""

    def __init__(self, session: Session, message: Callable[[], str]) -> None:
        self.session = session
        self.message = message
        self.typed: list[str] = []

    def read(self) -> str:
        """Return the next line; raises EOFError at the end and KeyboardInterrupt for Ctrl-C."""
        environment = self.session.environment
        seen = environment.interactive
        if seen:
            write(environment.stderr, self.message(), flush=True)
            self._wait()
        line = environment.stdin.readline()
        if not line:
            if seen:
                write(environment.stderr, "\n", flush=True)
            raise EOFError
        if line.strip():
            self.typed.append(line.rstrip("\n"))
        return line

    def _wait(self) -> None:
        """Wait for a line or a signal: reading alone is not ended by Ctrl-C."""
        interrupt = self.session.interrupt
        if interrupt is None:
            return
        Waiter(interrupt).wait(self.session.environment.stdin.fileno(), None)
        if interrupt.pending:
            write(self.session.environment.stderr, "\n", flush=True)
            raise KeyboardInterrupt

    def entries(self) -> list[str]:
        """Return what was read so far, oldest first."""
        return self.typed
