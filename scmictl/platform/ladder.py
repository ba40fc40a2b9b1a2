"""Performance domains: the levels each can have, the limits that hold, and the level it has.

Theory of operation: every agent, and the platform itself (agent 0), can have an upper and a lower
limit of its own for a domain. They hold all together: the level may be at most the smallest upper
limit and at least the greatest lower one; where these contradict each other the upper limit wins,
as it is the one that keeps the hardware cool. A limit need not be one of the levels.

A level outside the limits moves to the nearest one inside. It stays there when the limits are
lifted, since nobody has asked for another.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from typing import NamedTuple

from scmictl.platform import permission
from scmictl.platform.board import Table, unique
from scmictl.protocols.perf import PowerUnit

LEVEL, LIMITS = "level", "limits"
CONTROLS = (LEVEL, LIMITS)
"""What an agent can be kept from setting."""

PLATFORM = 0
"""The platform's own limits, among those of the agents."""
U32 = 0xFFFFFFFF
MOST_DOMAINS = 0xFFFF
MOST_LEVELS = 0xFFFF
"""What the count of remaining levels can say."""
LONGEST_LATENCY_US = 0xFFFF
LONGEST_RATE_LIMIT_US = 0xFFFFF

UNITS = {
    "abstract": PowerUnit.ABSTRACT_LINEAR_SCALE,
    "mW": PowerUnit.MILLIWATT,
    "uW": PowerUnit.MICROWATT,
}

Bounds = tuple[int, int]
"""The lowest and the highest level allowed."""


class Rung(NamedTuple):
    """One level; what is 0 is not given."""

    level: int
    power: int
    latency_us: int
    frequency_khz: int


class Domain:
    """One performance domain, as :func:`read` makes it from the board."""

    __slots__ = (
        "fast_channels", "first_index", "guaranteed_level", "id", "indexed", "level", "levels",
        "limits", "name", "notify", "rate_limit_us", "restricted", "rungs", "set_by", "start",
        "sustained_khz", "sustained_level",
    )  # fmt: skip

    def __init__(self, id: int, name: str, rungs: tuple[Rung, ...]) -> None:
        self.id = id
        self.name = name
        self.rungs = rungs
        self.levels = tuple(rung.level for rung in rungs)
        self.level = self.start = self.levels[0]
        self.set_by = PLATFORM
        """The agent that has last asked for a level."""
        self.limits: dict[int, tuple[int | None, int | None]] = {}
        """Lowest and highest level by agent; None where the agent sets no such limit."""
        self.indexed = False
        """Whether agents of 4.0 say and see the index of a level instead of the level."""
        self.first_index = 1
        self.sustained_khz = 0
        self.sustained_level = 0
        self.guaranteed_level = 0
        self.rate_limit_us = 0
        self.notify = True
        self.fast_channels = False
        self.restricted: dict[int, frozenset[str]] = {}

    @property
    def bounds(self) -> Bounds:
        """The limits that hold, those of everybody taken together."""
        lowest, highest = self.levels[0], self.levels[-1]
        for low, high in self.limits.values():
            lowest = lowest if low is None else max(lowest, low)
            highest = highest if high is None else min(highest, high)
        return min(lowest, highest), highest

    @property
    def rung(self) -> Rung:
        """The level it has, with all that is known of it."""
        return self.rungs[bisect_left(self.levels, self.level)]

    def ask(self, agent: int, level: int) -> None:
        """Give it one of its levels, as an agent wants it."""
        self.level, self.set_by = level, agent

    def allows(self, level: int) -> bool:
        """Return whether it may have this one of its levels: there is always one that it may."""
        first, last = self._allowed()
        return first <= bisect_left(self.levels, level) <= last

    def limit(self, agent: int, low: int | None, high: int | None) -> None:
        """Set an agent's own limits; None leaves one as it is."""
        old_low, old_high = self.limits.get(agent, (None, None))
        self.limits[agent] = (
            old_low if low is None else low,
            old_high if high is None else high,
        )

    def clip(self) -> None:
        """Move the level into the limits that hold."""
        first, last = self._allowed()
        position = bisect_left(self.levels, self.level)
        self.level = self.levels[min(max(position, first), last)]

    def put_back(self, agent: int) -> None:
        """Forget the agent's limits, and the level if it was the last to ask for one."""
        self.limits.pop(agent, None)
        if self.set_by == agent:
            self.level, self.set_by = self.start, PLATFORM
        self.clip()

    # --- levels and their indices -----------------------------------------------------------------

    def index(self, level: int) -> int:
        """Return the index of one of the levels."""
        return self.first_index + bisect_left(self.levels, level)

    def index_bounds(self) -> Bounds:
        """Return the limits that hold as indices: of the levels that are still allowed."""
        first, last = self._allowed()
        return self.first_index + first, self.first_index + last

    def at(self, index: int) -> int | None:
        """Return the level with an index, or None if there is none."""
        position = index - self.first_index
        return self.levels[position] if 0 <= position < len(self.levels) else None

    def _allowed(self) -> tuple[int, int]:
        """Return the first and the last position that the limits allow; the upper one wins."""
        low, high = self.bounds
        last = bisect_right(self.levels, high) - 1
        return min(bisect_left(self.levels, low), last), last


# --- the board ------------------------------------------------------------------------------------

KEYS = (
    "name", "levels", "level", "min", "max", "latency", "power_unit", "level_indexing",
    "first_index", "sustained_freq", "sustained_level", "guaranteed_level", "rate_limit",
    "notify", "fast_channels", "restrict",
)  # fmt: skip


def read(board: Table, agent_id: permission.AgentId) -> list[Domain]:
    """Read the ``[[perf]]`` tables of a board; raises BoardError.

    ``agent_id`` finds an agent by the name that stands at a key of a table.
    """
    rows = [row.only(*KEYS) for row in board.tables("perf")]
    if len(rows) > MOST_DOMAINS:
        raise board.error("perf", f"at most {MOST_DOMAINS} performance domains")
    domains = []
    for id, row in enumerate(rows):
        indexed = row.flag("level_indexing", False)
        one = Domain(id, row.text("name"), _rungs(row, indexed))
        lowest, highest = one.levels[0], one.levels[-1]
        one.indexed = indexed
        one.first_index = row.integer("first_index", 0, U32 - len(one.rungs), 1)
        low = row.integer("min", lowest, highest, lowest)
        high = row.integer("max", lowest, highest, highest)
        if low > high:
            raise row.error("min", f"at most the {high} of max")
        one.limit(PLATFORM, low, high)
        one.level = _level(row, "level", one, lowest)
        if "level" in row and not low <= one.level <= high:
            raise row.error("level", f"a level from min to max, {low} to {high}")
        one.clip()
        one.start = one.level
        one.sustained_khz = _khz(row, "sustained_freq") if "sustained_freq" in row else 0
        one.sustained_level = _level(row, "sustained_level", one, 0)
        one.guaranteed_level = _level(row, "guaranteed_level", one, 0)
        one.rate_limit_us = _us(row, "rate_limit", LONGEST_RATE_LIMIT_US)
        one.notify = row.flag("notify", True)
        one.fast_channels = row.flag("fast_channels", False)
        one.restricted = permission.lacking(row, CONTROLS, agent_id)
        domains.append(one)
    unique((row, one.name) for row, one in zip(rows, domains, strict=True))
    return domains


def read_unit(board: Table) -> PowerUnit:
    """Return what the board counts power costs in: the protocol has one unit for all domains."""
    found: str | None = None
    for row in board.tables("perf"):
        if "power_unit" in row:
            unit = row.choice("power_unit", tuple(UNITS))
            if found not in (None, unit):
                raise row.error("power_unit", f"{found} as in a domain before: there is one unit")
            found = unit
    return UNITS[found or "abstract"]


def _rungs(row: Table, indexed: bool) -> tuple[Rung, ...]:
    latency_us = _us(row, "latency", LONGEST_LATENCY_US)
    levels = row.each("levels")
    if not 1 <= len(levels.values) <= MOST_LEVELS:
        raise row.error("levels", f"1 to {MOST_LEVELS} levels")
    rungs: list[Rung] = []
    for position, value in levels.values.items():
        rung = Rung(0, 0, latency_us, 0)
        if isinstance(value, dict):
            entry = levels.table(position).only("level", "power", "latency", "frequency")
            rung = Rung(
                entry.integer("level", 1, U32),
                entry.integer("power", 0, U32, 0),
                _us(entry, "latency", LONGEST_LATENCY_US, latency_us),
                _khz(entry, "frequency") if indexed or "frequency" in entry else 0,
            )
        elif indexed:
            raise levels.error(position, "a table with level and frequency, as levels have indices")
        else:
            rung = rung._replace(level=levels.integer(position, 1, U32))
        if rungs and rung.level <= rungs[-1].level:
            raise levels.error(position, "more than the level before it", str(rung.level))
        rungs.append(rung)
    return tuple(rungs)


def _level(row: Table, key: str, one: Domain, default: int) -> int:
    level = row.integer(key, 0, U32, default)
    if level not in one.levels and key in row:
        raise row.error(key, "one of the domain's levels")
    return level


def _khz(row: Table, key: str) -> int:
    khz, rest = divmod(row.rate(key), 1000)
    if rest or khz > U32:
        raise row.error(key, f"a frequency in whole kHz, at most {U32} of them")
    return khz


def _us(row: Table, key: str, most: int, default: int = 0) -> int:
    """Take a time as microseconds, rounded up: what is meant is the worst case."""
    if key not in row:
        return default
    us = -(-row.time(key).ticks // 10**10)
    if us > most:
        raise row.error(key, f"at most {most} us")
    return us
