"""Help inside the shell: what there is, and what a word means."""

from __future__ import annotations

import os
from collections.abc import Sequence

from scmictl import values
from scmictl.agent import Owner
from scmictl.commands import explain, message
from scmictl.console import statement, table
from scmictl.console.environment import Environment
from scmictl.console.parser import Help, parse
from scmictl.console.terminal import write
from scmictl.errors import UsageError
from scmictl.wire import Message

_INDENT = 17


def overview() -> str:
    """Return a page that names everything that can be typed."""
    lines = ["Commands (help COMMAND, help GROUP VERB):"]
    lines += [_line(entry.name, entry.summary) for entry in table.entries() if usable(entry.name)]
    lines += ["", "Statements (help STATEMENT):"]
    names: dict[str, list[str]] = {}
    for word, one in {**statement.SHELL, **statement.BATCH}.items():
        names.setdefault(one.help, []).append(word)
    lines += [_line(", ".join(words), text) for text, words in names.items()]
    lines += [
        "",
        "help CLOCK_RATE_SET shows the layout of a message, help DENIED a status,",
        "--help the options that every command has. COMMAND | less and COMMAND > FILE",
        "take the output elsewhere. Tab completes, Ctrl-R searches what was typed",
        "before, Ctrl-C ends a command, Ctrl-D leaves.",
    ]
    return "\n".join(lines)


def usable(word: str) -> bool:
    """Return whether a first word of the command line has a use inside the shell."""
    return word not in ("shell", "batch")


def topic(words: Sequence[str], vendor: Owner | None = None) -> str:
    """Return help on a command, a statement, or anything that `explain` knows.

    ``vendor`` is whose the protocols from 0x80 are.
    Raises UsageError, with what is near, for what is none of them.
    """
    first = words[0]
    known = {**statement.SHELL, **statement.BATCH}.get(first)
    if known is not None:
        if len(words) > 1:
            raise UsageError(f"{first} is a statement, found {words[1]!r} behind it")
        return f"{known.syntax}\n\n  {known.help}"
    if table.entry(first) is not None:
        parsed = parse([*words, "--help"])
        assert isinstance(parsed, Help)
        return inside(parsed.text)
    try:
        return explain.explained(words, vendor).text
    except UsageError:
        pass
    topics = [entry.name for entry in table.entries()]
    topics += [*statement.SHELL, *statement.BATCH]
    topics += [kind.SPEC for _, kind in message.every(Message)]
    text = " ".join(words)
    raise UsageError(
        f"no help on {text!r}, expected a command, a statement, a message or a status",
        hint=values.nearest(text, topics) or "help lists what there is",
    )


def inside(text: str) -> str:
    """Return the parser's help without the name of the program, which nobody types in the shell."""
    return text.replace("Usage: scmictl ", "Usage: ").replace("scmictl --help", "--help").rstrip()


def show(text: str, environment: Environment) -> None:
    """Print help; through $PAGER where there is one and the text is taller than the terminal."""
    pager = environment.environ.get("PAGER")
    if pager and environment.stdout.isatty() and text.count("\n") + 2 > _height(environment):
        import subprocess

        subprocess.run(
            ["/bin/sh", "-c", pager], input=text + "\n", text=True, encoding="utf-8", check=False
        )
        return
    write(environment.stdout, text + "\n", flush=True)


def _height(environment: Environment) -> int:
    try:
        return os.get_terminal_size(environment.stdout.fileno()).lines
    except (OSError, ValueError):
        return 24


def _line(word: str, text: str) -> str:
    return f"  {word:<{_INDENT}}{text}"
