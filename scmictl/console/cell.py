"""How a value looks, exactly as it is for programs, and short with its unit for people."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, TextIO

from scmictl import values
from scmictl.commands.command import TIME_OF_DAY, Record
from scmictl.console.terminal import json_text, safe

WIDEST = 60
"""Columns that a table inside a sheet may take."""
SHOWN = 6
"""How many elements of a list a cell of a table shows."""


def own_frame(record: Record) -> str:
    """Return the line of the frame that a record itself has, of a command without a connection."""
    frame = record.get("frame")
    return f"{frame}\n" if isinstance(frame, str) else ""


def look(record: Record, key: str) -> Any:
    """Return what ``key`` names in ``record``: a key, or a way into it (``fields.rate``)."""
    if key in record:
        return record[key]
    value: Any = record
    for name in key.split("."):
        value = value.get(name) if isinstance(value, dict) else None
    return value


def has(record: Record, key: str) -> bool:
    """Return whether ``key`` names something in ``record``, be it null."""
    if key in record:
        return True
    *way, last = key.split(".")
    holder = look(record, ".".join(way)) if way else None
    return isinstance(holder, dict) and last in holder


def bare(value: Any, unit: str | None, style: str, stream: TextIO) -> str:
    """Return ``value`` for plain and csv: nothing cut, null empty, what is nested as JSON."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return values.format_value(value, unit, style)
    return safe(value) if isinstance(value, str) else json_text(value, stream)


def compact(value: Any, unit: str | None, style: str, *, whole: bool = False) -> str:
    """Return ``value`` for a cell: one line, and of long lists the beginning unless ``whole``."""
    if value is None:
        return "-"
    if unit == TIME_OF_DAY:
        return value[11:23] if isinstance(value, str) else compact(value, None, style)
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int | float):
        return values.format_value(value, unit, style)
    if isinstance(value, str):
        return safe(value)
    if isinstance(value, dict):
        return " ".join(_pairs(value, style, whole=whole)) or "none"
    between = "; " if any(isinstance(item, dict) for item in value) else ", "
    some = value if whole else value[:SHOWN]
    shown = [compact(item, unit, style, whole=whole) for item in some]
    if len(value) > len(some):
        shown.append(f"... {len(value)} in all")
    return between.join(shown) or "none"


def lines(value: Any, unit: str | None, style: str) -> str:
    """Return ``value`` for a sheet, which has room: a line for each part of what is nested."""
    if isinstance(value, dict):
        return "\n".join(_pairs(value, style)) or "none"
    if isinstance(value, list | tuple) and value and all(isinstance(v, dict) for v in value):
        return _table(value, style) or "\n".join(compact(item, unit, style) for item in value)
    if isinstance(value, list | tuple):
        between = "\n" if any(isinstance(item, dict) for item in value) else ", "
        return between.join(compact(item, unit, style) for item in value) or "none"
    return compact(value, unit, style)


def _table(rows: Sequence[dict[str, Any]], style: str) -> str | None:
    """Return objects as a small table below their keys; None where that would be too wide."""
    keys = [key for key in dict.fromkeys(k for row in rows for k in row)
            if any(row.get(key) is not None for row in rows)]  # fmt: skip
    cells = [[safe(key) for key in keys]]
    cells += [[compact(row.get(key), None, style) for key in keys] for row in rows]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    if not keys or sum(widths) + 2 * len(widths) > WIDEST:
        return None
    return "\n".join(
        "  ".join(text.ljust(width) for text, width in zip(line, widths, strict=True)).rstrip()
        for line in cells
    )


def _pairs(value: dict[str, Any], style: str, *, whole: bool = False) -> list[str]:
    return [f"{safe(key)}={compact(item, None, style, whole=whole)}" for key, item in value.items()]


def tabbed(cells: Iterable[str]) -> str:
    """Return cells as a line of the plain form."""
    return "\t".join(cells) + "\n"


def csv_line(cells: Iterable[str]) -> str:
    """Return cells as a line of the csv form, quoted where that is needed."""
    import csv
    from io import StringIO

    line = StringIO()
    csv.writer(line, lineterminator="\n").writerow(cells)
    return line.getvalue()
