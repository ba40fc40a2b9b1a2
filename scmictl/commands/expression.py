"""EXPR, the small language of ``assert``, ``wait``, ``--until`` and ``--where`` (CLI.md 4).

    or    = and {"or" and}          and = not {"and" not}          not = {"not"} test
    test  = "(" or ")" | ("all" | "any") "(" or ")" | operand [op operand | ["not"] "in" list]
    op    = "==" | "!=" | "<" | "<=" | ">" | ">=" | "~"
    list  = "(" operand {"," operand} ")", the same in brackets, or the path of an array
    path  = (name | "[" (index | or) "]") {"." name | "[" (index | or) "]"}

What CLI.md leaves open is settled like this:

- On the left a word is a key. On the right it is the key of that name where there is one, else a
  string; quote a string that is also a key. What comes from ``$NAME`` is never a key. The words
  ``true``, ``false`` and ``null`` are never keys; ``and or not in`` have to be quoted.
- A literal takes the type of the field it meets: ``2.1`` equals the string ``"2.1"`` too, ``on``
  and ``1`` equal true. Types that do not compare make the expression fail, not just false.
- ``~`` searches a regular expression (Python's) in the text of the field; unquoted it ends at a
  blank or at a parenthesis that it did not open.
- null equals only null, and is neither less nor greater than anything. A key that other rows have
  reads as null in a row without it (a row that could not be read, say).
- ``all`` and a bare E are true of an empty list, ``any`` is not. With ``[E]`` exactly one row must
  fit. One record counts as a list of one. On a list ``status``, ``exit``, ``latency`` and ``count``
  are those of the statement; in ``all``, ``any``, ``[E]`` and a single record own keys go first.
- ``latency`` counts microseconds, as the key ``latency_us``.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from scmictl import values
from scmictl.commands.condition import (
    Comparison,
    Condition,
    Every,
    Literal,
    Logic,
    Operand,
    Path,
    Scope,
    keys,
    pattern,
)
from scmictl.errors import ExpectationFailed, UsageError
from scmictl.values import Part

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

DEEPEST = 32
"""Levels of parentheses, brackets and ``not``."""

_NOTHING: Mapping[str, str] = {}
_SYMBOL = re.compile(r"[=!<>]=|[<>~()\[\],]")
_COMPARES = frozenset(("==", "!=", "<", "<=", ">", ">=", "~"))
_IN_WORDS = frozenset("_-+.:/%°·")  # besides letters and digits
_LITERAL = re.compile(r"[+-]?\.?[0-9]|(?:true|false|null)$")
_INDEX = re.compile("[0-9]{1,9}")
_KEYWORDS = frozenset(("and", "or", "not", "in"))
_MEANT = {"=": "==", "&": "and", "|": "or", "!": "not", "*": "~ for a pattern"}


class Expression:
    """A compiled expression; :func:`compile_expression` makes it."""

    def __init__(self, text: str, condition: Condition) -> None:
        self.text = text
        self.condition = condition

    def names(self) -> list[str]:
        """Return the keys that must exist, dotted (``fields.rate``), in the order they are used.

        Behind an index, and in the brackets of a nested array, keys are of the element: not here.
        """
        found: dict[str, None] = {}
        for path in self.condition.paths():
            steps = path.steps if path.root else path.steps[1:]
            named = []
            for step in steps:
                if not isinstance(step, str):
                    break
                named.append(step)
            if path.strict and named:
                found[".".join(named)] = None
        return list(found)

    def variables(self) -> list[str]:
        """Return the names of the ``$NAME`` in the text, which have to be set before."""
        return list(dict.fromkeys(p.text for p in self.condition.parts() if p.kind == "variable"))

    def evaluate(
        self,
        record: object,
        *,
        units: Mapping[str, str] | None = None,
        extra: Mapping[str, object] | None = None,
        variables: Mapping[str, str] = _NOTHING,
        environ: Mapping[str, str] = _NOTHING,
    ) -> bool:
        """Return whether the expression holds for a result.

        ``record`` is the JSON value a verb printed: an object, a list of them, or None. ``units``
        maps keys (``rate`` or ``fields.rate``) to the unit they count in, where neither the key's
        suffix nor a key ``unit`` beside it tells. ``extra`` is ``status``, ``exit``, ``latency``.

        Raises ExpectationFailed for unknown names and types that do not compare, UsageError for
        variables that are not set.
        """
        scope = _scope(record, units, extra, variables, environ)
        return self._holds(scope)

    def filter(
        self,
        rows: Sequence[dict[str, object]],
        *,
        units: Mapping[str, str] | None = None,
        variables: Mapping[str, str] = _NOTHING,
        environ: Mapping[str, str] = _NOTHING,
    ) -> list[dict[str, object]]:
        """Return the rows for which the expression holds (``--where``); raises as evaluate()."""
        scope = _scope(list(rows), units, None, variables, environ)
        return [row for row in rows if self._holds(scope.row(row))]

    def value(
        self,
        record: object,
        *,
        extra: Mapping[str, object] | None = None,
        variables: Mapping[str, str] = _NOTHING,
        environ: Mapping[str, str] = _NOTHING,
    ) -> object:
        """Return what a path leads to (``.rate_hz``, for ``set NAME := command .field``).

        On a list of one row a key is the row's. Raises as evaluate(), and UsageError when the
        expression is more than a path.
        """
        if type(self.condition) is not Condition:
            raise UsageError(f"found {self.text!r}, expected the name of a field")
        (operand,) = self.condition.operands
        scope = _scope(record, None, extra, variables, environ)
        if len(scope.rows) == 1 and not self.condition.is_of_list(scope):
            scope = scope.row(scope.rows[0])
        return operand.term(scope).value

    def explain(
        self,
        record: object,
        *,
        units: Mapping[str, str] | None = None,
        extra: Mapping[str, object] | None = None,
        variables: Mapping[str, str] = _NOTHING,
        environ: Mapping[str, str] = _NOTHING,
    ) -> str:
        """Return in one line why evaluate() is not true: ``rate_hz is 1, expected == 2``."""
        scope = _scope(record, units, extra, variables, environ)
        try:
            if self._holds(scope):
                return f"{values.shown(self.text)} holds"
            return "; ".join(self.condition.lift(scope).explain(scope, True))
        except (ExpectationFailed, UsageError) as error:
            return error.message

    def _holds(self, scope: Scope) -> bool:
        for path in self.condition.paths():
            path.check(scope)
        return self.condition.lift(scope).holds(scope)


def compile_expression(text: str) -> Expression:
    """Read an expression. Raises UsageError with the column of what is not understood."""
    return Expression(text.strip(), _Parser(text).parse())


def _scope(
    record: object,
    units: Mapping[str, str] | None,
    extra: Mapping[str, object] | None,
    variables: Mapping[str, str],
    environ: Mapping[str, str],
) -> Scope:
    known = keys(record if isinstance(record, list) else [record])
    return Scope(record, known, units or {}, extra or {}, variables, environ)


# --- tokens ---------------------------------------------------------------------------------------


class _Token(NamedTuple):
    """``kind`` is ``word``, ``string``, ``pattern``, ``end``, or the symbol itself."""

    kind: str
    text: str
    start: int
    end: int
    parts: tuple[Part, ...] = ()

    def is_word(self, *words: str) -> bool:
        return self.kind == "word" and self.text in words

    @property
    def is_literal(self) -> bool:
        """Whether this cannot be a key."""
        referring = any(part.kind != "text" for part in self.parts)
        return self.kind != "word" or referring or _LITERAL.match(self.text) is not None


def _error(column: int, found: str, expected: str, hint: str | None = None) -> UsageError:
    return UsageError(
        f"expression, column {column + 1}: found {found}, expected {expected}", hint=hint
    )


def _tokens(text: str) -> list[_Token]:
    tokens: list[_Token] = []
    at = 0
    while True:
        while at < len(text) and text[at].isspace():
            at += 1
        if at == len(text):
            return [*tokens, _Token("end", "the end", at, at)]
        tokens.append(_token(text, at, bool(tokens) and tokens[-1].kind == "~"))
        at = tokens[-1].end


def _token(text: str, start: int, is_pattern: bool) -> _Token:
    if text[start] == '"':
        parts, end, closed = values.double_quoted(text, start)
        token = _Token("string", text[start:end], start, end, tuple(parts))
    elif text[start] == "'":
        close = text.find("'", start + 1)
        closed, end = close > 0, close + 1
        token = _Token(
            "string", text[start:end], start, end, (Part(text[start + 1 : close], True),)
        )
    elif is_pattern and text[start] != ")":
        token, closed = _run(text, start, "pattern"), True
    elif symbol := _SYMBOL.match(text, start):
        return _Token(symbol[0], symbol[0], start, symbol.end())
    elif _is_in_word(text[start]):
        token, closed = _run(text, start, "word"), True
    else:
        found = text[start]
        hint = f"say {_MEANT[found]}" if found in _MEANT else None
        raise _error(start, repr(found), "a name, a value or an operator", hint)
    if not closed:
        raise _error(start, "a quote that is not closed", f"another {text[start]}")
    if any(part.kind == "malformed" for part in token.parts):
        raise _error(start, "${ alone", "${NAME} or ${env:NAME}")
    return token


def _is_in_word(sign: str) -> bool:
    return sign.isalnum() or sign in _IN_WORDS or sign == "$"


def _run(text: str, start: int, kind: str) -> _Token:
    """Read an unquoted word, or an unquoted pattern up to a blank or the parenthesis around it."""
    parts: list[Part] = []
    run = ""
    depth = 0
    at = start
    while at < len(text) and not text[at].isspace():
        sign = text[at]
        if sign == "$":
            part, at = values.reference(text, at, False)
            if part.kind == "text":
                run += part.text
            else:
                parts += [Part(run), part] if run else [part]
                run = ""
            continue
        if kind == "word" and not _is_in_word(sign):
            break
        depth += (sign == "(") - (sign == ")")
        if depth < 0:
            break
        length = 2 if sign == "\\" else 1
        run += text[at : at + length]
        at += length
    if run:
        parts.append(Part(run))
    return _Token(kind, text[start:at], start, min(at, len(text)), tuple(parts))


# --- parser ---------------------------------------------------------------------------------------


class _Parser:
    """Recursive descent over the tokens, each method one rule of the grammar above."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.tokens = _tokens(text)
        self.at = 0
        self.depth = 0

    @property
    def token(self) -> _Token:
        return self.tokens[self.at]

    def take(self, *kinds: str) -> _Token | None:
        """Step over the next token if it is one of these symbols or keywords."""
        token = self.token
        if token.kind in kinds or token.is_word(*kinds):
            self.at += 1
            return token
        return None

    def need(self, kind: str) -> None:
        if not self.take(kind):
            raise self.wrong(repr(kind))

    def wrong(self, expected: str, hint: str | None = None) -> UsageError:
        found = "the end" if self.token.kind == "end" else repr(self.token.text)
        return _error(self.token.start, found, expected, hint)

    def parse(self) -> Condition:
        condition = self.any_of()
        if self.token.kind in _COMPARES:
            raise self.wrong("the end", hint="comparisons do not chain: say a < b and b < c")
        if self.token.kind != "end":
            raise self.wrong("and, or, or the end")
        return condition

    def any_of(self) -> Condition:
        self.depth += 1
        if self.depth > DEEPEST:
            raise _error(self.token.start, "too many levels", f"at most {DEEPEST}")
        children = [self.all_of()]
        while self.take("or"):
            children.append(self.all_of())
        self.depth -= 1
        return children[0] if len(children) == 1 else Logic("or", *children)

    def all_of(self) -> Condition:
        children = [self.negated()]
        while self.take("and"):
            children.append(self.negated())
        return children[0] if len(children) == 1 else Logic("and", *children)

    def negated(self) -> Condition:
        negations = 0
        while self.take("not"):
            negations += 1
        test = self.test()
        return Logic("not", test) if negations % 2 else test

    def test(self) -> Condition:
        if self.take("("):
            return self.enclosed(")")
        if self.token.is_word("all", "any") and self.tokens[self.at + 1].kind == "(":
            every = self.token.text == "all"
            self.at += 2
            return Every(every, self.enclosed(")"))
        left = self.operand(strict=True)
        operator = self.take(*_COMPARES)
        if operator:
            right = self.operand(strict=False)
            if operator.kind == "~" and isinstance(right, Literal) and right.fixed is not None:
                pattern(right.fixed)  # a mistake is told now, not when the answer is there
            return Comparison(operator.kind, left, [right])
        negated = self.token.is_word("not") and self.tokens[self.at + 1].is_word("in")
        if negated:
            self.at += 1
        if not self.take("in"):
            return Condition(left)
        member = self.member(left)
        return Logic("not", member) if negated else member

    def enclosed(self, closing: str) -> Condition:
        condition = self.any_of()
        self.need(closing)
        return condition

    def member(self, left: Operand) -> Condition:
        opening = self.take("(", "[")
        if not opening:
            return Comparison("in", left, [self.operand(strict=True)])
        items = [self.operand(strict=False)]
        while self.take(","):
            items.append(self.operand(strict=False))
        self.need(")" if opening.kind == "(" else "]")
        return Comparison("in", left, items, listed=True)

    def operand(self, *, strict: bool) -> Operand:
        token = self.token
        if token.kind == "[":
            return self.path(strict)
        if token.kind not in ("word", "string", "pattern") or token.is_word(*_KEYWORDS):
            raise self.wrong("a name or a value")
        if not token.is_literal:
            return self.path(strict)
        self.at += 1
        return Literal(token.parts, token.text, token.kind != "word")

    def path(self, strict: bool) -> Operand:
        start = end = self.token.start
        steps: list[str | int | Condition] = []
        while self.token.start == end:  # what belongs to a path is written without blanks
            token = self.token
            if token.kind == "word" and not (steps and not token.text.startswith(".")):
                names = token.text.removeprefix(".").split(".")
                self.at += 1
                if not all(names):
                    if not strict and not steps:
                        return Literal(token.parts, token.text, False)
                    raise _error(token.start, repr(token.text), "a name such as a.b")
                steps += names
            elif self.take("["):
                index = self.token
                if (
                    index.kind == "word"
                    and index.is_literal
                    and self.tokens[self.at + 1].kind == "]"
                ):
                    if not _INDEX.fullmatch(index.text):
                        raise self.wrong("an index such as 0, or a test")
                    self.at += 1
                    steps.append(int(index.text))
                    self.need("]")
                else:
                    steps.append(self.enclosed("]"))
            else:
                break
            end = self.tokens[self.at - 1].end
        return Path(tuple(steps), self.text[start:end], strict)
