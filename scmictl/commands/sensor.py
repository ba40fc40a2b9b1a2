"""`sensor`: readings, axes, intervals, configuration and trip points of sensors."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from scmictl import values
from scmictl.agent import Resource, Transfer
from scmictl.commands import gauge, reading, trip
from scmictl.commands.command import (
    Arg,
    Arguments,
    Column,
    Command,
    Opt,
    Output,
    Record,
    Rows,
    Run,
    Stream,
)
from scmictl.commands.context import Context
from scmictl.commands.hold import Holds
from scmictl.commands.info import info_command
from scmictl.commands.subject import Row, Subjects, Wanted, acceptance, accepted, finished, glimpse
from scmictl.commands.watch import Feed, watch_command
from scmictl.errors import NotOffered, Partial, ScmictlError, UsageError
from scmictl.protocols import sensor
from scmictl.wire import Effect

_NAMED = (Column("id", "ID"), Column("name", "NAME"))
_LIST = (
    *_NAMED,
    Column("type", "TYPE"),
    Column("unit", "UNIT"),
    Column("scale", "SCALE", wide=True),
    Column("axes", "AXES"),
    Column("enabled", "ENABLED"),
)
_READ = (
    *_NAMED,
    Column("value", "VALUE"),
    Column("unit", "UNIT"),
    Column("raw", "RAW", wide=True),
    Column("timestamp", "TIMESTAMP", "s", wide=True),
    Column("axes", "AXES"),
)
_WATCH = (_NAMED[1], Column("value", "VALUE"), Column("unit", "UNIT"), Column("axes", "AXES"))
_AXES = (
    *_NAMED,
    Column("type", "TYPE", wide=True),
    Column("unit", "UNIT"),
    Column("scale", "SCALE", wide=True),
    Column("resolution", "RESOLUTION"),
    Column("min", "MIN"),
    Column("max", "MAX"),
)
_INTERVALS = (
    *_NAMED,
    Column("format", "FORMAT"),
    Column("lowest_s", "LOWEST", "s"),
    Column("highest_s", "HIGHEST", "s"),
    Column("step_s", "STEP", "s"),
    Column("intervals_s", "INTERVALS", "s"),
)
_CONFIG = (
    *_NAMED,
    Column("enabled", "ENABLED"),
    Column("interval_s", "INTERVAL", "s"),
    Column("timestamps", "TIMESTAMPS"),
)
_SHOW = (
    Column("id", "id"),
    Column("name", "name"),
    Column("type", "type"),
    Column("unit", "unit"),
    Column("scale", "scale"),
    Column("enabled", "enabled"),
    Column("reading.status", "reading"),
    Column("reading.value", "value"),
    Column("reading.raw", "raw value"),
    Column("reading.axes", "values"),
    Column("min", "lowest"),
    Column("max", "highest"),
    Column("resolution", "resolution"),
    Column("interval_s", "interval", "s"),
    Column("intervals.lowest_s", "lowest interval", "s"),
    Column("intervals.highest_s", "highest interval", "s"),
    Column("intervals.step_s", "step", "s"),
    Column("intervals.intervals_s", "all intervals", "s"),
    Column("timestamps", "timestamps"),
    Column("async_read", "asynchronous reads"),
    Column("continuous_update", "continuous updates"),
    Column("trip_points", "trip points"),
    Column("power_uw", "power", "uW"),
    Column("axis_list", "axes"),
)

_LAST_SEC = 0xFFFF
_FINEST = -16


# --- reading --------------------------------------------------------------------------------------


def list_(ctx: Context, args: Arguments) -> Output:
    """List sensors with their types, units and axes."""
    chosen = Subjects(ctx, sensor.PROTOCOL, args.pattern or ["all"])
    return finished(
        gauge.states(ctx, chosen.resources), _LIST, error=ctx.discover(sensor.PROTOCOL).error
    )


def show(ctx: Context, args: Arguments) -> Output:
    """Show all that can be known of a sensor."""
    chosen = _chosen(ctx, args)
    return chosen.output(gauge.whole(ctx, chosen.resources), _SHOW, partial=True)


def read(ctx: Context, args: Arguments) -> Output:
    """Read sensors, now or (asynchronously) as soon as the platform has the value."""
    chosen = Subjects(ctx, sensor.PROTOCOL, args.sensors)
    if args.given().get("async"):
        return _read_later(ctx, chosen, args)
    with Holds(ctx) as holds:
        refused = _turn_on(ctx, holds, chosen) if args.enable else {}
        rows = gauge.readings(ctx, chosen.resources)
    _mark(rows, refused)
    if not args.enable:
        gauge.with_hint(ctx, rows, many=chosen.many)
    return chosen.output(rows, _READ)


def _turn_on(ctx: Context, holds: Holds, chosen: Subjects) -> dict[int, ScmictlError]:
    refused = gauge.turn_on(ctx, holds, chosen.resources)
    for error in refused.values() if not chosen.many else ():
        raise error
    return refused


def _mark(rows: Sequence[Row], refused: dict[int, ScmictlError]) -> None:
    """Let the reason why a sensor could not be enabled be that of its row."""
    for row in rows:
        if row.error is not None:
            row.error = refused.get(row.resource.id, row.error)


def _read_later(ctx: Context, chosen: Subjects, args: Arguments) -> Output:
    for resource in chosen.resources if not chosen.many else ():
        if resource.description is not None and not reading.has(resource, "async_read"):
            raise NotOffered(
                f"{reading.called(resource)} has no asynchronous readings", hint="omit --async"
            )
    return Stream(_as_they_come(ctx, chosen, enable=args.enable), accepted(_READ))


def _as_they_come(ctx: Context, chosen: Subjects, *, enable: bool) -> Iterator[Record]:
    """Yield every acceptance, and every reading when it is there.

    No more are asked for at a time than the platform has room for.
    """
    attributes = ctx.discover(sensor.PROTOCOL).attributes.attributes
    room = max(1, attributes.max_async)
    failures = 0
    with Holds(ctx) as holds:
        refused = _turn_on(ctx, holds, chosen) if enable else {}
        for first in range(0, len(chosen.resources), room):
            part = chosen.resources[first : first + room]
            transfers = [_begin(ctx, resource) for resource in part]
            for resource, transfer in zip(part, transfers, strict=True):
                ctx.agent.wait_for_response(transfer)
                if transfer.awaiting or transfer.delayed is not None:
                    yield acceptance(resource, _READ)
            for resource, transfer in zip(part, transfers, strict=True):
                ctx.agent.collect([transfer])
                row = gauge.reading_row(ctx, resource, transfer)
                _mark([row], refused)
                if row.error is not None and not chosen.many:
                    gauge.with_hint(ctx, [row], many=False)
                    raise row.error
                failures += row.error is not None
                yield row.finish()
    if failures:
        raise Partial(f"{failures} of {len(chosen.resources)} sensors could not be read")


def _begin(ctx: Context, resource: Resource) -> Transfer[sensor.ReadingGetResponse]:
    flags = sensor.ReadingGetFlags(async_=True)
    return ctx.agent.submit(sensor.ReadingGet(sensor_id=resource.id, flags=flags))


def axes(ctx: Context, args: Arguments) -> Output:
    """List the axes of a sensor."""
    ctx.require(sensor.AxisDescriptionGet)
    resource = ctx.one(sensor.PROTOCOL, args.id)
    if resource.error is not None:
        raise resource.error
    if resource.description is None:
        # The platform shall say what it thinks of such a sensor.
        asked = sensor.AxisDescriptionGet(sensor_id=resource.id, axis_desc_index=0)
        ctx.agent.listing(asked).all()
    elif not reading.axis_count(resource):
        raise NotOffered(f"{reading.called(resource)} is scalar: it has no axes")
    found = reading.all_axes(ctx, [resource])[resource.id]
    if isinstance(found, ScmictlError):
        raise found
    records = [reading.axis_record(axis) for axis in found]
    return Rows(records, _AXES, error=reading.axes_error(ctx, resource))


def intervals(ctx: Context, args: Arguments) -> Output:
    """List the update intervals a sensor can have."""
    ctx.require(sensor.ListUpdateIntervals)
    chosen = _chosen(ctx, args)
    rows = gauge.intervals(ctx, chosen.resources)
    if chosen.many:
        # Of several, some may have no interval to choose: that is their answer, and no failure.
        for row in rows:
            if gauge.says(row.error, gauge.NO_LIST):
                row.error = None
    return chosen.output(rows, _INTERVALS, partial=True)


def config_get(ctx: Context, args: Arguments) -> Output:
    """Show whether a sensor is enabled, its update interval, and whether it gives timestamps."""
    ctx.require(sensor.ConfigGet)
    chosen = _chosen(ctx, args)
    return chosen.output(gauge.configs(ctx, chosen.resources), _CONFIG)


def _chosen(ctx: Context, args: Arguments) -> Subjects:
    return Subjects(ctx, sensor.PROTOCOL, [args.id])


# --- writing --------------------------------------------------------------------------------------


def config_set(ctx: Context, args: Arguments) -> Output:
    """Enable, disable or configure a sensor, and show what it has become."""
    sec, exponent = _interval(args.interval) if args.interval is not None else (0, 0)
    ctx.require(sensor.ConfigSet)
    chosen = _chosen(ctx, args)
    stamps, unread = _timestamps(ctx, chosen, args.timestamps)
    wanted: list[list[Wanted]] = []
    for resource in chosen.resources:
        if resource.id in unread:
            wanted.append([])
            continue
        word = sensor.ConfigSetWord(
            sec=sec,
            exponent=exponent,
            # Of two intervals that are near, the platform knows which is nearer.
            rounding=sensor.Rounding.AUTO if sec else sensor.Rounding.DOWN,
            timestamp_enable=stamps.get(resource.id, False),
            sensor_enable=args.state == "enable",
        )
        wanted.append([Wanted(sensor.ConfigSet(sensor_id=resource.id, sensor_config=word))])
    failed = unread | chosen.write(wanted)
    return chosen.output(gauge.configs(ctx, chosen.resources), _CONFIG, failed=failed)


def _timestamps(
    ctx: Context, chosen: Subjects, word: str | None
) -> tuple[dict[int, bool], dict[int, ScmictlError]]:
    """Return by id whether timestamps shall be on: as the user says, else as they are.

    The second part is why that could not be read; for a single sensor it is raised. Nothing may be
    written then: the message says whether they are on whatever it is sent for.
    """
    if word is not None:
        return {resource.id: word == "on" for resource in chosen.resources}, {}
    able = [r for r in chosen.resources if r.error or reading.has(r, "timestamp_support")]
    rows = gauge.configs(ctx, able)
    unread = {row.resource.id: row.error for row in rows if row.error is not None}
    for error in unread.values() if not chosen.many else ():
        raise error
    return {row.resource.id: bool(row.record["timestamps"]) for row in rows}, unread


def _interval(text: str) -> tuple[int, int]:
    """Return a duration as ``sec * 10^exponent`` seconds, as near as 16 bits can say it."""
    typed = values.quantity(text)
    numerator, denominator = typed.convert("s")
    if numerator <= 0:
        # 0 is how the message says that the interval is to stay as it is.
        raise UsageError(f"--interval is {text}, expected more than 0")
    for exponent in (0, -3, -6, -9, *range(-1, _FINEST - 1, -1)):
        sec, rest = divmod(numerator * 10**-exponent, denominator)
        if not rest and sec <= _LAST_SEC:
            return sec, exponent
    for exponent in range(_FINEST, 16):
        # From the finest: the first that fits is the nearest.
        over, under = (1, 10**-exponent) if exponent < 0 else (10**exponent, 1)
        sec = (2 * numerator * under + denominator * over) // (2 * denominator * over)
        if 0 < sec <= _LAST_SEC:
            return sec, exponent
    raise UsageError(f"--interval is {text}, expected 1e-16 s to 65535e15 s")


def check_config(args: Arguments) -> None:
    """Raise UsageError for an interval that cannot be said."""
    if args.interval is not None:
        _interval(args.interval)


# --- the table ------------------------------------------------------------------------------------

_ID = Arg("id", "number or name of a sensor; a glob or 'all' for several", "ids", of="sensor")
_ONE = Arg("id", "number or name of a sensor", "id", of="sensor")
_POINT = Arg("point", "number of the trip point, from 0", "number")


def _command(verb: str, help: str, run: Run, *args: Arg, **more: Any) -> Command:
    return Command("sensor", verb, help, run, args=args, **more)


COMMANDS = (
    _command(
        "list", "list sensors with their types, units and axes", list_,
        Arg("pattern", "only these sensors", "ids", of="sensor", required=False, many=True),
        glimpse=glimpse(sensor.ReadingGet, reading.brief),
    ),
    _command("show", "show all that can be known of a sensor", show, _ID),
    info_command("sensor"),
    _command(
        "read", "read sensors", read,
        Arg("sensors", "numbers or names of sensors, globs, 'all'", "ids", of="sensor", many=True),
        options=(
            Opt("--enable", "turn disabled sensors on for the time of the reading"),
            Opt("--async", "let the platform answer later, and wait for that"),
        ),
        effect=Effect.WRITE,
        restores=True,
        details="A sensor that is disabled answers with a status; --enable turns it on, reads it "
        "and puts it back. Timestamps are seconds of the platform's clock.",
    ),
    _command("axes", "list the axes of a sensor", axes, _ONE),
    _command("intervals", "list the update intervals a sensor can have", intervals, _ID),
    _command("config get", "show how a sensor is configured", config_get, _ID),
    _command(
        "config set", "enable, disable or configure a sensor", config_set,
        _ID, Arg("state", "what it shall be", "choice", choices=("enable", "disable")),
        options=(
            Opt("--interval", "update interval; the platform rounds it", "text", "DUR"),
            Opt("--timestamps", "whether readings carry timestamps", "choice",
                choices=("on", "off")),
        ),
        effect=Effect.WRITE,
        validate=check_config,
        details="What is not given stays as it is.",
    ),
    _command(
        "trip set", "set a trip point of a sensor", trip.set_,
        _ONE, _POINT, Arg("value", "the value in the sensor's unit, such as 95C or 850mV"),
        options=(
            Opt("--rising", "only crossings upwards count"),
            Opt("--falling", "only crossings downwards count"),
            Opt("--both", "both count (the default)"),
        ),
        effect=Effect.WRITE,
        validate=trip.check,
        details="A number without a unit is in the sensor's unit: 95 is 95 °C whatever its scale.",
    ),
    _command(
        "trip clear", "switch a trip point of a sensor off", trip.clear, _ONE, _POINT,
        effect=Effect.WRITE, validate=trip.check_point,
    ),
    watch_command(
        "sensor", "stream new values of sensors",
        Feed(
            sensor.Update, _WATCH, sensor.ReadingGet,
            (Opt("--enable", "turn disabled sensors on for the time of the watch"),),
            meaning=gauge.meaning, enable=gauge.enable, hint=gauge.hint,
            line=reading.line, live=True,
        ),
        effect=Effect.WRITE,
        details="On a terminal a live table with minimum, maximum and rate. `watch "
        "SENSOR_TRIP_POINT_EVENT` streams the crossings of trip points.",
    ),
)  # fmt: skip
