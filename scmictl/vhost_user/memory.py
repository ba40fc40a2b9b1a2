"""Shared memory files: make one (frontend), check and map one that a peer sent (backend).

Theory of operation
-------------------
The frontend makes a memory file sealed against shrinking and growing, keeps descriptor and
mapping, and sends the descriptor. The backend checks what it got (a regular file, long enough,
and so on), maps it shared and writable and closes the descriptor; Python's mmap keeps one of its
own until the mapping goes.

What can still go wrong: reading a mapped page that its file no longer has is a SIGBUS, which
ends this process, and no Python code can prevent or outlive it. A file sealed against shrinking
(``F_SEAL_SHRINK``; QEMU's memory-backend-memfd, and our own frontend) cannot get there. Others
(QEMU's memory-backend-file) are accepted unless the seal is required; ``Mapping.check`` compares
their size again before each batch of work. That notices a file that was cut, but not one that is
cut between the check and the access: against a hostile peer, require the seal.
"""

from __future__ import annotations

import fcntl
import itertools
import mmap
import os
import stat
from collections.abc import Sequence

from scmictl.errors import RemoteProtocolError, TransportError
from scmictl.vhost_user.messages import MemoryRegion
from scmictl.virtio.memory import Region

_TOP = 1 << 64


def shared_memory(size: int) -> tuple[int, mmap.mmap]:
    """A new memory file of ``size`` zero bytes and its mapping; the caller owns both.

    The file is close-on-exec and sealed: it can neither shrink nor grow. Raises TransportError
    if the system gives no memory or no descriptor.
    """
    try:
        fd = os.memfd_create("scmictl", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
        try:
            os.ftruncate(fd, size)
            seals = fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW | fcntl.F_SEAL_SEAL
            fcntl.fcntl(fd, fcntl.F_ADD_SEALS, seals)
            return fd, mmap.mmap(fd, size)
        except BaseException:
            os.close(fd)
            raise
    except OSError as error:
        raise TransportError(
            f"cannot share {size} bytes of memory with the device: {error.strerror}"
        ) from error


def fault_of_regions(regions: Sequence[MemoryRegion]) -> str | None:
    """What is wrong with regions that are to be valid at the same time; None if nothing."""
    for region in regions:
        if region.size == 0:
            return f"region at {region.guest:#x}: size 0 found, expected more"
        if region.offset % mmap.ALLOCATIONGRANULARITY:
            return (
                f"region at {region.guest:#x}: file offset {region.offset:#x} found,"
                f" expected a multiple of {mmap.ALLOCATIONGRANULARITY:#x}"
            )
        if max(region.guest, region.user, region.offset) + region.size > _TOP:
            return (
                f"region at guest {region.guest:#x}, user {region.user:#x}, file offset"
                f" {region.offset:#x}: {region.size:#x} bytes found, which pass 2^64"
            )
    for kind, starts in (
        ("guest", sorted((region.guest, region.size) for region in regions)),
        ("user", sorted((region.user, region.size) for region in regions)),
    ):
        for (start, size), (following, _) in itertools.pairwise(starts):
            if start + size > following:
                return (
                    f"regions overlap: {kind} address {following:#x} found,"
                    f" expected {start + size:#x} or more"
                )
    return None


class Mapping:
    """One region of a peer's memory file, mapped. The mapping goes when its last view does."""

    __slots__ = ("_map", "_sealed", "_view", "where")

    def __init__(self, where: MemoryRegion, fd: int, *, require_seal: bool) -> None:
        """Check and map the region ``where`` of ``fd``, which stays the caller's.

        Raises RemoteProtocolError if it cannot be mapped safely, as far as that can be known.
        """
        self.where = where
        status = os.fstat(fd)
        if not stat.S_ISREG(status.st_mode):
            raise RemoteProtocolError(
                f"{self._name()}: no regular file found (mode {status.st_mode:#o}),"
                " expected a memory file"
            )
        self._check_size(status.st_size)
        self._sealed = _sealed(fd)
        if require_seal and not self._sealed:
            raise RemoteProtocolError(
                f"{self._name()}: a file that can shrink found, expected the seal F_SEAL_SHRINK",
                hint="with QEMU: use memory-backend-memfd,share=on",
            )
        try:
            self._map = mmap.mmap(fd, where.size, offset=where.offset)
        except (OSError, ValueError, OverflowError) as error:
            raise RemoteProtocolError(
                f"{self._name()}: a file that cannot be mapped for reading and writing found"
                f" ({error})"
            ) from error
        self._view = memoryview(self._map)

    def region(self) -> Region:
        """The region, for a MemoryMap; its view is of this mapping."""
        return Region(self.where.guest, self.where.user, self.where.size, self._view)

    def check(self) -> None:
        """Raise RemoteProtocolError if the file has become too short for the mapping."""
        if not self._sealed:
            self._check_size(self._map.size())

    def close(self) -> None:
        """Unmap. Where a queue still holds a view, that happens when it lets go of it."""
        self._view.release()
        try:
            self._map.close()
        except BufferError:
            pass

    def _check_size(self, size: int) -> None:
        end = self.where.offset + self.where.size
        if size < end:
            raise RemoteProtocolError(
                f"{self._name()}: a file of {size:#x} bytes found, expected at least {end:#x}"
            )

    def _name(self) -> str:
        return f"memory region at guest address {self.where.guest:#x}"


def _sealed(fd: int) -> bool:
    try:
        return bool(fcntl.fcntl(fd, fcntl.F_GET_SEALS) & fcntl.F_SEAL_SHRINK)
    except OSError:
        # Only memory files have seals; any other file can shrink.
        return False
