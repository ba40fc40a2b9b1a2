"""The socket file: who may be there before, and what is left afterwards."""

from __future__ import annotations

import os
import socket
import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from scmictl.errors import ConnectError, TransportError
from scmictl.vhost_user.listener import Listener


def connect(path: Path) -> socket.socket:
    made = socket.socket(socket.AF_UNIX)
    made.connect(str(path))
    return made


def test_frontends_are_accepted_one_after_another(tmp_path: Path) -> None:
    path = tmp_path / "sock"
    listener = Listener(str(path))
    assert listener.accept() is None
    first, second = connect(path), connect(path)
    for peer in (first, second):
        connection = listener.accept()
        assert connection is not None
        connection.send(3)
        assert peer.recv(4096) == bytes.fromhex("03000000 01000000 00000000")
        connection.close()
        peer.close()
        # The path is there all the time.
        assert path.is_socket()
    assert listener.accept() is None
    listener.close()
    assert not path.exists()


@pytest.mark.parametrize("mode", [0o600, 0o660, 0o666])
def test_the_mode_says_who_may_connect(tmp_path: Path, mode: int) -> None:
    path = tmp_path / "sock"
    listener = Listener(str(path), mode=mode)
    assert stat.S_IMODE(path.stat().st_mode) == mode
    listener.close()


def test_a_socket_that_nobody_listens_on_is_replaced(tmp_path: Path) -> None:
    path = tmp_path / "sock"
    with socket.socket(socket.AF_UNIX) as left_over:
        left_over.bind(str(path))
    listener = Listener(str(path))
    connect(path).close()
    listener.close()


def test_a_socket_that_somebody_listens_on_is_not_touched(tmp_path: Path) -> None:
    path = tmp_path / "sock"
    listener = Listener(str(path))
    with pytest.raises(TransportError, match=f"{path}: another process listens there"):
        Listener(str(path))
    connect(path).close()
    listener.close()


def test_a_socket_with_a_full_queue_is_not_touched_either(tmp_path: Path) -> None:
    path = tmp_path / "sock"
    waiting = []
    with socket.socket(socket.AF_UNIX) as busy:
        busy.bind(str(path))
        busy.listen(0)
        with pytest.raises(BlockingIOError):
            while True:
                waiting.append(socket.socket(socket.AF_UNIX))
                waiting[-1].setblocking(False)
                waiting[-1].connect(str(path))
        with pytest.raises(TransportError, match="another process listens there"):
            Listener(str(path))
    for other in waiting:
        other.close()


def test_what_is_no_socket_is_not_touched(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"precious")
    (tmp_path / "link").symlink_to("file")
    for name, kind in (("file", "a regular file"), ("link", "a symbolic link")):
        with pytest.raises(TransportError, match=f"{kind} found, expected nothing or an old"):
            Listener(str(tmp_path / name))
    assert (tmp_path / "file").read_bytes() == b"precious"
    with pytest.raises(TransportError, match="a directory found"):
        Listener(str(tmp_path))


def test_a_socket_of_another_type_is_not_touched(tmp_path: Path) -> None:
    path = tmp_path / "sock"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as other:
        other.bind(str(path))
        with pytest.raises(TransportError, match="cannot listen on"):
            Listener(str(path))
    assert path.is_socket()


def test_a_directory_that_is_not_there_is_an_error_in_one_line(tmp_path: Path) -> None:
    with pytest.raises(TransportError, match=r"cannot listen on .*: No such file or directory"):
        Listener(str(tmp_path / "nowhere" / "sock"))


def test_a_path_that_is_too_long_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ConnectError, match="expected at most 107"):
        Listener(str(tmp_path / ("s" * 108)))


def test_closing_removes_only_its_own_file(tmp_path: Path) -> None:
    path = tmp_path / "sock"
    first = Listener(str(path))
    path.unlink()
    second = Listener(str(path))
    first.close()
    first.close()
    connect(path).close()
    second.close()
    assert not path.exists()
    third = Listener(str(path))
    path.unlink()
    path.write_bytes(b"somebody's")
    third.close()
    assert path.read_bytes() == b"somebody's"


def test_accepting_without_descriptors_left_is_an_error_in_one_line(
    tmp_path: Path, exhausted: Callable[[], None]
) -> None:
    path = tmp_path / "sock"
    listener = Listener(str(path))
    peer = connect(path)
    exhausted()
    with pytest.raises(TransportError, match="cannot accept: Too many open files"):
        listener.accept()
    listener.close()
    peer.close()


def test_an_accepted_socket_is_private_and_does_not_block(tmp_path: Path) -> None:
    path = tmp_path / "sock"
    listener = Listener(str(path))
    peer = connect(path)
    connection = listener.accept()
    assert connection is not None
    assert not os.get_inheritable(connection.fileno())
    assert not os.get_blocking(connection.fileno())
    connection.close()
    peer.close()
    listener.close()
