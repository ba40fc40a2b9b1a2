"""The agent: one synchronous object through which everything is said to a platform.

Theory of operation. :meth:`Agent.submit` queues a command and returns its transfer;
:meth:`Agent.call` and :meth:`Agent.collect` block until they are answered; :meth:`Agent.dispatch`
never blocks and is for event loops, which watch :meth:`Agent.fileno` and call again at
:meth:`Agent.next_deadline`. There is no thread.

A command that is not answered in time is *overdue*; :mod:`~scmictl.agent.probe` finds out whether
the device is merely slow with that command (TransferTimeout) or its queue dead (DeviceGone).

When the connection is lost, everything pending ends with DeviceGone. With ``reconnect`` the agent
keeps trying for that long; then versions and names are forgotten, what is *held* (subscriptions,
sensors enabled for the time being) is sent again, and the gap is reported as an event. No other
command is ever sent twice. If the connection is lost again before all that is done, or somebody
interrupts it, it begins anew with the next round, in what is left of the time.
"""

from __future__ import annotations

import math
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from typing import Any, NamedTuple, TypeVar

from scmictl.agent.discovery import Discovery
from scmictl.agent.facts import Facts
from scmictl.agent.held import Held
from scmictl.agent.identity import Owner, Protocols
from scmictl.agent.inbox import Inbox, Incident, Reconnected
from scmictl.agent.listing import Listing, read_lists
from scmictl.agent.probe import LEAST_S, Probe, no_slot
from scmictl.agent.retry import Retries
from scmictl.agent.transfers import Event, Raw, Stray, Transfer, Transfers
from scmictl.agent.wait import Waiter
from scmictl.errors import (
    DeviceGone,
    Interrupted,
    LocalProtocolError,
    NotOffered,
    ProtocolError,
    RemoteProtocolError,
    ScmictlError,
    StatusError,
    TransferTimeout,
    TransportError,
)
from scmictl.protocols import Protocol, Resources, common
from scmictl.transport.base import Link, Transport
from scmictl.wire import AsyncRequest, Delayed, Request, Response

R = TypeVar("R", bound=Response)
D = TypeVar("D", bound=Delayed)

RETRY_S = 0.05
"""Time between two attempts to reconnect."""
GOODBYE_S = 0.25
"""How long closing waits for the platform to take back what was held."""


class Timing(NamedTuple):
    """When a command was sent (monotonic seconds), and the seconds until its last answer."""

    sent: float
    latency: float


class Agent:
    """A connection to a platform, as one of its agents; a context manager that closes it.

    ``timeout`` and ``delayed_timeout`` are seconds. ``versions`` fixes protocol versions by
    protocol id instead of asking, ``vendor`` whose the protocols from 0x80 are. ``reopen`` makes a
    new transport after a loss, for up to ``reconnect`` seconds. The agent owns ``transport`` and
    closes it.
    """

    def __init__(
        self,
        transport: Transport,
        *,
        timeout: float = 1.0,
        delayed_timeout: float = 2.0,
        waiter: Waiter | None = None,
        versions: dict[int, int] | None = None,
        vendor: Owner | None = None,
        reopen: Callable[[], Transport] | None = None,
        reconnect: float = 0.0,
        wall: Callable[[], float] = time.time,
    ) -> None:
        self.transport = transport
        self.timeout = timeout
        self.delayed_timeout = delayed_timeout
        self.waiter = waiter or Waiter()
        self.protocols = Protocols(self, vendor)
        """What the numbers of protocols mean on this platform."""
        self.held: list[Held] = []
        self.timings: list[Timing] | None = None
        """When every answered command was sent and how long it took, once there is a list."""
        self.on_surplus: Callable[[Transfer[Any]], None] | None = None
        """Hears of every response that is longer than its layout."""
        self._facts = Facts(self, dict(versions or {}))
        self._transfers = Transfers(partial(self.protocols.by_id, ask=False))
        self._finished: list[Transfer[Any]] = []
        self._inbox = Inbox()
        self._queued = False
        self._probe = Probe(self._transfers)
        self._retries = Retries(self._transfers)
        self._reopen = reopen
        self._reconnect = reconnect
        self._gone: DeviceGone | None = None
        self._gone_at = self._retry_at = 0.0
        self._wall = wall
        self._closed = False

    # -- what a user says -------------------------------------------------------------------

    def call(self, request: Request[R], *, timeout: float | None = None) -> R:
        """Send ``request`` and return its response, once it is there.

        For an asynchronous request that is the "accepted"; see :meth:`complete`. Raises StatusError
        for a status other than SUCCESS, TransferTimeout, DeviceGone, RemoteProtocolError,
        NotOffered for notifications and delayed responses on a connection without them, and
        Interrupted (the command then stays pending and the connection lives).
        """
        transfer = self.submit(request, timeout=timeout)
        self.wait_for_response(transfer)
        return transfer.result()

    def wait_for_response(self, transfer: Transfer[Any]) -> None:
        """Block until ``transfer`` has its response; a delayed one may be still to come."""
        self._claim([transfer])
        self._drive(lambda: transfer.answered)

    def complete(self, request: AsyncRequest[R, D], *, timeout: float | None = None) -> D:
        """Send an asynchronous ``request`` and return its delayed response; raises like `call`."""
        transfer = self.submit(request, timeout=timeout)
        self.collect([transfer])
        transfer.result()
        delayed = transfer.delayed
        if delayed is None:
            raise LocalProtocolError(f"{request.SPEC} was sent in its synchronous form")
        return delayed  # type: ignore[return-value]  # the transfer decoded it as request.DELAYED

    def submit(self, request: Request[R] | Raw, *, timeout: float | None = None) -> Transfer[R]:
        """Queue ``request`` and return its transfer; blocks only while there is no free slot.

        Independent requests submitted in a row reach the platform together, with the next dispatch.
        Raises what makes sending impossible, and Interrupted; what goes wrong later is in the
        transfer.
        """
        if self._closed:
            raise LocalProtocolError("the connection is closed")
        # Where every answer is there at once (`sim:`) nobody would ever wait, and so be stopped.
        self.waiter.check(self.waiter.now())
        if not isinstance(request, Raw):
            self._check_events(request)
        if self._gone is not None:
            self._drive(lambda: self._gone is None)
        # What comes back, and what comes unasked after it, has to be understood.
        self.protocols.ask(request.protocol_id if isinstance(request, Raw) else request.PROTOCOL_ID)
        version = 0 if isinstance(request, Raw) else self._facts.layout(request)
        transfer: Transfer[R] = Transfer(request, version)
        limit = self.timeout if timeout is None else timeout
        if self._transfers.full:
            patience = 2 * max(limit, LEAST_S)
            self._drive(lambda: not self._transfers.full, self.waiter.now() + patience)
        self._transfers.open(transfer, self.waiter.now(), limit, self.delayed_timeout)
        try:
            self._send(transfer, limit)
        except ScmictlError:
            self._transfers.withdraw(transfer)
            raise
        return transfer

    def collect(self, transfers: Iterable[Transfer[Any]]) -> None:
        """Block until all ``transfers`` are done; how each ended is in the transfer itself."""
        waiting = deque(transfers)
        self._claim(waiting)

        def all_done() -> bool:
            while waiting and waiting[0].done:
                waiting.popleft()
            return not waiting

        self._drive(all_done)

    def listing(self, request: Request[Any]) -> Listing:
        """Read a whole list, as many messages as it takes; see :class:`Listing`."""
        return read_lists(self, [request])[0]

    def listings(self, requests: Sequence[Request[Any]]) -> list[Listing]:
        """Read several lists at once, in step, so that their messages share the ring."""
        return read_lists(self, requests)

    def subscribe(self, request: Request[Any]) -> Held:
        """Switch a notification on until the returned object is closed or the agent is."""
        switch = request.SWITCH
        values = {field.name: getattr(request, field.name) for field in request.FIELDS}
        return self.hold(request, type(request)(**{**values, switch: 0}))

    def hold(self, on: Request[Any], off: Request[Any]) -> Held:
        """Send ``on`` now and after every reconnection, and ``off`` when the result is closed.

        When no answer came, or one that makes no sense, it may be on all the same: the agent then
        switches it off when it closes.
        """
        transfer = self.submit(on)
        held = Held(self, on, off)
        self.held.append(held)
        try:
            self.wait_for_response(transfer)
            transfer.result()
        except (StatusError, DeviceGone):
            self.held.remove(held)
            raise
        return held

    def pause(self, seconds: float) -> None:
        """Let time go by with the engine running; raises Interrupted and DeviceGone."""
        self._drive(lambda: False, self.waiter.now() + seconds)

    def notifications(self, until: float | None = None) -> Iterator[Incident]:
        """Yield what comes unasked, in order, blocking until ``until`` (monotonic; None: for ever).

        Raises DeviceGone and Interrupted.
        """
        while True:
            # Also where events never cease to come.
            self.waiter.check(self.waiter.now())
            incident = self._inbox.take()
            if incident is None:
                self._drive(lambda: bool(self._inbox), until)
                incident = self._inbox.take()
                if incident is None:
                    return
            if isinstance(incident, Event) and incident.protocol is None:
                incident = self._understood(incident)
            yield incident

    def _understood(self, event: Event) -> Event:
        """Ask what a vendor's number means, if nobody has, to decode an event that needs it."""
        if self.protocols.by_id(event.header.protocol_id) is None:
            return event
        decoded = self._transfers.event(event.header, event.payload, self.versions)
        decoded.time = event.time
        return decoded

    # -- for event loops --------------------------------------------------------------------

    def fileno(self) -> int | None:
        """Return a descriptor that becomes readable when :meth:`dispatch` has work, or None.

        The descriptor is the transport's, and another one after a reconnection.
        """
        return None if self._gone is not None else self.transport.fileno()

    def next_deadline(self) -> float | None:
        """Return when :meth:`dispatch` wants to be called at the latest (monotonic seconds).

        In the past: at once.
        """
        if self._gone is not None:
            return self._retry_at
        if self._queued:
            return 0.0
        return _earliest(
            self._transfers.next_deadline(),
            self._probe.deadline,
            self._retries.deadline,
            self.transport.next_deadline(),
        )

    def dispatch(self, now: float) -> list[Transfer[Any] | Incident]:
        """Do everything that is due, without blocking, and return what happened.

        Raises DeviceGone when the connection is lost for good.
        """
        self._pump(now)
        happened: list[Transfer[Any] | Incident] = [*self._finished, *self._inbox.take_all()]
        self._finished.clear()
        return happened

    # -- what is known about the platform ----------------------------------------------------

    @property
    def link(self) -> Link:
        """The facts of the connection."""
        return self.transport.link

    @property
    def reconnecting(self) -> bool:
        """Whether the connection is lost just now; whoever submits then waits for it."""
        return self._gone is not None

    @property
    def in_flight(self) -> int:
        """Commands that have not been answered yet."""
        return len(self._transfers.pending) + len(self._retries)

    @property
    def retry_busy(self) -> int:
        """How often to send a command again that the platform answers with BUSY."""
        return self._retries.limit

    @retry_busy.setter
    def retry_busy(self, tries: int) -> None:
        self._retries.limit = max(0, tries)

    @property
    def versions(self) -> dict[int, int]:
        """Layout version in force, by protocol id; filled as protocols are used."""
        return self._facts.versions

    @property
    def reported(self) -> dict[int, int]:
        """What PROTOCOL_VERSION answered, by protocol id."""
        return self._facts.reported

    def version(self, protocol: Protocol) -> int:
        """Return the version whose layouts to use, asking the platform the first time.

        A platform with a newer major than ours is asked to speak ours; if it will not, our newest
        layouts are used all the same.
        """
        return self._facts.version(protocol)

    def implements(self, request: type[Request[Any]]) -> bool:
        """Return whether the platform has this message, by PROTOCOL_MESSAGE_ATTRIBUTES; cached."""
        return self._facts.implements(request)

    def discover(self, protocol: Protocol, how: Resources | None = None) -> Discovery:
        """Return the platform's clocks, sensors and so on, read in bulk once per connection.

        ``how`` is the kind of things, where the protocol has several; None means the first.
        """
        return self._facts.discover(protocol, how)

    def discovered(self, protocol: Protocol, how: Resources | None = None) -> Discovery | None:
        """Return what :meth:`discover` has found earlier, without sending anything."""
        return self._facts.discovered(protocol, how)

    # -- the end ----------------------------------------------------------------------------

    def close(self) -> None:
        """Take back what is held, stop the queues and release everything; never raises."""
        if self._closed:
            return
        try:
            self._goodbye()
        except ScmictlError:
            pass  # the platform does not answer any more; there is nothing left to save
        finally:
            self._closed = True
            closed = DeviceGone("the connection was closed")
            self._transfers.fail_all(closed)
            self._retries.fail_all(closed)
            self.transport.close()

    def _goodbye(self) -> None:
        if self._gone is not None or not self.waiter.resume():
            return
        held, self.held = self.held, []
        last = deque(self.submit(one.off, timeout=GOODBYE_S) for one in reversed(held))
        self._claim(last)
        # Not `collect`: what else is overdue may have been given more time.
        self._drive(lambda: all(t.done for t in last), self.waiter.now() + 2 * GOODBYE_S)

    def __enter__(self) -> Agent:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # -- the engine -------------------------------------------------------------------------

    def _check_events(self, request: Request[Any]) -> None:
        if self.link.p2a:
            return
        wanted = None
        if request.SUBSCRIBES is not None and getattr(request, request.SWITCH):
            wanted = "notifications"
        elif request.expects_delayed:
            wanted = "delayed responses"
        if wanted:
            raise NotOffered(
                f"{request.SPEC}: this connection has no event queue, and so no {wanted}",
                hint="the device did not offer (or was not asked for) VIRTIO_SCMI_F_P2A_CHANNELS",
            )

    def _claim(self, transfers: Iterable[Transfer[Any]]) -> None:
        """Their ends are waited for, and need not be reported by :meth:`dispatch` any more."""
        for transfer in transfers:
            transfer.claimed = True
        if self._finished:
            self._finished = [t for t in self._finished if not t.claimed]

    def _send(self, transfer: Transfer[Any], limit: float) -> None:
        self._queued = True
        if self.transport.send(transfer.frame, transfer.token):
            return
        sent = False

        def try_again() -> bool:
            nonlocal sent
            sent = sent or self.transport.send(transfer.frame, transfer.token)
            return sent or transfer.done

        # Its time begins when it leaves. A slot comes free with the next answer; when none comes at
        # all, the queue is dead.
        transfer.deadline = math.inf
        transfer.claimed = True
        patience = 2 * max(limit, LEAST_S)
        self._drive(try_again, self.waiter.now() + patience)
        if not sent:
            raise transfer.error or no_slot(transfer, patience)
        transfer.sent = self.waiter.now()
        transfer.deadline = transfer.sent + limit
        transfer.claimed = False
        self._queued = True

    def _drive(self, reached: Callable[[], bool], until: float | None = None) -> None:
        """Run the engine until ``reached()`` or ``until``; raises Interrupted in between."""
        while True:
            now = self.waiter.now()
            self._pump(now)
            if reached():
                return
            if until is not None and now >= until:
                return
            try:
                self.waiter.check(now)
            except ScmictlError as stop:
                # Who asked to stop does not expect anything to be sent again.
                for transfer in self._retries.fail_all(stop):
                    self._finish(transfer)
                raise
            fileno = self.fileno()
            if fileno is not None:
                spin_until = now + self.waiter.spin()
                while self.waiter.now() < spin_until:
                    self._pump(self.waiter.now())
                    if reached():
                        return
            self.waiter.wait(fileno, _earliest(until, self.next_deadline()))

    def _pump(self, now: float) -> None:
        """Move frames, expire what is late, reconnect: one round without blocking."""
        if self._gone is not None:
            self._try_reconnect(now)
            return
        if self._retries:
            self._retries.send(now, self.transport.send)
        self._queued = False
        try:
            frames = self.transport.dispatch(now)
        except (DeviceGone, RemoteProtocolError) as error:
            self._connection_lost(error, now)
            return
        if frames:
            came = self.waiter.now()
            for frame in frames:
                self._sort(self._transfers.received(frame, self.versions, came))
        late = self._transfers.overdue(now)
        if late or self._probe.transfer is not None:
            self._suspect(late, now)

    def _sort(self, outcome: Transfer[Any] | Event | Stray | None) -> None:
        if outcome is None:
            return
        if isinstance(outcome, Transfer):
            self._finish(outcome)
            return
        if isinstance(outcome, Event):
            outcome.time = self._wall()
        self._inbox.put(outcome)

    def _finish(self, transfer: Transfer[Any]) -> None:
        if transfer is self._probe.transfer:
            return
        if self.timings is not None and transfer.latency is not None:
            self.timings.append(Timing(transfer.sent, transfer.latency))
        if self._retries.take(transfer, self.waiter.now()):
            return
        response = transfer.response
        if response is not None and response.surplus and self.on_surplus is not None:
            self.on_surplus(transfer)
        request = transfer.request
        if isinstance(request, common.NegotiateProtocolVersion) and transfer.error is None:
            self._facts.negotiated(request)
        if not transfer.claimed:
            self._finished.append(transfer)

    def _suspect(self, late: list[Transfer[Any]], now: float) -> None:
        """Ask the probe why commands are overdue."""
        waiting = not self._probe.out
        try:
            ended = self._probe.look(late, now, self.transport.send)
        except DeviceGone as gone:
            self._connection_lost(gone, now)
            return
        for transfer in ended:
            self._finish(transfer)
        if waiting and self._probe.out:
            self._pump(now)  # a platform in this process has answered when this returns

    def _connection_lost(self, error: TransportError | RemoteProtocolError, now: float) -> None:
        gone = error if isinstance(error, DeviceGone) else DeviceGone(error.message)
        self._probe.reset()
        for transfer in self._transfers.fail_all(error) + self._retries.fail_all(error):
            self._finish(transfer)
        self._gone = gone
        self._gone_at = now
        self._retry_at = now
        self.transport.close()
        if self._reopen is None or not self._reconnect:
            raise error

    def _try_reconnect(self, now: float) -> None:
        assert self._gone is not None
        if self._reopen is None or now >= self._gone_at + self._reconnect:
            raise self._gone
        if now < self._retry_at:
            return
        self._retry_at = min(now + RETRY_S, self._gone_at + self._reconnect)
        try:
            self.transport = self._reopen()
        except (TransportError, RemoteProtocolError):
            return
        # Of this loss, whatever else happens before everything is as it was.
        gone, since, retry = self._gone, self._gone_at, self._retry_at
        self._gone = None
        self._facts.forget()
        self.protocols.forget()
        # What comes while it is renewed comes after the gap.
        earlier, self._inbox = self._inbox, Inbox()
        refused: list[str] = []
        try:
            self._renew(refused)
        except Interrupted:
            self.transport.close()
            self._transfers.fail_all(gone)
            self._gone = gone
            raise
        finally:
            self._gone_at, self._retry_at = since, retry
            if self._gone is None:
                earlier.put(Reconnected(self.waiter.now() - since, tuple(refused)))
            for incident in self._inbox.take_all():
                earlier.put(incident)
            self._inbox = earlier

    def _renew(self, refused: list[str]) -> None:
        """Send what is held again, until the connection is lost once more.

        What cannot be had from this device is held no longer; ``refused`` gets the reasons.
        """
        for held in list(self.held):
            try:
                self.call(held.on)
            except (StatusError, NotOffered, TransferTimeout, TransportError, ProtocolError) as no:
                if self._gone is not None:
                    return
                self.held.remove(held)
                refused.append(no.message)


def _earliest(*times: float | None) -> float | None:
    return min((t for t in times if t is not None), default=None)
