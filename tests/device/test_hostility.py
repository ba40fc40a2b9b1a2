"""Frontends that hand over the wrong things, and a process that may open no more files."""

from __future__ import annotations

import errno
import os
import resource
import socket
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, cast

import pytest

from scmictl.agent import connect
from scmictl.device import pump
from scmictl.device.server import Server
from scmictl.errors import ScmictlError
from scmictl.platform import Platform
from scmictl.protocols import base
from scmictl.transport.inprocess import InProcess
from scmictl.transport.queues import GUEST_BASE, USER_BASE, Choices, Queues
from scmictl.vhost_user.frontend import Frontend
from scmictl.vhost_user.memory import shared_memory
from scmictl.vhost_user.messages import MemoryRegion
from scmictl.virtio import layout


def vendor(path: str) -> str:
    with connect(f"vhost-user:{path}?wait=5s") as agent:
        return agent.call(base.DiscoverVendor()).vendor_identifier


@pytest.mark.parametrize("wrong", ["kick", "call", "kick whose other end is closed"])
def test_the_wrong_end_of_a_pipe_does_not_end_the_server(
    serve: Callable[..., str], wrong: str
) -> None:
    path = serve()
    read, write = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
    right = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)
    frontend = Frontend.connect(path, timeout=5)
    queues = Queues(Choices(queue_size=4, event_buffers=1), frontend.negotiate(0))
    fd, memory = shared_memory(queues.plan.size)
    with memoryview(memory) as view:
        queues.build(view)
        queues.send(bytes.fromhex("00400000"), 1)
        queues.publish()
        plan = queues.plan.cmdq
        try:
            frontend.set_memory([MemoryRegion(GUEST_BASE, queues.plan.size, USER_BASE, 0)], [fd])
            frontend.start_queue(
                0,
                size=4,
                descriptor=USER_BASE + plan.desc,
                available=USER_BASE + plan.avail,
                used=USER_BASE + plan.used,
                kick=right if wrong == "call" else write,
                call=read if wrong == "call" else right,
            )
            if wrong.endswith("closed"):
                os.close(read)
            frontend.enable(0)
            # Twice, so that the poll in between has been through.
            frontend.enable(0)
            frontend.enable(0)
        except (ScmictlError, OSError):
            pass  # we may be thrown out at any point
        frontend.close()
        queues.close()
    memory.close()
    for one in (fd, write, right):
        os.close(one)
    if not wrong.endswith("closed"):
        os.close(read)
    assert vendor(path) == "scmictl"


def test_a_server_that_may_open_no_more_files_waits_instead_of_spinning(tmp_path: Path) -> None:
    said: list[str] = []
    limits = resource.getrlimit(resource.RLIMIT_NOFILE)
    taken: list[int] = []
    path = str(tmp_path / "scmi.sock")
    clock = [100.0]
    with Server(Platform.from_board("demo"), log=said.append, clock=lambda: clock[0]) as server:
        server.listen(path)
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as frontend:
            frontend.connect(path)
            # A little above what this process has open, however much other tests have left to it.
            highest = max(map(int, os.listdir("/proc/self/fd")))
            resource.setrlimit(resource.RLIMIT_NOFILE, (highest + 8, limits[1]))
            try:
                while True:
                    taken.append(os.dup(0))
            except OSError as error:
                assert error.errno == errno.EMFILE
            try:
                for _ in range(100):
                    server.turn()
            finally:
                resource.setrlimit(resource.RLIMIT_NOFILE, limits)
                for fd in taken:
                    os.close(fd)
            assert len(said) == 1
            assert "Too many open files" in said[0]
            clock[0] += 10
            server.turn()
            assert server.endpoints[0].session is not None


class Crowd:
    """A port with as many notifications due as the pump keeps."""

    def __init__(self) -> None:
        self.due = pump.BACKLOG

    def handle(self, cookie: int, frame: bytes, room: int, now: float) -> bytes | None:
        return frame

    def poll(self, now: float) -> list[tuple[int | None, bytes]]:
        due, self.due = self.due, 0
        return [(None, bytes.fromhex("00570000") + bytes(60))] * due

    def next_deadline(self) -> float | None:
        return None

    def close(self) -> None:
        pass


class CountedBuffers(list[Any]):
    """Buffers that count how often they are looked at."""

    looks = 0

    def __iter__(self) -> Iterator[Any]:
        for item in super().__iter__():
            self.looks += 1
            yield item


def test_notifications_that_fit_no_buffer_are_not_tried_on_every_buffer_again_and_again() -> None:
    size = 1024
    transport = InProcess(
        Crowd(), choices=Choices(size, size, 16), offered=1 << layout.F_P2A_CHANNELS
    )
    buffers = transport._pump._buffers = CountedBuffers()
    transport.dispatch(0.0)
    transport.dispatch(0.0)
    assert len(buffers) == size
    assert buffers.looks <= 4 * size
    transport.close()


class Patient(Crowd):
    """A port that has something to say in a hundred years."""

    agents = ("someone",)

    def __init__(self) -> None:
        self.due = 0

    def attach(self, agent: str | None, *, events: bool = True, readonly: bool = False) -> Patient:
        return self

    def handle(self, cookie: int, frame: bytes, room: int, now: float) -> bytes | None:
        return frame[:4] + bytes(8)

    def next_deadline(self) -> float | None:
        return 3e9


def test_a_platform_that_is_due_in_a_hundred_years_does_not_end_the_server(tmp_path: Path) -> None:
    read, write = os.pipe()
    with Server(cast("Platform", Patient())) as server:
        path = str(tmp_path / "scmi.sock")
        server.listen(path)
        thread = threading.Thread(target=server.run, args=(read,), daemon=True)
        thread.start()
        with connect(f"vhost-user:{path}") as agent:
            for _ in range(3):
                agent.call(base.ProtocolVersion())
        os.write(write, b"!")
        thread.join(10)
        assert not thread.is_alive()
    os.close(read)
    os.close(write)
