"""Prints records one by one as they come, each flushed at once.

Theory of operation. The first record decides on the columns and brings the header line. In the
table form widths only ever grow, so that lines stay aligned as well as they can without knowing
what will come; a terminal's line is cut at its width.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from typing import TextIO

from scmictl.commands import Column, Record, Stream
from scmictl.console.cell import bare, compact, csv_line, look, own_frame, tabbed
from scmictl.console.environment import Environment
from scmictl.console.selection import ERROR, Filter, check_keys, columns_of, picked
from scmictl.console.terminal import json_text, safe, speaks_unicode, write
from scmictl.console.view import View
from scmictl.errors import UsageError

KEPT = 10_000
"""How many of a stream's records are returned: the last ones. A watch may run for days."""


def run(
    output: Stream, view: View, environment: Environment, frames: Sequence[bytes]
) -> list[Record]:
    """Print what comes until there is no more, and return the last records; close the source.

    ``frames`` may grow while records come. Raises as `render`, and whatever the source raises.
    """
    kept: deque[Record] = deque(maxlen=KEPT)
    stdout = environment.stdout
    try:
        if view.sort:
            raise UsageError(
                "--sort needs all records, and these are printed as they come",
                hint="sort what was printed",
            )
        wanted = Filter(output.columns, view, environment)
        lines = Lines(output.columns, view, stdout, whole=output.whole)
        shown = 0
        last: Record = {}
        for record in output.records:
            if view.form == "hex":
                text = "".join(f"{frame.hex()}\n" for frame in frames[shown:])
                shown = len(frames)
                if not text and not _is_same(record, last):
                    text = own_frame(record)
                last = record
            elif wanted.passes(record):
                text = lines.line(record)
            else:
                continue
            write(stdout, text, flush=True)
            kept.append(record)
    finally:
        close = getattr(output.records, "close", None)
        if close is not None:
            close()
    return list(kept)


def _is_same(record: Record, last: Record) -> bool:
    """Return whether both are readings of the same frame."""
    return "line" in record and record["line"] == last.get("line")


class Lines:
    """Turns the records of one stream into lines."""

    def __init__(
        self, declared: Sequence[Column], view: View, stream: TextIO, *, whole: bool = False
    ) -> None:
        self.declared = declared
        self.whole = whole
        self.view = view
        self.stream = stream
        self.started = False
        self.columns: Sequence[Column] = ()
        self.widths: list[int] = []

    def line(self, record: Record) -> str:
        """Return the line of ``record``, below the header line if it is the first."""
        header = ""
        if not self.started:
            self.started = True
            header = self._start(record)
        if self.view.form in ("json", "jsonl"):
            return json_text(picked(record, self.view), self.stream) + "\n"
        return header + self._join(self._cells(record))

    def _start(self, record: Record) -> str:
        """Decide on the columns and return the header line."""
        view = self.view
        check_keys("--fields", view.fields, [record], self.declared)
        if view.form in ("json", "jsonl"):
            return ""
        self.columns = columns_of([record], self.declared, view)
        if view.form == "csv" and not view.fields:
            # Every line of a csv file has the same cells, also if the first trouble comes later.
            others = [column for column in self.columns if column.key != ERROR.key]
            self.columns = [*others, ERROR._replace(title=ERROR.key)]
        titles = [c.title if view.form == "table" else c.key for c in self.columns]
        if not view.headers:
            self.widths = [0] * len(titles)
            return ""
        self.widths = [len(title) for title in titles]
        # The first line is aligned with its header.
        self._widen(self._cells(record))
        return self._join(titles)

    def _cells(self, record: Record) -> list[str]:
        style = self.view.style
        if self.view.form == "table":
            cells = [
                compact(look(record, c.key), c.unit, style, whole=self.whole) for c in self.columns
            ]
        else:
            cells = [bare(look(record, c.key), c.unit, style, self.stream) for c in self.columns]
        error = record.get(ERROR.key)
        if error and not self.view.fields and all(c.key != ERROR.key for c in self.columns):
            cells.append(safe(str(error)))
        return cells

    def _widen(self, cells: Sequence[str]) -> None:
        pairs = zip(self.widths, cells, strict=False)  # an error may follow the last column
        self.widths = [max(width, len(cell)) for width, cell in pairs]

    def _join(self, cells: Sequence[str]) -> str:
        if self.view.form != "table":
            return csv_line(cells) if self.view.form == "csv" else tabbed(cells)
        self._widen(cells)
        padded = [cell.ljust(width) for cell, width in zip(cells, self.widths, strict=False)]
        line = "  ".join([*padded, *cells[len(padded) :]]).rstrip()
        if self.view.terminal and not self.whole and len(line) > self.view.width:
            cut = "…" if speaks_unicode(self.stream) else "~"
            line = line[: self.view.width - 1] + cut
        return line + "\n"
