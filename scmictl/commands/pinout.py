"""What can be known of pins, groups and functions, read of many at once.

Each function takes things of one kind, ``how``, and returns a row for each of them, in the same
order. What a thing does not have is None; see :class:`~scmictl.commands.subject.Row` for what could
not be read. No message tells who has claimed what, so no row does.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from scmictl.agent import Listing, Resource
from scmictl.commands.command import Asked, Record
from scmictl.commands.context import Context
from scmictl.commands.subject import Row, ask, brief
from scmictl.protocols import Resources, pinctrl, setting
from scmictl.protocols.pinctrl import FUNCTIONS, GROUPS, NO_FUNCTION, PINS, PROTOCOL
from scmictl.wire import Status

ABSENT = (Status.NOT_SUPPORTED, Status.NOT_FOUND)


def selector(how: Resources) -> pinctrl.Selector:
    """Return what says in a message that things of this kind are meant."""
    return pinctrl.Selector(PROTOCOL.kinds.index(how))


def start(resource: Resource, how: Resources, **more: Any) -> Row:
    """Return a row with nothing but which thing it is."""
    row = Row(resource)
    row.record = {"id": resource.id, "kind": how.noun, "name": resource.name, **more}
    row.fail(resource.error)
    return row


def states(ctx: Context, how: Resources, things: Sequence[Resource]) -> list[Row]:
    """Read the function that is selected on each: the record of a pin, group or function."""
    asked = things if how is not FUNCTIONS else ()
    found = ask(ctx, {r.id: pinctrl.function_of(selector(how), r.id) for r in asked})
    rows = []
    for resource in things:
        word = resource.description.attributes if resource.description else None
        use = word if how is FUNCTIONS else None
        row = start(resource, how)
        number = row.read(found.get(resource.id), "function_selected")
        row.record |= {
            **selected(ctx, number),
            "elements": None if word is None else word.number_of_elements,
            "gpio": None if use is None else use.gpio_function,
            "pin_only": None if use is None else use.pin_only,
        }
        rows.append(row)
    return rows


def selected(ctx: Context, number: int | None) -> Record:
    """Return the keys for the selected function, whose name is read if need be."""
    if number is None or number == NO_FUNCTION:
        return {"function": None, "function_id": None}
    [function] = named(ctx, FUNCTIONS, [number])
    return {"function": function["name"], "function_id": number}


def glimpse(how: Resources, things: Sequence[Resource]) -> Asked:
    """Return what the function is called that is selected on each pin or group."""
    if how is FUNCTIONS:
        return [""] * len(things)
    found = yield [pinctrl.function_of(selector(how), r.id) for r in things]
    numbers = {
        transfer.response.function_selected
        for transfer in found
        if transfer.error is None and transfer.response is not None
    }
    asked = sorted(numbers - {NO_FUNCTION})
    described = yield [FUNCTIONS.describing(number) for number in asked]
    names = {
        number: brief(Resource(number), transfer, lambda _, response: str(response.name))
        for number, transfer in zip(asked, described, strict=True)
    }
    return [
        brief(r, transfer, lambda _, response: names.get(response.function_selected, ""))
        for r, transfer in zip(things, found, strict=True)
    ]


def named(ctx: Context, how: Resources, numbers: Sequence[int]) -> list[Record]:
    """Return ids with the names that belong to them."""
    found = ctx.discover(PROTOCOL, how)
    return [{"id": n, "name": found.name_of(n)} for n in numbers]


def configs(ctx: Context, how: Resources, things: Sequence[Resource]) -> list[Row]:
    """Read the function and the settings of each pin or group."""
    asks = [pinctrl.settings_of(selector(how), r.id) for r in things]
    rows = []
    for resource, listing in zip(things, ctx.agent.listings(asks), strict=True):
        row = start(resource, how)
        row.fail(listing.error)
        first = listing.first
        function = (
            first.function_selected if isinstance(first, pinctrl.SettingsGetResponse) else None
        )
        read = first is not None or bool(listing.items)
        settings = {setting.key(config.type): config.value for config in listing.items}
        row.record |= {**selected(ctx, function), "settings": settings if read else None}
        rows.append(row)
    return rows


def associations(ctx: Context, how: Resources, things: Sequence[Resource]) -> list[Row]:
    """Read the pins of each group, or the groups or pins that each function can be used on."""
    rows = []
    for resource, listing in zip(things, _listed(ctx, how, things), strict=True):
        row = start(resource, how, pins=None, groups=None)
        row.fail(listing.error)
        if listing.first is not None or listing.items:
            kind = PINS if how is not FUNCTIONS or _pin_only(resource) else GROUPS
            row.record[f"{kind.noun}s"] = named(ctx, kind, listing.items)
        rows.append(row)
    return rows


def _listed(ctx: Context, how: Resources, things: Sequence[Resource]) -> list[Listing]:
    flags = pinctrl.SelectorFlags(selector=selector(how))
    return ctx.agent.listings(
        [pinctrl.ListAssociations(identifier=r.id, flags=flags, index=0) for r in things]
    )


def _pin_only(function: Resource) -> bool:
    return function.description is not None and bool(function.description.attributes.pin_only)


def whole(ctx: Context, how: Resources, things: Sequence[Resource]) -> list[Row]:
    """Read all that can be known of each."""
    rows = states(ctx, how, things)
    listed = ctx.agent.implements(pinctrl.ListAssociations)
    parts: list[list[Row]] = []
    if how is not FUNCTIONS:
        parts.append(configs(ctx, how, things))
    if how is not PINS and listed:
        parts.append(associations(ctx, how, things))
    for part in parts:
        for row, more in zip(rows, part, strict=True):
            row.record |= {**more.record, **row.record}
            row.fail(more.error)
    if how is not FUNCTIONS and listed:
        _backwards(ctx, how, rows)
    return rows


def _backwards(ctx: Context, how: Resources, rows: Sequence[Row]) -> None:
    """Add what has each pin or group among its associations: groups and functions."""
    keys = {"groups": GROUPS, "functions": FUNCTIONS} if how is PINS else {"functions": FUNCTIONS}
    for key, kind in keys.items():
        holders = ctx.discover(PROTOCOL, kind).resources
        if kind is FUNCTIONS:
            holders = [f for f in holders if _pin_only(f) is (how is PINS)]
        found: dict[int, list[int]] = {}
        errors = None
        for holder, listing in zip(holders, _listed(ctx, kind, holders), strict=True):
            for number in listing.items:
                found.setdefault(number, []).append(holder.id)
            # What this agent may not see says nothing about what it may.
            if getattr(listing.error, "status", None) not in ABSENT:
                errors = errors or listing.error
        for row in rows:
            # Of what does not exist for this agent, nothing is known, whatever others say of it.
            there = row.resource.description is not None
            numbers = found.get(row.resource.id, ())
            row.record[key] = named(ctx, kind, numbers) if there else None
            row.fail(errors)
