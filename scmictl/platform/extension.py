"""Protocols on a board that installed packages bring.

A board that has a table, a version or an async limit under a name that is none of ours may mean the
protocol of a package (:class:`scmictl.protocols.Plugin`); only then are packages looked at. Such a
platform is one of the package's vendor: no agent would understand it otherwise.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from typing import NamedTuple

from scmictl.errors import BoardError, UsageError
from scmictl.platform.behaviour import Behaviour
from scmictl.platform.board import SHORT, Table, shown
from scmictl.protocols import VENDOR, plugin
from scmictl.protocols.plugin import Plugin, Problem

ATTRIBUTE = "BEHAVIOUR"


def find(board: Table, ours: Collection[str]) -> dict[str, Plugin]:
    """Return the plugins whose protocols the board has, by name.

    Raises BoardError for a plugin that is broken or has no behaviour.
    """
    names = [*board.values, *board.table("versions").values, *board.table("async").values]
    found: dict[str, Plugin] = {}
    for name in names:
        if name in ours or not isinstance(name, str) or name in found:
            continue
        try:
            one = plugin.named(name)
        except UsageError as error:
            raise BoardError(f"{board.file}: {name}: {error.message}") from error
        if one is None:
            continue  # nobody's: who reads the board says so
        if not one.platform:
            text = "found a protocol without a behaviour, expected one that can be simulated"
            raise BoardError(plugin.installed.worded(one, f"{board.file}: {name}: {text}"))
        found[name] = one
    return found


class Owner(NamedTuple):
    """Whose a protocol is; a sub-vendor may be empty, and then it is any."""

    vendor: str
    sub_vendor: str
    protocol: str


def owners(names: Collection[str], plugged: Iterable[Plugin]) -> list[Owner]:
    """Return whose the vendors' protocols of a board are: ours among ``names``, and plugins'."""
    ours = [Owner(vendor, sub, name) for vendor, sub, _, name in VENDOR if name in names]
    return ours + [Owner(p.vendor, p.sub_vendor, p.protocol.name) for p in plugged if p.vendor]


def identity(row: Table, default: tuple[str, str], owners: Sequence[Owner]) -> tuple[str, str]:
    """Take vendor and sub-vendor of the platform; they have to be those of its protocols."""
    vendor, sub_vendor = default
    for one in owners:
        vendor, sub_vendor = one.vendor, one.sub_vendor or sub_vendor
    said = (
        row.text("vendor", vendor, longest=SHORT),
        row.text("sub_vendor", sub_vendor, longest=SHORT),
    )
    for one in owners:
        for key, found, expected in zip(
            ("vendor", "sub_vendor"), said, (one.vendor, one.sub_vendor), strict=True
        ):
            if expected and found.casefold() != expected.casefold():
                whose = f"{shown(expected)}, whose protocol {one.protocol} is"
                raise row.error(key, whose, shown(found))
    return said


def behaviour(one: Plugin, board: Table) -> type[Behaviour]:
    """Import the behaviour of a plugin; raises BoardError if there is none that fits."""
    try:
        made = plugin.module(one, one.platform, ATTRIBUTE)
    except Problem as problem:
        raise BoardError(f"{board.file}: {one.protocol.name}: {problem}") from problem
    fits = isinstance(made, type) and issubclass(made, Behaviour)
    if not fits or getattr(made, "PROTOCOL", None) is not one.protocol:
        text = f"{one.platform}.{ATTRIBUTE}: expected a Behaviour whose PROTOCOL is the plugin's"
        raise BoardError(f"{board.file}: {plugin.installed.worded(one, text)}")
    found: type[Behaviour] = made
    return found
