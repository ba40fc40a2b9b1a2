"""Draws a stream of readings as one table that changes in place; only on a terminal.

Theory of operation. Every record moves the lines of its sensor (one per axis) in the model; the
picture follows at most ten times a second, because nobody reads faster and drawing is slow. It is
drawn between two records only: there is no thread, so nothing moves while nothing comes.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from scmictl.commands import Record, Stream
from scmictl.commands.series import ASCII_BARS, BARS, Series
from scmictl.console.environment import Environment
from scmictl.console.selection import Filter
from scmictl.console.terminal import safe, speaks_unicode
from scmictl.console.view import View

if TYPE_CHECKING:
    from rich.table import Table

KEPT = 10_000
"""How many records are returned: the last ones."""
TITLES = ["NAME", "VALUE", "UNIT", "MIN", "MAX", "RATE"]
PAUSE_S = 0.1
"""The time between two pictures at least."""
SPARK = (8, 40)
"""Columns of a sparkline at least and at most."""
SHORTEST_NAME = 12
GAP = 2
ECHO = 2
"""Columns left free: a terminal echoes Ctrl-C as ^C, which would wrap to a line more to go up."""


def draws(output: Stream, view: View) -> bool:
    """Return whether ``output`` is to be drawn here, not printed line by line."""
    return output.live and view.form == "table" and view.terminal and not view.fields


def run(output: Stream, view: View, environment: Environment) -> list[Record]:
    """Draw what comes until there is no more, and return the last records; close the source.

    Raises whatever the source raises; the last picture stays.
    """
    from rich.console import Console
    from rich.live import Live

    kept: deque[Record] = deque(maxlen=KEPT)
    console = Console(
        file=environment.stdout,
        width=view.width - ECHO,
        force_terminal=True,
        no_color=not view.color,
        legacy_windows=False,
        highlight=False,
    )
    model = Model(view)
    bars = BARS if speaks_unicode(environment.stdout) else ASCII_BARS
    live = Live(console=console, auto_refresh=False)
    try:
        wanted = Filter(output.columns, view, environment)
        drawn = float("-inf")
        for record in output.records:
            if not wanted.passes(record):
                continue
            kept.append(record)
            model.take(record)
            if not live.is_started:
                live.start()
            if model.clock() - drawn >= PAUSE_S:
                drawn = model.clock()
                live.update(model.table(bars), refresh=True)
    finally:
        if live.is_started:
            live.update(model.table(bars), refresh=True)
            live.stop()
        close = getattr(output.records, "close", None)
        if close is not None:
            close()
    return list(kept)


class Model:
    """What is on the screen: a series for every sensor and axis, and what went wrong."""

    def __init__(self, view: View, clock: Callable[[], float] = time.monotonic) -> None:
        self.view = view
        self.clock = clock
        self.lines: dict[tuple[Any, Any], Line] = {}
        self.updates = 0
        self.lost = 0
        self.reconnected = 0

    def take(self, record: Record) -> None:
        """Take a record of `sensor watch`."""
        if record.get("event") == "lost":
            self.lost += record["fields"]["count"]
        elif record.get("event") == "reconnected":
            self.reconnected += 1
        else:
            self.updates += 1
            name = record.get("name") or str(record.get("id"))
            self._value(record, (record.get("id"), None), name)
            for axis in record.get("axes") or ():
                called = axis["name"] if axis["name"] is not None else axis["id"]
                self._value(axis, (record.get("id"), axis["id"]), f"{name} {called}")

    def _value(self, source: Record, key: tuple[Any, Any], name: str) -> None:
        value = source.get("value")
        if value is None:
            return
        if key not in self.lines:
            self.lines[key] = Line(name)
        self.lines[key].unit = source.get("unit") or ""
        self.lines[key].series.add(self.clock(), value)

    def table(self, bars: str) -> Table:
        """Return the picture."""
        from rich.table import Table
        from rich.text import Text

        table = Table(box=None, pad_edge=False, padding=(0, GAP, 0, 0), caption=self.caption())
        table.caption_justify = "left"
        name, spark = self._widths()
        table.add_column(TITLES[0], no_wrap=True, overflow="ellipsis", width=name)
        for title in TITLES[1:]:
            table.add_column(title, justify="left" if title == "UNIT" else "right", no_wrap=True)
        table.add_column("", no_wrap=True)
        for line in self.lines.values():
            table.add_row(*map(Text, line.cells(spark, bars)))
        return table

    def _widths(self) -> tuple[int, int]:
        """Return the columns for names and sparklines: numbers are never cut, names may be."""
        rows = [TITLES, *(line.cells(0, BARS)[:-1] for line in self.lines.values())]
        names, *others = [max(map(len, column)) for column in zip(*rows, strict=True)]
        left = self.view.width - ECHO - sum(others) - GAP * len(TITLES)
        spark = max(SPARK[0], min(SPARK[1], left - names))
        return max(SHORTEST_NAME, min(names, left - spark)), spark

    def caption(self) -> str:
        """Return what there is to say below the table."""
        parts = [f"{self.updates} updates"]
        if self.lost:
            parts.append(f"{self.lost} lost")
        if self.reconnected:
            parts.append(f"reconnected {self.reconnected} times")
        return ", ".join(parts)


class Line:
    """One line of the table: a sensor or an axis."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.unit = ""
        self.series = Series()

    def cells(self, width: int, bars: str) -> list[str]:
        """Return the texts of the line."""
        series = self.series
        rate = series.rate
        # All in one unit: what moves between mV and V cannot be compared at a glance.
        last, low, high = (
            "-" if value is None else str(value)
            for value in (series.last, series.minimum, series.maximum)
        )
        shown = "-" if rate is None else f"{rate:.3g}/s"
        spark = series.sparkline(width, bars) if width else ""
        return [safe(self.name), last, safe(self.unit), low, high, shown, spark]
