"""What can be known of clocks, read of many at once: state, rates, parents, permissions.

Each function takes clocks and returns a row for each of them, in the same order. What a clock does
not have is None; see :class:`~scmictl.commands.subject.Row` for what could not be read.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from scmictl import values
from scmictl.agent import Listing, Resource
from scmictl.commands.command import Asked, Record
from scmictl.commands.context import Context
from scmictl.commands.span import Keys, span_row
from scmictl.commands.subject import Row, ask, brief
from scmictl.errors import StatusError
from scmictl.protocols import Resources, clock
from scmictl.wire import Request, Status

EXTENDED = {
    "duty_cycle_percent": clock.ExtendedConfig.DUTY_CYCLE,
    "phase": clock.ExtendedConfig.PHASE,
}
"""The extended configurations of the specification; the unit of the phase is the vendor's."""

_RATES = Keys("rates", "hz")
_NO_CONFIG = (Status.INVALID_PARAMETERS, Status.NOT_SUPPORTED)


def has(resource: Resource, ability: str) -> bool:
    """Return whether the clock's attributes say that it has an ability."""
    return resource.description is not None and bool(
        getattr(resource.description.attributes, ability)
    )


def states(ctx: Context, clocks: Sequence[Resource], *, fresh: bool = False) -> list[Row]:
    """Read id, name, gate, rate and parent: the record of a clock.

    With ``fresh`` the descriptions in ``clocks`` are new enough, and not read again.
    """
    requests: dict[tuple[str, int], Request[Any]] = {}
    for resource in clocks:
        number = resource.id
        if not (fresh and (resource.description or resource.error)):
            requests["attributes", number] = clock.Attributes(clock_id=number)
        if not (fresh and resource.error):
            requests["rate", number] = clock.RateGet(clock_id=number)
        if has(resource, "parent_ids_available"):
            requests["parent", number] = clock.ParentGet(clock_id=number)
    found = ask(ctx, requests)
    rows = []
    for resource in clocks:
        number = resource.id
        row = Row(resource)
        asked = found.get(("attributes", number))
        if asked is None:
            row.fail(resource.error)
            attributes = resource.description.attributes if resource.description else None
        else:
            attributes = row.read(asked, "attributes")
            if resource.name is None:
                row.record["name"] = row.read(asked, "clock_name")
        parent = row.read(
            found.get(("parent", number)), "parent_id", absent=(Status.NOT_SUPPORTED,)
        )
        row.record |= {
            "enabled": None if attributes is None else attributes.enabled,
            "rate_hz": row.read(found.get(("rate", number)), "rate"),
            "parent": parent,
            "parent_name": name_of(ctx, parent),
        }
        rows.append(row)
    return rows


def glimpse(how: Resources, clocks: Sequence[Resource]) -> Asked:
    """Return rate and gate of each clock in a few words."""
    found = yield [
        request
        for one in clocks
        for request in (clock.RateGet(clock_id=one.id), clock.Attributes(clock_id=one.id))
    ]
    shown = []
    for one, rate, attributes in zip(clocks, found[::2], found[1::2], strict=True):
        text = brief(one, rate, lambda _, response: values.format_value(response.rate, "Hz"))
        off = attributes.error is None and not attributes.result().attributes.enabled
        shown.append(f"{text} (off)" if off else text)
    return shown


def name_of(ctx: Context, number: int | None) -> str | None:
    """Return the name of a clock, if it has one."""
    return None if number is None else ctx.discover(clock.PROTOCOL).name_of(number)


def rates(ctx: Context, clocks: Sequence[Resource]) -> list[Row]:
    """Read the rates each clock can have: a list, or lowest, highest and the step between."""
    listings = ctx.agent.listings(
        [clock.DescribeRates(clock_id=c.id, rate_index=0) for c in clocks]
    )
    return [_rates(resource, listing) for resource, listing in zip(clocks, listings, strict=True)]


def _rates(resource: Resource, listing: Listing) -> Row:
    first = listing.first
    triplet = (
        isinstance(first, clock.DescribeRatesResponse)
        and first.num_rates_flags.rate_format == clock.RateFormat.TRIPLET
    )
    return span_row(resource, listing, _RATES, listing.items, triplet=triplet)


def _items(row: Row, listing: Listing) -> list[int]:
    """Return the items of a list; platforms answer OUT_OF_RANGE for the start of an empty one."""
    error = listing.error
    empty = (
        listing.first is None
        and isinstance(error, StatusError)
        and error.status == Status.OUT_OF_RANGE
    )
    if not empty:
        row.fail(error)
    return listing.items


def parents(ctx: Context, clocks: Sequence[Resource], *, possible: bool = True) -> list[Row]:
    """Read the parent of each clock, and (``possible``) which clocks it could be.

    Clocks without parents have None for both.
    """
    able = [c for c in clocks if has(c, "parent_ids_available") or c.description is None]
    current = ask(ctx, {c.id: clock.ParentGet(clock_id=c.id) for c in able})
    listed = {}
    if possible:
        asks = [clock.PossibleParentsGet(clock_id=c.id, skip_parents=0) for c in able]
        listed = dict(zip((c.id for c in able), ctx.agent.listings(asks), strict=True))
    rows = []
    for resource in clocks:
        row = Row(resource)
        parent = row.read(current.get(resource.id), "parent_id", absent=(Status.NOT_SUPPORTED,))
        row.record |= {"parent": parent, "parent_name": name_of(ctx, parent)}
        if possible:
            listing = listed.get(resource.id)
            numbers = _items(row, listing) if listing is not None else None
            row.record["parents"] = (
                None if numbers is None else [{"id": n, "name": name_of(ctx, n)} for n in numbers]
            )
        rows.append(row)
    return rows


def configs(ctx: Context, clocks: Sequence[Resource]) -> list[Row]:
    """Read the gate and the extended configurations of each clock."""
    requests: dict[tuple[str, int], Request[Any]] = {}
    for resource in clocks:
        requests["enabled", resource.id] = clock.ConfigGet(clock_id=resource.id)
        if has(resource, "extended_config"):
            for key, kind in EXTENDED.items():
                requests[key, resource.id] = clock.ConfigGet(
                    clock_id=resource.id, flags=clock.ConfigGetFlags(extended_config_type=kind)
                )
    found = ask(ctx, requests)
    rows = []
    for resource in clocks:
        row = Row(resource)
        row.record["enabled"] = row.read(found["enabled", resource.id], "config.enabled")
        for key in EXTENDED:
            row.record[key] = row.read(
                found.get((key, resource.id)), "extended_config_val", absent=_NO_CONFIG
            )
        rows.append(row)
    return rows


def permissions(ctx: Context, clocks: Sequence[Resource]) -> list[Row]:
    """Read what this agent may do to each clock."""
    found = ask(ctx, {c.id: clock.GetPermissions(clock_id=c.id) for c in clocks})
    rows = []
    for resource in clocks:
        row = Row(resource)
        allowed = row.read(found[resource.id], "permissions")
        row.record |= (
            dict.fromkeys(part.key for part in clock.Permissions.PARTS)
            if allowed is None
            else {part.key: getattr(allowed, part.name) for part in clock.Permissions.PARTS}
        )
        rows.append(row)
    return rows


def whole(ctx: Context, clocks: Sequence[Resource], *, fresh: bool) -> list[Row]:
    """Read all that can be known of each clock."""
    rows = states(ctx, clocks, fresh=fresh)
    newest = ctx.version(clock.PROTOCOL) >= clock.ConfigGet.SINCE
    parts: dict[str, list[Row]] = {"rates": rates(ctx, clocks)}
    if newest:
        parts["possible"] = parents(ctx, clocks)
        parts["config"] = configs(ctx, clocks)
        if ctx.agent.implements(clock.GetPermissions):
            parts["permissions"] = permissions(ctx, clocks)
    for position, (resource, row) in enumerate(zip(clocks, rows, strict=True)):
        description = resource.description
        row.record |= {
            "enable_delay_us": description.clock_enable_delay or None if description else None,
            "notifications": [
                event
                for event in ("rate_changed", "rate_change_requested")
                if has(resource, f"{event}_notifications")
            ],
            "restricted": description.attributes.restricted if description else None,
        }
        for key in ("rates", "possible", "config", "permissions"):
            part = parts[key][position] if key in parts else None
            if part is not None:
                row.fail(part.error)
            row.record[key] = None if part is None else _without_name(part.record)
        possible = row.record.pop("possible")
        row.record["parents"] = possible["parents"] if possible else None
    return rows


def _without_name(record: Record) -> Record:
    return {key: value for key, value in record.items() if key not in ("id", "name")}
