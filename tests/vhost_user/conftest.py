"""What the vhost-user tests share: no test leaks a descriptor; scripted peers on real sockets.

What peers send is written from the reference, not with the code under test.
"""

from __future__ import annotations

import errno
import gc
import os
import resource
import socket
import struct
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from scmictl.vhost_user.backend import Backend
from scmictl.vhost_user.connection import Connection

Script = Callable[[socket.socket], None]

GUEST, USER, SIZE = 0x4000_0000, 0x7F00_0000_0000, 0x10000
DESC, AVAIL, USED, BUFFER = 0x0000, 0x1000, 0x2000, 0x8000
"""Offsets in a Peer's memory file, for queue 0; queue 1 lies 0x4000 further on."""


def _open_descriptors() -> dict[str, str]:
    found = {}
    for entry in list(Path("/proc/self/fd").iterdir()):
        try:
            found[entry.name] = str(entry.readlink())
        except OSError:
            continue  # the descriptor of the listing itself
    return found


@pytest.fixture(autouse=True)
def no_descriptor_is_leaked() -> Iterator[None]:
    before = _open_descriptors()
    yield
    if _open_descriptors() != before:
        gc.collect()  # a traceback that pytest keeps may hold one for a while
        assert _open_descriptors() == before


@pytest.fixture
def pair() -> Iterator[tuple[socket.socket, socket.socket]]:
    """Two connected stream sockets."""
    near, far = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
    far.settimeout(5)
    with near, far:
        yield near, far


@pytest.fixture
def scripted(tmp_path: Path) -> Iterator[Callable[..., str]]:
    """``scripted(script, ...)`` listens on a socket and returns its path.

    The n-th client is served by the n-th script in a thread; what a script raises fails the test.
    """
    threads = []
    faults: list[BaseException] = []

    def start(*scripts: Script) -> str:
        path = str(tmp_path / "scripted.sock")
        listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        listener.settimeout(5)
        listener.bind(path)
        listener.listen()

        def run() -> None:
            with listener:
                for script in scripts:
                    try:
                        peer, _ = listener.accept()
                        peer.settimeout(5)
                        with peer:
                            script(peer)
                    except ConnectionError:
                        pass  # the other side left, which it may
                    except BaseException as fault:
                        faults.append(fault)
                        return

        thread = threading.Thread(target=run)
        threads.append(thread)
        thread.start()
        return path

    yield start
    for thread in threads:
        thread.join(10)
        assert not thread.is_alive()
    for fault in faults:
        raise fault


@pytest.fixture
def memory_file() -> Iterator[Callable[..., int]]:
    """``memory_file(size)`` is a new memory file that is not sealed; closed after the test."""
    fds = []

    def create(size: int, *, name: str = "test") -> int:
        fd = os.memfd_create(name, os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
        os.ftruncate(fd, size)
        fds.append(fd)
        return fd

    yield create
    for fd in fds:
        os.close(fd)


@pytest.fixture
def eventfd() -> Iterator[Callable[[], int]]:
    """``eventfd()`` is a new non-blocking eventfd; closed after the test."""
    fds = []

    def create() -> int:
        fd = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)
        fds.append(fd)
        return fd

    yield create
    for fd in fds:
        os.close(fd)


@pytest.fixture
def exhausted() -> Iterator[Callable[[], None]]:
    """``exhausted()`` uses up every descriptor this process may have, until the test ends."""
    taken = []
    limits = resource.getrlimit(resource.RLIMIT_NOFILE)

    def exhaust() -> None:
        resource.setrlimit(resource.RLIMIT_NOFILE, (64, limits[1]))
        try:
            while True:
                taken.append(os.dup(0))
        except OSError as error:
            assert error.errno == errno.EMFILE

    yield exhaust
    resource.setrlimit(resource.RLIMIT_NOFILE, limits)
    for fd in taken:
        os.close(fd)


@pytest.fixture
def attach(pair: tuple[socket.socket, socket.socket]) -> Iterator[Callable[..., Backend]]:
    """``attach(**options)`` is a Backend at the near end of ``pair``; closed after the test."""
    made = []

    def create(**options: Any) -> Backend:
        options.setdefault("events", True)
        backend = Backend(Connection(pair[0], half_message=2.0), **options)
        made.append(backend)
        return backend

    yield create
    for backend in made:
        backend.close()


class Peer:
    """A frontend: the far end of the socket, and one memory file."""

    def __init__(self, backend: Backend, far: socket.socket, fd: int) -> None:
        self.backend = backend
        self.far = far
        self.fd = fd
        far.setblocking(False)

    def say(self, number: int, payload: bytes, fds: list[int] | None = None) -> bool:
        """Ask for an acknowledgement; was it good?"""
        socket.send_fds(
            self.far, [struct.pack("<III", number, 9, len(payload)) + payload], fds or []
        )
        assert self.backend.receive(0.0)
        found, flags, size, value = struct.unpack("<IIIQ", self.far.recv(4096))
        assert (found, flags, size) == (number, 5, 8)
        return bool(value == 0)

    def stop(self, index: int) -> int:
        self.far.send(struct.pack("<IIIII", 11, 1, 8, index, 0))
        assert self.backend.receive(0.0)
        found, flags, size, queue, num = struct.unpack("<IIIII", self.far.recv(4096))
        assert (found, flags, size, queue) == (11, 5, 8, index)
        return int(num)

    def share(self, fd: int | None = None, offset: int = 0) -> bool:
        region = struct.pack("<IIQQQQ", 1, 0, GUEST, SIZE, USER, offset)
        return self.say(5, region, [self.fd if fd is None else fd])

    def prepare(self, index: int = 0, size: int = 4, base: int = 0) -> None:
        """Everything up to KICK."""
        assert self.say(2, struct.pack("<Q", 0x170000001))
        assert self.share()
        assert self.say(8, struct.pack("<II", index, size))
        assert self.say(10, struct.pack("<II", index, base))
        start = USER + 0x4000 * index
        places = struct.pack("<IIQQQQ", index, 0, start + DESC, start + USED, start + AVAIL, 0)
        assert self.say(9, places)

    def kick(self, index: int, fd: int | None) -> bool:
        return self._give(12, index, fd)

    def call(self, index: int, fd: int | None) -> bool:
        return self._give(13, index, fd)

    def _give(self, number: int, index: int, fd: int | None) -> bool:
        if fd is None:
            return self.say(number, struct.pack("<Q", index | 0x100))
        return self.say(number, struct.pack("<Q", index), [fd])

    def enable(self, index: int, on: bool = True) -> bool:
        return self.say(18, struct.pack("<II", index, int(on)))

    def write(self, offset: int, data: bytes, fd: int | None = None) -> None:
        os.pwrite(self.fd if fd is None else fd, data, offset)

    def read(self, offset: int, size: int, fd: int | None = None) -> bytes:
        return os.pread(self.fd if fd is None else fd, size, offset)

    def offer(self, slot: int, idx: int) -> None:
        """Two chained descriptors at 0, 4 bytes to read and 8 to write, in ``slot``."""
        self.write(BUFFER, b"ping")
        self.write(DESC, struct.pack("<QIHH", GUEST + BUFFER, 4, 1, 1))
        self.write(DESC + 16, struct.pack("<QIHH", GUEST + BUFFER + 16, 8, 2, 0))
        self.write(AVAIL + 4 + 2 * slot, struct.pack("<H", 0))
        self.write(AVAIL + 2, struct.pack("<H", idx))


@pytest.fixture
def peer_of(
    pair: tuple[socket.socket, socket.socket], memory_file: Callable[[int], int]
) -> Callable[[Backend], Peer]:
    """``peer_of(backend)`` is the frontend of a backend that ``attach`` made."""
    return lambda backend: Peer(backend, pair[1], memory_file(SIZE))


@pytest.fixture
def peer(attach: Callable[..., Backend], peer_of: Callable[[Backend], Peer]) -> Peer:
    """A frontend with its backend, ``peer.backend``."""
    return peer_of(attach())
