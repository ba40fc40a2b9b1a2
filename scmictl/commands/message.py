"""Finds messages by the names people type: ``clock.RATE_SET``, ``CLOCK_RATE_SET``, 0x5.

Nothing is sent: what there is follows from the declarations alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, TypeVar

from scmictl import protocols, values
from scmictl.errors import UsageError
from scmictl.protocols import Protocol
from scmictl.wire import Delayed, Message, Notification, Request

M = TypeVar("M", bound=Message)

_EVERYWHERE = ("PROTOCOL", "NEGOTIATE")
"""First words of the messages that every protocol has; the others begin with the protocol."""


def every(
    kind: type[M], among: Iterable[Protocol] | None = None
) -> Iterator[tuple[Protocol, type[M]]]:
    """Yield all messages of a kind (Request, Delayed, Notification, or Message for all of them).

    ``among``: of these protocols only.
    """
    for protocol in protocols.every() if among is None else among:
        for message in protocol.by_spec.values():
            if issubclass(message, kind):
                yield protocol, message


def find(text: str, kind: type[M], *, further: bool = True) -> tuple[Protocol, type[M]]:
    """Return the message of ``kind`` that ``text`` names, and its protocol.

    The specification's name in any case; with the protocol in front of a dot also without its first
    word, or as a number. Without the protocol a name is the specification's before it is a
    vendor's; without ``further`` only the specification's are looked through. Raises UsageError for
    a name that is unknown or means several.
    """
    prefix, dot, rest = text.strip().rpartition(".")
    if dot:
        protocol = protocols.by_name(prefix)
        candidates = list(every(kind, [protocol]))
        number = _number(rest)
        if number is not None:
            candidates = [(p, m) for p, m in candidates if number == m.MESSAGE_ID]
            # A number means the command where there is one: a delayed response has the same.
            candidates.sort(key=lambda found: not issubclass(found[1], Request))
            if candidates:
                return candidates[0]
            raise UsageError(f"the {protocol.name} protocol has no message {number:#x} we know of")
        found = _named(rest, candidates)
    else:
        # CLOCK_RATE_SET is clock's, and then nothing else has to be loaded.
        own = _spec(rest).partition("_")[0].lower()
        if own in (name for _, name in protocols.STANDARD):
            protocol = protocols.by_name(own)
            message = protocol.by_spec.get(_spec(rest))
            if message is not None and issubclass(message, kind):
                return protocol, message
        candidates = list(every(kind, protocols.standard()))
        found = _named(rest, candidates)
        if found is None and further:
            found = _named(rest, list(every(kind, protocols.vendors())))
        if found is None and further:
            candidates = list(every(kind))
            found = _named(rest, candidates)
    if found is not None:
        return found
    wanted = _spec(rest)
    specs = dict.fromkeys(m.SPEC for _, m in candidates)
    raise UsageError(
        f"unknown message {text!r}, expected a name such as CLOCK_RATE_SET or clock.RATE_SET",
        hint=values.nearest(wanted, specs) or "`explain clock` lists the messages of a protocol",
    )


def _named(
    text: str, candidates: Sequence[tuple[Protocol, type[M]]]
) -> tuple[Protocol, type[M]] | None:
    """Return the one of ``candidates`` that ``text`` names, if any; UsageError if it is several."""
    wanted = _spec(text)
    for matches in (_is_name, _is_short_name, _is_common_name):
        found = [(p, m) for p, m in candidates if matches(m.SPEC, wanted)]
        if len(found) == 1:
            return found[0]
        if found:
            names = [qualified(p, m) for p, m in found]
            raise UsageError(f"message {text!r} is ambiguous, expected {values.listing(names)}")
    return None


def with_number(text: str, number: int) -> tuple[Protocol, type[Request[Any]]]:
    """Return the request that ``text`` names among the protocols that have ``number`` somewhere.

    Raises UsageError.
    """
    among = [p for p in protocols.every() if p.id == number]
    if not among:
        raise UsageError(f"unknown protocol {number:#x}, expected the number of a message too")
    candidates: list[tuple[Protocol, type[Request[Any]]]] = list(every(Request, among))
    found = _named(text, candidates)
    if found is None:
        raise values.unknown("message", text, [m.SPEC for _, m in candidates])
    return found


def qualified(protocol: Protocol, message: type[Message]) -> str:
    """Return the name under which exactly this message is found: ``clock.CLOCK_RATE_SET``."""
    return f"{protocol.name}.{message.SPEC}"


def kind_name(message: type[Message]) -> str:
    """Return ``request``, ``delayed_response`` or ``notification``."""
    if issubclass(message, Delayed):
        return "delayed_response"
    return "notification" if issubclass(message, Notification) else "request"


def _spec(text: str) -> str:
    return text.upper().replace("-", "_")


def _is_name(spec: str, wanted: str) -> bool:
    return spec == wanted


def _is_short_name(spec: str, wanted: str) -> bool:
    first, _, rest = spec.partition("_")
    return rest == wanted and first not in _EVERYWHERE


def _is_common_name(spec: str, wanted: str) -> bool:
    return spec.partition("_")[2] == wanted


def _number(text: str) -> int | None:
    try:
        return values.number(text)
    except UsageError:
        return None
