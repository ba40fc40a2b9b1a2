"""A control of NXP's MISC protocol: a few words that mean something to the device or the board.

What a control does is its device's affair; here it keeps its words, has actions that return what
the board says, a space of further words (as the registers of a chip on the other side of a bus),
and events that a hand raises or that setting it raises.
"""

from __future__ import annotations

from collections.abc import Callable

from scmictl.platform.board import LONG, Table, unique
from scmictl.platform.nxp import access

U32 = 0xFFFFFFFF
MOST_VALUES = 23
MOST_ARGUMENTS = 22
MOST_EXTENDED = 21
"""The words that fit into NXP's messages of 100 bytes."""


class Control:
    """A control; ``extended`` are its further words, ``events`` the bits of the events it has.

    ``changed`` are those of them that are raised when it is set, ``actions`` what each returns,
    ``action`` the last one with its arguments, ``set_by`` the agent that set anything last.
    """

    __slots__ = (
        "action", "actions", "board", "changed", "events", "extended", "id", "name", "rights",
        "set_by", "start", "words",
    )  # fmt: skip

    def __init__(self, row: Table, agent_id: Callable[[Table, str | int, str], int]) -> None:
        row.only("name", "board", "values", "actions", "extended", "events", "changed", "rights")
        self.name = row.text("name", longest=LONG)
        self.board = row.flag("board", False)
        self.id = 0
        self.words = words(row, "values", MOST_VALUES) or [0]
        actions = row.table("actions")
        self.actions: dict[int, list[int]] = {}
        for key in actions.values:
            if not (key.isascii() and key.isdigit() and int(key) <= U32):
                raise actions.error(key, "the number of an action", repr(key))
            self.actions[int(key)] = words(actions, key, MOST_VALUES)
        self.extended = [0] * row.integer("extended", 0, 1 << 16, 0)
        self.events = row.integer("events", 0, U32, 0)
        self.changed = row.integer("changed", 0, U32, 0)
        if self.changed & ~self.events:
            raise row.error("changed", f"some of the events {self.events:#x}")
        self.rights = access.read(row, agent_id)
        self.action: tuple[int, list[int]] | None = None
        self.start = list(self.words)
        self.set_by = 0

    def put_back(self) -> None:
        """Give the control the words it had at the start."""
        self.words = list(self.start)
        self.extended = [0] * len(self.extended)
        self.set_by = 0


def words(row: Table, key: str, most: int) -> list[int]:
    """Take a list of words."""
    table = row.each(key, f"a list of up to {most} words")
    if len(table.values) > most:
        raise row.error(key, f"a list of up to {most} words")
    return [table.integer(position, 0, U32) for position in table.values]


def read(board: Table, agent_id: Callable[[Table, str | int, str], int]) -> list[Control]:
    """Read ``[[nxp-misc.control]]``: those of the device, then those of the board.

    Raises BoardError.
    """
    rows = board.tables("control")
    controls = [Control(row, agent_id) for row in rows]
    unique(zip(rows, (control.name for control in controls), strict=True))
    device = [control for control in controls if not control.board]
    own = [control for control in controls if control.board]
    if len(device) > 1 << 15 or len(own) > 255:
        raise board.error("control", "at most 32768 of the device and 255 of the board")
    for first, some in ((0, device), (1 << 15, own)):
        for position, control in enumerate(some):
            control.id = first | position
    return device + own
