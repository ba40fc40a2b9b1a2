"""What agents may do with a resource of NXP's protocols, and which of its events they want.

Theory of operation: an agent has one of six rights to every resource, each of which includes those
before it; below the one that a message needs it is DENIED. On a board, ``rights = { AGENT =
"get" }`` gives an agent less than all. An NXP notification is switched by a word with a bit for
each event; the platform knows who listens at all, :class:`Wishes` to which bits.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from enum import IntEnum
from weakref import WeakKeyDictionary

from scmictl import values
from scmictl.errors import UsageError
from scmictl.platform.behaviour import Call, require
from scmictl.platform.board import Table
from scmictl.platform.port import Port
from scmictl.wire import Notification, Status


class Right(IntEnum):
    """What an agent may do with a resource."""

    NONE = 0
    GET = 1
    NOTIFY = 2
    SET = 3
    PRIV = 4
    EXCLUSIVE = 5


SWITCH = {"on": True, "off": False, "true": True, "false": False}
NAMES = {right.name.lower(): right for right in Right}


class Rights:
    """The rights to one resource; an agent that is not in ``less`` has all of them."""

    __slots__ = ("_less",)

    def __init__(self, less: Mapping[int, Right]) -> None:
        self._less = less

    def of(self, agent: int) -> Right:
        """Return the right of an agent."""
        return self._less.get(agent, Right.EXCLUSIVE)

    def check(self, call: Call, needed: Right) -> None:
        """Raise DENIED unless the calling agent has the right."""
        require(self.of(call.agent) >= needed, Status.DENIED)


def read(
    row: Table, agent_id: Callable[[Table, str | int, str], int], key: str = "rights"
) -> Rights:
    """Take the rights to a resource from its table; raises BoardError."""
    table = row.table(key)
    return Rights(
        {
            agent_id(table, name, name): NAMES[table.choice(name, tuple(NAMES))]
            for name in table.values
        }
    )


Key = tuple[type[Notification], int]


class Wishes:
    """Which events of a resource each port wants, as the bits of a word."""

    def __init__(self) -> None:
        self._words: WeakKeyDictionary[Port, dict[Key, int]] = WeakKeyDictionary()

    def switch(self, port: Port, event: type[Notification], resource: int, word: int) -> None:
        """Have a port told of the events in ``word``, and of no others of the resource."""
        self._words.setdefault(port, {})[event, resource] = word
        port.platform.subscribe(port, event, resource, bool(word))

    def wanted(self, port: Port, event: type[Notification], resource: int) -> int:
        """Return the events that a port wants; only of one that listens at all."""
        return self._words.get(port, {}).get((event, resource), 0)


def number(key: str, text: str, highest: int) -> int:
    """Read what a hand sets ``key`` to, 0 to ``highest``; raises UsageError."""
    value = values.number(text)
    if not 0 <= value <= highest:
        raise UsageError(f"{key} is {text}, expected 0 to {highest:#x}")
    return value


def switch(text: str) -> bool:
    """Read what a hand switches something to; raises UsageError."""
    if text not in SWITCH:
        raise values.unknown("value", text, SWITCH)
    return SWITCH[text]
