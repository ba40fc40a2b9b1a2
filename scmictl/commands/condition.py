"""What an expression says of a result: its operands, its conditions, and how values compare.

``expression`` reads the text and documents the language; here is what it means. A condition is
evaluated in a *scope*: a record, or a list of records. Nothing here keeps state.
"""

from __future__ import annotations

import re
from operator import eq, ge, gt, le, lt, ne
from typing import TYPE_CHECKING, Any, NamedTuple

from scmictl import values
from scmictl.errors import ExpectationFailed, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from scmictl.values import Part, Quantity

LONGEST_SHOWN = 60
"""Characters of an array or object in an explanation."""

_OPERATORS: dict[str, Callable[[Any, Any], bool]] = {
    "==": eq, "!=": ne, "<": lt, "<=": le, ">": gt, ">=": ge,
}  # fmt: skip
_MIRRORED = {"<": ">", "<=": ">=", ">": "<", ">=": "<="}
_BOOLEANS = {"true": True, "on": True, "yes": True, "1": True}
_BOOLEANS |= {"false": False, "off": False, "no": False, "0": False}
# bool before int, of which it is a subclass.
_KINDS: dict[type, str] = {bool: "true or false", int: "a number", float: "a number"}
_KINDS |= {str: "text", list: "an array"}
# The last word of a key tells the unit of its value.
_SUFFIXES = {
    "hz": "Hz", "khz": "kHz", "mhz": "MHz", "s": "s", "ms": "ms", "us": "us", "ns": "ns",
    "uv": "uV", "mv": "mV", "uw": "uW", "mw": "mW", "percent": "%",
}  # fmt: skip
_EXTRA_UNITS = {"latency": "us"}
# What is no measure in a record that has a key `unit`.
_UNITLESS = frozenset(("id", "raw", "scale", "axes", "timestamp", "parent", "count"))


class Term(NamedTuple):
    """What an operand comes to: its value, the unit of that, and how it was written.

    A *loose* term is an unquoted literal: it takes the type of what it is compared with.
    """

    value: object
    unit: str | None
    text: str
    loose: bool = False


class Scope(NamedTuple):
    """What names mean: a record or a list of them, and the names there are besides its keys."""

    record: object
    known: Sequence[str]
    units: Mapping[str, str]
    extra: Mapping[str, object]
    variables: Mapping[str, str]
    environ: Mapping[str, str]

    @property
    def is_list(self) -> bool:
        return isinstance(self.record, list)

    @property
    def rows(self) -> list[object]:
        if isinstance(self.record, list):
            return self.record
        return [] if self.record is None else [self.record]

    def row(self, record: object) -> Scope:
        return self._replace(record=record)

    def has(self, name: str) -> bool:
        return name in self.known or name in self.extra or name == "count"

    def unknown(self, name: str) -> ExpectationFailed:
        return unknown_name(name, [*self.known, *(n for n in self.extra if n not in self.known)])


# --- operands -------------------------------------------------------------------------------------


class Literal:
    """A value that was typed."""

    def __init__(self, parts: tuple[Part, ...], text: str, quoted: bool) -> None:
        self.parts = parts
        self.text = text
        self.quoted = quoted
        fixed = all(part.kind == "text" for part in parts)
        self.fixed = "".join(part.text for part in parts) if fixed else None

    def term(self, scope: Scope) -> Term:
        text = values.expand(self.parts, scope.variables, scope.environ)
        if not self.quoted and text == "null":
            return Term(None, None, text)
        return Term(text, None, values.shown(text), not self.quoted)


class Path:
    """A key and the way into its value. Unless it is ``strict``, it may be a string instead."""

    def __init__(self, steps: tuple[str | int | Condition, ...], text: str, strict: bool) -> None:
        self.steps = steps
        self.text = text
        self.strict = strict
        self.root = steps[0] if isinstance(steps[0], str) else None

    def level(self, scope: Scope) -> str:
        """Return whose value this is on a list: of a ``row``, of the ``list``, or ``neither``."""
        if self.root is None or self.root == "count":
            return "list"
        if self.root in scope.extra or not (self.strict or scope.has(self.root)):
            return "neither"
        return "row"

    def check(self, scope: Scope) -> None:
        """Raise ExpectationFailed for an unknown name, even if evaluation would not come by it."""
        if self.root and self.strict and not scope.has(self.root) and scope.record != []:
            raise scope.unknown(self.root)

    def term(self, scope: Scope) -> Term:
        if not self.strict and self.root is not None and not scope.has(self.root):
            return Term(self.text, None, values.shown(self.text), True)
        holder: object = None
        key = self.root or ""
        value = scope.rows if self.root is None else self._first(self.root, scope)
        if isinstance(scope.record, dict) and self.root in scope.record:
            holder = scope.record
        known: Sequence[str] = ()
        for step in self.steps if self.root is None else self.steps[1:]:
            if not isinstance(step, str):
                known = keys(value) if isinstance(value, list) else ()
                value = self._element(value, step, scope)
            elif isinstance(value, dict):
                known = known or list(value)
                if step not in known:
                    raise unknown_name(step, known)
                holder, key, value, known = value, step, value.get(step), ()
            elif value is not None:
                raise ExpectationFailed(
                    f"{self.text}: found {_kind(value)} before .{step}, expected an object"
                )
        return Term(value, self._unit(scope, holder, key), self.text)

    def _first(self, name: str, scope: Scope) -> object:
        if isinstance(scope.record, dict) and name in scope.record:
            return scope.record[name]
        if name in scope.extra:
            return scope.extra[name]
        if scope.is_list and name in scope.known and name != "count":
            raise ExpectationFailed(
                f"found {name} of {len(scope.rows)} rows, expected that of one row",
                hint=f"say [0].{name}, [name==…].{name}, all(…) or any(…)",
            )
        if name in scope.known and not scope.is_list:
            return None
        if name == "count":
            return len(scope.rows)
        raise scope.unknown(name)

    def _element(self, value: object, step: int | Condition, scope: Scope) -> object:
        if value is None:
            return None
        if not isinstance(value, list):
            raise ExpectationFailed(f"{self.text}: found {_kind(value)}, expected an array")
        if isinstance(step, int):
            if step >= len(value):
                raise ExpectationFailed(
                    f"{self.text}: found {len(value)} elements, expected more than {step}"
                )
            return value[step]
        inner = scope._replace(known=keys(value))
        fitting = [row for row in value if step.holds(inner.row(row))]
        if len(fitting) != 1:
            raise ExpectationFailed(f"{self.text}: found {len(fitting)} rows that fit, expected 1")
        return fitting[0]

    def _unit(self, scope: Scope, holder: object, key: str) -> str | None:
        for name in (self.text.lstrip("."), key):
            if name in scope.units:
                return scope.units[name]
        _, underscore, suffix = key.rpartition("_")
        if underscore and suffix in _SUFFIXES:
            return _SUFFIXES[suffix]
        if not isinstance(holder, dict):
            return _EXTRA_UNITS.get(key)
        unit = None if key in _UNITLESS else holder.get("unit")
        return unit if isinstance(unit, str) and unit else None


Operand = Literal | Path


# --- tests ----------------------------------------------------------------------------------------


class Condition:
    """What is true or false of a record: this one if its operand alone is true.

    false, null, 0 and what is empty are false.
    """

    operands: tuple[Operand, ...] = ()
    children: tuple[Condition, ...] = ()

    def __init__(self, operand: Operand) -> None:
        self.operands = (operand,)

    def holds(self, scope: Scope) -> bool:
        """Evaluate. Raises ExpectationFailed for unknown names and types that do not compare."""
        term = self.operands[0].term(scope)
        return _BOOLEANS.get(str(term.value), True) if term.loose else bool(term.value)

    def explain(self, scope: Scope, wanted: bool) -> list[str]:
        """Return what decides that this is not ``wanted``, one line for each reason."""
        return [f"{_is(self.operands[0].term(scope))}, expected {'true' if wanted else 'false'}"]

    def is_of_list(self, scope: Scope) -> bool:
        """Whether this says something of a list itself, not of each row."""
        if self.children:
            return any(child.is_of_list(scope) for child in self.children)
        levels = [path.level(scope) for path in self.operands if isinstance(path, Path)]
        return "list" in levels or "row" not in levels

    def lift(self, scope: Scope) -> Condition:
        """Return what this means in ``scope``: on a list a bare E is all(E)."""
        return Every(True, self) if scope.is_list and not self.is_of_list(scope) else self

    def paths(self) -> Iterator[Path]:
        """Yield the paths whose names are keys of the record or of its rows."""
        for operand in self.operands:
            if isinstance(operand, Path):
                yield operand
                if not isinstance(operand.steps[0], str | int):
                    yield from operand.steps[0].paths()
        for child in self.children:
            yield from child.paths()

    def parts(self) -> Iterator[Part]:
        """Yield what the literals are made of."""
        for operand in self.operands:
            if isinstance(operand, Literal):
                yield from operand.parts
            else:
                for step in operand.steps:
                    if isinstance(step, Condition):
                        yield from step.parts()
        for child in self.children:
            yield from child.parts()


class Comparison(Condition):
    """``a == b``, ``a ~ pattern``, ``a in (b, c)`` and ``a in b`` where b is an array."""

    def __init__(
        self, operator: str, left: Operand, right: Sequence[Operand], listed: bool = False
    ) -> None:
        self.operator = operator
        self.operands = (left, *right)
        self.listed = listed

    def holds(self, scope: Scope) -> bool:
        left = self.operands[0].term(scope)
        if self.operator == "in":
            return any(_compare("==", left, item) for item in self._items(scope))
        right = self.operands[1].term(scope)
        if self.operator != "~":
            return _compare(self.operator, left, right)
        if isinstance(left.value, dict | list):
            raise ExpectationFailed(f"{left.text} is {_kind(left.value)}, expected text for ~")
        text = left.value if isinstance(left.value, str) else _show(left.value)
        return left.value is not None and pattern(str(right.value)).search(text) is not None

    def _items(self, scope: Scope) -> list[Term]:
        terms = [operand.term(scope) for operand in self.operands[1:]]
        if self.listed:
            return terms
        array = terms[0]
        if array.value is not None and not isinstance(array.value, list):
            raise ExpectationFailed(
                f"{array.text} is {_kind(array.value)}, expected an array",
                hint="a list is written (A, B); ~ searches in a text",
            )
        return [Term(value, array.unit, array.text) for value in array.value or []]

    def explain(self, scope: Scope, wanted: bool) -> list[str]:
        left, *others = (operand.term(scope) for operand in self.operands)
        target = ", ".join(_target(term) for term in others)
        target = f"({target})" if self.listed else target
        return [f"{_is(left)}, expected {'' if wanted else 'not '}{self.operator} {target}"]


class Logic(Condition):
    """``and``, ``or``; ``not`` is neither of one child."""

    def __init__(self, operator: str, *children: Condition) -> None:
        self.operator = operator
        self.children = children

    def holds(self, scope: Scope) -> bool:
        outcomes = (child.lift(scope).holds(scope) for child in self.children)
        if self.operator == "not":
            return not any(outcomes)
        return all(outcomes) if self.operator == "and" else any(outcomes)

    def explain(self, scope: Scope, wanted: bool) -> list[str]:
        wanted = wanted != (self.operator == "not")
        children = [child.lift(scope) for child in self.children]
        guilty = [child for child in children if child.holds(scope) != wanted]
        return [line for child in guilty for line in child.explain(scope, wanted)]


class Every(Condition):
    """``all(E)`` and ``any(E)`` over the rows of a list."""

    def __init__(self, every: bool, child: Condition) -> None:
        self.every = every
        self.children = (child,)

    def is_of_list(self, scope: Scope) -> bool:
        return True

    def holds(self, scope: Scope) -> bool:
        outcomes = (self.children[0].holds(scope.row(row)) for row in scope.rows)
        return all(outcomes) if self.every else any(outcomes)

    def explain(self, scope: Scope, wanted: bool) -> list[str]:
        child = self.children[0]
        rows = scope.rows
        for index, row in enumerate(rows):
            # The first that decides: one that does not fit all(E), or one that fits any(E).
            if child.holds(scope.row(row)) != self.every:
                why = child.explain(scope.row(row), self.every)
                return [f"{_label(index, row)}: {line}" for line in why]
        if rows and not self.every:
            why = child.explain(scope.row(rows[0]), True)
            return [f"none of {len(rows)} rows fits: {_label(0, rows[0])}: {'; '.join(why)}"]
        return [f"{'all' if self.every and rows else 'none'} of {len(rows)} rows fit"]


# --- comparing and showing ------------------------------------------------------------------------


def _compare(operator: str, left: Term, right: Term) -> bool:
    if left.loose and not right.loose:
        left, right, operator = right, left, _MIRRORED.get(operator, operator)
    one, other = left.value, right.value
    if left.loose:
        one, other = _align(str(one), str(other))
    elif right.loose:
        one, other = _adopt(operator, left, right)
    if one is None or other is None:
        return operator in ("==", "!=") and (one is other) == (operator == "==")
    ordered = _kind(one) in ("a number", "text") or operator not in _MIRRORED
    if _kind(one) != _kind(other) or not ordered:
        raise ExpectationFailed(
            f"{_named(left)} is {_kind(one)}, {_named(right)} is {_kind(other)}:"
            f" {operator} does not compare them"
        )
    return _OPERATORS[operator](one, other)


def _adopt(operator: str, field: Term, literal: Term) -> tuple[object, object]:
    """Return both values, the literal turned into the type and the unit of the field."""
    value = field.value
    text = str(literal.value)
    if isinstance(value, bool):
        if text.lower() not in _BOOLEANS:
            raise ExpectationFailed(f"{_is(field)}, found {literal.text}, expected true or false")
        return value, _BOOLEANS[text.lower()]
    if isinstance(value, int | float):
        try:
            numerator, denominator = values.quantity(text).convert(field.unit)
        except UsageError as error:
            raise ExpectationFailed(f"{_is(field)}: {error}", hint=error.hint) from error
        if isinstance(value, float):
            # 23.7 as typed and 23.7 as read are to be equal: both become the nearest float.
            return value, numerator / denominator
        return value * denominator, numerator
    if isinstance(value, str) and operator in _MIRRORED:
        typed = _quantity(text)
        if typed and (typed.unit is None or typed.unit.isalpha()):
            return value, typed.numerator  # which is refused: text and a number have no order
    return value, text


def _align(one: str, other: str) -> tuple[object, object]:
    """Return the values of two literals (one from a variable): numbers, else truths, else texts."""
    first, second = _quantity(one), _quantity(other)
    if first and second:
        if (first.unit is None) != (second.unit is None):
            raise ExpectationFailed(f"found {one} and {other}, expected a unit on both or neither")
        try:
            numerator, denominator = second.convert(first.unit)
            return first.numerator * denominator, numerator * first.denominator
        except UsageError:
            pass  # `3v3-rail` begins with a number, but is a name
    if one in _BOOLEANS and other in _BOOLEANS:
        return _BOOLEANS[one], _BOOLEANS[other]
    return one, other


def _quantity(text: str) -> Quantity | None:
    try:
        return values.quantity(text)
    except UsageError:
        return None


def pattern(text: str) -> re.Pattern[str]:
    """Compile a regular expression; raises UsageError."""
    import warnings

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # "possible nested set": not for a user's eyes
            return re.compile(text)
    except (re.error, OverflowError, RecursionError) as error:
        raise UsageError(f"found the pattern {text!r}: {error}") from error


def unknown_name(name: str, known: Sequence[str]) -> ExpectationFailed:
    error = values.unknown("name", name, known, limit=len(known))
    return ExpectationFailed(error.message, hint=error.hint)


def keys(rows: Sequence[object]) -> list[str]:
    """Return the keys of all rows, in the order they are met."""
    return list(dict.fromkeys(key for row in rows if isinstance(row, dict) for key in row))


def _kind(value: object) -> str:
    if value is None:
        return "null"
    return next((text for kind, text in _KINDS.items() if isinstance(value, kind)), "an object")


def _show(value: object) -> str:
    """Return a value as JSON shows it, but a plain string without quotes."""
    if isinstance(value, str):
        return values.shown(value)
    from json import dumps  # only where something is to be explained

    text = dumps(value, default=str)
    return text if len(text) <= LONGEST_SHOWN else f"{text[:LONGEST_SHOWN]}…"


def _named(term: Term) -> str:
    """Return a term as it was written, a quoted text in quotes."""
    return repr(term.text) if term.value == term.text and not term.loose else term.text


def _is(term: Term) -> str:
    shown = _show(term.value)
    return shown if shown == term.text else f"{term.text} is {shown}"


def _target(term: Term) -> str:
    shown = _show(term.value)
    return shown if shown == term.text else f"{term.text} ({shown})"


def _label(index: int, row: object) -> str:
    name = row.get("name") if isinstance(row, dict) else None
    return f"row {index} ({_show(name)})" if isinstance(name, str) else f"row {index}"
