"""Which records to print, in which order, and which of their keys: --where, --sort, --fields."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Any

from scmictl import values
from scmictl.commands import Column, Record, Rows
from scmictl.console.cell import has, look
from scmictl.console.environment import Environment
from scmictl.console.view import View
from scmictl.errors import ExpectationFailed, UsageError

ERROR = Column("error", "ERROR")
"""Added where a row could not be read, so that it is never taken for one that could."""

_DIGITS = re.compile("([0-9]{1,18})")


def where(output: Rows, view: View, environment: Environment) -> list[Record]:
    """Return the records for which --where holds; raises UsageError when it cannot be evaluated."""
    if not view.where:
        return list(output.records)
    from scmictl.commands.expression import compile_expression

    try:
        return compile_expression(view.where).filter(
            output.records, units=_units(output.columns), environ=environment.environ
        )
    except (ExpectationFailed, UsageError) as error:
        raise UsageError(f"--where: {error.message}", hint=error.hint) from error


class Filter:
    """--where of a stream. Its records differ, so a nested key that one of them lacks is null."""

    def __init__(self, columns: Sequence[Column], view: View, environment: Environment) -> None:
        self.expression = None
        self.units = _units(columns)
        self.environ = environment.environ
        if view.where:
            from scmictl.commands.expression import compile_expression

            try:
                self.expression = compile_expression(view.where)
            except UsageError as error:
                raise UsageError(f"--where: {error.message}", hint=error.hint) from error

    def passes(self, record: Record) -> bool:
        """Return whether to print ``record``; raises UsageError when it cannot be evaluated."""
        if self.expression is None:
            return True
        whole = _filled(record, self.expression.names())
        try:
            return self.expression.evaluate(whole, units=self.units, environ=self.environ)
        except (ExpectationFailed, UsageError) as error:
            raise UsageError(f"--where: {error.message}", hint=error.hint) from error


def _filled(record: Record, names: Iterable[str]) -> Record:
    """Return ``record`` with null for what is missing below its own keys."""
    whole = dict(record)
    for name in names:
        holder = whole
        *way, last = name.split(".")
        for key in way:
            if not isinstance(holder.get(key), dict):
                break
            copy = dict(holder[key])
            holder[key] = copy
            holder = copy
        else:
            if way:
                holder.setdefault(last, None)
    return whole


def _units(columns: Sequence[Column]) -> dict[str, str]:
    return {column.key: column.unit for column in columns if column.unit}


def ordered(records: list[Record], columns: Sequence[Column], view: View) -> list[Record]:
    """Return the records as --sort has it; those without a value come last either way."""
    if not view.sort:
        return records
    key = view.sort.removeprefix("-")
    check_keys("--sort", [key], records, columns)
    there = [record for record in records if look(record, key) is not None]
    there.sort(key=lambda record: _rank(look(record, key)), reverse=view.sort.startswith("-"))
    return there + [record for record in records if look(record, key) is None]


def _rank(value: Any) -> tuple[int, Any]:
    """Return what to compare: numbers by value, and in texts too, so that uart10 follows uart2."""
    if isinstance(value, int | float):
        return 0, value
    if isinstance(value, str):
        return 1, [int(part) if i % 2 else part for i, part in enumerate(_DIGITS.split(value))]
    return 2, repr(value)


def keys(records: Iterable[Record]) -> list[str]:
    """Return the keys of all records in the order they are met, an error's last."""
    found = dict.fromkeys(key for record in records for key in record)
    if ERROR.key in found:
        del found[ERROR.key]
        found[ERROR.key] = None
    return list(found)


def check_keys(
    option: str, wanted: Iterable[str], records: Sequence[Record], columns: Sequence[Column]
) -> None:
    """Raise UsageError for a key that no record has; of no records nothing is known."""
    declared = [column.key for column in columns]
    for key in wanted:
        if records and key not in declared and not any(has(record, key) for record in records):
            known = list(dict.fromkeys([*keys(records), *declared]))
            error = values.unknown("key", key, known, limit=len(known))
            raise UsageError(f"{option}: {error.message}", hint=error.hint)


def columns_of(
    records: Sequence[Record], declared: Sequence[Column], view: View
) -> Sequence[Column]:
    """Return what to print of each record in a form with columns.

    csv has every key, as JSON has; the others have the declared columns that are not wide.
    """
    by_key = {column.key: column for column in declared}
    if view.fields:
        check_keys("--fields", view.fields, records, declared)
        return [by_key.get(key) or Column(key, key) for key in view.fields]
    if view.form == "csv":
        every = keys(records) or list(by_key)
        return [by_key.get(key) or Column(key, key) for key in every]
    shown = [column for column in declared if not column.wide]
    if not shown:
        return [Column(key, key) for key in keys(records)]
    if ERROR.key not in by_key and any(record.get(ERROR.key) for record in records):
        shown.append(ERROR)
    return shown


def picked(record: Record, view: View) -> Record:
    """Return the part of ``record`` that --fields asks for, for the JSON forms."""
    return {key: look(record, key) for key in view.fields} if view.fields else record
