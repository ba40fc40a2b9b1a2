"""Batch files as data: statements read, included, and checked before anything is sent.

What can be wrong whatever the platform is (grammar, verbs, options, variables used before they are
set, includes and their loops, a ``wait`` for what nothing subscribes to) is found here, with file
and line. Names and ids live on the platform and are not checked. Running them is the business of
:mod:`scmictl.console.batch`.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from scmictl import values
from scmictl.commands import Arguments, Command
from scmictl.commands.expression import Expression, compile_expression
from scmictl.console.lexer import Statement, Token, statements
from scmictl.console.parser import Help, Invocation, parse
from scmictl.errors import ScmictlError, UsageError
from scmictl.wire import Status

OUTCOMES = ("ok", "timeout", "refused", *(status.name for status in Status))
REFERENCE = "${"
"""Marks a word with a variable in it: its value is not known before the run."""


class Run(NamedTuple):
    """A command."""

    statement: Statement


class Expect(NamedTuple):
    """``expect OUTCOME [within DUR]: command``."""

    statement: Statement
    outcomes: tuple[str, ...]
    within: float | None
    step: Step


class Assert(NamedTuple):
    """``assert EXPR`` over the last result."""

    statement: Statement
    expression: Expression


class Set(NamedTuple):
    """``set NAME = value``, or ``set NAME := command .field`` (then with ``path``)."""

    statement: Statement
    name: str
    value: tuple[Token, ...]
    path: Expression | None


class Wait(NamedTuple):
    """``wait EVENT [EXPR] within DUR``; with ``quiet``, that none comes for so long."""

    statement: Statement
    event: str
    expression: Expression | None
    seconds: float
    quiet: bool


class Repeat(NamedTuple):
    """``repeat N [every DUR]: command``."""

    statement: Statement
    times: int
    every: float | None
    step: Step


class For(NamedTuple):
    """``for NAME in WORD…: COMMAND``."""

    statement: Statement
    name: str
    items: tuple[Token, ...]
    step: Step


class Sleep(NamedTuple):
    """``sleep DUR``."""

    statement: Statement
    seconds: float


class Say(NamedTuple):
    """``echo TEXT``, or ``section TEXT``."""

    statement: Statement
    section: bool


class Target(NamedTuple):
    """``target URI``: what the following commands talk to."""

    statement: Statement


class Include(NamedTuple):
    """``include FILE``: its steps."""

    statement: Statement
    steps: tuple[Step, ...]


Step = Run | Expect | Assert | Set | Wait | Repeat | For | Sleep | Say | Target | Include


class Reader:
    """Reads scripts and remembers what has been set and subscribed to so far."""

    def __init__(
        self,
        variables: Mapping[str, str],
        environ: Mapping[str, str],
        subscribed: Sequence[str] = (),
    ) -> None:
        self.known = set(variables)
        self.environ = environ
        self.subscribed = {name.upper() for name in subscribed}
        self._files: list[str] = []

    def file(self, path: str) -> list[Step]:
        """Read and check a file; raises UsageError, with file and line."""
        real = os.path.realpath(path)
        if real in self._files:
            raise UsageError(f"{path} includes itself, by way of {' and '.join(self._files)}")
        try:
            with open(path, encoding="utf-8") as file:
                text = file.read()
        except OSError as error:
            raise UsageError(f"cannot read {path}: {error.strerror}") from error
        except UnicodeDecodeError as error:
            raise UsageError(f"cannot read {path}: not UTF-8 ({error.reason})") from error
        self._files.append(real)
        try:
            return self.text(text, path)
        finally:
            self._files.pop()

    def text(self, text: str, name: str) -> list[Step]:
        """Read and check a whole script; ``name`` stands for the file in errors."""
        return [self.step(statement) for statement in statements(text, name=name)]

    def step(self, statement: Statement) -> Step:
        """Check one statement."""
        try:
            return self._step(statement)
        except UsageError as error:
            place = f"{statement.file}:{statement.line}: "
            if error.message.startswith(place) or _located(error.message, statement.file):
                raise
            raise UsageError(place + error.message, hint=error.hint) from error

    def _step(self, statement: Statement) -> Step:
        keyword = statement.tokens[0].word
        reader = _KEYWORDS.get(keyword or "")
        return self._run(statement) if reader is None else reader(self, statement)

    def _words(self, tokens: Sequence[Token]) -> list[str]:
        for token in tokens:
            for name in token.variables():
                self._require(name)
            for part in token.parts:
                if part.kind == "env" and part.text not in self.environ:
                    raise UsageError(f"the environment has no {part.text}, expected it to be set")
        return [token.text for token in tokens]

    def _require(self, name: str) -> None:
        if name not in self.known:
            known = ", ".join(sorted(self.known)) or "none"
            raise UsageError(f"${name} is not set before it is used, known here: {known}")

    def _run(self, statement: Statement) -> Step:
        self._invocation(statement.tokens)
        return Run(statement)

    def _invocation(self, tokens: Sequence[Token]) -> Invocation:
        words = self._words(tokens)
        parsed = parse(words)
        if isinstance(parsed, Help):
            raise UsageError("--help has no place in a script")
        if parsed.command is None:
            raise UsageError("a command is missing")
        if parsed.command.session is not None:
            raise UsageError(f"{parsed.command.name} has no place in a script")
        check_known_words(parsed.command, parsed.arguments)
        if parsed.command.verb == "subscribe":
            self.subscribed.add(str(parsed.arguments.event).upper().rpartition(".")[2])
        return parsed

    def _inner(self, statement: Statement, keyword: str) -> tuple[list[Token], Step]:
        split = statement.split_colon()
        if split is None:
            raise UsageError(f"{keyword} without a colon, expected one before the command")
        head, rest = split
        return head, self._step(rest)

    def _expect(self, statement: Statement) -> Step:
        head, step = self._inner(statement, "expect")
        words = self._words(head)
        within = None
        if "within" in words:
            place = words.index("within")
            if len(words) != place + 2:
                raise UsageError("expect … within, expected one duration behind it")
            within = values.duration(words[place + 1])
            words = words[:place]
        if len(words) != 1:
            raise UsageError(f"expect {' '.join(words)}, expected one outcome")
        outcomes = tuple(words[0].split("|"))
        for outcome in outcomes:
            if outcome not in OUTCOMES:
                raise values.unknown("outcome", outcome, OUTCOMES)
        return Expect(statement, outcomes, within, step)

    def _assert(self, statement: Statement) -> Step:
        expression = compile_expression(statement.raw)
        for name in expression.variables():
            self._require(name)
        return Assert(statement, expression)

    def _set(self, statement: Statement) -> Step:
        tokens = statement.tokens
        if len(tokens) < 4 or tokens[2].word not in ("=", ":="):
            raise UsageError("set, expected NAME = VALUE or NAME := COMMAND .FIELD")
        name = tokens[1].text
        if not name.isidentifier():
            raise UsageError(f"set {name!r}, expected a name of letters, digits and _")
        if tokens[2].word == "=":
            self._words(tokens[3:])
            self.known.add(name)
            return Set(statement, name, tokens[3:], None)
        field = tokens[-1].text
        if not field.startswith(".") or len(tokens) < 5:
            raise UsageError(f"set {name} := …, expected a command and then .FIELD")
        self._invocation(tokens[3:-1])
        self.known.add(name)
        return Set(statement, name, tokens[3:-1], compile_expression(field[1:]))

    def _wait(self, statement: Statement) -> Step:
        return self._event(statement, "within", quiet=False)

    def _quiet(self, statement: Statement) -> Step:
        return self._event(statement, "for", quiet=True)

    def _event(self, statement: Statement, keyword: str, *, quiet: bool) -> Step:
        tokens = statement.tokens
        verb = "quiet" if quiet else "wait"
        if len(tokens) < 4 or tokens[-2].word != keyword:
            raise UsageError(f"{verb}, expected EVENT [EXPR] {keyword} DURATION")
        event = tokens[1].text.upper().rpartition(".")[2]
        expression = compile_expression(statement.source(2, -2)) if len(tokens) > 4 else None
        if event not in self.subscribed:
            raise UsageError(
                f"{verb} {event}, but nothing before it subscribes to that",
                hint=f"subscribe {event} first",
            )
        return Wait(statement, event, expression, values.duration(tokens[-1].text), quiet)

    def _repeat(self, statement: Statement) -> Step:
        head, step = self._inner(statement, "repeat")
        words = self._words(head)
        every = None
        if len(words) == 3 and words[1] == "every":
            every = values.duration(words[2])
        elif len(words) != 1:
            raise UsageError(f"repeat {' '.join(words)}, expected N [every DURATION]")
        count = values.number(words[0])
        if count < 0:
            raise UsageError(f"repeat {count}, expected 0 or more")
        return Repeat(statement, count, every, step)

    def _for(self, statement: Statement) -> Step:
        split = statement.split_colon()
        head = split[0] if split is not None else []
        if split is None or len(head) < 3 or head[1].word != "in":
            raise UsageError("for, expected NAME in WORD…: COMMAND")
        name = head[0].text
        self._words(head[2:])
        self.known.add(name)
        return For(statement, name, tuple(head[2:]), self._step(split[1]))

    def _sleep(self, statement: Statement) -> Step:
        (word,) = self._exactly(statement, 1, "a duration")
        return Sleep(statement, values.duration(word))

    def _say(self, statement: Statement) -> Step:
        self._words(statement.tokens[1:])
        return Say(statement, statement.tokens[0].word == "section")

    def _target(self, statement: Statement) -> Step:
        self._exactly(statement, 1, "a target")
        return Target(statement)

    def _include(self, statement: Statement) -> Step:
        (path,) = self._exactly(statement, 1, "a file")
        if REFERENCE in path:
            raise UsageError("include with a variable, expected a file that can be read beforehand")
        if statement.file not in ("-", "-c") and not os.path.isabs(path):
            path = os.path.join(os.path.dirname(statement.file), path)
        return Include(statement, tuple(self.file(path)))

    def _exactly(self, statement: Statement, count: int, what: str) -> list[str]:
        words = self._words(statement.tokens[1:])
        if len(words) != count:
            found = " ".join([statement.tokens[0].text, *words])
            raise UsageError(f"{found}, expected {what}")
        return words


_KEYWORDS = {
    "expect": Reader._expect,
    "assert": Reader._assert,
    "set": Reader._set,
    "wait": Reader._wait,
    "quiet": Reader._quiet,
    "repeat": Reader._repeat,
    "for": Reader._for,
    "sleep": Reader._sleep,
    "echo": Reader._say,
    "section": Reader._say,
    "target": Reader._target,
    "use": Reader._target,
    "include": Reader._include,
    "source": Reader._include,
}

KEYWORDS = tuple(_KEYWORDS)
"""The first words of statements that are not commands."""


def check_known_words(command: Command, arguments: Arguments) -> None:
    """Check the words of a command, leaving out those with a variable in them."""
    given = {
        name: None if isinstance(value, str) and REFERENCE in value else _plain(value)
        for name, value in arguments.all().items()
    }
    command.check(Arguments(given))


def _plain(value: object) -> object:
    if isinstance(value, list):
        return [word for word in value if REFERENCE not in word]
    return value


def _located(message: str, file: str) -> bool:
    """Whether an error from an included file already says where it is."""
    place = message.split(": ", 1)[0]
    _, colon, line = place.rpartition(":")
    return bool(colon) and line.isdigit() and not place.startswith(f"{file}:")


def outcome(error: ScmictlError | None) -> str:
    """Return the outcome word of a finished command."""
    if error is None:
        return "ok"
    return {"TIMEOUT": "timeout", "REFUSED": "refused"}.get(error.name, error.name)


def walk(steps: Sequence[Step]) -> Iterator[Step]:
    """Yield all steps, those inside others included."""
    for step in steps:
        yield step
        if isinstance(step, Include):
            yield from walk(step.steps)
        elif isinstance(step, (Expect, Repeat, For)):
            yield from walk([step.step])
