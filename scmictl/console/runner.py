"""Runs one command line: chooses one-shot, ``-c``, batch or shell; words every error."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from scmictl.agent import Interrupt
from scmictl.console import report, signals
from scmictl.console.environment import Environment
from scmictl.console.parser import Help, Invocation, parse
from scmictl.console.session import Session
from scmictl.console.terminal import write
from scmictl.console.view import View
from scmictl.errors import Interrupted, ScmictlError

INTERNAL = 1
BROKEN_PIPE = 141


def run(words: Sequence[str], environment: Environment | None = None) -> int:
    """Run ``words`` and return the exit code; nothing is raised."""
    environment = environment or Environment.real()
    view = View(form="json") if _wants_json(words, environment) else View()
    try:
        parsed = parse(words)
        code = 0
        if isinstance(parsed, Help):
            write(environment.stdout, parsed.text.rstrip() + "\n")
        else:
            view = View.of(parsed.options, environment)
            code = _run(parsed, environment)
        if not code:
            # Here the failure can still be told in the form that was asked for.
            write(environment.stdout, "", flush=True)
        return code
    except BrokenPipeError:
        return BROKEN_PIPE
    except ScmictlError as error:
        report.error(error, view, environment)
        return error.exit_code
    except Exception as error:
        return _bug(error, environment, verbose="-v" in words or "--verbose" in words)
    finally:
        report.problems(view, environment, quiet="-q" in words or "--quiet" in words)


def _run(parsed: Invocation, environment: Environment) -> int:
    interrupt = Interrupt()
    signals.install(interrupt)
    text = parsed.options.get("command")
    command = parsed.command
    lasting = bool(text) or command is None or command.verb in ("batch", "shell")
    with Session(environment, parsed.options, interrupt=interrupt, lasting=lasting) as session:
        try:
            if text:
                from scmictl.console import batch

                return batch.run_text(session, text)
            if command is None:
                if environment.stdin.isatty() and environment.stdout.isatty():
                    from scmictl.console.shell import run as run_shell

                    return run_shell(session)
                from scmictl.console import batch

                return batch.run_files(session, ["-"])
            if command.session is not None:
                return command.session(session, parsed.arguments)
            session.invoke(parsed)
        except Interrupted as stopped:
            report.error(stopped, session.view(), environment)
            return stopped.exit_code
        except ScmictlError as error:
            report.error(error, session.view(), environment)
            return error.exit_code
    return 0


def _wants_json(words: Sequence[str], environment: Environment) -> bool:
    """Whether errors are wanted as JSON, by a look that works even where parsing fails."""
    joined = " ".join(words).replace("--output=", "--output ")
    if any(flag in joined for flag in ("--json", "-o json", "-ojson", "--output json")):
        return True
    chosen = any(word.startswith(("-o", "--output")) for word in words)
    return not chosen and environment.environ.get("SCMICTL_OUTPUT", "").startswith("json")


def _bug(error: Exception, environment: Environment, *, verbose: bool) -> int:
    """A traceback is for us, not for the user: one line, and with -v all of it."""
    if verbose:
        import traceback

        traceback.print_exception(error, file=sys.stderr)
    where = error.__traceback__
    while where is not None and where.tb_next is not None:
        where = where.tb_next
    place = f"{where.tb_frame.f_code.co_filename}:{where.tb_lineno}" if where else "?"
    bug = ScmictlError(
        f"a bug in scmictl: {type(error).__name__}: {' '.join(str(error).split())} ({place})",
        hint="run it again with -v for the whole story, and report it",
    )
    bug.name = "BUG"
    report.error(bug, View(), environment)
    return INTERNAL
