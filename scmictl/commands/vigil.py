"""What each watch streams: notifications, or what is read again and again.

Every record is what `watch` of CLI.md says, with more keys behind those: id and name of what it is
about, and what the group's :class:`~scmictl.commands.watch.Feed` makes of the message.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial

from scmictl import protocols
from scmictl.commands import event, poll
from scmictl.commands.command import TIME_OF_DAY, Arguments, Column, Output, Record
from scmictl.commands.context import Context
from scmictl.commands.criteria import Criteria, units_of
from scmictl.commands.event import Switch
from scmictl.commands.follow import Follower, Wish, stream
from scmictl.commands.hold import Holds
from scmictl.commands.subject import Row, Subjects, ask
from scmictl.commands.watch import Feed, feed_of
from scmictl.errors import UsageError
from scmictl.wire.record import record as fields_of

_TIME = (Column("time", "TIME", TIME_OF_DAY), Column("event", "EVENT"))
_TOOL = (*_TIME, Column("name", "NAME"), Column("fields", "FIELDS"))


def follow_feed(ctx: Context, args: Arguments, feed: Feed) -> Output:
    """Stream a feed of a group, as it comes or (--interval) as it is read."""
    limits = Criteria(args, units=units_of([feed.event]), differ="values")
    given = args.given()
    words = list(given.get("ids", ()))
    if limits.interval is not None:
        records = _polled(ctx, args, feed, words, limits)
    else:
        wish = Wish(event.switch_of(feed.event), words, feed)
        records = Follower(ctx, args, [wish], limits).records()
    if "plot" in given:
        from scmictl.commands.plot import Plot

        records = Plot(args.plot).follow(records)
    return stream(records, args, (*_TIME, *feed.columns), live=feed.live)


def watch(ctx: Context, args: Arguments) -> Output:
    """Stream notifications of any kind, or poll a command."""
    words = list(args.words)
    if args.interval is not None:
        command, arguments = poll.bind(words)
        limits = Criteria(args)
        read = poll.command_records(ctx, command, arguments)
        return stream(poll.rounds(ctx, limits, read), args, ())
    groups = _groups(words) or [(switch, []) for switch in event.switches_of(ctx)]
    wishes = [Wish(switch, ids, feed_of(switch.event)) for switch, ids in groups]
    kinds = [switch.event for switch, _ in groups]
    differ = "keys" if len(kinds) > 1 else "values"
    limits = Criteria(args, units=units_of(kinds), differ=differ)
    follower = Follower(ctx, args, wishes, limits, lenient=not words)
    return stream(follower.records(), args, _TOOL)


def check_watch(args: Arguments) -> None:
    """Raise UsageError for events and commands that do not exist, and criteria that cannot be."""
    Criteria(args)
    if args.interval is None:
        _groups(args.words)
    elif not args.words:
        raise UsageError("--interval polls a command, as in: watch --interval 1s sensor read 0")
    elif event.is_event(args.words[0]):
        raise UsageError(
            f"{args.words[0]} comes by itself, and cannot be polled", hint="omit --interval"
        )
    else:
        poll.bind(args.words)


def _groups(words: Sequence[str]) -> list[tuple[Switch, list[str]]]:
    """Split ``EVENT [ID...] [EVENT [ID...]]...``."""
    if not words:
        return []
    if poll.is_command(words[0]) and not event.is_event(words[0]):
        raise UsageError(
            f"{words[0]} begins a command, expected an event",
            hint=f"--interval 1s polls it: watch --interval 1s {' '.join(words)}",
        )
    groups: list[tuple[Switch, list[str]]] = [(event.find(words[0]), [])]
    for word in words[1:]:
        if event.is_event(word):
            groups.append((event.find(word), []))
        else:
            groups[-1][1].append(word)
    return groups


# --- polling in the shape of notifications --------------------------------------------------------


def _polled(
    ctx: Context, args: Arguments, feed: Feed, words: list[str], limits: Criteria
) -> Iterator[Record]:
    protocol = protocols.of(feed.event)
    assert protocol is not None
    chosen = Subjects(ctx, protocol, words or ["all"])
    with Holds(ctx) as holds:
        failed = feed.enable(ctx, args, holds, chosen.resources)
        if failed and not chosen.many:
            raise next(iter(failed.values()))
        yield from poll.rounds(ctx, limits, partial(_read, ctx, feed, chosen))


def _read(ctx: Context, feed: Feed, chosen: Subjects, now: float) -> list[Record]:
    """Read everything once; raises the error of a single resource."""
    request, how = feed.read, chosen.how
    assert request is not None and how is not None
    found = ask(ctx, {r.id: request(**{how.id: r.id}) for r in chosen.resources})
    protocol = protocols.of(request)
    records = []
    for resource in chosen.resources:
        transfer = found[resource.id]
        row = Row(resource)
        row.fail(transfer.error)
        if row.error is not None and not chosen.many:
            feed.hint(ctx, row)
            raise row.error
        response = transfer.response if transfer.error is None else None
        fields = fields_of(response, transfer.version) if response is not None else {}
        record: Record = {
            "time": now,
            "protocol": protocol.name if protocol is not None else None,
            "event": request.SPEC,
            "agent_id": None,
            "fields": {how.id: resource.id, **fields},
            **row.finish(),
        }
        if response is not None:
            record |= feed.meaning(ctx, resource, response)
        records.append(record)
    return records
