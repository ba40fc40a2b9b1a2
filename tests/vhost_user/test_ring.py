"""A queue as the backend sees it: the states of reference section 4, and memory that changes.

The frontend (conftest.Peer) is a plain socket and a memory file: what it sends and writes comes
from the reference (sections 1 and 14), not from our own driver.
"""

from __future__ import annotations

import fcntl
import os
import select
import socket
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from scmictl.errors import QueueBroken
from scmictl.vhost_user.backend import Backend
from scmictl.vhost_user.ring import Ring
from scmictl.virtio.chain import Chain

# conftest.Peer, which a test module cannot import.
Peer = Any
EventFd = Callable[[], int]

Attach = Callable[..., Backend]
MemoryFile = Callable[..., int]

GUEST, USER, SIZE = 0x4000_0000, 0x7F00_0000_0000, 0x10000
DESC, AVAIL, USED, BUFFER = 0x0000, 0x1000, 0x2000, 0x8000
"""Offsets in the memory file, for queue 0; queue 1 lies 0x4000 further on."""
FEATURES = 0x170000001


def frame(number: int, payload: bytes = b"", flags: int = 1) -> bytes:
    return struct.pack("<III", number, flags, len(payload)) + payload


def state(index: int, num: int) -> bytes:
    return struct.pack("<II", index, num)


def u64(value: int) -> bytes:
    return struct.pack("<Q", value)


def addresses(index: int, desc: int, avail: int, used: int, flags: int = 0) -> bytes:
    return struct.pack("<IIQQQQ", index, flags, desc, used, avail, 0)


def places(index: int) -> bytes:
    base = USER + 0x4000 * index
    return addresses(index, base + DESC, base + AVAIL, base + USED)


def mapped(name: str) -> int:
    return Path("/proc/self/maps").read_text().count(f"/memfd:{name} ")


def kick_of(ring: Ring) -> int:
    assert ring.kick is not None
    return ring.kick


def readable(fd: int) -> bool:
    return bool(select.select([fd], [], [], 0)[0])


# Starting and stopping


def test_kick_starts_and_enable_makes_it_run(peer: Peer, eventfd: EventFd) -> None:
    ring = peer.backend.rings[0]
    peer.prepare()
    assert (ring.started, ring.running) == (False, False)
    kick = eventfd()
    assert peer.kick(0, kick)
    assert (ring.started, ring.running) == (True, False)
    assert peer.enable(0)
    assert (ring.started, ring.running, ring.polled) == (True, True, False)
    os.eventfd_write(kick, 3)
    assert readable(kick_of(ring))
    ring.clear_kick()
    assert not readable(kick)
    assert peer.enable(0, False)
    assert (ring.started, ring.running) == (True, False)
    assert not peer.backend.rings[1].started


def test_enable_may_come_first(peer: Peer, eventfd: EventFd) -> None:
    peer.prepare()
    assert peer.enable(0)
    assert not peer.backend.rings[0].running
    assert peer.kick(0, eventfd())
    assert peer.backend.rings[0].running


def test_without_bit_30_a_ring_runs_as_soon_as_it_is_started(peer: Peer, eventfd: EventFd) -> None:
    peer.prepare()
    assert peer.say(2, u64(1 << 32))
    assert peer.kick(0, eventfd())
    assert peer.backend.rings[0].running
    assert not peer.enable(0)


def test_a_command_goes_through(peer: Peer, eventfd: EventFd) -> None:
    peer.prepare()
    call = eventfd()
    assert peer.call(0, call)
    assert peer.kick(0, eventfd())
    assert peer.enable(0)
    peer.offer(slot=0, idx=1)
    ring = peer.backend.rings[0]
    assert ring.queue is not None
    chain = ring.queue.pop()
    assert chain is not None
    assert (chain.readable, chain.room) == (b"ping", 8)
    ring.queue.push(chain, b"pong")
    assert ring.queue.publish()
    ring.signal()
    assert peer.read(BUFFER + 16, 8) == b"pong\0\0\0\0"
    assert peer.read(USED, 12) == struct.pack("<HHII", 0, 1, 0, 4)
    assert os.eventfd_read(call) == 1
    assert peer.stop(0) == 1


def test_a_ring_goes_on_where_base_and_used_idx_say(peer: Peer, eventfd: EventFd) -> None:
    peer.prepare(base=0xFFFF)
    peer.write(USED + 2, struct.pack("<H", 0xFFFE))
    assert peer.kick(0, eventfd())
    assert peer.enable(0)
    peer.offer(slot=3, idx=0)
    queue = peer.backend.rings[0].queue
    assert queue is not None
    chain = queue.pop()
    assert chain is not None
    queue.push(chain, b"pong")
    queue.publish()
    assert peer.read(USED + 2, 2) == struct.pack("<H", 0xFFFF)
    assert peer.read(USED + 4 + 8 * 2, 8) == struct.pack("<II", 0, 4)
    assert peer.stop(0) == 0


def test_stopping_drops_kick_and_call_and_keeps_enabled(peer: Peer, eventfd: EventFd) -> None:
    ring = peer.backend.rings[0]
    peer.prepare(base=7)
    call = eventfd()
    peer.call(0, call)
    peer.kick(0, eventfd())
    peer.enable(0)
    queue = ring.queue
    assert peer.stop(0) == 7
    assert ring.queue is None
    assert ring.kick is None
    assert ring.enabled
    ring.signal()
    assert not readable(call)
    # Kick alone starts it again, as a new queue.
    assert peer.kick(0, eventfd())
    assert ring.running
    assert ring.queue is not queue
    assert peer.stop(0) == 7


def test_a_queue_that_was_never_started_can_be_stopped(peer: Peer) -> None:
    assert peer.stop(1) == 0
    assert peer.stop(1) == 0


def test_qemu_starts_and_stops_in_its_own_order(peer: Peer, eventfd: EventFd) -> None:
    """Reference section 6: a guest that uses queue 0 only, then one that reboots into both."""
    for _ in range(2):
        peer.far.send(frame(1) + frame(15))
        assert peer.backend.receive(0.0)
        assert len(peer.far.recv(4096)) == 40
    assert peer.say(16, u64(0x9))
    peer.far.send(frame(17) + frame(36))
    assert peer.backend.receive(0.0)
    assert len(peer.far.recv(4096)) == 40
    assert peer.say(3, b"")
    for index in (0, 1):
        assert peer.call(index, eventfd())
        assert peer.say(14, u64(index), [eventfd()])
    for used in ([0], [0, 1]):
        for index in (0, 1):
            assert peer.call(index, eventfd())
        assert peer.say(2, u64(FEATURES))
        assert peer.share()
        for index in used:
            assert peer.say(8, state(index, 256))
            assert peer.say(10, state(index, 0))
            # 256 entries: 4096, 518 and 2054 bytes.
            assert peer.say(9, places(index))
            assert peer.kick(index, eventfd())
        for index in (0, 1):
            assert peer.enable(index)
        for index in (0, 1):
            assert peer.call(index, eventfd())
        assert [ring.running for ring in peer.backend.rings] == [True, used == [0, 1]]
        for index in (0, 1):
            assert peer.enable(index, False)
        for index in used:
            assert peer.stop(index) == 0
        for index in (0, 1):
            assert peer.call(index, eventfd())
    assert not peer.backend.refusals
    peer.far.close()
    assert not peer.backend.receive(0.0)


def test_a_frontend_that_reconnects_without_negotiating_is_served(
    peer: Peer, eventfd: EventFd
) -> None:
    """QEMU's vhost-user-scmi starts again from SET_FEATURES, yet uses ADD_MEM_REG and acks."""
    assert peer.say(2, u64(FEATURES))
    region = bytes(8) + struct.pack("<QQQQ", GUEST, SIZE, USER, 0)
    assert peer.say(37, region, [peer.fd])
    assert peer.say(8, state(0, 4))
    assert peer.say(10, state(0, 0))
    assert peer.say(9, places(0))
    assert peer.kick(0, eventfd())
    assert peer.enable(0)
    assert peer.backend.rings[0].running


# The hook


def test_what_is_in_flight_can_be_given_back_before_the_stop(
    attach: Attach, peer_of: Callable[[Backend], Peer], eventfd: EventFd
) -> None:
    chains: list[Chain | None] = []
    seen = []

    def finish(ring: Ring) -> None:
        seen.append((ring.index, ring.running))
        assert ring.queue is not None
        (chain,) = chains
        assert chain is not None
        ring.queue.push(chain, b"late")
        ring.queue.publish()
        ring.signal()

    peer = peer_of(attach(on_stop=finish))
    peer.prepare()
    call = eventfd()
    peer.call(0, call)
    peer.kick(0, eventfd())
    peer.enable(0)
    peer.offer(slot=0, idx=1)
    queue = peer.backend.rings[0].queue
    assert queue is not None
    chains.append(queue.pop())
    # Most frontends disable before they stop.
    peer.enable(0, False)
    assert peer.stop(0) == 1
    assert seen == [(0, False)]
    assert peer.read(BUFFER + 16, 4) == b"late"
    assert peer.read(USED + 2, 2) == b"\1\0"
    assert os.eventfd_read(call) == 1
    # A queue that is not there has nothing to finish.
    assert peer.stop(0) == 1
    assert len(seen) == 1


def test_a_ring_that_turns_out_broken_while_it_is_stopped_is_stopped(
    attach: Attach, peer_of: Callable[[Backend], Peer], eventfd: EventFd
) -> None:
    def finish(ring: Ring) -> None:
        raise QueueBroken("nonsense found")

    peer = peer_of(attach(on_stop=finish))
    peer.prepare(base=9)
    error = eventfd()
    assert peer.say(14, u64(0), [error])
    peer.kick(0, eventfd())
    assert peer.stop(0) == 9
    assert os.eventfd_read(error) == 1


# Descriptors


def test_a_new_call_is_signalled_at_once_and_replaces_the_old(peer: Peer, eventfd: EventFd) -> None:
    peer.prepare()
    old, new = eventfd(), eventfd()
    assert peer.call(0, old)
    assert not readable(old)
    peer.kick(0, eventfd())
    peer.enable(0)
    assert peer.call(0, new)
    assert os.eventfd_read(new) == 1
    peer.backend.rings[0].signal()
    assert os.eventfd_read(new) == 1
    assert not readable(old)
    assert peer.call(0, None)
    peer.backend.rings[0].signal()
    assert not readable(new)


def test_a_new_kick_replaces_the_old(peer: Peer, eventfd: EventFd) -> None:
    peer.prepare()
    old, new = eventfd(), eventfd()
    peer.kick(0, old)
    queue = peer.backend.rings[0].queue
    peer.kick(0, new)
    assert peer.backend.rings[0].queue is queue
    os.eventfd_write(new, 1)
    assert readable(kick_of(peer.backend.rings[0]))


def test_without_a_kick_a_running_ring_has_to_be_polled(peer: Peer) -> None:
    peer.prepare()
    assert peer.kick(0, None)
    ring = peer.backend.rings[0]
    assert (ring.started, ring.polled) == (True, False)
    peer.enable(0)
    assert ring.polled
    ring.clear_kick()


def test_a_pipe_will_do_and_is_dropped_when_its_writer_leaves(peer: Peer) -> None:
    peer.prepare()
    read, write = os.pipe()
    assert peer.kick(0, read)
    peer.enable(0)
    ring = peer.backend.rings[0]
    os.write(write, b"kick")
    assert readable(kick_of(ring))
    ring.clear_kick()
    assert not readable(read)
    os.close(write)
    assert readable(read)
    ring.clear_kick()
    with pytest.raises(AssertionError):
        kick_of(ring)
    os.close(read)


def test_a_call_that_is_full_or_blocking_or_closed_does_not_stop_us(peer: Peer) -> None:
    peer.prepare()
    peer.kick(0, None)
    ring = peer.backend.rings[0]
    # A blocking eventfd whose counter is full; made blocking again behind our back.
    full = os.eventfd(0, os.EFD_CLOEXEC)
    os.eventfd_write(full, (1 << 64) - 2)
    assert peer.call(0, full)
    os.set_blocking(full, True)
    ring.signal()
    os.close(full)
    read, write = os.pipe()
    fcntl.fcntl(write, fcntl.F_SETPIPE_SZ, 4096)
    os.write(write, bytes(4096))
    assert peer.call(0, write)
    os.set_blocking(write, True)
    ring.signal()
    os.close(read)
    ring.signal()
    os.close(write)


def test_a_broken_ring_is_reported_and_stays_quiet_until_it_is_restarted(
    peer: Peer, eventfd: EventFd
) -> None:
    peer.prepare()
    error = eventfd()
    assert peer.say(14, u64(0), [error])
    peer.kick(0, eventfd())
    peer.enable(0)
    ring = peer.backend.rings[0]
    ring.fail("avail.idx 900 found, expected at most 4")
    assert os.eventfd_read(error) == 1
    assert (ring.started, ring.running, ring.fault) == (
        True,
        False,
        "avail.idx 900 found, expected at most 4",
    )
    assert peer.kick(0, eventfd())
    assert not ring.running
    peer.stop(0)
    assert peer.kick(0, eventfd())
    assert (ring.running, ring.fault) == (True, None)
    # The error descriptor outlives a stop: QEMU gives it once.
    ring.fail("again")
    assert os.eventfd_read(error) == 1


@pytest.mark.parametrize("number", [12, 13, 14])
def test_descriptors_that_are_no_notification_are_refused(
    peer: Peer, tmp_path: Path, number: int
) -> None:
    peer.prepare()
    (tmp_path / "file").write_bytes(b"")
    near, far = socket.socketpair()
    epoll = select.epoll()
    file = os.open(tmp_path / "file", os.O_RDWR)
    device = os.open("/dev/null", os.O_RDWR)
    directory = os.open(tmp_path, os.O_RDONLY)
    for fd in (file, device, directory, near.fileno(), epoll.fileno(), peer.fd):
        assert not peer.say(number, u64(0), [fd])
    assert len(peer.backend.refusals) == 6
    assert all("expected an eventfd or a pipe" in text for text in peer.backend.refusals)
    assert not peer.backend.rings[0].started
    for fd in (file, device, directory):
        os.close(fd)
    near.close()
    far.close()
    epoll.close()


@pytest.mark.parametrize("number", [12, 13, 14])
@pytest.mark.parametrize(("word", "count"), [(0x100, 1), (0, 0), (0, 2), (0x200, 1), (1 << 63, 1)])
def test_descriptors_and_bit_8_have_to_agree(
    peer: Peer, eventfd: EventFd, number: int, word: int, count: int
) -> None:
    peer.prepare()
    assert not peer.say(number, u64(word), [eventfd() for _ in range(count)])


# Memory that changes under a ring


def test_a_running_ring_moves_to_the_new_table(
    peer: Peer, memory_file: MemoryFile, eventfd: EventFd
) -> None:
    old = memory_file(SIZE, name="old")
    new = memory_file(2 * SIZE, name="new")
    assert peer.say(2, u64(FEATURES))
    assert peer.share(old)
    assert peer.say(8, state(0, 4))
    assert peer.say(9, places(0))
    peer.kick(0, eventfd())
    peer.enable(0)
    peer.fd = old
    peer.offer(slot=0, idx=1)
    ring = peer.backend.rings[0]
    assert ring.queue is not None
    chain = ring.queue.pop()
    assert chain is not None
    os.pwrite(new, os.pread(old, SIZE, 0), SIZE)
    assert peer.share(new, offset=SIZE)
    assert (mapped("old"), mapped("new")) == (0, 1)
    assert ring.running
    ring.queue.push(chain, b"moved")
    ring.queue.publish()
    assert peer.read(SIZE + BUFFER + 16, 5, new) == b"moved"
    assert peer.read(SIZE + USED + 2, 2, new) == b"\1\0"
    assert peer.read(USED + 2, 2, old) == b"\0\0"


def test_a_ring_whose_memory_is_taken_away_pauses_until_it_comes_back(
    peer: Peer, memory_file: MemoryFile, eventfd: EventFd
) -> None:
    region = bytes(8) + struct.pack("<QQQQ", GUEST, SIZE, USER, 0)
    fd = memory_file(SIZE, name="gone")
    peer.fd = fd
    assert peer.say(2, u64(FEATURES))
    assert peer.say(37, region, [fd])
    assert peer.say(8, state(0, 4))
    assert peer.say(9, places(0))
    peer.kick(0, eventfd())
    peer.enable(0)
    ring = peer.backend.rings[0]
    assert ring.running
    assert peer.say(38, region)
    assert (ring.started, ring.running, ring.polled) == (True, False, False)
    assert peer.say(37, region, [fd])
    assert ring.running
    peer.offer(slot=0, idx=1)
    assert ring.queue is not None
    assert ring.queue.pop() is not None
    assert peer.say(38, region)
    assert peer.stop(0) == 1
    assert mapped("gone") == 0


def test_a_chain_in_flight_that_is_not_in_the_new_table_breaks_its_ring(
    peer: Peer, eventfd: EventFd
) -> None:
    peer.prepare()
    error = eventfd()
    assert peer.say(14, u64(0), [error])
    peer.kick(0, eventfd())
    peer.enable(0)
    peer.offer(slot=0, idx=1)
    ring = peer.backend.rings[0]
    assert ring.queue is not None
    assert ring.queue.pop() is not None
    smaller = struct.pack("<IIQQQQ", 1, 0, GUEST, BUFFER, USER, 0)
    assert peer.say(5, smaller, [peer.fd])
    assert not ring.running
    assert ring.fault is not None
    assert "in flight" in ring.fault
    assert os.eventfd_read(error) == 1
    # A later table finds it as broken as before.
    assert peer.share()
    assert not ring.running
    assert peer.stop(0) == 1


def test_closing_with_everything_in_use_leaves_nothing(
    peer: Peer, memory_file: MemoryFile, eventfd: EventFd
) -> None:
    peer.fd = memory_file(SIZE, name="everything")
    for index in (0, 1):
        peer.prepare(index)
        peer.call(index, eventfd())
        peer.say(14, u64(index), [eventfd()])
        peer.kick(index, eventfd())
        peer.enable(index)
    peer.offer(slot=0, idx=1)
    queue = peer.backend.rings[0].queue
    assert queue is not None
    chain = queue.pop()
    peer.backend.close()
    assert chain is not None
    assert mapped("everything") == 0
