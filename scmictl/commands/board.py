"""`board`: the boards that simulated platforms are made from; nothing here needs a target."""

from __future__ import annotations

import os

from scmictl.commands.command import Arg, Arguments, Column, Command, Output, Record, Rows, Text
from scmictl.commands.context import Context
from scmictl.platform import Platform
from scmictl.platform import board as boards
from scmictl.protocols import version_text

_COLUMNS = (
    Column("name", "NAME"),
    Column("agents", "AGENTS"),
    Column("counts", "RESOURCES"),
    Column("versions", "VERSIONS"),
    Column("path", "PATH", wide=True),
)
_CHECKED = (Column("name", "file"), Column("ok", "ok"), *_COLUMNS[1:4])


def built_in() -> list[str]:
    """Return the names of the boards that come with scmictl, for completion too."""
    return list(boards.built_in())


def ls(ctx: Context, args: Arguments) -> Output:
    """List the boards that come with scmictl."""
    return Rows([_facts(Platform.from_board(name), name) for name in built_in()], _COLUMNS)


def show(ctx: Context, args: Arguments) -> Output:
    """Print a board; as a record, what a platform made from it has."""
    record = _facts(Platform.from_board(args.board), args.board)
    with open(record["path"], encoding="utf-8") as file:
        return Text(file.read(), record)


def check(ctx: Context, args: Arguments) -> Output:
    """Check a board file."""
    file = args.file
    # Without a directory and a suffix it would be the name of a built-in board.
    source = f"./{file}" if os.path.exists(file) and not _is_path(file) else file
    record = _facts(Platform.from_board(source), source)
    return Rows([{**record, "name": file, "ok": True}], _CHECKED, many=False)


def _facts(platform: Platform, source: str) -> Record:
    behaviours = [platform.behaviours[number] for number in sorted(platform.behaviours)]
    return {
        "name": source,
        "agents": list(platform.agents),
        "counts": {
            made.PROTOCOL.name: made.count for made in behaviours if made.PROTOCOL.resources
        },
        "versions": {made.PROTOCOL.name: version_text(made.version) for made in behaviours},
        "devices": [device.name for device in platform.permissions.devices],
        "path": _path(source),
    }


def _path(source: str) -> str:
    """Return the file behind a board that has been loaded."""
    return source if _is_path(source) else os.path.join(boards.BOARDS, source + boards.SUFFIX)


def _is_path(source: str) -> bool:
    return source.endswith(boards.SUFFIX) or "/" in source


COMMANDS = (
    Command(
        "board",
        "ls",
        "list the boards that come with scmictl",
        ls,
        connects=False,
        details="Use one as sim:NAME.",
    ),
    Command(
        "board",
        "show",
        "print a board, as a start for one of your own",
        show,
        args=(Arg("board", "name of a built-in board, or a board file"),),
        connects=False,
        details="scmictl board show demo > mine.toml; scmictl -t sim:mine.toml clock list",
    ),
    Command(
        "board",
        "check",
        "check a board file, and say what a platform made from it has",
        check,
        args=(Arg("file", "the board file", "file"),),
        connects=False,
    ),
)
