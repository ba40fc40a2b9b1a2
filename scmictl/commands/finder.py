"""Finds the frames in lines of text, whatever form each of them is in.

A line is looked at by its content alone: as a part of a hexdump, as a trace event of Linux, as an
object of our own --trace with JSON, as hex. What is none of them is counted and passed over.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

from scmictl.commands import dump, ftrace, notation
from scmictl.commands.source import LONGEST_LINE, Line
from scmictl.errors import UsageError


class Piece(NamedTuple):
    """A frame, or what is left of one.

    ``error`` says what is wrong with it; it then is only a header (``known``) or bytes that mean
    nothing. ``blameless``: whoever sent it is not at fault. ``outgoing`` is None where nobody has
    told the direction. ``overwritten``: the payload of this request is that of its response.
    """

    line: int
    frame: bytes
    outgoing: bool | None = None
    connection: int = 0
    error: str | None = None
    known: bool = False
    blameless: bool = True
    overwritten: bool = False


class Finder:
    """Takes lines in their order; ``events``, ``comments`` and ``others`` count what is no frame.

    Theory of operation. Only hexdumps go over several lines: one is held back until a line comes
    that does not belong to it, or :meth:`end`.
    """

    def __init__(self) -> None:
        self.events = self.comments = self.others = 0
        self._dump: dump.Dump | None = None
        self._begun = 0
        self._trace = ftrace.Trace()

    def take(self, line: Line) -> Iterator[Piece]:
        """Yield the frames that end with this line."""
        if self._dump is not None:
            if line.whole and self._dump.take(line.text):
                if self._dump.closed:
                    yield from self.end()
                return
            yield from self.end()
        if not line.text.strip():
            return
        try:
            if not line.whole:
                raise UsageError(f"more than {LONGEST_LINE} characters, expected one frame")
            found = self._one(line)
        except notation.Damaged as error:
            found = Piece(
                line.number, error.data, error.outgoing, error=error.message, known=error.known
            )
        except UsageError as error:
            found = Piece(line.number, b"", error=error.message)
        if found is not None:
            yield found

    def end(self) -> Iterator[Piece]:
        """Yield the frame of the last hexdump."""
        ended, self._dump = self._dump, None
        if ended is None:
            return
        try:
            yield Piece(self._begun, ended.end())
        except UsageError as error:
            yield Piece(self._begun, bytes(ended.data), error=error.message)

    def _one(self, line: Line) -> Piece | None:
        """Return the frame of a line of its own; None for none, or for the start of a hexdump."""
        text = line.text
        first = dump.begins(text)
        if first is not None:
            self._dump, self._begun = dump.Dump(first), line.number
            return None
        event = self._trace.read(text)
        if event is not None:
            refused = f"Linux did not take this frame: {event.refused}" if event.refused else None
            return Piece(line.number, event.frame, event.outgoing, event.instance, refused,
                         known=True, blameless=event.blameless,
                         overwritten=event.overwritten)  # fmt: skip
        if text.lstrip().startswith("{"):
            known = _object(text)
            if known is not None:
                found = _framed(line.number, known)
                self.others += found is None
                return found
        frame = notation.frame(text)
        if frame is not None:
            return Piece(line.number, frame)
        if ftrace.is_event(text):
            self.events += 1
        elif text.lstrip().startswith("#"):
            self.comments += 1
        else:
            self.others += 1
        return None


def _object(text: str) -> dict[str, Any] | None:
    """Return what a line says in JSON, if that is an object."""
    from json import loads  # only where there is some

    try:
        found: Any = loads(text)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def _framed(number: int, found: dict[str, Any]) -> Piece | None:
    """Return the frame of one of our own objects: --trace, `decode`, or a dry run."""
    found = found["trace"] if isinstance(found.get("trace"), dict) else found
    text = found.get("frame", found.get("request"))
    if not isinstance(text, str):
        return None
    frame = notation.frame(text.replace(" ", "") if "0x" not in text else text)
    outgoing = found.get("outgoing", True if "request" in found else None)
    if found.get("type") in ("request", "response"):
        outgoing = found["type"] == "request"
    return Piece(number, frame, outgoing if isinstance(outgoing, bool) else None) if frame else None
