"""Protocols that installed packages bring: found by their entry points, checked, kept.

A package declares an entry point of the group ``scmictl.protocols``. Its name is that of the
protocol, its value leads to a :class:`Plugin`. The README has a whole package as an example.

Theory of operation. The entry points are looked for once in a process, when somebody names a
protocol, a number or a command that is none of ours: the search takes as long as the start of
Python. An entry point is loaded when its name is wanted, or when all are (a number does not tell
which it is). What is wrong with one is a *problem*: a line for whoever asked for that very name (as
UsageError), and for everybody else a line that :func:`take_problems` hands out once, while the
other plugins work.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from importlib import import_module
from typing import TYPE_CHECKING, Any, NamedTuple

from scmictl import values
from scmictl.errors import UsageError
from scmictl.protocols.common import (
    MessageAttributes,
    NegotiateProtocolVersion,
    ProtocolVersion,
)
from scmictl.protocols.protocol import Protocol

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

GROUP = "scmictl.protocols"
LONGEST = 15
"""Characters of a vendor's name: the field has 16 bytes, and the last one is 0."""

_NAME = re.compile("[a-z][a-z0-9]*(?:-[a-z0-9]+)*")
_COMMON = (ProtocolVersion, MessageAttributes, NegotiateProtocolVersion)
_ATTRIBUTES = 0x1


class Plugin(NamedTuple):
    """What the entry point of a package leads to: a protocol, and what goes with it.

    ``vendor`` and ``sub_vendor`` are what the base protocol of such a platform says, in any case;
    every number from 0x80 needs a vendor, the others have none. Without ``sub_vendor`` any will do.
    ``commands`` is the name of a module whose ``COMMANDS`` are the verbs of a group with the
    protocol's name, ``summary`` the group's line in the help; ``platform`` that of a module whose
    ``BEHAVIOUR`` is what a simulated platform does when its board has a table of that name. Both
    modules are imported only when they are needed.
    """

    protocol: Protocol
    vendor: str = ""
    sub_vendor: str = ""
    summary: str = ""
    commands: str = ""
    platform: str = ""


class Problem(Exception):
    """What is wrong with a plugin, in one line."""


def belongs(whose: str, whose_sub: str, vendor: str | None, sub_vendor: str | None) -> bool:
    """Return whether a protocol of ``whose`` is one of a platform that says ``vendor``.

    ``whose_sub`` is empty where the vendor alone decides. A ``sub_vendor`` of None is one that
    nobody has asked for, and then any will do.
    """
    if vendor is None or vendor.casefold() != whose.casefold():
        return False
    return not whose_sub or sub_vendor is None or sub_vendor.casefold() == whose_sub.casefold()


class Installed:
    """The plugins of this process; ``reserved`` returns the names and numbers that are ours."""

    def __init__(self, reserved: Callable[[], Iterable[tuple[str, str, int, str]]]) -> None:
        self._reserved = reserved
        self._points: dict[str, EntryPoint] | None = None
        self._loaded: dict[str, Plugin | Problem] = {}
        self._complete = False
        self._problems: list[str] = []
        self._told: set[str] = set()

    def named(self, name: str) -> Plugin | None:
        """Return the plugin of this name, None if there is none; raises UsageError if it is bad."""
        # Most of what is no name of ours is no name of a plugin either: CLOCK_RATE_SET, 0x80.
        found = self._load(name) if _NAME.fullmatch(name) else None
        if isinstance(found, Problem):
            text = str(found)
            if text in self._problems:
                self._problems.remove(text)
            raise UsageError(text)
        return found

    def every(self) -> list[Plugin]:
        """Return all plugins that are in order, by their names."""
        if not self._complete:
            self._complete = True
            places: dict[int, list[Plugin]] = {}
            for name in list(self._scan()):
                found = self._load(name)
                if found is None or isinstance(found, Problem):
                    continue
                same = places.setdefault(found.protocol.id, [])
                rival = next((one for one in same if _meet(one, found)), None)
                if rival is None:
                    same.append(found)
                    continue
                problem = Problem(
                    f"{self._called(name)}: found the number {found.protocol.id:#x}, which "
                    f"{rival.protocol.name} has too, expected one of its own"
                )
                self._loaded[name] = problem
                self.note(str(problem))
        return [one for _, one in sorted(self._loaded.items()) if isinstance(one, Plugin)]

    def worded(self, plugin: Plugin, what: str) -> str:
        """Return ``what`` is wrong with a plugin as a line that names it."""
        return f"{self._called(plugin.protocol.name)}: {what}"

    def take_problems(self) -> list[str]:
        """Return what is wrong with plugins and has not been returned yet."""
        found, self._problems = self._problems, []
        return found

    def note(self, text: str) -> None:
        """Keep a problem for :meth:`take_problems`, unless it has been there already."""
        if text not in self._told:
            self._told.add(text)
            self._problems.append(text)

    def _scan(self) -> dict[str, EntryPoint]:
        """Return the entry points by name, looking for them the first time."""
        if self._points is not None:
            return self._points
        self._points = {}
        try:
            from importlib.metadata import entry_points  # as slow as the start of Python

            points = sorted(entry_points(group=GROUP), key=lambda point: (point.name, _dist(point)))
        except Exception as error:
            self.note(f"the installed packages cannot be searched for plugins: {_why(error)}")
            return self._points
        for point in points:
            first = self._points.setdefault(point.name, point)
            if first is not point:
                self.note(
                    f"plugin {values.shown(point.name)} ({_dist(point)}): found the name of a "
                    f"plugin of {_dist(first)}, expected one of its own"
                )
        return self._points

    def _called(self, name: str) -> str:
        point = self._scan().get(name)
        return f"plugin {values.shown(name)}" + ("" if point is None else f" ({_dist(point)})")

    def _load(self, name: str) -> Plugin | Problem | None:
        if name not in self._loaded:
            point = self._scan().get(name)
            if point is None:
                return None
            found: Plugin | Problem
            try:
                found = _checked(point, self._reserved())
            except Exception as error:  # a Problem, or what a strange object makes of a check
                what = str(error) if isinstance(error, Problem) else f"unusable: {_why(error)}"
                found = Problem(f"{self._called(name)}: {what}")
                self.note(str(found))
            self._loaded[name] = found
        return self._loaded[name]


def _checked(point: EntryPoint, reserved: Iterable[tuple[str, str, int, str]]) -> Plugin:
    """Load an entry point and return its plugin; raises Problem for anything that is wrong."""
    ours = list(reserved)
    if not _NAME.fullmatch(point.name):
        raise Problem(f"found the name {point.name!r}, expected lower-case letters, digits and -")
    if point.name in (name for *_, name in ours):
        raise Problem("found the name of a protocol of scmictl, expected one of its own")
    try:
        plugin = point.load()
    except (Exception, SystemExit) as error:
        raise Problem(f"{values.shown(point.value)} cannot be loaded: {_why(error)}") from error
    if not isinstance(plugin, Plugin):
        raise Problem(f"found type {type(plugin).__name__} in {point.value}, expected Plugin")
    protocol = plugin.protocol
    if not isinstance(protocol, Protocol):
        raise Problem(f"protocol: found type {type(protocol).__name__}, expected Protocol")
    for key in ("vendor", "sub_vendor", "summary", "commands", "platform"):
        text = getattr(plugin, key)
        if not isinstance(text, str) or not text.isprintable():
            raise Problem(f"{key}: found {text!r}, expected a printable text")
    if protocol.name != point.name:
        raise Problem(f"found a protocol named {protocol.name!r}, expected {point.name!r}")
    _check_messages(protocol)
    _check_number(plugin, ours)
    return plugin


def _check_number(plugin: Plugin, ours: Iterable[tuple[str, str, int, str]]) -> None:
    number = plugin.protocol.id
    if not isinstance(number, int) or not 0x10 <= number <= 0xFF:
        raise Problem(f"found the number {number!r}, expected 0x10 to 0xff")
    for key in ("vendor", "sub_vendor"):
        text = getattr(plugin, key)
        if len(text) > LONGEST:
            raise Problem(f"{key}: found {len(text)} characters, expected at most {LONGEST}")
    vendors = number >= 0x80
    if vendors and not plugin.vendor:
        raise Problem(f"found the number {number:#x} and no vendor, expected one: it is a vendor's")
    if not vendors and (plugin.vendor or plugin.sub_vendor):
        raise Problem(f"found the number {number:#x} and a vendor, expected a number from 0x80")
    for vendor, sub_vendor, taken, name in ours:
        if taken == number and (not vendors or _same(plugin, vendor, sub_vendor)):
            raise Problem(f"found the number {number:#x}, which {name} of scmictl has")


def _check_messages(protocol: Protocol) -> None:
    versions = protocol.versions
    if not versions or not all(isinstance(version, int) for version in versions):
        raise Problem(f"found the versions {versions!r}, expected numbers such as 0x10000")
    for message in protocol.by_spec.values():
        if protocol.id != message.PROTOCOL_ID:
            raise Problem(
                f"found {message.SPEC} of the protocol {message.PROTOCOL_ID:#x}, expected "
                f"{protocol.id:#x}"
            )
        if message.PROTOCOL is not protocol:
            raise Problem(f"found {message.SPEC} of another protocol, expected one of its own")
    for kind in _COMMON:
        if not issubclass(protocol.by_id.get(kind.MESSAGE_ID, object), kind):
            raise Problem(f"found no {kind.SPEC}, expected a subclass of the common one")
    if _ATTRIBUTES not in protocol.by_id:
        raise Problem("found no message 0x1, expected PROTOCOL_ATTRIBUTES")


def _meet(one: Plugin, other: Plugin) -> bool:
    """Return whether there are platforms on which both of two plugins would have their number."""
    return one.protocol.id < 0x80 or _same(one, other.vendor, other.sub_vendor)


def _same(plugin: Plugin, vendor: str, sub_vendor: str) -> bool:
    return belongs(plugin.vendor, plugin.sub_vendor, vendor, sub_vendor or None)


def _dist(point: EntryPoint) -> str:
    dist = point.dist
    return "an unknown package" if dist is None else f"{dist.name} {dist.version}"


def _why(error: BaseException) -> str:
    return values.shown(" ".join(f"{type(error).__name__}: {error}".split())[:200])


# --- what the rest of scmictl asks ----------------------------------------------------------------


def _ours() -> list[tuple[str, str, int, str]]:
    """Return vendor, sub-vendor, number and name of the protocols that are no plugins."""
    from scmictl.protocols import STANDARD, VENDOR

    return [*(("", "", number, name) for number, name in STANDARD), *VENDOR]


installed = Installed(_ours)


def named(name: str) -> Plugin | None:
    """Return the plugin whose protocol has this name, or None; raises UsageError if it is bad."""
    return installed.named(name)


def with_id(number: int, vendor: str | None, sub_vendor: str | None) -> Plugin | None:
    """Return the plugin whose protocol has this number on a platform of this vendor, or None."""
    for one in installed.every():
        if one.protocol.id == number and (
            number < 0x80 or belongs(one.vendor, one.sub_vendor, vendor, sub_vendor)
        ):
            return one
    return None


def every() -> list[Plugin]:
    """Return all plugins that are in order."""
    return installed.every()


def note(text: str) -> None:
    """Keep a problem that showed when more of a plugin was wanted."""
    installed.note(text)


def take_problems() -> list[str]:
    """Return a line for every plugin with a fault, each once in a process."""
    return installed.take_problems()


def module(plugin: Plugin, name: str, attribute: str) -> Any:
    """Import the module ``name`` of a plugin and return its ``attribute``.

    Raises Problem, with a line that says which plugin it is of.
    """
    try:
        return getattr(import_module(name), attribute)
    except (Exception, SystemExit) as error:
        text = f"{values.shown(name)} with its {attribute} cannot be loaded: {_why(error)}"
        raise Problem(installed.worded(plugin, text)) from error
