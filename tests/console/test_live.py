"""The live table of `sensor watch`: what it shows, and when it is drawn at all."""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import Any

import pytest

from scmictl.commands import Record, Stream
from scmictl.console import live
from scmictl.console.environment import Environment
from scmictl.console.view import View
from scmictl.errors import Interrupted, NotOffered

TABLE = View(form="table", terminal=True, width=100)


def update(value: float, name: str = "temp", **more: Any) -> Record:
    return {
        "time": "now", "event": "SENSOR_UPDATE", "id": 0, "name": name, "value": value,
        "unit": "°C", "axes": [], **more,
    }  # fmt: skip


def drawn(records: Iterator[Record], view: View = TABLE) -> tuple[list[Record], str]:
    stdout = io.StringIO()
    environment = Environment(io.StringIO(), stdout, io.StringIO(), {})
    kept = live.run(Stream(records, live=True), view, environment)
    return kept, stdout.getvalue()


def picture(text: str) -> list[str]:
    """The lines of the last picture, without what moves the cursor."""
    last = text.rpartition("NAME")[2]
    return ["NAME" + last.splitlines()[0], *last.splitlines()[1:]]


def test_only_a_terminal_with_the_table_form_gets_it() -> None:
    stream = Stream(iter(()), live=True)
    assert live.draws(stream, TABLE)
    assert not live.draws(stream, TABLE._replace(terminal=False))
    assert not live.draws(stream, TABLE._replace(form="jsonl"))
    assert not live.draws(stream, TABLE._replace(fields=("time", "value")))
    assert not live.draws(Stream(iter(())), TABLE)


def test_a_line_has_the_value_its_extremes_and_a_sparkline() -> None:
    records = [update(45.5), update(45.25), update(46)]
    kept, text = drawn(iter(records))
    assert kept == records
    line = next(line for line in picture(text) if "temp" in line)
    name, *cells = line.split()
    assert name == "temp"
    assert cells[:4] == ["46", "°C", "45.25", "46"]
    assert cells[-1] == "▃▁█"
    assert "3 updates" in text


def test_axes_have_a_line_each() -> None:
    axes = [
        {"id": 0, "name": "X", "value": 0.5, "unit": "m/s²"},
        {"id": 1, "name": None, "value": -1, "unit": "m/s²"},
    ]
    model = live.Model(TABLE, clock=lambda: 0.0)
    model.take({**update(0, "acc"), "value": None, "axes": axes})
    assert [line.name for line in model.lines.values()] == ["acc X", "acc 1"]


def test_the_rate_is_that_of_the_updates() -> None:
    times = iter((0.0, 0.5, 1.0))
    model = live.Model(TABLE, clock=lambda: next(times))
    for value in (1, 2, 3):
        model.take(update(value))
    (line,) = model.lines.values()
    assert line.cells(10, "_#")[-2:] == ["2/s", "__#"]


def test_losses_and_reconnections_are_told_below() -> None:
    model = live.Model(TABLE)
    model.take({"event": "lost", "fields": {"count": 5}})
    model.take({"event": "reconnected", "fields": {"gap_s": 0.1}})
    assert model.caption() == "0 updates, 5 lost, reconnected 1 times"
    assert not model.lines


def test_a_name_from_the_platform_cannot_move_the_cursor() -> None:
    _, text = drawn(iter([update(1, "a\x1b[2Jb")]))
    assert "\x1b[2J" not in text
    assert "a\\x1b[2Jb" in text


def test_names_are_not_markup() -> None:
    _, text = drawn(iter([update(1, "[red]hot[/red]")]))
    assert "[red]hot[/red]" in text


def test_nothing_is_drawn_before_the_first_record() -> None:
    def refused() -> Iterator[Record]:
        if TABLE.terminal:
            raise NotOffered("no notifications")
        yield {}

    stdout = io.StringIO()
    environment = Environment(io.StringIO(), stdout, io.StringIO(), {})
    with pytest.raises(NotOffered):
        live.run(Stream(refused(), live=True), TABLE, environment)
    assert stdout.getvalue() == ""


def test_an_interruption_leaves_the_last_picture_and_closes_the_source() -> None:
    closed = []

    def interrupted() -> Iterator[Record]:
        try:
            yield update(45.5)
            raise Interrupted
        finally:
            closed.append(True)

    stdout = io.StringIO()
    environment = Environment(io.StringIO(), stdout, io.StringIO(), {})
    with pytest.raises(Interrupted):
        live.run(Stream(interrupted(), live=True), TABLE, environment)
    assert "temp" in stdout.getvalue()
    assert "\x1b[?25h" in stdout.getvalue(), "the cursor is shown again"
    assert closed


def test_where_leaves_records_out() -> None:
    kept, text = drawn(iter([update(1), update(9, "hot", id=1)]), TABLE._replace(where="value > 5"))
    assert [record["name"] for record in kept] == ["hot"]
    assert "temp" not in text


def test_at_80_columns_numbers_are_whole_and_names_give_way() -> None:
    model = live.Model(TABLE._replace(width=80), clock=iter(range(100)).__next__)
    for value in (-0.1234, 98765.4321):
        model.take({**update(value, "a-sensor-with-a-name-that-is-far-too-long"), "unit": "rad/s²"})
    name, spark = model._widths()
    (line,) = model.lines.values()
    others = line.cells(spark, "_#")[1:-1]
    assert name + sum(map(len, others)) + spark + 2 * 6 <= 80
    assert name >= 12
