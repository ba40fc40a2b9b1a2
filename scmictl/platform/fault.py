"""Faults on request: their one grammar, and the set of them that a platform has in force.

The same text is written in a board (``faults = ["late:5%", "busy:2"]`` under ``[platform]``), in a
target (``sim:demo?fault=late:5%,busy:2&seed=7``) and behind ``serve --fault``:

    SPEC   none, or FAULT[,FAULT...]
    FAULT  KIND[:HOW...][@WHAT][@agent=NAME]
    KIND   one of KINDS
    HOW    5%        so many of all that it could strike, by chance (default: every one)
           2         so often at most, and then never again
           +3        not the first 3
           20ms      how late                  (late, overdue, early)
           4B        by how many bytes         (short, long)
           1000x     how many notifications    (storm)
           DENIED    which status              (error)
    WHAT   clock, CLOCK_RATE_GET, clock.RATE_GET, 0x14.0x5: only of that protocol or message
    NAME   an agent's name or number: only on its connections (default: on everybody's)

All faults are looked at in their order, and all that strike one frame do: ``late,wrong-token`` is a
late response with a wrong token. Chance is a function of the platform's seed, of the fault's place
in the list and of how often it could have struck: the same seed and the same commands in the same
order give the same faults. What the target (or ``serve``) says replaces what the board says, as
with the seed; ``none`` is no fault at all. What each fault does to a connection is in
:mod:`~scmictl.platform.injection`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from scmictl import protocols, values
from scmictl.errors import UsageError
from scmictl.platform.waveform import mix
from scmictl.wire import Notification, Status
from scmictl.wire.header import Header

COMMAND, ASYNC, DELAYED, NOTIFICATION = "command", "async", "delayed", "notification"
"""What a fault can strike: a command, one that asks for a delayed response, and what comes unasked.

A number in WHAT means the message of a command, except where only notifications can be struck.
"""

MOST_COPIES = 1_000_000
LONGEST = 0x10000
NONE = "none"


class Kind(NamedTuple):
    """One kind of fault; ``takes`` is which HOW it has of its own, with the default."""

    name: str
    strikes: tuple[str, ...]
    help: str
    takes: tuple[str, Any] = ("", None)


KINDS = {
    kind.name: kind
    for kind in (
        Kind("late", (COMMAND,), "the response comes late", ("delay", "100ms")),
        Kind(
            "overdue", (COMMAND,),
            "the response comes after the agent's time limit; BASE PROTOCOL_VERSION, by which an "
            "agent finds out whether the device lives, is spared unless it is named",
            ("delay", "1500ms"),
        ),
        Kind(
            "early", (ASYNC,),
            "the delayed response comes first, and its response later",
            ("delay", "10ms"),
        ),
        Kind("duplicate", (COMMAND,), "the response comes again, in an event buffer"),
        Kind("duplicate-delayed", (DELAYED,), "the delayed response comes twice"),
        Kind("duplicate-notification", (NOTIFICATION,), "the notification comes twice"),
        Kind("wrong-token", (COMMAND,), "the response has another token"),
        Kind("wrong-type", (COMMAND,), "the response says that it is a delayed response"),
        Kind("short", (COMMAND,), "the response is cut off at its end", ("size", "4B")),
        Kind("long", (COMMAND,), "the response has bytes behind its end", ("size", "4B")),
        Kind(
            "error", (COMMAND,),
            "the command is done, but its response has an error status and all fields behind it",
            ("status", "GENERIC_ERROR"),
        ),
        Kind("busy", (COMMAND,), "the command is not done, and answered with BUSY"),
        Kind("lost", (NOTIFICATION,), "the notification is not sent"),
        Kind(
            "storm", (COMMAND, NOTIFICATION),
            "a notification comes again and again, and with a command, BASE_ERROR_EVENTs that "
            "nobody asked for",
            ("copies", "1000x"),
        ),
        Kind("dead", (COMMAND,), "from this command on, the device does not use its queues"),
        Kind("disconnect", (COMMAND,), "the device hangs up instead of answering"),
    )
}  # fmt: skip
"""Every kind there is, by name, in the order of the help."""


class Fault(NamedTuple):
    """One fault as it was asked for.

    ``percent`` is None for every time, ``most`` for no end. ``own`` is what its kind takes: the
    delay in seconds, the bytes, the copies or the status. ``protocol``, ``message`` and ``agent``
    are numbers, or None for any; ``event`` says that ``message`` is a notification's.
    """

    text: str
    kind: Kind
    percent: float | None = None
    most: int | None = None
    skip: int = 0
    own: Any = None
    protocol: int | None = None
    message: int | None = None
    event: bool = False
    agent: int | None = None

    def meets(self, what: str, agent: int, head: Header) -> bool:
        """Return whether this could strike a frame of an agent's; ``what`` as in `Kind.strikes`."""
        if self.agent not in (None, agent) or what not in self.kind.strikes:
            return False
        if self.protocol is None:
            return self.kind.name != "overdue" or (head.protocol_id, head.message_id) != (0x10, 0)
        if self.message is None:
            return self.protocol == head.protocol_id
        same = (self.protocol, self.message) == (head.protocol_id, head.message_id)
        return same and self.event == (what == NOTIFICATION)


class _Active:
    """A fault in force, and how often it could have struck and has."""

    __slots__ = ("fault", "place", "seen", "struck")

    def __init__(self, fault: Fault, place: int) -> None:
        self.fault = fault
        self.place = place
        self.seen = self.struck = 0

    def strikes(self, seed: int) -> bool:
        """Return whether it strikes what it has just met."""
        fault = self.fault
        self.seen += 1
        if self.seen <= fault.skip or (fault.most is not None and self.struck >= fault.most):
            return False
        if fault.percent is not None:
            drawn = mix(seed, self.place, self.seen) / (1 << 64)
            if drawn * 100 >= fault.percent:
                return False
        self.struck += 1
        return True


class Faults:
    """The faults in force on a platform; true if there are any.

    ``agents`` are its agents' names by number. What is in force can be changed at any time, and
    holds from the next frame on.
    """

    def __init__(self, seed: int, agents: Mapping[int, str]) -> None:
        self._seed = seed
        self._agents = agents
        self._active: list[_Active] = []

    def __bool__(self) -> bool:
        return bool(self._active)

    def set(self, spec: str) -> None:
        """Put the faults of ``spec`` in force instead of all others, counts and chance begun anew.

        Raises UsageError for what is wrong with it; then nothing has changed.
        """
        faults = parse(spec, self._agents)
        self._active = [_Active(fault, place) for place, fault in enumerate(faults)]

    def add(self, spec: str) -> None:
        """Put the faults of ``spec`` in force as well; raises like :meth:`set`."""
        for fault in parse(spec, self._agents):
            place = self._active[-1].place + 1 if self._active else 0
            self._active.append(_Active(fault, place))

    def clear(self) -> None:
        """End all faults. A queue that is dead stays so until its connection ends."""
        self._active.clear()

    def list(self) -> list[dict[str, Any]]:
        """Return every fault in force: its text, what it could have struck, and what it has."""
        return [
            {
                "fault": one.fault.text,
                "kind": one.fault.kind.name,
                "met": one.seen,
                "struck": one.struck,
                "left": None if one.fault.most is None else one.fault.most - one.struck,
            }
            for one in self._active
        ]

    def wants(self, what: str) -> bool:
        """Return whether any fault is for ``what``, as in `Kind.strikes`."""
        return any(what in one.fault.kind.strikes for one in self._active)

    def strike(self, what: str, agent: int, head: Header) -> Iterator[Fault]:
        """Yield the faults that strike a frame, in their order."""
        for one in self._active:
            if one.fault.meets(what, agent, head) and one.strikes(self._seed):
                yield one.fault


# --- the grammar ----------------------------------------------------------------------------------

_PERCENT = re.compile(r"([0-9]{1,3}(?:\.[0-9]{1,6})?)%")
_COUNT = re.compile(r"\+?[0-9]{1,9}")
_SIZE = re.compile(r"([0-9]{1,6})B")
_COPIES = re.compile(r"([0-9]{1,7})x")
_EXAMPLES = {
    "delay": "a time such as 20ms",
    "size": f"1B to {LONGEST}B",
    "copies": f"1x to {MOST_COPIES}x",
    "status": "a status such as HARDWARE_ERROR",
}


def parse(spec: str, agents: Mapping[int, str]) -> list[Fault]:
    """Return the faults that ``spec`` asks for; ``agents`` are the names by number.

    Raises UsageError, in one line, for what cannot be understood.
    """
    if spec.strip() in ("", NONE):
        return []
    return [_fault(part.strip(), agents) for part in spec.split(",")]


def _fault(text: str, agents: Mapping[int, str]) -> Fault:
    try:
        head, *places = text.split("@")
        name, *hows = head.split(":")
        kind = KINDS.get(name)
        if kind is None:
            raise values.unknown("kind", name, KINDS, limit=len(KINDS))
        given: dict[str, Any] = {}
        for how in hows:
            key, value = _how(kind, how)
            if key in given:
                raise UsageError(f"found {how!r} as well, expected only one of its sort")
            given[key] = value
        if kind.takes[0] and "own" not in given:
            given["own"] = _own(kind, kind.takes[1])
        for place in places:
            found = _agent(place, agents) if place.startswith("agent=") else _message(kind, place)
            if found.keys() & given.keys():
                raise UsageError(f"found {'@' + place!r} as well, expected only one of its sort")
            given |= found
        return Fault(text, kind, **given)
    except UsageError as error:
        raise UsageError(f"fault {values.shown(text)}: {error.message}", hint=error.hint) from None


def _how(kind: Kind, how: str) -> tuple[str, Any]:
    percent = _PERCENT.fullmatch(how)
    if percent is not None and 0 < float(percent[1]) <= 100:
        return "percent", float(percent[1])
    if _COUNT.fullmatch(how):
        if how.startswith("+"):
            return "skip", int(how)
        if int(how):
            return "most", int(how)
    elif percent is None:
        own = _own(kind, how)
        if own is not None:
            return "own", own
    takes = f", {_EXAMPLES[kind.takes[0]]}" if kind.takes[0] else ""
    raise UsageError(f"found {how!r}, expected a share such as 5%, a count from 1 on, +N{takes}")


def _own(kind: Kind, how: str) -> Any:
    """Return what the kind makes of a HOW of its own; None if it is none."""
    sort = kind.takes[0]
    if sort == "status":
        status = Status.__members__.get(how.upper().replace("-", "_"))
        return status if status else None
    if sort == "delay":
        try:
            # A bare number is a count.
            return values.duration(how) if how[-1:].isalpha() else None
        except UsageError:
            return None
    match = {"size": _SIZE, "copies": _COPIES}[sort].fullmatch(how) if sort else None
    most = LONGEST if sort == "size" else MOST_COPIES
    return int(match[1]) if match is not None and 1 <= int(match[1]) <= most else None


def _agent(place: str, agents: Mapping[int, str]) -> dict[str, int]:
    wanted = place.removeprefix("agent=")
    for number, name in agents.items():
        if wanted == name:
            return {"agent": number}
    if wanted.isdecimal() and int(wanted) in agents:
        return {"agent": int(wanted)}
    raise values.unknown("agent", wanted, agents.values())


def _message(kind: Kind, place: str) -> dict[str, Any]:
    """Read ``PROTOCOL``, ``PROTOCOL.MESSAGE`` or ``MESSAGE``, by name or number."""
    first, dot, rest = place.partition(".")
    only_events = kind.strikes == (NOTIFICATION,)
    if dot:
        number = _number(first)
        protocol = protocols.by_name(first) if number is None else None
        id = protocol.id if protocol is not None else number
        message = _number(rest)
        if message is not None:
            return {"protocol": id, "message": message, "event": only_events}
        return _named(kind, rest, protocol or protocols.by_name(first))
    number = _number(first)
    if number is not None:
        return {"protocol": number}
    names = [name for _, name in protocols.STANDARD] + [entry[-1] for entry in protocols.VENDOR]
    if first.lower() in names:
        return {"protocol": protocols.by_name(first).id}
    return _named(kind, first, None)


def _named(kind: Kind, name: str, protocol: protocols.Protocol | None) -> dict[str, Any]:
    """Return the message of this name, of a protocol or (None) of any; it must fit the kind."""
    among = [protocol] if protocol else [protocols.by_name(name) for _, name in protocols.STANDARD]
    wanted = name.upper().replace("-", "_")
    candidates = [
        (one.id, message)
        for one in among
        for message in one.by_spec.values()
        if (NOTIFICATION if issubclass(message, Notification) else COMMAND) in _fits(kind)
    ]
    for short in (False, True):
        found = [
            (id, message)
            for id, message in candidates
            if wanted == (message.SPEC.partition("_")[2] if short else message.SPEC)
        ]
        if len(found) > 1:
            raise UsageError(
                f"message {name!r} is ambiguous, expected PROTOCOL.MESSAGE such as clock.{wanted}"
            )
        if found and (protocol is not None or not short):
            id, message = found[0]
            event = issubclass(message, Notification)
            return {"protocol": id, "message": message.MESSAGE_ID, "event": event}
    specs = [message.SPEC for _, message in candidates]
    what = " or ".join(sorted(_fits(kind)))
    raise UsageError(
        f"unknown {what} {name!r}, expected a protocol or a {what} of one",
        hint=values.nearest(wanted, specs),
    )


def _fits(kind: Kind) -> set[str]:
    """Return which sorts of message can stand in its WHAT: a delayed response has its command's."""
    return {NOTIFICATION if what == NOTIFICATION else COMMAND for what in kind.strikes}


def _number(text: str) -> int | None:
    try:
        number = values.number(text)
    except UsageError:
        return None
    if not 0 <= number <= 0xFF:
        raise UsageError(f"found the number {text}, expected 0 to 0xff")
    return number


# --- for the help ---------------------------------------------------------------------------------


def describe() -> str:
    """Return the grammar for a help text, and behind it the kinds, a line or more for each."""
    from textwrap import wrap  # only help needs it

    kinds = []
    for kind in KINDS.values():
        name = f"{kind.name}{f':{kind.takes[1]}' if kind.takes[0] else ''}"
        first, *more = wrap(kind.help, 50)
        kinds += [f"{name:24}{first}", *(f"{'':24}{line}" for line in more)]
    return (
        "A fault is KIND[:HOW...][@WHAT][@agent=NAME], several with commas between. HOW: 5% (so "
        "many of all), 2 (so often at most), +3 (not the first 3), and for some kinds 20ms, 4B, "
        "1000x or a status, with the default below. WHAT: a protocol or a message, as in clock or "
        "clock.RATE_GET.\n\n" + "\n".join(kinds)
    )
