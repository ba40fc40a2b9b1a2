"""The life of every command: tokens, deadlines, delayed responses; and what comes unasked.

Theory of operation. No I/O and no clock: frames and ``now`` come in, outcomes go out. A transfer is

    pending -> answered -> done                 an ordinary command
    pending -> answered -> awaiting -> done     one that a delayed response follows
    pending or awaiting -> overdue -> done      no answer in time; the agent finds out why
    any -> done                                 the connection is gone, or the peer broke a rule

Its token (10 bits, counted up) stays reserved until every frame that may carry it has come (those
that are *due*): after a timeout it is *quarantined*, so that a late answer can never be taken for
that of another command.
Of the peer nothing is assumed: it may answer in any order, twice, with another's token, or send a
delayed response before the response (which counts as that response having been SUCCESS).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Generic, NamedTuple, TypeVar

from scmictl import protocols
from scmictl.errors import (
    LocalProtocolError,
    RemoteProtocolError,
    ScmictlError,
    StatusError,
)
from scmictl.protocols import Protocol
from scmictl.transport.base import COMMANDS, Received
from scmictl.wire import Delayed, Notification, Request, Response, codec, header, status_name
from scmictl.wire.status import MEANINGS, Status

R = TypeVar("R", bound=Response)

RESPONSE = 1
DELAYED = 2
"""Frames that are due, as a mask: the request's buffer is out; a delayed response may come."""


class Raw(NamedTuple):
    """A request in bytes, for `raw`: nothing about it is checked or decoded."""

    protocol_id: int
    message_id: int
    payload: bytes
    message_type: int = header.COMMAND


class Transfer(Generic[R]):
    """One command on its way, and what came of it.

    ``status`` and ``payload`` are the response's as they came; ``delayed`` is the delayed response
    once it is there. ``latency`` is in seconds from the request to the last answer so far.
    ``claimed`` means that somebody waits for this very transfer, so that the agent need not report
    its end to whoever runs the event loop. ``due`` are the frames that may still carry its token.
    ``tries`` is how often it was sent again because the platform was busy.
    """

    __slots__ = (
        "answered", "awaiting", "claimed", "deadline", "delayed", "delayed_timeout", "done", "due",
        "error", "frame", "latency", "overdue", "payload", "request", "response", "sent", "status",
        "timeout", "token", "tries", "version",
    )  # fmt: skip

    def __init__(self, request: Request[R] | Raw, version: int) -> None:
        self.request = request
        self.version = version
        self.token = -1
        self.frame = b""
        self.sent = self.deadline = self.timeout = self.delayed_timeout = 0.0
        self.tries = 0
        self.latency: float | None = None
        self.answered = self.awaiting = self.overdue = self.done = False
        self.claimed = False
        self.due = 0
        self.status: int | None = None
        self.payload = b""
        self.response: R | None = None
        self.delayed: Delayed | None = None
        self.error: ScmictlError | None = None

    @property
    def spec(self) -> str:
        """The specification name of the request."""
        if isinstance(self.request, Raw):
            return f"message {self.request.protocol_id:#x}/{self.request.message_id:#x}"
        return self.request.SPEC

    def result(self) -> R:
        """Return the response; raises the error the transfer ended with, StatusError among them."""
        if self.error is not None:
            raise self.error
        if self.response is None:
            raise LocalProtocolError(f"{self.spec} has no decoded response (yet)")
        return self.response

    def recall(self) -> None:
        """Become again what it was before it was sent: it was refused, and is to be sent anew."""
        self.answered = self.overdue = self.done = False
        self.latency = self.status = self.response = self.error = None
        self.payload = b""

    def fail(self, error: ScmictlError) -> None:
        """End the transfer with ``error``."""
        self.error = error
        self.answered = self.done = True


class Event:
    """A notification as it came.

    ``message`` is None when its bytes cannot be decoded; ``error`` then says why. ``protocol`` is
    None when nobody knows what its number means on this platform. ``time`` is the wall-clock time
    of its arrival, in seconds since 1970.
    """

    __slots__ = ("error", "header", "message", "payload", "protocol", "time", "version")

    def __init__(
        self,
        head: header.Header,
        payload: bytes,
        message: Notification | None,
        version: int,
        error: ScmictlError | None,
        protocol: Protocol | None = None,
    ) -> None:
        self.protocol = protocol
        self.header = head
        self.payload = payload
        self.message = message
        self.version = version
        self.error = error
        self.time = 0.0

    @property
    def spec(self) -> str:
        """The specification name, or the number where it is unknown."""
        if self.message is not None:
            return self.message.SPEC
        return f"notification {self.header.protocol_id:#x}/{self.header.message_id:#x}"


class Stray(NamedTuple):
    """A frame nobody waits for: late after a timeout, a duplicate, or never asked for."""

    data: bytes
    reason: str


class Transfers:
    """All transfers of one connection; ``known`` returns what a protocol number means on it."""

    def __init__(self, known: Callable[[int], Protocol | None] = protocols.by_id) -> None:
        self._known = known
        self.pending: dict[int, Transfer[Any]] = {}
        self.quarantine: dict[int, Transfer[Any]] = {}
        """Tokens given up on; the transfers are kept for the report when they come after all."""
        self._next = 0

    def open(
        self,
        transfer: Transfer[Any],
        now: float,
        timeout: float,
        delayed_timeout: float,
        *,
        probe: bool = False,
    ) -> None:
        """Give ``transfer`` a token, its frame and its deadline.

        The last free token is kept for a ``probe``. Raises LocalProtocolError when the values do
        not fit or no token is free.
        """
        request = transfer.request
        if isinstance(request, Raw):
            payload = request.payload
            protocol_id, message_id, kind = (
                request.protocol_id,
                request.message_id,
                request.message_type,
            )
        else:
            payload = codec.encode(request, transfer.version)
            protocol_id, message_id, kind = request.PROTOCOL_ID, request.MESSAGE_ID, request.TYPE
        transfer.token = self._take_token(1 if probe else 2)
        transfer.frame = header.frame(message_id, kind, protocol_id, transfer.token, payload)
        transfer.sent = now
        transfer.timeout = timeout
        transfer.deadline = now + timeout
        transfer.delayed_timeout = delayed_timeout
        delayed = not isinstance(request, Raw) and request.expects_delayed
        transfer.due = RESPONSE | DELAYED if delayed else RESPONSE
        self.pending[transfer.token] = transfer

    @property
    def free(self) -> int:
        """How many tokens are not reserved."""
        return header.TOKENS - len(self.pending) - len(self.quarantine)

    @property
    def full(self) -> bool:
        """Is there no token for another command?"""
        return self.free < 2

    def _take_token(self, needed: int) -> int:
        if self.free < needed:
            raise LocalProtocolError(
                f"no token is free: {len(self.quarantine)} of {header.TOKENS} belong to commands "
                "that were never answered in full",
                hint="a new connection begins anew",
            )
        while True:
            token = self._next
            self._next = (token + 1) % header.TOKENS
            if token not in self.pending and token not in self.quarantine:
                return token

    def withdraw(self, transfer: Transfer[Any]) -> None:
        """Undo :meth:`open`: the frame never left."""
        self.pending.pop(transfer.token, None)

    def give_up(self, transfer: Transfer[Any], error: ScmictlError) -> None:
        """End a transfer although not everything that is due has come."""
        transfer.fail(error)
        self._finish(transfer)

    def fail_all(self, error: ScmictlError) -> list[Transfer[Any]]:
        """End everything pending: the connection, and with it every late answer, is gone."""
        failed = list(self.pending.values())
        for transfer in failed:
            transfer.fail(error)
        self.pending.clear()
        self.quarantine.clear()
        return failed

    def overdue(self, now: float) -> list[Transfer[Any]]:
        """Return the transfers whose deadline has passed, each only once."""
        late = [t for t in self.pending.values() if t.deadline <= now and not t.overdue]
        for transfer in late:
            transfer.overdue = True
        return late

    def next_deadline(self) -> float | None:
        """Return the earliest deadline of what is pending and not yet overdue."""
        return min((t.deadline for t in self.pending.values() if not t.overdue), default=None)

    def received(
        self, frame: Received, versions: dict[int, int], now: float
    ) -> Transfer[Any] | Event | Stray | None:
        """Take one frame; return what it finished, brought or broke.

        None means that a transfer got its response but still waits for the delayed one.
        """
        if len(frame.data) < header.SIZE:
            return self._headless(frame)
        head = header.unpack(header.WORD.unpack_from(frame.data)[0])
        payload = frame.data[header.SIZE :]
        if head.message_type == header.NOTIFICATION and frame.cookie is None:
            return self.event(head, payload, versions)
        if frame.cookie is not None:
            return self._response(frame, head, payload, now)
        if head.message_type == header.DELAYED or frame.queue == COMMANDS:
            return self._unpaired(frame, head, payload, now)
        return Stray(
            frame.data,
            f"message type {head.message_type} ({header.TYPE_NAMES[head.message_type]}) on the "
            "event queue, expected a notification or a delayed response",
        )

    def _headless(self, frame: Received) -> Transfer[Any] | Stray:
        text = f"a frame of {len(frame.data)} bytes, expected at least the 4 of the header"
        transfer = None
        if frame.cookie is not None:
            transfer = self.pending.get(frame.cookie)
            self._late(frame.cookie, RESPONSE)
        if transfer is None:
            return Stray(frame.data, text)
        return self._broken(transfer, f"{transfer.spec}: the device returned {text}")

    def _late(self, token: int, came: int) -> Transfer[Any] | None:
        """Take note of a frame for a token in quarantine; frees it if that was the last one due."""
        late = self.quarantine.get(token)
        if late is not None:
            late.due &= ~came
            if not late.due:
                del self.quarantine[token]
        return late

    def _response(
        self, frame: Received, head: header.Header, payload: bytes, now: float
    ) -> Transfer[Any] | Stray | None:
        """A frame in the buffer of a request: it must be that request's response."""
        assert frame.cookie is not None
        transfer = self.pending.get(frame.cookie)
        if transfer is None or transfer.answered:
            late = self._late(frame.cookie, _brought(payload))
            what = f"of {late.spec} after its time limit" if late else "that nobody asked for"
            return Stray(frame.data, f"a response {what} (token {head.token})")
        sent = header.unpack(header.WORD.unpack_from(transfer.frame)[0])
        for name, found, expected in (
            ("token", head.token, sent.token),
            ("message type", head.message_type, sent.message_type),
            ("protocol", head.protocol_id, sent.protocol_id),
            ("message id", head.message_id, sent.message_id),
        ):
            if found != expected:
                return self._broken(
                    transfer,
                    f"{transfer.spec}: the response has {name} {found:#x}, expected {expected:#x}",
                )
        return self._answer(transfer, payload, now)

    def _unpaired(
        self, frame: Received, head: header.Header, payload: bytes, now: float
    ) -> Transfer[Any] | Stray | None:
        """A delayed response, or a response on a transport without request buffers."""
        transfer = self.pending.get(head.token)
        kind = header.TYPE_NAMES[head.message_type]
        if transfer is None:
            late = self._late(
                head.token, DELAYED if head.message_type == header.DELAYED else _brought(payload)
            )
            what = f"of {late.spec} after its time limit" if late else "that nobody waits for"
            return Stray(frame.data, f"a {kind} {what} (token {head.token})")
        sent = header.unpack(header.WORD.unpack_from(transfer.frame)[0])
        if (head.protocol_id, head.message_id) != (sent.protocol_id, sent.message_id):
            return Stray(
                frame.data,
                f"a {kind} for {head.protocol_id:#x}/{head.message_id:#x} with the token of "
                f"{transfer.spec}",
            )
        if head.message_type != header.DELAYED:
            if transfer.answered:
                return Stray(frame.data, f"a second response to {transfer.spec}")
            return self._answer(transfer, payload, now)
        request = transfer.request
        if isinstance(request, Raw) or not request.expects_delayed:
            return Stray(frame.data, f"a delayed response that {transfer.spec} did not ask for")
        if not transfer.due & DELAYED:
            return Stray(frame.data, f"a second delayed response to {transfer.spec}")
        return self._delayed(transfer, request, payload, now)

    def _answer(self, transfer: Transfer[Any], payload: bytes, now: float) -> Transfer[Any] | None:
        transfer.answered = True
        transfer.due &= ~_brought(payload)
        transfer.latency = now - transfer.sent
        transfer.payload = payload
        request = transfer.request
        try:
            transfer.status = codec.read_status(payload, transfer.spec)
            if isinstance(request, Raw):
                return self._finish(transfer)
            if transfer.status:
                raise status_error(transfer.status, transfer.spec, protocols.of(request))
            if request.expects_delayed:
                # The response only says "accepted": there are no fields to decode yet.
                transfer.response = object.__new__(request.RESPONSE)
                transfer.response.surplus = payload[4:]
                if transfer.delayed is not None:
                    return self._finish(transfer)
                transfer.awaiting = True
                transfer.deadline = now + transfer.delayed_timeout
                return None
            transfer.response = codec.decode(request.RESPONSE, transfer.version, payload, 4)
        except RemoteProtocolError as error:
            transfer.error = _named(error, transfer.spec)
        except ScmictlError as error:
            transfer.error = error
        return self._finish(transfer)

    def _delayed(
        self, transfer: Transfer[Any], request: Request[Any], payload: bytes, now: float
    ) -> Transfer[Any] | None:
        kind = request.DELAYED
        assert kind is not None
        transfer.due &= ~DELAYED
        transfer.latency = now - transfer.sent
        try:
            code = codec.read_status(payload, kind.SPEC)
            if code:
                transfer.status = code
                raise status_error(code, kind.SPEC, protocols.of(request))
            transfer.delayed = codec.decode(kind, transfer.version, payload, 4)
        except RemoteProtocolError as error:
            transfer.error = _named(error, kind.SPEC)
        except ScmictlError as error:
            transfer.error = error
        if not transfer.answered and transfer.error is None:
            # It overtook its response, whose buffer is still out: the token stays in use.
            return None
        if not transfer.answered:
            self.give_up(transfer, transfer.error or RemoteProtocolError(kind.SPEC))
            return transfer
        return self._finish(transfer)

    def _finish(self, transfer: Transfer[Any]) -> Transfer[Any]:
        """End a transfer; its token is free again if nothing is due any more."""
        transfer.done = True
        if self.pending.pop(transfer.token, None) is not None and transfer.due:
            self.quarantine[transfer.token] = transfer
        return transfer

    def _broken(self, transfer: Transfer[Any], text: str) -> Transfer[Any]:
        """End a transfer whose buffer came back with something else in it."""
        transfer.due &= ~RESPONSE
        transfer.fail(RemoteProtocolError(text))
        return self._finish(transfer)

    def event(self, head: header.Header, payload: bytes, versions: dict[int, int]) -> Event:
        """Return a notification, decoded if its protocol is known."""
        protocol = self._known(head.protocol_id)
        kind = protocol.events_by_id.get(head.message_id) if protocol is not None else None
        if protocol is None or kind is None:
            return Event(head, payload, None, 0, None, protocol)
        version = versions.get(head.protocol_id, protocol.newest)
        try:
            message = codec.decode(kind, version, payload)
        except RemoteProtocolError as error:
            return Event(head, payload, None, version, _named(error, kind.SPEC), protocol)
        return Event(head, payload, message, version, None, protocol)


def _brought(payload: bytes) -> int:
    """What a response settles: a refused command has no delayed response either."""
    return RESPONSE | DELAYED if any(payload[:4]) else RESPONSE


def status_error(code: int, spec: str, protocol: Protocol | None = None) -> StatusError:
    """Return the error that a status other than SUCCESS means, in the messages of ``protocol``."""
    try:
        meaning = f": {MEANINGS[Status(code)]}"
    except ValueError:
        own = None if protocol is None else protocol.statuses.get(code)
        meaning = "" if own is None else f": {own}"
    name = status_name(code)
    return StatusError(f"{spec}: {name} ({code}){meaning}", status=code, name=name, request=spec)


def _named(error: RemoteProtocolError, spec: str) -> RemoteProtocolError:
    return RemoteProtocolError(
        f"{spec}: {error.message.partition(': ')[2] or error.message}",
        hint=error.hint,
        partial=error.partial,
    )
