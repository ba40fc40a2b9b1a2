"""What a protocol is made of: number, versions, messages, and how its things are listed."""

from __future__ import annotations

from functools import cached_property
from typing import Any

from scmictl.wire import Message, Notification, Request


class Resources:
    """How the numbered things of a protocol (clocks, sensors) are found and named.

    ``count`` is a path in the PROTOCOL_ATTRIBUTES response. ``describe`` either takes the id in its
    field ``id`` or, when it has ``paging``, lists them all; ``name`` is the short name's field in
    what it returns, ``extended`` the path of the bit that says ``name_get`` has a longer one.
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
    ) -> None:
        self.noun = noun
        self.count = count
        self.describe = describe
        self.id = id
        self.name = name
        self.extended = extended
        self.name_get = name_get


class Protocol:
    """One SCMI protocol, in all its versions.

    ``versions`` are the released protocol versions, oldest first, as ``major << 16 | minor``.
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
        resources: Resources | None = None,
    ) -> None:
        self.name = name
        self.id = id
        self.title = title
        self.versions = versions
        self.requests = requests
        self.notifications = notifications
        self.resources = resources

    @property
    def newest(self) -> int:
        return self.versions[-1]

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
        return min(reported, self.newest | 0xFFFF)


def version_text(version: int) -> str:
    """Return ``major << 16 | minor`` the way people write it: ``3.0``."""
    return f"{version >> 16}.{version & 0xFFFF}"
