"""The connection on which faults strike: a port whose frames go through what is in force.

Theory of operation. No behaviour knows of faults. Between a port and whoever carries its frames,
``handle`` sees every command and ``poll`` every frame that comes by itself; the platform's
:class:`~scmictl.platform.fault.Faults` say which of them are struck. What is to come later (a late
response, the copy of one, the response behind its delayed response) waits in a heap by due time,
and ``poll`` gives it out with its cookie. A storm is made as it goes out, BURST frames a poll, so
that it takes no memory however long it is.

On a queue that is dead no command is ever given back and no event comes, to the end of the
connection; whoever serves the queue needs to know nothing of that, because a device that uses no
buffer is all that a driver can see of it. A disconnection is the one thing that a port cannot do by
itself: ``handle`` raises DeviceGone, and the transport or the server ends the connection.
"""

from __future__ import annotations

import heapq
from collections.abc import Sequence
from typing import Any

from scmictl.errors import DeviceGone, RemoteProtocolError
from scmictl.platform.dispatch import SMALLEST
from scmictl.platform.fault import ASYNC, COMMAND, DELAYED, NOTIFICATION, Fault
from scmictl.platform.port import Port
from scmictl.protocols import base
from scmictl.wire import Status, codec, header, status
from scmictl.wire.header import Header

BURST = 32
"""Notifications of a storm that one poll brings."""
STORMS = 64
"""Storms that can blow at a time; what begins beyond them is no storm."""

_TYPE = 0x3 << 8
FILLER = b"\xa5"
"""What a response is made longer with."""


class FaultyPort(Port):
    """A port like any other as long as no faults are in force."""

    def __init__(self, *args: Any, **more: Any) -> None:
        super().__init__(*args, **more)
        self.dead = False
        """The device uses its queues no more."""
        self._struck: dict[int, tuple[list[Fault], int]] = {}
        """Faults and room, by cookie, of commands that the platform answers later."""
        self._later: list[tuple[float, int, int | None, bytes]] = []
        self._order = 0
        self._behind: dict[int, tuple[int, bytes, float]] = {}
        """Cookie, response and delay of what follows its delayed response, by header."""
        self._storms: dict[bytes, int] = {}

    def handle(self, cookie: int, frame: bytes, room: int, now: float) -> bytes | None:
        if self.dead:
            return None
        if not self.platform.faults or self.closed or len(frame) < header.SIZE or room < SMALLEST:
            return super().handle(cookie, frame, room, now)
        struck = self._strike(frame)
        kinds = {fault.kind.name: fault for fault in struck}
        if "disconnect" in kinds:
            raise DeviceGone(f"the device hung up (fault {kinds['disconnect'].text})")
        if "dead" in kinds:
            self.dead = True
            return None
        if "busy" in kinds:
            self.platform.advance(now)
            answer: bytes | None = frame[: header.SIZE] + status.WORD.pack(Status.BUSY)
        else:
            answer = super().handle(cookie, frame, room, now)
        if answer is None:
            self._struck[cookie] = struck, room
            return None
        return self._respond(cookie, answer, struck, room)

    def poll(self, now: float) -> list[tuple[int | None, bytes]]:
        due = super().poll(now)
        if self.dead or self.closed:
            return []
        given: list[tuple[int | None, bytes]] = []
        for cookie, frame in due:
            if cookie is None:
                given += [(None, one) for one in self._unasked(frame)]
                continue
            struck, room = self._struck.pop(cookie, ([], 0))
            answer = self._respond(cookie, frame, struck, room)
            if answer is not None:
                given.append((cookie, answer))
        while self._later and self._later[0][0] <= self.platform.now:
            _, _, cookie, frame = heapq.heappop(self._later)
            given.append((cookie, frame))
        given += [(None, frame) for frame in self._burst()]
        return given

    def next_deadline(self) -> float | None:
        if self.dead or self.closed:
            return None
        times = [super().next_deadline()]
        if self._later:
            times.append(self._later[0][0])
        if self._storms:
            times.append(self.platform.now)
        return min((time for time in times if time is not None), default=None)

    def close(self) -> None:
        super().close()
        self._struck.clear()
        self._later.clear()
        self._behind.clear()
        self._storms.clear()

    # --- commands ---------------------------------------------------------------------------------

    def _strike(self, frame: bytes) -> list[Fault]:
        """Return the faults that strike a command."""
        faults = self.platform.faults
        head = _header(frame)
        struck = list(faults.strike(COMMAND, self.agent, head))
        if faults.wants(ASYNC) and self._asks_for_delayed(head, frame[header.SIZE :]):
            struck += faults.strike(ASYNC, self.agent, head)
        return struck

    def _asks_for_delayed(self, head: Header, payload: bytes) -> bool:
        behaviour = self.platform.behaviours.get(head.protocol_id)
        message = behaviour.PROTOCOL.by_id.get(head.message_id) if behaviour is not None else None
        if message is None:
            return False
        try:
            request = codec.decode(message, self.versions[head.protocol_id], payload)
        except RemoteProtocolError:
            return False
        return self.events and request.expects_delayed

    def _respond(
        self, cookie: int, answer: bytes, struck: Sequence[Fault], room: int
    ) -> bytes | None:
        """Return the response as the faults make it; None if they keep it for later."""
        word: int = header.WORD.unpack_from(answer)[0]
        code = answer[header.SIZE : SMALLEST]
        delay, behind = 0.0, None
        copied = False
        for fault in struck:
            name = fault.kind.name
            if name in ("late", "overdue"):
                delay = max(delay, fault.own)
            elif name == "early" and not any(code):
                behind = fault.own
            elif name == "duplicate":
                copied = self.events
            elif name == "storm":
                self._begin_storm(_error_event(self.versions[base.ID]), fault.own)
            else:
                answer = _changed(answer, fault, room)
        if behind is not None:
            self._behind[word & ~_TYPE] = cookie, answer, behind + delay
            return None
        if delay:
            self._put_off(cookie, answer, delay)
        if copied:
            self._put_off(None, answer, delay)
        return None if delay else answer

    def _put_off(self, cookie: int | None, frame: bytes, delay: float) -> None:
        self._order += 1
        due = self.platform.now + delay
        heapq.heappush(self._later, (due, self._order, cookie, frame))

    # --- what comes by itself ---------------------------------------------------------------------

    def _unasked(self, frame: bytes) -> list[bytes]:
        """Return what becomes of a delayed response or a notification."""
        faults = self.platform.faults
        head = _header(frame)
        if head.message_type == header.DELAYED:
            word: int = header.WORD.unpack_from(frame)[0]
            response = self._behind.pop(word & ~_TYPE, None)
            if response is not None:
                self._put_off(*response)
            return [frame] * (1 + len(list(faults.strike(DELAYED, self.agent, head))))
        copies = 1
        for fault in faults.strike(NOTIFICATION, self.agent, head):
            name = fault.kind.name
            if name == "lost":
                copies = 0
            elif name == "storm":
                self._begin_storm(frame, fault.own)
            else:
                copies *= 2
        return [frame] * copies

    def _begin_storm(self, frame: bytes, copies: int) -> None:
        if self.events and len(self._storms) < STORMS:
            self._storms[frame] = self._storms.get(frame, 0) + copies

    def _burst(self) -> list[bytes]:
        """Return the next frames of the storms that blow."""
        found: list[bytes] = []
        for frame in list(self._storms):
            number = min(self._storms[frame], BURST - len(found))
            found += [frame] * number
            self._storms[frame] -= number
            if not self._storms[frame]:
                del self._storms[frame]
        return found


def _changed(answer: bytes, fault: Fault, room: int) -> bytes:
    """Return a response with what one fault does to its bytes."""
    head = _header(answer)
    name = fault.kind.name
    rest = answer[header.SIZE :]
    if name == "wrong-token":
        return header.frame(*head._replace(token=head.token ^ header.TOKENS - 1)[:4], rest)
    if name == "wrong-type":
        return header.frame(*head._replace(message_type=header.DELAYED)[:4], rest)
    if name == "short":
        return answer[: max(0, len(answer) - int(fault.own))]
    if name == "long":
        return answer + FILLER * min(int(fault.own), room - len(answer))
    if name == "error":
        return header.frame(*head[:4], status.WORD.pack(fault.own) + rest[status.WORD.size :])
    return answer


def _header(frame: bytes) -> Header:
    return header.unpack(header.WORD.unpack_from(frame)[0])


def _error_event(version: int) -> bytes:
    """Return the notification that storms are made of: an error that nobody has made."""
    event = base.ErrorEvent(agent_id=0, error_status=base.ErrorStatus(cmd_count=0), msg_reports=[])
    return codec.frame(event, version)
