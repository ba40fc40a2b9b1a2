"""What each watch streams: notifications, or what is read again and again.

Every record is what `watch` of CLI.md says, with more keys behind those: id, name, of a power
domain state and raw_state, of a performance domain its level or limits, as levels, and of a sensor
value, unit, raw, timestamp and axes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from scmictl.commands import allowance, event, gauge, poll, reading, scale
from scmictl.commands.command import Arguments, Column, Output, Record
from scmictl.commands.context import Context
from scmictl.commands.criteria import Criteria, units_of
from scmictl.commands.event import Switch
from scmictl.commands.follow import Follower, Wish, stream
from scmictl.commands.hold import Holds
from scmictl.commands.plot import Plot
from scmictl.commands.power import state_record
from scmictl.commands.subject import Row, Subjects, ask
from scmictl.errors import UsageError
from scmictl.protocols import Protocol, clock, perf, power, powercap, reset, sensor, system
from scmictl.wire import Request
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
_POWER = (
    *_TIME,
    Column("name", "NAME"),
    Column("state", "STATE"),
    Column("agent_id", "AGENT"),
)
_SYSTEM = (
    *_TIME,
    Column("fields.system_state", "STATE"),
    Column("fields.flags.graceful", "GRACEFUL"),
    Column("fields.timeout", "TIME LEFT", "ms"),
    Column("agent_id", "AGENT"),
)
_LEVEL = (
    *_TIME,
    Column("name", "NAME"),
    Column("level", "LEVEL"),
    Column("frequency_khz", "FREQUENCY", "kHz"),
)
_LIMITS = (*_TIME, Column("name", "NAME"), Column("min", "MIN"), Column("max", "MAX"))
_CAP = (*_TIME, Column("name", "NAME"), Column("cap", "CAP"), Column("unit", "UNIT"))
_MEASURED = (*_TIME, Column("name", "NAME"), Column("power", "POWER"), Column("unit", "UNIT"))
_RESET = (*_TIME, Column("name", "NAME"), Column("agent_id", "AGENT"))
_BASE = (*_TIME, Column("agent_id", "AGENT"), Column("fields", "FIELDS"))


def base_watch(ctx: Context, args: Arguments) -> Output:
    """Stream the errors that the platform reports."""
    switch = event.find("BASE_ERROR_EVENT")
    limits = Criteria(args)
    follower = Follower(ctx, [Wish(switch, ())], limits)
    return stream(follower.records(), args, _BASE)


def power_watch(ctx: Context, args: Arguments) -> Output:
    """Stream state changes, what was requested, or states as they are read."""
    kind = power.StateChangeRequested if args.requested else power.StateChanged
    limits = Criteria(args, units=units_of([kind]), differ="values")
    if limits.interval is not None:
        read = _poll(ctx, power.PROTOCOL, args.ids, power.StateGet)
        return stream(poll.rounds(ctx, limits, read), args, _POWER)
    follower = Follower(ctx, [Wish(event.switch_of(kind), args.ids)], limits)
    return stream(follower.records(), args, _POWER)


def system_watch(ctx: Context, args: Arguments) -> Output:
    """Stream the transitions of the system."""
    limits = Criteria(args, units=units_of([system.PowerStateNotifier]), differ="values")
    wish = Wish(event.switch_of(system.PowerStateNotifier), ())
    follower = Follower(ctx, [wish], limits)
    return stream(follower.records(), args, _SYSTEM)


def perf_watch(ctx: Context, args: Arguments) -> Output:
    """Stream changes of levels or limits, or these as they are read."""
    kind = perf.LimitsChanged if args.limits else perf.LevelChanged
    columns = _LIMITS if args.limits else _LEVEL
    limits = Criteria(args, differ="values")
    if limits.interval is not None:
        request = perf.LimitsGet if args.limits else perf.LevelGet
        read = _poll(ctx, perf.PROTOCOL, args.ids, request)
        return stream(poll.rounds(ctx, limits, read), args, columns)
    follower = Follower(ctx, [Wish(event.switch_of(kind), args.ids)], limits)
    return stream(follower.records(), args, columns)


def clock_watch(ctx: Context, args: Arguments) -> Output:
    """Stream rate changes, what was requested, or rates as they are read."""
    kind = clock.RateChangeRequested if args.requested else clock.RateChanged
    limits = Criteria(args, units=units_of([kind]), differ="values")
    if limits.interval is not None:
        read = _poll(ctx, clock.PROTOCOL, args.ids, clock.RateGet)
        return stream(poll.rounds(ctx, limits, read), args, _CLOCK)
    follower = Follower(ctx, [Wish(event.switch_of(kind), args.ids)], limits)
    return stream(follower.records(), args, _CLOCK)


def sensor_watch(ctx: Context, args: Arguments) -> Output:
    """Stream new values, as they are sent or as they are read."""
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


def powercap_watch(ctx: Context, args: Arguments) -> Output:
    """Stream changes of caps, power that leaves thresholds, or either as it is read."""
    limits = Criteria(args, differ="values")
    measured = args.power or args.below or args.above
    columns = _MEASURED if measured else _CAP
    if limits.interval is not None:
        request = powercap.MeasurementsGet if measured else powercap.CapGet
        read = _poll(ctx, powercap.PROTOCOL, args.ids, request)
        return stream(poll.rounds(ctx, limits, read), args, columns)
    kind = powercap.MeasurementsChanged if measured else powercap.CapChanged
    follower = Follower(ctx, [Wish(event.switch_of(kind), args.ids)], limits)
    if measured:
        follower.fields = lambda resource: allowance.thresholds(resource, args.below, args.above)
    return stream(follower.records(), args, columns)


def check_powercap(args: Arguments) -> None:
    """Raise UsageError for criteria and thresholds that cannot be."""
    Criteria(args)
    for text in (args.below, args.above):
        if text is not None:
            allowance.check_power(text)
    given = args.below or args.above
    if args.interval is not None and given:
        raise UsageError("--interval reads the power itself", hint="use --power --until EXPR")
    if args.power and args.interval is None and not given:
        raise UsageError("--power needs --interval; without it --below or --above says when")


def reset_watch(ctx: Context, args: Arguments) -> Output:
    """Stream resets of domains, whoever causes them."""
    limits = Criteria(args, differ="values")
    follower = Follower(ctx, [Wish(event.switch_of(reset.Issued), args.ids)], limits)
    return stream(follower.records(), args, _RESET)


def watch(ctx: Context, args: Arguments) -> Output:
    """Stream notifications of any kind, or poll a command."""
    words = list(args.words)
    if args.interval is not None:
        command, arguments = poll.bind(words)
        limits = Criteria(args)
        read = poll.command_records(ctx, command, arguments)
        return stream(poll.rounds(ctx, limits, read), args, ())
    wishes = _wishes(words) or [Wish(switch, ()) for switch in event.switches_of(ctx)]
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
    """Split ``EVENT [ID...] [EVENT [ID...]]...``."""
    if not words:
        return []
    groups: list[tuple[Switch, list[str]]] = [(event.find(words[0]), [])]
    for word in words[1:]:
        if event.is_event(word):
            groups.append((event.find(word), []))
        else:
            groups[-1][1].append(word)
    return [Wish(switch, ids) for switch, ids in groups]


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
            if isinstance(response, power.StateGetResponse):
                record |= state_record(response.power_state)
            if isinstance(response, sensor.ReadingGetResponse):
                value: Any = response.sensor_value
                if response.readings is not None:
                    value = response.readings
                record |= reading.reading_record(ctx, resource, value)
            elif protocol.id == perf.ID:
                record |= scale.meaning(ctx, resource, response)
            elif protocol.id == powercap.ID:
                record |= allowance.reading_record(resource, response)
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
