"""The process: ``scmictl`` as installed. It starts fast and exits with the right code."""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Sequence
from typing import TextIO

VERSION_FLAGS = ("-V", "--version")


def main() -> None:
    """Run the command line of this process and end it."""
    # Nothing made by one command is worth a collection; a shell turns it on again.
    gc.disable()
    try:
        code = run(sys.argv[1:])
    except KeyboardInterrupt:  # before there was a handler for it
        code = 130
    # Interpreter teardown costs more than many commands do, and everything is closed by now.
    if "coverage" not in sys.modules:
        os._exit(code)
    sys.exit(code)


def run(words: Sequence[str]) -> int:
    """Run ``words``, everything printed and flushed, and return the exit code."""
    from scmictl.console.environment import Environment

    environment = Environment.real()
    if len(words) == 1 and words[0] in VERSION_FLAGS:
        code = _print_version(environment.stdout, environment.stderr)
    else:
        from scmictl.console import runner

        code = runner.run(words, environment)
    return _flush(code, environment.stdout, environment.stderr)


def _print_version(stdout: TextIO, stderr: TextIO) -> int:
    from scmictl.version import VERSION

    try:
        stdout.write(f"scmictl {VERSION}\n")
        stdout.flush()
    except BrokenPipeError:
        return 141
    except OSError as error:
        stderr.write(f"scmictl: cannot write the output: {error.strerror}\n")
        return 11
    return 0


def _flush(code: int, stdout: TextIO, stderr: TextIO) -> int:
    """Flush both; what fails has been told, unless something else went wrong before.

    A reader that left early (`| head`) is exit 141, without a word.
    """
    try:
        stdout.flush()
    except BrokenPipeError:
        code = code or 141
        _discard_stdout()
    except OSError:
        code = code or 11
        _discard_stdout()
    try:
        stderr.flush()
    except OSError:
        pass
    return code


def _discard_stdout() -> None:
    """Point stdout nowhere, so that what is still buffered cannot fail again."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
