"""`clock`: rates, gates and parents of clocks."""

from __future__ import annotations

from typing import Any

from scmictl import values
from scmictl.agent import Resource
from scmictl.commands import forest, profile
from scmictl.commands.command import Arg, Arguments, Column, Command, Opt, Output, Rows, Run
from scmictl.commands.context import Context
from scmictl.commands.info import info_command
from scmictl.commands.subject import Row, Subjects, Wanted, called, finished
from scmictl.commands.watch import Feed, watch_command
from scmictl.errors import NotOffered, ScmictlError, UsageError
from scmictl.protocols import clock
from scmictl.wire import Effect

_COLUMNS = (
    Column("id", "ID"),
    Column("name", "NAME"),
    Column("enabled", "ENABLED"),
    Column("rate_hz", "RATE", "Hz"),
    Column("parent", "PARENT ID", wide=True),
    Column("parent_name", "PARENT"),
)
_TREE = (Column("id", "ID"), Column("name", "CLOCK", indent="depth"), *_COLUMNS[2:4])
_RATES = (
    *_COLUMNS[:2],
    Column("format", "FORMAT"),
    Column("lowest_hz", "LOWEST", "Hz"),
    Column("highest_hz", "HIGHEST", "Hz"),
    Column("step_hz", "STEP", "Hz"),
    Column("count", "COUNT"),
)
_ONE_RATES = (*_RATES[:-1], Column("rates_hz", "RATES", "Hz"))
_PARENT = (*_COLUMNS[:2], Column("parent", "PARENT ID"), Column("parent_name", "PARENT"))
_PARENTS = (*_PARENT, Column("parents", "POSSIBLE"))
_CONFIG = (
    *_COLUMNS[:3],
    Column("duty_cycle_percent", "DUTY CYCLE", "%"),
    Column("phase", "PHASE"),
)
_PERMS = (
    *_COLUMNS[:2],
    Column("state_control_allowed", "STATE"),
    Column("parent_control_allowed", "PARENT"),
    Column("rate_control_allowed", "RATE"),
)
_WATCH = (Column("name", "NAME"), Column("fields.rate", "RATE", "Hz"))
_SHOW = (
    Column("id", "id"),
    Column("name", "name"),
    Column("enabled", "enabled"),
    Column("rate_hz", "rate", "Hz"),
    Column("rates.format", "rates are a"),
    Column("rates.lowest_hz", "lowest rate", "Hz"),
    Column("rates.highest_hz", "highest rate", "Hz"),
    Column("rates.step_hz", "step", "Hz"),
    Column("rates.rates_hz", "all rates", "Hz"),
    Column("parent_name", "parent"),
    Column("parents", "possible parents"),
    Column("enable_delay_us", "enable delay", "us"),
    Column("notifications", "notifications"),
    Column("restricted", "restricted"),
    Column("permissions", "permissions"),
    Column("config.duty_cycle_percent", "duty cycle", "%"),
    Column("config.phase", "phase"),
)

_SWITCH = {"on": True, "off": False, "true": True, "false": False, "1": True, "0": False}
_KEYS = {"duty_cycle": clock.ExtendedConfig.DUTY_CYCLE, **profile.EXTENDED}


# --- reading --------------------------------------------------------------------------------------


def list_(ctx: Context, args: Arguments) -> Output:
    """List clocks with their gates, rates and parents."""
    chosen = Subjects(ctx, clock.PROTOCOL, args.pattern or ["all"])
    rows = profile.states(ctx, chosen.resources, fresh=chosen.fresh)
    return finished(rows, _COLUMNS)


def get(ctx: Context, args: Arguments) -> Output:
    """Show gate, rate and parent of a clock."""
    chosen = _chosen(ctx, args)
    rows = profile.states(ctx, chosen.resources, fresh=chosen.fresh)
    return chosen.output(rows, _COLUMNS)


def show(ctx: Context, args: Arguments) -> Output:
    """Show all that can be known of a clock."""
    chosen = _chosen(ctx, args)
    rows = profile.whole(ctx, chosen.resources, fresh=chosen.fresh)
    return chosen.output(rows, _SHOW, partial=True)


def rates(ctx: Context, args: Arguments) -> Output:
    """List the rates a clock can have."""
    chosen = _chosen(ctx, args)
    columns = _RATES if chosen.many else _ONE_RATES
    return chosen.output(profile.rates(ctx, chosen.resources), columns, partial=True)


def parents(ctx: Context, args: Arguments) -> Output:
    """List the clocks that can be the parent of a clock."""
    ctx.require(clock.PossibleParentsGet)
    chosen = _with_parents(ctx, args)
    return chosen.output(profile.parents(ctx, chosen.resources), _PARENTS, partial=True)


def parent_get(ctx: Context, args: Arguments) -> Output:
    """Show the parent of a clock."""
    ctx.require(clock.ParentGet)
    chosen = _with_parents(ctx, args)
    return chosen.output(profile.parents(ctx, chosen.resources, possible=False), _PARENT)


def config_get(ctx: Context, args: Arguments) -> Output:
    """Show gate and extended configuration of a clock."""
    ctx.require(clock.ConfigGet)
    chosen = _chosen(ctx, args)
    return chosen.output(profile.configs(ctx, chosen.resources), _CONFIG, partial=True)


def perms(ctx: Context, args: Arguments) -> Output:
    """Show what this agent may do to a clock."""
    ctx.require(clock.GetPermissions, why=" (no clock of it is restricted then)")
    chosen = _chosen(ctx, args)
    return chosen.output(profile.permissions(ctx, chosen.resources), _PERMS)


def tree(ctx: Context, args: Arguments) -> Output:
    """Show all clocks below their parents."""
    ctx.require(clock.ParentGet)
    chosen = Subjects(ctx, clock.PROTOCOL, ["all"])
    rows = profile.states(ctx, chosen.resources, fresh=chosen.fresh)
    return Rows(forest.tree([row.finish() for row in rows]), _TREE)


def _chosen(ctx: Context, args: Arguments) -> Subjects:
    return Subjects(ctx, clock.PROTOCOL, [args.id])


def _with_parents(ctx: Context, args: Arguments) -> Subjects:
    """Return the clocks meant; raises NotOffered for a single one that has no parents."""
    chosen = _chosen(ctx, args)
    _check(chosen, "parent_ids_available", "no parents to choose from")
    return chosen


def _check(chosen: Subjects, ability: str, lacks: str) -> None:
    """Raise NotOffered if a single clock lacks an ability; of several, some will have it.

    What is wrong with the description of a single one is raised too: nobody knows what it can do.
    """
    for resource in chosen.resources if not chosen.many else ():
        if resource.error is not None:
            raise resource.error
        if resource.description and not profile.has(resource, ability):
            raise NotOffered(
                f"{called('clock', resource)} has {lacks} (its attribute {ability} is not set)"
            )


# --- writing --------------------------------------------------------------------------------------


def set_(ctx: Context, args: Arguments) -> Output:
    """Set the rate of a clock, and show what it has become."""
    later = bool(args.given().get("async"))
    flags = clock.RateSetFlags(
        round_auto=args.round == "auto", round_up=args.round == "up", async_=later
    )
    rate = values.number(args.rate, "Hz")
    chosen = _chosen(ctx, args)
    if later and not ctx.dry_run:
        attributes = ctx.discover(clock.PROTOCOL).attributes.attributes
        if not attributes.max_async_rate_changes:
            raise NotOffered("the platform has no asynchronous rate changes", hint="omit --async")
    wanted = [
        Wanted(clock.RateSet(clock_id=one.id, rate=rate, flags=flags)) for one in chosen.resources
    ]
    if later:
        return chosen.write_later(wanted, _COLUMNS, profile.states, "clocks could not be set")
    return _read_back(ctx, chosen, chosen.write([[one] for one in wanted]))


def enable(ctx: Context, args: Arguments) -> Output:
    """Open the gate of a clock."""
    chosen = _chosen(ctx, args)
    return _read_back(ctx, chosen, chosen.write([[_gate(c, True)] for c in chosen.resources]))


def disable(ctx: Context, args: Arguments) -> Output:
    """Close the gate of a clock."""
    chosen = _chosen(ctx, args)
    failed = chosen.write([[one] for one in _disabling(ctx, chosen)])
    output = _read_back(ctx, chosen, failed)
    for record in output.records:
        if record["enabled"] and record["id"] not in failed:
            ctx.notice(f"clock {record['id']} stays enabled: something else still needs it")
    return output


def _gate(resource: Resource, on: bool, *, harm: str = "") -> Wanted:
    """Return what opens or closes a gate; ``harm`` says why it hurts, if it does."""
    # Up to 2.0 the whole state is bit 0, which has the same values as the two bits from 3.0 on.
    state = clock.State.ENABLE if on else clock.State.DISABLE
    request = clock.ConfigSet(
        clock_id=resource.id, attributes=clock.ConfigSetAttributes(state=state)
    )
    return Wanted(request, Effect.HURTS, harm) if harm else Wanted(request)


def _disabling(ctx: Context, chosen: Subjects) -> list[Wanted]:
    """Return what disables the clocks; it hurts those that are enabled, or may be."""
    if ctx.dry_run or ctx.readonly:
        return [_gate(resource, False) for resource in chosen.resources]
    rows = profile.states(ctx, chosen.resources, fresh=chosen.fresh)
    return [_gate(row.resource, False, harm=_harm(row)) for row in rows]


def _harm(row: Row) -> str:
    enabled = row.record["enabled"]
    if enabled is False:
        return ""
    state = "is enabled" if enabled else "may be enabled"
    return f"{called('clock', row.resource)} {state}: what it drives stops"


def parent_set(ctx: Context, args: Arguments) -> Output:
    """Select the parent of a clock."""
    ctx.require(clock.ParentSet)
    chosen = _with_parents(ctx, args)
    parent = ctx.one(clock.PROTOCOL, args.parent)
    requests = [clock.ParentSet(clock_id=c.id, parent_id=parent.id) for c in chosen.resources]
    failed = chosen.write([[Wanted(request)] for request in requests])
    return _read_back(ctx, chosen, failed)


def config_set(ctx: Context, args: Arguments) -> Output:
    """Set gate and extended configuration of a clock, and show what they have become."""
    settings = [_setting(word) for word in args.setting]
    extended = any(kind is not None for kind, _ in settings)
    if extended:
        ctx.require(clock.ConfigGet)
    chosen = _chosen(ctx, args)
    if extended:
        _check(chosen, "extended_config", "no extended configuration")
    closing = _disabling(ctx, chosen) if (None, 0) in settings else []
    failed = chosen.write(
        [
            [
                _extended(resource, kind, value)
                if kind is not None
                else (_gate(resource, True) if value else closing[position])
                for kind, value in settings
            ]
            for position, resource in enumerate(chosen.resources)
        ]
    )
    if ctx.version(clock.PROTOCOL) < clock.ConfigGet.SINCE:
        return _read_back(ctx, chosen, failed)
    rows = profile.configs(ctx, chosen.resources)
    return chosen.output(rows, _CONFIG, partial=True, failed=failed)


def check_config(args: Arguments) -> None:
    """Raise UsageError for a setting that cannot be."""
    for word in args.setting:
        _setting(word)


def _extended(resource: Resource, kind: int, value: int) -> Wanted:
    attributes = clock.ConfigSetAttributes(state=clock.State.UNCHANGED, extended_config_type=kind)
    return Wanted(
        clock.ConfigSet(clock_id=resource.id, attributes=attributes, extended_config_val=value)
    )


def _setting(word: str) -> tuple[int | None, int]:
    """Read ``KEY=VALUE``: the extended configuration type (None: the gate) and the value."""
    key, equals, text = word.partition("=")
    if not equals:
        raise UsageError(f"found {word!r}, expected KEY=VALUE, as in duty_cycle=50")
    if key == "enabled":
        if text.lower() not in _SWITCH:
            raise values.unknown("value", text, ("on", "off"))
        return None, int(_SWITCH[text.lower()])
    kind: int | None = _KEYS.get(key)
    if kind is None:
        try:
            kind = values.number(key)
        except UsageError:
            raise values.unknown("key", key, ("enabled", *_KEYS, "0x80 to 0xff")) from None
        if not 1 <= kind <= 0xFF:
            raise UsageError(f"found the type {key}, expected 1 to 0xff")
    return kind, values.number(text)


def _read_back(ctx: Context, chosen: Subjects, failed: dict[int, ScmictlError]) -> Rows:
    return chosen.output(profile.states(ctx, chosen.resources), _COLUMNS, failed=failed)


# --- the table ------------------------------------------------------------------------------------

_ID = Arg("id", "number or name of a clock; a glob or 'all' for several", "ids", of="clock")


def _command(verb: str, help: str, run: Run, *args: Arg, **more: Any) -> Command:
    return Command("clock", verb, help, run, args=args, **more)


COMMANDS = (
    _command(
        "list", "list clocks with their rates and parents", list_,
        Arg("pattern", "only these clocks", "ids", of="clock", required=False, many=True),
        glimpse=profile.glimpse,
    ),
    _command("show", "show all that can be known of a clock", show, _ID),
    info_command("clock"),
    _command("get", "show gate, rate and parent of a clock", get, _ID),
    _command(
        "set", "set the rate of a clock", set_,
        _ID, Arg("rate", "the rate, such as 24MHz", "number", unit="Hz"),
        options=(
            Opt("--round", "which rate to take if there is none like that (default: down)",
                "choice", choices=("up", "down", "auto")),
            Opt("--async", "let the platform set it later, and wait for that"),
        ),
        effect=Effect.WRITE,
    ),
    _command("enable", "open the gate of a clock", enable, _ID, effect=Effect.WRITE),
    _command(
        "disable", "close the gate of a clock", disable, _ID, effect=Effect.HURTS,
        details="Asks first if the clock is enabled. A clock that other agents use stays on.",
    ),
    _command("rates", "list the rates a clock can have", rates, _ID),
    _command("parents", "list the clocks that can be its parent", parents, _ID),
    _command("parent get", "show the parent of a clock", parent_get, _ID),
    _command(
        "parent set", "select the parent of a clock", parent_set,
        _ID, Arg("parent", "number or name of the parent", "id", of="clock"),
        effect=Effect.WRITE,
    ),
    _command("config get", "show gate and extended configuration of a clock", config_get, _ID),
    _command(
        "config set", "set gate or extended configuration of a clock", config_set,
        _ID, Arg("setting", "KEY=VALUE", many=True),
        effect=Effect.HURTS, validate=check_config,
        details="Keys: enabled (on or off), duty_cycle (percent), phase (in the platform's unit), "
        "and the number of a vendor's type, as in 0x80=1.",
    ),
    _command("perms", "show what this agent may do to a clock", perms, _ID),
    _command("tree", "show all clocks below their parents", tree),
    watch_command(
        "clock", "stream rate changes of clocks",
        Feed(clock.RateChanged, _WATCH, clock.RateGet),
        Feed(
            clock.RateChangeRequested, _WATCH, clock.RateGet,
            (Opt("--requested", "what agents ask for, not what the rate becomes"),),
        ),
    ),
)  # fmt: skip
