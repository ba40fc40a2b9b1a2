"""`decode`: frames in hex, in hexdumps or in a trace of Linux, as records; nothing is sent.

Theory of operation. :mod:`~scmictl.commands.finder` cuts the input into pieces, each a frame and
what is known of it. A reader per connection learns versions, vendor and directions from one frame
for the next. Records are printed as the input is read; what was no frame is noted, and how the
command ends follows from what has been counted.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence

from scmictl import values
from scmictl.commands import dump
from scmictl.commands.command import (
    Arg,
    Arguments,
    Column,
    Command,
    Opt,
    Output,
    Record,
    Rows,
    Stream,
)
from scmictl.commands.context import Context
from scmictl.commands.finder import Finder, Piece
from scmictl.commands.notation import plausible
from scmictl.commands.source import Line, Source
from scmictl.errors import Partial, RemoteProtocolError, ScmictlError, UsageError
from scmictl.protocols.decoding import Decoder
from scmictl.protocols.decoding import decode as decode_frame
from scmictl.protocols.guess import Reader
from scmictl.wire import header

COLUMNS = (
    Column("line", "LINE", wide=True),
    Column("protocol", "PROTOCOL"),
    Column("message", "MESSAGE"),
    Column("type", "TYPE"),
    Column("token", "TOKEN"),
    Column("status", "STATUS"),
    Column("guess", "GUESS", wide=True),
    Column("fields", "FIELDS"),
    Column("surplus", "SURPLUS"),
    Column("frame", "FRAME", wide=True),
)
_FIRST = ("protocol", "message", "type", "token", "fields", "surplus", "error", "status")
_NOTED = 3
"""Lines that are no frames and are quoted one by one; more are counted."""
_CONNECTIONS = 64
"""Connections whose versions are remembered."""
_OUTGOING = {"request": True, "response": False, None: None}
_TEXT = frozenset(b"\t\n\r\f") | frozenset(range(0x20, 0x7F))
_FORMS = "hex, a hexdump, or lines of scmi_msg_dump"


def decode(ctx: Context, args: Arguments) -> Output:
    """Say what the frames of the words, of a file or of standard input mean."""
    words: Sequence[str] = args.input or ["-"]
    run = Run(ctx, _OUTGOING[getattr(args, "as")])
    pieces = _typed(words)
    if pieces is None:
        return Stream(run.file(words[0]), COLUMNS, whole=True)
    records = [record for piece in pieces for record in run.records(piece)]
    if len(records) > 1:
        return Stream(run.ended(records, ""), COLUMNS, whole=True)
    return Rows(records, COLUMNS, many=False, error=run.trouble(""))


def check(args: Arguments) -> None:
    """Raise UsageError for words that are neither hex nor one file."""
    _typed(args.input or ["-"])


def _typed(words: Sequence[str]) -> list[Piece] | None:
    """Return the frames that were typed themselves, or None if it was the name of a file.

    Raises UsageError for hex that is damaged, and for several words that are no hex.
    """
    text = " ".join(words)
    if text == "-":
        return None
    finder = Finder()
    lines = enumerate(text.splitlines() or [text], 1)
    pieces = [piece for number, line in lines for piece in finder.take(Line(number, line))]
    pieces += finder.end()
    if any(piece.error is None or piece.known for piece in pieces):
        return pieces
    if len(words) == 1 and (not pieces or os.path.exists(text)):
        return None
    found = pieces[0].error if pieces else f"found {values.shown(text[:60])!r}"
    raise UsageError(str(found) if pieces else f"{found}, expected HEX, FILE or -")


class Run:
    """One run of the command: what has been learned and counted so far."""

    def __init__(self, ctx: Context, outgoing: bool | None) -> None:
        self.ctx = ctx
        self.outgoing = outgoing
        self.frames = self.overwritten = 0
        self.violations = _Trouble()
        self.damaged = _Trouble()
        self._readers: dict[int, Reader] = {}

    def file(self, name: str) -> Iterator[Record]:
        """Yield the records of a file, or of standard input, as it is read."""
        with Source(name, self.ctx.interrupt, self.ctx.deadline) as source:
            binary = _binary(source)
            pieces = self._pieces(source) if binary is None else [Piece(1, binary)]
            records = (record for piece in pieces for record in self.records(piece))
            yield from self.ended(records, source.title)

    def _pieces(self, source: Source) -> Iterator[Piece]:
        finder = Finder()
        for line in source.lines():
            before = finder.others
            yield from finder.take(line)
            if before < finder.others <= _NOTED:
                quoted = values.shown(line.text[:60].strip())
                self.ctx.notice(f"{source.title}, line {line.number}: no frame: {quoted}")
        yield from finder.end()
        counted = (
            (finder.events, "other trace event"),
            (finder.comments, "comment"),
            (finder.others, "other line"),
        )
        parts = [f"{count} {what}{'s' if count > 1 else ''}" for count, what in counted if count]
        if parts:
            self.ctx.notice(f"{source.title}: passed over {', '.join(parts)}")

    def records(self, piece: Piece) -> Iterator[Record]:
        """Yield the reading of a piece, or the two that fit it equally well."""
        self.frames += 1
        self.overwritten += piece.overwritten
        if piece.error is not None and not piece.known:
            found = [decode_frame(b"", outgoing=False)]
            found[0] |= {"surplus": piece.frame.hex(), "error": piece.error, "guess": False}
        elif piece.error is not None or piece.overwritten:
            found = [self._header_alone(piece)]
        else:
            found = self._reader(piece.connection).read(piece.frame, outgoing=piece.outgoing)
        if piece.error is not None and piece.blameless:
            self.damaged.note(piece.line, piece.error)
        elif all(record["error"] is not None for record in found):
            self.violations.note(piece.line, found[0]["error"])
        for record in found:
            yield _record(record, piece)

    def _header_alone(self, piece: Piece) -> Record:
        """Return what the header says; the payload is not that of this frame, or not there."""
        decoder = self._reader(piece.connection).decoder
        found = decoder.read(piece.frame[: header.SIZE], outgoing=bool(piece.outgoing))
        payload = piece.frame[header.SIZE :].hex()
        return {**found, "fields": {}, "surplus": payload, "error": piece.error, "guess": False}

    def _reader(self, connection: int) -> Reader:
        found = self._readers.get(connection)
        if found is None:
            if len(self._readers) >= _CONNECTIONS:
                self._readers.clear()  # no machine has that many, but a file can say anything
            decoder = Decoder(self.ctx.versions, *(self.ctx.vendor or (None, None)), recorded=True)
            found = self._readers[connection] = Reader(decoder, outgoing=self.outgoing)
        return found

    def ended(self, records: Iterable[Record], title: str) -> Iterator[Record]:
        """Yield ``records``, then say how it went; raises what there is to raise."""
        yield from records
        if self.overwritten:
            self.ctx.notice(
                f"requests marked as overwritten: {self.overwritten} (Linux wrote such a line when "
                "the response was there already, and its payload in the place of the request's)"
            )
        error = self.trouble(title)
        if error is not None:
            raise error

    def trouble(self, title: str) -> ScmictlError | None:
        """Return how the command ends, None where every frame was understood.

        ``title`` is what was read, empty for what was typed.
        """
        broken, damaged = self.violations, self.damaged
        if damaged.count == self.frames:
            if not damaged.count:
                return UsageError(f"found no frame in {title}, expected {_FORMS}")
            return UsageError(damaged.at(title))
        if broken.count:
            some = f"{broken.count} of {self.frames} frames break the protocol: "
            return RemoteProtocolError(f"{some if self.frames > 1 else ''}{broken.at(title)}")
        if damaged.count:
            some = f"{damaged.count} of {self.frames} frames could not be read: "
            return Partial(f"{some}{damaged.at(title)}")
        return None


class _Trouble:
    """How often one kind of trouble was met, and the first time."""

    def __init__(self) -> None:
        self.count = self.line = 0
        self.text = ""

    def note(self, line: int, text: str) -> None:
        self.count += 1
        if self.count == 1:
            self.line, self.text = line, text

    def at(self, title: str) -> str:
        """Return the first one and its place in ``title``."""
        return f"{title}, line {self.line}: {self.text}" if title else self.text


def _binary(source: Source) -> bytes | None:
    """Return the one frame of a file that is not text; None for text.

    Raises UsageError when it is no frame: where the next one begins, nothing in it could tell.
    """
    start = source.beginning(dump.LONGEST)
    first = start[: header.SIZE]
    if b"\0" not in start or all(sign in _TEXT for sign in first):
        return None
    # A text can have a NUL in it, too, even as its first sign.
    signs = sum(sign in _TEXT for sign in start)
    if signs > 0.9 * len(start) and not plausible(int.from_bytes(first, "little")):
        return None
    frame = source.everything(dump.LONGEST)
    word = int.from_bytes(frame[: header.SIZE], "little")
    if len(frame) > dump.LONGEST:
        raise UsageError(
            f"{source.title}: binary, and longer than {dump.LONGEST} bytes, expected one frame",
            hint="several frames need text, each on a line of its own in hex",
        )
    if len(frame) < header.SIZE or not plausible(word):
        raise UsageError(
            f"{source.title}: binary, and begins with {frame[: header.SIZE].hex(' ')}, "
            "expected the header of a frame",
            hint="`xxd -p` makes hex of it, which is decoded whatever it is",
        )
    return frame


def _record(found: Record, piece: Piece) -> Record:
    """Return a record with the keys of the contract first."""
    return {
        **{key: found[key] for key in _FIRST},
        **{key: value for key, value in found.items() if key not in _FIRST},
        **({"overwritten": True} if piece.overwritten else {}),
        "line": piece.line,
        "frame": piece.frame.hex(),
    }


COMMANDS = (
    Command(
        "",
        "decode",
        "say what frames mean: hex, hexdumps, Linux's trace",
        decode,
        args=(Arg("input", "HEX, FILE or - (standard input)", "file", required=False, many=True),),
        options=(
            Opt("--as", "how to read frames whose header does not tell", "choice",
                choices=("request", "response")),
        ),
        connects=False,
        validate=check,
        details=(
            "HEX is one frame: bytes in the order of the wire (03 54 00 00), 32-bit words "
            "(0x00005403, or 8 digits each), C arrays or \\x escapes. A file has a frame on each "
            "line in any of these forms, hexdumps (xxd, hexdump -C, od -tx4), lines of Linux's "
            "trace event scmi_msg_dump or of --trace with JSON, all of them mixed with anything "
            "else, which is counted and passed over; or it is binary, and one frame. Versions, the "
            "vendor and which response belongs to which request are learned from the frames "
            "before; --proto says a version. Where a request and a response fit equally well both "
            "are printed, as guesses. The exit code is 5 if a frame breaks the protocol, 8 if one "
            "is damaged, 2 if there is none."
        ),
    ),
)  # fmt: skip
