"""Draws tables and sheets: columns that are aligned, in lines of at most the view's width.

Nothing here decides what is shown. Texts come in safe for a terminal, and colour goes out only
where the view has it. Texts that are too long for their column go on in the next line; that is
worked out for those alone, since tables can have tens of thousands of rows.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import NamedTuple

from scmictl.console.view import View

GAP = 2
"""Blanks between two columns."""
NARROWEST = 16
"""Columns that a text keeps before the table gives way to sheets."""

BOLD, RED, OFF = "\x1b[1m", "\x1b[31m", "\x1b[0m"


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
    titles = [heading.title for heading in headings]
    shown = [titles, *rows] if view.headers else rows
    natural = [max(map(width, cells)) for cells in zip(*shown, strict=True)]
    numbers = [heading.number for heading in headings]
    widths = _shrunk(natural, numbers, view)
    lines = _styled(_row(titles, widths, numbers), BOLD, view) if view.headers else []
    for row, mark in zip(rows, marked, strict=True):
        lines += _styled(_row(row, widths, numbers), RED if mark else "", view)
    return "".join(f"{line}\n" for line in lines if line)


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
    texts = [line for _, text in pairs for line in text.split("\n")]
    natural = [max((width(text) for text in texts), default=0)]
    fixed = [False]
    if view.headers:
        longest = max((width(title) for title, _ in pairs), default=0)
        natural.insert(0, longest)
        fixed.insert(0, longest + GAP + NARROWEST <= view.width)
    widths = _shrunk(natural, fixed, view)
    style = RED if marked else ""
    lines = []
    for title, text in pairs:
        cells = (title, text)[not view.headers :]
        for number, line in enumerate(_row(cells, widths, (False, False))):
            head = title if view.headers and not number and line.startswith(title) else ""
            lines.append(_colour(head, BOLD, view) + _colour(line[len(head) :], style, view))
    return "".join(f"{line}\n" for line in lines if line)


def width(text: str) -> int:
    """Return how many columns of a terminal ``text`` takes."""
    return len(text) if text.isascii() else _wide(text)


@lru_cache(maxsize=1024)
def _wide(text: str) -> int:
    import unicodedata  # most tables are ASCII

    columns = 0
    for sign in text:
        if unicodedata.category(sign) not in ("Mn", "Me", "Cf"):
            columns += 2 if unicodedata.east_asian_width(sign) in ("W", "F") else 1
    return columns


def _shrunk(natural: Sequence[int], fixed: Sequence[bool], view: View) -> list[int]:
    """Return how wide the columns can be: the widest that are not ``fixed`` give way first."""
    # What is narrower, the terminal itself may wrap.
    room = max(view.width, NARROWEST) - GAP * (len(natural) - 1)
    if sum(natural) <= room:
        return list(natural)
    room -= sum(w for w, firm in zip(natural, fixed, strict=True) if firm)
    texts = sorted(w for w, firm in zip(natural, fixed, strict=True) if not firm)
    most = over = 1
    for position, least in enumerate(texts):
        # All from here on may be as wide as this, if there is room for that.
        most, over = divmod(max(room, 1), len(texts) - position)
        if least > most:
            break
        room -= least
    widths = []
    for wanted, firm in zip(natural, fixed, strict=True):
        given = wanted if firm else min(wanted, max(most, 1))
        if given < wanted and over:
            given, over = given + 1, over - 1
        widths.append(given)
    return widths


def _row(cells: Sequence[str], widths: Sequence[int], right: Sequence[bool]) -> list[str]:
    """Return the line of a row, or the lines if some of its texts need more."""
    whole = all(width(cell) <= most for cell, most in zip(cells, widths, strict=True))
    # What is nested in a sheet brings its lines along, and may yet be narrow.
    if whole and not any("\n" in cell for cell in cells):
        return [_line(cells, widths, right)]
    parts = [_wrapped(cell, most) for cell, most in zip(cells, widths, strict=True)]
    return [
        _line([part[n] if n < len(part) else "" for part in parts], widths, right)
        for n in range(max(map(len, parts)))
    ]


def _line(cells: Sequence[str], widths: Sequence[int], right: Sequence[bool]) -> str:
    padded = []
    for cell, most, flush in zip(cells, widths, right, strict=False):
        blanks = " " * (most - width(cell))
        padded.append(blanks + cell if flush else cell + blanks)
    return (" " * GAP).join(padded).rstrip()


def _wrapped(text: str, most: int) -> list[str]:
    """Return ``text`` in lines of at most ``most`` columns, broken at blanks where there are."""
    lines = []
    for line in text.split("\n"):
        rest = line
        while width(rest) > most:
            end = _reach(rest, most)
            blank = rest.rfind(" ", 0, end + 1)
            if rest[:blank].strip() and blank > 0:
                lines.append(rest[:blank].rstrip())
                rest = rest[blank:].lstrip()
            else:
                lines.append(rest[:end])
                rest = rest[end:]
        lines.append(rest)
    return lines


def _reach(text: str, most: int) -> int:
    """Return how many characters fit into ``most`` columns, but at least one."""
    if text.isascii():
        return max(1, most)
    columns = 0
    for position, sign in enumerate(text):
        columns += width(sign)
        if columns > most:
            return max(1, position)
    return len(text)


def _styled(lines: Iterable[str], style: str, view: View) -> list[str]:
    return [_colour(line, style, view) for line in lines]


def _colour(text: str, style: str, view: View) -> str:
    return f"{style}{text}{OFF}" if view.color and style and text else text
