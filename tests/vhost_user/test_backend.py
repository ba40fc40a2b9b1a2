"""The backend's session: features, ownership, memory, and every way to get them wrong.

The frontend is a plain socket that sends bytes written from the reference.
"""

from __future__ import annotations

import fcntl
import os
import socket
import struct
from collections.abc import Callable
from pathlib import Path

import pytest

from scmictl.errors import RemoteProtocolError
from scmictl.vhost_user.backend import BURST, MAX_SLOTS, Backend

Attach = Callable[..., Backend]
Pair = tuple[socket.socket, socket.socket]
MemoryFile = Callable[..., int]

VERSION_1, BIT30, P2A = 1 << 32, 1 << 30, 1 << 0
GUEST, USER, SIZE = 0x4000_0000, 0x7F00_0000_0000, 0x10000
PAGE = os.sysconf("SC_PAGE_SIZE")
NEED_REPLY = 0x9


def frame(number: int, payload: bytes = b"", flags: int = 1) -> bytes:
    return struct.pack("<III", number, flags, len(payload)) + payload


def u64(value: int) -> bytes:
    return struct.pack("<Q", value)


def table(*regions: tuple[int, int, int, int], count: int | None = None) -> bytes:
    """guest, size, user, offset each."""
    head = struct.pack("<II", len(regions) if count is None else count, 0)
    return head + b"".join(struct.pack("<QQQQ", *region) for region in regions)


def single(guest: int, size: int, user: int, offset: int = 0) -> bytes:
    return bytes(8) + struct.pack("<QQQQ", guest, size, user, offset)


def give(backend: Backend, far: socket.socket, data: bytes, fds: list[int] | None = None) -> bytes:
    """Send, let the backend handle it, and return what it said."""
    socket.send_fds(far, [data], fds or [])
    assert backend.receive(0.0)
    far.setblocking(False)
    try:
        return far.recv(4096)
    except BlockingIOError:
        return b""


def mapped(name: str) -> int:
    """How many mappings of memory files called ``name`` this process has."""
    return Path("/proc/self/maps").read_text().count(f"/memfd:{name} ")


def ack(number: int, value: int = 0) -> bytes:
    return struct.pack("<IIIQ", number, 5, 8, value)


# What is on offer


@pytest.mark.parametrize(
    ("events", "expected"), [(True, "0100007001000000"), (False, "0000007001000000")]
)
def test_the_offered_features(attach: Attach, pair: Pair, events: bool, expected: str) -> None:
    answer = give(attach(events=events), pair[1], frame(1))
    assert answer == bytes.fromhex("01000000 05000000 08000000" + expected)


@pytest.mark.parametrize(("number", "value"), [(15, 0x8009), (17, 2), (36, MAX_SLOTS)])
def test_what_else_can_be_asked(attach: Attach, pair: Pair, number: int, value: int) -> None:
    assert give(attach(), pair[1], frame(number)) == ack(number, value)


def test_a_request_with_a_reply_gets_just_that_one(attach: Attach, pair: Pair) -> None:
    answer = give(attach(), pair[1], frame(1, flags=NEED_REPLY))
    assert answer == bytes.fromhex("01000000 05000000 08000000 0100007001000000")


def test_an_acknowledgement_is_given_even_where_that_was_not_negotiated(
    attach: Attach, pair: Pair
) -> None:
    backend = attach()
    assert give(backend, pair[1], frame(3, flags=NEED_REPLY)) == ack(3)
    assert backend.protocol == 0


def test_nothing_is_said_to_who_does_not_ask(attach: Attach, pair: Pair) -> None:
    assert give(attach(), pair[1], frame(3)) == b""


def test_features_are_taken(attach: Attach, pair: Pair) -> None:
    backend = attach()
    assert not backend.events
    assert give(backend, pair[1], frame(16, u64(0x9), NEED_REPLY)) == ack(16)
    assert give(backend, pair[1], frame(2, u64(0x170000001), NEED_REPLY)) == ack(2)
    assert (backend.protocol, backend.features) == (0x9, 0x170000001)
    assert backend.events


@pytest.mark.parametrize(
    ("number", "value"),
    [
        (2, 0x171000001),  # NOTIFY_ON_EMPTY was not offered
        (2, VERSION_1 | 1 << 34),
        (2, VERSION_1 | 1 << 63),
        (2, BIT30 | P2A),  # no VERSION_1
        (2, 0),
        (16, 1 << 1),
        (16, 1 << 63),
    ],
)
def test_features_not_offered_or_not_taken_are_refused(
    attach: Attach, pair: Pair, number: int, value: int
) -> None:
    backend = attach()
    assert give(backend, pair[1], frame(number, u64(value), NEED_REPLY)) == ack(number, 1)
    assert backend.features is None
    assert backend.protocol == 0
    assert f"{value:#x} found, expected" in backend.refusals[0]
    with pytest.raises(RemoteProtocolError, match=f"{value:#x} found, expected"):
        give(backend, pair[1], frame(number, u64(value)))


def test_events_can_be_left_out(attach: Attach, pair: Pair) -> None:
    backend = attach(events=False)
    assert give(backend, pair[1], frame(2, u64(VERSION_1 | P2A), NEED_REPLY)) == ack(2, 1)
    assert give(backend, pair[1], frame(2, u64(VERSION_1), NEED_REPLY)) == ack(2)
    assert not backend.events


def test_a_session_is_owned_once(attach: Attach, pair: Pair) -> None:
    backend = attach()
    assert give(backend, pair[1], frame(3, flags=NEED_REPLY)) == ack(3)
    assert give(backend, pair[1], frame(3, flags=NEED_REPLY)) == ack(3, 1)
    assert give(backend, pair[1], frame(4, flags=NEED_REPLY)) == ack(4)
    assert give(backend, pair[1], frame(3, flags=NEED_REPLY)) == ack(3)
    with pytest.raises(RemoteProtocolError, match="SET_OWNER found again"):
        give(backend, pair[1], frame(3))


def test_reset_owner_disables_the_rings(attach: Attach, pair: Pair) -> None:
    backend = attach()
    give(backend, pair[1], frame(2, u64(VERSION_1)))
    assert [ring.enabled for ring in backend.rings] == [True, True]
    give(backend, pair[1], frame(4))
    assert [ring.enabled for ring in backend.rings] == [False, False]


# Memory


def test_a_memory_table_is_mapped_and_its_descriptors_closed(
    attach: Attach, pair: Pair, memory_file: MemoryFile
) -> None:
    backend = attach()
    first, second = memory_file(SIZE, name="first"), memory_file(2 * PAGE, name="second")
    data = table((GUEST, SIZE, USER, 0), (0x1000, PAGE, 0x1000, PAGE))
    assert give(backend, pair[1], frame(5, data, NEED_REPLY), [first, second]) == ack(5)
    assert (mapped("first"), mapped("second")) == (1, 1)
    backend.close()
    assert (mapped("first"), mapped("second")) == (0, 0)


def test_a_new_table_replaces_the_old_one(
    attach: Attach, pair: Pair, memory_file: MemoryFile
) -> None:
    backend = attach()
    give(backend, pair[1], frame(5, table((GUEST, SIZE, USER, 0))), [memory_file(SIZE, name="a")])
    give(backend, pair[1], frame(5, table((GUEST, SIZE, USER, 0))), [memory_file(SIZE, name="b")])
    assert (mapped("a"), mapped("b")) == (0, 1)


def test_a_table_that_fails_leaves_the_old_one(
    attach: Attach, pair: Pair, memory_file: MemoryFile
) -> None:
    backend = attach()
    give(backend, pair[1], frame(5, table((GUEST, SIZE, USER, 0))), [memory_file(SIZE, name="a")])
    data = table((GUEST, SIZE, USER, 0), (0, PAGE, 0, 0))
    fds = [memory_file(SIZE, name="b"), memory_file(PAGE - 1, name="c")]
    assert give(backend, pair[1], frame(5, data, NEED_REPLY), fds) == ack(5, 1)
    assert (mapped("a"), mapped("b"), mapped("c")) == (1, 0, 0)


@pytest.mark.parametrize("count", [8, 32])
def test_a_table_may_have_many_regions(
    attach: Attach, pair: Pair, memory_file: MemoryFile, count: int
) -> None:
    backend = attach()
    regions = [(i << 20, PAGE, i << 30, PAGE * i) for i in range(count)]
    fds = [memory_file(PAGE * count, name="many")] * count
    assert give(backend, pair[1], frame(5, table(*regions), NEED_REPLY), fds) == ack(5)
    assert mapped("many") == count


def test_regions_are_added_and_removed(attach: Attach, pair: Pair, memory_file: MemoryFile) -> None:
    backend = attach()
    first, second = memory_file(SIZE, name="first"), memory_file(SIZE, name="second")
    one, two = single(GUEST, SIZE, USER), single(0x1000, SIZE, 0x100000)
    assert give(backend, pair[1], frame(37, one, NEED_REPLY), [first]) == ack(37)
    assert give(backend, pair[1], frame(37, two, NEED_REPLY), [second]) == ack(37)
    assert (mapped("first"), mapped("second")) == (1, 1)
    # The same again, or something that overlaps it, is refused.
    assert give(backend, pair[1], frame(37, one, NEED_REPLY), [first]) == ack(37, 1)
    # A removal is matched by its addresses and size; a descriptor that comes along is closed.
    assert give(backend, pair[1], frame(38, one, NEED_REPLY), [first]) == ack(38)
    assert (mapped("first"), mapped("second")) == (0, 1)
    assert give(backend, pair[1], frame(38, one, NEED_REPLY)) == ack(38, 1)
    assert give(backend, pair[1], frame(38, two, NEED_REPLY)) == ack(38)
    assert mapped("second") == 0
    with pytest.raises(RemoteProtocolError, match="expected one that was added"):
        give(backend, pair[1], frame(38, two))


@pytest.mark.parametrize(
    "wrong", [single(GUEST + 1, SIZE, USER), single(GUEST, PAGE, USER), single(GUEST, SIZE, 0)]
)
def test_a_removal_matches_wholly_or_not_at_all(
    attach: Attach, pair: Pair, memory_file: MemoryFile, wrong: bytes
) -> None:
    backend = attach()
    give(backend, pair[1], frame(37, single(GUEST, SIZE, USER)), [memory_file(SIZE, name="a")])
    assert give(backend, pair[1], frame(38, wrong, NEED_REPLY)) == ack(38, 1)
    assert mapped("a") == 1


def test_the_slots_are_limited(attach: Attach, pair: Pair, memory_file: MemoryFile) -> None:
    backend = attach()
    fd = memory_file(PAGE)
    for i in range(MAX_SLOTS):
        give(backend, pair[1], frame(37, single(i << 20, PAGE, i << 20)), [fd])
    last = frame(37, single(MAX_SLOTS << 20, PAGE, MAX_SLOTS << 20), NEED_REPLY)
    assert give(backend, pair[1], last, [fd]) == ack(37, 1)
    assert "region 65 found, expected at most 64" in backend.refusals[0]


@pytest.mark.parametrize(
    ("region", "text"),
    [
        ((GUEST, 0, USER, 0), "size 0 found"),
        ((GUEST, SIZE, USER, 1), "file offset 0x1 found"),
        ((GUEST, SIZE, USER, PAGE // 2), "file offset"),
        ((GUEST, SIZE + 1, USER, 0), "a file of 0x10000 bytes found, expected at least 0x10001"),
        ((GUEST, SIZE, USER, PAGE), "a file of 0x10000 bytes found, expected at least"),
        (((1 << 64) - PAGE, SIZE, USER, 0), "which pass 2^64"),
        ((GUEST, SIZE, (1 << 64) - PAGE, 0), "which pass 2^64"),
        ((GUEST, SIZE, USER, (1 << 64) - PAGE), "which pass 2^64"),
        ((GUEST, (1 << 64) - 1, USER, 0), "which pass 2^64"),
        ((0, (1 << 64) - 1, 0, 0), "expected at least 0xffffffffffffffff"),
    ],
)
def test_regions_that_cannot_be_are_refused(
    attach: Attach,
    pair: Pair,
    memory_file: MemoryFile,
    region: tuple[int, int, int, int],
    text: str,
) -> None:
    backend = attach()
    fd = memory_file(SIZE)
    assert give(backend, pair[1], frame(5, table(region), NEED_REPLY), [fd]) == ack(5, 1)
    guest, size, user, offset = region
    added = frame(37, single(guest, size, user, offset), NEED_REPLY)
    assert give(backend, pair[1], added, [fd]) == ack(37, 1)
    assert all(text in refusal for refusal in backend.refusals)
    with pytest.raises(RemoteProtocolError, match="found"):
        give(backend, pair[1], frame(5, table(region)), [fd])


@pytest.mark.parametrize(
    "second",
    [
        (GUEST, SIZE, USER, 0),
        (GUEST + SIZE - 1, PAGE, 0, 0),
        (GUEST - 1, PAGE, 0, 0),
        (0, PAGE, USER + SIZE - 1, 0),
        (0, PAGE, USER - 1, 0),
    ],
)
def test_regions_that_overlap_are_refused(
    attach: Attach, pair: Pair, memory_file: MemoryFile, second: tuple[int, int, int, int]
) -> None:
    backend = attach()
    fd = memory_file(SIZE)
    data = table((GUEST, SIZE, USER, 0), second)
    assert give(backend, pair[1], frame(5, data, NEED_REPLY), [fd, fd]) == ack(5, 1)
    assert give(backend, pair[1], frame(37, single(GUEST, SIZE, USER)), [fd]) == b""
    guest, size, user, offset = second
    added = frame(37, single(guest, size, user, offset), NEED_REPLY)
    assert give(backend, pair[1], added, [fd]) == ack(37, 1)
    assert ["overlap" in refusal for refusal in backend.refusals] == [True, True]


def test_regions_may_touch(attach: Attach, pair: Pair, memory_file: MemoryFile) -> None:
    data = table((GUEST, SIZE, USER, 0), (GUEST + SIZE, SIZE, USER + SIZE, 0))
    fd = memory_file(SIZE)
    assert give(attach(), pair[1], frame(5, data, NEED_REPLY), [fd, fd]) == ack(5)


@pytest.mark.parametrize("count", [0, 2, 3])
def test_every_region_has_one_descriptor(
    attach: Attach, pair: Pair, memory_file: MemoryFile, count: int
) -> None:
    backend = attach()
    fds = [memory_file(SIZE)] * count
    data = frame(5, table((GUEST, SIZE, USER, 0)), NEED_REPLY)
    assert give(backend, pair[1], data, fds) == ack(5, 1)
    assert f"SET_MEM_TABLE: {count} file descriptors found, expected 1" in backend.refusals[0]
    added = frame(37, single(GUEST, SIZE, USER), NEED_REPLY)
    assert give(backend, pair[1], added, fds) == ack(37, 1)


@pytest.mark.parametrize("kind", ["socket", "pipe", "eventfd", "device", "directory", "path"])
def test_memory_is_a_regular_file(
    attach: Attach, pair: Pair, tmp_path: Path, eventfd: Callable[[], int], kind: str
) -> None:
    backend = attach()
    read, write = os.pipe()
    opened = {
        "socket": os.dup(pair[1].fileno()),
        "pipe": os.dup(read),
        "eventfd": os.dup(eventfd()),
        "device": os.open("/dev/zero", os.O_RDWR),
        "directory": os.open(tmp_path, os.O_RDONLY),
        "path": os.open("/dev/zero", os.O_PATH),
    }
    fd = opened[kind]
    answer = give(backend, pair[1], frame(5, table((GUEST, SIZE, USER, 0)), NEED_REPLY), [fd])
    assert answer == ack(5, 1)
    assert "no regular file found" in backend.refusals[0]
    for other in (read, write, *opened.values()):
        os.close(other)


def test_memory_has_to_be_writable(
    attach: Attach, pair: Pair, tmp_path: Path, memory_file: MemoryFile
) -> None:
    backend = attach()
    (tmp_path / "file").write_bytes(bytes(SIZE))
    read_only = os.open(tmp_path / "file", os.O_RDONLY)
    sealed = memory_file(SIZE)
    fcntl.fcntl(sealed, fcntl.F_ADD_SEALS, fcntl.F_SEAL_WRITE)
    for fd in (read_only, sealed):
        data = frame(5, table((GUEST, SIZE, USER, 0)), NEED_REPLY)
        assert give(backend, pair[1], data, [fd]) == ack(5, 1)
    assert all("cannot be mapped for reading and writing" in text for text in backend.refusals)
    os.close(read_only)


def test_an_ordinary_file_is_taken(attach: Attach, pair: Pair, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(bytes(SIZE))
    fd = os.open(tmp_path / "file", os.O_RDWR)
    backend = attach()
    data = frame(5, table((GUEST, SIZE, USER, 0)), NEED_REPLY)
    assert give(backend, pair[1], data, [fd]) == ack(5)
    backend.check_memory()
    os.close(fd)


def test_a_file_that_has_shrunk_is_noticed(
    attach: Attach, pair: Pair, memory_file: MemoryFile
) -> None:
    backend = attach()
    fd = memory_file(SIZE)
    give(backend, pair[1], frame(5, table((GUEST, SIZE, USER, 0))), [fd])
    os.ftruncate(fd, SIZE + 1)
    backend.check_memory()
    os.ftruncate(fd, SIZE - 1)
    with pytest.raises(RemoteProtocolError, match="0xffff bytes found, expected at least 0x10000"):
        backend.check_memory()


def test_memory_that_cannot_shrink_can_be_required(
    attach: Attach, pair: Pair, memory_file: MemoryFile, tmp_path: Path
) -> None:
    backend = attach(require_seal=True)
    data = frame(5, table((GUEST, SIZE, USER, 0)), NEED_REPLY)
    sealed = memory_file(SIZE)
    fcntl.fcntl(sealed, fcntl.F_ADD_SEALS, fcntl.F_SEAL_SHRINK)
    assert give(backend, pair[1], data, [memory_file(SIZE)]) == ack(5, 1)
    (tmp_path / "file").write_bytes(bytes(SIZE))
    ordinary = os.open(tmp_path / "file", os.O_RDWR)
    assert give(backend, pair[1], data, [ordinary]) == ack(5, 1)
    assert all("expected the seal F_SEAL_SHRINK" in text for text in backend.refusals)
    assert give(backend, pair[1], data, [sealed]) == ack(5)
    backend.check_memory()
    os.close(ordinary)


# The byte stream


@pytest.mark.parametrize(
    "data",
    [
        "01000000 00000000 00000000",  # no version
        "01000000 02000000 00000000",  # version 2
        "01000000 05000000 00000000",  # a reply
        "01000000 11000000 00000000",  # an unknown flag
        "01000000 09000080 00000000",
        "01000000 01000000 01000000 00",  # GET_FEATURES with a payload
        "02000000 01000000 00000000",  # SET_FEATURES without
        "02000000 01000000 04000000 00000070",
        "02000000 09000000 ffffffff",
        "05000000 01000000 01100000",  # a memory table of 4097 bytes
        "05000000 01000000 00000000",
        "05000000 01000000 04000000 01000000",
        "05000000 01000000 08000000 0000000000000000",  # no regions
        "05000000 01000000 08000000 0100000000000000",  # one region, which is missing
        "05000000 01000000 08000000 ffffffff00000000",
        "08000000 01000000 07000000 00000000000000",
        "09000000 01000000 20000000",  # a ring's addresses without the log
        "0c000000 01000000 04000000 00000000",
        "12000000 01000000 10000000",
        "25000000 01000000 20000000",
        "63000000 01000000 01100000",  # unknown, and too long to skip
        "00000000 00000000 00000000",
        "ffffffff ffffffff ffffffff",
        b"GET / HTTP/1.1\r\n".hex(),
    ],
)
def test_a_message_that_cannot_be_read_ends_the_session(
    attach: Attach, pair: Pair, eventfd: Callable[[], int], data: str
) -> None:
    backend = attach()
    with pytest.raises(RemoteProtocolError, match=r"found, expected"):
        give(backend, pair[1], bytes.fromhex(data), [eventfd()])


@pytest.mark.parametrize(
    ("number", "payload"),
    [
        (0, ""),
        (6, "00" * 16),
        (7, ""),
        (21, ""),
        (24, "00" * 12),
        (25, "00" * 12),
        (31, "00" * 24),
        (34, ""),
        (35, "00" * 8),
        (39, "00" * 8),
        (40, ""),
        (44, ""),
        (45, "00" * 8),
        (99, "00" * 4096),
        (0xFFFFFFFF, ""),
    ],
)
def test_a_request_that_is_not_served_is_skipped_or_ends_the_session(
    attach: Attach, pair: Pair, eventfd: Callable[[], int], number: int, payload: str
) -> None:
    backend = attach()
    data = frame(number, bytes.fromhex(payload), NEED_REPLY)
    assert give(backend, pair[1], data, [eventfd()]) == ack(number, 1)
    assert "expected a request that was offered" in backend.refusals[0]
    assert give(backend, pair[1], frame(17)) == ack(17, 2)
    with pytest.raises(RemoteProtocolError, match="expected a request that was offered"):
        give(backend, pair[1], frame(number, bytes.fromhex(payload)), [eventfd()])


@pytest.mark.parametrize(
    ("number", "payload"),
    [(n, 0) for n in (1, 3, 4, 15, 17, 36)] + [(n, 8) for n in (2, 8, 10, 11, 16, 18)] + [(9, 40)],
)
def test_descriptors_where_none_belong_are_closed_and_refused(
    attach: Attach, pair: Pair, eventfd: Callable[[], int], number: int, payload: int
) -> None:
    backend = attach()
    with pytest.raises(RemoteProtocolError, match="1 file descriptors found, expected 0"):
        give(backend, pair[1], frame(number, bytes(payload)), [eventfd()])


def test_only_the_last_refusals_are_kept(attach: Attach, pair: Pair) -> None:
    backend = attach()
    for _ in range(40):
        give(backend, pair[1], frame(99, flags=NEED_REPLY))
    assert len(backend.refusals) == 32


def test_a_frontend_that_leaves_between_messages_has_left(attach: Attach, pair: Pair) -> None:
    backend = attach()
    pair[1].send(frame(16, u64(0x9)))
    pair[1].close()
    assert not backend.receive(0.0)
    assert backend.protocol == 0x9


def test_a_frontend_that_leaves_without_its_answer_has_left(attach: Attach, pair: Pair) -> None:
    backend = attach()
    pair[1].send(frame(1) * 3)
    pair[1].close()
    assert not backend.receive(0.0)


def test_a_frontend_that_leaves_inside_a_message_broke_the_protocol(
    attach: Attach, pair: Pair, eventfd: Callable[[], int]
) -> None:
    backend = attach()
    socket.send_fds(pair[1], [frame(2, u64(0))[:15]], [eventfd()])
    pair[1].close()
    with pytest.raises(RemoteProtocolError, match="3 of 8 payload bytes and then the end"):
        backend.receive(0.0)


def test_half_a_message_does_not_stop_the_backend_and_has_a_deadline(
    attach: Attach, pair: Pair, eventfd: Callable[[], int]
) -> None:
    backend = attach()
    assert give(backend, pair[1], frame(2, u64(0))[:15], [eventfd()]) == b""
    assert backend.deadline == 2.0
    assert backend.receive(1.9)
    with pytest.raises(RemoteProtocolError, match="and then nothing for 2 s"):
        backend.receive(2.0)


def test_a_frontend_that_does_not_read_cannot_stop_the_backend(attach: Attach, pair: Pair) -> None:
    backend = attach()
    with pytest.raises(RemoteProtocolError, match="no room for the reply"):
        while True:
            pair[1].send(frame(1))
            assert backend.receive(0.0)


def test_a_frontend_that_does_not_stop_is_served_in_bursts(attach: Attach, pair: Pair) -> None:
    backend = attach()
    pair[1].send(frame(17) * (BURST + 1))
    assert backend.receive(0.0)
    assert pair[1].recv(20 * (BURST + 1)) == ack(17, 2) * BURST
    assert backend.receive(0.0)
    assert pair[1].recv(20) == ack(17, 2)


def test_a_backend_may_be_closed_twice(attach: Attach, pair: Pair, memory_file: MemoryFile) -> None:
    backend = attach()
    give(backend, pair[1], frame(37, single(GUEST, SIZE, USER)), [memory_file(SIZE)])
    backend.close()
    backend.close()
    assert backend.fileno() == -1
