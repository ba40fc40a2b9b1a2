"""A power domain of the board: its states, who wants which, and the way from one to another.

Theory of operation: a domain is in a state, and for a while it may be on its way to another: then
it has a transition, which ends in the new state when its time has passed, or is stopped and leaves
the old one. There is never more than one. Who goes to which state:

- A domain belongs to whoever uses it: the last request wins.
- A *shared* domain has one vote per agent. It goes to the most powered state that anybody has voted
  for; the states of the board are in that order. The state of the start counts while there is none.

Which agent made the request, or has a vote, is remembered so that it can be put back.
"""

from __future__ import annotations

from scmictl.platform import permission
from scmictl.platform.board import SHORT, Table, shown, unique
from scmictl.platform.port import Held
from scmictl.platform.timer import Timer
from scmictl.protocols import power
from scmictl.wire import Status

MOST_DOMAINS = 0xFFFF
"""What the count in PROTOCOL_ATTRIBUTES can say."""
PLATFORM = 0
"""The agent of what nobody has asked for."""


class Transition:
    """A domain on its way to ``target``, because of ``agent``; ``held`` wait for its end."""

    __slots__ = ("agent", "held", "target", "timer")

    def __init__(self, target: int, agent: int, timer: Timer) -> None:
        self.target = target
        self.agent = agent
        self.timer = timer
        self.held: list[Held] = []

    def end(self, code: Status) -> None:
        """Answer everybody who has waited."""
        for held in self.held:
            held.answer(code)


class Domain:
    """One power domain, as :func:`read` makes it from the board."""

    __slots__ = (
        "asynchronous", "faulty", "id", "latencies", "name", "notify", "read_only", "set_by",
        "shared", "start", "state", "states", "sync", "transition", "votes",
    )  # fmt: skip

    def __init__(self, id: int, row: Table) -> None:
        self.id = id
        self.name = row.text("name")
        self.states = _states(row)
        """The states by name, the most powered first."""
        first = next(iter(self.states))
        self.start = self.states[row.choice("state", tuple(self.states), first)]
        self.state = self.start
        self.latencies = _latencies(row, self.states)
        """Seconds until a state is reached."""
        self.sync = row.flag("sync", True)
        self.asynchronous = row.flag("async", True)
        self.notify = row.flag("notify", True)
        self.shared = row.flag("shared", False)
        self.faulty = row.flag("faulty", False)
        self.read_only: frozenset[int] = frozenset()
        """The agents that may not set its state."""
        self.votes: dict[int, int] = {}
        self.set_by = PLATFORM
        self.transition: Transition | None = None

    @property
    def goal(self) -> int:
        """The state it is in, or on its way to."""
        return self.state if self.transition is None else self.transition.target

    def wanted(self, agent: int, state: int) -> int:
        """Return where the domain has to go if ``agent`` asks for ``state``."""
        return self._most_powered({**self.votes, agent: state}) if self.shared else state

    def claim(self, agent: int, state: int) -> None:
        """Remember what the agent has asked for."""
        if self.shared:
            self.votes[agent] = state
        else:
            self.set_by = agent

    def disclaim(self, agent: int) -> int:
        """Forget what the agent has asked for; return where the domain has to go then."""
        if self.shared:
            return self.goal if self.votes.pop(agent, None) is None else self._settled()
        if self.set_by != agent:
            return self.goal
        self.set_by = PLATFORM
        return self.start

    def called(self, state: int) -> str:
        """Return the board's name of a state."""
        return next(name for name, value in self.states.items() if value == state)

    def _settled(self) -> int:
        return self._most_powered(self.votes) if self.votes else self.start

    def _most_powered(self, votes: dict[int, int]) -> int:
        return next(state for state in self.states.values() if state in votes.values())


# --- the board ------------------------------------------------------------------------------------

KEYS = (
    "name", "states", "state", "latency", "sync", "async", "notify", "shared", "faulty", "restrict",
)  # fmt: skip


def read(board: Table, agent_id: permission.AgentId) -> list[Domain]:
    """Read the ``[[power]]`` tables of a board; raises BoardError.

    ``agent_id`` finds an agent by the name that stands at a key of a table.
    """
    rows = [row.only(*KEYS) for row in board.tables("power")]
    if len(rows) > MOST_DOMAINS:
        raise board.error("power", f"at most {MOST_DOMAINS} power domains")
    domains = []
    for id, row in enumerate(rows):
        domain = Domain(id, row)
        domain.read_only = permission.restricted(row, agent_id)
        domains.append(domain)
    unique((row, domain.name) for row, domain in zip(rows, domains, strict=True))
    return domains


def _states(row: Table) -> dict[str, int]:
    if "states" not in row:
        return {"on": power.ON, "off": power.OFF}
    table = row.table("states")
    states: dict[str, int] = {}
    for name in table.values:
        value = table.integer(name, 0, 0xFFFFFFFF)
        if power.PowerState(value).reserved:
            raise table.error(name, "a power state: bits 31, 29 and 28 are 0", f"{value:#x}")
        if value in states.values():
            raise table.error(name, "a power state of its own", f"{value:#x}")
        if not 1 <= len(name) <= SHORT or not (name.isascii() and name.isprintable()):
            raise table.error(
                name, f"a name of 1 to {SHORT} printable ASCII characters", shown(name)
            )
        states[name] = value
    if not states:
        raise row.error("states", "at least one state")
    return states


def _latencies(row: Table, states: dict[str, int]) -> dict[int, float]:
    if not isinstance(row.values.get("latency"), dict):
        same = row.time("latency").seconds if "latency" in row else 0.0
        return dict.fromkeys(states.values(), same)
    table = row.table("latency").only(*states)
    return {
        state: table.time(name).seconds if name in table else 0.0 for name, state in states.items()
    }
