"""What a platform has of a protocol: how many things, what they are, and what they are called.

Read in bulk, as the protocol's declaration says (:class:`~scmictl.protocols.Resources`), and kept
by the agent for the life of a connection.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from scmictl.errors import RemoteProtocolError, ScmictlError, StatusError
from scmictl.protocols import Protocol, Resources
from scmictl.wire import Response, Status, Struct, follow

if TYPE_CHECKING:
    from scmictl.agent.agent import Agent


FAILED = (Status.BUSY, Status.COMMS_ERROR, Status.GENERIC_ERROR, Status.HARDWARE_ERROR)
"""What a platform answers when something went wrong, whatever was asked."""


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
    """The resources of one kind; ``attributes`` is the protocol's PROTOCOL_ATTRIBUTES response."""

    def __init__(self, how: Resources, attributes: Response, resources: list[Resource]) -> None:
        self.how = how
        self.attributes: Any = attributes
        self.resources = resources
        self.error: ScmictlError | None = None
        """Why the list of resources ends early, if it does."""
        self.cut: dict[int, ScmictlError] = {}
        """Why the long name of a resource could not be read, by id: it has the short one."""

    @property
    def names(self) -> list[str | None]:
        """The names, by id."""
        return [resource.name for resource in self.resources]

    @property
    def fault(self) -> ScmictlError | None:
        """Why names are missing, or None; what the platform keeps from us is not missing."""
        if self.error is not None:
            return self.error
        errors = (resource.error for resource in self.resources)
        return next((e for e in errors if e is not None and not refused(e)), None)

    @classmethod
    def read(cls, agent: Agent, protocol: Protocol, how: Resources) -> Discovery:
        """Ask the platform for everything of one kind at once."""
        agent.version(protocol)
        attributes = agent.call(protocol.by_id[0x1]())
        count = follow(attributes, how.count)
        found = cls(how, attributes, [Resource(number) for number in range(count)])
        if how.describe.PAGING is not None:
            found._read_list(agent)
        else:
            found._read_each(agent)
        found._read_names(agent)
        return found

    def _read_list(self, agent: Agent) -> None:
        how = self.how
        assert how.describe.PAGING is not None
        if not self.resources:
            return
        listing = agent.listing(how.describe(**{how.describe.PAGING.start: 0}))
        self.error = listing.error
        for position, description in enumerate(listing.items):
            if position >= len(self.resources):
                self.error = RemoteProtocolError(
                    f"{how.describe.SPEC}: {len(listing.items)} {how.noun}s listed, "
                    f"expected the {len(self.resources)} of PROTOCOL_ATTRIBUTES"
                )
                break
            self._describe(self.resources[position], description)
            self.resources[position].id = getattr(description, how.id)
        for resource in self.resources[len(listing.items) :]:
            resource.error = listing.error or RemoteProtocolError(
                f"{how.describe.SPEC}: {len(listing.items)} {how.noun}s listed, "
                f"expected the {len(self.resources)} of PROTOCOL_ATTRIBUTES"
            )

    def _read_each(self, agent: Agent) -> None:
        transfers = [agent.submit(self.how.describing(r.id)) for r in self.resources]
        agent.collect(transfers)
        for resource, transfer in zip(self.resources, transfers, strict=True):
            try:
                self._describe(resource, transfer.result())
            except ScmictlError as error:
                resource.error = error

    def _describe(self, resource: Resource, description: Struct) -> None:
        resource.description = description
        resource.name = getattr(description, self.how.name)

    def _read_names(self, agent: Agent) -> None:
        """Fetch the long names; where that fails the short one stays (reference A 1.10)."""
        how = self.how
        if how.extended is None or how.name_get is None:
            return
        longer = [
            r for r in self.resources if r.description and follow(r.description, how.extended)
        ]
        transfers = [agent.submit(how.naming(r.id)) for r in longer]
        agent.collect(transfers)
        for resource, transfer in zip(longer, transfers, strict=True):
            if transfer.error is not None:
                self.cut[resource.id] = transfer.error
            elif transfer.response is not None:
                resource.name = transfer.response.name or resource.name


def refused(error: ScmictlError) -> bool:
    """Return whether the platform does not want to tell, rather than having failed to."""
    return isinstance(error, StatusError) and error.status not in FAILED
