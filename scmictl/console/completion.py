"""Completion: what the word at the cursor can become. Pure: nothing is sent, nothing waits.

The line is read by the one lexer and walked along the command table, as the parser would; what fits
the place that is reached comes from :mod:`scmictl.console.offer`. The names of live things come out
of a :class:`~scmictl.console.offer.Scene`, which whoever has a connection keeps filled.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from scmictl.commands import Arg, Arguments, Command, Entry, Opt, Output, Text
from scmictl.commands.context import Context
from scmictl.console import lexer, offer, statement, table
from scmictl.console.lexer import Token
from scmictl.console.offer import Offer, Scene
from scmictl.console.options import GLOBALS
from scmictl.console.script import OUTCOMES
from scmictl.console.terminal import safe
from scmictl.errors import UsageError
from scmictl.wire import Message

SHELLS = ("bash", "zsh", "fish")

_WITH_COMMAND = ("expect", "repeat", "for")
_HIDDEN = ("target", "include", "section")
"""Statements that are not offered: they have a shorter name, or make little sense alone."""
_NEGATIVE = re.compile(r"-\.?[0-9]")
_PLAIN = re.compile(r"[^\s;'\"\\$#|>@-][^\s;'\"\\$]*")


class Candidate(NamedTuple):
    """A text that can stand instead of what lies between ``start`` and the cursor.

    ``shown`` and ``note`` are for a menu, and safe on a terminal.
    """

    text: str
    start: int
    shown: str
    note: str = ""


def complete(text: str, cursor: int, scene: Scene) -> list[Candidate]:
    """Return what the word at ``cursor`` can become, the likeliest order first.

    A single candidate that ends its word brings the blank behind it.
    """
    words, partial = lexer.tokens_so_far(text[:cursor])
    if partial.text.startswith("#") and not partial.quoted:
        return []
    typed = partial.text
    if typed.startswith("$"):
        typed = text[partial.start : cursor]  # as it was typed, not as it is understood
    found = _fitting(_offers(words, partial, scene), typed)
    candidates = [_candidate(one, partial.start) for one in found]
    if len(candidates) == 1 and not found[0].open:
        only = candidates[0]
        blank = "" if text[cursor : cursor + 1].isspace() else " "
        candidates = [only._replace(text=only.text + blank)]
    return candidates


def _fitting(offers: Iterable[Offer], typed: str) -> list[Offer]:
    """Return the offers that begin with what was typed, those in the very same case first."""
    folded = typed.casefold()
    unique = {one.word: one for one in offers if one.word.casefold().startswith(folded)}
    return sorted(unique.values(), key=lambda one: not one.word.startswith(typed))


def _candidate(one: Offer, start: int) -> Candidate:
    text = one.word if one.literal else quoted(one.word)
    return Candidate(text, start, one.shown or one.word, one.note)


def quoted(word: str) -> str:
    """Return the word as it has to be typed, with quotes where the lexer would read it otherwise.

    What begins with ``-`` is taken for an option as it is.
    """
    if _PLAIN.fullmatch(word) or (word.startswith("-") and _PLAIN.fullmatch("x" + word)):
        return word
    return "'" + word.replace("'", "'\"'\"'") + "'"


# --- where the cursor is --------------------------------------------------------------------------


def _offers(words: Sequence[Token], partial: Token, scene: Scene) -> list[Offer]:
    """Return what fits behind ``words``."""
    for place, token in enumerate(words):
        if place and token.word in (">", ">>"):
            return offer.files(partial.text) if place == len(words) - 1 else []
        if place and token.word is not None and token.word.startswith(("|", ">")):
            return []  # a command of the system's shell, or behind the name of a file
    if partial.text.startswith("$") and not partial.quoted:
        return [Offer(f"${k}", safe(v), literal=True) for k, v in scene.variables.items()]
    if not words:
        return _first(partial, scene)
    first = words[0].word
    if first in _WITH_COMMAND:
        return _behind_colon(first, words, partial, scene)
    if first == "set":
        behind = len(words) > 2 and words[2].word == ":="
        return _offers(words[3:], partial, scene) if behind else []
    if first is not None and first in _statements():
        return _statement(first, [word.text for word in words[1:]], partial.text, scene)
    return _command([word.text for word in words], partial.text, scene)


def _first(partial: Token, scene: Scene) -> list[Offer]:
    """Return the first words of everything there is."""
    if partial.text.startswith("-"):
        return _options(GLOBALS)
    return [
        *(Offer(entry.name, entry.summary) for entry in _usable()),
        *(Offer(word, one.help) for word, one in _statements().items() if word not in _HIDDEN),
    ]


def _statements() -> dict[str, statement.Statement]:
    return {**statement.SHELL, **statement.BATCH}


def _entry(word: str) -> Entry | None:
    try:
        return table.entry(word)
    except UsageError:
        return None  # of a package that is broken: using it says so


def _usable() -> list[Entry]:
    """Return the entries that have a use inside of a session."""
    return [entry for entry in table.entries() if entry.name not in ("batch", "shell")]


def _behind_colon(first: str, words: Sequence[Token], partial: Token, scene: Scene) -> list[Offer]:
    for place, token in enumerate(words):
        if place and token.ends_with_colon:
            return _offers(words[place + 1 :], partial, scene)
    if first == "expect" and len(words) == 1:
        return [Offer(f"{outcome}:") for outcome in OUTCOMES]
    return []


def _statement(first: str, words: Sequence[str], typed: str, scene: Scene) -> list[Offer]:
    if first in ("include", "source"):
        return offer.files(typed) if not words else []
    if first == "record" and not words:
        return [Offer("stop", "write the file"), *offer.files(typed)]
    if first in ("use", "target"):
        return offer.targets(scene) if not words else []
    if first == "assert":
        return [Offer(key) for key in scene.keys]
    if first in ("wait", "quiet") and not words:
        return offer.events()
    if first == "help":
        return _topics(words, typed, scene)
    return []


def _topics(words: Sequence[str], typed: str, scene: Scene) -> list[Offer]:
    """Return what there is help for."""
    if not words:
        return [
            *(Offer(entry.name, entry.summary) for entry in table.entries()),
            *(Offer(word, one.help) for word, one in _statements().items()),
            *(offer.messages(typed, Message) if typed else ()),
        ]
    entry = _entry(words[0])
    return _verbs(entry, words[1:]) if entry is not None and entry.group else []


# --- commands -------------------------------------------------------------------------------------


def _command(words: Sequence[str], typed: str, scene: Scene) -> list[Offer]:
    """Walk the words of a command, and return what fits behind them."""
    walk = _Walk()
    for word in words:
        walk.take(word)
    if walk.option is not None:
        return offer.value(walk.option, typed, scene)
    if typed.startswith("-") and not _NEGATIVE.match(typed):
        name, equals, begun = typed.partition("=")
        option = walk.find(name) if equals else None
        if option is not None:
            values = offer.value(option, begun, scene)
            return [one._replace(word=f"{name}={one.word}") for one in values]
        return _options([o for o in walk.options() if o.many or o.name not in walk.given])
    if walk.entry is None:
        return [] if walk.lost else [Offer(entry.name, entry.summary) for entry in _usable()]
    if walk.command is None:
        return _verbs(walk.entry, walk.verb)
    arg = walk.argument()
    return offer.argument(arg, walk.positional, typed, scene) if arg is not None else []


def _verbs(entry: Entry, before: Sequence[str]) -> list[Offer]:
    """Return the verbs of a group; of one of two words, the second behind the first."""
    commands = entry.load()
    offers: dict[str, Offer] = {}
    for verb, command in commands.items():
        parts = verb.split()
        if parts[: len(before)] != list(before) or len(parts) == len(before):
            continue
        word = parts[len(before)]
        alone = len(parts) == len(before) + 1
        if word not in offers:
            offers[word] = Offer(word, command.help if alone else verb)
        elif not alone:
            offers[word] = Offer(word, f"{offers[word].note}, {verb}")
    return list(offers.values())


def _options(options: Iterable[Opt]) -> list[Offer]:
    return [Offer(option.name, option.help) for option in options]


class _Walk:
    """How far the words of a command line lead along the table."""

    def __init__(self) -> None:
        self.entry: Entry | None = None
        self.verb: list[str] = []
        self.command: Command | None = None
        self.option: Opt | None = None
        """The option whose value comes next."""
        self.given: set[str] = set()
        self.positional: list[str] = []
        self.lost = False
        """A word led nowhere: nothing can be said of what follows."""

    def take(self, word: str) -> None:
        """Go on by one complete word."""
        if self.option is not None:
            self.option = None
        elif word.startswith("-") and len(word) > 1 and not _NEGATIVE.match(word):
            name, equals, _ = word.partition("=")
            option = self.find(name)
            self.given.add(option.name if option is not None else name)
            if option is not None and option.kind != "flag" and not equals:
                self.option = option
        elif self.entry is None:
            self.entry = _entry(word)
            self.lost = self.entry is None
            if self.entry is not None and not self.entry.group:
                self.command = self.entry.load()[word]
        elif self.command is None:
            self.verb.append(word)
            self.command = self.entry.load().get(" ".join(self.verb))
        else:
            self.positional.append(word)

    def options(self) -> tuple[Opt, ...]:
        """Return the options that can stand here, the command's own first."""
        own = self.command.options if self.command is not None else ()
        names = {option.name for option in own}
        return (*own, *(option for option in GLOBALS if option.name not in names))

    def find(self, name: str) -> Opt | None:
        """Return the option of this name, long or short."""
        return next((o for o in self.options() if name in (o.name, o.short)), None)

    def argument(self) -> Arg | None:
        """Return the argument that comes next."""
        assert self.command is not None
        args = self.command.args
        place = len(self.positional)
        if place < len(args):
            return args[place]
        return args[-1] if args and args[-1].many else None


# --- the completion scripts of other shells -------------------------------------------------------


def completion(ctx: Context, args: Arguments) -> Output:
    """Print a script that teaches a shell the words of scmictl."""
    from scmictl.console import dialect

    return Text(dialect.script(args.shell))


COMMANDS = (
    Command(
        "",
        "completion",
        "print a completion script for a shell",
        completion,
        args=(Arg("shell", "which shell", "choice", choices=SHELLS),),
        connects=False,
        details=(
            "bash: source <(scmictl completion bash), in ~/.bashrc. zsh: scmictl completion zsh > "
            "_scmictl, in a directory of $fpath. fish: scmictl completion fish > "
            "~/.config/fish/completions/scmictl.fish. The words are in the script: pressing Tab "
            "starts nothing."
        ),
    ),
)
