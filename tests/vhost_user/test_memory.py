"""The frontend's own memory files."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Callable

import pytest

from scmictl.errors import TransportError
from scmictl.vhost_user.memory import shared_memory


def test_shared_memory_is_zeroed_and_shared() -> None:
    fd, memory = shared_memory(5000)
    assert len(memory) == 5000
    assert os.fstat(fd).st_size == 5000
    assert memory[:] == bytes(5000)
    memory[4999] = 7
    assert os.pread(fd, 1, 4999) == b"\7"
    memory.close()
    os.close(fd)


def test_shared_memory_can_neither_shrink_nor_grow_nor_be_unsealed() -> None:
    fd, memory = shared_memory(4096)
    assert not os.get_inheritable(fd)
    assert fcntl.fcntl(fd, fcntl.F_GET_SEALS) == (
        fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW | fcntl.F_SEAL_SEAL
    )
    for size in (0, 8192):
        with pytest.raises(PermissionError):
            os.ftruncate(fd, size)
    memory.close()
    os.close(fd)


def test_memory_that_the_system_does_not_give_is_an_error_in_one_line() -> None:
    with pytest.raises(TransportError, match="cannot share 4611686018427387904 bytes of memory"):
        shared_memory(1 << 62)


def test_no_descriptor_for_shared_memory_is_an_error_in_one_line(
    exhausted: Callable[[], None],
) -> None:
    exhausted()
    with pytest.raises(TransportError, match=r"cannot share 4096 bytes .*: Too many open files"):
        shared_memory(4096)
