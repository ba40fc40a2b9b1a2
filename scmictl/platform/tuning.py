"""Clocks as a hand finds and changes them: what one is like, and what can be set of it.

A hand is the hardware's own: it needs no permission, but it cannot do what the tree cannot be, such
as a clock that is faster than the parent it divides, or one that is off while its children run.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from scmictl import values
from scmictl.errors import UsageError
from scmictl.platform import tree
from scmictl.platform.steps import Round
from scmictl.platform.tree import START, Clock

HAND = 0
"""Whom a value belongs to that was set by hand: no agent, so that no reset puts it back."""
KEYS = ("rate", "enabled", "parent", "duty_cycle")


def state(one: Clock, agents: Mapping[int, str]) -> dict[str, Any]:
    """Return what a clock is like; ``agents`` are the names by number.

    ``enabled_by`` is who keeps it on: agents, ``platform`` for its start or a hand, and children.
    """
    holders = [name for id, name in {START: "platform", **agents}.items() if one.votes >> id & 1]
    found: dict[str, Any] = {
        "rate_hz": one.rate,
        "enabled": one.enabled,
        "parent": one.parent.name if one.parent is not None else None,
        "enabled_by": holders + [f"clock:{name}" for name in _running(one)],
    }
    if one.duty_cycle is not None:
        found["duty_cycle_percent"] = one.duty_cycle
    return found


def adjust(one: Clock, key: str, text: str) -> list[Clock]:
    """Set one thing of a clock; return the clocks whose rate has changed with that.

    Raises UsageError for what cannot be; then nothing has changed.
    """
    if key == "rate":
        return _set_rate(one, text)
    if key == "enabled":
        _gate(one, values.truth(text))
    elif key == "parent":
        _set_parent(one, text)
    elif key == "duty_cycle" and one.duty_cycle is not None:
        percent = values.number(text.removesuffix("%"))
        if not 0 <= percent <= 100:
            raise UsageError(f"found the duty cycle {text!r}, expected 0% to 100%")
        tree.set_duty_cycle(one, percent, HAND)
    else:
        has = KEYS if one.duty_cycle is not None else KEYS[:-1]
        raise values.unknown("key", key, has)
    return []


def _set_rate(one: Clock, text: str) -> list[Clock]:
    rate = values.number(text, "Hz")
    if one.steps.round(rate, Round.DOWN) != rate:
        raise UsageError(f"found the rate {text!r}, expected {_rates(one)}")
    source, needed = one.source, tree.scaled(one, rate)
    if source.divides and source.parent is not None and needed > source.parent.rate:
        raise UsageError(
            f"found the rate {text!r}, expected at most the {source.parent.rate} Hz of its parent "
            f"{source.parent.name}"
        )
    if tree.forbidden(source, needed):
        raise UsageError(f"found the rate {text!r}, expected one that leaves its children theirs")
    return tree.set_rate(source, needed, HAND)


def _rates(one: Clock) -> str:
    items = one.steps.items
    if one.steps.triplet:
        lowest, highest, step = items
        return f"{lowest} to {highest} Hz in steps of {step} Hz"
    return values.listing([f"{rate} Hz" for rate in items])


def _gate(one: Clock, enable: bool) -> None:
    if enable:
        tree.vote(one, START, True)
        return
    running = _running(one)
    if running:
        raise UsageError(f"{one.name} cannot be off while its child {running[0]} is on")
    tree.release(one)


def _running(one: Clock) -> list[str]:
    return [child.name for child in one.children.values() if child.enabled]


def _set_parent(one: Clock, text: str) -> None:
    if not one.divides:
        raise UsageError(f"the parent of {one.name} is fixed, expected a clock that can choose")
    names = [parent.name for parent in one.parents]
    try:
        number = values.number(text)
    except UsageError:
        number = -1
    chosen = next((p for p in one.parents if p.name == text or p.id == number), None)
    if chosen is None:
        raise values.unknown("parent", text, names)
    if one.rate > chosen.rate:
        raise UsageError(
            f"found the parent {text!r}, expected one with at least the {one.rate} Hz of {one.name}"
        )
    tree.set_parent(one, chosen, HAND)
