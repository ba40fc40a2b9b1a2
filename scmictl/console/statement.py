"""The statements that are no commands, as data: how each is written and what it does.

What runs them is elsewhere: those of batch files in :mod:`scmictl.console.script` and
:mod:`scmictl.console.batch`, those that only the shell has in :mod:`scmictl.console.shell`.
"""

from __future__ import annotations

from typing import NamedTuple


class Statement(NamedTuple):
    """How a statement is written, and what it does."""

    syntax: str
    help: str


BATCH = {
    "expect": Statement(
        "expect OUTCOME[|OUTCOME…] [within DURATION]: COMMAND",
        "run a command that must end so: ok, DENIED, timeout, refused",
    ),
    "assert": Statement("assert EXPR", "check the last result: assert rate_hz == 24MHz"),
    "set": Statement(
        "set NAME = VALUE, or set NAME := COMMAND .FIELD",
        "set a variable, from then on $NAME",
    ),
    "wait": Statement("wait EVENT [EXPR] within DURATION", "wait for a notification"),
    "quiet": Statement(
        "quiet EVENT [EXPR] for DURATION", "check that a notification does not come"
    ),
    "repeat": Statement("repeat N [every DURATION]: COMMAND", "run a command several times"),
    "for": Statement("for NAME in WORD…: COMMAND", "run a command for each word, as $NAME"),
    "sleep": Statement("sleep DURATION", "let time go by"),
    "echo": Statement("echo TEXT", "print a text"),
    "section": Statement("section TEXT", "print a heading"),
    "use": Statement("use [URI]", "talk to another target, or connect anew"),
    "target": Statement("target URI", "talk to another target, or connect anew"),
    "source": Statement("source FILE", "run a file of commands"),
    "include": Statement("include FILE", "run a file of commands"),
}
"""The statements of batch files; all of them work in the shell as well."""

SHELL = {
    "help": Statement(
        "help [COMMAND | STATEMENT | MESSAGE | STATUS]", "say what there is, or what a word means"
    ),
    "history": Statement("history [N]", "list what was typed before"),
    "record": Statement(
        "record FILE … record stop", "write what is typed, with its results, as a batch file"
    ),
    "exit": Statement("exit", "leave, as Ctrl-D does"),
    "quit": Statement("quit", "leave, as Ctrl-D does"),
}
"""The statements that only the shell has."""
