"""The platform itself: agents, permissions, subscriptions and time, shared by all connections.

Theory of operation: a platform is made from a board and lives as long as somebody holds it. Each
agent's connection is a :class:`~scmictl.platform.port.Port`; what one of them does is seen by all.
The time comes in with every call of a port, on a clock that never goes back; the platform's own
uptime starts with the first of them. Timers run, and notifications are raised, inside such calls.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import NamedTuple, Self

from scmictl.errors import BoardError, UsageError
from scmictl.platform import board as boards
from scmictl.platform import extension, permission
from scmictl.platform.behaviour import Behaviour
from scmictl.platform.board import Table, nearest, shown, unique
from scmictl.platform.fault import Faults
from scmictl.platform.injection import FaultyPort
from scmictl.platform.port import Port
from scmictl.platform.timer import Timers
from scmictl.protocols import base
from scmictl.wire import Notification, Status

BEHAVIOURS = (
    "base",
    "power",
    "system",
    "perf",
    "clock",
    "sensor",
    "reset",
    "voltage",
    "powercap",
    "pinctrl",
)
"""The files with a behaviour, in the order of their protocol numbers.

A protocol is part of a platform if its board has a table of that name or chooses its version.
"""
EXPERIMENTAL_BEHAVIOURS = ("telemetry",)
"""The same of protocols all of whose versions are experimental."""
VENDOR_BEHAVIOURS = (
    "nxp-lmm",
    "nxp-bbm",
    "nxp-cpu",
    "nxp-fusa",
    "nxp-misc",
)
"""The same of vendors' protocols; ``nxp-lmm`` is ``nxp/lmm.py``. Their vendor is the platform's."""

TABLES = ("platform", "versions", "async", "agent", "device")
"""The tables of a board that belong to no protocol."""


class Agent(NamedTuple):
    """An agent of the board; only a trusted one may change permissions and reset others."""

    id: int
    name: str
    trusted: bool


class Platform:
    """A simulated SCMI platform; make one with :meth:`from_board` or :meth:`from_text`."""

    def __init__(self, board: Table, seed: int | None = None, faults: str | None = None) -> None:
        """Build the platform that ``board`` describes; raises BoardError if it is wrong.

        ``seed`` and ``faults`` replace the board's own; UsageError for faults that are none.
        """
        ours = (*BEHAVIOURS, *EXPERIMENTAL_BEHAVIOURS, *VENDOR_BEHAVIOURS)
        plugged = extension.find(board, (*TABLES, *ours))
        protocols = (*ours, *plugged)
        board.only(*TABLES, *protocols[1:])
        board.table("versions").only(*protocols)
        board.table("async").only(*protocols[1:])
        identity = board.table("platform").only(
            "vendor", "sub_vendor", "implementation_version", "seed", "faults"
        )
        self.name = board.file
        there = {"base", *board.values, *board.table("versions").values}
        self.vendor, self.sub_vendor = extension.identity(
            identity, ("scmictl", "simulated"), extension.owners(there, plugged.values())
        )
        self.implementation_version = identity.integer("implementation_version", 0, 0xFFFFFFFF, 1)
        stated = identity.integer("seed", *boards.I64, default=0)
        self.seed = stated if seed is None else seed
        self.timers = Timers()
        self.now = 0.0
        self._started: float | None = None
        self._ports: dict[Port, None] = {}
        self._left: list[Port] = []
        """Closed ports with commands that are accepted and not yet done."""
        self._subscribers: dict[tuple[type[Notification], int], dict[Port, None]] = {}
        self.by_agent = self._read_agents(board)
        self.faults = self._read_faults(identity)
        """The faults in force on all connections; they can be changed at any time."""
        if faults is not None:
            self.faults.set(faults)
        self.behaviours: dict[int, Behaviour] = {}
        for name in ours:
            if name in there:
                made = import_module(f"scmictl.platform.{name.replace('-', '.')}").BEHAVIOUR(
                    self, board
                )
                assert isinstance(made, Behaviour)
                self.behaviours[made.PROTOCOL.id] = made
        for plugin in plugged.values():
            self.behaviours[plugin.protocol.id] = extension.behaviour(plugin, board)(self, board)
        self.permissions = permission.read(board, tuple(self.behaviours.values()))

    @classmethod
    def from_board(cls, source: str, *, seed: int | None = None, faults: str | None = None) -> Self:
        """Build a platform from a built-in board's name (``demo``) or the path of a TOML file.

        ``seed`` and ``faults`` (see :mod:`~scmictl.platform.fault`) replace the board's own. Raises
        BoardError if there is no such board, or if anything in it is wrong.
        """
        return cls(boards.load(source), seed, faults)

    @classmethod
    def from_text(
        cls, text: str, name: str = "board", *, seed: int | None = None, faults: str | None = None
    ) -> Self:
        """Build a platform from the text of a board; ``name`` stands for the file in errors."""
        return cls(boards.parse(text, name), seed, faults)

    @property
    def agents(self) -> tuple[str, ...]:
        """The names of the agents; the first one has id 1."""
        return tuple(agent.name for agent in self.by_agent.values())

    @property
    def ports(self) -> tuple[Port, ...]:
        """The connections there are, the oldest first."""
        return tuple(self._ports)

    def attach(
        self, agent: str | None = None, *, events: bool = True, readonly: bool = False
    ) -> Port:
        """Connect an agent (None: the first); ``events`` says that frames can go to it unasked.

        What it wants to change over a ``readonly`` connection is DENIED. The same agent may be
        connected more than once. Raises UsageError for an unknown name.
        """
        if agent is None:
            found = next(iter(self.by_agent.values()))
        else:
            for found in self.by_agent.values():
                if found.name == agent:
                    break
            else:
                raise UsageError(
                    f"unknown agent {shown(agent)}, expected one of: {', '.join(self.agents)}",
                    hint=nearest(agent, self.agents),
                )
        port = FaultyPort(self, found.id, events=events)
        port.readonly = readonly
        self._ports[port] = None
        return port

    def detach(self, port: Port) -> None:
        """Forget a port and its subscriptions; :meth:`Port.close` calls it."""
        self._unsubscribe(port)
        self._ports.pop(port, None)
        self._left = [left for left in (*self._left, port) if left.busy]

    # --- time -------------------------------------------------------------------------------------

    def advance(self, now: float) -> float:
        """Do everything that is due at ``now``, and return it (never less than before)."""
        if self._started is None:
            self._started = self.now = now
        self.now = max(now, self.now)
        self.timers.run(self.now)
        return self.now

    def uptime_us(self, now: float) -> int:
        """Return the microseconds since the platform was first used."""
        return round((now - (now if self._started is None else self._started)) * 1_000_000)

    # --- notifications ----------------------------------------------------------------------------

    def subscribe(self, port: Port, event: type[Notification], resource: int, enable: bool) -> None:
        """Switch a notification on or off for a port; switching it twice is once."""
        key = event, resource
        if enable == (key in port.subscriptions):
            return
        if enable:
            port.subscriptions[key] = None
            self._subscribers.setdefault(key, {})[port] = None
        else:
            del port.subscriptions[key]
            listening = self._subscribers[key]
            del listening[port]
            if not listening:
                del self._subscribers[key]
        self.behaviours[event.PROTOCOL_ID].subscribed(event, resource, self.now)

    def listened(self, event: type[Notification], resource: int) -> bool:
        """Return whether anybody has subscribed to ``event`` of ``resource``."""
        return (event, resource) in self._subscribers

    def notify(
        self,
        event: Notification,
        resource: int,
        *,
        but: int | None = None,
        who: Callable[[Port], bool] | None = None,
    ) -> list[Port]:
        """Send ``event`` to all who have subscribed to it, but not to the agent ``but``.

        With ``who`` only over the ports for which it holds. Who may not use the resource any more
        gets nothing either. Returns the ports it goes over.
        """
        reached = []
        for port in self._subscribers.get((type(event), resource), ()):
            if port.agent == but or (who is not None and not who(port)):
                continue
            if self.permissions.allows(port.agent, event.PROTOCOL_ID, resource) and port.notify(
                event
            ):
                reached.append(port)
        return reached

    def report(self, agent: int, word: int, status: Status) -> None:
        """Raise BASE_ERROR_EVENT for a command that could not be understood."""
        self.notify(
            base.ErrorEvent(
                agent_id=agent,
                error_status=base.ErrorStatus(cmd_count=1),
                msg_reports=[base.ErrorReport(message_header=word, status=status)],
            ),
            0,
        )

    # --- agents -----------------------------------------------------------------------------------

    def reset_agent(self, agent: int, now: float, *, permissions: bool) -> None:
        """Put back everything the agent has configured, on all its connections, ended ones too.

        Outstanding commands are dropped without an answer, as for an agent that has restarted.
        Negotiated versions belong to the connection and stay.
        """
        for port in (*self._ports, *self._left):
            if port.agent == agent:
                self._unsubscribe(port)
                port.abandon()
        for behaviour in self.behaviours.values():
            behaviour.reset(agent, now)
        if permissions:
            self.permissions.reset(agent)
            for behaviour in self.behaviours.values():
                behaviour.reset_permissions(agent)

    def _unsubscribe(self, port: Port) -> None:
        for event, resource in list(port.subscriptions):
            self.subscribe(port, event, resource, False)

    # --- the board --------------------------------------------------------------------------------

    def agent_id(self, row: Table, key: str | int, name: str) -> int:
        """Return the id of the agent that a board names; raises BoardError if there is none."""
        for agent in self.by_agent.values():
            if agent.name == name:
                return agent.id
        error = row.error(key, f"one of the agents: {', '.join(self.agents)}", shown(name))
        error.hint = nearest(name, self.agents)
        raise error

    def _read_faults(self, identity: Table) -> Faults:
        found = Faults(self.seed, {agent.id: agent.name for agent in self.by_agent.values()})
        entries = identity.each("faults", 'a list such as ["late:5%", "busy:2"]')
        for position in entries.values:
            try:
                found.add(entries.text(position, longest=4 * boards.LONG))
            except BoardError:
                raise
            except UsageError as error:
                wrong = entries.error(position, "a fault")
                raise BoardError(f"{wrong.message} ({error.message})", hint=error.hint) from None
        return found

    def _read_agents(self, board: Table) -> dict[int, Agent]:
        rows = board.tables("agent")
        if not rows:
            return {1: Agent(1, "agent", True)}
        if len(rows) > 255:
            raise board.error("agent", "at most 255 agents")
        agents = {}
        for id, row in enumerate(rows, 1):
            row.only("name", "trusted", "denied")
            name = row.text("name", longest=boards.SHORT)
            agents[id] = Agent(id, name, row.flag("trusted", False))
        unique(zip(rows, (agent.name for agent in agents.values()), strict=True))
        return agents
