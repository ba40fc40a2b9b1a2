"""What a command is: its words, what it may do, and the function that does it.

One table of these gives the parser, the shell, batch files, help, completion and man pages.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from scmictl import values
from scmictl.errors import ScmictlError, UsageError
from scmictl.wire import Effect, Request

if TYPE_CHECKING:
    from scmictl.agent import Resource, Transfer
    from scmictl.commands.context import Context
    from scmictl.commands.watch import Feed
    from scmictl.protocols import Resources

Record = dict[str, Any]
"""One row, or one event: its keys are the JSON keys of CLI.md."""


Asked = Generator[Sequence[Request[Any]], "list[Transfer[Any]]", list[str]]
"""Yields requests that only read, is sent their transfers when all are done; returns the texts."""
Glimpse = Callable[["Resources", "Sequence[Resource]"], Asked]
"""Says of each thing of a kind what it is like now, in a word or two."""


class Arg(NamedTuple):
    """A positional argument.

    ``kind``: ``id`` (number, name), ``ids`` (also globs and ``all``), ``number`` (in ``unit``),
    ``choice``, ``text``, ``file``, ``message``, ``event``, ``field``. ``of`` is the protocol whose
    names complete an id; where it has several kinds of things, an argument before it may name one,
    and ``pinctrl.function`` is a kind by itself.
    """

    name: str
    help: str
    kind: str = "text"
    of: str = ""
    unit: str | None = None
    choices: tuple[str, ...] = ()
    required: bool = True
    many: bool = False


class Opt(NamedTuple):
    """An option; ``kind`` is one of Arg's, ``flag`` or ``duration``; ``many`` may be repeated."""

    name: str
    help: str
    kind: str = "flag"
    metavar: str = ""
    unit: str | None = None
    choices: tuple[str, ...] = ()
    short: str = ""
    many: bool = False

    @property
    def key(self) -> str:
        """The name in :class:`Arguments`."""
        return self.name.lstrip("-").replace("-", "_")


TIME_OF_DAY = "time of day"
"""The unit of times of which a table shows only the hours to milliseconds."""


class Column(NamedTuple):
    """A column of the table and plain forms: which key, under what title, in which unit.

    A column marked ``wide`` is only shown where it is asked for with --fields, or in JSON.
    ``indent`` is the key that says how many levels deep the text stands, in a tree.
    """

    key: str
    title: str
    unit: str | None = None
    wide: bool = False
    indent: str = ""


class Rows(NamedTuple):
    """Records to print at once: an array (``many``) or a single object.

    A record with a key ``error`` could not be read in full; the exit code then is 8. Without
    ``columns`` every key of the records is one. ``by`` is a key by whose values the records are of
    different kinds: a table is drawn of each, with the columns that it has. ``error`` is how the
    command ends once the records are
    printed: the answer of `call` is worth seeing whatever its status is.
    """

    records: Sequence[Record]
    columns: tuple[Column, ...] = ()
    many: bool = True
    error: ScmictlError | None = None
    by: str = ""


class Stream(NamedTuple):
    """Records to print one by one as they come.

    ``live``: they are readings (``name``, ``value``, ``unit``, ``axes``), which a terminal may draw
    as a table that changes in place. ``whole``: nothing of a record may be left out, so long lines
    of a table go on in the next line of the terminal.
    """

    records: Iterator[Record]
    columns: tuple[Column, ...] = ()
    live: bool = False
    whole: bool = False


class Text(NamedTuple):
    """Words for people; ``record`` is what they say, for the forms that are for programs."""

    text: str
    record: Record | None = None


Output = Rows | Stream | Text | None


class Arguments:
    """The words of one invocation, by name. What was not given is None (False for a flag)."""

    def __init__(self, values: Mapping[str, Any]) -> None:
        self._values = dict(values)

    def __getattr__(self, name: str) -> Any:
        try:
            return self._values[name]
        except KeyError:
            raise AttributeError(name) from None

    def all(self) -> dict[str, Any]:
        """Return everything by name, given or not."""
        return dict(self._values)

    def given(self) -> dict[str, Any]:
        """Return what was given."""
        return {k: v for k, v in self._values.items() if v not in (None, False, [], ())}


Run = Callable[["Context", Arguments], Output]
"""Does what a command is for; prints nothing."""


class Command(NamedTuple):
    """One verb of one group; tools have no group (``group`` is empty).

    ``effect`` is the most it can do. ``connects`` says whether it needs a target at all,
    ``lasting`` that what it does lasts until undone or the connection ends (no use in a one-shot),
    ``restores`` that it puts back what it has changed, as a command that only reads would leave it.
    ``details`` are paragraphs with empty lines between; one of several lines is shown as it stands.
    """

    group: str
    verb: str
    help: str
    run: Run | None = None
    args: tuple[Arg, ...] = ()
    options: tuple[Opt, ...] = ()
    effect: Effect = Effect.READ
    connects: bool = True
    lasting: bool = False
    details: str = ""
    session: Callable[[Any, Arguments], int] | None = None
    """For what runs other commands (batch, shell): runs in the console's session instead."""
    validate: Callable[[Arguments], None] | None = None
    """Raises UsageError for what is wrong whatever the platform is, beyond the kinds of words."""
    topic: Callable[[Sequence[str]], str | None] | None = None
    """What --help adds for the words that were typed with it, if anything."""
    feeds: tuple[Feed, ...] = ()
    """What the `watch` of a group can stream."""
    glimpse: Glimpse | None = None
    """Of the verb that lists things: what stands beside their names where they complete."""
    restores: bool = False

    @property
    def name(self) -> str:
        """How it is typed: ``clock list``, ``info``."""
        return f"{self.group} {self.verb}".strip()

    def check(self, arguments: Arguments) -> None:
        """Raise UsageError for every word that is wrong whatever the platform is."""
        for arg in self.args:
            given = getattr(arguments, arg.name)
            for word in given if arg.many else [given]:
                if word is not None:
                    check_word(arg.name, arg.kind, arg.choices, arg.unit, word)
        for option in self.options:
            given = getattr(arguments, option.key)
            if option.kind == "flag" or given is None:
                continue
            for word in given if option.many else [given]:
                check_word(option.name, option.kind, option.choices, option.unit, word)
        if self.validate is not None:
            self.validate(arguments)


def check_word(name: str, kind: str, choices: Sequence[str], unit: str | None, word: str) -> None:
    """Raise UsageError if ``word`` cannot be of ``kind``."""
    try:
        # A name may be typed as it is printed: with "_" for "-".
        if kind == "choice" and word not in choices and word.replace("_", "-") not in choices:
            if "0x…" not in choices or not _is_number(word):
                raise values.unknown("value", word, choices)
        elif kind == "number":
            values.number(word, unit)
        elif kind == "duration":
            values.duration(word)
    except UsageError as error:
        raise UsageError(f"{name}: {error.message}", hint=error.hint) from error


def _is_number(word: str) -> bool:
    try:
        values.number(word)
    except UsageError:
        return False
    return True
