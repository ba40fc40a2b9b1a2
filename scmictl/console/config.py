"""What the user has settled beforehand: configuration files and environment variables.

Two files are looked at: the user's own (``--config``, else ``$SCMICTL_CONFIG``, else
``config.toml`` in the XDG directory) and ``./scmictl.toml``, which may set targets and output only,
because it comes with whatever directory one happens to be in. A file that is asked for must exist.
Unknown keys are warnings, all else that is wrong is a UsageError that names file, key, found and
expected.

    target = "board"
    timeout = "500ms"

    [targets]
    lab = "vhost-user:/run/lab.sock"

    [targets.board]
    uri = "vhost-user:/run/scmi.sock?wait=10s"
    readonly = true
"""

from __future__ import annotations

import os
import re
import stat
import sys
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from scmictl import values
from scmictl.commands import Opt
from scmictl.console.options import GLOBALS
from scmictl.errors import UsageError

PROJECT = "scmictl.toml"

_OF_ONE_RUN = (
    "config",
    "command",
    "json",
    "fields",
    "sort",
    "where",
    "no_readonly",
    "yes",
    "dry_run",
)
"""Options that make no sense as a default, or would take a safeguard away unseen."""
SETTINGS = {option.key: option for option in GLOBALS if option.key not in _OF_ONE_RUN}
_OF_PROJECT = ("target", "output")
_OF_TARGET = ("readonly", "timeout", "delayed_timeout", "retry_busy", "proto", "vendor")
"""What a table ``[targets.NAME]`` can have besides its uri."""

_VARIABLES = {
    "SCMICTL_TARGET": "target",
    "SCMICTL_OUTPUT": "output",
    "SCMICTL_TIMEOUT": "timeout",
    "SCMICTL_READONLY": "readonly",
}
_TRUTHS = {"1": True, "true": True, "yes": True, "on": True}
_TRUTHS |= {"0": False, "false": False, "no": False, "off": False}
_PLACE = re.compile(r" \(at (?:line ([0-9]+), column [0-9]+|end of document)\)$")


class Target(NamedTuple):
    """A target with a name: its URI, and the settings that hold for it alone."""

    uri: str
    defaults: dict[str, Any]


class Config:
    """What was found. All settings are by the keys of the options, in the form the parser gives.

    ``files`` are the settings of both files, ``environment`` those of variables, ``defaults`` all
    of them. Between the two belong those of a named target; see :meth:`settings`.
    """

    def __init__(self) -> None:
        self.files: dict[str, Any] = {}
        self.environment: dict[str, Any] = {}
        self.targets: dict[str, Target] = {}
        self.warnings: list[str] = []

    @property
    def defaults(self) -> dict[str, Any]:
        return {**self.files, **self.environment}

    def settings(self, target: Target | None) -> dict[str, Any]:
        """Return the settings that hold with ``target``: its own are nearer than those of files."""
        return {**self.files, **(target.defaults if target else {}), **self.environment}


def load(path: str | None, environ: Mapping[str, str], cwd: str = ".") -> Config:
    """Read the configuration; ``path`` is that of --config, ``cwd`` where ./scmictl.toml may be.

    Reads files and nothing else. Raises UsageError.
    """
    config = Config()
    asked = path if path is not None else environ.get("SCMICTL_CONFIG") or None
    user = asked if asked is not None else _user_file(environ)
    if asked is not None or _exists(user):
        _take(config, user, own=True)
    project = os.path.join(cwd, PROJECT)
    if _exists(project):
        _take(config, project, own=False)
    for variable, key in _VARIABLES.items():
        text = environ.get(variable)
        if text:
            config.environment[key] = _variable(variable, SETTINGS[key], text)
    return config


def _user_file(environ: Mapping[str, str]) -> str:
    if sys.platform in ("darwin", "win32"):
        from platformdirs import user_config_path

        return str(user_config_path("scmictl", appauthor=False) / "config.toml")
    # What platformdirs says here (a test compares), without the time it takes to load.
    base = environ.get("XDG_CONFIG_HOME", "")
    if not base.startswith("/"):
        home = environ.get("HOME", "")
        base = f"{home if home.startswith('/') else os.path.expanduser('~')}/.config"
    return f"{base}/scmictl/config.toml"


def _exists(path: str) -> bool:
    """Return whether there is a file nobody asked for: not a directory, nor a pipe to wait at."""
    try:
        return stat.S_ISREG(os.stat(path).st_mode)
    except (OSError, ValueError):
        return False


def _read(path: str) -> dict[str, Any]:
    import tomllib  # only now: most people have no file

    try:
        with open(path, encoding="utf-8") as file:
            text = file.read()
    except UnicodeDecodeError as error:
        raise UsageError(f"{path}: the configuration is not UTF-8") from error
    except (OSError, ValueError) as error:
        why = error.strerror if isinstance(error, OSError) else error
        raise UsageError(f"{path}: cannot read the configuration: {why}") from error
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        message = str(error)
        place = _PLACE.search(message)
        line = place[1] if place and place[1] else str(text.count("\n") + 1)
        found = message[: place.start()] if place else message
        raise UsageError(f"{path}:{line}: {found[:1].lower()}{found[1:]}") from error
    except RecursionError as error:
        raise UsageError(f"{path}: too deeply nested, expected settings and targets") from error


def _take(config: Config, path: str, *, own: bool) -> None:
    """Add what stands in one file, over what is there; ``own`` means the user's."""
    allowed = tuple(SETTINGS) if own else _OF_PROJECT
    for name, value in _read(path).items():
        key = name.replace("-", "_")
        if key == "targets":
            _take_targets(config, path, value, own=own)
        elif key in allowed:
            config.files[key] = _setting(f"{path}: {name}", SETTINGS[key], value)
        elif key in SETTINGS:
            config.warnings.append(
                f"{path}: {name} is ignored: this file may set target, output and targets only"
            )
        else:
            _warn(config, f"{path}: unknown key {name!r} is ignored", name, [*allowed, "targets"])


def _take_targets(config: Config, path: str, found: object, *, own: bool) -> None:
    where = f"{path}: targets"
    if not isinstance(found, dict):
        raise UsageError(f"{where} is {found!r}, expected a table of names")
    for name, value in found.items():
        table = {"uri": value} if isinstance(value, str) else value
        if not isinstance(table, dict):
            raise UsageError(f"{where}.{name} is {value!r}, expected a URI or a table with one")
        uri = table.get("uri")
        if not isinstance(uri, str) or not uri:
            raise UsageError(f"{where}.{name}: uri is {uri!r}, expected a URI as for --target")
        defaults = {}
        for setting, choice in table.items():
            key = setting.replace("-", "_")
            if key in _OF_TARGET:
                defaults[key] = _setting(f"{where}.{name}.{setting}", SETTINGS[key], choice)
            elif key != "uri":
                text = f"{path}: unknown key {f'targets.{name}.{setting}'!r} is ignored"
                _warn(config, text, setting, ["uri", *_OF_TARGET])
        if not own and defaults.get("readonly") is False:
            del defaults["readonly"]
            config.warnings.append(
                f"{where}.{name}.readonly = false is ignored: only your own file lifts it"
            )
        config.targets[name] = Target(uri, defaults)


def _warn(config: Config, text: str, found: str, known: Iterable[str]) -> None:
    near = values.nearest(found, known)
    config.warnings.append(f"{text}; {near}" if near else text)


def _setting(where: str, option: Opt, value: object) -> Any:
    """Return a setting as the parser would give it: text, or True and False."""
    if option.kind == "flag":
        if not isinstance(value, bool):
            raise UsageError(f"{where} is {value!r}, expected true or false")
        return value
    if option.kind in ("duration", "number"):
        if isinstance(value, bool) or not isinstance(value, str | int | float):
            raise UsageError(f"{where} is {value!r}, expected a {option.kind}")
        return _checked(where, option, str(value))
    if not isinstance(value, str) or not value:
        raise UsageError(f"{where} is {value!r}, expected a text")
    return _checked(where, option, value)


def _variable(name: str, option: Opt, text: str) -> Any:
    if option.kind != "flag":
        return _checked(name, option, text)
    truth = _TRUTHS.get(text.lower())
    if truth is None:
        raise UsageError(f"{name} is {text!r}, expected 1 or 0")
    return truth


def _checked(where: str, option: Opt, text: str) -> str:
    """Return ``text``; raises UsageError when the option would not take it."""
    if option.kind == "choice" and text not in option.choices:
        error = values.unknown("value", text, option.choices)
        raise UsageError(f"{where}: {error.message}", hint=error.hint)
    try:
        if option.kind == "duration":
            values.duration(text)
        elif option.kind == "number":
            values.number(text)
    except UsageError as error:
        raise UsageError(f"{where}: {error.message}", hint=error.hint) from error
    return text
