"""Our frontend against our backend, over a real socket file, with both ends of real queues."""

from __future__ import annotations

import os
import select
import struct
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from scmictl.errors import ConnectError, DeviceGone
from scmictl.vhost_user import notifier
from scmictl.vhost_user.backend import Backend
from scmictl.vhost_user.frontend import USABLE, Frontend
from scmictl.vhost_user.listener import Listener
from scmictl.vhost_user.memory import shared_memory
from scmictl.vhost_user.messages import MemoryRegion

GUEST, USER, SIZE = 0x4000_0000, 0x7F00_0000_0000, 0x10000
DESC, AVAIL, USED, BUFFER = 0x0000, 0x1000, 0x2000, 0x8000
ENTRIES = 8


class Echo:
    """A device that gives every command back reversed: the least a server has to do."""

    def __init__(self, path: str) -> None:
        self.listener = Listener(path)
        self.stop = notifier.create()
        self.sealed_only = True
        self.sessions = 0
        self.thread = threading.Thread(target=self._run)
        self.thread.start()

    def close(self) -> None:
        notifier.signal(self.stop)
        self.thread.join(10)
        assert not self.thread.is_alive()
        self.listener.close()
        os.close(self.stop)

    def _run(self) -> None:
        while True:
            ready = select.select([self.listener.fileno(), self.stop], [], [])[0]
            if self.stop in ready:
                return
            connection = self.listener.accept()
            if connection is None:
                continue
            self.sessions += 1
            backend = Backend(connection, events=True, require_seal=self.sealed_only)
            try:
                while self._turn(backend):
                    pass
            finally:
                backend.close()

    def _turn(self, backend: Backend) -> bool:
        kicks = [ring.kick for ring in backend.rings if ring.running and ring.kick is not None]
        session = backend.fileno()
        ready = select.select([session, self.stop, *kicks], [], [])[0]
        if self.stop in ready or (session in ready and not backend.receive(0.0)):
            return False
        backend.check_memory()
        for ring in backend.rings:
            if not ring.running or ring.queue is None:
                continue
            ring.clear_kick()
            while True:
                while (chain := ring.queue.pop()) is not None:
                    ring.queue.push(chain, chain.readable[::-1])
                if ring.queue.publish():
                    ring.signal()
                if not ring.queue.arm():
                    break
        return True


class Driver:
    """The frontend with its memory, kicks and calls; queue i begins at i * 0x4000."""

    def __init__(self, path: str, wanted: int = USABLE) -> None:
        self.fd, self.memory = shared_memory(SIZE)
        self.kicks = [notifier.create(), notifier.create()]
        self.calls = [notifier.create(), notifier.create()]
        self.sent = [0, 0]
        try:
            self.frontend = Frontend.connect(path, timeout=5)
            self.frontend.negotiate(wanted)
            self.frontend.set_memory([MemoryRegion(GUEST, SIZE, USER, 0)], [self.fd])
            for index in (0, 1):
                base = USER + 0x4000 * index
                self.frontend.start_queue(
                    index,
                    size=ENTRIES,
                    descriptor=base + DESC,
                    used=base + USED,
                    available=base + AVAIL,
                    kick=self.kicks[index],
                    call=self.calls[index],
                )
            for index in (0, 1):
                self.frontend.enable(index)
            self.frontend.settle()
        except BaseException:
            self.close_memory()
            raise

    def command(self, index: int, data: bytes) -> bytes:
        """One command and its answer, by hand: without EVENT_IDX in the way of the reading."""
        base = 0x4000 * index
        memory = memoryview(self.memory)
        room = BUFFER + 0x1000
        memory[BUFFER : BUFFER + len(data)] = data
        struct.pack_into("<QIHH", memory, base + DESC, GUEST + BUFFER, len(data), 1, 1)
        struct.pack_into("<QIHH", memory, base + DESC + 16, GUEST + room, 64, 2, 0)
        avail = memory[base + AVAIL :][: 6 + 2 * ENTRIES].cast("H")
        used = memory[base + USED :][: 4 + 8 * ENTRIES].cast("H")
        sent = self.sent[index]
        avail[2 + sent % ENTRIES] = 0
        avail[2 + ENTRIES] = sent
        avail[1] = self.sent[index] = (sent + 1) & 0xFFFF
        notifier.signal(self.kicks[index])
        while used[1] != self.sent[index]:
            assert select.select([self.calls[index]], [], [], 5)[0]
            notifier.clear(self.calls[index])
        size = used[2 + 4 * (sent % ENTRIES) + 2]
        answer = bytes(memory[room : room + size])
        for view in (avail, used, memory):
            view.release()
        return answer

    def close(self) -> list[int]:
        bases = [self.frontend.stop_queue(index) for index in (0, 1)]
        self.frontend.close()
        self.close_memory()
        return bases

    def close_memory(self) -> None:
        self.memory.close()
        for fd in (self.fd, *self.kicks, *self.calls):
            os.close(fd)


@pytest.fixture
def echo(tmp_path: Path) -> Iterator[Echo]:
    made = Echo(str(tmp_path / "echo.sock"))
    yield made
    made.close()


def test_commands_go_through_both_queues(echo: Echo) -> None:
    driver = Driver(echo.listener.path)
    assert driver.frontend.accepted == 1 << 32 | 1 << 29 | 1 << 28 | 1 << 0
    assert driver.frontend.protocol == 0x9
    assert driver.frontend.queue_count == 2
    for i in range(3 * ENTRIES):
        text = b"command %d" % i
        assert driver.command(i % 2, text) == text[::-1]
    driver.frontend.check()
    assert driver.close() == [3 * ENTRIES // 2] * 2


def test_no_features_will_do_as_well(echo: Echo) -> None:
    driver = Driver(echo.listener.path, wanted=0)
    assert driver.frontend.accepted == 1 << 32
    assert driver.command(0, b"abc") == b"cba"
    assert driver.close() == [1, 0]


def test_a_queue_can_be_stopped_and_started_again_in_one_session(echo: Echo) -> None:
    driver = Driver(echo.listener.path)
    for n in range(1, 4):
        assert driver.command(0, b"abc") == b"cba"
        base = driver.frontend.stop_queue(0)
        assert base == n
        driver.frontend.start_queue(
            0,
            size=ENTRIES,
            descriptor=USER + DESC,
            used=USER + USED,
            available=USER + AVAIL,
            kick=driver.kicks[0],
            call=driver.calls[0],
            base=base,
        )
        driver.frontend.enable(0)
        driver.frontend.settle()
    assert driver.close() == [3, 0]


def test_one_frontend_after_another_is_served(echo: Echo) -> None:
    for _ in range(20):
        driver = Driver(echo.listener.path)
        assert driver.command(0, b"abc") == b"cba"
        # Every other one leaves without a word.
        if echo.sessions % 2:
            driver.close()
        else:
            driver.frontend.close()
            driver.close_memory()
    assert echo.sessions == 20


def test_a_second_frontend_waits_for_its_turn(echo: Echo) -> None:
    first = Driver(echo.listener.path)
    with pytest.raises(ConnectError, match="GET_FEATURES was not answered within"):
        Frontend.connect(echo.listener.path, timeout=0.05)
    made: list[Driver] = []
    second = threading.Thread(target=lambda: made.append(Driver(echo.listener.path)))
    second.start()
    assert first.command(0, b"abc") == b"cba"
    first.close()
    second.join(10)
    assert made[0].command(0, b"abc") == b"cba"
    made[0].close()


def test_a_device_that_ends_is_noticed(echo: Echo) -> None:
    driver = Driver(echo.listener.path)
    notifier.signal(echo.stop)
    echo.thread.join(10)
    assert select.select([driver.frontend], [], [], 5)[0]
    with pytest.raises(DeviceGone, match="the device hung up"):
        driver.frontend.check()
    driver.close_memory()


def test_regions_are_translated_by_guest_and_by_user_address(echo: Echo) -> None:
    """The two differ, and two regions swap their order between them."""
    fd, memory = shared_memory(2 * SIZE)
    kick, call = notifier.create(), notifier.create()
    frontend = Frontend.connect(echo.listener.path, timeout=5)
    frontend.negotiate(0)
    rings = MemoryRegion(guest=0x9000_0000, size=SIZE, user=0x1000_0000, offset=SIZE)
    data = MemoryRegion(guest=0x8000_0000, size=SIZE, user=0x2000_0000, offset=0)
    frontend.set_memory([rings, data], [fd, fd])
    where = {"descriptor": DESC, "available": AVAIL, "used": USED}
    user = {name: rings.user + offset for name, offset in where.items()}
    frontend.start_queue(0, size=ENTRIES, kick=kick, call=call, **user)
    memory[0x100:0x103] = b"abc"
    struct.pack_into("<QIHH", memory, SIZE + DESC, data.guest + 0x100, 3, 1, 1)
    struct.pack_into("<QIHH", memory, SIZE + DESC + 16, data.guest + 0x200, 8, 2, 0)
    memory[SIZE + AVAIL + 2] = 1
    frontend.enable(0)
    frontend.settle()
    assert select.select([call], [], [], 5)[0]
    assert memory[0x200:0x208] == b"cba\0\0\0\0\0"
    assert frontend.stop_queue(0) == 1
    frontend.close()
    memory.close()
    for descriptor in (fd, kick, call):
        os.close(descriptor)
