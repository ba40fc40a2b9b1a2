"""A CPU of NXP's CPU protocol: what it does, and what agents have set of it."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from scmictl.platform.board import SHORT, Table, unique
from scmictl.platform.nxp import access, machine
from scmictl.protocols import power
from scmictl.protocols.nxp import cpu
from scmictl.protocols.nxp.cpu import RunMode, SleepMode
from scmictl.protocols.nxp.lmm import State

if TYPE_CHECKING:
    from scmictl.platform.platform import Platform

U32 = 0xFFFFFFFF
U64 = (1 << 64) - 1
MOST_CPUS = 0xFFFF
MODES = {mode.name.lower(): mode for mode in RunMode}
LIKE = {State.ON: "run", State.OFF: "stop", State.SUSPENDED: "sleep"}
"""What the CPUs of a machine do by default, by the state of the machine at start."""


class Settings:
    """What agents can set of a CPU; ``domains`` and ``peripherals`` hold the words by id."""

    __slots__ = (
        "boot", "domains", "flags", "irq", "non_irq", "peripherals", "sleep_mode", "start", "vector"
    )  # fmt: skip

    def __init__(self, vector: int, irq_words: int, non_irq_words: int) -> None:
        self.boot = self.start = self.vector = vector
        self.sleep_mode: int = SleepMode.RUN
        self.flags = cpu.SleepFlags()
        self.irq = [0] * irq_words
        self.non_irq = [0] * non_irq_words
        self.domains: dict[int, tuple[int, int]] = {}
        self.peripherals: dict[int, int] = {}


class Cpu:
    """A CPU; ``machine`` is its logical machine, ``boots`` whether it starts with that.

    ``tables`` is whether a vector may be a vector table, ``domains`` and ``peripherals`` how many
    there are to configure, ``set_by`` the agent whose settings these are.
    """

    __slots__ = (
        "boots", "domains", "fresh", "id", "machine", "name", "peripherals", "rights", "run_mode",
        "set_by", "settings", "tables",
    )  # fmt: skip

    def __init__(
        self,
        id: int,
        row: Table,
        agent_id: Callable[[Table, str | int, str], int],
        machines: machine.Machines | None,
        power_domains: int,
    ) -> None:
        row.only(
            "name", "machine", "boots", "run_mode", "reset_vector", "vector_table",
            "irq_words", "non_irq_words", "power_domains", "peripherals", "rights",
        )  # fmt: skip
        self.id = id
        self.name = row.text("name", longest=SHORT)
        self.machine: int | None = None
        state = State.ON
        if machines is not None:
            self.machine = machines.names.index(row.choice("machine", machines.names))
            state = machines.machines[self.machine].state
        elif "machine" in row:
            raise row.error("machine", "this key only on a board with [[nxp-lmm]]")
        self.boots = row.flag("boots", True)
        self.run_mode: int = MODES[row.choice("run_mode", tuple(MODES), LIKE[state])]
        vector = row.integer("reset_vector", 0, U64, 0)
        self.tables = row.flag("vector_table", False)
        words = row.integer("irq_words", 0, 0xFFFF, 12), row.integer("non_irq_words", 0, 0xFFFF, 1)
        self.domains = row.integer("power_domains", 0, U32, power_domains)
        self.peripherals = row.integer("peripherals", 0, U32, 0)
        self.rights = access.read(row, agent_id)
        self.fresh: Callable[[], Settings] = partial(Settings, vector, *words)
        self.settings = self.fresh()
        self.set_by = 0

    @property
    def active(self) -> bool:
        """Whether the CPU runs."""
        return self.run_mode == RunMode.RUN


def read(board: Table, platform: Platform, machines: machine.Machines | None) -> list[Cpu]:
    """Read ``[[nxp-cpu]]``; raises BoardError."""
    rows = board.tables("nxp-cpu")
    if len(rows) > MOST_CPUS:
        raise board.error("nxp-cpu", f"at most {MOST_CPUS} CPUs", str(len(rows)))
    found = platform.behaviours.get(power.ID)
    domains = 0 if found is None else len(found.names)
    cores = [Cpu(id, row, platform.agent_id, machines, domains) for id, row in enumerate(rows)]
    unique(zip(rows, (one.name for one in cores), strict=True))
    return cores
