"""Draws tables and sheets with rich; imported only to draw one, because rich is slow to load.

Nothing here decides what is shown. Texts come in safe for a terminal and go out as lines of at most
the view's width, with colour only where the view has it.
"""

from __future__ import annotations

from collections.abc import Sequence
from io import StringIO
from typing import NamedTuple

from rich.console import Console
from rich.table import Table
from rich.text import Text

from scmictl.console.view import View

GAP = 2
"""Blanks between two columns."""
NARROWEST = 16
"""Columns that a text keeps before the table gives way to sheets."""


class Heading(NamedTuple):
    """A column: its title, and whether it holds numbers."""

    title: str
    number: bool


def table(
    headings: Sequence[Heading], rows: Sequence[Sequence[str]], marked: Sequence[bool], view: View
) -> str:
    """Return the rows as an aligned table; rows that are ``marked`` stand out in colour.

    Long texts are wrapped, numbers never.
    """
    drawing = _grid()
    drawing.show_header = view.headers
    for heading in headings:
        drawing.add_column(
            Text(heading.title),
            justify="right" if heading.number else "left",
            no_wrap=heading.number,
            overflow="fold",
            header_style="bold",
        )
    for row, mark in zip(rows, marked, strict=True):
        drawing.add_row(*map(Text, row), style="red" if mark else None)
    return _print(drawing, view)


def fits(headings: Sequence[Heading], rows: Sequence[Sequence[str]], view: View) -> bool:
    """Return whether a table of these rows can be read at the view's width."""
    needed = GAP * (len(headings) - 1)
    for heading, *cells in zip(headings, *rows, strict=True):
        longest = max(map(len, cells), default=0)
        needed += max(
            len(heading.title) if view.headers else 0,
            longest if heading.number else min(longest, NARROWEST),
        )
    return needed <= view.width


def sheet(pairs: Sequence[tuple[str, str]], marked: bool, view: View) -> str:
    """Return one record as a line (or more) for each of its keys."""
    drawing = _grid()
    drawing.show_header = False
    if view.headers:
        longest = max((len(title) for title, _ in pairs), default=0)
        roomy = longest + GAP + NARROWEST <= view.width
        drawing.add_column(no_wrap=roomy, overflow="fold", style="bold")
    drawing.add_column(overflow="fold")
    for title, text in pairs:
        shown = [Text(title), Text(text)]
        drawing.add_row(*shown[not view.headers :], style="red" if marked else None)
    return _print(drawing, view)


def _grid() -> Table:
    return Table(box=None, pad_edge=False, padding=(0, GAP, 0, 0))


def _print(drawing: Table, view: View) -> str:
    file = StringIO()
    console = Console(
        file=file,
        width=max(view.width, NARROWEST),  # what is narrower, the terminal itself may wrap
        color_system="standard" if view.color else None,
        force_terminal=view.color,
        no_color=not view.color,
        legacy_windows=False,
        markup=False,
        emoji=False,
        highlight=False,
    )
    console.print(drawing)
    return "".join(f"{line.rstrip()}\n" for line in file.getvalue().split("\n") if line)
