"""The process: ``scmictl`` as installed. It starts fast and exits with the right code."""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Sequence

VERSION_FLAGS = ("-V", "--version")


def main() -> None:
    """Run the command line of this process and end it."""
    # Nothing made by one command is worth a collection; a shell turns it on again.
    gc.disable()
    code = run(sys.argv[1:])
    # Interpreter teardown costs more than many commands do, and everything is closed by now.
    if "coverage" not in sys.modules:
        os._exit(code)
    sys.exit(code)


def run(words: Sequence[str]) -> int:
    """Run ``words``, everything printed and flushed, and return the exit code."""
    if len(words) == 1 and words[0] in VERSION_FLAGS:
        from scmictl.version import VERSION

        print(f"scmictl {VERSION}")
        return _flush(0)
    from scmictl.console import runner

    return _flush(runner.run(words))


def _flush(code: int) -> int:
    """Flush stdout and stderr; a reader that left early (`| head`) is exit 141, without a word."""
    try:
        if sys.stdout is not None:
            sys.stdout.flush()
    except BrokenPipeError:
        code = 141
        _discard_stdout()
    except OSError as error:
        code = 11
        print(f"scmictl: cannot write the output: {error.strerror}", file=sys.stderr)
        _discard_stdout()
    try:
        if sys.stderr is not None:
            sys.stderr.flush()
    except OSError:
        pass
    return code


def _discard_stdout() -> None:
    """Point stdout nowhere, so that what is still buffered cannot fail again."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
