"""Targets as they are written: ``scheme:rest?name=value&name=value``, or a socket's path."""

from __future__ import annotations

import os
import stat
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from scmictl import values
from scmictl.errors import UsageError


class Target(NamedTuple):
    """A parsed URI; ``text`` is what to show for it."""

    scheme: str
    rest: str
    options: Mapping[str, str]
    text: str

    def allow(self, names: Sequence[str]) -> None:
        """Raise UsageError for an option this scheme does not have."""
        for name in self.options:
            if name not in names:
                raise UsageError(
                    f"{self.scheme}: has no option {name!r}, expected: {', '.join(sorted(names))}"
                )

    def integer(self, name: str, default: int, *, low: int, high: int) -> int:
        """Return an option as an integer in range."""
        text = self.options.get(name)
        if text is None:
            return default
        try:
            value = values.number(text)
        except UsageError as error:
            raise UsageError(f"{name}: {error.message}", hint=error.hint) from error
        if not low <= value <= high:
            raise UsageError(f"{name} is {value}, expected {low} to {high}")
        return value

    def seconds(self, name: str, default: float = 0.0) -> float:
        """Return an option as a duration."""
        text = self.options.get(name)
        if text is None:
            return default
        try:
            return values.duration(text)
        except UsageError as error:
            raise UsageError(f"{name}: {error.message}", hint=error.hint) from error


def parse(text: str, schemes: Sequence[str]) -> Target:
    """Split a target; raises UsageError for an unknown scheme or a word that is no target."""
    place, _, query = text.partition("?")
    options: dict[str, str] = {}
    for part in filter(None, query.split("&")):
        name, equals, value = part.partition("=")
        if not equals:
            raise UsageError(f"target option {part!r}, expected NAME=VALUE")
        options[name] = value
    scheme, colon, rest = place.partition(":")
    if colon and "/" not in scheme:
        if scheme not in schemes:
            raise UsageError(
                f"unknown scheme {scheme!r} in target {text!r}, expected: {', '.join(schemes)}"
            )
        return Target(scheme, rest, options, text)
    if "/" in place or _is_socket(place):
        return Target("vhost-user", place, options, f"vhost-user:{text}")
    raise UsageError(
        f"unknown target {text!r}, expected a URI ({', '.join(s + ':' for s in schemes)}), the "
        "path of a socket, or a name from the config file"
    )


def _is_socket(path: str) -> bool:
    try:
        return stat.S_ISSOCK(os.stat(path).st_mode)
    except OSError:
        return False
