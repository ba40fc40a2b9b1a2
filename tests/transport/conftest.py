"""What the transport tests share: nothing leaks, nothing hangs; a driver as an agent drives it."""

from __future__ import annotations

import gc
import os
import select
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NoReturn

import pytest

from scmictl import transport as transports
from scmictl.transport import Received, Transport

LONGEST_S = 8
"""No test here takes a second; one that takes this long hangs."""


@pytest.fixture(autouse=True)
def nothing_hangs() -> Iterator[None]:
    def expired(*_: object) -> NoReturn:
        raise AssertionError(f"still not done after {LONGEST_S} s")

    before = signal.signal(signal.SIGALRM, expired)
    signal.alarm(LONGEST_S)
    yield
    signal.alarm(0)
    signal.signal(signal.SIGALRM, before)


def _open_descriptors() -> dict[str, str]:
    found = {}
    for entry in list(Path("/proc/self/fd").iterdir()):
        try:
            found[entry.name] = str(entry.readlink())
        except OSError:
            continue  # the descriptor of the listing itself
    return found


@pytest.fixture(autouse=True)
def no_descriptor_is_leaked(nothing_hangs: None) -> Iterator[None]:
    before = _open_descriptors()
    yield
    if _open_descriptors() != before:
        gc.collect()  # a traceback that pytest keeps may hold one for a while
        assert _open_descriptors() == before


class Driver:
    """A transport, and an owner that waits for it as the protocol of transports says."""

    def __init__(self, transport: Transport) -> None:
        self.transport = transport
        self.rounds = 0

    def send(self, *frames: str, first: int = 0) -> None:
        for cookie, frame in enumerate(frames, first):
            assert self.transport.send(bytes.fromhex(frame), cookie)

    def look(self) -> list[Received]:
        """One dispatch."""
        self.rounds += 1
        return self.transport.dispatch(time.monotonic())

    def wait(self, until: float | None = None) -> bool:
        """Sleep as an owner may: until the descriptor is readable or the deadline has come."""
        due = self.transport.next_deadline()
        times = [t for t in (due, until) if t is not None]
        timeout = max(min(times) - time.monotonic(), 0.0) if times else None
        fd = self.transport.fileno()
        return bool(select.select([] if fd is None else [fd], [], [], timeout)[0])

    def receive(self, number: int) -> list[Received]:
        """Dispatch and wait, in turns, until ``number`` frames have come."""
        found = self.look()
        while len(found) < number:
            self.wait()
            found += self.look()
        return found


@pytest.fixture
def drive() -> Iterator[Callable[[Transport], Driver]]:
    """Return a function that makes a transport's driver; the transport is closed at the end."""
    driven: list[Transport] = []

    def take(transport: Transport) -> Driver:
        driven.append(transport)
        return Driver(transport)

    yield take
    for transport in driven:
        transport.close()


@pytest.fixture
def attach(hand_device: Any, drive: Callable[[Transport], Driver]) -> Callable[..., Driver]:
    """Return a function that connects to the device written by hand, with options."""

    def connect(options: str = "") -> Driver:
        target = transports.parse(f"vhost-user:{hand_device.path}{options and '?' + options}")
        return drive(transports.connect(target))

    return connect


@pytest.fixture
def descriptors() -> Callable[[], int]:
    """Return a function that counts the open descriptors of this process."""
    return lambda: len(os.listdir("/proc/self/fd"))
