"""A session: the connections, defaults and settings between a user's commands.

A one-shot is a session of one command; ``-c``, batch files and the shell are sessions of many.
Every command, however it was typed, runs through :meth:`Session.invoke`.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from scmictl import values
from scmictl.agent import (
    Agent,
    Frame,
    Incident,
    Interrupt,
    Lost,
    Owner,
    Stray,
    Timing,
    Transfer,
    Waiter,
    connect,
)
from scmictl.commands import Command, Output, Record, Rows, Stream
from scmictl.commands.context import Context, DryRun
from scmictl.console import config as configuration
from scmictl.console import options as options_
from scmictl.console import render, report
from scmictl.console.environment import Environment
from scmictl.console.input import Input
from scmictl.console.parser import Help, Invocation, parse
from scmictl.console.view import View
from scmictl.errors import Partial, ScmictlError, UsageError

DEFAULT_TARGET = "sim:"
STRAYS = 3
"""Stray frames that are described one by one; more are counted."""


class Result:
    """What one command came to: what an assertion can look at."""

    def __init__(self) -> None:
        self.records: Sequence[Record] = ()
        self.many = False
        self.error: ScmictlError | None = None
        self.latency: float | None = None

    @property
    def exit(self) -> int:
        return 0 if self.error is None else self.error.exit_code

    @property
    def status(self) -> str:
        """The SCMI status by name, or the error's own name."""
        return "SUCCESS" if self.error is None else self.error.name


class Session:
    """Holds what outlives a command; a context manager that closes every connection.

    ``options`` are the global options of the command line that started it; those of a single
    command go before them, and the config files and the environment behind. ``lasting`` says that
    more than one command will come.
    """

    def __init__(
        self,
        environment: Environment,
        options: Mapping[str, Any],
        *,
        interrupt: Interrupt | None = None,
        lasting: bool = False,
    ) -> None:
        self.environment = environment
        self.interrupt = interrupt
        self.lasting = lasting
        self.config = configuration.load(options.get("config"), environment.environ)
        self.options: dict[str, Any] = dict(options)
        self.said: set[str] = set()
        self.contexts: dict[str, Context] = {}
        """One per target URI in use, with its connection."""
        self.on_frame: Callable[[Frame], None] | None = None
        """Sees every frame of every connection, besides --trace."""
        self.on_incidents: Callable[[Context, Sequence[Transfer[Any] | Incident]], None] | None = (
            None
        )
        """Sees what came unasked before it is forgotten: the shell prints it."""
        self.unattended = False
        """Nobody is asked, even on a terminal: a batch runs."""
        self._frames: list[bytes] = []
        self._wants_frames = False
        self._timings: list[Timing] = []
        self._deadline: float | None = None
        deadline = self.options.get("deadline")
        if deadline is not None:
            self._deadline = time.monotonic() + values.duration(deadline)
        for warning in self.config.warnings:
            self.notice(warning)

    def settings(self, options: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """Return everything that holds for a command with ``options``, nearest first."""
        given = {**self.options, **(options or {})}
        name = given.get("target") or self.config.defaults.get("target") or ""
        named = self.config.targets.get(name)
        merged = {**self.config.settings(named), **given}
        if named is not None:
            merged["target"] = named.uri
        for chosen, loser in (("no_readonly", "readonly"), ("output", "json")):
            if options and chosen in options:
                merged.pop(loser, None)
        return merged

    # -- what the user hears -----------------------------------------------------------------

    def view(self, options: Mapping[str, Any] | None = None) -> View:
        """Return how to show things for a command with ``options``."""
        return View.of(self.settings(options), self.environment)

    def notice(self, text: str) -> None:
        """Say one line that is not data, unless --quiet."""
        if not self.settings().get("quiet"):
            report.notice(text, self.view(), self.environment)

    def confirm(self, question: str) -> bool:
        """Ask on the terminal; only an explicit yes is one."""
        self.environment.stderr.write(f"{question} [y/N] ")
        self.environment.stderr.flush()
        if self.interrupt is not None:
            # Reading a line is not ended by Ctrl-C, which only sets a flag.
            waiter = Waiter(self.interrupt, self._deadline)
            waiter.wait(self.environment.stdin.fileno(), None)
            waiter.check(waiter.now())
        return self.environment.stdin.readline().strip().lower() in ("y", "yes")

    def input(self) -> Input:
        """Return standard input, for reading that a signal can end."""
        return Input(self.environment.stdin, Waiter(self.interrupt, self._deadline))

    # -- connections -------------------------------------------------------------------------

    def context(self, options: Mapping[str, Any] | None = None) -> Context:
        """Return the context to run a command in, sharing the connection to its target."""
        settings = self.settings(options)
        uri = settings.get("target")
        if not uri:
            uri = DEFAULT_TARGET
            if "target" not in self.said:
                self.said.add("target")
                self.notice("target: sim:demo (none chosen; see --target)")
        context = self.contexts.get(uri)
        if context is None:
            context = self.contexts[uri] = Context(
                lambda: self._connect(uri, settings), uri=uri, notice=self.notice, said=self.said
            )
        asks = self.environment.interactive and not self.unattended
        context.confirm = self.confirm if asks else None
        context.readonly = bool(settings.get("readonly"))
        context.yes = bool(settings.get("yes"))
        context.dry_run = bool(settings.get("dry_run"))
        context.interactive = self.environment.stdout.isatty()
        context.lasting = self.lasting
        context.interrupt = self.interrupt
        context.vendor = options_.owner(settings.get("vendor"))
        context.waiter = Waiter(self.interrupt, self._deadline)
        context.timeout = values.duration(settings.get("timeout") or "1s")
        if context.connected:
            agent = context.agent
            agent.protocols.given = context.vendor
            agent.timeout = context.timeout
            agent.delayed_timeout = values.duration(settings.get("delayed_timeout") or "2s")
            agent.retry_busy = values.number(settings.get("retry_busy") or "0")
        return context

    def _connect(self, uri: str, options: Mapping[str, Any]) -> Agent:
        owner = options_.owner(options.get("vendor"))
        versions = options_.versions(options.get("proto"), owner)
        agent = connect(
            uri,
            timeout=values.duration(options.get("timeout") or "1s"),
            delayed_timeout=values.duration(options.get("delayed_timeout") or "2s"),
            versions=versions,
            vendor=owner,
            waiter=Waiter(self.interrupt, self._deadline),
            sink=self._sink(options, versions, owner),
        )
        agent.retry_busy = values.number(options.get("retry_busy") or "0")
        if options.get("stats"):
            agent.timings = self._timings
        if options.get("verbose"):
            agent.on_surplus = self._note_surplus
        return agent

    def _note_surplus(self, transfer: Transfer[Any]) -> None:
        extra = transfer.response.surplus if transfer.response is not None else b""
        self.notice(f"{transfer.spec}: {len(extra)} bytes more than expected: {extra.hex(' ')}")

    def _sink(
        self, options: Mapping[str, Any], versions: dict[int, int], owner: Owner | None
    ) -> Callable[[Frame], None] | None:
        """Return what has to see the frames; None, and so no cost, where nothing has."""
        sinks: list[Callable[[Frame], None]] = []
        if options.get("trace"):
            from scmictl.console.trace import Trace

            view = View.of(options, self.environment)
            sinks.append(Trace(versions, self.environment, view, owner or (None, None)))
        if self.lasting or View.of(options, self.environment).form == "hex":
            sinks.append(self._remember)
        if self.on_frame is not None:
            sinks.append(self.on_frame)
        if not sinks:
            return None

        def every(frame: Frame) -> None:
            for sink in sinks:
                sink(frame)

        return every

    def _remember(self, frame: Frame) -> None:
        if not frame.outgoing and self._wants_frames:
            self._frames.append(frame.data)

    # -- commands ----------------------------------------------------------------------------

    def words(self, words: Sequence[str]) -> Result:
        """Parse and run one command; help is printed like any other result."""
        parsed = parse(words)
        if isinstance(parsed, Help):
            self.environment.stdout.write(parsed.text.rstrip() + "\n")
            return Result()
        return self.invoke(parsed)

    def invoke(self, invocation: Invocation) -> Result:
        """Run a parsed command and print what it gives; raises what went wrong.

        Rows that could not be read are printed with the others, and then raise Partial.
        """
        result = Result()
        self.run(invocation, result)
        if result.error is not None:
            raise result.error
        return result

    def run(self, invocation: Invocation, result: Result, *, show: bool = True) -> None:
        """Run a parsed command into ``result``: its records, and the error it ended with.

        ``show`` False keeps the records from being printed.
        """
        command = invocation.command
        assert command is not None and command.run is not None
        options = invocation.options
        started = time.monotonic()
        self._frames.clear()
        try:
            view = self.view(options)
            self._wants_frames = view.form == "hex"
            command.check(invocation.arguments)
            self._check_lasting(command)
            # A command that needs no target must not mention one.
            context = self.context(options) if command.connects else self._offline(options)
            try:
                output = command.run(context, invocation.arguments)
            except DryRun as dry:
                output = Rows(dry.records)
            # Drawing a table takes longer than many commands do, and is none of their latency.
            result.latency = time.monotonic() - started
            result.many = not isinstance(output, Rows) or output.many
            result.records = self._print(output, view) if show else _records(output)
            if any(record.get("error") for record in result.records if isinstance(output, Rows)):
                result.error = _partial(result.records)
            if isinstance(output, Rows) and output.error is not None:
                result.error = output.error
        except ScmictlError as error:
            result.error = error
            if result.latency is None:
                result.latency = time.monotonic() - started
        finally:
            quiet = bool(self.settings(options).get("quiet"))
            report.problems(self.view(), self.environment, quiet=quiet)

    def _print(self, output: Output, view: View) -> Sequence[Record]:
        if output is None:
            return ()
        return render.render(output, view, self.environment, frames=self._frames)

    def _offline(self, options: Mapping[str, Any]) -> Context:
        def refuse() -> Agent:
            raise UsageError("this command needs no target")

        context = Context(refuse, notice=self.notice, said=self.said)
        context.interrupt = self.interrupt
        context.vendor = self.owner(options)
        context.deadline = self._deadline
        context.versions = options_.versions(self.settings(options).get("proto"), context.vendor)
        # For who serves: it means the served side.
        context.readonly = bool(self.settings(options).get("readonly"))
        return context

    def owner(self, options: Mapping[str, Any] | None = None) -> Owner | None:
        """Return whose the protocols from 0x80 are, as far as that is known without asking."""
        settings = self.settings(options)
        given = options_.owner(settings.get("vendor"))
        known = self.contexts.get(settings.get("target") or DEFAULT_TARGET)
        if given is not None or known is None or not known.connected:
            return given
        vendor, sub_vendor = known.agent.protocols.owner
        return None if vendor is None else (vendor, sub_vendor)

    def _check_lasting(self, command: Command) -> None:
        if command.lasting and not self.lasting:
            raise UsageError(
                f"{command.name} lasts until the connection ends, which a one-shot does at once",
                hint="use it in the shell, in a batch file or with -c 'CMD; CMD'",
            )

    # -- between commands --------------------------------------------------------------------

    def forget_events(self) -> None:
        """Drop what came unasked so far on every connection."""
        for context in list(self.contexts.values()):
            if context.connected:
                happened = context.agent.dispatch(context.agent.waiter.now())
                if self.on_incidents is not None:
                    self.on_incidents(context, happened)
                else:
                    self.report_faults(happened)

    def report_faults(self, happened: Sequence[Transfer[Any] | Incident]) -> None:
        """Say which frames came that nobody waits for, and how many notifications were lost."""
        strays = [one.reason for one in happened if isinstance(one, Stray)]
        for reason in strays[:STRAYS]:
            self.notice(f"stray frame: {reason}")
        if len(strays) > STRAYS:
            self.notice(f"and {len(strays) - STRAYS} stray frames more")
        lost = sum(one.number for one in happened if isinstance(one, Lost))
        if lost:
            self.notice(f"{lost} notifications were lost: too many came at once")

    def forget_frames(self) -> None:
        """Drop the frames kept for the hex form: no command runs, and more may come for days."""
        self._frames.clear()

    def pause(self, seconds: float) -> None:
        """Let time go by, with the connections running."""
        connected = [context.agent for context in self.contexts.values() if context.connected]
        if connected:
            connected[0].pause(seconds)
            return
        waiter = Waiter(self.interrupt, self._deadline)
        until = waiter.now() + seconds
        while waiter.now() < until:
            waiter.check(waiter.now())
            waiter.wait(None, until)

    # -- the end -----------------------------------------------------------------------------

    def close(self) -> None:
        """Close every connection and print the statistics that were asked for."""
        for context in self.contexts.values():
            if context.remote is not None:
                context.remote.close()
            if context.connected:
                agent = context.agent
                try:
                    self.report_faults(agent.dispatch(agent.waiter.now()))
                except ScmictlError:
                    pass  # the connection is lost, and that has been said
                agent.close()
        self.contexts.clear()
        if self.settings().get("stats") and self._timings:
            report.notice(_statistics(self._timings), self.view(), self.environment)

    def __enter__(self) -> Session:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _records(output: Output) -> Sequence[Record]:
    """Return what a command gave, without printing it."""
    return list(output.records) if isinstance(output, (Rows, Stream)) else ()


def _partial(records: Sequence[Record]) -> Partial:
    bad = [record for record in records if record.get("error")]
    return Partial(f"{len(bad)} of {len(records)} rows could not be read in full")


def _statistics(timings: Sequence[Timing]) -> str:
    """Say how many messages there were, from the first request to the last response, how fast."""
    ordered = sorted(timing.latency for timing in timings)
    elapsed = max(t.sent + t.latency for t in timings) - min(t.sent for t in timings)

    def percentile(share: float) -> str:
        return f"{ordered[min(len(ordered) - 1, int(share * len(ordered)))] * 1e6:.0f} us"

    return (
        f"messages {len(ordered)}, elapsed {elapsed * 1e3:.1f} ms, "
        f"p50 {percentile(0.5)}, p99 {percentile(0.99)}"
    )
