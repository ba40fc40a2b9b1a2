"""`serve`: be the platform, for any frontend that connects to a socket."""

from __future__ import annotations

from scmictl import values
from scmictl.agent import at_once
from scmictl.commands.command import Arg, Arguments, Command, Opt, Output
from scmictl.commands.context import Context
from scmictl.errors import Interrupted, UsageError
from scmictl.platform import fault


def serve(ctx: Context, args: Arguments) -> Output:
    from scmictl.device import Server
    from scmictl.platform import Platform

    if not args.socket:
        raise UsageError("serve needs at least one --socket PATH[,agent=NAME]")
    mode = _mode(args.mode)
    seed = values.number(args.seed) if args.seed is not None else None
    faults = ",".join(args.fault) if args.fault else None
    with at_once(ctx.interrupt):
        platform = Platform.from_board(args.board, seed=seed, faults=faults)
    with Server(platform, log=ctx.notice) as server:
        for position, text in enumerate(args.socket):
            path, agent = _socket(text)
            if agent is None and position < len(platform.agents):
                agent = platform.agents[position]
            endpoint = server.listen(path, agent=agent, mode=mode)
            ctx.notice(f"serving {args.board} on {endpoint.path} as agent {agent}")
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


def _socket(text: str) -> tuple[str, str | None]:
    path, *settings = text.split(",")
    agent = None
    for setting in settings:
        name, _, value = setting.partition("=")
        if name != "agent" or not value:
            raise UsageError(f"--socket setting {setting!r}, expected agent=NAME")
        agent = value
    if not path:
        raise UsageError(f"--socket {text!r}, expected a path first")
    return path, agent


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
                "PATH[,agent=NAME]",
                many=True,
            ),
            Opt("--mode", "permissions of the socket (default 0600)", "text", "0660"),
            Opt("--fault", "faults instead of the board's own", "text", "SPEC", many=True),
            Opt("--seed", "how sensors move, and faults strike by chance", "number", "N"),
        ),
        connects=False,
        details=(
            "Any vhost-user frontend can attach, one after another; Ctrl-C ends it. "
            f"{fault.describe()} `none` ends those of the board."
        ),
    ),
)
