"""Connecting to devices that refuse, lack something, fall silent, hang up or talk nonsense."""

from __future__ import annotations

import errno
import fcntl
import os
import resource
import socket
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from scmictl import transport as transports
from scmictl.errors import ConnectError, DeviceGone, RemoteProtocolError, ScmictlError

VERSION = "00400000"
REQUESTS = [1, 15, 16, 3, 17, 2, 5, *[8, 10, 9, 13, 12] * 2, 18, 18]
"""Reference, section 6: the working order of messages, for two queues and REPLY_ACK."""
ANSWERED = {1, 15, 17, 5, 18}
"""Those of them that are answered."""


def fails(device: Any, options: str = "", limit: float | None = None) -> ScmictlError:
    """Connect in vain, and return why: one line."""
    target = transports.parse(f"vhost-user:{device.path}{options and '?' + options}")
    with pytest.raises(ScmictlError) as caught:
        transports.connect(target, limit=limit)
    assert "\n" not in caught.value.message
    return caught.value


def works(driver: Any) -> None:
    """See that a command is answered."""
    driver.send(VERSION)
    (found,) = driver.receive(1)
    assert found.data == bytes.fromhex("00400000 00000000 00000200")


def test_the_handshake_says_what_the_reference_says_in_its_order(
    hand_device: Any, attach: Callable[..., Any]
) -> None:
    works(attach())
    assert hand_device.requests == REQUESTS
    assert hand_device.accepted == 0x1_5000_0001, "offered and wanted, and bit 30"


@pytest.mark.parametrize("step", range(len(REQUESTS)))
def test_a_device_that_hangs_up_in_the_handshake_is_unreachable(
    hand_device: Any, step: int
) -> None:
    def leave(number: int) -> None:
        if len(hand_device.requests) > step:
            raise hand_device.Leave

    hand_device.on_request = leave
    error = fails(hand_device)
    assert (type(error), error.exit_code) == (ConnectError, 3)
    assert "hung up" in error.message


@pytest.mark.parametrize("number", sorted(ANSWERED))
def test_a_device_that_falls_silent_in_the_handshake_is_unreachable(
    hand_device: Any, number: int
) -> None:
    hand_device.replies[number] = None
    error = fails(hand_device, limit=0.1)
    assert (type(error), error.exit_code) == (ConnectError, 3)
    assert "not answered within 0.1 s" in error.message


@pytest.mark.parametrize("number", sorted(ANSWERED))
@pytest.mark.parametrize(
    ("what", "header", "size"),
    [("to another request", (1, 0, 0), 8), ("no reply", (0, 4, 0), 8), ("version 2", (0, 3, 0), 8),
     ("short", (0, 0, -1), 7), ("long", (0, 0, 1), 9), ("huge", (0, 0, 0xFFFF_FFF7), 0)],
)  # fmt: skip
def test_a_reply_that_is_not_the_one_due_is_a_fault_of_the_device(
    hand_device: Any, number: int, what: str, header: tuple[int, int, int], size: int
) -> None:
    more, flip, longer = header
    hand_device.replies[number] = struct.pack("<III", number + more, 5 ^ flip, 8 + longer) + bytes(
        size
    )
    error = fails(hand_device)
    assert (type(error), error.exit_code) == (RemoteProtocolError, 5)
    assert "expected" in error.message


@pytest.mark.parametrize("number", sorted(ANSWERED))
def test_half_a_reply_and_then_nothing_is_a_fault_of_the_device(
    hand_device: Any, number: int
) -> None:
    hand_device.replies[number] = struct.pack("<III", number, 5, 8) + b"\0"
    error = fails(hand_device, limit=0.1)
    assert (type(error), error.exit_code) == (RemoteProtocolError, 5)
    assert "1 of 8 payload bytes" in error.message


@pytest.mark.parametrize("number", [5, 18])
def test_a_device_that_refuses_memory_or_queue_is_unreachable(
    hand_device: Any, number: int
) -> None:
    hand_device.acks[number] = 1
    error = fails(hand_device)
    assert (type(error), error.exit_code) == (ConnectError, 3)
    assert "refused" in error.message
    assert "expected 0" in error.message


def test_bytes_that_nobody_asked_for_before_a_reply_are_a_fault_of_the_device(
    hand_device: Any,
) -> None:
    hand_device.replies[1] = struct.pack("<IIIQ", 1, 5, 8, 1 << 32) * 2
    error = fails(hand_device)
    assert (type(error), error.exit_code) == (RemoteProtocolError, 5)


def test_descriptors_in_a_reply_are_closed(
    hand_device: Any, attach: Callable[..., Any], descriptors: Callable[[], int]
) -> None:
    def send(number: int) -> None:
        if number == 17:
            reply = struct.pack("<IIIQ", 17, 5, 8, 2)
            socket.send_fds(hand_device.socket, [reply], [0, 1, 2])
            hand_device.replies[17] = None

    hand_device.on_request = send
    target = transports.parse(f"vhost-user:{hand_device.path}")
    before = descriptors()
    transports.connect(target).close()
    hand_device.do(lambda: None)
    assert descriptors() <= before


# --- what a device may lack -----------------------------------------------------------------------


def test_a_device_without_version_1_is_refused_with_what_it_offers(hand_device: Any) -> None:
    hand_device.offered &= ~(1 << 32)
    error = fails(hand_device)
    assert (type(error), error.exit_code) == (ConnectError, 3)
    assert "expected VERSION_1 (bit 32)" in error.message
    assert "0x50000001" in error.message


def test_a_device_without_protocol_features_runs_its_queues_at_once(
    hand_device: Any, attach: Callable[..., Any]
) -> None:
    hand_device.offered &= ~(1 << 30)
    works(attach())
    assert not {15, 16, 17, 18} & set(hand_device.requests)


@pytest.mark.parametrize("protocol", [0, 1 << 0, 1 << 3, (1 << 64) - 1 & ~(1 << 26)])
def test_protocol_features_that_are_not_offered_are_not_used(
    hand_device: Any, attach: Callable[..., Any], protocol: int
) -> None:
    hand_device.protocol = protocol
    works(attach())
    assert (17 in hand_device.requests) == bool(protocol & 1)


def test_features_we_do_not_know_are_left_alone(
    hand_device: Any, attach: Callable[..., Any]
) -> None:
    hand_device.offered = (1 << 64) - 1 & ~(1 << 29)
    works(attach())
    assert hand_device.accepted == 0x1_5000_0001


def test_a_device_without_p2a_gets_one_queue(hand_device: Any, attach: Callable[..., Any]) -> None:
    hand_device.offered &= ~1
    driver = attach()
    works(driver)
    assert not driver.transport.link.p2a
    assert hand_device.requests.count(12) == 1


def test_events_without_a_queue_for_them_are_a_contradiction_with_a_way_out(
    hand_device: Any, attach: Callable[..., Any]
) -> None:
    hand_device.queues = 1
    error = fails(hand_device)
    assert (type(error), error.exit_code) == (ConnectError, 3)
    assert error.hint == "try features=-p2a"
    works(attach("features=-p2a"))


def test_a_device_without_queues_is_unreachable(hand_device: Any) -> None:
    hand_device.queues = 0
    assert fails(hand_device).exit_code == 3


# --- afterwards -----------------------------------------------------------------------------------


def test_a_device_that_says_something_afterwards_unasked_breaks_the_protocol(
    hand_device: Any, attach: Callable[..., Any]
) -> None:
    driver = attach()
    works(driver)
    hand_device.do(lambda: hand_device.socket.sendall(b"\1"))
    with pytest.raises(RemoteProtocolError, match="expected none") as caught:
        while True:
            driver.look()
            driver.wait()
    assert caught.value.exit_code == 5
    with pytest.raises(RemoteProtocolError):
        driver.look()


def test_a_device_that_hangs_up_afterwards_is_gone(
    hand_device: Any, attach: Callable[..., Any]
) -> None:
    driver = attach()
    works(driver)
    hand_device.hang_up()
    for _ in range(2):
        with pytest.raises(DeviceGone, match="hung up") as caught:
            while True:
                driver.look()
                driver.wait()
        assert caught.value.exit_code == 12


@pytest.mark.parametrize("number", [18, 11])
def test_closing_is_quick_whatever_the_device_makes_of_it(
    hand_device: Any, attach: Callable[..., Any], number: int
) -> None:
    driver = attach()
    works(driver)
    hand_device.do(lambda: hand_device.replies.update({number: None}))
    driver.transport.close()
    driver.transport.close()
    with pytest.raises(DeviceGone):
        driver.look()
    with pytest.raises(DeviceGone):
        driver.send(VERSION)
    assert driver.transport.fileno() is None
    assert driver.transport.next_deadline() is None


def test_closing_stops_the_queues_in_the_order_of_the_reference(
    hand_device: Any, attach: Callable[..., Any]
) -> None:
    driver = attach()
    works(driver)
    driver.transport.close()
    assert hand_device.do(lambda: hand_device.requests[len(REQUESTS) :]) in (
        [18, 11, 18, 11],
        [],  # it has hung up already, and forgotten
    )


def test_the_memory_cannot_be_taken_away_from_under_us(
    hand_device: Any, attach: Callable[..., Any]
) -> None:
    driver = attach()

    def cut() -> str:
        try:
            os.ftruncate(hand_device.memory_fd, 0)
        except PermissionError:
            return "refused"
        return "cut"

    assert hand_device.do(cut) == "refused"
    seals = hand_device.do(lambda: fcntl.fcntl(hand_device.memory_fd, fcntl.F_GET_SEALS))
    assert seals & fcntl.F_SEAL_SHRINK
    assert seals & fcntl.F_SEAL_SEAL
    works(driver)


# --- nobody there ---------------------------------------------------------------------------------


def unreachable(path: Path, limit: float | None = None) -> ScmictlError:
    with pytest.raises(ScmictlError) as caught:
        transports.connect(transports.parse(f"vhost-user:{path}"), limit=limit)
    assert str(path) in caught.value.message
    assert "\n" not in caught.value.message
    return caught.value


def test_no_socket_no_socket_of_a_device_and_nobody_behind_it_are_told_apart(
    tmp_path: Path,
) -> None:
    file = tmp_path / "file"
    file.touch()
    silent = tmp_path / "silent"
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as left_behind:
        left_behind.bind(str(tmp_path / "left"))
    found = [
        unreachable(tmp_path / "nothing"),
        unreachable(file / "below"),
        unreachable(file),
        unreachable(tmp_path),
        unreachable(tmp_path / "left"),
    ]
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as listener:
        listener.bind(str(silent))
        listener.listen()
        found.append(unreachable(silent, limit=0.1))
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as other:
        other.bind(str(tmp_path / "datagram"))
        found.append(unreachable(tmp_path / "datagram"))
    assert {(type(e), e.exit_code) for e in found} == {(ConnectError, 3)}
    for error, words in zip(
        found,
        ["no socket there", "no socket there", "a regular file found", "a directory found",
         "nobody listens", "was not answered", "a socket of another type found"],
        strict=True,
    ):  # fmt: skip
        assert words in error.message


@pytest.mark.parametrize("step", [1, 2, 5])
@pytest.mark.parametrize("spare", range(4))
def test_a_process_that_runs_out_of_descriptors_on_the_way_is_told_so_and_keeps_none(
    hand_device: Any, step: int, spare: int
) -> None:
    limits = resource.getrlimit(resource.RLIMIT_NOFILE)
    taken: list[int] = []

    def use_up(number: int) -> None:
        if number != step:
            return
        # A little above what this process has open, however much other tests have left to it.
        highest = max(map(int, os.listdir("/proc/self/fd")))
        resource.setrlimit(resource.RLIMIT_NOFILE, (highest + 8, limits[1]))
        try:
            while True:
                taken.append(os.dup(0))
        except OSError as error:
            assert error.errno == errno.EMFILE
        for _ in range(spare):
            os.close(taken.pop())

    hand_device.on_request = use_up
    try:
        error = fails(hand_device, limit=1)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, limits)
        for fd in taken:
            os.close(fd)
    assert error.exit_code == 3
