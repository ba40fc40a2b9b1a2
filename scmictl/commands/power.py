"""`power`: the states of power domains.

A state is shown as ``on``, ``off`` or, being the platform's own, as the number it is on the wire.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any

from scmictl import values
from scmictl.agent import Resource, Transfer
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
from scmictl.commands.info import info_command
from scmictl.commands.subject import (
    Row,
    Subjects,
    Wanted,
    acceptance,
    accepted,
    ask,
    called,
    finished,
    glimpse,
)
from scmictl.commands.watch import Feed, watch_command
from scmictl.errors import NotOffered, Partial, ScmictlError, TransferTimeout, UsageError
from scmictl.protocols import power
from scmictl.wire import Effect

POLL_S = 0.002
"""The pause before an asynchronous change is looked for again; it doubles up to POLL_MOST_S."""
POLL_MOST_S = 0.1
SHARED_MEMORY_ID = 1
"""The virtio shared memory that the statistics of power domains would be in."""

_NAMES = {"on": power.ON, "off": power.OFF}

_COLUMNS = (
    Column("id", "ID"),
    Column("name", "NAME"),
    Column("state", "STATE"),
    Column("raw_state", "RAW", wide=True),
)
_WATCH = (Column("name", "NAME"), Column("state", "STATE"), Column("agent_id", "AGENT"))
_SHOW = (
    Column("id", "id"),
    Column("name", "name"),
    Column("state", "state"),
    Column("raw_state", "raw state"),
    Column("state_set_sync", "can be set, and waited for"),
    Column("state_set_async", "can be set without waiting"),
    Column("notifications", "notifications"),
)
_STATS = (
    Column("address", "physical address"),
    Column("length_bytes", "length", "B"),
    Column("shared_memory_id", "virtio shared memory"),
)

_called = partial(called, "power domain")


# --- reading --------------------------------------------------------------------------------------


def list_(ctx: Context, args: Arguments) -> Output:
    """List power domains with their states."""
    chosen = Subjects(ctx, power.PROTOCOL, args.pattern or ["all"])
    return finished(states(ctx, chosen.resources), _COLUMNS)


def get(ctx: Context, args: Arguments) -> Output:
    """Show the state of a power domain."""
    chosen = _chosen(ctx, args)
    return chosen.output(states(ctx, chosen.resources), _COLUMNS)


def show(ctx: Context, args: Arguments) -> Output:
    """Show all that can be known of a power domain."""
    chosen = _chosen(ctx, args)
    rows = states(ctx, chosen.resources)
    for row in rows:
        description = row.resource.description
        attributes = None if description is None else description.attributes
        row.record |= {
            "state_set_sync": attributes and attributes.state_set_sync,
            "state_set_async": attributes and attributes.state_set_async,
            "notifications": attributes and _notifications(attributes),
        }
    return chosen.output(rows, _SHOW, partial=True)


def _notifications(attributes: power.AttributesWord) -> list[str]:
    """Return what a domain says it tells; only from 3.0 on it can say so of requests."""
    told = {
        "state_changed": attributes.state_change_notifications,
        "state_change_requested": attributes.state_change_requested_notifications,
    }
    return [name for name, bit in told.items() if bit]


def states(ctx: Context, domains: Sequence[Resource]) -> list[Row]:
    """Read id, name and state: the record of a power domain."""
    found = ask(ctx, {one.id: power.StateGet(domain_id=one.id) for one in domains})
    rows = []
    for resource in domains:
        row = Row(resource)
        row.fail(resource.error)
        state = row.read(found[resource.id], "power_state")
        row.record |= {"state": None, "raw_state": None} if state is None else state_record(state)
        rows.append(row)
    return rows


def state_record(state: int) -> Record:
    """Return a power state as the keys of a record have it."""
    return {"state": state_text(state), "raw_state": int(state)}


def state_text(state: int) -> str:
    """Return the name of a power state, or its number where it has none."""
    return next((name for name, value in _NAMES.items() if value == state), f"{state:#x}")


def _meaning(ctx: Context, resource: Resource, message: Any) -> Record:
    return state_record(message.power_state)


def stats(ctx: Context, args: Arguments) -> Output:
    """Show where the platform keeps its statistics of power domains."""
    ctx.version(power.PROTOCOL)
    found = ctx.agent.call(power.ProtocolAttributes())
    if not found.statistics_len:
        raise NotOffered(
            "the platform has no statistics of power domains (statistics_len is 0)",
            hint="over virtio they need VIRTIO_SCMI_F_SHARED_MEMORY; `power watch` shows changes",
        )
    ctx.notice(
        "the statistics lie in memory that the platform shares, and no message carries them: "
        "scmictl does not map it, so their contents are unknown"
    )
    record: Record = {
        "address": found.statistics_address,
        "length_bytes": found.statistics_len,
        "shared_memory_id": SHARED_MEMORY_ID,
    }
    return Rows([record], _STATS, many=False)


def _chosen(ctx: Context, args: Arguments) -> Subjects:
    return Subjects(ctx, power.PROTOCOL, [args.id])


# --- writing --------------------------------------------------------------------------------------


def set_(ctx: Context, args: Arguments) -> Output:
    """Set the state of a power domain, and show what it has become."""
    later = bool(args.given().get("async"))
    state = _state(args.state)
    chosen = _chosen(ctx, args)
    _check(chosen, later)
    flags = power.StateSetFlags(async_=later)
    wanted = [
        [
            Wanted(
                power.StateSet(domain_id=one.id, flags=flags, power_state=power.PowerState(state)),
                what=f"{_called(one)} loses its context, and what is in it stops",
            )
        ]
        for one in chosen.resources
    ]
    if later:
        return _set_later(ctx, chosen, wanted, state)
    failed = chosen.write(wanted)
    rows = states(ctx, chosen.resources)
    output = chosen.output(rows, _COLUMNS, failed=failed)
    for row in rows:
        if row.error is None and row.record["raw_state"] != state:
            ctx.notice(
                f"{_called(row.resource)} is {row.record['state']}, not {state_text(state)}: "
                "another agent needs it, or has changed it since"
            )
    return output


def _check(chosen: Subjects, later: bool) -> None:
    """Raise NotOffered if a single domain says that it cannot be set like that."""
    for resource in chosen.resources if not chosen.many else ():
        if resource.description is None:
            continue
        attributes = resource.description.attributes
        sync, asynchronous = attributes.state_set_sync, attributes.state_set_async
        if not sync and not asynchronous:
            raise NotOffered(
                f"{_called(resource)} cannot be set by this agent "
                "(its attributes state_set_sync and state_set_async are not set)"
            )
        if later and not asynchronous:
            raise NotOffered(
                f"{_called(resource)} has no asynchronous changes "
                "(its attribute state_set_async is not set)",
                hint="omit --async",
            )
        if not later and not sync:
            raise NotOffered(
                f"{_called(resource)} has only asynchronous changes "
                "(its attribute state_set_sync is not set)",
                hint="add --async",
            )


def _set_later(
    ctx: Context, chosen: Subjects, wanted: Sequence[Sequence[Wanted]], state: int
) -> Output:
    """Start asynchronous changes: first every acceptance, then every domain when it is there."""
    transfers = [ctx.send(request) for [request] in chosen.allow(wanted)]
    if not chosen.many:
        transfers[0].result()
    return Stream(_as_they_come(ctx, chosen, transfers, state), accepted(_COLUMNS))


def _as_they_come(
    ctx: Context, chosen: Subjects, transfers: Sequence[Transfer[Any]], state: int
) -> Iterator[Record]:
    until = ctx.agent.waiter.now() + ctx.agent.delayed_timeout
    for resource, transfer in zip(chosen.resources, transfers, strict=True):
        if transfer.error is None:
            yield acceptance(resource, _COLUMNS)
    failures = 0
    for resource, transfer in zip(chosen.resources, transfers, strict=True):
        wait = state if transfer.error is None else None
        row = _reached(ctx, resource, wait, until)
        error: ScmictlError | None = transfer.error or row.error
        row.error = error
        if error is not None and not chosen.many:
            raise error
        failures += error is not None
        yield row.finish()
    if failures:
        raise Partial(f"{failures} of {len(transfers)} power domains could not be set")


def _reached(ctx: Context, resource: Resource, state: int | None, until: float) -> Row:
    """Read a domain until it is in ``state`` (None: once): no delayed response says when.

    After ``until`` the row has a TransferTimeout.
    """
    agent, pause = ctx.agent, POLL_S
    while True:
        [row] = states(ctx, [resource])
        if state is None or row.error is not None or row.record["raw_state"] == state:
            return row
        now = agent.waiter.now()
        if now >= until:
            row.fail(
                TransferTimeout(
                    f"{_called(resource)} is still {row.record['state']} after "
                    f"{agent.delayed_timeout:g} s, expected {state_text(state)}",
                    hint="--delayed-timeout waits longer; another agent may need it as it is",
                )
            )
            return row
        agent.pause(min(pause, until - now))
        pause = min(2 * pause, POLL_MOST_S)


def check_state(args: Arguments) -> None:
    """Raise UsageError for what cannot be a power state."""
    _state(args.state)


def _state(word: str) -> int:
    if word in _NAMES:
        return _NAMES[word]
    state = values.number(word)
    if not 0 <= state <= 0xFFFFFFFF:
        raise UsageError(f"found the state {word}, expected on, off or 0 to 0xffffffff")
    return state


# --- the table ------------------------------------------------------------------------------------

_ID = Arg("id", "number or name of a power domain; a glob or 'all' for several", "ids", of="power")


def _command(verb: str, help: str, run: Run, *args: Arg, **more: Any) -> Command:
    return Command("power", verb, help, run, args=args, **more)


COMMANDS = (
    _command(
        "list", "list power domains with their states", list_,
        Arg("pattern", "only these domains", "ids", of="power", required=False, many=True),
        glimpse=glimpse(power.StateGet, lambda _, response: state_text(response.power_state)),
    ),
    _command("show", "show all that can be known of a power domain", show, _ID),
    info_command("power"),
    _command("get", "show the state of a power domain", get, _ID),
    _command(
        "set", "set the state of a power domain", set_,
        _ID, Arg("state", "the state", "choice", choices=("on", "off", "0x…")),
        options=(Opt("--async", "let the platform change it later, and wait for that"),),
        effect=Effect.HURTS, validate=check_state,
        details="Asks first for off, and for every other state in which the domain loses its "
        "context (bit 30). The numbers of other states are the platform's own.",
    ),
    watch_command(
        "power", "stream state changes of power domains",
        Feed(power.StateChanged, _WATCH, power.StateGet, meaning=_meaning),
        Feed(
            power.StateChangeRequested, _WATCH, power.StateGet,
            (Opt("--requested", "what other agents ask for, not what the state becomes"),),
            meaning=_meaning,
        ),
    ),
    _command(
        "stats", "show where the statistics of power domains are", stats,
        details="What the statistics say is in memory that the platform shares; no message "
        "carries it, and scmictl does not map it.",
    ),
)  # fmt: skip
