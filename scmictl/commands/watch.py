"""`watch`, `subscribe` and `unsubscribe`, and the `watch` of every group.

Every group's watch has the same options; each record is what `watch` of CLI.md says, and more keys
behind those: id, name, and of a sensor value, unit, raw, timestamp and axes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

from scmictl import protocols
from scmictl.agent import Resource
from scmictl.commands import criteria, event, gauge, poll, reading
from scmictl.commands.command import (
    Arg,
    Arguments,
    Column,
    Command,
    Opt,
    Output,
    Record,
    Rows,
)
from scmictl.commands.context import Context
from scmictl.commands.criteria import OPTIONS, Criteria, units_of
from scmictl.commands.event import Switch
from scmictl.commands.follow import Follower, Wish, resource_of, stream
from scmictl.commands.hold import Holds
from scmictl.commands.plot import Plot
from scmictl.commands.subject import Row, Subjects, ask
from scmictl.errors import ScmictlError, UsageError
from scmictl.protocols import Protocol, clock, sensor
from scmictl.wire import Effect, Request
from scmictl.wire.record import record as fields_of

_TIME = (Column("time", "TIME"), Column("event", "EVENT"))
_TOOL = (*_TIME, Column("name", "NAME"), Column("fields", "FIELDS"))
_SENSOR = (
    *_TIME,
    Column("name", "NAME"),
    Column("value", "VALUE"),
    Column("unit", "UNIT"),
    Column("axes", "AXES"),
)
_CLOCK = (*_TIME, Column("name", "NAME"), Column("fields.rate", "RATE", "Hz"))
_BASE = (*_TIME, Column("agent_id", "AGENT"), Column("fields", "FIELDS"))
_SUBSCRIPTION = (
    Column("event", "EVENT"),
    Column("id", "ID"),
    Column("name", "NAME"),
    Column("subscribed", "SUBSCRIBED"),
)


# --- the watch of a group -------------------------------------------------------------------------


def watch_command(group: str) -> Command:
    """Return the verb `watch` of a group."""
    noun = protocols.by_name(group).resources
    ids = Arg("ids", f"only these {group}s", "ids", of=group, required=False, many=True)
    verb = _GROUPS[group]
    return Command(
        group,
        "watch",
        verb.help,
        verb.run,
        args=(ids,) if noun is not None else (),
        options=(*verb.options, *(OPTIONS if noun else _UNPOLLED)),
        effect=verb.effect,
        validate=criteria.check,
        details=verb.details,
    )


class _Verb(NamedTuple):
    """What a group's watch has of its own."""

    run: Callable[[Context, Arguments], Output]
    help: str
    options: tuple[Opt, ...] = ()
    effect: Effect = Effect.SUBSCRIBE
    details: str = ""


_UNPOLLED = tuple(option for option in OPTIONS if option.name != "--interval")


def _watch_base(ctx: Context, args: Arguments) -> Output:
    switch = event.find("BASE_ERROR_EVENT")
    limits = Criteria(args)
    follower = Follower(ctx, [Wish(switch, ())], limits)
    return stream(follower.records(), args, _BASE)


def _watch_clock(ctx: Context, args: Arguments) -> Output:
    kind = clock.RateChangeRequested if args.requested else clock.RateChanged
    limits = Criteria(args, units=units_of([kind]), differ="values")
    if limits.interval is not None:
        read = _poll(ctx, clock.PROTOCOL, args.ids, clock.RateGet)
        return stream(poll.rounds(ctx, limits, read), args, _CLOCK)
    follower = Follower(ctx, [Wish(event.switch_of(kind), args.ids)], limits)
    return stream(follower.records(), args, _CLOCK)


def _watch_sensor(ctx: Context, args: Arguments) -> Output:
    limits = Criteria(args, differ="values")
    if limits.interval is not None:
        records = _polled_sensors(ctx, args, limits)
    else:
        follower = Follower(ctx, [Wish(event.switch_of(sensor.Update), args.ids)], limits)
        follower.enable = args.enable
        records = follower.records()
    if args.plot:
        records = Plot(args.plot).follow(records)
    return stream(records, args, _SENSOR, live=True)


_GROUPS = {
    "base": _Verb(_watch_base, "stream the errors that the platform reports"),
    "clock": _Verb(
        _watch_clock,
        "stream rate changes of clocks",
        (Opt("--requested", "what agents ask for, not what the rate becomes"),),
    ),
    "sensor": _Verb(
        _watch_sensor,
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
}


# --- polling in the shape of notifications --------------------------------------------------------


def _poll(
    ctx: Context, protocol: Protocol, words: Sequence[str], request: type[Request[Any]]
) -> Callable[[float], list[Record]]:
    """Return a function that reads ``request`` of all resources meant, as records of a watch."""
    chosen = Subjects(ctx, protocol, list(words) or ["all"])
    how = protocol.resources
    assert how is not None

    def read(now: float) -> list[Record]:
        found = ask(ctx, {r.id: request(**{how.id: r.id}) for r in chosen.resources})
        records = []
        for resource in chosen.resources:
            transfer = found[resource.id]
            row = Row(resource)
            row.fail(transfer.error)
            if row.error is not None and not chosen.many:
                if protocol.id == sensor.ID:
                    gauge.with_hint(ctx, [row], many=False)
                raise row.error
            response = transfer.response if transfer.error is None else None
            fields = fields_of(response, transfer.version) if response is not None else {}
            record: Record = {
                "time": now,
                "protocol": protocol.name,
                "event": request.SPEC,
                "agent_id": None,
                "fields": {how.id: resource.id, **fields},
                **row.finish(),
            }
            if isinstance(response, sensor.ReadingGetResponse):
                value: Any = response.sensor_value
                if response.readings is not None:
                    value = response.readings
                record |= reading.reading_record(ctx, resource, value)
            records.append(record)
        return records

    return read


def _polled_sensors(ctx: Context, args: Arguments, limits: Criteria) -> Iterator[Record]:
    with Holds(ctx) as holds:
        read = _poll(ctx, sensor.PROTOCOL, args.ids, sensor.ReadingGet)
        if args.enable:
            chosen = Subjects(ctx, sensor.PROTOCOL, list(args.ids) or ["all"])
            failed = gauge.turn_on(ctx, holds, chosen.resources)
            if failed and not chosen.many:
                raise next(iter(failed.values()))
        yield from poll.rounds(ctx, limits, read)


# --- the tools ------------------------------------------------------------------------------------


def watch(ctx: Context, args: Arguments) -> Output:
    """Stream notifications of any kind, or poll a command."""
    words = list(args.words)
    if args.interval is not None:
        command, arguments = poll.bind(words)
        limits = Criteria(args)
        read = poll.command_records(ctx, command, arguments)
        return stream(poll.rounds(ctx, limits, read), args, ())
    wishes = _wishes(words)
    kinds = [wish.switch.event for wish in wishes]
    differ = "keys" if len(kinds) > 1 else "values"
    limits = Criteria(args, units=units_of(kinds), differ=differ)
    follower = Follower(ctx, wishes, limits, lenient=not words)
    return stream(follower.records(), args, _TOOL)


def check_watch(args: Arguments) -> None:
    """Raise UsageError for events and commands that do not exist, and criteria that cannot be."""
    Criteria(args)
    if args.interval is None:
        _wishes(args.words)
    elif not args.words:
        raise UsageError("--interval polls a command, as in: watch --interval 1s sensor read 0")
    elif event.is_event(args.words[0]):
        raise UsageError(
            f"{args.words[0]} comes by itself, and cannot be polled", hint="omit --interval"
        )
    else:
        poll.bind(args.words)


def _wishes(words: Sequence[str]) -> list[Wish]:
    """Split ``EVENT [ID...] [EVENT [ID...]]...``; no words mean every event there is."""
    if not words:
        return [Wish(switch, ()) for switch in event.switches()]
    groups: list[tuple[Switch, list[str]]] = [(event.find(words[0]), [])]
    for word in words[1:]:
        if event.is_event(word):
            groups.append((event.find(word), []))
        else:
            groups[-1][1].append(word)
    return [Wish(switch, ids) for switch, ids in groups]


def subscribe(ctx: Context, args: Arguments) -> Output:
    """Switch a notification on until it is undone or the connection ends."""
    switch = event.find(args.event)
    found = event.sources(ctx, switch, args.ids)
    new = [s for s in found if (switch.event.SPEC, s.number) not in ctx.subscriptions]
    holds = Holds(ctx)
    pairs = [switch.pair(source.number) for source in new]
    errors = holds.add(pairs)
    by_request = {id(held.on): held for held in holds.held}
    failed: dict[int | None, ScmictlError] = {}
    for source, pair, error in zip(new, pairs, errors, strict=True):
        if error is None:
            ctx.subscriptions[switch.event.SPEC, source.number] = by_request[id(pair.on)]
        elif source.named:
            raise error
        else:
            failed[source.number] = error
    return Rows(
        [_subscription(switch, s.resource, True, failed.get(s.number)) for s in found],
        _SUBSCRIPTION,
    )


def unsubscribe(ctx: Context, args: Arguments) -> Output:
    """Switch notifications off again: one event's (of some resources), or all."""
    wanted = list(ctx.subscriptions)
    if args.event is not None:
        switch = event.find(args.event)
        wanted = [key for key in wanted if key[0] == switch.event.SPEC]
        if args.ids:
            chosen = Subjects(ctx, switch.protocol, list(args.ids))
            # One that was switched on by other means can be switched off all the same.
            wanted = [(switch.event.SPEC, resource.id) for resource in chosen.resources]
    holds = Holds(ctx)
    rows = []
    for spec, number in wanted:
        held = ctx.subscriptions.pop((spec, number), None)
        switch = event.find(spec)
        if held is not None:
            holds.held.append(held)
        else:
            ctx.call(switch.pair(number).off)
        resource = None if number is None else resource_of(ctx, switch.protocol, number)
        rows.append(_subscription(switch, resource, False))
    holds.release()
    return Rows(rows, _SUBSCRIPTION)


def _subscription(
    switch: Switch, resource: Resource | None, on: bool, error: ScmictlError | None = None
) -> Record:
    record: Record = {
        "event": switch.event.SPEC,
        "id": resource.id if resource else None,
        "name": resource.name if resource else None,
        "subscribed": on and error is None,
    }
    return record if error is None else {**record, "error": error.name}


def check_subscribe(args: Arguments) -> None:
    """Raise UsageError for an event that does not exist, and for ids of one that has none."""
    if args.event is not None:
        switch = event.find(args.event)
        if args.ids and switch.id is None:
            raise UsageError(f"{switch.event.SPEC} is about the platform: it takes no ids")


_EVENT = Arg("event", "CLOCK_RATE_CHANGED, SENSOR_UPDATE, ...", "event")
_IDS = Arg("ids", "only of these (default: all that send it)", required=False, many=True)

COMMANDS = (
    Command(
        "",
        "watch",
        "stream notifications, or poll a command",
        watch,
        args=(
            Arg("words", "EVENT [ID...] ..., or with --interval a command", "event",
                required=False, many=True),
        ),
        options=OPTIONS,
        effect=Effect.SUBSCRIBE,
        validate=check_watch,
        details=(
            "Without words all notifications that the platform offers. With --interval a command "
            "that reads: watch --interval 1s clock get uart0 (its options behind --)."
        ),
    ),
    Command(
        "",
        "subscribe",
        "switch a notification on until undone or the connection ends",
        subscribe,
        args=(_EVENT, _IDS),
        effect=Effect.SUBSCRIBE,
        lasting=True,
        validate=check_subscribe,
    ),
    Command(
        "",
        "unsubscribe",
        "switch a notification off again, or all of them",
        unsubscribe,
        args=(_EVENT._replace(required=False), _IDS._replace(help="only of these")),
        effect=Effect.SUBSCRIBE,
        lasting=True,
        validate=check_subscribe,
    ),
)  # fmt: skip
