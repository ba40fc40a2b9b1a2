"""The manual page, written from the command table: ``python -m scmictl.console.manual``.

What it prints is kept in ``man/scmictl.1``; a test fails when the two differ.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from scmictl import errors
from scmictl.commands import Arg, Command, Opt
from scmictl.console.options import GLOBALS
from scmictl.console.statement import BATCH
from scmictl.console.table import ENTRIES
from scmictl.version import VERSION

DESCRIPTION = """\
scmictl talks to a virtio SCMI device as an agent does, or is such a device. A command is one line:
a group and a verb, or a tool. Without one, on a terminal, the shell starts; otherwise standard
input is run as a batch file."""

TARGETS = (
    (
        "sim:NAME|sim:FILE.toml",
        "a simulated platform in the same process; behind a ? and with & between them agent=NAME, "
        "seed=N, fault=SPEC",
    ),
    (
        "vhost-user:PATH",
        "a virtio SCMI device behind a Unix socket; a bare PATH means the same; behind a ? "
        "wait=DUR, reconnect=DUR, queue-size=N, event-buffers=N, message-size=N, features=LIST",
    ),
    ("control:PATH", "the control socket of a running serve, for the commands of sim"),
    ("NAME", "a target of the config file"),
)

VARIABLES = (
    (
        "SCMICTL_TARGET, SCMICTL_OUTPUT, SCMICTL_TIMEOUT, SCMICTL_READONLY",
        "defaults of the options",
    ),
    ("SCMICTL_CONFIG", "the configuration file"),
    ("NO_COLOR", "no colour, whatever it says"),
)

OTHER_CODES = (
    (0, "done"),
    (1, "a bug in scmictl"),
    (39, "any other SCMI status"),
    (143, "SIGTERM"),
    (141, "standard output was closed"),
)


def page() -> str:
    """Return the whole page in the language of man(7)."""
    return "\n".join(_lines()) + "\n"


def _lines() -> Iterator[str]:
    yield f'.TH SCMICTL 1 "" "scmictl {VERSION}" "User Commands"'
    yield from _section("NAME", r"scmictl \- the console for Arm SCMI")
    yield ".SH SYNOPSIS"
    yield r".B scmictl"
    yield r"[\fIGLOBAL OPTION\fR]... \fIGROUP VERB\fR [\fIARGUMENT\fR]... [\fIOPTION\fR]..."
    yield from _section("DESCRIPTION", _text(DESCRIPTION))
    yield ".SH TARGETS"
    for name, meaning in TARGETS:
        yield from _item(_text(name), _text(meaning))
    yield ".SH GLOBAL OPTIONS"
    yield "Accepted before the group, between group and verb, and after the verb; the last wins."
    for option in GLOBALS:
        yield from _option(option)
    yield ".SH COMMANDS"
    for entry in ENTRIES:
        yield f".SS {_text(entry.name)} \\- {_text(entry.summary)}"
        commands = entry.load()
        # Words of one module, such as call and raw, share its table of commands.
        for command in commands.values() if entry.group else (commands[entry.name],):
            yield from _command(command)
    yield ".SH STATEMENTS"
    yield "What batch files, \\-c and the shell understand besides commands."
    for statement in BATCH.values():
        yield from _item(f"\\fB{_text(statement.syntax)}\\fR", _text(statement.help))
    yield ".SH EXIT STATUS"
    for code, meaning in _exit_codes():
        yield from _item(str(code), _text(meaning))
    yield from _item("21\\-32", r"SCMI status \-1 to \-12: 20 \- status, so 23 is DENIED")
    yield ".SH ENVIRONMENT"
    for name, meaning in VARIABLES:
        yield from _item(_text(name), _text(meaning))
    yield from _section(
        "FILES",
        r"\fI~/.config/scmictl/config.toml\fR holds defaults and targets, \fI./scmictl.toml\fR "
        "targets and the output form.",
    )


def _command(command: Command) -> Iterator[str]:
    words = [f"\\fB{_text(command.name)}\\fR", *(_argument(arg) for arg in command.args)]
    if command.options:
        words.append("[\\fIOPTION\\fR]...")
    yield ".TP"
    yield " ".join(words)
    yield _text(f"{command.help[:1].upper()}{command.help[1:]}.")
    for part in command.details.split("\n\n") if command.details else ():
        lines = part.split("\n")
        yield from [".nf", *map(_line, lines), ".fi"] if len(lines) > 1 else [_text(part)]
    if command.options:
        yield ".RS"
        for option in command.options:
            yield from _option(option)
        yield ".RE"


def _argument(arg: Arg) -> str:
    word = f"\\fI{_text(arg.name.upper())}\\fR{'...' if arg.many else ''}"
    return word if arg.required else f"[{word}]"


def _option(option: Opt) -> Iterator[str]:
    names = ", ".join(f"\\fB{_text(n)}\\fR" for n in (option.short, option.name) if n)
    if option.kind != "flag":
        names += f" \\fI{_text(option.metavar or '|'.join(option.choices) or 'VALUE')}\\fR"
    choices = f": {', '.join(option.choices)}" if option.choices and option.metavar else ""
    yield from _item(names, _text(f"{option.help}{choices}"))


def _exit_codes() -> list[tuple[int, str]]:
    """Return code and meaning of every class of error, from the classes themselves."""
    found = dict(OTHER_CODES)
    for kind in vars(errors).values():
        if isinstance(kind, type) and issubclass(kind, errors.ScmictlError):
            meaning = (kind.__doc__ or "").split("\n")[0].rstrip(".").replace("``", "`")
            found.setdefault(kind.exit_code, meaning[:1].lower() + meaning[1:])
    return sorted(found.items())


def _item(name: str, meaning: str) -> Iterator[str]:
    yield ".TP"
    yield name
    yield meaning


def _section(title: str, text: str) -> Iterator[str]:
    yield f".SH {title}"
    yield text


def _text(text: str) -> str:
    """Return a text that man(7) fills, with what it would read as its own escaped."""
    return _line(" ".join(text.split()))


def _line(text: str) -> str:
    """Escape what man(7) would read as its own."""
    escaped = text.replace("\\", "\\e").replace("-", "\\-")
    return re.sub(r"^([.'])", r"\\&\1", escaped)


if __name__ == "__main__":
    print(page(), end="")
