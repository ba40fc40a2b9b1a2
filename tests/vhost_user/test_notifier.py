"""Kick and call descriptors."""

from __future__ import annotations

import os
from collections.abc import Callable

import pytest

from scmictl.vhost_user import notifier


def test_a_new_one_is_quiet_private_and_does_not_block() -> None:
    fd = notifier.create()
    assert not os.get_inheritable(fd)
    assert not os.get_blocking(fd)
    with pytest.raises(BlockingIOError):
        os.eventfd_read(fd)
    os.close(fd)


def test_signals_merge_and_are_cleared_together(eventfd: Callable[[], int]) -> None:
    fd = eventfd()
    notifier.signal(fd)
    notifier.signal(fd)
    assert notifier.clear(fd)
    with pytest.raises(BlockingIOError):
        os.eventfd_read(fd)


def test_clearing_a_quiet_one_is_no_fault(eventfd: Callable[[], int]) -> None:
    assert notifier.clear(eventfd())


def test_a_full_one_is_left_as_it_is(eventfd: Callable[[], int]) -> None:
    fd = eventfd()
    os.eventfd_write(fd, (1 << 64) - 2)
    notifier.signal(fd)
    assert os.eventfd_read(fd) == (1 << 64) - 2


def test_a_pipe_without_a_reader_is_no_fault() -> None:
    read, write = os.pipe()
    os.close(read)
    notifier.signal(write)
    os.close(write)


def test_a_pipe_without_a_writer_will_never_signal() -> None:
    read, write = os.pipe()
    notifier.signal(write)
    os.close(write)
    assert notifier.clear(read)
    assert not notifier.clear(read)
    os.close(read)


def test_preparing_makes_a_peers_descriptor_non_blocking() -> None:
    fd = os.eventfd(0, os.EFD_CLOEXEC)
    assert notifier.prepare(fd) is None
    assert not os.get_blocking(fd)
    os.close(fd)
