"""The parser: turns words into an :class:`Invocation`. The only module that imports typer.

typer parses, words its errors and writes help; nothing of it is seen outside. The groups are stubs
until one is used, so that a command pays only for its own module. Global options are known at every
level, and the one given last wins.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple, cast

import typer
import typer.core

from scmictl.commands import Arg, Arguments, Command, Entry, Opt
from scmictl.console import table
from scmictl.console.options import EITHER, GLOBALS
from scmictl.console.table import ENTRIES
from scmictl.errors import UsageError

VALUE_MARK = "\ue000"
"""Put in front of a word like ``-850mV``, so that it is not taken for options."""

_NEGATIVE = re.compile(r"-\.?[0-9]")


class Invocation(NamedTuple):
    """One command as it was typed. ``options`` are the global options that were given."""

    command: Command | None
    arguments: Arguments
    options: dict[str, Any]


class Help(NamedTuple):
    """What to print instead of running anything."""

    text: str


def parse(words: Sequence[str]) -> Invocation | Help:
    """Parse the words after ``scmictl``; raises UsageError for what cannot be understood."""
    marked = [VALUE_MARK + w if _NEGATIVE.match(w) else w for w in words]
    root = _Root(
        "scmictl",
        "Talk to a virtio SCMI device, or be one.",
        {entry.name: _maker(entry) for entry in ENTRIES},
        {entry.name: entry.summary for entry in ENTRIES},
        top=True,
    )
    try:
        with root.make_context("scmictl", marked) as context:
            result = root.invoke(context)
    except typer.TyperException as error:
        raise _usage(error) from None
    except _ShowHelp as shown:
        return Help(shown.text + _topic(shown.command, words))
    assert isinstance(result, Invocation)
    return result


class _ShowHelp(Exception):
    def __init__(self, text: str, command: Command | None) -> None:
        super().__init__()
        self.text = text
        self.command = command


def _details(command: Command) -> str:
    """Return the details as the help takes them: paragraphs of several lines stay as they are."""
    parts = command.details.split("\n\n")
    return "\n\n".join(f"\b\n{part}" if "\n" in part else part for part in parts)


def _topic(command: Command | None, words: Sequence[str]) -> str:
    """Return what the help of ``command`` has to add for what was typed with it."""
    if command is None or command.topic is None:
        return ""
    more = command.topic(words[words.index(command.verb) + 1 :])
    return f"\n\n{more}" if more else ""


def _usage(error: typer.TyperException) -> UsageError:
    message = " ".join(error.format_message().replace(VALUE_MARK, "").split()).rstrip(".")
    context = getattr(error, "ctx", None)
    hint = f"try: {context.command_path} --help" if context is not None else None
    message, _, near = message.partition(". Did you mean ")
    if near:
        # As ours say it: 'list', 'set' is list or set.
        words = near.rstrip("?").replace("'", "").replace(", ", " or ")
        hint = f"did you mean {words}?"
    return UsageError(message[:1].lower() + message[1:], hint=hint)


def _unmark(value: Any) -> Any:
    if isinstance(value, str):
        return value.replace(VALUE_MARK, "")
    if isinstance(value, (list, tuple)):
        return [_unmark(item) for item in value]
    return value


class _Order:
    """Notes in which order global options were given, across the levels of one command line."""

    def __init__(self) -> None:
        self.given: dict[str, Any] = {}

    def merge(self, parameters: Mapping[str, Any]) -> None:
        for name, value in parameters.items():
            if value in (None, False):
                continue
            self.given.pop(name, None)
            self.given[name] = _unmark(value)


def _options(context: Any) -> dict[str, Any]:
    """Merge the global options of every level, outermost first: the last one wins."""
    levels = []
    while context is not None:
        levels.append(context.params)
        context = context.parent
    order = _Order()
    names = {option.key for option in GLOBALS}
    for level in reversed(levels):
        order.merge({name: value for name, value in level.items() if name in names})
    given = order.given
    for pair in EITHER:
        both = [name for name in given if name in pair]
        for loser in both[:-1]:
            del given[loser]
    return given


def _help_option() -> Any:
    def show(context: Any, _: Any, wanted: bool) -> None:
        if wanted and not context.resilient_parsing:
            command = getattr(context.command, "scmictl_command", None)
            raise _ShowHelp(context.get_help(), command)

    return typer.core.TyperOption(
        param_decls=["-h", "--help"],
        is_flag=True,
        is_eager=True,
        expose_value=False,
        callback=show,
        help="show this help",
    )


def _option(option: Opt, *, hidden: bool = False) -> Any:
    flag = option.kind == "flag"
    return typer.core.TyperOption(
        param_decls=[*([option.short] if option.short else []), option.name, option.key],
        is_flag=flag,
        multiple=option.many,
        default=False if flag else None,
        metavar=None if flag else (option.metavar or "|".join(option.choices) or "VALUE"),
        help=_option_help(option),
        hidden=hidden,
        type=None if flag else str,
    )


def _option_help(option: Opt) -> str:
    # Without a metavar the choices stand where it would.
    if option.choices and option.metavar:
        return f"{option.help}: {', '.join(option.choices)}"
    return option.help


def _argument(arg: Arg) -> Any:
    return typer.core.TyperArgument(
        param_decls=[arg.name],
        nargs=-1 if arg.many else 1,
        required=arg.required,
        type=str,
        metavar=f"{arg.name.upper()}{'...' if arg.many else ''}",
        help=_argument_help(arg),
    )


def _argument_help(arg: Arg) -> str:
    if arg.choices:
        return f"{arg.help}: {', '.join(arg.choices)}"
    return arg.help


class _Verb(typer.core.TyperCommand):
    """One command; invoking it gives the Invocation."""

    def __init__(self, command: Command) -> None:
        own = {option.key for option in command.options}
        super().__init__(
            command.verb,
            callback=None,
            params=[
                *(_argument(arg) for arg in command.args),
                *(_option(option) for option in command.options),
                *(_option(option, hidden=True) for option in GLOBALS if option.key not in own),
                _help_option(),
            ],
            help=f"{command.help[:1].upper()}{command.help[1:]}.\n\n{_details(command)}".strip(),
            short_help=command.help,
            epilog="Global options go anywhere on the line: scmictl --help lists them.",
            rich_markup_mode=None,
            add_help_option=False,
        )
        self.scmictl_command = command

    def invoke(self, ctx: Any) -> Invocation:
        command = self.scmictl_command
        names = [arg.name for arg in command.args] + [option.key for option in command.options]
        given = {name: _unmark(ctx.params.get(name)) for name in names}
        for arg in command.args:
            if arg.many:
                given[arg.name] = list(given[arg.name] or ())
        for option in command.options:
            if option.many:
                given[option.key] = list(given[option.key] or ())
        options = _options(ctx)
        for option in command.options:
            options.pop(option.key, None)
        return Invocation(command, Arguments(given), options)


class _Group(typer.core.TyperGroup):
    """A level of words; what is behind a word is made only when it is used."""

    def __init__(
        self,
        name: str,
        summary: str,
        makers: Mapping[str, Callable[[], Any]],
        summaries: Mapping[str, str],
        *,
        top: bool = False,
    ) -> None:
        super().__init__(
            name=name,
            commands={},
            params=[*(_option(option, hidden=not top) for option in GLOBALS), _help_option()],
            help=summary,
            short_help=summary,
            rich_markup_mode=None,
            add_help_option=False,
            invoke_without_command=top,
            no_args_is_help=False,
        )
        self.makers = dict(makers)
        self.summaries = dict(summaries)
        # typer looks here for its "did you mean".
        self.commands = cast("Any", dict.fromkeys(self.makers))

    def list_commands(self, ctx: Any) -> list[str]:
        return list(self.makers)

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        # From the summaries: making the commands would import every module behind them.
        with formatter.section("Commands"):
            formatter.write_dl(list(self.summaries.items()))

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        maker = self.makers.get(cmd_name)
        return maker() if maker is not None else None

    def invoke(self, ctx: Any) -> Invocation:
        if not ctx._protected_args and self.invoke_without_command:
            return Invocation(None, Arguments({}), _options(ctx))
        result = super().invoke(ctx)
        assert isinstance(result, Invocation)
        return result


class _Root(_Group):
    """The first level, to which installed packages add words."""

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        found = super().get_command(ctx, cmd_name)
        if found is None:
            entry = table.entry(cmd_name)
            found = _maker(entry)() if entry is not None else None
            hint = table.speechless(cmd_name) if found is None else None
            if hint is not None:
                raise UsageError(f"no such command {cmd_name!r}", hint=hint)
        return found

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        self.summaries = {entry.name: entry.summary for entry in table.entries()}
        super().format_commands(ctx, formatter)


def _maker(entry: Entry) -> Callable[[], Any]:
    def make() -> Any:
        commands = entry.load()
        if entry.group:
            return _verbs(entry.name, f"{entry.summary[:1].upper()}{entry.summary[1:]}.", commands)
        return _Verb(commands[entry.name])

    return make


def _verbs(name: str, summary: str, commands: Mapping[str, Command]) -> _Group:
    """Return the group of these verbs; the help lists one of two words as it is typed."""
    inner: dict[str, dict[str, Command]] = {}
    for verb, command in commands.items():
        first, _, rest = verb.partition(" ")
        inner.setdefault(first, {})[rest] = command
    return _Group(
        name,
        summary,
        {first: _verb_maker(first, rest) for first, rest in inner.items()},
        {verb: command.help for verb, command in commands.items()},
    )


def _verb_maker(first: str, rest: Mapping[str, Command]) -> Callable[[], Any]:
    """Return what makes the verb ``first``, or the group of those that begin with that word."""
    if "" in rest:
        return lambda: _Verb(rest[""])
    group = next(iter(rest.values())).group
    ways = ", ".join(f"{group} {first} {second}" for second in rest)
    return lambda: _verbs(first, f"{ways}.", rest)
