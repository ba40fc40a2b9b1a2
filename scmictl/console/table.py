"""Every first word of the language: the commands, and the two that only a console has."""

from __future__ import annotations

from scmictl import commands
from scmictl.commands import Command, Entry

ENTRIES = (
    *commands.TABLE,
    Entry("batch", "run files of commands", "scmictl.console.batch", group=False),
    Entry("shell", "the interactive shell", "scmictl.console.shell", group=False),
    Entry("completion", "print a completion script", "scmictl.console.completion", group=False),
)


def entry(name: str) -> Entry | None:
    """Return the entry of a first word, or None."""
    return next((e for e in ENTRIES if e.name == name), None)


def every_command() -> list[Command]:
    """Import and return all commands, in the order of the help."""
    return [command for e in ENTRIES for command in e.load().values()]
