"""`powercap`: caps, averaging intervals and measured power of power capping domains."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from scmictl import values
from scmictl.agent import Resource
from scmictl.commands import allowance, forest
from scmictl.commands.command import Arg, Arguments, Column, Command, Opt, Output, Rows, Run
from scmictl.commands.context import Context
from scmictl.commands.info import info_command
from scmictl.commands.subject import Row, Subjects, Wanted, finished, glimpse
from scmictl.commands.watch import Feed, watch_command
from scmictl.errors import NotOffered, UsageError
from scmictl.protocols import powercap
from scmictl.wire import Effect

_COLUMNS = (
    Column("id", "ID"),
    Column("name", "NAME"),
    Column("cap", "CAP"),
    Column("unit", "UNIT"),
    Column("parent", "PARENT ID", wide=True),
    Column("parent_name", "PARENT"),
)
_PAI = (*_COLUMNS[:2], Column("pai_us", "INTERVAL", "us"))
_MEASURED = (
    *_COLUMNS[:2],
    Column("power", "POWER"),
    Column("unit", "UNIT"),
    Column("pai_us", "INTERVAL", "us"),
)
_TREE = (
    Column("id", "ID"),
    Column("name", "DOMAIN", indent="depth"),
    Column("cap", "CAP"),
    Column("power", "POWER"),
    Column("unit", "UNIT"),
)
_CAP_FEED = (Column("name", "NAME"), Column("cap", "CAP"), Column("unit", "UNIT"))
_POWER_FEED = (Column("name", "NAME"), Column("power", "POWER"), Column("unit", "UNIT"))
_SHOW = (
    Column("id", "id"),
    Column("name", "name"),
    Column("parent_name", "parent"),
    Column("unit", "powers in"),
    Column("cap", "cap"),
    Column("cap_configurable", "cap can be set"),
    Column("async_cap_set", "asynchronously"),
    Column("min_cap", "lowest cap"),
    Column("max_cap", "highest cap"),
    Column("cap_step", "step"),
    Column("power", "power"),
    Column("accuracy_percent", "accuracy", "%"),
    Column("sustainable_power", "sustainable power"),
    Column("pai_us", "averaging interval", "us"),
    Column("min_pai_us", "shortest", "us"),
    Column("max_pai_us", "longest", "us"),
    Column("pai_step_us", "step", "us"),
    Column("notifications", "notifications"),
    Column("fastchannel", "FastChannels"),
    Column("limits", "limits"),
)


# --- reading --------------------------------------------------------------------------------------


def list_(ctx: Context, args: Arguments) -> Output:
    """List domains with their caps and parents."""
    chosen = Subjects(ctx, powercap.PROTOCOL, args.pattern or ["all"])
    rows = allowance.states(ctx, chosen.resources)
    return finished(rows, _COLUMNS)


def get(ctx: Context, args: Arguments) -> Output:
    """Show the cap of a domain."""
    chosen = _chosen(ctx, args)
    return chosen.output(allowance.states(ctx, chosen.resources), _COLUMNS)


def show(ctx: Context, args: Arguments) -> Output:
    """Show all that can be known of a domain."""
    chosen = _chosen(ctx, args)
    return chosen.output(allowance.whole(ctx, chosen.resources), _SHOW, partial=True)


def pai_get(ctx: Context, args: Arguments) -> Output:
    """Show the averaging interval of a domain."""
    chosen = _chosen(ctx, args)
    return chosen.output(allowance.intervals(ctx, chosen.resources), _PAI)


def measure(ctx: Context, args: Arguments) -> Output:
    """Show the average power of a domain, and the interval that it is the average of."""
    chosen = _chosen(ctx, args)
    _check(chosen, "is not monitored", "monitoring")
    return chosen.output(allowance.measurements(ctx, chosen.resources), _MEASURED)


def tree(ctx: Context, args: Arguments) -> Output:
    """Show all domains below their parents, with their caps and what they draw."""
    chosen = Subjects(ctx, powercap.PROTOCOL, ["all"])
    rows = allowance.states(ctx, chosen.resources)
    there = [row.resource for row in rows if row.error is None]
    measured = {row.resource.id: row for row in allowance.measurements(ctx, there)}
    for row in rows:
        found = measured.get(row.resource.id)
        row.fail(found.error if found else None)
        row.record["power"] = found.record["power"] if found else None
    return Rows(forest.tree([row.finish() for row in rows]), _TREE)


def _chosen(ctx: Context, args: Arguments) -> Subjects:
    return Subjects(ctx, powercap.PROTOCOL, [args.id])


def _check(chosen: Subjects, lacks: str, *abilities: str) -> None:
    """Raise NotOffered if a single domain lacks an ability; of several, some will have it."""
    for resource in chosen.resources if not chosen.many else ():
        if resource.description and not allowance.has(resource, *abilities):
            raise NotOffered(
                f"{allowance.called(resource)} {lacks} (its attribute {abilities[0]} is not set)"
            )


# --- writing --------------------------------------------------------------------------------------


def set_(ctx: Context, args: Arguments) -> Output:
    """Set the cap of a domain, and show what it has become."""
    later = bool(args.given().get("async"))
    chosen = _chosen(ctx, args)
    _check(chosen, "has no cap that can be set", "cap_configurable")
    if later:
        _check(chosen, "has no asynchronous changes", "async_cap_set")
    caps = _caps(ctx, chosen, args.cap)
    flags = powercap.CapSetFlags(async_=later)
    wanted = [
        Wanted(powercap.CapSet(domain_id=resource.id, flags=flags, power_cap=cap))
        for resource, cap in zip(chosen.resources, caps, strict=True)
    ]
    if later:
        return chosen.write_later(wanted, _COLUMNS, allowance.states, "domains could not be set")
    failed = chosen.write([[one] for one in wanted])
    rows = allowance.states(ctx, chosen.resources)
    output = chosen.output(rows, _COLUMNS, failed=failed)
    _note_others(ctx, rows, caps)
    return output


def _caps(ctx: Context, chosen: Subjects, text: str) -> list[int]:
    """Return the cap that was typed as each domain counts it."""
    if text == allowance.OFF:
        return [0] * len(chosen.resources)
    resources: Sequence[Resource] = chosen.resources
    if ctx.dry_run and allowance.has_unit(text):
        # Chosen by number alone; what its unit is only the platform knows.
        there = ctx.discover(powercap.PROTOCOL).resources
        resources = [there[r.id] if r.id < len(there) else r for r in resources]
    if allowance.has_unit(text):
        resources = allowance.described(ctx, resources)
    return [allowance.power(resource, text) for resource in resources]


def _note_others(ctx: Context, rows: Sequence[Row], caps: Sequence[int]) -> None:
    """Say where the cap in force is lower than what was asked for: others count as well."""
    for row, cap in zip(rows, caps, strict=True):
        found = row.record["cap"]
        if row.error is None and found and (cap == 0 or found < cap):
            unit = row.record["unit"] or ""
            ctx.notice(
                f"{allowance.called(row.resource)} has a cap of {found} {unit}".rstrip()
                + ": something else asks for that"
            )


def pai_set(ctx: Context, args: Arguments) -> Output:
    """Set the averaging interval of a domain, and show what it has become."""
    us = _microseconds(args.interval)
    chosen = _chosen(ctx, args)
    lacks = "has an averaging interval that cannot be set"
    _check(chosen, lacks, "pai_configurable", "mai_configurable")
    requests = [powercap.PaiSet(domain_id=resource.id, pai=us) for resource in chosen.resources]
    failed = chosen.write([[Wanted(request)] for request in requests])
    return chosen.output(allowance.intervals(ctx, chosen.resources), _PAI, failed=failed)


def _microseconds(text: str) -> int:
    """Read a time that the wire can say; bare means seconds."""
    numerator, denominator = values.quantity(text).convert("s")
    us, rest = divmod(numerator * 1_000_000, denominator)
    if rest or not 0 <= us <= allowance.U32:
        raise UsageError(f"found {text!r}, expected whole microseconds, at most {allowance.U32}")
    return us


def check_set(args: Arguments) -> None:
    """Raise UsageError for what is no cap in any unit."""
    if args.cap != allowance.OFF:
        allowance.check_power(args.cap)


def check_pai(args: Arguments) -> None:
    """Raise UsageError for what is no averaging interval."""
    _microseconds(args.interval)


# --- watching -------------------------------------------------------------------------------------


def _thresholds(args: Arguments, resource: Resource) -> Mapping[str, int]:
    given = args.given()
    below, above = given.get("below"), given.get("above")
    return allowance.thresholds(resource, below, above) if below or above else {}


def check_watch(args: Arguments) -> None:
    """Raise UsageError for thresholds that cannot be."""
    for text in (args.below, args.above):
        if text is not None:
            allowance.check_power(text)
    given = args.below or args.above
    if args.interval is not None and given:
        raise UsageError("--interval reads the power itself", hint="use --power --until EXPR")
    if args.power and args.interval is None and not given:
        raise UsageError("--power needs --interval; without it --below or --above says when")


# --- the table ------------------------------------------------------------------------------------

_ID = Arg("id", "number or name of a domain; a glob or 'all' for several", "ids", of="powercap")


def _command(verb: str, help: str, run: Run, *args: Arg, **more: Any) -> Command:
    return Command("powercap", verb, help, run, args=args, **more)


COMMANDS = (
    _command(
        "list", "list domains with their caps and parents", list_,
        Arg("pattern", "only these domains", "ids", of="powercap", required=False, many=True),
        glimpse=glimpse(powercap.CapGet, allowance.brief),
        details="A cap of 0 is none.",
    ),
    _command("show", "show all that can be known of a domain", show, _ID),
    info_command("powercap"),
    _command("get", "show the cap of a domain", get, _ID),
    _command(
        "set", "set the cap of a domain", set_,
        _ID, Arg("cap", "the cap, such as 5W; off (or 0) withdraws it"),
        options=(Opt("--async", "let the platform set it later, and wait for that"),),
        effect=Effect.WRITE, validate=check_set,
        details="A number without a unit counts in the domain's unit, as on an abstract scale. The "
        "lowest cap that any agent asks for is in force.",
    ),
    _command("pai get", "show the averaging interval of a domain", pai_get, _ID),
    _command(
        "pai set", "set the averaging interval of a domain", pai_set,
        _ID, Arg("interval", "the interval, such as 100ms", "duration"),
        effect=Effect.WRITE, validate=check_pai,
    ),
    _command("measure", "show the average power of a domain", measure, _ID),
    _command("tree", "show all domains below their parents", tree),
    watch_command(
        "powercap", "stream changes of power caps, or of power beyond thresholds",
        Feed(powercap.CapChanged, _CAP_FEED, powercap.CapGet, meaning=allowance.meaning),
        Feed(
            powercap.MeasurementsChanged, _POWER_FEED, powercap.MeasurementsGet,
            (
                Opt("--below", "power that falls below this, not the caps", "text", "POWER"),
                Opt("--above", "power that rises above this, not the caps", "text", "POWER"),
                Opt("--power", "with --interval: read the power, not the caps"),
            ),
            meaning=allowance.meaning, fields=_thresholds,
        ),
        validate=check_watch,
        details="A power is a number in the domain's unit, or has a unit, such as 5W.",
    ),
)  # fmt: skip
