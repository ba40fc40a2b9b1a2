"""Runs the lines that are typed: commands, statements, and where their output goes.

Theory of operation. :class:`Lines` is a batch that never ends: its variables, its last result and
its subscriptions stay from line to line. All of a line is checked before the first command of it
runs, and the first error ends the line.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from typing import TextIO, cast

from scmictl import values
from scmictl.agent import Event
from scmictl.console import guide, lexer, statement, table
from scmictl.console.batch import Batch
from scmictl.console.lexer import ShellLine, Statement
from scmictl.console.parser import Help, parse
from scmictl.console.script import KEYWORDS, Run, Step, Wait
from scmictl.console.session import Result, Session
from scmictl.errors import Interrupted, OutputError, ScmictlError, UsageError

TYPED = "-"
"""What stands for the file in the places of statements that were typed."""

Own = Callable[[Sequence[str]], None]
"""Runs a statement of the shell's own; it gets the words behind the first."""

_PLACE = re.compile(rf"{TYPED}:([0-9]+): ")


class Lines(Batch):
    """Runs lines in a session; ``own`` are the statements that are not those of batch files.

    ``show`` prints a notification that a ``wait`` takes; ``note`` hears of every statement that
    ran, with the result of its last command and the error it ended with.
    """

    def __init__(
        self, session: Session, own: Mapping[str, Own], *, show: Callable[[Event], None]
    ) -> None:
        options = dict(session.options)
        super().__init__(session)
        # Somebody is there to be asked, and `json` prints whole arrays as in a one-shot.
        session.unattended = False
        session.options = options
        self.own = own
        self.note: Callable[[Statement, Result | None, ScmictlError | None], None] | None = None
        self._show = show
        self._reader = self.reader()
        self._placed: ScmictlError | None = None

    def line(self, text: str) -> None:
        """Run what was typed. Raises the error that ends it; its text says no place in ``text``."""
        try:
            split = lexer.split_shell(text)
            with self._output(split):
                for act in [self._act(one) for one in lexer.statements(split.command, name=TYPED)]:
                    act()
        except ScmictlError as error:
            several = "\n" in text.strip()
            error.message = _PLACE.sub(r"line \1: " if several else "", error.message, count=1)
            raise

    # -- statements --------------------------------------------------------------------------

    def _act(self, one: Statement) -> Callable[[], None]:
        """Check a statement and return what runs it."""
        word = one.tokens[0].word or ""
        if word in self.own:
            return partial(self._own, one, self.own[word])
        if word not in KEYWORDS:
            if word and not word.startswith("-"):
                self._check_word(word)
            if any(token.word in ("-h", "--help") for token in one.tokens):
                parsed = parse([token.text for token in one.tokens])
                if isinstance(parsed, Help):
                    return partial(guide.show, guide.inside(parsed.text), self.session.environment)
        return partial(self._run_step, one, self._reader.step(one))

    def _check_word(self, word: str) -> None:
        if table.entry(word) is None:
            known = [entry.name for entry in table.entries()]
            known += [*statement.SHELL, *statement.BATCH]
            hint = values.nearest(word, known) or "help lists what there is"
            if word == "scmictl":
                hint = "in the shell a command is typed without that word"
            hint = table.speechless(word) or hint
            raise UsageError(f"no such command {values.shown(word)!r}", hint=hint)
        if not guide.usable(word):
            raise UsageError(
                f"{word} does not run inside the shell", hint="source FILE runs a batch file"
            )

    def _own(self, one: Statement, run: Own) -> None:
        words = one.expand(self.variables, self.session.environment.environ)
        try:
            run(words[1:])
        except ScmictlError as error:
            if not one.ignore_failure or isinstance(error, Interrupted):
                raise

    def _run_step(self, one: Statement, step: Step) -> None:
        before = self.last
        failed: ScmictlError | None = None
        try:
            self._step(step)
        except ScmictlError as error:
            failed = error
            raise
        finally:
            if self.note is not None:
                self.note(one, None if self.last is before else self.last, failed)

    def _step(self, step: Step) -> None:
        """Run a step; what went wrong in a file says where in it."""
        try:
            super()._step(step)
        except ScmictlError as error:
            one = step.statement
            if isinstance(error, Interrupted):
                raise
            if one.ignore_failure:
                return
            if one.file != TYPED and error is not self._placed:
                place = f"{one.file}:{one.line}: "
                if not error.message.startswith(f"{one.file}:"):
                    error.message = place + error.message
                self._placed = error
            raise

    def _run(self, step: Run) -> None:
        if step.statement.file == TYPED:
            # What was typed has just been seen: no echo.
            step = Run(step.statement._replace(silent=True))
        super()._run(step)

    def _matches(self, step: Wait, event: Event) -> bool:
        self._show(event)
        return super()._matches(step, event)

    # -- where the output goes ---------------------------------------------------------------

    @contextmanager
    def _output(self, split: ShellLine) -> Iterator[None]:
        """Have stdout lead into a pipe or a file, if the line says so."""
        if split.pipe is not None:
            with self._pipe(split.pipe):
                yield
        elif split.file is not None:
            name = split.file.expand(self.variables, self.session.environment.environ)
            with self._file(name, "a" if split.append else "w"):
                yield
        else:
            yield

    @contextmanager
    def _pipe(self, command: str) -> Iterator[None]:
        """Have stdout lead into a command of the system's shell, and wait for its end."""
        import subprocess

        process = subprocess.Popen(
            ["/bin/sh", "-c", command],
            stdin=subprocess.PIPE,
            text=True,
            encoding="utf-8",
            errors="backslashreplace",
        )
        stream = cast("TextIO", process.stdin)
        try:
            with self._stdout(stream):
                yield
        except BrokenPipeError:
            pass  # it has seen enough, as `head` does
        finally:
            try:
                stream.close()
            except BrokenPipeError:
                pass
            process.wait()

    @contextmanager
    def _file(self, name: str, mode: str) -> Iterator[None]:
        try:
            stream = open(  # noqa: SIM115 - an error while writing is another one than here
                name, mode, encoding="utf-8", errors="backslashreplace"
            )
        except OSError as error:
            raise OutputError(f"cannot write {name}: {error.strerror}") from error
        try:
            with stream, self._stdout(cast("TextIO", stream)):
                yield
        except OSError as error:
            raise OutputError(f"cannot write {name}: {error.strerror}") from error

    @contextmanager
    def _stdout(self, stream: TextIO) -> Iterator[None]:
        environment = self.session.environment
        before = environment.stdout
        environment.stdout = stream
        try:
            yield
        finally:
            environment.stdout = before
