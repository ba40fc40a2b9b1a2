"""The process around the console: its streams, variables and terminal. Tests make their own."""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Mapping
from typing import TextIO, cast


class Environment:
    """Streams and variables; ``stdout`` gets data, ``stderr`` everything else."""

    def __init__(
        self,
        stdin: TextIO,
        stdout: TextIO,
        stderr: TextIO,
        environ: Mapping[str, str],
    ) -> None:
        self.stdin = stdin
        self.stdout = stdout
        self.stderr = stderr
        self.environ = environ

    @classmethod
    def real(cls) -> Environment:
        """Return the process's own.

        Of the streams that were closed before the start, input and errors lead nowhere, and output
        cannot be written. They take their own places (the lowest that are free), so that nothing
        that is opened later can be taken for one of them.
        """
        return cls(
            sys.stdin or _nowhere(os.O_RDONLY, "r"),
            _whole(sys.stdout) if sys.stdout else _nowhere(os.O_RDONLY, "w"),
            sys.stderr or _nowhere(os.O_WRONLY, "w"),
            os.environ,
        )

    @property
    def interactive(self) -> bool:
        """Whether somebody can be asked: input and errors are a terminal."""
        return self.stdin.isatty() and self.stderr.isatty()

    @property
    def width(self) -> int:
        """Columns of the terminal that stdout is; 80 where it says nothing."""
        columns = self.environ.get("COLUMNS", "")
        if columns.isdigit() and int(columns):
            return int(columns)
        try:
            return os.get_terminal_size(self.stdout.fileno()).columns or 80
        except (OSError, ValueError):
            return 80


def _whole(stream: TextIO) -> TextIO:
    """Return ``stream`` with a buffer below it, which PYTHONUNBUFFERED takes away.

    Without one, what the system takes only a part of (a disk gets full, a reader leaves) is lost,
    and nobody is told. Whoever has to be read at once is flushed at once.
    """
    if not isinstance(getattr(stream, "buffer", None), io.RawIOBase):
        return stream
    return open(stream.fileno(), "w", encoding=stream.encoding, errors=stream.errors, closefd=False)


def _nowhere(access: int, mode: str) -> TextIO:
    # It stays open as long as the process lives.
    return cast("TextIO", open(os.open(os.devnull, access), mode, encoding="utf-8"))
