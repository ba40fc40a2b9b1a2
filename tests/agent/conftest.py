"""A platform that says exactly what a test tells it to, behind the real queues."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from scmictl.agent import Agent
from scmictl.transport.inprocess import InProcess
from scmictl.transport.queues import Choices

Answer = Callable[[bytes], "bytes | None"]


class Peer:
    """The far end of the queues: hand-made frames, given back when the test says so.

    ``answer`` makes the response to a request frame; None keeps the request for
    :meth:`respond`. ``frames`` are all requests seen.
    """

    def __init__(self) -> None:
        self.answer: Answer = lambda frame: None
        self.frames: list[bytes] = []
        self.kept: list[tuple[int, bytes]] = []
        self.outgoing: list[tuple[int | None, bytes]] = []
        self.closed = False

    def handle(self, cookie: int, frame: bytes, room: int, now: float) -> bytes | None:
        self.frames.append(frame)
        answer = self.answer(frame)
        if answer is None:
            self.kept.append((cookie, frame))
        return answer

    def poll(self, now: float) -> list[tuple[int | None, bytes]]:
        due, self.outgoing = self.outgoing, []
        return due

    def next_deadline(self) -> float | None:
        return None

    def close(self) -> None:
        self.closed = True

    def respond(self, payload: bytes, *, to: int = 0, header: bytes | None = None) -> None:
        """Answer the kept request number ``to`` with ``payload`` under its own header."""
        cookie, frame = self.kept.pop(to)
        self.outgoing.append((cookie, (frame[:4] if header is None else header) + payload))

    def event(self, frame: bytes) -> None:
        """Put ``frame`` on the event queue."""
        self.outgoing.append((None, frame))

    @property
    def tokens(self) -> list[int]:
        return [int.from_bytes(frame[:4], "little") >> 18 & 0x3FF for frame in self.frames]


@pytest.fixture
def peer() -> Peer:
    return Peer()


@pytest.fixture
def make(peer: Peer, time: Any) -> Callable[..., Agent]:
    """Return a function that connects an agent to ``peer``."""

    def connect(*, offered: int = -1, choices: Choices | None = None, **more: Any) -> Agent:
        transport = InProcess(peer, choices=choices, offered=offered)
        return Agent(transport, waiter=time, wall=lambda: 1.5, **more)

    return connect


@pytest.fixture
def agent(make: Callable[..., Agent]) -> Agent:
    return make()
