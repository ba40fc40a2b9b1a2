"""What a person types, turned into values and back: numbers with units, durations, ids, variables.

All arithmetic is exact: a number is a fraction of two integers until the unit of the field it is
meant for is known. Units are case-sensitive (``mHz`` and ``MHz`` differ by 10^9), and the unit of
another dimension is an error, never a guess.
"""

from __future__ import annotations

import re
from enum import IntEnum
from itertools import islice
from typing import TYPE_CHECKING, NamedTuple, TypeVar

from scmictl.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

E = TypeVar("E", bound=IntEnum)

TRUTHS = {"on": True, "true": True, "yes": True, "off": False, "false": False, "no": False}
LONGEST_NUMBER = 128
"""Characters of a number: 64 binary digits fit, what would only keep the machine busy does not."""
LONGEST_DURATION = 366 * 24 * 3600
"""Seconds. What is longer is a typing mistake, and poll(2) could not wait for it."""
LAST_ID = 0xFFFFFFFF
SHOWN = 12
"""How many candidates an error lists."""
COMPARED = 2000
"""How many candidates a hint is looked for among: an error should not take seconds."""

PREFIXES = {"p": -12, "n": -9, "u": -6, "m": -3, "k": 3, "K": 3, "M": 6, "G": 9, "T": 12}
_SHOWN_PREFIXES = {power: prefix for prefix, power in PREFIXES.items() if prefix != "K"} | {0: ""}
# Units that are commonly written with a prefix, so that `mW` reads as milli and W.
_UNITS = "Hz V A W J s C VA Pa N K F H S g m cd lx lm mol rad Wb T Bq Gy Sv Ω °C bit B m/s m/s²"
_PREFIXED = frozenset(_UNITS.split())
# `24M` for a clock rate is clear. Where a field counts in uV or mW it could be read two ways, `5m`
# of seconds are minutes, and `40K` of °C would be kelvins.
_BARE_PREFIX = frozenset(("Hz", "V", "A", "W", "B", "bit"))
# Nobody reads 2 ks or 0.3 kK.
_LARGEST_SHOWN = {"s": 0, "K": 0, "°C": 0}
_SMALLEST_SHOWN = {"K": 0, "°C": 0}
_ALIASES = {"°C": ("°C", "C", "degC"), "°F": ("°F", "F", "degF"), "Ω": ("Ω", "ohm", "Ohm")}
_LONG_TIMES = {"min": 60, "m": 60, "h": 3600}

_DIGITS = "[0-9](?:_?[0-9])*"
_NUMBER = re.compile(
    rf"""(?P<sign>[+-]?)
    (?:0[xX]_?(?P<hex>[0-9a-fA-F](?:_?[0-9a-fA-F])*)
      |0[bB]_?(?P<binary>[01](?:_?[01])*)
      |(?P<whole>{_DIGITS})?(?:\.(?P<part>{_DIGITS}))?)
    [ ]?(?P<unit>.*)""",
    re.VERBOSE | re.DOTALL,
)
_FLOAT = re.compile(r"(-?[0-9]+)(?:\.([0-9]+))?(?:e([+-]?[0-9]+))?")
_REFERENCE = re.compile(
    r"\$(?:(?P<bare>[A-Za-z_][A-Za-z0-9_]*)"
    r"|\{(?:(?P<env>env:[A-Za-z_][A-Za-z0-9_]*)|(?P<braced>[A-Za-z_][A-Za-z0-9_]*))\})"
)


# --- numbers and units ----------------------------------------------------------------------------


class Quantity(NamedTuple):
    """An exact number as it was typed: ``numerator / denominator`` of ``unit``.

    ``unit`` is the text after the digits (``MHz``, ``C``, ``k``) or None; what it means depends on
    the field, so it is only looked at by :meth:`convert`. ``text`` is for messages.
    """

    numerator: int
    denominator: int
    unit: str | None
    text: str

    def convert(self, unit: str | None) -> tuple[int, int]:
        """Return numerator and denominator in ``unit`` (None: the field is a plain number).

        A quantity without a unit is taken as it is. Raises UsageError for a unit of another
        dimension.
        """
        if self.unit is None:
            return self.numerator, self.denominator
        times, power = _scale(self.unit, unit, self.text)
        if power >= 0:
            return self.numerator * times * 10**power, self.denominator
        return self.numerator * times, self.denominator * 10**-power


def quantity(text: str) -> Quantity:
    """Read a number with or without a unit: ``3``, ``0x1f``, ``-850mV``, ``1.2 GHz``, ``40C``.

    Raises UsageError for what does not begin with a number. The unit is not checked yet.
    """
    typed = text.strip()
    if len(typed) > LONGEST_NUMBER:
        raise UsageError(f"found {len(typed)} characters, expected a number")
    match = _NUMBER.fullmatch(typed)
    if match is None or not any(match.group("hex", "binary", "whole", "part")):
        raise UsageError(f"found {typed!r}, expected a number")
    unit = match["unit"]
    if match["hex"] or match["binary"]:
        if unit:
            raise UsageError(
                f"found {unit!r} after the digits of {typed!r}, expected a number",
                hint="a unit follows decimal numbers only",
            )
        value = int(match["hex"], 16) if match["hex"] else int(match["binary"], 2)
        denominator = 1
    else:
        part = (match["part"] or "").replace("_", "")
        value = int((match["whole"] or "") + part)
        denominator = 10 ** len(part)
    if match["sign"] == "-":
        value = -value
    return Quantity(value, denominator, unit or None, typed)


def number(text: str, unit: str | None = None) -> int:
    """Read an integer that a field counts in ``unit``: ``number("24MHz", "Hz")`` is 24000000.

    Raises UsageError when it is no number, of another dimension, or not whole in that unit.
    """
    typed = quantity(text)
    numerator, denominator = typed.convert(unit)
    whole, rest = divmod(numerator, denominator)
    if rest:
        raise UsageError(
            f"found {typed.text!r}, expected a whole number{f' of {unit}' if unit else ''}"
        )
    return whole


def duration(text: str) -> float:
    """Read a time in seconds: ``10ms``, ``5s``, ``2m`` or ``2min``, ``1h``; bare means seconds.

    Raises UsageError when it is no time, negative or longer than a year.
    """
    try:
        numerator, denominator = quantity(text).convert("s")
    except UsageError:
        raise UsageError(f"found {text!r}, expected a time such as 10ms, 5s, 2min or 1h") from None
    if not 0 <= numerator <= LONGEST_DURATION * denominator:
        raise UsageError(f"found {text!r}, expected a time of 0 to a year")
    return numerator / denominator


def _scale(found: str, expected: str | None, text: str) -> tuple[int, int]:
    """Return the factor and the power of ten that lead from the typed unit to the field's.

    Raises UsageError where none does.
    """
    typed = _plain(found)
    if expected is None:
        if typed in PREFIXES:
            return 1, PREFIXES[typed]
        raise UsageError(f"found the unit {found!r} in {text!r}, expected a plain number")
    power, base = _split(expected)
    spellings = [_plain(spelling) for spelling in _ALIASES.get(base, (base,))]
    if typed in spellings or typed == _plain(expected):
        return 1, -power if typed in spellings else 0
    if base == "s" and typed in _LONG_TIMES:
        return _LONG_TIMES[typed], -power
    # km² is not 1000 m²: no prefixes before a power.
    prefixes = {} if base.partition("/")[0].endswith(("²", "³")) else PREFIXES
    known = {
        prefix + spelling: value for prefix, value in prefixes.items() for spelling in spellings
    }
    if expected in _BARE_PREFIX:
        known.update(prefixes)
    if typed in known:
        return 1, known[typed] - power
    near = [unit for unit in (*spellings, *known) if unit.lower() == typed.lower()]
    also = "" if base == expected else f" or {base} with another prefix"
    raise UsageError(
        f"found the unit {found!r} in {text!r}, expected {expected}{also}",
        hint=f"did you mean {' or '.join(near)}?" if near else None,
    )


def _split(unit: str) -> tuple[int, str]:
    """Return the power of ten of a unit's prefix and what it stands before: mW is -3 and W."""
    if unit not in _PREFIXED and unit[1:] in _PREFIXED and unit[:1] in PREFIXES:
        return PREFIXES[unit[0]], unit[1:]
    return 0, unit


def _plain(unit: str) -> str:
    """Return the spelling of a unit that every keyboard has."""
    # Both micro signs: U+00B5 and the Greek letter.
    return unit.replace("µ", "u").replace("μ", "u").replace("²", "2").replace("³", "3")


# --- showing values -------------------------------------------------------------------------------


def format_value(value: int | float, unit: str | None, style: str = "si") -> str:
    """Return a number for a person: ``style`` is ``si``, ``raw`` or ``hex`` (option --units)."""
    if style == "hex" and isinstance(value, int):
        return hex(value)
    return format_si(value, unit) if style == "si" else str(value)


def format_si(value: int | float, unit: str | None) -> str:
    """Return a number with the prefix that makes it short: 24000000 of Hz is ``24 MHz``.

    Nothing is rounded: what needs more than six digits is shown in the field's own unit.
    """
    if not unit:
        return str(value)
    full = f"{value} {unit}"
    power, base = _split(unit)
    match = _FLOAT.fullmatch(str(value))
    if match is None or base not in _PREFIXED:  # not finite, or not a unit that takes a prefix
        return full
    digits = match[1].lstrip("-") + (match[2] or "")
    power += int(match[3] or 0) - len(match[2] or "")
    stripped = digits.rstrip("0")
    power += len(digits) - len(stripped)
    digits = stripped.lstrip("0")
    if not digits:
        return f"0 {base}"
    best = (len(digits) + power - 1) // 3 * 3
    prefix = max(_SMALLEST_SHOWN.get(base, -12), min(_LARGEST_SHOWN.get(base, 12), best))
    point = len(digits) + power - prefix
    if point > 6 or len(digits) - min(point, 0) > 6:
        return full
    whole, part = (digits[:point].ljust(point, "0"), digits[point:]) if point > 0 else ("0", "")
    if point <= 0:
        part = "0" * -point + digits
    sign = "-" if value < 0 else ""
    return f"{sign}{whole}{'.' if part else ''}{part} {_SHOWN_PREFIXES[prefix]}{base}"


# --- ids and members ------------------------------------------------------------------------------


def select(pattern: str, names: Sequence[str | None], *, kind: str = "resource") -> list[int]:
    """Return the ids that ``pattern`` means, ascending; ``names[id]`` is a resource's name or None.

    A pattern is an id (``3``, ``0x3``), ``all``, a name (exactly; else the only one that differs in
    case alone), or a glob (``uart*``). An id beyond the list is passed on: the platform is to
    answer for it. Raises UsageError, with the candidates, for what is unknown or ambiguous.
    """
    if pattern == "all":
        return list(range(len(names)))
    number_typed = _integer(pattern)  # a name may well begin with a digit: 3v3-rail
    if number_typed is not None:
        if not 0 <= number_typed <= LAST_ID:
            raise UsageError(f"found the id {pattern}, expected 0 to {LAST_ID:#x}")
        return [number_typed]
    for fold in (str, str.casefold):
        wanted = fold(pattern)
        found = [i for i, name in enumerate(names) if name is not None and fold(name) == wanted]
        if len(found) > 1:
            ids = ", ".join(f"{i} ({shown(names[i] or '')})" for i in found[:SHOWN])
            raise UsageError(
                f"{kind} {pattern!r} is ambiguous: it is the name of {ids}", hint="use the id"
            )
        if found:
            return found
    if any(sign in pattern for sign in "*?["):
        from fnmatch import fnmatchcase  # only here: not every command needs it

        found = [i for i, name in enumerate(names) if fnmatchcase(name or "", pattern)]
        if found:
            return found
    raise unknown(kind, pattern, [name for name in names if name])


def _integer(text: str) -> int | None:
    """Return the integer that ``text`` is, without any unit; None when it is something else."""
    try:
        typed = quantity(text)
    except UsageError:
        return None
    return typed.numerator if typed.unit is None and typed.denominator == 1 else None


def enum_value(text: str, members: type[E]) -> E | int:
    """Return the member of an enumeration by its name (any case, ``-`` for ``_``) or number.

    A number without a member is passed on as it is. Raises UsageError listing the members.
    """

    def fold(name: str) -> str:
        return name.strip().lower().replace("-", "_").rstrip("_")

    for name, member in members.__members__.items():
        if fold(name) == fold(text):
            return member
    value = _integer(text)
    if value is None:
        known = [name.lower().rstrip("_") for name in members.__members__]
        raise unknown("value", text, known, limit=len(known))
    return next((member for member in members if member == value), value)


def unknown(kind: str, found: str, candidates: Iterable[str], *, limit: int = SHOWN) -> UsageError:
    """Return the error for a name that does not exist: what there is, and what is near."""
    there = list(candidates)
    return UsageError(
        f"unknown {kind} {found!r}, expected {listing(there, limit)}", hint=nearest(found, there)
    )


def listing(names: Sequence[str], limit: int = SHOWN) -> str:
    """Return names for an error: all, or the first and how many more; safe for a terminal."""
    if not names:
        return "none: there are none"
    more = f" and {len(names) - limit} more" if len(names) > limit else ""
    return f"one of: {', '.join(shown(name) for name in names[:limit])}{more}"


def nearest(found: str, candidates: Iterable[str]) -> str | None:
    """Return the hint ``did you mean …?``, or None when nothing is near."""
    from difflib import get_close_matches  # slow to load, and only errors need it

    by_fold = {name.casefold(): name for name in islice(candidates, COMPARED)}
    near = get_close_matches(found.casefold(), by_fold, 3)
    return f"did you mean {' or '.join(shown(by_fold[name]) for name in near)}?" if near else None


def truth(text: str) -> bool:
    """Read ``on`` or ``off``, and the other words for them; raises UsageError."""
    found = TRUTHS.get(text.strip().lower())
    if found is None:
        raise UsageError(f"found {text!r}, expected on or off")
    return found


def shown(text: str) -> str:
    """Return a text that is safe on a terminal: names come from the platform, which may lie."""
    return text if text.isprintable() and text else repr(text)


# --- variables in typed text ----------------------------------------------------------------------


class Part(NamedTuple):
    """A piece of a typed word: its ``text``, whether it was quoted, and what it stands for.

    ``kind`` is ``text``; ``variable`` or ``env`` (then ``text`` is the name); or ``malformed`` for
    a ``${`` that does not become a reference.
    """

    text: str
    quoted: bool = False
    kind: str = "text"

    @property
    def source(self) -> str:
        """The text, or the reference as it could be typed."""
        return {"variable": f"${{{self.text}}}", "env": f"${{env:{self.text}}}"}.get(
            self.kind, self.text
        )


def reference(text: str, at: int, quoted: bool) -> tuple[Part, int]:
    """Read what begins with the ``$`` at ``at``; return it and where it ends.

    A ``$`` that begins no reference is itself.
    """
    match = _REFERENCE.match(text, at)
    if match is None:
        if text.startswith("${", at):
            return Part("${", quoted, "malformed"), at + 2
        return Part("$", quoted), at + 1
    if match["env"]:
        return Part(match["env"].removeprefix("env:"), quoted, "env"), match.end()
    return Part(match["bare"] or match["braced"], quoted, "variable"), match.end()


def double_quoted(text: str, at: int) -> tuple[list[Part], int, bool]:
    r"""Read a double-quoted text whose opening quote is at ``at``.

    Return its parts, where it ends, and whether the closing quote was there. As in POSIX, a
    backslash escapes only ``"``, ``\``, ``$``, a backquote and the end of the line.
    """
    parts = []
    run = ""
    at += 1
    while at < len(text) and text[at] != '"':
        if text[at] == "\\" and text[at + 1 : at + 2] in ("\n", '"', "\\", "$", "`"):
            run += text[at + 1].replace("\n", "")
            at += 2
        elif text[at] == "$":
            part, at = reference(text, at, True)
            if part.kind == "text":
                run += part.text
            else:
                parts += [Part(run, True), part]
                run = ""
        else:
            run += text[at]
            at += 1
    parts.append(Part(run, True))
    return parts, min(at + 1, len(text)), at < len(text)


def expand(parts: Iterable[Part], variables: Mapping[str, str], environ: Mapping[str, str]) -> str:
    """Return the text with every variable replaced.

    Raises UsageError for a variable that is not set, and for a malformed reference.
    """
    text = ""
    for part in parts:
        if part.kind == "malformed":
            raise UsageError("found '${' alone, expected ${NAME} or ${env:NAME}")
        if part.kind == "text":
            text += part.text
            continue
        if part.kind == "env":
            if part.text not in environ:
                raise UsageError(f"the environment variable {part.text} is not set")
            text += environ[part.text]
        elif part.text in variables:
            text += variables[part.text]
        else:
            raise unknown("variable", part.text, sorted(variables))
    return text
