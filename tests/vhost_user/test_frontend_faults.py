"""The frontend against sockets that are not there, and backends that break the rules.

What the backends send are bytes written from the reference, sections 1 and 19.
"""

from __future__ import annotations

import os
import select
import socket
import struct
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from scmictl.errors import (
    ConnectError,
    DeviceGone,
    Interrupted,
    RemoteProtocolError,
    TransportError,
)
from scmictl.vhost_user.frontend import USABLE, Frontend
from scmictl.vhost_user.messages import MemoryRegion

Scripted = Callable[..., str]
Script = Callable[[socket.socket], None]

FEATURES = bytes.fromhex("01000000 05000000 08000000 0100007101000000")
"""The reply of vhost-device-scmi to GET_FEATURES: 0x171000001."""
SHORT = 0.05


def ask(peer: socket.socket) -> tuple[int, int]:
    """Number and flags of the next request, the rest thrown away; (0, 0) at the end."""
    header, fds, _, _ = socket.recv_fds(peer, 12, 32)
    for fd in fds:
        os.close(fd)
    if not header:
        return 0, 0
    number, flags, size = struct.unpack("<III", header)
    if size:
        peer.recv(size, socket.MSG_WAITALL)
    return number, flags


def reply(number: int, value: int) -> bytes:
    return struct.pack("<IIIQ", number, 5, 8, value)


def good_until(last: int, then: Script, *, protocol: int = 0x9) -> Script:
    """Behave well until request ``last`` comes, then do something else."""
    answers = {1: 0x171000001, 15: protocol, 17: 2}

    def script(peer: socket.socket) -> None:
        while True:
            number, flags = ask(peer)
            if number == last:
                break
            if number == 0:
                return
            if number in answers or flags & 8:
                peer.send(reply(number, answers.get(number, 0)))
        then(peer)

    return script


def hang_up(peer: socket.socket) -> None:
    """Nothing: the connection is closed when the script ends."""


def silence(peer: socket.socket) -> None:
    """Wait for the frontend to leave."""
    while ask(peer) != (0, 0):
        pass


def say(data: bytes) -> Script:
    def script(peer: socket.socket) -> None:
        peer.send(data)
        silence(peer)

    return script


def say_and_hang_up(data: bytes) -> Script:
    def script(peer: socket.socket) -> None:
        peer.send(data)

    return script


def set_up(frontend: Frontend, memory: int, kick: int) -> None:
    frontend.negotiate(USABLE)
    frontend.set_memory([MemoryRegion(0x1000, 0x10000, 0x100000, 0)], [memory])
    frontend.start_queue(
        0,
        size=4,
        descriptor=0x100000,
        used=0x102000,
        available=0x101000,
        kick=kick,
        call=None,
    )
    frontend.enable(0)
    frontend.settle()


# Nobody to talk to


def test_no_socket_there(tmp_path: Path) -> None:
    path = str(tmp_path / "nothing")
    with pytest.raises(ConnectError, match=f"^{path}: no socket there$") as caught:
        Frontend.connect(path, timeout=5)
    assert caught.value.hint is not None
    assert "wait=10s" in caught.value.hint


@pytest.mark.parametrize("kind", ["regular file", "directory", "pipe"])
def test_not_a_socket(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "thing"
    if kind == "regular file":
        path.write_bytes(b"")
    elif kind == "directory":
        path.mkdir()
    else:
        os.mkfifo(path)
    with pytest.raises(ConnectError, match=f"a {kind} found, expected the socket of a device"):
        Frontend.connect(str(path), timeout=5, wait=60)


def test_a_path_below_a_file(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(ConnectError, match="no socket there"):
        Frontend.connect(str(tmp_path / "file" / "sock"), timeout=5)


def test_nobody_listens(tmp_path: Path) -> None:
    path = str(tmp_path / "stale")
    with socket.socket(socket.AF_UNIX) as left_over:
        left_over.bind(path)
    with pytest.raises(ConnectError, match="nobody listens on this socket"):
        Frontend.connect(path, timeout=5)


def test_a_datagram_socket(tmp_path: Path) -> None:
    path = str(tmp_path / "datagram")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as other:
        other.bind(path)
        with pytest.raises(ConnectError, match="another type found, expected a stream socket"):
            Frontend.connect(path, timeout=5)


def test_no_permission(tmp_path: Path) -> None:
    path = tmp_path / "private"
    user = os.geteuid()
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))
        listener.listen()
        path.chmod(0)
        if user == 0:
            os.seteuid(65534)  # root may connect to everything
        try:
            with pytest.raises(ConnectError, match="no permission to connect"):
                Frontend.connect(str(path), timeout=5)
        finally:
            os.seteuid(user)


def test_no_descriptors_left(tmp_path: Path, exhausted: Callable[[], None]) -> None:
    exhausted()
    with pytest.raises(ConnectError, match="cannot connect: Too many open files"):
        Frontend.connect(str(tmp_path / "sock"), timeout=5)


@pytest.mark.parametrize("path", ["", "\0abstract", "a\0b"])
def test_a_path_that_is_none(path: str) -> None:
    with pytest.raises(ConnectError, match="expected the path of a file"):
        Frontend.connect(path, timeout=5)


def test_the_longest_path_is_107_bytes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ConnectError, match="no socket there"):
        Frontend.connect("s" * 107, timeout=5)
    with pytest.raises(ConnectError, match="of 108 bytes found, expected at most 107"):
        Frontend.connect("ü" * 54, timeout=5)


def test_a_device_whose_queue_is_full(tmp_path: Path) -> None:
    path = str(tmp_path / "busy")
    waiting = []
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(path)
        listener.listen(0)
        with pytest.raises(BlockingIOError):
            while True:
                waiting.append(socket.socket(socket.AF_UNIX))
                waiting[-1].setblocking(False)
                waiting[-1].connect(path)
        with pytest.raises(ConnectError, match="too many others wait"):
            Frontend.connect(path, timeout=5)
    for other in waiting:
        other.close()


def test_a_device_that_serves_somebody_else(tmp_path: Path) -> None:
    path = str(tmp_path / "taken")
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(path)
        listener.listen()
        with pytest.raises(ConnectError, match="GET_FEATURES was not answered") as caught:
            Frontend.connect(path, timeout=SHORT)
    assert caught.value.hint is not None
    assert "another frontend may be attached" in caught.value.hint


# Patience


def test_hanging_up_on_the_first_request_is_tried_again(scripted: Scripted) -> None:
    path = scripted(hang_up, good_until(1, hang_up), good_until(1, say(FEATURES)))
    frontend = Frontend.connect(path, timeout=5)
    assert frontend.offered == 0x171000001
    frontend.close()


def test_a_socket_that_comes_later_is_waited_for(tmp_path: Path, scripted: Scripted) -> None:
    path = Path(scripted(good_until(1, say(FEATURES))))
    late = tmp_path / "late.sock"
    timer = threading.Timer(0.1, path.rename, [late])
    timer.start()
    frontend = Frontend.connect(str(late), timeout=5, wait=60)
    frontend.close()
    timer.join()


def test_a_device_that_keeps_hanging_up_is_given_up(tmp_path: Path) -> None:
    path = str(tmp_path / "rude")
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(path)
        listener.listen()

        def hang_up_on_everyone() -> None:
            try:
                while True:
                    listener.accept()[0].close()
            except OSError:
                return  # shut down below

        thread = threading.Thread(target=hang_up_on_everyone)
        thread.start()
        with pytest.raises(ConnectError, match="hung up before it answered GET_FEATURES"):
            Frontend.connect(path, timeout=5)
        listener.shutdown(socket.SHUT_RDWR)
        thread.join()


def test_waiting_for_a_device_can_be_interrupted(
    tmp_path: Path, eventfd: Callable[[], int]
) -> None:
    wake = eventfd()
    os.eventfd_write(wake, 1)
    with pytest.raises(Interrupted):
        Frontend.connect(str(tmp_path / "nothing"), timeout=5, wait=3600, wake=wake)


def test_waiting_for_an_answer_can_be_interrupted(
    scripted: Scripted, eventfd: Callable[[], int]
) -> None:
    wake = eventfd()

    def interrupt(peer: socket.socket) -> None:
        os.eventfd_write(wake, 1)
        silence(peer)

    frontend = Frontend.connect(scripted(good_until(17, interrupt)), timeout=3600, wake=wake)
    with pytest.raises(Interrupted):
        frontend.negotiate(USABLE)
    assert frontend.closed


# A first answer that is none


@pytest.mark.parametrize(
    ("data", "text"),
    [
        ("0f000000 05000000 08000000 0100007101000000", "reply to GET_PROTOCOL_FEATURES found"),
        ("ffffffff 05000000 08000000 0100007101000000", "reply to request 4294967295 found"),
        ("01000000 01000000 08000000 0100007101000000", "flags 0x1 found, expected 0x5"),
        ("01000000 04000000 08000000 0100007101000000", "flags 0x4 found, expected 0x5"),
        ("01000000 07000000 08000000 0100007101000000", "flags 0x7 found, expected 0x5"),
        ("01000000 25000000 08000000 0100007101000000", "flags 0x25 found, expected 0x5"),
        ("01000000 05000000 00000000", "payload of 0 bytes found, expected 8"),
        ("01000000 05000000 04000000 01000071", "payload of 4 bytes found, expected 8"),
        ("01000000 05000000 08080000", "payload of 2056 bytes found, expected 8"),
        ("01000000 05000000 ffffffff", "payload of 4294967295 bytes found, expected 8"),
        (b"HTTP/1.1 400 Bad Request\r\n".hex(), "reply to request 1347703880 found"),
    ],
)
def test_a_first_answer_that_is_not_vhost_user(scripted: Scripted, data: str, text: str) -> None:
    path = scripted(good_until(1, say(bytes.fromhex(data))))
    with pytest.raises(RemoteProtocolError, match=text) as caught:
        Frontend.connect(path, timeout=5)
    assert caught.value.message.startswith(path)


@pytest.mark.parametrize("size", [1, 11, 12, 13, 19])
def test_half_an_answer_and_the_end(scripted: Scripted, size: int) -> None:
    path = scripted(good_until(1, say_and_hang_up(FEATURES[:size])))
    with pytest.raises(RemoteProtocolError, match="and then the end of the connection"):
        Frontend.connect(path, timeout=5)


@pytest.mark.parametrize("size", [1, 12, 19])
def test_half_an_answer_has_no_more_time_than_any_other(scripted: Scripted, size: int) -> None:
    # Closing gives the device less time for each reply than the handshake did.
    features = reply(15, 0)[:size]
    frontend = Frontend.connect(scripted(good_until(15, say(features))), timeout=60)
    frontend.timeout = 0.05
    with pytest.raises(RemoteProtocolError, match=r"and then nothing for 0\.05 s"):
        frontend.negotiate(0)


@pytest.mark.parametrize("size", [1, 11, 12, 13, 19])
def test_half_an_answer_and_silence(scripted: Scripted, size: int) -> None:
    path = scripted(good_until(1, say(FEATURES[:size])))
    with pytest.raises(RemoteProtocolError, match="and then nothing for"):
        Frontend.connect(path, timeout=SHORT)


def test_descriptors_in_an_answer_are_closed(
    scripted: Scripted, eventfd: Callable[[], int]
) -> None:
    fds = [eventfd(), eventfd()]

    def script(peer: socket.socket) -> None:
        socket.send_fds(peer, [FEATURES], fds)
        silence(peer)

    frontend = Frontend.connect(scripted(good_until(1, script)), timeout=5)
    assert frontend.offered == 0x171000001
    frontend.close()


def test_a_flood_of_descriptors_in_an_answer_is_closed(
    scripted: Scripted, eventfd: Callable[[], int]
) -> None:
    fds = [eventfd()] * 100

    def script(peer: socket.socket) -> None:
        socket.send_fds(peer, [FEATURES], fds)
        silence(peer)

    with pytest.raises(RemoteProtocolError, match="expected at most 32"):
        Frontend.connect(scripted(good_until(1, script)), timeout=5)


# Later


@pytest.mark.parametrize(
    ("number", "name", "answered"),
    [
        (15, "GET_PROTOCOL_FEATURES", "GET_FEATURES"),
        (17, "GET_QUEUE_NUM", "GET_PROTOCOL_FEATURES"),
        (5, "SET_MEM_TABLE", "GET_QUEUE_NUM"),
        (18, "SET_VRING_ENABLE", "SET_MEM_TABLE"),
    ],
)
def test_hanging_up_during_the_handshake_names_the_step(
    scripted: Scripted,
    memory_file: Callable[[int], int],
    eventfd: Callable[[], int],
    number: int,
    name: str,
    answered: str,
) -> None:
    frontend = Frontend.connect(scripted(good_until(number, hang_up)), timeout=5)
    text = f"hung up at {name}; it had answered {answered}$"
    with pytest.raises(ConnectError, match=text):
        set_up(frontend, memory_file(0x10000), eventfd())
    assert frontend.closed


@pytest.mark.parametrize("number", [15, 17, 5, 18])
def test_silence_during_the_handshake_names_the_step(
    scripted: Scripted,
    memory_file: Callable[[int], int],
    eventfd: Callable[[], int],
    number: int,
) -> None:
    frontend = Frontend.connect(scripted(good_until(number, silence)), timeout=SHORT)
    with pytest.raises(ConnectError, match=r"[GS]ET_\w+ was not answered within 0.05 s"):
        set_up(frontend, memory_file(0x10000), eventfd())
    assert frontend.closed


@pytest.mark.parametrize(("number", "name"), [(5, "SET_MEM_TABLE"), (18, "SET_VRING_ENABLE")])
def test_a_request_that_is_refused_is_named(
    scripted: Scripted,
    memory_file: Callable[[int], int],
    eventfd: Callable[[], int],
    number: int,
    name: str,
) -> None:
    frontend = Frontend.connect(scripted(good_until(number, say(reply(number, 1)))), timeout=5)
    with pytest.raises(ConnectError, match=f"refused {name}: answer 0x1, expected 0"):
        set_up(frontend, memory_file(0x10000), eventfd())
    assert frontend.closed


def test_a_device_that_choked_on_the_set_up_is_noticed_without_acknowledgements(
    scripted: Scripted, memory_file: Callable[[int], int], eventfd: Callable[[], int]
) -> None:
    path = scripted(good_until(12, hang_up, protocol=0))
    frontend = Frontend.connect(path, timeout=5)
    with pytest.raises(ConnectError, match="hung up at ") as caught:
        set_up(frontend, memory_file(0x10000), eventfd())
    assert caught.value.hint == "perhaps the device does not take queues of 4 entries"


def test_an_answer_that_nobody_asked_for_is_noticed(scripted: Scripted) -> None:
    twice = good_until(15, say(reply(15, 0x9) + reply(15, 0x9)))
    frontend = Frontend.connect(scripted(twice), timeout=5)
    with pytest.raises(RemoteProtocolError, match="before SET_PROTOCOL_FEATURES, expected none"):
        frontend.negotiate(USABLE)
    assert frontend.closed


@pytest.mark.parametrize(("index", "num"), [(1, 0), (0, 0x10000), (0xFFFFFFFF, 0)])
def test_the_answer_to_get_vring_base_is_checked(
    scripted: Scripted,
    memory_file: Callable[[int], int],
    eventfd: Callable[[], int],
    index: int,
    num: int,
) -> None:
    answer = struct.pack("<IIIII", 11, 5, 8, index, num)
    frontend = Frontend.connect(scripted(good_until(11, say(answer))), timeout=5)
    set_up(frontend, memory_file(0x10000), eventfd())
    with pytest.raises(RemoteProtocolError, match=f"queue {index}, index {num} found"):
        frontend.stop_queue(0)
    assert frontend.closed


@pytest.mark.parametrize("then", [hang_up, silence])
def test_after_the_set_up_a_device_that_does_not_answer_is_gone(
    scripted: Scripted,
    memory_file: Callable[[int], int],
    eventfd: Callable[[], int],
    then: Script,
) -> None:
    frontend = Frontend.connect(scripted(good_until(11, then)), timeout=0.5)
    set_up(frontend, memory_file(0x10000), eventfd())
    with pytest.raises(DeviceGone, match="GET_VRING_BASE"):
        frontend.stop_queue(0)
    assert frontend.closed


def test_check_is_content_with_a_quiet_device(scripted: Scripted) -> None:
    frontend = Frontend.connect(scripted(good_until(1, say(FEATURES))), timeout=5)
    frontend.check()
    assert not frontend.closed
    frontend.close()


def wait_until_readable(frontend: Frontend) -> None:
    poll = select.poll()
    poll.register(frontend.fileno(), select.POLLIN)
    assert poll.poll(5000)


def test_check_sees_that_the_device_hung_up(scripted: Scripted) -> None:
    frontend = Frontend.connect(scripted(good_until(1, say_and_hang_up(FEATURES))), timeout=5)
    wait_until_readable(frontend)
    with pytest.raises(DeviceGone, match="the device hung up"):
        frontend.check()
    assert frontend.closed


def test_check_sees_what_nobody_asked_for(scripted: Scripted, eventfd: Callable[[], int]) -> None:
    extra = eventfd()

    def script(peer: socket.socket) -> None:
        peer.send(FEATURES)
        socket.send_fds(peer, [FEATURES], [extra])
        silence(peer)

    frontend = Frontend.connect(scripted(good_until(1, script)), timeout=5)
    wait_until_readable(frontend)
    with pytest.raises(RemoteProtocolError, match="expected none: nothing was asked"):
        frontend.check()
    assert frontend.closed


def test_every_fault_here_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(TransportError) as caught:
        Frontend.connect(str(tmp_path / "nothing"), timeout=5)
    assert "\n" not in str(caught.value)
