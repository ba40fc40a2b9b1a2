"""Devices on real sockets, each in a thread of the test's own process: a served platform, and one
written by hand that does whatever a test wants; and time that passes only when it is waited for.
"""

from __future__ import annotations

import mmap
import os
import select
import socket
import struct
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings

from scmictl.agent import Interrupt
from scmictl.errors import Interrupted

# The same examples in every run: what a change breaks is seen with that change.
settings.register_profile("steady", derandomize=True, deadline=None)
settings.load_profile("steady")


class PassedTime:
    """A waiter whose time goes by only when somebody waits, and then to the deadline at once."""

    def __init__(self) -> None:
        self.time = 1000.0
        self.interrupt: Interrupt | None = None
        self.deadline: float | None = None
        self.on_wait: list[Callable[[], None]] = []
        """What happens during the next waits, one each."""

    def now(self) -> float:
        return self.time

    def check(self, now: float) -> None:
        if self.interrupt is not None and self.interrupt.pending:
            raise Interrupted

    def resume(self) -> bool:
        if self.interrupt is not None and self.interrupt.pending:
            self.interrupt.clear()
        return True

    def spin(self) -> float:
        return 0.0

    def wait(self, fileno: int | None, until: float | None) -> None:
        if self.on_wait:
            self.on_wait.pop(0)()
            return
        assert until is not None, "the agent would wait for ever"
        self.time = max(self.time, until)


@pytest.fixture
def time() -> PassedTime:
    return PassedTime()


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Callable[..., str]]:
    """Return a function that serves a board and returns the socket's path."""
    from scmictl.device.server import Server
    from scmictl.platform import Platform

    running: list[tuple[Server, threading.Thread, int]] = []

    def start(
        board: str = "demo",
        *,
        agents: tuple[str | None, ...] = (None,),
        faults: str | None = None,
        seed: int | None = None,
    ) -> str:
        platform = Platform.from_board(board, faults=faults, seed=seed)
        server = Server(platform)
        paths = [str(tmp_path / f"scmi{len(running)}-{n}.sock") for n in range(len(agents))]
        for path, agent in zip(paths, agents, strict=True):
            server.listen(path, agent=agent)
        read, write = os.pipe()
        thread = threading.Thread(target=server.run, args=(read,), daemon=True)
        thread.start()
        running.append((server, thread, write))
        os.set_inheritable(read, False)
        return paths[0] if len(paths) == 1 else ",".join(paths)

    yield start
    for server, thread, write in running:
        os.write(write, b"!")
        thread.join(10)
        assert not thread.is_alive(), "the server did not stop"
        server.close()
        os.close(write)


GET_FEATURES, SET_FEATURES, SET_MEM_TABLE = 1, 2, 5
SET_VRING_NUM, SET_VRING_ADDR, SET_VRING_BASE, GET_VRING_BASE = 8, 9, 10, 11
SET_VRING_KICK, SET_VRING_CALL = 12, 13
GET_PROTOCOL_FEATURES, SET_PROTOCOL_FEATURES, GET_QUEUE_NUM, SET_VRING_ENABLE = 15, 16, 17, 18

P2A, INDIRECT, EVENT_IDX = 1 << 0, 1 << 28, 1 << 29
BIT30, VERSION_1 = 1 << 30, 1 << 32
MQ, REPLY_ACK = 1 << 0, 1 << 3


class HandRing:
    """The device's end of one split ring, by hand: what the reference says, and whatever else.

    Shared words are read and written one at a time through views of 16 bits.
    """

    def __init__(self, device: HandDevice, index: int) -> None:
        self.device = device
        self.index = index
        self.size = 0
        self.places = (0, 0, 0)
        self.taken = 0
        self.used = 0
        self.kick: int | None = None
        self.call: int | None = None
        self.enabled = False

    @property
    def avail(self) -> memoryview:
        return self.device.shared(self.places[2], 6 + 2 * self.size).cast("H")

    @property
    def done(self) -> memoryview:
        return self.device.shared(self.places[1], 4).cast("H")

    def take(self) -> Asked | None:
        """Take the next available chain."""
        avail = self.avail
        if avail[1] == self.taken:
            return None
        head = avail[2 + self.taken % self.size]
        self.taken = self.taken + 1 & 0xFFFF
        return Asked(self, head, *self._chain(head))

    def _chain(self, head: int) -> tuple[bytes, list[memoryview]]:
        table, index = self.device.shared(self.places[0], 16 * self.size), head
        readable, writable = b"", []
        while True:
            addr, length, flags, following = struct.unpack_from("<QIHH", table, 16 * index)
            place = self.device.guest(addr)
            if flags & 4:
                table, index = self.device.shared(place, length), 0
                continue
            piece = self.device.shared(place, length)
            if flags & 2:
                writable.append(piece)
            else:
                readable += bytes(piece)
            if not flags & 1:
                return readable, writable
            index = following

    def put(self, head: int, length: int, *, at: int | None = None) -> None:
        """Write a used entry, and show it: anything may be said."""
        entry = self.places[1] + 4 + 8 * (self.used % self.size)
        self.device.shared(entry, 8)[:] = struct.pack("<II", head, length)
        self.used = self.used + 1 & 0xFFFF
        self.show(self.used if at is None else at)

    def show(self, idx: int) -> None:
        self.done[1] = idx

    def rearm(self) -> None:
        """Ask for a kick with the next chain, as EVENT_IDX has it."""
        self.device.shared(self.places[1] + 4 + 8 * self.size, 2).cast("H")[0] = self.taken

    @property
    def wants_signal(self) -> bool:
        """Whether the driver has not asked to be left alone (without EVENT_IDX)."""
        return not self.avail[0] & 1

    def signal(self) -> None:
        if self.call is not None:
            os.eventfd_write(self.call, 1)

    def close(self) -> None:
        for fd in (self.kick, self.call):
            if fd is not None:
                os.close(fd)
        self.kick = self.call = None


class Asked:
    """One command (or event buffer) that the driver has made available."""

    def __init__(self, ring: HandRing, head: int, frame: bytes, writable: list[memoryview]) -> None:
        self.ring = ring
        self.head = head
        self.frame = frame
        self.writable = writable

    @property
    def key(self) -> tuple[int, int]:
        """Protocol and message id of the command."""
        word = int.from_bytes(self.frame[:4], "little")
        return word >> 10 & 0xFF, word & 0xFF

    def write(self, data: bytes) -> None:
        self.writable[0][: len(data)] = data

    def give(self, data: bytes, *, length: int | None = None, signal: bool = True) -> None:
        """Give the buffer back with ``data`` in it, which is said to be ``length`` bytes."""
        self.write(data)
        self.ring.put(self.head, len(data) if length is None else length)
        if signal:
            self.ring.signal()

    def answer(self, payload: bytes, *, signal: bool = True) -> None:
        """Give the buffer back with a response of the right header."""
        self.give(self.frame[:4] + payload, signal=signal)


def _readable(fds: list[int]) -> list[int]:
    """Wait until some of ``fds`` are readable; return those."""
    return select.select(fds, [], [])[0]


def answer_versions(asked: Asked) -> None:
    """Answer every PROTOCOL_VERSION with 2.0 and everything else with NOT_SUPPORTED."""
    version = asked.key[1] == 0
    asked.answer(bytes.fromhex("00000000 00000200") if version else bytes.fromhex("ffffffff"))


class HandDevice:
    """A vhost-user device written by hand from the reference, in a thread of its own.

    ``offered``, ``protocol`` and ``queues`` are what it says of itself; ``acks`` are the answers
    to NEED_REPLY by request number (0: success); ``replies`` replace whole replies (None: say
    nothing, b"": hang up); ``on_request`` sees every request number first and may raise Leave.
    ``on_command`` gets every command. Everything that touches a ring runs in the thread:
    :meth:`do` brings a function there.
    """

    class Leave(Exception):
        """Hang up now."""

    def __init__(self, path: str) -> None:
        self.path = path
        self.offered = P2A | INDIRECT | BIT30 | VERSION_1
        self.protocol = MQ | REPLY_ACK
        self.queues = 2
        self.acks: dict[int, int] = {}
        self.replies: dict[int, bytes | None] = {}
        self.on_request: Callable[[int], None] = lambda number: None
        self.on_command: Callable[[Asked], None] = answer_versions
        self.requests: list[int] = []
        """The numbers of all requests of this connection."""
        self.frames: list[bytes] = []
        self.rings = [HandRing(self, 0), HandRing(self, 1)]
        self.accepted = 0
        self.clients = 0
        self.memory: mmap.mmap | None = None
        self.memory_fd = -1
        self.socket: socket.socket | None = None
        self.regions: list[tuple[int, int, int, int]] = []
        self._jobs: list[tuple[Callable[[], object], threading.Event, list[object]]] = []
        self._wake, self._waker = os.pipe()
        self._listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._listener.bind(path)
        self._listener.listen()
        self._closing = False
        self._faults: list[BaseException] = []
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    # -- memory ---------------------------------------------------------------------------

    def shared(self, offset: int, length: int) -> memoryview:
        assert self.memory is not None
        return memoryview(self.memory)[offset : offset + length]

    def guest(self, addr: int) -> int:
        start, size, _, offset = self.regions[0]
        assert start <= addr < start + size
        return addr - start + offset

    def _user(self, addr: int) -> int:
        _, size, start, offset = self.regions[0]
        assert start <= addr < start + size
        return addr - start + offset

    # -- what tests say -------------------------------------------------------------------

    def do(self, job: Callable[[], object]) -> Any:
        """Run ``job`` in the device's thread and return what it returns."""
        done, result = threading.Event(), list[object]()
        self._jobs.append((job, done, result))
        os.write(self._waker, b"!")
        assert done.wait(20), "the device does not come to it"
        if isinstance(result[0], BaseException):
            raise result[0]
        return result[0]

    def event(self, frame: bytes, *, length: int | None = None) -> None:
        """Write ``frame`` into the next event buffer and signal."""

        def send() -> None:
            buffer = self.rings[1].take()
            assert buffer is not None, "no event buffer"
            buffer.give(frame, length=length)

        self.do(send)

    def hang_up(self) -> None:
        def leave() -> None:
            assert self.socket is not None
            self.socket.shutdown(socket.SHUT_RDWR)

        self.do(leave)

    def close(self) -> None:
        self._closing = True
        os.write(self._waker, b"!")
        self._thread.join(20)
        assert not self._thread.is_alive(), "the device hangs"
        self._listener.close()
        os.close(self._wake)
        os.close(self._waker)
        self.on_command = answer_versions  # and no view of the memory is kept by another one
        if self._faults:
            raise self._faults[0]

    # -- the thread -----------------------------------------------------------------------

    def _run(self) -> None:
        try:
            while not self._closing:
                ready = _readable([self._listener.fileno(), self._wake])
                if self._wake in ready:
                    self._work()
                if self._listener.fileno() in ready:
                    client, _ = self._listener.accept()
                    self.clients += 1
                    with client:
                        try:
                            self._serve(client)
                        except (HandDevice.Leave, OSError):
                            pass  # also one that may open no more files can only leave
                        finally:
                            self._forget()
        except BaseException as fault:
            self._faults.append(fault)
            for _, done, result in self._jobs:
                result.append(fault)
                done.set()

    def _forget(self) -> None:
        for ring in self.rings:
            ring.close()
        self.rings = [HandRing(self, 0), HandRing(self, 1)]
        self.socket = None
        if self.memory is not None:
            os.close(self.memory_fd)
            try:
                self.memory.close()
            except BufferError:
                pass  # a test still looks at it
            self.memory = None

    def _work(self) -> None:
        os.read(self._wake, 100)
        while self._jobs:
            job, done, result = self._jobs.pop(0)
            try:
                result.append(job())
            except BaseException as error:
                result.append(error)
            done.set()

    def _serve(self, client: socket.socket) -> None:
        self.socket = client
        self.requests = []
        while not self._closing:
            kicks = [r.kick for r in self.rings if r.kick is not None and r.enabled]
            ready = _readable([client.fileno(), self._wake, *kicks])
            if self._wake in ready:
                self._work()
            if client.fileno() in ready:
                self._request(client)
            for ring in self.rings:
                if ring.kick is not None and ring.kick in ready:
                    os.eventfd_read(ring.kick)
                    self._commands(ring)

    def _commands(self, ring: HandRing) -> None:
        if ring.index == 0:
            while (asked := ring.take()) is not None:
                self.frames.append(asked.frame)
                self.on_command(asked)
            if self.accepted & EVENT_IDX:
                ring.rearm()
                while (asked := ring.take()) is not None:
                    self.frames.append(asked.frame)
                    self.on_command(asked)

    def _request(self, client: socket.socket) -> None:
        data, fds, received, _ = socket.recv_fds(client, 12, 8)
        if not data or received & socket.MSG_CTRUNC:
            raise HandDevice.Leave
        number, flags, size = struct.unpack("<III", data)
        payload = client.recv(size, socket.MSG_WAITALL) if size else b""
        self.requests.append(number)
        try:
            self.on_request(number)
            self._obey(client, number, flags, payload, fds)
        finally:
            for fd in fds:
                os.close(fd)

    def _obey(
        self, client: socket.socket, number: int, flags: int, payload: bytes, fds: list[int]
    ) -> None:
        reply = None
        if number == GET_FEATURES:
            reply = struct.pack("<Q", self.offered)
        elif number == GET_PROTOCOL_FEATURES:
            reply = struct.pack("<Q", self.protocol)
        elif number == GET_QUEUE_NUM:
            reply = struct.pack("<Q", self.queues)
        elif number == SET_FEATURES:
            (self.accepted,) = struct.unpack("<Q", payload)
            if not self.accepted & BIT30:
                for ring in self.rings:
                    ring.enabled = True
        elif number == SET_MEM_TABLE:
            count, _ = struct.unpack_from("<II", payload)
            self.regions = [struct.unpack_from("<QQQQ", payload, 8 + 32 * i) for i in range(count)]
            self.memory = mmap.mmap(fds[0], self.regions[0][1])
            self.memory_fd = fds.pop(0)
        elif number in (SET_VRING_NUM, SET_VRING_BASE, SET_VRING_ENABLE, GET_VRING_BASE):
            index, num = struct.unpack("<II", payload)
            ring = self.rings[index]
            if number == SET_VRING_NUM:
                ring.size = num
            elif number == SET_VRING_BASE:
                ring.taken = num
            elif number == SET_VRING_ENABLE:
                ring.enabled = bool(num)
            else:
                reply = struct.pack("<II", index, ring.taken)
                ring.close()
        elif number == SET_VRING_ADDR:
            index, _, desc, used, avail, _ = struct.unpack("<IIQQQQ", payload)
            self.rings[index].places = (self._user(desc), self._user(used), self._user(avail))
        elif number in (SET_VRING_KICK, SET_VRING_CALL):
            (word,) = struct.unpack("<Q", payload)
            ring = self.rings[word & 0xFF]
            if number == SET_VRING_KICK:
                ring.kick = fds.pop()
            elif not word & 0x100:
                ring.call = fds.pop()
        if reply is None and flags & 8 and self.protocol & REPLY_ACK:
            reply = struct.pack("<Q", self.acks.get(number, 0))
        if reply is None:
            return
        whole = struct.pack("<III", number, 5, len(reply)) + reply
        found = self.replies.get(number, whole)
        if found == b"":
            raise HandDevice.Leave
        if found is not None:
            client.sendall(found)


@pytest.fixture
def hand_device(tmp_path: Path) -> Iterator[HandDevice]:
    """A device written by hand, for everything that a decent one does not do."""
    device = HandDevice(str(tmp_path / "hand.sock"))
    yield device
    device.close()
