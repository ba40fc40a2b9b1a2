"""`voltage`: levels of voltage domains, and switching them on and off."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from scmictl import values
from scmictl.agent import Listing, Resource
from scmictl.commands.command import Arg, Arguments, Column, Command, Output, Rows, Run
from scmictl.commands.context import Context
from scmictl.commands.info import info_command
from scmictl.commands.span import Keys, span_row
from scmictl.commands.subject import Row, Subjects, Wanted, ask, finished, glimpse
from scmictl.errors import UsageError
from scmictl.protocols import voltage
from scmictl.wire import Effect, Request, Status

_COLUMNS = (
    Column("id", "ID"),
    Column("name", "NAME"),
    Column("enabled", "ENABLED"),
    Column("level_uv", "LEVEL", "uV"),
    Column("mode", "MODE", wide=True),
)
_LEVELS = (
    *_COLUMNS[:2],
    Column("format", "FORMAT"),
    Column("lowest_uv", "LOWEST", "uV"),
    Column("highest_uv", "HIGHEST", "uV"),
    Column("step_uv", "STEP", "uV"),
    Column("count", "COUNT"),
)
_ONE_LEVELS = (*_LEVELS[:-1], Column("levels_uv", "LEVELS", "uV"))
_SHOW = (
    Column("id", "id"),
    Column("name", "name"),
    Column("enabled", "enabled"),
    Column("mode", "mode"),
    Column("level_uv", "level", "uV"),
    Column("levels.format", "levels are a"),
    Column("levels.lowest_uv", "lowest level", "uV"),
    Column("levels.highest_uv", "highest level", "uV"),
    Column("levels.step_uv", "step", "uV"),
    Column("levels.levels_uv", "all levels", "uV"),
    Column("async_level_set", "asynchronous levels"),
)

_KEYS = Keys("levels", "uv")
_ABSENT = (Status.NOT_SUPPORTED,)
"""What says that a domain has no such thing: no mode, no level, no list of levels."""


# --- reading --------------------------------------------------------------------------------------


def list_(ctx: Context, args: Arguments) -> Output:
    """List voltage domains with their levels."""
    chosen = Subjects(ctx, voltage.PROTOCOL, args.pattern or ["all"])
    rows = _states(ctx, chosen.resources, fresh=chosen.fresh)
    return finished(rows, _COLUMNS)


def get(ctx: Context, args: Arguments) -> Output:
    """Show mode and level of a voltage domain."""
    chosen = _chosen(ctx, args)
    return chosen.output(_states(ctx, chosen.resources, fresh=chosen.fresh), _COLUMNS)


def levels(ctx: Context, args: Arguments) -> Output:
    """List the levels a voltage domain can have."""
    chosen = _chosen(ctx, args)
    columns = _LEVELS if chosen.many else _ONE_LEVELS
    return chosen.output(_described(ctx, chosen.resources), columns, partial=True)


def show(ctx: Context, args: Arguments) -> Output:
    """Show all that can be known of a voltage domain."""
    chosen = _chosen(ctx, args)
    rows = _states(ctx, chosen.resources, fresh=chosen.fresh)
    for row, described in zip(rows, _described(ctx, chosen.resources), strict=True):
        row.fail(described.error)
        description = row.resource.description
        found = {k: v for k, v in described.record.items() if k not in ("id", "name")}
        row.record |= {
            "async_level_set": description.attributes.async_level_set if description else None,
            "levels": None if described.empty else found,
        }
    return chosen.output(rows, _SHOW, partial=True)


def _chosen(ctx: Context, args: Arguments) -> Subjects:
    return Subjects(ctx, voltage.PROTOCOL, [args.id])


def _states(ctx: Context, domains: Sequence[Resource], *, fresh: bool = False) -> list[Row]:
    """Read the record of each domain.

    With ``fresh``, one that could not be described just now need not be asked again.
    """
    requests: dict[tuple[str, int], Request[Any]] = {}
    for domain in domains:
        if not (fresh and domain.error):
            requests["mode", domain.id] = voltage.ConfigGet(domain_id=domain.id)
            requests["level", domain.id] = voltage.LevelGet(domain_id=domain.id)
    found = ask(ctx, requests)
    rows = []
    for domain in domains:
        row = Row(domain)
        if fresh:
            row.fail(domain.error)
        mode = row.read(found.get(("mode", domain.id)), "config.mode", absent=_ABSENT)
        level = row.read(found.get(("level", domain.id)), "voltage_level", absent=_ABSENT)
        row.record |= {
            "enabled": None if mode is None else mode != voltage.Mode.OFF,
            "level_uv": level,
            "mode": None if mode is None else _mode_name(mode),
        }
        rows.append(row)
    return rows


def _brief(domain: Resource, response: Any) -> str:
    return values.format_value(response.voltage_level, "uV")


def _mode_name(mode: int) -> str:
    return next((m.name.lower() for m in voltage.Mode if m == mode), hex(mode))


def _described(ctx: Context, domains: Sequence[Resource]) -> list[Row]:
    """Read the levels of each domain: a list, or lowest, highest and the step between."""
    listings = ctx.agent.listings(
        [voltage.DescribeLevels(domain_id=domain.id, level_index=0) for domain in domains]
    )
    return [_range(domain, listing) for domain, listing in zip(domains, listings, strict=True)]


def _range(domain: Resource, listing: Listing) -> Row:
    first = listing.first
    triplet = (
        isinstance(first, voltage.DescribeLevelsResponse)
        and first.flags.format == voltage.LevelFormat.TRIPLET
    )
    return span_row(domain, listing, _KEYS, listing.items, triplet=triplet, absent=_ABSENT)


# --- writing --------------------------------------------------------------------------------------


def set_(ctx: Context, args: Arguments) -> Output:
    """Set the level of a voltage domain, and show what it has become."""
    level = _level(args)
    chosen = _chosen(ctx, args)
    return _write(
        ctx,
        chosen,
        [voltage.LevelSet(domain_id=d.id, voltage_level=level) for d in chosen.resources],
    )


def _level(args: Arguments) -> int:
    """Return the level that was typed; raises UsageError for one that the wire cannot say."""
    level = values.number(args.level, "uV")
    if not -(1 << 31) <= level < 1 << 31:
        raise UsageError(
            f"found the level {args.level!r}, expected {-1 << 31} to {(1 << 31) - 1} uV"
        )
    return level


def check_set(args: Arguments) -> None:
    """Raise UsageError for a level that no domain can have."""
    _level(args)


def enable(ctx: Context, args: Arguments) -> Output:
    """Switch a voltage domain on."""
    return _switch(ctx, args, voltage.Mode.ON)


def disable(ctx: Context, args: Arguments) -> Output:
    """Switch a voltage domain off."""
    return _switch(ctx, args, voltage.Mode.OFF)


def _switch(ctx: Context, args: Arguments, mode: voltage.Mode) -> Output:
    config = voltage.ConfigSetWord(mode_id=mode)
    chosen = _chosen(ctx, args)
    return _write(
        ctx, chosen, [voltage.ConfigSet(domain_id=d.id, config=config) for d in chosen.resources]
    )


def _write(ctx: Context, chosen: Subjects, requests: Sequence[Request[Any]]) -> Rows:
    failed = chosen.write([[Wanted(request)] for request in requests])
    return chosen.output(_states(ctx, chosen.resources), _COLUMNS, failed=failed)


# --- the table ------------------------------------------------------------------------------------

_ID = Arg(
    "id", "number or name of a voltage domain; a glob or 'all' for several", "ids", of="voltage"
)


def _command(verb: str, help: str, run: Run, *args: Arg, **more: Any) -> Command:
    return Command("voltage", verb, help, run, args=args, **more)


COMMANDS = (
    _command(
        "list", "list voltage domains with their levels", list_,
        Arg("pattern", "only these domains", "ids", of="voltage", required=False, many=True),
        glimpse=glimpse(voltage.LevelGet, _brief),
    ),
    _command("show", "show all that can be known of a voltage domain", show, _ID),
    info_command("voltage"),
    _command("levels", "list the levels a voltage domain can have", levels, _ID),
    _command("get", "show mode and level of a voltage domain", get, _ID),
    _command(
        "set", "set the level of a voltage domain", set_,
        _ID, Arg("level", "the level, such as 850mV or -0.2V", "number", unit="uV"),
        effect=Effect.WRITE, validate=check_set,
    ),
    _command("enable", "switch a voltage domain on", enable, _ID, effect=Effect.WRITE),
    _command("disable", "switch a voltage domain off", disable, _ID, effect=Effect.WRITE),
)  # fmt: skip
