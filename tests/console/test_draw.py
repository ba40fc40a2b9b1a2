"""Tables and sheets keep their columns, their width and every character."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scmictl.console import draw
from scmictl.console.draw import NARROWEST, Heading
from scmictl.console.view import View

SIGNS = "abc °é日"
"""One and two columns wide; hypothesis would find more, and no terminal agrees on them."""


def table(titles: str, *rows: str, width: int = 80, color: bool = False) -> list[str]:
    """The lines of a table; cells are separated by ``|``."""
    headings = [Heading(title, title.isupper()) for title in titles.split("|")]
    view = View("table", width=width, color=color)
    return draw.table(headings, [row.split("|") for row in rows], [False] * len(rows), view).split(
        "\n"
    )[:-1]


def test_numbers_stand_on_the_right_and_texts_on_the_left() -> None:
    assert table("ID|name", "1|uart0", "10|gpu") == ["ID  name", " 1  uart0", "10  gpu"]


def test_what_takes_two_columns_of_a_terminal_is_counted_as_two() -> None:
    assert table("name|unit", "温度|°C", "ab|V") == ["name  unit", "温度  °C", "ab    V"]


def test_a_sign_that_takes_no_column_of_its_own_is_not_counted() -> None:
    assert draw.width("e\u0301") == 1


def test_a_text_goes_on_below_itself_and_a_word_that_is_too_long_is_cut() -> None:
    lines = table("ID|text", f"1|{'some words ' * 3}|".rstrip("|"), width=20)
    assert lines == ["ID  text", " 1  some words some", "    words some words"]
    assert table("text", "a" * 45, width=20)[1:] == ["a" * 20, "a" * 20, "a" * 5]


def test_the_longest_texts_give_way_first() -> None:
    lines = table("a|b", f"{'x' * 10}|{'y' * 90}", width=40)
    assert lines[1] == f"{'x' * 10}  {'y' * 28}"


def test_a_marked_row_is_red_and_the_header_bold_where_there_is_colour() -> None:
    headings = [Heading("name", False)]
    view = View("table", color=True)
    assert draw.table(headings, [["a"], ["b"]], [False, True], view) == (
        "\x1b[1mname\x1b[0m\na\n\x1b[31mb\x1b[0m\n"
    )


def test_a_sheet_indents_the_lines_that_belong_to_a_key() -> None:
    pairs = [("name", "a"), ("levels", "1  2\n3  4")]
    assert draw.sheet(pairs, False, View("table")) == (
        "name    a\nlevels  1  2\n        3  4\n"
    )  # fmt: skip
    assert draw.sheet(pairs, False, View("table", headers=False)) == "a\n1  2\n3  4\n"


def test_only_the_key_of_a_sheet_is_bold() -> None:
    shown = draw.sheet([("name", "a")], True, View("table", color=True))
    assert shown == "\x1b[1mname\x1b[0m\x1b[31m  a\x1b[0m\n"


CELL = st.text(SIGNS, min_size=1, max_size=40).map(lambda text: text.strip() or "a")


@given(
    rows=st.lists(st.lists(CELL, min_size=3, max_size=3), max_size=5),
    width=st.integers(NARROWEST, 100),
)
def test_no_line_is_too_wide_and_nothing_is_lost(rows: list[list[str]], width: int) -> None:
    headings = [Heading(title, False) for title in ("a", "b", "c")]
    view = View("table", width=width)
    text = draw.table(headings, rows, [False] * len(rows), view)
    assert all(draw.width(line) <= width for line in text.splitlines())
    shown = sorted(re.sub(r"\s", "", text))
    assert shown == sorted(re.sub(r"\s", "", "abc" + "".join(map("".join, rows))))


@given(pairs=st.lists(st.tuples(CELL, CELL), min_size=1, max_size=5))
@pytest.mark.parametrize("headers", [True, False])
def test_a_sheet_is_never_wider_than_its_view(headers: bool, pairs: list[tuple[str, str]]) -> None:
    view = View("table", width=40, headers=headers)
    text = draw.sheet(pairs, False, view)
    assert all(draw.width(line) <= 40 for line in text.splitlines())
