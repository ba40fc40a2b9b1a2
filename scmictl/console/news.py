"""What happens while nobody asks: runs the connections during a prompt and prints above it.

Theory of operation. Each prompt has an event loop of its own. :meth:`News.arm` is called when it
starts: it watches every connection's descriptor and deadline there, and replaces stdout and stderr,
so that whatever is printed (a line of --trace, say) goes above the prompt. :meth:`News.disarm` is
called when the prompt is over; the loop has closed by then and forgotten its readers.

Of the connections only ``dispatch`` is called, which never blocks. One that is lost is closed and
replaced by a context that says so, until somebody connects anew.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable
from typing import Any, TextIO

from prompt_toolkit.application import get_app

from scmictl.agent import Agent, Event, Incident, Reconnected, Transfer
from scmictl.commands.context import Context
from scmictl.console import incident, report
from scmictl.console.above import Above
from scmictl.console.knowledge import Knowledge, Learner
from scmictl.console.session import Session
from scmictl.console.terminal import safe
from scmictl.errors import (
    DeviceGone,
    RemoteProtocolError,
    ScmictlError,
    TransportError,
)

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
        self._above = Above(session.environment.stdout)
        self._real: tuple[TextIO, TextIO] | None = None

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
        # Not to stdout: a command that runs may have that in a pipe.
        self._above.add(text + "\n")

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
        environment.stdout = self._above.stream(environment.stdout)
        environment.stderr = self._above.stream(environment.stderr)
        self._above.arm()
        self.look()
        for connection in list(self.connections.values()):
            self._attend(connection)

    def disarm(self) -> None:
        """Forget the loop, which is over, and print what is left where it belongs."""
        for connection in self.connections.values():
            connection.watched = connection.fd = connection.timer = None
        self._loop = self._settled = None
        if self._real is not None:
            environment = self.session.environment
            environment.stdout, environment.stderr = self._real
            self._real = None
        self._above.disarm()

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

    def _attend(self, connection: Connection) -> None:
        """Dispatch a connection and wait for what comes next of it; a bug ends the prompt."""
        try:
            if self._loop is not None and self._dispatch(connection):
                self._watch(connection)
        except Exception as error:
            self.fault = error
            if not get_app().is_done:
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
            where = safe(connection.uri)
            self._above.add(f"{where}: the connection is lost, and is being tried again\n")
        connection.told = gone

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
