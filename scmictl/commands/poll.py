"""Polling: a command that reads, run again and again at a steady interval."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from scmictl import values
from scmictl.commands import TABLE
from scmictl.commands.command import Arguments, Command, Opt, Record, Rows
from scmictl.commands.context import Context
from scmictl.commands.criteria import Criteria
from scmictl.errors import UsageError
from scmictl.wire import Effect, Request


def rounds(
    ctx: Context, criteria: Criteria, read: Callable[[float], Sequence[Record]]
) -> Iterator[Record]:
    """Yield the records of ``read(wall-clock seconds)``, round after round.

    A round that takes longer than the interval delays those that follow; none is made up for.
    Raises CriteriaNotMet and what ``read`` raises.
    """
    agent = ctx.agent
    clock = agent.waiter.now
    assert criteria.interval is not None
    begun = clock()
    criteria.begin(begun)
    due = begun
    while True:
        records = read(time.time())
        yield from records
        if criteria.take(records, clock()):
            return
        due = max(due + criteria.interval, clock())
        limit = criteria.limit()
        if limit is not None and limit < due:
            agent.pause(max(0.0, limit - clock()))
            criteria.finish(clock())
            return
        agent.pause(due - clock())


def command_records(
    ctx: Context, command: Command, arguments: Arguments
) -> Callable[[float], Sequence[Record]]:
    """Return a function that runs a command once and returns its records, each with its time."""

    def read(now: float) -> list[Record]:
        assert command.run is not None
        output = command.run(ctx, arguments)
        if not isinstance(output, Rows):
            raise UsageError(f"{command.name} gives nothing that can be polled")
        if output.error is not None:
            raise output.error
        return [{"time": now, **record} for record in output.records]

    return read


def bind(words: Sequence[str]) -> tuple[Command, Arguments]:
    """Return the command that ``words`` are, with its arguments; it must be one that only reads.

    Raises UsageError for anything else. Global options belong in front of the watch.
    """
    command, rest = _command(list(words))
    arguments = Arguments(_values(command, rest))
    command.check(arguments)
    if not _only_reads(command, arguments):
        raise UsageError(f"{command.name} changes the platform, expected a command that reads")
    if command.run is None or not command.connects:
        raise UsageError(f"{command.name} does not ask the platform, so there is nothing to poll")
    return command, arguments


def is_command(word: str) -> bool:
    """Return whether a command begins with ``word``."""
    from scmictl.commands import TABLE  # which lists the module that imports this one

    return any(entry.name == word for entry in TABLE)


def _command(words: list[str]) -> tuple[Command, list[str]]:
    first = next((entry for entry in TABLE if entry.name == words[0]), None)
    if first is None:
        from scmictl.commands import installed  # only for what is none of our own

        first = installed.entry(words[0], ())
    if first is None:
        raise values.unknown("command", words[0], [entry.name for entry in TABLE])
    commands = first.load()
    if not first.group:
        return commands[first.name], words[1:]
    for length in (2, 1):
        command = commands.get(" ".join(words[1 : 1 + length]))
        if command is not None:
            return command, words[1 + length :]
    raise values.unknown(f"verb of {first.name}", " ".join(words[1:3]), list(commands))


def _values(command: Command, words: list[str]) -> dict[str, Any]:
    """Return the words of a command by the names of its arguments and options."""
    given: dict[str, Any] = {option.key: None for option in command.options}
    given |= {option.key: False for option in command.options if option.kind == "flag"}
    plain: list[str] = []
    while words:
        word = words.pop(0)
        if not word.startswith("-") or word[1:2].isdigit() or word in ("-", "--"):
            plain.append(word)
            continue
        name, equals, value = word.partition("=")
        option = _option(command, name)
        if option.kind == "flag":
            given[option.key] = True
            continue
        if not equals:
            if not words:
                raise UsageError(f"{name} of {command.name} needs a value")
            value = words.pop(0)
        given[option.key] = [*(given[option.key] or ()), value] if option.many else value
    for arg in command.args:
        taken = plain if arg.many else plain[:1]
        plain = [] if arg.many else plain[1:]
        if arg.required and not taken:
            raise UsageError(f"{command.name} needs {arg.name.upper()}")
        given[arg.name] = list(taken) if arg.many else (taken[0] if taken else None)
    if plain:
        raise UsageError(f"{command.name} does not take {plain[0]!r}")
    return given


def _option(command: Command, name: str) -> Opt:
    for option in command.options:
        if name in (option.name, option.short):
            return option
    names = [option.name for option in command.options]
    raise values.unknown(f"option of {command.name}", name, names)


def _only_reads(command: Command, arguments: Arguments) -> bool:
    if command.name == "call":
        from scmictl.commands import message

        _, kind = message.find(arguments.message, Request)
        return kind.EFFECT == Effect.READ
    return command.effect == Effect.READ or command.restores
