"""What happens while nobody asks: runs the connections during a prompt and prints above it.

Theory of operation. Each prompt has an event loop of its own. :meth:`News.arm` is called when it
starts: it watches every connection's descriptor and deadline there, and puts :class:`Above` in the
place of stdout and stderr, so that whatever is printed (a notification, a line of --trace) is
collected and goes above the prompt, at most :data:`FLUSHES` times a second. :meth:`News.disarm` is
called when the prompt is over; the loop has closed by then and forgotten its readers.

Of the connections only ``dispatch`` is called, which never blocks. One that is lost is closed and
replaced by a context that says so, until somebody connects anew.
"""

from __future__ import annotations

import asyncio
import io
import time
from collections import deque
from collections.abc import Iterable
from typing import Any, TextIO, cast

from prompt_toolkit.application import get_app, run_in_terminal

from scmictl.agent import Agent, Event, Incident, Reconnected, Transfer
from scmictl.commands.context import Context
from scmictl.console import incident, report
from scmictl.console.knowledge import Knowledge, Learner
from scmictl.console.session import Session
from scmictl.console.terminal import safe, write
from scmictl.errors import (
    DeviceGone,
    OutputError,
    RemoteProtocolError,
    ScmictlError,
    TransportError,
)

FLUSHES = 20
"""How often a second the prompt is drawn anew for what is printed above it."""
LINES = 500
"""Lines printed at once; of a flood the rest is left out, and counted."""
ROUNDS = 64
"""How often a connection is dispatched before others (and keys) have their turn."""


class Connection:
    """One connection in the shell: what is known of it, and what watches it in the loop.

    ``greeted`` tells whether versions and the agent's own name have been asked for.
    """

    def __init__(self, uri: str, context: Context) -> None:
        self.uri = uri
        self.context = context
        self.knowledge = Knowledge()
        self.learner = Learner(context.agent, self.knowledge)
        self.greeted = False
        self.agent_name: str | None = None
        self.watched: object = None
        """The transport whose descriptor is in the loop: after a reconnection it is another."""
        self.fd: int | None = None
        self.timer: asyncio.Handle | None = None
        self.told = False
        """Whether it has been said that the connection is lost, and being tried again."""
        self._trims = self.agent.timings is None
        if self._trims:
            self.agent.timings = []

    @property
    def agent(self) -> Agent:
        return self.context.agent

    @property
    def latency(self) -> float | None:
        """Seconds that the last answered message took."""
        return self.agent.timings[-1].latency if self.agent.timings else None

    def trim(self) -> None:
        """Forget all timings but the last, unless somebody else collects them."""
        if self._trims and self.agent.timings:
            del self.agent.timings[:-1]


class News:
    """Attends the connections of ``session`` while no command runs.

    ``unread`` counts the notifications since :meth:`read`; ``fault`` is a bug that ended a prompt.
    """

    def __init__(self, session: Session) -> None:
        self.session = session
        self.connections: dict[str, Connection] = {}
        self.lost: dict[str, ScmictlError] = {}
        self.unread = 0
        self.fault: Exception | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._settled: asyncio.Event | None = None
        self._texts: deque[str] = deque()
        self._left_out = 0
        self._flushing = False
        self._last_flush = 0.0
        self._real: tuple[TextIO, TextIO] | None = None
        self._terminal = session.environment.stdout

    # -- connections -------------------------------------------------------------------------

    def look(self) -> None:
        """Notice which connections there are, and which have gone."""
        contexts = self.session.contexts
        for uri, context in contexts.items():
            known = self.connections.get(uri)
            if context.connected and (known is None or known.agent is not context.agent):
                self.connections[uri] = Connection(uri, context)
                self.lost.pop(uri, None)
        for uri in list(self.connections):
            if uri not in contexts or not contexts[uri].connected:
                del self.connections[uri]
            else:
                self.connections[uri].trim()

    def collect(self) -> None:
        """Take what has come on every connection, outside of a loop."""
        self.look()
        for connection in list(self.connections.values()):
            self._dispatch(connection)

    def check(self, error: ScmictlError) -> None:
        """Give up the connections that ``error``, which has been told, was the end of."""
        if not isinstance(error, TransportError | RemoteProtocolError):
            return
        self.look()
        for uri, connection in list(self.connections.items()):
            try:
                self.take(connection.context, connection.agent.dispatch(time.monotonic()))
            except ScmictlError as found:
                self.drop(uri, found, say=found.message != error.message)

    def take(self, context: Context, happened: Iterable[Transfer[Any] | Incident]) -> None:
        """Print what happened on a connection."""
        uri = next((u for u, c in self.session.contexts.items() if c is context), "")
        for one in happened:
            if not isinstance(one, Transfer):
                self.show(uri, context, one)

    def show(self, uri: str, context: Context, one: Incident) -> None:
        """Print one incident."""
        if isinstance(one, Event):
            self.unread += 1
        if isinstance(one, Reconnected) and uri in self.connections:
            self.connections[uri].greeted = False
            self.connections[uri].learner.forget()
        elsewhere = "" if context is self.session.context() else uri
        text = incident.line(one, context.agent, self.session.view(), target=elsewhere)
        self._say(text + "\n")

    def read(self) -> None:
        """Begin to count unread notifications anew."""
        self.unread = 0

    def drop(self, uri: str, error: ScmictlError, *, say: bool = True) -> None:
        """Give a connection up: whoever uses it hears why, until it is made anew."""
        context = self.session.contexts.get(uri)
        if context is None or not context.connected:
            return
        hint = "`use` connects again"
        gone = error if isinstance(error, DeviceGone) else DeviceGone(error.message)
        gone.hint = f"{gone.hint}; {hint}" if gone.hint else hint
        if say:
            report.error(gone, self.session.view(), self.session.environment)
        context.agent.close()
        self.connections.pop(uri, None)
        self.lost[uri] = gone

        def refuse() -> Agent:
            raise gone

        self.session.contexts[uri] = Context(
            refuse, notice=self.session.notice, said=self.session.said
        )

    # -- in the loop of a prompt -------------------------------------------------------------

    def arm(self) -> None:
        """Attend the connections in the running loop, until :meth:`disarm`."""
        self._loop = asyncio.get_running_loop()
        self._settled = asyncio.Event()
        environment = self.session.environment
        self._real = (environment.stdout, environment.stderr)
        environment.stdout = cast("TextIO", Above(self, environment.stdout))
        environment.stderr = cast("TextIO", Above(self, environment.stderr))
        self.look()
        for connection in list(self.connections.values()):
            self._attend(connection)
        if self._texts:
            self._schedule_flush()

    def disarm(self) -> None:
        """Forget the loop, which is over, and print what is left where it belongs."""
        for connection in self.connections.values():
            connection.watched = connection.fd = connection.timer = None
        self._loop = self._settled = None
        self._flushing = False
        if self._real is not None:
            environment = self.session.environment
            environment.stdout, environment.stderr = self._real
            self._real = None
            _print(environment.stdout, self._take_texts(whole=False))

    def want(self, uri: str, kinds: Iterable[str]) -> bool:
        """Begin to learn the names of these kinds; return whether something is on its way.

        Where messages are traced or counted, none is sent that nobody asked for.
        """
        connection = self.connections.get(uri)
        if connection is None or self._settled is None:
            return False
        connection.learner.recall(kinds)
        settings = self.session.settings()
        if settings.get("trace") or settings.get("stats"):
            return False
        connection.learner.want(kinds)
        if connection.learner.busy:
            self._settled.clear()
            self._attend(connection)
        return connection.learner.busy

    async def settle(self, seconds: float) -> None:
        """Wait until what is wanted has been learnt, for so long at most; keys are not held up."""
        if self._settled is not None:
            try:
                await asyncio.wait_for(self._settled.wait(), seconds)
            except TimeoutError:
                pass  # then with what there is

    def add(self, text: str) -> None:
        """Take a piece of text to print above the prompt."""
        self._texts.append(text)
        if len(self._texts) > LINES:
            self._texts.popleft()
            self._left_out += 1
        self._schedule_flush()

    def _attend(self, connection: Connection) -> None:
        """Dispatch a connection and wait for what comes next of it; a bug ends the prompt."""
        try:
            if self._loop is not None and self._dispatch(connection):
                self._watch(connection)
        except Exception as error:
            self.fault = error
            get_app().exit(exception=EOFError())

    def _dispatch(self, connection: Connection) -> bool:
        """Run a connection until nothing more comes of it; False if it is lost."""
        agent = connection.agent
        quiet = rounds = 0
        changed = False
        try:
            # One round without anything is not enough: a device is asked for its next signal only
            # by a round that has found nothing at all, and not everything found is reported.
            while quiet < 2 and rounds < ROUNDS:
                happened = agent.dispatch(time.monotonic())
                self.take(connection.context, happened)
                self._tell(connection)
                learning = not agent.reconnecting and connection.learner.step()
                quiet = 0 if happened or learning else quiet + 1
                changed = changed or not quiet
                rounds += 1
        except ScmictlError as error:
            self._unwatch(connection)
            self.drop(connection.uri, error)
            self._changed()
            return False
        self.session.forget_frames()
        if changed:
            self._changed()
        return True

    def _tell(self, connection: Connection) -> None:
        """Say that a connection is lost, once, where the agent itself tries to get it back."""
        gone = connection.agent.reconnecting
        if gone and not connection.told:
            self._say(f"{safe(connection.uri)}: the connection is lost, and is being tried again\n")
        connection.told = gone

    def _say(self, text: str) -> None:
        """Print on the terminal: not on stdout, which a running command may have in a pipe."""
        if self._loop is not None:
            self.add(text)
        else:
            _print(self._terminal, text)

    def _changed(self) -> None:
        if self._loop is None:
            return
        if self._settled is not None and not any(c.learner.busy for c in self.connections.values()):
            self._settled.set()
        get_app().invalidate()

    def _watch(self, connection: Connection) -> None:
        """Have :meth:`_attend` called when the connection has something, or something is due."""
        loop = self._loop
        assert loop is not None
        agent = connection.agent
        fd = agent.fileno()
        if connection.watched is not agent.transport or connection.fd != fd:
            # The number alone does not tell: a new descriptor may have an old one's.
            self._unwatch(connection)
            if fd is not None:
                loop.add_reader(fd, self._attend, connection)
            connection.watched, connection.fd = agent.transport, fd
        if connection.timer is not None:
            connection.timer.cancel()
            connection.timer = None
        deadline = agent.next_deadline()
        if deadline is not None:
            # What is overdue already must not keep the keys waiting.
            when = max(deadline, loop.time() + 0.001)
            connection.timer = loop.call_at(when, self._attend, connection)

    def _unwatch(self, connection: Connection) -> None:
        if self._loop is not None and connection.fd is not None:
            self._loop.remove_reader(connection.fd)
        connection.watched = connection.fd = None

    # -- above the prompt --------------------------------------------------------------------

    def _schedule_flush(self) -> None:
        if self._loop is None or self._flushing:
            return
        self._flushing = True
        self._loop.call_at(self._last_flush + 1 / FLUSHES, self._flush)

    def _flush(self) -> None:
        """Print what has been collected, with the prompt out of the way for a moment."""
        if self._loop is None:
            return

        def show() -> None:
            self._last_flush = time.monotonic()
            _print(self._terminal, self._take_texts())

        def done(_: object) -> None:
            self._flushing = False
            if any("\n" in text for text in self._texts):
                self._schedule_flush()

        asyncio.ensure_future(run_in_terminal(show)).add_done_callback(done)

    def _take_texts(self, *, whole: bool = True) -> str:
        """Return what has been collected; ``whole`` leaves a line that is not complete yet."""
        text = "".join(self._texts)
        self._texts.clear()
        if whole:
            text, end, rest = text.rpartition("\n")
            text += end
            if rest:
                self._texts.append(rest)
        if self._left_out:
            text = f"… {self._left_out} lines left out\n{text}"
            self._left_out = 0
        return text


def _print(stream: TextIO, text: str) -> None:
    try:
        write(stream, text, flush=True)
    except (OutputError, BrokenPipeError):
        pass  # the terminal has gone, and the prompt will notice


class Above(io.TextIOBase):
    """A terminal stream whose text goes above the prompt."""

    def __init__(self, news: News, real: TextIO) -> None:
        self._news = news
        self._stream = real

    @property
    def encoding(self) -> str:  # type: ignore[override]  # a property here, a slot there
        return self._stream.encoding

    def isatty(self) -> bool:
        return self._stream.isatty()

    def fileno(self) -> int:
        return self._stream.fileno()

    def write(self, text: str, /) -> int:
        self._news.add(text)
        return len(text)
