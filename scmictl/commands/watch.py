"""The `watch` of every group; and `watch`, `subscribe`, `unsubscribe`: how they are typed.

A group says what its watch streams as :class:`Feed`; the tool `watch` and the shell show what comes
in the same words. What they all do is in `vigil` and `subscription`, which are imported when one of
them runs: the other verbs of a group start faster without them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from typing import TYPE_CHECKING, Any, NamedTuple

from scmictl import protocols
from scmictl.commands import verbs
from scmictl.commands.command import Arg, Arguments, Column, Command, Opt, Output, Record
from scmictl.commands.context import Context
from scmictl.commands.criteria import OPTIONS, check
from scmictl.errors import UsageError
from scmictl.wire import Effect, Notification, Request

if TYPE_CHECKING:
    from scmictl.agent import Resource
    from scmictl.commands.hold import Holds
    from scmictl.commands.subject import Row
    from scmictl.errors import ScmictlError


class Feed(NamedTuple):
    """Something to watch: a notification, and how it reads to people.

    The feed that a watch streams is the one of whose ``options`` any is given, else the group's
    first. ``columns`` are those behind time and event.
    """

    event: type[Notification]
    columns: tuple[Column, ...] = ()
    read: type[Request[Any]] | None = None
    """What --interval reads of each thing instead; None: nothing reads the same."""
    options: tuple[Opt, ...] = ()
    meaning: Callable[[Context, Resource, Any], Record] = lambda ctx, resource, message: {}
    """Returns more keys for the record of a notification, or of a response to ``read``."""
    fields: Callable[[Arguments, Resource], Mapping[str, int]] = lambda args, resource: {}
    """Returns more fields for the request that switches the notification on."""
    enable: Callable[[Context, Arguments, Holds, list[Resource]], Mapping[int, ScmictlError]] = (
        lambda ctx, args, holds, resources: {}
    )
    """Turns on what has to be on first, or tells of it; returns by id why what could not be."""
    hint: Callable[[Context, Row], None] = lambda ctx, row: None
    """Says more in the error of a row that could not be read."""
    line: Callable[[Resource, Any], Mapping[str, str]] = lambda resource, message: {}
    """Returns by key what one line says instead of a field as it is; it must not ask anything."""
    live: bool = False
    """The records are readings (`Stream.live`), which can be plotted too."""


PLOT = Opt("--plot", "also append time,value,name lines to this file", "file", "FILE")
_UNPOLLED = tuple(option for option in OPTIONS if option.name != "--interval")


def watch_command(
    group: str,
    help: str,
    *feeds: Feed,
    effect: Effect = Effect.SUBSCRIBE,
    details: str = "",
    validate: Callable[[Arguments], None] = lambda args: None,
) -> Command:
    """Return the verb `watch` of a group, which is the name of a protocol."""
    noun = protocols.by_name(group).resources
    only = f"only these {noun.noun}s" if noun is not None else ""
    ids = Arg("ids", only, "ids", of=group, required=False, many=True)
    options = [option for feed in feeds for option in feed.options]
    if any(feed.live for feed in feeds):
        options.append(PLOT)
    polls = noun is not None and any(feed.read is not None for feed in feeds)

    def run(ctx: Context, args: Arguments) -> Output:
        from scmictl.commands import vigil  # which only a watch needs

        return vigil.follow_feed(ctx, args, chosen(feeds, args))

    def checked(args: Arguments) -> None:
        check(args)
        validate(args)
        if args.given().get("interval") and chosen(feeds, args).read is None:
            raise UsageError("this comes by itself, and cannot be polled", hint="omit --interval")

    return Command(
        group,
        "watch",
        help,
        run,
        args=(ids,) if noun is not None else (),
        options=(*options, *(OPTIONS if polls else _UNPOLLED)),
        effect=effect,
        validate=checked,
        details=details,
        feeds=feeds,
    )


def chosen(feeds: Sequence[Feed], args: Arguments) -> Feed:
    """Return the feed that the options ask for."""
    given = args.given()
    asked = (feed for feed in feeds if any(option.key in given for option in feed.options))
    return next(asked, feeds[0])


def feed_of(event: type[Notification]) -> Feed:
    """Return the feed that the group of a notification's protocol has for it, or a plain one."""
    protocol = protocols.of(event)
    watch = verbs(protocol).get("watch") if protocol is not None else None
    feeds = watch.feeds if watch is not None else ()
    return next((feed for feed in feeds if feed.event is event), Feed(event))


def _later(module: str, name: str) -> Callable[..., Any]:
    """Return a function that imports what it runs when it runs."""

    def run(*args: Any) -> Any:
        return getattr(import_module(f"scmictl.commands.{module}"), name)(*args)

    return run


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
