"""Pins, groups and functions: what is selected and set on the pins, and who has claimed them.

Theory of operation: only pins have a state. A group is its pins: what is done to it is done to all
of them, its settings are those that they have in common, and its function is theirs if they all
have the same one and the group can have it. Settings that exclude each other share a slot, so that
a pull-up replaces a pull-down; the type *default* stands for all settings the pin started with.

An agent claims a pin, or a group and with it all its pins. A pin can be held in several ways at
once (by itself, by overlapping groups), but always for one agent, and is free when nothing holds it
any more. What has been selected and set stays when a claim ends. Every slot remembers the agent who
changed it last, so that its configuration can be put back.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple, TypeVar

from scmictl.errors import UsageError
from scmictl.platform import permission
from scmictl.platform.board import Table, nearest, shown, unique
from scmictl.protocols import setting
from scmictl.protocols.pinctrl import ConfigType, Selector

MOST = 0xFFFF
"""Pins, groups or functions of a board: their ids have 16 bits, and so have their counts."""
FUNCTION = -1
"""The slot of the selected function, among those of settings."""

_BIAS = frozenset(range(ConfigType.BIAS_BUS_HOLD, ConfigType.BIAS_PULL_DOWN + 1))
_DRIVE = frozenset(range(ConfigType.DRIVE_OPEN_DRAIN, ConfigType.DRIVE_PUSH_PULL + 1))

Setting = tuple[int, int]
"""The type and the value of a setting."""


def slot_of(type: int) -> int:
    """Return what a setting of this type replaces: the first type of those that exclude it."""
    return next((min(family) for family in (_BIAS, _DRIVE) if type in family), type)


class Target:
    """A pin or a group: what can be claimed, and has a function and settings.

    ``refused`` are the agents that may look at it, but neither claim nor change it.
    """

    SELECTOR = Selector.PIN

    def __init__(self, id: int, name: str) -> None:
        self.id = id
        self.name = name
        self.pins: tuple[Pin, ...] = ()
        self.groups: list[Group] = []
        self.functions: list[Function] = []
        """The functions that can be selected here, by id."""
        self.refused: set[int] = set()
        self.refused_at_start: frozenset[int] = frozenset()

    @property
    def selected(self) -> Function | None:
        """The selected function."""
        first = self.pins[0].function
        same = all(pin.function is first for pin in self.pins)
        # A pin can have the function of a group of its, though it could not be selected here.
        return first if same and (first in self.functions or self is self.pins[0]) else None

    @property
    def settings(self) -> list[Setting]:
        """The settings in ascending order of their types."""
        first, *others = (pin.set for pin in self.pins)
        return sorted(s for slot, s in first.items() if all(o.get(slot) == s for o in others))

    def value(self, type: int) -> int:
        """Return the value of a setting, 0 where it is not set."""
        return dict(self.settings).get(type, 0)

    def supports(self, type: int) -> bool:
        """Return whether all pins have settings of this type."""
        return all(type in pin.types for pin in self.pins)

    # --- changing ---------------------------------------------------------------------------------

    def select(self, function: Function | None, agent: int) -> None:
        """Select a function, or none."""
        for pin in self.pins:
            pin.function = function
            pin.changers[FUNCTION] = agent

    def apply(self, type: int, value: int | None, agent: int) -> None:
        """Make one setting; a value of None takes it away."""
        for pin in self.pins:
            if type == ConfigType.DEFAULT:
                for slot in {*pin.set, *pin.set_at_start}:
                    pin.changers[slot] = agent
                pin.set = dict(pin.set_at_start)
                continue
            slot = slot_of(type)
            if value is not None:
                pin.set[slot] = type, value
            elif pin.set.get(slot, (None,))[0] == type:
                del pin.set[slot]
            pin.changers[slot] = agent

    def claim(self, agent: int) -> None:
        """Hold all pins for an agent; whoever else has held one of them does not any more."""
        for pin in self.pins:
            if pin.owner != agent:
                pin.free()
        for pin in self.pins:
            pin.held[self] = None
            pin.owner = agent

    def release(self) -> None:
        """Do not hold the pins any more; what else holds them still does."""
        for pin in self.pins:
            pin.held.pop(self, None)
            if not pin.held:
                pin.owner = None


class Pin(Target):
    """A pin. ``set`` are its settings by slot, ``types`` the types it can have.

    ``owner`` is the agent that has claimed it, through every target in ``held``.
    """

    def __init__(self, id: int, name: str, types: frozenset[int], start: Iterable[Setting]) -> None:
        super().__init__(id, name)
        self.pins = (self,)
        self.types = types
        self.set_at_start = {slot_of(setting[0]): setting for setting in start}
        self.set = dict(self.set_at_start)
        self.function: Function | None = None
        self.function_at_start: Function | None = None
        self.changers: dict[int, int] = {}
        self.owner: int | None = None
        self.held: dict[Target, None] = {}

    def free(self) -> None:
        """End every claim that holds the pin."""
        for target in list(self.held):
            target.release()

    def put_back(self, agent: int) -> None:
        """Undo what the agent has changed and nobody else since."""
        for slot in [slot for slot, changer in self.changers.items() if changer == agent]:
            del self.changers[slot]
            if slot == FUNCTION:
                self.function = self.function_at_start
            elif slot in self.set_at_start:
                self.set[slot] = self.set_at_start[slot]
            else:
                self.set.pop(slot, None)


class Group(Target):
    """Pins that are used together."""

    SELECTOR = Selector.GROUP

    def __init__(self, id: int, name: str, pins: Sequence[Pin]) -> None:
        super().__init__(id, name)
        self.pins = tuple(pins)
        for pin in pins:
            pin.groups.append(self)


class Function:
    """What pins can be used for: on ``targets``, which are all groups, or all pins.

    ``gpio`` marks the general purpose one. Of an ``exclusive`` one there is only one instance:
    while an agent has it selected on what it has claimed, no other agent can select it.
    """

    def __init__(
        self, id: int, name: str, targets: Sequence[Target], *, gpio: bool, exclusive: bool
    ) -> None:
        self.id = id
        self.name = name
        self.targets = tuple(targets)
        self.gpio = gpio
        self.exclusive = exclusive
        for target in targets:
            target.functions.append(self)

    @property
    def pin_only(self) -> bool:
        """Whether it is for pins and not for groups."""
        return self.targets[0].SELECTOR == Selector.PIN

    def pins(self) -> Iterator[Pin]:
        """Return the pins that it is selected on."""
        return (pin for target in self.targets for pin in target.pins if pin.function is self)


# --- the board ------------------------------------------------------------------------------------


class Pads(NamedTuple):
    """Everything of a board, by id."""

    pins: tuple[Pin, ...]
    groups: tuple[Group, ...]
    functions: tuple[Function, ...]


T = TypeVar("T", bound=Target)


def read(table: Table, agent_id: permission.AgentId) -> Pads:
    """Read the ``[pinctrl]`` table of a board; raises BoardError.

    ``agent_id`` finds an agent by the name that stands at a key of a table.
    """
    rows = {noun: table.tables(noun) for noun in ("pin", "group", "function")}
    for noun, many in rows.items():
        if len(many) > MOST:
            raise table.error(noun, f"at most {MOST} of them")
    pins = tuple(_pin(id, row) for id, row in enumerate(rows["pin"]))
    by_name = dict(zip(_names(rows["pin"]), pins, strict=True))
    groups = []
    for id, row in enumerate(rows["group"]):
        row.only("name", "pins", "function", "restrict")
        groups.append(Group(id, row.text("name"), _named(row, "pins", by_name)))
    groups_by_name = dict(zip(_names(rows["group"]), groups, strict=True))
    functions = []
    for id, row in enumerate(rows["function"]):
        row.only("name", "pins", "groups", "gpio", "exclusive")
        if ("pins" in row) == ("groups" in row):
            raise row.error("groups", "either groups or pins", "both" if "pins" in row else None)
        targets: Sequence[Target]
        if "pins" in row:
            targets = _named(row, "pins", by_name)
        else:
            targets = _named(row, "groups", groups_by_name)
        gpio, exclusive = row.flag("gpio", False), row.flag("exclusive", False)
        functions.append(Function(id, row.text("name"), targets, gpio=gpio, exclusive=exclusive))
    _names(rows["function"])
    for target, row in zip((*pins, *groups), rows["pin"] + rows["group"], strict=True):
        _begin(target, row, agent_id)
    return Pads(pins, tuple(groups), tuple(functions))


def _names(rows: list[Table]) -> dict[str, int]:
    return unique((row, row.text("name")) for row in rows)


def _pin(id: int, row: Table) -> Pin:
    row.only("name", "supports", "settings", "function", "restrict")
    start = row.table("settings")
    made = {_type(start, key, key): _value(start, key) for key in start.values}
    listed = row.each("supports", 'a list such as ["bias-pull-up", 0xc0]')
    if "supports" in row:
        types = frozenset(_type(listed, key, value) for key, value in listed.values.items())
    else:
        types = frozenset({*ConfigType, *made}) - {ConfigType.DEFAULT}
    for key in start.values:
        if _type(start, key, key) not in types:
            raise start.error(key, "only settings that the pin supports", shown(key))
    if len({slot_of(type) for type in made}) < len(made):
        raise row.error("settings", "settings that do not exclude each other")
    return Pin(id, row.text("name"), types | {ConfigType.DEFAULT}, made.items())


def _type(table: Table, key: str | int, value: object) -> int:
    try:
        type = setting.type_of(str(value))
    except UsageError as error:
        names = ", ".join(setting.type_name(type) for type in ConfigType if type)
        wrong = table.error(key, f"one of: {names}, or the number of a vendor's type", shown(value))
        wrong.hint = error.hint
        raise wrong from error
    if type == ConfigType.DEFAULT or type not in (*ConfigType, *setting.VENDOR):
        raise table.error(key, "the type of a setting, a vendor's from 0xc0 to 0xff", shown(value))
    return type


def _value(table: Table, key: str) -> int:
    value, type = table.values[key], _type(table, key, key)
    try:
        return setting.value_of(type, str(int(value) if isinstance(value, bool) else value))
    except UsageError as error:
        unit = setting.unit_of(type)
        raise table.error(key, f"a value{f' in {unit}' if unit else ''}") from error


def _named(row: Table, key: str, known: Mapping[str, T]) -> list[T]:
    """Return the targets that a list names, by id: once each, at least one; ``*`` is all."""
    entries = row.each(key, "a list of names")
    names = {}
    for position in entries.values:
        name = entries.text(position)
        if name != "*" and name not in known:
            error = entries.error(position, f"the name of one of the {key} of this board")
            error.hint = nearest(name, known)
            raise error
        names[name] = position
    found = known.values() if "*" in names else [known[name] for name in names]
    if not found:
        raise row.error(key, "at least one name")
    return sorted(found, key=lambda target: target.id)


def _begin(target: Target, row: Table, agent_id: permission.AgentId) -> None:
    """Read what a pin or a group starts with, beyond its settings."""
    target.refused_at_start = permission.restricted(row, agent_id)
    target.refused = set(target.refused_at_start)
    if "function" not in row:
        return
    by_name = {function.name: function for function in target.functions}
    name = row.choice("function", tuple(by_name))
    for pin in target.pins:
        pin.function = pin.function_at_start = by_name[name]
