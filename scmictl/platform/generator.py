"""Generates boards of any size, for scale tests: the same counts and seed give the same text.

The text is made piece by piece, so that a large board takes as long as it is, and no memory to
speak of until somebody collects it. What a single thing looks like is in
:mod:`~scmictl.platform.specimen`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

from scmictl.platform import specimen
from scmictl.platform.specimen import Draw

TABLES: dict[str, Callable[[int, Draw], str]] = {
    "power": specimen.power,
    "perf": specimen.perf,
    "clock": specimen.clock,
    "sensor": specimen.sensor,
    "reset": specimen.reset,
    "voltage": specimen.voltage,
    "powercap": specimen.powercap,
}
"""The arrays of tables of a board that are not pins, in the order of their protocols."""
PINS = ("pin", "group", "function")
OWNERS = {**{kind: f"{kind}:" for kind in TABLES}, "pin": "pinctrl:"}
"""How a device says that it owns a thing; groups and functions are everybody's."""

MOST = {
    **dict.fromkeys((*TABLES, *PINS), 0xFFFF),
    # Numbers go to 65535; the list of sensors says what the 16 bits of their count cannot.
    "sensor": 0x10000,
    "agent": 255,
    "device": 0xFFFF,
}
"""The most there can be of everything."""

LARGEST_GROUP = 4
"""Pins of a group, where there are enough."""
LINE = 96
"""Characters after which a list goes on in the next line."""


class Size(NamedTuple):
    """How large a board is to be: how many of everything, and whether it has a system."""

    counts: dict[str, int]
    system: bool = False
    seed: int = 0

    def of(self, kind: str) -> int:
        """Return how many things of a kind there are to be."""
        return self.counts.get(kind, 0)


def generate(size: Size) -> Iterator[str]:
    """Yield the text of a board in pieces.

    The counts must be in the range that ``MOST`` gives, and groups and functions need pins.
    """
    yield f'[platform]\nvendor = "scmictl"\nsub_vendor = "generated"\nseed = {size.seed}\n'
    yield from _agents(size)
    yield from _devices(size)
    if size.system:
        yield "\n[system]\n"
    for kind, table in TABLES.items():
        for number in range(size.of(kind)):
            text = table(number, Draw(size.seed, kind, number))
            yield f'\n[[{kind}]]\nname = "{specimen.name(kind, number)}"\n{text}'
    yield from _pins(size)


def _agents(size: Size) -> Iterator[str]:
    """Yield the agents: all may do everything, but every other one lacks a device."""
    devices = size.of("device")
    for number in range(size.of("agent")):
        yield f'\n[[agent]]\nname = "agent{number}"\n'
        yield "trusted = true\n" if number == 0 else ""
        if number % 2 and devices:
            yield f'denied = ["{_device(number // 2 % devices)}"]\n'


def _devices(size: Size) -> Iterator[str]:
    """Yield the devices, each with its share of everything."""
    many = size.of("device")
    for number in range(many):
        owned = [
            f'"{owner}{specimen.name(kind, one)}"'
            for kind, owner in OWNERS.items()
            for one in range(*(size.of(kind) * end // many for end in (number, number + 1)))
        ]
        yield f'\n[[device]]\nname = "{_device(number)}"\nowns = {_list(owned)}\n'


def _device(number: int) -> str:
    return f"device{number}"


def _pins(size: Size) -> Iterator[str]:
    """Yield pins; groups of neighbours; functions, each for its share of the groups (or pins)."""
    pins, groups, functions = (size.of(kind) for kind in PINS)
    names = {kind: [specimen.name(kind, n) for n in range(size.of(kind))] for kind in PINS}
    for number, name in enumerate(names["pin"]):
        text = specimen.pin(number, Draw(size.seed, "pin", number))
        yield f'\n[[pinctrl.pin]]\nname = "{name}"\n{text}'
    width = max(1, min(LARGEST_GROUP, pins // groups)) if groups else 0
    for number, name in enumerate(names["group"]):
        members = {names["pin"][(number * width + place) % pins] for place in range(width)}
        quoted = [f'"{member}"' for member in sorted(members)]
        yield f'\n[[pinctrl.group]]\nname = "{name}"\npins = {_list(quoted)}\n'
    targets, key = ("group", "groups") if groups else ("pin", "pins")
    for number, name in enumerate(names["function"]):
        there = names[targets]
        share = there[number::functions] or [there[number % len(there)]]
        quoted = [f'"{target}"' for target in share]
        yield f'\n[[pinctrl.function]]\nname = "{name}"\n{key} = {_list(quoted)}\n'


def _list(quoted: Sequence[str]) -> str:
    """Return a list of texts, over as many lines as it takes."""
    lines, line = [], ""
    for text in quoted:
        if line and len(line) + len(text) > LINE:
            lines.append(line)
            line = ""
        line = f"{line}, {text}" if line else text
    lines.append(line)
    return f"[{line}]" if len(lines) == 1 else "[\n    " + ",\n    ".join(lines) + ",\n]"
