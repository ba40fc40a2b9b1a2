"""The server: a simulated platform behind vhost-user sockets, one agent a socket.

Theory of operation. One thread, one poll loop. Every endpoint is a socket path and the agent that
whoever connects there is. While a frontend is attached the loop watches its control socket, the
kicks of its running rings and the platform's deadlines; when it leaves, its port is closed (the
agent's subscriptions end), and the next frontend in the queue of the socket is served. All ports
share one platform, so what one agent does is seen by the others.

Beside these there can be control sockets (:mod:`scmictl.device.control`), over which the platform
itself is changed; they are part of the same loop.

A frontend that breaks the rules of a ring loses that ring (and is told through its error
descriptor); one that breaks the control protocol loses the session. Neither ends the server.
"""

from __future__ import annotations

import select
import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from scmictl.device.pump import Pump
from scmictl.errors import QueueBroken, RemoteProtocolError, ScmictlError, TransportError
from scmictl.vhost_user.backend import Backend
from scmictl.vhost_user.connection import Connection
from scmictl.vhost_user.listener import Listener
from scmictl.vhost_user.ring import Ring

if TYPE_CHECKING:
    from scmictl.device.control import Control
    from scmictl.platform import Platform

ACCEPT_AGAIN_S = 1.0
"""Time before the next try to accept a frontend when there was no descriptor left for it."""
ROUNDS = 8
"""How often in a row one frontend is served before the others get their turn."""
LONGEST_S = 1e6
"""The longest single wait: poll takes no more than some 24 days."""
PATIENCE_S = 0.01
"""How long a delayed response waits for the driver to take the response before it."""
POLLED_S = 0.001
"""How often to look at a ring whose driver gives no kicks."""


class Endpoint:
    """One socket and the agent behind it; ``name`` is what the log calls it."""

    def __init__(
        self,
        platform: Platform,
        path: str,
        *,
        agent: str | None,
        mode: int,
        events: bool,
        readonly: bool,
    ) -> None:
        self.platform = platform
        self.agent = agent
        self.events = events
        self.readonly = readonly
        self.listener = Listener(path, mode=mode)
        self.session: Session | None = None
        self.accept_at = 0.0
        """When to accept again, after this process had no descriptor left to do it."""

    @property
    def path(self) -> str:
        return self.listener.path

    def close(self) -> None:
        if self.session is not None:
            self.session.close()
            self.session = None
        self.listener.close()


class Session:
    """One attached frontend: its control connection, its rings, and the agent's port."""

    def __init__(self, endpoint: Endpoint, connection: Connection) -> None:
        self.endpoint = endpoint
        self.backend = Backend(connection, events=endpoint.events, on_stop=self._ring_stops)
        self.pump: Pump | None = None
        self.busy = False
        """There was still work when the last turn ended."""
        self.faults: list[str] = []
        """What the driver did wrong in its rings, for the log."""

    def close(self) -> None:
        if self.pump is not None:
            self.pump.close()
        self.backend.close()

    def receive(self, now: float) -> bool:
        """Take control messages; False when the frontend has left."""
        return self.backend.receive(now)

    def serve(self, now: float) -> bool:
        """Serve the running rings; True if there is more to do at once."""
        cmdq, eventq = self._running()
        if self.pump is None:
            if cmdq is None and eventq is None:
                return False
            # The agent arrives with its first ring: only then is it known whether it takes events.
            endpoint = self.endpoint
            port = endpoint.platform.attach(
                endpoint.agent, events=self.backend.events, readonly=endpoint.readonly
            )
            self.pump = Pump(port, patience=PATIENCE_S)
        self.backend.check_memory()
        try:
            signals = self.pump.process(
                cmdq.queue if cmdq else None, eventq.queue if eventq else None, now
            )
            for ring, wanted in zip((cmdq, eventq), signals, strict=True):
                if ring is not None and wanted:
                    ring.signal()
            return self.pump.arm(cmdq.queue if cmdq else None, eventq.queue if eventq else None)
        except QueueBroken as error:
            if not self._break(error):
                raise
            return True

    def _running(self) -> tuple[Ring | None, Ring | None]:
        cmdq, eventq = self.backend.rings
        with_events = eventq if eventq.running and self.backend.events else None
        return (cmdq if cmdq.running else None), with_events

    def _break(self, error: QueueBroken) -> bool:
        """Leave the ring alone whose driver broke its rules; False if it is none of ours."""
        found = False
        for ring in self.backend.rings:
            if ring.queue is not None and ring.queue.broken is not None and ring.fault is None:
                ring.fail(error.message)
                self.faults.append(error.message)
                found = True
                if self.pump is not None:
                    self.pump.forget(ring.queue)
        return found

    def _ring_stops(self, ring: Ring) -> None:
        """Forget what is kept of a ring that stops: event buffers, and commands not answered."""
        if self.pump is not None and ring.queue is not None:
            self.pump.forget(ring.queue)

    def next_deadline(self, now: float) -> float | None:
        """Return when to come back although no descriptor says so."""
        if self.busy:
            return now
        times = [self.backend.deadline]
        if self.pump is not None:
            times.append(self.pump.next_deadline())
        if any(ring.polled for ring in self.backend.rings):
            times.append(now + POLLED_S)
        return min((t for t in times if t is not None), default=None)


class Server:
    """Serves a platform on any number of endpoints, until told to stop."""

    def __init__(
        self,
        platform: Platform,
        *,
        log: Callable[[str], None] = lambda text: None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.platform = platform
        self.endpoints: list[Endpoint] = []
        self.controls: list[Control] = []
        self._log = log
        self._clock = clock

    def listen(
        self,
        path: str,
        *,
        agent: str | None = None,
        mode: int = 0o600,
        events: bool = True,
        readonly: bool = False,
    ) -> Endpoint:
        """Listen on ``path`` for frontends that will be ``agent`` (the board's first).

        What a frontend of a ``readonly`` endpoint wants to change is DENIED. Raises UsageError for
        an unknown agent, TransportError if one cannot listen there.
        """
        self.platform.attach(agent, events=events).close()
        endpoint = Endpoint(
            self.platform, path, agent=agent, mode=mode, events=events, readonly=readonly
        )
        self.endpoints.append(endpoint)
        return endpoint

    def control(self, path: str) -> Control:
        """Listen on ``path`` for those who change the platform by hand; only our user may.

        Raises TransportError if one cannot listen there.
        """
        from scmictl.device.control import Control

        control = Control(self.platform, path, log=self._log)
        self.controls.append(control)
        return control

    def run(self, stop: int | None = None) -> None:
        """Serve until the descriptor ``stop`` becomes readable (for ever without one)."""
        while not self.turn(stop, timeout=None):
            pass

    def turn(self, stop: int | None = None, *, timeout: float | None = 0.0) -> bool:
        """Wait up to ``timeout`` seconds and do what there is to do; True when ``stop`` is set."""
        now = self._clock()
        poller = select.poll()
        if stop is not None:
            poller.register(stop, select.POLLIN)
        times = [now + timeout if timeout is not None else None]
        times += [self._watch(poller, endpoint, now) for endpoint in self.endpoints]
        times += [control.watch(poller, now) for control in self.controls]
        deadline = min((due for due in times if due is not None), default=None)
        wait = None
        if deadline is not None:
            wait = max(0, int(min(deadline - now, LONGEST_S) * 1000 + 0.999))
        ready = {fd for fd, _ in poller.poll(wait)}
        if stop in ready:
            return True
        # First what is changed by hand: who is told of it is served in the same turn.
        for control in self.controls:
            control.serve(ready, self._clock())
        for endpoint in self.endpoints:
            self._serve(endpoint, ready)
        return False

    def _watch(self, poller: select.poll, endpoint: Endpoint, now: float) -> float | None:
        session = endpoint.session
        if session is None:
            if endpoint.accept_at > now:
                return endpoint.accept_at
            # Only then: while one frontend is served the next waits in the socket's queue.
            poller.register(endpoint.listener.fileno(), select.POLLIN)
            return None
        poller.register(session.backend.fileno(), select.POLLIN)
        for ring in session.backend.rings:
            if ring.running and ring.kick is not None:
                poller.register(ring.kick, select.POLLIN)
        return session.next_deadline(now)

    def _serve(self, endpoint: Endpoint, ready: set[int]) -> None:
        try:
            if endpoint.session is None:
                self._accept(endpoint, ready)
            else:
                self._run_session(endpoint.session, ready)
        except RemoteProtocolError as error:
            self._log(f"{endpoint.path}: {error.message}; the session ends")
            self._end(endpoint)
        except ScmictlError as error:
            self._log(f"{endpoint.path}: {error.message}")
            self._end(endpoint)

    def _accept(self, endpoint: Endpoint, ready: set[int]) -> None:
        if endpoint.listener.fileno() not in ready:
            return
        try:
            connection = endpoint.listener.accept()
        except TransportError:
            # It goes on waiting in the socket's queue, which stays readable: look again later.
            endpoint.accept_at = self._clock() + ACCEPT_AGAIN_S
            raise
        if connection is not None:
            endpoint.session = Session(endpoint, connection)
            self._log(f"{endpoint.path}: a frontend has attached")

    def _run_session(self, session: Session, ready: set[int]) -> None:
        now = self._clock()
        backend = session.backend
        half_message = backend.deadline is not None and backend.deadline <= now
        if (backend.fileno() in ready or half_message) and not session.receive(now):
            self._log(f"{session.endpoint.path}: the frontend has left")
            self._end(session.endpoint)
            return
        for ring in backend.rings:
            if ring.kick is not None and ring.kick in ready:
                ring.clear_kick()
        for text in backend.refusals:
            self._log(f"{session.endpoint.path}: refused: {text}")
        backend.refusals.clear()
        # One driver that never stops asking must not keep the others from being served: after some
        # rounds it is their turn. It gives no kick for what it has asked meanwhile.
        for _ in range(ROUNDS):
            session.busy = session.serve(self._clock())
            if not session.busy:
                break
        for text in session.faults:
            self._log(f"{session.endpoint.path}: {text}; the queue is not served any more")
        session.faults.clear()

    def _end(self, endpoint: Endpoint) -> None:
        if endpoint.session is not None:
            pump = endpoint.session.pump
            if pump is not None and pump.dropped:
                self._log(
                    f"{endpoint.path}: {pump.dropped} notifications were lost: the frontend had no "
                    "event buffers for them"
                )
            endpoint.session.close()
            endpoint.session = None

    def close(self) -> None:
        """End every session and take the sockets away. Repeatable."""
        for endpoint in self.endpoints:
            endpoint.close()
        for control in self.controls:
            control.close()
        self.endpoints.clear()
        self.controls.clear()

    def __enter__(self) -> Server:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def serve(
    board: str | Platform,
    sockets: Sequence[str],
    *,
    control: str | None = None,
    stop: int | None = None,
    log: Callable[[str], None] = lambda text: None,
) -> None:
    """Serve ``board`` (a name, a file or a Platform) on ``sockets`` until ``stop`` is readable.

    The first socket is the board's first agent, and so on; ``control`` is a socket over which the
    platform is changed by hand. All are removed at the end.
    Raises BoardError, UsageError for more sockets than agents, TransportError.
    """
    from scmictl.platform import Platform

    platform = Platform.from_board(board) if isinstance(board, str) else board
    with Server(platform, log=log) as server:
        for path, agent in zip(sockets, platform.agents, strict=False):
            server.listen(path, agent=agent)
        if control is not None:
            server.control(control)
        server.run(stop)
