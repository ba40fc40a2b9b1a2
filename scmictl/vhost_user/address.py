"""The socket file: what its path may be, and what is wrong when nobody can be reached there."""

from __future__ import annotations

import errno
import os
import stat

from scmictl.errors import ConnectError

#: The longest path that fits a Unix socket address, in bytes.
MAX_PATH = 107


def check(path: str) -> None:
    """Raise ConnectError if ``path`` cannot be the path of a Unix socket, whatever is there."""
    encoded = os.fsencode(path)
    if not encoded or b"\0" in encoded:
        raise ConnectError(f"socket path {path!r} found, expected the path of a file")
    if len(encoded) > MAX_PATH:
        raise ConnectError(
            f"socket path of {len(encoded)} bytes found, expected at most {MAX_PATH}: {path}",
            hint="change to its directory and use a relative path, or link to it from a short one",
        )


def kind(path: str, *, follow: bool = True) -> str | None:
    """What is at ``path``: "a socket", "a directory"…; None if nothing that we can see."""
    try:
        status = os.stat(path, follow_symlinks=follow)
    except OSError:
        return None
    mode = status.st_mode
    for test, text in (
        (stat.S_ISLNK, "a symbolic link"),
        (stat.S_ISSOCK, "a socket"),
        (stat.S_ISREG, "a regular file"),
        (stat.S_ISDIR, "a directory"),
        (stat.S_ISFIFO, "a pipe"),
    ):
        if test(mode):
            return text
    return "a device file"


def occupied(path: str) -> bool:
    """Is something at ``path`` that is no socket, so that waiting for one is no use?"""
    return kind(path) not in (None, "a socket")


def unreachable(path: str, error: OSError) -> ConnectError:
    """The words for a connection to ``path`` that did not come about, or broke at once."""
    code = error.errno
    if occupied(path):
        return ConnectError(f"{path}: {kind(path)} found, expected the socket of a device")
    if code in (errno.ENOENT, errno.ENOTDIR):
        return ConnectError(
            f"{path}: no socket there",
            hint="start the device, or give wait=10s;"
            " some devices have no socket while they serve another frontend",
        )
    if code == errno.ECONNREFUSED:
        return ConnectError(
            f"{path}: nobody listens on this socket",
            hint="the device has ended and left it behind: start it again",
        )
    if code in (errno.EACCES, errno.EPERM):
        return ConnectError(
            f"{path}: no permission to connect (writing to the socket is needed)",
            hint="see the modes of the socket and of the directories above it",
        )
    if code == errno.EPROTOTYPE:
        return ConnectError(f"{path}: a socket of another type found, expected a stream socket")
    if code == errno.EAGAIN:
        return ConnectError(f"{path}: too many others wait for this device already")
    if code in (errno.ECONNRESET, errno.EPIPE):
        return ConnectError(f"{path}: the device hung up before it answered GET_FEATURES")
    return ConnectError(f"{path}: cannot connect: {error.strerror}")
