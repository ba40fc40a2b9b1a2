"""`watch`, `subscribe` and `unsubscribe`, and the `watch` of every group: how they are typed.

What they do is in `vigil` and `subscription`, which are imported when one of them runs: the other
verbs of a group start faster without them.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import Any, NamedTuple

from scmictl import protocols
from scmictl.commands.command import Arg, Arguments, Command, Opt, Output
from scmictl.commands.context import Context
from scmictl.commands.criteria import OPTIONS, check
from scmictl.wire import Effect


def watch_command(group: str) -> Command:
    """Return the verb `watch` of a group."""
    noun = protocols.by_name(group).resources
    only = f"only these {noun.noun}s" if noun is not None else ""
    ids = Arg("ids", only, "ids", of=group, required=False, many=True)
    verb = _GROUPS[group]
    return Command(
        group,
        "watch",
        verb.help,
        verb.run,
        args=(ids,) if noun is not None else (),
        options=(*verb.options, *(OPTIONS if noun and verb.polls else _UNPOLLED)),
        effect=verb.effect,
        validate=verb.validate,
        details=verb.details,
    )


def _later(module: str, name: str) -> Callable[..., Any]:
    """Return a function that imports what it runs when it runs."""

    def run(*args: Any) -> Any:
        return getattr(import_module(f"scmictl.commands.{module}"), name)(*args)

    return run


class _Verb(NamedTuple):
    """What a group's watch has of its own; ``polls`` says whether there is anything to read."""

    run: Callable[[Context, Arguments], Output]
    help: str
    options: tuple[Opt, ...] = ()
    effect: Effect = Effect.SUBSCRIBE
    details: str = ""
    polls: bool = True
    validate: Callable[[Arguments], None] = check


_UNPOLLED = tuple(option for option in OPTIONS if option.name != "--interval")


_GROUPS = {
    "base": _Verb(_later("vigil", "base_watch"), "stream the errors that the platform reports"),
    "power": _Verb(
        _later("vigil", "power_watch"),
        "stream state changes of power domains",
        (Opt("--requested", "what other agents ask for, not what the state becomes"),),
    ),
    "system": _Verb(
        _later("vigil", "system_watch"),
        "stream what other agents and the platform do to the system",
    ),
    "perf": _Verb(
        _later("vigil", "perf_watch"),
        "stream level changes of performance domains",
        (Opt("--limits", "changes of their limits instead"),),
    ),
    "clock": _Verb(
        _later("vigil", "clock_watch"),
        "stream rate changes of clocks",
        (Opt("--requested", "what agents ask for, not what the rate becomes"),),
    ),
    "sensor": _Verb(
        _later("vigil", "sensor_watch"),
        "stream new values of sensors",
        (
            Opt("--enable", "turn disabled sensors on for the time of the watch"),
            Opt("--plot", "also append time,value,name lines to this file", "file", "FILE"),
        ),
        effect=Effect.WRITE,
        details=(
            "On a terminal a live table with minimum, maximum and rate. `watch "
            "SENSOR_TRIP_POINT_EVENT` streams the crossings of trip points."
        ),
    ),
    "reset": _Verb(_later("vigil", "reset_watch"), "stream resets of domains", polls=False),
    "powercap": _Verb(
        _later("vigil", "powercap_watch"),
        "stream changes of power caps, or of power beyond thresholds",
        (
            Opt("--below", "power that falls below this, not the caps", "text", "POWER"),
            Opt("--above", "power that rises above this, not the caps", "text", "POWER"),
            Opt("--power", "with --interval: read the power, not the caps"),
        ),
        details="A power is a number in the domain's unit, or has a unit, such as 5W.",
        validate=_later("vigil", "check_powercap"),
    ),
}

_EVENT = Arg("event", "CLOCK_RATE_CHANGED, SENSOR_UPDATE, ...", "event")
_IDS = Arg("ids", "only of these (default: all that send it)", required=False, many=True)

COMMANDS = (
    Command(
        "",
        "watch",
        "stream notifications, or poll a command",
        _later("vigil", "watch"),
        args=(
            Arg("words", "EVENT [ID...] ..., or with --interval a command", "event",
                required=False, many=True),
        ),
        options=OPTIONS,
        effect=Effect.SUBSCRIBE,
        validate=_later("vigil", "check_watch"),
        details=(
            "Without words all notifications that the platform offers. With --interval a command "
            "that reads: watch --interval 1s clock get uart0 (its options behind --)."
        ),
    ),
    Command(
        "",
        "subscribe",
        "switch a notification on until undone or the connection ends",
        _later("subscription", "subscribe"),
        args=(_EVENT, _IDS),
        effect=Effect.SUBSCRIBE,
        lasting=True,
        validate=_later("subscription", "check"),
    ),
    Command(
        "",
        "unsubscribe",
        "switch a notification off again, or all of them",
        _later("subscription", "unsubscribe"),
        args=(_EVENT._replace(required=False), _IDS._replace(help="only of these")),
        effect=Effect.SUBSCRIBE,
        lasting=True,
        validate=_later("subscription", "check"),
    ),
)  # fmt: skip
