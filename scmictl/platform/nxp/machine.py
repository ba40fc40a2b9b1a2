"""The logical machines of a board: who runs in them, what state they are in, who is told of it.

Machine 0 is the platform's own: it has no agents and is always on. Every agent runs in exactly one
of the others. ``lmm`` has what agents can do to them; the other protocols only ask who is where.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from scmictl.platform.behaviour import Behaviour
from scmictl.platform.board import SHORT, Table, shown, unique
from scmictl.platform.nxp import access, reason
from scmictl.platform.nxp.reason import History
from scmictl.platform.timer import Timer
from scmictl.protocols.nxp import lmm
from scmictl.protocols.nxp.lmm import State

if TYPE_CHECKING:
    from scmictl.platform.platform import Platform
    from scmictl.platform.port import Port

PLATFORM = 0
"""The number of the platform's own machine."""
MOST = 16
BOOT = lmm.EventFlags(boot=True)
SHUTDOWN = lmm.EventFlags(shutdown=True)
SUSPEND = lmm.EventFlags(suspend=True)
WAKE = lmm.EventFlags(wake=True)
STATES = {state.name.lower(): state for state in State}


class Machine:
    """A logical machine; ``latency`` is how many seconds it takes to do what it is asked to.

    ``powered`` is whether it has power although it is off; ``pending`` what it was asked to do,
    by which agent, and the timer that ends it.
    """

    __slots__ = (
        "agents", "err_status", "history", "id", "latency", "name", "pending", "powered", "rights",
        "state",
    )  # fmt: skip

    def __init__(
        self, id: int, row: Table, agent_id: Callable[[Table, str | int, str], int]
    ) -> None:
        row.only("name", "agents", "state", "latency", "rights")
        self.id = id
        self.name = row.text("name", longest=SHORT)
        names = row.each("agents", "a list of agents")
        if id == PLATFORM and names.values:
            raise row.error("agents", "no agents in the first machine: it is the platform's own")
        self.agents = frozenset(
            agent_id(names, position, names.text(position)) for position in names.values
        )
        self.state = STATES[row.choice("state", tuple(STATES), "on")]
        if id == PLATFORM and self.state != State.ON:
            raise row.error("state", "'on': the first machine is the platform's own")
        self.latency = row.time("latency").seconds if "latency" in row else 0.0
        self.rights = access.read(row, agent_id)
        self.powered = False
        self.err_status = 0
        self.history = History(None, None)
        self.pending: tuple[str, int, Timer] | None = None


def read(board: Table, platform: Platform) -> list[Machine]:
    """Read ``[[nxp-lmm]]``; raises BoardError."""
    rows = board.tables("nxp-lmm")
    if not 1 <= len(rows) <= MOST:
        raise board.error("nxp-lmm", f"1 to {MOST} machines", f"{len(rows)}")
    machines = [Machine(id, row, platform.agent_id) for id, row in enumerate(rows)]
    unique(zip(rows, (machine.name for machine in machines), strict=True))
    for agent in platform.by_agent.values():
        homes = [machine.name for machine in machines if agent.id in machine.agents]
        if len(homes) != 1:
            found = f"the agent {shown(agent.name)} in {' and '.join(homes) or 'no machine'}"
            raise board.error("nxp-lmm", "every agent in one machine", found)
    return machines


class Machines(Behaviour):
    """The logical machines by id; ``homes`` are the numbers of the machines that agents run in."""

    PROTOCOL = lmm.PROTOCOL

    def __init__(self, platform: Platform, board: Table) -> None:
        super().__init__(platform, board)
        self.machines = read(board, platform)
        self.names = [one.name for one in self.machines]
        self.homes = {agent: one.id for one in self.machines for agent in one.agents}
        self.wishes = access.Wishes()
        started = reason.at_start(board)
        for one in self.machines:
            if one.state != State.OFF:
                one.history = started

    def become(self, one: Machine, state: State, origin: int, flags: lmm.EventFlags) -> None:
        """Enter a state on account of the machine ``origin``, and tell those who listen."""
        one.state = state

        def who(port: Port) -> bool:
            wanted = self.wishes.wanted(port, lmm.Event, one.id)
            return bool(wanted & flags) and self.homes[port.agent] != one.id

        self.platform.notify(lmm.Event(lm_id=origin, event_lm=one.id, flags=flags), one.id, who=who)

    def cpus_changed(self, id: int, active: bool) -> None:
        """Be told whether any CPU of a machine runs now; it suspends and wakes the machine."""
        one = self.machines[id]
        if active and one.state == State.SUSPENDED:
            self.become(one, State.ON, id, WAKE)
        elif not active and one.state == State.ON and id != PLATFORM:
            self.become(one, State.SUSPENDED, id, SUSPEND)


def of(platform: Platform) -> Machines | None:
    """Return the logical machines of a platform, if it has any."""
    found = platform.behaviours.get(lmm.ID)
    return found if isinstance(found, Machines) else None


def home(platform: Platform, agent: int) -> int | None:
    """Return the number of the machine that an agent runs in; None if there are no machines."""
    found = of(platform)
    return None if found is None else found.homes[agent]
