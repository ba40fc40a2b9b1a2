"""One queue as a frontend has set it up, and when that makes it run.

Theory of operation
-------------------
What a frontend says about a queue is kept as it comes: size, base, addresses, the descriptors,
*enabled*. With ``start`` (SET_VRING_KICK) the queue is built over the memory that is shared now;
with ``stop`` (GET_VRING_BASE) it is closed, kick and call are dropped, and nothing of it is left
but where it would go on. *Started* and *enabled* are independent and may come in any order.

The device looks only at a ring that is ``running``: started, enabled, wholly inside the memory
that is shared now, and not broken. While it is not, requests stay in the ring. When memory
changes under it, the queue moves over to the new mapping; if that has a part of the ring no
longer, the ring pauses until another change brings it back. (Until then, or until it is stopped,
the paused queue keeps its old mapping from going; nothing is read or written there.)

A ring that a frontend has broken (``fail``) stays quiet until it is stopped and started again.
"""

from __future__ import annotations

import os

from scmictl.errors import QueueBroken, RemoteProtocolError
from scmictl.vhost_user import notifier
from scmictl.vhost_user.messages import VringAddress
from scmictl.virtio.device import DeviceQueue
from scmictl.virtio.layout import MAX_QUEUE_SIZE
from scmictl.virtio.memory import MemoryMap, Rings


class Ring:
    """Queue ``index`` of one session. It owns the descriptors given to it."""

    def __init__(self, index: int) -> None:
        self.index = index
        self.enabled = False
        #: The device end, from start to stop. Use it only while ``running``.
        self.queue: DeviceQueue | None = None
        #: What the frontend did wrong in this ring, once it has.
        self.fault: str | None = None
        #: The descriptor that becomes readable when there is something to do, if there is one.
        self.kick: int | None = None
        self._call: int | None = None
        self._error: int | None = None
        self._size: int | None = None
        self._base = 0
        self._address: VringAddress | None = None
        self._mapped = False

    @property
    def started(self) -> bool:
        """Has the frontend handed the ring over? (It may still be disabled.)"""
        return self.queue is not None

    @property
    def running(self) -> bool:
        """May the device touch the ring now?"""
        return self.enabled and self.usable

    @property
    def usable(self) -> bool:
        """Is there a queue that could be used, were it enabled?"""
        return self._mapped and self.fault is None and self.queue is not None

    @property
    def polled(self) -> bool:
        """Is there no kick, so that a running ring has to be looked at again and again?"""
        return self.running and self.kick is None

    def clear_kick(self) -> None:
        """Take back a kick. A pipe whose other end is closed is dropped: it never gets quiet."""
        if self.kick is not None and not notifier.clear(self.kick):
            self.set_kick(None)

    def signal(self) -> None:
        """Tell the driver to look at the ring, if it wants to be told. Never blocks."""
        if self._call is not None:
            notifier.signal_safely(self._call)

    def fail(self, text: str) -> None:
        """The driver broke the rules of the ring: leave it alone from now on, and say so."""
        self.fault = text
        if self._error is not None:
            notifier.signal_safely(self._error)

    def set_size(self, size: int) -> None:
        """SET_VRING_NUM."""
        self._require_stopped("size", size == self._size)
        if not 1 <= size <= MAX_QUEUE_SIZE or size & (size - 1):
            raise RemoteProtocolError(
                f"queue {self.index}: size {size} found,"
                f" expected a power of two up to {MAX_QUEUE_SIZE}"
            )
        self._size = size

    def set_base(self, base: int) -> None:
        """SET_VRING_BASE: the index of the first available entry to take."""
        self._require_stopped("base", False)
        if base > 0xFFFF:
            raise RemoteProtocolError(
                f"queue {self.index}: base {base:#x} found, expected at most 0xffff"
            )
        self._base = base

    def set_address(self, address: VringAddress, memory: MemoryMap | None) -> None:
        """SET_VRING_ADDR. Judged at once where the size is known, and at ``start`` again."""
        self._require_stopped("addresses", address == self._address)
        if address.flags:
            raise RemoteProtocolError(
                f"queue {self.index}: address flags {address.flags:#x} found,"
                " expected 0: logging was not offered"
            )
        if memory is None:
            raise RemoteProtocolError(
                f"queue {self.index}: ring addresses found, expected the memory table first"
            )
        if self._size is not None:
            _place(self.index, memory, self._size, address)
        self._address = address

    def set_kick(self, fd: int | None) -> None:
        """Replace the kick descriptor, closing the old one."""
        _close(self.kick)
        self.kick = fd

    def set_call(self, fd: int | None) -> None:
        """Replace the call descriptor, closing the old one.

        A ring in use signals the new one: what was signalled on the old may have been missed.
        """
        _close(self._call)
        self._call = fd
        if self.queue is not None:
            self.signal()

    def set_error(self, fd: int | None) -> None:
        """Replace the error descriptor, closing the old one."""
        _close(self._error)
        self._error = fd

    def start(self, memory: MemoryMap | None, *, event_idx: bool, indirect: bool) -> None:
        """Build the queue, unless it is there. Where it goes on in the used ring is in memory."""
        if self.queue is not None:
            return
        if self._size is None or self._address is None or memory is None:
            raise RemoteProtocolError(
                f"queue {self.index} started, expected its size, its addresses and memory first"
            )
        rings = _place(self.index, memory, self._size, self._address)
        self.queue = DeviceQueue(
            memory,
            self._size,
            rings.desc,
            rings.avail,
            rings.used,
            next_avail=self._base,
            event_idx=event_idx,
            indirect=indirect,
            reserved=rings.reserved,
            name=f"queue {self.index}",
        )
        self._mapped = True

    def move(self, memory: MemoryMap) -> None:
        """The shared memory has changed: find the ring again in ``memory``, or pause."""
        if self.queue is None or self._size is None or self._address is None:
            return
        try:
            rings = _place(self.index, memory, self._size, self._address)
        except RemoteProtocolError:
            self._mapped = False
            return
        self._mapped = True
        if self.fault is not None:
            return
        try:
            parts = (rings.desc, rings.avail, rings.used)
            self.queue.replace_memory(memory, parts, rings.reserved)
        except QueueBroken as error:
            self.fail(error.message)

    def stop(self) -> int:
        """Stop, drop kick, call and the queue; returns the available index to go on with."""
        if self.queue is not None:
            self._base = self.queue.next_avail
            self.queue.close()
            self.queue = None
        self._mapped = False
        self.fault = None
        self.set_kick(None)
        self.set_call(None)
        return self._base

    def close(self) -> None:
        """``stop``, and close the rest. Idempotent."""
        self.stop()
        self.set_error(None)

    def _require_stopped(self, what: str, known: bool) -> None:
        # Saying again what is so already changes nothing and is let pass.
        if self.queue is not None and not known:
            raise RemoteProtocolError(
                f"queue {self.index}: new {what} found, expected the queue to be stopped first"
            )


def _place(index: int, memory: MemoryMap, size: int, address: VringAddress) -> Rings:
    try:
        return memory.rings(size, address.descriptor, address.available, address.used)
    except QueueBroken as error:
        # What is broken is the request, not a queue: it is not in use yet.
        raise RemoteProtocolError(f"queue {index}: {error.message}") from error


def _close(fd: int | None) -> None:
    if fd is not None:
        os.close(fd)
