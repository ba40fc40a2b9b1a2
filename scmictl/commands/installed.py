"""The groups of verbs that installed packages bring, beside the table of our own.

A package's verbs are a group with the name of its protocol (:class:`scmictl.protocols.Plugin`).
They are imported and checked before the group is shown to anybody, so that whoever has an
:class:`~scmictl.commands.Entry` can use it.
"""

from __future__ import annotations

from collections.abc import Collection

from scmictl.commands import Entry
from scmictl.commands.command import Command
from scmictl.errors import UsageError
from scmictl.protocols import plugin
from scmictl.protocols.plugin import Plugin, Problem

ATTRIBUTE = "COMMANDS"

_known: dict[Plugin, Entry | Problem] = {}
"""What has been imported, or has failed to be: completion asks with every key."""


def entry(name: str, taken: Collection[str]) -> Entry | None:
    """Return the group of this name, None if there is none; raises UsageError if it is bad.

    ``taken`` are the words that mean something else.
    """
    found = plugin.named(name)
    if found is None or not found.commands:
        return None
    made = _entry(found, taken)
    if isinstance(made, Problem):
        raise UsageError(str(made))
    return made


def verbs(name: str) -> dict[str, Command]:
    """Return the verbs of the group of this name, if there is one and it is in order.

    What is wrong with it is noted for the user; raises UsageError if the whole package is bad.
    """
    found = plugin.named(name)
    made = _entry(found, ()) if found is not None and found.commands else None
    if isinstance(made, Problem):
        plugin.note(str(made))
        return {}
    return made.load() if made is not None else {}


def entries(taken: Collection[str]) -> list[Entry]:
    """Return all groups that are in order; what is wrong with others is noted for the user."""
    good = []
    for found in plugin.every():
        made = _entry(found, taken) if found.commands else None
        if isinstance(made, Problem):
            plugin.note(str(made))
        elif made is not None:
            good.append(made)
    return good


def _entry(found: Plugin, taken: Collection[str]) -> Entry | Problem:
    name = found.protocol.name
    if name in taken:
        return _problem(
            found, f"found the group {name!r}, a word of scmictl, expected another name"
        )
    if found not in _known:
        try:
            _known[found] = _checked(found)
        except Problem as problem:
            _known[found] = problem
    return _known[found]


def _checked(found: Plugin) -> Entry:
    name = found.protocol.name
    rows = plugin.module(found, found.commands, ATTRIBUTE)
    where = f"{found.commands}.{ATTRIBUTE}"
    if not isinstance(rows, (tuple, list)) or not rows:
        raise _problem(
            found, f"{where}: found type {type(rows).__name__}, expected a tuple of Command"
        )
    commands: dict[str, Command] = {}
    for row in rows:
        if not isinstance(row, Command):
            raise _problem(found, f"{where}: found type {type(row).__name__}, expected Command")
        if row.group != name or not row.verb:
            raise _problem(found, f"{where}: found {row.name!r}, expected a verb of {name!r}")
        commands[row.verb] = row
    return Entry(name, found.summary or found.protocol.title, found.commands, commands=commands)


def _problem(found: Plugin, text: str) -> Problem:
    return Problem(plugin.installed.worded(found, text))
