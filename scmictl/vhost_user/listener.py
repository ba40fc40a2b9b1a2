"""The socket file a backend waits behind: made, watched over and taken away.

The path is there, and connecting works, from construction to ``close``: a frontend that comes
while another is served waits in the kernel's queue until ``accept``. A socket file that nobody
listens on (left by a process that was killed) is replaced; one that somebody listens on, or
anything that is no socket, is not touched. Two processes that find the same left-over file at
the same moment can both replace it, and the later one wins; nothing short of a lock file beside
the socket would prevent that.
"""

from __future__ import annotations

import os
import socket
import stat

from scmictl.errors import TransportError
from scmictl.vhost_user import address
from scmictl.vhost_user.connection import Connection

_BACKLOG = 16


class Listener:
    """A listening Unix socket at ``path``, which it owns along with the file."""

    def __init__(self, path: str, *, mode: int = 0o600) -> None:
        """Listen. ``mode``: who may connect (write permission), as of a file.

        Raises ConnectError for an impossible path, TransportError if one cannot listen there.
        """
        address.check(path)
        self.path = path
        _clear(path)
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._file: tuple[int, int] | None = None
        try:
            self._socket.setblocking(False)
            self._socket.bind(path)
            self._file = _identity(path)
            # Before listen(), so nobody can connect under the mode that the umask gave.
            os.chmod(path, mode)
            self._socket.listen(_BACKLOG)
        except OSError as error:
            self.close()
            raise TransportError(f"cannot listen on {path}: {error.strerror}") from error

    def fileno(self) -> int:
        """The listening socket, for poll: readable means that ``accept`` has one."""
        return self._socket.fileno()

    def accept(self, *, half_message: float = 5.0) -> Connection | None:
        """The next frontend, or None if none waits. Never blocks; raises like ``take``."""
        sock = self.take()
        return None if sock is None else Connection(sock, half_message=half_message)

    def take(self) -> socket.socket | None:
        """The socket of whoever comes next, which is the caller's from now on; None if none waits.

        Raises TransportError if this process may have no more descriptors.
        """
        try:
            sock, _ = self._socket.accept()
        except (BlockingIOError, ConnectionError):
            return None
        except OSError as error:
            raise TransportError(f"{self.path}: cannot accept: {error.strerror}") from error
        return sock

    def close(self) -> None:
        """Stop listening and remove the file, if it is still the one made here. Idempotent."""
        self._socket.close()
        if self._file is not None and self._file == _identity(self.path):
            try:
                os.unlink(self.path)
            except OSError:
                pass  # we may not: the next listener will find that nobody listens there
        self._file = None


def _clear(path: str) -> None:
    """Remove a socket file that nobody listens on; raise TransportError for anything else."""
    found = address.kind(path, follow=False)
    if found is None:
        return
    if found != "a socket":
        raise TransportError(
            f"cannot listen on {path}: {found} found, expected nothing or an old socket",
            hint="remove it, or choose another path",
        )
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        probe.setblocking(False)
        try:
            probe.connect(path)
            taken = True
        except BlockingIOError:
            taken = True  # and its queue is full
        except ConnectionRefusedError:
            taken = False
        except FileNotFoundError:
            return  # its owner took it away just now
        except OSError as error:
            raise TransportError(f"cannot listen on {path}: {error.strerror}") from error
    if taken:
        raise TransportError(
            f"cannot listen on {path}: another process listens there",
            hint="stop it, or choose another path",
        )
    try:
        os.unlink(path)
    except OSError as error:
        raise TransportError(
            f"cannot listen on {path}: an old socket found that cannot be removed"
            f" ({error.strerror})"
        ) from error


def _identity(path: str) -> tuple[int, int] | None:
    try:
        status = os.lstat(path)
    except OSError:
        return None
    return (status.st_dev, status.st_ino) if stat.S_ISSOCK(status.st_mode) else None
