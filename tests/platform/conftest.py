"""An agent made by hand: says messages to a port at times the test chooses."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from scmictl import protocols
from scmictl.platform import Platform, Port
from scmictl.wire import Request, Status, codec, header, status

START = 5000.25
"""The caller's clock may stand anywhere when the platform is first used."""


class Connection:
    """One port, and the messages on it; ``now`` is the time at which they are said."""

    def __init__(self, platform: Platform, agent: str | None, events: bool) -> None:
        self.platform = platform
        self.port: Port = platform.attach(agent, events=events)
        self.now = START
        self.token = 0
        self.late: list[tuple[int, Status]] = []
        """Token and status of the responses that came by a poll."""

    def send(self, request: Request[Any], room: int = 8192) -> bytes | None:
        """Say a message in the version in force and return the response frame."""
        self.token = (self.token + 1) % header.TOKENS
        version = self.port.versions.get(request.PROTOCOL_ID, 0x10000)
        frame = codec.frame(request, version, self.token)
        return self.port.handle(self.token, frame, room, self.now)

    def status(self, request: Request[Any], room: int = 8192) -> Status:
        """Say a message that is refused, and return the status; nothing may follow it."""
        frame = self.send(request, room)
        assert frame is not None
        found = Status(status.WORD.unpack_from(frame, 4)[0])
        assert found is Status.SUCCESS or len(frame) == 8
        return found

    def ask(self, request: Request[Any], room: int = 8192) -> Any:
        """Say a message that succeeds, and return the response."""
        frame = self.send(request, room)
        assert frame is not None
        assert len(frame) <= room
        assert codec.read_status(frame[4:], request.SPEC) == 0
        if request.expects_delayed:
            assert len(frame) == 8
            return None
        version = self.port.versions[request.PROTOCOL_ID]
        message = codec.decode(request.RESPONSE, version, frame[8:])
        assert message.surplus == b""
        return message

    def every(self, request: Request[Any], room: int = 136) -> list[Any]:
        """Read a whole list, in as many messages as the room demands."""
        paging = request.PAGING
        assert paging is not None
        found: list[Any] = []
        while True:
            setattr(request, paging.start, len(found))
            response = self.ask(request, room)
            page = getattr(response, paging.items)
            found += page
            count, _, bits = (paging.remaining or "").partition(".")
            if not count:
                # Nothing tells how many there are: the list ends with an empty page.
                if not page:
                    return found
                continue
            assert page
            if not getattr(getattr(response, count), bits):
                return found

    def raw(self, text: str, room: int = 8192) -> str | None:
        """Send bytes given in hexadecimal, and return the response the same way."""
        frame = self.port.handle(0, bytes.fromhex(text), room, self.now)
        return None if frame is None else frame.hex(" ", 4)

    def words(self, *values: int) -> list[int] | None:
        """Send a frame of 32-bit words, and return the response the same way."""
        frame = self.port.handle(
            0,
            b"".join((value & 0xFFFFFFFF).to_bytes(4, "little") for value in values),
            8192,
            self.now,
        )
        if frame is None:
            return None
        return [int.from_bytes(frame[at : at + 4], "little") for at in range(0, len(frame), 4)]

    def poll(self, now: float | None = None) -> list[bytes]:
        """Return the frames that have come by themselves."""
        self.now = self.now if now is None else now
        due = self.port.poll(self.now)
        for cookie, frame in due:
            if cookie is not None:
                head = header.unpack(header.WORD.unpack_from(frame)[0])
                assert (head.message_type, head.token) == (header.COMMAND, cookie)
                assert len(frame) == 8
                self.late.append((cookie, Status(status.WORD.unpack_from(frame, 4)[0])))
        return [frame for cookie, frame in due if cookie is None]

    def events(self, now: float | None = None) -> list[Any]:
        """Return the notifications and delayed responses that have come, decoded.

        A delayed response that is an error is its Status.
        """
        found: list[Any] = []
        for frame in self.poll(now):
            head = header.unpack(header.WORD.unpack_from(frame)[0])
            protocol = protocols.by_id(
                head.protocol_id, self.platform.vendor, self.platform.sub_vendor
            )
            assert protocol is not None
            version = self.port.versions[head.protocol_id]
            if head.message_type == header.NOTIFICATION:
                found.append(
                    codec.decode(protocol.events_by_id[head.message_id], version, frame[4:])
                )
                continue
            assert head.message_type == header.DELAYED
            code = codec.read_status(frame[4:], "")
            delayed = protocol.by_id[head.message_id].DELAYED
            assert delayed is not None
            found.append(Status(code) if code else codec.decode(delayed, version, frame[8:]))
            assert not code or len(frame) == 8
        assert all(getattr(message, "surplus", b"") == b"" for message in found)
        return found


Connect = Callable[..., Connection]


@pytest.fixture
def connect() -> Connect:
    """Return a function that attaches an agent to a platform, or to a board given as text."""

    def attach(
        board: str | Platform, agent: str | None = None, *, events: bool = True
    ) -> Connection:
        platform = Platform.from_text(board, "test.toml") if isinstance(board, str) else board
        return Connection(platform, agent, events)

    return attach
