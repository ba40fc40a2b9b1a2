"""What a platform has of a protocol: how many things, what they are, and what they are called.

Read in bulk, as the protocol's declaration says (:class:`~scmictl.protocols.Resources`), and kept
by the agent for the life of a connection.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

from scmictl.errors import RemoteProtocolError, ScmictlError, StatusError
from scmictl.protocols import Protocol, Resources
from scmictl.wire import Request, Response, Status, Struct, follow

if TYPE_CHECKING:
    from scmictl.agent.agent import Agent
    from scmictl.agent.listing import Listing
    from scmictl.agent.transfers import Transfer

MOST = 0x10000
"""How many things of a kind there can be: lists count what remains in 16 bits."""
FULL = MOST - 1
"""What the 16 bits of a count can say at most: then there can be one thing more, and the list, or
the thing itself, says whether it is there."""

FAILED = (
    Status.BUSY,
    Status.COMMS_ERROR,
    Status.GENERIC_ERROR,
    Status.HARDWARE_ERROR,
    Status.PROTOCOL_ERROR,
)
"""What a platform answers when something went wrong, whatever was asked.

A protocol error among them: it is what platforms say where there is no room for the answer.
"""


class Resource:
    """One clock, sensor, domain or pin.

    ``description`` is what the platform says of it (None if it could not be read; then ``error``
    says why), ``name`` its whole name.
    """

    __slots__ = ("description", "error", "id", "name")

    def __init__(self, id: int) -> None:
        self.id = id
        self.name: str | None = None
        self.description: Any = None
        self.error: ScmictlError | None = None


class Discovery:
    """The resources of one kind; ``attributes`` is the protocol's PROTOCOL_ATTRIBUTES response.

    :meth:`read` asks for everything and waits. Who must not wait sends what :attr:`listing` or
    :meth:`describing`, and then :meth:`naming`, say, and hands over what comes of it.
    """

    def __init__(self, how: Resources, attributes: Response) -> None:
        self.how = how
        self.attributes: Any = attributes
        self.told: int = follow(attributes, how.count)
        """How many there are by what the platform says of the protocol."""
        self.error: ScmictlError | None = None
        """Why the list of resources ends early, if it does."""
        if self.told > MOST:
            self.error = RemoteProtocolError(
                f"PROTOCOL_ATTRIBUTES says that there are {self.told} {how.noun}s, "
                f"expected {MOST} at most"
            )
            self.told = MOST
        self.resources = [Resource(number) for number in range(self.told)]
        self.cut: dict[int, ScmictlError] = {}
        """Why the long name of a resource could not be read, by id: it has the short one."""
        self._longer: list[Resource] = []

    @cached_property
    def names(self) -> list[str | None]:
        """The names, by id, when all have been read."""
        return [resource.name for resource in self.resources]

    @property
    def fault(self) -> ScmictlError | None:
        """Why names are missing, or None; what the platform keeps from us is not missing."""
        if self.error is not None:
            return self.error
        errors = (resource.error for resource in self.resources)
        return next((e for e in errors if e is not None and not refused(e)), None)

    def name_of(self, number: int) -> str | None:
        """Return the name of one of them, or None if it has none or is not there."""
        return self.resources[number].name if number < len(self.resources) else None

    @classmethod
    def read(cls, agent: Agent, protocol: Protocol, how: Resources) -> Discovery:
        """Ask the platform for everything of one kind at once."""
        agent.version(protocol)
        found = cls(how, agent.call(protocol.by_id[0x1]()))
        listing = found.listing
        if listing is not None:
            found.take_list(agent.listing(listing))
        else:
            found.take_each(_ask(agent, found.describing()))
        found.take_names(_ask(agent, found.naming()))
        return found

    @property
    def listing(self) -> Request[Any] | None:
        """The request for the list of all; None where each is described by itself, or none is."""
        paging = self.how.describe.PAGING
        if paging is None or not self.told:
            return None
        return self.how.describe(**{paging.start: 0})

    def take_list(self, listing: Listing) -> None:
        """Take the descriptions of a list, as far as it could be read."""
        self.error = listing.error or self.error
        most = MOST if self.told == FULL else self.told
        if len(listing.items) > self.told:
            more = range(self.told, min(len(listing.items), most))
            self.resources += [Resource(number) for number in more]
        for resource, description in zip(self.resources, listing.items, strict=False):
            self._describe(resource, description)
            resource.id = getattr(description, self.how.id)
        if self.told <= len(listing.items) <= most:
            return
        differs = RemoteProtocolError(
            f"{self.how.describe.SPEC}: {len(listing.items)} {self.how.noun}s listed, "
            f"expected the {self.told} of PROTOCOL_ATTRIBUTES"
        )
        if len(listing.items) > most:
            self.error = differs
        for resource in self.resources[len(listing.items) :]:
            resource.error = listing.error or differs

    def describing(self) -> list[Request[Any]]:
        """Return the requests that describe each by itself; none where there is a list."""
        if self.how.describe.PAGING is not None:
            return []
        # The one that could not be counted is asked for.
        there = self.told + (self.told == FULL)
        return [self.how.describing(number) for number in range(there)]

    def take_each(self, transfers: Sequence[Transfer[Any]]) -> None:
        """Take the answers to :meth:`describing`."""
        for number, transfer in enumerate(transfers):
            if number == self.told:
                if transfer.error is not None and refused(transfer.error):
                    break
                self.resources.append(Resource(number))
            resource = self.resources[number]
            if transfer.error is None:
                self._describe(resource, transfer.result())
            resource.error = transfer.error

    def _describe(self, resource: Resource, description: Struct) -> None:
        resource.description = description
        resource.name = getattr(description, self.how.name)

    def naming(self) -> list[Request[Any]]:
        """Return the requests for the names that descriptions have no room for."""
        extended = self.how.extended
        if extended is None or self.how.name_get is None:
            return []
        self._longer = [
            r for r in self.resources if r.description and follow(r.description, extended)
        ]
        return [self.how.naming(resource.id) for resource in self._longer]

    def take_names(self, transfers: Sequence[Transfer[Any]]) -> None:
        """Take the answers to :meth:`naming`; where one fails the short name stays (A 1.10)."""
        for resource, transfer in zip(self._longer, transfers, strict=True):
            if transfer.error is not None:
                self.cut[resource.id] = transfer.error
            elif transfer.response is not None:
                resource.name = transfer.response.name or resource.name


def refused(error: ScmictlError) -> bool:
    """Return whether the platform does not want to tell, rather than having failed to."""
    return isinstance(error, StatusError) and error.status not in FAILED


def _ask(agent: Agent, requests: Sequence[Request[Any]]) -> list[Transfer[Any]]:
    transfers = [agent.submit(request) for request in requests]
    agent.collect(transfers)
    return transfers
