"""What a user can say: every command as data and a small function, without any terminal.

A file with the name of a protocol has the verbs of its group; longer ones have a second file that
reads (``clock`` and ``profile``, ``perf`` and ``pace``, ``powercap`` and ``allowance``, ``sensor``
and ``gauge``, ``pinctrl`` and ``pinout``). What all share: ``command`` (what a command is),
``context`` (the connection, and what is allowed), ``subject`` (the things that were named),
``info`` and ``watch`` (the verbs that every group has).

May import: ``agent``, ``protocols``, ``platform``, ``device`` and what those give out; never
``console``. To extend: a file whose ``COMMANDS`` lists its commands, and its line in :data:`TABLE`.
Parser, shell, batch, help, completion and man pages follow from there, and nothing else knows of
the protocol: `info` comes from :func:`~scmictl.commands.info.info_command`, `watch` from
:func:`~scmictl.commands.watch.watch_command` and its feeds, and what stands beside the names of
things where they complete is the ``glimpse`` of the verb that lists them. A file is imported only
when one of its commands is used (or helped with). Installed packages add groups in the same way
(:mod:`~scmictl.commands.installed`).
"""

from __future__ import annotations

from importlib import import_module
from typing import NamedTuple

from scmictl import protocols
from scmictl.commands.command import (
    Arg,
    Arguments,
    Column,
    Command,
    Opt,
    Output,
    Record,
    Rows,
    Stream,
    Text,
)
from scmictl.protocols import Protocol

__all__ = [
    "TABLE",
    "Arg",
    "Arguments",
    "Column",
    "Command",
    "Entry",
    "Opt",
    "Output",
    "Record",
    "Rows",
    "Stream",
    "Text",
    "verbs",
]


class Entry(NamedTuple):
    """A first word: a group of verbs, or (``group`` False) a tool of its own."""

    name: str
    summary: str
    module: str
    group: bool = True
    commands: dict[str, Command] | None = None
    """The commands by verb, if they have been imported already."""

    def load(self) -> dict[str, Command]:
        """Import the commands behind this word, by verb."""
        if self.commands is not None:
            return self.commands
        module = import_module(self.module)
        return {c.verb: c for c in module.COMMANDS if c.group == (self.name if self.group else "")}


TABLE = (
    Entry("base", "who the platform is, its agents and permissions", f"{__name__}.base"),
    Entry("power", "states of power domains", f"{__name__}.power"),
    Entry("system", "shut down, reset and suspend the system", f"{__name__}.system"),
    Entry("perf", "levels and limits of performance domains", f"{__name__}.perf"),
    Entry("clock", "rates, gates and parents of clocks", f"{__name__}.clock"),
    Entry("sensor", "readings, axes, intervals and trip points", f"{__name__}.sensor"),
    Entry("reset", "resets of domains, and signals that are held", f"{__name__}.reset"),
    Entry("voltage", "levels of voltage domains, on and off", f"{__name__}.voltage"),
    Entry("powercap", "caps, averaging intervals and measured power", f"{__name__}.powercap"),
    Entry("pinctrl", "pins, their groups, functions and settings", f"{__name__}.pinctrl"),
    Entry("sim", "change a simulated platform by hand", f"{__name__}.sim"),
    Entry("info", "one screen about the target", f"{__name__}.info", group=False),
    Entry("watch", "stream notifications, or poll", f"{__name__}.watch", group=False),
    Entry("subscribe", "switch a notification on until undone", f"{__name__}.watch", group=False),
    Entry("unsubscribe", "switch a notification off again", f"{__name__}.watch", group=False),
    Entry("call", "send any message by its specification name", f"{__name__}.call", group=False),
    Entry("raw", "send any message byte by byte", f"{__name__}.call", group=False),
    Entry("decode", "what frames in hex or in a trace mean", f"{__name__}.decode", group=False),
    Entry("encode", "the frame of a message, in hex", f"{__name__}.encode", group=False),
    Entry("explain", "what a message, status or header means", f"{__name__}.explain", group=False),
    Entry("serve", "be the platform behind a socket", f"{__name__}.serve", group=False),
    Entry("board", "list, show and check simulated boards", f"{__name__}.board"),
)
"""Every first word there is, in the order of the help."""


def verbs(protocol: Protocol) -> dict[str, Command]:
    """Import and return the verbs of a protocol's group; none if it has no group that works."""
    own = next((one for one in TABLE if one.group and one.name == protocol.name), None)
    if own is not None:
        return own.load()
    if protocols.is_ours(protocol.name):
        return {}
    from scmictl.commands import installed  # only for what is none of our own

    return installed.verbs(protocol.name)
