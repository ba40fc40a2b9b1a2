"""What both ends of a split ring do alike: add entries, publish them, ask to be told.

A ring is two half rings of one shape: flags, idx, entries, event index. The driver writes the
available half and reads the used one; the device the other way round. So one class serves
both: ``own`` is the half this end writes, ``peer`` the half it reads.

Theory of operation: an end adds entries to its half (invisible so far), then ``publish``
moves its idx past them all and says whether the other side wants to be told. It takes entries
of the other half up to that half's idx. To sleep, it calls ``arm`` (tell me from now on) and
sleeps only if that returns False: the other side may have published between the last look and
the arming, without telling. ``disarm`` while busy saves the other side the telling. An end
that only polls never arms. Of the other side nothing is assumed; every word it writes is
checked where it is read, and after a broken rule the end is broken for good: each later call
raises ``QueueBroken`` with the same text and touches no memory.

Shared flags, indices and events are read and written only through views cast to "H": one
16-bit access each. ``struct.pack_into`` clears the field first, and the other side can see
the zero.
"""

from __future__ import annotations

import sys
from typing import NoReturn

from scmictl.errors import LocalProtocolError, QueueBroken

from .fence import Fence

FLAGS = 0
IDX = 1
RING = 2
"""Words of a half ring: flags, idx, then the entries."""

SUPPRESS = 1
"""Bit 0 of either flags word: do not tell me."""

HINT = "the queue cannot be used any more; reconnect"


def wanted(event: int, old: int, new: int) -> bool:
    """Whether the entry ``event`` is among those added by moving idx from ``old`` to ``new``.

    All three are free-running 16-bit indices; true exactly for event in old … new-1.
    """
    return ((new - event - 1) & 0xFFFF) < ((new - old) & 0xFFFF)


class RingEnd:
    """One end of one ring; see the theory of operation above.

    ``broken`` is what the other side did wrong, None as long as it did not. Raises
    LocalProtocolError on a big-endian machine: the ring's words are little-endian, and only
    native words can be read and written whole.
    """

    __slots__ = (
        "_event_idx",
        "_fence",
        "_first",
        "_next",
        "_open",
        "_own",
        "_own_event",
        "_peer",
        "_peer_event",
        "_published",
        "_seen",
        "broken",
        "name",
        "size",
    )

    def __init__(
        self,
        name: str,
        size: int,
        own: tuple[memoryview, int],
        peer: tuple[memoryview, int],
        *,
        event_idx: bool,
        seen: int,
        added: int,
    ) -> None:
        """``own``, ``peer``: the bytes of a half ring and the offset of the event in them."""
        if sys.byteorder != "little":
            raise LocalProtocolError(
                f"{name}: this machine is {sys.byteorder}-endian, expected a little-endian one",
                hint="virtio rings are little-endian; run scmictl on such a machine",
            )
        self.name = name
        self.size = size
        self.broken: str | None = None
        self._open = True
        self._event_idx = event_idx
        self._fence = Fence()
        self._attach(own, peer)
        # The next entry of the peer's half to take, of the own half to write, and the own idx
        # that the other side was last told (or not told) about.
        self._seen = seen & 0xFFFF
        self._next = added & 0xFFFF
        self._published = self._next
        # What the other side asked for may be left over from before the start: tell it once.
        self._first = True

    def publish(self) -> bool:
        """Show the other side every entry added so far; True if it has to be told.

        Telling (a kick by the driver, a signal by the device) is the caller's part. Raises
        QueueBroken when the queue is broken, LocalProtocolError when it is closed.
        """
        if not self._open:
            self._refuse()
        new = self._next
        old = self._published
        if new == old:
            return False
        fence = self._fence
        # The other side reads idx, then the entries: they have to be there before idx is.
        fence.order()
        self._own[IDX] = new
        # The other side writes its event or flags, then reads idx. Without a full barrier it
        # can miss this idx while its event is missed here, and both sleep.
        fence.full()
        self._published = new
        if self._first:
            self._first = False
            return True
        if self._event_idx:
            return wanted(self._peer[self._peer_event], old, new)
        return not self._peer[FLAGS] & SUPPRESS

    def arm(self) -> bool:
        """Ask to be told of the next entry; True if there is one already (take it, arm again).

        Sleep only after False. Raises like ``publish``.
        """
        if not self._open:
            self._refuse()
        if self._event_idx:
            self._own[self._own_event] = self._seen
        else:
            self._own[FLAGS] = 0
        # The other side writes idx, then reads our event or flags: see publish().
        self._fence.full()
        return self._peer[IDX] != self._seen

    def disarm(self) -> None:
        """Ask not to be told. Raises like ``publish``."""
        if not self._open:
            self._refuse()
        if self._event_idx:
            # An entry that is past comes again only after 65,536 others.
            self._own[self._own_event] = (self._seen - 1) & 0xFFFF
        else:
            self._own[FLAGS] = SUPPRESS

    def close(self) -> None:
        """Stop using the queue and let go of its memory. Repeatable; never raises.

        Later calls raise LocalProtocolError (QueueBroken if it was broken before).
        """
        self._open = False
        self._own.release()
        self._peer.release()

    def _attach(self, own: tuple[memoryview, int], peer: tuple[memoryview, int]) -> None:
        self._own = own[0].cast("H")
        self._own_event = own[1] >> 1
        self._peer = peer[0].cast("H")
        self._peer_event = peer[1] >> 1

    def _break(self, text: str) -> QueueBroken:
        """Mark the queue broken; the caller raises what this returns."""
        self._open = False
        self.broken = f"{self.name}: {text}"
        return QueueBroken(self.broken, hint=HINT)

    def _refuse(self) -> NoReturn:
        if self.broken is not None:
            raise QueueBroken(self.broken, hint=HINT)
        raise LocalProtocolError(f"{self.name}: the queue is closed, expected an open one")
