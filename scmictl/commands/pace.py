"""What can be known of performance domains, read of many at once: levels, limits, what they can do.

Each function takes domains and returns a row for each of them, in the same order. What a domain
does not have is None; see :class:`~scmictl.commands.subject.Row` for what could not be read.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from scmictl.agent import Resource
from scmictl.commands.command import Record
from scmictl.commands.context import Context
from scmictl.commands.scale import Scale, level_record, limits_record, scales
from scmictl.commands.subject import Row, ask
from scmictl.protocols import perf
from scmictl.wire import Request

WIDE_UNIT = 0x30000
"""From this version on the unit has two bits; before, one says mW."""
UNITS = {perf.PowerUnit.MILLIWATT: "mW", perf.PowerUnit.MICROWATT: "uW"}
"""The units of a power cost; on the abstract scale it has none."""


def states(
    ctx: Context,
    domains: Sequence[Resource],
    *,
    fresh: bool = False,
    level: bool = True,
    limits: bool = True,
) -> list[Row]:
    """Read level and limits, or one of them: the record of a domain.

    With ``fresh`` the descriptions in ``domains`` are new enough, and not read again.
    """
    return _states(ctx, domains, scales(ctx, domains, fresh=fresh), fresh, level, limits)


def _states(
    ctx: Context,
    domains: Sequence[Resource],
    known: dict[int, Scale],
    fresh: bool,
    level: bool,
    limits: bool,
) -> list[Row]:
    requests: dict[tuple[str, int], Request[Any]] = {}
    for resource in domains:
        if fresh and resource.error:
            continue
        if level:
            requests["level", resource.id] = perf.LevelGet(domain_id=resource.id)
        if limits:
            requests["limits", resource.id] = perf.LimitsGet(domain_id=resource.id)
    found = ask(ctx, requests)
    rows = []
    for resource in domains:
        scale = known[resource.id]
        row = Row(resource)
        if scale.description is None:
            row.fail(scale.error)
        elif resource.name is None:
            row.record["name"] = scale.description.name
        rows.append(row)
        if level:
            word = row.read(found.get(("level", resource.id)), "performance_level")
            row.record |= level_record(scale, word)
            _trust(row, scale, word, perf.LevelGet.SPEC)
        if limits:
            asked = found.get(("limits", resource.id))
            low, high = row.read(asked, "range_min"), row.read(asked, "range_max")
            row.record |= limits_record(scale, low, high)
            _trust(row, scale, low, perf.LimitsGet.SPEC)
            _trust(row, scale, high, perf.LimitsGet.SPEC)
        if level and limits:
            # The keys of the contract first.
            later = {key: row.record.pop(key) for key in ("frequency_khz", "level_index")}
            row.record |= later
    return rows


def brief(resource: Resource, response: Any) -> str:
    """Return a level in words, as far as it is known without asking for the others."""
    indexed = resource.description and resource.description.attributes.level_indexing_mode
    return f"{'index' if indexed else 'level'} {response.performance_level}"


def _trust(row: Row, scale: Scale, word: int | None, spec: str) -> None:
    """Note in the row that an index stands for no level."""
    if word is not None and scale.level(word) is None:
        row.fail(scale.doubt(word, spec))


def levels(ctx: Context, domains: Sequence[Resource], *, fresh: bool = False) -> list[Row]:
    """Read the levels each domain can have, with what they cost and how long they take."""
    known = scales(ctx, domains, fresh=fresh, listed=True)
    rows = []
    for resource in domains:
        scale = known[resource.id]
        row = Row(resource)
        row.fail(scale.error)
        if resource.name is None and scale.description is not None:
            row.record["name"] = scale.description.name
        row.record |= _ladder(ctx, scale)
        rows.append(row)
    return rows


def _ladder(ctx: Context, scale: Scale) -> Record:
    if scale.error is not None and not scale.levels:
        return dict.fromkeys(("lowest", "highest", "count", "levels"))
    unit = power_unit(ctx)
    there = [
        {
            "level": one.performance_level,
            "power": one.power_cost or None,
            "unit": unit if one.power_cost else None,
            "latency_us": one.attributes.transition_latency_us,
            "frequency_khz": scale.frequency_khz(one.performance_level),
            "index": one.level_index if scale.indexed else None,
        }
        for one in scale.levels
    ]
    numbers = [one.performance_level for one in scale.levels]
    return {
        "lowest": min(numbers, default=None),
        "highest": max(numbers, default=None),
        "count": len(numbers),
        "levels": there,
    }


def power_unit(ctx: Context) -> str | None:
    """Return the unit in which this platform counts power costs; None for an abstract scale."""
    attributes = ctx.discover(perf.PROTOCOL).attributes.attributes
    if ctx.version(perf.PROTOCOL) < WIDE_UNIT:
        return "mW" if attributes.power_in_mw else None
    return UNITS.get(attributes.power_unit)


def whole(ctx: Context, domains: Sequence[Resource], *, fresh: bool) -> list[Row]:
    """Read all that can be known of each domain."""
    known = scales(ctx, domains, fresh=fresh, listed=True)
    rows = _states(ctx, domains, known, fresh, True, True)
    for resource, row in zip(domains, rows, strict=True):
        scale = known[resource.id]
        row.fail(scale.error)
        row.record |= _abilities(scale.description)
        row.record["levels"] = _ladder(ctx, scale)["levels"]
    return rows


def _abilities(description: perf.DomainAttributesResponse | None) -> Record:
    if description is None:
        return {}
    attributes = description.attributes
    kinds = {
        "limits": attributes.limits_change_notifications,
        "level": attributes.level_change_notifications,
    }
    return {
        "can_set_level": attributes.can_set_level,
        "can_set_limits": attributes.can_set_limits,
        "notifications": [kind for kind, there in kinds.items() if there],
        "fastchannel": attributes.fastchannel,
        "level_indexing_mode": attributes.level_indexing_mode,
        "rate_limit_us": description.rate_limit.rate_limit_us or None,
        "sustained_frequency_khz": description.sustained_freq or None,
        "sustained_level": description.sustained_perf_level or None,
        "guaranteed_level": description.guaranteed_perf_level or None,
        "qos": _quality(description),
    }


def _quality(description: perf.DomainAttributesResponse) -> Record | None:
    """Return what a domain says of its quality of service; None before 4.1."""
    attributes, kinds = description.attributes, description.qos_capability_types
    if kinds is None:
        return None
    parent = description.qos_parent_id
    return {
        "only": attributes.qos_only_domain,
        "async_config": attributes.async_qos_config,
        "reduce_sustained_level": attributes.reduce_sustained_level,
        "architected_types": kinds.architected_types,
        "oem_types": kinds.oem_types,
        "parent": None if parent == perf.NO_PARENT else parent,
    }
