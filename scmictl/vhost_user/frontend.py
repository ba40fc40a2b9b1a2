"""The frontend: the control side of our driver, over one connection to a backend.

Theory of operation
-------------------
Calls block, each reply has ``timeout`` seconds, and they come in this order::

    Frontend.connect -> negotiate -> set_memory -> start_queue, each -> enable, each -> settle
    (queues in use; check() whenever the socket becomes readable)
    stop_queue, each -> close

At most one reply is outstanding, and replies are matched by their request number: there are no
sequence numbers. Nothing is sent that the backend did not offer. Requests without a reply of
their own ask for an acknowledgement where that was negotiated and matters (memory table and
enabling, as QEMU does); otherwise ``settle`` asks for something harmless once, so that a backend
that choked on the set-up is noticed there. A backend that does not offer VHOST_USER_F_PROTOCOL_
FEATURES runs its rings as soon as they start, and is never sent SET_VRING_ENABLE.

What a backend may do wrong: hang up, fall silent, answer something else. Until ``settle`` has
returned, hanging up and silence are a ConnectError that names the step; after it they are
DeviceGone. A reply that breaks the protocol is a RemoteProtocolError. After any of these the
connection is closed: whatever comes next would be taken for the wrong reply.

Descriptors given to the frontend (memory, kick, call) stay the caller's; the backend gets
duplicates. Descriptors in replies are closed unseen.
"""

from __future__ import annotations

import errno
import socket
import time
from collections.abc import Sequence
from typing import NoReturn

from scmictl.errors import (
    ConnectError,
    DeviceGone,
    LocalProtocolError,
    RemoteProtocolError,
    TransportError,
)
from scmictl.vhost_user import address, messages, notifier
from scmictl.vhost_user.connection import Connection, pause
from scmictl.vhost_user.memory import fault_of_regions
from scmictl.vhost_user.messages import MemoryRegion, Request, VringAddress
from scmictl.virtio import layout

#: The virtio features that our driver can use.
USABLE = (
    1 << layout.F_P2A_CHANNELS
    | 1 << layout.F_INDIRECT_DESC
    | 1 << layout.F_EVENT_IDX
    | messages.VERSION_1
)
#: The protocol features that we use where they are offered.
PROTOCOL_WANTED = messages.MQ | messages.REPLY_ACK
#: The most regions SET_MEM_TABLE may carry.
MAX_REGIONS = 8

# vhost-device-scmi takes its socket away and makes a new one after each client: up to 8.4 ms
# were seen. So a first failure means nothing for this long, in seconds.
_REBIND = 0.05
_REBIND_PAUSE = 0.002
_WAIT_PAUSE = 0.05
# Nobody there, nobody listening, hung up (twice), or too many others waiting.
_RETRIED = (errno.ENOENT, errno.ECONNREFUSED, errno.ECONNRESET, errno.EPIPE, errno.EAGAIN)


class Frontend:
    """One connection to a backend, which it owns; made by ``connect``."""

    def __init__(self, connection: Connection, path: str, timeout: float) -> None:
        self._connection = connection
        self._path = path
        self._timeout = timeout
        self._settled = False
        self._answered: str | None = None
        self._shared = False
        self._size: int | None = None
        self._started: set[int] = set()
        #: Virtio feature bits the backend offers, as a mask, bit 30 included.
        self.offered = 0
        #: Virtio feature bits in use, without bit 30; None before ``negotiate``.
        self.accepted: int | None = None
        #: Protocol features in use, as a mask of ``messages.MQ`` and ``messages.REPLY_ACK``.
        self.protocol = 0
        #: How many queues the backend has; None if it does not say.
        self.queue_count: int | None = None

    @classmethod
    def connect(
        cls, path: str, *, timeout: float = 1.0, wait: float = 0.0, wake: int | None = None
    ) -> Frontend:
        """Connect to the backend that listens on the Unix socket ``path``.

        Tries again for ``wait`` seconds (and for 50 ms in any case) until GET_FEATURES has been
        answered. ``wake`` is a descriptor of the caller that ends this and every later wait by
        becoming readable. Raises ConnectError if there is no backend to talk to, Interrupted for
        ``wake``, RemoteProtocolError if what answers does not speak vhost-user.
        """
        address.check(path)
        start = time.monotonic()
        give_up = start + max(wait, _REBIND)
        while True:
            try:
                return cls._attempt(path, timeout, give_up, wake)
            except OSError as error:
                now = time.monotonic()
                if error.errno not in _RETRIED or now >= give_up or address.occupied(path):
                    raise address.unreachable(path, error) from error
            pause(_REBIND_PAUSE if now - start < _REBIND else _WAIT_PAUSE, wake)

    @classmethod
    def _attempt(cls, path: str, timeout: float, give_up: float, wake: int | None) -> Frontend:
        """One try, up to the first answer. Raises OSError for what another try may mend."""
        sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        connection = Connection(sock, half_message=timeout, wake=wake)
        frontend = cls(connection, path, timeout)
        # While one client is served others may queue up, so waiting for a turn is waiting too.
        limit = max(timeout, give_up - time.monotonic())
        request = Request.GET_FEATURES
        try:
            sock.connect(path)
            answer = frontend._converse(request, size=messages.U64_SIZE, limit=limit)
        except TimeoutError as error:
            connection.close()
            raise ConnectError(
                f"{path}: connected, but GET_FEATURES was not answered within {limit:.3g} s",
                hint="another frontend may be attached: many devices serve one at a time",
            ) from error
        except RemoteProtocolError as error:
            connection.close()
            raise RemoteProtocolError(
                f"{path}: {error.message}", hint="does a vhost-user device listen there?"
            ) from error
        except BaseException:
            connection.close()
            raise
        frontend.offered = messages.unpack_u64(request, answer)
        return frontend

    @property
    def timeout(self) -> float:
        """Seconds for each reply, from the request to its begin and from there to its end."""
        return self._timeout

    @timeout.setter
    def timeout(self, seconds: float) -> None:
        self._timeout = self._connection.half_message = seconds

    @property
    def closed(self) -> bool:
        """Is the connection closed, by ``close`` or after a fault?"""
        return self._connection.fileno() < 0

    def fileno(self) -> int:
        """The socket, for poll: readable means that ``check`` has something to say."""
        return self._connection.fileno()

    def negotiate(self, wanted: int) -> int:
        """Agree on features; returns the virtio feature bits in use (as a mask, without bit 30).

        ``wanted`` are those of ``USABLE`` to ask for; VERSION_1 is always among them. Sets
        ``protocol`` and ``queue_count`` as well. Raises ConnectError for a backend without
        VERSION_1 or without queues, LocalProtocolError for a feature that is not usable.
        """
        if self.accepted is not None:
            raise LocalProtocolError("negotiate called again, expected once per connection")
        if wanted & ~USABLE:
            raise LocalProtocolError(f"features {wanted:#x} wanted, expected some of {USABLE:#x}")
        if not self.offered & messages.VERSION_1:
            self._lose(f"the device offers features {self.offered:#x}, expected VERSION_1 (bit 32)")
        if self._has_protocol_features:
            offered = self._ask_u64(Request.GET_PROTOCOL_FEATURES)
            self.protocol = offered & PROTOCOL_WANTED
            self._tell(Request.SET_PROTOCOL_FEATURES, messages.pack_u64(self.protocol))
        self._tell(Request.SET_OWNER)
        if self.protocol & messages.MQ:
            self.queue_count = self._ask_u64(Request.GET_QUEUE_NUM)
            if self.queue_count == 0:
                self._lose("the device has 0 queues, expected 2 (or 1 without events)")
        accepted = self.offered & (wanted | messages.VERSION_1)
        if accepted & 1 << layout.F_P2A_CHANNELS and self.queue_count == 1:
            self._lose("the device offers P2A with 1 queue, expected 2", hint="try features=-p2a")
        bit30 = self.offered & messages.PROTOCOL_FEATURES
        self._tell(Request.SET_FEATURES, messages.pack_u64(accepted | bit30))
        self.accepted = accepted
        return accepted

    def set_memory(self, regions: Sequence[MemoryRegion], fds: Sequence[int]) -> None:
        """Share memory: region i lies in the file ``fds[i]``. All ring memory is initialised.

        Raises LocalProtocolError for regions that no backend has to take.
        """
        fault = fault_of_regions(regions)
        if fault is None and not 1 <= len(regions) <= MAX_REGIONS:
            fault = f"{len(regions)} regions found, expected 1 to {MAX_REGIONS}"
        if fault is None and len(regions) != len(fds):
            fault = f"{len(fds)} files for {len(regions)} regions found, expected as many"
        if self.accepted is None:
            fault = "set_memory called before negotiate"
        if fault is not None:
            raise LocalProtocolError(fault)
        payload = messages.pack_memory_table(regions)
        self._tell(Request.SET_MEM_TABLE, payload, fds=fds, acknowledged=True)
        self._shared = True

    def start_queue(
        self,
        index: int,
        *,
        size: int,
        descriptor: int,
        used: int,
        available: int,
        kick: int,
        call: int | None,
        base: int = 0,
    ) -> None:
        """Hand queue ``index`` of ``size`` entries to the backend and kick it once.

        ``descriptor``, ``used``, ``available`` are user addresses of the initialised parts;
        ``base`` is the first available index to take. ``kick`` and ``call`` are eventfds; call
        None means that the backend is not to signal.
        """
        if not self._shared:
            raise LocalProtocolError(f"queue {index} started, expected set_memory before")
        self._size = size
        where = VringAddress(index, 0, descriptor, used, available)
        state = messages.pack_state
        self._tell(Request.SET_VRING_NUM, state(index, size))
        self._tell(Request.SET_VRING_BASE, state(index, base))
        self._tell(Request.SET_VRING_ADDR, messages.pack_address(where))
        self._tell(
            Request.SET_VRING_CALL,
            messages.pack_vring_fd(index, call is not None),
            fds=() if call is None else (call,),
        )
        self._started.add(index)
        self._tell(Request.SET_VRING_KICK, messages.pack_vring_fd(index, True), fds=(kick,))
        # By the older text a ring starts with the first kick, not with the message.
        notifier.signal(kick)

    def enable(self, index: int, on: bool = True) -> None:
        """Let the backend use queue ``index``, or not. Needs no message where it always may."""
        if self._has_protocol_features:
            payload = messages.pack_state(index, int(on))
            self._tell(Request.SET_VRING_ENABLE, payload, acknowledged=True)

    def settle(self) -> None:
        """Return when the backend has digested all that was sent: the set-up is over."""
        if not self.protocol & messages.REPLY_ACK:
            self._ask_u64(Request.GET_FEATURES)
        self._settled = True

    def stop_queue(self, index: int) -> int:
        """Stop queue ``index``; returns the available index the backend would take next.

        Less than what was made available means that chains were never taken. After it the
        backend has dropped kick and call.
        """
        if index not in self._started:
            raise LocalProtocolError(f"queue {index} stopped, expected one that was started")
        self.enable(index, False)
        request = Request.GET_VRING_BASE
        payload = messages.pack_state(index, 0)
        answer = self._exchange(request, payload, size=messages.STATE_SIZE)
        self._started.discard(index)
        found = messages.unpack_state(request, answer)
        if found.queue != index or found.num > 0xFFFF:
            self.close()
            raise RemoteProtocolError(
                f"{self._path}: reply to GET_VRING_BASE: queue {found.queue}, index {found.num}"
                f" found, expected queue {index} and an index up to 65535"
            )
        return found.num

    def check(self) -> None:
        """See what made the socket readable; never blocks.

        Raises DeviceGone if the backend hung up, RemoteProtocolError if it sent something:
        nothing is due when nothing was asked.
        """
        self._require_open()
        try:
            if self._connection.idle():
                return
        except OSError as error:
            self.close()
            raise DeviceGone(f"{self._path}: the device hung up") from error
        self.close()
        raise RemoteProtocolError(
            f"{self._path}: a message from the device found, expected none: nothing was asked"
        )

    def close(self) -> None:
        """Close the socket: never blocks, says nothing to the backend. Idempotent."""
        self._connection.close()

    @property
    def _has_protocol_features(self) -> bool:
        return bool(self.offered & messages.PROTOCOL_FEATURES)

    def _tell(
        self,
        request: Request,
        payload: bytes = b"",
        *,
        fds: Sequence[int] = (),
        acknowledged: bool = False,
    ) -> None:
        """Send a request that has no reply of its own; ``acknowledged`` if that can be had."""
        if not acknowledged or not self.protocol & messages.REPLY_ACK:
            self._exchange(request, payload, fds=fds)
            return
        flags = messages.VERSION | messages.NEED_REPLY
        answer = self._exchange(request, payload, flags=flags, fds=fds, size=messages.U64_SIZE)
        code = messages.unpack_u64(request, answer)
        if code:
            self._lose(f"the device refused {request.name}: answer {code:#x}, expected 0")

    def _ask_u64(self, request: Request) -> int:
        return messages.unpack_u64(request, self._exchange(request, size=messages.U64_SIZE))

    def _exchange(
        self,
        request: Request,
        payload: bytes = b"",
        *,
        flags: int = messages.VERSION,
        fds: Sequence[int] = (),
        size: int | None = None,
    ) -> bytes:
        """Send, and wait for a reply of ``size`` bytes unless None. Any failure closes."""
        self._require_open()
        try:
            return self._converse(
                request, payload, flags=flags, fds=fds, size=size, limit=self.timeout
            )
        except TimeoutError as error:
            self._lose(f"{request.name} was not answered within {self.timeout:g} s", error)
        except OSError as error:
            self._lose(
                f"the device hung up at {request.name}; it had answered {self._answered}", error
            )
        except RemoteProtocolError as error:
            self.close()
            raise RemoteProtocolError(f"{self._path}: {error.message}", hint=error.hint) from error
        except BaseException:
            self.close()
            raise

    def _converse(
        self,
        request: Request,
        payload: bytes = b"",
        *,
        flags: int = messages.VERSION,
        fds: Sequence[int] = (),
        size: int | None = None,
        limit: float,
    ) -> bytes:
        deadline = time.monotonic() + limit
        if not self._connection.idle():
            raise RemoteProtocolError(
                f"a message from the device found before {request.name}, expected none"
            )
        self._connection.send(request, payload, flags=flags, fds=fds, deadline=deadline)
        if size is None:
            return b""
        message = self._connection.receive(
            lambda header: messages.check_reply(header, request, size), deadline
        )
        message.close()
        self._answered = request.name
        return message.payload

    def _lose(self, text: str, cause: Exception | None = None, hint: str | None = None) -> NoReturn:
        """The device is no use any more: close, and say so."""
        self.close()
        kind: type[TransportError] = DeviceGone if self._settled else ConnectError
        if hint is None and self._size is not None and not self._settled:
            hint = f"perhaps the device does not take queues of {self._size} entries"
        raise kind(f"{self._path}: {text}", hint=hint) from cause

    def _require_open(self) -> None:
        if self.closed:
            raise DeviceGone(f"{self._path}: the connection to the device is closed")
