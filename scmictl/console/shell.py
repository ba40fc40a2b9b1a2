"""The interactive shell: reads lines, runs them one after another, and outlives what goes wrong.

Theory of operation. An error ends the line, Ctrl-C ends the command, and neither ends the shell or
the connection. A connection that is lost stays so until ``use`` makes it anew; each target has one
of its own, and all of them are attended while the prompt waits. On a terminal lines come from
:mod:`scmictl.console.prompt`; anywhere else they are simply read.
"""

from __future__ import annotations

import gc
import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

from scmictl import protocols, values
from scmictl.agent import CONTROL, Event
from scmictl.commands import Arguments, Command
from scmictl.console import guide, report
from scmictl.console.plain import Plain
from scmictl.console.session import DEFAULT_TARGET, Session
from scmictl.console.terminal import safe, write
from scmictl.errors import Interrupted, ScmictlError, StatusError, UsageError
from scmictl.protocols import base, version_text
from scmictl.version import VERSION

if TYPE_CHECKING:
    from scmictl.console.news import Connection
    from scmictl.console.offer import Scene
    from scmictl.console.prompt import Prompt, Styled
    from scmictl.console.recorder import Recorder

LONGEST_TARGET = 40
"""Columns of the prompt that the target may take."""

_TRY = re.compile(r"try: scmictl ?(.*?) ?--help")


class Shell:
    """One shell in a session; :meth:`run` is all of its life."""

    def __init__(self, session: Session) -> None:
        # Here and not above: the table of commands must not cost what a terminal costs.
        from scmictl.console.line import Lines
        from scmictl.console.news import News

        self.session = session
        self.news = News(session)
        self.leaving = False
        self.recorder: Recorder | None = None
        self.lines = Lines(
            session,
            {
                "help": self._help,
                "history": self._history,
                "record": self._record,
                "use": self._use,
                "target": self._use,
                "exit": self._leave,
                "quit": self._leave,
            },
            show=self._show,
        )
        session.on_incidents = self.news.take
        self.reader: Prompt | Plain = self._reader()
        gc.enable()
        gc.freeze()

    def _reader(self) -> Prompt | Plain:
        environment = self.session.environment
        capable = environment.environ.get("TERM", "dumb") not in ("", "dumb", "unknown")
        if not (capable and environment.stdin.isatty() and environment.stdout.isatty()):
            return Plain(self.session, lambda: "".join(piece[1] for piece in self.message()))
        from scmictl.console import prompt

        return prompt.Prompt(
            self.session,
            self.news,
            history=prompt.history_path(),
            scene=self._scene,
            uri=lambda: self.uri,
            message=self.message,
            toolbar=self.toolbar,
        )

    # -- the loop ----------------------------------------------------------------------------

    def run(self) -> int:
        """Read and run lines until the end; return the exit code.

        Raises Interrupted when a signal is to end the process, and UsageError for a target that
        cannot exist.
        """
        try:
            self._connect()
        except UsageError:
            raise
        except ScmictlError as error:
            self._failed(error)
        self.session.notice(f"scmictl {VERSION}: help lists the commands, Ctrl-D leaves")
        while not self.leaving:
            self._refresh()
            try:
                text = self.reader.read()
            except KeyboardInterrupt:
                self._check_signal()
                continue
            except EOFError:
                break
            self.news.read()
            self._line(text)
        try:
            self._stop_recording()
        except ScmictlError as error:
            self._failed(error)
        self._check_signal()
        return 0

    def _line(self, text: str) -> None:
        try:
            self.lines.line(text)
        except ScmictlError as error:
            self._failed(error)
        self._check_signal()

    def _failed(self, error: ScmictlError) -> None:
        """Say what went wrong; raises it again if it is to end us."""
        if isinstance(error, Interrupted):
            if error.exit_code != Interrupted.exit_code:
                raise error
            # The terminal has written ^C, and whoever typed it knows.
            write(self.session.environment.stderr, "\n", flush=True)
            return
        if error.hint:
            error.hint = _TRY.sub(lambda match: f"try: help {match[1]}".rstrip(), error.hint)
        report.error(error, self.session.view(), self.session.environment)
        self.news.check(error)

    def _check_signal(self) -> None:
        """Forget a Ctrl-C that has done its work; raise Interrupted for what is to end us."""
        interrupt = self.session.interrupt
        if interrupt is None or not interrupt.pending:
            return
        if interrupt.exit_code != Interrupted.exit_code:
            raise Interrupted(exit_code=interrupt.exit_code)
        interrupt.clear()

    # -- the target --------------------------------------------------------------------------

    @property
    def uri(self) -> str:
        """The target that commands are sent to."""
        return str(self.session.settings().get("target") or DEFAULT_TARGET)

    @property
    def current(self) -> Connection | None:
        """The connection to it, if there is one."""
        return self.news.connections.get(self.uri)

    @property
    def _by_hand(self) -> bool:
        """Whether the target is a control socket, where there is no agent."""
        return self.uri.startswith(f"{CONTROL}:")

    def _connect(self) -> None:
        """Connect to the target, if that is not done, and ask who we are there."""
        context = self.session.context()
        if self._by_hand:
            from scmictl.commands import reach

            reach.connect(context)
            return
        context.agent  # noqa: B018 - made by being asked for
        self.news.look()
        self._greet()

    def _greet(self) -> None:
        """Ask for versions and our own name, once per connection."""
        connection = self.current
        if connection is None or connection.greeted:
            return
        connection.greeted = True
        agent = connection.agent
        for protocol in protocols.standard():
            try:
                agent.version(protocol)
            except StatusError:
                pass  # the platform has no such protocol
        if agent.versions.get(base.ID, 0) >= 0x20000:
            try:
                connection.agent_name = agent.call(base.DiscoverAgent(agent_id=base.SELF)).name
            except StatusError:
                pass  # not offered

    def _refresh(self) -> None:
        """Look at the connections before a prompt."""
        self.news.collect()
        try:
            self._greet()
        except ScmictlError as error:
            self._failed(error)

    def _use(self, words: Sequence[str]) -> None:
        """Talk to another target, or connect to the same one anew."""
        if len(words) > 1:
            raise UsageError(f"use {' '.join(words)}, expected one target")
        options = self.session.options
        before = options.get("target")
        if words:
            options["target"] = words[0]
        elif self.current is not None:
            self.session.notice(f"target: {self.uri}")
            return
        if self.uri in self.news.lost:
            del self.news.lost[self.uri]
            self.session.contexts.pop(self.uri, None)
        try:
            self._connect()
        except ScmictlError:
            if words:
                options["target"] = before
            raise
        if self.recorder is not None:
            self.recorder.target(self.uri)

    # -- the shell's own statements ----------------------------------------------------------

    def _help(self, words: Sequence[str]) -> None:
        guide.show(
            guide.topic(words, self.session.owner()) if words else guide.overview(),
            self.session.environment,
        )

    def _history(self, words: Sequence[str]) -> None:
        entries = self.reader.entries()
        count = values.number(words[0]) if words else len(entries)
        if len(words) > 1 or count < 0:
            raise UsageError(f"history {' '.join(words)}, expected how many lines")
        numbered = list(enumerate(entries, 1))[max(0, len(entries) - count) :]
        text = "".join(f"{number:>5}  {safe(entry)}\n" for number, entry in numbered)
        write(self.session.environment.stdout, text, flush=True)

    def _record(self, words: Sequence[str]) -> None:
        """Begin to write what is typed into a file, or end that."""
        from scmictl.console.recorder import Recorder

        if len(words) != 1:
            raise UsageError("record, expected FILE, or stop")
        if words[0] != "stop":
            if self.recorder is not None:
                raise UsageError(f"{self.recorder.path} is being written, expected record stop")
            self.recorder = Recorder(words[0], self.uri, self.lines.variables)
            self.lines.note = self.recorder.note
        elif self.recorder is None:
            raise UsageError("record stop, but nothing is being recorded")
        else:
            self._stop_recording()

    def _stop_recording(self) -> None:
        recorder, self.recorder, self.lines.note = self.recorder, None, None
        if recorder is not None:
            recorder.close()
            self.session.notice(f"recorded: {recorder.path}")

    def _leave(self, words: Sequence[str]) -> None:
        if words:
            raise UsageError(f"found {words[0]!r}, expected nothing behind it")
        self.leaving = True

    def _show(self, event: Event) -> None:
        self.news.show(self.uri, self.session.context(), event)

    # -- what is seen ------------------------------------------------------------------------

    def _scene(self) -> Scene:
        from scmictl.console.offer import Scene

        connection = self.current
        records = self.lines.last.records
        return Scene(
            versions=connection.agent.versions if connection is not None else {},
            variables=self.lines.variables,
            targets=list(self.session.config.targets),
            keys=list(records[0]) if records else (),
        )

    def message(self) -> Styled:
        """Return the prompt: target, agent, and what is to be known before typing."""
        chosen = self.session.options.get("target") or self.session.config.defaults.get("target")
        pieces: Styled = [("class:target", _short(str(chosen or "sim:demo")))]
        connection = self.current
        if connection is not None and connection.agent_name:
            pieces += [("", " "), ("class:agent", safe(connection.agent_name))]
        if self.session.settings().get("readonly"):
            pieces.append(("class:warning", " (read-only)"))
        if connection is None and not self._by_hand:
            state = "lost" if self.uri in self.news.lost else "not connected"
            pieces.append(("class:lost", f" ({state})"))
        elif connection is not None and connection.agent.reconnecting:
            pieces.append(("class:lost", " (reconnecting)"))
        return [*pieces, ("", "> ")]

    def toolbar(self) -> Styled:
        """Return the line at the bottom: versions, in flight, unread, last latency."""
        parts = []
        connection = self.current
        if connection is not None:
            agent = connection.agent
            parts.append("  ".join(
                f"{agent.protocols.id_name(number, ask=False)} "
                f"{version_text(agent.reported.get(number, version))}"
                for number, version in sorted(agent.versions.items())
            ))  # fmt: skip
            parts.append(f"in flight {agent.in_flight}")
            parts.append(f"unread {self.news.unread}")
            if connection.latency is not None:
                parts.append(f"last {values.format_si(float(f'{connection.latency:.3g}'), 's')}")
        return [("", " " + " | ".join(filter(None, parts)))]


def _short(target: str) -> str:
    """Return a target as short as it can be recognised: without options, the end of a long path."""
    shown = target.partition("?")[0]
    if len(shown) > LONGEST_TARGET:
        shown = "…" + shown[1 - LONGEST_TARGET :]
    return safe(shown)


def run(session: Session) -> int:
    """Run a shell in ``session`` until its user leaves, and return the exit code."""
    return Shell(session).run()


def shell_command(session: Session, args: Arguments) -> int:
    return run(session)


COMMANDS = (
    Command(
        "",
        "shell",
        "the interactive shell",
        session=shell_command,
        details=(
            "Everything that can be typed as a command line or in a batch file works in it, "
            "without the word scmictl. Tab completes, also the names of clocks and sensors. "
            "Ctrl-C ends a command, Ctrl-D leaves. `help` tells the rest."
        ),
    ),
)
