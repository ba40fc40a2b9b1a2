"""`board`: the boards that simulated platforms are made from; nothing here needs a target."""

from __future__ import annotations

import os
import sys

from scmictl import values
from scmictl.agent import Waiter, at_once
from scmictl.commands.command import (
    Arg,
    Arguments,
    Column,
    Command,
    Opt,
    Output,
    Record,
    Rows,
    Text,
)
from scmictl.commands.context import Context
from scmictl.errors import BoardError, UsageError
from scmictl.platform import Platform, generator
from scmictl.platform import board as boards
from scmictl.platform.specimen import Size
from scmictl.protocols import version_text

_COLUMNS = (
    Column("name", "NAME"),
    Column("agents", "AGENTS"),
    Column("counts", "RESOURCES"),
    Column("versions", "VERSIONS"),
    Column("path", "PATH", wide=True),
)
_CHECKED = (Column("name", "file"), Column("ok", "ok"), *_COLUMNS[1:4])

STDIN = "-"
CHUNK = 65_536
SIZES = {
    **{one.option: (one.kind, f"how many {one.things}") for one in generator.TABLES.values()},
    "agents": (generator.AGENTS, "how many agents; every other one may not use some device"),
    "devices": (generator.DEVICES, "how many devices, which own everything between them"),
}
"""The counts of `generate` by the names of their options: the kind counted, and what is said."""
_OPTIONS = {kind: option for option, (kind, _) in SIZES.items()}


def built_in() -> list[str]:
    """Return the names of the boards that come with scmictl, for completion too."""
    return list(boards.built_in())


def ls(ctx: Context, args: Arguments) -> Output:
    """List the boards that come with scmictl."""
    return Rows([_facts(_load(ctx, name), name) for name in built_in()], _COLUMNS)


def show(ctx: Context, args: Arguments) -> Output:
    """Print a board; as a record, what a platform made from it has."""
    record = _facts(_load(ctx, args.board), args.board)
    with open(record["path"], encoding="utf-8") as file:
        return Text(file.read(), record)


def check(ctx: Context, args: Arguments) -> Output:
    """Check a board file."""
    file = args.file
    if file == STDIN:
        record = _facts(_load(ctx, STDIN), STDIN)
        return Rows([{**record, "ok": True}], _CHECKED, many=False)
    # Without a directory and a suffix it would be the name of a built-in board.
    source = f"./{file}" if os.path.exists(file) and not _is_path(file) else file
    record = _facts(_load(ctx, source), source)
    return Rows([{**record, "name": file, "ok": True}], _CHECKED, many=False)


def generate(ctx: Context, args: Arguments) -> Output:
    """Print a board of any size."""
    with at_once(ctx.interrupt):
        return Text("".join(generator.generate(_size(args))))


def check_generate(args: Arguments) -> None:
    """Raise UsageError for counts that no board can have."""
    _size(args)


def _size(args: Arguments) -> Size:
    counts: dict[str, int] = {}
    for option, (kind, _) in SIZES.items():
        text = getattr(args, option)
        if text is not None:
            most = generator.MOST[kind]
            counts[kind] = _within(f"--{option}", text, 0, most)
    if not counts and not args.system:
        raise UsageError(
            f"found no count, expected at least one of: --{', --'.join(SIZES)}",
            hint="board generate --clocks 100 --sensors 50",
        )
    for one in generator.TABLES.values():
        if one.share is not None:
            counts.setdefault(one.kind, counts.get(one.share.kind, 0) // one.share.many)
        if one.made_of and counts.get(one.kind) and not counts.get(one.made_of):
            needed = f"--{_OPTIONS[one.made_of]} with them"
            raise UsageError(f"--{one.option} is {counts[one.kind]}, expected {needed}")
    seed = 0 if args.seed is None else _within("--seed", args.seed, *boards.I64)
    return Size(counts, system=args.system, seed=seed)


def _shares() -> str:
    """Return for people how many there are of what nobody gives a number of."""
    told = [
        f"without --{one.option} there is one for every "
        + (f"{one.share.many} {_OPTIONS[one.share.kind]}" if one.share.many > 1 else one.share.kind)
        for one in generator.TABLES.values()
        if one.share is not None
    ]
    return ", ".join(told).capitalize()


def _within(option: str, text: str, lowest: int, highest: int) -> int:
    number = values.number(text)
    if not lowest <= number <= highest:
        raise UsageError(f"{option} is {text}, expected {lowest} to {highest}")
    return number


def _load(ctx: Context, source: str) -> Platform:
    """Return the platform that a board makes, from standard input too."""
    text = _read(ctx) if source == STDIN else None
    with at_once(ctx.interrupt):
        if text is None:
            return Platform.from_board(source)
        return Platform.from_text(text, "stdin")


def _read(ctx: Context) -> str:
    """Return what stands on stdin; a signal ends the wait for it, which reading alone would not."""
    waiter = Waiter(ctx.interrupt)
    parts: list[bytes] = []
    try:
        file = sys.stdin.fileno()
        while True:
            waiter.wait(file, None)
            waiter.check(waiter.now())
            part = os.read(file, CHUNK)
            if not part:
                return b"".join(parts).decode()
            parts.append(part)
    except (OSError, AttributeError) as error:
        reason = getattr(error, "strerror", None) or "it is closed"
        raise BoardError(f"stdin: found nothing to read ({reason}), expected a board") from error
    except UnicodeDecodeError as error:
        raise BoardError(
            f"stdin: byte {error.start}: found {error.object[error.start]:#04x}, expected UTF-8"
        ) from error


def _facts(platform: Platform, source: str) -> Record:
    behaviours = [platform.behaviours[number] for number in sorted(platform.behaviours)]
    return {
        "name": source,
        "agents": list(platform.agents),
        "counts": {kind: many for made in behaviours for kind, many in made.counts.items()},
        "versions": {made.PROTOCOL.name: version_text(made.version) for made in behaviours},
        "devices": [device.name for device in platform.permissions.devices],
        "path": _path(source),
    }


def _path(source: str) -> str | None:
    """Return the file behind a board that has been loaded; None for standard input."""
    if source == STDIN:
        return None
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
        args=(Arg("file", "the board file; - is standard input", "file"),),
        connects=False,
    ),
    Command(
        "board",
        "generate",
        "print a large board that is made up, to try how things scale",
        generate,
        options=(
            *(Opt(f"--{option}", help_, "number", "N") for option, (_, help_) in SIZES.items()),
            Opt("--system", "system power too"),
            Opt("--seed", "another board of the same size (0)", "number", "N"),
        ),
        connects=False,
        validate=check_generate,
        details=f"The same options print the same board. {_shares()}. scmictl board generate "
        "--clocks 10000 > big.toml; scmictl -t sim:big.toml clock list",
    ),
)
