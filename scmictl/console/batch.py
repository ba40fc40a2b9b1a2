"""Batch: runs scripts, stops at the first failure, says where and with which bytes it failed."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from typing import Any

from scmictl.agent import Event, Frame
from scmictl.commands import Arg, Arguments, Command, Opt
from scmictl.commands.criteria import units_in
from scmictl.console import report
from scmictl.console.parser import Invocation, parse
from scmictl.console.script import (
    Assert,
    Expect,
    For,
    Include,
    Reader,
    Repeat,
    Run,
    Say,
    Set,
    Sleep,
    Step,
    Target,
    Wait,
    outcome,
)
from scmictl.console.session import Result, Session
from scmictl.errors import (
    ExpectationFailed,
    Interrupted,
    NotOffered,
    Refused,
    ScmictlError,
    UsageError,
)


class Batch:
    """One run of scripts in a session; ``keep_going`` notes failures and goes on."""

    def __init__(
        self, session: Session, variables: dict[str, str] | None = None, *, keep_going: bool = False
    ) -> None:
        self.session = session
        self.variables = dict(variables or {})
        self.keep_going = keep_going
        self.first_failure: ScmictlError | None = None
        self.last = Result()
        self._sent = b""
        self._received = b""
        session.unattended = True
        if session.view().form == "json":
            session.options.pop("json", None)
            session.options["output"] = "jsonl"
        session.on_frame = self._see

    def _see(self, frame: Frame) -> None:
        if frame.outgoing:
            self._sent, self._received = frame.data, b""
        else:
            self._received = frame.data

    def reader(self) -> Reader:
        """Return a reader that knows this run's variables."""
        return Reader(self.variables, self.session.environment.environ)

    def run(self, steps: Sequence[Step]) -> int:
        """Run ``steps``; return the exit code of the first failure, or 0."""
        for step in _flat(steps):
            try:
                self._step(step)
            except Interrupted:
                raise
            except ScmictlError as error:
                if step.statement.ignore_failure:
                    continue
                self._failed(step, error)
                if not self.keep_going:
                    break
        return self.first_failure.exit_code if self.first_failure is not None else 0

    def _failed(self, step: Step, error: ScmictlError) -> None:
        statement = step.statement
        self.first_failure = self.first_failure or error
        place = f"{statement.file}:{statement.line}: "
        if not error.message.startswith(f"{statement.file}:"):
            error.message = place + error.message
        view, environment = self.session.view(), self.session.environment
        report.error(error, view, environment)
        # What was refused here has no bytes; those of an earlier read would only mislead.
        if self._sent and not isinstance(error, (UsageError, Refused, NotOffered)):
            report.notice(f"  sent      {self._sent.hex(' ')}", view, environment)
            came = self._received.hex(" ") if self._received else "nothing"
            report.notice(f"  received  {came}{self._decoded()}", view, environment)

    def _decoded(self) -> str:
        from scmictl.console.trace import assignments
        from scmictl.protocols.decoding import decode

        if not self._received:
            return ""
        vendor, sub_vendor = self.session.owner() or (None, None)
        record = decode(
            self._received,
            outgoing=False,
            sent=self._sent,
            vendor=vendor,
            sub_vendor=sub_vendor,
        )
        words = [
            record.get("message"),
            record.get("status"),
            " ".join(assignments(record.get("fields") or {})),
        ]
        return f"  ({' '.join(str(word) for word in words if word)})"

    def _step(self, step: Step) -> None:
        if isinstance(step, Include):
            for inner in step.steps:
                self._step(inner)
        elif isinstance(step, Repeat):
            self._repeat(step)
        elif isinstance(step, For):
            for token in step.items:
                self.variables[step.name] = token.expand(
                    self.variables, self.session.environment.environ
                )
                self._step(step.step)
        elif isinstance(step, Expect):
            self._expect(step)
        elif isinstance(step, Assert):
            self._assert(step)
        elif isinstance(step, Set):
            self._set(step)
        elif isinstance(step, Wait):
            self._wait(step)
        elif isinstance(step, Sleep):
            self._sleep(step.seconds)
        elif isinstance(step, Say):
            self._say(step)
        elif isinstance(step, Target):
            self.session.options["target"] = self._expand(step)[1]
        else:
            self._run(step)

    def _expand(self, step: Step) -> list[str]:
        return step.statement.expand(self.variables, self.session.environment.environ)

    def _command(self, words: Sequence[str], *, show: bool = True) -> Result:
        """Run one command into a result, whatever comes of it; what is unasked starts anew."""
        parsed = parse(words)
        assert isinstance(parsed, Invocation)
        self._sent = self._received = b""
        self.session.forget_events()
        self.last = Result()
        self.session.run(parsed, self.last, show=show)
        return self.last

    def _run(self, step: Run) -> None:
        words = self._expand(step)
        if not step.statement.silent:
            self.session.notice(f"> {' '.join(words)}")
        error = self._command(words).error
        if error is not None:
            raise error

    def _expect(self, step: Expect) -> None:
        started = time.monotonic()
        error: ScmictlError | None = None
        try:
            self._step(step.step)
        except ScmictlError as caught:
            if isinstance(caught, (Interrupted, UsageError)):
                raise
            error = caught
        took = time.monotonic() - started
        found = outcome(error)
        wanted = ["ok" if name == "SUCCESS" else name for name in step.outcomes]
        if found not in wanted:
            seen = f" ({error.message})" if error is not None else ""
            raise ExpectationFailed(f"the outcome is {found}, expected {'|'.join(wanted)}{seen}")
        if step.within is not None and took > step.within:
            raise ExpectationFailed(f"it took {took:.3g} s, expected at most {step.within:g} s")

    def _assert(self, step: Assert) -> None:
        record = self._last_value()
        extra = {
            "status": self.last.status,
            "exit": self.last.exit,
            "latency": None if self.last.latency is None else round(self.last.latency * 1e6),
        }
        environ, units = self.session.environment.environ, units_in(record)
        if not step.expression.evaluate(
            record, units=units, extra=extra, variables=self.variables, environ=environ
        ):
            why = step.expression.explain(
                record, units=units, extra=extra, variables=self.variables, environ=environ
            )
            raise ExpectationFailed(f"assert {step.expression.text}: {why}")

    def _last_value(self) -> object:
        records = self.last.records
        return list(records) if self.last.many else (records[0] if records else None)

    def _set(self, step: Set) -> None:
        environ = self.session.environment.environ
        words = [token.expand(self.variables, environ) for token in step.value]
        if step.path is None:
            self.variables[step.name] = " ".join(words)
            return
        error = self._command(words, show=False).error
        if error is not None:
            raise error
        value = step.path.value(self._last_value(), variables=self.variables, environ=environ)
        self.variables[step.name] = _word(value)

    def _wait(self, step: Wait) -> None:
        agent = self.session.context().agent
        until = agent.waiter.now() + step.seconds
        for incident in agent.notifications(until):
            self.session.report_faults([incident])
            if isinstance(incident, Event) and self._matches(step, incident):
                if step.quiet:
                    raise ExpectationFailed(
                        f"{step.event} came, expected none for {step.seconds:g} s"
                    )
                return
        if not step.quiet:
            raise ExpectationFailed(f"no {step.event} came within {step.seconds:g} s")

    def _matches(self, step: Wait, event: Event) -> bool:
        if event.spec != step.event:
            return False
        from scmictl.commands.follow import read  # which only a wait needs

        record = read(self.session.context(), event)
        self.last = Result()
        self.last.records, self.last.many = [record], False
        if step.expression is None:
            return True
        fields: dict[str, Any] = {**record, **record.get("fields", {})}
        environ, units = self.session.environment.environ, units_in(record)
        return step.expression.evaluate(
            fields, units=units, variables=self.variables, environ=environ
        )

    def _repeat(self, step: Repeat) -> None:
        next_time = time.monotonic()
        for number in range(step.times):
            if number and step.every is not None:
                next_time += step.every
                self._sleep(max(0.0, next_time - time.monotonic()))
            self._step(step.step)

    def _sleep(self, seconds: float) -> None:
        self.session.pause(seconds)

    def _say(self, step: Say) -> None:
        text = " ".join(self._expand(step)[1:])
        text = f"== {text}" if step.section else text
        report.notice(text, self.session.view(), self.session.environment)


def _flat(steps: Sequence[Step]) -> Iterator[Step]:
    """Yield the steps of included files as if they stood here, so that a failure names its line."""
    for step in steps:
        if isinstance(step, Include) and not step.statement.ignore_failure:
            yield from _flat(step.steps)
        else:
            yield step


def _word(value: object) -> str:
    """Return a field's value as a word that can be typed again."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return "null" if value is None else str(value)


def run_text(session: Session, text: str) -> int:
    """Run ``-c 'CMD; CMD'``."""
    batch = Batch(session)
    return batch.run(batch.reader().text(text, "-c"))


def run_files(
    session: Session, files: Sequence[str], variables: dict[str, str] | None = None,
    *, keep_going: bool = False, line_by_line: bool = False,
) -> int:  # fmt: skip
    """Run files, all of them checked before the first command is sent; ``-`` is standard input."""
    batch = Batch(session, variables, keep_going=keep_going)
    if line_by_line:
        return _run_lines(batch)
    reader = batch.reader()
    steps: list[Step] = []
    for file in files:
        if file == "-":
            steps += reader.text(session.input().read(), "-")
        else:
            steps += reader.file(file)
    return batch.run(steps)


def _run_lines(batch: Batch) -> int:
    """Run standard input as its lines come."""
    reader = batch.reader()
    number = 0
    code = 0
    lines = batch.session.input()
    while line := lines.readline():
        number += 1
        while line.endswith("\\\n") and (more := lines.readline()):
            line += more
        try:
            code = batch.run(reader.text("\n" * (number - 1) + line, "-"))
        except UsageError as error:
            report.error(error, batch.session.view(), batch.session.environment)
            batch.first_failure = batch.first_failure or error
            code = error.exit_code
        if code and not batch.keep_going:
            break
        number += line.count("\n") - 1
    return code


def batch_command(session: Session, args: Arguments) -> int:
    variables: dict[str, str] = {}
    for text in args.var:
        name, equals, value = text.partition("=")
        if not equals or not name.isidentifier():
            raise UsageError(f"--var {text!r}, expected NAME=VALUE")
        variables[name] = value
    if args.line_by_line and args.file != ["-"]:
        raise UsageError("--line-by-line reads standard input, expected `batch -`")
    return run_files(
        session, args.file, variables, keep_going=args.keep_going, line_by_line=args.line_by_line
    )


COMMANDS = (
    Command(
        "",
        "batch",
        "run files of commands",
        args=(Arg("file", "batch files, or - for standard input", "file", many=True),),
        options=(
            Opt("--keep-going", "go on after a failure", short="-k"),
            Opt("--line-by-line", "run standard input as its lines come"),
            Opt("--var", "set a variable", "text", "NAME=VALUE", many=True),
        ),
        session=batch_command,
        details="Everything is checked before anything is sent. The exit code is that of the first "
        "failure.",
    ),
)
