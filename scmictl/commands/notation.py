"""How people write a frame down in hex: bytes, words, C arrays, escapes of a shell.

Bytes are in the order of the wire; a word is 32 bits, its lowest byte first on the wire. Eight
digits without a prefix can be either, and are what gives a header that can be one.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from scmictl.errors import UsageError
from scmictl.values import shown
from scmictl.wire import header

_BETWEEN = re.compile(r"""[\s,;:|{}()\[\]"'-]+""")
_PREFIXED = re.compile("0[xX]([0-9a-fA-F]+)[uU]?[lL]{0,2}")
_DIGITS = re.compile("[0-9a-fA-F]+")
_ESCAPES = re.compile(r"(?:\\+x[0-9a-fA-F]{2})+")
_WORD = 8
"""Digits of a word."""


class Damaged(UsageError):
    """What should have been a frame; ``data`` is what is left of it.

    ``known``: it begins with a header that is right, of a frame in the direction ``outgoing``.
    """

    def __init__(
        self,
        message: str,
        data: bytes,
        *,
        known: bool = False,
        outgoing: bool | None = None,
        hint: str | None = None,
    ) -> None:
        super().__init__(message, hint=hint)
        self.data = data
        self.known = known
        self.outgoing = outgoing


def frame(text: str) -> bytes | None:
    """Return the bytes that ``text`` means, or None if it is not hex at all.

    Raises Damaged for hex that is no frame: an odd number of digits, or fewer than a header has.
    """
    tokens = [token.replace("_", "") for token in _BETWEEN.split(text) if token]
    if not tokens:
        return None
    if all(_ESCAPES.fullmatch(token) for token in tokens):
        found = bytes.fromhex("".join(tokens).replace("\\", "").replace("x", ""))
    elif all(_PREFIXED.fullmatch(token) or _DIGITS.fullmatch(token) for token in tokens):
        found = _digits(tokens)
    else:
        return None
    if len(found) < header.SIZE:
        raise Damaged(
            f"found {shown(text[:60].strip())!r}, {len(found)} bytes, expected at least the "
            f"{header.SIZE} of a header",
            found,
        )
    return found


def plausible(word: int) -> bool:
    """Return whether a word can be a header: no reserved bits or type, a protocol that may be."""
    head = header.unpack(word)
    return (
        not head.reserved
        and head.message_type != header.RESERVED
        and (0x10 <= head.protocol_id < 0x20 or head.protocol_id >= 0x80)
    )


def _digits(tokens: list[str]) -> bytes:
    prefixed = [match[1] for token in tokens if (match := _PREFIXED.fullmatch(token))]
    if len(prefixed) == len(tokens) >= header.SIZE and all(len(digits) == 2 for digits in prefixed):
        return bytes.fromhex("".join(prefixed))
    if prefixed:
        return _words(tokens)
    for token in tokens:
        if len(token) % 2:
            raise Damaged(
                f"found {len(token)} hex digits in {shown(token[:60])!r}, expected pairs of them",
                b"".join(bytes.fromhex(token[: len(token) // 2 * 2]) for token in tokens),
                hint="bytes in the order of the wire (03 54 00 00), or words (0x00005403)",
            )
    in_order = bytes.fromhex("".join(tokens))
    if all(len(token) == _WORD for token in tokens):
        word = int(tokens[0], 16)
        if plausible(word) or not plausible(int.from_bytes(in_order[: header.SIZE], "little")):
            return _words(tokens)
    return in_order


def _words(tokens: Sequence[str]) -> bytes:
    found, wrong = b"", None
    for token in tokens:
        match = _PREFIXED.fullmatch(token)
        digits = match[1] if match else token
        if len(digits) > _WORD or (not match and len(digits) != _WORD):
            wrong = wrong or token
        else:
            found += int(digits, 16).to_bytes(header.SIZE, "little")
    if wrong is not None:
        raise Damaged(
            f"found {shown(wrong[:60])!r}, expected words of {_WORD} hex digits",
            found,
            hint="0x is only in front of words (0x00005403) and of single bytes (0x03)",
        )
    return found
