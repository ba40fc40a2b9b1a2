"""``vhost-user:PATH``: a virtio SCMI device behind a Unix socket, as its driver.

Theory of operation. The control connection negotiates and hands over one sealed memory file with
both rings and all buffers in it; after that everything goes through the rings. One epoll descriptor
covers the two call eventfds and the socket, whose becoming readable means the end: the device hung
up, or spoke although nothing was asked. Signals are asked for only while somebody is going to wait
(every dispatch that finds nothing arms them) and every wake-up drains before it looks.

What the connection owns (socket, memory, eventfds, epoll) is released by ``close``, whatever state
it was in.
"""

from __future__ import annotations

import mmap
import os
import select

from scmictl.errors import DeviceGone, RemoteProtocolError, ScmictlError, TransportError
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

KNOWN = (*OPTIONS, "wait", "reconnect")


def open(target: Target, *, wake: int | None = None) -> VhostUser:
    """Connect to the device at ``target.rest``; ``wake`` becoming readable interrupts it.

    Raises ConnectError when there is no device to talk to or the handshake fails.
    """
    target.allow(KNOWN)
    choices = Choices.of(target)
    frontend = Frontend.connect(
        target.rest, timeout=HANDSHAKE_S, wait=target.seconds("wait"), wake=wake
    )
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
        self._epoll.register(self._calls[index], select.EPOLLIN)
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
            if not self._armed:
                self._armed = True
                self._queues.arm()
            self._drain()
            # What came between the first look and the arming was not signalled.
            found = self._queues.reap()
        if found:
            if self._armed:
                self._armed = False
                self._queues.disarm()
            # Event buffers that were read out are posted again; the device may wait for one.
            self._kick()
        return found

    def _kick(self) -> None:
        for fd, wanted in zip(self._kicks, self._queues.publish(), strict=False):
            if wanted:
                notifier.signal(fd)

    def _drain(self) -> None:
        """Take back the signals that woke us; notice when the device has gone."""
        assert self._epoll is not None
        for fd, _ in self._epoll.poll(0):
            if fd == self._frontend.fileno():
                self._last_words()
            else:
                notifier.clear(fd)

    def _last_words(self) -> None:
        """The socket has something: the end. What the device wrote before it still counts."""
        try:
            self._frontend.check()
        except RemoteProtocolError as error:
            raise DeviceGone(error.message, hint=error.hint) from error

    def fileno(self) -> int | None:
        return self._epoll.fileno() if self._epoll is not None else None

    def next_deadline(self) -> float | None:
        return None

    def close(self) -> None:
        if self._epoll is not None:
            try:
                # Only a device that has stopped writes no more into memory that is given back.
                for index in range(len(self._kicks)):
                    self._frontend.stop_queue(index)
            except (ScmictlError, OSError):
                pass  # it is gone, or does not answer; closing the socket stops it too
            self._epoll.close()
            self._epoll = None
        self._frontend.close()
        self._queues.close()
        if self._view is not None:
            self._view.release()
            self._view = None
        if self._map is not None:
            self._map.close()
            self._map = None
        for fd in self._fds:
            os.close(fd)
        self._fds.clear()
        self._kicks.clear()
        self._calls.clear()
