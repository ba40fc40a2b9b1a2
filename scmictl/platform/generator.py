"""Generates boards of any size, for scale tests: the same counts and seed give the same text.

The text is made piece by piece, so that a large board takes as long as it is, and no memory to
speak of until somebody collects it. What a single thing looks like is in
:mod:`~scmictl.platform.specimen`, protocol by protocol.
"""

from __future__ import annotations

from collections.abc import Iterator
from importlib import import_module

from scmictl.platform.specimen import Draw, Size, Specimen, quoted

PROTOCOLS = (
    "power",
    "perf",
    "clock",
    "sensor",
    "reset",
    "voltage",
    "powercap",
    "pinctrl",
)
"""The files with specimens, in the order of their protocol numbers."""


def _tables() -> Iterator[tuple[str, Specimen]]:
    for protocol in PROTOCOLS:
        module = import_module(f"scmictl.platform.specimen.{protocol}")
        found: tuple[Specimen, ...] = module.SPECIMENS
        for one in found:
            yield (protocol if len(found) == 1 else f"{protocol}.{one.kind}"), one


TABLES = dict(_tables())
"""Every kind of thing, by the name of its tables in a board."""
AGENTS, DEVICES = "agent", "device"
MOST = {**{one.kind: one.most for one in TABLES.values()}, AGENTS: 255, DEVICES: 0xFFFF}
"""The most there can be of everything."""


def generate(size: Size) -> Iterator[str]:
    """Yield the text of a board in pieces.

    The counts must be in the range that ``MOST`` gives, and what is made of others needs those.
    """
    yield f'[platform]\nvendor = "scmictl"\nsub_vendor = "generated"\nseed = {size.seed}\n'
    yield from _agents(size)
    yield from _devices(size)
    if size.system:
        yield "\n[system]\n"
    for table, one in TABLES.items():
        for number in range(size.of(one.kind)):
            body = one.body(number, Draw(size, one.kind, number))
            yield f'\n[[{table}]]\nname = "{one.name(number)}"\n{body}'


def _agents(size: Size) -> Iterator[str]:
    """Yield the agents: all may do everything, but every other one lacks a device."""
    devices = size.of(DEVICES)
    for number in range(size.of(AGENTS)):
        yield f'\n[[agent]]\nname = "agent{number}"\n'
        yield "trusted = true\n" if number == 0 else ""
        if number % 2 and devices:
            yield f'denied = ["{_device(number // 2 % devices)}"]\n'


def _devices(size: Size) -> Iterator[str]:
    """Yield the devices, each with its share of everything."""
    many = size.of(DEVICES)
    for number in range(many):
        owned = [
            f"{table.partition('.')[0]}:{one.name(part)}"
            for table, one in TABLES.items()
            for part in range(*(size.of(one.kind) * end // many for end in (number, number + 1)))
            if one.owned
        ]
        yield f'\n[[device]]\nname = "{_device(number)}"\nowns = {quoted(owned)}\n'


def _device(number: int) -> str:
    return f"device{number}"
