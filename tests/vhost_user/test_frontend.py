"""What the frontend says, in which order, to backends that offer different things."""

from __future__ import annotations

import os
import socket
import struct
from collections.abc import Callable
from typing import NamedTuple

import pytest

from scmictl.errors import ConnectError, DeviceGone, LocalProtocolError
from scmictl.vhost_user.frontend import USABLE, Frontend
from scmictl.vhost_user.messages import MemoryRegion

Scripted = Callable[..., str]

P2A, INDIRECT, EVENT_IDX, BIT30, VERSION_1 = 1 << 0, 1 << 28, 1 << 29, 1 << 30, 1 << 32
MQ, REPLY_ACK = 1 << 0, 1 << 3
GUEST, USER, SIZE = 0x4000_0000, 0x7F00_0000_0000, 0x10000
DESC, AVAIL, USED = USER, USER + 0x1000, USER + 0x2000


class Heard(NamedTuple):
    """A message as it came, in the reference's terms."""

    number: int
    flags: int
    payload: bytes
    fds: int


class Recorder:
    """A backend that takes everything, answers what is due, and keeps a record."""

    def __init__(self, features: int = 0x171000001, protocol: int = 0x9, queues: int = 2) -> None:
        self.answers = {1: features, 15: protocol, 17: queues}
        self.heard: list[Heard] = []
        self.next_avail = {0: 132, 1: 0}

    def __call__(self, peer: socket.socket) -> None:
        while True:
            header, fds, _, _ = socket.recv_fds(peer, 12, 32)
            for fd in fds:
                os.close(fd)
            if not header:
                return
            number, flags, size = struct.unpack("<III", header)
            payload = peer.recv(size, socket.MSG_WAITALL) if size else b""
            self.heard.append(Heard(number, flags, payload, len(fds)))
            if number in self.answers:
                peer.send(struct.pack("<IIIQ", number, 5, 8, self.answers[number]))
            elif number == 11:
                (index, _) = struct.unpack("<II", payload)
                peer.send(struct.pack("<IIIII", 11, 5, 8, index, self.next_avail[index]))
            elif flags & 8:
                peer.send(struct.pack("<IIIQ", number, 5, 8, 0))

    @property
    def numbers(self) -> list[int]:
        return [heard.number for heard in self.heard]


def set_up(frontend: Frontend, memory: int, kick: int, call: int | None, queues: int = 2) -> None:
    frontend.negotiate(USABLE)
    frontend.set_memory([MemoryRegion(GUEST, SIZE, USER, 0)], [memory])
    for index in range(queues):
        base = 0x4000 * index
        frontend.start_queue(
            index,
            size=256,
            descriptor=DESC + base,
            used=USED + base,
            available=AVAIL + base,
            kick=kick,
            call=call,
        )
    for index in range(queues):
        frontend.enable(index)
    frontend.settle()


def test_the_whole_session_in_the_order_of_the_reference(
    scripted: Scripted, memory_file: Callable[[int], int], eventfd: Callable[[], int]
) -> None:
    recorder = Recorder()
    frontend = Frontend.connect(scripted(recorder), timeout=5)
    kick = eventfd()
    set_up(frontend, memory_file(SIZE), kick, eventfd())
    assert frontend.stop_queue(0) == 132
    assert frontend.stop_queue(1) == 0
    frontend.close()
    # Features; protocol features; owner; queues; features; memory; per queue num, base, addr,
    # call, kick; enable; at the end disable and get base.
    start = [1, 15, 16, 3, 17, 2, 5, *[8, 10, 9, 13, 12] * 2, 18, 18]
    assert recorder.numbers == [*start, 18, 11, 18, 11]
    assert recorder.heard[0] == Heard(1, 0x1, b"", 0)
    assert recorder.heard[2] == Heard(16, 0x1, struct.pack("<Q", MQ | REPLY_ACK), 0)
    assert recorder.heard[5] == Heard(2, 0x1, struct.pack("<Q", 0x170000001), 0)
    assert recorder.heard[6] == Heard(5, 0x9, struct.pack("<IIQQQQ", 1, 0, GUEST, SIZE, USER, 0), 1)
    assert recorder.heard[7:12] == [
        Heard(8, 0x1, struct.pack("<II", 0, 256), 0),
        Heard(10, 0x1, struct.pack("<II", 0, 0), 0),
        Heard(9, 0x1, struct.pack("<IIQQQQ", 0, 0, DESC, USED, AVAIL, 0), 0),
        Heard(13, 0x1, struct.pack("<Q", 0), 1),
        Heard(12, 0x1, struct.pack("<Q", 0), 1),
    ]
    assert recorder.heard[17:19] == [
        Heard(18, 0x9, struct.pack("<II", 0, 1), 0),
        Heard(18, 0x9, struct.pack("<II", 1, 1), 0),
    ]
    assert recorder.heard[19:21] == [
        Heard(18, 0x9, struct.pack("<II", 0, 0), 0),
        Heard(11, 0x1, struct.pack("<II", 0, 0), 0),
    ]
    # Once for each queue, after its message.
    assert os.eventfd_read(kick) == 2


def test_what_was_agreed_on_can_be_read(scripted: Scripted) -> None:
    frontend = Frontend.connect(scripted(Recorder()), timeout=5)
    assert frontend.offered == 0x171000001
    assert frontend.negotiate(USABLE) == P2A | INDIRECT | EVENT_IDX | VERSION_1
    assert frontend.accepted == 0x130000001
    assert frontend.protocol == MQ | REPLY_ACK
    assert frontend.queue_count == 2
    frontend.close()


def test_only_wanted_features_are_taken(scripted: Scripted) -> None:
    frontend = Frontend.connect(scripted(Recorder()), timeout=5)
    assert frontend.negotiate(INDIRECT) == INDIRECT | VERSION_1
    frontend.close()


def test_no_feature_is_taken_that_is_not_offered(scripted: Scripted) -> None:
    recorder = Recorder(features=VERSION_1 | BIT30, protocol=0x17)
    frontend = Frontend.connect(scripted(recorder), timeout=5)
    assert frontend.negotiate(USABLE) == VERSION_1
    assert frontend.protocol == MQ
    frontend.enable(0)
    frontend.settle()
    frontend.close()
    # Without REPLY_ACK nothing asks for an acknowledgement; GET_FEATURES is the barrier.
    assert recorder.numbers == [1, 15, 16, 3, 17, 2, 18, 1]
    assert {heard.flags for heard in recorder.heard} == {0x1}
    assert recorder.heard[5].payload == struct.pack("<Q", VERSION_1 | BIT30)


def test_queues_are_not_counted_without_mq(scripted: Scripted) -> None:
    recorder = Recorder(protocol=REPLY_ACK)
    frontend = Frontend.connect(scripted(recorder), timeout=5)
    frontend.negotiate(USABLE)
    assert frontend.queue_count is None
    frontend.settle()
    frontend.close()
    assert 17 not in recorder.numbers


def test_without_bit_30_there_are_no_protocol_features_and_no_enable(
    scripted: Scripted, memory_file: Callable[[int], int], eventfd: Callable[[], int]
) -> None:
    recorder = Recorder(features=VERSION_1 | P2A)
    frontend = Frontend.connect(scripted(recorder), timeout=5)
    set_up(frontend, memory_file(SIZE), eventfd(), eventfd())
    frontend.stop_queue(1)
    frontend.close()
    assert recorder.numbers == [1, 3, 2, 5, *[8, 10, 9, 13, 12] * 2, 1, 11]
    assert recorder.heard[2].payload == struct.pack("<Q", VERSION_1 | P2A)
    assert {heard.flags for heard in recorder.heard} == {0x1}


def test_a_queue_without_call_says_so(
    scripted: Scripted, memory_file: Callable[[int], int], eventfd: Callable[[], int]
) -> None:
    recorder = Recorder()
    frontend = Frontend.connect(scripted(recorder), timeout=5)
    set_up(frontend, memory_file(SIZE), eventfd(), None)
    frontend.close()
    calls = [heard for heard in recorder.heard if heard.number == 13]
    assert calls == [
        Heard(13, 0x1, struct.pack("<Q", 0x100), 0),
        Heard(13, 0x1, struct.pack("<Q", 0x101), 0),
    ]


def test_unknown_and_unusable_features_of_the_device_are_left_alone(scripted: Scripted) -> None:
    recorder = Recorder(features=(1 << 64) - 1, protocol=(1 << 64) - 1)
    frontend = Frontend.connect(scripted(recorder), timeout=5)
    assert frontend.negotiate(USABLE) == USABLE
    assert frontend.protocol == MQ | REPLY_ACK
    frontend.close()


def test_more_queues_than_two_are_no_fault(scripted: Scripted) -> None:
    frontend = Frontend.connect(scripted(Recorder(queues=1 << 40)), timeout=5)
    frontend.negotiate(USABLE)
    assert frontend.queue_count == 1 << 40
    frontend.close()


def test_a_device_with_one_queue_will_do_without_events(scripted: Scripted) -> None:
    frontend = Frontend.connect(scripted(Recorder(queues=1)), timeout=5)
    frontend.negotiate(INDIRECT)
    assert frontend.queue_count == 1
    frontend.close()


def test_events_with_one_queue_are_refused(scripted: Scripted) -> None:
    frontend = Frontend.connect(scripted(Recorder(queues=1)), timeout=5)
    with pytest.raises(ConnectError, match="P2A with 1 queue, expected 2") as caught:
        frontend.negotiate(USABLE)
    assert caught.value.hint == "try features=-p2a"
    assert frontend.closed


def test_a_device_without_version_1_is_refused(scripted: Scripted) -> None:
    recorder = Recorder(features=BIT30 | P2A)
    frontend = Frontend.connect(scripted(recorder), timeout=5)
    with pytest.raises(ConnectError, match=r"0x40000001, expected VERSION_1 \(bit 32\)"):
        frontend.negotiate(USABLE)
    assert frontend.closed
    assert frontend.fileno() == -1


def test_a_device_without_queues_is_refused(scripted: Scripted) -> None:
    frontend = Frontend.connect(scripted(Recorder(queues=0)), timeout=5)
    with pytest.raises(ConnectError, match="0 queues, expected 2"):
        frontend.negotiate(USABLE)


def test_a_feature_our_driver_does_not_have_cannot_be_wanted(scripted: Scripted) -> None:
    frontend = Frontend.connect(scripted(Recorder()), timeout=5)
    with pytest.raises(LocalProtocolError, match="features 0x400000000 wanted"):
        frontend.negotiate(1 << 34)
    frontend.close()


@pytest.mark.parametrize(
    ("regions", "text"),
    [
        ([], "0 regions found, expected 1 to 8"),
        ([MemoryRegion(GUEST, 0, USER, 0)], "size 0 found"),
        ([MemoryRegion(GUEST, SIZE, USER, 1)], "file offset 0x1 found"),
        ([MemoryRegion((1 << 64) - 1, SIZE, USER, 0)], "which pass 2\\^64"),
        (
            [MemoryRegion(GUEST, SIZE, USER, 0), MemoryRegion(GUEST + 1, 1, 0, 0)],
            "overlap: guest address 0x40000001",
        ),
        (
            [MemoryRegion(GUEST, SIZE, USER, 0), MemoryRegion(0, 1, USER + 1, 0)],
            "overlap: user address 0x7f0000000001",
        ),
        ([MemoryRegion(i << 20, 1, i << 20, 0) for i in range(9)], "9 regions found"),
    ],
)
def test_regions_no_backend_has_to_take_are_not_sent(
    scripted: Scripted,
    memory_file: Callable[[int], int],
    regions: list[MemoryRegion],
    text: str,
) -> None:
    recorder = Recorder()
    frontend = Frontend.connect(scripted(recorder), timeout=5)
    frontend.negotiate(USABLE)
    with pytest.raises(LocalProtocolError, match=text):
        frontend.set_memory(regions, [memory_file(SIZE)] * len(regions))
    frontend.close()


def test_calls_out_of_order_are_local_errors(
    scripted: Scripted, memory_file: Callable[[int], int], eventfd: Callable[[], int]
) -> None:
    frontend = Frontend.connect(scripted(Recorder()), timeout=5)
    region = MemoryRegion(GUEST, SIZE, USER, 0)
    with pytest.raises(LocalProtocolError, match="set_memory called before negotiate"):
        frontend.set_memory([region], [memory_file(SIZE)])
    frontend.negotiate(USABLE)
    with pytest.raises(LocalProtocolError, match="negotiate called again"):
        frontend.negotiate(USABLE)
    with pytest.raises(LocalProtocolError, match="0 files for 1 regions"):
        frontend.set_memory([region], [])
    with pytest.raises(LocalProtocolError, match="expected set_memory before"):
        frontend.start_queue(
            0, size=2, descriptor=DESC, used=USED, available=AVAIL, kick=eventfd(), call=None
        )
    with pytest.raises(LocalProtocolError, match="queue 0 stopped, expected one that was started"):
        frontend.stop_queue(0)
    assert not frontend.closed
    frontend.close()


def test_a_closed_frontend_says_that_the_device_is_gone(scripted: Scripted) -> None:
    frontend = Frontend.connect(scripted(Recorder()), timeout=5)
    frontend.close()
    frontend.close()
    with pytest.raises(DeviceGone, match="is closed"):
        frontend.negotiate(USABLE)
    with pytest.raises(DeviceGone, match="is closed"):
        frontend.check()
