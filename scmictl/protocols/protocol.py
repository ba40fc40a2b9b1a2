"""What a protocol is made of: number, versions, messages, and how its things are listed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cached_property
from typing import Any

from scmictl.wire import Message, Notification, Request


class Resources:
    """How the numbered things of a protocol (clocks, sensors) are found and named.

    ``count`` is a path in the PROTOCOL_ATTRIBUTES response. ``describe`` either takes the id in its
    field ``id`` or, when it has ``paging``, lists them all; ``name`` is the short name's field in
    what it returns, ``extended`` the path of the bit that says ``name_get`` has a longer one.
    ``given`` are the fields of ``describe`` and ``name_get`` that say which kind of thing is meant,
    in a protocol that has several.
    """

    def __init__(
        self,
        noun: str,
        *,
        count: str,
        describe: type[Request[Any]],
        id: str,
        name: str,
        extended: str | None = None,
        name_get: type[Request[Any]] | None = None,
        given: Mapping[str, int] | None = None,
    ) -> None:
        self.noun = noun
        self.count = count
        self.describe = describe
        self.id = id
        self.name = name
        self.extended = extended
        self.name_get = name_get
        self.given = given or {}

    def describing(self, id: int) -> Request[Any]:
        """Return the request that describes one thing; only where ``describe`` has no paging."""
        return self.describe(**{**self.given, self.id: id})

    def naming(self, id: int) -> Request[Any]:
        """Return the request for the long name of one thing; only where there is one."""
        assert self.name_get is not None
        return self.name_get(**{**self.given, self.id: id})


class Protocol:
    """One SCMI protocol, in all its versions.

    ``versions`` are the known protocol versions, oldest first, as ``major << 16 | minor``.
    ``experimental`` are those of them whose layouts may still change: they are spoken with a
    platform that reports one, but never chosen by ourselves while there is another.
    ``resources`` are the kinds of numbered things it has, the most important one first.
    ``statuses`` are the status codes that its vendor has added, and what they mean.
    """

    def __init__(
        self,
        name: str,
        id: int,
        *,
        title: str,
        versions: tuple[int, ...],
        requests: tuple[type[Request[Any]], ...],
        notifications: tuple[type[Notification], ...] = (),
        resources: Resources | tuple[Resources, ...] = (),
        experimental: Iterable[int] = (),
        statuses: Mapping[int, str] | None = None,
    ) -> None:
        self.name = name
        self.id = id
        self.title = title
        self.versions = versions
        self.requests = requests
        self.notifications = notifications
        self.kinds = (resources,) if isinstance(resources, Resources) else resources
        self.experimental = frozenset(experimental)
        self.statuses = statuses or {}
        for message in self.by_spec.values():
            # What another protocol lists (and what is only inherited from there) is that one's.
            if vars(message).get("PROTOCOL") is None:
                message.PROTOCOL = self

    @property
    def resources(self) -> Resources | None:
        """The (first kind of) numbered things, or None if the protocol has none."""
        return self.kinds[0] if self.kinds else None

    def kind(self, word: str) -> Resources | None:
        """Return the kind of things that ``word`` names: ``group``, ``groups``."""
        named = (how for how in self.kinds if word.lower() in (how.noun, f"{how.noun}s"))
        return next(named, None)

    def label(self, how: Resources) -> str:
        """Return what tells a kind of things from those of all protocols.

        That is the name of the protocol for its first kind, and ``pinctrl.group`` for another.
        """
        return self.name if how is self.resources else f"{self.name}.{how.noun}"

    def called(self, version: int) -> str:
        """Return a version the way people write it, and whether it is experimental."""
        mark = " (experimental)" if version in self.experimental else ""
        return f"{version_text(version)}{mark}"

    @cached_property
    def newest(self) -> int:
        """The newest version that is not experimental; where all are, the newest of them."""
        released = [v for v in self.versions if v not in self.experimental]
        return (released or self.versions)[-1]

    @cached_property
    def by_id(self) -> dict[int, type[Request[Any]]]:
        """The requests by message id."""
        return {request.MESSAGE_ID: request for request in self.requests}

    @cached_property
    def events_by_id(self) -> dict[int, type[Notification]]:
        """The notifications by message id, a number space of their own."""
        return {event.MESSAGE_ID: event for event in self.notifications}

    @cached_property
    def by_spec(self) -> dict[str, type[Message]]:
        """Every request, delayed response and notification by its specification name."""
        named: dict[str, type[Message]] = {}
        for request in self.requests:
            named[request.SPEC] = request
            if request.DELAYED is not None:
                named[request.DELAYED.SPEC] = request.DELAYED
        for event in self.notifications:
            named[event.SPEC] = event
        return named

    def layout_version(self, reported: int) -> int:
        """Return the version whose layouts to use with a platform that reports ``reported``.

        The same major is compatible whatever the minor; of a major newer than all known, the newest
        layouts are the best guess (reference part A, 1.7).
        """
        return min(reported, self.versions[-1] | 0xFFFF)


def version_text(version: int) -> str:
    """Return ``major << 16 | minor`` the way people write it: ``3.0``."""
    return f"{version >> 16}.{version & 0xFFFF}"
