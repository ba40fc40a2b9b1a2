"""Notification descriptors: make one, signal it, clear it, and judge one that a peer sent.

A notification is an eventfd (or, from some peers, a pipe). It means *look at the ring*; how
often it was signalled means nothing, so a signal that finds it full has done its work.
"""

from __future__ import annotations

import os
import stat

_ONE = (1).to_bytes(8, "little")
# As much as one read takes: an eventfd gives 8 bytes, a pipe whatever its writer left there.
_CLEAR = 512


def create() -> int:
    """A new eventfd, non-blocking and close-on-exec, which the caller owns.

    Raises OSError if the process may have no more descriptors.
    """
    return os.eventfd(0, os.EFD_CLOEXEC | os.EFD_NONBLOCK)


def signal(fd: int) -> None:
    """Signal ``fd``. One that is full (signalled already) or that nobody can read is left be."""
    try:
        os.write(fd, _ONE)
    except OSError:
        pass  # full, its reader gone, or the wrong end of a pipe: nothing more can be done


def clear(fd: int) -> bool:
    """Take back what was signalled. False: no signal will ever come.

    The writing end is gone, or it is the writing end itself that a peer has sent.
    """
    try:
        return os.read(fd, _CLEAR) != b""
    except BlockingIOError:
        return True
    except OSError:
        return False


def prepare(fd: int) -> str | None:
    """Make a descriptor from a peer safe to signal and clear; returns what is wrong with it.

    Only eventfds and pipes will do: writing to a file would change it, and other kinds may
    block or never become quiet. The descriptor becomes non-blocking; the peer, which holds the
    same open file, can undo that, hence ``signal_safely``.
    """
    mode = os.fstat(fd).st_mode
    if not stat.S_ISFIFO(mode) and not _is_eventfd(fd, mode):
        return f"{_kind(mode)} found, expected an eventfd or a pipe"
    os.set_blocking(fd, False)
    return None


def signal_safely(fd: int) -> None:
    """``signal`` for a descriptor that a peer could have made blocking again and filled up."""
    os.set_blocking(fd, False)
    signal(fd)


def _is_eventfd(fd: int, mode: int) -> bool:
    if stat.S_IFMT(mode):
        return False
    try:
        target = os.readlink(f"/proc/self/fd/{fd}")
        return target == "anon_inode:[eventfd]"
    except OSError:
        # No /proc here: a descriptor without a file type is an anonymous inode, most often this.
        return True


def _kind(mode: int) -> str:
    for test, kind in (
        (stat.S_ISREG, "a regular file"),
        (stat.S_ISDIR, "a directory"),
        (stat.S_ISSOCK, "a socket"),
        (stat.S_ISCHR, "a character device"),
    ):
        if test(mode):
            return kind
    return "another kind of descriptor"
