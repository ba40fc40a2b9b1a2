"""Frames whose direction nobody has told: which way each of them is to be read.

A header tells delayed responses and notifications, but a request and its response look alike.
"""

from __future__ import annotations

from typing import Any

from scmictl.protocols.decoding import Decoder, Record
from scmictl.wire import header

_FITS, _TOO_LONG, _WRONG = range(3)


class Reader:
    """Reads the frames of one connection in their order, whether or not their direction is known.

    Theory of operation. A frame of type 0 is read both ways with what ``decoder`` has learned so
    far. If one reading fits to the last byte, that is it. If both do or none does, it is the
    response where a request with its token is waiting for one. What remains is a guess, from which
    nothing is learned: the reading that fits better, or both.
    """

    def __init__(self, decoder: Decoder, *, outgoing: bool | None = None) -> None:
        """``outgoing`` is how to read every frame of type 0 that comes without a direction."""
        self.decoder = decoder
        self.outgoing = outgoing
        self._waiting: set[int] = set()
        """The tokens of requests that were certainly ones and have no response yet."""

    def read(self, frame: bytes, *, outgoing: bool | None = None) -> list[Record]:
        """Return the reading of the next frame, or the two that fit it equally well.

        Every record has the key ``guess``.
        """
        if outgoing is None:
            outgoing = self._direction(frame)
        if outgoing is not None:
            return [self._settled(frame, outgoing)]
        request, response = (self.decoder.read(frame, outgoing=way) for way in (True, False))
        ranks = _rank(request), _rank(response)
        if _FITS in ranks and ranks[0] != ranks[1]:
            return [self._settled(frame, ranks[0] == _FITS)]
        if request["token"] in self._waiting and self.decoder.request_of(frame) is not None:
            return [self._settled(frame, False)]
        best = min(ranks)
        readings = zip((request, response), ranks, strict=True)
        return [{**found, "guess": True} for found, rank in readings if rank == best]

    def _direction(self, frame: bytes) -> bool | None:
        """Return the direction that needs no guess: what there is to know without the payload."""
        if len(frame) < header.SIZE:
            return False
        head = header.unpack(header.WORD.unpack_from(frame)[0])
        if head.message_type != header.COMMAND:
            return False
        if self.outgoing is None and len(frame) == header.SIZE:
            return True  # a response has a status at least
        return self.outgoing

    def _settled(self, frame: bytes, outgoing: bool) -> dict[str, Any]:
        found = self.decoder.decode(frame, outgoing=outgoing)
        if found["type"] == "request":
            self._waiting.add(found["token"])
        elif found["type"] == "response":
            self._waiting.discard(found["token"])
        return {**found, "guess": False}


def _rank(found: Record) -> int:
    """Return how badly a reading fits, 0 being well."""
    # No platform answers with a status that SCMI has reserved, but many values look like one.
    if found["error"] is not None or str(found["status"]).startswith("RESERVED"):
        return _WRONG
    return _TOO_LONG if found["surplus"] else _FITS
