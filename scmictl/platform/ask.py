"""What can be asked of a platform by hand, as plain data, and whether a request is that.

A request is a mapping: under ``ask`` one of :data:`ASKS`, and under other keys what belongs to it,
texts and lists of texts. It may have come from anywhere.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from scmictl import values
from scmictl.errors import UsageError

MOST = 64
"""Texts in a list of one request."""
LONGEST = 1024
"""Characters of each."""
SHOWN = 80
"""Characters of a value that an error shows."""
LONGEST_PAYLOAD = 2 * 8196
"""The digits of the longest notification, a BASE_ERROR_EVENT with all the reports it can have."""


class _Part(NamedTuple):
    """What a request has under a key: a text, or (``many``) a list of them; needed or not."""

    many: bool = False
    needed: bool = True
    longest: int = LONGEST


_TEXT, _TEXTS = _Part(), _Part(many=True)
_OPTIONAL = _Part(needed=False)

ASKS: dict[str, dict[str, _Part]] = {
    "facts": {},
    "state": {"resources": _TEXTS},
    "set": {"resource": _TEXT, "settings": _TEXTS},
    "fault": {"do": _TEXT, "spec": _OPTIONAL},
    "perms": {"do": _TEXT, "agent": _OPTIONAL, "device": _OPTIONAL, "protocol": _OPTIONAL},
    "notify": {
        "protocol": _TEXT,
        "message": _TEXT,
        "payload": _Part(longest=LONGEST_PAYLOAD),
        "to": _OPTIONAL,
    },
}
"""What can be asked, and with what."""
CHANGES = ("allow", "deny", "reset", "add", "clear")
"""What is done, of requests that do one of several things, that changes the platform."""


def read(request: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
    """Return what is asked, and everything that belongs to it; raises UsageError."""
    name = request.get("ask")
    if not isinstance(name, str) or name not in ASKS:
        raise UsageError(f"found the request {brief(name)}, expected {values.listing([*ASKS])}")
    parts = ASKS[name]
    for key in request:
        if key != "ask" and key not in parts:
            raise UsageError(
                f"{name}: found the key {brief(key)}, expected {values.listing([*parts])}"
            )
    return name, {key: _take(request, key, part) for key, part in parts.items()}


def changes(request: Mapping[str, Any]) -> bool:
    """Return whether a request changes the platform."""
    return request.get("ask") in ("set", "notify") or request.get("do") in CHANGES


def shown(request: Mapping[str, Any]) -> str:
    """Return a request as one line for people: ``set clock:uart0 rate=25MHz``."""
    words = []
    for value in request.values():
        words += value if isinstance(value, list) else [value]
    return " ".join(brief(word, quoted=False) for word in words if word is not None)


def _take(request: Mapping[str, Any], key: str, part: _Part) -> Any:
    value = request.get(key)
    if not part.many:
        if value is not None or part.needed:
            _check(key, value, part)
        return value
    if value is None:
        return []
    if not isinstance(value, list) or len(value) > MOST:
        raise UsageError(f"{key}: found {brief(value)}, expected a list of up to {MOST} texts")
    for item in value:
        _check(key, item, part)
    return value


def _check(key: str, value: object, part: _Part) -> None:
    if not isinstance(value, str) or len(value) > part.longest:
        raise UsageError(
            f"{key}: found {brief(value)}, expected a text of up to {part.longest} characters"
        )


def brief(value: object, *, quoted: bool = True) -> str:
    """Return a value of a request as an error may show it."""
    if value is None:
        return "nothing"
    text = "something nested"
    if isinstance(value, str):
        text = repr(value) if quoted or not value.isprintable() else value
    elif isinstance(value, int | float):
        text = repr(value)
    return text if len(text) <= SHOWN else text[:SHOWN] + "…"
