"""The clock tree: rates, gates and parents, whatever protocol asks for them.

Theory of operation: a clock either has rates of its own or follows its parent through a fixed
divider. Setting the rate of a follower sets the clock it follows, so that all that follow the same
clock change together. A clock with several possible parents divides the one that is selected: it is
never faster, and a parent cannot be made slower than such a child needs.

A gate has one vote per agent, and one of whoever left it on at start. It is open while there is a
vote or an enabled child. The first agent that disables a clock also takes back the vote of the
start, unless the board calls the clock critical.

Every value an agent has set remembers the agent, so that its configuration can be put back.
"""

from __future__ import annotations

from collections.abc import Iterator

from scmictl.platform import permission
from scmictl.platform.board import Table, shown, unique
from scmictl.platform.steps import Round, Steps

STATE, PARENT, RATE = "state", "parent", "rate"
CONTROLS = (STATE, PARENT, RATE)
"""What an agent can be kept from doing to a clock."""

DEEPEST = 32
"""How many clocks can be above one another."""
MOST_CLOCKS = 0xFFFF
"""What the count in PROTOCOL_ATTRIBUTES can say."""
MOST_RATES = 0xFFFF
"""What the count of remaining rates can say."""

START = 0
"""The vote of the start, in the bits that otherwise belong to agents."""


class Clock:
    """One clock, as :mod:`~scmictl.platform.clock` reads it from the board."""

    __slots__ = (
        "children", "critical", "divider", "duty_cycle", "enable_delay_us", "id", "latency",
        "name", "notify", "own_rate", "parent", "parents", "restricted", "set_by", "start",
        "steps", "users", "votes",
    )  # fmt: skip

    def __init__(self, id: int, name: str) -> None:
        self.id = id
        self.name = name
        self.steps = Steps([1])
        self.own_rate = 1
        self.divider: int | None = None
        """None for a clock with rates of its own."""
        self.parent: Clock | None = None
        self.parents: tuple[Clock, ...] = ()
        self.children: dict[int, Clock] = {}
        self.votes = 0
        self.users = 0
        """How many children are enabled."""
        self.critical = False
        self.enable_delay_us = 0
        self.latency = 0.0
        self.duty_cycle: int | None = None
        """In percent; None for a clock without that extended configuration."""
        self.notify = True
        self.restricted: dict[int, frozenset[str]] = {}
        self.set_by: dict[str, int] = {}
        """Which agent last set ``rate``, ``parent``, ``duty`` or took back ``start``."""
        self.start: tuple[int, Clock | None, int | None] = (1, None, None)

    @property
    def rate(self) -> int:
        """The rate it has, or will have when enabled."""
        return self.parent.rate // self.divider if self.divider and self.parent else self.own_rate

    @property
    def enabled(self) -> bool:
        return bool(self.votes or self.users)

    @property
    def source(self) -> Clock:
        """The clock whose own rate this one shows, divided or not."""
        return self.parent.source if self.divider and self.parent else self

    @property
    def divides(self) -> bool:
        """Whether it divides the parent that is selected."""
        return len(self.parents) > 1

    def chain(self) -> Iterator[Clock]:
        """Yield this clock and those it follows, up to the one with the rate."""
        clock = self
        yield clock
        while clock.divider and clock.parent:
            clock = clock.parent
            yield clock

    def followers(self) -> Iterator[Clock]:
        """Yield this clock and all that change their rate with it."""
        yield self
        for child in self.children.values():
            if child.divider:
                yield from child.followers()


def begin(clock: Clock, enabled: bool) -> None:
    """Put a clock into the state of the start; its parent must already be set."""
    clock.start = clock.own_rate, clock.parent, clock.duty_cycle
    if clock.parent is not None:
        clock.parent.children[clock.id] = clock
    if enabled or clock.critical:
        _vote(clock, clock.votes | 1 << START)


def vote(clock: Clock, agent: int, enable: bool) -> None:
    """Enable or disable a clock as far as the agent is concerned."""
    votes = clock.votes | 1 << agent
    if not enable:
        votes = clock.votes & ~(1 << agent)
        if votes & 1 << START and not clock.critical:
            votes &= ~(1 << START)
            clock.set_by["start"] = agent
    _vote(clock, votes)


def release(clock: Clock) -> None:
    """Take back every vote for a clock, that of the start as well, for good."""
    clock.set_by.pop("start", None)
    _vote(clock, 0)


def scaled(clock: Clock, rate: int) -> int:
    """Return what the clock's source must run at for ``clock`` to have ``rate``."""
    for step in clock.chain():
        rate *= step.divider or 1
    return rate


def forbidden(source: Clock, rate: int) -> bool:
    """Return whether a child needs more than it would get if ``source`` had ``rate``."""
    for child in source.children.values():
        if child.divider:
            if forbidden(child, rate // child.divider):
                return True
        elif child.divides and child.rate > rate:
            return True
    return False


def set_rate(source: Clock, rate: int, agent: int) -> list[Clock]:
    """Give a clock with rates of its own another one; return all clocks that have changed."""
    source.set_by["rate"] = agent
    if source.own_rate == rate:
        return []
    source.own_rate = rate
    return list(source.followers())


def set_parent(clock: Clock, parent: Clock, agent: int) -> None:
    """Select one of the possible parents; the rate stays."""
    clock.set_by["parent"] = agent
    _select(clock, parent)


def set_duty_cycle(clock: Clock, percent: int, agent: int) -> None:
    """Set the extended configuration."""
    clock.set_by["duty"] = agent
    clock.duty_cycle = percent


def put_back(clock: Clock, agent: int) -> list[Clock]:
    """Undo what the agent has set; return all clocks whose rate has changed."""
    changed: list[Clock] = []
    rate, parent, duty_cycle = clock.start
    mine = {what for what, by in clock.set_by.items() if by == agent}
    for what in mine:
        del clock.set_by[what]
    _vote(clock, clock.votes & ~(1 << agent) | ("start" in mine) << START)
    if "parent" in mine and parent is not None:
        _select(clock, parent)
    if "duty" in mine:
        clock.duty_cycle = duty_cycle
    if "rate" in mine and clock.own_rate != rate:
        clock.own_rate = rate
        changed = list(clock.followers())
    return changed


def _vote(clock: Clock, votes: int) -> None:
    before = clock.enabled
    clock.votes = votes
    _carry(clock.parent, clock.enabled - before)


def _select(clock: Clock, parent: Clock) -> None:
    if clock.parent is parent:
        return
    if clock.parent is not None:
        del clock.parent.children[clock.id]
        _carry(clock.parent, -clock.enabled)
    clock.parent = parent
    parent.children[clock.id] = clock
    _carry(parent, +clock.enabled)


def _carry(parent: Clock | None, step: int) -> None:
    """Add to the users of a clock, and of its parents as far as their gates change."""
    while parent is not None and step:
        before = parent.enabled
        parent.users += step
        step = parent.enabled - before
        parent = parent.parent


# --- the board ------------------------------------------------------------------------------------

KEYS = (
    "name", "rate", "rates", "parent", "parents", "divider", "enabled", "critical",
    "enable_delay", "latency", "duty_cycle", "notify", "restrict",
)  # fmt: skip


def read(board: Table, agent_id: permission.AgentId) -> list[Clock]:
    """Read the ``[[clock]]`` tables of a board; raises BoardError.

    ``agent_id`` finds an agent by the name that stands at a key of a table.
    """
    rows = [row.only(*KEYS) for row in board.tables("clock")]
    if len(rows) > MOST_CLOCKS:
        raise board.error("clock", f"at most {MOST_CLOCKS} clocks")
    clocks = [Clock(id, row.text("name")) for id, row in enumerate(rows)]
    ids = unique((row, clock.name) for row, clock in zip(rows, clocks, strict=True))
    for clock, row in zip(clocks, rows, strict=True):
        clock.critical = row.flag("critical", False)
        clock.notify = row.flag("notify", True)
        if "enable_delay" in row:
            # Rounded up: it is the worst case.
            clock.enable_delay_us = -(-row.time("enable_delay").ticks // 10**10)
            if clock.enable_delay_us > 0xFFFFFFFF:
                raise row.error("enable_delay", "at most 4294967295 us")
        clock.latency = row.time("latency", "1ms").seconds
        if "duty_cycle" in row:
            clock.duty_cycle = row.integer("duty_cycle", 0, 100)
        clock.restricted = permission.lacking(row, CONTROLS, agent_id)
        _read_parents(clock, row, clocks, ids)
        if "divider" in row:
            if not clock.parent or len(clock.parents) > 1:
                raise row.error("divider", "a divider only where there is exactly one parent")
            for key in ("rate", "rates"):
                if key in row:
                    raise row.error(key, "no rate where there is a divider")
            clock.divider = row.integer("divider", 1, 1 << 32)
        else:
            _read_rates(clock, row)
    for clock in _downwards(clocks, rows):
        row = rows[clock.id]
        parent = clock.parent
        if parent is not None and clock.divider is not None:
            steps = parent.steps.divided(clock.divider)
            if steps is None:
                raise row.error("divider", f"a divider of every rate of {parent.name}")
            clock.steps = steps
        elif parent is not None and clock.divides and clock.rate > parent.rate:
            raise row.error(
                "rate", f"at most the {parent.rate} Hz of {parent.name}", f"{clock.rate} Hz"
            )
    for clock, row in zip(clocks, rows, strict=True):
        begin(clock, row.flag("enabled", False))
    return clocks


def _read_parents(clock: Clock, row: Table, clocks: list[Clock], ids: dict[str, int]) -> None:
    entries = row.each("parents")
    named = [(entries, position, entries.text(position)) for position in entries.values]
    if "parent" in row:
        named.append((row, "parent", row.text("parent")))
    for table, key, name in named:
        if name not in ids:
            raise table.error(key, "the name of a clock of this board")
    found = [clocks[ids[name]] for _, _, name in named[: len(entries.values)]]
    if len({id(parent) for parent in found}) < len(found) or len(found) > 255:
        raise row.error("parents", "at most 255 clocks, each only once")
    if "parent" in row:
        clock.parent = clocks[ids[row.text("parent")]]
        if found and clock.parent not in found:
            raise row.error("parent", "one of the clock's parents")
    elif found:
        clock.parent = found[0]
    clock.parents = tuple(found) or ((clock.parent,) if clock.parent else ())


def _read_rates(clock: Clock, row: Table) -> None:
    if "rates" not in row:
        clock.own_rate = row.rate("rate")
        clock.steps = Steps([clock.own_rate])
        return
    if isinstance(row.values["rates"], dict):
        rates = row.table("rates").only("lowest", "highest", "step")
        lowest, highest, step = (rates.rate(key) for key in ("lowest", "highest", "step"))
        if highest < lowest or (highest - lowest) % step:
            raise rates.error("highest", "lowest plus a whole number of steps")
        clock.steps = Steps([lowest, highest, step], triplet=True)
    else:
        rates = row.each("rates", "a list, or lowest, highest and step")
        items = [rates.rate(position) for position in rates.values]
        if not 1 <= len(items) <= MOST_RATES:
            raise row.error("rates", f"1 to {MOST_RATES} rates")
        for position in range(1, len(items)):
            if items[position] <= items[position - 1]:
                raise rates.error(position, "more than the rate before it")
        clock.steps = Steps(items)
    clock.own_rate = row.rate("rate") if "rate" in row else clock.steps.lowest
    if clock.steps.round(clock.own_rate, Round.DOWN) != clock.own_rate:
        raise row.error("rate", "one of the clock's rates")


def _downwards(clocks: list[Clock], rows: list[Table]) -> list[Clock]:
    """Return the clocks so that every possible parent is before its children."""
    below: dict[int, list[Clock]] = {}
    missing = {clock.id: len(clock.parents) for clock in clocks}
    depth = dict.fromkeys(missing, 1)
    for clock in clocks:
        for parent in clock.parents:
            below.setdefault(parent.id, []).append(clock)
    order = [clock for clock in clocks if not clock.parents]
    for clock in order:  # grows while it is walked
        for child in below.get(clock.id, ()):
            missing[child.id] -= 1
            depth[child.id] = max(depth[child.id], depth[clock.id] + 1)
            if depth[child.id] > DEEPEST:
                raise _parent_error(child, rows, f"at most {DEEPEST} clocks above one another")
            if not missing[child.id]:
                order.append(child)
    for clock in clocks:
        if missing[clock.id]:
            raise _parent_error(clock, rows, "parents that do not lead back to the clock itself")
    return order


def _parent_error(clock: Clock, rows: list[Table], expected: str) -> Exception:
    key = "parents" if "parents" in rows[clock.id] else "parent"
    names = ", ".join(shown(parent.name) for parent in clock.parents)
    return rows[clock.id].error(key, expected, names)
