"""Voltage domains as they stand in a board: their levels, their modes, and who has set them.

A value that an agent has set remembers the agent, so that its configuration can be put back.
"""

from __future__ import annotations

from scmictl import values
from scmictl.errors import UsageError
from scmictl.platform import permission
from scmictl.platform.board import Table, shown, unique
from scmictl.platform.steps import Round, Steps
from scmictl.protocols.voltage import Mode

STATE, LEVEL = "state", "level"
CONTROLS = (STATE, LEVEL)
"""What an agent can be kept from doing to a domain."""

MOST_DOMAINS = 0xFFFF
"""What the count of domains can say."""
MOST_LEVELS = 0xFFFF
"""What the count of remaining levels can say."""
I32 = (-(1 << 31), (1 << 31) - 1)
OWN_MODES = range(0x8, 0x10)
"""The modes whose meaning is the platform's."""

KEYS = (
    "name", "level", "levels", "modes", "mode", "enabled", "async", "latency", "restrict",
)  # fmt: skip


class Domain:
    """One voltage domain; ``level`` in uV, ``mode`` as VOLTAGE_CONFIG_SET says it."""

    __slots__ = (
        "asynchronous", "id", "latency", "level", "levels", "mode", "modes", "name",
        "restricted", "set_by", "settable", "start",
    )  # fmt: skip

    def __init__(self, id: int, row: Table) -> None:
        self.id = id
        self.name = row.text("name")
        self.settable = "levels" in row
        """Whether the level can be set at all."""
        self.levels = _levels(row) if self.settable else Steps([_level(row, "level")])
        self.level = _level(row, "level") if "level" in row else self.levels.lowest
        if not self.has(self.level):
            raise row.error("level", "one of the domain's levels")
        self.modes = _modes(row)
        self.mode = _start_mode(row, self.modes)
        self.asynchronous = self.settable and row.flag("async", True)
        self.latency = row.time("latency", "1ms").seconds
        self.restricted: dict[int, frozenset[str]] = {}
        self.set_by: dict[str, int] = {}
        """Which agent last set ``state`` or ``level``."""
        self.start = self.mode, self.level

    @property
    def enabled(self) -> bool:
        return self.mode != Mode.OFF

    def has(self, level: int) -> bool:
        """Return whether this is one of the domain's levels."""
        return self.levels.round(level, Round.DOWN) == level

    def set_mode(self, mode: int, agent: int) -> None:
        """Put the domain into a mode that it has."""
        self.mode = mode
        self.set_by[STATE] = agent

    def set_level(self, level: int, agent: int) -> None:
        """Give the domain one of its levels, whether it is on or not."""
        self.level = level
        self.set_by[LEVEL] = agent

    def put_back(self, agent: int) -> None:
        """Undo what the agent has set."""
        mode, level = self.start
        if self.set_by.get(STATE) == agent:
            self.set_mode(mode, 0)
        if self.set_by.get(LEVEL) == agent:
            self.set_level(level, 0)


def mode_named(text: str) -> int:
    """Return the mode that ``text`` names: ``on``, ``off`` or a number; raises UsageError."""
    return int(values.enum_value(text, Mode))


def mode_name(mode: int) -> str:
    """Return what :func:`mode_named` reads as ``mode``."""
    return Mode(mode).name.lower() if mode in (Mode.OFF, Mode.ON) else hex(mode)


# --- the board ------------------------------------------------------------------------------------


def read(board: Table, agent_id: permission.AgentId) -> list[Domain]:
    """Read the ``[[voltage]]`` tables of a board; raises BoardError.

    ``agent_id`` finds an agent by the name that stands at a key of a table.
    """
    rows = [row.only(*KEYS) for row in board.tables("voltage")]
    if len(rows) > MOST_DOMAINS:
        raise board.error("voltage", f"at most {MOST_DOMAINS} voltage domains")
    domains = []
    for id, row in enumerate(rows):
        one = Domain(id, row)
        one.restricted = permission.lacking(row, CONTROLS, agent_id)
        domains.append(one)
    unique((row, one.name) for row, one in zip(rows, domains, strict=True))
    return domains


def _level(table: Table, key: str | int) -> int:
    """Take a level in uV: an integer, or a text such as "850mV"."""
    value = table.values.get(key)
    if isinstance(value, str):
        try:
            value = values.number(value, "uV")
        except UsageError:
            value = None
    low, high = I32
    if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
        raise table.error(
            key, f'a level from {low} to {high} in whole uV, or a text such as "850mV"'
        )
    return value


def _levels(row: Table) -> Steps:
    if isinstance(row.values["levels"], dict):
        levels = row.table("levels").only("lowest", "highest", "step")
        lowest, highest, step = (_level(levels, key) for key in ("lowest", "highest", "step"))
        if step < 1:
            raise levels.error("step", "a step of at least 1 uV")
        if highest < lowest or (highest - lowest) % step:
            raise levels.error("highest", "lowest plus a whole number of steps")
        return Steps([lowest, highest, step], triplet=True)
    levels = row.each("levels", "a list, or lowest, highest and step")
    items = [_level(levels, position) for position in levels.values]
    if not 1 <= len(items) <= MOST_LEVELS:
        raise row.error("levels", f"1 to {MOST_LEVELS} levels")
    for position in range(1, len(items)):
        if items[position] <= items[position - 1]:
            raise levels.error(position, "more than the level before it")
    return Steps(items)


def _modes(row: Table) -> tuple[int, ...]:
    """Return the modes that a domain has: off and on, if there is no list of them."""
    entries = row.each("modes", 'a list such as ["off", "on", 0x8]')
    modes: list[int] = []
    for position, value in entries.values.items():
        if isinstance(value, str):
            mode = int(Mode[entries.choice(position, ("off", "on")).upper()])
        else:
            mode = entries.integer(position, OWN_MODES.start, OWN_MODES.stop - 1)
        if mode in modes:
            raise entries.error(position, "each mode once", shown(value))
        modes.append(mode)
    if "modes" in row and not modes:
        raise row.error("modes", "at least one mode")
    return tuple(modes) or (Mode.OFF, Mode.ON)


def _start_mode(row: Table, modes: tuple[int, ...]) -> int:
    """Return the mode of the start: ``mode``, or ``enabled``, or the first that there is."""
    if "mode" in row:
        if "enabled" in row:
            raise row.error("enabled", "either enabled or mode")
        value = row.values["mode"]
        try:
            mode = mode_named(value) if isinstance(value, str) else value
        except UsageError:
            mode = None
        if isinstance(mode, bool) or mode not in modes:
            raise row.error("mode", f"one of: {', '.join(map(mode_name, modes))}")
        assert isinstance(mode, int)
        return mode
    if "enabled" not in row:
        return modes[0]
    mode = Mode.ON if row.flag("enabled", False) else Mode.OFF
    if mode not in modes:
        raise row.error(
            "enabled", f"a mode that the domain has: {', '.join(map(mode_name, modes))}"
        )
    return mode
