"""`serve`: be the platform, for any frontend that connects to a socket."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TextIO

from scmictl import values
from scmictl.agent import at_once
from scmictl.commands.command import Arg, Arguments, Command, Opt, Output
from scmictl.commands.context import Context
from scmictl.commands.event import iso
from scmictl.errors import Interrupted, UsageError
from scmictl.platform import fault


def serve(ctx: Context, args: Arguments) -> Output:
    from scmictl.device import Server
    from scmictl.platform import Platform

    if not args.socket:
        raise UsageError("serve needs at least one --socket PATH[,agent=NAME][,readonly]")
    mode = _mode(args.mode)
    seed = values.number(args.seed) if args.seed is not None else None
    faults = ",".join(args.fault) if args.fault else None
    with at_once(ctx.interrupt):
        platform = Platform.from_board(args.board, seed=seed, faults=faults)
    with _Log(args.log, ctx.notice) as log, Server(platform, log=log.note) as server:
        for position, text in enumerate(args.socket):
            path, agent, readonly = _socket(text)
            if agent is None and position < len(platform.agents):
                agent = platform.agents[position]
            readonly = readonly or ctx.readonly
            endpoint = server.listen(path, agent=agent, mode=mode, readonly=readonly)
            how = ", read-only" if readonly else ""
            log.note(f"serving {args.board} on {endpoint.path} as agent {agent}{how}")
        if args.control is not None:
            control = server.control(args.control)
            log.note(f"control socket: {control.path} (scmictl -t control:{control.path} sim ...)")
        server.run(ctx.interrupt.fileno() if ctx.interrupt is not None else None)
    raise Interrupted(exit_code=ctx.interrupt.exit_code if ctx.interrupt is not None else 0)


def _mode(text: str | None) -> int:
    try:
        mode = int(text or "0600", 8)
    except ValueError:
        mode = -1
    if not 0 <= mode <= 0o777:
        raise UsageError(f"--mode is {text!r}, expected octal permissions such as 0660")
    return mode


def _socket(text: str) -> tuple[str, str | None, bool]:
    """Return the path, the agent (None: not said) and whether it may change nothing."""
    path, *settings = text.split(",")
    agent = None
    readonly = False
    for setting in settings:
        name, _, value = setting.partition("=")
        if setting == "readonly":
            readonly = True
        elif name == "agent" and value:
            agent = value
        else:
            raise UsageError(f"--socket setting {setting!r}, expected agent=NAME or readonly")
    if not path:
        raise UsageError(f"--socket {text!r}, expected a path first")
    return path, agent, readonly


def _opened(path: str) -> TextIO:
    try:
        return open(path, "a", encoding="utf-8", buffering=1)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise UsageError(f"--log {path}: cannot be written ({reason})") from error


class _Log:
    """Tells what happens to ``notice``, and to the end of a file as well, if there is one."""

    def __init__(self, path: str | None, notice: Callable[[str], None]) -> None:
        """Open the file; raises UsageError if it cannot be written."""
        self._notice = notice
        self._file = None if path is None else _opened(path)

    def note(self, text: str) -> None:
        self._notice(text)
        if self._file is None:
            return
        try:
            self._file.write(f"{iso(time.time())} {text}\n")
        except OSError as error:
            # Who is served must not suffer from a full disk.
            self._notice(f"--log {self._file.name}: {error.strerror}; nothing more is logged")
            self._close()

    def _close(self) -> None:
        file, self._file = self._file, None
        if file is not None:
            try:
                file.close()
            except OSError:
                pass  # what could not be written has been told

    def __enter__(self) -> _Log:
        return self

    def __exit__(self, *_: object) -> None:
        self._close()


COMMANDS = (
    Command(
        "",
        "serve",
        "be the platform behind a vhost-user socket",
        serve,
        args=(Arg("board", "a built-in board, or a board file"),),
        options=(
            Opt(
                "--socket",
                "where to listen, and as which agent",
                "text",
                "PATH[,agent=NAME][,readonly]",
                many=True,
            ),
            Opt("--control", "a socket to change the platform by hand", "text", "PATH"),
            Opt("--mode", "permissions of the socket (default 0600)", "text", "0660"),
            Opt("--fault", "faults instead of the board's own", "text", "SPEC", many=True),
            Opt("--log", "also append what happens to this file", "file", "FILE"),
            Opt("--seed", "how sensors move, and faults strike by chance", "number", "N"),
        ),
        connects=False,
        details=(
            "Any vhost-user frontend can attach, one after another; Ctrl-C ends it. What a "
            "readonly one (with -r every one) wants to change is DENIED. With --control, `scmictl "
            "-t control:PATH sim ...` changes the platform meanwhile; only its own user may. "
            "`--fault none` ends the faults of the board. "
            f"{fault.describe()}"
        ),
    ),
)
