"""What is said on stderr: errors and notices, one line each, as text or as JSON objects."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from scmictl.console.environment import Environment
from scmictl.console.terminal import json_text, safe, write
from scmictl.console.view import View
from scmictl.errors import OutputError, ScmictlError, StatusError
from scmictl.protocols import plugin


def error(failure: ScmictlError, view: View, environment: Environment) -> None:
    """Say what went wrong: found, expected, and what to do about it. Never raises."""
    if view.json_errors:
        _object({"error": error_record(failure)}, environment)
        return
    hint = f"; {failure.hint}" if failure.hint else ""
    _line(f"scmictl: {safe(failure.message)}{safe(hint)}", environment)


def notice(text: str, view: View, environment: Environment) -> None:
    """Say something that is neither data nor an error. Never raises."""
    if view.json_errors:
        _object({"notice": text}, environment)
    else:
        _line(safe(text), environment)


def problems(view: View, environment: Environment, *, quiet: bool) -> None:
    """Say what has turned out to be wrong with installed packages; each once, unless ``quiet``."""
    for text in plugin.take_problems():
        if not quiet:
            notice(text, view, environment)


def event(name: str, record: Mapping[str, Any], environment: Environment) -> None:
    """Say something as a JSON object under ``name``. Never raises."""
    _object({name: record}, environment)


def error_record(error: ScmictlError) -> dict[str, Any]:
    """Return an error as the JSON object of CLI.md."""
    return {
        "code": error.exit_code,
        "name": error.name,
        "scmi_status": error.status if isinstance(error, StatusError) else None,
        "message": error.message,
        "hint": error.hint,
    }


def _object(value: object, environment: Environment) -> None:
    _line(json_text(value, environment.stderr), environment)


def _line(text: str, environment: Environment) -> None:
    try:
        write(environment.stderr, text + "\n", flush=True)
    except (OutputError, BrokenPipeError):
        pass  # there is no other place to complain
