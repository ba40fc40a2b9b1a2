"""`reset`: what can be reset, whole resets, and signals that are held.

No message reads whether a domain is in reset, so a record says the same before a reset and after.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from scmictl.agent import Resource
from scmictl.commands.command import Arg, Arguments, Column, Command, Opt, Output, Run
from scmictl.commands.context import Context
from scmictl.commands.info import info_command
from scmictl.commands.subject import Row, Subjects, Wanted, ask, called, finished
from scmictl.commands.watch import Feed, watch_command
from scmictl.errors import NotOffered
from scmictl.protocols import reset
from scmictl.wire import Effect

_COLUMNS = (
    Column("id", "ID"),
    Column("name", "NAME"),
    Column("latency_us", "LATENCY", "us"),
    Column("async", "ASYNC"),
    Column("notifications", "NOTIFICATIONS"),
)
_WATCH = (Column("name", "NAME"), Column("agent_id", "AGENT"))
_SHOW = (
    Column("id", "id"),
    Column("name", "name"),
    Column("latency_us", "longest reset", "us"),
    Column("async", "asynchronous resets"),
    Column("notifications", "notifications"),
)

_ASSERT = reset.Flags(explicit=reset.Signal.ASSERT)
_DEASSERT = reset.Flags(explicit=reset.Signal.DEASSERT)
_PULSE = reset.Flags(autonomous=True)
_PULSE_LATER = reset.Flags(autonomous=True, async_=True)


# --- reading --------------------------------------------------------------------------------------


def list_(ctx: Context, args: Arguments) -> Output:
    """List reset domains with their latencies."""
    chosen = Subjects(ctx, reset.PROTOCOL, args.pattern or ["all"])
    rows = _states(ctx, chosen.resources, fresh=chosen.fresh)
    return finished(rows, _COLUMNS)


def show(ctx: Context, args: Arguments) -> Output:
    """Show all that can be known of a reset domain."""
    chosen = _chosen(ctx, args)
    return chosen.output(_states(ctx, chosen.resources, fresh=chosen.fresh), _SHOW)


def _chosen(ctx: Context, args: Arguments) -> Subjects:
    return Subjects(ctx, reset.PROTOCOL, [args.id])


def _states(ctx: Context, domains: Sequence[Resource], *, fresh: bool = False) -> list[Row]:
    """Read the record of each domain; with ``fresh``, what is known already is new enough."""
    found = ask(
        ctx,
        {
            domain.id: reset.DomainAttributes(domain_id=domain.id)
            for domain in domains
            if not (fresh and (domain.description or domain.error))
        },
    )
    rows = []
    for domain in domains:
        row = Row(domain)
        asked = found.get(domain.id)
        if asked is None:
            row.fail(domain.error)
        description = domain.description if asked is None else asked.response
        if asked is not None:
            row.fail(asked.error)
        if description is not None and row.record["name"] is None:
            row.record["name"] = description.name
        latency = None if description is None else description.latency
        attributes = None if description is None else description.attributes
        row.record |= {
            "latency_us": None if latency == reset.UNKNOWN_LATENCY else latency,
            "async": None if attributes is None else attributes.async_supported,
            "notifications": None if attributes is None else attributes.notifications_supported,
        }
        rows.append(row)
    return rows


# --- writing --------------------------------------------------------------------------------------


def assert_(ctx: Context, args: Arguments) -> Output:
    """Put a domain into reset, and leave it there."""
    return _write(ctx, args, _ASSERT)


def deassert(ctx: Context, args: Arguments) -> Output:
    """Let a domain out of reset."""
    return _write(ctx, args, _DEASSERT)


def pulse(ctx: Context, args: Arguments) -> Output:
    """Reset a domain, and let it run again."""
    if not args.given().get("async"):
        return _write(ctx, args, _PULSE)
    chosen = _chosen(ctx, args)
    if not chosen.many and not ctx.dry_run:
        description = chosen.resources[0].description
        if description is not None and not description.attributes.async_supported:
            raise NotOffered(
                f"{called('reset domain', chosen.resources[0])} has no asynchronous reset",
                hint="omit --async",
            )
    wanted = _wanted(chosen, _PULSE_LATER)
    return chosen.write_later(wanted, _COLUMNS, _states, "domains could not be reset")


def _write(ctx: Context, args: Arguments, flags: reset.Flags) -> Output:
    chosen = _chosen(ctx, args)
    failed = chosen.write([[one] for one in _wanted(chosen, flags)])
    return chosen.output(_states(ctx, chosen.resources), _COLUMNS, failed=failed)


def _wanted(chosen: Subjects, flags: reset.Flags) -> list[Wanted]:
    """Return what resets the domains; the message knows whether it hurts."""
    return [
        Wanted(
            reset.Reset(domain_id=domain.id, flags=flags),
            what=f"{called('reset domain', domain)} goes into reset: what is in it stops",
        )
        for domain in chosen.resources
    ]


# --- the table ------------------------------------------------------------------------------------

_ID = Arg("id", "number or name of a reset domain; a glob or 'all' for several", "ids", of="reset")


def _command(verb: str, help: str, run: Run, *args: Arg, **more: Any) -> Command:
    return Command("reset", verb, help, run, args=args, **more)


COMMANDS = (
    _command(
        "list", "list reset domains with their latencies", list_,
        Arg("pattern", "only these domains", "ids", of="reset", required=False, many=True),
    ),
    _command("show", "show all that can be known of a reset domain", show, _ID),
    info_command("reset"),
    _command(
        "assert", "put a domain into reset, and leave it there", assert_, _ID,
        effect=Effect.HURTS, details="Asks first.",
    ),
    _command("deassert", "let a domain out of reset", deassert, _ID, effect=Effect.WRITE),
    _command(
        "pulse", "reset a domain, and let it run again", pulse, _ID,
        options=(Opt("--async", "let the platform reset it later, and wait for that"),),
        effect=Effect.HURTS,
        details="Asks first. It is a cold reset; `call reset.RESET` knows the states that a "
        "platform has besides.",
    ),
    watch_command("reset", "stream resets of domains", Feed(reset.Issued, _WATCH)),
)  # fmt: skip
