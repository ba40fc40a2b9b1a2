"""A power capping domain changed by hand: which keys there are, and what their values mean."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from scmictl import values
from scmictl.errors import UsageError
from scmictl.platform.budget import START, SYMBOLS, U32, Domain, Interval, Limit


class Change(NamedTuple):
    """A change that is possible; ``apply`` makes it and returns whether anything is new then.

    ``limit`` is the number of the limit that it is about, None for the domain as a whole.
    """

    apply: Callable[[], bool]
    limit: int | None = None


def state(one: Domain) -> dict[str, Any]:
    """Return what the domain is like, but for what it draws."""
    return {
        "cap": one.limits[0].cap if one.limits else None,
        "need": one.wave.base,
        "unit": SYMBOLS[one.unit] or "",
        "pai_us": one.pai.us,
        "limits": [
            {"name": limit.name, "cap": limit.cap, "cai_us": limit.cai.us} for limit in one.limits
        ],
    }


def read(one: Domain, key: str, text: str) -> Change:
    """Return the change that ``key=text`` asks for; raises UsageError.

    Keys: ``power`` (what the domain needs), ``pai``, ``cap`` and ``cai``; of a further limit
    ``NAME.cap`` and ``NAME.cai``.
    """
    if key == "power":
        need = _power(one, text)
        return Change(lambda: _need(one, need))
    if key == "pai":
        pai = _interval(one.pai, text)
        return Change(lambda: one.pai.set(pai, START))
    keys = {
        f"{limit.name}.{kind}" if number else kind: number
        for number, limit in enumerate(one.limits)
        for kind in ("cap", "cai")
    }
    if key not in keys:
        raise values.unknown("key", key, ("power", "pai", *keys))
    limit = one.limits[keys[key]]
    if key.endswith("cap"):
        cap = _cap(one, limit, text)
        return Change(lambda: limit.impose(cap), keys[key])
    cai = _interval(limit.cai, text)
    return Change(lambda: limit.cai.set(cai, START), keys[key])


def _need(one: Domain, power: int) -> bool:
    before, one.wave.base = one.wave.base, power
    return before != power


def _power(one: Domain, text: str) -> int:
    found = values.number(text, SYMBOLS[one.unit])
    if not 0 <= found <= U32:
        raise UsageError(f"found the power {text!r}, expected 0 to {U32}")
    return found


def _cap(one: Domain, limit: Limit, text: str) -> int:
    cap = 0 if text == "off" else _power(one, text)
    if not limit.caps.has(cap) and (cap or not limit.caps.configurable):
        off = "off, or " if limit.caps.configurable else ""
        raise UsageError(f"found the cap {text!r}, expected {off}{limit.caps}")
    return cap


def _interval(interval: Interval, text: str) -> int:
    numerator, denominator = values.quantity(text).convert("s")
    us, rest = divmod(numerator * 1_000_000, denominator)
    if rest or not interval.range.has(us):
        raise UsageError(f"found the interval {text!r}, expected {interval.range} us")
    return us
