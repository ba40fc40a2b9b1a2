"""Every first word of the language: the commands, and the two that only a console has.

Words that are none of ours may be groups of installed packages; those are looked for only then.
"""

from __future__ import annotations

from scmictl import commands, protocols
from scmictl.commands import Entry
from scmictl.console import statement

ENTRIES = (
    *commands.TABLE,
    Entry("batch", "run files of commands", "scmictl.console.batch", group=False),
    Entry("shell", "the interactive shell", "scmictl.console.shell", group=False),
    Entry("completion", "print a completion script", "scmictl.console.completion", group=False),
)
"""Our own."""


def entry(name: str) -> Entry | None:
    """Return the entry of a first word, or None; raises UsageError for that of a broken plugin."""
    own = next((e for e in ENTRIES if e.name == name), None)
    if own is not None or not name or name.startswith("-"):
        return own
    from scmictl.commands import installed

    return installed.entry(name, _taken())


def entries() -> list[Entry]:
    """Return all entries, those of installed packages last."""
    from scmictl.commands import installed

    return [*ENTRIES, *installed.entries(_taken())]


def speechless(word: str) -> str | None:
    """Return what to do with a protocol of ours that has no verbs; None for any other word."""
    if word not in [name for *_, name in (*protocols.STANDARD, *protocols.VENDOR)]:
        return None
    return f"{word} has no verbs: `explain {word}` lists its messages, `call` sends them"


def _taken() -> set[str]:
    """Return the words that no group of verbs can have."""
    return {*(e.name for e in ENTRIES), *statement.BATCH, *statement.SHELL}
