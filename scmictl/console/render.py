"""Prints what a command gives, in the form the user wants.

*table* is for eyes: titles, units, nothing wider than the terminal; a single object is a sheet.
*plain* is one line per record, its cells separated by tabs, below the keys of the JSON form; for a
single object one line per key. *json*, *jsonl* and *csv* have every key of the records, *hex* has
the response frames instead. --units is for table, plain and csv: in JSON a number stays a number.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, TextIO

from scmictl.commands import Column, Output, Record, Rows, Stream, Text
from scmictl.console.cell import bare, compact, csv_line, lines, look, own_frame, tabbed
from scmictl.console.environment import Environment
from scmictl.console.selection import (
    ERROR,
    check_keys,
    columns_of,
    keys,
    ordered,
    picked,
    where,
)
from scmictl.console.terminal import json_text, safe, write
from scmictl.console.view import View

INDENT = "  "
"""Blanks for each level of a tree."""


def render(
    output: Output, view: View, environment: Environment, *, frames: Sequence[bytes] = ()
) -> list[Record]:
    """Print ``output`` on stdout and return the records printed, with all their keys.

    ``frames`` are the response frames behind them, for the hex form; for a stream it may grow while
    its records come. Of a long stream the last records are returned. Raises UsageError for keys and
    expressions that do not fit the records, OutputError and BrokenPipeError when stdout takes no
    more.
    """
    stdout = environment.stdout
    if output is None:
        return []
    if isinstance(output, Text):
        said = [] if output.record is None else [output.record]
        if not said or view.form not in ("json", "jsonl", "csv"):
            write(stdout, _words(output.text, view), flush=True)
            return said
        output = Rows(said, many=False)
    if isinstance(output, Stream):
        from scmictl.console import live, stream

        if live.draws(output, view):
            return live.run(output, view, environment)
        return stream.run(output, view, environment, frames)
    records = ordered(where(output, view, environment), output.columns, view)
    if view.form == "hex":
        text = "".join(f"{frame.hex()}\n" for frame in frames) or "".join(map(own_frame, records))
    else:
        text = _rows(records, output, view, stdout)
    write(stdout, text, flush=True)
    return records


def _words(text: str, view: View) -> str:
    """Return a text with its lines; in a file it stays byte for byte what it was."""
    if view.terminal:
        text = "\n".join("\t".join(map(safe, line.split("\t"))) for line in text.split("\n"))
    return text.rstrip("\n") + "\n"


def _rows(records: Sequence[Record], output: Rows, view: View, stream: TextIO) -> str:
    if view.form in ("json", "jsonl"):
        check_keys("--fields", view.fields, records, output.columns)
        texts = [json_text(picked(record, view), stream) for record in records]
        if view.form == "jsonl" or not output.many:
            return "".join(f"{text}\n" for text in texts)
        return "[\n" + ",\n".join(f"  {text}" for text in texts) + "\n]\n" if texts else "[]\n"
    columns = columns_of(records, output.columns, view)
    if view.form == "table" and output.by and output.many and not view.fields:
        return _tables(records, columns, output.by, view)
    if view.form == "table":
        return _table(records, columns, view, many=output.many)
    rows = [
        [_inset(r, c, view) + bare(look(r, c.key), c.unit, view.style, stream) for c in columns]
        for r in records
    ]
    if view.form == "plain" and not output.many:
        return "".join(map(tabbed, _pairs(columns, rows, view)))
    line = csv_line if view.form == "csv" else tabbed
    heading = [[column.key for column in columns]] if view.headers and columns else []
    return "".join(map(line, [*heading, *rows]))


def _pairs(
    columns: Sequence[Column], rows: Iterable[Sequence[str]], view: View
) -> Iterator[list[str]]:
    """Yield key and value; only the value without headers, so that a script gets just that."""
    for row in rows:
        for column, cell in zip(columns, row, strict=True):
            yield [column.key, cell] if view.headers else [cell]


def _table(records: Sequence[Record], columns: Sequence[Column], view: View, *, many: bool) -> str:
    """Return a table; sheets for single objects and where a table would not fit."""
    if not columns or not (records or many):
        return ""
    from scmictl.console import draw

    marked = [bool(record.get(ERROR.key)) for record in records]
    style = view.style
    if many:
        headings = [draw.Heading(safe(c.title), _is_number(records, c)) for c in columns]
        cells = [[_inset(r, c, view) + _cell(r, c, style) for c in columns] for r in records]
        if not records or draw.fits(headings, cells, view):
            return draw.table(headings, cells, marked, view)
    sheets = []
    for record, mark in zip(records, marked, strict=True):
        pairs = [(safe(c.title), lines(look(record, c.key), c.unit, style)) for c in columns]
        sheets.append(draw.sheet(pairs, mark, view))
    return "\n".join(sheets)


def _tables(records: Sequence[Record], columns: Sequence[Column], by: str, view: View) -> str:
    """Return a table for each kind of records, with its columns in the order of their own keys."""
    kinds: dict[Any, list[Record]] = {}
    for record in records:
        kinds.setdefault(look(record, by), []).append(record)
    by_key = {column.key: column for column in columns}
    return "\n".join(
        _table(own, [by_key[key] for key in keys(own) if key in by_key], view, many=True)
        for own in kinds.values()
    )


def _cell(record: Record, column: Column, style: str) -> str:
    value = look(record, column.key)
    # In a column that is there for a few rows only, a dash in all others would be noise.
    return "" if value is None and column is ERROR else compact(value, column.unit, style)


def _inset(record: Record, column: Column, view: View) -> str:
    """Return the blanks before a name in a tree; a csv file is data, and has none."""
    depth = look(record, column.indent) if column.indent and view.form != "csv" else 0
    return INDENT * depth if isinstance(depth, int) else ""


def _is_number(records: Iterable[Record], column: Column) -> bool:
    """Return whether a column holds numbers: such columns are right-aligned and never wrapped."""
    there = [value for r in records if (value := look(r, column.key)) is not None]
    return bool(there) and all(
        isinstance(value, int | float) and not isinstance(value, bool) for value in there
    )
