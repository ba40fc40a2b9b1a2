"""``vhost-user:PATH``: a virtio SCMI device behind a Unix socket, as its driver.

Theory of operation. The control connection negotiates and hands over one sealed memory file with
both rings and all buffers in it; after that everything goes through the rings. One epoll descriptor
covers the two call eventfds and the socket, whose becoming readable means the end: the device hung
up, or spoke although nothing was asked. Signals are asked for only while somebody is going to wait:
a dispatch that finds something switches them off and wants to be called again at once, one that
finds nothing switches them on and then looks once more.

Nothing depends on the device's manners. A call eventfd is watched by its edges and never read: the
device has the same open file, and could make it blocking, or empty. A device that forgets to signal
is looked at every LOOK_S; one that signals without end is only looked at until it has something.

What the connection owns (socket, memory, eventfds, epoll) is released by ``close``, whatever state
it was in.
"""

from __future__ import annotations

import mmap
import os
import select

from scmictl.errors import (
    DeviceGone,
    RemoteProtocolError,
    ScmictlError,
    TransportError,
    UsageError,
)
from scmictl.transport.base import Link, Received
from scmictl.transport.queues import (
    FEATURES,
    GUEST_BASE,
    OPTIONS,
    USER_BASE,
    Choices,
    Queues,
    feature_names,
)
from scmictl.transport.target import Target
from scmictl.vhost_user import notifier
from scmictl.vhost_user.frontend import Frontend
from scmictl.vhost_user.memory import shared_memory
from scmictl.vhost_user.messages import MemoryRegion
from scmictl.virtio.layout import QueuePlan

HANDSHAKE_S = 2.0
"""Time for each reply of the control connection."""

STOP_S = 0.25
"""Time for each reply when the queues are stopped: closing never takes long."""

LOOK_S = 0.1
"""How long to go without a look at the queues, whatever was signalled."""

SIGNALS = select.EPOLLIN | select.EPOLLET

SPURIOUS = 100
"""So many signals in a row with nothing to find are too many."""

KNOWN = (*OPTIONS, "wait", "reconnect")


def open(target: Target, *, wake: int | None = None, limit: float | None = None) -> VhostUser:
    """Connect to the device at ``target.rest``; ``wake`` becoming readable interrupts it.

    ``limit``: seconds to wait for the device, and for each of its replies, at most.

    Raises UsageError for what is wrong with the target, ConnectError when there is no device to
    talk to or the handshake fails.
    """
    target.allow(KNOWN)
    if not target.rest:
        raise UsageError("vhost-user: without a path, expected vhost-user:PATH")
    choices = Choices.of(target)
    timeout, wait = HANDSHAKE_S, target.seconds("wait")
    if limit is not None:
        timeout, wait = min(timeout, limit), min(wait, limit)
    frontend = Frontend.connect(target.rest, timeout=timeout, wait=wait, wake=wake)
    try:
        return VhostUser(frontend, choices, uri=target.text)
    except BaseException:
        frontend.close()
        raise


class VhostUser:
    """A transport over a connected frontend, which it owns from here on."""

    def __init__(self, frontend: Frontend, choices: Choices, *, uri: str) -> None:
        self._frontend = frontend
        self._fds: list[int] = []
        self._kicks: list[int] = []
        self._calls: list[int] = []
        self._map: mmap.mmap | None = None
        self._view: memoryview | None = None
        self._epoll: select.epoll | None = None
        self._armed = False
        self._looked = 0.0
        self._spurious = 0
        self._deaf = False
        self._end: ScmictlError | None = None
        wanted = choices.wanted & frontend.offered
        features = frontend.negotiate(wanted)
        self._queues = Queues(choices, features)
        try:
            self._share()
        except BaseException as error:
            self.close()
            if isinstance(error, OSError):
                raise TransportError(f"cannot connect: {error.strerror}") from error
            raise
        missing = [name for name, bit in FEATURES.items() if not frontend.offered >> bit & 1]
        self.link = Link(
            uri=uri,
            kind="vhost-user",
            p2a=self._queues.p2a,
            message_size=choices.message_size,
            depth=self._queues.depth,
            facts={
                "features": feature_names(features),
                "not_offered": missing,
                "offered": f"{frontend.offered:#x}",
                "protocol_features": f"{frontend.protocol:#x}",
                "queue_size": choices.queue_size,
                "event_buffers": choices.event_buffers if self._queues.p2a else 0,
            },
        )

    def _share(self) -> None:
        """Make the memory and the notifiers, hand them over, start the queues."""
        plan = self._queues.plan
        fd, self._map = shared_memory(plan.size)
        try:
            self._view = memoryview(self._map)
            self._queues.build(self._view)
            region = MemoryRegion(GUEST_BASE, plan.size, USER_BASE, 0)
            self._frontend.set_memory([region], [fd])
        finally:
            os.close(fd)
        self._epoll = select.epoll()
        self._epoll.register(self._frontend.fileno(), select.EPOLLIN)
        parts = [plan.cmdq] if plan.eventq is None else [plan.cmdq, plan.eventq]
        for index, part in enumerate(parts):
            self._start(index, part)
        for index in range(len(parts)):
            self._frontend.enable(index)
        self._frontend.settle()

    def _start(self, index: int, part: QueuePlan) -> None:
        assert self._epoll is not None
        for owned in (self._kicks, self._calls):
            fd = notifier.create()
            self._fds.append(fd)
            owned.append(fd)
        self._epoll.register(self._calls[index], SIGNALS)
        self._frontend.start_queue(
            index,
            size=part.size,
            descriptor=USER_BASE + part.desc,
            available=USER_BASE + part.avail,
            used=USER_BASE + part.used,
            kick=self._kicks[index],
            call=self._calls[index],
        )

    def send(self, frame: bytes, cookie: int) -> bool:
        return self._queues.send(frame, cookie)

    def dispatch(self, now: float) -> list[Received]:
        if self._epoll is None:
            raise DeviceGone("the connection is closed")
        self._kick()
        found = self._queues.reap()
        if not found:
            self._arm(now)
            signalled = self._listen()
            # What came between the first look and the arming was not signalled; and what the
            # device wrote before it hung up still counts.
            found = self._queues.reap()
            if not found:
                if self._end is not None:
                    raise self._end
                self._spurious += signalled
        if found:
            self._spurious = 0
            if self._armed:
                self._armed = False
                self._queues.disarm()
            # Event buffers that were read out are posted again; the device may wait for one.
            self._kick()
        return found

    def _kick(self) -> None:
        for fd, wanted in zip(self._kicks, self._queues.publish(), strict=False):
            if wanted:
                notifier.signal_safely(fd)

    def _arm(self, now: float) -> None:
        """Ask for signals, and listen to them unless too many were for nothing."""
        assert self._epoll is not None
        if not self._armed:
            self._armed = True
            self._queues.arm()
        deaf = self._spurious >= SPURIOUS
        if deaf is not self._deaf:
            self._deaf = deaf
            for fd in self._calls:
                self._epoll.modify(fd, 0 if deaf else SIGNALS)
        self._looked = now

    def _listen(self) -> bool:
        """Take note of what woke us; return whether it was a signal."""
        assert self._epoll is not None
        signalled = False
        for fd, _ in self._epoll.poll(0):
            if fd == self._frontend.fileno():
                self._last_words()
            else:
                signalled = True
        return signalled

    def _last_words(self) -> None:
        """The socket has something: the device hung up, or said what nobody asked for."""
        try:
            self._frontend.check()
        except (DeviceGone, RemoteProtocolError) as error:
            self._end = error

    def fileno(self) -> int | None:
        return self._epoll.fileno() if self._epoll is not None else None

    def next_deadline(self) -> float | None:
        if self._epoll is None:
            return None
        # While signals are off nobody may sleep.
        return self._looked + LOOK_S if self._armed else 0.0

    def close(self) -> None:
        if self._epoll is not None:
            self._frontend.timeout = min(self._frontend.timeout, STOP_S)
            try:
                # Only a device that has stopped writes no more into memory that is given back.
                for index in range(len(self._kicks)):
                    self._frontend.stop_queue(index)
            except (ScmictlError, OSError):
                pass  # it is gone, or does not answer; closing the socket stops it too
            self._epoll.close()
            self._epoll = None
        self._frontend.close()
        for fd in self._fds:
            os.close(fd)
        self._fds.clear()
        self._kicks.clear()
        self._calls.clear()
        self._queues.close()
        if self._view is not None:
            self._view.release()
            self._view = None
        if self._map is not None:
            self._map.close()
            self._map = None
