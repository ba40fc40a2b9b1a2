"""`subscribe` and `unsubscribe`: notifications that last until undone or the connection ends."""

from __future__ import annotations

from scmictl.agent import Resource
from scmictl.commands import event
from scmictl.commands.command import Arguments, Column, Output, Record, Rows
from scmictl.commands.context import Context
from scmictl.commands.event import Switch
from scmictl.commands.follow import resource_of
from scmictl.commands.hold import Holds
from scmictl.commands.subject import Subjects
from scmictl.errors import ScmictlError, UsageError

_COLUMNS = (
    Column("event", "EVENT"),
    Column("id", "ID"),
    Column("name", "NAME"),
    Column("subscribed", "SUBSCRIBED"),
)


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
        _COLUMNS,
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
    return Rows(rows, _COLUMNS)


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


def check(args: Arguments) -> None:
    """Raise UsageError for an event that does not exist, and for ids of one that has none."""
    if args.event is not None:
        switch = event.find(args.event)
        if args.ids and switch.id is None:
            raise UsageError(f"{switch.event.SPEC} is about the platform: it takes no ids")
