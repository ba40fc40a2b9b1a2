"""What can be known of power capping domains, read of many at once: caps, intervals, power.

Each function takes domains and returns a row for each of them, in the same order. What a domain
does not have is None; see :class:`~scmictl.commands.subject.Row` for what could not be read. Powers
are in the unit of their domain, which stands in ``unit``; it is empty on an abstract scale.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from scmictl import values
from scmictl.agent import Listing, Resource
from scmictl.commands import subject
from scmictl.commands.command import Record
from scmictl.commands.context import Context
from scmictl.commands.subject import Row, ask
from scmictl.errors import StatusError, UsageError
from scmictl.protocols import powercap
from scmictl.wire import Message, Request, Status
from scmictl.wire.record import enum_name

OFF = "off"
U32 = 0xFFFFFFFF
LIMITS = powercap.CpcAttributes.SINCE

_UNITS = {powercap.PowerUnit.MILLIWATTS: "mW", powercap.PowerUnit.MICROWATTS: "uW"}
_ABSENT = (Status.NOT_SUPPORTED,)


# --- what a domain is -----------------------------------------------------------------------------


def has(resource: Resource, *abilities: str) -> bool:
    """Return whether the domain's attributes say that it has one of these abilities.

    An ability that is called something else in another version has both names.
    """
    description = resource.description
    return description is not None and any(
        getattr(description.attributes, ability) for ability in abilities
    )


def called(resource: Resource) -> str:
    """Return a domain for people: ``domain 0 (soc)``."""
    return subject.called("domain", resource)


def unit(resource: Resource) -> str | None:
    """Return the unit of a domain's powers; None if it is not known, empty if there is none."""
    description = resource.description
    return None if description is None else _UNITS.get(description.attributes.power_unit, "")


def parent_of(resource: Resource) -> int | None:
    """Return the number of the domain above; None for a root."""
    description = resource.description
    if description is None or description.parent_id == powercap.NO_PARENT:
        return None
    return int(description.parent_id)


# --- powers as they are typed ---------------------------------------------------------------------


def check_power(text: str) -> None:
    """Raise UsageError for what is no power in any domain's unit."""
    typed = values.quantity(text)
    try:
        typed.convert(None)
    except UsageError:
        typed.convert("W")


def has_unit(text: str) -> bool:
    """Return whether a power can only be understood with the unit of its domain."""
    return text != OFF and values.quantity(text).unit is not None


def described(ctx: Context, resources: Sequence[Resource]) -> list[Resource]:
    """Return the domains, those that nothing is known of as they describe themselves now.

    What does not exist for the agent stays as it is. Raises why another one has no description: in
    a wrong unit, a power could be a thousand times too low or too high.
    """
    unknown = [resource for resource in resources if resource.description is None]
    found = ask(ctx, {r.id: powercap.DomainAttributes(domain_id=r.id) for r in unknown})
    known = {}
    for resource in unknown:
        transfer = found[resource.id]
        error = transfer.error
        if error is None:
            known[resource.id] = Resource(resource.id)
            known[resource.id].description = transfer.response
        elif not isinstance(error, StatusError) or error.status != Status.NOT_FOUND:
            raise error
    return [known.get(resource.id, resource) for resource in resources]


def power(resource: Resource, text: str) -> int:
    """Return a power as the domain counts it; raises UsageError where that is impossible.

    The powers of a domain that nothing is known of are taken for milliwatts.
    """
    symbol = unit(resource)
    try:
        found = values.number(text, "mW" if symbol is None else symbol or None)
    except UsageError as error:
        raise UsageError(f"{called(resource)}: {error.message}", hint=error.hint) from error
    if not 0 <= found <= U32:
        raise UsageError(
            f"{called(resource)}: found {text!r}, expected 0 to {U32} {symbol or ''}".rstrip()
        )
    return found


def thresholds(resource: Resource, below: str | None, above: str | None) -> Mapping[str, int]:
    """Return the fields of a request for news of the power; raises UsageError."""
    low = power(resource, below) if below else 0
    high = power(resource, above) if above else U32
    if low > high:
        raise UsageError(f"{called(resource)}: below {below} and above {above} is everything")
    return {"power_thresh_low": low, "power_thresh_high": high}


# --- what is read ---------------------------------------------------------------------------------


def meaning(ctx: Context, resource: Resource, message: Message) -> Record:
    """Return cap or power as a message tells it, with its unit."""
    record: Record = {"unit": unit(resource)}
    if isinstance(message, powercap.CapGetResponse | powercap.CapChanged):
        record["cap"] = message.power_cap
    elif isinstance(message, powercap.MeasurementsGetResponse | powercap.MeasurementsChanged):
        record["power"] = message.power
    return record


def brief(resource: Resource, response: Any) -> str:
    """Return a cap in words."""
    cap = response.power_cap
    return values.format_value(cap, unit(resource)) if cap else OFF


def states(ctx: Context, domains: Sequence[Resource]) -> list[Row]:
    """Read id, name, cap, unit and parent: the record of a domain."""
    found = ask(ctx, {d.id: powercap.CapGet(domain_id=d.id) for d in domains if d.error is None})
    rows = []
    for resource in domains:
        row = Row(resource)
        row.fail(resource.error)
        parent = parent_of(resource)
        row.record |= {
            "cap": row.read(found.get(resource.id), "power_cap", absent=_ABSENT),
            "unit": unit(resource),
            "parent": parent,
            "parent_name": name_of(ctx, parent),
        }
        rows.append(row)
    return rows


def name_of(ctx: Context, number: int | None) -> str | None:
    """Return the name of a domain, if it has one."""
    return None if number is None else ctx.discover(powercap.PROTOCOL).name_of(number)


def intervals(ctx: Context, domains: Sequence[Resource]) -> list[Row]:
    """Read the averaging interval of each domain."""
    found = ask(ctx, {d.id: powercap.PaiGet(domain_id=d.id) for d in domains})
    rows = []
    for resource in domains:
        row = Row(resource)
        row.record["pai_us"] = row.read(found[resource.id], "pai", absent=_ABSENT)
        rows.append(row)
    return rows


def measurements(ctx: Context, domains: Sequence[Resource]) -> list[Row]:
    """Read the average power of each domain, and the interval that it was taken over.

    Domains that say that they are not monitored are not asked.
    """
    able = [d for d in domains if has(d, "monitoring") or d.description is None]
    found = ask(ctx, {d.id: powercap.MeasurementsGet(domain_id=d.id) for d in able})
    rows = []
    for resource in domains:
        row = Row(resource)
        transfer = found.get(resource.id)
        row.record |= {
            "power": row.read(transfer, "power", absent=_ABSENT),
            "unit": unit(resource),
            "pai_us": row.read(transfer, "pai", absent=_ABSENT),
        }
        rows.append(row)
    return rows


def whole(ctx: Context, domains: Sequence[Resource]) -> list[Row]:
    """Read all that can be known of each domain."""
    rows = states(ctx, domains)
    there = [row.resource for row in rows if row.error is None]
    parts = {
        key: {row.resource.id: row for row in read(ctx, there)}
        for key, read in (("power", measurements), ("pai_us", intervals), ("limits", limits))
    }
    for row in rows:
        row.record |= _described(row.resource)
        for key, part in parts.items():
            found = part.get(row.resource.id)
            if found is not None:
                row.fail(found.error)
                row.record[key] = found.record[key]
    return rows


def _described(resource: Resource) -> Record:
    """Return what the description says beyond the record of a list."""
    one = resource.description
    record: Record = {"power": None, "pai_us": None}
    if one is None:
        return {**record, "limits": None}
    events = {
        "cap_changed": ("cap_pai_change_notify", "cap_change_notify", "cai_change_notify"),
        "measurements_changed": ("measurements_change_notify", "mai_change_notify"),
    }
    return {
        **record,
        "scale": enum_name(powercap.PowerUnit, one.attributes.power_unit),
        "cap_configurable": has(resource, "cap_configurable"),
        "async_cap_set": has(resource, "async_cap_set"),
        "min_cap": one.min_power_cap,
        "max_cap": one.max_power_cap,
        "cap_step": one.power_cap_step,
        "sustainable_power": one.sustainable_power or None,
        "monitoring": has(resource, "monitoring"),
        "accuracy_percent": one.accuracy / 1000 if one.accuracy % 1000 else one.accuracy // 1000,
        "pai_configurable": has(resource, "pai_configurable", "mai_configurable"),
        "min_pai_us": one.min_pai,
        "max_pai_us": one.max_pai,
        "pai_step_us": one.pai_step,
        "notifications": [event for event, bits in events.items() if has(resource, *bits)],
        "fastchannel": has(resource, "fastchannel"),
        "limits": None,
    }


# --- concurrent limits ----------------------------------------------------------------------------


def limits(ctx: Context, domains: Sequence[Resource]) -> list[Row]:
    """Read the concurrent power limits of each domain, with their caps; None before 3.0."""
    rows = [Row(resource, limits=None) for resource in domains]
    if ctx.version(powercap.PROTOCOL) < LIMITS or not ctx.agent.implements(powercap.CpcAttributes):
        return rows
    able = [row for row in rows if has(row.resource, "num_cpls")]
    listings = ctx.agent.listings(
        [powercap.CpcAttributes(domain_id=row.resource.id, desc_index=0) for row in able]
    )
    requests: dict[tuple[str, int, int], Request[Any]] = {}
    for row, listing in zip(able, listings, strict=True):
        row.fail(listing.error)
        for one in listing.items:
            place = row.resource.id, one.cpli
            requests["cap", *place] = powercap.CapGet(domain_id=place[0], cpli=place[1])
            requests["cai", *place] = powercap.CaiGet(domain_id=place[0], cpli=place[1])
    found = ask(ctx, requests)
    for row, listing in zip(able, listings, strict=True):
        row.record["limits"] = [_limit(row, one, found) for one in _items(listing)]
    return rows


def _items(listing: Listing) -> list[powercap.CplDescription]:
    return list(listing.items)


def _limit(row: Row, one: powercap.CplDescription, found: Mapping[Any, Any]) -> Record:
    place = row.resource.id, one.cpli
    return {
        "id": one.cpli,
        "name": one.name,
        "cap": row.read(found["cap", *place], "power_cap", absent=_ABSENT),
        "cap_configurable": one.flags.cap_configurable,
        "min_cap": one.min_power_cap,
        "max_cap": one.max_power_cap,
        "cap_step": one.power_cap_step,
        "cai_us": row.read(found["cai", *place], "cai", absent=_ABSENT),
        "min_cai_us": one.min_cai or None,
        "max_cai_us": one.max_cai or None,
        "cai_step_us": one.cai_step,
    }
