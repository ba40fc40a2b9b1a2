"""Hexdumps of one frame over several lines: what xxd, hexdump and od print.

Each line begins with an offset. od counts it in octal, the others in hex; both are understood, and
that the offsets go on without a gap is checked. Groups of more than a byte are bytes in their order
behind the colon of xxd, else numbers of a machine whose lowest byte comes first. It is the other
way round (xxd -e, od --endian=big) where the text beside them says so, or only that gives a header.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from scmictl.commands import notation
from scmictl.errors import UsageError
from scmictl.wire import header

LONGEST = 0x10000
"""Bytes of a frame; a `*` in a dump could stand for any number of lines."""

_LINE = re.compile(r"\s*([0-9a-fA-F]{6,16})(:?)(?:\s+(.*))?")
_TEXT = re.compile(r"\s+[|>].*")
_GROUP = re.compile("(?:[0-9a-fA-F]{2}){1,8}")


class Row(NamedTuple):
    """One line of a dump: its offset as it stands there, its groups of digits, xxd's text."""

    offset: str
    colon: bool
    groups: tuple[str, ...]
    text: str


def row(line: str) -> Row | None:
    """Return a line of a dump taken apart, or None if it cannot be one."""
    match = _LINE.fullmatch(line)
    if match is None:
        return None
    offset, colon, rest = match[1], bool(match[2]), match[3] or ""
    # xxd has two blanks in front of its text, and only one between groups.
    rest, _, text = rest.partition("  ") if colon else (_TEXT.sub("", f" {rest}"), "", "")
    groups = tuple(rest.split())
    if not all(map(_GROUP.fullmatch, groups)) or len({len(group) for group in groups[:-1]}) > 1:
        return None
    return Row(offset, colon, groups, text.strip(" "))


def begins(line: str) -> Row | None:
    """Return the first line of a dump, or None: its offset is 0, and no header is."""
    found = row(line)
    if found is None or not found.groups or found.offset.strip("0"):
        return None
    return found


class Dump:
    """Collects the lines of one dump.

    Theory of operation. Made with the first line; :meth:`take` then says whether a line belongs to
    it. :meth:`end` gives the frame, after the line with the last offset (``closed``) or any other.
    """

    def __init__(self, first: Row) -> None:
        self.data = bytearray()
        self.closed = False
        self._width = len(first.groups[0]) // 2
        self._fault: str | None = None
        self._last = b""
        self._squeezed = False
        self._swapped = self._width > 1 and not first.colon
        if self._width > 1:
            usual, other = (self._fit(first, way) for way in (self._swapped, not self._swapped))
            self._swapped ^= other > usual
        self._append(first)

    def take(self, line: str) -> bool:
        """Take the next line; False if it does not go on with this dump."""
        if self.closed:
            return False
        if line.strip() == "*" and self._last:
            self._squeezed = True
            return True
        found = row(line)
        if found is None or (found.groups and not found.offset.strip("0")):
            return False
        offsets = {int(found.offset, base) for base in (16, 8, 10) if _is_in(found.offset, base)}
        if self._squeezed:
            self._repeat(offsets)
        if not found.groups:
            self._close(offsets)
        elif len(self.data) not in offsets:
            self._note(f"offset {found.offset}, expected {len(self.data):#x}")
            self._append(found)
        else:
            self._append(found)
        return True

    def end(self) -> bytes:
        """Return the frame; raises UsageError when the dump does not hold together."""
        if self._squeezed:
            self._note("it ends behind a *, expected the last offset")
        if self._fault is None and len(self.data) < header.SIZE:
            self._note(f"{len(self.data)} bytes, expected at least the {header.SIZE} of a header")
        if self._fault is not None:
            raise UsageError(f"the hexdump is damaged: {self._fault}")
        return bytes(self.data)

    def _append(self, found: Row) -> None:
        self._last = self._bytes(found.groups, self._swapped)
        if len(self.data) + len(self._last) > LONGEST:
            self._note(f"more than {LONGEST} bytes, expected one frame")
        else:
            self.data += self._last

    def _bytes(self, groups: tuple[str, ...], swapped: bool) -> bytes:
        parts = [bytes.fromhex(group) for group in groups]
        return b"".join(part[::-1] if swapped else part for part in parts)

    def _fit(self, first: Row, swapped: bool) -> tuple[bool, bool]:
        """Return how well a frame begins with this line: is it the text, and is there a header?"""
        data = self._bytes(first.groups, swapped)
        word = int.from_bytes(data[: header.SIZE], "little")
        return _text(data).strip(" ") == first.text, notation.plausible(word)

    def _repeat(self, offsets: set[int]) -> None:
        """Put in the lines that a * stood for: all like the one before it."""
        self._squeezed = False
        for offset in sorted(offsets):
            times, rest = divmod(offset - len(self.data), len(self._last))
            if not rest and times > 0 and offset <= LONGEST:
                self.data += self._last * times
                return
        self._note(f"the * is followed by no offset that {len(self._last)} bytes a line lead to")

    def _close(self, offsets: set[int]) -> None:
        """Take the offset behind the last byte: od and hexdump fill the last group up with 0."""
        self.closed = True
        for offset in sorted(offsets, reverse=True):
            if 0 <= len(self.data) - offset < self._width and not any(self.data[offset:]):
                del self.data[offset:]
                return
        ends = " or ".join(str(offset) for offset in sorted(offsets))
        self._note(f"{len(self.data)} bytes, expected {ends} as its last offset says")

    def _note(self, fault: str) -> None:
        self._fault = self._fault or fault


def _is_in(digits: str, base: int) -> bool:
    return base == 16 or all(digit.isdigit() and int(digit) < base for digit in digits)


def _text(data: bytes) -> str:
    """Return bytes as a dump shows them."""
    return "".join(chr(byte) if 0x20 <= byte < 0x7F else "." for byte in data)
