"""The backend's side of one session with one frontend: a state machine fed by its messages.

Theory of operation
-------------------
The owner (``device/server.py``) has the poll loop. It polls ``fileno()`` and the ``kick`` of each
running ring, and wakes up at ``deadline``. Per turn:

1. socket readable, or ``deadline`` reached: ``receive(now)``. False: the frontend has left.
   It may have started, stopped, enabled or moved rings, so look at ``rings`` anew, and serve the
   running ones once without waiting for a kick.
2. kick readable: ``ring.clear_kick()``.
3. before serving: ``check_memory()``.
4. serve ``ring.queue`` where ``ring.running``; then ``ring.signal()`` where ``publish`` said so;
   on QueueBroken ``ring.fail(text)``. ``ring.polled`` rings need a timer.

``ring.queue`` is another object after a restart: whatever was kept for the old one is void. Just
before a ring stops, ``on_stop(ring)`` is called, while its queue can still be used: chains in
flight can be given back (and signalled), new ones must not be taken, because most frontends
disable a ring before they stop it. ``on_stop`` may raise QueueBroken; the ring stops all the same.

Requests come in any order that makes sense: QEMU sends CALL and ERR before everything else, never
sets up a queue its guest does not use, yet enables it, and on a reconnect leaves the protocol
features out. So only what cannot work without an earlier request insists on it. Every NEED_REPLY
is answered, after the effect, whether or not REPLY_ACK was negotiated.

Faults of the frontend are of two kinds. Where the byte stream is in doubt (flags, size, half a
message, descriptors out of place) the session ends: ``receive`` raises RemoteProtocolError. A
request that is whole but wrong changes nothing: if it asked for an acknowledgement it gets 1 and
the session goes on (``refusals`` has the text); if not, the frontend could not learn that it
failed, and the session ends too. After any exception from here, and after False: ``close()``.

Everything is hostile until checked, shared memory included; see ``memory`` for what a file that
is truncated meanwhile can do.
"""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable

from scmictl.errors import QueueBroken, RemoteProtocolError
from scmictl.vhost_user import messages, notifier
from scmictl.vhost_user.connection import Connection, Message, close_all
from scmictl.vhost_user.memory import Mapping, fault_of_regions
from scmictl.vhost_user.messages import MemoryRegion, Request
from scmictl.vhost_user.ring import Ring
from scmictl.virtio import layout
from scmictl.virtio.memory import MemoryMap

PROTOCOL_OFFER = messages.MQ | messages.REPLY_ACK | messages.CONFIGURE_MEM_SLOTS
QUEUES = 2
#: Regions by ADD_MEM_REG; each costs a descriptor. QEMU wants a slot per piece of guest memory.
MAX_SLOTS = 64
#: Messages handled in one ``receive``, so that a frontend that never stops starves nobody.
BURST = 64

_EVENT_IDX = 1 << layout.F_EVENT_IDX
_INDIRECT = 1 << layout.F_INDIRECT_DESC
_P2A = 1 << layout.F_P2A_CHANNELS


class Backend:
    """One session. It owns the connection and all the frontend sent over it."""

    def __init__(
        self,
        connection: Connection,
        *,
        events: bool,
        require_seal: bool = False,
        on_stop: Callable[[Ring], None] | None = None,
    ) -> None:
        """``events``: offer P2A. ``require_seal``: take only memory that cannot shrink."""
        self._connection = connection
        self._require_seal = require_seal
        self._on_stop = on_stop
        self._owned = False
        self._mappings: list[Mapping] = []
        self._memory: MemoryMap | None = None
        #: Virtio feature bits on offer, as a mask.
        self.offer = (
            messages.VERSION_1
            | messages.PROTOCOL_FEATURES
            | _EVENT_IDX
            | _INDIRECT
            | (_P2A if events else 0)
        )
        #: Virtio feature bits the frontend took, bit 30 included; None before SET_FEATURES.
        self.features: int | None = None
        #: Protocol features the frontend took.
        self.protocol = 0
        self.rings = tuple(Ring(index) for index in range(QUEUES))
        #: The last requests that were answered with a failure, for a log; clear it at will.
        self.refusals: deque[str] = deque(maxlen=32)

    @property
    def events(self) -> bool:
        """Did the frontend take P2A, so that there is an eventq?"""
        return bool((self.features or 0) & _P2A)

    @property
    def deadline(self) -> float | None:
        """When ``receive`` must be called even if nothing comes: a message is half there."""
        return self._connection.deadline

    def fileno(self) -> int:
        """The socket, for poll."""
        return self._connection.fileno()

    def receive(self, now: float) -> bool:
        """Handle the messages that are there; False if the frontend has left. Never blocks.

        ``now`` and ``deadline`` are seconds of the same clock. Raises RemoteProtocolError for
        what cannot be recovered from, TransportError if this process may open no more files.
        """
        try:
            for _ in range(BURST):
                message = self._connection.read(now, messages.check_request)
                if message is None:
                    break
                try:
                    self._handle(message)
                finally:
                    message.close()
        except ConnectionError:
            return False
        return True

    def check_memory(self) -> None:
        """Raise RemoteProtocolError if a memory file is too short now. Call before each batch."""
        for mapping in self._mappings:
            mapping.check()

    def close(self) -> None:
        """Stop the rings, unmap, close every descriptor and the socket. Idempotent."""
        for ring in self.rings:
            ring.close()
        self._on_stop = None
        self._memory = None
        for mapping in self._mappings:
            mapping.close()
        self._mappings = []
        self._connection.close()

    def _handle(self, message: Message) -> None:
        request = message.request
        wants_ack = bool(message.flags & messages.NEED_REPLY)
        rule = messages.RULES.get(request)
        has_reply = rule is not None and rule.reply
        try:
            handler = HANDLERS.get(request)
            if handler is None:
                raise RemoteProtocolError(
                    f"{messages.name(request)} found, expected a request that was offered"
                )
            reply = handler(self, message)
        except RemoteProtocolError as error:
            if not wants_ack or has_reply:
                raise
            self.refusals.append(error.message)
            reply = messages.pack_u64(1)
        if reply is None and wants_ack:
            reply = messages.pack_u64(0)
        if reply is None:
            return
        try:
            self._connection.send(request, reply, flags=messages.VERSION | messages.REPLY)
        except TimeoutError as error:
            raise RemoteProtocolError(
                f"{messages.name(request)}: no room for the reply, expected the frontend to read"
            ) from error

    # One method per request: returns the payload of its reply, None if it has none of its own.

    def _get_features(self, message: Message) -> bytes:
        _expect_fds(message, 0)
        return messages.pack_u64(self.offer)

    def _set_features(self, message: Message) -> None:
        _expect_fds(message, 0)
        found = messages.unpack_u64(message.request, message.payload)
        if found & ~self.offer:
            raise RemoteProtocolError(
                f"features {found:#x} found, expected some of {self.offer:#x}"
            )
        if not found & messages.VERSION_1:
            raise RemoteProtocolError(f"features {found:#x} found, expected VERSION_1 (bit 32)")
        if found != self.features and any(ring.started for ring in self.rings):
            raise RemoteProtocolError("new features found, expected all queues to be stopped first")
        self.features = found
        if not found & messages.PROTOCOL_FEATURES:
            for ring in self.rings:
                ring.enabled = True

    def _set_owner(self, message: Message) -> None:
        _expect_fds(message, 0)
        if self._owned:
            raise RemoteProtocolError("SET_OWNER found again, expected once per connection")
        self._owned = True

    def _reset_owner(self, message: Message) -> None:
        _expect_fds(message, 0)
        self._owned = False
        for ring in self.rings:
            ring.enabled = False

    def _get_protocol_features(self, message: Message) -> bytes:
        _expect_fds(message, 0)
        return messages.pack_u64(PROTOCOL_OFFER)

    def _set_protocol_features(self, message: Message) -> None:
        _expect_fds(message, 0)
        found = messages.unpack_u64(message.request, message.payload)
        if found & ~PROTOCOL_OFFER:
            raise RemoteProtocolError(
                f"protocol features {found:#x} found, expected some of {PROTOCOL_OFFER:#x}"
            )
        self.protocol = found

    def _get_queue_num(self, message: Message) -> bytes:
        _expect_fds(message, 0)
        return messages.pack_u64(QUEUES)

    def _get_max_mem_slots(self, message: Message) -> bytes:
        _expect_fds(message, 0)
        return messages.pack_u64(MAX_SLOTS)

    def _set_mem_table(self, message: Message) -> None:
        table = messages.unpack_memory_table(message.request, message.payload)
        _expect_fds(message, len(table))
        self._share([], table, message)

    def _add_mem_reg(self, message: Message) -> None:
        region = messages.unpack_memory_region(message.request, message.payload)
        _expect_fds(message, 1)
        if len(self._mappings) >= MAX_SLOTS:
            raise RemoteProtocolError(f"region {MAX_SLOTS + 1} found, expected at most {MAX_SLOTS}")
        self._share(self._mappings, [region], message)

    def _rem_mem_reg(self, message: Message) -> None:
        # A descriptor may come along; it says nothing and is closed with the message.
        found = messages.unpack_memory_region(message.request, message.payload)
        for mapping in self._mappings:
            where = mapping.where
            if (where.guest, where.user, where.size) == (found.guest, found.user, found.size):
                self._use([other for other in self._mappings if other is not mapping])
                return
        raise RemoteProtocolError(
            f"region at guest {found.guest:#x}, user {found.user:#x}, {found.size:#x} bytes"
            " to be removed found, expected one that was added"
        )

    def _share(self, kept: list[Mapping], new: list[MemoryRegion], message: Message) -> None:
        """Map ``new``, whose descriptors ``message`` brought, and use it along with ``kept``."""
        fault = fault_of_regions([mapping.where for mapping in kept] + new)
        if fault is not None:
            raise RemoteProtocolError(f"{messages.name(message.request)}: {fault}")
        fds = message.take()
        mapped: list[Mapping] = []
        try:
            for region, fd in zip(new, fds, strict=True):
                mapped.append(Mapping(region, fd, require_seal=self._require_seal))
        except BaseException:
            for mapping in mapped:
                mapping.close()
            raise
        finally:
            close_all(fds)
        self._use(kept + mapped)

    def _use(self, mappings: list[Mapping]) -> None:
        """Move to ``mappings``: rings first, and only then unmap what is not among them."""
        old = self._mappings
        self._memory = MemoryMap(mapping.region() for mapping in mappings) if mappings else None
        self._mappings = mappings
        for ring in self.rings:
            ring.move(self._memory or MemoryMap([]))
        for mapping in old:
            if mapping not in mappings:
                mapping.close()

    def _set_vring_num(self, message: Message) -> None:
        ring, num = self._ring_state(message)
        ring.set_size(num)

    def _set_vring_base(self, message: Message) -> None:
        ring, num = self._ring_state(message)
        ring.set_base(num)

    def _get_vring_base(self, message: Message) -> bytes:
        ring, _ = self._ring_state(message)
        if ring.usable and self._on_stop is not None:
            self.check_memory()
            try:
                self._on_stop(ring)
            except QueueBroken as error:
                ring.fail(error.message)
        return messages.pack_state(ring.index, ring.stop())

    def _set_vring_enable(self, message: Message) -> None:
        ring, num = self._ring_state(message)
        if not (self.features or 0) & messages.PROTOCOL_FEATURES:
            raise RemoteProtocolError(
                f"SET_VRING_ENABLE found with features {self.features or 0:#x},"
                " expected bit 30 among them"
            )
        if num > 1:
            raise RemoteProtocolError(f"SET_VRING_ENABLE: {num} found, expected 0 or 1")
        ring.enabled = num == 1

    def _set_vring_addr(self, message: Message) -> None:
        _expect_fds(message, 0)
        address = messages.unpack_address(message.request, message.payload)
        self._ring(message.request, address.queue).set_address(address, self._memory)

    def _set_vring_kick(self, message: Message) -> None:
        if self.features is None:
            raise RemoteProtocolError("SET_VRING_KICK found, expected SET_FEATURES first")
        # Starting reads used.idx.
        self.check_memory()
        ring, fd = self._ring_fd(message)
        try:
            ring.start(
                self._memory,
                event_idx=bool(self.features & _EVENT_IDX),
                indirect=bool(self.features & _INDIRECT),
            )
        except BaseException:
            close_all([] if fd is None else [fd])
            raise
        ring.set_kick(fd)

    def _set_vring_call(self, message: Message) -> None:
        ring, fd = self._ring_fd(message)
        ring.set_call(fd)

    def _set_vring_err(self, message: Message) -> None:
        ring, fd = self._ring_fd(message)
        ring.set_error(fd)

    def _ring(self, request: int, index: int) -> Ring:
        if index >= QUEUES:
            raise RemoteProtocolError(
                f"{messages.name(request)}: queue {index} found, expected 0 to {QUEUES - 1}"
            )
        return self.rings[index]

    def _ring_state(self, message: Message) -> tuple[Ring, int]:
        _expect_fds(message, 0)
        state = messages.unpack_state(message.request, message.payload)
        return self._ring(message.request, state.queue), state.num

    def _ring_fd(self, message: Message) -> tuple[Ring, int | None]:
        """The ring, and the descriptor for it (the caller's now) if one came."""
        found = messages.unpack_vring_fd(message.request, message.payload, message.fds)
        ring = self._ring(message.request, found.queue)
        if not found.attached:
            return ring, None
        (fd,) = message.take()
        fault = notifier.prepare(fd)
        if fault is not None:
            os.close(fd)
            raise RemoteProtocolError(f"{messages.name(message.request)}: {fault}")
        return ring, fd


def _expect_fds(message: Message, count: int) -> None:
    messages.check_fds(message.request, message.fds, count)


HANDLERS: dict[int, Callable[[Backend, Message], bytes | None]] = {
    Request.GET_FEATURES: Backend._get_features,
    Request.SET_FEATURES: Backend._set_features,
    Request.SET_OWNER: Backend._set_owner,
    Request.RESET_OWNER: Backend._reset_owner,
    Request.SET_MEM_TABLE: Backend._set_mem_table,
    Request.SET_VRING_NUM: Backend._set_vring_num,
    Request.SET_VRING_ADDR: Backend._set_vring_addr,
    Request.SET_VRING_BASE: Backend._set_vring_base,
    Request.GET_VRING_BASE: Backend._get_vring_base,
    Request.SET_VRING_KICK: Backend._set_vring_kick,
    Request.SET_VRING_CALL: Backend._set_vring_call,
    Request.SET_VRING_ERR: Backend._set_vring_err,
    Request.GET_PROTOCOL_FEATURES: Backend._get_protocol_features,
    Request.SET_PROTOCOL_FEATURES: Backend._set_protocol_features,
    Request.GET_QUEUE_NUM: Backend._get_queue_num,
    Request.SET_VRING_ENABLE: Backend._set_vring_enable,
    Request.GET_MAX_MEM_SLOTS: Backend._get_max_mem_slots,
    Request.ADD_MEM_REG: Backend._add_mem_reg,
    Request.REM_MEM_REG: Backend._rem_mem_reg,
}
