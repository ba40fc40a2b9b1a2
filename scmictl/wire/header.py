"""The 32-bit word in front of every SCMI message (reference part A, 1.1).

Packed and unpacked by shifts, because every frame passes here twice.
"""

from __future__ import annotations

from struct import Struct
from typing import NamedTuple

COMMAND = 0
"""Message type of a request and of its immediate response."""
RESERVED = 1
DELAYED = 2
NOTIFICATION = 3

TYPE_NAMES = ("command", "reserved", "delayed_response", "notification")
SIZE = 4
TOKENS = 1024
"""The token has 10 bits."""

WORD = Struct("<I")


class Header(NamedTuple):
    """The fields of the header word; ``reserved`` are bits 31:28, zero from a correct peer."""

    message_id: int
    message_type: int
    protocol_id: int
    token: int
    reserved: int = 0


def pack(message_id: int, message_type: int, protocol_id: int, token: int) -> int:
    """Return the header word; every argument must already be in range."""
    return message_id | message_type << 8 | protocol_id << 10 | token << 18


def unpack(word: int) -> Header:
    """Split a header word into its fields."""
    return Header(
        word & 0xFF, word >> 8 & 0x3, word >> 10 & 0xFF, word >> 18 & 0x3FF, word >> 28 & 0xF
    )


def frame(
    message_id: int, message_type: int, protocol_id: int, token: int, payload: bytes
) -> bytes:
    """Return a whole frame: the header word and ``payload``."""
    return WORD.pack(pack(message_id, message_type, protocol_id, token)) + payload
