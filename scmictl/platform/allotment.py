"""Reads the power capping domains of a board, and checks that they make sense together."""

from __future__ import annotations

from scmictl import values
from scmictl.errors import UsageError
from scmictl.platform import permission
from scmictl.platform.board import Table, shown, unique
from scmictl.platform.budget import (
    CONTROLS,
    SYMBOLS,
    U32,
    UNITS,
    Domain,
    Interval,
    Limit,
    Range,
)
from scmictl.platform.waveform import Waveform
from scmictl.protocols import powercap

MOST_DOMAINS = 0xFFFF
MOST_LIMITS = 15
"""What the bits for the number of a domain's limits can say."""

LIMIT_KEYS = ("name", "cap", "caps", "cai", "cais")
KEYS = (
    *LIMIT_KEYS, "unit", "parent", "pai", "pais", "power", "swing", "noise", "period",
    "sustainable", "accuracy", "latency", "monitoring", "notify", "async", "fast_channels",
    "restrict", "limit",
)  # fmt: skip
TRIPLET = ("lowest", "highest", "step")
PLAIN_INTERVAL = "100ms"


def read(board: Table, seed: int, agent_id: permission.AgentId) -> list[Domain]:
    """Read the ``[[powercap]]`` tables of a board; raises BoardError.

    ``agent_id`` finds an agent by the name that stands at a key of a table.
    """
    rows = [row.only(*KEYS) for row in board.tables("powercap")]
    if len(rows) > MOST_DOMAINS:
        raise board.error("powercap", f"at most {MOST_DOMAINS} power capping domains")
    domains = [_domain(id, row, seed, agent_id) for id, row in enumerate(rows)]
    ids = unique((row, domain.name) for row, domain in zip(rows, domains, strict=True))
    for domain, row in zip(domains, rows, strict=True):
        if "parent" not in row:
            continue
        if row.text("parent") not in ids:
            raise row.error("parent", "the name of a power capping domain of this board")
        parent = domains[ids[row.text("parent")]]
        if (SYMBOLS[parent.unit] is None) != (SYMBOLS[domain.unit] is None):
            raise row.error("parent", "a parent in watts for one in watts, else one that is not")
        domain.parent = parent
        parent.children.append(domain)
    _gather(domains, rows)
    return domains


def _domain(id: int, row: Table, seed: int, agent_id: permission.AgentId) -> Domain:
    unit = UNITS[row.choice("unit", tuple(UNITS), "mW")]
    symbol = SYMBOLS[unit]
    wave = Waveform(
        (seed, powercap.ID, id),
        _power(row, "power", symbol, 0),
        swing=_power(row, "swing", symbol, 0),
        period_us=max(1, row.time("period", "60s").ticks // 10**10),
        noise=_power(row, "noise", symbol, 0),
        lowest=0,
        highest=U32,
    )
    extra = [_limit(more.only(*LIMIT_KEYS), symbol) for more in row.tables("limit")]
    capped = "cap" in row or "caps" in row
    if extra and not capped:
        raise row.error("limit", "more limits only for a domain with a cap")
    if len(extra) >= MOST_LIMITS:
        raise row.error("limit", f"at most {MOST_LIMITS - 1} limits besides the domain's own")
    limits = (_limit(row, symbol), *extra) if capped else ()
    unique(zip([row, *row.tables("limit")], (limit.name for limit in limits), strict=False))
    domain = Domain(id, row.text("name"), unit, wave, limits)
    domain.pai = _interval(row, "pai")
    domain.sustainable = _power(row, "sustainable", symbol, 0)
    domain.accuracy = row.integer("accuracy", 0, 100_000, 0)
    domain.latency = row.time("latency", "1ms").seconds
    domain.monitoring = row.flag("monitoring", True)
    if not domain.monitoring and not domain.configurable:
        raise row.error("monitoring", "true where the cap cannot be set")
    domain.notify = row.flag("notify", True)
    domain.asynchronous = row.flag("async", False)
    if domain.asynchronous and not domain.configurable:
        raise row.error("async", "false where the cap cannot be set")
    domain.fastchannel = row.flag("fast_channels", False)
    domain.restricted = permission.lacking(row, CONTROLS, agent_id)
    return domain


def _limit(row: Table, symbol: str | None) -> Limit:
    if "caps" in row:
        table = row.table("caps").only(*TRIPLET)
        lowest, highest, step = (_power(table, key, symbol) for key in TRIPLET)
        caps = _range(table, lowest, highest, step)
        cap = _power(row, "cap", symbol, highest)
        if cap and not caps.has(cap):
            raise row.error("cap", f"0, or {caps}")
    else:
        cap = _power(row, "cap", symbol)
        if not cap:
            raise row.error("cap", "a cap that is not 0 where there are no caps to set")
        caps = Range(cap, cap)
    return Limit(row.text("name"), caps, cap, _interval(row, "cai"))


def _interval(row: Table, key: str) -> Interval:
    """Read an averaging interval: what it can be stands at the plural of ``key``."""
    if key + "s" in row:
        table = row.table(key + "s").only(*TRIPLET)
        range = _range(table, *(_microseconds(table, each) for each in TRIPLET))
        us = _microseconds(row, key) if key in row else range.lowest
        if not range.has(us):
            raise row.error(key, f"{range} us")
        return Interval(range, us)
    us = _microseconds(row, key, PLAIN_INTERVAL)
    return Interval(Range(us, us), us)


def _range(table: Table, lowest: int, highest: int, step: int) -> Range:
    if not lowest:
        raise table.error("lowest", "more than 0")
    if not step:
        raise table.error("step", "more than 0")
    if highest <= lowest or (highest - lowest) % step:
        raise table.error("highest", "more than lowest, by a whole number of steps")
    return Range(lowest, highest, step)


def _microseconds(table: Table, key: str, default: str | None = None) -> int:
    us, rest = divmod(table.time(key, default).ticks, 10**10)
    if rest or not 1 <= us <= U32:
        raise table.error(key, f"a time of 1 to {U32} whole microseconds")
    return us


def _power(table: Table, key: str, symbol: str | None, default: int | None = None) -> int:
    """Take a power: an integer in the domain's unit, or a text such as "15W"."""
    value = table.values.get(key, default)
    if isinstance(value, str) and symbol is not None:
        try:
            value = values.number(value, symbol)
        except UsageError:
            value = None
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= U32:
        example = "" if symbol is None else f' in {symbol}, or a text such as "15W"'
        raise table.error(key, f"a power from 0 to {U32}{example}")
    return value


def _gather(domains: list[Domain], rows: list[Table]) -> None:
    """Give every domain the list of its whole tree, parents first; raises for a circle."""
    for root in domains:
        if root.parent is None:
            family = [root]
            for domain in family:  # grows while it is walked
                family += domain.children
            whole = tuple(family)
            for domain in whole:
                domain.family = whole
    for domain, row in zip(domains, rows, strict=True):
        if not domain.family:
            assert domain.parent is not None
            raise row.error(
                "parent",
                "a parent that does not lead back to the domain",
                shown(domain.parent.name),
            )
