"""`perf`: levels and limits of performance domains."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from scmictl.commands import pace
from scmictl.commands.command import Arg, Arguments, Column, Command, Opt, Output, Rows, Run
from scmictl.commands.context import Context
from scmictl.commands.info import info_command
from scmictl.commands.scale import SYNTAX, Scale, Typed, meaning, scales, typed
from scmictl.commands.subject import Subjects, Wanted, finished, glimpse
from scmictl.commands.watch import Feed, watch_command
from scmictl.errors import NotOffered, ScmictlError, UsageError
from scmictl.protocols import perf
from scmictl.wire import Effect

_NAMED = (Column("id", "ID"), Column("name", "NAME"))
_BOUNDS = (Column("min", "MIN"), Column("max", "MAX"))
_FREQUENCY = (
    Column("frequency_khz", "FREQUENCY", "kHz"),
    Column("level_index", "INDEX", wide=True),
)
_LEVEL = (*_NAMED, Column("level", "LEVEL"), *_FREQUENCY)
_LIMITS = (*_NAMED, *_BOUNDS)
_COLUMNS = (*_NAMED, Column("level", "LEVEL"), *_BOUNDS, *_FREQUENCY)
_LEVEL_FEED = (_NAMED[1], Column("level", "LEVEL"), _FREQUENCY[0])
_LIMITS_FEED = (_NAMED[1], *_BOUNDS)
_LADDER = (
    *_NAMED,
    Column("lowest", "LOWEST"),
    Column("highest", "HIGHEST"),
    Column("count", "COUNT"),
)
_ONE_LADDER = (*_LADDER[:2], Column("levels", "LEVELS"))
_STATS = (Column("address", "address"), Column("length_bytes", "length", "B"))
_SHOW = (
    Column("id", "id"),
    Column("name", "name"),
    Column("level", "level"),
    Column("frequency_khz", "frequency", "kHz"),
    Column("level_index", "index"),
    Column("min", "lower limit"),
    Column("max", "upper limit"),
    Column("can_set_level", "level can be set"),
    Column("can_set_limits", "limits can be set"),
    Column("sustained_level", "sustained level"),
    Column("sustained_frequency_khz", "sustained frequency", "kHz"),
    Column("guaranteed_level", "guaranteed level"),
    Column("rate_limit_us", "between requests", "us"),
    Column("notifications", "notifications"),
    Column("fastchannel", "fast channels"),
    Column("level_indexing_mode", "level indexing"),
    Column("qos", "quality of service"),
    Column("levels", "levels"),
)

_KEEPS = 0x30000
"""From this version on a limit that is sent as 0 stays as it is."""


# --- reading --------------------------------------------------------------------------------------


def list_(ctx: Context, args: Arguments) -> Output:
    """List performance domains with their levels and limits."""
    chosen = Subjects(ctx, perf.PROTOCOL, args.pattern or ["all"])
    rows = pace.states(ctx, chosen.resources, fresh=chosen.fresh)
    return finished(rows, _COLUMNS)


def show(ctx: Context, args: Arguments) -> Output:
    """Show all that can be known of a performance domain."""
    chosen = _chosen(ctx, args)
    rows = pace.whole(ctx, chosen.resources, fresh=chosen.fresh)
    return chosen.output(rows, _SHOW, partial=True)


def levels(ctx: Context, args: Arguments) -> Output:
    """List the levels a performance domain can have."""
    chosen = _chosen(ctx, args)
    columns = _LADDER if chosen.many else _ONE_LADDER
    rows = pace.levels(ctx, chosen.resources, fresh=chosen.fresh)
    return chosen.output(rows, columns, partial=True)


def level_get(ctx: Context, args: Arguments) -> Output:
    """Show the level of a performance domain."""
    chosen = _chosen(ctx, args)
    rows = pace.states(ctx, chosen.resources, fresh=chosen.fresh, limits=False)
    return chosen.output(rows, _LEVEL, partial=True)


def limits_get(ctx: Context, args: Arguments) -> Output:
    """Show the limits of a performance domain."""
    chosen = _chosen(ctx, args)
    rows = pace.states(ctx, chosen.resources, fresh=chosen.fresh, level=False)
    return chosen.output(rows, _LIMITS)


def stats(ctx: Context, args: Arguments) -> Output:
    """Show where the statistics of the performance domains are."""
    ctx.version(perf.PROTOCOL)
    found = ctx.agent.call(perf.ProtocolAttributes())
    if not found.statistics_len:
        raise NotOffered(
            "the platform has no statistics of performance domains (their statistics_len is 0)",
            hint="over virtio they take the feature VIRTIO_SCMI_F_SHARED_MEMORY",
        )
    record = {"address": found.statistics_address, "length_bytes": found.statistics_len}
    return Rows([record], _STATS, many=False)


def _chosen(ctx: Context, args: Arguments) -> Subjects:
    return Subjects(ctx, perf.PROTOCOL, [args.id])


# --- writing --------------------------------------------------------------------------------------


def level_set(ctx: Context, args: Arguments) -> Output:
    """Set the level of a performance domain, and show what it has become."""
    wanted = typed(args.level)
    chosen = _chosen(ctx, args)
    failed = chosen.write(
        [
            [
                Wanted(
                    perf.LevelSet(domain_id=scale.resource.id, performance_level=scale.word(wanted))
                )
            ]
            for scale in _scales(ctx, chosen)
        ]
    )
    return _read_back(ctx, chosen, failed)


def check_level(args: Arguments) -> None:
    """Raise UsageError for a level that cannot be."""
    typed(args.level)


def limits_set(ctx: Context, args: Arguments) -> Output:
    """Set the limits of a performance domain, and show which hold now."""
    low, high = typed(args.min), typed(args.max)
    chosen = _chosen(ctx, args)
    keeps = ctx.version(perf.PROTOCOL) >= _KEEPS
    if keeps and not low.number and not high.number:
        raise UsageError("both limits are 0, which leaves them as they are: nothing to set")
    wanted = []
    for scale in _scales(ctx, chosen):
        least, most = _limit(scale, low, keeps), _limit(scale, high, keeps)
        if least > most and not (keeps and not most):
            raise UsageError(f"the lower limit {args.min} is above the upper limit {args.max}")
        request = perf.LimitsSet(domain_id=scale.resource.id, range_max=most, range_min=least)
        wanted.append([Wanted(request)])
    return _read_back(ctx, chosen, chosen.write(wanted))


def check_limits(args: Arguments) -> None:
    """Raise UsageError for limits that cannot be, whatever the domain is."""
    low, high = typed(args.min), typed(args.max)
    if low.kind == high.kind and low.number > high.number > 0:
        raise UsageError(f"the lower limit {args.min} is above the upper limit {args.max}")


def _limit(scale: Scale, wanted: Typed, keeps: bool) -> int:
    """Return what to send for a limit; a typed 0 is to leave it as it is, where that is known."""
    if keeps and wanted.kind == "level" and not wanted.number:
        return 0
    word = scale.word(wanted)
    if keeps and not word:
        raise UsageError(
            f"{wanted.text} of {scale.called} cannot be a limit: what is sent for it is 0, which "
            "leaves the limit as it is"
        )
    return word


def _scales(ctx: Context, chosen: Subjects) -> Sequence[Scale]:
    """Return the scale of each domain; a dry run asks nothing that it has no names for."""
    if ctx.dry_run and all(resource.description is None for resource in chosen.resources):
        return [Scale(resource) for resource in chosen.resources]
    found = scales(ctx, chosen.resources, fresh=chosen.fresh)
    return [found[resource.id] for resource in chosen.resources]


def _read_back(ctx: Context, chosen: Subjects, failed: dict[int, ScmictlError]) -> Rows:
    rows = pace.states(ctx, chosen.resources)
    return chosen.output(rows, _COLUMNS, partial=True, failed=failed)


# --- the table ------------------------------------------------------------------------------------

_ID = Arg(
    "id", "number or name of a performance domain; a glob or 'all' for several", "ids", of="perf"
)
_MODES = (
    "In level indexing mode a level is sent as its index; a frequency is that of the level there, "
    "elsewhere it follows from the sustained level and its frequency."
)


def _command(verb: str, help: str, run: Run, *args: Arg, **more: Any) -> Command:
    return Command("perf", verb, help, run, args=args, **more)


COMMANDS = (
    _command(
        "list", "list performance domains with their levels and limits", list_,
        Arg("pattern", "only these domains", "ids", of="perf", required=False, many=True),
        glimpse=glimpse(perf.LevelGet, pace.brief),
    ),
    _command("show", "show all that can be known of a performance domain", show, _ID),
    info_command("perf"),
    _command("levels", "list the levels a performance domain can have", levels, _ID),
    _command("level get", "show the level of a performance domain", level_get, _ID),
    _command(
        "level set", "set the level of a performance domain", level_set,
        _ID, Arg("level", SYNTAX),
        effect=Effect.WRITE, validate=check_level, details=_MODES,
    ),
    _command("limits get", "show the limits of a performance domain", limits_get, _ID),
    _command(
        "limits set", "set the limits of a performance domain", limits_set,
        _ID, Arg("min", f"the lowest: {SYNTAX}"), Arg("max", "the highest, in the same way"),
        effect=Effect.WRITE, validate=check_limits,
        details=f"From 3.0 a limit of 0 leaves it as it is. Those of all agents hold together, so "
        f"what is shown then can be narrower. {_MODES}",
    ),
    _command("stats", "show where the statistics of the performance domains are", stats),
    watch_command(
        "perf", "stream level changes of performance domains",
        Feed(perf.LevelChanged, _LEVEL_FEED, perf.LevelGet, meaning=meaning),
        Feed(
            perf.LimitsChanged, _LIMITS_FEED, perf.LimitsGet,
            (Opt("--limits", "changes of their limits instead"),), meaning=meaning,
        ),
    ),
)  # fmt: skip
